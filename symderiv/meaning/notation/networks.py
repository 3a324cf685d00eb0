"""From a term over at most two free indices to its matrix forms.

A product is a *network*: its factors are joined by the indices that they share; a summed index is
*eliminated* by the product of what it joins. A term that is no such network has no form.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import sympy
from sympy import (
    Add,
    Expr,
    Indexed,
    Integer,
    KroneckerDelta,
    Max,
    Min,
    Piecewise,
    Pow,
    Rational,
    Sum,
    exp,
)
from sympy.core.relational import GreaterThan

from symderiv.kernel.terms import D, Det, Index, Inv, OfMatrix, Unknown
from symderiv.meaning.notation.factoring import factored, with_common
from symderiv.meaning.notation.matrices import (
    HOLE,
    Applied,
    Determinant,
    Diagonal,
    Form,
    Identity,
    Leaf,
    NoForm,
    Ones,
    Plus,
    Scalar,
    Times,
    Trace,
    Transposed,
    effort,
    elementwise,
    inverted,
    leaves,
    scaled,
    times,
    transposed,
)
from symderiv.meaning.notation.products import Term, flat, indices_of


def forms(
    term: Expr, slots: tuple[Index, ...], ranges: Mapping[Index, Expr]
) -> list[tuple[Form, dict[Form, tuple[Expr, ...]]]]:
    """Return the matrix forms of a term, the shortest first, each with the shapes of its leaves."""
    if len(slots) > 2:
        return []
    found: list[tuple[float, int, Form, dict[Form, tuple[Expr, ...]]]] = []
    for place, split in enumerate(_SPLITS):
        builder = Builder(dict(ranges), split)
        try:
            form = builder.sum(split(flat(term)), slots)
        except NoForm:
            continue
        found.append((effort(form), place, form, builder.sizes))
    found.sort(key=lambda item: item[:2])
    return [(form, sizes) for _, _, form, sizes in found]


def scalars_out(terms: Sequence[Term]) -> tuple[Term, ...]:
    """Take out only what has no index."""
    return with_common(terms, lambda base: not indices_of([base]))


_SPLITS: tuple[Callable[[Sequence[Term]], Sequence[Term]], ...] = (scalars_out, factored, tuple)
"""Ways of writing what the terms of a sum share."""


@dataclass(slots=True)
class Builder:
    """Builds forms under one set of ranges."""

    ranges: dict[Index, Expr]
    split: Callable[[Sequence[Term]], Sequence[Term]]
    """How what the terms of a sum share is treated."""
    sizes: dict[Form, tuple[Expr, ...]] = field(default_factory=dict)

    def sum(self, terms: Sequence[Term], slots: tuple[Index, ...]) -> Form:
        """Return the form of a sum of products."""
        signed = []
        for term in terms:
            negative = bool(term.coefficient < 0)
            form = self.product(Term(abs(term.coefficient), term.bound, term.factors), slots)
            signed.append((-1 if negative else 1, form))
        if len(signed) == 1:
            sign, form = signed[0]
            return form if sign == 1 else scaled(Integer(-1), [], [], form)
        if not signed:
            raise NoForm
        return Plus(
            tuple(
                sorted(signed, key=lambda item: (-item[0], -leaves(item[1]), -effort(item[1]), str(item[1])))
            )
        )

    def product(self, term: Term, slots: tuple[Index, ...]) -> Form:
        """Return the form of one product."""
        network = _Network(self, slots)
        self.ranges.update(dict(term.bound))
        for base, power in sorted(term.factors.items(), key=lambda item: str(item[0])):
            network.put(base, power, {*slots, *(k for k, _ in term.bound)})
        network.eliminate([k for k, _ in term.bound])
        return scaled(term.coefficient, network.above, network.below, network.body())

    def leaf(self, term: Expr, indices: tuple[Index, ...]) -> Leaf:
        """Return a leaf; equal tensors are equal leaves."""
        slots = tuple(Index(f"slot#{place}") for place in range(len(indices)))
        made = Leaf(term.xreplace(dict(zip(indices, slots, strict=True))), slots)
        self.sizes[made] = tuple(self.ranges[index] for index in indices)
        return made

    def factor(self, base: Expr, indices: tuple[Index, ...]) -> tuple[Form, tuple[Index, ...]]:
        """Return the form of one factor and the order of its indices."""
        if isinstance(base, Indexed):
            if base.indices != tuple(dict.fromkeys(base.indices)) or set(base.indices) != set(indices):
                raise NoForm
            return self.leaf(base, tuple(base.indices)), tuple(base.indices)
        if isinstance(base, D):
            variable = base.variables[0]
            if len(base.variables) > 1 or indices_of([base.term]) or not isinstance(variable, Indexed):
                raise NoForm
            if set(variable.indices) != set(indices) or len(variable.indices) != len(indices):
                raise NoForm
            return self.leaf(base, tuple(variable.indices)), tuple(variable.indices)
        ordered = indices
        if isinstance(base, KroneckerDelta) and len(indices) == 2:
            return Identity(self.ranges[ordered[0]]), ordered
        if isinstance(base, Inv) and len(set(base.at)) == 2 and set(base.at) == set(indices):
            return inverted(self.square(base)), base.at
        if isinstance(base, Add | Sum):
            return self.sum(self.split(flat(base)), ordered), ordered
        mark = _indicated(base)
        if mark is not None:
            return Applied(_indicator(HOLE), self.sum(self.split(flat(mark)), ordered)), ordered
        arguments = [a for a in base.args if indices_of([a])]
        if isinstance(base, Piecewise | Max | Min):
            raise NoForm
        if isinstance(base, exp | Unknown | sympy.Function | Pow) and len(arguments) == 1:
            template = base.func(*(HOLE if a is arguments[0] else a for a in base.args))
            return Applied(template, self.sum(self.split(flat(arguments[0])), ordered)), ordered
        raise NoForm

    def square(self, term: OfMatrix) -> Form:
        """Return the form of the matrix of an inverse or determinant."""
        *slots, size = term.places
        if indices_of([term.body]) - set(slots):
            raise NoForm
        self.ranges |= dict.fromkeys(slots, size)
        form = self.sum(self.split(flat(term.body)), tuple(slots))
        turned = transposed(form)
        return Transposed(turned) if effort(turned) < effort(form) else form

    def scalar(self, base: Expr) -> Form:
        """Return the form of a number."""
        if isinstance(base, Det):
            body = self.square(base)
            return Determinant(body.body if isinstance(body, Transposed) else body)
        if not base.has(Sum, Indexed, D):
            return Scalar(base)
        if isinstance(base, Sum | Add):
            return self.sum(self.split(flat(base)), ())
        if isinstance(base, exp | sympy.Function) and len(base.args) == 1:
            return Applied(base.func(HOLE), self.scalar(base.args[0]))
        raise NoForm


@dataclass(slots=True)
class _Network:
    """The factors of one product, joined by indices."""

    builder: Builder
    slots: tuple[Index, ...]
    above: list[Form] = field(default_factory=list)
    below: list[Form] = field(default_factory=list)
    vectors: dict[Index, list[Form]] = field(default_factory=dict)
    matrices: list[tuple[Form, Index, Index]] = field(default_factory=list)
    diagonal: bool = False
    done: set[Index] = field(default_factory=set)
    """Bound indices that were summed along with another."""

    def put(self, base: Expr, power: Rational, joining: set[Index]) -> None:
        """Add a factor."""
        indices = tuple(index for index in indices_of([base]) if index in joining)
        if indices_of([base]) - joining:
            raise NoForm
        if not indices:
            size = abs(power)
            form = self.builder.scalar(base)
            if size != 1:
                form = Applied(Pow(HOLE, size), form)
            (self.above if power > 0 else self.below).append(form)
            return
        if isinstance(base, KroneckerDelta) and set(base.args) == set(self.slots) and len(self.slots) == 2:
            self.diagonal = True
            return
        if isinstance(base, exp):
            base, power = exp(power * base.exp), Integer(1)
        if not power.is_Integer or power < 0 or power > 3 or len(indices) > 2:
            raise NoForm
        ordered = self.slots if set(indices) == set(self.slots) else tuple(sorted(indices, key=str))
        form, order = self.builder.factor(base, ordered)
        for _ in range(int(power)):
            if len(order) == 1:
                self.vectors.setdefault(order[0], []).append(form)
            else:
                self.matrices.append((form, order[0], order[1]))

    def eliminate(self, bound: list[Index]) -> None:
        """Sum the bound indices, those that join the fewest matrices first."""
        left = list(bound)
        while left:
            k = min(left, key=lambda index: (len(self._touching(index)), str(index)))
            left.remove(k)
            if k not in self.done:
                self._eliminate(k, set(left))

    def _touching(self, k: Index) -> list[tuple[Form, Index, Index]]:
        return [m for m in self.matrices if k in m[1:]]

    def _eliminate(self, k: Index, bound: set[Index]) -> None:
        touching = self._touching(k)
        vectors = self.vectors.pop(k, [])
        self.matrices = [m for m in self.matrices if m not in touching]
        size = self.builder.ranges[k]
        if not touching:
            if not vectors:
                self.above.append(Scalar(size))
            else:
                first, rest = (vectors[0], vectors[1:]) if len(vectors) > 1 else (Ones(size), vectors)
                self.above.append(Times((Transposed(first), elementwise(rest))))
        elif len(touching) == 1 and touching[0][1] != touching[0][2]:
            x = _other(touching[0], k)
            vector = elementwise(vectors) if vectors else Ones(size)
            self.vectors.setdefault(x, []).append(times(_oriented(touching[0], x, k), vector))
        elif len(touching) == 1:
            if vectors:
                raise NoForm
            self.above.append(Trace(touching[0][0]))
        elif len(touching) == 2:
            self._joined(touching, k, vectors, bound)
        else:
            raise NoForm

    def _joined(
        self, touching: list[tuple[Form, Index, Index]], k: Index, vectors: list[Form], bound: set[Index]
    ) -> None:
        """Sum an index that joins two matrices."""
        first, second = touching
        x, z = _other(first, k), _other(second, k)
        if k in (x, z):
            raise NoForm
        if x == z:
            if x in bound and not vectors and not self.vectors.get(x) and not self._touching(x):
                self.above.append(Trace(times(_oriented(first, k, x), _oriented(second, x, k))))
                self.done.add(x)
                return
            both = elementwise([_oriented(first, x, k), _oriented(second, x, k)])
            vector = elementwise(vectors) if vectors else Ones(self.builder.ranges[k])
            self.vectors.setdefault(x, []).append(times(both, vector))
            return
        if self._position(z) < self._position(x):
            first, second, x, z = second, first, z, x
        middle: tuple[Form, ...] = (Diagonal(elementwise(vectors)),) if vectors else ()
        self.matrices.append((times(_oriented(first, x, k), *middle, _oriented(second, k, z)), x, z))

    def _position(self, index: Index) -> int:
        return self.slots.index(index) if index in self.slots else len(self.slots)

    def body(self) -> Form | None:
        """Return the form over the slots, or None for a number."""
        if not self.slots:
            return None
        if len(self.slots) == 1:
            (slot,) = self.slots
            if self.matrices or self.diagonal:
                raise NoForm
            vectors = self.vectors.get(slot)
            return elementwise(vectors) if vectors else Ones(self.builder.ranges[slot])
        row, column = self.slots
        if self.diagonal:
            vectors = [*self.vectors.get(row, []), *self.vectors.get(column, [])]
            if self.matrices:
                raise NoForm
            return Diagonal(elementwise(vectors)) if vectors else Identity(self.builder.ranges[row])
        if any(m[1] == m[2] for m in self.matrices):
            raise NoForm
        left, right = self.vectors.get(row), self.vectors.get(column)
        if not self.matrices:
            first = elementwise(left) if left else Ones(self.builder.ranges[row])
            second = elementwise(right) if right else Ones(self.builder.ranges[column])
            return Times((first, Transposed(second)))
        inner = elementwise([_oriented(m, row, column) for m in self.matrices])
        scaled = [Diagonal(elementwise(left))] if left else []
        return times(*scaled, inner, *([Diagonal(elementwise(right))] if right else []))


def _indicator(term: Expr) -> Expr:
    return Piecewise((Integer(1), term >= 0), (Integer(0), sympy.true))


def _indicated(term: Expr) -> Expr | None:
    """Return `a` of `1[a ≥ 0]`, or None."""
    if isinstance(term, Piecewise) and isinstance(term.args[0][1], GreaterThan) and term.args[0][1].rhs == 0:
        inner: Expr = term.args[0][1].lhs
        return inner if term == _indicator(inner) else None
    return None


def _other(matrix: tuple[Form, Index, Index], k: Index) -> Index:
    return matrix[2] if matrix[1] == k else matrix[1]


def _oriented(matrix: tuple[Form, Index, Index], row: Index, column: Index) -> Form:
    form, first, second = matrix
    assert {first, second} == {row, column}
    return form if first == row else transposed(form)

"""Matrix form: a term over at most two free indices, written without indices.

Vocabulary. A product is a *network*: its factors are joined by the indices that they share. A factor with one
index is a *vector*, with two a *matrix*; a summed index is *eliminated* by the product of what it joins. Each
form has an *entry*, the term that it stands for, so that the kernel can prove the form before it is printed.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import sympy
from sympy import (
    Add,
    Expr,
    Heaviside,
    Indexed,
    Integer,
    KroneckerDelta,
    Max,
    Min,
    Mul,
    Piecewise,
    Pow,
    Rational,
    Sum,
    Symbol,
    exp,
)
from sympy.core.relational import GreaterThan

from symderiv.kernel.terms import D, Det, Index, Inv, OfMatrix, Unknown, fresh
from symderiv.meaning.notation.entries import ATOMS, Unwritable, Writer
from symderiv.meaning.notation.factoring import factored, with_common
from symderiv.meaning.notation.products import Term, flat, indices_of
from symderiv.meaning.notation.style import Level, Shown, identity_key


class NoForm(Exception):
    """A term that has no matrix form here."""


@dataclass(frozen=True, slots=True)
class Leaf:
    """A tensor of the page, or the derivative of a number by one: its entry at `slots`."""

    term: Expr
    slots: tuple[Index, ...]


@dataclass(frozen=True, slots=True)
class Ones:
    """The vector of ones."""

    size: Expr


@dataclass(frozen=True, slots=True)
class Identity:
    """The identity matrix."""

    size: Expr


@dataclass(frozen=True, slots=True)
class Scalar:
    """A number without indices."""

    term: Expr


@dataclass(frozen=True, slots=True)
class Transposed:
    """The transpose; of a vector, a row."""

    body: Form


@dataclass(frozen=True, slots=True)
class Times:
    """The product of vectors, rows and matrices."""

    items: tuple[Form, ...]


@dataclass(frozen=True, slots=True)
class Elementwise:
    """The product entry by entry."""

    items: tuple[Form, ...]


@dataclass(frozen=True, slots=True)
class Diagonal:
    """The diagonal matrix of a vector."""

    body: Form


@dataclass(frozen=True, slots=True)
class Trace:
    """The trace of a square matrix."""

    body: Form


@dataclass(frozen=True, slots=True)
class Inverted:
    """The inverse of a square matrix."""

    body: Form


@dataclass(frozen=True, slots=True)
class Determinant:
    """The determinant of a square matrix."""

    body: Form


@dataclass(frozen=True, slots=True)
class Applied:
    """A function of one number, entry by entry: `template` over the symbol `HOLE`."""

    template: Expr
    body: Form


@dataclass(frozen=True, slots=True)
class Scaled:
    """A rational and numbers, some under the fraction bar, times a form; of no form, a number."""

    coefficient: Rational
    above: tuple[Form, ...]
    below: tuple[Form, ...]
    body: Form | None


@dataclass(frozen=True, slots=True)
class Plus:
    """A sum; each term with its sign."""

    terms: tuple[tuple[int, Form], ...]


Form = (
    Leaf
    | Ones
    | Identity
    | Scalar
    | Transposed
    | Times
    | Elementwise
    | Diagonal
    | Trace
    | Inverted
    | Determinant
    | Applied
    | Scaled
    | Plus
)
HOLE = Symbol("hole", real=True)
ROW = -1
"""The rank of a row; a column has rank 1."""


# ---------------------------------------------------------------------- what a form stands for


def rank(form: Form) -> int:
    """Return the number of indices of a form; a row has `ROW`."""
    match form:
        case Leaf(slots=slots):
            return len(slots)
        case Ones():
            return 1
        case Identity() | Diagonal() | Inverted():
            return 2
        case Scalar() | Trace() | Determinant():
            return 0
        case Transposed(body=body):
            return {1: ROW, ROW: 1}.get(rank(body), rank(body))
        case Times(items=items):
            total = rank(items[0])
            for item in items[1:]:
                total = _product_rank(total, rank(item))
            return total
        case Elementwise(items=items):
            return rank(items[0])
        case Applied(body=body):
            return rank(body)
        case Scaled(body=body):
            return 0 if body is None else rank(body)
        case Plus(terms=terms):
            return rank(terms[0][1])


def _product_rank(left: int, right: int) -> int:
    known = {(2, 2): 2, (2, 1): 1, (ROW, 2): ROW, (ROW, 1): 0, (1, ROW): 2}
    if (left, right) not in known:
        raise NoForm
    return known[left, right]


def entry_of(form: Form, at: tuple[Expr, ...], sizes: Mapping[Form, tuple[Expr, ...]]) -> Expr:  # noqa: C901, PLR0912  one case a form
    """Return the entry of a form at some indices; `sizes` has the shape of each leaf."""
    match form:
        case Leaf(term=term, slots=slots):
            return term.xreplace(dict(zip(slots, at, strict=True)))
        case Ones():
            return Integer(1)
        case Identity():
            return KroneckerDelta(*at)
        case Scalar(term=term):
            return term
        case Transposed(body=body):
            return entry_of(body, at[::-1], sizes)
        case Times(items=items):
            return _chained(items, at, sizes)
        case Elementwise(items=items):
            return Mul(*(entry_of(item, at, sizes) for item in items))
        case Diagonal(body=body):
            return KroneckerDelta(*at) * entry_of(body, at[:1], sizes)
        case Trace(body=body):
            k = fresh("k")
            return Sum(entry_of(body, (k, k), sizes), (k, 1, shape(body, sizes)[0]))
        case Inverted(body=body) | Determinant(body=body):
            p, q = fresh("p"), fresh("q")
            inner, places = entry_of(body, (p, q), sizes), (p, q, shape(body, sizes)[0])
            return Inv(inner, places, *at) if isinstance(form, Inverted) else Det(inner, places)
        case Applied(template=template, body=body):
            return template.xreplace({HOLE: entry_of(body, at, sizes)})
        case Scaled(coefficient=coefficient, above=above, below=below, body=body):
            numbers = [entry_of(form, (), sizes) for form in above] + [
                1 / entry_of(form, (), sizes) for form in below
            ]
            return Mul(coefficient, *numbers, entry_of(body, at, sizes) if body is not None else Integer(1))
        case Plus(terms=terms):
            return Add(*(sign * entry_of(term, at, sizes) for sign, term in terms))


def shape(form: Form, sizes: Mapping[Form, tuple[Expr, ...]]) -> tuple[Expr, ...]:
    """Return the sizes of a form's indices."""
    match form:
        case Leaf():
            return sizes[form]
        case Ones(size=size):
            return (size,)
        case Identity(size=size):
            return (size, size)
        case Diagonal(body=body):
            return shape(body, sizes) * 2
        case Transposed(body=body):
            return shape(body, sizes)[::-1]
        case Elementwise(items=items):
            return shape(items[0], sizes)
        case Applied(body=body) | Inverted(body=body):
            return shape(body, sizes)
        case Scaled(body=body):
            return () if body is None else shape(body, sizes)
        case Plus(terms=terms):
            return shape(terms[0][1], sizes)
        case Times(items=items):
            kind = rank(form)
            first, last = shape(items[0], sizes), shape(items[-1], sizes)
            return {0: (), 1: first[:1], ROW: last[-1:], 2: (first[:1] + last[-1:])}[kind]
        case _:
            return ()


def _chained(items: Sequence[Form], at: tuple[Expr, ...], sizes: Mapping[Form, tuple[Expr, ...]]) -> Expr:
    """Return the entry of a product, the last factor split off."""
    if len(items) == 1:
        return entry_of(items[0], at, sizes)
    left, last = items[:-1], items[-1]
    before = rank(Times(tuple(left))) if len(left) > 1 else rank(left[0])
    after = rank(last)
    if (before, after) == (1, ROW):
        return _chained(left, at[:1], sizes) * entry_of(last, at[1:], sizes)
    k = fresh("k")
    outer = at[:1] if before == 2 else ()
    inner = at[len(outer) :]
    body = _chained(left, (*outer, k), sizes) * entry_of(last, (k, *inner), sizes)
    return Sum(body, (k, 1, shape(last, sizes)[0]))


# ---------------------------------------------------------------------- from a term to a form


def forms(
    term: Expr, slots: tuple[Index, ...], ranges: Mapping[Index, Expr]
) -> list[tuple[Form, dict[Form, tuple[Expr, ...]]]]:
    """Return the matrix forms of a term, the shortest first, each with the shapes of its leaves."""
    if len(slots) > 2:
        return []
    found: list[tuple[float, int, Form, dict[Form, tuple[Expr, ...]]]] = []
    for place, split in enumerate(_SPLITS):
        builder = _Builder(dict(ranges), split)
        try:
            form = builder.sum(split(flat(term)), slots)
        except NoForm:
            continue
        found.append((effort(form), place, form, builder.sizes))
    found.sort(key=lambda item: item[:2])
    return [(form, sizes) for _, _, form, sizes in found]


def _scalars_out(terms: Sequence[Term]) -> tuple[Term, ...]:
    """Take out only what has no index."""
    return with_common(terms, lambda base: not indices_of([base]))


_SPLITS: tuple[Callable[[Sequence[Term]], Sequence[Term]], ...] = (_scalars_out, factored, tuple)
"""Ways of writing what the terms of a sum share."""


def effort(form: Form) -> float:
    """Return how much there is to read in a form."""
    match form:
        case Leaf(term=term):
            return 1.5 if isinstance(term, D) else 1.0
        case Ones() | Identity():
            return 1.3
        case Scalar():
            return 1.0
        case Transposed(body=body):
            return 0.3 + effort(body)
        case Times(items=items) | Elementwise(items=items):
            return sum(map(effort, items)) + 0.4 * len(items)
        case Inverted(body=body):
            return 0.5 + effort(body)
        case Diagonal(body=body) | Trace(body=body) | Determinant(body=body) | Applied(body=body):
            return 1.0 + effort(body)
        case Scaled(above=above, below=below, body=body):
            return 0.3 + sum(map(effort, (*above, *below))) + (effort(body) if body is not None else 0.0)
        case Plus(terms=terms):
            return sum(0.6 + effort(term) for _, term in terms)


def leaves(form: Form) -> int:
    """Return how many tensors of the page a form names."""
    match form:
        case Leaf():
            return 1
        case Scalar() | Ones() | Identity():
            return 0
        case Times(items=items) | Elementwise(items=items):
            return sum(map(leaves, items))
        case Scaled(above=above, below=below, body=body):
            return sum(map(leaves, (*above, *below))) + (leaves(body) if body is not None else 0)
        case Plus(terms=terms):
            return sum(leaves(term) for _, term in terms)
        case _:
            return leaves(form.body)


@dataclass(slots=True)
class _Builder:
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
            return form if sign == 1 else _scaled(Integer(-1), [], [], form)
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
        return _scaled(term.coefficient, network.above, network.below, network.body())

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

    builder: _Builder
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
                self.above.append(Times((Transposed(first), _elementwise(rest))))
        elif len(touching) == 1 and touching[0][1] != touching[0][2]:
            x = _other(touching[0], k)
            vector = _elementwise(vectors) if vectors else Ones(size)
            self.vectors.setdefault(x, []).append(_times(_oriented(touching[0], x, k), vector))
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
                self.above.append(Trace(_times(_oriented(first, k, x), _oriented(second, x, k))))
                self.done.add(x)
                return
            both = _elementwise([_oriented(first, x, k), _oriented(second, x, k)])
            vector = _elementwise(vectors) if vectors else Ones(self.builder.ranges[k])
            self.vectors.setdefault(x, []).append(_times(both, vector))
            return
        if self._position(z) < self._position(x):
            first, second, x, z = second, first, z, x
        middle: tuple[Form, ...] = (Diagonal(_elementwise(vectors)),) if vectors else ()
        self.matrices.append((_times(_oriented(first, x, k), *middle, _oriented(second, k, z)), x, z))

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
            return _elementwise(vectors) if vectors else Ones(self.builder.ranges[slot])
        row, column = self.slots
        if self.diagonal:
            vectors = [*self.vectors.get(row, []), *self.vectors.get(column, [])]
            if self.matrices:
                raise NoForm
            return Diagonal(_elementwise(vectors)) if vectors else Identity(self.builder.ranges[row])
        if any(m[1] == m[2] for m in self.matrices):
            raise NoForm
        left, right = self.vectors.get(row), self.vectors.get(column)
        if not self.matrices:
            first = _elementwise(left) if left else Ones(self.builder.ranges[row])
            second = _elementwise(right) if right else Ones(self.builder.ranges[column])
            return Times((first, Transposed(second)))
        inner = _elementwise([_oriented(m, row, column) for m in self.matrices])
        scaled = [Diagonal(_elementwise(left))] if left else []
        return _times(*scaled, inner, *([Diagonal(_elementwise(right))] if right else []))


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


def transposed(form: Form) -> Form:
    """Return the transpose, carried inside products."""
    match form:
        case Transposed(body=body):
            return body
        case Times(items=items):
            return Times(tuple(transposed(item) for item in reversed(items)))
        case Diagonal() | Identity():
            return form
        case Inverted(body=body) if transposed(body) == body:
            return form
        case Scaled(body=body) if body is not None:
            return replace(form, body=transposed(body))
        case Plus(terms=terms) if rank(form) == 2:
            inside = Plus(tuple((sign, transposed(term)) for sign, term in terms))
            return inside if effort(inside) <= effort(form) else Transposed(form)
        case _:
            return Transposed(form)


def inverted(form: Form) -> Form:
    """Return the inverse; that of a transpose is turned."""
    return Transposed(Inverted(form.body)) if isinstance(form, Transposed) else Inverted(form)


def _times(*items: Form) -> Form:
    flattened = [inner for item in items for inner in (item.items if isinstance(item, Times) else (item,))]
    kept = [item for item in flattened if not isinstance(item, Identity)]
    if not kept:
        return flattened[0]
    return kept[0] if len(kept) == 1 else Times(tuple(kept))


def _elementwise(items: Sequence[Form]) -> Form:
    if len(items) == 1:
        return items[0]
    return Elementwise(tuple(sorted(items, key=lambda item: (effort(item), str(item)))))


def _scaled(coefficient: Rational, above: Sequence[Form], below: Sequence[Form], body: Form | None) -> Form:
    """Return a form times numbers; numbers that are sums of numbers stay as they are."""
    if coefficient == 1 and not above and not below and body is not None:
        return body
    if body is None and coefficient == 1 and not below and len(above) == 1:
        return above[0]
    return Scaled(coefficient, tuple(above), tuple(below), body)


# ---------------------------------------------------------------------- writing a form


def write(form: Form, writer: Writer) -> Shown:  # noqa: C901, PLR0912  one case a form
    """Write a form in a style."""
    style = writer.style
    match form:
        case Leaf(term=term):
            return _tensor(term, writer)
        case Ones():
            return Shown(style.symbol("ones"))
        case Identity():
            return Shown(style.symbol("eye"))
        case Scalar(term=term):
            return writer.write(term)
        case Transposed(body=Inverted(body=body)):
            return style.inverted(write(body, writer), turned=True)
        case Transposed(body=body):
            return style.transposed(write(body, writer))
        case Inverted(body=body):
            return style.inverted(write(body, writer))
        case Determinant(body=body):
            return style.function("det", write(body, writer))
        case Times(items=items):
            return _side_by_side([write(item, writer) for item in items], writer)
        case Elementwise(items=items):
            shown = [write(item, writer) for item in items]
            sign = f" {style.symbol('odot')} "
            texts = [
                s.text if s.level >= Level.POWER or _is_fraction(s) else style.group(s).text for s in shown
            ]
            return Shown(sign.join(texts), Level.QUOTIENT)
        case Diagonal(body=body):
            return style.function(style.symbol("diag"), write(body, writer))
        case Trace(body=body):
            return style.function(style.symbol("tr"), write(body, writer))
        case Applied(template=template, body=body):
            return _applied(template, write(body, writer), writer)
        case Scaled():
            return _written_scaled(form, writer)
        case Plus(terms=terms):
            return _written_sum(terms, writer)


def _written_sum(terms: Sequence[tuple[int, Form]], writer: Writer) -> Shown:
    text = ""
    minus = writer.style.symbol("minus")
    for sign, term in terms:
        shown = write(term, writer)
        piece = writer.style.group(shown).text if shown.level is Level.SUM else shown.text
        if text:
            text += f" {minus if sign < 0 else '+'} {piece}"
        else:
            text = (minus if sign < 0 else "") + piece
    return Shown(text, Level.SUM)


def _is_fraction(shown: Shown) -> bool:
    """Tell whether a piece is one fraction in LaTeX, which needs no brackets."""
    return (
        shown.level is Level.PRODUCT and re.fullmatch(r"\\frac\{[^{}]*\}\{[^{}]*\}", shown.text) is not None
    )


def _tensor(term: Expr, writer: Writer) -> Shown:
    if isinstance(term, D):
        of = writer.atom(term.term)
        variable = term.variables[0]
        assert isinstance(variable, Indexed)
        return writer.style.derivative(of, (writer.style.name(str(variable.base.label)),), named=True)
    assert isinstance(term, Indexed)
    return writer.style.name(str(term.base.label))


def _side_by_side(shown: Sequence[Shown], writer: Writer) -> Shown:
    if len(shown) == 1:
        return shown[0]
    texts = []
    for place, piece in enumerate(shown):
        last = place == len(shown) - 1
        loose = piece.level is Level.SUM or (
            piece.level is Level.QUOTIENT and (not last or "⊙" in piece.text or "odot" in piece.text)
        )
        loose = loose or (piece.level is Level.BIG and not last)
        texts.append(writer.style.group(piece).text if loose else piece.text)
    return Shown(" ".join(texts), Level.PRODUCT)


def _written_scaled(form: Scaled, writer: Writer) -> Shown:
    style = writer.style
    coefficient = form.coefficient
    negative = bool(coefficient < 0)
    top, bottom = abs(coefficient.p), coefficient.q
    above = [write(each, writer) for each in form.above]
    if len(above) > 1 or form.body is not None:
        above = [style.group(s) if s.level <= Level.PRODUCT and not _is_fraction(s) else s for s in above]
    if top != 1:
        above.insert(0, style.number(str(top)))
    below = [write(each, writer) for each in form.below]
    if bottom != 1:
        below.insert(0, style.number(str(bottom)))
    body = write(form.body, writer) if form.body is not None else None
    pieces = above
    if below:
        under = _side_by_side(below, writer)
        if body is not None and not above and body.level >= Level.POWER:
            pieces, body = [style.quotient(body, under)], None
        elif above and all(map(_is_number, form.above)):
            pieces = [style.quotient(_side_by_side(above, writer), under)]
        else:
            pieces = [style.quotient(style.number("1"), under), *above]
    elementwise = isinstance(form.body, Elementwise) and body is not None
    if elementwise and pieces and body is not None:
        texts = [style.group(p).text if _is_loose(p) else p.text for p in pieces]
        joined = Shown(" ".join([*texts, body.text]), Level.QUOTIENT)
    else:
        joined = _side_by_side(
            [*pieces, *([body] if body is not None else [])] or [style.number("1")], writer
        )
    return Shown(style.symbol("minus") + joined.text, Level.SUM) if negative else joined


def _is_number(form: Form) -> bool:
    """Tell whether a form is made of numbers without indices."""
    return isinstance(form, Scalar) or (isinstance(form, Applied) and _is_number(form.body))


def _is_loose(shown: Shown) -> bool:
    """Tell whether a number needs brackets before a product: all but a fraction of digits."""
    return shown.level <= Level.QUOTIENT and not re.fullmatch(r"\d+/\d+", shown.text)


def _applied(template: Expr, body: Shown, writer: Writer) -> Shown:
    style = writer.style
    if isinstance(template, exp):
        return style.power(style.number("e"), body.text)
    if isinstance(template, Pow) and template.base == HOLE:
        if template.exp == Rational(1, 2):
            return style.root(body)
        return style.power(body, writer.write(template.exp).text)
    if isinstance(template, Heaviside):
        return Shown(f"{style.symbol('ones')}[{body.text} {style.symbol('gt')} 0]", Level.POWER)
    if isinstance(template, Piecewise):
        return Shown(f"{style.symbol('ones')}[{body.text} {style.symbol('ge')} 0]", Level.POWER)
    if isinstance(template, Unknown):
        head = style.name(identity_key(str(template.args[0])) + "'" * int(template.args[1][0])).text
        return Shown(f"{head}{style.group(body).text}", Level.POWER)
    if isinstance(template, sympy.Function) and len(template.args) == 1:
        return style.function(type(template).__name__, body)
    raise NoForm


def matrix_of(term: OfMatrix, writer: Writer) -> str:
    """Write the matrix of an inverse or determinant, not transposed."""
    body = _Builder({}, _scalars_out).square(term)
    return write(body.body if isinstance(body, Transposed) else body, writer).text


def _atom(writer: Writer, term: OfMatrix) -> Shown:
    """Write an entry of an inverse, or a determinant, whose matrix has a form."""
    try:
        body = _Builder({}, _scalars_out).square(term)
    except NoForm:
        msg = "a matrix that has no form of its own has no notation"
        raise Unwritable(msg) from None
    if isinstance(term, Det):
        return write(Determinant(body.body if isinstance(body, Transposed) else body), writer)
    i, j = term.at
    turned = isinstance(body, Transposed)
    shown = writer.style.inverted(write(body.body if isinstance(body, Transposed) else body, writer))
    return writer.style.entry(shown, tuple(writer.index(k) for k in ((j, i) if turned else (i, j))))


ATOMS[Inv] = ATOMS[Det] = _atom

__all__ = ["Form", "NoForm", "effort", "entry_of", "forms", "rank", "shape", "transposed", "write"]

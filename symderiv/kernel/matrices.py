"""Inverses and determinants of square matrices, each given by its entry.

Vocabulary. The *body* of a matrix is its entry at a row and a column. A factor of the body is a *scale* if it
has neither of them, a *row* or *column* factor if it has one alone; what has both is the *core*. The *lead*
of a body is one of its monomials, in which factors and sums connect row and column; the others are the
*rest*.
`sum_k A^-1_ik A_kj = delta_ij` is used as `sum_k A^-1_ik lead_kj = delta_ij - sum_k A^-1_ik rest_kj`.

Every rule holds where the matrix is invertible, for all sizes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from math import gcd, lcm
from typing import TYPE_CHECKING

from symderiv.kernel import indices as ix
from symderiv.kernel.indices import IndexExpr, Variable
from symderiv.kernel.polynomial import (
    EVEN,
    NOTHING,
    ONE,
    Atom,
    Kind,
    Monomial,
    Polynomial,
    Rational,
    atom,
    minus,
    plus,
)

if TYPE_CHECKING:
    from symderiv.kernel.normal import Algebra


Bound = Mapping[Variable, IndexExpr]
Factors = dict[Atom, Rational]


@dataclass(frozen=True, slots=True)
class Square:
    """A square matrix: its entry at two open variables, which run to the size."""

    row: Variable
    column: Variable
    size: IndexExpr
    body: Polynomial


@dataclass(frozen=True, slots=True)
class Lead:
    """A monomial `coefficient * scale * factors` of a body over summed indices, and the rest of the body."""

    scale: Polynomial
    factors: tuple[tuple[Atom, Rational], ...]
    summed: Mapping[Variable, IndexExpr]
    rest: Polynomial


# -- constructors


def inverse(algebra: Algebra, of: Square, i: IndexExpr, j: IndexExpr) -> Polynomial:
    """Return entry (i, j) of the inverse."""
    algebra.spend(1)
    diagonal = _diagonal(algebra, of)
    if diagonal is not None:
        there = algebra.substitute(diagonal, {of.row: i})
        return algebra.times(algebra.delta(ix.minus(i, j)), algebra.power(there, -1))
    changed = _of_diagonal_changed(algebra, of)
    if changed is not None:
        return algebra.substitute(changed, {of.row: i, of.column: j})
    scale, rows, columns, core = _parted(algebra, of)
    if (scale, rows, columns) != (ONE, ONE, ONE):
        # A_pq = s r_p B_pq c_q: its inverse has the entries B^-1_ij / (s c_i r_j).
        below = algebra.times(
            scale, algebra.substitute(columns, {of.column: i}), algebra.substitute(rows, {of.row: j})
        )
        return algebra.times(inverse(algebra, core, i, j), algebra.power(below, -1))
    inner = _inverted(algebra, core)
    if inner is not None:
        return algebra.substitute(inner.body, {inner.row: i, inner.column: j})
    factors = _factored(algebra, core)
    if factors is not None:
        left, right = factors
        k = algebra.fresh(of.size)
        product = algebra.times(inverse(algebra, right, i, ix.bare(k)), inverse(algebra, left, ix.bare(k), j))
        return algebra.closed({k: of.size}, product)
    forward, backward = _named(algebra, core), _named(algebra, _transposed(core))
    if forward == backward:
        return atom(Atom(Kind.INVERSE, EVEN, tuple(sorted((i, j))), (forward,), (of.size, of.size)))
    if backward.key() < forward.key():
        i, j, forward = j, i, backward
    return atom(Atom(Kind.INVERSE, "", (i, j), (forward,), (of.size, of.size)))


def determinant(algebra: Algebra, of: Square) -> Polynomial:
    """Return the determinant."""
    algebra.spend(1)
    diagonal = _diagonal(algebra, of)
    if diagonal is not None:
        return algebra.product(of.row, of.size, diagonal)
    number = _of_identity_changed(algebra, of)
    if number is not None:
        return number
    scale, rows, columns, core = _parted(algebra, of)
    if (scale, rows, columns) != (ONE, ONE, ONE):
        # det (s r_p B_pq c_q) = s^n (prod_p r_p) (prod_q c_q) det B
        return algebra.times(
            algebra.raised(scale, algebra.value(of.size)),
            algebra.product(of.row, of.size, rows),
            algebra.product(of.column, of.size, columns),
            determinant(algebra, core),
        )
    inner = _inverted(algebra, core)
    if inner is not None:
        return algebra.power(determinant(algebra, inner), -1)
    factors = _factored(algebra, core)
    if factors is not None:
        return algebra.times(*(determinant(algebra, factor) for factor in factors))
    body = min(_named(algebra, core), _named(algebra, _transposed(core)), key=Polynomial.key)
    return atom(Atom(Kind.DETERMINANT, "", (), (body,), (of.size, of.size)))


def _of_identity_changed(algebra: Algebra, of: Square) -> Polynomial | None:
    """`det(I + c u v^T) = 1 + c v^T u`; None of other matrices."""
    mark = algebra.delta(ix.minus(ix.bare(of.row), ix.bare(of.column)))
    changes = _groups(minus(of.body, mark), of.row, of.column)
    core, scale = next(iter(changes.items()), (None, NOTHING))
    ends = None if core is None or len(changes) > 1 else column_and_row(core, of)
    if core is None or ends is None or core.marked:
        return None
    column, row = ends
    met = algebra.closed(
        {of.row: of.size}, algebra.times(column, algebra.substitute(row, {of.column: ix.bare(of.row)}))
    )
    return plus(ONE, algebra.times(scale, met))


def _of_diagonal_changed(algebra: Algebra, of: Square) -> Polynomial | None:
    """`(D + c u v^T)^-1 = D^-1 - c D^-1 u v^T D^-1 / (1 + c v^T D^-1 u)`, D diagonal; None of others."""
    form = ix.primitive(ix.minus(ix.bare(of.row), ix.bare(of.column)))
    diagonal = {m: c for m, c in of.body.terms.items() if any(a.indices == (form,) for a in m.factors)}
    changes = _groups(minus(of.body, Polynomial(diagonal)), of.row, of.column) if diagonal else {}
    core, scale = next(iter(changes.items()), (None, NOTHING))
    ends = None if core is None or len(changes) > 1 else column_and_row(core, of)
    if core is None or ends is None or core.marked:
        return None
    below = _diagonal(algebra, Square(of.row, of.column, of.size, Polynomial(diagonal)))
    if below is None or any(m.marked for m in below.terms):
        return None
    inverse = algebra.power(below, -1)
    column, row = algebra.times(ends[0], inverse), ends[1]
    met = algebra.closed(
        {of.row: of.size}, algebra.times(column, algebra.substitute(row, {of.column: ix.bare(of.row)}))
    )
    over = algebra.power(plus(ONE, algebra.times(scale, met)), -1)
    there = algebra.times(row, algebra.substitute(inverse, {of.row: ix.bare(of.column)}))
    mark = algebra.delta(ix.minus(ix.bare(of.row), ix.bare(of.column)))
    return minus(algebra.times(mark, inverse), algebra.times(scale, column, there, over))


def column_and_row(m: Monomial, of: Square) -> tuple[Polynomial, Polynomial] | None:
    """Return the factors of a monomial without and with the column; None if any has row and column."""
    if m.exponent or any({of.row, of.column} <= a.free for a in m.factors):
        return None
    across = {a: e for a, e in m.factors.items() if of.column in a.free}
    down = {a: e for a, e in m.factors.items() if a not in across}
    return Polynomial({Monomial(None, down): 1}), Polynomial({Monomial(None, across): 1})


def moved(algebra: Algebra, a: Atom, values: Mapping[Variable, IndexExpr]) -> Polynomial:
    """Return an inverse or determinant with free variables replaced."""
    indices = tuple(ix.replaced(i, values) for i in a.indices)
    if a.inner[0].free.isdisjoint(values):
        if a.even:
            indices = tuple(sorted(indices))
        return atom(Atom(a.kind, a.name, indices, a.inner, a.sizes))
    of = opened(algebra, a, values)
    return determinant(algebra, of) if a.kind is Kind.DETERMINANT else inverse(algebra, of, *indices)


def opened(algebra: Algebra, a: Atom, values: Mapping[Variable, IndexExpr] | None = None) -> Square:
    """Return the matrix of an inverse or determinant over fresh variables, with `values` put in."""
    bound, body = algebra.opened(a, values)
    row, column = bound
    return Square(row, column, a.sizes[0], body)


def _transposed(of: Square) -> Square:
    return Square(of.column, of.row, of.size, of.body)


def _named(algebra: Algebra, of: Square) -> Polynomial:
    """Return the body with its row and column named for an atom that binds them."""
    height = of.body.height + 1
    row, column = ((ix.BOUND, height, place) for place in (0, 1))
    return algebra.substitute(of.body, {of.row: ix.bare(row), of.column: ix.bare(column)})


# -- what a matrix is made of


def of_name(a: Atom) -> str:
    """Return the name of which this is the inverse or the determinant, empty where it is of another term."""
    only = a.inner[0].single()
    if only is None or only[0].exponent or only[1] != 1 or len(only[0].factors) != 1:
        return ""
    ((b, e),) = only[0].factors.items()
    places = sorted(ix.bare(v) for v in a.bound())
    named = b.kind in (Kind.ENTRY, Kind.SYMMETRIC) and e == 1 and sorted(b.indices) == places
    return b.name if named else ""


def _diagonal(algebra: Algebra, of: Square) -> Polynomial | None:
    """Return the entry, over the row, on the diagonal of a matrix that has no others; else None."""
    if not of.body.terms:
        return NOTHING
    if of.size == ix.constant(1):
        return algebra.substitute(of.body, {of.row: of.size, of.column: of.size})
    form = ix.primitive(ix.minus(ix.bare(of.row), ix.bare(of.column)))
    assert form is not None
    delta = Atom(Kind.DELTA, indices=(form,))
    if any(delta not in m.factors for m in of.body.terms):
        return None
    on = {
        Monomial(m.exponent, {a: e for a, e in m.factors.items() if a != delta}): c
        for m, c in of.body.terms.items()
    }
    return algebra.substitute(Polynomial(on), {of.column: ix.bare(of.row)})


def _parted(algebra: Algebra, of: Square) -> tuple[Polynomial, Polynomial, Polynomial, Square]:
    """Return scale, row factors and column factors common to all terms, and what remains."""
    terms = of.body.terms
    scale, rows, columns = Factors(), Factors(), Factors()
    for a in dict.fromkeys(a for m in terms for a in m.factors if a.kind < Kind.DELTA):
        least = min(m.factors.get(a, 0) for m in terms)
        row, column = of.row in a.free, of.column in a.free
        if least and not (row and column):
            (columns if column else rows if row else scale)[a] = least
    if rows and columns and len(terms) == 1 and len(rows | columns | scale) == len(next(iter(terms)).factors):
        rows, columns = Factors(), Factors()
    common = _common(terms)
    parts = [Polynomial({Monomial(None, part): c}) for part, c in ((scale, common), (rows, 1), (columns, 1))]
    core = of.body
    for part in parts:
        ((m, c),) = part.terms.items()
        bases = [a for a in m.factors if a.kind is Kind.BASE]
        rest = Monomial(None, {a: e for a, e in m.factors.items() if a not in bases})
        core = algebra.times(core, algebra.power(Polynomial({rest: c}), -1))
        for base in bases:  # a sum times its inverse is 1 only where it is not multiplied out
            core = algebra.cleared(core, base)
    groups = _groups(core, of.row, of.column)
    if len(groups) == 1:
        ((m, factor),) = groups.items()
        parts[0], core = algebra.times(parts[0], factor), Polynomial({m: 1})
    return parts[0], parts[1], parts[2], Square(of.row, of.column, of.size, core)


def _groups(body: Polynomial, row: Variable, column: Variable) -> dict[Monomial, Polynomial]:
    """Return a body as a sum of monomials with row, column or indicator, each with its scale."""
    found: dict[Monomial, list[Polynomial]] = {}
    for m, c in body.terms.items():
        inside = {
            a: e for a, e in m.factors.items() if a.kind >= Kind.DELTA or not a.free.isdisjoint((row, column))
        }
        scale = {a: e for a, e in m.factors.items() if a not in inside}
        exponent = m.exponent
        bound = exponent is not None and not exponent.free.isdisjoint((row, column))
        core = Monomial(exponent if bound else None, inside)
        found.setdefault(core, []).append(Polynomial({Monomial(None if bound else exponent, scale): c}))
    return {core: plus(*scales) for core, scales in found.items()}


def _common(terms: Mapping[Monomial, Rational]) -> Rational:
    """Return the number to divide by so that the coefficients are coprime, that of the last term positive."""
    numbers = [Fraction(c) for c in terms.values()]
    common = Fraction(gcd(*(c.numerator for c in numbers)), lcm(*(c.denominator for c in numbers)))
    last = max(terms.items(), key=lambda term: term[0].key())[1]
    return -common if last < 0 else common


def _without(m: Monomial, gone: set[Atom]) -> Monomial:
    return Monomial(m.exponent, {a: e for a, e in m.factors.items() if a not in gone})


def _only(of: Square) -> Atom | None:
    """Return the atom that the body is, or None."""
    single = of.body.single()
    if single is None or single[0].exponent or single[1] != 1 or len(single[0].factors) != 1:
        return None
    ((a, e),) = single[0].factors.items()
    return a if e == 1 else None


def _inverted(algebra: Algebra, of: Square) -> Square | None:
    """Return the matrix of which this one is the inverse."""
    a = _only(of)
    row, column = ix.bare(of.row), ix.bare(of.column)
    if a is None or a.kind is not Kind.INVERSE or sorted(a.indices) != sorted((row, column)):
        return None
    if not a.inner[0].free.isdisjoint((of.row, of.column)) or a.sizes[0] != of.size:
        return None
    inner = opened(algebra, a)
    return inner if a.indices == (row, column) else _transposed(inner)


def _factored(algebra: Algebra, of: Square) -> tuple[Square, Square] | None:
    """Return square factors of a matrix product; None where there are none."""
    for k, size, left, right in split(algebra, of):
        if size == of.size:
            return Square(of.row, k, size, left), Square(k, of.column, size, right)
    return None


def split(algebra: Algebra, of: Square) -> Iterator[tuple[Variable, IndexExpr, Polynomial, Polynomial]]:
    """Yield each way to write a matrix as a product: the index between two factors, its size, both."""
    a = _only(of)
    if a is None or a.kind is not Kind.SUM:
        return
    bound, body = algebra.opened(a)
    single = body.single()
    if single is None or single[0].exponent or single[0].marked:
        return
    m, c = single
    for k, size in bound.items():
        left = _side(m, of.row, k)
        if any(of.column in b.free for b in left):
            continue
        others = {v: n for v, n in bound.items() if v != k}
        here = {v: n for v, n in others.items() if any(v in b.free for b in left)}
        there = {v: n for v, n in others.items() if v not in here}
        first = algebra.closed(here, Polynomial({Monomial(None, left): 1}))
        yield k, size, first, algebra.closed(there, Polynomial({_without(m, set(left)): c}))


def _side(m: Monomial, start: Variable, cut: Variable) -> Factors:
    """Return the factors that shared variables other than `cut` connect with `start`."""
    reached, found = {start}, Factors()
    while True:
        more = {a: e for a, e in m.factors.items() if a not in found and not reached.isdisjoint(a.free)}
        if not more:
            return found
        found |= more
        reached = reached.union(*(a.free for a in more)) - {cut}


# -- contraction


def contracted(algebra: Algebra, bound: Bound, m: Monomial) -> Polynomial | None:
    """Return the sum of a monomial in which an inverse meets its matrix; None where none does."""
    for a, e in m.factors.items():
        if a.kind is not Kind.INVERSE or e != 1:
            continue
        for place in (0, 1):
            k = _variable(a.indices[place])
            if k is not None and bound.get(k) == a.sizes[0]:
                met = _met(algebra, bound, m, a, place)
                if met is not None:
                    return met
    return None


def _variable(form: IndexExpr) -> Variable | None:
    """Return the variable that an index expression is, or None."""
    return form[0][0][0] if len(form) == 1 and form[0][1] == 1 and len(form[0][0]) == 1 else None


def _met(algebra: Algebra, bound: Bound, m: Monomial, a: Atom, place: int) -> Polynomial | None:
    """Return the sum if the lead of a matrix stands beside this index of its inverse, and nowhere else."""
    lead = leading(algebra, a)
    if lead is None:
        return None
    row, column = a.bound() if place or a.even else a.bound()[::-1]
    other = a.indices[1 - place]
    rest = {b: f for b, f in m.factors.items() if b != a}
    summed = frozenset({row, *lead.summed})
    for values, left in _Search(algebra, summed, column).matches(
        list(lead.factors), rest, {row: a.indices[place]}
    ):
        inner = {v for w in summed for v in ix.variables(values[w])}
        end = values[column]
        outside = a.inner[0].free.union(ix.variables(other), ix.variables(end), *(b.free for b in left))
        if m.exponent:
            outside |= m.exponent.free
        sizes = all(bound.get(v) == n for w, n in lead.summed.items() for v in ix.variables(values[w]))
        if len(inner) < len(summed) or not sizes or not outside.isdisjoint(inner):
            continue
        far = algebra.delta(ix.minus(other, end))
        if lead.rest.terms:
            k = algebra.fresh(a.sizes[0])
            ends = (other, ix.bare(k)) if place else (ix.bare(k), other)
            beside = algebra.substitute(lead.rest, {row: ix.bare(k), column: end})
            near = algebra.times(moved_to(a, *ends), beside)
            far = minus(far, algebra.closed({k: a.sizes[0]}, near))
        whole = algebra.times(Polynomial({Monomial(m.exponent, left): 1}), far, lead.scale)
        return algebra.closed({v: size for v, size in bound.items() if v not in inner}, whole)
    return None


def moved_to(a: Atom, i: IndexExpr, j: IndexExpr) -> Polynomial:
    """Return another entry of the same inverse."""
    return atom(Atom(a.kind, a.name, tuple(sorted((i, j))) if a.even else (i, j), a.inner, a.sizes))


def leading(algebra: Algebra, a: Atom) -> Lead | None:
    """Return the lead of the matrix of an inverse, over the atom's own row and column, if it has one."""
    if a.inner not in algebra.leads:
        row, column = a.bound()
        groups = _groups(a.inner[0], row, column)
        if any(m.marked and not _on_diagonal(m, row, column) for m in groups):
            groups = {}  # elsewhere an indicator may make the lead of the rest once more
        found = [
            (lead, m.key()) for m in groups if (lead := _lead(algebra, groups, m, (row, column))) is not None
        ]
        best = max(found, key=lambda one: (len(one[0].factors), one[1]), default=None)
        algebra.leads[a.inner] = None if best is None else best[0]
    return algebra.leads[a.inner]


def _on_diagonal(m: Monomial, row: Variable, column: Variable) -> bool:
    """Tell whether the only indicator of a monomial is that of row and column being equal."""
    marks = [a for a in m.factors if a.kind >= Kind.DELTA]
    form = ix.primitive(ix.minus(ix.bare(row), ix.bare(column)))
    return len(marks) == 1 and marks[0].kind is Kind.DELTA and marks[0].indices == (form,)


def _lead(
    algebra: Algebra, groups: Mapping[Monomial, Polynomial], m: Monomial, ends: tuple[Variable, Variable]
) -> Lead | None:
    """Return a monomial of a body as its lead; None if it cannot be one."""
    scale = groups[m]
    factors: Factors = {}
    summed: dict[Variable, IndexExpr] = {}
    for a, e in m.factors.items():
        bound: Bound = {}
        inside = m
        if a.kind is Kind.SUM and e == 1:
            bound, body = algebra.opened(a)
            ((inside, c),) = body.terms.items()
            assert c == 1, "a closed sum has a coefficient"
        if inside.exponent or inside.marked:
            return None
        summed |= bound
        for b, f in inside.factors.items() if bound else ((a, e),):
            factors[b] = factors.get(b, 0) + f
    row, column = ends
    together = _side(Monomial(None, factors), row, row)
    if not any(column in a.free for a in together) or not _divides(algebra, scale):
        return None
    rest = plus(*(algebra.times(Polynomial({n: 1}), groups[n]) for n in groups if n != m))
    return Lead(algebra.power(scale, -1), tuple(factors.items()), summed, rest)


def _divides(algebra: Algebra, scale: Polynomial) -> bool:
    """Tell whether one may divide by a scale: one such as n - 1, made of sizes, is 0 at some size."""
    varies = all(a.kind is not Kind.VALUE for m in scale.terms for a in m.factors)
    return varies or algebra.sign(scale) == 2


@dataclass(frozen=True, slots=True)
class _Search:
    """The search for a lead among the factors of a monomial."""

    algebra: Algebra
    summed: frozenset[Variable]
    """The variables of the lead that stand for summed indices; its column stands for any index."""
    column: Variable

    def matches(
        self, pattern: list[tuple[Atom, Rational]], factors: Factors, values: dict[Variable, IndexExpr]
    ) -> Iterator[tuple[dict[Variable, IndexExpr], Factors]]:
        """Yield each way in which all of a pattern is among the factors, with the factors that are left."""
        if not pattern:
            yield values, factors
            return
        a, e = first = max(pattern, key=lambda part: len(part[0].free & values.keys()))
        rest = [part for part in pattern if part is not first]
        for b, f in list(factors.items()):
            if f != e and not 0 < e < f:
                continue
            left = {c: g for c, g in factors.items() if c != b} | ({b: f - e} if f != e else {})
            for found in self.unified(a, b, values):
                yield from self.matches(rest, left, found)

    def unified(
        self, a: Atom, b: Atom, values: dict[Variable, IndexExpr]
    ) -> Iterator[dict[Variable, IndexExpr]]:
        """Yield the values with which the atom `a` of a pattern is the atom `b`."""
        if (a.kind, a.name, len(a.indices)) != (b.kind, b.name, len(b.indices)):
            return
        own = self.summed | {self.column}
        if any(not p.free.isdisjoint(own) for p in a.inner):
            if a.free & own <= values.keys() and self.algebra.substitute(atom(a), values) == atom(b):
                yield values
            return
        if a.inner != b.inner or a.sizes != b.sizes:
            return
        for indices in dict.fromkeys((b.indices, b.indices[::-1] if a.even else b.indices)):
            found: dict[Variable, IndexExpr] | None = values
            for form, value in zip(a.indices, indices, strict=True):
                found = self.assigned(form, value, found) if found is not None else None
            if found is not None:
                yield found

    def assigned(
        self, form: IndexExpr, value: IndexExpr, values: dict[Variable, IndexExpr]
    ) -> dict[Variable, IndexExpr] | None:
        """Return the values with which an index of a pattern is this one, or None."""
        v = _variable(form)
        if v is not None and v not in values and (v == self.column or v in self.summed):
            free = v == self.column or _variable(value) is not None
            return {**values, v: value} if free else None
        return values if ix.replaced(form, values) == value else None

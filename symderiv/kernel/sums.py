"""Sums and products over indices.

Vocabulary. A sum is *closed* when it stands as an atom with its indices named canonically, *open* while its
indices are ordinary variables. A *component* is a set of summed indices that shared factors connect. To
*fold* is to sum one index of a component alone because the result stands beside it under a negative power.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import partial
from itertools import combinations
from math import comb, floor
from typing import TYPE_CHECKING

from symderiv.kernel import indices as ix
from symderiv.kernel.greatest import chosen_once
from symderiv.kernel.indicators import varies
from symderiv.kernel.indices import IndexExpr, Variable
from symderiv.kernel.labelling import canonical_order, renamed
from symderiv.kernel.orders import leave_room
from symderiv.kernel.polynomial import (
    NOTHING,
    ONE,
    Atom,
    Kind,
    Monomial,
    Polynomial,
    Rational,
    atom,
    minus,
    number,
    plus,
    scaled,
)
from symderiv.kernel.powers import base_of
from symderiv.kernel.terms import NoRule

if TYPE_CHECKING:
    from symderiv.kernel.normal import Algebra


BERNOULLI: tuple[Fraction, ...] = tuple(map(Fraction, ("1", "1/2", "1/6", "0", "-1/30", "0", "1/42")))
"""Bernoulli's numbers."""
POWERS = len(BERNOULLI)
"""Sums of lower powers than this of an index have a closed form."""
GEOMETRIC = 4
"""So have sums of lower powers than this of an index, times the powers of a ratio."""

Bound = Mapping[Variable, IndexExpr]
Substitution = Mapping[Variable, IndexExpr]


def summed(algebra: Algebra, variable: Variable, size: IndexExpr, p: Polynomial) -> Polynomial:
    """Return the sum of `p` over a variable from 1 to `size`, which is at least 1."""
    return algebra.closed({variable: size}, p)


def closed(algebra: Algebra, bound: Bound, p: Polynomial) -> Polynomial:
    """Return the sum of `p` over all of `bound`."""
    if not bound:
        return p
    return plus(*(scaled(_closed(algebra, bound, m), c) for m, c in p.terms.items()))


def opened(
    algebra: Algebra, a: Atom, values: Substitution | None = None
) -> tuple[dict[Variable, IndexExpr], Polynomial]:
    """Return a closed sum's indices, made fresh, and its body over these, with `values` put in."""
    fresh = {v: algebra.fresh(size) for v, size in zip(a.bound(), a.sizes, strict=True)}
    body = algebra.substitute(a.inner[0], {**(values or {}), **{v: ix.bare(w) for v, w in fresh.items()}})
    return dict(zip(fresh.values(), a.sizes, strict=True)), body


def _closed(algebra: Algebra, bound: Bound, m: Monomial) -> Polynomial:
    """Return the sum of a monomial: contract deltas, open the sums in it, split it into components."""
    algebra.spend(1)
    if m.marked:
        contracted = _contracted(algebra, bound, m)
        if contracted is not None:
            return contracted
    for a, e in m.factors.items():
        if a.kind is Kind.SUM and e >= 1 and not a.free.isdisjoint(bound):
            copies = floor(e)
            wider = dict(bound)
            body = algebra.times(
                Polynomial({Monomial(m.exponent, {b: f for b, f in m.factors.items() if b is not a}): 1}),
                atom(a, e - copies) if e != copies else ONE,
            )
            for _ in range(copies):
                inner, part = algebra.opened(a)
                wider |= inner
                body = algebra.times(body, part)
            return algebra.closed(wider, body)
    return _split(algebra, bound, m)


def _contracted(algebra: Algebra, bound: Bound, m: Monomial) -> Polynomial | None:
    """`sum_k delta_(k e) f(k) = 1[1 <= e <= size of k] f(e)`, or None where there is no such delta."""
    best: tuple[tuple[bool, IndexExpr, Variable], Atom, IndexExpr, Polynomial] | None = None
    for a in m.factors:
        if a.kind is not Kind.DELTA:
            continue
        for v in a.free & bound.keys():
            e = ix.solved(a.indices[0], v)
            if e is not None:
                inside = algebra.within(e, bound[v])
                rank = (inside != ONE, bound[v], v)
                if best is None or rank < best[0]:
                    best = (rank, a, e, inside)
    if best is None:
        return None
    (_, _, v), mark, e, inside = best
    rest = Polynomial({Monomial(m.exponent, {b: f for b, f in m.factors.items() if b is not mark}): 1})
    smaller = {w: size for w, size in bound.items() if w != v}
    return algebra.closed(smaller, algebra.times(algebra.substitute(rest, {v: e}), inside))


def _split(algebra: Algebra, bound: Bound, m: Monomial) -> Polynomial:
    """Return the sum of a monomial as a product over its connected components."""
    outside: dict[Atom, Rational] = {}
    outer: dict[Monomial, Rational] = {}
    pieces: list[tuple[frozenset[Variable], Atom | Monomial, Rational]] = []
    for a, e in m.factors.items():
        touched = a.free & bound.keys()
        if touched:
            pieces.append((touched, a, e))
        else:
            outside[a] = e
    for n, c in m.exponent.terms.items() if m.exponent else ():
        touched = n.free & bound.keys()
        if touched:
            pieces.append((touched, n, c))
        else:
            outer[n] = c
    result = Polynomial({Monomial(Polynomial(outer), outside): 1})
    unseen = set(bound)
    for group in _connected(pieces):
        variables = frozenset[Variable]().union(*(touched for touched, _, _ in group))
        unseen -= variables
        factors: dict[Atom, Rational] = {}
        exponent: dict[Monomial, Rational] = {}
        for _, piece, e in group:
            if isinstance(piece, Atom):
                factors[piece] = e
            else:
                exponent[piece] = e
        part = Monomial(Polynomial(exponent), factors)
        result = algebra.times(
            result, _component(algebra, {v: bound[v] for v in bound if v in variables}, part)
        )
    for v in unseen:
        assert bound[v] != ix.EVERYWHERE, "a condition of the range is lost"
        result = algebra.times(result, algebra.value(bound[v]))
    return result


def _component(algebra: Algebra, bound: Bound, m: Monomial) -> Polynomial:
    """Return the sum of a connected monomial: folded where it can be, else closed."""
    count = _counted(algebra, bound, m)
    if count is not None:
        return count
    if m.marked and chosen_once(algebra, bound, m):
        return ONE
    if any(a.kind is Kind.INVERSE for a in m.factors):
        met = algebra.contracted(bound, m)
        if met is not None:
            return met
    folded = _folded(algebra, bound, m)
    if folded is not None:
        return folded
    halves = _halves(algebra, bound, m) if m.marked else None
    if halves is not None:
        return halves
    order = canonical_order(bound, m)
    names: dict[Variable, Variable] = {v: (ix.BOUND, m.height + 1, place) for place, v in enumerate(order)}
    body = renamed(Polynomial({m: 1}), names)
    return algebra.ruled(Atom(Kind.SUM, inner=(body,), sizes=tuple(bound[v] for v in order)))


def _halves(algebra: Algebra, bound: Bound, m: Monomial) -> Polynomial | None:
    """`sum_ij 1[i >= j] f_ij = sum_ij (1 + delta_ij) f_ij / 2` where f is the same with i and j exchanged."""
    for a in m.factors:
        if a.kind is Kind.STEP and len(a.indices[0]) == len(a.free) == len(a.free & bound.keys()) == 2:
            v, w = a.free
            rest = Monomial(m.exponent, {b: e for b, e in m.factors.items() if b is not a})
            even = bound[v] == bound[w] and a.indices[0] in (form := _gap(v, w), ix.scaled(form, -1))
            if even and rest.key({v: w, w: v}) == rest.key():
                both = plus(ONE, algebra.delta(_gap(v, w)))
                return scaled(
                    algebra.closed(bound, algebra.times(Polynomial({rest: 1}), both)), Fraction(1, 2)
                )
    return None


def _gap(v: Variable, w: Variable) -> IndexExpr:
    return ix.minus(ix.bare(v), ix.bare(w))


@dataclass(frozen=True, slots=True)
class _Term:
    """A summand `k^power · ratio^k`, over 1..n where `end` is None, else over what the condition leaves."""

    power: int
    bases: tuple[tuple[Polynomial, Rational], ...]
    """The ratio is the product of these powers, times the exponential of `rate`."""
    rate: Polynomial
    end: IndexExpr | None
    """The last k if `below`, else the first."""
    below: bool


def _counted(algebra: Algebra, bound: Bound, m: Monomial) -> Polynomial | None:
    """`sum_k k^p r^k` over 1..n, or up to or from an expression certainly in range."""
    if len(bound) > 1 or ix.EVERYWHERE in bound.values():
        return None
    ((v, size),) = bound.items()
    term = _term(m, v)
    if term is None or (term.end is not None and not _inside(algebra, term, size)):
        return None
    if not term.bases and not term.rate:
        total = partial(_faulhaber, algebra, term.power)
    elif term.power in range(GEOMETRIC) and _is_apart(algebra, _ratio(algebra, term, ix.constant(1))):
        total = partial(_geometric, algebra, term, term.power)
    else:
        return None
    if term.end is None:
        return total(size)
    if term.below:
        return total(term.end)
    return minus(total(size), total(ix.plus(term.end, ix.constant(-1))))


def _term(m: Monomial, v: Variable) -> _Term | None:
    """Return a monomial as a power of an index times another number to the index; None if it is not."""
    power, bases = 0, list[tuple[Polynomial, Rational]]()
    condition: Atom | None = None
    for a, e in m.factors.items():
        if a.kind is Kind.VALUE and power == 0 and e in range(POWERS):
            power = int(e)
        elif a.kind is Kind.STEP and condition is None:
            condition = a
        elif a.name == "pow" and v not in a.inner[0].free and a.inner[1] == _value_of(v):
            bases.append((a.inner[0], e))
        else:
            return None
    rate = dict[Monomial, Rational]()
    for n, c in m.exponent.terms.items() if m.exponent else ():
        here = Atom(Kind.VALUE, indices=(ix.bare(v),))
        rest = Monomial(n.exponent, {a: e for a, e in n.factors.items() if a != here})
        if n.factors.get(here) != 1 or v in rest.free:
            return None
        rate[rest] = c
    end = None if condition is None else ix.solved(condition.indices[0], v)
    if condition is not None and end is None:
        return None
    below = condition is not None and ((v,), -1) in condition.indices[0]
    return _Term(power, tuple(bases), Polynomial(rate), end, below)


def _value_of(v: Variable) -> Polynomial:
    return atom(Atom(Kind.VALUE, indices=(ix.bare(v),)))


def _inside(algebra: Algebra, term: _Term, size: IndexExpr) -> bool:
    """Tell whether the condition of a term cuts its range at a place that is certainly in it."""
    assert term.end is not None
    last = term.end if term.below else ix.plus(term.end, ix.constant(-1))
    return algebra.certain(last) and algebra.certain(ix.minus(size, last))


def _faulhaber(algebra: Algebra, power: int, n: IndexExpr) -> Polynomial:
    """`1^p + … + n^p = sum_j binomial(p + 1, j) B_j n^(p + 1 - j) / (p + 1)`, B_1 = 1/2, n >= 0."""
    value = algebra.value(n)
    terms = (
        scaled(algebra.power(value, power + 1 - j), Fraction(comb(power + 1, j), power + 1) * b)
        for j, b in enumerate(BERNOULLI[: power + 1])
    )
    return plus(*terms)


def _geometric(algebra: Algebra, term: _Term, power: int, n: IndexExpr) -> Polynomial:
    """`(r - 1) sum_k k^p r^k = n^p r^(n+1) - sum_k (k^p - (k-1)^p) r^k`, and `r^(n+1) - r` for p = 0."""
    ratio = _ratio(algebra, term, ix.constant(1))
    whole = algebra.times(algebra.power(algebra.value(n), power), _ratio(algebra, term, n), ratio)
    lower = (
        scaled(_geometric(algebra, term, j, n), comb(power, j) * (-1) ** (power - j)) for j in range(power)
    )
    above = plus(whole, *lower) if power else minus(whole, ratio)
    return algebra.times(above, algebra.power(minus(ratio, ONE), -1))


def _ratio(algebra: Algebra, term: _Term, n: IndexExpr) -> Polynomial:
    """Return the n-th power of the ratio."""
    value = algebra.value(n)
    bases = (algebra.power(algebra.raised(base, value), e) for base, e in term.bases)
    return algebra.times(algebra.exp(algebra.times(term.rate, value)), *bases)


def _is_apart(algebra: Algebra, ratio: Polynomial) -> bool:
    """Tell whether a ratio is certainly not 1, or, as its entries vary freely, almost nowhere.

    The sum is continuous, so that what it is equal to elsewhere is its value at 1 as well.
    """
    gap = minus(ratio, ONE)
    if 2 in (algebra.sign(gap), algebra.sign(scaled(gap, -1))):
        return True
    return leave_room(algebra.orders) and varies(algebra, gap)


def _folded(algebra: Algebra, bound: Bound, m: Monomial) -> Polynomial | None:
    """Sum some indices alone where the result is a factor under a power below 1, or a hypothesis."""
    nested = [a for a, e in m.factors.items() if a.kind is Kind.SUM and e < 0]
    wanted = {tuple(sorted(a.sizes)) for a in nested}
    patterns = {tuple(sorted(r.pattern.sizes)) for r in algebra.rules if r.pattern.kind is Kind.SUM}
    for shape in sorted(wanted | patterns):
        if len(shape) == len(bound):
            continue
        for chosen in combinations(bound, len(shape)):
            if tuple(sorted(bound[v] for v in chosen)) != shape:
                continue
            inner, rest = _parted(m, frozenset(chosen))
            fired, used = algebra.fired, set(algebra.used)
            total = algebra.closed({v: bound[v] for v in chosen}, Polynomial({inner: 1}))
            if algebra.fired > fired or any(total == atom(a) for a in nested):
                smaller = {v: size for v, size in bound.items() if v not in chosen}
                return algebra.closed(smaller, algebra.times(Polynomial({rest: 1}), total))
            algebra.used = used
    return None


def product(algebra: Algebra, variable: Variable, size: IndexExpr, p: Polynomial) -> Polynomial:
    """Return the product of `p` over a variable from 1 to `size`, which is at least 1."""
    marks = [a for m in p.terms if m.marked for a in m.factors if a.kind >= Kind.DELTA]
    if any(variable not in a.free for a in marks):
        return algebra.lifted_apart(p, variable, lambda q: algebra.product(variable, size, q))
    for a in marks:
        if a.kind is Kind.DELTA:
            return _product_apart(algebra, variable, size, p, a)
        if a.kind is not Kind.STEP:
            return _product_of_absolutes(algebra, variable, size, p, a)
    return _product_where(algebra, variable, size, p, ONE)


def _product_of_absolutes(
    algebra: Algebra, variable: Variable, size: IndexExpr, p: Polynomial, mark: Atom
) -> Polynomial:
    """`prod_k |f_k| = |prod_k f_k|`, `|f| = (2 · 1[f > 0] - 1) f`."""
    off = Polynomial({m: c for m, c in p.terms.items() if mark not in m.factors})
    f = scaled(off, -1)
    if p != algebra.absolute(f) or algebra.positive(f) != atom(mark):
        msg = "a product over a condition"
        raise NoRule(msg)
    return algebra.absolute(algebra.product(variable, size, f))


def _product_where(
    algebra: Algebra, variable: Variable, size: IndexExpr, p: Polynomial, where: Polynomial
) -> Polynomial:
    """Return the product where a condition holds; apart where another one does and where it does not."""
    if not where.terms or p == ONE:
        return ONE
    mark = min(
        (a for m in p.terms if m.marked for a in m.factors if a.kind is Kind.STEP), default=None, key=Atom.key
    )
    if mark is not None:
        on = Polynomial({m: c for m, c in p.terms.items() if mark in m.factors})
        off, here = minus(p, on), algebra.times(where, atom(mark))
        form = ix.minus(ix.constant(-1), mark.indices[0])
        there = minus(where, here) if algebra.strict else algebra.times(where, algebra.step(form))
        return algebra.times(
            _product_where(algebra, variable, size, plus(off, _unmarked(on, mark)), here),
            _product_where(algebra, variable, size, off, there),
        )
    if not p.terms:
        if where is ONE:
            return NOTHING
        msg = "a product of zeros over a condition"
        raise NoRule(msg)
    return _product_of_factors(algebra, variable, size, p, where)


def _unmarked(p: Polynomial, mark: Atom) -> Polynomial:
    """Return p without an indicator that is a factor of all of its terms."""
    return plus(
        *(
            Polynomial({Monomial(m.exponent, {a: e for a, e in m.factors.items() if a != mark}): c})
            for m, c in p.terms.items()
        )
    )


def _product_of_factors(
    algebra: Algebra, variable: Variable, size: IndexExpr, p: Polynomial, where: Polynomial
) -> Polynomial:
    """Return the product where a condition holds; that of a monomial is the product over its factors."""

    def closed(q: Polynomial) -> Polynomial:
        body = q if where is ONE else plus(algebra.times(where, minus(q, ONE)), ONE)
        if any(a.kind is Kind.DELTA for m in where.terms for a in m.factors):
            return algebra.product(variable, size, body)
        return _closed_product(variable, size, body)

    if variable not in p.free:
        return algebra.raised(p, algebra.sum(variable, size, where))
    only = p.single()
    if only is None:
        signed = algebra.sign(p) or algebra.sign(scaled(p, -1))
        common, rest = (ONE, p) if signed else algebra.content(p, whole=True)
        if common is ONE:
            return closed(p)
        return algebra.times(
            *(_product_of_factors(algebra, variable, size, q, where) for q in (common, rest))
        )
    m, c = only
    count = algebra.sum(variable, size, where)
    result = algebra.raised(number(c), count)
    if m.exponent:
        result = algebra.times(
            result, algebra.exp(algebra.sum(variable, size, algebra.times(where, m.exponent)))
        )
    for a, e in m.factors.items():
        if variable not in a.free:
            result = algebra.times(result, algebra.raised(atom(a, e), count))
        elif e == floor(e) or algebra.atom_sign(a) == 2:
            result = algebra.times(result, algebra.power(closed(base_of(a)), e))
        else:
            result = algebra.times(result, closed(atom(a, e)))
    return result


def _product_apart(
    algebra: Algebra, variable: Variable, size: IndexExpr, p: Polynomial, mark: Atom
) -> Polynomial:
    """`prod_k (delta_kj a_k + b_k) = (a_j + b_j) / b_j · prod_k b_k` for j in the range of k."""
    e = ix.solved(mark.indices[0], variable)
    if e is None or algebra.within(e, size) != ONE:
        msg = "a product over a condition"
        raise NoRule(msg)
    on = Polynomial({m: c for m, c in p.terms.items() if mark in m.factors})
    off = Polynomial({m: c for m, c in p.terms.items() if mark not in m.factors})
    there, here = algebra.substitute(off, {variable: e}), algebra.substitute(on, {variable: e})
    return algebra.times(plus(there, here), algebra.power(there, -1), algebra.product(variable, size, off))


def _closed_product(variable: Variable, size: IndexExpr, p: Polynomial) -> Polynomial:
    body = renamed(p, {variable: (ix.BOUND, p.height + 1, 0)})
    return atom(Atom(Kind.PRODUCT, inner=(body,), sizes=(size,)))


def _connected(
    pieces: Iterable[tuple[frozenset[Variable], Atom | Monomial, Rational]],
) -> list[list[tuple[frozenset[Variable], Atom | Monomial, Rational]]]:
    """Return the pieces grouped by shared variables."""
    groups: list[tuple[set[Variable], list[tuple[frozenset[Variable], Atom | Monomial, Rational]]]] = []
    for piece in pieces:
        joined = (set(piece[0]), [piece])
        apart = []
        for group in groups:
            if group[0].isdisjoint(joined[0]):
                apart.append(group)
            else:
                joined = (joined[0] | group[0], group[1] + joined[1])
        groups = [*apart, joined]
    return [members for _, members in groups]


def _parted(m: Monomial, chosen: frozenset[Variable]) -> tuple[Monomial, Monomial]:
    """Return the part of a monomial that has a chosen variable, and the rest."""
    inner: dict[Atom, Rational] = {}
    rest: dict[Atom, Rational] = {}
    for a, e in m.factors.items():
        (rest if a.free.isdisjoint(chosen) else inner)[a] = e
    above: dict[Monomial, Rational] = {}
    beside: dict[Monomial, Rational] = {}
    for n, c in m.exponent.terms.items() if m.exponent else ():
        (beside if n.free.isdisjoint(chosen) else above)[n] = c
    return Monomial(Polynomial(above), inner), Monomial(Polynomial(beside), rest)

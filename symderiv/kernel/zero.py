"""The zero test: whether a polynomial is 0 wherever it is defined, for every size and every index.

Vocabulary. A polynomial is *zero* when nothing is left of it after conditions and their negations are told
apart (see `cases`), after denominators are *cleared*, and after sums over equal ranges are joined: to *join*
is to take one index out of each and to test the summands together. A sample of the values turns most of what
is not zero down before any of this (see `sampling`); it never proves.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from fractions import Fraction
from itertools import chain, islice, product
from math import floor, lcm

from symderiv.kernel import indices as ix
from symderiv.kernel.angles import expanded
from symderiv.kernel.cases import Facts, atoms_of, branches, cleared, replaced, throughout
from symderiv.kernel.determinants import with_others
from symderiv.kernel.exchanges import exchanged
from symderiv.kernel.indicators import varies
from symderiv.kernel.indices import IndexExpr, Variable
from symderiv.kernel.inverses import by_inverses, by_invertible
from symderiv.kernel.normal import Algebra
from symderiv.kernel.polynomial import (
    ONE,
    Atom,
    Kind,
    Monomial,
    Polynomial,
    atom,
    minus,
    number,
    plus,
    scaled,
)
from symderiv.kernel.relations import vanishes
from symderiv.kernel.sampling import nonzero
from symderiv.kernel.shifts import at_large, shifted_places
from symderiv.kernel.terms import NoRule

CHOICES = 200
"""How many ways of joining sums are tried at one level."""
FEW = 64
"""The denominators of at most so many terms are cleared before a sample is taken: it costs less."""
NO_FACTS = Facts()
DEPTH = 4
"""How many sums may be joined inside one another."""
STEP = 50
"""What one zero test costs: one of many cases, or of many ways to join, is no small part of a proof."""
LITERAL = 8
"""Sums over at most so many numbers are written out where nothing else helps."""
ROOTS = 6
"""Higher roots are not compared by their powers, nor roots with as many terms."""
PLACES = 6
"""At how many places sums are anchored at most."""


def is_zero(algebra: Algebra, p: Polynomial, depth: int = DEPTH, facts: Facts = NO_FACTS) -> bool:
    """Tell whether p is known to be 0 wherever it is defined and the facts hold."""
    algebra.spend(STEP)
    outer, algebra.known = algebra.known, facts.steps
    try:
        return _is_zero(algebra, p, depth, facts)
    finally:
        algebra.known = outer


def _is_zero(algebra: Algebra, p: Polynomial, depth: int, facts: Facts) -> bool:
    if len(p.terms) < 2 and not any(m.marked for m in p.terms):
        return not p.terms
    marked = any(m.marked for m in p.terms)
    plain = None if marked or len(p.terms) > FEW else _plain(algebra, p)
    if plain is not None and not plain.terms:
        return True
    if nonzero(p, algebra, facts):
        return False
    if marked:
        parts = branches(algebra, p, facts)
        return all(is_zero(algebra, part, depth, known) for part, known in parts)
    p = _plain(algebra, p) if plain is None else plain
    if len(p.terms) < 2:
        return not p.terms
    if algebra.relations and vanishes(algebra, p):
        return True
    if depth == 0:
        return False
    for rewrite, cost in REWRITES:
        q = rewrite(algebra, p, depth)
        if q is not None:
            return is_zero(algebra, q, depth - cost, facts)
    if by_inverses(algebra, p, depth, facts) or by_invertible(algebra, p, facts):
        return True
    cases = _at_values(algebra, p)
    if cases:
        return all(is_zero(algebra, q, depth - 1, facts) for q in cases)
    ways = chain(
        algebra.exponential(p),
        with_others(algebra, p),
        _without_roots(algebra, p),
        _recentred(algebra, p),
        exchanged(algebra, p),
        _joined(algebra, p),
    )
    return any(is_zero(algebra, q, depth - 1, facts) for q in ways)


def _at_values(algebra: Algebra, p: Polynomial) -> list[Polynomial]:
    """Return p at each value of an entry that has a few, in an exponent or an argument; none without one."""
    if not algebra.values:
        return []
    inside = [q for m in p.terms for a in m.factors if a.kind is Kind.FUNCTION for q in a.inner]
    inside += [m.exponent for m in p.terms if m.exponent]
    found = {a for q in inside for a in atoms_of(q) if a.name in algebra.values and a.kind is Kind.ENTRY}
    a = min((a for a in found if a.free <= p.free), default=None, key=Atom.key)
    cases = [] if a is None else [throughout(algebra, p, a, number(v)) for v in algebra.values[a.name]]
    return [] if p in cases else cases


def _without_roots(algebra: Algebra, p: Polynomial) -> Iterator[Polynomial]:
    """Yield `a^n - b^n` for `a - b`, both certainly at least 0, where a is a term with an n-th root."""
    rooted = [
        (lcm(*roots), m)
        for m in p.terms
        if (roots := {Fraction(e).denominator for a, e in m.factors.items() if a.kind is Kind.BASE})
    ]
    for n, m in sorted(rooted, key=lambda t: t[1].key(), reverse=True)[:1]:
        a = Polynomial({m: p.terms[m]})
        b = minus(a, p)
        for end, other in ((a, b), (scaled(a, -1), scaled(b, -1))):
            if 1 < n <= ROOTS and len(b.terms) < ROOTS and algebra.sign(end) and algebra.sign(other):
                yield minus(algebra.power(end, n), algebra.power(other, n))


def _plain(algebra: Algebra, p: Polynomial) -> Polynomial:
    """Return p, free of indicators, with logarithms taken apart and denominators cleared."""
    for a, logs in algebra.parted(p):
        p = replaced(algebra, p, a, logs)
    return cleared(algebra, p)


def _written_out(algebra: Algebra, p: Polynomial) -> Polynomial | None:
    """Return p with its sums over a few numbers written out; None if there is none."""
    found = False
    for a in sorted({a for m in p.terms for a in m.factors if a.kind is Kind.SUM}, key=Atom.key):
        for place, size in enumerate(a.sizes):
            last = ix.value(size)
            if last is not None and last <= LITERAL:
                parts = (_taken_out(algebra, a, place, ix.constant(n)) for n in range(1, last + 1))
                p, found = replaced(algebra, p, a, plus(*parts)), True
                break
    return p if found else None


def _united(algebra: Algebra, p: Polynomial) -> Polynomial | None:
    """Return p with products of sums over a one-hot name written as one sum; None if there is none."""
    for m, c in p.terms.items() if algebra.one_hot else ():
        sums = {
            a: floor(e)
            for a, e in m.factors.items()
            if a.kind is Kind.SUM and e >= 1 and any(b.name in algebra.one_hot for b in atoms_of(a.inner[0]))
        }
        if sum(sums.values()) > 1:
            left = {a: e - sums.get(a, 0) for a, e in m.factors.items() if e != sums.get(a, 0)}
            rest = Polynomial({Monomial(m.exponent, left): c})
            bound, body = dict[Variable, IndexExpr](), ONE
            for a in (a for a, copies in sums.items() for _ in range(copies)):
                inner, factor = algebra.opened(a)
                bound, body = bound | inner, algebra.times(body, factor)
            return plus(minus(p, Polynomial({m: c})), algebra.times(rest, algebra.closed(bound, body)))
    return None


def _turned(algebra: Algebra, p: Polynomial) -> Polynomial | None:
    """Return p with a product over a part as that over all by that over the rest; None if p has not both."""
    products = sorted({a for m in p.terms for a in m.factors if a.kind is Kind.PRODUCT}, key=Atom.key)
    for a in products if len(products) > 1 else ():
        bound, body = algebra.opened(a)
        ((v, size),) = bound.items()
        marks = {b for m in body.terms for b in m.factors if b.kind is Kind.STEP}
        for mark in marks if len(marks) == 1 else ():
            factor = replaced(algebra, body, mark, ONE)
            rest = algebra.step(ix.minus(ix.constant(-1), mark.indices[0]))
            if varies(algebra, factor) and body == plus(algebra.times(atom(mark), minus(factor, ONE)), ONE):
                try:
                    other = algebra.product(v, size, plus(algebra.times(rest, minus(factor, ONE)), ONE))
                except NoRule:
                    continue  # the end may lie outside of the range
                if any(b in products for m in other.terms for b in m.factors):
                    whole = algebra.product(v, size, factor)
                    return replaced(algebra, p, a, algebra.times(whole, algebra.power(other, -1)))
    return None


def _recentred(algebra: Algebra, p: Polynomial) -> Iterator[Polynomial]:
    """Yield p with its sums written at large, anchored at one place or another, if some entry is shifted."""
    sums = {a for m in p.terms for a, e in m.factors.items() if a.kind is Kind.SUM and e >= 1}
    for place in islice(shifted_places(sums), PLACES):
        q = p
        for a in sorted(sums, key=Atom.key):
            q = replaced(algebra, q, a, at_large(algebra, a, place))
        yield q


def _merged(algebra: Algebra, p: Polynomial, depth: int) -> Polynomial | None:
    """Replace an atom or exponential by another of equal arguments; None if there is none."""
    exponents = sorted({m.exponent for m in p.terms if m.exponent is not None}, key=Polynomial.key)
    for n, e in enumerate(exponents):
        for f in exponents[:n]:
            if _may_agree(algebra, e, f) and is_zero(algebra, minus(e, f), depth - 1):
                return plus(
                    *(
                        Polynomial({Monomial(f if m.exponent == e else m.exponent, m.factors): c})
                        for m, c in p.terms.items()
                    )
                )
    atoms = sorted(
        {a for m in p.terms for a in m.factors if a.inner and a.kind not in (Kind.SUM, Kind.PARTIAL)},
        key=Atom.key,
    )
    for n, a in enumerate(atoms):
        for b in atoms[:n]:
            if (a.kind, a.name, a.indices, a.sizes) != (b.kind, b.name, b.indices, b.sizes):
                continue
            if _may_agree(algebra, *a.inner, *b.inner) and all(
                is_zero(algebra, minus(q, r), depth - 1) for q, r in zip(a.inner, b.inner, strict=True)
            ):
                return replaced(algebra, p, a, b.inner[0] if b.kind is Kind.BASE else atom(b))
    return None


def _may_agree(algebra: Algebra, *polynomials: Polynomial) -> bool:
    """Tell whether some that differ may be equal all the same."""
    return bool(algebra.relations) or any(map(_composite, polynomials))


def _composite(p: Polynomial) -> bool:
    """Tell whether equal values of p may have different normal forms."""
    return any(a.kind >= Kind.UNKNOWN for m in p.terms for a in m.factors) or any(m.exponent for m in p.terms)


def _joined(algebra: Algebra, p: Polynomial) -> Iterator[Polynomial]:
    """Yield summands whose sum over one index is p: one index of each sum is made the common one."""
    sums = {a for m in p.terms for a, e in m.factors.items() if a.kind is Kind.SUM and e >= 1}
    for size in sorted({size for a in sums for size in a.sizes}):
        variable = algebra.fresh(size)
        options: list[list[Polynomial]] = []
        opened: dict[tuple[Atom, int], Polynomial] = {}
        for m, c in sorted(p.terms.items(), key=lambda t: t[0].key()):
            mine: list[Polynomial] = []
            for a, e in sorted(m.factors.items(), key=lambda t: t[0].key()):
                for place, own in enumerate(a.sizes if a.kind is Kind.SUM and e >= 1 else ()):
                    if own == size:
                        if (a, place) not in opened:
                            opened[a, place] = _taken_out(algebra, a, place, ix.bare(variable))
                        less = {b: f - (b == a) for b, f in m.factors.items() if f - (b == a)}
                        rest = Polynomial({Monomial(m.exponent, less): c})
                        mine.append(algebra.times(rest, opened[a, place]))
            if len(mine) > 1:
                mine.append(scaled(plus(*mine), Fraction(1, len(mine))))
            options.append(mine or _spread(algebra, Polynomial({m: c}), variable, size, p.free))
        for choice in islice(product(*options), CHOICES):
            yield plus(*choice)


def _spread(
    algebra: Algebra, p: Polynomial, variable: Variable, size: IndexExpr, free: frozenset[Variable]
) -> list[Polynomial]:
    """Return summands over a variable that add up to p: all alike, or all at a free index, p's own first."""
    order = sorted(free, key=lambda v: (v not in p.free, v))
    places = [ix.bare(v) for v in order if algebra.within(ix.bare(v), size) == ONE]
    factors = [algebra.delta(ix.minus(ix.bare(variable), place)) for place in places]
    if size != ix.EVERYWHERE:
        factors.insert(0, algebra.power(algebra.value(size), -1))
    return [algebra.times(p, factor) for factor in factors]


def _taken_out(algebra: Algebra, a: Atom, place: int, at: IndexExpr) -> Polynomial:
    """Return the summand of a closed sum over one of its indices, at a value of it."""
    bound, body = algebra.opened(a)
    chosen = list(bound)[place]
    inner = algebra.closed({v: size for v, size in bound.items() if v != chosen}, body)
    return algebra.substitute(inner, {chosen: at})


REWRITES: tuple[tuple[Callable[[Algebra, Polynomial, int], Polynomial | None], int], ...] = (
    (lambda algebra, p, _: expanded(algebra, p), 0),
    (_merged, 0),
    (lambda algebra, p, _: _turned(algebra, p), 0),
    (lambda algebra, p, _: _written_out(algebra, p), 1),
    (lambda algebra, p, _: _united(algebra, p), 0),
)
"""What puts a polynomial in terms that are easier to compare, in order, and by how much the depth is less."""

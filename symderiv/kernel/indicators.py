"""Indicators: factors that are 1 where a condition holds, else 0.

Vocabulary. A *delta* is `1[e = 0]` and a *step* `1[e >= 0]` of an index expression; `1[p > 0]` and `1[p = 0]`
are those of values. Deltas substitute: `delta_ij f(i) = delta_ij f(j)`. A function of a polynomial with
indicators is *lifted*: `f(1[c] a + b) = 1[c] f(a + b) + (1 - 1[c]) f(b)`.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import combinations
from typing import TYPE_CHECKING

from symderiv.kernel import indices as ix
from symderiv.kernel.indices import IndexExpr, Variable
from symderiv.kernel.polynomial import (
    NOTHING,
    ONE,
    Atom,
    Kind,
    Monomial,
    Polynomial,
    Rational,
    atom,
    plus,
    scaled,
)
from symderiv.kernel.signs import as_index

if TYPE_CHECKING:
    from symderiv.kernel.normal import Algebra


def delta(algebra: Algebra, difference: IndexExpr) -> Polynomial:
    """`1[difference = 0]`."""
    form = ix.primitive(difference)
    if form is None:
        return NOTHING
    n = ix.value(form)
    if n is not None:
        return NOTHING if n else ONE
    apart = ix.constant(-1)
    if form in algebra.unequal:
        algebra.used.add(algebra.unequal[form])
        return NOTHING
    if ix.at_least_zero(ix.plus(form, apart), algebra.upper) or ix.at_least_zero(
        ix.minus(apart, form), algebra.upper
    ):
        return NOTHING
    return atom(Atom(Kind.DELTA, indices=(form,)))


def step(algebra: Algebra, form: IndexExpr) -> Polynomial:
    """`1[form >= 0]`; a small constant is taken out: `1[l + 1 >= 0] = 1[l >= 0] + 1[l = -1]`."""
    if ix.at_least_zero(form, algebra.upper):
        return ONE
    if ix.at_least_zero(ix.minus(ix.constant(-1), form), algebra.upper):
        return NOTHING
    shift = form[0][1] if not form[0][0] else 0
    if shift == 0 or abs(shift) > 4:
        return atom(Atom(Kind.STEP, indices=(form,)))
    line = form[1:]
    if shift > 0:
        return plus(
            algebra.step(line), *(algebra.delta(ix.plus(line, ix.constant(m))) for m in range(1, shift + 1))
        )
    edges = (scaled(algebra.delta(ix.minus(line, ix.constant(m))), -1) for m in range(-shift))
    return plus(algebra.step(line), *edges)


def within(algebra: Algebra, index: IndexExpr, size: IndexExpr) -> Polynomial:
    """`1[1 <= index <= size]`."""
    if size == ix.EVERYWHERE:
        return ONE
    low = algebra.step(ix.plus(index, ix.constant(-1)))
    return algebra.times(low, algebra.step(ix.minus(size, index)))


def marked(algebra: Algebra, rest: Polynomial, marks: list[Atom]) -> Polynomial:
    """Return `rest` times indicators: deltas substitute, the others absorb and exclude one another."""
    for a, b in combinations([a for a in marks if a.kind is Kind.STEP], 2):
        if not ix.plus(a.indices[0], b.indices[0]):
            others = [c for c in marks if c not in (a, b)]
            return algebra.times(algebra.marked(rest, others), algebra.delta(a.indices[0]))
    solved = _solution([a for a in marks if a.kind is Kind.DELTA])
    if solved is None:
        return NOTHING
    solution, unsolved = solved
    others = [a for a in marks if a.kind is not Kind.DELTA] + unsolved
    again = [a for a in others if not a.free.isdisjoint(solution)]
    if again or not rest.free.isdisjoint(solution):
        rest = algebra.substitute(rest, solution)
        for a in again:
            rest = algebra.times(rest, algebra.moved(a, solution))
        others = [a for a in others if a.free.isdisjoint(solution)]
    deltas: list[Atom] = []
    for v, e in solution.items():
        factor = algebra.delta(ix.minus(ix.bare(v), e)).single()
        if factor is None:
            return NOTHING
        deltas.extend(factor[0].factors)
    kept = _exclusive(algebra, others)
    if kept is None:
        return NOTHING
    return _attached(algebra, rest, [*deltas, *kept])


def _solution(deltas: list[Atom]) -> tuple[dict[Variable, IndexExpr], list[Atom]] | None:
    """Return the substitution that a product of deltas makes, and what cannot be solved; None if it is 0."""
    solution: dict[Variable, IndexExpr] = {}
    unsolved: list[Atom] = []
    for a in sorted(deltas, key=Atom.key):
        form = ix.primitive(ix.replaced(a.indices[0], solution))
        n = None if form is None else ix.value(form)
        if form is None or n:
            return None
        found = eliminated(form)
        if found is not None:
            v, e = found
            solution = {w: ix.replaced(f, {v: e}) for w, f in solution.items()} | {v: e}
        elif n is None:
            unsolved.append(a)
    return solution, unsolved


def _attached(algebra: Algebra, rest: Polynomial, marks: list[Atom]) -> Polynomial:
    """Return `rest` times settled indicators."""
    total = NOTHING
    for m, c in rest.terms.items():
        if m.marked and not set(marks) <= m.factors.keys():
            old = [a for a in m.factors if a.kind >= Kind.DELTA]
            bare = Monomial(m.exponent, {a: e for a, e in m.factors.items() if a.kind < Kind.DELTA})
            part = algebra.marked(Polynomial({bare: c}), list(dict.fromkeys([*old, *marks])))
        else:
            part = Polynomial({Monomial(m.exponent, m.factors | dict.fromkeys(marks, 1)): c})
        total = plus(total, part)
    return total


def _exclusive(algebra: Algebra, marks: list[Atom]) -> list[Atom] | None:
    """Drop indicators that others imply; None when two exclude each other."""
    kept = list(marks)
    for a, b in combinations(marks, 2):
        if a.kind is Kind.STEP and b.kind is Kind.STEP:
            f, g = a.indices[0], b.indices[0]
            if ix.at_least_zero(ix.minus(ix.constant(-1), ix.plus(f, g)), algebra.upper):
                return None
            if ix.at_least_zero(ix.minus(g, f), algebra.upper) and b in kept:
                kept.remove(b)
            elif ix.at_least_zero(ix.minus(f, g), algebra.upper) and a in kept:
                kept.remove(a)
        elif a.kind >= Kind.POSITIVE and b.kind >= Kind.POSITIVE:
            same, opposite = a.inner == b.inner, a.inner[0] == scaled(b.inner[0], -1)
            if opposite or (same and a.kind is not b.kind):
                return None
    return kept


def positive(algebra: Algebra, p: Polynomial) -> Polynomial:
    """`1[p > 0]`."""
    return algebra.lifted(p, lambda q: _positive(algebra, q))


def _positive(algebra: Algebra, p: Polynomial) -> Polynomial:
    n = p.number()
    if n is not None:
        return ONE if n > 0 else NOTHING
    form = as_index(p)
    if form is not None:
        return algebra.step(ix.plus(form, ix.constant(-1)))
    if algebra.sign(p) == 2:
        return ONE
    if algebra.sign(scaled(p, -1)) >= 1:
        return NOTHING
    return atom(Atom(Kind.POSITIVE, inner=(algebra.content(p, whole=False)[1],)))


def vanishing(algebra: Algebra, p: Polynomial) -> Polynomial:
    """`1[p = 0]`; none of it where kinks are excluded and p varies with some entry."""
    return algebra.lifted(p, lambda q: _vanishing(algebra, q))


def _vanishing(algebra: Algebra, p: Polynomial) -> Polynomial:
    n = p.number()
    if n is not None:
        return NOTHING if n else ONE
    form = as_index(p)
    if form is not None:
        return algebra.delta(form)
    if 2 in (algebra.sign(p), algebra.sign(scaled(p, -1))) or (algebra.kinks_excluded and _varies(p)):
        return NOTHING
    p = algebra.content(p, whole=False)[1]
    if max(p.terms.items(), key=lambda t: t[0].key())[1] < 0:
        p = scaled(p, -1)
    return atom(Atom(Kind.VANISHING, inner=(p,)))


def lifted(algebra: Algebra, p: Polynomial, f: Callable[[Polynomial], Polynomial]) -> Polynomial:
    """`f(1[c] a + b) = 1[c] f(a + b) + (1 - 1[c]) f(b)`."""
    marks = {a for m in p.terms if m.marked for a in m.factors if a.kind >= Kind.DELTA}
    if not marks:
        return f(p)
    algebra.spend(1)
    mark = min(marks, key=Atom.key)
    off: dict[Monomial, Rational] = {}
    on: dict[Monomial, Rational] = {}
    for m, c in p.terms.items():
        if mark in m.factors:
            bare = Monomial(m.exponent, {a: e for a, e in m.factors.items() if a != mark})
            on[bare] = on.get(bare, 0) + c
        else:
            off[m] = c
    without = Polynomial(off)
    within = plus(without, Polynomial({m: c for m, c in on.items() if c}))
    if mark.kind is Kind.DELTA:
        found = eliminated(mark.indices[0])
        if found is not None:
            within = algebra.substitute(within, dict([found]))
    indicator = atom(mark)
    outside = algebra.lifted(without, f)
    return plus(
        algebra.times(indicator, algebra.lifted(within, f)),
        outside,
        scaled(algebra.times(indicator, outside), -1),
    )


def lifted_all(
    algebra: Algebra, arguments: tuple[Polynomial, ...], f: Callable[..., Polynomial]
) -> Polynomial:
    """Lift a function of several arguments over the first that has indicators."""
    place = next(n for n, p in enumerate(arguments) if any(m.marked for m in p.terms))
    before, after = arguments[:place], arguments[place + 1 :]
    return algebra.lifted(arguments[place], lambda q: f(*before, q, *after))


def eliminated(form: IndexExpr) -> tuple[Variable, IndexExpr] | None:
    """Return the last variable for which `form = 0` can be solved, with its value."""
    for v in sorted((v for v in ix.variables(form) if v[0] != ix.SIZE), reverse=True):
        e = ix.solved(form, v)
        if e is not None:
            return v, e
    return None


def _varies(p: Polynomial) -> bool:
    """Tell whether p is linear in an entry that occurs in one term only, so that it is 0 almost nowhere."""
    names = [name for m in p.terms for name in _entry_names(m)]
    for m in p.terms:
        if not m.exponent and len(m.factors) == 1:
            ((a, e),) = m.factors.items()
            if a.kind is Kind.ENTRY and e == 1 and names.count(a.name) == 1:
                return True
    return False


def _entry_names(m: Monomial) -> list[str]:
    """Return the names of entries in a monomial, each as often as it is written."""
    found: list[str] = []
    for a in m.factors:
        if a.kind in (Kind.ENTRY, Kind.SYMMETRIC):
            found.append(a.name)
        for p in a.inner:
            found.extend(name for n in p.terms for name in _entry_names(n))
    for n in m.exponent.terms if m.exponent else ():
        found.extend(_entry_names(n))
    return found

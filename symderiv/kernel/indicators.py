"""Indicators: factors that are 1 where a condition holds, else 0.

Vocabulary. A *delta* is `1[e = 0]` and a *step* `1[e >= 0]` of an index expression; `1[p > 0]` and `1[p = 0]`
are those of values. Deltas substitute: `delta_ij f(i) = delta_ij f(j)`. A function of a polynomial with
indicators is *lifted*: `f(1[c] a + b) = 1[c] f(a + b) + (1 - 1[c]) f(b)`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache
from itertools import combinations
from math import floor
from typing import TYPE_CHECKING

from symderiv.kernel import indices as ix
from symderiv.kernel import matrices
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
    minus,
    plus,
    scaled,
)
from symderiv.kernel.signs import as_index

if TYPE_CHECKING:
    from symderiv.kernel.normal import Algebra


def delta(algebra: Algebra, difference: IndexExpr) -> Polynomial:
    """`1[difference = 0]`."""
    asked = (difference, algebra.known)
    made = algebra.deltas.get(asked)
    if made is None:
        made = _delta(algebra, difference)
        if not algebra.unequal:  # else what is used has to be told each time
            algebra.deltas[asked] = made
    return made


def _delta(algebra: Algebra, difference: IndexExpr) -> Polynomial:
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
    if algebra.certain(ix.plus(form, apart)) or algebra.certain(ix.minus(apart, form)):
        return NOTHING
    return atom(Atom(Kind.DELTA, indices=(form,)))


def step(algebra: Algebra, form: IndexExpr) -> Polynomial:
    """`1[form >= 0]`; a small constant is taken out: `1[l + 1 >= 0] = 1[l >= 0] + 1[l = -1]`.

    If the algebra is strict, what is left is `1[l > 0]`, which speaks of no point at which l is 0.
    """
    if algebra.certain(form):
        return ONE
    if algebra.certain(ix.minus(ix.constant(-1), form)):
        return NOTHING
    shift = form[0][1] if not form[0][0] else 0
    last = -1 if algebra.strict else 0
    if shift == last or abs(shift) > 4:
        never_more = not algebra.strict and algebra.certain(ix.scaled(form, -1))
        return algebra.delta(form) if never_more else atom(Atom(Kind.STEP, indices=(form,)))
    line = ix.minus(form, ix.constant(shift))
    points = range(last + 1, shift + 1) if shift > last else range(shift + 1, last + 1)
    edges = (algebra.delta(ix.plus(line, ix.constant(m))) for m in points)
    sign = 1 if shift > last else -1
    return plus(algebra.step(ix.plus(line, ix.constant(last))), *(scaled(edge, sign) for edge in edges))


def within(algebra: Algebra, index: IndexExpr, size: IndexExpr) -> Polynomial:
    """`1[1 <= index <= size]`."""
    if size == ix.EVERYWHERE:
        return ONE
    low = algebra.step(ix.plus(index, ix.constant(-1)))
    return algebra.times(low, algebra.step(ix.minus(size, index)))


def marked(algebra: Algebra, rest: Polynomial, marks: list[Atom]) -> Polynomial:
    """Return `rest` times indicators: deltas substitute, the others absorb and exclude one another."""
    if len(marks) == 1 and marks[0].kind is Kind.DELTA:
        found = eliminated(marks[0].indices[0])
        if found is not None:
            return _at(algebra, rest, *found)
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
        moved = [algebra.moved(a, solution) for a in again]
        if not all(moved):
            return NOTHING  # what it is 0 times need not have a value there
        rest = algebra.times(algebra.substitute(rest, solution), *moved)
        others = [a for a in others if a.free.isdisjoint(solution)]
    deltas: list[Atom] = []
    for v, e in solution.items():
        factor = algebra.delta(ix.minus(ix.bare(v), e)).single()
        if factor is None:
            return NOTHING
        deltas.extend(factor[0].factors)
    possible = _possible(algebra, others, solution)
    kept = None if possible is None else _exclusive(algebra, possible)
    if kept is None:
        return NOTHING
    return _attached(algebra, rest, [*deltas, *kept])


def _at(algebra: Algebra, rest: Polynomial, v: Variable, e: IndexExpr) -> Polynomial:
    """Return `rest` times the indicator that a variable is an index expression."""
    mark = algebra.delta(ix.minus(ix.bare(v), e))
    if not mark.terms:
        return NOTHING
    if v in rest.free:
        rest = algebra.substitute(rest, {v: e})
    return _attached(algebra, rest, [a for m in mark.terms for a in m.factors])


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
        if m.marked and not m.factors.keys() >= set(marks):
            old = [a for a in m.factors if a.kind >= Kind.DELTA]
            bare = Monomial(m.exponent, {a: e for a, e in m.factors.items() if a.kind < Kind.DELTA})
            part = algebra.marked(Polynomial({bare: c}), list(dict.fromkeys([*old, *marks])))
        else:
            part = Polynomial({Monomial(m.exponent, m.factors | dict.fromkeys(marks, 1)): c})
        total = plus(total, part)
    return total


def _possible(
    algebra: Algebra, marks: list[Atom], solution: Mapping[Variable, IndexExpr]
) -> list[Atom] | None:
    """Drop conditions that hold as a variable, equal to an expression, is in its range; None if one fails."""
    kept: list[Atom] = []
    gaps = [gap for v, e in solution.items() for gap in (ix.minus(ix.bare(v), e), ix.minus(e, ix.bare(v)))]
    for a in marks:
        forms = [ix.plus(a.indices[0], gap) for gap in gaps] if a.kind in (Kind.DELTA, Kind.STEP) else []
        if any(algebra.certain(ix.minus(ix.constant(-1), form)) for form in forms):
            return None
        if a.kind is Kind.DELTA and any(algebra.certain(ix.plus(form, ix.constant(-1))) for form in forms):
            return None
        if a.kind is Kind.DELTA or not any(map(algebra.certain, forms)):
            kept.append(a)
    return kept


def _exclusive(algebra: Algebra, marks: list[Atom]) -> list[Atom] | None:
    """Drop indicators that others imply; None when two exclude each other."""
    kept = list(marks)
    for a, b in combinations(marks, 2):
        if a.kind is Kind.STEP and b.kind is Kind.STEP:
            f, g = a.indices[0], b.indices[0]
            if algebra.certain(ix.minus(ix.constant(-1), ix.plus(f, g))):
                return None
            if algebra.certain(ix.minus(g, f)) and b in kept:
                kept.remove(b)
            elif algebra.certain(ix.minus(f, g)) and a in kept:
                kept.remove(a)
        elif a.kind >= Kind.POSITIVE and b.kind >= Kind.POSITIVE:
            same, opposite = a.inner == b.inner, a.inner[0] == scaled(b.inner[0], -1)
            if opposite or (same and a.kind is not b.kind):
                return None
    return kept


def positive(algebra: Algebra, p: Polynomial) -> Polynomial:
    """`1[p > 0]`; almost everywhere `1 - 1[-p > 0]`, of which one is chosen where kinks are excluded."""
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
    p = _odd(algebra, _without_signs(algebra, p))
    exponent = _exponential_gap(p)
    if exponent is not None:
        return algebra.positive(exponent)
    factors = _two_factors(algebra, p)
    if factors is not None:
        first, second = factors
        return plus(
            algebra.times(algebra.positive(first), algebra.positive(second)),
            algebra.times(algebra.positive(scaled(first, -1)), algebra.positive(scaled(second, -1))),
        )
    if algebra.kinks_excluded and _leading(p) < 0 and varies(algebra, p):
        return minus(ONE, atom(Atom(Kind.POSITIVE, inner=(scaled(p, -1),))))
    return atom(Atom(Kind.POSITIVE, inner=(p,)))


def _without_signs(algebra: Algebra, p: Polynomial) -> Polynomial:
    """Return a polynomial of the same sign: p without factors that are certainly positive or negative."""
    p = algebra.content(p, whole=False)[1]
    common, rest = algebra.content(p, whole=True)
    if len(p.terms) > 1 and common.number() is None:
        below, other = scaled(rest, -1), scaled(common, -1)
        for factor, turned in ((rest, common), (below, other), (common, rest), (other, below)):
            if algebra.sign(factor) == 2:
                return turned
    return p


def _leading(p: Polynomial) -> Rational:
    """Return the coefficient by which a polynomial is told from its opposite."""
    return max(p.terms.items(), key=lambda t: t[0].key())[1]


def _odd(algebra: Algebra, p: Polynomial) -> Polynomial:
    """Return a monomial of the same sign as the monomial p, its whole powers 1 or 2; any other p as it is."""
    only = p.single()
    if only is None:
        return p
    m, c = only
    powers = {a: (e if e != floor(e) else 1 if e % 2 else 2 * int(e > 0)) for a, e in m.factors.items()}
    return algebra.times(Polynomial({Monomial(m.exponent, {a: e for a, e in powers.items() if e}): c}))


def _exponential_gap(p: Polynomial) -> Polynomial | None:
    """Return a − b where p is `e^a − e^b`, which has the same sign; None where it is not."""
    if len(p.terms) != 2 or any(m.factors for m in p.terms) or sorted(p.terms.values()) != [-1, 1]:
        return None
    above, below = sorted(p.terms, key=lambda m: -p.terms[m])
    return minus(above.exponent or NOTHING, below.exponent or NOTHING)


def _two_factors(algebra: Algebra, p: Polynomial) -> tuple[Polynomial, Polynomial] | None:
    """Return two factors with the sign of p, if it is a product of two or three whose signs are not known."""
    only = p.single()
    if only is None:
        return None
    m, c = only
    unknown = [a for a in m.factors if algebra.atom_sign(a) != 2]
    if not 2 <= len(unknown) <= 3 or any(e != floor(e) for e in m.factors.values()):
        return None
    first = min(unknown, key=Atom.key)
    rest = {a: e for a, e in m.factors.items() if a is not first}
    return atom(first, m.factors[first]), Polynomial({Monomial(None, rest): c})


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
    if 2 in (algebra.sign(p), algebra.sign(scaled(p, -1))):
        return NOTHING
    if algebra.kinks_excluded:
        same = difference(algebra, p)
        if same is not None:
            return same
        if varies(algebra, p):
            return NOTHING
    p = algebra.content(p, whole=False)[1]
    if _leading(p) < 0:
        p = scaled(p, -1)
    return atom(Atom(Kind.VANISHING, inner=(p,)))


def lifted(algebra: Algebra, p: Polynomial, f: Callable[[Polynomial], Polynomial]) -> Polynomial:
    """`f(1[c] a + b) = 1[c] f(a + b) + (1 - 1[c]) f(b)`."""
    return lifted_apart(algebra, p, None, f)


def lifted_apart(
    algebra: Algebra, p: Polynomial, bound: Variable | None, f: Callable[[Polynomial], Polynomial]
) -> Polynomial:
    """Lift a function that binds a variable over the indicators that do not depend on it."""
    marks = {
        a for m in p.terms if m.marked for a in m.factors if a.kind >= Kind.DELTA and bound not in a.free
    }
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
    outside = algebra.lifted_apart(without, bound, f)
    return plus(
        algebra.times(indicator, algebra.lifted_apart(within, bound, f)),
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


@lru_cache(maxsize=4096)
def eliminated(form: IndexExpr) -> tuple[Variable, IndexExpr] | None:
    """Return the last variable for which `form = 0` can be solved, with its value."""
    for v in sorted((v for v in ix.variables(form) if v[0] != ix.SIZE), reverse=True):
        e = ix.solved(form, v)
        if e is not None:
            return v, e
    return None


def varies(algebra: Algebra, p: Polynomial) -> bool:
    """Tell whether p is certainly 0 almost nowhere.

    It is where a name, bound by no hypothesis, stands once in it, in a term that is not always 0: the term
    grows with the entries of that name, the rest does not. A name of a finite set is no such name, nor is one
    that is compared with an index: `w_t = v` tells that w has whole numbers.
    """
    if any(
        a.kind is Kind.VALUE and any(v[0] != ix.SIZE for i in a.indices for v in ix.variables(i))
        for m in p.terms
        for a in m.factors
    ):
        return False
    if _regular(algebra, p) or _apart(algebra, p):
        return True
    names = [name for m in p.terms for name in _entry_names(m)]
    bound = _hypothetical(algebra)
    return any(
        _alive(algebra, m) and any(names.count(name) == 1 and name not in bound for name in _entry_names(m))
        for m in p.terms
    )


def _hypothetical(algebra: Algebra) -> set[str]:
    """Return the names whose entries are not free: those of equations and of sets that are no intervals."""
    patterns = (Monomial(None, {rule.pattern: 1}) for rule in algebra.rules)
    return set(algebra.values).union(algebra.bound, *map(_entry_names, patterns))


def _alive(algebra: Algebra, m: Monomial) -> bool:
    """Tell whether a monomial is certainly not 0 where all of its free entries are 1."""
    return all(_alive_atom(algebra, a) for a in m.factors)


def _alive_atom(algebra: Algebra, a: Atom) -> bool:
    if a.kind in (Kind.ENTRY, Kind.SYMMETRIC):
        return 0 not in algebra.values.get(a.name, ())
    if a.kind is not Kind.SUM or algebra.atom_sign(a) == 2:
        return algebra.atom_sign(a) == 2
    names = [name for m in a.inner[0].terms for name in _entry_names(m)]
    return (
        not set(names) <= algebra.values.keys()
        and all(map(algebra.inhabited, a.sizes))
        and _all_alive(algebra, a.inner[0])
    )


def _all_alive(algebra: Algebra, p: Polynomial) -> bool:
    return all(c > 0 and _alive(algebra, m) for m, c in p.terms.items())


def _apart(algebra: Algebra, p: Polynomial) -> bool:
    """Tell whether p is a polynomial in free entries, and certainly not 0 where all of these are."""
    if algebra.rules or any(name in algebra.bound for m in p.terms for name in _entry_names(m)):
        return False
    rest = Polynomial({m: c for m, c in p.terms.items() if set(_entry_names(m)) <= algebra.values.keys()})
    if 2 not in (algebra.sign(rest) if rest.terms else 0, algebra.sign(scaled(rest, -1))):
        return False
    return all(_whole(m) for m in p.terms if m not in rest.terms)


def _whole(m: Monomial) -> bool:
    """Tell whether a monomial is one in entries, numbers, conditions on indices and sums of such."""
    for a, e in m.factors.items():
        if e < 0 or e != floor(e):
            return False
        if a.kind is Kind.SUM:
            if not all(map(_whole, a.inner[0].terms)):
                return False
        elif a.kind not in (Kind.VALUE, Kind.CONSTANT, Kind.ENTRY, Kind.SYMMETRIC, Kind.DELTA, Kind.STEP):
            return False
    return not m.exponent


def difference(algebra: Algebra, p: Polynomial) -> Polynomial | None:
    """Return `1[i = k] 1[j = l]` for `p = c x_ij - c x_kl`, 0 almost nowhere but there, else None."""
    if len(p.terms) != 2 or sum(p.terms.values()) != 0:
        return None
    factors = [m.factors for m in p.terms if not m.exponent]
    entries = [a for f in factors for a, e in f.items() if len(f) == e == 1 and a.kind is Kind.ENTRY]
    if len(entries) != 2 or entries[0].name != entries[1].name or entries[0].name in _hypothetical(algebra):
        return None
    pairs = zip(entries[0].indices, entries[1].indices, strict=True)
    return algebra.times(*(algebra.delta(ix.minus(i, j)) for i, j in pairs))


def _regular(algebra: Algebra, p: Polynomial) -> bool:
    """Tell whether p is the determinant of a matrix whose entries are free."""
    only = p.single()
    if only is None or only[0].exponent or [a.kind for a in only[0].factors] != [Kind.DETERMINANT]:
        return False
    return all(matrices.of_name(a) not in _hypothetical(algebra) | {""} for a in only[0].factors)


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

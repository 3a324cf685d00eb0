"""Cases: a polynomial with indicators is 0 when it is 0 wherever each of them is 0 and wherever it is 1.

Vocabulary. A *branch* fixes one indicator; what it takes for granted is a *fact*: an index expression that is
at least 0, or the sign of a polynomial. A branch whose facts *exclude* one another holds nowhere, and need
not close. Facts are held against one another as linear inequalities, every product of atoms a variable of
its own, by Fourier's and Motzkin's elimination: what it excludes is excluded, what it does not see is tried.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import TYPE_CHECKING

from symderiv.kernel import indices as ix
from symderiv.kernel.indicators import difference, eliminated, varies
from symderiv.kernel.indices import IndexExpr
from symderiv.kernel.polynomial import (
    NOTHING,
    ONE,
    UNIT,
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
from symderiv.kernel.terms import TooLarge, Undefined

if TYPE_CHECKING:
    from symderiv.kernel.normal import Algebra

INEQUALITIES = 80
"""Facts are no longer compared when their consequences are more than this."""

_MADE = frozenset({Kind.BASE, Kind.UNKNOWN, Kind.FUNCTION, Kind.POSITIVE, Kind.VANISHING})
"""The kinds of atoms that are functions of polynomials."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What a branch takes for granted: forms that are >= 0, polynomials with their signs 1, 0 or -1."""

    steps: tuple[IndexExpr, ...] = ()
    signs: tuple[tuple[Polynomial, int], ...] = ()

    def __bool__(self) -> bool:
        """Tell whether there is any."""
        return bool(self.steps or self.signs)


def branches(algebra: Algebra, p: Polynomial, facts: Facts) -> Iterator[tuple[Polynomial, Facts]]:
    """Yield p, free of one of its indicators, in every case that the facts do not exclude."""
    algebra.spend(len(p.terms))
    p = _complemented(algebra, p)
    mark = max(_marks(p), key=lambda a: (a.kind, a.key()), default=None)
    if mark is None:
        yield p, facts
    elif mark.kind is Kind.DELTA:
        yield _without(p, mark), facts
        case = _equal(algebra, p, mark, facts)
        if not excluded(algebra, case[1]):
            yield case
    elif mark.kind is Kind.STEP:
        form = mark.indices[0]
        for q, known in (
            (_without(p, mark), ix.minus(ix.constant(-1), form)),
            (replaced(algebra, p, mark, ONE), form),
        ):
            there = replace(facts, steps=(*facts.steps, known))
            if not excluded(algebra, there):
                yield renewed(algebra, q, there), there
    else:
        yield from _by_sign(algebra, p, mark.inner[0], facts)


def _equal(algebra: Algebra, p: Polynomial, mark: Atom, facts: Facts) -> tuple[Polynomial, Facts]:
    """Return p and the facts where the indices of a delta are equal."""
    on = replaced(algebra, p, mark, ONE)
    found = eliminated(mark.indices[0])
    if found is None:
        return on, facts
    values = dict([found])
    signs = tuple((algebra.substitute(q, values), s) for q, s in facts.signs)
    steps = tuple(ix.replaced(form, values) for form in facts.steps)
    return algebra.substitute(on, values), Facts(steps, signs)


def _by_sign(
    algebra: Algebra, p: Polynomial, q: Polynomial, facts: Facts
) -> Iterator[tuple[Polynomial, Facts]]:
    """Yield p where q is positive, negative and, unless that is almost nowhere, 0."""
    opposite = scaled(q, -1)
    apart = difference(algebra, q) if algebra.kinks_excluded else None
    for sign in (1, -1, 0):
        if sign == 0 and algebra.kinks_excluded and varies(algebra, q):
            continue
        there = replace(facts, signs=(*facts.signs, (q, sign)))
        if excluded(algebra, there):
            continue
        here = p
        for a in _marks(p):
            if a.kind is Kind.POSITIVE and a.inner[0] in (q, opposite):
                here = replaced(algebra, here, a, ONE if sign == (1 if a.inner[0] == q else -1) else NOTHING)
            elif a.kind is Kind.VANISHING and a.inner[0] in (q, opposite):
                here = replaced(algebra, here, a, NOTHING if sign else ONE)
        if sign == 0 and apart is not None:
            yield algebra.times(here, apart), facts
        else:
            yield (here if sign else _at_zero(algebra, here, q)), there


def _marks(p: Polynomial) -> set[Atom]:
    return {a for m in p.terms if m.marked for a in m.factors if a.kind >= Kind.DELTA}


def _without(p: Polynomial, mark: Atom) -> Polynomial:
    return Polynomial({m: c for m, c in p.terms.items() if mark not in m.factors})


def _complemented(algebra: Algebra, p: Polynomial) -> Polynomial:
    """Join conditions on indices and their negations: `1[not c] = 1 - 1[c]`."""
    marks = {a for a in _marks(p) if a.kind is Kind.STEP}
    for a in sorted(marks, key=Atom.key):
        negation = algebra.step(ix.minus(ix.constant(-1), a.indices[0]))
        opposite = {b for m in negation.terms for b in m.factors if b.kind is Kind.STEP}
        if any(b in marks and b.key() < a.key() for b in opposite):
            p = replaced(algebra, p, a, minus(ONE, negation))
    return p


def renewed(algebra: Algebra, p: Polynomial, facts: Facts) -> Polynomial:
    """Return p with every condition on indices that the facts settle replaced, to any depth."""
    outer, algebra.known = algebra.known, facts.steps
    try:
        return plus(*(_renewed(algebra, m, c) for m, c in p.terms.items()))
    finally:
        algebra.known = outer


def _renewed(algebra: Algebra, m: Monomial, c: Rational) -> Polynomial:
    stale = [a for a in m.factors if a.kind is Kind.STEP or (a.kind is Kind.SUM and _conditional(a))]
    rest = Polynomial({Monomial(m.exponent, {a: e for a, e in m.factors.items() if a not in stale}): c})
    return algebra.times(rest, *(algebra.power(algebra.moved_anew(a), m.factors[a]) for a in stale))


def _conditional(a: Atom) -> bool:
    """Tell whether the body of a closed sum has a condition on indices that reaches out of it."""
    return any(b.kind is Kind.STEP and b.free for m in a.inner[0].terms for b in m.factors)


def replaced(algebra: Algebra, p: Polynomial, a: Atom, by: Polynomial) -> Polynomial:
    """Return p with an atom replaced where it is a factor."""
    parts = []
    for m, c in p.terms.items():
        if a not in m.factors:
            parts.append(Polynomial({m: c}))
        else:
            rest = Polynomial({Monomial(m.exponent, {b: e for b, e in m.factors.items() if b != a}): c})
            parts.append(algebra.times(rest, algebra.power(by, m.factors[a])))
    return plus(*parts)


def cleared(algebra: Algebra, p: Polynomial) -> Polynomial:
    """Return p times the powers of bases that stand in its denominators."""
    for _ in range(100):
        bases = {a for m in p.terms for a, e in m.factors.items() if a.kind is Kind.BASE and e < 0}
        if not bases:
            return p
        p = algebra.cleared(p, max(bases, key=lambda a: (a.height, a.key())))
    msg = "too many denominators"
    raise TooLarge(msg)


def _at_zero(algebra: Algebra, p: Polynomial, zero: Polynomial) -> Polynomial:
    """Return p where a polynomial is 0: an atom of it is put in terms of others, or p is a multiple of it.

    Where that divides by 0, p stays: the rules of powers may have put the division there.
    """
    try:
        return _solved_at_zero(algebra, p, zero)
    except Undefined:
        return p


def _solved_at_zero(algebra: Algebra, p: Polynomial, zero: Polynomial) -> Polynomial:
    solution = _linear(zero)
    if solution is not None:
        return _throughout(algebra, p, *solution)
    if any(m.marked for m in p.terms):
        return p
    p = cleared(algebra, p)
    (n, d), *_ = zero.terms.items()
    inverse = algebra.power(Polynomial({n: d}), -1)
    for m, c in p.terms.items():
        if algebra.times(Polynomial({m: c}), inverse, zero) == p:
            return NOTHING
    return p


def _throughout(algebra: Algebra, p: Polynomial, a: Atom, by: Polynomial) -> Polynomial:
    """Return p with an atom replaced wherever it stands outside sums, arguments and exponents included."""
    if a not in atoms_of(p):
        return p
    parts = []
    for m, c in p.terms.items():
        factors = [algebra.power(_at(algebra, b, a, by), e) for b, e in m.factors.items()]
        if m.exponent:
            factors.append(algebra.exp(_throughout(algebra, m.exponent, a, by)))
        parts.append(scaled(algebra.times(*factors), c))
    return plus(*parts)


def _at(algebra: Algebra, b: Atom, a: Atom, by: Polynomial) -> Polynomial:
    """Return an atom b as a polynomial, another atom replaced in it."""
    if b == a:
        return by
    if b.kind in _MADE:
        return algebra.rebuilt(b, tuple(_throughout(algebra, q, a, by) for q in b.inner))
    return atom(b)


def _linear(p: Polynomial) -> tuple[Atom, Polynomial] | None:
    """Return an atom, in one term only and there alone, and the value at which p is 0."""
    for m, c in sorted(p.terms.items(), key=lambda t: t[0].key()):
        if not m.exponent and len(m.factors) == 1:
            ((a, e),) = m.factors.items()
            rest = minus(p, Polynomial({m: c}))
            if e == 1 and a not in atoms_of(rest):
                return a, scaled(rest, -1 / Fraction(c))
    return None


def atoms_of(p: Polynomial) -> set[Atom]:
    """Return the atoms of a polynomial, to any depth."""
    found: set[Atom] = set()
    for m in p.terms:
        for a in m.factors:
            found.add(a)
            for q in a.inner:
                found |= atoms_of(q)
        if m.exponent:
            found |= atoms_of(m.exponent)
    return found


# -- facts that exclude one another

Inequality = tuple[dict[object, Fraction], bool]
"""A linear form, its constant under `None`, that is > 0 if strict, else >= 0."""


def excluded(algebra: Algebra, facts: Facts) -> bool:
    """Tell whether the facts certainly hold nowhere together."""
    return _contradictory(_of_signs(algebra, facts)) or _contradictory(_of_steps(algebra, facts))


def _of_signs(algebra: Algebra, facts: Facts) -> list[Inequality]:
    found: list[Inequality] = []
    for p, sign in facts.signs:
        form: dict[object, Fraction] = {None if m == UNIT else m: Fraction(c) for m, c in p.terms.items()}
        opposite = {m: -c for m, c in form.items()}
        found.extend([(form if sign > 0 else opposite, True)] if sign else [(form, False), (opposite, False)])
    for m in {m for p, _ in facts.signs for m in p.terms if m != UNIT}:
        known = algebra.sign(Polynomial({m: 1}))
        if known:
            found.append(({m: Fraction(1)}, known == 2))
    return found


def _of_steps(algebra: Algebra, facts: Facts) -> list[Inequality]:
    found = [(_linear_form(form), False) for form in facts.steps] if facts.steps else []
    variables = {v for form in facts.steps for v in ix.variables(form)}
    for v in sorted(variables):
        bounds = algebra.upper.get(v, ())
        variables = variables.union(*(ix.variables(bound) for bound in bounds))
        found.extend((_linear_form(ix.minus(bound, ix.bare(v))), False) for bound in bounds)
    found.extend(
        ({(v,): Fraction(1), None: Fraction(-1)}, False) for v in sorted(variables) if v[0] != ix.WHOLE
    )
    return found


def _linear_form(form: IndexExpr) -> dict[object, Fraction]:
    return {product or None: Fraction(c) for product, c in form}


def _contradictory(inequalities: list[Inequality]) -> bool:
    """Tell whether no numbers satisfy all of the inequalities, by eliminating one variable after another."""
    while True:
        if any(not _possible(form, strict=strict) for form, strict in inequalities):
            return True
        variables = {v for form, _ in inequalities for v in form if v is not None}
        if not variables:
            return False
        v = min(variables, key=lambda v: sum(v in form for form, _ in inequalities))
        above = [i for i in inequalities if i[0].get(v, 0) > 0]
        below = [i for i in inequalities if i[0].get(v, 0) < 0]
        kept = [i for i in inequalities if v not in i[0]]
        if len(kept) + len(above) * len(below) > INEQUALITIES:
            return False
        inequalities = kept + [_joined(v, a, b) for a in above for b in below]


def _possible(form: Mapping[object, Fraction], *, strict: bool) -> bool:
    if any(v is not None for v in form):
        return True
    return form.get(None, 0) > 0 or (not strict and form.get(None, 0) == 0)


def _joined(v: object, a: Inequality, b: Inequality) -> Inequality:
    """Return the sum of multiples of two inequalities in which v is gone."""
    s, t = -b[0][v], a[0][v]
    keys = (a[0].keys() | b[0].keys()) - {v}
    form = {u: c for u in keys if (c := s * a[0].get(u, 0) + t * b[0].get(u, 0))}
    return form, a[1] or b[1]

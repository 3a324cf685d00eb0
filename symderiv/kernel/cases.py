"""Cases: a polynomial with indicators is 0 when it is 0 wherever each of them is 0 and wherever it is 1.

Vocabulary. A *branch* fixes one indicator; what it takes for granted is a *fact*: an index expression that is
at least 0, or the sign of a polynomial. A branch whose facts *exclude* one another holds nowhere, and need
not close. Facts are held against one another as inequalities (see `orders`), with what the page supposes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import TYPE_CHECKING

from symderiv.kernel import indices as ix
from symderiv.kernel.indicators import difference, eliminated, varies
from symderiv.kernel.indices import IndexExpr, Variable
from symderiv.kernel.orders import Inequality, contradictory, instances, linear, monomials
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
from symderiv.kernel.terms import Undefined

if TYPE_CHECKING:
    from symderiv.kernel.normal import Algebra

_MADE = frozenset({Kind.BASE, Kind.UNKNOWN, Kind.FUNCTION, Kind.POSITIVE, Kind.VANISHING})
"""The kinds of atoms that are functions of polynomials."""

_PLAIN = frozenset({Kind.VALUE, Kind.ENTRY, Kind.SYMMETRIC, Kind.DELTA, Kind.STEP})
"""The kinds of atoms that are made of index expressions alone."""


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
        yield from _by_equality(algebra, p, mark, facts)
    elif mark.kind is Kind.STEP:
        form = mark.indices[0]
        on = replaced(algebra, p, mark, ONE)
        yield from _where(algebra, _without(p, mark), facts, ix.minus(ix.constant(-1), form))
        yield from _where(algebra, on, facts, form)
    else:
        yield from _by_sign(algebra, p, mark.inner[0], facts)


def _where(
    algebra: Algebra, p: Polynomial, facts: Facts, *forms: IndexExpr
) -> Iterator[tuple[Polynomial, Facts]]:
    """Yield p where forms are >= 0 too, unless the facts exclude that."""
    there = replace(facts, steps=(*facts.steps, *forms))
    if not excluded(algebra, there):
        yield renewed(algebra, p, there), there


def _by_equality(
    algebra: Algebra, p: Polynomial, mark: Atom, facts: Facts
) -> Iterator[tuple[Polynomial, Facts]]:
    """Yield p where an index expression is 0 and where it is not; less and greater apart where that tells."""
    form = mark.indices[0]
    off, on = _without(p, mark), replaced(algebra, p, mark, ONE)
    if facts.steps or any(map(_conditional, atoms_of(off))):
        for way in (form, ix.scaled(form, -1)):
            yield from _where(algebra, off, facts, ix.plus(way, ix.constant(-1)))
    else:
        yield off, facts
    found = eliminated(form)
    for q, there in _where(algebra, on, facts, form, ix.scaled(form, -1)):
        if found is None:
            yield _resized(algebra, q, form), there
        else:
            values = dict([found])
            signs = tuple((algebra.substitute(r, values), s) for r, s in facts.signs)
            steps = tuple(ix.replaced(each, values) for each in facts.steps)
            known = Facts(steps, signs)
            if not excluded(algebra, known):
                yield algebra.substitute(q, values), known


def _resized(algebra: Algebra, p: Polynomial, form: IndexExpr) -> Polynomial:
    """Return p where an equation between sizes holds: one of them is put in terms of the others."""
    for size in sorted(ix.variables(form), reverse=True):
        value = ix.solved(form, size)
        if size[0] == ix.SIZE and value is not None:
            return _with_size(algebra, p, {size: value})
    return p


def _with_size(algebra: Algebra, p: Polynomial, values: Mapping[Variable, IndexExpr]) -> Polynomial:
    parts = []
    for m, c in p.terms.items():
        factors = [algebra.power(_atom_with_size(algebra, a, values), e) for a, e in m.factors.items()]
        if m.exponent:
            factors.append(algebra.exp(_with_size(algebra, m.exponent, values)))
        parts.append(scaled(algebra.times(*factors), c))
    return plus(*parts)


def _atom_with_size(algebra: Algebra, a: Atom, values: Mapping[Variable, IndexExpr]) -> Polynomial:
    if a.kind is Kind.SUM:
        fresh = {
            v: algebra.fresh(ix.replaced(size, values)) for v, size in zip(a.bound(), a.sizes, strict=True)
        }
        body = algebra.substitute(a.inner[0], {v: ix.bare(w) for v, w in fresh.items()})
        sizes = (ix.replaced(size, values) for size in a.sizes)
        return algebra.closed(
            dict(zip(fresh.values(), sizes, strict=True)), _with_size(algebra, body, values)
        )
    if a.kind in _MADE:
        return algebra.rebuilt(a, tuple(_with_size(algebra, q, values) for q in a.inner))
    if a.kind in _PLAIN:
        return algebra.moved_anew(Atom(a.kind, a.name, tuple(ix.replaced(i, values) for i in a.indices)))
    return atom(a)


def _by_sign(
    algebra: Algebra, p: Polynomial, q: Polynomial, facts: Facts
) -> Iterator[tuple[Polynomial, Facts]]:
    """Yield p where q is positive, negative and, unless that is almost nowhere, 0."""
    apart = difference(algebra, q) if algebra.kinks_excluded else None
    for sign in (1, -1, 0):
        if sign == 0 and algebra.kinks_excluded and varies(algebra, q):
            continue
        there = replace(facts, signs=(*facts.signs, (q, sign)))
        if excluded(algebra, there):
            continue
        here = _decided(algebra, p, q, sign)
        if _undefined(here, q, sign):
            continue
        if sign == 0 and apart is not None:
            yield algebra.times(here, apart), facts
        else:
            yield (here if sign else _at_zero(algebra, here, q)), there


def _undefined(p: Polynomial, q: Polynomial, sign: int) -> bool:
    """Tell whether p has the logarithm of what is not positive in this case, so that nothing is claimed."""
    outside = {q: sign != 1, scaled(q, -1): sign != -1}
    logs = (a for m in p.terms if not m.marked for a in m.factors if a.kind is Kind.FUNCTION)
    return any(a.name == "log" and outside.get(a.inner[0], False) for a in logs)


def _decided(algebra: Algebra, p: Polynomial, q: Polynomial, sign: int) -> Polynomial:
    """Return p where q has this sign: what compares q with 0 is settled."""
    opposite = scaled(q, -1)
    here = p
    for a in _marks(p):
        if a.kind is Kind.POSITIVE and a.inner[0] in (q, opposite):
            here = replaced(algebra, here, a, ONE if sign == (1 if a.inner[0] == q else -1) else NOTHING)
        elif a.kind is Kind.VANISHING and a.inner[0] in (q, opposite):
            here = replaced(algebra, here, a, NOTHING if sign else ONE)
    return here


def _marks(p: Polynomial) -> set[Atom]:
    return {a for m in p.terms if m.marked for a in m.factors if a.kind >= Kind.DELTA}


def _without(p: Polynomial, mark: Atom) -> Polynomial:
    return Polynomial({m: c for m, c in p.terms.items() if mark not in m.factors})


def _complemented(algebra: Algebra, p: Polynomial) -> Polynomial:
    """Join conditions on indices and their negations: `1[not c] = 1 - 1[c]`."""
    if algebra.strict:
        return p  # the negation would speak of the point between
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
    stale = [a for a in m.factors if a.kind is Kind.STEP or _conditional(a)]
    rest = Polynomial({Monomial(m.exponent, {a: e for a, e in m.factors.items() if a not in stale}): c})
    return algebra.times(rest, *(algebra.power(algebra.moved_anew(a), m.factors[a]) for a in stale))


def _conditional(a: Atom) -> bool:
    """Tell whether an atom is a closed sum with a condition on indices that reaches out of it."""
    return a.kind is Kind.SUM and any(
        b.kind is Kind.STEP and b.free for m in a.inner[0].terms for b in m.factors
    )


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
    while True:
        bases = {a for m in p.terms for a, e in m.factors.items() if a.kind is Kind.BASE and e < 0}
        if not bases:
            return p
        algebra.spend(len(p.terms))
        p = algebra.cleared(p, max(bases, key=lambda a: (a.height, a.key())))


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
        return throughout(algebra, p, *solution)
    if any(m.marked for m in p.terms):
        return p
    p = cleared(algebra, p)
    (n, d), *_ = zero.terms.items()
    inverse = algebra.power(Polynomial({n: d}), -1)
    for m, c in p.terms.items():
        factor = algebra.times(Polynomial({m: c}), inverse)
        if _divides_no_further(algebra, factor, p) and algebra.times(factor, zero) == p:
            return NOTHING
    return p


def _divides_no_further(algebra: Algebra, factor: Polynomial, p: Polynomial) -> bool:
    """Tell whether a factor is defined wherever p is: 1 = zero / zero makes no 1 a multiple of zero."""
    return all(
        e > 0 or algebra.atom_sign(a) == 2 or any(n.factors.get(a, 0) <= e for n in p.terms)
        for m in factor.terms
        for a, e in m.factors.items()
    )


def throughout(algebra: Algebra, p: Polynomial, a: Atom, by: Polynomial) -> Polynomial:
    """Return p with an atom replaced wherever it stands outside sums, arguments and exponents included."""
    if a not in atoms_of(p):
        return p
    parts = []
    for m, c in p.terms.items():
        factors = [algebra.power(_at(algebra, b, a, by), e) for b, e in m.factors.items()]
        if m.exponent:
            factors.append(algebra.exp(throughout(algebra, m.exponent, a, by)))
        parts.append(scaled(algebra.times(*factors), c))
    return plus(*parts)


def _at(algebra: Algebra, b: Atom, a: Atom, by: Polynomial) -> Polynomial:
    """Return an atom b as a polynomial, another atom replaced in it."""
    if b == a:
        return by
    if b.kind in _MADE:
        return algebra.rebuilt(b, tuple(throughout(algebra, q, a, by) for q in b.inner))
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


def excluded(algebra: Algebra, facts: Facts) -> bool:
    """Tell whether the facts certainly hold nowhere together, or nowhere where the page speaks."""
    signs = _of_signs(algebra, facts)
    if contradictory(signs) or contradictory(_of_steps(algebra, facts)):
        return True
    supposed = _supposed(algebra, facts)
    if supposed and contradictory(signs + supposed):
        algebra.used |= {order.source for order in algebra.orders}
        return True
    return False


def _of_signs(algebra: Algebra, facts: Facts) -> list[Inequality]:
    found: list[Inequality] = []
    for p, sign in facts.signs:
        form, opposite = linear(p), linear(scaled(p, -1))
        found.extend([(form if sign > 0 else opposite, True)] if sign else [(form, False), (opposite, False)])
        if algebra.sign(p):
            found.append((form, False))
    known = monomials(algebra, [p for p, _ in facts.signs])
    return found + [(linear(p), strict) for p, strict in known]


def _supposed(algebra: Algebra, facts: Facts) -> list[Inequality]:
    """Return what the page supposes of what the facts speak of, in the case that they make."""
    if not facts.signs or not algebra.orders:
        return []
    forms = []
    for form, strict in instances(algebra, algebra.orders, [p for p, _ in facts.signs]):
        here = form
        for q, sign in facts.signs:
            here = _decided(algebra, here, q, sign)
        forms.append((here, strict))
    return [(linear(p), strict) for p, strict in (*forms, *monomials(algebra, [p for p, _ in forms]))]


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

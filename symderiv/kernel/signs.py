"""Signs: what is certainly positive, or not negative, for all real values."""

from __future__ import annotations

from fractions import Fraction
from math import floor
from typing import TYPE_CHECKING

from symderiv.kernel import indices as ix
from symderiv.kernel import matrices, orders
from symderiv.kernel.greatest import is_never_negative
from symderiv.kernel.indices import IndexExpr, Variable
from symderiv.kernel.polynomial import ONE, Atom, Kind, Monomial, Polynomial, Rational, atom, minus, plus

if TYPE_CHECKING:
    from symderiv.kernel.normal import Algebra

MARKS = 4
"""The sign of a polynomial with more indicators is not asked for."""


def sign(algebra: Algebra, p: Polynomial) -> int:
    """Return 2 if p > 0 is certain, 1 if p >= 0 is, else 0."""
    signs = [_sign(algebra, m, c) for m, c in p.terms.items()]
    if not signs or min(signs) >= 1:
        return max(signs, default=1)
    if any(m.marked for m in p.terms):
        return _in_cases(algebra, p)
    form = as_index(p)
    if form is not None and ix.at_least_zero(form, algebra.upper):
        return 2 if algebra.inhabited(form) else 1
    if form is not None:
        return 0
    return int(is_never_negative(algebra, p)) or _over_denominator(algebra, p) or orders.sign(algebra, p)


def _in_cases(algebra: Algebra, p: Polynomial) -> int:
    """Return the sign that p has both where a condition holds and where it does not."""
    marks = {a for m in p.terms if m.marked for a in m.factors if a.kind >= Kind.DELTA}
    if len(marks) > MARKS:
        return 0
    mark = min(marks, key=Atom.key)
    off = {m: c for m, c in p.terms.items() if mark not in m.factors}
    on = (
        Polynomial({Monomial(m.exponent, {a: e for a, e in m.factors.items() if a != mark}): c})
        for m, c in p.terms.items()
        if mark in m.factors
    )
    without = algebra.sign(Polynomial(off))
    return min(without, algebra.sign(plus(Polynomial(off), *on))) if without else 0


def _over_denominator(algebra: Algebra, p: Polynomial) -> int:
    """Return the sign of p by that of p times a positive denominator, 0 if it has none."""
    for a in {a: None for m in p.terms for a, e in m.factors.items() if a.kind is Kind.BASE and e < 0}:
        if algebra.atom_sign(a) == 2:
            return algebra.sign(algebra.cleared(p, a))
    return 0


def _sign(algebra: Algebra, m: Monomial, c: Rational) -> int:
    """Return the sign of c m, 0 where c m is not certainly at least 0."""
    least, positive = 2, c > 0
    for a, e in m.factors.items():
        known = _power_sign(algebra, a, e)
        if not known and e == floor(e):
            known = _opposite_sign(algebra, a)
            positive = not positive
        if not known:
            return 0
        least = min(least, known)
    return least if positive else 0


def _opposite_sign(algebra: Algebra, a: Atom) -> int:
    """Return 2 if an atom is certainly < 0, 1 if it is <= 0, else 0."""
    if a.name == "log":
        return algebra.sign(minus(ONE, a.inner[0]))
    return orders.sign(algebra, Polynomial({Monomial(None, {a: 1}): -1}))


def _power_sign(algebra: Algebra, a: Atom, e: Rational) -> int:
    known = algebra.atom_sign(a)
    if known == 2:
        return 2
    if known == 1 or Fraction(e).denominator % 2 == 0 or Fraction(e).numerator % 2 == 0:
        return 2 if e < 0 else 1
    return 0


def atom_sign(algebra: Algebra, a: Atom) -> int:
    """Return 2 if an atom is certainly > 0, 1 if it is >= 0, else 0."""
    match a.kind:
        case Kind.CONSTANT:
            return 2
        case Kind.VALUE:
            return 2 if ix.at_least_zero(a.indices[0], algebra.upper) else 0
        case Kind.ENTRY | Kind.SYMMETRIC:
            return 2 if a.name in algebra.positive_names else orders.sign(algebra, atom(a))
        case Kind.BASE:
            return algebra.sign(a.inner[0])
        case Kind.SUM if ix.EVERYWHERE in a.sizes:
            return 0
        case Kind.SUM:
            inner = algebra.sign(a.inner[0])
            return inner if all(algebra.inhabited(s) for s in a.sizes) else min(inner, 1)
        case Kind.PRODUCT | Kind.GREATEST:
            return algebra.sign(a.inner[0])
        case Kind.FUNCTION if a.name == "log":
            return algebra.sign(minus(a.inner[0], ONE))
        case Kind.DETERMINANT:
            return 2 if matrices.of_name(a) in algebra.definite else 0
        case Kind.DELTA | Kind.STEP | Kind.POSITIVE | Kind.VANISHING:
            return 1
        case _:
            return 0


def inhabited(algebra: Algebra, size: IndexExpr) -> bool:
    """Tell whether a range has an element for certain."""
    return ix.at_least_zero(ix.plus(size, ix.constant(-1)), algebra.upper)


def as_index(p: Polynomial) -> IndexExpr | None:
    """Return the index expression that has this value, or None."""
    terms: list[tuple[tuple[Variable, ...], int]] = []
    for m, c in p.terms.items():
        whole = all(a.kind is Kind.VALUE and e > 0 and e == floor(e) for a, e in m.factors.items())
        if m.exponent or not whole or c != floor(c):
            return None
        variables = [
            v for a, e in m.factors.items() for v in ix.variables(a.indices[0]) for _ in range(floor(e))
        ]
        terms.append((tuple(sorted(variables)), floor(c)))
    return ix.build(terms)

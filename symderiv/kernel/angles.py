"""Angles: sines and cosines of sums, written in sines and cosines of common parts.

Vocabulary. The *parts* of the angles of a polynomial are their terms, each divided so far that every angle
is a whole combination of parts. `sin(a + b) = sin a cos b + cos a sin b` and its kin then write all of them
as polynomials in the sines and cosines of the parts, between which only `sin² + cos² = 1` holds.
"""

from __future__ import annotations

from fractions import Fraction
from math import lcm
from typing import TYPE_CHECKING

from symderiv.kernel.cases import replaced
from symderiv.kernel.polynomial import NOTHING, ONE, Atom, Kind, Monomial, Polynomial, minus, plus

if TYPE_CHECKING:
    from symderiv.kernel.normal import Algebra

TURNS = 12
"""An angle of more parts than this is left as it is."""


def expanded(algebra: Algebra, p: Polynomial) -> Polynomial | None:
    """Return p with its sines and cosines in terms of those of common parts; None if they are already."""
    angles = sorted(
        {a for m in p.terms for a in m.factors if a.kind is Kind.FUNCTION and a.name in ("sin", "cos")},
        key=Atom.key,
    )
    whole: dict[Monomial, int] = {}
    for a in angles:
        for m, c in a.inner[0].terms.items():
            whole[m] = lcm(whole.get(m, 1), Fraction(c).denominator)
    result = p
    for a in angles:
        counts = {m: int(c * whole[m]) for m, c in a.inner[0].terms.items()}
        if 1 < sum(map(abs, counts.values())) <= TURNS:
            sine, cosine = _of_parts(algebra, counts, whole)
            result = replaced(algebra, result, a, sine if a.name == "sin" else cosine)
    return result if result != p else None


def _of_parts(
    algebra: Algebra, counts: dict[Monomial, int], whole: dict[Monomial, int]
) -> tuple[Polynomial, Polynomial]:
    """Return the sine and the cosine of a whole combination of parts."""
    sine, cosine = NOTHING, ONE
    for m, count in counts.items():
        part = Polynomial({m: Fraction(1 if count > 0 else -1, whole[m])})
        s, c = algebra.function("sin", part), algebra.function("cos", part)
        for _ in range(abs(count)):
            sine, cosine = (
                plus(algebra.times(sine, c), algebra.times(cosine, s)),
                minus(algebra.times(cosine, c), algebra.times(sine, s)),
            )
    return sine, cosine

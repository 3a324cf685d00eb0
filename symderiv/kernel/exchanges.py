"""Sums over pairs of indices in order, added pair by pair: `f(v, w) + f(w, v)` may be what f is not, whole.

Vocabulary. A sum over *pairs* has two indices of one range and one condition that puts them in order. Two of
them *meet* when the condition is the same. What divides the summands of sums that meet may divide their total
without a rest: `x_v^2 / (x_v - x_w) + x_w^2 / (x_w - x_v) = x_v + x_w`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from symderiv.kernel import indices as ix
from symderiv.kernel.indices import IndexExpr, Variable
from symderiv.kernel.polynomial import Atom, Kind, Monomial, Polynomial, atom, minus, plus
from symderiv.kernel.relations import divided

if TYPE_CHECKING:
    from symderiv.kernel.normal import Algebra

Meeting = tuple[IndexExpr, IndexExpr]
"""The range of the indices, and the condition."""


def exchanged(algebra: Algebra, p: Polynomial) -> Iterator[Polynomial]:
    """Yield p with sums over pairs that meet added up, where nothing is left that divides the summands."""
    places: dict[IndexExpr, tuple[Variable, Variable]] = {}
    met: dict[Meeting, list[tuple[Polynomial, Polynomial]]] = {}
    for m, c in sorted(p.terms.items(), key=lambda t: t[0].key()):
        pairs = [a for a, e in m.factors.items() if a.kind is Kind.SUM and e == 1 and _is_divided(a)]
        if len(pairs) == 1:
            rest = Monomial(m.exponent, {a: e for a, e in m.factors.items() if a != pairs[0]})
            found = _paired(algebra, pairs[0], places)
            if found is not None:
                meeting, summand = found
                whole = algebra.times(summand, Polynomial({rest: c}))
                met.setdefault(meeting, []).append((Polynomial({m: c}), whole))
    for (size, condition), several in met.items():
        total = _whole(algebra, plus(*(whole for _, whole in several))) if len(several) > 1 else None
        if total is not None:
            v, w = places[size]
            body = algebra.times(atom(Atom(Kind.STEP, indices=(condition,))), total)
            yield plus(
                minus(p, plus(*(term for term, _ in several))), algebra.closed({v: size, w: size}, body)
            )


def _is_divided(a: Atom) -> bool:
    """Tell whether something divides the summand of a sum over two indices at least."""
    return len(a.sizes) > 1 and any(
        b.kind is Kind.BASE and e < 0 for m in a.inner[0].terms for b, e in m.factors.items()
    )


def _paired(
    algebra: Algebra, a: Atom, places: dict[IndexExpr, tuple[Variable, Variable]]
) -> tuple[Meeting, Polynomial] | None:
    """Return where a sum over pairs meets others, and its summand at common indices; None of other sums."""
    bound, body = algebra.opened(a)
    only = body.single()
    marks = [b for b in only[0].factors if b.kind >= Kind.DELTA] if only is not None else []
    if only is None or len(marks) != 1 or marks[0].kind is not Kind.STEP or len(marks[0].free) != 2:
        return None
    up, down = sorted(marks[0].free, key=lambda v: (((v,), 1) not in marks[0].indices[0], v))
    if not {up, down} <= bound.keys() or bound[up] != bound[down]:
        return None
    size = bound[up]
    v, w = places.setdefault(size, (algebra.fresh(size), algebra.fresh(size)))
    m, c = only
    rest = Polynomial({Monomial(m.exponent, {b: e for b, e in m.factors.items() if b != marks[0]}): c})
    inner = algebra.closed({u: n for u, n in bound.items() if u not in (up, down)}, rest)
    here = {up: ix.bare(v), down: ix.bare(w)}
    return (size, ix.replaced(marks[0].indices[0], here)), algebra.substitute(inner, here)


def _whole(algebra: Algebra, p: Polynomial) -> Polynomial | None:
    """Return p where all that divides its terms divides it without a rest, else None."""
    while True:
        below = {b: e for m in p.terms for b, e in m.factors.items() if b.kind is Kind.BASE and e < 0}
        if not below:
            return p
        base = max(below, key=lambda b: (b.height, b.key()))
        least = min(m.factors.get(base, 0) for m in p.terms)
        quotient = divided(algebra.cleared(p, base), algebra.power(base.inner[0], -least))
        if least != int(least) or quotient is None:
            return None
        p = quotient

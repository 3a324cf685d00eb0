"""Shifts: sums whose summands stand at other places, brought to a common place.

Vocabulary. A sum over a range is written *at large*: over all integers, the range a condition in its body.
There every integer change of the index is allowed: `sum_k 1[1 <= k <= n] f(k + c)` is
`sum_k 1[1 + c <= k <= n + c] f(k)`. An *anchor* is an index expression of an entry that becomes the new
index. All anchors are tried, and the least result is taken, so that sums which differ by a shift or a
reversal alone come out equal but for their ends: the ends are told apart by conditions, never forgotten.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain
from typing import TYPE_CHECKING

from symderiv.kernel import indices as ix
from symderiv.kernel.indices import IndexExpr, Variable
from symderiv.kernel.polynomial import Atom, Kind, Polynomial

if TYPE_CHECKING:
    from symderiv.kernel.normal import Algebra

MAPS = 64
"""How many changes of the indices of one sum are tried at most."""


def at_large(algebra: Algebra, a: Atom) -> Polynomial:
    """Return a closed sum written over all integers, at its least anchors."""
    bound, body = algebra.opened(a)
    for v, size in bound.items():
        w = algebra.fresh(ix.EVERYWHERE)
        body = algebra.times(algebra.substitute(body, {v: ix.bare(w)}), algebra.within(ix.bare(w), size))
        bound = {w if u == v else u: size for u, size in bound.items()}
    variables = list(bound)
    results = []
    for _, moved in zip(range(MAPS), _moved(algebra, variables, body), strict=False):
        results.append(algebra.closed(dict.fromkeys(variables, ix.EVERYWHERE), moved))
    return min(results, key=Polynomial.key)


def _moved(algebra: Algebra, variables: list[Variable], body: Polynomial) -> Iterator[Polynomial]:
    """Yield the body under every choice of anchors, one variable after another."""
    if not variables:
        yield body
        return
    v, *rest = variables
    for anchor in anchors(body, v) or [ix.bare(v)]:
        other = algebra.fresh(ix.EVERYWHERE)
        value = ix.solved(ix.minus(anchor, ix.bare(other)), v)
        assert value is not None
        there = algebra.substitute(body, {v: value})
        yield from _moved(algebra, rest, algebra.substitute(there, {other: ix.bare(v)}))


def is_shifted(a: Atom) -> bool:
    """Tell whether a closed sum over ranges has an entry at another place than its index."""
    return (
        a.sizes != ()
        and ix.EVERYWHERE not in a.sizes
        and any(anchor != ix.bare(v) for v in a.bound() for anchor in anchors(a.inner[0], v))
    )


def anchors(p: Polynomial, v: Variable) -> list[IndexExpr]:
    """Return the index expressions of entries that can be the new index in place of `v`."""
    found = dict.fromkeys(_places(p))
    return sorted(form for form in found if ix.solved(form, v) is not None)


def _places(p: Polynomial) -> Iterator[IndexExpr]:
    """Yield the index expressions of entries, to any depth."""
    for m in p.terms:
        if m.exponent:
            yield from _places(m.exponent)
        for a in m.factors:
            if a.kind in (Kind.ENTRY, Kind.SYMMETRIC, Kind.PARTIAL):
                yield from a.indices
            if a.kind < Kind.DELTA:
                yield from chain.from_iterable(map(_places, a.inner))

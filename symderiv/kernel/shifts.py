"""Shifts: sums whose summands stand at other places, brought to a common place.

Vocabulary. A sum over a range is written *at large*: over all integers, the range a condition in its body.
There every integer change of the index is allowed: `sum_k 1[1 <= k <= n] f(k + c)` is
`sum_k 1[1 + c <= k <= n + c] f(k)`. An *anchor* is an index expression of an entry that becomes the new
index. A *place* is a tensor with one of its slots: all sums of a term are anchored at the same place where
they can be, so that sums which differ by a shift or a reversal come out equal but for their ends: the ends
are told apart by conditions, never forgotten.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import chain, islice
from typing import TYPE_CHECKING

from symderiv.kernel import indices as ix
from symderiv.kernel.indices import IndexExpr, Variable
from symderiv.kernel.polynomial import Atom, Kind, Polynomial

if TYPE_CHECKING:
    from symderiv.kernel.normal import Algebra

MAPS = 16
"""How many changes of the indices of one sum are tried at most."""

Place = tuple[str, int]


def at_large(algebra: Algebra, a: Atom, first: Place) -> Polynomial:
    """Return a closed sum over all integers, each index at an anchor, in the first place if any is."""
    bound, body = algebra.opened(a)
    variables: list[Variable] = []
    for v, size in bound.items():
        w = algebra.fresh(ix.EVERYWHERE)
        variables.append(w)
        body = algebra.times(algebra.substitute(body, {v: ix.bare(w)}), algebra.within(ix.bare(w), size))
    results = (
        algebra.closed(dict.fromkeys(variables, ix.EVERYWHERE), moved)
        for moved in islice(_moved(algebra, variables, body, first), MAPS)
    )
    return min(results, key=Polynomial.key)


def _moved(
    algebra: Algebra, variables: list[Variable], body: Polynomial, first: Place
) -> Iterator[Polynomial]:
    """Yield the body under every choice of anchors, one variable after another."""
    if not variables:
        yield body
        return
    v, *rest = variables
    anchors = _anchors(body, v)
    place = first if first in anchors else min(anchors, default=first)
    for anchor in sorted(anchors.get(place, {ix.bare(v)})):
        other = algebra.fresh(ix.EVERYWHERE)
        value = ix.solved(ix.minus(anchor, ix.bare(other)), v)
        assert value is not None
        there = algebra.substitute(body, {v: value})
        yield from _moved(algebra, rest, algebra.substitute(there, {other: ix.bare(v)}), first)


def shifted_places(sums: Iterable[Atom]) -> list[Place]:
    """Return the places where closed sums over ranges can be anchored.

    None if no entry is shifted, and no range is cut by a condition so that it may be another.
    """
    found: set[Place] = set()
    sizes: set[IndexExpr] = set()
    shifted = cut = False
    for a in sums:
        if ix.EVERYWHERE not in a.sizes:
            sizes.update(a.sizes)
            for v in a.bound():
                for place, anchors in _anchors(a.inner[0], v).items():
                    found.add(place)
                    shifted = shifted or anchors != {ix.bare(v)}
                cut = cut or any(
                    b.kind is Kind.STEP and v in b.free for m in a.inner[0].terms for b in m.factors
                )
    return sorted(found) if shifted or (cut and len(sizes) > 1) else []


def _anchors(p: Polynomial, v: Variable) -> dict[Place, set[IndexExpr]]:
    """Return the index expressions of entries that can replace the index `v`, by place."""
    found: dict[Place, set[IndexExpr]] = {}
    for place, form in placed(p):
        if ix.solved(form, v) is not None:
            found.setdefault(place, set()).add(form)
    return found


def placed(p: Polynomial) -> Iterator[tuple[Place, IndexExpr]]:
    """Yield the index expressions of entries with their places, to any depth."""
    for m in p.terms:
        if m.exponent:
            yield from placed(m.exponent)
        for a in m.factors:
            if a.kind in (Kind.ENTRY, Kind.SYMMETRIC, Kind.PARTIAL):
                yield from (((a.name, slot), form) for slot, form in enumerate(a.indices))
            if a.kind < Kind.DELTA:
                yield from chain.from_iterable(map(placed, a.inner))

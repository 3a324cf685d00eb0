"""Canonical naming of the indices that a sum binds.

Vocabulary. The *colour* of a bound index is a number that does not depend on what it is called; colours are
*refined* by the factors in which the index stands until they tell no more apart. What is still alike is
*individualised*: each of the alike gets a colour of its own in turn, and the least result is taken. Two
indices that can be exchanged without changing the body need only one turn.
"""

from __future__ import annotations

from collections.abc import Mapping

from symderiv.kernel import indices as ix
from symderiv.kernel.indices import IndexExpr, Variable
from symderiv.kernel.polynomial import Atom, Key, Kind, Monomial, Polynomial, Rational
from symderiv.kernel.terms import TooLarge

LEAVES = 2_000
"""How many namings of one sum are compared at most."""


def renamed(
    p: Polynomial, names: Mapping[Variable, Variable], made: dict[Atom, Atom] | None = None
) -> Polynomial:
    """Return `p` with variables renamed one to one; only the naming of nested sums is settled anew.

    `made` has the atoms that were renamed so: what stands in many places is renamed once.
    """
    if p.free.isdisjoint(names):
        return p
    made = {} if made is None else made
    return Polynomial({_renamed(m, names, made): c for m, c in p.terms.items()})


def _renamed(m: Monomial, names: Mapping[Variable, Variable], made: dict[Atom, Atom]) -> Monomial:
    if m.free.isdisjoint(names):
        return m
    exponent = renamed(m.exponent, names, made) if m.exponent else None
    return Monomial(exponent, {_renamed_atom(a, names, made): e for a, e in m.factors.items()})


def _renamed_atom(a: Atom, names: Mapping[Variable, Variable], made: dict[Atom, Atom]) -> Atom:
    if a.free.isdisjoint(names):
        return a
    if a not in made:
        made[a] = _renamed_anew(a, names, made)
    return made[a]


def _renamed_anew(a: Atom, names: Mapping[Variable, Variable], made: dict[Atom, Atom]) -> Atom:
    indices = tuple(ix.renamed(i, names) for i in a.indices)
    if a.even:
        indices = tuple(sorted(indices))
    inner = tuple([renamed(p, names, made) for p in a.inner])
    result = Atom(a.kind, a.name, indices, inner, a.sizes)
    return _relabelled(result) if a.kind is Kind.SUM and len(a.sizes) > 1 else result


def _relabelled(a: Atom) -> Atom:
    (m, c), *_ = a.inner[0].terms.items()
    bound = dict(zip(a.bound(), a.sizes, strict=True))
    order = canonical_order(bound, m)
    names = dict(zip(order, a.bound(), strict=True))
    return Atom(a.kind, a.name, (), (renamed(Polynomial({m: c}), names),), tuple(bound[v] for v in order))


def canonical_order(bound: Mapping[Variable, IndexExpr], m: Monomial) -> list[Variable]:
    """Return the bound variables in an order that does not depend on their names."""
    if len(bound) == 1:
        return list(bound)
    sizes = sorted(set(bound.values()))
    start = {v: sizes.index(size) for v, size in bound.items()}
    search = _Search(m, list(bound))
    search.explore(search.refined(start))
    assert search.best is not None
    return search.best[1]


class _Search:
    """The search for the naming with the least key."""

    def __init__(self, m: Monomial, variables: list[Variable]) -> None:
        self.body = m
        self.variables = variables
        parts: list[tuple[Atom | Monomial, Rational]] = list(m.factors.items())
        parts.extend(m.exponent.terms.items() if m.exponent else ())
        self.touching = {v: [(part, e) for part, e in parts if v in part.free] for v in variables}
        self.best: tuple[Key, list[Variable]] | None = None
        self.leaves = 0

    def refined(self, colours: dict[Variable, int]) -> dict[Variable, int]:
        """Return the coarsest finer colouring that the factors cannot refine."""
        while True:
            seen = {
                v: (
                    colours[v],
                    tuple(
                        sorted(
                            ((isinstance(p, Atom)), p.key(self._marked(colours, v)), e) for p, e in touching
                        )
                    ),
                )
                for v, touching in self.touching.items()
            }
            ranks = {signature: rank for rank, signature in enumerate(sorted(set(seen.values())))}
            finer = {v: ranks[signature] for v, signature in seen.items()}
            if len(ranks) in (len(set(colours.values())), len(self.variables)):
                return finer
            colours = finer

    def _marked(self, colours: dict[Variable, int], marked: Variable) -> dict[Variable, Variable]:
        return {v: (ix.COLOUR, c, int(v == marked)) for v, c in colours.items()}

    def explore(self, colours: dict[Variable, int]) -> None:
        """Compare all namings that the colouring leaves open."""
        cells: dict[int, list[Variable]] = {}
        for v in self.variables:
            cells.setdefault(colours[v], []).append(v)
        alike = [cell for _, cell in sorted(cells.items()) if len(cell) > 1]
        if not alike:
            self._leaf(sorted(self.variables, key=colours.__getitem__))
            return
        turns: list[Variable] = []
        for v in alike[0]:
            if any(self._exchangeable(v, w) for w in turns):
                continue
            turns.append(v)
            first = {w: 2 * c + int(w in alike[0] and w != v) for w, c in colours.items()}
            self.explore(self.refined(first))

    def _exchangeable(self, v: Variable, w: Variable) -> bool:
        return self.body.key({v: w, w: v}) == self.body.key()

    def _leaf(self, order: list[Variable]) -> None:
        self.leaves += 1
        if self.leaves > LEAVES:
            msg = "too many alike indices in one sum"
            raise TooLarge(msg)
        key = self.body.key({v: (ix.COLOUR, place, 0) for place, v in enumerate(order)})
        if self.best is None or key < self.best[0]:
            self.best = (key, order)

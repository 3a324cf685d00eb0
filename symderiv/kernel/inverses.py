"""Inverses in the zero test: a difference is 0 exactly where it is 0 times an invertible matrix.

Vocabulary. An inverse *stands at* a free index when that is one of its own two. Multiplied by the matrix, the
difference has one inverse less there; what is left is again a difference.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from symderiv.kernel import indices as ix
from symderiv.kernel import matrices
from symderiv.kernel.cases import atoms_of, cleared
from symderiv.kernel.polynomial import Kind, Polynomial

if TYPE_CHECKING:
    from symderiv.kernel.normal import Algebra


MULTIPLES = 60
"""So often is a difference multiplied by matrices in one proof; proofs take a few."""


def by_inverses(algebra: Algebra, p: Polynomial, depth: int) -> bool:
    """Tell whether p is 0 after it is multiplied by matrices whose inverses stand in it."""
    if not any(m.marked for m in p.terms):
        p = algebra.content(p, whole=True)[1]
    for multiple in multiplied(algebra, p):
        q = cleared(algebra, multiple)
        if not q.terms or (depth > 1 and by_inverses(algebra, q, depth - 1)):
            return True
    return False


def multiplied(algebra: Algebra, p: Polynomial) -> Iterator[Polynomial]:
    """Yield p times a matrix whose inverse stands in p at a free index: 0 where p is, and only there."""
    met = {(a, form) for a in atoms_of(p) if a.kind is Kind.INVERSE for form in a.indices}
    for a, form in sorted(met, key=lambda pair: (-pair[0].height, pair[0].key(), pair[1])):
        v = next(iter(ix.variables(form)), None)
        if v is None or form != ix.bare(v) or v not in p.free or algebra.upper.get(v) != a.sizes[:1]:
            continue
        if not a.inner[0].free - set(a.bound()) <= p.free - {v} or a.indices[0] == a.indices[1]:
            continue
        algebra.multiples += 1
        if algebra.multiples > MULTIPLES:
            return
        of = matrices.opened(algebra, a)
        row, column = (of.row, of.column) if a.indices[1] == form else (of.column, of.row)
        there = algebra.substitute(p, {v: ix.bare(row)})
        whole = algebra.closed({row: of.size}, algebra.times(there, of.body))
        yield algebra.substitute(whole, {column: form})

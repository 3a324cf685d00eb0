"""Inverses in the zero test: a difference is 0 exactly where it is 0 times an invertible matrix.

Vocabulary. An inverse *stands at* a free index when that is one of its own two. Multiplied by the matrix, the
difference has one inverse less there; what is left is again a difference.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from symderiv.kernel import indices as ix
from symderiv.kernel import matrices
from symderiv.kernel.cases import Facts, atoms_of, cleared
from symderiv.kernel.indices import Variable
from symderiv.kernel.matrices import Square
from symderiv.kernel.polynomial import Atom, Kind, Polynomial
from symderiv.kernel.relations import vanishes

if TYPE_CHECKING:
    from symderiv.kernel.normal import Algebra


MULTIPLES = 60
"""So often is a difference multiplied by matrices in one proof; proofs take a few."""


def by_inverses(algebra: Algebra, p: Polynomial, depth: int, facts: Facts) -> bool:
    """Tell whether p is 0 after it is multiplied by matrices whose inverses stand in it."""
    if not any(m.marked for m in p.terms):
        p = algebra.content(p, whole=True)[1]
    for multiple in _multiplied(algebra, p, facts):
        q = cleared(algebra, multiple)
        if not q.terms or (depth > 1 and by_inverses(algebra, q, depth - 1, facts)):
            return True
    return False


def by_invertible(algebra: Algebra, p: Polynomial, facts: Facts, depth: int = 2) -> bool:
    """Tell whether p is 0 after it is multiplied by matrices that the page supposes to be invertible."""
    supposed = [*_supposed(algebra)] if algebra.rules or algebra.relations else []
    held = _held(algebra, facts) if supposed else frozenset[Variable]()
    for of, source in supposed:
        for v in sorted(p.free - held - of.body.free):
            if algebra.upper.get(v) != (of.size,):
                continue
            for row, column in ((of.row, of.column), (of.column, of.row)):
                algebra.multiples += 1
                if algebra.multiples > MULTIPLES:
                    return False
                q = cleared(algebra, _times(algebra, p, v, replace(of, row=row, column=column)))
                zero = not q.terms or (bool(algebra.relations) and vanishes(algebra, q))
                if zero or (depth > 1 and by_invertible(algebra, q, facts, depth - 1)):
                    algebra.used.add(source)
                    return True
    return False


def _supposed(algebra: Algebra) -> Iterator[tuple[Square, str]]:
    """Yield what is supposed to be invertible, with what says so, and the inverses in hypotheses."""
    yield from algebra.invertible
    forms = [rule.replacement for rule in algebra.rules] + [each.form for each in algebra.relations]
    atoms = {a for form in forms for a in atoms_of(form)}
    atoms |= {
        a
        for rule in algebra.rules
        for a in (rule.pattern, *(b for q in rule.pattern.inner for b in atoms_of(q)))
    }
    bodies = {a.inner[0]: a for a in atoms if a.kind is Kind.INVERSE and not a.inner[0].free - {*a.bound()}}
    for a in sorted(bodies.values(), key=Atom.key):
        of = matrices.opened(algebra, a)
        row, column = algebra.fresh(of.size), algebra.fresh(of.size)
        inverse = matrices.inverse(algebra, of, ix.bare(row), ix.bare(column))
        yield Square(row, column, of.size, inverse), ""


def _held(algebra: Algebra, facts: Facts) -> frozenset[Variable]:
    """Return the free indices of which something is supposed: what holds there need not hold everywhere."""
    forms = (*algebra.known, *algebra.unequal, *(form for form, _ in algebra.hot.values()))
    found = set[Variable]().union(*map(ix.variables, forms), *(a.free for a in algebra.pinned))
    for rule in algebra.rules:
        found |= (rule.pattern.free | rule.replacement.free) - {*rule.variables}
    found = found.union(*(each.form.free - {*each.variables} for each in algebra.relations))
    found = found.union(*(each.form.free - {*each.variables} for each in algebra.orders))
    return frozenset(found).union(*(q.free for q, _ in facts.signs))


def _multiplied(algebra: Algebra, p: Polynomial, facts: Facts) -> Iterator[Polynomial]:
    """Yield p times a matrix whose inverse stands in p at a free index: 0 where p is, and only there.

    That is so where p is meant for every value of the index, of which then nothing may be supposed.
    """
    met = {(a, form) for a in atoms_of(p) if a.kind is Kind.INVERSE for form in a.indices}
    held = _held(algebra, facts) if met else frozenset[Variable]()
    for a, form in sorted(met, key=lambda pair: (-pair[0].height, pair[0].key(), pair[1])):
        v = next(iter(ix.variables(form)), None)
        if v is None or form != ix.bare(v) or v not in p.free or algebra.upper.get(v) != a.sizes[:1]:
            continue
        if v in held or a.indices[0] == a.indices[1]:
            continue
        if not a.inner[0].free - set(a.bound()) <= p.free - {v}:
            continue
        algebra.multiples += 1
        if algebra.multiples > MULTIPLES:
            return
        of = matrices.opened(algebra, a)
        yield _times(algebra, p, v, of if a.indices[1] == form else replace(of, row=of.column, column=of.row))


def _times(algebra: Algebra, p: Polynomial, v: Variable, of: Square) -> Polynomial:
    """Return the sum over v of p times the entries in row v of a matrix; its column is v from then on."""
    there = algebra.substitute(p, {v: ix.bare(of.row)})
    whole = algebra.closed({of.row: of.size}, algebra.times(there, of.body))
    return algebra.substitute(whole, {of.column: ix.bare(v)})

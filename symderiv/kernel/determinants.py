"""Determinants in the zero test: of a matrix that is changed by a product, and of one that is orthogonal.

Vocabulary. `M + L R` is M *changed* by a product whose inner size may be any: `det(M + L R)` is
`det(M) det(I + R M^-1 L)`, of another size. Where L is a column and R a row, the second factor is a number.

Every rule holds where M is invertible; that is everywhere where M is diagonal.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from symderiv.kernel import indices as ix
from symderiv.kernel import matrices
from symderiv.kernel.cases import replaced
from symderiv.kernel.indices import Variable
from symderiv.kernel.matrices import Square
from symderiv.kernel.polynomial import ONE, Atom, Kind, Monomial, Polynomial, minus, plus, scaled

if TYPE_CHECKING:
    from symderiv.kernel.normal import Algebra

CHANGES = 4
"""How many ways of changing the determinants of one difference are tried at most."""


def with_others(algebra: Algebra, p: Polynomial) -> Iterator[Polynomial]:
    """Yield p with one of its determinants put in terms of others."""
    found = {a for m in p.terms for a in m.factors if a.kind is Kind.DETERMINANT}
    for a in sorted(found, key=Atom.key)[:CHANGES]:
        yield from (replaced(algebra, p, a, q) for q in _changed(algebra, a))
        if any(m.factors.get(a, 0) >= 2 for m in p.terms) and _is_orthogonal(algebra, a):
            yield _with_square_one(p, a)


def _changed(algebra: Algebra, a: Atom) -> Iterator[Polynomial]:
    """Yield the determinant of a changed matrix by that of the matrix."""
    of = matrices.opened(algebra, a)
    for m, c in sorted(of.body.terms.items(), key=lambda t: t[0].key()):
        rest = replace(of, body=minus(of.body, Polynomial({m: c})))
        if m.marked or not rest.body.terms or (algebra.rules and not _is_diagonal(rest)):
            continue
        ends = matrices.column_and_row(m, of)
        if ends is not None:
            column, row = ends
            number = plus(ONE, scaled(_between(algebra, rest, row, column), c))
            yield algebra.times(matrices.determinant(algebra, rest), number)
        core = {b: e for b, e in m.factors.items() if not b.free.isdisjoint((of.row, of.column))}
        scale = Polynomial({Monomial(None, {b: e for b, e in m.factors.items() if b not in core}): c})
        there = replace(of, body=Polynomial({Monomial(m.exponent, core): 1}))
        for k, size, left, right in matrices.split(algebra, there):
            other = algebra.fresh(size)
            turned = algebra.substitute(left, {k: ix.bare(other)})
            mark = algebra.delta(ix.minus(ix.bare(k), ix.bare(other)))
            inner = plus(mark, algebra.times(scale, _between(algebra, rest, right, turned)))
            small = matrices.determinant(algebra, Square(k, other, size, inner))
            yield algebra.times(matrices.determinant(algebra, rest), small)


def _is_diagonal(of: Square) -> bool:
    form = ix.primitive(ix.minus(ix.bare(of.row), ix.bare(of.column)))
    return all(any(a.indices == (form,) for a in m.factors if a.kind is Kind.DELTA) for m in of.body.terms)


def _between(algebra: Algebra, of: Square, row: Polynomial, column: Polynomial) -> Polynomial:
    """Return `sum_pq row_p M^-1_pq column_q`; the row stands over M's column, the column over its row."""
    p, q = (algebra.fresh(of.size) for _ in range(2))
    inverse = matrices.inverse(algebra, of, ix.bare(p), ix.bare(q))
    here = algebra.substitute(row, {of.column: ix.bare(p)})
    there = algebra.substitute(column, {of.row: ix.bare(q)})
    return algebra.closed({p: of.size, q: of.size}, algebra.times(here, inverse, there))


def _is_orthogonal(algebra: Algebra, a: Atom) -> bool:
    """Tell whether a hypothesis makes a matrix, times its transpose, the identity."""
    of = matrices.opened(algebra, a)
    i, j, k = (algebra.fresh(of.size) for _ in range(3))

    def entry(row: Variable) -> Polynomial:
        return algebra.substitute(of.body, {of.row: ix.bare(row), of.column: ix.bare(k)})

    product = algebra.closed({k: of.size}, algebra.times(entry(i), entry(j)))
    return product == algebra.delta(ix.minus(ix.bare(i), ix.bare(j)))


def _with_square_one(p: Polynomial, a: Atom) -> Polynomial:
    """Return p with the square of an atom replaced by 1."""
    parts = []
    for m, c in p.terms.items():
        e = m.factors.get(a, 0)
        rest = {b: f for b, f in m.factors.items() if b != a}
        parts.append(Polynomial({Monomial(m.exponent, rest | ({a: e % 2} if e % 2 else {})): c}))
    return plus(*parts)

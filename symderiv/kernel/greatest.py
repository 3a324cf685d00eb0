"""The greatest of the values of a term over an index.

Vocabulary. `max_k f_k` is an atom that binds k. What does not depend on k leaves it: a summand, a positive
factor, an exponential around all of it. Where one of the f_k is the greatest is a condition on values:
`1[f_k - max_l f_l = 0]`; it holds for one k alone, almost everywhere, where the f_k are apart.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from symderiv.kernel import indices as ix
from symderiv.kernel.indices import IndexExpr, Variable
from symderiv.kernel.labelling import renamed
from symderiv.kernel.polynomial import ONE, Atom, Kind, Monomial, Polynomial, atom, minus, plus

if TYPE_CHECKING:
    from collections.abc import Mapping

    from symderiv.kernel.normal import Algebra


def greatest(algebra: Algebra, variable: Variable, size: IndexExpr, p: Polynomial) -> Polynomial:
    """Return the greatest value of `p` where a variable runs from 1 to `size`, which is at least 1."""
    if any(a.kind >= Kind.DELTA and variable not in a.free for m in p.terms if m.marked for a in m.factors):
        return algebra.lifted_apart(p, variable, lambda q: greatest(algebra, variable, size, q))
    fixed = Polynomial({m: c for m, c in p.terms.items() if variable not in m.free})
    varying = minus(p, fixed)
    if not varying.terms:
        return fixed
    scale, rest = algebra.content(varying, whole=False)
    if variable in scale.free:
        scale, rest = ONE, varying
    only = rest.single()
    if only is not None and only[0].exponent and not only[0].factors and only[1] == 1:
        top = algebra.exp(greatest(algebra, variable, size, only[0].exponent))
    else:
        body = renamed(rest, {variable: (ix.BOUND, rest.height + 1, 0)})
        top = atom(Atom(Kind.GREATEST, inner=(body,), sizes=(size,)))
    return plus(fixed, algebra.times(scale, top))


def is_never_negative(algebra: Algebra, p: Polynomial) -> bool:
    """Tell whether p is `max_k f_k - f_i` for an i in the range of k."""
    for m, c in p.terms.items():
        if c == 1 and not m.exponent and len(m.factors) == 1:
            ((a, e),) = m.factors.items()
            if a.kind is Kind.GREATEST and e == 1:
                other = minus(Polynomial({m: 1}), p)
                places = {i for n in other.terms for b in n.factors for i in b.indices}
                places |= {ix.bare(v) for v in other.free}
                inside = (i for i in sorted(places) if algebra.within(i, a.sizes[0]) == ONE)
                if any(_at(algebra, a, i) == other for i in inside):
                    return True
    return False


def _at(algebra: Algebra, a: Atom, index: IndexExpr) -> Polynomial:
    """Return what the greatest is taken of, at an index in range."""
    bound, body = algebra.opened(a)
    return algebra.substitute(body, dict.fromkeys(bound, index))


def chosen_once(algebra: Algebra, bound: Mapping[Variable, IndexExpr], m: Monomial) -> bool:
    """Tell whether m is `1[f_k = max_l f_l]` of values that are apart, so that it holds for one k."""
    if len(bound) != 1 or len(m.factors) != 1 or m.exponent:
        return False
    ((mark, _),) = m.factors.items()
    ((variable, size),) = bound.items()
    if mark.kind is not Kind.VANISHING:
        return False
    for a in {a for n in mark.inner[0].terms for a in n.factors if a.kind is Kind.GREATEST}:
        if a.sizes == (size,) and variable not in a.free:
            first, second = algebra.fresh(size), algebra.fresh(size)
            here, there, mine = (_at(algebra, a, ix.bare(v)) for v in (first, second, variable))
            gap = minus(atom(a), mine)
            if mark.inner[0] in (gap, minus(mine, atom(a))) and algebra.vanishing(
                minus(here, there)
            ) == algebra.delta(ix.minus(ix.bare(first), ix.bare(second))):
                return True
    return False

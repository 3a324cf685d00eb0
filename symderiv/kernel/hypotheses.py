"""Hypotheses on whole matrices: which say that one is (anti)symmetric, diagonal, orthogonal, one-hot.

Vocabulary. A hypothesis is about a *whole* matrix when it holds for every row and every column: their indices
are two, and none of them is a free index of the goal.
"""

from __future__ import annotations

from collections.abc import Mapping

from sympy import Add, Eq, Expr, Indexed, Integer, KroneckerDelta, Mul, Pow, Sum
from sympy.logic.boolalg import Boolean

from symderiv.kernel import indices as ix
from symderiv.kernel.indices import IndexExpr
from symderiv.kernel.normal import Rule
from symderiv.kernel.polynomial import ONE as ONE_HERE
from symderiv.kernel.polynomial import Kind
from symderiv.kernel.terms import Definite, Goal, Index, name_of

ONE = Integer(1)


def symmetric(sides: tuple[Expr, Expr], goal: Goal) -> str | None:
    """Return the name that `A_ij = A_ji`, for every i and j, makes symmetric."""
    a, b = sides
    turned = isinstance(a, Indexed) and isinstance(b, Indexed) and a.indices == b.indices[::-1]
    return name_of(a) if turned and name_of(a) == name_of(b) and _is_whole(a, goal) else None


def antisymmetric(sides: tuple[Expr, Expr], goal: Goal) -> str | None:
    """Return the name that `A_ij = -A_ji`, for every i and j, makes antisymmetric."""
    gap = sides[0] - sides[1]
    a, b = gap.args if isinstance(gap, Add) and len(gap.args) == 2 else (gap, gap)
    return symmetric((a, b), goal) or symmetric((-a, -b), goal)


def diagonal(sides: tuple[Expr, Expr], goal: Goal) -> str | None:
    """Return the name that `A_ij = A_ij delta_ij`, for every i and j, makes diagonal."""
    a, b = sides
    whole = isinstance(a, Indexed) and _is_whole(a, goal)
    return name_of(a) if whole and b == a * KroneckerDelta(*a.indices) else None


def orthogonal(fact: Boolean, goal: Goal) -> Eq | None:
    """Return `A A^T = I`, which `A^T A = I` says as well where A is square; likewise the other way round."""
    if not isinstance(fact, Eq) or not isinstance(fact.lhs, Sum):
        return None
    product, (k, low, size), *more = fact.lhs.args
    factors: tuple[Expr, ...] = product.args if isinstance(product, Mul) else ()
    if more or len(factors) != 2 or low != 1 or any(not isinstance(a, Indexed) for a in factors):
        return None
    a, b = factors[0], factors[1]
    shape = goal.context.shapes.get(str(name_of(a)))
    ends = [i for factor in factors for i in factor.indices if i != k]
    if name_of(a) != name_of(b) or shape is None or tuple(shape) != (size, size) or len(ends) != 2:
        return None
    if a.indices.index(k) != b.indices.index(k) or not _is_whole(Indexed(a.base, *ends), goal):
        return None
    if fact.rhs != KroneckerDelta(*ends):
        return None
    turned = Mul(*(factor.base[factor.indices[::-1]] for factor in factors))
    return Eq(Sum(turned, (k, 1, size)), fact.rhs, evaluate=False)


def definite(fact: Boolean) -> str | None:
    """Return the name of the matrix that a hypothesis says to be positive definite."""
    if not isinstance(fact, Definite):
        return None
    body, places = fact.matrix.body, fact.matrix.places
    return name_of(body) if isinstance(body, Indexed) and set(body.indices) == set(places[:2]) else None


def finite(sides: tuple[Expr, Expr], goal: Goal) -> tuple[str, tuple[int, ...]] | None:
    """Return the name that `y_k^2 = y_k` or `y_k^2 = 1`, for every k, binds to two numbers, and these."""
    found = pinned(sides)
    return None if found is None or not _is_any(found[0], goal) else (str(name_of(found[0])), found[1])


def pinned(sides: tuple[Expr, Expr]) -> tuple[Expr, tuple[int, ...]] | None:
    """Return the entry that `y_k^2 = y_k` or `y_k^2 = 1` binds to two numbers, and these."""
    a, b = sides
    if not isinstance(a, Pow) or a.exp != 2 or name_of(a.base) is None:
        return None
    values = {a.base: (0, 1), ONE: (-1, 1)}.get(b)
    return None if values is None else (a.base, values)


def one_hot(sides: tuple[Expr, Expr], goal: Goal) -> tuple[str, int] | None:
    """Return the name that `y_j y_k = delta_jk y_j`, for every j and k, leaves one entry, and the slot."""
    a, b = sides
    factors: tuple[Expr, ...] = a.args if isinstance(a, Mul) else ()
    if len(factors) != 2 or not all(isinstance(f, Indexed) and _is_any(f, goal) for f in factors):
        return None
    first, second = factors
    apart = [
        n for n, pair in enumerate(zip(first.indices, second.indices, strict=False)) if len(set(pair)) > 1
    ]
    if first.base != second.base or len(first.indices) != len(second.indices) or len(apart) != 1:
        return None
    delta = KroneckerDelta(first.indices[apart[0]], second.indices[apart[0]])
    return (str(name_of(first)), apart[0]) if b in (delta * first, delta * second) else None


def chosen(rule: Rule, values: Mapping[str, tuple[int, ...]]) -> tuple[str, int] | None:
    """Return the name of zeros and ones whose sum over one slot is 1, and the slot: one entry is 1."""
    if rule.pattern.kind is not Kind.SUM or len(rule.pattern.sizes) != 1 or rule.replacement != ONE_HERE:
        return None
    only = rule.pattern.inner[0].single()
    if only is None or only[1] != 1 or only[0].exponent or len(only[0].factors) != 1:
        return None
    ((a, e),) = only[0].factors.items()
    if a.kind is not Kind.ENTRY or e != 1 or set(values.get(a.name, (2,))) - {0, 1}:
        return None
    (v,) = rule.pattern.bound()
    slots = [slot for slot, form in enumerate(a.indices) if form == ix.bare(v)]
    others = [form for form in a.indices if form != ix.bare(v)]
    every = len(set(others)) == len(others) and set(others) <= {ix.bare(w) for w in rule.variables}
    return (a.name, slots[0]) if len(slots) == 1 and every else None


def is_chosen(rule: Rule, one_hot: Mapping[str, int]) -> IndexExpr | None:
    """Return the index at which a hypothesis `y_k = 1` says a one-hot vector to be 1, or None."""
    a = rule.pattern
    alone = a.kind is Kind.ENTRY and a.name in one_hot and len(a.indices) == 1 and not rule.variables
    return a.indices[0] if alone and rule.replacement == ONE_HERE else None


def _is_any(entry: Expr, goal: Goal) -> bool:
    """Tell whether an entry stands for every entry of its tensor."""
    indices = entry.indices if isinstance(entry, Indexed) else ()
    return len(set(indices)) == len(indices) and all(
        isinstance(i, Index) and i not in goal.ranges for i in indices
    )


def _is_whole(entry: Indexed, goal: Goal) -> bool:
    """Tell whether an entry stands for every entry of a matrix."""
    two = len(entry.indices) == 2 and entry.indices[0] != entry.indices[1]
    return two and all(isinstance(i, Index) and i not in goal.ranges for i in entry.indices)

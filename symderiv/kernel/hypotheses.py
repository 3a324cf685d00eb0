"""Hypotheses on whole matrices: which relations of terms say that one is symmetric, diagonal, orthogonal.

Vocabulary. A hypothesis is about a *whole* matrix when it holds for every row and every column: their indices
are two, and none of them is a free index of the goal.
"""

from __future__ import annotations

from sympy import Eq, Expr, Indexed, KroneckerDelta, Mul, Sum
from sympy.logic.boolalg import Boolean

from symderiv.kernel.terms import Definite, Goal, Index, name_of


def symmetric(sides: tuple[Expr, Expr], goal: Goal) -> str | None:
    """Return the name that `A_ij = A_ji`, for every i and j, makes symmetric."""
    a, b = sides
    turned = isinstance(a, Indexed) and isinstance(b, Indexed) and a.indices == b.indices[::-1]
    return name_of(a) if turned and name_of(a) == name_of(b) and _is_whole(a, goal) else None


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


def _is_whole(entry: Indexed, goal: Goal) -> bool:
    """Tell whether an entry stands for every entry of a matrix."""
    two = len(entry.indices) == 2 and entry.indices[0] != entry.indices[1]
    return two and all(isinstance(i, Index) and i not in goal.ranges for i in entry.indices)

"""Equations that the page supposes, of which no rewrite is made: they are solved, or reduced by.

Each claim stands beside twins that do not follow; a point at which the equations hold tells that the claim
is true and its twins are false.
"""

from __future__ import annotations

import math

import pytest
import sympy
from brute_force import Point, evaluate
from mpmath import mpf
from sympy import Eq, Expr, Integer, KroneckerDelta, Sum, exp, log, sqrt

from symderiv.kernel.equality import Proved, Residue, prove
from symderiv.kernel.terms import Context, D, Definite, Det, Goal, Index, Inv, Size, entry, fresh, indicator

N, M = Size("N"), Size("M")
i, j = Index("i"), Index("j")
m = fresh("m")
k = fresh("k")
a, b, c, d = map(entry, "abcd")
p, q, r = (entry(name, positive=True) for name in "pqr")
ONE = Integer(1)
CONTEXT = Context(shapes={"x": (N,), "y": (N,), "z": (M,), "P": (N, N)})


def x(index: Expr) -> Expr:
    return entry("x", index)


def y(index: Expr) -> Expr:
    return entry("y", index)


def same(left: Expr, right: Expr) -> Expr:
    return Eq(left, right, evaluate=False)


CLAIMS: dict[str, tuple[tuple[Expr, ...], Expr, Expr, list[Expr], dict[str, float]]] = {
    "a sum of two": ((same(a + b, ONE),), a, 1 - b, [1 + b, b], {"a": 0.3, "b": 0.7}),
    "a sum of two, squared": ((same(a + b, c),), c**2 - a**2, b * (a + c), [b * c], {"a": 2, "b": 3, "c": 5}),
    "under a logarithm": ((same(p + q, ONE),), log(1 - p), log(q), [log(p)], {"p": 0.2, "q": 0.8}),
    "under a root": ((same(p + q, ONE),), sqrt(1 - p), sqrt(q), [sqrt(p)], {"p": 0.2, "q": 0.8}),
    "in an exponent": ((same(a + b, c),), exp(c - a), exp(b), [exp(a)], {"a": 2, "b": 3, "c": 5}),
    "a sign is kept": ((same(p + q, ONE),), log(p * q), log(p) + log(q), [log(p)], {"p": 0.2, "q": 0.8}),
    "a product": ((same(a * b, ONE),), a**2 * b**3, b, [a, b**2], {"a": 4, "b": 0.25}),
    "a product, below": ((same(a * b, ONE),), 1 / (1 + a) + 1 / (1 + b), ONE, [ONE * 2], {"a": 4, "b": 0.25}),
    "a circle": ((same(a**2 + b**2, ONE),), a**4 - b**4, a**2 - b**2, [a**2], {"a": 0.6, "b": 0.8}),
    "a root of what is left": (
        (same(p**2 + q**2, ONE),),
        q,
        sqrt(1 - p**2),
        [sqrt(1 - p)],
        {"p": 0.6, "q": 0.8},
    ),
    "two equations": (
        (same(a * b, 2 * ONE), same(a + b, 3 * ONE)),
        a**2 + b**2,
        5 * ONE,
        [4 * ONE, 9 * ONE],
        {"a": 1, "b": 2},
    ),
    "a power by a lower one": (
        (same(p**2, p + 1),),
        p**3,
        2 * p + 1,
        [2 * p],
        {"p": (1 + math.sqrt(5)) / 2},
    ),
    "a quotient": ((same(a / p - b / q, 0 * ONE),), a * q, b * p, [a * p], {"a": 2, "p": 4, "b": 3, "q": 6}),
    "a logarithm": (
        (same(log(p), a - 1),),
        p,
        exp(a - 1),
        [exp(a), exp(1 - a)],
        {"a": 1.5, "p": math.exp(0.5)},
    ),
    "a score of a variance": (
        (same(a / r**3 - b / r, 0 * ONE),),
        r**2 * b,
        a,
        [r * b, -a],
        {"a": 18, "b": 2, "r": 3},
    ),
    "a derivative at a point": (
        (same(a + b, ONE),),
        D(a**2 * b, a),
        2 * (1 - b) * b,
        [2 * b - 3 * b**2],
        {"a": 0.3, "b": 0.7},
    ),
}
"""What is supposed, left, right, right sides that do not follow, and a point."""


def outcome(facts: tuple[Expr, ...], left: Expr, right: Expr) -> Proved | Residue:
    return prove(Goal(left, right, {i: N}, facts, CONTEXT))


@pytest.mark.parametrize(("facts", "left", "right", "twins", "point"), CLAIMS.values(), ids=CLAIMS)
def test_what_follows_from_equations_is_proved(
    facts: tuple[Expr, ...], left: Expr, right: Expr, twins: list[Expr], point: dict[str, float]
) -> None:
    """What follows is proved, by the equations; what does not is not."""
    at = Point({}, 1, CONTEXT, fixed={(name, ()): mpf(value) for name, value in point.items()})

    assert all(abs(evaluate(fact.lhs - fact.rhs, at)) < 1e-9 for fact in facts)
    assert abs(evaluate(left - right, at)) < 1e-6
    proof = outcome(facts, left, right)
    assert isinstance(proof, Proved)
    for twin in twins:
        assert abs(evaluate(left - twin, at)) > 1e-3
        assert not isinstance(outcome(facts, left, twin), Proved)


def test_every_entry() -> None:
    """An equation for every index is used at each, under sums too; one for one index at that one alone."""
    circle = same(x(m) ** 2 + y(m) ** 2, ONE)
    left = Sum(x(k) ** 4 - y(k) ** 4, (k, 1, N))
    right = Sum(x(k) ** 2 - y(k) ** 2, (k, 1, N))

    assert isinstance(outcome((circle,), left, right), Proved)
    assert not isinstance(outcome((circle,), left, -right), Proved)
    assert not isinstance(outcome((circle.xreplace({m: i}),), left, right), Proved)
    assert isinstance(
        outcome((circle.xreplace({m: i}),), x(i) ** 4 - y(i) ** 4, x(i) ** 2 - y(i) ** 2), Proved
    )


def test_a_recurrence() -> None:
    """A recurrence is used as often as the difference asks for it."""
    fact = same(x(m), a * x(m - 1) + y(m))

    assert isinstance(outcome((fact,), x(i) - y(i), a**2 * x(i - 2) + a * y(i - 1)), Proved)
    assert not isinstance(outcome((fact,), x(i) - y(i), a**2 * x(i - 2) + y(i - 1)), Proved)


def test_an_equation_holds_in_its_range_only() -> None:
    """What holds at every index of one range says nothing of an index that runs elsewhere."""
    fact = same(x(m) * (c - m), 0 * ONE)
    elsewhere = Goal(entry("z", i) * (c - i), 0 * ONE, {i: M}, (fact,), CONTEXT)

    assert not isinstance(prove(elsewhere), Proved)
    assert isinstance(outcome((fact,), i * x(i), c * x(i)), Proved)


def test_a_system_that_refers_to_itself() -> None:
    """`x = y + a P x`, for every entry, rewrites no entry by itself for ever."""
    fact = same(x(m), y(m) + a * Sum(entry("P", m, k) * x(k), (k, 1, N)))
    left = x(i) - a * Sum(entry("P", i, k) * x(k), (k, 1, N))

    assert isinstance(outcome((fact,), left, y(i)), Proved)
    assert not isinstance(outcome((fact,), left, -y(i)), Proved)


def test_a_kink_that_an_equation_may_fix() -> None:
    """What holds almost everywhere is not proved where an equation may leave the kink alone."""
    step = sympy.Piecewise((ONE, a > 0), (-ONE, True))

    assert not isinstance(outcome((same(a * b, b),), D(sympy.Abs(a), a), step), Proved)
    assert isinstance(outcome((same(c * b, b),), D(sympy.Abs(a), a), step), Proved)


def test_names_the_equations_that_were_used() -> None:
    """An equation that has nothing to do with the goal is not named."""
    proof = outcome((same(a * b, ONE), same(c * d, ONE)), a**2 * b, a)

    assert isinstance(proof, Proved)
    assert proof.hypotheses == ("a*b = 1",)


def test_an_equation_is_summed_over_its_index() -> None:
    """Row sums of 1 and column sums that a multiplier tells: both are sums of all entries."""
    w = lambda *at: entry("P", *at)  # noqa: E731
    u = lambda at: entry("u", at, positive=True)  # noqa: E731
    n = fresh("n")
    context = Context(shapes={"P": (M, N), "u": (N,)})
    rows = same(Sum(w(n, k), (k, 1, N)), ONE)
    columns = same(Sum(w(k, m), (k, 1, M)) / u(m) + a, 0 * ONE)
    whole = same(Sum(u(k), (k, 1, N)), ONE)

    assert isinstance(prove(Goal(a, -M, {}, (rows, columns, whole), context)), Proved)
    assert not isinstance(prove(Goal(a, -N, {}, (rows, columns, whole), context)), Proved)
    assert not isinstance(prove(Goal(a, -M, {}, (rows, columns), context)), Proved)


def matrix(name: str) -> tuple[Expr, tuple[Expr, ...]]:
    row, column = fresh("r"), fresh("s")
    return entry(name, row, column), (row, column, N)


def times(name: str, of: str) -> Expr:
    """Return entry m of a matrix times a vector, for every m."""
    return Sum(entry(name, m, k) * entry(of, k), (k, 1, N))


def test_what_an_invertible_matrix_makes_equal_is_equal() -> None:
    """`P x = P y` tells that x = y where P is invertible, and only there."""
    fact = same(times("P", "x"), times("P", "y"))
    invertible = sympy.Ne(Det(*matrix("P")), 0)

    proof = outcome((fact, invertible), x(i), y(i))
    assert isinstance(proof, Proved)
    assert len(proof.hypotheses) == 2
    assert isinstance(outcome((fact, Definite(*matrix("P"))), x(i), y(i)), Proved)
    assert not isinstance(outcome((fact,), x(i), y(i)), Proved)
    assert not isinstance(outcome((fact, invertible), x(i), 2 * y(i)), Proved)
    assert not isinstance(outcome((fact.xreplace({m: i}), invertible), x(i), y(i)), Proved)


def test_an_inverse_in_an_equation_has_a_matrix() -> None:
    """`P^-1 = P^-1 S P^-1` tells that P = S, and neither S = 1 nor P = -S."""
    body, places = matrix("P")
    n, l = fresh("n"), fresh("l")  # noqa: E741
    inner = Sum(Inv(body, places, m, k) * entry("S", k, l) * Inv(body, places, l, n), (k, 1, N), (l, 1, N))
    fact = same(Inv(body, places, m, n) - inner, 0 * ONE)
    context = Context(shapes={"P": (N, N), "S": (N, N)})

    def proved(left: Expr, right: Expr) -> bool:
        return isinstance(prove(Goal(left, right, {i: N, j: N}, (fact,), context)), Proved)

    assert proved(entry("P", i, j), entry("S", i, j))
    assert not proved(entry("P", i, j), -entry("S", i, j))
    assert not proved(entry("S", i, j), KroneckerDelta(i, j))


INVERSE = (
    Sum(Inv(*matrix("P"), i, k) * x(k), (k, 1, N)),
    Sum(Inv(*matrix("P"), i, k) * y(k), (k, 1, N)),
)


def test_what_is_supposed_at_one_index_is_not_multiplied_by_a_matrix() -> None:
    """`P^-1 x = P^-1 y` at i does not follow from `x_i = y_i` at i alone, only from that at every index."""
    left, right = INVERSE

    assert not isinstance(outcome((same(x(i), y(i)),), left, right), Proved)
    assert isinstance(outcome((same(x(m), y(m)),), left, right), Proved)


@pytest.mark.parametrize("where", [sympy.Ne(i, j), i > j])
def test_nor_is_a_difference_where_indices_are_not_equal(where: Expr) -> None:
    """Off the diagonal `(a I + b S^-1) P^-1` is not 0, though multiplied by P and S it is only on it."""
    (body, places), (other, there) = matrix("P"), matrix("S")
    inner = Sum(Inv(other, there, i, k) * Inv(body, places, k, j), (k, 1, N))
    left = a * Inv(body, places, i, j) + b * inner
    context = Context(shapes={"P": (N, N), "S": (N, N)})
    facts = (same(a, c), where)

    assert not isinstance(prove(Goal(left, 0 * ONE, {i: N, j: N}, facts, context)), Proved)
    masked = Goal(left * indicator(where), 0 * ONE, {i: N, j: N}, facts[:1], context)
    assert not isinstance(prove(masked), Proved)

"""Points under hypotheses: found by construction, and checked by NumPy on the values alone."""

# ruff: noqa: N802 -- rows of mathematics: Q and A are matrices

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import sympy
from sympy import Eq, Ge, Gt, KroneckerDelta, Ne, Sum

from symderiv.judge.anatomy import Anatomy
from symderiv.judge.points import Kind, far_choices, sample, size_choices
from symderiv.kernel.terms import Context, Definite, Goal, Index, Size, entry

i, j, k, p, q = (Index(letter) for letter in "ijkpq")
n = Size("n")
a, b, c = entry("a"), entry("b"), entry("c")
SHAPES = {"a": (), "b": (), "c": (), "x": (n,), "y": (n,), "A": (n, n), "Q": (n, n)}


def x(*at: Any) -> sympy.Expr:
    return entry("x", *at)


def y(*at: Any) -> sympy.Expr:
    return entry("y", *at)


def A(*at: Any) -> sympy.Expr:
    return entry("A", *at)


def Q(*at: Any) -> sympy.Expr:
    return entry("Q", *at)


def dot(f: Any, g: Any) -> sympy.Expr:
    return Sum(f(k) * g(k), (k, 1, n))


SUM_ONE = Eq(Sum(x(k), (k, 1, n)), 1)
ROWS_ONE = Eq(Sum(A(i, k), (k, 1, n)), 1)
ORTHOGONAL = Eq(Sum(Q(k, i) * Q(k, j), (k, 1, n)), KroneckerDelta(i, j))
SYMMETRIC = Eq(A(i, j), A(j, i))
DEFINITE = Definite(A(p, q), (p, q, n))
ZERO_OR_ONE = Eq(y(i) ** 2, y(i))

Check = Callable[[dict[str, Any]], Any]
HYPOTHESES: dict[str, tuple[tuple[Any, ...], Check]] = {
    "an order": ((Gt(a, b),), lambda v: v["a"] > v["b"]),
    "two orders": ((Gt(a, b), Gt(b, c)), lambda v: v["a"] > v["b"] > v["c"]),
    "between": ((Gt(a, 0), Gt(b, a), Gt(1, b)), lambda v: 0 < v["a"] < v["b"] < 1),
    "a triangle": (
        (Gt(1, a + b), Gt(a, 0), Gt(b, 0)),
        lambda v: min(v["a"], v["b"], 1 - v["a"] - v["b"]) > 0,
    ),
    "a simplex": ((Gt(x(i), 0), SUM_ONE), lambda v: (v["x"] > 0).all() and one(v["x"].sum())),
    "two simplices": (
        (Gt(x(i), 0), SUM_ONE, Gt(y(i), 0), Eq(Sum(y(k), (k, 1, n)), 1)),
        lambda v: all((v[z] > 0).all() and one(v[z].sum()) for z in "xy"),
    ),
    "a closed simplex": (
        (Ge(x(i), 0), SUM_ONE, Ge(1, x(i))),
        lambda v: (v["x"] >= 0).all() and (v["x"] <= 1).all() and one(v["x"].sum()),
    ),
    "rows of probabilities": (
        (Gt(A(i, j), 0), ROWS_ONE),
        lambda v: (v["A"] > 0).all() and one(v["A"].sum(axis=1)),
    ),
    "rows and columns": (
        (Gt(A(i, j), 0), ROWS_ONE, Eq(Sum(A(k, j), (k, 1, n)), 1)),
        lambda v: (v["A"] > 0).all() and one(v["A"].sum(axis=1)) and one(v["A"].sum(axis=0)),
    ),
    "a ball": ((Gt(1, dot(x, x)),), lambda v: v["x"] @ v["x"] < 1),
    "an angle": ((Gt(dot(x, y), 0),), lambda v: v["x"] @ v["y"] > 0),
    "half a circle": (
        (Eq(a**2 + b**2, 1), Gt(a, 0)),
        lambda v: v["a"] > 0 and one(v["a"] ** 2 + v["b"] ** 2),
    ),
    "apart": ((Ne(x(i), y(i)),), lambda v: (abs(v["x"] - v["y"]) > 1e-6).all()),
    "trace one": (
        (SYMMETRIC, DEFINITE, Eq(Sum(A(k, k), (k, 1, n)), 1)),
        lambda v: np.linalg.eigvalsh(v["A"]).min() > 0 and one(np.trace(v["A"])),
    ),
    "a solution": (
        (Eq(Sum(A(i, k) * x(k), (k, 1, n)), y(i)), Gt(x(j), 0)),
        lambda v: (v["x"] > 0).all() and np.allclose(v["A"] @ v["x"], v["y"]),
    ),
    "one-hot": (
        (Eq(Sum(y(k), (k, 1, n)), 1), ZERO_OR_ONE),
        lambda v: sorted(v["y"].tolist()) == [0.0] * (len(v["y"]) - 1) + [1.0],
    ),
}
"""Hypotheses that have a solution at every size, and what NumPy says of the values."""

KINDS: tuple[Kind, ...] = ("real", "wide", "positive", "simple", "zero", "one", "tied")


def one(values: Any) -> bool:
    return bool(np.allclose(values, 1, rtol=0, atol=1e-11))


def goal(facts: tuple[Any, ...]) -> Goal:
    return Goal(a + x(1) + A(1, 1), a + x(1) + A(1, 1), {}, facts, Context(shapes=SHAPES))


@pytest.mark.parametrize(("facts", "check"), HYPOTHESES.values(), ids=HYPOTHESES)
def test_every_kind_of_point_is_found(facts: tuple[Any, ...], check: Check) -> None:
    """At each size, small or larger, a point of each kind satisfies the hypotheses."""
    given = goal(facts)
    anatomy = Anatomy(given)
    for sizes in (*size_choices(given, anatomy=anatomy), *far_choices(anatomy)):
        for kind in KINDS:
            for seed in range(2):
                point = sample(given, sizes, seed, kind, anatomy=anatomy)
                assert check({name: np.asarray(value) for name, value in point.values.items()}), (sizes, kind)


def test_orthogonal_matrices_are_found() -> None:
    """From a start with distinct entries; from zeros there is no way to one."""
    given = goal((ORTHOGONAL,))
    anatomy = Anatomy(given)
    for sizes in (*size_choices(given, anatomy=anatomy), *far_choices(anatomy)):
        found = sample(given, sizes, 0, "real", anatomy=anatomy).values["Q"]
        assert np.allclose(found.T @ found, np.eye(sizes["n"]), rtol=0, atol=1e-11)

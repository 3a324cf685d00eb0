"""Refutation: a witness is a fact that a person can check; a true statement never gets one."""

# ruff: noqa: ARG005, E741, N802 -- names and rows of mathematics: W is a matrix, l an index

from __future__ import annotations

import math
import time
from typing import Any

import pytest
from sympy import (
    Abs,
    Eq,
    Expr,
    Float,
    Heaviside,
    Integer,
    KroneckerDelta,
    Max,
    Min,
    Ne,
    Piecewise,
    Product,
    Rational,
    Sum,
    Symbol,
    Tuple,
    acos,
    asin,
    atan,
    cos,
    cosh,
    erf,
    erfc,
    exp,
    log,
    pi,
    sign,
    sin,
    sinh,
    sqrt,
    tan,
    tanh,
)

from symderiv.judge.refute import refute, screen
from symderiv.judge.verdict import Witness
from symderiv.kernel.terms import Context, D, Definition, Goal, Index, Opaque, Size, Unknown, entry

i, j, k, l, m, p, q, r = (Index(letter) for letter in "ijklmpqr")
n, T, N = Size("n"), Size("T"), Size("N")
a, b, c = entry("a"), entry("b"), entry("c")
u, v = entry("u", positive=True), entry("v", positive=True)
beta = entry("beta")
delta = KroneckerDelta(i, j)


def x(*at: Any) -> Expr:
    return entry("x", *at)


def y(*at: Any) -> Expr:
    return entry("y", *at)


def W(*at: Any) -> Expr:
    return entry("W", *at)


def A(*at: Any) -> Expr:
    return entry("A", *at)


SOFTMAX = Context(
    definitions={"y": Definition("y", (m,), exp(beta * x(m)) / Sum(exp(beta * x(k)), (k, 1, n)))},
    shapes={"x": (n,), "y": (n,), "beta": (), "a": ()},
)
LINEAR = Context(
    definitions={"y": Definition("y", (p,), Sum(W(p, q) * x(q), (q, 1, N)) + entry("b", p))},
    opaque={"L": Opaque("L", (), ("y",))},
    shapes={"x": (N,), "W": (T, N), "b": (T,), "y": (T,), "L": ()},
)
L = entry("L")
PLAIN = Context(shapes={"x": (n,), "y": (n,), "z": (n,), "A": (n, n), "B": (n, n), "W": (T, N)})


def goal(
    left: Any, right: Any, *free: Index, size: Any = n, context: Context = PLAIN, given: tuple[Any, ...] = ()
) -> Goal:
    return Goal(left + Integer(0), right + Integer(0), dict.fromkeys(free, size), given, context)


# Witnesses are checked again, from the values that they show


def _softmax_sides(witness: Witness, claim: Any) -> tuple[float, float]:
    """Compute ∂y_j/∂x_i by a central difference of plain Python's softmax, and the claim from y."""
    values, scale = witness.values["x"], witness.values["beta"]
    at, by = witness.indices["j"] - 1, witness.indices["i"] - 1

    def forward(points: list[float]) -> list[float]:
        total = math.fsum(math.exp(scale * one) for one in points)
        return [math.exp(scale * one) / total for one in points]

    def moved(step: float) -> float:
        return forward([one + step * (place == by) for place, one in enumerate(values)])[at]

    return (moved(1e-5) - moved(-1e-5)) / 2e-5, claim(forward(values), by, at, scale)


CORRUPT_SOFTMAX = [
    (-beta * y(i) * (delta - y(j)), lambda s, e, f, w: -w * s[e] * ((e == f) - s[f])),
    (beta * y(i) * (delta - y(i)), lambda s, e, f, w: w * s[e] * ((e == f) - s[e])),
    (beta * y(i) * (delta + y(j)), lambda s, e, f, w: w * s[e] * ((e == f) + s[f])),
    (beta * y(i) * (1 - y(j)), lambda s, e, f, w: w * s[e] * (1 - s[f])),
    (-beta * y(i) * y(j), lambda s, e, f, w: -w * s[e] * s[f]),
    (y(i) * (delta - y(j)), lambda s, e, f, w: s[e] * ((e == f) - s[f])),
    (beta**2 * y(i) * (delta - y(j)), lambda s, e, f, w: w**2 * s[e] * ((e == f) - s[f])),
    (2 * beta * y(i) * (delta - y(j)), lambda s, e, f, w: 2 * w * s[e] * ((e == f) - s[f])),
    (beta * y(i) ** 2 * (delta - y(j)), lambda s, e, f, w: w * s[e] ** 2 * ((e == f) - s[f])),
    (beta * y(i) * (delta - y(j) ** 2), lambda s, e, f, w: w * s[e] * ((e == f) - s[f] ** 2)),
    (
        beta * y(i) * (delta - y(j)) * Rational(1001, 1000),
        lambda s, e, f, w: 1.001 * w * s[e] * ((e == f) - s[f]),
    ),
    (beta * (delta - y(j)), lambda s, e, f, w: w * ((e == f) - s[f])),
    (beta * y(i) * delta, lambda s, e, f, w: w * s[e] * (e == f)),
]


@pytest.mark.parametrize(("right", "claim"), CORRUPT_SOFTMAX)
def test_corrupted_softmax_jacobian(right: Expr, claim: Any) -> None:
    """Each corruption has a witness, and plain Python computes the numbers that it shows."""
    witness = refute(goal(D(y(j), x(i)), right, i, j, context=SOFTMAX))
    assert witness is not None
    left, wrong = _softmax_sides(witness, claim)
    assert float(witness.left) == pytest.approx(left, abs=1e-7)
    assert float(witness.right) == pytest.approx(wrong, abs=1e-7)
    assert witness.sizes["n"] <= 2
    assert witness.digits >= 50


def _linear_values(witness: Witness) -> tuple[list[list[float]], list[float], list[float]]:
    values = witness.values
    return values["W"], values["x"], values["\\partial L/\\partial y"]


T_N = {i: T, j: N}
CORRUPT_LINEAR = [
    (T_N, D(L, W(i, j)), -D(L, y(i)) * x(j), lambda w, h, g, e, f: (g[e] * h[f], -g[e] * h[f])),
    (T_N, D(L, W(i, j)), D(L, y(i)), lambda w, h, g, e, f: (g[e] * h[f], g[e])),
    (T_N, D(L, W(i, j)), D(L, y(i)) * x(j) ** 2, lambda w, h, g, e, f: (g[e] * h[f], g[e] * h[f] ** 2)),
    (
        T_N,
        D(L, W(i, j)),
        Sum(D(L, y(k)) * x(j), (k, 1, T)),
        lambda w, h, g, e, f: (g[e] * h[f], sum(g) * h[f]),
    ),
    (T_N, D(L, W(i, j)), T * D(L, y(i)) * x(j), lambda w, h, g, e, f: (g[e] * h[f], len(g) * g[e] * h[f])),
    ({i: T}, D(L, entry("b", i)), 2 * D(L, y(i)), lambda w, h, g, e: (g[e], 2 * g[e])),
    (
        {j: N},
        D(L, x(j)),
        Sum(D(L, y(k)) * W(k, j) ** 2, (k, 1, T)),
        lambda w, h, g, f: (
            sum(g[e] * w[e][f] for e in range(len(g))),
            sum(g[e] * w[e][f] ** 2 for e in range(len(g))),
        ),
    ),
    (
        {j: N},
        D(L, x(j)),
        Sum(D(L, y(k)), (k, 1, T)),
        lambda w, h, g, f: (sum(g[e] * w[e][f] for e in range(len(g))), sum(g)),
    ),
]


@pytest.mark.parametrize(("ranges", "left", "right", "sides"), CORRUPT_LINEAR)
def test_corrupted_linear_gradients(ranges: dict[Index, Size], left: Expr, right: Expr, sides: Any) -> None:
    """The upstream gradient is shown, so that both sides can be computed by hand, in small numbers."""
    witness = refute(Goal(left, right, ranges, (), LINEAR))
    assert witness is not None
    at = [witness.indices[index.name] - 1 for index in ranges]
    expected = sides(*_linear_values(witness), *at)
    assert (float(witness.left), float(witness.right)) == pytest.approx(expected)
    assert all(float(one * 4).is_integer() for row in witness.values["W"] for one in row)


FALSE: list[tuple[str, Goal, dict[str, int] | None, dict[str, int] | None]] = [
    ("a constant", goal(a, a + Rational(1, 10**6), context=PLAIN), None, None),
    (
        "only at n = 1",
        goal(Sum(KroneckerDelta(k, 1), (k, 1, n)) * a, Piecewise((0, Eq(n, 1)), (a, True))),
        {"n": 1},
        None,
    ),
    ("all but n = 2 … 5", goal((n - 2) * (n - 3) * (n - 4) * (n - 5) * a, 0), {"n": 1}, None),
    ("all but n = 1, 2, 3", goal((n - 1) * (n - 2) * (n - 3) * a, 0), {"n": 4}, None),
    ("all but n = 1 … 4", goal((n - 1) * (n - 2) * (n - 3) * (n - 4) * a, 0), {"n": 5}, None),
    ("only when T ≠ N", goal(T * a, N * a), {"N": 1, "T": 2}, None),
    ("only when T > N", goal(Max(T, N) * a, N * a), {"N": 1, "T": 2}, None),
    ("only when T < N", goal(Min(T, N) * a, N * a), {"N": 2, "T": 1}, None),
    ("only for i ≠ j", goal(KroneckerDelta(i, j) * x(i), x(j), i, j), {"n": 2}, {"i": 1, "j": 2}),
    ("only for i = j", goal(x(i) - x(j) + delta, x(i) - x(j), i, j), {"n": 1}, {"i": 1, "j": 1}),
    ("only for i < j", goal(Piecewise((1, i < j), (0, True)), 0, i, j), {"n": 2}, {"i": 1, "j": 2}),
    ("a bound that is one short", goal(Sum(x(k), (k, 1, n - 1)), Sum(x(k), (k, 1, n))), {"n": 1}, None),
    ("a root of a square", goal(sqrt(a**2), a), None, None),
    (
        "a product of sums",
        goal(Sum(x(k) * y(k), (k, 1, n)), Sum(x(k), (k, 1, n)) * Sum(y(l), (l, 1, n))),
        {"n": 2},
        None,
    ),
    (
        "a transpose",
        goal(Sum(A(i, k) * x(k), (k, 1, n)), Sum(A(k, i) * x(k), (k, 1, n)), i),
        {"n": 2},
        {"i": 1},
    ),
    ("a log of a sum", goal(log(u + v), log(u) + log(v)), None, None),
    ("a power of a power", goal(u ** (a * b), u**a * u**b), None, None),
    ("a small exponent", goal(u ** Rational(1, 1000), 1 + log(u) / 1000), None, None),
    ("Adam's epsilon", goal(a / (sqrt(u) + Rational(1, 10**8)), a / sqrt(u)), None, None),
    (
        "a rounded constant",
        goal(Rational(7978845608, 10**10) * a, sqrt(2 / pi) * a * Rational(1001, 1000)),
        None,
        None,
    ),
    ("the kink's side", goal(D(Max(a, 0), a), Heaviside(-a)), None, None),
    (
        "an unknown function's order",
        goal(D(Unknown(Symbol("f"), Tuple(0), a * b), a), Unknown(Symbol("f"), Tuple(1), a * b)),
        None,
        None,
    ),
    (
        "the second derivative",
        goal(D(Sum(x(k) ** 3, (k, 1, n)), x(i), x(j)), 6 * x(i), i, j),
        {"n": 2},
        {"i": 1, "j": 2},
    ),
    ("defined for positive values only", goal(log(a**2 * b), log(a * b), context=PLAIN), None, None),
    ("defined in an interval only", goal(asin(a) + acos(a), pi / 3), None, None),
    (
        "a sum over one index less",
        goal(Sum(Sum(A(k, l), (l, 1, k)), (k, 1, n)), Sum(A(k, l), (k, 1, n), (l, 1, n))),
        {"n": 2},
        None,
    ),
    (
        "under a hypothesis",
        goal(
            Sum(y(k) * (x(k) + 1), (k, 1, n)),
            Sum(y(k) * x(k), (k, 1, n)) + 2,
            given=(Eq(Sum(y(k), (k, 1, n)), 1),),
        ),
        {"n": 1},
        None,
    ),
    (
        "an asymmetric matrix",
        goal(
            D(Sum(x(k) * A(k, l) * x(l), (k, 1, n), (l, 1, n)), x(i)), 2 * Sum(A(i, k) * x(k), (k, 1, n)), i
        ),
        {"n": 2},
        {"i": 1},
    ),
    ("a billionth", goal(Rational(10**9 + 1, 10**9) * a, a), None, None),
    ("less than float64 sees", goal((1 + Rational(1, 10**20)) * a, a), None, None),
    ("less than float64 sees, beside", goal(a + Rational(1, 10**20), a), None, None),
    ("a decimal of eighteen digits", goal(Rational(333333333333333333, 10**18) * a, a / 3), None, None),
    (
        "a billionth of a derivative",
        goal(D(a**3, a), 3 * a**2 * Rational(10**9 + 1, 10**9)),
        None,
        None,
    ),
    (
        "an empty sum at T = 1",
        Goal(
            D(L, W(i, j)),
            Sum(D(L, y(k)) * D(y(k), W(i, j)), (k, 1, T - 1)),
            {i: T, j: N},
            (),
            LINEAR,
        ),
        {"N": 1, "T": 1},
        {"i": 1, "j": 1},
    ),
    (
        "a sum that stops at another size",
        goal(Sum(W(i, k) * x(k), (k, 1, N)), Sum(W(i, l) * x(l), (l, 1, T)), i, size=T, context=LINEAR),
        {"N": 2, "T": 1},
        {"i": 1},
    ),
    (
        "a sum that stops after another size",
        goal(Sum(W(i, k) * x(k), (k, 1, N)), Sum(W(i, l) * x(l), (l, 1, T + 1)), i, size=T, context=LINEAR),
        {"N": 3, "T": 1},
        {"i": 1},
    ),
    ("a large but honest number", goal(exp(20 + a), exp(20) * (1 + a)), None, None),
    ("a very small number", goal(exp(-40) * a, exp(-41) * a), None, None),
]


@pytest.mark.parametrize(
    ("false", "sizes", "indices"), [row[1:] for row in FALSE], ids=[row[0] for row in FALSE]
)
def test_false_statements_have_the_smallest_witness(
    false: Goal, sizes: dict[str, int] | None, indices: dict[str, int] | None
) -> None:
    """Smallest sizes and first indices; both numbers as text differ."""
    start = time.perf_counter()
    found = screen(false)
    assert time.perf_counter() - start < 1
    assert found.witness is not None
    assert found.agreement is None
    assert found.witness.left != found.witness.right
    float(found.witness.left), float(found.witness.right)
    assert sizes is None or found.witness.sizes == sizes
    assert indices is None or found.witness.indices == indices


SYMMETRIC = (Eq(A(p, q), A(q, p)),)
SUM_ONE = (Eq(Sum(y(k), (k, 1, n)), 1),)
f = Symbol("f")
S_OF = Context(
    definitions={
        "s": Definition("s", (), 1 / (1 + exp(-a))),
        "mu": Definition("mu", (), Sum(x(k), (k, 1, n)) / n),
        "var": Definition("var", (), Sum((x(k) - entry("mu")) ** 2, (k, 1, n)) / n),
        "z": Definition("z", (p,), (x(p) - entry("mu")) / sqrt(entry("var") + u)),
    },
    shapes={"x": (n,), "a": (), "s": (), "mu": (), "var": (), "z": (n,), "u": ()},
)
s, mu, var = entry("s"), entry("mu"), entry("var")
lse = Max(a, b) + log(exp(a - Max(a, b)) + exp(b - Max(a, b)))

TRUE: list[tuple[str, Goal]] = [
    ("softmax Jacobian", goal(D(y(j), x(i)), beta * y(i) * (delta - y(j)), i, j, context=SOFTMAX)),
    (
        "softmax for i = j",
        goal(D(y(j), x(i)), beta * y(i) * (1 - y(i)), i, j, context=SOFTMAX, given=(Eq(i, j),)),
    ),
    ("softmax for i ≠ j", goal(D(y(j), x(i)), -beta * y(i) * y(j), i, j, context=SOFTMAX, given=(Ne(i, j),))),
    ("softmax sums to 1", goal(Sum(y(k), (k, 1, n)), 1, context=SOFTMAX)),
    ("rows of its Jacobian sum to 0", goal(Sum(D(y(j), x(k)), (k, 1, n)), 0, j, context=SOFTMAX)),
    ("softmax by beta", goal(D(y(j), beta), y(j) * (x(j) - Sum(y(k) * x(k), (k, 1, n))), j, context=SOFTMAX)),
    (
        "second derivative of softmax",
        goal(D(y(j), x(i), x(l)), beta * D(y(i) * (delta - y(j)), x(l)), i, j, l, context=SOFTMAX),
    ),
    ("linear by W", Goal(D(L, W(i, j)), D(L, y(i)) * x(j), T_N, (), LINEAR)),
    ("linear by x", Goal(D(L, x(j)), Sum(W(k, j) * D(L, y(k)), (k, 1, T)), {j: N}, (), LINEAR)),
    (
        "linear, second derivative",
        Goal(D(D(L, y(i)), x(j)), Sum(D(L, y(i), y(k)) * W(k, j), (k, 1, T)), T_N, (), LINEAR),
    ),
    ("sigmoid", goal(D(s, a), s * (1 - s), context=S_OF)),
    ("sigmoid of a negative", goal(1 - s, 1 / (1 + exp(a)), context=S_OF)),
    ("variance", goal(var, Sum(x(k) ** 2, (k, 1, n)) / n - mu**2, context=S_OF)),
    ("variance by x", goal(D(var, x(i)), 2 * (x(i) - mu) / n, i, context=S_OF)),
    (
        "layer norm",
        goal(
            D(entry("z", j), x(i)),
            (delta - 1 / n - entry("z", i) * entry("z", j) / n) / sqrt(var + u),
            i,
            j,
            context=S_OF,
        ),
    ),
    ("deviations sum to 0", goal(Sum(x(k) - mu, (k, 1, n)), 0, context=S_OF)),
    (
        "sample variance is undefined at n = 1",
        goal(Sum(x(k), (k, 1, n)) / (n - 1) * (n - 1), Sum(x(k), (k, 1, n))),
    ),
    ("x over x", goal(a / a * sin(a) / a, sin(a) / a)),
    ("removable singularity", goal(Sum((x(i) - x(j)) / (x(i) - x(j)), (k, 1, n)) * Integer(1), n, i, j)),
    ("removable at the diagonal", goal((x(i) ** 2 - x(j) ** 2) / (x(i) - x(j)), x(i) + x(j), i, j)),
    ("root of a square", goal(sqrt(a**2), Abs(a))),
    ("log of a square", goal(log(a**2), 2 * log(a))),
    ("log of a product", goal(log(a * b), log(a) + log(b))),
    ("power of a power", goal((u**a) ** b, u ** (a * b))),
    ("tanh", goal(tanh(a), (exp(2 * a) - 1) / (exp(2 * a) + 1))),
    ("tan", goal(tan(a), sin(a) / cos(a))),
    ("cosh", goal(cosh(a) ** 2 - sinh(a) ** 2, 1)),
    ("cosh of a large number", goal(cosh(20 * a) ** 2 - sinh(20 * a) ** 2, 1)),
    ("erf", goal(erf(a) + erfc(a), 1)),
    ("erf far out", goal(1 - erf(6 * a), erfc(6 * a))),
    ("asin", goal(sin(asin(a)), a)),
    ("asin and acos", goal(asin(a) + acos(a), pi / 2)),
    ("atan", goal(D(atan(a), a), 1 / (1 + a**2))),
    ("softplus", goal(log(1 + exp(a)) - a, log(1 + exp(-a)))),
    ("softplus of a large number", goal(log(1 + exp(50 * a)) - 50 * a, log(1 + exp(-50 * a)))),
    (
        "softplus of a huge number",
        goal(log(1 + exp(exp(2 * a + 1))) - exp(2 * a + 1), log(1 + exp(-exp(2 * a + 1)))),
    ),
    ("cancellation of a huge number", goal((exp(exp(2 + a)) + b) - exp(exp(2) * exp(a)), b)),
    ("cancellation in constants", goal((a + Integer(10) ** 30) * b - Integer(10) ** 30 * b, a * b)),
    ("logsumexp", goal(lse, log(exp(a) + exp(b)))),
    ("overflow", goal(exp(500 * a) * exp(-500 * a + b), exp(b))),
    ("underflow", goal(exp(-800 * u) * exp(800 * u), 1)),
    ("relu", goal(Max(a, 0), a * Heaviside(a))),
    ("relu's derivative", goal(D(Max(a, 0), a), Heaviside(a))),
    ("relu's derivative with ≥", goal(D(Max(a, 0), a), Piecewise((1, a >= 0), (0, True)))),
    (
        "relu of integers",
        goal(
            D(Max(x(i), x(j)), x(k)),
            Piecewise((KroneckerDelta(i, k), x(i) >= x(j)), (KroneckerDelta(j, k), True)),
            i,
            j,
            k,
        ),
    ),
    ("abs", goal(D(Abs(a), a), sign(a))),
    ("abs of a difference", goal(D(Sum(Abs(x(k) - y(k)), (k, 1, n)), x(i)), sign(x(i) - y(i)), i)),
    ("max and min", goal(Max(a, b) + Min(a, b), a + b)),
    ("norm", goal(D(sqrt(Sum(x(k) ** 2, (k, 1, n))), x(i)), x(i) / sqrt(Sum(x(k) ** 2, (k, 1, n))), i)),
    (
        "distance",
        goal(
            D(sqrt((x(i) - x(j)) ** 2), x(i)),
            (x(i) - x(j)) / sqrt((x(i) - x(j)) ** 2),
            i,
            j,
            given=(Ne(i, j),),
        ),
    ),
    ("product rule", goal(D(x(i) * y(i), x(j)), delta * y(i), i, j)),
    ("derivative of a product", goal(D(Product(x(k), (k, 1, n)), x(i)), Product(x(k), (k, 1, n)) / x(i), i)),
    ("geometric sum", goal(Sum(a**k, (k, 1, n)), a * (1 - a**n) / (1 - a))),
    ("sum of integers", goal(Sum(k, (k, 1, n)), n * (n + 1) / 2)),
    ("alternating signs", goal(Sum((-1) ** k, (k, 1, n)), ((-1) ** n - 1) / 2)),
    (
        "exchange of sums",
        goal(Sum(Sum(A(k, l), (l, k, n)), (k, 1, n)), Sum(Sum(A(p, q), (p, 1, q)), (q, 1, n))),
    ),
    (
        "exclusion",
        goal(Sum(Piecewise((x(k), Ne(k, i)), (0, True)), (k, 1, n)), Sum(x(k), (k, 1, n)) - x(i), i),
    ),
    ("telescope", goal(Sum(x(k + 1) - x(k), (k, 1, n - 1)), x(n) - x(1))),
    ("shift", goal(Sum(x(k) * y(k + 1), (k, 1, n - 1)), Sum(x(k - 1) * y(k), (k, 2, n)))),
    ("out of range", goal(x(i + 1) - x(i), -(x(i) - x(i + 1)), i)),
    (
        "quadratic form",
        goal(
            D(Sum(x(k) * A(k, l) * x(l), (k, 1, n), (l, 1, n)), x(i)),
            2 * Sum(A(i, k) * x(k), (k, 1, n)),
            i,
            given=SYMMETRIC,
        ),
    ),
    ("sum is one", goal(Sum(y(k) * (x(k) - Sum(y(l) * x(l), (l, 1, n))), (k, 1, n)), 0, given=SUM_ONE)),
    ("division by what is 0 under a hypothesis", goal(a / (1 - Sum(y(k), (k, 1, n))), b, given=SUM_ONE)),
    ("unknown function", goal(D(Unknown(f, Tuple(0), a * b), a), b * Unknown(f, Tuple(1), a * b))),
    (
        "unknown function of two",
        goal(
            D(Unknown(f, Tuple(0, 0), a, a * b), a),
            Unknown(f, Tuple(1, 0), a, a * b) + b * Unknown(f, Tuple(0, 1), a, a * b),
        ),
    ),
    (
        "unknown function, second",
        goal(
            D(Unknown(f, Tuple(0), a**2), a, a),
            2 * Unknown(f, Tuple(1), a**2) + 4 * a**2 * Unknown(f, Tuple(2), a**2),
        ),
    ),
    ("exact decimals", goal(Rational(1, 10) * a + Rational(2, 10) * a, Rational(3, 10) * a)),
    ("long decimals", goal((1 + Rational(1, 10**20)) * a - a, a * Rational(1, 10**20))),
    (
        "long decimals of functions",
        goal(exp(a * Rational(10**12 + 1, 10**12)), exp(a) * exp(a * Rational(1, 10**12))),
    ),
    ("an empty sum", goal(Sum(D(L, y(k)) * a, (k, 2, 1)), 0, context=LINEAR)),
    ("rounded constants", goal(Float("0.1") + Float("0.2") + a - a * 1, Float("0.3") + 0 * a)),
    ("a rounded zero", goal((Float("0.1") * a + Float("0.2") * a) - Float("0.3") * a, Integer(0))),
    ("0 to the 0", goal((a - a) ** Integer(0) * b, b)),
    ("only undefined", goal(log(-u), a)),
    ("cube roots", goal((a**3) ** Rational(1, 3), a, given=())),
    ("assumption between sizes", goal(T * a, N * a, given=(Eq(T, N),))),
    ("ordered indices", goal(Piecewise((1, i < j), (0, True)), 1, i, j, given=(i < j,))),
]


@pytest.mark.parametrize("true", [row[1] for row in TRUE], ids=[row[0] for row in TRUE])
def test_true_statements_are_never_refuted(true: Goal) -> None:
    """Whatever the rounding, the overflow, the kinks or the singularities."""
    for seed in range(3):
        found = screen(true, seed=seed)
        assert found.witness is None
        assert (found.agreement is None) == (found.reason is not None)
        assert found.agreement is None or found.agreement.agrees


NOTHING_TO_COMPARE = {"only undefined", "division by what is 0 under a hypothesis"}


@pytest.mark.parametrize("true", [row[1] for row in TRUE if row[0] not in NOTHING_TO_COMPARE])
def test_true_statements_are_compared(true: Goal) -> None:
    """Agreement is counted in entries; nearly every true statement is defined somewhere."""
    found = screen(true)
    assert found.agreement is not None
    assert found.agreement.entries > 0
    assert found.sizes


def test_reasons() -> None:
    """Where nothing could be compared, the reason is told."""
    assert screen(goal(log(-u), a)).reason == "no sampled point has both sides defined"
    assert screen(goal(D(D(L, x(i)), y(j)), 0, i, j, context=LINEAR)).reason is not None


def test_terms_nested_too_deeply_have_a_reason() -> None:
    """Python's stack is no bound on what a document may hold."""
    deep = a
    for _ in range(900):
        deep = Unknown(Symbol("f"), Tuple(0), deep)
    assert screen(Goal(deep, Integer(0), {}, (), PLAIN)).reason == "the terms are nested too deeply"


def test_the_deadline_is_kept() -> None:
    """With no time left nothing is compared."""
    found = screen(goal(D(y(j), x(i)), a, i, j, context=SOFTMAX), deadline=time.monotonic() - 1)
    assert found.witness is None
    assert found.reason == "out of time"


def test_the_order_of_the_ranges_does_not_matter() -> None:
    """Which entry is shown, and in which order its indices, is the same however the ranges came."""
    left, right = D(y(j), x(i)), beta * y(i) * (delta - 2 * y(j))
    one, other = (refute(goal(left, right, *free, context=SOFTMAX)) for free in ((i, j), (j, i)))
    assert one == other
    assert list(one.indices) == list(other.indices) == ["i", "j"]


def test_same_seed_same_witness() -> None:
    """Refutation is deterministic."""
    false = goal(D(y(j), x(i)), -beta * y(i) * (delta - y(j)), i, j, context=SOFTMAX)
    assert refute(false) == refute(false)
    assert refute(false, seed=7) is not None


def deviations(size: int) -> tuple[Expr, Context]:
    """Return the sum of the deviations from the mean at a fixed size, and what it is about."""
    mean = Sum(x(q), (q, 1, size)) / size
    return Sum(x(k) - mean, (k, 1, size)), Context(shapes={"x": (Integer(size),)})


def test_a_large_size_that_is_used_as_a_number_is_compared_at_small_ones() -> None:
    """A mean over 4096 would need 16 million numbers; the same for every size needs a few."""
    term, context = deviations(4096)
    found = screen(Goal(term, Integer(0), {}, (), context), extent="brief")
    assert found.agreement is not None
    assert [list(sizes) for sizes in found.sizes] == [["4096"]] * len(found.sizes)


def test_a_witness_against_a_large_size_is_at_that_size() -> None:
    """What differs for sizes of any value may be true at 40: it is looked at there."""
    term, context = deviations(40)
    witness = screen(Goal(term, x(1), {}, (), context)).witness
    assert witness is not None
    assert witness.sizes == {}
    assert len(witness.values["x"]) == 40


@pytest.mark.parametrize("extent", ["brief", "whole", "far"])
def test_every_extent_refutes(extent: Any) -> None:
    """Whatever is compared, a plain difference is seen, at sizes that the extent allows."""
    witness = screen(goal(Sum(x(k), (k, 1, n)), Sum(x(k), (k, 1, n)) + n * a), extent=extent).witness
    assert witness is not None


def test_a_difference_that_vanishes_at_small_sizes_is_seen_at_larger_ones() -> None:
    """The factors are 0 wherever both sizes are small."""
    factor = math.prod(T - at for at in range(1, 7)) * math.prod(N - at for at in range(1, 7))
    false = goal(W(i, j), (1 + factor) * W(i, j), i, j)
    false = Goal(false.left, false.right, {i: T, j: N}, (), PLAIN)
    assert screen(false).witness is None
    assert screen(false, extent="far").witness is not None

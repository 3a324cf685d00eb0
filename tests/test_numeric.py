"""The oracle against plain loops: every term is computed a second time, entry by entry, in plain Python."""

# ruff: noqa: ARG005, E741, N802 -- names and rows of mathematics: W is a matrix, l an index

from __future__ import annotations

import itertools
import math
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import sympy
from sympy import (
    Abs,
    Eq,
    Expr,
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
    cos,
    erf,
    exp,
    log,
    pi,
    sign,
    sin,
    sqrt,
    tanh,
)

from symderiv.judge.anatomy import Anatomy, NotEvaluableError
from symderiv.judge.arithmetic import FLOAT, Arithmetic, many_digits
from symderiv.judge.frames import Frame, Point, over
from symderiv.judge.grids import Table, undefined
from symderiv.judge.numeric import cross_check, evaluate, sample, settle, size_choices, survey
from symderiv.judge.points import CannotSampleError
from symderiv.judge.recall import Recall
from symderiv.judge.skeletons import Indicator, Whole, compiled, skeleton
from symderiv.judge.walker import Walker
from symderiv.kernel.terms import (
    Cases,
    Context,
    D,
    Definite,
    Definition,
    Det,
    Goal,
    Index,
    Inv,
    Opaque,
    Size,
    Unknown,
    entry,
    indicator,
)

i, j, k, l, m, p, q = (Index(letter) for letter in "ijklmpq")
n, T, N = Size("n"), Size("T"), Size("N")
beta, eps, c = entry("beta"), entry("epsilon", positive=True), entry("c")


def x(*at: Any) -> Expr:
    return entry("x", *at)


def y(*at: Any) -> Expr:
    return entry("y", *at)


def W(*at: Any) -> Expr:
    return entry("W", *at)


def A(*at: Any) -> Expr:
    return entry("A", *at)


SHAPES = {"x": (N,), "W": (T, N), "A": (N, N), "b": (T,), "beta": (), "epsilon": (), "c": ()}
CONTEXT = Context(
    definitions={
        "y": Definition("y", (p,), Sum(W(p, q) * x(q), (q, 1, N)) + entry("b", p)),
        "s": Definition("s", (m,), exp(beta * x(m)) / Sum(exp(beta * x(k)), (k, 1, N))),
        "v": Definition("v", (), Sum(x(q) ** 2, (q, 1, N)) / N + eps),
    },
    opaque={"L": Opaque("L", (), ("y",)), "h": Opaque("h", (p,), ("x", "c"))},
    shapes={**SHAPES, "y": (T,), "s": (N,), "v": (), "L": (), "h": (T,)},
)
SIZES = {"T": 2, "N": 3}
VALUES = {
    "x": np.array([0.5, -1.25, 2.0]),
    "W": np.array([[1.5, -0.75, 0.25], [2.0, 1.0, -0.5]]),
    "A": np.array([[1.0, 2.5, -0.5], [0.75, -1.5, 3.0], [0.5, 0.25, 1.25]]),
    "b": np.array([0.5, -2.0]),
    "beta": np.array(0.75),
    "epsilon": np.array(0.125),
    "c": np.array(-1.5),
}
POINT = Point(VALUES)
X, WW, AA, B = (VALUES[name].tolist() for name in ("x", "W", "A", "b"))
BETA, EPS, C = 0.75, 0.125, -1.5
R = range(3)
YY = [sum(WW[t][a] * X[a] for a in R) + B[t] for t in range(2)]
S = [math.exp(BETA * X[a]) / sum(math.exp(BETA * one) for one in X) for a in R]
V = sum(one**2 for one in X) / 3 + EPS

NAN = math.nan

TERMS: list[tuple[str, Expr, dict[Index, Expr], Callable[..., float]]] = [
    ("entry", x(i), {i: N}, lambda a: X[a]),
    ("transposed", W(j, i), {i: N, j: T}, lambda a, b: WW[b][a]),
    ("diagonal", A(i, i), {i: N}, lambda a: AA[a][a]),
    ("fixed entry", W(2, i), {i: N}, lambda a: WW[1][a]),
    ("last entry", x(N), {}, lambda: X[2]),
    ("out of range", W(i, j), {i: N, j: N}, lambda a, b: WW[a][b] if a < 2 else NAN),
    ("shift", x(i + 1), {i: N}, lambda a: X[a + 1] if a < 2 else NAN),
    (
        "convolution",
        Sum(x(i + k - 1) * x(k), (k, 1, 2)),
        {i: N},
        lambda a: X[a] * X[0] + X[a + 1] * X[1] if a < 2 else NAN,
    ),
    ("reversed", x(N - i + 1), {i: N}, lambda a: X[2 - a]),
    (
        "product of matrices",
        Sum(A(i, k) * A(k, j), (k, 1, N)),
        {i: N, j: N},
        lambda a, b: sum(AA[a][e] * AA[e][b] for e in R),
    ),
    ("trace", Sum(A(k, k), (k, 1, N)), {}, lambda: sum(AA[e][e] for e in R)),
    (
        "double sum",
        Sum(x(k) * A(k, l) * x(l), (k, 1, N), (l, 1, N)),
        {},
        lambda: sum(X[e] * AA[e][f] * X[f] for e in R for f in R),
    ),
    ("triangular", Sum(x(k), (k, 1, i - 1)), {i: N}, lambda a: sum(X[:a])),
    ("triangular from above", Sum(x(k), (k, i + 1, N)), {i: N}, lambda a: sum(X[a + 1 :])),
    (
        "nested triangular",
        Sum(Sum(A(k, l), (l, k, N)), (k, 1, i)),
        {i: N},
        lambda a: sum(AA[e][f] for e in range(a + 1) for f in range(e, 3)),
    ),
    (
        "dependent limits",
        Sum(A(k, l), (l, k, N), (k, 1, i)),
        {i: N},
        lambda a: sum(AA[e][f] for e in range(a + 1) for f in range(e, 3)),
    ),
    ("sum of a constant", Sum(c, (k, 1, N)), {}, lambda: 3 * C),
    ("sum of a constant to i", Sum(c, (k, 2, i)), {i: N}, lambda a: a * C),
    ("sum of an index", Sum(k**2, (k, 1, N)), {}, lambda: 14),
    ("sum from 0", Sum(x(k + 1) * k, (k, 0, N - 1)), {}, lambda: X[1] + 2 * X[2]),
    ("empty sum", Sum(x(k), (k, 4, N)), {}, lambda: 0),
    ("product", Product(x(k), (k, 1, N)), {}, lambda: X[0] * X[1] * X[2]),
    ("triangular product", Product(x(k), (k, 1, i - 1)), {i: N}, lambda a: math.prod(X[:a])),
    ("product of a constant", Product(c, (k, 1, i)), {i: N}, lambda a: C ** (a + 1)),
    (
        "delta",
        KroneckerDelta(i, j) * x(i) + KroneckerDelta(i, j + 1),
        {i: N, j: N},
        lambda a, b: (a == b) * X[a] + (a == b + 1),
    ),
    (
        "delta keeps out of range out",
        Sum(KroneckerDelta(k, i) * x(k), (k, 1, T)),
        {i: N},
        lambda a: X[a] if a < 2 else 0,
    ),
    ("indicator of undefined", KroneckerDelta(i, 1) * x(i + 1), {i: N}, lambda a: X[1] if a == 0 else 0),
    (
        "cases on indices",
        Piecewise((x(i), Eq(i, j)), (2, i < j), (x(j), True)),
        {i: N, j: N},
        lambda a, b: X[a] if a == b else 2 if a < b else X[b],
    ),
    (
        "cases on values",
        Piecewise((x(i), x(i) > 0), (c * x(i), True)),
        {i: N},
        lambda a: X[a] if X[a] > 0 else C * X[a],
    ),
    ("cases that miss one", Piecewise((x(i), i < 3)), {i: N}, lambda a: X[a] if a < 2 else NAN),
    (
        "and, or, not",
        Piecewise((1, (i < j) & (x(i) > 0) | Ne(j, 2)), (0, True)),
        {i: N, j: N},
        lambda a, b: float((a < b and X[a] > 0) or b != 1),
    ),
    (
        "cases",
        Cases(x(i), Eq(i, j), 2, i < j, x(j), sympy.true),
        {i: N, j: N},
        lambda a, b: X[a] if a == b else 2 if a < b else X[b],
    ),
    (
        "cases of a sum in a sum",
        Sum(exp(Sum(indicator(l <= k) * x(l), (l, 1, N))), (k, 1, N)),
        {},
        lambda: sum(math.exp(sum(X[: e + 1])) for e in R),
    ),
    (
        "cases keep out of range out",
        Sum(indicator(k + i <= N) * x(k + i), (k, 1, N)),
        {i: N},
        lambda a: sum(X[a + 1 :]),
    ),
    (
        "max, min",
        Max(x(i), x(j), 0) - Min(x(i), c),
        {i: N, j: N},
        lambda a, b: max(X[a], X[b], 0) - min(X[a], C),
    ),
    (
        "abs, sign, step",
        Abs(x(i)) + sign(x(i)) * Heaviside(x(i)),
        {i: N},
        lambda a: abs(X[a]) + math.copysign(1, X[a]) * (X[a] > 0),
    ),
    (
        "powers",
        (eps + x(i) ** 2) ** Rational(-3, 2) + x(i) ** 3 / c,
        {i: N},
        lambda a: (EPS + X[a] ** 2) ** -1.5 + X[a] ** 3 / C,
    ),
    ("power of minus one", (-1) ** (i + j) * x(i), {i: N, j: N}, lambda a, b: (-1) ** (a + b) * X[a]),
    ("real exponent", eps**c, {}, lambda: EPS**C),
    ("log is undefined", log(x(i)), {i: N}, lambda a: math.log(X[a]) if X[a] > 0 else NAN),
    ("root is undefined", sqrt(x(i)), {i: N}, lambda a: math.sqrt(X[a]) if X[a] > 0 else NAN),
    ("division by zero", 1 / (i - 2), {i: N}, lambda a: 1 / (a - 1) if a != 1 else NAN),
    (
        "elementary",
        sin(x(i)) * cos(c) + tanh(x(i)) + erf(x(i)) + pi,
        {i: N},
        lambda a: math.sin(X[a]) * math.cos(C) + math.tanh(X[a]) + math.erf(X[a]) + math.pi,
    ),
    ("defined name", y(j), {j: T}, lambda b: YY[b]),
    ("softmax", entry("s", i), {i: N}, lambda a: S[a]),
    ("size as a number", N * c / (T + 1), {}, lambda: C),
    ("derivative of an entry", D(x(j), x(i)), {i: N, j: N}, lambda a, b: float(a == b)),
    ("derivative of a sum", D(Sum(x(k) ** 3, (k, 1, N)), x(i)), {i: N}, lambda a: 3 * X[a] ** 2),
    ("derivative by a matrix", D(y(k), W(i, j)), {k: T, i: T, j: N}, lambda e, a, b: (e == a) * X[b]),
    ("derivative through a definition", D(y(j), x(i)), {i: N, j: T}, lambda a, b: WW[b][a]),
    (
        "derivative of softmax",
        D(entry("s", j), x(i)),
        {i: N, j: N},
        lambda a, b: BETA * S[a] * ((a == b) - S[b]),
    ),
    (
        "derivative by a scalar",
        D(entry("s", j), beta),
        {j: N},
        lambda b: S[b] * (X[b] - sum(S[e] * X[e] for e in R)),
    ),
    ("derivative cuts a definition", D(Sum(y(k) ** 2, (k, 1, T)) * c, y(j)), {j: T}, lambda b: 2 * C * YY[b]),
    (
        "derivative inside a sum",
        Sum(D(y(k), x(i)) * y(k), (k, 1, T)),
        {i: N},
        lambda a: sum(WW[e][a] * YY[e] for e in range(2)),
    ),
    ("derivative by a fixed entry", D(y(j), x(2)), {j: T}, lambda b: WW[b][1]),
    (
        "derivative out of range",
        D(Sum(x(k) ** 2, (k, 1, N)), x(i + 1)),
        {i: N},
        lambda a: 2 * X[a + 1] if a < 2 else NAN,
    ),
    ("derivative of what does not depend", D(c * beta, x(i)), {i: N}, lambda a: 0),
    (
        "second derivative",
        D(Sum(x(k) ** 3 * x(l), (k, 1, N), (l, 1, N)), x(i), x(j)),
        {i: N, j: N},
        lambda a, b: 6 * X[a] * (a == b) * sum(X) + 3 * X[a] ** 2 + 3 * X[b] ** 2,
    ),
    (
        "nested derivative",
        D(D(entry("v") ** 2, x(i)) * x(i), x(j)),
        {i: N, j: N},
        lambda a, b: (a == b) * (4 * V * X[a] / 3 + 4 * V * X[a] / 3) + 8 / 9 * X[a] ** 2 * X[b],
    ),
    (
        "derivative through another",
        D(D(entry("v"), x(i)), eps) + D(log(entry("v")), eps),
        {i: N},
        lambda a: 1 / V,
    ),
    (
        "derivative of cases",
        D(Max(x(i), 0) + Abs(x(i)), x(j)),
        {i: N, j: N},
        lambda a, b: (a == b) * ((X[a] > 0) + math.copysign(1, X[a])),
    ),
    ("derivative of a product", D(Product(x(k), (k, 1, N)), x(i)), {i: N}, lambda a: math.prod(X) / X[a]),
    (
        "derivative of erf",
        D(erf(x(i)), x(i)),
        {i: N},
        lambda a: 2 / math.sqrt(math.pi) * math.exp(-(X[a] ** 2)),
    ),
    (
        "derivative of a triangular sum",
        D(Sum(x(k) ** 2, (k, 1, i)), x(j)),
        {i: N, j: N},
        lambda a, b: 2 * X[b] * (b <= a),
    ),
]


@pytest.mark.parametrize(
    ("term", "ranges", "loops"), [row[1:] for row in TERMS], ids=[row[0] for row in TERMS]
)
@pytest.mark.parametrize("digits", [0, 30], ids=["float64", "30 digits"])
def test_terms_against_loops(
    term: Expr, ranges: dict[Index, Expr], loops: Callable[..., float], digits: int
) -> None:
    """Every entry is what plain Python computes; what is undefined is NaN."""
    anatomy = Anatomy(Goal(term, Integer(0), {}, (), CONTEXT))
    walker = Walker(anatomy, SIZES, POINT, many_digits(digits, anatomy.depth) if digits else FLOAT)
    scope = {index: (1, SIZES[size.name]) for index, size in ranges.items()}
    with np.errstate(all="ignore"):
        actual = over(walker.value(term, scope, Frame()), scope).astype(float)
    for at in itertools.product(*(range(length) for _, length in scope.values())):
        assert actual[at] == pytest.approx(loops(*at), rel=1e-9, abs=1e-9, nan_ok=True)


def _value(term: Expr, digits: int = 0, **scope: tuple[int, int]) -> np.ndarray[Any, Any]:
    anatomy = Anatomy(Goal(term, Integer(0), {}, (), CONTEXT))
    walker = Walker(anatomy, SIZES, POINT, many_digits(digits, anatomy.depth) if digits else FLOAT)
    named = {Index(name): span for name, span in scope.items()}
    with np.errstate(all="ignore"):
        return over(walker.value(term, named, Frame()), named)


def test_chain_rule_through_an_unknown_function() -> None:
    """The gradient by W is the upstream gradient times x, for the function that stands in for L."""
    left = _value(D(entry("L"), W(i, j)), i=(1, 2), j=(1, 3))
    upstream = _value(D(entry("L"), y(i)), i=(1, 2))
    assert left == pytest.approx(np.outer(upstream, X))
    assert abs(upstream).min() > 1e-3
    assert left == pytest.approx(_value(D(entry("L"), W(i, j)), 30, i=(1, 2), j=(1, 3)).astype(float))


def test_unknown_function_of_several_arguments_has_no_accidental_symmetry() -> None:
    """All first and second derivatives of the stand-in differ from each other and from 0."""
    first = _value(D(entry("h", i), x(j)), i=(1, 2), j=(1, 3))
    assert len(np.unique(np.round(first, 6))) == 6
    assert abs(first).min() > 1e-4
    second = _value(D(entry("h", 1), x(i), x(j)), i=(1, 3), j=(1, 3))
    assert second == pytest.approx(second.T, abs=1e-8)
    assert len(np.unique(np.round(second[np.triu_indices(3)], 6))) == 6


def test_orders_of_an_unknown_scalar_function() -> None:
    """`Unknown` of order m + 1 is the derivative of that of order m."""
    f = Symbol("f")
    for order in range(4):
        lower = Unknown(f, Tuple(order, 1), x(i), c * x(i))
        slope = _value(D(Unknown(f, Tuple(order, 1), x(i), c), x(i)), i=(1, 3))
        assert slope == pytest.approx(_value(Unknown(f, Tuple(order + 1, 1), x(i), c), i=(1, 3)))
        total = _value(D(lower, x(i)), i=(1, 3))
        parts = Unknown(f, Tuple(order + 1, 1), x(i), c * x(i)) + c * Unknown(
            f, Tuple(order, 2), x(i), c * x(i)
        )
        assert total == pytest.approx(_value(parts, i=(1, 3)))


def test_only_powers_that_are_too_large_are_undefined_in_many_digits() -> None:
    """What is tiny loses no digits; one over it would outgrow the guard."""
    many = many_digits(20, 1)
    tiny = many.cast(np.array([1e-120]))
    assert many.integer_power(tiny, np.array([3])) > 0
    assert np.isnan(float(many.integer_power(tiny, np.array([-3]))[0]))
    assert np.isnan(float(many.integer_power(many.integer_power(tiny, np.array([3])), np.array([-1]))[0]))


def test_derivative_at_a_kink_is_undefined_in_many_digits() -> None:
    """At 0 the slopes of max(0, x) on both sides differ, so that nothing is said."""
    goal = Goal(D(Max(c, 0), c), Integer(3), {}, (), Context(shapes={"c": ()}))
    assert settle(goal, {}, Point({"c": np.array(0.0)}), {}).outcome == "undecided"
    assert settle(goal, {}, Point({"c": np.array(0.5)}), {}).outcome == "differ"


def test_derivative_over_what_the_held_name_depends_on_is_refused() -> None:
    """∂/∂y of ∂L/∂x, with y a function of x, leaves open which paths count."""
    with pytest.raises(NotEvaluableError, match="which depends on it"):
        _value(D(D(entry("L"), x(i)), y(j)), i=(1, 3), j=(1, 2))


def test_unreadable_terms_are_refused_with_a_reason() -> None:
    """What has no numerical meaning says so."""
    for term, match in [
        (sympy.Function("g")(c), "no numerical meaning for g"),
        (x(i), "no range"),
        (x(1, 2), "has 1 indices, not 2"),
        (entry("nowhere"), "no value"),
        (Size("M") + 0, "is open"),
        (Sum(x(1), (k, 1, sympy.oo)), "infinitely many"),
    ]:
        with pytest.raises(NotEvaluableError, match=match):
            _value(term)


def test_definition_by_itself_is_refused() -> None:
    """A circle of definitions ends in a reason."""
    context = Context(
        definitions={"a": Definition("a", (), entry("d")), "d": Definition("d", (), entry("a"))}
    )
    found = survey(Goal(entry("a"), Integer(0), {}, (), context))
    assert found.reason == "a is defined by itself"


def test_memory_is_bounded() -> None:
    """A sum over ten million entries is not tried."""
    goal = Goal(Sum(x(k), (k, 1, 10**7)), c, {}, (), Context(shapes={"x": (Integer(10**7),), "c": ()}))
    start = time.monotonic()
    assert survey(goal).reason == "x has 10000000 entries"
    assert time.monotonic() - start < 1


def test_recurrences_are_filled_in() -> None:
    """h_t = a·h_{t−1} + x_t from h_1 = x_1, and its derivatives through time."""
    a, t = entry("a"), Index("t")

    def h(at: Expr) -> Expr:
        return entry("h", at)

    body = Piecewise((x(p), Eq(p, 1)), (a * h(p - 1) + x(p), True))
    context = Context({"h": Definition("h", (p,), body)}, {}, {"h": (n,), "x": (n,), "a": ()})
    closed = Sum(a ** (t - k) * x(k), (k, 1, t))
    for left, right, free in [
        (h(t), closed, {t: n}),
        (D(h(t), x(j)), Piecewise((a ** (t - j), j <= t), (0, True)), {t: n, j: n}),
        (D(h(t), a), Sum((t - k) * a ** (t - k - 1) * x(k), (k, 1, t - 1)), {t: n}),
    ]:
        check = cross_check(Goal(left, right, free, (), context))
        assert check is not None
        assert check.agrees
        assert check.entries > 30


# Skeletons


def test_equal_forms_share_a_function() -> None:
    """The leaves are named by their order; the exponent and the indicator of indices are marked."""
    one, other = skeleton(2 * x(i) * exp(c)), skeleton(2 * A(i, j) * exp(Sum(x(k), (k, 1, N))))
    assert one.form == other.form
    assert compiled(one.form, one.symbols, FLOAT) is compiled(other.form, other.symbols, FLOAT)
    marked = skeleton(KroneckerDelta(i, j) * c ** (i + j))
    assert {type(symbol) for symbol in marked.symbols} == {Symbol, Indicator, Whole}


def test_a_leaf_stands_once() -> None:
    """An entry that occurs twice is evaluated once, and the order of the term is kept."""
    form = skeleton(exp(x(i)) * x(i) + x(j))
    assert len(form.leaves) == 2
    assert set(form.leaves) == {x(i), x(j)}


@pytest.mark.parametrize(
    "number",
    [Rational(1, 3), Rational(10**9 + 1, 10**9), sqrt(2 / pi), exp(Rational(1, 7)), sympy.Catalan],
    ids=str,
)
def test_numbers_are_exact_in_many_digits(number: Expr) -> None:
    """What is no float is good to all digits."""
    value = _value(number * c, 50).item()
    assert abs(value / value.context.mpf(C) - value.context.mpf(str(number.evalf(60)))) < 1e-50


def test_numbers_of_thousands_of_digits() -> None:
    """Numbers are bound by name, never written into the source."""
    form = skeleton(c * Integer(10) ** 5000)
    value = compiled(form.form, form.symbols, many_digits(30, 0))(
        np.asarray(VALUES["c"].item(), dtype=object)
    )
    assert str(value).startswith("-1.5e+5000")
    assert not math.isfinite(_value(c * Integer(10) ** 5000).item())


@pytest.mark.parametrize("digits", [0, 30], ids=["float64", "30 digits"])
def test_deep_terms_are_lambdified_in_parts(digits: int) -> None:
    """A term may be nested deeper than Python's parentheses."""
    deep, value = c, C
    for _ in range(40):
        deep, value = 1 / (2 + exp(deep / 5)), 1 / (2 + math.exp(value / 5))
    assert float(_value(deep, digits).item()) == pytest.approx(value)


def test_long_sums_and_products_are_lambdified_in_groups() -> None:
    """Hundreds of terms and factors are no chain of hundreds of operators."""
    wide = sympy.Add(*[sin(c * at) for at in range(1, 500)])
    assert _value(wide).item() == pytest.approx(math.fsum(math.sin(C * at) for at in range(1, 500)))
    wide = sympy.Mul(*[cos(c / at) for at in range(2, 500)])
    assert _value(wide).item() == pytest.approx(math.prod(math.cos(C / at) for at in range(2, 500)))


def test_terms_as_elaborated_are_not_simplified() -> None:
    """(c − c) log c is undefined where log c is, although SymPy would make it 0."""
    zero = sympy.Add(c, -c, evaluate=False)
    term = sympy.Mul(zero, log(c), evaluate=False)
    assert math.isnan(_value(term).item())


# Large fixed sizes


def test_large_fixed_sizes_become_small() -> None:
    """784 inputs are as good as a few, where 784 is no value."""
    shapes = {"x": (Integer(784),), "W": (Integer(10), Integer(784)), "y": (Integer(10),)}
    body = Sum(W(p, q) * x(q), (q, 1, 784))
    context = Context({"y": Definition("y", (p,), body)}, {}, shapes)
    free = {i: Integer(10), j: Integer(784)}
    check = cross_check(Goal(D(y(i), W(i, j)), x(j), free, (), context))
    assert check is not None
    assert check.agrees
    assert not cross_check(Goal(D(y(i), W(i, j)), x(784), free, (), context)).agrees


def test_large_fixed_sizes_that_are_values_stay() -> None:
    """Σ_{k=1}^{784} 1/784 = 1 holds at 784 only, and so does Σ c² = (28c)²."""
    shapes = {"x": (Integer(784),), "c": ()}
    for left, right in [
        (Sum(c, (k, 1, 784)), 784 * c),
        (Sum(c / 784, (k, 1, 784)), c),
        (Sum(c / 1000, (k, 1, 1000)), c),
        (Sum(c, (k, 1, 100)) * 10, c * 1000),
        (Sum(c**2, (k, 1, 784)), (28 * c) ** 2),
        (D(Sum(x(k), (k, 1, 784)) / 784, x(784)) * c, c / 784),
    ]:
        check = cross_check(Goal(left, right, {}, (), Context(shapes=shapes)))
        assert check is not None
        assert check.agrees


# Sizes


def _plain(left: Expr, right: Expr, ranges: dict[Index, Expr], *assumptions: Any, **shapes: Any) -> Goal:
    return Goal(left, right, ranges, assumptions, Context(shapes=shapes))


def test_one_size_runs_up_to_seven() -> None:
    """So that (n−2)(n−3)(n−4)(n−5)x is not 0 at one of them."""
    choices = size_choices(_plain(x(i), x(i), {i: n}, x=(n,)))
    assert {1, 2, 3, 4, 6} <= {choice["n"] for choice in choices}


@pytest.mark.parametrize("count", [2, 3, 4, 5, 7])
def test_sizes_are_told_apart(count: int) -> None:
    """Of any two sizes each is larger than the other in some choice, and each is 1 in one."""
    sizes = [Size(f"n{at}") for at in range(count)]
    goal = _plain(W(*(Integer(1) for _ in sizes)), c, {}, W=tuple(sizes), c=())
    choices = size_choices(goal)
    assert len(choices) <= 8
    assert all(value <= 4 for choice in choices for value in choice.values())
    names = [size.name for size in sizes]
    assert all(any(choice[name] == 1 for choice in choices) for name in names)
    assert all(any(choice[a] < choice[b] for choice in choices) for a in names for b in names if a != b)


@pytest.mark.parametrize("bound", [T - 1, T + 1, T + 2, 2 * T, N - T])
def test_bounds_are_told_apart_from_sizes(bound: Expr) -> None:
    """A sum to T + 1 over N entries is met with fewer and with more entries than that."""
    choices = size_choices(_plain(Sum(x(k), (k, 1, bound)), c, {i: T}, x=(N,), c=()))
    values = [(int(bound.subs({T: at["T"], N: at["N"]})), at["N"]) for at in choices]
    assert any(m < n for m, n in values)
    assert any(m > n for m, n in values) or bound == N - T
    assert len(choices) <= 7


def test_sizes_obey_assumptions_and_shapes() -> None:
    """T = N leaves equal sizes only; a shape of n − 2 needs n ≥ 3."""
    goal = _plain(W(i, j), W(j, i), {i: T, j: N}, Eq(T, N), W=(T, N))
    choices = size_choices(goal)
    assert choices
    assert all(choice["T"] == choice["N"] for choice in choices)
    goal = _plain(x(i), x(i), {i: n - 2}, x=(n - 2,))
    assert min(choice["n"] for choice in size_choices(goal)) == 3


def test_sizes_without_symbols() -> None:
    """Fixed sizes are taken as they are."""
    goal = _plain(x(i), 2 * x(i) - x(i), {i: Integer(3)}, x=(Integer(3),))
    assert size_choices(goal) == [{}]
    check = cross_check(goal)
    assert check is not None
    assert check.agrees


# Points and hypotheses


def test_samples_are_deterministic_short_and_signed() -> None:
    """Equal seeds give equal points; another seed another; positive names are positive."""
    goal = _plain(x(i) * eps, c, {i: n}, x=(n,), epsilon=(), c=())
    one, same, other = (sample(goal, {"n": 5}, seed).values["x"] for seed in (0, 0, 1))
    assert (one == same).all()
    assert (one != other).any()
    assert (one * 1024 == np.round(one * 1024)).all()
    for kind in ("real", "simple", "simple 2", "negative"):
        assert sample(goal, {"n": 5}, 0, kind).values["epsilon"] > 0


@pytest.mark.parametrize("kind", ["real", "simple"])
def test_hypothesis_that_a_sum_is_one(kind: Any) -> None:
    """Affine hypotheses hold, without all entries becoming equal."""
    goal = _plain(c, c, {}, Eq(Sum(y(k), (k, 1, n)), 1), y=(n,), c=())
    values = sample(goal, {"n": 4}, 0, kind).values["y"]
    assert values.sum() == pytest.approx(1, abs=1e-12)
    assert len(set(values)) > 2


def test_hypothesis_over_rows_and_positive_entries() -> None:
    """Each row of a positive matrix sums to one."""

    def matrix(*at: Any) -> Expr:
        return entry("P", *at, positive=True)

    goal = _plain(matrix(1, 1), c, {}, Eq(Sum(matrix(i, k), (k, 1, n)), 1), P=(T, n), c=())
    for kind in ("real", "simple", "unit"):
        values = sample(goal, {"n": 3, "T": 2}, 0, kind).values["P"]
        assert values.sum(axis=1) == pytest.approx(1)
        assert (values > 0).all()


def test_hypothesis_of_symmetry() -> None:
    """A = Aᵀ holds and A is not zero, and its diagonal is not constant."""
    goal = _plain(A(i, j), A(j, i), {i: n, j: n}, Eq(A(p, q), A(q, p)), A=(n, n))
    values = sample(goal, {"n": 3}).values["A"]
    assert values == pytest.approx(values.T)
    assert len(np.unique(np.round(values, 9))) == 6


def test_hypotheses_of_value_orthogonality_and_one_hot() -> None:
    """Assignments, QᵀQ = I and one-hot vectors are found."""
    goal = _plain(c, x(i), {i: n}, Eq(c, Sum(x(k) ** 2, (k, 1, n))), x=(n,), c=())
    point = sample(goal, {"n": 3})
    assert point.values["c"] == pytest.approx((point.values["x"] ** 2).sum())
    goal = _plain(A(1, 1), c, {}, Eq(Sum(A(k, i) * A(k, j), (k, 1, n)), KroneckerDelta(i, j)), A=(n, n), c=())
    values = sample(goal, {"n": 3}).values["A"]
    assert values.T @ values == pytest.approx(np.eye(3), abs=1e-10)
    one_hot = (Eq(y(k) ** 2, y(k)), Eq(Sum(y(k), (k, 1, n)), 1))
    goal = _plain(y(1), c, {}, *one_hot, y=(n,), c=())
    values = sample(goal, {"n": 4}).values["y"]
    assert sorted(values) == pytest.approx([0, 0, 0, 1], abs=1e-9)


def test_hypothesis_at_one_entry() -> None:
    """y_c = 1 at the class c, with one-hot y: the entries c that count are those at which it holds."""
    one_hot = (Eq(y(k) ** 2, y(k)), Eq(Sum(y(k), (k, 1, n)), 1), Eq(y(i), 1))
    goal = _plain(Sum(y(k) * x(k), (k, 1, n)), x(i), {i: n}, *one_hot, x=(n,), y=(n,))
    check = cross_check(goal)
    assert check is not None
    assert check.agrees
    assert check.entries > 0


def test_hypotheses_that_cannot_hold() -> None:
    """A contradiction gives a reason, and no verdict."""
    goal = _plain(c, c + 1, {}, Eq(c, 1), Eq(c, 2), c=())
    with pytest.raises(CannotSampleError):
        sample(goal, {})
    found = survey(goal)
    assert found.difference is None
    assert found.reason == "no values were found that satisfy the assumptions"


def test_masks_between_indices() -> None:
    """Only entries with i ≠ j count."""
    goal = _plain(KroneckerDelta(i, j), Integer(0), {i: n, j: n}, Ne(i, j), x=(n,))
    comparison = evaluate(goal, {"n": 3}, sample(goal, {"n": 3}))
    assert comparison.entries == 6
    assert comparison.error == 0


# Names that would do harm if they were executed

HOSTILE = [
    "__import__('os').system('x')",
    "lambda",
    "x\n",
    "",
    "_0",
    "exec",
    "\\frac{a}{b}",
    "é\u0000",
    "\ud800",
]


@pytest.mark.parametrize("name", HOSTILE)
def test_names_are_never_executed(name: str) -> None:
    """A name is a key and nothing else."""
    label = Symbol(name, real=True)
    tensor = sympy.IndexedBase(label)
    shapes = {name: (n,), name + "'": (), "c": ()}
    context = Context(
        definitions={name + "'": Definition(name + "'", (), Sum(tensor[k] ** 2, (k, 1, n)))},
        opaque={},
        shapes=shapes,
    )
    goal = Goal(D(Symbol(name + "'", real=True), tensor[i]), 2 * tensor[i], {i: n}, (), context)
    check = cross_check(goal)
    assert check is not None
    assert check.agrees
    opaque = Context(opaque={"L": Opaque("L", (), (name,))}, shapes={name: (n,), "L": ()})
    goal = Goal(
        D(entry("L"), tensor[i]),
        Unknown(Symbol(name), Tuple(0), c) * 0 + D(entry("L"), tensor[i]),
        {i: n},
        (),
        opaque,
    )
    assert cross_check(goal) is not None


@pytest.mark.parametrize("name", HOSTILE)
def test_no_name_reaches_the_generated_source(name: str) -> None:
    """The function has our own names, whatever the leaves are called."""
    label = Symbol(name, real=True)
    tensor, unknown = sympy.IndexedBase(label), Unknown(Symbol(name), Tuple(0), label)
    inner = Sum(tensor[Index(name)], (Index(name), 1, Size(name)))
    form = skeleton(exp(label * tensor[i]) ** Rational(1, 3) + 2 * unknown ** Index(name) + inner * pi)
    assert {str(symbol) for symbol in form.form.free_symbols} == {f"_{at}" for at in range(len(form.leaves))}
    code = compiled(form.form, form.symbols, FLOAT).__code__
    assert set(code.co_varnames) == {str(symbol) for symbol in form.symbols}
    ours = {"exp", "power", "integer_power"}
    assert set(code.co_names) <= ours | {f"n{at}" for at in range(9)}
    assert set(code.co_consts) == {None}


# Time


def test_a_typical_cross_check_is_fast() -> None:
    """The softmax Jacobian takes far less than 100 ms, all sizes and points included."""
    s = {name: CONTEXT.definitions[name] for name in ("s",)}
    context = Context(s, {}, {"x": (N,), "beta": (), "s": (N,)})
    right = beta * entry("s", i) * (KroneckerDelta(i, j) - entry("s", j))
    goal = Goal(D(entry("s", j), x(i)), right, {i: N, j: N}, (), context)
    cross_check(goal)
    start = time.perf_counter()
    check = cross_check(goal)
    assert time.perf_counter() - start < 0.25
    assert check is not None
    assert check.agrees
    assert check.error < 1e-10


# Inverses and determinants

BY_HAND = {
    "regular": ([[2.0, 1.0], [1.0, 1.0]], [[1.0, -1.0], [-1.0, 2.0]], 1.0),
    "turned": ([[0.0, 2.0], [-1.0, 0.0]], [[0.0, -1.0], [0.5, 0.0]], 2.0),
    "upper": ([[1.0, 3.0], [0.0, -4.0]], [[1.0, 0.75], [0.0, -0.25]], -4.0),
}
"""Matrices with their inverses and determinants, found by hand."""


@pytest.mark.parametrize("case", BY_HAND)
@pytest.mark.parametrize("arithmetic", [FLOAT, many_digits(30, 0)], ids=["float64", "30 digits"])
def test_inverses_and_determinants(case: str, arithmetic: Arithmetic) -> None:
    """Inverses and determinants of several matrices at once are those found by hand, in each arithmetic."""
    matrix, inverse, determinant = (np.array(each) for each in BY_HAND[case])
    several = arithmetic.cast(np.stack([matrix, np.eye(2)]))
    assert abs(arithmetic.inverse(several) - np.stack([inverse, np.eye(2)])).max() < 1e-14
    assert abs(arithmetic.determinant(several) - np.array([determinant, 1.0])).max() < 1e-14


@pytest.mark.parametrize("arithmetic", [FLOAT, many_digits(30, 0)], ids=["float64", "30 digits"])
def test_what_has_no_inverse_is_undefined(arithmetic: Arithmetic) -> None:
    """A singular matrix has no inverse and the determinant 0; one with an undefined entry has neither."""
    singular = arithmetic.cast(np.array([[1.0, 2.0], [2.0, 4.0]]))
    broken = arithmetic.cast(np.array([[1.0, np.nan], [0.0, 1.0]]))
    assert all(undefined(arithmetic.inverse(each)).all() for each in (singular, broken))
    assert abs(arithmetic.determinant(singular)) < 1e-14
    assert undefined(arithmetic.determinant(broken))


def test_a_definite_matrix_is_sampled() -> None:
    """A matrix that is supposed to be positive definite is so at every point, and the sides are compared."""
    n, p, q, i, j = Size("n"), Index("p#1"), Index("q#1"), Index("i"), Index("j")
    a = entry("A", p, q)
    facts = (Eq(a, entry("A", q, p), evaluate=False), Definite(a, (p, q, n)))
    context = Context(shapes={"A": (n, n)})
    goal = Goal(sympy.log(Det(a, (p, q, n))), sympy.Integer(0), {}, facts, context)
    for size in (1, 2, 3):
        for kind in ("real", "wide", "simple"):
            values = sample(goal, {"n": size}, kind=kind).values["A"]
            assert (values == values.T).all()
            assert np.linalg.eigvalsh(values).min() > 0
    inverse = Goal(Inv(a, (p, q, n), i, j), Inv(a, (p, q, n), j, i), {i: n, j: n}, facts, context)
    compared = cross_check(inverse)
    assert compared is not None
    assert compared.agrees


# Recall


def _alike() -> list[Goal]:
    """Return goals in which the same names mean different things."""
    body = D(entry("y", j), entry("x", i))
    sums = Sum(entry("y", k) * entry("y", k), (k, 1, n))
    contexts = [
        Context({"y": Definition("y", (l,), factor * entry("x", l) ** power)}, {}, {"x": (n,), "y": (n,)})
        for factor, power in ((2, 2), (3, 2), (2, 3))
    ]
    contexts.append(Context({}, {"y": Opaque("y", (l,), ("x",))}, {"x": (n,), "y": (n,)}))
    contexts.append(Context({}, {}, {"x": (n,), "y": (n,)}))
    inner = Definition("y", (l,), Sum(entry("z", l) * entry("x", m), (m, 1, n)))
    for other in (cos(entry("x", l)), sin(entry("x", l))):
        z = Definition("z", (l,), other)
        contexts.append(Context({"y": inner, "z": z}, {}, {"x": (n,), "y": (n,), "z": (n,)}))
    return [
        Goal(side, sums * entry("x", i), {i: n, j: n}, (), context)
        for context in contexts
        for side in (body, body * entry("y", i), entry("y", j), D(sums, entry("x", i)), Sum(k, (k, 1, n)))
    ]


def test_what_is_recalled_is_what_would_be_computed() -> None:
    """One memory serves goals in which the same names mean different things, at several points and sizes."""
    recall = Recall()
    points = [(size, kind, seed) for size in (1, 2, 3) for kind in ("real", "positive") for seed in (0, 1)]
    for goal, (size, kind, seed) in itertools.product([*_alike(), *_alike()], points):
        sizes = {"n": size}
        point = sample(goal, sizes, seed, kind)
        expected = evaluate(goal, sizes, point)
        actual = evaluate(goal, sizes, point, anatomy=Anatomy(goal, recall))
        np.testing.assert_array_equal(actual.left, expected.left)
        np.testing.assert_array_equal(actual.right, expected.right)


def test_single_entries_are_recalled_apart() -> None:
    """What was found at one entry, or for a derivative by one, is not what it is at another."""
    recall = Recall()
    sizes = {"n": 2}
    for goal, (p, q) in itertools.product(_alike(), itertools.product((1, 2), repeat=2)):
        point = sample(goal, sizes, 0, "real")
        expected = settle(goal, sizes, point, {i: p, j: q})
        assert settle(goal, sizes, point, {i: p, j: q}, anatomy=Anatomy(goal, recall)) == expected


def test_derivatives_by_one_name_are_not_those_by_another() -> None:
    """Nor is a table in which one name is moved, or by small steps, that in which another is."""
    recall = Recall()
    shapes = {"x": (n,), "z": (n,), "y": (n,)}
    y = Definition("y", (l,), entry("x", l) ** 2 * entry("z", l))
    context, squares = Context({"y": y}, {}, shapes), Sum(entry("y", k) ** 2, (k, 1, n))
    for name in ("x", "z", "x"):
        second = D(entry("y", i) * D(squares, entry("x", i)), entry(name, j))
        goal = Goal(D(squares, entry(name, i)), second, {i: n, j: n}, (), context)
        point = sample(goal, {"n": 2}, 0, "real")
        expected = evaluate(goal, {"n": 2}, point)
        actual = evaluate(goal, {"n": 2}, point, anatomy=Anatomy(goal, recall))
        np.testing.assert_array_equal(actual.left, expected.left)
        np.testing.assert_array_equal(actual.right, expected.right)


def test_steps_that_leave_the_domain_are_not_those_that_stay() -> None:
    """Near the end of a logarithm's domain the derivative is that of the steps that stay in it."""
    y = Definition("y", (l,), log(entry("x", l)))
    context = Context({"y": y}, {}, {"x": (n,), "y": (n,)})
    goal = Goal(D(entry("y", i), entry("x", i)), 1 / entry("x", i), {i: n}, (), context)
    found = evaluate(goal, {"n": 2}, Point({"x": np.array([1e-3, 2.0])}))
    np.testing.assert_allclose(found.left, found.right, rtol=1e-5)


def test_recall_forgets_over_its_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("symderiv.judge.recall._MOST", 100)
    recall = Recall()
    made = [recall.find(at, lambda: Table(np.zeros(30))) for at in (0, 1, 0, 2, 0)]
    assert made[0] is made[2]
    assert made[0] is not made[4]

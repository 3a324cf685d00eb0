"""Every rule of the calculus table against central differences at random points, and the rules of derivatives."""

# Tables of mathematics: one rule a line, single letters.
# ruff: noqa: ANN001, E501, E741

from __future__ import annotations

import pytest
import sympy
from brute_force import Point, assignments, evaluate
from sympy import (
    Eq,
    Expr,
    Integer,
    KroneckerDelta,
    Max,
    Min,
    Piecewise,
    Product,
    Rational,
    Sum,
    Symbol,
    exp,
    log,
)

from symderiv.kernel.calculus import derive, has_kink
from symderiv.kernel.rules import ELEMENTARY, STRUCTURAL
from symderiv.kernel.substitution import substitute
from symderiv.kernel.terms import (
    Cases,
    Circular,
    Context,
    D,
    Definition,
    Det,
    Greatest,
    Index,
    Inv,
    KernelError,
    NoRule,
    Opaque,
    Partial,
    Size,
    Unknown,
    entry,
    fresh,
    indicator,
)

N, M = Size("N"), Size("M")
i, j, k, l = map(Index, "ijkl")
a, b = entry("a"), entry("b")
p = entry("p", positive=True)


def x(*indices: Expr) -> Expr:
    return entry("x", *indices)


def y(*indices: Expr) -> Expr:
    return entry("y", *indices)


INSIDE_UNIT = {sympy.asin, sympy.acos, sympy.atanh}
ABOVE_ONE = {sympy.acosh}


def argument_for(function: type) -> Expr:
    """Return an argument within the domain: the rule is to hold all over it."""
    if function in INSIDE_UNIT:
        return sympy.tanh(x(i) * b)
    if function in ABOVE_ONE:
        return 1 + p * x(i) ** 2
    if function is log:
        return p + x(i) ** 2
    return x(i) * b + x(j) ** 2


def close(term: Expr, derived: Expr, point: Point) -> bool:
    expected = evaluate(term, point)
    return abs(expected - evaluate(derived, point)) < 1e-12 * (1 + abs(expected))


@pytest.mark.parametrize("function", ELEMENTARY, ids=lambda f: f.__name__)
@pytest.mark.parametrize("seed", range(3))
def test_elementary_rules(function, seed) -> None:
    """The derivative of each function is its central difference; no kink is near a random point."""
    term = D(function(argument_for(function)), x(i))
    derived = derive(term, Context())

    assert not derived.has(D)
    assert all(close(term, derived, point) for point in assignments({i: N, j: N}, {"N": 2}, seed, Context()))


STRUCTURED = {
    sympy.Add: x(i) + b * x(j),
    sympy.Mul: x(i) * x(j) * b * exp(x(i)),
    sympy.Pow: p ** x(i) + x(i) ** 3 + (x(i) ** 2 + p) ** Rational(-1, 2) + (x(i) ** 2 + p) ** x(j),
    Sum: Sum(x(k) ** 2 * x(i), (k, 1, N)),
    Product: Product(x(k) + x(i) ** 2, (k, 1, N)) + Product(x(k) * x(l) + b, (k, 1, N), (l, 1, M)),
    Cases: Cases(x(i) ** 2, Eq(i, j), x(i) ** 3, i > j, x(j) * b, sympy.true)
    + Cases(x(i), x(i) > 0, a, sympy.true),
    Max: Max(x(i) ** 2, x(j), b),
    Min: Min(x(i) ** 2, x(j), b),
    Greatest: Greatest(x(k) ** 2 * b + x(i), (k, 1, N)) + Greatest(b * x(i), (k, 1, N)),
    Unknown: Unknown(Symbol("f"), (0, 1), x(i) ** 2, x(j) * b),
    Inv: Inv(x(k) * x(l) + b * KroneckerDelta(k, l) + x(k) ** 2, (k, l, N), i, j),
    Det: Det(x(k) * x(l) + b * KroneckerDelta(k, l) + x(k) ** 2, (k, l, N)),
    D: D(D(x(i) ** 3 * x(j) ** 2, x(i)), x(j)),
}
"""A term for each rule of the structural table."""


def test_every_structural_rule_has_a_term() -> None:
    """No rule of the table goes untested."""
    assert set(STRUCTURED) == set(STRUCTURAL)


@pytest.mark.parametrize("operator", STRUCTURED, ids=lambda f: f.__name__)
@pytest.mark.parametrize("variable", [x(i), x(Integer(1)), b], ids=str)
def test_structural_rules(operator, variable) -> None:
    """The derivative of each operator is its central difference at every entry."""
    term = D(STRUCTURED[operator], variable)
    derived = derive(term, Context())

    assert not derived.has(D)
    for seed in range(2):
        assert all(
            close(term, derived, pt) for pt in assignments({i: N, j: N}, {"N": 2, "M": 1}, seed, Context())
        )


CHAIN = Context(
    definitions={
        "y": Definition("y", (s := fresh("s"),), Sum(entry("W", s, k) * x(k), (k, 1, N)) + x(s) ** 2),
        "z": Definition("z", (t := fresh("t"),), sympy.tanh(y(t)) * b),
        "c": Definition("c", (), Sum(entry("z", k) ** 2, (k, 1, N))),
    },
    opaque={"L": Opaque("L", (), ("z", "x", "c")), "H": Opaque("H", (u := fresh("u"),), ("y",))},
    shapes={"x": (N,), "W": (N, N), "y": (N,), "z": (N,), "c": (), "b": (), "L": (), "H": (N,)},
)
"""Two layers, a scalar, and a loss with three paths to x, one of them direct."""


@pytest.mark.parametrize(
    "term",
    [
        D(y(i), x(j)),
        D(entry("z", i), x(j)),
        D(entry("z", i), y(j)),
        D(entry("c"), x(j)),
        D(entry("c"), y(j)),
        D(entry("c"), entry("z", j)),
        D(entry("z", i), b),
        D(entry("L"), x(j)),
        D(entry("L"), y(j)),
        D(entry("L"), entry("W", i, j)),
        D(entry("L"), entry("z", j)),
        D(entry("L"), entry("c")),
        D(entry("H", i), x(j)),
        D(entry("c"), x(i), x(j)),
        D(entry("L"), x(i), x(j)),
        D(entry("H", i), y(j), x(i)),
        Sum(D(y(k), x(i)) * D(y(k), x(j)), (k, 1, N)),
        D(Sum(D(entry("z", k), x(i)) * x(k), (k, 1, N)), x(j)),
    ],
    ids=str,
)
def test_chain_rule(term) -> None:
    """Derivatives follow every path from the term to the variable, whose own definition plays no part."""
    derived = derive(term, CHAIN)

    for point in assignments({i: N, j: N}, {"N": 2}, 7, CHAIN):
        expected = evaluate(term, point)
        assert abs(expected - evaluate(derived, point)) < 1e-8 * (1 + abs(expected))


def test_irreducible_derivatives_stay() -> None:
    """A derivative of an opaque entry by its own argument is left, its variables in a fixed order."""
    loss, first, second = entry("H", k), y(i), y(j)

    assert derive(D(loss, first), CHAIN) == D(loss, first)
    assert (
        derive(D(loss, first, second), CHAIN)
        == derive(D(loss, second, first), CHAIN)
        == D(loss, first, second)
    )


def test_paths_through_other_arguments_are_told_apart() -> None:
    """Where an argument of L depends on another, `D(L, z)` is total and `Partial(L, z)` holds the others."""
    derived = derive(D(entry("L"), entry("z", i)), CHAIN)

    assert Partial(entry("L"), entry("z", i)) in derived.atoms(Partial)
    assert derive(derived, CHAIN) == derived


def test_what_does_not_depend_is_zero() -> None:
    """A definition that does not reach the variable contributes nothing."""
    assert derive(D(y(i), entry("b")), CHAIN) == 0
    assert derive(D(y(i), entry("z", j)), CHAIN) == 0


def test_no_index_is_captured() -> None:
    """`d/dx_i sum_i x_i^2 = 2 x_i`, also when the sum comes out of a definition."""
    context = Context(
        definitions={"q": Definition("q", (), Sum(x(i) ** 2, (i, 1, N)))}, shapes={"x": (N,), "q": ()}
    )
    for term in (D(Sum(x(i) ** 2, (i, 1, N)), x(i)), D(entry("q"), x(i))):
        for point in assignments({i: N}, {"N": 3}, 1, context):
            assert abs(evaluate(derive(term, context), point) - 2 * evaluate(x(i), point)) < 1e-20


def test_substitution_keeps_bound_indices_apart() -> None:
    """Putting k for i into a sum over k renames the sum's index; putting something for k itself does nothing."""
    term = Sum(x(k) * y(i), (k, 1, N))

    renamed = substitute(term, {i: k})

    assert renamed.limits[0][0] != k
    assert renamed.free_symbols & {k} == {k}
    assert substitute(term, {k: j}) == term
    assert substitute(term, {}) is term
    assert substitute(Sum(x(k), (k, 1, i)), {i: k}).limits[0][2] == k


@pytest.mark.parametrize(
    ("term", "context", "error"),
    [
        (D(sympy.floor(x(i)), x(i)), Context(), NoRule),
        (D(x(i), i), Context(), NoRule),
        (D(x(i), x(i, j)), Context(), KernelError),
        (y(i, j), CHAIN, KernelError),
        (D(y(i, j), x(i)), CHAIN, KernelError),
        (y(i), Context(definitions={"y": Definition("y", (s,), y(s) + 1)}), Circular),
        (D(a, b), Context(definitions={"a": Definition("a", (), b + 1), "b": Definition("b", (), a)}), None),
        (D(a, x(i)), Context(definitions={"a": Definition("a", (), b + 1), "b": Definition("b", (), a)}), Circular),
        (D(entry("L"), b), Context(definitions={"y": Definition("y", (s,), b)}, opaque={"L": Opaque("L", (), ("y",))}), KernelError),
    ],
)  # fmt: skip
def test_fails_loudly(term, context, error) -> None:
    """A missing rule, a wrong number of indices, a definition by itself, an unknown shape: each raises."""
    with pytest.raises(error or Circular) as caught:
        derive(term, context)
    assert str(caught.value)


def test_names_the_operator_without_a_rule() -> None:
    """The message says which operator it was."""
    with pytest.raises(NoRule, match="floor"):
        derive(D(sympy.floor(a), a), Context())


def test_piecewise_becomes_cases() -> None:
    """SymPy's Piecewise is read, and none is left."""
    term = Piecewise((x(i) ** 2, Eq(i, j)), (x(j), True))

    derived = derive(D(term, x(i)), Context())

    assert not derived.has(Piecewise)
    assert derived == Cases(2 * x(i), Eq(i, j), KroneckerDelta(i, j, evaluate=False), sympy.true)


@pytest.mark.parametrize(
    ("term", "expected"),
    [
        (D(Max(a, 0), a), True),
        (D(a**2, a), False),
        (Max(a, 0), False),
        (D(indicator(Eq(i, j)) * a, a), False),
        (D(indicator(a > 0) * a, a), True),
        (D(entry("r"), a), True),
        (entry("dr"), True),
    ],
)
def test_kinks_are_noticed(term, expected) -> None:
    """A derivative that passes max, |x| or a condition on values is known to hold almost everywhere only."""
    context = Context(
        definitions={"r": Definition("r", (), Max(a, 0)), "dr": Definition("dr", (), D(entry("r"), a))}
    )

    assert has_kink(term, context) is expected

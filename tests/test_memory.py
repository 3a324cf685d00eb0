"""What one proof leaves to the next saves work and changes no answer."""

from __future__ import annotations

import itertools

import pytest
from sympy import Eq, Expr, Integer, KroneckerDelta, Max, Sum, sqrt

from symderiv.kernel.equality import Proved, prove
from symderiv.kernel.memory import CALCULI, READERS, Memory
from symderiv.kernel.terms import (
    Bounds,
    Context,
    D,
    Definition,
    Goal,
    Index,
    KernelError,
    Opaque,
    Size,
    entry,
    indicator,
)

M, N = Size("M"), Size("N")
i, k = Index("i"), Index("k")
SHAPES = {"x": (N,), "a": (N,), "L": (), "s": ()}
s, SLOPE, TOTAL = entry("s"), D(entry("a", i), entry("x", i)), D(entry("L"), entry("x", i))
KINK = D(Max(entry("a", i), 0), entry("a", i))
PICKED = Sum(entry("x", k) * KroneckerDelta(i, k), (k, 1, N))


def x(index: Expr) -> Expr:
    """Return an entry of x."""
    return entry("x", index)


def with_a(body: Expr) -> Context:
    """Return what the names mean where `a_i` is defined."""
    return Context({"a": Definition("a", (i,), body)}, shapes=SHAPES)


def with_loss(name: str) -> Context:
    """Return what the names mean where L is an unknown function of one of them."""
    return Context(opaque={"L": Opaque("L", (), (name,))}, shapes=SHAPES)


def goal(left: Expr, right: Expr, context: Context, *facts: Expr, size: Expr = N) -> Goal:
    """Return a goal whose free index i runs to `size`."""
    return Goal(left, right, {i: size}, facts, context)


PLAIN = Context(shapes=SHAPES)
ASKED = {
    "a is x squared": (goal(SLOPE, 2 * x(i), with_a(x(i) ** 2)), True),
    "a is x cubed": (goal(SLOPE, 2 * x(i), with_a(x(i) ** 3)), False),
    "a is free": (goal(SLOPE, Integer(0), PLAIN), True),
    "a is not free": (goal(SLOPE, Integer(0), with_a(x(i) ** 2)), False),
    "L depends on x": (goal(TOTAL, Integer(0), with_loss("x")), False),
    "L does not": (goal(TOTAL, Integer(0), with_loss("s")), True),
    "i is in the range of k": (goal(PICKED, x(i), PLAIN), True),
    "i may not be": (goal(PICKED, x(i), PLAIN, size=M), False),
    "s is real": (goal(sqrt(s**2), s, PLAIN), False),
    "s is positive": (goal(sqrt(s**2), s, Context(shapes=SHAPES, bounds={"s": Bounds(Integer(0))})), True),
    "s is one": (goal(s**3, Integer(1), PLAIN, Eq(s, 1)), True),
    "s may be two": (goal(s**3, Integer(1), PLAIN), False),
    "s is a class": (goal(s**2, s, Context(shapes=SHAPES, values={"s": (0, 1)})), True),
    "s is a number": (goal(s**2, s, PLAIN), False),
    "a is free at the kink": (goal(KINK, indicator(entry("a", i) > 0), PLAIN), True),
    "a may lie on the kink": (goal(KINK, indicator(entry("a", i) > 0), with_a(Max(x(i), 0))), False),
}  # fmt: skip
"""Goals that share terms but not what these mean, and whether they hold."""


def proved(asked: Goal, memory: Memory | None = None) -> bool:
    """Tell whether a goal is proved."""
    try:
        return isinstance(prove(asked, memory), Proved)
    except KernelError:
        return False


@pytest.mark.parametrize("name", ASKED)
def test_each_goal_is_answered_alone(name: str) -> None:
    """So the table is right before any goal is asked after another."""
    asked, holds = ASKED[name]
    assert proved(asked) is holds


@pytest.mark.parametrize(("first", "second"), list(itertools.product(ASKED, ASKED)))
def test_a_goal_is_answered_as_if_alone_after_another(first: str, second: str) -> None:
    """What a name, a range or a fact meant in one goal does not reach into the next, nor back."""
    memory = Memory()
    for name in (first, second, first):
        asked, holds = ASKED[name]
        assert proved(asked, memory) is holds


def test_a_calculus_goes_on_while_its_names_mean_the_same() -> None:
    """A later definition of another name is no reason to begin again; one of a name that was met is."""
    memory = Memory()
    first = with_a(x(i) ** 2)
    assert proved(goal(SLOPE, 2 * x(i), first), memory)
    (kept,) = memory.calculi
    later = Context({**first.definitions, "b": Definition("b", (i,), x(i))}, shapes={**SHAPES, "b": (N,)})
    assert proved(goal(SLOPE, 2 * x(i), later), memory)
    assert memory.calculi == [kept]
    assert proved(goal(SLOPE, 3 * x(i) ** 2, with_a(x(i) ** 3)), memory)
    assert memory.calculi[1:] == [kept]


def test_a_memory_is_bounded() -> None:
    """However many contexts and ranges a page has."""
    memory = Memory()
    for n in range(2, 40):
        asked = goal(SLOPE, n * x(i) ** (n - 1), with_a(x(i) ** n), size=Size(f"N{n}"))
        assert proved(asked, memory)
    assert len(memory.calculi) == CALCULI
    assert len(memory.readers) == READERS

"""What a page supposes of the order of values is used: signs, absolute values, maxima, roots, logarithms.

Brute force tells, at points at which the assumptions hold, that each claim is true and each twin false.
"""

from __future__ import annotations

import itertools

import pytest
import sympy
from brute_force import Point, evaluate, holds
from sympy import Abs, Expr, Integer, Max, Min, Product, Rational, Sum, exp, log, sqrt

from symderiv.kernel.equality import Proved, Residue, prove
from symderiv.kernel.orders import contradictory
from symderiv.kernel.terms import Cases, Context, D, Goal, Index, Size, entry, fresh, indicator

N = Size("N")
i, j, m, n = map(Index, ("i", "j", "m", "n"))
k = fresh("k")
a, b, c, d = map(entry, "abcd")
p = entry("p", positive=True)
ZERO, ONE = Integer(0), Integer(1)
TRUE = sympy.true


def x(index: Expr) -> Expr:
    return entry("x", index)


def y(index: Expr) -> Expr:
    return entry("y", index)


def s(index: Expr) -> Expr:
    return entry("s", index, positive=True)


def huber(r: Expr) -> Expr:
    return Cases(r**2 / 2, Abs(r) < 1, Abs(r) - Rational(1, 2), TRUE)


CLAIMS: dict[str, tuple[tuple[Expr, ...], Expr, Expr, list[Expr]]] = {
    "a shifted absolute value": ((a > -1,), Abs(a + 1), a + 1, [-a - 1]),
    "an absolute value below": ((a < 0,), Abs(a - 3), 3 - a, [a - 3]),
    "a root of a square below 0": ((a < 0,), sqrt(a**2), -a, [a]),
    "a root of a square of a difference": ((a > b,), sqrt((a - b) ** 2), a - b, [b - a, a + b]),
    "the greater of two": ((a > b,), Max(a, b), a, [b]),
    "the greater of three": ((a >= b, b >= c), Max(a, b, c), a, [b, c]),
    "a chain of three": ((a > b, b > c), Abs(a - c), a - c, [c - a, a - b]),
    "a sum of two orders": ((a > b, c > d), Abs(a + c - b - d), a + c - b - d, [a - b]),
    "a positive part": ((a >= Rational(6, 5),), Max(0, a - 1), a - 1, [ZERO]),
    "no positive part": ((a <= 0,), Max(0, a), ZERO, [a]),
    "inside of an interval": ((a > 0, a < 1), Abs(a - 1) + Abs(a), ONE, [2 * a - 1]),
    "a hyperbola": ((a > 1,), sqrt(a**2 - 1), sqrt(a - 1) * sqrt(a + 1), [a - 1]),
    "a factor whose sign is known": ((a > 0, a < 1), Max(b, a * b), Cases(b, b > 0, a * b, TRUE), [b]),
    "a factor that is negative": ((a > 1,), Max(b, a * b), Cases(a * b, b > 0, b, TRUE), [b, a * b]),
    "a logarithm above 0": ((a > 1,), Abs(log(a)), log(a), [-log(a)]),
    "a logarithm below 0": ((a > 0, a < 1), Abs(log(a)), -log(a), [log(a)]),
    "a square of what is ordered": ((a > 1,), Abs(a**2 - 1), a**2 - 1, [1 - a**2]),
    "a product of what is ordered": ((a > 1, b > 1), Abs(a * b - 1), a * b - 1, [1 - a * b]),
    "a negative factor": ((b < 0,), Abs(a * b), -b * Abs(a), [b * Abs(a)]),
    "two negative factors": ((a < 0, b < 0), Abs(a * b), a * b, [-a * b]),
    "a power of a complement": (
        (p < 1,),
        D((1 - p) ** c, p),
        -c * (1 - p) ** (c - 1),
        [c * (1 - p) ** (c - 1)],
    ),
    "a clip, in either order": ((b < c,), Max(b, Min(a, c)), Min(c, Max(a, b)), [Min(b, Max(a, c))]),
    "a clip that changes nothing": ((b < a, a < c), Max(b, Min(a, c)), a, [b, c]),
    "a clip outside": ((Abs(a) > p,), Max(-p, Min(a, p)), p * sympy.sign(a), [a, p]),
    "Huber's loss near 0": ((Abs(a) < 1,), huber(a), a**2 / 2, [Abs(a) - Rational(1, 2)]),
    "Huber's loss above": ((a > Rational(6, 5),), huber(a), a - Rational(1, 2), [a**2 / 2]),
    "a step": ((a > b,), indicator(a > b), ONE, [ZERO]),
    "a condition that cannot be": ((a > b,), indicator(b > a), ZERO, [ONE]),
    "a term that is positive by itself": ((a > -exp(b),), Abs(a + exp(b)), a + exp(b), [-a - exp(b)]),
    "every entry": ((x(m) > -1,), Sum(Abs(x(k) + 1), (k, 1, N)), Sum(x(k), (k, 1, N)) + N, [N * ONE]),
    "every entry is above another": (
        (x(m) > y(m),),
        Sum(Max(x(k), y(k)), (k, 1, N)),
        Sum(x(k), (k, 1, N)),
        [Sum(y(k), (k, 1, N))],
    ),
    "the entries of a product": (
        (x(m) < 1, x(m) > 0),
        log(Product(1 - x(k), (k, 1, N))),
        Sum(log(1 - x(k)), (k, 1, N)),
        [Sum(log(1 + x(k)), (k, 1, N))],
    ),
    "one entry": ((x(i) < 0,), Abs(x(i)), -x(i), [x(i)]),
    "a derivative where the side is known": ((a > b,), D(Max(a, b) ** 2, a), 2 * a, [ZERO, 2 * b]),
    "a derivative where all sides are known": (
        (x(m) >= 0,),
        D(Sum(Max(x(k), 0), (k, 1, N)), x(i)),
        ONE,
        [ZERO],
    ),
}
"""What is supposed, left, right, and right sides that are wrong."""
RANGES = {i: N, j: N}


def outcome(assumptions: tuple[Expr, ...], left: Expr, right: Expr) -> Proved | Residue:
    free = {index: size for index, size in RANGES.items() if left.has(index) or right.has(index)}
    return prove(Goal(left, right, free, assumptions, Context(shapes={"x": (N,), "y": (N,)})))


def gap(assumptions: tuple[Expr, ...], left: Expr, right: Expr) -> float:
    """Return the largest difference of the sides over points at which the assumptions hold."""
    found = []
    context = Context(shapes={"x": (N,), "y": (N,)})
    for seed, at in itertools.product(range(150), (1, 2)):
        point = Point({"N": 2}, seed, context, indices={"i": at, "j": at})
        everywhere = [Point({"N": 2}, seed, context, indices={"i": at, "m": one}) for one in (1, 2)]
        if all(holds(fact, each) for fact in assumptions for each in everywhere):
            found.append(abs(evaluate(left, point) - evaluate(right, point)))
    assert len(found) > 4
    return float(max(found))


@pytest.mark.parametrize("claim", CLAIMS)
def test_an_order_is_used(claim: str) -> None:
    """The claim is proved and none of its twins is; brute force agrees where the assumptions hold."""
    assumptions, left, right, wrong = CLAIMS[claim]

    proof = outcome(assumptions, left, right)

    assert isinstance(proof, Proved)
    assert proof.hypotheses
    assert gap(assumptions, left, right) < 1e-9
    for twin in wrong:
        assert not isinstance(outcome(assumptions, left, twin), Proved)
        assert gap(assumptions, left, twin) > 1e-9


def test_only_the_orders_that_were_used_are_named() -> None:
    """One that is enough is named alone."""
    proof = outcome((c > 3, a > b, d < 0), Abs(a - b), a - b)

    assert isinstance(proof, Proved)
    assert proof.hypotheses == ("a > b",)


@pytest.mark.parametrize(
    "assumptions",
    [
        (a >= 0, a <= 0),
        (-(a**2) >= 0,),
        (Abs(a) <= 0,),
        (-Sum(x(k) ** 2, (k, 1, N)) >= a**2,),
        (x(m) >= a, x(m) <= a, a >= 0, a <= 0),
        (a >= b, b >= a, b >= 0, b <= 0),
        (x(m) >= x(n),),
        (x(m) >= 0, x(n) <= 0),
    ],
)
def test_what_holds_almost_everywhere_is_left_where_orders_leave_a_few_points(
    assumptions: tuple[Expr, ...],
) -> None:
    """`a >= 0` and `a <= 0` leave the kink alone, and the rule of the derivative says nothing there."""
    kinked = D(Abs(a) + Sum(Abs(x(k)), (k, 1, N)), a)

    assert isinstance(outcome((), kinked, sympy.sign(a)), Proved)
    assert isinstance(outcome(assumptions, kinked, sympy.sign(a)), Residue)


def test_from_orders_that_contradict_one_another_nothing_follows() -> None:
    """A page that supposes what cannot be is read wrongly, or is wrong."""
    assert isinstance(outcome((a > 1, a < 0), Abs(a + 5), b), Residue)
    assert isinstance(outcome((a > 1, a < 0), Abs(a - 1), a - 1), Residue)


def test_an_order_of_what_the_kernel_cannot_read_is_not_used() -> None:
    """A condition that is no inequality of terms proves nothing, and forbids nothing."""
    odd = sympy.gamma(a) > 0

    assert isinstance(outcome((odd,), a + a, 2 * a), Proved)
    assert isinstance(outcome((odd,), Abs(a), a), Residue)


def test_many_inequalities_are_left_alone() -> None:
    """Elimination stops where consequences multiply; it then tells of no contradiction."""
    crowd = [({f"v{n}": 1, f"w{n % 7}": (-1) ** n, None: n}, True) for n in range(30)]
    crowd += [({f"v{n}": -1, f"w{n % 5}": (-1) ** (n // 2), None: n}, True) for n in range(30)]

    assert not contradictory(crowd)
    assert contradictory([({"v": 1}, True), ({"v": -1}, False)])

"""Four properties of the normal form over random index terms.

It is idempotent, invariant under presentation and under the order of work, and numerically sound at three
combinations of sizes.
"""

# Hypothesis gives the arguments.
# ruff: noqa: ANN001, ANN201, ANN202

from __future__ import annotations

from fractions import Fraction

import pytest
import random_terms
from brute_force import Undefined as NoValue
from brute_force import assignments, evaluate
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from random_terms import EVERYTHING, FREE, POLYNOMIAL, disguised
from sympy import Expr

from symderiv.kernel import indices as ix
from symderiv.kernel.equality import Proved, normal, prove
from symderiv.kernel.terms import Context, Goal, Index, KernelError, Size, entry
from symderiv.kernel.writing import write

POSITIVE = frozenset({"p", "e"})
SIZES = ({"N": 1, "M": 1}, {"N": 2, "M": 3}, {"N": 3, "M": 2})
PLAIN = settings(deadline=None, max_examples=60, suppress_health_check=list(HealthCheck), print_blob=True)


@st.composite
def terms(draw, kinds, depth=3) -> tuple[Expr, Expr]:
    """Draw a term and the same term in another presentation."""

    def pick(options):
        return options[draw(st.integers(0, len(options) - 1))]

    try:
        term = random_terms.term(pick, depth, [random_terms.I, random_terms.J], kinds)
        return term, disguised(term, pick)
    except (TypeError, ValueError):
        assume(False)  # noqa: FBT003 - SymPy cannot build the term: a comparison of what is not real
        raise


def in_normal_form(term: Expr):
    try:
        return normal(term, FREE)
    except KernelError:
        assume(False)  # noqa: FBT003 - the kernel gave up, and said so
        raise


@given(terms(POLYNOMIAL))
@PLAIN
def test_idempotent(pair) -> None:
    """The normal form of a normal form is itself."""
    form = in_normal_form(pair[0])

    assert normal(write(form, POSITIVE), FREE) == form


@given(terms(POLYNOMIAL))
@PLAIN
def test_invariant_under_presentation(pair) -> None:
    """Terms without divisions have one normal form, however they are written."""
    term, other = pair

    assert in_normal_form(term) == in_normal_form(other)


@given(terms([kind for kind in EVERYTHING if kind not in ("max", "abs", "greatest", "matrix")]))
@PLAIN
def test_other_presentations_are_proved_equal(pair) -> None:
    """With divisions, roots and conditions, the zero test identifies what was only rewritten."""
    term, other = pair
    in_normal_form(term)

    assert isinstance(prove(Goal(term, other, FREE)), Proved)


@given(terms(POLYNOMIAL, depth=2), terms(POLYNOMIAL, depth=2), terms(POLYNOMIAL, depth=2))
@PLAIN
def test_invariant_under_the_order_of_work(first, second, third) -> None:
    """A product or sum of three is the same, whichever two are taken first."""
    (a, _), (b, _), (c, _) = first, second, third
    left, middle, right = (write(in_normal_form(t), POSITIVE) for t in (a, b, c))

    assert in_normal_form(a * b * c) == in_normal_form(write(in_normal_form(left * middle), POSITIVE) * right)
    assert in_normal_form(a + b - c) == in_normal_form(left + write(in_normal_form(middle - right), POSITIVE))


@given(terms(EVERYTHING), st.integers(0, 1000))
@PLAIN
def test_numerically_sound(pair, seed) -> None:
    """Where the term has a value, its normal form has the same, at every index of three size combinations."""
    term, _ = pair
    form = write(in_normal_form(term), POSITIVE)
    for sizes in SIZES:
        for point in assignments(FREE, sizes, seed, Context()):
            try:
                expected, found = evaluate(term, point), evaluate(form, point)
            except (NoValue, ZeroDivisionError, ValueError, OverflowError):
                continue
            if abs(expected) < 1e20:
                assert abs(expected - found) < 1e-15 * (1 + abs(expected))


@pytest.mark.long
@given(terms(EVERYTHING, depth=4), st.integers(0, 1000))
@settings(PLAIN, max_examples=500)
def test_numerically_sound_at_length(pair, seed) -> None:
    """The same for deeper terms."""
    test_numerically_sound.hypothesis.inner_test(pair, seed)


i, k = (ix.FREE, "i"), (ix.FREE, "k")
n = (ix.SIZE, "N")
UPPER = {i: (ix.bare(n),)}


@pytest.mark.parametrize(
    ("form", "expected"),
    [
        (ix.constant(0), True),
        (ix.constant(-1), False),
        (ix.plus(ix.bare(i), ix.constant(-1)), True),
        (ix.plus(ix.bare(i), ix.constant(-2)), False),
        (ix.minus(ix.bare(n), ix.bare(i)), True),
        (ix.minus(ix.bare(n), ix.bare(k)), False),
        (ix.minus(ix.times(ix.bare(n), ix.bare(n)), ix.times(ix.bare(n), ix.bare(i))), True),
        (ix.minus(ix.times(ix.bare(n), ix.bare(n)), ix.times(ix.bare(i), ix.bare(i))), True),
        (ix.minus(ix.bare(n), ix.times(ix.bare(i), ix.bare(i))), False),
    ],
)
def test_bounds_of_index_expressions(form, expected) -> None:
    """What is called at least 0 is so for every size and index in range."""
    assert ix.at_least_zero(form, UPPER) is expected


def test_equations_between_index_expressions() -> None:
    """Equations are divided by their common factor; those that no integers solve are found."""
    twice = ix.scaled(ix.bare(i), 2)

    assert ix.primitive(ix.plus(twice, ix.constant(-4))) == ix.plus(ix.bare(i), ix.constant(-2))
    assert ix.primitive(ix.plus(twice, ix.constant(-3))) is None
    assert ix.primitive(ix.scaled(ix.bare(i), -1)) == ix.bare(i)
    assert ix.solved(ix.plus(twice, ix.bare(k)), i) is None
    assert ix.solved(ix.plus(twice, ix.bare(k)), k) == ix.scaled(twice, -1)
    assert ix.solved(ix.times(ix.bare(i), ix.bare(k)), i) is None


def test_normal_forms_do_not_grow_with_sizes() -> None:
    """A numeric size makes no work: 4 and 4096 give normal forms of the same shape."""
    from sympy import Sum, exp

    index, bound = Index("i"), Index("k")
    forms = [
        normal(exp(entry("x", index)) / Sum(exp(entry("x", bound)), (bound, 1, size)), {index: size})
        for size in (4, 4096)
    ]

    assert len(forms[0].terms) == len(forms[1].terms) == 1
    assert Size("N") != Index("N")


@pytest.mark.parametrize("values", [(0, 1), (-1, 1), (0, 1, 2), (-2, 3, 5), (4,)])
@pytest.mark.parametrize("power", [-3, -1, 2, 3, 4, 9])
def test_powers_of_an_entry_of_a_finite_set(values: tuple[int, ...], power: int) -> None:
    """At each number of the set the lower polynomial has the value of the power; at 0 no inverse has one."""
    from symderiv.kernel.polynomial import Kind

    context = Context(values={"m": values})
    lower = normal(entry("m") ** power, {}, context)

    if 0 in values and power < 0:
        assert [set(m.factors.values()) for m in lower.terms] == [{power}]
        return
    powers = {e for m in lower.terms for a, e in m.factors.items() if a.kind is Kind.ENTRY}
    assert powers <= set(range(len(values))) or power < len(values)
    for value in values:
        assert write(lower).subs(entry("m"), value) == Fraction(value) ** power

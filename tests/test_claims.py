"""Claims of deep learning that the kernel proves, by subject, and each with false twins that it does not."""

# A table of mathematics: one claim a line, single letters, sums of what is constant.
# ruff: noqa: ANN001, ANN201, E501, N802

from __future__ import annotations

import pytest
import sympy
from sympy import (
    Eq,
    Integer,
    Product,
    Sum,
    Symbol,
    exp,
    log,
)
from test_equality import (
    PLAIN,
    R1,
    R2,
    A,
    B,
    M,
    N,
    T,
    W,
    X,
    g,
    gap,
    i,
    j,
    k,
    l,
    of_indices,
    outcome,
    tensor,
    total,
    w,
    x,
    y,
)  # fmt: skip

from symderiv.kernel.equality import Proved
from symderiv.kernel.terms import (
    Cases,
    D,
    Index,
    Size,
    Unknown,
    indicator,
)

m, n = Index("m"), Index("n")
zero, one = Integer(0), Integer(1)
G2 = tensor("G")
stride, pad = Size("s"), Size("p")
f = Symbol("f")


def F(argument, order=0):
    return Unknown(f, (order,), argument)


def softplus(z):
    return log(1 + exp(z))


def inside(index, size):
    """1 where 1 <= index <= size."""
    return Cases(one, sympy.And(index >= 1, index <= size), zero, sympy.true)


def padded(f, index, size):
    """f(index) where it is inside, else 0."""
    return Cases(f(index), sympy.And(index >= 1, index <= size), zero, sympy.true)


CASES: dict[str, tuple] = {
    # sums and ranges
    "telescoping": (PLAIN, {}, (), Sum(x(k + 1) - x(k), (k, 1, N - 1)), x(N) - x(1), [x(1) - x(N), x(N + 1) - x(1), x(N)]),
    "telescoping, all": (PLAIN, {}, (), Sum(x(k + 1) - x(k), (k, 1, N)), x(N + 1) - x(1), [x(N) - x(1)]),
    "telescoping, products": (PLAIN, {}, (), Sum(x(k + 1) * y(k + 1) - x(k) * y(k), (k, 1, N)), x(N + 1) * y(N + 1) - x(1) * y(1), [x(N) * y(N) - x(1) * y(1)]),
    "summation by parts": (PLAIN, {}, (), Sum(x(k) * (y(k + 1) - y(k)), (k, 1, N)), x(N + 1) * y(N + 1) - x(1) * y(1) - Sum(y(k + 1) * (x(k + 1) - x(k)), (k, 1, N)), [
        x(N + 1) * y(N + 1) - x(1) * y(1) - Sum(y(k) * (x(k + 1) - x(k)), (k, 1, N))]),
    "shift": (PLAIN, {}, (), Sum(x(k + 1), (k, 0, N - 1)), total(x, N), [Sum(x(k + 1), (k, 1, N))]),
    "shift by 2": (PLAIN, {}, (), Sum(x(k + 2), (k, -1, N - 2)), total(x, N), [Sum(x(k + 1), (k, -1, N - 2))]),
    "shift, range to N + 1": (PLAIN, {}, (), Sum(x(k - 1), (k, 2, N + 1)), total(x, N), [Sum(x(k - 1), (k, 2, N))]),
    "first apart": (PLAIN, {}, (), x(1) + Sum(x(k), (k, 2, N)), total(x, N), [Sum(x(k), (k, 2, N))]),
    "last apart": (PLAIN, {}, (), x(N) + Sum(x(k), (k, 1, N - 1)), total(x, N), [Sum(x(k), (k, 1, N - 1))]),
    "both ends apart": (PLAIN, {}, (), x(1) + x(N) + Sum(x(k), (k, 2, N - 1)), total(x, N) + Cases(x(1), Eq(N, 1), zero, sympy.true), [total(x, N)]),
    "empty range": (PLAIN, {}, (), Sum(x(k), (k, 1, 0)), zero, [x(1)]),
    "empty product": (PLAIN, {}, (), Product(x(k), (k, 1, 0)), one, [x(1), zero]),
    "perhaps empty": (PLAIN, {}, (), Sum(x(k), (k, 1, N - M)) * indicator(M >= N), zero, [Sum(x(k), (k, 1, N - M)) * indicator(M > N - 2)]),
    "before i": (PLAIN, R1, (), Sum(x(k), (k, 1, i - 1)) + x(i) + Sum(x(k), (k, i + 1, N)), total(x, N), [Sum(x(k), (k, 1, i - 1)) + Sum(x(k), (k, i + 1, N))]),
    "up to i": (PLAIN, R1, (), Sum(x(k), (k, 1, i)) - Sum(x(k), (k, 1, i - 1)), x(i), [x(1), zero]),
    "cumulative, derivative": (PLAIN, R2, (), D(Sum(x(k), (k, 1, i)), x(j)), indicator(j <= i), [indicator(i <= j), indicator(j < i)]),
    "cumulative, gradient": (PLAIN, {j: N}, (), D(Sum(g(i) * Sum(x(k), (k, 1, i)), (i, 1, N)), x(j)), Sum(g(i), (i, j, N)), [Sum(g(i), (i, 1, j)), Sum(g(i), (i, j + 1, N))]),
    "lower triangle": (PLAIN, {}, (), Sum(A(k, l), (l, 1, k), (k, 1, N)) + Sum(A(k, l), (l, k + 1, N), (k, 1, N)), total(A, N, N), [total(lambda k: A(k, k), N)]),
    "pairs apart": (PLAIN, {}, (), Sum(x(k) * x(l), (l, 1, k - 1), (k, 1, N)) * 2, total(x, N) ** 2 - total(lambda k: x(k) ** 2, N), [total(x, N) ** 2]),
    "reversed": (PLAIN, {}, (), Sum(x(N + 1 - k), (k, 1, N)), total(x, N), [Sum(x(N - k), (k, 1, N))]),
    "reversed convolution": (PLAIN, R1, (), Sum(x(k) * y(i + 1 - k), (k, 1, i)), Sum(y(k) * x(i + 1 - k), (k, 1, i)), [Sum(y(k) * x(i - k), (k, 1, i))]),
    # convolution and pooling
    "valid convolution by the input, over outputs": (PLAIN, {m: N + M - 1}, (), D(Sum(g(i) * Sum(w(k) * x(i + k - 1), (k, 1, M)), (i, 1, N)), x(m)),
        Sum(g(i) * padded(w, m - i + 1, M), (i, 1, N)), [Sum(g(i) * w(m - i + 1), (i, 1, N))]),
    "valid convolution by the kernel": (PLAIN, {m: M}, (), D(Sum(g(i) * Sum(w(k) * x(i + k - 1), (k, 1, M)), (i, 1, N)), w(m)),
        Sum(g(i) * x(i + m - 1), (i, 1, N)), [Sum(g(i) * x(i + m), (i, 1, N)), Sum(g(i) * x(m), (i, 1, N))]),
    "strided convolution by the input": (PLAIN, {m: T}, (), D(Sum(g(i) * Sum(w(k) * x(stride * (i - 1) + k), (k, 1, M)), (i, 1, N)), x(m)),
        Sum(g(i) * padded(w, m - stride * (i - 1), M), (i, 1, N)), [Sum(g(i) * padded(w, m - (i - 1), M), (i, 1, N)), Sum(g(i) * padded(w, m - stride * i, M), (i, 1, N))]),
    "padded convolution by the input": (PLAIN, {m: T}, (), D(Sum(g(i) * Sum(w(k) * padded(x, stride * i + k - pad, T), (k, 1, M)), (i, 1, N)), x(m)),
        Sum(g(i) * padded(w, m + pad - stride * i, M), (i, 1, N)), [Sum(g(i) * padded(w, m - pad - stride * i, M), (i, 1, N)), Sum(g(i) * w(m + pad - stride * i), (i, 1, N))]),
    "padded convolution by the kernel": (PLAIN, {m: M}, (), D(Sum(g(i) * Sum(w(k) * padded(x, stride * i + k - pad, T), (k, 1, M)), (i, 1, N)), w(m)),
        Sum(g(i) * padded(x, stride * i + m - pad, T), (i, 1, N)), [Sum(g(i) * x(stride * i + m - pad), (i, 1, N))]),
    "convolution in two dimensions by the input": (PLAIN, {m: N + M - 1, n: T + B - 1}, (),
        D(Sum(G2(i, j) * W(k, l) * X(i + k - 1, j + l - 1), (k, 1, M), (l, 1, B), (i, 1, N), (j, 1, T)), X(m, n)),
        Sum(G2(i, j) * padded(lambda r: padded(lambda s: W(r, s), n - j + 1, B), m - i + 1, M), (i, 1, N), (j, 1, T)), [
        Sum(G2(i, j) * padded(lambda r: padded(lambda s: W(r, s), n - j + 1, B), m - i, M), (i, 1, N), (j, 1, T)),
        Sum(G2(i, j) * padded(lambda r: padded(lambda s: W(s, r), n - j + 1, B), m - i + 1, M), (i, 1, N), (j, 1, T))]),
    "convolution in two dimensions by the kernel": (PLAIN, {m: M, n: B}, (),
        D(Sum(G2(i, j) * W(k, l) * X(i + k - 1, j + l - 1), (k, 1, M), (l, 1, B), (i, 1, N), (j, 1, T)), W(m, n)),
        Sum(G2(i, j) * X(i + m - 1, j + n - 1), (i, 1, N), (j, 1, T)), [Sum(G2(i, j) * X(i + n - 1, j + m - 1), (i, 1, N), (j, 1, T))]),
    "average pooling": (PLAIN, {m: N * M}, (), D(Sum(g(i) * Sum(x((i - 1) * M + k), (k, 1, M)) / M, (i, 1, N)), x(m)),
        Sum(g(i) * inside(m - (i - 1) * M, M), (i, 1, N)) / M, [Sum(g(i) * inside(m - i * M, M), (i, 1, N)) / M, total(g, N) / M]),
}  # fmt: skip
"""Name: context, ranges, assumptions, left, right, and right sides that are wrong."""

TRUE = [pytest.param(*case[:5], id=name) for name, case in CASES.items()]
FALSE = [
    pytest.param(*case[:4], wrong, id=f"{name}, wrong {place}")
    for name, case in CASES.items()
    for place, wrong in enumerate(case[5], 1)
]
GENERAL = pytest.mark.parametrize(("context", "ranges", "assumptions", "left", "right"), TRUE)
WRONG = pytest.mark.parametrize(("context", "ranges", "assumptions", "left", "right"), FALSE)


@GENERAL
def test_proves_the_claim(context, ranges, assumptions, left, right) -> None:
    """Each of these holds for every size, index and value."""
    found = outcome(context, ranges, assumptions, left, right)

    assert isinstance(found, Proved), found


@WRONG
def test_does_not_prove_its_twin(context, ranges, assumptions, left, right) -> None:
    """Each of these differs somewhere."""
    assert not isinstance(outcome(context, ranges, assumptions, left, right), Proved)


def free_of_hypotheses(cases: list) -> list:
    """Return the claims that brute force can judge: a hypothesis on values would need values that meet it."""
    return [case for case in cases if of_indices(case.values[2])]


@pytest.mark.parametrize(("context", "ranges", "assumptions", "left", "right"), free_of_hypotheses(TRUE))
def test_brute_force_agrees(context, ranges, assumptions, left, right) -> None:
    """What is called a claim here holds at every small size."""
    assert gap(context, ranges, assumptions, left, right) < 1e-12


@pytest.mark.parametrize(("context", "ranges", "assumptions", "left", "right"), free_of_hypotheses(FALSE))
def test_brute_force_differs(context, ranges, assumptions, left, right) -> None:
    """What is called wrong here differs at some small size."""
    assert gap(context, ranges, assumptions, left, right) > 1e-9

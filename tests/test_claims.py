"""Claims of deep learning that the kernel proves, by subject, and each with false twins that it does not."""

# A table of mathematics: one claim a line, single letters, sums of what is constant.
# ruff: noqa: ANN001, ANN201, ARG005, E501, E741, N802

from __future__ import annotations

import itertools

import pytest
import sympy
from sympy import (
    Abs,
    Eq,
    Integer,
    Max,
    Min,
    Product,
    Rational,
    Sum,
    Symbol,
    cos,
    cosh,
    erf,
    exp,
    log,
    pi,
    sin,
    sinh,
    sqrt,
    tan,
    tanh,
)
from test_equality import (
    PLAIN,
    R1,
    R2,
    A,
    B,
    L,
    M,
    N,
    P,
    T,
    V,
    W,
    X,
    Y,
    a,
    b,
    c,
    define,
    delta,
    g,
    gap,
    h,
    i,
    j,
    k,
    l,
    of_indices,
    outcome,
    p,
    q,
    s,
    sigmoid,
    tensor,
    total,
    u,
    v,
    w,
    x,
    y,
    z,
)  # fmt: skip

from symderiv.kernel import labelling
from symderiv.kernel.equality import Proved
from symderiv.kernel.normal import Algebra
from symderiv.kernel.reading import Reader
from symderiv.kernel.terms import (
    Cases,
    Context,
    D,
    Greatest,
    Index,
    Opaque,
    Partial,
    Size,
    Unknown,
    entry,
    fresh,
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


def top(f, size):
    index = fresh("k")
    return Greatest(f(index), (index, 1, size))


def inside(index, size):
    """1 where 1 <= index <= size."""
    return Cases(one, sympy.And(index >= 1, index <= size), zero, sympy.true)


def padded(f, index, size):
    """f(index) where it is inside, else 0."""
    return Cases(f(index), sympy.And(index >= 1, index <= size), zero, sympy.true)


POOL = Context(
    definitions=define("y", 1, lambda i: top(lambda k: x(M * (i - 1) + k), M)),
    opaque={"L": Opaque("L", (), ("y",))},
    shapes={"x": (N * M,), "y": (N,), "L": ()},
)


def soft(f, index):
    return exp(f(index)) / total(lambda k: exp(f(k)), N)


LAYER = Context(
    definitions=define("y", 1, lambda i: F(total(lambda k: W(i, k) * x(k), M))),
    opaque={"L": Opaque("L", (), ("y",))},
    shapes={"x": (M,), "W": (N, M), "y": (N,), "L": ()},
)
SOFTMAX_REGRESSION = Context(
    definitions=define("Z", 2, lambda n, c: total(lambda k: X(n, k) * W(k, c), M))
    | define("P", 2, lambda n, c: exp(entry("Z", n, c)) / total(lambda k: exp(entry("Z", n, k)), T))
    | define("J", 0, lambda: -total(lambda n, c: Y(n, c) * log(P(n, c)), N, T)),
    shapes={"X": (N, M), "W": (M, T), "Y": (N, T), "Z": (N, T), "P": (N, T), "J": ()},
)
RNN = Context(
    definitions=define("y", 1, lambda i: tanh(total(lambda k: W(i, k) * h(k), N) + x(i))),
    opaque={"L": Opaque("L", (), ("y",))},
    shapes={"x": (N,), "h": (N,), "W": (N, N), "y": (N,), "L": ()},
)
c_, C_, f_, i_, o_ = (tensor(name) for name in ("c", "C", "f", "i", "o"))
LSTM = Context(
    definitions=define("f", 1, lambda k: sigmoid(entry("zf", k)))
    | define("i", 1, lambda k: sigmoid(entry("zi", k)))
    | define("o", 1, lambda k: sigmoid(entry("zo", k)))
    | define("C", 1, lambda k: f_(k) * c_(k) + i_(k) * tanh(entry("zg", k)))
    | define("h", 1, lambda k: o_(k) * tanh(C_(k))),
    opaque={"L": Opaque("L", (), ("h", "C"))},
    shapes={"c": (N,), "C": (N,), "h": (N,), "f": (N,), "i": (N,), "o": (N,), "L": ()}
    | {f"z{gate}": (N,) for gate in "fiog"},
)
GRU = Context(
    definitions=define("z", 1, lambda i: sigmoid(total(lambda k: V(i, k) * h(k), N) + x(i)))
    | define("u", 1, lambda i: tanh(total(lambda k: W(i, k) * h(k), N) + w(i)))
    | define("y", 1, lambda i: (1 - z(i)) * h(i) + z(i) * u(i)),
    opaque={"L": Opaque("L", (), ("y",))},
    shapes={
        "x": (N,),
        "h": (N,),
        "w": (N,),
        "V": (N, N),
        "W": (N, N),
        "z": (N,),
        "u": (N,),
        "y": (N,),
        "L": (),
    },
)


def D_cell(index):
    """The gradient that reaches the cell from later steps, the state held."""
    return Partial(L(), C_(index))


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
    "Gauss": (PLAIN, {}, (), Sum(k, (k, 1, N)), N * (N + 1) / 2, [N * (N - 1) / 2, N**2]),
    "Gauss, from 0": (PLAIN, {}, (), Sum(k, (k, 0, N - 1)), N * (N - 1) / 2, [N * (N + 1) / 2]),
    "Gauss, to i": (PLAIN, R1, (), Sum(k, (k, 1, i)), i * (i + 1) / 2, [N * (N + 1) / 2]),
    "squares": (PLAIN, {}, (), Sum(k**2, (k, 1, N)), N * (N + 1) * (2 * N + 1) / 6, [N * (N + 1) * (2 * N - 1) / 6]),
    "cubes": (PLAIN, {}, (), Sum(k**3, (k, 1, N)), Sum(k, (k, 1, N)) ** 2, [Sum(k**2, (k, 1, N)) ** 2]),
    "counting pairs": (PLAIN, {}, (), Sum(1, (k, 1, l - 1), (l, 1, N)), N * (N - 1) / 2, [N * (N + 1) / 2, N**2]),
    "lower triangle": (PLAIN, {}, (), Sum(A(k, l), (l, 1, k), (k, 1, N)) + Sum(A(k, l), (l, k + 1, N), (k, 1, N)), total(A, N, N), [total(lambda k: A(k, k), N)]),
    "pairs apart": (PLAIN, {}, (), Sum(x(k) * x(l), (l, 1, k - 1), (k, 1, N)) * 2, total(x, N) ** 2 - total(lambda k: x(k) ** 2, N), [total(x, N) ** 2]),
    "reversed": (PLAIN, {}, (), Sum(x(N + 1 - k), (k, 1, N)), total(x, N), [Sum(x(N - k), (k, 1, N))]),
    "reversed convolution": (PLAIN, R1, (), Sum(x(k) * y(i + 1 - k), (k, 1, i)), Sum(y(k) * x(i + 1 - k), (k, 1, i)), [Sum(y(k) * x(i - k), (k, 1, i))]),
    # convolution and pooling
    "valid convolution by the input": (PLAIN, {m: N + M - 1}, (), D(Sum(g(i) * Sum(w(k) * x(i + k - 1), (k, 1, M)), (i, 1, N)), x(m)),
        Sum(w(k) * padded(g, m - k + 1, N), (k, 1, M)), [Sum(w(k) * g(m - k + 1), (k, 1, M)), Sum(w(k) * padded(g, m - k, N), (k, 1, M)), Sum(w(k) * padded(g, k - m + 1, N), (k, 1, M))]),
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
    # conditions on values: one of them, two that exclude one another, several
    "relu, by its condition": (PLAIN, {}, (), Max(a, 0), a * indicator(a > 0), [a * indicator(a < 0)]),
    "relu, twice": (PLAIN, {}, (), Max(Max(a, 0), 0), Max(a, 0), [a]),
    "relu, both ways": (PLAIN, {}, (), Max(a, 0) - Max(-a, 0), a, [Abs(a)]),
    "abs by relu": (PLAIN, {}, (), Max(a, 0) + Max(-a, 0), Abs(a), [a]),
    "leaky relu": (PLAIN, {}, (), Cases(a, a > 0, p * a, sympy.true), Max(a, 0) + p * Min(a, 0), [Max(a, 0) + p * Max(a, 0)]),
    "leaky relu as a maximum": (PLAIN, {}, (), Cases(a, a > 0, a / 10, sympy.true), Max(a, a / 10), [Max(a, a / 2), Min(a, a / 10)]),
    "Huber, derivative": (PLAIN, {}, (), D(Cases(a**2 / 2, Abs(a) <= p, p * (Abs(a) - p / 2), sympy.true), a), Cases(a, Abs(a) <= p, p * sympy.sign(a), sympy.true), [
        a, Cases(a, Abs(a) <= p, -p * sympy.sign(a), sympy.true)]),
    "Huber, derivative as a clip": (PLAIN, {}, (), Cases(a, Abs(a) <= p, p * sympy.sign(a), sympy.true), Max(-p, Min(a, p)), [Max(-p, Min(a, 2 * p)), Max(-p, a)]),
    "Huber, either side of the edge": (PLAIN, {}, (), Cases(a**2 / 2, Abs(a) < p, p * (Abs(a) - p / 2), sympy.true), Cases(a**2 / 2, Abs(a) <= p, p * (Abs(a) - p / 2), sympy.true), [
        Cases(a**2 / 2, Abs(a) <= p, p * Abs(a), sympy.true)]),
    "clip, in either order": (PLAIN, {}, (), Min(p, Max(a, -p)), Max(-p, Min(a, p)), [Max(-p, Min(a, 2 * p)), a]),
    "clip, order matters where the ends cross": (PLAIN, {}, (), Min(p, Max(a, p + q)), p, [Max(p + q, Min(a, p))]),
    "clip, twice": (PLAIN, {}, (), Max(-1, Min(Max(-1, Min(a, 1)), 1)), Max(-1, Min(a, 1)), [Max(-1, Min(a, 2))]),
    "clip, derivative": (PLAIN, {}, (), D(Max(-p, Min(a, p)), a), indicator(Abs(a) < p), [indicator(a < p), indicator(Abs(a) > p)]),
    "relu, cut off": (PLAIN, {}, (), Min(Max(a, 0), 1), Max(a, 0) - Max(a - 1, 0), [Min(Max(a, 0), 2), Max(a, 0) - Max(a - Rational(1, 2), 0)]),
    "hinge, derivative": (PLAIN, {}, (), D(Max(0, 1 - a * b), b), -a * indicator(a * b < 1), [-a * indicator(a * b > 1), a * indicator(a * b < 1)]),
    "hinge of a linear score, derivative": (PLAIN, R1, (), D(Max(0, 1 - a * (total(lambda k: w(k) * x(k), N) + b)), w(i)), -a * x(i) * indicator(a * (total(lambda k: w(k) * x(k), N) + b) <= 1), [
        -a * x(i) * indicator(a * (total(lambda k: w(k) * x(k), N) + b) >= 1)]),
    "hinge of several classes, derivative": (PLAIN, R1, (), D(total(lambda k: Max(0, 1 + x(k) - c), N), x(i)), indicator(1 + x(i) > c), [indicator(1 + x(i) < c)]),
    "ELU, derivative": (PLAIN, {}, (), D(Cases(a, a > 0, p * (exp(a) - 1), sympy.true), a), Cases(one, a > 0, Cases(a, a > 0, p * (exp(a) - 1), sympy.true) + p, sympy.true), [
        Cases(one, a > 0, p * (exp(a) - 1), sympy.true)]),
    "max of three": (PLAIN, {}, (), Max(a, b, c), Max(a, Max(b, c)), [Max(a, Min(b, c))]),
    "max of three, derivative": (PLAIN, {}, (), D(Max(a, b, c), a), indicator(sympy.And(a > b, a > c)), [indicator(sympy.And(a < b, a > c)), indicator(a < c)]),
    "max of three, derivatives": (PLAIN, {}, (), D(Max(a, b, c), a) + D(Max(a, b, c), b) + D(Max(a, b, c), c), one, [2 * one]),
    "max, translated": (PLAIN, {}, (), Max(a + c, b + c), Max(a, b) + c, [Max(a, b)]),
    "max, scaled": (PLAIN, {}, (), Max(p * a, p * b), p * Max(a, b), [Max(a, b)]),
    "max, scaled by what may be negative": (PLAIN, {}, (), Max(-a, -b), -Min(a, b), [-Max(a, b)]),
    "max of exponentials": (PLAIN, {}, (), exp(Max(a, b)), Max(exp(a), exp(b)), [Min(exp(a), exp(b))]),
    "max by the distance": (PLAIN, {}, (), Max(a, b), (a + b + Abs(a - b)) / 2, [(a + b - Abs(a - b)) / 2]),
    "abs of a product": (PLAIN, {}, (), Abs(a * b), Abs(a) * Abs(b), [a * b]),
    "abs of a quotient": (PLAIN, {}, (), Abs(a / p), Abs(a) / p, [a / p]),
    "sign times abs": (PLAIN, {}, (), sympy.sign(a) * Abs(a), a, [Abs(a)]),
    "l1 norm, derivative": (PLAIN, R1, (), D(total(lambda k: Abs(x(k)), N), x(i)), sympy.sign(x(i)), [Abs(x(i))]),
    "soft threshold": (PLAIN, {}, (), sympy.sign(a) * Max(Abs(a) - p, 0), Max(a - p, 0) - Max(-a - p, 0), [Max(a - p, 0)]),
    "causal softmax, rows": (PLAIN, R1, (), total(lambda k: indicator(k <= i) * exp(A(i, k)) / Sum(exp(A(i, l)), (l, 1, i)), N), one, [N * one]),
    "causal softmax, by the mask": (PLAIN, R2, (), Cases(exp(A(i, j)), j <= i, zero, sympy.true) / total(lambda l: Cases(exp(A(i, l)), l <= i, zero, sympy.true), N),
        indicator(j <= i) * exp(A(i, j)) / Sum(exp(A(i, l)), (l, 1, i)), [indicator(j < i) * exp(A(i, j)) / Sum(exp(A(i, l)), (l, 1, i))]),
    # products
    "product, derivative": (PLAIN, R1, (), D(Product(s(k) * x(k), (k, 1, N)), x(i)), Product(s(k) * x(k), (k, 1, N)) / x(i), [Product(s(k) * x(k), (k, 1, N)) / s(i)]),
    "product, logarithm": (PLAIN, {}, (), log(Product(s(k), (k, 1, N))), total(lambda k: log(s(k)), N), [log(total(s, N))]),
    "product, exponential of logarithms": (PLAIN, {}, (), exp(total(lambda k: log(s(k)), N)), Product(s(k), (k, 1, N)), [total(s, N)]),
    "geometric mean": (PLAIN, {}, (), exp(total(lambda k: log(s(k)), N) / 2) ** 2, Product(s(k), (k, 1, N)), [Product(s(k), (k, 1, N)) ** 2]),
    "product of sigmoids": (PLAIN, R1, (), D(log(Product(sigmoid(x(k)), (k, 1, N))), x(i)), 1 - sigmoid(x(i)), [sigmoid(x(i))]),
    "Bernoulli's likelihood": (PLAIN, {}, (), log(Product(sigmoid(x(k)) ** y(k) * (1 - sigmoid(x(k))) ** (1 - y(k)), (k, 1, N))),
        total(lambda k: y(k) * log(sigmoid(x(k))) + (1 - y(k)) * log(1 - sigmoid(x(k))), N), [total(lambda k: y(k) * log(sigmoid(x(k))), N)]),
    "Gauss's likelihood": (PLAIN, {}, (), log(Product(exp(-((x(k) - a) ** 2) / (2 * p)) / sqrt(2 * pi * p), (k, 1, N))),
        -total(lambda k: (x(k) - a) ** 2, N) / (2 * p) - N * log(2 * pi * p) / 2, [-total(lambda k: (x(k) - a) ** 2, N) / (2 * p) - log(2 * pi * p) / 2]),
    "product without one": (PLAIN, R1, (), Product(Cases(one, Eq(k, i), s(k), sympy.true), (k, 1, N)) * s(i), Product(s(k), (k, 1, N)), [Product(s(k), (k, 1, N)) * s(i)]),
    "product to N - 1": (PLAIN, {}, (), Product(x(k), (k, 1, N - 1)) * x(N), Product(x(k), (k, 1, N)), [Product(x(k), (k, 1, N)) * x(N)]),
    # exponentials, logarithms, roots
    "log of a square": (PLAIN, {}, (), log(a**2), 2 * log(Abs(a)), [log(Abs(a))]),
    "log of a quotient": (PLAIN, {}, (), log(p / q), log(p) - log(q), [log(p) + log(q)]),
    "log of an exponential": (PLAIN, {}, (), log(exp(a)), a, [exp(a)]),
    "root of a product, signs known": (PLAIN, {}, (), sqrt(p * q), sqrt(p) * sqrt(q), [p * q]),
    "root of a quotient, signs known": (PLAIN, {}, (), sqrt(p / q), sqrt(p) / sqrt(q), [sqrt(p) * sqrt(q)]),
    "root of the square of a sum": (PLAIN, {}, (), sqrt((a + b) ** 2), Abs(a + b), [-a - b, Abs(a) + Abs(b), Abs(a - b)]),
    "power 3/2 of a square": (PLAIN, {}, (), (a**2) ** Rational(3, 2), Abs(a) ** 3, [a**3]),
    "exponential of a sum": (PLAIN, {}, (), exp(a + b), exp(a) * exp(b), [exp(a) + exp(b), exp(a * b)]),
    "exponential of twice": (PLAIN, {}, (), exp(2 * a), exp(a) ** 2, [exp(a**2)]),
    "exponential and its inverse": (PLAIN, {}, (), exp(a) * exp(-a), one, [exp(2 * a)]),
    # trigonometric and hyperbolic functions, sigmoid, softplus
    "sin of a sum": (PLAIN, {}, (), sin(a + b), sin(a) * cos(b) + cos(a) * sin(b), [sin(a) * cos(b) - cos(a) * sin(b), sin(a) + sin(b)]),
    "cos of a difference": (PLAIN, {}, (), cos(a - b), cos(a) * cos(b) + sin(a) * sin(b), [cos(a) * cos(b) - sin(a) * sin(b)]),
    "sin of twice": (PLAIN, {}, (), sin(2 * a), 2 * sin(a) * cos(a), [sin(a) * cos(a)]),
    "cos of twice": (PLAIN, {}, (), cos(2 * a), 1 - 2 * sin(a) ** 2, [1 - sin(a) ** 2]),
    "sin of a half": (PLAIN, {}, (), sin(a / 2) ** 2, (1 - cos(a)) / 2, [(1 + cos(a)) / 2]),
    "sin of thrice": (PLAIN, {}, (), sin(3 * a), 3 * sin(a) - 4 * sin(a) ** 3, [3 * sin(a) + 4 * sin(a) ** 3]),
    "product of cosines": (PLAIN, {}, (), 2 * cos(a) * cos(b), cos(a - b) + cos(a + b), [cos(a - b) - cos(a + b)]),
    "sines under a sum": (PLAIN, {}, (), total(lambda k: sin(x(k) + a), N), sin(a) * total(lambda k: cos(x(k)), N) + cos(a) * total(lambda k: sin(x(k)), N), [
        sin(a) * total(lambda k: sin(x(k)), N) + cos(a) * total(lambda k: cos(x(k)), N)]),
    "rotary embedding": (PLAIN, R2, (),
        (x(1) * cos(i * a) - x(2) * sin(i * a)) * (y(1) * cos(j * a) - y(2) * sin(j * a)) + (x(1) * sin(i * a) + x(2) * cos(i * a)) * (y(1) * sin(j * a) + y(2) * cos(j * a)),
        (x(1) * y(1) + x(2) * y(2)) * cos((i - j) * a) + (x(1) * y(2) - x(2) * y(1)) * sin((i - j) * a), [
        (x(1) * y(1) + x(2) * y(2)) * cos((i + j) * a) + (x(1) * y(2) - x(2) * y(1)) * sin((i - j) * a)]),
    "tan of a sum": (PLAIN, {}, (), tan(a + b), (tan(a) + tan(b)) / (1 - tan(a) * tan(b)), [(tan(a) + tan(b)) / (1 + tan(a) * tan(b))]),
    "tan, derivative": (PLAIN, {}, (), D(tan(a), a), 1 / cos(a) ** 2, [1 / sin(a) ** 2]),
    "tanh of a sum": (PLAIN, {}, (), tanh(a + b), (tanh(a) + tanh(b)) / (1 + tanh(a) * tanh(b)), [(tanh(a) + tanh(b)) / (1 - tanh(a) * tanh(b))]),
    "sinh of twice": (PLAIN, {}, (), sinh(2 * a), 2 * sinh(a) * cosh(a), [sinh(a) * cosh(a)]),
    "cosh of a sum": (PLAIN, {}, (), cosh(a + b), cosh(a) * cosh(b) + sinh(a) * sinh(b), [cosh(a) * cosh(b) - sinh(a) * sinh(b)]),
    "sigmoid by tanh": (PLAIN, {}, (), sigmoid(a), (1 + tanh(a / 2)) / 2, [(1 + tanh(a)) / 2]),
    "log of a sigmoid": (PLAIN, {}, (), log(sigmoid(a)), -softplus(-a), [softplus(-a), -softplus(a)]),
    "log of one less a sigmoid": (PLAIN, {}, (), log(1 - sigmoid(a)), -a + log(sigmoid(a)), [a + log(sigmoid(a))]),
    "softplus, reflected": (PLAIN, {}, (), softplus(-a), softplus(a) - a, [softplus(a) + a]),
    "softplus, stable": (PLAIN, {}, (), Max(a, 0) + log(1 + exp(-Abs(a))), softplus(a), [Max(a, 0) + log(1 + exp(Abs(a)))]),
    "softplus, derivative": (PLAIN, {}, (), D(softplus(a), a), sigmoid(a), [sigmoid(-a)]),
    "logit": (PLAIN, {}, (), log(sigmoid(a) / (1 - sigmoid(a))), a, [-a]),
    "sigmoid, second derivative": (PLAIN, {}, (), D(sigmoid(a), a, a), sigmoid(a) * (1 - sigmoid(a)) * (1 - 2 * sigmoid(a)), [sigmoid(a) * (1 - sigmoid(a))]),
    "SiLU, derivative": (PLAIN, {}, (), D(a * sigmoid(a), a), sigmoid(a) * (1 + a * (1 - sigmoid(a))), [sigmoid(a) * (1 - a * (1 - sigmoid(a)))]),
    "Mish": (PLAIN, {}, (), tanh(softplus(a)), (exp(2 * a) + 2 * exp(a)) / (exp(2 * a) + 2 * exp(a) + 2), [(exp(2 * a) + 2 * exp(a)) / (exp(2 * a) + 2 * exp(a) - 2)]),
    "GELU, derivative": (PLAIN, {}, (), D(a * (1 + erf(a / sqrt(2))) / 2, a), (1 + erf(a / sqrt(2))) / 2 + a * exp(-(a**2) / 2) / sqrt(2 * pi), [
        (1 + erf(a / sqrt(2))) / 2 + a * exp(-(a**2)) / sqrt(2 * pi)]),
    "arctan, derivative": (PLAIN, {}, (), D(sympy.atan(a), a), 1 / (1 + a**2), [1 / (1 - a**2)]),
    "arcsin, derivative": (PLAIN, {}, (), D(sympy.asin(sin(a) / 2), a), cos(a) / sqrt(4 - sin(a) ** 2), [cos(a) / sqrt(4 + sin(a) ** 2)]),
    "binary cross-entropy": (PLAIN, {}, (), -b * log(sigmoid(a)) - (1 - b) * log(1 - sigmoid(a)), log(1 + exp(a)) - a * b, [log(1 + exp(a)) + a * b]),
    "binary cross-entropy, stable": (PLAIN, {}, (), Max(a, 0) - a * b + log(1 + exp(-Abs(a))), log(1 + exp(a)) - a * b, [log(1 + exp(-a)) - a * b]),
    "binary cross-entropy, derivative": (PLAIN, {}, (), D(-b * log(sigmoid(a)) - (1 - b) * log(1 - sigmoid(a)), a), sigmoid(a) - b, [sigmoid(a) + b]),
    "log-sum-exp, at any centre": (PLAIN, {}, (), log(total(lambda k: exp(x(k)), N)), c + log(total(lambda k: exp(x(k) - c), N)), [log(total(lambda k: exp(x(k) - c), N))]),
    "a few sizes are not all": (PLAIN, {}, (), a, a, [a + (N - 2) * (N - 3) * (N - 4) * (N - 5) * a, a + (N - 1) * (N - 2) * a]),
    # labels in a finite set
    "label of 0 or 1": (PLAIN, R1, (Eq(y(k) ** 2, y(k)),), y(i) ** 3 + y(i), 2 * y(i), [y(i), 2 * y(j)]),
    "label of 0 or 1, under a sum": (PLAIN, {}, (Eq(y(k) ** 2, y(k)),), total(lambda k: y(k) ** 3 * x(k), N), total(lambda k: y(k) * x(k), N), [total(x, N)]),
    "label of -1 or 1": (PLAIN, {}, (Eq(b**2, 1),), (1 - a * b) ** 2, (a - b) ** 2, [(a + b) ** 2]),
    "label of -1 or 1, squared hinge": (PLAIN, {}, (Eq(b**2, 1),), Max(0, 1 - a * b) ** 2, indicator(1 - a * b > 0) * (1 - 2 * a * b + a**2), [indicator(1 - a * b > 0) * (1 - 2 * a * b + a)]),
    "one-hot, two entries": (PLAIN, R2, (Eq(y(k) * y(l), delta(k, l) * y(k)),), y(i) * y(j) * x(j), delta(i, j) * y(j) * x(i), [y(i) * x(j), delta(i, j) * x(i)]),
    "one-hot, square of a choice": (PLAIN, {}, (Eq(y(k) * y(l), delta(k, l) * y(k)),), total(lambda k: y(k) * x(k), N) ** 2, total(lambda k: y(k) * x(k) ** 2, N), [
        total(lambda k: x(k) ** 2, N), total(lambda k: y(k) * x(k), N)]),
    "one-hot, product of choices": (PLAIN, {}, (Eq(y(k) ** 2, y(k)), Eq(total(y, N), 1)), total(lambda k: y(k) * x(k), N) * total(lambda k: y(k) * z(k), N), total(lambda k: y(k) * x(k) * z(k), N), [
        total(lambda k: x(k) * z(k), N)]),
    "one-hot, Brier's score": (PLAIN, {}, (Eq(y(k) ** 2, y(k)), Eq(total(y, N), 1)), total(lambda k: (y(k) - x(k)) ** 2, N), 1 - 2 * total(lambda k: y(k) * x(k), N) + total(lambda k: x(k) ** 2, N), [
        total(lambda k: x(k) ** 2, N) - 2 * total(lambda k: y(k) * x(k), N)]),
    "one-hot, rows of a batch": (PLAIN, R1, (Eq(Y(n, k) ** 2, Y(n, k)), Eq(total(lambda k: Y(n, k), M), 1)), total(lambda k: Y(i, k) * A(i, k), M) ** 2, total(lambda k: Y(i, k) * A(i, k) ** 2, M), [
        total(lambda k: Y(i, k) * A(i, k), M)]),
    "one-hot, two rows are two labels": (PLAIN, R2, (Eq(Y(n, k) ** 2, Y(n, k)), Eq(total(lambda k: Y(n, k), M), 1)), total(lambda k: Y(i, k) * Y(j, k), M) * a, a * total(lambda k: Y(j, k) * Y(i, k), M), [
        a * delta(i, j), a * one]),
    "zeros and ones that add up to 1 in one row only": (PLAIN, R2, (Eq(Y(n, k) ** 2, Y(n, k)), Eq(total(lambda k: Y(i, k), M), 1)), total(lambda k: Y(i, k), M), one, [
        total(lambda k: Y(j, k), M), total(lambda k: Y(j, k) * A(j, k), M) ** 2 - total(lambda k: Y(j, k) * A(j, k) ** 2, M) + one]),
    "label smoothing": (PLAIN, R1, (Eq(total(y, N), 1),), total(lambda k: (1 - a) * y(k) + a / N, N), one, [1 - a, N * one]),
    # the greatest over an index
    "greatest, derivative": (PLAIN, R1, (), D(top(x, N), x(i)), indicator(Eq(x(i), top(x, N), evaluate=False)), [indicator(x(i) < top(x, N)), 2 * indicator(Eq(x(i), top(x, N), evaluate=False))]),
    "greatest, derivatives add up": (PLAIN, {}, (), total(lambda k: D(top(x, N), x(k)), N), one, [N * one + one]),
    "greatest of equal values, derivative": (PLAIN, {}, (), D(top(lambda k: a, N), a), one, [N * one + one]),
    "greatest, translated and scaled": (PLAIN, {}, (), top(lambda k: p * x(k) + a, N), p * top(x, N) + a, [top(x, N) + a]),
    "greatest exponential": (PLAIN, {}, (), top(lambda k: exp(x(k)), N), exp(top(x, N)), [top(x, N)]),
    "greatest is no less than any": (PLAIN, R1, (), Max(x(i), top(x, N)), top(x, N), [x(i) - one]),
    "greatest is no less than any, as a condition": (PLAIN, R1, (), indicator(x(i) <= top(x, N)), one, [indicator(x(i) < top(x, N))]),
    "greatest of a row, derivative": (PLAIN, {i: N, m: N, n: M}, (), D(top(lambda k: A(i, k), M), A(m, n)), delta(i, m) * indicator(Eq(A(i, n), top(lambda k: A(i, k), M), evaluate=False)), [
        delta(i, m) * indicator(A(i, n) < top(lambda k: A(i, k), M)), 2 * indicator(Eq(A(i, n), top(lambda k: A(i, k), M), evaluate=False))]),
    "softmax by the greatest": (PLAIN, R1, (), exp(x(i) - top(x, N)) / total(lambda k: exp(x(k) - top(x, N)), N), exp(x(i)) / total(lambda k: exp(x(k)), N), [exp(x(i) - top(x, N)) / total(lambda k: exp(x(k)), N)]),
    "log-sum-exp by the greatest": (PLAIN, {}, (), top(x, N) + log(total(lambda k: exp(x(k) - top(x, N)), N)), log(total(lambda k: exp(x(k)), N)), [log(total(lambda k: exp(x(k) - top(x, N)), N))]),
    "log-sum-exp by the greatest, derivative": (PLAIN, R1, (), D(top(x, N) + log(total(lambda k: exp(x(k) - top(x, N)), N)), x(i)), exp(x(i)) / total(lambda k: exp(x(k)), N), [exp(x(i))]),
    "max pooling": (POOL, {m: N * M}, (), D(L(), x(m)), total(lambda i: D(L(), y(i)) * inside(m - M * (i - 1), M) * indicator(Eq(x(m), y(i), evaluate=False)), N), [
        total(lambda i: D(L(), y(i)) * inside(m - M * (i - 1), M), N), total(lambda i: D(L(), y(i)) * indicator(Eq(x(m), y(i), evaluate=False)), N) / 2]),
    # second derivatives
    "log-sum-exp, Hessian": (PLAIN, R2, (), D(log(total(lambda k: exp(x(k)), N)), x(i), x(j)),
        soft(x, i) * (delta(i, j) - soft(x, j)), [soft(x, i) * (1 - soft(x, j)), soft(x, i) * (delta(i, j) + soft(x, j))]),
    "log-sum-exp, Hessian as a quadratic form": (PLAIN, {}, (), total(lambda i, j: v(i) * D(log(total(lambda k: exp(x(k)), N)), x(i), x(j)) * v(j), N, N),
        total(lambda i: soft(x, i) * (v(i) - total(lambda j: soft(x, j) * v(j), N)) ** 2, N), [total(lambda i: soft(x, i) * v(i) ** 2, N)]),
    "logistic regression, Hessian": (PLAIN, {i: M, j: M}, (), D(total(lambda n: log(1 + exp(total(lambda k: X(n, k) * w(k), M))) - y(n) * total(lambda k: X(n, k) * w(k), M), N), w(i), w(j)),
        total(lambda n: X(n, i) * sigmoid(total(lambda k: X(n, k) * w(k), M)) * (1 - sigmoid(total(lambda k: X(n, k) * w(k), M))) * X(n, j), N), [
        total(lambda n: X(n, i) * sigmoid(total(lambda k: X(n, k) * w(k), M)) * X(n, j), N)]),
    "softmax regression, Hessian": (SOFTMAX_REGRESSION, {i: M, j: T, m: M, n: T}, (Eq(total(lambda k: Y(l, k), T), 1),), D(entry("J"), W(i, j), W(m, n)),
        total(lambda b: X(b, i) * P(b, j) * (delta(j, n) - P(b, n)) * X(b, m), N), [total(lambda b: X(b, i) * P(b, j) * (1 - P(b, n)) * X(b, m), N)]),
    "least squares, gradient": (PLAIN, {j: M}, (), D(total(lambda n: (total(lambda k: X(n, k) * w(k), M) - y(n)) ** 2, N) / 2, w(j)),
        total(lambda n: X(n, j) * (total(lambda k: X(n, k) * w(k), M) - y(n)), N), [total(lambda n: X(n, j) * (total(lambda k: X(n, k) * w(k), M) + y(n)), N)]),
    "least squares, Hessian": (PLAIN, {i: M, j: M}, (), D(total(lambda n: (total(lambda k: X(n, k) * w(k), M) - y(n)) ** 2, N) / 2, w(i), w(j)),
        total(lambda n: X(n, i) * X(n, j), N), [total(lambda n: X(n, i) ** 2, N), 2 * total(lambda n: X(n, i) * X(n, j), N)]),
    "quadratic form, third derivative": (PLAIN, {**R2, k: N}, (), D(total(lambda i, j: x(i) * A(i, j) * x(j), N, N), x(i), x(j), x(k)), zero, [A(i, j)]),
    "norm, Hessian": (PLAIN, R2, (), D(sqrt(total(lambda k: x(k) ** 2, N)), x(i), x(j)),
        (delta(i, j) - x(i) * x(j) / total(lambda k: x(k) ** 2, N)) / sqrt(total(lambda k: x(k) ** 2, N)), [(delta(i, j) - x(i) * x(j)) / sqrt(total(lambda k: x(k) ** 2, N))]),
    # unknown functions
    "quotient rule": (PLAIN, {}, (), D(F(a) / (1 + F(a) ** 2), a), F(a, 1) * (1 - F(a) ** 2) / (1 + F(a) ** 2) ** 2, [F(a, 1) / (1 + F(a) ** 2) ** 2]),
    "product rule": (PLAIN, {}, (), D(F(a) * F(a**2), a), F(a, 1) * F(a**2) + 2 * a * F(a) * F(a**2, 1), [F(a, 1) * F(a**2) + F(a) * F(a**2, 1)]),
    "second derivative of a composition": (PLAIN, {}, (), D(F(exp(a)), a, a), exp(2 * a) * F(exp(a), 2) + exp(a) * F(exp(a), 1), [exp(2 * a) * F(exp(a), 2)]),
    "function of two variables, chain rule": (PLAIN, {}, (), D(Unknown(f, (0, 0), a**2, a * b), a), 2 * a * Unknown(f, (1, 0), a**2, a * b) + b * Unknown(f, (0, 1), a**2, a * b), [
        2 * a * Unknown(f, (1, 0), a**2, a * b), 2 * a * Unknown(f, (1, 0), a**2, a * b) + a * Unknown(f, (0, 1), a**2, a * b)]),
    "function of two variables, mixed derivatives": (PLAIN, {}, (), D(Unknown(f, (0, 0), a, b), a, b), D(Unknown(f, (0, 0), a, b), b, a), [D(Unknown(f, (0, 0), a, b), a, a)]),
    "elementwise layer": (LAYER, {i: N, j: M}, (), D(L(), W(i, j)), D(L(), y(i)) * F(total(lambda k: W(i, k) * x(k), M), 1) * x(j), [
        D(L(), y(i)) * F(total(lambda k: W(i, k) * x(k), M)) * x(j), D(L(), y(i)) * x(j)]),
    "elementwise layer, by the input": (LAYER, {j: M}, (), D(L(), x(j)), total(lambda i: D(L(), y(i)) * F(total(lambda k: W(i, k) * x(k), M), 1) * W(i, j), N), [
        total(lambda i: D(L(), y(i)) * W(i, j), N)]),
    # recurrences by one step
    "RNN cell, earlier state": (RNN, {j: N}, (), D(L(), h(j)), total(lambda i: D(L(), y(i)) * (1 - y(i) ** 2) * W(i, j), N), [
        total(lambda i: D(L(), y(i)) * (1 - y(i) ** 2) * W(j, i), N), total(lambda i: D(L(), y(i)) * (1 + y(i) ** 2) * W(i, j), N)]),
    "RNN cell, recurrent weights": (RNN, R2, (), D(L(), W(i, j)), D(L(), y(i)) * (1 - y(i) ** 2) * h(j), [D(L(), y(i)) * (1 - y(i) ** 2) * h(i)]),
    "LSTM cell, earlier cell": (LSTM, R1, (), D(L(), c_(i)), (D_cell(i) + Partial(L(), h(i)) * o_(i) * (1 - tanh(C_(i)) ** 2)) * f_(i), [
        D_cell(i) * f_(i), (D_cell(i) + Partial(L(), h(i)) * o_(i) * (1 - tanh(C_(i)) ** 2)) * i_(i)]),
    "LSTM cell, forget gate": (LSTM, R1, (), D(L(), entry("zf", i)), (D_cell(i) + Partial(L(), h(i)) * o_(i) * (1 - tanh(C_(i)) ** 2)) * c_(i) * f_(i) * (1 - f_(i)), [
        (D_cell(i) + Partial(L(), h(i)) * o_(i) * (1 - tanh(C_(i)) ** 2)) * c_(i) * f_(i)]),
    "LSTM cell, output gate": (LSTM, R1, (), D(L(), entry("zo", i)), Partial(L(), h(i)) * tanh(C_(i)) * o_(i) * (1 - o_(i)), [Partial(L(), h(i)) * C_(i) * o_(i) * (1 - o_(i))]),
    "GRU cell, earlier state": (GRU, {j: N}, (), D(L(), h(j)),
        D(L(), y(j)) * (1 - z(j)) + total(lambda i: D(L(), y(i)) * (u(i) - h(i)) * z(i) * (1 - z(i)) * V(i, j), N) + total(lambda i: D(L(), y(i)) * z(i) * (1 - u(i) ** 2) * W(i, j), N), [
        D(L(), y(j)) * (1 - z(j)) + total(lambda i: D(L(), y(i)) * z(i) * (1 - u(i) ** 2) * W(i, j), N),
        D(L(), y(j)) * z(j) + total(lambda i: D(L(), y(i)) * (u(i) - h(i)) * z(i) * (1 - z(i)) * V(i, j), N) + total(lambda i: D(L(), y(i)) * z(i) * (1 - u(i) ** 2) * W(i, j), N)]),
    "GRU cell, its state twice": (GRU, R1, (), y(i) - h(i), z(i) * (u(i) - h(i)), [z(i) * (u(i) + h(i))]),
    # the same entries under two numberings
    "a window, by its own index and by the entries'": (PLAIN, {i: M}, (), Sum(X(1, stride * (i - 1) + k - pad) * inside(stride * (i - 1) + k - pad, N), (k, 1, T)), total(lambda j: X(1, j) * inside(j + pad - stride * (i - 1), T), N), [
        total(lambda j: X(1, j) * inside(j + pad - stride * i, T), N), Sum(X(1, stride * (i - 1) + k - pad), (k, 1, T))]),
    "a weighted window, by its own index and by the entries'": (PLAIN, {i: M}, (), Sum(w(k) * x(stride * (i - 1) + k - pad) * inside(stride * (i - 1) + k - pad, N), (k, 1, T)), total(lambda j: x(j) * padded(w, j + pad - stride * (i - 1), T), N), [
        total(lambda j: x(j) * w(j + pad - stride * (i - 1)), N)]),
    "the first of two ranges": (PLAIN, {}, (), total(lambda k: x(k) * indicator(k <= N), M), total(lambda k: x(k) * indicator(k <= M), N), [total(x, N), total(x, M)]),
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


SHAPES = {
    "every pair but three": list(itertools.combinations(range(6), 2))[:12],
    "a ring, each edge twice": [(place, (place + 1) % 6) for place in range(6)] * 2,
    "a ring with its diagonals": [(place, (place + step) % 6) for step in (1, 3) for place in range(6)],
    "an octahedron": [pair for pair in itertools.combinations(range(6), 2) if sum(pair) != 5],
    "six squares of six squares": [(place, place) for place in range(6)] * 2,
    "two triangles apart, twice": [(0, 1), (1, 2), (2, 0), (3, 4), (4, 5), (5, 3)] * 2,
}
"""Twelve factors over six indices: which indices each has."""


@pytest.mark.parametrize("edges", SHAPES.values(), ids=SHAPES)
@pytest.mark.parametrize("even", [False, True], ids=["plain", "symmetric"])
def test_twelve_factors_over_six_indices_are_few_steps(edges, even, monkeypatch) -> None:
    """A product with repeated and symmetric factors is named canonically in a bounded number of steps."""
    refined = labelling._Search.refined
    steps = 0

    def counted(search, colours) -> dict:
        nonlocal steps
        steps += 1
        return refined(search, colours)

    monkeypatch.setattr(labelling._Search, "refined", counted)
    forms = []
    for order in ((0, 1, 2, 3, 4, 5), (3, 5, 1, 0, 4, 2), (5, 4, 3, 2, 1, 0)):
        algebra = Algebra({})
        algebra.symmetric = frozenset({"A"} if even else ())
        indices = [fresh("k") for _ in range(6)]
        factors = [A(indices[order[first]], indices[order[second]]) for first, second in edges]
        term = Sum(sympy.Mul(*factors), *((index, 1, N) for index in indices))
        forms.append(Reader(algebra).read(term))
        assert algebra.work <= MOST_WORK

    assert forms[0] == forms[1] == forms[2]
    assert steps <= MOST_STEPS


MOST_WORK = 100
"""Products of monomials; six nested loops over three values would be 729."""
MOST_STEPS = 100
"""Refinements of colours for three namings; six indices have 720 orders each."""

"""Equality for every size: identities that are proved, and the same identities with one thing wrong, which are not."""

# A table of mathematics: one identity a line, single letters, sums of what is constant.
# ruff: noqa: ANN001, ANN201, ARG005, E501, E741, FBT003

from __future__ import annotations

import itertools

import pytest
import sympy
from brute_force import Undefined as NoValue
from brute_force import assignments, evaluate, holds
from sympy import (
    Abs,
    Eq,
    Expr,
    KroneckerDelta,
    Max,
    Min,
    Ne,
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
    sqrt,
    tanh,
)

from symderiv.kernel.equality import Proved, Residue, prove
from symderiv.kernel.terms import (
    Cases,
    Context,
    D,
    Definition,
    Goal,
    Index,
    KernelError,
    Opaque,
    Size,
    Unknown,
    entry,
    exact,
    fresh,
    indicator,
)

N, M, T, B, d, e = map(Size, ("N", "M", "T", "B", "d", "e"))
i, j, k, l, t = map(Index, ("i", "j", "k", "l", "t"))
a, b, c = (entry(name) for name in "abc")
p, q, eps = (entry(name, positive=True) for name in ("p", "q", "eps"))
delta = KroneckerDelta


def tensor(name: str, *, positive: bool = False):
    return lambda *indices: entry(name, *map(exact, indices), positive=positive)


x, y, z, g, h, u, v, w, L = map(tensor, ("x", "y", "z", "g", "h", "u", "v", "w", "L"))
A, X, W, Q, K, V, P, S, O, Y, C = map(tensor, ("A", "X", "W", "Q", "K", "V", "P", "S", "O", "Y", "C"))
s = tensor("s", positive=True)
b_ = tensor("b")


def total(f, *sizes: Expr) -> Expr:
    """Return the sum of f over indices that run to these sizes."""
    indices = [fresh("k") for _ in sizes]
    result = f(*indices)
    for index, size in zip(reversed(indices), reversed(sizes), strict=True):
        result = Sum(result, (index, 1, size))
    return result


def define(name: str, arity: int, f) -> dict[str, Definition]:
    slots = tuple(fresh("s") for _ in range(arity))
    return {name: Definition(name, slots, f(*slots))}


def sigmoid(z: Expr) -> Expr:
    return 1 / (1 + exp(-z))


SOFTMAX = Context(
    definitions=define("y", 1, lambda j: exp(b * x(j)) / total(lambda k: exp(b * x(k)), N)),
    shapes={"x": (N,), "y": (N,), "b": ()},
)
LINEAR = Context(
    definitions=define("y", 1, lambda t: total(lambda k: W(t, k) * x(k), N) + b_(t)),
    opaque={"L": Opaque("L", (), ("y",))},
    shapes={"x": (N,), "y": (T,), "W": (T, N), "b": (T,), "L": ()},
)
BATCH = Context(
    definitions=define("Y", 2, lambda n, t: total(lambda k: X(n, k) * W(t, k), N) + b_(t)),
    opaque={"L": Opaque("L", (), ("Y",))},
    shapes={"X": (B, N), "Y": (B, T), "W": (T, N), "b": (T,), "L": ()},
)
LSE = Context(
    definitions=define("f", 0, lambda: log(total(lambda k: exp(x(k)), N)))
    | define("y", 1, lambda j: exp(x(j)) / total(lambda k: exp(x(k)), N)),
    shapes={"x": (N,), "f": (), "y": (N,)},
)
ATTENTION = Context(
    definitions=define("S", 2, lambda i, j: total(lambda k: Q(i, k) * K(j, k), d) / sqrt(d))
    | define("P", 2, lambda i, j: exp(S(i, j)) / total(lambda k: exp(S(i, k)), M))
    | define("O", 2, lambda i, c: total(lambda k: P(i, k) * V(k, c), M)),
    opaque={"L": Opaque("L", (), ("O",))},
    shapes={"Q": (N, d), "K": (M, d), "V": (M, e), "S": (N, M), "P": (N, M), "O": (N, e), "L": ()},
)
LAYERNORM = Context(
    definitions=define("mu", 0, lambda: total(x, N) / N)
    | define("sigma", 0, lambda: sqrt(total(lambda k: (x(k) - entry("mu")) ** 2, N) / N + eps))
    | define("h", 1, lambda k: (x(k) - entry("mu")) / entry("sigma")),
    opaque={"L": Opaque("L", (), ("h",))},
    shapes={"x": (N,), "mu": (), "sigma": (), "h": (N,), "L": (), "eps": ()},
)
TWO_PATHS = Context(
    definitions=define("u", 1, lambda k: x(k) ** 2) | define("v", 1, lambda k: 3 * x(k)),
    opaque={"L": Opaque("L", (), ("u", "v"))},
    shapes={"x": (N,), "u": (N,), "v": (N,), "L": ()},
)
PLAIN = Context()
sigma, mu = entry("sigma"), entry("mu")


def layernorm(wrong: int = 0) -> Expr:
    hs = total(lambda k: D(L(), h(k)) * h(k), N)
    mean = total(lambda k: D(L(), h(k)), N) / (N if wrong != 1 else 1)
    return (D(L(), h(i)) - mean - (h(i) if wrong != 2 else 1) * hs / N) / (sigma if wrong != 3 else sigma**2)


def d_scores(i: Expr, j: Expr, wrong: int = 0) -> Expr:
    def d_weights(i: Expr, j: Expr) -> Expr:
        return total(lambda c: D(L(), O(i, c)) * V(j, c), e)

    mean = total(lambda m: d_weights(i, m) * P(i, m), M)
    return P(i, j) * (d_weights(i, j) + (mean if wrong == 1 else -mean))


R1, R2 = {i: N}, {i: N, j: N}
y_sum = Eq(total(y, N), 1)

# name: (context, ranges, assumptions, left, right, wrong rights)
CASES: dict[str, tuple] = {
    # softmax
    "jacobian": (SOFTMAX, R2, (), D(y(j), x(i)), b * y(i) * (delta(i, j) - y(j)), [
        b * y(i) * (delta(i, j) - y(i)), b * y(j) * (delta(i, j) - y(j)), b * y(i) * (delta(i, j) + y(j)),
        y(i) * (delta(i, j) - y(j)), b * y(i) * (1 - y(j)), -b * y(i) * y(j),
        b * y(i) * (delta(i, j) - y(j)) * Rational(1001, 1000)]),
    "jacobian, swapped": (SOFTMAX, R2, (), D(y(j), x(i)), b * y(j) * (delta(i, j) - y(i)), []),
    "jacobian, i = j": (SOFTMAX, R2, (Eq(i, j),), D(y(j), x(i)), b * y(i) * (1 - y(i)), [
        b * y(i) * (1 + y(i)), -b * y(i) * y(j), b * y(i) * (1 - y(i)) ** 2]),
    "jacobian, i = j, by j": (SOFTMAX, R2, (Eq(j, i),), D(y(j), x(i)), b * y(j) * (1 - y(i)), []),
    "jacobian, i != j": (SOFTMAX, R2, (Ne(i, j),), D(y(j), x(i)), -b * y(i) * y(j), [
        b * y(i) * y(j), -b * y(i) ** 2, b * y(i) * (1 - y(j))]),
    "jacobian, cases": (SOFTMAX, R2, (), D(y(j), x(i)),
        Cases(b * y(i) * (1 - y(j)), Eq(i, j), -b * y(i) * y(j), sympy.true), [
        Cases(b * y(i) * (1 - y(j)), Ne(i, j), -b * y(i) * y(j), sympy.true),
        Cases(b * y(i) * (1 - y(j)), Eq(i, j), b * y(i) * y(j), sympy.true)]),
    "jacobian, Piecewise": (SOFTMAX, R2, (), D(y(j), x(i)),
        sympy.Piecewise((b * y(i) * (1 - y(j)), Eq(i, j)), (-b * y(i) * y(j), True)), []),
    "quotient rule": (SOFTMAX, R2, (Eq(i, j),), D(y(j), x(i)),
        (b * exp(b * x(i)) * total(lambda k: exp(b * x(k)), N) - b * exp(b * x(i)) * exp(b * x(j)))
        / total(lambda k: exp(b * x(k)), N) ** 2, [
        (b * exp(b * x(i)) * total(lambda k: exp(b * x(k)), N) - exp(b * x(i)) * exp(b * x(j)))
        / total(lambda k: exp(b * x(k)), N) ** 2]),
    "softmax sums to 1": (SOFTMAX, {}, (), total(y, N), sympy.Integer(1), [N, sympy.Integer(0)]),
    "rows sum to 0": (SOFTMAX, R1, (), total(lambda k: D(y(k), x(i)), N), sympy.Integer(0), [y(i), b]),
    "columns sum to 0": (SOFTMAX, R1, (), total(lambda k: D(y(i), x(k)), N), sympy.Integer(0), [y(i)]),
    "shift": (SOFTMAX, R1, (), y(i), exp(b * (x(i) + c)) / total(lambda k: exp(b * (x(k) + c)), N), [
        exp(b * (x(i) + c)) / total(lambda k: exp(b * (x(k) - c)), N),
        exp(b * (x(i) + c)) / total(lambda k: exp(b * x(k)), N),
        exp(b * x(i) + c) / total(lambda k: exp(b * (x(k) + c)), N)]),
    "shift by the index": (PLAIN, R2, (), exp(x(i)) / total(lambda k: exp(x(k)), N),
        exp(x(i) - x(j)) / total(lambda k: exp(x(k) - x(j)), N), [
        exp(x(i) - x(j)) / total(lambda k: exp(x(k) - x(i)), N)]),
    "softmax as 1 / sum": (PLAIN, R1, (), exp(x(i)) / total(lambda k: exp(x(k)), N),
        1 / total(lambda k: exp(x(k) - x(i)), N), [1 / total(lambda k: exp(x(i) - x(k)), N)]),
    "by temperature": (SOFTMAX, R1, (), D(y(i), b), y(i) * (x(i) - total(lambda k: x(k) * y(k), N)), [
        y(i) * (x(i) - total(x, N)), y(i) * (x(i) + total(lambda k: x(k) * y(k), N)),
        y(i) * (x(i) - total(lambda k: x(k) * y(k), M))]),
    "vector-Jacobian product": (SOFTMAX, R1, (), total(lambda k: g(k) * D(y(k), x(i)), N),
        b * y(i) * (g(i) - total(lambda k: g(k) * y(k), N)), [
        b * y(i) * (g(i) - total(g, N)), b * y(i) * (y(i) - total(lambda k: g(k) * y(k), N)),
        b * (g(i) - total(lambda k: g(k) * y(k), N))]),
    "log-softmax": (LSE, R2, (), D(log(y(i)), x(j)), delta(i, j) - y(j), [delta(i, j) - y(i), 1 - y(j)]),
    "log softmax = x - lse": (LSE, R1, (), log(y(i)), x(i) - entry("f"), [x(i) + entry("f")]),
    # log-sum-exp
    "lse, gradient": (LSE, R1, (), D(entry("f"), x(i)), y(i), [1 / y(i), y(i) ** 2, exp(x(i))]),
    "lse, Hessian": (LSE, R2, (), D(entry("f"), x(i), x(j)), y(i) * delta(i, j) - y(i) * y(j), [
        y(i) * delta(i, j) + y(i) * y(j), delta(i, j) - y(i) * y(j), y(i) - y(i) * y(j)]),
    "lse, shift": (PLAIN, {}, (), log(total(lambda k: exp(x(k) + c), N)), c + log(total(lambda k: exp(x(k)), N)), [
        N * c + log(total(lambda k: exp(x(k)), N)), log(total(lambda k: exp(x(k)), N))]),
    # linear
    "linear, W": (LINEAR, {i: T, j: N}, (), D(L(), W(i, j)), D(L(), y(i)) * x(j), [D(L(), y(i)), x(j)]),
    "linear, one column": (LINEAR, {i: T}, (), D(L(), W(i, N)), D(L(), y(i)) * x(N), [D(L(), y(i)) * x(T),
        D(L(), y(i)) * x(1)]),
    "linear, b": (LINEAR, {i: T}, (), D(L(), b_(i)), D(L(), y(i)), [total(lambda t: D(L(), y(t)), T)]),
    "linear, x": (LINEAR, {j: N}, (), D(L(), x(j)), total(lambda t: D(L(), y(t)) * W(t, j), T), [
        total(lambda t: D(L(), y(t)) * W(j, t), T), total(lambda t: D(L(), y(t)) * W(t, j), N)]),
    "linear, forward by W": (LINEAR, {t: T, i: T, j: N}, (), D(y(t), W(i, j)), delta(t, i) * x(j), [
        delta(t, j) * x(j), x(j), delta(t, i) * x(i)]),
    "linear, forward by x": (LINEAR, {i: T, j: N}, (), D(y(i), x(j)), W(i, j), [W(j, i), x(j)]),
    "linear, chain written out": (LINEAR, {i: T, j: N}, (),
        total(lambda t: D(L(), y(t)) * D(y(t), W(i, j)), T), D(L(), y(i)) * x(j), [D(L(), y(j)) * x(i)]),
    "linear, second": (LINEAR, {i: T, j: N}, (), D(L(), y(i), x(j)), total(lambda t: D(L(), y(i), y(t)) * W(t, j), T), [
        total(lambda t: D(L(), y(t), y(t)) * W(t, j), T)]),
    "second derivatives commute": (LINEAR, {i: T, t: T}, (), D(L(), y(i), y(t)), D(L(), y(t), y(i)), [
        D(L(), y(i), y(i))]),
    "batch, W": (BATCH, {t: T, k: N}, (), D(L(), W(t, k)), total(lambda n: D(L(), Y(n, t)) * X(n, k), B), [
        total(lambda n: D(L(), Y(n, t)) * X(n, t), B), total(lambda n: D(L(), Y(n, t)), B) * X(1, k)]),
    "batch, b": (BATCH, {t: T}, (), D(L(), b_(t)), total(lambda n: D(L(), Y(n, t)), B), [D(L(), Y(1, t))]),
    "batch, X": (BATCH, {i: B, k: N}, (), D(L(), X(i, k)), total(lambda t: D(L(), Y(i, t)) * W(t, k), T), [
        total(lambda t: D(L(), Y(i, t)) * W(k, t), T)]),
    "two paths": (TWO_PATHS, R1, (), D(L(), x(i)), 2 * x(i) * D(L(), u(i)) + 3 * D(L(), v(i)), [
        2 * x(i) * D(L(), u(i)), 2 * x(i) * D(L(), u(i)) + D(L(), v(i))]),
    # layer norm, attention
    "layer norm": (LAYERNORM, R1, (), D(L(), x(i)), layernorm(), [layernorm(n) for n in (1, 2, 3)]),
    "layer norm, variance of h": (LAYERNORM, {}, (), total(lambda k: h(k) ** 2, N) / N,
        1 - eps / sigma**2, [sympy.Integer(1), 1 - eps / sigma]),
    "layer norm, mean of h": (LAYERNORM, {}, (), total(h, N), sympy.Integer(0), [sympy.Integer(1)]),
    "attention, V": (ATTENTION, {j: M, k: e}, (), D(L(), V(j, k)), total(lambda n: P(n, j) * D(L(), O(n, k)), N), [
        total(lambda n: P(j, n) * D(L(), O(n, k)), N), total(lambda n: P(n, j) * D(L(), O(n, k)), M)]),
    "attention, Q": (ATTENTION, {i: N, k: d}, (), D(L(), Q(i, k)), total(lambda m: d_scores(i, m) * K(m, k), M) / sqrt(d), [
        total(lambda m: d_scores(i, m) * K(m, k), M), total(lambda m: d_scores(i, m, 1) * K(m, k), M) / sqrt(d),
        total(lambda m: d_scores(i, m) * K(m, k), M) / sqrt(e)]),
    "attention, K": (ATTENTION, {j: M, k: d}, (), D(L(), K(j, k)), total(lambda n: d_scores(n, j) * Q(n, k), N) / sqrt(d), [
        total(lambda n: d_scores(n, j) * Q(n, k), N) / d, total(lambda n: d_scores(j, n) * Q(n, k), N) / sqrt(d)]),
    "attention, all weights": (PLAIN, {}, (),
        total(lambda i, j: exp(A(i, j)) / total(lambda l: exp(A(i, l)), M), N, M), N, [M, N * M]),
    "attention, all weights, other order": (PLAIN, {}, (),
        total(lambda j, i: exp(A(i, j)) / total(lambda l: exp(A(i, l)), M), M, N), N, [M]),
    # sums
    "order of sums": (PLAIN, {}, (), total(lambda i, j: u(i) * A(i, j) * v(j), N, M), total(lambda j, i: u(i) * A(i, j) * v(j), M, N), [
        total(lambda i, j: u(i) * A(j, i) * v(j), N, M), total(lambda i, j: u(j) * A(i, j) * v(i), N, M)]),
    "nested sums": (PLAIN, {}, (), total(lambda i: u(i) * total(lambda j: A(i, j) * v(j), M), N),
        total(lambda j: v(j) * total(lambda i: A(i, j) * u(i), N), M), [
        total(lambda j: v(j) * total(lambda i: A(i, j) * u(i), M), N)]),
    "trace of a product": (PLAIN, {}, (), total(lambda i, j: A(i, j) * C(j, i), N, M), total(lambda i, j: C(i, j) * A(j, i), M, N), [
        total(lambda i, j: A(i, j) * C(i, j), N, M)]),
    "trace of three": (PLAIN, {}, (), total(lambda i, j, k: A(i, j) * C(j, k) * X(k, i), N, N, N),
        total(lambda i, j, k: X(i, j) * A(j, k) * C(k, i), N, N, N), [
        total(lambda i, j, k: C(i, j) * A(j, k) * X(k, i), N, N, N)]),
    "quadratic form of the transpose": (PLAIN, {}, (), total(lambda i, j: x(i) * A(i, j) * x(j), N, N),
        total(lambda i, j: x(i) * A(j, i) * x(j), N, N), [total(lambda i, j: x(i) * A(j, j) * x(j), N, N)]),
    "quadratic form": (PLAIN, R1, (), D(total(lambda i, j: x(i) * A(i, j) * x(j), N, N), x(i)),
        total(lambda k: (A(i, k) + A(k, i)) * x(k), N), [2 * total(lambda k: A(i, k) * x(k), N),
        total(lambda k: (A(i, k) - A(k, i)) * x(k), N)]),
    "quadratic form, Hessian": (PLAIN, R2, (), D(total(lambda i, j: x(i) * A(i, j) * x(j), N, N), x(i), x(j)),
        A(i, j) + A(j, i), [2 * A(i, j)]),
    "quadratic form, symmetric": (PLAIN, R1, (Eq(A(k, l), A(l, k)),), D(total(lambda i, j: x(i) * A(i, j) * x(j), N, N), x(i)),
        2 * total(lambda k: A(i, k) * x(k), N), [total(lambda k: A(i, k) * x(k), N)]),
    "capture": (PLAIN, R1, (), D(Sum(x(i) ** 2, (i, 1, N)), x(i)), 2 * x(i), [2 * N * x(i), total(lambda k: 2 * x(k), N)]),
    "capture by another sum": (PLAIN, R2, (), Sum(x(j), (j, 1, N)) * x(j), total(x, N) * x(j), [total(lambda k: x(k) ** 2, N)]),
    "square of a sum": (PLAIN, {}, (), total(x, N) ** 2, total(lambda i, j: x(i) * x(j), N, N), [total(lambda k: x(k) ** 2, N)]),
    "variance": (PLAIN, {}, (), total(lambda k: (x(k) - total(x, N) / N) ** 2, N), total(lambda k: x(k) ** 2, N) - total(x, N) ** 2 / N, [
        total(lambda k: x(k) ** 2, N) - total(x, N) ** 2, total(lambda k: x(k) ** 2, N) - total(x, N) ** 2 / N**2]),
    "sum of a constant": (PLAIN, {}, (), total(lambda k: a, N), N * a, [a, M * a]),
    "sizes apart": (PLAIN, {}, (), total(lambda i, j: x(i) * y(j), N, M), total(x, N) * total(y, M), [
        total(x, M) * total(y, N), total(lambda i, j: x(i) * y(j), M, N)]),
    "contraction": (PLAIN, R1, (), total(lambda k: delta(k, i) * x(k), N), x(i), [x(1), N * x(i), total(x, N)]),
    "contraction, other range": (PLAIN, {i: M}, (), total(lambda k: delta(k, i) * x(k), N),
        x(i) * indicator(i <= N), [x(i)]),
    "two deltas": (PLAIN, R2, (), total(lambda k: delta(k, i) * delta(k, j), N), delta(i, j), [sympy.Integer(1)]),
    "delta moves": (PLAIN, R2, (), delta(i, j) * x(i), delta(i, j) * x(j), [x(i), x(j), delta(i, j) * x(1)]),
    "delta in an exponent": (PLAIN, R2, (), exp(a * delta(i, j)), 1 + delta(i, j) * (exp(a) - 1), [
        1 + delta(i, j) * exp(a), exp(a)]),
    "delta under a root": (PLAIN, R2, (), sqrt(1 + exp(a * delta(i, j))), sqrt(2) + delta(i, j) * (sqrt(1 + exp(a)) - sqrt(2)), [
        sqrt(2) + delta(i, j) * sqrt(1 + exp(a))]),
    "delta in a denominator": (PLAIN, R2, (), 1 / (2 - delta(i, j)), Rational(1, 2) + delta(i, j) / 2, [
        Rational(1, 2) + delta(i, j)]),
    "excluded sum": (PLAIN, R1, (), total(lambda k: x(k) * indicator(Ne(k, i)), N), total(x, N) - x(i), [
        total(x, N), total(x, N) - x(1)]),
    "triangular sum": (PLAIN, R1, (), total(lambda k: x(k) * indicator(k < i), N) + total(lambda k: x(k) * indicator(k >= i), N),
        total(x, N), [total(x, N) - x(i), total(x, N) + x(i)]),
    "triangular range": (PLAIN, R1, (), Sum(x(k), (k, 1, i)), total(lambda k: x(k) * indicator(k <= i), N), [
        total(lambda k: x(k) * indicator(k < i), N)]),
    "double triangle": (PLAIN, {}, (), Sum(x(k) * y(l), (k, 1, l), (l, 1, N)), Sum(x(k) * y(l), (l, k, N), (k, 1, N)), [
        Sum(x(k) * y(l), (l, 1, k), (k, 1, N))]),
    "range from 2": (PLAIN, {}, (), Sum(x(k), (k, 2, N)), total(x, N) - x(1), [total(x, N), total(x, N) - x(2)]),
    "range to N - 1": (PLAIN, {}, (), Sum(x(k), (k, 1, N - 1)), total(x, N) - x(N), [total(x, N) - x(1)]),
    "range from 0": (PLAIN, {}, (), Sum(x(k + 1), (k, 0, N - 1)), total(x, N), [Sum(x(k), (k, 0, N - 1))]),
    # rational functions and exponentials
    "sigmoid under a sum": (PLAIN, {}, (), total(lambda k: 1 - sigmoid(x(k)), N), total(lambda k: sigmoid(-x(k)), N), [
        total(lambda k: sigmoid(x(k)), N)]),
    "sigmoid, reflected": (PLAIN, {}, (), sigmoid(a), 1 - sigmoid(-a), [1 + sigmoid(-a), sigmoid(-a)]),
    "sigmoid, derivative": (PLAIN, {}, (), D(sigmoid(a), a), sigmoid(a) * (1 - sigmoid(a)), [
        sigmoid(a) * (1 + sigmoid(a)), sigmoid(a) ** 2, sigmoid(-a)]),
    "tanh by exp": (PLAIN, {}, (), tanh(a), (exp(a) - exp(-a)) / (exp(a) + exp(-a)), [(exp(a) + exp(-a)) / (exp(a) - exp(-a))]),
    "tanh by sigmoid": (PLAIN, {}, (), tanh(a), 2 * sigmoid(2 * a) - 1, [2 * sigmoid(a) - 1, 2 * sigmoid(2 * a) + 1]),
    "tanh, derivative": (PLAIN, {}, (), D(tanh(a), a), 1 - tanh(a) ** 2, [1 + tanh(a) ** 2, 1 - tanh(a)]),
    "cosh": (PLAIN, {}, (), cosh(a) ** 2 - sympy.sinh(a) ** 2, sympy.Integer(1), [sympy.Integer(-1)]),
    "sin and cos": (PLAIN, {}, (), sin(a) ** 2 + cos(a) ** 2, sympy.Integer(1), [sin(a) + cos(a)]),
    "squared exp": (PLAIN, {}, (), exp(2 * a), exp(a) ** 2, [exp(a**2), 2 * exp(a)]),
    "exp of a log": (PLAIN, {}, (), exp(2 * log(p) + a), p**2 * exp(a), [2 * p * exp(a)]),
    "fractions": (PLAIN, {}, (), 1 / (1 + a**2) + a**2 / (1 + a**2), sympy.Integer(1), [1 + a**2]),
    "nested fractions": (PLAIN, {}, (), 1 / (1 + 1 / (1 + p)), (1 + p) / (2 + p), [(1 + p) / (2 - p)]),
    "product of fractions": (PLAIN, {}, (), 1 / ((1 + a) * (2 + a)), 1 / (1 + a) - 1 / (2 + a), [1 / (1 + a) + 1 / (2 + a)]),
    "equal inside exp": (PLAIN, {}, (), exp(1 / (1 + p) + p / (1 + p)), exp(1), [exp(p)]),
    "equal inside log": (PLAIN, {}, (), log(1 + 1 / p) + log(p), log(1 + p), [log(p)]),
    "partial fractions under a sum": (PLAIN, {}, (), total(lambda k: s(k) / (1 + s(k)), N), N - total(lambda k: 1 / (1 + s(k)), N), [
        1 - total(lambda k: 1 / (1 + s(k)), N), M - total(lambda k: 1 / (1 + s(k)), N)]),
    "multiplier before a sum": (PLAIN, {}, (), a * total(lambda k: 1 - sigmoid(x(k)), N), a * total(lambda k: sigmoid(-x(k)), N), [
        b * total(lambda k: sigmoid(-x(k)), N)]),
    "double sum of a fraction": (PLAIN, {}, (), total(lambda i, j: 1 - sigmoid(A(i, j)), N, M), total(lambda j, i: sigmoid(-A(i, j)), M, N), [
        total(lambda j, i: sigmoid(-A(i, j)), N, M)]),
    "pairwise": (PLAIN, {}, (), total(lambda i, j: sigmoid(x(i) - x(j)), N, N) * 2, N**2, [N, total(lambda i: N, M)]),
    # roots, logs and signs
    "sigma squared": (PLAIN, {}, (), sqrt(a**2 + eps) ** 2, a**2 + eps, [a**2, a + eps]),
    "sigma both ways": (PLAIN, {}, (), (a**2 + eps) / sqrt(a**2 + eps), sqrt(a**2 + eps), [1 / sqrt(a**2 + eps)]),
    "norm, gradient": (PLAIN, R1, (), D(sqrt(total(lambda k: x(k) ** 2, N)), x(i)), x(i) / sqrt(total(lambda k: x(k) ** 2, N)), [
        2 * x(i) / sqrt(total(lambda k: x(k) ** 2, N)), x(i) / total(lambda k: x(k) ** 2, N)]),
    "root of a square": (PLAIN, R1, (), sqrt(x(i) ** 2), Abs(x(i)), [x(i), -x(i), x(i) ** 2]),
    "root of a positive square": (PLAIN, R1, (), sqrt(s(i) ** 2), s(i), [-s(i)]),
    "log of a square": (PLAIN, {}, (), log(a**2), 2 * log(Abs(a)), [log(Abs(a)), log(a)]),
    "log beside the log of a square": (PLAIN, {}, (), log(a**2) / 2 + a * b, log(a) + a * b, [
        log(a) - a * b, 2 * log(a) + a * b]),
    "logs with a common factor": (PLAIN, {}, (), total(lambda k: log(exp(x(k)) / Abs(a)), N),
        total(x, N) - N * log(Abs(a)), [total(x, N) + N * log(Abs(a)), total(x, N) - log(Abs(a))]),
    "log of a product": (PLAIN, {}, (), log(p * q**2 / 6), log(p) + 2 * log(q) - log(2) - log(3), [
        log(p) + 2 * log(q) - log(5), log(p) + log(q) - log(2) - log(3)]),
    "roots of numbers": (PLAIN, {}, (), sqrt(sympy.Integer(8)) * sqrt(d), 2 * sqrt(2 * d), [2 * sqrt(d), 4 * sqrt(2 * d)]),
    "power laws": (PLAIN, {}, (), (p**a) ** b * p**c, p ** (a * b + c), [p ** (a + b + c)]),
    "power by a size": (PLAIN, {}, (), a ** (N + 1) / a, a**N, [a ** (N + 1), a ** (N - 1)]),
    "abs": (PLAIN, {}, (), Abs(a) ** 2, a**2, [a]),
    "abs is even": (PLAIN, {}, (), Abs(a - b), Abs(b - a), [a - b, b - a]),
    "max": (PLAIN, {}, (), Max(a, b) + Min(a, b), a + b, [a - b, 2 * a]),
    "max is symmetric": (PLAIN, {}, (), Max(a, b, c), Max(c, Max(b, a)), [Min(a, b, c), a]),
    "relu": (PLAIN, {}, (), Cases(a, a > 0, sympy.Integer(0), sympy.true), Max(a, 0), [a, Min(a, 0)]),
    "relu, derivative": (PLAIN, R1, (), D(Max(x(i), 0), x(i)), indicator(x(i) > 0), [indicator(x(i) < 0), sympy.Integer(1)]),
    "relu, at the kink": (PLAIN, R1, (), D(Max(x(i), 0), x(i)), indicator(x(i) >= 0), []),
    "indicator at 0": (PLAIN, {}, (), indicator(a > 0) + indicator(a <= 0), sympy.Integer(1), [indicator(a >= 0)]),
    "abs, derivative": (PLAIN, {}, (), D(Abs(a), a), a / Abs(a), [Abs(a), -a / Abs(a)]),
    "erf": (PLAIN, {}, (), D(erf(a), a), 2 * exp(-(a**2)) / sqrt(pi), [exp(-(a**2)) / sqrt(pi), 2 * exp(-(a**2)) / pi]),
    "erf is odd": (PLAIN, {}, (), erf(a - b), -erf(b - a), [erf(b - a)]),
    # unknown functions, products
    "chain rule": (PLAIN, R1, (), D(Unknown(Symbol("f"), (0,), x(i) ** 2), x(i)), 2 * x(i) * Unknown(Symbol("f"), (1,), x(i) ** 2), [
        Unknown(Symbol("f"), (1,), x(i) ** 2), 2 * x(i) * Unknown(Symbol("f"), (1,), x(i))]),
    "product rule": (PLAIN, {}, (), D(Product(x(k), (k, 1, N)), x(1)) * x(1), Product(x(k), (k, 1, N)), [N * Product(x(k), (k, 1, N))]),
    "log of a product over k": (PLAIN, {}, (), log(Product(exp(x(k)), (k, 1, N))), total(x, N), [N * total(x, N)]),
    # hypotheses
    "cross-entropy": (LSE, R1, (Eq(total(z, N), 1),), D(-total(lambda k: z(k) * log(y(k)), N), x(i)), y(i) - z(i), [
        y(i) + z(i), z(i) - y(i), y(i), N * y(i) - z(i)]),
    "hypothesis in a nested sum": (PLAIN, {}, (Eq(total(lambda m: Y(k, m), M), 1),),
        total(lambda n, m: Y(n, m) * u(n), N, M), total(u, N), [M * total(u, N)]),
    "hypothesis on entries": (PLAIN, R1, (Eq(x(k), 2 * y(k)),), total(lambda k: x(k) ** 2, N) + x(i), 4 * total(lambda k: y(k) ** 2, N) + 2 * y(i), [
        2 * total(lambda k: y(k) ** 2, N) + 2 * y(i)]),
    "orthogonal": (PLAIN, {}, (Eq(total(lambda m: A(m, k) * A(m, l), N), delta(k, l)),),
        total(lambda n: total(lambda m: A(n, m) * x(m), N) ** 2, N), total(lambda k: x(k) ** 2, N), [
        total(x, N) ** 2]),
    "mean is zero": (PLAIN, {}, (Eq(total(x, N) / N, 0),), total(lambda k: (x(k) - a) ** 2, N), total(lambda k: x(k) ** 2, N) + N * a**2, [
        total(lambda k: x(k) ** 2, N) + a**2]),
    "positive": (PLAIN, R1, (x(k) > 0,), log(x(i) ** 2), 2 * log(x(i)), [log(x(i))]),
    "apart in a denominator": (PLAIN, R2, (Ne(i, j),), 1 / (1 - delta(i, j)), sympy.Integer(1), [sympy.Integer(2)]),
    # corners of the rules
    "logarithmic power": (PLAIN, {}, (), exp(a * log(p)), p**a, [p * a]),
    "root of an odd power": (PLAIN, {}, (), sqrt(a**3) / sqrt(a), a, [a**2]),
    "root of a product": (PLAIN, {}, (), sqrt(-a * b) ** 2, -a * b, [a * b]),
    "root of a square and a root": (PLAIN, {}, (), sqrt(a**2 * eps), Abs(a) * sqrt(eps), [a * sqrt(eps)]),
    "root of nothing": (PLAIN, {}, (), sqrt(total(x, N) - total(x, N)), sympy.Integer(0), [sympy.Integer(1)]),
    "tan": (PLAIN, {}, (), sympy.tan(a) * cos(a), sin(a), [cos(a)]),
    "sin cubed": (PLAIN, {}, (), sin(a) ** 3, sin(a) * (1 - cos(a) ** 2), [sin(a) * (1 + cos(a) ** 2)]),
    "parity": (PLAIN, {}, (), cos(a - b) + sin(b - a), cos(b - a) - sin(a - b), [cos(b - a) + sin(a - b)]),
    "cos of zero": (PLAIN, {}, (), cos(total(x, N) - total(x, N)), sympy.Integer(1), [sympy.Integer(0)]),
    "functions of deltas": (PLAIN, R2, (), sin(a * delta(i, j)) + Unknown(Symbol("f"), (0,), delta(i, j)),
        delta(i, j) * (sin(a) + Unknown(Symbol("f"), (0,), sympy.Integer(1)))
        + (1 - delta(i, j)) * Unknown(Symbol("f"), (0,), sympy.Integer(0)), [delta(i, j) * sin(a)]),
    "power of a delta": (PLAIN, R2, (), (2 + delta(i, j)) ** N, delta(i, j) * 3**N + (1 - delta(i, j)) * 2**N, [2**N, 3**N]),
    "powers of a size": (PLAIN, {}, (), (2 * a * p) ** N * (-a) ** (2 * N), 2**N * a ** (3 * N) * p**N * (-1) ** (2 * N), [2**N * a ** (3 * N)]),
    "log of a root": (PLAIN, {}, (), log(sqrt(sympy.Integer(2)) * p), log(2) / 2 + log(p), [log(2) + log(p)]),
    "log of two unknowns": (PLAIN, {}, (), log(a * b * p), log(a * b) + log(p), [log(a * b) - log(p)]),
    "product by index": (PLAIN, R1, (), Product(2 * x(i) * s(k) * exp(x(k)), (k, 1, N)),
        (2 * x(i)) ** N * exp(total(x, N)) * Product(s(k), (k, 1, N)), [2 * x(i) * exp(total(x, N)) * Product(s(k), (k, 1, N))]),
    "product of inverses": (PLAIN, R1, (), Product(1 / (1 + s(k)) * delta(i, i), (k, 1, N)), 1 / Product(1 + s(k), (k, 1, N)), [
        Product(1 + s(k), (k, 1, N))]),
    "step or not": (PLAIN, R2, (), indicator(i < j) + indicator(i > j) + delta(i, j), sympy.Integer(1), [indicator(i <= j)]),
    "steps exclude": (PLAIN, R2, (), indicator(i < j) * indicator(i > j + 1), sympy.Integer(0), [indicator(i < j)]),
    "steps imply": (PLAIN, R2, (), indicator(i < j) * indicator(i < j + 3), indicator(i < j), [indicator(i < j + 3)]),
    "steps meet": (PLAIN, R2, (), indicator(i <= j) * indicator(i >= j), delta(i, j), [indicator(i <= j)]),
    "counting": (PLAIN, R1, (), total(lambda k: indicator(k <= i), N) + total(lambda k: indicator(k >= i), N), N + 1, [N - 1]),
    "deltas of three": (PLAIN, {**R2, k: N}, (), delta(i, j) * delta(j, k) * x(i), delta(i, k) * delta(k, j) * x(j), [delta(i, j) * x(i)]),
    "even difference": (PLAIN, R2, (), delta(2 * i, 2 * j + 1), sympy.Integer(0), [delta(i, j)]),
    "parity of an index": (PLAIN, R2, (), delta(2 * i, 3 * j) ** 2, delta(2 * i, 3 * j), [delta(i, j)]),
    "signs": (PLAIN, {}, (), indicator(1 + a**2 > 0) + indicator(-p >= 0) + indicator(N > 0), sympy.Integer(2), [sympy.Integer(3)]),
    "vanishing": (PLAIN, {}, (), indicator(Eq(a, b)) * (a - b), sympy.Integer(0), [a - b]),
    "vanishing product": (PLAIN, {}, (), Abs(a * b - c * b * a), Abs(a * b * c - a * b), [a * b]),
    "merged logs": (PLAIN, {}, (), log(2 + 1 / (1 + p)) - log((3 + 2 * p) / (1 + p)), sympy.Integer(0), [log(p)]),
    "merged unknowns": (PLAIN, {}, (), Unknown(Symbol("f"), (0,), 1 / (1 + p) + p / (1 + p)), Unknown(Symbol("f"), (0,), sympy.Integer(1)), [
        Unknown(Symbol("f"), (1,), sympy.Integer(1))]),
    "index fixed": (PLAIN, R2, (Eq(i, 1),), x(i) + x(j), x(1) + x(j), [x(1) + x(i)]),
    "indices equal, ranges apart": (PLAIN, {i: N, j: M}, (Eq(i, j),), total(lambda k: delta(k, i) * x(k), M), x(j), [x(1)]),
    "sizes equal": (PLAIN, {}, (Eq(N, M),), total(x, N), total(x, M), [total(x, T)]),
    "inner sums renamed": (PLAIN, {}, (), total(lambda i: exp(total(lambda k, l: A(i, k) * A(k, l) * A(l, i), N, N)), N),
        total(lambda i: exp(total(lambda l, k: A(k, l) * A(i, k) * A(l, i), N, N)), N), [
        total(lambda i: exp(total(lambda l, k: A(k, l) * A(k, i) * A(l, i), N, N)), N)]),
    # index arithmetic, sizes
    "shifted entries": (PLAIN, R1, (), total(lambda k: delta(k, i + 1) * x(k), N), x(i + 1) * indicator(i + 1 <= N), [
        x(i) * indicator(i <= N), x(i + 1)]),
    "convolution": (PLAIN, {i: N, k: M}, (), D(total(lambda m: x(i + m) * w(m), M), w(k)), x(i + k), [x(i), x(k), x(i + k + 1)]),
    "convolution by the input": (PLAIN, {i: N, l: N}, (), D(total(lambda m: x(i + m) * w(m), M), x(l)),
        w(l - i) * indicator(l - i >= 1) * indicator(l - i <= M), [w(l - i), w(i - l)]),
    "polynomial in sizes": (PLAIN, {}, (), (N - 2) * (N - 3) * a, (N**2 - 5 * N + 6) * a, [sympy.Integer(0), a]),
    "three entries": (PLAIN, {}, (), total(lambda k: x(k) ** 2, sympy.Integer(3)), x(1) ** 2 + x(2) ** 2 + x(3) ** 2, [
        x(1) ** 2 + x(2) ** 2 + x(1) * x(3)]),
    "two classes": (PLAIN, {}, (), exp(x(1)) / total(lambda k: exp(x(k)), sympy.Integer(2)), sigmoid(x(1) - x(2)), [sigmoid(x(2) - x(1))]),
    "two by two": (PLAIN, {}, (), total(A, sympy.Integer(2), sympy.Integer(2)), A(1, 1) + A(1, 2) + A(2, 1) + A(2, 2), [
        A(1, 1) + A(2, 2)]),
    "index as a value": (PLAIN, {}, (), total(lambda k: k * x(k), N) - total(lambda k: (k - 1) * x(k), N), total(x, N), [x(1)]),
}  # fmt: skip
"""Name: context, ranges, assumptions, left, right, and right sides that are wrong."""

TRUE = [pytest.param(*case[:4], case[4], id=name) for name, case in CASES.items()]
FALSE = [
    pytest.param(*case[:4], wrong, id=f"{name}, wrong {n}")
    for name, case in CASES.items()
    for n, wrong in enumerate(case[5], 1)
]
SIZES = [
    dict(zip("NMTBdesp", sizes, strict=True))
    for sizes in ((1, 1, 1, 1, 1, 1, 1, 1), (2, 3, 4, 2, 3, 1, 2, 1), (3, 2, 2, 1, 2, 3, 1, 2))
]


def outcome(context, ranges, assumptions, left, right) -> Proved | Residue | KernelError:
    try:
        return prove(Goal(left, right, ranges, assumptions, context))
    except KernelError as error:
        return error


def gap(context, ranges, assumptions, left, right) -> float:
    """Return the largest difference of the sides over sizes and indices that satisfy the assumptions."""
    found = 0.0
    for sizes, seed in itertools.product(SIZES, (1, 2, 3) if context is PLAIN else (1,)):
        for point in assignments(ranges, sizes, seed, context):
            if all(holds(fact, point) for fact in assumptions):
                try:
                    here, there = evaluate(left, point), evaluate(exact(right), point)
                except (NoValue, ZeroDivisionError):
                    continue
                found = max(found, float(abs(here - there) / (1 + abs(here))))
    return found


@pytest.mark.parametrize(("context", "ranges", "assumptions", "left", "right"), TRUE)
def test_proves_identities(context, ranges, assumptions, left, right) -> None:
    """Each of these holds for every size, index and value."""
    found = outcome(context, ranges, assumptions, left, right)

    assert isinstance(found, Proved), found


@pytest.mark.parametrize(("context", "ranges", "assumptions", "left", "right"), FALSE)
def test_does_not_prove_corruptions(context, ranges, assumptions, left, right) -> None:
    """Each of these differs somewhere."""
    assert not isinstance(outcome(context, ranges, assumptions, left, right), Proved)


def of_indices(assumptions) -> bool:
    return all(
        isinstance(fact, Eq | Ne) and all(isinstance(side, Index) for side in fact.args)
        for fact in assumptions
    )


def by_hand(cases: list) -> list:
    """Return the cases that brute force can judge quickly: no hypotheses on values, no attention."""
    return [case for case in cases if of_indices(case.values[2]) and case.values[0] is not ATTENTION]


@pytest.mark.parametrize(("context", "ranges", "assumptions", "left", "right"), by_hand(TRUE))
def test_brute_force_agrees(context, ranges, assumptions, left, right) -> None:
    """What is called an identity here is one at every small size."""
    assert gap(context, ranges, assumptions, left, right) < 1e-12


@pytest.mark.parametrize(("context", "ranges", "assumptions", "left", "right"), by_hand(FALSE))
def test_brute_force_differs(context, ranges, assumptions, left, right) -> None:
    """What is called a corruption here differs at some small size."""
    assert gap(context, ranges, assumptions, left, right) > 1e-9


def test_only_the_kernel_makes_proofs() -> None:
    """A `Proved` without the kernel's token is refused."""
    with pytest.raises(AssertionError):
        Proved("normal form", (), (), False, object())


def test_names_the_hypotheses_that_were_used() -> None:
    """An assumption that the proof did not need is not named."""
    context, ranges, assumptions, left, right, _ = CASES["cross-entropy"]
    needless = Eq(total(u, N), 0)

    proof = outcome(context, ranges, (*assumptions, needless), left, right)

    assert isinstance(proof, Proved)
    assert len(proof.hypotheses) == 1
    assert "z" in proof.hypotheses[0]


def test_names_the_inequality_that_was_used() -> None:
    """`i != j` is named where a delta was 0 by it."""
    proof = outcome(*CASES["jacobian, i != j"][:5])

    assert isinstance(proof, Proved)
    assert proof.hypotheses == ("i ≠ j",)


def test_tells_where_a_kink_was_passed() -> None:
    """Derivatives of max, |x| and cases hold almost everywhere, and the proof says so."""
    kinked = outcome(*CASES["relu, derivative"][:5])
    smooth = outcome(*CASES["jacobian"][:5])

    assert isinstance(kinked, Proved)
    assert kinked.almost_everywhere
    assert isinstance(smooth, Proved)
    assert not smooth.almost_everywhere


def test_distinguishes_cases_where_a_division_needs_it() -> None:
    """`1 / (x_i - x_j)` outside of i = j is read case by case."""
    quotient = (x(i) ** 2 - x(j) ** 2) / (x(i) - x(j))
    equal = sympy.And(i <= j, j <= i)

    proof = outcome(PLAIN, R2, (), Cases(x(i) + x(j), equal, quotient, sympy.true), x(i) + x(j))

    assert isinstance(proof, Proved)
    assert proof.cases == ("i = j", "i ≠ j")


def test_reads_unequal_indices_as_less_or_greater_where_a_division_needs_it() -> None:
    """`1 / (x_i - x_j)` where i and j differ is not read where they do not, under a sum neither."""
    quotient = (x(i) ** 2 - x(j) ** 2) / (x(i) - x(j))
    masked = Cases(x(i) + x(j), Eq(i, j), quotient, sympy.true)
    inverse = total(lambda k, l: (1 - delta(k, l)) / (x(k) - x(l)), N, N)

    proof = outcome(PLAIN, R2, (), masked, x(i) + x(j))

    assert isinstance(proof, Proved)
    assert proof.cases == ()
    assert isinstance(outcome(PLAIN, {}, (), inverse, sympy.Integer(0)), Proved)
    assert not isinstance(outcome(PLAIN, {}, (), inverse, sympy.Integer(1)), Proved)
    assert not isinstance(outcome(PLAIN, R2, (), masked, x(i) - x(j)), Proved)


@pytest.mark.parametrize(
    ("left", "right"),
    [
        (1 / (total(x, N) - total(x, N)), a),
        (log(total(x, N) - total(x, N)), a),
        (a / (1 - total(lambda k: 1 / N, N)), a),
        (1 / (a / (a + b + 1) + (b + 1) / (a + b + 1) - 1), a),
        (sqrt(-1 - a**2) ** 2, sympy.Integer(0)),
    ],
)
def test_never_proves_what_is_undefined(left, right) -> None:
    """A division by zero that hides in sums is found, or the sides stay apart."""
    assert not isinstance(outcome(PLAIN, {}, (), left, right), Proved)


@pytest.mark.parametrize("zero", [a * b, a**2, a**2 * b, sqrt(a**2 + b**2), sqrt(a)])
def test_nothing_is_a_multiple_of_zero_by_dividing_by_it(zero) -> None:
    """`1 = (1 / p) p` does not make 1 vanish where p does."""
    there = Cases(sympy.Integer(1), Eq(zero, 0), sympy.Integer(0), sympy.true)
    above = Cases(sympy.Integer(1), zero > 0, sympy.Integer(0), sympy.true)

    assert not isinstance(outcome(PLAIN, {}, (), there, sympy.Integer(0)), Proved)
    assert not isinstance(outcome(PLAIN, {}, (), above, sympy.Integer(1)), Proved)
    assert isinstance(outcome(PLAIN, {}, (), there * zero, sympy.Integer(0)), Proved)


def test_an_index_that_escaped_is_refused() -> None:
    """An index with no range has come loose from its sum."""
    assert isinstance(outcome(PLAIN, {}, (), x(i), x(i)), KernelError)


def test_reads_cases_before_sympy_folds_them() -> None:
    """The cases of an inner sum stay in it when a definition is opened inside an outer one."""
    context = Context(
        definitions=define("z", 1, lambda m: total(lambda k: sympy.Piecewise((x(k), k <= m), (0, True)), N)),
        shapes={"x": (N,), "z": (N,)},
    )
    inner = total(lambda k: indicator(k <= l) * x(k), N)

    assert isinstance(
        outcome(context, {}, (), total(lambda m: exp(z(m)), N), Sum(exp(inner), (l, 1, N))), Proved
    )
    assert not isinstance(
        outcome(context, {}, (), total(lambda m: exp(z(m)), N), N * exp(total(x, N))), Proved
    )


def test_large_terms_are_given_up() -> None:
    """A power that would have millions of terms raises, at once."""
    terms = sum(entry(f"v{n}") for n in range(40))

    assert isinstance(outcome(PLAIN, {}, (), terms**30, a), KernelError)


def test_deep_terms_are_given_up() -> None:
    """A term nested too deeply raises KernelError, not RecursionError."""
    term = a
    for _ in range(400):
        term = Unknown(Symbol("f"), (0,), term)

    assert isinstance(outcome(PLAIN, {}, (), term, a), KernelError | Residue)


def test_alike_indices_are_labelled_in_good_time() -> None:
    """Twelve factors over six indices, with every symmetry, are named canonically."""
    for edges in (
        list(itertools.combinations(range(6), 2))[:12],
        [(n, (n + 1) % 6) for n in range(6)] * 2,
        [(n, (n + 3) % 6) for n in range(6)] + [(n, (n + 1) % 6) for n in range(6)],
    ):

        def product(*indices: Index, edges=edges, order=(0, 1, 2, 3, 4, 5)) -> Expr:
            return sympy.Mul(*(A(indices[order[m]], indices[order[n]]) for m, n in edges))

        left = total(product, N, N, N, N, N, N)
        right = total(lambda *ks: product(*ks, order=(3, 5, 1, 0, 4, 2)), N, N, N, N, N, N)
        assert isinstance(outcome(PLAIN, {}, (), left, right), Proved)


def test_residue_is_readable() -> None:
    """What is left is a term in which bound indices have fresh names."""
    residue = outcome(PLAIN, R1, (), total(lambda k: x(k) * y(i), N), sympy.Integer(0))

    assert isinstance(residue, Residue)
    assert str(residue.term).startswith("y[i]*Sum(x[k#")

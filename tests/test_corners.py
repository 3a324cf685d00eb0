"""The corners of the kernel: claims that need its rarest rules, goals that it refuses, work that it gives up."""

# A table of mathematics: one claim a line, single letters, sums of what is constant.
# ruff: noqa: ANN001, ANN201, E501

from __future__ import annotations

import pytest
import sympy
from sympy import Abs, Eq, Integer, Max, Min, Ne, Product, Rational, Sum, Symbol, cos, exp, log, sin, sqrt
from test_claims import top
from test_equality import (
    PLAIN,
    R1,
    R2,
    A,
    C,
    M,
    N,
    P,
    T,
    W,
    a,
    b,
    c,
    define,
    delta,
    gap,
    i,
    j,
    k,
    l,
    of_indices,
    outcome,
    p,
    s,
    t,
    tensor,
    total,
    x,
    y,
    z,
)

from symderiv.kernel import labelling, orders, sampling
from symderiv.kernel.equality import Proved, Residue, normal, prove
from symderiv.kernel.indices import EVERYWHERE
from symderiv.kernel.memory import READERS, Memory
from symderiv.kernel.normal import Algebra
from symderiv.kernel.reading import Reader
from symderiv.kernel.terms import (
    Cases,
    Context,
    D,
    Definite,
    Det,
    Goal,
    Greatest,
    Index,
    Inv,
    KernelError,
    NoRule,
    Partial,
    Size,
    TooLarge,
    Undefined,
    Unknown,
    entry,
    exact,
    fresh,
    indicator,
)
from symderiv.kernel.writing import write

zero, one = Integer(0), Integer(1)
f = Symbol("f")
U5 = tensor("U")


def whole(term: sympy.Expr) -> sympy.Expr:
    """The same term, so written that only the zero test sees it."""
    return term / (1 + p) + p * term / (1 + p)


def inverse_of(name: str):
    row, column = fresh("p"), fresh("q")
    return lambda first, second: Inv(entry(name, row, column), (row, column, N), first, second)


def matrix(body):
    """Return the entries of the inverse of a matrix that is given by its entries."""
    row, column = fresh("p"), fresh("q")
    return lambda first, second: Inv(body(row, column), (row, column, N), first, second)


def det(body, size=N) -> sympy.Expr:
    row, column = fresh("p"), fresh("q")
    return Det(body(row, column), (row, column, size))


H3 = tensor("H")
ROOT = Context(definitions=define("w", 0, lambda: sqrt(a)), shapes={"w": (), "a": ()})


def det_of(name: str) -> sympy.Expr:
    row, column = fresh("p"), fresh("q")
    return Det(entry(name, row, column), (row, column, N))


SOLVED = Context(
    definitions=define("y", 1, lambda i: total(lambda k: inverse_of("A")(i, k) * x(k), N)),
    shapes={"A": (N, N), "x": (N,), "y": (N,)},
)

RISING = total(lambda k: indicator(k >= i) * x(k), N)
BESIDE = inverse_of("A")(i, j) + inverse_of("A")(1, 1) + inverse_of("A")(i, i) + x(i) * y(j)


def of_rows(first, second):
    """Return an entry of an inverse of its own for each row."""
    return matrix(lambda row, column: H3(first, row, column))(first, second)


def over(body, condition):
    """Return the product of a body over all indices, where a condition holds."""
    return Product(Cases(body(k), condition, one, sympy.true), (k, 1, N))


PARTS = over(x, k >= i + 5) + over(y, k <= i) * over(z, sympy.And(k >= i, k >= j)) + over(x, k <= j)
"""Products over parts of a range: their ends may lie outside, or are two, or the rest is not there."""

# name: (context, ranges, assumptions, left, right, wrong rights)
CASES: dict[str, tuple] = {
    "an equality that a condition excludes, before a sum": (PLAIN, R2, (), indicator(i >= j) * whole(a) + delta(i, j) * whole(RISING), indicator(i >= j) * a + delta(i, j) * RISING, [
        indicator(i >= j) * a + RISING]),
    "a hypothesis over too many indices to be matched": (PLAIN, {}, (Eq(U5(*map(Index, "ijklm")), 0),), total(U5, *map(Size, "NMTBd")) + b, b + total(U5, *map(Size, "NMTBd")), [
        total(U5, *map(Size, "NMTBd")) + 2 * b]),
    "roots of what may be negative, under a condition": (PLAIN, {}, (), indicator(c > 0) * whole(sqrt(a) + sqrt(b) + sqrt(c)), indicator(c > 0) * (sqrt(a) + sqrt(b) + sqrt(c)), []),
    "sums of one range and of one a place further": (PLAIN, {}, (), Sum(x(k + 1) / (1 + exp(-x(k + 1))), (k, 1, N - 1)) + Sum(x(k) / (1 + exp(x(k))), (k, 2, N)), Sum(x(k), (k, 2, N)), [
        Sum(x(k), (k, 1, N))]),
    "inverses beside sums that are joined": (PLAIN, R2, (), BESIDE * total(lambda k: 1 / (1 + exp(x(k))) + 1 / (1 + exp(-x(k))), N), BESIDE * N, [BESIDE * (N + 1)]),
    "an inverse on its diagonal beside sums that are joined": (PLAIN, R1, (), (inverse_of("A")(i, i) + y(i)) * total(lambda k: 1 / (1 + exp(x(k))) + 1 / (1 + exp(-x(k))), N), (inverse_of("A")(i, i) + y(i)) * N, [
        (inverse_of("A")(i, i) + y(i)) * (N + 1)]),
    "products of zeros and ones, beside sums that are joined": (PLAIN, R2, (Eq(z(k) ** 2, z(k)),), over(z, k <= i) * over(y, k <= j) * total(lambda k: 1 / (1 + exp(x(k))) + 1 / (1 + exp(-x(k))), N), over(z, k <= i) * over(y, k <= j) * N, [
        over(z, k <= i) * over(y, k <= j) * (N + 1)]),
    "products in two parts": (PLAIN, R1, (), whole(Product(Cases(x(k), k < i, one, sympy.true), (k, 1, N)) * Product(Cases(x(k), k >= i, one, sympy.true), (k, 1, N))), Product(x(k), (k, 1, N)), [
        Product(x(k) + 1, (k, 1, N))]),
    "products under several conditions, beside sums that are joined": (PLAIN, R2, (), PARTS * total(lambda k: 1 / (1 + exp(x(k))) + 1 / (1 + exp(-x(k))), N), PARTS * N, [PARTS * N + 1]),
    "solution of a linear system": (SOLVED, R1, (), total(lambda k: A(i, k) * y(k), N), x(i), [y(i), 2 * x(i)]),
    "derivatives of what does not depend": (PLAIN, R1, (), D(top(x, N) + inverse_of("A")(1, 1) + det_of("A"), y(i)), zero, [y(i)]),
    "derivative of one number by another": (PLAIN, {}, (), D(x(1), x(2)) + D(x(2), x(2)), one, [zero]),
    "a condition and an equality that exclude each other": (PLAIN, R2, (), Abs(x(i) - x(j)) + delta(i, j) * whole(a), Max(x(i), x(j)) - Min(x(i), x(j)) + delta(i, j) * a, [
        Abs(x(i) - x(j)) + delta(i, j) * b]),
    "multiples of sizes": (PLAIN, {}, (), delta(2 * N, 3 * M) * whole(a), delta(2 * N, 3 * M) * a, [delta(N, M) * a]),
    "equal sizes, in an exponent": (PLAIN, {}, (), delta(N, M) * exp(N * a), delta(N, M) * exp(M * a), [exp(M * a)]),
    "equal sizes, in a logarithm": (PLAIN, {}, (), delta(N, M) * log(1 + N * a**2), delta(N, M) * log(1 + M * a**2), [log(1 + M * a**2)]),
    "equal sizes, around a product": (PLAIN, {}, (), delta(N, M) * N * Product(x(k), (k, 1, N)), delta(N, M) * M * Product(x(k), (k, 1, N)), [N * Product(x(k), (k, 1, N))]),
    "equal sizes, of a sum": (PLAIN, {}, (), delta(N, M) * total(x, N), delta(N, M) * total(x, M), [total(x, M)]),
    "larger of two entries, derivative": (PLAIN, {**R2, k: N}, (), D(Max(x(i), x(j)), x(k)), delta(i, k) * indicator(x(i) > x(j)) + delta(j, k) * indicator(x(i) <= x(j)), [
        delta(i, k) * indicator(x(i) > x(j))]),
    "equal squares": (PLAIN, {}, (), indicator(Eq(a**2, b**2)) * a**3, indicator(Eq(a**2, b**2)) * a * b**2, [a * b**2]),
    "equal, in an exponent": (PLAIN, {}, (), indicator(Eq(a, b)) * exp(a), indicator(Eq(a, b)) * exp(b), [exp(b)]),
    "least of an entry and the greatest": (PLAIN, R1, (), Min(x(i), top(x, N)), x(i), [x(i) + 1]),
    "a hypothesis of no use": (PLAIN, {}, (Eq(a * b, 3), Eq(exp(a) * total(x, N), 1), Eq(total(x, N) + exp(total(x, N)), 2), A(k, k) > 0), a + b, b + a, [a - b]),
    "indices that are never equal": (PLAIN, R2, (Ne(2 * i, 2 * j + 1),), x(i) + x(j), x(j) + x(i), [x(i) - x(j)]),
    "indices in a ratio": (PLAIN, R2, (Eq(2 * i, 3 * j),), x(i) + x(j), x(j) + x(i), [x(i) - x(j)]),
    "greatest under a condition": (PLAIN, R2, (), top(lambda k: x(k) + delta(i, j) * y(k), N), delta(i, j) * top(lambda k: x(k) + y(k), N) + (1 - delta(i, j)) * top(x, N), [top(x, N)]),
    "greatest at an index": (PLAIN, R1, (), total(lambda i: delta(i, 1) * top(lambda k: A(i, k), N), N), top(lambda k: A(1, k), N), [top(lambda k: A(k, 1), N) + 1]),
    "entries equal to the greatest, counted": (PLAIN, {}, (), total(lambda i: indicator(Eq(x(i), y(i))), N) + a, a + total(lambda k: indicator(Eq(y(k), x(k))), N), [a + N + 1]),
    "an equation without whole solutions": (PLAIN, R2, (), delta(2 * i, 2 * j + 1) + delta(i, j), delta(j, i), [one + delta(i, j)]),
    "equal to an index out of reach": (PLAIN, {i: N, j: M}, (), delta(i, 2 * j + M) * indicator(i <= j), zero, [indicator(i <= j)]),
    "conditions on indices that imply each other, either order": (PLAIN, R2, (), indicator(i <= j + 5) * indicator(i <= j + 9) * a, indicator(i <= j + 5) * a, [indicator(i <= j + 9) * a + indicator(i > 1)]),
    "conditions on indices that exclude each other": (PLAIN, R2, (), indicator(i >= j + 5) * indicator(i <= j - 5), zero, [indicator(i >= j + 5) + indicator(i <= j - 5) + one]),
    "sizes as values": (PLAIN, R1, (), indicator(Symbol("t", real=True) * 0 + N > 1) + delta(N, 1), one, [zero]),
    "power of a base over a root": (PLAIN, {}, (), (1 + a**2) ** Rational(3, 2) / (1 + a**2) + sqrt(1 + a**2), 2 * sqrt(1 + a**2), [sqrt(1 + a**2)]),
    "root of an even power of an entry": (PLAIN, {}, (), sqrt(a**4 * p) * sqrt(a**2), Abs(a) ** 3 * sqrt(p), [a**3 * sqrt(p)]),
    "product of roots of numbers": (PLAIN, {}, (), sqrt(Integer(2)) * sqrt(Integer(6)) * sqrt(Integer(3)), Integer(6), [Integer(5)]),
    "power by an entry, of any sign": (PLAIN, {}, (), (2 * a + 2 * b) ** (c + 1), 2 * 2**c * (a + b) ** c * (a + b), [(a + b) ** (c + 1)]),
    "power by an entry, under a condition": (PLAIN, R2, (), (a * delta(i, j) + 2) ** c, delta(i, j) * (a + 2) ** c + (1 - delta(i, j)) * 2**c, [(a + 2) ** c]),
    "power by a size, of a sum": (PLAIN, {}, (), (a + b) ** (2 * N), ((a + b) ** N) ** 2, [(a + b) ** N]),
    "power by a size, of a root": (PLAIN, {}, (), sqrt(a) ** N * sqrt(a) ** N, (sqrt(a) ** N) ** 2, [sqrt(a) ** N]),
    "power by a size, renamed": (PLAIN, {}, (), total(lambda k: (a + x(k)) ** N, N), Sum((x(l) + a) ** N, (l, 1, N)), [total(lambda k: (a - x(k)) ** N, N)]),
    "odd functions at nothing": (PLAIN, {}, (), sympy.asin(total(x, N) - total(x, N)), zero, [one]),
    "functions without parity": (PLAIN, {}, (), sympy.acos(a) + sympy.acos(a), 2 * sympy.acos(a), [sympy.acos(a)]),
    "no condition, or two": (PLAIN, R2, (), Cases(a, sympy.Or(Eq(i, j), i > j), b, sympy.true) + Cases(a, sympy.Not(sympy.And(i >= j, j <= N)), b, sympy.true), a + b, [2 * a]),
    "a condition within a condition": (PLAIN, R2, (), Cases(a, sympy.ITE(Eq(i, j), i > 1, i > j), b, sympy.true), Cases(a, sympy.Or(sympy.And(Eq(i, j), i > 1), i > j), b, sympy.true), [a]),
    "a product without a condition of its index": (PLAIN, R2, (), Product(1 + s(k) * delta(i, j), (k, 1, N)), delta(i, j) * Product(1 + s(k), (k, 1, N)) + 1 - delta(i, j), [Product(1 + s(k), (k, 1, N))]),
    "a product of nothing": (PLAIN, {}, (), Product(x(k) - x(k), (k, 1, N)), zero, [one]),
    "a product of roots": (PLAIN, {}, (), Product(sqrt(x(k)), (k, 1, N)) ** 2, Product(sqrt(x(l)), (l, 1, N)) * Product(sqrt(x(k)), (k, 1, N)), [Product(x(k), (k, 1, N)) + 1]),
    "a product at an index": (PLAIN, {}, (), total(lambda i: delta(i, 1) * Product(A(i, k), (k, 1, N)), N), Product(A(1, k), (k, 1, N)), [Product(A(k, 1), (k, 1, N)) + 1]),
    "an unknown function at an index": (PLAIN, {}, (), total(lambda i: delta(i, 1) * Unknown(f, (0,), x(i)), N), Unknown(f, (0,), x(1)), [Unknown(f, (1,), x(1))]),
    "sums of powers that have no closed form here": (PLAIN, {}, (), Sum(k**9, (k, 1, N)) + Sum(k * l * x(k), (k, 1, N), (l, 1, N)), Sum(l**9, (l, 1, N)) + N * (N + 1) / 2 * total(lambda k: k * x(k), N), [Sum(k**8, (k, 1, N))]),
    "counting at even places": (PLAIN, R1, (), total(lambda k: indicator(2 * k <= i), N) + a, a + total(lambda k: indicator(i >= 2 * k), N), [a + i]),
    "counting out of range": (PLAIN, {i: M}, (), total(lambda k: indicator(k <= i), N) - total(lambda k: indicator(k <= i) * delta(k, 1), N), total(lambda k: indicator(k <= i), N) - 1, [i - one]),
    "a size and an index": (PLAIN, R1, (), Max(N - i, 0) + Max(i, N), N - i + N, [N - i]),
    "a positive sum over all of a range": (PLAIN, R1, (), sqrt(total(lambda k: s(k) ** 2, N) ** 2), total(lambda k: s(k) ** 2, N), [total(s, N) ** 2 + 1]),
    "larger of two entries, derivative, seen by the zero test": (PLAIN, {**R2, k: N}, (), whole(a) * D(Max(x(i), x(j)), x(k)), a * (delta(i, k) * indicator(x(i) > x(j)) + delta(j, k) * indicator(x(i) <= x(j))), [
        a * delta(i, k) * indicator(x(i) > x(j))]),
    "equal to the greatest, seen by the zero test": (PLAIN, R1, (), indicator(Eq(x(i), top(x, N), evaluate=False)) * whole(a), indicator(Eq(x(i), top(x, N), evaluate=False)) * a, [a * indicator(x(i) < top(x, N)) + 1]),
    "equal to the greatest of another range": (PLAIN, {}, (), D(Abs(b), b) * total(lambda i: indicator(Eq(x(i), top(x, M), evaluate=False)), N), total(lambda i: indicator(Eq(top(x, M), x(i), evaluate=False)), N) * D(Abs(b), b), [2 * b]),
    "twice equal to the greatest": (PLAIN, {}, (), D(Abs(b), b) * total(lambda i: indicator(Eq(2 * x(i), top(x, N), evaluate=False)), N), total(lambda i: indicator(Eq(top(x, N), 2 * x(i), evaluate=False)), N) * D(Abs(b), b), [2 * b]),
    "other hypotheses of no use": (
        Context(shapes={"A": (N, N), "C": (N, N)}), {},
        (Eq(y(k) * z(l), delta(k, l) * y(k)), Eq(total(lambda k: x(k) * y(k), N), 1), Eq(total(lambda m: A(m, k) * A(l, m), N), delta(k, l)), Eq(total(lambda m: C(m, k) * C(m, l), N), 2 * delta(k, l)), Definite(P(k, l), (k, l, N))),
        a + b, b + a, [a - b]),
    "an equation without whole solutions, as it is": (PLAIN, R2, (), indicator(Eq(2 * i, 2 * j + 1, evaluate=False)) + a, a, [a + 1]),
    "an equation against the range": (PLAIN, R2, (), delta(i, T * j) * (indicator(T * j >= N + 6) + delta(T * j, N + 6)) * a + b, b, [b + a]),
    "conditions that imply each other, nested": (PLAIN, R2, (), Cases(Cases(a, i <= j + 5, b, sympy.true), i <= j + 9, c, sympy.true) * indicator(i <= j + 5) + Cases(Cases(a, i <= j + 9, b, sympy.true), i <= j + 5, zero, sympy.true), 2 * a * indicator(i <= j + 5), [a]),
    "sign of a gap": (PLAIN, R1, (), sympy.sign(N - i), indicator(i < N), [indicator(i <= N)]),
    "an exponential of a ratio of indices": (PLAIN, R2, (), exp(a * indicator(Eq(2 * i, 3 * j, evaluate=False))), 1 + indicator(Eq(2 * i, 3 * j, evaluate=False)) * (exp(a) - 1), [exp(a)]),
    "perceptron, derivative": (PLAIN, R1, (), D(Max(0, -b * total(lambda k: z(k) * x(k), N)), z(i)), -b * x(i) * indicator(b * total(lambda k: z(k) * x(k), N) <= 0), [-b * x(i) * indicator(b * total(lambda k: z(k) * x(k), N) >= 0)]),
    "an edge under a hypothesis": (PLAIN, {}, (Eq(total(y, N), 1),), D(Max(0, 1 - a), a), -indicator(a <= 1), [indicator(a <= 1)]),
    "an edge of an inverse": (PLAIN, {}, (), D(Max(0, 1 - 1 / a), a), indicator(1 / a <= 1) / a**2, [indicator(1 / a >= 1) / a**2]),
    "an edge of a sum of exponentials": (PLAIN, R1, (), D(Max(0, 3 - total(lambda k: exp(x(k)), N)), x(i)), -exp(x(i)) * indicator(total(lambda k: exp(x(k)), N) <= 3), [-exp(x(i))]),
    "an edge of a function": (PLAIN, {}, (), D(Max(0, Rational(1, 2) - sin(a)), a), -cos(a) * indicator(sin(a) <= Rational(1, 2)), [cos(a)]),
    "an edge of a determinant": (PLAIN, {}, (), D(Abs(b), b) * sympy.sign(det_of("A")) ** 2, D(Abs(b), b), [2 * D(Abs(b), b)]),
    "an edge of an exponential": (PLAIN, {}, (), D(Max(0, b - exp(a)), b), indicator(b >= exp(a)), [indicator(b <= exp(a))]),
    "square of a root of a number": (PLAIN, {}, (), total(lambda k: sqrt(2) * x(k), N) ** 2, 2 * total(x, N) ** 2, [4 * total(x, N) ** 2]),
    "diagonal": (PLAIN, R2, (Eq(A(k, l), A(k, l) * delta(k, l)),), A(i, j), A(i, i) * delta(i, j), [A(i, i)]),
    "a hypothesis that would match too often": (PLAIN, {**R2, k: N}, (Eq(U5(l, Index("m"), Index("n")), U5(Index("m"), l, Index("n"))),), whole(U5(i + j, j + k, i + k) + a), a + U5(i + j, j + k, i + k), [a]),
    "powers of a gap": (PLAIN, R1, (), (N - i + 1) ** a * (N - i + 1) ** b, (N - i + 1) ** (a + b), [(N - i + 1) ** (a * b) + 1]),
    "root of a quotient of any sign": (PLAIN, {}, (), sqrt(a / (b + c)) ** 2, a / (b + c), [a / (b + c) + 1]),
    "root of a square beside what has no sign": (PLAIN, {}, (), sympy.Pow(a**2 * b, Rational(1, 2), evaluate=False), Abs(a) * sqrt(b), [a * sqrt(b)]),
    "root of two factors without signs": (PLAIN, {}, (), sympy.Pow(a * b, Rational(1, 2), evaluate=False) * c + c, c * (1 + sympy.Pow(b * a, Rational(1, 2), evaluate=False)), [c + 1]),
    "indices that are never equal, as they are": (PLAIN, R2, (Ne(2 * i, 2 * j + 1, evaluate=False),), x(i) + x(j), x(j) + x(i), [x(i) - x(j)]),
    # matrices of which little is known
    "a batch of inverses, one chosen": (PLAIN, {**R2, t: M}, (), total(lambda m: delta(m, t) * matrix(lambda r, c: H3(m, r, c))(i, j), M), matrix(lambda r, c: H3(t, r, c))(i, j), [2 * matrix(lambda r, c: H3(t, r, c))(i, j)]),
    "determinant of no entries": (PLAIN, {}, (), det(lambda r, c: ((a + b) ** 2 - a**2 - 2 * a * b - b**2) * A(r, c)), zero, [one]),
    "determinant of one entry": (PLAIN, {}, (), det(lambda r, c: x(r) * y(c), one), x(1) * y(1), [x(1), -x(1) * y(1)]),
    "determinant of an outer product": (PLAIN, {}, (), det(lambda r, c: a * x(r) * y(c)), a**N * det(lambda r, c: x(r) * y(c)), [a * det(lambda r, c: x(r) * y(c)) + one]),
    "determinant of a sum of exponentials": (PLAIN, {}, (), a * det(lambda r, c: total(lambda k: exp(A(r, k) + P(k, c)), N)), a * det(lambda r, c: total(lambda k: exp(P(k, c)) * exp(A(r, k)), N)), [det(lambda r, c: total(lambda k: exp(A(r, k) - P(k, c)), N))]),
    "determinant of a sum that no index parts": (PLAIN, {}, (), 2 * det(lambda r, c: total(lambda k: A(r, k) * W(r, c) * P(k, c), N)), det(lambda r, c: total(lambda k: P(k, c) * A(r, k) * W(r, c), N)) * 2, [one]),
    "inverse of a triangle": (PLAIN, R1, (), total(lambda k: matrix(lambda r, c: indicator(r <= c) * A(r, c))(i, k) * (x(k) + y(k)), N),
        total(lambda k: matrix(lambda r, c: indicator(r <= c) * A(r, c))(i, k) * x(k), N) + total(lambda k: matrix(lambda r, c: indicator(r <= c) * A(r, c))(i, k) * y(k), N), [
        total(lambda k: matrix(lambda r, c: indicator(r <= c) * A(r, c))(k, i) * (x(k) + y(k)), N) + one]),
    "inverse beside its matrix and an exponential": (PLAIN, R1, (), total(lambda k, m: inverse_of("A")(i, k) * A(k, m) * exp(x(m)), N, N), exp(x(i)), [x(i), exp(-x(i))]),
    "inverse of squares beside the roots": (PLAIN, R2, (), total(lambda k: matrix(lambda r, c: A(r, c) ** 2)(i, k) * A(k, j), N) * 2, total(lambda k: A(k, j) * matrix(lambda r, c: A(r, c) ** 2)(i, k) * 2, N), [delta(i, j)]),
    "inverse of a matrix of sines": (PLAIN, R2, (), total(lambda k: matrix(lambda r, c: A(r, c) * sin(x(r) * y(c)))(i, k) * A(k, j) * sin(x(k) * y(j)), N), delta(i, j), [delta(i, j) + one]),
    "Sylvester's identity under a hypothesis": (PLAIN, {}, (Eq(total(y, N), 1),),
        det(lambda r, c: delta(r, c) + total(lambda k: A(r, k) * P(k, c), M)) * total(y, N), det(lambda r, c: delta(r, c) + total(lambda k: P(r, k) * A(k, c), N), M), [
        det(lambda r, c: delta(r, c) - total(lambda k: P(r, k) * A(k, c), N), M)]),
    "a changed matrix under a hypothesis, as it is": (PLAIN, {}, (Eq(total(y, N), 1),), a * det(lambda r, c: A(r, c) + x(r) * y(c)) * total(y, N), det(lambda r, c: x(r) * y(c) + A(r, c)) * a, [a]),
    "determinant of a sum of entries of three indices": (PLAIN, {}, (), 2 * det(lambda r, c: total(lambda k: H3(r, k, c), N)), det(lambda r, c: total(lambda k: H3(r, k, c), N)) * 2 + zero * a, [one]),
    "inverse beside another": (PLAIN, R2, (), whole(total(lambda k: matrix(lambda r, c: inverse_of("A")(r, c) * W(r, c))(i, k) * inverse_of("P")(k, j) * W(k, j), N)),
        total(lambda k: matrix(lambda r, c: inverse_of("A")(r, c) * W(r, c))(i, k) * inverse_of("P")(k, j) * W(k, j), N), [delta(i, j)]),
    # powers, functions and products of which little is known
    "root of a cube": (PLAIN, {}, (), 2 * (a**3) ** Rational(1, 3), (a**3) ** Rational(1, 3) + (a**3) ** Rational(1, 3), [a]),
    "power of a root": (ROOT, {}, (), entry("w") ** N * entry("w"), entry("w") ** (N + 1), [entry("w") ** N]),
    "power of an entry, moved": (PLAIN, R1, (), total(lambda k: delta(k, i) * x(k) ** N, N), x(i) ** N, [x(i)]),
    "functions of what is 0": (PLAIN, {}, (), sin((a + b) ** 2 - a**2 - 2 * a * b - b**2) + cos((a + b) ** 2 - a**2 - 2 * a * b - b**2), one, [zero]),
    "a logarithm of nothing that is known": (PLAIN, {}, (), log(a**3 * c) * log(p) * sin(2 * b), 2 * log(c * a**3) * log(p) * sin(b) * cos(b), [log(a**3 * c) * log(p) * sin(b) * cos(b)]),
    "a logarithm of a product and a factor": (PLAIN, {}, (), log(a * Product(x(k), (k, 1, N))), log(Abs(a)) + total(lambda k: log(Abs(x(k))), N), [total(lambda k: log(Abs(x(k))), N)]),
}  # fmt: skip
"""Name: context, ranges, assumptions, left, right, and right sides that are wrong."""

TRUE = [pytest.param(*case[:5], id=name) for name, case in CASES.items()]
FALSE = [
    pytest.param(*case[:4], wrong, id=f"{name}, wrong {place}")
    for name, case in CASES.items()
    for place, wrong in enumerate(case[5], 1)
]
FIELDS = ("context", "ranges", "assumptions", "left", "right")


def judged(cases_: list) -> list:
    """Return the claims without hypotheses on values, and without what brute force has no numbers for."""
    return [case for case in cases_ if of_indices(case.values[2])]


@pytest.mark.parametrize(FIELDS, TRUE)
def test_proves_the_claim(context, ranges, assumptions, left, right) -> None:
    """Each of these holds for every size, index and value."""
    found = outcome(context, ranges, assumptions, left, right)

    assert isinstance(found, Proved), found


@pytest.mark.parametrize(FIELDS, FALSE)
def test_does_not_prove_its_twin(context, ranges, assumptions, left, right) -> None:
    """Each of these differs somewhere."""
    assert not isinstance(outcome(context, ranges, assumptions, left, right), Proved)


@pytest.mark.parametrize(FIELDS, judged(TRUE))
def test_brute_force_agrees(context, ranges, assumptions, left, right) -> None:
    """What is called a claim here holds at every small size."""
    assert gap(context, ranges, assumptions, left, right) < 1e-12


@pytest.mark.parametrize(FIELDS, judged(FALSE))
def test_brute_force_differs(context, ranges, assumptions, left, right) -> None:
    """What is called wrong here differs at some small size."""
    assert gap(context, ranges, assumptions, left, right) > 1e-9


UNDECIDED = {
    "a quotient of sizes that may be 0": (Abs(a / b), Abs(a) / Abs(b)),
    "a zero that is not linear": (indicator(Eq(a**2, b**2)) * a, indicator(Eq(a**2, b**2)) * b),
    "a zero that is not linear, under a condition": (indicator(Eq(a**2, b**2)) * indicator(c > 0) * a, indicator(Eq(a**2, b**2)) * indicator(c > 0) * b),
    "sums within sums beyond the depth": (
        total(lambda *at: 1 - 1 / (1 + exp(-U5(*at))), *map(Size, "NMTBd")),
        total(lambda *at: 1 / (1 + exp(U5(*at))), *map(Size, "NMTBd")),
    ),
    "an inverse of inverses, one for each row": (total(lambda k: matrix(of_rows)(i, k) * of_rows(k, j), N), delta(i, j)),
    "sums of one range and of one a place further, counted": (Sum(1 / (1 + exp(-x(k + 1))), (k, 1, N - 1)) + Sum(1 / (1 + exp(x(k))), (k, 2, N)), N - 1),
    "a product over a range": (Product(Cases(x(k), k < j, one, sympy.true), (k, 1, N)), x(j)),
}  # fmt: skip


@pytest.mark.parametrize(("left", "right"), UNDECIDED.values(), ids=UNDECIDED)
def test_leaves_undecided(left, right) -> None:
    """Where no rule decides, what is left is a residue or a reason, and never a proof."""
    assert isinstance(outcome(PLAIN, {j: N}, (), left, right), Residue | KernelError)


REFUSED = {
    "an index that is no integer": (x(i / 2), NoRule, "index expression"),
    "an unknown operator": (sympy.floor(a), NoRule, "floor"),
    "a range without a bound": (Sum(x(k), (k, 1, l)), NoRule, "range"),
    "a range from what may be 0": (Sum(x(k), (k, i - 1, N)), NoRule, "first index"),
    "a maximum over what may be nothing": (Greatest(x(k), (k, 1, N - 1)), NoRule, "maximum"),
    "a maximum from 2": (Greatest(x(k), (k, 2, N)), NoRule, "maximum"),
    "a product of maxima": (Product(Max(x(k), a), (k, 1, N)), NoRule, "product over a condition"),
    "a product of zeros before an index": (Product(Cases(zero, k <= i, x(k), sympy.true), (k, 1, N)), NoRule, "product of zeros"),
    "a product that changes at what may be no index": (Product(Cases(a, Eq(k, i + 1), x(k), sympy.true), (k, 1, N)), NoRule, "product over a condition"),
    "a matrix without rows": (Det(A(k, l), (k, l, N - 1)), NoRule, "rows"),
    "a condition that is no comparison": (Cases(a, Definite(A(k, l), (k, l, N)), b, sympy.true), NoRule, "condition"),
    "a derivative of a product": (Partial(x(i) * y(i), x(i)), NoRule, "carried out"),
    "a derivative of what is no unknown function": (D(Partial(x(i), y(i)), x(i)), NoRule, "unknown function"),
    "infinity": (a + sympy.oo, Undefined, "value"),
    "a division by a delta": (1 / delta(i, j), Undefined, "division"),
    "a root below 0": (sympy.Pow(-p, Rational(1, 2), evaluate=False) + a, Undefined, "root"),
    "a logarithm below 0": (log(-p) + a, Undefined, "logarithm"),
    "a high power of a sum": ((a + b) ** 65, TooLarge, "power"),
    "a large number": (sqrt(Integer(10**18 + 9)) * a, NoRule, "factors"),
}  # fmt: skip


@pytest.mark.parametrize(("term", "error", "words"), REFUSED.values(), ids=REFUSED)
def test_refuses(term, error, words) -> None:
    """What has no value, or no rule, raises and says which."""
    with pytest.raises(error, match=words):
        normal(term, R2)


def test_one_case_that_fails_is_enough() -> None:
    """A goal that is told apart by i = j and i != j is left where one of the two is not proved."""
    masked = Cases(x(i) + x(j), Eq(i, j), (x(i) ** 2 - x(j) ** 2) / (x(i) - x(j)), sympy.true)

    assert isinstance(outcome(PLAIN, R2, (), masked, 2 * x(i)), Residue)


def test_gives_up_where_the_zero_test_grows() -> None:
    """Many denominators make the residue carry the reason."""
    many = sum(1 / (1 + entry(f"v{n}") ** 2 + entry(f"w{n}") ** 2) for n in range(16))

    found = outcome(PLAIN, {}, (), whole(many), many)

    assert isinstance(found, Proved) or (isinstance(found, Residue) and found.note)


def test_facts_are_no_longer_compared_when_they_are_many(monkeypatch) -> None:
    """Beyond the bound a branch is tried instead of excluded: less is proved, nothing false is."""
    clipped = Max(-p, Min(a, p))
    assert isinstance(outcome(PLAIN, {}, (), Min(p, Max(a, -p)), clipped), Proved)

    monkeypatch.setattr(orders, "INEQUALITIES", 0)

    assert isinstance(outcome(PLAIN, {}, (), Min(p, Max(a, -p)), clipped), Residue)


def test_a_sample_tells_nothing_of_a_matrix_that_has_no_inverse() -> None:
    """`u v^T` has none where there are two rows; the exact test decides alone."""
    term = total(lambda k: matrix(lambda r, c: x(r) * y(c))(i, k) * z(k), N)

    assert isinstance(outcome(PLAIN, R1, (), whole(term), term), Proved)
    assert isinstance(outcome(PLAIN, R1, (), whole(term), 2 * term), Residue)


def test_few_readers_are_kept() -> None:
    """The oldest goes where there are too many, and proofs are the same."""
    memory = Memory()
    for size in range(2, 2 * READERS):
        goal = Goal(whole(x(i)), x(i), {i: Integer(size)})
        assert isinstance(prove(goal, memory), Proved)

    assert len(memory.readers) == READERS


def test_a_sample_gives_up_on_long_loops(monkeypatch) -> None:
    """Without a sample the exact test decides alone, the same."""
    monkeypatch.setattr(sampling, "LOOPS", 0)

    assert isinstance(outcome(PLAIN, {}, (), total(x, N) ** 2, total(lambda i, j: x(i) * x(j), N, N)), Proved)
    assert isinstance(outcome(PLAIN, {}, (), total(x, N) ** 2, total(lambda i: x(i) ** 2, N)), Residue)


def test_labelling_gives_up_on_too_many_namings(monkeypatch) -> None:
    """Indices that are alike without being exchangeable are compared only so far."""
    monkeypatch.setattr(labelling, "LEAVES", 0)

    with pytest.raises(TooLarge, match="alike"):
        normal(total(lambda i, j, k: A(i, j) * A(j, k) * A(k, i) * C(i, j), N, N, N), {})


def test_the_sign_of_many_indicators_is_not_asked_for() -> None:
    """It is told in so many cases, and in no more."""
    algebra = Algebra({})

    for count, sign in ((4, 2), (5, 0)):
        term = count + 1 - sum(indicator(x(n) > 0) for n in range(1, count + 1))
        assert algebra.sign(normal(term, {})) == sign


def test_all_integers_have_no_number() -> None:
    """A sum over all integers has no sample, and no sign."""
    algebra = Algebra({})
    whole_sum = Reader(algebra).read(total(lambda k: k * x(k), N))
    ((m, _),) = whole_sum.terms.items()
    (closed,) = m.factors
    shifted = type(closed)(closed.kind, closed.name, closed.indices, closed.inner, (EVERYWHERE,))

    assert algebra.atom_sign(shifted) == 0
    assert algebra.fresh(EVERYWHERE) not in algebra.upper


def test_writes_what_it_reads() -> None:
    """Unknown functions, derivatives, equations and conditions are written as terms that read back."""
    context = Context(shapes={"x": (N,), "L": ()})
    loss = entry("L")
    for term in (
        Unknown(f, (1,), x(i)) * a,
        D(loss, x(i)) ** 2,
        delta(2 * i, 3 * j) * a,
        indicator(Eq(a, b)) * c,
        indicator(Eq(-a, b)) * c,
        Greatest(x(k) * a, (k, 1, N)),
        Sum(cos(x(k)) * sin(x(k)), (k, 1, N)) ** 2,
    ):
        form = Reader(Algebra({})).read(term)

        assert Reader(Algebra({})).read(write(form)) == form
    assert context.values == {}


def test_truth_values_are_made_exact() -> None:
    """A comparison that Python has settled is a condition like any other."""
    assert exact(value=True) is sympy.true
    assert exact(value=False) is sympy.false


def test_entries_are_replaced_with_their_base() -> None:
    """An entry is replaced as a whole, or by its base, or by its indices."""
    before, after = entry("x", i), entry("y", j)

    assert before.xreplace({before: after}) == after
    assert before.xreplace({before.base: after.base, i: j}) == after
    assert before.xreplace({i: i}) is before


def test_a_positive_definite_matrix_is_a_condition_with_its_own_indices() -> None:
    """The row and the column of the matrix do not stand free in it."""
    assert Definite(P(k, l), (k, l, N)).free_symbols & {k, l} == set()
    assert isinstance(Definite(P(k, l), (k, l, N)).matrix, Det)

"""Inverses and determinants: true identities are proved and hold in numbers, false ones are neither."""

# Tables of mathematics: one identity a line, single letters.
# ruff: noqa: ANN001, E501, E741

from __future__ import annotations

from collections.abc import Callable

import pytest
from brute_force import Undefined, assignments, evaluate
from sympy import Eq, Expr, Integer, KroneckerDelta, Product, Sum, log

from symderiv.judge.refute import refute
from symderiv.kernel import inverses
from symderiv.kernel.equality import Proved, normal, prove
from symderiv.kernel.terms import Context, D, Det, Goal, Index, Inv, Size, entry, fresh
from symderiv.kernel.writing import write

N, M = Size("N"), Size("M")
i, j, k, l = map(Index, "ijkl")
s, lam = entry("s"), entry("c", positive=True)
SHAPES = {"A": (N, N), "B": (N, N), "C": (N, N), "W": (M, M), "U": (N, M), "V": (M, N), "u": (N,), "v": (N,)}
CONTEXT = Context(shapes={**SHAPES, "s": (), "c": (), "d": (N,)})

Matrix = Callable[[Expr, Expr], Expr]


def named(name: str) -> Matrix:
    return lambda p, q: entry(name, p, q)


def vector(name: str) -> Callable[[Expr], Expr]:
    return lambda p: entry(name, p)


def product(*factors: tuple[Matrix, Expr] | Matrix) -> Matrix:
    """Return the product; a factor with a size has that many columns, the others N."""
    (first, size), *others = [f if isinstance(f, tuple) else (f, N) for f in factors]
    if not others:
        return first
    rest = product(*others)

    def at(p: Expr, q: Expr) -> Expr:
        m = fresh("m")
        return Sum(first(p, m) * rest(m, q), (m, 1, size))

    return at


def turned(of: Matrix) -> Matrix:
    return lambda p, q: of(q, p)


def inverse(of: Matrix, size: Expr = N) -> Matrix:
    p, q = fresh("p"), fresh("q")
    return lambda row, column: Inv(of(p, q), (p, q, size), row, column)


def det(of: Matrix, size: Expr = N) -> Expr:
    p, q = fresh("p"), fresh("q")
    return Det(of(p, q), (p, q, size))


def trace(of: Matrix, size: Expr = N) -> Expr:
    m = fresh("m")
    return Sum(of(m, m), (m, 1, size))


def plus(*terms: Matrix) -> Matrix:
    return lambda p, q: sum((term(p, q) for term in terms), Integer(0))


def times(factor: Expr, of: Matrix) -> Matrix:
    return lambda p, q: factor * of(p, q)


def form(left: str, of: Matrix, right: str) -> Expr:
    m, n = fresh("m"), fresh("n")
    return Sum(entry(left, m) * of(m, n) * entry(right, n), (m, 1, N), (n, 1, N))


def outer(left: str, right: str) -> Matrix:
    return lambda p, q: entry(left, p) * entry(right, q)


def diagonal(name: str) -> Matrix:
    return lambda p, q: KroneckerDelta(p, q) * entry(name, p)


I: Matrix = KroneckerDelta
A, B, C, U, V, W = map(named, "ABCUVW")
GRAM = product(turned(U), U)  # M × M
RIDGE = plus(GRAM, times(lam, I))
OUTER = plus(product((U, M), turned(U)), times(lam, I))  # N × N
INNER = plus(inverse(W, M), product(V, inverse(A), U))  # M × M
UPDATED = plus(A, product((U, M), (W, M), V))
INNER_UV = Sum(entry("u", l) * entry("v", l), (l, 1, N))
LEFT, RIGHT = product(inverse(A), U), product(V, inverse(A))

TRUE: dict[str, tuple[Expr, Expr, dict[Index, Expr]]] = {
    "A A^-1 = I": (product(A, inverse(A))(i, j), I(i, j), {i: N, j: N}),
    "A^-1 A = I": (product(inverse(A), A)(i, j), I(i, j), {i: N, j: N}),
    "A A^-1 A = A": (product(A, inverse(A), A)(i, j), A(i, j), {i: N, j: N}),
    "A^T A^-T = I": (product(turned(A), turned(inverse(A)))(i, j), I(i, j), {i: N, j: N}),
    "(A^T)^-1 = (A^-1)^T": (inverse(turned(A))(i, j), turned(inverse(A))(i, j), {i: N, j: N}),
    "(A^-1)^-1 = A": (inverse(inverse(A))(i, j), A(i, j), {i: N, j: N}),
    "I^-1 = I": (inverse(I)(i, j), I(i, j), {i: N, j: N}),
    "(2 s A)^-1 = A^-1 / 2 s": (inverse(times(2 * s, A))(i, j), inverse(A)(i, j) / (2 * s), {i: N, j: N}),
    "(A B)^-1 = B^-1 A^-1": (inverse(product(A, B))(i, j), product(inverse(B), inverse(A))(i, j), {i: N, j: N}),
    "(A B C)^-1": (inverse(product(A, B, C))(i, j), product(inverse(C), inverse(B), inverse(A))(i, j), {i: N, j: N}),
    "diag(d)^-1": (inverse(diagonal("d"))(i, j), I(i, j) / entry("d", i), {i: N, j: N}),
    "(diag(d) A)^-1": (inverse(product(diagonal("d"), A))(i, j), inverse(A)(i, j) / entry("d", j), {i: N, j: N}),
    "A^-1 - B^-1": (inverse(A)(i, j) - inverse(B)(i, j), product(inverse(A), plus(B, times(-1, A)), inverse(B))(i, j), {i: N, j: N}),
    "(A + B)^-1 A B^-1": (product(inverse(plus(A, B)), A, inverse(B))(i, j), inverse(B)(i, j) - inverse(plus(A, B))(i, j), {i: N, j: N}),
    "ridge": (product((inverse(RIDGE, M), M), (RIDGE, M))(i, j), I(i, j), {i: M, j: M}),
    "Gram is symmetric": (inverse(GRAM, M)(i, j), inverse(GRAM, M)(j, i), {i: M, j: M}),
    "push-through": (product((inverse(RIDGE, M), M), turned(U))(i, j), product(turned(U), inverse(OUTER))(i, j), {i: M, j: N}),
    "Woodbury": (inverse(UPDATED)(i, j), inverse(A)(i, j) - product((LEFT, M), (inverse(INNER, M), M), RIGHT)(i, j), {i: N, j: N}),
    "Sherman and Morrison": (inverse(plus(A, outer("u", "v")))(i, j), inverse(A)(i, j) - product(inverse(A), outer("u", "v"), inverse(A))(i, j) / (1 + form("v", inverse(A), "u")), {i: N, j: N}),
    "diag(d) + c u v^T": (inverse(plus(diagonal("d"), times(s, outer("u", "v"))))(i, j), I(i, j) / entry("d", i) - s * entry("u", i) * entry("v", j) / (entry("d", i) * entry("d", j) * (1 + s * form("v", inverse(diagonal("d")), "u"))), {i: N, j: N}),
    "(a^2 + 1) I + u v^T": (inverse(plus(times(s**2 + 1, I), outer("u", "v")))(i, j), (I(i, j) - entry("u", i) * entry("v", j) / (s**2 + 1 + INNER_UV)) / (s**2 + 1), {i: N, j: N}),
    "det I + u v^T / (a^2 + 1)": (det(plus(I, times(1 / (s**2 + 1), outer("u", "v")))), 1 + INNER_UV / (s**2 + 1), {}),
    "det I + (a + 2) u v^T": (det(plus(I, times(s + 2, outer("u", "v")))), 1 + (s + 2) * INNER_UV, {}),
    "det A / (a^2 + 1) + I": (det(plus(times(1 / (s**2 + 1), A), I)), (s**2 + 1) ** (-N) * det(plus(A, times(s**2 + 1, I))), {}),
    "det A B": (det(product(A, B)), det(A) * det(B), {}),
    "det A^T": (det(turned(A)), det(A), {}),
    "det A^-1": (det(inverse(A)), 1 / det(A), {}),
    "det s A": (det(times(s, A)), s**N * det(A), {}),
    "det -A": (det(times(-1, A)), (-1) ** N * det(A), {}),
    "det I": (det(I), Integer(1), {}),
    "det diag": (det(diagonal("d")), Product(entry("d", k), (k, 1, N)), {}),
    "det of similar matrices": (det(product(inverse(B), A, B)), det(A), {}),
    "log det A B": (log(det(product(A, B))), log(det(A)) + log(det(B)), {}),
    "d det": (D(det(A), A(i, j)), det(A) * inverse(A)(j, i), {i: N, j: N}),
    "d log det": (D(log(det(A)), A(i, j)), inverse(A)(j, i), {i: N, j: N}),
    "d log det Gram": (D(log(det(GRAM, M)), U(i, j)), 2 * product((U, M), (inverse(GRAM, M), M))(i, j), {i: N, j: M}),
    "d A^-1": (D(inverse(A)(k, l), A(i, j)), -inverse(A)(k, i) * inverse(A)(j, l), {i: N, j: N, k: N, l: N}),
    "d tr(A^-1 B)": (D(trace(product(inverse(A), B)), A(i, j)), -product(inverse(A), B, inverse(A))(j, i), {i: N, j: N}),
    "d u^T A^-1 v": (D(form("u", inverse(A), "v"), A(i, j)), -product(inverse(A), outer("v", "u"), inverse(A))(j, i), {i: N, j: N}),
    "second derivative of log det": (D(log(det(A)), A(i, j), A(k, l)), -inverse(A)(j, k) * inverse(A)(l, i), {i: N, j: N, k: N, l: N}),
    "A bound by a sum outside": (Sum(Inv(entry("A", k, i) * KroneckerDelta(i, j), (i, j, N), l, l), (k, 1, N)), Sum(1 / entry("A", k, l), (k, 1, N)), {l: N}),
}  # fmt: skip

FALSE: dict[str, tuple[Expr, Expr, dict[Index, Expr]]] = {
    "A A^-T = I": (product(A, turned(inverse(A)))(i, j), I(i, j), {i: N, j: N}),
    "A^-1 = A^-T": (inverse(A)(i, j), inverse(A)(j, i), {i: N, j: N}),
    "(A B)^-1 = A^-1 B^-1": (inverse(product(A, B))(i, j), product(inverse(A), inverse(B))(i, j), {i: N, j: N}),
    "(A + B)^-1 = A^-1 + B^-1": (inverse(plus(A, B))(i, j), inverse(A)(i, j) + inverse(B)(i, j), {i: N, j: N}),
    "(2 A)^-1 = 2 A^-1": (inverse(times(2, A))(i, j), 2 * inverse(A)(i, j), {i: N, j: N}),
    "(A^-1)_ij = 1/A_ij": (inverse(A)(i, j), 1 / A(i, j), {i: N, j: N}),
    "the trace of A^-1 A is 1": (trace(product(inverse(A), A)), Integer(1), {}),
    "push-through, transposed": (product((inverse(RIDGE, M), M), turned(U))(i, j), product(turned(U), inverse(plus(OUTER, I)))(i, j), {i: M, j: N}),
    "Woodbury, wrong sign": (inverse(UPDATED)(i, j), inverse(A)(i, j) + product((LEFT, M), (inverse(INNER, M), M), RIGHT)(i, j), {i: N, j: N}),
    "Sherman and Morrison, u for v": (inverse(plus(A, outer("u", "v")))(i, j), inverse(A)(i, j) - product(inverse(A), outer("u", "v"), inverse(A))(i, j) / (1 + form("u", inverse(A), "v")), {i: N, j: N}),
    "diag(d) + c u v^T, without c below": (inverse(plus(diagonal("d"), times(s, outer("u", "v"))))(i, j), I(i, j) / entry("d", i) - s * entry("u", i) * entry("v", j) / (entry("d", i) * entry("d", j) * (1 + form("v", inverse(diagonal("d")), "u"))), {i: N, j: N}),
    "diag(d) + u v^T, u and v exchanged": (inverse(plus(diagonal("d"), outer("u", "v")))(i, j), I(i, j) / entry("d", i) - entry("v", i) * entry("u", j) / (entry("d", i) * entry("d", j) * (1 + form("v", inverse(diagonal("d")), "u"))), {i: N, j: N}),
    "det I + (a + 2) u v^T, 2 a": (det(plus(I, times(s + 2, outer("u", "v")))), 1 + 2 * s * INNER_UV, {}),
    "det (A + B)": (det(plus(A, B)), det(A) + det(B), {}),
    "det 2 A = 2 det A": (det(times(2, A)), 2 * det(A), {}),
    "det A^-1 = det A": (det(inverse(A)), det(A), {}),
    "d det without transpose": (D(det(A), A(i, j)), det(A) * inverse(A)(i, j), {i: N, j: N}),
    "d log det without transpose": (D(log(det(A)), A(i, j)), inverse(A)(i, j), {i: N, j: N}),
    "d A^-1 with a lost minus": (D(inverse(A)(k, l), A(i, j)), inverse(A)(k, i) * inverse(A)(j, l), {i: N, j: N, k: N, l: N}),
    "d A^-1 with the indices exchanged": (D(inverse(A)(k, l), A(i, j)), -inverse(A)(k, j) * inverse(A)(i, l), {i: N, j: N, k: N, l: N}),
    "d log det Gram without 2": (D(log(det(GRAM, M)), U(i, j)), product((U, M), (inverse(GRAM, M), M))(i, j), {i: N, j: M}),
}  # fmt: skip


@pytest.mark.parametrize("name", TRUE)
def test_true_identities_are_proved(name) -> None:
    """The kernel proves what holds wherever the matrices are invertible."""
    left, right, ranges = TRUE[name]

    assert isinstance(prove(Goal(left, right, ranges, (), CONTEXT)), Proved)


@pytest.mark.parametrize("name", TRUE)
@pytest.mark.parametrize("sizes", [{"N": 1, "M": 2}, {"N": 3, "M": 2}], ids=str)
def test_true_identities_hold_in_numbers(name, sizes) -> None:
    """Each identity of the table holds by elimination in 60 digits, where determinants and Gram matrices are regular."""
    left, right, ranges = TRUE[name]
    compared = 0
    for seed in range(6):
        for point in assignments(ranges, sizes, seed, CONTEXT):
            try:
                expected, found = evaluate(left, point), evaluate(right, point)
            except (Undefined, ZeroDivisionError):
                continue
            compared += 1
            assert abs(expected - found) < 1e-8 * (1 + abs(expected))
    assert compared or sizes["M"] > sizes["N"]


@pytest.mark.parametrize("name", TRUE)
def test_normal_forms_are_idempotent(name) -> None:
    """The normal form of a normal form, written back, is itself."""
    left, _, ranges = TRUE[name]
    form = normal(left, ranges, CONTEXT)

    assert form == normal(write(form, frozenset({"c"})), ranges, CONTEXT)


@pytest.mark.parametrize("name", FALSE)
def test_false_identities_are_not_proved(name) -> None:
    """No rule proves what is false, and numbers refute it."""
    left, right, ranges = FALSE[name]
    goal = Goal(left, right, ranges, (), CONTEXT)

    assert not isinstance(prove(goal), Proved)
    assert refute(goal) is not None


def quantified(left: Matrix, right: Matrix) -> tuple[Expr, ...]:
    p, q = Index("p"), Index("q")
    return (Eq(left(p, q), right(p, q)),)


@pytest.mark.parametrize(
    ("left", "right", "hypothesis"),
    [
        (inverse(A), turned(inverse(A)), quantified(A, turned(A))),
        (inverse(A), turned(A), quantified(product(turned(A), A), I)),
    ],
    ids=["the inverse of a symmetric matrix", "the inverse of an orthogonal matrix"],
)
def test_hypotheses(left, right, hypothesis) -> None:
    """What holds under a hypothesis is proved with it, and without it refuted."""
    goal = Goal(left(i, j), right(i, j), {i: N, j: N}, hypothesis, CONTEXT)
    bare = Goal(left(i, j), right(i, j), {i: N, j: N}, (), CONTEXT)

    assert isinstance(prove(goal), Proved)
    assert not isinstance(prove(bare), Proved)
    assert refute(goal) is None
    assert refute(bare) is not None


def test_a_scale_that_is_zero_at_some_size_is_not_divided_by() -> None:
    """At N = 1 the scale N - 1 is 0: what follows from dividing by it is not proved."""
    body = plus(times(N - 1, A), B)
    left = product(inverse(body), A)(i, j)
    right = (I(i, j) - product(inverse(body), B)(i, j)) / (N - 1)
    goal = Goal(left, right, {i: N, j: N}, (), CONTEXT)

    assert normal(left, goal.ranges, CONTEXT) != normal(right, goal.ranges, CONTEXT)


def test_a_row_that_meets_its_own_column_is_kept() -> None:
    """`sum_k A^-1_ik A_kk` is no entry of the identity."""
    goal = Goal(Sum(inverse(A)(i, k) * A(k, k), (k, 1, N)), Integer(1), {i: N}, (), CONTEXT)

    assert not isinstance(prove(goal), Proved)
    assert refute(goal) is not None


def test_a_difference_is_multiplied_by_matrices_only_so_often(monkeypatch: pytest.MonkeyPatch) -> None:
    """Woodbury's identity takes such products; without any it is left open."""
    left, right, ranges = TRUE["Woodbury"]
    monkeypatch.setattr(inverses, "MULTIPLES", 0)

    assert not isinstance(prove(Goal(left, right, ranges, (), CONTEXT)), Proved)

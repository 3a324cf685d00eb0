"""Random index terms, and other ways of writing the same term.

`pick` chooses one element of a list; it is `random.Random(seed).choice`, or drawn by Hypothesis.
"""

# One branch for each kind of term; single letters.
# ruff: noqa: C901, E741, PLR0912

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import sympy
from sympy import Eq, Expr, KroneckerDelta, Max, Ne, Product, Rational, Sum, exp, log, sqrt, tanh

from symderiv.kernel.substitution import substitute
from symderiv.kernel.terms import Cases, Det, Greatest, Index, Inv, Size, entry, exact, fresh

Pick = Callable[[Sequence[Any]], Any]
N, M = Size("N"), Size("M")
I, J = Index("i"), Index("j")
FREE = {I: N, J: N}

POLYNOMIAL = ("leaf", "leaf", "add", "mul", "mul", "sum", "delta", "square", "exp", "cases")
EVERYTHING = (
    *POLYNOMIAL,
    "inverse",
    "root",
    "log",
    "tanh",
    "max",
    "abs",
    "power",
    "tensor",
    "half",
    "triangle",
    "product",
    "matrix",
    "determinant",
    "greatest",
)


def term(pick: Pick, depth: int, scope: list[Index], kinds: Sequence[str]) -> Expr:
    """Return a random term over the indices in scope."""

    def deeper() -> Expr:
        return term(pick, depth - 1, scope, kinds)

    def positive() -> Expr:
        """Return a term that is positive everywhere."""
        return pick(
            (
                lambda: deeper() ** 2 + entry("e", positive=True),
                lambda: exp(deeper()) + 1,
                lambda: exp(deeper()),
            )
        )()

    kind = pick(kinds) if depth > 0 else "leaf"
    match kind:
        case "add":
            return deeper() + pick((1, -1, 2)) * deeper()
        case "mul":
            return deeper() * deeper()
        case "sum" | "triangle" | "product":
            k = fresh("k")
            inner = term(pick, depth - 1, [*scope, k], kinds)
            if kind == "triangle":
                return Sum(
                    inner,
                    pick(((k, 1, pick(scope)), (k, 1, N - 1), (k, 2, N), (k, 0, M), (k, pick(scope), N))),
                )
            return (Sum if kind == "sum" else Product)(inner, (k, 1, pick((N, M))))
        case "greatest":
            k = fresh("k")
            return Greatest(term(pick, depth - 1, [*scope, k], kinds), (k, 1, pick((N, M))))
        case "delta":
            return KroneckerDelta(pick(scope), pick(scope)) * deeper()
        case "square":
            return deeper() ** 2
        case "exp":
            return exp(deeper())
        case "cases":
            a, b = pick(scope), pick(scope)
            condition = pick((Eq(a, b), Ne(a, b), a < b, a >= b, Eq(a, 1), a <= b + 1))
            return Cases(deeper(), condition, deeper(), sympy.true)
        case "inverse":
            return 1 / pick((positive, positive, deeper))()
        case "root":
            return sqrt(pick((positive, positive, lambda: deeper() ** 2))())
        case "log":
            return log(pick((positive, lambda: deeper() ** 2, lambda: positive() * positive()))())
        case "tanh":
            return pick((tanh, sympy.sin, sympy.cos, sympy.erf, sympy.cosh))(deeper())
        case "max":
            return Max(deeper(), deeper())
        case "abs":
            return pick(
                (
                    sympy.Abs,
                    sympy.sign,
                    lambda a: Cases(a, exact(a > 0), sympy.Integer(0), sympy.true),
                )
            )(deeper())
        case "power":
            return positive() ** pick((Rational(-1, 2), Rational(3, 2), Rational(1, 3), N, entry("a")))
        case "matrix" | "determinant":
            p, q, k = fresh("p"), fresh("q"), fresh("k")
            body = matrix(pick, lambda: term(pick, depth - 2, [p, q], POLYNOMIAL), p, q)
            if kind == "determinant":
                return Det(body, (p, q, N))
            beside = pick((substitute(body, {p: k, q: J}), entry("A", k, J), entry("x", k), deeper()))
            return Sum(Inv(body, (p, q, N), pick((I, J)), k) * beside, (k, 1, N))
        case "tensor":
            return entry("A", pick(scope), pick(scope)) * deeper()
        case "half":
            return Rational(pick((1, -3)), pick((2, 5))) * deeper()
        case _:
            return leaf(pick, scope)


def matrix(pick: Pick, deeper: Callable[[], Expr], p: Index, q: Index) -> Expr:
    """Return an entry of a random matrix, which has an inverse at almost all points."""
    m, a = fresh("m"), entry("A", p, q)
    gram = Sum(entry("A", m, p) * entry("A", m, q), (m, 1, N))
    identity = entry("e", positive=True) * KroneckerDelta(p, q)
    mixed = (deeper() + identity, deeper() * a)
    return pick((a, entry("A", q, p), 2 * a, gram, gram + identity, a + identity, *mixed))


def leaf(pick: Pick, scope: list[Index]) -> Expr:
    """Return an entry, a number or a size."""
    return pick(
        (
            lambda: entry("x", pick(scope)),
            lambda: entry("x", pick(scope)),
            lambda: entry("A", pick(scope), pick(scope)),
            lambda: entry("p", pick(scope), positive=True),
            lambda: entry("a"),
            lambda: entry("x", pick(scope) + 1),
            lambda: sympy.Integer(pick((1, 2, -1))),
            lambda: pick((N, pick(scope))),
        )
    )()


def disguised(t: Expr, pick: Pick) -> Expr:
    """Return the same term in another presentation: renamed, reordered, distributed, joined."""
    if not t.args or isinstance(t, sympy.Indexed | KroneckerDelta):
        return t
    if isinstance(t, Cases):
        return Cases(*(part for a, c in t.pairs for part in (disguised(a, pick), c)))
    if isinstance(t, Sum):
        (k, low, high), *others = t.limits
        if others:
            return t
        f = disguised(t.function, pick)
        other = fresh("m")
        f, k = substitute(f, {k: other}), other
        way = pick(("same", "split", "out", "swap", "cancel"))
        if way == "split" and isinstance(f, sympy.Add):
            return sympy.Add(*(Sum(a, (k, low, high)) for a in f.args))
        if way == "out" and isinstance(f, sympy.Mul):
            outside = [a for a in f.args if k not in a.free_symbols]
            inside = [a for a in f.args if k in a.free_symbols]
            return sympy.Mul(*outside) * Sum(sympy.Mul(*inside), (k, low, high))
        if (
            way == "swap"
            and isinstance(f, Sum)
            and k not in f.limits[0][2].free_symbols | f.limits[0][1].free_symbols
        ) and not (low.free_symbols | high.free_symbols) & {f.limits[0][0]}:
            return Sum(Sum(f.function, (k, low, high)), *f.limits)
        if way == "cancel":
            return Sum(f + entry("x", k) ** 2, (k, low, high)) - Sum(entry("x", k) ** 2, (k, low, high))
        return Sum(f, (k, low, high))
    parts = [disguised(a, pick) for a in t.args]
    if isinstance(t, sympy.Mul) and pick((True, False)):
        for place, a in enumerate(parts):
            if isinstance(a, sympy.Add):
                rest = sympy.Mul(*parts[:place], *parts[place + 1 :])
                return sympy.Add(*(b * rest for b in a.args))
    return t.func(*parts)

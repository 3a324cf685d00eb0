"""The claims in tensorgrad 0.3, which keeps sizes symbolic too, and its ways to decide them.

Both sides are built before the clock starts; a derivative there is lazy, so that deciding carries it out.
Tensors are compared with their edge names: without them a matrix equals its transpose.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import tensorgrad as tg
import tensorgrad.functions as F  # noqa: N812  as its own documents write it
from sympy import symbols
from tensorgrad.compiler.szfp import equal_szfp

Tensor = Any
Sides = tuple[Tensor, Tensor]

n, m, t, d, e, q, k, r = symbols("n m t d e q k r")


# -- its ways to decide an equation


def both_simplified(left: Tensor, right: Tensor) -> bool:
    """Simplify both sides wholly, and compare."""
    return bool(left.full_simplify().is_isomorphic(right.full_simplify(), match_edges=True))


def difference_simplified(left: Tensor, right: Tensor) -> bool:
    """Simplify the difference wholly, and look for zero."""
    return isinstance((left - right).full_simplify(), tg.Zero)


def difference_expanded(left: Tensor, right: Tensor) -> bool:
    """Expand the difference once."""
    return isinstance((left - right).simplify({"expand": True}), tg.Zero)


def difference_memoized(left: Tensor, right: Tensor) -> bool:
    """Expand the difference once, with its memory of subterms."""
    return isinstance((left - right).simplify({"expand": True, "memoize": True}), tg.Zero)


WAYS: tuple[Callable[[Tensor, Tensor], bool], ...] = (
    both_simplified,
    difference_simplified,
    difference_expanded,
    difference_memoized,
)


def sampled(left: Tensor, right: Tensor) -> bool:
    """Compare at random points and sizes from 2 to 5, modulo a prime: no proof."""
    return bool(equal_szfp(left.full_simplify(), right.full_simplify()))


# -- the claims


def softmax_jacobian(*, right: bool) -> Sides:
    """`diag(y) - y y^T`."""
    x = tg.Variable("x", i=n)
    y = F.softmax(x, dim="i")
    outer = y @ y.rename(i="j")
    return y.grad(x, {"i": "j"}), F.diag(y, ["i", "j"]) - outer if right else F.diag(y, ["i", "j"]) + outer


def _linear() -> tuple[Tensor, ...]:
    w, x = tg.Variable("W", t=t, i=n), tg.Variable("x", i=n)
    b, g = tg.Variable("b", t=t), tg.Variable("g", t=t)
    y = w @ x + b
    return w, x, b, g, y, g @ y


def linear_dx(*, right: bool) -> Sides:
    """`W^T g`."""
    w, x, _, g, y, loss = _linear()
    return loss.grad(x, {"i": "i"}), w @ (g if right else y)


def linear_dw(*, right: bool) -> Sides:
    """`g x^T`."""
    w, x, _, g, y, loss = _linear()
    return loss.grad(w, {"t": "t", "i": "i"}), (g if right else y) @ x


def linear_db(*, right: bool) -> Sides:
    """`g`."""
    _, _, b, g, y, loss = _linear()
    return loss.grad(b, {"t": "t"}), g if right else y


def cross_entropy(*, right: bool) -> Sides:
    """`p - y`."""
    x, y = tg.Variable("x", i=n), tg.Variable("y", i=n)
    y = y.with_eq_constraint(F.sum(y, ["i"]), 1)
    loss, p = F.cross_entropy(x, y, dim="i"), F.softmax(x, dim="i")
    return loss.grad(x, {"i": "i"}), p - y if right else y - p


def _normed(x: Tensor, g: Tensor, dim: str) -> tuple[Tensor, Tensor, Tensor]:
    """Return the loss, its gradient, and the gradient without the mean of g; epsilon is a scalar."""
    ones = tg.Ones(**{edge: size for edge, size in x.shape.items() if edge == dim})
    others = tg.Ones(**{edge: size for edge, size in x.shape.items() if edge != dim})
    centred = x - F.mean(x, dim) @ ones
    scale = F.sqrt(F.mean(centred * centred, dim) + tg.Variable("eps") @ others)
    h = centred / scale
    along = h * F.mean(g * h, dim)
    return g @ h, (g - F.mean(g, dim) @ ones - along) / scale, (g - along) / scale


def layer_norm(*, right: bool) -> Sides:
    """`(g - mean g - h mean(g h)) / sigma`."""
    x, g = tg.Variable("x", i=n), tg.Variable("g", i=n)
    loss, dx, wrong = _normed(x, g, "i")
    return loss.grad(x, {"i": "i"}), dx if right else wrong


def batch_norm(*, right: bool) -> Sides:
    """The same over the rows of a matrix."""
    x, g = tg.Variable("x", b=r, i=n), tg.Variable("g", b=r, i=n)
    loss, dx, wrong = _normed(x, g, "b")
    return loss.grad(x, {"b": "b", "i": "i"}), dx if right else wrong


def _attention(*, right: bool) -> tuple[Tensor, ...]:
    query, key = tg.Variable("Q", q=q, d=d), tg.Variable("K", k=k, d=d)
    value, g, c = tg.Variable("V", k=k, e=e), tg.Variable("G", q=q, e=e), tg.Variable("c")
    p = F.softmax(c @ (query @ key), dim="k")
    out, by_p = p @ value, g @ value
    by_s = p * (by_p - F.sum(by_p * p, "k", keepdims=True)) if right else p * by_p
    return query, key, value, g, c, p, out, by_s, g @ out


def attention_dq(*, right: bool) -> Sides:
    """`c H K`."""
    query, key, _, _, c, _, _, by_s, loss = _attention(right=right)
    return loss.grad(query, {"q": "q", "d": "d"}), c @ (by_s @ key)


def attention_dk(*, right: bool) -> Sides:
    """`c H^T Q`."""
    query, key, _, _, c, _, _, by_s, loss = _attention(right=right)
    return loss.grad(key, {"k": "k", "d": "d"}), c @ (by_s @ query)


def attention_dv(*, right: bool) -> Sides:
    """`P^T G`."""
    _, _, value, g, _, p, out, _, loss = _attention(right=True)
    return loss.grad(value, {"k": "k", "e": "e"}), p @ (g if right else out)


def least_squares(*, right: bool) -> Sides:
    """`2 X^T (X w - y)`."""
    x, w, y = tg.Variable("X", m=m, i=n), tg.Variable("w", i=n), tg.Variable("y", m=m)
    z = x @ w - y
    return (z @ z).grad(w, {"i": "i"}), 2 * (x @ (z if right else x @ w + y))


def trace(*, right: bool) -> Sides:
    """`(B A)^T`."""
    a, x, b = tg.Variable("A", a=n, i=n), tg.Variable("X", i=n, j=n), tg.Variable("B", j=n, a=n)
    product = a @ b
    return (a @ x @ b).grad(x, {"i": "i", "j": "j"}), product if right else product.rename(i="j", j="i")


def log_determinant(*, right: bool) -> Sides:
    """`X^-T`; an edge of its inverse bears the name of the edge of X that it is contracted with."""
    x = tg.Variable("X", i=n, j=n)
    inverse = F.inverse(x)
    by_x = F.log(F.det(x)).grad(x, {"i": "i", "j": "j"})
    return by_x, inverse if right else inverse.rename(i="j", j="i")


def log_sum_exp(*, right: bool) -> Sides:
    """`diag(p) - p p^T`."""
    x = tg.Variable("x", i=n)
    p = F.softmax(x, dim="i")
    outer = p @ p.rename(i="j")
    hessian = F.log(F.sum(F.exp(x))).grad(x, {"i": "i"}).grad(x, {"i": "j"})
    return hessian, F.diag(p, ["i", "j"]) - outer if right else F.diag(p, ["i", "j"]) + outer


CLAIMS: dict[str, Callable[..., Sides]] = {
    "softmax Jacobian": softmax_jacobian,
    "linear, dx": linear_dx,
    "linear, dW": linear_dw,
    "linear, db": linear_db,
    "cross-entropy, Σ y = 1": cross_entropy,
    "layer norm, dx": layer_norm,
    "attention, dQ": attention_dq,
    "attention, dK": attention_dk,
    "attention, dV": attention_dv,
    "least squares, dw": least_squares,
    "tr(A X B), dX": trace,
    "log det X, dX": log_determinant,
    "batch norm, dx": batch_norm,
    "log-sum-exp, Hessian": log_sum_exp,
}


# -- identities


def identities() -> dict[str, Sides]:
    """Return the sides of each identity."""
    x, c = tg.Variable("x", i=n), tg.Variable("c")
    z, y, a, b = (tg.Variable(name) for name in ("z", "y", "a", "b"))
    gaps = F.exp(x - x.rename(i="j"))
    sigma = F.sigmoid(z)
    rises, falls = F.exp(z), F.exp(-1 * z)
    stable = F.relu(z) - z * y + F.log(1 + F.exp(-1 * F.abs(z)))
    square = tg.Variable("X", i=n, j=n)
    return {
        "softmax(x + c) = softmax(x)": (F.softmax(x + c @ tg.Ones(i=n), dim="i"), F.softmax(x, dim="i")),
        "softmax(x)_j = 1/Σ_k exp(x_k - x_j)": (
            F.softmax(x, dim="i").rename(i="j"),
            F.pow(F.sum(gaps, "i"), -1),
        ),
        "x_j - log Σ exp = log softmax": (F.log_softmax(x, dim="i"), F.log(F.softmax(x, dim="i"))),
        "binary cross-entropy, stable form": (
            -1 * (y * F.log(sigma)) - (1 - y) * F.log(1 - sigma),
            stable,
        ),
        "exp(2z) = exp(z)^2": (F.exp(2 * z), F.pow(rises, 2)),
        "exp(z) exp(-z) = 1": (rises * falls, tg.Product([])),
        "log(ab) = log a + log b, a, b > 0": (F.log(a * b), F.log(a) + F.log(b)),
        "σ(z) = 1 - σ(-z)": (sigma, 1 - F.sigmoid(-1 * z)),
        "tanh z = (e^z - e^-z)/(e^z + e^-z)": (F.tanh(z), (rises - falls) / (rises + falls)),
        "tanh z = 2 σ(2z) - 1": (F.tanh(z), 2 * F.sigmoid(2 * z) - 1),
        "σ' = σ(1 - σ)": (sigma.grad(z), sigma * (1 - sigma)),
        "X X^-1 = I": (F.dot(square, F.inverse(square).rename(i="k"), dim="j"), tg.Delta(n, "i", "k")),
    }


def vanishing() -> Sides:
    """`x` and `x + (n-2)(n-3)(n-4)(n-5) x`."""
    x = tg.Variable("x", i=n)
    return x, tg.Sum([x, x], [1, (n - 2) * (n - 3) * (n - 4) * (n - 5)])

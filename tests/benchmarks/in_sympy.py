"""Three claims in plain SymPy: explicit matrices at one size, differentiated entry by entry, then `simplify`.

`python in_sympy.py CLAIM SIZE right|wrong` prints the seconds, its import left out, and its answer.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import Any

from sympy import Matrix, diag, exp, simplify, sqrt, symbols, zeros  # noqa: TID251  SymPy as people use it

Terms = Any


def softmax_jacobian(n: int, *, right: bool) -> Terms:
    """Return `dy/dx - (diag(y) - y y^T)`."""
    x = Matrix(symbols(f"x1:{n + 1}", real=True))
    y = x.applyfunc(exp) / sum(exp(one) for one in x)
    return y.jacobian(x) - (diag(*y) - y * y.T if right else diag(*y) + y * y.T)


def layer_norm(n: int, *, right: bool) -> Terms:
    """Return `dL/dx - (g - mean g - h mean(g h)) / sigma`."""
    x, g = Matrix(symbols(f"x1:{n + 1}", real=True)), Matrix(symbols(f"g1:{n + 1}", real=True))
    epsilon = symbols("epsilon", positive=True)
    centred = x.applyfunc(lambda one: one - sum(x) / n)
    sigma = sqrt(sum(one**2 for one in centred) / n + epsilon)
    h = centred / sigma
    dx = g - h * (g.dot(h) / n)
    if right:
        dx = dx.applyfunc(lambda one: one - sum(g) / n)
    return Matrix([g.dot(h)]).jacobian(x).T - dx / sigma


def attention(n: int, *, right: bool) -> Terms:
    """Return `dL/dQ - c H K`, all matrices n by n."""
    query, key, value, g = (
        Matrix(n, n, symbols(f"{name}1:{n * n + 1}", real=True)) for name in ("q", "k", "v", "g")
    )
    c = symbols("c", real=True)
    powers = (c * query * key.T).applyfunc(exp)
    p = Matrix(n, n, lambda i, j: powers[i, j] / sum(powers[i, :]))
    loss = (p * value).multiply_elementwise(g)
    by_p = g * value.T
    along = by_p.multiply_elementwise(p)
    by_s = p.multiply_elementwise(Matrix(n, n, lambda i, j: by_p[i, j] - int(right) * sum(along[i, :])))
    by_q = Matrix(n, n, lambda i, j: sum(loss).diff(query[i, j]))
    return by_q - c * by_s * key


CLAIMS: dict[str, Callable[..., Terms]] = {
    "softmax Jacobian": softmax_jacobian,
    "layer norm, dx": layer_norm,
    "attention, dQ": attention,
}


def main() -> None:
    """Decide one claim."""
    name, size, twin = sys.argv[1:]
    started = time.perf_counter()
    left = simplify(CLAIMS[name](int(size), right=twin == "right"))
    print(time.perf_counter() - started, left == zeros(*left.shape))


if __name__ == "__main__":
    main()

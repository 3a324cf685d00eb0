"""Softmax's Jacobian: symderiv for every size, beside plain SymPy at a few sizes, in one run.

`python tests/benchmarks/bench_softmax.py` prints a table; the ratios are of figures measured in this run.
SymPy does at each size what a person would: `Matrix.jacobian` of the explicit softmax, and `simplify` of its
difference to `beta (diag(y) - y y^T)`. It runs in a child process, which is given up after `LIMIT` seconds.
"""

from __future__ import annotations

import os
import platform
import statistics
import subprocess
import sys
import time
from pathlib import Path

SIZES = (2, 4, 8, 16)
LIMIT = 120.0
ROUNDS = 50
ROOT = Path(__file__).resolve().parents[2]

PAGE = r"""# Softmax

Let $x \in \mathbb{R}^N$ and $\beta \in \mathbb{R}$.

$$y_j = \frac{e^{\beta x_j}}{\sum_{k=1}^{N} e^{\beta x_k}}$$

$$\frac{\partial y_j}{\partial x_i} = \beta y_i (\delta_{ij} - y_j)$$

$$\frac{\partial y}{\partial x} = \beta \left( \mathrm{diag}(y) - y y^\top \right)$$
"""

SYMPY = """
import time
from sympy import Matrix, diag, exp, simplify, symbols

n = {n}
beta = symbols("beta", real=True)
x = symbols(f"x1:{{n + 1}}", real=True)
started = time.perf_counter()
total = sum(exp(beta * s) for s in x)
y = Matrix([exp(beta * s) / total for s in x])
difference = y.jacobian(Matrix(x)) - beta * (diag(*y) - y * y.T)
left = simplify(difference)
seconds = time.perf_counter() - started
print(seconds, left == Matrix.zeros(n, n))
"""


def ours() -> dict[str, float]:
    """Return the warm median in seconds of the kernel's proof and of the whole judgement of a step."""
    from symderiv.judge.check import open_page
    from symderiv.kernel.equality import Proved, prove
    from symderiv.meaning import Compared, compare
    from symderiv.meaning.model import Tensor

    page = open_page("softmax.md", PAGE).page
    claim = [each for each in page.statements if each.kind == "claim"][-1]
    assert claim.chain is not None
    assert claim.member is not None
    chain = page.chains[claim.chain]
    left, right = chain.members[claim.member - 1], chain.members[claim.member]
    assert isinstance(left.value, Tensor)
    assert isinstance(right.value, Tensor)
    compared = compare(claim, chain, left.value, right.value, right)
    assert isinstance(compared, Compared)

    def proof() -> None:
        assert isinstance(prove(compared.goal), Proved)

    def judgement() -> None:
        session = open_page("softmax.md", PAGE)
        step = len(session.page.statements) - 1
        assert session.judge(step, [None] * step)["verdict"] == "proved"

    proof_once = timed(proof)
    return {
        "first": proof_once,
        "proof": statistics.median(timed(proof) for _ in range(ROUNDS)),
        "page": statistics.median(timed(judgement) for _ in range(ROUNDS // 5)),
    }


def timed(act: object) -> float:
    """Return how many seconds a call takes."""
    assert callable(act)
    started = time.perf_counter()
    act()
    return time.perf_counter() - started


def sympy_at(n: int) -> float | None:
    """Return SymPy's seconds at one size, its import left out; None where it was given up."""
    try:
        done = subprocess.run(
            [sys.executable, "-c", SYMPY.format(n=n)],
            capture_output=True,
            text=True,
            timeout=LIMIT,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return None
    if done.returncode != 0:
        print(f"  SymPy at n = {n} ended with an error: {done.stderr.strip().splitlines()[-1][:100]}")
        return None
    seconds, zero = done.stdout.split()
    if zero != "True":
        print(f"  SymPy at n = {n} did not reduce the difference to zero")
    return float(seconds)


def main() -> None:
    """Measure both, and print the table."""
    import sympy

    own = ours()
    print(f"Python {platform.python_version()}, SymPy {sympy.__version__}, {os.cpu_count()} processors")
    print("claim: dy/dx = beta (diag(y) - y y^T), y the softmax of x\n")
    print(f"{'':34}{'seconds':>10}{'ratio':>10}")
    print(f"{'symderiv, every n: proof':34}{own['proof']:>10.4f}{1:>10}")
    print(f"{'  the first proof of the process':34}{own['first']:>10.4f}{own['first'] / own['proof']:>10.1f}")
    print(f"{'  read, proved and cross-checked':34}{own['page']:>10.4f}{own['page'] / own['proof']:>10.1f}")
    for n in SIZES:
        seconds = sympy_at(n)
        label = f"SymPy, n = {n}: jacobian, simplify"
        if seconds is None:
            print(
                f"{label:34}{'> ' + format(LIMIT, '.0f'):>10}{'> ' + format(LIMIT / own['proof'], '.0f'):>10}"
            )
        else:
            print(f"{label:34}{seconds:>10.4f}{seconds / own['proof']:>10.0f}", flush=True)


if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))
    main()

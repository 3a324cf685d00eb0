"""What `show` prints: a page of the library is opened once for all tests of a run; printed code is run."""

from __future__ import annotations

import ast
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

from pages import DERIVATIONS

from symderiv.report.show import Opened, opened, written

LIBRARY = sorted(DERIVATIONS.rglob("*.md"))


def named(stem: str) -> Path:
    """Return the page of the library with this name."""
    (file,) = [each for each in LIBRARY if each.stem == stem]
    return file


@cache
def _opened(file: Path) -> Opened:
    return opened(str(file), file.read_text(encoding="utf-8"))


@cache
def shown(file: Path, form: str) -> str:
    """Return what is shown of a page of the library."""
    return written(_opened(file), form)


def function_in(source: str) -> ast.FunctionDef:
    """Return the one function of a printed text."""
    (found,) = (node for node in ast.parse(source).body if isinstance(node, ast.FunctionDef))
    return found


def run(source: str) -> Callable[..., dict[str, Any]]:
    """Return the function that a printed text makes, run as it stands."""
    scope: dict[str, Any] = {}
    exec(source, scope)  # noqa: S102 - running it as printed is the test
    made: Callable[..., dict[str, Any]] = scope[function_in(source).name]
    return made


LAYER = r"""# A layer

Let $x \in \mathbb{R}^N$, $W \in \mathbb{R}^{T \times N}$, $b \in \mathbb{R}^T$ and $t \in \mathbb{R}^T$.

$$y_i = \sum_{j=1}^N W_{ij} x_j + b_i$$

$$\ell = \frac{1}{2} \sum_{i=1}^T (y_i - t_i)^2$$

$$s_i = \frac{1}{1 + e^{-y_i}}$$

$$\frac{\partial \ell}{\partial W} = ?$$

$$\frac{\partial \ell}{\partial x} = ?$$

$$\frac{\partial s_i}{\partial b_j} = ?$$

$$\frac{\partial y_k}{\partial W_{ij}} = ?$$
"""

KINKS = r"""# Kinks

Let $x \in \mathbb{R}^N$, and let $a > 0$ be a slope.

$$y_i = \begin{cases} x_i & \text{if } x_i > 0 , \\ a x_i & \text{if } x_i \leq 0 \end{cases}$$

$$m_i = \mathbf{1}[x_i > 0]$$

$$\frac{\partial y}{\partial x} = ?$$

$$u_i = \begin{cases} x_i^2 & \text{if } x_i > 1 , \\ 0 & \text{if } x_i < 0 \end{cases}$$
"""

HOSTILE = r'''# """ + __import__("os").system("echo owned") + """ \input{/etc/passwd} [red]x[/red]

Let $x \in \mathbb{R}^n$.

$$\text{__import__('os').system('id')}_i = 2 x_i$$

$$\operatorname{lambda}_i = 3 x_i$$

$$\mathrm{np}_i = x_i^2$$

$$y_{\text{"""}} = \sum_{i=1}^n x_i$$

$$\frac{\partial \mathrm{np}_i}{\partial x_j} = ?$$
'''

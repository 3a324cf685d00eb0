"""`show --numpy`: what is printed is run as it stands.

The forward pass is held against loops written here, derivatives against central differences; every page of
the library is in `test_numpy_pages`.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from differences import differences
from shown import HOSTILE, KINKS, LAYER, LIBRARY, named, run, shown

from symderiv.report.numpy_layout import assigned
from symderiv.report.numpy_names import identifier
from symderiv.report.show import show


def _along(f: Callable[..., Any], name: str) -> Callable[[np.ndarray], Any]:
    """Return `f` as a function of one of its arguments."""

    def moved(value: np.ndarray) -> Any:
        return f(**{name: value})

    return moved


def _entry(
    f: Callable[..., dict[str, Any]], point: dict[str, np.ndarray], name: str, **changed: np.ndarray
) -> Any:
    """Return one result of a printed function."""
    return f(**point | changed)[name]


def close(expected: Any, actual: Any) -> None:
    """Compare shapes and values."""
    assert np.shape(expected) == np.shape(actual)
    np.testing.assert_allclose(actual, expected, rtol=1e-6, atol=1e-7)


SIZES = [(1, 1, 1), (2, 3, 4), (4, 2, 3)]


@pytest.mark.parametrize(("t", "n", "m"), SIZES)
def test_numpy_of_linear(t: int, n: int, m: int) -> None:
    """The gradients are those of `g · y` and `G · Y`, by central differences through loops."""
    function = run(shown(named("linear"), "numpy"))
    rng = np.random.default_rng(7)
    point = {
        "W": rng.normal(size=(t, n)),
        "x": rng.normal(size=n),
        "b": rng.normal(size=t),
        "X": rng.normal(size=(m, n)),
    }
    g, big = rng.normal(size=t), rng.normal(size=(m, t))
    out = function(**point, dL_dy=g, dL_dY=big)

    def forward(**changed: np.ndarray) -> np.ndarray:
        p = point | changed
        return np.array([sum(p["W"][i, j] * p["x"][j] for j in range(n)) + p["b"][i] for i in range(t)])

    def batch(**changed: np.ndarray) -> np.ndarray:
        p = point | changed
        return np.array(
            [
                [sum(p["X"][k, j] * p["W"][i, j] for j in range(n)) + p["b"][i] for i in range(t)]
                for k in range(m)
            ]
        )

    close(forward(), out["y"])
    close(batch(), out["Y"])
    for name in ("W", "b", "x"):
        jacobian = differences(_along(forward, name), point[name])
        close(jacobian, out[f"dy_d{name}"])
        close(np.tensordot(g, jacobian, axes=1), out[f"dL_d{name}"])
    for name, key in (("W", "dL_dW_2"), ("b", "dL_db_2"), ("X", "dL_dX")):
        jacobian = differences(_along(batch, name), point[name])
        close(np.tensordot(big, jacobian, axes=2), out[key])


@pytest.mark.parametrize("n", [1, 3, 5])
def test_numpy_of_softmax(n: int) -> None:
    """The Jacobian, the product with a gradient, and the derivative by the inverse temperature."""
    function = run(shown(named("softmax"), "numpy"))
    rng = np.random.default_rng(8)
    x, g, beta = rng.normal(size=n), rng.normal(size=n), np.asarray(0.7)
    out = function(x=x, beta=float(beta), dL_dy=g)

    def forward(x: np.ndarray, beta: np.ndarray) -> np.ndarray:
        powers = [float(np.exp(beta * each)) for each in x]
        return np.array([power / sum(powers) for power in powers])

    jacobian = differences(lambda value: forward(value, beta), x)
    close(forward(x, beta), out["y"])
    close(jacobian, out["dy_dx"])
    close(g @ jacobian, out["dL_dx"])
    close(differences(lambda value: forward(x, value), beta), out["dy_dbeta"])


@pytest.mark.parametrize(("t", "n"), [(1, 1), (2, 3), (4, 2)])
def test_numpy_of_a_page_of_ones_own(t: int, n: int) -> None:
    """Derivatives in folded form agree with differences of the printed forward pass."""
    function = run(show("layer.md", LAYER, "numpy"))
    rng = np.random.default_rng(9)
    point = {
        "W": rng.normal(size=(t, n)),
        "x": rng.normal(size=n),
        "b": rng.normal(size=t),
        "t": rng.normal(size=t),
    }
    out = function(**point)
    for result, name in (("ell", "W"), ("ell", "x"), ("s", "b"), ("y", "W")):
        expected = differences(_along(partial(_entry, function, point, result), name), point[name])
        close(expected, out[f"d{result}_d{name}"])


@pytest.mark.parametrize("file", LIBRARY, ids=lambda file: file.stem)
def test_numpy_is_whole_and_has_no_loop(file: Path) -> None:
    """`einsum` and broadcasting only; no line is too long, and every derivative has its lines."""
    text = shown(file, "numpy")
    assert max(len(line) for line in text.splitlines()) <= 100
    assert "left out" not in text
    tree = ast.parse(text)
    loops = ast.For | ast.While | ast.ListComp | ast.GeneratorExp | ast.DictComp | ast.SetComp
    assert not [node for node in ast.walk(tree) if isinstance(node, loops)]


def test_numpy_of_cases_and_indicators() -> None:
    """Nothing where no case holds; the derivative is that of the branch that holds."""
    function = run(show("kinks.md", KINKS, "numpy"))
    x = np.array([-2.0, -0.5, 0.0, 0.5, 3.0])
    out = function(x=x, a=0.1)
    close(np.array([-0.2, -0.05, 0.0, 0.5, 3.0]), out["y"])
    close(np.array([0, 0, 0, 1, 1]), out["m"])
    close(np.diag([0.1, 0.1, 0.1, 1.0, 1.0]), out["dy_dx"])
    assert np.array_equal(np.isnan(out["u"]), [False, False, True, True, False])
    close(np.array([0.0, 9.0]), out["u"][[0, 4]])


SHIFTED = r"""# Shifted

Let $x, y \in \mathbb{R}^N$ and $w \in \mathbb{R}^K$.

$$y_i = \sum_{k=1}^K w_k x_{i + k - 1} \mathbf{1}[i + k - 1 \le N]$$

$$d_j = \sum_{i=1}^{N-1} w_j (x_{i+1} - x_i)$$

$$z_i = \sum_{k=1}^K w_k x_{i + k}$$
"""


@pytest.mark.parametrize(("n", "k"), [(1, 1), (4, 2), (3, 5)])
def test_a_computed_place_lies_inside_or_counts_for_nothing(n: int, k: int) -> None:
    """By its range, or by the indicator beside it; a place that may lie outside is left out, and why."""
    source = show("shifted.md", SHIFTED, "numpy")
    assert "# z is left out: an index of x may lie outside of it" in source
    rng = np.random.default_rng(3)
    x, w = rng.normal(size=n), rng.normal(size=k)
    out = run(source)(x=x, w=w)
    close([sum(w[j] * x[i + j] for j in range(k) if i + j < n) for i in range(n)], out["y"])
    close([w[j] * sum(x[i + 1] - x[i] for i in range(n - 1)) for j in range(k)], out["d"])


@pytest.mark.parametrize(
    "code",
    [
        'np.einsum("ij,jk->ik", ' + ", ".join(f"np.exp(a{n})" for n in range(20)) + ") + b[:, None]",
        " + ".join(f"(a{n} - b{n}) * c" for n in range(20)),
        "np.where((" + " & ".join(f"(a{n} < b)" for n in range(20)) + "), 1, 0) / np.sum(x ** 2)",
        "-" + "a" * 90 + " / np.sqrt(b)",
    ],
)
def test_a_long_line_is_broken_and_means_the_same(code: str) -> None:
    """The same syntax tree, over lines that fit."""
    lines = assigned("value", code)
    assert max(len(line) for line in lines) <= 96
    assert ast.dump(ast.parse("\n".join(lines))) == ast.dump(ast.parse(f"value = {code}"))


def test_hostile_names_are_harmless() -> None:
    """Identifiers are made of a safe alphabet, and nothing of the page is run."""
    source = show("evil'; import os #.md", HOSTILE, "numpy")
    allowed = {"np", "math"}
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call):
            called = node.func
            assert isinstance(called, ast.Attribute)
            while isinstance(called, ast.Attribute):
                called = called.value
            assert not isinstance(called, ast.Name) or called.id in allowed or called.id.isidentifier()
        if isinstance(node, ast.Import | ast.ImportFrom):
            assert all(each.name in ("numpy", "math") for each in node.names)
        if isinstance(node, ast.Name):
            assert re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", node.id)
    assert "__import__" not in source


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        (r"\beta", "beta"),
        (r"\hat{y}", "y_hat"),
        ("W^{(2)}", "W2"),
        ("x_{new}", "x_new"),
        (r"\mathbf{h}", "h"),
        ("y~2", "y"),
        ("y'", "y_prime"),
        ('a"; import os\n', "a_import_os"),
        ("", "v"),
        ("2", "v2"),
        ("βeta", "betaeta"),
    ],
)
def test_identifiers(name: str, expected: str) -> None:
    """Names become plain identifiers."""
    assert expected == identifier(name)
    assert expected.isidentifier()


def test_a_page_without_mathematics() -> None:
    """A function of nothing, that returns nothing."""
    assert run(show("empty.md", "# Nothing\n", "numpy"))() == {}

"""`show`: what a page establishes, derived by the kernel, and printed so that it can be read, pasted and run.

The LaTeX is put back into the page and every row of it proved again; the NumPy is run as printed, its forward
pass against loops written here, its derivatives against central differences of that forward pass.
"""

from __future__ import annotations

import ast
import json
import re
import subprocess
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from differences import differences

from symderiv.judge.check import Session, open_page
from symderiv.latex import parse
from symderiv.meaning.model import Tensor
from symderiv.meaning.notation import derived_latex
from symderiv.report.numpy_code import identifier
from symderiv.report.show import show

ROOT = Path(__file__).parent.parent
LIBRARY = sorted((ROOT / "derivations").rglob("*.md"))
SOFTMAX = (ROOT / "derivations" / "softmax" / "softmax.md").read_text(encoding="utf-8")
LINEAR = (ROOT / "derivations" / "linear-algebra" / "linear.md").read_text(encoding="utf-8")

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


EXPECTED = """\
A layer

  x ∈ ℝ^N, W ∈ ℝ^(T×N), b ∈ ℝ^T, t ∈ ℝ^T, y ∈ ℝ^T, ℓ ∈ ℝ, s ∈ ℝ^T

  yᵢ = ∑ⱼ Wᵢⱼ xⱼ + bᵢ
  y  = W x + b

  ℓ = 1/2 · ∑ᵢ (yᵢ − tᵢ)²
  ℓ = (1/2) (y − t)ᵀ (y − t)

  sᵢ = 1 / (1 + e^(−yᵢ))

  ∂ℓ/∂Wᵢⱼ = (yᵢ − tᵢ) xⱼ
  ∂ℓ/∂W   = (y − t) xᵀ

  ∂ℓ/∂xᵢ = ∑ⱼ Wⱼᵢ (yⱼ − tⱼ)
  ∂ℓ/∂x  = Wᵀ (y − t)

  ∂sᵢ/∂bⱼ = δᵢⱼ sᵢ (1 − sᵢ)
  ∂s/∂b   = diag(s ⊙ (𝟏 − s))

  ∂yₖ/∂Wᵢⱼ = δᵢₖ xⱼ"""
"""What `show` prints for it."""


def test_unicode_of_a_page() -> None:
    """Definitions as written; the squared error's gradients hold `y − t`, the sigmoid's `s (1 − s)`.

    Each right side follows by hand: `∂ℓ/∂y = y − t`, `∂y_i/∂W_kj = δ_ik x_j`, `s' = s (1 − s)`.
    """
    assert show("layer.md", LAYER, "unicode") == EXPECTED


@pytest.mark.parametrize("file", LIBRARY, ids=lambda file: file.stem)
def test_unicode_fits_a_terminal(file: Path) -> None:
    """No line is wider than 80 columns, and no LaTeX or internal name is left in it."""
    text = show(str(file), file.read_text(encoding="utf-8"), "unicode")
    for line in text.splitlines():
        assert len(line) <= 80
        assert not re.search(r"[\\#~{}@]", line)


def test_softmax_reads_as_in_a_book() -> None:
    """The Jacobian and the product with a gradient are written in `y`, not in exponentials."""
    text = show("softmax.md", SOFTMAX, "unicode")
    assert "∂yⱼ/∂xᵢ = β yᵢ (δᵢⱼ − yⱼ)" in text
    assert "∂y/∂x   = β (diag(y) − y yᵀ)" in text
    assert "∂L/∂xᵢ = β yᵢ (gᵢ − ∑ⱼ gⱼ yⱼ)" in text


def test_linear_reads_as_in_a_book() -> None:
    """The three gradients in matrix form, for one input and for a batch."""
    text = show(
        "linear.md",
        LINEAR,
        "unicode",
    )
    for line in ["(∂L/∂y) xᵀ", "= Wᵀ ∂L/∂y", "= X Wᵀ + 𝟏 bᵀ", "= (∂L/∂Y)ᵀ X", "= (∂L/∂Y)ᵀ 𝟏", "= (∂L/∂Y) W"]:
        assert f"{line}\n" in text + "\n"


BACKWARD = r"""# Two layers

Let $x \in \mathbb{R}^N$, $W \in \mathbb{R}^{M \times N}$, $V \in \mathbb{R}^{T \times M}$ and
$L : \mathbb{R}^T \to \mathbb{R}$.

$$a = W x, \qquad b_i = a_i^2, \qquad y = V b$$

Write $dy = \partial L / \partial y$, $db = \partial L / \partial b$ and $da = \partial L / \partial a$.

$$\frac{\partial L}{\partial W} = ?$$

$$\frac{\partial L}{\partial x} = ?$$
"""


def test_gradients_are_written_by_the_next_one() -> None:
    """Each gradient takes the one nearer to the loss."""
    text = show("two.md", BACKWARD, "unicode")
    for line in ["db  = Vᵀ dy", "daᵢ = 2 aᵢ dbᵢ", "∂L/∂W   = da xᵀ", "∂L/∂x  = Wᵀ da"]:
        assert f"  {line}\n" in text + "\n"


def test_a_gradient_with_another_way_to_the_loss() -> None:
    """Where the loss has x by a second way, the gradient on the first is not all of it."""
    text = show(
        "two.md",
        BACKWARD.replace("y = V b", "y = V b + V a"),
        "unicode",
    )
    assert "db  = Vᵀ dy\n" in text
    assert "daᵢ = 2 aᵢ dbᵢ\n" not in text
    assert "∂L/∂W   = da xᵀ\n" in text


def test_a_form_that_leaves_a_slope_to_be_derived_is_not_taken() -> None:
    """`2 x ∂L/∂a` is shorter than `2 x b g`, and not what a backward pass can start from."""
    page = r"""# P

Let $x, b \in \mathbb{R}$ and $L : \mathbb{R} \to \mathbb{R}$.

$$a = x^2, \qquad y = a b$$

$$g = \frac{\partial L}{\partial y}$$

$$\frac{\partial L}{\partial x} = 2 x \frac{\partial L}{\partial a}$$
"""
    assert "∂L/∂a" not in show("page.md", page, "unicode")


def test_sums_that_are_a_number_are_written_as_it() -> None:
    """What is centred adds up to nothing: `∂v/∂x_i = (2/n) (c_i − Σ_k c_k / n) = (2/n) c_i`."""
    page = r"""# Variance

Let $x \in \mathbb{R}^n$.

$$c_i = x_i - \frac{1}{n} \sum_{k=1}^n x_k$$

$$v = \frac{1}{n} \sum_{i=1}^n c_i^2$$

$$\frac{\partial v}{\partial x_i} = ?$$
"""
    assert "∂v/∂xᵢ = 2 cᵢ / n\n" in show("variance.md", page, "unicode")


# ---------------------------------------------------------------------- LaTeX


def rows(fragment: str) -> list[str]:
    """Return the equations of a fragment."""
    blocks = re.findall(r"\\begin\{align\*\}\n(.*?)\n\\end\{align\*\}", fragment, re.DOTALL)
    return [row.strip().replace("&", "") for block in blocks for row in block.split("\\\\[4pt]\n")]


@pytest.mark.parametrize("file", LIBRARY, ids=lambda file: file.stem)
def test_latex_is_balanced_and_read_again(file: Path) -> None:
    """Braces, brackets and environments close, and symderiv's own parser reads each row."""
    fragment = show(str(file), file.read_text(encoding="utf-8"), "latex")
    assert fragment.count("{") == fragment.count("}")
    assert fragment.count("\\left") == fragment.count("\\right")
    assert fragment.count("\\begin{") == fragment.count("\\end{")
    assert rows(fragment)
    for row in rows(fragment):
        parse(row)


def verdicts(session: Session) -> Iterator[tuple[str, str]]:
    """Yield each claim with its outcome."""
    earlier: list[str | None] = []
    for step, statement in enumerate(session.page.statements):
        outcome = (
            session.decide(step, earlier).verdict.outcome if statement.kind in ("claim", "question") else None
        )
        earlier.append(outcome)
        if statement.kind == "claim":
            yield statement.latex, str(outcome)


def test_latex_is_proved_in_the_page_that_it_came_from() -> None:
    """Pasted under the page, every row is a claim, and every claim is proved."""
    found = rows(show("layer.md", LAYER, "latex"))
    page = LAYER + "".join(f"\n$${row}$$\n" for row in found)
    outcomes = list(verdicts(open_page("layer.md", page)))
    assert len(found) == len(outcomes)
    assert [] == [claim for claim, outcome in outcomes if outcome != "proved"]


@pytest.mark.skipif(not Path("/usr/bin/pdflatex").exists(), reason="no LaTeX here")
@pytest.mark.parametrize("file", LIBRARY, ids=lambda file: file.stem)
def test_latex_compiles(file: Path, tmp_path: Path) -> None:
    """With amsmath alone."""
    fragment = show(str(file), file.read_text(encoding="utf-8"), "latex")
    head = "\\documentclass{article}\\usepackage{amsmath}\\begin{document}"
    text = f"{head}\n{fragment}\n\\end{{document}}\n"
    (tmp_path / "page.tex").write_text(text, encoding="utf-8")
    command = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "-no-shell-escape", "page.tex"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, check=False)
    assert done.returncode == 0, done.stdout[-2000:]


def test_a_question_is_answered() -> None:
    """In matrix form where there is one, else by entry."""
    page = open_page("layer.md", LAYER).page
    answers = []
    for statement in page.statements:
        if statement.kind == "question":
            assert statement.chain is not None
            assert statement.context is not None
            value = page.chains[statement.chain].members[0].value
            assert isinstance(value, Tensor)
            answers.append(derived_latex(value, statement.context))
    assert answers == [
        r"(y - t) x^{\top}",
        r"W^{\top} (y - t)",
        r"\delta_{ij} s_i (1 - s_i)",
        r"\delta_{ik} x_j",
    ]


# ---------------------------------------------------------------------- NumPy


def printed(path: str, text: str) -> Callable[..., dict[str, Any]]:
    """Return the function that `--numpy` prints, made by running the text as it stands."""
    source = show(path, text, "numpy")
    (name,) = (node.name for node in ast.parse(source).body if isinstance(node, ast.FunctionDef))
    scope: dict[str, Any] = {}
    exec(source, scope)  # noqa: S102 - running it as printed is the test
    made: Callable[..., dict[str, Any]] = scope[name]
    return made


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
    function = printed("linear.md", LINEAR)
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
    function = printed("softmax.md", SOFTMAX)
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
    function = printed("layer.md", LAYER)
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
def test_numpy_has_no_loop(file: Path) -> None:
    """`einsum` and broadcasting only."""
    tree = ast.parse(show(str(file), file.read_text(encoding="utf-8"), "numpy"))
    loops = ast.For | ast.While | ast.ListComp | ast.GeneratorExp | ast.DictComp | ast.SetComp
    assert not [node for node in ast.walk(tree) if isinstance(node, loops)]


KINKS = r"""# Kinks

Let $x \in \mathbb{R}^N$, and let $a > 0$ be a slope.

$$y_i = \begin{cases} x_i & \text{if } x_i > 0 , \\ a x_i & \text{if } x_i \leq 0 \end{cases}$$

$$m_i = \mathbf{1}[x_i > 0]$$

$$\frac{\partial y}{\partial x} = ?$$

$$u_i = \begin{cases} x_i^2 & \text{if } x_i > 1 , \\ 0 & \text{if } x_i < 0 \end{cases}$$
"""


def test_cases_and_indicators_are_written() -> None:
    """Each case with its condition; an indicator as one; a derivative by the sign that the page writes."""
    text = show("kinks.md", KINKS, "unicode")
    assert "yᵢ = xᵢ if xᵢ > 0; a xᵢ otherwise" in text
    assert "mᵢ = 𝟏[xᵢ > 0]" in text
    assert "no notation" not in text
    assert r"u_i &= \begin{cases} x_i^2 & \text{if } x_i > 1" in show("kinks.md", KINKS, "latex")


def test_functions_are_written_with_their_variables() -> None:
    """A definition, its slopes, a use of it, and a slope at another point, which is no fact of its own."""
    page = r"""# Functions

For $z, a \in \mathbb{R}$ let $f(z) = z \tanh(z)$ and $q(z, a) = a f(z)$.

$$f'(z) = \tanh(z) + z (1 - \tanh^2(z))$$

$$\tanh'(z) = 1 - \tanh^2(z)$$

$$f'(-z) = -f'(z)$$

$$f'(0) = 0$$

$$\frac{\partial}{\partial a} q(z, a) = f(z)$$
"""
    text = show("functions.md", page, "unicode")
    for line in ("f(z) = z tanh(z)", "q(z, a) = a f(z)", "∂q/∂a = f(z)"):
        assert f"  {line}\n" in f"{text}\n"
    assert len(re.findall(r"(?m)^  f′\(z\) =", text)) == len(re.findall(r"(?m)^  tanh′\(z\) =", text)) == 1
    assert "0" not in text.replace("2", "")
    norm = (
        r"Let $x \in \mathbb{R}^N$. $$f(x) = \sum_{i=1}^N x_i^2$$ $$\frac{\partial f}{\partial x_i} = 2 x_i$$"
    )
    text = show("norm.md", norm, "unicode")
    assert "  f(x) = ∑ᵢ xᵢ²\n  f(x) = xᵀ x\n\n  ∂f/∂xᵢ = 2 xᵢ\n  ∂f/∂x  = 2 x" in text
    latex = show("functions.md", page, "latex")
    assert r"  f'(z) &= " in latex
    assert r"  \tanh'(z) &= " in latex
    assert r"  \frac{\partial q}{\partial a} &= f(z)" in latex


def test_numpy_of_cases_and_indicators() -> None:
    """Nothing where no case holds; the derivative is that of the branch that holds."""
    function = printed("kinks.md", KINKS)
    x = np.array([-2.0, -0.5, 0.0, 0.5, 3.0])
    out = function(x=x, a=0.1)
    close(np.array([-0.2, -0.05, 0.0, 0.5, 3.0]), out["y"])
    close(np.array([0, 0, 0, 1, 1]), out["m"])
    close(np.diag([0.1, 0.1, 0.1, 1.0, 1.0]), out["dy_dx"])
    assert np.array_equal(np.isnan(out["u"]), [False, False, True, True, False])
    close(np.array([0.0, 9.0]), out["u"][[0, 4]])


# ---------------------------------------------------------------------- JSON and hostile pages


def test_json_has_the_same_facts() -> None:
    """Kind, line, both styles, shape."""
    data = json.loads(show("layer.md", LAYER, "json"))
    (fact,) = (f for f in data["facts"] if f["unicode"]["entry"]["left"] == "∂ℓ/∂Wᵢⱼ")
    assert fact["kind"] == "derivative"
    assert fact["shape"] == ["T", "N"]
    assert fact["latex"]["matrix"] == {
        "left": r"\frac{\partial \ell}{\partial W}",
        "right": r"(y - t) x^{\top}",
    }


HOSTILE = r'''# """ + __import__("os").system("echo owned") + """ \input{/etc/passwd} [red]x[/red]

Let $x \in \mathbb{R}^n$.

$$\text{__import__('os').system('id')}_i = 2 x_i$$

$$\operatorname{lambda}_i = 3 x_i$$

$$\mathrm{np}_i = x_i^2$$

$$y_{\text{"""}} = \sum_{i=1}^n x_i$$

$$\frac{\partial \mathrm{np}_i}{\partial x_j} = ?$$
'''


def test_hostile_names_are_harmless() -> None:
    """Identifiers are made of a safe alphabet, and nothing of the page is run or reaches TeX as a command."""
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
    fragment = show("evil.md", HOSTILE, "latex")
    assert "\\input" not in fragment
    assert "\x1b" not in show("evil.md", HOSTILE.replace("owned", "\x1b[31m"), "unicode")


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
    """Says so."""
    assert "defines nothing" in show("empty.md", "# Nothing\n\nOnly words.\n", "unicode")
    assert printed("empty.md", "# Nothing\n")() == {}


def test_a_deep_page_is_written_by_the_gradients_that_it_names() -> None:
    """The gradients of an LSTM cell stand in the errors of its gates, and a hyperbolic tangent stays one."""
    file = ROOT / "derivations" / "recurrent" / "lstm.md"
    shown = show(str(file), file.read_text(encoding="utf-8"), "unicode")
    assert "∂L/∂W_f     = p_f xᵀ" in shown
    assert "∂L/∂x  = W_fᵀ p_f + Wₒᵀ pₒ + Wᵤᵀ pᵤ + W_zᵀ p_z" in shown
    assert "∂L/∂o  = g ⊙ tanh(c)" in shown

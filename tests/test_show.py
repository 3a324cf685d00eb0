"""`show`: what a page establishes, derived by the kernel, and printed so that it can be read and pasted.

The LaTeX is put back into the page and every row of it proved again; NumPy is in `test_show_numpy`.
"""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from shown import HOSTILE, KINKS, LAYER, LIBRARY, named, shown

from symderiv.judge.check import Session, open_page
from symderiv.latex import parse
from symderiv.meaning.model import Tensor
from symderiv.meaning.notation import derived_latex
from symderiv.report.show import show

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
    text = shown(file, "unicode")
    for line in text.splitlines():
        assert len(line) <= 80
        assert not re.search(r"[\\#~{}@]", line)


def test_softmax_reads_as_in_a_book() -> None:
    """The Jacobian and the product with a gradient are written in `y`, not in exponentials."""
    text = shown(named("softmax"), "unicode")
    assert "∂yⱼ/∂xᵢ = β yᵢ (δᵢⱼ − yⱼ)" in text
    assert "∂y/∂x   = β (diag(y) − y yᵀ)" in text
    assert "∂L/∂xᵢ = β yᵢ (gᵢ − ∑ⱼ gⱼ yⱼ)" in text


def test_linear_reads_as_in_a_book() -> None:
    """The three gradients in matrix form, for one input and for a batch."""
    text = shown(named("linear"), "unicode")
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
    fragment = shown(file, "latex")
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
def test_latex_compiles(tmp_path: Path) -> None:
    """All pages in one document, with amsmath alone."""
    fragments = "\n".join(shown(file, "latex") for file in LIBRARY)
    head = "\\documentclass{article}\\usepackage{amsmath}\\begin{document}"
    (tmp_path / "page.tex").write_text(f"{head}\n{fragments}\n\\end{{document}}\n", encoding="utf-8")
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


# ---------------------------------------------------------------------- cases and functions


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


def test_hostile_names_are_harmless() -> None:
    """Nothing of the page reaches TeX or a terminal as a command."""
    fragment = show("evil.md", HOSTILE, "latex")
    assert "\\input" not in fragment
    assert "\x1b" not in show("evil.md", HOSTILE.replace("owned", "\x1b[31m"), "unicode")


def test_a_page_without_mathematics() -> None:
    """Says so."""
    assert "defines nothing" in show("empty.md", "# Nothing\n\nOnly words.\n", "unicode")


def test_a_deep_page_is_written_by_the_gradients_that_it_names() -> None:
    """The gradients of an LSTM cell stand in the errors of its gates, and a hyperbolic tangent stays one."""
    text = shown(named("lstm"), "unicode")
    assert "∂L/∂W_f     = p_f xᵀ" in text
    assert "∂L/∂x  = W_fᵀ p_f + Wₒᵀ pₒ + Wᵤᵀ pᵤ + W_zᵀ p_z" in text
    assert "∂L/∂o  = g ⊙ tanh(c)" in text


def test_the_form_of_the_author_is_taken_where_it_is_shorter() -> None:
    """The slopes by hand: of `-(1 - p)^γ log p` with `p' = p (1 - p)`, and the error of a softmax."""
    assert "∂L/∂z = (1 − p)^γ (γ p log(p) + p − 1)\n" in shown(named("focal"), "unicode")


def test_an_assumption_is_shown_where_it_was_needed() -> None:
    """The gradient is `p Σ y − y`: it is `p − y` only where y sums to one; the softmax needs no such fact."""
    text = shown(named("cross-entropy"), "unicode")
    assert "  ∂L/∂z  = p − y\n    given ∑ᵢ yᵢ = 1\n" in text
    assert "  ∂p/∂z   = diag(p) − p pᵀ\n\n" in text


def test_a_member_that_is_false_is_not_shown() -> None:
    """The kernel proves what is taken: the author's shorter slope of x² is wrong, and is not."""
    text = "# P\n\n$$f(x) = x^2$$\n\n$$\\frac{\\partial f}{\\partial x} = x$$\n"
    assert "f′(x) = 2 x" in show("page.md", text, "unicode")


def test_a_second_derivative_has_one_sign() -> None:
    """`∂²f`, once for both orders of the indices, and as a matrix."""
    text = shown(named("log-sum-exp"), "unicode")
    assert "  ∂²f/(∂xᵢ∂xⱼ) = pᵢ (δᵢⱼ − pⱼ)\n  ∂²f/∂x²      = diag(p) − p pᵀ\n" in text
    assert text.count("∂²f/(") == 1

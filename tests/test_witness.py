"""Without the kernel: numbers alone never refute what is true, and refute what is false, at every extent.

A row is what a page declares, a true step, and a false neighbour of it. That each is what it is said to be
follows from mathematics; the false one has a witness at a tie, a zero, an edge, inside a domain or anywhere.
"""

from __future__ import annotations

import pytest
from pages import DERIVATIONS, judged

from symderiv.judge import decision

REALS = r"Let $a, b, c \in \mathbb{R}$."
POSITIVE = r"Let $u, v > 0$."
VECTORS = r"Let $x, y \in \mathbb{R}^n$."
MATRICES = r"Let $A, B \in \mathbb{R}^{n \times n}$ and $x, y \in \mathbb{R}^n$."
SOFTMAX = r"""Let $z \in \mathbb{R}^n$.

$$p_i = \frac{e^{z_i}}{\sum_{k=1}^n e^{z_k}}$$"""
LARGE = r"""Let $z \in \mathbb{R}^n$.

$$p_i = \frac{e^{1000 z_i}}{\sum_{k=1}^n e^{1000 z_k}}$$"""
GREATEST = r"""Let $x \in \mathbb{R}^n$.

$$m = \max_k x_k$$"""

ROWS: list[tuple[str, str, str]] = [
    # Indicators and ties
    (REALS, r"\mathbf 1[a = b] = \mathbf 1[b = a]", r"\mathbf 1[a = b] = 0"),
    (REALS, r"\mathbf 1[a > 0] + \mathbf 1[a \le 0] = 1", r"\mathbf 1[a \ge 0] + \mathbf 1[a \le 0] = 1"),
    (
        REALS,
        r"\mathbf 1[a > 0] + \mathbf 1[a < 0] = \mathbf 1[a \ne 0]",
        r"\mathbf 1[a > 0] + \mathbf 1[a < 0] = 1",
    ),
    (REALS, r"\mathbf 1[a \ge b] = 1 - \mathbf 1[b > a]", r"\mathbf 1[a \ge b] = 1 - \mathbf 1[b \ge a]"),
    (REALS, r"\mathbf 1[a = b] a = \mathbf 1[a = b] b", r"\mathbf 1[a = b] a = 0"),
    (REALS, r"\mathbf 1[a b = 0] a b = 0", r"\mathbf 1[a b = 0] (a + b) = 0"),
    (REALS, r"\mathbf 1[a^2 > 0] = \mathbf 1[a \ne 0]", r"\mathbf 1[a^2 > 0] = 1"),
    (REALS, r"\mathbf 1[a + b = 1] (1 - a - b) = 0", r"\mathbf 1[a + b = 1] = 0"),
    (REALS, r"\mathbf 1[a > b] \mathbf 1[b > a] = 0", r"\mathbf 1[a \ge b] \mathbf 1[b \ge a] = 0"),
    (
        REALS,
        r"\mathbf 1[a > b] \mathbf 1[b > c] = \mathbf 1[a > b] \mathbf 1[b > c] \mathbf 1[a > c]",
        r"\mathbf 1[a > b] \mathbf 1[b > c] = \mathbf 1[a > c]",
    ),
    (
        VECTORS,
        r"\sum_j \mathbf 1[x_j \le x_i] = \sum_j \mathbf 1[x_j < x_i] + \sum_j \mathbf 1[x_j = x_i]",
        r"\sum_{j=1}^n \mathbf 1[x_j \le x_i] = \sum_{j=1}^n \mathbf 1[x_j < x_i] + 1",
    ),
    (VECTORS, r"\mathbf 1[x_i = x_j] = \mathbf 1[x_j = x_i]", r"\mathbf 1[x_i = x_j] = \delta_{ij}"),
    (VECTORS, r"\sum_{i=1}^n \mathbf 1[x_i = 0] x_i = 0", r"\sum_{i=1}^n \mathbf 1[x_i = 0] = 0"),
    (
        VECTORS,
        r"\sum_{i,j} \mathbf 1[x_i < x_j] = \sum_{i,j} \mathbf 1[x_i > x_j]",
        r"\sum_{i,j} \mathbf 1[x_i < x_j] = \frac{n (n - 1)}{2}",
    ),
    (VECTORS, r"\mathbf 1[\|x\|_2 = 0] x_i = 0", r"\mathbf 1[\|x\|_2 = 0] = 0"),
    # Signs, absolute values, maxima
    (REALS, r"\operatorname{sign}(a)\, a = |a|", r"\operatorname{sign}(a)^2 = 1"),
    (
        REALS,
        r"\operatorname{sign}(a)^3 = \operatorname{sign}(a)",
        r"\operatorname{sign}(a) = 2 \cdot \mathbf 1[a > 0] - 1",
    ),
    (
        REALS,
        r"\operatorname{sign}(a b) = \operatorname{sign}(a) \operatorname{sign}(b)",
        r"\operatorname{sign}(a b) = \operatorname{sign}(a)",
    ),
    (REALS, r"|a b| = |a| |b|", r"|a + b| = |a| + |b|"),
    (REALS, r"|a|^2 = a^2", r"|a| = a"),
    (REALS, r"\max(a, b) = \frac{a + b + |a - b|}{2}", r"\max(a, b) = \frac{a + b - |a - b|}{2}"),
    (REALS, r"\max(a, b) + \min(a, b) = a + b", r"\max(a, b) + \min(a, b) = 2 a"),
    (
        REALS,
        r"\max(a, b) = a \mathbf 1[a \ge b] + b \mathbf 1[b > a]",
        r"\max(a, b) = a \mathbf 1[a > b] + b \mathbf 1[b > a]",
    ),
    (REALS, r"\max(a, \max(b, c)) = \max(\max(a, b), c)", r"\max(a, \max(b, c)) = \max(a, b)"),
    (REALS, r"\max(a + c, b + c) = \max(a, b) + c", r"\max(a c, b c) = c \max(a, b)"),
    (REALS, r"\max(a, 0)\, \max(-a, 0) = 0", r"\max(a, 0)\, \max(1 - a, 0) = 0"),
    (REALS, r"\min(\max(a, 0), 6) = \max(\min(a, 6), 0)", r"\min(\max(a, 0), 6) = \max(a, 0)"),
    (REALS, r"\max(a, -50) + \min(a, -50) = a - 50", r"\max(a, -50) = a"),
    (REALS, r"\mathbf 1[a > 100] \mathbf 1[a < 99] = 0", r"\mathbf 1[a > 100] = 0"),
    (GREATEST, r"\sum_{i=1}^n (x_i - m) \mathbf 1[x_i = m] = 0", r"\sum_{i=1}^n \mathbf 1[x_i = m] = 1"),
    (GREATEST, r"\mathbf 1[x_i > m] = 0", r"\mathbf 1[x_i \ge m] = 0"),
    (GREATEST, r"\mathbf 1[x_i \ge m] = \mathbf 1[x_i = m]", r"\sum_{i=1}^n x_i \mathbf 1[x_i = m] = m"),
    # Derivatives: at a kink nothing is claimed
    (
        REALS,
        r"\frac{\partial}{\partial a} \max(a, 0) = \mathbf 1[a > 0]",
        r"\frac{\partial}{\partial a} \max(a, 0) = \mathbf 1[a < 0]",
    ),
    (
        REALS,
        r"\frac{\partial}{\partial a} \max(a, 0) = \mathbf 1[a \ge 0]",
        r"\frac{\partial}{\partial a} \max(a, 0) = 1",
    ),
    (
        REALS,
        r"\frac{\partial}{\partial a} |a| = \operatorname{sign}(a)",
        r"\frac{\partial}{\partial a} |a| = \operatorname{sign}(a)^2",
    ),
    (
        REALS,
        r"\frac{\partial}{\partial a} (\max(a, 0) - \max(-a, 0)) = \mathbf 1[a > 0] + \mathbf 1[a < 0]",
        r"\frac{\partial}{\partial a} (\max(a, 0) - \max(-a, 0)) = \mathbf 1[a > 0]",
    ),
    (
        REALS,
        r"\frac{\partial}{\partial a} \min(\max(a, 0), 6) = \mathbf 1[a > 0] \mathbf 1[a < 6]",
        r"\frac{\partial}{\partial a} \min(\max(a, 0), 6) = \mathbf 1[a > 0]",
    ),
    (
        REALS,
        r"\frac{\partial}{\partial a} a^2 = 2 a",
        r"\frac{\partial}{\partial a} a^2 = 2 a\, \mathbf 1[a \ne 1]",
    ),
    (
        REALS,
        r"\frac{\partial}{\partial a} \max(a, b) = \mathbf 1[a > b]",
        r"\frac{\partial}{\partial a} \max(a, b) = \mathbf 1[b > a]",
    ),
    (
        REALS,
        r"\frac{\partial}{\partial a} \max(a, 0)^2 = 2 \max(a, 0)",
        r"\frac{\partial}{\partial a} \max(a, 0)^2 = 2 a",
    ),
    (
        VECTORS,
        r"\frac{\partial}{\partial x_i} \|x\|_2 = \frac{x_i}{\|x\|_2}",
        r"\frac{\partial}{\partial x_i} \|x\|_2 = x_i",
    ),
    (
        VECTORS,
        r"\frac{\partial}{\partial x_i} \sum_{k=1}^n |x_k| = \operatorname{sign}(x_i)",
        r"\frac{\partial}{\partial x_i} \sum_{k=1}^n |x_k| = |x_i|",
    ),
    (
        GREATEST,
        r"\frac{\partial m}{\partial x_i} = \mathbf 1[x_i = m]",
        r"\frac{\partial m}{\partial x_i} = \mathbf 1[x_i < m]",
    ),
    # Where a side is undefined
    (REALS, r"\frac{|a|}{a} = \operatorname{sign}(a)", r"\frac{|a|}{a} = 1"),
    (REALS, r"\frac{a - b}{a - b} = \mathbf 1[a \ne b]", r"\frac{a - b}{a - b} = \mathbf 1[a > b]"),
    (REALS, r"\frac{a^2 - b^2}{a - b} = a + b", r"\frac{a^2 - b^2}{a - b} = a - b"),
    (REALS, r"e^{\log a} = |a|", r"e^{\log a} = |a| + 1"),
    (REALS, r"(\sqrt{a})^2 = |a|", r"(\sqrt{a})^2 = \sqrt{|a|}"),
    (REALS, r"\sqrt{a^2} = |a|", r"\sqrt{a^2} = a"),
    (REALS, r"\log(a^2) = 2 \log |a|", r"\log(a^2) = \log |a|"),
    (REALS, r"\log a + \log b = \log |a b|", r"\log a + \log b = \log(a + b)"),
    (REALS, r"\frac{\sin a}{a} a = \sin a", r"\frac{\sin a}{a} = 1"),
    (
        VECTORS,
        r"\sum_{i=1}^n \frac{x_i}{x_i} = \sum_{i=1}^n \mathbf 1[x_i \ne 0]",
        r"\sum_{i=1}^n \frac{x_i}{x_i} = 1",
    ),
    (POSITIVE, r"\log(u v) = \log u + \log v", r"\log(u + v) = \log u + \log v"),
    (POSITIVE, r"u^{1/2} v^{1/2} = \sqrt{u v}", r"u^{1/2} + v^{1/2} = \sqrt{u + v}"),
    # Whole numbers and sizes
    (VECTORS, r"\sum_{i=1}^n 1 = n", r"\sum_{i=1}^n 1 = n^2"),
    (VECTORS, r"\sum_{i=1}^n i = \frac{n (n + 1)}{2}", r"\sum_{i=1}^n i = \frac{n (n - 1)}{2} + 1"),
    (VECTORS, r"(-1)^{2 n} x_1 = x_1", r"(-1)^n x_1 = x_1"),
    (REALS, r"a^0 b = b", r"a^1 b = b"),
    (VECTORS, r"\delta_{ij} x_i = \delta_{ij} x_j", r"\delta_{ij} x_i = x_j"),
    # Large numbers, cancellation
    (SOFTMAX, r"\sum_{k=1}^n p_k = 1", r"\sum_{k=1}^n p_k^2 = 1"),
    (SOFTMAX, r"\mathbf 1[\sum_{k=1}^n p_k = 1] = 1", r"\mathbf 1[\sum_{k=1}^n p_k > 1] = 1"),
    (SOFTMAX, r"\operatorname{sign}(1 - \sum_{k=1}^n p_k) = 0", r"\operatorname{sign}(1 - p_i) = 1"),
    (
        LARGE,
        r"\frac{\partial p_j}{\partial z_i} = 1000 p_i (\delta_{ij} - p_j)",
        r"\frac{\partial p_j}{\partial z_i} = 1000 p_i (\delta_{ij} + p_j)",
    ),
    (LARGE, r"\sum_{k=1}^n p_k = 1", r"\sum_{k=1}^n p_k = 2"),
    (REALS, r"\log(1 + e^{1000 a}) = 1000 a + \log(1 + e^{-1000 a})", r"\log(1 + e^{1000 a}) = 1000 a"),
    (REALS, r"(a + 10^{15}) - 10^{15} = a", r"(a + 10^{15}) - 10^{15} = a + 10^{-15}"),
    (REALS, r"\mathbf 1[\cos^2 a + \sin^2 a = 1] = 1", r"\mathbf 1[\cos^2 a + \sin^2 a > 1] = 1"),
    (REALS, r"\frac{e^a - 1}{a} a = e^a - 1", r"\frac{e^a - 1}{a} = e^{a / 2}"),
    (REALS, r"\cosh^2(9 a) - \sinh^2(9 a) = 1", r"\cosh^2(9 a) - \sinh^2(9 a) = 1 + 10^{-9}"),
    # Under hypotheses
    (r"Let $t \in [0, 1]$.", r"\max(t, 0) = t", r"\mathbf 1[t > 0] = 1"),
    (r"Let $t \in [0, 1]$.", r"\min(t, 1) = t", r"\mathbf 1[t < 1] = 1"),
    (r"Let $t \in (0, 1)$.", r"\mathbf 1[t > 0] \mathbf 1[t < 1] = 1", r"\mathbf 1[t > 0.9] = 0"),
    (r"Let $a, b \in \mathbb{R}$ with $a > b$.", r"\max(a, b) = a", r"\max(a, b) = b"),
    (r"Let $a, b \in \mathbb{R}$ with $a > b$.", r"|a - b| = a - b", r"|a + b| = a + b"),
    (
        r"Let $x \in \mathbb{R}^n$. Suppose $\sum_{k=1}^n x_k = 1$.",
        r"\mathbf 1[\sum_{k=1}^n x_k = 1] = 1",
        r"\mathbf 1[x_i = 1] = 1",
    ),
    (
        r"Let $x \in \mathbb{R}^n$. Suppose $\sum_{k=1}^n x_k = 0$.",
        r"\operatorname{sign}(\sum_{k=1}^n x_k) = 0",
        r"\operatorname{sign}(x_i) = 0",
    ),
    (r"Let $y \in \{0, 1\}^n$.", r"y_i (1 - y_i) = 0", r"y_i y_j = \delta_{ij} y_i"),
    (r"Let $y \in \{0, 1\}^n$ be one-hot.", r"y_i y_j = \delta_{ij} y_i", r"y_i y_j = y_i"),
    (
        r"Let $A \in \mathbb{R}^{n \times n}$ be symmetric.",
        r"\mathbf 1[A_{ij} > A_{ji}] = 0",
        r"\mathbf 1[A_{ij} > 0] = 0",
    ),
]


def verdicts(setup: str, step: str, seed: int) -> list[str | None]:
    page = judged(f"{setup}\n\n$${step}$$\n", seed=seed)
    return [each.verdict for each in page.statements if each.kind == "claim"]


@pytest.fixture
def no_kernel(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let nothing be proved: every step goes through all extents."""
    monkeypatch.setattr(decision, "proof_of", lambda *_, **__: (None, ""))


@pytest.mark.usefixtures("no_kernel")
@pytest.mark.parametrize("seed", [0, *(pytest.param(seed, marks=pytest.mark.long) for seed in range(1, 5))])
def test_numbers_tell_true_from_false(seed: int) -> None:
    """There is no witness against a true step, and one against its neighbour."""
    for setup, true, false in ROWS:
        assert (verdicts(setup, true, seed), true) == (["tested"], true)
        assert (verdicts(setup, false, seed), false) == (["refuted"], false)


@pytest.mark.long
@pytest.mark.usefixtures("no_kernel")
def test_no_step_of_the_library_has_a_witness() -> None:
    """All that is proved there holds at every extent of the numbers too."""
    blamed = {
        file.stem: [
            each.latex for each in judged(file.read_text(encoding="utf-8")).statements if each.witness
        ]
        for file in sorted(DERIVATIONS.rglob("*.md"))
    }
    assert {name: steps for name, steps in blamed.items() if steps} == {}

"""What is proposed for a false step: a repair of each kind, and none that the kernel does not prove."""

from __future__ import annotations

import re

import pytest
from pages import judged

from symderiv.budget import awaits_help
from symderiv.judge import decision
from symderiv.kernel.terms import KernelError
from symderiv.report.model import FileReport
from symderiv.report.text import readable

LAYER = (
    "For $X \\in \\mathbb{R}^{n \\times d}$ and $W \\in \\mathbb{R}^{d \\times m}$ let\n\n$$Y = X W .$$\n\n"
    "Gradients have the shape of their variable.\n\n"
)
VECTOR = "Let $x, a \\in \\mathbb{R}^n$.\n\n"

REPAIRS = {
    "a transposed factor": (
        LAYER,
        r"\frac{\partial L}{\partial W} = X \frac{\partial L}{\partial Y}",
        r"X^\top \frac{\partial L}{\partial Y}",
    ),
    "a name that only its page makes one": (
        LAYER + "Write $dY = \\frac{\\partial L}{\\partial Y}$.\n\n",
        r"\frac{\partial L}{\partial X} = dY W",
        r"dY W^\top",
    ),
    "a number where both sides may vanish": (
        "",
        r"\frac{1}{2} (z + |z|) = - \max(0, z)",
        r"\max(0, z)",
    ),
    "factors in another order": (
        LAYER,
        r"\frac{\partial L}{\partial W} = \frac{\partial L}{\partial Y} X^\top",
        r"X^\top \frac{\partial L}{\partial Y}",
    ),
    "the indices of an entry exchanged": (
        "Let $W \\in \\mathbb{R}^{m \\times n}$ and $y_i = \\sum_{j=1}^{n} W_{ij} x_j$.\n\n",
        r"\frac{\partial L}{\partial x_j} = \sum_{i=1}^{m} W_{ji} \frac{\partial L}{\partial y_i}",
        r"\sum_{i=1}^{m} W_{ij} \frac{\partial L}{\partial y_i}",
    ),
    "another index": (VECTOR, r"\frac{\partial}{\partial x_i} \sum_{k=1}^{n} x_k^2 = 2 x_k", "2 x_i"),
    "a sign": ("", r"\frac{\partial}{\partial z} e^{-z} = e^{-z}", "-e^{-z}"),
    "a difference the other way round": (
        VECTOR,
        r"\frac{\partial}{\partial x_i} \sum_{k=1}^{n} (x_k^2 - a_k x_k) = a_i - 2 x_i",
        "2 x_i - a_i",
    ),
    "the sign of a term": (
        VECTOR,
        r"\frac{\partial}{\partial x_i} (\sum_{k=1}^{n} x_k - x_i^2) = 1 + 2 x_i",
        "1 - 2 x_i",
    ),
    "a constant": (VECTOR, r"\frac{\partial}{\partial x_i} \sum_{k=1}^{n} x_k^2 = x_i", "2 x_i"),
    "a constant too many": (VECTOR, r"\frac{\partial}{\partial x_i} \sum_{k=1}^{n} x_k^2 = 4 x_i", "2 x_i"),
    "a size": (
        VECTOR,
        r"\frac{\partial}{\partial x_i} \frac{1}{n} \sum_{k=1}^{n} x_k = 1",
        r"\frac{1}{n} 1",
    ),
    "a factor": (
        VECTOR,
        r"\frac{\partial}{\partial x_i} \sum_{k=1}^{n} a_k x_k^3 = 3 x_i^2 a_j",
        "3 x_i^2 a_i",
    ),
    "a factor that is missing": (
        VECTOR + "The step size is $\\eta \\in \\mathbb{R}$.\n\n",
        r"\frac{\partial}{\partial x_i} \sum_{k=1}^{n} \eta x_k^2 = 2 x_i",
        r"2 x_i \eta",
    ),
    "an exponent": (VECTOR, r"\frac{\partial}{\partial x_i} \sum_{k=1}^{n} x_k^3 = 3 x_i", "3 x_i^2"),
    "a bound": (VECTOR, r"x^\top x = \sum_{k=2}^{n} x_k^2", r"\sum_{k=1}^{n} x_k^2"),
    "a number that is missing": (VECTOR, r"\frac{\partial}{\partial x_i} (x_i^2 + x_i) = 2 x_i", "2 x_i + 1"),
    "two rows": (
        "",
        r"u \begin{bmatrix} 1 \\ v \end{bmatrix} = \begin{bmatrix} u v \\ u \end{bmatrix}",
        r"\begin{bmatrix} u \\ u v \end{bmatrix}",
    ),
}
"""What stands before a false step, the step, and the member that is right instead."""

CONDITIONS = {
    "equal indices": (VECTOR, r"\frac{\partial x_i}{\partial x_j} = 1", "i = j"),
    "a symmetric matrix": (
        "Let $A \\in \\mathbb{R}^{n \\times n}$ and $x \\in \\mathbb{R}^n$.\n\n",
        r"\frac{\partial}{\partial x} (x^\top A x) = 2 A x",
        r"A = A^\top",
    ),
    "weights that sum to 1": (VECTOR, r"\sum_{k=1}^{n} a_k x_i = x_i", r"\sum_k a_k = 1"),
}
"""What stands before a step, the step, and the condition under which it is true."""


def page(before: str, step: str) -> str:
    """Return a page with one displayed step."""
    return f"{before}The step\n\n$$\n{step}\n$$\n"


def steps(report: FileReport) -> list[tuple[str | None, str | None]]:
    """Return the verdict on each claim and what is proposed."""
    return [
        (each.verdict, next((found.help for found in each.diagnostics if found.help), None))
        for each in report.statements
        if each.kind == "claim"
    ]


@pytest.mark.parametrize("kind", REPAIRS)
def test_repair(kind: str) -> None:
    """The member that is right is proposed, and with it in its place the page is proved."""
    before, step, right = REPAIRS[kind]
    [(verdict, help_)] = steps(judged(page(before, step), help_=True))
    assert verdict in {"refuted", "ill-typed"}
    assert help_ is not None
    proposed = help_.removesuffix(" makes this step true")
    assert re.sub(r"\s", "", proposed) == re.sub(r"\s", "", right)
    left = step.partition(" = ")[0]
    assert steps(judged(page(before, f"{left} = {proposed}"), help_=True)) == [("proved", None)]


@pytest.mark.parametrize("kind", CONDITIONS)
def test_condition(kind: str) -> None:
    """A step that holds under a condition gets that; where the page assumes it, the step is proved."""
    before, step, condition = CONDITIONS[kind]
    assert steps(judged(page(before, step), help_=True)) == [
        ("refuted", f"this step is true under {condition}")
    ]
    assumed = f"{before}<!-- symderiv: assume ${condition}$ -->\n\n"
    assert steps(judged(page(assumed, step))) == [("proved", None)]


def test_another_line_is_right() -> None:
    """A later member of the chain that is equal to the left side is pointed at."""
    step = "\\frac{\\partial}{\\partial x_i} \\sum_{k=1}^{n} e^{a_k x_k} &= a_i \\\\\n&= a_i e^{a_i x_i}"
    text = page(VECTOR, f"\\begin{{aligned}}\n{step}\n\\end{{aligned}}")
    line = text[: text.index("&= a_i e")].count("\n") + 1
    [(verdict, help_), (after, nothing)] = steps(judged(text, help_=True))
    assert (verdict, after, nothing) == ("refuted", "proved", None)
    assert help_ is not None
    assert help_.endswith(f"line {line} states it rightly")


def test_part_of_a_long_member() -> None:
    """Of a long member only the part that changes is shown."""
    terms = " + ".join(f"{n} x_i^{{{n - 1}}}" for n in range(2, 9))
    powers = " + ".join(f"x_k^{n}" for n in range(2, 9))
    step = rf"\frac{{\partial}}{{\partial x_i}} \sum_{{k=1}}^{{n}} ({powers}) = {terms}"
    wrong = step.replace("5 x_i^{4}", "5 x_k^{4}")
    assert steps(judged(page(VECTOR, step))) == [("proved", None)]
    [(verdict, help_)] = steps(judged(page(VECTOR, wrong), help_=True))
    assert (verdict, help_) == ("ill-typed", "i for k makes this step true")


def test_no_repair_without_a_proof(monkeypatch: pytest.MonkeyPatch) -> None:
    """A kernel that proves nothing leaves nothing to propose, and every verdict as it was."""

    def refuses(*_: object) -> None:
        raise KernelError("nothing is proved today")

    monkeypatch.setattr(decision, "prove", refuses)
    kinds = ("a transposed factor", "a sign", "a constant")
    for before, step, _ in [*(REPAIRS[kind] for kind in kinds), CONDITIONS["a symmetric matrix"]]:
        [(verdict, help_)] = steps(judged(page(before, step), help_=True))
        assert verdict in {"refuted", "ill-typed"}
        assert help_ is None


def test_brackets_in_the_terminal() -> None:
    """The terminal shows brackets without the commands that size them; other commands are left."""
    assert readable(r"-\left( y_i - p_i \right)") == "-(y_i - p_i)"
    assert readable(r"\leftarrow (x)") == r"\leftarrow (x)"


def test_nothing_near_is_right() -> None:
    """What no small change makes true gets no proposal."""
    step = r"\frac{\partial}{\partial x_i} \sum_{k=1}^{n} e^{x_k^2} = \sum_{k=1}^{n} a_k^7"
    assert steps(judged(page(VECTOR, step), help_=True)) == [("refuted", None)]


def test_only_blamed_steps_are_helped() -> None:
    """A proved step, one that is wrong on purpose, and one with a proposal are left alone."""
    for verdict, expected, help_ in [
        ("proved", None, None),
        ("tested", None, None),
        ("unknown", None, None),
        ("refuted", "refuted", None),
        ("ill-typed", None, "this"),
    ]:
        assert not awaits_help({"verdict": verdict, "expected": expected, "diagnostics": [{"help": help_}]})
    assert awaits_help({"verdict": "refuted", "diagnostics": [{"help": None}]})

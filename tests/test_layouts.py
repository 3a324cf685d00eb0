"""The layout of a page and of each step: named exactly where a verdict depends on it."""

from __future__ import annotations

import pytest
from pages import judged

from symderiv.judge import layouts

NAMES = (
    r"Let $a, x \in \mathbb{R}^n$, $y \in \mathbb{R}^m$, $A \in \mathbb{R}^{m \times n}$, $t \in \mathbb{R}$ "
    r"and $Q, Z \in \mathbb{R}^{n \times n}$."
)
OF_ONE_STEP = [
    (r"\frac{\partial (A x)}{\partial x} = A", "gradient"),
    (r"\frac{\partial (A x)}{\partial x} = A^\top", "denominator"),
    (r"\frac{\partial (Q x)}{\partial x} = Q^\top", "denominator"),
    (r"\frac{\partial (a^\top x)}{\partial x} = a", "gradient"),
    (r"\frac{\partial (a^\top x)}{\partial x} = a^\top", "numerator"),
    (r"\frac{\partial (t y)}{\partial t} = y", "gradient"),
    (r"\frac{\partial (t y)}{\partial t} = y^\top", "denominator"),
    (r"\frac{\partial (a^\top Z x)}{\partial Z} = a x^\top", "gradient"),
    (r"\frac{\partial (A x)}{\partial x^\top} = A", None),
    (r"\nabla_x (a^\top x) = a", None),
    (r"\frac{\partial x}{\partial x} = I", None),
    (r"\frac{\partial (x \odot x)}{\partial x} = 2 \operatorname{diag}(x)", None),
    (r"\frac{\partial (a^\top Z a)}{\partial Z} = a a^\top", None),
    (r"\frac{\partial^2 (x^\top Q x)}{\partial x \partial x^\top} = Q + Q^\top", None),
    (r"\frac{\partial (a^\top x)}{\partial t} = 0", None),
    (r"(A x)^\top = x^\top A^\top", None),
]


@pytest.mark.parametrize(("step", "layout"), OF_ONE_STEP)
def test_a_step_names_the_layout_on_which_it_depends(step: str, layout: str | None) -> None:
    """A page of one step has the layout in which that holds."""
    report = judged(f"{NAMES}\n\n$${step}$$\n")
    (claim,) = (each for each in report.statements if each.kind == "claim")
    assert ("proved", layout) == (claim.verdict, claim.layout)
    assert (layout or "gradient") == report.layout


def test_what_is_false_in_every_layout_names_none() -> None:
    """No layout is said of a step that no layout makes true."""
    report = judged(f"{NAMES}\n\n$$\\frac{{\\partial (x^\\top Q x)}}{{\\partial x}} = 2 Q x$$\n")
    (claim,) = (each for each in report.statements if each.kind == "claim")
    assert ("refuted", None) == (claim.verdict, claim.layout)


PAGES = {
    "numerator": (
        r"\frac{\partial (A x)}{\partial x} = A",
        r"\frac{\partial (a^\top x)}{\partial x} = a^\top",
    ),
    "denominator": (
        r"\frac{\partial (A x)}{\partial x} = A^\top",
        r"\frac{\partial (a^\top x)}{\partial x} = a",
    ),
    "gradient": (r"\frac{\partial (A x)}{\partial x} = A", r"\frac{\partial (a^\top x)}{\partial x} = a"),
}


@pytest.mark.parametrize("layout", PAGES)
@pytest.mark.parametrize("turned", [False, True])
def test_a_page_has_the_layout_of_all_its_steps(layout: str, *, turned: bool) -> None:
    """Two steps tell it together, in either order."""
    steps = PAGES[layout][::-1] if turned else PAGES[layout]
    report = judged(NAMES + "".join(f"\n\n$${step}$$" for step in steps))
    claims = [each for each in report.statements if each.kind == "claim"]
    assert [("proved", layout)] * 2 == [(each.verdict, each.layout) for each in claims]
    assert layout == report.layout


def test_a_step_is_not_blamed_where_no_time_was_left(monkeypatch: pytest.MonkeyPatch) -> None:
    """A Jacobian that another layout would transpose is unknown where none was tried."""
    monkeypatch.setattr(layouts, "_SECONDS", 0.0)
    report = judged(f"{NAMES}\n\n$$\\frac{{\\partial (Q x)}}{{\\partial x}} = Q^\\top$$\n")
    (claim,) = (each for each in report.statements if each.kind == "claim")
    assert ("unknown", ["SD107"]) == (claim.verdict, [each.code for each in claim.diagnostics])

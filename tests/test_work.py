"""The kernel's work does not grow with declared sizes: what is counted is operations, not seconds."""

from __future__ import annotations

import pytest

from symderiv.judge import decision
from symderiv.judge.check import open_page
from symderiv.kernel.equality import Proved, prove
from symderiv.kernel.normal import Algebra
from symderiv.kernel.terms import Goal

SOFTMAX = r"""Let $x \in \mathbb{R}^{SIZE}$.

$$ y_j = \frac{e^{x_j}}{\sum_{k=1}^{SIZE} e^{x_k}} $$

$$ \frac{\partial y_j}{\partial x_i} = y_i (\delta_{ij} - y_j) $$
"""

LAYER_NORM = r"""Let $x \in \mathbb{R}^{SIZE}$ and $\epsilon > 0$.

$$ \mu = \frac{1}{SIZE} \sum_{i=1}^{SIZE} x_i $$

$$ \sigma = \sqrt{\frac{1}{SIZE} \sum_{i=1}^{SIZE} (x_i - \mu)^2 + \epsilon} $$

$$ \frac{\partial \sigma}{\partial x_i} = \frac{x_i - \mu}{SIZE \sigma} $$
"""

LINEAR = r"""Let $W \in \mathbb{R}^{3 \times SIZE}$, $x \in \mathbb{R}^{SIZE}$
and $L : \mathbb{R}^3 \to \mathbb{R}$.

$$ y = W x $$

$$ \frac{\partial L}{\partial x} = W^\top \frac{\partial L}{\partial y} $$
"""


def work(page: str, monkeypatch: pytest.MonkeyPatch) -> int:
    """Return how much work the kernel does to prove the claim of a page."""
    spent = [0]
    spend = Algebra.spend

    def counted(algebra: Algebra, amount: int) -> None:
        spent[0] += amount
        spend(algebra, amount)

    goals: list[Goal] = []
    monkeypatch.setattr(decision, "prove", lambda goal, _: goals.append(goal) or prove(goal))
    session = open_page("page.md", f"# Page\n\n{page}")
    (claim,) = (at for at, each in enumerate(session.page.statements) if each.kind == "claim")
    assert session.judge(claim, [None] * claim)["verdict"] == "proved"
    monkeypatch.setattr(Algebra, "spend", counted)
    assert isinstance(prove(goals[0]), Proved)
    monkeypatch.undo()
    return spent[0]


@pytest.mark.parametrize("page", [SOFTMAX, LAYER_NORM, LINEAR])
def test_the_work_does_not_depend_on_declared_sizes(page: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A page with N = 4 costs the kernel what it costs with N = 4096."""
    counts = {size: work(page.replace("SIZE", size), monkeypatch) for size in ("4", "64", "4096", "1000000")}
    assert min(counts.values()) > 0
    assert len(set(counts.values())) == 1, counts

"""A second opinion that shares no code: autograd differentiates what the pages define, and both sides agree.

The forward definitions are read from the LaTeX by the readers of `second_opinion`; the derivatives are
autograd's, a development extra. Where it is absent the tests are skipped, and the header of the run says so.
"""

from __future__ import annotations

import os
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from second_opinion import Judge, Step, Unreadable
from twins import claims, library

pytest.importorskip(
    "autograd", reason="autograd, which the extra `dev` installs, is absent: no second opinion by it"
)

LIBRARY = library()
SIZES = 3


def told(step: Step) -> tuple[str, bool]:
    """Return what autograd says of a step at three choices of sizes, and whether it differentiated."""
    from opinion_autograd import Traced

    class Counting(Traced):
        used = False

        def derivative(self, function: Any, centre: Any) -> Any:  # type: ignore[override]
            Counting.used = True
            return Traced.derivative(function, centre)

    try:
        word = Judge(step, Counting(), most=SIZES, draws=SIZES).opinion().word
    except Unreadable as error:
        word = f"unread ({error})"
    return word, Counting.used


def of_page(file: Path) -> list[tuple[str, str, bool]]:
    """Return each claim of a page with what autograd's numbers say."""
    return [(str(step), *told(step)) for step in claims(file)]


@pytest.mark.parametrize("file", LIBRARY[::8], ids=lambda file: file.stem)
def test_some_steps_hold_by_autograd(file: Path) -> None:
    """A few steps of some pages; the long run takes all."""
    found = claims(file)
    for step in found[:: max(len(found) // 3, 1)]:
        word, _ = told(step)
        assert word == "true" or word.startswith("unread"), step


@pytest.mark.long
def test_every_step_holds_by_autograd() -> None:
    """The whole library; what is not read is printed, and is little; many steps are about derivatives."""
    with ProcessPoolExecutor(max_workers=min(os.cpu_count() or 1, 2)) as pool:
        found = [each for page in pool.map(of_page, LIBRARY) for each in page]
    unread = [(step, word) for step, word, _ in found if word.startswith("unread")]
    wrong = [(step, word) for step, word, _ in found if word != "true" and not word.startswith("unread")]
    derived = sum(used for _, _, used in found)
    for step, word in [*unread, *wrong]:
        print(f"{word}: {' '.join(step.split())}")
    held = len(found) - len(unread) - len(wrong)
    print(f"{len(found)} steps: {held} hold by autograd, {len(unread)} not read; {derived} take a derivative")
    assert wrong == []
    assert len(unread) <= len(found) / 25
    assert derived >= len(found) / 4


def test_a_wrong_gradient_is_noticed_by_autograd() -> None:
    """The readers and autograd tell a gradient from its double."""
    steps = [each for file in LIBRARY for each in claims(file) if file.stem == "linear"]
    step = next(each for each in steps if each.members[0].startswith(r"\frac{\partial L}{\partial W}"))
    from opinion_autograd import Traced

    assert Judge(step, Traced(), most=SIZES).opinion().is_true
    assert Judge(step, Traced(), most=SIZES).opinion(f"2 {step.right}").is_false

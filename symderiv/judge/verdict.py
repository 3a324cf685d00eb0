"""Verdicts: what is said of a step, and on what ground.

By construction a refuted verdict has a witness, and a proved one the kernel's proof.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from symderiv.diagnostics import Diagnostic

Outcome = Literal["proved", "tested", "refuted", "ill-typed", "unknown", "unread"]


@dataclass(frozen=True, slots=True)
class Witness:
    """Sizes, index values and entries at which the two sides differ, and both sides' numbers.

    `values` maps a name to a number or nested lists of numbers, and `f(t)` to what stands for f; `left` and
    `right` are decimal strings; `digits` is the higher of the two precisions at which the difference was
    confirmed.
    """

    sizes: dict[str, int]
    indices: dict[str, int]
    values: dict[str, Any]
    left: str
    right: str
    digits: int


@dataclass(frozen=True, slots=True)
class CrossCheck:
    """The numerical evaluation beside a proof: the entries compared, and the largest relative error."""

    entries: int
    error: float
    agrees: bool


@dataclass(frozen=True, slots=True)
class Verdict:
    """The outcome of one step."""

    outcome: Outcome
    method: str | None = None
    sizes: str | None = None
    witness: Witness | None = None
    cross_check: CrossCheck | None = None
    layout: str | None = None
    assumptions: tuple[str, ...] = ()
    diagnostics: tuple[Diagnostic, ...] = ()
    proof: object | None = None
    """The kernel's `Proved`, exactly when the outcome is proved."""

    def __post_init__(self) -> None:
        assert (self.outcome == "refuted") == (self.witness is not None)
        assert (self.outcome == "proved") == (self.proof is not None)

"""Numeric: the independent oracle. It evaluates both sides of a goal as they were elaborated, and compares.

Contract. Shares no code with the kernel but the shape of terms (`kernel.terms`). What it says *differs* has
been confirmed in two precisions of many digits; where a side is undefined nothing is said. Agreement is
evidence only.
Vocabulary. An *entry* is one value of the free indices; it *counts* where the assumptions hold and both
sides are defined. To *settle* an entry is to evaluate it at 30 and at 50 digits. A *survey* compares at
several sizes and points.
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from symderiv.judge.anatomy import Anatomy, NotEvaluableError
from symderiv.judge.arithmetic import FLOAT, GUARD, Arithmetic, Array, many_digits
from symderiv.judge.frames import Frame, Point, Scope, open_scope, over
from symderiv.judge.points import Kind, far_choices, mask, sample, size_choices
from symderiv.judge.shrink import shrink
from symderiv.judge.special import special_points
from symderiv.judge.verdict import CrossCheck
from symderiv.judge.walker import Walker
from symderiv.kernel.terms import Goal, Index

__all__ = [
    "Comparison", "Difference", "Settled", "Survey",
    "cross_check", "evaluate", "sample", "settle", "size_choices", "survey", "tolerance",
]  # fmt: skip

PRECISIONS = (30, 50)
"""The two numbers of digits at which a difference is confirmed."""

TOLERANCES = (1e-12, 1e-10, 1e-7, 1e-5, 1e-4)
"""Float64 errors that are put down to rounding, by the number of nested derivatives: plain evaluation and
complex steps are good to about 1e-14, a four-point difference over these to 1e-10, each further one to three
digits less."""


def tolerance(anatomy: Anatomy) -> float:
    """Return the float64 error that is put down to rounding."""
    return TOLERANCES[min(anatomy.depth, len(TOLERANCES) - 1)]


NEGLIGIBLE = 1e-3
"""Sampled values are of order 1; errors are relative to the largest entry, but to no less than this."""


@dataclass(frozen=True, slots=True, eq=False)
class Comparison:
    """Both sides over all entries (axes in the order of the goal's ranges), which count, and the errors."""

    left: Array
    right: Array
    counts: Array
    errors: Array
    """For each entry the error relative to the largest entry; 0 where it does not count."""

    @property
    def error(self) -> float:
        """The largest relative error."""
        return float(self.errors.max(initial=0.0))

    @property
    def worst(self) -> tuple[int, ...]:
        """The place of the entry of the largest error, among those that count."""
        at = np.unravel_index(int(np.argmax(np.where(self.counts, self.errors, -1))), self.errors.shape)
        return tuple(int(one) for one in at)

    @property
    def entries(self) -> int:
        """How many entries count."""
        return int(self.counts.sum())


def evaluate(
    goal: Goal,
    sizes: Mapping[str, int],
    point: Point,
    *,
    arithmetic: Arithmetic = FLOAT,
    anatomy: Anatomy | None = None,
) -> Comparison:
    """Evaluate both sides over all entries; `NotEvaluableError` where that cannot be done."""
    anatomy = anatomy or Anatomy(goal)
    with np.errstate(all="ignore"):
        scope = open_scope(goal, sizes)
        left, right = _sides(anatomy, sizes, point, arithmetic, scope)
        defined = np.isfinite(left.astype(float)) & np.isfinite(right.astype(float))
        counts = defined & mask(anatomy, sizes, point)
        difference = np.where(counts, abs(left - right), 0).astype(float)
        scale = max(_largest(left, counts), _largest(right, counts), NEGLIGIBLE)
        return Comparison(left, right, counts, difference / scale)


def _sides(
    anatomy: Anatomy, sizes: Mapping[str, int], point: Point, arithmetic: Arithmetic, scope: Scope
) -> tuple[Array, Array]:
    walker, frame, goal = Walker(anatomy, sizes, point, arithmetic), Frame(), anatomy.goal
    try:
        left, right = (over(walker.side(side, scope, frame), scope) for side in (goal.left, goal.right))
    except RecursionError:
        raise NotEvaluableError("the term is nested too deeply") from None
    except MemoryError:
        raise NotEvaluableError("there is not enough memory") from None
    return left, right


def _largest(values: Array, counts: Array) -> float:
    return float(np.where(counts, abs(values), 0.0).max(initial=0.0))


# One entry in many digits


@dataclass(frozen=True, slots=True)
class Settled:
    """What many digits say of one entry; `left` and `right` are mpmath numbers of the higher precision."""

    outcome: Literal["differ", "agree", "undecided"]
    left: Any = None
    right: Any = None


def settle(
    goal: Goal,
    sizes: Mapping[str, int],
    point: Point,
    entry: Mapping[Index, int],
    *,
    anatomy: Anatomy | None = None,
) -> Settled:
    """Evaluate one entry at two precisions; a difference is the same in both, and in GUARD digits."""
    anatomy = anatomy or Anatomy(goal)
    scope = {index: (at, 1) for index, at in entry.items()}

    def both(digits: int) -> tuple[Any, Any]:
        with np.errstate(all="ignore"):
            left, right = _sides(anatomy, sizes, point, many_digits(digits, anatomy.depth), scope)
        return left.item(), right.item()

    coarse, fine = (both(digits) for digits in PRECISIONS)
    if not np.isfinite([float(number) for number in (*coarse, *fine)]).all():
        return Settled("undecided")
    if _same_difference(coarse, fine) and _clear(fine, exact=anatomy.exact):
        if _same_difference(fine, both(GUARD)):
            return Settled("differ", *fine)
        return Settled("undecided")
    difference, scale = abs(fine[0] - fine[1]), max(map(abs, fine))
    if difference <= _SLIGHT * scale or difference <= _NOTHING:
        return Settled("agree", *fine)
    return Settled("undecided")


_STABLE = 1e-12
_SLIGHT = 1e-9
"""Less than this, relative to the larger side, is no difference where the two precisions give two."""
_NOTHING = 1e-12


def _same_difference(coarse: tuple[Any, Any], fine: tuple[Any, Any]) -> bool:
    """Tell whether both sides, and their difference, are the same numbers in both precisions."""
    scale = max(map(abs, fine))
    moved = abs(coarse[0] - fine[0]) + abs(coarse[1] - fine[1])
    return bool(moved <= _STABLE * min(scale, abs(fine[0] - fine[1])))


def _clear(sides: tuple[Any, Any], *, exact: bool) -> bool:
    """Tell whether the sides differ by more than the inexactness of the values explains."""
    difference, scale = abs(sides[0] - sides[1]), max(map(abs, sides))
    if exact:
        return bool(difference > 0)
    return bool(difference > 1e-6 * scale and difference > 1e-8 and scale < 1e8)


# Several sizes and points


@dataclass(frozen=True, slots=True, eq=False)
class Difference:
    """Where the sides were seen to differ."""

    sizes: dict[str, int]
    point: Point
    entry: dict[Index, int]
    settled: Settled


@dataclass(frozen=True, slots=True, eq=False)
class Survey:
    """What was compared: entries, the largest error among them, a difference, or why nothing was."""

    entries: int
    error: float
    difference: Difference | None = None
    reason: str | None = None
    agreed: tuple[dict[str, int], ...] = ()
    """The sizes at which every entry that counts agreed."""


_ZERO = 1e-9

_MORE: tuple[tuple[tuple[Kind, int], ...], ...] = (
    (("real", 1), ("positive", 0)),
    (("wide", 0), ("unit", 0), ("tiny", 0)),
)
"""Beyond one point at each choice of sizes: a second one, and other domains, at the first two."""

_ENOUGH, _EXTRA = 24, 8
"""Below so many entries this many more points are compared."""

_INSTEAD: tuple[Kind, ...] = ("positive", "unit", "negative", "wide", "tiny")
"""Where no entry is defined at a real point: other domains, in turn."""


def _plan(anatomy: Anatomy, most: int | None = None) -> Iterator[tuple[dict[str, int], Kind, int]]:
    choices = size_choices(anatomy.goal, anatomy=anatomy)[:most]
    if not anatomy.names:
        yield from ((sizes, "real", 0) for sizes in choices)
        return
    for sizes in choices:
        yield sizes, "real", 0
    for sizes, kinds in zip((choices * 2)[:2], _MORE, strict=False):
        for kind, shift in kinds:
            yield sizes, kind, shift


Search = Callable[[dict[str, int]], Difference | None]

CLEAR = 1e-6
"""An error that is no rounding, nearly always."""
_SEARCHES = 2

Extent = Literal["brief", "whole", "special", "apart", "far"]
"""How much is compared: a point at each choice of sizes and a few entries at least, which is what stands
beside a proof; more points and domains; special points, or those of them that stand apart from every edge;
or two larger choices of the sizes."""

_BRIEF = 6


_FEW, _FIXED = 4, 2
"""So many choices of the sizes are compared briefly, and of sizes that stand for fixed ones."""


def _points(anatomy: Anatomy, extent: Extent) -> Iterator[tuple[dict[str, int], Kind, int]]:
    if extent == "far":
        return ((sizes, "real", 0) for sizes in far_choices(anatomy))
    few = _FIXED if all(name.isdigit() for name in anatomy.sizes) else _FEW
    return itertools.chain(_plan(anatomy, few if extent == "brief" else None), _more_points(anatomy))


def survey(  # noqa: PLR0913  keyword-only
    goal: Goal,
    *,
    seed: int = 0,
    deadline: float | None = None,
    anatomy: Anatomy | None = None,
    extent: Extent = "whole",
    search: Search = lambda _: None,
) -> Survey:
    """Compare at several sizes and points until the sides differ; `deadline` is in `time.monotonic`.

    Where they seem to, `search` may find a difference that is as certain and shorter, up to these sizes.
    """
    anatomy = anatomy or Anatomy(goal)
    surveyor = _Surveyor(anatomy, search)
    if extent in ("special", "apart"):
        for sizes, special in special_points(anatomy, seed, apart=extent == "apart"):
            if surveyor.difference is not None or (deadline is not None and time.monotonic() > deadline):
                break
            surveyor.compare_at(sizes, special)
        return surveyor.result()
    for sizes, kind, shift in _points(anatomy, extent):
        if deadline is not None and time.monotonic() > deadline:
            surveyor.reason = surveyor.reason or "out of time"
            break
        if extent == "brief" and (kind != "real" or shift) and surveyor.entries >= _BRIEF:
            break
        if shift > 1 and (surveyor.entries >= _ENOUGH or not anatomy.names):
            break
        kinds = (kind, *_INSTEAD) if kind == "real" and not shift else (kind,)
        for one in kinds:
            counted = surveyor.compare(sizes, one, seed + shift)
            if surveyor.difference is not None:
                return surveyor.result()
            if counted:
                break
    return surveyor.result()


def _more_points(anatomy: Anatomy) -> Iterator[tuple[dict[str, int], Kind, int]]:
    """Yield further points for goals of few entries: enough for each sign of each name to be seen."""
    choices = size_choices(anatomy.goal, anatomy=anatomy)[:2]
    for shift in range(2, 2 + _EXTRA):
        for sizes in choices:
            yield sizes, ("real", "wide")[shift % 2], shift


class _Surveyor:
    """Accumulates comparisons."""

    def __init__(self, anatomy: Anatomy, search: Search) -> None:
        self.goal, self.anatomy, self.search = anatomy.goal, anatomy, search
        self.searches = _SEARCHES
        self.tolerance = tolerance(anatomy)
        self.entries, self.error = 0, 0.0
        self.difference: Difference | None = None
        self.reason: str | None = None
        self.agreed: dict[tuple[int, ...], dict[str, int]] = {}
        self.settled_small = False

    def result(self) -> Survey:
        reason = None
        if not self.entries and self.difference is None:
            reason = self.reason or "no sampled point has both sides defined"
        return Survey(self.entries, self.error, self.difference, reason, tuple(self.agreed.values()))

    def compare(self, sizes: dict[str, int], kind: Kind, seed: int) -> int:
        """Compare at one point; return how many entries counted."""
        try:
            return self.compare_at(sizes, sample(self.goal, sizes, seed, kind, anatomy=self.anatomy))
        except NotEvaluableError as error:
            self.reason = self.reason or str(error)
            return 0

    def compare_at(self, sizes: dict[str, int], point: Point) -> int:
        """Compare at this point; return how many entries counted."""
        try:
            comparison = evaluate(self.goal, sizes, point, anatomy=self.anatomy)
        except NotEvaluableError as error:
            self.reason = self.reason or str(error)
            return 0
        suspects = self._suspects(comparison)
        undecided = 0
        if comparison.error > CLEAR and self._shorter(sizes):
            return comparison.entries
        for at in suspects:
            entry = {index: at[axis] + 1 for axis, index in enumerate(self.goal.ranges)}
            try:
                settled = settle(self.goal, sizes, point, entry, anatomy=self.anatomy)
            except NotEvaluableError as error:
                self.reason = self.reason or str(error)
                settled = Settled("undecided")
            if settled.outcome == "differ":
                if comparison.error > CLEAR or not self._shorter(sizes):
                    self.difference = Difference(sizes, point, entry, settled)
                return comparison.entries
            undecided += settled.outcome == "undecided"
        if undecided:
            return 0
        entries = comparison.entries
        self.entries += entries
        agreeing = comparison.errors[comparison.errors <= self.tolerance]
        self.error = max(self.error, float(agreeing.max(initial=0.0)))
        if entries:
            self.agreed.setdefault(tuple(sizes.values()), sizes)
        return entries

    def _shorter(self, sizes: dict[str, int]) -> bool:
        """Search for a shorter difference, a few times; tell whether there is one."""
        if self.searches:
            self.searches -= 1
            self.difference = self.search(sizes)
        return self.difference is not None

    def _suspects(self, comparison: Comparison) -> list[tuple[int, ...]]:
        """Return the entries to settle: of the largest errors, and once one that float64 may misjudge."""
        errors = comparison.errors
        error = comparison.error
        if not error <= self.tolerance:
            order = np.argsort(-errors, axis=None, kind="stable")[:3]
            places = (np.unravel_index(one, errors.shape) for one in order)
            suspects = [at for at in places if errors[at] > self.tolerance]
            return [tuple(int(one) for one in at) for at in suspects]
        if self.settled_small or not comparison.entries:
            return []
        if (error and _is_small(comparison)) or (self.anatomy.fine and self.anatomy.exact):
            self.settled_small = True
            return [comparison.worst]
        return []


def _is_small(comparison: Comparison) -> bool:
    """Tell whether both sides are as good as 0."""
    return (
        _largest(comparison.left, comparison.counts) + _largest(comparison.right, comparison.counts) < _ZERO
    )


def cross_check(goal: Goal, *, seed: int = 0, deadline: float | None = None) -> CrossCheck | None:
    """Compare both sides at several sizes and points; None where nothing could be compared."""
    anatomy = shrink(Anatomy(goal))
    found = survey(anatomy.goal, seed=seed, deadline=deadline, anatomy=anatomy)
    if found.reason is not None:
        return None
    if found.difference is not None:
        settled = found.difference.settled
        scale = max(abs(settled.left), abs(settled.right))
        return CrossCheck(
            max(found.entries, 1), float(abs(settled.left - settled.right) / scale), agrees=False
        )
    return CrossCheck(found.entries, found.error, agrees=True)

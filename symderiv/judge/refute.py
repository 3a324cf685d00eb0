"""Refute: search for a witness, and say what agreed where there is none.

Contract. A witness is looked for where the sides seemed to differ at a sampled point, and is returned only
for a difference that is the same at 30 and at 50 digits at the point shown. Of those tried the smallest is
taken: smallest sizes, then simplest values, then the first index. No witness proves nothing.
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import mpmath
import numpy as np

from symderiv.judge.anatomy import Anatomy, NotEvaluableError, visible
from symderiv.judge.arithmetic import Array
from symderiv.judge.frames import Frame, Point, over
from symderiv.judge.numeric import (
    CLEAR,
    PRECISIONS,
    Comparison,
    Difference,
    Extent,
    Survey,
    evaluate,
    settle,
    survey,
    tolerance,
)
from symderiv.judge.points import Kind, sample, smallest_first
from symderiv.judge.recall import Recall
from symderiv.judge.shrink import generalised, shrink
from symderiv.judge.special import COINCIDENCES
from symderiv.judge.standins import Family, StandIn, formula
from symderiv.judge.verdict import CrossCheck, Witness
from symderiv.judge.walker import Walker
from symderiv.kernel.terms import D, Goal, Index, entry


@dataclass(frozen=True, slots=True)
class Screening:
    """What numbers say of a goal: a witness against it, how much agreed, or why nothing was compared."""

    witness: Witness | None = None
    agreement: CrossCheck | None = None
    sizes: tuple[dict[str, int], ...] = ()
    """The sizes at which every entry that counts agreed."""
    reason: str | None = None


def screen(
    goal: Goal,
    *,
    seed: int = 0,
    deadline: float | None = None,
    extent: Extent = "whole",
    recall: Recall | None = None,
) -> Screening:
    """Compare the sides at several sizes and points; where they differ, return the smallest witness found."""
    recall = recall or Recall()
    key = (goal.left, goal.right, goal.assumptions, *goal.ranges.items(), id(goal.context), seed)
    if extent == "brief" and key in recall.screened:
        return recall.screened[key][1]
    try:
        found = _screen(goal, seed, deadline, extent, recall)
    except RecursionError:
        found = Screening(reason="the terms are nested too deeply")
    if extent == "brief":
        recall.screened[key] = goal.context, found
    return found


def differs(goal: Goal, *, deadline: float | None = None, recall: Recall | None = None) -> bool:
    """Tell whether a brief look finds a point at which the sides differ; the smallest is not searched for."""
    try:
        anatomy = shrink(Anatomy(_in_order(goal), recall or Recall()))
        return survey(anatomy.goal, deadline=deadline, anatomy=anatomy, extent="brief").difference is not None
    except RecursionError:
        return False


def _in_order(goal: Goal) -> Goal:
    """Return a goal with its ranges in the order in which a reader knows the letters."""
    ranges = dict(sorted(goal.ranges.items(), key=lambda one: (visible(one[0]), one[0].name)))
    return replace(goal, ranges=ranges)


def _screen(goal: Goal, seed: int, deadline: float | None, extent: Extent, recall: Recall) -> Screening:
    anatomy = shrink(Anatomy(_in_order(goal), recall))
    wider = generalised(anatomy)
    if wider is not None:
        found = survey(wider.goal, seed=seed, deadline=deadline, anatomy=wider, extent=extent)
        if found.entries and found.difference is None:
            return _agreed(found)
    kinds = COINCIDENCES if extent == "special" else _SIMPLE_KINDS

    def search(sizes: dict[str, int]) -> Difference | None:
        return _smallest(anatomy, sizes, kinds, seed, deadline)

    found = survey(anatomy.goal, seed=seed, deadline=deadline, anatomy=anatomy, extent=extent, search=search)
    if found.difference is not None:
        return Screening(witness=_witness(anatomy, found.difference), sizes=found.agreed)
    if found.reason is not None:
        return Screening(reason=found.reason)
    return _agreed(found)


def _agreed(found: Survey) -> Screening:
    return Screening(agreement=CrossCheck(found.entries, found.error, agrees=True), sizes=found.agreed)


def refute(goal: Goal, *, seed: int = 0, deadline: float | None = None) -> Witness | None:
    """Return a witness against the goal, or None; `screen` tells what was compared."""
    return screen(goal, seed=seed, deadline=deadline).witness


# The smallest witness

_SECONDS = 0.5
"""The search for a nicer witness than the one at hand ends after this time."""


def _smallest(
    anatomy: Anatomy,
    most: dict[str, int],
    kinds: Sequence[tuple[Kind, int]],
    seed: int,
    deadline: float | None,
) -> Difference | None:
    end = time.monotonic() + _SECONDS
    end = end if deadline is None else min(end, deadline)
    known = (sum(most.values()), tuple(most.values()))
    choices = [
        sizes for sizes in smallest_first(anatomy) if (sum(sizes.values()), tuple(sizes.values())) <= known
    ]
    if most not in choices:
        choices.append(most)
    for family, sizes, (kind, shift) in itertools.product(_families(anatomy), choices, kinds):
        if time.monotonic() > end:
            return None
        difference = _difference_at(anatomy, sizes, kind, family, seed + shift)
        if difference is not None:
            return difference
    return None


_SIMPLE_KINDS: tuple[tuple[Kind, int], ...] = (("simple", 0), ("simple 2", 0), ("simple 3", 0))


def _families(anatomy: Anatomy) -> tuple[Family, ...]:
    """Return what stands in for unknown functions, the simplest first."""
    unknown = any(name in anatomy.context.opaque for name in anatomy.names) or anatomy.unknown_functions()
    return ("linear", "quadratic", "waves") if unknown else ("linear",)


def _difference_at(
    anatomy: Anatomy, sizes: dict[str, int], kind: Kind, family: Family, seed: int
) -> Difference | None:
    goal = anatomy.goal
    try:
        point = sample(goal, sizes, seed, kind, family=family, anatomy=anatomy)
        comparison = evaluate(goal, sizes, point, anatomy=anatomy)
        for at in _clear_entries(anatomy, comparison):
            place = {index: at[axis] + 1 for axis, index in enumerate(goal.ranges)}
            settled = settle(goal, sizes, point, place, anatomy=anatomy)
            if settled.outcome == "differ":
                return Difference(sizes, point, place, settled)
    except NotEvaluableError:
        pass
    return None


def _clear_entries(anatomy: Anatomy, comparison: Comparison) -> list[tuple[int, ...]]:
    """Return the first entries, in order, at which the sides differ clearly, else where they may differ."""
    clear = np.argwhere(comparison.errors > CLEAR)[:2]
    if len(clear):
        return [tuple(int(one) for one in at) for at in clear]
    doubtful = comparison.error > tolerance(anatomy) or anatomy.fine
    return [comparison.worst] if doubtful and anatomy.exact and comparison.entries else []


# What is shown


def _witness(anatomy: Anatomy, difference: Difference) -> Witness:
    left, right = _decimals(difference.settled.left, difference.settled.right)
    return Witness(
        sizes=dict(difference.sizes),
        indices={visible(index): at for index, at in difference.entry.items()},
        values=_values(anatomy, difference.sizes, difference.point),
        left=left,
        right=right,
        digits=PRECISIONS[-1],
    )


def _decimals(left: Any, right: Any) -> tuple[str, str]:
    """Return both numbers with as many digits as it takes to tell them apart, and no fewer than eight."""
    for digits in (8, 12, 20, 30):
        texts = _decimal(left, digits), _decimal(right, digits)
        if texts[0] != texts[1]:
            break
    return texts


def _decimal(number: Any, digits: int) -> str:
    return str(mpmath.nstr(number, digits, min_fixed=-6, max_fixed=12)).removesuffix(".0")


def _values(anatomy: Anatomy, sizes: Mapping[str, int], point: Point) -> dict[str, Any]:
    """Return the values of the primitive names, the gradients of unknown functions, and what stands for f."""
    names = sorted(anatomy.reached(anatomy.goal.left, anatomy.goal.right))
    values = {name: _plain(point.values[name]) for name in names if name in point.values}
    for name in names:
        if name in anatomy.context.opaque:
            values.update(_gradients(anatomy, name, sizes, point))
    for name, arity in sorted(anatomy.unknown_functions()):
        letters, value = formula(StandIn(name, point.family, point.seed), arity)
        values[f"{name}({letters})"] = value
    return values


def _plain(array: Array) -> Any:
    """Return nested lists of numbers, whole ones as integers."""
    if array.ndim:
        return [_plain(np.asarray(part)) for part in array]
    number = float(array)
    return int(number) if number.is_integer() else float(f"{number:.12g}")


def _gradients(anatomy: Anatomy, name: str, sizes: Mapping[str, int], point: Point) -> dict[str, Any]:
    """Return the gradient of an unknown function by each of its arguments."""
    walker = Walker(anatomy, sizes, point)
    found: dict[str, Any] = {}
    for argument in anatomy.context.opaque[name].arguments:
        try:
            slots = [Index(f"slot#{at}") for at, _ in enumerate(anatomy.shape(name))]
            indices = [Index(f"entry#{at}") for at, _ in enumerate(anatomy.shape(argument))]
            lengths = (*walker.shape(name), *walker.shape(argument))
            scope = {index: (1, n) for index, n in zip((*slots, *indices), lengths, strict=True)}
            with np.errstate(all="ignore"):
                gradient = walker.value(D(entry(name, *slots), entry(argument, *indices)), scope, Frame())
        except NotEvaluableError:
            continue
        found[f"\\partial {name}/\\partial {argument}"] = _plain(over(gradient, scope))
    return found

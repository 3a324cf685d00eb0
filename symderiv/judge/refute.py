"""Refute: search for a witness, and say what agreed where there is none.

Contract. A witness is returned only for a difference that was first seen at a point of no particular pattern, and
that is the same at 30 and at 50 digits at the point shown. Of the witnesses tried the smallest is taken: smallest
sizes, then simplest values, then the first index. No witness proves nothing.
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import mpmath
import numpy as np
from sympy import Symbol

from symderiv.judge.arithmetic import FLOAT, Array
from symderiv.judge.numeric import PRECISIONS, Comparison, Difference, Survey, evaluate, settle, survey
from symderiv.judge.points import Kind, reached_names, sample, smallest_first
from symderiv.judge.verdict import CrossCheck, Witness
from symderiv.judge.walker import Family, Frame, Model, NotEvaluableError, Point, Walker, over, subterms
from symderiv.kernel.terms import D, Goal, Index, Unknown, entry


@dataclass(frozen=True, slots=True)
class Screening:
    """What numbers say of a goal: a witness against it, or how much agreed, or why nothing could be compared."""

    witness: Witness | None = None
    agreement: CrossCheck | None = None
    sizes: tuple[dict[str, int], ...] = ()
    """The sizes at which every entry that counts agreed."""
    reason: str | None = None


def screen(goal: Goal, *, seed: int = 0, deadline: float | None = None) -> Screening:
    """Compare the sides at several sizes and points; where they differ, return the smallest witness found."""
    model = Model(goal.context)
    found = survey(goal, seed=seed, deadline=deadline, model=model)
    if found.difference is not None:
        difference = _smallest(goal, model, found, seed, deadline) or found.difference
        return Screening(witness=_witness(goal, model, difference), sizes=found.agreed)
    if found.reason is not None:
        return Screening(reason=found.reason)
    return Screening(agreement=CrossCheck(found.entries, found.error, agrees=True), sizes=found.agreed)


def refute(goal: Goal, *, seed: int = 0, deadline: float | None = None) -> Witness | None:
    """Return a witness against the goal, or None; `screen` tells what was compared."""
    return screen(goal, seed=seed, deadline=deadline).witness


# The smallest witness

_CLEAR = 1e-6
_SECONDS = 0.5
"""The search for a nicer witness than the one at hand ends after this time."""


def _smallest(goal: Goal, model: Model, found: Survey, seed: int, deadline: float | None) -> Difference | None:
    end = time.monotonic() + _SECONDS
    end = end if deadline is None else min(end, deadline)
    assert found.difference is not None
    known = (sum(found.difference.sizes.values()), tuple(found.difference.sizes.values()))
    choices = [
        sizes
        for sizes in smallest_first(goal, model=model)
        if (sum(sizes.values()), tuple(sizes.values())) <= known
    ]
    for family, sizes, kind in itertools.product(_families(goal, model), choices, _SIMPLE_KINDS):
        if time.monotonic() > end:
            return None
        difference = _difference_at(goal, model, sizes, kind, family, seed)
        if difference is not None:
            return difference
    return None


_SIMPLE_KINDS: tuple[Kind, ...] = ("simple", "simple 2", "simple 3")


def _families(goal: Goal, model: Model) -> tuple[Family, ...]:
    """Return what stands in for unknown functions, the simplest first."""
    unknown = any(name in goal.context.opaque for name in reached_names(goal, model)) or bool(_unknowns(goal, model))
    return ("linear", "quadratic", "waves") if unknown else ("linear",)


def _difference_at(
    goal: Goal, model: Model, sizes: dict[str, int], kind: Kind, family: Family, seed: int
) -> Difference | None:
    try:
        point = sample(goal, sizes, seed, kind, family=family, model=model)
        comparison = evaluate(goal, sizes, point, model=model)
        for at in _clear_entries(comparison):
            place = {index: at[axis] + 1 for axis, index in enumerate(goal.ranges)}
            settled = settle(goal, sizes, point, place, model=model)
            if settled.outcome == "differ":
                return Difference(sizes, point, place, settled)
    except NotEvaluableError:
        pass
    return None


def _clear_entries(comparison: Comparison) -> list[tuple[int, ...]]:
    """Return the first entries, in order, at which the sides differ clearly."""
    clear = np.argwhere(comparison.errors > _CLEAR)[:2]
    return [tuple(int(one) for one in at) for at in clear]


# What is shown


def _witness(goal: Goal, model: Model, difference: Difference) -> Witness:
    left, right = _decimals(difference.settled.left, difference.settled.right)
    return Witness(
        sizes=dict(difference.sizes),
        indices={_visible(index): at for index, at in difference.entry.items()},
        values=_values(goal, model, difference.sizes, difference.point),
        left=left,
        right=right,
        digits=PRECISIONS[-1],
    )


def _visible(index: Index) -> str:
    return index.name.split("#")[0]


def _decimals(left: Any, right: Any) -> tuple[str, str]:
    """Return both numbers with as many digits as it takes to tell them apart, and no fewer than eight."""
    for digits in (8, 12, 20, 30):
        texts = _decimal(left, digits), _decimal(right, digits)
        if texts[0] != texts[1]:
            break
    return texts


def _decimal(number: Any, digits: int) -> str:
    return str(mpmath.nstr(number, digits, min_fixed=-6, max_fixed=12)).removesuffix(".0")


def _values(goal: Goal, model: Model, sizes: Mapping[str, int], point: Point) -> dict[str, Any]:
    """Return the values of the primitive names, and of the gradients of unknown functions."""
    names = reached_names(goal, model, with_hypotheses=False)
    values = {name: _plain(point.values[name]) for name in names if name in point.values}
    for name in names:
        if name in goal.context.opaque:
            values.update(_gradients(goal, model, name, sizes, point))
    for name in sorted(_unknowns(goal, model)):
        values[name] = "a smooth function"
    return values


def _plain(array: Array) -> Any:
    """Return nested lists of numbers, whole ones as integers."""
    if array.ndim:
        return [_plain(np.asarray(part)) for part in array]
    number = float(array)
    return int(number) if number.is_integer() else float(f"{number:.12g}")


def _gradients(goal: Goal, model: Model, name: str, sizes: Mapping[str, int], point: Point) -> dict[str, Any]:
    """Return the gradient of an unknown function by each of its arguments."""
    opaque = goal.context.opaque[name]
    walker = Walker(model, sizes, point, FLOAT)
    found: dict[str, Any] = {}
    for argument in opaque.arguments:
        try:
            slots = [Index(f"slot#{at}") for at, _ in enumerate(model.shape(name))]
            indices = [Index(f"entry#{at}") for at, _ in enumerate(model.shape(argument))]
            lengths = (*walker.dimensions(name), *walker.dimensions(argument))
            scope = {index: (1, n) for index, n in zip((*slots, *indices), lengths, strict=True)}
            with np.errstate(all="ignore"):
                gradient = walker.value(D(entry(name, *slots), entry(argument, *indices)), scope, Frame())
        except NotEvaluableError:
            continue
        found[f"\\partial {name}/\\partial {argument}"] = _plain(over(gradient, scope))
    return found


def _unknowns(goal: Goal, model: Model) -> frozenset[str]:
    """Return the names of the unknown scalar functions that the sides use."""
    bodies = [
        goal.context.definitions[name].body
        for name in reached_names(goal, model, with_hypotheses=False)
        if name in goal.context.definitions
    ]
    return frozenset(
        part.args[0].name
        for part in subterms(goal.left, goal.right, *bodies)
        if isinstance(part, Unknown) and isinstance(part.args[0], Symbol)
    )


"""Points: at which sizes, and at which values of the primitive names, a goal is evaluated.

Contract. Deterministic for a seed. Values are multiples of 1/64 wherever the hypotheses allow, so that they
are exact in every arithmetic and a person can read them. A point satisfies every hypothesis of the goal, or
is not returned.
Vocabulary. A *hypothesis* is an assumption between terms (`Σ_k y_k = 1`); its indices are universal. An
assumption between indices (`i ≠ j`) is a *mask*: it says which entries count. One between sizes restricts
the sizes.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal

import numpy as np
import sympy
from sympy import Expr
from sympy.logic.boolalg import Boolean

from symderiv.judge.anatomy import (
    Anatomy,
    NotEvaluableError,
    free_indices,
    index_only,
    size_value,
    traits,
)
from symderiv.judge.arithmetic import Array
from symderiv.judge.feasible import CannotSampleError, holding, own_scope, satisfied
from symderiv.judge.frames import Frame, Point, Scope, open_scope, over
from symderiv.judge.standins import Family, draw, dyadic
from symderiv.judge.walker import Walker
from symderiv.kernel.terms import Bounds, Goal, Size, free_in

Kind = Literal[
    "real", "positive", "unit", "wide", "negative", "tiny",
    "simple", "simple 2", "simple 3", "zero", "one", "tied",
]  # fmt: skip


# Sizes


_ONE_SIZE = (3, 2, 1, 4, 6, 7)
_MOST_CHOICES = 6
_MOST_BOUNDS = 4
_SMALL = 4
_FAR = 8


def size_choices(goal: Goal, *, anatomy: Anatomy | None = None) -> list[dict[str, int]]:
    """Return a few choices of the sizes: distinct in both orders, each size 1 once, and all equal."""
    anatomy = anatomy or Anatomy(goal)
    names, possible = anatomy.sizes, _possible(anatomy)
    if len(names) <= 1:
        choices = [dict.fromkeys(names, size) for size in (_ONE_SIZE if names else (0,))]
        return [choice for choice in choices if possible(choice)]
    told = _telling(names, possible, tuple(_bounds(anatomy)))
    return [dict(zip(names, values, strict=True)) for values in told]


def far_choices(anatomy: Anatomy) -> list[dict[str, int]]:
    """Return two larger choices, in both orders: factors that vanish at each small size do not hide there."""
    names, possible = anatomy.sizes, _possible(anatomy)
    if len(names) < _SMALL:
        rising = [_FAR + 2 * at for at, _ in enumerate(names)]
    else:
        rising = [_SMALL + (2 * at) % 5 for at, _ in enumerate(names)]
    rows = (rising, rising[::-1]) if len(names) > 1 else ([_SMALL + 1], [_FAR])
    choices = (dict(zip(names, row, strict=True)) for row in rows if names)
    return [choice for choice in choices if possible(choice)]


def _bounds(anatomy: Anatomy) -> list[Expr]:
    """Return the first few bounds, lengths and places that are made of sizes: T + 1, 2 T, a small number."""
    found = [size for name in anatomy.names for size in anatomy.shape(name)]
    for term in reversed((anatomy.goal.left, anatomy.goal.right, *anatomy.bodies)):
        found.extend(traits(term).places)
    return [bound for bound in dict.fromkeys(found) if _is_bound(bound, anatomy)][:_MOST_BOUNDS]


def _is_bound(bound: Expr, anatomy: Anatomy) -> bool:
    if isinstance(bound, sympy.Integer):
        return bool(1 < bound < _SMALL)
    sized = all(isinstance(one, Size) and one.name in anatomy.sizes for one in free_in(bound))
    return sized and not isinstance(bound, Size) and index_only(bound) and bool(bound.is_integer)


@lru_cache(maxsize=256)
def _telling(
    names: tuple[str, ...], possible: _Possible, bounds: tuple[Expr, ...]
) -> tuple[tuple[int, ...], ...]:
    """Choose a few values of the sizes that tell these, and the bounds, apart, the most telling first."""
    rows = [
        (tuple(choice.values()), tuple(size_value(bound, choice) for bound in bounds))
        for choice in _candidates(names)
        if possible(choice)
    ]
    told = {values: _told_apart(values, bounds) for values, bounds in rows}
    order = sorted(told, key=lambda values: (-len(set(values)), 1 in values, sum(values)))
    chosen: list[tuple[int, ...]] = []
    seen: set[tuple[object, ...]] = set()
    while order and len(chosen) < _MOST_CHOICES:
        best = max(order, key=lambda values: len(told[values] - seen))
        if not told[best] - seen:
            break
        seen |= told[best]
        chosen.append(best)
    equal = tuple(2 for _ in order[0]) if order else ()
    return (*chosen, equal) if equal in told and equal not in chosen else tuple(chosen)


def smallest_first(anatomy: Anatomy, *, most: int = 3, limit: int = 40) -> list[dict[str, int]]:
    """Return choices of the sizes from the smallest on."""
    names, possible = anatomy.sizes, _possible(anatomy)
    if len(names) == 1:
        most = max(_ONE_SIZE)
    if len(names) > _SMALL + 1:
        every = [tuple(choice.values()) for choice in _candidates(names)]
    else:
        every = list(itertools.product(range(1, most + 1), repeat=len(names)))
    ordered = sorted(dict.fromkeys(every), key=lambda values: (sum(values), values))
    choices = (dict(zip(names, values, strict=True)) for values in ordered)
    return list(itertools.islice((choice for choice in choices if possible(choice)), limit))


def _candidates(names: Sequence[str]) -> Iterator[dict[str, int]]:
    if len(names) <= _SMALL:
        for values in itertools.product(range(1, _SMALL + 1), repeat=len(names)):
            yield dict(zip(names, values, strict=True))
        return
    generator = draw(0, "sizes", *names)
    largest = _SMALL if len(names) <= _SMALL + 2 else 3
    yield dict.fromkeys(names, 1)
    yield dict.fromkeys(names, 2)
    for _ in range(200):
        yield dict(
            zip(names, (int(value) for value in generator.integers(1, largest + 1, len(names))), strict=True)
        )


def _told_apart(values: tuple[int, ...], bounds: tuple[int, ...]) -> set[tuple[object, ...]]:
    """Return what a choice tells apart: a size is 1, or not; of two sizes or bounds which one is larger."""
    found: set[tuple[object, ...]] = {(at, value == 1) for at, value in enumerate(values)}
    for (a, m), (b, n) in itertools.combinations(enumerate((*values, *bounds)), 2):
        if m != n:
            found.add((a, b, m < n))
    return found


@dataclass(frozen=True, slots=True)
class _Possible:
    """Tells whether shapes, ranges and assumptions allow a choice of sizes."""

    sizes: tuple[Any, ...]
    relations: tuple[Boolean, ...]

    def __call__(self, choice: Mapping[str, int]) -> bool:
        try:
            if any(size_value(size, choice) < 1 for size in self.sizes):
                return False
        except NotEvaluableError:
            return False
        values = {Size(name): value for name, value in choice.items()} if self.relations else {}
        return all(relation.subs(values) == True for relation in self.relations)  # noqa: E712


def _possible(anatomy: Anatomy) -> _Possible:
    """Return what the goal allows."""
    shapes = [size for name in anatomy.names for size in anatomy.shape(name)]
    sizes = dict.fromkeys([*shapes, *anatomy.goal.ranges.values()])
    return _Possible(tuple(sizes), anatomy.assumptions.sizes)


# Values

_SIMPLE = np.array([1, 2, -1, 0.5, 3, -2, 1.5, -0.5, 4, -3, 2.5, -1.5, 5, -4, 3.5, -2.5])
_SIMPLE_POSITIVE = np.array([1, 2, 0.5, 3, 1.5, 4, 2.5, 5, 0.25, 6, 3.5, 7, 0.75, 8, 4.5, 9])


def _simple(name_at: int, shape: tuple[int, ...], *, positive: bool, turn: int) -> Array:
    """Return small distinct numbers; another turn, or another name, starts elsewhere among them."""
    pattern = _SIMPLE_POSITIVE if positive else _SIMPLE
    count = int(np.prod(shape, dtype=int))
    return np.resize(np.roll(pattern, -(2 * turn + name_at)), count).reshape(shape).astype(float)


_RANGES: dict[str, tuple[float, float]] = {
    "real": (-2.0, 2.0),
    "positive": (0.25, 2.5),
    "unit": (0.0625, 0.9375),
    "wide": (-4.5, 4.5),
    "negative": (-2.5, -0.25),
    "tiny": (-0.0625, 0.0625),
}
_TIES: dict[Kind, tuple[int, int]] = {"zero": (0, 0), "one": (1, 1), "tied": (-1, 1)}
"""Whole numbers among which values coincide: the least and the greatest."""
_LEAST = 0.125
_MOST_VALUES = 100_000


@lru_cache(maxsize=4096)
def _generic(name: str, shape: tuple[int, ...], *, positive: bool, kind: str, seed: int) -> Array:
    """Return values of no particular pattern, none of them close to 0; not to be written to."""
    low, high = _RANGES[kind]
    values = dyadic(draw(seed, "values", name, kind).uniform(low, high, shape), 1024)
    least = min(_LEAST, (high - low) / 8)
    values = np.where(abs(values) < least, values + np.where(values < 0, -least, least), values)
    values = np.asarray(abs(values) if positive else values)
    values.setflags(write=False)
    return values


def _tied(name: str, shape: tuple[int, ...], *, positive: bool, kind: Kind, seed: int) -> Array:
    """Return whole numbers of which many are equal, positive ones from 1 on."""
    low, high = _TIES[kind]
    up = 1 - low if positive and low < 1 else 0
    values = draw(seed, "ties", name, kind).integers(low, high, shape, endpoint=True) + up
    return np.asarray(values, dtype=float)


def _dominated(values: Array, *, simple: bool) -> Array:
    """Return a symmetric matrix whose diagonal outweighs the rest of each row: it is positive definite."""
    symmetric = (values + values.T) / 2
    if simple:
        rows = abs(symmetric).sum(axis=1)
        return np.asarray(symmetric + np.diag(np.ceil(rows) - np.diag(symmetric)))
    return np.asarray(symmetric + np.diag(abs(symmetric).sum(axis=1) + 0.5))


def sample(  # noqa: PLR0913  a point is what these say
    goal: Goal,
    sizes: Mapping[str, int],
    seed: int = 0,
    kind: Kind = "real",
    *,
    family: Family | None = None,
    anatomy: Anatomy | None = None,
) -> Point:
    """Return a point of this kind that satisfies the hypotheses; `CannotSampleError` where none is found."""
    anatomy = anatomy or Anatomy(goal)
    simple = kind.startswith("simple")
    values = _drawn(anatomy, sizes, seed, kind)
    point = Point(values, family or ("linear" if simple else "waves"), seed)
    if not anatomy.unbounded:
        return point
    return satisfied(anatomy, sizes, point, sparse=simple or kind in _TIES)


def _drawn(anatomy: Anatomy, sizes: Mapping[str, int], seed: int, kind: Kind) -> dict[str, Array]:
    """Return values of the primitive names, within their bounds and from their sets."""
    simple = kind.startswith("simple")
    turn = int(kind[-1]) - 1 if kind[-1].isdigit() else 0
    values: dict[str, Array] = {}
    for at, name in enumerate(name for name in anatomy.names if anatomy.primitive(name)):
        shape = tuple(size_value(size, sizes) for size in anatomy.shape(name))
        if math.prod(shape) > _MOST_VALUES:
            raise CannotSampleError(f"{name} has {math.prod(shape)} entries")
        bounds = anatomy.bounds.get(name)
        positive = name in anatomy.positive
        if positive and bounds is not None and bounds.high is not None:
            # Its bounds keep it positive, so that values of both signs reach both halves of them.
            positive = kind in _UPPER
        if name in anatomy.context.values:
            choices = np.array(anatomy.context.values[name], dtype=float)
            values[name] = choices[draw(seed, "choices", name, kind).integers(0, len(choices), shape)]
        elif kind in _TIES:
            values[name] = _tied(name, shape, positive=positive, kind=kind, seed=seed)
        elif simple:
            values[name] = _simple(at, shape, positive=positive, turn=turn)
        else:
            values[name] = _generic(name, shape, positive=positive, kind=kind, seed=seed)
        if name in anatomy.context.discrete and name not in anatomy.context.values:
            values[name] = np.sign(values[name]) * np.ceil(abs(values[name]))
        if bounds is not None:
            values[name] = _within(values[name], bounds, kind)
        if name in anatomy.definite and len(shape) == 2:
            values[name] = _dominated(values[name], simple=simple)
    return values


_UPPER: tuple[Kind, ...] = ("positive", "unit", "wide")
"""Kinds that lie in the upper half of an interval of positive numbers."""
_PARTS = np.array([0.5, 0.25, 0.75, 0.125, 0.625, 0.375, 0.875])


def _within(values: Array, bounds: Bounds, kind: Kind) -> Array:
    """Return values inside bounds; of those that coincide some lie on a bound, if it is reached."""
    if bounds.empty or bounds.low == bounds.high is not None:
        raise CannotSampleError("no values lie within the bounds")
    low = -np.inf if bounds.low is None else float(bounds.low)
    high = np.inf if bounds.high is None else float(bounds.high)
    if np.isfinite(high - low):
        simple = kind.startswith("simple")
        inside = low + (high - low) * (_simple_parts(values) if simple else _generic_parts(values))
    elif low > -np.inf:
        inside = values if (values > low).all() and low == 0 else low + np.where(values == 0, 1, abs(values))
    else:
        inside = high - np.where(values == 0, 1, abs(values))
    if kind in _TIES:
        inside = np.where((low < values) & (values < high), values, inside)
        inside = inside if bounds.open_low else np.where(values <= low, low, inside)
        inside = inside if bounds.open_high else np.where(values >= high, high, inside)
    return np.asarray(inside)


def _generic_parts(values: Array) -> Array:
    return dyadic(1 / (1 + np.exp(-values)), 1024)


def _simple_parts(values: Array) -> Array:
    """Return small fractions, other ones for other values."""
    places = (np.round(2 * values).astype(int) + np.arange(values.size).reshape(values.shape)) % len(_PARTS)
    return np.asarray(_PARTS[places])


# Which entries count


def mask(anatomy: Anatomy, sizes: Mapping[str, int], point: Point) -> Array:
    """Return which entries of the goal count under its assumptions."""
    scope = open_scope(anatomy.goal, sizes)
    counts = np.ones(tuple(length for _, length in scope.values()), dtype=bool)
    if not anatomy.assumptions.mask and not anatomy.assumptions.hypotheses:
        return counts
    walker = Walker(anatomy, sizes, point)
    for condition in anatomy.assumptions.mask:
        inner = dict(scope)
        beside = [scope[index] for index in sorted(free_indices(condition) & set(scope), key=str)]
        for index in sorted(free_indices(condition) - set(scope), key=str):
            if not beside:
                raise NotEvaluableError("an assumption on indices of which none is free here")
            inner[index] = beside[0]
        counts &= _existing(over(walker.condition(condition, inner, Frame()), inner) == 1, scope)
    for hypothesis in anatomy.assumptions.hypotheses:
        if free_indices(hypothesis) & set(scope):
            counts &= _holds(hypothesis, scope, walker)
    return counts


def _existing(holds: Array, scope: Scope) -> Array:
    """Return where a condition holds for some value of the indices that are not free in the goal."""
    return np.asarray(holds.any(axis=tuple(range(len(scope), holds.ndim))))


def _holds(hypothesis: Boolean, scope: Scope, walker: Walker) -> Array:
    """Return the entries at which a hypothesis holds, for all of its own indices."""
    holds = holding(hypothesis, own_scope(hypothesis, scope, walker.anatomy, walker.sizes), walker)
    return np.asarray(holds.all(axis=tuple(range(len(scope), holds.ndim))))

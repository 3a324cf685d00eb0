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
from functools import lru_cache
from typing import Literal

import numpy as np
import sympy
from sympy import Expr, Indexed, Product, Sum
from sympy.core.relational import Relational
from sympy.logic.boolalg import Boolean

from symderiv.judge.anatomy import (
    Anatomy,
    NotEvaluableError,
    free_indices,
    index_only,
    size_value,
    subterms,
    visible,
)
from symderiv.judge.arithmetic import Array
from symderiv.judge.standins import Family, draw, dyadic
from symderiv.judge.walker import Frame, Point, Scope, Walker, open_scope, over
from symderiv.kernel.terms import Bounds, Definite, Goal, Greatest, Index, Size

Kind = Literal[
    "real", "positive", "unit", "wide", "negative",
    "simple", "simple 2", "simple 3", "zero", "one", "tied",
]  # fmt: skip


class CannotSampleError(NotEvaluableError):
    """No values were found that satisfy the hypotheses."""


# Sizes


_ONE_SIZE = (3, 2, 1, 4, 6, 7)
_MOST_CHOICES = 6
_MOST_BOUNDS = 4
_SMALL = 4
_FAR = 8


def size_choices(goal: Goal, *, anatomy: Anatomy | None = None) -> list[dict[str, int]]:
    """Return a few choices of the sizes: distinct in both orders, each size 1 once, and all equal."""
    anatomy = anatomy or Anatomy(goal)
    names, possible = anatomy.sizes, _Possible(anatomy)
    if len(names) <= 1:
        choices = [dict.fromkeys(names, size) for size in (_ONE_SIZE if names else (0,))]
        return [choice for choice in choices if possible(choice)]
    bounds = _bounds(anatomy)
    rows = tuple(
        (tuple(choice.values()), tuple(size_value(bound, choice) for bound in bounds))
        for choice in _candidates(names)
        if possible(choice)
    )
    return [dict(zip(names, values, strict=True)) for values in _telling(rows)]


def far_choices(anatomy: Anatomy) -> list[dict[str, int]]:
    """Return two larger choices, in both orders: factors that vanish at each small size do not hide there."""
    names, possible = anatomy.sizes, _Possible(anatomy)
    least = _FAR if len(names) < _SMALL else _SMALL
    rising = [least + 2 * at for at, _ in enumerate(names)]
    rows = (rising, rising[::-1]) if len(names) > 1 else ([_SMALL + 1], [_FAR])
    choices = (dict(zip(names, row, strict=True)) for row in rows if names)
    return [choice for choice in choices if possible(choice)]


def _bounds(anatomy: Anatomy) -> list[Expr]:
    """Return the first few bounds, lengths and places that are made of sizes: T + 1, 2 T, a small number."""
    found = [size for name in anatomy.names for size in anatomy.shape(name)]
    for part in subterms(anatomy.goal.left, anatomy.goal.right, *anatomy.bodies):
        if isinstance(part, Sum | Product | Greatest):
            found.extend(limit[2] for limit in part.limits if len(limit) == 3)
        elif isinstance(part, Indexed):
            found.extend(part.indices)
    return [bound for bound in dict.fromkeys(found) if _is_bound(bound, anatomy)][:_MOST_BOUNDS]


def _is_bound(bound: Expr, anatomy: Anatomy) -> bool:
    if isinstance(bound, sympy.Integer):
        return bool(1 < bound < _SMALL)
    sized = all(isinstance(one, Size) and one.name in anatomy.sizes for one in bound.free_symbols)
    return sized and not isinstance(bound, Size) and index_only(bound) and bool(bound.is_integer)


@lru_cache(maxsize=64)
def _telling(rows: tuple[tuple[tuple[int, ...], tuple[int, ...]], ...]) -> tuple[tuple[int, ...], ...]:
    """Choose a few among the rows that tell the sizes, and the bounds, apart, the most telling first."""
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
    names, possible = anatomy.sizes, _Possible(anatomy)
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


class _Possible:
    """Tells whether the shapes, ranges and assumptions allow a choice of sizes."""

    def __init__(self, anatomy: Anatomy) -> None:
        self._relations = anatomy.assumptions.sizes
        shapes = [size for name in anatomy.names for size in anatomy.shape(name)]
        self._sizes = list(dict.fromkeys([*shapes, *anatomy.goal.ranges.values()]))

    def __call__(self, choice: Mapping[str, int]) -> bool:
        try:
            if any(size_value(size, choice) < 1 for size in self._sizes):
                return False
        except NotEvaluableError:
            return False
        values = {Size(name): value for name, value in choice.items()}
        return all(relation.subs(values) == True for relation in self._relations)  # noqa: E712


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
    values = np.where(abs(values) < _LEAST, values + np.where(values < 0, -_LEAST, _LEAST), values)
    values = np.asarray(abs(values) if positive else values)
    values.setflags(write=False)
    return values


def _tied(name: str, shape: tuple[int, ...], *, positive: bool, kind: Kind, seed: int) -> Array:
    """Return whole numbers of which many are equal, positive ones from 1 on."""
    low, high = _TIES[kind]
    up = 1 - low if positive and low < 1 else 0
    values = draw(seed, "ties", name, kind).integers(low, high, shape, endpoint=True) + up
    return np.asarray(values, dtype=float)


def _dominated(values: Array) -> Array:
    """Return a symmetric matrix whose diagonal outweighs the rest of each row: it is positive definite."""
    symmetric = (values + values.T) / 2
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
    ordered = any(isinstance(one, Relational) and not isinstance(one, sympy.Eq) for one in anatomy.unbounded)
    for attempt in range(_ATTEMPTS if ordered else 1):
        values = _drawn(anatomy, sizes, seed + _APART * attempt, kind, attempt)
        point = Point(values, family or ("linear" if kind.startswith("simple") else "waves"), seed)
        if not anatomy.assumptions.hypotheses:
            return point
        try:
            return _Hypotheses(anatomy, sizes).satisfy(point, sparse=kind.startswith("simple"))
        except CannotSampleError:
            if attempt == _ATTEMPTS - 1 or not ordered:
                raise
    raise AssertionError


_ATTEMPTS, _APART = 8, 1009
"""So often is a point drawn that satisfies `a > b`; how far apart the seeds are."""


def _drawn(
    anatomy: Anatomy, sizes: Mapping[str, int], seed: int, kind: Kind, attempt: int
) -> dict[str, Array]:
    """Return values of the primitive names, within their bounds and from their sets."""
    simple = kind.startswith("simple")
    turn = (int(kind[-1]) - 1 if kind[-1].isdigit() else 0) + attempt
    values: dict[str, Array] = {}
    for at, name in enumerate(name for name in anatomy.names if anatomy.primitive(name)):
        shape = tuple(size_value(size, sizes) for size in anatomy.shape(name))
        if math.prod(shape) > _MOST_VALUES:
            raise CannotSampleError(f"{name} has {math.prod(shape)} entries")
        positive = name in anatomy.positive
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
        if name in anatomy.bounds:
            values[name] = _within(values[name], anatomy.bounds[name], simple=simple)
        if name in anatomy.definite and len(shape) == 2:
            values[name] = _dominated(values[name])
    return values


def _lies(values: Array, bounds: Bounds) -> bool:
    """Tell whether values lie within bounds."""
    low, high = (None if end is None else float(end) for end in (bounds.low, bounds.high))
    above = low is None or bool((values > low if bounds.open_low else values >= low).all())
    return above and (high is None or bool((values < high if bounds.open_high else values <= high).all()))


_PARTS = np.array([0.5, 0.25, 0.75, 0.125, 0.625, 0.375, 0.875])


def _within(values: Array, bounds: Bounds, *, simple: bool) -> Array:
    """Return values that lie inside bounds, never on them."""
    if bounds.empty or bounds.low == bounds.high is not None:
        raise CannotSampleError("no values lie within the bounds")
    low, high = (None if end is None else float(end) for end in (bounds.low, bounds.high))
    if low is not None and high is not None:
        parts = _simple_parts(values) if simple else dyadic(1 / (1 + np.exp(-values)), 1024)
        return np.asarray(low + (high - low) * parts)
    if low is not None:
        return np.asarray(values if (values > low).all() and low == 0 else low + abs(values))
    return values if high is None else np.asarray(high - abs(values))


def _simple_parts(values: Array) -> Array:
    """Return small fractions, other ones for other values."""
    places = (np.round(2 * values).astype(int) + np.arange(values.size).reshape(values.shape)) % len(_PARTS)
    return np.asarray(_PARTS[places])


# Hypotheses

CLOSE = 1e-12
_ROUNDS = 14
_PROGRESS, _PATIENCE = 0.9, 1
"""So often may the residual not fall to this part of the best so far."""
_STARTS = 4
_MOST_PINS = 6


class _Hypotheses:
    """Moves a point until the hypotheses hold: Newton's method on the entries of the primitives."""

    def __init__(self, anatomy: Anatomy, sizes: Mapping[str, int]) -> None:
        hypotheses = anatomy.assumptions.hypotheses
        self.anatomy, self.sizes = anatomy, sizes
        self.equations = [one for one in hypotheses if isinstance(one, sympy.Eq)]
        self.others = [one for one in hypotheses if not isinstance(one, sympy.Eq)]
        self.ranged = open_scope(anatomy.goal, sizes)
        self.moved = tuple(
            sorted(name for name in anatomy.reached(*self.equations) if anatomy.primitive(name))
        )
        """The primitives whose values the equations restrict."""
        self._bounded = [name for name in self.moved if name in anatomy.bounds]

    def satisfy(self, point: Point, *, sparse: bool) -> Point:
        """Return a point near this one at which the hypotheses hold."""
        with np.errstate(all="ignore"):
            attempts = list(itertools.product(self._pins(), range(_STARTS), (sparse, not sparse)))
            worked = self.anatomy.solved_by
            if worked in attempts:
                attempts = [worked, *attempts]
            for pins, start, few in attempts:
                scopes = [self._scope(equation, pins) for equation in self.equations]
                found = self._newton(self._start(point, start), scopes, sparse=few)
                if found is not None and self._allowed(found, pins):
                    self.anatomy.solved_by = (pins, start, few)
                    return found
        raise CannotSampleError("no values were found that satisfy the assumptions")

    def _pins(self) -> Iterator[dict[Index, int]]:
        """Yield values for the goal's indices that hypotheses mention; none first: they hold for all."""
        yield {}
        mentioned = sorted(
            {
                index
                for one in (*self.equations, *self.others)
                for index in free_indices(one)
                if index in self.ranged
            },
            key=lambda index: index.name,
        )
        runs = [range(1, self.ranged[index][1] + 1) for index in mentioned]
        if mentioned:
            for values in itertools.islice(itertools.product(*runs), _MOST_PINS):
                yield dict(zip(mentioned, values, strict=True))

    def _scope(self, hypothesis: Boolean, pins: Mapping[Index, int]) -> Scope:
        scope = _own_scope(hypothesis, self.ranged, self.anatomy, self.sizes)
        pinned = {index: (value, 1) for index, value in pins.items()}
        return {index: pinned.get(index, scope[index]) for index in sorted(free_indices(hypothesis), key=str)}

    def _start(self, point: Point, at: int) -> Point:
        """Return where to start from: the point itself, one closer to 0, or one-hot tensors."""
        values = dict(point.values)
        for name in self.moved if at else ():
            if at == 1:
                values[name] = abs(values[name]) / 4
            elif values[name].ndim:
                values[name] = _one_hot(name, values[name].shape, point.seed + at)
        return Point(values, point.family, point.seed)

    def _newton(self, start: Point, scopes: Sequence[Scope], *, sparse: bool) -> Point | None:
        values = dict(start.values)
        best, stuck = np.inf, 0
        for _ in range(_ROUNDS):
            point = Point(values, start.family, start.seed)
            residual, jacobian = self._linear(point, scopes)
            if not np.isfinite(residual).all() or not np.isfinite(jacobian).all():
                return None
            worst = float(abs(residual).max(initial=0.0))
            if worst == 0 or (worst < CLOSE and worst >= best / 2):
                return point
            stuck = stuck + 1 if worst > best * _PROGRESS else 0
            if stuck > _PATIENCE:
                return None
            best = min(best, worst)
            step = _step(jacobian, residual, sparse=sparse)
            if not step.any():
                return point if worst < CLOSE else None
            values, at = dict(point.values), 0
            for name in self.moved:
                array = point.values[name]
                values[name] = array + step[at : at + array.size].reshape(array.shape)
                at += array.size
        return Point(values, start.family, start.seed) if best < CLOSE else None

    def _linear(self, point: Point, scopes: Sequence[Scope]) -> tuple[Array, Array]:
        """Return the residuals of all equations, and their derivatives by every entry of the moved names."""
        walker = Walker(self.anatomy, self.sizes, point)
        residuals: list[Array] = []
        rows: list[Array] = []
        for equation, scope in zip(self.equations, scopes, strict=True):
            left, right = equation.args
            frame = Frame()
            residual = over(walker.subtract(left, right, scope, frame), scope).ravel()
            columns = [
                walker.jacobian(left, right, name, scope, frame).reshape((point.values[name].size, -1)).T
                for name in self.moved
            ]
            residuals.append(residual)
            rows.append(np.concatenate(columns, axis=1) if columns else np.zeros((residual.size, 0)))
        if not residuals:
            return np.zeros(0), np.zeros((0, sum(point.values[name].size for name in self.moved)))
        return np.concatenate(residuals), np.concatenate(rows)

    def _allowed(self, point: Point, pins: Mapping[Index, int]) -> bool:
        """Tell whether the signs and the hypotheses that are no equations are respected."""
        if any((point.values[name] <= 0).any() for name in self.anatomy.positive if name in point.values):
            return False
        if not all(_lies(point.values[name], self.anatomy.bounds[name]) for name in self._bounded):
            return False
        few = self.anatomy.context.values
        if any(not np.isin(point.values[name], few[name]).all() for name in self.moved if name in few):
            return False
        walker = Walker(self.anatomy, self.sizes, point)
        return all(_true(one, self._scope(one, pins), walker).all() for one in self.others)


def _own_scope(hypothesis: Boolean, scope: Scope, anatomy: Anatomy, sizes: Mapping[str, int]) -> Scope:
    """Return the scope with the hypothesis's own indices; the entries tell how far these run."""
    full = dict(scope)
    for index in sorted(free_indices(hypothesis) - set(scope), key=str):
        size = anatomy.range_by_use(index, hypothesis)
        if size is None:
            raise CannotSampleError(f"the range of {visible(index)} in an assumption is not known")
        full[index] = (1, size_value(size, sizes))
    return full


def _one_hot(name: str, shape: tuple[int, ...], seed: int) -> Array:
    values = np.zeros(shape)
    rows = values.reshape((-1, shape[-1]))
    rows[np.arange(len(rows)), draw(seed, "one-hot", name).integers(0, shape[-1], len(rows))] = 1
    return values


def _step(jacobian: Array, residual: Array, *, sparse: bool) -> Array:
    """Return Newton's step: the shortest, or one that moves as few entries as it can."""
    if not sparse:
        return np.asarray(np.linalg.lstsq(jacobian, -residual, rcond=1e-12)[0])
    step = np.zeros(jacobian.shape[1])
    columns = _pivots(jacobian)
    if columns:
        step[columns] = np.linalg.lstsq(jacobian[:, columns], -residual, rcond=1e-12)[0]
        step[columns] = np.where(
            abs(step[columns] - dyadic(step[columns])) < CLOSE, dyadic(step[columns]), step[columns]
        )
    return step


def _pivots(jacobian: Array) -> list[int]:
    """Return independent columns that span the rest, the last ones first among equals."""
    rest = jacobian.copy()
    chosen: list[int] = []
    for _ in range(min(jacobian.shape)):
        norms = np.round((rest**2).sum(axis=0), 9)
        at = len(norms) - 1 - int(np.argmax(norms[::-1]))
        if norms[at] <= CLOSE:
            break
        chosen.append(at)
        direction = rest[:, at] / np.linalg.norm(rest[:, at])
        rest = rest - np.outer(direction, direction @ rest)
    return chosen


# Which entries count


def mask(anatomy: Anatomy, sizes: Mapping[str, int], point: Point) -> Array:
    """Return which entries of the goal count under its assumptions."""
    scope = open_scope(anatomy.goal, sizes)
    counts = np.ones(tuple(length for _, length in scope.values()), dtype=bool)
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
    holds = _true(hypothesis, _own_scope(hypothesis, scope, walker.anatomy, walker.sizes), walker)
    return np.asarray(holds.all(axis=tuple(range(len(scope), holds.ndim))))


def _true(hypothesis: Boolean, scope: Scope, walker: Walker) -> Array:
    """Return where a hypothesis holds; two numbers differ where rounding cannot be the reason."""
    if isinstance(hypothesis, sympy.Eq | sympy.Ne):
        left, right = hypothesis.args
        apart = abs(over(walker.subtract(left, right, scope, Frame()), scope))
        return np.asarray(apart < _HOLDS if isinstance(hypothesis, sympy.Eq) else apart > _CLEAR)
    if isinstance(hypothesis, Relational | Definite):
        return np.asarray(over(walker.condition(hypothesis, scope, Frame()), scope) == 1)
    raise CannotSampleError("an assumption that is no relation")


_HOLDS, _CLEAR = 1e-9, 1e-6

"""Feasible: a point is moved until the hypotheses hold.

Contract. A point is returned only if every hypothesis holds at it: equations to rounding, an order with room
to spare, so that rounding does not undo it. Nothing else is moved than the entries that they restrict.
Vocabulary. A *row* is a number that has to become 0, with its derivatives by the entries that move: of an
equation always, of an order while it is *violated*. Newton's method solves the rows together. To *tidy* a
point is to round what rounding left beside a short number.
"""

from __future__ import annotations

import itertools
from collections.abc import Hashable, Iterator, Mapping

import numpy as np
import sympy
from sympy.core.relational import Relational
from sympy.logic.boolalg import Boolean

from symderiv.judge.anatomy import Anatomy, NotEvaluableError, free_indices, size_value, traits, visible
from symderiv.judge.arithmetic import Array
from symderiv.judge.frames import Frame, Point, Scope, open_scope, over
from symderiv.judge.slopes import jacobian
from symderiv.judge.standins import draw, dyadic
from symderiv.judge.walker import Walker
from symderiv.kernel.terms import Bounds, Definite, Index


class CannotSampleError(NotEvaluableError):
    """No values were found that satisfy the hypotheses."""


CLOSE = 1e-12
_ROUNDS = 20
_PROGRESS, _PATIENCE = 0.9, 1
"""So often may the residual not fall to this part of the best so far."""
_STARTS = (1 / 8, 1 / 64, 1 / 8, 1 / 1024)
"""Where Newton's method starts from, each with the room that orders are given."""
_DRAWS = 12
"""So many starts more where entries are from a few numbers."""
_MOST_PINS = 6
_FAR = 1e3
"""Of larger numbers, relative to what is asked for, the rounding errors are no longer small."""

_SIDES: dict[type[Relational], int] = {
    sympy.StrictGreaterThan: 1,
    sympy.GreaterThan: 1,
    sympy.StrictLessThan: -1,
    sympy.LessThan: -1,
    sympy.Unequality: 0,
}
"""For an order, the sign of left minus right; 0 where either will do."""


def satisfied(anatomy: Anatomy, sizes: Mapping[str, int], point: Point, *, sparse: bool) -> Point:
    """Return a point near this one at which the hypotheses hold, which steps of a page often ask for."""
    hypotheses, known = _Hypotheses(anatomy, sizes), anatomy.recall.solved
    key = (hypotheses.made_of(point), sparse, repr(anatomy.solved_by))
    if key not in known:
        try:
            found = hypotheses.satisfied(point, sparse=sparse)
        except CannotSampleError:
            known[key] = None
            raise
        moved = {name: found.values[name] for name in hypotheses.moved}
        known[key] = moved, anatomy.solved_by
        return found
    solution = known[key]
    if solution is None:
        raise CannotSampleError(_NONE_FOUND)
    moved, anatomy.solved_by = solution
    return Point({**point.values, **moved}, point.family, point.seed)


_NONE_FOUND = "no values were found that satisfy the assumptions"


class _Hypotheses:
    """The hypotheses of a goal at some sizes."""

    def __init__(self, anatomy: Anatomy, sizes: Mapping[str, int]) -> None:
        self.anatomy, self.sizes = anatomy, sizes
        self.all = anatomy.assumptions.hypotheses
        self.equations = [one for one in self.all if isinstance(one, sympy.Eq)]
        self.orders = [one for one in self.all if type(one) in _SIDES]
        self.ranged = open_scope(anatomy.goal, sizes)
        reached = anatomy.reached(*self.equations, *(one for one in self.orders if one in anatomy.unbounded))
        self.moved = tuple(sorted(name for name in reached if anatomy.primitive(name)))
        """The primitives whose values the hypotheses restrict, not counting bounds of one name."""

    def made_of(self, point: Point) -> Hashable:
        """Return all that a solution which starts at a point depends on."""
        walker, known = Walker(self.anatomy, self.sizes, point), [traits(one) for one in self.all]
        return (
            self.all,
            tuple(walker.made_of(name) for each in known for name in each.names),
            tuple(self.sizes.get(size) for each in known for size in each.sizes),
            tuple(self.ranged.get(index) for each in known for index in each.free),
            tuple((name, self._bounds(name), self.anatomy.context.values.get(name)) for name in self.moved),
        )

    def satisfied(self, point: Point, *, sparse: bool) -> Point:
        with np.errstate(all="ignore"):
            starts = len(_STARTS) + _DRAWS * any(name in self.anatomy.context.values for name in self.moved)
            attempts = list(itertools.product(self._pins(), range(starts), (sparse, not sparse)))
            worked = self.anatomy.solved_by
            if worked in attempts:
                attempts = [(*worked[:2], sparse), worked, *attempts]
            for pins, start, few in attempts:
                scopes = {one: self._scope(one, pins) for one in self.all}
                room = _STARTS[start % len(_STARTS)] if start or not few else 1.0
                found = self._newton(self._start(point, start), scopes, room, sparse=few)
                if found is not None and self._holds(found, scopes):
                    self.anatomy.solved_by = (pins, start, few)
                    return self._tidy(found, scopes)
        raise CannotSampleError(_NONE_FOUND)

    def _pins(self) -> Iterator[dict[Index, int]]:
        """Yield values for the goal's indices that hypotheses mention, none last: they hold for all then."""
        mentioned = sorted(
            {index for one in self.all for index in free_indices(one) if index in self.ranged},
            key=lambda index: index.name,
        )
        runs = [range(1, self.ranged[index][1] + 1) for index in mentioned]
        if mentioned:
            for values in itertools.islice(itertools.product(*runs), _MOST_PINS):
                yield dict(zip(mentioned, values, strict=True))
        yield {}

    def _scope(self, hypothesis: Boolean, pins: Mapping[Index, int]) -> Scope:
        scope = own_scope(hypothesis, self.ranged, self.anatomy, self.sizes)
        pinned = {index: (value, 1) for index, value in pins.items()}
        return {index: pinned.get(index, scope[index]) for index in sorted(free_indices(hypothesis), key=str)}

    def _start(self, point: Point, at: int) -> Point:
        """Return where to start from: the point itself, one closer to 0, one-hot tensors, other draws."""
        values = dict(point.values)
        few = self.anatomy.context.values
        for name in self.moved if at else ():
            shape = values[name].shape
            if at >= len(_STARTS):
                if name in few:
                    drawn = draw(point.seed + at, "few", name).integers(0, len(few[name]), shape)
                    values[name] = np.array(few[name], dtype=float)[drawn]
            elif name in self.anatomy.definite and len(shape) == 2:
                values[name] = np.eye(*shape) + (values[name] + values[name].T) / (16 * shape[0] ** 2)
            elif at == 1:
                values[name] = abs(values[name]) / 4
            elif shape:
                values[name] = _one_hot(name, shape, point.seed + at)
        return Point(values, point.family, point.seed)

    # Newton's method

    def _newton(
        self, point: Point, scopes: Mapping[Boolean, Scope], room: float, *, sparse: bool
    ) -> Point | None:
        best, stuck, far = np.inf, 0, np.inf
        for _ in range(_ROUNDS):
            residual, jacobian, violated = self._rows(point, scopes, room)
            if not np.isfinite(residual).all() or not np.isfinite(jacobian).all():
                return None
            worst = float(abs(residual).max(initial=0.0))
            far = _FAR * (1 + worst) if far == np.inf else far
            if any(abs(point.values[name]).max(initial=0.0) > far for name in self.moved):
                return None
            if not violated and (worst == 0 or (worst < CLOSE and worst >= best / 2)):
                return point
            stuck = stuck + 1 if worst > best * _PROGRESS else 0
            if stuck > _PATIENCE + 4 * violated:
                return None
            best = min(best, worst)
            step = _step(jacobian, residual, sparse=sparse)
            if not step.any():
                return point if worst < CLOSE else None
            point = self._stepped(point, step)
        return point if best < CLOSE else None

    def _stepped(self, point: Point, step: Array) -> Point:
        values, at = dict(point.values), 0
        for name in self.moved:
            array = point.values[name]
            values[name] = array + step[at : at + array.size].reshape(array.shape)
            at += array.size
        return Point(values, point.family, point.seed)

    def _rows(self, point: Point, scopes: Mapping[Boolean, Scope], room: float) -> tuple[Array, Array, bool]:
        """Return what has to become 0, its derivatives by the entries that move, whether an order fails."""
        walker = Walker(self.anatomy, self.sizes, point)
        count = sum(point.values[name].size for name in self.moved)
        residuals, rows, violated = [np.zeros(0)], [np.zeros((0, count))], False
        for one in (*self.equations, *self.orders):
            left, right = one.args
            scope, frame = scopes[one], Frame()
            residual = over(walker.subtract(left, right, scope, frame), scope).ravel()
            if type(one) in _SIDES:
                residual = _short_of(residual, _SIDES[type(one)], room, strict=type(one) in _STRICT)
                wanted = residual != 0
                violated = violated or bool(wanted.any())
            else:
                wanted = np.ones(residual.shape, dtype=bool)
            if wanted.any():
                columns = [
                    jacobian(walker, one.args, name, scope, frame).reshape((point.values[name].size, -1)).T
                    for name in self.moved
                ]
                residuals.append(residual[wanted])
                rows.append(np.concatenate([np.zeros((len(residual), 0)), *columns], axis=1)[wanted])
        outside = np.concatenate(
            [np.zeros(0), *(self._outside(name, point.values[name].ravel(), room) for name in self.moved)]
        )
        violated = violated or bool(outside.any())
        residuals.append(outside[outside != 0])
        rows.append(np.eye(count)[outside != 0])
        return np.concatenate(residuals), np.concatenate(rows), violated

    def _outside(self, name: str, values: Array, room: float) -> Array:
        """Return by how much each value has to fall to lie within the bounds of its name."""
        bounds = self._bounds(name)
        low, high = (None if end is None else float(end) for end in (bounds.low, bounds.high))
        if low is not None and high is not None:
            room = min(room, (high - low) / 4)
        short = np.zeros(values.shape)
        if low is not None:
            short += _short_of(values - low, 1, room, strict=bounds.open_low)
        if high is not None:
            short += _short_of(values - high, -1, room, strict=bounds.open_high)
        return short

    def _bounds(self, name: str) -> Bounds:
        bounds = self.anatomy.bounds.get(name, Bounds())
        return bounds.both(_POSITIVE) if name in self.anatomy.positive else bounds

    # What is found

    def _holds(self, point: Point, scopes: Mapping[Boolean, Scope]) -> bool:
        """Tell whether the bounds, the few values and the hypotheses that are no equations are respected."""
        few = self.anatomy.context.values
        for name in self.moved:
            if not _lies(point.values[name], self._bounds(name)):
                return False
            if name in few and not np.isin(point.values[name], few[name]).all():
                return False
        walker = Walker(self.anatomy, self.sizes, point)
        return all(
            holding(one, scopes[one], walker).all() for one in self.all if not isinstance(one, sympy.Eq)
        )

    def _tidy(self, point: Point, scopes: Mapping[Boolean, Scope]) -> Point:
        """Return the point in shorter numbers, if the hypotheses hold at those too."""
        reach = _BESIDE if self.equations else np.inf
        for parts in (64,) if self.equations else (1, 2, 8, 64):
            values = dict(point.values)
            for name in self.moved:
                rounded = dyadic(values[name], parts)
                values[name] = np.where(abs(rounded - values[name]) < reach, rounded, values[name])
            short = Point(values, point.family, point.seed)
            if self._solves(short, scopes) and self._holds(short, scopes):
                return short
        return point

    def _solves(self, point: Point, scopes: Mapping[Boolean, Scope]) -> bool:
        walker = Walker(self.anatomy, self.sizes, point)
        for one in self.equations:
            left, right = one.args
            residual = over(walker.subtract(left, right, scopes[one], Frame()), scopes[one])
            if not (abs(residual) < CLOSE).all():
                return False
        return True


_BESIDE = 1e-9
"""A number so close to a short one is that number, but for rounding."""
_CLEAR = 1e-6
"""Numbers that are told to differ differ by more than this."""
_STRICT = (sympy.StrictGreaterThan, sympy.StrictLessThan, sympy.Unequality)
_POSITIVE = Bounds(low=sympy.Integer(0), open_low=True)


def _short_of(gap: Array, sign: int, room: float, *, strict: bool) -> Array:
    """Return gap − target where a gap, of this sign or of any, is not wide enough; 0 where it is."""
    turned = gap * (sign or np.where(gap < 0, -1, 1))
    narrow = turned < room / 2 if strict else (turned < 0) | ((turned > 0) & (turned < _BESIDE))
    return np.where(narrow | np.isnan(gap), (turned - room) * (sign or np.where(gap < 0, -1, 1)), 0.0)


def _lies(values: Array, bounds: Bounds) -> bool:
    """Tell whether values lie within bounds."""
    low, high = (None if end is None else float(end) for end in (bounds.low, bounds.high))
    above = low is None or bool((values > low if bounds.open_low else values >= low).all())
    return above and (high is None or bool((values < high if bounds.open_high else values <= high).all()))


def holding(hypothesis: Boolean, scope: Scope, walker: Walker) -> Array:
    """Return where a hypothesis holds; two numbers differ where rounding cannot be the reason."""
    if isinstance(hypothesis, sympy.Eq | sympy.Ne):
        left, right = hypothesis.args
        apart = abs(over(walker.subtract(left, right, scope, Frame()), scope))
        return np.asarray(apart < _BESIDE if isinstance(hypothesis, sympy.Eq) else apart > _CLEAR)
    if isinstance(hypothesis, Relational | Definite):
        return np.asarray(over(walker.condition(hypothesis, scope, Frame()), scope) == 1)
    raise CannotSampleError("an assumption that is no relation")


def own_scope(hypothesis: Boolean, scope: Scope, anatomy: Anatomy, sizes: Mapping[str, int]) -> Scope:
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

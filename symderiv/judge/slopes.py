"""Slopes: derivatives of the function that a term is, by stencils.

Contract. A derivative is taken of the values of a term, no rule is known here: the table of the variable is
moved a little, one entry at a time, in a frame of its own; a variable with a definition is cut from it. Where
a stencil leaves the domain the next one is tried. A derivative by x within one by y that depends on x is
refused.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from sympy import Indexed

from symderiv.judge.anatomy import NotEvaluableError
from symderiv.judge.arithmetic import Array, Stencil
from symderiv.judge.frames import Frame, Scope
from symderiv.judge.grids import Grid, Table, apply, check_room, flatten, pick, spread, undefined
from symderiv.judge.recall import token
from symderiv.kernel.terms import D, name_of

if TYPE_CHECKING:
    from symderiv.judge.walker import Walker


@dataclass(frozen=True, slots=True, eq=False)
class _Slopes:
    """What is differentiated, by which entries of which name, and where."""

    body: Any
    name: str
    wanted: Array
    scope: Scope
    frame: Frame


def differentiated(walker: Walker, term: D, scope: Scope, frame: Frame) -> Grid:
    """Differentiate by the last variable; by the others, if any, first."""
    *earlier, variable = term.variables
    name = name_of(variable)
    if name is None:
        raise NotEvaluableError("a derivative by what is no name")
    body = D(term.term, *earlier) if earlier else term.term
    _check_paths(walker, body, name, frame)
    indices = variable.indices if isinstance(variable, Indexed) else ()
    shape = walker.table(name, frame).shape
    if len(shape) != len(indices):
        raise NotEvaluableError(f"{name} has {len(shape)} indices, not {len(indices)}")
    place = flatten([walker.whole(index, scope, frame) for index in indices], shape)
    wanted, inverse = np.unique(place.data, return_inverse=True)
    slopes = _slopes(walker, _Slopes(body, name, wanted, scope, frame))
    picked = pick(slopes, Grid(inverse.reshape(place.data.shape), place.axes))
    if not (wanted < 0).any():
        return picked
    return apply(lambda value, at: np.where(at < 0, walker.nan, value), picked, place)


def jacobian(walker: Walker, sides: tuple[Any, Any], name: str, scope: Scope, frame: Frame) -> Array:
    """Return the derivatives of a difference by every entry of a name (first axis), over the scope."""
    wanted = np.arange(walker.table(name, frame).data.size)
    lengths = (len(wanted), *(length for _, length in scope.values()))
    both = [_slopes(walker, _Slopes(side, name, wanted, scope, frame)) for side in sides]
    first, second = (np.broadcast_to(spread(one, (one.axes[0], *scope)), lengths) for one in both)
    return np.asarray(first - second)


def _check_paths(walker: Walker, body: Any, name: str, frame: Frame) -> None:
    """Refuse a derivative by x within one by y that depends on x: which paths are open is ambiguous."""
    for held in frame.fixed:
        if held != name and name in walker.anatomy.reach(held) and held in walker.anatomy.reached(body):
            raise NotEvaluableError(f"a derivative by {name} within one by {held}, which depends on it")


def _slopes(walker: Walker, of: _Slopes) -> Grid:
    """Return the derivatives by the wanted entries of a name, the first axis over these."""
    result: Grid | None = None
    depth = walker.anatomy.depth_of(of.body)
    for at, stencil in enumerate(walker.arithmetic.stencils(depth)):
        mark = token((of.frame.token, walker.made_of(of.name), of.wanted.tobytes(), depth, at))
        slopes = _by_stencil(walker, of, stencil, mark)
        if result is not None:
            axes = slopes.axes
            old = spread(Grid(result.data, (axes[0], *result.axes[1:])), axes)
            slopes = Grid(np.where(undefined(old), slopes.data, old), axes)
        result = slopes
        if not undefined(result.data).any():
            break
    assert result is not None
    return result


def _by_stencil(walker: Walker, of: _Slopes, stencil: Stencil, mark: object) -> Grid:
    name, wanted, frame = of.name, of.wanted, of.frame
    table = walker.table(name, frame)
    slope, direction, step = ((part, mark) for part in ("slope", "direction", "step"))
    entries = np.arange(math.prod(table.shape)).reshape((*table.shape, *[1] * len(table.batch), 1, 1))
    moves = (entries == wanted[:, None]) * stencil.offsets
    lengths = table.data.shape[len(table.shape) :]
    check_room((moves.size, *lengths), objects=moves.dtype == object)
    moved = Table(table.data[..., None, None] + moves, (*table.batch, direction, step))
    value = walker.value(of.body, of.scope, Frame({**frame.fixed, name: moved}, {}, frame, name, mark))
    rest = tuple(axis for axis in value.axes if axis not in (direction, step))
    if direction in value.axes:
        return Grid(stencil.combine(spread(value, (direction, *rest, step))), (slope, *rest))
    zero = np.where(undefined(value.data), walker.nan, walker.arithmetic.cast(np.array(0.0)))
    return Grid(np.broadcast_to(zero, (len(wanted), *zero.shape)), (slope, *rest))

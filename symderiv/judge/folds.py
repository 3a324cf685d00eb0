"""Folds: sums, products and the greatest over indices, by adding up, multiplying and comparing.

Contract. As the walker's: nothing is rewritten, what is undefined is NaN. A bound that depends on an index
outside gives each place its own terms: the range is the widest, a *mask* tells what counts.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

import numpy as np

from symderiv.judge.anatomy import NotEvaluableError
from symderiv.judge.arithmetic import Arithmetic, Array
from symderiv.judge.frames import Frame, Scope
from symderiv.judge.grids import Grid, apply, check_room, drop, undefined
from symderiv.kernel.terms import Greatest, Index

if TYPE_CHECKING:
    from symderiv.judge.walker import Walker

_Bound = tuple[Index, Grid | None, int]
"""A bound index, which of its integers count if that depends on others, and how many there are."""


def greatest(walker: Walker, term: Greatest, scope: Scope, frame: Frame) -> Grid:
    """Return the greatest over an index."""
    ((index, low, high),) = term.limits
    mask, span = _span(walker, (index, low, high), scope, frame)
    if mask is not None or not span[1]:
        raise NotEvaluableError("the greatest over a range that is not fixed, or empty")
    result = walker.value(term.function, {**scope, index: span}, frame)
    if index not in result.axes:
        return result
    return drop(result, index, functools.partial(_largest, walker.arithmetic))


def _largest(arithmetic: Arithmetic, data: Array, at: int) -> Array:
    real = arithmetic.real

    def larger(a: Array, b: Array) -> Array:
        return np.where(undefined(a) | (real(a) >= real(b)), a, b)

    return np.asarray(functools.reduce(larger, np.moveaxis(data, at, 0)))


def folded(walker: Walker, term: Any, scope: Scope, frame: Frame, neutral: int) -> Grid:
    """Add up (neutral 0) or multiply (neutral 1) over the bound indices, the last one outermost."""
    inner: dict[Index, tuple[int, int]] = dict(scope)
    bounds: list[_Bound] = []
    for limit in reversed(term.limits):
        if len(limit) != 3:
            raise NotEvaluableError("a sum without bounds")
        index = limit[0]
        mask, span = _span(walker, limit, inner, frame)
        if not span[1]:
            return Grid(walker.arithmetic.cast(np.asarray(neutral)))
        inner[index] = span
        bounds.append((index, mask, span[1]))
    result = walker.value(term.function, inner, frame)
    for bound in reversed(bounds):
        result = _folded_axis(walker, result, bound, neutral)
    return result


def _span(
    walker: Walker, limit: tuple[Index, Any, Any], scope: Scope, frame: Frame
) -> tuple[Grid | None, tuple[int, int]]:
    """Return which integers a bound index runs over, and which count if that depends on others."""
    index, low, high = limit
    if low.is_infinite or high.is_infinite:
        raise NotEvaluableError("a sum with infinitely many terms")
    first, last = walker.whole(low, scope, frame), walker.whole(high, scope, frame)
    if not first.data.size or not last.data.size:
        return None, (1, 0)
    start, length = int(first.data.min()), max(0, int(last.data.max()) - int(first.data.min()) + 1)
    check_room((length,))
    if not first.axes and not last.axes:
        return None, (start, length)
    run = Grid(np.arange(start, start + length), (index,))
    return apply(lambda k, a, b: (a <= k) & (k <= b), run, first, last), (start, length)


def _folded_axis(walker: Walker, grid: Grid, bound: _Bound, neutral: int) -> Grid:
    index, mask, length = bound
    cast = walker.arithmetic.cast
    if index not in grid.axes:
        counts = (
            Grid(np.asarray(length))
            if mask is None
            else drop(mask, index, lambda data, at: data.sum(axis=at))
        )
        if neutral:
            return apply(walker.arithmetic.integer_power, grid, counts)
        return apply(lambda value, n: np.where(n == 0, n, n * value), grid, apply(cast, counts))
    if mask is not None:
        filler = cast(np.asarray(neutral))
        grid = apply(lambda holds, value: np.where(holds, value, filler), mask, grid)
    return drop(grid, index, lambda data, at: data.prod(axis=at) if neutral else data.sum(axis=at))

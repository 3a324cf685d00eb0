"""Grids: arrays with named axes.

Contract. Pure functions on arrays; room for the result is checked before it is made.
Vocabulary. A *grid* has one axis for each index, or derivative in progress, that its values depend on. A
*table* holds all entries of a tensor, slots first, then its *batch*: the axes of derivatives in progress.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from symderiv.judge.anatomy import NotEvaluableError
from symderiv.judge.arithmetic import Array

_LARGEST = 2_000_000
_LARGEST_OBJECTS = 60_000
"""Numbers of many digits take forty times the room, and a hundred times the time."""


@dataclass(frozen=True, slots=True, eq=False)
class Grid:
    """Values with one named axis for each index that they depend on."""

    data: Array
    axes: tuple[Hashable, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Table:
    """All entries of a tensor: one axis for each slot, then those of the derivatives in progress."""

    data: Array
    batch: tuple[Hashable, ...] = ()

    @property
    def shape(self) -> tuple[int, ...]:
        """The lengths of the slots."""
        return self.data.shape[: self.data.ndim - len(self.batch)]


def undefined(data: Array) -> Array:
    """Tell where values are NaN, in any arithmetic."""
    return np.asarray(data != data)  # noqa: PLR0124  NaN is what differs from itself


def check_room(lengths: Iterable[int], *, objects: bool = False) -> None:
    """Refuse an array of too many numbers."""
    count = math.prod(lengths)
    if count > (_LARGEST_OBJECTS if objects else _LARGEST):
        raise NotEvaluableError(f"an array of {count} numbers would be needed")


def spread(grid: Grid, axes: tuple[Hashable, ...]) -> Array:
    """Return the data with these axes in this order, of length 1 where the grid has none."""
    mine = grid.axes
    if not mine or mine == axes:
        return grid.data
    place = {axis: at for at, axis in enumerate(mine)}
    order = [place[axis] for axis in axes if axis in place]
    data = grid.data if order == sorted(order) else grid.data.transpose(order)
    if len(order) == len(axes):
        return data
    return data[tuple([_WHOLE if axis in place else None for axis in axes])]


_WHOLE = slice(None)


def widened(data: Array, shape: tuple[int, ...]) -> Array:
    """Return the data in a shape to which it broadcasts."""
    return data if data.shape == shape else np.broadcast_to(data, shape)


def align(grids: Sequence[Grid]) -> tuple[list[Array], tuple[Hashable, ...]]:
    """Return arrays that broadcast together, and their common axes."""
    axes = grids[0].axes if grids else ()
    if all(grid.axes == axes for grid in grids):
        return [grid.data for grid in grids], axes
    lengths = {axis: n for grid in grids for axis, n in zip(grid.axes, grid.data.shape, strict=True)}
    axes = tuple(lengths)
    check_room(lengths.values(), objects=any(grid.data.dtype == object for grid in grids))
    return [spread(grid, axes) for grid in grids], axes


def apply(function: Callable[..., Array], *grids: Grid) -> Grid:
    """Apply a function of arrays, entry by entry."""
    arrays, axes = align(grids)
    return Grid(np.asarray(function(*arrays)), axes)


def add(first: Array, *others: Array) -> Array:
    """Return the sum."""
    for other in others:
        first = first + other
    return first


def multiply(first: Array, *others: Array) -> Array:
    """Return the product."""
    for other in others:
        first = first * other
    return first


def drop(grid: Grid, axis: Hashable, reduce: Callable[[Array, int], Array]) -> Grid:
    """Reduce the grid along one axis."""
    at = grid.axes.index(axis)
    return Grid(np.asarray(reduce(grid.data, at)), grid.axes[:at] + grid.axes[at + 1 :])


def pick(grid: Grid, chosen: Grid) -> Grid:
    """Take from the grid's first axis the position that `chosen` names."""
    rest = grid.axes[1:]
    axes = tuple(dict.fromkeys((*chosen.axes, *rest)))
    runs = [
        spread(Grid(np.arange(n), (axis,)), axes) for axis, n in zip(rest, grid.data.shape[1:], strict=True)
    ]
    return Grid(np.asarray(grid.data[(spread(chosen, axes), *runs)]), axes)


def gather(table: Table, positions: Sequence[Grid], nothing: Array) -> Grid:
    """Take the entries at 1-based positions; `nothing` where one is out of range."""
    where, axes = align(positions)
    inside = in_range(where, table.shape)
    data = np.asarray(
        table.data[tuple(np.clip(at, 1, n) - 1 for at, n in zip(where, table.shape, strict=True))]
    )
    if not inside.all():
        inside = np.broadcast_to(inside, data.shape[: len(axes)])
        data = np.where(inside[(..., *[None] * len(table.batch))], data, nothing)
    return Grid(data, (*axes, *table.batch))


def in_range(positions: Sequence[Array], shape: Sequence[int]) -> Array:
    """Tell where 1-based positions are in range."""
    inside: Array = np.ones((), dtype=bool)
    for at, n in zip(positions, shape, strict=True):
        inside = inside & (at >= 1) & (at <= n)
    return np.asarray(inside)


def flatten(positions: Sequence[Grid], shape: Sequence[int]) -> Grid:
    """Return the place of an entry among all entries of its tensor; -1 where it is out of range."""
    if not positions:
        return Grid(np.asarray(0))
    where, axes = align(positions)
    flat = np.asarray(0)
    for at, n in zip(where, shape, strict=True):
        flat = flat * n + (at - 1)
    return Grid(np.where(in_range(where, shape), flat, -1), axes)


def tabulate(grid: Grid, slots: Sequence[Hashable], shape: tuple[int, ...]) -> Table:
    """Return the grid as a table with these slots in this order."""
    batch = tuple(axis for axis in grid.axes if axis not in slots)
    lengths = tuple(grid.data.shape[grid.axes.index(axis)] for axis in batch)
    check_room((*shape, *lengths), objects=grid.data.dtype == object)
    return Table(widened(spread(grid, (*slots, *batch)), (*shape, *lengths)), batch)

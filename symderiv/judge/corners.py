"""Corners: where the entries that a matrix with dots shows stand in the other side.

Contract. Each way to lay the other side out as a matrix gives, for a shown entry, the entry of the other
side at its place, and the sizes at which the shown places are all there and apart.
Vocabulary. A *reading* says which slots make up the rows and which the columns; of two slots the first is
the slower.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import permutations
from typing import TypeVar

from sympy import Basic, Expr, Ge, Indexed, Integer
from sympy.logic.boolalg import Boolean

from symderiv.kernel.terms import Context, name_of
from symderiv.meaning.model import Member, Shown, Tensor
from symderiv.meaning.renaming import exchanged

Found = TypeVar("Found")
_PAIR = 2
_MOST_OF_PAIR = 4


@dataclass(frozen=True, slots=True)
class Reading:
    """The slots of the rows and of the columns."""

    rows: tuple[int, ...]
    columns: tuple[int, ...]


def readings(other: Tensor, cells: tuple[Shown, ...], *, turns: bool) -> list[Reading]:
    """Return the ways to lay a tensor out as a matrix of which these cells are entries."""
    if other.groups:
        return []
    if other.rank == 1:
        wide = {cell.column for cell in cells} != {1}
        tall = {cell.row for cell in cells} != {1}
        if wide and tall:
            return []
        return [Reading((), (0,)) if wide else Reading((0,), ())]
    if other.rank == _PAIR:
        straight = Reading((0,), (1,))
        return [straight, Reading((1,), (0,))] if turns else [straight]
    if other.rank == _PAIR + 1:
        orders = list(permutations(range(other.rank)))
        return [Reading((c,), (a, b)) for a, b, c in orders] + [Reading((a, b), (c,)) for a, b, c in orders]
    return []


def entry(other: Tensor, cell: Shown, reading: Reading) -> tuple[Tensor, tuple[Boolean, ...]] | None:
    """Return the entry at the place of a cell, and the sizes it asks for; None where these are impossible."""
    changes: dict[Basic, Basic] = {}
    asked: list[Boolean] = []
    for slots, label, least in zip(
        (reading.rows, reading.columns), (cell.row, cell.column), cell.least, strict=True
    ):
        sizes = [other.dimensions[slot] for slot in slots]
        if not slots:
            continue
        if len(slots) == _PAIR and max(least, label, 1 - label) > _MOST_OF_PAIR:
            return None
        *slower, fast = slots
        for slot in slower:
            changes[other.slots[slot]] = Integer(1) if label > 0 else other.dimensions[slot]
        changes[other.slots[fast]] = Integer(label) if label > 0 else sizes[-1] + label
        asked += [Ge(size, least if len(slots) == 1 else max(_PAIR, label, 1 - label)) for size in sizes]
    if any(condition == False for condition in asked):  # noqa: E712
        return None
    body = exchanged(other.body, changes)
    assert isinstance(body, Expr)
    return Tensor(body), tuple(condition for condition in asked if condition != True)  # noqa: E712


def furthest(
    other: Tensor,
    cells: tuple[Shown, ...],
    *,
    turns: bool,
    false: Callable[[Shown, Tensor, tuple[Boolean, ...]], Found | None],
) -> tuple[Shown, Found] | None:
    """Return the first false entry in the reading in which it comes last, or None where a reading has none.

    `false` tells of an entry, of what stands at its place, and of the sizes it asks for, if it is false.
    """
    last: tuple[int, Found] | None = None
    for reading in readings(other, cells, turns=turns):
        first = _first(other, cells, reading, false)
        if first is None:
            return None
        if last is None or first[0] > last[0]:
            last = first
    return last and (cells[last[0]], last[1])


def _first(
    other: Tensor,
    cells: tuple[Shown, ...],
    reading: Reading,
    false: Callable[[Shown, Tensor, tuple[Boolean, ...]], Found | None],
) -> tuple[int, Found] | None:
    """Return the number of the first false entry in a reading, and what was found of it."""
    for at, cell in enumerate(cells):
        there = entry(other, cell, reading)
        found = false(cell, *there) if there is not None else None
        if found is not None:
            return at, found
    return None


def common(shown: Member, other: Member) -> tuple[Shown, ...]:
    """Return the entries that are shown, on both sides where both are written with dots."""
    places = {(cell.row, cell.column) for cell in other.shown}
    return tuple(cell for cell in shown.shown if not places or (cell.row, cell.column) in places)


def introduces(member: Member, context: Context) -> bool:
    """Tell whether a member is a name alone without a definition: what is shown may say what it is."""
    value = member.value
    if not isinstance(value, Tensor) or not isinstance(value.body, Indexed):
        return False
    return value.body.indices == value.slots and name_of(value.body) not in context.definitions


def alone(member: Member, cell: Shown) -> Member:
    """Return a member that is one of the entries which it shows."""
    return replace(member, span=cell.span, latex=cell.latex, value=cell.value, clash=None, shown=())

"""Frames and scopes: over what a term is evaluated, and from which tables.

Vocabulary. A *scope* says over which integers each index runs. A *point* is a value for each primitive name.
A *frame* is one assignment of tables to names: the derivative by `v` opens a frame in which v's table is
moved a little and v is cut from its definition.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from symderiv.judge import standins
from symderiv.judge.anatomy import NotEvaluableError, size_value
from symderiv.judge.arithmetic import Array
from symderiv.judge.grids import Grid, Table, spread, widened
from symderiv.kernel.terms import Goal, Index

Scope = Mapping[Index, tuple[int, int]]
"""For each index its first value and how many there are."""


@dataclass(frozen=True, slots=True, eq=False)
class Point:
    """A value for each primitive name, and the family and seed of what stands in for unknown functions."""

    values: Mapping[str, Array]
    family: standins.Family = "waves"
    seed: int = 0


@dataclass(slots=True, eq=False)
class Frame:
    """Tables of names: those that a derivative holds fixed, and those computed so far."""

    fixed: Mapping[str, Table] = field(default_factory=dict)
    tables: dict[str, Table] = field(default_factory=dict)
    parent: Frame | None = None
    variable: str | None = None
    """What distinguishes this frame from its parent."""
    token: object = None
    """Stands for all derivatives in progress; None where there is none."""


def open_scope(goal: Goal, sizes: Mapping[str, int]) -> dict[Index, tuple[int, int]]:
    """Return the scope of the goal's free indices."""
    scope = {index: (1, size_value(size, sizes)) for index, size in goal.ranges.items()}
    if any(length < 1 for _, length in scope.values()):
        raise NotEvaluableError("a free index has an empty range")
    return scope


def over(grid: Grid, scope: Scope) -> Array:
    """Return the grid's values over every index of the scope, in its order."""
    return widened(spread(grid, tuple(scope)), tuple(length for _, length in scope.values()))

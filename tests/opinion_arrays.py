"""Arrays for the second opinion: values with named axes, and derivatives by differences.

It shares nothing with symderiv. A *value* is an array with one axis for each index letter that it depends on,
then those of the vector or matrix that it is.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

Array = Any


Kind = Literal["number", "column", "row", "matrix", "tensor", "identity"]


_KINDS: dict[int, Kind] = {0: "number", 1: "column", 2: "matrix"}


class IllFormed(Exception):
    """The expression has no meaning at these sizes."""


@dataclass(frozen=True)
class Value:
    """A value with its kind; of the identity, whose size its neighbours tell, `array` is the factor."""

    kind: Kind
    array: Array
    letters: tuple[str, ...] = ()

    @property
    def shape(self) -> tuple[int, ...]:
        """The sizes of the vector or matrix."""
        return tuple(np.shape(self.array)[len(self.letters) :])


def kind_of(rank: int) -> Kind:
    """Return the kind of an array of this rank."""
    return _KINDS.get(rank, "tensor")


class Differences:
    """NumPy, derivatives by differences over four points."""

    xp: Any = np
    _STEP = 8e-4
    _POINTS = np.array([-2.0, -1.0, 1.0, 2.0])
    _WEIGHTS = np.array([1.0, -8.0, 8.0, -1.0]) / (12 * _STEP)

    def __init__(self) -> None:
        self.count = itertools.count()

    def derivative(self, function: Callable[[Value], Value], centre: Value) -> Value:
        """Return the derivative by every entry of a value; its axes come last."""
        rank = len(centre.shape)
        entries = int(np.prod(centre.shape, dtype=int))
        axis = f"derivative {next(self.count)}"
        size = self._STEP * (
            np.ones(entries) if centre.letters else np.clip(abs(np.ravel(centre.array)), 0.1, 1)
        )
        moves = np.multiply.outer(np.diag(size), self._POINTS)
        moves = np.moveaxis(moves, 1, 2).reshape((entries * 4, *centre.shape))
        letters = (*centre.letters, axis)
        lengths = np.shape(centre.array)[: len(centre.letters)]
        array = np.asarray(centre.array).reshape((*lengths, 1, *centre.shape)) + moves
        value = function(Value(centre.kind, array, letters))
        if axis not in value.letters:
            rest = np.zeros((*np.shape(value.array), *centre.shape))
            return Value(value.kind, rest, value.letters)
        at = value.letters.index(axis)
        moved = np.moveaxis(value.array, at, -1)
        moved = moved.reshape((*moved.shape[:-1], entries, 4)) @ self._WEIGHTS * (self._STEP / size)
        moved = moved.reshape((*moved.shape[:-1], *centre.shape)) if rank else moved[..., 0]
        return Value(value.kind, moved, tuple(each for each in value.letters if each != axis))

    @staticmethod
    def erf(array: Array) -> Array:
        """Return the error function of each entry."""
        return np.vectorize(math.erf, otypes=[float])(array)

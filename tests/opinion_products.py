"""Products, sums and functions of values, for the second opinion. It shares nothing with symderiv."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np
from opinion_arrays import Array, IllFormed, Kind, Value
from opinion_latex import Unreadable

if TYPE_CHECKING:
    from opinion_values import World


def common(*values: Value) -> tuple[str, ...]:
    return tuple(dict.fromkeys(letter for value in values for letter in value.letters))


def integer(value: Value) -> Value:
    if value.kind != "number":
        raise IllFormed("an index")
    found = np.asarray(value.array)
    rounded = np.round(found.astype(float)).astype(int)
    if np.any(abs(found - rounded) > 1e-9):
        raise IllFormed("an index")
    return Value("number", rounded, value.letters)


def gather(value: Value, indices: Sequence[Value], world: World) -> Value:
    """Return the entries at some places; one out of range is an error unless a condition excludes it."""
    letters = common(value, *indices)
    places = [np.asarray(world.lift(each, letters, 0)) for each in indices]
    outside: Array = np.zeros((1,) * len(letters), dtype=bool)
    for place, size in zip(places, value.shape, strict=True):
        outside = outside | (place < 1) | (place > size)
    if outside.any():
        every = common(Value("number", outside, letters), *world.guards)
        bad = world.lift(Value("number", outside, letters), every, 0)
        for guard in world.guards:
            bad = bad & world.lift(guard, every, 0)
        if bad.any():
            raise IllFormed("an entry out of range")
    lead = []
    for at, letter in enumerate(letters):
        if letter in value.letters:
            size = np.shape(value.array)[value.letters.index(letter)]
            lead.append(np.arange(size).reshape([-1 if n == at else 1 for n in range(len(letters))]))
    order = [value.letters.index(letter) for letter in letters if letter in value.letters]
    tail = list(range(len(value.letters), np.ndim(value.array)))
    array = world.xp.transpose(value.array, [*order, *tail]) if order != sorted(order) else value.array
    inner = [np.clip(place, 1, size) - 1 for place, size in zip(places, value.shape, strict=True)]
    found = array[(*lead, *inner)] if (lead or inner) else array
    if outside.any():
        found = world.xp.where(outside, 0.0, found)
    return Value("number", found, letters)


def elementwise(function: Callable[..., Array], first: Value, second: Value, world: World) -> Value:
    """Apply a function of two numbers to entries of the same place; a number goes with each entry."""
    kinds = {first.kind, second.kind} - {"number"}
    if kinds == {"matrix", "row"}:  # a row goes with each row of a matrix, as in NumPy
        row, matrix = (first, second) if first.kind == "row" else (second, first)
        if row.shape[0] != matrix.shape[1]:
            raise IllFormed("a row of another length")
        letters = common(first, second)
        return Value(
            "matrix", function(world.lift(first, letters, 2), world.lift(second, letters, 2)), letters
        )
    if len(kinds) > 1 or "identity" in kinds:
        raise IllFormed("values of different kinds")
    if first.kind == second.kind and first.shape != second.shape:
        raise IllFormed("values of different shapes")
    letters = common(first, second)
    rank = max(len(first.shape), len(second.shape))
    array = function(world.lift(first, letters, rank), world.lift(second, letters, rank))
    return Value(kinds.pop() if kinds else "number", array, letters)


def plus(first: Value, second: Value, world: World) -> Value:
    kinds = {first.kind, second.kind}
    if "identity" in kinds and len(kinds) == 2:
        unit, other = (first, second) if first.kind == "identity" else (second, first)
        if other.kind != "row" and (other.kind != "matrix" or other.shape[0] != other.shape[1]):
            raise IllFormed("a sum with the identity")
        unit = Value("matrix", world.lift(unit, unit.letters, 2) * np.eye(other.shape[0]), unit.letters)
        return elementwise(lambda a, b: a + b, unit, other, world)
    if kinds == {"identity"}:
        return Value("identity", *_pair(lambda a, b: a + b, first, second, world))
    if "number" in kinds and len(kinds) == 2 and _is_zero(first if first.kind == "number" else second):
        return second if first.kind == "number" else first
    return elementwise(lambda a, b: a + b, first, second, world)


def _pair(
    function: Callable[..., Array], first: Value, second: Value, world: World
) -> tuple[Array, tuple[str, ...]]:
    letters = common(first, second)
    return function(world.lift(first, letters, 0), world.lift(second, letters, 0)), letters


def _is_zero(value: Value) -> bool:
    return isinstance(value.array, np.ndarray) and not np.any(value.array)


def multiplied(operator: str, left: Value, right: Value, world: World) -> Value:
    """Return a product."""
    if operator in {"\\odot", "\\circ"}:
        if "number" in (left.kind, right.kind) or "identity" in (left.kind, right.kind):
            raise (
                IllFormed("an elementwise product")
                if "identity" in (left.kind, right.kind)
                else IllFormed("scalar")
            )
        return elementwise(lambda a, b: a * b, left, right, world)
    if operator == "\\otimes" and {left.kind, right.kind} != {"number"}:
        return outer(left, right, world)
    if "number" in (left.kind, right.kind):
        letters = common(left, right)
        rank = max(len(left.shape), len(right.shape))
        array = world.lift(left, letters, rank) * world.lift(right, letters, rank)
        return Value(right.kind if left.kind == "number" else left.kind, array, letters)
    if "identity" in (left.kind, right.kind):
        unit, other = (left, right) if left.kind == "identity" else (right, left)
        letters = common(left, right)
        rank = len(other.shape)
        return Value(other.kind, world.lift(unit, letters, rank) * world.lift(other, letters, rank), letters)
    if operator == "\\cdot" and left.kind == right.kind == "column":
        return inner(left, right, world)
    return times(left, right, world)


def inner(left: Value, right: Value, world: World) -> Value:
    if left.shape != right.shape:
        raise IllFormed("an inner product")
    product = elementwise(lambda a, b: a * b, left, Value(left.kind, right.array, right.letters), world)
    axes = tuple(range(-len(left.shape), 0))
    return Value("number", world.xp.sum(product.array, axis=axes) if axes else product.array, product.letters)


def outer(left: Value, right: Value, world: World) -> Value:
    letters = common(left, right)
    a, b = (world.lift(each, letters, len(each.shape)) for each in (left, right))
    if left.kind == right.kind == "column":
        return Value("matrix", a[..., :, None] * b[..., None, :], letters)
    if left.kind == right.kind == "matrix":
        array = a[..., :, None, :, None] * b[..., None, :, None, :]
        shape = tuple(m * n for m, n in zip(left.shape, right.shape, strict=True))
        return Value("matrix", world.xp.reshape(array, (*np.shape(array)[: len(letters)], *shape)), letters)
    raise Unreadable("a product of this kind")


def times(left: Value, right: Value, world: World) -> Value:
    letters = common(left, right)
    a, b = (world.lift(each, letters, len(each.shape)) for each in (left, right))
    kinds: dict[tuple[str, str], Kind] = {
        ("matrix", "matrix"): "matrix",
        ("matrix", "column"): "column",
        ("row", "matrix"): "row",
        ("row", "column"): "number",
    }
    if (left.kind, right.kind) == ("column", "row"):
        return Value("matrix", a[..., :, None] * b[..., None, :], letters)
    kind = kinds.get((left.kind, right.kind))
    if kind is None or left.shape[-1] != right.shape[0]:
        raise IllFormed("a product")
    a = a[..., None, :, None] if left.kind == "row" else a[..., :, :, None]
    b = b[..., None, :, None] if right.kind == "column" else b[..., None, :, :]
    array = world.xp.sum(a * b, axis=-2)
    if left.kind == "row":
        array = array[..., 0, :]
    if right.kind == "column":
        array = array[..., 0]
    return Value(kind, array, letters)


def plain(array: Array) -> Array:
    """Return the numbers of an array that may be traced by autograd."""
    while hasattr(array, "_value"):
        array = array._value
    return np.asarray(array)


def entrywise(word: str, value: Value, world: World) -> Value:
    if value.kind == "identity":
        raise Unreadable(f"{word} of the identity")
    xp = world.xp
    functions: dict[str, Callable[[Array], Array]] = {
        "sech": lambda a: 1 / xp.cosh(a), "erf": world.engine.erf, "abs": xp.abs, "arctan": xp.arctan,
    }  # fmt: skip
    if word not in functions and word not in {
        "exp",
        "log",
        "sin",
        "cos",
        "tan",
        "sinh",
        "cosh",
        "tanh",
        "sqrt",
        "sign",
    }:
        raise Unreadable(word)
    return Value(value.kind, functions.get(word, getattr(xp, word, None))(value.array), value.letters)  # type: ignore[misc]


def _square(value: Value, what: str) -> None:
    if value.kind == "identity":
        raise Unreadable(f"{what} of the identity")
    if value.kind != "matrix" or value.shape[0] != value.shape[1]:
        raise IllFormed(what)


def _det(value: Value, world: World) -> Value:
    _square(value, "a determinant")
    array = plain(value.array)
    size = np.abs(array).max(axis=(-1, -2), initial=1e-300) ** value.shape[0]
    singular = np.abs(np.linalg.det(array)) < 1e-12 * size
    safe = world.xp.where(singular[..., None, None], np.eye(value.shape[0]), value.array)
    return Value("number", world.xp.where(singular, 0.0, world.xp.linalg.det(safe)), value.letters)


def _tr(value: Value, world: World) -> Value:
    if value.kind == "number":
        return value
    _square(value, "a trace")
    return Value("number", world.xp.sum(value.array * np.eye(value.shape[0]), axis=(-1, -2)), value.letters)


def _diag(value: Value, world: World) -> Value:
    if value.kind == "column":
        return Value("matrix", value.array[..., :, None] * np.eye(value.shape[0]), value.letters)
    _square(value, "a diagonal")
    return Value("column", world.xp.sum(value.array * np.eye(value.shape[0]), axis=-1), value.letters)


def _vec(value: Value, world: World) -> Value:
    if value.kind != "matrix":
        raise IllFormed("vec")
    turned = world.xp.swapaxes(value.array, -1, -2)
    lengths = np.shape(turned)[: len(value.letters)]
    return Value(
        "column", world.xp.reshape(turned, (*lengths, value.shape[0] * value.shape[1])), value.letters
    )


OF_MATRICES: dict[str, Callable[[Value, World], Value]] = {"det": _det, "tr": _tr, "diag": _diag, "vec": _vec}

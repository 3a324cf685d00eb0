"""Evaluation for the second opinion: expressions by brute force at given sizes, over every entry at once.

It shares nothing with symderiv. A *world* is a page at one choice of sizes and values; an *engine* says what
arrays are and takes derivatives.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from opinion_arrays import Array, IllFormed, Kind, Value, kind_of
from opinion_latex import Node, Unreadable, walk
from opinion_page import Definition, Page, arguments, reached
from opinion_products import (
    OF_MATRICES,
    common,
    elementwise,
    entrywise,
    gather,
    inner,
    integer,
    multiplied,
    plain,
    plus,
    times,
)

# Engines


@dataclass(frozen=True)
class Range:
    """A bound or free letter: the name of its axis, and the places that it goes through."""

    axis: str
    places: Array


Scope = Mapping[str, Range]


@dataclass
class World:
    """A page at one choice of sizes and values."""

    page: Page
    engine: Any
    sizes: dict[str, int]
    given: dict[str, Array]
    kinds: dict[str, Kind] = field(default_factory=dict)
    held: dict[str, Value] = field(default_factory=dict)
    squares: dict[str, Value] = field(default_factory=dict)
    known: dict[str, Value] = field(default_factory=dict)
    shapes: dict[str, tuple[int, ...]] = field(default_factory=dict)
    lengths: dict[tuple[str, str], int] = field(default_factory=dict)
    guards: list[Value] = field(default_factory=list)
    reach: dict[str, set[str]] = field(default_factory=dict)
    busy: list[str] = field(default_factory=list)
    axes: Iterator[int] = field(default_factory=itertools.count)

    @property
    def xp(self) -> Any:
        return self.engine.xp

    @contextmanager
    def holding(self, held: Mapping[str, Value]) -> Iterator[None]:
        """Take names for given, for a while."""
        before = self.held
        self.held = {**before, **held}
        try:
            yield
        finally:
            self.held = before

    @contextmanager
    def guarded(self, *masks: Value) -> Iterator[None]:
        """Let only the places count at which all of some conditions hold."""
        before = self.guards
        self.guards = [*before, *masks]
        try:
            yield
        finally:
            self.guards = before

    # -- names

    def value(self, name: str) -> Value:
        """Return the value of a name."""
        if name in self.held:
            return self.held[name]
        if name in self.given:
            return Value(self.kinds.get(name, kind_of(np.ndim(self.given[name]))), self.given[name])
        if name in self.sizes:
            return Value("number", np.asarray(float(self.sizes[name])))
        if name not in self.reach:
            self.reach[name] = reached(self.page, [name])
        fixed = not self.reach[name] & set(self.held)
        if fixed and name in self.known:
            return self.known[name]
        if name in self.busy:
            raise Unreadable(f"{name} is defined by itself")
        self.busy.append(name)
        guards, self.guards = self.guards, []
        try:
            found = self._made(name)
        finally:
            self.busy.pop()
            self.guards = guards
        if fixed:
            self.known[name] = found
        return found

    def _made(self, name: str) -> Value:
        if name in self.page.defined:
            definition = self.page.defined[name]
            found = self.tabulated(definition.body, definition.letters, name)
            return (
                Value(found.kind, self.xp.sqrt(found.array), found.letters) if definition.squared else found
            )
        if name in self.page.functions:
            definition = self.page.functions[name]
            return self.tabulated(definition.body, definition.letters)
        if name in self.page.unknown:
            names = arguments(self.page, name)
            if not names:
                raise Unreadable(f"what {name} is a function of")
            return self.unknown(name, [self.value(each) for each in names])
        if name == "\\mathbf{1}":
            raise Unreadable("a vector of ones of unknown length")
        if name == "e":
            return Value("number", np.asarray(math.e))
        if name == "\\pi":
            return Value("number", np.asarray(math.pi))
        raise Unreadable(f"the name {name}")

    def tabulated(self, body: Node, letters: tuple[str, ...], name: str = "") -> Value:
        """Return an expression over all places of some letters, these as the axes of a tensor."""
        scope = {}
        shape = self.page.declared[name].shape if name in self.page.declared else ()
        for at, letter in enumerate(letters):
            declared = len(shape) == len(letters)
            size = self.lengths.get((name, letter)) if name else None
            if size is None:
                size = whole(evaluate(shape[at], self, {})) if declared else self.range_of(letter, [body])
            if name:
                self.lengths[name, letter] = size
            scope[letter] = Range(f"{letter} {next(self.axes)}", np.arange(1, size + 1))
        found = evaluate(body, self, scope)
        if not letters and shape and found.kind == "number":
            sizes = tuple(whole(evaluate(size, self, {})) for size in shape)
            array = self.xp.reshape(found.array, (*np.shape(found.array), *([1] * len(sizes)))) + np.zeros(
                sizes
            )
            return Value(kind_of(len(sizes)), array, found.letters)
        if not letters:
            return found
        if found.kind != "number":
            raise IllFormed("an entry that is no number")
        axes = tuple(each.axis for each in scope.values())
        others = tuple(each for each in found.letters if each not in axes)
        array = self.lift(found, (*others, *axes), 0)
        lengths = tuple(np.shape(array)[: len(others)])
        array = array + np.zeros((*lengths, *(len(each.places) for each in scope.values())))
        return Value(kind_of(len(letters)), array, others)

    def unknown(self, name: str, parts: Sequence[Value]) -> Value:
        """Return a function of all entries of some values that no symmetry maps to itself."""
        xp = self.xp
        letters = tuple(dict.fromkeys(letter for part in parts for letter in part.letters))
        total: Array = 0.0
        for number, part in enumerate(parts):
            array = self.lift(part, letters, len(part.shape))
            count = int(np.prod(part.shape, dtype=int))
            flat = xp.reshape(array, (*np.shape(array)[: len(letters)], count))
            at = np.arange(1, count + 1) + 0.37 * number + 0.11 * len(name)
            a, c, d = np.cos(at * 1.7), 0.3 + np.sin(at * 2.3), np.cos(at * 0.9 + 1)
            dotted = xp.sum(d * flat, axis=-1)
            total = (
                total
                + xp.sum(a * flat + c * xp.sin(flat), axis=-1)
                + dotted**2
                + 0.5 * xp.sin(dotted) * total
            )
        return Value("number", total, letters)

    # -- letters

    def range_of(self, letter: str, nodes: Sequence[Node]) -> int:
        """Return how far a letter runs, by the shapes of the tensors at which it stands."""
        for node in nodes:
            for found, size in slots(node, self, frozenset()):
                if found == letter:
                    return size
        if letter in self.page.ranges:
            return whole(evaluate(self.page.ranges[letter], self, {}))
        for node in nodes:
            partner = partners(node, letter)
            for other in partner:
                if other in self.page.ranges:
                    return whole(evaluate(self.page.ranges[other], self, {}))
        raise Unreadable(f"the range of {letter}")

    def lift(self, value: Value, letters: tuple[str, ...], rank: int) -> Array:
        """Return the array with these letters' axes in this order, 1 long where it does not depend on one."""
        own = [value.letters.index(letter) for letter in letters if letter in value.letters]
        tail = list(range(len(value.letters), np.ndim(value.array)))
        array = self.xp.transpose(value.array, [*own, *tail]) if own != sorted(own) else value.array
        lengths = iter(np.shape(array)[: len(own)])
        heads = [next(lengths) if letter in value.letters else 1 for letter in letters]
        pads = [1] * (rank - len(value.shape))
        return self.xp.reshape(array, (*heads, *pads, *value.shape))


def partners(node: Any, letter: str) -> list[str]:
    """Return the letters with which a letter stands in deltas and comparisons."""
    found: list[str] = []

    def visit(each: Node) -> None:
        if each[0] in {"delta", "relation"}:
            names = [part[1] for part in each[1] if part[0] == "name"]
            if letter in names:
                found.extend(name for name in names if name != letter)

    walk(node, visit)
    return found


def slots(node: Any, world: World, bound: frozenset[str]) -> Iterator[tuple[str, int]]:
    """Give the letters that are free in an expression, with the sizes of the slots in which they stand."""
    if not isinstance(node, tuple):
        return
    if node and node[0] == "big":
        inner = bound | set(node[2])
        for part in node[3:6]:
            yield from slots(part, world, bound)
        yield from slots(node[6], world, inner)
        return
    if node and node[0] == "extreme":
        yield from slots(node[3], world, bound | {node[2]})
        return
    if node and node[0] == "entry":
        letters = [part[1] if part[0] == "name" else "" for part in node[2]]
        if any(letter and letter not in bound for letter in letters):
            shape = _shape(node[1], world)
            for letter, size in zip(letters, shape, strict=False):
                if letter and letter not in bound and letter not in world.sizes and letter not in world.given:
                    yield letter, size
        yield from slots(node[1], world, bound)
        for part in node[2]:
            if part[0] != "name":
                yield from slots(part, world, bound)
        return
    for part in node:
        yield from slots(part, world, bound)


def _shape(node: Node, world: World) -> tuple[int, ...]:
    if node[0] == "name" and node[1] in {"I", "\\delta"} and node[1] not in world.page.defined:
        return ()
    name = node[1] if node[0] == "name" else ""
    if name in world.shapes:
        return world.shapes[name]
    try:
        found = world.held[name].shape if name in world.held else evaluate(node, world, {}).shape
    except (Unreadable, IllFormed):
        return ()
    if name and name not in world.held:
        world.shapes[name] = found
    return found


def whole(value: Value) -> int:
    """Return a number as an integer."""
    if value.letters or value.kind != "number":
        raise Unreadable("a bound that is no number")
    found = float(value.array)
    if abs(found - round(found)) > 1e-9:
        raise IllFormed("a bound that is no whole number")
    return round(found)


# Evaluation


def evaluate(node: Node, world: World, scope: Scope) -> Value:
    """Return the value of an expression over all places of the letters in scope."""
    return _RULES[node[0]](node, world, scope)


def _number(node: Node, world: World, scope: Scope) -> Value:
    del world, scope
    return Value("number", np.asarray(node[1]))


def _name(node: Node, world: World, scope: Scope) -> Value:
    name = node[1]
    if name in scope:
        return Value("number", scope[name].places.astype(float), (scope[name].axis,))
    if name == "I" and not _has(world, "I"):
        return Value("identity", np.asarray(1.0))
    return world.value(name)


def _has(world: World, name: str) -> bool:
    return name in world.given or name in world.page.defined or name in world.sizes


def _entry(node: Node, world: World, scope: Scope) -> Value:
    base, places = node[1], node[2]
    if base[0] == "name" and base[1] in {"I", "\\mathbf{1}"} and not _has(world, base[1]):
        if len(places) == 1 and places[0][0] == "name" and places[0][1] in world.sizes:
            size = world.sizes[places[0][1]]
            return Value("matrix", np.eye(size)) if base[1] == "I" else Value("column", np.ones(size))
        if base[1] == "I" and len(places) == 2:
            return _delta(("delta", places), world, scope)
    value = evaluate(base, world, scope)
    if value.kind == "identity":
        return (
            _delta(("delta", places), world, scope)
            if base == ("name", "I")
            else _no("an entry of the identity")
        )
    rank = len(value.shape)
    if len(places) == 1 < rank and places[0][0] == "number" and len(str(int(places[0][1]))) == rank:
        places = tuple(("number", float(digit)) for digit in str(int(places[0][1])))
    if len(places) != rank and rank == 1:
        product = places[0]
        for part in places[1:]:
            product = ("multiply", "", product, part)
        places = (product,)
    if len(places) != rank:
        raise IllFormed(f"{len(places)} indices for {rank}")
    indices = [integer(evaluate(part, world, scope)) for part in places]
    return gather(value, indices, world)


def _no(what: str) -> Value:
    raise Unreadable(what)


def _delta(node: Node, world: World, scope: Scope) -> Value:
    if len(node[1]) != 2:
        raise IllFormed("a delta")
    first, second = (evaluate(part, world, scope) for part in node[1])
    letters = common(first, second)
    same = np.asarray(world.lift(first, letters, 0)) == np.asarray(world.lift(second, letters, 0))
    return Value("number", same.astype(float), letters)


def _transpose(node: Node, world: World, scope: Scope) -> Value:
    value = evaluate(node[1], world, scope)
    if value.kind == "matrix":
        return Value("matrix", world.xp.swapaxes(value.array, -1, -2), value.letters)
    turned: dict[Kind, Kind] = {"column": "row", "row": "column"}
    if value.kind == "tensor":
        raise Unreadable("the transpose of a tensor")
    return Value(turned.get(value.kind, value.kind), value.array, value.letters)


_REGULAR = 1e7
"""The condition number of a matrix that has an inverse."""


def _inverse(node: Node, world: World, scope: Scope) -> Value:
    value = evaluate(node[1], world, scope)
    if value.kind in {"number", "identity"}:
        return Value(value.kind, 1 / value.array, value.letters)
    if value.kind != "matrix" or value.shape[0] != value.shape[1]:
        raise IllFormed("an inverse")
    with np.errstate(all="ignore"):
        regular = np.linalg.cond(plain(value.array)) < _REGULAR
    array = world.xp.where(regular[..., None, None], value.array, np.eye(value.shape[0]))
    found = world.xp.where(regular[..., None, None], world.xp.linalg.inv(array), np.nan)
    return Value("matrix", found, value.letters)


def _power(node: Node, world: World, scope: Scope) -> Value:
    exponent = evaluate(node[2], world, scope)
    if node[1] == ("name", "e") and "e" not in world.given and "e" not in world.page.defined:
        return Value(exponent.kind, world.xp.exp(exponent.array), exponent.letters)
    base = evaluate(node[1], world, scope)
    if exponent.kind != "number":
        raise IllFormed("an exponent")
    if base.kind == "matrix":
        if node[2][0] != "number" or node[2][1] not in {2.0, 3.0, 4.0} or base.shape[0] != base.shape[1]:
            raise Unreadable("a power of a matrix")
        found = base
        for _ in range(int(node[2][1]) - 1):
            found = times(found, base, world)
        return found
    if base.kind not in {"number", "column", "row"}:
        raise Unreadable("a power of this")
    letters = common(base, exponent)
    a, b = world.lift(base, letters, len(base.shape)), world.lift(exponent, letters, len(base.shape))
    if node[2][0] == "number" or (
        node[2][0] == "add" and len(node[2][1]) == 1 and node[2][1][0][1][0] == "number"
    ):
        b = float(exponent.array)
    return Value(base.kind, a**b, letters)


def _divide(node: Node, world: World, scope: Scope) -> Value:
    above, below = (evaluate(part, world, scope) for part in node[1:])
    if below.kind == "number":
        letters = common(above, below)
        rank = len(above.shape)
        return Value(above.kind, world.lift(above, letters, rank) / world.lift(below, letters, rank), letters)
    return elementwise(lambda a, b: a / b, above, below, world)


def _add(node: Node, world: World, scope: Scope) -> Value:
    total: Value | None = None
    for sign, term in node[1]:
        value = evaluate(term, world, scope)
        if sign == "-":
            value = Value(value.kind, -value.array, value.letters)
        total = value if total is None else plus(total, value, world)
    assert total is not None
    return total


def _multiply(node: Node, world: World, scope: Scope) -> Value:
    masks = [evaluate(part, world, scope) for part in _indicators(node)]
    masks = [Value("number", np.asarray(mask.array) != 0, mask.letters) for mask in masks]
    with world.guarded(*masks):
        left, right = evaluate(node[2], world, scope), evaluate(node[3], world, scope)
    return multiplied(node[1], left, right, world)


def _indicators(node: Node) -> list[Node]:
    """Return the factors of a product that are indicators: the others count only where these are 1."""
    if node[0] == "multiply":
        return [*_indicators(node[2]), *_indicators(node[3])]
    return [node] if node[0] in {"indicator", "delta"} and not _mentions_values(node) else []


def _mentions_values(node: Any) -> bool:
    return isinstance(node, tuple) and (
        (bool(node) and node[0] in {"entry", "call", "apply"}) or any(_mentions_values(part) for part in node)
    )


# Sums, extremes, conditions


def _big(node: Node, world: World, scope: Scope) -> Value:
    _, word, letters, low, high, condition, body = node
    inner, masks = dict(scope), []
    for letter in letters:
        places, mask = _places(letter, low, high, condition, body, world, scope)
        axis = f"{letter} {next(world.axes)}"
        inner[letter] = Range(axis, places)
        masks += [
            Value("number", each.array, tuple(axis if n == "?" else n for n in each.letters)) for each in mask
        ]
    if condition is not None:
        masks.append(truth(condition, world, inner))
    if any(not len(inner[letter].places) for letter in letters):
        return Value("number", np.asarray(float(word == "prod")))
    with world.guarded(*masks):
        value = evaluate(body, world, inner)
    if value.kind == "identity":
        raise Unreadable("a sum of identities")
    axes = tuple(inner[letter].axis for letter in letters)
    every = (
        *dict.fromkeys(
            [
                *(x for x in value.letters if x not in axes),
                *(x for m in masks for x in m.letters if x not in axes),
            ]
        ),
        *axes,
    )
    rank = len(value.shape)
    array = world.lift(value, every, rank)
    lengths = [1] * (len(every) - len(axes)) + [len(inner[letter].places) for letter in letters]
    array = array + np.zeros((*lengths, *([1] * rank)))
    for mask in masks:
        kept = np.asarray(world.lift(mask, every, 0)).astype(bool)
        kept = kept.reshape((*kept.shape, *([1] * rank)))
        array = world.xp.where(kept, array, 1.0 if word == "prod" else 0.0)
    over = tuple(range(len(every) - len(axes), len(every)))
    if word == "prod":
        for at in reversed(over):
            array = world.xp.prod(array, axis=at)
    else:
        array = world.xp.sum(array, axis=over)
    return Value(value.kind, array, every[: len(every) - len(axes)])


def _places(  # noqa: PLR0913, PLR0917
    letter: str,
    low: Node | None,
    high: Node | None,
    condition: Node | None,
    body: Node,
    world: World,
    scope: Scope,
) -> tuple[Array, list[Value]]:
    """Return where a summed letter runs, and conditions where its bounds depend on other letters."""
    if high is None:
        if low is not None:
            raise Unreadable("a sum without an upper bound")
        size = world.range_of(letter, [body, condition])
        return np.arange(1, size + 1), []
    first = integer(evaluate(low, world, scope)) if low is not None else Value("number", np.asarray(1))
    last = integer(evaluate(high, world, scope))
    places = np.arange(int(np.min(first.array)), int(np.max(last.array)) + 1)
    masks = []
    run = Value("number", places, ("?",))
    for bound, compare in ((first, np.greater_equal), (last, np.less_equal)):
        if bound.letters:
            every = common(run, bound)
            masks.append(
                Value("number", compare(world.lift(run, every, 0), world.lift(bound, every, 0)), every)
            )
    return places, masks


def _extreme(node: Node, world: World, scope: Scope) -> Value:
    _, word, letter, body = node
    size = world.range_of(letter, [body])
    axis = f"{letter} {next(world.axes)}"
    value = evaluate(body, world, {**scope, letter: Range(axis, np.arange(1, size + 1))})
    if value.kind != "number" or axis not in value.letters:
        raise Unreadable("a maximum over this")
    at = value.letters.index(axis)
    array = (world.xp.max if word == "max" else world.xp.min)(value.array, axis=at)
    return Value("number", array, tuple(each for each in value.letters if each != axis))


_COMPARE: dict[str, Callable[..., Array]] = {
    "==": np.equal, "!=": np.not_equal, "<": np.less,
    ">": np.greater, "<=": np.less_equal, ">=": np.greater_equal,
}  # fmt: skip


def truth(node: Node, world: World, scope: Scope) -> Value:
    """Return where a condition holds."""
    if node[0] in {"and", "or"}:
        found = [truth(part, world, scope) for part in node[1]]
        total = found[0]
        for each in found[1:]:
            total = elementwise(np.logical_and if node[0] == "and" else np.logical_or, total, each, world)
        return total
    sides = [evaluate(part, world, scope) for part in node[1]]
    sides = [Value(each.kind, plain(each.array), each.letters) for each in sides]
    total: Value | None = None
    for sign, left, right in zip(node[2], sides, sides[1:], strict=False):
        holds = elementwise(_COMPARE[sign], left, right, world)
        total = holds if total is None else elementwise(np.logical_and, total, holds, world)
    assert total is not None
    return total


def _indicator(node: Node, world: World, scope: Scope) -> Value:
    holds = truth(node[1], world, scope)
    return Value(holds.kind, holds.array.astype(float), holds.letters)


def _cases(node: Node, world: World, scope: Scope) -> Value:
    rest: Value | None = None
    rows = []
    for value, condition in node[1]:
        holds = truth(condition, world, scope) if condition is not None else None
        masks = [each for each in (holds, rest) if each is not None and each.kind == "number"]
        with world.guarded(*masks):
            rows.append((evaluate(value, world, scope), holds))
        if holds is not None:
            other = Value(holds.kind, ~np.asarray(holds.array), holds.letters)
            rest = other if rest is None else elementwise(np.logical_and, rest, other, world)
    result: Value | None = None
    if rows[-1][1] is not None and rest is not None and np.any(rest.array):
        last: Value = Value("number", np.asarray(np.nan))
    else:
        last, rows = rows[-1][0], rows[:-1]
    result = last
    for value, holds in reversed(rows):
        assert holds is not None
        kinds = {value.kind, result.kind, holds.kind} - {"number"}
        if len(kinds) > 1:
            raise IllFormed("cases of different kinds")
        letters = common(value, result, holds)
        rank = max(len(each.shape) for each in (value, result, holds))
        array = world.xp.where(*(world.lift(each, letters, rank) for each in (holds, value, result)))
        result = Value(kinds.pop() if kinds else "number", array, letters)
    return result


# Functions


def _apply(node: Node, world: World, scope: Scope) -> Value:
    _, word, arguments_, _ = node
    values = [evaluate(part, world, scope) for part in arguments_]
    if word in {"max", "min"} and len(values) > 1:
        total = values[0]
        for each in values[1:]:
            total = elementwise(world.xp.maximum if word == "max" else world.xp.minimum, total, each, world)
        return total
    if len(values) != 1:
        raise Unreadable(f"{word} of several")
    return OF_MATRICES[word](values[0], world) if word in OF_MATRICES else entrywise(word, values[0], world)


def _norm(node: Node, world: World, scope: Scope) -> Value:
    value = evaluate(node[1], world, scope)
    if value.kind in {"number", "identity", "tensor"}:
        raise Unreadable("a norm of this")
    return Value("number", world.xp.sqrt(inner(value, value, world).array), value.letters)


def _inner_node(node: Node, world: World, scope: Scope) -> Value:
    return inner(evaluate(node[1], world, scope), evaluate(node[2], world, scope), world)


def _call(node: Node, world: World, scope: Scope) -> Value:
    order = 0
    head = node[1]
    while head[0] == "prime":
        order, head = order + 1, head[1]
    name = head[1]
    values = [evaluate(part, world, scope) for part in node[2]]
    if any(value.kind == "identity" for value in values):
        raise Unreadable("a function of the identity")
    if order and len(values) != 1:
        raise Unreadable("a prime of a function of several")
    if order > 2:
        raise Unreadable("a third derivative")
    return (
        _primed(lambda value: _called(name, [value], world), values[0], order, world)
        if order
        else _called(name, values, world)
    )


def _primed_word(node: Node, world: World, scope: Scope) -> Value:
    _, word, order, argument = node
    return _primed(
        lambda value: entrywise(word, value, world), evaluate(argument, world, scope), order, world
    )


def _called(name: str, values: Sequence[Value], world: World) -> Value:
    page = world.page
    if name in page.functions:
        definition = page.functions[name]
        if len(values) != len(definition.parameters):
            raise IllFormed("arguments")
        if len(values) == 1 and values[0].kind != "number" and _is_of_numbers(page, definition):
            return _entry_by_entry(name, values[0], world)
        with world.holding(dict(zip(definition.parameters, values, strict=True))):
            guards, world.guards = world.guards, []
            try:
                return world.tabulated(definition.body, definition.letters)
            finally:
                world.guards = guards
    if name in page.unknown:
        if page.unknown[name] and not page.unknown[name][0] and len(values) == 1:
            array, xp = values[0].array, world.xp
            number = 0.1 * sum(map(ord, name)) % 1
            made = xp.sin(1.3 * array + number) + 0.4 * array**2 + 0.3 * array + 0.1 * array**3
            return Value(values[0].kind, made, values[0].letters)
        return world.unknown(name, values)
    raise Unreadable(f"the function {name}")


def _is_of_numbers(page: Page, definition: Definition) -> bool:
    """Tell whether a function's parameter is a number: neither declared nor used as anything else."""
    parameter = definition.parameters[0]
    if parameter in page.declared:
        return not page.declared[parameter].shape
    found: list[Node] = []

    def visit(node: Node) -> None:
        if (node[0] == "entry" and node[1] == ("name", parameter)) or node[0] in {"norm", "transpose"}:
            found.append(node)

    walk(definition.body, visit)
    return not found and not definition.letters


def _entry_by_entry(name: str, value: Value, world: World) -> Value:
    axes = tuple(f"entry {next(world.axes)}" for _ in value.shape)
    found = _called(name, [Value("number", value.array, (*value.letters, *axes))], world)
    if found.kind != "number":
        raise IllFormed("a function of an entry that is no number")
    others = tuple(letter for letter in found.letters if letter not in axes)
    array = world.lift(found, (*others, *axes), 0)
    array = array + np.zeros((*np.shape(array)[: len(others)], *value.shape))
    return Value(value.kind, array, others)


def _primed(function: Callable[[Value], Value], at: Value, order: int, world: World) -> Value:
    """Return the derivative of a function of numbers, entry by entry."""
    if order > 1:
        return _primed(lambda value: _primed(function, value, order - 1, world), at, 1, world)
    small = Value("number", np.asarray(0.0))

    def moved(by: Value) -> Value:
        return function(elementwise(lambda a, b: a + b, at, by, world))

    found = world.engine.derivative(moved, small)
    return Value(found.kind, found.array, found.letters)


# Derivatives


def _gradient(node: Node, world: World, scope: Scope) -> Value:
    """Take a gradient by what the function is a function of."""
    _, of, order = node
    name = of[1] if of[0] == "name" else of[1][1] if of[0] == "call" and of[1][0] == "name" else ""
    definition = world.page.functions.get(name)
    if definition is None or len(definition.parameters) != 1:
        raise Unreadable("a gradient that does not say by what")
    return _derivative(("derivative", of, (("name", definition.parameters[0]),) * order), world, scope)


def _length(node: Node, world: World, scope: Scope) -> Value:
    """Return how far a letter runs, by the formulas of the page."""
    del scope
    return Value("number", np.asarray(float(world.range_of(node[1], world.page.nodes))))


def _variable(by: Node) -> tuple[str, tuple[Node, ...], bool]:
    """Return the name by which a derivative is taken, the place of its entry, whether its square is meant."""
    places: tuple[Node, ...] = ()
    squared = False
    if by[0] == "entry":
        by, places = by[1], by[2]
    if by[0] == "power" and by[2] == ("number", 2.0) and by[1][0] == "name":
        by, squared = by[1], True
    if by[0] == "call":
        by = by[1]
    if by[0] != "name":
        raise Unreadable("a derivative by an expression")
    return by[1], places, squared


def _derivative(node: Node, world: World, scope: Scope) -> Value:
    _, of, variables = node
    if len(variables) > 1 and variables[-1][0] == "transpose":
        variables = (*variables[:-1], variables[-1][1])
    if len(variables) > 1:
        of = ("derivative", of, variables[1:])
    name, places, squared = _variable(variables[0])
    centre = world.value(name)
    if squared:
        centre = Value(centre.kind, centre.array**2, centre.letters)

    def function(value: Value) -> Value:
        held = Value(value.kind, world.xp.sqrt(value.array), value.letters) if squared else value
        with world.holding({name: held}):
            return evaluate(of, world, scope)

    found = world.engine.derivative(function, centre)
    if not places:
        return _shaped(found, centre)
    if len(places) != len(centre.shape):
        raise IllFormed("the place of a variable")
    if found.kind != "number":
        raise Unreadable("a vector by an entry")
    indices = [integer(evaluate(part, world, scope)) for part in places]
    return gather(Value(kind_of(len(places)), found.array, found.letters), indices, world)


def _shaped(found: Value, centre: Value) -> Value:
    """Return a derivative by a whole tensor in the shape that it has by convention."""
    if centre.kind == "number":
        return found
    if found.kind == "number":
        return Value(centre.kind, found.array, found.letters)
    if found.kind == "column" and centre.kind == "column":
        return Value("matrix", found.array, found.letters)
    raise Unreadable("a derivative of this shape")


_RULES: dict[str, Callable[[Node, World, Scope], Value]] = {
    "number": _number,
    "name": _name,
    "entry": _entry,
    "delta": _delta,
    "transpose": _transpose,
    "inverse": _inverse,
    "power": _power,
    "divide": _divide,
    "add": _add,
    "multiply": _multiply,
    "big": _big,
    "extreme": _extreme,
    "indicator": _indicator,
    "cases": _cases,
    "apply": _apply,
    "norm": _norm,
    "inner": _inner_node,
    "call": _call,
    "primed": _primed_word,
    "derivative": _derivative,
    "gradient": _gradient,
    "length": _length,
}

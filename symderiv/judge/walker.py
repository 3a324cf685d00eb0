"""Walker: the value of a term as it was elaborated, at concrete sizes, every entry at once.

Contract. Nothing is rewritten: a `D` is taken of the function itself by a stencil, a defined name by evaluating
its body, a sum by adding up. Imports `kernel.terms` and no other kernel. No text of the document is executed.
Vocabulary. A *grid* is an array with one named axis for each index (or derivative) that it depends on; a
*table* holds all entries of a tensor, slots first. A *scope* says over which integers each index runs. A *frame*
is one assignment of tables to names: the derivative by `v` opens a frame in which v's table is moved a little
and v is cut from its definition. What is undefined (out of range, 0/0, log of a negative) is NaN.
"""

from __future__ import annotations

import itertools
import zlib
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
import sympy
from sympy import Expr, Indexed, KroneckerDelta, Piecewise, Product, Sum
from sympy.core.relational import Relational
from sympy.logic.boolalg import And, BooleanFalse, BooleanTrue, Not, Or

from symderiv.judge.arithmetic import FLOAT, Arithmetic, Array, Stencil
from symderiv.kernel.terms import Context, D, Definition, Goal, Index, Opaque, Size, Unknown, name_of

Family = Literal["linear", "quadratic", "waves"]
"""What stands in for an unknown function: linear and quadratic ones a person can check, waves have every derivative."""


class NotEvaluableError(Exception):
    """This term, or this size, cannot be evaluated; the message says why."""


@dataclass(frozen=True, slots=True, eq=False)
class Point:
    """A value for each primitive name, and the family and seed of what stands in for unknown functions."""

    values: Mapping[str, Array]
    family: Family = "waves"
    seed: int = 0


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


@dataclass(slots=True, eq=False)
class Frame:
    """Tables of names: those that a derivative holds fixed, and those computed so far."""

    fixed: Mapping[str, Table] = field(default_factory=dict)
    tables: dict[str, Table] = field(default_factory=dict)
    parent: Frame | None = None
    variable: str | None = None
    """What distinguishes this frame from its parent."""


Scope = Mapping[Index, tuple[int, int]]
"""For each index its first value and how many there are."""


# What a goal consists of


def subterms(*terms: Any) -> Iterator[Any]:
    """Yield every subterm that stands for a value or an index: labels of bases and function names are left out."""
    waiting = list(terms)
    while waiting:
        term = waiting.pop()
        yield term
        if isinstance(term, Indexed):
            waiting.extend(term.args[1:])
        elif isinstance(term, Unknown):
            waiting.extend(term.args[2:])
        else:
            waiting.extend(term.args)


@dataclass(slots=True, eq=False)
class Model:
    """What the walker needs to know of a context, found once for all sizes and points."""

    context: Context
    _reach: dict[str, frozenset[str]] = field(default_factory=dict)
    _names: dict[Any, frozenset[str]] = field(default_factory=dict)
    _depths: dict[Any, int] = field(default_factory=dict)

    def names(self, term: Any) -> frozenset[str]:
        """Return the names that stand in the term itself."""
        if term not in self._names:
            found = (name_of(part) for part in subterms(term) if isinstance(part, Indexed | sympy.Symbol))
            self._names[term] = frozenset(name for name in found if name is not None)
        return self._names[term]

    def reach(self, name: str) -> frozenset[str]:
        """Return the name itself and every name on which its value depends."""
        if name not in self._reach:
            self._reach[name] = self.closure({name})
        return self._reach[name]

    def closure(self, names: Iterable[str]) -> frozenset[str]:
        """Return these names and every name on which their values depend."""
        found: set[str] = set()
        waiting = list(names)
        while waiting:
            name = waiting.pop()
            if name in found:
                continue
            found.add(name)
            if name in self.context.definitions:
                waiting.extend(self.names(self.context.definitions[name].body))
            elif name in self.context.opaque:
                waiting.extend(self.context.opaque[name].arguments)
        return frozenset(found)

    def reached(self, term: Any) -> frozenset[str]:
        """Return every name on which the term's value depends."""
        return self.closure(self.names(term))

    def depth(self, term: Any) -> int:
        """Return how many derivatives are nested in the term, through the definitions that it opens."""
        if term not in self._depths:
            self._depths[term] = 0  # a name that is defined by itself is found out during evaluation
            self._depths[term] = self._depth(term)
        return self._depths[term]

    def _depth(self, term: Any) -> int:
        if isinstance(term, D):
            return self.depth(term.term) + len(term.variables)
        if isinstance(term, Indexed | sympy.Symbol):
            name = name_of(term)
            bodies = [
                self.context.definitions[one].body
                for one in (self.reach(name) if name else ())
                if one in self.context.definitions
            ]
            return max((self.depth(body) for body in bodies), default=0)
        return max((self.depth(part) for part in term.args), default=0)

    def primitive(self, name: str) -> bool:
        """Tell whether the name has sampled values."""
        return name not in self.context.definitions and name not in self.context.opaque

    def shape(self, name: str) -> tuple[Expr, ...]:
        """Return the sizes of the name's slots; a name that has none on record is a scalar."""
        return tuple(self.context.shapes.get(name, ()))


def size_value(size: Any, sizes: Mapping[str, int]) -> int:
    """Return the value of a size at these sizes."""
    if isinstance(size, Size):
        if size.name not in sizes:
            raise NotEvaluableError(f"the size {size.name} is open")
        return sizes[size.name]
    if isinstance(size, int):
        return size
    value = sympy.sympify(size).subs({symbol: sizes[symbol.name] for symbol in size.atoms(Size) if symbol.name in sizes})
    if not value.is_Integer:
        raise NotEvaluableError(f"the size {size} is not a number here")
    return int(value)


# Grids


def _spread(grid: Grid, axes: tuple[Hashable, ...]) -> Array:
    """Return the data with these axes in this order, of length 1 where the grid has none."""
    if not grid.axes or grid.axes == axes:
        return grid.data
    own = [axis for axis in axes if axis in grid.axes]
    data = grid.data.transpose([grid.axes.index(axis) for axis in own])
    return data[tuple(slice(None) if axis in grid.axes else None for axis in axes)]


_LARGEST = 2_000_000
_LARGEST_OBJECTS = 60_000


def _align(grids: Sequence[Grid]) -> tuple[list[Array], tuple[Hashable, ...]]:
    """Return arrays that broadcast together, and their common axes."""
    axes = grids[0].axes
    if all(grid.axes == axes for grid in grids):
        return [grid.data for grid in grids], axes
    lengths = {axis: n for grid in grids for axis, n in zip(grid.axes, grid.data.shape, strict=True)}
    axes = tuple(lengths)
    _check_room(lengths.values(), any(grid.data.dtype == object for grid in grids))
    return [_spread(grid, axes) for grid in grids], axes


def _check_room(lengths: Iterable[int], objects: bool) -> None:  # noqa: FBT001
    count = 1
    for length in lengths:
        count *= length
    if count > (_LARGEST_OBJECTS if objects else _LARGEST):
        raise NotEvaluableError(f"an array of {count} numbers would be needed")


def _apply(function: Callable[..., Array], *grids: Grid) -> Grid:
    arrays, axes = _align(grids)
    return Grid(np.asarray(function(*arrays)), axes)


def _multiply(first: Array, *others: Array) -> Array:
    for other in others:
        first = first * other
    return first


def _add(first: Array, *others: Array) -> Array:
    for other in others:
        first = first + other
    return first


def _choose(condition: Array, yes: Array, no: Array) -> Array:
    """Where the condition is 1 the one, where 0 the other, where NaN neither."""
    return np.where(condition == 1, yes, np.where(condition == 0, no, np.nan))


_RELATIONS: dict[type, Callable[[Array, Array], Any]] = {
    sympy.Eq: lambda a, b: a == b,
    sympy.Ne: lambda a, b: a != b,
    sympy.StrictLessThan: lambda a, b: a < b,
    sympy.LessThan: lambda a, b: a <= b,
    sympy.StrictGreaterThan: lambda a, b: a > b,
    sympy.GreaterThan: lambda a, b: a >= b,
}


def _all_hold(*conditions: Array) -> Array:
    """Three-valued *and*: false if one is false, else undefined if one is."""
    product = _multiply(*conditions)
    some_false = np.any(np.broadcast_arrays(*[condition == 0 for condition in conditions]), axis=0)
    return np.where(some_false, 0.0, product)


def index_only(term: Any) -> bool:
    """Tell whether the term's value depends on indices and sizes alone."""
    return all(
        not isinstance(part, Indexed | D | Unknown | Sum | Product)
        and not (isinstance(part, sympy.Symbol) and not isinstance(part, Index | Size))
        for part in subterms(term)
    )


def draw(seed: int, *key: str) -> np.random.Generator:
    """Return the generator for one purpose: the same numbers whatever else is drawn."""
    return np.random.default_rng([seed, *(zlib.crc32(part.encode("utf-8", "replace")) for part in key)])


def dyadic(values: Array) -> Array:
    """Round to multiples of 1/64, which are exact in every arithmetic and short in print."""
    return np.round(values * 64) / 64


# The walker


class Walker:
    """Evaluates terms of one model at given sizes, at a point, in an arithmetic."""

    def __init__(self, model: Model, sizes: Mapping[str, int], point: Point, arithmetic: Arithmetic = FLOAT) -> None:
        """Prepare; nothing is evaluated yet."""
        self.model = model
        self.sizes = sizes
        self.point = point
        self.arithmetic = arithmetic
        self._labels = itertools.count()
        self._in_progress: set[str] = set()
        self._rules: dict[type, Callable[[Any, Scope, Frame], Grid]] = {}
        self._indices = self if arithmetic is FLOAT else Walker(model, sizes, point, FLOAT)
        self._nan = arithmetic.cast(np.array(np.nan))

    def value(self, term: Any, scope: Scope, frame: Frame) -> Grid:
        """Return the term's value over the indices in scope."""
        kind = type(term)
        rule = self._rules.get(kind)
        if rule is None:
            rule = self._rules[kind] = self._rule(kind)
        return rule(term, scope, frame)

    def _rule(self, kind: type) -> Callable[[Any, Scope, Frame], Grid]:
        for ancestor in kind.__mro__:
            if ancestor in _RULES:
                rule = _RULES[ancestor]
                return lambda term, scope, frame: rule(self, term, scope, frame)
            if ancestor in self.arithmetic.functions:
                function = self.arithmetic.functions[ancestor]
                return lambda term, scope, frame: _apply(
                    function, *[self.value(argument, scope, frame) for argument in term.args]
                )
        raise NotEvaluableError(f"no numerical meaning for {kind.__name__}")

    # Numbers and names

    def _number(self, term: Any, scope: Scope, frame: Frame) -> Grid:  # noqa: ARG002
        return Grid(np.asarray(self.arithmetic.constant(term)))

    def _index(self, term: Index, scope: Scope, frame: Frame) -> Grid:  # noqa: ARG002
        return Grid(self.arithmetic.cast(self._run(term, scope)), (term,))

    def _run(self, index: Index, scope: Scope) -> Array:
        if index not in scope:
            raise NotEvaluableError(f"the index {index.name.split('#')[0]} has no range")
        start, length = scope[index]
        return np.arange(start, start + length)

    def _size(self, term: Size, scope: Scope, frame: Frame) -> Grid:  # noqa: ARG002
        return Grid(self.arithmetic.cast(np.array(size_value(term, self.sizes))))

    def _symbol(self, term: sympy.Symbol, scope: Scope, frame: Frame) -> Grid:
        return self._entry(term.name, (), scope, frame)

    def _indexed(self, term: Indexed, scope: Scope, frame: Frame) -> Grid:
        return self._entry(term.base.label.name, term.indices, scope, frame)

    def _entry(self, name: str, indices: Sequence[Any], scope: Scope, frame: Frame) -> Grid:
        table = self.table(name, frame)
        rank = table.data.ndim - len(table.batch)
        if rank != len(indices):
            raise NotEvaluableError(f"{name} has {rank} indices, not {len(indices)}")
        if not indices:
            return Grid(table.data, table.batch)
        dimensions = table.data.shape[:rank]
        if len(set(indices)) == rank and all(
            isinstance(index, Index) and index in scope and scope[index][0] == 1 and scope[index][1] <= dimension
            for index, dimension in zip(indices, dimensions, strict=True)
        ):
            return Grid(table.data[tuple(slice(scope[index][1]) for index in indices)], (*indices, *table.batch))
        where, axes = _align([self.whole(index, scope, frame) for index in indices])
        inside = np.asarray(True)  # noqa: FBT003
        for position, dimension in zip(where, dimensions, strict=True):
            inside = inside & (position >= 1) & (position <= dimension)
        positions = tuple(np.clip(at, 1, n) - 1 for at, n in zip(where, dimensions, strict=True))
        data = np.asarray(table.data[positions])
        if not inside.all():
            inside = np.broadcast_to(inside, data.shape[: len(axes)])
            data = np.where(inside[(..., *[None] * len(table.batch))], data, self._nan)
        return Grid(data, (*axes, *table.batch))

    def whole(self, term: Any, scope: Scope, frame: Frame) -> Grid:
        """Return the integers that an index expression stands for; 0, which is no position, where it is none."""
        if isinstance(term, Index):
            return Grid(self._run(term, scope), (term,))
        if isinstance(term, sympy.Integer):
            return Grid(np.asarray(int(term)))
        grid = self._indices.value(term, scope, Frame() if self._indices is not self else frame)
        rounded = np.rint(grid.data.real)
        return Grid(np.where(rounded == grid.data, rounded, 0).astype(int), grid.axes)

    def dimensions(self, name: str) -> tuple[int, ...]:
        """Return the tensor's shape at these sizes."""
        shape = tuple(size_value(size, self.sizes) for size in self.model.shape(name))
        if any(size < 1 for size in shape):
            raise NotEvaluableError(f"{name} is empty here")
        return shape

    def table(self, name: str, frame: Frame) -> Table:
        """Return all entries of a tensor."""
        if name in frame.fixed:
            return frame.fixed[name]
        if name not in frame.tables:
            if frame.parent is not None and frame.variable not in self.model.reach(name):
                return self.table(name, frame.parent)
            frame.tables[name] = self._compute(name, frame)
        return frame.tables[name]

    def _compute(self, name: str, frame: Frame) -> Table:
        context = self.model.context
        if self.model.primitive(name):
            if name not in self.point.values:
                raise NotEvaluableError(f"{name} has no value")
            return Table(self.arithmetic.cast(self.point.values[name]))
        if name in self._in_progress:
            raise NotEvaluableError(f"{name} is defined by itself")
        self._in_progress.add(name)
        try:
            if name in context.definitions:
                return self._defined(context.definitions[name], frame)
            return self._opaque(context.opaque[name], frame)
        finally:
            self._in_progress.discard(name)

    def _defined(self, definition: Definition, frame: Frame) -> Table:
        dimensions = self.dimensions(definition.name)
        if len(dimensions) != len(definition.slots):
            raise NotEvaluableError(f"the shape of {definition.name} is not known")
        scope = {slot: (1, size) for slot, size in zip(definition.slots, dimensions, strict=True)}
        return _tabulate(self.value(definition.body, scope, frame), definition.slots, dimensions)

    # Unknown functions: concrete ones stand in for them

    def _opaque(self, opaque: Opaque, frame: Frame) -> Table:
        """Evaluate the function of all entries of the arguments that stands in for an opaque name."""
        outer = self.dimensions(opaque.name)
        slots = tuple(("slot", at) for at in range(len(outer)))
        if not opaque.arguments:
            return Table(self.arithmetic.cast(dyadic(draw(self.point.seed, opaque.name).uniform(-2, 2, outer))))
        waves = {"linear": 1, "quadratic": 2, "waves": 3}[self.point.family]
        phases: list[Grid] = []
        for argument in opaque.arguments:
            table = self.table(argument, frame)
            shape = table.data.shape[: table.data.ndim - len(table.batch)]
            weights = self._weights(opaque.name, argument, (waves, *outer), shape)
            rows = self.arithmetic.cast(weights.reshape((-1, int(np.prod(shape, dtype=int)))))
            columns = table.data.reshape((rows.shape[1], -1))
            _check_room((rows.shape[0], columns.shape[1]), columns.dtype == object)
            data = (rows @ columns).reshape((waves, *outer, *table.data.shape[len(shape) :]))
            phases.append(Grid(data, ("wave", *slots, *table.batch)))
        phase = _apply(_add, *phases)
        return _tabulate(Grid(self._family(opaque.name, phase.data), phase.axes[1:]), slots, outer)

    def _weights(self, name: str, argument: str, outer: tuple[int, ...], shape: tuple[int, ...]) -> Array:
        generator = draw(self.point.seed, "weights", name, argument)
        if self.point.family == "waves":
            return dyadic(generator.uniform(0.2, 0.9, (*outer, *shape)) * generator.choice([-1, 1], (*outer, *shape)))
        count = int(np.prod((*outer, *shape), dtype=int))
        start = int(generator.integers(len(_SIMPLE_WEIGHTS)))
        return np.resize(np.roll(_SIMPLE_WEIGHTS, -start), count).reshape((*outer, *shape)).astype(float)

    def _family(self, name: str, phase: Array) -> Array:
        """Combine the phases (first axis) into one value."""
        if self.point.family == "linear":
            return np.asarray(phase[0])
        if self.point.family == "quadratic":
            return np.asarray(phase[0] + phase[1] * phase[1] / 2)
        generator = draw(self.point.seed, "family", name)
        offsets = self.arithmetic.cast(dyadic(generator.uniform(-1, 1, 3)))
        sine = self.arithmetic.functions[sympy.sin]
        total = self.arithmetic.cast(np.array(3.5))
        for amplitude, offset, one in zip((1.25, 0.875, 0.5), offsets, phase, strict=True):
            total = total + amplitude * sine(one + offset)
        return np.asarray(total)

    def _unknown(self, term: Unknown, scope: Scope, frame: Frame) -> Grid:
        """Evaluate a derivative of the function that stands in for an unknown function of scalars."""
        orders = [int(order) for order in term.args[1].args]
        weights, amplitudes, offsets = unknown_waves(term.args[0].name, len(orders), self.point)
        arguments = [self.value(argument, scope, frame) for argument in term.args[2:]]
        arrays, axes = _align(arguments)
        turn = (sympy.sin, sympy.cos, sympy.sin, sympy.cos)[sum(orders) % 4]
        sign = (1, 1, -1, -1)[sum(orders) % 4]
        wave = self.arithmetic.functions[turn]
        constants = self.arithmetic.cast
        total: Any = constants(np.array(0.0 if sum(orders) else 3.5))
        for row, amplitude, offset in zip(weights, amplitudes, offsets, strict=True):
            phase: Any = constants(offset)
            factor: Any = constants(amplitude) * sign
            for weight, order, array in zip(row, orders, arrays, strict=True):
                phase = phase + constants(weight) * array
                factor = factor * constants(weight) ** order
            total = total + factor * wave(np.asarray(phase))
        return Grid(np.asarray(total), axes)

    # Operations

    def _sum_of(self, term: Any, scope: Scope, frame: Frame) -> Grid:
        return _apply(_add, *[self.value(part, scope, frame) for part in term.args])

    def _product_of(self, term: Any, scope: Scope, frame: Frame) -> Grid:
        """Multiply; an indicator that is 0 makes the product 0 even where the rest is undefined (Iverson)."""
        indicators = [part for part in term.args if isinstance(part, KroneckerDelta | Piecewise) and index_only(part)]
        result = _apply(_multiply, *[self.value(part, scope, frame) for part in term.args])
        if not indicators or not np.any(result.data != result.data):  # noqa: PLR0124
            return result
        nonzero = _apply(_multiply, *[self.value(part, scope, frame) for part in indicators])
        return _apply(lambda value, factor: np.where(factor == 0, 0 * factor, value), result, nonzero)

    def _power_of(self, term: Any, scope: Scope, frame: Frame) -> Grid:
        base, exponent = term.args
        under = self.value(base, scope, frame)
        if exponent == -1:
            return _apply(lambda z: self.arithmetic.integer_power(z, np.asarray(-1)), under)
        if exponent == 2:  # noqa: PLR2004
            return Grid(np.asarray(under.data * under.data), under.axes)
        if exponent.is_integer and index_only(exponent):
            return _apply(self.arithmetic.integer_power, under, self.whole(exponent, scope, frame))
        return _apply(self.arithmetic.power, under, self.value(exponent, scope, frame))

    def _delta(self, term: Any, scope: Scope, frame: Frame) -> Grid:
        a, b = (self.whole(part, scope, frame) for part in term.args[:2])
        return _apply(lambda x, y: self.arithmetic.cast(x == y), a, b)

    def _piecewise(self, term: Any, scope: Scope, frame: Frame) -> Grid:
        result = Grid(self._nan)
        for branch, condition in reversed(term.args):
            value = self.value(branch, scope, frame)
            result = value if condition == True else _apply(  # noqa: E712
                _choose, self.condition(condition, scope, frame), value, result
            )
        return result

    def condition(self, condition: Any, scope: Scope, frame: Frame) -> Grid:
        """Return 1 where the condition holds, 0 where not, NaN where it is undefined."""
        if isinstance(condition, BooleanTrue | BooleanFalse):
            return Grid(np.asarray(float(bool(condition))))
        if isinstance(condition, Not):
            return _apply(lambda holds: 1 - holds, self.condition(condition.args[0], scope, frame))
        if isinstance(condition, And | Or):
            parts = [self.condition(part, scope, frame) for part in condition.args]
            if isinstance(condition, And):
                return _apply(_all_hold, *parts)
            return _apply(lambda *holds: 1 - _all_hold(*[1 - one for one in holds]), *parts)
        if not isinstance(condition, Relational) or type(condition) not in _RELATIONS:
            raise NotEvaluableError(f"no numerical meaning for the condition {type(condition).__name__}")
        relation = _RELATIONS[type(condition)]
        real = self.arithmetic.real
        walker = self._indices if index_only(condition) else self
        sides = [walker.value(side, scope, frame if walker is self else Frame()) for side in condition.args]

        def compare(a: Array, b: Array) -> Array:
            holds = np.asarray(relation(real(a), real(b)), dtype=bool)
            return np.where((a != a) | (b != b), np.nan, holds)  # noqa: PLR0124

        return _apply(compare, *sides)

    def _sum(self, term: Sum, scope: Scope, frame: Frame) -> Grid:
        return self._fold(term, scope, frame, 0)

    def _product(self, term: Product, scope: Scope, frame: Frame) -> Grid:
        return self._fold(term, scope, frame, 1)

    def _fold(self, term: Any, scope: Scope, frame: Frame, neutral: int) -> Grid:
        """Add up (neutral 0) or multiply (neutral 1) over the bound indices, the last of which is outermost."""
        inner: dict[Index, tuple[int, int]] = dict(scope)
        bounds: list[tuple[Index, Grid | None, int]] = []
        for limit in reversed(term.limits):
            if len(limit) != 3:  # noqa: PLR2004
                raise NotEvaluableError("a sum without bounds")
            index, low, high = limit
            mask, span = self._span(index, low, high, inner, frame)
            inner[index] = span
            bounds.append((index, mask, span[1]))
        result = self.value(term.function, inner, frame)
        for index, mask, length in reversed(bounds):
            result = self._fold_axis(result, index, mask, length, neutral)
        return result

    def _span(self, index: Index, low: Any, high: Any, scope: Scope, frame: Frame) -> tuple[Grid | None, tuple[int, int]]:
        if low.is_infinite or high.is_infinite:
            raise NotEvaluableError("a sum with infinitely many terms")
        first, last = self.whole(low, scope, frame), self.whole(high, scope, frame)
        if not first.data.size or not last.data.size:
            return None, (1, 0)
        start, length = int(first.data.min()), max(0, int(last.data.max()) - int(first.data.min()) + 1)
        _check_room((length,), False)  # noqa: FBT003
        if not first.axes and not last.axes:
            return None, (start, length)
        run = Grid(np.arange(start, start + length), (index,))
        return _apply(lambda k, a, b: (a <= k) & (k <= b), run, first, last), (start, length)

    def _fold_axis(self, grid: Grid, index: Index, mask: Grid | None, length: int, neutral: int) -> Grid:
        if index not in grid.axes:
            count = np.asarray(length)
            counts = Grid(count) if mask is None else _drop(mask, index, lambda data, at: data.sum(axis=at))
            if neutral:
                return _apply(self.arithmetic.integer_power, grid, counts)
            return _apply(lambda value, n: np.where(n == 0, n, n * value), grid, _apply(self.arithmetic.cast, counts))
        if mask is not None:
            filler = self.arithmetic.cast(np.asarray(neutral))
            grid = _apply(lambda holds, value: np.where(holds, value, filler), mask, grid)
        if not length:
            empty = _drop(grid, index, lambda data, at: np.zeros([n for axis, n in enumerate(data.shape) if axis != at]))
            return Grid(self.arithmetic.cast(empty.data + neutral), empty.axes)
        return _drop(grid, index, lambda data, at: data.prod(axis=at) if neutral else data.sum(axis=at))

    # Equations

    def subtract(self, left: Any, right: Any, scope: Scope, frame: Frame) -> Grid:
        """Return the difference of two terms."""
        return _apply(lambda a, b: a - b, self.value(left, scope, frame), self.value(right, scope, frame))

    def jacobian(self, left: Any, right: Any, name: str, scope: Scope, frame: Frame) -> Array:
        """Return the derivatives of a difference by every entry of a name: entries first, then the scope's indices."""
        wanted = np.arange(self.table(name, frame).data.size)
        slopes = [self._slopes(side, name, wanted, scope, frame) for side in (left, right)]
        axes = tuple(scope)
        lengths = (len(wanted), *(length for _, length in scope.values()))
        spread = [
            np.broadcast_to(_spread(slope, (slope.axes[0], *axes)), lengths) for slope in slopes
        ]
        return np.asarray(spread[0] - spread[1])

    # Derivatives

    def _derivative(self, term: D, scope: Scope, frame: Frame) -> Grid:
        """Differentiate by the last variable; the rest, if any, is differentiated first."""
        *earlier, variable = term.variables
        name = name_of(variable)
        if name is None:
            raise NotEvaluableError("a derivative by what is no name")
        body = D(term.term, *earlier) if earlier else term.term
        self._check_paths(body, name, frame)
        indices = variable.indices if isinstance(variable, Indexed) else ()
        dimensions = self.table(name, frame).data.shape[: len(indices)]
        if len(dimensions) != len(indices):
            raise NotEvaluableError(f"{name} has no {len(indices)} indices")
        position = self._flat(indices, dimensions, scope, frame)
        wanted, inverse = np.unique(position.data, return_inverse=True)
        slopes = self._slopes(body, name, wanted, scope, frame)
        chosen = Grid(inverse.reshape(position.data.shape), position.axes)
        picked = _pick(slopes, chosen)
        if not (wanted < 0).any():
            return picked
        return _apply(lambda value, at: np.where(at < 0, self._nan, value), picked, position)

    def _check_paths(self, body: Any, name: str, frame: Frame) -> None:
        """Refuse a derivative by x within one by y that depends on x: which paths are open is ambiguous."""
        for held in frame.fixed:
            reach = self.model.reach(held)
            if held != name and name in reach and held in self.model.reached(body):
                raise NotEvaluableError(f"a derivative by {name} within one by {held}, which depends on it")

    def _flat(self, indices: Sequence[Any], dimensions: tuple[int, ...], scope: Scope, frame: Frame) -> Grid:
        """Return the position of the entry among all entries of its tensor; -1 where it is out of range."""
        if not indices:
            return Grid(np.asarray(0))
        where, axes = _align([self.whole(index, scope, frame) for index in indices])
        flat, inside = np.asarray(0), np.asarray(True)  # noqa: FBT003
        for at, n in zip(where, dimensions, strict=True):
            flat, inside = flat * n + (at - 1), inside & (at >= 1) & (at <= n)
        return Grid(np.where(inside, flat, -1), axes)

    def _slopes(self, body: Any, name: str, wanted: Array, scope: Scope, frame: Frame) -> Grid:
        """Return the derivatives by the wanted entries of a name, the first axis over these."""
        result: Grid | None = None
        for stencil in self.arithmetic.stencils(self.model.depth(body)):
            slopes = self._by_stencil(body, name, wanted, scope, frame, stencil)
            if result is None:
                result = slopes
            else:
                result = _apply(lambda old, new: np.where(old != old, new, old), result, slopes)  # noqa: PLR0124
                result = Grid(_spread(result, slopes.axes), slopes.axes) if result.axes != slopes.axes else result
            if not np.any(result.data != result.data):  # noqa: PLR0124
                break
        assert result is not None
        return result

    def _by_stencil(
        self, body: Any, name: str, wanted: Array, scope: Scope, frame: Frame, stencil: Stencil
    ) -> Grid:
        table = self.table(name, frame)
        rank = table.data.ndim - len(table.batch)
        shape = table.data.shape[:rank]
        label = next(self._labels)
        direction, step = ("direction", label), ("step", label)
        chosen = (np.arange(int(np.prod(shape, dtype=int)))[:, None] == wanted).reshape((*shape, *[1] * len(table.batch), -1, 1))
        moves = chosen * stencil.offsets
        _check_room((moves.size, int(np.prod(table.data.shape[rank:], dtype=int))), moves.dtype == object)
        moved = Table(table.data[..., None, None] + moves, (*table.batch, direction, step))
        inner = Frame({**frame.fixed, name: moved}, {}, frame, name)
        value = self.value(body, scope, inner)
        rest = tuple(axis for axis in value.axes if axis not in (direction, step))
        if direction not in value.axes:
            undefined = value.data != value.data  # noqa: PLR0124
            zero = np.where(undefined, self._nan, self.arithmetic.cast(np.array(0.0)))
            zero = np.broadcast_to(zero, (len(wanted), *zero.shape))
            return Grid(zero, (("slope", label), *rest))
        data = _spread(value, (direction, *rest, step))
        return Grid(stencil.combine(data), (("slope", label), *rest))


_SIMPLE_WEIGHTS = np.array([1, -2, 3, 2, -1, 4, -3, 5, -4, 6, -5])


def unknown_waves(name: str, arity: int, point: Point) -> tuple[Array, Array, Array]:
    """Return weights, amplitudes and offsets of Σ a·sin(w·x + p), which stands in for an unknown scalar function."""
    generator = draw(point.seed, "unknown", name)
    if point.family != "waves":
        return 1 + np.arange(arity, dtype=float)[None, :], np.array([1.0]), np.array([0.5])
    weights = dyadic(generator.uniform(0.5, 1.25, (3, arity)))
    return weights, np.array([1.25, 0.875, 0.5]), dyadic(generator.uniform(-1, 1, 3))


def _tabulate(grid: Grid, slots: Sequence[Hashable], dimensions: tuple[int, ...]) -> Table:
    """Return the grid as a table with these slots in this order."""
    batch = tuple(axis for axis in grid.axes if axis not in slots)
    lengths = tuple(grid.data.shape[grid.axes.index(axis)] for axis in batch)
    _check_room((*dimensions, *lengths), grid.data.dtype == object)
    return Table(np.broadcast_to(_spread(grid, (*slots, *batch)), (*dimensions, *lengths)), batch)


def _drop(grid: Grid, axis: Hashable, reduce: Callable[[Array, int], Array]) -> Grid:
    at = grid.axes.index(axis)
    return Grid(np.asarray(reduce(grid.data, at)), grid.axes[:at] + grid.axes[at + 1 :])


def _pick(grid: Grid, chosen: Grid) -> Grid:
    """Take from the grid's first axis the position that `chosen` names."""
    rest = grid.axes[1:]
    axes = tuple(dict.fromkeys((*chosen.axes, *rest)))
    runs = [_spread(Grid(np.arange(n), (axis,)), axes) for axis, n in zip(rest, grid.data.shape[1:], strict=True)]
    return Grid(np.asarray(grid.data[(_spread(chosen, axes), *runs)]), axes)


_RULES: dict[type, Callable[[Walker, Any, Scope, Frame], Grid]] = {
    sympy.Number: Walker._number,  # noqa: SLF001
    sympy.NumberSymbol: Walker._number,  # noqa: SLF001
    Index: Walker._index,  # noqa: SLF001
    Size: Walker._size,  # noqa: SLF001
    sympy.Symbol: Walker._symbol,  # noqa: SLF001
    Indexed: Walker._indexed,  # noqa: SLF001
    sympy.Add: Walker._sum_of,  # noqa: SLF001
    sympy.Mul: Walker._product_of,  # noqa: SLF001
    sympy.Pow: Walker._power_of,  # noqa: SLF001
    KroneckerDelta: Walker._delta,  # noqa: SLF001
    Piecewise: Walker._piecewise,  # noqa: SLF001
    Sum: Walker._sum,  # noqa: SLF001
    Product: Walker._product,  # noqa: SLF001
    D: Walker._derivative,  # noqa: SLF001
    Unknown: Walker._unknown,  # noqa: SLF001
}


def open_scope(goal: Goal, sizes: Mapping[str, int]) -> dict[Index, tuple[int, int]]:
    """Return the scope of the goal's free indices."""
    scope = {index: (1, size_value(size, sizes)) for index, size in goal.ranges.items()}
    if any(length < 1 for _, length in scope.values()):
        raise NotEvaluableError("a free index has an empty range")
    return scope


def over(grid: Grid, scope: Scope) -> Array:
    """Return the grid's values over every index of the scope, in its order."""
    axes = tuple(scope)
    return np.broadcast_to(_spread(grid, axes), tuple(length for _, length in scope.values()))

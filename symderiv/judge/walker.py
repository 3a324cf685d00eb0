"""Walker: the value of a term as it was elaborated, at concrete sizes, every entry at once.

Contract. Nothing is rewritten: a `D` is taken of the function itself by a stencil (`slopes`), a defined name
by evaluating its body, a sum by adding up (`folds`), and what is elementary by the function that SymPy
lambdifies from it (`skeletons`). Imports `kernel.terms` and no other kernel. No text of the document is
executed. What is undefined (out of range, 0/0, log of a negative) is NaN.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Mapping, Sequence
from functools import lru_cache
from typing import Any, ClassVar

import numpy as np
import sympy
from sympy import Indexed, KroneckerDelta, Piecewise, Product, Sum
from sympy.core.relational import Relational
from sympy.logic.boolalg import And, BooleanFalse, BooleanTrue, Not, Or

from symderiv.judge import folds, slopes, standins
from symderiv.judge.anatomy import Anatomy, NotEvaluableError, index_only, size_value, traits, visible
from symderiv.judge.arithmetic import FLOAT, Arithmetic, Array
from symderiv.judge.frames import Frame, Point, Scope
from symderiv.judge.grids import (
    Grid,
    Table,
    add,
    align,
    apply,
    check_room,
    flatten,
    gather,
    multiply,
    pick,
    spread,
    tabulate,
    undefined,
    widened,
)
from symderiv.judge.recall import token
from symderiv.judge.skeletons import Whole, compiled, elementary, skeleton
from symderiv.kernel.terms import (
    Cases,
    D,
    Definite,
    Definition,
    Det,
    Greatest,
    Index,
    Inv,
    OfMatrix,
    Opaque,
    Size,
    Unknown,
)

_RELATIONS: dict[type, Callable[[Array, Array], Any]] = {
    sympy.Eq: lambda a, b: a == b,
    sympy.Ne: lambda a, b: a != b,
    sympy.StrictLessThan: lambda a, b: a < b,
    sympy.LessThan: lambda a, b: a <= b,
    sympy.StrictGreaterThan: lambda a, b: a > b,
    sympy.GreaterThan: lambda a, b: a >= b,
}


def _choose(condition: Array, yes: Array, no: Array) -> Array:
    """Where the condition is 1 the one, where 0 the other, where NaN neither."""
    return np.where(condition == 1, yes, np.where(condition == 0, no, np.nan))


def _all_hold(*conditions: Array) -> Array:
    """Three-valued *and*: false if one is false, else undefined if one is."""
    some_false = np.any(np.broadcast_arrays(*[condition == 0 for condition in conditions]), axis=0)
    return np.where(some_false, 0.0, multiply(*conditions))


class Walker:
    """Evaluates terms of one goal's context at given sizes, at a point, in an arithmetic."""

    def __init__(
        self, anatomy: Anatomy, sizes: Mapping[str, int], point: Point, arithmetic: Arithmetic = FLOAT
    ) -> None:
        """Prepare; nothing is evaluated yet."""
        self.anatomy = anatomy
        self.sizes = sizes
        self.point = point
        self.arithmetic = arithmetic
        self._in_progress: set[str] = set()
        self._rules: dict[type, Callable[[Any, Scope, Frame], Grid]] = {}
        self._made: dict[str, object] = {}
        self._here = token((point.family, point.seed, arithmetic))
        self._integers = self if arithmetic is FLOAT else Walker(anatomy, sizes, point, FLOAT)
        self.nan = arithmetic.cast(np.array(np.nan))

    def value(self, term: Any, scope: Scope, frame: Frame) -> Grid:
        """Return the term's value over the indices in scope."""
        kind = type(term)
        rule = self._rules.get(kind)
        if rule is None:
            rule = self._rules[kind] = self._rule(kind)
        return rule(term, scope, frame)

    def side(self, term: Any, scope: Scope, frame: Frame) -> Grid:
        """Return the value of a side, which may be known from another comparison."""
        return (
            self.known(self.value, term, scope, frame)
            if elementary(type(term))
            else self.value(term, scope, frame)
        )

    def known(
        self, evaluate: Callable[[Any, Scope, Frame], Grid], term: Any, scope: Scope, frame: Frame
    ) -> Grid:
        """Return a term's value: known from another comparison, or found by this function."""
        if frame.token is not None or self._in_progress:
            return evaluate(term, scope, frame)
        grid: Grid = self.anatomy.recall.find(self._key(term, scope), lambda: evaluate(term, scope, frame))
        return grid

    def _key(self, term: Any, scope: Scope) -> Hashable:
        """Return all that a term's value is made of."""
        found = traits(term)
        return (
            term,
            self._here,
            *[self.made_of(name) for name in found.names],
            *[self.sizes.get(size) for size in found.sizes],
            *[scope.get(index) for index in found.free],
        )

    def made_of(self, name: str) -> object:
        """Return what stands for all that the table of a name is made of, where nothing is moved."""
        if name not in self._made:
            makings = self.anatomy.ties.makings(name)
            values = [self.point.values.get(each) for each in makings.primitives]
            parts = (
                name,
                self._here,
                makings.token,
                *[self.sizes.get(size) for size in makings.sizes],
                *[None if one is None else (one.shape, one.tobytes()) for one in values],
            )
            self._made[name] = token(parts)
        return self._made[name]

    def _rule(self, kind: type) -> Callable[[Any, Scope, Frame], Grid]:
        if elementary(kind):
            return self._elementary
        for ancestor in kind.__mro__:
            if ancestor in self._RULES:
                rule = self._RULES[ancestor]
                return lambda term, scope, frame: rule(self, term, scope, frame)
        raise NotEvaluableError(f"no numerical meaning for {kind.__name__}")

    def subtract(self, left: Any, right: Any, scope: Scope, frame: Frame) -> Grid:
        """Return the difference of two terms."""
        return apply(lambda a, b: a - b, self.value(left, scope, frame), self.value(right, scope, frame))

    # Numbers, indices, entries

    def _number(self, term: Any, scope: Scope, frame: Frame) -> Grid:  # noqa: ARG002
        return Grid(np.asarray(self.arithmetic.constant(term)))

    def _index(self, term: Index, scope: Scope, frame: Frame) -> Grid:  # noqa: ARG002
        return Grid(self.arithmetic.cast(_run(term, scope)), (term,))

    def _size(self, term: Size, scope: Scope, frame: Frame) -> Grid:  # noqa: ARG002
        return Grid(self.arithmetic.cast(np.array(size_value(term, self.sizes))))

    def _symbol(self, term: sympy.Symbol, scope: Scope, frame: Frame) -> Grid:
        return self._entry(term.name, (), scope, frame)

    def _indexed(self, term: Indexed, scope: Scope, frame: Frame) -> Grid:
        return self._entry(term.base.label.name, term.indices, scope, frame)

    def _entry(self, name: str, indices: Sequence[Any], scope: Scope, frame: Frame) -> Grid:
        table = self.table(name, frame)
        shape = table.shape
        if len(shape) != len(indices):
            raise NotEvaluableError(f"{name} has {len(shape)} indices, not {len(indices)}")
        if not indices:
            return Grid(table.data, table.batch)
        if len(set(indices)) == len(shape) and all(
            isinstance(index, Index) and index in scope and scope[index][0] == 1 and scope[index][1] <= n
            for index, n in zip(indices, shape, strict=True)
        ):
            return Grid(
                table.data[tuple(slice(scope[index][1]) for index in indices)], (*indices, *table.batch)
            )
        return gather(table, [self.whole(index, scope, frame) for index in indices], self.nan)

    def whole(self, term: Any, scope: Scope, frame: Frame) -> Grid:
        """Return the integers that an index expression stands for; 0, no position, where for none."""
        if isinstance(term, Index):
            return Grid(_run(term, scope), (term,))
        if isinstance(term, sympy.Integer):
            return Grid(np.asarray(int(term)))
        grid = self._integers.value(term, scope, frame if self._integers is self else Frame())
        rounded = np.rint(grid.data.real)
        return Grid(np.where(rounded == grid.data, rounded, 0).astype(int), grid.axes)

    # Tables of names

    def shape(self, name: str) -> tuple[int, ...]:
        """Return the tensor's shape at these sizes."""
        shape = tuple(size_value(size, self.sizes) for size in self.anatomy.shape(name))
        if any(size < 1 for size in shape):
            raise NotEvaluableError(f"{name} is empty here")
        return shape

    def table(self, name: str, frame: Frame) -> Table:
        """Return all entries of a tensor."""
        if name in frame.fixed:
            return frame.fixed[name]
        if name not in frame.tables:
            if frame.parent is not None and frame.variable not in self.anatomy.reach(name):
                return self.table(name, frame.parent)
            frame.tables[name] = self._found(name, frame)
        return frame.tables[name]

    def _found(self, name: str, frame: Frame) -> Table:
        """Return a table that another comparison has computed, or compute it."""
        if self._in_progress and self.anatomy.ties.makings(name).recurrent:
            return self._compute(name, frame)
        key = (frame.token, self.made_of(name))
        table: Table = self.anatomy.recall.find(key, lambda: self._compute(name, frame))
        return table

    def _compute(self, name: str, frame: Frame) -> Table:
        context = self.anatomy.context
        if self.anatomy.primitive(name):
            if name not in self.point.values:
                raise NotEvaluableError(f"{name} has no value")
            return Table(self.arithmetic.cast(self.point.values[name]))
        if name in self._in_progress:
            raise NotEvaluableError(f"{name} is defined by itself")
        self._in_progress.add(name)
        try:
            if name in context.opaque:
                return self._opaque(context.opaque[name], frame)
            if self.anatomy.circular(name):
                return self._recurrence(context.definitions[name], frame)
            return self._defined(context.definitions[name], frame)
        finally:
            self._in_progress.discard(name)

    def _defined(self, definition: Definition, frame: Frame) -> Table:
        shape = self.shape(definition.name)
        if len(shape) != len(definition.slots):
            raise NotEvaluableError(f"the shape of {definition.name} is not known")
        scope = {slot: (1, n) for slot, n in zip(definition.slots, shape, strict=True)}
        return tabulate(self.value(definition.body, scope, frame), definition.slots, shape)

    def _recurrence(self, definition: Definition, frame: Frame) -> Table:
        """Fill in a table defined by its own entries: undefined at first, then from those defined so far."""
        name, reach = definition.name, self.anatomy.reach
        table = Table(np.broadcast_to(self.nan, self.shape(name)))
        left = table.data.size + 1
        for _ in range(left):
            for other in [other for other in frame.tables if name in reach(other)]:
                del frame.tables[other]
            frame.tables[name] = table
            table = self._defined(definition, frame)
            before, left = left, int(undefined(table.data).sum())
            if not left or (left == before and table.batch == frame.tables[name].batch):
                break
        if undefined(table.data).all():
            raise NotEvaluableError(f"{name} is defined by itself")
        return table

    def _opaque(self, opaque: Opaque, frame: Frame) -> Table:
        """Evaluate what stands in for an unknown function of all entries of the arguments."""
        of, outer = self._stand_in(opaque.name), self.shape(opaque.name)
        slots = tuple(("slot", at) for at in range(len(outer)))
        if not opaque.arguments:
            return Table(self.arithmetic.cast(standins.constants(of, outer)))
        phases: list[Grid] = []
        for argument in opaque.arguments:
            table = self.table(argument, frame)
            weights = standins.phase_weights(of, argument, outer, table.shape)
            rows = self.arithmetic.cast(weights.reshape((-1, math.prod(table.shape))))
            columns = table.data.reshape((rows.shape[1], -1))
            check_room((rows.shape[0], *columns.shape), objects=columns.dtype == object)
            data = (rows @ columns).reshape((-1, *outer, *table.data.shape[len(table.shape) :]))
            phases.append(Grid(data, ("phase", *slots, *table.batch)))
        phase = apply(add, *phases)
        value = standins.of_phases(of, phase.data, self.arithmetic)
        return tabulate(Grid(value, phase.axes[1:]), slots, outer)

    def _unknown(self, term: Unknown, scope: Scope, frame: Frame) -> Grid:
        orders = [int(order) for order in term.args[1].args]
        arrays, axes = align([self.value(argument, scope, frame) for argument in term.args[2:]])
        of = self._stand_in(term.args[0].name)
        return Grid(standins.scalar_function(of, orders, arrays, self.arithmetic), axes)

    def _stand_in(self, name: str) -> standins.StandIn:
        return standins.StandIn(name, self.point.family, self.point.seed)

    # Operations

    def _elementary(self, term: Any, scope: Scope, frame: Frame) -> Grid:
        """Evaluate the leaves, and what the term makes of them by the function lambdified from it."""
        key = term, self.arithmetic
        known = self.anatomy.compiled.get(key)
        if known is None:
            form = skeleton(term)
            whole = tuple(isinstance(symbol, Whole) for symbol in form.symbols)
            leaves = tuple(zip(form.leaves, whole, strict=True))
            known = leaves, compiled(form.form, form.symbols, self.arithmetic)
            self.anatomy.compiled[key] = known
        parts, function = known
        grids = [(self.whole if whole else self.value)(leaf, scope, frame) for leaf, whole in parts]
        arrays, axes = align(grids)
        return Grid(np.asarray(function(*arrays)), axes)

    def _delta(self, term: Any, scope: Scope, frame: Frame) -> Grid:
        a, b = (self.whole(part, scope, frame) for part in term.args[:2])
        return apply(lambda x, y: self.arithmetic.cast(x == y), a, b)

    def _cases(self, term: Any, scope: Scope, frame: Frame) -> Grid:
        result = Grid(self.nan)
        for branch, condition in reversed(term.pairs if isinstance(term, Cases) else term.args):
            value = self.value(branch, scope, frame)
            if isinstance(condition, BooleanTrue):
                result = value
            else:
                result = apply(_choose, self.condition(condition, scope, frame), value, result)
        return result

    def condition(self, condition: Any, scope: Scope, frame: Frame) -> Grid:
        """Return 1 where the condition holds, 0 where not, NaN where it is undefined."""
        if isinstance(condition, BooleanTrue | BooleanFalse):
            return Grid(np.asarray(float(bool(condition))))
        if isinstance(condition, Not):
            return apply(lambda holds: 1 - holds, self.condition(condition.args[0], scope, frame))
        if isinstance(condition, And | Or):
            parts = [self.condition(part, scope, frame) for part in condition.args]
            if isinstance(condition, And):
                return apply(_all_hold, *parts)
            return apply(lambda *holds: 1 - _all_hold(*[1 - one for one in holds]), *parts)
        if isinstance(condition, Definite):
            matrix, size = self._matrix(condition.matrix, scope, frame)
            symmetric = (matrix.data + np.swapaxes(matrix.data, -1, -2)) / 2
            defined = np.asarray((~undefined(symmetric)).all(axis=(-2, -1)))
            safe = np.where(defined[..., None, None], symmetric, np.eye(size)).astype(float)
            least = np.linalg.eigvalsh(safe).min(axis=-1)
            return Grid(np.where(defined, least > 0, np.nan), matrix.axes)
        if not isinstance(condition, Relational) or type(condition) not in _RELATIONS:
            raise NotEvaluableError(f"no numerical meaning for the condition {type(condition).__name__}")
        relation, real, near = _RELATIONS[type(condition)], self.arithmetic.real, self.arithmetic.near
        whole = index_only(condition)
        walker, inner = (self._integers, Frame()) if whole else (self, frame)

        def compare(a: Array, b: Array) -> Array:
            a, b, unclear = real(a), real(b), undefined(a) | undefined(b)
            holds = np.asarray(relation(a, b), dtype=bool)
            return np.where(unclear if whole else unclear | near(a, b), np.nan, holds)

        return apply(compare, *[walker.value(side, scope, inner) for side in condition.args])

    # Sums and products over indices, and derivatives: see `folds` and `slopes`

    def _sum(self, term: Sum, scope: Scope, frame: Frame) -> Grid:
        return self.known(self._added, term, scope, frame)

    def _added(self, term: Sum, scope: Scope, frame: Frame) -> Grid:
        return folds.folded(self, term, scope, frame, 0)

    def _product(self, term: Product, scope: Scope, frame: Frame) -> Grid:
        return folds.folded(self, term, scope, frame, 1)

    def _derivative(self, term: D, scope: Scope, frame: Frame) -> Grid:
        return self.known(self._differentiated, term, scope, frame)

    def _differentiated(self, term: D, scope: Scope, frame: Frame) -> Grid:
        return slopes.differentiated(self, term, scope, frame)

    # Inverses and determinants

    def _inverse(self, term: Inv, scope: Scope, frame: Frame) -> Grid:
        matrix, size = self._matrix(term, scope, frame)
        data = self.arithmetic.inverse(matrix.data)
        place = flatten([self.whole(index, scope, frame) for index in term.at], (size, size))
        lengths = data.shape[:-2]
        entries = Grid(np.moveaxis(data.reshape((*lengths, size * size)), -1, 0), ("entry", *matrix.axes))
        picked = pick(entries, place)
        return apply(lambda value, at: np.where(at < 0, self.nan, value), picked, place)

    def _determinant(self, term: Det, scope: Scope, frame: Frame) -> Grid:
        matrix, _ = self._matrix(term, scope, frame)
        return Grid(self.arithmetic.determinant(matrix.data), matrix.axes)

    def _matrix(self, term: OfMatrix, scope: Scope, frame: Frame) -> tuple[Grid, int]:
        """Return a matrix, its rows and columns on the last two axes, which have no names; and its size."""
        *bound, length = term.places
        size = size_value(length, self.sizes)
        grid = self.value(term.body, {**scope, **dict.fromkeys(bound, (1, size))}, frame)
        rest = tuple(axis for axis in grid.axes if axis not in bound)
        lengths = [grid.data.shape[grid.axes.index(axis)] for axis in rest]
        check_room((*lengths, size, size), objects=grid.data.dtype == object)
        data = widened(spread(grid, (*rest, *bound)), (*lengths, size, size))
        return Grid(data, rest), size

    _RULES: ClassVar[dict[type, Callable[[Walker, Any, Scope, Frame], Grid]]] = {
        sympy.Number: _number,
        sympy.NumberSymbol: _number,
        Index: _index,
        Size: _size,
        sympy.Symbol: _symbol,
        Indexed: _indexed,
        KroneckerDelta: _delta,
        Cases: _cases,
        Piecewise: _cases,
        Sum: _sum,
        Product: _product,
        Greatest: folds.greatest,
        Inv: _inverse,
        Det: _determinant,
        D: _derivative,
        Unknown: _unknown,
    }
    """How each kind of leaf is evaluated; what is made of leaves is lambdified (`skeletons`)."""


def _run(index: Index, scope: Scope) -> Array:
    if index not in scope:
        raise NotEvaluableError(f"the index {visible(index)} has no range")
    return _integers(*scope[index])


@lru_cache(maxsize=256)
def _integers(start: int, length: int) -> Array:
    found = np.arange(start, start + length)
    found.setflags(write=False)
    return found

"""Anatomy: what a goal consists of, found once for all sizes and points.

Contract. Reads terms, computes no values.
Vocabulary. A name *reaches* another if its value depends on it, through definitions and the arguments of
opaque names; a *primitive* is a name with values of its own. The *depth* of a term is the number of
derivatives nested in it. Of the assumptions, a *mask* relates indices, a *hypothesis* relates terms.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import sympy
from sympy import Expr, Indexed, Product, Sum
from sympy.logic.boolalg import And, Boolean, BooleanTrue

from symderiv.judge.recall import Recall, token
from symderiv.kernel.terms import (
    Bounds,
    Context,
    D,
    Definite,
    Goal,
    Greatest,
    Index,
    OfMatrix,
    Size,
    Unknown,
    closure,
    free_in,
    name_of,
)


class NotEvaluableError(Exception):
    """A term, or a size, cannot be evaluated; the message says why."""


def subterms(*terms: Any) -> Iterator[Any]:
    """Yield every subterm that stands for a value or an index: no labels of bases, no names of functions."""
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


@lru_cache(maxsize=8192)
def index_only(term: Any) -> bool:
    """Tell whether the term's value depends on indices and sizes alone."""
    return all(
        isinstance(part, Index | Size)
        or not isinstance(part, sympy.Symbol | Indexed | D | Unknown | Sum | Product | Greatest | OfMatrix)
        for part in subterms(term)
    )


def free_indices(term: Any) -> set[Index]:
    """Return the indices that stand free in the term."""
    return {symbol for symbol in free_in(term) if isinstance(symbol, Index)}


def visible(index: Index) -> str:
    """Return the name of an index as a reader knows it."""
    return str(index.name.split("#")[0])


def size_value(size: Any, sizes: Mapping[str, int]) -> int:
    """Return the value of a size at these sizes."""
    if isinstance(size, Size):
        if size.name not in sizes:
            raise NotEvaluableError(f"the size {size.name} is open")
        return sizes[size.name]
    if isinstance(size, int):
        return size
    symbols = [symbol for symbol in size.atoms(Size) if symbol.name in sizes]
    value = size.subs({symbol: sizes[symbol.name] for symbol in symbols})
    if not value.is_Integer:
        raise NotEvaluableError(f"the size {size} is not a number here")
    return int(value)


def _bound(hypothesis: Boolean, fixed: set[Index]) -> tuple[str, Bounds] | None:
    """Read `x_i > 0`, for every i, as bounds of a name; None for any other hypothesis."""
    if not isinstance(hypothesis, sympy.StrictGreaterThan | sympy.GreaterThan):
        return None
    is_open = isinstance(hypothesis, sympy.StrictGreaterThan)
    above, below = hypothesis.args
    if below.is_number and _is_every(above, fixed):
        return str(name_of(above)), Bounds(low=below, open_low=is_open)
    if above.is_number and _is_every(below, fixed):
        return str(name_of(below)), Bounds(high=above, open_high=is_open)
    return None


def _is_every(term: Any, fixed: set[Index]) -> bool:
    """Tell whether a term stands for every entry of a name."""
    indices = term.indices if isinstance(term, Indexed) else ()
    free = all(isinstance(i, Index) and i not in fixed for i in indices)
    return name_of(term) is not None and free and len(set(indices)) == len(indices)


_LONG = 10**9
"""A numerator or denominator beyond this is of many digits."""


@dataclass(frozen=True, slots=True)
class Traits:
    """What stands in a term."""

    names: tuple[str, ...]
    positive: frozenset[str]
    """The names that are declared positive."""
    sizes: tuple[str, ...]
    free: tuple[Index, ...]
    """The indices that are not bound in it."""
    rounded: bool
    """Whether there are numbers of Python's kind, not exact ones."""
    fine: bool
    """Whether there are numbers of many digits."""
    ends: tuple[Any, ...]
    """How far sums run, and the sizes of matrices."""
    places: tuple[Any, ...]
    """How far sums run, and where entries stand."""


@lru_cache(maxsize=8192)
def traits(term: Any) -> Traits:
    """Return what stands in a term, sorted."""
    parts = dict.fromkeys(subterms(term))
    names = {name_of(part) for part in parts if isinstance(part, Indexed | sympy.Symbol)}
    return Traits(
        names=tuple(sorted(name for name in names if name is not None)),
        positive=frozenset(name for name in map(_positive, parts) if name is not None),
        sizes=tuple(sorted({part.name for part in parts if isinstance(part, Size)})),
        free=tuple(sorted(free_indices(term), key=lambda index: index.name)),
        rounded=any(isinstance(part, sympy.Float) for part in parts),
        fine=any(isinstance(part, sympy.Rational) and max(abs(part.p), part.q) > _LONG for part in parts),
        ends=tuple(dict.fromkeys(end for part in parts for end in _ends(part))),
        places=tuple(dict.fromkeys(place for part in parts for place in _places(part))),
    )


def _places(part: Any) -> Iterable[Any]:
    if isinstance(part, Indexed):
        return tuple(part.args[1:])
    return () if isinstance(part, OfMatrix) else _ends(part)


def _ends(part: Any) -> Iterator[Any]:
    if isinstance(part, Sum | Product | Greatest):
        yield from (limit[2] for limit in part.limits if len(limit) == 3)
    elif isinstance(part, OfMatrix):
        yield part.places[2]


@dataclass(frozen=True, slots=True)
class Assumptions:
    """The assumptions of a goal by what they restrict."""

    sizes: tuple[Boolean, ...]
    mask: tuple[Boolean, ...]
    hypotheses: tuple[Boolean, ...]


def _sorted_out(assumptions: Iterable[Boolean]) -> Assumptions:
    sizes: list[Boolean] = []
    mask: list[Boolean] = []
    hypotheses: list[Boolean] = []
    waiting = list(assumptions)
    while waiting:
        one = waiting.pop(0)
        if isinstance(one, And):
            waiting.extend(one.args)
        elif isinstance(one, BooleanTrue):
            continue
        elif not index_only(one):
            hypotheses.append(one)
        elif any(isinstance(part, Index) for part in subterms(one)):
            mask.append(one)
        else:
            sizes.append(one)
    return Assumptions(tuple(sizes), tuple(mask), tuple(hypotheses))


@dataclass(slots=True, eq=False)
class Ties:
    """How the names of a context rest on each other, found once for all goals."""

    context: Context
    _reach: dict[str, frozenset[str]] = field(default_factory=dict)
    _circular: dict[str, bool] = field(default_factory=dict)
    _depths: dict[Any, int] = field(default_factory=dict)
    _makings: dict[str, Makings] = field(default_factory=dict)

    def _needs(self, name: str) -> Iterable[str]:
        if name in self.context.definitions:
            return traits(self.context.definitions[name].body).names
        return self.context.opaque[name].arguments if name in self.context.opaque else ()

    def reach(self, name: str) -> frozenset[str]:
        """Return the name itself and every name on which its value depends."""
        if name not in self._reach:
            self._reach[name] = closure({name}, self._needs)
        return self._reach[name]

    def circular(self, name: str) -> bool:
        """Tell whether the name is defined by itself, as in a recurrence."""
        if name not in self._circular:
            self._circular[name] = name in closure(self._needs(name), self._needs)
        return self._circular[name]

    def depth_of(self, term: Any) -> int:
        """Return how many derivatives are nested in the term, through the definitions that it opens."""
        if term not in self._depths:
            self._depths[term] = 0  # what a circular definition finds of itself
            self._depths[term] = self._depth(term)
        return self._depths[term]

    def _depth(self, term: Any) -> int:
        if isinstance(term, D):
            return self.depth_of(term.term) + len(term.variables)
        if isinstance(term, Indexed | sympy.Symbol):
            name = name_of(term)
            defined = [one for one in self.reach(name) if one in self.context.definitions] if name else []
            return max((self.depth_of(self.context.definitions[one].body) for one in defined), default=0)
        return max(map(self.depth_of, term.args), default=0)

    def makings(self, name: str) -> Makings:
        """Return what the values of a name are made of, beside numbers."""
        if name not in self._makings:
            self._makings[name] = self._found(name)
        return self._makings[name]

    def _found(self, name: str) -> Makings:
        context, reached = self.context, sorted(self.reach(name))
        parts = [
            (
                each,
                context.shapes.get(each, ()),
                context.definitions.get(each),
                context.opaque[each].arguments if each in context.opaque else None,
            )
            for each in reached
        ]
        bodies = [context.definitions[each].body for each in reached if each in context.definitions]
        sized = [*bodies, *(size for _, shape, _, _ in parts for size in shape if isinstance(size, Expr))]
        return Makings(
            token=token(tuple(parts)),
            sizes=tuple(sorted({size for each in sized for size in traits(each).sizes})),
            primitives=tuple(
                each for each in reached if each not in context.definitions and each not in context.opaque
            ),
            recurrent=any(map(self.circular, reached)),
        )


@dataclass(frozen=True, slots=True)
class Makings:
    """What the values of a name are made of."""

    token: object
    """Stands for the definitions, arguments and shapes of all names that it reaches."""
    sizes: tuple[str, ...]
    primitives: tuple[str, ...]
    recurrent: bool
    """Whether one of these names is defined by itself."""


@lru_cache(maxsize=64)
def ties_of(context: Context) -> Ties:
    """Return how the names of a context rest on each other."""
    return Ties(context)


@dataclass(slots=True, eq=False)
class Anatomy:
    """What the evaluation needs to know of a goal."""

    goal: Goal
    recall: Recall = field(default_factory=Recall)
    """What other comparisons of the page have evaluated."""
    context: Context = field(init=False)
    assumptions: Assumptions = field(init=False)
    names: tuple[str, ...] = field(init=False)
    """The names on which the sides and the hypotheses depend, sorted."""
    positive: frozenset[str] = field(init=False)
    """Those that are declared positive."""
    bounds: Mapping[str, Bounds] = field(init=False)
    """Between which numbers the entries of a name lie, by its declaration or by a hypothesis."""
    unbounded: tuple[Boolean, ...] = field(init=False)
    """The hypotheses that are no such bounds."""
    definite: frozenset[str] = field(init=False)
    """Those that are matrices which a hypothesis says to be positive definite."""
    sizes: tuple[str, ...] = field(init=False)
    """The names of the sizes that play a part, sorted."""
    bodies: tuple[Expr, ...] = field(init=False)
    """The bodies of the definitions among the names."""
    depth: int = field(init=False)
    """The depth of the deeper side."""
    exact: bool = field(init=False)
    """Whether sampled values satisfy the goal exactly: no equations to be solved, no rounded constants."""
    fine: bool = field(init=False)
    """Whether there are numbers of so many digits that float64 may not tell the sides apart."""
    solved_by: Any = None
    """What has satisfied the hypotheses at another point: it is tried first at the next."""
    compiled: dict[Any, tuple[tuple[tuple[Expr, bool], ...], Callable[..., Any]]] = field(
        default_factory=dict
    )
    """For a term and an arithmetic: its leaves, which of them are whole, and what it makes of them."""
    ties: Ties = field(init=False)
    """How the names of the context rest on each other."""

    def __post_init__(self) -> None:
        goal = self.goal
        self.context = goal.context
        self.ties = ties_of(goal.context)
        self.assumptions = _sorted_out(goal.assumptions)
        self.names = tuple(sorted(self.reached(goal.left, goal.right, *self.assumptions.hypotheses)))
        definitions = self.context.definitions
        self.bodies = tuple(definitions[name].body for name in self.names if name in definitions)
        every = [traits(term) for term in (goal.left, goal.right, *goal.assumptions, *self.bodies)]
        self.positive = frozenset[str]().union(*(each.positive for each in every))
        self.bounds, self.unbounded = self._bounds()
        matrices = [one.matrix for one in self.assumptions.hypotheses if isinstance(one, Definite)]
        self.definite = frozenset(
            name
            for matrix in matrices
            if isinstance(matrix.body, Indexed) and set(matrix.body.indices) == set(matrix.places[:2])
            if (name := name_of(matrix.body)) is not None
        )
        shapes = [size for name in self.names for size in self.shape(name)]
        lengths = [traits(size) for size in (*shapes, *goal.ranges.values()) if isinstance(size, Expr)]
        self.sizes = tuple(sorted({size for each in (*every, *lengths) for size in each.sizes}))
        self.depth = max(self.ties.depth_of(goal.left), self.ties.depth_of(goal.right))
        solved = any(isinstance(one, sympy.Eq) for one in self.assumptions.hypotheses)
        self.exact = not solved and not any(each.rounded for each in every)
        self.fine = any(each.fine for each in every)

    def _bounds(self) -> tuple[dict[str, Bounds], tuple[Boolean, ...]]:
        """Return the bounds of names, those that hypotheses state for every entry among them."""
        found = {name: self.context.bounds[name] for name in self.names if name in self.context.bounds}
        rest: list[Boolean] = []
        for one in self.assumptions.hypotheses:
            stated = _bound(one, set(self.goal.ranges))
            if stated is None or stated[0] in {*self.context.definitions, *self.context.opaque}:
                rest.append(one)
                continue
            name, bounds = stated
            found[name] = found[name].both(bounds) if name in found else bounds
        return found, tuple(rest)

    def reach(self, name: str) -> frozenset[str]:
        """Return the name itself and every name on which its value depends."""
        return self.ties.reach(name)

    def reached(self, *terms: Any) -> frozenset[str]:
        """Return every name on which the terms' values depend."""
        return frozenset(one for term in terms for name in traits(term).names for one in self.reach(name))

    def circular(self, name: str) -> bool:
        """Tell whether the name is defined by itself, as in a recurrence."""
        return self.ties.circular(name)

    def depth_of(self, term: Any) -> int:
        """Return how many derivatives are nested in the term, through the definitions that it opens."""
        return self.ties.depth_of(term)

    def primitive(self, name: str) -> bool:
        """Tell whether the name has values of its own."""
        return name not in self.context.definitions and name not in self.context.opaque

    def shape(self, name: str) -> tuple[Expr, ...]:
        """Return the sizes of the name's slots; a name that has none on record is a scalar."""
        return tuple(self.context.shapes.get(name, ()))

    def unknown_functions(self) -> frozenset[tuple[str, int]]:
        """Return the names of the unknown scalar functions in the sides, with their numbers of arguments."""
        parts = subterms(self.goal.left, self.goal.right, *self.bodies)
        return frozenset(
            (part.args[0].name, len(part.args) - 2) for part in parts if isinstance(part, Unknown)
        )

    def range_by_use(self, index: Index, term: Any) -> Expr | None:
        """Return the size over which an index runs, from an entry in which it stands."""
        for part in subterms(term):
            if isinstance(part, Indexed) and index in part.indices:
                shape = self.shape(part.base.label.name)
                if len(shape) == len(part.indices):
                    return shape[part.indices.index(index)]
        return None


def _positive(part: Any) -> str | None:
    label = part.base.label if isinstance(part, Indexed) else part
    if isinstance(label, sympy.Symbol) and not isinstance(label, Index | Size) and label.is_positive:
        return str(label.name)
    return None

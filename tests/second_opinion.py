"""A second opinion on the steps of a page: both sides evaluated by brute force, over every entry.

It shares nothing with symderiv: readers of its own for prose and LaTeX (`opinion_text`, `opinion_latex`,
`opinion_page`), arrays of NumPy, derivatives by differences of the function that the page defines
(`opinion_values`), or by autograd.
"""

from __future__ import annotations

import itertools
import re
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Literal

import numpy as np
from opinion_arrays import Array, Differences, IllFormed, Kind, Value
from opinion_latex import Names, Node, Unreadable, names_of, read, walk
from opinion_page import Page, arguments, known_at, reached, sinks
from opinion_text import Chain, chains, path, sections
from opinion_values import Range, Scope, World, evaluate, slots, truth, whole

Truth = Literal["equal", "differ", "ill-formed", "no entry", "unsure"]
_WORST_FIRST: tuple[Truth, ...] = ("ill-formed", "differ", "unsure", "equal")
_TRIES = 40
_DRAWS = 8
"""Points at least, over all sizes."""
_APART = 0.01
"""Entries are no closer, so that no difference is taken across the kink of a maximum."""
_EQUAL, _DIFFERENT = 2e-6, 2e-5


# Steps


@dataclass(frozen=True)
class Step:
    """One `=` of a page: the part of the page that leads to it, where its right side stands, its chain."""

    page: str
    section: str
    text: str
    start: int
    members: tuple[str, ...]
    head: int
    """Where its chain begins in the text."""
    place: int
    """Where its right side stands in the whole page."""
    display: bool

    @cached_property
    def knowledge(self) -> Page:
        """What the page tells of names where the step stands."""
        return known_at(self.text, self.start)

    @property
    def kind(self) -> Literal["claim", "definition", "assumption"]:
        """What the `=` is: the first of a chain may define its head, and a page may suppose an equation."""
        if self.head in self.knowledge.supposed:
            return "assumption"
        first = len(self.members) == 2
        return "definition" if first and self.head in self.knowledge.heads else "claim"

    @property
    def right(self) -> str:
        """The member on the right."""
        return self.members[-1]

    def with_right(self, latex: str) -> str:
        """Return the text with another member in place of the right one."""
        return self.text[: self.start] + latex + self.text[self.start + len(self.right) :]

    def __str__(self) -> str:
        return f"{self.page}, {self.section}: {self.members[-2]} = {self.right}"


def steps(name: str, text: str) -> Iterator[Step]:
    """Give the steps of a page in order."""
    heads = sections(text)
    for chain in chains(text):
        if len(chain.members) < 2:
            continue
        for at in range(1, len(chain.members)):
            member = chain.members[at]
            leading = path(heads, member.start)
            kept = "".join(text[each.start : each.end] for each in leading)
            start = sum(each.end - each.start for each in leading[:-1]) + member.start - leading[-1].start
            members = tuple(_without_set(each.latex) for each in chain.members[: at + 1])
            shift = start - member.start
            section = " / ".join(each.title for each in leading[1:])
            yield Step(
                name,
                section,
                kept,
                start,
                members,
                chain.members[0].start + shift,
                member.start,
                chain.display,
            )


def _without_set(latex: str) -> str:
    return re.split(r"\s*\\in(?![a-z])", latex)[0]


# Models


def _shape(page: Page, world: World, name: str) -> tuple[int, ...]:
    return tuple(whole(evaluate(size, world, {})) for size in page.declared[name].shape)


def _draw(name: str, values: str, shape: tuple[int, ...], seed: int) -> Array:
    random = np.random.default_rng([seed, zlib.crc32(name.encode())])
    square = len(shape) == 2 and shape[0] == shape[1]
    real = random.normal(size=shape)
    for _ in range(_TRIES):
        if np.diff(np.sort(real, axis=None)).min(initial=1.0) > _APART:
            break
        real = random.normal(size=shape)
    if values == "positive":
        return random.uniform(0.3, 2, size=shape)
    if values == "unit":
        return random.uniform(0.1, 0.9, size=shape)
    if values == "binary":
        return random.integers(0, 2, size=shape).astype(float)
    if values == "signs":
        return random.integers(0, 2, size=shape) * 2.0 - 1
    if values == "one-hot":
        return np.eye(shape[0])[random.integers(0, shape[0])]
    if values == "definite":
        return real @ real.T + 0.5 * np.eye(shape[0])
    if values == "symmetric":
        return (real + real.T) / 2 + np.eye(shape[0])
    if values == "orthogonal":
        return np.linalg.qr(real)[0] if square else real
    return 0.7 * real + 1.3 * np.eye(shape[0]) if square else real


def worlds(  # noqa: PLR0913  keyword-only
    page: Page, nodes: Sequence[Node], engine: Any, *, largest: int = 3, most: int = 9, least: int = _DRAWS
) -> Iterator[World]:
    """Give the page at choices of its sizes up to `largest`, with values that satisfy what it supposes."""
    names = size_names(page, nodes)
    _settle_arguments(page, engine, names)
    _settle_hypotheses(page, engine, names)
    choices = _choices(len(names), largest, most)
    draws = -(-least // len(choices))
    for number, choice in enumerate(choice for choice in choices for _ in range(draws)):
        sizes = dict(zip(names, choice, strict=True))
        for seed in range(1000 * number, 1000 * number + _TRIES):
            try:
                world = _world(page, engine, sizes, seed)
            except IllFormed:
                break
            if world is not None:
                yield world
                break


def _settle_arguments(page: Page, engine: Any, names: Sequence[str]) -> None:
    """Tell of what an unknown function is one: of its candidates those that have the shape of its domain."""
    sizes = {name: 2 + at for at, name in enumerate(names)}
    for name, shapes in page.unknown.items():
        candidates = arguments(page, name)
        page.arguments[name] = candidates
        try:
            world = _world(page, engine, sizes, 0, settled=False)
            assert world is not None
            domain = [tuple(whole(evaluate(size, world, {})) for size in shape) for shape in shapes]
            every = [each for each in page.derived.get(name, []) if each != name]
            fitting = [each for each in every if not domain or world.value(each).shape in domain]
        except (IllFormed, Unreadable):
            continue
        page.arguments[name] = sinks(page, name, fitting)


def _settle_hypotheses(page: Page, engine: Any, names: Sequence[str]) -> None:
    """Keep of what the page supposes what restricts its values, and can be met."""
    sizes = {name: 3 - at % 2 for at, name in enumerate(names)}
    kept: list[tuple[Node, Node]] = []
    for each in page.hypotheses:
        try:
            world = _world(page, engine, sizes, 1, settled=False)
            assert world is not None
            with np.errstate(all="ignore"):
                if np.abs(_residual(world, *each)).max(initial=0.0) < 1e-9:
                    continue
                page.hypotheses = [*kept, each]
                if _supposed(world, 1):
                    kept.append(each)
                else:
                    page.failed.append(f"the hypothesis {each}")
        except (IllFormed, Unreadable) as error:
            page.failed.append(f"the hypothesis {each}: {error}")
    page.hypotheses = kept


def size_names(page: Page, nodes: Sequence[Node]) -> list[str]:
    """Return the names that only say how large something is."""
    found: list[str] = []
    for declaration in page.declared.values():
        found += [
            name for size in declaration.shape if size[0] != "length" for name in sorted(names_of(size))
        ]
        if declaration.values == "size":
            found.append(declaration.name)
    for shapes in page.unknown.values():
        found += [name for shape in shapes for size in shape for name in sorted(names_of(size))]
    found += [name for size in page.ranges.values() for name in sorted(names_of(size))]

    def visit(node: Node) -> None:
        if node[0] == "big" and node[4] is not None:
            found.extend(sorted(names_of(node[4])))

    for node in [*nodes, *(each.body for each in page.defined.values())]:
        walk(node, visit)
    letters = {letter for node in nodes for letter in (*_bound(node), *_indexing(node))}
    shapes = {
        name
        for each in page.declared.values()
        for size in each.shape
        if size[0] != "length"
        for name in names_of(size)
    }
    letters -= shapes
    known = {name for name, each in page.declared.items() if each.values != "size"} | set(page.defined)
    return [name for name in dict.fromkeys(found) if name not in known and name not in letters]


def _indexing(node: Node) -> set[str]:
    """Return the letters that stand as indices."""
    found: set[str] = set()

    def visit(each: Node) -> None:
        if each[0] == "entry":
            found.update(part[1] for part in each[2] if part[0] == "name" and re.fullmatch("[a-z]", part[1]))

    walk(node, visit)
    return found


def _bound(node: Node) -> set[str]:
    found: set[str] = set()

    def visit(each: Node) -> None:
        if each[0] == "big":
            found.update(each[2])

    walk(node, visit)
    return found


def _choices(count: int, largest: int, most: int) -> list[tuple[int, ...]]:
    """Return choices of sizes: all, or where these are many some that tell any two sizes apart."""
    every = list(itertools.product(range(1, largest + 1), repeat=count))
    if len(every) <= most:
        return every
    random = np.random.default_rng(count)
    chosen = [tuple(2 + (at + turn) % 2 for at in range(count)) for turn in range(2)]
    chosen += [(1,) * count, (largest,) * count]
    chosen += [tuple(int(x) for x in random.integers(1, largest + 1, count)) for _ in range(200)]
    return list(dict.fromkeys(chosen))[:most]


def _world(
    page: Page, engine: Any, sizes: dict[str, int], seed: int, *, settled: bool = True
) -> World | None:
    """Return the page at these sizes; None where its conditions do not hold at this draw."""
    given: dict[str, Array] = {}
    kinds: dict[str, Kind] = {}
    world = World(page, engine, sizes, given, kinds)
    for name, declaration in page.declared.items():
        if name in page.defined or name in page.unknown or name in sizes:
            continue
        shape = _shape(page, world, name)
        if any(size < 1 for size in shape):
            raise IllFormed("a size")
        if name == "\\mathbf{1}":
            given[name] = np.ones(shape)
        elif declaration.values == "index":
            last = whole(evaluate(page.ranges[name], world, {}))
            if last < 1:
                raise IllFormed("a size")
            given[name] = np.random.default_rng([seed, 5]).integers(1, last + 1, size=shape).astype(float)
        else:
            given[name] = _draw(name, declaration.values, shape, seed)
    if not settled:
        return world
    if page.hypotheses and not _supposed(world, seed):
        return None
    for condition in page.conditions:
        if _loose_letters(condition, world):
            continue
        with np.errstate(all="ignore"):
            if not np.all(truth(condition, world, {}).array):
                return None
    return world


def _is_letter(name: str, world: World) -> bool:
    return (
        bool(re.fullmatch("[a-z]'?", name))
        and name not in world.given
        and name not in world.sizes
        and name not in world.page.defined
        and name not in world.page.functions
        and name not in world.page.unknown
    )


# Hypotheses


def _residual(world: World, left: Node, right: Node) -> Array:
    scope = free(world, [left, right], [left, right])
    sides = [evaluate(side, world, scope) for side in (left, right)]
    if sides[1].kind == "identity" and sides[0].kind == "matrix":
        sides[1] = Value("matrix", sides[1].array * np.eye(sides[0].shape[0]), sides[1].letters)
    letters = tuple(dict.fromkeys(letter for side in sides for letter in side.letters))
    rank = max(len(side.shape) for side in sides)
    return np.ravel(world.lift(sides[0], letters, rank) - world.lift(sides[1], letters, rank))


def _supposed(world: World, seed: int) -> bool:
    """Move what is given until the page's hypotheses hold."""
    page = world.page
    about = reached(page, {name for each in page.hypotheses for side in each for name in names_of(side)})
    kinds = {name: page.declared[name].values for name in world.given if name in about}
    movable = [name for name, values in kinds.items() if values in {"real", "positive", "unit", "symmetric"}]
    others = [name for name, values in kinds.items() if values in {"binary", "one-hot"}]

    def residuals() -> Array:
        world.known.clear()
        return np.concatenate([_residual(world, *each) for each in page.hypotheses])

    for attempt in range(30 if others else 1):
        for name in others:
            shape = world.given[name].shape
            world.given[name] = (
                _one_hot(shape, seed + attempt)
                if attempt % 2
                else _draw(name, "binary", shape, seed + 7 * attempt)
            )
        with np.errstate(all="ignore"):
            for _ in range(25):
                found = residuals()
                if not np.isfinite(found).all():
                    break
                if np.abs(found).max(initial=0.0) < 1e-12:
                    return True
                if not movable:
                    break
                columns, entries = [], []
                for name in movable:
                    for place in np.ndindex(world.given[name].shape):
                        entries.append((name, place))
                        columns.append(_slope(world, name, place, residuals))
                step = np.linalg.lstsq(np.array(columns).T, -found, rcond=1e-9)[0]
                for (name, place), move in zip(entries, step, strict=True):
                    world.given[name] = world.given[name].copy()
                    world.given[name][place] += move
            if np.abs(residuals()).max(initial=0.0) < 1e-9:
                return True
    return False


def _slope(world: World, name: str, place: tuple[int, ...], residuals: Any) -> Array:
    before = world.given[name]
    sides = []
    for move in (1e-5, -1e-5):
        moved = before.copy()
        moved[place] += move
        world.given[name] = moved
        sides.append(residuals())
    world.given[name] = before
    return (sides[0] - sides[1]) / 2e-5


def _one_hot(shape: tuple[int, ...], seed: int) -> Array:
    if not shape:
        return np.asarray(1.0)
    random = np.random.default_rng(seed)
    return np.eye(shape[-1])[random.integers(0, shape[-1], size=shape[:-1])]


# Comparison


def free(world: World, nodes: Sequence[Node], elsewhere: Sequence[Node]) -> dict[str, Range]:
    """Return the free letters of some expressions with their ranges."""
    sizes: dict[str, int] = {}
    for node in nodes:
        for letter, size in slots(node, world, frozenset()):
            if _is_letter(letter, world):
                sizes.setdefault(letter, size)
    for node in nodes:
        for letter in _loose(node, frozenset()):
            if letter not in sizes and _is_letter(letter, world):
                sizes[letter] = _elsewhere(world, letter, nodes, elsewhere, sizes)
    return {letter: Range(letter, np.arange(1, size + 1)) for letter, size in sizes.items()}


def _elsewhere(
    world: World, letter: str, nodes: Sequence[Node], elsewhere: Sequence[Node], sizes: dict[str, int]
) -> int:
    """Return the range of a letter that stands at no tensor: its partner's, or by the page's formulas."""
    if letter in world.page.ranges:
        return whole(evaluate(world.page.ranges[letter], world, {}))
    found: list[int] = []

    def visit(node: Node) -> None:
        pair = node[1] if node[0] in {"delta", "relation"} else ()
        names = [part[1] for part in pair if part[0] == "name"]
        if letter in names:
            found.extend(sizes[other] for other in names if other in sizes)

    for node in nodes:
        walk(node, visit)
    if found:
        return found[0]
    for node in elsewhere:
        try:
            for other, size in slots(node, world, frozenset()):
                if other == letter:
                    return size
        except (Unreadable, IllFormed):
            continue
    raise Unreadable(f"the range of {letter}")


def _loose(node: Any, bound: frozenset[str]) -> Iterator[str]:
    """Give the names of single letters that are free in an expression."""
    if not isinstance(node, tuple) or not node:
        return
    if node[0] == "big":
        for part in node[3:5]:
            yield from _loose(part, bound)
        for part in node[5:]:
            yield from _loose(part, bound | set(node[2]))
        return
    if node[0] == "extreme":
        yield from _loose(node[3], bound | {node[2]})
        return
    if node[0] == "power" and node[1] == ("name", "e"):
        yield from _loose(node[2], bound)
        return
    if node[0] == "name":
        if node[1] not in {*bound, "e"}:
            yield node[1]
        return
    for part in node:
        yield from _loose(part, bound)


def _parts(node: Any) -> set[Node]:
    found: set[Node] = set()
    walk(node, found.add)
    return found


def _loose_letters(node: Node, world: World) -> set[str]:
    return {name for name in _loose(node, frozenset()) if _is_letter(name, world)}


@dataclass(frozen=True)
class Opinion:
    """What becomes of a step at each choice of sizes."""

    at: dict[tuple[int, ...], Truth]

    @property
    def is_true(self) -> bool:
        """It has a meaning and holds wherever it was looked at, somewhere at least."""
        return set(self.at.values()) <= {"equal", "no entry"} and "equal" in self.at.values()

    @property
    def is_false(self) -> bool:
        """It has a meaning at all sizes, and fails at some."""
        return "ill-formed" not in self.at.values() and "differ" in self.at.values()

    @property
    def word(self) -> str:
        """The opinion in a word."""
        if self.is_true or self.is_false:
            return "true" if self.is_true else "false"
        return "ill-formed" if "ill-formed" in self.at.values() else "unsure"


@dataclass
class Judge:
    """Holds a step against the numbers, its right side as it stands or another."""

    step: Step
    engine: Any = field(default_factory=Differences)
    most: int = 9
    draws: int = _DRAWS
    reason: str = ""
    lefts: dict[Any, Value] = field(default_factory=dict)
    """The member on the left at each world, for each choice of ranges."""

    @cached_property
    def page(self) -> Page:
        """What the page tells of names where the step stands."""
        return self.step.knowledge

    @cached_property
    def names(self) -> Names:
        """The names as the reader takes them."""
        return self.page.names

    @cached_property
    def left(self) -> list[Node]:
        """The members before the right one."""
        return [read(member, self.names) for member in self.step.members[:-1]]

    @cached_property
    def elsewhere(self) -> list[Node]:
        """All formulas around the step that can be read."""
        found = []
        for chain in chains(self.step.text):
            for member in chain.members:
                try:
                    found.append(read(_without_set(member.latex), self.names))
                except Unreadable:
                    continue
        return found

    @cached_property
    def worlds(self) -> list[World]:
        """The page at its choices of sizes."""
        with np.errstate(all="ignore"):
            return list(
                worlds(
                    self.page, [*self.left, *self.elsewhere], self.engine, most=self.most, least=self.draws
                )
            )

    def opinion(self, latex: str | None = None) -> Opinion:
        """Compare the last of the members with `latex`; raise Unreadable where this reader cannot."""
        latex = _without_set(latex or self.step.right)
        right = read(latex, self.names)
        found = self._over_sizes(right)
        other = read(latex, replace(self.names, reaching=True))
        if not found.is_true and other != right:
            again = self._over_sizes(other)
            return again if again.is_true else found
        return found

    def _over_sizes(self, right: Node) -> Opinion:
        with np.errstate(all="ignore"):
            found = {
                (number, *world.sizes.values()): self._compared(world, right)
                for number, world in enumerate(self.worlds)
            }
        if not found:
            raise Unreadable("no values satisfy what the page supposes")
        return Opinion(found)

    def _compared(self, world: World, right: Node) -> Truth:
        if ("name", "\\mathbf{1}") in _parts((*self.left, right)) and "\\mathbf{1}" not in self.page.declared:
            return self._with_ones(world, right)
        return self._as_it_stands(world, right)

    def _with_ones(self, world: World, right: Node) -> Truth:
        """Compare with vectors of ones of each length in turn, until one makes sense."""
        told: Truth = "ill-formed"
        for size in world.sizes.values():
            world.given["\\mathbf{1}"] = np.ones(size)
            world.known.clear()
            told = self._as_it_stands(world, right)
            if told != "ill-formed":
                break
        return told

    def _as_it_stands(self, world: World, right: Node) -> Truth:
        try:
            scope = free(world, [*self.left, right], self.elsewhere)
            left = self._left_side(world, scope)
            other = evaluate(right, world, scope)
            masks = [
                truth(each, world, scope)
                for each in self.page.conditions
                if _loose_letters(each, world) <= set(scope)
            ]
        except IllFormed as error:
            self.reason = str(error)
            return "ill-formed"
        return same(left, other, [mask for mask in masks if mask.kind == "number"], world)

    def _left_side(self, world: World, scope: Scope) -> Value:
        """Evaluate the member on the left, once for all that it is compared with."""
        ones = np.shape(world.given.get("\\mathbf{1}", ()))
        key = (id(world), ones, tuple(sorted((letter, len(each.places)) for letter, each in scope.items())))
        if key not in self.lefts:
            self.lefts[key] = evaluate(self.left[-1], world, scope)
        return self.lefts[key]


def same(a: Value, b: Value, masks: Sequence[Value], world: World) -> Truth:
    """Compare two values entry by entry, where the conditions hold and both are defined."""
    if "identity" in (a.kind, b.kind) and a.kind != b.kind:
        a, b = (b, a) if a.kind == "identity" else (a, b)
        if a.kind != "matrix" or a.shape[0] != a.shape[1]:
            return "ill-formed"
        b = Value("matrix", world.lift(b, b.letters, 2) * np.eye(a.shape[0]), b.letters)
    zero = any(value.kind == "number" and not np.any(value.array) for value in (a, b))
    if a.kind != b.kind and not zero:
        return "ill-formed"
    if a.kind == b.kind and a.shape != b.shape:
        return "ill-formed"
    letters = tuple(dict.fromkeys(letter for each in (a, b, *masks) for letter in each.letters))
    rank = max(len(a.shape), len(b.shape))
    first, second = (np.asarray(world.lift(each, letters, rank), dtype=float) for each in (a, b))
    first, second = np.broadcast_arrays(first, second)
    counts = np.isfinite(first) & np.isfinite(second)
    for mask in masks:
        holds = np.asarray(world.lift(mask, letters, 0)).astype(bool)
        counts = counts & holds.reshape((*holds.shape, *([1] * rank)))
    first, second = np.broadcast_to(first, counts.shape), np.broadcast_to(second, counts.shape)
    if not counts.any():
        return "no entry"
    off = abs(first - second) / (1 + abs(first) + abs(second))
    worst = float(off[counts].max())
    return "equal" if worst < _EQUAL else "differ" if worst > _DIFFERENT else "unsure"


__all__ = ["Chain", "IllFormed", "Judge", "Opinion", "Step", "Unreadable", "steps"]

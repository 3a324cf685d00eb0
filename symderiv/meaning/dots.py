"""Matrices, lists and sums with dots: the entry formula that the shown entries fit.

Contract. Pure functions on syntax trees. A formula is returned only where every shown entry is what the
formula gives at its place; where none is found the entries still stand at known places, if the grid tells
these. Nothing is guessed: a pattern counts by ones, from a number to the last index.
Vocabulary. A *cell* is a shown entry with its *place*, a row and a column, each counted from 1 at the front
or from 0 down at the end: 0 is the last, -1 the one before. An axis *runs* where dots stand in it, and is
*written out* where none do. A *template* is a tree with the letters `ROW` and `COLUMN` where the entries
count; a *part* of a formula is a template and the cells for which it is meant.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from symderiv.latex import tree
from symderiv.meaning import names

ROW, COLUMN, RUN = "\\row", "\\column", "\\run"
LETTERS = frozenset({ROW, COLUMN, RUN})
_GRID, _LINE = ((ROW, "row"), (COLUMN, "column")), ((RUN, "row"),)
_ZERO = tree.Number("0")


@dataclass(frozen=True, slots=True)
class Cell:
    """A shown entry at its place."""

    row: int
    column: int
    node: tree.Node


@dataclass(frozen=True, slots=True)
class Grid:
    """The shown entries of a matrix; an axis that is written out has a length."""

    cells: tuple[Cell, ...]
    rows: int | None
    columns: int | None
    regular: bool
    """Dots stand in whole rows and columns, so that the shown entries are the corners of a formula."""


@dataclass(frozen=True, slots=True)
class Part:
    """A template, and where it holds: in one row or column that is written out, on or off the diagonal."""

    node: tree.Node
    row: int | None = None
    column: int | None = None
    where: Literal["all", "diagonal", "off"] = "all"


@dataclass(frozen=True, slots=True)
class Formula:
    """The entries of a matrix; the last index of an axis that runs, None where no entry tells it."""

    parts: tuple[Part, ...]
    rows: tree.Node | int | None
    columns: tree.Node | int | None


def has_dots(node: tree.Matrix) -> bool:
    """Tell whether a matrix is written with dots."""
    return any(isinstance(cell, tree.Dots) for row in node.rows for cell in row)


# Places


def grid(node: tree.Matrix) -> Grid:
    """Return the shown entries of a matrix at their places."""
    rows = node.rows
    skipped = [at for at, row in enumerate(rows) if _is_dots_row(row)]
    front, back, straight = _ends(len(rows), skipped)
    labels = {at: at + 1 for at in range(front)} | {at: at - len(rows) + 1 for at in range(back, len(rows))}
    width = max(map(len, rows))
    dotted = sorted(
        {
            at
            for number, row in enumerate(rows)
            for at, cell in enumerate(row)
            if isinstance(cell, tree.Dots) and (number in labels or cell.kind in ("ddots", "iddots"))
        }
    )
    left, right, even = _ends(width, dotted)
    regular = straight and even and all(len(row) == width for row in rows)
    regular = regular and all(_is_filler(rows[at][column]) for at in labels for column in dotted)
    length = len(rows) if not skipped else None
    if not regular:
        cells = [cell for at, label in labels.items() for cell in _loose(rows[at], label, width)]
        return Grid(tuple(_apart(cells)), length, None, regular=False)
    places = {at: at + 1 for at in range(left)} | {at: at - width + 1 for at in range(right, width)}
    found = [
        Cell(row, column, _plain(rows[at][there]))
        for at, row in labels.items()
        for there, column in places.items()
    ]
    blank = [cell for cell in found if isinstance(cell.node, tree.Empty)]
    if blank and any(cell.row == cell.column for cell in blank):
        regular = False
    if blank and any(
        cell.row != cell.column and not isinstance(cell.node, tree.Empty) and cell.node != _ZERO
        for cell in found
    ):
        regular = False
    if regular:
        found = [
            replace(cell, node=replace(_ZERO, span=cell.node.span)) if cell in blank else cell
            for cell in found
        ]
    else:
        found = [cell for cell in found if cell not in blank]
    return Grid(tuple(_apart(found)), length, None if dotted else width, regular)


def _ends(length: int, skipped: Sequence[int]) -> tuple[int, int, bool]:
    """Return how many lines stand before the dots, where those after them begin, and if dots are together."""
    if not skipped:
        return length, length, True
    together = skipped[-1] - skipped[0] == len(skipped) - 1
    return skipped[0], skipped[-1] + 1, together and skipped[0] > 0 and skipped[-1] < length - 1


def _is_filler(node: tree.Node) -> bool:
    return isinstance(node, tree.Dots | tree.Empty) or node == _ZERO


def _is_dots_row(row: tuple[tree.Node, ...]) -> bool:
    """Tell whether a row stands for the rows between: vertical dots, or dots alone."""
    if not all(map(_is_filler, row)):
        return False
    kinds = {cell.kind for cell in row if isinstance(cell, tree.Dots)}
    return bool(kinds & {"vdots", "ddots", "iddots"}) or (
        bool(kinds) and all(isinstance(cell, tree.Dots | tree.Empty) for cell in row)
    )


def _loose(row: tuple[tree.Node, ...], label: int, width: int) -> list[Cell]:
    """Return the entries of a row whose places are sure: before its dots, and the last of a full row."""
    stops = [at for at, cell in enumerate(row) if isinstance(cell, tree.Dots | tree.Empty)]
    first = stops[0] if stops else len(row)
    cells = [Cell(label, at + 1, _plain(row[at])) for at in range(first)]
    if stops and len(row) == width and stops[-1] < width - 1:
        cells.append(Cell(label, 0, _plain(row[-1])))
    return cells


def _plain(node: tree.Node) -> tree.Node:
    """Return a tree in which `x_{1n}` has its indices apart, as `x_{1,n}` has."""

    def part(each: tree.Node) -> tree.Node:
        if not isinstance(each, tree.Script) or each.sub is None:
            return each
        items = names.items(each.sub)
        if len(items) == 1 or isinstance(each.sub, tree.Sequence):
            return each
        return replace(each, sub=tree.Sequence(items, span=each.sub.span))

    return names.rebuilt(node, part)


def _apart(cells: Sequence[Cell]) -> list[Cell]:
    """Read `x_{11}` as an entry with two indices where `x_{1n}` stands beside it."""
    scripts = [
        each for cell in cells for each in names.walk(cell.node) if isinstance(each, tree.Script) and each.sub
    ]
    paired = [each.base for each in scripts if len(names.items(each.sub)) == _PAIR]

    def part(each: tree.Node) -> tree.Node:
        number = each.sub if isinstance(each, tree.Script) and each.base in paired else None
        if not isinstance(each, tree.Script) or not isinstance(number, tree.Number):
            return each
        text = number.text
        if len(text) != _PAIR or not text.isdecimal() or "0" in text:
            return each
        digits = tuple(tree.Number(digit, span=number.span) for digit in text)
        return replace(each, sub=tree.Sequence(digits, span=number.span))

    return [replace(cell, node=names.rebuilt(cell.node, part)) for cell in cells] if paired else list(cells)


_PAIR = 2


def lasts(node: tree.Node) -> list[tree.Name]:
    """Return the letters of the last indices of a matrix, a list or a sum with dots."""
    if isinstance(node, tree.Matrix) and has_dots(node):
        shown = grid(node)
        found = formula(shown) or _nearly(shown)
        if found is not None:
            ends = [found.rows, found.columns]
        else:
            last = [cell.node for cell in shown.cells if min(cell.row, cell.column) < 1]
            ends = [item for each in last for item in _items(each)]
    else:
        ends = []
        for items, _ in runs(node):
            found_run = sequence(items[:-1], items[-1])
            ends += [found_run[1]] if found_run is not None else []
    found_names = [each for end in ends if isinstance(end, tree.Node) for each in names.walk(end)]
    return [each for each in found_names if isinstance(each, tree.Name) and each.text not in LETTERS]


def _nearly(shown: Grid) -> Formula | None:
    """Return the formula that all entries but one fit."""
    without = (replace(shown, cells=tuple(c for c in shown.cells if c is not cell)) for cell in shown.cells)
    found = (formula(each) for each in without if len(each.cells) > _FEW)
    return next((each for each in found if each is not None), None)


_FEW = 4


def templates(node: tree.Node) -> list[tree.Node]:
    """Return the templates of a matrix or a list with dots."""
    if isinstance(node, tree.Matrix) and has_dots(node):
        found = formula(grid(node))
        return [] if found is None else [part.node for part in found.parts]
    if isinstance(node, tree.Sequence):
        fitted = [sequence(entries[:-1], entries[-1]) for entries, _ in runs(node)]
        return [each[0] for each in fitted if each is not None]
    return []


def _items(node: tree.Node) -> list[tree.Node]:
    scripts = [each for each in names.walk(node) if isinstance(each, tree.Script) and each.sub is not None]
    return [
        item
        for each in scripts
        for item in names.items(each.sub)
        if names.is_index_letter(item) and isinstance(item, tree.Name) and item.text.isupper()
    ]


def runs(node: tree.Node) -> list[tuple[tuple[tree.Node, ...], tuple[int, int]]]:
    """Return the runs `x_1, x_2, …, x_n` in a list, a sum or a product: the entries, and from where to where.

    The longest run before the dots that follows a pattern is taken: `a + x_1 + \\dots + x_n`.
    """
    if isinstance(node, tree.Sequence):
        items = node.items
    elif isinstance(node, tree.Additive):
        items = tuple(term for _, term in node.terms)
    elif isinstance(node, tree.Product):
        items = node.factors
    else:
        return []
    at = [at for at, item in enumerate(items) if isinstance(item, tree.Dots)]
    if len(at) != 1 or not 0 < at[0] < len(items) - 1:
        return []
    place = at[0]
    for first in range(max(0, place - 4), place):
        entries = (*items[first:place], items[place + 1])
        if sequence(entries[:-1], entries[-1]) is not None:
            return [(entries, (first, place + 2))]
    return []


def written(chain: tree.Chain) -> tree.Chain:
    """Write the runs of a chain as sums and products: `x_1 + \\dots + x_n` as `\\sum_i x_i`."""

    def part(each: tree.Node) -> tree.Node:
        if isinstance(each, tree.Additive):
            return _summed(each)
        return _multiplied(each) if isinstance(each, tree.Product) else each

    members = tuple(None if member is None else names.rebuilt(member, part) for member in chain.members)
    return replace(chain, members=members)


def _summed(node: tree.Additive) -> tree.Node:
    for entries, (first, last) in runs(node):
        signs = {sign for sign, _ in node.terms[first:last]}
        whole = _big("sum", entries)
        if whole is not None and len(signs) == 1:
            terms = (*node.terms[:first], (signs.pop(), whole), *node.terms[last:])
            return whole if terms == (("+", whole),) else replace(node, terms=terms)
    return node


def _multiplied(node: tree.Product) -> tree.Node:
    for entries, (first, last) in runs(node):
        whole = _big("prod", entries)
        divides = first > 0 and node.operators[first - 1] in ("/", "div")
        plain = set(node.operators[first : last - 1]) <= {"", "cdot", "times"}
        if whole is not None and plain and not divides:
            factors = (*node.factors[:first], whole, *node.factors[last:])
            operators = (*node.operators[:first], *node.operators[last - 1 :])
            return whole if len(factors) == 1 else replace(node, factors=factors, operators=operators)
    return node


def _big(operator: str, entries: tuple[tree.Node, ...]) -> tree.Big | None:
    found = sequence(entries[:-1], entries[-1])
    if found is None or found[1] is None:
        return None
    span = entries[0].span.to(entries[-1].span)
    start = tree.Relation((tree.Name(RUN, span=span), tree.Number("1", span=span)), ("=",), span=span)
    return tree.Big(operator, start, found[1], found[0], span=span)


# Formulas


def formula(shown: Grid) -> Formula | None:
    """Return the entry formula of a matrix whose shown entries fit one, else None."""
    if not shown.regular or (shown.rows is not None and shown.columns is not None):
        return None
    ends = _Ends()
    parts: list[Part] = []
    if shown.rows is not None or shown.columns is not None:
        by_row = shown.rows is not None
        lines: dict[int, list[Cell]] = {}
        for cell in shown.cells:
            lines.setdefault(cell.row if by_row else cell.column, []).append(cell)
        for line, cells in lines.items():
            node = template(cells, ends)
            if node is None:
                return None
            parts.append(Part(node, row=line) if by_row else Part(node, column=line))
    else:
        node = template(shown.cells, ends)
        if node is not None:
            parts.append(Part(node))
        else:
            ends = _Ends()
            on = template([cell for cell in shown.cells if cell.row == cell.column], ends)
            off = template([cell for cell in shown.cells if cell.row != cell.column], ends)
            if on is None or off is None or not ends.square():
                return None
            parts += [Part(on, where="diagonal"), Part(off, where="off")]
    rows = shown.rows if shown.rows is not None else ends.tree(ROW)
    columns = shown.columns if shown.columns is not None else ends.tree(COLUMN)
    return Formula(tuple(parts), rows, columns)


@dataclass(slots=True)
class _Ends:
    """The last index of each axis, as a tree without its number and that number: `n - 1` is (`n`, -1)."""

    found: dict[str, tuple[tree.Node | None, int]] = field(default_factory=dict)

    def agree(self, axis: str, end: tuple[tree.Node | None, int]) -> bool:
        return self.found.setdefault(axis, end) == end

    def square(self) -> bool:
        """Tell whether rows and columns may have one end, and give both that end."""
        ends = list(self.found.values())
        if any(end != ends[0] for end in ends):
            return False
        self.found = {ROW: ends[0], COLUMN: ends[0]} if ends else {}
        return True

    def tree(self, axis: str) -> tree.Node | None:
        if axis not in self.found:
            return None
        base, number = self.found[axis]
        return tree.Number(str(number), span=tree.NOWHERE) if base is None else _moved(base, number)


def _moved(base: tree.Node, number: int) -> tree.Node:
    if not number:
        return base
    sign = "+" if number > 0 else "-"
    amount = tree.Number(str(abs(number)), span=base.span)
    return tree.Additive((("+", base), (sign, amount)), span=base.span)


def sequence(nodes: Sequence[tree.Node], last: tree.Node) -> tuple[tree.Node, tree.Node | None] | None:
    """Return the template of `x_1, x_2, …, x_n` over `RUN`, and its last index; None where none fits."""
    parts = (each for node in (*nodes, last) for each in names.walk(node))
    if any(isinstance(each, tree.Name) and each.text == RUN for each in parts):
        return None
    ends = _Ends()
    cells = [Cell(at, 1, _plain(node)) for at, node in enumerate(nodes, 1)]
    found = template(_apart([*cells, Cell(0, 1, _plain(last))]), ends, _LINE)
    return None if found is None else (found, ends.tree(RUN))


_Axes = tuple[tuple[str, str], ...]
"""The letter of each axis, and the field of a cell that counts along it."""


def template(cells: Sequence[Cell], ends: _Ends, axes: _Axes = _GRID) -> tree.Node | None:
    """Return the tree that gives each cell at its place, else None; `ends` takes the last indices found."""
    before = dict(ends.found)
    found = _common(cells, ends, axes, inside=False) if cells else None
    if found is None:
        ends.found = before
    return found


def _common(cells: Sequence[Cell], ends: _Ends, axes: _Axes, *, inside: bool) -> tree.Node | None:
    first = cells[0].node
    if all(cell.node == first for cell in cells):
        return first
    for letter, name in axes:
        labels = [getattr(cell, name) for cell in cells]
        counted = _counted(cells, labels, letter, ends, inside=inside)
        if counted is not None:
            return counted
    if isinstance(first, tree.Number | tree.Name):
        return None
    return _zip(cells, lambda parts, name: _common(parts, ends, axes, inside=inside or name == "sub"))


def _counted(
    cells: Sequence[Cell], labels: Sequence[int], letter: str, ends: _Ends, *, inside: bool
) -> tree.Node | None:
    """Return the letter of an axis, moved by a number, if that is what each cell shows at its place."""
    offset: int | None = None
    found: list[tuple[int, tree.Node | None, int]] = []
    for cell, label in zip(cells, labels, strict=True):
        value = _linear(cell.node)
        if value is None:
            return None
        base, number = value
        if label > 0:
            if base is not None or (offset is not None and number - label != offset):
                return None
            offset = number - label
        else:
            found.append((label, base, number))
    if offset is None or len(set(labels)) == 1:
        return None
    if offset and (inside or len({label for label in labels if label > 0}) == 1):
        return None
    moved = [(base, number - label - offset) for label, base, number in found]
    if any(end != moved[0] for end in moved):
        return None
    if moved and moved[0][0] is None and moved[0][1] <= max(labels):
        return None
    if moved and not ends.agree(letter, moved[0]):
        return None
    return _moved(tree.Name(letter, span=cells[0].node.span), offset)


def _linear(node: tree.Node) -> tuple[tree.Node | None, int] | None:
    """Return `n - 1` as (`n`, -1), `3` as (None, 3), `n` as (`n`, 0); None for anything else."""
    if isinstance(node, tree.Number):
        return (None, int(node.text)) if node.text.isdecimal() and len(node.text) < 4 else None
    if isinstance(node, tree.Name):
        return node, 0
    if isinstance(node, tree.Group):
        return _linear(node.body)
    if isinstance(node, tree.Additive) and len(node.terms) == 2:
        (sign, base), (other, number) = node.terms
        plain = isinstance(number, tree.Number) and number.text.isdecimal() and len(number.text) < 4
        if sign == "+" and isinstance(base, tree.Name) and isinstance(number, tree.Number) and plain:
            return base, int(number.text) if other == "+" else -int(number.text)
    return None


def _zip(cells: Sequence[Cell], join: Callable[[Sequence[Cell], str], tree.Node | None]) -> tree.Node | None:
    """Rebuild a node from the joined parts of nodes of the same kind."""
    first = cells[0].node
    if any(type(cell.node) is not type(first) for cell in cells):
        return None
    changes: dict[str, object] = {}
    for name in first.__dataclass_fields__:
        if name in ("span", "walked"):
            continue
        joined = _zip_values(cells, [getattr(cell.node, name) for cell in cells], name, join)
        if joined is _DIFFERENT:
            return None
        changes[name] = joined
    return replace(first, **changes)  # type: ignore[arg-type]


_DIFFERENT = object()


def _zip_values(
    cells: Sequence[Cell],
    values: list[object],
    name: str,
    join: Callable[[Sequence[Cell], str], tree.Node | None],
) -> object:
    first = values[0]
    nodes = [value for value in values if isinstance(value, tree.Node)]
    if len(nodes) == len(values):
        parts = [replace(cell, node=node) for cell, node in zip(cells, nodes, strict=True)]
        joined = join(parts, name)
        return _DIFFERENT if joined is None else joined
    tuples = [value for value in values if isinstance(value, tuple)]
    if len(tuples) == len(values) and len({len(value) for value in tuples}) == 1:
        columns = zip(*tuples, strict=True)
        found = [_zip_values(cells, list(column), name, join) for column in columns]
        return _DIFFERENT if any(each is _DIFFERENT for each in found) else tuple(found)
    return first if all(value == first for value in values) else _DIFFERENT

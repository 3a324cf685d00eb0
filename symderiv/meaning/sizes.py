"""Sizes by unification: which dimensions of a section are the same.

Vocabulary: a *dimension* is a placeholder `Size` symbol that stands in terms until all statements have
been read; dimensions that must agree are *unified* into a class; a class may have a *value*, the size
that the page names (`N`), an integer, or an expression. After `freeze`, classes that definitions and
declarations made are *rigid*: a claim may still give one a name, but may not make two of them equal,
for else a wrong claim would bend the sizes until it holds. A *join* is one unification and where the page
asks for it; joins make a forest, so that a dimension is what it is for one reason.
"""

from __future__ import annotations

from collections import Counter

from sympy import Expr, Integer

from symderiv.diagnostics import Span
from symderiv.kernel.terms import Size, free_in
from symderiv.meaning.renaming import exchanged

_MARK = "?"


class SizeClash(Exception):
    """Two dimensions that a statement needs to be equal and that are not."""

    def __init__(self, left: Expr, right: Expr) -> None:
        """Keep both sizes, for the message."""
        super().__init__(f"{left} and {right}")
        self.left, self.right = left, right


class Sizes:
    """The dimensions of a page, their classes, and the values of these."""

    def __init__(self) -> None:
        """Start without any dimension."""
        self._parent: list[int] = []
        self._value: list[Expr | None] = []
        self._rigid: list[bool] = []
        self._origin: list[Span | None] = []
        self._taken: set[str] = set()
        self._named: dict[int, Size] = {}
        self._firm: set[int] = set()
        self._joins: list[tuple[int, int, Span | None]] = []
        self._given: set[int] = set()
        """Dimensions that are of some size from the start."""

    def new(self, value: Expr | None = None, origin: Span | None = None) -> Size:
        """Return a new dimension, unknown or of the given value."""
        self._parent.append(len(self._parent))
        self._value.append(value)
        self._rigid.append(False)
        self._origin.append(origin)
        if value is not None:
            self._given.add(len(self._parent) - 1)
        return Size(f"{_MARK}{len(self._parent) - 1}")

    def copy(self) -> Sizes:
        """Return the same dimensions, to be unified apart from these."""
        other = Sizes()
        other._parent, other._value = list(self._parent), list(self._value)
        other._rigid, other._origin = list(self._rigid), list(self._origin)
        other._taken, other._named, other._firm = set(self._taken), dict(self._named), set(self._firm)
        other._joins, other._given = list(self._joins), set(self._given)
        return other

    def identify(self, old: Size, new: Expr) -> None:
        """Let one size that the page names be another, or a number, wherever it stands."""
        self._value = [None if each is None else each.xreplace({old: new}) for each in self._value]

    def reserve(self, name: str) -> None:
        """Keep an invented size from taking a name that the page uses."""
        self._taken.add(name)

    def _root(self, dimension: Size) -> int:
        return self._find(int(dimension.name[1:]))

    def _find(self, at: int) -> int:
        while self._parent[at] != at:
            self._parent[at] = self._parent[self._parent[at]]
            at = self._parent[at]
        return at

    def value(self, dimension: Size) -> Expr | None:
        """Return what is known of the size: a named size, an integer, an expression, or None."""
        return self._value[self._root(dimension)]

    def same(self, left: Size, right: Size) -> bool:
        """Tell whether two dimensions are known to be equal."""
        a, b = self._root(left), self._root(right)
        return a == b or (self._value[a] is not None and self._value[a] == self._value[b])

    def unify(self, left: Size, right: Size, span: Span | None = None) -> None:
        """Make two dimensions equal, for what stands at a span, or raise `SizeClash`."""
        a, b = self._root(left), self._root(right)
        if a == b:
            return
        va, vb = self._value[a], self._value[b]
        if va is not None and vb is not None and va != vb:
            raise SizeClash(self.show(left), self.show(right))
        if self._rigid[a] and self._rigid[b] and (va is None or va != vb):
            raise SizeClash(self.show(left), self.show(right))
        self._parent[b] = a
        self._value[a] = va if va is not None else vb
        self._rigid[a] = self._rigid[a] or self._rigid[b]
        self._joins.append((int(left.name[1:]), int(right.name[1:]), span))

    def try_unify(self, left: Size, right: Size, span: Span | None = None) -> bool:
        """Unify where that is possible, and tell whether it was."""
        try:
            self.unify(left, right, span)
        except SizeClash:
            return False
        return True

    def forced(self, dimension: Size) -> Span | None:
        """Return where the page makes a dimension what it is: the first join on the way to a known size.

        None where it has its size from the start, and where nothing is joined to it.
        """
        start = int(dimension.name[1:])
        ways: dict[int, Span | None] = {start: None}
        waiting = [] if start in self._given else [start]
        found: Span | None = None
        for at in waiting:
            for one, other, span in self._joins:
                if at not in (one, other) or (one in ways and other in ways):
                    continue
                further = other if at == one else one
                ways[further] = span if at == start else ways[at]
                found = found or ways[further]
                if further in self._given:
                    return ways[further]
                waiting.append(further)
        return found

    def firm(self, dimension: Size) -> None:
        """Note that a definition has used a dimension."""
        self._firm.add(int(dimension.name[1:]))

    def freeze(self) -> None:
        """Make every class rigid that definitions and declarations have made or used."""
        firm = {self._find(at) for at in self._firm}
        members = Counter(self._find(at) for at in range(len(self._parent)))
        for at, count in members.items():
            self._rigid[at] = count > 1 or at in firm

    def show(self, dimension: Size) -> Expr:
        """Return the size to print: its value, or an invented name for the class."""
        root = self._root(dimension)
        value = self._value[root]
        if value is not None:
            return self.resolve(value)
        if root not in self._named:
            letters = [
                letter for letter in ("n", "m", "p", "q", "r", "s", "d", "h") if letter not in self._taken
            ]
            name = letters[0] if letters else f"n_{root}"
            self._taken.add(name)
            self._named[root] = Size(name)
        return self._named[root]

    def resolve(self, term: Expr) -> Expr:
        """Replace each dimension in a term by the size of its class."""
        if isinstance(term, int):
            return Integer(term)
        sizes = sorted((s for s in free_in(term) if isinstance(s, Size)), key=lambda size: size.name)
        marks = {s: self.show(s) for s in sizes if s.name.startswith(_MARK)}
        return exchanged(term, marks) if marks else term

"""Scopes: which names a section sees, and what is known of each.

A heading opens a scope; a deeper heading sees the names of those above it. A `Name` record gathers the
evidence for one name while the page is surveyed (how many indices it carries, what it is
differentiated by) and its meaning once that is elaborated.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from symderiv.diagnostics import Span
from symderiv.kernel.terms import Bounds, Size


@dataclass(frozen=True, slots=True)
class Mention:
    """A name that a definition without a meaning mentions."""

    identity: str
    free: bool
    """It stands as an argument of an unknown function: the slopes by it may be anything."""


@dataclass(slots=True, eq=False)
class Name:
    """What is known of one name in one scope."""

    key: str
    identity: str
    """Its name in terms: the key, made distinct where two scopes use one key."""
    first: Span
    indexed: Counter[int] = field(default_factory=Counter)
    """How often it was written with so many index letters."""
    least: int = 0
    """Its rank is at least this: a transposed entry is a vector itself."""
    applied: int = 0
    """How often brackets followed it."""
    bare: int = 0
    """How often it stood without."""
    mentioned: int = 0
    """How often of these it stood alone in prose, which may be said of a function, too."""
    squared: int = 0
    """How often its square was written, `\\sigma^2`."""
    transposed: bool = False
    primed: bool = False
    declared: bool = False
    declared_at: Span | None = None
    introduced: bool = False
    """Some declaration, definition, first member or derivative brings it in."""
    defined: int | None = None
    """The number of the statement that defines it."""
    defined_at: Span | None = None
    again: tuple[int, Span] | None = None
    """Where an equation may give it another meaning: the number of that one, and what defines it."""
    rests_on: set[str] = field(default_factory=set)
    """Identities of the names in its definition, and of those that these rest on."""
    model: Name | None = None
    """The name of the same kind at another label that the page defines, `z^{(l)}` for `z^{(l-1)}`."""
    restricted: bool = False
    """Its values obey what defines its model, which is not at hand for it."""
    veil: tuple[Mention, ...] | None = None
    """What its definition mentions, where that has no meaning and the name is an unknown function."""
    broken: bool = False
    """Its definition is ill-typed."""
    lacks: str | None = None
    """Why its definition has no meaning."""
    parameters: tuple[str, ...] | None = None
    """The keys of its arguments, when the page defines it as a function."""
    arguments: tuple[Name, ...] = ()
    """The names that these keys are where the function is defined."""
    squares: frozenset[int] = frozenset()
    """The places of arguments that are given by their squares, `\\sigma^2` of `\\ell(\\mu, \\sigma^2)`."""
    varied: bool = False
    """Something is differentiated by it."""
    differentiated_by: list[str] = field(default_factory=list)
    """Identities of the names by which an undefined quantity is differentiated."""
    shape: tuple[Size, ...] | None = None
    guessed: bool = False
    """Its rank is inferred from matrix notation, or from nothing but its letter."""
    bases: dict[int, int] = field(default_factory=dict)
    """By axis: the number of its first entry, 0 or 1, where a sum with bounds tells it."""
    bounds: Bounds | None = None
    """Between which numbers it is declared to lie."""
    hints: list[Bounds] = field(default_factory=list)
    """Bounds that the page speaks of, for a while or in passing."""
    positive: bool = False
    values: tuple[int, ...] = ()
    """The numbers that its entries are, where it is declared in a finite set."""
    limited: bool = False
    """It is declared in a set whose numbers are not known one by one, `\\{1, \\dots, V\\}^T`."""
    described: tuple[Span, str] | None = None
    """Where prose says of it what no rule knows, as that it is an even number, and in which words."""
    whole: bool = False
    """It is declared in the whole or the natural numbers."""
    row: bool = False
    oriented: frozenset[str] = frozenset()
    """The kinds of derivatives in its definition of which the shape depends on the layout."""
    bold: bool = False
    function: bool = False
    """Declared as a map, `f : A → B`."""
    point: tuple[frozenset[str], frozenset[str]] | None = None
    """What it is applied to as a whole, where nothing defines it, and what that depends on."""
    takes: int = 0
    """The rank of what a map is declared to take."""
    loose: bool = False
    """The page uses it and never says what it is: it is any quantity of its shape, and refutes nothing."""
    basis: bool = False
    """Words say that it is the standard basis: `e_i` is the column i of the identity."""

    def rank(self) -> int:
        """Return the rank that its subscripts tell."""
        usual = max(self.indexed, key=lambda count: (self.indexed[count], count)) if self.indexed else 0
        return max(usual, self.least)


@dataclass(slots=True, eq=False)
class Scope:
    """The names of one section."""

    parent: Scope | None
    level: int
    names: dict[str, Name] = field(default_factory=dict)
    sizes: dict[str, Size] = field(default_factory=dict)
    """Names that are sizes, each with its dimension."""
    letters: dict[str, Size] = field(default_factory=dict)
    """Index letters with a declared range."""
    indices: set[str] = field(default_factory=set)
    """Letters that are used as indices."""
    restated: frozenset[str] = frozenset()
    """Names that this section gives as the one does that it goes on with: no names of its own."""
    renewed: frozenset[str] = frozenset()
    """Names that it gives another meaning than that one."""

    def _chain(self) -> Iterator[Scope]:
        scope: Scope | None = self
        while scope is not None:
            yield scope
            scope = scope.parent

    def within(self, other: Scope) -> bool:
        """Tell whether what another scope defines is visible here."""
        return any(scope is other for scope in self._chain())

    def beside(self, other: Scope) -> bool:
        """Tell whether one of two scopes sees the other."""
        return self.within(other) or other.within(self)

    def given(self, key: str) -> Name | None:
        """Return the record of a name that this section has, or states once more, or None."""
        if key in self.names:
            return self.names[key]
        return self.find(key) if any(key in scope.restated for scope in self._chain()) else None

    def renews(self, key: str) -> bool:
        """Tell whether a section gives a name another meaning than the one that it goes on with."""
        return any(key in scope.renewed for scope in self._chain())

    def find(self, key: str) -> Name | None:
        """Return the record that a key refers to here, or None."""
        return next((scope.names[key] for scope in self._chain() if key in scope.names), None)

    def size(self, key: str) -> Size | None:
        """Return the dimension that a size's name stands for, or None."""
        return next((scope.sizes[key] for scope in self._chain() if key in scope.sizes), None)

    def range(self, letter: str) -> Size | None:
        """Return the declared range of an index letter, or None."""
        return next((scope.letters[letter] for scope in self._chain() if letter in scope.letters), None)

    def is_index(self, letter: str) -> bool:
        """Tell whether a letter is used as an index here or above."""
        return any(letter in scope.indices for scope in self._chain())

    def visible(self) -> dict[str, Name]:
        """Return every name that is visible here."""
        found: dict[str, Name] = {}
        for scope in self._chain():
            for key, name in scope.names.items():
                found.setdefault(key, name)
        return found

    def hidden(self) -> list[Name]:
        """Return the names above that one of the same key hides here; definitions above may rest on them."""
        visible = self.visible()
        seen = {name.identity for name in visible.values()}
        return [
            name
            for scope in self._chain()
            for key, name in scope.names.items()
            if visible[key] is not name and name.identity not in seen
        ]

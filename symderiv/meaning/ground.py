"""What the elaborators of one page share: its survey, its sizes, and the definitions that have a meaning."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from sympy.logic.boolalg import Boolean

from symderiv.diagnostics import Diagnostic
from symderiv.kernel.terms import Definition, Index, Size
from symderiv.latex import tree
from symderiv.meaning import names
from symderiv.meaning.elaborator import Elaborator
from symderiv.meaning.meanings import MEANINGS
from symderiv.meaning.model import Tensor
from symderiv.meaning.raw import Survey
from symderiv.meaning.scope import Scope
from symderiv.meaning.sizes import Sizes


@dataclass(slots=True, eq=False)
class Ground:
    """What is known of a page so far."""

    survey: Survey
    turned: bool = False
    """Each sum that may run over one letter or two is read in the way that seems less likely."""
    diagnostics: dict[int, list[Diagnostic]] = field(default_factory=dict)
    """What is said of each item."""
    hidden: dict[str, Definition] = field(default_factory=dict)
    hidden_shapes: dict[str, tuple[Size, ...]] = field(default_factory=dict)
    bodies: dict[int, Tensor] = field(default_factory=dict)
    definitions: dict[int, Definition] = field(default_factory=dict)
    """By the `id` of a record: two sections may each give a value to one name of the page."""
    partial: dict[str, tuple[Boolean, ...]] = field(default_factory=dict)
    """Where the quotients, roots and logarithms of a definition are defined."""
    leftover: dict[Index, Size] = field(default_factory=dict)
    """The ranges of letters that definitions and assumptions leave free."""
    two_readings: set[str] = field(default_factory=set)
    """The names of which a definition has two readings."""
    _loose: list[tuple[Scope, set[str]]] | None = None
    _counts: Counter[str] | None = None

    @property
    def sizes(self) -> Sizes:
        """Return the sizes of the page."""
        return self.survey.sizes

    def elaborator(self, scope: Scope, number: int) -> Elaborator:
        """Return an elaborator of a scope, for which the definitions before a statement are in force."""
        return Elaborator(
            scope,
            self.sizes,
            MEANINGS,
            number,
            layout=self.survey.layout,
            strict="numerator" in (self.survey.layout, self.survey.layout_told),
            fonts=self.survey.fonts,
            fixed=self.survey.fixed,
            means=self.survey.means,
            unread=next((item.span for item in self.survey.items if item.kind == "unread"), None),
            hidden=self.hidden,
            hidden_shapes=self.hidden_shapes,
            bodies=self.bodies,
            turned=self.turned,
            is_free_elsewhere=lambda letter: self.is_free(letter, scope),
            members_with=self.members_with,
            alone=all(chain.scope is scope for chain in self.survey.chains),
        )

    def members_with(self, key: str) -> int:
        """Return in how many members of chains a name stands."""
        if self._counts is None:
            self._counts = Counter()
            for member in (member for chain in self.survey.chains for member in chain.members):
                self._counts.update({found for each in names.walk(member) if (found := self._key(each))})
        return self._counts[key]

    def _key(self, node: tree.Node) -> str | None:
        fonts = self.survey.fonts
        return names.written(node, fonts) if isinstance(node, tree.Script) else names.key(node, fonts=fonts)

    def is_free(self, letter: str, scope: Scope) -> bool:
        """Tell whether an index letter stands free in some formula of a scope, of one above or below it."""
        if self._loose is None:
            self._loose = [
                (chain.scope, set().union(*map(names.free_of_sums, chain.members)))
                for chain in self.survey.chains
            ]
        return any(
            letter in letters and (scope.within(other) or other.within(scope))
            for other, letters in self._loose
        )

"""What a survey finds: raw statements, with the records of names.

Vocabulary: a *raw chain* is a chain of syntax trees over as many displays as it takes; an *item* is one
entry of the report to be; a *head* is the left side of a definition; a *fact* is an assumption.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from symderiv.diagnostics import Diagnostic, Span
from symderiv.document.model import Document
from symderiv.latex import tree
from symderiv.meaning import cues, names
from symderiv.meaning.anew import apart
from symderiv.meaning.dummies import apart as set_apart
from symderiv.meaning.model import Kind
from symderiv.meaning.places import Place, Reading, chains
from symderiv.meaning.scope import Name, Scope
from symderiv.meaning.sections import go_on, rows_apart
from symderiv.meaning.sigmoids import named
from symderiv.meaning.sizes import Sizes


@dataclass(frozen=True, slots=True)
class Head:
    """The left side of a definition: `key` with index letters, parameters and a power (`\\sigma^2`).

    Parameters that are squares, `\\ell(\\mu, \\sigma^2)`, are roots here; `squares` has their places.
    """

    key: str
    letters: tuple[str, ...] = ()
    parameters: tuple[tree.Node, ...] | None = None
    power: int = 1
    squares: frozenset[int] = frozenset()


@dataclass(slots=True, eq=False)
class Fact:
    """An assumption: its LaTeX, and the relation that states it."""

    latex: str
    relation: tree.Relation
    scope: Scope
    number: int
    indices: bool
    """It relates index letters."""
    directive: bool = False
    particular: bool = False
    """It gives a value to one entry, unless its sentence says that it is about every one: *if $m_j = 0$*."""
    local: bool = False
    """It holds for a while, *if* or *when*, not to the end of its section."""
    row: bool = False
    """It opens a row, *if $y = 1$:*, and ends where another one does."""
    step: int | None = None
    """The step that states it, from which the page draws a conclusion; no assumption once it is proved."""
    rests: tuple[int, bool] | None = None
    """It holds where this step is not blamed, or only where it is: what follows from the last good member."""
    under: tuple[Fact, ...] = ()
    """The relations between indices under which it is said."""
    point: bool = False
    """It holds at one point, where a slope is set to zero; the slopes themselves are of any point."""
    remark: tuple[Name, str] | None = None
    """It is known by words alone: the name, and what they say of it in passing, *for negative $z$*."""


@dataclass(slots=True, eq=False)
class Link:
    """One relation sign of a chain and the member at its right."""

    node: tree.Node
    operator: str
    item: int
    head: Head | None = None
    """The definition that this link is."""
    body: int | None = None
    """The member that a definition takes as its body."""
    record: Name | None = None


@dataclass(slots=True, eq=False)
class RawChain:
    """The members of a chain."""

    scope: Scope
    first: tree.Node
    links: list[Link] = field(default_factory=list)
    einstein: bool = False
    """Repeated indices are summed."""
    moved: bool = False
    """No chain of the page: a definition of one, at another label."""

    @property
    def members(self) -> list[tree.Node]:
        """All members, in order."""
        return [self.first, *(link.node for link in self.links)]


@dataclass(slots=True, eq=False)
class Item:
    """One entry of the report to be."""

    kind: Kind
    span: Span
    scope: Scope
    facts: tuple[Fact, ...] = ()
    chain: int | None = None
    member: int | None = None
    diagnostics: tuple[Diagnostic, ...] = ()
    expected: str | None = None
    imposed: bool = False
    spans: int = 0
    left: Span | None = None


@dataclass(slots=True, eq=False)
class Letters:
    """How the letters of a section are used."""

    scope: Scope
    bound: set[str] = field(default_factory=set)
    summed: set[str] = field(default_factory=set)
    """Letters that sums run over; with those that stand in their conditions they are bound."""
    scripted: set[str] = field(default_factory=set)
    heads: set[str] = field(default_factory=set)
    """Lower-case letters in subscripts at the left of equations: no sizes."""
    compared: set[str] = field(default_factory=set)
    uppers: dict[str, tree.Name] = field(default_factory=dict)
    """Bounds of sums: sizes, unless they are indices."""
    dimensions: set[str] = field(default_factory=set)
    """Letters in the exponents of declarations, `n` of `\\mathbb{R}^n`."""
    lasts: dict[str, tree.Name] = field(default_factory=dict)
    """Last indices beside dots, `n` of `x_1, \\dots, x_n`: sizes, unless they are indices by other signs."""
    elsewhere: set[str] = field(default_factory=set)
    """Letters in subscripts that stand in no list or matrix with dots."""
    alone: set[str] = field(default_factory=set)
    entries: set[tuple[str, str]] = field(default_factory=set)
    """The letters that make up a subscript, each with the name that has it."""
    vectors: set[str] = field(default_factory=set)
    """Names that are declared with dimensions."""
    values: set[str] = field(default_factory=set)
    """Letters that are declared as numbers, or stand at the left of an equation."""
    worded: list[frozenset[str]] = field(default_factory=list)
    """The letters of each subscript that a declaration has: `x` and `h` of `W_{xh}`."""
    twice: set[str] = field(default_factory=set)
    """Letters that stand twice in such a subscript, which is no pair of indices."""


class Survey:
    """What the sweeps have found: items, raw chains, facts and the records of names."""

    def __init__(self, document: Document, *, alone: bool = False) -> None:  # noqa: PLR0915  one a line
        """Find the places of the formulas; nothing is surveyed yet. A section sees those above it `alone`."""
        self.document = document
        self.sizes = Sizes()
        self.diagnostics: list[Diagnostic] = list(document.diagnostics)
        self.items: list[Item] = []
        self.chains: list[RawChain] = []
        self.facts: list[Fact] = []
        self.records: list[Name] = []
        reading = Reading(document)
        self.layout = reading.layout or "gradient"
        self.layout_told = reading.layout
        self.places = reading.places
        self.macros = reading.macros
        told = named(document, self.places)
        self.diagnostics += [] if told is None else [told]
        set_apart(self.places)
        rows_apart(self.places, document.source.text)
        self.goes_on = not alone and go_on(self.places, reading.sections)
        """Some section goes on with one beside it."""
        self.seconds = apart(document, self.places)
        """The equations whose left side an equation above has, by where they begin."""
        self.named = reading.named
        """The sections that have the letter d as a name."""
        self.conditionals = reading.conditionals
        """The probabilities of the page, each with the names that stand in it."""
        self.labelled = reading.labelled
        """The names that stand with a label only, `x^{(i)}`."""
        self.tensors = reading.numbered.tensors
        """The vectors and matrices of the page: `y_1` is an entry of one."""
        self.fonts = self._fonts()
        self.heads = self._head_letters()
        self.means: dict[int, str] = {}
        """The sums of means, and the names of the numbers of their terms."""
        self.uses: dict[int, Letters] = {}
        self.local: list[Fact] = []
        self.consumed: list[tree.Chain] = []
        self.fixed: set[str] = set()
        """Index letters that prose fixes: *the true class k*."""
        self.stepped: set[str] = set()
        """The names of which an update tells the next entry, `x_{k+1} = x_k - g_k`."""
        self.singled: list[tuple[str, Scope]] = []
        """Index letters that prose fixes in a section, *for a fixed $k$*."""
        self.described: dict[str, tuple[Span, str]] = {}
        """Sizes of which prose says what no rule knows, as that they are even."""
        self.zeros: list[tree.Node] = []
        """The derivatives that the page says are 0: what is declared and stands there is no function."""
        self.closing: list[tuple[int, Fact]] = []
        """Local assumptions that end with their paragraph."""
        self.section: dict[int, list[Fact]] = {}
        self._last: tuple[RawChain, Place] | None = None
        self._shown: RawChain | None = None

    def _fonts(self) -> frozenset[str]:
        """Find the letters that the page declares or defines both in bold and not, as two names."""
        seen: dict[str, set[bool]] = {}
        for place in self.places:
            for chain in chains(place.display):
                for at, node in enumerate(chain.members):
                    if (
                        isinstance(node, tree.Name)
                        and len(chain.members) > 1
                        and (at == 0 or chain.operators[at - 1].text == ",")
                    ):
                        seen.setdefault(node.text, set()).add(node.font == "bold")
                    for each in () if node is None else names.walk(node):
                        if (
                            isinstance(each, tree.Script)
                            and isinstance(each.base, tree.Name)
                            and each.base.font == "blackboard"
                        ):
                            for size in () if each.sup is None else names.walk(each.sup):
                                if isinstance(size, tree.Name):
                                    seen.setdefault(size.text, set()).add(size.font == "bold")
        return frozenset(text for text, fonts in seen.items() if len(fonts) == 2)

    def _head_letters(self) -> frozenset[str]:
        """Find the letters that carry a subscript at the left of an equation: they are names of their own."""
        found: set[str] = set()
        for place in self.places:
            for chain in chains(place.display):
                first = chain.members[0]
                if len(chain.members) > 1 and isinstance(first, tree.Script):
                    found.add(names.key(first.base, fonts=self.fonts) or "")
        return frozenset(found)

    def create(self, key: str, node: tree.Node, scope: Scope) -> Name:
        """Enter a name in a scope, told from those of the same key."""
        taken = sum(f"{record.identity}~".startswith(f"{key}~") for record in self.records)
        record = Name(key.partition("~")[0], key if not taken else f"{key}~{taken + 1}", node.span)
        record.bold = any(isinstance(n, tree.Name) and n.font == "bold" for n in names.walk(node))
        self.records.append(record)
        scope.names[key] = record
        return record

    def name(self, key: str, node: tree.Node, scope: Scope) -> Name:
        """Return the record of a name, created where there is none."""
        return scope.find(key) or self.create(key, node, scope)

    def follow(self, place: Place, chain: RawChain) -> None:
        """Remember the chain that a formula which begins with `=` goes on with."""
        self._last = chain, place
        if place.math.display:
            self._shown = chain

    def continued(self, place: Place) -> RawChain | None:
        """Return the chain that a formula beginning with `=` goes on with.

        That of a display is the last display's, unless nothing but a few signs part it from another formula.
        """
        if self._last is None:
            return None
        chain, before = self._last
        near = before.math.paragraph == place.math.paragraph and not cues.has_words(
            self.document.source.text[before.math.outer.end : place.math.outer.start]
        )
        if not place.math.display or near or self._shown is None or self._shown.scope is not place.scope:
            return chain
        return self._shown

    def add(self, item: Item) -> int:
        """Enter an item and return its number."""
        self.items.append(item)
        return len(self.items) - 1

    def in_force(self, scope: Scope) -> tuple[Fact, ...]:
        """Return the assumptions that hold in a scope."""
        found: list[Fact] = []
        at: Scope | None = scope
        while at is not None:
            found = [*self.section.get(id(at), []), *found]
            at = at.parent
        return (*found, *self.local)

    def text(self, span: Span) -> str:
        """Return the source of a span."""
        return self.document.source.written(span).strip()

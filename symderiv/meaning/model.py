"""What a page says: statements over terms.

Vocabulary: a *tensor* is an elaborated expression, a scalar term over its *slots* (fresh indices) and
over the free indices that the page wrote; a *member* is one side of a relation, elaborated or failed;
a *statement* is one entry of the report, and a claim names the chain and the member that it is about.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, Protocol

from sympy import Expr
from sympy.logic.boolalg import Boolean

from symderiv.diagnostics import Diagnostic, Source, Span
from symderiv.document.model import Document
from symderiv.kernel.terms import Bounds, Context, Definition, Index
from symderiv.latex import tree
from symderiv.meaning.scope import Mention

Kind = Literal[
    "claim", "definition", "declaration", "assumption", "question", "relation", "term", "unread", "skipped"
]


@dataclass(frozen=True, slots=True)
class Tensor:
    """An elaborated expression.

    `body` is the entry at `slots`; `dimensions` are the sizes of the slots. `row` marks a rank-1 tensor
    that was transposed. `numerator` and `denominator` name what a derivative tensor differentiates
    and by what, with the number of slots of each, so that a product of two can be contracted by the
    chain rule. `convention` is set where the orientation follows from the layout of derivatives. `groups` is
    empty where each slot is an index of its own; else it tells how many slots in turn make up one index, the
    slowest first: `(2,)` for the columns of a matrix one below the other, `(2, 2)` for Kronecker's product.
    """

    body: Expr
    slots: tuple[Index, ...] = ()
    dimensions: tuple[Expr, ...] = ()
    row: bool = False
    numerator: tuple[str, int] | None = None
    denominator: tuple[str, int] | None = None
    convention: bool = False
    groups: tuple[int, ...] = ()

    @property
    def is_jacobian(self) -> bool:
        """Whether it is the derivative of a vector by a vector."""
        return self.rank == 2 and self.denominator is not None and self.denominator[1] == 1

    @property
    def rank(self) -> int:
        """The number of slots."""
        return len(self.slots)


@dataclass(frozen=True, slots=True)
class Failure:
    """An expression that has no meaning: `ill-typed`, or `unknown` where symderiv lacks the means."""

    outcome: Literal["ill-typed", "unknown"]
    diagnostic: Diagnostic


@dataclass(frozen=True, slots=True)
class Shown:
    """An entry that a matrix with dots shows, and where: from 1 at the front, from 0 down at the end."""

    row: int
    column: int
    value: Tensor
    span: Span
    latex: str
    least: tuple[int, int]
    """How many rows and columns are shown: with fewer, two of the places would be one."""


@dataclass(frozen=True, slots=True)
class Member:
    """One member of a chain, with the ranges of the free indices that it uses."""

    span: Span
    latex: str
    value: Tensor | Failure
    shaky: str | None = None
    """A name in it whose rank is a guess, so that a clash of shapes is no error of the author's."""
    clash: Diagnostic | None = None
    """A summed index in it that runs further than a dimension where it stands."""
    repair: tuple[str, Tensor] | None = None
    """Where a name is undefined: a name that the page knows, and the member with that name instead."""
    two_readings: bool = False
    """A sum in it, `\\sum_{i < j}`, may run over one letter or over both, or the like."""
    partial: tuple[Boolean, ...] = ()
    """Where its quotients, roots and logarithms are defined, as they were written."""
    shown: tuple[Shown, ...] = ()
    """Where it is a matrix with dots: its shown entries."""
    doubtful: bool = False
    """Its second reading is too unlikely to prove a step, and enough to leave it undecided."""
    oriented: frozenset[str] = frozenset()
    """The kinds of derivatives in it of which the shape depends on the layout."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What LaTeX means in the place of a member, and what it gives hidden names to."""

    value: Tensor
    definitions: Mapping[str, Definition]
    shapes: Mapping[str, tuple[Expr, ...]]


class Reread(Protocol):
    """Reads LaTeX that the page does not have, as the page reads its own."""

    def node(self, latex: str, offset: int) -> tree.Node | None:
        """Return the syntax tree of one expression, its spans counted from an offset, or None."""

    def alone(self, chain: int, member: int) -> bool:
        """Tell whether a member is read by itself as it is read in its page."""

    def value(self, chain: int, member: int, latex: str) -> Reading | None:
        """Return what an expression would mean in the place of a member of a chain, or None."""

    def under(self, chain: int, member: int, layout: str) -> Reading | None:
        """Return what a member would mean in another layout of derivatives, the definitions as they are."""


@dataclass(frozen=True, slots=True)
class Assumption:
    """A fact that the prover may use, as written and as a term."""

    latex: str
    fact: Boolean | None
    fixed: frozenset[Index] = frozenset()
    """Letters that stand for one index each."""
    told: frozenset[Index] = frozenset()
    """Those of which the page says so."""
    every: frozenset[Index] = frozenset()
    """Letters that stand for every index; any other does where the step does not have it free."""
    under: tuple[Boolean, ...] = ()
    """It holds for those of its indices only of which these are true."""
    step: int | None = None
    """The statement of the page that says it as a step; what is proved is no assumption."""
    rests: tuple[int, bool] | None = None
    """It holds where this statement is not blamed, or only where it is."""


@dataclass(frozen=True, slots=True)
class Chain:
    """The members of a chain, over as many displays as it takes, and the ranges of its free indices."""

    members: tuple[Member, ...]
    fixed: frozenset[Index]
    """Indices that the page fixes, *the true class k*: they may stand free on one side."""
    ranges: dict[Index, Expr]
    silent: frozenset[Index] = frozenset()
    """Indices over which a chain rule of this chain may sum without saying so."""
    differentials: Mapping[str, str] = field(default_factory=dict)
    """The names of differentials in its terms, each with the name that it is of."""


@dataclass(frozen=True, slots=True)
class Statement:
    """One entry of the report.

    `chain` and `member` locate a claim: it compares `members[member]` with the one before it. `answers`
    is the position that a question points to, where the document answers it.
    """

    kind: Kind
    span: Span
    latex: str
    left: str | None = None
    chain: int | None = None
    member: int | None = None
    assumptions: tuple[Assumption, ...] = ()
    context: Context | None = None
    diagnostics: tuple[Diagnostic, ...] = ()
    expected: str | None = None
    imposed: bool = False
    """Prose says that it follows from a condition, such as a derivative set to zero."""
    elsewhere: Mapping[str, int] = field(default_factory=dict)
    """Names in use that only another section defines, each with the line of that definition."""
    later: Mapping[str, int] = field(default_factory=dict)
    """Names in use that the page gives a meaning only below, each with the line."""
    whole: Context | None = None
    """What the names mean in the end, where `later` has any."""
    again: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    """Names that an equation may have given another meaning: its number, and the line of the first."""
    hints: Mapping[str, tuple[Bounds, ...]] = field(default_factory=dict)
    """Bounds of names that the page speaks of, for a while or in passing."""
    remarks: Mapping[str, tuple[int, str]] = field(default_factory=dict)
    """What words say in passing of names without a definition, with the line."""
    depends: int | None = None
    """The line of an ill-typed definition that this statement rests on."""
    spans: int = 0
    """How many math spans this entry is the first to stand for (0 or 1)."""


@dataclass(frozen=True, slots=True)
class Origin:
    """The formula that tells a dimension, its line, and its cell in a notebook."""

    line: int
    latex: str
    cell: int | None = None


@dataclass(frozen=True, slots=True)
class SymbolRecord:
    """A name of the page with its shape, as the report shows it."""

    name: str
    shape: tuple[str, ...]
    line: int
    inferred: bool
    identity: str = ""
    cell: int | None = None
    function: bool = False
    spans: tuple[Span, ...] = ()
    """Where the page tells each dimension."""
    origins: tuple[Origin, ...] = ()
    """For a name that is not declared: what tells each dimension."""


@dataclass(frozen=True, slots=True)
class Page:
    """An elaborated document."""

    source: Source
    title: str
    layout: str
    chains: tuple[Chain, ...]
    statements: tuple[Statement, ...]
    symbols: tuple[SymbolRecord, ...]
    math_spans: int
    layout_told: str | None = None
    """The layout that a directive asks for."""
    document: Document | None = None
    """What it was read from."""
    diagnostics: tuple[Diagnostic, ...] = ()
    functions: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """The names that the page defines as functions, with those of their variables."""
    described: Mapping[str, tuple[int, str]] = field(default_factory=dict)
    """The names of which prose says what no rule knows, each with the line that does, and its words."""
    limited: frozenset[str] = frozenset()
    """The names that the page declares in a set whose numbers are not known one by one."""
    loose: frozenset[str] = frozenset()
    """The names that the page uses without a word on what they are."""
    gathered: frozenset[tuple[str, str]] = frozenset()
    """The matrices that may be made of vectors with the same letter, each with these: X and `x_i`."""
    veiled: Mapping[str, tuple[Mention, ...]] = field(default_factory=dict)
    """The names of which the definition has no meaning, with what it mentions."""
    stepped: frozenset[str] = frozenset()
    """The names of which an update that is not checked ties the next entry to one."""
    restricted: frozenset[str] = frozenset()
    """The names with a label, `a^{(l-1)}`, that the page defines at another label only."""
    goes_on: bool = False
    """Some section is read as one that goes on with another beside it."""
    two_readings: frozenset[str] = frozenset()
    """The names whose definitions have a sum that may run over one letter or over both."""
    maps: frozenset[str] = frozenset()
    """The names that the page declares as maps, `f : A → B`: a page is about any such map."""
    partial: Mapping[str, tuple[Boolean, ...]] = field(default_factory=dict)
    """For a name with a definition: where the quotients, roots and logarithms of that are defined."""
    reread: Reread | None = None
    """What other LaTeX would mean in the place of a member."""

"""The state of elaboration: one elaborator serves one chain.

It knows the scope, the letters that sums bind at the moment, and the ranges of the letters that stand
free in the chain. What each kind of syntax means is in `meanings`, the table that it is given. An
expression without a meaning raises `Untyped`; the page catches it once a member.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

from sympy import Expr, Indexed, Integer
from sympy.core.relational import Relational
from sympy.logic.boolalg import Boolean

from symderiv.diagnostics import Diagnostic, Span
from symderiv.kernel.terms import Definition, Index, Size, fresh
from symderiv.latex import to_latex, tree
from symderiv.meaning import names
from symderiv.meaning.advice import guessed
from symderiv.meaning.errors import Untyped, unsupported
from symderiv.meaning.model import Tensor
from symderiv.meaning.motion import Motion
from symderiv.meaning.origins import has_size, told_at
from symderiv.meaning.scope import Name, Scope
from symderiv.meaning.sizes import SizeClash, Sizes
from symderiv.meaning.vocabulary import rank_name

FLAT = frozenset({"gradient", "nabla", "curve", "row"})
"""The kinds of derivatives that a layout makes a row or a column: their entries are the same in each.

A `row` is a name of one.
"""


@dataclass(slots=True)
class Elaborator:
    """Elaborates the members of one chain."""

    scope: Scope
    sizes: Sizes
    meanings: Mapping[type[tree.Node], Callable[[Elaborator, Any], Tensor]]
    """What each kind of syntax means."""
    number: int
    """The statement's number: definitions with a smaller one are in force."""
    layout: str = "gradient"
    strict: bool = False
    """A derivative that the layout makes a row is no column: the page tells so, or is read so for once."""
    oriented: set[str] = field(default_factory=set)
    """The kinds of derivatives in the member at hand of which the shape depends on the layout."""
    fonts: frozenset[str] = frozenset()
    fixed: Collection[str] = frozenset()
    """Index letters that no sum runs over: the class of a label."""
    free: dict[str, Size] = field(default_factory=dict)
    means: dict[int, str] = field(default_factory=dict)
    """The sums of means, and the names of the numbers of their terms."""
    hidden: dict[str, Definition] = field(default_factory=dict)
    hidden_shapes: dict[str, tuple[Size, ...]] = field(default_factory=dict)
    bodies: dict[int, Tensor] = field(default_factory=dict)
    """Elaborated definitions, by the `id` of the name's record."""
    diagnostics: list[Diagnostic] = field(default_factory=list)
    uses: set[str] = field(default_factory=set)
    """Identities of the names used since this was last cleared."""
    outside: set[str] = field(default_factory=set)
    """Index letters that stand free in the other members of the chain."""
    clash: Diagnostic | None = None
    """A summed index of the member at hand that runs further than a dimension where it stands."""
    shaky: str | None = None
    """A name of the member at hand whose rank is a guess."""
    firm: bool = False
    """The member at hand has a tensor whose rank is no guess."""
    unread: Span | None = None
    """A display that was not read, which may define what seems undefined."""
    expected_rank: int = 0
    """The rank of the head that a definition gives a meaning, 0 where it is a number or not known."""
    bound: dict[str, tuple[Index, Size]] = field(default_factory=dict)
    partial: list[Boolean] = field(default_factory=list)
    """Where the quotients, roots and logarithms of the member at hand are defined, as they are written."""
    two_readings: bool = False
    """A sum of the member at hand, `\\sum_{i < j}`, may run over one letter or over both, or the like."""
    doubtful: bool = False
    """What has two readings in the member at hand has one that is too unlikely to prove anything."""
    entrywise: bool = False
    """Two columns beside each other are multiplied entry by entry: the page asks for a vector there."""
    turned: bool = False
    """Each of these is read in the way that seems less likely."""
    is_free_elsewhere: Callable[[str], bool] = field(default=lambda _: False)
    """Tells whether a letter stands free in some formula that is visible here."""
    members_with: Callable[[str], int] = field(default=lambda _: 0)
    """Tells in how many members of chains a name stands."""
    alone: bool = True
    """All formulas of the page stand in one section: no other one may say what a name is."""
    whole: tree.Node | None = None
    """The member at hand."""
    motion: Motion | None = None
    """What varies in the differentials of the chain; None where it is not told."""
    starts: dict[str, int] = field(default_factory=dict)
    """For a bound letter with bounds: 0 or 1, where its sum counts from."""

    def member(self, node: tree.Node) -> Tensor:
        """Elaborate one member of a chain."""
        seen: dict[str, tree.Big] = {}
        for letter, where in names.reused(node, self._index_letters(node)):
            seen.setdefault(letter, where)
        for letter, where in seen.items():
            self.note(
                "SD101",
                f"the index {letter} is bound by this sum and free in the same term",
                where.span,
                label=f"the reading that keeps the bound {letter} apart was taken",
            )
        self.shaky = self.clash = None
        self.firm = self.two_readings = self.doubtful = False
        self.whole = node
        self.partial.clear()
        self.oriented.clear()
        try:
            return self.paired(node)
        except Untyped as error:
            if error.outcome != "ill-typed" or error.diagnostic.code != "SD002":
                raise
            found = error.diagnostic
            found = found if found.labels else replace(found, labels=self._ranks(found.span))
            shaky: str | None = self.shaky
            if shaky is not None:
                raise Untyped("unknown", guessed(found, shaky)) from None
            raise Untyped("ill-typed", found) from None

    def _index_letters(self, node: tree.Node) -> set[str]:
        letters = {n.text for n in names.walk(node) if isinstance(n, tree.Name)}
        return {letter for letter in letters if self.scope.is_index(letter)}

    def note(self, code: str, message: str, span: Span, *, label: str = "") -> None:
        """Report once what was assumed in reading the member."""
        found = Diagnostic(code, message, span, label=label)
        if found not in self.diagnostics:
            self.diagnostics.append(found)

    def requires(self, relation: type[Relational], value: Expr) -> None:
        """Record where something is defined that SymPy may fold: to it `x / x` is 1, also at 0."""
        if value.atoms(Indexed) or any(not isinstance(s, Index | Size) for s in value.free_symbols):
            self.partial.append(relation(value, Integer(0), evaluate=False))

    def value(self, node: tree.Node) -> Tensor:
        """Elaborate any expression of which each slot is an index."""
        value = self.paired(node)
        if value.groups:
            raise unsupported("a matrix written as one column is not supported here yet", node.span)
        return value

    def paired(self, node: tree.Node) -> Tensor:
        """Elaborate any expression, one with pairs of slots as indices included."""
        meaning = self.meanings.get(type(node))
        if meaning is None:
            raise unsupported(
                f"symderiv has no meaning for this {type(node).__name__.lower()} yet", node.span
            )
        return meaning(self, node)

    def record(self, node: tree.Node) -> Name | None:
        """Return the record of a name without subscript, or None."""
        key = names.key(node, fonts=self.fonts)
        return None if key is None else self.scope.find(key)

    def is_defined(self, record: Name) -> bool:
        """Tell whether the page has defined the name before this statement."""
        return record.defined is not None and record.defined < self.number

    def meaning(self, identity: str) -> Tensor | None:
        """Return the definition that a name of terms has here, or None."""
        for record in (*self.scope.visible().values(), *self.scope.hidden()):
            if record.identity == identity and self.is_defined(record):
                return self.bodies.get(id(record))
        return None

    def known(self, key: str) -> bool:
        """Tell whether the page declares, defines or indexes a name."""
        record = self.scope.find(key)
        return record is not None and (record.declared or record.defined is not None or bool(record.indexed))

    def split(self, key: str, subs: tuple[tree.Node, ...]) -> tuple[str, tuple[tree.Node, ...]]:
        """Tell indices from the parts of a subscript that belong to the name."""
        for item in subs:
            if isinstance(item, tree.Script) and any(map(self._is_running, names.items(item.sub))):
                raise unsupported("an index that is an entry itself is not supported yet", item.span)
        indices = tuple(item for item in subs if self.is_item(item, key))
        if len(indices) == len(subs):
            return key, subs
        label = ",".join(to_latex(item) for item in subs if item not in indices)
        return f"{key}_{{{label}}}", indices

    def _is_running(self, item: tree.Node) -> bool:
        """Tell whether an item of a subscript is a letter that runs over a range here."""
        return isinstance(item, tree.Name) and (item.text in self.bound or self.scope.is_index(item.text))

    def is_item(self, item: tree.Node, key: str) -> bool:
        """Tell whether an item of a subscript is an index (rather than a part of the name)."""
        record = self.scope.find(key)
        has_rank = record is not None and (
            bool(record.indexed) or (record.shape is not None and len(record.shape) > 0)
        )
        if isinstance(item, tree.Number):
            return has_rank
        if isinstance(item, tree.Name):
            if item.text in self.bound or self.scope.is_index(item.text):
                return True
            return has_rank and self.scope.size(item.text) is not None
        if isinstance(item, tree.Group):
            return self.is_item(item.body, key)
        if isinstance(item, tree.Additive):
            return all(self.is_item(term, key) or isinstance(term, tree.Number) for _, term in item.terms)
        if isinstance(item, tree.Product):
            return all(
                self.is_item(factor, key) or isinstance(factor, tree.Number) for factor in item.factors
            )
        return False

    def shape(self, record: Name) -> tuple[Size, ...]:
        """Return the dimensions of a name, inventing them where nothing is known yet."""
        if record.shape is None:
            if record.model is not None and record.model.shape is not None:
                rank = len(record.model.shape)
            elif record.indexed:
                rank = record.rank()
            else:
                rank = self._guess(record)
                record.guessed = not record.differentiated_by
            record.shape = tuple(self.sizes.new(origin=record.first) for _ in range(rank))
        return record.shape

    @staticmethod
    def _guess(record: Name) -> int:
        letter = record.key[-1] if not record.key.endswith("}") else record.key.rstrip("}")[-1]
        if record.differentiated_by:
            return 0
        if record.bold:
            return 2 if letter.isupper() else 1
        if record.transposed:
            return 2 if letter.isupper() else 1
        return 0

    def letter(self, letter: str, span: Span) -> tuple[Index, Size]:
        """Return the index of a letter and the size of its range."""
        if letter in self.bound:
            return self.bound[letter]
        if letter not in self.free:
            self.free[letter] = self.scope.range(letter) or self.sizes.new(origin=span)
        return Index(letter), self.free[letter]

    def unify(self, left: Size, right: Size, span: Span, what: str) -> None:
        """Make two dimensions agree, or raise the error that names both sizes."""
        try:
            self.sizes.unify(left, right, span)
        except SizeClash as clash:
            needed = f"{clash.left} = {clash.right}"
            found = Diagnostic(
                "SD002",
                f"sizes {clash.left} and {clash.right} do not agree",
                span,
                label=f"{what} needs {needed}",
                notes=(f"holds at most when {needed}",),
                labels=self._shapes(left, right, span),
            )
            raise Untyped("ill-typed", found) from None

    def _tensors(self, span: Span) -> list[Name]:
        """Return the names within a span that are vectors, matrices or more."""
        inside = names.walk(self.whole) if self.whole is not None else ()
        known = [self.record(n) for n in inside if span.start <= n.span.start and n.span.end <= span.end]
        return list(dict.fromkeys(record for record in known if record is not None and record.shape))

    def _ranks(self, span: Span) -> tuple[tuple[Span, str], ...]:
        """Return where the page brings in the first two names within a span, and what they are."""
        return tuple(
            (told_at(None, record), f"{record.key} is {rank_name(len(record.shape or ()))}")
            for record in self._tensors(span)[:2]
        )

    def _shapes(self, left: Size, right: Size, span: Span) -> tuple[tuple[Span, str], ...]:
        """Return where the page gives names within a span two dimensions that do not agree."""
        found: dict[Span, str] = {}
        waiting = self._tensors(span)
        for size in (left, right):
            for record in waiting:
                shape = record.shape or ()
                axis = next((at for at, each in enumerate(shape) if self.sizes.same(each, size)), None)
                if axis is not None:
                    told = has_size(record.key, [str(self.sizes.show(each)) for each in shape], axis)
                    found.setdefault(told_at(self.sizes.forced(shape[axis]), record), told)
                    waiting = [*(each for each in waiting if each is not record), record]
                    break
        return tuple(found.items())

    @contextmanager
    def multiplying_entries(self) -> Iterator[None]:
        """Multiply two columns beside each other entry by entry for a while."""
        before, self.entrywise = self.entrywise, True
        try:
            yield
        finally:
            self.entrywise = before

    @contextmanager
    def binding(self, letters: tuple[str, ...], sizes: tuple[Size, ...]) -> Iterator[tuple[Index, ...]]:
        """Bind letters to fresh indices while a body is elaborated."""
        saved, starts = dict(self.bound), dict(self.starts)
        indices = tuple(fresh(letter.strip("\\")) for letter in letters)
        for letter, index, size in zip(letters, indices, sizes, strict=True):
            self.bound[letter] = (index, size)
        try:
            yield indices
        finally:
            self.bound, self.starts = saved, starts

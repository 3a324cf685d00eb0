"""The survey of a page: from mathematics in reading order to raw statements, with the evidence for each name.

Vocabulary: a *raw chain* is a chain of syntax trees over as many displays as it takes; an *item* is one
entry of the report to be; a *head* is the left side of a definition. Nothing is elaborated here.

Two sweeps: the first finds which letters are indices and sizes and what is declared; the second
classifies every formula and counts how each name is used.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from itertools import pairwise

from sympy import Expr, Integer

from symderiv.diagnostics import Diagnostic, Span
from symderiv.document.model import Document
from symderiv.kernel.terms import Size
from symderiv.latex import to_latex, tree
from symderiv.meaning import cues, names, properties
from symderiv.meaning.model import Kind
from symderiv.meaning.patterns import composite_head
from symderiv.meaning.places import Place, Reading, chains, is_index_relation
from symderiv.meaning.scope import Name, Scope
from symderiv.meaning.sizes import Sizes
from symderiv.meaning.vocabulary import FUNCTIONS

_DEFINING = frozenset({"=", ":=", "equiv"})


@dataclass(frozen=True, slots=True)
class Head:
    """The left side of a definition: `key` with index letters, parameters and a power (`\\sigma^2`)."""

    key: str
    letters: tuple[str, ...] = ()
    parameters: tuple[tree.Node, ...] | None = None
    power: int = 1


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
class _Letters:
    """How the letters of a section are used."""

    scope: Scope
    bound: set[str] = field(default_factory=set)
    scripted: set[str] = field(default_factory=set)
    compared: set[str] = field(default_factory=set)
    uppers: dict[str, tree.Name] = field(default_factory=dict)
    """Bounds of sums: sizes, unless they are indices."""
    alone: set[str] = field(default_factory=set)


class Survey:
    """Reads a document into items, raw chains and scopes."""

    def __init__(self, document: Document) -> None:
        """Run both sweeps."""
        self.document = document
        self.sizes = Sizes()
        self.diagnostics: list[Diagnostic] = list(document.diagnostics)
        self.items: list[Item] = []
        self.chains: list[RawChain] = []
        self.facts: list[Fact] = []
        self.records: list[Name] = []
        self.declared_ranges: list[tuple[Scope, str, Size]] = []
        reading = Reading(document)
        self.layout = reading.layout or "gradient"
        self.layout_told = reading.layout is not None
        self._places = reading.places
        self.fonts = self._fonts()
        self._heads = self._head_letters()
        self._head_indices: set[str] = set()
        """Lower-case letters in subscripts at the left of equations: no sizes."""
        self.means: dict[int, str] = {}
        """The sums of means, and the names of the numbers of their terms."""
        self._uses: dict[int, _Letters] = {}
        for place in self._places:
            if place.display is not None:
                self._find_letters(place.display, place.scope)
        self._settle()
        for place in self._places:
            if place.display is not None:
                for at, item in enumerate(place.display.items):
                    if isinstance(item, tree.Chain) and item.operators:
                        self._range(place.display.items, at, place.scope)
        for place in self._places:
            if place.display is not None:
                self._declarations(place.display, place.scope)
        self._local: list[Fact] = []
        self._consumed: list[tree.Chain] = []
        self.fixed: set[str] = set()
        """Index letters that prose fixes: *the true class k*."""
        self._closing: list[tuple[int, Fact]] = []
        """Local assumptions that end with their paragraph."""
        self._section: dict[int, list[Fact]] = {}
        self._last_chain: RawChain | None = None
        for place in self._places:
            try:
                self._second(place)
            except Exception as error:  # noqa: BLE001  one bad formula never takes the file with it
                self._add(
                    Item(
                        "unread",
                        place.math.span,
                        place.scope,
                        diagnostics=(internal(error, place.math.span),),
                    )
                )

    def _fonts(self) -> frozenset[str]:
        """Find the letters that the page declares or defines both in bold and not, as two names."""
        seen: dict[str, set[bool]] = {}
        for place in self._places:
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
        for place in self._places:
            for chain in chains(place.display):
                first = chain.members[0]
                if len(chain.members) > 1 and isinstance(first, tree.Script):
                    found.add(names.key(first.base, fonts=self.fonts) or "")
        return frozenset(found)

    # ------------------------------------------------------------------ first sweep

    def _find_letters(self, display: tree.Display, scope: Scope) -> None:
        """Collect the letters that are bound, those in subscripts, those that are compared, those alone."""
        uses = self._uses.setdefault(id(scope), _Letters(scope))
        for chain in chains(display):
            if is_index_relation(chain):
                uses.compared |= _names_of(chain)
            elif not _is_declaration(chain) and not _is_bare_letter(chain):
                if isinstance(chain.members[0], tree.Script) and chain.operators:
                    self._head_indices |= {
                        item.text
                        for item in names.items(chain.members[0].sub)
                        if names.is_index_letter(item) and isinstance(item, tree.Name)
                    }
                for node in chain.members:
                    if node is not None:
                        _letters(node, uses.bound, uses.scripted, uses.alone)
                        uses.compared |= {
                            m.text
                            for each in names.walk(node)
                            if isinstance(each, tree.Relation) and _relates_letters(each)
                            for m in each.members
                            if isinstance(m, tree.Name)
                        }
                        self._find_sizes(node, scope)

    def _settle(self) -> None:
        """A letter is an index where it is bound, or stands in subscripts and never alone, here or above.

        Letters that are only compared, `i = j`, are indices where the page has them in subscripts or sums.
        """
        anywhere: set[str] = set()
        for uses in self._uses.values():
            anywhere |= uses.bound | uses.scripted
        for uses in self._uses.values():
            alone: set[str] = set()
            at: Scope | None = uses.scope
            while at is not None:
                alone |= self._uses[id(at)].alone if id(at) in self._uses else set()
                at = at.parent
            for letter, node in uses.uppers.items():
                if letter not in uses.bound and letter not in self._head_indices:
                    self._size(node, uses.scope)
            uses.scope.indices |= uses.bound | (uses.scripted - alone) | (uses.compared & anywhere - alone)

    @staticmethod
    def _compares(chain: tree.Chain, scope: Scope) -> bool:
        """Tell whether a chain relates indices: `i = j`, `i \\ne j`."""
        return is_index_relation(chain) and all(scope.is_index(letter) for letter in _names_of(chain))

    def _find_sizes(self, node: tree.Node, scope: Scope) -> None:
        for each in names.walk(node):
            if isinstance(each, tree.Big) and isinstance(each.upper, tree.Name | tree.Additive):
                for name in names.walk(each.upper):
                    if isinstance(name, tree.Name):
                        self._uses[id(scope)].uppers.setdefault(name.text, name)
            if (
                isinstance(each, tree.Script)
                and each.base in (tree.Name("1", "bold"), tree.Name("1", "blackboard"))
                and isinstance(each.sub, tree.Name)
            ):
                self._uses[id(scope)].uppers.setdefault(each.sub.text, each.sub)
            if isinstance(each, tree.Product):
                self._find_mean(each, scope)
            if isinstance(each, tree.Sequence) and any(isinstance(item, tree.Dots) for item in each.items):
                last = each.items[-1]
                subs = [s.sub for s in names.walk(last) if isinstance(s, tree.Script) and s.sub is not None]
                for sub in subs:
                    for item in names.items(sub):
                        if (
                            isinstance(item, tree.Name)
                            and item.font == ""
                            and len(item.text) == 1
                            and item.text.isupper()
                        ):
                            self._size(item, scope)

    def _find_mean(self, node: tree.Product, scope: Scope) -> None:
        """The n of `\\frac1n \\sum_i x_i` is the number of terms."""
        for fraction, big in pairwise(node.factors):
            if (
                not isinstance(fraction, tree.Fraction)
                or not isinstance(big, tree.Big)
                or big.upper is not None
            ):
                continue
            named = [n for n in names.walk(fraction.denominator) if isinstance(n, tree.Name)]
            if len(named) == 1 and len(named[0].text) == 1 and len(names.bound_letters(big.lower)) == 1:
                self._uses[id(scope)].uppers.setdefault(named[0].text, named[0])
                self.means[id(big)] = named[0].text

    def _size(self, node: tree.Name, scope: Scope) -> Size:
        known = scope.size(node.text)
        if known is None:
            known = self.sizes.new(Size(node.text), origin=node.span)
            scope.sizes[node.text] = known
            self.sizes.reserve(node.text)
        return known

    def _declarations(self, display: tree.Display, scope: Scope) -> None:
        pending: list[tree.Node] = []
        for item in display.items:
            if isinstance(item, tree.Chain):
                if len(item.members) == 1 and item.members[0] is not None:
                    pending.append(item.members[0])
                    continue
                self._declare(item, pending, scope)
                pending = []
            elif not (isinstance(item, tree.Connective) and item.text == ","):
                pending = []

    def _range(self, items: tuple[object, ...], at: int, scope: Scope) -> None:
        """`i = 1, \\dots, N`."""
        chain = items[at]
        rest = [item for item in items[at + 1 :] if not isinstance(item, tree.Connective)]
        if not (
            isinstance(chain, tree.Chain)
            and len(chain.members) == 2
            and chain.operators[0].text == "="
            and isinstance(chain.members[0], tree.Name)
            and names.is_index_letter(chain.members[0])
            and isinstance(chain.members[1], tree.Number)
            and len(rest) >= 2
        ):
            return
        dots, last = rest[0], rest[1]
        if (
            isinstance(dots, tree.Chain)
            and isinstance(dots.members[0], tree.Dots)
            and isinstance(last, tree.Chain)
            and isinstance(last.members[0], tree.Name)
        ):
            scope.letters[chain.members[0].text] = self._size(last.members[0], scope)
            scope.indices.add(chain.members[0].text)

    def _declare(self, chain: tree.Chain, pending: list[tree.Node], scope: Scope) -> None:
        operators = [operator.text for operator in chain.operators]
        first, last = chain.members[0], chain.members[-1]
        if operators[-1] == "in" and last is not None:
            tail = "=" in operators
            for node in (chain.members[0], chain.members[-2]) if tail else (*pending, chain.members[-2]):
                if node is not None:
                    self._declare_in(node, last, scope)
        elif operators == [":", "to"] and first is not None:
            name = self._declared(first, scope)
            if name is not None:
                name.function = True
                codomain = self._shape(chain.members[2], scope)
                if codomain is not None:
                    name.shape = codomain
        elif operators == [">"] and isinstance(last, tree.Number) and first is not None:
            for node in (*pending, first):
                name = self._declared(node, scope)
                if name is not None:
                    name.positive = True

    def _declared(self, node: tree.Node, scope: Scope) -> Name | None:
        head = self._head_of(node, scope)
        if head is None or head.parameters is not None or head.power != 1:
            return None
        name = scope.names.get(head.key) or self._create(head.key, node, scope)
        name.declared = name.introduced = True
        return name

    def _declare_in(self, node: tree.Node, domain: tree.Node, scope: Scope) -> None:
        group = domain.body if isinstance(domain, tree.Group) else None
        if (
            isinstance(group, tree.Sequence)
            and isinstance(node, tree.Name)
            and any(isinstance(i, tree.Dots) for i in group.items)
        ):
            last = group.items[-1]
            if isinstance(last, tree.Name):
                scope.letters[node.text] = self._size(last, scope)
                scope.indices.add(node.text)
            return
        shape = self._shape(domain, scope)
        if shape is None:
            return
        if isinstance(domain, tree.Name) and domain.text == "N" and isinstance(node, tree.Name):
            self._size(node, scope)
            return
        name = self._declared(node, scope)
        if name is not None:
            head = self._head_of(node, scope)
            assert head is not None
            rows = tuple(scope.range(letter) or self.sizes.new(origin=node.span) for letter in head.letters)
            name.shape = rows + shape
            if head.letters:
                name.indexed[len(head.letters)] += 1
            if (
                isinstance(domain, tree.Script)
                and isinstance(domain.base, tree.Name)
                and domain.sub is not None
            ):
                name.positive = True

    def _shape(self, domain: tree.Node | None, scope: Scope) -> tuple[Size, ...] | None:
        """Read `\\mathbb{R}^{T \\times N}` as dimensions, or None where it is no such set."""
        sup: tree.Node | None = None
        base = domain
        if isinstance(domain, tree.Script):
            base, sup = domain.base, domain.sup
        numbers = isinstance(base, tree.Name) and base.font == "blackboard" and base.text in ("R", "N", "Z")
        if not numbers and not (isinstance(base, tree.Group) and isinstance(base.body, tree.Sequence)):
            return None
        if sup is None or (isinstance(sup, tree.Name) and sup.text == "+"):
            return ()
        factors = sup.factors if isinstance(sup, tree.Product) and set(sup.operators) == {"times"} else (sup,)
        sizes = []
        for factor in factors:
            size = self._dimension(factor, scope)
            if size is None:
                return None
            sizes.append(size)
        if len(sizes) == 2 and self.sizes.value(sizes[1]) == 1:
            sizes.pop()
        return tuple(sizes)

    def _dimension(self, node: tree.Node, scope: Scope) -> Size | None:
        if isinstance(node, tree.Name):
            return self._size(node, scope)
        if isinstance(node, tree.Number):
            return self.sizes.new(Integer(node.text), origin=node.span)
        if isinstance(node, tree.Product) and all(
            isinstance(f, tree.Name | tree.Number) for f in node.factors
        ):
            value = Integer(1)
            for factor in node.factors:
                value = value * self._size_value(factor, scope)
            return self.sizes.new(value, origin=node.span)
        if isinstance(node, tree.Additive) and all(
            isinstance(t, tree.Name | tree.Number) for _, t in node.terms
        ):
            total = Integer(0)
            for sign, term in node.terms:
                part = self._size_value(term, scope)
                total = total - part if sign == "-" else total + part
            return self.sizes.new(total, origin=node.span)
        return None

    def _size_value(self, node: tree.Node, scope: Scope) -> Expr:
        if isinstance(node, tree.Number):
            return Integer(node.text)
        assert isinstance(node, tree.Name)
        self._size(node, scope)
        return Size(node.text)

    # ------------------------------------------------------------------ names

    def _create(self, key: str, node: tree.Node, scope: Scope) -> Name:
        taken = sum(record.key == key for record in self.records)
        record = Name(key, key if not taken else f"{key}~{taken + 1}", node.span)
        record.bold = any(isinstance(n, tree.Name) and n.font == "bold" for n in names.walk(node))
        self.records.append(record)
        scope.names[key] = record
        return record

    def _name(self, key: str, node: tree.Node, scope: Scope) -> Name:
        return scope.find(key) or self._create(key, node, scope)

    def _head_of(self, node: tree.Node, scope: Scope) -> Head | None:
        """Read a node as a head: a name, an entry, a function of names, `\\sigma^2`, `D_{ij} y_t`."""
        if isinstance(node, tree.Accent) and isinstance(node.body, tree.Script):
            node = replace(node.body, base=tree.Accent(node.mark, node.body.base, span=node.span))
        if isinstance(node, tree.Name | tree.Accent):
            key = names.key(node, fonts=self.fonts)
            return None if key is None else Head(key)
        if isinstance(node, tree.Script):
            return self._scripted_head(node, scope)
        if isinstance(node, tree.Call):
            function = node.function
            if isinstance(function, tree.Name) and function.text in FUNCTIONS:
                return None
            return self._function_head(node.function, node.arguments, None, scope)
        if isinstance(node, tree.Product) and len(node.factors) == 2 and node.operators == ("",):
            composite = composite_head(node.factors, self.fonts)
            if composite is not None:
                key, subs = composite
                letters = tuple(s.text for s in subs if isinstance(s, tree.Name))
                return Head(key, letters) if len(letters) == len(subs) else None
            function, following = node.factors
            sub = following.sub if isinstance(following, tree.Script) and following.sup is None else None
            group = (
                following.base if isinstance(following, tree.Script) and following.sup is None else following
            )
            if isinstance(group, tree.Group) and group.left == "(":
                arguments = group.body.items if isinstance(group.body, tree.Sequence) else (group.body,)
                return self._function_head(function, arguments, sub, scope)
        return None

    def _scripted_head(self, node: tree.Script, scope: Scope) -> Head | None:
        if isinstance(node.base, tree.Call):
            function = node.base.function
            if node.sup is not None or (isinstance(function, tree.Name) and function.text in FUNCTIONS):
                return None
            return self._function_head(node.base.function, node.base.arguments, node.sub, scope)
        key = names.key(node.base, fonts=self.fonts)
        if key is None or names.is_transpose(node.sup):
            return None
        power = 1
        subs = names.items(node.sub)
        label = names.label(node.sup)
        if label is not None:
            if isinstance(label, tree.Name) and scope.is_index(label.text):
                subs = (label, *subs)
            else:
                assert node.sup is not None
                key = f"{key}^{{{names.label_text(node.sup)}}}"
        elif isinstance(node.sup, tree.Number) and node.sup.text == "2":
            power = 2
        elif node.sup is not None:
            return None
        if node.primes:
            if scope.find(key) is not None:
                return None
            key += "'" * node.primes
        key, letters = self._split(key, subs, scope)
        if letters is None or len(set(letters)) != len(letters):
            return None
        return Head(key, letters, power=power)

    def _split(
        self, key: str, subs: tuple[tree.Node, ...], scope: Scope
    ) -> tuple[str, tuple[str, ...] | None]:
        """Tell index letters from parts of a name; None where an item is an index but no letter."""
        letters, rest = [], []
        record = scope.find(key)
        for item in subs:
            if isinstance(item, tree.Name) and scope.is_index(item.text):
                letters.append(item.text)
            elif isinstance(item, tree.Number) and record is not None and record.indexed:
                return key, None
            elif isinstance(item, tree.Number | tree.Name | tree.Words):
                rest.append(to_latex(item))
            else:
                return key, None
        return (f"{key}_{{{','.join(rest)}}}" if rest else key), tuple(letters)

    def _function_head(
        self, function: tree.Node, arguments: tuple[tree.Node, ...], sub: tree.Node | None, scope: Scope
    ) -> Head | None:
        head = (
            self._head_of(function, scope)
            if isinstance(function, tree.Name | tree.Accent | tree.Script)
            else None
        )
        if head is None or head.power != 1 or head.parameters is not None:
            return None
        if not all(isinstance(argument, tree.Name | tree.Accent) for argument in arguments):
            return None
        if any(isinstance(argument, tree.Name) and scope.is_index(argument.text) for argument in arguments):
            return None
        record = scope.find(head.key)
        if record is not None and record.indexed and not record.applied:
            return None
        letters = head.letters
        if sub is not None:
            more = [
                item.text
                for item in names.items(sub)
                if isinstance(item, tree.Name) and scope.is_index(item.text)
            ]
            if len(more) != len(names.items(sub)):
                return None
            letters += tuple(more)
        return Head(head.key, letters, parameters=tuple(arguments))

    # ------------------------------------------------------------------ second sweep: statements and uses

    def _second(self, place: Place) -> None:
        if place.fresh_prose:
            before, self._local = self._local, []
            if cues.otherwise(place.before):
                self._local = [other for fact in before if (other := self._negated(fact)) is not None]
        done = [fact for paragraph, fact in self._closing if paragraph != place.math.paragraph]
        self._local = [fact for fact in self._local if fact not in done]
        if place.ends:
            for facts in self._section.values():
                facts[:] = [fact for fact in facts if not fact.directive]
        start = len(self.items)
        if place.error is not None:
            self._unread(place)
        elif place.skip:
            self._add(Item("skipped", place.math.span, place.scope))
        else:
            assert place.display is not None
            self._display(place, place.display)
        if len(self.items) == start:
            self._add(Item("term", place.math.span, place.scope))
        if not place.forced:
            self.items[start].spans = 1
        for item in self.items[start:]:
            item.expected = place.expected

    def _property(self, place: Place, name: tree.Node) -> bool:
        """Take *$A$ is symmetric* and its like as an assumption."""
        told = properties.told(name, place.before, place.after)
        if told is None:
            return False
        relation, word = told
        scope = place.scope
        fact = Fact(f"{self._text(name.span)} {word}", relation, scope, len(self.items), indices=False)
        self.facts.append(fact)
        for member in relation.members:
            self._observe(member, scope, introduces=True)
        if cues.cue(place.before) == "local":
            self._local.append(fact)
        else:
            self._section.setdefault(id(scope), []).append(fact)
        self._add(Item("assumption", name.span, scope))
        return True

    def _negated(self, fact: Fact) -> Fact | None:
        """Return the other case of `i = j` or `i \\ne j`."""
        other = {"=": "!=", "!=": "="}.get(fact.relation.operators[0])
        if not fact.indices or len(fact.relation.operators) != 1 or other is None:
            return None
        first, second = (to_latex(member) for member in fact.relation.members)
        latex = f"{first} {'=' if other == '=' else chr(92) + 'neq'} {second}"
        negated = Fact(
            latex, replace(fact.relation, operators=(other,)), fact.scope, len(self.items), indices=True
        )
        self.facts.append(negated)
        return negated

    def _add(self, item: Item) -> int:
        self.items.append(item)
        return len(self.items) - 1

    def _unread(self, place: Place) -> None:
        assert place.error is not None
        found = Diagnostic("SD010", str(place.error.message), place.error.span)
        for at in range(max(1, equations(place.math.text))):
            self._add(Item("unread", place.math.span, place.scope, diagnostics=(found,) if at == 0 else ()))

    def _display(self, place: Place, display: tree.Display) -> None:
        cue: cues.Cue = place.cue
        row = len(self.items)
        for at, item in enumerate(display.items):
            if isinstance(item, tree.Words):
                cue = cues.cue(item.text)
                if (
                    cue == "local"
                    and len(self.items) > row
                    and self._condition_after(display, at, row, place.scope)
                ):
                    cue = ""
            elif isinstance(item, tree.Connective):
                if item.text == "row":
                    row = len(self.items)
                if item.text in ("implies", "therefore", "arrow", ";", "row"):
                    cue = "" if item.text != "row" else cue
            elif self._bracketed(item, row, place.scope):
                continue
            elif not any(item is consumed for consumed in self._consumed):
                self._chain(place, item, cue, display, at)

    def _declare_before(self, display: tree.Display, at: int) -> None:
        """Count the names before a comma, `a, b` of `a, b \\in \\mathbb R`, with the declaration."""
        spans = set()
        for item in reversed(display.items[:at]):
            if isinstance(item, tree.Connective) and item.text == ",":
                continue
            if not isinstance(item, tree.Chain) or item.operators:
                break
            spans.add(item.span)
        for entry in self.items:
            if entry.kind == "term" and entry.span in spans:
                entry.kind = "declaration"

    def _condition_after(self, display: tree.Display, at: int, row: int, scope: Scope) -> bool:
        """Take `if i = j` at the end of a row as a condition of that row alone."""
        following = display.items[at + 1] if at + 1 < len(display.items) else None
        if not isinstance(following, tree.Chain) or not following.operators or None in following.members:
            return False
        if not self._compares(following, scope):
            return self._partial(following, row, scope)
        fact = self._index_fact(following, scope)
        for item in self.items[row:]:
            item.facts = (*item.facts, fact)
        self._consumed.append(following)
        self._add(Item("assumption", following.span, scope))
        return True

    def _bracketed(self, chain: tree.Chain, row: int, scope: Scope) -> bool:
        """Take `(i \\ne j)` at the end of a row as its condition."""
        group = chain.members[0]
        if chain.operators or not isinstance(group, tree.Group) or not isinstance(group.body, tree.Relation):
            return False
        relation = group.body
        operators = tuple(tree.Operator(text, span=relation.span) for text in relation.operators)
        inner = tree.Chain(relation.members, operators, span=relation.span)
        if len(self.items) == row or not self._compares(inner, scope):
            return False
        fact = self._index_fact(inner, scope)
        for item in self.items[row:]:
            item.facts = (*item.facts, fact)
        self._add(Item("assumption", inner.span, scope))
        return True

    def _partial(self, condition: tree.Chain, row: int, scope: Scope) -> bool:
        """A condition on values, `for x > 0`, at the end of a row: what the row defines holds only there."""
        if any(operator.text not in ("<", ">", "<=", ">=", "!=", "=") for operator in condition.operators):
            return False
        for number, item in enumerate(self.items[row:], row):
            item.imposed = True
            for record in self.records:
                if record.defined == number:
                    record.broken = True
        self._consumed.append(condition)
        self._add(Item("assumption", condition.span, scope))
        return True

    def _index_fact(self, chain: tree.Chain, scope: Scope) -> Fact:
        members = tuple(member for member in chain.members if member is not None)
        operators = tuple(operator.text for operator in chain.operators)
        fact = Fact(
            self._text(chain.span),
            tree.Relation(members, operators, span=chain.span),
            scope,
            len(self.items),
            self._compares(chain, scope),
        )
        self.facts.append(fact)
        return fact

    def _chain(self, place: Place, chain: tree.Chain, cue: cues.Cue, display: tree.Display, at: int) -> None:
        scope = place.scope
        operators = [operator.text for operator in chain.operators]
        first = chain.members[0]
        if not operators:
            assert first is not None
            if isinstance(first, tree.Name) and cues.fixes(place.before) and not place.math.display:
                self.fixed.add(first.text)
            named = isinstance(first, tree.Name | tree.Accent | tree.Script) and not place.math.display
            self._observe(first, scope, introduces=named)
            if named and self._property(place, first):
                return
            self._add(Item("term", chain.span, scope))
            if place.math.display:
                self._last_chain = RawChain(scope, first, einstein=place.einstein)
                self.chains.append(self._last_chain)
            return
        if _is_declaration(chain) or _is_range(display, at):
            for node in chain.members:
                if node is not None:
                    self._declare_uses(node, scope)
            self._declare_before(display, at)
            self._add(Item("declaration", chain.span, scope))
            return
        assumes = cue in ("local", "section", "fact", "where") or place.forced == "assume"
        assumes = assumes or (not place.math.display and _is_number(chain.members[-1]))
        assumes = assumes or self._compares(chain, scope)
        if assumes and self._assume(place, chain, cue):
            return
        if operators[-1] == "in":
            chain = tree.Chain(chain.members[:-1], chain.operators[:-1], span=chain.span)
            operators = operators[:-1]
        if first is None and (self._last_chain is None or self._last_chain.scope is not scope):
            self._add(
                Item(
                    "relation",
                    chain.span,
                    scope,
                    diagnostics=(
                        Diagnostic(
                            "SD109", "this continues a chain, and there is none before it", chain.span
                        ),
                    ),
                )
            )
            return
        if first is None:
            assert self._last_chain is not None
            raw = self._last_chain
        else:
            raw = RawChain(scope, first, einstein=place.einstein)
            self.chains.append(raw)
            self._last_chain = raw
        self._links(place, raw, chain)

    def _declare_uses(self, node: tree.Node, scope: Scope) -> None:
        if isinstance(node, tree.Script | tree.Name | tree.Accent):
            head = self._head_of(node, scope)
            if head is not None and scope.find(head.key) is not None:
                scope.find(head.key).introduced = True  # type: ignore[union-attr]

    def _assume(  # noqa: C901, PLR0912  one branch a reading of a relation in prose
        self, place: Place, chain: tree.Chain, cue: cues.Cue
    ) -> bool:
        """Take a relation as an assumption, unless it is a definition after *let* or *where*."""
        scope = place.scope
        indices = self._compares(chain, scope)
        operators = tuple(operator.text for operator in chain.operators)
        if None in chain.members or any(o in ("in", ":", "to", "approx", "propto", "~") for o in operators):
            return False
        if any(isinstance(member, tree.Question) for member in chain.members):
            return False
        head = self._head_of(chain.members[0], scope) if chain.members[0] is not None else None
        fresh = head is not None and self._is_fresh(head, scope, chain.members[1:], anew=cue != "local")
        if fresh and head is not None and head.parameters is not None:
            return False
        if not indices and self._moment(place, chain, head, cue):
            return True
        if not indices and not cue and place.forced != "assume":
            return False
        fresh = fresh and not (_is_number(chain.members[-1]) and not place.math.display)
        if cue in ("fact", "where") and not indices and self._settled(chain.members, scope):
            return False
        if not indices and cue != "local" and place.forced != "assume":
            if fresh:
                return False
            if (cue == "where" and head is not None) or (
                place.math.display and cue not in ("section", "fact")
            ):
                return False
        if not indices and place.math.display and cue == "local" and place.forced != "assume":
            return False
        fact = self._index_fact(chain, scope)
        fact.directive = place.forced == "assume"
        members = fact.relation.members
        if (
            indices
            and cue not in ("local", "section", "fact")
            and place.forced != "assume"
            and not place.math.display
        ):
            self._add(Item("term", chain.span, scope))
            return True
        letters = {m.text for m in members if isinstance(m, tree.Name)}
        if cue in ("section", "fact", "where") or place.forced == "assume":
            self._section.setdefault(id(scope), []).append(fact)
        else:
            self._local = [
                f
                for f in self._local
                if not (
                    f.indices
                    and indices
                    and letters & {m.text for m in f.relation.members if isinstance(m, tree.Name)}
                )
            ]
            self._local.append(fact)
            self._attach(place, fact)
            if cues.closes(place.after):
                self._closing.append((place.math.paragraph, fact))
        for member in members:
            self._observe(member, scope, introduces=True)
        self._add(Item("assumption", chain.span, scope))
        return True

    def _moment(self, place: Place, chain: tree.Chain, head: Head | None, cue: cues.Cue) -> bool:
        """Leave alone what gives a letter a value for a moment: *we start at $w = 0$* defines nothing."""
        if head is None or place.math.display or not _is_number(chain.members[-1]) or place.forced:
            return False
        if not head.letters and cue in ("local", "section") and place.scope.size(head.key) is None:
            return False
        found = Diagnostic("SD109", "a value in prose gives a letter no meaning", chain.span)
        for member in chain.members:
            if member is not None:
                self._observe(member, place.scope, introduces=True)
        self._add(Item("relation", chain.span, place.scope, diagnostics=(found,)))
        return True

    def _attach(self, place: Place, fact: Fact) -> None:
        """Let a condition that follows its statement in one sentence hold for that statement."""
        at = self._places.index(place)
        before = self._places[at - 1] if at else None
        if before is None or not cues.trails(place.before) or before.math.paragraph != place.math.paragraph:
            return
        for item in self.items:
            if (
                item.kind in ("claim", "definition")
                and before.math.span.start <= item.span.start < before.math.span.end
            ):
                item.facts = (*item.facts, fact)

    def _settled(self, members: tuple[tree.Node | None, ...], scope: Scope) -> bool:
        """Tell whether the page defines what an equation is about, so that nothing is left to assume."""
        nodes = [n for m in members if m is not None for n in names.walk(m)]
        for node in nodes:
            of = node.of if isinstance(node, tree.Derivative) else None
            of = node.base if isinstance(node, tree.Script) and node.primes else of
            record = self._record_of(names.plain(of), scope) if of is not None else None
            if record is not None and record.defined is not None:
                return True
        keys = {names.key(n, fonts=self.fonts) for n in nodes}
        found = [record for key in keys if key is not None and (record := scope.find(key)) is not None]
        return bool(found) and all(record.defined is not None for record in found)

    def _in_force(self, scope: Scope) -> tuple[Fact, ...]:
        found: list[Fact] = []
        at: Scope | None = scope
        while at is not None:
            found = [*self._section.get(id(at), []), *found]
            at = at.parent
        return (*found, *self._local)

    def _text(self, span: Span) -> str:
        return self.document.source.text[span.start : span.end].strip()

    def _links(self, place: Place, raw: RawChain, chain: tree.Chain) -> None:
        """Enter each relation sign of a chain as an item: a definition, a claim, a question."""
        scope, base = raw.scope, len(raw.links)
        new = [m for m in chain.members[1:] if m is not None]
        operators = [operator.text for operator in chain.operators]
        heads = {} if base else self._heads_of([raw.first, *new], operators, place)
        if not base:
            self._observe(raw.first, scope, introduces=True)
        for at, (node, operator) in enumerate(zip(new, operators, strict=True)):
            previous = raw.members[-1]
            item = Item("claim", node.span, scope, facts=self._in_force(scope), chain=self.chains.index(raw))
            item.member, item.left = base + at + 1, previous.span
            item.imposed = cues.imposes(place.before)
            link = Link(node, operator, self._add(item))
            raw.links.append(link)
            if not base and not at and operator in (*_DEFINING, "<-") and self._updates(raw.first, new):
                item.kind = "relation"
                item.diagnostics = (Diagnostic("SD109", "an update is not checked", item.span),)
                self._observe(node, scope, introduces=True)
                continue
            if not base and not at and operator in _DEFINING and self._recurs(raw.first, new, scope):
                item.kind = "definition"
                self._recurrence(item, raw.first, scope)
                self._observe(node, scope, introduces=True)
                continue
            last = at == len(new) - 1
            if isinstance(node, tree.Question):
                item.kind = "question"
                continue
            if operator not in _DEFINING:
                item.kind = "relation"
                item.diagnostics = (Diagnostic("SD109", "only = is checked", item.span),)
            elif at in heads:
                item.kind = "definition"
                link.body = next((b for b in range(at + 1, len(new) + 1) if b not in heads), len(new))
                self._observe(new[link.body - 1], scope, introduces=True)
                self._define(link, heads[at], previous, new[link.body - 1], scope)
                explains = place.cue == "where" or place.before.strip().lower() in ("with", "and")
                if explains and not place.math.display:
                    self._explains(link)
            elif last and cues.imposes(place.before) and isinstance(node, tree.Number) and node.text == "0":
                item.kind = "assumption"
                self._impose(previous, node, scope)
            elif last and item.member > 1 and self._ends(node, operator, scope):
                item.kind = "definition"
                link.body = item.member - 1
                head = self._head_of(node, scope)
                assert head is not None
                self._define(link, head, node, previous, scope)
            self._observe(node, scope, introduces=bool(heads) or link.head is not None)

    def _impose(self, left: tree.Node, right: tree.Node, scope: Scope) -> None:
        """Let an equation that the page imposes hold to the end of its section."""
        relation = tree.Relation((left, right), ("=",), span=left.span.to(right.span))
        fact = Fact(self._text(relation.span), relation, scope, len(self.items), indices=False)
        self.facts.append(fact)
        self._section.setdefault(id(scope), []).append(fact)

    def _updates(self, first: tree.Node, rest: list[tree.Node]) -> bool:
        """Tell an update, `w = w - a g` or `w_{t+1} = w_t - a g`, from an equation."""
        if len(rest) != 1 or not isinstance(rest[0], tree.Additive):
            return False
        terms = [term for sign, term in rest[0].terms if sign == "+"]
        if isinstance(first, tree.Name | tree.Accent):
            return first in terms
        shifted = isinstance(first, tree.Script) and any(
            isinstance(item, tree.Additive) for item in names.items(first.sub)
        )
        return shifted and any(isinstance(t, tree.Script) and t.base == first.base for t in terms)  # type: ignore[attr-defined]

    def _recurs(self, first: tree.Node, rest: list[tree.Node], scope: Scope) -> bool:
        """Tell whether an equation defines a name by its own entries at other indices: `h_t = f(h_{t-1})`."""
        head = self._head_of(first, scope)
        if head is None or not head.letters or not isinstance(first, tree.Script):
            return False
        record = scope.find(head.key)
        if record is not None and record.defined is not None:
            return False
        others = [
            n for m in rest for n in names.walk(m) if isinstance(n, tree.Script) and n.base == first.base
        ]
        return (
            bool(others)
            and all(other.sub != first.sub for other in others)
            and any(isinstance(item, tree.Additive) for other in others for item in names.items(other.sub))
        )

    def _recurrence(self, item: Item, first: tree.Node, scope: Scope) -> None:
        head = self._head_of(first, scope)
        assert head is not None
        self._observe(first, scope, introduces=True)
        record = self._name(head.key, first, scope)
        record.defined, record.defined_at, record.broken = self.items.index(item), first.span, True
        found = Diagnostic("SD024", "a recurrence is not supported yet", item.span)
        item.diagnostics = (found,)

    def _explains(self, link: Link) -> None:
        """Let *where s = a + b* after a display give the names of that display their meaning.

        A function is not explained so: the display may have stated a rule for any function.
        """
        earlier = [chain for chain in self.chains[:-1] if chain.links]
        if not earlier or link.record is None or link.record.parameters is not None:
            return
        used = {names.key(n, fonts=self.fonts) for member in earlier[-1].members for n in names.walk(member)}
        if link.record.key in used:
            link.record.defined = earlier[-1].links[0].item

    def _heads_of(self, members: list[tree.Node], operators: list[str], place: Place) -> dict[int, Head]:
        """Return the heads that begin a chain; the first member that is none defines them all."""
        heads: dict[int, Head] = {}
        scope = place.scope
        for at, member in enumerate(members[:-1]):
            head = self._head_of(member, scope)
            if at and isinstance(member.base if isinstance(member, tree.Script) else member, tree.Call):
                break
            anew = operators[at] != "=" or place.cue in ("section", "where")
            fresh = head is not None and self._is_fresh(head, scope, members[at + 1 :], anew=anew)
            if head is None or not fresh or operators[at] not in _DEFINING:
                break
            heads[at] = head
        return heads

    def _ends(self, node: tree.Node, operator: str, scope: Scope) -> bool:
        """Tell whether a name that ends a chain is new: no constant, size or index, and not met before."""
        head = self._head_of(node, scope) if isinstance(node, tree.Name | tree.Accent | tree.Script) else None
        if head is None or head.parameters is not None or head.letters or operator != "=":
            return False
        if (
            scope.is_index(head.key)
            or scope.size(head.key) is not None
            or head.key in ("e", "I", "1", "\\pi")
        ):
            return False
        return not any(
            record.key.lower() == head.key.lower() and record.first.start < node.span.start
            for record in self.records
        )

    def _is_fresh(
        self,
        head: Head,
        scope: Scope,
        rest: list[tree.Node] | tuple[tree.Node | None, ...],
        *,
        anew: bool = False,
    ) -> bool:
        """Tell whether a head has no meaning yet, so that an equation defines it.

        What a section above defines may be given another meaning (`anew`) by *let* or `:=` only.
        """
        key = head.key
        record = scope.find(key)
        if record is None and (
            scope.is_index(key)
            or (key == "\\delta" and len(head.letters) == 2)
            or key in ("1", "I", "\\mathbb{1}", "\\pi")
        ):
            return False
        if record is None and scope.size(key) is not None:
            return False
        own = scope.names.get(key)
        if own is not None and own.defined is not None:
            return False
        if record is not None and record is not own and record.defined is not None and not anew:
            return False
        if head.power != 1 and record is not None and (record.declared or record.bare or record.indexed):
            return False
        for node in rest:
            if node is None:
                continue
            if isinstance(node, tree.Question):
                return False
            mentioned = {
                found for n in names.walk(node) if (found := names.key(n, fonts=self.fonts)) is not None
            }
            if key in mentioned and head.parameters is None:
                return False
            if own is not None and any(
                own.identity in other.rests_on for other in map(scope.find, mentioned) if other is not None
            ):
                return False
        return True

    def _define(self, link: Link, head: Head, node: tree.Node, body: tree.Node, scope: Scope) -> None:
        record = scope.names.get(head.key)
        if record is None:
            outer = scope.find(head.key)
            record = self._create(head.key, node, scope)
            if outer is not None:
                record.shape, record.declared, record.positive = outer.shape, outer.declared, outer.positive
        record.defined, record.defined_at, record.introduced = link.item, node.span, True
        record.broken = any(not fact.indices for fact in self._local)
        if head.letters:
            record.indexed[len(head.letters)] += 1
        if head.parameters is not None:
            keys = []
            for parameter in head.parameters:
                key = names.key(parameter, fonts=self.fonts)
                assert key is not None
                self._name(key, parameter, scope).introduced = True
                keys.append(key)
            record.parameters = tuple(keys)
        link.head, link.record = head, record
        for used in names.walk(body):
            key = names.key(used, fonts=self.fonts)
            other = scope.find(key) if key is not None else None
            if other is not None and other is not record:
                record.rests_on |= {other.identity} | other.rests_on

    # ------------------------------------------------------------------ evidence

    def _observe(self, node: tree.Node, scope: Scope, *, introduces: bool) -> None:
        """Count how names are used below a node."""
        if isinstance(node, tree.Name | tree.Accent):
            if isinstance(node, tree.Accent) and isinstance(node.body, tree.Script):
                self._observe(
                    replace(node.body, base=tree.Accent(node.mark, node.body.base, span=node.span)),
                    scope,
                    introduces=introduces,
                )
                return
            self._use(node, (), scope, introduces=introduces)
        elif isinstance(node, tree.Script) and isinstance(node.base, tree.Name | tree.Accent):
            self._observe_script(node, scope, introduces=introduces)
        elif (
            isinstance(node, tree.Script)
            and isinstance(node.base, tree.Group)
            and names.is_transpose(node.sup)
        ):
            self._observe(node.base, scope, introduces=introduces)
        elif isinstance(node, tree.Derivative):
            self._observe_derivative(node, scope)
        elif isinstance(node, tree.Product):
            self._observe_product(node, scope, introduces=introduces)
        elif isinstance(node, tree.Call):
            function = node.function.base if isinstance(node.function, tree.Script) else node.function
            key = names.key(function, fonts=self.fonts)
            if key is not None and scope.find(key) is not None:
                scope.find(key).applied += 1  # type: ignore[union-attr]
            for argument in node.arguments:
                self._observe(argument, scope, introduces=introduces)
        elif isinstance(node, tree.Big | tree.Norm):
            self._observe(node.body, scope, introduces=introduces)
        else:
            for child in names.children(node):
                self._observe(child, scope, introduces=introduces)

    def _use(
        self, base: tree.Node, subs: tuple[tree.Node, ...], scope: Scope, *, introduces: bool
    ) -> Name | None:
        key = names.key(base, fonts=self.fonts)
        if key is None:
            return None
        self._alias(key, subs, scope)
        if not subs:
            self._whole(key, scope)
        key, letters = self._split_use(key, subs, scope)
        if scope.find(key) is None and self._is_special(key, base, subs, scope):
            return None
        record = self._name(key, base, scope)
        record.introduced = record.introduced or introduces
        if letters:
            record.indexed[letters] += 1
        if not subs:
            record.bare += 1
        return record

    def _alias(self, key: str, subs: tuple[tree.Node, ...], scope: Scope) -> None:
        """`x_{ij}`, `a_{ij}` are entries of `X`, `\\mathbf A` where nothing else defines them."""
        if (
            not subs
            or not key.isalpha()
            or not key.islower()
            or scope.find(key) is not None
            or key in self._heads
        ):
            return
        big = scope.find(key.upper())
        if big is None or big.key != key.upper() or not (big.declared or big.defined is not None):
            return
        if not all(
            isinstance(item, tree.Number) or (isinstance(item, tree.Name) and scope.is_index(item.text))
            for item in subs
        ):
            return
        if len(subs) == (len(big.shape) if big.shape is not None else 2):
            scope.names[key] = big
            big.indexed[len(subs)] += 1

    def _whole(self, key: str, scope: Scope) -> None:
        """`X` is the matrix of the entries `x_{ni}` where nothing else defines it."""
        if len(key) != 1 or not key.isupper() or scope.find(key) is not None or scope.size(key) is not None:
            return
        small = scope.find(key.lower())
        if small is not None and small.indexed[2] and not small.bare and not small.indexed[1]:
            scope.names[key] = small

    def _split_use(self, key: str, subs: tuple[tree.Node, ...], scope: Scope) -> tuple[str, int]:
        rest, count = [], 0
        record = scope.find(key)
        for item in subs:
            inside = [n for n in names.walk(item) if isinstance(n, tree.Name)]
            ranked = record is not None and bool(record.indexed or record.shape)
            indices = bool(inside) and all(
                scope.is_index(n.text) or (ranked and scope.size(n.text) is not None) for n in inside
            )
            if indices or (isinstance(item, tree.Number) and ranked):
                count += 1
            else:
                rest.append(to_latex(item))
        return (f"{key}_{{{','.join(rest)}}}" if rest else key), count

    @staticmethod
    def _is_special(key: str, base: tree.Node, subs: tuple[tree.Node, ...], scope: Scope) -> bool:
        if (
            scope.is_index(key)
            or scope.size(key) is not None
            or key in ("\\pi", "I", "\\mathbb{I}", "\\mathbb{1}", "\\infty", "e")
        ):
            return True
        if isinstance(base, tree.Name) and base.text == "1":
            return True
        return key == "\\delta" and len(subs) == 2

    def _observe_script(self, node: tree.Script, scope: Scope, *, introduces: bool) -> None:
        subs = names.items(node.sub)
        base: tree.Node = node.base
        label = names.label(node.sup)
        if label is not None:
            if isinstance(label, tree.Name) and scope.is_index(label.text):
                subs = (label, *subs)
            else:
                assert node.sup is not None
                base = tree.Name(
                    f"{names.key(base, fonts=self.fonts)}^{{{names.label_text(node.sup)}}}", span=base.span
                )
        if node.primes:
            key = names.key(base, fonts=self.fonts)
            record = scope.find(key) if key else None
            if record is not None:
                record.primed = True
                return
            base = tree.Name(f"{key}{chr(39) * node.primes}", span=base.span)
        record = self._use(base, subs, scope, introduces=introduces)
        sized = isinstance(node.sup, tree.Name) and scope.size(node.sup.text) is not None
        power = sized and isinstance(node.base, tree.Name) and node.base.text.startswith("\\")
        if record is not None and names.is_transpose(node.sup) and not power:
            record.transposed = True
            if subs and record.shape is None:
                record.least = max(record.least, len(subs) + 1)
        if node.sup is not None and label is None and not names.is_transpose(node.sup):
            self._observe(node.sup, scope, introduces=introduces)

    def _observe_product(self, node: tree.Product, scope: Scope, *, introduces: bool) -> None:
        at = 0
        while at < len(node.factors):
            factor = node.factors[at]
            following = (
                node.factors[at + 1] if at + 1 < len(node.factors) and node.operators[at] == "" else None
            )
            group = following.base if isinstance(following, tree.Script) else following
            if following is not None:
                composite = composite_head(node.factors[at : at + 2], self.fonts)
                if composite is not None and scope.find(composite[0]) is not None:
                    record = scope.find(composite[0])
                    assert record is not None
                    if composite[1]:
                        record.indexed[len(composite[1])] += 1
                    at += 2
                    continue
            if (
                isinstance(group, tree.Group)
                and group.left in "(["
                and isinstance(factor, tree.Name | tree.Accent | tree.Script)
                and not (isinstance(factor, tree.Script) and names.is_transpose(factor.sup))
            ):
                base = (
                    factor.base
                    if isinstance(factor, tree.Script) and (factor.primes or factor.sup is not None)
                    else factor
                )
                if isinstance(base, tree.Name | tree.Accent) and not isinstance(group.body, tree.Relation):
                    key = names.key(base, fonts=self.fonts)
                    if key is not None and not self._is_special(key, base, (), scope):
                        record = self._name(key, base, scope)
                        record.applied += 1
                        record.introduced = record.introduced or introduces
                        if isinstance(factor, tree.Script) and factor.primes:
                            record.primed = True
                        at += 1
                        continue
            self._observe(factor, scope, introduces=introduces)
            at += 1

    def _observe_derivative(self, node: tree.Derivative, scope: Scope) -> None:
        variables = []
        for variable in node.by:
            inner = names.plain(variable)
            if isinstance(inner, tree.Script) and inner.sub is None and names.is_transpose(inner.sup):
                inner = inner.base
            self._observe(inner, scope, introduces=True)
            record = self._record_of(inner, scope)
            if record is not None:
                record.introduced = True
                variables.append(record)
        if node.of is None:
            return
        self._observe(node.of, scope, introduces=True)
        of = names.plain(node.of)
        if isinstance(of, tree.Product) and len(of.factors) == 2 and isinstance(of.factors[1], tree.Group):
            if not isinstance(of.factors[1].body, tree.Name | tree.Accent | tree.Sequence):
                return
            of = of.factors[0]
        record = self._record_of(of, scope)
        if record is not None:
            record.differentiated_by.extend(v.identity for v in variables if v is not record)

    def _record_of(self, node: tree.Node, scope: Scope) -> Name | None:
        if isinstance(node, tree.Script) and node.sup is not None:
            return scope.find(names.written(node, self.fonts) or "")
        base, subs = (node.base, names.items(node.sub)) if isinstance(node, tree.Script) else (node, ())
        key = names.key(base, fonts=self.fonts)
        if key is None:
            return None
        return scope.find(self._split_use(key, subs, scope)[0])


def _is_declaration(chain: tree.Chain) -> bool:
    operators = [operator.text for operator in chain.operators]
    if operators in (["in"], [":", "to"]):
        return True
    last = chain.members[-1]
    return (
        operators == [">"]
        and isinstance(last, tree.Number)
        and isinstance(chain.members[0], tree.Name | tree.Accent | tree.Script)
    )


def _is_range(display: tree.Display, at: int) -> bool:
    """Tell whether the chain at a place is `i = 1` of `i = 1, \\dots, N`."""
    chain = display.items[at]
    rest = [item for item in display.items[at + 1 :] if not isinstance(item, tree.Connective)]
    return (
        isinstance(chain, tree.Chain)
        and len(chain.members) == 2
        and isinstance(chain.members[1], tree.Number)
        and bool(rest)
        and isinstance(rest[0], tree.Chain)
        and isinstance(rest[0].members[0], tree.Dots)
    )


def _names_of(chain: tree.Chain) -> set[str]:
    return {member.text for member in chain.members if isinstance(member, tree.Name)}


def _is_bare_letter(chain: tree.Chain) -> bool:
    """Tell whether a formula is one index letter and no more, as prose writes it."""
    first = chain.members[0]
    return len(chain.members) == 1 and first is not None and names.is_index_letter(first)


def _letters(node: tree.Node, bound: set[str], scripted: set[str], alone: set[str]) -> None:
    """Sort the letters of an expression: bound by sums or compared, in subscripts, or alone."""
    if isinstance(node, tree.Big):
        bound |= {
            letter
            for letter in names.bound_letters(node.lower)
            if len(letter) == 1 or letter.startswith("\\")
        }
        if isinstance(node.lower, tree.Relation):
            bound |= {m.text for m in node.lower.members if names.is_index_letter(m)}  # type: ignore[attr-defined]
        _letters(node.body, bound, scripted, alone)
        return
    if isinstance(node, tree.Relation) and _relates_letters(node):
        return
    if isinstance(node, tree.Script):
        inner: set[str] = set()
        for item in names.items(node.sub):
            inner |= {n.text for n in names.walk(item) if names.is_index_letter(n)}  # type: ignore[attr-defined]
        if (
            isinstance(node.base, tree.Name)
            and node.base.text == "\\delta"
            and len(names.items(node.sub)) == 2
        ):
            bound |= inner
        scripted |= inner
        _letters(node.base, bound, scripted, alone)
        if node.sup is not None and names.label(node.sup) is None:
            _letters(node.sup, bound, scripted, alone)
        if isinstance(node.sub, tree.Relation):
            _letters(node.sub, bound, scripted, alone)
        return
    if names.is_index_letter(node):
        alone.add(node.text)  # type: ignore[attr-defined]
    for child in names.children(node):
        _letters(child, bound, scripted, alone)


def internal(error: Exception, span: Span) -> Diagnostic:
    """Say that symderiv itself went wrong."""
    return Diagnostic(
        "SD020", "symderiv went wrong here: please report it", span, notes=(type(error).__name__,)
    )


def _is_number(node: tree.Node | None) -> bool:
    """Tell whether a node is a numeral, with a sign or not."""
    if isinstance(node, tree.Additive):
        return len(node.terms) == 1 and isinstance(node.terms[0][1], tree.Number)
    return isinstance(node, tree.Number)


def _relates_letters(node: tree.Relation) -> bool:
    """Tell whether a condition compares letters with one another: `i = j`."""
    letters = [m for m in node.members if names.is_index_letter(m)]
    return len(letters) > 1 and all(m in letters or isinstance(m, tree.Number) for m in node.members)


def equations(text: str) -> int:
    """Count the `=` that a formula shows outside braces, brackets and inner environments."""
    depth = count = 0
    previous = ""
    for at, character in enumerate(text):
        if character in "{([":
            depth += previous != "\\" or character == "{"
        elif character in "})]":
            depth -= previous != "\\" or character == "}"
        elif character == "=" and depth <= 0 and text[at + 1 : at + 2] != "=":
            count += 1
        previous = character
    return count

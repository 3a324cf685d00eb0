"""A document becomes a page: definitions first, then every chain, then the sizes that they settle.

`elaborate` never raises for what a document holds. Definitions and declarations are elaborated first
and settle the sizes; then claims, which may name a size and may not bend one.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import sympy
from sympy import Eq, Expr, Ne
from sympy.logic.boolalg import Boolean

from symderiv.diagnostics import Diagnostic
from symderiv.document.model import Document, MathSpan
from symderiv.kernel.terms import (
    Context,
    Definition,
    Index,
    Opaque,
    Size,
    fresh,
)
from symderiv.latex import tree
from symderiv.meaning import names
from symderiv.meaning.arithmetic import together
from symderiv.meaning.arrays import shown
from symderiv.meaning.conditions import stated
from symderiv.meaning.elaborator import Elaborator
from symderiv.meaning.errors import Untyped, ill_typed, unsupported
from symderiv.meaning.gradients import silent
from symderiv.meaning.meanings import MEANINGS
from symderiv.meaning.model import (
    Assumption,
    Chain,
    Failure,
    Member,
    Page,
    Statement,
    SymbolRecord,
    Tensor,
)
from symderiv.meaning.movers import Movers
from symderiv.meaning.quantifiers import is_one, quantity, sentence
from symderiv.meaning.ranks import infer
from symderiv.meaning.raw import Fact, Head, Item, Link, RawChain, Survey
from symderiv.meaning.renaming import exchanged, reaches
from symderiv.meaning.rereading import Rereading, letters_of, written_out
from symderiv.meaning.scope import Name, Scope
from symderiv.meaning.survey import internal, surveyed
from symderiv.meaning.vocabulary import rank_name


def elaborate(document: Document, *, turned: bool = False) -> Page:
    """Return the page of a document: its statements over terms, ready to be judged.

    A sum that may run over one letter or over two is read in the likelier way, unless it is `turned`.
    """
    return _Builder(surveyed(document), turned=turned).page()


_RUNNING = frozenset("abijklmnpqrsuv")
"""Letters that run over a range where a definition does not have them at its left; others are a class."""


class _Builder:
    """Elaborates what a survey found."""

    def __init__(self, survey: Survey, *, turned: bool = False) -> None:
        self.survey = survey
        self.turned = turned
        self.two_readings: set[str] = set()
        self._free: list[tuple[Scope, set[str]]] | None = None
        self.sizes = survey.sizes
        self.hidden: dict[str, Definition] = {}
        self.hidden_shapes: dict[str, tuple[Size, ...]] = {}
        self.bodies: dict[int, Tensor] = {}
        self.partial: dict[str, tuple[Boolean, ...]] = {}
        self.definitions: dict[int, Definition] = {}
        """By the `id` of a record: two sections may each give a value to one name of the page."""
        self.item_diagnostics: dict[int, list[Diagnostic]] = {}
        self.leftover: dict[Index, Size] = {}
        self.movers = Movers(survey)
        self._contexts: dict[tuple[int, int], Context] = {}
        self._resolved: dict[int, Definition] = {}
        """By the `id` of a definition: its final form, the same in every context."""

    def page(self) -> Page:
        survey = self.survey
        infer(survey)
        for number, item in enumerate(survey.items):
            self.item_diagnostics[number] = list(item.diagnostics)
        for chain in survey.chains:
            for link in chain.links:
                if link.head is not None and link.record is not None:
                    self._define(chain, link, link.head, link.record)
        self.sizes.freeze()
        facts = {id(fact): replace(self._fact(fact), step=fact.step) for fact in survey.facts}
        chains = [self._chain(chain) for chain in survey.chains]
        finished = tuple(
            self._finish(members, ranges, raw)
            for (members, ranges), raw in zip(chains, survey.chains, strict=True)
        )
        facts = {
            key: replace(each, fact=self._resolve(each.fact)) if each.fact is not None else each
            for key, each in facts.items()
        }
        statements = tuple(self._statement(number, item, facts) for number, item in enumerate(survey.items))
        return Page(
            source=survey.document.source,
            title=survey.document.title,
            layout=survey.layout,
            layout_told=survey.layout_told,
            chains=finished,
            statements=statements,
            symbols=self._symbols(),
            math_spans=sum(isinstance(item, MathSpan) for item in survey.document.items),
            diagnostics=tuple(survey.diagnostics),
            functions=self._functions(),
            limited=frozenset(each.identity for each in self.survey.records if each.limited),
            described=self._described(),
            two_readings=frozenset(self.two_readings),
            maps=frozenset(each.identity for each in self.survey.records if each.function),
            partial={name: tuple(map(self._resolve, each)) for name, each in self.partial.items() if each},
            reread=Rereading(survey, [elaborator for _, elaborator in chains]),
        )

    def _described(self) -> dict[str, tuple[int, str]]:
        """Return the sizes and undefined names of which words say more than rules know, with the line."""
        found = dict(self.survey.described)
        for each in self.survey.records:
            if each.described is not None and each.defined is None:
                found[each.identity] = each.described
        position = self.survey.document.source.position
        return {name: (position(span.start)[0], words) for name, (span, words) in found.items()}

    def _elaborator(self, scope: Scope, number: int) -> Elaborator:
        return Elaborator(
            scope,
            self.sizes,
            MEANINGS,
            number,
            layout=self.survey.layout,
            fonts=self.survey.fonts,
            fixed=self.survey.fixed,
            means=self.survey.means,
            lenient=any(item.kind == "unread" for item in self.survey.items),
            hidden=self.hidden,
            hidden_shapes=self.hidden_shapes,
            bodies=self.bodies,
            turned=self.turned,
            is_free_elsewhere=lambda letter: self._is_free(letter, scope),
        )

    def _is_free(self, letter: str, scope: Scope) -> bool:
        """Tell whether an index letter stands free in some formula of a scope, of one above or below it."""
        if self._free is None:
            self._free = [
                (chain.scope, set().union(*map(names.free_of_sums, chain.members)))
                for chain in self.survey.chains
            ]
        return any(
            letter in letters and (scope.within(other) or other.within(scope))
            for other, letters in self._free
        )

    # ------------------------------------------------------------------ definitions

    def _define(self, chain: RawChain, link: Link, head: Head, record: Name) -> None:
        assert link.body is not None
        if record.broken:
            what = "a definition under a condition"
            if any(isinstance(each, tree.Script) for each in head.parameters or ()):
                what = f"a function of some entries of a vector, as {record.key} here,"
            found = Diagnostic("SD024", f"{what} is not supported yet", link.node.span)
            self.item_diagnostics[link.item].append(found)
            return
        elaborator = self._elaborator(chain.scope, link.item)
        try:
            self._definition(elaborator, written_out(chain, chain.members)[link.body], head, record)
            if elaborator.two_readings:
                self.two_readings.add(record.identity)
        except Untyped as error:
            record.broken = True
            code = "SD006" if error.outcome == "ill-typed" else "SD024"
            found = error.diagnostic
            self.item_diagnostics[link.item].append(
                Diagnostic(
                    code,
                    f"this definition has no meaning: {found.message}",
                    found.span,
                    notes=found.notes,
                    label=found.label,
                )
            )
        except Exception as error:  # noqa: BLE001  one bad step never takes the file with it
            record.broken = True
            self.item_diagnostics[link.item].append(internal(error, link.node.span))
        self.item_diagnostics[link.item].extend(elaborator.diagnostics)

    def _definition(self, elaborator: Elaborator, node: tree.Node, head: Head, record: Name) -> None:
        body = self._body(elaborator, node, head, record)
        if body.groups:
            raise unsupported("a name for a matrix written as one column is not supported yet", node.span)
        term = body.body if head.power == 1 else sympy.sqrt(body.body)
        known = record.shape
        if known is None and record.indexed and record.rank() == len(head.letters) + body.rank:
            known = elaborator.shape(record)
        slots: list[Index] = []
        sizes: list[Size] = []
        for at, letter in enumerate(head.letters):
            told = known[at] if known is not None and at < len(known) else None
            size = elaborator.free.get(letter) or elaborator.scope.range(letter) or told
            slot = fresh(letter.strip("\\"))
            term = exchanged(term, {Index(letter): slot})
            slots.append(slot)
            sizes.append(size or self.sizes.new(origin=node.span))
        slots.extend(body.slots)
        sizes.extend(body.dimensions)
        if known is not None:
            if len(known) != len(sizes):
                message = f"{record.key} is {rank_name(len(known))}, and this is {rank_name(len(sizes))}"
                raise ill_typed("SD002", message, node.span)
            for a, b in zip(known, sizes, strict=True):
                elaborator.unify(a, b, node.span, f"the definition of {record.key}")
        record.shape, record.row = tuple(sizes), body.row
        record.guessed = elaborator.shaky is not None and not elaborator.firm
        self.bodies[id(record)] = Tensor(term, tuple(slots), tuple(sizes), row=body.row)
        self.definitions[id(record)] = Definition(record.identity, tuple(slots), term)
        self.partial[record.identity] = tuple(elaborator.partial)
        self._used(elaborator, head)

    def _body(self, elaborator: Elaborator, node: tree.Node, head: Head, record: Name) -> Tensor:
        """Elaborate what a definition gives to its head, at the rank that the head asks for."""
        known = len(record.shape) if record.shape is not None else max(record.indexed, default=0)
        elaborator.expected_rank = known - len(head.letters)
        elaborator.outside = set(head.letters)
        scope = elaborator.scope
        elaborator.is_free_elsewhere = lambda letter: letter not in _RUNNING and self._is_free(letter, scope)
        body = elaborator.member(node)
        if body.rank < elaborator.expected_rank and self._promote(elaborator, node, elaborator.expected_rank):
            body = elaborator.member(node)
        return body

    def _used(self, elaborator: Elaborator, head: Head) -> None:
        """Note what a definition used: dimensions that no claim may bend, and indices that it leaves free."""
        for name in elaborator.scope.visible().values():
            if name.identity in elaborator.uses:
                for size in name.shape or ():
                    self.sizes.firm(size)
        for letter, size in elaborator.free.items():
            if letter not in head.letters:
                self.leftover[Index(letter)] = size

    def _promote(self, elaborator: Elaborator, node: tree.Node, rank: int) -> bool:
        """Give names whose rank was a guess the rank that a head asks for: `y = b`, `y = W x`."""
        if isinstance(node, tree.Additive):
            changed = [self._promote(elaborator, term, rank) for _, term in node.terms]
            return any(changed)
        if isinstance(node, tree.Product) and rank == 1 and set(node.operators) == {""}:
            matrix, vector = node.factors[-2:]
            return self._promote(elaborator, matrix, 2) and self._promote(elaborator, vector, 1)
        record = elaborator.record(node)
        if record is None or not record.guessed or record.shape:
            return False
        record.shape = tuple(self.sizes.new(origin=node.span) for _ in range(rank))
        return True

    # ------------------------------------------------------------------ assumptions

    def _fact(self, fact: Fact) -> Assumption:
        latex = fact.latex
        if fact.indices:
            parts = []
            for left, operator, right in zip(
                fact.relation.members, fact.relation.operators, fact.relation.members[1:], strict=False
            ):
                a, b = _index_term(left), _index_term(right)
                if a is None or b is None or operator not in ("=", "!="):
                    return Assumption(latex, None)
                parts.append(Eq(a, b) if operator == "=" else Ne(a, b))
            return Assumption(latex, sympy.And(*parts))
        elaborator = self._elaborator(fact.scope, fact.number)
        if set(fact.relation.operators) != {"="}:
            ordered = self._order(elaborator, fact)
            told = stated(elaborator, fact.relation) if ordered is None else ordered
            return self._quantified(fact, told, elaborator) if told is not None else Assumption(latex, None)
        try:
            first, second = (elaborator.member(member) for member in fact.relation.members[:2])
            first, second, _ = together(elaborator, first, second, fact.relation.span, "this assumption")
        except Exception:  # noqa: BLE001  what has no meaning cannot be assumed
            return Assumption(latex, None)
        equation = Eq(first.body, second.body, evaluate=False)
        for letter, size in elaborator.free.items():
            self.leftover[Index(letter)] = size
        return self._quantified(fact, equation, elaborator)

    def _quantified(self, fact: Fact, says: Boolean, elaborator: Elaborator) -> Assumption:
        """Tell which letters of a fact stand for one index, and which for every one."""
        letters = {Index(letter) for letter in elaborator.free}
        around = sentence(self.survey.document, fact.relation.span)
        told = {letter: quantity(around, letter.name) for letter in letters}
        singled = {letter for letter, scope in self.survey.singled if fact.scope.within(scope)}
        fixed = {
            letter
            for letter in letters
            if told[letter] == "one" or (not told[letter] and (fact.particular or letter.name in singled))
        }
        firm = {letter for letter in letters if is_one(around, letter.name)}
        every = {letter for letter in letters - fixed if told[letter] == "every" or not fact.local}
        under = [self._fact(condition) for condition in fact.under]
        about = {i for each in under if each.fact is not None for i in each.fact.free_symbols}
        known = all(each.fact is not None for each in under)
        if not known or any(told[letter] == "some" for letter in letters - about):
            return Assumption(fact.latex, None)
        conditions = tuple(each.fact for each in under if each.fact is not None)
        return Assumption(fact.latex, says, frozenset(fixed), frozenset(firm), frozenset(every), conditions)

    def _order(self, elaborator: Elaborator, fact: Fact) -> Boolean | None:
        """Return `a > b`, `0 < x_i <= 1` or `a \\ne 0` as a fact on terms, entry by entry."""
        relation = fact.relation
        if not set(relation.operators) <= {"<", "<=", ">", ">=", "!="}:
            return None
        found: list[Boolean] = []
        try:
            values = [elaborator.member(member) for member in relation.members]
            for operator, first, second in zip(relation.operators, values, values[1:], strict=False):
                left, right, _ = together(elaborator, first, second, relation.span, "this assumption")
                found.append(ORDERS[operator](left.body, right.body))
        except Exception:  # noqa: BLE001  what has no meaning cannot be assumed
            return None
        for letter, size in elaborator.free.items():
            self.leftover[Index(letter)] = size
        return sympy.And(*found, evaluate=False)

    # ------------------------------------------------------------------ chains

    def _chain(self, chain: RawChain) -> tuple[list[Member], Elaborator]:
        last = max((link.item for link in chain.links), default=0)
        elaborator = self._elaborator(chain.scope, last + 1)
        members: list[Member] = []
        nodes = written_out(chain, chain.members)
        elaborator.motion = self.movers.motion(elaborator, chain, nodes)
        letters = {letter for node in nodes for letter in letters_of(node) if chain.scope.is_index(letter)}
        loose = [names.outright(node, letters) for node in nodes]
        for at, node in enumerate(nodes):
            elaborator.outside = set().union(*loose[:at], *loose[at + 1 :])
            elaborator.diagnostics.clear()
            value: Tensor | Failure
            repair = None
            try:
                value = elaborator.member(node)
            except Untyped as error:
                value = Failure(error.outcome, error.diagnostic)
                repair = self._repair(elaborator, node, error)
            except Exception as error:  # noqa: BLE001  likewise
                value = Failure("unknown", internal(error, node.span))
            if at:
                item = chain.links[at - 1].item
                if self.survey.items[item].kind != "definition":
                    self.item_diagnostics[item].extend(elaborator.diagnostics)
            elif chain.links:
                self.item_diagnostics[chain.links[0].item].extend(elaborator.diagnostics)
            text = self.survey.document.source.written(node.span).strip()
            member = Member(
                node.span,
                text,
                value,
                elaborator.shaky,
                elaborator.clash,
                repair,
                elaborator.two_readings,
                tuple(elaborator.partial),
            )
            members.append(replace(member, shown=shown(elaborator, node)))
            if at and isinstance(value, Tensor):
                self._settle(members, value)
        if elaborator.motion is not None:
            members = self.movers.suspected(elaborator.motion, chain, nodes, members)
        return members, elaborator

    def _repair(self, elaborator: Elaborator, node: tree.Node, error: Untyped) -> tuple[str, Tensor] | None:
        """Read a member with the one name of the page that differs in case only from an undefined one."""
        if error.diagnostic.code != "SD004":
            return None
        wrong = next((n for n in names.walk(node) if n.span == error.diagnostic.span), None)
        key = names.key(wrong, fonts=self.survey.fonts) if wrong is not None else None
        known = [
            each
            for each, name in elaborator.scope.visible().items()
            if key and each.lower() == key.lower() and name.introduced
        ]
        if key is None or len(known) != 1:
            return None
        kept = list(elaborator.diagnostics)
        try:
            return known[0], elaborator.member(names.renamed(node, key, known[0]))
        except Untyped:
            return None
        finally:
            elaborator.diagnostics[:] = kept

    def _settle(self, members: list[Member], value: Tensor) -> None:
        """Let a claim settle dimensions that nothing else does: the length of the ones in `1^T 1 = n`."""
        before = next(
            (
                m.value
                for m in reversed(members[:-1])
                if isinstance(m.value, Tensor) and m.value.rank == value.rank
            ),
            None,
        )
        if before is not None:
            for a, b in zip(before.dimensions, value.dimensions, strict=True):
                self.sizes.try_unify(a, b)
            counted = _counted(before.body)
            if counted is not None and isinstance(value.body, Size):
                self.sizes.try_unify(counted, value.body)

    def _finish(self, members: list[Member], elaborator: Elaborator, raw: RawChain) -> Chain:
        finished = []
        for member in members:
            value = member.value
            if isinstance(value, Tensor):
                value = self._settled(value)
            repair = member.repair and (member.repair[0], self._settled(member.repair[1]))
            partial = tuple(map(self._resolve, member.partial))
            cells = tuple(replace(cell, value=self._settled(cell.value)) for cell in member.shown)
            finished.append(replace(member, value=value, repair=repair, partial=partial, shown=cells))
        sizes = self.leftover | {Index(letter): size for letter, size in elaborator.free.items()}
        return Chain(
            tuple(finished),
            frozenset(map(Index, self.survey.fixed)),
            {letter: self.sizes.show(size) for letter, size in sizes.items()},
            frozenset(map(Index, silent(raw.members))),
            elaborator.motion.entries if elaborator.motion is not None else {},
        )

    def _settled(self, value: Tensor) -> Tensor:
        return replace(
            value,
            body=self._resolve(value.body),
            dimensions=tuple(self._resolve(d) for d in value.dimensions),
        )

    def _resolve(self, term: Expr) -> Expr:
        return self.sizes.resolve(term)

    # ------------------------------------------------------------------ statements

    def _statement(self, number: int, item: Item, facts: dict[int, Assumption]) -> Statement:
        source = self.survey.document.source
        remarks: dict[str, tuple[int, str]] = {}
        used = []
        for fact in item.facts:
            if fact.remark is None or fact.remark[0].defined is not None:
                used.append(fact)
                continue
            name, words = fact.remark[0].identity, fact.remark[1]
            line = source.position(fact.relation.span.start)[0]
            remarks[name] = (line, f"{remarks[name][1]} and {words}" if name in remarks else words)
        assumptions = tuple({facts[id(fact)].latex: facts[id(fact)] for fact in used}.values())
        return Statement(
            kind=item.kind,
            span=item.span,
            latex=source.written(item.span).strip(),
            left=source.written(item.left).strip() if item.left is not None else None,
            chain=item.chain,
            member=item.member,
            assumptions=assumptions,
            context=self._context(item.scope, number)
            if item.kind in ("claim", "question", "definition")
            or (item.kind == "assumption" and item.chain is not None)
            else None,
            diagnostics=_unique(self.item_diagnostics[number]),
            expected=item.expected,
            imposed=item.imposed,
            elsewhere=self._elsewhere(item.scope, number) if item.kind == "claim" else {},
            again=self._again(item.scope, number) if item.kind == "claim" else {},
            hints={name.identity: tuple(name.hints) for name in item.scope.visible().values() if name.hints},
            remarks=remarks,
            spans=item.spans,
        )

    def _again(self, scope: Scope, number: int) -> dict[str, tuple[int, int]]:
        """Return the names to which an equation gave another meaning, perhaps, and where each is defined."""
        position = self.survey.document.source.position
        return {
            name.identity: (name.again[0], position(name.again[1].start)[0])
            for name in scope.visible().values()
            if name.again is not None and name.again[0] <= number
        }

    def _elsewhere(self, scope: Scope, number: int) -> dict[str, int]:
        """Return the names that this section leaves open and an earlier one, not above it, defines."""
        visible = scope.visible()
        found: dict[str, int] = {}
        for other in {id(place.scope): place.scope for place in self.survey.places}.values():
            for key, name in other.names.items() if not scope.within(other) else ():
                here = visible.get(key)
                if name.defined is None or name.defined >= number or name.defined_at is None:
                    continue
                if here is not None and here.defined is None and not here.declared:
                    found[here.identity] = self.survey.document.source.position(name.defined_at.start)[0]
        return found

    def _context(self, scope: Scope, number: int) -> Context:
        visible = scope.visible()
        last = max(
            (
                item.defined
                for item in (*visible.values(), *scope.hidden())
                if item.defined is not None and item.defined <= number
            ),
            default=-1,
        )
        cached = self._contexts.get((id(scope), last))
        if cached is not None:
            return cached
        definitions: dict[str, Definition] = {}
        shapes: dict[str, tuple[Expr, ...]] = {}
        opaque: dict[str, Opaque] = {}
        for identity, hidden in self.hidden.items():
            definitions[identity] = self._resolved_definition(hidden)
        for identity, sizes in self.hidden_shapes.items():
            shapes[identity] = tuple(self.sizes.show(size) for size in sizes)
        records = [*visible.values(), *scope.hidden()]
        for record in records:
            if record.shape is not None:
                shapes[record.identity] = tuple(self.sizes.show(size) for size in record.shape)
            if record.defined is not None and record.defined <= number and id(record) in self.definitions:
                definitions[record.identity] = self._resolved_definition(self.definitions[id(record)])
        below = {
            record.identity: {
                name
                for name in record.differentiated_by
                if record.identity not in reaches(name, definitions, {})
            }
            for record in records
            if record.identity not in definitions and not record.broken
        }
        for record in records:
            if record.identity not in definitions and record.differentiated_by and not record.broken:
                candidates = [
                    name
                    for name in record.differentiated_by
                    if record.identity not in reaches(name, definitions, below)
                ]
                arguments = _sink(candidates, record.identity, definitions) or _latest(
                    candidates, definitions, below
                )
                known = tuple(a for a in arguments if a in shapes)
                if known and record.identity in shapes:
                    slots = tuple(fresh("s") for _ in shapes[record.identity])
                    opaque[record.identity] = Opaque(record.identity, slots, known)
        values = {
            record.identity: record.values
            for record in records
            if record.values and record.identity not in definitions and record.identity not in opaque
        }
        discrete = frozenset(
            record.identity
            for record in records
            if record.limited or record.whole or (record.broken and record.identity not in definitions)
        )
        bounds = {
            record.identity: record.bounds
            for record in records
            if record.bounds is not None
            and record.identity not in definitions
            and record.identity not in opaque
        }
        context = Context(definitions, opaque, shapes, values, discrete, bounds)
        self._contexts[id(scope), last] = context
        return context

    def _resolved_definition(self, definition: Definition) -> Definition:
        known = self._resolved.get(id(definition))
        if known is None:
            known = self._resolved[id(definition)] = replace(definition, body=self._resolve(definition.body))
        return known

    def _functions(self) -> dict[str, tuple[str, ...]]:
        """Return the names of functions that have a meaning, with the names of their variables."""
        found: dict[str, tuple[str, ...]] = {}
        for record in self.survey.records:
            if record.parameters and record.defined is not None and id(record) in self.definitions:
                scope = self.survey.items[record.defined].scope
                variables = [scope.find(key) for key in record.parameters]
                found[record.identity] = tuple(each.identity for each in variables if each is not None)
        return found

    def _symbols(self) -> tuple[SymbolRecord, ...]:
        found = []
        for record in self.survey.records:
            if record.shape is None or not record.introduced:
                continue
            line, _ = self.survey.document.source.position(record.first.start)
            shape = tuple(str(self.sizes.show(size)) for size in record.shape)
            found.append(SymbolRecord(record.key, shape, line, inferred=not record.declared))
        return tuple(found)


def _counted(term: Expr) -> Size | None:
    """Return the size of which a term counts the places, `\\mathbf 1^\\top \\mathbf 1`."""
    if not isinstance(term, sympy.Sum) or term.function != 1 or len(term.limits) != 1:
        return None
    size = term.limits[0][2]
    return size if isinstance(size, Size) else None


def _unique(found: list[Diagnostic]) -> tuple[Diagnostic, ...]:
    return tuple(dict.fromkeys(found))


ORDERS: dict[str, Callable[[Expr, Expr], Boolean]] = {
    ">": lambda a, b: sympy.StrictGreaterThan(a, b, evaluate=False),
    ">=": lambda a, b: sympy.GreaterThan(a, b, evaluate=False),
    "<": lambda a, b: sympy.StrictGreaterThan(b, a, evaluate=False),
    "<=": lambda a, b: sympy.GreaterThan(b, a, evaluate=False),
    "!=": lambda a, b: Ne(a, b, evaluate=False),
}
"""Each order of values, the larger one first."""


def _index_term(node: tree.Node) -> Expr | None:
    if isinstance(node, tree.Number):
        return sympy.Integer(node.text)
    return Index(node.text) if isinstance(node, tree.Name) else None


def _latest(
    candidates: list[str], definitions: dict[str, Definition], below: dict[str, set[str]]
) -> tuple[str, ...]:
    """Return the candidates on which no other candidate depends."""
    unique = list(dict.fromkeys(candidates))
    reached = {name: reaches(name, definitions, below) for name in unique}
    return tuple(
        name
        for name in unique
        if not any(name in reached[other] and other not in reached[name] for other in unique if other != name)
    )


def _sink(candidates: list[str], identity: str, definitions: dict[str, Definition]) -> tuple[str, ...]:
    """Return the one defined quantity through which a loss must see variables that are only ever inputs.

    Where a page asks for dL/dW and defines y = Wx, without a word of dL/dy, the loss is one of y.
    """
    if any(name in definitions for name in candidates):
        return ()
    below = {name: reaches(name, definitions, {}) for name in definitions}
    ends = [name for name in definitions if not any(name in other for other in below.values())]
    through = [name for name in ends if below[name] & set(candidates) and identity not in below[name]]
    return tuple(through) if len(through) == 1 and set(candidates) <= below[through[0]] else ()

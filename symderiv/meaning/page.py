"""A document becomes a page: definitions first, then every chain, then the sizes that they settle.

`elaborate` never raises for what a document holds. Definitions and declarations are elaborated first
and settle the sizes; then claims, which may name a size and may not bend one.
"""

from __future__ import annotations

import contextlib
import re
from dataclasses import replace

import sympy
from sympy import Expr

from symderiv.diagnostics import Diagnostic
from symderiv.document.model import Document, MathSpan
from symderiv.kernel.terms import Index, Size
from symderiv.latex import tree
from symderiv.meaning import names
from symderiv.meaning.arithmetic import entrywise
from symderiv.meaning.arrays import shown
from symderiv.meaning.bigs import ends_early
from symderiv.meaning.calls import is_function
from symderiv.meaning.contexts import Contexts
from symderiv.meaning.definitions import define, in_order
from symderiv.meaning.elaborator import Elaborator
from symderiv.meaning.errors import Untyped
from symderiv.meaning.facts import assumed
from symderiv.meaning.gathered import gather
from symderiv.meaning.gradients import silent
from symderiv.meaning.ground import Ground
from symderiv.meaning.model import Assumption, Chain, Failure, Member, Page, Statement, Tensor
from symderiv.meaning.movers import Movers
from symderiv.meaning.origins import symbols
from symderiv.meaning.ranks import infer
from symderiv.meaning.raw import Item, RawChain, Survey
from symderiv.meaning.rereading import Rereading, letters_of, repeated, written_out
from symderiv.meaning.scope import Name, Scope
from symderiv.meaning.survey import internal, surveyed


def elaborate(
    document: Document,
    *,
    turned: bool = False,
    alone: bool = False,
    equal: tuple[Size, Expr] | None = None,
    layout: str | None = None,
) -> Page:
    """Return the page of a document: its statements over terms, ready to be judged.

    A sum that may run over one letter or over two is read in the likelier way, unless it is `turned`; a
    section may go on with an earlier one, unless each is to stand `alone`; a size may be said to be `equal`
    to another one, or to a number. Derivatives have the layout that is given, or else what the page tells.
    """
    survey = surveyed(document, alone=alone)
    if layout is not None:
        survey.layout = layout
    if equal is not None:
        survey.sizes.identify(*equal)
    return _Builder(survey, turned=turned).page()


class _Builder:
    """Elaborates what a survey found."""

    def __init__(self, survey: Survey, *, turned: bool = False) -> None:
        self.survey = survey
        self.sizes = survey.sizes
        self.ground = Ground(survey, turned=turned)
        self.contexts = Contexts(self.ground)
        self.movers = Movers(survey)

    def page(self) -> Page:
        survey = self.survey
        infer(survey)
        gathered = gather(survey)
        for number, item in enumerate(survey.items):
            self.ground.diagnostics[number] = list(item.diagnostics)
        for chain, link, number in in_order(survey):
            said = list(self.ground.diagnostics[link.item])
            define(self.ground, chain, link, number)
            if chain.moved:
                self.ground.diagnostics[link.item] = said
        self.sizes.freeze()
        facts = {
            id(fact): replace(assumed(self.ground, fact), step=fact.step, rests=fact.rests)
            for fact in survey.facts
        }
        chains = self._chains()
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
            document=survey.document,
            chains=finished,
            statements=statements,
            symbols=symbols(survey),
            math_spans=sum(isinstance(item, MathSpan) for item in survey.document.items),
            diagnostics=tuple(survey.diagnostics),
            functions=self._functions(),
            loose=frozenset(
                each.identity for each in self.survey.records if each.loose and each.defined is None
            ),
            gathered=gathered,
            limited=frozenset(each.identity for each in self.survey.records if each.limited),
            veiled={e.identity: e.veil for e in self.survey.records if e.veil is not None},
            stepped=frozenset(self.survey.stepped),
            restricted=frozenset(each.identity for each in self.survey.records if each.restricted),
            described=self._described(),
            goes_on=survey.goes_on,
            two_readings=frozenset(self.ground.two_readings),
            maps=frozenset(each.identity for each in self.survey.records if each.function),
            partial={
                name: tuple(map(self._resolve, each)) for name, each in self.ground.partial.items() if each
            },
            reread=Rereading(survey, [elaborator for _, elaborator in chains]),
        )

    def _described(self) -> dict[str, tuple[int, str]]:
        """Return the sizes and undefined names of which words say more than rules know, with the line."""
        found = dict(self.survey.described)
        for each in self.survey.records:
            if each.described is not None and each.defined is None and _is_told(each):
                found[each.identity] = each.described
        position = self.survey.document.source.position
        return {name: (position(span.start)[0], words) for name, (span, words) in found.items()}

    # ------------------------------------------------------------------ chains

    def _chains(self) -> list[tuple[list[Member], Elaborator]]:
        """Elaborate all chains, last those with a sum to `n - 1`: it tells a size if nothing else does."""
        chains = self.survey.chains
        late = {at for at, chain in enumerate(chains) if any(map(ends_early, chain.members))}
        order = sorted(range(len(chains)), key=lambda at: at in late)
        found = {at: self._chain(chains[at], late=at in late) for at in order}
        return [found[at] for at in range(len(chains))]

    def _chain(self, chain: RawChain, *, late: bool) -> tuple[list[Member], Elaborator]:
        last = max((link.item for link in chain.links), default=0)
        elaborator = self.ground.elaborator(chain.scope, last + 1)
        members: list[Member] = []
        nodes = written_out(chain, chain.members)
        nodes = self.movers.settled(elaborator, chain, nodes)
        letters = {letter for node in nodes for letter in letters_of(node) if chain.scope.is_index(letter)}
        loose = [names.outright(node, letters) for node in nodes]
        for node in nodes if late else ():
            if not ends_early(node):
                with contextlib.suppress(Exception):
                    self.ground.elaborator(chain.scope, last + 1).member(node)
        for at, node in enumerate(nodes):
            elaborator.outside = set().union(*loose[:at], *loose[at + 1 :])
            elaborator.diagnostics.clear()
            _note_repeated(elaborator, chain, chain.members[at])
            value: Tensor | Failure
            repair = None
            vectors = any(isinstance(m.value, Tensor) and m.value.rank == 1 for m in members)
            try:
                value = entrywise(elaborator, node, vector=vectors)
            except Untyped as error:
                value = Failure(error.outcome, error.diagnostic)
                repair = self._repair(elaborator, node, error)
            except Exception as error:  # noqa: BLE001  likewise
                value = Failure("unknown", internal(error, node.span))
            if chain.moved:
                pass
            elif at:
                item = chain.links[at - 1].item
                if self.survey.items[item].kind != "definition":
                    self.ground.diagnostics[item].extend(elaborator.diagnostics)
            elif chain.links:
                self.ground.diagnostics[chain.links[0].item].extend(elaborator.diagnostics)
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
                doubtful=elaborator.doubtful,
                oriented=frozenset(elaborator.oriented),
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
                self.sizes.try_unify(a, b, members[-1].span)
            counted = _counted(before.body)
            if counted is not None and isinstance(value.body, Size):
                self.sizes.try_unify(counted, value.body, members[-1].span)

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
        sizes = self.ground.leftover | {Index(letter): size for letter, size in elaborator.free.items()}
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
        later = self._later(item.scope, number) if item.kind == "claim" else {}
        return Statement(
            kind=item.kind,
            span=item.span,
            latex=source.written(item.span).strip(),
            left=source.written(item.left).strip() if item.left is not None else None,
            chain=item.chain,
            member=item.member,
            assumptions=assumptions,
            context=self.contexts.at(item.scope, number)
            if item.kind in ("claim", "question", "definition")
            or (item.kind == "assumption" and item.chain is not None)
            else None,
            diagnostics=_unique(self.ground.diagnostics[number]),
            expected=item.expected,
            imposed=item.imposed,
            elsewhere=self._elsewhere(item.scope, number) if item.kind == "claim" else {},
            later=later,
            whole=self.contexts.at(item.scope, len(self.survey.items)) if later else None,
            again=self._again(item.scope, number) if item.kind == "claim" else {},
            hints={name.identity: tuple(name.hints) for name in item.scope.visible().values() if name.hints},
            remarks=remarks,
            spans=item.spans,
        )

    def _later(self, scope: Scope, number: int) -> dict[str, int]:
        """Return the names that are defined only below a statement or have no meaning, and on which line."""
        position = self.survey.document.source.position
        return {
            name.identity: position(name.defined_at.start)[0]
            for name in scope.visible().values()
            if name.defined is not None
            and name.defined_at is not None
            and (name.broken or (name.defined > number and not _is_solved(name)))
        }

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

    def _functions(self) -> dict[str, tuple[str, ...]]:
        """Return the names of functions that have a meaning, with the names of their variables."""
        found: dict[str, tuple[str, ...]] = {}
        for record in self.survey.records:
            if record.parameters and record.defined is not None and id(record) in self.ground.definitions:
                scope = self.survey.items[record.defined].scope
                variables = [scope.find(key) for key in record.parameters]
                found[record.identity] = tuple(each.identity for each in variables if each is not None)
        return found


def _is_solved(name: Name) -> bool:
    """Tell whether a name is a variable of derivatives, of which a page tells the best value below."""
    return name.varied and not name.differentiated_by


def _counted(term: Expr) -> Size | None:
    """Return the size of which a term counts the places, `\\mathbf 1^\\top \\mathbf 1`."""
    if not isinstance(term, sympy.Sum) or term.function != 1 or len(term.limits) != 1:
        return None
    size = term.limits[0][2]
    return size if isinstance(size, Size) else None


def _note_repeated(elaborator: Elaborator, chain: RawChain, node: tree.Node) -> None:
    """Say of each index that stands more than twice that it is summed over the whole term."""
    for letter, count in repeated(chain, node).items():
        message = f"the index {letter} stands {count} times in one term"
        elaborator.note("SD115", message, node.span, label="it is summed over the whole term")


def _unique(found: list[Diagnostic]) -> tuple[Diagnostic, ...]:
    return tuple(dict.fromkeys(found))


def _is_told(record: Name) -> bool:
    """Tell whether words restrict a name: that a number is constant says nothing of its value."""
    said = record.described[1] if record.described is not None else ""
    return is_function(record) or not re.fullmatch(
        r"\s*(be|is|are) (an? )?(constant|independent of)", said.split("$")[0].strip()
    )

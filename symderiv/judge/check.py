"""The pipeline of one step: typing, numbers, proof; and the page as JSON for the process that asks.

`open_page` reads and elaborates a document; `Session.judge` decides one statement, given the verdicts of
those before it. A claim is compared with its neighbour on the left; where that was blamed, with the last
good member of the chain, so that a bad member is blamed once.
"""

from __future__ import annotations

import contextlib
import re
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from sympy import Integer
from sympy.logic.boolalg import Boolean

from symderiv.diagnostics import Diagnostic, Source, Span
from symderiv.document import read
from symderiv.judge import corners, explain
from symderiv.judge.anatomy import Anatomy
from symderiv.judge.numeric import Extent
from symderiv.judge.recall import Recall
from symderiv.judge.refute import Screening, screen
from symderiv.judge.special import passes_kink
from symderiv.judge.suggest import Search, Trial
from symderiv.judge.verdict import Outcome, Verdict, Witness
from symderiv.kernel.calculus import derive, names_in
from symderiv.kernel.equality import Proved, Residue, prove, told
from symderiv.kernel.memory import Memory
from symderiv.kernel.terms import Definite, Goal, Index, KernelError, Size
from symderiv.meaning import (
    Compared,
    compare,
    elaborate,
    implicit,
    names_of,
    one_sided,
    relabelled,
    twofold,
    unnamed,
    unranged,
    unreached,
)
from symderiv.meaning.cues import sets_aside
from symderiv.meaning.domains import domains, folded
from symderiv.meaning.fulfilled import fulfilling
from symderiv.meaning.hypotheses import written
from symderiv.meaning.model import Assumption, Chain, Failure, Member, Page, Shown, Statement, Tensor
from symderiv.meaning.notation import derived_latex

Json = dict[str, Any]
_GOOD = frozenset({"proved", "tested", None})
_MOST_TRIED = 3
"""So many assumptions that a proof used are tried for one without them."""
_HELD = (["proved"], ["tested"])


@dataclass(frozen=True, slots=True)
class Judged:
    """A verdict, and the member of the chain that the step was compared with."""

    verdict: Verdict
    left: Member | None = None
    disagreement: bool = False
    used: tuple[str, ...] | None = None
    """The assumptions on which a proof rests; None where these are all that are in force."""
    answer: str | None = None
    """For a question: what the kernel derived, in LaTeX."""


def decide(  # noqa: PLR0913  what makes a verdict
    goal: Goal,
    span: Span,
    *,
    seed: int = 0,
    deadline: float | None = None,
    recall: Recall | None = None,
    memory: Memory | None = None,
    written: Callable[[], tuple[Boolean, ...]] = tuple,
    almost: Callable[[], bool] = bool,
) -> tuple[Verdict, bool]:
    """Return the verdict on a goal, and whether proof and numbers contradict each other.

    Of a step that is not proved, `written` says where the sides are defined that no longer tell it, and
    `almost` whether nothing is claimed of points where values coincide: a derivative passes a kink, or the
    page sets such points aside in words.
    """
    if _assumes_functions(goal):
        screening = Screening(reason="an assumption about an unknown function cannot be sampled")
    else:
        screening = screen(goal, seed=seed, deadline=deadline, extent="brief", recall=recall)
    proof, left = _proof(goal, memory)
    if proof is not None:
        if screening.witness is not None:
            found = (explain.disagreement(span, screening.witness),)
            return Verdict("unknown", diagnostics=found), True
        return Verdict(
            "proved",
            method=explain.method(proof.method, kinks=proof.almost_everywhere),
            sizes="all",
            cross_check=screening.agreement,
            proof=proof,
        ), False
    domain = written()
    if domain:
        goal = replace(goal, assumptions=(*goal.assumptions, *domain))
        screening = screen(goal, seed=seed, deadline=deadline, extent="brief", recall=recall)
    extents: tuple[Extent, ...] = ()
    if screening.agreement is not None:
        extents = ("whole", "apart" if almost() else "special", "far")
    for extent in extents:
        further = screen(goal, seed=seed, deadline=deadline, extent=extent, recall=recall)
        if extent == "whole" or further.witness is not None:
            screening = further
        if further.witness is not None:
            break
    if screening.witness is not None:
        return _refuted(screening.witness, span), False
    why = explain.residue(left.term, left.note) if isinstance(left, Residue) else left
    return _unproved(screening, span, why), False


def _is_always_told(fact: Boolean) -> bool:
    """Tell whether a fact is printed beside a proof that the kernel does not say to rest on it.

    One about indices says of which entries the step speaks; that a matrix is definite the kernel never names.
    """
    return isinstance(fact, Definite) or all(isinstance(each, Index | Size) for each in fact.free_symbols)


def _assumes_functions(goal: Goal) -> bool:
    """Tell whether an assumption is about an unknown function: a sampled value says nothing of slopes."""
    names = {
        name
        for fact in goal.assumptions
        for symbol in fact.free_symbols
        if (name := str(getattr(symbol, "name", "")))
    }
    return bool(names & goal.context.opaque.keys())


def _proof(goal: Goal, memory: Memory | None) -> tuple[Proved | None, Residue | str]:
    """Return the kernel's proof, or what is left, or why it stopped."""
    try:
        outcome = prove(goal, memory)
    except KernelError as error:
        return None, f"the kernel stopped: {error}"
    except RecursionError:
        return None, "the kernel stopped: the terms are nested too deeply"
    if isinstance(outcome, Proved):
        return outcome, ""
    return None, outcome


def _refuted(witness: Witness, span: Span) -> Verdict:
    return Verdict(
        "refuted", method="witness", witness=witness, diagnostics=(explain.false_step(span, witness),)
    )


def _unproved(screening: Screening, span: Span, why: str) -> Verdict:
    if screening.agreement is not None and screening.agreement.entries:
        agreement = screening.agreement
        return Verdict(
            "tested",
            method="sampling",
            cross_check=agreement,
            sizes=_sampled(screening),
            diagnostics=(explain.tested(span, agreement.entries, agreement.error, why),),
        )
    reason = screening.reason or "no sampled point lies where both sides are defined"
    return Verdict("unknown", diagnostics=(explain.not_decided(span, f"{reason}; {why}" if why else reason),))


def _sampled(screening: Screening) -> str:
    return (
        "; ".join(
            ", ".join(f"{name} = {value}" for name, value in sizes.items())
            for sizes in screening.sizes
            if sizes
        )
        or "all"
    )


def _unsettled(statement: Statement, earlier: list[str | None]) -> Statement:
    """Forget what steps above turned out not to give: other meanings that are true of the first, conditions.

    An equation from which the page concludes is a condition, and none any more once it is proved.
    """
    again = {name: at for name, at in statement.again.items() if earlier[at[0] : at[0] + 1] not in _HELD}
    proved = {at for at, outcome in enumerate(earlier) if outcome == "proved"}
    left = tuple(each for each in statement.assumptions if each.step not in proved)
    if len(left) < len(statement.assumptions):
        statement = replace(statement, assumptions=left)
    return replace(statement, again=again) if statement.again else statement


def _doubt(statement: Statement, compared: Compared, span: Span, page: Page) -> Diagnostic | None:
    """Return why numbers against a step tell nothing: the page does not say all that it is about."""
    goal = compared.goal
    if statement.imposed or compared.unused:
        return explain.imposed(span)
    function = unnamed(goal, page.maps)
    if function is not None:
        return explain.unnamed(span, _plain(function))
    for name in sorted(page.limited & names_of(goal)):
        return explain.limited(span, _plain(name))
    for name in sorted(statement.again.keys() & names_of(goal)):
        return explain.again(span, _plain(name), statement.again[name][1])
    for name in sorted(statement.elsewhere.keys() & names_of(goal)):
        return explain.elsewhere(span, _plain(name), statement.elsewhere[name])
    if unranged(goal):
        return explain.unranged(span)
    return explain.undefined(span) if one_sided(goal) or relabelled(goal) or twofold(goal) else None


@dataclass(slots=True)
class Session:
    """An open page."""

    page: Page
    recall: Recall = field(default_factory=Recall)
    memory: Memory = field(default_factory=Memory)
    other: Session | None = None
    """The same page where each sum that may run over one letter or two is read the other way."""

    def outline(self) -> Json:
        """Return the page as JSON, the verdicts of its steps still to come."""
        page = self.page
        spans = -1
        statements = []
        for statement in page.statements:
            spans += statement.spans
            statements.append(_statement(page.source, statement, max(spans, 0)))
        return {
            "path": page.source.path,
            "title": page.title,
            "layout": page.layout,
            "symbols": [
                {"name": s.name, "shape": list(s.shape), "line": s.line, "inferred": s.inferred}
                for s in page.symbols
            ],
            "statements": statements,
            "math_spans": page.math_spans,
            "diagnostics": [diagnostic(page.source, each) for each in page.diagnostics],
        }

    def judge(self, step: int, earlier: list[str | None], seed: int = 0) -> Json:
        """Return the verdict of one statement as JSON."""
        return self.told(step, earlier, self.decide(step, earlier, seed))

    def suggest(self, step: int, earlier: list[str | None], seed: int = 0) -> Json:
        """Return what would make a false statement true, as far as that is found."""
        statement = _unsettled(self.page.statements[step], earlier)
        if statement.kind != "claim" or statement.chain is None:
            return {"help": None}
        left, _ = self.sides(step, earlier)

        def reread(text: str, place: Span, more: int) -> tuple[Session, int, list[str | None]] | None:
            return self._with(
                text, lambda at: at + more if at >= place.end and at > place.start else at, step, earlier
            )

        def goal(text: str, place: Span, more: int) -> Goal | None:
            found = reread(text, place, more)
            return None if found is None else found[0].goal(*found[1:])

        def holds(text: str, place: Span, more: int) -> bool:
            found = reread(text, place, more)
            return found is not None and found[0].holds(*found[1:], seed)

        trial = Trial(lambda goal: _proof(goal, self.memory)[0] is not None, goal, holds)
        return {"help": Search(self.page, statement, left, trial, self.recall).help()}

    def _with(
        self, text: str, moved: Callable[[int], int], step: int, earlier: list[str | None]
    ) -> tuple[Session, int, list[str | None]] | None:
        """Return the page with another text, a step's number there, and the verdicts before it.

        `moved` tells where a place is there. None where that is no step any more, or has another left side.
        """
        other = open_page(self.page.source.path, text)
        numbers = {moved(each.span.start): at for at, each in enumerate(self.page.statements)}
        known = [numbers.get(each.span.start) for each in other.page.statements]
        at = known.index(step) if step in known else 0
        if step not in known or other.page.statements[at].kind != "claim":
            return None
        before = [None if each is None or each > step else earlier[each] for each in known[:at]]
        left, _ = other.sides(at, before)
        return (other, at, before) if left.span.start in map(moved, self._starts(step)) else None

    def sides(self, step: int, earlier: list[str | None]) -> tuple[Member, Member]:
        """Return the last good member before that of a step, or else its neighbour, and the member itself."""
        statement = self.page.statements[step]
        assert statement.chain is not None
        assert statement.member is not None
        chain = self.page.chains[statement.chain]
        near, good, _ = self._lefts(statement, chain, earlier)
        return good or near, chain.members[statement.member]

    def goal(self, step: int, earlier: list[str | None]) -> Goal | None:
        """Return the goal of a step from the last good member before it, if that makes sense."""
        statement = _unsettled(self.page.statements[step], earlier)
        assert statement.chain is not None
        left, right = self.sides(step, earlier)
        if not isinstance(left.value, Tensor) or not isinstance(right.value, Tensor):
            return None
        compared = compare(statement, self.page.chains[statement.chain], left.value, right.value, right)
        return compared.goal if isinstance(compared, Compared) else None

    def holds(self, step: int, earlier: list[str | None], seed: int = 0) -> bool:
        """Tell whether a step is proved from the last good member, and holds at some sampled entry."""
        goal = self.goal(step, earlier)
        if goal is None or _proof(goal, self.memory)[0] is None:
            return False
        verdict = self.decide(step, earlier, seed).verdict
        some = verdict.cross_check is not None and verdict.cross_check.entries > 0
        return verdict.outcome == "proved" and some

    def _starts(self, step: int) -> list[int]:
        """Return where the members before a step begin."""
        statement = self.page.statements[step]
        assert statement.chain is not None
        return [each.span.start for each in self.page.chains[statement.chain].members[: statement.member]]

    def told(self, step: int, earlier: list[str | None], judged: Judged) -> Json:
        """Return a verdict as JSON."""
        statement = _unsettled(self.page.statements[step], earlier)
        verdict = judged.verdict
        answer: Json = {
            "verdict": verdict.outcome,
            "method": verdict.method,
            "sizes": verdict.sizes,
            "assumptions": [
                *((each.latex for each in statement.assumptions) if judged.used is None else judged.used),
                *self._domains(statement, judged),
            ],
            "layout": verdict.layout,
            "witness": _witness(verdict.witness),
            "diagnostics": [
                diagnostic(self.page.source, d) for d in (*statement.diagnostics, *verdict.diagnostics)
            ],
            "disagreement": judged.disagreement,
        }
        if verdict.cross_check is not None:
            check = verdict.cross_check
            answer["cross_check"] = {"entries": check.entries, "error": check.error, "agrees": check.agrees}
        if judged.left is not None:
            answer["left"] = judged.left.latex
        if judged.answer is not None:
            answer["latex"] = judged.answer
        return answer

    def _domains(self, statement: Statement, judged: Judged) -> list[str]:
        """Return where a step holds that was not refuted: conditions that the page does not tell."""
        if judged.verdict.outcome not in ("proved", "tested") or statement.context is None:
            return []
        assert statement.chain is not None
        assert statement.member is not None
        right = self.page.chains[statement.chain].members[statement.member]
        sides = [each.value for each in (judged.left, right) if each is not None]
        tensors = [side for side in sides if isinstance(side, Tensor)]
        given = [a for a in statement.assumptions if judged.used is None or a.latex in judged.used]
        return domains(tensors, statement.context, given)

    def decide(self, step: int, earlier: list[str | None], seed: int = 0) -> Judged:
        """Return the verdict of one claim or question."""
        statement = _unsettled(self.page.statements[step], earlier)
        assert statement.chain is not None
        assert statement.member is not None
        chain = self.page.chains[statement.chain]
        if statement.kind == "question":
            return self._question(statement, chain)
        member = chain.members[statement.member]
        near, good, blamed = self._lefts(statement, chain, earlier)
        if good is None and isinstance(near.value, Tensor):
            good = near
        if isinstance(member.value, Failure):
            false = good and self._corner(statement, chain, good, member, seed)
            return false or Judged(self._failed(member, chain, statement, good), good or near)
        if good is None and isinstance(near.value, Failure) and statement.member == 1:
            false = self._corner(statement, chain, member, near, seed)
            if false is not None:
                return replace(false, left=near)
            return Judged(Verdict(near.value.outcome, diagnostics=(near.value.diagnostic,)), near)
        if good is None:
            found = explain.depends(member.span, self._line(near))
            return Judged(Verdict("unknown", diagnostics=(found,)), near)
        judged = self._compared(statement, chain, good, member, seed)
        if judged.verdict.outcome == "refuted" and self.other is not None:
            judged = self._other_reading(step, judged, earlier, seed)
        if near is good or isinstance(near.value, Failure) or judged.verdict.outcome == "proved":
            return judged
        again = self._compared(statement, chain, near, member, seed)
        if again.verdict.outcome != "proved":
            return judged
        if not blamed:
            return again
        method = f"{again.verdict.method} ({explain.repeats(self._line(near))})"
        return replace(again, verdict=replace(again.verdict, method=method))

    def _other_reading(self, step: int, judged: Judged, earlier: list[str | None], seed: int) -> Judged:
        """Return the verdict on a step that is false where sums run over these letters, and perhaps not so.

        A definition that several steps share is not read in one way for one and in another for the next.
        """
        assert self.other is not None
        statement = self.page.statements[step]
        assert statement.context is not None
        assert statement.chain is not None
        assert statement.member is not None
        members = self.page.chains[statement.chain].members
        shared = bool(self.page.two_readings & statement.context.definitions.keys())
        if not shared and not any(member.two_readings for member in members[: statement.member + 1]):
            return judged
        other = self.other.decide(step, earlier, seed)
        span = members[statement.member].span
        if other.verdict.outcome == "proved" and not shared:
            found = (*other.verdict.diagnostics, explain.other_reading(span))
            return replace(other, verdict=replace(other.verdict, diagnostics=found))
        if other.verdict.outcome in ("refuted", "ill-typed"):
            return judged
        return Judged(Verdict("unknown", diagnostics=(explain.two_readings(span),)), judged.left)

    def _line(self, member: Member) -> int:
        return self.page.source.position(member.span.start)[0]

    def _lefts(
        self, statement: Statement, chain: Chain, earlier: list[str | None]
    ) -> tuple[Member, Member | None, bool]:
        """Return the left neighbour, the last member not blamed, and whether the neighbour was blamed."""
        assert statement.member is not None
        verdicts: dict[int, str | None] = {0: None}
        for at, other in enumerate(self.page.statements[: len(earlier)]):
            if other.chain == statement.chain and other.member is not None:
                verdicts[other.member] = (
                    earlier[at] if other.kind == "claim" else ("blamed" if other.kind == "question" else None)
                )
        near = chain.members[statement.member - 1]
        blamed = verdicts.get(statement.member - 1) in ("refuted", "ill-typed")
        for at in range(statement.member - 1, -1, -1):
            candidate = chain.members[at]
            if verdicts.get(at) in _GOOD and isinstance(candidate.value, Tensor):
                return near, candidate, blamed
        return near, None, blamed

    def _failed(self, member: Member, chain: Chain, statement: Statement, good: Member | None) -> Verdict:
        """Return the verdict on a member without a meaning; a near miss that the kernel proves is offered."""
        assert isinstance(member.value, Failure)
        found = member.value.diagnostic
        if member.repair is not None and good is not None and isinstance(good.value, Tensor):
            name, value = member.repair
            compared = compare(statement, chain, good.value, value, member)
            if isinstance(compared, Compared) and _proof(compared.goal, self.memory)[0] is not None:
                found = replace(found, help=f"{name} makes this step true")
        return Verdict(member.value.outcome, diagnostics=(found,))

    def _corner(
        self, statement: Statement, chain: Chain, other: Member, shown: Member, seed: int
    ) -> Judged | None:
        """Return the verdict on a matrix with dots of which a shown entry is false in every reading."""
        cells = corners.common(shown, other)
        if not cells or not isinstance(other.value, Tensor) or other.shaky or shown.shaky:
            return None
        assert statement.context is not None
        if corners.introduces(other, statement.context):
            return None
        value = other.value
        turns = not self.page.layout_told and (value.denominator is not None or value.convention)

        def judge(cell: Shown, there: Tensor, sizes: tuple[Boolean, ...]) -> Judged | None:
            left, right = replace(other, value=there, clash=None), corners.alone(shown, cell)
            compared = compare(statement, chain, there, cell.value, right)
            if isinstance(compared, Diagnostic):
                return None
            goal = replace(compared.goal, assumptions=(*compared.goal.assumptions, *sizes))
            compared = replace(compared, goal=goal, given=None)
            judged = self._weighed(statement, chain, compared, (left, right), seed)
            return judged if judged.verdict.outcome == "refuted" and self._goes_on(goal, seed) else None

        found = corners.furthest(value, cells, turns=turns, false=judge)
        if found is None:
            return None
        cell, judged = found
        assert judged.verdict.witness is not None
        told = explain.false_entry(cell, judged.verdict.witness, shown.value, value)
        return replace(judged, verdict=replace(judged.verdict, diagnostics=(told,)), left=other)

    def _goes_on(self, goal: Goal, seed: int) -> bool:
        """Tell whether an entry is false at large sizes too, where no other pattern reaches its place."""
        deadline = time.monotonic() + _NUMBERS
        return screen(goal, seed=seed, deadline=deadline, extent="far").witness is not None

    def _compared(self, statement: Statement, chain: Chain, left: Member, right: Member, seed: int) -> Judged:
        judged = self._in_layout(statement, chain, left, right, seed)
        if judged.verdict.outcome not in ("refuted", "ill-typed") or not (left.shown or right.shown):
            return judged
        other, dotted = (left, right) if right.shown else (right, left)
        false = self._corner(statement, chain, other, dotted, seed)
        if false is not None:
            return replace(false, left=left)
        if judged.verdict.outcome == "ill-typed":
            return judged
        return Judged(Verdict("unknown", diagnostics=(explain.hidden(right.span),)), left)

    def _in_layout(
        self, statement: Statement, chain: Chain, left: Member, right: Member, seed: int
    ) -> Judged:
        judged = self._as_written(statement, chain, left, right, seed)
        outcome = judged.verdict.outcome
        assert isinstance(left.value, Tensor)
        if outcome == "proved" or self.page.layout_told or not left.value.is_jacobian:
            return judged
        turned = replace(left, value=left.value.turned())
        other = self._as_written(statement, chain, turned, right, seed)
        if other.verdict.outcome != "proved":
            return judged
        found = explain.other_layout(right.span)
        return Judged(Verdict("unknown", layout="denominator", diagnostics=(found,)), left)

    def _hinted(self, statement: Statement, goal: Goal, span: Span, seed: int) -> Diagnostic | None:
        """Return the doubt that a step holds within bounds that the page mentions, unless numbers deny it."""
        assumed = {name for fact in goal.assumptions for name in names_in(fact)}
        for name in sorted((statement.hints.keys() & names_of(goal)) - assumed):
            for bounds in statement.hints[name]:
                known = dict(goal.context.bounds)
                within = known | {name: known[name].both(bounds) if name in known else bounds}
                narrower = replace(goal, context=replace(goal.context, bounds=within))
                if screen(narrower, seed=seed, deadline=time.monotonic() + _NUMBERS).witness is None:
                    return explain.mentioned(span, _plain(name))
        return None

    def _used(self, statement: Statement, compared: Compared, verdict: Verdict) -> tuple[str, ...] | None:
        """Return the assumptions on which a proof rests, and the entries of which it speaks."""
        if not isinstance(verdict.proof, Proved) or compared.given is None or not statement.assumptions:
            return None
        both = list(zip(statement.assumptions, compared.given, strict=True))
        named = {*verdict.proof.hypotheses}
        kept = [
            (a, facts) for a, facts in both if {*map(told, facts)} & named or any(map(_is_always_told, facts))
        ]
        if len(kept) < len(both) and not self._proves(compared.goal, kept):
            return tuple(written(a, facts) for a, facts in both)
        fired = [each for each in kept if not any(map(_is_always_told, each[1]))]
        for each in fired[:_MOST_TRIED]:
            fewer = [other for other in kept if other is not each]
            if self._proves(compared.goal, fewer):
                kept = fewer
        return tuple(written(a, facts) for a, facts in kept)

    def _proves(self, goal: Goal, given: list[tuple[Assumption, tuple[Boolean, ...]]]) -> bool:
        """Tell whether a goal has a proof under some of its assumptions."""
        assumptions = tuple(fact for _, facts in given for fact in facts)
        return _proof(replace(goal, assumptions=assumptions), self.memory)[0] is not None

    def _as_written(
        self, statement: Statement, chain: Chain, left: Member, right: Member, seed: int
    ) -> Judged:
        assert isinstance(left.value, Tensor)
        assert isinstance(right.value, Tensor)
        compared = compare(statement, chain, left.value, right.value, right)
        if isinstance(compared, Diagnostic):
            shaky = left.shaky or right.shaky
            if compared.code == "SD024":
                return Judged(Verdict("unknown", diagnostics=(compared,)), left)
            if shaky is not None and compared.code == "SD002":
                return Judged(Verdict("unknown", diagnostics=(explain.guessed(compared, shaky),)), left)
            return Judged(Verdict("ill-typed", diagnostics=(compared,)), left)
        return self._weighed(statement, chain, compared, (left, right), seed)

    def _weighed(
        self, statement: Statement, chain: Chain, compared: Compared, sides: tuple[Member, Member], seed: int
    ) -> Judged:
        """Decide a goal, and hold what was found against what else the page says."""
        left, right = sides
        apart = unreached(compared.goal)
        if apart is not None and compared.goal.right != 0:
            found = explain.unreached(right.span, *map(_plain, apart))
            return Judged(Verdict("unknown", diagnostics=(found,)), left)
        if implicit(compared.goal):
            return Judged(Verdict("unknown", diagnostics=(explain.implicit(right.span),)), left)
        verdict, disagreement = decide(
            compared.goal,
            right.span,
            seed=seed,
            deadline=time.monotonic() + _NUMBERS,
            written=lambda: self._folded(compared.goal, left, right),
            almost=lambda: sets_aside(self.page.source.text) or _passes_kink(chain, compared.goal),
            recall=self.recall,
            memory=self.memory,
        )
        if apart is not None and verdict.outcome == "proved":
            verdict = replace(verdict, diagnostics=(explain.zero(right.span, *map(_plain, apart)),))
        used = self._used(statement, compared, verdict)
        clash = right.clash or left.clash
        if clash is not None and verdict.outcome != "refuted":
            outcome: Outcome = "ill-typed" if clash.code == "SD002" else "unknown"
            return Judged(Verdict(outcome, diagnostics=(clash,)), left)
        if verdict.outcome == "refuted":
            doubt = _doubt(statement, compared, right.span, self.page)
            doubt = doubt or self._hinted(statement, compared.goal, right.span, seed)
            if doubt is not None:
                return Judged(Verdict("unknown", diagnostics=(doubt,)), left)
            verdict = self._fulfilled(statement, verdict, compared.goal, right.span, seed)
        if compared.layout is not None:
            verdict = replace(verdict, layout=compared.layout)
            if compared.layout != self.page.layout and verdict.outcome == "proved":
                found = explain.layout(right.span, compared.layout)
                verdict = replace(verdict, diagnostics=(*verdict.diagnostics, found))
        return Judged(verdict, left, disagreement, used)

    def _fulfilled(
        self, statement: Statement, verdict: Verdict, goal: Goal, span: Span, seed: int
    ) -> Verdict:
        """Return the refutation by a witness of which the words on its names are true, if there is one."""
        sizes = {size.name for side in (goal.left, goal.right) for size in side.atoms(Size)}
        conditions: list[Boolean] = []
        described = dict(self.page.described)
        for name, (line, words) in statement.remarks.items():
            described[name] = (line, f"{described[name][1]} and {words}" if name in described else words)
        known = names_of(goal) | sizes
        names = sorted((described.keys() & known) | statement.remarks.keys())
        for name in names:
            line, words = described[name]
            more = None if name not in known else fulfilling(words, name, goal)
            if more is None:
                return Verdict("unknown", diagnostics=(explain.described(span, _plain(name), line),))
            conditions.extend(more)
        if not conditions:
            return verdict
        narrower = replace(goal, assumptions=(*goal.assumptions, *conditions))
        witness = screen(narrower, seed=seed, deadline=time.monotonic() + _NUMBERS).witness
        if witness is None:
            found = explain.described(span, _plain(names[0]), described[names[0]][0])
            return Verdict("unknown", diagnostics=(found,))
        return _refuted(witness, span)

    def _folded(self, goal: Goal, left: Member, right: Member) -> tuple[Boolean, ...]:
        """Return where the sides were defined as the page writes them, and the terms no longer tell."""
        names = names_of(goal) & self.page.partial.keys() if self.page.partial else set()
        partial = [*left.partial, *right.partial, *(one for name in names for one in self.page.partial[name])]
        definitions = goal.context.definitions
        bodies = [definitions[name].body for name in names if name in definitions]
        return folded(partial, [goal.left, goal.right, *bodies])

    def _question(self, statement: Statement, chain: Chain) -> Judged:
        """Answer a question with what the kernel derives, and say where the document answers it."""
        assert statement.member is not None
        assert statement.context is not None
        asked = chain.members[statement.member - 1]
        if isinstance(asked.value, Failure):
            return Judged(Verdict("unknown", diagnostics=(asked.value.diagnostic,)), asked)
        answer = derived_latex(asked.value, statement.context)
        proof = None
        if answer is not None:
            with contextlib.suppress(KernelError):
                ranges = {**chain.ranges, **dict(zip(asked.value.slots, asked.value.dimensions, strict=True))}
                derived = derive(asked.value.body, statement.context)
                proof, _ = _proof(Goal(asked.value.body, derived, ranges, (), statement.context), self.memory)
        if answer is None or proof is None:
            return Judged(Verdict("unknown", diagnostics=(explain.not_answered(asked.span),)), asked)
        found = (explain.answered(asked.span, asked.latex, answer, self._answered(asked)),)
        return Judged(
            Verdict("proved", method="derived", sizes="all", proof=proof, diagnostics=found),
            asked,
            answer=answer,
        )

    def _answered(self, asked: Member) -> int | None:
        """Return the last line on which the document gives what a question asks for."""
        lines = [
            self._line(chain.members[1])
            for chain in self.page.chains
            if len(chain.members) > 1
            and chain.members[0].latex == asked.latex
            and chain.members[0].span != asked.span
        ]
        return lines[-1] if lines else None


def _passes_kink(chain: Chain, goal: Goal) -> bool:
    """Tell whether some member of a chain has a derivative that is claimed almost everywhere."""
    sides = [one.value.body for one in chain.members if isinstance(one.value, Tensor)]
    return any(passes_kink(Anatomy(Goal(side, Integer(0), context=goal.context))) for side in sides)


_NUMBERS = 4.0
"""Seconds that sampling may take for one comparison."""


def open_page(path: str, text: str) -> Session:
    """Read, parse and elaborate a document; what it holds never raises."""
    document = read(path, text)
    page = elaborate(document)
    members = (member for chain in page.chains for member in chain.members)
    two = page.two_readings or any(member.two_readings for member in members)
    return Session(page, other=Session(elaborate(document, turned=True)) if two else None)


def _place(source: Source, span: Span) -> Json:
    cell = source.cell(span)
    position = source.position if cell is None else cell.position
    line, column = position(span.start)
    end_line, end_column = position(span.end)
    place = {"line": line, "column": column, "end_line": end_line, "end_column": end_column}
    return place if cell is None else {**place, "cell": cell.number}


def diagnostic(source: Source, found: Diagnostic) -> Json:
    """Return a diagnostic as JSON."""
    return {
        "code": found.code,
        "name": found.name,
        "severity": found.severity,
        "message": found.message,
        "help": found.help,
        "span": _place(source, found.span),
        "notes": list(found.notes),
        "label": found.label,
        "labels": [{"span": _place(source, span), "text": text} for span, text in found.labels],
    }


def _witness(witness: Witness | None) -> Json | None:
    if witness is None:
        return None
    values = {_plain(name): value for name, value in witness.values.items()}
    return {
        "sizes": witness.sizes,
        "indices": witness.indices,
        "values": values,
        "left": witness.left,
        "right": witness.right,
        "digits": witness.digits,
    }


def _plain(name: str) -> str:
    """Return a name as the page writes it, without the mark that tells two scopes apart."""
    return re.sub(r"[~@]\d+", "", name)


def _statement(source: Source, statement: Statement, span: int) -> Json:
    entry: Json = {
        "kind": "term" if statement.kind == "skipped" else statement.kind,
        "span": _place(source, statement.span),
        "latex": statement.latex,
        "left": statement.left,
        "verdict": "unread" if statement.kind == "unread" else None,
        "method": None,
        "sizes": None,
        "assumptions": [assumption.latex for assumption in statement.assumptions],
        "layout": None,
        "witness": None,
        "diagnostics": [diagnostic(source, each) for each in statement.diagnostics],
        "seconds": 0.0,
        "math_span": span,
    }
    if statement.kind == "skipped":
        entry["skipped"] = True
    if statement.expected is not None:
        entry["expected"] = statement.expected
    return entry

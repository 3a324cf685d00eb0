"""The steps of an open page: with what each is compared, and what is then said of it.

`open_page` reads and elaborates a document; `Session.judge` decides one statement, given the verdicts of
those before it. A claim is compared with its neighbour on the left; where that was blamed, with the last
good member of the chain, so that a bad member is blamed once.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cache

from sympy import Expr, Integer
from sympy.logic.boolalg import Boolean

from symderiv.diagnostics import Diagnostic, Span
from symderiv.document import read
from symderiv.document.model import Document
from symderiv.judge import corners, explain, records
from symderiv.judge.anatomy import Anatomy
from symderiv.judge.decision import NUMBERS, Judged, decide, proof_of
from symderiv.judge.dependence import completed_by, parted
from symderiv.judge.doubts import completed, doubt, fulfilled, hinted
from symderiv.judge.grounds import undefined, used
from symderiv.judge.layouts import Layouts, inferred
from symderiv.judge.placed import decided
from symderiv.judge.recall import Recall
from symderiv.judge.records import Json
from symderiv.judge.refute import screen
from symderiv.judge.special import passes_kink
from symderiv.judge.suggest import Search, Trial
from symderiv.judge.verdict import Outcome, Verdict
from symderiv.kernel.calculus import derive
from symderiv.kernel.memory import Memory
from symderiv.kernel.terms import D, Goal, KernelError, Size, name_of
from symderiv.meaning import Compared, compare, elaborate, implicit, other_ways, unreached
from symderiv.meaning.advice import guessed, is_guessed
from symderiv.meaning.cues import sets_aside
from symderiv.meaning.model import Chain, Failure, Member, Page, Shown, Statement, Tensor
from symderiv.meaning.notation import derived_latex
from symderiv.meaning.unknowns import freed

_GOOD = frozenset({"proved", "tested", None})
_HELD = (["proved"], ["tested"])


def _unsettled(statement: Statement, earlier: list[str | None]) -> Statement:
    """Forget what steps above turned out not to give: other meanings that are true of the first, conditions.

    An equation from which the page concludes is a condition, and none any more once it is proved.
    """
    again = {name: at for name, at in statement.again.items() if earlier[at[0] : at[0] + 1] not in _HELD}
    proved = {at for at, outcome in enumerate(earlier) if outcome == "proved"}
    left = tuple(
        each
        for each in statement.assumptions
        if each.step not in proved
        and (each.rests is None or each.rests[1] != (earlier[each.rests[0]] in ("refuted", "ill-typed")))
    )
    if len(left) < len(statement.assumptions):
        statement = replace(statement, assumptions=left)
    return replace(statement, again=again) if statement.again else statement


def _no_goal(_text: str, _place: Span, _more: int) -> None:
    """Read no other text of the page."""


@dataclass(slots=True)
class Session:
    """An open page."""

    page: Page
    recall: Recall = field(default_factory=Recall)
    memory: Memory = field(default_factory=Memory)
    zeros: dict[str, bool] = field(default_factory=dict)
    """Whether a number that some step differentiates is 0 throughout by its definition."""
    other: Session | None = None
    """The same page where each sum that may run over one letter or two is read the other way."""
    alone: Callable[[], Session] | None = None
    """The same page where no section goes on with another, where one does."""
    layouts: Layouts | None = None
    """How steps are read that depend on the layout; None where the page is read in one layout throughout."""
    laid_out: dict[str, Session] = field(default_factory=dict)
    """The same page in other layouts."""

    def outline(self) -> Json:
        """Return the page as JSON, the verdicts of its steps still to come."""
        return records.outline(self.page) | (
            {"layout": self.layouts.name} if self.layouts is not None else {}
        )

    def judge(self, step: int, earlier: list[str | None], seed: int = 0) -> Json:
        """Return the verdict of one statement as JSON."""
        return self.told(step, earlier, self.decide(step, earlier, seed))

    def suggest(self, step: int, earlier: list[str | None], seed: int = 0) -> Json:
        """Return what would make a false statement true, as far as that is found."""
        place = None if self.layouts is None else self.layouts.places.get(step)
        own = self if place is None or place.stray else self.laid_out.get(place.read, self)
        if own is not self:
            return own.suggest(step, earlier, seed)
        statement = _unsettled(self.page.statements[step], earlier)
        if statement.kind != "claim" or statement.chain is None:
            return {"help": None, "note": None}
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

        def equal(old: Size, new: Expr) -> bool:
            return self._holds_where(step, earlier, (old, new), seed)

        trial = Trial(lambda goal: proof_of(goal, self.memory)[0] is not None, goal, holds, equal)
        search = Search(self.page, statement, left, trial, self.recall)
        note = search.sizes() if search.is_ill_typed else None
        help_ = search.help()
        return {"help": help_, "note": note or (None if help_ else search.sizes())}

    def _holds_where(self, step: int, earlier: list[str | None], equal: tuple[Size, Expr], seed: int) -> bool:
        """Tell whether a step is proved as it stands where two sizes of the page are equal."""
        source = self.page.source
        other = Session(elaborate(read(source.path, source.text), equal=equal, layout=self.page.layout))
        same = len(other.page.statements) == len(self.page.statements)
        return same and other.page.statements[step].kind == "claim" and other.holds(step, earlier, seed)

    def _with(
        self, text: str, moved: Callable[[int], int], step: int, earlier: list[str | None]
    ) -> tuple[Session, int, list[str | None]] | None:
        """Return the page with another text, a step's number there, and the verdicts before it.

        `moved` tells where a place is there. None where that is no step any more, or has another left side.
        """
        other = _opened(read(self.page.source.path, text), self.page.layout)
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
        if goal is None or proof_of(goal, self.memory)[0] is None:
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
        return records.answered(self.page, _unsettled(self.page.statements[step], earlier), judged)

    def decide(self, step: int, earlier: list[str | None], seed: int = 0) -> Judged:
        """Return the verdict of one claim or question.

        Nobody says whether a section goes on with another: what is proved of its own names only is proved.
        """
        judged = self._confirmed(step, earlier, self._decide(step, earlier, seed))
        if self.alone is None or judged.verdict.outcome in ("proved", "tested"):
            return judged
        other = self.alone()
        same = [each.span for each in other.page.statements] == [each.span for each in self.page.statements]
        if not same or other.page.statements[step].kind != self.page.statements[step].kind:
            return judged
        again = other.decide(step, earlier, seed)
        return again if again.verdict.outcome == "proved" else judged

    def _confirmed(self, step: int, earlier: list[str | None], judged: Judged) -> Judged:
        """Blame a clash of guessed shapes where the guess was right: other transposes make the step true."""
        guess = next((each for each in judged.verdict.diagnostics if is_guessed(each)), None)
        if judged.verdict.outcome != "unknown" or guess is None:
            return judged
        statement = _unsettled(self.page.statements[step], earlier)
        trial = Trial(lambda goal: proof_of(goal, self.memory)[0] is not None, _no_goal, _no_goal)
        help_ = Search(self.page, statement, self.sides(step, earlier)[0], trial, self.recall).turned()
        if help_ is None:
            return judged
        found = replace(guess, code="SD002", notes=guess.notes[:-1], help=help_)
        return replace(judged, verdict=Verdict("ill-typed", diagnostics=(found,)))

    def _decide(self, step: int, earlier: list[str | None], seed: int) -> Judged:
        """Return the verdict of one claim or question as the page is read, in the layout of its own."""
        place = None if self.layouts is None else self.layouts.places.get(step)
        if place is None:
            return self.in_one_layout(step, earlier, seed)
        own = self.laid_out.get(place.read, self)
        return decided(
            self.page,
            step,
            place,
            own=lambda: own.in_one_layout(step, earlier, seed),
            whole=lambda: self.in_one_layout(step, earlier, seed),
        )

    def in_one_layout(self, step: int, earlier: list[str | None], seed: int) -> Judged:
        """Return the verdict of one claim or question in the layout of the page."""
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
            found = explain.depends(member.span, self._line(near), _reason(near))
            return Judged(Verdict("unknown", diagnostics=(found,)), near)
        judged = self._compared(statement, chain, good, member, seed)
        if judged.verdict.outcome == "refuted":
            judged = self._by_what_is_proved(statement, (good, member), judged, earlier)
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

    def _by_what_is_proved(
        self, statement: Statement, sides: tuple[Member, Member], judged: Judged, earlier: list[str | None]
    ) -> Judged:
        """Judge a step again where proved steps say on what the arguments of a loss depend."""
        assert statement.chain is not None
        chain, (left, right) = self.page.chains[statement.chain], sides
        context = completed_by(self.page, statement, earlier)
        if context is not None:
            again = self._compared(replace(statement, context=context), chain, left, right, 0)
            if again.verdict.outcome in ("proved", "refuted"):
                return again
        function = parted(statement, chain, left, right)
        if function is None:
            return judged
        found = explain.parted(right.span, explain.plain(function))
        return Judged(Verdict("unknown", diagnostics=(found,)), left)

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
        doubtful = any(member.doubtful for member in members[: statement.member + 1])
        if other.verdict.outcome == "proved" and not shared and not doubtful:
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
            if isinstance(compared, Compared) and proof_of(compared.goal, self.memory)[0] is not None:
                found = replace(found, help=f"{name} makes this step true")
        if found.code == "SD004" and found.notes and found.help is None:
            # The page has a like name that is not meant: this is one that the page takes for known.
            return Verdict("unknown", diagnostics=(replace(found, code="SD024"),))
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
        deadline = time.monotonic() + NUMBERS
        return screen(goal, seed=seed, deadline=deadline, extent="far").witness is not None

    def _compared(self, statement: Statement, chain: Chain, left: Member, right: Member, seed: int) -> Judged:
        judged = self._as_written(statement, chain, left, right, seed)
        if judged.verdict.outcome not in ("refuted", "ill-typed") or not (left.shown or right.shown):
            return judged
        other, dotted = (left, right) if right.shown else (right, left)
        false = self._corner(statement, chain, other, dotted, seed)
        if false is not None:
            return replace(false, left=left)
        if judged.verdict.outcome == "ill-typed":
            return judged
        return Judged(Verdict("unknown", diagnostics=(explain.hidden(right.span),)), left)

    def _as_written(
        self, statement: Statement, chain: Chain, left: Member, right: Member, seed: int
    ) -> Judged:
        assert isinstance(left.value, Tensor)
        assert isinstance(right.value, Tensor)
        compared = compare(statement, chain, left.value, right.value, right)
        if isinstance(compared, Diagnostic):
            compared = explain.shaped(compared, self.page.symbols, left.value, right.value)
            shaky = left.shaky or right.shaky
            if compared.code == "SD024":
                return Judged(Verdict("unknown", diagnostics=(compared,)), left)
            if shaky is not None and compared.code == "SD002":
                return Judged(Verdict("unknown", diagnostics=(guessed(compared, shaky),)), left)
            return Judged(Verdict("ill-typed", diagnostics=(compared,)), left)
        return self._weighed(statement, chain, compared, (left, right), seed)

    def _weighed(
        self, statement: Statement, chain: Chain, compared: Compared, sides: tuple[Member, Member], seed: int
    ) -> Judged:
        """Decide a goal, and hold what was found against what else the page says."""
        left, right = sides
        compared = freed(compared)
        apart = unreached(compared.goal)
        if apart is not None and compared.goal.right != 0:
            found = explain.unreached(right.span, *map(explain.plain, apart))
            return Judged(Verdict("unknown", diagnostics=(found,)), left)
        around = other_ways(compared.goal)
        if around is not None:
            found = explain.other_ways(right.span, *map(explain.plain, around))
            return Judged(Verdict("unknown", diagnostics=(found,)), left)
        tied = implicit(compared.goal)
        if tied is not None:
            found = explain.implicit(right.span, *map(explain.plain, tied))
            return Judged(Verdict("unknown", diagnostics=(found,)), left)
        verdict, disagreement = decide(
            compared.goal,
            right.span,
            seed=seed,
            deadline=time.monotonic() + NUMBERS,
            written=lambda: undefined(self.page, compared.goal, left, right),
            almost=lambda: sets_aside(self.page.source.text) or _passes_kink(chain, compared.goal),
            recall=self.recall,
            memory=self.memory,
        )
        empty = self._vanishing(compared.goal) if verdict.outcome != "unknown" else None
        if empty is not None:
            found = explain.vanishing(right.span, explain.plain(empty))
            return Judged(Verdict("unknown", diagnostics=(found,)), left)
        if apart is not None and verdict.outcome == "proved":
            verdict = replace(verdict, diagnostics=(explain.zero(right.span, *map(explain.plain, apart)),))
        rests_on = used(self.memory, statement, compared, verdict)
        clash = right.clash or left.clash
        if clash is not None and verdict.outcome != "refuted":
            outcome: Outcome = "ill-typed" if clash.code == "SD002" else "unknown"
            return Judged(Verdict(outcome, diagnostics=(clash,)), left)
        if verdict.outcome == "refuted":
            why = doubt(statement, compared, right.span, self.page)
            why = why or hinted(statement, compared.goal, right.span, seed)
            if why is not None:
                return Judged(Verdict("unknown", diagnostics=(why,)), left)
            verdict = completed(statement, compared.goal, right.span, seed) or verdict
            if verdict.outcome == "unknown":
                return Judged(verdict, left)
            verdict = fulfilled(self.page, statement, compared.goal, right.span, seed) or verdict
        return Judged(verdict, left, disagreement, rests_on)

    def _vanishing(self, goal: Goal) -> str | None:
        """Return a number that a goal differentiates and that is 0 throughout by its definition, or None.

        Such is a loss whose targets the page defines as the predictions: of it nothing is meant to be said.
        A step that has a number on one side says that it is zero.
        """
        if not (goal.left.free_symbols and goal.right.free_symbols):
            return None
        for slope in sorted(goal.left.atoms(D) | goal.right.atoms(D), key=str):
            name = name_of(slope.term)
            definition = None if name is None else goal.context.definitions.get(name)
            if name is None or definition is None or definition.slots:
                continue
            if name not in self.zeros:
                here = Goal(slope.term, Integer(0), context=goal.context)
                found = screen(here, deadline=time.monotonic() + NUMBERS, extent="brief").agreement
                self.zeros[name] = found is not None and found.entries > 0
            if self.zeros[name]:
                return name
        return None

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
                proof, _ = proof_of(
                    Goal(asked.value.body, derived, ranges, (), statement.context), self.memory
                )
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


def _reason(member: Member) -> str | None:
    return member.value.diagnostic.message if isinstance(member.value, Failure) else None


def _passes_kink(chain: Chain, goal: Goal) -> bool:
    """Tell whether some member of a chain has a derivative that is claimed almost everywhere."""
    sides = [one.value.body for one in chain.members if isinstance(one.value, Tensor)]
    return any(passes_kink(Anatomy(Goal(side, Integer(0), context=goal.context))) for side in sides)


def open_page(path: str, text: str) -> Session:
    """Read, parse and elaborate a document, in the layout that it tells or that is inferred.

    What it holds never raises.
    """
    document = read(path, text)
    sessions: dict[str, Session] = {}

    def session(layout: str) -> Session:
        if layout not in sessions:
            sessions[layout] = _opened(document, layout)
        return sessions[layout]

    first = _opened(document)
    sessions[first.page.layout] = first
    layouts = inferred(first.page, lambda layout: session(layout).page, first.recall)
    found = session(layouts.page)
    found.layouts = layouts
    found.laid_out = {
        place.read: sessions[place.read] for place in layouts.places.values() if place.read != layouts.page
    }
    return found


def _opened(document: Document, layout: str | None = None) -> Session:
    """Elaborate a document in one layout throughout."""
    page = elaborate(document, layout=layout)
    members = (member for chain in page.chains for member in chain.members)
    two = page.two_readings or any(member.two_readings for member in members)
    return Session(
        page,
        other=Session(elaborate(document, turned=True, layout=layout)) if two else None,
        alone=cache(lambda: Session(elaborate(document, alone=True, layout=layout)))
        if page.goes_on
        else None,
    )

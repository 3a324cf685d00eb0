"""Why numbers against a step tell nothing: the page says more of its names than the sampled points obey.

A refutation stands only where none of these doubts has a reason.
"""

from __future__ import annotations

import re
import time
from dataclasses import replace

from sympy.logic.boolalg import Boolean

from symderiv.diagnostics import Diagnostic, Span
from symderiv.judge import explain
from symderiv.judge.conventions import readings
from symderiv.judge.decision import NUMBERS, refuted
from symderiv.judge.refute import screen
from symderiv.judge.verdict import Verdict
from symderiv.kernel.substitution import names_in
from symderiv.kernel.terms import D, Goal, Size, Unknown
from symderiv.meaning import (
    Compared,
    applied,
    by_entries,
    in_steps,
    names_of,
    one_sided,
    tells,
    twofold,
    unnamed,
    unranged,
)
from symderiv.meaning.conditionals import is_conditional
from symderiv.meaning.fulfilled import fulfilling
from symderiv.meaning.model import Page, Statement
from symderiv.meaning.unknowns import veiled


def doubt(statement: Statement, compared: Compared, span: Span, page: Page) -> Diagnostic | None:
    """Return why numbers against a step tell nothing: the page does not say all that it is about."""
    goal = compared.goal
    if statement.imposed or compared.unused:
        return explain.imposed(span, [each.latex for each in statement.assumptions if each.fact is None])
    functions = unnamed(goal, page.maps)
    if functions and _holds_for_some(goal, functions, page):
        return explain.unnamed(span, explain.plain(functions[0]))
    for name in sorted(page.functions.keys() & applied(goal)):
        return explain.early(span, explain.plain(name))
    unsaid = _left_open(goal, span, page)
    if unsaid is not None:
        return unsaid
    unknown = veiled(goal, {**page.veiled, **compared.veils})
    if unknown is not None:
        return explain.veiled(span, explain.plain(unknown))
    for name in sorted(page.stepped & in_steps(goal)):
        return explain.stepped(span, explain.plain(name))
    for name in sorted(page.restricted & names_of(goal)):
        return explain.restricted(span, explain.plain(name))
    for name in sorted(statement.again.keys() & names_of(goal)):
        return explain.again(span, explain.plain(name), statement.again[name][1])
    for name in sorted(statement.elsewhere.keys() & _written(goal)):
        return explain.elsewhere(span, explain.plain(name), statement.elsewhere[name])
    if unranged(goal):
        return explain.unranged(span)
    told = tells(goal, page.maps)
    if told is not None:
        return explain.tells(span, explain.plain(told))
    left_open = one_sided(goal, page.maps) or twofold(goal) or by_entries(goal)
    return None if left_open is None else explain.undefined(span, explain.plain(left_open))


def _holds_for_some(goal: Goal, functions: list[str], page: Page) -> bool:
    """Tell whether a step may hold for what readers take a letter for that the page does not explain."""
    end = time.monotonic() + NUMBERS
    found = readings(goal, functions, page.source.text)
    return found is None or any(screen(each, deadline=end, extent="brief").witness is None for each in found)


def _left_open(goal: Goal, span: Span, page: Page) -> Diagnostic | None:
    """Return what the page does not say of the names of a goal."""
    used = names_of(goal)
    for matrix, vectors in sorted(pair for pair in page.gathered if used.issuperset(pair)):
        return explain.gathered(span, explain.plain(matrix), explain.plain(vectors))
    for name in sorted(page.loose & (used | applied(goal))):
        if not _speaks_of_one_alone(goal, name):
            return explain.loose(span, explain.plain(name))
    for name in sorted(page.limited & used):
        return explain.limited(span, explain.plain(name))
    return None


def _written(goal: Goal) -> set[str]:
    """Return the names of a goal and of the definitions that it rests on, not what an unknown loss sees."""
    found: set[str] = set()
    waiting = {name for side in (goal.left, goal.right) for name in names_in(side)}
    waiting |= {str(each.args[0]) for side in (goal.left, goal.right) for each in side.atoms(Unknown)}
    while waiting:
        name = waiting.pop()
        found.add(name)
        definition = goal.context.definitions.get(name)
        if definition is not None:
            waiting |= set(names_in(definition.body)) - found
            waiting |= {str(each.args[0]) for each in definition.body.atoms(Unknown)} - found
    return found


_OF_VALUES = re.compile(r"(\(|,|\\mid|=)\s*\\cdot")
"""A probability for each value of a variable: these sum to 1."""


def _speaks_of_one_alone(goal: Goal, name: str) -> bool:
    """Tell whether a step speaks of the same probability of several examples, and of nothing else.

    Such is `\\log \\prod_i p(x_i | \\theta) = \\prod_i \\log p(x_i | \\theta)`.
    """
    known = goal.context.definitions
    sides = [goal.left, goal.right, *(known[each].body for each in names_of(goal) & known.keys())]
    inside = set[str]().union(*map(names_in, sides)) - known.keys()
    slopes = any(side.has(D) or side.has(Unknown) for side in sides)
    entries = "\\cdot" in name and not _OF_VALUES.search(name)
    return is_conditional(name) and entries and inside == {name} and not slopes


def completed(statement: Statement, goal: Goal, span: Span, seed: int) -> Verdict | None:
    """Return what numbers say of a step under the meaning that the page gives its names only below."""
    names = sorted(statement.later.keys() & names_of(goal))
    if not names or statement.whole is None:
        return None
    applied = {str(each.args[0]) for side in (goal.left, goal.right) for each in side.atoms(Unknown)}
    applied |= set(names) - statement.whole.definitions.keys()
    witness = None
    if not applied.intersection(names):
        whole = replace(goal, context=statement.whole)
        if tells(whole) is None:
            witness = screen(whole, seed=seed, deadline=time.monotonic() + NUMBERS).witness
    if witness is not None:
        return refuted(witness, span)
    name = next((each for each in names if each in applied), names[0])
    found = explain.later(span, explain.plain(name), statement.later[name])
    return Verdict("unknown", diagnostics=(found,))


def hinted(statement: Statement, goal: Goal, span: Span, seed: int) -> Diagnostic | None:
    """Return the doubt that a step holds within bounds that the page mentions, unless numbers deny it."""
    assumed = {name for fact in goal.assumptions for name in names_in(fact)}
    for name in sorted((statement.hints.keys() & names_of(goal)) - assumed):
        for bounds in statement.hints[name]:
            known = dict(goal.context.bounds)
            within = known | {name: known[name].both(bounds) if name in known else bounds}
            narrower = replace(goal, context=replace(goal.context, bounds=within))
            if screen(narrower, seed=seed, deadline=time.monotonic() + NUMBERS).witness is None:
                return explain.mentioned(span, explain.plain(name))
    return None


def fulfilled(page: Page, statement: Statement, goal: Goal, span: Span, seed: int) -> Verdict | None:
    """Return the refutation by a witness of which the words on its names are true, if there are any words."""
    sizes = {size.name for side in (goal.left, goal.right) for size in side.atoms(Size)}
    conditions: list[Boolean] = []
    described = dict(page.described)
    for name, (line, words) in statement.remarks.items():
        described[name] = (line, f"{described[name][1]} and {words}" if name in described else words)
    known = names_of(goal) | sizes
    names = sorted((described.keys() & known) | statement.remarks.keys())
    for name in names:
        line, words = described[name]
        more = None if name not in known else fulfilling(words, name, goal)
        if more is None:
            return Verdict("unknown", diagnostics=(explain.described(span, explain.plain(name), line),))
        conditions.extend(more)
    if not conditions:
        return None
    narrower = replace(goal, assumptions=(*goal.assumptions, *conditions))
    witness = screen(narrower, seed=seed, deadline=time.monotonic() + NUMBERS).witness
    if witness is None:
        found = explain.described(span, explain.plain(names[0]), described[names[0]][0])
        return Verdict("unknown", diagnostics=(found,))
    return refuted(witness, span)

"""On what a verdict rests: assumptions that a proof used, and conditions that a page does not tell."""

from __future__ import annotations

from dataclasses import replace

from sympy.logic.boolalg import Boolean

from symderiv.judge.decision import Judged, proof_of
from symderiv.judge.verdict import Verdict
from symderiv.kernel.assuming import told
from symderiv.kernel.equality import Proved
from symderiv.kernel.memory import Memory
from symderiv.kernel.terms import Definite, Goal, Index, Size
from symderiv.meaning import Compared, names_of
from symderiv.meaning.domains import domains, folded
from symderiv.meaning.hypotheses import written
from symderiv.meaning.model import Assumption, Chain, Member, Page, Statement, Tensor

_MOST_TRIED = 3
"""So many assumptions that a proof used are tried for one without them."""


def used(
    memory: Memory, statement: Statement, compared: Compared, verdict: Verdict
) -> tuple[str, ...] | None:
    """Return the assumptions on which a proof rests, and the entries of which it speaks."""
    if not isinstance(verdict.proof, Proved) or compared.given is None or not statement.assumptions:
        return None
    both = list(zip(statement.assumptions, compared.given, strict=True))
    named = {*verdict.proof.hypotheses}
    kept = [
        (a, facts) for a, facts in both if {*map(told, facts)} & named or any(map(_is_always_told, facts))
    ]
    if len(kept) < len(both) and not proves(memory, compared.goal, kept):
        return tuple(written(a, facts) for a, facts in both)
    fired = [each for each in kept if not any(map(_is_always_told, each[1]))]
    for each in fired[:_MOST_TRIED]:
        fewer = [other for other in kept if other is not each]
        if proves(memory, compared.goal, fewer):
            kept = fewer
    return tuple(written(a, facts) for a, facts in kept)


def _is_always_told(fact: Boolean) -> bool:
    """Tell whether a fact is printed beside a proof that the kernel does not say to rest on it.

    One about indices says of which entries the step speaks; that a matrix is definite the kernel never names.
    """
    return isinstance(fact, Definite) or all(isinstance(each, Index | Size) for each in fact.free_symbols)


def proves(memory: Memory, goal: Goal, given: list[tuple[Assumption, tuple[Boolean, ...]]]) -> bool:
    """Tell whether a goal has a proof under some of its assumptions."""
    assumptions = tuple(fact for _, facts in given for fact in facts)
    return proof_of(replace(goal, assumptions=assumptions), memory)[0] is not None


def undefined(page: Page, goal: Goal, left: Member, right: Member) -> tuple[Boolean, ...]:
    """Return where the sides were defined as the page writes them, and the terms no longer tell."""
    names = names_of(goal) & page.partial.keys() if page.partial else set()
    partial = [*left.partial, *right.partial, *(one for name in names for one in page.partial[name])]
    definitions = goal.context.definitions
    bodies = [definitions[name].body for name in names if name in definitions]
    return folded(partial, [goal.left, goal.right, *bodies])


def conditions(chain: Chain, statement: Statement, judged: Judged) -> list[str]:
    """Return where a step holds that was not refuted: conditions that the page does not tell."""
    if judged.verdict.outcome not in ("proved", "tested") or statement.context is None:
        return []
    assert statement.member is not None
    right = chain.members[statement.member]
    sides = [each.value for each in (judged.left, right) if each is not None]
    tensors = [side for side in sides if isinstance(side, Tensor)]
    given = [a for a in statement.assumptions if judged.used is None or a.latex in judged.used]
    return domains(tensors, statement.context, given)

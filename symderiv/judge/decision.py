"""One goal is decided: by numbers, then by the kernel, then by more numbers where there is no proof.

A proof that numbers contradict is no verdict but a bug of ours. Without a proof the sampled points go
further, to special points and far sizes: a witness refutes, agreement is *tested*, and what cannot be sampled
stays *unknown*.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from sympy.logic.boolalg import Boolean

from symderiv.diagnostics import Span
from symderiv.judge import explain
from symderiv.judge.numeric import Extent
from symderiv.judge.recall import Recall
from symderiv.judge.refute import Screening, screen
from symderiv.judge.verdict import Verdict, Witness
from symderiv.kernel.equality import Proved, Residue, prove
from symderiv.kernel.memory import Memory
from symderiv.kernel.terms import Goal, KernelError
from symderiv.meaning.model import Member

NUMBERS = 4.0
"""Seconds that sampling may take for one comparison."""


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
    proof, left = proof_of(goal, memory)
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
        return refuted(screening.witness, span), False
    return _unproved(screening, span, left), False


def _assumes_functions(goal: Goal) -> bool:
    """Tell whether an assumption is about an unknown function: a sampled value says nothing of slopes."""
    names = {
        name
        for fact in goal.assumptions
        for symbol in fact.free_symbols
        if (name := str(getattr(symbol, "name", "")))
    }
    return bool(names & goal.context.opaque.keys())


def proof_of(goal: Goal, memory: Memory | None) -> tuple[Proved | None, Residue | str]:
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


def refuted(witness: Witness, span: Span) -> Verdict:
    """Return the verdict on a goal that a witness refutes."""
    return Verdict(
        "refuted", method="witness", witness=witness, diagnostics=(explain.false_step(span, witness),)
    )


def _unproved(screening: Screening, span: Span, left: Residue | str) -> Verdict:
    why = explain.residue(left.term, left.note) if isinstance(left, Residue) else left
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
    slope = explain.slope_in(left.term) if isinstance(left, Residue) else None
    return Verdict("unknown", diagnostics=(explain.not_decided(span, reason, why, slope),))


def _sampled(screening: Screening) -> str:
    return (
        "; ".join(
            ", ".join(f"{name} = {value}" for name, value in sizes.items())
            for sizes in screening.sizes
            if sizes
        )
        or "all"
    )

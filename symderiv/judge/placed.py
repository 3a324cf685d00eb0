"""What is said of a step that depends on the layout of derivatives."""

from __future__ import annotations

from dataclasses import replace

from symderiv.diagnostics import Span
from symderiv.judge import explain
from symderiv.judge.decision import Judged
from symderiv.judge.layouts import Place
from symderiv.judge.verdict import Verdict
from symderiv.meaning.model import Page

HOLDS = frozenset({"proved", "tested"})
"""The outcomes of steps that pass."""


def named(page: Page, step: int, judged: Judged, place: Place) -> Judged:
    """Return a verdict in the layout of a step with its name, and what is to be said of that."""
    verdict = judged.verdict
    if verdict.outcome not in HOLDS:
        return judged
    found = verdict.diagnostics
    span = page.statements[step].span
    others = _others(page, place)
    if place.stray:
        found += (explain.stray(span, place.name, place.around, others, settled=True),)
    elif place.first:
        found += (explain.layout(span, place.name, [line for line, _ in others]),)
    return replace(judged, verdict=replace(verdict, layout=place.name, diagnostics=found))


def strayed(page: Page, step: int, judged: Judged, place: Place) -> Judged:
    """Return the verdict on a step that holds in another layout than the page around it has."""
    verdict = judged.verdict
    others = _others(page, place)
    if place.blamed and verdict.diagnostics:
        first, *rest = verdict.diagnostics
        told = explain.also_true(first, place.name, place.around, [line for line, _ in others])
        found = (told, *rest)
        return replace(judged, verdict=replace(verdict, layout=place.around[0], diagnostics=found))
    span = page.statements[step].span
    told = explain.stray(span, place.name, place.around, others, settled=False)
    return Judged(Verdict("unknown", layout=place.name, diagnostics=(told,)), judged.left)


def _others(page: Page, place: Place) -> list[tuple[int, Span]]:
    """Return the lines of the other steps that are named, and where they are."""
    spans = [page.statements[other].span for other in place.others]
    return [(page.source.position(span.start)[0], span) for span in spans]

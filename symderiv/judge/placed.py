"""What is said of a step that depends on the layout of derivatives."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace

from symderiv.diagnostics import Span
from symderiv.judge import explain
from symderiv.judge.decision import Judged
from symderiv.judge.layouts import Place
from symderiv.judge.verdict import Verdict
from symderiv.meaning.model import Page

_HOLDS = frozenset({"proved", "tested"})
"""The outcomes of steps that pass."""


def decided(
    page: Page, step: int, place: Place, *, own: Callable[[], Judged], whole: Callable[[], Judged]
) -> Judged:
    """Return the verdict on a step, judged in the layout that is its own or in that of the page."""
    if place.late:
        return _untried(page, step, whole())
    if not place.stray or place.granted:
        return _named(page, step, own(), place)
    judged = whole()
    if judged.verdict.outcome in _HOLDS or own().verdict.outcome not in _HOLDS:
        return judged
    return _strayed(page, step, judged, place)


def _named(page: Page, step: int, judged: Judged, place: Place) -> Judged:
    """Return a verdict in the layout of a step with its name, and what is to be said of that."""
    verdict = judged.verdict
    if verdict.outcome not in _HOLDS:
        return judged
    found = verdict.diagnostics
    span = page.statements[step].span
    others = list(zip(_lines(page, place.others), _spans(page, place.others), strict=True))
    if place.stray:
        found += (
            explain.stray(span, place.name, place.around, others, settled=True, spoken=_spoken(page, place)),
        )
    elif place.first:
        agree, against = (_lines(page, steps) for steps in (place.others, place.elsewhere))
        found += (explain.layout(span, place.name, agree, place.around, against),)
    return replace(judged, verdict=replace(verdict, layout=place.name, diagnostics=found))


def _strayed(page: Page, step: int, judged: Judged, place: Place) -> Judged:
    """Return the verdict on a step that holds in another layout than the page around it has."""
    verdict = judged.verdict
    others = list(zip(_lines(page, place.others), _spans(page, place.others), strict=True))
    if place.blamed and verdict.diagnostics:
        first, *rest = verdict.diagnostics
        told = explain.also_true(first, place.name, place.around, _lines(page, place.others))
        found = (told, *rest)
        return replace(judged, verdict=replace(verdict, layout=place.around[0], diagnostics=found))
    span = page.statements[step].span
    spoken = _spoken(page, place)
    told = explain.stray(span, place.name, place.around, others, settled=False, spoken=spoken)
    return Judged(Verdict("unknown", layout=place.name, diagnostics=(told,)), judged.left)


def _untried(page: Page, step: int, judged: Judged) -> Judged:
    """Return the verdict on a step that is not blamed where other layouts were not tried."""
    if judged.verdict.outcome not in ("refuted", "ill-typed"):
        return judged
    found = explain.untried(page.statements[step].span)
    return Judged(Verdict("unknown", diagnostics=(found,)), judged.left)


def _spans(page: Page, steps: Iterable[int]) -> list[Span]:
    """Return where some steps are."""
    return [page.statements[step].span for step in steps]


def _lines(page: Page, steps: Iterable[int]) -> list[int]:
    """Return the lines of some steps."""
    return [page.source.position(span.start)[0] for span in _spans(page, steps)]


def _spoken(page: Page, place: Place) -> tuple[str, int] | None:
    """Return the layout that the page speaks of, and the line."""
    said = place.spoken
    return None if said is None else (said.layout, page.source.position(said.start)[0])

"""The lines at the end of a report: how many steps got each verdict, and an account of every span of mathematics."""

from __future__ import annotations

from rich.text import Text

from symderiv.report.model import SPAN_KINDS, FileReport, Report, SpanKind, Summary
from symderiv.report.text import safe

STYLES = {
    "proved": "green", "tested": "yellow", "refuted": "bold red", "ill-typed": "bold red", "unknown": "yellow",
    "unread": "yellow",
}
_HOLDS: dict[SpanKind, str] = {
    "steps": "with steps", "unread": "unread", "definitions": "with definitions",
    "declarations": "with declarations or assumptions", "relations": "not checked", "nothing": "that state nothing",
}
_DOT = " · "


def plural(count: int, noun: str) -> str:
    """Return a count with its noun: `1 step`, `2 steps`."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def verdicts(summary: Summary) -> Text:
    """Return `20 proved · 2 refuted · 3 not checked`, without the verdicts that nothing got."""
    parts = [Text(f"{count} {outcome}", STYLES[outcome]) for outcome, count in summary.verdicts.items() if count]
    if summary.as_expected:
        parts.append(Text(f"{summary.as_expected} of them wrong on purpose"))
    if summary.not_checked:
        parts.append(Text(f"{summary.not_checked} not checked"))
    return Text(_DOT).join(parts or [Text("no steps")])


def spans(summary: Summary) -> Text:
    """Return `58 math spans: 23 with steps, 10 with definitions, …`; the parts add up to the whole."""
    line = Text(plural(summary.math_spans, "math span"))
    counts = summary.spans or {}
    parts = [f"{counts[kind]} {_HOLDS[kind]}" for kind in SPAN_KINDS if counts.get(kind)]
    return line.append(": " + ", ".join(parts)) if parts else line


def file_line(file: FileReport) -> Text:
    """Return the line of one file: `softmax.md  31 steps proved, all sizes`, or how many got each verdict."""
    line = Text(safe(file.path) + "  ")
    summary = Summary.of((file,), file.seconds)
    proved = summary.verdicts["proved"]
    if proved and proved == summary.steps and file.exit_status() == 0:
        everywhere = all(s.sizes in {None, "all"} for s in file.statements if s.verdict == "proved")
        sizes = "all sizes" if everywhere else "some for certain sizes only"
        line.append(f"{plural(proved, 'step')} proved, {sizes}", "green")
        if summary.not_checked:
            line.append(f"{_DOT}{summary.not_checked} not checked")
    else:
        line.append_text(verdicts(summary))
    return line.append(f"{_DOT}interrupted", "bold red") if file.interrupted else line


def summary_lines(report: Report) -> list[Text]:
    """Return the account of the whole run."""
    summary = report.summary
    first = verdicts(summary)
    if len(report.files) > 1:
        first.append(f"{_DOT}{plural(len(report.files), 'file')}")
    failed = sum(file.error is not None for file in report.files)
    if failed:
        first.append(f"{_DOT}{failed} not read", "bold red")
    lines = [first, spans(summary).append(f"{_DOT}{summary.seconds:.1f} s")]
    if report.interrupted:
        lines.append(Text("interrupted: what is above is what was known by then", "bold red"))
    return lines

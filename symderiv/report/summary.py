"""The end of a report: how many steps got each verdict, and an account of every span of mathematics."""

from __future__ import annotations

from collections.abc import Sequence

from rich.cells import cell_len
from rich.text import Text

from symderiv.report.model import SPAN_KINDS, FileReport, Report, SpanKind, Summary
from symderiv.report.text import readable, safe

STYLES = {
    "proved": "green",
    "tested": "yellow",
    "refuted": "bold red",
    "ill-typed": "bold red",
    "unknown": "yellow",
    "unread": "yellow",
}
_HOLDS: dict[SpanKind, str] = {
    "steps": "with steps",
    "unread": "unread",
    "definitions": "with definitions",
    "declarations": "with declarations or assumptions",
    "relations": "not checked",
    "nothing": "that state nothing",
}
_DOT = " · "


def plural(count: int, noun: str) -> str:
    """Return a count with its noun: `1 step`, `2 steps`."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def verdicts(summary: Summary) -> list[Text]:
    """Return `20 proved`, `2 refuted`, `3 not checked`, without the verdicts that nothing got."""
    parts = [
        Text(f"{count} {outcome}", STYLES[outcome]) for outcome, count in summary.verdicts.items() if count
    ]
    if summary.as_expected:
        parts.append(Text(f"{summary.as_expected} of them wrong on purpose"))
    if summary.not_checked:
        parts.append(Text(f"{summary.not_checked} not checked"))
    return parts or [Text("no steps")]


def spans(summary: Summary) -> list[Text]:
    """Return `58 math spans: 23 with steps`, `10 with definitions`, …; the parts add up to the whole."""
    whole = plural(summary.math_spans, "math span")
    counts = summary.spans or {}
    parts = [Text(f"{counts[kind]} {_HOLDS[kind]}") for kind in SPAN_KINDS if counts.get(kind)]
    return [Text(f"{whole}: ").append_text(parts[0]), *parts[1:]] if parts else [Text(whole)]


def packed(parts: Sequence[Text], between: str, width: int, *, indent: int = 2) -> list[Text]:
    """Return parts as lines that fit a width, a line broken between parts only; later lines are indented."""
    lines = [parts[0].copy()]
    for part in parts[1:]:
        if cell_len(lines[-1].plain) + len(between) + cell_len(part.plain) + 1 <= width:
            lines[-1].append(between).append_text(part)
        else:
            lines[-1].append(between.rstrip())
            lines.append(Text(" " * indent).append_text(part))
    return lines


def file_line(file: FileReport, width: int) -> list[Text]:
    """Return the line of one file: `softmax.md  31 steps proved, all sizes`, or how many got each verdict."""
    name = Text(safe(file.path) + "  ")
    parts = _proved(file) or verdicts(Summary.of((file,), file.seconds))
    under = dict.fromkeys(a for s in file.statements if s.verdict == "proved" for a in s.assumptions)
    if under:
        parts.append(Text(safe("under " + ", ".join(readable(each) for each in under))))
    if file.interrupted:
        parts.append(Text("interrupted", "bold red"))
    return packed([name.append_text(parts[0]), *parts[1:]], _DOT, width)


def _proved(file: FileReport) -> list[Text] | None:
    """Return `31 steps proved, all sizes` where every step of a file is proved and nothing is wrong."""
    summary = Summary.of((file,), file.seconds)
    proved = summary.verdicts["proved"]
    if not proved or proved != summary.steps or file.exit_status():
        return None
    everywhere = all(s.sizes in {None, "all"} for s in file.statements if s.verdict == "proved")
    sizes = "all sizes" if everywhere else "some for certain sizes only"
    parts = [Text(f"{plural(proved, 'step')} proved, {sizes}", "green")]
    return [*parts, Text(f"{summary.not_checked} not checked")] if summary.not_checked else parts


def summary_lines(report: Report, width: int) -> list[Text]:
    """Return the verdicts of the whole run, and its account."""
    return [*packed(_run(report), _DOT, width), *account(report, width)]


def _run(report: Report) -> list[Text]:
    parts = verdicts(report.summary)
    if len(report.files) > 1:
        parts.append(Text(plural(len(report.files), "file")))
    if failed := sum(file.error is not None for file in report.files):
        parts.append(Text(f"{failed} not read", "bold red"))
    return parts


def account(report: Report, width: int) -> list[Text]:
    """Return what became of every span of mathematics, the time, and whether Ctrl-C ended the run."""
    summary = report.summary
    parts = spans(summary)
    parts[-1].append(f"{_DOT}{summary.seconds:.1f} s")
    lines = packed(parts, ", ", width)
    if report.interrupted:
        lines.append(Text("interrupted: what is above is what was known by then", "bold red"))
    return lines

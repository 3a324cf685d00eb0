"""The full format: diagnostics with the lines of the source and carets, after rustc and ruff.

Contract: a line never exceeds the width; carets stand under the characters they mean, whatever the widths
of those; the text of the document is shown as it is, what a terminal would act on as an escape.

Vocabulary: the *gutter* is the column of line numbers; a *mark* is a row of carets with its words; the
*window* is the part of a long line that is shown.
"""

from __future__ import annotations

import re
import textwrap
from dataclasses import dataclass

from rich.cells import cell_len
from rich.text import Text

from symderiv.document import read
from symderiv.report import verbose as listing
from symderiv.report.concise import SEVERITY_STYLES, location
from symderiv.report.model import DiagnosticReport, FileReport, Place, Report, StatementReport, WitnessReport
from symderiv.report.summary import account, file_line, summary_lines
from symderiv.report.text import apart, cells, number, readable, safe

_BLUE = "bold blue"
_NARROWEST = 40
_EQUALS = "\xa0=\xa0"
"""An equals sign that no line is broken at."""
_COMMENT = re.compile(r"<!-- symderiv: .*?-->|% symderiv: .*")
"""A comment to the checker, which is there to be copied: it stays on one line."""
_WHOLE = 4
"""A span of more lines than this is shown by its first and last line."""


@dataclass(frozen=True, slots=True)
class _Mark:
    """Characters `start` to `end` (from 0) of a line, the sign that underlines them, and words beside it."""

    line: int
    start: int
    end: int | None
    sign: str
    style: str
    words: str


def render(report: Report, texts: dict[str, str], width: int, *, verbose: bool = False) -> list[Text]:
    """Return a whole report: each file, then the summary."""
    lines = [
        line
        for file in report.files
        for line in render_file(file, texts.get(file.path), width, verbose=verbose)
    ]
    return [*lines, *render_summary(report, width)]


def render_summary(report: Report, width: int) -> list[Text]:
    """Return the end of a report; the line of a single file has already given its verdicts."""
    if len(report.files) == 1:
        return account(report, width)
    return [Text(""), *summary_lines(report, width)]


def render_file(file: FileReport, text: str | None, width: int, *, verbose: bool = False) -> list[Text]:
    """Return the findings of one file, its listing when verbose, and its one line."""
    sources = {} if text is None else _sources(file, text)
    witnesses = _witnesses(file)
    lines: list[Text] = []
    for diagnostic in file.findings:
        if verbose or diagnostic.severity != "info":
            source = sources.get(diagnostic.span.cell if diagnostic.span else None)
            lines += [
                *render_diagnostic(diagnostic, file.path, source, width, witnesses.get(diagnostic)),
                Text(""),
            ]
    if file.error is not None:
        return lines
    if verbose:
        lines += [*listing.render_file(file, width), Text("")]
    return [*lines, *file_line(file, width)]


def _sources(file: FileReport, text: str) -> dict[int | None, list[str]]:
    """Return the lines of a file, and those of each cell if it is a notebook."""
    sources: dict[int | None, list[str]] = {None: text.split("\n")}
    if any(diagnostic.span and diagnostic.span.cell for diagnostic in file.findings):
        sources |= {cell.number: cell.text.split("\n") for cell in read(file.path, text).source.cells}
    return sources


def _witnesses(file: FileReport) -> dict[DiagnosticReport, WitnessReport]:
    """Return the witness of each refutation whose notes do not already give the two numbers."""
    found: dict[DiagnosticReport, WitnessReport] = {}
    for statement in file.statements:
        diagnostic = _refutation(statement)
        if statement.witness and diagnostic and not any("left =" in note for note in diagnostic.notes):
            found[diagnostic] = statement.witness
    return found


def _refutation(statement: StatementReport) -> DiagnosticReport | None:
    return next((d for d in statement.diagnostics if d.code == "SD001"), None)


def render_diagnostic(
    diagnostic: DiagnosticReport,
    path: str,
    source: list[str] | None,
    width: int,
    witness: WitnessReport | None = None,
) -> list[Text]:
    """Return one diagnostic: headline, place, the lines of the source with carets, notes and help."""
    width = max(width, _NARROWEST)
    style = SEVERITY_STYLES[diagnostic.severity]
    headline = f"{diagnostic.severity}[{diagnostic.code}]"
    message = _wrap(readable(safe(diagnostic.message)), width - len(headline) - 2)
    lines = [Text.assemble((headline, style), (f": {message[0]}", "bold"))]
    lines += [Text(" " * (len(headline) + 2) + rest, "bold") for rest in message[1:]]
    marks = _marks(diagnostic, source, style)
    gutter = len(str(max((mark.line for mark in marks), default=0)))
    if diagnostic.span is not None:
        lines.append(Text.assemble((" " * gutter + "--> ", _BLUE), location(path, diagnostic)))
    if source is not None and marks:
        lines += _excerpt(marks, source, gutter, width)
        if witness or diagnostic.notes or diagnostic.help:
            lines.append(_bar(gutter))
    notes = ([_witness_note(witness)] if witness else []) + [
        readable(safe(note)) for note in diagnostic.notes
    ]
    for note in notes:
        lines += _remark("note", note, gutter, width)
    if diagnostic.help:
        lines += _remark("help", readable(safe(diagnostic.help)), gutter, width)
    return lines


def _witness_note(witness: WitnessReport) -> str:
    """Return `at N = 2, i = 1, x = [0.5, -1]: left = 0.1966, right = -0.1966`."""
    named = {**witness.sizes, **witness.indices, **witness.values}
    where = ", ".join(f"{readable(safe(name))} = {safe(number(value))}" for name, value in named.items())
    left, right = apart(witness.left, witness.right)
    sides = f"left = {safe(left)}, right = {safe(right)}"
    return (f"at {where}: {sides}" if where else sides).replace(" = ", _EQUALS)


def _remark(word: str, text: str, gutter: int, width: int) -> list[Text]:
    """Return `  = note: …`, wrapped, the lines that follow indented to the first word."""
    head = " " * (gutter + 1) + "= "
    indent = len(head) + len(word) + 2
    first, *rest = _wrap(text, width - indent)
    return [
        Text.assemble((head, _BLUE), (word, "bold"), f": {first}"),
        *(Text(" " * indent + line) for line in rest),
    ]


def _wrap(text: str, width: int) -> list[str]:
    text = _COMMENT.sub(lambda match: match.group().replace(" ", "\xa0"), text)
    lines = textwrap.wrap(text, max(width, 10), break_on_hyphens=False) or [""]
    return [line.replace("\xa0", " ") for line in lines]


def _marks(diagnostic: DiagnosticReport, source: list[str] | None, style: str) -> list[_Mark]:
    """Return the marks of a diagnostic in the order of the lines."""
    count = len(source) if source is not None else 0
    if diagnostic.span is None:
        return []
    marks = _over(diagnostic.span, "^", style, readable(safe(diagnostic.label)), count)
    for label in diagnostic.labels:
        if label.span.cell != diagnostic.span.cell:
            continue
        marks += _over(label.span, "-", _BLUE, readable(safe(label.text)), count)
    return sorted(marks, key=lambda mark: mark.line)


def _over(place: Place, sign: str, style: str, words: str, count: int) -> list[_Mark]:
    """Return a mark for each line of a place that is shown; the words stand beside the last."""
    last = place.end_line if place.end_column > 1 or place.end_line == place.line else place.end_line - 1
    shown = list(range(place.line, last + 1))
    if len(shown) > _WHOLE:
        shown = [place.line, last]
    return [
        _Mark(
            line=line,
            start=place.column - 1 if line == place.line else 0,
            end=place.end_column - 1 if line == place.end_line else None,
            sign=sign,
            style=style,
            words=words if line == last else "",
        )
        for line in shown
        if 1 <= line <= count
    ]


def _excerpt(marks: list[_Mark], source: list[str], gutter: int, width: int) -> list[Text]:
    """Return the marked lines of the source, each followed by its marks; `...` where lines are left out."""
    lines = [_bar(gutter)]
    before = marks[0].line
    for row in dict.fromkeys(mark.line for mark in marks):
        if row > before + 1:
            lines.append(Text("...", _BLUE))
        here = [mark for mark in marks if mark.line == row]
        shown, rows = _line(source[row - 1].rstrip("\r"), here, width - gutter - 3)
        lines.append(Text.assemble((f"{row:>{gutter}} | ", _BLUE), shown))
        lines += [Text.assemble((" " * (gutter + 1) + "| ", _BLUE), under) for under in rows]
        before = row
    for line in lines:
        line.rstrip()
    return lines


def _bar(gutter: int) -> Text:
    return Text(" " * (gutter + 1) + "|", _BLUE)


def _line(line: str, marks: list[_Mark], room: int) -> tuple[str, list[Text]]:
    """Return the shown part of a line and the rows of marks under it."""
    shown = cells(line)
    edges = [0]
    for _, width in shown:
        edges.append(edges[-1] + width)
    ranges = [_range(mark, line, edges) for mark in marks]
    first, last = _window(ranges, marks, edges[-1], room)
    out, column = "", 0
    for text, width in shown:
        if first <= column and column + width <= last:
            out += text
        column += width
    cut_left, cut_right = first > 0, last < edges[-1]
    skipped = next((edge for edge in edges if edge >= first), first)
    shift = skipped - (1 if cut_left else 0)
    if cut_left:
        out = "…" + out
    if cut_right:
        out += "…"
    rows: list[Text] = []
    for mark, (start, end) in zip(marks, ranges, strict=True):
        rows += _row(mark, max(start - shift, 0), min(end, last) - shift, room)
    return out, rows


def _range(mark: _Mark, line: str, edges: list[int]) -> tuple[int, int]:
    """Return the cells that a mark covers, at least one, without the blanks at the ends of the line."""
    start, end = mark.start, len(line.rstrip()) if mark.end is None else mark.end
    blank = len(line) - len(line.lstrip())
    if start == 0 and blank < end:
        start = blank
    start, end = min(start, len(line)), min(max(end, start), len(line))
    return edges[start], max(edges[end], edges[start] + 1)


def _window(ranges: list[tuple[int, int]], marks: list[_Mark], total: int, room: int) -> tuple[int, int]:
    """Return the cells of a line that are shown: all if they fit, else those around the first mark."""
    if total <= room:
        return 0, total
    room -= 2
    start, end = ranges[0]
    words = cell_len(marks[0].words)
    wanted = min(end - start, room)
    after = min(words + 1, max(room - wanted, 0)) if words + 1 + wanted <= room else 0
    before = (room - wanted - after) // 2
    first = max(0, min(start - before, total - room))
    if first <= 1:
        first = 0
        return first, room + 1
    if first + room >= total - 1:
        return total - room - 1, total
    return first, first + room


def _row(mark: _Mark, start: int, end: int, room: int) -> list[Text]:
    """Return the carets with the words beside them, or under them where the line is full."""
    end = max(min(end, room), start + 1)
    carets = Text(" " * start).append(mark.sign * (end - start), mark.style)
    if not mark.words:
        return [carets]
    if end + 1 + cell_len(mark.words) <= room:
        return [carets.append(f" {mark.words}", mark.style)]
    indent = max(0, min(start, room - cell_len(mark.words)))
    return [
        carets,
        *(Text(" " * indent).append(line, mark.style) for line in _wrap(mark.words, room - indent)),
    ]

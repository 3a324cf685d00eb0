"""Where things are in a document, and what is said about them.

Vocabulary: a *source* is the text of one file; a *span* is a half-open range of its characters; a
*diagnostic* is one finding, with a code from the closed list `CODES`. Standard library only: every
other room may import this one.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from dataclasses import dataclass, field
from typing import Literal

Severity = Literal["error", "warning", "info"]


@dataclass(frozen=True, slots=True)
class Span:
    """Characters `start` to `end` (exclusive) of a source, counted from 0."""

    start: int
    end: int

    def to(self, other: Span) -> Span:
        """Return the smallest span that covers both."""
        return Span(min(self.start, other.start), max(self.end, other.end))


@dataclass(frozen=True, slots=True)
class Cell:
    """A cell of a notebook: its number from 1, its text, and its place in the file."""

    number: int
    text: str
    start: int
    ends: tuple[int, ...]
    """Where in the file each character of the text ends."""

    def position(self, offset: int) -> tuple[int, int]:
        """Return the 1-based line and column in the cell of an offset of the file."""
        before = self.within(Span(0, offset))
        return before.count("\n") + 1, len(before) - before.rfind("\n")

    def within(self, span: Span) -> str:
        """Return what stands in the cell between two offsets of the file."""
        return self.text[bisect_right(self.ends, span.start) : bisect_right(self.ends, span.end)]


@dataclass(frozen=True, slots=True)
class Source:
    """The text of one file and the starts of its lines; the cells, if it is a notebook."""

    path: str
    text: str
    cells: tuple[Cell, ...] = field(default=(), repr=False)
    starts: tuple[int, ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        starts = (0, *(match.end() for match in re.finditer("\n", self.text)))
        object.__setattr__(self, "starts", starts)

    def position(self, offset: int) -> tuple[int, int]:
        """Return the 1-based line and column of an offset."""
        line = bisect_right(self.starts, offset)
        return line, offset - self.starts[line - 1] + 1

    def cell(self, span: Span) -> Cell | None:
        """Return the cell in which a span begins, if the source is a notebook."""
        index = bisect_right(self.cells, span.start, key=lambda cell: cell.start) - 1
        return self.cells[index] if index >= 0 and span.start <= self.cells[index].ends[-1] else None

    def written(self, span: Span) -> str:
        """Return what stands at a span, as a person sees it: without the escapes of JSON."""
        cell = self.cell(span)
        return self.text[span.start : span.end] if cell is None else cell.within(span)

    def line(self, number: int) -> str:
        """Return the text of a 1-based line, without its line end."""
        start = self.starts[number - 1]
        end = self.starts[number] - 1 if number < len(self.starts) else len(self.text)
        return self.text[start:end].rstrip("\r")


@dataclass(frozen=True, slots=True)
class Code:
    """One kind of finding: stable `code` and `name`, and what `symderiv explain` tells of it."""

    code: str
    name: str
    severity: Severity
    explanation: str


_CODES = (
    Code(
        "SD001",
        "false-step",
        "error",
        "The two sides of this step differ. The witness gives sizes, indices and values at which they do, "
        "confirmed at two precisions.",
    ),
    Code(
        "SD002",
        "shape-mismatch",
        "error",
        "The two sides, or the operands of one operation, have shapes that do not agree for every size.",
    ),
    Code(
        "SD003",
        "free-index-mismatch",
        "error",
        "An index stands free on one side of the step only: the two sides are not the same kind of thing.",
    ),
    Code(
        "SD004",
        "undefined-name",
        "error",
        "A name is used that no definition, declaration or earlier member of the chain introduces.",
    ),
    Code("SD005", "index-escapes", "error", "A summed index is used outside its sum."),
    Code("SD006", "ill-typed-definition", "error", "The right side of this definition is not well-formed."),
    Code(
        "SD010",
        "unread",
        "error",
        "This LaTeX could not be read; the caret is under the token where reading stopped.",
    ),
    Code(
        "SD020",
        "not-decided",
        "warning",
        "The step was read, and neither proved nor refuted. The notes say what was tried and what is left.",
    ),
    Code("SD021", "out-of-budget", "warning", "Time or memory for this step ran out before it was decided."),
    Code(
        "SD022", "depends-on", "warning", "This step rests on another that was blamed or could not be read."
    ),
    Code(
        "SD023",
        "tested-only",
        "warning",
        "No proof was found; both sides agree at every sampled size and point: evidence, and no proof.",
    ),
    Code(
        "SD024",
        "not-supported",
        "warning",
        "The mathematics was read, but symderiv has no meaning for it yet.",
    ),
    Code(
        "SD101",
        "bound-index-reused",
        "warning",
        "An index is bound by a sum and free in the same term. The bound one was kept apart.",
    ),
    Code(
        "SD102",
        "sum-scope",
        "warning",
        "A term after the sum uses its bound index; a sum reaches over the product that follows it.",
    ),
    Code("SD103", "broadcast", "info", "Shapes were broadcast, as NumPy does."),
    Code(
        "SD104",
        "elementwise",
        "info",
        "An operation was read entry by entry, since it has no other meaning here.",
    ),
    Code("SD105", "unused-sum-index", "warning", "The summed index does not occur in the body of the sum."),
    Code("SD106", "constant-definition", "warning", "The quantity that is defined is constant or zero."),
    Code("SD107", "layout", "warning", "The verdict depends on the layout convention of derivatives."),
    Code(
        "SD108",
        "zero-derivative",
        "warning",
        "The quantity does not depend on the variable that it is differentiated by.",
    ),
    Code(
        "SD109", "unchecked-relation", "info", "Only `=` is checked; this relation was read and left alone."
    ),
    Code(
        "SD110",
        "answered",
        "info",
        "A question mark was answered with what the kernel derives, and proved to be equal.",
    ),
    Code("SD111", "second-meaning", "info", "A name is defined again: it has this meaning from here on."),
    Code(
        "SD112",
        "two-readings",
        "warning",
        "A formula, such as a sum with two letters below it, has two readings; one of them was taken.",
    ),
    Code("SD113", "held-fixed", "info", "A name was held fixed in a differential."),
    Code("SD114", "named-function", "info", "A letter was read as the function of which the page speaks."),
    Code(
        "SD115",
        "index-repeated",
        "warning",
        "Where repeated indices are summed, one stands more than twice; it is summed over the whole term.",
    ),
    Code(
        "SD201",
        "unknown-directive",
        "error",
        "A comment to the checker has a word that symderiv does not know.",
    ),
    Code("SD202", "unbalanced-math", "error", "A math delimiter is opened and never closed."),
    Code("SD203", "not-utf8", "error", "The file is not UTF-8 text."),
    Code("SD204", "empty-file", "error", "The file holds nothing."),
    Code("SD205", "no-mathematics", "warning", "The file holds no mathematics."),
    Code("SD206", "expectation", "error", "A step that was marked as wrong on purpose is not refuted."),
    Code(
        "SD207",
        "wrong-format",
        "error",
        "The file is not what its name says: a notebook that is no JSON, Python that cannot be parsed.",
    ),
    Code(
        "SD301",
        "disagreement",
        "error",
        "The kernel proved the step and the numerical check contradicts it: please report this bug of ours.",
    ),
)
CODES = {code.code: code for code in _CODES}
BY_NAME = {code.name: code for code in _CODES}


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """One finding: a headline that stands alone, its place, facts (`notes`) and at most one proved `help`."""

    code: str
    message: str
    span: Span
    notes: tuple[str, ...] = ()
    help: str | None = None
    labels: tuple[tuple[Span, str], ...] = ()
    """Further places in the same source, each with a few words beside its carets."""
    label: str = ""
    """A few words beside the carets under `span`."""

    def __post_init__(self) -> None:
        assert self.code in CODES, self.code

    @property
    def name(self) -> str:
        """The stable name of the code, e.g. `bound-index-reused`."""
        return CODES[self.code].name

    @property
    def severity(self) -> Severity:
        """`error`, `warning` or `info`."""
        return CODES[self.code].severity

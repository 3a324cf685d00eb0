r"""Text that a file holds in another form: in strings of Python or JSON, behind escapes and indentation.

A `View` is such a text, and for each of its characters the place in the file from which it comes. What is
read in it (`Document`) is given back with the places of the file (`onto`). The text of mathematics is then
as long as what is written for it in the file, so that an offset in one is an offset in the other: blanks
stand where the file has more characters, and always before a backslash, never after it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from symderiv.diagnostics import Diagnostic, Span
from symderiv.document.model import Directive, Document, Item, MathSpan, Prose


@dataclass(slots=True)
class View:
    """A text that is drawn from a file; it is written by appending to it."""

    pieces: list[str] = field(default_factory=list)
    """Its characters."""
    starts: list[int] = field(default_factory=list)
    ends: list[int] = field(default_factory=list)
    """Where in the file each character begins and ends; both are alike where the file has nothing for it."""

    @property
    def text(self) -> str:
        """The characters as a string."""
        return "".join(self.pieces)

    def take(self, character: str, start: int, end: int) -> None:
        """Append a character that the file writes between two offsets."""
        self.pieces.append(character)
        self.starts.append(start)
        self.ends.append(end)

    def add(self, words: str, at: int) -> None:
        """Append what is not in the file, at an offset of it."""
        self.pieces.extend(words)
        self.starts.extend([at] * len(words))
        self.ends.extend([at] * len(words))

    def copy(self, other: View, start: int, end: int) -> None:
        """Append some characters of another view of the same file."""
        self.pieces += other.pieces[start:end]
        self.starts += other.starts[start:end]
        self.ends += other.ends[start:end]

    def span(self, span: Span) -> Span:
        """Return the place in the file of some characters."""
        if not self.starts:
            return Span(0, 0)
        if span.start >= len(self.starts):
            return Span(self.ends[-1], self.ends[-1])
        start = self.starts[span.start]
        return Span(start, max(start, self.ends[span.end - 1]) if span.end > span.start else start)


def onto(view: View, document: Document, paragraph: int) -> Iterator[Item]:
    """Give the items of a document that was read in a view, with their places in the file.

    Its paragraphs are numbered from `paragraph`.
    """
    for item in document.items:
        if isinstance(item, MathSpan):
            yield _mathematics(view, item, paragraph)
        elif isinstance(item, Directive):
            inside = tuple(_mathematics(view, each, paragraph) for each in item.mathematics)
            yield replace(item, span=view.span(item.span), mathematics=inside)
        elif isinstance(item, Prose):
            yield replace(item, span=view.span(item.span), paragraph=item.paragraph + paragraph)
        else:
            yield replace(item, span=view.span(item.span))


def complaints(view: View, document: Document) -> Iterator[Diagnostic]:
    """Give what is wrong with a document that was read in a view, with the places in the file."""
    for each in document.diagnostics:
        yield replace(each, span=view.span(each.span))


def paragraphs(document: Document) -> int:
    """Return how many numbers the paragraphs of a document take."""
    return 1 + max((i.paragraph for i in document.items if isinstance(i, MathSpan | Prose)), default=0)


def _mathematics(view: View, item: MathSpan, paragraph: int) -> MathSpan:
    span = view.span(item.span)
    written = [" "] * (span.end - span.start)
    after = span.end
    for at in range(item.span.end - 1, item.span.start - 1, -1):
        character = item.text[at - item.span.start]
        if view.ends[at] > view.starts[at]:
            after = after - 1 if character == "\\" else view.ends[at] - 1
            written[after - span.start] = character
    return replace(
        item,
        text="".join(written),
        span=span,
        outer=view.span(item.outer),
        paragraph=item.paragraph + paragraph,
    )

"""A document as symderiv sees it: prose, mathematics, headings and directives, in reading order.

All spans are in characters of `source.text`. `MathSpan.text` has exactly as many characters as its
span, so that an offset in it is an offset in the file: markers of quotes and lists that stand inside
are blanked, never removed.
"""

from __future__ import annotations

from dataclasses import dataclass

from symderiv.diagnostics import Diagnostic, Source, Span


@dataclass(frozen=True, slots=True)
class MathSpan:
    """Mathematics between delimiters; `span` is the inside, `outer` includes the delimiters.

    `environment` is the name of a bare environment (`align*`), whose text then includes its
    `\\begin` and `\\end`; else None. `paragraph` numbers the block it stands in.
    """

    text: str
    span: Span
    outer: Span
    display: bool
    paragraph: int
    environment: str | None = None


@dataclass(frozen=True, slots=True)
class Prose:
    """A run of text between mathematics within one paragraph, as written, markup removed where easy."""

    text: str
    span: Span
    paragraph: int


@dataclass(frozen=True, slots=True)
class Heading:
    """A heading of level 1 to 6."""

    level: int
    text: str
    span: Span


@dataclass(frozen=True, slots=True)
class Directive:
    """A comment to the checker: `<!-- symderiv: WORD … -->`.

    `word` is "declare" (only mathematics follows the colon), "assume", "end", "expect", "skip", "layout",
    "einstein" or "title"; `argument` is the rest of its text; `mathematics` are the `$…$` inside it.
    """

    word: str
    argument: str
    span: Span
    mathematics: tuple[MathSpan, ...] = ()


Item = MathSpan | Prose | Heading | Directive


@dataclass(frozen=True, slots=True)
class Document:
    """One file: its items in reading order, and what was wrong with it as a document."""

    source: Source
    title: str
    items: tuple[Item, ...]
    diagnostics: tuple[Diagnostic, ...] = ()

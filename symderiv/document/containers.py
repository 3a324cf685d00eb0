r"""Blocks that hold Markdown in Markdown: callouts and divisions (`:::`), and fences such as ` ```{note} `.

Quarto and MyST write them so. Their first and last lines are *marks*, which say nothing here; what stands
between is read as the Markdown it is. All other fences hold code or mathematics.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator

from markdown_it.token import Token

from symderiv.diagnostics import Source, Span

_PROSE = (
    "note|warning|tip|hint|important|caution|danger|error|attention|seealso|admonition|topic|margin|sidebar|"
    "dropdown|card|card-body|grid|grid-item|tab-set|tab-item|epigraph|exercise(?:-start)?|solution(?:-start)?|"
    r"(?:prf:)?(?:proof|theorem|axiom|lemma|definition|criterion|remark|conjecture|corollary|algorithm|example|"
    "property|observation|proposition|assumption)"
)
_HOLDS_PROSE = re.compile(rf"\s*\{{(?:{_PROSE})\}}")
_COLONS = re.compile(r"^[ \t>]*(?P<mark>:{3,}(?!\{math\})[^\n]*)", re.MULTILINE)
_MAY_HOLD = re.compile(r"^[ \t>*+\d.)-]*(?::::|[`~]{3,}[ \t]*\{)", re.MULTILINE)
_DEEPEST = 5
"""Fences of prose within each other; further in they are code."""


def marks(source: Source, front: Span, blocks: Callable[[str], list[Token]]) -> tuple[Span, ...]:
    """Return the marks of a text in order; `blocks` reads Markdown."""
    if not _MAY_HOLD.search(source.text):
        return ()
    found: dict[Span, None] = {}
    text = blanked(source.text, [front])
    tokens = blocks(text)
    for _ in range(_DEEPEST):
        new = [span for span in _fences(source, tokens) if span not in found]
        if not new:
            break
        found.update(dict.fromkeys(new))
        text = blanked(text, new)
        tokens = blocks(text)
    code = [
        (source.starts[token.map[0]], token.map[1])
        for token in tokens
        if token.type in {"fence", "code_block"} and token.map
    ]
    ends = [(start, source.starts[last] if last < len(source.starts) else len(text)) for start, last in code]
    found.update(dict.fromkeys(_outside(_colons(text), ends)))
    return tuple(sorted(found, key=lambda span: span.start))


def blanked(text: str, spans: Iterable[Span]) -> str:
    """Return the text with blanks for some of its characters, as long as before and line for line."""
    pieces, at = [], 0
    for span in sorted(spans, key=lambda span: span.start):
        pieces += [text[at : span.start], re.sub(r"[^\n]", " ", text[span.start : span.end])]
        at = span.end
    return "".join([*pieces, text[at:]])


def _fences(source: Source, tokens: list[Token]) -> Iterator[Span]:
    """Give the first and the last line of each fence that holds prose, without what quotes it."""
    for token in tokens:
        if token.type == "fence" and token.map and _HOLDS_PROSE.match(token.info):
            first, last = token.map
            closed = last - first > 1 and not source.line(last).strip(" \t>`~")
            for number in (first + 1, last) if closed else (first + 1,):
                start = source.starts[number - 1]
                line = source.line(number)
                yield Span(start + len(line) - len(line.lstrip(" \t>")), start + len(line))


def _colons(text: str) -> Iterator[Span]:
    """Give the lines of colons; those that close mathematics are marks too."""
    for match in _COLONS.finditer(text):
        yield Span(*match.span("mark"))


def _outside(spans: Iterable[Span], others: list[tuple[int, int]]) -> Iterator[Span]:
    """Give the spans that begin in none of the others; all in order."""
    waiting = iter(others)
    start, end = next(waiting, (0, 0))
    for span in spans:
        while end <= span.start:
            start, end = next(waiting, (span.end, span.end + 1))
        if span.start < start:
            yield span

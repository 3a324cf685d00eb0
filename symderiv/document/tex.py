r"""LaTeX source -> `Document`.

What TeX does not set (comments, verbatim text, pictures, what follows `\end{document}`) is blanked first,
character for character, so that every offset stays one of the file. Definitions of macros that the
mathematics calls are items of mathematics themselves; `\input` is not followed. A comment
`% symderiv: …` speaks to the checker.

Vocabulary: the *body* is what stands between `\begin{document}` and `\end{document}`, or the whole text; a
*definition* is `\newcommand` or one of its kin; a *block* is a paragraph, an item of a list or the inside
of an environment such as `proof`, up to the next of these.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Container, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import PurePath

from symderiv.diagnostics import Diagnostic, Source, Span
from symderiv.document.delimiters import ENVIRONMENTS, Region, scan
from symderiv.document.directives import read_comment
from symderiv.document.model import Directive, Document, Heading, Item, MathSpan, Prose

_LEVELS = {
    "part": 1,
    "chapter": 1,
    "section": 2,
    "subsection": 3,
    "subsubsection": 4,
    "paragraph": 5,
    "subparagraph": 6,
}
_UNSET = (
    "[bB]?[vV]erbatim|lstlisting|minted|comment|filecontents|tikz(?:picture|cd)|pgfpicture|thebibliography"
)
_HIDDEN = re.compile(
    rf"""(?P<begin>\\begin\{{(?P<name>(?:{_UNSET})\*?)\}})
       | (?P<verb>\\(?:verb\*?|lstinline(?:\[[^\]\n]*\])?)
           (?:\{{[^{{}}\n]*\}} | (?P<mark>[^A-Za-z\s*\[{{])[^\n]*?(?P=mark)))
       | (?P<false>\\iffalse(?![A-Za-z]))
       | (?P<escape>\\.)
       | (?P<line>^[ \t]*%[^\n]*\n?)
       | (?P<comment>%[^\n]*)
    """,
    re.VERBOSE | re.DOTALL | re.MULTILINE,
)
_BODY = re.compile(r"\\begin\s{0,9}\{document\}")
_END = re.compile(r"\\end\s{0,9}\{document\}")
_BRACE = re.compile(r"\\.|[{}]", re.DOTALL)
_DEFINITION = re.compile(
    r"""\\(?:(?:re)?newcommand|providecommand|DeclareRobustCommand|DeclareMathOperator)\*?\s{0,9}
            \{?\s{0,9}(?P<new>\\(?:[A-Za-z]+|.))\s{0,9}\}?\s{0,9}
            (?:\[\d\])?\s{0,9}(?:\[[^\]\n]{0,200}\])?\s{0,9}(?=\{)
      | \\[gex]?def\s{0,9}(?P<def>\\(?:[A-Za-z]+|.))[^{}\n\\]{0,40}(?=\{)
      | \\(?:re)?newenvironment\*?\s{0,9}\{(?P<environment>[A-Za-z]+\*?)\}\s{0,9}
            (?:\[\d\])?\s{0,9}(?:\[[^\]\n]{0,200}\])?\s{0,9}(?=\{)
      | \\DeclarePairedDelimiterX?\s{0,9}\{?\s{0,9}(?P<pair>\\[A-Za-z]+)\s{0,9}\}?\s{0,9}
            (?:\[\d\])?\s{0,9}(?=\{)
      | \\let\s{0,9}(?P<let>\\[A-Za-z]+)\s{0,9}=?\s{0,9}\\(?:[A-Za-z]+|.)""",
    re.VERBOSE,
)
_GAP = re.compile(r"\s{0,9}(?=\{)")
_COMMAND = re.compile(r"\\(?:[A-Za-z]+|.)", re.DOTALL)
_SHORTHAND = re.compile(rf"\s*\\(begin|end)\s*\{{((?:{'|'.join(ENVIRONMENTS)})\*?)\}}\s*")
_OPENS = re.compile(rf"\s*\\begin\s*\{{(?:{'|'.join(ENVIRONMENTS)})\*?\}}")
_WHOLE = re.compile(rf"{_OPENS.pattern}.*\\end\s*\{{(?:{'|'.join(ENVIRONMENTS)})\*?\}}\s*", re.DOTALL)
_BEGIN_OR_END = re.compile(r"\\(begin|end)\{([A-Za-z]+\*?)\}")
_HEADING = re.compile(
    rf"\\(?P<name>{'|'.join(_LEVELS)})\*?[ \t]{{0,9}}(?:\[[^\]\n]{{0,200}}\])?[ \t]{{0,9}}(?=\{{)"
)
_TITLE = re.compile(r"\\title[ \t]{0,9}(?:\[[^\]\n]{0,200}\])?[ \t]{0,9}(?=\{)")
_SEPARATOR = re.compile(
    r"""\n[ \t\r]*\n | \\par(?![A-Za-z]) | \\item(?![A-Za-z])(?:\[[^\]\n$]{0,200}\])?
      | \\(?:begin|end)\{[A-Za-z]+\*?\}(?:\[[^\]\n$]{0,200}\])?""",
    re.VERBOSE,
)
_MARKUP = (
    (re.compile(r"\\(?:label|ref|eqref|[cC]ref|autoref|[vh]space|index)\*?\{[^{}]*\}"), " "),
    (re.compile(r"\\cite[a-z]*\*?(?:\[[^\[\]]*\])*\{[^{}]*\}"), " "),
    (re.compile(r"\\([%&$#_{}])"), r"\1"),
    (re.compile(r"\\\\|~|\\[ ,;]"), " "),
    (re.compile(r"\\[A-Za-z]+\*?"), " "),
    (re.compile(r"``|''|[{}]"), ""),
)


def read(path: str, text: str) -> Document:
    """Read a LaTeX document; whatever is wrong with it is in its diagnostics."""
    source = Source(path, text.removeprefix("\ufeff"))
    page = _page(source)
    found = scan(
        page.bare,
        body=page.body,
        barriers=tuple(heading.start() for heading, _ in page.headings),
        tex=True,
    )
    page.regions[:] = _apart([*page.regions, *found.regions])
    given = tuple(_items(page))
    items = [item for item in given if not isinstance(item, Diagnostic)]
    items.sort(key=_start)
    complaints = [item for item in given if isinstance(item, Diagnostic)] + [
        *page.unclosed,
        *found.diagnostics,
    ]
    complaints.sort(key=lambda complaint: complaint.span.start)
    return Document(source, _title(page, items), tuple(items), tuple(complaints))


def _start(item: Item) -> tuple[int, bool]:
    start = item.outer.start if isinstance(item, MathSpan) else item.span.start
    return start, not isinstance(item, Heading)


# What is set


@dataclass(frozen=True, slots=True)
class _Definition:
    r"""A definition: its place, the command that it defines, and what it puts for it.

    `\newenvironment{eq}` defines the command `\begin{eq}`.
    """

    span: Span
    command: str
    content: str


@dataclass(frozen=True, slots=True)
class _Page:
    """A source, and its text without what is not set (`clean`), and without definitions too (`bare`)."""

    source: Source
    clean: str
    bare: str
    body: Span
    groups: dict[int, int]
    """The closing brace of each opening one."""
    comments: tuple[Span, ...]
    definitions: tuple[_Definition, ...]
    headings: tuple[tuple[re.Match[str], Span], ...]
    """With the place of its words."""
    regions: list[Region]
    unclosed: list[Diagnostic]


def _page(source: Source) -> _Page:
    clean, comments = _without_hidden(source.text)
    groups = _groups(clean)
    definitions = tuple(_definitions(clean, groups))
    bare = _blanked(clean, [each.span for each in definitions])
    opened = _BODY.search(bare)
    start = opened.end() if opened else 0
    ended = _END.search(bare, start)
    body = Span(start, ended.start() if ended else len(bare))
    found = [*_shorthands(bare, body, definitions), *_own_environments(bare, body, definitions)]
    regions = [each for each in found if isinstance(each, Region)]
    regions = _apart([*regions, *_whole(bare, body, definitions, groups)])
    unclosed = [each for each in found if isinstance(each, Diagnostic)]
    bare = _blanked(bare, [region.outer for region in regions])
    headings = tuple(
        (match, Span(match.end() + 1, groups[match.end()]))
        for match in _HEADING.finditer(bare, body.start, body.end)
        if match.end() in groups
    )
    return _Page(source, clean, bare, body, groups, comments, definitions, headings, regions, unclosed)


def _without_hidden(text: str) -> tuple[str, tuple[Span, ...]]:
    """Return the text with blanks for what TeX does not set, and the places of its comments.

    The line end after a comment that has a line of its own is blanked too: it ends no paragraph.
    """
    pieces: list[str] = []
    comments: list[Span] = []
    hopeless: set[str] = set()
    at = 0
    while match := _HIDDEN.search(text, at):
        end, start = match.end(), match.start()
        pieces.append(text[at:start])
        closer = {"begin": rf"\end{{{match['name']}}}", "false": r"\fi"}.get(match.lastgroup or "")
        if match["begin"] or match["false"]:
            close = -1 if closer is None or closer in hopeless else text.find(closer, end)
            if close < 0:
                hopeless.add(closer or "")
                pieces.append(match.group())
            else:
                end = close + len(closer or "")
                pieces.append(re.sub(r"[^\n]", " ", text[start:end]))
        elif match["escape"]:
            pieces.append(match.group())
        elif match["verb"]:
            pieces.append("x" * (end - start))
        else:
            pieces.append(" " * (end - start))
            comments.append(Span(text.index("%", start), start + len(match.group().rstrip())))
        at = end
    pieces.append(text[at:])
    return "".join(pieces), tuple(comments)


def _groups(text: str) -> dict[int, int]:
    groups: dict[int, int] = {}
    opened: list[int] = []
    for match in _BRACE.finditer(text):
        if match.group() == "{":
            opened.append(match.start())
        elif match.group() == "}" and opened:
            groups[opened.pop()] = match.start()
    return groups


def _definitions(text: str, groups: dict[int, int]) -> Iterator[_Definition]:
    """Give the definitions in order, those inside others left out."""
    at = 0
    for match in _DEFINITION.finditer(text):
        if match.start() < at:
            continue
        content = Span(match.end(), match.end())
        if not match["let"]:
            if match.end() not in groups:
                continue
            content = Span(match.end() + 1, groups[match.end()])
        at = content.end + (not match["let"])
        command = (
            match["new"]
            or match["def"]
            or match["pair"]
            or match["let"]
            or rf"\begin{{{match['environment']}}}"
        )
        more = 1 if match["environment"] else (1 + ("X" in match[0])) if match["pair"] else 0
        for _ in range(more):
            if (second := _GAP.match(text, at)) and second.end() in groups:
                at = groups[second.end()] + 1
        said = text[content.start : content.end] or match.group().rpartition(command)[2]
        yield _Definition(Span(match.start(), at), command, said)


def _blanked(text: str, spans: Iterable[Span]) -> str:
    pieces, at = [], 0
    for span in spans:
        pieces += [text[at : span.start], " " * (span.end - span.start)]
        at = span.end
    return "".join([*pieces, text[at:]])


def _shorthands(text: str, body: Span, definitions: tuple[_Definition, ...]) -> Iterator[Region | Diagnostic]:
    r"""Give the displays between two macros such as `\be` and `\ee`, which stand for `\begin` and `\end`."""
    meant = {each.command: said for each in definitions if (said := _SHORTHAND.fullmatch(each.content))}
    calls = ((match, meant[match.group()]) for match in _calls(text, body, meant))
    opened: re.Match[str] | None = None
    name = ""
    for match, said in calls:
        if opened and said[1] == "end" and said[2] == name:
            whole = Span(opened.start(), match.end())
            yield Region("mathematics", whole, whole, opened.group(), name)
            opened = None
        elif said[1] == "begin":
            if opened:
                yield _unclosed(opened)
            opened, name = match, said[2]
    if opened:
        yield _unclosed(opened)


def _own_environments(
    text: str, body: Span, definitions: tuple[_Definition, ...]
) -> Iterator[Region | Diagnostic]:
    """Give the displays in environments that the document defines as one of ours."""
    own = {each.command for each in definitions if _OPENS.match(each.content)}
    opened: re.Match[str] | None = None
    for match in _BEGIN_OR_END.finditer(text, body.start, body.end) if own else ():
        if opened is None and match.group() in own:
            opened = match
        elif opened and match[1] == "end" and match[2] == opened[2]:
            yield Region(
                "mathematics", Span(opened.start(), match.end()), Span(opened.end(), match.start()), "$$"
            )
            opened = None
    if opened:
        yield _unclosed(opened)


def _whole(
    text: str, body: Span, definitions: tuple[_Definition, ...], groups: dict[int, int]
) -> Iterator[Region]:
    r"""Give the displays that are calls of one macro, such as `\eq{a = b}`."""
    meant = {each.command: "#" in each.content for each in definitions if _WHOLE.fullmatch(each.content)}
    for match in _calls(text, body, meant):
        end = match.end()
        while meant[match.group()] and (gap := _GAP.match(text, end)) and gap.end() in groups:
            end = groups[gap.end()] + 1
        span = Span(match.start(), end)
        yield Region("mathematics", span, span, "$$")


def _apart(regions: list[Region]) -> list[Region]:
    """Return the regions in order, without those that begin inside another."""
    apart: list[Region] = []
    for region in sorted(regions, key=lambda region: region.outer.start):
        if not apart or apart[-1].outer.end <= region.outer.start:
            apart.append(region)
    return apart


def _calls(text: str, body: Span, commands: Container[str]) -> Iterator[re.Match[str]]:
    for match in _COMMAND.finditer(text, body.start, body.end):
        if match.group() in commands:
            yield match


def _unclosed(opened: re.Match[str]) -> Diagnostic:
    return Diagnostic("SD202", f"{opened.group()} is never closed", Span(*opened.span()), label="opened here")


# Items


def _items(page: _Page) -> Iterator[Item | Diagnostic]:
    """Give the items of a page, and what is wrong with its directives."""
    separators = _separators(page)
    starts = [page.body.start, *(span.end for span in separators)]
    ends = [*(span.start for span in separators), page.body.end]

    def paragraph(offset: int) -> int:
        return bisect_right(starts, offset)

    mathematics = [_math_span(page, region, paragraph(region.outer.start)) for region in page.regions]
    yield from mathematics
    for span in _called(page, mathematics):
        text = page.clean[span.start : span.end].replace("\r", " ")
        yield MathSpan(text, span, span, display=False, paragraph=paragraph(span.start))
    said = [each for each in map(partial(_said, page, paragraph), page.comments) if each is not None]
    yield from said
    for match, words in page.headings:
        yield Heading(_LEVELS[match["name"]], _plain(page.clean[words.start : words.end]), words)
    gaps = sorted(
        [region.outer for region in page.regions] + [each.span for each in said],
        key=lambda span: span.start,
    )
    for number, (start, end) in enumerate(zip(starts, ends, strict=True), 1):
        yield from _prose(page, gaps, Span(start, max(start, end)), number)


def _said(page: _Page, paragraph: Callable[[int], int], comment: Span) -> Directive | Diagnostic | None:
    """Return what a comment of the body or the preamble says to the checker."""
    if comment.start >= page.body.end:
        return None
    inner = Span(comment.start + 1, comment.end)
    return read_comment(page.source.text, comment, inner, paragraph(comment.start))


def _separators(page: _Page) -> list[Span]:
    """Return what parts the blocks, in order: it stands outside mathematics and outside each other."""
    found = [Span(match.start(), words.end + 1) for match, words in page.headings]
    found += [
        Span(match.start(), match.end() - match.group().startswith("\n"))
        for match in _SEPARATOR.finditer(page.bare, page.body.start, page.body.end)
    ]
    outside = []
    at = 0
    for span in sorted(found, key=lambda span: span.start):
        index = bisect_right(page.regions, span.start, key=lambda region: region.outer.start) - 1
        if span.start >= at and (index < 0 or page.regions[index].outer.end <= span.start):
            outside.append(span)
            at = span.end
    return outside


def _math_span(page: _Page, region: Region, paragraph: int) -> MathSpan:
    display = region.environment not in {None, "math"} or region.opener in {"$$", r"\["}
    text = page.clean[region.inner.start : region.inner.end].replace("\r", " ")
    return MathSpan(text, region.inner, region.outer, display, paragraph, region.environment)


def _called(page: _Page, mathematics: list[MathSpan]) -> list[Span]:
    """Return the definitions outside mathematics that it calls, directly or through others."""
    known: dict[str, list[_Definition]] = {}
    outers = [(span.outer.start, span.outer.end) for span in mathematics]
    for each in page.definitions:
        index = bisect_right(outers, each.span.start, key=lambda outer: outer[0]) - 1
        if each.span.start < page.body.end and (index < 0 or outers[index][1] <= each.span.start):
            known.setdefault(each.command, []).append(each)
    wanted: dict[Span, None] = {}
    texts = [span.text for span in mathematics] if known else []
    while texts:
        for command in _COMMAND.findall(texts.pop()):
            for each in known.pop(command, ()):
                wanted[each.span] = None
                texts.append(each.content)
    return list(wanted)


def _prose(page: _Page, gaps: list[Span], block: Span, paragraph: int) -> Iterator[Prose]:
    """Give the words of a block, in the pieces that mathematics and directives leave."""
    low = bisect_left(gaps, block.start, key=lambda gap: gap.start)
    high = bisect_left(gaps, block.end, key=lambda gap: gap.start)
    at = block.start
    for gap in (*gaps[low:high], Span(block.end, block.end)):
        written = page.bare[at : max(at, gap.start)]
        if words := _plain(written):
            start = at + len(written) - len(written.lstrip())
            yield Prose(words, Span(start, at + len(written.rstrip())), paragraph)
        at = gap.end


def _plain(written: str) -> str:
    """Return words without their commands, white space folded."""
    for pattern, replacement in _MARKUP:
        written = pattern.sub(replacement, written)
    return " ".join(written.split())


def _title(page: _Page, items: list[Item]) -> str:
    """Return what the directive says, else `\\title`, else the first heading, else the file's name."""
    for item in items:
        if isinstance(item, Directive) and item.word == "title":
            return item.argument
    match = _TITLE.search(page.bare)
    close = page.groups.get(match.end()) if match else None
    if match and close and (words := _plain(page.clean[match.end() + 1 : close])):
        return words
    for item in items:
        if isinstance(item, Heading) and item.text:
            return item.text
    return PurePath(page.source.path).stem

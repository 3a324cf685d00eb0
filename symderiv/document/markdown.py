"""Markdown -> `Document`.

Mathematics is found first, in the text as written (`delimiters`), and masked; markdown-it-py then reads
the blocks of what is left, so that a row `= b` or `- c` of a display is never taken for a heading or a
list. Only line numbers are taken from it; all offsets are our own. What it calls code is not read.

Vocabulary: a *leaf* is a block that holds text; a line's *prefix* are the markers of quotes and lists
before its text.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import PurePath

from markdown_it import MarkdownIt
from markdown_it.token import Token

from symderiv.diagnostics import Diagnostic, Source, Span
from symderiv.document import containers
from symderiv.document.delimiters import Region, scan
from symderiv.document.directives import read_comment
from symderiv.document.model import Directive, Document, Heading, Item, MathSpan, Prose

_PREFIX = re.compile(r"(?:[ \t]*(?:>|[-+*](?=[ \t])|\d{1,9}[.)](?=[ \t])))*[ \t]*")
_QUOTE = re.compile(r"[ \t]*>")
_BARRIER = re.compile(
    rf"^{_PREFIX.pattern}(?:\#{{1,6}}(?=[ \t\r]|$)|={{3,}}[ \t\r]*$|-{{3,}}[ \t\r]*$)", re.MULTILINE
)
_HASHES = re.compile(r"#{1,6}(?:[ \t]+|$)")
_UNDERLINE = re.compile(r"[ \t]*(?:=+|-+)[ \t\r]*$")
_MATH_FENCE = re.compile(r"\s*(?:math|\{math\})\s*$|\s*\{math\}\s+\S")
_COLONS = re.compile(r"^[ \t>]*:{3,}[ \t]*(?P<opens>\{math\}.*)?[ \t\r]*\n?", re.MULTILINE)
_ENDS_LINE = re.compile(r"[ \t\r]*\n")
_INDENTED = re.compile(r"(?:^|\n)[ ]{0,3}(?:[ ]{4}|\t)[ \t]*\Z")
_TAG = re.compile(r"<[A-Za-z/][^<>]*>")
_NEAR = 200
"""Characters of a line that are looked at: no prefix and no label is longer."""
_OPTION = re.compile(r"[ \t>]*:[\w-]+:.*")
_LABEL = re.compile(r"[ \t]*(?:\{[#:.][^{}]*\}|\([\w:.-]+\))[ \t\r]*$", re.MULTILINE)
_TITLE = re.compile(r"^title[ \t]*[:=](.+)$", re.MULTILINE)
_MARKUP = (
    (_TAG, " "),
    (re.compile(r"!?\[([^\[\]]*)\](?:\([^()]*\)|\[[^\[\]]*\])"), r"\1"),
    (re.compile(r"\]\([^\s()]*\)"), ""),
    (re.compile(r"\{[#:.][^{}]*\}"), " "),
    (re.compile(r"\\([!-/:-@\[-`{-~])"), r"\1"),
    (re.compile(r"(?<!\w)[*_]{1,3}(?=\S)|(?<=\S)[*_]{1,3}(?!\w)|`+|\*\*+"), ""),
)


@dataclass(frozen=True, slots=True)
class _Leaf:
    """A block that holds text: its kind, its level if a heading, and its lines (0-based, end exclusive)."""

    kind: str
    level: int
    first: int
    last: int


@dataclass(frozen=True, slots=True)
class _Fence:
    """Lines between fences; `mathematics` is the inside of a mathematical one."""

    span: Span
    mathematics: Span | None


def read(path: str, text: str, *, front: bool = True) -> Document:
    """Read a Markdown document; whatever is wrong with it is in its diagnostics.

    `front` says whether it may begin with front matter.
    """
    source = Source(path, text.removeprefix("\ufeff"))
    head = _front_matter(source) if front else Span(0, 0)
    marks = containers.marks(source, head, _blocks)
    bare = containers.blanked(source.text, marks)
    fences = _fences(source, bare, head)
    found = scan(
        bare,
        skip=((head,) if head.end else ()) + tuple(fence.span for fence in fences),
        barriers=tuple(match.start() for match in _BARRIER.finditer(source.text, head.end)),
    )
    hidden = containers.blanked(bare, [fence.span for fence in fences if fence.mathematics])
    leaves = tuple(_leaves(_masked(source, hidden, head, found.regions)))
    page = _page(source, leaves, found.regions, fences)
    given = tuple(_items(page))
    items = _ordered([item for item in given if not isinstance(item, Diagnostic)])
    complaints = [item for item in given if isinstance(item, Diagnostic)]
    complaints += [unclosed for unclosed in found.diagnostics if not page.is_code(unclosed.span.start)]
    complaints.sort(key=lambda complaint: complaint.span.start)
    return Document(source, _title(source, head, items), items, tuple(complaints))


# What is not Markdown: front matter and fences


def _front_matter(source: Source) -> Span:
    """Return the lines of YAML or TOML at the head of the file; an empty span if there are none."""
    mark = source.line(1).rstrip()
    if mark not in {"---", "+++"} or len(source.starts) == 1 or not source.line(2).strip():
        return Span(0, 0)
    ends = {mark, "..."} if mark == "---" else {mark}
    for number in range(2, len(source.starts) + 1):
        if source.line(number).rstrip() in ends:
            return Span(0, _line_start(source, number))
    return Span(0, 0)


def _fences(source: Source, bare: str, front: Span) -> tuple[_Fence, ...]:
    """Return the fenced blocks in order: code, and mathematics in fences that say so."""
    fences = []
    for token in _blocks(_blanked(bare, front)):
        if token.type == "fence" and token.map:
            first, last = token.map
            span = Span(_line_start(source, first), _line_start(source, last))
            closed = last - first > 1 and not source.line(last).strip(" \t>`~")
            inside = _fence_inside(source, token.info, first, last - closed)
            fences.append(_Fence(span, inside))
    return tuple(_apart([*fences, *_colon_fences(source.text, front.end)]))


def _colon_fences(text: str, start: int) -> Iterator[_Fence]:
    """Give the blocks between `:::{math}` and `:::`, as MyST writes them; the last may be left open."""
    opened: re.Match[str] | None = None
    for match in _COLONS.finditer(text, start):
        if match["opens"]:
            opened = opened or match
        elif opened and not text[match.start() : match.end()].strip(" \t\r\n:>"):
            yield _Fence(Span(opened.start(), match.end()), Span(opened.end(), match.start()))
            opened = None
    if opened:
        yield _Fence(Span(opened.start(), len(text)), Span(opened.end(), len(text)))


def _apart(fences: list[_Fence]) -> Iterator[_Fence]:
    """Give the fences in order, without those that begin inside another."""
    end = 0
    for fence in sorted(fences, key=lambda fence: fence.span.start):
        if fence.span.start >= end:
            yield fence
            end = fence.span.end


def _fence_inside(source: Source, info: str, first: int, last: int) -> Span | None:
    """Return the mathematics of a fence that begins on line `first` (0-based) and closes on line `last`."""
    if not _MATH_FENCE.match(info):
        return None
    argument = info.partition("}")[2].strip()
    start = _line_start(source, first + 1)
    if argument:
        start -= len(source.text[:start].rsplit(argument, 1)[-1]) + len(argument)
    return Span(start, max(start, _line_start(source, last)))


def _line_start(source: Source, line: int) -> int:
    """Return the offset at which a 0-based line starts; the end of the text for one past the last."""
    return source.starts[line] if line < len(source.starts) else len(source.text)


# Blocks, from markdown-it


@cache
def _parser() -> MarkdownIt:
    parser = MarkdownIt("commonmark").disable("reference")
    parser.core.ruler.enableOnly(["normalize", "block"])
    return parser


def _blocks(text: str) -> list[Token]:
    return _parser().parse(text.replace("\r", " "))


def _blanked(text: str, span: Span) -> str:
    return re.sub(r"[^\n]", "", text[span.start : span.end]) + text[span.end :]


def _masked(source: Source, bare: str, front: Span, regions: tuple[Region, ...]) -> str:
    """Return the text, line for line, with plain letters for mathematics and nothing for comments.

    A comment that is indented like code is masked too, so that its line can be found to be code.
    """
    pieces, at = [_blanked(bare[: front.end], front)], front.end
    for region in regions:
        pieces.append(bare[at : region.outer.start])
        lines = source.text.count("\n", region.outer.start, region.outer.end)
        hidden = region.kind == "comment" and not _INDENTED.search(pieces[-1][-_NEAR:])
        pieces.append("\n" * lines if hidden else "\n".join("x" * (lines + 1)))
        at = region.outer.end
        if lines and region.kind == "mathematics":
            at = _past_rule(source, at)
            pieces.append("\n" * source.text.count("\n", region.outer.end, at))
    pieces.append(bare[at:])
    return "".join(pieces)


def _past_rule(source: Source, at: int) -> int:
    """Step over a rule `---` right under a display: it does not make a heading of the display."""
    line, _ = source.position(at)
    if source.text[at : _line_start(source, line)].strip() or line >= len(source.starts):
        return at
    below = source.line(line + 1)
    return _line_start(source, line) + len(below) if _UNDERLINE.match(below) else at


def _leaves(masked: str) -> Iterator[_Leaf]:
    """Give the blocks that hold text, in order."""
    level = 0
    for token in _blocks(masked):
        if token.type == "heading_open":
            level = int(token.tag[1])
        elif token.map is None:
            continue
        elif token.type == "inline":
            yield _Leaf("heading" if level else "paragraph", level, *token.map)
            level = 0
        elif token.type == "html_block":
            yield _Leaf("paragraph", 0, *token.map)
        elif token.type in {"code_block", "fence"}:
            yield _Leaf("code", 0, *token.map)


# Items


@dataclass(frozen=True, slots=True)
class _Page:
    """A source with its leaves, regions and mathematical fences, and where each numbered block starts."""

    source: Source
    leaves: tuple[_Leaf, ...]
    regions: tuple[Region, ...]
    fences: tuple[Region, ...]
    blocks: tuple[int, ...]

    def leaf_at(self, offset: int) -> _Leaf | None:
        """Return the leaf on whose lines an offset lies."""
        line = self.source.position(offset)[0] - 1
        index = bisect_right(self.leaves, line, key=lambda leaf: leaf.first) - 1
        leaf = self.leaves[index] if index >= 0 else None
        return leaf if leaf and line < leaf.last else None

    def prefix(self, offset: int) -> Span:
        """Return the prefix of the line of an offset, as far as it stands before the offset."""
        start = self.source.starts[self.source.position(offset)[0] - 1]
        match = _PREFIX.match(self.source.text, start, min(start + _NEAR, offset))
        assert match is not None
        return Span(start, match.end())

    def is_code(self, offset: int) -> bool:
        """Whether an offset lies in a block of code."""
        leaf = self.leaf_at(offset)
        return leaf is not None and leaf.kind == "code"

    def extent(self, leaf: _Leaf) -> Span:
        """Return the characters of a leaf, whole lines."""
        return Span(_line_start(self.source, leaf.first), _line_start(self.source, leaf.last))

    def within(self, leaf: _Leaf) -> list[Region]:
        """Return the regions that start in a leaf."""
        extent = self.extent(leaf)
        low = bisect_left(self.regions, extent.start, key=lambda region: region.outer.start)
        high = bisect_left(self.regions, extent.end, key=lambda region: region.outer.start)
        return list(self.regions[low:high])

    def paragraph(self, offset: int) -> int:
        """Return the number of the block at an offset."""
        return bisect_right(self.blocks, offset) - 1


def _page(
    source: Source, leaves: tuple[_Leaf, ...], regions: tuple[Region, ...], fences: tuple[_Fence, ...]
) -> _Page:
    inside = tuple(
        _fence_region(source.text, fence.span, fence.mathematics) for fence in fences if fence.mathematics
    )
    page = _Page(source, leaves, regions, inside, ())
    starts = {_line_start(source, leaf.first) for leaf in leaves} | {region.outer.start for region in inside}
    starts |= {region.outer.start for region in regions if page.leaf_at(region.outer.start) is None}
    return _Page(source, leaves, regions, inside, tuple(sorted(starts)))


def _fence_region(text: str, span: Span, inner: Span) -> Region:
    """Return the region of a mathematical fence; it begins at the fence itself, after the line's prefix."""
    prefix = _PREFIX.match(text, span.start, span.end)
    assert prefix is not None
    end = max(inner.end, span.start + len(text[span.start : span.end].rstrip()))
    return Region("mathematics", Span(prefix.end(), end), inner, "```")


def _items(page: _Page) -> Iterator[Item | Diagnostic]:
    """Give the items of a page, block by block, and what is wrong with its directives."""
    for fence in page.fences:
        yield _math_span(page, fence, display=True)
    for region in page.regions:
        if page.leaf_at(region.outer.start) is None:
            yield from _item(page, region, display=region.opener == "$$")
    for leaf in page.leaves:
        if leaf.kind == "code":
            continue
        if leaf.kind == "heading":
            yield _heading(page, leaf)
        yield from _leaf_items(page, leaf)


def _leaf_items(page: _Page, leaf: _Leaf) -> Iterator[Item | Diagnostic]:
    regions = page.within(leaf)
    prose = [] if leaf.kind == "heading" else list(_prose(page, leaf, regions))
    yield from prose
    mathematics = [region for region in regions if region.kind == "mathematics"]
    wordless = not any(re.search(r"\w", words.text) for words in prose)
    alone = wordless and all(region.opener == "$$" for region in mathematics)
    for region in regions:
        may = leaf.kind != "heading" and region.opener == "$$"
        yield from _item(page, region, display=may and (alone or _is_on_own_lines(page, region)))


def _item(page: _Page, region: Region, *, display: bool) -> Iterator[Item | Diagnostic]:
    """Give the item that a region is: mathematics, a directive, or nothing."""
    if region.kind == "mathematics":
        shown = region.opener.endswith("[") or "mode=display" in region.opener
        displayed = display or region.environment is not None or shown
        yield _math_span(page, region, display=displayed)
    elif region.kind == "comment":
        paragraph = page.paragraph(region.outer.start)
        said = read_comment(page.source.text, region.outer, region.inner, paragraph)
        if said is not None:
            yield said


def _is_on_own_lines(page: _Page, region: Region) -> bool:
    """Whether a `$$` stands alone on its lines, or its opening one ends a line."""
    text = page.source.text
    if _ENDS_LINE.match(text, region.inner.start, region.inner.end):
        return True
    before = text[page.prefix(region.outer.start).end : region.outer.start][:_NEAR]
    after = text[region.outer.end : region.outer.end + _NEAR].partition("\n")[0]
    return not _TAG.sub("", before + _LABEL.sub("", after)).strip(" \t\r.,;:")


def _math_span(page: _Page, region: Region, *, display: bool) -> MathSpan:
    text, prefix = page.source.text, page.prefix(region.outer.start)
    depth = text.count(">", prefix.start, prefix.end)
    lines = text[region.inner.start : region.inner.end].split("\n")
    options = _options(lines) if region.opener == "```" else 0
    pieces = []
    for number, line in enumerate(lines):
        whole = number > 0 or text[region.inner.start - 1] == "\n"
        unquoted = _unquoted(line, depth) if whole else line
        pieces.append(" " * len(line) if number < options else unquoted.replace("\r", " "))
    return MathSpan(
        "\n".join(pieces),
        region.inner,
        region.outer,
        display,
        page.paragraph(region.outer.start),
        region.environment,
    )


def _options(lines: list[str]) -> int:
    """Return how many lines at the head of a fence are options of MyST: `:label: x`, or YAML within rules."""
    rules = [number for number, line in enumerate(lines) if line.strip(" \t\r>") == "---"]
    if len(rules) > 1 and rules[0] == 0:
        return rules[1] + 1
    return next((number for number, line in enumerate(lines) if not _OPTION.fullmatch(line)), len(lines))


def _unquoted(line: str, depth: int) -> str:
    """Blank up to `depth` quote markers at the head of a line."""
    at = 0
    for _ in range(depth):
        mark = _QUOTE.match(line, at)
        if mark is None:
            break
        at = mark.end()
    return " " * at + line[at:]


def _prose(page: _Page, leaf: _Leaf, regions: list[Region]) -> Iterator[Prose]:
    """Give the words of a paragraph, in the pieces that its mathematics leaves."""
    text, extent = page.source.text, page.extent(leaf)
    prefix = _PREFIX.match(text, extent.start, extent.end)
    assert prefix is not None
    at, paragraph = prefix.end(), page.paragraph(extent.start)
    splits = [region for region in regions if region.kind != "code" or not region.opener.startswith("`")]
    for region in splits:
        yield from _piece(text, Span(at, region.outer.start), paragraph)
        at = region.outer.end
        if region.opener == "$$" and (label := _LABEL.match(text, at)):
            at = label.end()
    yield from _piece(text, Span(at, extent.end), paragraph)


def _piece(text: str, span: Span, paragraph: int) -> Iterator[Prose]:
    written = text[span.start : max(span.start, span.end)]
    words = _plain(written)
    if words:
        start = span.start + len(written) - len(written.lstrip(" \t\r\n>"))
        yield Prose(words, Span(start, max(start, span.start + len(written.rstrip()))), paragraph)


def _plain(written: str) -> str:
    """Return words without their markup, white space folded."""
    text = re.sub(r"\n[ \t>]*", "\n", written)
    for pattern, replacement in _MARKUP:
        text = pattern.sub(replacement, text)
    return " ".join(text.split())


def _heading(page: _Page, leaf: _Leaf) -> Heading:
    text, extent = page.source.text, page.extent(leaf)
    prefix = _PREFIX.match(text, extent.start, extent.end)
    assert prefix is not None
    start, end = prefix.end(), extent.end
    if marks := _HASHES.match(text, start, end):
        start = marks.end()
        line = text[start:end].rstrip()
        unclosed = line.rstrip("#")
        end = start + len(unclosed if unclosed[-1:] in {"", " ", "\t"} else line)
    written = text[start:end].rstrip()
    return Heading(leaf.level, _plain(written), Span(start, start + len(written)))


def _ordered(items: list[Item]) -> tuple[Item, ...]:
    def place(item: Item) -> tuple[int, bool]:
        start = item.outer.start if isinstance(item, MathSpan) else item.span.start
        return start, not isinstance(item, Heading)

    return tuple(sorted(items, key=place))


def _title(source: Source, front: Span, items: tuple[Item, ...]) -> str:
    """Return what the directive says, else the front matter, else the first heading, else the file's name."""
    for item in items:
        if isinstance(item, Directive) and item.word == "title":
            return item.argument
    if match := _TITLE.search(source.text, 0, front.end):
        return match.group(1).strip().strip("\"'")
    for item in items:
        if isinstance(item, Heading) and item.text:
            return item.text
    return PurePath(source.path).stem

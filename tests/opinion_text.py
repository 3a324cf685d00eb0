"""The text of a page for the second opinion: its prose, formulas, chains, each with its place.

It shares nothing with symderiv. A *chain* is `a = b = c`, over the rows of a display and over displays that
begin with `=`; a *member* is one side of it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

_HEADING = re.compile(r"^(#+) (.+)\n", re.MULTILINE)
_DISPLAY = re.compile(
    r"^\$\$(?P<display>.*?)\$\$[ ]*$|(?<!\$)\$(?P<inline>[^$]+?)\$(?!\$)", re.MULTILINE | re.DOTALL
)
_COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)
_OPEN = re.compile(r"\\begin\{(cases|[bpv]?matrix|array)\}")
_CLOSE = re.compile(r"\\end\{(cases|[bpv]?matrix|array)\}")
_NOTHING = re.compile(
    r"(?:\s|&|\\\\(?:\[\d+pt\])?|\\begin\{(?:aligned|align\*?|gathered|split)\}|\\end\{(?:aligned|align\*?|gathered|split)\}"
    r"|\\q?quad|[,.;](?=\s|$)|\\,|\\;)+"
)
_BREAK = re.compile(r"\\\\(?:\[\d+pt\])?|\\q?quad(?![a-z])|(?<=[,;.])\s*&&?")
"""What ends a statement in a display: a row, a wide space, a column after a comma."""


@dataclass(frozen=True)
class Member:
    """One side of an equation, and where it stands in the text."""

    start: int
    latex: str


@dataclass
class Chain:
    """Members that a page calls equal; a formula without `=` is a chain of one."""

    display: bool
    members: list[Member]
    prose: str = ""
    """The prose before it, back to the paragraph's beginning or to the display before."""
    after: str = ""
    """The rest of the sentence after an inline formula."""
    section: int = 0
    continued: bool = False


@dataclass(frozen=True)
class Section:
    """A heading and what stands below it, up to the next heading."""

    level: int
    title: str
    start: int
    end: int


@dataclass
class Paragraph:
    """Prose with its inline formulas, or one display."""

    display: bool
    start: int
    chains: list[Chain] = field(default_factory=list)


def sections(text: str) -> list[Section]:
    """Return the sections of a page."""
    found = list(_HEADING.finditer(text))
    ends = [heading.start() for heading in found[1:]] + [len(text)]
    return [Section(len(h[1]), h[2], h.start(), end) for h, end in zip(found, ends, strict=True)]


def path(all_sections: list[Section], at: int) -> list[Section]:
    """Return the sections that lead to a place: those whose names are known there."""
    return [
        each
        for each in all_sections
        if each.start <= at and all(s.level > each.level for s in all_sections if each.start < s.start <= at)
    ]


def blank_comments(text: str) -> str:
    """Return the text with spaces in place of comments."""
    return _COMMENT.sub(lambda found: re.sub(r"[^\n]", " ", found[0]), text)


def chains(text: str) -> list[Chain]:
    """Return the chains of a page in order; one that a later display continues is one chain."""
    text = blank_comments(text)
    found: list[Chain] = []
    heads = sections(text)
    last_display: Chain | None = None
    before = 0
    for formula in _DISPLAY.finditer(text):
        display = formula["display"] is not None
        group = "display" if display else "inline"
        section = next(
            (number for number, each in enumerate(heads) if each.start <= formula.start() < each.end), -1
        )
        prose = text[max(before, heads[section].start if section >= 0 else 0) : formula.start()]
        prose = prose.rpartition("\n\n")[2] if not display else prose
        for chain in _split(formula[group], formula.start(group), display=display):
            chain.prose, chain.section = prose, section
            if display and not chain.members[0].latex and last_display is not None:
                last_display.members += chain.members[1:]
                continue
            if not display:
                chain.after = re.split(r"(?<=[.;:])\s|\n\n|\$\$", text[formula.end() :], maxsplit=1)[0]
            found.append(chain)
            if display:
                last_display = chain
        if display:
            before = formula.end()
    return found


def _split(body: str, offset: int, *, display: bool) -> Iterator[Chain]:
    """Give the chains of one formula."""
    chain: Chain | None = None
    for row in _rows(body):
        members = [_member(body, first, last, offset) for first, last in row]
        if len(members) == 1 and not members[0].latex:
            continue
        if chain is not None and not members[0].latex:
            chain.members += members[1:]
        elif (
            chain is not None
            and len(members) == 1
            and re.match(r"[-+]|\\cdot|\\times", members[0].latex)
            and display
        ):
            last = chain.members[-1]
            end = members[0].start + len(members[0].latex)
            chain.members[-1] = Member(last.start, body[last.start - offset : end - offset])
        else:
            if chain is not None:
                yield chain
            chain = Chain(display, members)
    if chain is not None:
        yield chain


def _rows(body: str) -> list[list[tuple[int, int]]]:
    """Return where the members of each statement of a formula begin and end."""
    rows: list[list[tuple[int, int]]] = [[]]
    start = depth = 0
    at = 0

    def cut(end: int) -> None:
        nonlocal start
        rows[-1].append((start, end))

    while at < len(body):
        opened, closed = _OPEN.match(body, at), _CLOSE.match(body, at)
        if opened or closed:
            depth += 1 if opened else -1
            at = (opened or closed).end()  # type: ignore[union-attr]
            continue
        if body.startswith(("\\{", "\\}"), at):
            at += 2
            continue
        if body[at] in "{([":
            depth += 1
        elif body[at] in "})]":
            depth -= 1
        elif depth == 0 and body[at] == "=":
            cut(at - (1 if at and body[at - 1] == ":" else 0))
            start = at + 1
        elif depth == 0 and (found := _BREAK.match(body, at)):
            cut(at)
            rows.append([])
            at = start = found.end()
            continue
        at += 1
    cut(len(body))
    return rows


def _member(body: str, first: int, last: int, offset: int) -> Member:
    left = _NOTHING.match(body, first, last)
    begin = left.end() if left else first
    end = last
    while True:
        trailing = re.search(
            r"(?:\s|&|\\\\|\\,|\\;|\\q?quad|\\end\{(?:aligned|align\*?|gathered|split)\}|[,.;])$",
            body[begin:end],
        )
        if not trailing:
            break
        end = begin + trailing.start()
    return Member(offset + begin, body[begin:end])

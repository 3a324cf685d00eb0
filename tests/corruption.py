"""The steps of a page of `derivations/`, found in its text, and the wrong ones that rules make of each.

A rule works on the LaTeX of one member and gives every member that it can make of it: one sign, index,
factor, exponent, transpose, delta, bound or term is changed at a time.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

_DISPLAY = re.compile(r"^\$\$\n(?P<body>.*?)^\$\$\n", re.MULTILINE | re.DOTALL)
_HEADING = re.compile(r"^(#+) (.+)\n", re.MULTILINE)
_CASE = re.compile(r"If \$i (=|\\neq) j\$")
_TRIM = re.compile(r"(?:\s|&|\\\\|\\begin\{aligned\}|\\end\{aligned\}|[,.](?=\W*$))+")


@dataclass(frozen=True)
class Step:
    """One `=` of a page: what it needs of the page, where its right side stands, its chain so far."""

    page: str
    section: str
    text: str
    start: int
    members: tuple[str, ...]
    assumption: str | None

    @property
    def right(self) -> str:
        """The member on the right."""
        return self.members[-1]

    def with_right(self, latex: str) -> str:
        """Return the text with another member in place of the right one."""
        return self.text[: self.start] + latex + self.text[self.start + len(self.right) :]


def steps(page: str, text: str) -> Iterator[Step]:
    """Give the steps of a page in order, definitions included."""
    sections = _sections(text)
    members: list[str] = []
    for display in _DISPLAY.finditer(text):
        parts = list(_members(display["body"], display.start("body")))
        if parts[0][1]:
            members = [parts[0][1]]
        for start, latex in parts[1:]:
            members.append(latex)
            path = [each for each in sections if each.start <= start and _leads(each, sections, start)]
            kept = "".join(text[each.start : each.end] for each in path)
            before = sum(each.end - each.start for each in path[:-1])
            case = list(_CASE.finditer(text, path[-1].start, start))
            assumption = case[-1][1] if case else None
            at = before + start - path[-1].start
            yield Step(page, " / ".join(s.title for s in path), kept, at, tuple(members), assumption)


@dataclass(frozen=True)
class _Section:
    level: int
    title: str
    start: int
    end: int


def _sections(text: str) -> list[_Section]:
    found = list(_HEADING.finditer(text))
    ends = [heading.start() for heading in found[1:]] + [len(text)]
    return [_Section(len(h[1]), h[2], h.start(), end) for h, end in zip(found, ends, strict=True)]


def _leads(section: _Section, sections: list[_Section], at: int) -> bool:
    """Tell whether a place lies in a section or below it."""
    after = [each for each in sections if section.start < each.start <= at]
    return all(each.level > section.level for each in after)


def _members(body: str, offset: int) -> Iterator[tuple[int, str]]:
    """Give the members of a display with their places; one that begins with `=` has an empty first."""
    depth, start = 0, 0
    cuts = []
    for at, character in enumerate(body):
        if character in "{([":
            depth += 1
        elif character in "})]":
            depth -= 1
        elif body.startswith("\\begin{cases}", at):
            depth += 1
        elif body.startswith("\\end{cases}", at):
            depth -= 1
        elif character == "=" and depth == 0:
            cuts.append((start, at))
            start = at + 1
    for first, last in [*cuts, (start, len(body))]:
        left = _TRIM.match(body, first, last)
        begin = left.end() if left else first
        latex = body[begin:last]
        trailing = re.search(r"(?:\s|&|\\\\|\\end\{aligned\}|(?<=\s)[,.])+$", latex)
        yield offset + begin, latex[: trailing.start()] if trailing else latex


# Rules

Rule = Callable[[str], Iterator[str]]
_LETTERS = "ijkmnt"
_SUBSCRIPT = re.compile(r"(?<=_)(?:\{([a-z]+)\}|([a-z]))")


def each(pattern: str, replacement: str) -> Rule:
    """Return the rule that replaces one occurrence of a pattern."""
    compiled = re.compile(pattern)

    def rule(latex: str) -> Iterator[str]:
        for found in compiled.finditer(latex):
            yield latex[: found.start()] + found.expand(replacement) + latex[found.end() :]

    return rule


def sign(latex: str) -> Iterator[str]:
    """A plus becomes a minus, a minus a plus; the whole changes its sign."""
    yield rf"- \left( {latex} \right)"
    for found in re.finditer(r"[+-]", latex):
        other = "-" if found[0] == "+" else "+"
        yield latex[: found.start()] + other + latex[found.end() :]


def index(latex: str) -> Iterator[str]:
    """One letter of a subscript becomes another letter of the member."""
    used = sorted(
        {letter for found in _SUBSCRIPT.finditer(latex) for letter in found[0].strip("{}")} & set(_LETTERS)
    )
    for found in _SUBSCRIPT.finditer(latex):
        for at in range(found.start(), found.end()):
            if latex[at] in _LETTERS and not re.match(r"[a-z]=", latex[at : at + 2]):
                for other in [letter for letter in used if letter != latex[at]] or [
                    "i" if latex[at] != "i" else "j"
                ]:
                    yield latex[:at] + other + latex[at + 1 :]


def exchanged(latex: str) -> Iterator[str]:
    """Two letters of one subscript change places."""
    for found in re.finditer(r"(?<=_)\{([a-z])([a-z])\}", latex):
        if latex[found.start() - 7 : found.start()].find("delta") < 0:
            yield f"{latex[: found.start()]}{{{found[2]}{found[1]}}}{latex[found.end() :]}"


def term(latex: str) -> Iterator[str]:
    """One term of a sum is dropped."""
    for at, character in enumerate(latex):
        if character in "+-" and latex[:at].strip() and latex[:at].rstrip()[-1] not in "({":
            end = _term_end(latex, at + 1)
            yield latex[:at].rstrip() + " " + latex[end:]
            begin = _term_start(latex, at)
            yield latex[:begin] + (" - " if character == "-" else " ") + latex[at + 1 :]


def _term_end(latex: str, at: int) -> int:
    depth = 0
    for end in range(at, len(latex)):
        depth += (latex[end] in "{([") - (latex[end] in "})]")
        if latex.startswith("\\right", end) and depth == 0:
            return end
        if depth < 0 or (depth == 0 and latex[end] in "+-"):
            return end
    return len(latex)


def _term_start(latex: str, at: int) -> int:
    depth = 0
    for start in range(at - 1, -1, -1):
        depth += (latex[start] in "})]") - (latex[start] in "{([")
        if depth < 0 or (depth == 0 and latex[start] in "+-"):
            return start + 1
    return 0


def swapped_cases(latex: str) -> Iterator[str]:
    """The conditions of two cases change places."""
    if r"\begin{cases}" in latex and r"\neq" in latex:
        first, _, second = latex.partition(r"\neq")
        head, _, tail = first.rpartition("=")
        yield head + r"\neq" + tail + "=" + second


def inverted(latex: str) -> Iterator[str]:
    """A fraction is turned round."""
    for found in re.finditer(r"\\frac\{(?!\\partial)", latex):
        middle = _closing(latex, found.end())
        end = _closing(latex, middle + 2)
        above, below = latex[found.end() : middle], latex[middle + 2 : end]
        yield f"{latex[: found.start()]}\\frac{{{below}}}{{{above}}}{latex[end + 1 :]}"


def _closing(latex: str, at: int) -> int:
    depth = 1
    while depth:
        depth += (latex[at] == "{") - (latex[at] == "}")
        at += 1
    return at - 1


_PLAIN = r"(?![_^])(?!\}(?:\{|_))"
RULES: dict[str, Rule] = {
    "sign": sign,
    "index": index,
    "indices exchanged": exchanged,
    "term dropped": term,
    "factor two": lambda latex: iter([rf"2 \left( {latex} \right)"]),
    "factor dropped": each(r"(?<![{\\a-z])(?:\\beta|[xygbWX]_(?:\{[a-z]+\}|[a-z]))(?= )(?! *[-+)])", ""),
    "exponent raised": each(r"\^2", "^3"),
    "exponent dropped": each(r"\^2", ""),
    "squared": each(r"(?<!partial )[xyg]_[a-z](?![\w}^])", r"\g<0>^2"),
    "beta dropped from exponent": each(r"e\^\{\\beta ", "e^{"),
    "exponent negated": each(r"e\^\{", "e^{-"),
    "transpose dropped": each(r"\^\\top", ""),
    "transpose added": each(rf"(?<!partial )(?<![A-Za-z\\])[WX]{_PLAIN}", r"\g<0>^\\top"),
    "delta dropped": each(r"\\delta_\{[a-z]+\}", ""),
    "delta negated": each(r"\\delta_\{[a-z]+\}", r"(1 - \g<0>)"),
    "sum begins late": each(r"(?<=\\sum_\{[a-z]=)1", "2"),
    "sum ends early": each(r"(?<=\}\^\{)[NTM](?=\})", r"\g<0>-1"),
    "sum dropped": each(r"\\sum_\{[a-z]=1\}\^\{[NTM]\}", ""),
    "sum to another bound": each(r"(?<=\}\^\{)N(?=\})", "T"),
    "sum to the other bound": each(r"(?<=\}\^\{)[TM](?=\})", "N"),
    "zero for one": each(r"(?<![=\w{])0(?!\w)", "1"),
    "one for zero": each(r"(?<![=\w{])1(?!\w)", "0"),
    "ones dropped": each(r"\\mathbf\{1\}", ""),
    "cases exchanged": swapped_cases,
    "fraction inverted": inverted,
    "elementwise for outer": each(r"\\otimes", r"\\odot"),
    "product for elementwise": each(r"\\odot", ""),
    "diagonal dropped": each(r"\\mathrm\{diag\}", ""),
    "scores for weights": each(r"(?<![\\A-Za-z{])y(?=[ _)^])", "x"),
    "weights for scores": each(r"(?<![\\A-Za-z{])x(?=[ _)^])", "y"),
}


def corrupted(latex: str) -> Iterator[tuple[str, str]]:
    """Give every corrupted member with the name of its rule, each member once."""
    seen = {"".join(latex.split())}
    for name, rule in RULES.items():
        for made in filter(str.strip, rule(latex)):
            key = "".join(made.split())
            if key not in seen:
                seen.add(key)
                yield name, made.strip()

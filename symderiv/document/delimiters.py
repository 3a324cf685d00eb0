r"""Where mathematics begins and ends in running text.

Takes text and gives its *regions*, in order: mathematics between delimiters (`$ $$ \( \[ \\( \\[` and
bare environments), comments, and code. A region never nests in another. An opening delimiter that is
never closed gives a diagnostic, and reading goes on at the next paragraph. Time is linear in the text:
no search for a closing delimiter is made twice over the same characters.

Vocabulary: a *break* is the start of a blank line, which ends inline mathematics; a *barrier* is the
start of a heading or a fence, which ends a display too.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from dataclasses import dataclass, field
from typing import Literal

from symderiv.diagnostics import Diagnostic, Span

ENVIRONMENTS = (
    "equation",
    "align",
    "gather",
    "multline",
    "flalign",
    "eqnarray",
    "split",
    "alignat",
    "aligned",
    "gathered",
    "displaymath",
    "math",
    "dmath",
    "IEEEeqnarray",
    "xalignat",
    "xxalignat",
)
"""Those that stand for a display where no delimiter surrounds them; each may have a star."""

_TOKEN = re.compile(
    rf"""(?P<double>\\\\[(\[])
       | (?P<single>\\[(\[])
       | (?P<begin>\\begin\{{(?:{"|".join(ENVIRONMENTS)})\*?\}})
       | (?P<escape>\\.)
       | (?P<dollars>\$+)
       | (?P<ticks>`+)
       | (?P<comment><!--)
       | (?P<raw><(?:script|style|pre|code|textarea|latex)\b[^<>]*>)
       | (?P<passed><[A-Za-z/][^<>$\\]*> | \]\([^\s()]*\) | https?://[^\s<>)\]]*)
       | (?P<highlight>\{{%-?[ ]*highlight\b)
    """,
    re.VERBOSE | re.DOTALL | re.IGNORECASE,
)
_SCRIPT = re.compile(r"""<script\b[^>]*\btype\s*=\s*["']?math/tex""", re.IGNORECASE)
_CDATA = re.compile(r"\s{0,9}(?:%\s{0,9})?<!\[CDATA\[")
_CDATA_END = re.compile(r"(?:%\s{0,9})?\]\]>\s*\Z")
_ROLE = re.compile(r"(?:\{math\}|:math:)\Z")
_TEX_TOKEN = re.compile(
    rf"""(?P<single>\\[(\[])
       | (?P<begin>\\begin\{{(?:{"|".join(ENVIRONMENTS)})\*?\}})
       | (?P<escape>\\.)
       | (?P<dollars>\$\$?)
    """,
    re.VERBOSE | re.DOTALL,
)
"""What TeX itself reads: no code between ticks, no tags, and a dollar is never a price."""
_BEGIN_OR_END = re.compile(rf"\\(begin|end)\{{((?:{'|'.join(ENVIRONMENTS)})\*?)\}}")
_BREAK = re.compile(r"^[ \t>]*\r?$", re.MULTILINE)
_BRACE = re.compile(r"\\.|[{}]|^[ \t>]*\r?$", re.DOTALL | re.MULTILINE)
_IN_DOLLARS = re.compile(r"\\.|[{}$]", re.DOTALL)
_TO_DOLLARS = re.compile(r"\\.|\$\$", re.DOTALL)
_TO_BRACKET = {
    r"\(": re.compile(r"\\\)|\\\(|\\.", re.DOTALL),
    r"\[": re.compile(r"\\\]|\\\[|\\.", re.DOTALL),
    r"\\(": re.compile(r"\\\\\)"),
    r"\\[": re.compile(r"\\\\\]"),
}
_MATE = str.maketrans("([", ")]")

_WORDED = re.compile(r"\\(?:text\w*|mbox|mathrm|operatorname\*?|hbox)\s*\{[^{}]*\}")
_COMMAND = re.compile(r"\\[A-Za-z]+")
_TEX = re.compile(r"\\[A-Za-z]|[_^=]")
_PROSE = re.compile(
    r"""(?<![A-Za-z])[A-Za-z]{2,}[,;:]?\s+[A-Za-z]{2,}
      | \.\s+[A-Z] | ` | (?<![A-Za-z])[a-z]{3,}(?![A-Za-z(_^\[])
      | \b(?:an|and|as|at|be|but|by|for|if|in|is|it|no|of|on|or|so|the|to|we)\b""",
    re.VERBOSE,
)
_NEAR = 200
"""Characters that are looked at to tell whether an unclosed delimiter was meant as one."""
_STOP = re.compile(r"[.,;:!?](?:\s|$)|\)")
_SENTENCE = re.compile(r"(?<![A-Za-z'])(?:[A-Za-z']{2,}[,;:]?\s+){2,}[A-Za-z']{2,}")
_INLINE_PAIR = re.compile(r"\$[^$\n]*\$")
_UNCLOSED_TEX = re.compile(r"\$[^\s$]{0,40}?(?:\\[A-Za-z]{2,}|[_^]\{|\^)")


_Kind = Literal["mathematics", "comment", "code"]


@dataclass(frozen=True, slots=True)
class Region:
    """A stretch of text that is no prose; `inner` is what stands between its delimiters.

    `opener` is the delimiter as written; for a bare environment `inner` equals `outer`.
    """

    kind: _Kind
    outer: Span
    inner: Span
    opener: str
    environment: str | None = None


@dataclass(frozen=True, slots=True)
class Scan:
    """The regions of a text in order, and the delimiters that were never closed."""

    regions: tuple[Region, ...]
    diagnostics: tuple[Diagnostic, ...]


def scan(
    text: str,
    *,
    body: Span | None = None,
    skip: tuple[Span, ...] = (),
    barriers: tuple[int, ...] = (),
    tex: bool = False,
) -> Scan:
    """Return the regions of `body`, or of all text, reading nothing in the spans `skip` (in order, apart).

    `tex` reads the text as TeX does, not as what a Markdown renderer hands to TeX.
    """
    stops = sorted({*barriers, *(span.start for span in skip)})
    scanner = _Scanner(text, len(text) if body is None else body.end, stops, tex)
    at = 0 if body is None else body.start
    for span in skip:
        at = max(span.end, scanner.read(at, span.start)) if at <= span.start else max(at, span.end)
    scanner.read(at, scanner.end)
    return Scan(tuple(scanner.regions), tuple(scanner.diagnostics))


@dataclass(slots=True)
class _Scanner:
    """The state of one scan: what was found, and which searches are known to fail."""

    text: str
    end: int
    barriers: list[int]
    tex: bool
    regions: list[Region] = field(default_factory=list)
    diagnostics: list[Diagnostic] = field(default_factory=list)
    breaks: list[int] = field(init=False)
    groups: dict[int, int] = field(init=False)
    closers: set[int] = field(init=False)
    pairs: list[int] = field(init=False)
    """Where `$$` stands, unescaped."""
    environments: dict[int, int] = field(init=False)
    ticks: dict[int, list[int]] = field(init=False)
    hopeless: dict[str, int] = field(default_factory=dict)
    """For a kind of closing delimiter, the offset before which there is none."""

    def __post_init__(self) -> None:
        self.breaks = [match.start() for match in _BREAK.finditer(self.text)]
        self.groups = _matching_braces(self.text)
        self.closers = set(self.groups.values())
        self.environments = _matching_environments(self.text, self.barriers)
        self.pairs = [match.start() for match in _TO_DOLLARS.finditer(self.text) if match.group() == "$$"]
        self.ticks = {}
        for match in re.finditer("`+", self.text):
            self.ticks.setdefault(len(match.group()), []).append(match.start())

    def read(self, at: int, stop: int) -> int:
        """Read up to `stop`; return where reading ended, which is further if a region reaches over it."""
        token = _TEX_TOKEN if self.tex else _TOKEN
        while at < stop and (match := token.search(self.text, at, min(stop, self.end))):
            assert match.lastgroup is not None
            at = getattr(self, f"_{match.lastgroup}")(match)
            assert at > match.start()
        return max(at, stop)

    def _escape(self, match: re.Match[str]) -> int:
        return match.end()

    _passed = _escape

    def _ticks(self, match: re.Match[str]) -> int:
        """`code`: a run of backticks, closed by a run of the same length in the same paragraph.

        After `{math}` or `:math:`, as MyST and reStructuredText write it, it is mathematics.
        """
        run = len(match.group())
        starts = self.ticks.get(run, [])
        close = bisect_left(starts, match.end())
        if close == len(starts) or starts[close] >= self._paragraph_end(match.end()):
            return match.end()
        if role := _ROLE.search(self.text, max(0, match.start() - 6), match.start()):
            return self._add("mathematics", role.start(), match.end(), starts[close], run)
        return self._add("code", match.start(), match.end(), starts[close], run)

    def _comment(self, match: re.Match[str]) -> int:
        """`<!-- … -->`, over any number of lines."""
        return self._element("comment", match, "-->")

    def _raw(self, match: re.Match[str]) -> int:
        """`<pre> … </pre>` and its kin: text that no renderer searches for mathematics.

        Two are mathematics: `<script type="math/tex">` and `<latex>`.
        """
        name = re.split(r"[\s>]", match.group()[1:], maxsplit=1)[0].lower()
        kind: _Kind = "mathematics" if name == "latex" or _SCRIPT.match(match.group()) else "code"
        return self._element(kind, match, f"</{name}>")

    def _highlight(self, match: re.Match[str]) -> int:
        """`{% highlight … %} … {% endhighlight %}`: code on Jekyll pages."""
        return self._element("code", match, "endhighlight")

    def _element(self, kind: _Kind, match: re.Match[str], closer: str) -> int:
        close = -1 if closer in self.hopeless else self.text.find(closer, match.end(), self.end)
        if close < 0:
            self.hopeless[closer] = self.end
            return match.end()
        if kind != "mathematics":
            return self._add(kind, match.start(), match.end(), close, len(closer))
        opened, closed = (
            _CDATA.match(self.text, match.end()),
            _CDATA_END.search(self.text, match.end(), close),
        )
        inner = Span(opened.end() if opened else match.end(), closed.start() if closed else close)
        outer = Span(match.start(), close + len(closer))
        self.regions.append(Region(kind, outer, Span(min(inner.start, inner.end), inner.end), match.group()))
        return outer.end

    def _begin(self, match: re.Match[str]) -> int:
        r"""`\begin{align} … \end{align}` outside all delimiters."""
        name = match.group()[7:-1]
        end = self.environments.get(match.start())
        if end is None or end > self.end:
            return self._unclosed(match, rf"\begin{{{name}}} is never closed")
        outer = Span(match.start(), end)
        self.regions.append(Region("mathematics", outer, outer, match.group(), name))
        return end

    def _double(self, match: re.Match[str]) -> int:
        r"""`\\( … \\)` and `\\[ … \\]`: what a Markdown renderer turns into `\(` and `\[`."""
        return self._bracket(match)

    def _single(self, match: re.Match[str]) -> int:
        r"""`\( … \)` and `\[ … \]`."""
        return self._bracket(match)

    def _bracket(self, match: re.Match[str]) -> int:
        opener = match.group()
        inline = opener.endswith("(")
        bound = self._paragraph_end(match.end()) if inline else self._section_end(match.end())
        close = self._closing_bracket(opener, match.end(), bound)
        if close is None:
            if not self.tex and not _TEX.search(self.text, match.end(), self._line_end(match.end())):
                return match.end()
            return self._unclosed(match, f"{opener} is never closed")
        if not self.text[match.end() : close].strip():
            return close + len(opener)
        if len(opener) == 2 and not self.tex and _is_escaped_text(self.text[match.end() : close]):
            return match.end()
        return self._add("mathematics", match.start(), match.end(), close, len(opener))

    def _closing_bracket(self, opener: str, at: int, bound: int) -> int | None:
        if self.hopeless.get(opener, 0) >= bound:
            return None
        closer = opener.translate(_MATE)
        for match in _TO_BRACKET[opener].finditer(self.text, at, bound):
            if match.group() == closer:
                return match.start()
            if match.group() == opener:
                return None
        self.hopeless[opener] = bound
        return None

    def _dollars(self, match: re.Match[str]) -> int:
        """`$ … $` and `$$ … $$`; three and more in a row are no delimiter."""
        if len(match.group()) == 1:
            return self._inline(match)
        if len(match.group()) == 2:
            return self._display(match)
        return match.end()

    def _inline(self, match: re.Match[str]) -> int:
        at = match.start()
        bound = self._paragraph_end(at)
        if self.text.startswith("`", at + 1) and not self.tex:
            close = self.text.find("`$", at + 2, bound)
            if close > at + 2:
                return self._add("mathematics", at, at + 2, close, 2)
        closing = self._closing_dollar(at + 1, bound)
        if closing is not None and (self.tex or _is_inline(self.text, at, closing)):
            return self._add("mathematics", at, at + 1, closing, 1)
        if self.tex or _UNCLOSED_TEX.match(self.text, at, bound):
            self._complain(Span(at, at + 1), "$ is never closed")
        return at + 1

    def _closing_dollar(self, at: int, bound: int) -> int | None:
        """Return the next `$` outside braces; a `$` in `\\text{… $x$ …}` belongs to the text."""
        while match := _IN_DOLLARS.search(self.text, at, bound):
            at = match.end()
            if match.group() == "$":
                return match.start()
            if match.group() == "{":
                at = self.groups.get(match.start(), match.start()) + 1
            elif match.group() == "}" and match.start() in self.closers:
                return None
        return None

    def _display(self, match: re.Match[str]) -> int:
        bound = self._section_end(match.end())
        close = _after(self.pairs, match.end(), bound)
        if close + 2 > bound or self._is_astray(match.end(), close, bound):
            return self._unclosed(match, "$$ is never closed")
        if not self.text[match.end() : close].strip():
            return close + 2
        return self._add("mathematics", match.start(), match.end(), close, 2)

    def _is_astray(self, start: int, close: int, bound: int) -> bool:
        """Whether a `$$` that closes is in truth the opening one of the next display."""
        index = bisect_left(self.breaks, start)
        if index == len(self.breaks) or self.breaks[index] >= close:
            return False
        if _reads_as_prose(self.text[self.breaks[index] : close]):
            return True
        line = self.text[close + 2 : self._line_end(close)]
        starts_line = self.text[max(0, close - _NEAR) : close].rstrip(" \t>").endswith("\n")
        if not (line.strip() and starts_line):
            return False
        later = bisect_left(self.pairs, bound) - bisect_left(self.pairs, close + 2)
        return later % 2 == 1

    def _unclosed(self, match: re.Match[str], message: str) -> int:
        self._complain(Span(match.start(), match.end()), message)
        return max(match.end(), min(self._paragraph_end(match.end()), self._section_end(match.end())))

    def _complain(self, span: Span, message: str) -> None:
        self.diagnostics.append(Diagnostic("SD202", message, span, label="opened here"))

    def _add(self, kind: _Kind, start: int, inside: int, close: int, width: int) -> int:
        outer = Span(start, close + width)
        self.regions.append(Region(kind, outer, Span(inside, close), self.text[start:inside]))
        return outer.end

    def _paragraph_end(self, at: int) -> int:
        return min(_after(self.breaks, at, self.end), self._section_end(at))

    def _section_end(self, at: int) -> int:
        return min(_after(self.barriers, at, self.end), self.end)

    def _line_end(self, at: int) -> int:
        end = self.text.find("\n", at, min(at + _NEAR, self.end))
        return min(at + _NEAR, self.end) if end < 0 else end


def _after(offsets: list[int], at: int, default: int) -> int:
    """Return the first of sorted offsets that is not before `at`."""
    index = bisect_left(offsets, at)
    return offsets[index] if index < len(offsets) else default


def _matching_braces(text: str) -> dict[int, int]:
    """Return the offset of the closing brace for each opening one that is closed in its paragraph."""
    groups: dict[int, int] = {}
    opened: list[int] = []
    for match in _BRACE.finditer(text):
        if match.group() == "{":
            opened.append(match.start())
        elif match.group() != "}":
            if not match.group().startswith("\\"):
                opened.clear()
        elif opened:
            groups[opened.pop()] = match.start()
    return groups


def _matching_environments(text: str, barriers: list[int]) -> dict[int, int]:
    r"""Return the end of the environment for each `\begin` that is closed before the next barrier."""
    ends: dict[int, int] = {}
    opened: dict[str, list[int]] = {}
    for match in _BEGIN_OR_END.finditer(text):
        verb, name = match.groups()
        waiting = opened.setdefault(name, [])
        if verb == "begin":
            waiting.append(match.start())
        elif waiting:
            start = waiting.pop()
            if _after(barriers, start + 1, len(text)) >= match.end():
                ends[start] = match.end()
    return ends


def _is_inline(text: str, opening: int, closing: int) -> bool:
    """Whether two dollars enclose mathematics: `$x$` and `$ x $` do, `$5 and $6` does not."""
    inner = text[opening + 1 : closing]
    after = text[closing + 1 : closing + 2]
    if not inner.strip() or _STOP.match(inner):
        return False
    if not (inner[0].isspace() or inner[-1].isspace() or after.isdigit()):
        return not (inner[0].isdigit() and not _TEX.search(inner) and _PROSE.search(inner))
    if not inner[0].isspace() and inner[-1].isspace() and (after.isalnum() or after == "\\"):
        return False
    if after.isdigit() and not _COMMAND.search(inner):
        return False
    bare = _COMMAND.sub(" ", _WORDED.sub("", inner))
    return not _PROSE.search(bare) and bool(_COMMAND.search(inner) or re.search("[A-Za-z]", bare))


def _is_escaped_text(inner: str) -> bool:
    r"""Whether the inside of `\[…\]` is a citation or words whose brackets were merely escaped."""
    text = inner.strip()
    return not _TEX.search(text) and (
        not text or text.isdigit() or re.search("[A-Za-z]{3,}", text) is not None
    )


def _reads_as_prose(text: str) -> bool:
    """Whether a paragraph of this text, taken for the inside of a display, is a sentence."""
    for paragraph in re.split(r"\n[ \t>]*\r?\n", text):
        unworded = _WORDED.sub("", paragraph)
        if _SENTENCE.search(unworded) and not _COMMAND.search(_INLINE_PAIR.sub("", unworded)):
            return True
    return False

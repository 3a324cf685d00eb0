"""Tokens without decoration: what remains is mathematics, breaks of rows, and cells of matrices.

Spacing, sizes, colours, labels and braces under or over a formula go; alignments lose their `&` and keep
their rows (ROW) at the top level only; `\\left[\\begin{array}…\\end{array}\\right]` becomes `bmatrix`, a
`\\left\\{` array with an invisible right delimiter `cases`. `\\text{…}` is left as it is.
"""

from __future__ import annotations

import re
from typing import NoReturn

from symderiv.diagnostics import Span
from symderiv.latex.infix import fractions
from symderiv.latex.tokens import BEGIN, COMMAND, END, QUAD, ROW, STOP, SYMBOL, LatexError, Token, pairs


def words(text: str) -> frozenset[str]:
    """Return the words of a text, which is how the longer tables are written."""
    return frozenset(text.split())


_IGNORED = words(
    r"""\, \; \: \! \> \/ ~ $ \@ \- \thinspace \medspace \thickspace \enspace \negthinspace \negmedspace
    \displaystyle \textstyle \scriptstyle \scriptscriptstyle \nonumber \notag \limits \nolimits
    \allowbreak \noindent \hfill \hline \centering \tiny \scriptsize \footnotesize \small \normalsize
    \large \Large \LARGE \huge \Huge \strut \mathstrut \boldmath \nobreak \break \par \null \protect
    \relax \qedhere \qed \boxed \fbox \framebox \mathclap \mathllap \mathrlap \smash \ensuremath \mathop
    \mathbin \mathrel \mathord \mathinner \mathopen \mathclose \mathpunct \bigskip \medskip \smallskip \space
    \nobreakspace \mathsurround \toprule \midrule \bottomrule \lefteqn \IEEEyesnumber \IEEEnonumber
    \IEEEyessubnumber \IEEEnosubnumber \IEEEeqnarraynumspace"""
) | {"\\ ", "\\\n", "\\\t"}
_IGNORED_WITH = {
    "\\label": 1, "\\tag": 1, "\\phantom": 1, "\\hphantom": 1, "\\vphantom": 1, "\\hspace": 1, "\\vspace": 1,
    "\\color": 1, "\\cline": 1, "\\eqref": 1, "\\ref": 1, "\\cite": 1, "\\footnote": 1, "\\textcolor": 1,
    "\\colorbox": 1, "\\fcolorbox": 2, "\\rule": 2, "\\setlength": 2, "\\arraystretch": 0, "\\htmlClass": 1,
    "\\class": 1, "\\cssId": 1, "\\style": 1, "\\bbox": 0, "\\raisebox": 1, "\\mspace": 1, "\\href": 1,
    "\\IEEEeqnarraymulticol": 2, "\\multicolumn": 2,
}  # fmt: skip
"""Commands that are dropped with so many of their arguments; a further argument stays."""
STACKED = frozenset({"\\overset", "\\underset", "\\stackrel"})
_SWITCHES = {
    "\\rm": "\\mathrm", "\\bf": "\\mathbf", "\\it": "\\mathit", "\\cal": "\\mathcal", "\\sf": "\\mathsf",
    "\\tt": "\\mathtt", "\\bfseries": "\\mathbf", "\\itshape": "\\mathit", "\\mit": "\\mathit",
}  # fmt: skip
"""Commands that set the font of the braces they stand in, and those that set the font of their argument."""
_QUADS = frozenset({"\\quad", "\\qquad"})
_SPACES = {
    "\\ ": 1,
    "\\;": 1,
    "\\,": 1,
    "\\:": 1,
    "~": 1,
    "\\hspace": 2,
    "\\hfill": 2,
    "\\quad": 2,
    "\\qquad": 2,
}
"""Space, and how wide it is: before the number of an equation it is wide."""
_NUMBER = re.compile(r"\d{1,2}(\.\d{1,2})?[a-f]?")
_PAINTS = frozenset({"\\textcolor", "\\colorbox", "\\fcolorbox"})
_BRACED = words(r"\underbrace \overbrace \underbracket \overbracket \underparen \overparen")
_SIZES = {
    "\\" + name + ending: side
    for name in ("big", "Big", "bigg", "Bigg")
    for ending, side in (("", ""), ("l", "left"), ("r", "right"), ("m", "middle"))
} | {"\\left": "left", "\\right": "right", "\\middle": "middle"}
TEXT = words(
    r"\text \textrm \textbf \textit \textsf \texttt \mbox \hbox \textnormal \textup \emph \textsc \textsl"
)
"""Commands whose argument is prose."""
VERBATIM = TEXT | {"\\operatorname"}

OPENERS = {
    "(": ")",
    "[": "]",
    "\\{": "\\}",
    "\\langle": "\\rangle",
    "\\lfloor": "\\rfloor",
    "\\lceil": "\\rceil",
}
"""Opening brackets and their mates."""
CLOSERS = frozenset(OPENERS.values())
_BARS = {
    "\\lvert": ("|", "left"),
    "\\rvert": ("|", "right"),
    "\\lVert": ("\\|", "left"),
    "\\rVert": ("\\|", "right"),
}
_DELIMITERS = OPENERS.keys() | CLOSERS | _BARS.keys() | {"|", "\\|", "<", ">", ".", "/", "\\mid"}

_PAIRED = frozenset({"align", "aligned", "alignat", "alignedat", "flalign", "split", "xalignat", "xxalignat"})
_ROWS = _PAIRED | {
    "gather", "gathered", "eqnarray", "multline", "multlined", "equation", "displaymath", "math",
    "subequations",
    "dmath", "center", "eqalign", "IEEEeqnarray",
}  # fmt: skip
"""Environments whose rows are statements; in the paired ones each second `&` parts two statements."""
_COLUMNS = frozenset({"array", "alignat", "alignedat", "numcases", "xalignat", "xxalignat", "IEEEeqnarray"})
"""Environments with an argument for their columns."""
_GATHERED = frozenset({"gather", "gathered"})
_CELLS, _PAIRS, _ALIGN, _GATHER = range(4)
MATRICES = frozenset(
    {"matrix", "bmatrix", "pmatrix", "vmatrix", "Vmatrix", "Bmatrix", "smallmatrix", "array"}
)
_CASES = frozenset({"cases", "dcases", "rcases", "drcases", "numcases"})
_KINDS = {"[": "bmatrix", "(": "pmatrix", "|": "vmatrix", "\\{": "Bmatrix", "\\|": "Vmatrix"}

RELATIONS = {
    "=": "=", "\\ne": "!=", "<": "<", ">": ">", "\\le": "<=", "\\ge": ">=", "\\in": "in", "\\notin": "notin",
    ":": ":", "\\to": "to", "\\rightarrow": "to", "\\longrightarrow": "to", "\\sim": "~",
    "\\approx": "approx",
    "\\simeq": "approx", "\\propto": "propto", "\\coloneqq": ":=", "\\triangleq": ":=", "\\doteq": ":=",
    "\\equiv": "equiv", "\\cong": "equiv", "\\leftarrow": "<-", "\\gets": "<-", "\\subset": "subset",
    "\\subseteq": "subset", "\\mapsto": "mapsto", "\\longmapsto": "mapsto", "\\not": "!=", "\\stackrel": "=",
    "\\coloneq": ":=", "\\defeq": ":=", "\\succ": "succ",
}  # fmt: skip
"""Relations, and the canonical operator for each."""


def tidy(tokens: list[Token], *, text: str, offset: int) -> list[Token]:
    """Return the tokens without decoration."""
    return _Layout(fractions(tokens), text, offset).run()


class _Layout:
    """One pass over the tokens; `skips` holds where to jump over tokens, `changes` what to put for one."""

    def __init__(self, tokens: list[Token], text: str, offset: int) -> None:
        self.tokens = tokens
        self.text = text
        self.offset = offset
        self.mates = pairs(tokens, text=text, offset=offset)
        self.output: list[Token] = []
        self.skips: dict[int, int] = {}
        self.changes: dict[int, Token | None] = {}
        self.kept: set[int] = set()
        """Braces round a single operator that are to stay."""
        self.doubled: set[int] = set()
        """Closing braces that close two."""
        self.depth = 0
        self.environments: list[list[int]] = []
        """For each open environment its style and its current column."""

    def fail(self, message: str, span: Span, expected: str = "") -> NoReturn:
        """Raise a `LatexError`."""
        raise LatexError(message, span, expected=expected, text=self.text, offset=self.offset)

    def run(self) -> list[Token]:
        """Return what is left."""
        at = 0
        tokens = self.tokens
        output = self.output
        count = len(tokens)
        while at < count:
            if at in self.skips:
                at = self.skips[at]
                continue
            token = tokens[at]
            if at in self.changes:
                at = self.changed(at, self.changes[at])
                continue
            kind = token.kind
            if kind == COMMAND:
                at = self.command(at, token)
            elif kind == SYMBOL:
                at = self.symbol(at, token)
            elif kind == ROW:
                self.row(token)
                at += 1
            elif kind == BEGIN:
                at = self.begin(at, token)
            elif kind == END:
                del self.environments[-1:]
                at += 1
            else:
                output.append(token)
                at += 1
        return output

    def changed(self, at: int, token: Token | None) -> int:
        """Put a changed token; return where to go on."""
        following = at + 1
        if token is None:
            return following
        self.output.append(token)
        if token.kind == BEGIN:
            following = self.options(following, self.tokens[at].text.rstrip("*"))
            self.environments.append([_CELLS, 0])
            self.depth += 1
        elif token.kind == END:
            del self.environments[-1:]
            self.depth -= 1
        return following

    def after(self, at: int) -> int:
        """Return the place after the argument that starts here: a braced group or one token."""
        if at >= len(self.tokens):
            return at
        return self.mates.get(at, at) + 1

    def after_optional(self, at: int) -> int:
        """Return the place after a short argument in square brackets, if one starts here."""
        if at < len(self.tokens) and self.tokens[at].text == "[":
            for end in range(at + 1, min(at + 12, len(self.tokens))):
                if self.tokens[end].text == "]":
                    return end + 1
        return at

    def command(self, at: int, token: Token) -> int:
        """Handle a command; return where to go on."""
        text = token.text
        if text in _SIZES:
            return self.sized(at, token)
        if text in _SPACES and self.depth == 0 and (end := self.numbered(at)):
            return end
        if text in _IGNORED:
            if text in {"\\boxed", "\\fbox", "\\framebox"} and self.depth == 0:
                self.unwrap(at + 1)
            return at + 1
        if text in _IGNORED_WITH:
            return self.ignored(at, token)
        if text in VERBATIM:
            end = self.after(self.after_star(at + 1))
            self.output.extend(self.tokens[at:end])
            return end
        if text in _BRACED:
            return self.under_brace(at)
        if text in _BARS or text in OPENERS or text in CLOSERS or text == "\\|":
            bar, side = _BARS.get(text, (text, ""))
            kind = COMMAND if bar[0] == "\\" else SYMBOL
            return self.delimiter(Token(kind, bar, token.span, token.space, side), at + 1)
        if text in _QUADS:
            self.output.extend([] if self.depth else [Token(QUAD, "\\quad", token.span)])
            return at + 1
        if text in {"\\intertext", "\\shortintertext"}:
            return self.intertext(at, token)
        if text == "\\substack":
            return self.substack(at)
        return self.plain(at, token)

    def numbered(self, at: int) -> int:
        """Return the place after wide space and the number of the equation, `\\quad (3)`, else 0."""
        width = 0
        while at < len(self.tokens) and self.tokens[at].text in _SPACES:
            width += _SPACES[self.tokens[at].text]
            at = self.after(at + 1) if self.tokens[at].text == "\\hspace" else at + 1
        inner = [token.text for token in self.tokens[at : at + 8]]
        end = inner.index(")") if ")" in inner else 0
        last = at + end + 1
        ends = last >= len(self.tokens) or self.tokens[last].kind in {ROW, END, STOP}
        known = width > 1 and end and ends and inner[0] == "(" and _NUMBER.fullmatch("".join(inner[1:end]))
        return last if known else 0

    def plain(self, at: int, token: Token) -> int:
        """Keep a command, but for a font round whole statements."""
        if token.text in STACKED:
            self.kept.add(self.after(at + 1))
        wraps = token.text in {"\\mathrm", "\\mathit"} and self.depth == 0
        if not (wraps and self.unwrap(at + 1)):
            self.output.append(token)
        return at + 1

    def after_star(self, at: int) -> int:
        """Return the place after a star, if one stands here."""
        return at + 1 if at < len(self.tokens) and self.tokens[at].text == "*" else at

    def ignored(self, at: int, token: Token) -> int:
        """Skip a command with its arguments; what it paints stays."""
        following = self.after_optional(self.after_star(at + 1))
        for _ in range(_IGNORED_WITH[token.text]):
            following = self.after(following)
        if token.text in _PAINTS and self.depth == 0:
            self.unwrap(following)
        return following

    def under_brace(self, at: int) -> int:
        """Keep what stands over or under a brace, and drop its label."""
        close = self.mates.get(at + 1)
        if close is not None:
            following = close + 1
            while following < len(self.tokens) and self.tokens[following].text in {"_", "^"}:
                end = self.after(following + 1)
                self.skips[following] = end
                following = end
            if self.depth == 0:
                self.unwrap(at + 1)
        return at + 1

    def substack(self, at: int) -> int:
        """Turn the rows of a `\\substack` into items of a sequence."""
        close = self.mates.get(at + 1, at)
        inside = at + 2
        while inside < close:
            if self.tokens[inside].kind == ROW:
                self.changes[inside] = Token(SYMBOL, ",", self.tokens[inside].span)
            inside = self.mates.get(inside, inside) + 1
        return at + 1

    def intertext(self, at: int, token: Token) -> int:
        """Turn an `\\intertext` into a row of words."""
        end = self.after(at + 1)
        row = Token(ROW, "\\\\", token.span)
        self.output.extend((row, token._replace(text="\\text"), *self.tokens[at + 1 : end], row))
        return end

    def symbol(self, at: int, token: Token) -> int:
        """Handle a symbol; return where to go on."""
        text = token.text
        if text in OPENERS or text in CLOSERS or text == "|":
            return self.delimiter(token, at + 1)
        if text == "{":
            if self.depth == 0 and self.unwrap(at):
                return at + 1
            close = self.mates[at]
            if self.tokens[at + 1].text in _SWITCHES:
                return self.switched(at, close)
            alone = close == at + 2 and self.lonely(self.tokens[at + 1]) and at not in self.kept
            if alone and not self.is_argument():
                self.changes[close] = None
                return at + 1
            self.depth += 1
        elif text == "}":
            self.depth -= 1
            if at in self.doubled:
                self.output.append(token)
        elif text == "&":
            self.column(token)
            return at + 1
        elif text in {"~", "$"}:
            return at + 1
        self.output.append(token)
        return at + 1

    def switched(self, at: int, close: int) -> int:
        """Write `{\\rm x}` as `\\mathrm{x}`."""
        opening, switch = self.tokens[at], self.tokens[at + 1]
        if self.is_argument() or (self.output and self.output[-1].text == "}"):
            self.output.append(opening)
            self.doubled.add(close)
        self.output.append(switch._replace(text=_SWITCHES[switch.text]))
        self.output.append(opening)
        self.depth += 1
        return at + 2

    def lonely(self, token: Token) -> bool:
        """Tell whether braces round this token serve spacing only, as in `{=}`."""
        spaced = {"+", "-", ",", "*", "\\cdot", "\\times", ".", ";", "(", ")", "[", "]"}
        return token.text in RELATIONS or token.text in spaced

    def is_argument(self) -> bool:
        """Tell whether a brace that comes now opens an argument or a script."""
        if not self.output:
            return False
        last = self.output[-1]
        return last.text in {"_", "^"} or (last.kind == COMMAND and last.text not in RELATIONS)

    def unwrap(self, at: int) -> bool:
        """Drop the braces that open here if they hold whole statements at the top level."""
        close = self.mates.get(at)
        if close is None or self.tokens[at].text != "{" or at in self.changes:
            return False
        following = self.tokens[close + 1].text if close + 1 < len(self.tokens) else ""
        if following in {"^", "_"}:
            return False
        if self.output:
            last = self.output[-1]
            if last.text in STACKED:
                return False
            if (
                last.kind not in {ROW, QUAD}
                and last.text not in RELATIONS
                and last.text not in {",", ";", "."}
            ):
                return False
        if self.prose(at + 1, close):
            self.changes[at] = self.changes[close] = None
            return True
        inside = at + 1
        level = 0
        while inside < close:
            token = self.tokens[inside]
            level += (token.text in OPENERS) - (token.text in CLOSERS)
            rows = token.kind == BEGIN and token.text.rstrip("*") in _ROWS
            if level <= 0 and (token.text in RELATIONS or token.kind == ROW or rows):
                self.changes[at] = self.changes[close] = None
                return True
            inside = self.mates.get(inside, inside) + 1
        return False

    def prose(self, at: int, end: int) -> bool:
        """Tell whether there is nothing here but one `\\text`, or a matrix round it."""
        token = self.tokens[at]
        if token.kind == BEGIN and self.mates[at] == end - 1 and token.text.rstrip("*") in MATRICES:
            at, end = self.options(at + 1, token.text.rstrip("*")), end - 1
            token = self.tokens[at]
        return token.text in TEXT and self.after(at + 1) == end

    def row(self, token: Token) -> None:
        """Handle a break of a row."""
        style = _ALIGN
        if self.environments:
            current = self.environments[-1]
            current[1] = 0
            style = current[0]
        if style == _CELLS:
            self.output.append(token)
        elif self.depth == 0:
            self.output.append(token._replace(side="gather") if style == _GATHER else token)

    def column(self, token: Token) -> None:
        """Handle an `&`."""
        if not self.environments:
            return
        current = self.environments[-1]
        if current[0] == _CELLS:
            self.output.append(token)
            return
        current[1] += 1
        if self.output and self.output[-1].kind == ROW and self.output[-1].side != "gather":
            self.output[-1] = self.output[-1]._replace(side="column")
        if current[0] == _PAIRS and current[1] % 2 == 0 and self.depth == 0:
            self.output.append(Token(QUAD, "\\quad", token.span))

    def sized(self, at: int, token: Token) -> int:
        """Handle `\\left`, `\\big` and their kin with the delimiter that follows."""
        side = _SIZES[token.text]
        following = at + 1
        mark = self.tokens[following] if following < len(self.tokens) else None
        if mark is None or mark.text not in _DELIMITERS:
            if token.text in {"\\left", "\\right"}:
                self.fail(f"expected a bracket after {token.text}", (mark or token).span, "a bracket")
            return following
        span = token.span.to(mark.span)
        text, _ = _BARS.get(mark.text, (mark.text, ""))
        if text == "." or (text == "/" and side):
            if text == "." and token.text in {"\\left", "\\right"}:
                return following + 1
            return following
        if text in {"<", ">"}:
            text = "\\langle" if text == "<" else "\\rangle"
        kind = COMMAND if text[0] == "\\" else SYMBOL
        return self.delimiter(Token(kind, text, span, token.space, side), following + 1)

    def delimiter(self, token: Token, following: int) -> int:
        """Handle a bracket or bar; a bracket round nothing but an array is part of a matrix."""
        text = token.text
        opening = text in OPENERS if text not in {"|", "\\|"} else token.side == "left"
        closing = text in CLOSERS if text not in {"|", "\\|"} else token.side == "right"
        if (opening or text in {"|", "\\|"}) and self.bracketed(token, following):
            return following
        if opening:
            self.depth += 1
        elif closing and self.depth > 0:
            self.depth -= 1
        self.output.append(token)
        return following

    def bracketed(self, token: Token, at: int) -> bool:
        """Turn a bracketed array that begins here into a matrix or cases."""
        if at >= len(self.tokens) or self.tokens[at].kind != BEGIN or at in self.changes:
            return False
        begin = self.tokens[at]
        name = begin.text.rstrip("*")
        close = self.mates[at]
        end = close + 1
        sized = end < len(self.tokens) and self.tokens[end].text in _SIZES
        mark = end + 1 if sized else end
        if mark >= len(self.tokens):
            return False
        closer = _BARS.get(self.tokens[mark].text, (self.tokens[mark].text, ""))[0]
        if closer == "." and sized and token.text == "\\{":
            alone = not (self.output and self.output[-1].text in RELATIONS)
            columns = "".join(part.text for part in self.tokens[at + 2 : self.after(at + 1) - 1])
            if name in _ROWS or (name == "array" and alone and columns in {"l", "c", "r", "rcl", "lcl"}):
                self.changes[end] = self.changes[mark] = None
                return True
            kind = "cases"
        elif closer == OPENERS.get(token.text, token.text):
            kind = _KINDS.get(token.text, "")
        else:
            return False
        if name not in {"array", "matrix", "smallmatrix"} or not kind:
            return False
        span = token.span
        self.changes[at] = Token(BEGIN, kind, Span(span.start, begin.span.end), token.space)
        self.changes[close] = Token(
            END, kind, Span(self.tokens[close].span.start, self.tokens[mark].span.end)
        )
        self.skips[end] = mark + 1
        return True

    def options(self, at: int, name: str) -> int:
        """Return the place after the options of an environment: `[t]`, `[l]`, and the columns of an array."""
        following = at
        given = self.tokens[at : at + 3]
        if [part.text for part in given[::2]] == ["[", "]"] and not given[0].space:
            following += 3 * (given[1].text in {"t", "b", "c", "l", "r"})
        if name in _COLUMNS:
            following = self.after(following)
        return following

    def begin(self, at: int, token: Token) -> int:
        """Handle the begin of an environment; return where to go on."""
        name = token.text.rstrip("*")
        options = self.options(at + 1, name)
        bare = name == "array" and self.depth == 0 and not (self.output and self.output[-1].text in RELATIONS)
        if name in _ROWS or bare:
            style = _GATHER if name in _GATHERED else _PAIRS if name in _PAIRED else _ALIGN
            self.environments.append([style, 0])
            return options
        if name in MATRICES or name in _CASES:
            close = self.mates[at]
            if self.prose(at, close + 1):
                self.output.extend(self.tokens[options:close])
                self.skips[options] = close + 1
                return options
            self.output.append(token._replace(text="cases" if name in _CASES else name))
            self.changes[close] = self.tokens[close]._replace(text="cases" if name in _CASES else name)
            self.environments.append([_CELLS, 0])
            self.depth += 1
            return options
        return self.fail(f"the environment {token.text} is not known", token.span)

"""LaTeX mathematics as a list of tokens, a cursor over such a list, and the one error of this room.

Vocabulary: a *token* is a command, a letter, a digit, a symbol, a row break or the begin or end of an
environment; white space is no token, only a mark on the token that follows it. Spans are absolute.
A cursor has five verbs: `check`, `read`, `consume`, `expect`, `fail`.
"""

from __future__ import annotations

import re
from typing import NamedTuple, NoReturn

from symderiv.diagnostics import Span

MAX_LENGTH = 60_000
"""The longest piece of mathematics that is read, in characters."""

COMMAND, LETTER, DIGIT, SYMBOL, ROW, QUAD, BEGIN, END, STOP = range(9)


class LatexError(Exception):
    """Mathematics that could not be read: what is wrong, where, and what would have been right there.

    `span` is absolute; `text` and `offset` are what `parse` was given, so that `render` can draw a caret.
    """

    def __init__(
        self, message: str, span: Span, *, expected: str = "", text: str = "", offset: int = 0
    ) -> None:
        super().__init__(message)
        self.message = message
        self.span = span
        self.expected = expected
        self.text = text
        self.offset = offset

    def render(self) -> str:
        """Return the line that could not be read, and carets under the place where reading stopped."""
        at = min(max(self.span.start - self.offset, 0), len(self.text))
        start = self.text.rfind("\n", 0, at) + 1
        end = self.text.find("\n", at)
        line = self.text[start:] if end < 0 else self.text[start:end]
        width = max(1, min(self.span.end - self.span.start, len(line) - (at - start)))
        padding = "".join("\t" if character == "\t" else " " for character in self.text[start:at])
        return f"{line}\n{padding}{'^' * width}"


class Token(NamedTuple):
    """One token: `space` tells whether white space stands before it, `side` where in a pair it stands.

    The text of BEGIN and END is the name of the environment. `side` is "left" after `\\left`, "right"
    after `\\right`, "middle" after `\\middle`, else "".
    """

    kind: int
    text: str
    span: Span
    space: bool = False
    side: str = ""


_UNIT = r"(?:pt|em|ex|mm|cm|in|mu|px|pc|bp|sp|\\[A-Za-z]+)"
_TOKEN = re.compile(
    rf"""(?P<space>\s+|%[^\n]*\n?)
    |(?P<row>\\\\(?:\*|\s*\[\s*-?[\d.]+\s*{_UNIT}\s*\])*|\\newline(?![A-Za-z])|\\cr(?![A-Za-z]))
    |\\begin\s*\{{\s*(?P<begin>[A-Za-z]+\*?)\s*\}}
    |\\end\s*\{{\s*(?P<end>[A-Za-z]+\*?)\s*\}}
    |(?P<command>\\(?:[A-Za-z]+|.)|\.\.\.)
    |(?P<letter>[A-Za-z])
    |(?P<digit>[0-9])
    |(?P<script>[⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻ᵀⁿⁱ]+|[₀₁₂₃₄₅₆₇₈₉ᵢⱼₖₙₘₜ]+)
    |(?P<other>.)""",
    re.VERBOSE | re.DOTALL,
)

_SAME = {
    "\\lbrace": "\\{", "\\rbrace": "\\}", "\\vert": "|", "\\Vert": "\\|", "\\lbrack": "[", "\\rbrack": "]",
    "\\parallel": "\\|",
    "\\lparen": "(", "\\rparen": ")", "...": "\\dots", "\\prime": "'", "\\_": "_", "\\lt": "<", "\\gt": ">",
    "\\sp": "^", "\\sb": "_", "\\colon": ":", "\\dotsc": "\\dots", "\\dotsb": "\\dots", "\\dotsm": "\\dots",
    "\\dotso": "\\dots", "\\dotsi": "\\dots", "\\tfrac": "\\frac", "\\dfrac": "\\frac", "\\cfrac": "\\frac",
    "\\nicefrac": "\\frac", "\\sfrac": "\\frac", "\\leqslant": "\\le", "\\geqslant": "\\ge", "\\leq": "\\le",
    "\\geq": "\\ge", "\\neq": "\\ne", "\\land": "\\wedge",
}  # fmt: skip
"""Commands that are but another spelling."""

_SUPERSCRIPTS = dict(zip("⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻ᵀⁿⁱ", "0123456789+-Tni", strict=True))
_SUBSCRIPTS = dict(zip("₀₁₂₃₄₅₆₇₈₉ᵢⱼₖₙₘₜ", "0123456789ijknmt", strict=True))
_UNICODE = {
    "∂": "\\partial", "∇": "\\nabla", "∑": "\\sum", "∏": "\\prod", "∫": "\\int", "∞": "\\infty",
    "·": "\\cdot",
    "⋅": "\\cdot", "∙": "\\cdot", "×": "\\times", "⊙": "\\odot", "∘": "\\circ", "⊗": "\\otimes", "÷": "\\div",
    "≠": "\\ne", "≤": "\\le", "≥": "\\ge", "≈": "\\approx", "≡": "\\equiv", "∝": "\\propto", "∈": "\\in",
    "∉": "\\notin", "⊂": "\\subset", "⊆": "\\subseteq", "→": "\\to", "↦": "\\mapsto", "←": "\\leftarrow",
    "⇒": "\\Rightarrow", "⟹": "\\Rightarrow", "∴": "\\therefore", "⇔": "\\Leftrightarrow", "∼": "\\sim",
    "≔": "\\coloneqq", "−": "-", "–": "-", "∗": "*", "′": "'", "’": "'", "″": "''", "…": "\\dots",
    "⋯": "\\cdots",
    "⋮": "\\vdots", "⋱": "\\ddots", "‖": "\\|", "∥": "\\|", "⟨": "\\langle", "⟩": "\\rangle", "⊤": "\\top",
    "ℓ": "\\ell", "ℝ": "\\R", "∅": "\\emptyset", "∀": "\\forall", "⌊": "\\lfloor", "⌋": "\\rfloor",
    "⌈": "\\lceil",
    "⌉": "\\rceil", "α": "\\alpha", "β": "\\beta", "γ": "\\gamma", "δ": "\\delta", "ε": "\\varepsilon",
    "ϵ": "\\epsilon", "ζ": "\\zeta", "η": "\\eta", "θ": "\\theta", "ϑ": "\\vartheta", "ι": "\\iota",
    "κ": "\\kappa", "λ": "\\lambda", "μ": "\\mu", "µ": "\\mu", "ν": "\\nu", "ξ": "\\xi", "π": "\\pi",
    "ρ": "\\rho", "σ": "\\sigma", "ς": "\\varsigma", "τ": "\\tau", "υ": "\\upsilon", "φ": "\\varphi",
    "ϕ": "\\phi", "χ": "\\chi", "ψ": "\\psi", "ω": "\\omega", "Γ": "\\Gamma", "Δ": "\\Delta", "Θ": "\\Theta",
    "Λ": "\\Lambda", "Ξ": "\\Xi", "Π": "\\Pi", "Σ": "\\Sigma", "Φ": "\\Phi", "Ψ": "\\Psi", "Ω": "\\Omega",
}  # fmt: skip
"""Characters outside ASCII, and what is typed for them."""


def lex(text: str, offset: int = 0) -> list[Token]:
    """Return the tokens of a text, without a STOP at the end."""
    tokens: list[Token] = []
    space = False
    append = tokens.append
    for found in _TOKEN.finditer(text):
        group = found.lastgroup
        if group == "space":
            space = True
            continue
        assert group is not None, found
        span = Span(offset + found.start(), offset + found.end())
        word = found[group]
        if group == "letter":
            append(Token(LETTER, word, span, space))
        elif group == "command":
            same = _SAME.get(word, word)
            append(Token(COMMAND if same[0] == "\\" else SYMBOL, same, span, space))
        elif group == "digit":
            append(Token(DIGIT, word, span, space))
        elif group == "row":
            append(Token(ROW, "\\\\", span, space))
        elif group == "begin":
            append(Token(BEGIN, word, span, space))
        elif group == "end":
            append(Token(END, word, span, space))
        elif group == "script":
            tokens.extend(_script(word, span))
        else:
            typed = _UNICODE.get(word, word)
            if typed[0] == "\\" and len(typed) > 1:
                append(Token(COMMAND, typed, span, space))
            else:
                tokens.extend(Token(SYMBOL, part, span, space) for part in typed)
        space = False
    return tokens


def _script(characters: str, span: Span) -> list[Token]:
    """Return the tokens of a run of raised or lowered characters."""
    raised = characters[0] in _SUPERSCRIPTS
    tokens = [Token(SYMBOL, "^" if raised else "_", span), Token(SYMBOL, "{", span)]
    for character in characters:
        plain = (_SUPERSCRIPTS if raised else _SUBSCRIPTS)[character]
        tokens.append(Token(LETTER if plain.isalpha() else DIGIT if plain.isdigit() else SYMBOL, plain, span))
    tokens.append(Token(SYMBOL, "}", span))
    return tokens


class Cursor:
    """A place in a list of tokens, and the braces of that list in pairs."""

    def __init__(self, tokens: list[Token], *, text: str, offset: int) -> None:
        self.text = text
        self.offset = offset
        stop = offset + len(text)
        self.tokens = [*tokens, Token(STOP, "", Span(stop, stop))]
        self.at = 0
        self.pairs = pairs(self.tokens, text=text, offset=offset)

    @property
    def token(self) -> Token:
        """The token that comes next."""
        return self.tokens[self.at]

    def peek(self, ahead: int) -> Token:
        """Return a token further on, or the last one."""
        return self.tokens[min(self.at + ahead, len(self.tokens) - 1)]

    def check(self, *texts: str) -> bool:
        """Tell whether the next token is one of these."""
        return self.tokens[self.at].text in texts

    def read(self) -> Token:
        """Take the next token."""
        token = self.tokens[self.at]
        if token.kind != STOP:
            self.at += 1
        return token

    def consume(self, *texts: str) -> bool:
        """Take the next token if it is one of these, and tell whether it was."""
        if self.tokens[self.at].text in texts:
            self.read()
            return True
        return False

    def expect(self, text: str, expected: str) -> Token:
        """Take the next token, which must be this one."""
        if self.tokens[self.at].text != text:
            self.fail(f"expected {expected}", expected=expected)
        return self.read()

    def fail(self, message: str, *, span: Span | None = None, expected: str = "") -> NoReturn:
        """Raise a `LatexError` at the next token, or where told."""
        raise LatexError(
            message, span or self.token.span, expected=expected, text=self.text, offset=self.offset
        ) from None

    def since(self, start: int) -> Span:
        """Return the span from a token to the last one that was taken."""
        first = self.tokens[start].span
        if self.at <= start:
            return Span(first.start, first.start)
        return Span(first.start, max(first.end, self.tokens[self.at - 1].span.end))


def pairs(tokens: list[Token], *, text: str, offset: int) -> dict[int, int]:
    """Return the closing partner of each opening brace and of each begin of an environment."""
    found: dict[int, int] = {}
    opened: list[int] = []

    def fail(message: str, at: int, expected: str) -> NoReturn:
        raise LatexError(message, tokens[at].span, expected=expected, text=text, offset=offset)

    for at, token in enumerate(tokens):
        if token.kind == BEGIN or token.text == "{":
            opened.append(at)
        elif token.kind == END or token.text == "}":
            if not opened:
                what = f"\\begin{{{token.text}}}" if token.kind == END else "an opening brace"
                fail(f"expected {what} before this", at, what)
            start = opened.pop()
            mate = tokens[start]
            if (mate.kind == BEGIN) != (token.kind == END) or (token.kind == END and mate.text != token.text):
                what = f"\\end{{{mate.text}}}" if mate.kind == BEGIN else "a closing brace"
                fail(f"expected {what}", at, what)
            found[start] = at
    if opened:
        mate = tokens[opened[-1]]
        what = f"\\end{{{mate.text}}}" if mate.kind == BEGIN else "a closing brace"
        fail(f"expected {what} for this", opened[-1], what)
    return found

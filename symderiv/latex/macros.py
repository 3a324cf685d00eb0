"""Macros of a document: `\\newcommand` and its kin are stored, and their calls replaced.

A `Macros` grows while a document is read, span after span. Expansion is bounded in depth and in size;
a token that comes out of a call carries the span of that call, its arguments their own.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NoReturn

from symderiv.latex import packages
from symderiv.latex.tokens import COMMAND, DIGIT, SYMBOL, LatexError, Token

if TYPE_CHECKING:
    from symderiv.diagnostics import Span

MAX_DEPTH = 40
MAX_TOKENS = 60_000

_NEW = frozenset({"\\newcommand", "\\renewcommand", "\\providecommand", "\\DeclareRobustCommand"})
_DEF = frozenset({"\\def", "\\gdef", "\\edef", "\\xdef"})
_OPERATOR = "\\DeclareMathOperator"
_PAIRS = frozenset({"\\DeclarePairedDelimiter", "\\DeclarePairedDelimiterX"})
_SKIPPED = {
    "\\definecolor": 3, "\\require": 1, "\\usepackage": 1, "\\setcounter": 2, "\\newtheorem": 2,
    "\\colorlet": 2,
    "\\setlength": 2, "\\renewenvironment": 3, "\\newenvironment": 3, "\\hypersetup": 1,
    "\\allowdisplaybreaks": 0,
    "\\newcounter": 1, "\\newlength": 1, "\\numberwithin": 2,
}  # fmt: skip
"""Definitions of no consequence, and how many arguments to skip."""


@dataclass(frozen=True, slots=True)
class Macro:
    """What a call is replaced by; `default` is the value of an optional first argument."""

    parameters: int
    body: tuple[Token, ...]
    default: tuple[Token, ...] | None = None
    sized: bool = False
    """A star or a size may follow the command: `\\norm*{x}`, `\\norm[\\big]{x}`."""


@dataclass(slots=True)
class Macros:
    """The macros known so far, by command (`\\bR`)."""

    known: dict[str, Macro] = field(default_factory=dict)

    def __contains__(self, name: str) -> bool:
        return name in self.known

    def copy(self) -> Macros:
        """Return a store of its own with the same macros."""
        return Macros(dict(self.known))

    def expand(self, tokens: list[Token], *, text: str, offset: int) -> list[Token]:
        """Return the tokens with definitions taken in and calls replaced."""
        defined = self.known or any(token.text in _DEFINING for token in tokens)
        if not defined and not any(packages.is_packaged(t.text) for t in tokens if t.kind == COMMAND):
            return tokens
        return _Expansion(self, tokens, text, offset).run()


class _Expansion:
    """One pass over tokens; `pending` holds what is left, last first, with the depth it came from."""

    def __init__(self, macros: Macros, tokens: list[Token], text: str, offset: int) -> None:
        self.macros = macros
        self.text = text
        self.offset = offset
        self.pending = [(token, 0) for token in reversed(tokens)]
        self.produced = 0
        self.taken = tokens[0].span
        """Where what was taken last ends."""

    def fail(self, message: str, span: Span, expected: str = "") -> NoReturn:
        """Raise a `LatexError`."""
        raise LatexError(message, span, expected=expected, text=self.text, offset=self.offset)

    def run(self) -> list[Token]:
        """Return everything expanded."""
        output: list[Token] = []
        known = self.macros.known
        while self.pending:
            token, depth = self.pending.pop()
            if token.kind != COMMAND:
                output.append(token)
            elif token.text in _DEFINING:
                self.define(token)
            elif token.text in known:
                self.call(token, depth, known[token.text])
            elif packages.is_packaged(token.text):
                self.packaged(token, depth, output)
            else:
                output.append(token)
        return output

    def call(self, token: Token, depth: int, macro: Macro) -> None:
        """Replace one call."""
        if depth >= MAX_DEPTH:
            self.fail(f"{token.text} expands without end", token.span)
        arguments: list[list[Token]] = []
        self.taken = token.span
        if macro.sized:
            self.star()
            self.optional()
        if macro.default is not None:
            given = self.optional()
            arguments.append(list(macro.default) if given is None else given)
        while len(arguments) < macro.parameters:
            if not self.pending or self.pending[-1][0].text == "}":
                self.fail(f"expected an argument of {token.text}", token.span, f"an argument of {token.text}")
            arguments.append(self.argument())
        self.put(token, macro.body, dict(enumerate(arguments, 1)), depth + 1)

    def put(
        self, token: Token, form: tuple[Token, ...], arguments: dict[int, list[Token]], depth: int
    ) -> None:
        """Put what a call stands for before what is left."""
        span = token.span.to(self.taken)
        body: list[Token] = []
        hash_before = False
        for part in form:
            if hash_before and part.kind == DIGIT and int(part.text) in arguments:
                body.extend(arguments[int(part.text)])
                hash_before = False
                continue
            if part.text == "#" and part.kind == SYMBOL:
                hash_before = True
                continue
            hash_before = False
            body.append(part._replace(span=span))
            if len(body) > MAX_TOKENS:
                break
        self.produced += len(body) + 1
        if self.produced > MAX_TOKENS:
            self.fail(f"{token.text} expands to too much", token.span)
        self.pending.extend((part, depth) for part in reversed(body))

    def packaged(self, token: Token, depth: int, output: list[Token]) -> None:
        """Replace a call of a command that a package defines, or leave it where it is none."""
        command, kept, self.taken = token.text, list(self.pending), token.span
        if packages.most(command):
            self.star()
        order = self.optional() if packages.takes_order(command) else None
        arguments: dict[int, list[Token]] = {} if order is None else {9: order}
        count = 0
        while count < packages.most(command) and self.pending and self.pending[-1][0].text == "{":
            count += 1
            arguments[count] = self.argument()
        form = packages.form(command, count, ordered=order is not None)
        if form is None:
            self.pending = kept
            output.append(token)
            return
        self.put(token, form, arguments, depth + 1)

    def argument(self) -> list[Token]:
        """Take one argument: a braced group without its braces, or a single token."""
        if not self.pending:
            return []
        first, _ = self.pending.pop()
        self.taken = first.span
        if first.text != "{":
            return [first]
        taken: list[Token] = []
        level = 1
        while self.pending:
            token, _ = self.pending.pop()
            level += (token.text == "{") - (token.text == "}")
            if not level:
                self.taken = token.span
                return taken
            taken.append(token)
        return self.fail("expected a closing brace for this", first.span, "a closing brace")

    def optional(self) -> list[Token] | None:
        """Take an argument in square brackets, if there is one."""
        if not self.pending or self.pending[-1][0].text != "[":
            return None
        first, _ = self.pending.pop()
        taken: list[Token] = []
        level = 0
        while self.pending:
            token, _ = self.pending.pop()
            if token.text == "]" and level <= 0:
                self.taken = token.span
                return taken
            level += (token.text == "{") - (token.text == "}")
            taken.append(token)
        return self.fail("expected a closing bracket for this", first.span, "a closing bracket")

    def star(self) -> None:
        """Skip a star."""
        if self.pending and self.pending[-1][0].text == "*":
            self.pending.pop()

    def define(self, token: Token) -> None:
        """Take in one definition."""
        if token.text in _SKIPPED:
            self.star()
            self.optional()
            for _ in range(_SKIPPED[token.text]):
                self.argument()
                self.optional()
            return
        if token.text not in _DEF:
            self.star()
        name = self.argument()
        if len(name) != 1 or name[0].kind != COMMAND:
            self.fail("expected the name of a command after this", token.span, "the name of a command")
        if token.text in _NEW:
            count = self.optional()
            digits = "".join(part.text for part in count or [])
            parameters = int(digits) if digits.isascii() and digits.isdigit() and len(digits) == 1 else 0
            default = self.optional()
            body = self.argument()
            macro = Macro(parameters, tuple(body), None if default is None else tuple(default))
        elif token.text in _DEF:
            parameters = 0
            while self.pending and self.pending[-1][0].text != "{":
                parameters += self.pending.pop()[0].text == "#"
            macro = Macro(min(parameters, 9), tuple(self.argument()))
        elif token.text in _PAIRS:
            macro = self.pair(token)
        elif token.text == "\\let":
            if self.pending and self.pending[-1][0].text == "=":
                self.pending.pop()
            target = self.argument()
            same = self.macros.known.get(target[0].text) if len(target) == 1 else None
            macro = same or Macro(0, tuple(target))
        else:
            span = token.span
            opening, closing = Token(SYMBOL, "{", span), Token(SYMBOL, "}", span)
            macro = Macro(0, (Token(COMMAND, "\\operatorname", span), opening, *self.argument(), closing))
        if not any(part.kind == COMMAND and part.text == name[0].text for part in macro.body):
            self.macros.known[name[0].text] = macro

    def pair(self, token: Token) -> Macro:
        """Read the rest of `\\DeclarePairedDelimiter\\norm{\\lVert}{\\rVert}`."""
        count = self.optional() if token.text.endswith("X") else None
        opening, closing = self.argument(), self.argument()
        span = token.span
        body = [Token(SYMBOL, "#", span), Token(DIGIT, "1", span)]
        if token.text.endswith("X"):
            body = self.argument()
        digits = "".join(part.text for part in count or [])
        left, right = Token(COMMAND, "\\left", span), Token(COMMAND, "\\right", span)
        parameters = int(digits) if digits.isascii() and digits.isdigit() and len(digits) == 1 else 1
        return Macro(parameters, (left, *opening, *body, right, *closing), sized=True)


_DEFINING = _NEW | _DEF | _PAIRS | _SKIPPED.keys() | {_OPERATOR, "\\let"}

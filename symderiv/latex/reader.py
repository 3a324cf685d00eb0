"""The state of reading, and what can be told of the tokens ahead without reading them.

The parser never looks back: where a choice needs more than the next token (a bar, a relation, prose), the
tokens ahead are scanned. Nesting is bounded.
"""

from __future__ import annotations

from typing import NoReturn

from symderiv.latex.layout import CLOSERS, OPENERS, RELATIONS, STACKED, TEXT
from symderiv.latex.tokens import BEGIN, COMMAND, DIGIT, END, LETTER, QUAD, ROW, STOP, SYMBOL, Cursor, Token
from symderiv.latex.tree import Chain
from symderiv.latex.vocabulary import ARROWS, CUES, NO_OPERANDS, OPERATORS, UNREAD, WORD

MAX_DEPTH = 110
"""How deeply mathematics may be nested."""


class Reader(Cursor):
    """The state of reading: besides the cursor, how open brackets are to be closed, and how deep we are."""

    def __init__(self, tokens: list[Token], *, text: str, offset: int, depth: int = 0) -> None:
        super().__init__(tokens, text=text, offset=offset)
        self.depth = depth
        self.closers: list[str] = []
        self.font = ""
        self.scripts = 0
        """How many scripts we are inside of; `d` is no differential in a script."""
        self.variables = ""
        """The style of differential at which the variable of a derivative ends."""
        self.cells = False
        """Whether we are in a matrix or cases, where a break of a row is the end of a cell."""
        self.in_fraction = False
        """Whether we are directly in a fraction, where `dk` is rather a product."""
        self.slashes = 0
        """How many numerators of `∂ y / ∂ x` we are inside of."""
        self.integrals = 0
        """How many integrals we are inside of."""
        self.braced = False
        """Whether the factor read last was a group in TeX braces."""
        self.said: list[Chain] = []
        """Formulas that words speak of, in `\\text` and `\\intertext`."""
        self.pending_braces = False
        """Whether primes were taken from a braced superscript that is still open."""

    def relation_ahead(self) -> bool:
        """Tell whether a relation comes next."""
        text = self.token.text
        if text not in RELATIONS:
            if text == "!":
                return self.peek(1).text == "=" and not self.peek(1).space
            if text in STACKED:
                at = self.after(self.at + 1)
                return self.tokens[self.pairs.get(at, at) - (at in self.pairs)].text in RELATIONS
            return False
        return (self.token.kind in {SYMBOL, COMMAND} and text != "\\stackrel") or text == "\\stackrel"

    def layout_end(self) -> int:
        """Return the place of the next token that is no break of a row and no wide space."""
        at = self.at
        while self.tokens[at].kind in {ROW, QUAD}:
            at += 1
        return at

    def skip_layout(self) -> None:
        """Skip breaks of rows and wide spaces."""
        while self.token.kind in {ROW, QUAD} and not self.cells:
            self.at += 1

    def skip_layout_before_relation(self) -> None:
        """Skip breaks of rows and wide spaces if a relation follows them."""
        if self.token.kind in {ROW, QUAD} and not self.cells:
            at = self.at
            self.at = self.layout_end()
            if not self.relation_ahead() or self.token.text in ARROWS:
                self.at = at

    def skip_layout_before_operator(self, *, additive: bool) -> None:
        """Skip breaks of rows and wide spaces if an operator between two terms follows them."""
        if self.token.kind in {ROW, QUAD} and not self.cells:
            at = self.layout_end()
            text = self.tokens[at].text
            if text in {"+", "-"}:
                gathered = any(row.side == "gather" for row in self.tokens[self.at : at])
                if additive and not gathered:
                    self.at = at
            elif text in OPERATORS and text != "." and not additive:
                self.at = at

    def skip_layout_before_factors(self) -> None:
        """Skip the break of a row if the next is set in and made of factors alone.

        It then goes on with the product above: `(a + b) \\\\ &\\quad (c + d)`.
        """
        indented = self.token.side == "column" or (self.token.side == "" and self.peek(1).kind == QUAD)
        if self.cells or self.token.kind != ROW or not indented:
            return
        at = start = self.layout_end()
        while self.tokens[at].kind not in {ROW, STOP, END}:
            token = self.tokens[at]
            if (
                token.kind == QUAD
                or token.text in RELATIONS
                or token.text in TEXT
                or token.text in {",", ";"}
            ):
                return
            at = self.pairs.get(at, at) + 1
        back, self.at = self.at, start
        if not self.starts_operand():
            self.at = back

    def enter(self) -> None:
        """Go one level deeper."""
        self.depth += 1
        if self.depth > MAX_DEPTH:
            self.fail("this is nested too deeply")

    def leave(self) -> None:
        """Come back from a level."""
        self.depth -= 1

    def closes(self) -> bool:
        """Tell whether what we are inside of ends here."""
        token = self.token
        return token.text in {"}", "&"} or token.text in CLOSERS or token.kind in {STOP, END, ROW}

    def starts_operand_after(self, ahead: int) -> bool:
        """Tell whether an operand or a sign comes so many tokens ahead."""
        self.at += ahead
        found = self.starts_operand() or self.check("+", "-")
        self.at -= ahead
        return found

    def empty_braces(self) -> bool:
        """Tell whether `{}` comes next, with no script on it."""
        return self.check("{") and self.peek(1).text == "}" and self.peek(2).text not in {"^", "_"}

    def starts_operand(self) -> bool:
        """Tell whether a factor can begin with the next token."""
        token = self.token
        kind = token.kind
        if kind in {LETTER, DIGIT, BEGIN}:
            return True
        text = token.text
        if kind == COMMAND:
            if text in {"\\|", "\\mid"}:
                return text == "\\|" and self.bar_opens()
            if text in TEXT:
                return not self.is_words()
            return text not in NO_OPERANDS and not (text in STACKED and self.relation_ahead())
        if kind == SYMBOL:
            if text == "|":
                return self.bar_opens()
            if text == ".":
                return self.peek(1).kind == DIGIT and not self.peek(1).space
            return text in {"(", "[", "{", "?"}
        return False

    def unexpected(self) -> NoReturn:
        """Fail at a token that cannot begin a factor, in words that fit it."""
        token = self.token
        text = token.text
        if token.kind == STOP:
            last = self.tokens[self.at - 1].span if self.at else token.span
            self.fail("expected a term after this", span=last, expected="a term")
        if text in CLOSERS or text in {"}", "&"} or token.kind in {ROW, END}:
            self.fail("expected a term before this", expected="a term")
        if text in OPERATORS or text in RELATIONS or text in {",", ";", "+", "-", ")"}:
            self.fail("expected a term before this", expected="a term")
        if token.kind == COMMAND and text in TEXT:
            self.fail("expected mathematics, not words", expected="a term")
        if text in {"|", "\\|", "\\mid"}:
            self.fail("this bar has no partner", expected="a term")
        if text == "!":
            self.fail("a factorial cannot be read yet", expected="an operator")
        if text in UNREAD:
            self.fail(f"{text} cannot be read yet", expected="a term")
        if token.kind == COMMAND:
            self.fail(f"the command {text} is not known", expected="a term")
        self.fail("this character is not known in mathematics", expected="a term")

    def after(self, at: int) -> int:
        """Return the place after the argument that starts here."""
        return min(self.pairs.get(at, at) + 1, len(self.tokens) - 1)

    def argument_tokens(self) -> list[Token]:
        """Take an argument as it is, without its braces."""
        start = self.at
        if self.token.kind == STOP or self.check("}"):
            self.fail("expected an argument in braces", expected="an opening brace")
        self.at = self.after(start)
        if start in self.pairs and self.tokens[start].text == "{":
            return self.tokens[start + 1 : self.at - 1]
        return self.tokens[start : self.at]

    def bar_opens(self) -> bool:
        """Tell whether the bar that comes next opens a pair."""
        token = self.token
        if token.side:
            return token.side == "left"
        closer = self.closers[-1] if self.closers else ""
        if self.divides():
            return False
        if token.text == "\\|":
            return closer != "\\|"
        if closer == "|" or (closer == "||" and self.peek(1).text == "|"):
            return False
        return not self.lonely_bar()

    def lonely_bar(self) -> bool:
        """Tell whether the bar that comes next is the only one in its bracket, as in P(a|b)."""
        if self.check("\\mid"):
            return True
        if not self.closers or self.closers[-1] not in {")", "]", "\\}", "\\rangle"}:
            return False
        return not self._bar_after(self.at + 1, {"|"})

    def divides(self) -> bool:
        """Tell whether a double bar comes next that has no partner in its brackets, as in `D(p \\| q)`."""
        following = self.peek(1)
        double = self.check("|") and following.text == "|" and not following.space and not following.side
        if not (double or self.check("\\|")) or self.token.side not in {"", "middle"}:
            return False
        if not self.closers or self.closers[-1] not in {")", "]", "\\}"}:
            return False
        return not self._bar_after(self.at + 1 + double, {"|", "\\|"})

    def divided(self, at: int) -> bool:
        """Tell whether a bracket begins here that a double bar divides: the `(p \\| q)` of `KL(p \\| q)`."""
        if self.tokens[at].text not in {"(", "["}:
            return False
        back, self.at, closers = self.at, at + 1, self.closers
        self.closers = [*closers, OPENERS[self.tokens[at].text]]
        level = 0
        found = False
        while not found and level >= 0 and self.token.kind not in {STOP, END}:
            if self.at in self.pairs:
                self.at = self.pairs[self.at]
            level += (self.token.text in OPENERS) - (self.token.text in CLOSERS or self.token.text == "}")
            found = level == 0 and self.divides()
            self.at += 1
        self.at, self.closers = back, closers
        return found

    def _bar_after(self, at: int, kinds: set[str]) -> bool:
        """Tell whether such a bar comes from a place on, before what we are inside of ends."""
        level = 0
        while at < len(self.tokens):
            text = self.tokens[at].text
            if at in self.pairs:
                at = self.pairs[at]
            elif text in OPENERS:
                level += 1
            elif text in CLOSERS or text == "}":
                level -= 1
                if level < 0:
                    return False
            elif text in kinds and level == 0:
                return True
            at += 1
        return False

    def is_words(self, *, any_word: bool = False) -> bool:
        """Tell whether the `\\text` that comes next is prose rather than a name."""
        if self.scripts and not any_word:
            return False
        at = self.at + 1
        end = self.pairs.get(at)
        if end is None:
            return False
        tokens = self.tokens[at + 1 : end]
        said = prose_of(tokens)
        word = said.strip(" .,;:")
        if not WORD.match(word):
            return True
        return any_word or word.lower() in CUES or said.lower() in CUES


def prose_of(tokens: list[Token]) -> str:
    """Return the words of a `\\text`, white space folded."""
    pieces: list[str] = []
    for token in tokens:
        if token.text in {"\\ ", "~", "\\,", "\\;", "\\:", "\\quad", "\\\n"}:
            pieces.append(" ")
            continue
        if token.space:
            pieces.append(" ")
        if token.text not in {"{", "}"}:
            pieces.append(token.text)
    return " ".join("".join(pieces).split())

"""One span of LaTeX mathematics -> `Display`. Recursive descent, one function per nonterminal.

`parse` raises nothing but `LatexError`. It never looks back: where a choice needs more than the next
token (a derivative, a bar, prose), the tokens ahead are scanned without being read. Nesting is bounded.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NoReturn

from symderiv.diagnostics import Span
from symderiv.latex.layout import CLOSERS, OPENERS, RELATIONS, STACKED, TEXT, tidy
from symderiv.latex.macros import Macros
from symderiv.latex.tokens import (
    BEGIN,
    COMMAND,
    DIGIT,
    END,
    LETTER,
    MAX_LENGTH,
    QUAD,
    ROW,
    STOP,
    SYMBOL,
    Cursor,
    LatexError,
    Token,
    lex,
)
from symderiv.latex.tree import (
    Absolute,
    Accent,
    Additive,
    Big,
    Call,
    Case,
    Cases,
    Chain,
    Connective,
    Derivative,
    Differential,
    Display,
    Dots,
    Empty,
    Fraction,
    Group,
    Inner,
    Matrix,
    Name,
    Node,
    Norm,
    Number,
    Operator,
    Product,
    Question,
    Relation,
    Root,
    Script,
    Sequence,
    Words,
)
from symderiv.latex.vocabulary import (
    ACCENTS,
    ARROWS,
    BIGS,
    CONDITION_WORDS,
    CONNECTIVES,
    CUES,
    DOTS,
    FONTS,
    FUNCTIONS,
    GREEK,
    LETTERS,
    MATES,
    NO_OPERANDS,
    OPERATORS,
    OTHERWISE,
    PHRASE,
    PLACEHOLDERS,
    PLAIN,
    SAYINGS,
    STRENGTH,
    SWITCHES,
    TEXT_FONTS,
    TRACES,
    UNDIFFERENTIATED,
    UNREAD,
    WORD,
    WORD_FONTS,
    WORDS,
)

if TYPE_CHECKING:
    from collections.abc import Callable


MAX_DEPTH = 110
"""How deeply mathematics may be nested."""

_PRODUCT, _ARGUMENT, _NUMERATOR = range(3)


def parse(text: str, *, offset: int = 0, macros: Macros | None = None) -> Display:
    """Read one span of mathematics; definitions in it are added to `macros`."""
    if len(text) > MAX_LENGTH:
        span = Span(offset, offset + 1)
        raise LatexError("this mathematics is too long to be read", span, text=text, offset=offset)
    store = Macros() if macros is None else macros
    tokens = store.expand(lex(text, offset), text=text, offset=offset)
    parser = _Parser(tidy(tokens, text=text, offset=offset), text=text, offset=offset)
    try:
        return parser.display()
    except RecursionError:
        parser.fail("this is nested too deeply")


class _Parser(Cursor):
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
        self.pending_braces = False
        """Whether primes were taken from a braced superscript that is still open."""

    # Statements

    def display(self) -> Display:
        """display : ( chain | words | connective )*"""
        start = self.at
        items: list[Chain | Words | Connective] = []
        fresh = True
        while self.token.kind != STOP:
            token = self.token
            if self.connects() or (token.text in ARROWS and fresh):
                fresh = self.connective(items) or fresh
                continue
            if token.text == ":" and (
                self.peek(1).kind in {STOP, ROW, QUAD} or self.peek(1).text in CONNECTIVES
            ):
                self.read()
                continue
            if token.text in ARROWS and _states(items):
                self.connective(items)
                continue
            if token.text in SAYINGS or (token.text in TEXT and self.is_words()):
                fresh = False
                self.words(items)
                continue
            if self.relation_ahead() and (before := _last_chain(items, fresh=fresh)) is not None:
                index, chain = before
                items[index] = self.chain(chain)
                if items and isinstance(items[-1], Connective):
                    items.pop()
            else:
                items.append(self.chain(None))
            fresh = False
        while items and isinstance(items[-1], Connective):
            items.pop()
        while items and isinstance(items[0], Connective) and STRENGTH[items[0].text] < STRENGTH["arrow"]:
            items.pop(0)
        return Display(tuple(items), span=self.since(start) if items else Span(self.offset, self.offset))

    def connects(self) -> bool:
        """Tell whether a connective comes next."""
        token = self.token
        return token.kind in {ROW, QUAD} or (token.text in CONNECTIVES and not self.starts_operand())

    def connective(self, items: list[Chain | Words | Connective]) -> bool:
        """connective : "," | ";" | "." | quad | row | implies | therefore | arrow

        Of several in a row the strongest stays. Tells whether a new row begins.
        """
        start = self.at
        token = self.read()
        if token.kind == ROW:
            name = "row"
        elif token.kind == QUAD:
            name = "quad"
        else:
            name = "arrow" if token.text in ARROWS else CONNECTIVES[token.text]
        if name == ".":
            if self.token.kind not in {STOP, ROW, QUAD} and self.token.text not in TEXT:
                self.at = start
                self.fail("expected a term before this", expected="a term")
            return False
        node = Connective(name, span=self.since(start))
        if items and isinstance(items[-1], Connective):
            if STRENGTH[name] > STRENGTH[items[-1].text]:
                items[-1] = node
        else:
            items.append(node)
        return name == "row"

    def words(self, items: list[Chain | Words | Connective]) -> None:
        """words : "\\forall" | "\\text" "{" ( prose | "$" display "$" )* "}" (at the top level)"""
        start = self.at
        if self.token.text in SAYINGS:
            text = SAYINGS[self.read().text]
            items.append(Words(text, span=self.since(start)))
            return
        self.read()
        tokens = self.argument_tokens()
        prose: list[Token] = []
        at = 0
        while at <= len(tokens):
            if at == len(tokens) or tokens[at].text == "$":
                said = _said(prose)
                if said.strip(" ,.;:"):
                    span = prose[0].span.to(prose[-1].span) if prose else self.since(start)
                    items.append(Words(said, span=span))
                prose = []
                end = next((k for k in range(at + 1, len(tokens)) if tokens[k].text == "$"), len(tokens))
                if at + 1 < end:
                    self.enter()
                    inner = tidy(tokens[at + 1 : end], text=self.text, offset=self.offset)
                    parser = _Parser(inner, text=self.text, offset=self.offset, depth=self.depth)
                    items.extend(parser.display().items)
                    self.leave()
                at = end
            elif tokens[at].text not in {"{", "}"}:
                prose.append(tokens[at])
            at += 1

    def chain(self, before: Chain | None) -> Chain:
        """chain : member? ( relation member )*"""
        start = self.at
        members: list[Node | None] = []
        operators: list[Operator] = []
        if before is not None:
            members.extend(before.members)
            operators.extend(before.operators)
        elif self.relation_ahead():
            members.append(None)
        else:
            members.append(self.member())
        while True:
            self.skip_layout_before_relation()
            if not self.relation_ahead() or (
                self.token.text in ARROWS and any(operator.text not in {":", "to"} for operator in operators)
            ):
                break
            at = self.at
            operators.append(Operator(self.relation_sign(), span=self.since(at)))
            self.skip_layout()
            if self.token.kind == STOP or self.token.text in {",", ";", "."}:
                if operators[-1].text == ":" and len(operators) > 0:
                    operators.pop()
                    break
                self.fail(
                    "expected something after this relation", span=operators[-1].span, expected="a term"
                )
            members.append(self.member())
        span = self.since(start)
        return Chain(tuple(members), tuple(operators), span=span if before is None else before.span.to(span))

    def member(self) -> Node:
        """member : "?" | expression"""
        return self.expression(required=True)

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

    def relation_sign(self) -> str:
        """relation : "=" | "==" | ":=" | "\\not" relation | "\\overset" argument relation | …"""
        token = self.read()
        text = token.text
        if text in {"\\overset", "\\underset", "\\stackrel"}:
            above = "".join(part.text for part in self.argument_tokens())
            inner = self.argument_tokens()
            if len(inner) != 1 or inner[0].text not in RELATIONS:
                self.fail(f"expected a relation in {text}", span=token.span, expected="a relation")
            sign = RELATIONS[inner[0].text]
            return ":=" if sign == "=" and ("def" in above or "triangle" in above or above == "!") else sign
        if text == "\\not":
            inner_text = self.read().text
            known = {"=": "!=", "\\in": "notin"}
            if inner_text not in known:
                self.fail("expected a relation after \\not", span=token.span, expected="a relation")
            return known[inner_text]
        if text in {":", "!"} and self.check("=") and not self.token.space:
            self.read()
            return text + "="
        if text == "=" and self.check("=") and not self.token.space:
            self.read()
        if text == "<" and self.check("=") and not self.token.space:
            self.read()
            return "<="
        if text == ">" and self.check("=") and not self.token.space:
            self.read()
            return ">="
        if text == "<" and self.check("-") and not self.token.space and self.peek(1).space:
            self.read()
            return "<-"
        return RELATIONS[text]

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

    # Expressions

    def enter(self) -> None:
        """Go one level deeper."""
        self.depth += 1
        if self.depth > MAX_DEPTH:
            self.fail("this is nested too deeply")

    def leave(self) -> None:
        """Come back from a level."""
        self.depth -= 1

    def body(self) -> Node:
        """body : sequence ( "|" sequence )?"""
        start = self.at
        first = self.sequence()
        if self.check("|", "\\mid") and self.lonely_bar():
            self.read()
            second = self.sequence()
            return Relation((first, second), ("|",), span=self.since(start))
        return first

    def sequence(self) -> Node:
        """sequence : ( condition ( ("," | ";") condition )* )?"""
        start = self.at
        if self.closes():
            return Empty(span=self.since(start))
        first = self.condition()
        if not self.check(",", ";"):
            return first
        items = [first]
        while self.consume(",", ";"):
            if self.closes():
                break
            items.append(self.condition())
        return Sequence(tuple(items), span=self.since(start)) if len(items) > 1 else first

    def condition(self) -> Node:
        """condition : expression? ( relation expression? )*"""
        start = self.at
        if self.relation_ahead() and self.token.text != "\\not":
            if self.check(":") and not self.starts_operand_after(1):
                token = self.read()
                return Name(":", span=token.span)
            members: list[Node] = [Empty(span=self.since(start))]
        else:
            members = [self.expression(required=True)]
        operators: list[str] = []
        while self.relation_ahead():
            operators.append(self.relation_sign())
            if self.closes() or self.check(",", ";"):
                if operators[-1] != ":":
                    self.fail("expected something after this relation", expected="a term")
                members.append(Empty(span=self.since(self.at)))
                break
            members.append(self.expression(required=True))
        return Relation(tuple(members), tuple(operators), span=self.since(start)) if operators else members[0]

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

    def expression(self, *, required: bool = False) -> Node:
        """expression : sign? product ( sign product )*"""
        self.enter()
        start = self.at
        terms: list[tuple[str, Node]] = []
        while self.empty_braces():
            self.at += 2
        if self.check("+", "-"):
            sign = self.read().text
            self.skip_layout()
            if self.scripts and self.closes():
                self.leave()
                return Name(sign, span=self.since(start))
            terms.append((sign, self.signed_term()))
        else:
            terms.append(("", self.product(required=required)))
        while True:
            self.skip_layout_before_operator(additive=True)
            if not self.check("+", "-"):
                break
            sign = self.read().text
            self.skip_layout()
            terms.append((sign, self.signed_term()))
        self.leave()
        if len(terms) == 1 and not terms[0][0]:
            return terms[0][1]
        return Additive(tuple((sign or "+", term) for sign, term in terms), span=self.since(start))

    def signed_term(self) -> Node:
        """signed_term : product | sign signed_term"""
        if not self.check("+", "-"):
            return self.product(required=True)
        start = self.at
        self.enter()
        sign = self.read().text
        term = self.signed_term()
        self.leave()
        return Additive(((sign, term),), span=self.since(start))

    def product(self, *, mode: int = _PRODUCT, required: bool = True) -> Node:
        """product : factor ( operator? factor )*

        As the argument of a function it ends before `\\cdot`, `\\times` and the next function.
        """
        self.enter()
        start = self.at
        first = self.factor(required=required)
        factors = [first]
        operators: list[str] = []
        braced = [self.braced]
        while True:
            if self.token.kind in {ROW, QUAD} and mode == _PRODUCT:
                self.skip_layout_before_operator(additive=False)
            operator = self.operator(mode)
            if operator is None:
                break
            if not operator and self.check("{") and self.empty_braces():
                self.at += 2
                continue
            operators.append(operator)
            factors.append(self.signed_factor() if operator else self.factor())
            braced.append(self.braced)
        self.leave()
        self.braced = False
        if len(factors) == 1:
            return first
        return _flat(factors, operators, braced, self.since(start))

    def operator(self, mode: int) -> str | None:
        """operator : "\\cdot" | "\\times" | "/" | …

        Empty where two factors are juxtaposed; None where the product ends.
        """
        text = self.token.text
        operator = OPERATORS.get(text)
        if operator is None or (self.scripts and operator != "/" and self.placeholder()):
            if not self.starts_operand() and operator is None:
                return None
            if mode == _ARGUMENT and (text in FUNCTIONS or self.is_word_call()):
                return None
            return None if self.variables and self.at_differential() else ""
        if mode == _NUMERATOR or (mode == _ARGUMENT and operator != "/"):
            return None
        if operator == "." and not self.dot_is_product():
            return None
        if operator == "/" and self.slashes and self.differential_at(self.at + 1)[0]:
            return None
        at = self.at
        self.read()
        self.skip_layout()
        if not self.starts_operand() and not self.check("+", "-"):
            self.fail("expected a factor after this", span=self.tokens[at].span, expected="a factor")
        return operator

    def placeholder(self) -> bool:
        """Tell whether the operator that comes next stands for an index, as in `x_{i\\cdot}`."""
        self.at += 1
        alone = self.closes()
        self.at -= 1
        return alone and self.token.text in PLACEHOLDERS

    def dot_is_product(self) -> bool:
        """Tell whether the full stop that comes next stands between two factors."""
        self.at += 1
        found = self.starts_operand() and not self.check("{")
        self.at -= 1
        return found

    def signed_factor(self) -> Node:
        """signed_factor : factor | sign signed_factor"""
        if not self.check("+", "-"):
            return self.factor()
        start = self.at
        self.enter()
        sign = self.read().text
        inner = self.signed_factor()
        self.leave()
        self.braced = False
        return Additive(((sign, inner),), span=self.since(start))

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

    def factor(self, *, required: bool = True) -> Node:
        """factor : primary scripts"""
        start = self.at
        token = self.token
        self.braced = False
        if token.kind == COMMAND:
            return self.command()
        if token.kind == LETTER:
            return self.letter()
        if token.kind == DIGIT or (token.text == "." and self.starts_operand()):
            return self.scripted(self.number(), start)
        if token.kind == BEGIN:
            return self.scripted(self.environment(), start)
        return self.bracket(required=required)

    def letter(self) -> Node:
        """letter : a known word with its argument | differential | a letter scripts"""
        start = self.at
        token = self.token
        if word := self.bare_word():
            return self.scripted(self.call(self.take_word(word), start), start)
        if token.text == "d" and not self.font:
            differential = self.italic_differential()
            if differential is not None:
                return differential
        self.at += 1
        return self.scripted(Name(token.text, self.font, span=token.span), start)

    def bracket(self, *, required: bool) -> Node:
        """bracket : "?" | braces | group scripts | bars scripts"""
        start = self.at
        token = self.token
        text = token.text
        if text == "{":
            return self.braces()
        if text in {"(", "["}:
            return self.scripted(self.group(), start)
        if text == "|":
            return self.scripted(self.bars(), start)
        if text == "?":
            self.read()
            return Question(span=token.span)
        if self.scripts and text in PLACEHOLDERS:
            self.read()
            return Name(text, span=token.span)
        if text in {"^", "_"} and (self.scripts or required):
            self.fail("expected something before this script", expected="a base")
        return self.unexpected()

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

    def number(self) -> Node:
        """number : digit* ( "." digit+ )?"""
        start = self.at
        text = ""
        if self.token.kind == DIGIT:
            text = self.read().text
            while self.token.kind == DIGIT and not self.token.space:
                text += self.read().text
        after = self.peek(1)
        if self.check(".") and after.kind == DIGIT and not after.space and (not text or not self.token.space):
            text += self.read().text
            while self.token.kind == DIGIT and not self.token.space:
                text += self.read().text
        if self.font:
            return Name(text, self.font, span=self.since(start))
        return Number(text, span=self.since(start))

    def braces(self) -> Node:
        """braces : "{" body "}" scripts"""
        start = self.at
        self.enter()
        self.expect("{", "an opening brace")
        self.closers.append("}")
        variables, self.variables = self.variables, ""
        inner = self.body()
        self.variables = variables
        self.closers.pop()
        self.expect("}", "a closing brace")
        self.leave()
        node = self.scripted(inner, start)
        self.braced = node is inner
        return node

    def argument(self, *, placeholder: bool = False) -> Node:
        """argument : braces | token"""
        start = self.at
        token = self.token
        self.enter()
        self.braced = False
        closers, self.closers = self.closers, [*self.closers[-1:], "}"]
        variables, self.variables = self.variables, ""
        node: Node
        if token.text == "{":
            self.read()
            node = self.body()
            self.expect("}", "a closing brace")
        elif token.kind == DIGIT:
            self.read()
            node = (
                Name(token.text, self.font, span=token.span)
                if self.font
                else Number(token.text, span=token.span)
            )
        elif token.kind == LETTER:
            self.read()
            node = Name(token.text, self.font, span=token.span)
        elif token.kind == COMMAND and token.text not in NO_OPERANDS | PLACEHOLDERS:
            node = self.command(scripts=False)
        elif placeholder and token.text in PLACEHOLDERS:
            self.read()
            node = Name(token.text, span=token.span)
        else:
            self.fail("expected an argument in braces", span=token.span, expected="an opening brace")
        self.variables = variables
        self.closers = closers
        self.leave()
        assert self.at > start
        return node

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

    # Brackets and bars

    def group(self) -> Node:
        """group : opening body closing"""
        start = self.at
        self.enter()
        opening = self.read()
        mates, expected = MATES[opening.text]
        self.closers.append(OPENERS[opening.text])
        variables, self.variables = self.variables, ""
        within, self.in_fraction = self.in_fraction, False
        if opening.text == "\\langle":
            node = self.inner(start, expected)
        else:
            inner = self.body()
            if self.token.text not in mates:
                self.fail_closing(opening, expected)
            closing = self.read().text
            left, right = PLAIN.get(opening.text, opening.text), PLAIN.get(closing, closing)
            node = Group(inner, left, right, span=self.since(start))
        self.in_fraction = within
        self.variables = variables
        self.closers.pop()
        self.leave()
        return node

    def fail_closing(self, opening: Token, expected: str) -> None:
        """Fail where a bracket should be closed."""
        if self.token.kind in {STOP, END}:
            self.fail(f"expected {expected} for this", span=opening.span, expected=expected)
        if self.token.kind == COMMAND and self.token.text not in NO_OPERANDS:
            self.unexpected()
        self.fail(f"expected {expected}", expected=expected)

    def inner(self, start: int, expected: str) -> Node:
        """inner : the rest of "\\langle" expression ("," | "|") expression "\\rangle" after the bracket"""
        left = self.expression(required=True)
        if not self.consume(",", "|", "\\mid"):
            self.fail("expected a comma in this inner product", expected="a comma")
        right = self.expression(required=True)
        self.expect("\\rangle", expected)
        return Inner(left, right, span=self.since(start))

    def bar_opens(self) -> bool:
        """Tell whether the bar that comes next opens a pair."""
        token = self.token
        if token.side:
            return token.side == "left"
        closer = self.closers[-1] if self.closers else ""
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
        level = 0
        at = self.at + 1
        while at < len(self.tokens):
            text = self.tokens[at].text
            if at in self.pairs:
                at = self.pairs[at]
            elif text in OPENERS:
                level += 1
            elif text in CLOSERS or text == "}":
                level -= 1
                if level < 0:
                    return True
            elif text == "|" and level == 0:
                return False
            at += 1
        return True

    def bars(self) -> Node:
        """bars : "|" expression "|" | ( "\\|" | "||" ) expression ( "\\|" | "||" )"""
        start = self.at
        self.enter()
        opening = self.read()
        kind = opening.text
        if opening.side in {"right", "middle"}:
            self.fail("this bar has no partner", span=opening.span, expected="a term")
        if kind == "|" and self.check("|") and self.bar_is_double(opening):
            self.read()
            kind = "||"
        elif kind == "|" and self.check("_", "^"):
            self.fail("an evaluation bar cannot be read yet", span=opening.span, expected="a term")
        self.closers.append(kind)
        variables, self.variables = self.variables, ""
        inner = self.expression(required=True)
        self.closers.pop()
        expected = "a closing bar"
        for _ in range(len(kind) if kind == "||" else 1):
            if not self.check(kind[-1] if kind != "\\|" else kind):
                if self.token.kind in {STOP, END}:
                    self.fail("expected a closing bar for this", span=opening.span, expected=expected)
                self.fail("expected a closing bar", expected=expected)
            self.read()
        self.variables = variables
        node: Node
        if kind == "|":
            node = Absolute(inner, span=self.since(start))
        else:
            order = None
            if self.consume("_"):
                self.scripts += 1
                order = self.argument()
                self.scripts -= 1
            elif self.check("^") and self.tokens[self.after(self.at + 1)].text == "_":
                back = self.at
                self.at = self.after(self.at + 1) + 1
                self.scripts += 1
                order = self.argument()
                end, self.at = self.at, back + 1
                sup = self.argument()
                self.scripts -= 1
                self.at = end
                self.leave()
                norm = Norm(inner, order, span=self.since(start))
                return Script(norm, None, sup, span=self.since(start))
            node = Norm(inner, order, span=self.since(start))
        self.leave()
        return node

    def bar_is_double(self, opening: Token) -> bool:
        """Tell whether two bars in a row are one double bar: so is the next bar at this level then, too."""
        if self.token.space or self.token.side != opening.side:
            return False
        if opening.side:
            return True
        at = self.at + 1
        level = 0
        while at < len(self.tokens):
            token = self.tokens[at]
            if token.text == "|" and level == 0:
                return self.tokens[at + 1].text == "|"
            level += (token.text in OPENERS) - (token.text in CLOSERS)
            if level < 0 or token.kind in {END, ROW}:
                return True
            at = self.pairs.get(at, at) + 1
        return True

    # Scripts

    def scripted(self, base: Node, start: int) -> Node:
        """scripts : ( "_" argument | "^" argument | "'" )*"""
        if self.token.text not in {"_", "^", "'"}:
            return base
        sub: Node | None = None
        sup: Node | None = None
        primes = 0
        self.scripts += 1
        while (text := self.token.text) in {"_", "^", "'"}:
            if text == "_":
                if sub is not None:
                    self.fail("this has two subscripts", expected="an operator")
                self.read()
                sub = self.script_argument("subscript")
                continue
            if sup is not None:
                what = (
                    "this has two superscripts"
                    if text == "^"
                    else "expected the prime before the superscript"
                )
                self.fail(what, expected="an operator")
            self.read()
            if text == "'":
                primes += 1
            elif raised := self.raised_primes():
                primes += raised
                sup = self.rest_of_primes()
            else:
                sup = self.script_argument("superscript")
        self.scripts -= 1
        if isinstance(sub, Group) and sub.left == "{" and isinstance(sub.body, Relation):
            sub = sub.body
        plain = isinstance(base, Script) and base.sup is None and not base.primes
        if plain and isinstance(base, Script) and sub is None and sup is not None and not primes:
            return Script(base.base, base.sub, sup, span=self.since(start))
        return Script(base, sub, sup, primes, span=self.since(start))

    def rest_of_primes(self) -> Node | None:
        """Take what follows the primes in a braced superscript."""
        if not self.pending_braces:
            return None
        self.pending_braces = False
        rest = self.body()
        self.expect("}", "a closing brace")
        return rest

    def raised_primes(self) -> int:
        """Take the primes at the start of a superscript: `^\\prime`, `^{\\prime\\prime}`, `^{\\prime T}`."""
        if self.consume("'"):
            return 1
        if not self.check("{") or self.peek(1).text != "'":
            return 0
        self.read()
        raised = 0
        while self.consume("'"):
            raised += 1
        self.pending_braces = not self.consume("}")
        return raised

    def script_argument(self, what: str) -> Node:
        """script : argument"""
        token = self.token
        if token.text == "{":
            first, second, third = self.peek(1), self.peek(2), self.peek(3)
            if third.text == "}" and first.text == "T" and second.text == "r" and not second.space:
                self.at += 4
                return Name("Tr", span=first.span.to(second.span))
        if token.kind == STOP or token.text in {"^", "_", "}", "&"} or token.kind in {ROW, QUAD, END}:
            self.fail(f"expected a {what}", span=self.tokens[self.at - 1].span, expected=f"a {what}")
        if token.text in {"(", "[", "\\{"} or self.signed_ahead():
            self.fail(f"expected braces round this {what}", expected="an opening brace")
        return self.argument(placeholder=True)

    def signed_ahead(self) -> bool:
        """Tell whether a sign comes next with something close behind it, as in `x^-1`."""
        following = self.peek(1)
        return self.check("+", "-") and following.kind in {DIGIT, LETTER} and not following.space

    # Commands

    def command(self, *, scripts: bool = True) -> Node:
        """primary : a command with its arguments"""
        start = self.at
        text = self.token.text
        if text in FUNCTIONS or text in BIGS:
            return self.function() if scripts else self.function_name()
        if text in TEXT or text == "\\operatorname":
            return self.worded(scripts=scripts)
        if text in _UNSCRIPTED:
            if not scripts:
                self.fail("expected an argument in braces", expected="an opening brace")
            return _RULES[text](self)
        node = self.atom()
        if not scripts:
            return node
        if isinstance(node, Name) and node.text == "E" and node.font == "blackboard":
            return self.scripted(self.expectation(node, start), start)
        if isinstance(node, Big | Differential):
            return node
        whole = self.scripted(node, start)
        self.braced = whole is node and isinstance(node, Product)
        return whole

    def atom(self) -> Node:
        """atom : a command that scripts may follow, with its arguments"""
        start = self.at
        token = self.token
        text = token.text
        if (rule := _RULES.get(text)) is not None:
            return rule(self)
        if text in FONTS:
            return self.fonted()
        if text in OPENERS:
            return self.group()
        self.read()
        if text in GREEK:
            return Name(text, self.font, span=token.span)
        if text in ACCENTS:
            return Accent(text[1:], self.argument(), span=self.since(start))
        if text in DOTS:
            return Dots(text[1:], span=token.span)
        if text in LETTERS:
            return Name(LETTERS[text], "blackboard", span=token.span)
        if self.scripts and text in PLACEHOLDERS:
            return Name(text, span=token.span)
        self.at = start
        return self.unexpected()

    def function_name(self) -> Node:
        """Take the name of a function that stands as an argument, as in `H^\\det`."""
        token = self.token
        if token.text not in FUNCTIONS:
            self.fail("expected an argument in braces", expected="an opening brace")
        self.read()
        return Name(token.text[1:] if token.text in TRACES else token.text, span=token.span)

    def fraction(self) -> Node:
        """fraction : "\\frac" argument argument; a derivative if both begin with a differential"""
        start = self.at
        self.read()
        if self.check("{") and (derivative := self.derivative(start)) is not None:
            return derivative
        within, self.in_fraction = self.in_fraction, True
        numerator = self.argument()
        denominator = self.argument()
        self.in_fraction = within
        return Fraction(numerator, denominator, span=self.since(start))

    def root(self) -> Node:
        """root : "\\sqrt" ( "[" expression "]" )? argument"""
        start = self.at
        self.read()
        degree: Node | None = None
        if self.check("["):
            self.read()
            self.closers.append("]")
            degree = self.expression(required=True)
            self.closers.pop()
            self.expect("]", "a closing bracket")
        return Root(self.argument(), degree, span=self.since(start))

    def fonted(self) -> Node:
        """fonted : font argument"""
        start = self.at
        command = self.read().text
        if command in SWITCHES:
            self.fail(
                f"expected braces round {command}", span=self.tokens[start].span, expected="an opening brace"
            )
        font = FONTS[command]
        inner = self.tokens[self.at + 1 : self.pairs[self.at]] if self.at in self.pairs else [self.token]
        if font == "roman" and (roman := self.roman_differential(start)) is not None:
            return roman
        if inner and all(part.kind in {LETTER, DIGIT} or part.text in {"-", "."} for part in inner):
            word = "".join(part.text for part in inner)
            if len(inner) > 1 and inner[0].kind == LETTER and (font in WORD_FONTS or word in WORDS):
                word = "".join(
                    (" " if at and part.space else "") + part.text for at, part in enumerate(inner)
                )
                if WORD.match(word):
                    self.at = self.after(self.at)
                    return self.worded_name(Name(word, span=self.since(start)), start, function=word in WORDS)
        if len(inner) == 1 and inner[0].kind in {LETTER, DIGIT} | (
            {COMMAND} if inner[0].text in GREEK else set()
        ):
            self.at = self.after(self.at)
            return Name(inner[0].text, font, span=self.since(start))
        if all(part.kind == DIGIT for part in inner) and inner:
            self.at = self.after(self.at)
            return Name("".join(part.text for part in inner), font, span=self.since(start))
        if not inner:
            self.fail(f"expected a letter in {command}", span=self.since(start), expected="a letter")
        before, self.font = self.font, "" if font == "roman" else font
        node = self.argument()
        self.font = before
        return node

    def worded(self, *, scripts: bool = True) -> Node:
        """worded : ( "\\text" | "\\operatorname" "*"? ) "{" word "}" call"""
        start = self.at
        command = self.read().text
        self.consume("*")
        tokens = self.argument_tokens()
        span = self.since(start)
        if command == "\\operatorname":
            word = "".join(part.text for part in tokens if part.kind in {LETTER, DIGIT} or part.text == "-")
            if not WORD.match(word):
                self.fail("expected the name of an operator", span=span, expected="a word")
        else:
            word = _said(tokens).strip(" .,;:")
            if not PHRASE.match(word):
                self.fail("expected mathematics, not words", span=span, expected="a term")
        if (
            word == "d"
            and command != "\\operatorname"
            and (roman := self.roman_differential(start)) is not None
        ):
            return roman
        if word.isdigit():
            return self.scripted(Number(word, span=span), start)
        font = TEXT_FONTS.get(command, "roman") if len(word) == 1 else ""
        name = Name(word, font, span=span)
        if not scripts:
            return name
        node = self.worded_name(name, start, function=command == "\\operatorname" or word in WORDS)
        return node if isinstance(node, Big) else self.scripted(node, start)

    def worded_name(self, name: Name, start: int, *, function: bool) -> Node:
        """Return a word as a big operator, as a call, or as a name."""
        if name.text in {"argmax", "argmin"} or (name.text in {"max", "min"} and self.check("_")):
            return self.big(name.text, start)
        return self.call(name, start) if function else name

    def is_word_call(self) -> bool:
        """Tell whether a word that is a function comes next."""
        text = self.token.text
        if text == "\\operatorname":
            return True
        if self.token.kind == LETTER:
            return bool(self.bare_word())
        if text in TEXT or text in FONTS:
            inner = self.tokens[self.at + 2 : self.pairs.get(self.at + 1, self.at)]
            return "".join(part.text for part in inner) in WORDS
        return False

    def bare_word(self) -> str:
        """Return the known word that the letters that come next spell, if they spell one and no more."""
        at = self.at
        tokens = self.tokens
        if tokens[at + 1].kind != LETTER or (at and tokens[at - 1].kind == LETTER and not tokens[at].space):
            return ""
        word = tokens[at].text
        end = at + 1
        while end - at < 12 and tokens[end].kind == LETTER and not tokens[end].space:
            word += tokens[end].text
            end += 1
        if word not in WORDS:
            return ""
        following = tokens[end].text
        if following in {"(", "[", "\\{"}:
            return word
        if self.scripts and following == "}":
            return word if len(word) > 2 else ""
        self.at = end
        spaced = tokens[end].space and self.starts_operand()
        self.at = at
        return word if len(word) > 2 and (spaced or following in {"_", "^", "{"}) else ""

    def take_word(self, word: str) -> Node:
        """Take the letters of a bare word."""
        start = self.at
        self.at += len(word)
        return Name(word, span=self.since(start))

    def function(self) -> Node:
        """function : name scripts ( group | braces | product )?"""
        start = self.at
        token = self.read()
        text = token.text
        if text == "\\arg" and self.check("\\max", "\\min"):
            text = "\\arg" + self.read().text[1:]
        if text in BIGS and (text not in {"\\max", "\\min"} or self.check("_")):
            return self.big(BIGS[text], start)
        word = text[1:] if text in TRACES else text
        return self.scripted(self.call(Name(word, span=token.span), start), start)

    def call(self, function: Node, start: int) -> Node:
        """call : function scripts ( group | braces | product )?"""
        name = function
        if self.check("_", "^", "'"):
            at = self.at
            while self.tokens[at].text in {"_", "^", "'"}:
                at = at + 1 if self.tokens[at].text == "'" else self.after(at + 1)
            back = self.at
            self.at = at
            applied = self.starts_operand()
            self.at = back
            if not applied:
                return function
            function = self.scripted(function, start)
        if self.check("(", "[", "\\{", "{") and not self.empty_braces():
            braced = self.check("{")
            inner = self.argument() if braced else self.group()
            body = inner.body if isinstance(inner, Group) and inner.left in "([{" else inner
            if isinstance(body, Empty):
                return Call(function, (), span=self.since(start))
            arguments = body.items if isinstance(body, Sequence) else (body,)
            return Call(function, arguments, span=self.since(start))
        if not self.starts_operand() or (self.variables and self.at_differential()):
            return name if function is name else function
        if isinstance(name, Name) and not name.text.startswith("\\") and name.text not in WORDS:
            known = self.token.kind in {LETTER, COMMAND}
            if not known:
                return function
        argument = self.product(mode=_ARGUMENT)
        return Call(function, (argument,), span=self.since(start))

    def big(self, operator: str, start: int) -> Node:
        """big : operator scripts product"""
        sub, sup = self.limits()
        self.skip_layout()
        if operator == "int" and self.check("{") and self.empty_braces():
            self.at += 2
        if not self.starts_operand() and not self.check("+", "-"):
            last = self.tokens[self.at - 1].span
            what = {"sum": "a summand", "prod": "a factor"}.get(operator, "a term")
            self.fail(f"expected {what} after this", span=last, expected=what)
        self.integrals += operator == "int"
        if self.check("+", "-"):
            at = self.at
            sign = self.read().text
            body: Node = Additive(((sign, self.product()),), span=self.since(at))
        else:
            body = self.product()
        self.integrals -= operator == "int"
        return Big(operator, sub, sup, body, span=self.since(start))

    def limits(self) -> tuple[Node | None, Node | None]:
        """limits : ( "_" argument | "^" argument )*"""
        sub: Node | None = None
        sup: Node | None = None
        self.scripts += 1
        while self.check("_", "^"):
            below = self.read().text == "_"
            if (sub if below else sup) is not None:
                what = "subscripts" if below else "superscripts"
                self.fail(f"this has two {what}", span=self.tokens[self.at - 1].span, expected="a term")
            if below:
                sub = self.script_argument("subscript")
            else:
                sup = self.script_argument("superscript")
        self.scripts -= 1
        return sub, sup

    def expectation(self, name: Node, start: int) -> Node:
        """expectation : "\\mathbb{E}" scripts group"""
        at = self.at
        while self.tokens[at].text in {"_", "^"}:
            at = self.after(at + 1)
        if self.tokens[at].text not in {"[", "(", "\\{"}:
            return name
        sub, sup = self.limits()
        return Big("E", sub, sup, self.group(), span=self.since(start))

    def stacked(self) -> Node:
        """stacked : ( "\\overset" | "\\underset" ) argument argument (under a limit it counts)"""
        start = self.at
        under = self.read().text == "\\underset"
        at = self.at
        self.at = self.after(at)
        inner_at = self.at
        inner = self.argument_tokens()
        word = "".join(
            part.text for part in inner if part.kind in {LETTER, COMMAND} and part.text not in TEXT
        )
        word = word.replace("\\operatorname", "").replace("\\mathrm", "").replace("\\", "").replace("*", "")
        end = self.at
        if under and word in {"max", "min", "argmax", "argmin", "lim"}:
            self.at = at
            self.scripts += 1
            sub = self.argument()
            self.scripts -= 1
            self.at = end
            self.skip_layout()
            return Big(word, sub, None, self.product(), span=self.since(start))
        self.at = inner_at
        return self.argument()

    # Derivatives

    def differential_at(self, at: int) -> tuple[str, int]:
        """Return the style of the differential that stands here ("" if none does), and the place after it."""
        token = self.tokens[at]
        text = token.text
        if text == "\\partial":
            return "partial", at + 1
        if token.kind == LETTER and text == "d":
            if self.tokens[at + 1].text in {"_", "'"}:
                return "", at
            return "total", at + 1
        if text in {"\\mathrm", "\\text", "\\textrm", "\\operatorname", "\\rm", "\\mathop"}:
            end = self.after(at + 1)
            inner = self.tokens[at + 1 : end]
            letters = [part.text for part in inner if part.text not in {"{", "}"}]
            if letters == ["d"]:
                return "total", end
        if text in {"\\dd", "\\diff", "\\dif"}:
            return "total", at + 1
        if text == "{" and self.pairs.get(at, 0) - at in {2, 3}:
            inner = self.tokens[at + 1 : self.pairs[at]]
            if [part.text for part in inner] in (["\\partial"], ["\\rm", "d"]):
                return "partial" if inner[0].text == "\\partial" else "total", self.pairs[at] + 1
        return "", at

    def at_differential(self) -> bool:
        """Tell whether the next variable of a derivative begins here."""
        style, end = self.differential_at(self.at)
        return style == self.variables and self.tokens[end].text not in {"}", "_", "^", "'"}

    def derivative(self, start: int) -> Node | None:
        """derivative : "\\frac" "{" ∂ order? expression? "}" "{" ( ∂ variable )+ "}" product?"""
        first = self.at
        close = self.pairs[first]
        if self.tokens[close + 1].text != "{":
            return None
        end = self.pairs[close + 1]
        style, over = self.differential_at(first + 1)
        below, under = self.differential_at(close + 2)
        if not style or style != below or under >= end or self.tokens[under].text in {"_", "'", "^"}:
            return None
        self.at = under
        if not self.starts_operand():
            self.at = first
            return None
        self.at = over
        order = self.order()
        self.enter()
        closers, self.closers = self.closers, ["}"]
        variables, self.variables = self.variables, ""
        of: Node | None = None
        if self.at < close:
            of = self.expression(required=True)
        self.expect("}", "a closing brace")
        self.read()
        by = self.by(style, order)
        self.expect("}", "a closing brace")
        self.closers = closers
        self.variables = variables
        form = "fraction"
        if of is None:
            form = "operator"
            of = self.operand()
        self.leave()
        return Derivative(of, by, style, form, span=self.since(start))

    def order(self) -> int:
        """order : "^" number"""
        if not self.check("^"):
            return 1
        self.read()
        at = self.at
        text = "".join(part.text for part in self.argument_tokens())
        if not (text.isascii() and text.isdigit() and len(text) == 1 and text != "0"):
            span = self.tokens[at].span
            self.fail("expected a number as the order of this derivative", span=span, expected="a number")
        return int(text)

    def operand(self) -> Node | None:
        """operand : product?"""
        if not self.starts_operand() or (self.variables and self.at_differential()):
            return None
        return self.product()

    def by(self, style: str, order: int) -> tuple[Node, ...]:
        """by : ( ∂ variable )+"""
        found: list[Node] = []
        start = self.at
        while True:
            here, at = self.differential_at(self.at)
            if here != style:
                self.fail("expected a variable to differentiate by", expected="a variable")
            self.at = at
            if self.check("}"):
                self.fail("expected a variable to differentiate by", expected="a variable")
            before, self.variables = self.variables, style
            found.append(self.product(mode=_NUMERATOR))
            self.variables = before
            if self.check("}"):
                break
            self.consume(",", "*", "\\cdot")
        if order == 1:
            return tuple(found)
        return self.repeated(found, order, start)

    def repeated(self, found: list[Node], order: int, start: int) -> tuple[Node, ...]:
        """Return the variables of a higher derivative, those with an exponent as often as it says."""
        if len(found) == order:
            return tuple(found)
        by: list[Node] = []
        for variable in found:
            count = 1
            node = variable
            if (
                isinstance(variable, Script)
                and isinstance(variable.sup, Number)
                and variable.sup.text.isdigit()
            ):
                count = min(int(variable.sup.text), 10)
                node = variable.base
                if variable.sub is not None or variable.primes:
                    node = Script(variable.base, variable.sub, None, variable.primes, span=variable.span)
            by.extend([node] * count)
        if len(by) != order:
            what = f"expected {order} variables under a derivative of order {order}"
            self.fail(what, span=self.since(start), expected=f"{order} variables")
        return tuple(by)

    def partial(self) -> Node:
        """partial : ∂ "_" argument product? | ∂ product "/" ∂ factor | ∂ "/" ∂ factor product?"""
        start = self.at
        token = self.read()
        if self.check("_"):
            return self.subscripted("partial", start)
        at = self.at
        order = self.order() if self.check("^") else 1
        if self.check("/"):
            style, end = self.differential_at(self.at + 1)
            if style == "partial":
                self.at = end
                variable = self.factor()
                by = self.repeated([variable], order, end) if order > 1 else (variable,)
                return Derivative(self.operand(), by, "partial", "operator", span=self.since(start))
        elif self.slash_ahead("partial"):
            return self.slashed("partial", order, start)
        self.at = at
        return self.scripted(Name("\\partial", span=token.span), start)

    def slash_ahead(self, style: str) -> bool:
        """Tell whether `/ ∂ …` comes after the factors that come next."""
        at = self.at
        level = 0
        if not self.starts_operand():
            return False
        for _ in range(200):
            token = self.tokens[at]
            if at in self.pairs:
                at = self.pairs[at]
            elif token.kind in {STOP, ROW, QUAD, END}:
                return False
            elif token.text in OPENERS:
                level += 1
            elif token.text in CLOSERS or token.text == "}":
                level -= 1
                if level < 0:
                    return False
            elif level == 0:
                if token.text == "/":
                    found, end = self.differential_at(at + 1)
                    following = self.tokens[end]
                    variable = following.kind in {LETTER, COMMAND} or following.text in {"{", "("}
                    return found == style and variable
                another = self.differential_at(at)[0] == style and self.tokens[at - 1].text not in {"_", "^"}
                if another or token.text in NO_OPERANDS or token.text in {"+", "-", ",", "&", ";"}:
                    return False
            at += 1
        return False

    def slashed(self, style: str, order: int, start: int) -> Node:
        """slashed : product "/" ∂ factor"""
        self.slashes += 1
        of = self.product(mode=_NUMERATOR)
        self.slashes -= 1
        self.expect("/", "a slash")
        _, self.at = self.differential_at(self.at)
        at = self.at
        variable = self.factor()
        by = self.repeated([variable], order, at) if order > 1 else (variable,)
        self.braced = False
        return Derivative(of, by, style, "slash", span=self.since(start))

    def nabla(self) -> Node:
        """nabla : "\\nabla" ( "_" argument )? product?"""
        start = self.at
        token = self.read()
        if self.check("_"):
            return self.subscripted("nabla", start)
        if self.check("^") or not self.starts_operand():
            name = Name("\\nabla", span=token.span)
            return (
                self.scripted(name, start)
                if self.check("^")
                else Derivative(None, (), "nabla", "subscript", span=self.since(start))
            )
        return Derivative(self.operand(), (), "nabla", "subscript", span=self.since(start))

    def subscripted(self, style: str, start: int) -> Node:
        """subscripted : ( ∂ | "\\nabla" ) "_" argument ( "^" number )? product?"""
        self.read()
        self.scripts += 1
        variable = self.script_argument("subscript")
        self.scripts -= 1
        order = self.order()
        return Derivative(self.operand(), (variable,) * order, style, "subscript", span=self.since(start))

    def italic_differential(self) -> Node | None:
        """differential : "d" factor, where nothing stands between the two"""
        start = self.at
        following = self.peek(1)
        if self.scripts or (following.kind not in {LETTER, COMMAND} and following.text not in {"{", "/"}):
            return None
        self.at += 1
        if self.check("/"):
            variable = self.tokens[start + 3] if self.differential_at(start + 2)[0] == "total" else following
            if variable.kind in {LETTER, COMMAND} and not variable.space and variable.text not in NO_OPERANDS:
                return self.slash_operator(start)
        elif self.starts_operand() and following.text not in UNDIFFERENTIATED:
            if self.slash_ahead("total"):
                return self.slashed("total", 1, start)
            glued = start > 0 and self.tokens[start - 1].kind == LETTER and not self.tokens[start].space
            apart = (following.kind == LETTER and following.space) or (glued and not self.integrals)
            if not apart and not (self.in_fraction and following.text.islower()):
                return self.differential(start)
        self.at = start
        return None

    def slash_operator(self, start: int) -> Node:
        """slash_operator : "d" "/" "d" factor product?"""
        _, self.at = self.differential_at(self.at + 1)
        variable = self.factor()
        return Derivative(self.operand(), (variable,), "total", "operator", span=self.since(start))

    def differential(self, start: int) -> Node:
        """differential : d factor"""
        self.enter()
        of = self.factor()
        self.leave()
        self.braced = False
        return Differential(of, span=self.since(start))

    def roman_differential(self, start: int) -> Node | None:
        """differential : "\\mathrm{d}" factor"""
        style, end = self.differential_at(start)
        if style != "total":
            return None
        back = self.at
        self.at = end
        if self.check("/") and self.differential_at(self.at + 1)[0] == "total":
            return self.slash_operator(start)
        if not self.starts_operand() or self.check("_", "^"):
            self.at = back
            return None
        if self.slash_ahead("total"):
            return self.slashed("total", 1, start)
        return self.differential(start)

    # Tables

    def environment(self) -> Node:
        """environment : matrix | cases"""
        start = self.at
        self.enter()
        begin = self.read()
        variables, self.variables = self.variables, ""
        closers, self.closers = self.closers, []
        font, self.font = self.font, ""
        scripts, self.scripts = self.scripts, 0
        cells, self.cells = self.cells, True
        node = self.cases(start) if begin.text == "cases" else self.matrix(begin.text, start)
        self.cells = cells
        self.scripts = scripts
        self.font = font
        self.closers = closers
        self.variables = variables
        self.leave()
        return node

    def matrix(self, kind: str, start: int) -> Node:
        """matrix : cell ( "&" cell )* ( row cell ( "&" cell )* )*"""
        rows: list[tuple[Node, ...]] = []
        cells: list[Node] = []
        while True:
            cells.append(self.cell())
            if self.consume("&"):
                continue
            ended = self.token.kind == END
            if not ended and self.token.kind != ROW:
                self.unexpected_in_cell()
            if not (len(cells) == 1 and isinstance(cells[0], Empty)):
                rows.append(tuple(cells))
            cells = []
            self.read()
            if ended:
                break
        return Matrix(tuple(rows), kind.rstrip("*"), span=self.since(start))

    def unexpected_in_cell(self) -> None:
        """Fail inside a matrix or cases."""
        token = self.token
        if token.kind == COMMAND and token.text not in NO_OPERANDS | TEXT:
            self.unexpected()
        self.fail("expected the end of this cell", expected="the end of this cell")

    def cell(self) -> Node:
        """cell : sequence"""
        if self.token.kind in {END, ROW} or self.check("&"):
            return Empty(span=self.since(self.at))
        node = self.sequence()
        self.consume(".", ";")
        return node

    def cases(self, start: int) -> Node:
        """cases : case ( row case )*"""
        rows: list[Case] = []
        while True:
            at = self.at
            if self.token.kind not in (END, ROW):
                value = self.condition()
                self.consume(",", ".", ";")
                while self.consume("&"):
                    pass
                rows.append(Case(value, self.case_condition(), span=self.since(at)))
            if self.token.kind == ROW:
                self.read()
                continue
            if self.token.kind != END:
                self.unexpected_in_cell()
            self.read()
            break
        return Cases(tuple(rows), span=self.since(start))

    def case_condition(self) -> Node | None:
        """case_condition : ( words? condition ( ("," | "and") condition )* words? )?"""
        conditions: list[Node] = []
        start = self.at
        while self.token.kind not in {END, ROW, STOP}:
            if self.token.text in TEXT and self.is_words(any_word=not conditions):
                at = self.at
                self.read()
                tokens = self.argument_tokens()
                if any(part.text == "$" for part in tokens):
                    conditions.extend(self.inline_conditions(tokens))
                    continue
                said = _said(tokens).strip(" ,.;:").lower()
                if said in OTHERWISE and not conditions:
                    self.consume(",", ".", ";")
                    if self.token.kind not in {END, ROW}:
                        self.unexpected_in_cell()
                    return None
                if said not in CONDITION_WORDS:
                    span = self.tokens[at].span.to(self.tokens[self.at - 1].span)
                    self.fail(
                        "expected a condition in symbols, not in words", span=span, expected="a condition"
                    )
            elif (
                self.token.text in SAYINGS
                or self.check(",", ".", ";", "&", "\\wedge")
                or (self.check(":") and not conditions)
            ):
                self.read()
            else:
                conditions.append(self.condition())
        if not conditions:
            return None
        return conditions[0] if len(conditions) == 1 else Sequence(tuple(conditions), span=self.since(start))

    def inline_conditions(self, tokens: list[Token]) -> list[Node]:
        """Read the conditions of `\\text{if $i = j$}`."""
        said = "".join((" " if part.space else "") + part.text for part in tokens).split("$")
        for piece in said[::2]:
            if " ".join(piece.split()).strip(" ,.;:").lower() not in CONDITION_WORDS:
                self.fail(
                    "expected a condition in symbols, not in words",
                    span=tokens[0].span.to(tokens[-1].span),
                    expected="a condition",
                )
        conditions: list[Node] = []
        marks = [at for at, part in enumerate(tokens) if part.text == "$"]
        self.enter()
        for opening, closing in zip(marks[::2], marks[1::2], strict=False):
            inner = tidy(tokens[opening + 1 : closing], text=self.text, offset=self.offset)
            parser = _Parser(inner, text=self.text, offset=self.offset, depth=self.depth)
            conditions.append(parser.condition())
            if parser.token.kind != STOP:
                parser.fail("expected the end of this condition", expected="the end of this condition")
        self.leave()
        return conditions

    def is_words(self, *, any_word: bool = False) -> bool:
        """Tell whether the `\\text` that comes next is prose rather than a name."""
        if self.scripts and not any_word:
            return False
        at = self.at + 1
        end = self.pairs.get(at)
        if end is None:
            return False
        tokens = self.tokens[at + 1 : end]
        said = _said(tokens)
        word = said.strip(" .,;:")
        if not WORD.match(word):
            return True
        return any_word or word.lower() in CUES or said.lower() in CUES


def _said(tokens: list[Token]) -> str:
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


def _flat(factors: list[Node], operators: list[str], braced: list[bool], span: Span) -> Product:
    """Return a product in which juxtaposed products in TeX braces are spliced."""
    count = len(factors)
    if not any(braced):
        return Product(tuple(factors), tuple(operators), span=span)
    parts: list[Node] = []
    signs: list[str] = []
    for at, factor in enumerate(factors):
        if at:
            signs.append(operators[at - 1])
        splices = (
            braced[at]
            and isinstance(factor, Product)
            and not any(factor.operators)
            and (at == 0 or not operators[at - 1])
            and (at == count - 1 or (not operators[at] and not reaches(factor.factors[-1])))
        )
        if splices and isinstance(factor, Product):
            parts.extend(factor.factors)
            signs.extend(factor.operators)
        else:
            parts.append(factor)
    return Product(tuple(parts), tuple(signs), span=span)


def reaches(node: Node) -> bool:
    """Tell whether a node, as it is written, would take in a factor that follows it."""
    if isinstance(node, Big):
        return node.operator != "E"
    return isinstance(node, Derivative) and node.form in {"operator", "subscript"}


def _states(items: list[Chain | Words | Connective]) -> bool:
    """Tell whether a statement has been made."""
    return any(isinstance(item, Chain) and item.operators for item in items)


def _last_chain(items: list[Chain | Words | Connective], *, fresh: bool) -> tuple[int, Chain] | None:
    """Return the chain that a relation continues: the last one, with words between only in a new row."""
    for index in range(len(items) - 1, -1, -1):
        item = items[index]
        if isinstance(item, Chain):
            return index, item
        if isinstance(item, Connective) and item.text in {"implies", "therefore", "arrow"}:
            return None
        if isinstance(item, Words) and not fresh:
            return None
    return None


_RULES: dict[str, Callable[[_Parser], Node]] = {
    "\\frac": _Parser.fraction,
    "\\sqrt": _Parser.root,
    "\\partial": _Parser.partial,
    "\\nabla": _Parser.nabla,
    "\\overset": _Parser.stacked,
    "\\underset": _Parser.stacked,
    "\\|": _Parser.bars,
}
_UNSCRIPTED = frozenset({"\\partial", "\\nabla"})

"""Words, and what they are applied to: functions, operators in words, sums, products, expectations."""

from __future__ import annotations

from symderiv.latex import brackets, derivatives, expressions, scripts
from symderiv.latex.layout import TEXT
from symderiv.latex.reader import Reader, prose_of
from symderiv.latex.tokens import COMMAND, DIGIT, LETTER, QUAD, ROW, STOP
from symderiv.latex.tree import Additive, Big, Call, Empty, Group, Name, Node, Number, Sequence
from symderiv.latex.vocabulary import BIGS, FONTS, LABELS, PHRASE, TEXT_FONTS, TRACES, WORD, WORDS


def worded(reader: Reader, *, with_scripts: bool = True) -> Node:
    """worded : ( "\\text" | "\\operatorname" "*"? ) "{" word "}" call"""
    start = reader.at
    command = reader.read().text
    reader.consume("*")
    tokens = reader.argument_tokens()
    span = reader.since(start)
    if command == "\\operatorname":
        word = "".join(part.text for part in tokens if part.kind in {LETTER, DIGIT} or part.text == "-")
        if not WORD.match(word):
            reader.fail("expected the name of an operator", span=span, expected="a word")
    else:
        word = prose_of(tokens).strip(" .,;:")
        if not PHRASE.match(word):
            reader.fail("expected mathematics, not words", span=span, expected="a term")
    if (
        word == "d"
        and command != "\\operatorname"
        and (roman := derivatives.roman_differential(reader, start)) is not None
    ):
        return roman
    if word.isdigit():
        return scripts.scripted(reader, Number(word, span=span), start)
    font = TEXT_FONTS.get(command, "roman") if len(word) == 1 else ""
    name = Name(word, font, span=span)
    if not with_scripts:
        return name
    node = worded_name(reader, name, start, function=command == "\\operatorname" or word in WORDS)
    return node if isinstance(node, Big) else scripts.scripted(reader, node, start)


def worded_name(reader: Reader, name: Name, start: int, *, function: bool) -> Node:
    """Return a word as a big operator, as a call, or as a name."""
    if name.text in {"argmax", "argmin"} or (name.text in {"max", "min"} and reader.check("_")):
        return big(reader, name.text, start)
    return call(reader, name, start) if function else name


def is_word_call(reader: Reader) -> bool:
    """Tell whether a word that is a function comes next."""
    text = reader.token.text
    if text == "\\operatorname":
        return True
    if reader.token.kind == LETTER:
        return bool(bare_word(reader))
    if text in TEXT or text in FONTS:
        inner = reader.tokens[reader.at + 2 : reader.pairs.get(reader.at + 1, reader.at)]
        return "".join(part.text for part in inner) in WORDS
    return False


def bare_word(reader: Reader) -> str:
    """Return the known word that the letters that come next spell, if they spell one and no more."""
    at = reader.at
    tokens = reader.tokens
    if tokens[at + 1].kind != LETTER or (at and tokens[at - 1].kind == LETTER and not tokens[at].space):
        return ""
    word = tokens[at].text
    end = at + 1
    while end - at < 12 and tokens[end].kind == LETTER and not tokens[end].space:
        word += tokens[end].text
        end += 1
    if reader.scripts and tokens[end].text == "}" and word in LABELS:
        return word
    if word not in WORDS:
        return word if word.isupper() and reader.divided(end) else ""
    following = tokens[end].text
    if following in {"(", "[", "\\{"}:
        return word
    if reader.scripts and following == "}":
        return word if len(word) > 2 else ""
    reader.at = end
    spaced = tokens[end].space and reader.starts_operand()
    reader.at = at
    return word if len(word) > 2 and (spaced or following in {"_", "^", "{"}) else ""


def take_word(reader: Reader, word: str) -> Node:
    """Take the letters of a bare word."""
    start = reader.at
    reader.at += len(word)
    return Name(word, span=reader.since(start))


def function(reader: Reader) -> Node:
    """function : name scripts ( group | braces | product )?"""
    start = reader.at
    token = reader.read()
    text = token.text
    if text == "\\arg" and reader.check("\\max", "\\min"):
        text = "\\arg" + reader.read().text[1:]
    if text in BIGS and (text not in {"\\max", "\\min"} or reader.check("_")):
        return big(reader, BIGS[text], start)
    word = text[1:] if text in TRACES else text
    return scripts.scripted(reader, call(reader, Name(word, span=token.span), start), start)


def call(reader: Reader, function: Node, start: int) -> Node:
    """call : function scripts ( group | braces | product )?"""
    name = function
    if reader.check("_", "^", "'"):
        at = reader.at
        while reader.tokens[at].text in {"_", "^", "'"}:
            at = at + 1 if reader.tokens[at].text == "'" else reader.after(at + 1)
        back = reader.at
        reader.at = at
        applied = reader.starts_operand()
        reader.at = back
        if not applied:
            return function
        function = scripts.scripted(reader, function, start)
    if reader.check("(", "[", "\\{", "{") and not reader.empty_braces():
        braced = reader.check("{")
        inner = expressions.argument(reader) if braced else brackets.group(reader)
        body = inner.body if isinstance(inner, Group) and inner.left in "([{" else inner
        if isinstance(body, Empty):
            return Call(function, (), span=reader.since(start))
        arguments = body.items if isinstance(body, Sequence) else (body,)
        return Call(function, arguments, span=reader.since(start))
    if not reader.starts_operand() or (reader.variables and derivatives.at_differential(reader)):
        return name if function is name else function
    if isinstance(name, Name) and not name.text.startswith("\\") and name.text not in WORDS:
        known = reader.token.kind in {LETTER, COMMAND}
        if not known:
            return function
    argument = expressions.product(reader, mode=expressions.ARGUMENT)
    return Call(function, (argument,), span=reader.since(start))


def big(reader: Reader, operator: str, start: int) -> Node:
    """big : operator scripts product"""
    sub, sup = scripts.limits(reader)
    return over(reader, operator, (sub, sup), start)


def over(reader: Reader, operator: str, limits: tuple[Node | None, Node | None], start: int) -> Node:
    """Return a big operator with what it reaches over, which comes next."""
    sub, sup = limits
    reader.skip_layout()
    if operator == "int" and reader.check("{") and reader.empty_braces():
        reader.at += 2
    ends = reader.token.kind in {STOP, ROW, QUAD} or reader.token.text in {",", ".", ";"}
    if operator in _GOALS and ends:
        return Big(operator, sub, sup, Empty(span=reader.since(reader.at)), span=reader.since(start))
    if not reader.starts_operand() and not reader.check("+", "-"):
        last = reader.tokens[reader.at - 1].span
        what = {"sum": "a summand", "prod": "a factor"}.get(operator, "a term")
        reader.fail(f"expected {what} after this", span=last, expected=what)
    reader.integrals += operator == "int"
    if reader.check("+", "-"):
        at = reader.at
        sign = reader.read().text
        body: Node = Additive(((sign, expressions.product(reader)),), span=reader.since(at))
    else:
        body = expressions.product(reader)
    reader.integrals -= operator == "int"
    return Big(operator, sub, sup, body, span=reader.since(start))


_GOALS = frozenset({"max", "min", "argmax", "argmin"})
"""What is said of a quantity that stands before it: `F \\to \\min_b`."""


def expectation(reader: Reader, name: Node, start: int) -> Node:
    """expectation : "\\mathbb{E}" scripts group"""
    at = reader.at
    while reader.tokens[at].text in {"_", "^"}:
        at = reader.after(at + 1)
    if reader.tokens[at].text not in {"[", "(", "\\{"}:
        return name
    sub, sup = scripts.limits(reader)
    return Big("E", sub, sup, brackets.group(reader), span=reader.since(start))

"""Commands with their arguments: fractions, roots, fonts, accents, stacks."""

from __future__ import annotations

from collections.abc import Callable

from symderiv.latex import brackets, calls, derivatives, expressions, scripts
from symderiv.latex.layout import OPENERS, TEXT
from symderiv.latex.reader import Reader
from symderiv.latex.tokens import COMMAND, DIGIT, LETTER
from symderiv.latex.tree import Accent, Big, Differential, Dots, Fraction, Name, Node, Product, Root, Script
from symderiv.latex.vocabulary import (
    ACCENTS,
    BIGS,
    DOTS,
    FONTS,
    FUNCTIONS,
    GREEK,
    LETTERS,
    PLACEHOLDERS,
    SWITCHES,
    TRACES,
    WORD,
    WORD_FONTS,
    WORDS,
)


def command(reader: Reader, *, with_scripts: bool = True) -> Node:
    """primary : a command with its arguments"""
    start = reader.at
    text = reader.token.text
    if text in FUNCTIONS or text in BIGS:
        return calls.function(reader) if with_scripts else function_name(reader)
    if text in TEXT or text == "\\operatorname":
        return calls.worded(reader, with_scripts=with_scripts)
    if text in _UNSCRIPTED:
        if not with_scripts:
            reader.fail("expected an argument in braces", expected="an opening brace")
        return _RULES[text](reader)
    node = atom(reader)
    if not with_scripts:
        return node
    if isinstance(node, Name) and node.text == "E" and node.font == "blackboard":
        return scripts.scripted(reader, calls.expectation(reader, node, start), start)
    if isinstance(node, Big | Differential):
        return node
    whole = scripts.scripted(reader, node, start)
    reader.braced = whole is node and isinstance(node, Product)
    return whole


def atom(reader: Reader) -> Node:
    """atom : a command that scripts may follow, with its arguments"""
    start = reader.at
    token = reader.token
    text = token.text
    if (rule := _RULES.get(text)) is not None:
        return rule(reader)
    if text in FONTS:
        return fonted(reader)
    if text in OPENERS:
        return brackets.group(reader)
    reader.read()
    if text == "\\delta" and (letters := pair(reader)) is not None:
        return Script(Name(text, span=token.span), letters, span=reader.since(start))
    if text in GREEK:
        return Name(text, reader.font, span=token.span)
    if text in ACCENTS:
        return Accent(text[1:], expressions.argument(reader), span=reader.since(start))
    if text in DOTS:
        return Dots(text[1:], span=token.span)
    if text in LETTERS:
        return Name(LETTERS[text], "blackboard", span=token.span)
    if text in PLACEHOLDERS and (reader.scripts or _stands_alone(reader, start)):
        return Name(text, span=token.span)
    reader.at = start
    return reader.unexpected()


def pair(reader: Reader) -> Node | None:
    """pair : "{" letter letter "}", the `{ij}` of a delta whose underscore is missing"""
    inside = reader.tokens[reader.at + 1 : reader.at + 4]
    letters = [token.kind == LETTER and token.text.islower() for token in inside]
    if not reader.check("{") or reader.token.space or letters != [True, True, False] or inside[2].text != "}":
        return None
    return expressions.argument(reader)


def function_name(reader: Reader) -> Node:
    """Take the name of a function that stands as an argument, as in `H^\\det`."""
    token = reader.token
    if token.text not in FUNCTIONS:
        reader.fail("expected an argument in braces", expected="an opening brace")
    reader.read()
    return Name(token.text[1:] if token.text in TRACES else token.text, span=token.span)


def fraction(reader: Reader) -> Node:
    """fraction : "\\frac" argument argument; a derivative if both begin with a differential"""
    start = reader.at
    reader.read()
    if reader.check("{") and (derivative := derivatives.derivative(reader, start)) is not None:
        return derivative
    within, reader.in_fraction = reader.in_fraction, True
    numerator = expressions.argument(reader)
    denominator = expressions.argument(reader)
    reader.in_fraction = within
    return Fraction(numerator, denominator, span=reader.since(start))


def root(reader: Reader) -> Node:
    """root : "\\sqrt" ( "[" expression "]" )? argument"""
    start = reader.at
    reader.read()
    degree: Node | None = None
    if reader.check("["):
        reader.read()
        reader.closers.append("]")
        degree = expressions.expression(reader, required=True)
        reader.closers.pop()
        reader.expect("]", "a closing bracket")
    return Root(expressions.argument(reader), degree, span=reader.since(start))


def fonted(reader: Reader) -> Node:
    """fonted : font argument"""
    start = reader.at
    command = reader.read().text
    if command in SWITCHES and not reader.check("{"):
        reader.fail(
            f"expected braces round {command}", span=reader.tokens[start].span, expected="an opening brace"
        )
    font = FONTS[command]
    inner = (
        reader.tokens[reader.at + 1 : reader.pairs[reader.at]]
        if reader.at in reader.pairs
        else [reader.token]
    )
    if font == "roman" and (roman := derivatives.roman_differential(reader, start)) is not None:
        return roman
    if inner and all(part.kind in {LETTER, DIGIT} or part.text in {"-", "."} for part in inner):
        word = "".join(part.text for part in inner)
        if len(inner) > 1 and inner[0].kind == LETTER and (font in WORD_FONTS or word in WORDS):
            word = "".join((" " if at and part.space else "") + part.text for at, part in enumerate(inner))
            if WORD.match(word):
                reader.at = reader.after(reader.at)
                return calls.worded_name(
                    reader, Name(word, span=reader.since(start)), start, function=word in WORDS
                )
    if len(inner) == 1 and inner[0].kind in {LETTER, DIGIT} | (
        {COMMAND} if inner[0].text in GREEK else set()
    ):
        reader.at = reader.after(reader.at)
        return Name(inner[0].text, font, span=reader.since(start))
    if all(part.kind == DIGIT for part in inner) and inner:
        reader.at = reader.after(reader.at)
        return Name("".join(part.text for part in inner), font, span=reader.since(start))
    if not inner:
        reader.fail(f"expected a letter in {command}", span=reader.since(start), expected="a letter")
    before, reader.font = reader.font, "" if font == "roman" else font
    node = expressions.argument(reader)
    reader.font = before
    return node


def stacked(reader: Reader) -> Node:
    """stacked : ( "\\overset" | "\\underset" ) argument argument (under a limit it counts)"""
    start = reader.at
    under = reader.read().text == "\\underset"
    at = reader.at
    reader.at = reader.after(at)
    inner_at = reader.at
    inner = reader.argument_tokens()
    word = "".join(part.text for part in inner if part.kind in {LETTER, COMMAND} and part.text not in TEXT)
    word = word.replace("\\operatorname", "").replace("\\mathrm", "").replace("\\", "").replace("*", "")
    end = reader.at
    if under and word in {"max", "min", "argmax", "argmin", "lim"}:
        reader.at = at
        reader.scripts += 1
        sub = expressions.argument(reader)
        reader.scripts -= 1
        reader.at = end
        return calls.over(reader, word, (sub, None), start)
    reader.at = inner_at
    return expressions.argument(reader)


_RULES: dict[str, Callable[[Reader], Node]] = {
    "\\frac": fraction,
    "\\sqrt": root,
    "\\partial": derivatives.partial,
    "\\nabla": derivatives.nabla,
    "\\overset": stacked,
    "\\underset": stacked,
    "\\|": brackets.bars,
}
_UNSCRIPTED = frozenset({"\\partial", "\\nabla"})


def _stands_alone(reader: Reader, at: int) -> bool:
    """Tell whether a dot stands for an argument, as in `f(\\cdot)` and `k(\\cdot, \\cdot)`."""
    before = reader.tokens[at - 1].text if at else ""
    following = reader.tokens[at + 1].text if at + 1 < len(reader.tokens) else ""
    opens, closes = {"(", ",", "[", "\\{", "|", "\\|"}, {")", ",", "]", "\\}", "|", "\\|"}
    return reader.tokens[at].text == "\\cdot" and before in opens and following in closes

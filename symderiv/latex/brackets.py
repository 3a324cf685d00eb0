"""Brackets, inner products, absolute values and norms."""

from __future__ import annotations

from symderiv.latex import expressions
from symderiv.latex.layout import CLOSERS, OPENERS
from symderiv.latex.reader import Reader
from symderiv.latex.tokens import COMMAND, END, ROW, STOP, Token
from symderiv.latex.tree import Absolute, Group, Inner, Node, Norm, Script
from symderiv.latex.vocabulary import MATES, NO_OPERANDS, PLAIN


def group(reader: Reader) -> Node:
    """group : opening body closing"""
    start = reader.at
    reader.enter()
    opening = reader.read()
    mates, expected = MATES[opening.text]
    reader.closers.append(OPENERS[opening.text])
    variables, reader.variables = reader.variables, ""
    within, reader.in_fraction = reader.in_fraction, False
    if opening.text == "\\langle":
        node = inner_product(reader, start, expected)
    else:
        inner = expressions.body(reader)
        if reader.token.text not in mates:
            fail_closing(reader, opening, expected)
        closing = reader.read().text
        left, right = PLAIN.get(opening.text, opening.text), PLAIN.get(closing, closing)
        node = Group(inner, left, right, span=reader.since(start))
    reader.in_fraction = within
    reader.variables = variables
    reader.closers.pop()
    reader.leave()
    return node


def fail_closing(reader: Reader, opening: Token, expected: str) -> None:
    """Fail where a bracket should be closed."""
    if reader.token.kind in {STOP, END}:
        reader.fail(f"expected {expected} for this", span=opening.span, expected=expected)
    if reader.token.kind == COMMAND and reader.token.text not in NO_OPERANDS:
        reader.unexpected()
    reader.fail(f"expected {expected}", expected=expected)


def inner_product(reader: Reader, start: int, expected: str) -> Node:
    """inner_product : expression ("," | "|") expression "\\rangle" (after the opening bracket)"""
    left = expressions.expression(reader, required=True)
    if not reader.consume(",", "|", "\\mid"):
        reader.fail("expected a comma in this inner product", expected="a comma")
    right = expressions.expression(reader, required=True)
    reader.expect("\\rangle", expected)
    return Inner(left, right, span=reader.since(start))


def bars(reader: Reader) -> Node:
    """bars : "|" expression "|" | ( "\\|" | "||" ) expression ( "\\|" | "||" )"""
    start = reader.at
    reader.enter()
    opening = reader.read()
    kind = opening.text
    if opening.side in {"right", "middle"}:
        reader.fail("this bar has no partner", span=opening.span, expected="a term")
    if kind == "|" and reader.check("|") and bar_is_double(reader, opening):
        reader.read()
        kind = "||"
    elif kind == "|" and reader.check("_", "^"):
        reader.fail("an evaluation bar cannot be read yet", span=opening.span, expected="a term")
    reader.closers.append(kind)
    variables, reader.variables = reader.variables, ""
    inner = expressions.expression(reader, required=True)
    reader.closers.pop()
    expected = "a closing bar"
    for _ in range(len(kind) if kind == "||" else 1):
        if not reader.check(kind[-1] if kind != "\\|" else kind):
            if reader.token.kind in {STOP, END}:
                reader.fail("expected a closing bar for this", span=opening.span, expected=expected)
            reader.fail("expected a closing bar", expected=expected)
        reader.read()
    reader.variables = variables
    node: Node
    if kind == "|":
        node = Absolute(inner, span=reader.since(start))
    else:
        order = None
        if reader.consume("_"):
            reader.scripts += 1
            order = expressions.argument(reader)
            reader.scripts -= 1
        elif reader.check("^") and reader.tokens[reader.after(reader.at + 1)].text == "_":
            back = reader.at
            reader.at = reader.after(reader.at + 1) + 1
            reader.scripts += 1
            order = expressions.argument(reader)
            end, reader.at = reader.at, back + 1
            sup = expressions.argument(reader)
            reader.scripts -= 1
            reader.at = end
            reader.leave()
            norm = Norm(inner, order, span=reader.since(start))
            return Script(norm, None, sup, span=reader.since(start))
        node = Norm(inner, order, span=reader.since(start))
    reader.leave()
    return node


def bar_is_double(reader: Reader, opening: Token) -> bool:
    """Tell whether two bars in a row are one double bar: so is the next bar at this level then, too."""
    if reader.token.space or reader.token.side != opening.side:
        return False
    if opening.side:
        return True
    at = reader.at + 1
    level = 0
    while at < len(reader.tokens):
        token = reader.tokens[at]
        if token.text == "|" and level == 0:
            return reader.tokens[at + 1].text == "|"
        level += (token.text in OPENERS) - (token.text in CLOSERS)
        if level < 0 or token.kind in {END, ROW}:
            return True
        at = reader.pairs.get(at, at) + 1
    return True

"""Conditions, sums, products and their factors, down to letters, numbers and braces."""

from __future__ import annotations

from symderiv.diagnostics import Span
from symderiv.latex import brackets, calls, commands, derivatives, environments, scripts
from symderiv.latex.layout import RELATIONS
from symderiv.latex.reader import Reader
from symderiv.latex.tokens import BEGIN, COMMAND, DIGIT, LETTER, QUAD, ROW
from symderiv.latex.tree import (
    Additive,
    Big,
    Derivative,
    Empty,
    Name,
    Node,
    Number,
    Product,
    Question,
    Relation,
    Sequence,
)
from symderiv.latex.vocabulary import FUNCTIONS, NO_OPERANDS, OPERATORS, PLACEHOLDERS

PRODUCT, ARGUMENT, NUMERATOR = range(3)
"""Where a product stands, which decides where it ends."""


def body(reader: Reader) -> Node:
    """body : sequence ( "|" sequence )? | condition ( "\\|" | "||" ) condition"""
    start = reader.at
    first = sequence(reader)
    if reader.divides():
        reader.at += 1 if reader.check("\\|") else 2
        return Sequence((first, condition(reader)), "\\|", span=reader.since(start))
    if reader.check("|", "\\mid") and reader.lonely_bar():
        reader.read()
        second = sequence(reader)
        return Relation((first, second), ("|",), span=reader.since(start))
    return first


def sequence(reader: Reader) -> Node:
    """sequence : ( condition ( ("," | ";") condition )* )?"""
    start = reader.at
    if reader.closes():
        return Empty(span=reader.since(start))
    first = condition(reader)
    if not reader.check(",", ";"):
        return first
    items = [first]
    while reader.consume(",", ";"):
        if reader.closes():
            break
        items.append(condition(reader))
    return Sequence(tuple(items), span=reader.since(start)) if len(items) > 1 else first


def condition(reader: Reader) -> Node:
    """condition : expression? ( relation expression? )*"""
    start = reader.at
    if reader.relation_ahead() and reader.token.text != "\\not":
        if reader.check(":") and not reader.starts_operand_after(1):
            token = reader.read()
            return Name(":", span=token.span)
        members: list[Node] = [Empty(span=reader.since(start))]
    else:
        members = [expression(reader, required=True)]
    operators: list[str] = []
    while reader.relation_ahead():
        operators.append(relation_sign(reader))
        if reader.closes() or reader.check(",", ";"):
            if operators[-1] != ":":
                reader.fail("expected something after this relation", expected="a term")
            members.append(Empty(span=reader.since(reader.at)))
            break
        members.append(expression(reader, required=True))
    return Relation(tuple(members), tuple(operators), span=reader.since(start)) if operators else members[0]


def relation_sign(reader: Reader) -> str:
    """relation : "=" | "==" | ":=" | "\\not" relation | "\\overset" argument relation | …"""
    token = reader.read()
    text = token.text
    if text in {"\\overset", "\\underset", "\\stackrel"}:
        above = "".join(part.text for part in reader.argument_tokens())
        inner = reader.argument_tokens()
        if len(inner) != 1 or inner[0].text not in RELATIONS:
            reader.fail(f"expected a relation in {text}", span=token.span, expected="a relation")
        sign = RELATIONS[inner[0].text]
        return ":=" if sign == "=" and ("def" in above or "triangle" in above or above == "!") else sign
    if text == "\\not":
        inner_text = reader.read().text
        known = {"=": "!=", "\\in": "notin"}
        if inner_text not in known:
            reader.fail("expected a relation after \\not", span=token.span, expected="a relation")
        return known[inner_text]
    if text in {":", "!"} and reader.check("=") and not reader.token.space:
        reader.read()
        return text + "="
    if text == "=" and reader.check("=") and not reader.token.space:
        reader.read()
    if text == "=" and reader.check(":") and not reader.token.space:
        reader.read()
        return "=:"
    if text == "<" and reader.check("=") and not reader.token.space:
        reader.read()
        return "<="
    if text == ">" and reader.check("=") and not reader.token.space:
        reader.read()
        return ">="
    if text == "<" and reader.check("-") and not reader.token.space and reader.peek(1).space:
        reader.read()
        return "<-"
    return RELATIONS[text]


def expression(reader: Reader, *, required: bool = False) -> Node:
    """expression : sign? product ( sign product )*"""
    reader.enter()
    start = reader.at
    terms: list[tuple[str, Node]] = []
    while reader.empty_braces():
        reader.at += 2
    if reader.check("+", "-"):
        sign = reader.read().text
        reader.skip_layout()
        if reader.scripts and reader.closes():
            reader.leave()
            return Name(sign, span=reader.since(start))
        terms.append((sign, signed_term(reader)))
    else:
        terms.append(("", product(reader, required=required)))
    while True:
        reader.skip_layout_before_operator(additive=True)
        if not reader.check("+", "-"):
            break
        sign = reader.read().text
        reader.skip_layout()
        terms.append((sign, signed_term(reader)))
    reader.leave()
    if len(terms) == 1 and not terms[0][0]:
        return terms[0][1]
    return Additive(tuple((sign or "+", term) for sign, term in terms), span=reader.since(start))


def signed_term(reader: Reader) -> Node:
    """signed_term : product | sign signed_term"""
    while reader.empty_braces():
        reader.at += 2
    if not reader.check("+", "-"):
        return product(reader, required=True)
    start = reader.at
    reader.enter()
    sign = reader.read().text
    term = signed_term(reader)
    reader.leave()
    return Additive(((sign, term),), span=reader.since(start))


def product(reader: Reader, *, mode: int = PRODUCT, required: bool = True) -> Node:
    """product : factor ( product_sign? factor )*

    As the argument of a function it ends before `\\cdot`, `\\times`, the next function and a derivative.
    """
    reader.enter()
    start = reader.at
    first = factor(reader, required=required)
    factors = [first]
    operators: list[str] = []
    braced = [reader.braced]
    while True:
        if reader.token.kind in {ROW, QUAD} and mode == PRODUCT:
            reader.skip_layout_before_operator(additive=False)
            reader.skip_layout_before_factors()
        operator = product_sign(reader, mode)
        if operator is None:
            break
        if not operator and reader.check("{") and reader.empty_braces():
            reader.at += 2
            continue
        operators.append(operator)
        factors.append(signed_factor(reader) if operator else factor(reader))
        braced.append(reader.braced)
    reader.leave()
    reader.braced = False
    if len(factors) == 1:
        return first
    return _spliced(factors, operators, braced, reader.since(start))


def product_sign(reader: Reader, mode: int) -> str | None:
    """product_sign : "\\cdot" | "\\times" | "/" | …

    Empty where two factors are juxtaposed; None where the product ends.
    """
    text = reader.token.text
    operator = OPERATORS.get(text)
    if operator is None or (reader.scripts and operator != "/" and placeholder(reader)):
        if not reader.starts_operand() and operator is None:
            return None
        if mode == ARGUMENT and (
            text in FUNCTIONS or calls.is_word_call(reader) or derivatives.at_operator(reader)
        ):
            return None
        return None if reader.variables and derivatives.at_differential(reader) else ""
    if mode == NUMERATOR or (mode == ARGUMENT and operator != "/"):
        return None
    if operator == "." and not dot_is_product(reader):
        return None
    if operator == "/" and reader.slashes and derivatives.differential_at(reader, reader.at + 1)[0]:
        return None
    at = reader.at
    reader.read()
    reader.skip_layout()
    if not reader.starts_operand() and not reader.check("+", "-"):
        reader.fail("expected a factor after this", span=reader.tokens[at].span, expected="a factor")
    return operator


def placeholder(reader: Reader) -> bool:
    """Tell whether the operator that comes next stands for an index, as in `x_{i\\cdot}`."""
    reader.at += 1
    alone = reader.closes()
    reader.at -= 1
    return alone and reader.token.text in PLACEHOLDERS


def dot_is_product(reader: Reader) -> bool:
    """Tell whether the full stop that comes next stands between two factors."""
    reader.at += 1
    found = reader.starts_operand() and not reader.check("{")
    reader.at -= 1
    return found


def signed_factor(reader: Reader) -> Node:
    """signed_factor : factor | sign signed_factor"""
    if not reader.check("+", "-"):
        return factor(reader)
    start = reader.at
    reader.enter()
    sign = reader.read().text
    inner = signed_factor(reader)
    reader.leave()
    reader.braced = False
    return Additive(((sign, inner),), span=reader.since(start))


def factor(reader: Reader, *, required: bool = True) -> Node:
    """factor : primary scripts"""
    start = reader.at
    token = reader.token
    reader.braced = False
    if token.kind == COMMAND:
        return commands.command(reader)
    if token.kind == LETTER:
        return letter(reader)
    if token.kind == DIGIT or (token.text == "." and reader.starts_operand()):
        return scripts.scripted(reader, number(reader), start)
    if token.kind == BEGIN:
        return scripts.scripted(reader, environments.environment(reader), start)
    return bracket(reader, required=required)


def letter(reader: Reader) -> Node:
    """letter : a known word with its argument | differential | a letter scripts"""
    start = reader.at
    token = reader.token
    if word := calls.bare_word(reader):
        return scripts.scripted(reader, calls.call(reader, calls.take_word(reader, word), start), start)
    if token.text == "d" and not reader.font:
        differential = derivatives.italic_differential(reader)
        if differential is not None:
            return differential
    reader.at += 1
    return scripts.scripted(reader, Name(token.text, reader.font, span=token.span), start)


def bracket(reader: Reader, *, required: bool) -> Node:
    """bracket : "?" | braces | group scripts | bars scripts"""
    start = reader.at
    token = reader.token
    text = token.text
    if text == "{":
        return braces(reader)
    if text in {"(", "["}:
        return scripts.scripted(reader, brackets.group(reader), start)
    if text == "|":
        return scripts.scripted(reader, brackets.bars(reader), start)
    if text == "?":
        reader.read()
        return Question(span=token.span)
    if reader.scripts and text in PLACEHOLDERS:
        reader.read()
        return Name(text, span=token.span)
    if text in {"^", "_"} and (reader.scripts or required):
        reader.fail("expected something before this script", expected="a base")
    return reader.unexpected()


def number(reader: Reader) -> Node:
    """number : digit* ( "." digit+ )?"""
    start = reader.at
    text = ""
    if reader.token.kind == DIGIT:
        text = reader.read().text
        while reader.token.kind == DIGIT and not reader.token.space:
            text += reader.read().text
    after = reader.peek(1)
    if reader.check(".") and after.kind == DIGIT and not after.space and (not text or not reader.token.space):
        text += reader.read().text
        while reader.token.kind == DIGIT and not reader.token.space:
            text += reader.read().text
    if reader.font:
        return Name(text, reader.font, span=reader.since(start))
    return Number(text, span=reader.since(start))


def braces(reader: Reader) -> Node:
    """braces : "{" body "}" scripts"""
    start = reader.at
    reader.enter()
    reader.expect("{", "an opening brace")
    reader.closers.append("}")
    variables, reader.variables = reader.variables, ""
    inner = body(reader)
    reader.variables = variables
    reader.closers.pop()
    reader.expect("}", "a closing brace")
    reader.leave()
    node = scripts.scripted(reader, inner, start)
    reader.braced = node is inner
    return node


def argument(reader: Reader, *, placeholder: bool = False) -> Node:
    """argument : braces | token"""
    start = reader.at
    token = reader.token
    reader.enter()
    reader.braced = False
    closers, reader.closers = reader.closers, [*reader.closers[-1:], "}"]
    variables, reader.variables = reader.variables, ""
    node: Node
    if token.text == "{":
        reader.read()
        node = body(reader)
        reader.expect("}", "a closing brace")
    elif token.kind == DIGIT:
        reader.read()
        node = (
            Name(token.text, reader.font, span=token.span)
            if reader.font
            else Number(token.text, span=token.span)
        )
    elif token.kind == LETTER:
        reader.read()
        node = Name(token.text, reader.font, span=token.span)
    elif token.kind == COMMAND and token.text not in NO_OPERANDS | PLACEHOLDERS:
        node = commands.command(reader, with_scripts=False)
    elif placeholder and token.text in PLACEHOLDERS:
        reader.read()
        node = Name(token.text, span=token.span)
    else:
        reader.fail("expected an argument in braces", span=token.span, expected="an opening brace")
    reader.variables = variables
    reader.closers = closers
    reader.leave()
    assert reader.at > start
    return node


def _spliced(factors: list[Node], operators: list[str], braced: list[bool], span: Span) -> Product:
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

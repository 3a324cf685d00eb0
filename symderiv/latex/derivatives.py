"""Derivatives and differentials, in every way people write them.

`∂` in a production is `\\partial`, an upright or an italic d; which of them it is, is the style.
"""

from __future__ import annotations

from symderiv.latex import expressions, scripts
from symderiv.latex.layout import CLOSERS, OPENERS
from symderiv.latex.reader import Reader
from symderiv.latex.tokens import COMMAND, END, LETTER, QUAD, ROW, STOP
from symderiv.latex.tree import Derivative, Differential, Name, Node, Number, Script
from symderiv.latex.vocabulary import NO_OPERANDS, UNDIFFERENTIATED


def differential_at(reader: Reader, at: int) -> tuple[str, int]:
    """Return the style of the differential that stands here ("" if none does), and the place after it."""
    token = reader.tokens[at]
    text = token.text
    if text == "\\partial":
        return "partial", at + 1
    if token.kind == LETTER and text == "d":
        if reader.tokens[at + 1].text in {"_", "'"}:
            return "", at
        return "total", at + 1
    if text in {"\\mathrm", "\\text", "\\textrm", "\\operatorname", "\\rm", "\\mathop"}:
        end = reader.after(at + 1)
        inner = reader.tokens[at + 1 : end]
        letters = [part.text for part in inner if part.text not in {"{", "}"}]
        if letters == ["d"]:
            return "total", end
    if text in {"\\dd", "\\diff", "\\dif"}:
        return "total", at + 1
    if text == "{" and reader.pairs.get(at, 0) - at in {2, 3}:
        inner = reader.tokens[at + 1 : reader.pairs[at]]
        if [part.text for part in inner] in (["\\partial"], ["\\rm", "d"]):
            return "partial" if inner[0].text == "\\partial" else "total", reader.pairs[at] + 1
    return "", at


def at_differential(reader: Reader) -> bool:
    """Tell whether the next variable of a derivative begins here."""
    style, end = differential_at(reader, reader.at)
    return style == reader.variables and reader.tokens[end].text not in {"}", "_", "^", "'"}


def at_operator(reader: Reader) -> bool:
    """Tell whether a derivative comes next that is written as a fraction, or with a nabla."""
    if reader.check("\\nabla"):
        return True
    fraction = reader.check("\\frac", "\\dfrac", "\\tfrac") and reader.peek(1).text == "{"
    return fraction and differential_at(reader, reader.at + 2)[0] == "partial"


def derivative(reader: Reader, start: int) -> Node | None:
    """derivative : "\\frac" "{" ∂ exponent? expression? "}" "{" denominator "}" product?"""
    first = reader.at
    close = reader.pairs[first]
    if reader.tokens[close + 1].text != "{":
        return None
    end = reader.pairs[close + 1]
    style, over = differential_at(reader, first + 1)
    below, under = differential_at(reader, close + 2)
    if style == "partial" and not below:
        variable = reader.tokens[close + 2].span.to(reader.tokens[max(end - 1, close + 2)].span)
        what = "expected a variable to differentiate by, with its \\partial"
        reader.fail(what, span=variable, expected="\\partial")
    if not style or style != below or under >= end or reader.tokens[under].text in {"_", "'", "^"}:
        return None
    reader.at = under
    if not reader.starts_operand():
        reader.at = first
        return None
    reader.at = over
    order = exponent(reader)
    reader.enter()
    closers, reader.closers = reader.closers, ["}"]
    variables, reader.variables = reader.variables, ""
    of: Node | None = None
    if reader.at < close:
        of = expressions.expression(reader, required=True)
    reader.expect("}", "a closing brace")
    reader.read()
    by = denominator(reader, style, order)
    reader.expect("}", "a closing brace")
    reader.closers = closers
    reader.variables = variables
    form = "fraction"
    if of is None:
        form = "operator"
        of = operand(reader)
    reader.leave()
    return Derivative(of, by, style, form, span=reader.since(start))


def exponent(reader: Reader) -> int:
    """exponent : "^" number"""
    if not reader.check("^"):
        return 1
    reader.read()
    at = reader.at
    text = "".join(part.text for part in reader.argument_tokens())
    if not (text.isascii() and text.isdigit() and len(text) == 1 and text != "0"):
        span = reader.tokens[at].span
        reader.fail("expected a number as the order of this derivative", span=span, expected="a number")
    return int(text)


def operand(reader: Reader) -> Node | None:
    """operand : product?"""
    if not reader.starts_operand() or (reader.variables and at_differential(reader)):
        return None
    return expressions.product(reader)


def denominator(reader: Reader, style: str, order: int) -> tuple[Node, ...]:
    """denominator : ( ∂ variable )+"""
    found: list[Node] = []
    start = reader.at
    while True:
        here, at = differential_at(reader, reader.at)
        if here != style:
            reader.fail("expected a variable to differentiate by", expected="a variable")
        reader.at = at
        if reader.check("}"):
            reader.fail("expected a variable to differentiate by", expected="a variable")
        before, reader.variables = reader.variables, style
        found.append(expressions.product(reader, mode=expressions.NUMERATOR))
        reader.variables = before
        if reader.check("}"):
            break
        reader.consume(",", "*", "\\cdot")
    if order == 1:
        return tuple(found)
    return repeated(reader, found, order, start)


def repeated(reader: Reader, found: list[Node], order: int, start: int) -> tuple[Node, ...]:
    """Return the variables of a higher derivative, those with an exponent as often as it says."""
    if len(found) == order:
        return tuple(found)
    by: list[Node] = []
    for variable in found:
        count = 1
        node = variable
        if isinstance(variable, Script) and isinstance(variable.sup, Number) and variable.sup.text.isdigit():
            count = min(int(variable.sup.text), 10)
            node = variable.base
            if variable.sub is not None or variable.primes:
                node = Script(variable.base, variable.sub, None, variable.primes, span=variable.span)
        by.extend([node] * count)
    if len(by) != order:
        what = f"expected {order} variables under a derivative of order {order}"
        reader.fail(what, span=reader.since(start), expected=f"{order} variables")
    return tuple(by)


def partial(reader: Reader) -> Node:
    """partial : ∂ "_" argument product? | ∂ product "/" ∂ factor | ∂ "/" ∂ factor product?"""
    start = reader.at
    token = reader.read()
    if reader.check("_"):
        return subscripted(reader, "partial", start)
    at = reader.at
    order = exponent(reader) if reader.check("^") else 1
    if reader.check("/"):
        style, end = differential_at(reader, reader.at + 1)
        if style == "partial":
            reader.at = end
            variable = expressions.factor(reader)
            by = repeated(reader, [variable], order, end) if order > 1 else (variable,)
            return Derivative(operand(reader), by, "partial", "operator", span=reader.since(start))
    elif slash_ahead(reader, "partial"):
        return slashed(reader, "partial", order, start)
    reader.at = at
    return scripts.scripted(reader, Name("\\partial", span=token.span), start)


def slash_ahead(reader: Reader, style: str) -> bool:
    """Tell whether `/ ∂ …` comes after the factors that come next."""
    at = reader.at
    level = 0
    if not reader.starts_operand():
        return False
    for _ in range(200):
        token = reader.tokens[at]
        if at in reader.pairs:
            at = reader.pairs[at]
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
                found, end = differential_at(reader, at + 1)
                following = reader.tokens[end]
                variable = following.kind in {LETTER, COMMAND} or following.text in {"{", "("}
                return found == style and variable
            another = differential_at(reader, at)[0] == style and reader.tokens[at - 1].text not in {"_", "^"}
            if another or token.text in NO_OPERANDS or token.text in {"+", "-", ",", "&", ";"}:
                return False
        at += 1
    return False


def slashed(reader: Reader, style: str, order: int, start: int) -> Node:
    """slashed : product "/" ∂ factor"""
    reader.slashes += 1
    of = expressions.product(reader, mode=expressions.NUMERATOR)
    reader.slashes -= 1
    reader.expect("/", "a slash")
    _, reader.at = differential_at(reader, reader.at)
    at = reader.at
    variable = expressions.factor(reader)
    by = repeated(reader, [variable], order, at) if order > 1 else (variable,)
    reader.braced = False
    return Derivative(of, by, style, "slash", span=reader.since(start))


def nabla(reader: Reader) -> Node:
    """nabla : "\\nabla" ( "^" number )? ( "_" argument )? product? | "\\nabla" "_" argument …"""
    start = reader.at
    token = reader.read()
    if reader.check("_"):
        return subscripted(reader, "nabla", start)
    if reader.check("^"):
        if not _is_order(reader):
            return scripts.scripted(reader, Name("\\nabla", span=token.span), start)
        order = exponent(reader)
        if reader.check("_"):
            return subscripted(reader, "nabla", start, order)
        return Derivative(operand(reader), (), "nabla", "subscript", order, span=reader.since(start))
    return Derivative(operand(reader), (), "nabla", "subscript", span=reader.since(start))


def _is_order(reader: Reader) -> bool:
    """Tell whether a `2` stands above the nabla, by itself."""
    at = reader.at + 1
    end = reader.pairs.get(at, at)
    inner = reader.tokens[at + 1 : end] if end > at else reader.tokens[at : at + 1]
    return [part.text for part in inner] == ["2"]


def subscripted(reader: Reader, style: str, start: int, order: int = 1) -> Node:
    """subscripted : ( ∂ | "\\nabla" ) "_" argument ( "^" number )? product?"""
    reader.read()
    reader.scripts += 1
    variable = scripts.script_argument(reader, "subscript")
    reader.scripts -= 1
    if order == 1:
        order = exponent(reader)
    return Derivative(operand(reader), (variable,) * order, style, "subscript", span=reader.since(start))


def italic_differential(reader: Reader) -> Node | None:
    """differential : "d" factor, where nothing stands between the two"""
    start = reader.at
    following = reader.peek(1)
    if reader.scripts or (following.kind not in {LETTER, COMMAND} and following.text not in {"{", "/"}):
        return None
    reader.at += 1
    if reader.check("/"):
        variable = reader.tokens[start + 3] if differential_at(reader, start + 2)[0] == "total" else following
        if variable.kind in {LETTER, COMMAND} and not variable.space and variable.text not in NO_OPERANDS:
            return slash_operator(reader, start)
    elif reader.starts_operand() and following.text not in UNDIFFERENTIATED:
        if slash_ahead(reader, "total"):
            return slashed(reader, "total", 1, start)
        glued = start > 0 and reader.tokens[start - 1].kind == LETTER and not reader.tokens[start].space
        apart = (following.kind == LETTER and following.space) or (glued and not reader.integrals)
        if not apart and not (reader.in_fraction and following.text.islower()):
            return differential(reader, start)
    reader.at = start
    return None


def slash_operator(reader: Reader, start: int) -> Node:
    """slash_operator : "d" "/" "d" factor product?"""
    _, reader.at = differential_at(reader, reader.at + 1)
    variable = expressions.factor(reader)
    return Derivative(operand(reader), (variable,), "total", "operator", span=reader.since(start))


def differential(reader: Reader, start: int) -> Node:
    """differential : d factor"""
    reader.enter()
    of = expressions.factor(reader)
    reader.leave()
    reader.braced = False
    upright = reader.tokens[start].text != "d"
    return Differential(of, upright=upright, span=reader.since(start))


def roman_differential(reader: Reader, start: int) -> Node | None:
    """differential : "\\mathrm{d}" factor"""
    style, end = differential_at(reader, start)
    if style != "total":
        return None
    back = reader.at
    reader.at = end
    if reader.check("/") and differential_at(reader, reader.at + 1)[0] == "total":
        return slash_operator(reader, start)
    if not reader.starts_operand() or reader.check("_", "^"):
        reader.at = back
        return None
    if slash_ahead(reader, "total"):
        return slashed(reader, "total", 1, start)
    return differential(reader, start)

"""Subscripts, superscripts, primes, and the limits of big operators."""

from __future__ import annotations

from symderiv.latex import expressions
from symderiv.latex.reader import Reader
from symderiv.latex.tokens import DIGIT, END, LETTER, QUAD, ROW, STOP
from symderiv.latex.tree import Accent, Group, Name, Node, Relation, Script
from symderiv.latex.vocabulary import LABELS


def scripted(reader: Reader, base: Node, start: int) -> Node:
    """scripts : ( "_" argument | "^" argument | "'" )*"""
    if reader.token.text not in {"_", "^", "'"}:
        return base
    sub: Node | None = None
    sup: Node | None = None
    primes = 0
    reader.scripts += 1
    while (text := reader.token.text) in {"_", "^", "'"}:
        if text == "_":
            if sub is not None:
                reader.fail("this has two subscripts", expected="an operator")
            reader.read()
            sub = script_argument(reader, "subscript")
            continue
        if sup is not None:
            what = "this has two superscripts" if text == "^" else "expected the prime before the superscript"
            reader.fail(what, expected="an operator")
        reader.read()
        if text == "'":
            primes += 1
        elif raised := raised_primes(reader):
            primes += raised
            sup = rest_of_primes(reader)
        else:
            sup = script_argument(reader, "superscript")
    reader.scripts -= 1
    if isinstance(sup, Name) and sup.text in LABELS and _may_have_label(base):
        sup = Group(sup, "", "", span=sup.span)
    if isinstance(sub, Group) and sub.left == "{" and isinstance(sub.body, Relation):
        sub = sub.body
    plain = isinstance(base, Script) and base.sup is None and not base.primes
    if plain and isinstance(base, Script) and sub is None and sup is not None and not primes:
        return Script(base.base, base.sub, sup, span=reader.since(start))
    return Script(base, sub, sup, primes, span=reader.since(start))


def _may_have_label(base: Node) -> bool:
    """Tell whether a word above this is a label: above Euler's number, and above a number, it is a power."""
    while isinstance(base, Script):
        base = base.base
    return isinstance(base, Accent) or (isinstance(base, Name) and base.text != "e")


def rest_of_primes(reader: Reader) -> Node | None:
    """Take what follows the primes in a braced superscript."""
    if not reader.pending_braces:
        return None
    reader.pending_braces = False
    rest = expressions.body(reader)
    reader.expect("}", "a closing brace")
    return rest


def raised_primes(reader: Reader) -> int:
    """Take the primes at the start of a superscript: `^\\prime`, `^{\\prime\\prime}`, `^{\\prime T}`."""
    if reader.consume("'"):
        return 1
    if not reader.check("{") or reader.peek(1).text != "'":
        return 0
    reader.read()
    raised = 0
    while reader.consume("'"):
        raised += 1
    reader.pending_braces = not reader.consume("}")
    return raised


def script_argument(reader: Reader, what: str) -> Node:
    """script : argument"""
    token = reader.token
    if token.text == "{":
        first, second, third = reader.peek(1), reader.peek(2), reader.peek(3)
        if third.text == "}" and first.text == "T" and second.text == "r" and not second.space:
            reader.at += 4
            return Name("Tr", span=first.span.to(second.span))
    if token.kind == STOP or token.text in {"^", "_", "}", "&"} or token.kind in {ROW, QUAD, END}:
        reader.fail(f"expected a {what}", span=reader.tokens[reader.at - 1].span, expected=f"a {what}")
    if token.text in {"(", "[", "\\{"} or signed_ahead(reader):
        reader.fail(f"expected braces round this {what}", expected="an opening brace")
    return expressions.argument(reader, placeholder=True)


def signed_ahead(reader: Reader) -> bool:
    """Tell whether a sign comes next with something close behind it, as in `x^-1`."""
    following = reader.peek(1)
    return reader.check("+", "-") and following.kind in {DIGIT, LETTER} and not following.space


def limits(reader: Reader) -> tuple[Node | None, Node | None]:
    """limits : ( "_" argument | "^" argument )*"""
    sub: Node | None = None
    sup: Node | None = None
    reader.scripts += 1
    while reader.check("_", "^"):
        below = reader.read().text == "_"
        if (sub if below else sup) is not None:
            what = "subscripts" if below else "superscripts"
            reader.fail(f"this has two {what}", span=reader.tokens[reader.at - 1].span, expected="a term")
        if below:
            sub = script_argument(reader, "subscript")
        else:
            sup = script_argument(reader, "superscript")
    reader.scripts -= 1
    return sub, sup

"""Edits of a member in its own LaTeX, and those that a number asks for.

An *edit* replaces some stretches of the text; its *cost* says how much it changes. Edits are made at the
spans of the syntax tree, so that all else stays as the author wrote it. Nothing here knows whether an edit
makes a step true.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from symderiv.diagnostics import Span
from symderiv.latex import tree

Stretches = tuple[tuple[Span, str], ...]


@dataclass(frozen=True, slots=True)
class Edit:
    """New text for some stretches of a file, in order, and how much that changes."""

    cost: float
    stretches: Stretches

    def applied(self, text: str, start: int = 0) -> str:
        """Return a text that begins at `start` of the file with the edit made."""
        for span, new in reversed(self.stretches):
            at, end = span.start - start, span.end - start
            before = text[:at]
            if new[:1].isalnum() and re.search(r"\\[A-Za-z]+$", before):
                before += " "
            text = before + new + _apart(new, text[end:])
        return text


def _apart(new: str, after: str) -> str:
    """Keep a command from running into the letter that follows it."""
    return f" {after}" if re.search(r"\\[A-Za-z]+$", new) and after[:1].isalpha() else after


@dataclass(frozen=True, slots=True)
class Formula:
    """A member with the file's text, and what the step has besides it."""

    node: tree.Node
    text: str
    parts: tuple[str, ...] = ()
    """The factors of the step's other formulas, as written."""
    terms: tuple[str, ...] = ()
    """Their terms."""
    letters: tuple[str, ...] = ()
    """The index letters of the step."""
    sizes: tuple[str, ...] = ()
    """The sizes of the step."""
    mark: str = r"^\top"
    """How the page writes a transpose."""

    def of(self, *nodes: tree.Node) -> str:
        """Return what is written from the first node to the last."""
        return self.text[nodes[0].span.start : nodes[-1].span.end]


def edit(cost: float, node: tree.Node | Span, new: str) -> Edit:
    """Return the edit of one stretch, or of all that a node covers."""
    return Edit(cost, ((node if isinstance(node, Span) else node.span, new),))


def multiplied(formula: Formula, numerator: int, denominator: int) -> Edit:
    """Return the edit by which a member is a number of times as large."""
    node = formula.node
    if isinstance(node, tree.Additive) and [sign for sign, _ in node.terms] == ["+", "-"]:
        (_, first), (_, second) = node.terms
        if (numerator, denominator) == (-1, 1) and formula.of(node).startswith(formula.of(first)):
            return edit(1, node, f"{formula.of(second)} - {formula.of(first)}")
    if isinstance(node, tree.Additive) and len(node.terms) == 1 and node.terms[0][0] == "-":
        numerator, node = -numerator, node.terms[0][1]
    first = factors(node)[0]
    above, below = _value(first)
    numerator, denominator = numerator * above, denominator * below
    common = _common(numerator, denominator)
    numerator, denominator = numerator // common, denominator // common
    size = str(abs(numerator)) if denominator == 1 else rf"\frac{{{abs(numerator)}}}{{{denominator}}}"
    rest = formula.of(node)
    if is_number(first) and isinstance(node, tree.Product) and node.operators[0] not in ("/", "div"):
        rest = formula.text[node.factors[1].span.start : node.span.end]
    elif is_number(first):
        rest = ""
    elif isinstance(node, tree.Additive):
        rest = rf"\left( {rest} \right)"
    size = "" if size == "1" and rest else size
    inner = list(factors(node)[1 if is_number(first) else 0 :])
    if not size and len(inner) == 1 and isinstance(inner[0], tree.Group) and numerator > 0:
        rest = formula.of(inner[0].body)
    sign = "-" if numerator < 0 else ""
    return edit(1, formula.node, f"{sign}{size} {rest}".strip() if size else f"{sign}{rest}")


def added(formula: Formula, numerator: int, denominator: int) -> Edit:
    """Return the edit by which a member is larger by a number."""
    sign = "-" if numerator < 0 else "+"
    size = str(abs(numerator)) if denominator == 1 else rf"\frac{{{abs(numerator)}}}{{{denominator}}}"
    end = formula.node.span.end
    start = formula.node.span.start
    if sign == "+" and formula.text[start] == "-":
        return edit(1, Span(start, start), f"{size} ")
    return edit(1, Span(end, end), f" {sign} {size}")


def _value(node: tree.Node) -> tuple[int, int]:
    if isinstance(node, tree.Number) and node.text.isdigit() and node.text != "0":
        return int(node.text), 1
    if isinstance(node, tree.Fraction) and is_number(node):
        (a, b), (c, d) = _value(node.numerator), _value(node.denominator)
        return a * d, b * c
    return 1, 1


def _common(first: int, second: int) -> int:
    while second:
        first, second = second, first % second
    return abs(first) or 1


def is_number(node: tree.Node) -> bool:
    """Tell whether a node is a number in digits, or a fraction of two."""
    if isinstance(node, tree.Fraction):
        return is_number(node.numerator) and is_number(node.denominator)
    return isinstance(node, tree.Number)


def factors(node: tree.Node) -> tuple[tree.Node, ...]:
    """Return the factors of a product, or the one factor that something else is."""
    return node.factors if isinstance(node, tree.Product) else (node,)

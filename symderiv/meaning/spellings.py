r"""Words in italics that are differentiated: the `net` of `\partial net_k / \partial w_{jk}`.

Letters that stand close together above or below the bar of a derivative are a word where the page does not
have all of them elsewhere; then they are that word wherever they stand so. The last one may have a subscript.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from symderiv.latex import tree
from symderiv.meaning import names

_LEAST = 3
"""The letters that a word has at least: two may well be factors."""


def differentiated(found: Iterable[tree.Chain]) -> frozenset[str]:
    """Return the words that a page differentiates or differentiates by."""
    words: set[str] = set()
    nodes = [
        node for chain in found for side in chain.members if side is not None for node in names.walk(side)
    ]
    for node in nodes:
        if isinstance(node, tree.Derivative):
            words |= {word for each in (node.of, *node.by) for word in _whole(each)}
    if not words:
        return frozenset()
    runs = ((node, start, end) for node in nodes for start, end, _ in _runs(node))
    inside = {id(factor) for node, start, end in runs for factor in _factors(node, start, end)}
    alone = {node.text for node in nodes if isinstance(node, tree.Name) and id(node) not in inside}
    return frozenset(word for word in words if set(word) - alone)


def with_spellings(chain: tree.Chain, words: frozenset[str]) -> tree.Chain:
    """Read the letters of some words as names."""

    def joined(node: tree.Node) -> tree.Node:
        for start, end, word in reversed(list(_runs(node))):
            if word in words and isinstance(node, tree.Product):
                last = node.factors[end - 1]
                name: tree.Node = tree.Name(word, span=node.factors[start].span.to(last.span))
                name = replace(last, base=name) if isinstance(last, tree.Script) else name
                factors = (*node.factors[:start], name, *node.factors[end:])
                operators = (*node.operators[:start], *node.operators[end - 1 :])
                if len(factors) == 1:
                    return name
                node = replace(node, factors=factors, operators=operators)
        return node

    members = tuple(None if member is None else names.rebuilt(member, joined) for member in chain.members)
    return replace(chain, members=members)


def _whole(node: tree.Node | None) -> Iterator[str]:
    """Yield the word that a node is."""
    if isinstance(node, tree.Product):
        yield from (word for start, end, word in _runs(node) if end - start == len(node.factors))


def _factors(node: tree.Node, start: int, end: int) -> Iterator[tree.Node]:
    for factor in node.factors[start:end] if isinstance(node, tree.Product) else ():
        yield factor.base if isinstance(factor, tree.Script) else factor


def _runs(node: tree.Node) -> Iterator[tuple[int, int, str]]:
    """Yield where letters stand close together among the factors of a node, and what they spell."""
    if not isinstance(node, tree.Product):
        return
    start = at = 0
    while at < len(node.factors):
        start, text = at, ""
        while at < len(node.factors):
            factor = node.factors[at]
            near = at == start or (
                node.operators[at - 1] == "" and node.factors[at - 1].span.end == factor.span.start
            )
            letter = _letter(factor.base if isinstance(factor, tree.Script) else factor)
            if not near or not letter:
                break
            text, at = text + letter, at + 1
            if isinstance(factor, tree.Script):
                break
        if len(text) >= _LEAST:
            yield start, at, text
        at = max(at, start + 1)


def _letter(node: tree.Node) -> str:
    found = isinstance(node, tree.Name) and node.font == "" and len(node.text) == 1 and node.text.isalpha()
    return node.text if found and isinstance(node, tree.Name) else ""

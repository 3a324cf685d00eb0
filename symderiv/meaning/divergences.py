r"""Divergences: `D_{KL}(q(z) \| p(z))` is one quantity, and no function of what its brackets hold.

Where each side of the bar is a name, `D(p \| q)`, it is a function of the two like any other. Else the
brackets only tell which quantity is meant; where a page has one pair of them after a name, it is that name.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from symderiv.latex import to_latex, tree
from symderiv.meaning import names

_BAR = "\\|"


def divergences(found: Iterable[tree.Chain]) -> dict[str, frozenset[str]]:
    """Return the names before brackets with a double bar, with what the brackets after each hold."""
    held: dict[str, set[str]] = {}
    for chain in found:
        for node in (node for member in chain.members if member is not None for node in names.walk(member)):
            for start, end in _places(node):
                assert isinstance(node, tree.Product)
                held.setdefault(_word(node, start, end), set()).add(to_latex(node.factors[end]))
    return {word: frozenset(brackets) for word, brackets in held.items()}


def with_divergences(chain: tree.Chain, held: dict[str, frozenset[str]]) -> tree.Chain:
    """Read each divergence as a name."""
    if not held:
        return chain

    def joined(node: tree.Node) -> tree.Node:
        for start, end in reversed(list(_places(node))):
            assert isinstance(node, tree.Product)
            word = _word(node, start, end)
            text = word if len(held[word]) == 1 else f"{word}{to_latex(node.factors[end])}"
            span = node.factors[start].span.to(node.factors[end].span)
            alone = start + 1 == end and len(held[word]) == 1
            name = replace(node.factors[start], span=span) if alone else tree.Name(text, span=span)
            factors = (*node.factors[:start], name, *node.factors[end + 1 :])
            if len(factors) == 1:
                return name
            operators = (*node.operators[:start], *node.operators[end:])
            node = replace(node, factors=factors, operators=operators)
        return node

    members = tuple(None if member is None else names.rebuilt(member, joined) for member in chain.members)
    return replace(chain, members=members)


def _places(node: tree.Node) -> Iterator[tuple[int, int]]:
    """Yield where a divergence begins among the factors of a node, and where its brackets stand."""
    if not isinstance(node, tree.Product):
        return
    for end, group in enumerate(node.factors):
        body = group.body if isinstance(group, tree.Group) else None
        if not end or not isinstance(body, tree.Sequence) or body.mark != _BAR:
            continue
        start = end - 1
        while start and _is_capital(node.factors[start]) and _is_capital(node.factors[start - 1]):
            start -= 1
        plain = start == end - 1 and all(isinstance(each, tree.Name | tree.Accent) for each in body.items)
        named = names.key(node.factors[start]) is not None or isinstance(node.factors[start], tree.Script)
        if named and not plain and set(node.operators[start:end]) == {""}:
            yield start, end


def _is_capital(node: tree.Node) -> bool:
    return isinstance(node, tree.Name) and len(node.text) == 1 and node.text.isupper() and not node.font


def _word(node: tree.Product, start: int, end: int) -> str:
    return "".join(to_latex(factor) for factor in node.factors[start:end])

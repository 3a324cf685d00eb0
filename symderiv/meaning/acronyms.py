r"""Acronyms: capital letters that name one quantity, the MSE of `MSE = \frac1n \sum_i e_i^2`.

They stand close together as the whole left side of an equation, before brackets there, or as what is
differentiated. Where the page has each of the letters elsewhere, they are factors; so may two letters be
that stand at a left side alone, as in `AB = C`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from symderiv.latex import tree
from symderiv.meaning import names

_LEAST = 3
"""The letters that an acronym has at least at a left side alone."""


def acronyms(found: Iterable[tree.Chain]) -> frozenset[str]:
    """Return the acronyms of a page."""
    words: set[str] = set()
    spelled: list[tuple[str, set[int]]] = []
    single: list[tree.Name] = []
    for chain in found:
        first = chain.members[0] if len(chain.members) > 1 else None
        words |= {word for word, at, end in _runs(first) if _is_head(first, word, at, end)}
        for node in (each for member in chain.members if member is not None for each in names.walk(member)):
            if isinstance(node, tree.Derivative) and node.of is not None:
                words |= {word for word, at, end in _runs(node.of) if (at, end) == (0, _count(node.of))}
            if isinstance(node, tree.Call) and _is_word(node.function):
                words.add(node.function.text)  # type: ignore[attr-defined]
            if isinstance(node, tree.Name):
                single.append(node)
            if isinstance(node, tree.Product):
                spelled += [(word, set(map(id, node.factors[at:end]))) for word, at, end in _runs(node)]
    kept = set()
    for word in words:
        inside = set().union(*(factors for other, factors in spelled if other == word))
        if set(word) - {name.text for name in single if id(name) not in inside}:
            kept.add(word)
    return frozenset(kept)


def with_acronyms(chain: tree.Chain, words: frozenset[str]) -> tree.Chain:
    """Read acronyms as names."""

    def joined(node: tree.Node) -> tree.Node:
        for word, at, end in reversed(list(_runs(node))):
            if word not in words or not isinstance(node, tree.Product):
                continue
            name = tree.Name(word, span=node.factors[at].span.to(node.factors[end - 1].span))
            factors = (*node.factors[:at], name, *node.factors[end:])
            if len(factors) == 1:
                return name
            operators = (*node.operators[:at], *node.operators[end - 1 :])
            node = replace(node, factors=factors, operators=operators)
        return node

    members = tuple(None if member is None else names.rebuilt(member, joined) for member in chain.members)
    return replace(chain, members=members)


def _is_head(node: tree.Node | None, word: str, at: int, end: int) -> bool:
    """Tell whether a word is a left side, with brackets after it or, if it is long, alone."""
    if not isinstance(node, tree.Product) or at:
        return False
    rest = node.factors[end:]
    return len(word) >= _LEAST if not rest else len(rest) == 1 and isinstance(rest[0], tree.Group)


def _is_word(node: tree.Node) -> bool:
    return isinstance(node, tree.Name) and not node.font and len(node.text) > 1 and node.text.isupper()


def _count(node: tree.Node) -> int:
    return len(node.factors) if isinstance(node, tree.Product) else 0


def _runs(node: tree.Node | None) -> Iterator[tuple[str, int, int]]:
    """Yield each run of capital letters among the factors of a node, and where it begins and ends."""
    factors = node.factors if isinstance(node, tree.Product) else ()
    at = 0
    while at < len(factors):
        end = at
        while end < len(factors) and _is_capital(factors[end]) and (end == at or _close(node, end)):
            end += 1
        if end - at > 1:
            yield "".join(each.text for each in factors[at:end] if isinstance(each, tree.Name)), at, end
        at = max(end, at + 1)


def _close(node: tree.Node | None, at: int) -> bool:
    """Tell whether nothing stands between a factor and the one before it."""
    assert isinstance(node, tree.Product)
    return node.operators[at - 1] == "" and node.factors[at - 1].span.end == node.factors[at].span.start


def _is_capital(node: tree.Node) -> bool:
    plain = isinstance(node, tree.Name) and not node.font and len(node.text) == 1
    return plain and isinstance(node, tree.Name) and node.text.isupper() and node.text.isascii()

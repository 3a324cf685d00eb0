r"""Words in italics before brackets: the `logit` of `logit(x)`.

Letters that stand close together before a bracket are factors where the page has each of them elsewhere, as
`abc(x + y)` with numbers a, b and c; where it does not have some of them, they spell a function. The last one
may be a function by itself, `abg(x)`, unless the word with its brackets is the left side of an equation.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from symderiv.latex import tree
from symderiv.meaning import names

_LEAST = 3
"""The letters that a word has at least: two may well be factors."""


def spelled(found: Iterable[tree.Chain]) -> frozenset[str]:
    """Return the words before brackets of a page, those with a letter that it has nowhere else."""
    words: set[str] = set()
    heads: set[str] = set()
    sure: set[str] = set()
    alone: set[str] = set()
    for chain in found:
        first = chain.members[0] if len(chain.members) > 1 else None
        if isinstance(first, tree.Product) and (0, len(first.factors) - 1) in _runs(first):
            heads.add(_word(first, 0, len(first.factors) - 1))
            if _takes_letters(first.factors[-1]):
                sure.add(_word(first, 0, len(first.factors) - 1))
        for member in chain.members:
            if member is not None:
                words.update(_observed(member, alone))
    return frozenset(
        word for word in words if word in sure or set(word if word in heads else word[:-1]) - alone
    )


def _takes_letters(node: tree.Node) -> bool:
    """Tell whether brackets hold letters only: `sat(x)` at the left of an equation is no product."""
    body = node.body if isinstance(node, tree.Group) else node
    items = body.items if isinstance(body, tree.Sequence) else (body,)
    return isinstance(node, tree.Group) and all(isinstance(each, tree.Name) for each in items)


def _observed(node: tree.Node, alone: set[str]) -> Iterator[str]:
    """Yield the words before brackets in a node, and take in the letters that stand elsewhere."""
    if isinstance(node, tree.Name):
        alone.add(node.text)
    spelling: set[int] = set()
    for start, end in _runs(node):
        assert isinstance(node, tree.Product)
        yield _word(node, start, end)
        spelling |= {id(factor) for factor in node.factors[start:end]}
    for child in names.children(node):
        if id(child) not in spelling:
            yield from _observed(child, alone)


def with_words(chain: tree.Chain, words: frozenset[str]) -> tree.Chain:
    """Read the letters of some words before brackets as functions and their arguments."""
    if not words:
        return chain

    def joined(node: tree.Node) -> tree.Node:
        for start, end in reversed(list(_runs(node))):
            if isinstance(node, tree.Product) and _word(node, start, end) in words:
                node = _called(node, start, end)
        return node

    members = tuple(None if member is None else names.rebuilt(member, joined) for member in chain.members)
    return replace(chain, members=members)


def _runs(node: tree.Node) -> Iterator[tuple[int, int]]:
    """Yield where runs of letters before brackets begin and end among the factors of a node."""
    if not isinstance(node, tree.Product):
        return
    start = 0
    for at, factor in enumerate(node.factors):
        if at and not (node.operators[at - 1] == "" and node.factors[at - 1].span.end == factor.span.start):
            start = at
        base = factor.base if isinstance(factor, tree.Script) else factor
        if isinstance(base, tree.Group) and base.left == "(" and at - start >= _LEAST:
            yield start, at
        ends = isinstance(factor, tree.Script) and not _before_group(node, at)
        if ends or not _letter(_plain(factor) or factor):
            start = at + 1


def _before_group(node: tree.Product, at: int) -> bool:
    following = node.factors[at + 1] if at + 1 < len(node.factors) else None
    base = following.base if isinstance(following, tree.Script) else following
    return isinstance(base, tree.Group)


def _plain(node: tree.Node) -> tree.Node | None:
    """Return the letter of a letter with primes."""
    primed = isinstance(node, tree.Script) and node.primes and node.sub is None and node.sup is None
    return node.base if primed and isinstance(node, tree.Script) else None


def _letter(node: tree.Node) -> bool:
    return isinstance(node, tree.Name) and node.font == "" and len(node.text) == 1 and node.text.isalpha()


def _word(node: tree.Product, start: int, end: int) -> str:
    letters = (_plain(factor) or factor for factor in node.factors[start:end])
    return "".join(letter.text for letter in letters if isinstance(letter, tree.Name))


def _called(node: tree.Product, start: int, end: int) -> tree.Node:
    """Return a product with a word and the brackets after it as one factor."""
    first, last, following = node.factors[start], node.factors[end - 1], node.factors[end]
    function: tree.Node = tree.Name(_word(node, start, end), span=first.span.to(last.span))
    if isinstance(last, tree.Script):
        function = replace(last, base=function, span=function.span)
    group = following.base if isinstance(following, tree.Script) else following
    assert isinstance(group, tree.Group)
    arguments = group.body.items if isinstance(group.body, tree.Sequence) else (group.body,)
    call: tree.Node = tree.Call(function, arguments, span=first.span.to(group.span))
    if isinstance(following, tree.Script):
        call = replace(following, base=call, span=first.span.to(following.span))
    factors = (*node.factors[:start], call, *node.factors[end + 1 :])
    if len(factors) == 1:
        return call
    operators = (*node.operators[:start], *node.operators[end:])
    return replace(node, factors=factors, operators=operators)

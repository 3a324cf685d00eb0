"""Primes that tell one point from another: the x' of `k(x, x')` is a name, and no derivative.

A name is such a point where the page has it with and without a prime in one list, as two arguments of a
function, and never applies it: the `f'` of a function is its derivative.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from symderiv.latex import tree
from symderiv.meaning import names


def points(found: Iterable[tree.Chain]) -> frozenset[str]:
    """Return the letters that a page has with and without a prime in one list."""
    members = [member for chain in found for member in chain.members if member is not None]
    nodes = [node for member in members for node in names.walk(member)]
    paired = frozenset(text for node in nodes for text in _paired(node))
    return paired.difference(text for node in nodes for text in _applied(node)) if paired else paired


def with_points(chain: tree.Chain, letters: frozenset[str]) -> tree.Chain:
    """Read the primed letters as names of their own."""
    if not letters:
        return chain

    def rename(each: tree.Node) -> tree.Node:
        text = _primed(each)
        if text not in letters or not isinstance(each, tree.Script) or not isinstance(each.base, tree.Name):
            return each
        name = replace(each.base, text=f"{text}'", span=each.span)
        bare = each.sub is None and each.sup is None
        return name if bare else replace(each, base=name, primes=0)

    members = tuple(None if member is None else names.rebuilt(member, rename) for member in chain.members)
    return replace(chain, members=members)


def _paired(node: tree.Node) -> Iterator[str]:
    """Yield the names that a list has with and without a prime."""
    items = node.items if isinstance(node, tree.Sequence) else ()
    items = node.arguments if isinstance(node, tree.Call) else items
    bare = {each.text for each in items if isinstance(each, tree.Name)}
    yield from (text for each in items if (text := _primed(each)) is not None and text in bare)


def _applied(node: tree.Node) -> Iterator[str]:
    """Yield the names that stand before brackets with their arguments."""
    found: list[tree.Node] = [node.function] if isinstance(node, tree.Call) else []
    if isinstance(node, tree.Product):
        followed = zip(node.factors, node.operators, node.factors[1:], strict=False)
        found = [one for one, sign, two in followed if sign == "" and isinstance(two, tree.Group)]
    for each in found:
        base = each.base if isinstance(each, tree.Script) else each
        if isinstance(base, tree.Name):
            yield base.text


def _primed(node: tree.Node) -> str | None:
    """Return the letter that has one prime."""
    if isinstance(node, tree.Script) and node.primes == 1 and isinstance(node.base, tree.Name):
        return node.base.text
    return None

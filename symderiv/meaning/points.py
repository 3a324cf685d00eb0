"""Primes, stars and signs that tell one point from another: the x' of `k(x, x')`, the `w^*` of `w^* = 2 b`.

A primed letter is such a point where the page has it with and without a prime in one list, as two arguments
of a function, and never applies it: the `f'` of a function is its derivative. A letter with a star or a sign
above it is one where it is the left side of an equation: elsewhere `A^*` may be made from A.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from symderiv.latex import tree
from symderiv.meaning import names

_MARKS = {"*": "*", "\\star": "*", "\\ast": "*", "+": "+", "-": "-", "\\dagger": "\\dagger"}
"""What may stand above a letter and be part of its name, and how it is written there."""


def points(found: Iterable[tree.Chain]) -> frozenset[str]:
    """Return the letters that a page has with a mark that makes them other points: `x'`, `w^{*}`."""
    chains = list(found)
    members = [member for chain in chains for member in chain.members if member is not None]
    nodes = [node for member in members for node in names.walk(member)]
    paired = frozenset(text for node in nodes for text in _paired(node))
    if paired:
        paired = paired.difference(text for node in nodes for text in _applied(node))
    firsts = (chain.members[0] for chain in chains if chain.operators)
    return paired | frozenset(text for first in firsts if first is not None and (text := _starred(first)))


def indices(found: Iterable[tree.Chain]) -> frozenset[str]:
    """Return the primed letters that sums run over, or that stand below names as a letter of a sum does."""
    members = [member for chain in found for member in chain.members if member is not None]
    nodes = [node for member in members for node in names.walk(member)]
    bigs = [node for node in nodes if isinstance(node, tree.Big) and node.lower is not None]
    bound = {letter for big in bigs for letter in names.bound_letters(big.lower)}
    below = [node.sub for node in nodes if isinstance(node, tree.Script) and node.sub is not None]
    below += [big.lower for big in bigs if big.lower is not None]
    primed = {text for node in below for each in names.walk(node) if (text := _primed(each)) is not None}
    run = {
        text for big in bigs for each in names.walk(big.lower or big) if (text := _primed(each)) is not None
    }
    return frozenset(text for text in primed if text in run or text.removesuffix("'") in bound)


def with_points(chain: tree.Chain, texts: frozenset[str]) -> tree.Chain:
    """Read the letters with these marks as names of their own."""
    if not texts:
        return chain

    def rename(each: tree.Node) -> tree.Node:
        if not isinstance(each, tree.Script):
            return each
        text = _primed(each) or _starred(each)
        base = each.base.body if isinstance(each.base, tree.Accent) else each.base
        if text is None or text not in texts or not isinstance(base, tree.Name):
            return each
        name: tree.Node = replace(base, text=text, span=each.span)
        if isinstance(each.base, tree.Accent):
            name = replace(each.base, body=name, span=each.span)
        sup = each.sup if each.primes else _marked(each.sup)[1]
        bare = each.sub is None and sup is None
        return name if bare else replace(each, base=name, sup=sup, primes=0)

    members = tuple(None if member is None else names.rebuilt(member, rename) for member in chain.members)
    return replace(chain, members=members)


def _paired(node: tree.Node) -> Iterator[str]:
    """Yield the names that a list has with and without a prime."""
    items = node.items if isinstance(node, tree.Sequence) else ()
    items = node.arguments if isinstance(node, tree.Call) else items
    bare = {f"{each.text}'" for each in items if isinstance(each, tree.Name)}
    yield from (text for each in items if (text := _primed(each)) is not None and text in bare)


def _applied(node: tree.Node) -> Iterator[str]:
    """Yield the primed names of which the letters stand before brackets with their arguments."""
    found: list[tree.Node] = [node.function] if isinstance(node, tree.Call) else []
    if isinstance(node, tree.Product):
        followed = zip(node.factors, node.operators, node.factors[1:], strict=False)
        found = [one for one, sign, two in followed if sign == "" and isinstance(two, tree.Group)]
    for each in found:
        base = each.base if isinstance(each, tree.Script) else each
        if isinstance(base, tree.Name):
            yield f"{base.text}'"


def _primed(node: tree.Node) -> str | None:
    """Return the letter with its one prime."""
    if isinstance(node, tree.Script) and node.primes == 1 and isinstance(node.base, tree.Name):
        return f"{node.base.text}'"
    return None


def _starred(node: tree.Node) -> str | None:
    """Return the letter with the star or sign above it; an accent on it does not count."""
    if not isinstance(node, tree.Script) or node.primes:
        return None
    base = node.base.body if isinstance(node.base, tree.Accent) else node.base
    mark, _ = _marked(node.sup)
    return f"{base.text}^{{{mark}}}" if isinstance(base, tree.Name) and mark is not None else None


def _marked(sup: tree.Node | None) -> tuple[str | None, tree.Node | None]:
    """Part the mark in a superscript from the transpose sign behind it, if there is one."""
    if isinstance(sup, tree.Product) and len(sup.factors) == 2 and names.is_transpose(sup.factors[1]):
        return _marked(sup.factors[0])[0], sup.factors[1]
    return (_MARKS.get(sup.text) if isinstance(sup, tree.Name) else None), None

"""Entries as programs write them: `X[i, k]` is the entry `X_{ik}`.

Brackets round several index letters close behind a name are its indices on a page where a sum runs over one
of them; elsewhere they may hold the arguments of a function. A letter alone in brackets is an index behind a
name that the page also writes with one below, `x[i]` beside `x_i`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from symderiv.latex import tree
from symderiv.meaning import names


def bracketed(found: Iterable[tree.Chain]) -> bool:
    """Tell whether a sum runs over a letter that stands in brackets behind a name."""
    inside: set[str] = set()
    summed: set[str] = set()
    for chain in found:
        for each in (each for member in chain.members if member is not None for each in names.walk(member)):
            if isinstance(each, tree.Big):
                summed |= set(names.bound_letters(each.lower))
            if isinstance(each, tree.Product):
                for at in range(len(each.factors) - 1):
                    items = _items(each, at)
                    inside |= {item.text for item in items if isinstance(item, tree.Name)}
    return bool(inside & summed)


def subscripted(found: Iterable[tree.Chain]) -> frozenset[str]:
    """Return the names that have an index letter alone below them."""
    return frozenset(
        key
        for chain in found
        for member in chain.members
        for each in (() if member is None else names.walk(member))
        if isinstance(each, tree.Script) and each.sub is not None and names.is_index_letter(each.sub)
        if (key := names.key(each.base)) is not None
    )


def with_entries(chain: tree.Chain, written: bool, vectors: frozenset[str]) -> tree.Chain:  # noqa: FBT001
    """Write the indices in brackets below their names, where the page writes such, and those of vectors."""

    def joined(node: tree.Node) -> tree.Node:
        return _joined(node, written, vectors) if isinstance(node, tree.Product) else node

    if not written and not vectors:
        return chain
    return replace(chain, members=tuple(m and names.rebuilt(m, joined) for m in chain.members))


def _joined(node: tree.Product, written: bool, vectors: frozenset[str]) -> tree.Node:  # noqa: FBT001
    factors: list[tree.Node] = []
    operators: list[str] = []
    for at, factor in enumerate(node.factors):
        items = _items(node, at - 1) if at else ()
        known = written if len(items) > 1 else names.key(node.factors[at - 1]) in vectors
        if not items or not known:
            factors.append(factor)
            operators += [node.operators[at - 1]] if at else []
            continue
        sub = tree.Sequence(items, span=factor.span)
        sup = factor.sup if isinstance(factor, tree.Script) else None
        factors[-1] = tree.Script(factors[-1], sub, sup, span=factors[-1].span.to(factor.span))
    if len(factors) == 1:
        return factors[0]
    return replace(node, factors=tuple(factors), operators=tuple(operators))


def _items(node: tree.Product, at: int) -> tuple[tree.Node, ...]:
    """Return the indices in the brackets behind a factor, or none."""
    base, group = node.factors[at], node.factors[at + 1]
    if isinstance(group, tree.Script) and group.sub is None and not group.primes:
        group = group.base
    if not isinstance(base, tree.Name | tree.Accent) or node.operators[at] != "":
        return ()
    if not isinstance(group, tree.Group) or group.left != "[" or base.span.end != group.span.start:
        return ()
    if names.is_index_letter(group.body) and names.is_index_letter(base):
        return (group.body,)
    if not isinstance(group.body, tree.Sequence):
        return ()
    items = group.body.items
    plain = all(names.is_index_letter(item) or isinstance(item, tree.Number) for item in items)
    return items if plain and group.body.mark == "," else ()

"""Entries as programs write them: `X[i, k]` is the entry `X_{ik}`.

Brackets round several index letters close behind a name are its indices on a page where a sum runs over one
of them; elsewhere they may hold the arguments of a function.
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


def with_entries(chain: tree.Chain, written: bool) -> tree.Chain:  # noqa: FBT001  what the page does
    """Write the indices in brackets below their names."""
    if not written:
        return chain
    members = tuple(None if member is None else names.rebuilt(member, _joined) for member in chain.members)
    return replace(chain, members=members)


def _joined(node: tree.Node) -> tree.Node:
    if not isinstance(node, tree.Product):
        return node
    factors: list[tree.Node] = []
    operators: list[str] = []
    for at, factor in enumerate(node.factors):
        items = _items(node, at - 1) if at else ()
        if not items:
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
    if not isinstance(group, tree.Group) or group.left != "[" or not isinstance(group.body, tree.Sequence):
        return ()
    items = group.body.items
    close = base.span.end == group.span.start
    plain = all(names.is_index_letter(item) or isinstance(item, tree.Number) for item in items)
    return items if close and plain and group.body.mark == "," else ()

"""Patterns of syntax trees: heads of two letters."""

from __future__ import annotations

from symderiv.latex import tree
from symderiv.meaning import names


def composite_head(
    factors: tuple[tree.Node, ...], fonts: frozenset[str]
) -> tuple[str, tuple[tree.Node, ...]] | None:
    """Return the key and the items of `D_{ij} y_t`, an operator letter before a name, or None."""
    if len(factors) != 2:
        return None
    operator, name = factors
    subs: list[tree.Node] = []
    keys: list[str] = []
    for node in (operator, name):
        base = node
        if isinstance(node, tree.Script):
            if node.sup is not None or node.primes:
                return None
            subs.extend(names.items(node.sub))
            base = node.base
        key = names.key(base, fonts=fonts)
        if key is None:
            return None
        keys.append(key)
    if keys[0] != "D":
        return None
    return " ".join(keys), tuple(subs)

"""Sums in the ways that pages bound them, written as from a first place to a last one.

Both `\\sum_{1 \\le i \\le n}` and `\\sum_{i \\in \\{1, \\dots, n\\}}` run from 1 to n. A *bare* sum names no
index: it runs over the one letter in the subscripts of its body that is free nowhere else in its chain.
Where there is no such letter, or a choice, it stays as it is, and has no meaning.
"""

from __future__ import annotations

from dataclasses import replace

from symderiv.latex import tree
from symderiv.meaning import names


def with_bounds(chain: tree.Chain) -> tree.Chain:
    """Write the bounds of every sum of a chain in one way."""
    members = tuple(None if member is None else names.rebuilt(member, _bounded) for member in chain.members)
    bare = [each for m in members if m is not None for each in names.walk(m) if _is_bare(each)]
    if bare:
        letters = set().union(*(_subscripts(each) for each in bare))
        outside = set().union(*(_outside(m, letters) for m in members if m is not None))
        free = letters - outside
        members = tuple(
            None if m is None else names.rebuilt(m, lambda each: _indexed(each, free)) for m in members
        )
    return replace(chain, members=members)


def _bounded(node: tree.Node) -> tree.Node:
    lower = node.lower if isinstance(node, tree.Big) and node.upper is None else None
    if not isinstance(node, tree.Big) or not isinstance(lower, tree.Relation):
        return node
    if lower.operators == ("<=", "<="):
        first, letter, last = lower.members
        return _from(node, letter, first, last)
    ends = lower.members[-1]
    inside = ends.body if isinstance(ends, tree.Group) and ends.left == "{" else None
    if lower.operators == ("in",) and isinstance(inside, tree.Sequence) and len(inside.items) > 2:
        first, *between, last = inside.items
        run = [isinstance(each, tree.Dots) for each in between]
        counted = [each.text for each in (first, *between[:-1]) if isinstance(each, tree.Number)]
        if run[-1] and not any(run[:-1]) and counted == ["1", "2", "3"][: len(run)]:
            return _from(node, lower.members[0], first, last)
    return node


def _from(node: tree.Big, letter: tree.Node, first: tree.Node, last: tree.Node) -> tree.Node:
    if not names.is_index_letter(letter) or not isinstance(first, tree.Number):
        return node
    assert node.lower is not None
    return replace(node, lower=tree.Relation((letter, first), ("=",), span=node.lower.span), upper=last)


def _is_bare(node: tree.Node) -> bool:
    return isinstance(node, tree.Big) and node.operator == "sum" and node.lower is None and node.upper is None


def _subscripts(node: tree.Node) -> set[str]:
    """Return the letters in the subscripts and the labels of a node."""
    found: set[str] = set()
    for each in names.walk(node):
        if isinstance(each, tree.Script):
            parts = [*names.items(each.sub), names.label(each.sup)]
            found |= {p.text for p in parts if isinstance(p, tree.Name) and names.is_index_letter(p)}
    return found


def _outside(node: tree.Node, letters: set[str]) -> set[str]:
    """Return the letters that are free in a node outside its bare sums, and those of sums around these."""
    if _is_bare(node):
        return set()
    if isinstance(node, tree.Name):
        return {node.text} & letters
    bound = set(names.bound_letters(node.lower)) if isinstance(node, tree.Big) else set()
    around = bound if any(_is_bare(each) for each in names.walk(node)) else set()
    return around.union(*(_outside(child, letters - bound) for child in names.children(node)))


def _indexed(node: tree.Node, letters: set[str]) -> tree.Node:
    """Give a bare sum the only letter that it may run over."""
    if not isinstance(node, tree.Big) or not _is_bare(node):
        return node
    free = names.free_letters(node.body, letters)
    return replace(node, lower=tree.Name(*free, span=node.span)) if len(free) == 1 else node

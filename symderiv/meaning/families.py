r"""Families: `\delta_j` of the hidden units and `\delta_k` of the outputs, told apart by their letters.

A page that gives `\delta_k` a meaning, and then `\delta_j` by a weighted sum of the `\delta_k`, has two
quantities with one name; `z_j = h(a_j)` beside `a_j = \sum_i w_{ji} z_i` has an input and an output.
Vocabulary: a name has *members*, one for each letter that it carries; where one member is made of another by
weights, each is a family, and its letter is a part of its name. The weights `w_{ji}` and `w_{kj}` between
families are two matrices: their letters are a part of their names.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from symderiv.latex import tree
from symderiv.meaning import names

_DEFINING = frozenset({"=", ":=", "equiv"})

Member = tuple[str, tuple[str, ...]]
"""A name, and the letters that it carries."""


def families(found: list[tree.Chain]) -> frozenset[Member]:
    """Return the families of a page."""
    heads: dict[Member, list[list[tree.Node]]] = {}
    for chain in found:
        member = _member(chain.members[0]) if chain.operators else None
        if member is not None and chain.operators[0].text in _DEFINING:
            heads.setdefault(member, []).append([each for each in chain.members[1:] if each is not None])
    known: set[Member] = set()
    for head, equations in heads.items() if len(heads) > 1 else ():
        if len(head[1]) == 1:
            known |= _made_of(head, equations, heads)
    letters = {letter for _, carried in known for letter in carried}
    return frozenset(known | _weights(found, letters)) if known else frozenset()


def _made_of(
    head: Member, equations: list[list[tree.Node]], heads: dict[Member, list[list[tree.Node]]]
) -> set[Member]:
    """Return a head and the other members of its name of which it is made, if that tells them apart."""
    name, (letter,) = head
    inside = [{m for side in sides for m in _weighted(side, letter) if m[0] == name} for sides in equations]
    found: set[Member] = set()
    for others in inside:
        for other in others - {head}:
            if other in heads or not all(inside):
                found |= {head, other}
    for equation in equations:
        beside = {m for side in equation for node in names.walk(side) if (m := _member(node)) in heads}
        for each in beside - {head}:
            if each[1] != (letter,):
                continue
            sides = [side for body in heads[each] for side in body]
            below = {m for side in sides for m in _weighted(side, letter) if m[0] == name} - {head}
            alone = all(_member(node) != head for side in sides for node in names.walk(side))
            found |= {head, *below} if below and alone else set()
    return found


def _weighted(node: tree.Node, letter: str) -> Iterator[Member]:
    """Yield the members that a side sums with weights, the `\\delta_k` of `\\sum_k w_{kj} \\delta_k`."""
    for big in (each for each in names.walk(node) if isinstance(each, tree.Big)):
        bound = names.bound_letters(big.lower)
        pairs = {m[1] for each in names.walk(big.body) if (m := _member(each, labelled=True)) is not None}
        for each in names.walk(big.body):
            member = _member(each)
            if member is None or member[1][0] not in bound or len(member[1]) != 1:
                continue
            if {(letter, *member[1]), (*member[1], letter)} & pairs:
                yield member


def _weights(found: list[tree.Chain], letters: set[str]) -> set[Member]:
    """Return the matrices between families: one letter is a row of one and a column of another."""
    nodes = (
        node for chain in found for side in chain.members if side is not None for node in names.walk(side)
    )
    pairs = {
        m for node in nodes if (m := _member(node)) is not None and len(m[1]) == 2 and set(m[1]) & letters
    }
    rows = {(name, carried[0]) for name, carried in pairs}
    columns = {(name, carried[1]) for name, carried in pairs}
    both = {name for name, letter in rows & columns if letter in letters}
    return {each for each in pairs if each[0] in both}


def with_families(chain: tree.Chain, known: frozenset[Member]) -> tree.Chain:
    """Write the letters of a family into its name: `\\delta_j` as an entry of a name of its own."""
    if not known:
        return chain

    def named(node: tree.Node) -> tree.Node:
        member = _member(node)
        if member is None or member not in known or not isinstance(node, tree.Script):
            return node
        base = node.base.body if isinstance(node.base, tree.Accent) else node.base
        if not isinstance(base, tree.Name):
            return node
        base = replace(base, text=f"{base.text}_{{({''.join(member[1])})}}")
        accented = replace(node.base, body=base) if isinstance(node.base, tree.Accent) else base
        return replace(node, base=accented)

    members = tuple(None if member is None else names.rebuilt(member, named) for member in chain.members)
    return replace(chain, members=members)


def _member(node: tree.Node | None, *, labelled: bool = False) -> Member | None:
    """Return the name and the letters of `\\delta_j` or `w_{ji}`; None for anything else."""
    if not isinstance(node, tree.Script) or node.primes or not isinstance(node.base, tree.Name | tree.Accent):
        return None
    if node.sup is not None and not labelled:
        return None
    key, items = names.key(node.base), names.items(node.sub)
    if key is None or not 1 <= len(items) <= 2 or not all(map(names.is_index_letter, items)):
        return None
    return key, tuple(item.text for item in items if isinstance(item, tree.Name))

"""Parameters of functions on pages that have the same letter with a label for their data.

Beside `h(x^{(i)})` the x of `h(x) = \\theta^\\top x` stands for any argument, and `x^{(i)}` is one of many.
The parameter is a name of its own where the page has x with a label everywhere else, and does not declare it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from symderiv.latex import tree
from symderiv.meaning import names


def labelled(found: Iterable[tree.Chain]) -> frozenset[str]:
    """Return the names that a page has with a label in brackets, and without one as parameters only."""
    having: set[str] = set()
    bare: set[str] = set()
    for chain in found:
        if [operator.text for operator in chain.operators][-1:] == ["in"]:
            bare |= {each.text for each in chain.members[:-1] if isinstance(each, tree.Name)}
        own = _own(chain)
        for each in (each for member in chain.members if member is not None for each in names.walk(member)):
            if isinstance(each, tree.Script) and isinstance(each.base, tree.Name) and _index(each.sup):
                having.add(each.base.text)
        bare |= {name for member in chain.members if member is not None for name in _bare(member)} - own
    return frozenset(having - bare)


def _own(chain: tree.Chain) -> set[str]:
    """Return the parameters of a definition."""
    if [operator.text for operator in chain.operators][:1] not in (["="], [":="]):
        return set()
    return {each.text for each in _parameters(chain.members[0])}


def _bare(node: tree.Node) -> set[str]:
    """Return the names that stand in a node without a label."""
    if isinstance(node, tree.Name):
        return {node.text}
    if isinstance(node, tree.Script) and _index(node.sup):
        return set() if node.sub is None else _bare(node.sub)
    return set().union(*map(_bare, names.children(node)))


def with_parameters(chain: tree.Chain, having: frozenset[str]) -> tree.Chain:
    """Read the parameters of a definition as names of their own where the page has them with labels."""
    own = _own(chain) & having
    if not own:
        return chain

    def rename(each: tree.Node) -> tree.Node:
        return (
            replace(each, text=f"{each.text}'") if isinstance(each, tree.Name) and each.text in own else each
        )

    members = tuple(None if member is None else names.rebuilt(member, rename) for member in chain.members)
    return replace(chain, members=members)


def _index(sup: tree.Node | None) -> bool:
    """Tell whether a superscript is a letter in brackets."""
    inside = names.label(sup)
    return inside is not None and names.is_index_letter(inside)


def _parameters(node: tree.Node | None) -> list[tree.Name]:
    """Return the names in the brackets of `h(x)` and `h_\\theta(x)`."""
    if isinstance(node, tree.Call):
        arguments: tuple[tree.Node, ...] = node.arguments
    elif (
        isinstance(node, tree.Product) and len(node.factors) == 2 and isinstance(node.factors[1], tree.Group)
    ):
        inside = node.factors[1].body
        arguments = inside.items if isinstance(inside, tree.Sequence) else (inside,)
    else:
        return []
    return [each for each in arguments if isinstance(each, tree.Name)]

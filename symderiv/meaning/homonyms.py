r"""Homonyms: a capital that is a size and a quantity, the L of `L = \sum_{l=1}^L w_l^2`.

A letter is a *quantity* where it stands alone in a derivative, or is transposed; it is a *size* above a sum,
in the exponent of a set of numbers, and under the bar of a mean, `\frac{1}{C} \sum_{c=1}^C`. Where a page has
a letter as both, its sizes get a name of their own, `\#L`, the number of what L counts.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from itertools import pairwise

from symderiv.latex import tree
from symderiv.meaning import names


@dataclass(frozen=True, slots=True)
class Homonyms:
    """The capitals of a page that are both; `means` are those by which it takes means."""

    letters: frozenset[str]
    means: frozenset[str]


def homonyms(found: Iterable[tree.Chain]) -> Homonyms:
    """Return the capitals of a page that are both a size and a quantity."""
    sizes: set[str] = set()
    quantities: set[str] = set()
    means: set[str] = set()
    for chain in found:
        for member in chain.members:
            for node in names.walk(member) if member is not None else ():
                sizes |= _sizes(node)
                quantities |= _quantities(node)
                means |= _means(node)
    return Homonyms(frozenset(sizes & quantities), frozenset(sizes & quantities & means))


def with_counts(chain: tree.Chain, known: Homonyms) -> tree.Chain:
    """Write the sizes among some letters as names of their own."""

    def counted(node: tree.Node) -> tree.Node:
        match node:
            case tree.Big(upper=tree.Name(text=text)) if text in known.letters:
                return replace(node, upper=_count(node.upper))
            case tree.Script(base=tree.Name(font="blackboard")) if node.sup is not None:
                return replace(node, sup=names.rebuilt(node.sup, _counted))
            case tree.Fraction(numerator=tree.Number(), denominator=tree.Name(text=text)):
                return replace(node, denominator=_count(node.denominator)) if text in known.means else node
            case _:
                return node

    def _counted(node: tree.Node) -> tree.Node:
        return _count(node) if isinstance(node, tree.Name) and node.text in known.letters else node

    members = tuple(None if member is None else names.rebuilt(member, counted) for member in chain.members)
    return replace(chain, members=members)


def _means(node: tree.Node) -> set[str]:
    """Return the capitals of means, the C of `\\frac{1}{C} \\sum_{c=1}^C`."""
    factors = node.factors if isinstance(node, tree.Product) else ()
    found: set[str] = set()
    for factor, following in pairwise(factors):
        below = factor.denominator if isinstance(factor, tree.Fraction) else None
        if isinstance(below, tree.Name) and isinstance(following, tree.Big) and following.upper == below:
            found.add(below.text)
    return found


def _count(node: tree.Node | None) -> tree.Node:
    assert isinstance(node, tree.Name)
    return replace(node, text=f"\\#{node.text}")


def _sizes(node: tree.Node) -> set[str]:
    """Return the capitals that a node has as sizes."""
    if isinstance(node, tree.Big) and isinstance(node.upper, tree.Name):
        return {node.upper.text} if _is_capital(node.upper) else set()
    if isinstance(node, tree.Script) and isinstance(node.base, tree.Name) and node.base.font == "blackboard":
        inside = names.walk(node.sup) if node.sup is not None else ()
        return {each.text for each in inside if isinstance(each, tree.Name) and _is_capital(each)}
    return set()


def _quantities(node: tree.Node) -> set[str]:
    """Return the capitals that a node has as quantities."""
    if isinstance(node, tree.Derivative):
        both = (node.of, *node.by)
        return {each.text for each in both if isinstance(each, tree.Name) and _is_capital(each)}
    if isinstance(node, tree.Script) and names.is_transpose(node.sup) and node.sub is None:
        return {node.base.text} if isinstance(node.base, tree.Name) and _is_capital(node.base) else set()
    return set()


def _is_capital(node: tree.Name) -> bool:
    return len(node.text) == 1 and node.text.isupper() and node.font == ""

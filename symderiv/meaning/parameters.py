"""Parameters of functions on pages that have the same letter with a label or an index for their data.

Beside `h(x^{(i)})` the x of `h(x) = \\theta^\\top x` stands for any argument, and `x^{(i)}` is one of many.
The parameter is a name of its own where the page has x with a label everywhere else, and does not declare it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from symderiv.latex import to_latex, tree
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


def sampled(found: Iterable[tree.Chain]) -> frozenset[str]:
    """Return the parameters at which a page applies their function to one of many, the x of `f(x_i)`.

    It has them without an index in definitions of functions only, and none of these has an entry of them.
    """
    those = list(found)
    taken: set[str] = set()
    others: set[str] = set()
    functions: dict[str, list[str]] = {}
    for chain in those:
        own = _own(chain)
        members = [member for member in chain.members if member is not None]
        if own:
            key = _function(members[0])
            functions[key or ""] = [
                each.text if isinstance(each, tree.Name) else "" for each in _arguments(members[0])
            ]
            inside = [each for member in members for each in names.walk(member)]
            below = {each.base for each in inside if isinstance(each, tree.Script) and each.sub is not None}
            others |= own & {each.text for each in below if isinstance(each, tree.Name)}
        others |= {name for member in members for name in _unindexed(member)} - own
    for chain in those if functions else ():
        for each in (each for member in chain.members if member is not None for each in names.walk(member)):
            if isinstance(each, tree.Product):
                for at in range(len(each.factors) - 1):
                    pair = replace(each, factors=each.factors[at : at + 2], operators=("",))
                    taken |= _taken(pair, functions)
            elif isinstance(each, tree.Call):
                taken |= _taken(each, functions)
    return frozenset(taken - others)


def _taken(node: tree.Product | tree.Call, functions: Mapping[str, list[str]]) -> set[str]:
    """Return the parameters in the place of which a function has one of many with their letter."""
    own = functions.get(_function(node) or "", [])
    pairs = zip(own, _arguments(node), strict=False)
    return {
        letter
        for letter, each in pairs
        if isinstance(each, tree.Script)
        and isinstance(each.base, tree.Name)
        and each.base.text == letter
        and each.sup is None
        and names.is_index_letter(each.sub or each)
    }


def _function(node: tree.Node) -> str | None:
    """Return the function of `h(x)` and `h_\theta(x)` as LaTeX."""
    if isinstance(node, tree.Call):
        return to_latex(node.function)
    return to_latex(node.factors[0]) if isinstance(node, tree.Product) and _arguments(node) else None


def _unindexed(node: tree.Node) -> set[str]:
    """Return the names that stand in a node with nothing below them."""
    if isinstance(node, tree.Name):
        return {node.text}
    if isinstance(node, tree.Script) and isinstance(node.base, tree.Name) and node.sub is not None:
        return set().union(*(_unindexed(part) for part in (node.sub, node.sup) if part is not None))
    return set().union(*map(_unindexed, names.children(node)))


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


def numbered_parameters(chain: tree.Chain) -> set[str]:
    """Return the letters of the parameters that a definition counts, the x of `f(x_1, x_2) = x_1 x_2`."""
    if [operator.text for operator in chain.operators][:1] not in (["="], [":="]):
        return set()
    arguments = _arguments(chain.members[0])
    if not all(_counted(each) or isinstance(each, tree.Name) for each in arguments):
        return set()
    return {each for argument in arguments for each in _counted(argument)}


def not_counted(node: tree.Node) -> set[str]:
    """Return the letters that stand in a node without a number below them."""
    if _counted(node):
        return set()
    own = {node.text} if isinstance(node, tree.Name) else set()
    return own.union(*map(not_counted, names.children(node)))


def _counted(node: tree.Node) -> set[str]:
    """Return the letter of `x_1`, raised to a power or not."""
    numbered = isinstance(node, tree.Script) and isinstance(node.sub, tree.Number)
    base = node.base if numbered and isinstance(node, tree.Script) else None
    if not isinstance(base, tree.Name):
        return set()
    above = node.sup if isinstance(node, tree.Script) else None
    return {base.text} | (not_counted(above) if above is not None else set())


def gathered(arguments: tuple[tree.Node, ...]) -> tuple[tree.Node, ...]:
    """Return the vector of which all entries are the arguments, as in `f(x_1, \\dots, x_n)`."""
    at = [at for at, each in enumerate(arguments) if isinstance(each, tree.Dots)]
    shown = [each for each in arguments if isinstance(each, tree.Script) and each.sup is None]
    if at != [len(arguments) - 2] or len(shown) != len(arguments) - 1 or at == [0]:
        return arguments
    *front, last = shown
    counted = [each.sub.text if isinstance(each.sub, tree.Number) else "" for each in front]
    same = {names.key(each.base) for each in shown}
    if counted != [str(number + 1) for number in range(len(front))] or len(same) > 1 or None in same:
        return arguments
    return (front[0].base,) if isinstance(last.sub, tree.Name) else arguments


def squared(node: tree.Node) -> tree.Node | None:
    """Return the name of which a node is the square, the \\sigma of `\\sigma^2`, or None."""
    named = isinstance(node, tree.Script) and isinstance(node.base, tree.Name | tree.Accent)
    if not named or not isinstance(node, tree.Script) or node.sub is not None or node.primes:
        return None
    return node.base if isinstance(node.sup, tree.Number) and node.sup.text == "2" else None


def roots(arguments: tuple[tree.Node, ...], squares: frozenset[int]) -> tuple[tree.Node, ...] | None:
    """Return arguments, the roots of those at the places of squares; None where one is no square."""
    found = tuple(squared(each) if at in squares else each for at, each in enumerate(arguments))
    return None if None in found else tuple(each for each in found if each is not None)


def _index(sup: tree.Node | None) -> bool:
    """Tell whether a superscript is a letter in brackets."""
    inside = names.label(sup)
    return inside is not None and names.is_index_letter(inside)


def _parameters(node: tree.Node | None) -> list[tree.Name]:
    """Return the names in the brackets of `h(x)` and `h_\\theta(x)`."""
    return [each for each in _arguments(node) if isinstance(each, tree.Name)]


def _arguments(node: tree.Node | None) -> tuple[tree.Node, ...]:
    """Return what stands in the brackets of `h(x)` and `h_\\theta(x)`."""
    if isinstance(node, tree.Call):
        return node.arguments
    if isinstance(node, tree.Product) and len(node.factors) == 2 and isinstance(node.factors[1], tree.Group):
        inside = node.factors[1].body
        return inside.items if isinstance(inside, tree.Sequence) else (inside,)
    return ()

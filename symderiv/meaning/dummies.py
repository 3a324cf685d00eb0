"""Variables of functions of a number, on pages that have a vector of the same letter.

`f(z) = 1 / (1 + e^{-z})` and `f'(z) = f(z) (1 - f(z))` are about numbers, also where the page goes on with
`z_i = w^\\top x_i`. Vocabulary: an equation is *about a function* where its left side is one of a letter
alone, its derivative, or a derivative by that letter; it is one *of a number* where nothing in it is of
several entries. The letter of such an equation is read as a name of its own, with a mark that is not shown.
A function that is told at an entry only, `p_i = f(z_i) = 1 / (1 + e^{-z_i})`, is one of a number too, where
nothing else in it has that index.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from symderiv.latex import tree
from symderiv.meaning import names
from symderiv.meaning.places import Place, chains
from symderiv.meaning.vocabulary import ELEMENTARY

_MARK = "~0"
_GREATEST = frozenset({"\\max", "max", "\\min", "min"})
_NUMERIC = (
    tree.Additive, tree.Fraction, tree.Root, tree.Number, tree.Group, tree.Cases, tree.Case, tree.Relation,
    tree.Sequence, tree.Derivative, tree.Product, tree.Call, tree.Script, tree.Name, tree.Accent,
)  # fmt: skip


def apart(places: list[Place]) -> None:
    """Give the variable of each function of a number a name of its own where its letter is a vector too."""
    found = [chain for place in places for chain in chains(place.display)]
    several = _several(found)
    known = {call[0] for chain in found if chain.operators and (call := _defined(chain)) is not None}
    for place in places if several else ():
        if place.display is not None:
            items: list[tree.Chain | tree.Words | tree.Connective] = []
            for item in place.display.items:
                if isinstance(item, tree.Chain):
                    items += (_renamed(each, several) for each in _parted(item, known, several))
                else:
                    items.append(item)
            place.display = replace(place.display, items=tuple(items))


def _defined(chain: tree.Chain) -> tuple[str, str] | None:
    """Return the function and the letter where an equation tells what a function is, not its derivative."""
    first = chain.members[0]
    primed = (
        any(isinstance(each, tree.Script) and each.primes for each in names.walk(first)) if first else True
    )
    return None if first is None or primed else _of(first)


def _parted(chain: tree.Chain, known: set[str], several: set[str]) -> Iterator[tree.Chain]:
    """Part `p_i = f(z_i) = \\dots` where nothing else tells what f is: what it is of p, and what f is."""
    for at, node in enumerate(chain.members[:2]):
        told = None if node is None else _at_entry(node)
        rest = chain.members[at + 1 :]
        if told is None or node is None or told[0] in known or not rest:
            continue
        if {each.text for each in chain.operators} - {"=", ":="} or not all(rest):
            continue
        letter, entry = f"{told[1].base.text}{_MARK}", told[1]  # type: ignore[attr-defined]
        indices = {each.text for each in names.items(entry.sub) if isinstance(each, tree.Name)}

        def marked(node: tree.Node, entry: tree.Script = entry, letter: str = letter) -> tree.Node:
            return tree.Name(letter, span=node.span) if node == entry else node

        body = [names.rebuilt(each, marked) for each in (node, *rest) if each is not None]
        inside = {each.text for part in body for each in names.walk(part) if isinstance(each, tree.Name)}
        alone = letter in inside and not inside & (indices | {letter.removesuffix(_MARK)})
        if not alone or not all(_is_of_numbers(part, letter, several) for part in body[1:]):
            continue
        known.add(told[0])
        if at:
            yield tree.Chain(chain.members[: at + 1], chain.operators[:at], span=chain.span)
        yield tree.Chain(tuple(body), chain.operators[at:], span=node.span.to(chain.span))
        return
    yield chain


def _at_entry(node: tree.Node) -> tuple[str, tree.Script] | None:
    """Return the function and the entry of `f(z_i)`, or None."""
    if not isinstance(node, tree.Product) or len(node.factors) != 2 or node.operators != ("",):
        return None
    function, group = node.factors
    entry = group.body if isinstance(group, tree.Group) and group.left == "(" else None
    if not isinstance(function, tree.Name) or not isinstance(entry, tree.Script):
        return None
    items = names.items(entry.sub)
    plain = isinstance(entry.base, tree.Name) and entry.sup is None and not entry.primes and items
    return (function.text, entry) if plain and all(map(names.is_index_letter, items)) else None


def _several(found: Iterable[tree.Chain]) -> set[str]:
    """Return the names that have entries, or are transposed, somewhere on the page."""
    return {
        key
        for chain in found
        for member in chain.members
        for node in (() if member is None else names.walk(member))
        if isinstance(node, tree.Script) and (key := names.key(node.base)) not in (None, "e")
        if names.is_transpose(node.sup) or any(map(names.is_index_letter, names.items(node.sub)))
    }


def _renamed(chain: tree.Chain, several: set[str]) -> tree.Chain:
    first = chain.members[0]
    if first is None or not chain.operators or {each.text for each in chain.operators} - {"=", ":="}:
        return chain
    letter = _variable(first, chain)
    if letter is None or letter not in several:
        return chain
    if not all(member is not None and _is_of_numbers(member, letter, several) for member in chain.members):
        return chain

    def marked(node: tree.Node) -> tree.Node:
        plain = isinstance(node, tree.Name) and node.text == letter
        return replace(node, text=f"{letter}{_MARK}") if plain else node  # type: ignore[call-arg]

    return replace(chain, members=tuple(m and names.rebuilt(m, marked) for m in chain.members))


def _variable(node: tree.Node, chain: tree.Chain) -> str | None:
    """Return the letter of which a left side is a function: `f(z)`, `f'(z)`, `\\frac{d}{dz} f(z)`.

    So is `\\frac{df}{dz}` where the equation goes on with `f(z)`, and `\\frac{d}{dz} z^2`.
    """
    if isinstance(node, tree.Derivative) and len({names.key(each) for each in node.by}) == 1:
        letter = names.key(node.by[0])
        inside = None if node.of is None else names.plain(node.of)
        parts = [each for member in chain.members if member is not None for each in names.walk(member)]
        if isinstance(inside, tree.Name):
            calls = (part for part in parts if _of(part) == (inside.text, letter))
            return letter if next(calls, None) is not None else None
        inner = set() if inside is None else {names.key(each) for each in names.walk(inside)}
        return letter if letter in inner else None
    found = _of(node)
    return None if found is None else found[1]


def _of(node: tree.Node) -> tuple[str, str] | None:
    """Return the function and the letter of `f(z)`, `f'(z)`, or None."""
    if isinstance(node, tree.Call) and len(node.arguments) == 1:
        function, argument = node.function, node.arguments[0]
    elif isinstance(node, tree.Product) and len(node.factors) == 2 and node.operators == ("",):
        function, group = node.factors
        if not isinstance(group, tree.Group) or group.left != "(":
            return None
        argument = group.body
    else:
        return None
    base = function.base if isinstance(function, tree.Script) else function
    if not isinstance(base, tree.Name) or not isinstance(argument, tree.Name):
        return None
    return base.text, argument.text


def _is_of_numbers(node: tree.Node, letter: str, several: set[str]) -> bool:
    """Tell whether nothing in an expression is of several entries, but for the letter itself."""
    if not isinstance(node, _NUMERIC):
        return False
    if isinstance(node, tree.Script):
        below = node.sub is not None and not isinstance(node.sub, tree.Words)
        if names.is_transpose(node.sup) or (below and any(map(names.is_index_letter, names.items(node.sub)))):
            return False
    if isinstance(node, tree.Call):
        base = node.function.base if isinstance(node.function, tree.Script) else node.function
        if not isinstance(base, tree.Name) or base.text not in ELEMENTARY.keys() | _GREATEST:
            return False
        return all(_is_of_numbers(each, letter, several) for each in node.arguments)
    if isinstance(node, tree.Product) and {"odot", "otimes", "circ"} & set(node.operators):
        return False
    key = names.key(node)
    if key is not None and key != letter and (key in several or key.isupper()):
        return False
    return all(_is_of_numbers(each, letter, several) for each in names.children(node))

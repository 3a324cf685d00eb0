r"""Probabilities under a condition, `P(t_c | z)`, `p_\theta(x \mid y)`, `P(t = 1)`: each is a name by itself.

What the bar parts, and what is equal before it, belongs to the name; the letters of indices inside are its
indices: `p(x_i | \mu)` is the entry i of one vector, and `P(t_c | z)` another name than `P(t | z)`. An
equation may define it; otherwise nothing is known of it but that it may depend on every name inside.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

from symderiv.latex import to_latex, tree
from symderiv.meaning import names

MAY_STAND = re.compile(r"\\mid\b|\||(?:[PpQq]|\\Pr|mathbb\{P\})\s*(?:\\left)?\s*[(\[][^()]{1,30}=")
"""What a page has somewhere that has probabilities: all others need no look at their formulas."""
_UNDER = "|"
_PROBABILITIES = frozenset({"P", "p", "q", "Q", "Pr", "\\Pr", "\\mathbb{P}"})
_CLASSES = frozenset("cijklmn")
"""Letters that run over classes where a variable is said to equal them: `P(y = k | x)`."""


def is_conditional(key: str) -> bool:
    """Tell whether a key is that of a probability."""
    return key.endswith(")") and ("\\mid" in key or "=" in key)


def is_positive(key: str) -> bool:
    """Tell whether a key is that of a probability by its letter; where it is 0 it has no logarithm."""
    letter = key.partition("(")[0].partition("_")[0]
    return letter in _PROBABILITIES | {"\\pi"}


def with_conditionals(chain: tree.Chain, inside: dict[str, set[str]]) -> tree.Chain:
    """Read each probability as a name; enter in `inside` the keys of the names that stand in it."""

    def named(node: tree.Node) -> tree.Node:
        if isinstance(node, tree.Call) and len(node.arguments) == 1:
            return (
                _named(node.function, tree.Group(node.arguments[0], "(", ")", span=node.span), inside) or node
            )
        return _paired(node, inside) if isinstance(node, tree.Product) else node

    members = tuple(None if member is None else names.rebuilt(member, named) for member in chain.members)
    return replace(chain, members=members)


def with_logarithms(chains: list[tree.Chain]) -> dict[str, str]:
    """Return the probabilities that stand under a logarithm only, and at the head of an equation.

    Such an equation, `\\log p(x | \\mu) = -(x - \\mu)^2`, defines the logarithm.
    """
    found: dict[str, str] = {}
    for chain in chains:
        first = chain.members[0]
        if isinstance(first, tree.Call) and len(chain.members) > 1 and _logarithm(first) is not None:
            found[_logarithm(first) or ""] = to_latex(first.function)
    bare = set()
    for member in (member for chain in chains for member in chain.members if member is not None):
        bare |= set(_bare(member))
    return {key: function for key, function in found.items() if key not in bare}


def _logarithm(node: tree.Call) -> str | None:
    """Return the key of the probability of which a node is the logarithm, or None."""
    argument = names.plain(node.arguments[0]) if len(node.arguments) == 1 else None
    name = argument.base if isinstance(argument, tree.Script) and argument.sup is None else argument
    function = node.function.text if isinstance(node.function, tree.Name) else ""
    if function not in ("\\log", "\\ln", "log", "ln") or not isinstance(name, tree.Name):
        return None
    return name.text if is_conditional(name.text) else None


def _bare(node: tree.Node) -> Iterator[str]:
    if isinstance(node, tree.Call) and _logarithm(node) is not None:
        return
    if isinstance(node, tree.Name) and is_conditional(node.text):
        yield node.text
    for child in names.children(node):
        yield from _bare(child)


def with_names_of_logarithms(
    chain: tree.Chain, logarithms: dict[str, str], inside: dict[str, set[str]]
) -> tree.Chain:
    """Read `\\log p(x | \\mu)` as a name of its own."""

    def named(node: tree.Node) -> tree.Node:
        key = _logarithm(node) if isinstance(node, tree.Call) else None
        if key is None or key not in logarithms or not isinstance(node, tree.Call):
            return node
        text = f"{logarithms[key]} {key}"
        inside[text] = inside.get(key, set())
        name = tree.Name(text, span=node.span)
        argument = names.plain(node.arguments[0])
        return replace(argument, base=name, span=node.span) if isinstance(argument, tree.Script) else name

    members = tuple(None if member is None else names.rebuilt(member, named) for member in chain.members)
    return replace(chain, members=members)


def _paired(node: tree.Product, inside: dict[str, set[str]]) -> tree.Node:
    factors: list[tree.Node] = []
    operators: list[str] = []
    at = 0
    while at < len(node.factors):
        factor = node.factors[at]
        operators += node.operators[at - 1 : at] if at else ()
        if at + 1 < len(node.factors) and node.operators[at] == "":
            found = _named(factor, node.factors[at + 1], inside)
            factor, at = (found, at + 1) if found is not None else (factor, at)
        factors.append(factor)
        at += 1
    if len(factors) == len(node.factors):
        return node
    if len(factors) == 1:
        return factors[0]
    return replace(node, factors=tuple(factors), operators=tuple(operators))


def _named(function: tree.Node, following: tree.Node, inside: dict[str, set[str]]) -> tree.Node | None:
    """Return the name of a probability, with its indices below it and its exponent above, or None."""
    outer = following if isinstance(following, tree.Script) and following.sub is None else None
    group = outer.base if outer is not None else following
    letter = function.base if isinstance(function, tree.Script) else function
    if (
        not isinstance(group, tree.Group)
        or group.left not in "(["
        or not isinstance(group.body, tree.Relation)
    ):
        return None
    if not isinstance(letter, tree.Name) or letter.text in ("1", "I", "\\mathbb{1}", "\\delta"):
        return None
    if group.left not in "([" or (isinstance(function, tree.Script) and (function.sup or function.primes)):
        return None
    equated = set(group.body.operators) == {"="} and names.key(letter) in _PROBABILITIES
    if group.body.operators != (_UNDER,) and not equated:
        return None
    indices: list[tree.Node] = []
    body = names.rebuilt(group.body, lambda node: _opened(node, indices))
    head = to_latex(names.rebuilt(function, lambda node: _opened(node, indices)))
    text = f"{head}({to_latex(body)})"
    found = inside.setdefault(text, set())
    found |= {key for each in names.walk(group.body) if (key := names.key(each)) is not None}
    if isinstance(function, tree.Script) and function.sub is not None:
        found |= {key for each in names.walk(function.sub) if (key := names.key(each)) is not None}
    span = function.span.to(following.span)
    name = tree.Name(text, span=span)
    sub = indices[0] if len(indices) == 1 else tree.Sequence(tuple(indices), span=span)
    sup = outer.sup if outer is not None else None
    return tree.Script(name, sub if indices else None, sup, span=span) if indices or sup is not None else name


_OPEN = tree.Name("\\cdot")


def _opened(node: tree.Node, indices: list[tree.Node]) -> tree.Node:
    """Take the index letters out of a subscript or a label, and put a dot in their place."""
    if isinstance(node, tree.Relation) and node.operators == ("=",):
        letter = node.members[1]
        if isinstance(letter, tree.Name) and letter.text in _CLASSES:
            indices += [letter] if letter not in indices else []
            return replace(node, members=(node.members[0], _OPEN))
    if not isinstance(node, tree.Script):
        return node
    label = names.label(node.sup)
    if label is not None and names.is_index_letter(label):
        indices += [label] if label not in indices else []
        assert isinstance(node.sup, tree.Group)
        node = replace(node, sup=replace(node.sup, body=_OPEN))
    items = []
    for item in names.items(node.sub):
        letters = [each for each in names.walk(item) if isinstance(each, tree.Name)]
        opens = bool(letters) and all(names.is_index_letter(n) and len(n.text) == 1 for n in letters)
        indices += [item] if opens and item not in indices else []
        items.append(_OPEN if opens else item)
    if not items:
        return node
    return replace(node, sub=items[0] if len(items) == 1 else tree.Sequence(tuple(items), span=node.span))

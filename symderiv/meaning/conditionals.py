r"""Probabilities under a condition, `P(t_c | z)`, `p_\theta(x \mid y)`, `P(t = 1)`: each is a name by itself.

What the bar parts, and what is equal before it, belongs to the name; the letters of indices inside are its
indices: `p(x_i | \mu)` is the entry i of one vector, and `P(t_c | z)` another name than `P(t | z)`. An
equation may define it; otherwise nothing is known of it but that it may depend on every name inside.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import pairwise

from symderiv.latex import to_latex, tree
from symderiv.meaning import names

MAY_STAND = re.compile(r"\\mid\b|\||(?:[PpQq]|\\Pr|mathbb\{P\})\s*(?:\\left)?\s*[(\[][^()]{1,30}=")
"""What a page has somewhere that has probabilities: all others need no look at their formulas."""
OF_CHANCE = re.compile(r"probab|likelihood|densit|posterior|bayes|distribut|random|entropy", re.IGNORECASE)
"""What a page about chance says: there, `p(x)` and `p(x, z)` are two functions."""
_UNDER = "|"
_PROBABILITIES = frozenset({"P", "p", "q", "Q", "Pr", "\\Pr", "\\mathbb{P}"})
_CLASSES = frozenset("cijklmn")
"""Letters that run over classes where a variable is said to equal them: `P(y = k | x)`."""


def is_conditional(key: str) -> bool:
    """Tell whether a key is that of a probability."""
    return key.endswith(")")


def is_positive(key: str) -> bool:
    """Tell whether a key is that of a probability by its letter; where it is 0 it has no logarithm."""
    letter = key.partition("(")[0].partition("_")[0]
    return letter in _PROBABILITIES | {"\\pi"}


def index_letters(chains: list[tree.Chain]) -> frozenset[str]:
    """Return the letters that are indices inside a probability, too: `P(w | c)` beside `u_w`.

    They are bound by sums, `\\sum_z p(x | z)`, or stand in subscripts and never alone.
    """
    bound: set[str] = set()
    scripted: set[str] = set()
    alone: set[str] = set()
    waiting = [member for chain in chains for member in chain.members if member is not None]
    while waiting:
        node = waiting.pop()
        if isinstance(node, tree.Big):
            bound |= {each for each in names.bound_letters(node.lower) if len(each) == 1}
            waiting += [node.body]
        elif isinstance(node, tree.Script):
            label = names.label(node.sup) is not None
            below = [part for part in (node.sub, node.sup if label else None) if part is not None]
            inner = [n.text for part in below for n in names.walk(part) if isinstance(n, tree.Name)]
            scripted |= set(inner)
            waiting += [node.base, *([node.sup] if node.sup is not None and not label else [])]
        elif isinstance(node, tree.Group) and isinstance(node.body, tree.Relation):
            continue
        else:
            alone |= {node.text} if isinstance(node, tree.Name) else set()
            waiting += names.children(node)
    return frozenset(each for each in bound | (scripted - alone) if len(each) == 1 and each.islower())


def spread(chains: list[tree.Chain]) -> frozenset[str]:
    """Return the letters that stand for several distributions, `p(x)` beside `p(x, z)` or `p(z | x)`.

    One that is applied at indices of one variable only, `p(x)` and `p(x_i)`, is a function.
    """
    found: dict[str, set[tuple[str, ...]]] = {}
    for node in (n for chain in chains for m in chain.members if m is not None for n in names.walk(m)):
        for function, following in pairwise(node.factors) if isinstance(node, tree.Product) else ():
            letter = function.base if isinstance(function, tree.Script) else function
            group = following.base if isinstance(following, tree.Script) else following
            key = names.key(letter)
            if key in _PROBABILITIES and isinstance(group, tree.Group) and key is not None:
                found.setdefault(key, set()).add(_pattern(group.body))
    return frozenset(key for key, patterns in found.items() if len(patterns) > 1 and () not in patterns)


def _pattern(node: tree.Node) -> tuple[str, ...]:
    """Return the letters of variables in a bracket, with its bar; none where it holds anything else."""
    if isinstance(node, tree.Relation):
        return ("|", *(letter for member in node.members for letter in _pattern(member)))
    items = node.items if isinstance(node, tree.Sequence) else (node,)
    plain = [item.base if isinstance(item, tree.Script) else item for item in items]
    if not all(isinstance(each, tree.Name | tree.Accent) for each in plain):
        return ()
    return tuple(names.key(each) or "" for each in plain)


def with_conditionals(
    chain: tree.Chain,
    inside: dict[str, set[str]],
    letters: frozenset[str] = frozenset(),
    several: frozenset[str] = frozenset(),
) -> tree.Chain:
    """Read each probability as a name; enter in `inside` the keys of the names that stand in it."""
    reading = _Reading(inside, letters, several)

    def named(node: tree.Node) -> tree.Node:
        if isinstance(node, tree.Call) and len(node.arguments) == 1:
            group = tree.Group(node.arguments[0], "(", ")", span=node.span)
            return _named(node.function, group, reading) or _ended(node)
        return _paired(node, reading) if isinstance(node, tree.Product) else node

    members = tuple(None if member is None else names.rebuilt(member, named) for member in chain.members)
    return replace(chain, members=members)


def _ended(node: tree.Call) -> tree.Node:
    """Read `\\log p(a | s)\\, Q` as the logarithm, times Q; before another probability it is of both."""
    argument = node.arguments[0]
    if not isinstance(argument, tree.Product) or node.span.end > argument.span.end:
        return node
    first, second = argument.factors[:2]
    text = first.text if isinstance(first, tree.Name) else ""
    letter = names.key(second.base if isinstance(second, tree.Script) else second) or ""
    if not is_conditional(text) or is_positive(letter) or argument.operators[0] in ("/", "div"):
        return node
    if not isinstance(node.function, tree.Name) or node.function.text not in ("\\log", "\\ln", "log", "ln"):
        return node
    call = replace(node, arguments=(first,), span=node.span.to(first.span))
    return replace(argument, factors=(call, *argument.factors[1:]), span=node.span)


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


@dataclass(frozen=True, slots=True)
class _Reading:
    inside: dict[str, set[str]]
    letters: frozenset[str]
    several: frozenset[str]


def _paired(node: tree.Product, reading: _Reading) -> tree.Node:
    factors: list[tree.Node] = []
    operators: list[str] = []
    at = 0
    while at < len(node.factors):
        factor = node.factors[at]
        operators += node.operators[at - 1 : at] if at else ()
        if at + 1 < len(node.factors) and node.operators[at] == "":
            found = _named(factor, node.factors[at + 1], reading)
            factor, at = (found, at + 1) if found is not None else (factor, at)
        factors.append(factor)
        at += 1
    if len(factors) == len(node.factors):
        return node
    if len(factors) == 1:
        return factors[0]
    return replace(node, factors=tuple(factors), operators=tuple(operators))


def _named(function: tree.Node, following: tree.Node, reading: _Reading) -> tree.Node | None:
    """Return the name of a probability, with its indices below it and its exponent above, or None."""
    outer = following if isinstance(following, tree.Script) and following.sub is None else None
    group = outer.base if outer is not None else following
    letter = function.base if isinstance(function, tree.Script) else function
    if not isinstance(group, tree.Group) or group.left not in "([":
        return None
    if not isinstance(letter, tree.Name) or letter.text in ("1", "I", "\\mathbb{1}", "\\delta"):
        return None
    if isinstance(function, tree.Script) and (function.sup or function.primes):
        return None
    signs = group.body.operators if isinstance(group.body, tree.Relation) else ()
    equated = set(signs) == {"="} and names.key(letter) in _PROBABILITIES
    joint = not signs and names.key(letter) in reading.several
    if signs != (_UNDER,) and not equated and not joint:
        return None
    indices: list[tree.Node] = []
    whole = _values(group.body, reading.letters, indices)
    body = names.rebuilt(whole, lambda node: _opened(node, indices))
    head = to_latex(names.rebuilt(function, lambda node: _opened(node, indices)))
    text = f"{head}({to_latex(body)})"
    found = reading.inside.setdefault(text, set())
    found |= {key for each in names.walk(group.body) if (key := names.key(each)) is not None}
    if isinstance(function, tree.Script) and function.sub is not None:
        found |= {key for each in names.walk(function.sub) if (key := names.key(each)) is not None}
    span = function.span.to(following.span)
    name = tree.Name(text, span=span)
    sub = indices[0] if len(indices) == 1 else tree.Sequence(tuple(indices), span=span)
    sup = outer.sup if outer is not None else None
    return tree.Script(name, sub if indices else None, sup, span=span) if indices or sup is not None else name


_OPEN = tree.Name("\\cdot")


def _values(node: tree.Node, letters: frozenset[str], indices: list[tree.Node]) -> tree.Node:
    """Take out the letters of indices that stand as values: the w and the c of `P(w | c)`."""
    if isinstance(node, tree.Name) and not node.font and node.text in letters:
        indices += [node] if node not in indices else []
        return _OPEN
    if isinstance(node, tree.Sequence):
        return replace(node, items=tuple(_values(item, letters, indices) for item in node.items))
    if isinstance(node, tree.Relation) and node.operators == (_UNDER,):
        return replace(node, members=tuple(_values(item, letters, indices) for item in node.members))
    return node


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

"""Names and indices in the syntax tree: what a node is called, and which letters it binds or leaves free.

Vocabulary: the *key* of a name is its LaTeX without font (`\\hat{y}`, `W^{(2)}`, `x_{new}`); an *item*
is one index of a subscript. Nothing here decides what a name means.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields, replace

from symderiv.latex import tree

_DISTINCT_FONTS = frozenset({"blackboard", "calligraphic", "fraktur"})
TRANSPOSES = frozenset({"T", "\\top", "\\intercal", "Tr", "t", "\\prime"})


def children(node: tree.Node) -> Iterator[tree.Node]:
    """Yield the nodes directly below a node, in the order of writing."""
    for each in fields(node):
        value = getattr(node, each.name)
        yield from _nodes(value)


def _nodes(value: object) -> Iterator[tree.Node]:
    if isinstance(value, tree.Node):
        yield value
    elif isinstance(value, tuple):
        for item in value:
            yield from _nodes(item)


def walk(node: tree.Node) -> Iterator[tree.Node]:
    """Yield a node and all that is below it."""
    yield node
    for child in children(node):
        yield from walk(child)


def key(node: tree.Node, *, fonts: frozenset[str] = frozenset()) -> str | None:
    """Return the key of a Name or Accent; None for anything else. `fonts` lists keys whose bold is another name."""
    if isinstance(node, tree.Name):
        if node.font in _DISTINCT_FONTS:
            return f"\\{_FONT[node.font]}{{{node.text}}}"
        if node.font == "bold" and node.text in fonts:
            return f"\\mathbf{{{node.text}}}"
        return node.text
    if isinstance(node, tree.Accent):
        inner = key(node.body, fonts=fonts)
        if inner is None and isinstance(node.body, tree.Script):
            return None
        return None if inner is None else f"\\{node.mark}{{{inner}}}"
    return None


_FONT = {"blackboard": "mathbb", "calligraphic": "mathcal", "fraktur": "mathfrak"}


def items(sub: tree.Node | None) -> tuple[tree.Node, ...]:
    """Return the index items of a subscript: `ij`, `i,j`, `i j` and `12` give two each."""
    if sub is None:
        return ()
    if isinstance(sub, tree.Sequence):
        return tuple(item for each in sub.items for item in items(each))
    if isinstance(sub, tree.Product) and all(operator == "" for operator in sub.operators):
        return tuple(item for each in sub.factors for item in items(each))
    return (sub,)


def is_letter(node: tree.Node) -> bool:
    """Tell whether a node is a single italic letter, Latin or Greek."""
    return isinstance(node, tree.Name) and node.font == "" and (len(node.text) == 1 or node.text.startswith("\\"))


def is_index_letter(node: tree.Node) -> bool:
    """Tell whether a node is a single lower-case Latin letter, or `\\ell`."""
    return (
        isinstance(node, tree.Name)
        and node.font == ""
        and ((len(node.text) == 1 and node.text.isascii() and node.text.islower()) or node.text == "\\ell")
    )


def plain(node: tree.Node) -> tree.Node:
    """Return the body of round or square brackets around a node."""
    while isinstance(node, tree.Group):
        node = node.body
    return node


def label(sup: tree.Node | None) -> tree.Node | None:
    """Return what a bracketed superscript holds: the `2` of `W^{(2)}`, the `l` of `W^{[l]}`."""
    if isinstance(sup, tree.Group) and isinstance(sup.body, tree.Name | tree.Number):
        return sup.body
    return None


def is_transpose(sup: tree.Node | None) -> bool:
    """Tell whether a superscript is a transpose sign."""
    return isinstance(sup, tree.Name) and sup.text in TRANSPOSES


def bound_letters(lower: tree.Node | None) -> tuple[str, ...]:
    """Return the letters that a big operator binds, from what stands below it."""
    if lower is None:
        return ()
    if isinstance(lower, tree.Sequence):
        return tuple(letter for item in lower.items for letter in bound_letters(item))
    if isinstance(lower, tree.Relation):
        return bound_letters(lower.members[0]) if lower.operators[0] != "<" or len(lower.members) == 2 else (
            bound_letters(lower.members[1]))
    if isinstance(lower, tree.Product):
        return tuple(letter for item in lower.factors for letter in bound_letters(item))
    if isinstance(lower, tree.Name):
        return (lower.text,)
    return ()


def free_letters(node: tree.Node, among: frozenset[str] | set[str], bound: frozenset[str] = frozenset()) -> set[str]:
    """Return the letters of `among` that occur in a node outside every sum that binds them."""
    if isinstance(node, tree.Name):
        return {node.text} & set(among) - bound
    if isinstance(node, tree.Big):
        inner = bound | set(bound_letters(node.lower))
        parts = [part for part in (node.body, node.lower, node.upper) if part is not None]
        return set().union(*(free_letters(part, among, frozenset(inner)) for part in parts))
    found: set[str] = set()
    for child in children(node):
        found |= free_letters(child, among, bound)
    return found


def reused(node: tree.Node, among: set[str]) -> Iterator[tuple[str, tree.Big]]:
    """Yield each letter that a sum binds and that is free in the same term, with the sum.

    A term reaches up to the next `+` or `-`; factors, numerators, denominators and operands belong to it.
    """
    if isinstance(node, tree.Additive):
        for _, term in node.terms:
            yield from reused(term, among)
        return
    sums = [each for each in _term_sums(node)]
    if sums:
        free = free_letters(node, among)
        for each in sums:
            for letter in bound_letters(each.lower):
                if letter in free:
                    yield letter, each
    else:
        for child in children(node):
            yield from reused(child, among)


def _term_sums(node: tree.Node) -> Iterator[tree.Big]:
    if isinstance(node, tree.Big) and node.operator in ("sum", "prod"):
        yield node
    for child in children(node):
        yield from _term_sums(child)


def renamed(node: tree.Node, old: str, new: str) -> tree.Node:
    """Return the tree with one name written as another."""
    if isinstance(node, tree.Name):
        return replace(node, text=new) if node.text == old else node
    changes = {each.name: _renamed(getattr(node, each.name), old, new) for each in fields(node) if each.name != "span"}
    return replace(node, **changes)  # type: ignore[arg-type]


def _renamed(value: object, old: str, new: str) -> object:
    if isinstance(value, tree.Node):
        return renamed(value, old, new)
    return tuple(_renamed(item, old, new) for item in value) if isinstance(value, tuple) else value

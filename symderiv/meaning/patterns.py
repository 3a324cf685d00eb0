"""Patterns of syntax trees: the form that two entries of a list with dots share, and heads of two letters.

Vocabulary: a *template* is a tree with a *hole* where the entries of a list count on.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from symderiv.latex import tree
from symderiv.meaning import names

HOLE = "\\hole"


def generalise(first: tree.Node, second: tree.Node) -> tree.Node | None:
    """Return the form of two entries that differ in `1` against `2` only, with a hole there, or None."""
    if first == second:
        return first
    if isinstance(first, tree.Number) and isinstance(second, tree.Number):
        return tree.Name(HOLE, span=first.span) if (first.text, second.text) == ("1", "2") else None
    return _zip(first, second, generalise)


def hole(template: tree.Node, node: tree.Node) -> tree.Node | None:
    """Return what stands in the hole of a template in another entry, or None where it does not fit."""
    found: list[tree.Node] = []

    def match(form: tree.Node, actual: tree.Node) -> tree.Node | None:
        if isinstance(form, tree.Name) and form.text == HOLE:
            found.append(actual)
            return form
        if form == actual:
            return form
        return _zip(form, actual, match)

    if match(template, node) is None or not found or any(each != found[0] for each in found):
        return None
    return found[0]


def _zip(
    first: tree.Node, second: tree.Node, join: Callable[[tree.Node, tree.Node], tree.Node | None]
) -> tree.Node | None:
    """Rebuild a node from the joined parts of two nodes of the same kind."""
    if type(first) is not type(second):
        return None
    changes: dict[str, object] = {}
    for name in first.__dataclass_fields__:
        if name == "span":
            continue
        joined = _zip_value(getattr(first, name), getattr(second, name), join)
        if joined is _DIFFERENT:
            return None
        changes[name] = joined
    return replace(first, **changes)  # type: ignore[arg-type]


_DIFFERENT = object()


def _zip_value(a: object, b: object, join: Callable[[tree.Node, tree.Node], tree.Node | None]) -> object:
    if isinstance(a, tree.Node) and isinstance(b, tree.Node):
        joined = join(a, b)
        return _DIFFERENT if joined is None else joined
    if isinstance(a, tuple) and isinstance(b, tuple) and len(a) == len(b):
        parts = [_zip_value(x, y, join) for x, y in zip(a, b, strict=True)]
        return _DIFFERENT if any(part is _DIFFERENT for part in parts) else tuple(parts)
    return a if a == b else _DIFFERENT


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

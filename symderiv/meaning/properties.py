"""Properties that prose gives to a name, as relations: symmetric, positive definite, orthogonal, one-hot."""

from __future__ import annotations

import re

from symderiv.latex import tree
from symderiv.meaning import cues

_PROPERTY = r"symmetric|orthogonal|one[- ]hot|positive[- ]definite|diagonal|invertible|non-?singular"
_SEVERAL = rf"(?:{_PROPERTY})(?:(?:\s*,\s*|\s+)(?:and\s+)?(?:also\s+)?(?:{_PROPERTY}))*"
_KIND = r"square|label|target|real|encoded|matrix|matrices|vector|label|labels|target|targets"
_AFTER = re.compile(
    rf"^\s*(?:(?:is|are|be|was|being)\s+)?(?:also\s+|now\s+)?(?:an?\s+)?(?:(?:square|real),?\s+)*"
    rf"(?P<words>{_SEVERAL})\b(?!\s+(?:entry|entries|element|elements|part|term|terms|block|blocks))"
    r"|^\s*(?P<sum>sums? to (?:one|1)\b)",
    re.IGNORECASE,
)
_BEFORE = re.compile(rf"(?<![\w-])(?P<words>{_SEVERAL})(?:\s+(?:{_KIND}))*\s*$", re.IGNORECASE)


def told(name: tree.Node, before: str, after: str) -> list[tuple[tree.Relation, str]]:
    """Return the relations that prose around a name states of it, with the names of the properties."""
    found = _AFTER.search(after) or _BEFORE.search(before)
    if found is None or cues.denies(re.split(r"[.;:!?]\s", before)[-1]):
        return []
    if found["words"] is None:
        if isinstance(name, tree.Script) and name.sub is not None:
            return []
        return [(tree.Relation((_total(name), _number("1", name)), ("=",), span=name.span), "sum")]
    words = re.findall(_PROPERTY, found["words"], re.IGNORECASE)
    stated = [(_written(word.lower()), _relation(name, word.lower())) for word in words]
    return [(relation, word) for word, relation in stated if relation is not None]


def _written(word: str) -> str:
    """Return a property as the report names it, whether the page has its hyphen or not."""
    return word.replace("-", " ") if word.startswith("positive") else word.replace(" ", "-")


def _relation(name: tree.Node, word: str) -> tree.Relation | None:
    span = name.span
    transposed = tree.Script(name, sup=tree.Name("\\top", span=span), span=span)
    identity = tree.Name("I", span=span)
    if word == "symmetric":
        return tree.Relation((transposed, name), ("=",), span=span)
    if word == "orthogonal":
        product = tree.Product((transposed, name), ("",), span=span)
        return tree.Relation((product, identity), ("=",), span=span)
    if word == "diagonal":
        product = tree.Product((name, identity), ("odot",), span=span)
        return tree.Relation((name, product), ("=",), span=span)
    if word.startswith("one"):
        if isinstance(name, tree.Script) and name.sub is not None:
            return None
        return tree.Relation((name, _total(name)), ("one-hot",), span=span)
    operator = "succ" if word.startswith("positive") else "invertible"
    return tree.Relation((name, _number("0", name)), (operator,), span=span)


def _number(text: str, like: tree.Node) -> tree.Number:
    return tree.Number(text, span=like.span)


def _total(name: tree.Node) -> tree.Node:
    """Return the sum of all entries of a vector."""
    span = name.span
    ones = tree.Script(tree.Name("1", "bold", span=span), sup=tree.Name("\\top", span=span), span=span)
    return tree.Product((ones, name), ("",), span=span)

"""Properties that prose gives to a name, as relations: symmetric, orthogonal, one-hot, sums to one."""

from __future__ import annotations

import re

from symderiv.diagnostics import Span
from symderiv.latex import tree
from symderiv.meaning import cues

_AFTER = re.compile(
    r"^\s*(?:is|are|be|was|being)?\s*(?:also\s+|now\s+)?(?:an?\s+)?"
    r"(?P<word>symmetric|orthogonal|one[- ]hot)\b"
    r"|^\s*(?P<sum>sums? to (?:one|1)\b)",
    re.IGNORECASE,
)
_BEFORE = re.compile(
    r"(?<![\w-])(?P<word>symmetric|orthogonal|one[- ]hot)(?:\s+(?:square|label|target|real|encoded))*"
    r"(?:\s+(?:matrix|matrices|vector|label|labels|target|targets))?\s*$",
    re.IGNORECASE,
)


def told(name: tree.Node, before: str, after: str) -> tuple[tree.Relation, str] | None:
    """Return the relation that prose around a name states of it, and the name of the property, or None."""
    found = _AFTER.search(after) or _BEFORE.search(before)
    if found is None or cues.denies(re.split(r"[.;:!?]\s", before)[-1]):
        return None
    word = (found["word"] or "sum").lower().replace(" ", "-")
    span = name.span
    one = tree.Number("1", span=span)
    transposed = tree.Script(name, sup=tree.Name("\\top", span=span), span=span)
    if word == "symmetric":
        return tree.Relation((transposed, name), ("=",), span=span), word
    if word == "orthogonal":
        product = tree.Product((transposed, name), ("",), span=span)
        return tree.Relation((product, tree.Name("I", span=span)), ("=",), span=span), word
    if isinstance(name, tree.Script) and name.sub is not None:
        return None
    return tree.Relation((_total(name, span), one), ("=",), span=span), word


def _total(name: tree.Node, span: Span) -> tree.Node:
    """Return the sum of all entries of a vector."""
    ones = tree.Script(tree.Name("1", "bold", span=span), sup=tree.Name("\\top", span=span), span=span)
    return tree.Product((ones, name), ("",), span=span)

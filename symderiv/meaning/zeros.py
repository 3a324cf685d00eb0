"""Zeros as authors write them: `\\mathbf 0`, `\\vec 0`, `\\mathbf 0_n`, `\\mathbf{0}^\\top` are 0."""

from __future__ import annotations

import re
from dataclasses import replace

from symderiv.latex import tree
from symderiv.meaning import names

_WRITTEN = re.compile(r"[{\s]0(?![\d.])")
_ARROWS = frozenset({"vec", "overrightarrow", "bar", "overline", "underline"})


def written(source: str) -> bool:
    """Tell whether a page may have such a zero: it writes a 0 within or behind a command."""
    return _WRITTEN.search(source) is not None


def with_zeros(chain: tree.Chain) -> tree.Chain:
    """Read each of them as the number."""
    members = tuple(None if member is None else names.rebuilt(member, _zero) for member in chain.members)
    return chain if members == chain.members else replace(chain, members=members)


def _zero(node: tree.Node) -> tree.Node:
    if isinstance(node, tree.Name) and node.text == "0":
        return tree.Number("0", span=node.span)
    if isinstance(node, tree.Accent) and node.mark in _ARROWS and _is_zero(node.body):
        return tree.Number("0", span=node.span)
    if (
        isinstance(node, tree.Script)
        and _is_zero(node.base)
        and not node.primes
        and (node.sup is None or names.is_transpose(node.sup))
    ):
        return tree.Number("0", span=node.span)
    return node


def _is_zero(node: tree.Node) -> bool:
    return isinstance(node, tree.Number) and node.text == "0"

"""Words below names without a command: `N_{out}`, `W_{hidden}`, with letters that are no indices.

Letters that stand close together in a subscript are indices each, but for the words of the field, which are
part of the name. A name with such a word up to which a sum runs is one name, a size.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from symderiv.latex import to_latex, tree
from symderiv.latex.layout import words
from symderiv.meaning import names

_WORDS = words(
    """out max min avg mean std var new old prev next init final best opt obs true pred gold data train
    test val valid hid hidden input output total batch loss reg net enc dec model head heads vocab img
    feat ref pos neg query key value src tgt target label proj emb embed attn ffn conv pool bias eff tot
    clip norm err error cost noise signal full local global last first self ctx mem seq tok token step
    time size num cat sum prod"""
)


def labelled(found: Iterable[tree.Chain]) -> frozenset[str]:
    """Return the names with words below them up to which sums run, as LaTeX; "" where there are others."""
    sizes: set[str] = set()
    for chain in found:
        for member in chain.members:
            for node in names.walk(member) if member is not None else ():
                upper = node.upper if isinstance(node, tree.Big) else None
                if isinstance(node, tree.Script) and _word(node):
                    sizes.add("")
                if isinstance(upper, tree.Script) and upper.sup is None and (word := _word(upper)):
                    sizes.add(to_latex(replace(upper, sub=tree.Name(word))))
    return frozenset(sizes)


def with_labels(chain: tree.Chain, sizes: frozenset[str]) -> tree.Chain:
    """Read the words below names as parts of these, and some such names as one."""

    def joined(node: tree.Node) -> tree.Node:
        word = _word(node) if isinstance(node, tree.Script) else ""
        if not word or not isinstance(node, tree.Script) or node.sub is None:
            return node
        whole = replace(node, sub=tree.Name(word, span=node.sub.span))
        text = to_latex(whole)
        return tree.Name(text, span=node.span) if text in sizes else whole

    return replace(chain, members=tuple(m and names.rebuilt(m, joined) for m in chain.members))


def _word(node: tree.Script) -> str:
    """Return the word below a name, or nothing."""
    if isinstance(node.sub, tree.Name):
        return node.sub.text if node.sub.text in _WORDS else ""
    word = _spelled(node.sub) if isinstance(node.sub, tree.Product) else ""
    return word if word in _WORDS else ""


def _spelled(node: tree.Product) -> str:
    """Return what the factors of a product spell, if they are letters close together."""
    close = all(a.span.end == b.span.start for a, b in zip(node.factors, node.factors[1:], strict=False))
    plain = all(
        isinstance(each, tree.Name) and len(each.text) == 1 and not each.font for each in node.factors
    )
    if not close or not plain or set(node.operators) != {""}:
        return ""
    return "".join(each.text for each in node.factors if isinstance(each, tree.Name))

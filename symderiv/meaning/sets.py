r"""Sums over a set that is the whole range of an index: `\sum_{w \in V} u_w` is `\sum_{w=1}^{|V|} u_w`.

A set is taken for whole where its page has no other sum over the same entries, with bounds, without or over
another set, and does not speak of a part of something; else it may hold some of the indices only.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace

from symderiv.latex import to_latex, tree
from symderiv.meaning import names

_PART = re.compile(
    r"\b(sub-?(set|sampl\w+)s?|mini-?batch\w*|support|neighbo\w+|active|observed|selected|part|partition\w*)\b",
    re.IGNORECASE,
)


def whole_sets(found: Iterable[tree.Chain], text: str) -> frozenset[str]:
    """Return the sets of a page that are the whole range of the indices that its sums take from them."""
    members = [member for chain in found for member in chain.members if member is not None]
    nodes = [node for member in members for node in names.walk(member)]
    bigs = [node for node in nodes if isinstance(node, tree.Big)]
    sets = {big: _set_of(big) for big in bigs}
    if not any(sets.values()) or _PART.search(text):
        return frozenset()
    letters: dict[str | None, set[str]] = {}
    for big, over in sets.items():
        letters.setdefault(over, set()).update(names.bound_letters(big.lower))
    carried = {over: _carriers(nodes, those) for over, those in letters.items()}
    used = _used(members)
    return frozenset(
        over
        for over in letters
        if over is not None
        and over not in used
        and not any(_is_value(big.body, letters[over]) for big in bigs if sets[big] == over)
        and not any(carried[over] & carried[other] for other in letters if other != over)
        and not any(letters[over] & letters[other] for other in letters if other != over)
    )


def with_numbers(chain: tree.Chain, sets: frozenset[str]) -> tree.Chain:
    """Give the sums over these sets bounds, and the sets a number of elements."""
    if not sets:
        return chain

    def rewritten(each: tree.Node) -> tree.Node:
        over = _set_of(each) if isinstance(each, tree.Big) else None
        if over in sets and isinstance(each, tree.Big) and isinstance(each.lower, tree.Relation):
            last = each.lower.members[1]
            first = tree.Number("1", span=last.span)
            lower = replace(each.lower, members=(each.lower.members[0], first), operators=("=",))
            return replace(each, lower=lower, upper=tree.Name(f"|{over}|", span=last.span))
        if isinstance(each, tree.Absolute) and to_latex(each.body) in sets:
            return tree.Name(f"|{to_latex(each.body)}|", span=each.span)
        return each

    members = tuple(None if m is None else names.rebuilt(m, rewritten) for m in chain.members)
    return replace(chain, members=members)


def _set_of(big: tree.Big) -> str | None:
    """Return the set that a sum or product takes its one index from."""
    lower = big.lower
    single = isinstance(lower, tree.Relation) and lower.operators == ("in",) and big.upper is None
    if not single or not isinstance(lower, tree.Relation) or not names.is_index_letter(lower.members[0]):
        return None
    return to_latex(lower.members[1])


def _used(members: Iterable[tree.Node]) -> set[str]:
    """Return the names that stand for anything but the set of a sum, or its number of elements."""
    found: set[str] = set()
    waiting = list(members)
    while waiting:
        node = waiting.pop()
        if isinstance(node, tree.Name):
            found.add(to_latex(node))
        if not isinstance(node, tree.Absolute):
            waiting += [node.body] if isinstance(node, tree.Big) and _set_of(node) else names.children(node)
        elif not isinstance(node.body, tree.Name):
            waiting.append(node.body)
    return found


def _is_value(node: tree.Node, letters: set[str]) -> bool:
    """Tell whether one of some letters stands as a value below a node, and not as an index."""
    if isinstance(node, tree.Name):
        return node.text in letters
    parts = [node.base, node.sup] if isinstance(node, tree.Script) else names.children(node)
    if isinstance(node, tree.Big):
        parts = [node.body]
    return any(part is not None and _is_value(part, letters) for part in parts)


def _carriers(nodes: list[tree.Node], letters: set[str]) -> set[str]:
    """Return the names that have one of some letters in their subscripts."""
    found = set()
    for node in nodes:
        if isinstance(node, tree.Script) and node.sub is not None:
            below = {each.text for each in names.walk(node.sub) if isinstance(each, tree.Name)}
            if below & letters:
                found.add(to_latex(node.base))
    return found

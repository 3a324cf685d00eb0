"""Entries at numbers side by side: `A_{12}` is row 1, column 2 where A is a matrix.

What tells is how many indices the page gives the name elsewhere, in a subscript or a declaration.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import replace

from symderiv.latex import tree
from symderiv.meaning import names


def ranks(chains: Iterable[tree.Chain]) -> Mapping[str, set[int]]:
    """Return how many indices each name has on a page, in subscripts of letters and in declarations."""
    found: defaultdict[str, set[int]] = defaultdict(set, {"\\delta": {2}})
    for chain in chains:
        for member in chain.members:
            for each in names.walk(member) if member is not None else ():
                key = names.key(each.base) if isinstance(each, tree.Script) else None
                items = names.items(each.sub) if isinstance(each, tree.Script) else ()
                if key is not None and items and all(map(names.is_index_letter, items)):
                    found[key].add(len(items))
        if [operator.text for operator in chain.operators] == ["in"]:
            head, domain = chain.members
            key = None if head is None else names.key(head)
            sup = domain.sup if isinstance(domain, tree.Script) else None
            if key is not None and isinstance(sup, tree.Product) and set(sup.operators) == {"times"}:
                found[key].add(len(sup.factors))
    return found


def apart(chain: tree.Chain, known: Mapping[str, set[int]]) -> tree.Chain:
    """Read the digits of `A_{12}` as one index each, where A has as many indices everywhere else."""

    def part(each: tree.Node) -> tree.Node:
        number = each.sub if isinstance(each, tree.Script) else None
        if not isinstance(each, tree.Script) or not isinstance(number, tree.Number):
            return each
        if not number.text.isdecimal() or known.get(names.key(each.base) or "") != {len(number.text)}:
            return each
        if len(number.text) < 2 or "0" in number.text:
            return each
        digits = tuple(tree.Number(digit, span=number.span) for digit in number.text)
        return replace(each, sub=tree.Sequence(digits, span=number.span))

    members = tuple(None if member is None else names.rebuilt(member, part) for member in chain.members)
    return replace(chain, members=members)

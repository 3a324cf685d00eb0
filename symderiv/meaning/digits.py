"""Numbers in subscripts: entries, `A_{12}` of a matrix and `y_1` of a vector, or names, `h_1` of a layer.

How many indices a name has elsewhere, in a subscript or a declaration, tells the entries of a matrix. A
number is a part of the name where the page gives it a vector or a matrix, `h_1 = W h`, or declares it so.
Vocabulary: the *order* of an expression is 0 for a number, 1 for a vector, -1 for a row, 2 for a matrix.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from symderiv.latex import tree
from symderiv.meaning import names


def ranks(chains: Iterable[tree.Chain], matrices: frozenset[str]) -> Mapping[str, set[int]]:
    """Return how many indices each name has on a page, in subscripts of letters and in declarations."""
    found: defaultdict[str, set[int]] = defaultdict(set, {key: {2} for key in ("\\delta", *matrices)})
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


@dataclass(frozen=True, slots=True)
class Numbered:
    """The names of a page that carry numbers: those of which these are a part, and those with entries."""

    names: frozenset[str]
    tensors: frozenset[str]
    matrices: frozenset[str]


def numbered(chains: Iterable[tree.Chain]) -> Numbered:
    """Tell what numbers in the subscripts of a page are."""
    those = list(chains)
    orders = _orders(those, _orders(those, {}))
    names_ = {key.partition("_")[0] for key, order in orders.items() if order and "_" in key}
    tensors = frozenset(key for key, order in orders.items() if order)
    matrices = frozenset(key for key, order in orders.items() if order == 2)
    return Numbered(tensors & names_, tensors - names_, matrices - names_)


def _orders(chains: Iterable[tree.Chain], before: Mapping[str, int]) -> dict[str, int]:
    """Return the orders of the names that declarations and equations have at their left."""
    found: dict[str, int] = {}
    pending: list[tree.Node] = []
    for chain in chains:
        head, second = chain.members[0], chain.members[1] if len(chain.members) > 1 else None
        if head is not None and second is None:
            pending.append(head)
        if head is None or second is None:
            continue
        if chain.operators[0].text in ("in", "=", ":="):
            declares = [operator.text for operator in chain.operators] == ["in"]
            order = _declared(second) if declares else _order(second, {**before, **found})
            for node in (*pending, head) if declares else (head,):
                found[_key(node)] = order if declares else found.get(_key(node), order)
        pending = []
    return found


def _key(node: tree.Node) -> str:
    """Return the name that an expression is, its number included; nothing for any other."""
    numbered = isinstance(node, tree.Script) and isinstance(node.sub, tree.Number) and not node.sup
    if isinstance(node, tree.Script) and numbered and isinstance(node.sub, tree.Number):
        return f"{names.key(node.base)}_{node.sub.text}"
    return names.key(node) or ""


def _declared(domain: tree.Node) -> int:
    """Return the order of what lies in `\\mathbb{R}^n`."""
    sup = domain.sup if isinstance(domain, tree.Script) else None
    if sup is None or (isinstance(sup, tree.Name) and sup.text == "+"):
        return 0
    return 2 if isinstance(sup, tree.Product) and set(sup.operators) == {"times"} else 1


def _order(node: tree.Node, known: Mapping[str, int]) -> int:
    """Return the order of an expression as far as the names that it is made of tell."""
    match node:
        case tree.Name() | tree.Accent():
            return known.get(names.key(node) or "", 0)
        case tree.Script(sub=None, sup=sup):
            order = _order(node.base, known)
            return {1: -1, -1: 1}.get(order, order) if names.is_transpose(sup) else order
        case tree.Script(base=tree.Name(text=letter), sub=tree.Number(), sup=None):
            return known.get(_key(node), 2 if letter.isupper() and letter not in known else 0)
        case tree.Group(body=tree.Sequence()):
            return 1
        case tree.Matrix():
            return 2
        case tree.Group():
            return _order(node.body, known)
        case tree.Additive():
            return next((order for _, term in node.terms if (order := _order(term, known))), 0)
        case tree.Call():
            norms = isinstance(node.function, tree.Name) and node.function.text in _NUMBERS
            return 0 if norms or not node.arguments else _order(node.arguments[0], known)
        case tree.Product():
            order = 0
            for factor in node.factors:
                order = _times(order, _order(factor, known))
            return order
        case _:
            return 0


_NUMBERS = frozenset({"tr", "det", "\\det", "\\max", "\\min", "max", "min", "Tr", "\\operatorname{tr}"})


def _times(left: int, right: int) -> int:
    """Return the order of a product."""
    if not left or not right:
        return left or right
    if (left, right) == (-1, 1):
        return 0
    if (left, right) == (1, -1):
        return 2
    return right if left == 2 else left


def joined(chain: tree.Chain, those: frozenset[str]) -> tree.Chain:
    """Read `h_1` as a name of its own."""

    def part(each: tree.Node) -> tree.Node:
        if not isinstance(each, tree.Script) or not isinstance(each.sub, tree.Number):
            return each
        key = names.key(each.base)
        if key not in those or not isinstance(each.base, tree.Name):
            return each
        name = replace(each.base, text=f"{each.base.text}_{{{each.sub.text}}}", span=each.span)
        bare = each.sup is None and not each.primes
        return name if bare else replace(each, base=name, sub=None)

    members = tuple(None if member is None else names.rebuilt(member, part) for member in chain.members)
    return replace(chain, members=members)

r"""The inner product of matrices with a colon, `A : B = \operatorname{tr}(A^\top B)`.

LaTeX reads a colon as a relation: `f : A \to B`, `i = j : y = x`. Between two matrices, by their letters, it
is a product like any other, so that `A : B + C : D` is a sum of two; which the page tells by an equation of
two such products, by a trace or a sum beside one, or in words.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace

from symderiv.latex import tree
from symderiv.meaning import names

_WORDS = re.compile(
    r"Frobenius|double[- ](?:dot|contraction)|inner product of (?:two )?matrices", re.IGNORECASE
)
_GREEK = frozenset(
    {"\\Gamma", "\\Theta", "\\Lambda", "\\Pi", "\\Sigma", "\\Phi", "\\Psi", "\\Omega", "\\Delta"}
)


def has_colons(chains: Iterable[tree.Chain], text: str) -> bool:
    """Tell whether a page writes inner products of matrices with a colon."""
    return any(
        _WORDS.search(text) is not None or _tells(chain) for chain in chains if _first_pair(chain) is not None
    )


def _first_pair(chain: tree.Chain) -> int | None:
    """Return where a colon stands between two matrices, or None; `f : A \\to B` has none."""
    operators = [operator.text for operator in chain.operators]
    if not set(operators) <= {":", "="}:
        return None
    pairs = (at for at, operator in enumerate(operators) if operator == ":" and _pair(chain, at) is not None)
    return next(pairs, None)


def _tells(chain: tree.Chain) -> bool:
    """Tell whether what a chain has beside a product with a colon is one, too, or a trace or a sum."""
    operators = [operator.text for operator in chain.operators]
    if operators.count(":") > 1 and "=" in operators:
        return True
    scalars = tree.Big | tree.Inner
    nodes = (node for member in chain.members if member is not None for node in names.walk(member))
    return "=" in operators and any(
        isinstance(node, scalars) or (isinstance(node, tree.Call) and _word(node) == "tr") for node in nodes
    )


def with_colons(chain: tree.Chain) -> tree.Chain:
    """Read each colon between two matrices as their inner product."""
    at = _first_pair(chain)
    while at is not None:
        members = (*chain.members[:at], _pair(chain, at), *chain.members[at + 2 :])
        chain = replace(chain, members=members, operators=chain.operators[:at] + chain.operators[at + 1 :])
        at = _first_pair(chain)
    members = tuple(None if each is None else names.rebuilt(each, _inside) for each in chain.members)
    return replace(chain, members=members)


def _inside(node: tree.Node) -> tree.Node:
    """Read `(A : B)` so, too."""
    if isinstance(node, tree.Relation) and node.operators == (":",):
        return _joined(*node.members) or node
    return node


def _pair(chain: tree.Chain, at: int) -> tree.Node | None:
    left, right = chain.members[at : at + 2]
    return None if left is None or right is None else _joined(left, right)


def _joined(left: tree.Node, right: tree.Node) -> tree.Node | None:
    """Return the sum in which the last term of the one is multiplied by the first of the other, or None."""
    before = left.terms if isinstance(left, tree.Additive) else (("+", left),)
    after = right.terms if isinstance(right, tree.Additive) else (("+", right),)
    (sign, first), (lead, second) = before[-1], after[0]
    if lead == "-" or not _is_matrix(first) or not _is_matrix(second):
        return None
    both = tree.Inner(first, second, span=first.span.to(second.span))
    terms = (*before[:-1], (sign, both), *after[1:])
    if len(terms) == 1 and sign == "+":
        return both
    return tree.Additive(terms, span=left.span.to(right.span))


def _is_matrix(node: tree.Node) -> bool:
    """Tell whether an expression is a matrix by its letters."""
    if isinstance(node, tree.Name):
        return node.text in _GREEK or (len(node.text) == 1 and node.text.isupper())
    if isinstance(node, tree.Accent):
        return _is_matrix(node.body)
    if isinstance(node, tree.Script):
        labelled = node.sup is None or names.is_transpose(node.sup) or names.label(node.sup) is not None
        inverse = isinstance(node.sup, tree.Additive)
        return (labelled or inverse) and not names.items(node.sub) and _is_matrix(node.base)
    if isinstance(node, tree.Group):
        return _is_matrix(node.body)
    if isinstance(node, tree.Additive):
        return all(_is_matrix(term) for _, term in node.terms)
    if isinstance(node, tree.Differential):
        return _is_matrix(node.of)
    if isinstance(node, tree.Derivative):
        return bool(node.by) and all(map(_is_matrix, node.by))
    if isinstance(node, tree.Product):
        return set(node.operators) <= {"", "cdot", "odot", "circ", "times"} and _is_outer(node)
    return False


def _is_outer(node: tree.Product) -> bool:
    """Tell whether a product has a matrix at each end but for numbers, or is `x y^\\top`."""
    first, last = node.factors[0], node.factors[-1]
    turned = [isinstance(each, tree.Script) and names.is_transpose(each.sup) for each in (first, last)]
    vectors = isinstance(first, tree.Name) and turned[1] and not _is_matrix(first)
    return vectors or (_is_matrix(last) and (not turned[0] or _is_matrix(first)))


def _word(node: tree.Call) -> str:
    return node.function.text if isinstance(node.function, tree.Name) else ""

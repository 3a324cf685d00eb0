"""Conditions of sums and cases: relations between scalars become Booleans over terms.

Vocabulary: an *operand* is a member of a relation; the set after `in` is the range of an index.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from sympy import Eq, Expr, Ne, Sum
from sympy.logic.boolalg import And, Boolean

from symderiv.kernel.terms import Definite, Det, Size, indicator
from symderiv.latex import tree
from symderiv.meaning import names
from symderiv.meaning.elaborator import Elaborator
from symderiv.meaning.errors import Untyped, unsupported
from symderiv.meaning.model import Tensor
from symderiv.meaning.vocabulary import RELATIONS


def proposition(elaborator: Elaborator, node: tree.Node) -> Boolean:
    """Elaborate a condition over indices or values."""
    node = names.plain(node)
    if isinstance(node, tree.Sequence):
        return And(*(proposition(elaborator, item) for item in node.items))
    if not isinstance(node, tree.Relation):
        raise unsupported("this condition is not supported yet", node.span)
    found = []
    for left, operator, right in zip(node.members, node.operators, node.members[1:], strict=False):
        if operator not in RELATIONS:
            raise unsupported("this relation is not supported in a condition yet", node.span)
        a, b = _operand(elaborator, left, right), _operand(elaborator, right, left)
        found.append(RELATIONS[operator](a, b))
    return And(*found)


def indicated(elaborator: Elaborator, node: tree.Node) -> Tensor:
    """Elaborate what an indicator is about; where a tensor is compared with a number, one for each entry."""
    node = names.plain(node)
    if isinstance(node, tree.Relation) and len(node.members) == 2 and node.operators[0] in RELATIONS:
        sides = [elaborator.value(member) for member in node.members]
        ranked = [side for side in sides if side.rank]
        if len(ranked) == 1:
            elaborator.note("SD104", "the indicator is taken entry by entry", node.span)
            condition = RELATIONS[node.operators[0]](*(side.body for side in sides))
            return replace(ranked[0], body=indicator(condition))
    return Tensor(indicator(proposition(elaborator, node)))


def stated(elaborator: Elaborator, node: tree.Relation) -> Boolean | None:
    """Return what a property of a name says of entries; None where that is not known."""
    rule = _STATED.get(node.operators)
    try:
        return None if rule is None else rule(elaborator, node)
    except Untyped:
        return None


def _one_hot(elaborator: Elaborator, node: tree.Relation) -> Boolean | None:
    """The entries of a one-hot vector are 0 or 1, their own squares, and sum to 1."""
    value = elaborator.member(node.members[0])
    if value.rank != 1:
        return None
    total = Sum(value.body, (value.slots[0], 1, value.dimensions[0]))
    return And(Eq(total, 1, evaluate=False), Eq(value.body**2, value.body, evaluate=False))


def _definite(elaborator: Elaborator, node: tree.Relation) -> Boolean | None:
    """`A \\succ 0`: A is symmetric and positive definite."""
    first, second = node.members[0], node.members[-1]
    if not isinstance(second, tree.Number) or second.text != "0":
        return None
    value = elaborator.member(first)
    if value.rank != 2 or not elaborator.sizes.try_unify(value.dimensions[0], value.dimensions[1]):
        return None
    p, q = value.slots
    symmetric = Eq(value.body, value.body.xreplace({p: q, q: p}), evaluate=False)
    return And(symmetric, Definite(value.body, (p, q, value.dimensions[0])))


def _invertible(elaborator: Elaborator, node: tree.Relation) -> Boolean | None:
    """A square matrix is invertible where its determinant is not 0."""
    value = elaborator.member(node.members[0])
    if value.rank != 2 or not elaborator.sizes.try_unify(value.dimensions[0], value.dimensions[1]):
        return None
    return Ne(Det(value.body, (*value.slots, value.dimensions[0])), 0)


_STATED: Mapping[tuple[str, ...], Callable[[Elaborator, tree.Relation], Boolean | None]] = {
    ("one-hot",): _one_hot,
    ("succ",): _definite,
    ("invertible",): _invertible,
}
"""What the properties say, by the word that stands for a relation."""


def _operand(elaborator: Elaborator, node: tree.Node, other: tree.Node) -> Expr:
    """Elaborate one side of a condition; index letters that are compared share a range if they can."""
    value = elaborator.value(node)
    if value.rank:
        raise unsupported("a condition that compares tensors is not supported yet", node.span)
    if isinstance(node, tree.Name) and isinstance(other, tree.Name):
        a, b = _range_of(elaborator, node.text), _range_of(elaborator, other.text)
        if a is not None and b is not None:
            elaborator.sizes.try_unify(a, b)
    return value.body


def _range_of(elaborator: Elaborator, letter: str) -> Size | None:
    if letter in elaborator.bound:
        return elaborator.bound[letter][1]
    return elaborator.free.get(letter)

"""An assumption that the words of a page state, as a condition on terms.

Which of its letters stand for one index, and which for every one, the sentence around it tells.
"""

from __future__ import annotations

from collections.abc import Callable

import sympy
from sympy import Eq, Expr, Ne
from sympy.logic.boolalg import Boolean

from symderiv.kernel.terms import Index
from symderiv.latex import tree
from symderiv.meaning.arithmetic import together
from symderiv.meaning.conditions import stated
from symderiv.meaning.elaborator import Elaborator
from symderiv.meaning.ground import Ground
from symderiv.meaning.model import Assumption
from symderiv.meaning.quantifiers import is_one, quantity, sentence
from symderiv.meaning.raw import Fact

ORDERS: dict[str, Callable[[Expr, Expr], Boolean]] = {
    ">": lambda a, b: sympy.StrictGreaterThan(a, b, evaluate=False),
    ">=": lambda a, b: sympy.GreaterThan(a, b, evaluate=False),
    "<": lambda a, b: sympy.StrictGreaterThan(b, a, evaluate=False),
    "<=": lambda a, b: sympy.GreaterThan(b, a, evaluate=False),
    "!=": lambda a, b: Ne(a, b, evaluate=False),
}
"""Each order of values, the larger one first."""


def assumed(ground: Ground, fact: Fact) -> Assumption:
    """Return what a fact says on terms; it says nothing there where it has no meaning."""
    latex = fact.latex
    if fact.indices:
        parts = []
        for left, operator, right in zip(
            fact.relation.members, fact.relation.operators, fact.relation.members[1:], strict=False
        ):
            a, b = _index_term(left), _index_term(right)
            if a is None or b is None or operator not in ("=", "!="):
                return Assumption(latex, None)
            parts.append(Eq(a, b) if operator == "=" else Ne(a, b))
        return Assumption(latex, sympy.And(*parts))
    elaborator = ground.elaborator(fact.scope, fact.number)
    if set(fact.relation.operators) != {"="}:
        ordered = _order(ground, elaborator, fact)
        told = stated(elaborator, fact.relation) if ordered is None else ordered
        return _quantified(ground, fact, told, elaborator) if told is not None else Assumption(latex, None)
    try:
        first, second = (elaborator.member(member) for member in fact.relation.members[:2])
        first, second, _ = together(elaborator, first, second, fact.relation.span, "this assumption")
    except Exception:  # noqa: BLE001  what has no meaning cannot be assumed
        return Assumption(latex, None)
    equation = Eq(first.body, second.body, evaluate=False)
    for letter, size in elaborator.free.items():
        ground.leftover[Index(letter)] = size
    return _quantified(ground, fact, equation, elaborator)


def _quantified(ground: Ground, fact: Fact, says: Boolean, elaborator: Elaborator) -> Assumption:
    """Tell which letters of a fact stand for one index, and which for every one."""
    letters = {Index(letter) for letter in elaborator.free}
    around = sentence(ground.survey.document, fact.relation.span)
    told = {letter: quantity(around, letter.name) for letter in letters}
    singled = {letter for letter, scope in ground.survey.singled if fact.scope.within(scope)}
    fixed = {
        letter
        for letter in letters
        if told[letter] == "one" or (not told[letter] and (fact.particular or letter.name in singled))
    }
    firm = {letter for letter in letters if is_one(around, letter.name)}
    every = {letter for letter in letters - fixed if told[letter] == "every" or not fact.local}
    under = [assumed(ground, condition) for condition in fact.under]
    about = {i for each in under if each.fact is not None for i in each.fact.free_symbols}
    known = all(each.fact is not None for each in under)
    if not known or any(told[letter] == "some" for letter in letters - about):
        return Assumption(fact.latex, None)
    conditions = tuple(each.fact for each in under if each.fact is not None)
    return Assumption(fact.latex, says, frozenset(fixed), frozenset(firm), frozenset(every), conditions)


def _order(ground: Ground, elaborator: Elaborator, fact: Fact) -> Boolean | None:
    """Return `a > b`, `0 < x_i <= 1` or `a \\ne 0` as a fact on terms, entry by entry."""
    relation = fact.relation
    if not set(relation.operators) <= {"<", "<=", ">", ">=", "!="}:
        return None
    found: list[Boolean] = []
    try:
        values = [elaborator.member(member) for member in relation.members]
        for operator, first, second in zip(relation.operators, values, values[1:], strict=False):
            left, right, _ = together(elaborator, first, second, relation.span, "this assumption")
            found.append(ORDERS[operator](left.body, right.body))
    except Exception:  # noqa: BLE001  what has no meaning cannot be assumed
        return None
    for letter, size in elaborator.free.items():
        ground.leftover[Index(letter)] = size
    return sympy.And(*found, evaluate=False)


def _index_term(node: tree.Node) -> Expr | None:
    if isinstance(node, tree.Number):
        return sympy.Integer(node.text)
    return Index(node.text) if isinstance(node, tree.Name) else None

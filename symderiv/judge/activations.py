r"""An activation function `\sigma` that a page never defines: is a step with `\sigma'` false whichever it is?

By its letter it is one of a few functions. Numbers for an arbitrary one decide nothing; where a step that has
`\sigma'` is false for each of the usual ones, no reader finds it true.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace

from sympy import Expr, Heaviside, Max, Symbol, exp, log, sin, tanh

from symderiv.judge.decision import NUMBERS
from symderiv.judge.refute import screen
from symderiv.kernel.terms import Definition, Goal, Unknown
from symderiv.meaning import names_of

_T = Symbol("t", real=True)
_USUAL: tuple[Callable[[Expr], Expr], ...] = (
    lambda t: 1 / (1 + exp(-t)),
    tanh,
    lambda t: log(1 + exp(t)),
    lambda t: t,
    lambda t: t**2 / 2,
    sin,
)
"""The logistic function, the hyperbolic tangent, softplus, the identity, a square, a wave; and ReLU."""


def is_false_for_all(goal: Goal, name: str) -> bool:
    """Tell whether a step with `\\sigma'` is false for each of the usual activation functions."""
    if name != "\\sigma" or name in goal.context.opaque:
        return False
    known = goal.context.definitions
    reached = [known[each].body for each in sorted(names_of(goal) & known.keys())]
    applied = {each for side in (goal.left, goal.right, *reached) for each in side.atoms(Unknown)}
    applied = {each for each in applied if str(each.args[0]) == name}
    orders = {int(order) for each in applied for order in each.args[1].args}
    nested = any(
        inner in applied for each in applied for part in each.args[2:] for inner in part.atoms(Unknown)
    )
    if nested or not any(orders) or any(len(each.args) != 3 for each in applied):
        return False
    rules = [{k: f(_T).diff(_T, k) for k in orders} for f in _USUAL]
    if max(orders) <= 1:
        rules.append({0: Max(_T, 0), 1: Heaviside(_T, 0)})
    return all(_is_false(_with(goal, applied, rule)) for rule in rules)


def _with(goal: Goal, applied: set[Unknown], rule: dict[int, Expr]) -> Goal:
    """Put a function in the place of the unknown one."""
    changes = {each: rule[int(each.args[1].args[0])].xreplace({_T: each.args[2]}) for each in applied}
    definitions = {
        name: Definition(name, each.slots, each.body.xreplace(changes))
        for name, each in goal.context.definitions.items()
    }
    context = replace(goal.context, definitions=definitions)
    return replace(
        goal, left=goal.left.xreplace(changes), right=goal.right.xreplace(changes), context=context
    )


def _is_false(goal: Goal) -> bool:
    return screen(goal, seed=0, deadline=time.monotonic() + NUMBERS, extent="brief").witness is not None

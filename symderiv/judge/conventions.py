"""What a letter such as `\\sigma` means where a page applies it and never says: what readers take it for.

A step with such a letter is false only where it is false for every one of these functions and for an unknown
one as well; where it holds for one, the author may mean that one. Contract: no reading proves anything.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial

import sympy
from sympy import Dummy, Expr, Indexed, Integer, Max, Sum

from symderiv.kernel.terms import Goal, Index, Unknown, free_in, fresh, indicator

_T = Dummy("t", real=True)
_RAMP = (Max(_T, Integer(0)), indicator(_T > 0), Integer(0))
_SMOOTH: dict[str, Expr] = {
    "sigmoid": 1 / (1 + sympy.exp(-_T)),
    "tanh": sympy.tanh(_T),
    "softplus": sympy.log(1 + sympy.exp(_T)),
    "normal density": sympy.exp(-(_T**2) / 2) / sympy.sqrt(2 * sympy.pi),
    "normal distribution": (1 + sympy.erf(_T / sympy.sqrt(2))) / 2,
}
_ACTIVATION = re.compile(
    r"\b(activat\w+|sigmoid\w*|logistic|tanh|relu|non-?linear\w*|neurons?|layers?)\b", re.IGNORECASE
)
_OTHER = re.compile(
    r"\b(swish|silu|[gsp]?r?elu|mish|hard|leaky|sine?|cosine?|arctan\w*|softsign|step function|heaviside|sign"
    r"|identity|linear (unit|activation|function)|exponential|square[ds]?|cub(e|ic)|absolute|identical)\b",
    re.IGNORECASE,
)
_SPREAD = re.compile(r"\b(standard deviations?|variances?|std)\b", re.IGNORECASE)


def readings(goal: Goal, functions: list[str], text: str) -> Iterator[Goal] | None:
    """Return the goal with its functions read as each of those that readers take such letters for, or None.

    None where such a letter may stand for what is no function of a number, a feature map or a standard
    deviation, and where words beside it name another function.
    """
    terms = [goal.left, goal.right, *(each.body for each in goal.context.definitions.values())]
    calls = {each for term in terms for each in term.atoms(Unknown) if str(each.args[0]) in functions}
    known = all(name.partition("~")[0].startswith("\\") for name in functions)
    if not known or any(len(each.args) != 3 for each in calls) or _is_other(text, functions):
        return None
    arrays = any(_places(each.args[2]) for each in calls)
    if arrays and (_ACTIVATION.search(text) is None or _SPREAD.search(text) is not None):
        return None
    return _readings(goal, calls, arrays=arrays and all(each.args[1][0] == 0 for each in calls))


def _is_other(text: str, functions: list[str]) -> bool:
    """Tell whether a sentence with one of the letters names a function that is none of the readings."""
    letters = [re.escape(name.partition("~")[0]) + r"(?![A-Za-z])" for name in functions]
    sentences = re.split(r"[.;](?:\s|$)|\n\s*\n", text)
    return any(
        _OTHER.search(each) and any(re.search(letter, each) for letter in letters) for each in sentences
    )


def _readings(goal: Goal, calls: set[Unknown], *, arrays: bool) -> Iterator[Goal]:
    for formula in _SMOOTH.values():
        yield _read(goal, calls, partial(_smooth, formula))
    yield _read(goal, calls, _ramp)
    for last in (True, False) if arrays else ():
        yield _read(goal, calls, partial(_softmax, goal, last))


def _smooth(formula: Expr, order: int, at: Expr) -> Expr:
    return sympy.diff(formula, _T, order).xreplace({_T: at})


def _ramp(order: int, at: Expr) -> Expr:
    return _RAMP[min(order, 2)].xreplace({_T: at})


def _read(goal: Goal, calls: set[Unknown], value: Callable[[int, Expr], Expr]) -> Goal:
    changes = {each: value(int(each.args[1][0]), each.args[2]) for each in calls}

    def read(term: Expr) -> Expr:
        while not calls.isdisjoint(term.atoms(Unknown)):
            term = term.xreplace(changes)
        return term

    definitions = {
        name: replace(each, body=read(each.body)) for name, each in goal.context.definitions.items()
    }
    context = replace(goal.context, definitions=definitions)
    return replace(goal, left=read(goal.left), right=read(goal.right), context=context)


def _softmax(goal: Goal, last: bool, order: int, at: Expr) -> Expr:  # noqa: FBT001
    """Return the softmax of an array, whose entry is given, along its last or its first index."""
    assert order == 0
    places = _places(at)
    if not places:
        return at
    base, axis = places[-1 if last else 0]
    index, size = base.indices[axis], goal.context.shapes[str(base.base)][axis]
    bound = fresh(index.name)
    return sympy.exp(at) / Sum(sympy.exp(at.xreplace({index: bound})), (bound, 1, size))


def _places(term: Expr) -> list[tuple[Indexed, int]]:
    """Return the entries in a term with an axis of each along which a free index runs."""
    free = free_in(term)
    return [
        (each, axis)
        for each in sorted(term.atoms(Indexed), key=str)
        for axis, index in enumerate(each.indices)
        if isinstance(index, Index) and index in free
    ]

"""What would help where symderiv cannot decide: something to write, never a claim that a step is true.

`ADVICE` has a line for each kind of mathematics without a meaning for which other notation has one. A comment
to the checker is given in the form of Markdown; the report puts it in that of the document.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace

from symderiv.diagnostics import Diagnostic

_WITH_ARGUMENT = "write the argument: "
_AS_DERIVATIVE = r"write derivatives: $\frac{\partial f}{\partial x}$"
_AS_SUM = r"write the sum with its bounds, $\sum_{i=1}^{n} a_i$, or an entry of what is meant"

ADVICE: Mapping[str, str] = {
    "a condition that compares tensors is not supported yet": "state it for entries: $x_i > 0$",
    "a derivative by this expression is not supported yet": "name the expression, and differentiate by that",
    "a function without its argument is not supported yet": _WITH_ARGUMENT + r"$\log(x)$",
    "a list of tensors is not supported yet": "write the equation for an entry of each",
    "a matrix of blocks is not supported yet": "write an equation for each block",
    "a partial differential without its direction is not supported yet": _AS_DERIVATIVE,
    "a probability under a condition is not supported yet": "write a name in its place, as $p_i$",
    "a recurrence is not supported yet": "give the step before a name of its own: $c'$ for $c_{t-1}$",
    "a row or a column of a matrix is not supported in this notation yet": "write its entries: $A_{ij}$",
    "a sum from 0 whose index is compared in it is not supported yet": "count from 1",
    "a sum over a set is not supported yet": r"number the elements of the set: $\sum_{i=1}^{n}$",
    "differentials are not supported here yet": _AS_DERIVATIVE,
    "differentials are not supported yet": _AS_DERIVATIVE,
    "dots are not understood here yet": _AS_SUM,
    "how far this differential reaches is not clear": r"write brackets: $\mathrm{d}(x y)$",
    "second differentials are not supported yet": _AS_DERIVATIVE,
    "the composition of functions is not supported yet": _WITH_ARGUMENT + "$f(g(x))$",
    "the derivative of a function without its argument is not supported yet": _WITH_ARGUMENT + "$f'(x)$",
    "the differential of a function without its argument is not supported yet": _WITH_ARGUMENT
    + r"$\mathrm{d}f(x)$",
    "the entries of this list with dots do not follow a pattern that symderiv sees": _AS_SUM,
    "the largest entry of a tensor is not supported yet": r"write the index: $\max_i x_i$",
    "the prime of a function of several variables is ambiguous": _AS_DERIVATIVE,
    "the shown entries of this matrix with dots fit no formula that symderiv sees": "define it by an entry: "
    "$A_{ij} = x_i y_j$",
    "this derivative has no operand": r"write what is differentiated: $\frac{\partial}{\partial x} (x^2)$",
    "this gradient does not name its variable": r"name the variable: $\nabla_x f$",
    "this list with dots is not understood yet": _AS_SUM,
    "this sum does not name its index": r"name the index below the sum: $\sum_{i=1}^{n}$",
    "whether the square is in the differential or of it is not clear": r"write $(\mathrm{d}x)^2$ or "
    r"$\mathrm{d}(x^2)$",
    "whether this d is a name of the page or a differential is not clear": r"write a differential as "
    r"$\mathrm{d}x$, or declare the name: <!-- symderiv: $d \in \mathbb{R}$ -->",
}
"""What to write instead, by what is not supported."""


REAL = r" \in \mathbb{R}"


def told(latex: str) -> str:
    """Return a comment to the checker that tells some mathematics."""
    return f"<!-- symderiv: ${latex}$ -->"


def declared(key: str) -> str:
    """Advise to declare the shape of a name, a vector or a matrix by its letter."""
    letter = re.sub(r"\\[a-z]+(?![A-Za-z])|[{}\s]", "", key.partition("_")[0].partition("^")[0]).strip("\\")
    size = r"^{m \times n}" if letter[:1].isupper() else "^n"
    return f"declare the shape of {key}: {told(key + REAL + size)}"


_GUESS = "symderiv guessed the shape of "


def is_guessed(found: Diagnostic) -> bool:
    """Tell whether a clash of shapes rests on a guess of ours."""
    return found.code == "SD024" and bool(found.notes) and found.notes[-1].startswith(_GUESS)


def guessed(found: Diagnostic, name: str) -> Diagnostic:
    """Say that a clash of shapes rests on a guess of ours."""
    note = f"{_GUESS}{name}"
    written = re.fullmatch(r"(.*) has \d+ ind\w+, and \d+ are written", found.message)
    help_ = f"write {written.group(1)} with as many indices everywhere" if written else declared(name)
    return replace(found, code="SD024", notes=(*found.notes, note), help=help_)

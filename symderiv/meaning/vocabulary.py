"""The words of mathematics with one meaning everywhere: functions, relations, the names of ranks.

Vocabulary: an *elementary* function is one of a scalar, applied entry by entry to a tensor.
"""

from __future__ import annotations

from collections.abc import Callable

import sympy
from sympy import (
    Abs,
    Eq,
    Expr,
    Integer,
    Max,
    Ne,
)
from sympy.logic.boolalg import Boolean

from symderiv.kernel.terms import Index
from symderiv.meaning.model import Tensor

ELEMENTARY: dict[str, Callable[[Expr], Expr]] = {
    "\\exp": sympy.exp,
    "exp": sympy.exp,
    "\\log": sympy.log,
    "log": sympy.log,
    "\\ln": sympy.log,
    "ln": sympy.log,
    "\\sin": sympy.sin,
    "\\cos": sympy.cos,
    "\\tan": sympy.tan,
    "sin": sympy.sin,
    "cos": sympy.cos,
    "tan": sympy.tan,
    "\\sinh": sympy.sinh,
    "\\cosh": sympy.cosh,
    "\\tanh": sympy.tanh,
    "tanh": sympy.tanh,
    "sinh": sympy.sinh,
    "cosh": sympy.cosh,
    "erf": sympy.erf,
    "\\erf": sympy.erf,
    "erfc": sympy.erfc,
    "sqrt": sympy.sqrt,
    "abs": Abs,
    "sign": sympy.sign,
    "sgn": sympy.sign,
    "\\sgn": sympy.sign,
    "ReLU": lambda x: Max(x, Integer(0)),
    "relu": lambda x: Max(x, Integer(0)),
    "sigmoid": lambda x: 1 / (1 + sympy.exp(-x)),
    "softplus": lambda x: sympy.log(1 + sympy.exp(x)),
}
"""Functions of one scalar, applied entry by entry to a tensor."""

_MORE: dict[str, Callable[[Expr], Expr]] = {
    "cot": sympy.cot,
    "sec": lambda x: 1 / sympy.cos(x),
    "csc": lambda x: 1 / sympy.sin(x),
    "coth": sympy.coth,
    "sech": sympy.sech,
    "csch": sympy.csch,
    "arcsin": sympy.asin,
    "arccos": sympy.acos,
    "arctan": sympy.atan,
    "arsinh": sympy.asinh,
    "arcosh": sympy.acosh,
    "artanh": sympy.atanh,
    "arcsinh": sympy.asinh,
    "arccosh": sympy.acosh,
    "arctanh": sympy.atanh,
}
"""Others, which are written with and without a backslash."""
ELEMENTARY |= {mark + word: function for word, function in _MORE.items() for mark in ("", "\\")}


FUNCTIONS = frozenset(word for word in ELEMENTARY if word.startswith("\\")) | {
    "exp", "log", "ln", "sin", "cos", "tan", "sinh", "cosh", "tanh", "sqrt", "abs", "sign", "erf",
    "\\max", "max", "\\min", "min", "diag", "\\diag", "tr", "\\tr", "trace", "Tr", "det", "\\det", "vec",
    *_MORE, "erfc",
}  # fmt: skip
"""Functions of one meaning, which no page defines."""


CALLS = frozenset({
    "\\max", "max", "\\min", "min", "softmax", "diag", "\\diag", "tr", "\\tr", "trace", "Tr", "det", "\\det",
    "vec",
})  # fmt: skip


def _related(kind: type[Boolean]) -> Callable[[Expr, Expr], Boolean]:
    """Return what makes a relation; between two indices nothing is known, and SymPy is slow to say so."""
    return lambda a, b: kind(a, b, evaluate=False) if _two_indices(a, b) else kind(a, b)


def _two_indices(a: Expr, b: Expr) -> bool:
    return isinstance(a, Index) and isinstance(b, Index) and a != b


RELATIONS: dict[str, Callable[[Expr, Expr], Boolean]] = {
    "=": _related(Eq),
    "!=": _related(Ne),
    "<": _related(sympy.Lt),
    "<=": _related(sympy.Le),
    ">": _related(sympy.Gt),
    ">=": _related(sympy.Ge),
}


def count(number: int, noun: str) -> str:
    """Return a number with its noun: `no indices`, `1 index`, `2 indices`."""
    plural = "indices" if noun == "index" else f"{noun}s"
    return f"no {plural}" if number == 0 else f"{number} {noun if number == 1 else plural}"


def rank_name(rank: int) -> str:
    """Return what a reader calls a tensor of this rank."""
    return ("a number", "a vector", "a matrix")[rank] if rank < 3 else f"a tensor with {rank} indices"


def kind(value: Tensor) -> str:
    """Return what a reader calls a tensor, rows and columns told apart."""
    if value.groups:
        columns = "a row" if value.row else "a column"
        return "Kronecker's product" if len(value.groups) > 1 else f"{columns} of pairs of indices"
    if value.rank == 1:
        return "a row" if value.row else "a column"
    return rank_name(value.rank)


def opposite(sign: str) -> str:
    """Return the other sign."""
    return "-" if sign == "+" else "+"

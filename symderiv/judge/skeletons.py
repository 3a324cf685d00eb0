"""Skeletons: the elementary part of a term, lambdified by SymPy to a function of NumPy arrays.

Contract. A skeleton is written with symbols and functions of our own only, and numbers are bound by name:
no text of a document reaches the source that `lambdify` makes. Nothing is rewritten: the order and the
nesting are the term's. The functions, and with them what is undefined, are the arithmetic's.
Vocabulary. The *skeleton* of a term is what sums, products, powers and elementary functions make of its
*leaves*: entries, indices, sums over indices, derivatives and all else that the walker evaluates. Leaves
become `_0`, `_1`, … in the order in which they stand, so that `x_i y_i` and `W_{ij} x_j` have one skeleton.
No skeleton is too small: few forms occur on a page, and compiling one takes half a millisecond, once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import sympy
from sympy import Expr, KroneckerDelta, Piecewise, Symbol

from symderiv.judge.anatomy import index_only
from symderiv.judge.arithmetic import ELEMENTARY, Arithmetic, Array, Elementwise
from symderiv.judge.grids import undefined
from symderiv.kernel.terms import Cases

_DEEPEST = 40
"""What is nested deeper is a leaf: a level takes two parentheses or three, and Python reads up to 200."""
_WIDEST = 50
"""Longer sums and products are written in groups: a chain of operators nests in Python's own tree."""
_OPERATIONS = (sympy.Add, sympy.Mul, sympy.Pow)


class Whole(Symbol):
    """Stands for an integer exponent that is made of indices and sizes."""


class Indicator(Symbol):
    """Stands for an indicator of indices: where it is 0 the product is 0, be the rest undefined (Iverson)."""


@dataclass(frozen=True, slots=True)
class Skeleton:
    """A term as a form over symbols, and the leaf for which each stands."""

    form: Expr
    symbols: tuple[Symbol, ...]
    leaves: tuple[Expr, ...]


def elementary(kind: type) -> type | None:
    """Return the operation or elementary function that a kind of node is, if it is one."""
    for ancestor in kind.__mro__:
        if ancestor in _OPERATIONS or ancestor in ELEMENTARY:
            return ancestor
    return None


@lru_cache(maxsize=4096)
def skeleton(term: Expr) -> Skeleton:
    """Return the skeleton of a term that is no leaf itself."""
    found: dict[tuple[type[Symbol], Expr], Symbol] = {}
    form = _form(term, found, 0)
    return Skeleton(form, tuple(found.values()), tuple(leaf for _, leaf in found))


def _form(term: Expr, found: dict[tuple[type[Symbol], Expr], Symbol], depth: int) -> Expr:
    if isinstance(term, sympy.Number | sympy.NumberSymbol):
        return term
    kind = elementary(type(term))
    if kind is None or depth == _DEEPEST:
        indicator = isinstance(term, KroneckerDelta | Cases | Piecewise) and index_only(term)
        return _leaf(Indicator if indicator else Symbol, term, found)
    if kind is sympy.Pow:
        base, exponent = term.args
        whole = exponent.is_integer and not exponent.is_Integer and index_only(exponent)
        parts = [
            _form(base, found, depth + 1),
            _leaf(Whole, exponent, found) if whole else _form(exponent, found, depth + 1),
        ]
    else:
        parts = [_form(part, found, depth + 1) for part in term.args]
    return term.func(*parts, evaluate=False)


def _leaf(kind: type[Symbol], term: Expr, found: dict[tuple[type[Symbol], Expr], Symbol]) -> Symbol:
    if (kind, term) not in found:
        found[kind, term] = kind(f"_{len(found)}")
    return found[kind, term]


# From a form to a function


@lru_cache(maxsize=2048)
def compiled(form: Expr, symbols: tuple[Symbol, ...], arithmetic: Arithmetic) -> Elementwise:
    """Return the form as a function of arrays, one for each symbol, in this arithmetic."""
    numbers: dict[tuple[Any, bool], str] = {}
    source = _source(form, numbers)
    mapping: dict[str, Any] = {
        **{kind.__name__: function for kind, function in arithmetic.functions.items()},
        "power": arithmetic.power,
        "integer_power": arithmetic.integer_power,
        "square": lambda value: value * value,
        "given": _given,
    }
    for (number, whole), name in numbers.items():
        mapping[name] = np.asarray(int(number) if whole else arithmetic.constant(number))
    return sympy.lambdify(
        symbols, form, modules=[mapping], printer=lambda _: source, cse=False, docstring_limit=0
    )


def _given(value: Array, indicator: Array) -> Array:
    if not undefined(value).any():
        return value
    return np.where(indicator == 0, 0 * indicator, value)


def _source(form: Expr, numbers: dict[tuple[Any, bool], str]) -> str:
    """Return a form in Python; numbers are named in the order in which they stand."""

    def name(number: Any, *, whole: bool = False) -> str:
        return numbers.setdefault((number, whole), f"n{len(numbers)}")

    def write(form: Expr) -> str:
        if isinstance(form, Symbol):
            return str(form.name)
        kind = elementary(type(form))
        if kind is None:
            return name(form)
        if kind is sympy.Pow:
            base, exponent = form.args
            if exponent == 2:
                return f"square({write(base)})"
            if exponent.is_Integer:
                return f"integer_power({write(base)}, {name(exponent, whole=True)})"
            function = "integer_power" if isinstance(exponent, Whole) else "power"
            return f"{function}({write(base)}, {write(exponent)})"
        parts = [write(part) for part in form.args]
        if kind is sympy.Add:
            return _infix(" + ", parts)
        if kind is sympy.Mul:
            indicators = [write(part) for part in form.args if isinstance(part, Indicator)]
            product = _infix("*", parts)
            return f"given({product}, {_infix('*', indicators)})" if indicators else product
        return f"{kind.__name__}({', '.join(parts)})"

    return write(form)


def _infix(operator: str, parts: Sequence[str]) -> str:
    while len(parts) > _WIDEST:
        parts = [_infix(operator, parts[at : at + _WIDEST]) for at in range(0, len(parts), _WIDEST)]
    return f"({operator.join(parts)})"

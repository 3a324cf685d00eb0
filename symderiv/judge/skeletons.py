"""Skeletons: the elementary part of a term as a function of NumPy arrays.

Contract. A function is put together of functions, one for each node: no source is made, where SymPy's
`lambdify` makes and executes some. Nothing is rewritten: the order and the nesting are the term's. The
functions, and with them what is undefined, are the arithmetic's.
Vocabulary. The *skeleton* of a term is what sums, products, powers and elementary functions make of its
*leaves*: entries, indices, sums over indices, derivatives and all else that the walker evaluates. Leaves
become `_0`, `_1`, … in the order in which they stand, so that `x_i y_i` and `W_{ij} x_j` have one skeleton.
No skeleton is too small: few forms occur on a page.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from operator import itemgetter

import numpy as np
import sympy
from sympy import Expr, KroneckerDelta, Piecewise, Symbol

from symderiv.judge.anatomy import index_only
from symderiv.judge.arithmetic import ELEMENTARY, Arithmetic, Array, Elementwise
from symderiv.judge.grids import undefined
from symderiv.kernel.terms import Cases

_DEEPEST = 40
"""What is nested deeper is a leaf: each level takes a few frames of Python's stack."""
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

_Run = Callable[[Sequence[Array]], Array]
"""From an array for each symbol, the value."""


@lru_cache(maxsize=2048)
def compiled(form: Expr, symbols: tuple[Symbol, ...], arithmetic: Arithmetic) -> Elementwise:
    """Return the form as a function of arrays, one for each symbol, in this arithmetic."""
    places = {symbol: at for at, symbol in enumerate(symbols)}

    def build(form: Expr) -> _Run:
        if isinstance(form, Symbol):
            return itemgetter(places[form])
        kind = elementary(type(form))
        if kind is None:
            return _constant(np.asarray(arithmetic.constant(form)))
        if kind is sympy.Pow:
            return _power(build, form, arithmetic)
        parts = [build(part) for part in form.args]
        if kind is sympy.Add:
            return _folded(operator.add, parts)
        if kind is sympy.Mul:
            product = _folded(operator.mul, parts)
            indicators = [build(part) for part in form.args if isinstance(part, Indicator)]
            return _given(product, _folded(operator.mul, indicators)) if indicators else product
        return _applied(arithmetic.functions[kind], parts)

    run = build(form)
    return lambda *arrays: run(arrays)


def _constant(value: Array) -> _Run:
    return lambda arrays: value  # noqa: ARG005  a constant is a function, too


def _power(build: Callable[[Expr], _Run], form: Expr, arithmetic: Arithmetic) -> _Run:
    base, exponent = form.args
    below = build(base)
    if exponent == 2:
        return lambda arrays: _square(below(arrays))
    if exponent.is_Integer:
        return _applied(arithmetic.integer_power, [below, _constant(np.asarray(int(exponent)))])
    whole = isinstance(exponent, Whole)
    function = arithmetic.integer_power if whole else arithmetic.power
    return _applied(function, [below, build(exponent)])


def _square(value: Array) -> Array:
    return value * value


def _folded(operation: Callable[[Array, Array], Array], parts: Sequence[_Run]) -> _Run:
    """Return what adds up or multiplies its parts, from the left."""
    first, *rest = parts

    def run(arrays: Sequence[Array]) -> Array:
        value = first(arrays)
        for part in rest:
            value = operation(value, part(arrays))
        return value

    return run


def _applied(function: Elementwise, parts: Sequence[_Run]) -> _Run:
    if len(parts) == 1:
        (only,) = parts
        return lambda arrays: function(only(arrays))
    return lambda arrays: function(*[part(arrays) for part in parts])


def _given(product: _Run, indicators: _Run) -> _Run:
    """Return a product that is 0 where its indicators are, be the rest undefined."""

    def run(arrays: Sequence[Array]) -> Array:
        value = product(arrays)
        if not undefined(value).any():
            return value
        indicator = indicators(arrays)
        return np.where(indicator == 0, 0 * indicator, value)

    return run

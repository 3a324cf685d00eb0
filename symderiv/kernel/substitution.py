"""Terms are rebuilt: free indices are replaced, and nothing is evaluated on the way.

SymPy's own constructors ask their assumptions, fold a Piecewise out of a sum, and capture bound indices.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from operator import is_

import sympy
from sympy import (
    Add,
    Basic,
    Expr,
    Function,
    Indexed,
    KroneckerDelta,
    Max,
    Min,
    Mul,
    Number,
    Piecewise,
    Pow,
    Product,
    Sum,
    Symbol,
    Tuple,
)
from sympy.functions.elementary.piecewise import ExprCondPair

from symderiv.kernel.terms import Cases, Entry, Greatest, OfMatrix, free_in, fresh, name_of, nodes, total

ZERO: Expr = sympy.Integer(0)
ONE: Expr = sympy.Integer(1)


def without_piecewise(term: Basic) -> Expr:
    """Return `term` with every Piecewise as Cases, before SymPy can fold one out of a sum."""
    if not any(isinstance(node, Piecewise) for node in nodes(term)):
        return term
    arguments = [without_piecewise(a) for a in term.args]
    if isinstance(term, Piecewise):
        return Cases(*(part for pair in arguments for part in pair.args))
    return Tuple(*arguments) if isinstance(term, ExprCondPair) else term.func(*arguments)


def substitute(term: Basic, mapping: Mapping[Basic, Basic]) -> Expr:
    """Replace free indices simultaneously; a bound index that would capture one is renamed."""
    if isinstance(term, Symbol):
        return mapping.get(term, term)
    if free_in(term).isdisjoint(mapping):
        return term
    if not isinstance(term, Sum | Product | Greatest | OfMatrix):
        return rebuilt(term, [substitute(a, mapping) for a in _parts(term)])
    coming = frozenset[Basic]().union(*(value.free_symbols for value in mapping.values()))
    if isinstance(term, OfMatrix):
        return _inside_matrix(term, mapping, coming)
    inside, limits = dict(mapping), []
    for bound, low, high in reversed(term.limits):
        ends = (substitute(low, inside), substitute(high, inside))
        inside.pop(bound, None)
        renamed = bound
        if bound in coming:
            renamed = inside[bound] = fresh(bound.name)
        limits.append((renamed, *ends))
    return over(term, substitute(term.function, inside), *reversed(limits))


def _parts(term: Basic) -> tuple[Basic, ...]:
    """Return the arguments of a term in which an index may stand: all but the base of an entry."""
    return term.args[1:] if isinstance(term, Indexed) else term.args


def rebuilt(term: Basic, parts: list[Basic]) -> Expr:
    """Return a term with these in the place of its parts: the term itself where they are the same."""
    if all(map(is_, parts, _parts(term))):
        return term
    if isinstance(term, Indexed):
        return Entry(term.base, *parts)
    if isinstance(term, KroneckerDelta):
        return delta(*parts)
    if isinstance(term, Add | Mul):
        flat = [inner for part in parts for inner in (part.args if type(part) is type(term) else (part,))]
        return as_it_stands(type(term), *flat)
    if isinstance(term, Max | Min):
        return term.func(*parts, evaluate=False)
    if isinstance(term, Pow):
        return as_it_stands(Pow, *parts)
    if isinstance(term, Function):
        made = Expr.__new__(term.func, *parts)
        made.nargs = term.nargs
        return made
    return term.func(*parts)


def as_it_stands(operator: type[Expr], *arguments: Basic) -> Expr:
    """Return an operator at arguments, as they are: SymPy would infer their signs first, and look them up."""
    if operator in (Add, Mul):
        arguments = tuple(a for a in arguments if a is not operator.identity)
        if len(arguments) < 2:
            return arguments[0] if arguments else operator.identity
    made = Expr.__new__(operator, *arguments)
    made.is_commutative = True
    return made


def over(term: Expr, body: Expr, *limits: tuple[Expr, Expr, Expr]) -> Expr:
    """Return a sum, product or maximum like `term` of another body."""
    return total(body, *limits) if isinstance(term, Sum) else type(term)(body, *limits)


def _inside_matrix(term: OfMatrix, mapping: Mapping[Basic, Basic], coming: frozenset[Basic]) -> Expr:
    """Replace free indices of an inverse or determinant."""
    *bound, size = term.places
    renamed = {k: fresh(k.name) if k in coming else k for k in bound}
    inside = {i: value for i, value in mapping.items() if i not in renamed}
    inside |= {k: other for k, other in renamed.items() if k != other}
    places = (*renamed.values(), size.xreplace(mapping))
    return term.func(substitute(term.body, inside), places, *(a.xreplace(mapping) for a in term.args[2:]))


@lru_cache(maxsize=4096)
def names_in(term: Expr) -> frozenset[str]:
    """Return the tensor names that occur in a term."""
    return frozenset(name for node in nodes(term) if (name := name_of(node)) is not None)


def delta(k: Expr, i: Expr) -> Expr:
    """Return Kronecker's delta; SymPy's own evaluation asks its assumptions, which is slow."""
    if k == i:
        return ONE
    if isinstance(k, Number) and isinstance(i, Number):
        return ZERO
    return KroneckerDelta(*sorted((k, i), key=_in_order), evaluate=False)


def _in_order(index: Expr) -> str:
    return index.name if isinstance(index, Symbol) else str(index)

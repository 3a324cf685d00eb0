"""Terms as sums of products, the shape in which they are folded, factored and printed.

Vocabulary. A *product* is a coefficient times *factors*, each a base to a rational power, summed over *bound*
indices: `Σ_k 2 W_ik x_k` has coefficient 2, bound k, and the bases `W_ik` and `x_k`. An exponential is split
over the terms of its exponent, so that `e^(a + 2 b)` has the bases `e^a` and `e^b`, the second squared. Sums
inside a base bear canonical indices, so that equal bases are equal terms.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

import sympy
from sympy import Add, Expr, Indexed, KroneckerDelta, Mul, Pow, Product, Rational, Sum, Symbol, exp

from symderiv.kernel.terms import D, Greatest, Index, OfMatrix, Size, fresh, power_of_e

CANONICAL = "·"
"""Begins the name of an index that is bound inside a base."""
Limit = tuple[Index, Expr]


@dataclass(frozen=True, slots=True)
class Term:
    """One product."""

    coefficient: Rational
    bound: tuple[Limit, ...]
    factors: Mapping[Expr, Rational]

    def indices(self) -> frozenset[Index]:
        """Return the indices of the factors, the bound ones included."""
        return indices_of(self.factors)


def indices_of(terms: Iterable[Expr]) -> frozenset[Index]:
    """Return the free indices of some terms."""
    return frozenset(s for term in terms for s in term.free_symbols if isinstance(s, Index))


@lru_cache(maxsize=4096)
def canonical(term: Expr) -> Expr:
    """Return a term in which every sum's indices are named by how deep they stand."""
    return _canonical(term)[0]


def _canonical(term: Expr) -> tuple[Expr, int]:
    if isinstance(term, Sum | Product | Greatest):
        inner, height = _canonical(term.function)
        named = {limit[0]: Index(f"{CANONICAL}{height}.{place}") for place, limit in enumerate(term.limits)}
        limits = [(named[k], low, high) for k, low, high in term.limits]
        return type(term)(inner.xreplace(named), *limits), height + 1
    if isinstance(term, OfMatrix):
        inner, height = _canonical(term.body)
        *bound, size = term.places
        named = {k: Index(f"{CANONICAL}{height}.{place}") for place, k in enumerate(bound)}
        return term.func(inner.xreplace(named), (*named.values(), size), *term.args[2:]), height + 1
    if not term.has(Sum, Product, Greatest, OfMatrix) or not term.args:
        return term, 0
    parts = [_canonical(a) if isinstance(a, sympy.Basic) else (a, 0) for a in term.args]
    return term.func(*(part for part, _ in parts)), max(height for _, height in parts)


def flat(term: Expr) -> tuple[Term, ...]:
    """Return a term as a sum of products; nothing is multiplied out."""
    return tuple(flat_product(part) for part in Add.make_args(term))


@lru_cache(maxsize=4096)
def flat_product(term: Expr) -> Term:  # noqa: C901  one branch a kind of factor
    """Return one product; sums among its factors become its bound indices.

    One term has one such product, kept: SymPy asks for the signs of all that a new index is put into.
    """
    coefficient: Rational = sympy.S.One
    bound: list[Limit] = []
    factors: dict[Expr, Rational] = {}

    def put(base: Expr, power: Rational) -> None:
        total = factors.get(base, sympy.S.Zero) + power
        if total:
            factors[base] = total
        else:
            factors.pop(base, None)

    for factor in Mul.make_args(term):
        if isinstance(factor, Rational):
            coefficient *= factor
        elif isinstance(factor, exp):
            for part in Add.make_args(sympy.expand(factor.exp)):
                number, rest = part.as_coeff_Mul()
                put(power_of_e(canonical(rest)), number)
        elif isinstance(factor, Sum) and all(low == 1 for _, low, _ in factor.limits):
            apart = {limit[0]: fresh(_letter(limit[0])) for limit in factor.limits}
            inner = flat_product(factor.function.xreplace(apart))
            coefficient *= inner.coefficient
            bound.extend((apart[k], high) for k, _, high in factor.limits)
            bound.extend(inner.bound)
            for base, power in inner.factors.items():
                put(base, power)
        elif isinstance(factor, Pow) and isinstance(factor.exp, Rational):
            whole = factor.exp.is_Integer
            for part in Mul.make_args(factor.base) if whole else (factor.base,):
                base, power = part.as_base_exp() if not isinstance(part, exp) else (part, sympy.S.One)
                if isinstance(power, Rational) and not (isinstance(base, Rational) and whole):
                    put(canonical(base), power * factor.exp)
                elif isinstance(part, Rational):
                    coefficient *= part**factor.exp
                else:
                    put(canonical(part), factor.exp)
        else:
            put(canonical(factor), sympy.S.One)
    return Term(coefficient, tuple(bound), factors)


def _letter(index: Index) -> str:
    return "k" if index.name.startswith(CANONICAL) else index.name.split("#")[0]


def built(terms: Sequence[Term]) -> Expr:
    """Return the SymPy term of a sum of products."""
    return Add(*(built_product(term) for term in terms))


def built_product(term: Term) -> Expr:
    """Return the SymPy term of one product."""
    inside = [Pow(base, power) for base, power in term.factors.items()]
    if not term.bound:
        return Mul(term.coefficient, *inside)
    return Mul(term.coefficient, Sum(Mul(*inside), *((k, 1, size) for k, size in term.bound)))


def weight(term: Expr) -> float:
    """Return how much there is to read in a term."""
    if isinstance(term, Indexed | Symbol):
        return 1.0
    if isinstance(term, Rational):
        return 0.3 if term.is_Integer else 0.6
    if isinstance(term, D):
        return 1.5 + 0.5 * (len(term.variables) - 1)
    if isinstance(term, KroneckerDelta):
        return 1.0
    if isinstance(term, Sum | Product | Greatest):
        return 1.5 * len(term.limits) + weight(term.function)
    if isinstance(term, Mul | Add):
        return sum(weight(a) for a in term.args) + 0.1 * len(term.args)
    return 0.5 + sum(weight(a) for a in term.args if isinstance(a, Expr))


def cost(terms: Sequence[Term]) -> float:
    """Return how much there is to read in a sum of products."""
    total = 0.2 * len(terms)
    for term in terms:
        total += 0.3 * (abs(term.coefficient) != 1) + 1.5 * len(term.bound)
        for base, power in term.factors.items():
            total += weight(base) + 0.4 * (power != 1)
    return total


def is_size(term: Expr) -> bool:
    """Tell whether a term is made of sizes and numbers only."""
    return all(isinstance(s, Size) for s in term.free_symbols)

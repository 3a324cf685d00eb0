"""Factoring: what the terms of a sum have in common is written once.

`β δ_ij y_i − β y_i y_j` becomes `β y_i (δ_ij − y_j)`, and `Σ_j g_j y_j − Σ_j g_j t_j` becomes
`Σ_j g_j (y_j − t_j)`. Nothing is searched for: only what all terms share is taken out, sums over equal ranges
being given the same indices first.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from itertools import permutations

from sympy import Expr, Heaviside, Integer, KroneckerDelta, Piecewise, Rational, gcd, lcm, true

from symderiv.kernel.terms import Index
from symderiv.meaning.notation.products import Limit, Term, built, indices_of

ALIGNED = 3
"""How many bound indices are aligned between terms, at most."""


def factored(terms: Sequence[Term]) -> tuple[Term, ...]:
    """Return the same sum with what all its terms share taken out."""
    parts = [_settled(term) for term in terms]
    if len(parts) < 2:
        return tuple(parts)
    aligned = _aligned(parts)
    return _taken_out(parts if aligned is None else aligned, lambda _: True, joined=aligned is not None)


def with_common(terms: Sequence[Term], wanted: Callable[[Expr], bool]) -> tuple[Term, ...]:
    """Return the same sum with what all its terms share and is wanted taken out."""
    parts = [_settled(term) for term in terms]
    return _taken_out(parts, wanted, joined=False) if len(parts) > 1 else tuple(parts)


def _taken_out(parts: Sequence[Term], wanted: Callable[[Expr], bool], *, joined: bool) -> tuple[Term, ...]:
    shared = parts[0].bound if joined else ()
    inner = set() if joined else {k for part in parts for k, _ in part.bound}
    common = {base: power for base, power in _common(parts, inner).items() if wanted(base)}
    coefficient = _content(part.coefficient for part in parts)
    if not common and not shared and abs(coefficient) == 1:
        return tuple(parts)
    rest = [
        Term(
            part.coefficient / coefficient,
            () if joined else part.bound,
            {b: p for b, p in ((b, p - common.get(b, Integer(0))) for b, p in part.factors.items()) if p},
        )
        for part in parts
    ]
    return (Term(coefficient, shared, {**common, indicated(built(rest)): Integer(1)}),)


def indicated(term: Expr) -> Expr:
    """Write `1 − 1[−a > 0]` as `1[a ≥ 0]`, which is the same."""
    marks = [mark for mark in term.atoms(Heaviside) if len(mark.args) == 2 and mark.args[1] == 0]
    if len(marks) == 1 and term == 1 - marks[0]:
        return Piecewise((Integer(1), -marks[0].args[0] >= 0), (Integer(0), true))
    return term


def _settled(term: Term) -> Term:
    """Write the factors beside `δ_ij` at i, the first of its two indices in the alphabet."""
    moved: dict[Index, Expr] = {}
    deltas = {}
    for base, power in term.factors.items():
        if isinstance(base, KroneckerDelta) and all(isinstance(a, Index) for a in base.args):
            first, second = sorted(base.args, key=lambda index: str(index.name))
            moved[second] = first
            deltas[base] = power
    if not moved:
        return term
    others = {b: p for b, p in term.factors.items() if b not in deltas}
    factors: dict[Expr, Rational] = {}
    for base, power in others.items():
        new = base.xreplace(moved)
        factors[new] = factors.get(new, Integer(0)) + power
    return replace(term, factors={**deltas, **{b: p for b, p in factors.items() if p}})


def _common(parts: Sequence[Term], inner: set[Index]) -> dict[Expr, Rational]:
    """Return the factors that all products share, free of the indices that only some of them bind."""
    found: dict[Expr, Rational] = {}
    for base, power in parts[0].factors.items():
        powers = [part.factors.get(base, Integer(0)) for part in parts]
        same = all(p > 0 for p in powers) or all(p < 0 for p in powers)
        if same and not base.free_symbols & inner:
            found[base] = min(powers) if power > 0 else max(powers)
    return found


def _content(coefficients: Iterable[Rational]) -> Rational:
    """Return the largest rational that divides all; negative if all are."""
    values = list(coefficients)
    top = gcd([abs(c.p) for c in values])
    bottom = lcm([c.q for c in values])
    content = Rational(top, bottom)
    return -content if all(c < 0 for c in values) else content


def _aligned(parts: Sequence[Term]) -> list[Term] | None:
    """Return the products over the same bound indices, or None where nothing is shared then."""
    first = parts[0]
    if not first.bound or len(first.bound) > ALIGNED:
        return None
    sizes = sorted((str(size) for _, size in first.bound))
    if any(sorted(str(size) for _, size in part.bound) != sizes for part in parts):
        return None
    done = [first]
    for part in parts[1:]:
        best: Term | None = None
        most = 0
        for order in permutations(first.bound):
            if [size for _, size in order] != [size for _, size in part.bound]:
                continue
            named = _renamed(part, order)
            shared = sum(
                base in first.factors and bool(indices_of([base]) & {k for k, _ in first.bound})
                for base in named.factors
            )
            if shared > most:
                best, most = replace(named, bound=first.bound), shared
        if best is None:
            return None
        done.append(best)
    bound = {k for k, _ in first.bound}
    return done if any(base.free_symbols & bound for base in _common(done, set())) else None


def _renamed(part: Term, order: Sequence[Limit]) -> Term:
    named = {old: new for (old, _), (new, _) in zip(part.bound, order, strict=True)}
    return Term(
        part.coefficient, tuple(order), {base.xreplace(named): power for base, power in part.factors.items()}
    )

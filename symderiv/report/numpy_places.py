"""Whether an index that is computed, such as `i + k − 1`, lies within the tensor that it picks from.

Vocabulary. A *bound* is a combination of indices and sizes that is not negative: `e − 1` and `N − e` where
the place e lies between 1 and N. Indices run from 1 to their sizes; an indicator gives bounds.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import sympy
from sympy import Basic, Expr, Piecewise, Rational
from sympy.core.relational import GreaterThan, LessThan, StrictGreaterThan, StrictLessThan
from sympy.logic.boolalg import And

from symderiv.kernel.terms import Cases, Index
from symderiv.meaning.notation.entries import rows_of


def bounds_of(place: Expr, size: Expr) -> tuple[Expr, Expr]:
    """Return what is not negative where a place lies in a tensor."""
    return sympy.expand(place - 1), sympy.expand(size - place)


def always(bound: Expr, ranges: Mapping[Index, Expr]) -> bool:
    """Tell whether a bound holds for all indices in their ranges: it does where it is least."""
    for index in sorted(bound.free_symbols & ranges.keys(), key=str):
        slope = bound.diff(index)
        if not isinstance(slope, Rational):
            return False
        bound = sympy.expand(bound.subs(index, ranges[index] if slope < 0 else 1))
    return bool(bound.is_nonnegative)


def given_by(factors: Mapping[Expr, Rational]) -> Iterator[Expr]:
    """Yield the bounds without which a product is 0: those of its indicators."""
    for base, power in factors.items():
        if power > 0 and isinstance(base, Piecewise | Cases):
            (_, condition), *rest = rows_of(base)
            if all(value == 0 for value, _ in rest):
                yield from stated(condition)


def stated(condition: Basic) -> Iterator[Expr]:
    """Yield the bounds that a condition states."""
    for part in And.make_args(condition):
        if isinstance(part, GreaterThan | LessThan):
            yield sympy.expand(part.gts - part.lts)
        elif isinstance(part, StrictGreaterThan | StrictLessThan):
            yield sympy.expand(part.gts - part.lts - 1)

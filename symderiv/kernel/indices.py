"""Index expressions: integer polynomials over index and size names.

Vocabulary. A *variable* is a tuple: `(FREE, name)` a free index, `(SIZE, name)` a size, `(OPEN, n)` an index
bound by a sum that is open for work, `(WHOLE, n)` one that runs over all integers, `(BOUND, height, place)`
one bound inside a closed sum. An *index expression* is a sorted tuple of (product of variables, coefficient):
`i` is `((((1, "i"),), 1),)`, `1` is `(((), 1),)`, `0` is `()`. Every size, and every index but one over all
integers, is at least 1.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from math import gcd
from typing import Any

Variable = tuple[Any, ...]
IndexTerm = tuple[tuple[Variable, ...], int]
IndexExpr = tuple[IndexTerm, ...]

BOUND, FREE, SIZE, OPEN, COLOUR, WHOLE = 0, 1, 2, 3, 4, 5


def constant(value: int) -> IndexExpr:
    """Return the index expression of an integer."""
    return (((), value),) if value else ()


def bare(variable: Variable) -> IndexExpr:
    """Return the index expression of one variable."""
    return (((variable,), 1),)


EVERYWHERE: IndexExpr = bare((SIZE, "all integers"))
"""The size of a range without ends."""


def build(terms: Iterable[IndexTerm]) -> IndexExpr:
    """Return the index expression with these terms, like terms joined."""
    total: dict[tuple[Variable, ...], int] = {}
    for product, coefficient in terms:
        total[product] = total.get(product, 0) + coefficient
    return tuple(sorted([(p, c) for p, c in total.items() if c]))


def plus(a: IndexExpr, b: IndexExpr) -> IndexExpr:
    """Return a + b."""
    return build((*a, *b)) if a and b else a or b


def scaled(a: IndexExpr, factor: int) -> IndexExpr:
    """Return factor · a."""
    return tuple([(p, c * factor) for p, c in a]) if factor else ()


def minus(a: IndexExpr, b: IndexExpr) -> IndexExpr:
    """Return a − b."""
    return build((*a, *[(p, -c) for p, c in b])) if b else a


def times(a: IndexExpr, b: IndexExpr) -> IndexExpr:
    """Return a · b."""
    return build((tuple(sorted((*p, *q))), c * d) for p, c in a for q, d in b)


def replaced(a: IndexExpr, mapping: Mapping[Variable, IndexExpr]) -> IndexExpr:
    """Return `a` with variables replaced simultaneously."""
    if len(a) == 1 and a[0][1] == 1 and len(a[0][0]) == 1:
        return mapping.get(a[0][0][0], a)
    total: list[IndexTerm] = []
    for product, coefficient in a:
        part = constant(coefficient)
        for variable in product:
            part = times(part, mapping.get(variable, bare(variable)))
        total.extend(part)
    return build(total)


def renamed(a: IndexExpr, mapping: Mapping[Variable, Variable]) -> IndexExpr:
    """Return `a` with variables renamed; like terms stay apart (names may be colours)."""
    if len(a) == 1 and len(a[0][0]) == 1:
        variable = a[0][0][0]
        return (((mapping.get(variable, variable),), a[0][1]),)
    return tuple(sorted((tuple(sorted(mapping.get(v, v) for v in p)), c) for p, c in a))


def variables(a: IndexExpr) -> frozenset[Variable]:
    """Return the variables of `a`, sizes included."""
    return frozenset(v for p, _ in a for v in p)


def value(a: IndexExpr) -> int | None:
    """Return the integer that `a` is, or None."""
    if not a:
        return 0
    return a[0][1] if len(a) == 1 and not a[0][0] else None


def is_size(a: IndexExpr) -> bool:
    """Tell whether `a` is a symbolic size alone."""
    return len(a) == 1 and a[0][1] == 1 and len(a[0][0]) == 1 and a[0][0][0][0] == SIZE


def solved(a: IndexExpr, variable: Variable) -> IndexExpr | None:
    """Return the value of `variable` for which `a` is 0, if its coefficient is ±1 and it stands alone."""
    found = 0
    rest: list[IndexTerm] = []
    for product, coefficient in a:
        if product == (variable,):
            found = coefficient
        elif variable in product:
            return None
        else:
            rest.append((product, coefficient))
    return scaled(tuple(rest), -found) if found in (1, -1) else None


def primitive(a: IndexExpr) -> IndexExpr | None:
    """Return the equation a = 0 in canonical form: no common factor, the first coefficient positive.

    None when no integers solve it.
    """
    common = gcd(*(c for p, c in a if p))
    last = next((c for p, c in a if not p), 0)
    if common == 0:
        return a
    if last % common:
        return None
    lead = next(c for p, c in a if p)
    factor = common if lead > 0 else -common
    return tuple((p, c // factor) for p, c in a)


def at_least_zero(a: IndexExpr, upper: Mapping[Variable, tuple[IndexExpr, ...]]) -> bool:
    """Tell whether a ≥ 0 is certain, every variable being at least 1 and at most its upper bounds."""
    if all(c >= 0 or not p for p, c in a):
        return sum(c for _, c in a) >= 0 and not any(v[0] == WHOLE for p, _ in a for v in p)
    for product, coefficient in a:
        if coefficient < 0 and product:
            for variable in product:
                for bound in upper.get(variable, ()):
                    swapped = (
                        scaled(bound, coefficient)
                        if product == (variable,)
                        else times(scaled(bound, coefficient), _without(product, variable))
                    )
                    if at_least_zero(plus(_dropped(a, product), swapped), upper):
                        return True
    return False


def rising(a: IndexExpr) -> IndexExpr:
    """Return the positive terms of `a`: never less than `a`, as no variable is negative."""
    return tuple((p, c) for p, c in a if c > 0)


def _without(product: tuple[Variable, ...], variable: Variable) -> IndexExpr:
    rest = list(product)
    rest.remove(variable)
    return ((tuple(rest), 1),)


def _dropped(a: IndexExpr, product: tuple[Variable, ...]) -> IndexExpr:
    return tuple((p, c) for p, c in a if p != product)

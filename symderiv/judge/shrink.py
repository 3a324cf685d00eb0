"""Shrink: large fixed sizes become small ones, where the statement does not use their value.

Contract. `x ∈ R^784` and `Σ_{k=1}^{784}` become `x ∈ R^n` and `Σ_{k=1}^n` with a size named `784`, in every
term at once, or the goal is returned as it is. It is left alone where a number occurs from which 784 could
be made (784 itself as a value, 28, 1/784), since the statement may then hold at 784 only. `generalised` puts
the size there too: the statement is an instance of that, which may be false where the statement is not.
Vocabulary. A number stands *in place* as a bound, a shape, a range or an index; elsewhere it is a *value*.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import sympy
from sympy import Indexed, KroneckerDelta, Product, Sum, Tuple
from sympy.core.relational import Relational

from symderiv.judge.anatomy import Anatomy, index_only, traits
from symderiv.kernel.terms import Definition, Goal, Greatest, OfMatrix, Size

_LARGE = 12
"""Sizes up to this are evaluated as they are."""
_PLAIN = 3
"""Values made of numbers up to this, and powers of ten, are not made of a large size."""


class _ValueUsedError(Exception):
    """A number occurs as a value from which a large size could be made."""


def shrink(anatomy: Anatomy) -> Anatomy:
    """Return the goal with a symbolic size for each large fixed one, or as it is."""
    try:
        return _smaller(anatomy, everywhere=False)
    except _ValueUsedError:
        return anatomy


def generalised(anatomy: Anatomy) -> Anatomy | None:
    """Return a goal for sizes of any value, of which this one is an instance; None where there is none.

    Where its sides agree so do those of the goal itself; where they differ nothing is said of the goal.
    """
    try:
        smaller = _smaller(anatomy, everywhere=True)
    except _ValueUsedError:
        return None
    return None if smaller is anatomy else smaller


def _smaller(anatomy: Anatomy, *, everywhere: bool) -> Anatomy:
    """Return the goal with its large sizes replaced in place, or everywhere."""
    goal = anatomy.goal
    shapes = {name: anatomy.shape(name) for name in anatomy.names}
    sizes = [size for shape in shapes.values() for size in shape] + list(goal.ranges.values())
    for term in (goal.left, goal.right, *anatomy.bodies):
        sizes.extend(traits(term).ends)
    large = {size: Size(str(size)) for size in sizes if isinstance(size, sympy.Integer) and size > _LARGE}
    if not large:
        return anatomy
    definitions = {name: one for name, one in goal.context.definitions.items() if name in anatomy.names}
    values: dict[Any, Any] = {}
    if everywhere:
        values = {**large, **{1 / size: 1 / name for size, name in large.items()}}
    context = replace(
        goal.context,
        definitions={
            name: Definition(name, one.slots, _in_value(one.body, large, values))
            for name, one in definitions.items()
        },
        shapes={name: tuple(_in_place(size, large) for size in shape) for name, shape in shapes.items()},
    )
    return Anatomy(
        Goal(
            _in_value(goal.left, large, values),
            _in_value(goal.right, large, values),
            {index: _in_place(size, large) for index, size in goal.ranges.items()},
            tuple(
                _in_place(one, large) if index_only(one) else _in_value(one, large, values)
                for one in goal.assumptions
            ),
            context,
        ),
        anatomy.recall,
    )


def _in_place(term: Any, large: dict[Any, Size]) -> Any:
    """Return an index expression, a bound or a size with the large sizes replaced."""
    if not isinstance(term, sympy.Basic):
        return term
    if term in large:
        return large[term]
    if term.is_Number and abs(term) > _LARGE:
        raise _ValueUsedError
    return term.func(*[_in_place(part, large) for part in term.args]) if term.args else term


def _in_value(term: Any, large: dict[Any, Size], values: dict[Any, Any]) -> Any:
    """Return a term with the large sizes replaced where they stand in place, and numbers by their values."""
    if isinstance(term, sympy.Rational):
        if abs(term) in values:
            return values[abs(term)] if term > 0 else -values[abs(term)]
        if not _is_plain(term, large):
            raise _ValueUsedError
        return term
    if not term.args:
        return term
    if isinstance(term, Indexed):
        return term.func(term.args[0], *[_in_place(index, large) for index in term.indices])
    if isinstance(term, KroneckerDelta) or (isinstance(term, Relational) and index_only(term)):
        return term.func(*[_in_place(part, large) for part in term.args])
    if isinstance(term, Sum | Product | Greatest):
        limits = [(index, _in_place(low, large), _in_place(high, large)) for index, low, high in term.limits]
        return term.func(_in_value(term.function, large, values), *limits)
    if isinstance(term, OfMatrix):
        inside = [_in_place(part, large) for part in (Tuple(*term.places), *term.args[2:])]
        return term.func(_in_value(term.body, large, values), *inside)
    return term.func(*[_in_value(part, large, values) for part in term.args])


def _is_plain(number: sympy.Rational, large: dict[Any, Size]) -> bool:
    """Tell whether a number is not made of a large size; powers of ten may be, where a size is one."""
    tens = any(map(_is_power_of_ten, large))
    parts = abs(int(number.p)), int(number.q)
    return all(part <= _PLAIN or (_is_power_of_ten(part) and not tens) for part in parts)


def _is_power_of_ten(number: Any) -> bool:
    return bool(number >= 10 and str(number).rstrip("0") == "1")

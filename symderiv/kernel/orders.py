"""Orders: what follows from inequalities, those of the page and those of a case.

Vocabulary. An *inequality* is a linear form that is > 0 or >= 0, every product of atoms a variable of its
own. Inequalities *contradict* one another when no numbers satisfy them all, by Fourier's and Motzkin's
elimination: what it excludes is excluded, what it does not see is left open. An *order* is an inequality that
the page supposes; it *speaks* of an atom when it is supposed for every entry and the atom is one.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from itertools import combinations_with_replacement
from typing import TYPE_CHECKING

from symderiv.kernel import indices as ix
from symderiv.kernel.indices import IndexExpr, Variable
from symderiv.kernel.polynomial import UNIT, Atom, Kind, Polynomial, scaled

if TYPE_CHECKING:
    from symderiv.kernel.normal import Algebra

INEQUALITIES = 80
"""Inequalities are no longer compared when their consequences are more than this."""

PRODUCTS = 3
"""Where orders are no more than this, they are multiplied by one another."""

Inequality = tuple[dict[object, Fraction], bool]
"""A linear form, its constant under `None`, that is > 0 if strict, else >= 0."""


@dataclass(frozen=True, slots=True)
class Order:
    """A hypothesis: `form > 0` if strict, else `form >= 0`, for every value of `variables`."""

    form: Polynomial
    strict: bool
    variables: tuple[Variable, ...]
    source: str


def sign(algebra: Algebra, p: Polynomial) -> int:
    """Return 2 if the orders of the page make p > 0, 1 if they make it >= 0, else 0."""
    if not algebra.orders or not p.terms:
        return 0
    if p not in algebra.ordered:
        orders, algebra.orders = algebra.orders, ()
        try:
            algebra.ordered[p] = _sign(algebra, p, orders)
        finally:
            algebra.orders = orders
    found, sources = algebra.ordered[p]
    algebra.used |= sources
    return found


def _sign(algebra: Algebra, p: Polynomial, orders: tuple[Order, ...]) -> tuple[int, frozenset[str]]:
    """Return the sign of p by one of the orders where one is enough, else by all."""
    opposite = scaled(p, -1)
    for some in (*((order,) for order in orders), orders):
        forms = list(instances(algebra, some, [p]))
        if len(forms) <= PRODUCTS and any(sum(m.factors.values()) > 1 for m in p.terms):
            pairs = combinations_with_replacement(forms, 2)
            forms += [(algebra.times(f, g), first and second) for (f, first), (g, second) in pairs]
        known = [*forms, *monomials(algebra, [p, *(form for form, _ in forms)])]
        if not contradictory([*map(_linear, known), _linear((opposite, True))]):
            continue
        positive = contradictory([*map(_linear, known), _linear((opposite, False))])
        return 1 + positive, frozenset(order.source for order in some)
    return 0, frozenset()


def instances(
    algebra: Algebra, orders: Iterable[Order], of: Iterable[Polynomial]
) -> Iterator[tuple[Polynomial, bool]]:
    """Yield the forms of orders, for every atom of which they speak, and if each is strict."""
    atoms = dict.fromkeys(a for p in of for m in p.terms for a in m.factors)
    for order in orders:
        if not order.variables:
            yield order.form, order.strict
        for a in atoms if order.variables else ():
            values = _values(order, a)
            if values is not None:
                yield algebra.substitute(order.form, values), order.strict


def _values(order: Order, a: Atom) -> dict[Variable, IndexExpr] | None:
    """Return the values of an order's variables at which an entry in it is this atom, or None."""
    for b in {b: None for m in order.form.terms for b in m.factors if b.kind is Kind.ENTRY}:
        if (a.kind, a.name, len(a.indices)) == (b.kind, b.name, len(b.indices)):
            values = dict(zip(map(_variable, b.indices), a.indices, strict=True))
            if values.keys() == set(order.variables) and len(values) == len(a.indices):
                return {v: form for v, form in values.items() if v is not None}
    return None


def _variable(form: IndexExpr) -> Variable | None:
    """Return the variable that an index expression is, or None."""
    variables = ix.variables(form)
    v = next(iter(variables)) if len(variables) == 1 else None
    return v if v is not None and form == ix.bare(v) else None


def leave_room(orders: tuple[Order, ...]) -> bool:
    """Tell whether orders certainly leave more than a few points: `a <= 0 <= a` does not.

    Those that are strict leave an open set, or nothing. Of the others each entry may be bounded, once where
    it stands for every entry of its name.
    """
    loose = [order for order in orders if not order.strict]
    alone = [m for order in loose for m in order.form.terms if m != UNIT]
    if any(m.exponent or [(a.kind, e) for a, e in m.factors.items()] != [(Kind.ENTRY, 1)] for m in alone):
        return False
    names = [a.name for a in {a: None for m in alone for a in m.factors}]
    every = {a.name for order in loose if order.variables for m in order.form.terms for a in m.factors}
    if any(names.count(name) > 1 for name in every):
        return False
    return not contradictory([(linear(order.form), True) for order in orders])


def monomials(algebra: Algebra, of: Iterable[Polynomial]) -> Iterator[tuple[Polynomial, bool]]:
    """Yield the monomials of some polynomials that are certainly at least 0, and if each is > 0."""
    for m in {m: None for p in of for m in p.terms if m != UNIT}:
        only = Polynomial({m: 1})
        known = algebra.sign(only)
        if known:
            yield only, known == 2


def _linear(known: tuple[Polynomial, bool]) -> Inequality:
    p, strict = known
    return linear(p), strict


def linear(p: Polynomial) -> dict[object, Fraction]:
    """Return a polynomial as a linear form in its monomials."""
    return {None if m == UNIT else m: Fraction(c) for m, c in p.terms.items()}


def contradictory(inequalities: list[Inequality]) -> bool:
    """Tell whether no numbers satisfy all of the inequalities, by eliminating one variable after another."""
    while True:
        if any(not _possible(form, strict=strict) for form, strict in inequalities):
            return True
        variables = {v for form, _ in inequalities for v in form if v is not None}
        if not variables:
            return False
        v = min(variables, key=lambda v: sum(v in form for form, _ in inequalities))
        above = [i for i in inequalities if i[0].get(v, 0) > 0]
        below = [i for i in inequalities if i[0].get(v, 0) < 0]
        kept = [i for i in inequalities if v not in i[0]]
        if len(kept) + len(above) * len(below) > INEQUALITIES:
            return False
        inequalities = kept + [_joined(v, a, b) for a in above for b in below]


def _possible(form: Mapping[object, Fraction], *, strict: bool) -> bool:
    if any(v is not None for v in form):
        return True
    return form.get(None, 0) > 0 or (not strict and form.get(None, 0) == 0)


def _joined(v: object, a: Inequality, b: Inequality) -> Inequality:
    """Return the sum of multiples of two inequalities in which v is gone."""
    s, t = -b[0][v], a[0][v]
    keys = (a[0].keys() | b[0].keys()) - {v}
    form = {u: c for u in keys if (c := s * a[0].get(u, 0) + t * b[0].get(u, 0))}
    return form, a[1] or b[1]

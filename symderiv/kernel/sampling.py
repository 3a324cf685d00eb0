"""Sampling: the value of a polynomial at one made-up point, to turn down what is not zero at once.

It only ever turns down: nothing here takes part in a proof. Sizes are 2 and 3, entries come from a hash of
their names; what has no real value there is left undecided.
"""

from __future__ import annotations

import cmath
import itertools
import math
import operator
import random
from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from typing import TYPE_CHECKING

from symderiv.kernel import indices as ix
from symderiv.kernel.cases import atoms_of
from symderiv.kernel.indices import IndexExpr, Variable
from symderiv.kernel.polynomial import Atom, Kind, Monomial, Polynomial, atom

if TYPE_CHECKING:
    from symderiv.kernel.cases import Facts
    from symderiv.kernel.normal import Algebra
    from symderiv.kernel.orders import Order

TOLERANCE = 1e-6
"""Relative to the sum of the absolute values of the terms."""
LOOPS = 20_000
"""How many times the body of a sum is evaluated at most."""

_SINGULAR = 1e-6
"""A matrix whose pivot is smaller is taken to have no inverse."""

Place = dict[Variable, int]

FUNCTIONS: Mapping[str, Callable[..., complex]] = {
    "log": cmath.log,
    "sin": cmath.sin,
    "cos": cmath.cos,
    "asin": cmath.asin,
    "acos": cmath.acos,
    "atan": cmath.atan,
    "asinh": cmath.asinh,
    "acosh": cmath.acosh,
    "atanh": cmath.atanh,
    "erf": lambda a: complex(math.erf(a.real)),
    "pow": lambda a, b: a**b,
}


class Undecided(Exception):
    """The sample tells nothing."""


def nonzero(p: Polynomial, algebra: Algebra, facts: Facts) -> bool:
    """Tell whether p is certainly not identically 0 where the facts hold, and the hypotheses."""
    if (algebra.rules or algebra.orders or algebra.relations) and not _named(p).isdisjoint(
        _restricted(algebra)
    ):
        return False
    orders = [order for order in algebra.orders if not order.variables]
    for seed in range(1, 9 if facts or orders else 3):
        sample = _Sample(seed, algebra.upper, algebra.positive_names, algebra.values)
        try:
            if not sample.admits(facts) or not sample.follows(orders):
                continue
            terms = [sample.term(m, c, {}) for m, c in p.terms.items()]
        except (Undecided, OverflowError, ZeroDivisionError, ValueError):
            continue
        scale = sum(map(abs, terms))
        if math.isfinite(scale) and abs(sum(terms)) > TOLERANCE * scale:
            return True
    return False


def _restricted(algebra: Algebra) -> frozenset[str]:
    """Return the names of what is supposed for all indices: a sample does not satisfy that."""
    forms = [side for rule in algebra.rules for side in (atom(rule.pattern), rule.replacement)]
    forms += [order.form for order in algebra.orders if order.variables]
    forms += [relation.form for relation in algebra.relations]
    return frozenset[str]().union(*map(_named, forms))


def _named(p: Polynomial) -> frozenset[str]:
    """Return the names of the tensors and functions in a polynomial."""
    return frozenset(a.name.split(" ", maxsplit=1)[0] for a in atoms_of(p) if a.kind in _NAMED)


_NAMED = frozenset({Kind.ENTRY, Kind.SYMMETRIC, Kind.PARTIAL, Kind.UNKNOWN})


class _Sample:
    def __init__(
        self,
        seed: int,
        upper: Mapping[Variable, tuple[IndexExpr, ...]],
        positive: frozenset[str],
        values: Mapping[str, tuple[int, ...]],
    ) -> None:
        self.seed = seed
        self.upper = upper
        self.positive = positive
        self.values = values
        self.loops = 0
        self.eliminated: dict[object, tuple[complex, list[list[complex]]]] = {}
        self.made: dict[tuple[object, ...], float] = {}
        self.placed: dict[Variable, int] = {}
        self.folded: dict[object, complex] = {}
        """The values of sums and the like, by where they are taken."""

    def admits(self, facts: Facts) -> bool:
        """Tell whether the facts hold here."""
        signs = ((self.polynomial(p, {}).real, sign) for p, sign in facts.signs)
        return all(self.index(form, {}) >= 0 for form in facts.steps) and all(
            abs(value) > TOLERANCE and (value > 0) == (sign > 0) and sign != 0 for value, sign in signs
        )

    def follows(self, orders: Sequence[Order]) -> bool:
        """Tell whether what the page supposes holds here."""
        return all(self.polynomial(order.form, {}).real > TOLERANCE for order in orders)

    def number(self, *token: object) -> float:
        if token not in self.made:
            self.made[token] = random.Random(f"{self.seed} {token}").uniform(0.4, 1.6)  # noqa: S311 - no secret
        return self.made[token]

    def signed(self, name: str, *token: object) -> float:
        value = self.number(name, *token)
        if name in self.values and len(token) == 1:
            return random.Random(f"{self.seed} {name} {token}").choice(self.values[name])  # noqa: S311 - no secret
        if self.seed == 1 or name in self.positive:
            return value
        return value if self.number("sign", name, *token) > 1 else -value

    def size(self, name: str) -> int:
        return 2 + (sum(map(ord, name)) + self.seed) % 2

    def variable(self, v: Variable, place: Place) -> int:
        if v in place:
            return place[v]
        if v[0] == ix.SIZE:
            return self.size(v[1])
        if v not in self.placed:
            last = max(1, min((self.index(bound, {}) for bound in self.upper.get(v, ())), default=2))
            self.placed[v] = random.Random(f"{self.seed} {v}").randint(1, last)  # noqa: S311 - no secret
        return self.placed[v]

    def index(self, form: IndexExpr, place: Place) -> int:
        if form == ix.EVERYWHERE:
            raise Undecided
        return sum(c * math.prod(self.variable(v, place) for v in product) for product, c in form)

    def polynomial(self, p: Polynomial, place: Place) -> complex:
        return sum((self.term(m, c, place) for m, c in p.terms.items()), 0j)

    def term(self, m: Monomial, c: int | Fraction, place: Place) -> complex:
        result = complex(c)
        for a, e in sorted(m.factors.items(), key=lambda t: -t[0].kind):
            if result == 0:
                return 0j
            value = self.atom(a, place)
            if value.imag or (e != int(e) and value.real < 0):
                raise Undecided
            result *= value ** (int(e) if e == int(e) else float(e))
        return result * cmath.exp(self.polynomial(m.exponent, place)) if m.exponent else result

    def atom(self, a: Atom, place: Place) -> complex:
        if a.kind in (Kind.SUM, Kind.PRODUCT, Kind.GREATEST):
            return self.loop(a, place)
        if a.kind in (Kind.INVERSE, Kind.DETERMINANT):
            return self.matrix(a, place)
        indices = tuple(self.index(i, place) for i in a.indices)
        inner = [self.polynomial(p, place) for p in a.inner] if a.kind is not Kind.PARTIAL else []
        return VALUES[a.kind](self, a, indices, inner, place)

    def matrix(self, a: Atom, place: Place) -> complex:
        """Return an entry of an inverse, or a determinant."""
        token = (a.inner, a.sizes, tuple(sorted((v, place[v]) for v in a.inner[0].free if v in place)))
        if token not in self.eliminated:
            self.eliminated[token] = _eliminated(self.square(a, place))
        determinant, inverse = self.eliminated[token]
        if a.kind is Kind.DETERMINANT:
            return determinant
        i, j = (self.index(k, place) - 1 for k in a.indices)
        if not (0 <= i < len(inverse) and 0 <= j < len(inverse)):
            raise Undecided
        return inverse[i][j]

    def square(self, a: Atom, place: Place) -> list[list[complex]]:
        """Return all entries of the matrix of an inverse or determinant."""
        places = range(1, self.index(a.sizes[0], {}) + 1)
        self.loops += len(places) ** 2
        row, column = a.bound()
        body = a.inner[0]
        return [[self.polynomial(body, place | {row: p, column: q}) for q in places] for p in places]

    def partial(self, a: Atom, indices: tuple[int, ...], place: Place) -> complex:
        (m, _), *_ = a.inner[0].terms.items()
        by = [(b.name, tuple(self.index(i, place) for i in b.indices), e) for b, e in m.factors.items()]
        return complex(self.signed(a.name, indices, self.joined(by)))

    def unknown(self, a: Atom, inner: list[complex]) -> complex:
        weights = [self.number(a.name.split(" ", maxsplit=1)[0], n) for n in range(len(inner))]
        angle = sum(w * value for w, value in zip(weights, inner, strict=True))
        return cmath.sin(angle + self.number(a.name))

    def joined(
        self, by: list[tuple[str, tuple[int, ...], int | Fraction]]
    ) -> tuple[tuple[str, tuple[int, ...]], ...]:
        """Return the variables of a derivative, each as often as it is taken, in order."""
        return tuple(sorted((name, at) for name, at, e in by for _ in range(int(e))))

    def loop(self, a: Atom, place: Place) -> complex:
        token = (a, frozenset((v, place[v]) for v in a.free if v in place))
        if token not in self.folded:
            self.folded[token] = self._folded(a, place)
        return self.folded[token]

    def _folded(self, a: Atom, place: Place) -> complex:
        result, join = FOLDS[a.kind]
        ranges = [range(1, self.index(size, place) + 1) for size in a.sizes]
        for at in itertools.product(*ranges):
            self.loops += 1
            if self.loops > LOOPS:
                raise Undecided
            inner = self.polynomial(a.inner[0], place | dict(zip(a.bound(), at, strict=True)))
            result = join(result, inner)
        return result


FOLDS: Mapping[Kind, tuple[complex, Callable[[complex, complex], complex]]] = {
    Kind.SUM: (0j, operator.add),
    Kind.PRODUCT: (1 + 0j, operator.mul),
    Kind.GREATEST: (complex(-math.inf), lambda a, b: a if a.real > b.real else b),
}
"""What joins values over an index, and the value of nothing."""


def _eliminated(rows: list[list[complex]]) -> tuple[complex, list[list[complex]]]:
    """Return the determinant of a matrix, and its inverse, of no rows where it has none."""
    n = len(rows)
    rows = [[*row, *(complex(p == q) for q in range(n))] for p, row in enumerate(rows)]
    determinant = 1 + 0j
    for q in range(n):
        pivot = max(range(q, n), key=lambda p: abs(rows[p][q]))
        if abs(rows[pivot][q]) < _SINGULAR:
            return 0j, []
        if pivot != q:
            rows[q], rows[pivot] = rows[pivot], rows[q]
            determinant = -determinant
        determinant *= rows[q][q]
        rows[q] = [x / rows[q][q] for x in rows[q]]
        for p in range(n):
            if p != q:
                rows[p] = [x - rows[p][q] * y for x, y in zip(rows[p], rows[q], strict=True)]
    return determinant, [row[n:] for row in rows]


VALUES: Mapping[Kind, Callable[[_Sample, Atom, tuple[int, ...], list[complex], Place], complex]] = {
    Kind.VALUE: lambda _, __, at, ___, ____: complex(at[0]),
    Kind.CONSTANT: lambda _, a, __, ___, ____: complex(int(a.name) if a.name.isdigit() else math.pi),
    Kind.ENTRY: lambda s, a, at, _, __: complex(s.signed(a.name, at)),
    Kind.SYMMETRIC: lambda s, a, at, _, __: complex(s.signed(a.name, tuple(sorted(at)))),
    Kind.PARTIAL: lambda s, a, at, _, place: s.partial(a, at, place),
    Kind.UNKNOWN: lambda s, a, _, inner, __: s.unknown(a, inner),
    Kind.FUNCTION: lambda _, a, __, inner, ___: FUNCTIONS[a.name](*inner),
    Kind.BASE: lambda _, __, ___, inner, ____: inner[0],
    Kind.DELTA: lambda _, __, at, ___, ____: complex(at[0] == 0),
    Kind.STEP: lambda _, __, at, ___, ____: complex(at[0] >= 0),
    Kind.POSITIVE: lambda _, __, ___, inner, ____: complex(inner[0].real > 0),
    Kind.VANISHING: lambda _, __, ___, inner, ____: complex(abs(inner[0]) < TOLERANCE),
}
"""The value of each kind of atom, from its indices and inner values."""

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
from collections.abc import Callable, Mapping
from fractions import Fraction
from typing import TYPE_CHECKING

from symderiv.kernel import indices as ix
from symderiv.kernel.indices import IndexExpr, Variable
from symderiv.kernel.polynomial import Atom, Kind, Monomial, Polynomial

if TYPE_CHECKING:
    from symderiv.kernel.cases import Facts
    from symderiv.kernel.normal import Algebra

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
    """Tell whether p is certainly not identically 0 where the facts hold."""
    for seed in range(1, 3 if not facts else 9):
        sample = _Sample(seed, algebra.upper, algebra.positive_names, algebra.values)
        try:
            if not sample.admits(facts):
                continue
            terms = [sample.term(m, c, {}) for m, c in p.terms.items()]
        except (Undecided, OverflowError, ZeroDivisionError, ValueError):
            continue
        scale = sum(map(abs, terms))
        if math.isfinite(scale) and abs(sum(terms)) > TOLERANCE * scale:
            return True
    return False


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
        self.made: dict[str, float] = {}
        self.placed: dict[Variable, int] = {}

    def admits(self, facts: Facts) -> bool:
        """Tell whether the facts hold here."""
        signs = ((self.polynomial(p, {}).real, sign) for p, sign in facts.signs)
        return all(self.index(form, {}) >= 0 for form in facts.steps) and all(
            abs(value) > TOLERANCE and (value > 0) == (sign > 0) and sign != 0 for value, sign in signs
        )

    def number(self, *token: object) -> float:
        text = f"{self.seed} {token}"
        if text not in self.made:
            self.made[text] = random.Random(text).uniform(0.4, 1.6)  # noqa: S311 - no secret
        return self.made[text]

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
        """Return an entry of an inverse, or a determinant, by elimination with the largest pivot."""
        n = self.index(a.sizes[0], {})
        rows = [
            [self.polynomial(a.inner[0], place | dict(zip(a.bound(), at, strict=True))) for at in line]
            for line in ([(p, q) for q in range(1, n + 1)] for p in range(1, n + 1))
        ]
        self.loops += n * n
        column = self.index(a.indices[1], place) if a.indices else 0
        right = [complex(p + 1 == column) for p in range(n)]
        determinant = 1 + 0j
        for q in range(n):
            pivot = max(range(q, n), key=lambda p: abs(rows[p][q]))
            if abs(rows[pivot][q]) < _SINGULAR:
                if a.kind is Kind.INVERSE:
                    raise Undecided
                return 0j
            if pivot != q:
                determinant = -determinant
            rows[q], rows[pivot], right[q], right[pivot] = rows[pivot], rows[q], right[pivot], right[q]
            determinant *= rows[q][q]
            for p in range(n):
                if p != q:
                    factor = rows[p][q] / rows[q][q]
                    rows[p] = [x - factor * y for x, y in zip(rows[p], rows[q], strict=True)]
                    right[p] -= factor * right[q]
        if a.kind is Kind.DETERMINANT:
            return determinant
        at = self.index(a.indices[0], place) - 1
        if not (0 <= at < n and 1 <= column <= n):
            raise Undecided
        return right[at] / rows[at][at]

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
    ) -> list[tuple[str, tuple[int, ...]]]:
        """Return the variables of a derivative, each as often as it is taken, in order."""
        return sorted((name, at) for name, at, e in by for _ in range(int(e)))

    def loop(self, a: Atom, place: Place) -> complex:
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

"""Polynomials: the immutable data of the normal form. No rule of mathematics is applied here.

Vocabulary. An *atom* is what the normal form does not take apart: an entry, a size, an indicator, a sum.
A *monomial* is `exp(exponent)` times atoms with rational powers. A *polynomial* maps monomials to rational
coefficients. The *key* of each orders it among its kind; it may be taken under a *colouring* of indices.
The *free* variables of each are those that a substitution could reach; sizes are not counted.
The *height* of a closed sum is one more than that of the sums in it; its indices bear its height, so that
no index is captured.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import IntEnum
from fractions import Fraction
from typing import Any

from symderiv.kernel import indices as ix
from symderiv.kernel.indices import IndexExpr, Variable

Rational = int | Fraction
Key = tuple[Any, ...]
Colouring = Mapping[Variable, Variable]

PLAIN: Colouring = {}
NOWHERE: frozenset[Variable] = frozenset()


class Kind(IntEnum):
    """What an atom is."""

    VALUE = 0
    """An index or size as a number: `indices = (variable,)`."""
    CONSTANT = 1
    """A positive constant: a prime number under a root, or pi."""
    ENTRY = 2
    """An entry of a primitive or opaque tensor."""
    SYMMETRIC = 3
    """An entry that does not depend on the order of its two indices."""
    PARTIAL = 4
    """A derivative of an opaque entry: `inner` is the product of the entries by which it is taken."""
    UNKNOWN = 5
    """An unknown function of scalars, with its orders of derivative in the name."""
    FUNCTION = 6
    """A function without a polynomial law: log, sin, erf; or `pow(base, exponent)`."""
    BASE = 7
    """A polynomial as the base of a power that is not a positive integer."""
    SUM = 8
    """A closed sum, `inner` one monomial, `sizes` the ranges of its indices."""
    PRODUCT = 9
    """A closed product over one index."""
    INVERSE = 10
    """An entry of the inverse of the matrix `inner`, whose row and column it binds; `EVEN` if symmetric."""
    DETERMINANT = 11
    """The determinant of the matrix `inner`, whose row and column it binds."""
    GREATEST = 12
    """The greatest of a polynomial over one index."""
    DELTA = 13
    """1 where an index expression is 0, else 0."""
    STEP = 14
    """1 where an index expression is at least 0, else 0."""
    POSITIVE = 15
    """1 where a polynomial is > 0, else 0."""
    VANISHING = 16
    """1 where a polynomial is 0, else 0."""


BINDERS = frozenset({Kind.SUM, Kind.PRODUCT, Kind.GREATEST, Kind.INVERSE, Kind.DETERMINANT})
"""The kinds that bind as many indices as they have sizes."""
HALF = "½ "
"""What stands before the name of half of an antisymmetric matrix: `A_ij = B_ij - B_ji`, of free entries B."""

EVEN = "symmetric"
"""The name of an inverse that does not depend on the order of its two indices."""


class Atom:
    """See `Kind`."""

    __slots__ = ("_hash", "_key", "even", "free", "height", "indices", "inner", "kind", "name", "sizes")
    height: int

    def __init__(
        self,
        kind: Kind,
        name: str = "",
        indices: tuple[IndexExpr, ...] = (),
        inner: tuple[Polynomial, ...] = (),
        sizes: tuple[IndexExpr, ...] = (),
    ) -> None:
        """Take the parts as they are."""
        self.kind = kind
        self.name = name
        self.indices = indices
        self.inner = inner
        self.sizes = sizes
        self.even = kind is Kind.SYMMETRIC or (kind is Kind.INVERSE and name == EVEN)
        """Whether it does not depend on the order of its two indices."""
        below = 0
        free = {v for i in indices for variables, _ in i for v in variables if v[0] != ix.SIZE}
        for p in inner:
            below = max(below, p.height)
            free |= p.free
        if kind in BINDERS:
            below += 1
            free.difference_update((ix.BOUND, below, place) for place in range(len(sizes)))
        self.height = below
        self.free = frozenset(free) if free else NOWHERE
        self._hash = hash((int(kind), name, indices, inner, sizes))
        self._key: Key | None = None

    def bound(self) -> tuple[Variable, ...]:
        """Return the variables that a closed sum, product, inverse or determinant binds."""
        return tuple((ix.BOUND, self.height, place) for place in range(len(self.sizes)))

    def key(self, colours: Colouring = PLAIN) -> Key:
        """Return the key."""
        if colours and not self.free.isdisjoint(colours):
            return self._made(colours)
        if self._key is None:
            self._key = self._made(PLAIN)
        return self._key

    def _made(self, colours: Colouring) -> Key:
        indices = tuple(ix.renamed(i, colours) for i in self.indices) if colours else self.indices
        if self.even:
            indices = tuple(sorted(indices))
        return (int(self.kind), self.name, indices, tuple(p.key(colours) for p in self.inner), self.sizes)

    def __hash__(self) -> int:
        """Return the hash of the parts."""
        return self._hash

    def __eq__(self, other: object) -> bool:
        """Tell whether all parts are equal; equal ones are shared from then on, and not compared again."""
        if self is other:
            return True
        if not isinstance(other, Atom) or self._hash != other._hash:
            return False
        equal = (
            self.kind is other.kind
            and self.name == other.name
            and self.indices == other.indices
            and self.sizes == other.sizes
            and self.inner == other.inner
        )
        if equal:
            self.inner = other.inner
        return equal


class Monomial:
    """`exp(exponent) · Π atom^power`; no power is 0."""

    __slots__ = ("_hash", "_key", "exponent", "factors", "free", "height", "marked")
    height: int

    def __init__(self, exponent: Polynomial | None, factors: dict[Atom, Rational]) -> None:
        """Take the parts as they are; an exponent of 0 is None."""
        self.exponent = exponent or None
        self.factors = factors
        self._hash = hash((self.exponent, frozenset(factors.items())))
        self._key: Key | None = None
        free, height, marked = NOWHERE, 0, False
        if self.exponent:
            free, height = self.exponent.free, self.exponent.height
        for a in factors:
            free = free | a.free if free else a.free
            height = max(height, a.height)
            marked = marked or a.kind >= Kind.DELTA
        self.free = free
        self.height = height
        self.marked = marked
        """Whether an indicator is among the factors."""

    def key(self, colours: Colouring = PLAIN) -> Key:
        """Return the key."""
        if colours and not self.free.isdisjoint(colours):
            return self._made(colours)
        if self._key is None:
            self._key = self._made(PLAIN)
        return self._key

    def _made(self, colours: Colouring) -> Key:
        exponent = self.exponent.key(colours) if self.exponent else ()
        return (exponent, tuple(sorted((a.key(colours), p) for a, p in self.factors.items())))

    def __hash__(self) -> int:
        """Return the hash of the parts."""
        return self._hash

    def __eq__(self, other: object) -> bool:
        """Tell whether all parts are equal."""
        if self is other:
            return True
        return (
            isinstance(other, Monomial)
            and self._hash == other._hash
            and self.factors == other.factors
            and self.exponent == other.exponent
        )


class Polynomial:
    """A sum of monomials with non-zero rational coefficients."""

    __slots__ = ("_free", "_hash", "_height", "_key", "terms")

    def __init__(self, terms: dict[Monomial, Rational]) -> None:
        """Take the terms as they are; no coefficient is 0."""
        self.terms = terms
        self._hash: int | None = None
        self._key: Key | None = None
        self._free: frozenset[Variable] | None = None
        self._height: int | None = None

    @property
    def height(self) -> int:
        """The greatest height of a term."""
        if self._height is None:
            self._height = max([m.height for m in self.terms], default=0)
        return self._height

    @property
    def free(self) -> frozenset[Variable]:
        """The free variables."""
        if self._free is None:
            self._free = NOWHERE.union(*[m.free for m in self.terms])
        return self._free

    def key(self, colours: Colouring = PLAIN) -> Key:
        """Return the key."""
        if colours and not self.free.isdisjoint(colours):
            return tuple(sorted((m.key(colours), c) for m, c in self.terms.items()))
        if self._key is None:
            self._key = tuple(sorted((m.key(), c) for m, c in self.terms.items()))
        return self._key

    def single(self) -> tuple[Monomial, Rational] | None:
        """Return the only term, or None."""
        if len(self.terms) != 1:
            return None
        return next(iter(self.terms.items()))

    def number(self) -> Rational | None:
        """Return the rational that this is, or None."""
        if not self.terms:
            return 0
        return self.terms.get(UNIT) if len(self.terms) == 1 else None

    def __bool__(self) -> bool:
        """Tell whether there is any term."""
        return bool(self.terms)

    def __hash__(self) -> int:
        """Return the hash of the terms."""
        if self._hash is None:
            self._hash = hash(frozenset(self.terms.items()))
        return self._hash

    def __eq__(self, other: object) -> bool:
        """Tell whether all terms are equal."""
        return self is other or (
            isinstance(other, Polynomial) and hash(self) == hash(other) and self.terms == other.terms
        )


UNIT = Monomial(None, {})
NOTHING = Polynomial({})
ONE = Polynomial({UNIT: 1})


def number(value: Rational) -> Polynomial:
    """Return the polynomial of a rational."""
    return Polynomial({UNIT: value}) if value else NOTHING


def atom(a: Atom, power: Rational = 1) -> Polynomial:
    """Return the polynomial of an atom to a power that needs no rule."""
    return Polynomial({Monomial(None, {a: power}): 1})


def plus(*summands: Polynomial) -> Polynomial:
    """Return the sum."""
    filled = [p for p in summands if p.terms]
    if not filled:
        return NOTHING
    if len(filled) == 1:
        return filled[0]
    total = dict(filled[0].terms)
    for p in filled[1:]:
        for m, c in p.terms.items():
            s = total.get(m, 0) + c
            if s:
                total[m] = s
            else:
                total.pop(m, None)
    return Polynomial(total)


def scaled(p: Polynomial, factor: Rational) -> Polynomial:
    """Return factor · p."""
    if factor == 1:
        return p
    return Polynomial({m: c * factor for m, c in p.terms.items()}) if factor else NOTHING


def minus(a: Polynomial, b: Polynomial) -> Polynomial:
    """Return a − b."""
    return plus(a, scaled(b, -1))

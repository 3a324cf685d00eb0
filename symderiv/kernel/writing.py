"""Writing polynomials back as SymPy terms, with fresh and readable names for bound indices."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from fractions import Fraction

import sympy
from sympy import Add, Eq, Expr, Integer, KroneckerDelta, Mul, Pow, Product, Sum, Symbol
from sympy import Rational as Quotient
from sympy.logic.boolalg import Boolean

from symderiv.kernel import indices as ix
from symderiv.kernel.indices import IndexExpr, Variable
from symderiv.kernel.polynomial import HALF, Atom, Key, Kind, Monomial, Polynomial, Rational, minus
from symderiv.kernel.terms import (
    D,
    Det,
    Greatest,
    Index,
    Inv,
    Size,
    Unknown,
    entry,
    fresh,
    indicator,
    power_of_e,
)

LETTERS = "klmnpqrstuvw"


Names = Mapping[Variable, Expr]


def write(p: Polynomial, positive: frozenset[str] = frozenset()) -> Expr:
    """Return a SymPy term that reads back as `p`; bound indices get fresh readable names."""
    return _Writer(positive).polynomial(p, {})


class _Writer:
    """Writes polynomials; the names in `positive` are written as positive."""

    def __init__(self, positive: frozenset[str]) -> None:
        self.positive = positive
        self.known: dict[tuple[Atom, tuple[tuple[Variable, Expr], ...]], Expr] = {}
        """What is written already: an atom that stands at two places is the same term at both."""

    def polynomial(self, p: Polynomial, names: Names) -> Expr:
        terms = sorted(p.terms.items(), key=_first_key)
        return Add(*(Mul(_quotient(c), self.monomial(m, names)) for m, c in terms))

    def monomial(self, m: Monomial, names: Names) -> Expr:
        powers = sorted(m.factors.items(), key=_first_key)
        factors = [Pow(self.atom(a, names), _quotient(e)) for a, e in powers]
        if m.exponent:
            factors.append(power_of_e(self.polynomial(m.exponent, names)))
        return Mul(*factors)

    def equation(self, p: Polynomial, names: Names) -> Boolean:
        """Write p = 0, what is subtracted on the other side."""
        above = Polynomial({m: c for m, c in p.terms.items() if c > 0})
        return Eq(self.polynomial(above, names), self.polynomial(minus(above, p), names), evaluate=False)

    def entry(self, a: Atom, names: Names) -> Expr:
        name, indices = a.name.removeprefix(HALF), tuple(_index(i, names) for i in a.indices)
        written = entry(name, *indices, positive=name in self.positive)
        return written if name == a.name else written / 2

    def sum(self, a: Atom, names: Names) -> Expr:
        taken = {str(name).split("#")[0] for name in names.values()} | {
            v[1] for v in a.free if v[0] == ix.FREE
        }
        letters = [letter for letter in LETTERS if letter not in taken]
        inside = dict(names)
        limits = []
        for place, (v, size) in enumerate(zip(a.bound(), a.sizes, strict=True)):
            inside[v] = fresh(letters[place] if place < len(letters) else f"k{place}")
            limits.append((inside[v], 1, _index(size, names)))
        operator = {Kind.SUM: Sum, Kind.PRODUCT: Product, Kind.GREATEST: Greatest}[a.kind]
        return operator(self.polynomial(a.inner[0], inside), *limits)

    def matrix(self, a: Atom, names: Names) -> Expr:
        bound = [fresh(letter) for letter in "pq"]
        inside = {**names, **dict(zip(a.bound(), bound, strict=True))}
        places = (*bound, _index(a.sizes[0], names))
        at = (_index(i, names) for i in a.indices)
        return (Inv if a.kind is Kind.INVERSE else Det)(self.polynomial(a.inner[0], inside), places, *at)

    def partial(self, a: Atom, names: Names) -> Expr:
        (m, _), *_ = a.inner[0].terms.items()
        by = [
            self.entry(b, names) for b, e in sorted(m.factors.items(), key=_first_key) for _ in range(int(e))
        ]
        return D(self.entry(a, names), *by)

    def unknown(self, a: Atom, names: Names) -> Expr:
        name, *orders = a.name.split(" ")
        return Unknown(Symbol(name), tuple(Integer(m) for m in orders), *self.inner(a, names))

    def function(self, a: Atom, names: Names) -> Expr:
        inner = self.inner(a, names)
        return Pow(*inner) if a.name == "pow" else getattr(sympy, a.name)(*inner)

    def inner(self, a: Atom, names: Names) -> list[Expr]:
        return [self.polynomial(p, names) for p in a.inner]

    def atom(self, a: Atom, names: Names) -> Expr:
        key = (a, tuple((v, names[v]) for v in sorted(a.free & names.keys())))
        if key not in self.known:
            self.known[key] = WRITINGS[a.kind](self, a, names)
        return self.known[key]


WRITINGS: Mapping[Kind, Callable[[_Writer, Atom, Names], Expr]] = {
    Kind.VALUE: lambda _, a, names: _index(a.indices[0], names),
    Kind.CONSTANT: lambda _, a, __: Integer(int(a.name)) if a.name.isdigit() else sympy.pi,
    Kind.ENTRY: _Writer.entry,
    Kind.SYMMETRIC: _Writer.entry,
    Kind.PARTIAL: _Writer.partial,
    Kind.UNKNOWN: _Writer.unknown,
    Kind.FUNCTION: _Writer.function,
    Kind.BASE: lambda w, a, names: w.polynomial(a.inner[0], names),
    Kind.SUM: _Writer.sum,
    Kind.PRODUCT: _Writer.sum,
    Kind.GREATEST: _Writer.sum,
    Kind.INVERSE: _Writer.matrix,
    Kind.DETERMINANT: _Writer.matrix,
    Kind.DELTA: lambda _, a, names: _delta(a.indices[0], names),
    Kind.STEP: lambda _, a, names: indicator(_index(a.indices[0], names) >= 0),
    Kind.POSITIVE: lambda w, a, names: sympy.Heaviside(w.polynomial(a.inner[0], names), 0),
    Kind.VANISHING: lambda w, a, names: indicator(w.equation(a.inner[0], names)),
}
"""How each kind of atom is written."""


def _first_key(item: tuple[Monomial | Atom, Rational]) -> Key:
    return item[0].key()


def _delta(form: IndexExpr, names: Names) -> Expr:
    """Return `delta(v, e)` for a variable of the form, the simplest way it is written."""
    for v in sorted(ix.variables(form)):
        e = ix.solved(form, v)
        if e is not None:
            return KroneckerDelta(_variable(v, names), _index(e, names))
    return KroneckerDelta(_index(form, names), 0)


def _quotient(c: Rational) -> Expr:
    return Quotient(Fraction(c).numerator, Fraction(c).denominator)


def _index(form: IndexExpr, names: Names) -> Expr:
    return Add(*(Mul(c, *(_variable(v, names) for v in p)) for p, c in form))


def _variable(v: Variable, names: Names) -> Expr:
    if v in names:
        return names[v]
    return Size(v[1]) if v[0] == ix.SIZE else Index(v[1])

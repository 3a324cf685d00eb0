"""Reading SymPy terms into the normal form.

Vocabulary. What is read has no derivative to carry out and no definition to open (see `calculus`): entries,
irreducible `D`, `Unknown`, sums, products, deltas, cases, powers and functions. A *condition* on indices
becomes indicators of index expressions, one on values indicators of polynomials.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from fractions import Fraction

import sympy
from sympy import (
    Add,
    Basic,
    Expr,
    Heaviside,
    Indexed,
    Integer,
    KroneckerDelta,
    Max,
    Min,
    Mul,
    Piecewise,
    Pow,
    Product,
    Sum,
    Symbol,
)
from sympy import Rational as Quotient
from sympy.core.relational import (
    Equality,
    GreaterThan,
    LessThan,
    StrictGreaterThan,
    StrictLessThan,
    Unequality,
)
from sympy.logic.boolalg import ITE, And, BooleanFalse, BooleanTrue, Not, Or

from symderiv.kernel import indices as ix
from symderiv.kernel.indices import IndexExpr, Variable
from symderiv.kernel.matrices import Square
from symderiv.kernel.normal import Algebra
from symderiv.kernel.polynomial import (
    NOTHING,
    ONE,
    Atom,
    Kind,
    Monomial,
    Polynomial,
    Rational,
    atom,
    minus,
    number,
    plus,
)
from symderiv.kernel.powers import BY_EXP, PARITY
from symderiv.kernel.terms import (
    Cases,
    D,
    Det,
    Entry,
    Greatest,
    Index,
    Inv,
    NoRule,
    Partial,
    Size,
    Undefined,
    Unknown,
    name_of,
    nodes,
)
from symderiv.kernel.writing import write

__all__ = ["Reader", "positive_names", "read_index", "variable_of", "write"]

FUNCTIONS: frozenset[str] = frozenset({*BY_EXP, *PARITY, "log"})
"""The functions that may be read."""


def variable_of(symbol: Symbol) -> Variable:
    """Return the variable of an index or size."""
    return (ix.SIZE if isinstance(symbol, Size) else ix.FREE, symbol.name)


def read_index(term: Basic, bound: Mapping[Symbol, IndexExpr]) -> IndexExpr:
    """Return an index expression; anything but an integer polynomial over indices and sizes raises."""
    if isinstance(term, Index | Size):
        return bound[term] if term in bound else ix.bare(variable_of(term))
    if isinstance(term, Integer):
        return ix.constant(int(term))
    if isinstance(term, Add):
        return ix.build(t for a in term.args for t in read_index(a, bound))
    if isinstance(term, Mul) or (isinstance(term, Pow) and term.exp.is_Integer and 0 < term.exp < 8):
        result = ix.constant(1)
        for a in term.args if isinstance(term, Mul) else [term.base] * int(term.exp):
            result = ix.times(result, read_index(a, bound))
        return result
    msg = f"the index expression {term}"
    raise NoRule(msg)


def positive_names(terms: Iterable[Basic]) -> frozenset[str]:
    """Return the names that any of the terms takes as positive."""
    entries = [(name, node) for node in nodes(*terms) if (name := name_of(node)) is not None]
    return frozenset(name for name, node in entries if node.is_positive)


class Reader:
    """Reads terms into one algebra."""

    def __init__(self, algebra: Algebra, fixed: Mapping[Symbol, IndexExpr] | None = None) -> None:
        """Take the algebra whose constructors are used, and what indices and sizes are fixed to."""
        self.algebra = algebra
        self.bound: dict[Symbol, IndexExpr] = dict(fixed or {})
        self.known: dict[tuple[Expr, frozenset[tuple[Symbol, IndexExpr]]], Polynomial] = {}
        """What was read, by the term and by what its own indices stood for."""
        self.entries: dict[tuple[str, tuple[IndexExpr, ...]], Polynomial] = {}
        self.letters: dict[Basic, frozenset[Symbol]] = {}
        self.unused: tuple[Basic, ...] = ()
        """The equations of which no rule was made."""
        self.ruled: tuple[Basic, ...] = ()
        """The equations of which one was made, for every value of an index."""

    def read(self, term: Expr) -> Polynomial:
        """Return the normal form of a term."""
        if isinstance(term, Entry):
            return self.entry(str(name_of(term)), self.indices(term))
        if not term.args:
            return self._read(term)
        bound = self.bound
        place = (
            term,
            frozenset((letter, bound[letter]) for letter in self.letters_of(term) if letter in bound),
        )
        found = self.known.get(place)
        if found is None:
            found = self.known[place] = self._read(term)
        return found

    def entry(self, name: str, indices: tuple[IndexExpr, ...]) -> Polynomial:
        """Return the normal form of an entry."""
        found = self.entries.get((name, indices))
        if found is None:
            found = self.entries[name, indices] = self.algebra.entry(name, indices)
        return found

    def letters_of(self, term: Basic) -> frozenset[Symbol]:
        """Return the indices and sizes in a term."""
        found = self.letters.get(term)
        if found is None:
            if isinstance(term, Index | Size):
                found = frozenset((term,))
            else:
                found = frozenset[Symbol]().union(*map(self.letters_of, term.args))
            self.letters[term] = found
        return found

    def forget(self) -> None:
        """Forget what was read under other rules."""
        self.known.clear()
        self.entries.clear()

    def _read(self, term: Expr) -> Polynomial:
        name = name_of(term)
        if name is not None:
            return self.algebra.entry(name, self.indices(term))
        if isinstance(term, Quotient):
            return number(_fraction(term))
        reading = READINGS.get(type(term))
        if reading is not None:
            return reading(self, term)
        function = type(term).__name__
        if function in FUNCTIONS and len(term.args) == 1:
            return self.algebra.function(function, self.read(term.args[0]))
        msg = f"no rule for {function}"
        raise NoRule(msg)

    def index(self, term: Basic) -> IndexExpr:
        """Return an index expression under the sums that are open."""
        return read_index(term, self.bound)

    def indices(self, term: Expr) -> tuple[IndexExpr, ...]:
        """Return the index expressions of an entry."""
        return tuple(self.index(i) for i in term.indices) if isinstance(term, Indexed) else ()

    # -- operators

    def value(self, term: Expr) -> Polynomial:
        """Read an index or a size as a number."""
        return self.algebra.value(self.index(term))

    def add(self, term: Expr) -> Polynomial:
        """Read a sum of terms."""
        marks = [a for a in term.args if isinstance(-a, KroneckerDelta)] if self.algebra.strict else []
        if marks and term.args[0] == 1:
            apart = self.unequal(*(-marks[0]).args)
            return plus(apart, *(self.read(a) for a in term.args[1:] if a is not marks[0]))
        return plus(*(self.read(a) for a in term.args))

    def unequal(self, i: Expr, j: Expr) -> Polynomial:
        """Read that two indices are not equal."""
        gap = self.gap(i, j)
        if not self.algebra.strict:
            return minus(ONE, self.algebra.delta(gap))
        ways = (ix.plus(form, ix.constant(-1)) for form in (gap, ix.scaled(gap, -1)))
        return plus(*map(self.algebra.step, ways))

    def mul(self, term: Expr) -> Polynomial:
        """Read a product of factors, conditions first: the others may have no value where these are 0."""
        factors = [self.read(a) for a in _factors(term)]
        factors.sort(key=lambda p: not all(m.marked for m in p.terms))
        return self.algebra.times(*factors)

    def power(self, term: Expr) -> Polynomial:
        """Read a power."""
        if isinstance(term.exp, Quotient):
            return self.algebra.power(self.read(term.base), _fraction(term.exp))
        return self.algebra.raised(self.read(term.base), self.read(term.exp))

    def delta(self, term: Expr) -> Polynomial:
        """Read Kronecker's delta."""
        return self.algebra.delta(ix.minus(self.index(term.args[0]), self.index(term.args[1])))

    def sum(self, term: Expr) -> Polynomial:
        """Read a sum over indices."""
        return self.algebra.closed(*self.opened(term))

    def opened(self, term: Expr) -> tuple[dict[Variable, IndexExpr], Polynomial]:
        """Return the indices of a sum and its summand; of none, and the sum, where it has conditions.

        Each index runs from 1 to a size, where conditions hold. The indices of sums that are factors of the
        summand are among them: what would be closed only to be opened again is not closed.
        """
        outer = dict(self.bound)
        mine: dict[Variable, IndexExpr] = {}
        conditions: list[Polynomial] = []
        try:
            for bound, low, high in reversed(term.limits):
                variable, size, self.bound[bound], condition = self.range(self.index(low), self.index(high))
                mine[variable] = size
                conditions.append(condition)
            within, result = self.summand(term.function)
        finally:
            self.bound = outer
        if all(c is ONE for c in conditions) and not any(m.marked for m in result.terms):
            return mine | within, result
        result = self.algebra.closed(within, result)
        for (variable, size), condition in reversed([*zip(mine.items(), conditions, strict=True)]):
            result = self.algebra.sum(variable, size, self.algebra.times(condition, result))
        return {}, result

    def summand(self, term: Expr) -> tuple[dict[Variable, IndexExpr], Polynomial]:
        """Return a summand, its factors that are sums open if they depend on an index that is open."""
        if isinstance(term, Sum) and not self.letters_of(term).isdisjoint(self.bound):
            return self.opened(term)
        if not isinstance(term, Mul):
            return {}, self.read(term)
        parts = [self.summand(a) for a in term.args]
        bound = {variable: size for more, _ in parts for variable, size in more.items()}
        return bound, self.algebra.times(*(part for _, part in parts))

    def product(self, term: Expr) -> Polynomial:
        """Read a product over indices: each runs from 1 to a size, where conditions hold."""
        outer = dict(self.bound)
        opened: list[tuple[Variable, IndexExpr, Polynomial]] = []
        try:
            for bound, low, high in reversed(term.limits):
                variable, size, self.bound[bound], condition = self.range(self.index(low), self.index(high))
                opened.append((variable, size, condition))
            result = self.read(term.function)
        finally:
            self.bound = outer
        for variable, size, condition in reversed(opened):
            if condition is not ONE:
                result = plus(self.algebra.times(condition, minus(result, ONE)), ONE)
            result = self.algebra.product(variable, size, result)
        return result

    def range(self, low: IndexExpr, high: IndexExpr) -> tuple[Variable, IndexExpr, IndexExpr, Polynomial]:
        """Return a variable that runs from 1 to a size, the index it stands for, and the condition on it.

        The size holds no index and is at least 1: `k = 1..i` is `k = 1..n where k <= i`, `k = 1..n-1` is
        `k = 1..n where k <= n-1`, `k = 2..n` is `k = 1..n where k >= 2`, `k = 0..n` is
        `k' = 1..n+1, k = k'-1`.
        """
        algebra = self.algebra
        if low == ix.constant(1) and ix.is_size(high):
            variable = algebra.fresh(high)
            return variable, high, ix.bare(variable), ONE
        start = ix.value(low)
        shift = start - 1 if start is not None and start < 1 else 0
        top = ix.plus(high, ix.constant(-shift))
        size = self.widest(top)
        variable = algebra.fresh(size)
        placed = ix.plus(ix.bare(variable), ix.constant(shift))
        condition = algebra.step(ix.minus(high, placed))
        if start is None or start > 1:
            if not ix.at_least_zero(ix.plus(low, ix.constant(-1)), algebra.upper):
                msg = "a sum whose first index may be less than 1"
                raise NoRule(msg)
            condition = algebra.times(condition, algebra.step(ix.minus(placed, low)))
        return variable, size, placed, condition

    def widest(self, top: IndexExpr) -> IndexExpr:
        """Return a size, at least 1 and free of indices, that `top` never exceeds."""
        size = ix.rising(top)
        for v in sorted(ix.variables(size)):
            if v[0] != ix.SIZE:
                bounds = self.algebra.upper.get(v, ())
                if not bounds:
                    msg = "a sum whose range is not known"
                    raise NoRule(msg)
                size = ix.rising(ix.replaced(size, {v: bounds[0]}))
        return size or ix.constant(1)

    def matrix(self, term: Expr) -> Square:
        """Read the matrix of an inverse or determinant; its row and column run from 1 to its size."""
        outer = dict(self.bound)
        *bound, size = term.places
        length = self.index(size)
        if not ix.at_least_zero(ix.plus(length, ix.constant(-1)), self.algebra.upper):
            msg = "a matrix that may have no rows"
            raise NoRule(msg)
        row, column = (self.algebra.fresh(length) for _ in bound)
        try:
            self.bound |= zip(bound, map(ix.bare, (row, column)), strict=True)
            return Square(row, column, length, self.read(term.body))
        finally:
            self.bound = outer

    def greatest(self, term: Expr) -> Polynomial:
        """Read the greatest over an index, which runs over all of a size."""
        ((bound, low, high),) = term.limits
        outer, size = dict(self.bound), self.index(high)
        if ix.value(self.index(low)) != 1 or not self.algebra.inhabited(size):
            msg = "a maximum over a range that may be empty or does not start at 1"
            raise NoRule(msg)
        variable = self.algebra.fresh(size)
        try:
            self.bound[bound] = ix.bare(variable)
            body = self.read(term.function)
        finally:
            self.bound = outer
        return self.algebra.greatest(variable, size, body)

    def inverse(self, term: Expr) -> Polynomial:
        """Read an entry of an inverse."""
        i, j = (self.index(k) for k in term.at)
        return self.algebra.inverse(self.matrix(term), i, j)

    def determinant(self, term: Expr) -> Polynomial:
        """Read a determinant."""
        return self.algebra.determinant(self.matrix(term))

    def maximum(self, term: Expr) -> Polynomial:
        """`max(a, b) = b + (a - b) 1[a > b]`."""
        result, *others = (self.read(a) for a in term.args)
        for a in others:
            excess = minus(a, result)
            result = plus(result, self.algebra.times(excess, self.algebra.positive(excess)))
        return result

    def minimum(self, term: Expr) -> Polynomial:
        """`min(a, b) = b - (b - a) 1[b > a]`."""
        result, *others = (self.read(a) for a in term.args)
        for a in others:
            excess = minus(result, a)
            result = minus(result, self.algebra.times(excess, self.algebra.positive(excess)))
        return result

    def cases(self, term: Expr) -> Polynomial:
        """Read cases: the first whose condition holds."""
        total, left = NOTHING, ONE
        for value, condition in term.pairs if isinstance(term, Cases) else term.args:
            holds = self.condition(condition)
            here = self.algebra.times(left, holds)
            if here.terms:
                total = plus(total, self.algebra.times(here, self.read(value)))
            if self.algebra.strict and isinstance(condition, Equality):
                left = self.algebra.times(left, self.condition(Not(condition)))
            else:
                left = minus(left, here)
        return total

    def condition(self, term: Basic) -> Polynomial:
        """Return the indicator of a condition."""
        if isinstance(term, BooleanTrue | BooleanFalse):
            return ONE if term else NOTHING
        if isinstance(term, And):
            return self.algebra.times(*(self.condition(a) for a in term.args))
        if isinstance(term, Or):
            return minus(ONE, self.algebra.times(*(minus(ONE, self.condition(a)) for a in term.args)))
        if isinstance(term, Not):
            return minus(ONE, self.condition(term.args[0]))
        if isinstance(term, ITE):
            holds, then, other = (self.condition(a) for a in term.args)
            return plus(self.algebra.times(holds, minus(then, other)), other)
        comparisons = OF_INDICES if _on_indices(term) else OF_VALUES
        comparison = comparisons.get(type(term))
        if comparison is None:
            msg = f"the condition {term}"
            raise NoRule(msg)
        return comparison(self, *term.args)

    def heaviside(self, term: Expr) -> Polynomial:
        """Read Heaviside's function with its value at 0."""
        p, there = self.read(term.args[0]), self.read(term.args[1])
        return plus(self.algebra.positive(p), self.algebra.times(there, self.algebra.vanishing(p)))

    def gap(self, a: Expr, b: Expr) -> IndexExpr:
        """Return a − b of index expressions."""
        return ix.minus(self.index(a), self.index(b))

    def excess(self, a: Expr, b: Expr) -> Polynomial:
        """Return a − b of values."""
        return minus(self.read(a), self.read(b))

    def derivative(self, term: Expr) -> Polynomial:
        """Read an irreducible derivative."""
        name = name_of(term.term)
        if name is None:
            msg = "a derivative that is not carried out"
            raise NoRule(msg)
        factors: dict[Atom, Rational] = {}
        for variable in term.variables:
            by = Atom(Kind.ENTRY, str(name_of(variable)), self.indices(variable))
            factors[by] = factors.get(by, 0) + 1
        inner = Polynomial({Monomial(None, factors): 1})
        return atom(Atom(Kind.PARTIAL, name, self.indices(term.term), (inner,)))

    def unknown(self, term: Expr) -> Polynomial:
        """Read an unknown function of scalars."""
        name, orders, *arguments = term.args
        label = " ".join([str(name), *(str(m) for m in orders)])
        return self.algebra.unknown(label, tuple(self.read(a) for a in arguments))

    def undefined(self, term: Expr) -> Polynomial:
        """Refuse what is no real number."""
        msg = f"the value {term}"
        raise Undefined(msg)


def _factors(term: Expr) -> Iterator[Expr]:
    """Yield the factors of a product, those of products in it included."""
    for a in term.args:
        yield from _factors(a) if isinstance(a, Mul) else (a,)


def _fraction(term: Expr) -> Rational:
    return int(term.p) if term.q == 1 else Fraction(int(term.p), int(term.q))


def _on_indices(term: Basic) -> bool:
    """Tell whether a condition compares index expressions."""
    return all(
        isinstance(a, Index | Size | Integer | Add | Mul)
        for side in term.args
        for a in sympy.preorder_traversal(side)
    )


READINGS: Mapping[type[Basic], Callable[[Reader, Expr], Polynomial]] = {
    Index: Reader.value,
    Size: Reader.value,
    Add: Reader.add,
    Mul: Reader.mul,
    Pow: Reader.power,
    KroneckerDelta: Reader.delta,
    Sum: Reader.sum,
    Product: Reader.product,
    Max: Reader.maximum,
    Min: Reader.minimum,
    Piecewise: Reader.cases,
    Cases: Reader.cases,
    Heaviside: Reader.heaviside,
    D: Reader.derivative,
    Partial: Reader.derivative,
    Unknown: Reader.unknown,
    Greatest: Reader.greatest,
    Inv: Reader.inverse,
    Det: Reader.determinant,
    type(sympy.E): lambda r, _: r.algebra.exp(ONE),
    type(sympy.pi): lambda _, __: atom(Atom(Kind.CONSTANT, "pi")),
    type(sympy.nan): Reader.undefined,
    type(sympy.zoo): Reader.undefined,
    type(sympy.oo): Reader.undefined,
    type(-sympy.oo): Reader.undefined,
}
"""How each operator is read."""

OF_INDICES: Mapping[type[Basic], Callable[[Reader, Expr, Expr], Polynomial]] = {
    Equality: lambda r, a, b: r.algebra.delta(r.gap(a, b)),
    Unequality: Reader.unequal,
    StrictGreaterThan: lambda r, a, b: r.algebra.step(ix.plus(r.gap(a, b), ix.constant(-1))),
    StrictLessThan: lambda r, a, b: r.algebra.step(ix.plus(r.gap(b, a), ix.constant(-1))),
    GreaterThan: lambda r, a, b: r.algebra.step(r.gap(a, b)),
    LessThan: lambda r, a, b: r.algebra.step(r.gap(b, a)),
}
"""The indicator of each comparison of indices."""

OF_VALUES: Mapping[type[Basic], Callable[[Reader, Expr, Expr], Polynomial]] = {
    Equality: lambda r, a, b: r.algebra.vanishing(r.excess(a, b)),
    Unequality: lambda r, a, b: minus(ONE, r.algebra.vanishing(r.excess(a, b))),
    StrictGreaterThan: lambda r, a, b: r.algebra.positive(r.excess(a, b)),
    StrictLessThan: lambda r, a, b: r.algebra.positive(r.excess(b, a)),
    GreaterThan: lambda r, a, b: minus(ONE, r.algebra.positive(r.excess(b, a))),
    LessThan: lambda r, a, b: minus(ONE, r.algebra.positive(r.excess(a, b))),
}
"""The indicator of each comparison of values."""

"""The normal form: polynomials in atoms, made by constructors that apply every rule at once.

Vocabulary. An *algebra* is the set of constructors under given ranges, signs and hypotheses; its rules stand
by subject in `indicators`, `signs`, `powers`, `sums` and `matrices`, its data in `polynomial`. A product of
monomials is *settled* by the rules that look at powers and indicators.

Every rule holds wherever both sides are defined, for all real values, and for all sizes of at least 1.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from itertools import combinations as pairs
from itertools import product as combinations
from math import floor
from typing import TYPE_CHECKING

from symderiv.kernel import greatest, indicators, matrices, powers, signs, sums
from symderiv.kernel import indices as ix
from symderiv.kernel.indices import IndexExpr, Variable
from symderiv.kernel.orders import Order
from symderiv.kernel.polynomial import (
    HALF,
    NOTHING,
    ONE,
    UNIT,
    Atom,
    Kind,
    Monomial,
    Polynomial,
    Rational,
    atom,
    minus,
    number,
    plus,
    scaled,
)
from symderiv.kernel.terms import TooLarge

if TYPE_CHECKING:
    from symderiv.kernel.relations import Relation

WORK = 40_000
"""How many products of monomials, and comparisons of index expressions, one normal form may cost."""
TERMS = 20_000
"""How many terms a polynomial may have."""

MINUS_ONE = number(-1)

_CAREFUL = frozenset({Kind.BASE, Kind.CONSTANT, Kind.FUNCTION})

Substitution = Mapping[Variable, IndexExpr]


_Move = tuple[Atom, frozenset[tuple[Variable, IndexExpr]], tuple[IndexExpr, ...]]


@dataclass(frozen=True, slots=True)
class Rule:
    """A hypothesis: `pattern = replacement` for every value of `variables`."""

    pattern: Atom
    variables: tuple[Variable, ...]
    replacement: Polynomial
    sources: frozenset[str]


class Algebra:
    """The constructors of the normal form, under one set of ranges and hypotheses."""

    def __init__(
        self,
        upper: Mapping[Variable, tuple[IndexExpr, ...]],
        positive: frozenset[str] = frozenset(),
        unequal: Mapping[IndexExpr, str] | None = None,
        *,
        values: Mapping[str, tuple[int, ...]] | None = None,
        kinks_excluded: bool = False,
    ) -> None:
        """Take bounds of free indices, names of positive tensors, forms that are not 0 with the reason.

        `values` has the names whose entries are one of a few numbers.
        """
        self.upper = dict(upper)
        self.positive_names = positive
        self.unequal = dict(unequal or {})
        self.values = dict(values or {})
        self.bound: frozenset[str] = frozenset()
        self.kinks_excluded = kinks_excluded
        self.strict = False
        self.one_hot: dict[str, int] = {}
        self.pinned: dict[Atom, tuple[tuple[int, ...], str]] = {}
        """The numbers one of which a single entry is, and what says so."""
        self.hot: dict[str, tuple[IndexExpr, frozenset[str]]] = {}
        """The index at which a one-hot vector is 1, and what says so."""
        self.symmetric: frozenset[str] = frozenset()
        self.antisymmetric: frozenset[str] = frozenset()
        self.diagonal: frozenset[str] = frozenset()
        self.definite: frozenset[str] = frozenset()
        self.invertible: tuple[tuple[matrices.Square, str], ...] = ()
        """The matrices that a hypothesis says to be invertible, and the hypothesis."""
        self.rules: tuple[Rule, ...] = ()
        self.relations: tuple[Relation, ...] = ()
        self.orders: tuple[Order, ...] = ()
        self.ordered: dict[Polynomial, tuple[int, frozenset[str]]] = {}
        self.known: tuple[IndexExpr, ...] = ()
        self.used: set[str] = set()
        self.fired = 0
        self.work = 0
        self.multiples = 0
        self.count = 0
        self.moves: dict[_Move, Polynomial] = {}
        self.held: dict[tuple[IndexExpr, tuple[IndexExpr, ...]], bool] = {}
        """What `certain` has told, by the form and by what was known."""
        self.deltas: dict[tuple[IndexExpr, tuple[IndexExpr, ...]], Polynomial] = {}
        """The deltas that were made, likewise."""
        self.leads: dict[tuple[Polynomial, ...], matrices.Lead | None] = {}

    def spend(self, amount: int) -> None:
        """Count work, and raise over the bound."""
        self.work += amount
        if self.work > WORK or amount > TERMS:
            msg = "the normal form is too large"
            raise TooLarge(msg)

    def fresh(self, size: IndexExpr) -> Variable:
        """Return a variable that occurs nowhere else and runs to `size`."""
        self.count += 1
        if size == ix.EVERYWHERE:
            return (ix.WHOLE, self.count)
        variable = (ix.OPEN, self.count)
        self.upper[variable] = (size,)
        return variable

    def certain(self, form: IndexExpr) -> bool:
        """Tell whether an index expression is certainly at least 0, where what is known holds."""
        asked = (form, self.known)
        held = self.held.get(asked)
        if held is None:
            self.spend(1 + len(self.known))
            held = ix.at_least_zero(form, self.upper) or any(
                ix.at_least_zero(ix.minus(form, known), self.upper) for known in self.known
            )
            self.held[asked] = held
        return held

    def times(self, *factors: Polynomial) -> Polynomial:
        """Return the product."""
        result = ONE
        for factor in factors:
            result = self._times(result, factor)
        return result

    def _times(self, p: Polynomial, q: Polynomial) -> Polynomial:
        if not p.terms or not q.terms:
            return NOTHING
        if len(q.terms) == 1 and UNIT in q.terms:
            return scaled(p, q.terms[UNIT])
        if len(p.terms) == 1 and UNIT in p.terms:
            return scaled(q, p.terms[UNIT])
        self.spend(len(p.terms) * len(q.terms))
        if len(p.terms) == len(q.terms) == 1:
            ((m, c),), ((n, d),) = p.terms.items(), q.terms.items()
            joined = self._joined(m, n)
            return Polynomial({joined: c * d}) if isinstance(joined, Monomial) else scaled(joined, c * d)
        total: dict[Monomial, Rational] = {}
        for m, c in p.terms.items():
            for n, d in q.terms.items():
                joined = self._joined(m, n)
                if isinstance(joined, Monomial):
                    total[joined] = total.get(joined, 0) + c * d
                else:
                    for k, e in joined.terms.items():
                        total[k] = total.get(k, 0) + c * d * e
        return Polynomial({m: c for m, c in total.items() if c})

    def _joined(self, m: Monomial, n: Monomial) -> Monomial | Polynomial:
        """Return the product of two monomials."""
        if len(m.factors) < len(n.factors):
            m, n = n, m
        care = (m.marked and (n.marked or self._meets(m, n))) or (n.marked and self._meets(n, m))
        factors = dict(m.factors)
        for a, e in n.factors.items():
            power = factors.get(a, 0) + e
            if power:
                factors[a] = power
                care = care or (power != e and self._is_careful(a))
                care = care or a.name in self.one_hot
            else:
                del factors[a]
        exponent = m.exponent
        if n.exponent:
            exponent = plus(exponent, n.exponent) if exponent else n.exponent
        return self.settled(exponent, factors) if care else Monomial(exponent, factors)

    def _meets(self, marked: Monomial, plain: Monomial) -> bool:
        """Tell whether the indicators of a monomial, settled among themselves, may change another."""
        if self.known or self.one_hot:
            return True
        for a in marked.factors:
            if a.kind is Kind.DELTA:
                found = indicators.eliminated(a.indices[0])
                if found is None or found[0] in plain.free:
                    return True
        return False

    def settled(self, exponent: Polynomial | None, factors: dict[Atom, Rational]) -> Polynomial:
        """Return the monomial with these parts, after the rules that look at powers and indicators."""
        expanded: list[Polynomial] = []
        kept: dict[Atom, Rational] = {}
        marks: list[Atom] = []
        for a, e in factors.items():
            if a.kind >= Kind.DELTA:
                assert e > 0, "a power of an indicator is lifted"
                marks.append(a)
                continue
            left, factor = self._reduced(a, e) if self._is_careful(a) else (e, ONE)
            if left:
                kept[a] = left
            if factor is not ONE:
                expanded.append(factor)
        if self.one_hot:
            marks.extend(self._met(kept))
        result = Polynomial({Monomial(exponent, kept): 1})
        if marks:
            result = self.marked(result, marks)
        return self.times(result, *expanded) if expanded else result

    def _met(self, kept: dict[Atom, Rational]) -> list[Atom]:
        """Drop entries of one-hot names beside another, and return deltas: `y_j y_k = delta_jk y_j`."""
        entries = [a for a, e in kept.items() if a.name in self.one_hot and a.kind is Kind.ENTRY and e == 1]
        deltas: list[Atom] = []
        for a, b in pairs(entries, 2):
            slot = self.one_hot[a.name]
            if a.name == b.name and a in kept and b in kept and _without(a, slot) == _without(b, slot):
                del kept[b]
                deltas.append(Atom(Kind.DELTA, indices=(ix.minus(a.indices[slot], b.indices[slot]),)))
        return deltas

    def _is_careful(self, a: Atom) -> bool:
        """Tell whether powers of an atom may be reduced."""
        return a.kind in _CAREFUL or a.name in self.values or (bool(self.pinned) and a in self.pinned)

    def _reduced(self, a: Atom, e: Rational) -> tuple[Rational, Polynomial]:
        """Return the power of an atom that stays, and what the rest of its power is."""
        whole = floor(e)
        if a.kind is Kind.BASE and whole >= 1:
            return e - whole, self.power(a.inner[0], whole)
        if a.kind is Kind.CONSTANT and a.name.isdigit() and whole:
            return e - whole, number(Fraction(int(a.name)) ** whole)
        if a.kind in (Kind.ENTRY, Kind.SYMMETRIC) and e == whole:
            values, source = self.pinned[a] if a in self.pinned else (self.values[a.name], "")
            if whole >= len(values) or (whole < 0 and 0 not in values):
                self.used.add(source)
                return 0, Polynomial(
                    {
                        Monomial(None, {a: n} if n else {}): c
                        for n, c in enumerate(through(values, whole))
                        if c
                    }
                )
        if a.name == "sin" and e == whole and e >= 2:
            cosine = atom(Atom(Kind.FUNCTION, "cos", inner=a.inner), 2)
            return e % 2, self.power(minus(ONE, cosine), whole // 2)
        if a.name == "pow" and e == whole and a.inner[0] == MINUS_ONE:
            return e % 2, ONE
        return e, ONE

    def value(self, form: IndexExpr) -> Polynomial:
        """Return an index expression as a number."""
        total = NOTHING
        for variables, c in form:
            factors: dict[Atom, Rational] = {}
            for v in variables:
                a = Atom(Kind.VALUE, indices=(ix.bare(v),))
                factors[a] = factors.get(a, 0) + 1
            total = plus(total, Polynomial({Monomial(None, factors): c}))
        return total

    def entry(self, name: str, indices: tuple[IndexExpr, ...]) -> Polynomial:
        """Return an entry of a primitive or opaque tensor."""
        if name in self.diagonal and len(indices) == 2:
            mark = self.delta(ix.minus(*indices))
            return self.times(mark, self.ruled(Atom(Kind.ENTRY, name, indices[:1] * 2)))
        if name in self.antisymmetric and len(indices) == 2:
            ways = (self.ruled(Atom(Kind.ENTRY, HALF + name, way)) for way in (indices, indices[::-1]))
            return minus(*ways)
        if name in self.hot and len(indices) == 1:
            form, sources = self.hot[name]
            self.used |= sources
            return self.delta(ix.minus(indices[0], form))
        if name in self.symmetric and len(indices) == 2:
            return self.ruled(Atom(Kind.SYMMETRIC, name, tuple(sorted(indices))))
        return self.ruled(Atom(Kind.ENTRY, name, indices))

    def unknown(self, name: str, arguments: tuple[Polynomial, ...]) -> Polynomial:
        """Return an unknown function at these arguments."""
        if any(m.marked for p in arguments for m in p.terms):
            return self.lifted_all(arguments, lambda *parts: self.unknown(name, parts))
        return atom(Atom(Kind.UNKNOWN, name, inner=arguments))

    def ruled(self, a: Atom) -> Polynomial:
        """Return an atom, rewritten where a hypothesis speaks of it."""
        for rule in self.rules:
            if (
                rule.pattern.kind is a.kind
                and rule.pattern.name == a.name
                and len(rule.pattern.sizes) == len(a.sizes)
            ):
                values = self.match(rule, a)
                if values is not None:
                    self.used |= rule.sources
                    self.fired += 1
                    return self.substitute(rule.replacement, values)
        return atom(a)

    def match(self, rule: Rule, a: Atom) -> Substitution | None:
        """Return the values of the rule's variables for which its pattern is `a`, or None."""
        seen = sorted(_index_expressions(a) | {ix.bare(v) for v in a.free})
        if len(seen) ** len(rule.variables) > 100:
            return None
        rules, self.rules = self.rules, ()
        try:
            for choice in combinations(seen, repeat=len(rule.variables)):
                values = dict(zip(rule.variables, choice, strict=True))
                if self.substitute(atom(rule.pattern), values) == atom(a):
                    return values
        finally:
            self.rules = rules
        return None

    def substitute(self, p: Polynomial, values: Substitution) -> Polynomial:
        """Return `p` with free variables replaced simultaneously, in normal form."""
        if p.free.isdisjoint(values):
            return p
        same: dict[Monomial, Rational] = {}
        parts: list[Polynomial] = []
        for m, c in p.terms.items():
            if m.free.isdisjoint(values):
                same[m] = c
            else:
                parts.append(scaled(self._substituted(m, values), c))
        return plus(Polynomial(same), *parts)

    def _substituted(self, m: Monomial, values: Substitution) -> Polynomial:
        kept: dict[Atom, Rational] = {}
        parts: list[Polynomial] = []
        for a, e in m.factors.items():
            if a.free.isdisjoint(values):
                kept[a] = e
            else:
                parts.append(self.power(self.moved(a, values), e))
        exponent = m.exponent
        if exponent and not exponent.free.isdisjoint(values):
            parts.append(self.exp(self.substitute(exponent, values)))
            exponent = None
        return self.times(Polynomial({Monomial(exponent, kept): 1}), *parts)

    def moved(self, a: Atom, values: Substitution) -> Polynomial:
        """Return an atom with variables replaced (of a base, the polynomial itself)."""
        token = (a, frozenset((v, values[v]) for v in a.free if v in values), self.known)
        if self.rules or token not in self.moves:
            self.moves[token] = self._move(a, values)
        return self.moves[token]

    def moved_anew(self, a: Atom) -> Polynomial:
        """Return an atom made again under what is known now."""
        return self._move(a, {})

    def _move(self, a: Atom, values: Substitution) -> Polynomial:
        indices = tuple(ix.replaced(i, values) for i in a.indices)
        match a.kind:
            case Kind.VALUE:
                return self.value(indices[0])
            case Kind.ENTRY | Kind.SYMMETRIC:
                return self.entry(a.name, indices)
            case Kind.PARTIAL:
                return atom(Atom(a.kind, a.name, indices, (_entries_moved(a.inner[0], values),)))
            case Kind.DELTA:
                return self.delta(indices[0])
            case Kind.STEP:
                return self.step(indices[0])
            case Kind.SUM:
                return self.closed(*self.opened(a, values))
            case Kind.GREATEST:
                bound, body = self.opened(a, values)
                (variable, size), *_ = bound.items()
                return self.greatest(variable, size, body)
            case Kind.INVERSE | Kind.DETERMINANT:
                return matrices.moved(self, a, values)
            case Kind.PRODUCT:
                bound, body = self.opened(a, values)
                (variable, size), *_ = bound.items()
                return self.product(variable, size, body)
            case _:
                inner = tuple(self.substitute(p, values) for p in a.inner)
                return self.rebuilt(a, inner)

    def rebuilt(self, a: Atom, inner: tuple[Polynomial, ...]) -> Polynomial:
        """Return an atom made of polynomials with these in their place."""
        match a.kind:
            case Kind.BASE:
                return inner[0]
            case Kind.POSITIVE:
                return self.positive(inner[0])
            case Kind.VANISHING:
                return self.vanishing(inner[0])
            case Kind.UNKNOWN:
                return self.unknown(a.name, inner)
            case _:
                return self.function(a.name, *inner)

    # -- see indicators

    delta = indicators.delta
    step = indicators.step
    within = indicators.within
    marked = indicators.marked
    positive = indicators.positive
    vanishing = indicators.vanishing
    lifted = indicators.lifted
    lifted_all = indicators.lifted_all
    lifted_apart = indicators.lifted_apart

    # -- see signs

    sign = signs.sign
    atom_sign = signs.atom_sign
    inhabited = signs.inhabited

    # -- see powers

    exp = powers.exp
    power = powers.power
    content = powers.content
    cleared = powers.cleared
    absolute = powers.absolute
    log = powers.log
    parted = powers.parted
    exponential = powers.exponential
    raised = powers.raised
    function = powers.function

    # -- see greatest

    greatest = greatest.greatest

    # -- see sums

    sum = sums.summed
    closed = sums.closed
    opened = sums.opened
    product = sums.product

    # -- see matrices

    inverse = matrices.inverse
    determinant = matrices.determinant
    contracted = matrices.contracted


@lru_cache(maxsize=256)
def through(values: tuple[int, ...], e: int) -> tuple[Fraction, ...]:
    """Return the coefficients of the polynomial of least degree that is `v^e` at each of some numbers v."""
    nothing = Fraction(0)
    total = [nothing] * len(values)
    for v in values:
        product, scale = [Fraction(1)], Fraction(v ** abs(e)) ** (1 if e > 0 else -1)
        for w in values:
            if w != v:
                product = [a - w * b for a, b in zip([nothing, *product], [*product, nothing], strict=True)]
                scale /= v - w
        total = [a + scale * b for a, b in zip(total, product, strict=True)]
    return tuple(total)


def _index_expressions(a: Atom) -> set[IndexExpr]:
    """Return the index expressions in an atom that are made of free variables."""
    found = {i for i in a.indices if not any(v[0] == ix.BOUND for v in ix.variables(i))}
    for p in a.inner:
        for m in p.terms:
            for b in m.factors:
                found |= _index_expressions(b)
            for n in m.exponent.terms if m.exponent else ():
                for b in n.factors:
                    found |= _index_expressions(b)
    return found


def _entries_moved(p: Polynomial, values: Substitution) -> Polynomial:
    """Return a product of entries at other indices."""
    (m, c), *_ = p.terms.items()
    factors: dict[Atom, Rational] = {}
    for a, e in m.factors.items():
        b = Atom(a.kind, a.name, tuple(ix.replaced(i, values) for i in a.indices))
        factors[b] = factors.get(b, 0) + e
    return Polynomial({Monomial(None, factors): c})


def _without(a: Atom, slot: int) -> tuple[IndexExpr, ...]:
    """Return the indices of an entry but one."""
    return a.indices[:slot] + a.indices[slot + 1 :]

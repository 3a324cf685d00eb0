"""The normal form: polynomials in atoms, made by constructors that apply every rule at once.

Vocabulary. A sum is *closed* when it stands as an atom with its indices named canonically, *open* while its
indices are ordinary variables. A *component* is a set of summed indices that shared factors connect. To
*fold* is to sum one index of a component alone because the result stands beside it under a negative power.
An *indicator* is an atom that is 0 or 1; a function of a polynomial with indicators is *lifted*:
`f(1[c] a + b) = 1[c] f(a + b) + (1 - 1[c]) f(b)`. *Content* is the monomial common to all terms.

Every rule holds wherever both sides are defined, for all real values, and for all sizes of at least 1.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import cmp_to_key
from itertools import combinations, product
from math import floor, gcd, lcm

import sympy

from symderiv.kernel import indices as ix
from symderiv.kernel import polynomial as poly
from symderiv.kernel.indices import IndexExpr, Variable
from symderiv.kernel.labelling import canonical_order, renamed
from symderiv.kernel.polynomial import (
    NOTHING,
    ONE,
    UNIT,
    Atom,
    Kind,
    Monomial,
    Polynomial,
    Rational,
    atom,
    number,
    plus,
    scaled,
)
from symderiv.kernel.terms import NoRule, TooLarge, Undefined

WORK = 400_000
"""How many products of monomials one normal form may cost."""
TERMS = 20_000
"""How many terms a polynomial may have."""

_CAREFUL = frozenset({Kind.BASE, Kind.CONSTANT, Kind.FUNCTION})
_FACTORED = 10**15
"""Integers over this are not factored."""

Bound = Mapping[Variable, IndexExpr]
Substitution = Mapping[Variable, IndexExpr]


@dataclass(frozen=True, slots=True)
class Rule:
    """A hypothesis: `pattern = replacement` for every value of `variables`."""

    pattern: Atom
    variables: tuple[Variable, ...]
    replacement: Polynomial
    source: str


class Algebra:
    """The constructors of the normal form, under one set of ranges and hypotheses."""

    def __init__(
        self,
        upper: Mapping[Variable, tuple[IndexExpr, ...]],
        positive: frozenset[str] = frozenset(),
        unequal: Mapping[IndexExpr, str] | None = None,
        *,
        kinks_excluded: bool = False,
    ) -> None:
        """Take the upper bounds of the free indices, the names of positive tensors, the forms that are not 0 (and why)."""
        self.upper = dict(upper)
        self.positive_names = positive
        self.unequal = dict(unequal or {})
        self.kinks_excluded = kinks_excluded
        self.symmetric: frozenset[str] = frozenset()
        self.rules: tuple[Rule, ...] = ()
        self.used: set[str] = set()
        self.fired = 0
        self.work = 0
        self.count = 0
        self.moved: dict[tuple[Atom, frozenset[tuple[Variable, IndexExpr]]], Polynomial] = {}

    def spend(self, amount: int) -> None:
        """Count work, and raise over the bound."""
        self.work += amount
        if self.work > WORK or amount > TERMS:
            msg = "the normal form is too large"
            raise TooLarge(msg)

    def fresh(self, size: IndexExpr) -> Variable:
        """Return a variable that occurs nowhere else and runs to `size`."""
        self.count += 1
        variable = (ix.OPEN, self.count)
        self.upper[variable] = (size,)
        return variable

    # -- ring operations

    def times(self, *factors: Polynomial) -> Polynomial:
        """Return the product."""
        result = ONE
        for factor in factors:
            result = self._times(result, factor)
        return result

    def _times(self, p: Polynomial, q: Polynomial) -> Polynomial:
        if not p.terms or not q.terms:
            return NOTHING
        if p is ONE:
            return q
        if q is ONE:
            return p
        self.spend(len(p.terms) * len(q.terms))
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
        care = m.marked or n.marked
        factors = dict(m.factors)
        for a, e in n.factors.items():
            power = factors.get(a, 0) + e
            if power:
                factors[a] = power
                care = care or (power != e and a.kind in _CAREFUL)
            else:
                del factors[a]
        exponent = m.exponent
        if n.exponent:
            exponent = plus(exponent, n.exponent) if exponent else n.exponent
        return self.settled(exponent, factors) if care else Monomial(exponent, factors)

    def settled(self, exponent: Polynomial | None, factors: dict[Atom, Rational]) -> Polynomial:
        """Return the monomial with these parts, after the rules that look at powers and indicators."""
        coefficient: Rational = 1
        expanded: list[Polynomial] = []
        kept: dict[Atom, Rational] = {}
        marks: list[Atom] = []
        for a, e in factors.items():
            if a.kind >= Kind.DELTA:
                if e < 0:
                    msg = "a division by a term that is 0 for some indices"
                    raise Undefined(msg)
                marks.append(a)
            elif a.kind is Kind.BASE and e >= 1:
                expanded.append(self.power(a.inner[0], floor(e)))
                if e != floor(e):
                    kept[a] = e - floor(e)
            elif a.kind is Kind.CONSTANT and a.name.isdigit():
                coefficient *= Fraction(int(a.name)) ** floor(e)
                if e != floor(e):
                    kept[a] = e - floor(e)
            elif a.kind is Kind.FUNCTION and a.name == "sin" and e >= 2 and e == floor(e):
                squared = plus(ONE, scaled(atom(Atom(Kind.FUNCTION, "cos", inner=a.inner), 2), -1))
                expanded.append(self.power(squared, floor(e) // 2))
                if e % 2:
                    kept[a] = 1
            else:
                kept[a] = e
        result = Polynomial({Monomial(exponent, kept): coefficient})
        if marks:
            result = self._marked(result, marks)
        return self.times(result, *expanded) if expanded else result

    # -- indicators of indices

    def delta(self, difference: IndexExpr) -> Polynomial:
        """`1[difference = 0]`."""
        form = ix.primitive(difference)
        if form is None:
            return NOTHING
        n = ix.value(form)
        if n is not None:
            return NOTHING if n else ONE
        apart = ix.constant(-1)
        if form in self.unequal:
            self.used.add(self.unequal[form])
            return NOTHING
        if (
            ix.at_least_zero(ix.plus(form, apart), self.upper)
            or ix.at_least_zero(ix.minus(apart, form), self.upper)
        ):
            return NOTHING
        return atom(Atom(Kind.DELTA, indices=(form,)))

    def step(self, form: IndexExpr) -> Polynomial:
        """`1[form >= 0]`; a small constant is taken out: `1[l + 1 >= 0] = 1[l >= 0] + 1[l = -1]`."""
        if ix.at_least_zero(form, self.upper):
            return ONE
        if ix.at_least_zero(ix.minus(ix.constant(-1), form), self.upper):
            return NOTHING
        shift = form[0][1] if not form[0][0] else 0
        if shift == 0 or abs(shift) > 4:
            return atom(Atom(Kind.STEP, indices=(form,)))
        line = form[1:]
        if shift > 0:
            return plus(self.step(line), *(self.delta(ix.plus(line, ix.constant(m))) for m in range(1, shift + 1)))
        edges = (scaled(self.delta(ix.minus(line, ix.constant(m))), -1) for m in range(-shift))
        return plus(self.step(line), *edges)

    def within(self, index: IndexExpr, size: IndexExpr) -> Polynomial:
        """`1[1 <= index <= size]`."""
        low = self.step(ix.plus(index, ix.constant(-1)))
        return self._times(low, self.step(ix.minus(size, index)))

    def _marked(self, rest: Polynomial, marks: list[Atom]) -> Polynomial:
        """Return `rest` times indicators: deltas substitute, the others absorb and exclude one another."""
        for a, b in combinations([a for a in marks if a.kind is Kind.STEP], 2):
            if not ix.plus(a.indices[0], b.indices[0]):
                others = [c for c in marks if c not in (a, b)]
                return self._times(self._marked(rest, others), self.delta(a.indices[0]))
        solution: dict[Variable, IndexExpr] = {}
        unsolved: list[Atom] = []
        for a in sorted((a for a in marks if a.kind is Kind.DELTA), key=Atom.key):
            form = ix.primitive(ix.replaced(a.indices[0], solution))
            if form is None:
                return NOTHING
            n = ix.value(form)
            if n is not None:
                if n:
                    return NOTHING
                continue
            found = eliminated(form)
            if found is None:
                unsolved.append(a)
            else:
                v, e = found
                solution = {w: ix.replaced(f, {v: e}) for w, f in solution.items()} | {v: e}
        others = [a for a in marks if a.kind is not Kind.DELTA] + unsolved
        again = [a for a in others if not a.free.isdisjoint(solution)]
        if again or not rest.free.isdisjoint(solution):
            rest = self.substitute(rest, solution)
            for a in again:
                rest = self._times(rest, self._moved(a, solution))
            others = [a for a in others if a.free.isdisjoint(solution)]
        deltas: list[Atom] = []
        for v, e in solution.items():
            factor = self.delta(ix.minus(ix.bare(v), e)).single()
            if factor is None:
                return NOTHING
            deltas.extend(factor[0].factors)
        kept = self._exclusive(others)
        if kept is None:
            return NOTHING
        return self._attached(rest, [*deltas, *kept])

    def _attached(self, rest: Polynomial, marks: list[Atom]) -> Polynomial:
        """Return `rest` times settled indicators."""
        total = NOTHING
        for m, c in rest.terms.items():
            if m.marked and not set(marks) <= m.factors.keys():
                old = [a for a in m.factors if a.kind >= Kind.DELTA]
                bare = Monomial(m.exponent, {a: e for a, e in m.factors.items() if a.kind < Kind.DELTA})
                part = self._marked(Polynomial({bare: c}), list(dict.fromkeys([*old, *marks])))
            else:
                part = Polynomial({Monomial(m.exponent, m.factors | dict.fromkeys(marks, 1)): c})
            total = plus(total, part)
        return total

    def _exclusive(self, marks: list[Atom]) -> list[Atom] | None:
        """Drop indicators that others imply; None when two exclude each other."""
        kept = list(marks)
        for a, b in combinations(marks, 2):
            if a.kind is Kind.STEP and b.kind is Kind.STEP:
                f, g = a.indices[0], b.indices[0]
                if ix.at_least_zero(ix.minus(ix.constant(-1), ix.plus(f, g)), self.upper):
                    return None
                if ix.at_least_zero(ix.minus(g, f), self.upper) and b in kept:
                    kept.remove(b)
                elif ix.at_least_zero(ix.minus(f, g), self.upper) and a in kept:
                    kept.remove(a)
            elif a.kind >= Kind.POSITIVE and b.kind >= Kind.POSITIVE:
                same, opposite = a.inner == b.inner, a.inner[0] == scaled(b.inner[0], -1)
                if opposite or (same and a.kind is not b.kind):
                    return None
        return kept

    # -- indicators of values

    def positive(self, p: Polynomial) -> Polynomial:
        """`1[p > 0]`."""
        return self.lifted(p, self._positive)

    def _positive(self, p: Polynomial) -> Polynomial:
        n = p.number()
        if n is not None:
            return ONE if n > 0 else NOTHING
        form = _as_index(p)
        if form is not None:
            return self.step(ix.plus(form, ix.constant(-1)))
        if self.sign(p) == 2:
            return ONE
        if self.sign(scaled(p, -1)) >= 1:
            return NOTHING
        return atom(Atom(Kind.POSITIVE, inner=(self._content(p, whole=False)[1],)))

    def vanishing(self, p: Polynomial) -> Polynomial:
        """`1[p = 0]`; none of it where kinks are excluded and p varies with some entry."""
        return self.lifted(p, self._vanishing)

    def _vanishing(self, p: Polynomial) -> Polynomial:
        n = p.number()
        if n is not None:
            return NOTHING if n else ONE
        form = _as_index(p)
        if form is not None:
            return self.delta(form)
        if 2 in (self.sign(p), self.sign(scaled(p, -1))) or (self.kinks_excluded and _varies(p)):
            return NOTHING
        p = self._content(p, whole=False)[1]
        if max(p.terms.items(), key=lambda t: t[0].key())[1] < 0:
            p = scaled(p, -1)
        return atom(Atom(Kind.VANISHING, inner=(p,)))

    def lifted(self, p: Polynomial, f: Callable[[Polynomial], Polynomial]) -> Polynomial:
        """`f(1[c] a + b) = 1[c] f(a + b) + (1 - 1[c]) f(b)`."""
        marks = {a for m in p.terms if m.marked for a in m.factors if a.kind >= Kind.DELTA}
        if not marks:
            return f(p)
        self.spend(1)
        mark = min(marks, key=Atom.key)
        off: dict[Monomial, Rational] = {}
        on: dict[Monomial, Rational] = {}
        for m, c in p.terms.items():
            if mark in m.factors:
                m = Monomial(m.exponent, {a: e for a, e in m.factors.items() if a is not mark and a != mark})
                on[m] = on.get(m, 0) + c
            else:
                off[m] = c
        without = Polynomial(off)
        within = plus(without, Polynomial(on))
        if mark.kind is Kind.DELTA:
            found = eliminated(mark.indices[0])
            if found is not None:
                within = self.substitute(within, dict([found]))
        indicator = atom(mark)
        outside = self.lifted(without, f)
        return plus(
            self._times(indicator, self.lifted(within, f)), outside, scaled(self._times(indicator, outside), -1)
        )

    # -- signs

    def sign(self, p: Polynomial) -> int:
        """Return 2 if p > 0 is certain, 1 if p >= 0 is, else 0."""
        signs = [self._sign(m) if c > 0 else 0 for m, c in p.terms.items()]
        if not signs or min(signs) >= 1:
            return max(signs, default=1)
        form = _as_index(p)
        if form is None or not ix.at_least_zero(form, self.upper):
            return 0
        return 2 if self._inhabited(form) else 1

    def _sign(self, m: Monomial) -> int:
        return min((self._power_sign(a, e) for a, e in m.factors.items()), default=2)

    def _power_sign(self, a: Atom, e: Rational) -> int:
        known = self._atom_sign(a)
        if known == 2:
            return 2
        if known == 1 or Fraction(e).denominator % 2 == 0 or Fraction(e).numerator % 2 == 0:
            return 2 if e < 0 else 1
        return 0

    def _atom_sign(self, a: Atom) -> int:
        match a.kind:
            case Kind.VALUE | Kind.CONSTANT:
                return 2
            case Kind.ENTRY | Kind.SYMMETRIC:
                return 2 if a.name in self.positive_names else 0
            case Kind.BASE:
                return self.sign(a.inner[0])
            case Kind.SUM:
                inner = self.sign(a.inner[0])
                return inner if all(self._inhabited(s) for s in a.sizes) else min(inner, 1)
            case Kind.PRODUCT:
                return self.sign(a.inner[0])
            case Kind.DELTA | Kind.STEP | Kind.POSITIVE | Kind.VANISHING:
                return 1
            case _:
                return 0

    def _inhabited(self, size: IndexExpr) -> bool:
        """Tell whether a range has an element for certain."""
        return ix.at_least_zero(ix.plus(size, ix.constant(-1)), self.upper)

    # -- atoms

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
        if name in self.symmetric and len(indices) == 2:
            return self._ruled(Atom(Kind.SYMMETRIC, name, tuple(sorted(indices))))
        return self._ruled(Atom(Kind.ENTRY, name, indices))

    def unknown(self, name: str, arguments: tuple[Polynomial, ...]) -> Polynomial:
        """Return an unknown function at these arguments."""
        for place, p in enumerate(arguments):
            if any(m.marked for m in p.terms):
                before, after = arguments[:place], arguments[place + 1 :]
                return self.lifted(p, lambda q: self.unknown(name, (*before, q, *after)))
        return atom(Atom(Kind.UNKNOWN, name, inner=arguments))

    def _ruled(self, a: Atom) -> Polynomial:
        """Return an atom, rewritten where a hypothesis speaks of it."""
        for rule in self.rules:
            if rule.pattern.kind is a.kind and rule.pattern.name == a.name and len(rule.pattern.sizes) == len(a.sizes):
                values = self._match(rule, a)
                if values is not None:
                    self.used.add(rule.source)
                    self.fired += 1
                    return self.substitute(rule.replacement, values)
        return atom(a)

    def _match(self, rule: Rule, a: Atom) -> Substitution | None:
        """Return the values of the rule's variables for which its pattern is `a`, or None."""
        seen = sorted(_index_expressions(a) | {ix.bare(v) for v in a.free})
        if len(seen) ** len(rule.variables) > 100:
            return None
        rules, self.rules = self.rules, ()
        try:
            for choice in product(seen, repeat=len(rule.variables)):
                values = dict(zip(rule.variables, choice, strict=True))
                if self.substitute(atom(rule.pattern), values) == atom(a):
                    return values
        finally:
            self.rules = rules
        return None

    # -- substitution

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
                parts.append(self.power(self._moved(a, values), e))
        exponent = m.exponent
        if exponent and not exponent.free.isdisjoint(values):
            parts.append(self.exp(self.substitute(exponent, values)))
            exponent = None
        return self.times(Polynomial({Monomial(exponent, kept): 1}), *parts)

    def _moved(self, a: Atom, values: Substitution) -> Polynomial:
        """Return an atom with variables replaced (of a base, the polynomial itself)."""
        token = (a, frozenset((v, values[v]) for v in a.free if v in values))
        if self.rules or token not in self.moved:
            self.moved[token] = self._move(a, values)
        return self.moved[token]

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
            case Kind.PRODUCT:
                bound, body = self.opened(a, values)
                (variable, size), *_ = bound.items()
                return self.product(variable, size, body)
            case _:
                inner = tuple(self.substitute(p, values) for p in a.inner)
                return self._rebuilt(a, inner)

    def _rebuilt(self, a: Atom, inner: tuple[Polynomial, ...]) -> Polynomial:
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

    # -- powers, exp, log and other functions

    def exp(self, p: Polynomial) -> Polynomial:
        """`exp(p)`; `exp(c log a + b) = a^c exp(b)`."""
        return self.lifted(p, self._exp)

    def _exp(self, p: Polynomial) -> Polynomial:
        rest: dict[Monomial, Rational] = {}
        powers: list[Polynomial] = []
        for m, c in p.terms.items():
            if not m.exponent and len(m.factors) == 1:
                ((a, e),) = m.factors.items()
                if a.kind is Kind.FUNCTION and a.name == "log" and e == 1:
                    powers.append(self.power(a.inner[0], c))
                    continue
            rest[m] = c
        return self.times(Polynomial({Monomial(Polynomial(rest), {}): 1}), *powers)

    def power(self, p: Polynomial, r: Rational) -> Polynomial:
        """`p^r` for a rational r; powers of powers are joined only where the signs allow it."""
        if r == 1:
            return p
        if r == 0:
            return ONE
        if r > 0 and r == floor(r):
            only = p.single()
            if only is not None and not only[0].marked:
                return self._monomial_power(*only, r)
            if r > 64:
                msg = f"a power of {r}"
                raise TooLarge(msg)
            half = self.power(p, r // 2)
            return self.times(half, half, p) if r % 2 else self._times(half, half)
        return self.lifted(p, lambda q: self._root(q, r))

    def _root(self, p: Polynomial, r: Rational) -> Polynomial:
        """`p^r` for r negative or not whole."""
        if not p.terms:
            if r < 0:
                msg = "a division by zero"
                raise Undefined(msg)
            return NOTHING
        only = p.single()
        if only is not None:
            return self._monomial_power(*only, r)
        content, rest = self._content(p, whole=r == floor(r))
        if rest.single() is not None or not rest.terms:
            return self._times(self._root(rest, r), self.power(content, r))
        return self._times(atom(Atom(Kind.BASE, inner=(rest,)), r), self.power(content, r))

    def _monomial_power(self, m: Monomial, c: Rational, r: Rational) -> Polynomial:
        exponent = scaled(m.exponent, r) if m.exponent else None
        if r == floor(r):
            factors = {a: e * r for a, e in m.factors.items()}
            return scaled(self.settled(exponent, factors), Fraction(c) ** int(r))
        outside: dict[Atom, Rational] = {}
        inside: dict[Atom, Rational] = {}
        parts: list[Polynomial] = []
        for a, e in m.factors.items():
            q = Fraction(e)
            if self._atom_sign(a) >= 1 or q.denominator % 2 == 0:
                outside[a] = e * r
            elif q.numerator % 2 == 0:
                parts.append(self.power(self.absolute(atom(a)), e * r))
            else:
                inside[a] = e
        if c < 0 and not inside:
            msg = "a root of a negative number"
            raise Undefined(msg)
        if inside:
            parts.append(self._odd_root(inside, -1 if c < 0 else 1, r))
        parts.append(_number_root(abs(Fraction(c)), Fraction(r)))
        return self.times(self.settled(exponent, outside), *parts)

    def _odd_root(self, factors: dict[Atom, Rational], sign: int, r: Rational) -> Polynomial:
        """Return the r-th power of a monomial whose sign is not known."""
        if len(factors) == 1 and sign == 1:
            ((a, e),) = factors.items()
            if e == 1 or Fraction(r).denominator % 2 == 0:
                return self.settled(None, {a: e * r})
        return atom(Atom(Kind.BASE, inner=(Polynomial({Monomial(None, factors): sign}),)), r)

    def _content(self, p: Polynomial, *, whole: bool) -> tuple[Polynomial, Polynomial]:
        """Return `(c, q)` with p = c q: c is the common monomial, of any sign if `whole`, else positive."""
        if not p.terms:
            return ONE, p
        terms = list(p.terms.items())
        coefficients = [Fraction(c) for _, c in terms]
        common = Fraction(gcd(*(c.numerator for c in coefficients)), lcm(*(c.denominator for c in coefficients)))
        if whole and max(terms, key=lambda t: t[0].key())[1] < 0:
            common = -common
        lowest: dict[Atom, Rational] = {}
        for a in dict.fromkeys(a for m, _ in terms for a in m.factors):
            if whole or self._atom_sign(a) == 2:
                least = min(m.factors.get(a, 0) for m, _ in terms)
                if least and a.kind is Kind.BASE:
                    content, rest = self._content(self.cleared(p, a), whole=whole)
                    return self._times(atom(a, least), content), rest
                if least:
                    lowest[a] = least
        exponents = list(dict.fromkeys(m.exponent or NOTHING for m, _ in terms))
        exponent = min(exponents, key=cmp_to_key(_compared))
        if common == 1 and not lowest and not exponent:
            return ONE, p
        content = self.settled(exponent, dict(lowest))
        inverse = self.settled(scaled(exponent, -1), {a: -e for a, e in lowest.items()})
        rest = scaled(self._times(p, inverse), 1 / common)
        return scaled(content, common), rest

    def cleared(self, p: Polynomial, base: Atom) -> Polynomial:
        """Return p divided by the lowest power of a base that its terms have."""
        least = min(m.factors.get(base, 0) for m in p.terms)
        parts = []
        for m, c in p.terms.items():
            power = m.factors.get(base, 0) - least
            factors = {a: e for a, e in m.factors.items() if a != base}
            if power != floor(power):
                factors[base] = power - floor(power)
            rest = Polynomial({Monomial(m.exponent, factors): c})
            parts.append(self._times(rest, self.power(base.inner[0], floor(power))))
        return plus(*parts)

    def absolute(self, p: Polynomial) -> Polynomial:
        """`|p| = p (2 · 1[p > 0] - 1)`."""
        return self._times(p, plus(scaled(self.positive(p), 2), number(-1)))

    def log(self, p: Polynomial) -> Polynomial:
        """`log p`; the log of a product is opened where the signs are known."""
        return self.lifted(p, self._log)

    def _log(self, p: Polynomial) -> Polynomial:
        if not p.terms:
            msg = "the logarithm of zero"
            raise Undefined(msg)
        only = p.single()
        if only is None:
            content, rest = self._content(p, whole=False)
            if content is ONE:
                return atom(Atom(Kind.FUNCTION, "log", inner=(p,)))
            return plus(self._log(content), self._log(rest))
        m, c = only
        result = m.exponent or NOTHING
        inside: dict[Atom, Rational] = {}
        for a, e in m.factors.items():
            if self._atom_sign(a) == 2 or Fraction(e).denominator % 2 == 0:
                result = plus(result, scaled(_log_of(a), e))
            elif Fraction(e).numerator % 2 == 0:
                result = plus(result, scaled(self.log(self.absolute(atom(a))), e))
            else:
                inside[a] = e
        if inside:
            if len(inside) == 1 and c > 0:
                ((a, e),) = inside.items()
                result = plus(result, scaled(_log_of(a), e))
            else:
                unit = Polynomial({Monomial(None, inside): 1 if c > 0 else -1})
                result = plus(result, atom(Atom(Kind.FUNCTION, "log", inner=(unit,))))
        elif c < 0:
            msg = "the logarithm of a negative number"
            raise Undefined(msg)
        return plus(result, _number_log(abs(Fraction(c))))

    def raised(self, base: Polynomial, exponent: Polynomial) -> Polynomial:
        """`base^exponent`; `a^b = exp(b log a)` for a > 0."""
        r = exponent.number()
        if r is not None:
            return self.power(base, r)
        if self.sign(base) == 2:
            return self.exp(self._times(exponent, self.log(base)))
        if any(m.marked for p in (base, exponent) for m in p.terms):
            return self._lifted_all("pow", (base, exponent))
        form = _as_index(exponent)
        if form is None:
            return atom(Atom(Kind.FUNCTION, "pow", (), (base, exponent)))
        only = base.single()
        parts = []
        for variables, c in form:
            unit = self.value(((variables, 1),))
            if not variables:
                parts.append(self.power(base, c))
            elif only is None:
                parts.append(self.power(atom(Atom(Kind.FUNCTION, "pow", (), (base, unit))), c))
            else:
                parts.append(self.power(self._raised(*only, unit), c))
        return self.times(*parts)

    def _raised(self, m: Monomial, c: Rational, n: Polynomial) -> Polynomial:
        """`(c a^e exp(b))^n` for a positive whole number n."""
        result = self.exp(self._times(m.exponent, n)) if m.exponent else ONE
        result = self._times(result, self.exp(self._times(n, _number_log(abs(Fraction(c))))))
        if c < 0:
            result = self._times(result, atom(Atom(Kind.FUNCTION, "pow", (), (number(-1), n))))
        for a, e in m.factors.items():
            if self._atom_sign(a) == 2:
                part = self.exp(self._times(n, scaled(_log_of(a), e)))
            elif e == floor(e):
                part = self.power(atom(Atom(Kind.FUNCTION, "pow", (), (_base(a), n))), e)
            else:
                part = atom(Atom(Kind.FUNCTION, "pow", (), (atom(a, e), n)))
            result = self._times(result, part)
        return result

    def function(self, name: str, *arguments: Polynomial) -> Polynomial:
        """Return a named function: by its definition in exp where it has one, else as an atom."""
        if name == "log":
            return self.log(arguments[0])
        if name == "pow":
            return self.raised(*arguments)
        if any(m.marked for p in arguments for m in p.terms):
            return self._lifted_all(name, arguments)
        a = arguments[0]
        if name in BY_EXP:
            return BY_EXP[name](self, a)
        if name in PARITY:
            if not a.terms:
                return number(int(PARITY[name] == 1))
            if max(a.terms.items(), key=lambda t: t[0].key())[1] < 0:
                return scaled(self.function(name, scaled(a, -1)), PARITY[name])
        return atom(Atom(Kind.FUNCTION, name, inner=arguments))

    def _lifted_all(self, name: str, arguments: tuple[Polynomial, ...]) -> Polynomial:
        """Lift a function of several arguments over the first that has indicators."""
        place = next(n for n, p in enumerate(arguments) if any(m.marked for m in p.terms))
        before, after = arguments[:place], arguments[place + 1 :]
        return self.lifted(arguments[place], lambda q: self.function(name, *before, q, *after))

    # -- sums

    def sum(self, variable: Variable, size: IndexExpr, p: Polynomial) -> Polynomial:
        """Return the sum of `p` over a variable from 1 to `size`."""
        if not ix.at_least_zero(size, self.upper):
            msg = "a sum whose range may be empty"
            raise NoRule(msg)
        return self.closed({variable: size}, p)

    def closed(self, bound: Bound, p: Polynomial) -> Polynomial:
        """Return the sum of `p` over all of `bound`."""
        if not bound:
            return p
        return plus(*(scaled(self._closed(bound, m), c) for m, c in p.terms.items()))

    def opened(self, a: Atom, values: Substitution | None = None) -> tuple[dict[Variable, IndexExpr], Polynomial]:
        """Return a closed sum's indices, made fresh, and its body over these, with `values` put in."""
        fresh = {v: self.fresh(size) for v, size in zip(a.bound(), a.sizes, strict=True)}
        body = self.substitute(a.inner[0], {**(values or {}), **{v: ix.bare(w) for v, w in fresh.items()}})
        return dict(zip(fresh.values(), a.sizes, strict=True)), body

    def _closed(self, bound: Bound, m: Monomial) -> Polynomial:
        """Return the sum of a monomial: contract deltas, open the sums in it, split it into components."""
        self.spend(1)
        if m.marked:
            contracted = self._contracted(bound, m)
            if contracted is not None:
                return contracted
        for a, e in m.factors.items():
            if a.kind is Kind.SUM and e >= 1 and not a.free.isdisjoint(bound):
                copies = floor(e)
                wider = dict(bound)
                body = self._times(
                    Polynomial({Monomial(m.exponent, {b: f for b, f in m.factors.items() if b is not a}): 1}),
                    atom(a, e - copies) if e != copies else ONE,
                )
                for _ in range(copies):
                    inner, part = self.opened(a)
                    wider |= inner
                    body = self._times(body, part)
                return self.closed(wider, body)
        return self._split(bound, m)

    def _contracted(self, bound: Bound, m: Monomial) -> Polynomial | None:
        """`sum_k delta_(k e) f(k) = 1[1 <= e <= size of k] f(e)`, or None where there is no such delta."""
        best: tuple[tuple[bool, IndexExpr, Variable], Atom, IndexExpr, Polynomial] | None = None
        for a in m.factors:
            if a.kind is not Kind.DELTA:
                continue
            for v in a.free & bound.keys():
                e = ix.solved(a.indices[0], v)
                if e is not None:
                    inside = self.within(e, bound[v])
                    rank = (inside != ONE, bound[v], v)
                    if best is None or rank < best[0]:
                        best = (rank, a, e, inside)
        if best is None:
            return None
        (_, _, v), mark, e, inside = best
        rest = Polynomial({Monomial(m.exponent, {b: f for b, f in m.factors.items() if b is not mark}): 1})
        smaller = {w: size for w, size in bound.items() if w != v}
        return self.closed(smaller, self._times(self.substitute(rest, {v: e}), inside))

    def _split(self, bound: Bound, m: Monomial) -> Polynomial:
        """Return the sum of a monomial as a product over its connected components."""
        outside: dict[Atom, Rational] = {}
        outer: dict[Monomial, Rational] = {}
        pieces: list[tuple[frozenset[Variable], Atom | Monomial, Rational]] = []
        for a, e in m.factors.items():
            touched = a.free & bound.keys()
            if touched:
                pieces.append((touched, a, e))
            else:
                outside[a] = e
        for n, c in m.exponent.terms.items() if m.exponent else ():
            touched = n.free & bound.keys()
            if touched:
                pieces.append((touched, n, c))
            else:
                outer[n] = c
        result = Polynomial({Monomial(Polynomial(outer), outside): 1})
        unseen = set(bound)
        for group in _connected(pieces):
            variables = frozenset[Variable]().union(*(touched for touched, _, _ in group))
            unseen -= variables
            factors: dict[Atom, Rational] = {}
            exponent: dict[Monomial, Rational] = {}
            for _, piece, e in group:
                if isinstance(piece, Atom):
                    factors[piece] = e
                else:
                    exponent[piece] = e
            part = Monomial(Polynomial(exponent), factors)
            result = self._times(result, self._component({v: bound[v] for v in bound if v in variables}, part))
        for v in unseen:
            result = self._times(result, self.value(bound[v]))
        return result

    def _component(self, bound: Bound, m: Monomial) -> Polynomial:
        """Return the sum of a connected monomial: folded where it can be, else closed."""
        folded = self._folded(bound, m)
        if folded is not None:
            return folded
        order = canonical_order(bound, m)
        names: dict[Variable, Variable] = {v: (ix.BOUND, m.height + 1, place) for place, v in enumerate(order)}
        body = renamed(Polynomial({m: 1}), names)
        return self._ruled(Atom(Kind.SUM, inner=(body,), sizes=tuple(bound[v] for v in order)))

    def _folded(self, bound: Bound, m: Monomial) -> Polynomial | None:
        """Sum some indices alone where the result is a factor under a power below 1, or a hypothesis."""
        nested = [a for a, e in m.factors.items() if a.kind is Kind.SUM and e < 0]
        wanted = {tuple(sorted(a.sizes)) for a in nested}
        patterns = {tuple(sorted(r.pattern.sizes)) for r in self.rules if r.pattern.kind is Kind.SUM}
        for shape in sorted(wanted | patterns):
            if len(shape) == len(bound):
                continue
            for chosen in combinations(bound, len(shape)):
                if tuple(sorted(bound[v] for v in chosen)) != shape:
                    continue
                inner, rest = _parted(m, frozenset(chosen))
                fired, used = self.fired, set(self.used)
                total = self.closed({v: bound[v] for v in chosen}, Polynomial({inner: 1}))
                if self.fired > fired or any(total == atom(a) for a in nested):
                    smaller = {v: size for v, size in bound.items() if v not in chosen}
                    return self.closed(smaller, self._times(Polynomial({rest: 1}), total))
                self.used = used
        return None

    # -- products over an index

    def product(self, variable: Variable, size: IndexExpr, p: Polynomial) -> Polynomial:
        """Return the product of `p` over a variable from 1 to `size`."""
        if not ix.at_least_zero(size, self.upper):
            msg = "a product whose range may be empty"
            raise NoRule(msg)
        marks = [a for m in p.terms if m.marked for a in m.factors if a.kind >= Kind.DELTA]
        for a in marks:
            if variable in a.free:
                return self._product_apart(variable, size, p, a)
        if marks:
            return self.lifted(p, lambda q: self.product(variable, size, q))
        if not p.terms:
            return NOTHING if self._inhabited(size) else self._closed_product(variable, size, p)
        only = p.single()
        if only is None:
            return self._closed_product(variable, size, p)
        m, c = only
        result = self.raised(number(c), self.value(size))
        if m.exponent:
            result = self._times(result, self.exp(self.sum(variable, size, m.exponent)))
        for a, e in m.factors.items():
            if variable not in a.free:
                result = self._times(result, self.raised(atom(a, e), self.value(size)))
            elif e == floor(e):
                result = self._times(result, self.power(self._closed_product(variable, size, _base(a)), e))
            else:
                result = self._times(result, self._closed_product(variable, size, atom(a, e)))
        return result

    def _product_apart(self, variable: Variable, size: IndexExpr, p: Polynomial, mark: Atom) -> Polynomial:
        """`prod_k (delta_kj a_k + b_k) = (a_j + b_j) / b_j · prod_k b_k` for j in the range of k."""
        e = ix.solved(mark.indices[0], variable) if mark.kind is Kind.DELTA else None
        if e is None or self.within(e, size) != ONE:
            msg = "a product over a condition"
            raise NoRule(msg)
        on = Polynomial({m: c for m, c in p.terms.items() if mark in m.factors})
        off = Polynomial({m: c for m, c in p.terms.items() if mark not in m.factors})
        there, here = self.substitute(off, {variable: e}), self.substitute(on, {variable: e})
        return self.times(plus(there, here), self.power(there, -1), self.product(variable, size, off))

    def _closed_product(self, variable: Variable, size: IndexExpr, p: Polynomial) -> Polynomial:
        body = renamed(p, {variable: (ix.BOUND, p.height + 1, 0)})
        return atom(Atom(Kind.PRODUCT, inner=(body,), sizes=(size,)))


def _tanh(algebra: Algebra, a: Polynomial) -> Polynomial:
    square = algebra.exp(scaled(a, 2))
    return algebra.times(plus(square, number(-1)), algebra.power(plus(square, ONE), -1))


def _hyperbolic(algebra: Algebra, a: Polynomial, sign: int) -> Polynomial:
    half = Fraction(1, 2)
    return plus(scaled(algebra.exp(a), half), scaled(algebra.exp(scaled(a, -1)), sign * half))


def _ratio(algebra: Algebra, above: Polynomial, below: Polynomial) -> Polynomial:
    return algebra.times(above, algebra.power(below, -1))


BY_EXP: Mapping[str, Callable[[Algebra, Polynomial], Polynomial]] = {
    "exp": lambda g, a: g.exp(a),
    "sinh": lambda g, a: _hyperbolic(g, a, -1),
    "cosh": lambda g, a: _hyperbolic(g, a, 1),
    "tanh": _tanh,
    "coth": lambda g, a: g.power(_tanh(g, a), -1),
    "sech": lambda g, a: g.power(_hyperbolic(g, a, 1), -1),
    "csch": lambda g, a: g.power(_hyperbolic(g, a, -1), -1),
    "tan": lambda g, a: _ratio(g, g.function("sin", a), g.function("cos", a)),
    "cot": lambda g, a: _ratio(g, g.function("cos", a), g.function("sin", a)),
    "erfc": lambda g, a: plus(ONE, scaled(g.function("erf", a), -1)),
    "Abs": lambda g, a: g.absolute(a),
    "sign": lambda g, a: plus(scaled(g.positive(a), 2), g.vanishing(a), number(-1)),
}
"""Functions that are replaced by others."""

PARITY: Mapping[str, int] = {"sin": -1, "cos": 1, "erf": -1, "asin": -1, "atan": -1, "asinh": -1, "atanh": -1}
"""`f(-a) = ±f(a)`; an odd function is 0 at 0, and cos is 1 there."""


def eliminated(form: IndexExpr) -> tuple[Variable, IndexExpr] | None:
    """Return the last variable for which `form = 0` can be solved, with its value."""
    for v in sorted((v for v in ix.variables(form) if v[0] != ix.SIZE), reverse=True):
        e = ix.solved(form, v)
        if e is not None:
            return v, e
    return None


def _compared(a: Polynomial, b: Polynomial) -> int:
    """Compare two polynomials in an order that addition preserves."""
    difference = poly.minus(a, b)
    if not difference.terms:
        return 0
    return 1 if max(difference.terms.items(), key=lambda t: t[0].key())[1] > 0 else -1


def _varies(p: Polynomial) -> bool:
    """Tell whether p is linear in an entry that occurs in one term only, so that it is 0 almost nowhere."""
    names = [name for m in p.terms for name in _entry_names(m)]
    for m in p.terms:
        if not m.exponent and len(m.factors) == 1:
            ((a, e),) = m.factors.items()
            if a.kind is Kind.ENTRY and e == 1 and names.count(a.name) == 1:
                return True
    return False


def _as_index(p: Polynomial) -> IndexExpr | None:
    """Return the index expression that has this value, or None."""
    terms: list[tuple[tuple[Variable, ...], int]] = []
    for m, c in p.terms.items():
        whole = all(a.kind is Kind.VALUE and e > 0 and e == floor(e) for a, e in m.factors.items())
        if m.exponent or not whole or c != floor(c):
            return None
        variables = [v for a, e in m.factors.items() for v in ix.variables(a.indices[0]) for _ in range(floor(e))]
        terms.append((tuple(sorted(variables)), floor(c)))
    return ix.build(terms)


def _entry_names(m: Monomial) -> list[str]:
    """Return the names of entries in a monomial, each as often as it is written."""
    found: list[str] = []
    for a in m.factors:
        if a.kind in (Kind.ENTRY, Kind.SYMMETRIC):
            found.append(a.name)
        for p in a.inner:
            found.extend(name for n in p.terms for name in _entry_names(n))
    for n in m.exponent.terms if m.exponent else ():
        found.extend(_entry_names(n))
    return found


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


def _connected(
    pieces: Iterable[tuple[frozenset[Variable], Atom | Monomial, Rational]],
) -> list[list[tuple[frozenset[Variable], Atom | Monomial, Rational]]]:
    """Return the pieces grouped by shared variables."""
    groups: list[tuple[set[Variable], list[tuple[frozenset[Variable], Atom | Monomial, Rational]]]] = []
    for piece in pieces:
        joined = (set(piece[0]), [piece])
        apart = []
        for group in groups:
            if group[0].isdisjoint(joined[0]):
                apart.append(group)
            else:
                joined = (joined[0] | group[0], group[1] + joined[1])
        groups = [*apart, joined]
    return [members for _, members in groups]


def _parted(m: Monomial, chosen: frozenset[Variable]) -> tuple[Monomial, Monomial]:
    """Return the part of a monomial that has a chosen variable, and the rest."""
    inner: dict[Atom, Rational] = {}
    rest: dict[Atom, Rational] = {}
    for a, e in m.factors.items():
        (rest if a.free.isdisjoint(chosen) else inner)[a] = e
    above: dict[Monomial, Rational] = {}
    beside: dict[Monomial, Rational] = {}
    for n, c in m.exponent.terms.items() if m.exponent else ():
        (beside if n.free.isdisjoint(chosen) else above)[n] = c
    return Monomial(Polynomial(above), inner), Monomial(Polynomial(beside), rest)


def _primes(n: int) -> dict[int, int]:
    if n > _FACTORED:
        msg = f"the factors of {n}"
        raise NoRule(msg)
    return {int(p): int(e) for p, e in sympy.factorint(n).items()}


def _rational_primes(c: Fraction) -> dict[int, int]:
    """Return the powers of primes that make up a positive rational."""
    return _primes(c.numerator) | {p: -e for p, e in _primes(c.denominator).items()}


def _number_root(c: Fraction, r: Fraction) -> Polynomial:
    """`c^r` for a positive rational c."""
    outside, factors = Fraction(1), dict[Atom, Rational]()
    for p, e in _rational_primes(c).items():
        power = e * r
        outside *= Fraction(p) ** floor(power)
        if power != floor(power):
            factors[Atom(Kind.CONSTANT, str(p))] = power - floor(power)
    return Polynomial({Monomial(None, factors): outside})


def _number_log(c: Fraction) -> Polynomial:
    """`log c` for a positive rational c, by its prime factors."""
    return plus(
        *(scaled(atom(Atom(Kind.FUNCTION, "log", inner=(number(p),))), e) for p, e in _rational_primes(c).items())
    )


def _base(a: Atom) -> Polynomial:
    """Return an atom as a polynomial: of a base, what it is the base of."""
    return a.inner[0] if a.kind is Kind.BASE else atom(a)


def _log_of(a: Atom) -> Polynomial:
    """`log a` for one atom."""
    if a.kind is Kind.CONSTANT and a.name.isdigit():
        return _number_log(Fraction(int(a.name)))
    return atom(Atom(Kind.FUNCTION, "log", inner=(_base(a),)))

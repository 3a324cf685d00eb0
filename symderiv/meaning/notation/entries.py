"""Entry form: a scalar term over free indices, written for a reader.

Vocabulary. A *letter* is what a reader sees for an index; no two indices that meet have one letter, and none
has the letter of a name or a size. A product is written coefficient, sizes, numbers, deltas, upstream
gradients, entries, functions, brackets, sums; a sum its positive terms first, the weightiest foremost.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import count
from typing import Any

import sympy
from sympy import (
    Abs,
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
    Rational,
    Sum,
    exp,
)
from sympy.core.relational import Relational
from sympy.logic.boolalg import And, BooleanFalse, BooleanTrue, Not, Or

from symderiv.kernel.substitution import names_in
from symderiv.kernel.terms import Cases, D, Greatest, Index, KernelError, Size, Unknown, name_of
from symderiv.meaning.notation.products import Term, cost, flat, flat_product, indices_of
from symderiv.meaning.notation.style import Level, Shown, Style, identity_key

POOL = "ijklmnprstuvhaoxe"
"""Letters for indices, in the order of preference; each has a lowered form in Unicode."""
_RELATIONS = {"==": "eq", "!=": "ne", "<": "lt", "<=": "le", ">": "gt", ">=": "ge"}


class Unwritable(KernelError):
    """A term that has no notation here."""


def writer(
    style: Style,
    terms: Iterable[Expr],
    free: Sequence[Index],
    avoid: Iterable[str] = (),
    functions: Mapping[str, tuple[str, ...]] | None = None,
) -> Writer:
    """Return a writer for some terms; an index of `free` that the page wrote keeps its letter.

    Names in `functions` are written with their variables, `f(x)`.
    """
    terms = list(terms)
    taken = {identity_key(name) for term in terms for name in names_in(term)} | {str(name) for name in avoid}
    taken |= {size.name for term in terms for size in term.atoms(Size)}
    if any(term.has(exp) for term in terms):
        taken.add("e")
    found = {index: index.name for index in free if "#" not in index.name}
    for index in free:
        if index not in found:
            own = index.name.split("#")[0]
            choice = (own, *POOL) if len(own) == 1 and own != "s" else tuple(POOL)
            found[index] = _unused(choice, taken | set(found.values()))
    return Writer(style, found, frozenset(taken) | set(found.values()), functions or {})


def _unused(choice: Iterable[str], taken: Iterable[str]) -> str:
    taken = set(taken)
    return next((c for c in choice if c not in taken), None) or next(
        f"i_{n}" for n in count() if f"i_{n}" not in taken
    )


@dataclass(slots=True)
class Writer:
    """Writes entry forms in one style, under one assignment of letters."""

    style: Style
    letter: Mapping[Index, str]
    taken: frozenset[str]
    """What a bound index may not be called."""
    functions: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """The names that are functions, with those of their variables."""

    def write(self, term: Expr) -> Shown:
        """Write a term."""
        return self.sum(flat(term))

    # ------------------------------------------------------------------ sums and products

    def sum(self, terms: Sequence[Term]) -> Shown:
        """Write a sum of products."""
        ordered = sorted(terms, key=_term_order)
        if len(ordered) == 1:
            return self.product(ordered[0])
        text = ""
        for term in ordered:
            negative = bool(term.coefficient < 0)
            shown = self.product(Term(abs(term.coefficient), term.bound, term.factors))
            if shown.level is Level.SUM:
                shown = self.style.group(shown)
            if not text:
                text = f"{self.style.symbol('minus') if negative else ''}{shown.text}"
            else:
                text += f" {self.style.symbol('minus') if negative else '+'} {shown.text}"
        return Shown(text or "0", Level.SUM)

    def product(self, term: Term) -> Shown:
        """Write one product."""
        if term.coefficient == 0:
            return self.style.number("0")
        if term.coefficient < 0:
            inner = self.product(Term(-term.coefficient, term.bound, term.factors))
            return Shown(self.style.symbol("minus") + inner.text, Level.SUM)
        outside, components = _components(term)
        exponent = Add(*(power * base.exp for base, power in outside.items() if isinstance(base, exp)))
        if exponent != 0:
            outside = {base: power for base, power in outside.items() if not isinstance(base, exp)} | {
                exp(exponent): Integer(1)
            }
        ordered = sorted(outside.items(), key=lambda item: self._factor_order(item[0]))
        below = [self._power(base, -power) for base, power in ordered if power < 0]
        simple: list[Shown] = []
        tall: list[Shown] = []
        brackets = any(power < 0 for _, power in ordered) or term.coefficient.q != 1
        for base, power in ordered:
            if power > 0:
                (tall if isinstance(base, Add) and brackets else simple).append(self._power(base, power))
        for bound, factors in components:
            tall.append(self._summed(bound, factors))
        top, bottom = term.coefficient.p, term.coefficient.q
        if bottom != 1:
            below.insert(0, self.style.number(str(bottom)))
        if top != 1 or (not simple and not tall and not below):
            simple.insert(0, self.style.number(str(top)))
        if not below:
            return self._joined([*simple, *tall])
        above = self._joined(simple) if simple else None
        if above is None and len(tall) == 1 and not components:
            above, tall = tall[0], []
        if (
            above is not None
            and bottom != 1
            and len(below) == 1
            and top == 1
            and not self.style.one_line
            and (tall or len(simple) > 1)
        ):
            return self._joined([self.style.quotient(self.style.number("1"), below[0]), *simple, *tall])
        quotient = self.style.quotient(above or self.style.number("1"), self._joined(below))
        return self._joined([quotient, *tall]) if tall else quotient

    def _joined(self, factors: Sequence[Shown]) -> Shown:
        """Write factors side by side."""
        if len(factors) == 1:
            return factors[0]
        texts = []
        for place, factor in enumerate(factors):
            last = place == len(factors) - 1
            shown = factor
            if factor.level is Level.SUM or (factor.level is Level.BIG and not last):
                shown = self.style.group(factor)
            text = shown.text
            if (shown.level is Level.QUOTIENT and not last) or (
                not last and text.isdigit() and factors[place + 1].text[:1].isdigit()
            ):
                text += f" {self.style.symbol('dot')}"
            texts.append(text)
        return Shown(" ".join(texts), Level.BIG if factors[-1].level is Level.BIG else Level.PRODUCT)

    def _summed(self, bound: Sequence[tuple[Index, Expr]], factors: Mapping[Expr, Rational]) -> Shown:
        inner = self._within([index for index, _ in bound])
        body = inner.product(Term(Integer(1), (), factors))
        for index, size in reversed(bound):
            body = self.style.big("sum", inner.style.letter(inner.letter[index]), self._size(size), body)
        return body

    def _within(self, bound: Sequence[Index]) -> Writer:
        """Return a writer for the inside of a sum, its indices given letters."""
        letter, taken = dict(self.letter), set(self.taken)
        for index in bound:
            letter[index] = _unused(POOL, taken)
            taken.add(letter[index])
        return Writer(self.style, letter, frozenset(taken), self.functions)

    def _size(self, size: Expr) -> str:
        return self.write(size).text

    def _power(self, base: Expr, power: Rational) -> Shown:
        """Write a base to a positive power."""
        if power == 1:
            return self.atom(base)
        if isinstance(base, exp):
            return self._exponential(power * base.exp)
        if power == Rational(1, 2):
            return self.style.root(self.atom(base))
        return self.style.power(self.atom(base), self._exponent(power))

    def _exponent(self, power: Expr) -> str:
        if isinstance(power, Rational) and not power.is_Integer:
            return f"{power.p}/{power.q}"
        return self.write(power).text

    def _exponential(self, exponent: Expr) -> Shown:
        return self.style.power(self.style.number("e"), self.write(exponent).text)

    def _factor_order(self, base: Expr) -> tuple[int, str, int, str, str]:
        """Return where a factor stands in a product."""
        name = name_of(base)
        first = min((self.letter.get(s, "~") for s in indices_of([base])), default="")
        if isinstance(base, Indexed):
            plain = re.sub(r"[^A-Za-z0-9]", "", str(name))
            return (4, first, -len(base.indices), plain, "".join(self.index(i) for i in base.indices))
        if name in self.functions:
            return (4, "~", 3, str(base), "")
        if name is not None:
            plain = re.sub(r"[^A-Za-z0-9]", "", name)
            return (1, "", not name.startswith("\\"), plain.lower(), plain)
        if not base.free_symbols - base.atoms(Size) and not base.has(Sum):
            return (0, "", 0, str(base), "")
        if isinstance(base, Index | KroneckerDelta | D):
            return ({Index: 1, KroneckerDelta: 2, D: 3}[type(base)], first, 0, str(base), "")
        if isinstance(base, Piecewise | Cases | exp | Add):
            return (4, first, {Piecewise: 1, Cases: 1, exp: 2, Add: 4}[type(base)], str(base), "")
        return (4, first, 3, str(base), "") if not isinstance(base, Sum) else (5, first, 0, str(base), "")

    # ------------------------------------------------------------------ atoms

    def atom(self, term: Expr) -> Shown:  # noqa: C901, PLR0912  one branch a kind of atom
        """Write what is no sum or product."""
        name = name_of(term)
        if name is not None:
            indices = term.indices if isinstance(term, Indexed) else ()
            return self.applied(name, tuple(self.index(index) for index in indices))
        if isinstance(term, Index | Size | Integer):
            return self.style.number(self.index(term))
        if isinstance(term, Add | Mul):
            return self.write(term)
        if isinstance(term, exp):
            return self._exponential(term.exp)
        if isinstance(term, KroneckerDelta):
            first, second = sorted((self.index(a) for a in term.args), key=lambda text: (len(text), text))
            return self.style.delta(first, second)
        if isinstance(term, D):
            return self._derivative(term)
        if isinstance(term, Sum | Product | Greatest):
            return self._bound(term)
        if isinstance(term, Unknown):
            return self._unknown(term)
        if isinstance(term, Piecewise | Cases):
            return self._cases(term)
        if isinstance(term, Pow):
            return self.style.power(self.atom(term.base), self.write(term.exp).text)
        if isinstance(term, Heaviside) and len(term.args) == 2 and term.args[1] == 0:
            return Shown(f"{self.style.symbol('ones')}[{self.condition(term.args[0] > 0)}]", Level.POWER)
        if isinstance(term, Abs):
            return self.style.bars(self.write(term.args[0]))
        if isinstance(term, Max | Min):
            items = ", ".join(sorted(self.write(a).text for a in term.args))
            return self.style.function(type(term).__name__.lower(), Shown(items))
        if term == sympy.pi:
            return self.style.number(self.style.symbol("pi"))
        if term == sympy.E:
            return self.style.number("e")
        if isinstance(term, Rational):
            return self.product(Term(term, (), {}))
        if isinstance(term, sympy.Function) and len(term.args) == 1:
            return self.style.function(type(term).__name__, self.write(term.args[0]))
        if type(term) in ATOMS:
            return ATOMS[type(term)](self, term)
        msg = f"{type(term).__name__} has no notation"
        raise Unwritable(msg)

    def applied(self, name: str, indices: tuple[str, ...] = (), primes: int = 0) -> Shown:
        """Write a name; if it is a function, with as many primes and with its variables."""
        variables = self.functions.get(name)
        if variables is None:
            return self.style.name(name, indices)
        head = self.style.name(identity_key(name) + "'" * primes, indices)
        inner = Shown(", ".join(self.style.name(each).text for each in variables))
        return Shown(f"{head.text}{self.style.group(inner).text}", Level.POWER)

    def _derivative(self, term: D) -> Shown:
        """Write a derivative; that of a function of one number by a prime."""
        of, by = term.term, term.variables
        primes = len(by)
        while isinstance(of, D):
            of, by, primes = of.term, (*of.variables, *by), primes + len(of.variables)
        name = name_of(of)
        if name is None and isinstance(of, sympy.Function) and set(by) == set(of.args):
            return self.style.function(type(of).__name__ + "'" * primes, self.write(of.args[0]))
        one = name in self.functions and {name_of(each) for each in by} == set(self.functions[str(name)])
        if one and not any(isinstance(each, Indexed) for each in by):
            indices = of.indices if isinstance(of, Indexed) else ()
            return self.applied(str(name), tuple(self.index(index) for index in indices), primes)
        inner = self.write(of) if name is None else self._bare(of)
        variables = tuple(self._bare(variable) for variable in by)
        return self.style.derivative(inner, variables, named=name is not None)

    def _bare(self, term: Expr) -> Shown:
        """Write an entry without the variables of a function."""
        indices = term.indices if isinstance(term, Indexed) else ()
        return self.style.name(str(name_of(term)), tuple(self.index(index) for index in indices))

    def index(self, term: Basic) -> str:
        """Write an index, a size, or a combination of these."""
        if isinstance(term, Index):
            return self.style.letter(self.letter.get(term, term.name))
        if isinstance(term, Size):
            return self.style.letter(term.name)
        if isinstance(term, Integer):
            return str(term)
        return self.write(term).text.replace(" ", "")

    def _bound(self, term: Expr) -> Shown:
        """Write a sum or product inside a base, whose canonical indices get letters of their own."""
        inner = self._within([limit[0] for limit in term.limits])
        body = inner.write(term.function)
        for limit in reversed(term.limits):
            sign = {Sum: "sum", Product: "prod", Greatest: "max"}[type(term)]
            body = self.style.big(
                sign, inner.style.letter(inner.letter[limit[0]]), self._size(limit[2]), body
            )
        return body

    def _unknown(self, term: Unknown) -> Shown:
        name, orders, *arguments = term.args
        items = Shown(", ".join(self.write(a).text for a in arguments))
        primes = int(orders[0]) if len(arguments) == 1 else 0
        head = self.style.name(identity_key(str(name)) + "'" * primes).text
        if len(arguments) > 1 and any(orders):
            msg = "a partial derivative of an unknown function has no notation here"
            raise Unwritable(msg)
        return Shown(f"{head}{self.style.group(items).text}", Level.POWER)

    def _cases(self, term: Piecewise | Cases) -> Shown:
        rows = [(value, condition) for value, condition in rows_of(term)]
        if len(rows) == 2 and rows[0][0] == 1 and rows[1] == (0, sympy.true):
            return Shown(f"{self.style.symbol('ones')}[{self.condition(rows[0][1])}]", Level.POWER)
        return self.style.cases(
            tuple((self.write(value).text, "" if c == sympy.true else self.condition(c)) for value, c in rows)
        )

    def condition(self, condition: Basic) -> str:
        """Write a condition."""
        if isinstance(condition, Relational):
            left, right = (self.write(a).text for a in condition.args)
            return f"{left} {self.style.symbol(_RELATIONS[condition.rel_op])} {right}"
        between = _between(condition)
        if between is not None:
            relations = {each: self.style.symbol(_RELATIONS[each]) for each in ("<", "<=")}
            parts = (relations.get(x) or x if isinstance(x, str) else self.write(x).text for x in between)
            return " ".join(parts)
        if isinstance(condition, And | Or):
            sign = self.style.symbol("and" if isinstance(condition, And) else "or")
            return f" {sign} ".join(sorted(self.condition(a) for a in condition.args))
        if isinstance(condition, Not | BooleanTrue | BooleanFalse):
            msg = "this condition has no notation"
            raise Unwritable(msg)
        msg = f"{type(condition).__name__} has no notation"
        raise Unwritable(msg)


def _between(condition: Basic) -> tuple[Expr | str, ...] | None:
    """Return `a <= b < c` in its parts for the two conditions that a <= b and b < c, else None."""
    if not isinstance(condition, And) or len(condition.args) != 2:
        return None
    rising = [
        each.reversed if each.rel_op in (">", ">=") else each
        for each in condition.args
        if isinstance(each, Relational)
    ]
    for one, other in (rising, rising[::-1]) if len(rising) == 2 else ():
        if {one.rel_op, other.rel_op} <= {"<", "<="} and one.rhs == other.lhs:
            return (one.lhs, one.rel_op, one.rhs, other.rel_op, other.rhs)
    return None


ATOMS: dict[type[Expr], Callable[[Writer, Any], Shown]] = {}
"""How atoms are written that hold a matrix: `matrices` enters them, which writes in matrix form."""


def rows_of(term: Expr) -> tuple[tuple[Expr, Basic], ...]:
    """Return the values of a distinction of cases with their conditions."""
    return term.pairs if isinstance(term, Cases) else tuple((row.expr, row.cond) for row in term.args)


def _components(
    term: Term,
) -> tuple[dict[Expr, Rational], list[tuple[list[tuple[Index, Expr]], dict[Expr, Rational]]]]:
    """Split a product into the factors outside its sums and the sums that share no index."""
    bound = dict(term.bound)
    outside: dict[Expr, Rational] = {}
    groups: list[tuple[set[Index], dict[Expr, Rational]]] = []
    for base, power in term.factors.items():
        touched = {s for s in base.free_symbols if s in bound}
        if not touched:
            outside[base] = power
            continue
        joined: tuple[set[Index], dict[Expr, Rational]] = (set(touched), {base: power})
        for group in [g for g in groups if g[0] & touched]:
            groups.remove(group)
            joined = (joined[0] | group[0], {**group[1], **joined[1]})
        groups.append(joined)
    seen = {k for group, _ in groups for k in group}
    for k, size in term.bound:
        if k not in seen:
            inner = flat_product(size)
            for base, power in inner.factors.items():
                outside[base] = outside.get(base, Integer(0)) + power
    components = [
        ([(k, bound[k]) for k, _ in term.bound if k in group], factors) for group, factors in groups
    ]
    return outside, sorted(
        components, key=lambda c: (cost([Term(Integer(1), tuple(c[0]), c[1])]), str(sorted(map(str, c[1]))))
    )


def _term_order(term: Term) -> tuple[bool, bool, float, str]:
    """Return where a term stands in a sum."""
    number = not term.factors
    return (
        bool(term.coefficient < 0),
        not number,
        -round(cost([term]), 3),
        str(sorted(map(str, term.factors))),
    )

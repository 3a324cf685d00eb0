"""Relations: equations that the page supposes and that no rewrite of one atom expresses.

Vocabulary. A *relation* is a polynomial that is 0 for every value of its variables; an *instance* has index
expressions of the difference in their place. A difference *vanishes* when it is a combination of instances
with polynomials for coefficients: it is reduced by a Gröbner basis of them, cut off where that grows. What is
no polynomial is a *generator* of its own: an atom, a root, an exponential. A relation is *solved* for an
entry that stands in one term of it alone, beside what is certainly not 0.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from itertools import combinations, islice, product
from math import floor
from typing import TYPE_CHECKING, Any

from sympy import QQ
from sympy.polys.orderings import grevlex
from sympy.polys.rings import PolyRing

from symderiv.kernel import indices as ix
from symderiv.kernel.cases import atoms_of
from symderiv.kernel.indices import IndexExpr, Variable
from symderiv.kernel.polynomial import Atom, Kind, Monomial, Polynomial, Rational, minus
from symderiv.kernel.shifts import placed

if TYPE_CHECKING:
    from symderiv.kernel.normal import Algebra

INSTANCES = 12
"""How many instances of relations take part at most."""
PLACES = 36
"""At how many places one relation is tried at most."""
GENERATORS = 24
"""In how many generators differences are reduced at most."""
DEGREE = 12
"""Of what degree in one generator they may be."""
PAIRS = 40
"""How many pairs of a basis are reduced at most."""
TERMS = 120
"""Polynomials of more terms join no basis, and are not reduced."""

WORK = 50
"""What one instance costs: to reduce by it is no small part of a proof."""

Element = Any
"""An element of a polynomial ring of SymPy's, which has no types."""
Generator = Atom | tuple[Polynomial | None, frozenset[tuple[Atom, Rational]]]
"""An atom, or the exponential and the roots of a term."""


@dataclass(frozen=True, slots=True)
class Relation:
    """A hypothesis: `form = 0` for every value of `variables`."""

    form: Polynomial
    variables: tuple[Variable, ...]
    sources: frozenset[str]


def vanishes(algebra: Algebra, p: Polynomial) -> bool:
    """Tell whether p is 0 where the relations of the page hold, certainly."""
    if len(p.terms) > TERMS:
        return False
    instances = _instances(algebra, p)
    if not instances:
        return False
    forms = [form for form, _ in instances]
    generators = sorted({g for q in (p, *forms) for m in q.terms for g in _powers(m)}, key=_key)
    if len(generators) > GENERATORS:
        return False
    algebra.spend(WORK * len(forms))
    basis = _basis(tuple(generators), frozenset(forms))
    element = _element(tuple(generators), p)
    if basis is None or element is None or element.rem(list(basis)):
        return False
    algebra.used = algebra.used.union(*(sources for _, sources in instances))
    return True


def divided(p: Polynomial, by: Polynomial) -> Polynomial | None:
    """Return p over another polynomial where no rest is left, else None."""
    if len(p.terms) > TERMS or len(by.terms) > TERMS:
        return None
    generators = tuple(sorted({g for q in (p, by) for m in q.terms for g in _powers(m)}, key=_key))
    if len(generators) > GENERATORS:
        return None
    upper, lower = (_element(generators, q) for q in (p, by))
    if upper is None or not lower or any(e < 0 for q in (p, by) for m in q.terms for e in m.factors.values()):
        return None
    (quotient,), rest = upper.div([lower])
    return None if rest else _polynomial(generators, quotient)


def solved(
    algebra: Algebra, form: Polynomial, variables: tuple[Variable, ...]
) -> tuple[Atom, Polynomial] | None:
    """Return an entry and its value where a form is 0, or None; the entry has all of the variables."""
    found: list[tuple[tuple[bool, Any], Atom, Polynomial]] = []
    for m, c in form.terms.items():
        rest = minus(Polynomial({m: c}), form)
        for a, e in m.factors.items():
            entry = _logged(a) or a
            others = {b: f for b, f in m.factors.items() if b != a}
            beside = Polynomial({Monomial(m.exponent, others): c})
            sure = all(b.kind is Kind.VALUE or algebra.atom_sign(b) == 2 for b in others)
            named = {b.name for q in (rest, beside) for b in atoms_of(q)}
            if e != 1 or entry.kind is not Kind.ENTRY or not sure or not set(variables) <= entry.free:
                continue
            if entry.name in named or entry.name in algebra.values:
                continue
            value = algebra.times(rest, algebra.power(beside, -1))
            rank = (entry.name in algebra.positive_names, entry.key())
            found.append((rank, entry, value if a is entry else algebra.exp(value)))
    return min(found, key=lambda each: each[0])[1:] if found else None


def _logged(a: Atom) -> Atom | None:
    """Return the atom of which this one is the logarithm, or None."""
    only = a.inner[0].single() if a.kind is Kind.FUNCTION and a.name == "log" else None
    if only is None or only[0].exponent or only[1] != 1 or len(only[0].factors) != 1:
        return None
    ((b, e),) = only[0].factors.items()
    return b if e == 1 else None


# -- instances


def _instances(algebra: Algebra, p: Polynomial) -> list[tuple[Polynomial, frozenset[str]]]:
    """Return the relations at the index expressions of p, those that have to do with it, each once."""
    known: dict[Polynomial, frozenset[str]] = {}
    for relation in algebra.relations:
        places = _places(relation, p)
        for choice in islice(product(*places), PLACES):
            form = algebra.substitute(relation.form, dict(zip(relation.variables, choice, strict=True)))
            if form.terms and not any(m.marked for m in form.terms):
                known.setdefault(form, relation.sources)
    reached, found = atoms_of(p), dict[Polynomial, frozenset[str]]()
    more = True
    while more:
        more = False
        for form, sources in known.items():
            atoms = atoms_of(form)
            if form not in found and not reached.isdisjoint(atoms) and len(found) < INSTANCES:
                found[form] = sources
                reached |= atoms
                more = True
    return list(found.items())


def _places(relation: Relation, p: Polynomial) -> list[list[IndexExpr]]:
    """Return for each variable the index expressions that p has where the variable stands: in its range."""
    slots: dict[IndexExpr, set[tuple[str, int]]] = {}
    for slot, form in placed(relation.form):
        slots.setdefault(form, set()).add(slot)
    here = {(slot, form) for slot, form in placed(p) if not any(v[0] == ix.BOUND for v in ix.variables(form))}
    return [
        sorted({form for slot, form in here if slot in slots.get(ix.bare(v), ())}) for v in relation.variables
    ]


# -- polynomials in generators


def _powers(m: Monomial) -> dict[Generator, int]:
    """Return a monomial as whole powers of generators."""
    powers: dict[Generator, int] = {a: floor(e) for a, e in m.factors.items() if floor(e)}
    roots = frozenset((a, Fraction(e) - floor(e)) for a, e in m.factors.items() if e != floor(e))
    if m.exponent or roots:
        powers[m.exponent, roots] = 1
    return powers


def _key(g: Generator) -> tuple[Any, ...]:
    if isinstance(g, Atom):
        return (1, -g.height, g.key())
    exponent, roots = g
    return (0, exponent.key() if exponent else (), sorted((a.key(), e) for a, e in roots))


@lru_cache(maxsize=64)
def _ring(count: int) -> PolyRing:
    return PolyRing([f"g{n}" for n in range(count)], QQ, grevlex)


def _element(generators: tuple[Generator, ...], p: Polynomial) -> Element | None:
    """Return p, times what makes its powers whole and none negative; None where that is of high degree."""
    rows = [(_powers(m), c) for m, c in p.terms.items()]
    least = [min(0, *(powers.get(g, 0) for powers, _ in rows)) for g in generators]
    terms = {
        tuple(powers.get(g, 0) - low for g, low in zip(generators, least, strict=True)): QQ(
            Fraction(c).numerator, Fraction(c).denominator
        )
        for powers, c in rows
    }
    if any(e > DEGREE for exponents in terms for e in exponents):
        return None
    return _ring(len(generators)).from_dict(terms)


def _polynomial(generators: tuple[Generator, ...], element: Element) -> Polynomial | None:
    """Return an element as a polynomial; None where a generator is no atom."""
    terms: dict[Monomial, Rational] = {}
    for exponents, c in element.terms():
        factors: dict[Atom, Rational] = {}
        for g, e in zip(generators, exponents, strict=True):
            if e and isinstance(g, Atom):
                factors[g] = e
            elif e:
                return None
        terms[Monomial(None, factors)] = Fraction(int(c.numerator), int(c.denominator))
    return Polynomial(terms)


@lru_cache(maxsize=256)
def _basis(generators: tuple[Generator, ...], forms: frozenset[Polynomial]) -> tuple[Element, ...] | None:
    """Return a basis of what forms generate, or of some of it; None where one is of high degree."""
    elements = [_element(generators, form) for form in sorted(forms, key=Polynomial.key)]
    if any(element is None for element in elements):
        return None
    basis = [element.monic() for element in elements if element]
    waiting = list(combinations(range(len(basis)), 2))
    for _ in range(PAIRS):
        if not waiting:
            break
        i, j = waiting.pop(0)
        rest = _met(basis[i], basis[j]).rem(basis)
        if rest and len(rest) <= TERMS:
            waiting.extend((n, len(basis)) for n in range(len(basis)))
            basis.append(rest.monic())
    return tuple(basis)


def _met(f: Element, g: Element) -> Element:
    """Return the combination of two elements in which their leading terms are gone."""
    ring = f.ring
    lcm = ring.monomial_lcm(f.LM, g.LM)
    first, second = (ring.term_new(ring.monomial_div(lcm, each.LM), ring.domain.one) for each in (f, g))
    return f * first - g * second

"""Equality of two terms for every size, every index and every value: the only maker of `Proved`.

Vocabulary. The *difference* of the sides is brought to the normal form. It is *zero* when its normal form is
after denominators are *cleared*, after conditions and their negations are joined, and after sums over equal
ranges are joined: to *join* is to take one index out of each and to test the summands together. What
is not zero is the *residue*. A *case* fixes which free indices are equal. A sample of the values turns most
false goals down before any of this (see `sampling`); it never proves.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import chain, islice, product
from math import floor

import sympy
from sympy import Eq, Expr, Ne, Symbol

from symderiv.kernel import hypotheses
from symderiv.kernel import indices as ix
from symderiv.kernel.angles import expanded
from symderiv.kernel.calculus import Calculus, derive, names_in
from symderiv.kernel.cases import Facts, atoms_of, branches, cleared, replaced
from symderiv.kernel.indices import IndexExpr, Variable
from symderiv.kernel.inverses import by_inverses
from symderiv.kernel.normal import Algebra, Rule
from symderiv.kernel.polynomial import (
    ONE,
    Atom,
    Kind,
    Monomial,
    Polynomial,
    atom,
    minus,
    plus,
    scaled,
)
from symderiv.kernel.reading import Reader, positive_names, read_index, variable_of
from symderiv.kernel.sampling import nonzero
from symderiv.kernel.shifts import at_large, shifted_places
from symderiv.kernel.terms import Context, D, Goal, Index, NoRule, Size, TooLarge, Undefined, exact, name_of
from symderiv.kernel.writing import write

_TOKEN = object()
CHOICES = 200
"""How many ways of joining sums are tried at one level."""
NO_FACTS = Facts()
DEPTH = 4
"""How many sums may be joined inside one another."""
LITERAL = 8
"""Sums over at most so many numbers are written out where nothing else helps."""
PLACES = 6
"""At how many places sums are anchored at most."""
PAIRS = 4
"""How many pairs of indices are told apart at most."""


@dataclass(frozen=True, slots=True)
class Proved:
    """The two sides are equal; made by `prove` alone."""

    method: str
    cases: tuple[str, ...]
    hypotheses: tuple[str, ...]
    almost_everywhere: bool
    token: object = field(repr=False, compare=False)

    def __post_init__(self) -> None:
        """Refuse to be made elsewhere."""
        assert self.token is _TOKEN


@dataclass(frozen=True, slots=True)
class Residue:
    """What is left of the difference: not known to be zero."""

    difference: Polynomial
    note: str = ""
    positive: frozenset[str] = frozenset()

    @property
    def term(self) -> Expr:
        """The difference as a term."""
        return write(self.difference, self.positive)


def normal(term: Expr, ranges: Mapping[Index, Expr], context: Context | None = None) -> Polynomial:
    """Return the normal form of a term whose free indices run over `ranges`; derivatives are carried out.

    Where a derivative passes a kink it is the form almost everywhere.
    """
    context = context or Context()
    calculus = Calculus(context)
    opened, kinks = calculus.derived(term), calculus.has_kink(term)
    algebra = Algebra(_upper(ranges), positive_names([opened]), values=context.values, kinks_excluded=kinks)
    return Reader(algebra).read(opened)


def prove(goal: Goal) -> Proved | Residue:
    """Prove a goal, or return what is left of the difference; raise KernelError where a rule is missing."""
    try:
        left, right = exact(goal.left), exact(goal.right)
        return _prove(Goal(left, right, goal.ranges, goal.assumptions, goal.context))
    except RecursionError:
        msg = "the term is nested too deeply"
        raise TooLarge(msg) from None


def _prove(goal: Goal) -> Proved | Residue:
    calculus = Calculus(goal.context)
    left, right = calculus.derived(goal.left), calculus.derived(goal.right)
    kinks = calculus.has_kink(goal.left, goal.right)
    try:
        return _attempt(goal, left, right, kinks=kinks)
    except Undefined:
        split = _split(goal, left, right)
        if split is None:
            raise
        return split


def _check_free(algebra: Algebra, *sides: Polynomial) -> None:
    """Refuse an index that has no range: it has escaped from a sum."""
    for variable in frozenset[Variable]().union(*(side.free for side in sides)):
        if variable not in algebra.upper:
            msg = f"the index {variable[1]} has no range"
            raise NoRule(msg)


def _attempt(goal: Goal, left: Expr, right: Expr, *, kinks: bool) -> Proved | Residue:
    """Prove the goal without distinguishing cases."""
    reader = _reader(goal, (left, right), kinks=kinks)
    algebra = reader.algebra
    sides = reader.read(left), reader.read(right)
    _check_free(algebra, *sides)
    difference = minus(*sides)
    note = ""
    if kinks and _fixes_a_variable(goal, algebra.rules):
        # What holds almost everywhere may fail on the few points that an equation such as x_i = 0 leaves.
        return Residue(difference, "an equation may fix a kink", algebra.positive_names)
    try:
        if is_zero(algebra, difference):
            return Proved("normal form", (), tuple(sorted(algebra.used)), kinks, _TOKEN)
    except TooLarge as error:
        note = str(error)
    return Residue(difference, note, algebra.positive_names)


def _fixes_a_variable(goal: Goal, rules: tuple[Rule, ...]) -> bool:
    """Tell whether an equation replaces an entry by which, or by whose like, the goal differentiates."""
    by = {
        str(name)
        for side in (goal.left, goal.right)
        for d in side.atoms(D)
        for variable in d.args[1:]
        for name in names_in(variable)
    }
    patterns = [rule.pattern for rule in rules]
    replaced_by = [
        a for rule in rules if rule.pattern.kind is not Kind.SUM for a in atoms_of(rule.replacement)
    ]
    return any(a.kind is not Kind.SUM and a.name in by for a in (*patterns, *replaced_by))


def _split(goal: Goal, left: Expr, right: Expr) -> Proved | Residue | None:
    """Prove the goal for i = j and for i != j, for one pair of free indices; None if there is none."""
    settled = [
        a for a in goal.assumptions if isinstance(a, Eq | Ne) and all(isinstance(x, Index) for x in a.args)
    ]
    known = {frozenset(a.args) for a in settled}
    gone = {a.args[0] for a in settled if isinstance(a, Eq)} | {
        a.args[1] for a in settled if isinstance(a, Eq)
    }
    free = sorted((left.free_symbols | right.free_symbols) & set(goal.ranges), key=str)
    pairs = [(i, j) for n, i in enumerate(free) for j in free[n + 1 :] if frozenset((i, j)) not in known]
    pairs = [pair for pair in pairs if goal.ranges[pair[0]] == goal.ranges[pair[1]] and not gone & set(pair)]
    if not pairs or len(known) > PAIRS:
        return None
    i, j = pairs[0]
    cases: list[str] = []
    hypotheses: set[str] = set()
    almost = False
    for case in (Eq(i, j), Ne(i, j)):
        part = _prove(Goal(goal.left, goal.right, goal.ranges, (*goal.assumptions, case), goal.context))
        if isinstance(part, Residue):
            return part
        cases.extend(f"{_told(case)}, {deeper}" for deeper in part.cases or ())
        cases.extend([] if part.cases else [_told(case)])
        hypotheses.update(set(part.hypotheses) - {_told(case), _told(case.reversed)})
        almost = almost or part.almost_everywhere
    return Proved("normal form", tuple(cases), tuple(sorted(hypotheses)), almost, _TOKEN)


# -- what a goal assumes


def _upper(ranges: Mapping[Index, Expr]) -> dict[Variable, tuple[IndexExpr, ...]]:
    return {variable_of(i): (read_index(exact(size), {}),) for i, size in ranges.items()}


def _told(assumption: Expr) -> str:
    return f"{assumption.lhs} {'=' if isinstance(assumption, Eq) else '≠'} {assumption.rhs}"


def _of_indices(assumption: Expr) -> bool:
    return all(isinstance(s, Index | Size) for s in assumption.free_symbols)


def _reader(goal: Goal, terms: tuple[Expr, ...], *, kinks: bool) -> Reader:
    """Return a reader under the goal's ranges and assumptions."""
    upper = _upper(goal.ranges)
    fixed, unequal = _of_the_indices(goal, upper)
    facts = [a for a in goal.assumptions if not _of_indices(a)]
    positive = positive_names([*terms, *facts]) | {
        name for a in facts if (name := _made_positive(a, goal)) is not None
    }
    algebra = Algebra(upper, positive, unequal, values=goal.context.values, kinks_excluded=kinks)
    reader = Reader(algebra, fixed)
    rules: list[Rule] = []
    present_names = frozenset[str]().union(*(names_in(term) for term in terms))
    facts = [*facts, *(turned for fact in facts if (turned := hypotheses.orthogonal(fact, goal)) is not None)]
    algebra.bound = goal.context.discrete.union(*(names_in(fact) for fact in facts if isinstance(fact, Eq)))
    for fact in facts:
        definite = hypotheses.definite(fact)
        algebra.definite |= {definite} if definite is not None else set()
        if isinstance(fact, Eq):
            sides = (derive(fact.lhs, goal.context), derive(fact.rhs, goal.context))
            diagonal, symmetric = hypotheses.diagonal(sides, goal), hypotheses.symmetric(sides, goal)
            algebra.diagonal |= {diagonal} if diagonal is not None else set()
            algebra.symmetric |= {symmetric} if symmetric is not None else set()
            name = diagonal or symmetric
            if name is not None:
                algebra.used |= {_told(fact)} if name in present_names else set()
                continue
            finite, one_hot = hypotheses.finite(sides, goal), hypotheses.one_hot(sides, goal)
            algebra.values |= dict([finite]) if finite is not None else {}
            algebra.one_hot |= dict([one_hot]) if one_hot is not None else {}
            found = finite or one_hot
            if found is not None:
                name = found[0]
                algebra.values |= {name: (0, 1)} if one_hot is not None else {}
                algebra.used |= {_told(fact)} if name in present_names else set()
                continue
            rule = _rule(reader, sides, goal, _told(fact))
            if rule is not None:
                rules.append(rule)
    for rule in rules:
        chosen = hypotheses.chosen(rule, algebra.values)
        if chosen is not None:
            algebra.one_hot |= dict([chosen])
            algebra.used |= {rule.source} if chosen[0] in present_names else set()
    of_indices = [a for a in goal.assumptions if isinstance(a, Eq) and _of_indices(a)]
    if of_indices:
        present = frozenset[Symbol]().union(*(term.free_symbols for term in terms))
        algebra.used |= {_told(a) for a in of_indices if a.free_symbols & present}
    algebra.rules = tuple(rules)
    algebra.moves.clear()
    algebra.leads.clear()
    reader.known.clear()
    return reader


def _of_the_indices(
    goal: Goal, upper: dict[Variable, tuple[IndexExpr, ...]]
) -> tuple[dict[Symbol, IndexExpr], dict[IndexExpr, str]]:
    """Return what the assumptions fix free indices and sizes to, and what they keep from being 0."""
    fixed: dict[Symbol, IndexExpr] = {}
    unequal: dict[IndexExpr, str] = {}
    facts = [a for a in goal.assumptions if _of_indices(a) and isinstance(a, Eq | Ne)]
    symbols = {
        variable_of(s): s for a in facts for s in a.free_symbols if isinstance(s, Size) or s in goal.ranges
    }
    for fact in sorted(facts, key=lambda a: isinstance(a, Ne)):
        form = ix.primitive(ix.minus(read_index(fact.lhs, fixed), read_index(fact.rhs, fixed)))
        if form is None or ix.value(form) is not None:
            continue
        if isinstance(fact, Ne):
            unequal[form] = _told(fact)
            continue
        for v in sorted(
            ix.variables(form) & symbols.keys(), key=lambda v: (v[0] != ix.SIZE, v), reverse=True
        ):
            found = ix.solved(form, v)
            if found is not None:
                fixed = {s: ix.replaced(e, {v: found}) for s, e in fixed.items()} | {symbols[v]: found}
                for other in ix.variables(found) if found == _only(found) else ():
                    upper[other] = (*upper.get(other, ()), *upper.get(v, ()))
                break
    sizes = {variable_of(s): e for s, e in fixed.items()}
    for v, bounds in upper.items():
        upper[v] = tuple(ix.replaced(bound, sizes) for bound in bounds)
    return fixed, unequal


def _only(form: IndexExpr) -> IndexExpr | None:
    """Return the form of the only variable of an index expression, or None."""
    variables = ix.variables(form)
    return ix.bare(next(iter(variables))) if len(variables) == 1 else None


def _made_positive(fact: Expr, goal: Goal) -> str | None:
    """Return the name that an assumption `x_i > 0`, for every i, makes positive."""
    if not isinstance(fact, sympy.StrictGreaterThan) or not fact.rhs.is_nonnegative or fact.rhs.free_symbols:
        return None
    indices = getattr(fact.lhs, "indices", ())
    if len(set(indices)) < len(indices) or any(not isinstance(i, Index) or i in goal.ranges for i in indices):
        return None
    return name_of(fact.lhs)


def _rule(reader: Reader, sides: tuple[Expr, Expr], goal: Goal, source: str) -> Rule | None:
    """Return a hypothesis as a rewrite of one atom, or None where it is not one."""
    left, right = (reader.read(side) for side in sides)
    fixed = {variable_of(i) for i in goal.ranges}
    quantified = tuple(sorted(v for v in (left.free | right.free) if v not in fixed))
    difference = minus(left, right)
    candidates = [(p, q) for p, q in ((left, right), (right, left)) if p.single() is not None]
    for p, q in candidates:
        pattern = _alone(p)
        if pattern is not None and set(quantified) <= pattern.free and pattern not in atoms_of(q):
            return Rule(pattern, quantified, q, source)
    for m, c in sorted(difference.terms.items(), key=lambda t: t[0].key()):
        sums = [a for a, e in m.factors.items() if a.kind is Kind.SUM and e == 1]
        rest = [a for a in m.factors if a not in sums]
        if m.exponent or len(sums) != 1 or any(a.kind is not Kind.VALUE for a in rest):
            continue
        others = minus(Polynomial({m: c}), difference)
        if sums[0] not in atoms_of(others) and set(quantified) <= sums[0].free:
            inverse = Polynomial({Monomial(None, {a: -m.factors[a] for a in rest}): 1})
            return Rule(
                sums[0], quantified, scaled(reader.algebra.times(others, inverse), 1 / Fraction(c)), source
            )
    return None


def _alone(p: Polynomial) -> Atom | None:
    """Return the atom that a polynomial is."""
    ((m, c),) = p.terms.items()
    if c != 1 or m.exponent or len(m.factors) != 1:
        return None
    ((a, e),) = m.factors.items()
    return a if e == 1 and a.kind in (Kind.SUM, Kind.ENTRY, Kind.SYMMETRIC) else None


# -- the zero test


def is_zero(algebra: Algebra, p: Polynomial, depth: int = DEPTH, facts: Facts = NO_FACTS) -> bool:
    """Tell whether p is known to be 0 wherever it is defined and the facts hold."""
    outer, algebra.known = algebra.known, facts.steps
    try:
        return _is_zero(algebra, p, depth, facts)
    finally:
        algebra.known = outer


def _is_zero(algebra: Algebra, p: Polynomial, depth: int, facts: Facts) -> bool:
    if len(p.terms) < 2 and not any(m.marked for m in p.terms):
        return not p.terms
    if not algebra.rules and nonzero(p, algebra, facts):
        return False
    if any(m.marked for m in p.terms):
        parts = branches(algebra, p, facts)
        return all(is_zero(algebra, part, depth, known) for part, known in parts)
    for a, logs in algebra.parted(p):
        p = replaced(algebra, p, a, logs)
    p = cleared(algebra, p)
    if len(p.terms) < 2:
        return not p.terms
    if depth == 0:
        return False
    turned = expanded(algebra, p)
    if turned is not None:
        return is_zero(algebra, turned, depth, facts)
    merged = _merged(algebra, p, depth)
    if merged is not None:
        return is_zero(algebra, merged, depth, facts)
    written_out = _written_out(algebra, p)
    if written_out is not None:
        return is_zero(algebra, written_out, depth - 1, facts)
    if by_inverses(algebra, p, depth):
        return True
    united = _united(algebra, p)
    if united is not None:
        return is_zero(algebra, united, depth, facts)
    ways = chain(algebra.exponential(p), _recentred(algebra, p), _joined(algebra, p))
    return any(is_zero(algebra, q, depth - 1, facts) for q in ways)


def _written_out(algebra: Algebra, p: Polynomial) -> Polynomial | None:
    """Return p with its sums over a few numbers written out; None if there is none."""
    found = False
    for a in sorted({a for m in p.terms for a in m.factors if a.kind is Kind.SUM}, key=Atom.key):
        for place, size in enumerate(a.sizes):
            last = ix.value(size)
            if last is not None and last <= LITERAL:
                parts = (_taken_out(algebra, a, place, ix.constant(n)) for n in range(1, last + 1))
                p, found = replaced(algebra, p, a, plus(*parts)), True
                break
    return p if found else None


def _united(algebra: Algebra, p: Polynomial) -> Polynomial | None:
    """Return p with products of sums over a one-hot name written as one sum; None if there is none."""
    for m, c in p.terms.items() if algebra.one_hot else ():
        sums = {
            a: floor(e)
            for a, e in m.factors.items()
            if a.kind is Kind.SUM and e >= 1 and any(b.name in algebra.one_hot for b in atoms_of(a.inner[0]))
        }
        if sum(sums.values()) > 1:
            left = {a: e - sums.get(a, 0) for a, e in m.factors.items() if e != sums.get(a, 0)}
            rest = Polynomial({Monomial(m.exponent, left): c})
            bound, body = dict[Variable, IndexExpr](), ONE
            for a in (a for a, copies in sums.items() for _ in range(copies)):
                inner, factor = algebra.opened(a)
                bound, body = bound | inner, algebra.times(body, factor)
            return plus(minus(p, Polynomial({m: c})), algebra.times(rest, algebra.closed(bound, body)))
    return None


def _recentred(algebra: Algebra, p: Polynomial) -> Iterator[Polynomial]:
    """Yield p with its sums written at large, anchored at one place or another, if some entry is shifted."""
    sums = {a for m in p.terms for a, e in m.factors.items() if a.kind is Kind.SUM and e >= 1}
    for place in islice(shifted_places(sums), PLACES):
        q = p
        for a in sorted(sums, key=Atom.key):
            q = replaced(algebra, q, a, at_large(algebra, a, place))
        yield q


def _merged(algebra: Algebra, p: Polynomial, depth: int) -> Polynomial | None:
    """Replace an atom or exponential by another of equal arguments; None if there is none."""
    exponents = sorted({m.exponent for m in p.terms if m.exponent is not None}, key=Polynomial.key)
    for n, e in enumerate(exponents):
        for f in exponents[:n]:
            if (_composite(e) or _composite(f)) and is_zero(algebra, minus(e, f), depth - 1):
                return plus(
                    *(
                        Polynomial({Monomial(f if m.exponent == e else m.exponent, m.factors): c})
                        for m, c in p.terms.items()
                    )
                )
    atoms = sorted(
        {a for m in p.terms for a in m.factors if a.inner and a.kind not in (Kind.SUM, Kind.PARTIAL)},
        key=Atom.key,
    )
    for n, a in enumerate(atoms):
        for b in atoms[:n]:
            if (a.kind, a.name, a.indices, a.sizes) != (b.kind, b.name, b.indices, b.sizes):
                continue
            if any(map(_composite, (*a.inner, *b.inner))) and all(
                is_zero(algebra, minus(q, r), depth - 1) for q, r in zip(a.inner, b.inner, strict=True)
            ):
                return replaced(algebra, p, a, b.inner[0] if b.kind is Kind.BASE else atom(b))
    return None


def _composite(p: Polynomial) -> bool:
    """Tell whether equal values of p may have different normal forms."""
    return any(a.kind >= Kind.UNKNOWN for m in p.terms for a in m.factors) or any(m.exponent for m in p.terms)


def _joined(algebra: Algebra, p: Polynomial) -> Iterator[Polynomial]:
    """Yield summands whose sum over one index is p: one index of each sum is made the common one."""
    sums = {a for m in p.terms for a, e in m.factors.items() if a.kind is Kind.SUM and e >= 1}
    for size in sorted({size for a in sums for size in a.sizes}):
        variable = algebra.fresh(size)
        options: list[list[Polynomial]] = []
        opened: dict[tuple[Atom, int], Polynomial] = {}
        for m, c in sorted(p.terms.items(), key=lambda t: t[0].key()):
            mine: list[Polynomial] = []
            for a, e in sorted(m.factors.items(), key=lambda t: t[0].key()):
                for place, own in enumerate(a.sizes if a.kind is Kind.SUM and e >= 1 else ()):
                    if own == size:
                        if (a, place) not in opened:
                            opened[a, place] = _taken_out(algebra, a, place, ix.bare(variable))
                        less = {b: f - (b == a) for b, f in m.factors.items() if f - (b == a)}
                        rest = Polynomial({Monomial(m.exponent, less): c})
                        mine.append(algebra.times(rest, opened[a, place]))
            if len(mine) > 1:
                mine.append(scaled(plus(*mine), Fraction(1, len(mine))))
            options.append(mine or _spread(algebra, Polynomial({m: c}), variable, size, p.free))
        for choice in islice(product(*options), CHOICES):
            yield plus(*choice)


def _spread(
    algebra: Algebra, p: Polynomial, variable: Variable, size: IndexExpr, free: frozenset[Variable]
) -> list[Polynomial]:
    """Return summands over a variable that add up to p: all alike, or all at a free index, p's own first."""
    order = sorted(free, key=lambda v: (v not in p.free, v))
    places = [ix.bare(v) for v in order if algebra.within(ix.bare(v), size) == ONE]
    factors = [algebra.delta(ix.minus(ix.bare(variable), place)) for place in places]
    if size != ix.EVERYWHERE:
        factors.insert(0, algebra.power(algebra.value(size), -1))
    return [algebra.times(p, factor) for factor in factors]


def _taken_out(algebra: Algebra, a: Atom, place: int, at: IndexExpr) -> Polynomial:
    """Return the summand of a closed sum over one of its indices, at a value of it."""
    bound, body = algebra.opened(a)
    chosen = list(bound)[place]
    inner = algebra.closed({v: size for v, size in bound.items() if v != chosen}, body)
    return algebra.substitute(inner, {chosen: at})

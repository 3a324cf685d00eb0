"""Equality of two terms for every size, every index and every value: the only maker of `Proved`.

Vocabulary. The *difference* of the sides is brought to the normal form, under what the goal assumes, and is
tested for being *zero* (see `zero`). What is not zero is the *residue*. A *case* fixes which free indices are
equal.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from fractions import Fraction

import sympy
from sympy import Eq, Expr, Ge, Gt, KroneckerDelta, Le, Lt, Ne, Symbol
from sympy.core.relational import Relational
from sympy.logic.boolalg import Boolean

from symderiv.kernel import hypotheses
from symderiv.kernel import indices as ix
from symderiv.kernel.calculus import Calculus, derive
from symderiv.kernel.cases import atoms_of
from symderiv.kernel.indices import IndexExpr, Variable
from symderiv.kernel.memory import Memory
from symderiv.kernel.normal import Algebra, Rule
from symderiv.kernel.orders import Order, contradictory, leave_room, linear
from symderiv.kernel.polynomial import Atom, Kind, Monomial, Polynomial, minus, scaled
from symderiv.kernel.reading import Reader, positive_names, read_index, variable_of
from symderiv.kernel.substitution import names_in
from symderiv.kernel.terms import (
    Context,
    D,
    Goal,
    Index,
    NoRule,
    Size,
    TooLarge,
    Undefined,
    entry,
    exact,
    fresh,
    name_of,
)
from symderiv.kernel.writing import write
from symderiv.kernel.zero import is_zero

_TOKEN = object()
RELATIONS = {Eq: "=", Ne: "≠", Gt: ">", Ge: "≥", Lt: "<", Le: "≤"}
PAIRS = 4
"""How many pairs of indices are told apart at most."""
ENTRIES = 16
"""How many entries are proved one by one at most."""


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


def prove(goal: Goal, memory: Memory | None = None) -> Proved | Residue:
    """Prove a goal, or return what is left of the difference; raise KernelError where a rule is missing.

    `memory` has what earlier goals of the page left.
    """
    try:
        left, right = exact(goal.left), exact(goal.right)
        whole = Goal(left, right, goal.ranges, goal.assumptions, goal.context)
        known = Memory() if memory is None else memory
        found = _prove(whole, known)
        entries = _entry_by_entry(whole, known) if isinstance(found, Residue) else None
    except RecursionError:
        msg = "the term is nested too deeply"
        raise TooLarge(msg) from None
    return entries or found


def _entry_by_entry(goal: Goal, memory: Memory) -> Proved | None:
    """Prove each entry by itself where indices of few values are compared with numbers: a written matrix."""
    compared = {
        index
        for side in (goal.left, goal.right)
        for delta in side.atoms(KroneckerDelta)
        if any(isinstance(each, sympy.Integer) for each in delta.args)
        for index in delta.free_symbols & goal.ranges.keys()
    }
    counts = {index: goal.ranges[index] for index in sorted(compared, key=str)}
    lengths = [int(count) for count in counts.values() if isinstance(count, sympy.Integer)]
    if not counts or len(lengths) < len(counts) or math.prod(lengths) > ENTRIES:
        return None
    if any(compared & body.body.free_symbols for body in goal.context.definitions.values()):
        return None
    proofs = []
    for place in itertools.product(*(range(1, length + 1) for length in lengths)):
        found = _prove_entry(goal, dict(zip(counts, map(sympy.Integer, place), strict=True)), memory)
        if found is None:
            return None
        proofs.append(found)
    hypotheses = {name for proof in proofs for name in proof.hypotheses}
    kinks = any(proof.almost_everywhere for proof in proofs)
    return Proved("normal form, entry by entry", (), tuple(sorted(hypotheses)), kinks, _TOKEN)


def _prove_entry(goal: Goal, place: Mapping[Index, Expr], memory: Memory) -> Proved | None:
    """Prove a goal for one value of some of its indices."""
    facts = [fact.xreplace(place) for fact in goal.assumptions]
    if any(fact == False for fact in facts):  # noqa: E712  nothing is claimed of this entry
        return Proved("normal form", (), (), almost_everywhere=False, token=_TOKEN)
    kept = tuple(fact for fact in facts if fact != True)  # noqa: E712
    ranges = {index: size for index, size in goal.ranges.items() if index not in place}
    left, right = goal.left.xreplace(place), goal.right.xreplace(place)
    with suppress(NoRule, TooLarge, Undefined):
        found = _prove(Goal(left, right, ranges, kept, goal.context), memory)
        return found if isinstance(found, Proved) else None
    return None


def _prove(goal: Goal, memory: Memory) -> Proved | Residue:
    calculus = memory.calculus(goal.context)
    kinks = calculus.has_kink(goal.left, goal.right)  # first: it meets every name of the goal
    left, right = calculus.derived(goal.left), calculus.derived(goal.right)
    try:
        return _attempt(goal, (left, right), calculus, _reader(goal, (left, right), memory, kinks=kinks))
    except Undefined:
        with suppress(NoRule, Undefined):
            strict = _assuming(goal, (left, right), kinks=kinks)
            strict.algebra.strict = True
            found = _attempt(goal, (left, right), calculus, strict)
            if isinstance(found, Proved):
                return found
        split = _split(goal, left, right, memory)
        if split is None:
            raise
        return split


def _check_free(algebra: Algebra, *sides: Polynomial) -> None:
    """Refuse an index that has no range: it has escaped from a sum."""
    for variable in frozenset[Variable]().union(*(side.free for side in sides)):
        if variable not in algebra.upper:
            msg = f"the index {variable[1]} has no range"
            raise NoRule(msg)


def _attempt(goal: Goal, opened: tuple[Expr, Expr], calculus: Calculus, reader: Reader) -> Proved | Residue:
    """Prove the goal without distinguishing cases; `opened` are its sides without definitions."""
    kinks = reader.algebra.kinks_excluded
    algebra = reader.algebra
    left, right = opened
    sides = reader.read(left), reader.read(right)
    _check_free(algebra, *sides)
    difference = minus(*sides)
    note = ""
    if kinks and _fixes_a_variable(goal, algebra):
        # What holds almost everywhere may fail on the few points that an equation such as x_i = 0 leaves.
        return Residue(difference, "an equation may fix a kink", algebra.positive_names)
    settled = goal.context.definitions.keys() | goal.context.discrete | algebra.values.keys()
    if any(by in settled and _meets(reader, gap, calculus) for gap, by in calculus.gaps):
        # A defined name has the values that its definition gives it, and these may all lie on the kink.
        return Residue(difference, "a definition may fix a kink", algebra.positive_names)
    if kinks and not leave_room(algebra.orders):
        return Residue(difference, "an inequality may fix a kink", algebra.positive_names)
    try:
        if is_zero(algebra, difference):
            return Proved("normal form", (), tuple(sorted(algebra.used - {""})), kinks, _TOKEN)
    except TooLarge as error:
        note = str(error)
    return Residue(difference, note, algebra.positive_names)


def _fixes_a_variable(goal: Goal, algebra: Algebra) -> bool:
    """Tell whether an equation replaces an entry by which, or by whose like, the goal differentiates."""
    rules, whole = algebra.rules, algebra.antisymmetric | algebra.hot.keys()
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
    ruled = {a.name for a in (*patterns, *replaced_by) if a.kind is not Kind.SUM}
    return not by.isdisjoint(ruled | whole)


def _meets(reader: Reader, gap: Expr, calculus: Calculus) -> bool:
    """Tell whether a gap may be 0 more than almost nowhere once the definitions of its names are opened.

    It may be at equal indices, where it is one of an entry and itself, and no kink.
    """
    vanishing = reader.algebra.vanishing
    closed = vanishing(reader.read(gap))
    marks = {a.kind for m in closed.terms for a in m.factors}
    return Kind.VANISHING in marks or vanishing(reader.read(calculus.opened(gap))) != closed


def _split(goal: Goal, left: Expr, right: Expr, memory: Memory) -> Proved | Residue | None:
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
        assumed = (*goal.assumptions, case)
        part = _prove(Goal(goal.left, goal.right, goal.ranges, assumed, goal.context), memory)
        if isinstance(part, Residue):
            return part
        cases.extend(f"{told(case)}, {deeper}" for deeper in part.cases or ())
        cases.extend([] if part.cases else [told(case)])
        hypotheses.update(set(part.hypotheses) - {told(case), told(case.reversed)})
        almost = almost or part.almost_everywhere
    return Proved("normal form", tuple(cases), tuple(sorted(hypotheses)), almost, _TOKEN)


# -- what a goal assumes


def _upper(ranges: Mapping[Index, Expr]) -> dict[Variable, tuple[IndexExpr, ...]]:
    return {variable_of(i): (read_index(exact(size), {}),) for i, size in ranges.items()}


def told(assumption: Boolean | Expr) -> str:
    """Name an assumption as `Proved.hypotheses` does."""
    if not isinstance(assumption, Relational):
        return str(assumption)
    return f"{assumption.lhs} {RELATIONS[assumption.func]} {assumption.rhs}"


def _of_indices(assumption: Expr) -> bool:
    return all(isinstance(s, Index | Size) for s in assumption.free_symbols)


def _reader(goal: Goal, terms: tuple[Expr, ...], memory: Memory, *, kinks: bool) -> Reader:
    """Return a reader under the goal's ranges and assumptions."""
    context = goal.context
    if goal.assumptions or (context.bounds and any(context.bounds.keys() & names_in(each) for each in terms)):
        return _assuming(goal, terms, kinks=kinks)
    positive = positive_names(terms)
    ranges, values = frozenset(goal.ranges.items()), frozenset(context.values.items())
    token = (ranges, positive, values, context.discrete, kinks)
    reader = memory.reader(token)
    if reader is None:
        upper = _upper(goal.ranges)
        reader = Reader(Algebra(upper, positive, values=context.values, kinks_excluded=kinks))
        reader.algebra.bound = context.discrete
        memory.keep(token, reader)
    return reader


def _assuming(goal: Goal, terms: tuple[Expr, ...], *, kinks: bool) -> Reader:
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
            opposite = None if symmetric else hypotheses.antisymmetric(sides, goal)
            algebra.antisymmetric |= {opposite} if opposite is not None else set()
            algebra.diagonal |= {diagonal} if diagonal is not None else set()
            algebra.symmetric |= {symmetric} if symmetric is not None else set()
            name = diagonal or symmetric or opposite
            if name is not None:
                algebra.used |= {told(fact)} if name in present_names else set()
                continue
            finite, one_hot = hypotheses.finite(sides, goal), hypotheses.one_hot(sides, goal)
            algebra.values |= dict([finite]) if finite is not None else {}
            algebra.one_hot |= dict([one_hot]) if one_hot is not None else {}
            found = finite or one_hot
            if found is not None:
                name = found[0]
                algebra.values |= {name: (0, 1)} if one_hot is not None else {}
                algebra.used |= {told(fact)} if name in present_names else set()
                continue
            _pin(reader, sides, goal, told(fact))
            rule = _rule(reader, sides, goal, told(fact))
            if rule is not None:
                rules.append(rule)
    _choose(algebra, rules, present_names)
    of_indices = [a for a in goal.assumptions if isinstance(a, Eq) and _of_indices(a)]
    if of_indices:
        present = frozenset[Symbol]().union(*(term.free_symbols for term in terms))
        algebra.used |= {told(a) for a in of_indices if a.free_symbols & present}
    algebra.orders = _orders(reader, [*facts, *_declared(goal, present_names)], goal)
    algebra.rules = tuple(rules)
    algebra.moves.clear()
    algebra.leads.clear()
    reader.forget()
    return reader


def _choose(algebra: Algebra, rules: Iterable[Rule], present: frozenset[str]) -> None:
    """Take from hypotheses which names are one-hot, and where they are 1."""
    for rule in rules:
        chosen = hypotheses.chosen(rule, algebra.values)
        if chosen is not None:
            algebra.one_hot |= dict([chosen])
            algebra.used |= {rule.source} if chosen[0] in present else set()
    for rule in rules:
        hot = hypotheses.is_chosen(rule, algebra.one_hot)
        if hot is not None:
            algebra.hot[rule.pattern.name] = hot, rule.source


def _pin(reader: Reader, sides: tuple[Expr, Expr], goal: Goal, source: str) -> None:
    """Take from a hypothesis which numbers a single entry may be."""
    found = hypotheses.pinned(sides)
    indices = getattr(found[0], "indices", ()) if found is not None else ()
    if found is not None and indices and all(i in goal.ranges for i in indices):
        a = _alone(reader.read(found[0]))
        reader.algebra.pinned |= {a: (found[1], source)} if a is not None else {}


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
            unequal[form] = told(fact)
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


def _declared(goal: Goal, names: frozenset[str]) -> Iterator[Expr]:
    """Yield the bounds that the page declares for these names, as inequalities of every entry."""
    for name in sorted(names & goal.context.bounds.keys()):
        bounds = goal.context.bounds[name]
        indices = tuple(fresh("i") for _ in goal.context.shapes.get(name, ()))
        every = entry(name, *indices, positive=bounds.positive)
        if bounds.low is not None:
            yield (Gt if bounds.open_low else Ge)(every, bounds.low, evaluate=False)
        if bounds.high is not None:
            yield (Gt if bounds.open_high else Ge)(bounds.high, every, evaluate=False)


def _orders(reader: Reader, facts: list[Expr], goal: Goal) -> tuple[Order, ...]:
    """Return the inequalities that the page supposes; none where they contradict one another."""
    fixed = {variable_of(i) for i in goal.ranges}
    found: list[Order] = []
    for fact in facts:
        if not isinstance(fact, Gt | Ge | Lt | Le) or (fact.rhs == 0 and _made_positive(fact, goal)):
            continue
        try:
            more, less = (reader.read(derive(side, goal.context)) for side in (fact.gts, fact.lts))
        except NoRule:
            continue  # what cannot be read is not used
        form = minus(more, less)
        quantified = tuple(sorted(v for v in form.free if v not in fixed))
        source = told(fact) if fact in goal.assumptions else ""
        found.append(Order(form, isinstance(fact, Gt | Lt), quantified, source))
    return () if contradictory([(linear(order.form), order.strict) for order in found]) else tuple(found)


def _rule(reader: Reader, sides: tuple[Expr, Expr], goal: Goal, source: str) -> Rule | None:
    """Return a hypothesis as a rewrite of one atom, or None where it is not one."""
    left, right = (reader.read(side) for side in sides)
    fixed = {variable_of(i) for i in goal.ranges}
    quantified = tuple(sorted(v for v in (left.free | right.free) if v not in fixed))
    difference = minus(left, right)
    candidates = [(p, q) for p, q in ((left, right), (right, left)) if p.single() is not None]
    for p, q in candidates:
        pattern = _alone(p)
        if pattern is not None and set(quantified) <= pattern.free and not _circles(pattern, q, quantified):
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


def _circles(pattern: Atom, q: Polynomial, quantified: tuple[Variable, ...]) -> bool:
    """Tell whether a replacement has its pattern, or the like at exchanged indices: `A_ij = -A_ji`."""
    places = sorted(pattern.indices) if quantified else []
    return any(
        a == pattern or (a.name == pattern.name and sorted(a.indices) == places != []) for a in atoms_of(q)
    )


def _alone(p: Polynomial) -> Atom | None:
    """Return the atom that a polynomial is."""
    ((m, c),) = p.terms.items()
    if c != 1 or m.exponent or len(m.factors) != 1:
        return None
    ((a, e),) = m.factors.items()
    return a if e == 1 and a.kind in (Kind.SUM, Kind.ENTRY, Kind.SYMMETRIC) else None

"""Equality of two terms for every size, every index and every value: the only maker of `Proved`.

Vocabulary. The *difference* of the sides is brought to the normal form, under what the goal assumes, and is
tested for being *zero* (see `zero`). What is not zero is the *residue*. A *case* fixes which free indices are
equal.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field

import sympy
from sympy import Eq, Expr, KroneckerDelta, Ne

from symderiv.kernel.assuming import assuming, reader_of, relate, told, upper
from symderiv.kernel.calculus import Calculus
from symderiv.kernel.cases import atoms_of
from symderiv.kernel.indices import Variable
from symderiv.kernel.memory import Memory
from symderiv.kernel.normal import Algebra
from symderiv.kernel.orders import leave_room
from symderiv.kernel.polynomial import Kind, Polynomial, minus
from symderiv.kernel.reading import Reader, positive_names
from symderiv.kernel.substitution import names_in
from symderiv.kernel.terms import Context, D, Goal, Index, NoRule, TooLarge, Undefined, exact
from symderiv.kernel.writing import write
from symderiv.kernel.zero import is_zero

_TOKEN = object()
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
    algebra = Algebra(upper(ranges), positive_names([opened]), values=context.values, kinks_excluded=kinks)
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
        reader = reader_of(goal, (left, right), memory, kinks=kinks)
        found = _attempt(goal, (left, right), calculus, reader)
        related = isinstance(found, Residue) and (reader.unused or reader.ruled)
        return (related and _related(goal, (left, right), calculus, reader)) or found
    except Undefined:
        with suppress(NoRule, Undefined):
            strict = assuming(goal, (left, right), kinks=kinks)
            strict.algebra.strict = True
            found = _attempt(goal, (left, right), calculus, strict)
            if isinstance(found, Proved):
                return found
        split = _split(goal, left, right, memory)
        if split is None:
            raise
        return split


def _related(goal: Goal, opened: tuple[Expr, Expr], calculus: Calculus, reader: Reader) -> Proved | None:
    """Prove the goal by equations of which no rule was made: they are solved, or used as relations."""
    again = assuming(goal, opened, kinks=reader.algebra.kinks_excluded)
    relate(again, goal)
    with suppress(NoRule, Undefined, TooLarge):
        found = _attempt(goal, opened, calculus, again)
        return found if isinstance(found, Proved) else None
    return None


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
    related = [a for relation in algebra.relations for a in atoms_of(relation.form)]
    ruled = {a.name for a in (*patterns, *replaced_by, *related) if a.kind is not Kind.SUM}
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

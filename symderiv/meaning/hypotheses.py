"""The assumptions of a page as the hypotheses of one goal.

Vocabulary. A letter of a hypothesis that is a free index of the goal is that one index, any other stands for
every index. So a letter that the page means for every index gets a name of its own, and an assumption about
one index serves a goal in which that index is free, or makes it free where the page says that it is one.
"""

from __future__ import annotations

from collections.abc import Set as AbstractSet

from sympy import Eq, Indexed, KroneckerDelta, Mul, Ne
from sympy.logic.boolalg import And, Boolean

from symderiv.kernel.terms import Index, free_in, indicator
from symderiv.meaning.model import Assumption


def facts_of(assumption: Assumption) -> tuple[Boolean, ...]:
    """Return what an assumption says, in parts; none where that is not known, or cannot be."""
    if assumption.fact is None or assumption.fact == False:  # noqa: E712  SymPy's, too
        return ()
    return tuple(assumption.fact.args) if isinstance(assumption.fact, And) else (assumption.fact,)


def relates_indices(fact: Boolean) -> bool:
    """Tell a relation between indices from one between terms."""
    return all(isinstance(arg, Index) or arg.is_Integer for arg in fact.args)


def indices_of(fact: Boolean) -> frozenset[Index]:
    """Return the letters of a fact."""
    return frozenset(symbol for symbol in free_in(fact) if isinstance(symbol, Index))


def fixed_in(fact: Boolean) -> set[Index]:
    """Return the letters of a hypothesis that stand for one index each."""
    return {index for index in indices_of(fact) if not index.name.endswith(_EVERY)}


def hypotheses_of(
    assumptions: tuple[Assumption, ...], free: AbstractSet[Index]
) -> tuple[list[tuple[Boolean, ...]], bool]:
    """Return what each assumption says for a goal with these free indices, and whether some says nothing."""
    known = {fact for each in assumptions for fact in facts_of(each) if relates_indices(fact)}
    found = [
        [_hypothesis(assumption, fact, free, known) for fact in facts_of(assumption)]
        for assumption in assumptions
    ]
    given = [tuple(fact for fact in each if fact is not None) for each in found]
    return given, any(not each or None in each for each in found)


def written(assumption: Assumption, facts: tuple[Boolean, ...]) -> str:
    """Return an assumption as a proof used it: one of the index at hand may have served for every index."""
    letters = {i for fact in facts for i in indices_of(fact) if i.name.endswith(_EVERY)}
    more = {letter for i in letters if "#" not in (letter := i.name.removesuffix(_EVERY))}
    more -= {index.name for index in assumption.every}
    return rf"{assumption.latex} \text{{ for every }} {', '.join(sorted(more))}" if more else assumption.latex


def _hypothesis(
    assumption: Assumption, fact: Boolean, free: AbstractSet[Index], known: AbstractSet[Boolean]
) -> Boolean | None:
    if relates_indices(fact):
        return fact
    if not assumption.fixed <= free | assumption.told:
        return None
    if assumption.under and known >= set(assumption.under) and indices_of(fact) <= free:
        return fact
    for condition in assumption.under:
        if not isinstance(fact, Eq):
            return None
        fact = _under(fact, condition)
    one = (assumption.fixed | free) - assumption.every
    own = {i: _every(i) for i in indices_of(fact) - one}
    return fact.xreplace(own)


_EVERY = "#every"


def _every(index: Index) -> Index:
    """Return the name of an index that stands for every one; it is no free index of any goal."""
    return Index(index.name + _EVERY)


def _under(fact: Eq, condition: Boolean) -> Eq:
    """Return an equation that says nothing of the indices of which a condition is false."""
    left, right = fact.args
    if isinstance(condition, Eq):
        return fact.xreplace({condition.lhs: condition.rhs})
    if isinstance(condition, Ne) and isinstance(left, Indexed) and right == 0:
        return Eq(left, Mul(left, KroneckerDelta(*condition.args)), evaluate=False)
    return Eq(left * indicator(condition), right * indicator(condition), evaluate=False)

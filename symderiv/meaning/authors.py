"""The author's own form of what a page establishes: a member of the chain that derives it.

Vocabulary as in `established`. The last member that can be written is taken where it is shorter than what
the kernel derives, where no condition on indices is needed for it, and where it is proved equal to the head.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from sympy import Add, Expr, KroneckerDelta, Mul, Piecewise, Sum, Symbol

from symderiv.kernel.calculus import Calculus
from symderiv.kernel.equality import Proved, prove
from symderiv.kernel.substitution import names_in
from symderiv.kernel.terms import Context, D, Index, KernelError, name_of
from symderiv.meaning.goals import Compared, compare
from symderiv.meaning.model import Assumption, Chain, Member, Page, Statement, Tensor
from symderiv.meaning.notation.factoring import factored
from symderiv.meaning.notation.products import cost, flat
from symderiv.meaning.renaming import exchanged

if TYPE_CHECKING:
    from symderiv.meaning.established import Fact


def flattened(term: D) -> D:
    """Return a derivative of a derivative as one by all the variables."""
    variables = list(term.variables)
    inner = term.term
    while isinstance(inner, D):
        variables = [*inner.variables, *variables]
        inner = inner.term
    return D(inner, *variables)


def in_words_of(page: Page, statement: Statement, fact: Fact) -> Fact:
    """Return a derivative as the author writes it, where that is shorter and proved; else as it is."""
    assert statement.chain is not None
    chain = page.chains[statement.chain]
    first = chain.members[0].value
    assert isinstance(first, Tensor)
    if not isinstance(first.body, D) or flattened(at_variables(first.body, fact.context)) != fact.head:
        return fact
    found = list(_members(page, statement.chain, first, fact))
    if not found or _price(found[-1][2]) >= _price(fact.value):
        return fact
    other, member, body = found[-1]
    needed = _needed(other, chain, first, member)
    if needed is None:
        return fact
    given = tuple(each.fact for each in needed if each.fact is not None)
    return replace(fact, value=_distributed(body), given=given)


def _distributed(term: Expr) -> Expr:
    """Return a product multiplied out by a factor that is a sum of deltas: matrices are sums then."""
    factors = Mul.make_args(term)
    deltas = next((f for f in factors if f.is_Add and f.has(KroneckerDelta)), None)
    if deltas is None:
        return term
    rest = Mul(*(factor for factor in factors if factor is not deltas))
    return Add(*(rest * part for part in deltas.args))


def _price(term: Expr) -> float:
    return cost(factored(flat(term)))


def _members(page: Page, number: int, first: Tensor, fact: Fact) -> Iterator[tuple[Statement, Member, Expr]]:
    """Yield the members of a chain that can be written, over the slots of the first."""
    chain = page.chains[number]
    for statement in page.statements:
        if statement.chain != number or statement.kind != "claim" or statement.member is None:
            continue
        member = chain.members[statement.member]
        value = member.value
        if not isinstance(value, Tensor) or value.rank != first.rank or value.row != first.row:
            continue
        body = revealed(exchanged(value.body, dict(zip(value.slots, first.slots, strict=True))), fact.context)
        letters = {s for s in body.free_symbols if isinstance(s, Index)}
        if letters <= fact.ranges.keys() | chain.fixed and _writable(body, fact.context):
            yield statement, member, body


def _writable(term: Expr, context: Context) -> bool:
    """Tell whether a term is finished: no cases, no slope but of unknown functions, no delta in a sum."""
    if any("@" in name for name in names_in(term)):
        return False
    if term.has(Piecewise) or any(_picks(each) for each in term.atoms(Sum)):
        return False
    return all(_given(each, context) for each in term.atoms(D))


def _given(slope: D, context: Context) -> bool:
    """Tell whether a derivative is an unknown function's by its own arguments: nothing is left to derive."""
    opaque = context.opaque.get(str(name_of(slope.term)))
    return opaque is not None and all(name_of(each) in opaque.arguments for each in slope.variables)


def _picks(total: Sum) -> bool:
    """Tell whether a delta picks a term of a sum, which is then no sum."""
    bound = set(total.variables)
    return any(delta.free_symbols & bound for delta in total.function.atoms(KroneckerDelta))


def at_variables(term: D, context: Context) -> D:
    """Return a derivative by an argument that is nothing but a free variable, `tanh'(z)`, as one by that."""
    changes: dict[Expr, Expr] = {}
    for each in term.atoms(Symbol):
        definition = context.definitions.get(each.name) if "@" in each.name else None
        body = definition.body if definition is not None else None
        if isinstance(body, Symbol) and name_of(body) is not None and body not in term.atoms(Symbol):
            changes[each] = body
    return term.xreplace(changes)


def revealed(term: Expr, context: Context) -> Expr:
    """Return a term with the arguments that bear hidden names written out, unless one is a derivative."""
    hidden = {name: each for name, each in context.definitions.items() if "@" in name}
    if hidden.keys().isdisjoint(names_in(term)) or any(each.body.has(D) for each in hidden.values()):
        return term
    return Calculus(Context(hidden)).opened(term)


def _needed(
    statement: Statement, chain: Chain, first: Tensor, member: Member
) -> tuple[Assumption, ...] | None:
    """Return the assumptions without which the kernel does not prove a member equal to the first, or None."""
    assert isinstance(member.value, Tensor)
    kept = tuple(a for a in statement.assumptions if a.fact is not None)
    if any(_about_indices(a) for a in kept) or not _proves(statement, kept, chain, first, member):
        return None
    for each in kept:
        fewer = tuple(a for a in kept if a is not each)
        if _proves(statement, fewer, chain, first, member):
            kept = fewer
    return kept


def _about_indices(assumption: Assumption) -> bool:
    assert assumption.fact is not None
    return all(isinstance(s, Index) for s in assumption.fact.free_symbols)


def _proves(
    statement: Statement, assumptions: tuple[Assumption, ...], chain: Chain, first: Tensor, member: Member
) -> bool:
    assert isinstance(member.value, Tensor)
    compared = compare(replace(statement, assumptions=assumptions), chain, first, member.value, member)
    try:
        return isinstance(compared, Compared) and isinstance(prove(compared.goal), Proved)
    except (KernelError, RecursionError):
        return False

r"""A loss that is differentiated by two quantities of which a page does not say that one leads to the other.

A page writes `O = f(Q, K) V`, later `P = f(Q, K)`, and `\partial L/\partial P` by `\partial L/\partial O`: it
means that O depends on P. What it has proved of O, `O = P V`, then is a definition as good as the first.
Where it has not, nothing is known of how the one leads to the other, and numbers decide nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from sympy import Expr, Indexed, Symbol

from symderiv.kernel.substitution import names_in
from symderiv.kernel.terms import Context, D, Definition, Goal, Index, fresh, name_of
from symderiv.meaning import Compared, compare
from symderiv.meaning.model import Chain, Member, Page, Statement, Tensor
from symderiv.meaning.renaming import exchanged, reaches


def parted(statement: Statement, chain: Chain, left: Member, right: Member) -> str | None:
    """Return an unknown function that the two sides differentiate by different quantities, or None."""
    if not isinstance(left.value, Tensor) or not isinstance(right.value, Tensor):
        return None
    compared = compare(statement, chain, left.value, right.value, right)
    return _parted(compared.goal) if isinstance(compared, Compared) else None


def _parted(goal: Goal) -> str | None:
    by: dict[str, list[set[str]]] = {}
    for at, side in enumerate((goal.left, goal.right)):
        for slope in side.atoms(D):
            name = name_of(slope.term)
            if name in goal.context.opaque:
                found = by.setdefault(str(name), [set(), set()])[at]
                found |= {str(name_of(variable)) for variable in slope.variables}
    for name, (one, two) in sorted(by.items()):
        if one and two and not one & two and one | two <= {*goal.context.opaque[name].arguments}:
            return name
    return None


def completed_by(page: Page, statement: Statement, earlier: Sequence[str | None]) -> Context | None:
    """Return what names mean where steps that were proved define arguments of losses by others, or None."""
    first = context = statement.context
    assert context is not None
    for other, outcome in zip(page.statements, earlier, strict=False):
        if other.kind != "claim" or outcome != "proved" or other.chain is None or other.member is None:
            continue
        members = page.chains[other.chain].members
        left, right = members[0].value, members[other.member].value
        found = _definition(left, right) if isinstance(left, Tensor) and isinstance(right, Tensor) else None
        if found is not None and found.name in context.definitions:
            context = _with(context, found)
    return None if context is first else context


def _with(context: Context, found: Definition) -> Context:
    """Give a name a definition by which some loss depends on fewer quantities, if this is one."""
    definitions = {**context.definitions, found.name: found}
    below = reaches(found.name, definitions, {})
    opaque = {
        name: replace(each, arguments=tuple(argument for argument in each.arguments if argument not in below))
        for name, each in context.opaque.items()
        if found.name in each.arguments and below & {*each.arguments}
    }
    if found.name in below or not opaque:
        return context
    return replace(context, definitions=definitions, opaque={**context.opaque, **opaque})


def _definition(left: Tensor, right: Tensor) -> Definition | None:
    """Read `o_i = \\sum_j p_{ij} v_j` as what its left side means."""
    name = name_of(left.body)
    if name is None or left.rank != right.rank or left.dimensions != right.dimensions:
        return None
    indices = left.body.indices if isinstance(left.body, Indexed) else ()
    body = exchanged(right.body, dict(zip(right.slots, left.slots, strict=True)))
    plain = all(isinstance(index, Index) for index in indices) and len({*indices}) == len(indices)
    if not plain or not _free(body) <= {*indices} or name in names_in(body):
        return None
    slots = tuple(fresh("s") for _ in indices)
    return Definition(name, slots, exchanged(body, dict(zip(indices, slots, strict=True))))


def _free(term: Expr) -> set[Symbol]:
    return {symbol for symbol in term.free_symbols if isinstance(symbol, Index)}

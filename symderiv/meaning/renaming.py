"""The names and the bound indices of a term, and the same term with others.

A *bound* index belongs to a sum or product; a renamed tensor is renamed in its derivatives too.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

import sympy
from sympy import (
    Expr,
    Sum,
    Symbol,
)

from symderiv.kernel.calculus import names_in
from symderiv.kernel.terms import Definition, Index, Size, fresh


def reaches(
    name: str, definitions: Mapping[str, Definition], below: Mapping[str, Collection[str]]
) -> set[str]:
    """Return every name that a name depends on: by its definition, or as an unknown function (`below`)."""
    seen: set[str] = set()
    stack = [name]
    while stack:
        at = stack.pop()
        parts = set(names_in(definitions[at].body) if at in definitions else below.get(at, ()))
        stack.extend(parts - seen)
        seen |= parts
    return seen


def rename_bound(term: Expr) -> Expr:
    """Give every index that the term binds a fresh name."""
    renaming = {
        limit[0]: fresh(limit[0].name) for each in term.atoms(Sum, sympy.Product) for limit in each.limits
    }
    return term.xreplace(renaming) if renaming else term


def rename_names(term: Expr, renaming: dict[str, str]) -> Expr:
    """Give tensors other names throughout a term, the variables of its derivatives included."""
    changes: dict[Expr, Expr] = {}
    for each in term.atoms(sympy.IndexedBase):
        if str(each.label) in renaming:
            changes[each] = sympy.IndexedBase(Symbol(renaming[str(each.label)], **each.label.assumptions0))
    for each in term.atoms(Symbol):
        if not isinstance(each, Index | Size) and each.name in renaming:
            changes[each] = Symbol(renaming[each.name], real=True)
    return term.xreplace(changes) if changes else term

"""The names and the bound indices of a term, and the same term with others.

A *bound* index belongs to a sum or product; a renamed tensor is renamed in its derivatives too.
"""

from __future__ import annotations

import sympy
from sympy import (
    Expr,
    Sum,
    Symbol,
)

from symderiv.kernel.terms import Index, Size, fresh


def names_in(term: Expr) -> set[str]:
    """Return the names of the tensors in a term."""
    found = {str(base.label) for base in term.atoms(sympy.IndexedBase)}
    return found | {s.name for s in term.atoms(Symbol) if not isinstance(s, Index | Size)}


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

"""The names and the bound indices of a term, and the same term with others.

A *bound* index belongs to a sum or product; a renamed tensor is renamed in its derivatives too.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

import sympy
from sympy import (
    Expr,
    Indexed,
    IndexedBase,
    Sum,
    Symbol,
)

from symderiv.kernel.calculus import names_in
from symderiv.kernel.terms import Definition, Greatest, Index, OfMatrix, Size, bound_by, entry, fresh


@dataclass(frozen=True, slots=True)
class Alias:
    """A hidden name that stands for another, with further indices and their sizes before its own."""

    name: str
    sizes: Mapping[Index, Size] = field(default_factory=dict)


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
    binders = term.atoms(Sum, sympy.Product, Greatest, OfMatrix)
    renaming = {index: fresh(index.name) for each in binders for index in bound_by(each)}
    return term.xreplace(renaming) if renaming else term


def rename_names(term: Expr, renaming: Mapping[str, Alias]) -> Expr:
    """Give tensors other names throughout a term, the variables of its derivatives included."""
    changes: dict[Expr, Expr] = {}
    for each in term.atoms(Indexed):
        alias = renaming.get(str(each.base.label))
        if alias is not None:
            changes[each] = entry(alias.name, *alias.sizes, *each.indices)
    labels = {base.label for base in term.atoms(IndexedBase)}
    for each in term.atoms(Symbol) - labels:
        if not isinstance(each, Index | Size) and each.name in renaming:
            changes[each] = entry(renaming[each.name].name, *renaming[each.name].sizes)
    return term.xreplace(changes) if changes else term

"""The names and the bound indices of a term, and the same term with others.

A *bound* index belongs to a sum or product; a renamed tensor is renamed in its derivatives too.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import sympy
from sympy import (
    Basic,
    Expr,
    Function,
    Indexed,
    IndexedBase,
    KroneckerDelta,
    Pow,
    Sum,
    Symbol,
)
from sympy.core.relational import Relational

from symderiv.kernel.substitution import names_in
from symderiv.kernel.terms import (
    Definition,
    Greatest,
    Index,
    OfMatrix,
    Size,
    bound_by,
    entry,
    free_in,
    fresh,
    total,
)


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


def exchanged(term: Basic, changes: Mapping[Basic, Basic]) -> Basic:
    """Return a term with some symbols exchanged: SymPy's `xreplace`, which examines every sum anew."""
    known: dict[Basic, Basic] = {}

    def visit(node: Basic) -> Basic:
        if not node.args:
            return changes.get(node, node)
        found = known.get(node)
        if found is None:
            parts = [visit(part) for part in node.args]
            if all(a is b for a, b in zip(parts, node.args, strict=True)):
                found = node
            elif isinstance(node, Sum):
                found = summed(*parts)
            elif isinstance(node, KroneckerDelta):
                found = delta(*parts)
            elif _as_it_stands(node, parts, changes):
                found = node.func(*parts, evaluate=False)
            else:
                found = node.func(*parts)
            known[node] = found
        return found

    return visit(term)


def _as_it_stands(node: Basic, parts: list[Basic], changes: Mapping[Basic, Basic]) -> bool:
    """Tell whether a node of other symbols is what it was: SymPy need not ask what is known of them."""
    if isinstance(node, Relational):
        symbols = free_in(node)
        images = {changes.get(symbol, symbol) for symbol in symbols}
        alike = all(type(changes.get(symbol, symbol)) is type(symbol) for symbol in symbols)
        return alike and len(images) == len(symbols)
    if isinstance(node, Pow):
        return parts[1] is node.args[1] and not parts[0].is_Number
    return isinstance(node, Function) and len(parts) == 1 and not parts[0].is_Number


def summed(body: Expr, *limits: Iterable[Any]) -> Expr:
    """Return a sum, of a sum the sum over both indices; SymPy's own constructor examines the whole body."""
    if isinstance(body, Sum):
        return total(body.function, *body.limits, *limits)
    return total(body, *limits)


def delta(a: Basic, b: Basic) -> Expr:
    """Return Kronecker's delta; of two indices SymPy would ask first what is known of their difference."""
    if isinstance(a, Index) and isinstance(b, Index) and a != b:
        return KroneckerDelta(*sorted((a, b), key=lambda index: index.name), evaluate=False)
    return KroneckerDelta(a, b)


def rename_bound(term: Expr) -> Expr:
    """Give every index that the term binds a fresh name."""
    binders = term.atoms(Sum, sympy.Product, Greatest, OfMatrix)
    renaming = {index: fresh(index.name) for each in binders for index in bound_by(each)}
    return exchanged(term, renaming) if renaming else term


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

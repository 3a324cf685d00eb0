"""Which names a derivative is written by, as a backward pass would: from the loss down.

Vocabulary. A *gradient* is a name that a page gives to `∂L/∂y`. The *front* of x is the quantities y with a
gradient that are next to x on its ways to L; where every way leads through them, `∂L/∂x` is the sum over y
of `∂L/∂y ∂y/∂x`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from sympy import Add, Expr, Sum

from symderiv.kernel.substitution import names_in
from symderiv.kernel.terms import Context, D, Definition, entry, fresh, name_of
from symderiv.meaning.renaming import reaches


def through(term: Expr, context: Context, but: str) -> tuple[Expr, Context] | None:
    """Return `∂L/∂x` by the gradients on the front of x, and what is still to be opened; None without one.

    No gradient is used that rests on the name `but`.
    """
    if not isinstance(term, D) or len(term.variables) != 1:
        return None
    opaque, x = context.opaque.get(str(name_of(term.term))), name_of(term.variables[0])
    if opaque is None or x is None:
        return None
    named = {
        y: name
        for name, definition in context.definitions.items()
        if (y := _by(definition)) is not None
        and definition.body.args[0] == term.term
        and (not but or but not in reach(name, context))
    }
    below = {y: reaches(y, context.definitions, {}) for y in named if y in context.definitions}
    between = {y for y in below if x in below[y]}
    front = sorted(y for y in between if not (below[y] & between) - {y})
    if not front or not _cut(opaque.arguments, x, front, context):
        return None
    parts = []
    for y in front:
        sizes = context.shapes.get(y, ())
        indices = tuple(fresh("k") for _ in sizes)
        factor = entry(named[y], *indices) * D(entry(y, *indices), term.variables[0])
        limits = [(index, 1, size) for index, size in zip(indices, sizes, strict=True)]
        parts.append(Sum(factor, *limits) if limits else factor)
    kept = {
        name: definition
        for name, definition in context.definitions.items()
        if "@" in name or (x in reaches(name, context.definitions, {}) and name not in named.values())
    }
    return Add(*parts), replace(context, definitions=kept)


def _cut(arguments: tuple[str, ...], x: str, front: list[str], context: Context) -> bool:
    """Tell whether every way from what a loss depends on down to x leads through the front."""
    stack, seen = list(arguments), set(front)
    while stack:
        each = stack.pop()
        if each == x:
            return False
        if each not in seen and each in context.definitions:
            stack.extend(names_in(context.definitions[each].body))
        seen.add(each)
    return True


def opening(term: Expr, context: Context) -> Context:
    """Return the context with those definitions alone that depend on what a term differentiates by.

    No other one changes a derivative, so that its name may stay; hidden names never may.
    """
    variables = {str(name_of(v)) for each in term.atoms(D) for v in each.variables}
    below = {name: reaches(name, context.definitions, {}) for name in context.definitions}
    if not variables or any(below[name] & variables for name in variables & below.keys()):
        return context
    kept = {
        name: each for name, each in context.definitions.items() if below[name] & variables or "@" in name
    }
    return replace(context, definitions=kept)


def reach(name: str, context: Context) -> frozenset[str]:
    """Return the names that a name rests on; a gradient rests on those by quantities closer to the loss."""
    found: set[str] = set()
    stack = [name]
    while stack:
        each = stack.pop()
        if each not in found:
            found.add(each)
            if each in context.definitions:
                stack.extend(names_in(context.definitions[each].body))
                stack.extend(_closer(each, context))
    return frozenset(found)


def _closer(name: str, context: Context) -> Iterator[str]:
    """Yield the gradients `∂L/∂y` through which the gradient `∂L/∂x` that a name stands for comes."""
    x = _by(context.definitions[name])
    for other, definition in context.definitions.items() if x else ():
        y = _by(definition)
        if (
            y is not None
            and y != x
            and x in reaches(y, context.definitions, {})
            and definition.body.args[0] == context.definitions[name].body.args[0]
        ):
            yield other


def _by(definition: Definition) -> str | None:
    """Return the name by which a definition `∂L/∂x` differentiates."""
    body = definition.body
    return name_of(body.variables[0]) if isinstance(body, D) and len(body.variables) == 1 else None

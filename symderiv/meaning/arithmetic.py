"""Sums, products and transposes of tensors.

Vocabulary: a *contraction* sums the last slot of the left factor with the first of the right; the
*chain rule* joins derivatives by the names of their numerators and denominators; tensors brought
*together* stand over the same slots.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from sympy import (
    Expr,
    Ge,
    Integer,
    Mul,
    Ne,
)
from sympy.logic.boolalg import Boolean, Not, Or, true

from symderiv.diagnostics import Diagnostic, Span
from symderiv.kernel.terms import Cases, Index, free_in, fresh
from symderiv.kernel.terms import total as summed
from symderiv.latex import tree
from symderiv.meaning import names
from symderiv.meaning.conditions import proposition
from symderiv.meaning.elaborator import Elaborator
from symderiv.meaning.errors import Untyped, ill_typed, unsupported
from symderiv.meaning.model import Tensor
from symderiv.meaning.renaming import exchanged
from symderiv.meaning.vocabulary import kind, opposite


def additive(elaborator: Elaborator, node: tree.Additive) -> Tensor:
    """Elaborate a sum of terms."""
    total: Tensor | None = None
    terms = _in_scope(elaborator, node.terms)
    for sign, term in terms:
        value = _term(elaborator, term, [other for _, other in terms if other is not term])
        if sign == "-":
            value = replace(value, body=-value.body)
        elif sign != "+":
            raise unsupported("a term of either sign is two statements", term.span)
        total = value if total is None else add(elaborator, total, value, term.span)
    assert total is not None
    return replace(total, numerator=None, denominator=None) if len(node.terms) > 1 else total


def _term(elaborator: Elaborator, term: tree.Node, others: list[tree.Node]) -> Tensor:
    """Elaborate a term; beside a vector, `\\gamma x + \\beta`, two are multiplied entry by entry."""
    try:
        return elaborator.paired(term)
    except Untyped as error:
        beside = [elaborator.record(other) for other in others]
        if not is_of_columns(error) or not any(record and len(record.shape or ()) == 1 for record in beside):
            raise
        with elaborator.multiplying_entries():
            return elaborator.paired(term)


def entrywise(elaborator: Elaborator, node: tree.Node, *, vector: bool) -> Tensor:
    """Elaborate a member; where a `vector` is asked for, two columns may be multiplied entry by entry."""
    try:
        return elaborator.member(node)
    except Untyped as error:
        if not vector or not is_of_columns(error):
            raise
        with elaborator.multiplying_entries():
            value = elaborator.member(node)
        if value.rank != 1:
            raise
        return value


def is_of_columns(error: Untyped) -> bool:
    """Tell whether an error says that two columns have no product."""
    return error.diagnostic.message.startswith("a column and a column cannot be multiplied")


def _in_scope(
    elaborator: Elaborator, terms: tuple[tuple[str, tree.Node], ...]
) -> tuple[tuple[str, tree.Node], ...]:
    """Let a sum reach over the terms after it that use its index, where no other member has it."""
    for at, (sign, term) in enumerate(terms):
        if not isinstance(term, tree.Big) or term.operator != "sum" or at + 1 == len(terms):
            continue
        letters = set(names.bound_letters(term.lower)) - elaborator.outside - elaborator.bound.keys()
        rest = terms[at + 1 :]
        reach = max(
            (k + 1 for k, (_, other) in enumerate(rest) if names.free_letters(other, letters)), default=0
        )
        if reach:
            elaborator.note(
                "SD102",
                "a term after this sum uses its index",
                term.span,
                label="read as a part of the sum",
            )
            inner = (
                ("+", term.body),
                *((s if sign == "+" else opposite(s), t) for s, t in rest[:reach]),
            )
            span = term.span.to(rest[reach - 1][1].span)
            whole = replace(term, body=tree.Additive(inner, span=span), span=span)
            return (*terms[:at], (sign, whole), *rest[reach:])
    return terms


def add(elaborator: Elaborator, left: Tensor, right: Tensor, span: Span) -> Tensor:
    """Return the sum of two tensors, broadcast as in NumPy."""
    left, right, shape = together(elaborator, left, right, span, "this sum")
    return Tensor(
        left.body + right.body,
        shape.slots,
        shape.dimensions,
        row=shape.row,
        convention=shape.convention,
        groups=shape.groups,
    )


def together(
    elaborator: Elaborator, left: Tensor, right: Tensor, span: Span, what: str
) -> tuple[Tensor, Tensor, Tensor]:
    """Bring two tensors over the same slots; the third result carries the common shape."""
    if left.rank and right.rank and left.groups != right.groups:
        raise ill_typed("SD002", f"{what} joins {kind(left)} and {kind(right)}", span)
    if left.rank == right.rank:
        if (
            (left.rank == 1 or len(left.groups) == 1)
            and left.row != right.row
            and not (left.convention or right.convention)
        ):
            raise ill_typed("SD002", f"{what} joins a row and a column", span)
        for a, b in zip(left.dimensions, right.dimensions, strict=True):
            elaborator.unify(a, b, span, what)
        renaming = dict(zip(right.slots, left.slots, strict=True))
        shape = left if not left.convention else replace(left, row=right.row, convention=right.convention)
        return left, replace(right, slots=left.slots, body=exchanged(right.body, renaming)), shape
    if right.rank == 0 or left.rank == 0:
        big, small = (left, right) if right.rank == 0 else (right, left)
        if small.body != 0:
            elaborator.note("SD103", "a number is added to every entry", span)
        return left, right, big
    if {left.rank, right.rank} == {1, 2}:
        big, small = (left, right) if left.rank == 2 else (right, left)
        axis = 1
        if not elaborator.sizes.try_unify(big.dimensions[1], small.dimensions[0]):
            axis = 0 if not small.row and elaborator.sizes.same(big.dimensions[0], small.dimensions[0]) else 1
        elaborator.unify(big.dimensions[axis], small.dimensions[0], span, what)
        elaborator.note("SD103", f"a vector is added to every {'row' if axis else 'column'}", span)
        slot = big.slots[axis]
        moved = replace(small, slots=(slot,), body=exchanged(small.body, {small.slots[0]: slot}))
        return (big, moved, big) if left.rank == 2 else (moved, big, big)
    raise ill_typed("SD002", f"{what} joins {kind(left)} and {kind(right)}", span)


def multiply(elaborator: Elaborator, left: Tensor, right: Tensor, operator: str, span: Span) -> Tensor:
    """Return the product that the shapes and the operator tell."""
    chained = (
        _chain_rule(elaborator, left, right, span)
        if operator not in ("odot", "circ", "*", "otimes")
        else None
    )
    if chained is not None:
        return chained
    if left.rank == 0 or right.rank == 0:
        big = right if left.rank == 0 else left
        tags = (big.numerator, big.denominator) if big.denominator else (None, None)
        return Tensor(
            left.body * right.body,
            big.slots,
            big.dimensions,
            row=big.row,
            numerator=tags[0],
            denominator=tags[1],
            convention=big.convention,
            groups=big.groups,
        )
    if operator in ("odot", "circ", "*"):
        left, right, shape = together(elaborator, left, right, span, "this product entry by entry")
        return Tensor(
            left.body * right.body,
            shape.slots,
            shape.dimensions,
            row=shape.row,
            convention=shape.convention,
            groups=shape.groups,
        )
    if operator == "otimes":
        if left.rank == right.rank == 1:
            return Tensor(
                left.body * right.body, left.slots + right.slots, left.dimensions + right.dimensions
            )
        return kronecker(left, right, span)
    if left.groups or right.groups:
        return _contract_pairs(elaborator, left, right, span)
    return _contract(elaborator, left, right, operator, span)


def _contract(elaborator: Elaborator, left: Tensor, right: Tensor, operator: str, span: Span) -> Tensor:
    ranks = (left.rank, right.rank)
    turned = right.row or (right.convention and operator == "" and not left.convention)
    if ranks == (1, 1) and not left.row and turned:
        return Tensor(left.body * right.body, left.slots + right.slots, left.dimensions + right.dimensions)
    inner = (
        (ranks == (1, 1) and (left.row or left.convention or operator in ("cdot", ".")) and not right.row)
        or (ranks == (1, 1) and operator in ("cdot", ".") and left.row == right.row)
        or ranks == (2, 2)
        or (ranks == (2, 1) and (not right.row or right.convention))
        or (ranks == (1, 2) and (left.row or left.convention))
    )
    columns = ranks == (1, 1) and not (left.row or right.row or left.convention or right.convention)
    varied = all(set(side.slots) <= side.body.free_symbols for side in (left, right))
    if columns and varied and operator == "" and elaborator.entrywise:
        left, right, shape = together(elaborator, left, right, span, "this product entry by entry")
        elaborator.note("SD104", "the product of two vectors is taken entry by entry", span)
        return Tensor(left.body * right.body, shape.slots, shape.dimensions)
    if not inner:
        raise ill_typed("SD002", f"{kind(left)} and {kind(right)} cannot be multiplied in this order", span)
    elaborator.unify(left.dimensions[-1], right.dimensions[0], span, "this product")
    k = fresh("k")
    body = exchanged(left.body, {left.slots[-1]: k}) * exchanged(right.body, {right.slots[0]: k})
    slots, sizes = left.slots[:-1] + right.slots[1:], left.dimensions[:-1] + right.dimensions[1:]
    return Tensor(summed(body, (k, 1, left.dimensions[-1])), slots, sizes, row=ranks == (1, 2))


def kronecker(left: Tensor, right: Tensor, span: Span) -> Tensor:
    """Return Kronecker's product of two matrices; an index is one of the left, then one of the right."""
    if left.rank != 2 or right.rank != 2 or left.groups or right.groups:
        raise unsupported(f"Kronecker's product of {kind(left)} and {kind(right)} is not supported yet", span)
    (i, j), (k, m) = left.slots, right.slots
    (a, b), (c, d) = left.dimensions, right.dimensions
    return Tensor(left.body * right.body, (i, k, j, m), (a, c, b, d), groups=(2, 2))


def kronecker_factors(value: Tensor) -> tuple[Tensor, Tensor] | None:
    """Return the matrices of which a tensor is Kronecker's product, or None."""
    if value.groups != (2, 2):
        return None
    (i, k, j, m), (a, c, b, d) = value.slots, value.dimensions
    left: Expr = Integer(1)
    right: Expr = Integer(1)
    for factor in Mul.make_args(value.body):
        inside = free_in(factor)
        if inside & {k, m} and inside & {i, j}:
            return None
        left, right = (left, right * factor) if inside & {k, m} else (left * factor, right)
    return Tensor(left, (i, j), (a, b)), Tensor(right, (k, m), (c, d))


def _contract_pairs(elaborator: Elaborator, left: Tensor, right: Tensor, span: Span) -> Tensor:
    """Return the product of tensors whose indices are pairs of slots, summed over a pair of each."""
    ranks = (len(left.groups), len(right.groups))
    if 0 in ranks:
        raise unsupported("the product of a matrix and one written as a column is not supported yet", span)
    if ranks == (1, 1) and not left.row and right.row:
        outer = left.dimensions + right.dimensions
        return Tensor(left.body * right.body, left.slots + right.slots, outer, groups=(2, 2))
    if (ranks[0] == 1 and not left.row) or (ranks[1] == 1 and right.row):
        raise ill_typed("SD002", f"{kind(left)} and {kind(right)} cannot be multiplied in this order", span)
    _same_order(elaborator, left.dimensions[-2:], right.dimensions[:2], span)
    sizes = dict(zip(left.slots + right.slots, left.dimensions + right.dimensions, strict=True))
    body_left, body_right, limits = left.body, right.body, []
    for a, b in zip(left.slots[-2:], right.slots[:2], strict=True):
        elaborator.unify(sizes[a], sizes[b], span, "this product")
        k = fresh("k")
        body_left, body_right = exchanged(body_left, {a: k}), exchanged(body_right, {b: k})
        limits.append((k, 1, sizes[a]))
    slots = left.slots[:-2] + right.slots[2:]
    groups = left.groups[:-1] + right.groups[1:]
    body = summed(body_left * body_right, *limits)
    return Tensor(body, slots, tuple(sizes[s] for s in slots), row=ranks == (1, 2), groups=groups)


def _same_order(elaborator: Elaborator, left: Sequence[Expr], right: Sequence[Expr], span: Span) -> None:
    """Refuse pairs of sizes that differ in their order only: the page may write matrices row by row."""
    value = elaborator.sizes.value
    first, second = [value(size) for size in left], [value(size) for size in right]
    if first != second and first == second[::-1]:
        raise unsupported(f"{BY_COLUMNS}, and here the other order would be needed", span)


BY_COLUMNS = "vec puts the columns of a matrix one below the other"


def _tag(tensor: Tensor) -> tuple[tuple[Index, ...], tuple[Index, ...]]:
    """Return the slots of the numerator and of the denominator of a derivative tensor."""
    assert tensor.numerator is not None
    at = tensor.numerator[1]
    return tensor.slots[:at], tensor.slots[at:]


def _chain_rule(elaborator: Elaborator, left: Tensor, right: Tensor, span: Span) -> Tensor | None:
    """Contract two derivative tensors when one is differentiated by what the other differentiates."""
    if left.denominator is None or right.denominator is None:
        return None
    if left.denominator == right.numerator:
        outer, inner = left, right
    elif right.denominator == left.numerator:
        outer, inner = right, left
        if left.is_jacobian and (right.is_jacobian or right.rank == 1):
            note = "in denominator layout this is the chain rule: the directive `layout denominator` says so"
            found = Diagnostic(
                "SD107", "these factors are in the order of denominator layout", span, notes=(note,)
            )
            raise Untyped("unknown", found)
    else:
        return None
    assert outer.numerator is not None
    keep, joined = _tag(outer)
    top, rest = _tag(inner)
    at = outer.numerator[1]
    sizes = dict(zip(outer.slots + inner.slots, outer.dimensions + inner.dimensions, strict=True))
    body_outer, body_inner, limits = outer.body, inner.body, []
    for a, b in zip(joined, top, strict=True):
        elaborator.unify(sizes[a], sizes[b], span, "the chain rule")
        k = fresh("k")
        body_outer, body_inner = exchanged(body_outer, {a: k}), exchanged(body_inner, {b: k})
        limits.append((k, 1, sizes[a]))
    body = body_outer * body_inner
    for limit in limits:
        body = summed(body, limit)
    slots = keep + rest
    return Tensor(
        body,
        slots,
        tuple(sizes[s] for s in slots),
        numerator=outer.numerator,
        denominator=inner.denominator,
        row=at == 0 and len(rest) == 1 and outer.row,
        convention=at == 0 and len(rest) == 1,
    )


def transpose(value: Tensor, span: Span) -> Tensor:
    """Return the transpose of a tensor of rank up to 2."""
    if value.rank == 0:
        return value
    if len(value.groups) == 2:
        half = value.groups[0]
        slots, sizes = value.slots, value.dimensions
        turned = (*slots[half:], *slots[:half]), (*sizes[half:], *sizes[:half])
        return Tensor(value.body, *turned, groups=value.groups[::-1])
    if value.rank == 1 or value.groups:
        return replace(value, row=not value.row, numerator=None, denominator=None)
    if value.rank == 2:
        return Tensor(value.body, value.slots[::-1], value.dimensions[::-1])
    raise unsupported("the transpose of a tensor with more than two indices has no meaning", span)


def fraction(elaborator: Elaborator, node: tree.Fraction) -> Tensor:
    """Elaborate a quotient; that of two vectors is taken entry by entry."""
    top, bottom = elaborator.value(node.numerator), elaborator.value(node.denominator)
    if bottom.rank == 0:
        elaborator.requires(Ne, bottom.body)
        return replace(top, body=top.body / bottom.body)
    if bottom.rank == 2:
        raise ill_typed("SD002", "a matrix stands in a denominator", node.denominator.span)
    if top.rank == 1:
        elaborator.note("SD104", "the quotient of two vectors is taken entry by entry", node.span)
    return multiply(elaborator, top, reciprocal(elaborator, bottom, node.span), "odot", node.span)


def reciprocal(elaborator: Elaborator, value: Tensor, span: Span) -> Tensor:
    """Return one over a tensor, entry by entry."""
    if value.rank == 2:
        raise ill_typed("SD002", "a matrix stands in a denominator", span)
    elaborator.requires(Ne, value.body)
    return Tensor(1 / value.body, value.slots, value.dimensions, row=value.row)


def root(elaborator: Elaborator, node: tree.Root) -> Tensor:
    """Elaborate a root."""
    degree = Integer(2) if node.degree is None else elaborator.value(node.degree).body
    radicand = elaborator.value(node.radicand)
    elaborator.requires(Ge, radicand.body)
    return elementwise(elaborator, lambda x: x ** (1 / degree), radicand, node)


def elementwise(
    elaborator: Elaborator, function: Callable[[Expr], Expr], value: Tensor, node: tree.Node
) -> Tensor:
    """Apply a function of numbers to every entry."""
    if value.rank:
        elaborator.note("SD104", "a function of numbers is applied entry by entry", node.span)
    return replace(value, body=function(value.body), numerator=None, denominator=None)


def cases(elaborator: Elaborator, node: tree.Cases) -> Tensor:
    """Elaborate cases: a value for each condition."""
    rows: list[tuple[Tensor, Boolean]] = []
    shape: Tensor | None = None
    for row in node.rows:
        condition = true if row.condition is None else proposition(elaborator, row.condition)
        value = elaborator.value(row.value)
        if shape is None:
            shape = value
        else:
            _, value, shape = together(elaborator, shape, value, row.span, "these cases")
        if rows and condition == Not(Or(*(c for _, c in rows))):
            condition = true
        rows.append((value, condition))
    assert shape is not None
    return Tensor(
        Cases(*(part for value, condition in rows for part in (value.body, condition))),
        shape.slots,
        shape.dimensions,
        row=shape.row,
    )

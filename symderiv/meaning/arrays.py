"""Norms, inner products, lists and matrices with every entry written.

Vocabulary: a list with *dots* has the entry that its shown entries fit.
"""

from __future__ import annotations

from dataclasses import replace

import sympy
from sympy import (
    Abs,
    Expr,
    Integer,
    KroneckerDelta,
)

from symderiv.diagnostics import Span
from symderiv.kernel.terms import Size, fresh
from symderiv.kernel.terms import total as summed
from symderiv.latex import tree
from symderiv.meaning import names
from symderiv.meaning.arithmetic import elementwise, together
from symderiv.meaning.elaborator import Elaborator
from symderiv.meaning.errors import ill_typed, unsupported
from symderiv.meaning.model import Tensor
from symderiv.meaning.patterns import HOLE, generalise, hole
from symderiv.meaning.powers import determinant


def norm(elaborator: Elaborator, node: tree.Norm) -> Tensor:
    """Elaborate a norm: Euclidean, of Frobenius, or the sum of absolute values."""
    value = elaborator.paired(node.body)
    order = (
        names.key(node.order) if node.order is not None and not isinstance(node.order, tree.Number) else None
    )
    if isinstance(node.order, tree.Number) and node.order.text == "1":
        return _total(replace(value, body=Abs(value.body)))
    if node.order is None or order == "F" or (isinstance(node.order, tree.Number) and node.order.text == "2"):
        return Tensor(sympy.sqrt(_total(replace(value, body=value.body**2)).body))
    raise unsupported("this norm is not supported yet", node.span)


def _total(value: Tensor) -> Tensor:
    body = value.body
    for slot, size in zip(value.slots, value.dimensions, strict=True):
        body = summed(body, (slot, 1, size))
    return Tensor(body)


def absolute(elaborator: Elaborator, node: tree.Absolute) -> Tensor:
    """Elaborate bars: the absolute value, entry by entry, or the determinant of a matrix."""
    value = elaborator.value(node.body)
    if value.rank == 2:
        return determinant(elaborator, value, node.span)
    if value.rank > 2:
        raise unsupported("bars around a tensor with more than two indices have no meaning", node.span)
    return elementwise(elaborator, Abs, value, node)


def inner(elaborator: Elaborator, node: tree.Inner) -> Tensor:
    """Elaborate an inner product."""
    left, right = elaborator.paired(node.left), elaborator.paired(node.right)
    left, right, shape = together(
        elaborator, replace(left, row=False), replace(right, row=False), node.span, "this inner product"
    )
    return _total(Tensor(left.body * right.body, shape.slots, shape.dimensions))


def sequence(elaborator: Elaborator, node: tree.Sequence) -> Tensor:
    """Elaborate a list."""
    return listed(elaborator, node)


def listed(elaborator: Elaborator, node: tree.Sequence) -> Tensor:
    """A list in brackets is a vector; one with dots has the entry that its shown entries fit."""
    dots = [at for at, item in enumerate(node.items) if isinstance(item, tree.Dots)]
    if not dots:
        return _explicit(elaborator, [(item,) for item in node.items], node.span, vector=True)
    if len(dots) != 1 or dots[0] < 2 or dots[0] != len(node.items) - 2:
        raise unsupported("this list with dots is not understood yet", node.span)
    first, second, last = node.items[0], node.items[1], node.items[-1]
    template = generalise(first, second)
    end = None if template is None else hole(template, last)
    if template is None or end is None:
        raise unsupported(
            "the entries of this list with dots do not follow a pattern that symderiv sees", node.span
        )
    if isinstance(end, tree.Number):
        size = elaborator.sizes.new(Integer(end.text), origin=end.span)
    else:
        size = _end_size(elaborator, end)
    with elaborator.binding((HOLE,), (size,)) as (index,):
        value = elaborator.value(template)
    if value.rank:
        raise unsupported("a list of tensors is not supported yet", node.span)
    return Tensor(value.body, (index,), (size,), convention=True)


def _end_size(elaborator: Elaborator, end: tree.Node) -> Size:
    if isinstance(end, tree.Name):
        size = elaborator.scope.size(end.text)
        if size is None:
            raise unsupported(f"{end.text} is not known to be a size", end.span)
        return size
    return elaborator.sizes.new(elaborator.value(end).body, origin=end.span)


def matrix(elaborator: Elaborator, node: tree.Matrix) -> Tensor:
    """Elaborate a matrix with every entry written."""
    if any(isinstance(cell, tree.Dots) for row in node.rows for cell in row):
        raise unsupported("a matrix written with dots is not decided yet", node.span)
    return _explicit(elaborator, list(node.rows), node.span, vector=all(len(row) == 1 for row in node.rows))


def _explicit(
    elaborator: Elaborator, rows: list[tuple[tree.Node, ...]], span: Span, *, vector: bool
) -> Tensor:
    """A matrix or vector with every entry written."""
    if len({len(row) for row in rows}) != 1:
        raise ill_typed("SD002", "the rows of this matrix have different lengths", span)
    i, j = fresh("s"), fresh("s")
    body: Expr = Integer(0)
    for at, row in enumerate(rows, 1):
        for column, cell in enumerate(row, 1):
            value = elaborator.value(cell)
            if value.rank:
                raise unsupported("a matrix of blocks is not supported yet", cell.span)
            place = KroneckerDelta(i, at) if vector else KroneckerDelta(i, at) * KroneckerDelta(j, column)
            body += value.body * place
    height = elaborator.sizes.new(Integer(len(rows)))
    if vector:
        return Tensor(body, (i,), (height,))
    return Tensor(body, (i, j), (height, elaborator.sizes.new(Integer(len(rows[0])))))

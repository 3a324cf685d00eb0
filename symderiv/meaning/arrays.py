"""Norms, inner products, lists and matrices with every entry written.

Vocabulary: a list with *dots* has the entry that its shown entries fit.
"""

from __future__ import annotations

import contextlib
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
from symderiv.latex import to_latex, tree
from symderiv.meaning import dots, names
from symderiv.meaning.arithmetic import elementwise, together
from symderiv.meaning.elaborator import Elaborator
from symderiv.meaning.errors import Untyped, ill_typed, unsupported
from symderiv.meaning.model import Shown, Tensor
from symderiv.meaning.powers import determinant
from symderiv.meaning.renaming import delta


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
    at = [at for at, item in enumerate(node.items) if isinstance(item, tree.Dots)]
    if not at:
        return _explicit(elaborator, [(item,) for item in node.items], node.span, vector=True)
    if len(at) != 1 or not at[0] or at[0] != len(node.items) - 2:
        raise unsupported("this list with dots is not understood yet", node.span)
    found = dots.sequence(node.items[: at[0]], node.items[-1])
    if found is None or found[1] is None:
        raise unsupported(
            "the entries of this list with dots do not follow a pattern that symderiv sees", node.span
        )
    template, end = found
    size = _end_size(elaborator, end)
    with elaborator.binding((dots.RUN,), (size,)) as (index,):
        value = _entry(elaborator, template)
    if value.rank:
        raise unsupported("a list of tensors is not supported yet", node.span)
    return Tensor(value.body, (index,), (size,), convention=True)


def _entry(elaborator: Elaborator, template: tree.Node) -> Tensor:
    """Elaborate the entry of a list or matrix with dots; what it is made of may be told in words alone."""
    try:
        return elaborator.value(template)
    except Untyped as error:
        if error.diagnostic.code != "SD004":
            raise
        message = f"{error.diagnostic.message}, and stands for the entries beside dots"
        raise unsupported(message, error.diagnostic.span) from None


def _end_size(elaborator: Elaborator, end: tree.Node | int | None) -> Size:
    """Return the length of an axis with this last index; nothing tells that of `1, 1, …, 1`."""
    if end is None:
        return elaborator.sizes.new()
    if isinstance(end, int):
        return elaborator.sizes.new(Integer(end))
    if isinstance(end, tree.Number):
        return elaborator.sizes.new(Integer(end.text), origin=end.span)
    if isinstance(end, tree.Name):
        size = elaborator.scope.size(end.text)
        if size is None:
            raise unsupported(f"{end.text} is not known to be a size", end.span)
        return size
    return elaborator.sizes.new(elaborator.value(end).body, origin=end.span)


def matrix(elaborator: Elaborator, node: tree.Matrix) -> Tensor:
    """Elaborate a matrix: every entry is written, or its shown entries fit a formula."""
    if dots.has_dots(node) and _from_zero(node):
        raise unsupported("entries that are counted from 0 are not supported here yet", node.span)
    if dots.has_dots(node):
        return _dotted(elaborator, node)
    return _explicit(elaborator, list(node.rows), node.span, vector=all(len(row) == 1 for row in node.rows))


def _from_zero(node: tree.Node) -> bool:
    """Tell whether a name has the number 0 below it: where dots are, the page counts from there."""
    scripts = (each for each in names.walk(node) if isinstance(each, tree.Script))
    return any(isinstance(each.sub, tree.Number) and each.sub.text == "0" for each in scripts)


def _dotted(elaborator: Elaborator, node: tree.Matrix) -> Tensor:
    """Return the matrix of the formula that the shown entries fit."""
    formula = dots.formula(dots.grid(node))
    if formula is None:
        raise unsupported(
            "the shown entries of this matrix with dots fit no formula that symderiv sees", node.span
        )
    rows, columns = _end_size(elaborator, formula.rows), _end_size(elaborator, formula.columns)
    if any(part.where != "all" for part in formula.parts) and formula.rows == formula.columns:
        columns = rows
    column, row = formula.columns == 1, formula.rows == 1
    body: Expr = Integer(0)
    inner: Tensor | None = None
    with elaborator.binding((dots.ROW, dots.COLUMN), (rows, columns)) as (i, j):
        places = {None: Integer(1), "diagonal": delta(i, j), "off": 1 - delta(i, j)}
        for part in formula.parts:
            value = _entry(elaborator, part.node)
            if value.rank:
                stacked = column if value.row else row
                if len(formula.parts) > 1 or value.rank > 1 or not stacked:
                    raise unsupported("a matrix of blocks is not supported yet", part.node.span)
                inner = value
            place = places.get(part.where, Integer(1))
            if part.row is not None and not row:
                place *= KroneckerDelta(i, part.row)
            if part.column is not None and not column:
                place *= KroneckerDelta(j, part.column)
            body += value.body * place
    if inner is not None and column:
        return Tensor(body, (i, *inner.slots), (rows, *inner.dimensions))
    if inner is not None:
        return Tensor(body, (*inner.slots, j), (*inner.dimensions, columns))
    if column:
        return Tensor(body, (i,), (rows,))
    if row:
        return Tensor(body, (j,), (columns,), row=True, convention=True)
    return Tensor(body, (i, j), (rows, columns))


def shown(elaborator: Elaborator, node: tree.Node) -> tuple[Shown, ...]:
    """Return the entries that a matrix with dots shows, those that are numbers by themselves."""
    while isinstance(node, tree.Group):
        node = node.body
    if not isinstance(node, tree.Matrix) or not dots.has_dots(node) or _from_zero(node):
        return ()
    grid = dots.grid(node)
    most = [len({getattr(cell, axis) for cell in grid.cells}) for axis in ("row", "column")]
    found = []
    for cell in grid.cells:
        with contextlib.suppress(Exception):
            value = elaborator.value(cell.node)
            if not value.rank:
                text = to_latex(cell.node)
                found.append(Shown(cell.row, cell.column, value, cell.node.span, text, (most[0], most[1])))
    return tuple(found)


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

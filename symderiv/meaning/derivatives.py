"""Derivatives and gradients in the layout of the page.

Vocabulary: the *variable* is what a derivative is taken by, a name or an entry; its slots come last
in the numerator layout. A layout is one of

    gradient     a scalar's derivative has the shape of its variable, a vector's a row for each output
    numerator    a row for each output, a column for each input: a scalar's derivative is a row or transposed
    denominator  a row for each input, a column for each output: a scalar's derivative is a column
    jacobian     as numerator, but a derivative by a matrix has the shape of the matrix

What depends on it is noted in `Elaborator.oriented`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from sympy import (
    Expr,
    Indexed,
    Pow,
    Symbol,
)

from symderiv.kernel.terms import D, Index, Size
from symderiv.latex import tree
from symderiv.meaning import names
from symderiv.meaning.arithmetic import transpose
from symderiv.meaning.calls import applies, part
from symderiv.meaning.differentials import along
from symderiv.meaning.elaborator import Elaborator
from symderiv.meaning.errors import unsupported
from symderiv.meaning.model import Tensor


def derivative(elaborator: Elaborator, node: tree.Derivative) -> Tensor:
    """Elaborate a derivative; the slots of its variables follow those of its operand."""
    operand = node.of
    if operand is None:
        raise unsupported("this derivative has no operand", node.span)
    parted = _parted(elaborator, node, operand) if node.style == "nabla" else None
    if parted is not None:
        return elaborator.value(parted)
    if not node.by:
        slopes = _slopes(elaborator, operand) if node.order == 1 else ()
        if slopes:
            return elaborator.value(tree.Matrix(tuple((each,) for each in slopes), "bmatrix", span=node.span))
        node = _completed(elaborator, node, operand)
    directed = along(elaborator, node, operand)
    if directed is not None:
        return directed
    value = elaborator.value(operand)
    of_name = value.numerator if value.denominator is None else None
    body, slots, sizes = value.body, value.slots, value.dimensions
    denominator: tuple[str, int] | None = None
    by_tensors: list[_By] = []
    for by in node.by:
        variable, transposed = by, False
        if isinstance(by, tree.Script) and by.sub is None and names.is_transpose(by.sup):
            transposed, variable = True, by.base
        target = _variable(elaborator, variable)
        body = _by(body, target.body)
        slots, sizes = slots + target.slots, sizes + target.dimensions
        denominator = target.numerator if len(node.by) == 1 else None
        if target.rank:
            by_tensors.append(_By(transposed, transposed != target.row))
    plain = Tensor(
        body,
        slots,
        sizes,
        numerator=(of_name[0] if of_name else "", value.rank) if denominator else None,
        denominator=denominator,
    )
    return _laid_out(elaborator, plain, value, node, by_tensors)


@dataclass(frozen=True, slots=True)
class _By:
    """A vector or matrix that a derivative is taken by: written as a transpose, and a row."""

    transposed: bool
    row: bool


def _laid_out(
    elaborator: Elaborator, plain: Tensor, value: Tensor, node: tree.Derivative, by: list[_By]
) -> Tensor:
    r"""Turn a derivative as the layout asks; `plain` has the slots of the operand, then of the variables.

    Where a row and a column say how the entries stand, `\partial y / \partial x^\top`, no layout is asked.
    """
    layout, nabla = elaborator.layout, node.style == "nabla"
    by_rows = layout in ("numerator", "jacobian") and not nabla
    ranks = (value.rank, plain.rank - value.rank)
    first = by[0] if by else None
    if first is None:
        if ranks != (1, 0):
            return plain
        elaborator.oriented.add("curve")
        return replace(plain, row=value.row != (layout == "denominator"))
    turns = False
    if ranks == (0, 1):
        if not first.transposed:
            elaborator.oriented.add("nabla" if nabla else "gradient")
        by_rows = by_rows and not first.transposed
        firm = first.transposed or (by_rows and elaborator.strict)
        return replace(plain, row=first.row != by_rows, convention=not firm)
    if ranks == (0, 2) and len(by) == 1:
        if not first.transposed:
            elaborator.oriented.add("matrix")
        turns = first.transposed or (layout == "numerator" and not nabla)
    elif ranks == (0, 2) and first.row == by[1].row:
        elaborator.oriented.add("mixed")
        turns = by_rows
    elif ranks == (0, 2):
        turns = first.row
    elif ranks == (1, 1) and (value.row or not first.row):
        elaborator.oriented.add("jacobian")
        across = value.row and not first.row and _written_out(node)
        turns = layout == "denominator" or (layout == "gradient" and (nabla or across))
    return transpose(plain, node.span) if turns else plain


def _written_out(node: tree.Derivative) -> bool:
    """Tell whether what is differentiated is more than a name."""
    return node.of is not None and not isinstance(names.plain(node.of), tree.Name)


def _parted(elaborator: Elaborator, node: tree.Derivative, operand: tree.Node) -> tree.Node | None:
    """Return `(\\nabla f) \\odot v` for `\\nabla f \\odot v`, where f is a number and v is none, or None.

    So for `\\nabla f \\cdot v` and `\\nabla f^\\top v`, too.
    """
    if not isinstance(operand, tree.Product):
        return None
    first, *rest = operand.factors
    if isinstance(first, tree.Script) and names.is_transpose(first.sup) and first.sub is None:
        if elaborator.value(first.base).rank:
            return None
        slope = tree.Group(replace(node, of=first.base), "(", ")", span=node.span)
        turned = tree.Script(slope, sup=first.sup, span=node.span)
        return tree.Product((turned, *rest), operand.operators, span=node.span)
    at = next((at for at, sign in enumerate(operand.operators) if sign in ("odot", "circ", "cdot")), None)
    if at is None or elaborator.value(part(operand, 0, at + 1)).rank:
        return None
    if not elaborator.value(part(operand, at + 1, len(operand.factors))).rank:
        return None
    slope = tree.Group(replace(node, of=part(operand, 0, at + 1)), "(", ")", span=node.span)
    return tree.Product((slope, *operand.factors[at + 1 :]), operand.operators[at:], span=node.span)


def _completed(elaborator: Elaborator, node: tree.Derivative, operand: tree.Node) -> tree.Derivative:
    """Return a gradient with its variable, the one argument of what it is of."""
    variables = _parameters(elaborator, operand) * node.order
    if node.order > 1:
        elaborator.shaky = "\\nabla^2"
    if not variables:
        raise unsupported("this gradient does not name its variable", node.span)
    return tree.Derivative(operand, variables, node.style, node.form, span=node.span)


def _parameters(elaborator: Elaborator, node: tree.Node) -> tuple[tree.Node, ...]:
    """Return the variable of `\\nabla f` and `\\nabla f(x)`: the one argument of f."""
    node = names.plain(node)
    if isinstance(node, tree.Product) and len(node.factors) == 2 and applies(elaborator, node, 0):
        group = _brackets(node.factors[1])
        return (group.body,) if isinstance(group, tree.Group) and isinstance(group.body, tree.Name) else ()
    points = {
        point.body
        for each in names.walk(node)
        if isinstance(each, tree.Product)
        for at, point in enumerate(map(_brackets, each.factors[1:]))
        if applies(elaborator, each, at) and isinstance(point, tree.Group)
    }
    if len(points) == 1 and isinstance(next(iter(points)), tree.Name):
        return tuple(points)
    record = elaborator.record(node)
    if record is None or not record.parameters or len(record.parameters) != 1:
        return ()
    return (tree.Name(record.parameters[0], span=node.span),)


def _brackets(node: tree.Node) -> tree.Node:
    """Return the brackets of `(x)^2` without what stands above them."""
    return node.base if isinstance(node, tree.Script) else node


def _slopes(elaborator: Elaborator, node: tree.Node) -> tuple[tree.Derivative, ...]:
    """Return the entries of `\\nabla f` and `\\nabla f(x, y)`, for a function of several numbers."""
    of = names.plain(node)
    if isinstance(of, tree.Product) and len(of.factors) == 2 and applies(elaborator, of, 0):
        of = of.factors[0]
    record = elaborator.record(of)
    if record is None or not record.parameters or len(record.parameters) < 2:
        return ()
    if any(len(elaborator.shape(each)) for each in record.arguments):
        return ()
    by = [tree.Name(each, span=node.span) for each in record.parameters]
    if of is not names.plain(node):
        whole = names.plain(node)
        group = whole.factors[1] if isinstance(whole, tree.Product) else whole
        inside = group.body if isinstance(group, tree.Group) else group
        if not isinstance(inside, tree.Sequence) or inside.items != tuple(by):
            return ()
    return tuple(tree.Derivative(node, (each,), "partial", "fraction", 1, span=node.span) for each in by)


def _variable(elaborator: Elaborator, node: tree.Node) -> Tensor:
    """Elaborate what a derivative is taken by: a name or an entry."""
    node = names.plain(node)
    if isinstance(node, tree.Product) and len(node.factors) == 2 and applies(elaborator, node, 0):
        node = node.factors[0]
    value = elaborator.value(node)
    entry = value.body.base if _is_square(value.body) else value.body
    if not (
        isinstance(entry, Indexed) or (isinstance(entry, Symbol) and not isinstance(entry, Index | Size))
    ):
        raise unsupported("a derivative by this expression is not supported yet", node.span)
    return value


def _is_square(variable: Expr) -> bool:
    return isinstance(variable, Pow) and variable.exp == 2


def _by(term: Expr, variable: Expr) -> Expr:
    """Return a derivative by an entry or by its square, of which the entry is a root: df/ds / (2 s)."""
    return D(term, variable.base) / (2 * variable.base) if _is_square(variable) else D(term, variable)

"""Derivatives and gradients in the layout of the page.

Vocabulary: the *variable* is what a derivative is taken by, a name or an entry; its slots come last
in the numerator layout.
"""

from __future__ import annotations

from dataclasses import replace

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
from symderiv.meaning.calls import applies
from symderiv.meaning.differentials import along
from symderiv.meaning.elaborator import Elaborator
from symderiv.meaning.errors import unsupported
from symderiv.meaning.model import Tensor


def derivative(elaborator: Elaborator, node: tree.Derivative) -> Tensor:
    """Elaborate a derivative; the slots of its variables follow those of its operand."""
    operand = node.of
    if operand is None:
        raise unsupported("this derivative has no operand", node.span)
    if not node.by:
        variables = _parameters(elaborator, operand) * node.order
        if node.order > 1:
            elaborator.shaky = "\\nabla^2"
        node = tree.Derivative(operand, variables, node.style, node.form, span=node.span)
    if not node.by:
        raise unsupported("this gradient does not name its variable", node.span)
    directed = along(elaborator, node, operand)
    if directed is not None:
        return directed
    value = elaborator.value(operand)
    of_name = value.numerator if value.denominator is None else None
    body, slots, sizes = value.body, value.slots, value.dimensions
    denominator: tuple[str, int] | None = None
    transposed = turned = False
    for by in node.by:
        variable = by
        if isinstance(by, tree.Script) and by.sub is None and names.is_transpose(by.sup):
            transposed, variable = not transposed, by.base
        target = _variable(elaborator, variable)
        body = _by(body, target.body)
        slots, sizes = slots + target.slots, sizes + target.dimensions
        denominator = target.numerator if len(node.by) == 1 else None
        turned = value.rank == 0 and target.row
    added = len(slots) - value.rank
    result = Tensor(
        body,
        slots,
        sizes,
        numerator=(of_name[0] if of_name else "", value.rank) if denominator else None,
        denominator=denominator,
        convention=value.rank == 0 and added == 1,
        row=transposed != turned and added == 1,
    )
    if value.rank == 0 and added == 2 and (transposed or elaborator.layout == "numerator"):
        return transpose(result, node.span)
    if value.rank == 0 and added == 1 and elaborator.layout == "numerator":
        return replace(result, row=not transposed, convention=False)
    if (
        value.rank == 1
        and added == 1
        and not transposed
        and (elaborator.layout == "denominator" or node.style == "nabla")
    ):
        return transpose(result, node.span)
    return result


def _parameters(elaborator: Elaborator, node: tree.Node) -> tuple[tree.Node, ...]:
    """Return the variable of `\\nabla f` and `\\nabla f(x)`: the one argument of f."""
    node = names.plain(node)
    if isinstance(node, tree.Product) and len(node.factors) == 2 and applies(elaborator, node, 0):
        group = node.factors[1]
        return (group.body,) if isinstance(group, tree.Group) and isinstance(group.body, tree.Name) else ()
    record = elaborator.record(node)
    if record is None or not record.parameters or len(record.parameters) != 1:
        return ()
    return (tree.Name(record.parameters[0], span=node.span),)


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

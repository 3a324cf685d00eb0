"""Products as they are written: factors in order, applications and composite names taken as one factor."""

from __future__ import annotations

from collections.abc import Iterator

from symderiv.diagnostics import Span
from symderiv.latex import tree
from symderiv.meaning.arithmetic import multiply, reciprocal
from symderiv.meaning.calls import applies, apply, is_function, refuse_word
from symderiv.meaning.differentials import of_product
from symderiv.meaning.elaborator import Elaborator
from symderiv.meaning.entries import composite_name
from symderiv.meaning.errors import unsupported
from symderiv.meaning.model import Tensor


def product_of(elaborator: Elaborator, node: tree.Product) -> Tensor:
    """Elaborate a product; elementwise factors are joined last."""
    parts = list(_factors(elaborator, node))
    segments: list[tuple[str, Tensor, Span]] = []
    for operator, value, span in parts:
        if not segments or operator in ("odot", "circ", "*", "otimes"):
            segments.append((operator, value, span))
        else:
            head, before, at = segments[-1]
            segments[-1] = (head, multiply(elaborator, before, value, operator, at.to(span)), at.to(span))
    total = segments[0][1]
    for operator, value, _ in segments[1:]:
        total = multiply(elaborator, total, value, operator, node.span)
    return total


def _factors(elaborator: Elaborator, node: tree.Product) -> Iterator[tuple[str, Tensor, Span]]:
    """Yield the factors, each with the operator before it; an application or a composite name is one."""
    at = 0
    while at < len(node.factors):
        operator = node.operators[at - 1] if at else ""
        span = node.factors[at].span
        composite = composite_name(elaborator, node, at)
        if composite is not None:
            value, used = composite
        elif isinstance(node.factors[at], tree.Differential):
            value, used = of_product(elaborator, node, at)
        else:
            used = 2 if applies(elaborator, node, at) else 1
            if used == 1:
                refuse_word(elaborator, node, at)
            value = (
                apply(elaborator, node.factors[at], node.factors[at + 1])
                if used == 2
                else _factor(elaborator, node, at)
            )
        if operator == "circ" and any(_is_map(elaborator, node.factors[k]) for k in (at - 1, at)):
            raise unsupported("the composition of functions is not supported yet", span)
        if operator in ("/", "div"):
            operator = "odot" if value.rank == 1 else ""
            if operator and at:
                elaborator.note("SD104", "the quotient by a vector is taken entry by entry", span)
            value = reciprocal(elaborator, value, span)
        yield operator, value, span.to(node.factors[at + used - 1].span)
        at += used


def _is_map(elaborator: Elaborator, node: tree.Node) -> bool:
    record = elaborator.record(node)
    return record is not None and is_function(record)


def _factor(elaborator: Elaborator, node: tree.Product, at: int) -> Tensor:
    factor = node.factors[at]
    return elaborator.paired(factor)

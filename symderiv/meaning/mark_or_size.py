r"""A `d` before a factor on a page that has d as a name, too: the mark of a differential, or a factor.

What types tells. `d\sigma(p) \cdot z` is a vector where d is a mark, and a number where it is a size, so that
the other sides decide. `dL = G^\top dX` is an equation between differentials, and a lone `d\sigma^2` beside
sides without any mark is none. What stays open is left as it is, and the step is unknown.
Vocabulary: a mark is *directed* where it stands before a function, its arguments, a dot and a direction.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Literal

from symderiv.latex import tree
from symderiv.meaning import marks, names
from symderiv.meaning.calls import applies
from symderiv.meaning.elaborator import Elaborator
from symderiv.meaning.errors import Untyped
from symderiv.meaning.motion import Motion

Kind = Literal["mark", "factor", "open"]


def kind_of(elaborator: Elaborator, motion: Motion, nodes: Sequence[tree.Node]) -> Kind:
    """Tell what each `d` of the members of a chain is, on a page that has d as a name."""
    unsettled = [each for node in nodes for each in marks.differentials(node) if not each.upright]
    directed = [each for node in nodes for each in _directed(elaborator, node)]
    if not unsettled or any(each.upright for node in nodes for each in marks.differentials(node)):
        return "open"
    if not directed and _is_total(elaborator, nodes):
        return "mark"
    if len(directed) < len(unsettled):
        return "factor" if not directed and _is_scale(elaborator, nodes) else "open"
    sides = [(node, any(True for _ in marks.differentials(node))) for node in nodes]
    as_mark = _agree(elaborator, sides, replace(motion, named=False))
    as_factor = _agree(elaborator, [(without_marks(node), here) for node, here in sides], motion)
    if as_mark is not False and as_factor is False:
        return "mark"
    return "factor" if as_mark is False and as_factor is not False else "open"


def without_marks(node: tree.Node) -> tree.Node:
    """Read each `d` that is not upright as a factor."""

    def unmarked(each: tree.Node) -> tree.Node:
        if isinstance(each, tree.Differential):
            return each if each.upright or each.by is not None else _product(each)
        if not isinstance(each, tree.Product):
            return each
        factors: list[tree.Node] = []
        operators: list[str] = []
        for at, factor in enumerate(each.factors):
            operators += each.operators[at - 1 : at] if at else ()
            spliced = (
                isinstance(factor, tree.Product) and factor.factors[0] == _D and not any(factor.operators)
            )
            factors += factor.factors if spliced and isinstance(factor, tree.Product) else (factor,)
            operators += factor.operators if spliced and isinstance(factor, tree.Product) else ()
        return replace(each, factors=tuple(factors), operators=tuple(operators))

    return names.rebuilt(node, unmarked)


_D = tree.Name("d")


def _product(node: tree.Differential) -> tree.Product:
    letter = tree.Name("d", span=replace(node.span, end=node.span.start + 1))
    inner = (
        node.of.factors if isinstance(node.of, tree.Product) and not any(node.of.operators) else (node.of,)
    )
    return tree.Product((letter, *inner), ("",) * len(inner), span=node.span)


def _directed(elaborator: Elaborator, node: tree.Node) -> list[tree.Differential]:
    """Return the marks of `d f(x) \\cdot h` in a node."""
    found = []
    for each in (each for each in names.walk(node) if isinstance(each, tree.Product)):
        for at, factor in enumerate(each.factors):
            if not isinstance(factor, tree.Differential) or each.operators[at + 1 : at + 2] != ("cdot",):
                continue
            whole = tree.Product((factor.of, each.factors[at + 1]), ("",), span=factor.span)
            if each.operators[at] == "" and applies(elaborator, whole, 0):
                found.append(factor)
    return found


def _is_total(elaborator: Elaborator, nodes: Sequence[tree.Node]) -> bool:
    """Tell whether a chain is `dL = ⟨G, dX⟩`: nobody multiplies both a whole side and a tensor by a size."""
    inside = [[*marks.differentials(node)] for node in nodes]
    lone = isinstance(names.plain(nodes[0]), tree.Differential)
    return (
        lone
        and len(nodes) > 1
        and all(any(_is_tensor(elaborator, d.of) for d in each) for each in inside[1:])
    )


def _is_tensor(elaborator: Elaborator, node: tree.Node) -> bool:
    """Tell whether a node is a vector or a matrix that the page names, or its transpose."""
    if isinstance(node, tree.Script) and node.sub is None and names.is_transpose(node.sup):
        node = node.base
    record = elaborator.record(node)
    return record is not None and (record.declared or elaborator.is_defined(record)) and bool(record.shape)


def _is_scale(elaborator: Elaborator, nodes: Sequence[tree.Node]) -> bool:
    """Tell whether d multiplies numbers of the page, and some side has no mark: `= d\\sigma^2`."""
    if all(any(True for _ in marks.differentials(node)) for node in nodes):
        return False
    if isinstance(names.plain(nodes[0]), tree.Differential):
        return False  # perhaps the name of a gradient
    for each in (each for node in nodes for each in marks.differentials(node)):
        of = each.of.base if isinstance(each.of, tree.Script) else each.of
        record = elaborator.record(of)
        if record is None or not (record.declared or elaborator.is_defined(record)):
            return False
        if elaborator.shape(record) or record.differentiated_by:
            return False
    return True


def _agree(elaborator: Elaborator, sides: Sequence[tuple[tree.Node, bool]], motion: Motion) -> bool | None:
    """Tell whether the sides of a chain have one rank, and those with a `d` make sense; None if not known."""
    apart = replace(
        elaborator,
        sizes=elaborator.sizes.copy(),
        free=dict(elaborator.free),
        hidden=dict(elaborator.hidden),
        hidden_shapes=dict(elaborator.hidden_shapes),
        diagnostics=[],
        uses=set(),
        partial=[],
        bound={},
        motion=motion,
    )
    ranks = set()
    for node, concerned in sides:
        try:
            value = apart.member(node)
        except Untyped as error:
            if concerned:
                return None if error.outcome == "unknown" else False
        else:
            ranks |= {value.rank} if value.body != 0 else set()
    return len(ranks) < 2

"""Where the shape of each name comes from: a declaration, or the formulas that tell its dimensions.

A dimension is told at the first place that joins it to a size: an index that runs with a sum, a product that
needs it, an equation. What is shown is the smallest formula there that says something: the entry `y_i`, the
sum that binds the index, the product.
"""

from __future__ import annotations

from collections.abc import Sequence

from symderiv.diagnostics import Source, Span
from symderiv.latex import tree
from symderiv.meaning import names
from symderiv.meaning.model import Origin, SymbolRecord
from symderiv.meaning.raw import Survey
from symderiv.meaning.scope import Name


def symbols(survey: Survey) -> tuple[SymbolRecord, ...]:
    """Return the names of a page with their shapes, and what told them."""
    members = [node for chain in survey.chains for node in chain.members]
    found = []
    for record in survey.records:
        if record.shape is None or not record.introduced:
            continue
        line, cell = _place(survey.document.source, record.declared_at or record.first)
        places = [told_at(survey.sizes.forced(size), record) for size in record.shape]
        if not record.declared:
            places = [_formula(survey, members, record, place) for place in places]
        shape = tuple(str(survey.sizes.show(size)) for size in record.shape)
        origins = [] if record.declared else [_origin(survey, span) for span in places]
        found.append(
            SymbolRecord(
                record.key,
                shape,
                line,
                inferred=not record.declared,
                identity=record.identity,
                cell=cell,
                function=record.function or record.parameters is not None,
                spans=tuple(places),
                origins=tuple(origins),
            )
        )
    return tuple(found)


def has_size(name: str, shape: Sequence[str], axis: int | None = None) -> str:
    """Say which size a name has along an axis: `W has N columns`, `x is of length N`, `A is n × n`."""
    if len(shape) == 1:
        return f"{name} is of length {shape[0]}"
    if axis is None or len(set(shape)) == 1:
        return f"{name} is {' × '.join(shape)}"
    word = ("rows", "columns")[axis] if len(shape) == 2 else f"entries along index {axis + 1}"
    return f"{name} has {shape[axis]} {word}"


def told_at(forced: Span | None, record: Name) -> Span:
    """Return where the page tells a dimension of a name."""
    if record.declared:
        return record.declared_at or record.first
    return forced or (record.first if record.indexed else record.defined_at or record.first)


def _origin(survey: Survey, span: Span) -> Origin:
    source = survey.document.source
    line, cell = _place(source, span)
    return Origin(line, " ".join(source.written(span).split()), cell)


def _formula(survey: Survey, members: list[tree.Node], record: Name, span: Span) -> Span:
    """Return the formula around a place that tells a dimension: for a defined name, its definition."""
    if span == record.defined_at:
        chain = next((each for each in survey.chains if any(_holds(m, span) for m in each.members)), None)
        if chain is not None and len(chain.members) > 1:
            return chain.members[0].span.to(chain.members[1].span)
    member = next((node for node in members if _holds(node, span)), None)
    return span if member is None else _telling(member, span).span


def _telling(node: tree.Node, span: Span) -> tree.Node:
    """Return the smallest node at a span that says something: the sum of an index, an entry, a product."""
    path = [node]
    while True:
        below = next((child for child in names.children(path[-1]) if _holds(child, span)), None)
        if below is None:
            break
        path.append(below)
    letter = path[-1].text if isinstance(path[-1], tree.Name) else ""
    for each in reversed(path):
        if isinstance(each, tree.Big) and letter in names.bound_letters(each.lower):
            return each
    entries = [e for e in path if isinstance(e, tree.Script) and e.sub is not None and _holds(e.sub, span)]
    others = [each for each in reversed(path) if not isinstance(each, tree.Name | tree.Number)]
    return next(iter((*entries, *others)), node)


def _place(source: Source, span: Span) -> tuple[int, int | None]:
    """Return the line of a span, in its cell if the source is a notebook, and the number of that."""
    cell = source.cell(span)
    if cell is None:
        return source.position(span.start)[0], None
    return cell.position(span.start)[0], cell.number


def _holds(node: tree.Node, span: Span) -> bool:
    return node.span.start <= span.start and span.end <= node.span.end

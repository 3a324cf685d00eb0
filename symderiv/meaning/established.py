"""What a page establishes: its definitions, and each derivative that it speaks of as the kernel derives it.

Vocabulary. A *fact* is `head = value` over *slots*, for every value of these in their ranges. A derivative is
taken from the left side of a claim or question, made whole (each index its own slot) and listed once. Its
value is what the kernel derives, or a member of the page's chain that is shorter and proved equal.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Literal

from sympy import Expr, Indexed
from sympy.logic.boolalg import Boolean

from symderiv.document.model import Document, Heading
from symderiv.kernel.equality import normal
from symderiv.kernel.substitution import names_in
from symderiv.kernel.terms import Context, D, Index, KernelError, entry, fresh, name_of
from symderiv.kernel.writing import write
from symderiv.meaning.authors import at_variables, flattened, in_words_of, revealed
from symderiv.meaning.model import Page, Statement, Tensor
from symderiv.meaning.notation import derived, ranges_of
from symderiv.meaning.notation.folding import Known
from symderiv.meaning.notation.products import canonical


@dataclass(frozen=True, slots=True)
class Fact:
    """`head[slots] = value`, in force under `context`; `section` is the heading it stands under.

    A *value* is what a section gives to a name that the page leaves open.
    """

    kind: Literal["definition", "derivative", "value"]
    head: Expr
    slots: tuple[Index, ...]
    ranges: dict[Index, Expr]
    value: Expr
    context: Context
    section: str
    line: int
    row: bool = False
    given: tuple[Boolean, ...] = ()
    """The assumptions of the page on which the value rests."""


@dataclass(frozen=True, slots=True)
class Omitted:
    """A derivative that the page speaks of and the kernel has no rule for."""

    head: Expr
    line: int
    reason: str


@dataclass(frozen=True, slots=True)
class Established:
    """The facts of a page in the order of reading."""

    facts: tuple[Fact, ...]
    omitted: tuple[Omitted, ...]


def established(page: Page, document: Document) -> Established:
    """Return what a page establishes."""
    facts: list[Fact] = []
    omitted: list[Omitted] = []
    wholes = _wholes(page)
    known = Known()
    seen: set[str] = set()
    headings = [item for item in document.items if isinstance(item, Heading)]
    for statement, value in _heads(page):
        assert statement.context is not None
        section = _section(headings, statement.span.start)
        line = page.source.position(statement.span.start)[0]
        term = value.body
        name = name_of(term)
        if (
            statement.kind == "definition"
            and name is not None
            and name not in seen
            and name in statement.context.definitions
        ):
            seen.add(name)
            facts.append(_definition(name, value, statement.context, section, line, known=known))
        elif statement.kind == "assumption" and name in statement.context.definitions:
            fact = _definition(str(name), value, statement.context, section, line, known=known)
            facts.append(replace(fact, kind="value"))
        for each in _derivatives(term, statement.context):
            key = _key(each, statement.context)
            if key in seen:
                continue
            seen.add(key)
            whole, slots = _whole(each, wholes.get(key))
            ranges = ranges_of(whole, statement.context)
            try:
                result = derived(whole, ranges, statement.context, known=known)
            except (KernelError, RecursionError) as error:
                omitted.append(Omitted(whole, line, str(error)))
                continue
            if not _nothing_derived(whole, result, statement.context):
                fact = Fact("derivative", whole, slots, ranges, result, statement.context, section, line)
                facts.append(in_words_of(page, statement, fact))
    return Established(tuple(facts), tuple(omitted))


def _heads(page: Page) -> Iterator[tuple[Statement, Tensor]]:
    """Yield the first member of every chain that a statement with a context stands in."""
    done: set[int] = set()
    for statement in page.statements:
        if statement.chain is None or statement.context is None:
            continue
        value = page.chains[statement.chain].members[0].value
        gives = statement.kind in ("definition", "assumption")
        if isinstance(value, Tensor) and (gives or statement.chain not in done):
            done.add(statement.chain)
            yield statement, value


def _definition(  # noqa: PLR0913  a fact is made of these
    name: str, value: Tensor, context: Context, section: str, line: int, *, known: Known
) -> Fact:
    definition = context.definitions[name]
    slots = definition.slots
    ranges = dict(zip(slots, context.shapes.get(name, ()), strict=False))
    body = revealed(definition.body, context)
    if body.has(D) or any("@" in used for used in names_in(body)):
        try:
            body = derived(body, {**ranges_of(body, context), **ranges}, context, but=name, known=known)
        except (KernelError, RecursionError):
            body = definition.body
    return Fact("definition", entry(name, *slots), slots, ranges, body, context, section, line, value.row)


def _derivatives(term: Expr, context: Context) -> Iterator[D]:
    """Yield the derivative that a left side is, one of a derivative as one of second order.

    One of a function at another point, `f'(-z)`, has no name of its own, and is left out.
    """
    if isinstance(term, D):
        whole = flattened(at_variables(term, context))
        if not any("@" in str(name_of(variable)) for variable in whole.variables):
            yield whole


def _key(term: D, context: Context) -> str:
    names = [name_of(term.term) or _form(term.term, context), *(str(name_of(v)) for v in term.variables)]
    return "∂".join(names)


def _form(term: Expr, context: Context) -> str:
    """Return an expression as a text, the same for equal ones up to their bound indices."""
    closed = replace(context, definitions={})
    try:
        return str(canonical(write(normal(term, ranges_of(term, context), closed))))
    except (KernelError, RecursionError):
        return str(term)


def _wholes(page: Page) -> dict[str, tuple[Index, ...]]:
    """Return the order of the slots of each derivative that the page writes without indices."""
    found: dict[str, tuple[Index, ...]] = {}
    for statement, value in _heads(page):
        if isinstance(value.body, D) and value.slots:
            assert statement.context is not None
            body = flattened(value.body)
            indices = [index for part in body.args if isinstance(part, Indexed) for index in part.indices]
            if set(indices) == set(value.slots):
                order = tuple(indices.index(slot) for slot in value.slots)
                found.setdefault(_key(body, statement.context), tuple(Index(str(place)) for place in order))
    return found


def _whole(term: D, order: tuple[Index, ...] | None) -> tuple[D, tuple[Index, ...]]:
    """Return a derivative with an index of its own in each place, and its slots."""
    taken: list[Index] = []

    def opened(part: Expr) -> Expr:
        if not isinstance(part, Indexed):
            return part
        indices = []
        for index in part.indices:
            own = index if isinstance(index, Index) and index not in taken else fresh("s")
            taken.append(own)
            indices.append(own)
        return part.func(part.base, *indices)

    if name_of(term.term) is None:
        free = sorted((s for s in term.free_symbols if isinstance(s, Index)), key=str)
        return term, tuple(free)
    whole = D(*(opened(part) for part in term.args))
    if order is not None and len(order) == len(taken):
        return whole, tuple(taken[int(place.name)] for place in order)
    return whole, tuple(taken)


def _nothing_derived(term: D, result: Expr, context: Context) -> bool:
    """Tell whether a derivative is an unknown function's, by what it is a function of."""
    opaque = context.opaque.get(str(name_of(term.term)))
    return result == term or (
        opaque is not None and all(name_of(v) in opaque.arguments for v in term.variables)
    )


def _section(headings: list[Heading], at: int) -> str:
    """Return the text of the heading of level 1 or 2 that a place stands under; the title is none."""
    text = ""
    for place, heading in enumerate(headings):
        if heading.span.start > at:
            break
        if heading.level <= 2:
            text = "" if place == 0 and heading.level == 1 else heading.text
    return text

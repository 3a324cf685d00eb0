"""A definition gives its name a meaning: a body over slots, and with it the shape that the name has.

What has no meaning breaks the name, and says so at the definition; nothing is raised.
"""

from __future__ import annotations

from collections.abc import Iterator

import sympy

from symderiv.diagnostics import Diagnostic
from symderiv.kernel.terms import Definition, Index, Size, fresh
from symderiv.latex import tree
from symderiv.meaning import names
from symderiv.meaning.arithmetic import entrywise
from symderiv.meaning.elaborator import Elaborator
from symderiv.meaning.errors import Untyped, ill_typed, unsupported
from symderiv.meaning.ground import Ground
from symderiv.meaning.model import Tensor
from symderiv.meaning.raw import Head, Link, RawChain, Survey
from symderiv.meaning.renaming import exchanged
from symderiv.meaning.rereading import written_out
from symderiv.meaning.scope import Name
from symderiv.meaning.survey import internal
from symderiv.meaning.unknowns import mentions
from symderiv.meaning.vocabulary import rank_name

_RUNNING = frozenset("abijklmnpqrsuv")
"""Letters that run over a range where a definition does not have them at its left; others are a class."""


def in_order(survey: Survey) -> Iterator[tuple[RawChain, Link, int]]:
    """Yield the definitions of a page, each with the statement before which its names have their meaning.

    A definition may apply a function that the page defines below, `h(x) = g(w x)` *where $g(z) = \\dots$*: it
    comes after that one.
    """
    waiting: list[tuple[RawChain, Link, dict[str, Name]]] = []
    done: set[str] = set()
    for chain in survey.chains:
        for link in chain.links:
            if link.head is None or link.record is None:
                continue
            below = _functions_below(survey, chain, link)
            if below:
                waiting.append((chain, link, below))
                continue
            yield chain, link, link.item
            done.add(link.record.identity)
            while ready := next((each for each in waiting if each[2].keys() <= done), None):
                waiting.remove(ready)
                yield ready[0], ready[1], 1 + max(each.defined or 0 for each in ready[2].values())
                done.add(ready[1].record.identity if ready[1].record is not None else "")
    yield from ((chain, link, link.item) for chain, link, _ in waiting)


def _functions_below(survey: Survey, chain: RawChain, link: Link) -> dict[str, Name]:
    """Return the functions in the body of a definition that are defined below it, by identity."""
    assert link.body is not None
    nodes = list(names.walk(chain.members[link.body]))
    found = [names.key(node, fonts=survey.fonts) for node in nodes]
    found += [names.written(node, survey.fonts) for node in nodes if isinstance(node, tree.Script)]
    records = (chain.scope.find(key) for key in found if key is not None)
    return {
        record.identity: record
        for record in records
        if record is not None
        and record is not link.record
        and record.parameters is not None
        and record.defined is not None
        and record.defined >= link.item
    }


def define(ground: Ground, chain: RawChain, link: Link, number: int) -> None:
    """Give a name the meaning of the right side of its definition, or say why it has none."""
    head, record = link.head, link.record
    assert link.body is not None
    assert head is not None
    assert record is not None
    if record.broken:
        what = "a definition under a condition"
        if any(isinstance(each, tree.Script) for each in head.parameters or ()):
            what = f"a function of some entries of a vector, as {record.key} here,"
        record.lacks = f"{what} is not supported yet"
        found = Diagnostic("SD024", record.lacks, link.node.span)
        ground.diagnostics[link.item].append(found)
        return
    elaborator = ground.elaborator(chain.scope, number)
    try:
        _definition(ground, elaborator, written_out(chain, chain.members)[link.body], head, record)
        if elaborator.two_readings:
            ground.two_readings.add(record.identity)
    except Untyped as error:
        code = "SD006" if error.outcome == "ill-typed" else "SD024"
        found = error.diagnostic
        record.broken = error.outcome == "ill-typed" or not _veil(elaborator, chain, link, head, record)
        record.lacks = found.message
        ground.diagnostics[link.item].append(
            Diagnostic(
                code,
                f"this definition has no meaning: {found.message}",
                found.span,
                notes=found.notes,
                label=found.label,
                help=found.help,
                labels=found.labels,
            )
        )
    except Exception as error:  # noqa: BLE001  one bad step never takes the file with it
        record.broken = True
        ground.diagnostics[link.item].append(internal(error, link.node.span))
    ground.diagnostics[link.item].extend(elaborator.diagnostics)


def _veil(elaborator: Elaborator, chain: RawChain, link: Link, head: Head, record: Name) -> bool:
    """Take a name for an unknown function of what its definition mentions; tell whether it can be one."""
    assert link.body is not None
    if head.letters or head.power != 1 or chain.moved:
        return False
    found = mentions(elaborator, record, chain.members[link.body])
    if found is None or not (found or record.differentiated_by):
        return False
    record.veil = found
    elaborator.shape(record)
    return True


def _definition(ground: Ground, elaborator: Elaborator, node: tree.Node, head: Head, record: Name) -> None:
    root = _root(node) if head.power == 2 else None
    body = _body(ground, elaborator, root or node, head, record)
    if body.groups:
        raise unsupported("a name for a matrix written as one column is not supported yet", node.span)
    term = body.body if head.power == 1 or root is not None else sympy.sqrt(body.body)
    known = record.shape
    if known is None and record.indexed and record.rank() == len(head.letters) + body.rank:
        known = elaborator.shape(record)
    slots: list[Index] = []
    sizes: list[Size] = []
    for at, letter in enumerate(head.letters):
        told = known[at] if known is not None and at < len(known) else None
        size = elaborator.free.get(letter) or elaborator.scope.range(letter) or told
        slot = fresh(letter.strip("\\"))
        term = exchanged(term, {Index(letter): slot})
        slots.append(slot)
        sizes.append(size or ground.sizes.new(origin=node.span))
    slots.extend(body.slots)
    sizes.extend(body.dimensions)
    if known is not None:
        if len(known) != len(sizes):
            message = f"{record.key} is {rank_name(len(known))}, and this is {rank_name(len(sizes))}"
            raise ill_typed("SD002", message, node.span)
        for a, b in zip(known, sizes, strict=True):
            elaborator.unify(a, b, node.span, f"the definition of {record.key}")
    record.shape, record.row = tuple(sizes), body.row
    record.oriented = frozenset(elaborator.oriented) if body.rank else frozenset()
    record.guessed = elaborator.shaky is not None and not elaborator.firm
    ground.bodies[id(record)] = Tensor(term, tuple(slots), tuple(sizes), row=body.row)
    ground.definitions[id(record)] = Definition(record.identity, tuple(slots), term)
    ground.partial[record.identity] = tuple(elaborator.partial)
    _used(ground, elaborator, head)


def _root(node: tree.Node) -> tree.Node | None:
    """Return what a definition squares: `e^2 = (y - p)^2` is how an author says that e is y - p."""
    if not isinstance(node, tree.Script) or node.sub is not None or node.primes:
        return None
    squared = isinstance(node.sup, tree.Number) and node.sup.text == "2"
    return node.base if squared and isinstance(node.base, tree.Group) and node.base.left == "(" else None


def _body(ground: Ground, elaborator: Elaborator, node: tree.Node, head: Head, record: Name) -> Tensor:
    """Elaborate what a definition gives to its head, at the rank that the head asks for."""
    known = len(record.shape) if record.shape is not None else max(record.indexed, default=0)
    elaborator.expected_rank = known - len(head.letters)
    elaborator.outside = set(head.letters)
    scope = elaborator.scope
    elaborator.is_free_elsewhere = lambda letter: letter not in _RUNNING and ground.is_free(letter, scope)
    body = entrywise(elaborator, node, vector=elaborator.expected_rank == 1)
    if body.rank < elaborator.expected_rank and _promote(ground, elaborator, node, elaborator.expected_rank):
        body = elaborator.member(node)
    return body


def _used(ground: Ground, elaborator: Elaborator, head: Head) -> None:
    """Note what a definition used: dimensions that no claim may bend, and indices that it leaves free."""
    for name in elaborator.scope.visible().values():
        if name.identity in elaborator.uses:
            for size in name.shape or ():
                ground.sizes.firm(size)
    for letter, size in elaborator.free.items():
        if letter not in head.letters:
            ground.leftover[Index(letter)] = size


def _promote(ground: Ground, elaborator: Elaborator, node: tree.Node, rank: int) -> bool:
    """Give names whose rank was a guess the rank that a head asks for: `y = b`, `y = W x`."""
    if isinstance(node, tree.Additive):
        changed = [_promote(ground, elaborator, term, rank) for _, term in node.terms]
        return any(changed)
    if isinstance(node, tree.Product) and rank == 1 and set(node.operators) == {""}:
        matrix, vector = node.factors[-2:]
        return _promote(ground, elaborator, matrix, 2) and _promote(ground, elaborator, vector, 1)
    record = elaborator.record(node)
    if record is None or not record.guessed or record.shape:
        return False
    record.shape = tuple(ground.sizes.new(origin=node.span) for _ in range(rank))
    return True

"""What the names of a page mean at a statement: definitions, unknown functions, shapes and bounds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from sympy import Expr

from symderiv.kernel.terms import Context, Definition, Opaque, fresh
from symderiv.meaning.ground import Ground
from symderiv.meaning.renaming import reaches
from symderiv.meaning.scope import Name, Scope


@dataclass(slots=True, eq=False)
class Contexts:
    """The contexts of a page; each is made once."""

    ground: Ground
    _known: dict[tuple[int, int], Context] = field(default_factory=dict)
    _resolved: dict[int, Definition] = field(default_factory=dict)
    """By the `id` of a definition: its final form, the same in every context."""

    def at(self, scope: Scope, number: int) -> Context:
        """Return what the names of a scope mean at a statement."""
        visible = scope.visible()
        last = max(
            (
                item.defined
                for item in (*visible.values(), *scope.hidden())
                if item.defined is not None and item.defined <= number
            ),
            default=-1,
        )
        cached = self._known.get((id(scope), last))
        if cached is not None:
            return cached
        definitions: dict[str, Definition] = {}
        shapes: dict[str, tuple[Expr, ...]] = {}
        for identity, hidden in self.ground.hidden.items():
            definitions[identity] = self.definition(hidden)
        for identity, sizes in self.ground.hidden_shapes.items():
            shapes[identity] = tuple(self.ground.sizes.show(size) for size in sizes)
        records = [*visible.values(), *scope.hidden()]
        for record in records:
            if record.shape is not None:
                shapes[record.identity] = tuple(self.ground.sizes.show(size) for size in record.shape)
            if (
                record.defined is not None
                and record.defined <= number
                and id(record) in self.ground.definitions
            ):
                definitions[record.identity] = self.definition(self.ground.definitions[id(record)])
        opaque = _unknown(records, definitions, shapes)
        values = {
            record.identity: record.values
            for record in records
            if record.values and record.identity not in definitions and record.identity not in opaque
        }
        discrete = frozenset(
            record.identity
            for record in records
            if record.limited or record.whole or (record.broken and record.identity not in definitions)
        )
        bounds = {
            record.identity: record.bounds
            for record in records
            if record.bounds is not None
            and record.identity not in definitions
            and record.identity not in opaque
        }
        context = Context(definitions, opaque, shapes, values, discrete, bounds)
        self._known[id(scope), last] = context
        return context

    def definition(self, definition: Definition) -> Definition:
        """Return the final form of a definition."""
        known = self._resolved.get(id(definition))
        if known is None:
            known = self._resolved[id(definition)] = replace(
                definition, body=self.ground.sizes.resolve(definition.body)
            )
        return known


def _unknown(
    records: list[Name], definitions: Mapping[str, Definition], shapes: Mapping[str, tuple[Expr, ...]]
) -> dict[str, Opaque]:
    """Return the names without a definition that are unknown functions, with their arguments."""
    below = {
        record.identity: {
            name
            for name in (*record.differentiated_by, *_told(record))
            if record.identity not in reaches(name, definitions, {})
        }
        for record in records
        if record.identity not in definitions and not record.broken
    }
    opaque: dict[str, Opaque] = {}
    for record in records:
        if record.identity in definitions or record.identity not in shapes:
            continue
        arguments: tuple[str, ...] = ()
        if record.differentiated_by and not record.broken:
            told = set(_told(record)).union(*(reaches(name, definitions, below) for name in _told(record)))
            candidates = [
                name
                for name in record.differentiated_by
                if name not in told and record.identity not in reaches(name, definitions, below)
            ]
            arguments = _sink(candidates, record.identity, definitions) or _latest(
                candidates, definitions, below
            )
        more = (*_told(record), *_shared(record, definitions))
        arguments += tuple(e for e in more if record.identity not in reaches(e, definitions, below))
        known = tuple(dict.fromkeys(a for a in arguments if a in shapes))
        if known:
            slots = tuple(fresh("s") for _ in shapes[record.identity])
            opaque[record.identity] = Opaque(record.identity, slots, known)
    return opaque


def _told(record: Name) -> list[str]:
    """Return what the definition of a name mentions, where it has no meaning and the name is unknown."""
    return [each.identity for each in record.veil or ()]


def _shared(record: Name, definitions: Mapping[str, Definition]) -> list[str]:
    """Return the names without a label on which a neighbour of a name depends, as it then does itself.

    Where `h_t = f(W h_{t-1})`, the state before depends on W, too.
    """
    if record.model is None or record.model.identity not in definitions:
        return []
    reached = reaches(record.model.identity, definitions, {})
    shared = {name for name in reached if name not in definitions and "^{" not in name}
    return sorted(shared | record.rests_on)


def _latest(
    candidates: list[str], definitions: Mapping[str, Definition], below: Mapping[str, set[str]]
) -> tuple[str, ...]:
    """Return the candidates on which no other candidate depends."""
    unique = list(dict.fromkeys(candidates))
    reached = {name: reaches(name, definitions, below) for name in unique}
    return tuple(
        name
        for name in unique
        if not any(name in reached[other] and other not in reached[name] for other in unique if other != name)
    )


def _sink(candidates: list[str], identity: str, definitions: Mapping[str, Definition]) -> tuple[str, ...]:
    """Return the one defined quantity through which a loss must see variables that are only ever inputs.

    Where a page asks for dL/dW and defines y = Wx, without a word of dL/dy, the loss is one of y.
    """
    if any(name in definitions for name in candidates):
        return ()
    below = {name: reaches(name, definitions, {}) for name in definitions}
    ends = [name for name in definitions if not any(name in other for other in below.values())]
    through = [name for name in ends if below[name] & set(candidates) and identity not in below[name]]
    return tuple(through) if len(through) == 1 and set(candidates) <= below[through[0]] else ()

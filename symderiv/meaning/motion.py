"""What varies in the differentials of a chain.

Vocabulary: a name is *primitive* where the page leaves it open; the *inputs* of a term are the primitive
names on which it depends. A `dX` with X primitive says that X *varies*. What varies with a defined name, `dS`
where `S = Q K^\\top`, are its inputs, unless the chain has the differential of one of them. All other inputs
are *held* fixed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from symderiv.kernel.substitution import names_in
from symderiv.kernel.terms import Definition, closure
from symderiv.latex.tree import Node
from symderiv.meaning.model import Tensor
from symderiv.meaning.scope import Name


@dataclass(frozen=True, slots=True)
class Names:
    """The names that are in force in a chain, by their identity."""

    records: Mapping[str, Name]
    bodies: Mapping[str, Tensor]
    """The meaning of each name that the page has defined so far."""
    hidden: Mapping[str, Definition]

    def below(self, identity: str) -> frozenset[str]:
        """Return the names on which a name depends directly."""
        if identity in self.bodies:
            return names_in(self.bodies[identity].body)
        if identity in self.hidden:
            return names_in(self.hidden[identity].body)
        record = self.records.get(identity)
        return frozenset(record.differentiated_by if record is not None else ())

    def reached(self, identities: Iterable[str]) -> frozenset[str]:
        """Return some names, and all on which these depend."""
        return closure(identities, self.below)

    def is_primitive(self, identity: str) -> bool:
        """Tell whether a name is one that the page leaves open, and no function."""
        record = self.records.get(identity)
        if record is None or record.broken or record.function or record.parameters is not None:
            return False
        applied = record.applied > 0 and record.bare <= record.mentioned
        return identity not in self.bodies and not record.differentiated_by and not applied

    def is_unknown(self, identity: str) -> bool:
        """Tell whether a name is a function, or a quantity that the page differentiates and leaves open."""
        defined = identity in self.bodies or identity in self.hidden
        return not defined and identity in self.records and not self.is_primitive(identity)

    def inputs(self, identities: Iterable[str]) -> frozenset[str]:
        """Return the primitive names among some names and all on which these depend."""
        return frozenset(each for each in self.reached(identities) if self.is_primitive(each))


@dataclass(slots=True)
class Motion:
    """What varies in one chain, and what its members were found to depend on."""

    names: Names
    written: frozenset[str]
    """The names whose differentials the chain writes."""
    allowed: frozenset[str]
    """The names of which words say that they are held fixed."""
    elsewhere: frozenset[str]
    """The names whose differentials the section writes, in this chain or another."""
    by: frozenset[str]
    """The names by which the page differentiates."""
    first: Node
    """The left side of the chain."""
    named: bool = False
    """The page has another meaning for the letter d."""
    varying: frozenset[str] = frozenset()
    linear: set[int] = field(default_factory=set)
    """The `id` of each member that was found to be linear in differentials."""
    tied: set[str] = field(default_factory=set)
    """The primitive names that vary and on which some other differential was found to depend."""
    entries: dict[str, str] = field(default_factory=dict)
    """The names of the differentials in terms, each with the name that it is of."""

    def __post_init__(self) -> None:
        """Find what varies."""
        own = {each for each in self.written if self.names.is_primitive(each)}
        varying = set(own)
        for each in self.written - own:
            inputs = self.names.inputs([each])
            if not inputs & own:
                varying |= inputs
        self.varying = frozenset(varying)

    def doubtful(self, held: Iterable[str], moving: Iterable[str]) -> list[str]:
        """Return the names held fixed of which neither words nor custom nor gradients tell that they are."""
        custom = not any(_is_constant(self.names.records[each].key) for each in moving)
        gradients = bool(self.by) and set(moving) <= self.by
        return sorted(
            each
            for each in held
            if each not in self.allowed
            and (
                each in self.elsewhere
                or not (
                    (custom and _is_constant(self.names.records[each].key))
                    or (gradients and each not in self.by)
                )
            )
        )


_CONSTANTS = frozenset({*"abcdABC", "\\alpha", "\\beta", "\\gamma", "\\lambda", "\\epsilon", "\\varepsilon"})


def _is_constant(key: str) -> bool:
    """Tell whether a letter is by custom one for what is held fixed."""
    return key.partition("_")[0] in _CONSTANTS

r"""Which chains of a page have differentials, what varies in each, and which sides are none at all.

A gradient may have the name of a differential, `dW = X^\top dY`, and a page may write the differential of a
quantity that it leaves open. Such a side is no part of an equation that anything here could decide.
Vocabulary: a *lone* differential is a whole side; the rest as in `motion`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from symderiv.diagnostics import Diagnostic
from symderiv.kernel.substitution import names_in
from symderiv.latex import tree
from symderiv.meaning import marks, names
from symderiv.meaning.calls import is_function
from symderiv.meaning.elaborator import Elaborator
from symderiv.meaning.evidence import record_of
from symderiv.meaning.mark_or_size import kind_of, without_marks
from symderiv.meaning.model import Failure, Member, Tensor
from symderiv.meaning.motion import Motion, Names
from symderiv.meaning.raw import RawChain, Survey
from symderiv.meaning.scope import Name, Scope


class Movers:
    """Tells what varies in the chains of one page."""

    def __init__(self, survey: Survey) -> None:
        """Keep the survey; nothing is looked for before a chain with differentials asks."""
        self.survey = survey
        self._held: list[tuple[str, Scope]] | None = None
        self._all: list[tuple[Scope, frozenset[str]]] = []

    def settled(self, elaborator: Elaborator, chain: RawChain, nodes: list[tree.Node]) -> list[tree.Node]:
        """Tell an elaborator what varies in a chain; return the members as a `d` in them is meant."""
        motion = elaborator.motion = self.motion(elaborator, chain, nodes)
        kind = kind_of(elaborator, motion, nodes) if motion is not None and motion.named else "open"
        if motion is not None and kind == "mark":
            motion.named = False
        return [without_marks(node) for node in nodes] if kind == "factor" else nodes

    def motion(self, elaborator: Elaborator, chain: RawChain, nodes: list[tree.Node]) -> Motion | None:
        """Return what varies in the differentials of a chain; None where it has none."""
        if not any(True for node in nodes for _ in marks.differentials(node)):
            return None
        scope, survey = chain.scope, self.survey
        if self._held is None:
            self._held = _held_in_words(survey)
            self._all = [(e.scope, _written(survey, m, e.scope)) for e in survey.chains for m in e.members]
        records = {each.identity: each for each in (*scope.hidden(), *scope.visible().values())}
        defined = {name: each for name, each in records.items() if elaborator.is_defined(each)}
        bodies = {name: elaborator.bodies[id(e)] for name, e in defined.items() if id(e) in elaborator.bodies}
        held = {scope.find(key) for key, where in self._held if scope.within(where)}
        beside = [found for where, found in self._all if where.beside(scope)]
        return Motion(
            Names(records, bodies, elaborator.hidden),
            written=frozenset().union(*(_written(survey, node, scope) for node in nodes)),
            allowed=frozenset(each.identity for each in held if each is not None),
            elsewhere=frozenset().union(*beside),
            by=frozenset(name for each in records.values() for name in each.differentiated_by),
            first=nodes[0],
            named=any(scope.beside(where) for where in survey.named),
        )

    def suspected(
        self, motion: Motion, chain: RawChain, nodes: list[tree.Node], members: list[Member]
    ) -> list[Member]:
        """Take back the members of a chain that may be no sides of an equation between differentials."""
        reasons = _suspicions(
            motion,
            [_written(self.survey, node, chain.scope) for node in nodes],
            [_alone(self.survey, node, chain.scope) for node in nodes],
            [member.value if isinstance(member.value, Tensor) else None for member in members],
        )
        return [
            replace(member, value=Failure("unknown", Diagnostic("SD024", why, member.span, help=_HELP)))
            if why is not None and not _failed_otherwise(member)
            else member
            for member, why in zip(members, reasons, strict=True)
        ]


_HELP = r"define what is a gradient as one, as in $dW = \frac{\partial L}{\partial W}$, and what else is open"


def _failed_otherwise(member: Member) -> bool:
    """Tell whether a member has no meaning for a reason that is not its shape."""
    return isinstance(member.value, Failure) and member.value.diagnostic.code != "SD002"


def _suspicions(
    motion: Motion,
    written: Sequence[frozenset[str]],
    lone: Sequence[str | None],
    values: Sequence[Tensor | None],
) -> list[str | None]:
    """Return for each member of a chain why it may be no side of an equation between differentials, or None.

    What is given for each member: the names whose differentials it writes, the one whose differential it is,
    and its value.
    """
    inside = [names_in(value.body) if value is not None else frozenset[str]() for value in values]
    moved = [{motion.entries[each] for each in within & motion.entries.keys()} for within in inside]
    why = None
    for at, alone in enumerate(lone):
        others = frozenset[str]().union(*written[:at], *written[at + 1 :])
        if alone is not None and any(alone in motion.names.reached([each]) for each in others - {alone}):
            why = "these may be names of gradients"
    sides = [
        (within, own)
        for value, within, own in zip(values, inside, moved, strict=True)
        if value is not None and value.body != 0 and own <= motion.tied
    ]
    if any(moved) and not all(own for _, own in sides):
        why = "one side has differentials and the other has none: they may be names of gradients"
    unknown = [
        {each for each in motion.names.reached(within) if motion.names.is_unknown(each)}
        for within, _ in sides
    ]
    if any(moved) and any(each != unknown[0] for each in unknown):
        left_open = sorted(motion.names.records[each].key for found in unknown for each in found ^ unknown[0])
        why = f"the page leaves {left_open[0]} open, which stands on one side and not on the other"
    found: list[str | None] = []
    for own in moved:
        loose = sorted(motion.names.records[each].key for each in own - motion.tied)
        found.append(why or (f"nothing here tells what depends on {', '.join(loose)}" if loose else None))
    return found


def _written(survey: Survey, node: tree.Node, scope: Scope) -> frozenset[str]:
    """Return the identities of the names whose differentials are written in a node, functions left out."""
    found = (_name_of(survey, each, scope) for each in marks.differentials(node))
    return frozenset(each.identity for each in found if each is not None and not is_function(each))


def _alone(survey: Survey, node: tree.Node, scope: Scope) -> str | None:
    """Return the identity of the name whose differential a member is, or None."""
    while isinstance(node, tree.Group) or (isinstance(node, tree.Additive) and len(node.terms) == 1):
        node = node.body if isinstance(node, tree.Group) else node.terms[0][1]
    record = _name_of(survey, node, scope) if isinstance(node, tree.Differential) else None
    return record.identity if record is not None else None


def _name_of(survey: Survey, node: tree.Differential, scope: Scope) -> Name | None:
    of = node.of
    if isinstance(of, tree.Script) and names.is_transpose(of.sup):
        of = of.base if of.sub is None else tree.Script(of.base, of.sub, span=of.span)
    return record_of(survey, of, scope)


_AFTER = re.compile(
    r"\s*(is|are|be|being)?\s*(both|all)?\s*(held|kept|treated as|taken as|considered)?\s*(a|some)?\s*"
    r"(fixed|constants?)\b(?!\s+(point|multiple|function))"
)
_BEFORE = re.compile(
    r"\b(fixed|constant)(\s+(matri(x|ces)|vectors?|scalars?|numbers?|weights?|inputs?|data))?\s*$"
)
_JOINS = re.compile(r"\s*(,|and|, and)\s*$")


def _held_in_words(survey: Survey) -> list[tuple[str, Scope]]:
    """Return the names that words hold fixed, *with $A$ and $b$ fixed*, with their scopes."""
    found: list[tuple[str, Scope]] = []
    waiting: list[tuple[str, Scope]] = []
    opened = False
    for place in survey.places:
        shown = marks.single(place.display) if not place.math.display else None
        key = names.key(shown, fonts=survey.fonts) if shown is not None else None
        if key is None:
            waiting, opened = [], False
            continue
        waiting.append((key, place.scope))
        opened = opened or _BEFORE.search(place.before) is not None
        joins = _JOINS.match(place.after) is not None
        if not joins:
            if opened or _AFTER.match(place.after) is not None:
                found += waiting
            waiting, opened = [], False
    return found

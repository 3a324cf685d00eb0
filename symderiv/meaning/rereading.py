"""What other LaTeX would mean in the place of a member.

The page stays as it is: an expression is elaborated with the chain's names, and with sizes of its own, so
that one that asks for equal sizes bends none. It is a quick look only: a page with that text in it may be
read otherwise, and what is shown to a user is read again with its page.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from symderiv.latex import LatexError, parse, tree
from symderiv.meaning import names
from symderiv.meaning.elaborator import Elaborator
from symderiv.meaning.model import Reading
from symderiv.meaning.raw import RawChain, Survey


@dataclass(frozen=True, slots=True, eq=False)
class Rereading:
    """The raw chains of a page, and the elaborator that each was read with."""

    survey: Survey
    elaborators: Sequence[Elaborator]

    def node(self, latex: str, offset: int) -> tree.Node | None:
        """Return the syntax tree of one expression, its spans counted from an offset, or None."""
        try:
            items = parse(latex, offset=offset, macros=self.survey.macros.copy()).items
        except LatexError:
            return None
        first = items[0] if len(items) == 1 else None
        return first.members[0] if isinstance(first, tree.Chain) and len(first.members) == 1 else None

    def alone(self, chain: int, member: int) -> bool:
        """Tell whether a member is read by itself as it is read in its page."""
        node = self.survey.chains[chain].members[member]
        return self.node(self.survey.text(node.span), node.span.start) == node

    def value(self, chain: int, member: int, latex: str) -> Reading | None:
        """Return what an expression would mean in the place of a member of a chain, or None."""
        node = self.node(latex, 0)
        return None if node is None else self._read(chain, member, node)

    def under(self, chain: int, member: int, layout: str) -> Reading | None:
        """Return what a member would mean in another layout of derivatives, the definitions as they are."""
        return self._read(chain, member, self.survey.chains[chain].members[member], layout=layout)

    def _read(self, chain: int, member: int, node: tree.Node, *, layout: str | None = None) -> Reading | None:
        raw, known = self.survey.chains[chain], self.elaborators[chain]
        members = list(raw.members)
        members[member] = node
        nodes = written_out(raw, members)
        letters = {each for one in nodes for each in letters_of(one) if raw.scope.is_index(each)}
        others = [names.outright(one, letters) for at, one in enumerate(nodes) if at != member]
        sizes = known.sizes.copy()
        elaborator = replace(
            known,
            layout=layout or known.layout,
            oriented=set(),
            sizes=sizes,
            free=dict(known.free),
            hidden=dict(known.hidden),
            hidden_shapes=dict(known.hidden_shapes),
            outside=set().union(*others),
            diagnostics=[],
            uses=set(),
            partial=[],
            bound={},
        )
        try:
            found = elaborator.member(nodes[member])
            if elaborator.clash is not None:
                return None
            new = elaborator.hidden.keys() - known.hidden.keys()
            hidden = {name: elaborator.hidden[name] for name in new}
            return Reading(
                replace(
                    found,
                    body=sizes.resolve(found.body),
                    dimensions=tuple(sizes.resolve(size) for size in found.dimensions),
                ),
                {name: replace(each, body=sizes.resolve(each.body)) for name, each in hidden.items()},
                {name: tuple(map(sizes.show, elaborator.hidden_shapes[name])) for name in hidden},
            )
        except Exception:  # noqa: BLE001  what has no meaning is no repair
            return None


def written_out(chain: RawChain, members: list[tree.Node]) -> list[tree.Node]:
    """Return members of a chain, Einstein's sums written out; an index with a declared range is fixed."""
    return names.summed(members, _summed(chain, members)) if chain.einstein else members


def repeated(chain: RawChain, node: tree.Node) -> dict[str, int]:
    """Return the indices that stand more than twice in one term of a member, where such are summed."""
    if not chain.einstein:
        return {}
    found = names.counts(node, _summed(chain, [node]))
    return {letter: count for letter, count in found.items() if count > 2}


def _summed(chain: RawChain, members: list[tree.Node]) -> frozenset[str]:
    """Return the index letters that Einstein's convention may sum; one with a declared range is fixed."""
    letters = {letter for member in members for letter in letters_of(member)}
    return frozenset(
        each for each in letters if chain.scope.is_index(each) and chain.scope.range(each) is None
    )


def letters_of(node: tree.Node) -> set[str]:
    """Return the letters and words that stand in a node."""
    return {each.text for each in names.walk(node) if isinstance(each, tree.Name)}

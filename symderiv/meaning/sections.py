"""Sections that go on with what an earlier one began: `## Forward` defines names, `## Backward` uses them.

A heading opens a scope, and a section beside another does not see its names: two subjects may use one letter
for two things. Most headings divide one derivation, though. Vocabulary: a section *gives* a name where it
defines or declares it; it *goes on* with the nearest section before it that gives a name which it uses and
does not give, unless they clash; it is then read as if it stood below that one. They *clash* where one gives
what the other gives otherwise, or leaves open, and where the quantity that is differentiated here depends,
there, on none of the variables: the loss of another subject.
"""

from __future__ import annotations

import re
from collections.abc import Container, Iterator
from dataclasses import dataclass, field

from symderiv.document.model import Heading
from symderiv.latex import to_latex, tree
from symderiv.meaning import cues, names
from symderiv.meaning.places import Place
from symderiv.meaning.scope import Scope

_DEFINING = frozenset({"=", ":=", "equiv"})


@dataclass(slots=True)
class _Uses:
    """What a section does with names, itself and those below it."""

    gives: dict[str, tuple[tree.Node | str, ...]] = field(default_factory=dict)
    """By name: its definition, both sides, or the set that it is declared in."""
    inside: dict[str, set[str]] = field(default_factory=dict)
    """By name: the names in its definition."""
    used: set[str] = field(default_factory=set)
    """Names outside of definitions' left sides and of quantities that are differentiated."""
    differentiated: dict[str, set[str]] = field(default_factory=dict)
    """By name: the variables by which it is differentiated."""
    parameters: set[str] = field(default_factory=set)
    """Names of the arguments of functions, where these are defined."""

    def add(self, other: _Uses) -> None:
        """Take in what a section below does."""
        for key, what in other.gives.items():
            self.gives.setdefault(key, what)
        for key, inside in other.inside.items():
            self.inside.setdefault(key, set()).update(inside)
        self.used |= other.used
        self.parameters |= other.parameters
        for key, variables in other.differentiated.items():
            self.differentiated.setdefault(key, set()).update(variables)


_CASE = re.compile(r"\bcase\b", re.IGNORECASE)


def go_on(places: list[Place], sections: list[tuple[Scope, Heading]]) -> bool:
    """Put each section that goes on with an earlier one below it; tell whether there is one."""
    found = False
    own: dict[int, _Uses] = {id(scope): _Uses() for scope, _ in sections}
    for place in places:
        if place.display is not None:
            _read(own.setdefault(id(place.scope), _Uses()), place.display, told=cues.reminds(place.before))
    whole = {id(scope): _Uses() for scope, _ in sections}
    for scope, _ in sections:
        for at in _up(scope, whole):
            whole[id(at)].add(own[id(scope)])
    for number, (scope, heading) in enumerate(sections):
        here = whole[id(scope)]
        if not (here.used or here.differentiated) or _CASE.search(heading.text):
            continue
        for earlier, _ in reversed(sections[:number]):
            if scope.within(earlier) or not _links(here, own[id(earlier)]):
                continue
            there, around = _Uses(), _Uses()
            for at in _up(earlier, own):
                (around if scope.within(at) else there).add(own[id(at)])
            if not _clash(here, there, around):
                same = here.gives.keys() & there.gives.keys()
                scope.restated = frozenset(key for key in same if here.gives[key] == there.gives[key])
                scope.renewed = frozenset(
                    key for key in same - scope.restated if len(here.gives[key]) == len(there.gives[key])
                )
                scope.parent = earlier
                found = True
                break
    return found


def rows_apart(places: list[Place], text: str) -> None:
    """Give each row of a table a scope of its own where two rows define one name: `c = a + b`, `c = e^a`."""
    tables: list[dict[int, list[Place]]] = []
    end = -1
    for place in places:
        start = text.rfind("\n", 0, place.math.outer.start) + 1
        if not text.startswith("|", start):
            continue
        if not tables or (text[end:start].strip("\n") and _BESIDE.sub("", text[end:start]).strip()):
            tables.append({})
        tables[-1].setdefault(start, []).append(place)
        end = text.find("\n", start)
    for rows in tables:
        given: dict[str, tuple[tree.Node | str, ...]] = {}
        clash = False
        for row in rows.values():
            uses = _Uses()
            for place in row:
                if place.display is not None:
                    _read(uses, place.display, told=False)
            clash = clash or any(given.get(key, what) != what for key, what in uses.gives.items())
            given |= uses.gives
        for row in rows.values() if clash else ():
            scope = Scope(row[0].scope, row[0].scope.level)
            for place in row:
                place.scope = scope


_BESIDE = re.compile(r"^\|.*$", re.MULTILINE)
"""Rows of a table without mathematics."""


def _up(scope: Scope, among: Container[int]) -> Iterator[Scope]:
    at: Scope | None = scope
    while at is not None and id(at) in among:
        yield at
        at = at.parent


def _links(here: _Uses, there: _Uses) -> bool:
    """Tell whether a section uses a name that another one defines, or several that it declares."""
    wanted = (here.used | here.differentiated.keys()) - here.gives.keys() - here.parameters
    found = wanted & there.gives.keys()
    defined = [key for key in found if len(there.gives[key]) > 1]
    return bool(defined) or len(found) > 1


def _clash(here: _Uses, there: _Uses, around: _Uses) -> bool:
    """Tell whether two sections mean other things by a name, those around both apart."""
    rested = set[str]().union(*there.inside.values())
    for key, what in here.gives.items():
        if key not in there.gives:
            if key not in around.gives and (key in there.used or key in there.differentiated):
                return True
            continue
        before = there.gives[key]
        if len(before) < len(what):
            if key in rested:
                return True
        elif len(before) == len(what) and before != what and not _is_renewed(key, here, there):
            return True
    inside = around.inside | there.inside
    return any(
        key in there.inside and key not in here.gives and not variables & _reached(key, inside)
        for key, variables in here.differentiated.items()
    )


def _is_renewed(key: str, here: _Uses, there: _Uses) -> bool:
    """Tell whether a name that both define otherwise is one that nothing else rests on: a loss of its own."""
    rested = set[str]().union(
        *there.inside.values(), *here.differentiated.values(), *there.differentiated.values()
    )
    return len(here.gives[key]) > 1 and key not in rested | there.used


def _reached(key: str, inside: dict[str, set[str]]) -> set[str]:
    """Return the names on which one rests."""
    found: set[str] = set()
    waiting = [key]
    while waiting:
        for name in inside.get(waiting.pop(), set()) - found:
            found.add(name)
            waiting.append(name)
    return found


def _read(uses: _Uses, display: tree.Display, *, told: bool) -> None:
    """Note what a formula does with names; one that reminds of what was told gives none."""
    before: list[tree.Node] = []
    for item in display.items:
        if not isinstance(item, tree.Chain):
            before = before if isinstance(item, tree.Connective) and item.text == "," else []
            continue
        first, operators = item.members[0], [operator.text for operator in item.operators]
        if first is not None and operators == ["in"] and item.members[1] is not None:
            for node in (*before, first):
                for key in _keys(node):
                    uses.gives.setdefault(key, (to_latex(item.members[1]),))
            before = []
            continue
        before = [*before, first] if first is not None and not operators else []
        given = None if told else _given(item)
        for member in item.members[given is not None :]:
            if member is not None:
                _note(uses, member)
        if given is not None:
            key, parameters = given
            uses.parameters |= parameters
            body = _Uses()
            assert first is not None
            assert item.members[1] is not None
            _note(body, item.members[1])
            if len(uses.gives.get(key, ())) < 2:
                uses.gives[key] = (first, item.members[1])
            uses.inside.setdefault(key, set()).update(
                (body.used | body.differentiated.keys()) - parameters - {key}
            )


def _note(uses: _Uses, node: tree.Node) -> None:
    """Note the names in an expression, and what is differentiated by what."""
    if isinstance(node, tree.Derivative):
        variables = {key for each in node.by for key in _keys(each)}
        uses.used |= variables
        of = None if node.of is None else names.plain(node.of)
        keys = list(_keys(of)) if isinstance(of, tree.Name | tree.Accent | tree.Script) else []
        for key in keys:
            uses.differentiated.setdefault(key, set()).update(variables)
        if of is not None and not keys:
            _note(uses, of)
        return
    keys = list(_keys(node)) if isinstance(node, tree.Name | tree.Accent | tree.Script) else []
    uses.used.update(keys)
    if isinstance(node, tree.Big):
        _note(uses, node.body)
    elif isinstance(node, tree.Script) and keys:
        if node.sup is not None and names.label(node.sup) is None and not names.is_transpose(node.sup):
            _note(uses, node.sup)
    elif not keys:
        for child in names.children(node):
            _note(uses, child)


def _keys(node: tree.Node) -> Iterator[str]:
    """Yield what a name with its scripts may be called."""
    base = node.base if isinstance(node, tree.Script) else node
    key = names.key(base)
    if key is None:
        return
    if isinstance(node, tree.Script):
        if names.label(node.sup) is not None and node.sup is not None:
            key = f"{key}^{{{names.label_text(node.sup)}}}"
        own = [each for each in names.items(node.sub) if not names.is_index_letter(each)]
        if own and not any(isinstance(each, tree.Additive | tree.Product) for each in own):
            yield f"{key}_{{{','.join(map(to_latex, own))}}}"
            if not all(isinstance(each, tree.Number) for each in own):
                return
    yield key


def _given(chain: tree.Chain) -> tuple[str, set[str]] | None:
    """Return the name that an equation defines, and its parameters, or None."""
    if not chain.operators or chain.operators[0].text not in _DEFINING:
        return None
    first, body = chain.members[:2]
    if first is None or body is None or isinstance(body, tree.Number | tree.Question):
        return None
    inner = first.base if isinstance(first, tree.Script) and isinstance(first.base, tree.Call) else first
    arguments: tuple[tree.Node, ...] = ()
    if isinstance(inner, tree.Call):
        first, arguments = inner.function, inner.arguments
    elif isinstance(inner, tree.Product) and len(inner.factors) == 2 and inner.operators == ("",):
        first, group = inner.factors
        if not isinstance(group, tree.Group) or group.left != "(":
            return None
        arguments = group.body.items if isinstance(group.body, tree.Sequence) else (group.body,)
    if not all(isinstance(each, tree.Name | tree.Accent | tree.Script) for each in arguments):
        return None
    keys = list(_keys(first))
    if not keys or (isinstance(first, tree.Script) and (first.primes or names.is_transpose(first.sup))):
        return None
    used = _Uses()
    _note(used, body)
    if keys[0] in used.used or (names.is_index_letter(first) and names.is_index_letter(body)):
        return None
    return keys[0], {key for each in arguments for key in _keys(each)}

r"""Letters that count layers or steps: `W_l a_{l-1}` is of names with labels, as `W^{(l)} a^{(l-1)}` is.

Such a letter stands only below or above names, alone or with a number added, and nothing runs over it: what
it tells from its neighbours are names of their own. Vocabulary: a *slot* is the place below or above a name;
a *family* is a name that has such a letter in one slot wherever the page has it.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from itertools import pairwise

from symderiv.latex import to_latex, tree
from symderiv.meaning import names

Slot = tuple[str, str]
"""A name, and `sub` or `sup`."""
_EQUALS = frozenset({"=", ":=", "equiv", "<-"})
_RANGES = (["in"], ["="])


@dataclass(slots=True)
class _Uses:
    """Where the letters of a page stand."""

    slots: defaultdict[Slot, list[tree.Node]] = field(default_factory=lambda: defaultdict(list))
    """What stands in each slot; of several items in a subscript the first."""
    others: set[Slot] = field(default_factory=set)
    """The names that stand with nothing in a slot, or with something that is no label."""
    values: set[str] = field(default_factory=set)
    """The letters that stand elsewhere: as numbers, below sums, beside other letters of a subscript."""
    indexed: Counter[str] = field(default_factory=Counter)
    """How often each name has a letter below it beside what stands above."""
    applied: Counter[str] = field(default_factory=Counter)
    """How often each name stands before brackets."""
    sizes: set[str] = field(default_factory=set)
    """The names of dimensions, `n` of `\\mathbb{R}^{n_l}`."""


@dataclass(frozen=True, slots=True)
class Layers:
    """The families of a page, and those of them that are functions."""

    families: frozenset[Slot] = frozenset()
    functions: frozenset[str] = frozenset()
    last: Mapping[str, tree.Node] = field(default_factory=dict)
    """The last one of a family that has one: the `a^L` of `\\nabla_a C`."""


def layers(chains: Iterable[tree.Chain]) -> Layers:
    """Find the families of a page."""
    those = list(chains)
    scripts = [each for chain in those for member in chain.members for each in _scripts(member)]
    if not any(_shifted(each) or _is_last(each.sup) for each in scripts):
        return Layers()
    uses = _Uses()
    for chain in those:
        _count(uses, chain)
    shifted = {_letter(each) for contents in uses.slots.values() for each in contents if not _is_name(each)}
    found: set[Slot] = set()
    for letter in sorted(each for each in shifted if each is not None and each not in uses.values):
        having = {s for s, contents in uses.slots.items() if letter in map(_letter, contents)}
        having = {slot for slot in having if slot[0] not in uses.sizes}
        places = {place for _, place in having}
        loose = {slot for slot in having if not _is_family(uses, slot, letter)}
        if len(places) != 1 or any(not _may_be_bare(uses, slot) for slot in loose):
            continue
        (place,) = places
        if any(_tells(chain, letter, place) for chain in those):
            found |= having
    found |= _last_ones(uses, found)
    functions = {key for key, _ in found if uses.applied[key] == len(uses.slots[key, "sub"])}
    capitals = {
        key: [each for each in uses.slots[key, place] if _is_name(each) and _capital(each)]
        for key, place in found
    }
    last = {
        key: tree.Script(tree.Name(key), sup=_label(each[0]))
        for key, each in capitals.items()
        if len({_capital(one) for one in each}) == 1
    }
    return Layers(frozenset(found), frozenset(functions), last)


def _last_ones(uses: _Uses, found: set[Slot]) -> set[Slot]:
    """Return the names that have the last layer above them, `\\delta^L`, and nothing else.

    The capital is that of a family; or it stands above names only, one of which has an index below: `a^L_j`.
    Where two names have both, as `a^L_j` and `z^L_k`, they may stand without, too.
    """
    letters = {_capital(each) for slot in found if slot[1] == "sup" for each in uses.slots[slot]}
    every = [slot for slot in uses.slots if slot[1] == "sup" and slot not in found]
    counts = Counter(
        _capital(uses.slots[slot][0]) for slot in every if len(uses.slots[slot]) == uses.indexed[slot[0]]
    )
    sure = {capital for capital, count in counts.items() if capital and count > 1} - uses.values
    above = [
        slot for slot in every if slot not in uses.others or {_capital(e) for e in uses.slots[slot]} <= sure
    ]
    more: set[Slot] = set()
    for slot in above:
        capitals = {_capital(each) for each in uses.slots[slot]}
        indexed = any(
            slots[1] == "sup"
            and uses.indexed[slots[0]]
            and {_capital(e) for e in uses.slots[slots]} == capitals
            for slots in above
        )
        known = capitals <= letters or (len(capitals) == 1 and indexed and not capitals & uses.values)
        if "" not in capitals and known:
            more.add(slot)
    return more


def _is_last(node: tree.Node | None) -> bool:
    return node is not None and _capital(node) not in ("", "T")


def _capital(node: tree.Node) -> str:
    """Return the capital of `L` and `L-1`, or nothing."""
    last = node.terms[0][1] if isinstance(node, tree.Additive) and len(node.terms) == 2 else node
    capital = isinstance(last, tree.Name) and len(last.text) == 1 and last.text.isupper() and not last.font
    return last.text if capital and isinstance(last, tree.Name) else ""


def with_layers(chain: tree.Chain, known: Layers) -> tree.Chain:
    """Read what stands in the slots of families as labels."""

    def labelled(each: tree.Node) -> tree.Node:
        if isinstance(each, tree.Derivative) and each.style == "nabla":
            return replace(each, by=tuple(known.last.get(names.key(one) or "", one) for one in each.by))
        key = names.key(each.base) if isinstance(each, tree.Script) else None
        if not isinstance(each, tree.Script) or key is None:
            return each
        if (key, "sup") in known.families and each.sup is not None:
            return replace(each, sup=_label(each.sup))
        if (key, "sub") not in known.families or each.sub is None:
            return each
        first, *rest = names.items(each.sub)
        if key in known.functions:
            return replace(each, sub=tree.Words(to_latex(first).replace(" ", ""), span=first.span))
        below = tree.Sequence(tuple(rest), span=each.sub.span) if len(rest) > 1 else None
        inner = replace(each, sub=rest[0] if len(rest) == 1 else below, sup=_label(first))
        return inner if each.sup is None else tree.Script(inner, sup=each.sup, span=each.span)

    members = (None if member is None else names.rebuilt(member, labelled) for member in chain.members)
    return replace(chain, members=tuple(members))


def _label(node: tree.Node) -> tree.Node:
    """Return a label: what was written, in brackets."""
    text = to_latex(node).replace(" ", "")
    inside = node if isinstance(node, tree.Number) else tree.Name(text, span=node.span)
    return tree.Group(inside, "(", ")", span=node.span)


def _is_name(node: tree.Node) -> bool:
    return isinstance(node, tree.Name)


def _letter(node: tree.Node) -> str | None:
    """Return the letter of `l`, `l-1` and `l+1`, or None."""
    if isinstance(node, tree.Additive) and len(node.terms) == 2:
        (sign, first), (_, second) = node.terms
        node = first if sign == "+" and isinstance(second, tree.Number) else node
    return node.text if names.is_index_letter(node) and isinstance(node, tree.Name) else None


def _offset(node: tree.Node) -> int:
    """Return the number that is added to a letter."""
    if not isinstance(node, tree.Additive):
        return 0
    sign, number = node.terms[1]
    assert isinstance(number, tree.Number)
    return int(float(number.text)) * (-1 if sign == "-" else 1)


def _shifted(node: tree.Script) -> bool:
    """Tell whether a letter with a number added stands below or above a name."""
    parts = (*names.items(node.sub)[:1], node.sup)
    return any(isinstance(each, tree.Additive) and _letter(each) is not None for each in parts)


def _scripts(member: tree.Node | None) -> Iterable[tree.Script]:
    return (
        (each for each in names.walk(member) if isinstance(each, tree.Script)) if member is not None else ()
    )


def _count(uses: _Uses, chain: tree.Chain) -> None:
    """Note where the letters of a chain stand; what says how far a letter ranges does not count."""
    operators = [operator.text for operator in chain.operators]
    first, *rest = chain.members
    if not rest and isinstance(first, tree.Name):
        return
    ranged = not rest or (operators in _RANGES and not isinstance(rest[-1], tree.Name | tree.Additive))
    if first is not None and names.is_index_letter(first) and ranged:
        return
    domain = rest[-1] if operators[-1:] == ["in"] else None
    if isinstance(domain, tree.Script) and domain.sup is not None:
        for each in names.walk(domain.sup):
            if isinstance(each, tree.Script):
                uses.sizes.add(names.key(each.base) or "")
        rest = [each for each in rest if each is not domain]
        _dimensions(uses, domain.sup)
    for member in (first, *rest):
        if member is not None:
            _visit(uses, member)


def _dimensions(uses: _Uses, node: tree.Node) -> None:
    """Note the letters of dimensions that are no labels of a size."""
    if isinstance(node, tree.Name):
        uses.values.add(node.text)
    elif not isinstance(node, tree.Script):
        for child in names.children(node):
            _dimensions(uses, child)


def _visit(uses: _Uses, node: tree.Node) -> None:
    if isinstance(node, tree.Name | tree.Accent) and names.key(node) is not None:
        key = names.key(node) or ""
        uses.others |= {(key, "sub"), (key, "sup")}
        uses.values |= {each.text for each in names.walk(node) if isinstance(each, tree.Name)}
    elif isinstance(node, tree.Script) and names.key(node.base) is not None:
        _slots(uses, node, names.key(node.base) or "")
    elif isinstance(node, tree.Big):
        ends = (end for end in (node.lower, node.upper) if end is not None)
        uses.values |= set().union(*map(_in_bounds, ends))
        _visit(uses, node.body)
    else:
        if isinstance(node, tree.Derivative) and node.form == "subscript" and node.style == "nabla":
            node = replace(node, by=tuple(each for each in node.by if not isinstance(each, tree.Name)))
        if isinstance(node, tree.Product):
            for operator, (one, other) in zip(node.operators, pairwise(node.factors), strict=True):
                base = one.base if isinstance(one, tree.Script) else one
                if operator == "" and isinstance(other, tree.Group) and names.key(base) is not None:
                    uses.applied[names.key(base) or ""] += 1
        for child in names.children(node):
            _visit(uses, child)


def _in_bounds(node: tree.Node) -> set[str]:
    """Return the letters of the bounds of a sum, but for those below a size, the l of `n_{l-1}`."""
    if isinstance(node, tree.Script) and isinstance(node.base, tree.Name) and node.sup is None:
        return {node.base.text}
    if isinstance(node, tree.Name):
        return {node.text}
    return set().union(*map(_in_bounds, names.children(node)))


def _slots(uses: _Uses, node: tree.Script, key: str) -> None:
    """Note what stands below and above a name; one with a word below it is another name."""
    below = names.items(node.sub)
    if below and node.sup is None and all(map(_is_word, below)):
        return
    if not below or (len(below) > 1 and not isinstance(node.sub, tree.Sequence)):
        uses.others.add((key, "sub"))
    else:
        uses.slots[key, "sub"].append(below[0])
        below = below[1:]
    for item in below:
        uses.values |= {each.text for each in names.walk(item) if isinstance(each, tree.Name)}
    if names.label(node.sup) is not None:
        uses.others.add((key, "sub"))
    if node.sup is None or names.is_transpose(node.sup) or not _is_content(node.sup):
        uses.others.add((key, "sup"))
        if node.sup is not None:
            _visit(uses, node.sup)
    else:
        uses.slots[key, "sup"].append(node.sup)
        uses.indexed[key] += node.sub is not None


def _is_word(node: tree.Node) -> bool:
    """Tell whether a subscript is a word, as in `a_{\\rm in}`."""
    named = isinstance(node, tree.Name) and len(node.text) > 1 and node.text.isalpha()
    return named or isinstance(node, tree.Words)


def _is_content(node: tree.Node) -> bool:
    """Tell whether a node may be a label: a letter and its neighbours, a number, the last layer."""
    return bool(_capital(node)) or isinstance(node, tree.Number) or _letter(node) is not None


def _is_family(uses: _Uses, slot: Slot, letter: str) -> bool:
    """Tell whether a slot has a letter, its neighbours, the first ones and the last, and nothing else."""
    contents = uses.slots[slot]
    if slot in uses.others or not all(
        _is_content(each) and _letter(each) in (letter, None) for each in contents
    ):
        return False
    numbers = [each.text for each in contents if isinstance(each, tree.Number)]
    return slot[1] == "sub" or all(number in ("0", "1") for number in numbers)


def _may_be_bare(uses: _Uses, slot: Slot) -> bool:
    """Tell whether a name may stand without its layer: a function, `\\sigma^l(z^l)`, or one with indices."""
    return slot[1] == "sup" and bool(uses.applied[slot[0]] or uses.indexed[slot[0]])


def _tells(chain: tree.Chain, letter: str, place: str) -> bool:
    """Tell whether a declaration or a definition shows that a letter counts layers or steps."""
    operators = [operator.text for operator in chain.operators]
    head = _in_slot(chain.members[0], letter, place)
    if head is None or not operators:
        return False
    if operators == ["in"]:
        domain = chain.members[1]
        several = isinstance(chain.members[0], tree.Script) and len(names.items(chain.members[0].sub)) > 1
        return place == "sub" and not several and isinstance(domain, tree.Script) and domain.sup is not None
    if operators[0] not in _EQUALS:
        return False
    return any(
        _passes_on(each, letter, place, head)
        for member in chain.members[1:]
        if member is not None
        for each in names.walk(member)
    )


def _in_slot(node: tree.Node | None, letter: str, place: str) -> int | None:
    """Return what is added to a letter in the slot of a name, or None where it does not stand there."""
    if isinstance(node, tree.Script) and isinstance(node.base, tree.Group) and names.is_transpose(node.sup):
        node = node.base.body
    if not isinstance(node, tree.Script) or names.key(node.base) is None:
        return None
    inside = node.sup if place == "sup" else next(iter(names.items(node.sub)), None)
    return _offset(inside) if inside is not None and _letter(inside) == letter else None


def _passes_on(node: tree.Node, letter: str, place: str, head: int) -> bool:
    """Tell whether a product takes what comes from the step before: `W_l a_{l-1}`, `W h_{t-1}`."""
    if not isinstance(node, tree.Product):
        return False
    for one, other in pairwise(node.factors):
        first, second = _in_slot(one, letter, place), _in_slot(other, letter, place)
        if first is not None and second is not None and (first != second or first != head):
            return True
        matrix = names.key(one)
        if second and place == "sub" and matrix is not None and matrix[:1].isupper():
            return True
    return False

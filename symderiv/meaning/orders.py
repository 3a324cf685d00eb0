"""Orders: what a page says of the size of a number, `a > 0`, `0 \\le b < 1`, `t \\in [0, 1]`, and where.

Vocabulary. An *order* is a chain that compares one name with numbers; its *bounds* are the numbers. It is
*declared* where it holds wherever the name stands; elsewhere it is an assumption from its place on, or only
mentioned: *the unit is active where $x > 0$*.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import sympy
from sympy import Expr, Integer, Rational

from symderiv.kernel.terms import Bounds
from symderiv.latex import tree
from symderiv.meaning import cues, names
from symderiv.meaning.heads import head_of
from symderiv.meaning.places import Place, chains
from symderiv.meaning.raw import Fact, Item, Survey
from symderiv.meaning.scope import Scope

_UP, _DOWN = ("<", "<="), (">", ">=")


@dataclass(frozen=True, slots=True)
class Order:
    """A chain that compares a name with numbers."""

    name: tree.Node
    bounds: Bounds


def order_of(chain: tree.Chain) -> Order | None:
    """Read `a > 0`, `0 < a < 1` or `1 \\ge a`; None for any other chain."""
    operators = [operator.text for operator in chain.operators]
    if not operators or not (set(operators) <= set(_UP) or set(operators) <= set(_DOWN)):
        return None
    members = list(chain.members)
    if operators[0] in _DOWN:
        members, operators = members[::-1], [operator.replace(">", "<") for operator in operators[::-1]]
    numbers = [None if member is None else number(member) for member in members]
    named = [at for at, value in enumerate(numbers) if value is None]
    if len(named) != 1 or len(members) > 3 or (len(members) == 3 and named != [1]):
        return None
    at = named[0]
    name = members[at]
    if not isinstance(name, tree.Name | tree.Accent | tree.Script):
        return None
    low, high = (numbers[at - 1] if at else None), (numbers[at + 1] if at + 1 < len(members) else None)
    strict = [operator == "<" for operator in operators]
    return Order(name, Bounds(low, high, at > 0 and strict[at - 1], at < len(strict) and strict[at]))


def interval(domain: tree.Node) -> Bounds | None:
    """Read `(0, 1)`, `[0, \\infty)`, `[0, 1]^n`, `\\mathbb{R}_{\\ge 0}`; None for any other set."""
    base = domain.base if isinstance(domain, tree.Script) else domain
    if isinstance(base, tree.Group) and isinstance(base.body, tree.Sequence) and len(base.body.items) == 2:
        ends = [number(item) for item in base.body.items]
        if base.left not in "([" or base.right not in ")]" or None in ends:
            return None
        low, high = (None if end in (sympy.oo, -sympy.oo) else end for end in ends)
        return Bounds(low, high, base.left == "(", base.right == ")")
    if not isinstance(domain, tree.Script) or not isinstance(base, tree.Name) or base.font != "blackboard":
        return None
    zero = Integer(0)
    signs = [part for part in (domain.sub, domain.sup) if part is not None]
    texts = [part.text for part in signs if isinstance(part, tree.Name | tree.Number)]
    if "+" in texts or "++" in texts:
        return Bounds(zero, None, open_low=True)
    if "-" in texts or "--" in texts:
        return Bounds(None, zero, open_high=True)
    if "0" in texts and base.text == "N":
        return Bounds(zero, None)
    relation = domain.sub
    if isinstance(relation, tree.Relation) and isinstance(relation.members[0], tree.Empty):
        end = number(relation.members[-1])
        operator = relation.operators[0]
        if len(relation.members) == 2 and end is not None and operator in (*_UP, *_DOWN):
            strict = operator in ("<", ">")
            up = operator in _DOWN
            return Bounds(end, None, open_low=strict) if up else Bounds(None, end, open_high=strict)
    return None


def spread(survey: Survey) -> None:
    """Write *for $x \\in (0, 1)$* as an order, `0 < x < 1`: it holds there, and declares nothing."""
    for place in survey.places:
        aside = cues.locates(place.before) or cues.denies_sentence(place.before, place.after)
        if place.display is not None and not place.math.display and (place.cue == "local" or aside):
            items = (_spread(item) if isinstance(item, tree.Chain) else item for item in place.display.items)
            place.display = replace(place.display, items=tuple(items))


def _spread(chain: tree.Chain) -> tree.Chain:
    """Return the order that `x \\in (0, 1)` states; any other chain as it is."""
    name, domain = chain.members[0], chain.members[-1]
    if [operator.text for operator in chain.operators] != ["in"] or not isinstance(domain, tree.Group):
        return chain
    bounds = interval(domain)
    if bounds is None or not isinstance(domain.body, tree.Sequence):
        return chain
    low, high = domain.body.items
    members, signs = [name], []
    if bounds.low is not None:
        members, signs = [low, *members], ["<" if bounds.open_low else "<="]
    if bounds.high is not None:
        members, signs = [*members, high], [*signs, "<" if bounds.open_high else "<="]
    operators = tuple(tree.Operator(sign, span=domain.span) for sign in signs)
    return replace(chain, members=tuple(members), operators=operators) if signs else chain


def number(node: tree.Node) -> Expr | None:
    """Return the number that a node writes, None where it has a name in it."""
    node = names.plain(node)
    match node:
        case tree.Number():
            return Rational(node.text) if node.text.replace(".", "", 1).isdecimal() else None
        case tree.Name(text="\\pi"):
            return sympy.pi
        case tree.Name(text="\\infty"):
            return sympy.oo
        case tree.Additive(terms=((sign, inner),)):
            value = number(inner)
            return -value if value is not None and sign == "-" else value
        case tree.Fraction():
            above, below = number(node.numerator), number(node.denominator)
            return None if above is None or below in (None, 0) else above / below
        case tree.Product() if set(node.operators) <= {"", "cdot", "times"}:
            factors = [number(factor) for factor in node.factors]
            return None if None in factors else sympy.Mul(*factors)
        case _:
            return None


def is_declared(survey: Survey, place: Place, at: int) -> bool:
    """Tell whether the order at a place of a display holds wherever its name stands.

    It does in a directive, in a list of declarations, and where prose brings the name in: *the width
    $s > 0$*. It does not after *if* or *when*, in the row of another formula, where the prose denies it,
    where the page has used the name before, or where it says the contrary elsewhere.
    """
    assert place.display is not None
    chain = place.display.items[at]
    order = order_of(chain) if isinstance(chain, tree.Chain) else None
    if order is None or _key(survey, order.name, place.scope) is None:
        return False
    return (
        _brings_in(place, at) and not _contradicted(survey, place, order) and not _used(survey, place, order)
    )


def _brings_in(place: Place, at: int) -> bool:
    """Tell whether a display or the prose around a formula declares its order."""
    assert place.display is not None
    if place.forced:
        return place.forced != "assume"
    items = place.display.items
    before = items[at - 1] if at else None
    if isinstance(before, tree.Words):
        return cues.cue(before.text) in ("section", "where")
    operators = [{o.text for o in chain.operators} for chain in chains(place.display)]
    ranged = any(isinstance(node, tree.Dots) for chain in chains(place.display) for node in chain.members)
    listing = {"in", "<", "<=", ">", ">=", *(("=",) if ranged else ())}
    listed = all(not each or each & listing for each in operators)
    if place.math.display:
        return listed and (place.cue in ("section", "where") or {"in"} in operators)
    if not listed or cues.denies_sentence(place.before, place.after):
        return False
    return place.cue != "local" and not cues.locates(place.before)


def is_condition(survey: Survey, place: Place, at: int) -> bool:
    """Tell whether an order stands in the row of a formula of which it is the condition: `f = x, & x > 0`."""
    assert place.display is not None
    item = place.display.items[at]
    found = isinstance(item, tree.Chain) and order_of(item) is not None
    return found and place.math.display and not place.forced and not is_declared(survey, place, at)


def mentioned(survey: Survey, place: Place, chain: tree.Chain) -> bool:
    """Remember an order that may hold where the page does not say so; tell whether prose assumes it nowhere.

    It only speaks of an order that it denies, or that tells where something else is so. Numbers outside of
    what is remembered tell nothing.
    """
    order = order_of(chain)
    head = None if order is None else head_of(survey, order.name, place.scope)
    if order is not None and head is not None and head.power == 1 and head.parameters is None:
        record = survey.name(head.key, order.name, place.scope)
        record.hints += [] if order.bounds in record.hints else [order.bounds]
    if order is None or place.math.display or place.forced:
        return False
    if not cues.denies_sentence(place.before, place.after) and not cues.locates(place.before):
        return False
    survey.add(Item("term", chain.span, place.scope))
    return True


def is_about_places(fact: Fact) -> bool:
    """Tell whether a fact compares indices with sizes and numbers: `t \\ge 2`, `1 \\le i \\le n`."""
    scope = fact.scope
    letters = [member for member in fact.relation.members if number(member) is None]
    return fact.indices or all(
        isinstance(letter, tree.Name) and (scope.is_index(letter.text) or scope.size(letter.text) is not None)
        for letter in letters
    )


def _key(survey: Survey, node: tree.Node, scope: Scope) -> str | None:
    head = head_of(survey, node, scope)
    return None if head is None else head.key


def contrary(survey: Survey, chain: tree.Chain, scope: Scope, fact: Fact) -> bool:
    """Tell whether an order says the contrary of a fact: *now let $a < 0$*, after *let $a > 0$*."""
    operators = tuple(tree.Operator(text, span=fact.relation.span) for text in fact.relation.operators)
    mine, other = order_of(chain), order_of(tree.Chain(fact.relation.members, operators))
    if mine is None or other is None or not mine.bounds.both(other.bounds).empty:
        return False
    return _key(survey, mine.name, scope) == _key(survey, other.name, fact.scope)


def _contradicted(survey: Survey, place: Place, order: Order) -> bool:
    """Tell whether the page says the contrary of the same name, here or in a section within."""
    key = _key(survey, order.name, place.scope)
    for other in survey.places:
        if not (other.scope.within(place.scope) or place.scope.within(other.scope)):
            continue
        for chain in chains(other.display):
            found = order_of(chain)
            same = found is not None and _key(survey, found.name, other.scope) == key
            if same and found is not None and found.bounds.both(order.bounds).empty:
                return True
    return False


def _used(survey: Survey, place: Place, order: Order) -> bool:
    """Tell whether a display before *Let $a > 0$* speaks of a already."""
    key = _key(survey, order.name, place.scope)
    if place.cue != "section" or place.forced:
        return False
    for other in survey.places[: survey.places.index(place)]:
        if not other.math.display or other.scope is not place.scope:
            continue
        for chain in chains(other.display):
            for member in chain.members if chain.operators else ():
                if member is not None and any(names.key(n) == key for n in names.walk(member)):
                    return True
    return False

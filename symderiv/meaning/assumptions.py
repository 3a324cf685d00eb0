"""Assumptions: conditions and properties of names, and how long they are in force.

Vocabulary: a *local* assumption holds for its paragraph, one of a *section* to the end of it; a *moment*
is a value that a name has for a while.
"""

from __future__ import annotations

import re
from dataclasses import replace
from itertools import pairwise

from symderiv.diagnostics import Diagnostic
from symderiv.latex import to_latex, tree
from symderiv.meaning import cues, names, properties
from symderiv.meaning.evidence import observe, record_of
from symderiv.meaning.heads import head_of, is_fresh, specialises
from symderiv.meaning.letters import compares
from symderiv.meaning.orders import contrary
from symderiv.meaning.places import Place
from symderiv.meaning.quantifiers import quantity, sentence
from symderiv.meaning.raw import Fact, Head, Item, Survey
from symderiv.meaning.scope import Name, Scope


def state_properties(survey: Survey, place: Place, name: tree.Node) -> bool:
    """Take *$A$ is symmetric* and its like as assumptions; tell whether there is any."""
    told = properties.told(name, place.before, _said_after(survey, place))
    scope = place.scope
    for relation, word in told:
        latex = f"{survey.text(name.span)} {word}"
        fact = Fact(latex, relation, scope, len(survey.items), indices=False)
        survey.facts.append(fact)
        for member in relation.members:
            observe(survey, member, scope, introduces=True)
        if cues.cue(place.before) == "local":
            survey.local.append(fact)
        else:
            survey.section.setdefault(id(scope), []).append(fact)
            _reason(survey, place, fact)
    return bool(told)


def _said_after(survey: Survey, place: Place) -> str:
    """Return the prose after a name, or after the last of several: *$A$ and $B$ are symmetric*."""
    at = survey.places.index(place)
    while re.fullmatch(r"\s*(,|,?\s*and|&)\s*", place.after) and at + 1 < len(survey.places):
        at += 1
        following = survey.places[at]
        items = following.display.items if following.display is not None else ()
        alone = len(items) == 1 and isinstance(items[0], tree.Chain) and not items[0].operators
        if following.math.display or following.math.paragraph != place.math.paragraph or not alone:
            return ""
        place = following
    return place.after


def negated(survey: Survey, fact: Fact) -> Fact | None:
    """Return the other case of `i = j`, `i \\ne j` or `x > 0`."""
    operator = fact.relation.operators[0]
    other = _OTHER.get(operator)
    if len(fact.relation.operators) != 1 or other is None or (operator in "!=" and not fact.indices):
        return None
    first, second = (to_latex(member) for member in fact.relation.members)
    latex = f"{first} {_SIGN.get(other, other)} {second}"
    negated = Fact(
        latex, replace(fact.relation, operators=(other,)), fact.scope, len(survey.items), fact.indices
    )
    survey.facts.append(negated)
    return negated


_OTHER = {"=": "!=", "!=": "=", ">": "<=", "<=": ">", "<": ">=", ">=": "<"}
_SIGN = {"!=": "\\neq", "<=": "\\leq", ">=": "\\geq"}


def condition_after(survey: Survey, display: tree.Display, at: int, row: int, scope: Scope) -> bool:
    """Take `if i = j` at the end of a row as a condition of that row alone."""
    following = display.items[at + 1] if at + 1 < len(display.items) else None
    if not isinstance(following, tree.Chain) or not following.operators or None in following.members:
        return False
    if not compares(following, scope):
        return partial(survey, following, row, scope)
    survey.consumed.append(following)
    _condition(survey, following, row, scope)
    return True


def _condition(survey: Survey, chain: tree.Chain, row: int, scope: Scope) -> None:
    """Put what a row states under a condition between indices."""
    fact = _index_fact(survey, chain, scope)
    for item in survey.items[row:]:
        item.facts = (*item.facts, fact)
    _restrict(survey, fact, survey.items[row].span.start, chain.span.start)
    survey.add(Item("assumption", chain.span, scope))


def trailing(survey: Survey, display: tree.Display, at: int, row: int, scope: Scope) -> bool:
    """Take a relation of indices that ends a row, behind a comma, as its condition: `…, \\quad i \\ne j`."""
    item, before = display.items[at], display.items[at - 1]
    if not isinstance(item, tree.Chain) or not isinstance(before, tree.Connective):
        return False
    rest = display.items[at + 1 : at + 2]
    ends = not rest or (isinstance(rest[0], tree.Connective) and rest[0].text in ("row", "."))
    behind = before.text in (",", "quad") and len(survey.items) > row
    if not ends or not behind or survey.items[-1].kind != "claim" or not compares(item, scope):
        return False
    return condition_after(survey, display, at - 1, row, scope)


def other_case(survey: Survey, place: Place, start: int, row: int) -> None:
    """Take `otherwise` beside a row as the other case of what the rows of its display above are under."""
    held = survey.in_force(place.scope)
    above = {id(fact): fact for item in survey.items[start:row] for fact in item.facts}
    before = [fact for fact in above.values() if fact.number >= start]
    others = [negated(survey, fact) for fact in before]
    if not others or None in others:
        not_understood(survey, place, local=True)
        others = [survey.local.pop()]
    facts = tuple(other for other in others if other is not None)
    if len(survey.items) == row:
        survey.local = [fact for fact in survey.local if fact not in before] + list(facts)
        return
    for item in survey.items[row:]:
        item.facts = (*(fact for fact in item.facts if fact not in before or fact not in held), *facts)
    for record in survey.records:
        if record.defined is not None and record.defined >= row:
            record.broken = True


def bracketed(survey: Survey, chain: tree.Chain, row: int, scope: Scope) -> bool:
    """Take `(i \\ne j)` at the end of a row as its condition."""
    group = chain.members[0]
    if chain.operators or not isinstance(group, tree.Group) or not isinstance(group.body, tree.Relation):
        return False
    relation = group.body
    operators = tuple(tree.Operator(text, span=relation.span) for text in relation.operators)
    inner = tree.Chain(relation.members, operators, span=relation.span)
    if len(survey.items) == row or not compares(inner, scope):
        return False
    _condition(survey, inner, row, scope)
    return True


def partial(survey: Survey, condition: tree.Chain, row: int, scope: Scope) -> bool:
    """A condition on values, `for x > 0`, at the end of a row: what the row defines holds only there."""
    if any(operator.text not in ("<", ">", "<=", ">=", "!=", "=") for operator in condition.operators):
        return False
    fact = _index_fact(survey, condition, scope)
    for number, item in enumerate(survey.items[row:], row):
        item.facts = (*item.facts, fact)
        for record in survey.records:
            if record.defined == number:
                record.broken = True
    survey.consumed.append(condition)
    survey.add(Item("assumption", condition.span, scope))
    return True


def _index_fact(survey: Survey, chain: tree.Chain, scope: Scope) -> Fact:
    members = tuple(member for member in chain.members if member is not None)
    operators = tuple(operator.text for operator in chain.operators)
    fact = Fact(
        survey.text(chain.span),
        tree.Relation(members, operators, span=chain.span),
        scope,
        len(survey.items),
        compares(chain, scope),
    )
    if not fact.indices:
        fact.under = tuple(other for other in survey.in_force(scope) if shares(other, fact.relation))
    survey.facts.append(fact)
    return fact


def shares(condition: Fact, node: tree.Node) -> bool:
    """Tell whether a condition between indices is about letters in a node."""
    letters = {m.text for m in condition.relation.members if isinstance(m, tree.Name)}
    used = (each for each in names.walk(node) if isinstance(each, tree.Name))
    return condition.indices and any(each.text in letters for each in used)


def _restrict(survey: Survey, condition: Fact, start: int, end: int) -> None:
    """Put what is assumed in a part of the page under a condition; a definition there is no whole one."""
    for fact in survey.facts:
        if start <= fact.relation.span.start < end and not fact.indices and shares(condition, fact.relation):
            fact.under = (*fact.under, condition)
    for raw in survey.chains:
        for link in raw.links:
            if (
                link.record is not None
                and start <= raw.first.span.start < end
                and shares(condition, raw.first)
            ):
                link.record.broken = True


def assume(  # noqa: C901, PLR0912  one branch a reading of a relation in prose
    survey: Survey, place: Place, chain: tree.Chain, cue: cues.Cue
) -> bool:
    """Take a relation as an assumption, unless it is a definition after *let* or *where*."""
    scope = place.scope
    indices = compares(chain, scope)
    operators = tuple(operator.text for operator in chain.operators)
    if None in chain.members or any(o in ("in", ":", "to", "approx", "propto", "~") for o in operators):
        return False
    if any(isinstance(member, tree.Question) for member in chain.members):
        return False
    head = head_of(survey, chain.members[0], scope) if chain.members[0] is not None else None
    fresh = head is not None and is_fresh(survey, head, scope, chain.members[1:], anew=cue != "local")
    if fresh and head is not None and head.parameters is not None:
        return False
    if cue == "section" and _value_of_entries(survey, chain, head, scope):
        return about_one(survey, place, chain)
    if not indices and _moment(survey, place, chain, head, cue):
        return True
    if not indices and not cue and place.forced != "assume":
        return False
    fresh = fresh and not (is_number(chain.members[-1]) and not place.math.display)
    fresh = fresh and not set(operators) & {"<", "<=", ">", ">=", "!="}
    told = cue in ("fact", "where") or (cue == "section" and _shows_slope(survey, place, chain))
    if told and not indices and _settled(survey, chain.members, scope):
        return False
    if not indices and cue != "local" and place.forced != "assume":
        if fresh:
            return False
        if (cue == "where" and head is not None) or (place.math.display and cue not in ("section", "fact")):
            return False
    opens = not indices and place.math.display and cue == "local" and place.forced != "assume"
    if opens and not _opens_row(place, chain):
        return False
    fact = _index_fact(survey, chain, scope)
    if opens:
        fact.row = True
        survey.local = [other for other in survey.local if not other.row]
    fact.directive, fact.local = place.forced == "assume", cue == "local"
    members = fact.relation.members
    if (
        indices
        and cue not in ("local", "section", "fact")
        and place.forced != "assume"
        and not place.math.display
    ):
        survey.add(Item("term", chain.span, scope))
        return True
    letters = {m.text for m in members if isinstance(m, tree.Name)}
    for held in (survey.local, *survey.section.values()):
        held[:] = [old for old in held if not contrary(survey, chain, scope, old)]
    if cue in ("section", "fact", "where") or place.forced == "assume":
        survey.section.setdefault(id(scope), []).append(fact)
        if not place.math.display:
            _reason(survey, place, fact)
    else:
        survey.local = [
            f
            for f in survey.local
            if not (
                f.indices
                and indices
                and letters & {m.text for m in f.relation.members if isinstance(m, tree.Name)}
            )
        ]
        survey.local.append(fact)
        _attach(survey, place, fact)
        if cues.closes(place.after):
            survey.closing.append((place.math.paragraph, fact))
    for member in members:
        observe(survey, member, scope, introduces=True)
    survey.add(Item("assumption", chain.span, scope))
    return True


def not_understood(
    survey: Survey, place: Place, *, local: bool = False, remark: tuple[Name, str] | None = None
) -> None:
    """Let a condition without a meaning be in force: what does not hold in general may hold under it."""
    span = place.math.span
    relation = tree.Relation((), ("",), span=span)
    fact = Fact(survey.text(span), relation, place.scope, len(survey.items), indices=False, remark=remark)
    survey.facts.append(fact)
    if local or place.cue == "local":
        survey.local.append(fact)
    else:
        survey.section.setdefault(id(place.scope), []).append(fact)


def about_one(survey: Survey, place: Place, chain: tree.Chain) -> bool:
    """Take `y_k = 1`, or what is said of one fixed k, as an assumption where y is declared as a whole."""
    first, body = chain.members[0], chain.members[-1]
    head = head_of(survey, first, place.scope) if first is not None else None
    record = place.scope.find(head.key) if head is not None and head.parameters is None else None
    if [operator.text for operator in chain.operators] != ["="] or body is None:
        return False
    if head is None or record is None or not record.declared or not head.letters:
        return False
    if not is_fresh(survey, head, place.scope, (body,)):
        return False
    around = sentence(survey.document, chain.span)
    told = [quantity(around, letter) for letter in head.letters]
    singled = {letter for letter, scope in survey.singled if place.scope.within(scope)}
    one = "one" in told or any(not each and a in singled for each, a in zip(told, head.letters, strict=True))
    if not one and ("every" in told or not is_number(body)):
        return False
    bound = one or _constrained(survey, record, place.scope)
    if not bound and specialises(survey, head, body, place.scope):
        return False
    fact = _index_fact(survey, chain, place.scope)
    fact.particular = True
    survey.section.setdefault(id(place.scope), []).append(fact)
    for member in chain.members:
        if member is not None:
            observe(survey, member, place.scope, introduces=True)
    survey.add(Item("assumption", chain.span, place.scope))
    return True


def _constrained(survey: Survey, record: Name, scope: Scope) -> bool:
    """Tell whether the entries of a name are bound to one another, as those of a one-hot vector are."""
    members = (m for fact in survey.in_force(scope) if not fact.indices for m in fact.relation.members)
    return bool(record.values) or any(record_of(survey, names.plain(m), scope) is record for m in members)


def _value_of_entries(survey: Survey, chain: tree.Chain, head: Head | None, scope: Scope) -> bool:
    """Tell whether *with $m_k = 0$* gives a value to a tensor that definitions above leave open."""
    body = chain.members[-1]
    if head is None or not head.letters or body is None or len(chain.members) != 2:
        return False
    return specialises(survey, head, body, scope)


def _moment(survey: Survey, place: Place, chain: tree.Chain, head: Head | None, cue: cues.Cue) -> bool:
    """Leave alone what gives a letter a value for a moment: *we start at $w = 0$* defines nothing."""
    if head is None or place.math.display or not is_number(chain.members[-1]) or place.forced:
        return False
    if not head.letters and cue in ("local", "section") and place.scope.size(head.key) is None:
        return False
    found = Diagnostic("SD109", "a value in prose gives a letter no meaning", chain.span)
    sized = cue in ("local", "section") and place.scope.size(head.key) is not None
    for member in chain.members:
        if member is not None:
            observe(survey, member, place.scope, introduces=True)
    if head.letters or sized:
        fact = _index_fact(survey, chain, place.scope)
        fact.particular = fact.relation.operators == ("=",)
        fact.local = cue != "section"
        if fact.local:
            survey.local.append(fact)
        else:
            survey.section.setdefault(id(place.scope), []).append(fact)
        survey.add(Item("assumption", chain.span, place.scope))
    else:
        survey.add(Item("relation", chain.span, place.scope, diagnostics=(found,)))
    return True


def _attach(survey: Survey, place: Place, fact: Fact) -> None:
    """Let a condition that follows its statement in one sentence hold for that statement."""
    at = survey.places.index(place)
    before = survey.places[at - 1] if at else None
    if before is None or not cues.trails(place.before) or before.math.paragraph != place.math.paragraph:
        return
    if fact.indices:
        _restrict(survey, fact, before.math.span.start, before.math.span.end)
    for item in survey.items:
        if (
            item.kind in ("claim", "definition")
            and before.math.span.start <= item.span.start < before.math.span.end
        ):
            item.facts = (*item.facts, fact)


def _reason(survey: Survey, place: Place, fact: Fact) -> None:
    """Let a reason that follows a step hold for it: `= p_k - y_k` *since $\\sum_k y_k = 1$*.

    So does what *where* says of its names: *where $R$ is diagonal with $R_{ii} = p_i$*.
    """
    at = survey.places.index(place)
    explains = not place.math.display and place.lead.strip().lower().startswith("where")
    while explains and at > 1 and not survey.places[at - 1].math.display:
        at -= 1
    before = survey.places[at - 1] if at else None
    near = before is not None and before.math.paragraph in (place.math.paragraph, place.math.paragraph - 1)
    if before is None or not near or not (explains or cues.gives_reason(place.before, place.after)):
        return
    inside = range(before.math.span.start, before.math.span.end)
    for item in survey.items:
        if item.kind == "claim" and item.span.start in inside and fact not in item.facts:
            item.facts = (*item.facts, fact)


def _shows_slope(survey: Survey, place: Place, chain: tree.Chain) -> bool:
    """Tell whether *with* leads to the derivative of a function that the page defines: a step."""
    first = chain.members[0]
    primed = isinstance(first, tree.Product | tree.Call)
    head = first.function if isinstance(first, tree.Call) else first
    head = head.factors[0] if isinstance(head, tree.Product) else head
    if not primed or not isinstance(head, tree.Script) or not head.primes or is_number(chain.members[-1]):
        return False
    record = record_of(survey, head.base, place.scope)
    defined = record is not None and record.parameters is not None and record.defined is not None
    return defined and place.before.strip(" ,\n").lower() in ("with", "and with")


def _settled(survey: Survey, members: tuple[tree.Node | None, ...], scope: Scope) -> bool:
    """Tell whether the page defines what an equation is about, so that nothing is left to assume.

    What the defined names rest on may occur too: *since* `\\log p_k = z_k - \\log Z`, p defined by z.
    """
    nodes = [n for m in members if m is not None for n in names.walk(m)]
    for node in nodes:
        of = node.of if isinstance(node, tree.Derivative) else None
        of = node.base if isinstance(node, tree.Script) and node.primes else of
        record = record_of(survey, names.plain(of), scope) if of is not None else None
        if record is not None and record.defined is not None:
            return True
    keys = {names.key(n, fonts=survey.fonts) for n in nodes}
    found = [record for key in keys if key is not None and (record := scope.find(key)) is not None]
    defined = [record for record in found if record.defined is not None]
    below = set().union(*(record.rests_on for record in defined))
    return bool(defined) and all(r.defined is not None or r.identity in below for r in found)


def impose(  # noqa: PLR0913  what makes a fact
    survey: Survey,
    left: tree.Node,
    right: tree.Node,
    scope: Scope,
    *,
    step: int | None = None,
    rests: tuple[int, bool] | None = None,
) -> None:
    """Let an equation that the page imposes, in a step perhaps, hold to the end of its section."""
    relation = tree.Relation((left, right), ("=",), span=left.span.to(right.span))
    latex = f"{survey.text(left.span)} = {survey.text(right.span)}"
    fact = Fact(latex, relation, scope, len(survey.items), indices=False, step=step, rests=rests)
    fact.point = True
    survey.facts.append(fact)
    survey.section.setdefault(id(scope), []).append(fact)


def _opens_row(place: Place, chain: tree.Chain) -> bool:
    """Tell whether a relation is the condition `y = 1` of a row, right before its statement."""
    items = () if place.display is None else place.display.items
    return any(one is chain and isinstance(two, tree.Chain) for one, two in pairwise(items))


def concludes(survey: Survey, row: int, scope: Scope) -> None:
    """Take the equation before `\\Rightarrow` as a condition of what comes after: `2 x = 6` of `x = 3`.

    What is about defined quantities, or a derivative, is a step like any other, unless it ends in a number.
    """
    item = survey.items[-1] if len(survey.items) > row else None
    if item is None or item.kind != "claim" or item.member != 1 or item.chain is None:
        return
    raw = survey.chains[item.chain]
    if len(raw.links) != 1 or raw.links[0].operator != "=":
        return
    left, right = raw.members
    nodes = [each for member in raw.members for each in names.walk(member)]
    found = [scope.find(key) for each in nodes if (key := names.key(each, fonts=survey.fonts)) is not None]
    stands = any(record is not None and record.defined is not None for record in found)
    stands = stands or any(isinstance(each, tree.Derivative) for each in nodes)
    if stands and not is_number(right):
        return
    item.imposed = True
    relation = tree.Relation((left, right), ("=",), span=item.span)
    fact = Fact(survey.text(left.span.to(right.span)), relation, scope, len(survey.items), indices=False)
    fact.local, fact.step = True, survey.items.index(item)
    survey.facts.append(fact)
    survey.local.append(fact)


def is_number(node: tree.Node | None, value: int | None = None) -> bool:
    """Tell whether a node is a numeral, with a sign or not; or that of a value."""
    if isinstance(node, tree.Additive):
        return value is None and len(node.terms) == 1 and isinstance(node.terms[0][1], tree.Number)
    return isinstance(node, tree.Number) and (value is None or node.text == str(value))

"""The links of a chain: which of its relations are definitions and which are steps.

Vocabulary: an equation *recurs* where its head is in its own body at another index; it *updates* a name
that it takes from before.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise

from symderiv.diagnostics import Diagnostic, Span
from symderiv.latex import to_latex, tree
from symderiv.meaning import cues, names
from symderiv.meaning.advice import ADVICE
from symderiv.meaning.anew import Second
from symderiv.meaning.assumptions import impose, is_number, shares
from symderiv.meaning.conditionals import is_conditional
from symderiv.meaning.evidence import observe, record_of
from symderiv.meaning.heads import head_of, is_fresh, specialises
from symderiv.meaning.orders import is_about_places
from symderiv.meaning.places import Place, chains
from symderiv.meaning.quantifiers import partial, sentence
from symderiv.meaning.raw import Fact, Head, Item, Link, RawChain, Survey
from symderiv.meaning.scope import Scope
from symderiv.meaning.supposed import is_solution

_DEFINING = frozenset({"=", ":=", "equiv"})
_GIVING = frozenset({*_DEFINING, "<-"})
"""The signs that may give a fresh head its meaning; an arrow to a name in use changes its value."""


def enter(survey: Survey, place: Place, raw: RawChain, chain: tree.Chain) -> None:
    """Enter each relation sign of a chain as an item: a definition, a claim, a question."""
    scope, base = raw.scope, len(raw.links)
    new = [m for m in chain.members[1:] if m is not None]
    signs = [operator.text for operator in chain.operators]
    operators = ["=" if sign == "=:" else sign for sign in signs]
    second = None if base else survey.seconds.get(chain.span.start)
    anew = second is not None and second.anew
    heads = {} if base else _heads_of(survey, [raw.first, *new], operators, place, anew=anew)
    said = not place.follows and any(map(cues.imposes, (place.before, place.lead)))
    imposed = said and not _is_shown(place.before, raw.first)
    slope_vanishes = bool(new) and _is_slope(raw.first) and is_number(new[-1], 0)
    if not base:
        survey.zeros += [raw.first] if [to_latex(each) for each in new] == ["0"] else []
        observe(survey, raw.first, scope, introduces=True)
    for at, (node, operator) in enumerate(zip(new, operators, strict=True)):
        previous = raw.members[-1]
        facts = tuple(fact for fact in survey.in_force(scope) if not _is_apart(raw.first, node, fact))
        item = Item("claim", node.span, scope, facts=facts, chain=survey.chains.index(raw))
        item.member, item.left = base + at + 1, previous.span
        item.imposed = imposed and not (at < len(new) - 1 and slope_vanishes)
        link = Link(node, operator, survey.add(item))
        raw.links.append(link)
        if not base and not at and _is_no_step(survey, item, raw.first, new, operator):
            observe(survey, node, scope, introduces=True)
            continue
        last = at == len(new) - 1
        if isinstance(node, tree.Question):
            item.kind = "question"
            continue
        if operator not in _DEFINING and at not in heads:
            item.kind = "relation"
            item.diagnostics = (Diagnostic("SD109", "only = is checked", item.span),)
        elif at in heads:
            bodies = [b for b in range(at + 1, len(new) + 1) if b not in heads] or [len(new)]
            link.body = next((b for b in bodies if not _is_in_words(survey, new[b - 1], scope)), bodies[0])
            observe(survey, new[link.body - 1], scope, introduces=True)
            _define(survey, link, heads[at], previous, new[link.body - 1])
            _tell(survey, place, link)
            if second is not None and anew and at == 0:
                item.diagnostics = (_second(survey, second, item.span),)
        elif second is not None and at == 0 and not anew:
            _doubt(survey, second, raw.first, link.item, scope)
        elif last and is_number(node, 0) and (imposed or _equates_slope(survey, raw, item.member)):
            _vanishes(survey, item, raw, previous, node)
        elif last and (item.member > 1 or signs[at] == "=:") and _ends(survey, node, operator, scope):
            item.kind = "definition"
            link.body = item.member - 1
            head = head_of(survey, node, scope)
            assert head is not None
            _define(survey, link, head, node, previous)
        observe(survey, node, scope, introduces=bool(heads) or link.head is not None)


def _tell(survey: Survey, place: Place, link: Link) -> None:
    """Let a definition after *where* speak of the formula before it."""
    survey.items[link.item].kind = "definition"
    bare = place.before.strip(" \n,:").lower() == "where"
    explains = place.cue == "where" or place.before.strip().lower() in ("with", "and")
    if bare or (explains and not place.math.display):
        _explains(survey, link, functions=bare)


def _second(survey: Survey, second: Second, span: Span) -> Diagnostic:
    """Say that a definition gives a name another meaning."""
    line, _ = survey.document.source.position(second.first.start)
    return Diagnostic("SD111", f"from here on this name has another meaning than on line {line}", span)


def _doubt(survey: Survey, second: Second, first: tree.Node, item: int, scope: Scope) -> None:
    """Note that an equation may give another meaning to a name that has one."""
    head = head_of(survey, first, scope)
    record = None if head is None else scope.find(head.key)
    if record is not None and record.defined is not None and record.again is None:
        record.again = (item, second.first)


def _vanishes(survey: Survey, item: Item, raw: RawChain, previous: tree.Node, zero: tree.Node) -> None:
    """Let what a page equates to zero be zero to the end of its section.

    Where no word says so, it is a step all the same: most often one that sets a slope to zero. That slope
    itself is then zero where the steps that lead from it to the zero are false.
    """
    step = None if item.imposed else survey.items.index(item)
    item.kind = "assumption" if item.imposed else item.kind
    item.imposed = True
    above = raw.links[-2].item if len(raw.links) > 1 and _is_told(survey, raw) else None
    impose(survey, previous, zero, item.scope, step=step, rests=None if above is None else (above, True))
    if above is not None:
        impose(survey, raw.first, zero, item.scope, step=step, rests=(above, False))


def _equates_slope(survey: Survey, raw: RawChain, member: int) -> bool:
    """Tell whether a chain ends a slope in a zero, or is about what the page has found a slope to be."""
    if member > 1:
        return _is_slope(raw.first)
    slopes = [chain for chain in survey.chains if chain.scope is raw.scope and _is_slope(chain.first)]
    return any(raw.first in chain.members[1:] for chain in slopes)


def _is_apart(first: tree.Node, member: tree.Node, fact: Fact) -> bool:
    """Tell whether a member is not said under a fact.

    A slope is that at any point, whatever other slope is set to zero. Where cases of the member compare the
    indices that words compare, it is about all of these.
    """
    if fact.point and _is_slope(first):
        return True
    if not (fact.local and fact.indices) or fact.row:
        return False
    letters = _letters(fact.relation)
    cases = (each for each in names.walk(member) if isinstance(each, tree.Cases))
    conditions = (row.condition for each in cases for row in each.rows if row.condition is not None)
    return any(_letters(condition) == letters for condition in conditions)


def _letters(node: tree.Node) -> set[str]:
    return {each.text for each in names.walk(node) if isinstance(each, tree.Name)}


def _is_shown(before: str, first: tree.Node) -> bool:
    """Tell whether a display shows the derivative of which the words before it tell where it is zero."""
    described = cues.describes(before) and _is_derivative(first)
    return described or (cues.separates(before) and _is_of_an_entry(first))


def _is_derivative(node: tree.Node) -> bool:
    """Tell whether a member is a derivative, or has one in it."""
    return any(
        isinstance(each, tree.Derivative) or (isinstance(each, tree.Script) and each.primes > 0)
        for each in names.walk(node)
    )


def _is_slope(node: tree.Node) -> bool:
    """Tell whether a member is the derivative of a quantity without an index, as of a loss."""
    first = isinstance(node, tree.Derivative) and len(node.by) <= node.order == 1
    of = names.plain(node.of) if first and isinstance(node, tree.Derivative) and node.of is not None else None
    return of is not None and not (isinstance(of, tree.Script) and of.sub is not None)


def _is_told(survey: Survey, raw: RawChain) -> bool:
    """Tell whether a chain begins with the slope of a defined quantity: that is 0, whatever the steps are."""
    of = raw.first.of if isinstance(raw.first, tree.Derivative) and _is_slope(raw.first) else None
    head = None if of is None else head_of(survey, of, raw.scope)
    record = None if head is None else raw.scope.find(head.key)
    return record is not None and record.defined is not None


def _is_of_an_entry(node: tree.Node) -> bool:
    """Tell whether a member is the derivative of an entry by an entry; what is set to zero is a number's."""
    return isinstance(node, tree.Derivative) and all(
        isinstance(each, tree.Script) and each.sub is not None for each in (node.of, *node.by)
    )


def _is_no_step(survey: Survey, item: Item, first: tree.Node, new: list[tree.Node], operator: str) -> bool:
    """Enter an update, a recurrence or the value of one entry; tell whether the equation is one of these."""
    scope = item.scope
    if operator in _GIVING and _updates(survey, first, new, scope):
        item.kind = "relation"
        item.diagnostics = (Diagnostic("SD109", "an update is not checked", item.span),)
        _note_step(survey, first, scope)
        return True
    if operator in _DEFINING and _recurs(survey, first, new, scope):
        item.kind = "definition"
        _recurrence(survey, item, first, scope)
        return True
    if len(new) == 1 and operator == "=" and _is_set(first, new[0], scope):
        item.kind = "assumption"
        impose(survey, first, new[0], scope)
        return True
    return False


def _is_set(first: tree.Node, body: tree.Node, scope: Scope) -> bool:
    """Tell whether an equation gives a value to one entry of a name that the page leaves open: `x_1 = a`."""
    subs = names.items(first.sub) if isinstance(first, tree.Script) and first.sup is None else ()
    record = scope.find(names.key(first.base) or "") if isinstance(first, tree.Script) and subs else None
    if record is None or not record.declared or record.defined is not None:
        return False
    inside = (names.key(node) for node in names.walk(body))
    return all(isinstance(item, tree.Number) for item in subs) and record.key not in inside


def _updates(survey: Survey, first: tree.Node, rest: list[tree.Node], scope: Scope) -> bool:
    """Tell an update, `w = w - a g` or `w_{t+1} = w_t - a g`, from an equation.

    An update brings in something else: `x = x + (n - 2) x`, of x and its size alone, is an equation.
    """
    if len(rest) != 1 or not isinstance(rest[0], tree.Additive):
        return False
    terms = [term for sign, term in rest[0].terms if sign == "+"]
    if isinstance(first, tree.Name | tree.Accent) or (isinstance(first, tree.Script) and first in terms):
        steps = [term for _, term in rest[0].terms if term != first]
        return first in terms and not all(_multiple(survey, term, first, scope) for term in steps)
    shifted = isinstance(first, tree.Script) and any(
        isinstance(item, tree.Additive) for item in names.items(first.sub)
    )
    shifted = shifted or _is_next(survey, first, scope)
    return shifted and any(isinstance(t, tree.Script) and t.base == first.base for t in terms)  # type: ignore[attr-defined]


def _note_step(survey: Survey, first: tree.Node, scope: Scope) -> None:
    """Note that an update ties the next value of a name to this one, `x_{k+1}` to `x_k`."""
    if not isinstance(first, tree.Script):
        return
    observe(survey, first, scope, introduces=True)
    record = record_of(survey, first, scope)
    if record is not None and names.label(first.sup) is not None:
        record.restricted = True
    elif record is not None and any(isinstance(item, tree.Additive) for item in names.items(first.sub)):
        survey.stepped.add(record.identity)


def _is_next(survey: Survey, first: tree.Node, scope: Scope) -> bool:
    """Tell whether a name has the label of the next step, or of this one and a definition already."""
    label = names.label(first.sup) if isinstance(first, tree.Script) else None
    if not isinstance(label, tree.Name):
        return False
    head = head_of(survey, first, scope)
    record = scope.find(head.key) if head is not None else None
    return "+" in label.text or (record is not None and record.defined is not None)


def _multiple(survey: Survey, term: tree.Node, first: tree.Node, scope: Scope) -> bool:
    """Tell whether a term is made of a name, and of sizes."""
    used = [node for node in names.walk(term) if isinstance(node, tree.Name | tree.Accent)]
    keys = [names.key(node, fonts=survey.fonts) for node in used if node != first]
    return first in used and all(key is not None and scope.size(key) is not None for key in keys)


def _recurs(survey: Survey, first: tree.Node, rest: list[tree.Node], scope: Scope) -> bool:
    """Tell whether an equation defines a name by its own entries at other indices: `h_t = f(h_{t-1})`."""
    head = head_of(survey, first, scope)
    if head is None or not head.letters or not isinstance(first, tree.Script):
        return False
    record = scope.find(head.key)
    if record is not None and record.defined is not None:
        return False
    others = [n for m in rest for n in names.walk(m) if isinstance(n, tree.Script) and n.base == first.base]
    return (
        bool(others)
        and all(other.sub != first.sub for other in others)
        and any(isinstance(item, tree.Additive) for other in others for item in names.items(other.sub))
    )


def _recurrence(survey: Survey, item: Item, first: tree.Node, scope: Scope) -> None:
    head = head_of(survey, first, scope)
    assert head is not None
    observe(survey, first, scope, introduces=True)
    record = survey.name(head.key, first, scope)
    record.defined, record.defined_at, record.broken = survey.items.index(item), first.span, True
    record.lacks = "a recurrence is not supported yet"
    found = Diagnostic("SD024", record.lacks, item.span, help=ADVICE.get(record.lacks))
    item.diagnostics = (found,)


def _explains(survey: Survey, link: Link, *, functions: bool) -> None:
    """Let *where s = a + b* after a display give the names of that display their meaning.

    A function is explained by a mere *where* only: other words may follow a rule for any function.
    """
    earlier = [chain for chain in survey.chains[:-1] if chain.links]
    if not earlier or link.record is None or (link.record.parameters is not None and not functions):
        return
    used = {names.key(n, fonts=survey.fonts) for member in earlier[-1].members for n in names.walk(member)}
    if link.record.key in used:
        link.record.defined = earlier[-1].links[0].item


def _heads_of(
    survey: Survey, members: list[tree.Node], operators: list[str], place: Place, *, anew: bool
) -> dict[int, Head]:
    """Return the heads that begin a chain; the first member that is none defines them all."""
    heads: dict[int, Head] = {}
    scope = place.scope
    for at, member in enumerate(members[:-1]):
        head = head_of(survey, member, scope)
        if at and isinstance(member.base if isinstance(member, tree.Script) else member, tree.Call):
            break
        anew = anew or operators[at] != "=" or place.cue in ("section", "where")
        fresh = head is not None and is_fresh(survey, head, scope, members[at + 1 :], anew=anew)
        if head is None or not fresh or operators[at] not in _GIVING:
            break
        if is_conditional(head.key) and _has_wrong_binder(scope, members[at + 1]):
            break
        if not anew and is_solution(survey, head.key, members[at + 1], place):
            break
        heads[at] = head
    return heads


def _is_in_words(survey: Survey, node: tree.Node, scope: Scope) -> bool:
    """Tell whether a member has a probability that no equation defines: words alone give it a meaning."""
    if not survey.conditionals:
        return False
    keys = {
        each.text for each in names.walk(node) if isinstance(each, tree.Name)
    } & survey.conditionals.keys()
    return any((record := scope.find(key)) is None or record.defined is None for key in keys)


def _has_wrong_binder(scope: Scope, body: tree.Node) -> bool:
    """Tell whether the body of a sum or product has another index than its own: `\\prod_i p_c`."""
    for each in (each for each in names.walk(body) if isinstance(each, tree.Big)):
        letters = {name.text for name in names.walk(each.body) if isinstance(name, tree.Name)}
        free = names.free_letters(each.body, {letter for letter in letters if scope.is_index(letter)})
        if free and not free & set(names.bound_letters(each.lower)):
            return True
    return False


def _ends(survey: Survey, node: tree.Node, operator: str, scope: Scope) -> bool:
    """Tell whether a name that ends a chain is new: no constant, size or index, and not met before."""
    named = isinstance(node, tree.Name | tree.Accent | tree.Script | tree.Product)
    head = head_of(survey, node, scope) if named else None
    if head is None or head.letters or operator != "=":
        return False
    if any(not isinstance(each, tree.Name) for each in head.parameters or ()):
        return False
    if scope.is_index(head.key) or scope.size(head.key) is not None or head.key in ("e", "I", "1", "\\pi"):
        return False
    return not any(
        record.key.lower() == head.key.lower() and record.first.start < node.span.start
        for record in survey.records
    )


def _tell_apart(survey: Survey, body: tree.Node, node: tree.Node, scope: Scope) -> None:
    """Let the letters that stand free below one name in a body differ: the w and l of `L = f(r_w - r_l)`.

    The name that is defined has no index, so that these letters tell certain entries, and two of them. Where
    the page compares them, `\\delta_{wl}`, they may be one.
    """
    carried: dict[str, list[str]] = {}
    for each in names.walk(body):
        key = names.key(each.base, fonts=survey.fonts) if isinstance(each, tree.Script) else None
        sub = each.sub if isinstance(each, tree.Script) else None
        if key is not None and isinstance(sub, tree.Name) and scope.is_index(sub.text):
            carried.setdefault(key, []).append(sub.text)
    free = names.free_letters(body, {letter for letters in carried.values() for letter in letters})
    for letters in carried.values():
        for one, two in pairwise(sorted(free.intersection(letters))):
            if _compares(survey, {one, two}):
                continue
            ends = tree.Name(one, span=node.span), tree.Name(two, span=node.span)
            relation = tree.Relation(ends, ("!=",), span=node.span)
            fact = Fact(f"{one} \\ne {two}", relation, scope, len(survey.items), indices=True)
            survey.facts.append(fact)
            survey.section.setdefault(id(scope), []).append(fact)


def _compares(survey: Survey, letters: set[str]) -> bool:
    """Tell whether the page compares two letters, in a relation or below Kronecker's delta."""
    for chain in (chain for place in survey.places for chain in chains(place.display)):
        members = [member for member in chain.members if member is not None]
        groups: list[Iterable[tree.Node]] = [members]
        for node in (node for member in members for node in names.walk(member)):
            groups += [node.members] if isinstance(node, tree.Relation) else []
            if isinstance(node, tree.Script) and names.key(node.base) == "\\delta":
                groups.append(names.items(node.sub))
        if any(letters <= {e.text for e in group if isinstance(e, tree.Name)} for group in groups):
            return True
    return False


def _partial(survey: Survey, letter: str, node: tree.Node, body: tree.Node) -> bool:
    """Tell whether a definition is one at some indices only; `x_{t-1}` in it tells why t is at least 2."""
    shifted = any(
        isinstance(each, tree.Script)
        and any(isinstance(item, tree.Additive) for item in names.items(each.sub))
        for each in names.walk(body)
    )
    return not shifted and partial(sentence(survey.document, node.span), letter)


def _define(survey: Survey, link: Link, head: Head, node: tree.Node, body: tree.Node) -> None:
    scope = survey.items[link.item].scope
    record = scope.names.get(head.key)
    if record is None:
        outer = scope.find(head.key)
        open_above = specialises(survey, head, body, scope)
        record = survey.create(head.key, node, scope)
        if outer is not None:
            record.shape, record.declared = outer.shape, outer.declared
            record.bounds, record.positive = outer.bounds, outer.positive
            if open_above:
                record.identity = outer.identity
                survey.items[link.item].kind = "assumption"
    record.defined, record.defined_at, record.introduced = link.item, node.span, True
    record.broken = (
        not all(map(is_about_places, survey.local))
        or any(shares(fact, node) for fact in survey.local)
        or any(_partial(survey, letter, node, body) for letter in head.letters)
    )
    if head.letters:
        record.indexed[len(head.letters)] += 1
    else:
        _tell_apart(survey, body, node, scope)
    if head.parameters is not None:
        keys, arguments = [], []
        for parameter in head.parameters:
            key = names.key(parameter, fonts=survey.fonts)
            if key is None:
                record.broken = True
                continue
            arguments.append(survey.name(key, parameter, scope))
            arguments[-1].introduced = True
            keys.append(key)
        record.parameters, record.arguments = tuple(keys), tuple(arguments)
        record.squares = head.squares
    link.head, link.record = head, record
    for used in names.walk(body):
        key = names.key(used, fonts=survey.fonts)
        other = scope.find(key) if key is not None else None
        if other is not None and other is not record:
            record.rests_on |= {other.identity} | other.rests_on

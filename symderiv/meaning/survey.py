"""The survey of a page: from mathematics in reading order to raw statements, with the evidence for each name.

Vocabulary as in `raw`. Two sweeps: the first finds which letters are indices and sizes and what is
declared; the second classifies every formula and counts how each name is used. Nothing is elaborated here.
"""

from __future__ import annotations

import re

from symderiv.diagnostics import Diagnostic, Span
from symderiv.document.model import Document
from symderiv.latex import tree
from symderiv.meaning import cues, names, orders, properties
from symderiv.meaning.assumptions import (
    about_one,
    assume,
    bracketed,
    concludes,
    condition_after,
    is_number,
    negated,
    not_understood,
    other_case,
    partial,
    state_properties,
    trailing,
)
from symderiv.meaning.conditionals import OF_CHANCE, is_positive
from symderiv.meaning.covariances import state_covariances
from symderiv.meaning.declarations import declare_all, index_range
from symderiv.meaning.evidence import observe, record_of
from symderiv.meaning.heads import head_of
from symderiv.meaning.letters import compares, find_letters, is_declaration, settle
from symderiv.meaning.links import enter
from symderiv.meaning.places import Place, chains
from symderiv.meaning.quantifiers import fixes, sentence
from symderiv.meaning.raw import Item, RawChain, Survey
from symderiv.meaning.scope import Scope
from symderiv.meaning.siblings import define_siblings
from symderiv.meaning.supposed import gives_meaning, supposed


def surveyed(document: Document, *, alone: bool = False) -> Survey:
    """Read a document into items, raw chains and scopes, in two sweeps."""
    survey = Survey(document, alone=alone)
    orders.spread(survey)
    shown = [(place.display, place.scope) for place in survey.places if place.display is not None]
    for display, scope in shown:
        find_letters(survey, display, scope)
    for display, scope in shown:
        for at, item in enumerate(display.items):
            if isinstance(item, tree.Chain) and item.operators:
                index_range(survey, display.items, at, scope)
    settle(survey)
    for place in survey.places:
        if place.display is not None:
            declare_all(survey, place)
    state_covariances(survey)
    for place in survey.places:
        start = len(survey.items)
        try:
            _second(survey, place)
        except Exception as error:  # noqa: BLE001  one bad formula never takes the file with it
            survey.add(
                Item(
                    "unread",
                    place.math.span,
                    place.scope,
                    diagnostics=(internal(error, place.math.span),),
                )
            )
            survey.items[start].spans = 0 if place.forced else 1
    define_siblings(survey)
    _open_conditionals(survey)
    return survey


def _open_conditionals(survey: Survey) -> None:
    """Let each probability that no equation defines depend on every name that stands in it.

    On a page about chance a p is another function for other arguments, `p(x)` and `p(x, z)`.
    """
    if not survey.conditionals and OF_CHANCE.search(survey.document.source.text) is None:
        return
    for scope in {id(place.scope): place.scope for place in survey.places}.values():
        for key, record in scope.names.items():
            if key in survey.conditionals:
                inner = map(scope.find, sorted(survey.conditionals[key]))
                record.loose = record.introduced = True
                record.positive = record.positive or is_positive(key)
                record.differentiated_by += [e.identity for e in inner if e and e.defined is None]
            elif is_positive(key) and record.applied and record.defined is None:
                record.loose = True


def _second(survey: Survey, place: Place) -> None:
    if place.fresh_prose:
        before, survey.local = survey.local, []
        if cues.otherwise(place.before):
            survey.local = [other for fact in before if (other := negated(survey, fact)) is not None]
    done = [fact for paragraph, fact in survey.closing if paragraph != place.math.paragraph]
    survey.local = [fact for fact in survey.local if fact not in done]
    if place.ends:
        for facts in survey.section.values():
            facts[:] = [fact for fact in facts if not fact.directive]
    start = len(survey.items)
    if place.error is not None:
        _unread(survey, place)
    elif place.skip:
        survey.add(Item("skipped", place.math.span, place.scope))
    else:
        assert place.display is not None
        _display(survey, place, place.display)
        _describe(survey, place)
    if len(survey.items) == start:
        survey.add(Item("term", place.math.span, place.scope))
    if not place.forced:
        survey.items[start].spans = 1
    for item in survey.items[start:]:
        item.expected = place.expected


def _unread(survey: Survey, place: Place) -> None:
    assert place.error is not None
    found = Diagnostic("SD010", str(place.error.message), place.error.span)
    for at in range(max(1, equations(place.math.text))):
        survey.add(Item("unread", place.math.span, place.scope, diagnostics=(found,) if at == 0 else ()))
    if not place.math.display and place.cue in ("local", "section"):
        not_understood(survey, place)


def _display(survey: Survey, place: Place, display: tree.Display) -> None:
    cue: cues.Cue = place.cue
    start = row = len(survey.items)
    conditioned = False
    for at, item in enumerate(display.items):
        if isinstance(item, tree.Words):
            cue = cues.cue(item.text)
            if cues.otherwise(item.text):
                other_case(survey, place, start, row)
                cue, conditioned = "", len(survey.items) > row
            if (
                cue == "local"
                and len(survey.items) > row
                and condition_after(survey, display, at, row, place.scope)
            ):
                cue, conditioned = "", True
        elif isinstance(item, tree.Connective):
            if item.text in ("implies", "arrow"):
                concludes(survey, row, place.scope)
            if item.text == "row":
                row = len(survey.items)
            if item.text in ("implies", "therefore", "arrow", ";", "row"):
                cue = "" if item.text != "row" else cue
        elif bracketed(survey, item, row, place.scope) or trailing(survey, display, at, row, place.scope):
            continue
        elif len(survey.items) > row and orders.is_condition(survey, place, at):
            partial(survey, item, row, place.scope)
            conditioned = True
        elif not any(item is consumed for consumed in survey.consumed):
            row, conditioned = (len(survey.items), False) if conditioned else (row, conditioned)
            _chain(survey, place, item, cue, at)


def _declared_properties(survey: Survey, place: Place, at: int) -> None:
    """Take what prose says of the names of a declaration: *Let $A, B \\in \\dots$ be symmetric*."""
    assert place.display is not None
    for item in reversed(place.display.items[: at + 1]):
        if isinstance(item, tree.Connective) and item.text == ",":
            continue
        if not isinstance(item, tree.Chain) or (item.operators and item is not place.display.items[at]):
            break
        if isinstance(item.members[0], tree.Name | tree.Accent | tree.Script):
            state_properties(survey, place, item.members[0])


def _dotted(survey: Survey, place: Place, chain: tree.Chain) -> bool:
    """Take `x_1 = \\dots = x_n = a` as a condition that is not used yet."""
    if not any(isinstance(member, tree.Dots) for member in chain.members):
        return False
    for member in chain.members:
        if member is not None and not isinstance(member, tree.Dots):
            observe(survey, member, place.scope, introduces=True)
    found = Diagnostic("SD109", "an equation with dots is not used yet", chain.span)
    survey.add(Item("relation", chain.span, place.scope, diagnostics=(found,)))
    not_understood(survey, place)
    return True


def _describe(survey: Survey, place: Place) -> None:
    """Mark the names of a formula of which prose says what no rule knows."""
    assert place.display is not None
    stating = any(chain.operators for chain in chains(place.display))
    if not place.math.display and not stating and cues.leaves_open(place.before, place.after):
        not_understood(survey, place)
    following = survey.places[survey.places.index(place) + 1 :][:1]
    equated = any(
        p.math.paragraph == place.math.paragraph and not p.math.display and not _is_count(p)
        for p in following
    )
    _describe_basis(survey, place)
    _describe_function(survey, place)
    _describe_number(survey, place)
    before = "" if place.apart and not place.math.display else place.before
    said = properties.describes(before, place.after, equated=equated)
    if place.math.display or said is None:
        return
    words, passing = said
    if passing and any(chain.operators for chain in chains(place.display)):
        return
    if passing:
        items = place.display.items
        named = items[0].members[0] if len(items) == 1 and isinstance(items[0], tree.Chain) else None
        record = record_of(survey, named, place.scope) if isinstance(named, tree.Name) else None
        told = properties.tells_a_sign_alone(place.before, place.after)
        remark = (record, words) if record is not None and told else None
        not_understood(survey, place, local=True, remark=remark)
        return
    for chain in chains(place.display):
        first = chain.members[0]
        stated = [operator.text for operator in chain.operators]
        if isinstance(first, tree.Name | tree.Accent | tree.Script) and stated in ([], ["in"], [":", "to"]):
            record = record_of(survey, first, place.scope)
            if record is None and isinstance(first, tree.Script):
                record = record_of(survey, first.base, place.scope)
            if record is not None and not (record.values and properties.is_of_two(words)):
                earlier = f"{record.described[1]} and " if record.described is not None else ""
                record.described = (place.math.span, earlier + words)
            counted = re.search(r"\bnumber\b", place.after)
            if isinstance(first, tree.Name) and place.scope.size(first.text) is not None and not counted:
                survey.described[first.text] = (place.math.span, words)


def _describe_function(survey: Survey, place: Place) -> None:
    """Take *where $\\sigma$ is the activation function* for a map: a page is about any such function."""
    items = place.display.items if place.display is not None and not place.math.display else ()
    first = items[0].members[0] if len(items) == 1 and isinstance(items[0], tree.Chain) else None
    if not isinstance(first, tree.Name) or not first.text.startswith("\\"):
        return
    record = record_of(survey, first, place.scope)
    is_open = record is not None and record.defined is None and not record.indexed
    if record is not None and is_open:
        record.function |= properties.is_any_function(place.after, survey.document.source.text)


def _describe_number(survey: Survey, place: Place) -> None:
    """Take *a constant $c$* for a number."""
    items = place.display.items if place.display is not None and not place.math.display else ()
    first = items[0].members[0] if len(items) == 1 and isinstance(items[0], tree.Chain) else None
    if not isinstance(first, tree.Name) or place.apart or not properties.is_number(place.before):
        return
    record = record_of(survey, first, place.scope)
    if record is not None and record.shape is None and not record.indexed and not record.transposed:
        record.shape = ()


def _describe_basis(survey: Survey, place: Place) -> None:
    """Take *$e_i$, the $i$th standard basis vector* as the columns of the identity."""
    for chain in () if place.math.display else chains(place.display):
        first = chain.members[0]
        stated = [operator.text for operator in chain.operators]
        if not isinstance(first, tree.Script) or first.sup is not None or stated not in ([], ["in"]):
            continue
        record = record_of(survey, first.base, place.scope)
        if record is None or record.defined is not None or not names.is_index_letter(first.sub or first):
            continue
        before, after = sentence(survey.document, first.span)
        if properties.is_basis(before.rstrip("$"), after.partition("$")[2]):
            if record.shape is None:
                size = survey.sizes.new(origin=first.span)
                record.shape = (size, size)
            record.basis = record.introduced = True


def _is_count(place: Place) -> bool:
    """Tell whether a formula is a size alone, which counts what the words after it name: *$M$ inputs*."""
    items = place.display.items if place.display is not None else ()
    first = items[0].members[0] if len(items) == 1 and isinstance(items[0], tree.Chain) else None
    return isinstance(first, tree.Name) and place.scope.size(first.text) is not None


def _declare_before(survey: Survey, display: tree.Display, at: int) -> None:
    """Count the names before a comma, `a, b` of `a, b \\in \\mathbb R`, with the declaration."""
    spans = set()
    for item in reversed(display.items[:at]):
        if isinstance(item, tree.Connective) and item.text == ",":
            continue
        if not isinstance(item, tree.Chain) or item.operators:
            break
        spans.add(item.span)
    for entry in survey.items:
        if entry.kind == "term" and entry.span in spans:
            entry.kind = "declaration"


def _chain(survey: Survey, place: Place, chain: tree.Chain, cue: cues.Cue, at: int) -> None:
    scope, display = place.scope, place.display
    assert display is not None
    operators = [operator.text for operator in chain.operators]
    first = chain.members[0]
    _fix(survey, place, chain)
    if not operators:
        assert first is not None
        named = isinstance(first, tree.Name | tree.Accent | tree.Script) and not place.math.display
        observe(survey, first, scope, introduces=named)
        mentioned = record_of(survey, first, scope) if named and isinstance(first, tree.Name) else None
        if mentioned is not None:
            mentioned.mentioned += 1
        if named and state_properties(survey, place, first):
            survey.add(Item("assumption", first.span, scope))
            return
        survey.add(Item("term", chain.span, scope))
        if place.math.display:
            alone = RawChain(scope, first, einstein=place.einstein)
            survey.chains.append(alone)
            survey.follow(place, alone)
        return
    if _declared(survey, place, chain, at) or orders.mentioned(survey, place, chain):
        return
    if _dotted(survey, place, chain):
        return
    cue = _settled(survey, place, chain, cue)
    assumes = cue in ("local", "section", "fact", "where") or place.forced == "assume"
    assumes = assumes or (not place.math.display and is_number(chain.members[-1]))
    assumes = assumes or compares(chain, scope)
    if assumes and assume(survey, place, chain, cue):
        return
    if about_one(survey, place, chain):
        return
    if operators[-1] == "in":
        chain = tree.Chain(chain.members[:-1], chain.operators[:-1], span=chain.span)
        operators = operators[:-1]
    raw = _followed(survey, place, first)
    if raw is None:
        survey.add(
            Item(
                "relation",
                chain.span,
                scope,
                diagnostics=(
                    Diagnostic("SD109", "this continues a chain, and there is none before it", chain.span),
                ),
            )
        )
        return
    survey.follow(place, raw)
    enter(survey, place, raw, chain)


def _settled(survey: Survey, place: Place, chain: tree.Chain, cue: cues.Cue) -> cues.Cue:
    """Return what an equation is for: its cue, or what the words around it and other equations tell."""
    if (not cue and supposed(survey, place, chain)) or (
        cue in ("", "section") and gives_meaning(survey, place, chain)
    ):
        return "section"
    if not cue and not place.math.display and (cues.is_reasoned(place.after) or cues.is_used(place.before)):
        return "fact"
    return cue


def _followed(survey: Survey, place: Place, first: tree.Node | None) -> RawChain | None:
    """Return the chain that a formula goes on with, a new one where it has a first member; None for none."""
    last = survey.continued(place)
    if first is None and (last is None or last.scope is not place.scope):
        return None
    if first is None and last is not None:
        start = _common(survey, last)
        if start == len(last.links):
            return last
        first = last.members[start]
    assert first is not None
    survey.chains.append(RawChain(place.scope, first, einstein=place.einstein))
    return survey.chains[-1]


def _common(survey: Survey, raw: RawChain) -> int:
    """Return the last member of a chain that is said of the case in force; an *if* begins another case."""
    held = survey.in_force(raw.scope)
    for at in range(len(raw.links), 0, -1):
        facts = survey.items[raw.links[at - 1].item].facts
        if all(fact in held for fact in facts if fact.indices):
            return at
    return 0


def _declared(survey: Survey, place: Place, chain: tree.Chain, at: int) -> bool:
    """Enter a declaration; tell whether it is one."""
    assert place.display is not None
    if orders.order_of(chain) is not None:
        if not orders.is_declared(survey, place, at):
            return False
    elif not is_declaration(chain) and not _is_range(place.display, at):
        return False
    for node in chain.members:
        if node is not None:
            _declare_uses(survey, node, place.scope)
    _declare_before(survey, place.display, at)
    survey.add(Item("declaration", chain.span, place.scope))
    if [operator.text for operator in chain.operators] == ["in"] and not place.math.display:
        _declared_properties(survey, place, at)
    return True


def _fix(survey: Survey, place: Place, chain: tree.Chain) -> None:
    """Take the letter of *the class $c$*, one of *$k < n$*, or one declared alone with its range, as fixed.

    A letter that some sum of the page runs over is no fixed index by its range only.
    """
    first = chain.members[0]
    operators = [operator.text for operator in chain.operators]
    if not place.math.display and operators and set(operators) <= {"<", "<=", ">", ">="}:
        letters = (member for member in chain.members if member is not None and names.is_index_letter(member))
        survey.fixed |= {letter.text for letter in letters if isinstance(letter, tree.Name)}
    if place.math.display or operators not in ([], ["in"]) or not isinstance(first, tree.Name):
        return
    assert place.display is not None
    alone = (
        operators == ["in"]
        and len(place.display.items) == 1
        and place.scope.range(first.text) is not None
        and not any(first.text in uses.summed for uses in survey.uses.values())
    )
    if alone or cues.fixes(place.before, place.after):
        survey.fixed.add(first.text)
    around = sentence(survey.document, chain.span)
    if operators == [] and (cues.fixes(place.before, place.after) or fixes(around, first.text)):
        survey.singled.append((first.text, place.scope))


def _declare_uses(survey: Survey, node: tree.Node, scope: Scope) -> None:
    if isinstance(node, tree.Script | tree.Name | tree.Accent):
        head = head_of(survey, node, scope)
        if head is not None and scope.find(head.key) is not None:
            scope.find(head.key).introduced = True  # type: ignore[union-attr]


def _is_range(display: tree.Display, at: int) -> bool:
    """Tell whether the chain at a place is `i = 1` of `i = 1, \\dots, N`."""
    chain = display.items[at]
    rest = [item for item in display.items[at + 1 :] if not isinstance(item, tree.Connective)]
    return (
        isinstance(chain, tree.Chain)
        and len(chain.members) == 2
        and isinstance(chain.members[1], tree.Number)
        and bool(rest)
        and isinstance(rest[0], tree.Chain)
        and isinstance(rest[0].members[0], tree.Dots)
    )


def internal(error: Exception, span: Span) -> Diagnostic:
    """Say that symderiv itself went wrong."""
    return Diagnostic(
        "SD020", "symderiv went wrong here: please report it", span, notes=(type(error).__name__,)
    )


def equations(text: str) -> int:
    """Count the `=` that a formula shows outside braces, brackets and inner environments."""
    depth = count = 0
    previous = ""
    for at, character in enumerate(text):
        if character in "{([":
            depth += previous != "\\" or character == "{"
        elif character in "})]":
            depth -= previous != "\\" or character == "}"
        elif character == "=" and depth <= 0 and text[at + 1 : at + 2] != "=":
            count += 1
        previous = character
    return count

r"""What a page defines at one label holds at others: `z^{(l)} = W^{(l)} a^{(l-1)}` defines `z^{(l+1)}`, too.

Vocabulary: *siblings* are names that differ in their label alone; a *model* is the one that the page defines.
A sibling that the page uses is defined as its model is, the labels moved, unless it would rest on an earlier
one of its own kind, as a recurrence does: such a one depends on what the model has without a label.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from symderiv.latex import tree
from symderiv.meaning import names
from symderiv.meaning.evidence import observe
from symderiv.meaning.heads import head_of
from symderiv.meaning.raw import Link, RawChain, Survey
from symderiv.meaning.scope import Name, Scope

_LABELLED = re.compile(r"(?P<stem>.*)\^\{(?P<left>[(\[])(?P<label>[^()\[\]]+)[)\]]\}(?P<rest>.*)")
_LABEL = re.compile(r"(?P<symbol>[A-Za-z]|\\ell)?(?P<offset>[+-]?\d+)?")


_MOST = 24
"""Above so many definitions at other labels, none is made that the page does not write."""


@dataclass(frozen=True, slots=True)
class _Label:
    """`l`, `l - 1`, `L` or `2`: a letter, if any, and what is added to it."""

    symbol: str
    offset: int

    def text(self) -> str:
        """Return the label as it is written."""
        if not self.symbol:
            return str(self.offset)
        return f"{self.symbol}{self.offset:+d}" if self.offset else self.symbol


@dataclass(frozen=True, slots=True)
class _Model:
    """A definition of a labelled name."""

    label: _Label
    chain: RawChain
    link: Link
    head: tree.Node
    body: tree.Node


def define_siblings(survey: Survey) -> None:
    """Define the names of a page whose neighbours it defines; all of a kind have one rank."""
    models = dict(_models(survey))
    scopes = {id(each.scope): each.scope for each in survey.places}
    known = [(scope, record) for scope in scopes.values() for record in scope.names.values()]
    _ranked(survey, known)
    labels = [label for _, record in known if (label := _label_of(record.key)) is not None]
    lowest = min((label.offset for label in labels), default=0) - 1
    highest: dict[str, int] = {}
    for label in labels:
        highest[label.symbol] = max(label.offset, highest.get(label.symbol, label.offset))
    waiting, made = [(scope, record, True) for scope, record in known], 0
    while waiting:
        scope, record, written = waiting.pop()
        model, label = models.get(kind(record.key)), _label_of(record.key)
        if model is None or label is None or record.defined is not None:
            continue
        if not scope.beside(model.chain.scope) or not _is_ordered(model, label):
            continue
        after = label.offset > (model.label.offset if label.symbol == model.label.symbol else -1)
        if not written and (label.offset > highest.get(label.symbol, 0) or made > _MOST):
            continue
        if written or after or (label.offset >= lowest and not _is_free(model, models)):
            made += 1
            before = set(scope.names)
            _define(survey, model, label, scope, record)
            waiting += [(scope, scope.names[key], False) for key in scope.names.keys() - before]
    for scope in scopes.values():
        for record in scope.names.values():
            found = models.get(kind(record.key)) if record.defined is None else None
            if found is not None:
                record.model = found.link.record
                record.restricted = not _is_free(found, models) or _is_shared(survey, found)
                record.rests_on |= _reached(found, record)


def _is_free(model: _Model, models: dict[str, _Model]) -> bool:
    """Tell whether what is defined so may be anything: it has a parameter of its own, a bias `b^{(l)}`.

    What rests on an earlier one of its kind, a state of a recurrence, is not taken to be so.
    """
    own = names.key(model.head.base) if isinstance(model.head, tree.Script) else None
    parts = model.body.terms if isinstance(model.body, tree.Additive) else (("+", model.body),)
    terms = [term.body if isinstance(term, tree.Big) else term for _, term in parts]
    factors = [f for term in terms for f in (term.factors if isinstance(term, tree.Product) else (term,))]
    if own in {names.key(each.base) for each, _ in _labels(model.body)}:
        return False
    return any(
        label == model.label
        and names.key(each.base) != own
        and kind(names.written(replace(each, sub=None), frozenset()) or "") not in models
        for factor in factors
        for each, label in _labels(factor)
        if each is factor
    )


def _is_shared(survey: Survey, model: _Model) -> bool:
    """Tell whether a definition has a quantity without a label, which its neighbours have, too."""
    found = (names.key(each, fonts=survey.fonts) for each in _bare(model.body))
    records = [model.chain.scope.find(key) for key in found if key is not None]
    return any(each is not None and not each.applied and each.parameters is None for each in records)


def _bare(node: tree.Node) -> Iterator[tree.Node]:
    """Yield the names of a node that have no label."""
    if isinstance(node, tree.Name | tree.Accent):
        yield node
    elif not isinstance(node, tree.Script) or names.label(node.sup) is None:
        for child in names.children(node):
            yield from _bare(child)


def _reached(model: _Model, record: Name) -> set[str]:
    """Return the open names on which a name may depend as its model does on their neighbours.

    These are all that have its label, and those of the steps from which the model comes: before it, or after.
    """
    label = _label_of(record.key)
    if label is None:
        return set()
    back = any(
        at.symbol == model.label.symbol and at.offset > model.label.offset for _, at in _labels(model.body)
    )
    found: set[str] = set()
    for each in model.chain.scope.visible().values():
        at = _label_of(each.key)
        if at is None or each is record or each.defined is not None or at.symbol not in (label.symbol, ""):
            continue
        if not at.symbol or (at.offset >= label.offset if back else at.offset <= label.offset):
            found.add(each.identity)
    return found


def _ranked(survey: Survey, known: list[tuple[Scope, Name]]) -> None:
    """Give the names of a kind the rank with which one of them is declared."""
    declared = {
        kind(record.key): (scope, record)
        for scope, record in known
        if record.declared and record.shape is not None and _label_of(record.key) is not None
    }
    for scope, record in known if declared else ():
        found = declared.get(kind(record.key))
        if found is None or record.shape is not None or record.indexed or not scope.beside(found[0]):
            continue
        record.shape = tuple(survey.sizes.new(origin=record.first) for _ in found[1].shape or ())


def _models(survey: Survey) -> Iterator[tuple[str, _Model]]:
    """Yield the definitions of names with a letter as a label, by kind."""
    for chain in survey.chains:
        members = chain.members
        for at, link in enumerate(chain.links):
            if link.record is None or link.head is None or link.body is None or link.record.broken:
                continue
            label = _label_of(link.record.key)
            if label is not None and label.symbol.islower() and link.head.parameters is None:
                yield kind(link.record.key), _Model(label, chain, link, members[at], members[link.body])


def kind(key: str) -> str:
    """Return a key without its label."""
    found = _LABELLED.fullmatch(key)
    return f"{found['stem']}^{{{found['left']}}}{found['rest']}" if found is not None else ""


def _label_of(key: str) -> _Label | None:
    found = _LABELLED.fullmatch(key)
    return _parsed(found["label"]) if found is not None else None


def _parsed(text: str) -> _Label | None:
    found = _LABEL.fullmatch(text)
    return _Label(found["symbol"] or "", int(found["offset"] or 0)) if found is not None and text else None


def _moved(label: _Label, model: _Label, other: _Label) -> _Label:
    """Return where a label goes when that of a model becomes another."""
    if label.symbol != model.symbol:
        return label
    return _Label(other.symbol, label.offset - model.offset + other.offset)


def _labels(node: tree.Node) -> Iterator[tuple[tree.Script, _Label]]:
    for each in names.walk(node):
        inside = names.label(each.sup) if isinstance(each, tree.Script) else None
        if isinstance(each, tree.Script) and isinstance(inside, tree.Name | tree.Number):
            label = _parsed(inside.text)
            if label is not None:
                yield each, label


def _is_ordered(model: _Model, label: _Label) -> bool:
    """Tell whether a model at another label rests on no earlier one of its kind that nothing would define."""
    after = label.symbol != model.label.symbol or label.offset > model.label.offset
    own = names.key(model.head.base) if isinstance(model.head, tree.Script) else None
    inside = [(each, at) for each, at in _labels(model.body) if at.symbol == model.label.symbol]
    if not label.symbol and not label.offset:
        return False
    if not label.symbol and any(_moved(at, model.label, label).offset < 0 for _, at in inside):
        return False
    return after or own not in {names.key(each.base) for each, _ in inside}


def _define(survey: Survey, model: _Model, label: _Label, scope: Scope, record: Name) -> None:
    """Define a name as its model is, the labels moved."""

    def move(each: tree.Node) -> tree.Node:
        inside = names.label(each.sup) if isinstance(each, tree.Script) else None
        if not isinstance(each, tree.Script) or not isinstance(inside, tree.Name | tree.Number):
            return each
        assert isinstance(each.sup, tree.Group)
        at = _parsed(inside.text)
        if at is None or at.symbol != model.label.symbol:
            return each
        text = _moved(at, model.label, label).text()
        body = tree.Number(text, span=inside.span) if text.isdecimal() else tree.Name(text, span=inside.span)
        return replace(each, sup=replace(each.sup, body=body))

    head, body = names.rebuilt(model.head, move), names.rebuilt(model.body, move)
    found = head_of(survey, head, scope)
    if found is None or found.key != record.key or model.link.head is None:
        return
    observe(survey, head, scope, introduces=True)
    observe(survey, body, scope, introduces=True)
    link = Link(body, model.link.operator, model.link.item, head=found, body=1, record=record)
    survey.chains.append(RawChain(scope, head, [link], einstein=model.chain.einstein, moved=True))
    record.defined, record.defined_at, record.model = model.link.item, model.head.span, model.link.record
    if found.letters:
        record.indexed[len(found.letters)] += 1
    for used in names.walk(body):
        key = names.written(used, survey.fonts) if isinstance(used, tree.Script) else names.key(used)
        other = scope.find(key) if key else None
        if other is not None and other is not record:
            record.rests_on |= {other.identity} | other.rests_on

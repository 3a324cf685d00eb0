"""Names that a section gives a second meaning: *The sigmoid is $f(z) = …$*, then *The tanh is $f(z) = …$*.

Vocabulary. An equation has a *shape* of a definition where its left side is a name, an entry at letters or a
function of names; it comes *again* where an equation above has the same left side. It is meant *anew* where
its words bring something in, *now let*, *consider*, or where it is about another thing than the first, by a
lead in bold or by its subject; from there on the name has that meaning. Words that conclude, *hence*, *we
get*, make it a step. Where words hint at a new meaning and do not say so, the equation is a step *in doubt*.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from symderiv.diagnostics import Span
from symderiv.document.model import Document, MathSpan, Prose
from symderiv.latex import tree
from symderiv.meaning import names
from symderiv.meaning.places import Place, chains
from symderiv.meaning.quantifiers import sentence
from symderiv.meaning.scope import Scope
from symderiv.meaning.vocabulary import FUNCTIONS

_DEFINING = frozenset({"=", ":=", "equiv"})
_BRINGS = re.compile(r"\b(let|consider|redefine|define|take)\b", re.IGNORECASE)
_HINTS = re.compile(r"\b(now|next|instead|another|alternatively|other|different|new)\b", re.IGNORECASE)
_CONCLUDES = re.compile(
    r"\b(then|hence|thus|therefore|so|since|because|as|we\s+(now\s+)?have|gives?|giving|yields?|implies|follows|shows?"
    r"|becomes?|get|obtain\w*|find|comput\w+|calculat\w+|evaluat\w+|rewrit\w+|rewrote|writ\w+|simplif\w+|expan\w+"
    r"|deriv\w+|note|notice|recall|observe|see|equals?|equivalent\w*|same|again|also|substitut\w+|using|by|verif\w+"
    r"|check|prov\w+|claim|recover\w*|reduc\w+|back|suppose|assume|if|when|where|such)\b",
    re.IGNORECASE,
)
_FORMAL = re.compile(
    r"\b(step|part|proof|form|notation|result|deriv\w+|claim|lemma|theorem|proposition|check|verif\w+|solution|answer"
    r"|simpl\w+|rewrit\w+|expan\w+|vector\w*|matri\w+|compact\w*|equivalent\w*|same|again|remark|note|conclusion"
    r"|summary|gradient|forward|backward|\d+)\b",
    re.IGNORECASE,
)
"""Leads that do not tell one thing from another, but one part of a derivation."""
_SUBJECT = re.compile(r"\W*(?:the|an?)\s+(?P<subject>[\w\s-]+?)\s+(?:is|reads)\W*", re.IGNORECASE)
_LEAD = re.compile(r"\s*(\*\*|__)(?P<lead>.+?)\1", re.DOTALL)
_NUMBERED = re.compile(
    r"\W*(?P<lead>(?:example|exercise|problem|question|示例|例题?|练习|习题)\s*\d[\d.]*)", re.IGNORECASE
)
"""Leads of which each begins a thing of its own."""
_TITLE = re.compile(r"\s*[*_]*[A-Z][\w-]*(\s+[\w()/-]+){0,4}[*_]*\s*")
_ENTRY = re.compile(r"^[ \t>]*(?:[-*+]|\d+[.)])[ \t]+\Z", re.MULTILINE)
_END = re.compile(r"[.;!?](?=\s|$)")


@dataclass(frozen=True, slots=True)
class Second:
    """An equation whose left side an equation above has: where that is, and whether it is meant anew."""

    first: Span
    anew: bool


@dataclass(frozen=True, slots=True)
class _Setting:
    """Where an equation stands, and what the words before it in its sentence are."""

    span: Span
    words: str
    lead: str
    entry: int
    """The paragraph, where that begins an entry of a list."""

    @property
    def subject(self) -> set[str]:
        """The words for the thing that a sentence is about, *the hyperbolic tangent is*."""
        found = _SUBJECT.fullmatch(self.words)
        return set() if found is None else set(found["subject"].lower().split())


@dataclass(slots=True)
class _Paragraphs:
    """The leads and the entries of lists that a document has."""

    document: Document
    starts: dict[int, Prose | MathSpan] = field(default_factory=dict)
    titles: list[tuple[int, str]] = field(default_factory=list)
    """The paragraphs of a few words that end in no sign, *Hyperbolic tangent*, and where they begin."""
    lead: str = ""
    scope: Scope | None = None

    def __post_init__(self) -> None:
        mixed: set[int] = set()
        for item in self.document.items:
            if isinstance(item, Prose | MathSpan):
                self.starts.setdefault(item.paragraph, item)
            if isinstance(item, MathSpan):
                mixed.add(item.paragraph)
        for paragraph, first in self.starts.items():
            if paragraph not in mixed and isinstance(first, Prose) and _TITLE.fullmatch(first.text):
                self.titles.append((first.span.start, first.text.strip(" \n*_")))

    def setting(self, place: Place, chain: tree.Chain) -> _Setting:
        """Return where an equation stands."""
        text = self.document.source.text
        start = self.starts[place.math.paragraph]
        begin = start.outer.start if isinstance(start, MathSpan) else start.span.start
        lead = _LEAD.match(text[begin : start.span.end])
        lead = lead or _NUMBERED.match(text[begin : start.span.end])
        self.lead = lead["lead"] if lead is not None else self.lead if self.scope is place.scope else ""
        while self.titles and self.titles[0][0] < begin:
            self.lead = self.titles.pop(0)[1]
        self.scope = place.scope
        opens = _ENTRY.search(text[max(0, begin - 40) : begin]) is not None
        before, _ = sentence(self.document, chain.span)
        words = re.sub(r"\$[^$]*\$?", " ", before)
        if not words.strip():
            words = _END.split(place.before)[-1]
        return _Setting(chain.span, words, self.lead, place.math.paragraph if opens else -1)


def apart(document: Document, places: list[Place]) -> dict[int, Second]:
    """Give what follows an equation meant anew a scope of its own; return what comes again, by its place."""
    found: dict[int, Second] = {}
    firsts: dict[tuple[int, str], _Setting] = {}
    now: dict[int, Scope] = {}
    paragraphs = _Paragraphs(document)
    for place in places:
        section = place.scope
        if section.parent is not None:
            section.parent = now.get(id(section.parent), section.parent)
        place.scope = now.get(id(section), section)
        for chain in chains(place.display) if not place.forced else ():
            key = _left(chain)
            if key is None:
                continue
            setting = paragraphs.setting(place, chain)
            first = firsts.setdefault((id(section), key), setting)
            if first is setting:
                continue
            anew = chain.operators[0].text == ":=" or _is_anew(first, setting)
            if anew:
                place.scope = now[id(section)] = Scope(place.scope, section.level)
                firsts[id(section), key] = setting
            if anew or _is_doubtful(first, setting):
                found[chain.span.start] = Second(first.span, anew)
    return found


def _is_anew(first: _Setting, second: _Setting) -> bool:
    """Tell whether words give a name another meaning."""
    if _CONCLUDES.search(second.words):
        return False
    if _BRINGS.search(second.words):
        return True
    if _number(second.lead) and _number(first.lead) != _number(second.lead):
        return True
    leads = (first.lead.strip(" .:").lower(), second.lead.strip(" .:").lower())
    apart = all(leads) and leads[0] != leads[1] and not any(map(_FORMAL.search, leads))
    about = first.subject, second.subject
    both = all(about) and not about[0] & about[1] and not _FORMAL.search(" ".join(about[1]))
    return both or (apart and not (all(about) and about[0] & about[1]))


def _number(lead: str) -> str:
    """Return the words and the number of a lead such as *Example 2*, or nothing."""
    found = _NUMBERED.match(lead)
    return "" if found is None else " ".join(found["lead"].lower().split())


def _is_doubtful(first: _Setting, second: _Setting) -> bool:
    """Tell whether words, a list or another subject hint at another meaning."""
    if _CONCLUDES.search(second.words):
        return False
    hint = _HINTS.search(second.words) is not None
    entries = -1 not in (first.entry, second.entry) and first.entry != second.entry
    elsewhere = entries or (first.lead != second.lead and not _FORMAL.search(second.lead))
    return hint or elsewhere or (bool(second.subject) and first.subject != second.subject)


def _left(chain: tree.Chain) -> str | None:
    """Return the left side of an equation in the shape of a definition, its letters left out, or None."""
    if not chain.operators or chain.operators[0].text not in _DEFINING or len(chain.members) < 2:
        return None
    first, body = chain.members[:2]
    if first is None or body is None or isinstance(body, tree.Number | tree.Question):
        return None
    found = _shape(first)
    if found is None or any(names.key(node) == found.rstrip("()_^2") for node in names.walk(body)):
        return None
    return found


def _shape(node: tree.Node) -> str | None:
    if isinstance(node, tree.Call):
        function = node.function
        if isinstance(function, tree.Name) and function.text not in FUNCTIONS and _plain(node.arguments):
            return f"{function.text}()"
        return None
    if isinstance(node, tree.Product) and len(node.factors) == 2 and node.operators == ("",):
        function, group = node.factors
        key = names.key(function)
        if key is None or not isinstance(group, tree.Group) or group.left != "(":
            return None
        arguments = group.body.items if isinstance(group.body, tree.Sequence) else (group.body,)
        return f"{key}()" if _plain(arguments) else None
    if isinstance(node, tree.Script):
        key = names.key(node.base)
        entry = all(map(names.is_index_letter, names.items(node.sub)))
        square = node.sup is None or node.sup == tree.Number("2")
        if key is None or node.primes or not entry or not square:
            return None
        return f"{key}{'_' if node.sub is not None else ''}{'^2' if node.sup is not None else ''}"
    return names.key(node)


def _plain(arguments: tuple[tree.Node, ...]) -> bool:
    return all(isinstance(argument, tree.Name | tree.Accent) for argument in arguments)

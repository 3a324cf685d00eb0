"""Equations that a page supposes without a word of its own before them.

Vocabulary. A sentence *supposes* where it begins with *Let* or *Suppose*; what it then says of names that are
only declared, *i.e. $P^2 = P$*, is supposed too. An equation *gives a meaning* to a name that is met there
first, on one side of it alone. A *solution* of a supposed equation is no definition: it follows.
"""

from __future__ import annotations

import re

from symderiv.latex import tree
from symderiv.meaning import cues, names
from symderiv.meaning.places import Place
from symderiv.meaning.quantifiers import sentence
from symderiv.meaning.raw import Survey
from symderiv.meaning.scope import Scope
from symderiv.meaning.vocabulary import FUNCTIONS

_OPENS = re.compile(r"\W*(let|suppose|assume|given|consider|take|fix)\b", re.IGNORECASE)
_CONCLUDES = re.compile(
    r"\b(then|hence|thus|therefore|we|gives?|giving|yields?|implies|follows|shows?|so(?!\s+that)|because|since)\b",
    re.IGNORECASE,
)
_SOLVES = re.compile(
    r"\b(then|hence|thus|therefore|gives?|giving|yields?|implies|follows|so|get|obtain|find|solv\w+|solution)\b"
    r"(?!.*\b(define|let|denote|write|call|set)\b)",
    re.IGNORECASE | re.DOTALL,
)
_OF_DATA = re.compile(
    r"\b(one[- ]hot|probabilit\w+|distributions?|normali[sz]ed|simplex)\b[^.;:$]*"
    r"\b(so(\s+that)?|hence|thus|therefore|which\s+means(\s+that)?)\s*,?\s*(we\s+have\s+)?\$?$",
    re.IGNORECASE,
)
"""What is concluded from words on data alone is supposed of them: *the labels are one-hot, so*."""
_SATISFIES = re.compile(r"\b(satisf(y|ies|ying)|obey(s|ing)?|fulfil\w*)\s*$", re.IGNORECASE)


def supposed(survey: Survey, place: Place, chain: tree.Chain) -> bool:
    """Tell whether an equation belongs to what its sentence supposes of names without a definition."""
    if place.math.display or place.forced or {operator.text for operator in chain.operators} != {"="}:
        return False
    before, _ = sentence(survey.document, chain.span)
    opened = _OPENS.match(before)
    supposes = opened is not None and not _CONCLUDES.search(before[opened.end() :])
    if not supposes and not _SATISFIES.search(place.before) and not _OF_DATA.search(before):
        return False
    found = [place.scope.find(key) for key in _keys(survey, chain.members, place.scope)]
    defined = any(record is not None and record.defined is not None for record in found)
    return bool(found) and not defined and not cues.denies(before)


def gives_meaning(survey: Survey, place: Place, chain: tree.Chain) -> bool:
    """Tell whether an equation gives a meaning to a name that it mentions first, `\\log p(x) = -x^2`."""
    if [operator.text for operator in chain.operators] != ["="] or place.forced:
        return False
    nodes = [node for member in chain.members if member is not None for node in names.walk(member)]
    if any(isinstance(node, tree.Derivative | tree.Question | tree.Differential) for node in nodes):
        return False
    if not isinstance(chain.members[0], tree.Call | tree.Fraction | tree.Root):
        return False
    left, right = (_keys(survey, (member,), place.scope) for member in chain.members)
    known = {
        key for key in left | right if (record := place.scope.find(key)) is not None and record.introduced
    }
    return bool(left - right - known) and bool(right - left)


def is_solution(survey: Survey, key: str, body: tree.Node, place: Place) -> bool:
    """Tell whether supposed equations tie a name to all that its definition to be rests on.

    Where something is set to zero and the words solve it, *setting $\\nabla J(w) = 0$ gives*, it is enough
    that it is about the name; where they solve it for a number, *so $c = 2$*, any equation is.
    """
    scope = place.scope
    used = _opened(survey, _keys(survey, (body,), scope), scope)
    solves = _SOLVES.search(place.before) is not None
    equations: list[set[str]] = []
    for fact in survey.in_force(scope):
        if fact.relation.operators != ("=",) or fact.indices:
            continue
        here = _opened(survey, _keys(survey, fact.relation.members, scope), scope)
        if solves and key in here and fact.relation.members[-1] == tree.Number("0"):
            return True
        equations.append(here)
    about = _tied(key, equations)
    return used <= about and bool(about) and (bool(used) or solves)


def _tied(key: str, equations: list[set[str]]) -> set[str]:
    """Return the names that equations tie to one, by others too; none where none is about it."""
    found: set[str] = set()
    waiting = [key]
    while waiting:
        each = waiting.pop()
        more = set[str]().union(*(tied for tied in equations if each in tied)) - found
        found |= more
        waiting.extend(sorted(more))
    return found


def _opened(survey: Survey, keys: set[str], scope: Scope) -> set[str]:
    """Return the names without a definition that some names come down to."""
    found: set[str] = set()
    waiting, met = sorted(keys), set[str]()
    while waiting:
        key = waiting.pop()
        record = scope.find(key)
        defined = None if record is None or record.defined is None else survey.items[record.defined].chain
        if defined is None:
            found.add(key)
        elif key not in met:
            met.add(key)
            waiting.extend(_keys(survey, tuple(survey.chains[defined].members), scope) - met)
    return found


def _keys(survey: Survey, members: tuple[tree.Node | None, ...], scope: Scope) -> set[str]:
    """Return the names in some members that are no index and no size."""
    nodes = (node for member in members if member is not None for node in names.walk(member))
    keys = {
        names.key(node, fonts=survey.fonts) for node in nodes if isinstance(node, tree.Name | tree.Accent)
    }
    return {
        key
        for key in keys
        if key is not None
        and re.fullmatch(r"[A-Za-z]|\\[A-Za-z]+(\{[A-Za-z]\})?", key)
        and key not in FUNCTIONS
        and not scope.is_index(key)
        and scope.size(key) is None
        and key not in ("e", "I", "\\delta", "\\top")
        and (key != "\\pi" or ((record := scope.find(key)) is not None and bool(record.indexed)))
    }

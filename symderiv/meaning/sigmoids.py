"""`\\sigma` on a page that speaks of the sigmoid and never says which function that letter is.

Contract. The letter is defined as the sigmoid where it is applied wherever it stands, nothing is below or
above it, no equation defines it, and the words of the page name the sigmoid or logistic function, not as one
choice of several; another letter, where they call it so. An info says so.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

from symderiv.diagnostics import Diagnostic, Span
from symderiv.document.model import Document, Heading, MathSpan, Prose
from symderiv.latex import parse, tree
from symderiv.meaning import names
from symderiv.meaning.marks import single
from symderiv.meaning.places import Place, chains

_LETTER = "\\sigma"
_MEANING = r"LETTER(VARIABLE) = \frac{1}{1 + e^{-VARIABLE}}"
_IS = re.compile(r"\s*(is|denotes|be|,)\s+(the|a)\s+([\w-]+\s+)?(sigmoid|logistic)\b", re.IGNORECASE)
_OF = re.compile(r"\b(sigmoid|logistic)\s+(activation\s+)?(function|activation)\s*[:,(]?\s*$", re.IGNORECASE)
"""Words after a letter, and before it, that call it the sigmoid."""
_NAMED = re.compile(r"\b(sigmoid|logistic)\b", re.IGNORECASE)
_CHOICE = re.compile(
    r"\b(e\.?\s?g\.?|such\s+as|(may|might|could)\s+be|not|unlike|instead\s+of|rather\s+than|like|any|some|either"
    r"|for\s+(example|instance)|non-?linear\w*)\b[^.;]{0,40}"
    r"\b(sigmoid|logistic)\b"
    r"|\b(sigmoid|logistic)\b[^.;]{0,30}(,|\bor\b|/)\s*(the\s+)?(tanh|relu|softmax|hyperbolic)",
    re.IGNORECASE,
)


def named(document: Document, places: list[Place]) -> Diagnostic | None:
    """Define a letter as the sigmoid, and say so, where the page leaves no other meaning."""
    found = [chain for place in places for chain in chains(place.display)]
    text = " ".join(item.text for item in document.items if isinstance(item, Prose | Heading))
    if not _NAMED.search(text) or _CHOICE.search(text):
        return None
    called = set(_called(places))
    for letter in sorted(called | {_LETTER}):
        span = _only_applied(found, letter, alone=letter in called)
        if span is None or any(_tells(chain, letter) for chain in found):
            continue
        by = (
            names.key(each.by[0])
            for chain in found
            for member in chain.members
            for each in (names.walk(member) if member is not None else ())
            if isinstance(each, tree.Derivative) and each.of is not None and _is(each.of, letter)
        )
        variable = next((key for key in by if key is not None), "t")
        meaning = _MEANING.replace("LETTER", letter).replace("VARIABLE", variable)
        places.insert(0, _definition(meaning, span, places[0]))
        return Diagnostic("SD114", f"{letter} is read as the sigmoid, of which the page speaks", span)
    return None


def _called(places: list[Place]) -> Iterator[str]:
    """Yield the letters that words call the sigmoid: *where $g$ is the logistic function*."""
    for place in places:
        node = single(place.display)
        if (
            isinstance(node, tree.Product)
            and len(node.factors) == 2
            and isinstance(node.factors[1], tree.Group)
        ):
            node = node.factors[0]
        if isinstance(node, tree.Name) and (_IS.match(place.after) or _OF.search(place.before)):
            yield node.text


def _only_applied(found: list[tree.Chain], letter: str, *, alone: bool) -> Span | None:
    """Return where a letter is first applied, if it is wherever it stands, or stands `alone` in a formula."""
    applied: dict[int, Span] = {}
    count = 0
    for chain in found:
        if alone and not chain.operators and chain.members[0] is not None and _is(chain.members[0], letter):
            continue
        for member in chain.members:
            if member is not None:
                applied |= {id(each): span for each, span in _applied(member, letter)}
                count += sum(_is(each, letter) for each in names.walk(member))
    if not applied or len(applied) < count:
        return None
    return min(applied.values(), key=lambda span: span.start)


def _definition(text: str, span: Span, first: Place) -> Place:
    """Return the definition that the page leaves out, as if it stood where the letter comes first."""

    def there(node: tree.Node) -> tree.Node:
        return replace(node, span=span)

    display = parse(text)
    chain = display.items[0]
    assert isinstance(chain, tree.Chain)
    members = tuple(m and names.rebuilt(m, there) for m in chain.members)
    operators = tuple(replace(each, span=span) for each in chain.operators)
    display = tree.Display((tree.Chain(members, operators, span=span),), span=span)
    scope = first.scope
    while scope.parent is not None:
        scope = scope.parent
    math = MathSpan(text, span, span, display=False, paragraph=-1)
    return Place(math=math, scope=scope, display=display, error=None, forced="declare")


def _is(node: tree.Node, letter: str) -> bool:
    return isinstance(node, tree.Name) and node.text == letter


def _applied(node: tree.Node, letter: str) -> list[tuple[tree.Node, Span]]:
    """Return where the letter stands before one argument in brackets, or is differentiated."""
    found: list[tuple[tree.Node, Span]] = []
    for each in names.walk(node):
        if isinstance(each, tree.Product):
            for factor, group in zip(each.factors, each.factors[1:], strict=False):
                base = factor.base if isinstance(factor, tree.Script) else factor
                bare = not isinstance(factor, tree.Script) or (factor.sub is None and factor.sup is None)
                one = isinstance(group, tree.Group) and not isinstance(group.body, tree.Sequence)
                if _is(base, letter) and bare and one:
                    found.append((base, base.span))
        elif isinstance(each, tree.Derivative) and each.of is not None and _is(each.of, letter):
            found.append((each.of, each.of.span))
    return found


def _tells(chain: tree.Chain, letter: str) -> bool:
    """Tell whether an equation says what the letter is: its left side is `\\sigma(z)`."""
    first = chain.members[0]
    if not chain.operators or not isinstance(first, tree.Product):
        return False
    return len(first.factors) == 2 and _is(first.factors[0], letter)

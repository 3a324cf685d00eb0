"""`\\sigma` on a page that speaks of the sigmoid and never says which function that letter is.

Contract. The letter is defined as the sigmoid where it is applied wherever it stands, nothing is below or
above it, no equation defines it, and the words of the page name the sigmoid or logistic function, not as one
choice of several. An info says so.
"""

from __future__ import annotations

import re
from dataclasses import replace

from symderiv.diagnostics import Diagnostic, Span
from symderiv.document.model import Document, Heading, MathSpan, Prose
from symderiv.latex import parse, tree
from symderiv.meaning import names
from symderiv.meaning.places import Place, chains

_LETTER = "\\sigma"
_MEANING = r"\sigma(VARIABLE) = \frac{1}{1 + e^{-VARIABLE}}"
_NAMED = re.compile(r"\b(sigmoid|logistic)\b", re.IGNORECASE)
_CHOICE = re.compile(
    r"\b(e\.?\s?g\.?|such\s+as|(may|might|could)\s+be|not|unlike|instead\s+of|rather\s+than|like|any|some|either"
    r"|for\s+(example|instance)|non-?linear\w*)\b[^.;]{0,40}"
    r"\b(sigmoid|logistic)\b"
    r"|\b(sigmoid|logistic)\b[^.;]{0,30}(,|\bor\b|/)\s*(the\s+)?(tanh|relu|softmax|hyperbolic)",
    re.IGNORECASE,
)


def named(document: Document, places: list[Place]) -> Diagnostic | None:
    """Define the letter as the sigmoid, and say so, where the page leaves no other meaning."""
    found = [chain for place in places for chain in chains(place.display)]
    members = [member for chain in found for member in chain.members if member is not None]
    applied = {id(each): span for member in members for each, span in _applied(member)}
    letters = [each for member in members for each in names.walk(member) if _is_letter(each)]
    if not applied or len(applied) < len(letters) or any(_tells(chain) for chain in found):
        return None
    text = " ".join(item.text for item in document.items if isinstance(item, Prose | Heading))
    if not _NAMED.search(text) or _CHOICE.search(text):
        return None
    span = min(applied.values(), key=lambda span: span.start)
    by = (
        names.key(each.by[0])
        for member in members
        for each in names.walk(member)
        if isinstance(each, tree.Derivative) and each.of is not None and _is_letter(each.of)
    )
    letter = next((key for key in by if key is not None), "t")
    places.insert(0, _definition(_MEANING.replace("VARIABLE", letter), span, places[0]))
    return Diagnostic("SD114", f"{_LETTER} is read as the sigmoid, of which the page speaks", span)


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


def _is_letter(node: tree.Node) -> bool:
    return isinstance(node, tree.Name) and node.text == _LETTER


def _applied(node: tree.Node) -> list[tuple[tree.Node, Span]]:
    """Return the letters that stand before one argument in brackets, or are differentiated."""
    found: list[tuple[tree.Node, Span]] = []
    for each in names.walk(node):
        if isinstance(each, tree.Product):
            for factor, group in zip(each.factors, each.factors[1:], strict=False):
                base = factor.base if isinstance(factor, tree.Script) else factor
                bare = not isinstance(factor, tree.Script) or (factor.sub is None and factor.sup is None)
                one = isinstance(group, tree.Group) and not isinstance(group.body, tree.Sequence)
                if _is_letter(base) and bare and one:
                    found.append((base, base.span))
        elif isinstance(each, tree.Derivative) and each.of is not None and _is_letter(each.of):
            found.append((each.of, each.of.span))
    return found


def _tells(chain: tree.Chain) -> bool:
    """Tell whether an equation says what the letter is: its left side is `\\\\sigma(z)`."""
    first = chain.members[0]
    if not chain.operators or not isinstance(first, tree.Product):
        return False
    return len(first.factors) == 2 and _is_letter(first.factors[0])

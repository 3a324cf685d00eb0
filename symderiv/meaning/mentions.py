"""Which layout of derivatives a page speaks of, and where: in a directive, in a heading, in its prose.

A directive is in force from where it stands, the first one also before. A heading speaks for its section;
prose for what follows it in its section. What names two layouts in one breath, or denies one, tells nothing.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field

from symderiv.document.model import Directive, Document, Heading, Prose

LAYOUTS = ("numerator", "denominator", "gradient")
_WORDS = {
    "numerator": re.compile(
        r"\bnumerator[\s-]+(layout|convention|notation)|\bJacobian[\s-]+(formulation|layout)|分子布局",
        re.IGNORECASE,
    ),
    "denominator": re.compile(
        r"\bdenominator[\s-]+(layout|convention|notation)|\bHessian[\s-]+(formulation|layout)|分母布局",
        re.IGNORECASE,
    ),
}
_APART = re.compile(
    r"\b(unlike|instead|other|opposed|rather|versus|vs|compare|differs?|would|not|never|avoid)\b",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Mention:
    """A layout, whether a directive asks for it, and where it stands."""

    layout: str
    firm: bool
    start: int = field(compare=False)


def layout_of(text: str) -> str | None:
    """Return the one layout that a text says it uses, or None."""
    found = {name for name, words in _WORDS.items() if words.search(text)}
    if len(found) != 1 or _APART.search(text):
        return None
    return found.pop()


def mentioned(document: Document) -> Callable[[int], Mention | None]:
    """Return how to find the layout that a page speaks of at a place in its text."""
    found: list[tuple[int, Mention | None]] = []
    sections: list[tuple[int, Mention | None]] = [(0, None)]
    firm: list[tuple[int, Mention]] = []
    for item in document.items:
        start = item.span.start
        if isinstance(item, Directive) and item.word == "layout" and item.argument.strip() in LAYOUTS:
            firm.append((start, Mention(item.argument.strip(), firm=True, start=start)))
        elif isinstance(item, Heading):
            while len(sections) > 1 and sections[-1][0] >= item.level:
                sections.pop()
            name = layout_of(item.text)
            sections.append((item.level, Mention(name, firm=False, start=start) if name else sections[-1][1]))
            found.append((start, sections[-1][1]))
        elif isinstance(item, Prose) and (name := layout_of(item.text)) is not None:
            sections[-1] = (sections[-1][0], Mention(name, firm=False, start=start))
            found.append((start, sections[-1][1]))

    def told(place: int) -> Mention | None:
        if firm:
            return next((each for at, each in reversed(firm) if at <= place), firm[0][1])
        return next((each for at, each in reversed(found) if at <= place), None)

    return told

"""For which values of an index letter a fact is said to hold: for *every*, for *one* or for *some*.

Vocabulary. The *sentence* of a formula is what stands around it, as written, up to its ends; it alternates
between words and mathematics. A letter stands *alone* in it where it begins a formula, `$k$`, `$i, j$`; the
few words before quantify it, and so does a relation after it: `$k = 1, \\dots, K$` is every index,
`$k \\neq c$` are some. What a sentence does not say is left open.
"""

from __future__ import annotations

import re
from typing import Literal

from symderiv.diagnostics import Span
from symderiv.document.model import Document, MathSpan, Prose

Quantity = Literal["every", "one", "some", ""]

_EVERY = re.compile(r"\b(all|every|each|any|arbitrary|both)\b", re.IGNORECASE)
_ONE = re.compile(
    r"\b(fix|fixed|fixes|fixing|some|one|single|certain|particular|specific|given|chosen|exactly|exists?|at"
    r"|there\s+(is|are)"
    r"|(an|the)\s+([a-z]+\s+){0,2}(index|indices|position|entry|coordinate|class|label|category|target))\b",
    re.IGNORECASE,
)
_BRINGS = re.compile(r"\b(for|with|where|if|when|whenever|unless|except|but|only|over)\b", re.IGNORECASE)
_EXISTS = re.compile(
    r"\b(some|exists?|there\s+(is|are)|(one|certain|particular|single|exactly\s+one)\s+"
    r"(pair|index|entry|coordinate|component|position|place))\b",
    re.IGNORECASE,
)
_FIXES = re.compile(r"\bfix(ed|es|ing)?\b", re.IGNORECASE)
_SETTLES = re.compile(
    r"\s*be\s+(an?|some|the|one|fixed|given)\b|\s*(is|are|being)\s+(fixed|given)\b", re.IGNORECASE
)
_END = re.compile(r"(?<!\bi\.e)(?<!\be\.g)(?<!\bresp)(?<!\bs\.t)[.;!?](?=\s|$)")
_STOP = re.compile(r"\.(\s|\\[;,!]|\\end\{\w+\*?\})*\Z")
"""The full stop of a sentence that ends with a formula."""
_INNER = re.compile(r"\\begin\{(\w+)\*?\}.*?\\end\{\1\*?\}", re.DOTALL)
_ROW = re.compile(r"\\\\(?![A-Za-z])")
_NEAR = 6
"""So many words before a letter may quantify it."""
_ALONE = re.compile(r"[\s,~{}]*(?P<letters>(\\?[A-Za-z]+\s*,\s*)*\\?[A-Za-z]+)(?P<rest>.*)", re.DOTALL)
_BETWEEN = re.compile(
    r"\s*1\s*(<|\\leq?|\\leqslant)\s*(?P<letter>\\?[A-Za-z]+)\s*(<|\\leq?|\\leqslant)", re.DOTALL
)
_RANGE = re.compile(r"\s*(=\s*1\s*(,|:|\\l?dots)|\\in\s*(\\\{\s*1|\[)|>\s*0\s*\Z|\\geq?\s*[01]\s*\Z)")
_RELATION = re.compile(r"\s*(=|\\in\b|<|>|\\neq?\b|\\not|\\l[et]\b|\\leq|\\g[et]\b|\\geq|\\notin)")


def sentence(document: Document, span: Span) -> tuple[str, str]:
    """Return what stands before and after a formula in its sentence, mathematics between dollars."""
    items = document.items
    at = next((n for n, i in enumerate(items) if isinstance(i, MathSpan) and _holds(i.span, span)), None)
    if at is None:
        return "", ""
    own = items[at]
    assert isinstance(own, MathSpan)
    first, last = span.start - own.span.start, span.end - own.span.start
    before = "$" + _ROW.split(_INNER.sub("", own.text[:first]))[-1]
    after = _ROW.split(_INNER.sub("", own.text[last:]))[0] + "$"
    for number in range(at - 1, -1, -1):
        item = items[number]
        if not isinstance(item, Prose | MathSpan) or item.paragraph != own.paragraph:
            break
        if _parts(item, items[number + 1]):
            break
        ends = list(_END.finditer(item.text)) if isinstance(item, Prose) else []
        before = (item.text[ends[-1].end() :] if ends else _shown(item)) + before
        if ends:
            break
    for number in range(at + 1, len(items)):
        item = items[number]
        if not isinstance(item, Prose | MathSpan) or item.paragraph != own.paragraph:
            break
        if _parts(items[number - 1], item):
            break
        end = _END.search(item.text) if isinstance(item, Prose) else None
        after += item.text[: end.start()] if end else _shown(item)
        if end:
            break
    return before, after


def _parts(item: object, following: object) -> bool:
    """Tell whether a sentence ends between two items: by a full stop in a formula, or a capital."""
    if not isinstance(item, MathSpan):
        return False
    capital = isinstance(following, Prose) and following.text.lstrip()[:1].isupper()
    return (item.display and capital) or bool(_STOP.search(item.text))


def _shown(item: Prose | MathSpan) -> str:
    return item.text if isinstance(item, Prose) else f"${item.text}$"


def _holds(outer: Span, inner: Span) -> bool:
    return outer.start <= inner.start and inner.end <= outer.end


def is_one(around: tuple[str, str], letter: str) -> bool:
    """Tell whether a sentence says that a letter is one index, or some: *a fixed $k$*, *for some $k$*."""
    return "one" in (quantity(around, letter, one=_EXISTS), quantity(around, letter, one=_FIXES))


def fixes(around: tuple[str, str], letter: str) -> bool:
    """Tell whether a sentence fixes the letter that it is about for those after it: *fix an index $k$*."""
    return quantity((letter.join(around), ""), letter, one=_FIXES) == "one"


def partial(around: tuple[str, str], letter: str) -> bool:
    """Tell whether a sentence defines entries at some indices only; a *fixed* one may be any."""
    return quantity(around, letter, one=_EXISTS) in ("one", "some")


def quantity(around: tuple[str, str], letter: str, *, one: re.Pattern[str] = _ONE) -> Quantity:
    """Tell for which values of an index letter a formula holds, by what stands around it in its sentence."""
    text = "\u2022".join(around).replace("\\forall", "$ for all $")
    parts = re.sub(r"\\(?:text|mbox|mathrm|textrm)\{([^{}]*)\}", r"$\1$", text).split("$")
    words, found = "", set[Quantity]()
    for at, mathematics in enumerate(parts[1::2]):
        before, after = parts[2 * at], parts[2 * at + 2] if 2 * at + 2 < len(parts) else ""
        words = words if re.fullmatch(r"\s*(and|,|or)?\s*", before) and words else before
        between, alone = _BETWEEN.match(mathematics), _ALONE.fullmatch(mathematics)
        if between is not None and between["letter"] == letter:
            found.add(_quantified(words, "\\in[", "", one))
        elif alone is None or "\u2022" in alone["letters"] or not _is_letters(alone["letters"]):
            words = ""
        elif letter in re.split(r"\s*,\s*", alone["letters"].strip()) or _related(alone["rest"], letter):
            found.add(_quantified(words, alone["rest"], after, one))
    order: tuple[Quantity, ...] = ("one", "some", "every")
    return next((each for each in order if each in found), "")


def _is_letters(text: str) -> bool:
    return all(re.fullmatch(r"[A-Za-z]|\\[A-Za-z]+", each) for each in re.split(r"\s*,\s*", text.strip()))


def _related(rest: str, letter: str) -> bool:
    """Tell whether a letter is what another is related to, `\\neq j`; a range relates none."""
    relation = None if _RANGE.match(rest) else _RELATION.match(rest)
    return relation is not None and rest[relation.end() :].strip(" {},~") == letter


def _quantified(words: str, rest: str, after: str, one: re.Pattern[str]) -> Quantity:
    """Tell what the words before a letter, the relation after it and the words after it say."""
    last = " ".join(re.findall(r"[A-Za-z-]+", words)[-_NEAR:])
    every = _EVERY.search(last)
    if (one.search(last) and not every) or (not rest.strip(" ,}\\") and _SETTLES.match(after)):
        return "one"
    if _RANGE.match(rest):
        return "every" if every or _BRINGS.search(last) else ""
    if _RELATION.match(rest):
        return "some" if every or _BRINGS.search(last) else ""
    return "every" if every else ""

"""Comments to the checker: the text of a comment -> `Directive`, or a diagnostic that says what is wrong.

A comment that is not addressed to symderiv gives neither.
"""

from __future__ import annotations

import difflib
import re

from symderiv.diagnostics import Diagnostic, Span
from symderiv.document.delimiters import Region, scan
from symderiv.document.model import Directive, MathSpan

_ADDRESS = re.compile(r"\s*symderiv\b[ \t]*(:?)\s*", re.IGNORECASE)
_WORD = re.compile(r"[^\s$]+")
_MATHEMATICS = ("$", r"\(", r"\[", r"\\(", r"\\[", r"\begin")
_VERDICT = r"(?:proved|tested|refuted|ill-typed|unknown|unread)"
_FORMS = {
    "declare": ("mathematics, as in $x \\in \\mathbb{R}^n$", None),
    "assume": ("mathematics, as in $i \\neq j$", None),
    "end": ("nothing after it", re.compile("")),
    "expect": ("a verdict, as in `expect refuted`", re.compile(rf"{_VERDICT}(?:\s+SD\d{{3}})*")),
    "skip": ("nothing after it", re.compile("")),
    "layout": ("numerator, denominator or gradient", re.compile("numerator|denominator|gradient")),
    "einstein": ("on or off", re.compile("on|off")),
    "title": ("a title", re.compile(r".+", re.DOTALL)),
}
"""For each word, what it takes, and the form of its argument (None: mathematics)."""


def read_comment(text: str, outer: Span, inner: Span, paragraph: int) -> Directive | Diagnostic | None:
    """Return what the comment at `outer`, with its words at `inner`, says to the checker, if anything."""
    address = _ADDRESS.match(text, inner.start, inner.end)
    if address is None:
        return None
    start = address.end()
    found = _WORD.match(text, start, inner.end)
    word = found.group() if found else ""
    if not address.group(1):
        if word not in _FORMS:
            return None
        return _error(outer, f"a comment to the checker needs a colon: symderiv: {word}")
    if text.startswith(_MATHEMATICS, start, inner.end):
        word = "declare"
    elif word in _FORMS:
        start += len(word)
    else:
        return _unknown(outer, word)
    return _directive(text, word, outer, Span(start, inner.end), paragraph)


def _directive(text: str, word: str, outer: Span, inner: Span, paragraph: int) -> Directive | Diagnostic:
    takes, form = _FORMS[word]
    argument = text[inner.start : inner.end].strip()
    mathematics = _mathematics(text, inner, paragraph)
    well_formed = mathematics is not None if form is None else form.fullmatch(argument)
    if not well_formed:
        return _error(outer, f"the directive `{word}` takes {takes}")
    return Directive(word, argument, outer, mathematics or ())


def _mathematics(text: str, inner: Span, paragraph: int) -> tuple[MathSpan, ...] | None:
    """Return the mathematics of an argument, or None if there is none or a dollar is left over."""
    argument = text[inner.start : inner.end]
    regions = [region for region in scan(argument).regions if region.kind == "mathematics"]
    ends = [0, *(region.outer.end for region in regions)]
    starts = [*(region.outer.start for region in regions), len(argument)]
    rest = " ".join(argument[end:start] for end, start in zip(ends, starts, strict=True))
    if not regions or "$" in rest.replace(r"\$", ""):
        return None
    return tuple(_math_span(argument, region, inner.start, paragraph) for region in regions)


def _math_span(argument: str, region: Region, shift: int, paragraph: int) -> MathSpan:
    """Return the mathematics of a region of an argument that starts at offset `shift` of the file."""
    inner, outer = region.inner, region.outer
    return MathSpan(
        argument[inner.start : inner.end].replace("\r", " "),
        Span(inner.start + shift, inner.end + shift),
        Span(outer.start + shift, outer.end + shift),
        display=False,
        paragraph=paragraph,
        environment=region.environment,
    )


def _unknown(outer: Span, word: str) -> Diagnostic:
    if not word:
        return _error(outer, "a comment to the checker says nothing")
    near = difflib.get_close_matches(word, _FORMS, 1)
    return _error(outer, f"unknown directive `{word}`" + (f"; did you mean `{near[0]}`?" if near else ""))


def _error(outer: Span, message: str) -> Diagnostic:
    words = "the words are " + ", ".join(_FORMS)
    return Diagnostic("SD201", " ".join(message.split())[:200], outer, notes=(words,))

r"""Text of a document made safe and measurable for a terminal.

Contract: no character that moves the cursor, changes colours or reorders a line comes out of here; it is
shown as an escape (`\x1b`). Everything is measured in terminal cells, not in characters.
"""

from __future__ import annotations

import re
import textwrap
import unicodedata
from collections.abc import Iterable, Iterator
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from typing import Any

from rich.cells import cell_len

from symderiv.symbols import GREEK

_HIDDEN = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
_TAB = 4

SYMBOLS = {
    **GREEK,
    "infty": "∞",
    "ne": "≠",
    "neq": "≠",
    "le": "≤",
    "leq": "≤",
    "ge": "≥",
    "geq": "≥",
    "lt": "<",
    "gt": ">",
    "in": "∈",
    "notin": "∉",
    "times": "×",
    "cdot": "·",
    "odot": "⊙",
    "otimes": "⊗",
    "top": "⊤",
    "to": "→",
    "dots": "…",
    "ldots": "…",
    "cdots": "⋯",
    "forall": "∀",
    "sum": "Σ",
}
_COMMAND = re.compile(r"\\([A-Za-z]+)( ?)")
_VERBATIM = re.compile(r"(<!-- symderiv: .*?-->|% symderiv: .*|\$[^$]*\$)")
_WRAPPER = re.compile(r"\\(?:mathbf|mathrm|mathit|boldsymbol|bm|text|operatorname|mathcal)\{([A-Za-z0-9]+)\}")
_BLACKBOARD = {"R": "ℝ", "N": "ℕ", "Z": "ℤ", "C": "ℂ"}


def visible(character: str) -> str:
    """Return the character, or its escape if it is a control, a format character or a lone surrogate."""
    if unicodedata.category(character) not in _HIDDEN:
        return character
    code = ord(character)
    if code < 0x100:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def safe(text: str) -> str:
    """Return one line of text with nothing in it that a terminal would act on."""
    return "".join(" " if character in "\t\n\r" else visible(character) for character in text)


@lru_cache(maxsize=4096)
def _shown(character: str) -> tuple[str, int]:
    shown = visible(character)
    return shown, cell_len(shown)


def cells(line: str) -> list[tuple[str, int]]:
    """Return for each character of a line what is shown for it and how many cells that takes."""
    out: list[tuple[str, int]] = []
    column = 0
    for character in line:
        if character == "\t":
            width = _TAB - column % _TAB
            out.append((" " * width, width))
        else:
            out.append(_shown(character))
        column += out[-1][1]
    return out


def cropped(text: str, width: int) -> str:
    """Return a line made safe and cut to a width, with … where something was cut."""
    line = safe(text)
    if cell_len(line) <= width:
        return line
    kept, used = "", 0
    for character in line:
        used += cell_len(character)
        if used > width - 1:
            break
        kept += character
    return kept + "…"


_FUNCTIONS = frozenset({"det", "log", "ln", "exp", "tr"})
_HIGH = {"⊤": "ᵀ", "-1": "⁻¹", "-⊤": "⁻ᵀ"}
_SUPERSCRIPT = re.compile(r"\^(?:\{(-1|-?⊤)\}|(⊤))")


def readable(text: str) -> str:
    r"""Return text in which the commonest LaTeX names stand as Unicode: `\beta` as β, `i \neq j` as i ≠ j.

    What is there to be copied stays: a comment to the checker, and LaTeX between dollar signs.
    """
    parts = _VERBATIM.split(text)
    return "".join(part if at % 2 else _unicode(part) for at, part in enumerate(parts))


def _unicode(text: str) -> str:

    def symbol(match: re.Match[str]) -> str:
        name, space = match.groups()
        if name in _FUNCTIONS:
            return name + space
        if name not in SYMBOLS:
            return match.group()
        return SYMBOLS[name] + ("" if name in {"partial", "nabla"} else space)

    text = re.sub(r"\\left(?![A-Za-z])\s*([(\[|])\s*", r"\1", text)
    text = re.sub(r"\s*\\right(?![A-Za-z])\s*([)\]|])", r"\1", text)
    text = re.sub(r"\\mathbb\{?([RNZC])\}?", lambda match: _BLACKBOARD[match.group(1)], text)
    text = _COMMAND.sub(symbol, _WRAPPER.sub(r"\1", text))
    return _SUPERSCRIPT.sub(lambda match: _HIGH[match.group(1) or match.group(2)], text)


def number(value: Any) -> str:
    """Return a witness's value: a number, or nested lists of numbers, in at most four digits each."""
    if isinstance(value, list | tuple):
        return "[" + ", ".join(number(entry) for entry in value) + "]"
    if isinstance(value, bool) or not isinstance(value, int | float):
        return str(value)
    return f"{value:.4g}" if value else "0"


def apart(left: str, right: str) -> tuple[str, str]:
    """Return two decimal strings in the fewest digits, four at least, in which they differ."""
    try:
        first, second = Decimal(left), Decimal(right)
    except InvalidOperation:
        return left, right
    if not (first.is_finite() and second.is_finite()):
        return left, right
    for digits in range(4, 60):
        shown = _trimmed(f"{first:.{digits}g}"), _trimmed(f"{second:.{digits}g}")
        if shown[0] != shown[1]:
            return shown
    return left, right


def described(entries: Iterable[tuple[str, str]], width: int) -> Iterator[tuple[str, str]]:
    """Yield lines of a list of words and what they stand for: the word on its first line, then the text."""
    entries = list(entries)
    column = max((len(word) for word, _ in entries), default=0) + 2
    for word, text in entries:
        lines = textwrap.wrap(text, max(width - column, 20), break_long_words=False, break_on_hyphens=False)
        for at, line in enumerate(lines):
            yield (word if not at else "").ljust(column), line


def _trimmed(shown: str) -> str:
    if "." not in shown or "e" in shown.lower():
        return shown
    return shown.rstrip("0").rstrip(".")

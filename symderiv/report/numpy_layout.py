"""Long statements of printed code, broken over lines inside their brackets.

A *group* is what stands between a round bracket and its partner. The longest outer group of a line that is
too long is opened: its parts, between commas, get a line each, and are broken in turn. A line without a group
that is most of it is broken at signs, or at spaces; nothing that is quoted has any.
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator
from itertools import pairwise

WIDTH = 96
"""How long a line may be, the indent of the function's body not counted."""
_STEP = "    "


def assigned(target: str, code: str) -> list[str]:
    """Return the lines that give a variable its value."""
    return _lines(f"{target} = ", code, "", "")


def unwrapped(code: str) -> str:
    """Return a piece of code without the brackets around all of it."""
    return code[1:-1] if (0, len(code) - 1) in _groups(code) else code


def _lines(before: str, code: str, after: str, indent: str) -> list[str]:
    """Return lines for a piece of code between two texts."""
    line = f"{indent}{before}{code}{after}"
    if len(line) <= WIDTH:
        return [line]
    found = max(_groups(code), key=lambda pair: pair[1] - pair[0], default=None)
    if found is None or 2 * (found[1] - found[0]) < len(code):
        if not before:
            *lines, last = _broken(code, WIDTH - len(indent) - len(after))
            return [*(f"{indent}{each}" for each in lines), f"{indent}{last}{after}"]
        lines = _broken(code, WIDTH - len(indent) - len(_STEP))
        return [f"{indent}{before}(", *(f"{indent}{_STEP}{each}" for each in lines), f"{indent}){after}"]
    start, end = found
    parts = list(_parts(code[start + 1 : end]))
    comma = "," if len(parts) > 1 else ""
    inner = [line for part in parts for line in _lines("", part, comma, indent + _STEP)]
    return [f"{indent}{before}{code[: start + 1]}", *inner, f"{indent}{code[end:]}{after}"]


def _broken(code: str, room: int) -> list[str]:
    """Return the lines of a sum, each but the first begun by a sign; a long term is broken at spaces."""
    lines = [""]
    for term in _terms(code):
        if lines[-1] and len(lines[-1]) + 1 + len(term) > room:
            lines.append("")
        lines[-1] = f"{lines[-1]} {term}".strip()
    return [
        part
        for line in lines
        for part in textwrap.wrap(line, room, break_long_words=False, break_on_hyphens=False)
    ]


def _terms(code: str) -> Iterator[str]:
    """Yield the terms of a sum with their signs."""
    inside = [place for pair in _groups(code) for place in range(*pair)]
    ends = [at.start() for at in re.finditer(r" [-+] ", code) if at.start() not in inside]
    for start, end in pairwise([0, *ends, len(code)]):
        yield code[start:end].strip()


def _depths(code: str) -> Iterator[tuple[int, str, int]]:
    """Yield the places of brackets and commas, and how deep they stand; what is quoted is passed over."""
    depth, quoted = 0, False
    for place, sign in enumerate(code):
        if sign == '"':
            quoted = not quoted
        elif not quoted and sign in "([{":
            yield place, sign, depth
            depth += 1
        elif not quoted and sign in ")]}":
            depth -= 1
            yield place, sign, depth
        elif not quoted and sign == ",":
            yield place, sign, depth


def _groups(code: str) -> Iterator[tuple[int, int]]:
    """Yield where the outer round brackets open and close."""
    start = 0
    for place, sign, depth in _depths(code):
        if depth == 0 and sign == "(":
            start = place
        elif depth == 0 and sign == ")":
            yield start, place


def _parts(code: str) -> Iterator[str]:
    """Yield what stands between the outer commas."""
    start = 0
    for place, sign, depth in _depths(code):
        if depth == 0 and sign == ",":
            yield code[start:place].strip()
            start = place + 1
    if code[start:].strip():
        yield code[start:].strip()

"""Python identifiers for the names of a page: ASCII letters, digits and underscores, each for one thing."""

from __future__ import annotations

import builtins
import keyword
import re
from dataclasses import dataclass, field

from symderiv.meaning.notation.style import MARKS, parts
from symderiv.symbols import GREEK

_RESERVED = frozenset({*keyword.kwlist, *keyword.softkwlist, *dir(builtins), "np", "math", "self"})


def identifier(name: str) -> str:
    r"""Return a Python identifier for a name: `\hat{y}` is `y_hat`, `W^{(2)}` is `W2`, `\beta` is `beta`."""
    found = parts(name)
    words = [ascii_of(found.core)]
    if found.label:
        words[0] += ascii_of(found.label)
    if found.mark in MARKS:
        words.append(found.mark)
    if found.part:
        words.append(ascii_of(re.sub(r"\\(mathrm|text|operatorname|mathbf)", "", found.part)))
    words += ["prime"] * found.primes
    text = "_".join(word for word in words if word) or "v"
    return f"v{text}" if text[0].isdigit() else text


def ascii_of(text: str) -> str:
    """Return the letters and digits of a text, Greek letters spelled out."""
    spelled = "".join(next((name for name, sign in GREEK.items() if sign == c), c) for c in text)
    return "_".join(re.findall(r"[A-Za-z0-9]+", spelled))


@dataclass(slots=True)
class Names:
    """Identifiers given out, each to one thing."""

    given: dict[str, str] = field(default_factory=dict)
    taken: set[str] = field(default_factory=lambda: set(_RESERVED))

    def of(self, key: str, wanted: str) -> str:
        """Return the identifier of a key, made from what is wanted."""
        if key not in self.given:
            text, count = wanted, 2
            while text in self.taken:
                text, count = (
                    (f"{wanted}_", count)
                    if text == wanted and wanted in _RESERVED
                    else (f"{wanted}_{count}", count + 1)
                )
            self.taken.add(text)
            self.given[key] = text
        return self.given[key]

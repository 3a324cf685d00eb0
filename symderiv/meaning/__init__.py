"""From syntax to statements over terms: what each formula of a page is and means."""

from symderiv.meaning.goals import (
    Compared,
    applied,
    by_entries,
    compare,
    implicit,
    in_steps,
    names_of,
    one_sided,
    tells,
    twofold,
    unnamed,
    unranged,
    unreached,
)
from symderiv.meaning.page import elaborate
from symderiv.meaning.steps import other_ways

__all__ = [
    "Compared",
    "applied",
    "by_entries",
    "compare",
    "elaborate",
    "implicit",
    "in_steps",
    "names_of",
    "one_sided",
    "other_ways",
    "tells",
    "twofold",
    "unnamed",
    "unranged",
    "unreached",
]

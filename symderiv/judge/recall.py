"""Recall: what earlier comparisons have evaluated, for those that need it again.

Contract. A value is found again only where all that it is made of is the same; its key says what that is,
by value. Nothing is kept of what could not be evaluated. What is kept is not to be written to. Over its
bound everything is forgotten.
Vocabulary. A *token* stands for a long key: equal keys have one token, or, much later, another.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

_MOST = 4_000_000
"""So many numbers are kept."""
_OBJECT = 40
"""A number of many digits counts as so many."""
_ALSO = 20
"""What is kept beside the numbers of an array counts as so many."""


@lru_cache(maxsize=16384)
def token(key: Hashable) -> object:  # noqa: ARG001  the cache tells keys apart
    """Return what stands for a key in other keys: it is compared as an object."""
    return object()


@dataclass(slots=True, eq=False)
class Recall:
    """The grids and tables that a page's steps have needed."""

    solved: dict[Hashable, Any] = field(default_factory=dict)
    """Values that satisfy hypotheses, or None where none were found, by what these are made of."""
    screened: dict[Hashable, tuple[Any, Any]] = field(default_factory=dict)
    """What a brief look at a goal gave, with the context that its key names."""
    _known: dict[Hashable, Any] = field(default_factory=dict)
    _count: int = 0

    def find(self, key: Hashable, make: Callable[[], Any]) -> Any:
        """Return the grid or table of a key, made where it is not known."""
        found = self._known.get(key)
        if found is None:
            found = make()
            data = found.data
            self._count += data.size * (_OBJECT if data.dtype == object else 1) + _ALSO
            if self._count > _MOST:
                self._known.clear()
                self._count = data.size
            self._known[key] = found
        return found

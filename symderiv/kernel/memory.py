"""What the proofs of one page leave to the next: calculi and readers that go on. It only saves work.

A *calculus* goes on under another context where every name that it has met means the same there. A *reader*
goes on for goals without assumptions that agree in all that its algebra takes for granted.
"""

from __future__ import annotations

from collections.abc import Hashable

from symderiv.kernel.calculus import Calculus
from symderiv.kernel.reading import Reader
from symderiv.kernel.terms import Context

CALCULI = 3
"""How many calculi are kept."""
READERS = 8
"""How many readers are kept."""
VARIABLES = 20_000
"""A reader that has made more variables is not kept."""


class Memory:
    """What the goals of one page so far have left."""

    def __init__(self) -> None:
        """Start with nothing."""
        self.calculi: list[Calculus] = []
        self.readers: dict[Hashable, Reader] = {}

    def calculus(self, context: Context) -> Calculus:
        """Return a calculus under a context, one that went before where it may go on."""
        found = next((each for each in self.calculi if each.goes_on(context)), None)
        if found is None:
            found = Calculus(context)
        else:
            self.calculi.remove(found)
        found.context = context
        self.calculi = [found, *self.calculi[: CALCULI - 1]]
        return found

    def reader(self, token: Hashable) -> Reader | None:
        """Return the reader kept under a token, its work not counted yet, or None."""
        found = self.readers.get(token)
        if found is None or found.algebra.count > VARIABLES:
            return None
        found.algebra.work = found.algebra.multiples = 0
        return found

    def keep(self, token: Hashable, reader: Reader) -> None:
        """Keep a reader; the first of too many goes."""
        self.readers.pop(token, None)
        if len(self.readers) == READERS:
            del self.readers[next(iter(self.readers))]
        self.readers[token] = reader

"""What is raised where an expression has no meaning, or none that symderiv knows.

The page catches `Untyped` once a member; *ill-typed* is a mistake of the page, *unknown* a limit of symderiv.
"""

from __future__ import annotations

from typing import Literal

from symderiv.diagnostics import Diagnostic, Span
from symderiv.meaning.advice import ADVICE


class Untyped(Exception):
    """An expression has no meaning, or none that symderiv knows."""

    def __init__(self, outcome: Literal["ill-typed", "unknown"], diagnostic: Diagnostic) -> None:
        """Keep what is to be reported."""
        super().__init__(diagnostic.message)
        self.outcome: Literal["ill-typed", "unknown"] = outcome
        self.diagnostic = diagnostic


def ill_typed(
    code: str, message: str, span: Span, *, label: str = "", notes: tuple[str, ...] = ()
) -> Untyped:
    """Return the error for an expression that is no statement."""
    return Untyped("ill-typed", Diagnostic(code, message, span, notes=notes, label=label))


def unsupported(message: str, span: Span) -> Untyped:
    """Return the error for mathematics that symderiv reads and has no meaning for."""
    return Untyped("unknown", Diagnostic("SD024", message, span, help=ADVICE.get(message)))

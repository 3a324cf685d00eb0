"""symderiv: doctest for derivations.

`verify` judges every step of a document, `load` fetches a page of the library. Both are imported on first
use: `import symderiv` loads neither SymPy nor NumPy.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from symderiv.api import load, verify

__version__ = "0.1.0"
__all__ = ["__version__", "load", "verify"]


def __getattr__(name: str) -> object:
    """Import `verify` and `load` when they are first asked for."""
    if name in {"load", "verify"}:
        from symderiv import api

        return getattr(api, name)
    message = f"module 'symderiv' has no attribute {name!r}"
    raise AttributeError(message)


def __dir__() -> list[str]:
    """List the public names."""
    return sorted(__all__)

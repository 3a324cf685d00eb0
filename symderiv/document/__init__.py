"""File -> `Document`: prose, mathematics, headings and directives, each with its place in the file.

One reader per format; `read` picks it by the file's suffix. Knows nothing of what the mathematics means.
"""

from __future__ import annotations

from pathlib import PurePath
from typing import TYPE_CHECKING

from symderiv.document import markdown, notebook, python, tex

if TYPE_CHECKING:
    from collections.abc import Callable

    from symderiv.document.model import Document

READERS: dict[str, Callable[[str, str], Document]] = {
    ".md": markdown.read,
    ".markdown": markdown.read,
    ".qmd": markdown.read,
    ".rmd": markdown.read,
    ".tex": tex.read,
    ".ipynb": notebook.read,
    ".py": python.read,
}
"""The reader for each suffix of a file's name."""


def read(path: str, text: str) -> Document:
    """Read a document from its text; text under a name without a known suffix is taken for Markdown."""
    return READERS.get(PurePath(path).suffix.lower(), markdown.read)(path, text)

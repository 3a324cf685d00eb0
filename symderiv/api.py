"""The Python API: `verify` and `load`, with the objects that the reports print."""

from __future__ import annotations

import os
import re
import time
from dataclasses import dataclass
from pathlib import Path

from symderiv import __version__, library
from symderiv.budget import Checker
from symderiv.report.model import Report

__all__ = ["Page", "Report", "load", "read", "verify"]

TEXT = "<text>"


@dataclass(frozen=True, slots=True)
class Page:
    """A page of the library: its path, its title and its text."""

    path: str
    title: str
    text: str

    @property
    def source(self) -> str:
        """Where the page says that it comes from: its last paragraph that begins with `Source:`."""
        paragraphs = [" ".join(paragraph.split()) for paragraph in re.split(r"\n\s*\n", self.text)]
        said = [paragraph for paragraph in paragraphs if paragraph.startswith("Source:")]
        return said[-1].removeprefix("Source:").strip() if said else ""


def read(file: Path) -> Page:
    """Return the page in a file; `UnreadableFile` says why it cannot be read."""
    document = library.read(file)
    return Page(document.source.path, document.title, document.source.text)


def load(name: str) -> Page:
    """Return a page of the library by its name, from `./derivations` or from what symderiv carries."""
    return read(library.fetch(name).file)


def verify(path_or_text: str | os.PathLike[str], *, budget: float = 10.0, seed: int = 0) -> Report:
    """Judge every step of a file, a folder, a page of the library, or a text.

    A string with a line break or a `$` in it is a text, any other a path or a name. Each step may take
    `budget` seconds. What cannot be found or read raises; what is wrong inside a page is in the report.
    """
    started = time.monotonic()
    if isinstance(path_or_text, str) and ("\n" in path_or_text or "$" in path_or_text):
        pages = [Page(TEXT, "", path_or_text)]
    else:
        pages = [read(file) for file in library.resolve(os.fspath(path_or_text))]
    with Checker(budget=budget, seed=seed) as checker:
        files = tuple(checker.check(page.path, page.text) for page in pages)
    return Report(files, round(time.monotonic() - started, 3), __version__)

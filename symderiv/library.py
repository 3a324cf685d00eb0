"""Targets and names to files: what `verify`, `show` and `list` work on.

A *target* is a file, a folder or a name. Names are looked up in `./derivations`, then among the pages that
symderiv carries; a name is the page's path in there without its suffix, or the last part of that. A page in
`./derivations` hides one of the same name that symderiv carries.
"""

from __future__ import annotations

import difflib
import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

from symderiv.document.files import find, load
from symderiv.document.model import Document

LOCAL = Path("derivations")


class NotFoundError(Exception):
    """A target that is no file, no folder with derivations and no name; the text is one line that says so."""


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a library or a folder: its name there, and its file."""

    name: str
    file: Path

    @property
    def path(self) -> str:
        """The path as it is shown: relative to the working directory where the file is inside it."""
        return shown(self.file)


def shown(file: Path) -> str:
    """Return a path as it is shown: relative to the working directory where the file is inside it."""
    if not file.is_absolute():
        return file.as_posix()
    here = Path.cwd()
    return file.relative_to(here).as_posix() if file.is_relative_to(here) else str(file)


def builtin() -> Path:
    """Return the folder of the pages that symderiv carries; in a checkout, the one beside the package."""
    package = Path(str(resources.files("symderiv")))
    inside = package / "derivations"
    return inside if inside.is_dir() else package.parent / "derivations"


def names(roots: Sequence[Path] | None = None) -> dict[str, Page]:
    """Return every page by its full name, those of `./derivations` before those that symderiv carries."""
    found: dict[str, Page] = {}
    for root in (LOCAL, builtin()) if roots is None else roots:
        for page in _pages(root):
            found.setdefault(page.name, page)
    return found


def _pages(root: Path) -> Iterator[Page]:
    if root.is_dir():
        for file in map(Path, find([root])):
            yield Page(file.relative_to(root).with_suffix("").as_posix(), file)


def fetch(name: str) -> Page:
    """Return the page of a name; `NotFoundError` says what was meant, or that the name is not clear."""
    known = names()
    if name in known:
        return known[name]
    short = [page for full, page in known.items() if full.rpartition("/")[2] == name]
    if len(short) == 1:
        return short[0]
    if short:
        message = f"{name!r} is not clear: it names {_listed([page.name for page in short])}"
        raise NotFoundError(message)
    message = f"no file, folder or derivation {name!r}{_meant(name, list(known))}"
    raise NotFoundError(message)


def _meant(name: str, known: list[str]) -> str:
    """Return `; did you mean …?` for a near miss, else where to look."""
    lowered = {full.rpartition("/")[2].lower(): full for full in reversed(known)} | {
        full.lower(): full for full in known
    }
    near = difflib.get_close_matches(re.sub(r"\.\w+$", "", name).lower(), lowered, n=3, cutoff=0.6)
    if near:
        return f"; did you mean {_listed(list(dict.fromkeys(lowered[key] for key in near)))}?"
    return "; `symderiv list` tells the names"


def _listed(words: Sequence[str]) -> str:
    quoted = [repr(word) for word in words]
    return quoted[0] if len(quoted) == 1 else ", ".join(quoted[:-1]) + " or " + quoted[-1]


def resolve(target: str) -> list[Path]:
    """Return the files of a target: itself, those of a folder, or the page of a name."""
    path = Path(target)
    if target and os.path.isdir(path):  # noqa: PTH112  unlike the method it never raises
        files = [Path(file) for file in find([path])]
        if not files:
            message = f"{target}: no derivations in this folder"
            raise NotFoundError(message)
        return files
    return [path] if target and os.path.exists(path) else [fetch(target).file]  # noqa: PTH110  as above


def default() -> list[Path]:
    """Return the files for no target: `./derivations` where there is one, else the built-in library."""
    return resolve(str(LOCAL)) if LOCAL.is_dir() else resolve(str(builtin()))


def read(file: Path) -> Document:
    """Return the document in a file, under the path that is shown; `UnreadableFile` says why it cannot."""
    return load(shown(file))

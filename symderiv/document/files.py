"""Files and folders -> documents. Whatever keeps a file from being read is an `UnreadableFile`."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from symderiv.document import READERS, read
from symderiv.document.model import Document

LARGEST = 2_000_000
"""Bytes: a longer file is not a derivation."""
LARGEST_NOTEBOOK = 20_000_000
"""Bytes: a notebook holds its figures too."""


_ENCODINGS = {
    b"latin1": "cp1252",
    b"latin9": "iso8859-15",
    b"ansinew": "cp1252",
    b"cp1252": "cp1252",
    b"cp1251": "cp1251",
    b"koi8-r": "koi8-r",
}
_ENCODING = re.compile(
    rb"^[ \t]*\\usepackage\[(" + b"|".join(map(re.escape, _ENCODINGS)) + rb")\]\{inputenc\}", re.MULTILINE
)
"""What a LaTeX file says of its letters, where they are not UTF-8."""


class UnreadableFile(Exception):
    """A file that cannot be read as a document; as text, one line that names file and line."""

    def __init__(self, path: str, line: int | None, message: str, code: str | None = None) -> None:
        """`line` is None where no line is at fault; `code` is that of a diagnostic, where there is one."""
        super().__init__(path, line, message, code)
        self.path = path
        self.line = line
        self.message = message
        self.code = code

    def __str__(self) -> str:
        """Return `path:line: message`."""
        place = self.path if self.line is None else f"{self.path}:{self.line}"
        return f"{place}: {self.message}"


def load(path: str | os.PathLike[str]) -> Document:
    """Read the document in a file, which must be UTF-8 text of a known format."""
    name = os.fspath(path)
    suffix = Path(name).suffix.lower()
    if suffix not in READERS and Path(name).is_file():
        kind = suffix or "a file without a suffix"
        raise UnreadableFile(name, None, f"{kind} is no format of symderiv, which reads {', '.join(READERS)}")
    text = _decoded(name, _content(name))
    if not text.strip():
        raise UnreadableFile(name, 1, "the file is empty", "SD204")
    document = read(name, text)
    for wrong in document.diagnostics:
        if wrong.code == "SD207":
            line, _ = document.source.position(wrong.span.start)
            raise UnreadableFile(name, line, wrong.message, wrong.code)
    return document


def find(paths: Iterable[str | os.PathLike[str]]) -> tuple[str, ...]:
    """Return the documents that the paths name, each once: a folder gives all in it, sorted.

    A path that is no folder is given as it is, so that `load` can say what is wrong with it. Hidden
    folders, and hidden files in folders, are left out.
    """
    found: dict[str, None] = {}
    for path in paths:
        name = os.fspath(path)
        found.update(dict.fromkeys(_documents(name) if Path(name).is_dir() else [name]))
    return tuple(found)


def _documents(folder: str) -> Iterator[str]:
    """Give the documents below a folder; files before folders, both by name."""
    for parent, folders, files in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith(".") and name != "node_modules")
        for name in sorted(files):
            if not name.startswith(".") and Path(name).suffix.lower() in READERS:
                yield str(Path(parent, name))


def _content(name: str) -> bytes:
    """Return the bytes of a file that is there and not too large."""
    largest = LARGEST_NOTEBOOK if name.lower().endswith(".ipynb") else LARGEST
    try:
        with Path(name).open("rb") as file:
            content = file.read(largest + 1)
    except FileNotFoundError:
        raise UnreadableFile(name, None, "there is no such file") from None
    except IsADirectoryError:
        raise UnreadableFile(name, None, "this is a folder") from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise UnreadableFile(name, None, f"the file cannot be read: {reason.lower()}") from None
    if len(content) > largest:
        raise UnreadableFile(name, None, f"the file is larger than {largest // 1_000_000} MB")
    return content


def _decoded(name: str, content: bytes) -> str:
    """Return UTF-8 text, without the byte-order mark that some editors write, or what LaTeX says it is."""
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        if name.lower().endswith(".tex") and (told := _ENCODING.search(content)):
            return content.decode(_ENCODINGS[told[1]], "replace")
        read_so_far, byte = error.object[: error.start], error.object[error.start]
        line = read_so_far.count(b"\n") + 1
        raise UnreadableFile(name, line, f"the file is not UTF-8 text (byte 0x{byte:02x})", "SD203") from None

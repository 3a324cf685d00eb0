r"""Jupyter notebooks -> `Document`.

The JSON is read as data, with the place of every character of every Markdown cell: `"$\\frac12$"` in the
file is `$\frac12$` in the cell. Cells of code and outputs are not read. Each cell is Markdown of its own,
and `Source.cells` tells where a person finds a place: the number of the cell, counted from 1 over all cells,
and line and column in it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import PurePath

from symderiv.diagnostics import Cell, Diagnostic, Source, Span
from symderiv.document import markdown
from symderiv.document.model import Directive, Document, Heading, Item
from symderiv.document.views import View, complaints, onto, paragraphs

_TOKEN = re.compile(r'"(?:[^"\\]++|\\.)*+"|[{}\[\],:]|[^\s"{}\[\],:]+')
_ESCAPE = re.compile(r"\\(?:u[dD][89abAB]..\\u....|u....|.)|[^\\]", re.DOTALL)
_NOT_JSON = "the file is no notebook: it is not JSON"
_NO_CELLS = "the file is no notebook of format 4: it has no cells"


def read(path: str, text: str) -> Document:
    """Read the Markdown cells of a notebook; whatever is wrong with them is in its diagnostics."""
    source = Source(path, text.removeprefix("\ufeff"))
    wrong = _checked(source)
    if wrong is not None:
        return Document(source, PurePath(path).stem, (), (wrong,))
    views = list(_cells(source.text))
    cells = tuple(
        Cell(number, view.text, view.starts[0], tuple(view.ends)) for number, view in views if view.ends
    )
    source = replace(source, cells=cells)
    items: list[Item] = []
    found: list[Diagnostic] = []
    paragraph = 0
    for _, view in views:
        document = markdown.read(path, view.text, front=False)
        items.extend(onto(view, document, paragraph))
        found.extend(complaints(view, document))
        paragraph += paragraphs(document)
    return Document(source, _title(path, items), tuple(items), tuple(found))


def _title(path: str, items: list[Item]) -> str:
    for item in items:
        if isinstance(item, Directive) and item.word == "title":
            return item.argument
    for item in items:
        if isinstance(item, Heading) and item.text:
            return item.text
    return PurePath(path).stem


def _checked(source: Source) -> Diagnostic | None:
    """Return what keeps a text from being a notebook."""
    try:
        data = json.loads(source.text, parse_int=str, parse_float=str)
    except json.JSONDecodeError as error:
        return Diagnostic("SD207", _NOT_JSON, Span(error.pos, error.pos))
    except RecursionError:
        return Diagnostic("SD207", "the file is no notebook: its JSON is nested too deeply", Span(0, 0))
    if not isinstance(data, dict) or not isinstance(data.get("cells"), list):
        return Diagnostic("SD207", _NO_CELLS, Span(0, 0))
    return None


def _cells(text: str) -> Iterator[tuple[int, View]]:
    """Give the Markdown cells of a text that is a notebook, each with its number."""
    kinds: dict[int, str] = {}
    views: dict[int, View] = {}
    for path, token in _strings(text):
        if len(path) in {3, 4} and path[0] == "cells" and isinstance(path[1], int):
            if path[2:] == ["cell_type"]:
                kinds[path[1]] = json.loads(token.group())
            elif path[2] == "source" and (len(path) == 3 or isinstance(path[3], int)):
                _take(views.setdefault(path[1], View()), token)
    for index, view in sorted(views.items()):
        if kinds.get(index) == "markdown":
            yield index + 1, view


def _strings(text: str) -> Iterator[tuple[list[str | int], re.Match[str]]]:
    """Give the strings of a text that is JSON, keys excepted, each with the keys and numbers that lead to it.

    The path is one list, which changes when the next string is asked for.
    """
    path: list[str | int] = []
    is_key = False
    for match in _TOKEN.finditer(text):
        token = match.group()
        if token in {"{", "["}:
            path.append("" if token == "{" else 0)
            is_key = token == "{"
        elif token in {"}", "]"}:
            path.pop()
            is_key = False
        elif token == ",":
            last = path[-1]
            is_key = isinstance(last, str)
            if not isinstance(last, str):
                path[-1] = last + 1
        elif token.startswith('"') and is_key:
            path[-1] = json.loads(token)
            is_key = False
        elif token.startswith('"'):
            yield path, match


def _take(view: View, token: re.Match[str]) -> None:
    """Append what a string of JSON means, each character with its place; half a character is none."""
    inside = Span(token.start() + 1, token.end() - 1)
    for piece in _ESCAPE.finditer(token.string, inside.start, inside.end):
        meant = json.loads(f'"{piece.group()}"') if piece.group().startswith("\\") else piece.group()
        if len(meant) == 1 and "\ud800" <= meant <= "\udfff":
            meant = "\N{REPLACEMENT CHARACTER}"
        view.take(meant[0], piece.start(), piece.end())
        for character in meant[1:]:
            view.take(character, piece.end(), piece.end())

r"""Docstrings of Python source -> `Document`.

The source is parsed, never run, and its docstrings are read as they are written: `"\frac"` is a command
here, where Python would make a form feed of it. Only where every backslash before a letter is written twice,
`"\\frac"`, does a pair stand for one. A docstring is read as Markdown, to which its reStructuredText is
turned first: `.. math::` blocks, literal blocks, underlined titles. Each docstring is a section under that
of its class, headed by the name of what it documents; the one of the module comes first.
"""

from __future__ import annotations

import ast
import re
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import PurePath

from symderiv.diagnostics import Diagnostic, Source, Span
from symderiv.document import markdown
from symderiv.document.model import Document, Heading, Item
from symderiv.document.views import View, complaints, onto, paragraphs

_Documented = ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef

_PIECE = re.compile(
    r"""(?P<prefix>[rRuU]?)(?P<quotes>\"\"\"|'{3}|["'])(?P<inside>(?:\\.|(?!(?P=quotes)).)*+)(?P=quotes)""",
    re.DOTALL,
)
_ONCE = re.compile(r"(?<!\\)(?:\\\\)*\\[A-Za-z]")
_TWICE = re.compile(r"(?<!\\)(?:\\\\)+[A-Za-z]")
_LONE_RETURN = re.compile(r"\r(?!\n)")

_MATH = re.compile(r"\.\. math::[ \t]*")
_SPOKEN = re.compile(r"\.\. +(?=symderiv\b)")
_CODE = re.compile(
    r"\.\. (?:code|code-block|sourcecode|plot|testcode|testoutput|testsetup|doctest|ipython|literalinclude|"
    r"parsed-literal|raw|prompt|highlight|image|figure|graphviz|bibliography)::"
)
_FENCE = re.compile(r"```|~~~(?![~\s]*$)")
_LINE_OF_ONE = re.compile(r"""([~^"'*+#])\1{2,}[ \t\r]*""")
_ENDS = re.compile(r"\\(begin|end)\{")


def read(path: str, text: str) -> Document:
    """Read the docstrings of Python source; whatever is wrong with them is in its diagnostics."""
    source = Source(path, text.removeprefix("\ufeff"))
    parsed = _parsed(source)
    if isinstance(parsed, Diagnostic):
        return Document(source, PurePath(path).stem, (), (parsed,))
    items: list[Item] = []
    found: list[Diagnostic] = []
    number = 0
    title = ""
    for docstring in sorted(_docstrings(source, parsed), key=lambda each: each.span.start):
        view = _as_markdown(_view(source.text, docstring.span))
        document = markdown.read(path, view.text, front=False)
        if docstring.depth:
            head = Span(docstring.span.start, docstring.span.start)
            items.append(Heading(min(docstring.depth, 6), docstring.name, head))
        elif document.title != PurePath(path).stem:
            title = document.title
        for item in onto(view, document, number):
            if isinstance(item, Heading):
                items.append(Heading(min(item.level + docstring.depth, 6), item.text, item.span))
            else:
                items.append(item)
        found.extend(complaints(view, document))
        number += paragraphs(document)
    return Document(source, title or PurePath(path).stem, tuple(items), tuple(found))


# From Python to the characters of its docstrings


@dataclass(frozen=True, slots=True)
class _Docstring:
    """A string that documents something; `depth` is 0 for that of the module."""

    name: str
    depth: int
    span: Span


def _parsed(source: Source) -> ast.Module | Diagnostic:
    text = _LONE_RETURN.sub("\n", source.text)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return ast.parse(text)
    except SyntaxError as error:
        line = min(max(error.lineno or 1, 1), len(source.starts))
        start = source.starts[line - 1]
        span = Span(start, start + len(source.line(line)))
        return Diagnostic("SD207", f"the file is no Python: {' '.join(str(error.msg).split())}", span)
    except (RecursionError, MemoryError, ValueError):
        return Diagnostic("SD207", "the file is no Python that can be parsed", Span(0, 0))


def _docstrings(source: Source, parsed: ast.Module) -> Iterator[_Docstring]:
    """Give the docstrings below a module, in any order."""
    text = _LONE_RETURN.sub("\n", source.text)
    lines = [0, *(match.end() for match in re.finditer("\n", text))]

    def offset(line: int, column: int) -> int:
        start = lines[line - 1]
        before = text[start : start + column]
        return start + (column if before.isascii() else len(_bytes(before, column)))

    waiting: list[tuple[ast.AST, int]] = [(parsed, 0)]
    while waiting:
        node, depth = waiting.pop()
        if isinstance(node, _Documented):
            first = node.body[0] if node.body else None
            if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant):
                said = first.value
                if isinstance(said.value, str) and said.end_lineno is not None:
                    start = offset(said.lineno, said.col_offset)
                    end = offset(said.end_lineno, said.end_col_offset or 0)
                    name = "" if isinstance(node, ast.Module) else node.name
                    yield _Docstring(name, depth, Span(start, end))
            depth += 1
        if not isinstance(node, ast.expr):
            waiting.extend((child, depth) for child in ast.iter_child_nodes(node))


def _bytes(text: str, count: int) -> str:
    """Return the characters that make up the first bytes of a text, as UTF-8 counts them."""
    return text[:count].encode("utf-8", "surrogatepass")[:count].decode("utf-8", "ignore")


def _view(text: str, span: Span) -> View:
    """Return what stands in a string, or in several in a row, as it is written."""
    view = View()
    for piece in _PIECE.finditer(text, span.start, span.end):
        inside = piece["inside"]
        raw = piece["prefix"] in {"r", "R"}
        doubled = not raw and _TWICE.search(inside) is not None and _ONCE.search(inside) is None
        at, start = 0, piece.start("inside")
        while at < len(inside):
            width = 2 if doubled and inside.startswith("\\\\", at) else 1
            view.take(inside[at], start + at, start + at + width)
            at += width
    return view


# From reStructuredText to Markdown


@dataclass(frozen=True, slots=True)
class _Line:
    """A line of a view: where its text begins and where it ends, and how far it is indented."""

    start: int
    end: int
    indent: int
    text: str


def _lines(text: str) -> list[_Line]:
    lines = []
    at = 0
    for line in text.split("\n"):
        inside = line.strip(" \t\r")
        indent = len(line) - len(line.lstrip(" \t\r")) if inside else 0
        lines.append(_Line(at + indent, at + indent + len(inside), indent, inside))
        at += len(line) + 1
    return lines


def _as_markdown(view: View) -> View:
    """Return a docstring as Markdown without indentation; code in it is left out."""
    new = View()
    lines = _lines(view.text)
    at, fenced = 0, False
    while at < len(lines):
        line = lines[at]
        if _FENCE.match(line.text):
            fenced = not fenced
        elif not fenced and (skipped := _block(view, new, lines, at)):
            at += skipped
            continue
        before = lines[at - 1].text if at else ""
        if not fenced and before and _LINE_OF_ONE.fullmatch(line.text):
            new.add("---", _place(view, line.start))
        else:
            new.copy(view, line.start, line.end)
        new.add("\n", _place(view, line.end))
        at += 1
    return new


def _place(view: View, at: int) -> int:
    """Return where in the file a character of a view begins, or the last one ends."""
    if at < len(view.starts):
        return view.starts[at]
    return view.ends[-1] if view.ends else 0


def _block(view: View, new: View, lines: list[_Line], at: int) -> int:
    """Take a block of reStructuredText that begins on a line; return its number of lines, or 0."""
    line = lines[at]
    if line.text.startswith(">>>"):
        return _until_blank(lines, at)
    if opened := _MATH.match(line.text):
        inside = _below(lines, at)
        first = _Line(line.start + opened.end(), line.end, line.indent, line.text[opened.end() :])
        for part in _equations([first, *lines[at + 1 : at + inside]]):
            place = _place(view, part[0].start)
            new.add("\n```math\n", place)
            for each in part:
                new.copy(view, each.start, each.end)
                new.add("\n", _place(view, each.end))
            new.add("```\n\n", _place(view, part[-1].end))
        return inside
    if spoken := _SPOKEN.match(line.text):
        new.add("\n<!-- ", _place(view, line.start))
        new.copy(view, line.start + spoken.end(), line.end)
        new.add(" -->\n\n", _place(view, line.end))
        return 1
    if _CODE.match(line.text):
        return _below(lines, at)
    if line.text.endswith("::") and not line.text.startswith(".. "):
        new.copy(view, line.start, line.end)
        new.add("\n\n", _place(view, line.end))
        return _below(lines, at)
    return 0


def _until_blank(lines: list[_Line], at: int) -> int:
    count = 1
    while at + count < len(lines) and lines[at + count].text:
        count += 1
    return count


def _below(lines: list[_Line], at: int) -> int:
    """Return the number of lines of a block: the first one and those further in, blank ones between too."""
    last = at
    for index in range(at + 1, len(lines)):
        if lines[index].text:
            if lines[index].indent <= lines[at].indent:
                break
            last = index
    return last - at + 1


def _equations(lines: list[_Line]) -> Iterator[list[_Line]]:
    """Give the equations of a `.. math::` block: blank lines part them, except inside an environment."""
    part: list[_Line] = []
    depth = 0
    for line in lines:
        if line.text:
            if not (line.text.startswith(":") and not part):
                part.append(line)
            depth += sum(1 if verb == "begin" else -1 for verb in _ENDS.findall(line.text))
        elif part and depth <= 0:
            yield part
            part = []
    if part:
        yield part

"""What a page establishes, as text: Unicode for a terminal, LaTeX for a paper, NumPy, JSON.

`show` reads a page and writes its definitions and derivatives as the kernel derived them. Text of the page
reaches the output as names and headings only, stripped to letters, digits and plain punctuation.
"""

from __future__ import annotations

import json
import re
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

from rich.cells import cell_len

from symderiv.document import read
from symderiv.kernel.terms import D, Index, KernelError, name_of
from symderiv.meaning import elaborate
from symderiv.meaning.established import Established, Fact, established
from symderiv.meaning.model import Page
from symderiv.meaning.notation import LATEX, UNICODE, Style, Writer, entry_form, matrix_form, writer
from symderiv.meaning.notation.matrices import Form, NoForm, leaves
from symderiv.meaning.notation.printing import write
from symderiv.report.numpy_code import source

WIDTH = 80
_INDENT = "  "
_TIED = "\0"
"""Stands for a space at which no line may end."""


@dataclass(frozen=True, slots=True)
class Lines:
    """A fact in one style: left and right side in entry form and, where it has one, in matrix form."""

    entry: tuple[str, str]
    matrix: tuple[str, str] | None
    given: tuple[str, ...] = ()
    """The assumptions that the page makes for it."""


@dataclass(frozen=True, slots=True)
class Opened:
    """A page that was read, and what it establishes."""

    page: Page
    found: Established


def show(path: str, text: str, form: str) -> str:
    """Return what a page establishes, in one of the forms unicode, latex, numpy and json."""
    return written(opened(path, text), form)


def opened(path: str, text: str) -> Opened:
    """Read a page and derive what it establishes."""
    document = read(path, text)
    page = elaborate(document)
    return Opened(page, established(page, document))


def written(opened: Opened, form: str) -> str:
    """Write what a page establishes in a form."""
    return _FORMS[form](opened.page, opened.found)


# ---------------------------------------------------------------------- one fact


Functions = Mapping[str, tuple[str, ...]]


def lines(fact: Fact, styles: Sequence[Style], functions: Functions) -> list[Lines | None]:
    """Return a fact in some styles; None where it has no notation."""
    form = None
    if (
        len(fact.slots) <= 2
        and name_of(fact.head.args[0] if isinstance(fact.head, D) else fact.head) is not None
    ):
        form = matrix_form(fact.value, fact.slots, fact.ranges, fact.context, row=fact.row)
        if form is not None and not leaves(form) and not fact.slots:
            form = None
    return [_lines(fact, form, style, functions) for style in styles]


def _lines(fact: Fact, form: Form | None, style: Style, functions: Functions) -> Lines | None:
    writes = writer(style, [fact.head, fact.value], fact.slots, functions=functions)
    try:
        entries = (writes.write(fact.head).text, entry_form(fact.value, writes))
        whole = None
        if form is not None:
            whole = (_whole_head(fact, writes), write(form, writes).text)
    except (KernelError, NoForm):
        return None
    return Lines(entries, whole if whole != entries else None, tuple(_given(fact, style)))


def _given(fact: Fact, style: Style) -> Iterator[str]:
    """Yield the assumptions that a fact rests on; one that has no notation is left out."""
    for assumption in fact.given:
        free = sorted((s for s in assumption.free_symbols if isinstance(s, Index)), key=str)
        writes = writer(style, list(assumption.args), tuple(free))
        try:
            yield " = ".join(entry_form(side, writes) for side in assumption.args)
        except (KernelError, NoForm):
            continue


def _whole_head(fact: Fact, writes: Writer) -> str:
    """Write the head of a fact without indices."""
    if isinstance(fact.head, D):
        of, *by = (writes.style.name(str(name_of(part))) for part in fact.head.args)
        return writes.style.derivative(of, tuple(by), named=True).text
    return writes.applied(str(name_of(fact.head))).text


def _sections(found: Established) -> Iterator[tuple[str, list[Fact]]]:
    for section, facts in groupby(found.facts, key=lambda fact: fact.section):
        yield section, list(facts)


def _symbols(page: Page) -> list[tuple[str, tuple[str, ...]]]:
    """Return the names of a page and their shapes; a name that two sections use has one for each."""
    return list(
        dict.fromkeys((symbol.name, symbol.shape) for symbol in page.symbols if not symbol.name.isdigit())
    )


def plain(text: str) -> str:
    """Return a heading with nothing in it that a terminal, TeX or Python would act on."""
    return " ".join(re.sub(r"[^\w ,.;:()+'’–—-]", " ", text.replace("_", " ")).split())


# ---------------------------------------------------------------------- Unicode


def _unicode(page: Page, found: Established) -> str:
    out = [plain(page.title) or page.source.path, ""]
    shapes = ", ".join(_shaped(name, shape).replace(" ", _TIED) for name, shape in _symbols(page))
    if shapes:
        wrapped = textwrap.wrap(shapes, WIDTH, initial_indent=_INDENT, subsequent_indent=_INDENT)
        out += [*(line.replace(_TIED, " ") for line in wrapped), ""]
    for section, facts in _sections(found):
        if section:
            out += [plain(section), ""]
        for fact in facts:
            (shown,) = lines(fact, [UNICODE], page.functions)
            if shown is None:
                out += [f"{_INDENT}line {fact.line}: this fact has no notation", ""]
                continue
            out += _equations([shown.entry, *([shown.matrix] if shown.matrix is not None else [])])
            out += [f"{_INDENT * 2}given {each}" for each in shown.given]
            out.append("")
    for each in found.omitted:
        out += [f"{_INDENT}line {each.line}: not derived: {plain(each.reason)}", ""]
    if not found.facts and not found.omitted:
        out += [f"{_INDENT}This page defines nothing and derives nothing.", ""]
    return "\n".join(out).rstrip()


def _shaped(name: str, shape: tuple[str, ...]) -> str:
    head = UNICODE.name(name).text
    if not shape:
        return f"{head} ∈ ℝ"
    sizes = "×".join(UNICODE.name(size).text if size.isidentifier() else size for size in shape)
    return f"{head} ∈ ℝ^{sizes}" if len(shape) == 1 and len(sizes) == 1 else f"{head} ∈ ℝ^({sizes})"


def _equations(equations: Sequence[tuple[str, str]]) -> list[str]:
    """Write equations under one another, their signs aligned; one that is too wide goes on below."""
    width = max(cell_len(left) for left, _ in equations)
    out = []
    for left, right in equations:
        head = f"{_INDENT}{left}{' ' * (width - cell_len(left))} = "
        if cell_len(head + right) <= WIDTH:
            out.append(head + right)
            continue
        out.append(head.rstrip())
        room = WIDTH - 2 * len(_INDENT) - 2
        wrapped = textwrap.wrap(right, room, break_long_words=False, break_on_hyphens=False)
        out.extend(f"{_INDENT * 3}{line}" for line in wrapped)
    return out


# ---------------------------------------------------------------------- LaTeX


def _latex(page: Page, found: Established) -> str:
    out = [f"% {plain(page.title)}: derived by symderiv; needs amsmath"]
    several = len({fact.section for fact in found.facts}) > 1
    for section, facts in _sections(found):
        if several:
            out.append(f"\\paragraph{{{_tex(section or page.title)}.}}")
        rows: list[str] = []
        for fact in facts:
            (shown,) = lines(fact, [LATEX], page.functions)
            if shown is None:
                out.append(f"% line {fact.line}: this fact has no notation")
                continue
            for left, right in (shown.entry, *([shown.matrix] if shown.matrix is not None else [])):
                given = "".join(f" \\quad \\text{{given }} {each}" for each in shown.given)
                rows.append(f"  {left} &= {right}{given}")
        if rows:
            out += ["\\begin{align*}", " \\\\[4pt]\n".join(rows), "\\end{align*}"]
    out += [f"% line {each.line}: not derived: {plain(each.reason)}" for each in found.omitted]
    return "\n".join(out)


def _tex(text: str) -> str:
    return plain(text).rstrip(".")


# ---------------------------------------------------------------------- JSON


def _json(page: Page, found: Established) -> str:
    facts = []
    for fact in found.facts:
        unicode, latex = lines(fact, [UNICODE, LATEX], page.functions)
        facts.append(
            {
                "kind": fact.kind,
                "section": fact.section,
                "line": fact.line,
                "unicode": _sides(unicode),
                "latex": _sides(latex),
                "given": list(unicode.given) if unicode is not None else [],
                "shape": [str(fact.ranges[slot]) for slot in fact.slots if slot in fact.ranges],
            }
        )
    data = {
        "path": page.source.path,
        "title": page.title,
        "symbols": [{"name": name, "shape": list(shape)} for name, shape in _symbols(page)],
        "facts": facts,
        "omitted": [{"line": each.line, "reason": each.reason} for each in found.omitted],
    }
    return json.dumps(data, ensure_ascii=False, indent=2)


def _sides(shown: Lines | None) -> dict[str, dict[str, str] | None]:
    if shown is None:
        return {"entry": None, "matrix": None}
    return {"entry": _pair(shown.entry), "matrix": _pair(shown.matrix)}


def _pair(sides: tuple[str, str] | None) -> dict[str, str] | None:
    return None if sides is None else {"left": sides[0], "right": sides[1]}


_FORMS = {"unicode": _unicode, "latex": _latex, "numpy": source, "json": _json}

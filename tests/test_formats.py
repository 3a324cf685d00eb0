"""Docstrings and notebooks are read as Markdown is, with verdicts at the places where a person finds them."""

from __future__ import annotations

import json
import re
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pages import judged

from symderiv.document import read
from symderiv.document.files import LARGEST, UnreadableFile, find, load
from symderiv.document.model import Directive, Document, Heading, MathSpan, Prose
from symderiv.report import full
from symderiv.report.model import FileReport


def mathematics(name: str, text: str) -> list[str]:
    return [" ".join(i.text.split()) for i in read(name, text).items if isinstance(i, MathSpan)]


def assert_in_place(document: Document) -> None:
    """Every item lies in the file, in order, and mathematics is as long as what is written for it."""
    starts = []
    for item in document.items:
        spans = [item.span]
        if isinstance(item, MathSpan):
            assert len(item.text) == item.span.end - item.span.start
            spans.append(item.outer)
        if isinstance(item, Directive):
            assert all(len(each.text) == each.span.end - each.span.start for each in item.mathematics)
            spans += [each.span for each in item.mathematics]
        assert all(0 <= span.start <= span.end <= len(document.source.text) for span in spans)
        starts.append(min(span.start for span in spans))
    assert starts == sorted(starts)
    for found in document.diagnostics:
        assert 0 <= found.span.start <= found.span.end <= len(document.source.text)


def verdicts(file: FileReport) -> list[tuple[str | None, int | None, int, int]]:
    """Verdict, cell, line and column of each step."""
    return [
        (each.verdict, each.span.cell, each.span.line, each.span.column)
        for each in file.statements
        if each.verdict
    ]


def place(text: str, before: str, here: str) -> tuple[int, int]:
    """Return line and column, from 1, of `here` in the only place where it follows `before`."""
    assert text.count(before + here) == 1
    lines = text[: text.index(before + here) + len(before)].split("\n")
    return len(lines), len(lines[-1]) + 1


# Quarto, MyST, kramdown


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("中文$a$中文，$b=1$。", ["a", "b=1"]),
        ("设$x$、$y$为$5$元", ["x", "y", "5"]),
        ("it costs $5 and $6, but $a$ is", ["a"]),
        ("$$ a $$ {#eq-x}\n\n$$\nb\n$$ {#eq-y}", ["a", "b"]),
        ("```{r}\n$a$\n```\n\n```{python}\n#| label: $a$\n$b$\n```\n`r $c$`", []),
        ("---\ntitle: $a$\n---\n$b$", ["b"]),
        ('::: {.callout-note title="$a$"}\n$b$\n:::', ["b"]),
        ("::: note\n\n```sh\n:::\n$a$\n```\n\n$b$\n:::", ["b"]),
        ("{math}`a` and :math:`b` and `c` and {code}`d`", ["a", "b"]),
        ("```{math}\n:label: x\na\n```", ["a"]),
        ("```{math}\n---\nlabel: x\n---\na\n```", ["a"]),
        (":::{math}\n:label: x\na\n:::\n$b$", ["a", "b"]),
        (":::{math}\na", ["a"]),
        ("```{note}\n$a$\n```\n$b$", ["a", "b"]),
        ("````{prf:proof} Of $a$\nso $b$\n```{math}\nc\n```\n```sh\n$d$\n```\n````\n$e$", ["b", "c", "e"]),
        ("> ```{tip}\n> $a$\n> ```\n> $b$", ["a", "b"]),
        ("```{code-cell}\n$a$\n```", []),
        ("so $$a$$ is \\\\(b\\\\)\n\n\\\\[c\\\\]", ["a", "b", "c"]),
        ('<script type="math/tex">a</script> <script>$b$</script> <latex>c</latex>', ["a", "c"]),
        ('<script type="math/tex; mode=display">% <![CDATA[\na %]]></script>', ["a"]),
        ("\\begin{align}\na\n\\end{align}", ["\\begin{align} a \\end{align}"]),
        ("$$ a\n\n# H\n\n$$ b $$", ["b"]),
    ],
)
@pytest.mark.parametrize("ends", ["\n", "\r\n"])
def test_the_markdown_of_other_renderers(text: str, expected: list[str], ends: str) -> None:
    written = text.replace("\n", ends)
    for mark in ("", "\ufeff"):
        document = read("page.qmd", mark + written)
        spans = [item for item in document.items if isinstance(item, MathSpan)]
        assert [" ".join(span.text.split()) for span in spans] == expected
        assert_in_place(document)
        for span in spans:
            first = span.text.split()[0]
            line, column = document.source.position(span.span.start + span.text.index(first))
            assert document.source.line(line)[column - 1 :].startswith(first)
            assert text.split("\n")[line - 1][column - 1 :].startswith(first)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('<script type="math/tex; mode=display">a</script>', True),
        ('<script type="math/tex">a</script>', False),
        (":::{math}\na\n:::", True),
        ("{math}`a`", False),
        ("```{note}\n$$ a $$\n```", True),
    ],
)
def test_what_is_a_display(text: str, expected: bool) -> None:
    assert [i.display for i in read("a.md", text).items if isinstance(i, MathSpan)] == [expected]


def test_the_marks_of_a_callout_are_no_words() -> None:
    text = "::: {.callout-tip}\n## Tip\none\n:::\n\n:::{math}\na\n:::\ntwo\n\n```{note}\nthree\n```\n"
    found = [item.text for item in read("a.md", text).items if isinstance(item, Heading | Prose)]
    assert found == ["Tip", "one", "two", "three"]


# Docstrings


MODULE = r'''"""Squares.

Let $x \in \mathbb{R}^n$ and $f = \sum_k x_k^2$. é
"""


def gradient(x):
    """The gradient, which costs $5 or $6.

    .. math::
        :label: gradient

        \frac{\partial f}{\partial x_i} = 2 x_i

        \frac{\partial f}{\partial x_i} = 3 x_i

    It is :math:`\frac{\partial f}{\partial x_i} = x_i + x_i`, as in::

        $\partial f = 7$

    Example
    ~~~~~~~

        $$
        \frac{\partial f}{\partial x_i}
        = x_i
        $$

    >>> "$x_1 = 3$"

    .. symderiv: expect refuted
    .. math:: \frac{\partial f}{\partial x_i} = 5 x_i
    """
    r"""$x_1 = 8$"""
    return "$x_1 = 9$"


class Other:
    def method(self):
        "é Let $y \\in \\mathbb{R}^n$, $g = \\sum_k y_k$, so $\\frac{\\partial g}{\\partial y_i} = 2$"
'''


@pytest.mark.parametrize("ends", ["\n", "\r\n"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_docstrings_get_their_verdicts_in_their_places(ends: str, mark: str, tmp_path: Path) -> None:
    r"""$\partial_i \sum_k x_k^2 = 2 x_i$, and $\partial_i \sum_k y_k = 1$; all else is false."""
    path = tmp_path / "squares.py"
    path.write_text(mark + MODULE, newline=ends, encoding="utf-8")
    document = load(path)
    assert_in_place(document)
    assert verdicts(judged(document.source.text, str(path))) == [
        ("proved", None, *place(MODULE, "= ", "2 x_i\n")),
        ("refuted", None, *place(MODULE, "= ", "3 x_i\n")),
        ("proved", None, *place(MODULE, "= ", "x_i + x_i`")),
        ("refuted", None, *place(MODULE, "= ", "x_i\n        $$")),
        ("refuted", None, *place(MODULE, "= ", "5 x_i\n")),
        ("refuted", None, *place(MODULE, "= ", '2$"')),
    ]


@pytest.mark.parametrize(
    ("docstring", "expected"),
    [
        (r'"$\frac{a}{b}$"', [r"\frac{a}{b}"]),
        (r'r"$\text{a} \\ b$"', [r"\text{a} \\ b"]),
        (r'"$\\frac{a}{b} \\\\ c$"', [r"\frac{a}{b} \\ c"]),
        (r'"$\frac{a}{b} \\ c$"', [r"\frac{a}{b} \\ c"]),
        (r'"$a \\ b$"', [r"a \\ b"]),
        ("'''$a$''' r'$b$'", ["a", "b"]),
        ('f"$a$"', []),
        ('b"$a$"', []),
        ('x = "$a$"', []),
        ('"""\n.. math::\n\n   a\n\n   b\n\nc\n"""', ["a", "b"]),
        ('"""\n.. math::\n   \\begin{aligned}\n   a\n\n   b\n   \\end{aligned}\n"""',
         [r"\begin{aligned} a b \end{aligned}"]),
        ('"""\n.. math:: a\n   = b\n"""', ["a = b"]),
        ('"""\n.. code-block:: sh\n\n   $a$ $b$\n\n$c$\n"""', ["c"]),
        ('"""\n.. note:: $a$\n\n   $b$\n"""', ["a", "b"]),
        ('"""\nTitle\n~~~~~\n$a$\n"""', ["a"]),
        ('"""\n```python\n$a$\n```\n$b$\n"""', ["b"]),
        ('"""\nArgs:\n\n    x: the size $n$\n"""', ["n"]),
    ],
)  # fmt: skip
def test_what_is_read_in_a_docstring(docstring: str, expected: list[str]) -> None:
    assert mathematics("page.py", docstring + "\n") == expected


def test_each_docstring_is_a_section() -> None:
    text = '"$a$"\nclass C:\n  "$b$"\n  def m(self):\n    "# T"\nasync def f():\n  "$c$"\n'
    document = read("page.py", text)
    found = [(i.level, i.text) if isinstance(i, Heading) else i.text for i in document.items]  # type: ignore[union-attr]
    assert found == ["a", (1, "C"), "b", (2, "m"), (3, "T"), (1, "f"), "c"]


# Notebooks


def notebook(*cells: str | list[str], kinds: dict[int, str] | None = None, indent: int | None = 1) -> str:
    """Return a notebook of these sources, Markdown where nothing else is said; cells count from 1."""
    made = [
        {"cell_type": (kinds or {}).get(number, "markdown"), "metadata": {"source": "$z$"}, "source": source}
        for number, source in enumerate(cells, 1)
    ]
    return json.dumps({"cells": made, "metadata": {"cells": ["$z$"]}, "nbformat": 4}, indent=indent)


CELLS = (
    "x = 3  # $x_1 = 3$",
    [
        '# A "square" 中文$f$中文 \U0001d465\n',
        "\n",
        "Let $x \\in \\mathbb{R}^n$ and $f = \\sum_k x_k^2$.\n",
        "$$\n",
        "\\begin{aligned}\n",
        "\\frac{\\partial f}{\\partial x_i} &= 2 x_i \\\\\n",
        "\t&= \\frac{6 x_i}{2}\n",
        "\\end{aligned}\n",
        "$$",
    ],
    "so $\\frac{\\partial f}{\\partial x_i} = \\frac{4 x_i}{2}$.",
)


@pytest.mark.parametrize("indent", [None, 1, 4])
def test_a_notebook_gets_its_verdicts_in_its_cells(indent: int | None, tmp_path: Path) -> None:
    r"""$\partial_i \sum_k x_k^2 = 2 x_i = \frac{4 x_i}{2}$ and not $\frac{6 x_i}{2}$."""
    path = tmp_path / "squares.ipynb"
    path.write_text(notebook(*CELLS, kinds={1: "code"}, indent=indent))
    document = load(path)
    assert_in_place(document)
    file = judged(document.source.text, str(path))
    second = "".join(CELLS[1])
    assert verdicts(file) == [
        ("proved", 2, *place(second, "&= ", "2 x_i")),
        ("refuted", 2, *place(second, "&= ", r"\frac{6")),
        ("proved", 3, *place(CELLS[2], "= ", r"\frac{4")),
    ]
    assert file.title == 'A "square" 中文$f$中文 \U0001d465'
    assert [each.left for each in file.statements if each.verdict][2] == r"\frac{\partial f}{\partial x_i}"


def test_an_excerpt_shows_the_line_of_the_cell() -> None:
    text = notebook("a", "Let $x \\in \\mathbb{R}^n$.\n\n$$\\sum_k x_k = \\sum_k x_k^2$$")
    lines = [line.plain for line in full.render_file(judged(text, "a.ipynb"), text, 80)]
    at = lines.index("error[SD001]: this step is false")
    column = len(r"$$\sum_k x_k = ") + 1
    assert lines[at + 1 : at + 4] == [
        f" --> a.ipynb:cell 2:3:{column}",
        "  |",
        r"3 | $$\sum_k x_k = \sum_k x_k^2$$",
    ]
    assert lines[at + 4].startswith("  | " + " " * (column - 1) + "^" * len(r"\sum_k x_k^2") + " ")


def test_only_markdown_cells_are_read() -> None:
    text = notebook("$a$", "$b$", ["$c", "$"], "$d$", kinds={1: "code", 2: "raw"})
    assert mathematics("page.ipynb", text) == ["c", "d"]


def test_what_is_open_in_a_cell_ends_with_it() -> None:
    document = read("page.ipynb", notebook("---\n$$ a", "$b$\n---"))
    (found,) = document.diagnostics
    cell = document.source.cell(found.span)
    assert cell is not None
    assert (found.code, cell.number, cell.position(found.span.start)) == ("SD202", 1, (2, 1))
    assert mathematics("page.ipynb", notebook("---\n$$ a", "$b$\n---")) == ["b"]


def test_a_notebook_may_be_large_for_its_figures(tmp_path: Path) -> None:
    path = tmp_path / "figures.ipynb"
    path.write_text(notebook("x" * (LARGEST + 1), "$a$", kinds={1: "code"}))
    assert [item.text for item in load(path).items if isinstance(item, MathSpan)] == ["a"]


def test_half_a_character_is_none() -> None:
    text = notebook("$a$ X $b$").replace("X", "\\ud800")
    assert mathematics("page.ipynb", text) == ["a", "b"]
    text.encode()
    read("page.ipynb", text).source.cells[0].text.encode()


# What is refused


@pytest.mark.parametrize(
    ("name", "text", "line", "message"),
    [
        ("a.ipynb", '{"cells": [\n}', 2, "the file is no notebook: it is not JSON"),
        ("a.ipynb", "[" * 100_000, 1, "the file is no notebook: its JSON is nested too deeply"),
        ("a.ipynb", "[]", 1, "the file is no notebook of format 4: it has no cells"),
        ("a.ipynb", '{"worksheets": []}', 1, "the file is no notebook of format 4: it has no cells"),
        ("a.py", "x = 1\ndef f(:\n", 2, "the file is no Python: invalid syntax"),
        ("a.py", "x = '\0'", 1, "the file is no Python"),
        ("a.py", "(" * 100_000, 1, "the file is no Python"),
        ("a.py", "x = " + "-" * 100_000 + "1", 1, "the file is no Python"),
    ],
)
def test_a_file_that_is_not_what_its_name_says(
    name: str, text: str, line: int, message: str, tmp_path: Path
) -> None:
    path = tmp_path / name
    path.write_text(text)
    with pytest.raises(UnreadableFile) as raised:
        load(path)
    assert (raised.value.line, raised.value.code) == (line, "SD207")
    assert raised.value.message.startswith(message)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize("name", ["a.ipynb", "a.py", "a.tex"])
def test_bytes_that_are_no_text_are_refused(name: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(b"\x89PNG\r\n\x1a\n\xff\x00")
    with pytest.raises(UnreadableFile, match="is not UTF-8 text"):
        load(tmp_path / name)


# Any text

_PIECES = (
    *(
        '"""',
        "'''",
        '"',
        "'",
        "r",
        "\n",
        "\n\n",
        "\r\n",
        "    ",
        "  ",
        "$",
        "$$",
        "\\",
        "\\\\",
        "\\frac",
        "é",
    ),
    *(".. math::", ":math:`", "`", "::", ">>>", "```", "a", "~~~~", ".. symderiv: skip", "{math}`", "\x0c"),
    *("def f():\n", "class A:\n", ":label: x", "\\begin{", "\\end{", "\ufeff"),
)


@given(st.lists(st.sampled_from(_PIECES), max_size=30).map("".join))
def test_any_docstring_is_a_document(inside: str) -> None:
    quoted = re.sub(r'"(?="")', "'", inside).removesuffix("\\").removesuffix('"')
    assert_in_place(read("page.py", f'def f():\n    """{quoted}"""\n'))
    assert_in_place(read("page.py", inside))


@given(st.lists(st.lists(st.one_of(st.sampled_from(_PIECES), st.text(max_size=3)), max_size=9), max_size=3))
def test_any_cells_are_a_document(cells: list[list[str]]) -> None:
    document = read("page.ipynb", notebook(*cells))
    assert_in_place(document)
    for item in document.items:
        if isinstance(item, MathSpan):
            cell = document.source.cell(item.span)
            assert cell is not None
            assert (
                item.text.replace(" ", "") == re.sub(r"[ \r]", "", document.source.written(item.span))
                or ">" in cell.text
            )


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.py", '"""' + "a::\n" * 3_000 + '"""'),
        ("a.py", '"""' + "".join(" " * (i % 200) + "a::\n" for i in range(2_000)) + '"""'),
        ("a.py", '"""' + ".. math::\n" * 5_000 + '"""'),
        ("a.py", '"""' + "\\\\" * 30_000 + '"""'),
        ("a.py", "def f():\n  'a'\n" * 1_000),
        ("a.py", '"" ' * 30_000),
        ("a.ipynb", notebook(*["$a$"] * 1_000)),
        ("a.ipynb", notebook("\\" * 100_000)),
        ("a.ipynb", '{"cells": ' + "[" * 500 + "]" * 500 + "}"),
        ("a.md", ":math:`" * 5_000),
        ("a.md", "```{note}\n" * 5_000),
        ("a.md", ":::\n" * 10_000),
        ("a.md", "`" * 5_000 + "{note}\n" + "".join("`" * n + "{note}\n" for n in range(300, 3, -1))),
        ("a.md", "<script type='math/tex'>" * 5_000),
    ],
    ids=lambda text: text[:12],
)
def test_hostile_files_take_no_more_than_linear_time(name: str, text: str) -> None:
    began = time.process_time()
    read(name, text)
    assert time.process_time() - began < 2


# Folders


def test_a_folder_gives_all_that_can_be_read(tmp_path: Path) -> None:
    names = ["a.ipynb", "b.md", "c.py", "d.qmd", "e.Rmd", "f.tex", "g.markdown"]
    for name in [*names, "h.rst", "i.txt", ".ipynb_checkpoints/j.ipynb"]:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("x")
    assert list(find([tmp_path])) == [str(tmp_path / name) for name in names]

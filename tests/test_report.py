"""Reports: the model keeps everything, the formats show it, and a terminal is never acted on."""

from __future__ import annotations

import json
import unicodedata
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.cells import cell_len

from symderiv.diagnostics import CODES
from symderiv.report import concise, full
from symderiv.report import json as json_format
from symderiv.report.model import (
    OUTCOMES,
    SPAN_KINDS,
    CrossCheckReport,
    DiagnosticReport,
    FileReport,
    Label,
    OriginReport,
    Place,
    Report,
    StatementReport,
    SymbolReport,
    WitnessReport,
)
from symderiv.report.text import apart, cells, cropped, number, readable, safe

# ---------------------------------------------------------------------------------------------- model

words = st.text(max_size=12)
optional = st.none() | words
numbers = st.floats(allow_nan=False, allow_infinity=False)
counts = st.integers(min_value=0, max_value=99)
tensors = st.recursive(numbers | st.integers(), lambda inner: st.lists(inner, max_size=3), max_leaves=6)
places = st.builds(Place, counts, counts, counts, counts, st.none() | counts)
labels = st.builds(Label, places, words)
diagnostics = st.builds(
    DiagnosticReport,
    st.sampled_from(sorted(CODES)),
    words,
    st.sampled_from(["error", "warning", "info"]),
    words,
    st.none() | places,
    optional,
    st.lists(words, max_size=2).map(tuple),
    words,
    st.lists(labels, max_size=2).map(tuple),
)
several = st.lists(diagnostics, max_size=2).map(tuple)
witnesses = st.builds(
    WitnessReport,
    st.dictionaries(words, counts, max_size=2),
    st.dictionaries(words, counts, max_size=2),
    st.dictionaries(words, tensors, max_size=2),
    words,
    words,
    counts,
)
statements = st.builds(
    StatementReport,
    kind=st.sampled_from(
        ["claim", "definition", "declaration", "assumption", "question", "relation", "term", "unread"]
    ),
    span=places,
    latex=words,
    left=optional,
    verdict=st.none() | st.sampled_from(OUTCOMES),
    method=optional,
    sizes=optional,
    assumptions=st.lists(words, max_size=2).map(tuple),
    layout=optional,
    witness=st.none() | witnesses,
    diagnostics=several,
    seconds=numbers,
    cross_check=st.none() | st.builds(CrossCheckReport, counts, numbers, st.booleans()),
    expected=st.none() | st.just("refuted"),
    disagreement=st.booleans(),
    math_span=st.none() | counts,
    skipped=st.booleans(),
)
symbols = st.builds(
    SymbolReport,
    words,
    st.none() | st.lists(words | counts, max_size=3).map(tuple),
    counts,
    st.booleans(),
    st.lists(st.builds(OriginReport, counts, words), max_size=3).map(tuple),
    st.booleans(),
    st.none() | counts,
)
files = st.builds(
    FileReport,
    path=words,
    title=words,
    layout=optional,
    symbols=st.lists(symbols, max_size=2).map(tuple),
    statements=st.lists(statements, max_size=3).map(tuple),
    math_spans=counts,
    diagnostics=several,
    error=optional,
    interrupted=st.booleans(),
    seconds=numbers,
)
reports = st.builds(Report, st.lists(files, max_size=2).map(tuple), numbers, words, st.booleans())


@settings(deadline=None)
@given(reports)
def test_a_report_survives_json(report: Report) -> None:
    """Nothing is lost on the way to JSON text and back."""
    assert Report.from_json(json.loads(json_format.render(report))) == report


@settings(deadline=None)
@given(reports, st.integers(min_value=1, max_value=120), st.booleans())
def test_any_report_prints(report: Report, width: int, verbose: bool) -> None:
    """Whatever a report holds, both formats print it, and nothing in it reaches the terminal as a control."""
    texts = {file.path: "a\tb\n\x1b[31m" for file in report.files}
    lines = full.render(report, texts, width, verbose=verbose) + concise.render(report, verbose=verbose)
    assert all(unicodedata.category(c) not in {"Cc", "Cf", "Cs"} for line in lines for c in line.plain)


def test_json_has_no_nan() -> None:
    """Numbers that JSON lacks are strings, at any depth."""
    witness = WitnessReport({}, {}, {"x": [float("nan"), float("inf")]}, "nan", "0", 30)
    report = Report((FileReport("a.md", statements=(_step("refuted", witness=witness),)),), 0.0, "0")
    shown = json.loads(json_format.render(report), parse_constant=pytest.fail)
    assert ["nan", "inf"] == shown["files"][0]["statements"][0]["witness"]["values"]["x"]


def test_a_report_of_another_schema_is_refused() -> None:
    """A later schema is not misread."""
    with pytest.raises(ValueError, match="schema 2"):
        Report.from_json({"schema": 2})


# -------------------------------------------------------------------------------- verdicts and status

HERE = Place(1, 1, 1, 2)


def _step(verdict: str | None, kind: str = "claim", **more: Any) -> StatementReport:
    return StatementReport(kind, HERE, "x", verdict=verdict, **more)


def _finding(code: str, severity: str = "error") -> DiagnosticReport:
    return DiagnosticReport(code, "name", severity, "headline", HERE)


@pytest.mark.parametrize(
    ("statement", "status", "strict"),
    [
        (_step("proved"), 0, 0),
        (_step("tested"), 0, 1),
        (_step("unknown"), 0, 1),
        (_step("refuted"), 1, 1),
        (_step("ill-typed"), 1, 1),
        (_step("unread"), 1, 1),
        (_step("unread", "unread"), 0, 1),
        (_step("unread", "unread", diagnostics=(_finding("SD010"),)), 1, 1),
        (_step(None, "definition", diagnostics=(_finding("SD006"),)), 1, 1),
        (_step(None, "relation"), 0, 0),
        (_step("refuted", expected="refuted", diagnostics=(_finding("SD001"),)), 0, 0),
        (_step("ill-typed", expected="refuted"), 0, 0),
        (_step("proved", expected="refuted"), 1, 1),
        (_step("unknown", expected="refuted"), 1, 1),
        (_step("unknown", disagreement=True), 3, 3),
    ],
)
def test_exit_status_of_a_statement(statement: StatementReport, status: int, strict: int) -> None:
    """Each verdict passes or fails as `language.md` §6 says."""
    report = Report((FileReport("a.md", statements=(statement,)),), 0.0, "0")
    assert (status, strict) == (report.exit_status(), report.exit_status(strict=True))


def test_exit_status_of_files() -> None:
    """A file that cannot be used weighs more than a false claim, a disagreement most."""
    false = FileReport("a.md", statements=(_step("refuted"),))
    missing = FileReport("b.md", error="there is no such file")
    unbalanced = FileReport("c.md", diagnostics=(_finding("SD202"),))
    disagrees = FileReport("d.md", statements=(_step("unknown", disagreement=True),))
    assert 0 == Report((), 0.0, "0").exit_status()
    assert 2 == Report((false, missing), 0.0, "0").exit_status()
    assert 2 == Report((unbalanced,), 0.0, "0").exit_status()
    assert 3 == Report((missing, disagrees), 0.0, "0").exit_status()


@settings(deadline=None)
@given(st.lists(files, max_size=3))
def test_the_summary_accounts_for_every_span(found: list[FileReport]) -> None:
    """The parts add up to the spans of mathematics whenever the statements tell their span."""
    told = tuple(
        FileReport(
            file.path,
            statements=tuple(
                StatementReport(s.kind, s.span, s.latex, verdict=s.verdict, math_span=n)
                for n, s in enumerate(file.statements)
            ),
            math_spans=len(file.statements) + file.math_spans,
        )
        for file in found
    )
    summary = Report(told, 0.0, "0").summary
    assert summary.spans is not None
    assert summary.math_spans == sum(summary.spans[kind] for kind in SPAN_KINDS)
    assert summary.steps == sum(s.verdict is not None for file in told for s in file.statements)


# ------------------------------------------------------------------------------------ the full format

MATRIX = (
    r"\frac{\partial L}{\partial W} = \begin{bmatrix} x_1 \frac{\partial L}{\partial y_1} & \dots & "
    r"x_T \frac{\partial L}{\partial y_1} \\ x_1 \frac{\partial L}{\partial y_2} & \end{bmatrix}"
)


def _rendered(source: str, width: int = 80, **parts: Any) -> str:
    parts = {
        "code": "SD001",
        "name": "false-step",
        "severity": "error",
        "message": "this step is false",
        **parts,
    }
    witness = parts.pop("witness", None)
    lines = full.render_diagnostic(DiagnosticReport(**parts), "linear.md", source.split("\n"), width, witness)
    assert all(cell_len(line.plain) <= width for line in lines)
    return "\n".join(line.plain for line in lines)


def test_a_diagnostic_after_rustc() -> None:
    """Headline, place, the part of the line around the caret, its label, notes and help."""
    column = MATRIX.index("x_T") + 1
    shown = _rendered(
        MATRIX,
        span=Place(1, column, 1, column + 3),
        label="the last column is x_T; W has N columns",
        notes=(
            r"holds only when T = N; at T = 2, N = 3 the matrix is 2 × 2 and \partial L/\partial W is 2 × 3",
        ),
        help="x_N makes it true for every T and N",
    )
    assert (
        shown
        == r"""
error[SD001]: this step is false
 --> linear.md:1:95
  |
1 | …y_1} & \dots & x_T \frac{\partial L}{\partial y_1} \\ x_1 \frac{\partial L…
  |                 ^^^ the last column is x_T; W has N columns
  |
  = note: holds only when T = N; at T = 2, N = 3 the matrix is 2 × 2 and ∂L/∂W
          is 2 × 3
  = help: x_N makes it true for every T and N
""".strip()
    )


def test_a_witness_is_a_note() -> None:
    """The numbers are short, and both sides are told apart."""
    witness = WitnessReport(
        {"N": 2},
        {"i": 1, "j": 2},
        {"x": [0.5, -1], r"\beta": 1.23456},
        "0.19661193324148185",
        "-0.19661193",
        30,
    )
    assert "\n".join(_rendered("$y$", span=Place(1, 2, 1, 3), witness=witness).split("\n")[-2:]) == (
        "  = note: at N = 2, i = 1, j = 2, x = [0.5, -1], β = 1.235: left = 0.1966,\n"
        "          right = -0.1966"
    )


def test_a_witness_is_not_told_twice() -> None:
    """A note that gives the numbers already stands alone."""
    witness = WitnessReport({"N": 2}, {}, {}, "1", "2", 30)
    for notes, times in (((), 1), (("at N = 2: left = 1, right = 2",), 1), (("a fact",), 1)):
        step = _step(
            "refuted",
            witness=witness,
            diagnostics=(DiagnosticReport("SD001", "", "error", "", HERE, None, notes),),
        )
        lines = full.render_file(FileReport("a.md", statements=(step,)), "x = y", 80)
        assert times == sum("left = 1" in line.plain for line in lines)


def test_tabs_wide_and_combining_characters() -> None:
    """A caret stands under its character whatever stands before it, and is as wide."""
    line = "\t$日本語 = e\u0301x$"
    assert _rendered(line, span=Place(1, line.index("本") + 1, 1, line.index("語") + 1)).split("\n")[3:] == [
        "1 |     $日本語 = e\u0301x$",
        "  |        ^^",
    ]
    assert _rendered(line, span=Place(1, line.index("x") + 1, 1, line.index("x") + 2)).split("\n")[4] == (
        "  |                ^"
    )


@settings(deadline=None)
@given(
    st.lists(st.sampled_from("ab \t日\u0301\x1b\u202e[]:\\{}"), max_size=150).map("".join),
    st.lists(st.sampled_from("cd \t語\x07[/]"), max_size=150).map("".join),
    st.integers(min_value=40, max_value=100),
    st.text("lm ", max_size=90),
)
def test_carets_stand_under_what_they_mean(before: str, after: str, width: int, label: str) -> None:
    """However a line is cropped and escaped, the carets are under the marked character."""
    span = Place(1, len(before) + 1, 1, len(before) + 2)
    lines = _rendered(before + "Q" + after, width, span=span, label=label).split("\n")
    line, carets = lines[3], lines[4]
    assert cell_len(line[: line.index("Q")]) == carets.index("^")
    assert 1 == carets.count("^")


def test_a_span_of_many_lines() -> None:
    """A long span is shown by its ends; the label stands at the last."""
    source = "\n".join(["\\begin{align}", *(f"  a_{n} &= b \\\\" for n in range(8)), "\\end{align}"])
    assert _rendered(source, span=Place(1, 1, 10, 12), label="all of it").split("\n")[2:] == [
        "   |",
        " 1 | \\begin{align}",
        "   | ^^^^^^^^^^^^^",
        "...",
        "10 | \\end{align}",
        "   | ^^^^^^^^^^^ all of it",
    ]


def test_further_places() -> None:
    """Labels point with dashes, in the order of the lines."""
    shown = _rendered(
        "$W x$\n\n$W y$",
        span=Place(3, 2, 3, 3),
        label="has N columns",
        labels=(Label(Place(1, 2, 1, 3), "2 × 2"),),
    )
    assert shown.split("\n")[2:] == [
        "  |",
        "1 | $W x$",
        "  |  - 2 × 2",
        "...",
        "3 | $W y$",
        "  |  ^ has N columns",
    ]


def test_a_place_that_is_not_there() -> None:
    """A span beyond the text, or in a cell, still gives headline and place."""
    assert _rendered("x", span=Place(7, 1, 7, 2)).split("\n") == [
        "error[SD001]: this step is false",
        " --> linear.md:7:1",
    ]
    assert _rendered("x", span=Place(1, 1, 1, 2, cell=3)).split("\n")[1] == " --> linear.md:cell 3:1:1"


def test_informations_are_for_verbose() -> None:
    """A finding of severity `info` is told only when every step is."""
    step = _step("proved", sizes="all", diagnostics=(_finding("SD103", "info"),))
    file = FileReport("a.md", statements=(step,), math_spans=1)
    assert ["a.md  1 step proved, all sizes"] == [line.plain for line in full.render_file(file, "x", 80)]
    assert "SD103" in "".join(line.plain for line in full.render_file(file, "x", 80, verbose=True))


def test_the_listing() -> None:
    """Each statement with its line, verdict, method, sizes, assumptions and time."""
    step = StatementReport(
        "claim",
        Place(21, 4, 21, 9),
        r"\beta y_i",
        r"\partial y",
        "proved",
        "normal form",
        "all",
        (r"i \neq j",),
        seconds=0.0042,
    )
    file = FileReport("softmax.md", "Softmax", statements=(step,), math_spans=1)
    assert [line.plain for line in full.render_file(file, "", 80, verbose=True)] == [
        "softmax.md  Softmax",
        "    21  proved       normal form · all sizes · 4 ms · assuming i ≠ j",
        r"        \partial y = \beta y_i",
        "",
        "softmax.md  1 step proved, all sizes · under i ≠ j",
    ]


def test_the_names_in_the_listing() -> None:
    """Each name in the order of lines: its shape, declared or inferred, and what tells each dimension."""
    entry, total = OriginReport(12, "y_i"), OriginReport(12, r"\sum_{j=1}^N W_{ij} x_j")
    symbols = (
        SymbolReport("W", ("T", "N"), 12, inferred=True, origins=(entry, total)),
        SymbolReport("V", ("T", "T"), 13, inferred=True, origins=(entry, entry)),
        SymbolReport("R", ("T", "N", 3), 14, inferred=True, origins=(entry, total, entry)),
        SymbolReport("x", ("N",), 3, inferred=False),
        SymbolReport(r"\beta", (), 4, inferred=True),
        SymbolReport("f", (), 5, inferred=False, function=True),
    )
    lines = full.render_file(FileReport("a.md", "Layer", symbols=symbols), "", 80, verbose=True)
    assert [line.plain for line in lines[:-2]] == [
        "a.md  Layer",
        "     3  declared     x is of length N",
        "     4  inferred     β is a number",
        "     5  declared     f is a function",
        "    12  inferred     W is T × N · rows from y_i, line 12 ·",
        r"                     columns from \sum_{j=1}^N W_{ij} x_j, line 12",
        "    13  inferred     V is T × T · from y_i, line 12",
        "    14  inferred     R is T × N × 3 · index 1 from y_i, line 12 ·",
        r"                     index 2 from \sum_{j=1}^N W_{ij} x_j, line 12 ·",
        "                     index 3 from y_i, line 12",
    ]


def test_the_names_of_a_notebook_are_listed_with_their_cells() -> None:
    """A place in a notebook is its cell and the line there, in the order of cells."""
    origin = OriginReport(1, "A u", 2)
    symbols = (
        SymbolReport("u", ("q",), 1, inferred=True, origins=(origin,), cell=2),
        SymbolReport("A", ("p", "q"), 7, inferred=False, cell=1),
    )
    lines = full.render_file(FileReport("a.ipynb", "T", symbols=symbols), "", 80, verbose=True)
    assert [line.plain for line in lines[1:3]] == [
        "   1:7  declared     A is p × q",
        "   2:1  inferred     u is of length q · from A u, line 2:1",
    ]


def test_the_summary() -> None:
    """Verdicts, what was not checked, and every span."""
    found = (
        *(_step("proved", math_span=0),) * 20,
        *(_step("refuted", math_span=1),) * 2,
        _step("ill-typed", math_span=1),
        *(_step(None, "relation", math_span=n) for n in (1, 2, 2)),
        _step(None, "declaration", math_span=3),
    )
    report = Report(
        (FileReport("a.md", statements=found, math_spans=58), FileReport("b.md", error="no")), 0.94, "0"
    )
    assert [line.plain for line in full.render_summary(report, 80)] == [
        "",
        "20 proved · 2 refuted · 1 ill-typed · 3 not checked · 2 files · 1 not read",
        "58 math spans: 2 with steps, 1 with declarations or assumptions, 1 not checked,",
        "  54 that state nothing · 0.9 s",
    ]


def test_concise() -> None:
    """One line for each finding, and the summary."""
    step = _step("refuted", diagnostics=(_finding("SD001"),))
    report = Report((FileReport("a.md", statements=(step,), math_spans=1),), 0.0, "0")
    assert ["a.md:1:1: SD001 headline", "1 refuted", "1 math span · 0.0 s"] == str(report).split("\n")


# ----------------------------------------------------------------------------------------------- text


@given(st.text())
def test_safe_text_has_no_controls(text: str) -> None:
    """Controls, format characters and surrogates are shown as escapes, in text and in lines."""
    for shown in (safe(text), "".join(part for part, _ in cells(text))):
        assert all(unicodedata.category(c) not in {"Cc", "Cf", "Cs", "Zl", "Zp"} for c in shown)


def test_escapes() -> None:
    """An escape names the character."""
    assert r"\x1b[31m \u202e \U000e0001" == safe("\x1b[31m \u202e \U000e0001")


@given(st.text(), st.integers(min_value=2, max_value=30))
def test_cropped_text_fits(text: str, width: int) -> None:
    """What is cut is no wider than asked for."""
    assert cell_len(cropped(text, width)) <= width


@pytest.mark.parametrize(
    ("latex", "shown"),
    [
        (r"\partial L/\partial \beta", "∂L/∂β"),
        (r"i \neq j", "i ≠ j"),
        (r"\mathbf{x} \in \mathbb{R}^N", "x ∈ ℝ^N"),
        (r"\frac{a}{b} \foo", r"\frac{a}{b} \foo"),
        (r"[x] :x: [/bold]", r"[x] :x: [/bold]"),
    ],
)
def test_readable_names(latex: str, shown: str) -> None:
    """The commonest names become Unicode; the rest stays as written."""
    assert shown == readable(latex)


def test_numbers() -> None:
    """Values are short, and the two sides of a witness are never made equal."""
    assert "[[1, 0.3333], [-2, 1e-09]]" == number([[1, 1 / 3], [-2, 1e-9]])
    assert ("0.25", "0.5") == apart("0.2500000", "0.5000")
    assert ("1.000001", "1.000002") == apart("1.000001", "1.000002")
    assert ("1.00000100", "1.000001") == apart("1.00000100", "1.000001")
    assert ("oo", "1+2i") == apart("oo", "1+2i")

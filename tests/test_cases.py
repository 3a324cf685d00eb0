"""The language of symderiv by example: every section of `cases/*.md` is a page of its own, and a test.

A section runs from its `##` heading to the next; deeper headings belong to the page. Comments tell what must
become of the mathematics above them, up to the comment of the same word before:

* `case: proved, refuted` the verdicts of its steps, in order; a diagnostic besides the one that goes with
  the verdict is named after it: `ill-typed SD004`, `proved SD101`. `case: none` where there is no step;
* `kinds: definition, claim` what each formula is;
* `assumes: i \\neq j` the assumptions of the last step; `left: \\frac{a}{b}` what it was compared with;
* `symbols: W T N; x N; b` the names of the page with their sizes; `title: …`;
* `origins: W from y_i (3), W_{ij} x_j (3)` what tells each dimension of a name, and the line;
* `page: SD201` what is said of the page as a whole; `exit: 1` and `strict: 1` its exit status.

An `output` fence at the end of a section holds the full report; `pytest --update-cases` rewrites it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from pages import judged

from symderiv.report import full
from symderiv.report.model import FileReport, StatementReport

CASES = Path(__file__).parent / "cases"
_SECTION = re.compile(r"^## (?P<title>.+)$\n(?P<body>(?:(?!^## )[^\n]*\n)*)", re.MULTILINE)
_OUTPUT = re.compile(r"^```output\n(?P<text>.*?)^```\n", re.MULTILINE | re.DOTALL)
_COMMENT = re.compile(
    r"<!-- (?P<word>case|kinds|assumes|left|symbols|origins|title|page|exit|strict): (?P<rest>.*?) -->"
)
_GOES_WITH = {"refuted": {"SD001"}, "tested": {"SD023"}, "unread": {"SD010"}, "question": {"SD110"}}
_STEPS = {"claim", "question", "unread"}


@dataclass(frozen=True)
class Case:
    """One section: the page as symderiv gets it, what is expected of it, and its `output` fence, if any."""

    file: Path
    title: str
    page: str
    output: str | None

    def __str__(self) -> str:
        return f"{self.file.stem}: {self.title}"

    def comments(self) -> Iterator[tuple[str, str, int]]:
        """Give word, rest and line of each comment."""
        for found in _COMMENT.finditer(self.page):
            yield found["word"], found["rest"], self.page.count("\n", 0, found.start()) + 1


def cases() -> Iterator[Case]:
    """Give the cases of all files in order."""
    for file in sorted(CASES.glob("*.md")):
        for section in _SECTION.finditer(file.read_text(encoding="utf-8")):
            output = _OUTPUT.search(section["body"])
            body = section["body"] if output is None else section["body"][: output.start()]
            yield Case(file, section["title"], f"## {section['title']}\n{body}", output and output["text"])


def between(report: FileReport, after: int, line: int) -> list[StatementReport]:
    """Return the statements that begin between two lines of a page."""
    return [each for each in report.statements if after < each.span.line < line]


def verdict(step: StatementReport) -> str:
    """Return a step's verdict with the diagnostics that do not go with it."""
    codes = {each.code for each in step.diagnostics}
    for about in (step.kind, step.verdict or ""):
        codes -= _GOES_WITH.get(about, set())
    return " ".join([step.verdict or "no verdict", *sorted(codes)])


def told(report: FileReport, word: str, found: list[StatementReport]) -> str:
    """Return what a comment should say."""
    steps = [each for each in found if each.kind in _STEPS and each.verdict is not None]
    answers = {
        "case": lambda: ", ".join(map(verdict, steps)) or "none",
        "kinds": lambda: ", ".join(each.kind for each in found) or "none",
        "assumes": lambda: ", ".join(steps[-1].assumptions) or "none",
        "left": lambda: str(steps[-1].left),
        "symbols": lambda: "; ".join(
            " ".join(map(str, (each.name, *(each.shape or ())))) for each in report.symbols
        ),
        "origins": lambda: "; ".join(
            f"{each.name} from {', '.join(f'{at.latex} ({at.line})' for at in each.origins)}"
            for each in report.symbols
            if each.origins
        ),
        "title": lambda: report.title,
        "page": lambda: ", ".join(each.code for each in report.diagnostics) or "none",
        "exit": lambda: str(report.exit_status()),
        "strict": lambda: str(report.exit_status(strict=True)),
    }
    return answers[word]()


def printed(case: Case, report: FileReport) -> str:
    """Return the full report of a case, 80 columns wide."""
    lines = full.render_file(report, case.page, 80)
    return "".join(f"{line.plain.rstrip()}\n" for line in lines)


ALL = list(cases())


@pytest.mark.parametrize("case", ALL, ids=str)
def test_case(case: Case, request: pytest.FixtureRequest) -> None:
    """Each comment tells what symderiv makes of the page, and no step is without one."""
    report = judged(case.page, f"{case.file.stem}.md", help_=case.output is not None)
    starts: dict[str, int] = {}
    expected, actual = [], []
    for word, rest, line in case.comments():
        expected.append(f"line {line}: {word}: {rest}")
        actual.append(
            f"line {line}: {word}: {told(report, word, between(report, starts.get(word, 0), line))}"
        )
        starts[word] = line
    assert expected == actual != []
    if "case" in starts:
        assert told(report, "case", between(report, starts["case"], len(case.page))) == "none"
    assert [
        each.sizes for each in report.statements if each.verdict == "proved" and each.kind == "claim"
    ] == ["all" for each in report.statements if each.verdict == "proved" and each.kind == "claim"]
    if case.output is not None:
        if request.config.getoption("--update-cases"):
            update(case, printed(case, report))
        else:
            assert case.output == printed(case, report)


def update(case: Case, output: str) -> None:
    """Write the `output` fence of a case anew."""
    text = case.file.read_text(encoding="utf-8")
    old, new = (f"{case.page}```output\n{each}```\n" for each in (case.output, output))
    assert text.count(old) == 1
    case.file.write_text(text.replace(old, new), encoding="utf-8")


def test_every_section_is_a_case() -> None:
    """No heading of a file is passed over, and no two have one name."""
    lines = [
        line for file in sorted(CASES.glob("*.md")) for line in file.read_text(encoding="utf-8").splitlines()
    ]
    assert [f"## {case.title}" for case in ALL] == [line for line in lines if line.startswith("## ")]
    assert len({str(case) for case in ALL}) == len(ALL)

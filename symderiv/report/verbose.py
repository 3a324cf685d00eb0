"""The listing of `--verbose`: each statement with its line, its verdict and what that rests on."""

from __future__ import annotations

from rich.text import Text

from symderiv.report.model import FileReport, StatementReport
from symderiv.report.summary import STYLES
from symderiv.report.text import cropped, readable, safe

_INDENT = 8
_WIDEST = len("declaration")


def render_file(file: FileReport, width: int) -> list[Text]:
    """Return the listing of one file, without the formulas that state nothing."""
    lines = [Text.assemble((safe(file.path), "bold"), "  ", safe(file.title))]
    for statement in file.statements:
        if statement.kind != "term" or statement.skipped:
            lines += [_ground(statement), Text(" " * _INDENT + _formula(statement, width - _INDENT), "dim")]
    return lines


def _ground(statement: StatementReport) -> Text:
    """Return `  21  proved       normal form · all sizes · 4 ms · assuming i ≠ j`."""
    word = "skipped" if statement.skipped else statement.verdict or statement.kind
    line = Text.assemble(f"{statement.span.line:6}  ", (word.ljust(_WIDEST), STYLES.get(word, "")))
    facts = [safe(statement.method)] if statement.method else []
    if statement.sizes:
        facts.append("all sizes" if statement.sizes == "all" else f"sizes {readable(safe(statement.sizes))}")
    if statement.verdict is not None:
        facts.append(f"{statement.seconds:.3f} s")
    if statement.layout:
        facts.append(f"{safe(statement.layout)} layout")
    if statement.assumptions:
        facts.append("assuming " + ", ".join(readable(safe(a)) for a in statement.assumptions))
    if statement.cross_check:
        check = statement.cross_check
        facts.append(f"{check.entries} entries compared, error {check.error:.0e}")
    if statement.expected:
        facts.append(f"expected to be {safe(statement.expected)}")
    line.append("  " + " · ".join(facts) if facts else "")
    line.rstrip()
    return line


def _formula(statement: StatementReport, width: int) -> str:
    left = f"{statement.left} = " if statement.left else ""
    return cropped(" ".join((left + statement.latex).split()), width)

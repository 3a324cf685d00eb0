"""The concise format: `path:line:col: CODE headline` for each finding, then the summary."""

from __future__ import annotations

from rich.text import Text

from symderiv.report.model import DiagnosticReport, FileReport, Report
from symderiv.report.summary import summary_lines
from symderiv.report.text import readable, safe

_ANY_WIDTH = 1 << 20
SEVERITY_STYLES = {"error": "bold red", "warning": "bold yellow", "info": "bold blue"}


def location(path: str, diagnostic: DiagnosticReport) -> str:
    """Return `path:line:col`, in a notebook `path:cell N:line:col`, or the path alone."""
    place = diagnostic.span
    if place is None:
        return safe(path)
    cell = "" if place.cell is None else f"cell {place.cell}:"
    return f"{safe(path)}:{cell}{place.line}:{place.column}"


def render_file(file: FileReport, *, verbose: bool = False) -> list[Text]:
    """Return one line for each finding of a file; those of severity `info` only when verbose."""
    return [
        Text.assemble(
            location(file.path, diagnostic),
            ": ",
            (diagnostic.code, SEVERITY_STYLES[diagnostic.severity]),
            " ",
            readable(safe(diagnostic.message)),
        )
        for diagnostic in file.findings
        if verbose or diagnostic.severity != "info"
    ]


def render_summary(report: Report) -> list[Text]:
    """Return the account of the whole run, on two lines whatever their width."""
    return summary_lines(report, _ANY_WIDTH)


def render(report: Report, *, verbose: bool = False) -> list[Text]:
    """Return the findings of all files and the summary."""
    lines = [line for file in report.files for line in render_file(file, verbose=verbose)]
    return [*lines, *render_summary(report)]

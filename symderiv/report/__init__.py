"""What is printed: one model of a run (`model`), one file per format. No wording, no logic of verdicts."""

from symderiv.report.model import (
    DiagnosticReport,
    FileReport,
    Label,
    Place,
    Report,
    StatementReport,
    Summary,
    SymbolReport,
    WitnessReport,
)

__all__ = [
    "DiagnosticReport",
    "FileReport",
    "Label",
    "Place",
    "Report",
    "StatementReport",
    "Summary",
    "SymbolReport",
    "WitnessReport",
]

"""A page and its verdicts as JSON, for the process that asks."""

from __future__ import annotations

import re
from typing import Any

from symderiv.diagnostics import Diagnostic, Source, Span
from symderiv.judge import explain
from symderiv.judge.decision import Judged
from symderiv.judge.grounds import conditions
from symderiv.judge.verdict import Witness
from symderiv.meaning.model import Page, Statement

Json = dict[str, Any]


def outline(page: Page) -> Json:
    """Return the page as JSON, the verdicts of its steps still to come."""
    spans = -1
    statements = []
    for statement in page.statements:
        spans += statement.spans
        statements.append(_statement(page.source, statement, max(spans, 0)))
    return {
        "path": page.source.path,
        "title": page.title,
        "layout": page.layout,
        "symbols": [
            {
                "name": s.name,
                "shape": list(s.shape),
                "line": s.line,
                "inferred": s.inferred,
                "function": s.function,
                "cell": s.cell,
                "origins": [{"line": o.line, "latex": o.latex, "cell": o.cell} for o in s.origins],
            }
            for s in page.symbols
        ],
        "statements": statements,
        "math_spans": page.math_spans,
        "diagnostics": [diagnostic(page.source, each) for each in page.diagnostics],
    }


def _statement(source: Source, statement: Statement, span: int) -> Json:
    entry: Json = {
        "kind": "term" if statement.kind == "skipped" else statement.kind,
        "span": _place(source, statement.span),
        "latex": statement.latex,
        "left": statement.left,
        "verdict": "unread" if statement.kind == "unread" else None,
        "method": None,
        "sizes": None,
        "assumptions": [assumption.latex for assumption in statement.assumptions],
        "layout": None,
        "witness": None,
        "diagnostics": [diagnostic(source, each) for each in statement.diagnostics],
        "seconds": 0.0,
        "math_span": span,
    }
    if statement.kind == "skipped":
        entry["skipped"] = True
    if statement.expected is not None:
        entry["expected"] = statement.expected
    return entry


def answered(page: Page, statement: Statement, judged: Judged) -> Json:
    """Return a verdict as JSON."""
    assert statement.chain is not None
    verdict = judged.verdict
    answer: Json = {
        "verdict": verdict.outcome,
        "method": verdict.method,
        "sizes": verdict.sizes,
        "assumptions": [
            *((each.latex for each in statement.assumptions) if judged.used is None else judged.used),
            *conditions(page.chains[statement.chain], statement, judged),
        ],
        "layout": verdict.layout,
        "witness": _witness(verdict.witness),
        "diagnostics": [diagnostic(page.source, d) for d in (*statement.diagnostics, *verdict.diagnostics)],
        "disagreement": judged.disagreement,
    }
    if verdict.cross_check is not None:
        check = verdict.cross_check
        answer["cross_check"] = {"entries": check.entries, "error": check.error, "agrees": check.agrees}
    if judged.left is not None:
        answer["left"] = judged.left.latex
    if judged.answer is not None:
        answer["latex"] = judged.answer
    return answer


def diagnostic(source: Source, found: Diagnostic) -> Json:
    """Return a diagnostic as JSON."""
    return {
        "code": found.code,
        "name": found.name,
        "severity": found.severity,
        "message": found.message,
        "help": _commented(source, found.help),
        "span": _place(source, found.span),
        "notes": list(found.notes),
        "label": found.label,
        "labels": [{"span": _place(source, span), "text": text} for span, text in found.labels],
    }


def _commented(source: Source, help_: str | None) -> str | None:
    """Return a help with the comments to the checker that it advises in the form of the document."""
    if help_ is None or not source.path.endswith(".tex"):
        return help_
    return re.sub(r"<!-- (symderiv: .*?) -->", r"% \1", help_)


def _place(source: Source, span: Span) -> Json:
    cell = source.cell(span)
    position = source.position if cell is None else cell.position
    line, column = position(span.start)
    end_line, end_column = position(span.end)
    place = {"line": line, "column": column, "end_line": end_line, "end_column": end_column}
    return place if cell is None else {**place, "cell": cell.number}


def _witness(witness: Witness | None) -> Json | None:
    if witness is None:
        return None
    values = {explain.plain(name): value for name, value in witness.values.items()}
    return {
        "sizes": witness.sizes,
        "indices": witness.indices,
        "values": values,
        "left": witness.left,
        "right": witness.right,
        "digits": witness.digits,
    }

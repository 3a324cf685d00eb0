"""Pages judged in this process: quick, and open to tests that change a rule of the kernel."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from symderiv.budget import awaits_help, awaits_verdict, helped
from symderiv.document.model import Document
from symderiv.judge.check import Session, open_page
from symderiv.report.model import FileReport

Json = dict[str, Any]
DERIVATIONS = Path(__file__).parent.parent / "derivations"


def blamed(document: Document) -> list[tuple[str, tuple[int, int]]]:
    """Return the codes of what is wrong with a document as such, and where, by line and column."""
    return [(found.code, document.source.position(found.span.start)) for found in document.diagnostics]


def judged(text: str, path: str = "page.md", *, seed: int = 0, help_: bool = False) -> FileReport:
    """Return the report of a page, each of its steps judged, and helped where that is asked for."""
    session = open_page(path, text)
    page = session.outline()
    for step, statement in enumerate(page["statements"]):
        if awaits_verdict(statement):
            update_step(session, page, step, seed)
            if help_ and awaits_help(page["statements"][step]):
                earlier = [each["verdict"] for each in page["statements"][:step]]
                found = session.suggest(step, earlier, seed)
                page["statements"][step] = helped(page["statements"][step], found["help"], found["note"])
    return FileReport.from_json(page)


def update_step(session: Session, page: Json, step: int, seed: int = 0) -> Json:
    """Judge one statement of an outline, given what the outline holds of those before it, and return it."""
    statements = page["statements"]
    update = session.judge(step, [each["verdict"] for each in statements[:step]], seed)
    found = list(statements[step]["diagnostics"])
    found += [each for each in update["diagnostics"] if each not in found]
    statements[step] = {**statements[step], **update, "diagnostics": found}
    result: Json = statements[step]
    return result

"""A worker with a judge of its own, for tests: each line of a page says what becomes of it.

`$verdict$` gets that verdict; `$sleep$` (which leaves a file `asleep`), `$spin$`, `$eat$`, `$raise$`,
`$recurse$`, `$die$`, `$abort$`, `$print$` and `$disagree$` do that; `$unread$` is unread from the start;
`$x in R$` is a declaration; `$hidden$` is mentioned and states nothing; `open sleep` and `open raise` on
the first line make the page impossible to open, `unbalanced` gives it a fault of its own. `expected` on a
line marks it as wrong on purpose.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from symderiv.diagnostics import CODES
from symderiv.worker import MEMORY, limit_memory, protocol_on_stdout, serve

Json = dict[str, Any]
WITNESS = {
    "sizes": {"N": 2},
    "indices": {"i": 1, "j": 2},
    "values": {"x": [0.5, -1]},
    "left": "0.19661193324148185",
    "right": "-0.19661193324148185",
    "digits": 30,
}


def diagnostic(code: str, message: str, span: Json, **more: object) -> Json:
    """Return a diagnostic as the judge gives it."""
    known = CODES[code]
    return {
        "code": code,
        "name": known.name,
        "severity": known.severity,
        "message": message,
        "help": None,
        "span": span,
        "notes": [],
        "label": "",
        "labels": [],
        **more,
    }


def sleep() -> None:
    """Wait for longer than any budget, and leave a mark."""
    Path("asleep").touch()
    time.sleep(600)


def spin() -> None:
    """Work for ever."""
    while True:
        pass


def eat() -> None:
    """Take all memory."""
    hoard = [bytearray(1 << 26)]
    while True:
        hoard.append(bytearray(1 << 26))


def fail() -> None:
    """Raise an error of many lines."""
    message = "an index\nof many lines"
    raise ZeroDivisionError(message)


def chatter() -> None:
    """Print what looks like an answer, in Python and beneath it."""
    print('{"update": "this is not the protocol"}', flush=True)
    os.write(1, b"nor is this\n")


HARM: dict[str, Callable[[], object]] = {
    "sleep": sleep,
    "spin": spin,
    "eat": eat,
    "raise": fail,
    "die": lambda: os._exit(7),
    "abort": os.abort,
    "print": chatter,
}


class Session:
    """A page of the fake judge."""

    def __init__(self, path: str, text: str) -> None:
        """Read the lines of a page."""
        self.path, self.text = path, text
        self.statements: list[Json] = []
        lines = text.splitlines() or [""]
        if lines[0] == "open sleep":
            time.sleep(600)
        if lines[0] == "open raise":
            message = "not today"
            raise ValueError(message)
        self.faults = []
        for number, line in enumerate(lines, start=1):
            if line == "unbalanced":
                span = {"line": number, "column": 1, "end_line": number, "end_column": 2}
                self.faults.append(diagnostic("SD202", "`$$` is opened and never closed", span))
            if line.startswith("$") and line != "$hidden$":
                self.statements.append(self.statement(number, line))
        self.math_spans = text.count("$") // 2

    def statement(self, number: int, line: str) -> Json:
        """Return the statement on a line."""
        word = line.strip("$").split("$")[0]
        end = line.rindex("$") + 1
        span = {"line": number, "column": 2, "end_line": number, "end_column": end}
        kind = "unread" if word == "unread" else "declaration" if " in " in word else "claim"
        return {
            "kind": kind,
            "span": span,
            "latex": word,
            "left": None,
            "method": None,
            "sizes": None,
            "verdict": "unread" if kind == "unread" else None,
            "assumptions": [],
            "layout": None,
            "witness": None,
            "diagnostics": [diagnostic("SD010", "this could not be read", span)] if kind == "unread" else [],
            "seconds": 0.0,
            "math_span": len(self.statements),
            "expected": "refuted" if "expected" in line else None,
        }

    def outline(self) -> Json:
        """Return the page without verdicts."""
        return {
            "path": self.path,
            "title": "A page",
            "layout": "gradient",
            "symbols": [],
            "statements": self.statements,
            "math_spans": self.math_spans,
            "diagnostics": self.faults,
        }

    def judge(self, step: int, earlier: list[str | None], seed: int) -> Json:
        """Do what the line says."""
        assert len(earlier) == step
        statement = self.statements[step]
        word, span = statement["latex"].split()[0], statement["span"]
        if word in HARM:
            HARM[word]()
        if word == "recurse":
            return self.judge(step, earlier, seed)
        if word == "disagree":
            return {
                "verdict": "proved",
                "disagreement": True,
                "diagnostics": [diagnostic("SD301", "the checker disagrees with itself", span)],
            }
        update: Json = {
            "verdict": "proved" if word == "print" else word,
            "method": "normal form",
            "sizes": "all",
            "diagnostics": [],
        }
        if word == "refuted":
            update |= {
                "method": None,
                "sizes": None,
                "witness": WITNESS,
                "diagnostics": [diagnostic("SD001", "this step is false", span, notes=[f"seed {seed}"])],
            }
        return update

    def suggest(self, step: int, earlier: list[str | None], seed: int) -> Json:  # noqa: ARG002  as asked
        """Propose what the line says, or nothing."""
        words = self.statements[step]["latex"].split()
        if "sleep" in words[1:]:
            time.sleep(600)
        return {"help": "try this" if "help" in words[1:] else None, "note": None}


if __name__ == "__main__":
    limit_memory(min(MEMORY, 1 << 29))
    with protocol_on_stdout() as out:
        serve(Session, sys.stdin, out)

"""The checker as its parent sees it: a child process that is asked, waited for, and killed over its budget.

Contract: `Checker.check` always returns; a step that takes too long, too much memory, or its process with it
is `unknown`, and the next one is judged by a new child. The parent imports neither SymPy nor NumPy. There are
no signals and no shared state: lines of JSON over pipes, read by a thread, with a deadline.
"""

from __future__ import annotations

import contextlib
import json
import os
import queue
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from symderiv.diagnostics import CODES
from symderiv.report.model import DiagnosticReport, FileReport

Json = dict[str, Any]
Progress = Callable[[int, int], None]
"""Told how many steps of a page are judged, and how many there are."""

STARTING = 120.0
OPENING = 30.0
SUGGESTING = 3.0
"""Seconds that the search for what would make a false step true may take; it ends by itself much sooner."""
_SLICE = 0.2
"""Waits are cut in slices, so that Ctrl-C is heard on every system."""
_ONE_THREAD = dict.fromkeys(("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"), "1")
_BOOT = "import json, sys; sys.path[:] = json.loads(sys.argv[1]); from symderiv.worker import main; main()"


class WorkerLostError(Exception):
    """The child did not answer; the text says why, in a few words."""

    def __init__(self, why: str = "out of time", *, late: bool = False) -> None:
        """`late` tells that the budget was over."""
        super().__init__(why)
        self.late = late


class InterruptedCheck(KeyboardInterrupt):
    """Ctrl-C came while a file was being checked; `file` is what was known by then."""

    def __init__(self, file: FileReport) -> None:
        """Keep what was known of the file."""
        super().__init__(file.path)
        self.file = file


def child_command() -> list[str]:
    """Return the command of the real worker: this Python, with this path, so that both see one symderiv."""
    return [sys.executable, "-P", "-c", _BOOT, json.dumps([entry or str(Path.cwd()) for entry in sys.path])]


def _apart() -> dict[str, Any]:
    """Return what gives a child a group of its own: Ctrl-C reaches the parent alone, which ends the child."""
    if sys.platform == "win32":
        return {"creationflags": subprocess.CREATE_NEW_PROCESS_GROUP}
    return {"start_new_session": True}


class Worker:
    """One child process. `ask` sends a line and waits for the answer; after a failure the child is gone."""

    def __init__(self, command: Sequence[str], starting: float = STARTING) -> None:
        """Start the child; `WorkerLostError` when it is not ready within `starting` seconds."""
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115  closed in `close`
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            encoding="utf-8",
            env={**os.environ, **_ONE_THREAD, "PYTHONHASHSEED": "0", "PYTHONUTF8": "1"},
            **_apart(),
        )
        self._lines: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        try:
            answer = self._answer(starting)
        except BaseException:
            self.close()
            raise
        if "ready" not in answer:
            self.close()
            raise WorkerLostError(explained(answer.get("error", {})))

    def _read(self) -> None:
        assert self._process.stdout is not None
        with contextlib.suppress(ValueError, OSError):
            for line in self._process.stdout:
                self._lines.put(line)
        self._lines.put(None)

    def ask(self, request: Json, budget: float) -> Json:
        """Return the answer to a request; `WorkerLostError` when there is none in time."""
        try:
            assert self._process.stdin is not None
            self._process.stdin.write(json.dumps(request) + "\n")
            self._process.stdin.flush()
        except OSError:
            self._lines.put(None)
        try:
            return self._answer(budget)
        except BaseException:
            self.close()
            raise

    def _answer(self, budget: float) -> Json:
        line = self._line(time.monotonic() + budget)
        try:
            answer = json.loads(line) if line is not None else None
        except ValueError:
            answer = None
        if not isinstance(answer, dict):
            raise WorkerLostError(self._ending())
        return answer

    def _line(self, deadline: float) -> str | None:
        while True:
            left = deadline - time.monotonic()
            if left <= 0:
                raise WorkerLostError(late=True)
            with contextlib.suppress(queue.Empty):
                return self._lines.get(timeout=min(left, _SLICE))

    def _ending(self) -> str:
        """Say how the child ended: its signal or status, and the last line that it wrote as an error."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(timeout=1)
        status = self._process.poll()
        how = "its process stopped answering" if status is None else f"its process ended with status {status}"
        if status is not None and status < 0:
            how = f"its process was ended by signal {-status}"
        size = self._errors.seek(0, os.SEEK_END)
        self._errors.seek(max(0, size - 2000))
        last = self._errors.read().decode("utf-8", "replace").strip().rpartition("\n")[2]
        return f"{how}: {last[:200]}" if last else how

    def close(self) -> None:
        """End the child, whatever it is doing, and reap it."""
        self._process.kill()
        self._process.wait()
        self._reader.join(timeout=1)
        for pipe in (self._process.stdin, self._process.stdout, self._errors):
            if pipe is not None:
                with contextlib.suppress(OSError):
                    pipe.close()


def explained(error: Json) -> str:
    """Return `ValueError in normal.py:12: …` for the error that a child sent."""
    where = f" in {error['where']}" if error.get("where") else ""
    message = f": {error['message']}" if error.get("message") else ""
    return f"{error.get('type', 'an error')}{where}{message}"


@dataclass(slots=True)
class Checker:
    """Checks files one after the other in one child, which is replaced when it is lost."""

    budget: float = 10.0
    seed: int = 0
    opening: float = OPENING
    command: Sequence[str] = ()
    _worker: Worker | None = None

    def __enter__(self) -> Self:
        """Return the checker; the child is started when it is first needed."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End the child."""
        self.close()

    def close(self) -> None:
        """End the child, if there is one."""
        worker, self._worker = self._worker, None
        if worker is not None:
            worker.close()

    def _ask(self, request: Json, budget: float) -> Json:
        """Ask the child, or a new one; one that ran out of memory is not asked again."""
        if self._worker is None:
            self._worker = Worker(self.command or child_command())
        try:
            answer = self._worker.ask(request, budget)
        except BaseException:
            self._worker = None
            raise
        if answer.get("error", {}).get("type") == "MemoryError":
            self.close()
        return answer

    def outline(self, path: str, text: str) -> Json:
        """Open a page and return what it holds; `WorkerLostError` says why it could not be opened."""
        answer = self._ask({"open": {"path": path, "text": text}}, self.opening)
        if "outline" not in answer:
            raise WorkerLostError(explained(answer.get("error", {})))
        outline: Json = answer["outline"]
        return outline

    def check(self, path: str, text: str, progress: Progress | None = None) -> FileReport:
        """Judge each step of a page in order; `InterruptedCheck` carries what is known at Ctrl-C."""
        started = time.monotonic()
        statements: list[Json] = []
        page: Json = {"path": path}
        try:
            try:
                page = {**self.outline(path, text), "path": path}
            except WorkerLostError as lost:
                return FileReport(
                    path=path, error=self._not_opened(path, lost), seconds=time.monotonic() - started
                )
            statements = page["statements"] = [dict(statement) for statement in page.get("statements", [])]
            steps = [n for n, s in enumerate(statements) if awaits_verdict(s)]
            for done, step in enumerate(steps):
                if progress:
                    progress(done, len(steps))
                statements[step] = self._judged(page, text, step)
                statements[step] = self._helped(page, step)
            if progress:
                progress(len(steps), len(steps))
        except KeyboardInterrupt:
            page |= {"interrupted": True, "seconds": round(time.monotonic() - started, 3)}
            raise InterruptedCheck(FileReport.from_json(page)) from None
        return FileReport.from_json({**page, "seconds": round(time.monotonic() - started, 3)})

    def _not_opened(self, path: str, lost: WorkerLostError) -> str:
        why = f"not read within {self.opening:g} s" if lost.late else str(lost)
        return f"{path}: symderiv could not open this page: {why}"

    def _judged(self, page: Json, text: str, step: int) -> Json:
        """Return one statement with its verdict."""
        statements: list[Json] = page["statements"]
        earlier = [statement.get("verdict") for statement in statements[:step]]
        started = time.monotonic()
        try:
            if self._worker is None:
                self.outline(page["path"], text)
                started = time.monotonic()
            answer = self._ask({"judge": {"step": step, "earlier": earlier, "seed": self.seed}}, self.budget)
        except WorkerLostError as lost:
            answer = {"lost": f"more than {self.budget:g} s" if lost.late else str(lost)}
        update = answer.get("update") or _undecided(answer, statements[step]["span"])
        update.setdefault("seconds", round(time.monotonic() - started, 4))
        return _merged(statements[step], update)

    def _helped(self, page: Json, step: int) -> Json:
        """Return a blamed statement with what would make it true; its verdict stays, whatever comes of it."""
        statements: list[Json] = page["statements"]
        statement = statements[step]
        left = min(SUGGESTING, self.budget - statement.get("seconds", 0.0))
        if self._worker is None or left <= 0 or not awaits_help(statement):
            return statement
        earlier = [each.get("verdict") for each in statements[:step]]
        try:
            answer = self._ask({"suggest": {"step": step, "earlier": earlier, "seed": self.seed}}, left)
        except WorkerLostError:
            return statement
        return helped(statement, answer.get("help"), answer.get("note"))


def awaits_help(statement: Json) -> bool:
    """Tell whether a statement was blamed, not on purpose, and nothing is proposed yet."""
    return (
        statement.get("verdict") in {"refuted", "ill-typed"}
        and statement.get("expected") != "refuted"
        and not any(found.get("help") for found in statement["diagnostics"])
    )


def helped(statement: Json, help_: str | None, note: str | None = None) -> Json:
    """Return a blamed statement with what would make it true, beside the first of its errors.

    A note on the sizes for which it holds takes the place of one on those for which alone it may.
    """
    found = [dict(each) for each in statement["diagnostics"]]
    error = next((each for each in found if each["severity"] == "error"), None)
    if error is None:
        return statement
    if note is not None:
        before = [each for each in error["notes"] if not each.startswith("holds at most when")]
        error["notes"] = [*before, note]
    if help_ is not None:
        error["help"] = help_
    return {**statement, "diagnostics": found}


def awaits_verdict(statement: Json) -> bool:
    """Tell whether a statement of an outline is still to be judged."""
    return (
        statement["kind"] in {"claim", "question"}
        and statement.get("verdict") is None
        and not statement.get("skipped")
    )


def _undecided(answer: Json, span: Json) -> Json:
    """Return the verdict of a step whose child failed: out of budget, or an error of ours."""
    error = answer.get("error", {})
    if "lost" in answer:
        code, message, note = "SD021", "this step was given up: out of budget", answer["lost"]
    elif error.get("type") == "MemoryError":
        code, message, note = "SD021", "this step was given up: out of memory", explained(error)
    elif error.get("type") == "RecursionError":
        code, message, note = (
            "SD021",
            "this step was given up: its terms are nested too deep",
            explained(error),
        )
    else:
        code, message, note = "SD020", "this step was not decided: internal error", explained(error)
    found = _diagnostic(code, message, span, note)
    if code == "SD021":
        found["help"] = "write a member between the two sides, or allow more time, as in --budget 60"
    return {"verdict": "unknown", "diagnostics": [found]}


def _merged(statement: Json, update: Json) -> Json:
    """Return a statement with its verdict and the diagnostics of both; never proved against the numbers."""
    found = [*statement.get("diagnostics", [])]
    found += [diagnostic for diagnostic in update.get("diagnostics", []) if diagnostic not in found]
    merged = {**statement, **update, "diagnostics": found}
    if merged.get("disagreement") and merged["verdict"] == "proved":
        merged["verdict"] = "unknown"
    verdict = merged["verdict"]
    if merged.get("expected") == "refuted" and verdict not in {"refuted", "ill-typed"}:
        message = f"this step is marked as wrong on purpose, and is {verdict}"
        if not any(diagnostic["code"] == "SD206" for diagnostic in found):
            found.append(_diagnostic("SD206", message, statement["span"]))
    return merged


def _diagnostic(code: str, message: str, span: Json, *notes: str) -> Json:
    return {
        **DiagnosticReport(code, CODES[code].name, CODES[code].severity, message, notes=notes).to_json(),
        "span": span,
    }

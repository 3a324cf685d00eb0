"""The budget: whatever a step does to its process, the file goes on, in bounded time."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from symderiv.budget import Checker, Worker, WorkerLostError, child_command
from symderiv.report.model import FileReport, StatementReport

ROOT = Path(__file__).parent.parent
FAKE = (sys.executable, str(Path(__file__).with_name("fake_worker.py")))


BOOT = f"import runpy, sys; sys.path[0] = {str(ROOT)!r}; runpy.run_path({FAKE[1]!r}, run_name='__main__')"


@pytest.fixture
def checker(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Checker]:
    """Give a checker whose child is the fake judge."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    with Checker(budget=5.0, opening=5.0, command=FAKE) as checker:
        yield checker


def _middle(report: FileReport) -> StatementReport:
    """Return the second of three steps, the others of which are proved."""
    first, middle, last = report.statements
    assert ("proved", "proved") == (first.verdict, last.verdict)
    return middle


@pytest.mark.parametrize(
    ("does", "code", "note"),
    [
        ("raise", "SD020", "ZeroDivisionError"),
        ("recurse", "SD021", "RecursionError"),
        ("die", "SD021", "ended with status 7"),
        pytest.param(
            "abort", "SD021", "signal 6", marks=pytest.mark.skipif(sys.platform == "win32", reason="signals")
        ),
        pytest.param(
            "eat", "SD021", "MemoryError", marks=pytest.mark.skipif(sys.platform != "linux", reason="limits")
        ),
    ],
)
def test_a_step_that_goes_wrong(checker: Checker, does: str, code: str, note: str) -> None:
    """The step is unknown, with a code and a note that says why; its neighbours are judged."""
    step = _middle(checker.check("a.md", f"$proved$\n${does}$\n$proved$\n"))
    assert "unknown" == step.verdict
    (finding,) = step.diagnostics
    assert (code, 2) == (finding.code, finding.span and finding.span.line)
    assert note in finding.notes[0]
    assert "\n" not in finding.notes[0]


@pytest.mark.parametrize("does", ["sleep", "spin"])
def test_a_step_that_never_ends(checker: Checker, does: str) -> None:
    """The step is given up at its budget, and not much later."""
    checker.budget = 0.5
    started = time.monotonic()
    step = _middle(checker.check("a.md", f"$proved$\n${does}$\n$proved$\n"))
    assert time.monotonic() - started < 10
    assert ("unknown", "SD021") == (step.verdict, step.diagnostics[0].code)
    assert "--budget" in str(step.diagnostics[0].help)
    assert ("more than 0.5 s",) == step.diagnostics[0].notes
    assert 0.4 < step.seconds < 5


def test_a_blamed_step_is_helped(checker: Checker) -> None:
    """What the child proposes stands beside the error; one that is wrong on purpose is not asked about."""
    report = checker.check("a.md", "$refuted help$\n$refuted$\n$refuted expected help$\n$proved help$\n")
    helps = [[found.help for found in each.diagnostics] for each in report.statements]
    assert [["try this"], [None], [None], []] == helps


def test_help_that_never_comes(checker: Checker) -> None:
    """A search that takes too long ends with its child; the verdict stays, and the next step is judged."""
    checker.budget = 0.5
    started = time.monotonic()
    step = _middle(checker.check("a.md", "$proved$\n$refuted sleep$\n$proved$\n"))
    assert time.monotonic() - started < 10
    assert ("refuted", "SD001", None) == (step.verdict, step.diagnostics[0].code, step.diagnostics[0].help)


def test_later_steps_are_told_the_verdicts_before_them(checker: Checker) -> None:
    """Ten steps that kill their process leave ten verdicts."""
    report = checker.check("a.md", "$die$\n" * 10 + "$proved$\n")
    assert ["unknown"] * 10 + ["proved"] == [s.verdict for s in report.statements]


def test_one_child_serves_all_files(checker: Checker) -> None:
    """A new child is started only when one is lost."""
    checker.check("a.md", "$proved$\n")
    first = checker._worker
    checker.check("b.md", "$raise$\n$proved$\n")
    assert first is checker._worker
    checker.check("c.md", "$die$\n$proved$\n")
    assert first is not checker._worker


def test_what_a_step_prints_is_not_an_answer(checker: Checker) -> None:
    """Output of libraries does not reach the protocol."""
    report = checker.check("a.md", "$print$\n$refuted$\n")
    assert ["proved", "refuted"] == [s.verdict for s in report.statements]


@pytest.mark.parametrize(("does", "why"), [("sleep", "not read within 0.5 s"), ("raise", "ValueError")])
def test_a_page_that_cannot_be_opened(checker: Checker, does: str, why: str) -> None:
    """The file has an error of its own; the next one is checked."""
    checker.opening = 0.5
    report = checker.check("a.md", f"open {does}\n$proved$\n")
    assert report.error is not None
    assert report.error.startswith("a.md: ")
    assert why in report.error
    assert 2 == report.exit_status()
    checker.opening = 5.0
    assert "proved" == checker.check("b.md", "$proved$\n").statements[0].verdict


def test_never_proved_against_the_numbers(checker: Checker) -> None:
    """A disagreement is status 3, and its step is not proved."""
    report = checker.check("a.md", "$disagree$\n")
    assert ("unknown", True, 3) == (
        report.statements[0].verdict,
        report.statements[0].disagreement,
        report.exit_status(),
    )


def test_wrong_on_purpose(checker: Checker) -> None:
    """A step marked as wrong passes when it is refuted, else an error says what it is."""
    report = checker.check("a.md", "$refuted expected$\n")
    assert (0, ()) == (report.exit_status(), report.findings)
    report = checker.check("a.md", "$proved expected$\n")
    assert (1, ["SD206"]) == (report.exit_status(), [finding.code for finding in report.findings])


def test_progress_is_told(checker: Checker) -> None:
    """Steps are counted up to their number; what needs no verdict is not."""
    told: list[tuple[int, int]] = []
    checker.check(
        "a.md", "$x in R$\n$proved$\n$unread$\n$proved$\n", lambda done, total: told.append((done, total))
    )
    assert [(0, 2), (1, 2), (2, 2)] == told


def test_a_worker_that_cannot_start() -> None:
    """The reason is the last line that it wrote."""
    with pytest.raises(WorkerLostError, match=r"status 1: ValueError: broken"):
        Worker([sys.executable, "-c", "raise ValueError('broken')"])


def test_a_worker_that_says_nothing() -> None:
    """Starting has a budget as well, and the child is reaped."""
    with pytest.raises(WorkerLostError, match="out of time"):
        Worker([sys.executable, "-c", "import time; time.sleep(600)"], starting=0.3)


@pytest.mark.parametrize("line", ["{", "[]", "nonsense"])
def test_an_answer_that_is_not_json(line: str) -> None:
    """An answer outside the protocol loses the child, nothing more."""
    program = f"""
import sys
print('{{"ready": true}}', flush=True)
sys.stdin.readline()
print({line!r}, flush=True)
"""
    worker = Worker([sys.executable, "-c", program])
    with pytest.raises(WorkerLostError):
        worker.ask({}, 5.0)
    assert worker._process.returncode is not None


def test_a_child_ends_with_its_input() -> None:
    """A child does not outlive its parent, even in the middle of a step."""
    worker = Worker((sys.executable, "-c", BOOT))
    assert worker._process.stdin is not None
    worker.ask({"open": {"path": "a.md", "text": "$sleep$"}}, 5.0)
    worker._process.stdin.write('{"judge": {"step": 0, "earlier": [], "seed": 0}}\n')
    worker._process.stdin.close()
    assert 0 == worker._process.wait(timeout=5)
    worker.close()


def test_the_real_child_sees_this_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file in the working directory cannot stand in for a module."""
    (tmp_path / "json.py").write_text("raise SystemExit('shadowed')")
    monkeypatch.chdir(tmp_path)
    with Checker(command=child_command()) as checker:
        assert checker.check("a.md", "Some prose.\n").error is None

"""The command line: formats, exit status, errors on one line, terminals, pipes and Ctrl-C.

The judge is a fake (`fake_worker.py`): what is judged is not tested here.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

import symderiv
from symderiv.cli import app
from symderiv.diagnostics import CODES

ROOT = Path(__file__).parent.parent
FAKE = (sys.executable, str(Path(__file__).with_name("fake_worker.py")))
PROGRAM = f"from symderiv.cli import main, app; import sys; app(obj={FAKE!r})"


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Work in an empty folder, with a plain environment."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    for name in ("COLUMNS", "NO_COLOR", "FORCE_COLOR", "TERM"):
        monkeypatch.delenv(name, raising=False)


def run(*arguments: str) -> Result:
    """Run a command in this process, with the fake judge."""
    return CliRunner().invoke(app, arguments, obj=FAKE)


def launch(arguments: Sequence[str], **more: object) -> subprocess.Popen[str]:
    """Start a command as a process of its own, with the fake judge."""
    return subprocess.Popen(  # type: ignore[call-overload,no-any-return]
        [sys.executable, "-c", PROGRAM, *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
        preexec_fn=_heed_interrupts if sys.platform != "win32" else None,  # noqa: PLW1509
        **more,
    )


def _heed_interrupts() -> None:
    """Undo what a shell does that runs the suite in the background: it has its children ignore Ctrl-C."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def write(name: str, text: str) -> str:
    """Write a file and return its name."""
    path = Path(name)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return name


def _wait_for(file: Path) -> None:
    """Wait until the fake judge is in the middle of a step."""
    deadline = time.monotonic() + 60
    while not file.exists():
        assert time.monotonic() < deadline
        time.sleep(0.05)


# -------------------------------------------------------------------------------------------- formats


def test_full() -> None:
    """A diagnostic, the line of the file and the account of its spans."""
    result = run("verify", write("a.md", "$x in R$\n$proved$\n$refuted [x] :x:$\n$hidden$\n"), "--seed", "7")
    assert 1 == result.exit_code
    report, _, seconds = result.stdout.rpartition(" · ")
    assert (
        report
        == """\
error[SD001]: this step is false
 --> a.md:3:2
  |
3 | $refuted [x] :x:$
  |  ^^^^^^^^^^^^^^^
  |
  = note: at N = 2, i = 1, j = 2, x = [0.5, -1]: left = 0.1966, right = -0.1966
  = note: seed 7

a.md  1 proved · 1 refuted
4 math spans: 2 with steps, 1 with declarations or assumptions,
  1 that state nothing"""
    )
    assert seconds.endswith(" s\n")
    assert "" == result.stderr


def test_one_line_for_a_file_that_is_proved() -> None:
    """A file without a finding takes one line."""
    result = run("verify", write("a.md", "$proved$\n" * 31), write("b.md", "$proved$\n"))
    assert 0 == result.exit_code
    assert [
        "a.md  31 steps proved, all sizes",
        "b.md  1 step proved, all sizes",
        "",
        "32 proved · 2 files",
    ] == (result.stdout.split("\n")[:4])


def test_concise() -> None:
    """One line for each finding."""
    result = run("verify", write("a.md", "$refuted$\n$raise$\n"), "--format", "concise")
    assert [
        "a.md:1:2: SD001 this step is false",
        "a.md:2:2: SD020 this step was not decided: internal error",
    ] == (result.stdout.split("\n")[:2])


def test_json_is_alone_on_standard_output() -> None:
    """The report is one object; what cannot be read is told on standard error as well."""
    result = run(
        "verify", write("a.md", "$proved$\n$sleep$\n"), "gone.md", "--format", "json", "--budget", "0.5"
    )
    data = json.loads(result.stdout)
    assert (1, symderiv.__version__) == (data["schema"], data["symderiv"])
    assert ["proved", "unknown"] == [s["verdict"] for s in data["files"][0]["statements"]]
    assert "gone.md" in data["files"][1]["error"]
    assert {"proved": 1, "unknown": 1, "math_spans": 2} == {
        key: data["summary"][key] for key in ("proved", "unknown", "math_spans")
    }
    assert 2 == result.exit_code
    assert 1 == len(result.stderr.splitlines())


def test_verbose() -> None:
    """Every step is listed with its ground."""
    result = run("verify", write("a.md", "$proved$\n"), "--verbose")
    assert "     1  proved       normal form · all sizes" in result.stdout


# ----------------------------------------------------------------------------------------- exit status


@pytest.mark.parametrize(
    ("steps", "status", "strict"),
    [
        ("$proved$", 0, 0),
        ("$tested$", 0, 1),
        ("$raise$", 0, 1),
        ("$refuted$", 1, 1),
        ("$ill-typed$", 1, 1),
        ("$unread$", 1, 1),
        ("$refuted expected$", 0, 0),
        ("$proved expected$", 1, 1),
        ("unbalanced", 2, 2),
        ("$disagree$", 3, 3),
    ],
)
def test_exit_status(steps: str, status: int, strict: int) -> None:
    """0 pass, 1 a claim fails, 2 the file cannot be used, 3 a disagreement."""
    name = write("a.md", f"A page.\n$proved$\n{steps}\n")
    assert status == run("verify", name).exit_code
    assert strict == run("verify", name, "--strict").exit_code


@pytest.mark.parametrize(
    ("content", "error"),
    [
        (b"", "error: bad.md:1: the file is empty"),
        (b"fine\n\xff\xfe", "error: bad.md:2: the file is not UTF-8 text (byte 0xff)"),
        (b"prose\nunbalanced\n", "error: bad.md:2:1: `$$` is opened and never closed [SD202]"),
        (b"open raise\n", "error: bad.md: symderiv could not open this page: ValueError"),
        (None, "error: no file, folder or derivation 'bad.md'"),
    ],
)
def test_a_file_that_cannot_be_used(content: bytes | None, error: str) -> None:
    """One line names the file, and the line where there is one; the other files are still checked."""
    if content is not None:
        Path("bad.md").write_bytes(content)
    result = run("verify", "bad.md", write("good.md", "$proved$\n"))
    assert 2 == result.exit_code
    assert [True] == [line.startswith(error) for line in result.stderr.splitlines()]
    assert "good.md  1 step proved, all sizes" in result.stdout


def test_a_folder() -> None:
    """A folder gives the derivations in it, each file once; a folder without any is bad usage."""
    write("notes/a.md", "$proved$\n")
    write("notes/deep/b.md", "$proved$\n")
    result = run("verify", "notes", "notes/a.md")
    assert (0, 1, 1) == (
        result.exit_code,
        result.stdout.count("notes/a.md"),
        result.stdout.count("notes/deep/b.md"),
    )
    Path("empty").mkdir()
    result = run("verify", "empty")
    assert (2, "error: empty: no derivations in this folder\n") == (result.exit_code, result.stderr)
    assert "" == result.stdout


@pytest.mark.parametrize(
    "arguments",
    [
        ["verify", ""],
        ["verify", "--format", "xml"],
        ["verify", "--budget", "0"],
        ["nonsense"],
        ["verify", "--nonsense"],
        ["explain", "SD999"],
        ["show", "nosuch"],
        ["show", "a", "--latex", "--json"],
    ],
)
def test_bad_usage(arguments: list[str]) -> None:
    """Bad usage is status 2, told on standard error."""
    result = run(*arguments)
    assert (2, "") == (result.exit_code, result.stdout)
    assert result.stderr


# -------------------------------------------------------------------------------------------- library


def test_names() -> None:
    """A name is looked up in ./derivations first, in its subfolders too; a near miss is asked about."""
    write("derivations/gelu.md", "# GELU\n$proved$\n")
    write("derivations/attention/masked.md", "$refuted$\n")
    assert "derivations/gelu.md  1 step proved" in run("verify", "gelu").stdout
    assert 1 == run("verify", "masked").exit_code
    assert 1 == run("verify", "attention/masked").exit_code
    assert (
        "error: no file, folder or derivation 'gelo'; did you mean 'gelu'?\n" == run("verify", "gelo").stderr
    )


def test_a_name_that_is_not_clear() -> None:
    """Two pages of one name in different subfolders are told apart by the folder."""
    write("derivations/lstm/gates.md", "$proved$\n")
    write("derivations/gru/gates.md", "$proved$\n")
    result = run("verify", "gates")
    assert "error: 'gates' is not clear: it names 'gru/gates' or 'lstm/gates'\n" == result.stderr
    assert 0 == run("verify", "gru/gates").exit_code


def test_no_target() -> None:
    """Without a target, ./derivations is checked."""
    write("derivations/a.md", "$proved$\n")
    result = run("verify")
    assert "derivations/a.md  1 step proved, all sizes" == result.stdout.split("\n")[0]


def test_list() -> None:
    """Names, titles, number of steps and where each page is from."""
    write("derivations/a.md", "# A title\n\n$proved$\n$x in R$\n$tested$\n\nSource: a book,\nchapter 2\n")
    lines = run("list").stdout.split("\n")
    assert "a  A title, 2 steps" in lines
    assert "    a book, chapter 2" in lines


def test_explain() -> None:
    """A code or a name is explained."""
    for code in ("SD101", "sd101", "bound-index-reused"):
        result = run("explain", code)
        assert 0 == result.exit_code
        assert result.stdout.startswith("SD101 bound-index-reused (warning)\n\n")
    assert (
        "error: no diagnostic 'false-stop'; did you mean false-step?\n" == run("explain", "false-stop").stderr
    )
    listed = run("explain").stdout.splitlines()
    assert "SD101  bound-index-reused (warning)" in listed
    assert [*CODES, "proved"] == [line.split()[0] for line in listed]


def test_version() -> None:
    """The version is printed alone; as a module, too."""
    expected = f"symderiv {symderiv.__version__}\n"
    assert expected == run("--version").stdout
    done = subprocess.run(
        [sys.executable, "-m", "symderiv", "--version"], capture_output=True, encoding="utf-8", check=True
    )
    assert expected == done.stdout


# ---------------------------------------------------------------------------------- terminals and pipes


def test_a_pipe_has_80_columns_and_no_colour() -> None:
    """Lines fit 80 columns, COLUMNS changes that, and there are no escapes."""
    name = write("a.md", "$refuted " + r"\frac{x_i}{y}[a]:x: " * 20 + "$\n")
    for columns in (80, 60, 120):
        more = {} if columns == 80 else {"COLUMNS": str(columns)}
        out, err = launch(["verify", name], env={**os.environ, **more}).communicate(timeout=60)
        lines = out.split("\n")
        assert columns == max(len(line) for line in lines[:6])
        assert r"\frac{x_i}{y}[a]:x:" in out
        assert "\x1b" not in out + err


@pytest.mark.skipif(sys.platform == "win32", reason="pseudo-terminals")
@pytest.mark.parametrize("plain", [True, False])
def test_a_terminal_has_colour_unless_told(plain: bool) -> None:
    """Colours and a progress bar on a terminal; NO_COLOR is respected."""
    import pty

    name = write("a.md", "$refuted$\n$proved$\n")
    main, terminal = pty.openpty()
    env = {**os.environ, "TERM": "xterm", **({"NO_COLOR": "1"} if plain else {})}
    process = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, "verify", name], stdout=terminal, stderr=terminal, env=env
    )
    os.close(terminal)
    shown = b""
    try:
        while chunk := os.read(main, 4096):
            shown += chunk
    except OSError:
        pass
    finally:
        os.close(main)
    assert 1 == process.wait(timeout=60)
    assert plain == (b"\x1b[1;31m" not in shown)
    assert b"1/2" in shown or b"2/2" in shown


def test_a_document_cannot_write_to_the_terminal() -> None:
    """Escape sequences of a document, its title and its name are shown, not sent."""
    name = write("a.md", "$refuted \x1b[2J\x1b]0;gone\x07 \u202e$\n")
    out, err = launch(["verify", name, "--verbose"]).communicate(timeout=60)
    assert not {"\x1b", "\x07", "\u202e"} & set(out + err)
    assert r"\x1b[2J\x1b]0;gone\x07 \u202e" in out


@pytest.mark.parametrize("form", ["full", "concise", "json"])
def test_a_broken_pipe_is_quiet(form: str) -> None:
    """A reader that goes away ends the run without a word."""
    name = write("a.md", "$refuted$\n" * 400)
    process = launch(["verify", name, "--format", form])
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.read(10)
    process.stdout.close()
    assert "" == process.stderr.read()
    process.stderr.close()
    process.wait(timeout=60)


@pytest.mark.skipif(sys.platform == "win32", reason="signals")
@pytest.mark.parametrize("form", ["full", "json"])
def test_interrupted(form: str) -> None:
    """Ctrl-C ends at once, with what is known so far and status 130; no child is left."""
    first, second = write("a.md", "$proved$\n"), write("b.md", "$refuted$\n$sleep$\n$proved$\n")
    process = launch(["verify", first, second, "--format", form, "--budget", "600"], start_new_session=True)
    _wait_for(Path("asleep"))
    started = time.monotonic()
    os.killpg(process.pid, signal.SIGINT)
    out, err = process.communicate(timeout=10)
    assert time.monotonic() - started < 3
    assert (130, "") == (process.returncode, err)
    if form == "json":
        data = json.loads(out)
        assert data["interrupted"]
        assert ["refuted", None, None] == [s["verdict"] for s in data["files"][1]["statements"]]
    else:
        assert "a.md  1 step proved, all sizes" in out
        assert "error[SD001]" in out
        assert "interrupted" in out


# ------------------------------------------------------------------------------------------------- API


def test_importing_is_light() -> None:
    """`import symderiv` loads neither SymPy nor NumPy nor Typer; `verify` needs no SymPy in this process."""
    program = "import sys, symderiv; print(sorted({'sympy', 'numpy', 'typer', 'rich'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, encoding="utf-8", check=True)
    assert "[]\n" == done.stdout
    program = f"""
import sys
from typer.testing import CliRunner
from symderiv.cli import app
assert 0 == CliRunner().invoke(app, ["verify", "a.md"], obj={FAKE!r}).exit_code
print(sorted({{'sympy', 'numpy'}} & set(sys.modules)))
"""
    write("a.md", "$proved$\n")
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, encoding="utf-8", check=True)
    assert "[]\n" == done.stdout


def test_load() -> None:
    """A page of the library comes with its title, its text and its source."""
    write("derivations/a.md", "# A title\n\nSource: a book,\nchapter 2\n")
    page = symderiv.load("a")
    assert ("derivations/a.md", "A title", "a book, chapter 2") == (page.path, page.title, page.source)

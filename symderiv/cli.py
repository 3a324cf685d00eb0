"""The commands. No logic: options in, a report out, and its exit status.

Mathematics goes to the terminal as Rich `Text`, never as markup. What cannot be used goes to standard error,
one line each; the report to standard output.
"""

from __future__ import annotations

import difflib
import sys
import textwrap
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.text import Text

from symderiv import __version__, api, library
from symderiv.budget import Checker, InterruptedCheck, Progress, WorkerLostError, awaits_verdict
from symderiv.diagnostics import BY_NAME, CODES
from symderiv.document.files import UnreadableFile
from symderiv.report import concise, full
from symderiv.report import json as json_format
from symderiv.report.model import UNREADABLE, FileReport, Report
from symderiv.report.summary import plural
from symderiv.report.text import cropped, described, safe

USAGE, INTERRUPTED = 2, 130

app = typer.Typer(
    name="symderiv",
    help="Doctest for derivations: proves or refutes every = of a page of mathematics, for every size.",
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


class Format(StrEnum):
    """How `verify` prints its report."""

    full = "full"
    concise = "concise"
    json = "json"


def main() -> None:
    """Run the command line."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    app()


def _console(*, stderr: bool = False) -> Console:
    return Console(stderr=stderr, highlight=False, markup=False, emoji=False, soft_wrap=True)


def _print(console: Console, lines: Iterable[Text]) -> None:
    for line in lines:
        console.print(line, soft_wrap=True)


def _complain(text: str) -> None:
    """Print one line on standard error."""
    _print(_console(stderr=True), [Text.assemble(("error", "bold red"), ": ", safe(text))])


def _version(asked: bool) -> None:
    if asked:
        typer.echo(f"symderiv {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    pass


def _names(incomplete: str) -> list[str]:
    """Return the names of the library that complete a word at the prompt."""
    return [name for name in library.names() if name.startswith(incomplete)]


@app.command()
def verify(  # noqa: PLR0913, PLR0917  options, one a line
    context: typer.Context,
    targets: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[TARGET]...",
            help="Files, folders or names of the library. None: ./derivations, else the built-in library.",
            autocompletion=_names,
            show_default=False,
        ),
    ] = None,
    form: Annotated[Format, typer.Option("--format", help="How to print the report.")] = Format.full,
    strict: Annotated[bool, typer.Option("--strict", help="Fail unless every step is proved.")] = False,
    seed: Annotated[int, typer.Option(help="Seed of the sampled points.")] = 0,
    budget: Annotated[float, typer.Option(min=0.01, metavar="SECONDS", help="Time for each step.")] = 10.0,
    verbose: Annotated[
        bool, typer.Option("--verbose", "-v", help="List names with shapes, and steps with their ground.")
    ] = False,
) -> None:
    """Prove or refute every step of some derivations."""
    console = _console()
    started = time.monotonic()
    done: list[FileReport] = []
    interrupted = False
    with Checker(budget=budget, seed=seed, command=context.obj or ()) as checker:
        try:
            for file, text in _checked(checker, targets, done):
                if form is Format.full:
                    _print(console, full.render_file(file, text, console.width, verbose=verbose))
                elif form is Format.concise:
                    _print(console, concise.render_file(file, verbose=verbose))
        except KeyboardInterrupt:
            interrupted = True
    report = Report(tuple(done), round(time.monotonic() - started, 3), __version__, interrupted)
    if form is Format.json:
        _print_json(json_format.render(report))
    elif any(file.error is None for file in done):
        whole = (
            full.render_summary(report, console.width)
            if form is Format.full
            else concise.render_summary(report)
        )
        _print(console, whole)
    raise typer.Exit(INTERRUPTED if interrupted else report.exit_status(strict=strict))


def _checked(
    checker: Checker, targets: list[str] | None, done: list[FileReport]
) -> Iterator[tuple[FileReport, str]]:
    """Check the targets one after the other: add each file to `done`, and yield it with its text."""
    for page in _pages(targets):
        if isinstance(page, FileReport):
            done.append(page)
            _complain_of(page)
            continue
        try:
            with _progress(page.path) as progress:
                report = checker.check(page.path, page.text, progress)
        except InterruptedCheck as stopped:
            done.append(stopped.file)
            yield stopped.file, page.text
            raise
        _complain_of(report)
        done.append(report)
        yield report, page.text


def _pages(targets: list[str] | None) -> Iterator[api.Page | FileReport]:
    """Yield each page once; for a target or a file that is none, the report that says what is wrong."""
    seen: set[Path] = set()
    wanted: Sequence[str | None] = targets or [None]
    for target in wanted:
        try:
            files = library.default() if target is None else library.resolve(target)
        except library.NotFoundError as error:
            yield FileReport(path=target or "", error=str(error))
            continue
        for file in files:
            if file.resolve() in seen:
                continue
            seen.add(file.resolve())
            try:
                yield api.read(file)
            except UnreadableFile as error:
                yield FileReport(path=error.path, error=str(error))


def _complain_of(report: FileReport) -> None:
    """Print what keeps a file from being used, one line each."""
    if report.error is not None:
        _complain(report.error)
    for diagnostic in report.diagnostics:
        if diagnostic.code in UNREADABLE:
            _complain(
                f"{concise.location(report.path, diagnostic)}: {diagnostic.message} [{diagnostic.code}]"
            )


@contextmanager
def _progress(path: str) -> Iterator[Progress | None]:
    """Show how far the work on a page is, on a terminal only; nothing of it stays there."""
    console = _console(stderr=True)
    if not console.is_terminal:
        yield None
        return
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn
    from rich.progress import Progress as Bar

    columns = (TextColumn("{task.description}", markup=False), BarColumn(), MofNCompleteColumn())
    with Bar(*columns, console=console, transient=True) as bar:
        task = bar.add_task(cropped(path, 40), total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


def _print_json(text: str) -> None:
    """Print JSON alone, with escapes where standard output has no such characters."""
    try:
        text.encode(sys.stdout.encoding or "utf-8")
    except UnicodeEncodeError:
        text = json_format.ascii_only(text)
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


@app.command("list")
def list_(context: typer.Context) -> None:
    """List the library: names, titles, number of steps, source."""
    console = _console()
    lines: list[Text] = []
    with Checker(command=context.obj or ()) as checker:
        for name, entry in library.names().items():
            try:
                page = api.read(entry.file)
            except UnreadableFile as error:
                _complain(str(error))
                continue
            lines.append(
                Text.assemble((safe(name), "bold"), f"  {safe(page.title)}, {_steps(checker, page)}")
            )
            if page.source:
                lines.append(Text("    " + cropped(page.source.replace("*", ""), console.width - 4), "dim"))
    _print(console, lines or [Text("no derivations")])


def _steps(checker: Checker, page: api.Page) -> str:
    try:
        outline = checker.outline(page.path, page.text)
    except WorkerLostError:
        return "not read"
    return plural(
        sum(awaits_verdict(s) or bool(s.get("verdict")) for s in outline.get("statements", [])), "step"
    )


@app.command()
def show(
    name: Annotated[str, typer.Argument(help="A name of the library, or a file.", autocompletion=_names)],
    latex: Annotated[bool, typer.Option("--latex", help="A fragment of LaTeX.")] = False,
    numpy: Annotated[bool, typer.Option("--numpy", help="A function of NumPy.")] = False,
    json: Annotated[bool, typer.Option("--json", help="JSON.")] = False,
) -> None:
    """Print what a page establishes: its definitions and derivatives, as they were derived."""
    chosen = [form for form, asked in (("latex", latex), ("numpy", numpy), ("json", json)) if asked]
    if len(chosen) > 1:
        _complain(f"--{chosen[0]} and --{chosen[1]} exclude each other")
        raise typer.Exit(USAGE)
    try:
        files = library.resolve(name)
        pages = [api.read(file) for file in files]
    except (library.NotFoundError, UnreadableFile) as error:
        _complain(str(error))
        raise typer.Exit(USAGE) from None
    from symderiv.report.show import show as shown

    for page in pages:
        typer.echo(shown(page.path, page.text, chosen[0] if chosen else "unicode"))


@app.command()
def explain(
    code: Annotated[
        str | None,
        typer.Argument(
            help="A code or its name: SD101, bound-index-reused. Or: proved. Without one, all are listed.",
            metavar="[CODE]",
            show_default=False,
        ),
    ] = None,
) -> None:
    """Tell what a diagnostic means, or what a proof rests on."""
    if code is None:
        listed = (Text(f"{each.code}  {each.name} ({each.severity})") for each in CODES.values())
        _print(_console(), [*listed, Text("proved  what a proof rests on")])
        return
    if code.lower() == "proved":
        _explain_proved()
        return
    found = CODES.get(code.upper()) or BY_NAME.get(code.lower())
    if found is None:
        near = difflib.get_close_matches(
            code.lower(), ["proved", *BY_NAME, *(known.lower() for known in CODES)], n=1
        )
        meant = f"; did you mean {near[0].upper() if near[0].upper() in CODES else near[0]}?" if near else ""
        _complain(f"no diagnostic {code!r}{meant}")
        raise typer.Exit(USAGE)
    head = Text.assemble((found.code, "bold"), f" {found.name} ({found.severity})")
    console = _console()
    _print(console, [head, Text("")])
    console.print(Text(found.explanation), soft_wrap=False)


def _explain_proved() -> None:
    from symderiv.judge import trust

    console = _console()
    width = min(console.width, 80)
    _print(console, [Text(trust.TITLE, "bold"), Text("")])
    _print(console, map(Text, textwrap.wrap(trust.OPENING, width)))
    for word, line in described(trust.grounds(), width):
        if word.strip():
            console.print()
        _print(console, [Text.assemble((word, "bold"), line)])

"""The report of a run as plain data: what every format prints, and what `symderiv.verify` returns.

Contract: each class has `to_json`, which gives what schema 1 of the JSON report prints, and `from_json`,
which takes it back without loss. Keys that are missing get their empty value and unknown keys are passed
over, so that a report of a later version can still be read. Nothing here imports SymPy.

Vocabulary: a *place* is a span as lines and columns, from 1, end exclusive; a *step* is a statement with a
verdict; a step *fails* when it ends the run with a status other than 0.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any, Literal

Json = dict[str, Any]

SCHEMA = 1
OUTCOMES = ("proved", "tested", "refuted", "ill-typed", "unknown", "unread")
UNREADABLE = frozenset({"SD201", "SD202", "SD203", "SD204", "SD207"})
"""Codes that say that the file itself cannot be used as it is: exit status 2."""

SpanKind = Literal["steps", "unread", "definitions", "declarations", "relations", "nothing"]
SPAN_KINDS: tuple[SpanKind, ...] = ("steps", "unread", "definitions", "declarations", "relations", "nothing")
"""What a span of mathematics holds; one that holds several counts as the first of these."""

_SPAN_KIND: dict[str, SpanKind] = {
    "unread": "unread",
    "definition": "definitions",
    "declaration": "declarations",
    "assumption": "declarations",
}


@dataclass(frozen=True, slots=True)
class Place:
    """Where something stands: lines and columns from 1, the end exclusive; in a notebook also its cell."""

    line: int
    column: int
    end_line: int
    end_column: int
    cell: int | None = None

    def to_json(self) -> Json:
        """Return the `span` object; `cell` only where there is one."""
        data: Json = {
            "line": self.line,
            "column": self.column,
            "end_line": self.end_line,
            "end_column": self.end_column,
        }
        return data if self.cell is None else {**data, "cell": self.cell}

    @classmethod
    def from_json(cls, data: Json) -> Place:
        """Read a `span` object."""
        return cls(data["line"], data["column"], data["end_line"], data["end_column"], data.get("cell"))


@dataclass(frozen=True, slots=True)
class Label:
    """A second place that a diagnostic points at, and the few words beside it."""

    span: Place
    text: str

    def to_json(self) -> Json:
        """Return the `labels` entry."""
        return {"span": self.span.to_json(), "text": self.text}

    @classmethod
    def from_json(cls, data: Json) -> Label:
        """Read a `labels` entry."""
        return cls(Place.from_json(data["span"]), data["text"])


@dataclass(frozen=True, slots=True)
class DiagnosticReport:
    """One finding, as it is shown."""

    code: str
    name: str
    severity: str
    message: str
    span: Place | None = None
    help: str | None = None
    notes: tuple[str, ...] = ()
    label: str = ""
    labels: tuple[Label, ...] = ()

    def to_json(self) -> Json:
        """Return the `diagnostics` entry."""
        return {
            "code": self.code,
            "name": self.name,
            "severity": self.severity,
            "message": self.message,
            "help": self.help,
            "span": self.span.to_json() if self.span else None,
            "notes": list(self.notes),
            "label": self.label,
            "labels": [label.to_json() for label in self.labels],
        }

    @classmethod
    def from_json(cls, data: Json) -> DiagnosticReport:
        """Read a `diagnostics` entry."""
        span = data.get("span")
        return cls(
            code=data["code"],
            name=data["name"],
            severity=data["severity"],
            message=data["message"],
            span=Place.from_json(span) if span else None,
            help=data.get("help"),
            notes=tuple(data.get("notes") or ()),
            label=data.get("label") or "",
            labels=tuple(Label.from_json(label) for label in data.get("labels") or ()),
        )


@dataclass(frozen=True, slots=True)
class WitnessReport:
    """Sizes, index values and entries at which the two sides of a step differ, and both numbers."""

    sizes: dict[str, int]
    indices: dict[str, int]
    values: dict[str, Any]
    left: str
    right: str
    digits: int

    def to_json(self) -> Json:
        """Return the `witness` object."""
        return {
            "sizes": dict(self.sizes),
            "indices": dict(self.indices),
            "values": dict(self.values),
            "left": self.left,
            "right": self.right,
            "digits": self.digits,
        }

    @classmethod
    def from_json(cls, data: Json) -> WitnessReport:
        """Read a `witness` object."""
        return cls(
            dict(data.get("sizes") or {}),
            dict(data.get("indices") or {}),
            dict(data.get("values") or {}),
            str(data.get("left", "")),
            str(data.get("right", "")),
            data.get("digits", 0),
        )


@dataclass(frozen=True, slots=True)
class CrossCheckReport:
    """The numerical evaluation that stood beside a proof."""

    entries: int
    error: float
    agrees: bool

    def to_json(self) -> Json:
        """Return the `cross_check` object."""
        return {"entries": self.entries, "error": self.error, "agrees": self.agrees}

    @classmethod
    def from_json(cls, data: Json) -> CrossCheckReport:
        """Read a `cross_check` object."""
        return cls(data.get("entries", 0), data.get("error", 0.0), bool(data.get("agrees", True)))


@dataclass(frozen=True, slots=True)
class StatementReport:
    """One `=`, declaration, definition, assumption or relation of a page, and what became of it."""

    kind: str
    span: Place
    latex: str
    left: str | None = None
    verdict: str | None = None
    method: str | None = None
    sizes: str | None = None
    assumptions: tuple[str, ...] = ()
    layout: str | None = None
    witness: WitnessReport | None = None
    diagnostics: tuple[DiagnosticReport, ...] = ()
    seconds: float = 0.0
    cross_check: CrossCheckReport | None = None
    expected: str | None = None
    disagreement: bool = False
    math_span: int | None = None
    """Which span of mathematics it was read from, in reading order; None where that is not told."""
    skipped: bool = False
    """Whether the document asks not to check it."""

    @property
    def not_checked(self) -> bool:
        """Whether it says something that nobody judged."""
        return self.skipped or (self.verdict is None and self.kind in {"relation", "claim", "question"})

    @property
    def as_expected(self) -> bool:
        """Whether the step was marked as wrong on purpose and is."""
        return self.expected == "refuted" and self.verdict in {"refuted", "ill-typed"}

    def fails(self, *, strict: bool = False) -> bool:
        """Tell whether the run fails for this statement."""
        if self.disagreement:
            return True
        if self.expected == "refuted":
            return not self.as_expected
        if self.verdict in {"refuted", "ill-typed"}:
            return True
        if self.verdict == "unread" and self.kind == "claim":
            return True
        if strict and self.verdict in {"tested", "unknown", "unread"}:
            return True
        return any(diagnostic.severity == "error" for diagnostic in self.diagnostics)

    def to_json(self) -> Json:
        """Return the `statements` entry."""
        return {
            "kind": self.kind,
            "span": self.span.to_json(),
            "latex": self.latex,
            "left": self.left,
            "verdict": self.verdict,
            "method": self.method,
            "sizes": self.sizes,
            "assumptions": list(self.assumptions),
            "layout": self.layout,
            "witness": self.witness.to_json() if self.witness else None,
            "diagnostics": [diagnostic.to_json() for diagnostic in self.diagnostics],
            "seconds": self.seconds,
            "cross_check": self.cross_check.to_json() if self.cross_check else None,
            "expected": self.expected,
            "disagreement": self.disagreement,
            "math_span": self.math_span,
            "skipped": self.skipped,
        }

    @classmethod
    def from_json(cls, data: Json) -> StatementReport:
        """Read a `statements` entry."""
        witness, cross_check = data.get("witness"), data.get("cross_check")
        return cls(
            kind=data["kind"],
            span=Place.from_json(data["span"]),
            latex=data.get("latex") or "",
            left=data.get("left"),
            verdict=data.get("verdict"),
            method=data.get("method"),
            sizes=data.get("sizes"),
            assumptions=tuple(data.get("assumptions") or ()),
            layout=data.get("layout"),
            witness=WitnessReport.from_json(witness) if witness else None,
            diagnostics=tuple(DiagnosticReport.from_json(d) for d in data.get("diagnostics") or ()),
            seconds=data.get("seconds") or 0.0,
            cross_check=CrossCheckReport.from_json(cross_check) if cross_check else None,
            expected=data.get("expected"),
            disagreement=bool(data.get("disagreement")),
            math_span=data.get("math_span"),
            skipped=bool(data.get("skipped")),
        )


@dataclass(frozen=True, slots=True)
class OriginReport:
    """The formula that tells a dimension, and its line."""

    line: int
    latex: str
    cell: int | None = None

    def to_json(self) -> Json:
        """Return the `origins` entry."""
        return {"line": self.line, "latex": self.latex, "cell": self.cell}

    @classmethod
    def from_json(cls, data: Json) -> OriginReport:
        """Read an `origins` entry."""
        return cls(data["line"], data["latex"], data.get("cell"))


@dataclass(frozen=True, slots=True)
class SymbolReport:
    """A name of the page with its shape; an entry of the shape is a size's name or a number."""

    name: str
    shape: tuple[str | int, ...] | None
    line: int
    inferred: bool
    origins: tuple[OriginReport, ...] = ()
    """For an inferred shape: what tells each dimension."""
    function: bool = False
    cell: int | None = None

    def to_json(self) -> Json:
        """Return the `symbols` entry."""
        shape = None if self.shape is None else list(self.shape)
        return {
            "name": self.name,
            "shape": shape,
            "line": self.line,
            "inferred": self.inferred,
            "origins": [origin.to_json() for origin in self.origins],
            "function": self.function,
            "cell": self.cell,
        }

    @classmethod
    def from_json(cls, data: Json) -> SymbolReport:
        """Read a `symbols` entry."""
        shape = data.get("shape")
        return cls(
            data["name"],
            None if shape is None else tuple(shape),
            data.get("line") or 0,
            bool(data.get("inferred")),
            tuple(OriginReport.from_json(each) for each in data.get("origins") or ()),
            bool(data.get("function")),
            data.get("cell"),
        )


@dataclass(frozen=True, slots=True)
class FileReport:
    """One file. `error` says why it could not be used at all; `interrupted`, that it was not finished."""

    path: str
    title: str = ""
    layout: str | None = None
    symbols: tuple[SymbolReport, ...] = ()
    statements: tuple[StatementReport, ...] = ()
    math_spans: int = 0
    diagnostics: tuple[DiagnosticReport, ...] = ()
    error: str | None = None
    interrupted: bool = False
    seconds: float = 0.0

    @property
    def findings(self) -> tuple[DiagnosticReport, ...]:
        """Every diagnostic once, in the order of the file, without those of steps wrong on purpose."""
        found = {(d.code, d.span, d.message): d for d in reversed(self.diagnostics)}
        for statement in self.statements:
            if not statement.as_expected:
                for diagnostic in statement.diagnostics:
                    found.setdefault((diagnostic.code, diagnostic.span, diagnostic.message), diagnostic)
        return tuple(sorted(found.values(), key=_position))

    def exit_status(self, *, strict: bool = False) -> int:
        """Return 0, 1, 2 or 3 for this file alone."""
        if any(statement.disagreement for statement in self.statements):
            return 3
        if self.error is not None or any(d.code in UNREADABLE for d in self.diagnostics):
            return 2
        failed = any(statement.fails(strict=strict) for statement in self.statements)
        return int(failed or any(d.severity == "error" for d in self.diagnostics))

    def to_json(self) -> Json:
        """Return the `files` entry."""
        return {
            "path": self.path,
            "title": self.title,
            "layout": self.layout,
            "symbols": [symbol.to_json() for symbol in self.symbols],
            "statements": [statement.to_json() for statement in self.statements],
            "math_spans": self.math_spans,
            "diagnostics": [diagnostic.to_json() for diagnostic in self.diagnostics],
            "error": self.error,
            "interrupted": self.interrupted,
            "seconds": self.seconds,
        }

    @classmethod
    def from_json(cls, data: Json) -> FileReport:
        """Read a `files` entry."""
        return cls(
            path=data["path"],
            title=data.get("title") or "",
            layout=data.get("layout"),
            symbols=tuple(SymbolReport.from_json(symbol) for symbol in data.get("symbols") or ()),
            statements=tuple(StatementReport.from_json(s) for s in data.get("statements") or ()),
            math_spans=data.get("math_spans") or 0,
            diagnostics=tuple(DiagnosticReport.from_json(d) for d in data.get("diagnostics") or ()),
            error=data.get("error"),
            interrupted=bool(data.get("interrupted")),
            seconds=data.get("seconds") or 0.0,
        )


def _position(diagnostic: DiagnosticReport) -> tuple[int, int, int]:
    place = diagnostic.span
    return (0, 0, 0) if place is None else (place.cell or 0, place.line, place.column)


@dataclass(frozen=True, slots=True)
class Summary:
    """How many steps got each verdict, and what the spans of mathematics hold.

    `spans` adds up to `math_spans`; it is None where the statements do not tell their span.
    """

    verdicts: dict[str, int]
    not_checked: int
    as_expected: int
    math_spans: int
    spans: dict[SpanKind, int] | None
    seconds: float

    @classmethod
    def of(cls, files: tuple[FileReport, ...], seconds: float) -> Summary:
        """Count the statements of some files."""
        statements = [statement for file in files for statement in file.statements]
        verdicts = Counter(s.verdict for s in statements if s.verdict is not None)
        return cls(
            verdicts={outcome: verdicts[outcome] for outcome in OUTCOMES},
            not_checked=sum(statement.not_checked for statement in statements),
            as_expected=sum(s.as_expected for s in statements),
            math_spans=sum(file.math_spans for file in files),
            spans=_spans(files),
            seconds=seconds,
        )

    @property
    def steps(self) -> int:
        """How many statements have a verdict."""
        return sum(self.verdicts.values())

    def to_json(self) -> Json:
        """Return the `summary` object."""
        return {
            **self.verdicts,
            "not-checked": self.not_checked,
            "as-expected": self.as_expected,
            "math_spans": self.math_spans,
            "spans": self.spans,
            "seconds": self.seconds,
        }

    @classmethod
    def from_json(cls, data: Json) -> Summary:
        """Read a `summary` object."""
        return cls(
            verdicts={outcome: data.get(outcome, 0) for outcome in OUTCOMES},
            not_checked=data.get("not-checked", 0),
            as_expected=data.get("as-expected", 0),
            math_spans=data.get("math_spans", 0),
            spans=data.get("spans"),
            seconds=data.get("seconds", 0.0),
        )


def _spans(files: tuple[FileReport, ...]) -> dict[SpanKind, int] | None:
    """Count the spans of mathematics by what they hold; what no statement was read from states nothing."""
    holds: dict[tuple[int, int], SpanKind] = {}
    for number, file in enumerate(files):
        for statement in file.statements:
            if statement.math_span is None:
                return None
            place = (number, statement.math_span)
            holds[place] = min(holds.get(place, "nothing"), _holds(statement), key=SPAN_KINDS.index)
    counts = Counter(holds.values())
    counts["nothing"] += sum(file.math_spans for file in files) - len(holds)
    return {kind: counts[kind] for kind in SPAN_KINDS}


def _holds(statement: StatementReport) -> SpanKind:
    """Return what a span holds by this statement; a step that nobody judged is counted with the relations."""
    if statement.not_checked:
        return "relations"
    if statement.verdict is None:
        return _SPAN_KIND.get(statement.kind, "nothing")
    return "unread" if statement.verdict == "unread" else "steps"


@dataclass(frozen=True, slots=True)
class Report:
    """One run over some files: what `symderiv.verify` returns and every format prints."""

    files: tuple[FileReport, ...]
    seconds: float
    version: str
    interrupted: bool = False

    @property
    def summary(self) -> Summary:
        """Count the verdicts of all files."""
        return Summary.of(self.files, self.seconds)

    @property
    def statements(self) -> tuple[StatementReport, ...]:
        """Every statement of every file."""
        return tuple(statement for file in self.files for statement in file.statements)

    def exit_status(self, *, strict: bool = False) -> int:
        """Return 0 if all pass, 1 if a claim fails, 2 for an unusable file, 3 for a disagreement."""
        return max((file.exit_status(strict=strict) for file in self.files), default=0)

    def to_json(self) -> Json:
        """Return the whole report, schema 1."""
        return {
            "schema": SCHEMA,
            "symderiv": self.version,
            "files": [file.to_json() for file in self.files],
            "summary": self.summary.to_json(),
            "interrupted": self.interrupted,
        }

    @classmethod
    def from_json(cls, data: Json) -> Report:
        """Read a report, schema 1; its summary is counted again."""
        if data["schema"] != SCHEMA:
            message = f"a report of schema {data['schema']}; this version reads schema {SCHEMA}"
            raise ValueError(message)
        return cls(
            files=tuple(FileReport.from_json(file) for file in data["files"]),
            seconds=data["summary"]["seconds"],
            version=data["symderiv"],
            interrupted=bool(data.get("interrupted")),
        )

    def __str__(self) -> str:
        """Return the concise form: one line for each finding, and a summary."""
        from symderiv.report import concise

        return "\n".join(line.plain for line in concise.render(self))

"""The listing of `--verbose`: the shape of each name, and each statement with what its verdict rests on.

In a notebook, the cell stands before the line: `3:14`.
"""

from __future__ import annotations

from rich.text import Text

from symderiv.report.model import FileReport, OriginReport, StatementReport, SymbolReport
from symderiv.report.summary import STYLES, packed
from symderiv.report.text import cropped, readable, safe

_INDENT = 8
_SHORT = 24
_WIDEST = len("declaration")
_AFTER = _INDENT + _WIDEST + 2


def render_file(file: FileReport, width: int) -> list[Text]:
    """Return the listing of one file, without the formulas that state nothing."""
    lines = [Text.assemble((safe(file.path), "bold"), "  ", safe(file.title))]
    for symbol in sorted(file.symbols, key=lambda each: (each.cell or 0, each.line)):
        lines += _named(symbol, width)
    for statement in file.statements:
        if statement.kind != "term" or statement.skipped:
            lines += [
                *_ground(statement, width),
                Text(" " * _INDENT + _formula(statement, width - _INDENT), "dim"),
            ]
    return lines


def _named(symbol: SymbolReport, width: int) -> list[Text]:
    """Return `  21  inferred     W is T × N · rows from y_i, line 21 · columns from W x, line 23`."""
    shape = [safe(str(each)) for each in symbol.shape or ()]
    kind = " × ".join(shape) if len(shape) > 1 else f"of length {shape[0]}" if shape else "a number"
    if symbol.function:
        kind = f"a function, {kind}" if shape else "a function"
    word = "inferred" if symbol.inferred else "declared"
    where = str(symbol.line) if symbol.cell is None else f"{symbol.cell}:{symbol.line}"
    head = Text(f"{where:>6}  {word.ljust(_WIDEST)}")
    facts = [f"{readable(safe(symbol.name))} is {kind}", *_origins(symbol.origins, width - _AFTER)]
    first, *rest = map(Text, facts)
    return packed([head.append("  ").append_text(first), *rest], " · ", width, indent=_AFTER)


def _origins(origins: tuple[OriginReport, ...], width: int) -> list[str]:
    """Return what tells each dimension, once where one place tells all."""
    told = [f"line {each.line}" if each.cell is None else f"line {each.cell}:{each.line}" for each in origins]
    if len(set(origins)) == 1:
        return [f"from {cropped(safe(origins[0].latex), width - 20)}, {told[0]}"]
    words = ("rows", "columns") if len(origins) == 2 else [f"index {at}" for at in range(1, len(origins) + 1)]
    return [
        f"{word} from {cropped(safe(each.latex), width - 30)}, {line}"
        for word, each, line in zip(words, origins, told, strict=True)
    ]


def _ground(statement: StatementReport, width: int) -> list[Text]:
    """Return `  21  proved       normal form · all sizes · 4 ms · assuming i ≠ j`."""
    word = "skipped" if statement.skipped else statement.verdict or statement.kind
    place = statement.span
    where = str(place.line) if place.cell is None else f"{place.cell}:{place.line}"
    head = Text.assemble(f"{where:>6}  ", (word.ljust(_WIDEST), STYLES.get(word, "")))
    first, *rest = [Text(fact) for fact in _facts(statement)] or [Text("")]
    lines = packed([head.append("  ").append_text(first), *rest], " · ", width, indent=_AFTER)
    for line in lines:
        line.rstrip()
    return lines


def _facts(statement: StatementReport) -> list[str]:
    """Return what the verdict rests on, in a few words each."""
    facts = [safe(statement.method)] if statement.method else []
    if statement.sizes:
        facts.append("all sizes" if statement.sizes == "all" else f"sizes {readable(safe(statement.sizes))}")
    if statement.verdict is not None:
        facts.append(_time(statement.seconds))
    if statement.layout:
        facts.append(f"{safe(statement.layout)} layout")
    if statement.assumptions:
        facts.append("assuming " + ", ".join(readable(safe(a)) for a in statement.assumptions))
    if statement.cross_check:
        check = statement.cross_check
        facts.append(f"{check.entries} entries {'agree' if check.agrees else 'do not agree'}")
    if statement.expected:
        facts.append(f"expected to be {safe(statement.expected)}")
    return facts


def _time(seconds: float) -> str:
    return f"{1000 * seconds:.0f} ms" if seconds < 1 else f"{seconds:.1f} s"


def _formula(statement: StatementReport, width: int) -> str:
    """Return `left = right`; where that is too long, the left side gives way first.

    A relation that is not `=` has dots in its place: its sign is no part of the report.
    """
    right = " ".join(statement.latex.split())
    if not statement.left:
        return cropped(right, width)
    left = " ".join(statement.left.split())
    sign = "…" if statement.kind == "relation" else "="
    return cropped(f"{cropped(left, max(_SHORT, width - len(right) - 3))} {sign} {right}", width)

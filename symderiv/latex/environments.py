"""Matrices and cases."""

from __future__ import annotations

from symderiv.latex import expressions
from symderiv.latex.layout import TEXT, tidy
from symderiv.latex.reader import Reader, prose_of
from symderiv.latex.tokens import COMMAND, END, ROW, STOP, Token
from symderiv.latex.tree import Case, Cases, Empty, Matrix, Node, Sequence
from symderiv.latex.vocabulary import CONDITION_WORDS, NO_OPERANDS, OTHERWISE, SAYINGS


def environment(reader: Reader) -> Node:
    """environment : matrix | cases"""
    start = reader.at
    reader.enter()
    begin = reader.read()
    variables, reader.variables = reader.variables, ""
    closers, reader.closers = reader.closers, []
    font, reader.font = reader.font, ""
    scripts, reader.scripts = reader.scripts, 0
    cells, reader.cells = reader.cells, True
    node = cases(reader, start) if begin.text == "cases" else matrix(reader, begin.text, start)
    reader.cells = cells
    reader.scripts = scripts
    reader.font = font
    reader.closers = closers
    reader.variables = variables
    reader.leave()
    return node


def matrix(reader: Reader, kind: str, start: int) -> Node:
    """matrix : cell ( "&" cell )* ( row cell ( "&" cell )* )*"""
    rows: list[tuple[Node, ...]] = []
    cells: list[Node] = []
    while True:
        cells.append(cell(reader))
        if reader.consume("&"):
            continue
        ended = reader.token.kind == END
        if not ended and reader.token.kind != ROW:
            unexpected_in_cell(reader)
        if not (len(cells) == 1 and isinstance(cells[0], Empty)):
            rows.append(tuple(cells))
        cells = []
        reader.read()
        if ended:
            break
    return Matrix(tuple(rows), kind.rstrip("*"), span=reader.since(start))


def unexpected_in_cell(reader: Reader) -> None:
    """Fail inside a matrix or cases."""
    token = reader.token
    if token.kind == COMMAND and token.text not in NO_OPERANDS | TEXT:
        reader.unexpected()
    reader.fail("expected the end of this cell", expected="the end of this cell")


def cell(reader: Reader) -> Node:
    """cell : sequence"""
    if reader.token.kind in {END, ROW} or reader.check("&"):
        return Empty(span=reader.since(reader.at))
    node = expressions.sequence(reader)
    reader.consume(".", ";")
    return node


def cases(reader: Reader, start: int) -> Node:
    """cases : case ( row case )*"""
    rows: list[Case] = []
    while True:
        at = reader.at
        if reader.token.kind not in (END, ROW):
            value = expressions.condition(reader)
            reader.consume(",", ".", ";")
            while reader.consume("&"):
                pass
            rows.append(Case(value, case_condition(reader), span=reader.since(at)))
        if reader.token.kind == ROW:
            reader.read()
            continue
        if reader.token.kind != END:
            unexpected_in_cell(reader)
        reader.read()
        break
    return Cases(tuple(rows), span=reader.since(start))


def case_condition(reader: Reader) -> Node | None:
    """case_condition : ( words? condition ( ("," | "and") condition )* words? )?"""
    conditions: list[Node] = []
    start = reader.at
    while reader.token.kind not in {END, ROW, STOP}:
        if reader.token.text in TEXT and reader.is_words(any_word=not conditions):
            at = reader.at
            reader.read()
            tokens = reader.argument_tokens()
            if any(part.text == "$" for part in tokens):
                conditions.extend(inline_conditions(reader, tokens))
                continue
            said = prose_of(tokens).strip(" ,.;:").lower()
            if said in OTHERWISE and not conditions:
                reader.consume(",", ".", ";")
                if reader.token.kind not in {END, ROW}:
                    unexpected_in_cell(reader)
                return None
            if said not in CONDITION_WORDS:
                span = reader.tokens[at].span.to(reader.tokens[reader.at - 1].span)
                reader.fail(
                    "expected a condition in symbols, not in words", span=span, expected="a condition"
                )
        elif (
            reader.token.text in SAYINGS
            or reader.check(",", ".", ";", "&", "\\wedge")
            or (reader.check(":") and not conditions)
        ):
            reader.read()
        else:
            conditions.append(expressions.condition(reader))
    if not conditions:
        return None
    return conditions[0] if len(conditions) == 1 else Sequence(tuple(conditions), span=reader.since(start))


def inline_conditions(reader: Reader, tokens: list[Token]) -> list[Node]:
    """Read the conditions of `\\text{if $i = j$}`."""
    said = "".join((" " if part.space else "") + part.text for part in tokens).split("$")
    for piece in said[::2]:
        if " ".join(piece.split()).strip(" ,.;:").lower() not in CONDITION_WORDS:
            reader.fail(
                "expected a condition in symbols, not in words",
                span=tokens[0].span.to(tokens[-1].span),
                expected="a condition",
            )
    conditions: list[Node] = []
    marks = [at for at, part in enumerate(tokens) if part.text == "$"]
    reader.enter()
    for opening, closing in zip(marks[::2], marks[1::2], strict=False):
        inner = tidy(tokens[opening + 1 : closing], text=reader.text, offset=reader.offset)
        nested = Reader(inner, text=reader.text, offset=reader.offset, depth=reader.depth)
        conditions.append(expressions.condition(nested))
        if nested.token.kind != STOP:
            nested.fail("expected the end of this condition", expected="the end of this condition")
    reader.leave()
    return conditions

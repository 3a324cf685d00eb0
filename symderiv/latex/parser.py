"""One span of LaTeX mathematics -> `Display`: statements, and what stands between them.

`parse` raises nothing but `LatexError`. Recursive descent, one function per nonterminal, whose docstring is
its production. The grammar is recursive, and so are the modules that hold it: `expressions`, `brackets`,
`scripts`, `commands`, `calls`, `derivatives` and `environments` import each other whole. All of them take
the one `Reader`.
"""

from __future__ import annotations

import re

from symderiv.diagnostics import Span
from symderiv.latex import expressions
from symderiv.latex.layout import TEXT, tidy
from symderiv.latex.macros import Macros
from symderiv.latex.reader import Reader, prose_of
from symderiv.latex.tokens import MAX_LENGTH, QUAD, ROW, STOP, LatexError, Token, lex
from symderiv.latex.tree import Big, Chain, Connective, Display, Empty, Node, Operator, Words
from symderiv.latex.vocabulary import ARROWS, CONNECTIVES, SAYINGS, STRENGTH


def parse(text: str, *, offset: int = 0, macros: Macros | None = None) -> Display:
    """Read one span of mathematics; definitions in it are added to `macros`."""
    if len(text) > MAX_LENGTH:
        span = Span(offset, offset + 1)
        raise LatexError("this mathematics is too long to be read", span, text=text, offset=offset)
    store = Macros() if macros is None else macros
    tokens = store.expand(lex(text, offset), text=text, offset=offset)
    reader = Reader(tidy(tokens, text=text, offset=offset), text=text, offset=offset)
    try:
        return display(reader)
    except RecursionError:
        reader.fail("this is nested too deeply")


def display(reader: Reader) -> Display:
    """display : ( chain | words | connective )*"""
    start = reader.at
    items: list[Chain | Words | Connective] = []
    fresh = True
    while reader.token.kind != STOP:
        token = reader.token
        if connects(reader) or (token.text in ARROWS and fresh):
            fresh = connective(reader, items) or fresh
            continue
        if token.text == ":" and (
            reader.peek(1).kind in {STOP, ROW, QUAD} or reader.peek(1).text in CONNECTIVES
        ):
            reader.read()
            continue
        if token.text in ARROWS and _states(items):
            connective(reader, items)
            continue
        if _states_in_row(items) and remark(reader, items):
            fresh = False
            continue
        if token.text in SAYINGS or (token.text in TEXT and reader.is_words()):
            fresh = False
            words(reader, items)
            continue
        if reader.relation_ahead() and (before := _last_chain(reader, items, fresh=fresh)) is not None:
            index, last = before
            items[index] = chain(reader, last)
            if items and isinstance(items[-1], Connective):
                items.pop()
        else:
            reason = _gives_reason(items)
            found = reason_chain(reader) if reason else chain(reader, None)
            items.append(found)
            _drop_goal(items)
            if reason:
                reader.said.append(found)
        fresh = False
    while items and isinstance(items[-1], Connective):
        items.pop()
    while items and isinstance(items[0], Connective) and STRENGTH[items[0].text] < STRENGTH["arrow"]:
        items.pop(0)
    return Display(tuple(items), span=reader.since(start) if items else Span(reader.offset, reader.offset))


def _drop_goal(items: list[Chain | Words | Connective]) -> None:
    """Leave out what is to be done with a quantity: the end of `F = \\dots \\to \\min_b`."""
    arrow, last = items[-2] if len(items) > 1 else None, items[-1]
    if isinstance(arrow, Connective) and arrow.text == "arrow" and isinstance(last, Chain):
        goal = last.members[0]
        if isinstance(goal, Big) and isinstance(goal.body, Empty):
            del items[-2:]


def connects(reader: Reader) -> bool:
    """Tell whether a connective comes next."""
    token = reader.token
    return token.kind in {ROW, QUAD} or (token.text in CONNECTIVES and not reader.starts_operand())


def connective(reader: Reader, items: list[Chain | Words | Connective]) -> bool:
    """connective : "," | ";" | "." | quad | row | implies | therefore | arrow

    Of several in a row the strongest stays. Tells whether a new row begins.
    """
    start = reader.at
    token = reader.read()
    if token.kind == ROW:
        name = "row"
    elif token.kind == QUAD:
        name = "quad"
    else:
        name = "arrow" if token.text in ARROWS else CONNECTIVES[token.text]
    if name == ".":
        if reader.token.kind not in {STOP, ROW, QUAD} and reader.token.text not in TEXT:
            reader.at = start
            reader.fail("expected a term before this", expected="a term")
        return False
    node = Connective(name, span=reader.since(start))
    if items and isinstance(items[-1], Connective):
        if STRENGTH[name] > STRENGTH[items[-1].text]:
            items[-1] = node
    else:
        items.append(node)
    return name == "row"


def words(reader: Reader, items: list[Chain | Words | Connective]) -> None:
    """words : "\\forall" | "\\text" "{" ( prose | "$" display "$" )* "}" (at the top level)"""
    start = reader.at
    if reader.token.text in SAYINGS:
        text = SAYINGS[reader.read().text]
        items.append(Words(text, span=reader.since(start)))
        return
    reader.read()
    tokens = reader.argument_tokens()
    prose: list[Token] = []
    at = 0
    while at <= len(tokens):
        if at == len(tokens) or tokens[at].text == "$":
            said = prose_of(prose)
            if said.strip(" ,.;:"):
                span = prose[0].span.to(prose[-1].span) if prose else reader.since(start)
                items.append(Words(said, span=span))
            prose = []
            end = next((k for k in range(at + 1, len(tokens)) if tokens[k].text == "$"), len(tokens))
            if at + 1 < end:
                reader.enter()
                inner = tidy(tokens[at + 1 : end], text=reader.text, offset=reader.offset)
                nested = Reader(inner, text=reader.text, offset=reader.offset, depth=reader.depth)
                found = display(nested).items
                reason = _gives_reason(items)
                reader.said.extend(
                    item for item in found if isinstance(item, Chain) and (reason or not item.operators)
                )
                items.extend(found)
                reader.leave()
            at = end
        elif tokens[at].text not in {"{", "}"}:
            prose.append(tokens[at])
        at += 1


def remark(reader: Reader, items: list[Chain | Words | Connective]) -> bool:
    """remark : ( "(" | "[" ) "\\text" ... ( ")" | "]" ) | "\\text" "{" word "}" (at the end of a row)

    Says of a statement in the row why it is true; what a next row goes on with is not the remark.
    """
    opening = reader.token.text in _REMARKS
    at = reader.at + opening
    if reader.tokens[at].text not in TEXT or not (items and isinstance(items[-1], Connective)):
        return False
    if not opening:
        end = reader.pairs.get(at + 1)
        if end is None or reader.tokens[end + 1].kind not in {STOP, ROW, QUAD}:
            return False
        words(reader, items)
        return True
    close = _closing(reader)
    if close is None or reader.tokens[close + 1].kind not in {STOP, ROW, QUAD}:
        return False
    reader.read()
    words(reader, items)
    if reader.at < close:
        found = chain(reader, None)
        reader.said.append(found)
        items.append(found)
    if reader.at != close:
        reader.unexpected()
    reader.read()
    return True


_REMARKS = {"(": ")", "[": "]"}


def _closing(reader: Reader) -> int | None:
    """Return where the bracket that comes next is closed, in this row."""
    mate, depth = _REMARKS[reader.token.text], 0
    for at in range(reader.at, len(reader.tokens)):
        token = reader.tokens[at]
        if token.kind in {STOP, ROW}:
            return None
        depth += (token.text == reader.token.text) - (token.text == mate)
        if not depth:
            return at
    return None


def _states_in_row(items: list[Chain | Words | Connective]) -> bool:
    """Tell whether a statement stands in the row at hand."""
    for item in reversed(items):
        if isinstance(item, Connective) and item.text == "row":
            return False
        if isinstance(item, Chain) and item.operators:
            return True
    return False


_REASON = re.compile(r"\W*(since|because|as|by|using|recall|note)\b", re.IGNORECASE)


def _gives_reason(items: list[Chain | Words | Connective]) -> bool:
    """Tell whether words after a statement in its row begin to give the reason."""
    said = items[-1] if items else None
    if not isinstance(said, Words) or _REASON.match(said.text) is None:
        return False
    return _states_in_row(items)


def reason_chain(reader: Reader) -> Chain:
    """reason_chain : chain (in one row)"""
    cells, reader.cells = reader.cells, True
    found = chain(reader, None)
    reader.cells = cells
    return found


def chain(reader: Reader, before: Chain | None) -> Chain:
    """chain : member? ( relation member )*"""
    start = reader.at
    members: list[Node | None] = []
    operators: list[Operator] = []
    if before is not None:
        members.extend(before.members)
        operators.extend(before.operators)
    elif reader.relation_ahead():
        members.append(None)
    else:
        members.append(member(reader))
    while True:
        reader.skip_layout_before_relation()
        if not reader.relation_ahead() or (
            reader.token.text in ARROWS and any(operator.text not in {":", "to"} for operator in operators)
        ):
            break
        at = reader.at
        operators.append(Operator(expressions.relation_sign(reader), span=reader.since(at)))
        reader.skip_layout()
        if reader.token.kind == STOP or reader.token.text in {",", ";", "."}:
            if operators[-1].text == ":" and len(operators) > 0:
                operators.pop()
                break
            reader.fail("expected something after this relation", span=operators[-1].span, expected="a term")
        members.append(member(reader))
    span = reader.since(start)
    return Chain(tuple(members), tuple(operators), span=span if before is None else before.span.to(span))


def member(reader: Reader) -> Node:
    """member : "?" | expression"""
    return expressions.expression(reader, required=True)


def _states(items: list[Chain | Words | Connective]) -> bool:
    """Tell whether a statement has been made."""
    return any(isinstance(item, Chain) and item.operators for item in items)


def _last_chain(
    reader: Reader, items: list[Chain | Words | Connective], *, fresh: bool
) -> tuple[int, Chain] | None:
    """Return the chain that a relation continues: the last one, with words between only in a new row.

    A formula that words only speak of, `\\intertext{as the $p_i$ add up}`, is none.
    """
    for index in range(len(items) - 1, -1, -1):
        item = items[index]
        if fresh and any(item is each for each in reader.said):
            continue
        if isinstance(item, Chain):
            return index, item
        if isinstance(item, Connective) and item.text in {"implies", "therefore", "arrow"}:
            return None
        if isinstance(item, Words) and not fresh:
            return None
    return None

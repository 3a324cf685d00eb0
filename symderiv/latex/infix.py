"""Fractions written between their parts: `{a \\over b}` becomes `{\\frac{a}{b}}` before parsing."""

from __future__ import annotations

from symderiv.diagnostics import Span
from symderiv.latex.tokens import COMMAND, SYMBOL, Token


def fractions(tokens: list[Token]) -> list[Token]:
    """Return the tokens with each `\\over` that stands in braces of its own as a fraction."""
    if not any(token.text == "\\over" for token in tokens):
        return tokens
    output: list[Token] = []
    opened: list[tuple[int, bool]] = []
    """For each open brace where its content begins in the output, and whether that is a fraction now."""
    for token in tokens:
        if token.text == "\\over" and opened and not opened[-1][1]:
            start, _ = opened.pop()
            place = Span(output[start - 1].span.end, output[start - 1].span.end)
            output[start:start] = [Token(COMMAND, "\\frac", place), Token(SYMBOL, "{", place)]
            output += [Token(SYMBOL, "}", token.span), Token(SYMBOL, "{", token.span)]
            opened.append((start, True))
            continue
        if token.text == "}" and opened and opened.pop()[1]:
            output.append(Token(SYMBOL, "}", Span(token.span.start, token.span.start)))
        output.append(token)
        if token.text == "{":
            opened.append((len(output), False))
    return output

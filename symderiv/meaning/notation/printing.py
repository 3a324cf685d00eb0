"""A matrix form is written in a style, and with it the inverses and determinants of the entry form."""

from __future__ import annotations

import re
from collections.abc import Sequence

import sympy
from sympy import (
    Expr,
    Heaviside,
    Indexed,
    Piecewise,
    Pow,
    Rational,
    exp,
)

from symderiv.kernel.terms import D, Det, Inv, OfMatrix, Unknown
from symderiv.meaning.notation.entries import ATOMS, Unwritable, Writer
from symderiv.meaning.notation.matrices import (
    HOLE,
    Applied,
    Determinant,
    Diagonal,
    Elementwise,
    Form,
    Identity,
    Inverted,
    Leaf,
    NoForm,
    Ones,
    Plus,
    Scalar,
    Scaled,
    Times,
    Trace,
    Transposed,
)
from symderiv.meaning.notation.networks import Builder, scalars_out
from symderiv.meaning.notation.style import Level, Shown, identity_key


def write(form: Form, writer: Writer) -> Shown:  # noqa: C901, PLR0912  one case a form
    """Write a form in a style."""
    style = writer.style
    match form:
        case Leaf(term=term):
            return _tensor(term, writer)
        case Ones():
            return Shown(style.symbol("ones"))
        case Identity():
            return Shown(style.symbol("eye"))
        case Scalar(term=term):
            return writer.write(term)
        case Transposed(body=Inverted(body=body)):
            return style.inverted(write(body, writer), turned=True)
        case Transposed(body=body):
            return style.transposed(write(body, writer))
        case Inverted(body=body):
            return style.inverted(write(body, writer))
        case Determinant(body=body):
            return style.function("det", write(body, writer))
        case Times(items=items):
            return _side_by_side([write(item, writer) for item in items], writer)
        case Elementwise(items=items):
            shown = [write(item, writer) for item in items]
            sign = f" {style.symbol('odot')} "
            texts = [
                s.text if s.level >= Level.POWER or _is_fraction(s) else style.group(s).text for s in shown
            ]
            return Shown(sign.join(texts), Level.QUOTIENT)
        case Diagonal(body=body):
            return style.function(style.symbol("diag"), write(body, writer))
        case Trace(body=body):
            return style.function(style.symbol("tr"), write(body, writer))
        case Applied(template=template, body=body):
            return _applied(template, write(body, writer), writer)
        case Scaled():
            return _written_scaled(form, writer)
        case Plus(terms=terms):
            return _written_sum(terms, writer)


def _written_sum(terms: Sequence[tuple[int, Form]], writer: Writer) -> Shown:
    text = ""
    minus = writer.style.symbol("minus")
    for sign, term in terms:
        shown = write(term, writer)
        piece = writer.style.group(shown).text if shown.level is Level.SUM else shown.text
        if text:
            text += f" {minus if sign < 0 else '+'} {piece}"
        else:
            text = (minus if sign < 0 else "") + piece
    return Shown(text, Level.SUM)


def _is_fraction(shown: Shown) -> bool:
    """Tell whether a piece is one fraction in LaTeX, which needs no brackets."""
    return (
        shown.level is Level.PRODUCT and re.fullmatch(r"\\frac\{[^{}]*\}\{[^{}]*\}", shown.text) is not None
    )


def _tensor(term: Expr, writer: Writer) -> Shown:
    if isinstance(term, D):
        of = writer.atom(term.term)
        variable = term.variables[0]
        assert isinstance(variable, Indexed)
        return writer.style.derivative(of, (writer.style.name(str(variable.base.label)),), named=True)
    assert isinstance(term, Indexed)
    return writer.style.name(str(term.base.label))


def _side_by_side(shown: Sequence[Shown], writer: Writer) -> Shown:
    if len(shown) == 1:
        return shown[0]
    texts = []
    for place, piece in enumerate(shown):
        last = place == len(shown) - 1
        loose = piece.level is Level.SUM or (
            piece.level is Level.QUOTIENT and (not last or "⊙" in piece.text or "odot" in piece.text)
        )
        loose = loose or (piece.level is Level.BIG and not last)
        texts.append(writer.style.group(piece).text if loose else piece.text)
    return Shown(" ".join(texts), Level.PRODUCT)


def _written_scaled(form: Scaled, writer: Writer) -> Shown:
    style = writer.style
    coefficient = form.coefficient
    negative = bool(coefficient < 0)
    top, bottom = abs(coefficient.p), coefficient.q
    above = [write(each, writer) for each in form.above]
    if len(above) > 1 or form.body is not None:
        above = [style.group(s) if s.level <= Level.PRODUCT and not _is_fraction(s) else s for s in above]
    if top != 1:
        above.insert(0, style.number(str(top)))
    below = [write(each, writer) for each in form.below]
    if bottom != 1:
        below.insert(0, style.number(str(bottom)))
    body = write(form.body, writer) if form.body is not None else None
    pieces = above
    if below:
        under = _side_by_side(below, writer)
        if body is not None and not above and body.level >= Level.POWER:
            pieces, body = [style.quotient(body, under)], None
        elif above and all(map(_is_number, form.above)):
            pieces = [style.quotient(_side_by_side(above, writer), under)]
        else:
            pieces = [style.quotient(style.number("1"), under), *above]
    elementwise = isinstance(form.body, Elementwise) and body is not None
    if elementwise and pieces and body is not None:
        texts = [style.group(p).text if _is_loose(p) else p.text for p in pieces]
        joined = Shown(" ".join([*texts, body.text]), Level.QUOTIENT)
    else:
        joined = _side_by_side(
            [*pieces, *([body] if body is not None else [])] or [style.number("1")], writer
        )
    return Shown(style.symbol("minus") + joined.text, Level.SUM) if negative else joined


def _is_number(form: Form) -> bool:
    """Tell whether a form is made of numbers without indices."""
    return isinstance(form, Scalar) or (isinstance(form, Applied) and _is_number(form.body))


def _is_loose(shown: Shown) -> bool:
    """Tell whether a number needs brackets before a product: all but a fraction of digits."""
    return shown.level <= Level.QUOTIENT and not re.fullmatch(r"\d+/\d+", shown.text)


def _applied(template: Expr, body: Shown, writer: Writer) -> Shown:
    style = writer.style
    if isinstance(template, exp):
        return style.power(style.number("e"), body.text)
    if isinstance(template, Pow) and template.base == HOLE:
        if template.exp == Rational(1, 2):
            return style.root(body)
        return style.power(body, writer.write(template.exp).text)
    if isinstance(template, Heaviside):
        return Shown(f"{style.symbol('ones')}[{body.text} {style.symbol('gt')} 0]", Level.POWER)
    if isinstance(template, Piecewise):
        return Shown(f"{style.symbol('ones')}[{body.text} {style.symbol('ge')} 0]", Level.POWER)
    if isinstance(template, Unknown):
        head = style.name(identity_key(str(template.args[0])) + "'" * int(template.args[1][0])).text
        return Shown(f"{head}{style.group(body).text}", Level.POWER)
    if isinstance(template, sympy.Function) and len(template.args) == 1:
        return style.function(type(template).__name__, body)
    raise NoForm


def matrix_of(term: OfMatrix, writer: Writer) -> str:
    """Write the matrix of an inverse or determinant, not transposed."""
    body = Builder({}, scalars_out).square(term)
    return write(body.body if isinstance(body, Transposed) else body, writer).text


def _atom(writer: Writer, term: OfMatrix) -> Shown:
    """Write an entry of an inverse, or a determinant, whose matrix has a form."""
    try:
        body = Builder({}, scalars_out).square(term)
    except NoForm:
        msg = "a matrix that has no form of its own has no notation"
        raise Unwritable(msg) from None
    if isinstance(term, Det):
        return write(Determinant(body.body if isinstance(body, Transposed) else body), writer)
    i, j = term.at
    turned = isinstance(body, Transposed)
    shown = writer.style.inverted(write(body.body if isinstance(body, Transposed) else body, writer))
    return writer.style.entry(shown, tuple(writer.index(k) for k in ((j, i) if turned else (i, j))))


ATOMS[Inv] = ATOMS[Det] = _atom

"""What a superscript makes of a tensor: transposes, powers and inverses; and the determinant.

Vocabulary: the powers of a number are its own, those of a vector are taken entry by entry, those of a
square matrix are products of it or of its inverse.
"""

from __future__ import annotations

from dataclasses import replace

from sympy import Expr, Ge, Integer, KroneckerDelta, Ne

from symderiv.diagnostics import Span
from symderiv.kernel.terms import Det, Inv, fresh
from symderiv.latex import tree
from symderiv.meaning import names
from symderiv.meaning.arithmetic import kronecker, kronecker_factors, multiply, transpose
from symderiv.meaning.elaborator import Elaborator
from symderiv.meaning.errors import ill_typed, unsupported
from symderiv.meaning.model import Tensor
from symderiv.meaning.renaming import exchanged, rename_bound
from symderiv.meaning.vocabulary import kind

_LONGEST = 10_000
"""The largest exponent of a number: SymPy writes its power out."""
MOST = 6
"""The largest power of a matrix that is written out."""


def power(elaborator: Elaborator, value: Tensor, sup: tree.Node, node: tree.Node) -> Tensor:
    """Return what a superscript makes of a tensor: its transpose, a power or an inverse."""
    of_number = isinstance(sup, tree.Name) and value.rank == 0 and elaborator.scope.size(sup.text) is not None
    if names.is_transpose(sup) and not of_number:
        return transpose(value, node.span)
    if value.groups:
        factors = kronecker_factors(value)
        if factors is None:
            raise unsupported("a power of Kronecker's product is not supported yet", node.span)
        # (A ⊗ B)^n = A^n ⊗ B^n, for a negative n too.
        left, right = (power(elaborator, factor, sup, node) for factor in factors)
        return kronecker(left, right, node.span)
    if isinstance(sup, tree.Additive) and len(sup.terms) == 1 and sup.terms[0][0] == "-":
        negative = sup.terms[0][1]
        if names.is_transpose(negative) and value.rank == 2:
            return transpose(inverse(elaborator, value, node.span), node.span)
    exponent = elaborator.value(sup)
    if value.rank == 0:
        return _scalar_power(elaborator, value, exponent, node)
    if exponent.rank:
        raise ill_typed("SD002", "an exponent is not a number", node.span)
    if value.rank == 1:
        elaborator.note("SD104", "the power of a vector is taken entry by entry", node.span)
        _requires(elaborator, value.body, exponent.body)
        return replace(value, body=value.body**exponent.body, numerator=None, denominator=None)
    if value.rank == 2 and exponent.body == 0:
        square = _square(elaborator, value, node.span, "the power")
        return replace(square, body=KroneckerDelta(*square.slots), numerator=None, denominator=None)
    if value.rank == 2 and isinstance(exponent.body, Integer) and 0 < abs(exponent.body) <= MOST:
        return _matrix_power(elaborator, value, int(exponent.body), node.span)
    raise unsupported("this power of a matrix is not supported yet", node.span)


def _requires(elaborator: Elaborator, base: Expr, exponent: Expr) -> None:
    """Record where a power is defined."""
    if exponent.is_Number and exponent < 0:
        elaborator.requires(Ne, base)
    if exponent.is_Number and not exponent.is_Integer:
        elaborator.requires(Ge, base)


def _scalar_power(elaborator: Elaborator, value: Tensor, exponent: Tensor, node: tree.Node) -> Tensor:
    if value.body.is_Rational and exponent.body.is_Rational and abs(exponent.body) > _LONGEST:
        raise unsupported("a number of so many digits is not supported", node.span)
    _requires(elaborator, value.body, exponent.body)
    if exponent.rank == 0:
        return Tensor(value.body**exponent.body)
    elaborator.note("SD104", "the power is taken entry by entry", node.span)
    return replace(exponent, body=value.body**exponent.body, numerator=None, denominator=None)


def _matrix_power(elaborator: Elaborator, value: Tensor, exponent: int, span: Span) -> Tensor:
    base = inverse(elaborator, value, span) if exponent < 0 else value
    result = base
    for _ in range(abs(exponent) - 1):
        result = multiply(elaborator, result, _renamed(base), "", span)
    return result


def inverse(elaborator: Elaborator, value: Tensor, span: Span) -> Tensor:
    """Return the inverse of a square matrix."""
    value = _square(elaborator, value, span, "the inverse")
    i, j = (fresh("s") for _ in value.slots)
    return Tensor(Inv(value.body, (*value.slots, value.dimensions[0]), i, j), (i, j), value.dimensions)


def determinant(elaborator: Elaborator, value: Tensor, span: Span) -> Tensor:
    """Return the determinant of a square matrix."""
    factors = kronecker_factors(value)
    if factors is not None:
        # det(A ⊗ B) = det(A)^m det(B)^n for A of n rows and B of m.
        bodies = [determinant(elaborator, factor, span).body for factor in factors]
        sizes = [factor.dimensions[0] for factor in factors]
        return Tensor(bodies[0] ** sizes[1] * bodies[1] ** sizes[0])
    value = _square(elaborator, value, span, "the determinant")
    return Tensor(Det(value.body, (*value.slots, value.dimensions[0])))


def _square(elaborator: Elaborator, value: Tensor, span: Span, what: str) -> Tensor:
    """Return a matrix over slots of its own, its two sizes made to agree."""
    if value.rank != 2:
        raise ill_typed("SD002", f"{what} of {kind(value)} has no meaning", span)
    elaborator.unify(value.dimensions[0], value.dimensions[1], span, what)
    return _renamed(value)


def _renamed(value: Tensor) -> Tensor:
    """Return the same tensor over slots and bound indices of its own."""
    slots = tuple(fresh("s") for _ in value.slots)
    return replace(
        value,
        slots=slots,
        body=rename_bound(exchanged(value.body, dict(zip(value.slots, slots, strict=True)))),
    )

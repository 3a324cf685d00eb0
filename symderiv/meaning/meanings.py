"""From syntax to terms: matrix notation, indices, functions and derivatives become index notation.

Vocabulary as in `model`: a *tensor* is a scalar term over its slots. `MEANINGS` gives each kind of
syntax the function that elaborates it; a kind that is missing has no meaning yet.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from sympy import (
    Rational,
)

from symderiv.latex import tree
from symderiv.meaning.arithmetic import additive, cases, fraction, root
from symderiv.meaning.arrays import absolute, inner, listed, matrix, norm, sequence
from symderiv.meaning.bigs import big
from symderiv.meaning.calls import call
from symderiv.meaning.derivatives import derivative
from symderiv.meaning.differentials import differential
from symderiv.meaning.elaborator import Elaborator
from symderiv.meaning.errors import ill_typed, unsupported
from symderiv.meaning.model import Tensor
from symderiv.meaning.products import product_of
from symderiv.meaning.scripts import accent, bare_name, script


def _number(_: Elaborator, node: tree.Number) -> Tensor:
    return Tensor(Rational(node.text))


def _question(_: Elaborator, node: tree.Question) -> Tensor:
    raise unsupported("a question mark has no value", node.span)


def _words(_: Elaborator, node: tree.Words) -> Tensor:
    raise unsupported(f"`{node.text}` has no value", node.span)


def _empty(_: Elaborator, node: tree.Empty) -> Tensor:
    raise ill_typed("SD002", "an operand is missing", node.span)


def _dots(_: Elaborator, node: tree.Dots) -> Tensor:
    raise unsupported("dots are not understood here yet", node.span)


def _group(elaborator: Elaborator, node: tree.Group) -> Tensor:
    if isinstance(node.body, tree.Sequence):
        return listed(elaborator, node.body)
    if node.left in ("\\lfloor", "\\lceil"):
        raise unsupported("rounding is not supported yet", node.span)
    if isinstance(node.body, tree.Relation) and "|" in node.body.operators:
        raise unsupported("a probability under a condition is not supported yet", node.span)
    if isinstance(node.body, tree.Relation):
        raise unsupported("a relation in brackets has no value", node.span)
    return elaborator.paired(node.body)


MEANINGS: Mapping[type[tree.Node], Callable[[Elaborator, Any], Tensor]] = {
    tree.Number: _number,
    tree.Name: bare_name,
    tree.Accent: accent,
    tree.Script: script,
    tree.Group: _group,
    tree.Additive: additive,
    tree.Product: product_of,
    tree.Fraction: fraction,
    tree.Root: root,
    tree.Big: big,
    tree.Cases: cases,
    tree.Call: call,
    tree.Norm: norm,
    tree.Absolute: absolute,
    tree.Inner: inner,
    tree.Sequence: sequence,
    tree.Matrix: matrix,
    tree.Derivative: derivative,
    tree.Differential: differential,
    tree.Dots: _dots,
    tree.Empty: _empty,
    tree.Question: _question,
    tree.Words: _words,
}
"""The function for each kind of syntax."""

"""Names, accents, subscripts and superscripts: which parts belong to the name, which are indices or powers.

Vocabulary: a *label* is a superscript in brackets, an index where its letter is one, else a part of the name.
"""

from __future__ import annotations

from dataclasses import replace

import sympy

from symderiv.latex import tree
from symderiv.meaning import names
from symderiv.meaning.arithmetic import elementwise
from symderiv.meaning.calls import prime
from symderiv.meaning.conditions import indicated
from symderiv.meaning.elaborator import Elaborator
from symderiv.meaning.entries import fix, named
from symderiv.meaning.errors import unsupported
from symderiv.meaning.model import Tensor
from symderiv.meaning.powers import power


def bare_name(elaborator: Elaborator, node: tree.Name) -> Tensor:
    """Elaborate a name without a subscript."""
    return named(elaborator, node, node, ())


def accent(elaborator: Elaborator, node: tree.Accent) -> Tensor:
    """Elaborate a name under an accent."""
    if isinstance(node.body, tree.Script) and not isinstance(node.body.base, tree.Accent):
        inner = tree.Accent(node.mark, node.body.base, span=node.span)
        return elaborator.value(replace(node.body, base=inner))
    return named(elaborator, node, node, ())


def script(elaborator: Elaborator, node: tree.Script) -> Tensor:
    """Elaborate a name or an expression with its subscript and superscript."""
    base, sup = node.base, node.sup
    label = names.label(sup)
    if isinstance(base, tree.Group):
        value = _component(elaborator, base, node) if node.sub is not None else elaborator.paired(base)
    elif isinstance(base, tree.Name | tree.Accent):
        if (
            isinstance(base, tree.Name)
            and base.text == "e"
            and node.sub is None
            and sup is not None
            and not elaborator.known("e")
            and not (label is not None and elaborator.known(f"e^{{{names.label_text(sup)}}}"))
            and not (isinstance(sup, tree.Number) and "e" in elaborator.bound)
        ):
            if "e" in elaborator.bound:
                raise unsupported("e is an index here, or Euler's number: \\exp tells them apart", node.span)
            return elementwise(elaborator, sympy.exp, elaborator.value(sup), node)
        subs = names.items(node.sub)
        if label is not None:
            base, subs = _labelled(elaborator, base, sup, label, subs)
            sup = None
        if node.primes:
            record = elaborator.record(base)
            slope = prime(elaborator, record, node.primes, node) if record is not None and not subs else None
            if slope is not None:
                return slope if sup is None else power(elaborator, slope, sup, node)
            base = _primed(elaborator, base, node)
        if sup is not None and _of_whole(elaborator, node, base, subs):
            whole = power(elaborator, named(elaborator, node, base, ()), sup, node)
            return fix(elaborator, whole, subs, node.span)
        value = named(elaborator, node, base, subs)
        return value if sup is None else power(elaborator, value, sup, node)
    elif isinstance(base, tree.Number) and base.text == "1" and node.sub is not None:
        if isinstance(node.sub, tree.Name) and elaborator.scope.size(node.sub.text) is not None:
            value = named(elaborator, node, tree.Name("1", "bold", span=base.span), (node.sub,))
            return value if sup is None else power(elaborator, value, sup, node)
        return indicated(elaborator, names.plain(node.sub))
    elif isinstance(base, tree.Call | tree.Script) and node.sub is not None:
        value = fix(elaborator, elaborator.value(base), names.items(node.sub), node.span)
    else:
        return _expression(elaborator, base, sup, node)
    return value if sup is None else power(elaborator, value, sup, node)


def _expression(elaborator: Elaborator, base: tree.Node, sup: tree.Node | None, node: tree.Script) -> Tensor:
    """Elaborate an expression, which may have a superscript."""
    if sup is None:
        return elaborator.paired(base)
    if isinstance(base, tree.Call) and _may_raise_argument(elaborator, base, sup):
        group = tree.Group(base.arguments[0], "(", ")", span=base.arguments[0].span)
        inner = tree.Script(group, sup=sup, span=group.span)
        return elaborator.paired(replace(base, arguments=(inner,)))
    return power(elaborator, elaborator.paired(base), sup, node)


def _may_raise_argument(elaborator: Elaborator, call: tree.Call, sup: tree.Node) -> bool:
    """Tell whether a power after the brackets of a trace is read as one of the matrix.

    `\\operatorname{tr}(A + B)^{-1}` has both readings; `\\operatorname{tr}(A)^2` is the square of a number.
    """
    word = call.function.text if isinstance(call.function, tree.Name) else ""
    if word not in ("tr", "\\tr", "trace", "Tr") or len(call.arguments) != 1:
        return False
    inverse = isinstance(sup, tree.Additive) and [sign for sign, _ in sup.terms] == ["-"]
    several = isinstance(call.arguments[0], tree.Additive) and len(call.arguments[0].terms) > 1
    if not inverse and not several:
        return False
    elaborator.two_readings = True
    elaborator.doubtful |= not (inverse and several)
    return elaborator.turned


def _of_whole(
    elaborator: Elaborator, node: tree.Script, base: tree.Node, subs: tuple[tree.Node, ...]
) -> bool:
    """Tell whether the superscript is of the matrix: `A^\\top_{ij}`, `A^{-1}_{ij}`, not `A_{ij}^{-1}`."""
    sup = node.sub and node.sup
    key = names.key(base, fonts=elaborator.fonts)
    if sup is None or key is None or len(subs) != 2 or not all(elaborator.is_item(i, key) for i in subs):
        return False
    record = elaborator.scope.find(key)
    if record is None or len(elaborator.shape(record)) != len(subs):
        return False
    if isinstance(sup, tree.Additive) and len(sup.terms) == 1 and sup.terms[0][0] == "-":
        before = node.sub is not None and sup.span.start < node.sub.span.start
        return before or names.is_transpose(sup.terms[0][1])
    return names.is_transpose(sup)


def _primed(elaborator: Elaborator, base: tree.Node, node: tree.Script) -> tree.Node:
    """A prime on a name that is no function is a part of the name."""
    key = names.key(base, fonts=elaborator.fonts)
    return tree.Name(f"{key}{chr(39) * node.primes}", span=base.span)


def _labelled(
    elaborator: Elaborator,
    base: tree.Node,
    sup: tree.Node | None,
    label: tree.Node,
    subs: tuple[tree.Node, ...],
) -> tuple[tree.Node, tuple[tree.Node, ...]]:
    """A bracketed superscript is an index where its letter is one, else a part of the name."""
    if isinstance(label, tree.Name) and (
        label.text in elaborator.bound or elaborator.scope.is_index(label.text)
    ):
        return base, (label, *subs)
    assert sup is not None
    key = names.key(base, fonts=elaborator.fonts)
    return tree.Name(f"{key}^{{{names.label_text(sup)}}}", span=base.span), subs


def _component(elaborator: Elaborator, group: tree.Group, node: tree.Script) -> Tensor:
    """`[AB]_{ij}`, `(AB)_{ij}`: an entry of an expression."""
    return fix(elaborator, elaborator.value(group), names.items(node.sub), node.span)

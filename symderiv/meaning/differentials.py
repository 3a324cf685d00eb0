r"""Differentials: `dX`, `d(AB)`, `df(x) \cdot h`.

The differential of a term T is the sum of `\partial T/\partial v \, dv` over the entries of every name v that
varies, and `dv` is a tensor of v's shape that nothing ties to another. What varies is in `motion`. In
`df(x) \cdot h` the *direction* h takes the place of dx, and only the arguments of f vary.

A differential may also be the name of a gradient, `dW = X^\top dY`, and it may be of a quantity that the page
leaves open. Such a chain is no equation between differentials that anything here could decide: `movers`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from sympy import Add, Expr, Indexed, Integer

from symderiv.diagnostics import Diagnostic, Span
from symderiv.kernel.substitution import names_in
from symderiv.kernel.terms import D, entry, fresh, name_of
from symderiv.kernel.terms import total as summed
from symderiv.latex import tree
from symderiv.meaning import marks, names
from symderiv.meaning.arithmetic import together
from symderiv.meaning.calls import applies, apply
from symderiv.meaning.elaborator import Elaborator
from symderiv.meaning.errors import Untyped, ill_typed, unsupported
from symderiv.meaning.model import Tensor
from symderiv.meaning.motion import Motion
from symderiv.meaning.vocabulary import count


def differential(elaborator: Elaborator, node: tree.Differential) -> Tensor:
    """Elaborate `dX` and `d(\\dots)`."""
    motion = _motion(elaborator, node)
    if node.by is not None:
        raise unsupported("a partial differential without its direction is not supported yet", node.span)
    power = node.of.sup if isinstance(node.of, tree.Script) and isinstance(node.of.base, tree.Name) else None
    if isinstance(power, tree.Number):
        raise unsupported("whether the square is in the differential or of it is not clear", node.span)
    record = elaborator.record(node.of)
    if record is not None and motion.names.is_unknown(record.identity) and (record.primed or record.applied):
        raise unsupported(
            "the differential of a function without its argument is not supported yet", node.span
        )
    arguments = () if record is None else (each.identity for each in record.arguments)
    return _varied(elaborator, motion, _value(elaborator, node), node, motion.names.inputs(arguments))


def _value(elaborator: Elaborator, node: tree.Differential) -> Tensor:
    """Elaborate what a differential is of; `dq` and `d\\text{softmax}(\\dots)` may be names of their own."""
    try:
        return elaborator.value(node.of)
    except Untyped as error:
        if error.diagnostic.code != "SD004" and not isinstance(node.of, tree.Call):
            raise
        message = f"{error.diagnostic.message}; with its d this may be another name"
        raise unsupported(message, node.span) from None


def of_product(elaborator: Elaborator, node: tree.Product, at: int) -> tuple[Tensor, int]:
    """Elaborate the differential at a place of a product, and tell how many factors it takes."""
    factor = node.factors[at]
    assert isinstance(factor, tree.Differential)
    following = node.factors[at + 1 : at + 2]
    whole = tree.Product((factor.of, *following), ("",), span=factor.of.span)
    called = bool(following) and node.operators[at] == "" and applies(elaborator, whole, 0)
    if not called:
        motion = _motion(elaborator, factor)
        if following and _is_unclear(motion, factor, node, at):
            raise unsupported("how far this differential reaches is not clear", node.span)
        return differential(elaborator, factor), 1
    motion = _motion(elaborator, factor)
    value = apply(elaborator, factor.of, following[0])
    group = following[0]
    arguments = _listed(group) if isinstance(group, tree.Group) else ()
    direction = node.factors[at + 2] if at + 2 < len(node.factors) else None
    operator = node.operators[at + 1] if direction is not None else ""
    bracketed = isinstance(direction, tree.Group) and operator == "" and direction.left in "[("
    if direction is not None and not motion.written and (operator == "cdot" or bracketed):
        by = (factor.by,) if factor.by is not None else arguments
        return _directed(elaborator, value, by, direction, factor.span), 3
    if factor.by is not None:
        raise unsupported("a partial differential without its direction is not supported yet", factor.span)
    own = motion.names.inputs(name for each in arguments for name in _names(elaborator, each))
    return _varied(elaborator, motion, value, factor, own), 2


def _is_unclear(motion: Motion, factor: tree.Differential, node: tree.Product, at: int) -> bool:
    """Tell whether `dAB` may be meant as `d(AB)`: nothing parts A from B, or it is the left side."""
    if isinstance(factor.of, tree.Group) or node.operators[at] != "":
        return False
    if factor.of.span.end == node.factors[at + 1].span.start:
        return True
    inside = (each for part in node.factors[at + 1 :] for each in marks.differentials(part))
    return at == 0 and node is motion.first and not any(True for _ in inside)


def _motion(elaborator: Elaborator, node: tree.Differential) -> Motion:
    """Return what varies, or raise where a `d` is not known to be that of a differential."""
    motion = elaborator.motion
    if motion is None:
        raise unsupported("differentials are not supported here yet", node.span)
    if motion.named and not node.upright:
        raise unsupported("whether this d is a name of the page or a differential is not clear", node.span)
    whole = elaborator.whole
    if whole is not None and id(whole) not in motion.linear:
        _degree(elaborator, whole)
        motion.linear.add(id(whole))
    return motion


_LINEAR = frozenset({"tr", "Tr", "trace", "Trace", "diag", "Diag", "vec", "\\tr", "\\Tr", "\\diag", "\\vec"})


def _degree(elaborator: Elaborator, node: tree.Node) -> int:
    """Return 1 where an expression is linear in differentials, and 0 where it has none."""
    if isinstance(node, tree.Differential):
        if _degree(elaborator, node.of):
            raise unsupported("second differentials are not supported yet", node.span)
        return 1
    below = [_degree(elaborator, child) for child in names.children(node)]
    if not any(below):
        return 0
    if isinstance(node, tree.Additive):
        linear = all(below)
    elif isinstance(node, tree.Product):
        pairs = enumerate(zip(node.operators, below[1:], strict=True))
        divided = any(operator in ("/", "div") and degree for _, (operator, degree) in pairs)
        called = any(below[at + 1] and applies(elaborator, node, at) for at in range(len(below) - 1))
        linear = sum(below) == 1 and not divided and not called
    elif isinstance(node, tree.Fraction):
        linear = not below[1]
    elif isinstance(node, tree.Script):
        inner = isinstance(node.base, tree.Inner) and node.sup is None
        linear = bool(below[0]) and (inner or node.sup is None or names.is_transpose(node.sup))
    elif isinstance(node, tree.Call):
        linear = isinstance(node.function, tree.Name) and node.function.text in _LINEAR
    elif isinstance(node, tree.Big):
        linear = node.operator == "sum" and _degree(elaborator, node.body) == sum(below)
    else:
        linear = isinstance(node, tree.Group | tree.Matrix | tree.Sequence) or (
            isinstance(node, tree.Inner) and sum(below) == 1
        )
    if not linear:
        raise unsupported("only what is linear in differentials is supported yet", node.span)
    return 1


def _varied(
    elaborator: Elaborator, motion: Motion, value: Tensor, node: tree.Differential, own: frozenset[str]
) -> Tensor:
    """Return the differential of a tensor; `own` are the arguments of a function, where it is one."""
    name = name_of(value.body)
    if name is not None and motion.names.is_primitive(name):
        if isinstance(node.of, tree.Group) and isinstance(names.plain(node.of), tree.Script):
            motion.tied.add(name)
        indices = value.body.indices if isinstance(value.body, Indexed) else ()
        return _like(value, entry(_own(elaborator, motion, name, node), *indices))
    inputs = motion.names.inputs(names_in(value.body))
    moving = inputs & motion.varying
    if not moving:
        raise unsupported("no differential of what this depends on is written beside it", node.span)
    held = (inputs & own if own else inputs) - moving
    doubt = motion.doubtful(held, moving)
    if doubt:
        elaborator.clash = _held(motion, doubt, node.span)
    elif held - motion.allowed:
        shown = _shown(motion, held - motion.allowed)
        elaborator.note("SD113", f"{shown} held fixed: the step has no differential of it", node.span)
    motion.tied |= moving
    body: Expr = Integer(0)
    for each in sorted(moving):
        record = motion.names.records[each]
        shape = elaborator.shape(record)
        slots = tuple(fresh("s") for _ in shape)
        term = D(value.body, entry(each, *slots, positive=record.positive))
        term *= entry(_own(elaborator, motion, each, node), *slots)
        for slot, size in zip(slots, shape, strict=True):
            term = summed(term, (slot, 1, size))
        body = Add(body, term)
    return _like(value, body)


def _held(motion: Motion, doubt: list[str], span: Span) -> Diagnostic:
    """Say which names seem to be held fixed."""
    note = f"words that hold {'it' if len(doubt) == 1 else 'them'} fixed would tell"
    return Diagnostic("SD024", f"whether {_shown(motion, doubt)} held fixed is not told", span, notes=(note,))


def _shown(motion: Motion, identities: Iterable[str]) -> str:
    keys = sorted(motion.names.records[each].key for each in identities)
    return f"{' and '.join(keys)} {'is' if len(keys) == 1 else 'are'}"


def _own(elaborator: Elaborator, motion: Motion, name: str, node: tree.Differential) -> str:
    """Return the name that the differential of a primitive name has in terms."""
    own = f"d{name}"
    if elaborator.scope.find(own) is not None:
        raise unsupported(f"{own} is a name of the page, too", node.span)
    motion.entries[own] = name
    elaborator.hidden_shapes[own] = elaborator.shape(motion.names.records[name])
    return own


def _like(value: Tensor, body: Expr) -> Tensor:
    """Return a tensor of the same shape."""
    return Tensor(body, value.slots, value.dimensions, row=value.row)


def _listed(group: tree.Group) -> tuple[tree.Node, ...]:
    return group.body.items if isinstance(group.body, tree.Sequence) else (group.body,)


def _names(elaborator: Elaborator, node: tree.Node) -> set[str]:
    """Return the identities of the names in an expression."""
    records = (elaborator.record(each) for each in names.walk(node))
    return {record.identity for record in records if record is not None}


def along(elaborator: Elaborator, node: tree.Derivative, operand: tree.Node) -> Tensor | None:
    """Elaborate `\\partial_h f(x)` where h is a vector that f has nothing to do with, and None elsewhere."""
    if node.style != "partial" or node.form != "subscript" or len(node.by) != 1:
        return None
    record = elaborator.record(node.by[0])
    called = (
        isinstance(operand, tree.Product) and len(operand.factors) == 2 and applies(elaborator, operand, 0)
    )
    if record is None or not record.declared or not record.shape or not called:
        return None
    assert isinstance(operand, tree.Product)
    group = operand.factors[1]
    arguments = _listed(group) if isinstance(group, tree.Group) else ()
    value = elaborator.value(operand)
    if len(arguments) != 1 or record.defined is not None or record.identity in _reached(elaborator, value):
        return None
    return _directed(elaborator, value, arguments, node.by[0], node.span)


def _reached(elaborator: Elaborator, value: Tensor) -> set[str]:
    """Return the names on which a term depends."""
    seen: set[str] = set()
    waiting = [*names_in(value.body)]
    while waiting:
        at = waiting.pop()
        if at not in seen:
            seen.add(at)
            body = elaborator.hidden[at] if at in elaborator.hidden else elaborator.meaning(at)
            waiting.extend(names_in(body.body) if body is not None else ())
    return seen


def _directed(
    elaborator: Elaborator, value: Tensor, by: Sequence[tree.Node], along: tree.Node, span: Span
) -> Tensor:
    """Elaborate the derivative of `f(x, y)` in the directions `(h, k)`."""
    inner = along.body if isinstance(along, tree.Group) else along
    directions = inner.items if isinstance(inner, tree.Sequence) else (inner,)
    if len(directions) != len(by):
        what = f"{count(len(by), 'argument')} and {count(len(directions), 'direction')}"
        raise unsupported(f"this derivative has {what}", span)
    body: Expr = Integer(0)
    for argument, direction in zip(by, directions, strict=True):
        variable, step = elaborator.value(argument), elaborator.value(direction)
        if name_of(variable.body) is None or any(
            isinstance(n, tree.Differential) for n in names.walk(direction)
        ):
            raise unsupported("a derivative in this direction is not supported yet", span)
        if variable.rank != step.rank:
            raise ill_typed("SD002", "the direction has another shape than the variable", direction.span)
        variable, step, _ = together(elaborator, variable, step, direction.span, "this direction")
        term = D(value.body, variable.body) * step.body
        for slot, size in zip(variable.slots, variable.dimensions, strict=True):
            term = summed(term, (slot, 1, size))
        body = Add(body, term)
    return _like(value, body)

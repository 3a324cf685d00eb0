"""Functions and their arguments: elementary ones, those of the page, and those that nothing defines.

Vocabulary: a factor *applies* where the bracket after it holds its arguments; an argument that a
defined function takes is *hidden*: it becomes a definition of its own, named after the parameter.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace

import sympy
from sympy import (
    Expr,
    Ge,
    Gt,
    KroneckerDelta,
    Max,
    Min,
    Sum,
    Symbol,
)

from symderiv.diagnostics import Span
from symderiv.kernel.substitution import names_in
from symderiv.kernel.terms import D, Definition, Index, Size, Unknown, entry, fresh
from symderiv.latex import tree
from symderiv.meaning import names
from symderiv.meaning.arithmetic import elementwise, together
from symderiv.meaning.conditionals import is_conditional
from symderiv.meaning.conditions import indicated
from symderiv.meaning.elaborator import Elaborator
from symderiv.meaning.entries import broken, entries, fix
from symderiv.meaning.errors import ill_typed, unsupported
from symderiv.meaning.model import Tensor
from symderiv.meaning.parameters import gathered, roots
from symderiv.meaning.powers import determinant, power
from symderiv.meaning.renaming import Alias, exchanged, rename_bound, rename_names
from symderiv.meaning.scope import Name
from symderiv.meaning.vocabulary import CALLS, ELEMENTARY, count, kind, rank_name


def call(elaborator: Elaborator, node: tree.Call) -> Tensor:
    """Elaborate a function of one meaning, or one of the page, and its arguments."""
    function = node.function
    exponent: tree.Node | None = None
    base_of_log: Expr | None = None
    if isinstance(function, tree.Script):
        exponent = function.sup
        if function.sub is not None:
            if not (isinstance(function.base, tree.Name) and function.base.text in ("\\log", "log")):
                raise unsupported("this subscript of a function is not supported yet", function.span)
            base_of_log = elaborator.value(function.sub).body
        function = function.base
    word = function.text if isinstance(function, tree.Name) else ""
    record = elaborator.record(function)
    primes = node.function.primes if isinstance(node.function, tree.Script) else 0
    if record is not None and (elaborator.is_defined(record) or word not in CALLS | ELEMENTARY.keys()):
        value = _application(elaborator, record, node.arguments, primes, node)
    elif word in ELEMENTARY:
        if len(node.arguments) != 1:
            raise ill_typed("SD002", f"{word} takes one argument", node.span)
        value = _elementary(elaborator, word, elaborator.value(node.arguments[0]), primes, node)
        if value.rank == 0 and base_of_log is not None:
            value = Tensor(value.body / sympy.log(base_of_log))
    elif primes:
        raise unsupported(f"the prime of {word} is not supported yet", node.span)
    elif word in CALLS:
        value = _known_call(elaborator, word, node)
    else:
        raise unsupported(f"symderiv does not know the function {word or 'here'} yet", node.span)
    return value if exponent is None else power(elaborator, value, exponent, node)


_ABOVE_ZERO = {"\\log": Gt, "log": Gt, "\\ln": Gt, "ln": Gt, "sqrt": Ge}


def _elementary(elaborator: Elaborator, word: str, argument: Tensor, primes: int, node: tree.Call) -> Tensor:
    """Elaborate a function of numbers, `tanh(x)`, and its derivatives, `tanh'(x)`, entry by entry."""
    if word in _ABOVE_ZERO:
        elaborator.requires(_ABOVE_ZERO[word], argument.body)
    if not primes:
        return elementwise(elaborator, ELEMENTARY[word], argument, node)
    around = dict(zip(argument.slots, argument.dimensions, strict=True))
    alias = _hidden(elaborator, word, Tensor(argument.body), _around(elaborator) | around)
    at = entry(alias.name, *alias.sizes)
    value = elementwise(elaborator, lambda _: ELEMENTARY[word](at), argument, node)
    for _ in range(primes):
        value = replace(value, body=D(value.body, at))
    return value


def _largest(elaborator: Elaborator, word: str, arguments: list[Tensor], node: tree.Call) -> Tensor:
    """Elaborate `\\max(a, b)`; of a number and a tensor, the larger one at each entry."""
    ranked = [argument for argument in arguments if argument.rank]
    if len(ranked) > 1 or len(arguments) < 2:
        raise unsupported("the largest entry of a tensor is not supported yet", node.span)
    if ranked:
        elaborator.note("SD104", "the larger of a number and each entry is taken", node.span)
    value = (Max if "max" in word else Min)(*(argument.body for argument in arguments))
    return replace(ranked[0], body=value) if ranked else Tensor(value)


def _known_call(elaborator: Elaborator, word: str, node: tree.Call) -> Tensor:
    if word in ("det", "\\det") and len(node.arguments) == 1:
        return _determinant(elaborator, node)
    trace = word in ("tr", "\\tr", "trace", "Tr")
    take = elaborator.paired if trace else elaborator.value
    arguments = [take(argument) for argument in node.arguments]
    if word in ("\\max", "max", "\\min", "min"):
        return _largest(elaborator, word, arguments, node)
    if len(arguments) != 1:
        raise ill_typed("SD002", f"{word} takes one argument", node.span)
    value = arguments[0]
    if word == "softmax":
        if not value.rank:
            raise ill_typed("SD002", "softmax takes a vector", node.span)
        k = fresh("k")
        total = Sum(
            sympy.exp(rename_bound(exchanged(value.body, {value.slots[-1]: k}))),
            (k, 1, value.dimensions[-1]),
        )
        return Tensor(sympy.exp(value.body) / total, value.slots, value.dimensions, row=value.row)
    if word in ("diag", "\\diag"):
        if value.rank == 1:
            other = fresh("s")
            return Tensor(
                KroneckerDelta(value.slots[0], other) * value.body,
                (value.slots[0], other),
                value.dimensions * 2,
            )
        if value.rank == 2:
            elaborator.unify(value.dimensions[0], value.dimensions[1], node.span, "the diagonal")
            return Tensor(
                exchanged(value.body, {value.slots[1]: value.slots[0]}),
                value.slots[:1],
                value.dimensions[:1],
            )
    if word == "vec" and value.rank in (1, 2):
        turned = value.slots[::-1], value.dimensions[::-1]
        return Tensor(value.body, *turned, groups=(2,)) if value.rank == 2 else replace(value, row=False)
    if trace and value.rank >= 2:
        return _trace(elaborator, value, node.span)
    raise unsupported(f"{word} of {kind(value)} is not supported yet", node.span)


def _trace(elaborator: Elaborator, value: Tensor, span: Span) -> Tensor:
    """Return the trace of a matrix or of Kronecker's product."""
    if len(value.groups or value.slots) != 2:
        raise unsupported(f"the trace of {kind(value)} is not supported yet", span)
    half = value.rank // 2
    body, limits = value.body, []
    for at in range(half):
        elaborator.unify(value.dimensions[at], value.dimensions[half + at], span, "the trace")
        k = fresh("k")
        body = exchanged(body, dict.fromkeys((value.slots[at], value.slots[half + at]), k))
        limits.append((k, 1, value.dimensions[at]))
    return Tensor(Sum(body, *limits))


def _determinant(elaborator: Elaborator, node: tree.Call) -> Tensor:
    """Elaborate a determinant; without brackets it is of the matrix that follows, not of numbers after it."""
    argument = node.arguments[0]
    if not isinstance(argument, tree.Product) or argument.span.end != node.span.end:
        return determinant(elaborator, elaborator.paired(argument), node.span)
    at = 2 if applies(elaborator, argument, 0) else 1
    if len(argument.factors) == at:
        return determinant(elaborator, elaborator.paired(argument), node.span)
    first, after = part(argument, 0, at), part(argument, at, len(argument.factors))
    rest = elaborator.value(after)
    if rest.rank or argument.operators[at - 1] in ("/", "div"):
        raise unsupported("brackets would tell of what this is the determinant", node.span)
    of = determinant(elaborator, elaborator.paired(first), node.span)
    return Tensor(of.body * rest.body)


def part(node: tree.Product, start: int, end: int) -> tree.Node:
    """Return some factors in a row as a product, or as the factor itself."""
    factors = node.factors[start:end]
    if len(factors) == 1:
        return factors[0]
    return tree.Product(factors, node.operators[start : end - 1], span=factors[0].span.to(factors[-1].span))


def is_function(record: Name) -> bool:
    """Tell whether brackets after this name hold its arguments."""
    if record.function or record.parameters is not None or record.primed:
        return True
    if record.differentiated_by and not record.indexed and record.defined is None:
        return True
    bare = record.bare > record.mentioned
    return bool(record.applied) and not bare and not record.indexed and not record.declared


def _is_one(node: tree.Node) -> bool:
    return (
        isinstance(node, tree.Name) and node.text in ("1", "I") and node.font in ("bold", "blackboard")
    ) or (isinstance(node, tree.Number) and node.text == "1")


def applies(elaborator: Elaborator, node: tree.Product, at: int) -> bool:
    """Tell whether the factor and the bracket after it are a function and its arguments."""
    if at + 1 >= len(node.factors) or node.operators[at] != "":
        return False
    following = node.factors[at + 1]
    if isinstance(following, tree.Script):
        following = following.base
    if not (isinstance(following, tree.Group) and following.left in "([{"):
        return False
    base = node.factors[at]
    if _is_one(base) and following.left in "[({" and isinstance(following.body, tree.Relation):
        return True
    if isinstance(base, tree.Script):
        if base.primes:
            record = elaborator.record(base.base)
            return record is not None and not _is_factor(elaborator, record, following)
        if names.label(base.sup) is not None or names.is_transpose(base.sup):
            return False
        key = names.key(base.base, fonts=elaborator.fonts)
        record = (
            None if key is None else elaborator.scope.find(elaborator.split(key, names.items(base.sub))[0])
        )
        return record is not None and is_function(record)
    record = elaborator.record(base)
    if record is None or is_conditional(record.key):
        return False
    return is_function(record) and not _is_factor(elaborator, record, following)


def refuse_word(elaborator: Elaborator, node: tree.Product, at: int) -> None:
    """A word before brackets is a function; one that the page does not define has no meaning here."""
    factor = node.factors[at]
    if (
        isinstance(factor, tree.Name)
        and factor.font == "roman"
        and len(factor.text) > 1
        and at + 1 < len(node.factors)
        and isinstance(node.factors[at + 1], tree.Group)
        and not elaborator.known(factor.text)
    ):
        raise unsupported(f"symderiv does not know the function {factor.text}", factor.span)


def apply(elaborator: Elaborator, function: tree.Node, following: tree.Node) -> Tensor:
    """Elaborate `f(x)`, `f'(x)`, `h^2(x)`, `f(x)^2`, `f(x)_i` and `1[i = k]`."""
    span = function.span.to(following.span)
    outer = following if isinstance(following, tree.Script) else None
    group = outer.base if outer is not None else following
    assert isinstance(group, tree.Group)
    if _is_one(function):
        value = indicated(elaborator, group.body)
    else:
        primes, base = 0, function
        exponent: tree.Node | None = None
        subs: tuple[tree.Node, ...] = ()
        if isinstance(function, tree.Script):
            primes, exponent, subs, base = (
                function.primes,
                function.sup,
                names.items(function.sub),
                function.base,
            )
        key = names.key(base, fonts=elaborator.fonts)
        if key is not None:
            key, subs = elaborator.split(key, subs)
        record = elaborator.scope.find(key) if key is not None else None
        if record is None:
            raise unsupported("this name before brackets is not understood", span)
        arguments = group.body.items if isinstance(group.body, tree.Sequence) else (group.body,)
        whole = tree.Group(group.body, group.left, group.right, span=span)
        value = _application(elaborator, record, arguments, primes, whole)
        if subs:
            if value.rank < len(subs) and not elaborator.is_defined(record):
                raise unsupported("several unknown functions with one letter are not supported yet", span)
            value = fix(elaborator, value, subs, span)
        if exponent is not None:
            value = power(elaborator, value, exponent, whole)
    if outer is not None and outer.sub is not None:
        value = fix(elaborator, value, names.items(outer.sub), span)
    if outer is not None and outer.sup is not None:
        value = power(
            elaborator, value, outer.sup, tree.Group(group.body, group.left, group.right, span=span)
        )
    return value


def _application(
    elaborator: Elaborator, record: Name, arguments: tuple[tree.Node, ...], primes: int, node: tree.Node
) -> Tensor:
    """Elaborate a function of the page at arguments, differentiated `primes` times."""
    whole = gathered(arguments)
    if whole != arguments:
        _count_entries(elaborator, whole[0], arguments[-1])
        arguments = whole
    if elaborator.is_defined(record) and record.parameters is not None:
        if record.veil is not None:
            return _at_its_variables(elaborator, record, arguments, primes, node)
        return _defined_application(elaborator, record, arguments, primes, node)
    if (
        record.differentiated_by
        and not record.primed
        and not primes
        and all(_depends_on(elaborator, record, each) for each in arguments)
    ):
        _at_one_point(record, tuple(n for each in arguments if (n := elaborator.record(each))), node)
        return entries(elaborator, record, (), node.span)
    variable = _whole(elaborator, record, arguments, node)
    if variable is not None:
        return _function_of_vector(elaborator, record, variable, primes, node)
    values = [elaborator.value(argument) for argument in arguments]
    shape = max(values, key=lambda value: value.rank, default=None)
    if shape is None or (len(values) > 1 and (primes or any(value.rank for value in values))):
        raise unsupported("this application of an unknown function is not supported yet", node.span)
    if shape.rank:
        elaborator.note("SD104", f"{record.key} is applied entry by entry", node.span)
    elaborator.uses.add(record.identity)
    body = Unknown(
        Symbol(record.identity, real=True), (primes,) * len(values), *(value.body for value in values)
    )
    return Tensor(body, shape.slots, shape.dimensions, row=shape.row)


def _at_its_variables(
    elaborator: Elaborator, record: Name, arguments: tuple[tree.Node, ...], primes: int, node: tree.Node
) -> Tensor:
    """Elaborate a function of which the definition has no meaning: its value at its own variables."""
    if primes or [elaborator.record(each) for each in arguments] != [*record.arguments]:
        raise broken(record, node.span)
    return entries(elaborator, record, (), node.span)


def _count_entries(elaborator: Elaborator, vector: tree.Node, last: tree.Node) -> None:
    """Take the index of the last entry for the number of entries, the n of `f(x_1, \\dots, x_n)`."""
    record = elaborator.record(vector)
    letter = last.sub if isinstance(last, tree.Script) else None
    size = elaborator.scope.size(letter.text) if isinstance(letter, tree.Name) else None
    if record is None or size is None or len(elaborator.shape(record)) != 1:
        raise unsupported("dots are not understood here yet", vector.span.to(last.span))
    elaborator.unify(elaborator.shape(record)[0], size, last.span, "these arguments")


def _whole(
    elaborator: Elaborator, record: Name, arguments: tuple[tree.Node, ...], node: tree.Node
) -> Name | None:
    """Return the variable that an unknown function takes as a whole: the vector of `g(x)`, a number.

    A function that is declared to give a vector or matrix takes its variable as a whole, too.

    So reads a Latin letter before a bare name; a Greek one (`\\sigma(z)`), one declared between numbers,
    and one that has to give a vector are applied entry by entry.
    """
    bare = len(arguments) == 1 and isinstance(arguments[0], tree.Name | tree.Accent)
    other = elaborator.record(arguments[0]) if bare else None
    if record.declared and record.shape:
        if other is None:
            raise unsupported(
                f"{record.key} at another point than its variable is not supported yet", node.span
            )
        return other
    if record.takes:
        if other is None or len(elaborator.shape(other)) != record.takes:
            raise unsupported(
                f"{record.key} at another point than its variable is not supported yet", node.span
            )
        return other
    if record.function or not record.key.isalpha() or elaborator.expected_rank:
        return None
    return other if other is not None and len(elaborator.shape(other)) > 0 else None


def _at_one_point(record: Name, arguments: tuple[Name, ...], node: tree.Node) -> None:
    """Refuse an unknown function at other arguments than elsewhere: it is one quantity here.

    Where these are what the others depend on, or some of them, the page means one value, as of `L(w)`.
    """
    here = {each.identity for each in arguments}
    reached = here.union(*(each.rests_on for each in arguments))
    if record.point is None:
        record.point = (frozenset(here), frozenset(reached))
    there, beyond = record.point
    if not (here <= beyond or there <= reached):
        raise unsupported(f"{record.key} at two points is not supported yet", node.span)


def _function_of_vector(
    elaborator: Elaborator, record: Name, variable: Name, primes: int, node: tree.Node
) -> Tensor:
    _at_one_point(record, (variable,), node)
    if variable.identity not in record.differentiated_by:
        record.differentiated_by.append(variable.identity)
    value = entries(elaborator, record, (), node.span)
    for _ in range(primes):
        sizes = elaborator.shape(variable)
        slots = tuple(fresh("s") for _ in sizes)
        body = D(value.body, entry(variable.identity, *slots, positive=variable.positive))
        value = Tensor(body, value.slots + slots, value.dimensions + sizes)
    return value


def _depends_on(elaborator: Elaborator, record: Name, argument: tree.Node) -> bool:
    other = elaborator.record(argument)
    return other is not None and (other.identity in record.differentiated_by or not is_function(other))


def _defined_application(
    elaborator: Elaborator, record: Name, arguments: tuple[tree.Node, ...], primes: int, node: tree.Node
) -> Tensor:
    assert record.parameters is not None
    ranks = [len(elaborator.shape(each)) for each in record.arguments]
    if ranks == [1] and len(arguments) > 1:
        raise unsupported(
            f"{record.key} takes a vector, and its entries here are not supported yet", node.span
        )
    if record.broken:
        raise broken(record, node.span)
    if len(arguments) != len(record.parameters):
        raise ill_typed("SD002", f"{record.key} takes {count(len(record.parameters), 'argument')}", node.span)
    parameters = record.arguments
    taken = roots(arguments, record.squares)
    if taken is None:
        raise unsupported(f"{record.key} takes the square of a name", node.span)
    body = elaborator.bodies[id(record)]
    renaming: dict[str, Alias] = {}
    over: Tensor | None = None
    for parameter, argument in zip(parameters, taken, strict=True):
        own = elaborator.record(argument) if isinstance(argument, tree.Name | tree.Accent) else None
        if own is not None and own.identity == parameter.identity:
            continue
        value = elaborator.value(argument)
        if value.rank and not elaborator.shape(parameter) and not body.rank:
            elaborator.note("SD104", f"{record.key} is applied entry by entry", node.span)
            if over is not None:
                over, value, _ = together(elaborator, over, value, node.span, "these arguments")
            over = value
            value = Tensor(value.body)
        around = dict(zip(over.slots, over.dimensions, strict=True)) if over is not None else {}
        renaming[parameter.identity] = _hide(elaborator, parameter, value, around, argument.span)
    if not renaming:
        value = entries(elaborator, record, (), node.span)
    else:
        slots = tuple(fresh("s") for _ in body.slots)
        term = rename_bound(exchanged(body.body, dict(zip(body.slots, slots, strict=True))))
        value = Tensor(_renamed_through(elaborator, term, renaming), slots, body.dimensions)
    for _ in range(primes):
        if len(parameters) != 1 or parameters[0] is None:
            raise unsupported("the prime of a function of several variables is ambiguous", node.span)
        alias = renaming.get(parameters[0].identity, Alias(parameters[0].identity))
        sizes = elaborator.shape(parameters[0])
        slots = tuple(fresh("s") for _ in sizes)
        by = entry(alias.name, *alias.sizes, *slots)
        value = Tensor(D(value.body, by), value.slots + slots, value.dimensions + sizes)
    return value if over is None else Tensor(value.body, over.slots, over.dimensions, row=over.row)


def _renamed_through(elaborator: Elaborator, term: Expr, renaming: dict[str, Alias]) -> Expr:
    """Rename parameters in a term, and in copies of the definitions through which it depends on them."""
    renaming = dict(renaming)
    sizes = {index: size for alias in renaming.values() for index, size in alias.sizes.items()}
    for name in sorted(names_in(term) - renaming.keys()):
        body = _meaning_of(elaborator, name)
        if body is None or not _rests_on(elaborator, name, renaming.keys(), set()):
            continue
        inner = _renamed_through(elaborator, body.body, renaming)
        renaming[name] = _hidden(elaborator, name, Tensor(inner, body.slots, body.dimensions), sizes)
    return rename_names(term, renaming)


def _meaning_of(elaborator: Elaborator, name: str) -> Tensor | None:
    """Return what a name is defined as, by the page or by an argument that was given a hidden name."""
    hidden = elaborator.hidden.get(name)
    if hidden is not None:
        return Tensor(hidden.body, hidden.slots, elaborator.hidden_shapes[name])
    return elaborator.meaning(name)


def _rests_on(elaborator: Elaborator, name: str, parameters: Collection[str], seen: set[str]) -> bool:
    """Tell whether the definition of a name leads to one of some parameters."""
    body = _meaning_of(elaborator, name)
    if body is None or name in seen:
        return False
    seen.add(name)
    parts = names_in(body.body)
    return any(part in parameters or _rests_on(elaborator, part, parameters, seen) for part in parts)


def _hide(
    elaborator: Elaborator, parameter: Name, value: Tensor, over: Mapping[Index, Size], span: Span
) -> Alias:
    """Give an argument a hidden name, so that a function can be differentiated by it.

    The indices that are free in the argument or bound around it, and those that it is taken `over`
    entry by entry, are slots of the hidden name: it is one quantity for each of their values.
    """
    shape = elaborator.shape(parameter)
    if len(shape) != value.rank:
        raise ill_typed(
            "SD002", f"{parameter.key} is {rank_name(len(shape))}, and {kind(value)} is given", span
        )
    if parameter.positive and not value.body.is_positive:
        raise unsupported(f"{parameter.key} is positive, and this is not known to be", span)
    for a, b in zip(shape, value.dimensions, strict=True):
        elaborator.sizes.try_unify(a, b)
    return _hidden(elaborator, parameter.identity, value, _around(elaborator) | dict(over))


def _around(elaborator: Elaborator) -> dict[Index, Size]:
    """Return the indices that are free in the member at hand or bound around what is elaborated."""
    free = {Index(letter): size for letter, size in elaborator.free.items()}
    return free | dict(elaborator.bound.values())


def _hidden(elaborator: Elaborator, name: str, value: Tensor, sizes: Mapping[Index, Size]) -> Alias:
    """Define a hidden name, over the indices of known sizes that are free in a value and over its slots."""
    free = value.body.free_symbols - set(value.slots)
    opened = tuple(index for index in sizes if index in free)
    slots = tuple(fresh("s") for _ in opened)
    identity = f"{name}@{len(elaborator.hidden) + 1}"
    body = exchanged(value.body, dict(zip(opened, slots, strict=True)))
    elaborator.hidden[identity] = Definition(identity, (*slots, *value.slots), body)
    elaborator.hidden_shapes[identity] = (*(sizes[index] for index in opened), *value.dimensions)
    return Alias(identity, {index: sizes[index] for index in opened})


def prime(elaborator: Elaborator, record: Name, primes: int, node: tree.Node) -> Tensor | None:
    """Elaborate `f'` alone, for a function of one number that the page defines: it stands at its variable."""
    if not elaborator.is_defined(record) or record.parameters is None or len(record.parameters) != 1:
        return None
    parameter = elaborator.scope.find(record.parameters[0])
    if parameter is None or elaborator.shape(parameter):
        return None
    return _application(elaborator, record, (tree.Name(parameter.key, span=node.span),), primes, node)


def _is_factor(elaborator: Elaborator, record: Name, group: tree.Group) -> bool:
    """Tell whether brackets after a function are a factor: the bare function in them, as in `f (1 - f)`."""
    if not elaborator.is_defined(record) or record.parameters is None:
        return False
    return _stands_bare(elaborator, group.body, record)


def _stands_bare(elaborator: Elaborator, node: tree.Node, record: Name) -> bool:
    """Tell whether a function stands below a node without brackets after it."""
    if isinstance(node, tree.Product):
        followers = [
            following if operator == "" else None
            for operator, following in zip(node.operators, node.factors[1:], strict=True)
        ]
        for factor, following in zip(node.factors, [*followers, None], strict=True):
            base = factor.base if isinstance(factor, tree.Script) else factor
            applied = elaborator.record(base) is record and isinstance(following, tree.Group)
            if not applied and _stands_bare(elaborator, factor, record):
                return True
        return False
    if isinstance(node, tree.Name | tree.Accent):
        return elaborator.record(node) is record
    return any(_stands_bare(elaborator, child, record) for child in names.children(node))

"""Calculus: every derivative of a term is carried out, every definition opened.

Vocabulary. A name *reaches* another when its definition, or what an opaque name depends on, leads there.
The *variable* is the entry by which one differentiates; its name is held independent, whatever it is
defined as. A *rule* is the derivative of one operator. A derivative of an opaque entry by one of its own
arguments is *irreducible*: `D(L, y[t])` stays. Where a function has a kink (max, |x|, a condition on
values) its derivative is the one that holds almost everywhere; `has_kink` tells that this was used.
"""

from __future__ import annotations

from collections.abc import Iterable

from sympy import Basic, Expr, Indexed, KroneckerDelta, Mul, Number, NumberSymbol, Piecewise, Product, Sum
from sympy.logic.boolalg import Boolean

from symderiv.kernel.rules import ELEMENTARY, KINKED, STRUCTURAL
from symderiv.kernel.substitution import ZERO, delta, names_in, over, rebuilt, substitute, without_piecewise
from symderiv.kernel.terms import (
    Cases,
    Circular,
    Context,
    D,
    Definition,
    Greatest,
    Index,
    KernelError,
    NoRule,
    Opaque,
    Partial,
    Size,
    Unknown,
    entry,
    exact,
    fresh,
    name_of,
    nodes,
    total,
)


def has_kink(term: Expr, context: Context) -> bool:
    """Tell whether a derivative in `term`, definitions included, may pass a kink."""
    return Calculus(context).has_kink(term)


def _is_kink(node: Basic) -> bool:
    """Tell whether a function has a kink, or cases differ by values."""
    if not isinstance(node, Piecewise | Cases):
        return isinstance(node, KINKED)
    return any(names_in(a) for part in node.args for a in part.atoms(Boolean))


def derive(term: Expr, context: Context) -> Expr:
    """Return `term` with every derivative carried out and every definition opened."""
    return Calculus(context).derived(term)


class Calculus:
    """Differentiation under one context; its tables only save work."""

    def __init__(self, context: Context) -> None:
        self.context = context
        self.reached: dict[str, frozenset[str]] = {}
        self.known: dict[tuple[Expr, Expr], Expr] = {}
        self.bodies: dict[str, Expr] = {}
        self.instances: dict[Expr, Expr] = {}
        self.definitions: dict[str, Definition] = {}
        self.gaps: dict[tuple[Expr, str], None] = {}
        """What is 0 at the kinks that were passed, with the name by which was differentiated."""

    def goes_on(self, context: Context) -> bool:
        """Tell whether every name met so far means the same in a context, and no kink was passed.

        A kink belongs to the goal that passes it, and is found anew.
        """
        mine = self.context
        if context is mine or self.gaps:
            return not self.gaps
        parts = (
            (mine.definitions, context.definitions),
            (mine.opaque, context.opaque),
            (mine.shapes, context.shapes),
        )
        return all(one.get(name) == other.get(name) for one, other in parts for name in self.reached)

    def derived(self, term: Expr) -> Expr:
        """Return `term` with every derivative carried out and every definition opened."""
        return self.opened(self.carried(without_piecewise(exact(term))))

    def has_kink(self, *terms: Expr) -> bool:
        """Tell whether a derivative in these terms, definitions included, may pass a kink."""
        parts = nodes(*terms)
        derivatives = [node for node in parts if isinstance(node, D)]
        names = self.reach_all(name for node in parts if (name := name_of(node)) is not None)
        definitions = [
            self.context.definitions[name].body for name in names if name in self.context.definitions
        ]
        below = nodes(*definitions)
        if not derivatives and not any(isinstance(node, D) for node in below):
            return False
        return any(_is_kink(node) for node in nodes(*(node.term for node in derivatives)) | below)

    # -- what a name depends on

    def reach(self, name: str, path: tuple[str, ...] = ()) -> frozenset[str]:
        """Return the names that `name` leads to, itself included; a circle of definitions raises."""
        if name in self.reached:
            return self.reached[name]
        if name in path:
            msg = f"{name} is defined by itself"
            raise Circular(msg)
        direct: Iterable[str] = ()
        if name in self.context.definitions:
            direct = names_in(self.context.definitions[name].body)
        elif name in self.context.opaque:
            direct = self.context.opaque[name].arguments
        found = {name}
        for other in direct:
            found |= self.reach(other, (*path, name))
        self.reached[name] = frozenset(found)
        return self.reached[name]

    def reach_all(self, names: Iterable[str]) -> frozenset[str]:
        """Return the names that any of `names` leads to."""
        return frozenset[str]().union(*(self.reach(name) for name in names))

    # -- definitions

    def instance(self, name: str, indices: tuple[Expr, ...]) -> Expr:
        """Return the body of a defined entry as it was written, at these indices."""
        definition = self.definition(name, indices)
        return substitute(definition.body, dict(zip(definition.slots, indices, strict=True)))

    def definition(self, name: str, indices: tuple[Expr, ...]) -> Definition:
        """Return a definition as the kernel reads it, if it has as many slots."""
        if name not in self.definitions:
            written = self.context.definitions[name]
            self.definitions[name] = Definition(name, written.slots, without_piecewise(written.body))
        definition = self.definitions[name]
        if len(definition.slots) != len(indices):
            msg = f"{name} has {len(definition.slots)} indices, not {len(indices)}"
            raise KernelError(msg)
        return definition

    def opened(self, term: Expr) -> Expr:
        """Return `term`, free of reducible derivatives, with every definition opened."""
        name = name_of(term)
        if name is not None:
            if name not in self.context.definitions:
                return term
            if term not in self.instances:
                self.reach(name)
                indices = _indices(term)
                definition = self.definition(name, indices)
                if name not in self.bodies:
                    self.bodies[name] = self.opened(self.carried(definition.body))
                slots = dict(zip(definition.slots, indices, strict=True))
                self.instances[term] = substitute(self.bodies[name], slots)
            return self.instances[term]
        if isinstance(term, D) or not term.args:
            return term
        if isinstance(term, Unknown):
            return Unknown(*term.args[:2], *(self.opened(a) for a in term.args[2:]))
        if isinstance(term, Sum | Product | Greatest):
            body = self.opened(term.function)
            return term if body is term.function else over(term, body, *term.limits)
        return rebuilt(term, [self.opened(a) for a in term.args])

    # -- derivatives

    def carried(self, term: Expr) -> Expr:
        """Return `term` with its derivatives carried out; definitions stay closed."""
        if isinstance(term, Partial | Indexed) or not term.args:
            return term
        if isinstance(term, D):
            result = self.carried(term.term)
            for variable in term.variables:
                result = self.by(result, variable)
            return result
        if isinstance(term, Sum | Product | Greatest):
            body = self.carried(term.function)
            return term if body is term.function else over(term, body, *term.limits)
        return rebuilt(term, [self.carried(a) for a in term.args])

    def by(self, term: Expr, variable: Expr) -> Expr:
        """Return the derivative of `term` by `variable`; definitions stay closed."""
        if name_of(variable) is None:
            msg = f"a derivative by {variable}, which is no entry"
            raise NoRule(msg)
        pair = (term, variable)
        if pair not in self.known:
            self.known[pair] = self.rule(term, variable)
        return self.known[pair]

    def rule(self, term: Expr, variable: Expr) -> Expr:
        """Differentiate one operator."""
        if name_of(term) is not None:
            return self.entry(term, variable)
        if isinstance(term, Number | NumberSymbol | KroneckerDelta | Index | Size):
            return ZERO
        elementary = ELEMENTARY.get(type(term))
        if elementary is not None:
            inner = self.by(term.args[0], variable)
            if inner is ZERO:
                return ZERO
            if isinstance(term, KINKED):
                self.passed(term.args[0], variable)
            return elementary(term.args[0]) * inner
        structural = STRUCTURAL.get(D if isinstance(term, Partial) else type(term))
        if structural is None:
            msg = f"no rule for the derivative of {type(term).__name__}"
            raise NoRule(msg)
        return structural(self, term, variable)

    def passed(self, gap: Expr, variable: Expr) -> None:
        """Keep what is 0 at a kink, unless that has nothing to do with the variable."""
        by = str(name_of(variable))
        if by in self.reach_all(names_in(gap)):
            self.gaps[gap, by] = None

    def entry(self, term: Expr, variable: Expr) -> Expr:
        """`d x_k / d x_i = delta_ki`; a defined entry by its body; an opaque one through its arguments."""
        name, by = str(name_of(term)), str(name_of(variable))
        if name == by:
            mine, its = _indices(term), _indices(variable)
            if len(mine) != len(its):
                msg = f"{name} is used with {len(mine)} and with {len(its)} indices"
                raise KernelError(msg)
            return Mul(*(delta(k, i) for k, i in zip(mine, its, strict=True)))
        if by not in self.reach(name):
            return ZERO
        if name in self.context.definitions:
            return self.by(self.carried(self.instance(name, _indices(term))), variable)
        return self.through(self.context.opaque[name], variable, term)

    def through(self, opaque: Opaque, variable: Expr, term: Expr, *by: Expr) -> Expr:
        """`d L / d v = sum over the arguments a of L, and a's entries, of (d L / d a) (d a / d v)`."""
        names = set(opaque.arguments)
        node = Partial if any(names & self.reach(name) - {name} for name in names) else D

        def partial(argument: Expr) -> Expr:
            return node(term, *sorted((*by, argument), key=str))

        result = ZERO
        for name in dict.fromkeys(opaque.arguments):
            if name == name_of(variable):
                result += partial(variable)
            elif name_of(variable) in self.reach(name):
                if name not in self.context.shapes:
                    msg = f"the shape of {name} is not known"
                    raise KernelError(msg)
                sizes = self.context.shapes[name]
                indices = [fresh("k") for _ in sizes]
                argument = entry(name, *indices)
                inner = partial(argument) * self.by(argument, variable)
                limits = [(k, 1, size) for k, size in zip(indices, sizes, strict=True)]
                result += total(inner, *limits) if limits and inner != 0 else inner
        return result


def _indices(term: Expr) -> tuple[Expr, ...]:
    return tuple(term.indices) if isinstance(term, Indexed) else ()

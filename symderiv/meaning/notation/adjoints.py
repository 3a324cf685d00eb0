"""Adjoints: a derivative as a backward pass computes it, from the names that the page defines.

Vocabulary. The *adjoint* of an entry is the derivative of a quantity, the *head*, by it. It is collected from
the *users* of the entry, the names whose definitions mention it: the adjoint of each times its *slope*,
the derivative of its own definition alone. Nothing here is trusted: the kernel checks what is shown.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import sympy
from sympy import Expr, Sum, Symbol

from symderiv.kernel.calculus import Calculus
from symderiv.kernel.substitution import names_in, substitute
from symderiv.kernel.terms import Context, D, Index, KernelError, Unknown, entry, fresh, name_of, nodes

FROZEN: tuple[type[Expr], ...] = (sympy.tanh, sympy.sinh, sympy.cosh, sympy.erf)
"""Functions that are kept as they are, not written in exponentials."""
_MARK = "·"


def by_adjoints(term: Expr, context: Context, names: frozenset[str]) -> Expr | None:
    """Return a first derivative by the adjoints that have `names`, or None where it has no such form."""
    if not isinstance(term, D) or len(term.variables) != 1 or name_of(term.term) is None:
        return None
    try:
        return _Pass(term.term, context, names).adjoint(term.variables[0])
    except KernelError:
        return None


class _Pass:
    """One backward pass from a head."""

    def __init__(self, head: Expr, context: Context, names: frozenset[str]) -> None:
        self.head, self.context = head, context
        self.calculus = Calculus(context)
        self.alone = Calculus(Context({}, {}, context.shapes))
        self.reach = self.calculus.reach(str(name_of(head)))
        self.named = {
            str(name_of(definition.body.variables[0])): definition
            for definition in context.definitions.values()
            if definition.name in names and self._is_adjoint(definition.body)
        }
        self.known: dict[str, tuple[tuple[Index, ...], Expr]] = {}

    def _is_adjoint(self, body: Expr) -> bool:
        return isinstance(body, D) and body.term == self.head and len(body.variables) == 1

    def adjoint(self, variable: Expr) -> Expr:
        """Return the derivative of the head by an entry."""
        name = str(name_of(variable))
        if name not in self.known:
            slots = tuple(fresh("s") for _ in self.context.shapes.get(name, ()))
            self.known[name] = slots, self._collected(name, slots)
        slots, value = self.known[name]
        return substitute(value, dict(zip(slots, getattr(variable, "indices", ()), strict=True)))

    def _collected(self, name: str, slots: tuple[Index, ...]) -> Expr:
        known = self.named.get(name)
        if known is not None and known.body.variables[0] == entry(name, *known.slots):
            return entry(known.name, *slots)
        variable = entry(name, *slots)
        result = sympy.S.Zero
        for user in self._users(name):
            at, limits = self._entry(user)
            slope = self._slope(user, at, variable)
            if slope != 0:
                times = sympy.S.One if at == self.head else self.adjoint(at)
                result += Sum(times * slope, *limits) if limits else times * slope
        return result

    def _users(self, name: str) -> Iterator[str]:
        for user in sorted(self.reach - {name}):
            if user in self.context.definitions:
                if name in names_in(self.context.definitions[user].body):
                    yield user
            elif user in self.context.opaque and name in self.context.opaque[user].arguments:
                yield user

    def _entry(self, user: str) -> tuple[Expr, list[tuple[Index, int, Expr]]]:
        if user == name_of(self.head):
            return self.head, []
        sizes = self.context.shapes.get(user, ())
        indices = [fresh("k") for _ in sizes]
        return entry(user, *indices), [(k, 1, size) for k, size in zip(indices, sizes, strict=True)]

    def _slope(self, user: str, at: Expr, variable: Expr) -> Expr:
        """Return the derivative of an entry by another, all other names held."""
        if user in self.context.definitions:
            body = self.calculus.instance(user, tuple(getattr(at, "indices", ())))
            if body.has(D):
                msg = f"{user} is a derivative"
                raise KernelError(msg)
            return self.alone.by(body, variable)
        arguments = set(self.context.opaque[user].arguments)
        if any(arguments & self.calculus.reach(name) - {name} for name in arguments):
            msg = f"the arguments of {user} depend on one another"
            raise KernelError(msg)
        return D(at, variable)


def frozen(term: Expr) -> Expr:
    """Return a term in which some functions are unknown ones."""
    return _changed(term, FROZEN, lambda each: Unknown(Symbol(_MARK + type(each).__name__), (0,), *each.args))


def thawed(term: Expr) -> Expr:
    """Undo `frozen`."""
    functions = {_MARK + function.__name__: function for function in FROZEN}

    def thaw(each: Expr) -> Expr:
        function = functions.get(str(each.args[0]))
        return each if function is None else function(*each.args[2:])

    return _changed(term, (Unknown,), thaw)


def _changed(term: Expr, kinds: tuple[type[Expr], ...], change: Callable[[Expr], Expr]) -> Expr:
    changes = {each: change(each) for each in nodes(term) if isinstance(each, kinds)}
    return term.xreplace(changes) if changes else term

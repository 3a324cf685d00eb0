r"""A definition without a meaning here makes its name an unknown function of what the definition mentions.

`L = \frac1n \sum_i \ell(z_i, y_i)`, with a loss in words, is some smooth function of z and y; the page may
differentiate it by what words alone connect with these, and it is a function of that, too. Vocabulary: such a
name is *veiled*; a *mention* is *free* where it stands alone as an argument of a function that nothing
defines, so that the slopes by it may be anything.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from sympy import Basic, Expr

from symderiv.kernel.substitution import names_in
from symderiv.kernel.terms import Context, D, Goal, Opaque, name_of
from symderiv.latex import tree
from symderiv.meaning import names
from symderiv.meaning.calls import is_function
from symderiv.meaning.elaborator import Elaborator
from symderiv.meaning.goals import Compared
from symderiv.meaning.renaming import reaches
from symderiv.meaning.scope import Mention, Name
from symderiv.meaning.vocabulary import CALLS, ELEMENTARY


class _BlockedError(Exception):
    """The value is no function of what is mentioned."""


def mentions(elaborator: Elaborator, record: Name, node: tree.Node) -> tuple[Mention, ...] | None:
    """Return what the definition of a name mentions, or None where it is no function of these values.

    Such is the mean over a random variable, which is no function of one value of it, and what takes the
    values of a defined function at many arguments.
    """
    try:
        found = list(_Mentions(elaborator, record).within(node))
    except _BlockedError:
        return None
    free = {each.identity: all(e.free for e in found if e.identity == each.identity) for each in found}
    return tuple(Mention(identity, free) for identity, free in free.items())


@dataclass(frozen=True, slots=True)
class _Mentions:
    elaborator: Elaborator
    record: Name

    def within(self, node: tree.Node, *, hidden: bool = False) -> Iterator[Mention]:
        """Yield what a node mentions; `hidden` is what a mean, a limit or an integral is of."""
        if isinstance(node, tree.Derivative | tree.Differential):
            raise _BlockedError
        if isinstance(node, tree.Big):
            inside = hidden or node.operator not in ("sum", "prod")
            yield from self.within(node.body, hidden=inside)
            if node.lower is not None and inside:
                yield from self.within(node.lower, hidden=inside)
        elif isinstance(node, tree.Call):
            yield from self._called(node.function, node.arguments, hidden=hidden)
        elif isinstance(node, tree.Product):
            yield from self._product(node, hidden=hidden)
        elif isinstance(node, tree.Name | tree.Accent | tree.Script) and self._record(node) is not None:
            yield from self._named(node, hidden=hidden)
        else:
            for child in names.children(node):
                yield from self.within(child, hidden=hidden)

    def _product(self, node: tree.Product, *, hidden: bool) -> Iterator[Mention]:
        factors = [*node.factors]
        while factors:
            factor = factors.pop(0)
            group = factors[0] if factors and isinstance(factors[0], tree.Group) else None
            base = factor.base if isinstance(factor, tree.Script) else factor
            if group is None or not isinstance(base, tree.Name | tree.Accent):
                yield from self.within(factor, hidden=hidden)
                continue
            mean = isinstance(base, tree.Name) and base.text in ("E", "\\mathbb{E}") and base.font != ""
            record = self.elaborator.record(base)
            if mean or record is None or is_function(record):
                factors.pop(0)
                body = group.body
                arguments = body.items if isinstance(body, tree.Sequence) else (body,)
                yield from self._called(factor, arguments, hidden=hidden or mean)
            elif group.left == "[":
                factors.pop(0)
                yield from self.within(factor, hidden=hidden)
            else:
                yield from self.within(factor, hidden=hidden)

    def _called(
        self, function: tree.Node, arguments: tuple[tree.Node, ...], *, hidden: bool
    ) -> Iterator[Mention]:
        base = function.base if isinstance(function, tree.Script) else function
        record = self.elaborator.record(base)
        if record is not None and record.parameters is not None:
            raise _BlockedError
        if isinstance(function, tree.Script):
            for part in (function.sub, function.sup):
                yield from self.within(part, hidden=hidden) if part is not None else ()
        known = isinstance(base, tree.Name) and base.text in CALLS | ELEMENTARY.keys()
        for argument in arguments:
            alone = self._alone(argument)
            if alone is not None and not known and not hidden:
                first, *others = self._named(alone, hidden=False)
                yield from (Mention(first.identity, free=True), *others)
            else:
                yield from self.within(argument, hidden=hidden)

    def _alone(self, node: tree.Node) -> tree.Node | None:
        """Return the name of an argument that is a name, an entry or a row: `z`, `z_i`, `Z[i]`."""
        if isinstance(node, tree.Product) and len(node.factors) == 2:
            first, second = node.factors
            row = isinstance(second, tree.Group) and second.left == "["
            node = first if row else node
        named = isinstance(node, tree.Name | tree.Accent | tree.Script)
        return node if named and self._record(node) is not None else None

    def _named(self, node: tree.Node, *, hidden: bool) -> Iterator[Mention]:
        record = self._record(node)
        if record is None or record is self.record:
            raise _BlockedError
        if hidden and (record.defined is not None or record.identity in self.record.differentiated_by):
            raise _BlockedError
        yield Mention(record.identity, free=False)
        yield from (Mention(each, free=False) for each in (record.rests_on if record.broken else ()))
        for part in (node.sub, node.sup) if isinstance(node, tree.Script) else ():
            if part is not None and names.label(part) is None and not names.is_transpose(part):
                yield from self.within(part, hidden=hidden)

    def _record(self, node: tree.Node) -> Name | None:
        """Return the record of a name with its subscript and label; of an index or a size there is none."""
        if not isinstance(node, tree.Script):
            return self.elaborator.record(node)
        found = self.elaborator.scope.find(names.written(node, self.elaborator.fonts) or "")
        if found is not None:
            return found
        labelled = node.sup is not None and names.label(node.sup) is not None
        inner = tree.Script(node.base, sup=node.sup) if labelled and node.sub is not None else node.base
        return self._record(inner)


def freed(compared: Compared) -> Compared:
    """Take a quantity that is differentiated by what its definition does not reach for an unknown function.

    So only where the page has a chain rule through that: where it differentiates by z, and by what z depends
    on. Words then connect z with what the definition has, as *h is the softmax of z* does.
    """
    goal = compared.goal
    context = goal.context
    found: dict[str, Opaque] = {}
    veils: dict[str, tuple[Mention, ...]] = {}
    for name, variables in _differentiated(goal).items():
        definition = context.definitions.get(name)
        if definition is None or name not in context.shapes:
            continue
        known = _reach(context, name) | {name}
        apart = sorted(variables - known)
        below = {each: _reach(context, each) for each in apart}
        ends = [one for one in apart if not any(one in below[other] for other in apart)]
        through = [one for one in ends if one in context.shapes]
        chained = any(below[one] & variables for one in apart)
        if not chained or any(name in below[one] for one in apart):
            continue
        mentioned = sorted(n for n in names_in(definition.body) if n in context.shapes and n != name)
        found[name] = Opaque(name, definition.slots, (*mentioned, *through))
        veils[name] = tuple(Mention(each, free=False) for each in mentioned)
    if not found:
        return compared
    definitions = {name: each for name, each in context.definitions.items() if name not in found}
    context = replace(context, definitions=definitions, opaque={**context.opaque, **found})
    return replace(compared, goal=replace(goal, context=context), veils=veils)


def _reach(context: Context, name: str) -> set[str]:
    """Return what a name depends on, by definitions and as an unknown function."""
    return reaches(name, context.definitions, {n: each.arguments for n, each in context.opaque.items()})


def _differentiated(goal: Goal) -> dict[str, set[str]]:
    """Return the names that a goal differentiates, each with the names by which."""
    context = goal.context
    bodies = [context.definitions[n].body for n in _below(goal) if n in context.definitions]
    found: dict[str, set[str]] = {}
    for each in (slope for term in (goal.left, goal.right, *bodies) for slope in term.atoms(D)):
        name = name_of(each.term)
        if name is not None:
            found.setdefault(name, set()).update(str(name_of(one)) for one in each.variables)
    return found


def veiled(goal: Goal, known: Mapping[str, tuple[Mention, ...]]) -> str | None:
    """Return a veiled name of a goal of which numbers decide nothing, or None.

    They decide where both sides have slopes of it and nothing else, and where these may be anything: no
    variable is mentioned by the definition in a form that ties them.
    """
    context = goal.context
    for name in sorted(known.keys() & _below(goal)):
        slopes = [_Slopes(context, name).of(side) for side in (goal.left, goal.right)]
        if any(each is None or not each for each in slopes):
            return name
        variables = {one for each in slopes for one in each or ()}
        values = _values(goal.left) | _values(goal.right)
        for mention in known[name]:
            own = _reach(context, mention.identity) | {mention.identity}
            if not mention.free and own & variables:
                return name
            if mention.identity in values - context.definitions.keys():
                return name
    return None


def _below(goal: Goal) -> set[str]:
    """Return the names on which the two sides of a goal depend by definitions."""
    found = {*names_in(goal.left), *names_in(goal.right)}
    return found.union(*(reaches(each, goal.context.definitions, {}) for each in found))


def _values(term: Basic) -> set[str]:
    """Return the names that stand outside every derivative."""
    found: set[str] = set()
    waiting = [term]
    while waiting:
        node = waiting.pop()
        name = name_of(node)
        if name is not None:
            found.add(name)
        elif not isinstance(node, D):
            waiting.extend(node.args)
    return found


@dataclass(frozen=True, slots=True)
class _Slopes:
    """The first derivatives of one name in a term."""

    context: Context
    name: str

    def of(self, term: Expr) -> set[str] | None:
        """Return by what a term differentiates the name; None where it has its value, or a second slope."""
        found: set[str] = set()
        for each in term.atoms(D):
            if not self._rests(each.term):
                continue
            below = [self.context.definitions[n].body for n in self._names(each.term)]
            if len(each.variables) > 1 or each.term.atoms(D) or any(body.atoms(D) for body in below):
                return None
            found.add(str(name_of(each.variables[0])))
        for name in _values(term):
            if name == self.name:
                return None
            if name in self.context.definitions and self._rests(self.context.definitions[name].body):
                inner = self.of(self.context.definitions[name].body)
                if inner is None:
                    return None
                found |= inner
        return found

    def _names(self, term: Expr) -> set[str]:
        """Return the defined names through which a term rests on the name."""
        reached = set().union(*(reaches(n, self.context.definitions, {}) | {n} for n in names_in(term)))
        return {
            n
            for n in reached & self.context.definitions.keys()
            if self._rests(self.context.definitions[n].body)
        }

    def _rests(self, term: Expr) -> bool:
        return any(
            n == self.name or self.name in reaches(n, self.context.definitions, {}) for n in names_in(term)
        )

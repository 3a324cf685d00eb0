"""Calculus: every derivative of a term is carried out, every definition opened.

Vocabulary. A name *reaches* another when its definition, or what an opaque name depends on, leads there.
The *variable* is the entry by which one differentiates; its name is held independent, whatever it is
defined as. A *rule* is the derivative of one operator. A derivative of an opaque entry by one of its own
arguments is *irreducible*: `D(L, y[t])` stays. Where a function has a kink (max, |x|, a condition on
values) its derivative is the one that holds almost everywhere; `has_kink` tells that this was used.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from operator import is_

import sympy
from sympy import (
    Abs,
    Add,
    Basic,
    Expr,
    Function,
    Heaviside,
    Indexed,
    KroneckerDelta,
    Max,
    Min,
    Mul,
    Number,
    NumberSymbol,
    Piecewise,
    Pow,
    Product,
    Sum,
    Symbol,
    Tuple,
    acos,
    acosh,
    asin,
    asinh,
    atan,
    atanh,
    cos,
    cosh,
    cot,
    coth,
    csch,
    erf,
    erfc,
    exp,
    log,
    pi,
    sech,
    sign,
    sin,
    sinh,
    sqrt,
    tan,
    tanh,
)
from sympy.core.relational import Relational
from sympy.functions.elementary.piecewise import ExprCondPair
from sympy.logic.boolalg import Boolean

from symderiv.kernel.terms import (
    Cases,
    Circular,
    Context,
    D,
    Definition,
    Det,
    Entry,
    Greatest,
    Index,
    Inv,
    KernelError,
    NoRule,
    OfMatrix,
    Opaque,
    Partial,
    Size,
    Unknown,
    bound_by,
    entry,
    exact,
    free_in,
    fresh,
    indicator,
    name_of,
    nodes,
    total,
)

ZERO: Expr = sympy.Integer(0)
ONE: Expr = sympy.Integer(1)

ELEMENTARY: Mapping[type[Basic], Callable[[Expr], Expr]] = {
    exp: exp,
    log: lambda a: 1 / a,
    sin: cos,
    cos: lambda a: -sin(a),
    tan: lambda a: 1 + tan(a) ** 2,
    cot: lambda a: -1 - cot(a) ** 2,
    sinh: cosh,
    cosh: sinh,
    tanh: lambda a: 1 - tanh(a) ** 2,
    coth: lambda a: 1 - coth(a) ** 2,
    sech: lambda a: -sech(a) * tanh(a),
    csch: lambda a: -csch(a) * coth(a),
    asin: lambda a: 1 / sqrt(1 - a**2),
    acos: lambda a: -1 / sqrt(1 - a**2),
    atan: lambda a: 1 / (1 + a**2),
    asinh: lambda a: 1 / sqrt(1 + a**2),
    acosh: lambda a: 1 / (sqrt(a - 1) * sqrt(a + 1)),
    atanh: lambda a: 1 / (1 - a**2),
    erf: lambda a: 2 * exp(-(a**2)) / sqrt(pi),
    erfc: lambda a: -2 * exp(-(a**2)) / sqrt(pi),
    Abs: sign,
    sign: lambda _: ZERO,
    Heaviside: lambda _: ZERO,
}
"""The derivative of each function of one argument."""

KINKED: tuple[type[Basic], ...] = (Greatest, Abs, Max, Min, sign, Heaviside)
"""Functions whose rule holds almost everywhere."""


def without_piecewise(term: Basic) -> Expr:
    """Return `term` with every Piecewise as Cases, before SymPy can fold one out of a sum."""
    if not any(isinstance(node, Piecewise) for node in nodes(term)):
        return term
    arguments = [without_piecewise(a) for a in term.args]
    if isinstance(term, Piecewise):
        return Cases(*(part for pair in arguments for part in pair.args))
    return Tuple(*arguments) if isinstance(term, ExprCondPair) else term.func(*arguments)


def substitute(term: Basic, mapping: Mapping[Basic, Basic]) -> Expr:
    """Replace free indices simultaneously; a bound index that would capture one is renamed."""
    if isinstance(term, Symbol):
        return mapping.get(term, term)
    if free_in(term).isdisjoint(mapping):
        return term
    if not isinstance(term, Sum | Product | Greatest | OfMatrix):
        return rebuilt(term, [substitute(a, mapping) for a in _parts(term)])
    coming = frozenset[Basic]().union(*(value.free_symbols for value in mapping.values()))
    if isinstance(term, OfMatrix):
        return _inside_matrix(term, mapping, coming)
    inside, limits = dict(mapping), []
    for bound, low, high in reversed(term.limits):
        ends = (substitute(low, inside), substitute(high, inside))
        inside.pop(bound, None)
        renamed = bound
        if bound in coming:
            renamed = inside[bound] = fresh(bound.name)
        limits.append((renamed, *ends))
    return over(term, substitute(term.function, inside), *reversed(limits))


def _parts(term: Basic) -> tuple[Basic, ...]:
    """Return the arguments of a term in which an index may stand: all but the base of an entry."""
    return term.args[1:] if isinstance(term, Indexed) else term.args


def rebuilt(term: Basic, parts: list[Basic]) -> Expr:
    """Return a term with these in the place of its parts: the term itself where they are the same."""
    if all(map(is_, parts, _parts(term))):
        return term
    if isinstance(term, Indexed):
        return Entry(term.base, *parts)
    if isinstance(term, KroneckerDelta):
        return _delta(*parts)
    if isinstance(term, Add | Mul):
        flat = [inner for part in parts for inner in (part.args if type(part) is type(term) else (part,))]
        return as_it_stands(type(term), *flat)
    if isinstance(term, Max | Min):
        return term.func(*parts, evaluate=False)
    if isinstance(term, Pow):
        return as_it_stands(Pow, *parts)
    if isinstance(term, Function):
        made = Expr.__new__(term.func, *parts)
        made.nargs = term.nargs
        return made
    return term.func(*parts)


def as_it_stands(operator: type[Expr], *arguments: Basic) -> Expr:
    """Return an operator at arguments, as they are: SymPy would infer their signs first, and look them up."""
    if operator in (Add, Mul):
        arguments = tuple(a for a in arguments if a is not operator.identity)
        if len(arguments) < 2:
            return arguments[0] if arguments else operator.identity
    made = Expr.__new__(operator, *arguments)
    made.is_commutative = True
    return made


def over(term: Expr, body: Expr, *limits: tuple[Expr, Expr, Expr]) -> Expr:
    """Return a sum, product or maximum like `term` of another body."""
    return total(body, *limits) if isinstance(term, Sum) else type(term)(body, *limits)


def _inside_matrix(term: OfMatrix, mapping: Mapping[Basic, Basic], coming: frozenset[Basic]) -> Expr:
    """Replace free indices of an inverse or determinant."""
    *bound, size = term.places
    renamed = {k: fresh(k.name) if k in coming else k for k in bound}
    inside = {i: value for i, value in mapping.items() if i not in renamed}
    inside |= {k: other for k, other in renamed.items() if k != other}
    places = (*renamed.values(), size.xreplace(mapping))
    return term.func(substitute(term.body, inside), places, *(a.xreplace(mapping) for a in term.args[2:]))


@lru_cache(maxsize=4096)
def names_in(term: Expr) -> frozenset[str]:
    """Return the tensor names that occur in a term."""
    return frozenset(name for node in nodes(term) if (name := name_of(node)) is not None)


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
            return Mul(*(_delta(k, i) for k, i in zip(mine, its, strict=True)))
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

    # -- one rule for each operator that has structure

    def of_sum(self, term: Expr, variable: Expr) -> Expr:
        """`d sum_k f = sum_k d f`, k apart from the variable's indices."""
        term = _apart(term, variable)
        inner = self.by(term.function, variable)
        return ZERO if inner == 0 else total(inner, *term.limits)

    def of_product(self, term: Expr, variable: Expr) -> Expr:
        """`d prod_k f_k = sum_k (d f_k) prod_{j != k} f_j`."""
        term = _apart(term, variable)
        inner = self.by(term.function, variable)
        if inner == 0:
            return ZERO
        places = {limit[0]: fresh(limit[0].name) for limit in term.limits}
        here = sympy.And(*(sympy.Eq(j, k) for k, j in places.items()))
        others = Cases(ONE, here, substitute(term.function, places), sympy.true)
        limits = [[end.xreplace(places) for end in limit] for limit in term.limits]
        return Sum(inner * Product(others, *limits), *term.limits)

    def of_add(self, term: Expr, variable: Expr) -> Expr:
        """`d (a + b) = d a + d b`."""
        return Add(*(self.by(a, variable) for a in term.args))

    def of_mul(self, term: Expr, variable: Expr) -> Expr:
        """`d (a b) = (d a) b + a (d b)`."""
        terms = []
        for place, a in enumerate(term.args):
            inner = self.by(a, variable)
            if inner != 0:
                terms.append(Mul(*term.args[:place], inner, *term.args[place + 1 :]))
        return Add(*terms)

    def of_pow(self, term: Expr, variable: Expr) -> Expr:
        """`d a^b = b a^(b-1) d a + a^b log(a) d b`."""
        a, b = term.args
        da, db = self.by(a, variable), self.by(b, variable)
        result = ZERO
        if da != 0:
            result += b * a ** (b - 1) * da
        if db != 0:
            result += term * log(a) * db
        return result

    def of_cases(self, term: Expr, variable: Expr) -> Expr:
        """`d (a where c, else b) = d a where c, else d b`; almost everywhere if c is on values."""
        pieces = [(self.by(value, variable), condition) for value, condition in term.pairs]
        for relation in {r for _, condition in term.pairs for r in condition.atoms(Relational)}:
            self.passed(relation.lhs - relation.rhs, variable)
        return (
            ZERO
            if all(value == 0 for value, _ in pieces)
            else Cases(*(part for pair in pieces for part in pair))
        )

    def of_max(self, term: Expr, variable: Expr) -> Expr:
        """`d max(a, b) = d a where a > b, else d b`."""
        first, rest = term.args[0], Max(*term.args[1:])
        return self.larger(first, rest, first - rest, variable)

    def of_greatest(self, term: Expr, variable: Expr) -> Expr:
        """`d max_k f_k = sum_k 1[f_k = max] d f_k / sum_l 1[f_l = max]`: equal ones change alike."""
        term = _apart(term, variable)
        inner = self.by(term.function, variable)
        if inner == 0:
            return ZERO
        (limit,) = term.limits
        other = fresh(limit[0].name)
        rival = substitute(term.function, {limit[0]: other})
        self.passed(term.function - rival, variable)
        top = Greatest(rival, (other, *limit[1:]))
        chosen = indicator(sympy.Eq(term.function, top, evaluate=False))
        again = fresh(limit[0].name)
        return Sum(chosen * inner, limit) / Sum(substitute(chosen, {limit[0]: again}), (again, *limit[1:]))

    def of_min(self, term: Expr, variable: Expr) -> Expr:
        """`d min(a, b) = d a where a < b, else d b`."""
        first, rest = term.args[0], Min(*term.args[1:])
        return self.larger(first, rest, rest - first, variable)

    def larger(self, first: Expr, rest: Expr, gap: Expr, variable: Expr) -> Expr:
        """Return the derivative of `first` where gap > 0, of `rest` elsewhere."""
        inner, other = self.by(first, variable), self.by(rest, variable)
        if inner == other:
            return other
        self.passed(gap, variable)
        return other + (inner - other) * Heaviside(gap, 0)

    def of_inverse(self, term: Expr, variable: Expr) -> Expr:
        """`d (A^-1)_ij = - sum_pq (A^-1)_ip (d A)_pq (A^-1)_qj`."""
        term = _apart(term, variable)
        (i, j), size = term.at, term.places[2]
        p, q, inner = self.moved(term, variable)
        if inner == 0:
            return ZERO
        left, right = Inv(term.body, term.places, i, p), Inv(term.body, term.places, q, j)
        return -Sum(left * inner * right, (p, 1, size), (q, 1, size))

    def of_determinant(self, term: Expr, variable: Expr) -> Expr:
        """`d det A = det A sum_pq (A^-1)_qp (d A)_pq`."""
        term = _apart(term, variable)
        size = term.places[2]
        p, q, inner = self.moved(term, variable)
        if inner == 0:
            return ZERO
        return term * Sum(Inv(term.body, term.places, q, p) * inner, (p, 1, size), (q, 1, size))

    def moved(self, term: Expr, variable: Expr) -> tuple[Index, Index, Expr]:
        """Return two fresh indices, and the derivative of the entry of a matrix there."""
        p, q, _ = term.places
        row, column = fresh(p.name), fresh(q.name)
        return row, column, self.by(substitute(term.body, {p: row, q: column}), variable)

    def of_unknown(self, term: Expr, variable: Expr) -> Expr:
        """`d f(a, b) = f_1(a, b) d a + f_2(a, b) d b`."""
        name, orders, *arguments = term.args
        result = ZERO
        for place, argument in enumerate(arguments):
            inner = self.by(argument, variable)
            if inner != 0:
                raised = Tuple(*(m + (p == place) for p, m in enumerate(orders)))
                result += Unknown(name, raised, *arguments) * inner
        return result

    def of_derivative(self, term: Expr, variable: Expr) -> Expr:
        """A derivative of an opaque entry depends on what the entry depends on."""
        opaque = self.context.opaque.get(str(name_of(term.term)))
        if opaque is None:
            msg = f"{term.term} is no unknown function"
            raise NoRule(msg)
        return self.through(opaque, variable, term.term, *term.variables)


STRUCTURAL: Mapping[type[Basic], Callable[[Calculus, Expr, Expr], Expr]] = {
    Add: Calculus.of_add,
    Mul: Calculus.of_mul,
    Pow: Calculus.of_pow,
    Sum: Calculus.of_sum,
    Product: Calculus.of_product,
    Cases: Calculus.of_cases,
    Max: Calculus.of_max,
    Min: Calculus.of_min,
    Greatest: Calculus.of_greatest,
    Inv: Calculus.of_inverse,
    Det: Calculus.of_determinant,
    Unknown: Calculus.of_unknown,
    D: Calculus.of_derivative,
}
"""The derivative of each operator that has structure."""


def _indices(term: Expr) -> tuple[Expr, ...]:
    return tuple(term.indices) if isinstance(term, Indexed) else ()


def _delta(k: Expr, i: Expr) -> Expr:
    """Return Kronecker's delta; SymPy's own evaluation asks its assumptions, which is slow."""
    if k == i:
        return ONE
    if isinstance(k, Number) and isinstance(i, Number):
        return ZERO
    return KroneckerDelta(*sorted((k, i), key=_in_order), evaluate=False)


def _in_order(index: Expr) -> str:
    return index.name if isinstance(index, Symbol) else str(index)


def _apart(term: Expr, variable: Expr) -> Expr:
    """Return a sum, product, inverse or determinant whose bound indices do not occur in the variable."""
    clash = set(bound_by(term)) & variable.free_symbols
    if not clash:
        return term
    return term.xreplace({bound: fresh(bound.name) for bound in clash})

"""Brute force: the value of a term at concrete sizes, indices and entries, in 40 digits.

Shares no code with the kernel: sums are loops, derivatives central differences of the term as written.
"""

# One branch for each operator is the plainest form of an evaluator.
# ruff: noqa: C901, PLR0912

from __future__ import annotations

import itertools
import random
from dataclasses import dataclass, field, replace

import mpmath
import sympy
from mpmath import mpf
from sympy import Expr, Indexed, KroneckerDelta, Max, Min, Piecewise, Product, Sum, Symbol
from sympy.core.relational import Relational

from symderiv.kernel.terms import (
    Cases,
    Context,
    D,
    Det,
    Greatest,
    Index,
    Inv,
    Partial,
    Size,
    Unknown,
    name_of,
)

mpmath.mp.dps = 60
STEP = mpf(10) ** -13


class Undefined(Exception):
    """The term has no value there."""


def _clear(value: mpf) -> mpf:
    """Return a number whose sign rounding cannot have made."""
    if value != 0 and abs(value) < mpf("1e-12"):
        raise Undefined
    return value


@dataclass(frozen=True)
class Point:
    """Sizes, indices and entries; entries are made up as they are asked for, the same for the same seed."""

    sizes: dict[str, int]
    seed: int = 0
    context: Context = field(default_factory=Context)
    indices: dict[str, int] = field(default_factory=dict)
    fixed: dict[tuple[str, tuple[int, ...]], mpf] = field(default_factory=dict)

    def made_up(self, name: str, indices: tuple[int, ...], *, positive: bool) -> mpf:
        number = random.Random(f"{self.seed} {name} {indices}").uniform(0.3, 1.7)
        sign = random.Random(f"{self.seed} sign {name} {indices}").choice([-1, 1])
        return mpf(number) * (1 if positive else sign)


FUNCTIONS = {
    sympy.exp: mpmath.exp, sympy.log: mpmath.log, sympy.sin: mpmath.sin, sympy.cos: mpmath.cos,
    sympy.tan: mpmath.tan, sympy.cot: mpmath.cot, sympy.sinh: mpmath.sinh, sympy.cosh: mpmath.cosh,
    sympy.tanh: mpmath.tanh, sympy.coth: mpmath.coth, sympy.sech: mpmath.sech, sympy.csch: mpmath.csch,
    sympy.asin: mpmath.asin, sympy.acos: mpmath.acos, sympy.atan: mpmath.atan, sympy.asinh: mpmath.asinh,
    sympy.acosh: mpmath.acosh, sympy.atanh: mpmath.atanh, sympy.erf: mpmath.erf, sympy.erfc: mpmath.erfc,
    sympy.Abs: abs, sympy.sign: lambda a: mpmath.sign(_clear(a)),
    sympy.Heaviside: lambda a: mpf(_clear(a) > 0),
}  # fmt: skip


def real(number: mpmath.mpc) -> mpf:
    if isinstance(number, mpmath.mpc):
        if abs(number.imag) > mpf(10) ** -25:
            raise Undefined
        return number.real
    return number


def evaluate(term: Expr, point: Point) -> mpf:
    """Return the value of a term."""
    name = name_of(term)
    if name is not None:
        indices = tuple(int(evaluate(i, point)) for i in term.indices) if isinstance(term, Indexed) else ()
        return entry_value(term, name, indices, point)
    if isinstance(term, Index):
        return mpf(point.indices[term.name])
    if isinstance(term, Size):
        return mpf(point.sizes[term.name])
    if isinstance(term, sympy.Rational):
        return mpf(term.p) / term.q
    if isinstance(term, sympy.NumberSymbol):
        return mpmath.mpf(sympy.N(term, 45))
    if isinstance(term, sympy.Add):
        return sum((evaluate(a, point) for a in term.args), mpf(0))
    if isinstance(term, sympy.Mul):
        result = mpf(1)
        for a in term.args:
            result *= evaluate(a, point)
        return result
    if isinstance(term, sympy.Pow):
        base, exponent = evaluate(term.base, point), evaluate(term.exp, point)
        if base == 0 and exponent < 0:
            raise Undefined
        return real(mpmath.power(base, exponent))
    if isinstance(term, Sum | Product):
        return loop(term, list(reversed(term.limits)), point)
    if isinstance(term, Inv | Det):
        return of_matrix(term, point)
    if isinstance(term, Greatest):
        (bound, low, high), *_ = term.limits
        span = range(int(evaluate(low, point)), int(evaluate(high, point)) + 1)
        return max(
            evaluate(term.function, replace(point, indices={**point.indices, bound.name: k})) for k in span
        )
    if isinstance(term, KroneckerDelta):
        return mpf(evaluate(term.args[0], point) == evaluate(term.args[1], point))
    if isinstance(term, Piecewise | Cases):
        for value, condition in term.pairs if isinstance(term, Cases) else term.args:
            if holds(condition, point):
                return evaluate(value, point)
        raise Undefined
    if isinstance(term, Max):
        return max(evaluate(a, point) for a in term.args)
    if isinstance(term, Min):
        return min(evaluate(a, point) for a in term.args)
    if isinstance(term, Unknown):
        name, orders, *arguments = term.args
        return made_up_function(str(name), [int(m) for m in orders], [evaluate(a, point) for a in arguments])
    if isinstance(term, Partial):
        return derivative(term.term, list(term.variables), held(term, point))
    if isinstance(term, D):
        return derivative(term.term, list(term.variables), point)
    function = FUNCTIONS[type(term)]
    argument = evaluate(term.args[0], point)
    if isinstance(term, sympy.log) and argument <= 0:
        raise Undefined
    return real(function(argument))


def loop(term: Expr, limits: list[tuple[Expr, ...]], point: Point) -> mpf:
    if not limits:
        return evaluate(term.function, point)
    (bound, low, high), *rest = limits
    result = mpf(0) if isinstance(term, Sum) else mpf(1)
    for k in range(int(evaluate(low, point)), int(evaluate(high, point)) + 1):
        inner = loop(term, rest, replace(point, indices={**point.indices, bound.name: k}))
        result = result + inner if isinstance(term, Sum) else result * inner
    return result


def of_matrix(term: Expr, point: Point) -> mpf:
    p, q, size = term.places
    places = range(1, int(evaluate(size, point)) + 1)

    def at(row: int, column: int) -> mpf:
        return evaluate(term.body, replace(point, indices={**point.indices, p.name: row, q.name: column}))

    matrix = mpmath.matrix([[at(row, column) for column in places] for row in places])
    if isinstance(term, Det):
        return mpmath.det(matrix)
    i, j = (int(evaluate(index, point)) for index in term.at)
    if not {i, j} <= set(places):
        raise Undefined
    try:
        return mpmath.inverse(matrix)[i - 1, j - 1]
    except ZeroDivisionError:
        raise Undefined from None


def holds(condition: Expr, point: Point) -> bool:
    if condition in (sympy.true, sympy.false):
        return bool(condition)
    if isinstance(condition, sympy.And):
        return all(holds(a, point) for a in condition.args)
    if isinstance(condition, sympy.Or):
        return any(holds(a, point) for a in condition.args)
    if isinstance(condition, sympy.ITE):
        return holds(condition.args[1 if holds(condition.args[0], point) else 2], point)
    if isinstance(condition, sympy.Not):
        return not holds(condition.args[0], point)
    assert isinstance(condition, Relational)
    left, right = (evaluate(a, point) for a in condition.args)
    return {
        "==": left == right, "!=": left != right, "<": left < right, ">": left > right,
        "<=": left <= right, ">=": left >= right,
    }[condition.rel_op]  # fmt: skip


def entry_value(term: Expr, name: str, indices: tuple[int, ...], point: Point) -> mpf:
    if (name, indices) in point.fixed:
        return point.fixed[name, indices]
    context = point.context
    if name in context.definitions:
        definition = context.definitions[name]
        slots = {slot.name: i for slot, i in zip(definition.slots, indices, strict=True)}
        return evaluate(definition.body, replace(point, indices=slots))
    if name in context.opaque:
        total = mpf(0)
        for argument in context.opaque[name].arguments:
            sizes = [int(evaluate(size, point)) for size in context.shapes[argument]]
            for at in itertools.product(*(range(1, n + 1) for n in sizes)):
                weight = point.made_up(f"{name}{indices} {argument}", at, positive=False)
                total += weight * entry_value(Symbol(argument, real=True), argument, at, point)
        return mpmath.sin(total) + total**2 / 3
    symbol = term.base.label if isinstance(term, Indexed) else term
    return point.made_up(name, indices, positive=bool(symbol.is_positive))


def held(term: Expr, point: Point) -> Point:
    """Return the point with all arguments of an opaque name fixed at their values."""
    fixed = dict(point.fixed)
    for argument in point.context.opaque[str(name_of(term.term))].arguments:
        sizes = [int(evaluate(size, point)) for size in point.context.shapes[argument]]
        for at in itertools.product(*(range(1, n + 1) for n in sizes)):
            fixed[argument, at] = entry_value(Symbol(argument, real=True), argument, at, point)
    return replace(point, fixed=fixed)


def made_up_function(name: str, orders: list[int], arguments: list[mpf]) -> mpf:
    """sin(Σ w a) and its derivatives."""
    weights = [mpf(random.Random(f"{name} {p}").uniform(0.5, 1.5)) for p in range(len(arguments))]
    angle = sum((w * a for w, a in zip(weights, arguments, strict=True)), mpf(0))
    result = mpmath.sin(angle + mpmath.pi / 2 * sum(orders))
    for w, m in zip(weights, orders, strict=True):
        result *= w**m
    return result


def derivative(term: Expr, variables: list[Expr], point: Point) -> mpf:
    """Central difference: the entry is moved, whatever its name is defined as."""
    if not variables:
        return evaluate(term, point)
    *before, variable = variables
    name = str(name_of(variable))
    at = tuple(int(evaluate(i, point)) for i in variable.indices) if isinstance(variable, Indexed) else ()
    here = entry_value(variable, name, at, point)

    def moved(step: mpf) -> mpf:
        return derivative(term, before, replace(point, fixed={**point.fixed, (name, at): here + step}))

    h = STEP if len(variables) == 1 else mpf(10) ** -7
    return (moved(h) - moved(-h)) / (2 * h)


def assignments(free: dict[Index, Expr], sizes: dict[str, int], seed: int, context: Context) -> list[Point]:
    """Return a point for every value of the free indices."""
    point = Point(sizes, seed, context)
    ranges = [range(1, int(evaluate(size, point)) + 1) for size in free.values()]
    names = [i.name for i in free]
    return [replace(point, indices=dict(zip(names, at, strict=True))) for at in itertools.product(*ranges)]

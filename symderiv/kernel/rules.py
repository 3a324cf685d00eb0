"""The rules of differentiation, one for each operator, in two tables; what has no rule has no entry.

A rule asks the calculus for the derivatives of the parts. Where a function has a kink its rule is the one
that holds almost everywhere, and the calculus is told which kink was passed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

import sympy
from sympy import (
    Abs,
    Add,
    Basic,
    Expr,
    Heaviside,
    Max,
    Min,
    Mul,
    Pow,
    Product,
    Sum,
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

from symderiv.kernel.substitution import ONE, ZERO, substitute
from symderiv.kernel.terms import (
    Cases,
    D,
    Det,
    Greatest,
    Index,
    Inv,
    NoRule,
    Unknown,
    bound_by,
    fresh,
    indicator,
    name_of,
    total,
)

if TYPE_CHECKING:
    from symderiv.kernel.calculus import Calculus

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


def of_sum(calculus: Calculus, term: Expr, variable: Expr) -> Expr:
    """`d sum_k f = sum_k d f`, k apart from the variable's indices."""
    term = _apart(term, variable)
    inner = calculus.by(term.function, variable)
    return ZERO if inner == 0 else total(inner, *term.limits)


def of_product(calculus: Calculus, term: Expr, variable: Expr) -> Expr:
    """`d prod_k f_k = sum_k (d f_k) prod_{j != k} f_j`."""
    term = _apart(term, variable)
    inner = calculus.by(term.function, variable)
    if inner == 0:
        return ZERO
    places = {limit[0]: fresh(limit[0].name) for limit in term.limits}
    here = sympy.And(*(sympy.Eq(j, k) for k, j in places.items()))
    others = Cases(ONE, here, substitute(term.function, places), sympy.true)
    limits = [[end.xreplace(places) for end in limit] for limit in term.limits]
    return Sum(inner * Product(others, *limits), *term.limits)


def of_add(calculus: Calculus, term: Expr, variable: Expr) -> Expr:
    """`d (a + b) = d a + d b`."""
    return Add(*(calculus.by(a, variable) for a in term.args))


def of_mul(calculus: Calculus, term: Expr, variable: Expr) -> Expr:
    """`d (a b) = (d a) b + a (d b)`."""
    terms = []
    for place, a in enumerate(term.args):
        inner = calculus.by(a, variable)
        if inner != 0:
            terms.append(Mul(*term.args[:place], inner, *term.args[place + 1 :]))
    return Add(*terms)


def of_pow(calculus: Calculus, term: Expr, variable: Expr) -> Expr:
    """`d a^b = b a^(b-1) d a + a^b log(a) d b`."""
    a, b = term.args
    da, db = calculus.by(a, variable), calculus.by(b, variable)
    result = ZERO
    if da != 0:
        result += b * a ** (b - 1) * da
    if db != 0:
        result += term * log(a) * db
    return result


def of_cases(calculus: Calculus, term: Expr, variable: Expr) -> Expr:
    """`d (a where c, else b) = d a where c, else d b`; almost everywhere if c is on values."""
    pieces = [(calculus.by(value, variable), condition) for value, condition in term.pairs]
    for relation in {r for _, condition in term.pairs for r in condition.atoms(Relational)}:
        calculus.passed(relation.lhs - relation.rhs, variable)
    return (
        ZERO if all(value == 0 for value, _ in pieces) else Cases(*(part for pair in pieces for part in pair))
    )


def of_max(calculus: Calculus, term: Expr, variable: Expr) -> Expr:
    """`d max(a, b) = d a where a > b, else d b`."""
    first, rest = term.args[0], Max(*term.args[1:])
    return _larger(calculus, first, rest, first - rest, variable)


def of_greatest(calculus: Calculus, term: Expr, variable: Expr) -> Expr:
    """`d max_k f_k = sum_k 1[f_k = max] d f_k / sum_l 1[f_l = max]`: equal ones change alike."""
    term = _apart(term, variable)
    inner = calculus.by(term.function, variable)
    if inner == 0:
        return ZERO
    (limit,) = term.limits
    other = fresh(limit[0].name)
    rival = substitute(term.function, {limit[0]: other})
    calculus.passed(term.function - rival, variable)
    top = Greatest(rival, (other, *limit[1:]))
    chosen = indicator(sympy.Eq(term.function, top, evaluate=False))
    again = fresh(limit[0].name)
    return Sum(chosen * inner, limit) / Sum(substitute(chosen, {limit[0]: again}), (again, *limit[1:]))


def of_min(calculus: Calculus, term: Expr, variable: Expr) -> Expr:
    """`d min(a, b) = d a where a < b, else d b`."""
    first, rest = term.args[0], Min(*term.args[1:])
    return _larger(calculus, first, rest, rest - first, variable)


def _larger(calculus: Calculus, first: Expr, rest: Expr, gap: Expr, variable: Expr) -> Expr:
    """Return the derivative of `first` where gap > 0, of `rest` elsewhere."""
    inner, other = calculus.by(first, variable), calculus.by(rest, variable)
    if inner == other:
        return other
    calculus.passed(gap, variable)
    return other + (inner - other) * Heaviside(gap, 0)


def of_inverse(calculus: Calculus, term: Expr, variable: Expr) -> Expr:
    """`d (A^-1)_ij = - sum_pq (A^-1)_ip (d A)_pq (A^-1)_qj`."""
    term = _apart(term, variable)
    (i, j), size = term.at, term.places[2]
    p, q, inner = _moved(calculus, term, variable)
    if inner == 0:
        return ZERO
    left, right = Inv(term.body, term.places, i, p), Inv(term.body, term.places, q, j)
    return -Sum(left * inner * right, (p, 1, size), (q, 1, size))


def of_determinant(calculus: Calculus, term: Expr, variable: Expr) -> Expr:
    """`d det A = det A sum_pq (A^-1)_qp (d A)_pq`."""
    term = _apart(term, variable)
    size = term.places[2]
    p, q, inner = _moved(calculus, term, variable)
    if inner == 0:
        return ZERO
    return term * Sum(Inv(term.body, term.places, q, p) * inner, (p, 1, size), (q, 1, size))


def _moved(calculus: Calculus, term: Expr, variable: Expr) -> tuple[Index, Index, Expr]:
    """Return two fresh indices, and the derivative of the entry of a matrix there."""
    p, q, _ = term.places
    row, column = fresh(p.name), fresh(q.name)
    return row, column, calculus.by(substitute(term.body, {p: row, q: column}), variable)


def of_unknown(calculus: Calculus, term: Expr, variable: Expr) -> Expr:
    """`d f(a, b) = f_1(a, b) d a + f_2(a, b) d b`."""
    name, orders, *arguments = term.args
    result = ZERO
    for place, argument in enumerate(arguments):
        inner = calculus.by(argument, variable)
        if inner != 0:
            raised = Tuple(*(m + (p == place) for p, m in enumerate(orders)))
            result += Unknown(name, raised, *arguments) * inner
    return result


def of_derivative(calculus: Calculus, term: Expr, variable: Expr) -> Expr:
    """A derivative of an opaque entry depends on what the entry depends on."""
    opaque = calculus.context.opaque.get(str(name_of(term.term)))
    if opaque is None:
        msg = f"{term.term} is no unknown function"
        raise NoRule(msg)
    return calculus.through(opaque, variable, term.term, *term.variables)


STRUCTURAL: Mapping[type[Basic], Callable[[Calculus, Expr, Expr], Expr]] = {
    Add: of_add,
    Mul: of_mul,
    Pow: of_pow,
    Sum: of_sum,
    Product: of_product,
    Cases: of_cases,
    Max: of_max,
    Min: of_min,
    Greatest: of_greatest,
    Inv: of_inverse,
    Det: of_determinant,
    Unknown: of_unknown,
    D: of_derivative,
}
"""The derivative of each operator that has structure."""


def _apart(term: Expr, variable: Expr) -> Expr:
    """Return a sum, product, inverse or determinant whose bound indices do not occur in the variable."""
    clash = set(bound_by(term)) & variable.free_symbols
    if not clash:
        return term
    return term.xreplace({bound: fresh(bound.name) for bound in clash})

"""Arithmetic: two number systems in which a term is evaluated, float64 and mpmath at many digits.

Contract. Every operation takes and returns NumPy arrays, entry by entry. Where the real value is undefined
(log of a negative number, 0/0, overflow of exp) the entry is NaN; NaN is never turned into a number.
Vocabulary. A *row* of `ELEMENTARY` gives an elementary function in both systems. A *stencil* takes the
derivative of a function from its values at a few *offsets*: an imaginary one (complex step: exact to
rounding, where no derivative is nested within) or real ones (central differences). In float64 the functions
accept complex arrays whose imaginary part is infinitesimal, and follow the real branch: comparisons and
`Abs`, `Max`, `sign` look at the real part.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import mpmath
import numpy as np
import numpy.typing as npt
import sympy
from mpmath.ctx_mp import MPContext

Array = npt.NDArray[Any]
Elementwise = Callable[..., Array]

HUGE = 200
"""In many digits exp(x) is undefined beyond this x: GUARD digits are then more than any cancellation eats."""

_HUGE_FACTORIAL, _HUGE_ERF = 60, 15
"""Beyond these Γ(x) and 1/erfc(x) outgrow exp(HUGE)."""

GUARD = 250
"""Digits beyond the reach of cancellation among numbers below exp(HUGE)."""


@dataclass(frozen=True, slots=True)
class Stencil:
    """Offsets from a point, and how the values there (on the last axis) give the derivative."""

    offsets: Array
    combine: Callable[[Array], Array]


@dataclass(frozen=True, slots=True, eq=False)
class Arithmetic:
    """A number system."""

    cast: Callable[[Array], Array]
    """From an array of floats or integers, exactly."""
    constant: Callable[[Any], Any]
    """From a SymPy number."""
    functions: Mapping[type, Elementwise]
    power: Callable[[Array, Array], Array]
    """A real exponent: the base must be positive, or zero under a positive exponent."""
    integer_power: Callable[[Array, Array], Array]
    inverse: Callable[[Array], Array]
    """Of matrices on the last two axes; NaN where there is none, or none that the digits tell."""
    determinant: Callable[[Array], Array]
    """Of matrices on the last two axes."""
    real: Callable[[Array], Array]
    near: Callable[[Array, Array], Array]
    """Whether real numbers differ by so little that rounding may have made the difference."""
    stencils: Callable[[int], Sequence[Stencil]]
    """For a function with so many derivatives within: the stencil, then what to use where it gives NaN."""


# Float64


def _where(defined: Any, value: Array) -> Array:
    return np.where(defined, value, np.nan)


def _finite(value: Array) -> Array:
    return np.where(np.isinf(value), np.nan, value)


def _exp(z: Array) -> Array:
    value = np.exp(z)
    return np.where(np.isinf(value) & np.isfinite(z), np.nan, value)


def _log(z: Array) -> Array:
    return np.log(_where(z.real > 0, z))


def _between(function: Elementwise) -> Elementwise:
    return lambda z: function(_where(abs(z.real) < 1, z))


def _abs(z: Array) -> Array:
    return np.asarray(np.where(z.real < 0, -z, z))


_NEAR = 1e-11
"""Solved hypotheses are good to a tenth of this."""


def _float_near(a: Array, b: Array) -> Array:
    gap = abs(a - b)
    return np.asarray((gap != 0) & (gap <= _NEAR * (1 + abs(a))))


def _apart(function: Elementwise, edge: Elementwise) -> Elementwise:
    """Leave a function undefined where its argument is by rounding on one side of a jump or the other."""
    return lambda z, *rest: np.where(_float_near(z.real, edge(z.real)), np.nan, function(z, *rest))


def _sign(z: Array) -> Array:
    return np.asarray(np.sign(z.real))


def _heaviside(z: Array, zero: Array) -> Array:
    return np.where(z.real > 0, 1.0, np.where(z.real < 0, 0.0, np.where(z.real == 0, zero.real, np.nan)))


def _larger(a: Array, b: Array) -> Array:
    return np.where(np.isnan(a) | (a.real >= b.real), a, b)


def _smaller(a: Array, b: Array) -> Array:
    return np.where(np.isnan(a) | (a.real <= b.real), a, b)


def _folded(choose: Elementwise) -> Elementwise:
    def fold(*values: Array) -> Array:
        result = values[0]
        for value in values[1:]:
            result = choose(result, value)
        return result

    return fold


def _lifted(function: Callable[..., float]) -> Elementwise:
    """Make a real scalar function elementwise; a complex step, in its last argument, by a real stencil."""

    def safe(*values: float) -> float:
        try:
            return float(function(*values))
        except (ValueError, OverflowError, ZeroDivisionError):
            return math.nan

    def lifted(*values: Array) -> Array:
        every = np.frompyfunc(safe, len(values), 1)
        parts = [value.real for value in values]
        result = np.asarray(every(*parts), dtype=float)
        if not np.iscomplexobj(values[-1]):
            return result
        slope = sum(
            weight * np.asarray(every(*parts[:-1], parts[-1] + offset), dtype=float)
            for offset, weight in zip(_OFFSETS * 1e-3, _WEIGHTS / 1e-3, strict=True)
        )
        return np.asarray(result + 1j * values[-1].imag * slope)

    return lifted


def _reciprocal(function: Elementwise) -> Elementwise:
    return lambda z: 1 / function(z)


_Maker = Callable[[Any], Callable[..., Any]]
"""From an mpmath context, a function of its numbers."""


def _mp_log(mp: Any) -> Callable[[Any], Any]:
    return lambda x: mp.ln(x) if x > 0 else mp.nan


def _mp_exp(mp: Any) -> Callable[[Any], Any]:
    return lambda x: mp.exp(x) if abs(x) < HUGE or x == -mp.inf else mp.nan


def _mp_small(name: str, bound: float = HUGE) -> _Maker:
    """Return the function where its argument is not huge."""

    def maker(mp: Any) -> Callable[[Any], Any]:
        function = getattr(mp, name)
        return lambda x: function(x) if abs(x) < bound else mp.nan

    return maker


def _mp_between(name: str) -> _Maker:
    def maker(mp: Any) -> Callable[[Any], Any]:
        function = getattr(mp, name)
        return lambda x: function(x) if abs(x) < 1 else mp.nan

    return maker


def _mp_heaviside(mp: Any) -> Callable[..., Any]:
    return lambda x, zero: mp.one if x > 0 else mp.zero if x < 0 else zero if x == 0 else mp.nan


def _mp_near(mp: Any) -> Callable[[Any, Any], bool]:
    slack = mp.mpf(10) ** (_LOST - mp.dps)
    return lambda a, b: a != b and abs(a - b) <= slack * (1 + abs(a))


_LOST = 10
"""So many of the last digits may be lost to rounding."""


def _mp_apart(maker: _Maker, *, whole: bool = False) -> _Maker:
    """Leave a function undefined where its argument is by rounding on one side of a jump or the other."""

    def made(mp: Any) -> Callable[..., Any]:
        function, near = maker(mp), _mp_near(mp)
        return lambda x, *rest: mp.nan if near(x, mp.nint(x) if whole else 0) else function(x, *rest)

    return made


def _mp_order(sign: int) -> _Maker:
    def maker(mp: Any) -> Callable[..., Any]:  # noqa: ARG001
        return lambda a, b: a if a != a or sign * (a - b) >= 0 else b  # noqa: PLR0124

    return maker


def _mp_loggamma(mp: Any) -> Callable[[Any], Any]:
    return lambda x: mp.loggamma(x) if 0 < x < HUGE else mp.nan


def _mp_polygamma(mp: Any) -> Callable[..., Any]:
    return lambda order, x: mp.psi(int(order), x) if abs(x) < HUGE else mp.nan


def _mp_factorial(mp: Any) -> Callable[[Any], Any]:
    return lambda x: mp.gamma(x + 1) if abs(x) < _HUGE_FACTORIAL else mp.nan


ELEMENTARY: dict[type, tuple[Elementwise, _Maker]] = {
    sympy.exp: (_exp, _mp_exp),
    sympy.log: (_log, _mp_log),
    sympy.sin: (np.sin, _mp_small("sin")),
    sympy.cos: (np.cos, _mp_small("cos")),
    sympy.tan: (np.tan, _mp_small("tan")),
    sympy.cot: (_reciprocal(np.tan), _mp_small("cot")),
    sympy.sec: (_reciprocal(np.cos), _mp_small("sec")),
    sympy.csc: (_reciprocal(np.sin), _mp_small("csc")),
    sympy.asin: (_between(np.arcsin), _mp_between("asin")),
    sympy.acos: (_between(np.arccos), _mp_between("acos")),
    sympy.atan: (np.arctan, _mp_small("atan")),
    sympy.sinh: (np.sinh, _mp_small("sinh")),
    sympy.cosh: (np.cosh, _mp_small("cosh")),
    sympy.tanh: (np.tanh, _mp_small("tanh")),
    sympy.coth: (_reciprocal(np.tanh), _mp_small("coth")),
    sympy.sech: (_reciprocal(np.cosh), _mp_small("sech")),
    sympy.csch: (_reciprocal(np.sinh), _mp_small("csch")),
    sympy.asinh: (np.arcsinh, _mp_small("asinh")),
    sympy.acosh: (
        lambda z: np.arccosh(_where(z.real > 1, z)),
        lambda mp: lambda x: mp.acosh(x) if x > 1 else mp.nan,
    ),
    sympy.atanh: (_between(np.arctanh), _mp_between("atanh")),
    sympy.Abs: (_abs, lambda mp: mp.fabs),
    sympy.sign: (_apart(_sign, np.zeros_like), _mp_apart(lambda mp: mp.sign)),
    sympy.Heaviside: (_apart(_heaviside, np.zeros_like), _mp_apart(_mp_heaviside)),
    sympy.Max: (_folded(_larger), _mp_order(1)),
    sympy.Min: (_folded(_smaller), _mp_order(-1)),
    sympy.erf: (_lifted(math.erf), _mp_small("erf", _HUGE_ERF)),
    sympy.erfc: (_lifted(math.erfc), _mp_small("erfc", _HUGE_ERF)),
    sympy.gamma: (_lifted(math.gamma), _mp_small("gamma", _HUGE_FACTORIAL)),
    sympy.loggamma: (_lifted(math.lgamma), _mp_loggamma),
    sympy.digamma: (_lifted(lambda x: mpmath.fp.psi(0, x)), lambda mp: lambda x: mp.psi(0, x)),
    sympy.polygamma: (_lifted(lambda order, x: mpmath.fp.psi(int(order), x)), _mp_polygamma),
    sympy.factorial: (_lifted(lambda x: math.gamma(x + 1)), _mp_factorial),
    sympy.floor: (_apart(lambda z: np.floor(z.real), np.rint), _mp_apart(lambda mp: mp.floor, whole=True)),
    sympy.ceiling: (_apart(lambda z: np.ceil(z.real), np.rint), _mp_apart(lambda mp: mp.ceil, whole=True)),
    sympy.Mod: (lambda a, b: np.mod(a.real, b.real), lambda mp: lambda a, b: a - b * mp.floor(a / b)),
}
"""Elementary functions: in float64 (complex steps included), and from an mpmath context."""

_FOLDED = (sympy.Max, sympy.Min)


def _float_constant(number: Any) -> float:
    try:
        return float(number)
    except (OverflowError, TypeError):
        return math.nan


def _float_power(base: Array, exponent: Array) -> Array:
    value = np.power(_where(base.real > 0, base), exponent)
    at_zero = np.where((base.real == 0) & (exponent.real > 0), 0.0, np.nan)
    return _finite(np.where(base.real == 0, at_zero, value))


def _float_integer_power(base: Array, exponent: Array) -> Array:
    defined = (base != 0) | (exponent >= 0)
    return _finite(
        np.power(_where(defined, base), exponent.astype(float) if base.dtype.kind == "c" else exponent)
    )


_CONDITION = 1e7
"""A matrix of a larger condition number has no inverse that float64 tells."""


def _float_inverse(matrices: Array) -> Array:
    identity = np.eye(matrices.shape[-1])
    finite = _each(np.isfinite(matrices))
    safe = np.where(finite, matrices, identity)
    regular = finite & (np.asarray(np.linalg.cond(safe.real))[..., None, None] < _CONDITION)
    return _where(regular, np.linalg.inv(np.where(regular, safe, identity)))


def _float_determinant(matrices: Array) -> Array:
    finite = _each(np.isfinite(matrices))
    return _where(finite[..., 0, 0], np.linalg.det(np.where(finite, matrices, 0)))


def _each(entries: Array) -> Array:
    """Tell for each matrix whether all entries are true."""
    return np.asarray(entries.all(axis=(-2, -1), keepdims=True))


_OFFSETS = np.array([-2.0, -1.0, 1.0, 2.0])
_WEIGHTS = np.array([1.0, -8.0, 8.0, -1.0]) / 12
_TINY = 1e-30


def _central(step: float) -> Stencil:
    return Stencil(_OFFSETS * step, lambda values: values @ (_WEIGHTS / step))


_COMPLEX = Stencil(
    np.array([1j * _TINY]),
    lambda values: _where(~np.isnan(values[..., 0].real), values[..., 0].imag / _TINY),
)
_NESTED_STEPS = (1e-3, 1e-3, 5e-3, 2e-2, 5e-2)


def _float_stencils(depth: int) -> Sequence[Stencil]:
    real = _central(_NESTED_STEPS[min(depth, len(_NESTED_STEPS) - 1)])
    return (real,) if depth else (_COMPLEX, real)


FLOAT = Arithmetic(
    cast=lambda values: np.asarray(values, dtype=float),
    constant=_float_constant,
    functions={kind: row[0] for kind, row in ELEMENTARY.items()},
    power=_float_power,
    integer_power=_float_integer_power,
    inverse=_float_inverse,
    determinant=_float_determinant,
    real=lambda values: values.real,
    near=_float_near,
    stencils=_float_stencils,
)


# Many digits


def accuracies(digits: int, depth: int) -> tuple[int, ...]:
    """Return the digits needed of terms with 0, 1, …, `depth` derivatives within, for `digits` at the top."""
    needed = [digits + 4]
    for _ in range(depth):
        needed.append(needed[-1] + needed[-1] // 2 + 4)
    return tuple(reversed(needed))


def _elementwise(function: Callable[..., Any], arguments: int, undefined: Any) -> Elementwise:
    def safe(*values: Any) -> Any:
        try:
            return function(*values)
        except (ValueError, OverflowError, ZeroDivisionError, ArithmeticError, mpmath.libmp.NoConvergence):
            return undefined

    every = np.frompyfunc(safe, arguments, 1)

    def apply(*values: Array) -> Array:
        with np.errstate(all="ignore"):
            return np.asarray(every(*values), dtype=object)

    return apply


def _variadic(function: Callable[..., Any], undefined: Any) -> Elementwise:
    return lambda *values: _elementwise(function, len(values), undefined)(*values)


def _mp_constant(mp: Any) -> Callable[[Any], Any]:
    def constant(number: Any) -> Any:
        if isinstance(number, sympy.Rational):
            return mp.mpf(int(number.p)) / int(number.q)
        if isinstance(number, sympy.Float):
            return mp.make_mpf(number._mpf_)  # the exact value; SymPy has no other way
        if isinstance(number, sympy.NumberSymbol):
            return mp.make_mpf(number.evalf(mp.dps + 5)._mpf_)
        return mp.mpf(_float_constant(number))

    return constant


def _mp_power(mp: Any) -> Callable[[Any, Any], Any]:
    def power(base: Any, exponent: Any) -> Any:
        if base == 0 and exponent > 0:
            return mp.zero
        if not (base > 0) or not abs(exponent * mp.ln(base)) < HUGE:
            return mp.nan
        return base**exponent

    return power


def _mp_integer_power(mp: Any) -> Callable[[Any, Any], Any]:
    least = mp.exp(-HUGE)

    def power(base: Any, exponent: Any) -> Any:
        exponent = int(exponent)
        if exponent < 0 and abs(base) < least:
            return mp.nan
        if abs(exponent) > 1 and base != 0 and not exponent * mp.ln(abs(base)) < HUGE:
            return mp.nan
        return base**exponent

    return power


def _mp_inverse(mp: Any) -> Callable[[Array], Array]:
    def invert(matrix: Array) -> Array:
        try:
            inverse = mp.inverse(mp.matrix(matrix.tolist()))
        except ZeroDivisionError:
            return np.full(matrix.shape, mp.nan, dtype=object)
        return np.array(inverse.tolist(), dtype=object).reshape(matrix.shape)

    return _each_matrix(mp, invert, 2)


def _mp_determinant(mp: Any) -> Callable[[Array], Array]:
    return _each_matrix(mp, lambda matrix: mp.det(mp.matrix(matrix.tolist())), 0)


def _each_matrix(mp: Any, function: Callable[[Array], Any], rank: int) -> Callable[[Array], Array]:
    """Apply a function of one matrix, with a value of this rank, to each of many."""

    def apply(matrices: Array) -> Array:
        size = matrices.shape[-1]
        every = matrices.reshape((-1, size, size))
        values = np.full((len(every), *[size] * rank), mp.nan, dtype=object)
        for at, matrix in enumerate(every):
            if (matrix == matrix).all():  # noqa: PLR0124  NaN is what differs from itself
                values[at] = function(matrix)
        return values.reshape((*matrices.shape[:-2], *[size] * rank))

    return apply


def _kink_aware(mp: Any, accuracy: int) -> Stencil:
    """Return the central difference; NaN where the slopes on both sides differ: no derivative there."""
    step = mp.mpf(10) ** -(accuracy // 2 + 1)
    tolerance = mp.mpf(10) ** -(accuracy // 4)

    def combine(values: Array) -> Array:
        below, here, above = values[..., 0], values[..., 1], values[..., 2]
        slope = (above - below) / (2 * step)
        bend = abs((above - here) - (here - below)) / step
        smooth = np.asarray(bend <= tolerance * (1 + abs(slope)), dtype=bool)
        return np.asarray(np.where(smooth, slope, mp.nan))

    return Stencil(np.array([-step, mp.zero, step], dtype=object), combine)


@lru_cache(maxsize=32)
def many_digits(digits: int, depth: int) -> Arithmetic:
    """Return arithmetic good for `digits` digits of terms with `depth` nested derivatives."""
    needed = accuracies(digits, depth)
    mp = MPContext()
    mp.dps = needed[0]
    functions: dict[type, Elementwise] = {}
    for kind, (_, maker) in ELEMENTARY.items():
        function = maker(mp)
        if kind in _FOLDED:
            functions[kind] = _folded(_elementwise(function, 2, mp.nan))
        else:
            functions[kind] = _variadic(function, mp.nan)
    near = _mp_near(mp)
    stencils = [(_kink_aware(mp, needed[level + 1]),) for level in range(depth)]
    return Arithmetic(
        cast=_elementwise(lambda value: mp.mpf(float(value)), 1, mp.nan),
        constant=_mp_constant(mp),
        functions=functions,
        power=_elementwise(_mp_power(mp), 2, mp.nan),
        integer_power=_elementwise(_mp_integer_power(mp), 2, mp.nan),
        inverse=_mp_inverse(mp),
        determinant=_mp_determinant(mp),
        real=lambda values: values,
        near=lambda a, b: _elementwise(near, 2, undefined=True)(a, b).astype(bool),
        stencils=lambda level: stencils[level],
    )

"""Powers, exponentials, logarithms and other functions of polynomials.

Vocabulary. *Content* is the monomial common to all terms of a polynomial; it is taken out of a power, of any
sign where the exponent is whole, else only where it is positive. A *base* is what remains.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from fractions import Fraction
from functools import cmp_to_key
from math import floor, gcd, lcm
from typing import TYPE_CHECKING

import sympy

from symderiv.kernel.polynomial import (
    NOTHING,
    ONE,
    UNIT,
    Atom,
    Kind,
    Monomial,
    Polynomial,
    Rational,
    atom,
    minus,
    number,
    plus,
    scaled,
)
from symderiv.kernel.signs import as_index
from symderiv.kernel.terms import NoRule, TooLarge, Undefined

if TYPE_CHECKING:
    from symderiv.kernel.normal import Algebra


_FACTORED = 10**15
"""Integers over this are not factored."""


def exp(algebra: Algebra, p: Polynomial) -> Polynomial:
    """Return the exponential: `e^(c log a + b) = a^c e^b`, `e^(sum_k log f_k) = prod_k f_k`."""
    return algebra.lifted(p, lambda q: _exp(algebra, q))


def _exp(algebra: Algebra, p: Polynomial) -> Polynomial:
    rest: dict[Monomial, Rational] = {}
    powers: list[Polynomial] = []
    for m, c in p.terms.items():
        if not m.exponent and len(m.factors) == 1:
            ((a, e),) = m.factors.items()
            if a.kind is Kind.FUNCTION and a.name == "log" and e == 1:
                powers.append(algebra.power(a.inner[0], c))
                continue
            if a.kind is Kind.SUM and e == 1 and len(a.sizes) == 1 and _is_log(a.inner[0]):
                bound, body = algebra.opened(a)
                ((v, size),) = bound.items()
                powers.append(algebra.product(v, size, algebra.exp(scaled(body, c))))
                continue
        rest[m] = c
    return algebra.times(Polynomial({Monomial(Polynomial(rest), {}): 1}), *powers)


def _is_log(p: Polynomial) -> bool:
    """Tell whether p is a logarithm."""
    return any(a.name == "log" and p == atom(a) for m in p.terms for a in m.factors)


def power(algebra: Algebra, p: Polynomial, r: Rational) -> Polynomial:
    """`p^r` for a rational r; powers of powers are joined only where the signs allow it."""
    if r == 1:
        return p
    if r == 0:
        return ONE
    if r > 0 and r == floor(r):
        only = p.single()
        if only is not None and not only[0].marked:
            return _monomial_power(algebra, *only, r)
        if r > 64:
            msg = f"a power of {r}"
            raise TooLarge(msg)
        half = algebra.power(p, r // 2)
        return algebra.times(half, half, p) if r % 2 else algebra.times(half, half)
    return algebra.lifted(p, lambda q: _root(algebra, q, r))


def _root(algebra: Algebra, p: Polynomial, r: Rational) -> Polynomial:
    """`p^r` for r negative or not whole."""
    if not p.terms:
        if r < 0:
            msg = "a division by zero"
            raise Undefined(msg)
        return NOTHING
    only = p.single()
    if only is not None:
        return _monomial_power(algebra, *only, r)
    content, rest = algebra.content(p, whole=r == floor(r))
    if rest.single() is not None or not rest.terms:
        return algebra.times(_root(algebra, rest, r), algebra.power(content, r))
    return algebra.times(atom(Atom(Kind.BASE, inner=(rest,)), r), algebra.power(content, r))


def _monomial_power(algebra: Algebra, m: Monomial, c: Rational, r: Rational) -> Polynomial:
    exponent = scaled(m.exponent, r) if m.exponent else None
    if r == floor(r):
        factors = {a: e * r for a, e in m.factors.items()}
        return scaled(algebra.settled(exponent, factors), Fraction(c) ** int(r))
    outside: dict[Atom, Rational] = {}
    inside: dict[Atom, Rational] = {}
    parts: list[Polynomial] = []
    for a, e in m.factors.items():
        q = Fraction(e)
        if algebra.atom_sign(a) >= 1 or q.denominator % 2 == 0:
            outside[a] = e * r
        elif q.numerator % 2 == 0:
            parts.append(algebra.power(algebra.absolute(atom(a)), e * r))
        else:
            inside[a] = e
    if c < 0 and not inside:
        msg = "a root of a negative number"
        raise Undefined(msg)
    if inside:
        parts.append(_odd_root(algebra, inside, -1 if c < 0 else 1, r))
    parts.append(_number_root(abs(Fraction(c)), Fraction(r)))
    return algebra.times(algebra.settled(exponent, outside), *parts)


def _odd_root(algebra: Algebra, factors: dict[Atom, Rational], sign: int, r: Rational) -> Polynomial:
    """Return the r-th power of a monomial whose sign is not known."""
    if len(factors) == 1 and sign == 1:
        ((a, e),) = factors.items()
        if e == 1 or Fraction(r).denominator % 2 == 0:
            return algebra.settled(None, {a: e * r})
    return atom(Atom(Kind.BASE, inner=(Polynomial({Monomial(None, factors): sign}),)), r)


def content(algebra: Algebra, p: Polynomial, *, whole: bool) -> tuple[Polynomial, Polynomial]:
    """Return `(c, q)` with p = c q: c is the common monomial, of any sign if `whole`, else positive."""
    if not p.terms:
        return ONE, p
    terms = list(p.terms.items())
    coefficients = [Fraction(c) for _, c in terms]
    common = Fraction(gcd(*(c.numerator for c in coefficients)), lcm(*(c.denominator for c in coefficients)))
    if whole and max(terms, key=lambda t: t[0].key())[1] < 0:
        common = -common
    lowest: dict[Atom, Rational] = {}
    for a in dict.fromkeys(a for m, _ in terms for a in m.factors):
        if whole or algebra.atom_sign(a) == 2:
            least = min(m.factors.get(a, 0) for m, _ in terms)
            if least and a.kind is Kind.BASE:
                content, rest = algebra.content(algebra.cleared(p, a), whole=whole)
                return algebra.times(atom(a, least), content), rest
            if least:
                lowest[a] = least
    exponents = list(dict.fromkeys(m.exponent or NOTHING for m, _ in terms))
    exponent = min(exponents, key=cmp_to_key(_compared))
    if common == 1 and not lowest and not exponent:
        return ONE, p
    content = algebra.settled(exponent, dict(lowest))
    inverse = algebra.settled(scaled(exponent, -1), {a: -e for a, e in lowest.items()})
    rest = scaled(algebra.times(p, inverse), 1 / common)
    return scaled(content, common), rest


def cleared(algebra: Algebra, p: Polynomial, base: Atom) -> Polynomial:
    """Return p divided by the lowest power of a base that its terms have."""
    least = min(m.factors.get(base, 0) for m in p.terms)
    parts = []
    for m, c in p.terms.items():
        power = m.factors.get(base, 0) - least
        factors = {a: e for a, e in m.factors.items() if a != base}
        if power != floor(power):
            factors[base] = power - floor(power)
        rest = Polynomial({Monomial(m.exponent, factors): c})
        parts.append(algebra.times(rest, algebra.power(base.inner[0], floor(power))))
    return plus(*parts)


def absolute(algebra: Algebra, p: Polynomial) -> Polynomial:
    """`|p| = p (2 · 1[p > 0] - 1)`."""
    return algebra.times(p, plus(scaled(algebra.positive(p), 2), number(-1)))


def log(algebra: Algebra, p: Polynomial) -> Polynomial:
    """`log p`; the log of a product is opened where the signs are known."""
    return algebra.lifted(p, lambda q: _log(algebra, q))


def _log(algebra: Algebra, p: Polynomial) -> Polynomial:
    if not p.terms:
        msg = "the logarithm of zero"
        raise Undefined(msg)
    only = p.single()
    if only is None:
        content, rest = algebra.content(p, whole=False)
        if content is ONE:
            return atom(Atom(Kind.FUNCTION, "log", inner=(p,)))
        return plus(_log(algebra, content), _log(algebra, rest))
    m, c = only
    over = {a for a in m.factors if a.kind is Kind.PRODUCT and algebra.atom_sign(a) != 2}
    if over:
        return _log_of_products(algebra, m, c, over)
    result = m.exponent or NOTHING
    inside: dict[Atom, Rational] = {}
    for a, e in m.factors.items():
        if algebra.atom_sign(a) == 2 or Fraction(e).denominator % 2 == 0:
            result = plus(result, scaled(_log_of(algebra, a), e))
        elif Fraction(e).numerator % 2 == 0:
            result = plus(result, scaled(algebra.log(algebra.absolute(atom(a))), e))
        else:
            inside[a] = e
    if inside:
        if len(inside) == 1 and c > 0:
            ((a, e),) = inside.items()
            result = plus(result, scaled(_log_of(algebra, a), e))
        else:
            unit = Polynomial({Monomial(None, inside): 1 if c > 0 else -1})
            result = plus(result, atom(Atom(Kind.FUNCTION, "log", inner=(unit,))))
    elif c < 0:
        msg = "the logarithm of a negative number"
        raise Undefined(msg)
    return plus(result, _number_log(abs(Fraction(c))))


def _log_of_products(algebra: Algebra, m: Monomial, c: Rational, over: set[Atom]) -> Polynomial:
    """`log (b prod_k f_k) = log |b| + sum_k log |f_k|`, wherever the left side is defined."""
    kept = {a: e for a, e in m.factors.items() if a not in over and not _is_sign(a)}
    rest = Polynomial({Monomial(m.exponent, kept): c})
    parts = [] if rest.number() in (1, -1) else [algebra.log(algebra.absolute(rest))]
    for a in over:
        bound, body = algebra.opened(a)
        parts.append(scaled(algebra.closed(bound, algebra.log(algebra.absolute(body))), m.factors[a]))
    return plus(*parts)


def _is_sign(a: Atom) -> bool:
    """Tell whether an atom is `(-1)^n`."""
    return a.name == "pow" and a.inner[0] == number(-1)


def parted(algebra: Algebra, p: Polynomial) -> Iterator[tuple[Atom, Polynomial]]:
    """Yield `log(a b) = log a + log b` where p has `log a` too: a > 0 wherever all of p is defined."""
    logs = {a for m in p.terms for a in m.factors if a.kind is Kind.FUNCTION and a.name == "log"}
    known = {b for a in logs if (b := _logged(a)) is not None}
    for a in sorted(logs, key=Atom.key) if known else ():
        only = a.inner[0].single()
        if only is None or only[0].exponent or len(only[0].factors) < 2 or abs(only[1]) != 1:
            continue
        factors = only[0].factors
        rest = Polynomial({Monomial(None, {b: e for b, e in factors.items() if b not in known}): only[1]})
        if rest != a.inner[0]:
            found = (scaled(_log_of(algebra, b), e) for b, e in factors.items() if b in known)
            yield a, plus(algebra.log(rest), *found)


def exponential(algebra: Algebra, p: Polynomial) -> Iterator[Polynomial]:
    """Yield `e^p - 1` where p is a sum of logarithms, but for a common factor: it is 0 only where p is."""
    parts = [(*_parted_log(m), c) for m, c in p.terms.items()]
    if len({rest for _, rest, _ in parts}) == 1 and all(log is not None for log, _, _ in parts):
        logs = [scaled(atom(log), c) for log, _, c in parts if log is not None]
        yield minus(algebra.exp(plus(*logs)), ONE)


def _parted_log(m: Monomial) -> tuple[Atom | None, Monomial]:
    """Return the one logarithm among the factors of a monomial, and the other factors."""
    logs = [a for a in m.factors if a.kind is Kind.FUNCTION and a.name == "log"]
    if len(logs) != 1 or m.factors[logs[0]] != 1:
        return None, m
    return logs[0], Monomial(m.exponent, {a: e for a, e in m.factors.items() if a != logs[0]})


def _logged(a: Atom) -> Atom | None:
    """Return the atom whose logarithm `a` is, or None."""
    only = a.inner[0].single()
    if only is None or only[0].exponent or only[1] != 1 or len(only[0].factors) != 1:
        return None
    ((b, e),) = only[0].factors.items()
    return b if e == 1 else None


def raised(algebra: Algebra, base: Polynomial, exponent: Polynomial) -> Polynomial:
    """Return `base^exponent`; `a^b = exp(b log a)` for a > 0."""
    r = exponent.number()
    if r is not None:
        return algebra.power(base, r)
    if algebra.sign(base) == 2:
        return algebra.exp(algebra.times(exponent, algebra.log(base)))
    if any(m.marked for p in (base, exponent) for m in p.terms):
        return algebra.lifted_all((base, exponent), algebra.raised)
    form = as_index(exponent)
    if form is None:
        return _raised_freely(algebra, base, exponent)
    only = base.single()
    content, rest = algebra.content(base, whole=True) if only is None else (ONE, base)
    if content is not ONE:
        return algebra.times(algebra.raised(content, exponent), algebra.raised(rest, exponent))
    parts = []
    for variables, c in form:
        unit = algebra.value(((variables, 1),))
        if not variables:
            parts.append(algebra.power(base, c))
        elif only is None:
            parts.append(algebra.power(atom(Atom(Kind.FUNCTION, "pow", (), (base, unit))), c))
        else:
            parts.append(algebra.power(_raised(algebra, *only, unit), c))
    return algebra.times(*parts)


def _raised_freely(algebra: Algebra, base: Polynomial, exponent: Polynomial) -> Polynomial:
    """`(c a)^b = c^b a^b` for c > 0, and `a^(b + n) = a^b a^n` for a whole number n."""
    content, rest = algebra.content(base, whole=False)
    if content is not ONE and base.single() is None:
        return algebra.times(algebra.raised(content, exponent), algebra.raised(rest, exponent))
    n = floor(exponent.terms.get(UNIT, 0))
    if n and exponent.single() is None:
        return algebra.times(algebra.raised(base, minus(exponent, number(n))), algebra.power(base, n))
    return atom(Atom(Kind.FUNCTION, "pow", (), (base, exponent)))


def _raised(algebra: Algebra, m: Monomial, c: Rational, n: Polynomial) -> Polynomial:
    """`(c a^e exp(b))^n` for a positive whole number n."""
    result = algebra.exp(algebra.times(m.exponent, n)) if m.exponent else ONE
    result = algebra.times(result, algebra.exp(algebra.times(n, _number_log(abs(Fraction(c))))))
    if c < 0:
        result = algebra.times(result, atom(Atom(Kind.FUNCTION, "pow", (), (number(-1), n))))
    for a, e in m.factors.items():
        if algebra.atom_sign(a) == 2:
            part = algebra.exp(algebra.times(n, scaled(_log_of(algebra, a), e)))
        elif e == floor(e):
            part = algebra.power(atom(Atom(Kind.FUNCTION, "pow", (), (base_of(a), n))), e)
        else:
            part = atom(Atom(Kind.FUNCTION, "pow", (), (atom(a, e), n)))
        result = algebra.times(result, part)
    return result


def function(algebra: Algebra, name: str, *arguments: Polynomial) -> Polynomial:
    """Return a named function: by its definition in exp where it has one, else as an atom."""
    if name == "log":
        return algebra.log(arguments[0])
    if name == "pow":
        return algebra.raised(*arguments)
    if any(m.marked for p in arguments for m in p.terms):
        return algebra.lifted_all(arguments, lambda *parts: function(algebra, name, *parts))
    a = arguments[0]
    if name in BY_EXP:
        return BY_EXP[name](algebra, a)
    inner = _inner_function(a)
    if inner is not None and (name, inner.name) in COMPOSED:
        return COMPOSED[name, inner.name](algebra, inner.inner[0])
    if not a.terms:
        return number(int(PARITY[name] == 1))
    if max(a.terms.items(), key=lambda t: t[0].key())[1] < 0:
        return scaled(algebra.function(name, scaled(a, -1)), PARITY[name])
    return atom(Atom(Kind.FUNCTION, name, inner=arguments))


def _inner_function(p: Polynomial) -> Atom | None:
    """Return the function that a polynomial is, or None."""
    only = p.single()
    if only is None or only[0].exponent or only[1] != 1 or len(only[0].factors) != 1:
        return None
    ((a, e),) = only[0].factors.items()
    return a if a.kind is Kind.FUNCTION and e == 1 else None


def _square_root(algebra: Algebra, p: Polynomial, sign: int, last: int) -> Polynomial:
    """`sqrt(sign · p^2 + last)`."""
    return algebra.power(plus(scaled(algebra.power(p, 2), sign), number(last)), Fraction(1, 2))


def _tanh(algebra: Algebra, a: Polynomial) -> Polynomial:
    square = algebra.exp(scaled(a, 2))
    return algebra.times(plus(square, number(-1)), algebra.power(plus(square, ONE), -1))


def _hyperbolic(algebra: Algebra, a: Polynomial, sign: int) -> Polynomial:
    half = Fraction(1, 2)
    return plus(scaled(algebra.exp(a), half), scaled(algebra.exp(scaled(a, -1)), sign * half))


def _ratio(algebra: Algebra, above: Polynomial, below: Polynomial) -> Polynomial:
    return algebra.times(above, algebra.power(below, -1))


def _compared(a: Polynomial, b: Polynomial) -> int:
    """Compare two polynomials, which differ, in an order that addition preserves."""
    difference = minus(a, b)
    return 1 if max(difference.terms.items(), key=lambda t: t[0].key())[1] > 0 else -1


def _primes(n: int) -> dict[int, int]:
    if n > _FACTORED:
        msg = f"the factors of {n}"
        raise NoRule(msg)
    return {int(p): int(e) for p, e in sympy.factorint(n).items()}


def _rational_primes(c: Fraction) -> dict[int, int]:
    """Return the powers of primes that make up a positive rational."""
    return _primes(c.numerator) | {p: -e for p, e in _primes(c.denominator).items()}


def _number_root(c: Fraction, r: Fraction) -> Polynomial:
    """`c^r` for a positive rational c."""
    outside, factors = Fraction(1), dict[Atom, Rational]()
    for p, e in _rational_primes(c).items():
        power = e * r
        outside *= Fraction(p) ** floor(power)
        if power != floor(power):
            factors[Atom(Kind.CONSTANT, str(p))] = power - floor(power)
    return Polynomial({Monomial(None, factors): outside})


def _number_log(c: Fraction) -> Polynomial:
    """`log c` for a positive rational c, by its prime factors."""
    return plus(
        *(
            scaled(atom(Atom(Kind.FUNCTION, "log", inner=(number(p),))), e)
            for p, e in _rational_primes(c).items()
        )
    )


def base_of(a: Atom) -> Polynomial:
    """Return an atom as a polynomial: of a base, what it is the base of."""
    return a.inner[0] if a.kind is Kind.BASE else atom(a)


def _log_of(algebra: Algebra, a: Atom) -> Polynomial:
    """`log a` for one atom; `log prod_k f_k = sum_k log f_k` for positive f."""
    if a.kind is Kind.PRODUCT:
        bound, body = algebra.opened(a)
        return algebra.closed(bound, algebra.log(body))
    if a.kind is Kind.CONSTANT and a.name.isdigit():
        return _number_log(Fraction(int(a.name)))
    return atom(Atom(Kind.FUNCTION, "log", inner=(base_of(a),)))


def _sign_of(algebra: Algebra, a: Polynomial) -> Polynomial:
    return plus(scaled(algebra.positive(a), 2), algebra.vanishing(a), number(-1))


def _exp_of(algebra: Algebra, a: Polynomial) -> Polynomial:
    return algebra.exp(a)


BY_EXP: Mapping[str, Callable[[Algebra, Polynomial], Polynomial]] = {
    "exp": _exp_of,
    "sinh": lambda g, a: _hyperbolic(g, a, -1),
    "cosh": lambda g, a: _hyperbolic(g, a, 1),
    "tanh": _tanh,
    "coth": lambda g, a: power(g, _tanh(g, a), -1),
    "sech": lambda g, a: power(g, _hyperbolic(g, a, 1), -1),
    "csch": lambda g, a: power(g, _hyperbolic(g, a, -1), -1),
    "tan": lambda g, a: _ratio(g, function(g, "sin", a), function(g, "cos", a)),
    "cot": lambda g, a: _ratio(g, function(g, "cos", a), function(g, "sin", a)),
    "erfc": lambda g, a: plus(ONE, scaled(function(g, "erf", a), -1)),
    "Abs": absolute,
    "sign": _sign_of,
    "acos": lambda g, a: minus(
        scaled(atom(Atom(Kind.CONSTANT, "pi")), Fraction(1, 2)), function(g, "asin", a)
    ),
    "asinh": lambda g, a: log(g, plus(a, _square_root(g, a, 1, 1))),
    "acosh": lambda g, a: log(g, plus(a, _square_root(g, a, 1, -1))),
    "atanh": lambda g, a: scaled(minus(log(g, plus(ONE, a)), log(g, minus(ONE, a))), Fraction(1, 2)),
}
"""Functions that are replaced by others."""

COMPOSED: Mapping[tuple[str, str], Callable[[Algebra, Polynomial], Polynomial]] = {
    ("sin", "asin"): lambda _, a: a,
    ("cos", "asin"): lambda g, a: _square_root(g, a, -1, 1),
    ("sin", "atan"): lambda g, a: _ratio(g, a, _square_root(g, a, 1, 1)),
    ("cos", "atan"): lambda g, a: power(g, _square_root(g, a, 1, 1), -1),
}
"""Functions of inverse functions."""

PARITY: Mapping[str, int] = {"sin": -1, "cos": 1, "erf": -1, "asin": -1, "atan": -1}
"""`f(-a) = ±f(a)`; an odd function is 0 at 0, and cos is 1 there."""

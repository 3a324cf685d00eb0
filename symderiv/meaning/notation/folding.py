"""Folding: a derived term is written in the names that the page defines.

Vocabulary. A *rule* rewrites a product by a definition: `e^(β x_s) / Z` becomes `y_s`; where a definition has
several terms, its weightiest one becomes the name less the others; where it is a share `a / (a + b)`, the
other share `b / (a + b)` becomes one less the name. Rules are tried, the cheapest result is kept,
and the kernel has the last word: what it does not prove equal is not used.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import product
from math import prod

import sympy
from sympy import Add, Expr, Integer, Mul, Pow, Rational, Sum, exp

from symderiv.kernel.calculus import names_in
from symderiv.kernel.equality import Proved, normal, prove
from symderiv.kernel.reading import write
from symderiv.kernel.terms import Context, D, Definition, Goal, Index, KernelError, entry
from symderiv.meaning.notation.factoring import factored
from symderiv.meaning.notation.products import (
    Term,
    built,
    built_product,
    cost,
    flat,
    flat_product,
    indices_of,
)

Ranges = Mapping[Index, Expr]
ROUNDS = 8
"""How many times a term is folded at most."""
CHOICES = 400
"""How many instances of a rule are tried on one product."""


@dataclass(frozen=True, slots=True)
class Rule:
    """`pattern` at `slots` may be written as `replacement`; its own sums are over its bound indices."""

    name: str
    slots: tuple[Index, ...]
    sizes: tuple[Expr, ...]
    pattern: Term
    replacement: Expr


def equal(left: Expr, right: Expr, ranges: Ranges, context: Context) -> bool:
    """Tell whether the kernel proves two terms equal."""
    try:
        return isinstance(prove(Goal(left, right, dict(ranges), (), context)), Proved)
    except (KernelError, RecursionError):
        return False


def derived(term: Expr, ranges: Ranges, context: Context, *, but: str = "") -> Expr:
    """Return a term with every derivative carried out, written in the page's names except `but`.

    Raise KernelError where the kernel has no rule for it.
    """
    opened = write(normal(term, ranges, context))
    names = {name for name in _foldable(context) if not but or but not in _reach(name, context)}
    folded = fold(opened, ranges, context, frozenset(names))
    return folded if folded == opened or equal(folded, term, ranges, context) else opened


def _foldable(context: Context) -> frozenset[str]:
    """Return the defined names that may be written: none that names a derivative to be carried out."""
    return frozenset(
        name
        for name, definition in context.definitions.items()
        if "@" not in name and not (definition.body.has(D) and not isinstance(definition.body, D))
    )


def fold(term: Expr, ranges: Ranges, context: Context, names: frozenset[str]) -> Expr:
    """Return the cheapest way found of writing a term with these names."""
    rules = _rules(context, names)
    if not rules:
        return term
    return _fold(term, ranges, replace(context, definitions={}), rules)


def _fold(term: Expr, ranges: Ranges, closed: Context, rules: tuple[Rule, ...]) -> Expr:
    best, least = term, cost(factored(flat(term)))
    for _ in range(ROUNDS):
        start = best
        for candidate in _candidates(start, ranges, closed, rules):
            price = cost(factored(flat(candidate)))
            if price < least - 1e-9:
                best, least = candidate, price
        if best is start:
            break
    return best


def _candidates(term: Expr, ranges: Ranges, closed: Context, rules: tuple[Rule, ...]) -> Iterator[Expr]:
    inner = _fold_inside(term, ranges, closed, rules)
    if inner != term:
        yield inner
    parts = flat(term)
    for rule in rules:
        rewritten = [_exhausted(rule, part, ranges) for part in parts]
        if any(new is not None for new in rewritten):
            total = Add(
                *(
                    built_product(part) if new is None else new
                    for part, new in zip(parts, rewritten, strict=True)
                )
            )
            try:
                yield write(normal(total, ranges, closed))
            except (KernelError, RecursionError):
                continue


def _fold_inside(term: Expr, ranges: Ranges, closed: Context, rules: tuple[Rule, ...]) -> Expr:
    """Fold the arguments of functions, the bases of powers and the exponents of exponentials."""
    parts = []
    for part in flat(term):
        within = {**ranges, **dict(part.bound)}
        factors: dict[Expr, Rational] = {}
        exponent: Expr = Integer(0)
        for base, power in part.factors.items():
            if isinstance(base, exp):
                exponent += power * base.exp
                continue
            new = _folded_base(base, power, within, closed, rules)
            factors[new] = factors.get(new, Integer(0)) + power
        if exponent != 0:
            factors[exp(_fold(exponent, within, closed, rules))] = Integer(1)
        parts.append(replace(part, factors=factors))
    return built(parts)


def _folded_base(
    base: Expr, power: Rational, ranges: Ranges, closed: Context, rules: tuple[Rule, ...]
) -> Expr:
    if isinstance(base, Sum | Add) and (power != 1 or isinstance(base, Add)):
        return _fold(base, ranges, closed, rules)
    if (
        isinstance(base, sympy.Function)
        and not isinstance(base, sympy.KroneckerDelta)
        and len(base.args) == 1
    ):
        return base.func(_fold(base.args[0], ranges, closed, rules))
    return base


# ---------------------------------------------------------------------- rules


def _rules(context: Context, names: frozenset[str]) -> tuple[Rule, ...]:
    found: list[Rule] = []
    for name in names:
        definition = context.definitions[name]
        sizes = context.shapes.get(name, ())
        if len(sizes) != len(definition.slots):
            continue
        found.extend(_rules_of(definition, sizes, context, found))
    return tuple(found)


def _rules_of(
    definition: Definition, sizes: tuple[Expr, ...], context: Context, known: list[Rule]
) -> Iterator[Rule]:
    ranges = dict(zip(definition.slots, sizes, strict=True))
    seen: set[str] = set()
    without = [rule for rule in known if definition.name not in _reach(rule.name, context)]
    closed = replace(context, definitions={})
    for setting in (context, closed):
        try:
            body = write(normal(definition.body, ranges, setting))
        except (KernelError, RecursionError):
            continue
        bodies = [body]
        if without:
            bodies.append(_fold(body, ranges, closed, tuple(without)))
        for each in bodies:
            if str(each) not in seen and each.free_symbols and not each.is_Symbol and not each.is_number:
                seen.add(str(each))
                yield from _rules_from(definition.name, definition.slots, sizes, each)


def _reach(name: str, context: Context) -> frozenset[str]:
    found: set[str] = set()
    stack = [name]
    while stack:
        each = stack.pop()
        if each not in found:
            found.add(each)
            if each in context.definitions:
                stack.extend(names_in(context.definitions[each].body))
    return frozenset(found)


def _rules_from(name: str, slots: tuple[Index, ...], sizes: tuple[Expr, ...], body: Expr) -> Iterator[Rule]:
    head = entry(name, *slots)
    parts = flat(body)
    lead = max(parts, key=lambda part: cost((part,)))
    if not lead.factors or not set(slots) <= lead.indices():
        return
    rest = Add(*(built_product(part) for part in parts if part is not lead))
    yield Rule(name, slots, sizes, replace(lead, coefficient=Integer(1)), (head - rest) / lead.coefficient)
    if len(parts) != 1:
        return
    for base, power in lead.factors.items():
        if isinstance(base, Add) and power == -1 and len(base.args) == 2:
            above = built_product(replace(lead, factors={b: p for b, p in lead.factors.items() if b != base}))
            other = base - above
            if not other.is_Add:
                pattern = flat_product(other / base)
                yield Rule(
                    name,
                    slots,
                    sizes,
                    replace(pattern, coefficient=Integer(1)),
                    (1 - head) / pattern.coefficient,
                )


def _exhausted(rule: Rule, term: Term, ranges: Ranges) -> Expr | None:
    """Return a product rewritten by a rule as often as it fits, or None."""
    done = _applied(rule, term, ranges)
    while done is not None and not rule.replacement.is_Add:
        again = _applied(rule, flat_product(done), ranges)
        if again is None:
            break
        done = again
    return done


def _applied(rule: Rule, term: Term, ranges: Ranges) -> Expr | None:
    """Return a product rewritten by a rule at the first place where it fits, or None."""
    within = {**ranges, **dict(term.bound)}
    places = sorted(indices_of(term.factors), key=str)
    variables = (*rule.slots, *(k for k, _ in rule.pattern.bound))
    sizes = (*rule.sizes, *(size for _, size in rule.pattern.bound))
    choices = [[p for p in places if within.get(p) == size] for size in sizes]
    if prod(len(choice) for choice in choices) > CHOICES:
        return None
    for values in product(*choices):
        own = values[len(rule.slots) :]
        if len(set(own)) != len(own) or not set(own) <= {k for k, _ in term.bound}:
            continue
        put = dict(zip(variables, values, strict=True))
        pattern = flat_product(
            Mul(*(Pow(base.xreplace(put), power) for base, power in rule.pattern.factors.items()))
        )
        times = _times(pattern.factors, term.factors, single=rule.replacement.is_Add or bool(own))
        if pattern.bound or pattern.coefficient != 1 or not times:
            continue
        factors = {b: power - times * pattern.factors.get(b, 0) for b, power in term.factors.items()}
        if set(own) & indices_of(b for b, power in factors.items() if power):
            continue
        body = Mul(
            term.coefficient,
            rule.replacement.xreplace(put) ** times,
            *(Pow(b, power) for b, power in factors.items()),
        )
        limits = [(k, 1, size) for k, size in term.bound if k not in own]
        return Sum(body, *limits) if limits else body
    return None


def _times(pattern: Mapping[Expr, Rational], factors: Mapping[Expr, Rational], *, single: bool) -> int:
    """Return how often a pattern divides a product: negative where its inverse does, 0 where neither."""
    least: int | None = None
    for base, power in pattern.items():
        have = factors.get(base)
        if have is None:
            return 0
        ratio = have / power
        whole = int(ratio)
        if whole == 0 or (least is not None and (least > 0) != (whole > 0)):
            return 0
        if least is None or abs(whole) < abs(least):
            least = whole
    if least is None or (single and least < 1):
        return 0
    return 1 if single else least

"""Folding: a derived term is written in the names that the page defines.

Vocabulary. A *rule* rewrites a product by a definition: `e^(β x_s) / Z` becomes `y_s`; where a definition has
several terms, its weightiest one becomes the name less the others; where it is a share `a / (a + b)`, the
other share `b / (a + b)` becomes one less the name. Rules are tried, the cheapest result is kept,
and the kernel has the last word: what it does not prove equal is not used.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import product
from math import prod

import sympy
from sympy import Add, Expr, Integer, KroneckerDelta, Mul, Piecewise, Pow, Rational, Sum, exp

from symderiv.kernel.calculus import Calculus, derive
from symderiv.kernel.equality import Proved, normal, prove
from symderiv.kernel.reading import write
from symderiv.kernel.substitution import without_piecewise
from symderiv.kernel.terms import (
    Cases,
    Context,
    D,
    Definition,
    Goal,
    Index,
    KernelError,
    entry,
    exact,
    name_of,
    nodes,
    power_of_e,
)
from symderiv.meaning.notation.adjoints import by_adjoints, frozen, thawed
from symderiv.meaning.notation.backward import opening, reach, through
from symderiv.meaning.notation.factoring import factored
from symderiv.meaning.notation.products import (
    Term,
    built,
    built_product,
    canonical,
    cost,
    flat,
    flat_product,
    indices_of,
    is_size,
)

Ranges = Mapping[Index, Expr]
Kind = tuple[type[Expr], str | None]
"""What kind of factor a base is: its class, and the name of an entry."""
TERMS = 40
"""How many terms a sum may have to be folded."""
LARGE = 250
"""How many operators and operands, every definition opened, make a term a large one."""
ROUNDS = 16
"""How many times a term is folded at most."""
LEADS = 3
"""How many terms of a definition are taken as the one that becomes its name."""
CHOICES = 400
"""How many instances of a rule are tried on one product."""


@dataclass(frozen=True, slots=True)
class Rule:
    """`pattern` at `slots` may be written as `replacement`; its own sums are over its bound indices."""

    slots: tuple[Index, ...]
    sizes: tuple[Expr, ...]
    pattern: Term
    replacement: Expr
    kinds: frozenset[Kind]
    """The kinds of the factors of the pattern: it fits only a product that has them all."""
    inside: tuple[tuple[Kind, frozenset[Index]], ...]
    """The kinds and indices of its factors, deltas left out."""


@dataclass(frozen=True, slots=True)
class Reading:
    """One way of reading a definition backwards: its rules are applied one after the other."""

    name: str
    rules: tuple[Rule, ...]
    kinds: frozenset[Kind]
    """The kinds that the patterns of all its rules have."""
    number: bool
    """Whether what it reads is a number."""


def _reading(name: str, rules: tuple[Rule, ...]) -> Reading:
    kinds = frozenset.intersection(*(rule.kinds for rule in rules))
    return Reading(name, rules, kinds, all(rule.replacement.is_Rational for rule in rules))


@dataclass(frozen=True, slots=True)
class Known:
    """What is kept from one term to the next: readings by context, and by definition and what it rests on."""

    contexts: dict[int, tuple[Context, tuple[Reading, ...]]] = field(default_factory=dict)
    """By the identity of a context; the context is kept, so that the identity is."""
    definitions: dict[tuple[object, ...], tuple[Reading, ...]] = field(default_factory=dict)
    bodies: dict[tuple[object, ...], tuple[tuple[Expr, ...], tuple[Reading, ...]]] = field(
        default_factory=dict
    )
    """By definition and what it rests on: its body opened and as written, and its sums that are a number."""


def equal(left: Expr, right: Expr, ranges: Ranges, context: Context) -> bool:
    """Tell whether the kernel proves two terms equal."""
    try:
        return isinstance(prove(Goal(left, right, dict(ranges), (), context)), Proved)
    except (KernelError, RecursionError):
        return False


def derived(
    term: Expr, ranges: Ranges, context: Context, *, but: str = "", known: Known | None = None
) -> Expr:
    """Return a term with every derivative carried out, written in the page's names except `but`.

    `known` keeps the readings of a context from one call to the next. Raise KernelError where the kernel has
    no rule for the term.
    """
    known = Known() if known is None else known
    if id(context) not in known.contexts:
        known.contexts[id(context)] = (context, _readings(context, _foldable(context), known))
    readings = tuple(
        r for r in known.contexts[id(context)][1] if not but or but not in reach(r.name, context)
    )
    if size(derive(term, context)) > LARGE:
        for form in _kept(term, ranges, context, but):
            if equal(folded := _gathered(form, ranges, context, readings), term, ranges, context):
                return folded
    opened = _opened(term, ranges, context, but)
    if len(flat(opened)) > TERMS:
        return opened
    folded = _gathered(opened, ranges, context, readings)
    return folded if folded == opened or equal(folded, term, ranges, context) else opened


def _gathered(term: Expr, ranges: Ranges, context: Context, readings: tuple[Reading, ...]) -> Expr:
    """Fold a term, and bring what it became to normal form where that is cheaper."""
    closed = replace(context, definitions={})
    folded = _fold(term, ranges, closed, readings)
    gathered = _normal(folded, ranges, closed)
    cheaper = cost(factored(flat(gathered))) < cost(factored(flat(folded)))
    return gathered if cheaper else folded


def _kept(term: Expr, ranges: Ranges, context: Context, but: str) -> Iterator[Expr]:
    """Yield a large term with its derivatives carried out and the page's names kept, by adjoints first.

    What has cases is left out: they have no notation.
    """
    names = frozenset(n for n in _foldable(context) if not but or but not in reach(n, context))
    closed = replace(context, definitions={})
    for start in (by_adjoints(term, context, names), term):
        try:
            form = None if start is None else _normal(_named(start, context, names), ranges, closed)
        except KernelError:
            continue
        if form is not None and len(flat(form)) <= TERMS and not form.has(Piecewise, Cases):
            yield form


def _named(term: Expr, context: Context, names: frozenset[str]) -> Expr:
    """Return a term with its derivatives carried out, all definitions but those of `names` opened."""
    calculus = Calculus(context)
    opened = context.definitions.keys() - names
    while True:
        term = calculus.carried(without_piecewise(exact(term)))
        changes = {
            each: calculus.instance(name, tuple(getattr(each, "indices", ())))
            for each in nodes(term)
            if (name := name_of(each)) in opened
        }
        if not changes:
            return term
        term = term.xreplace(changes)


def _written(term: Expr, ranges: Ranges, context: Context) -> Expr:
    return write(normal(term, ranges, context))


def _normal(term: Expr, ranges: Ranges, context: Context) -> Expr:
    """Return a term in normal form, its hyperbolic functions kept."""
    return thawed(write(normal(frozen(term), ranges, context)))


def size(term: Expr) -> int:
    """Return the number of operators and operands in a term."""
    return sum(1 for _ in sympy.preorder_traversal(term))


def _opened(term: Expr, ranges: Ranges, context: Context, but: str) -> Expr:
    """Return a term with its derivatives carried out; `∂L/∂x` by the page's gradients between x and L."""
    by_gradients = through(term, context, but)
    if by_gradients is not None:
        product, rest = by_gradients
        opened = write(normal(product, ranges, rest))
        if equal(opened, term, ranges, context):
            return opened
    return write(normal(term, ranges, opening(term, context)))


def _foldable(context: Context) -> frozenset[str]:
    """Return the defined names that may be written: none that names a derivative to be carried out."""
    return frozenset(
        name
        for name, definition in context.definitions.items()
        if "@" not in name and not (definition.body.has(D) and not isinstance(definition.body, D))
    )


def _fold(term: Expr, ranges: Ranges, closed: Context, readings: tuple[Reading, ...]) -> Expr:
    best, least = term, cost(factored(flat(term)))
    for _ in range(ROUNDS):
        start = best
        for candidate in _candidates(start, ranges, closed, readings):
            price = cost(factored(flat(candidate)))
            if price < least - 1e-9:
                best, least = candidate, price
        if best is start:
            break
    return best


def _candidates(term: Expr, ranges: Ranges, closed: Context, readings: tuple[Reading, ...]) -> Iterator[Expr]:
    inner = _fold_inside(term, ranges, closed, readings)
    if inner != term:
        yield inner
    numbers = [each for each in readings if each.number]
    parts = flat(term)
    standing = frozenset[Kind]().union(*map(_kinds, parts))
    for reading in readings:
        if not reading.kinds <= standing:
            continue
        total = _rewritten(reading, parts, ranges)
        if total is None:
            continue
        yield total
        try:
            gathered = _normal(total, ranges, closed)
            yield gathered
            for each in numbers:
                less = _rewritten(each, flat(gathered), ranges)
                if less is not None:
                    yield write(normal(less, ranges, closed))
        except (KernelError, RecursionError):
            continue


def _kinds(term: Term) -> frozenset[Kind]:
    return frozenset(map(_kind, term.factors))


def _kind(base: Expr) -> Kind:
    return (type(base), name_of(base))


def _rewritten(reading: Reading, parts: Sequence[Term], ranges: Ranges) -> Expr | None:
    """Return a sum with every product rewritten by a reading as often as it fits, or None."""
    rewritten = [_exhausted(reading, part, ranges) for part in parts]
    if all(new is None for new in rewritten):
        return None
    pairs = zip(parts, rewritten, strict=True)
    return Add(*(built_product(part) if new is None else new for part, new in pairs))


def _fold_inside(term: Expr, ranges: Ranges, closed: Context, readings: tuple[Reading, ...]) -> Expr:
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
            new = _folded_base(base, power, within, closed, readings)
            factors[new] = factors.get(new, Integer(0)) + power
        if exponent != 0:
            factors[power_of_e(_fold(exponent, within, closed, readings))] = Integer(1)
        parts.append(replace(part, factors=factors))
    return built(parts)


def _folded_base(
    base: Expr, power: Rational, ranges: Ranges, closed: Context, readings: tuple[Reading, ...]
) -> Expr:
    if isinstance(base, Sum | Add) and (power != 1 or isinstance(base, Add)):
        return _fold(base, ranges, closed, readings)
    if isinstance(base, sympy.Function) and not isinstance(base, KroneckerDelta) and len(base.args) == 1:
        return base.func(_fold(base.args[0], ranges, closed, readings))
    return base


# ---------------------------------------------------------------------- rules


def _readings(context: Context, names: frozenset[str], known: Known) -> tuple[Reading, ...]:
    found: list[Reading] = []
    below = {name: reach(name, context) for name in names}
    for name in sorted(names, key=lambda name: (len(below[name]), name)):
        definition = context.definitions[name]
        sizes = context.shapes.get(name, ())
        if len(sizes) != len(definition.slots):
            continue
        without = tuple(each for each in found if name not in below[each.name])
        opaque = sorted((n, context.opaque[n].arguments) for n in below[name] if n in context.opaque)
        key = (definition, sizes, tuple(each.name for each in without), *opaque)
        if key not in known.definitions:
            # A gradient alone is opened by others, which are not below it.
            alone = key if definition.body.has(D) else (definition, sizes, *opaque)
            if alone not in known.bodies:
                bodies = tuple(_bodies(definition, sizes, context))
                known.bodies[alone] = bodies, tuple(_totals(definition, sizes, context))
            bodies, totals = known.bodies[alone]
            known.definitions[key] = (*_readings_of(definition, sizes, context, bodies, without), *totals)
        found.extend(known.definitions[key])
    return tuple(found)


def _bodies(definition: Definition, sizes: tuple[Expr, ...], context: Context) -> Iterator[Expr]:
    """Yield the body of a definition opened, as written, and as written with its functions kept."""
    ranges = dict(zip(definition.slots, sizes, strict=True))
    closed = replace(context, definitions={})
    for opened, kept in ((True, False), (False, False), (False, True)):
        try:
            if opened and size(derive(definition.body, context)) > LARGE:
                continue
            if opened:
                body = _opened(definition.body, ranges, context, definition.name)
            else:
                body = (_normal if kept else _written)(definition.body, ranges, closed)
        except (KernelError, RecursionError):
            continue
        if not opened or size(body) <= LARGE:
            yield body


def _readings_of(
    definition: Definition,
    sizes: tuple[Expr, ...],
    context: Context,
    bodies: tuple[Expr, ...],
    without: tuple[Reading, ...],
) -> Iterator[Reading]:
    """Yield the readings of a definition: of its bodies, and of each folded by those before it."""
    ranges = dict(zip(definition.slots, sizes, strict=True))
    seen: set[str] = set()
    closed = replace(context, definitions={})
    for body in {canonical(each): each for each in bodies}.values():
        for each in [body, _fold(body, ranges, closed, without)] if without else [body]:
            if str(each) not in seen and each.free_symbols and not each.is_Symbol:
                seen.add(str(each))
                for rules in _rules_from(definition.name, definition.slots, sizes, each):
                    yield _reading(definition.name, rules)


def _totals(definition: Definition, sizes: tuple[Expr, ...], context: Context) -> Iterator[Reading]:
    """Yield the sums of the entries of a tensor along one slot that are a number: weights add up to 1."""
    if definition.body.has(D):
        return
    head = entry(definition.name, *definition.slots)
    for slot, size in zip(definition.slots, sizes, strict=True):
        others = {s: n for s, n in zip(definition.slots, sizes, strict=True) if s != slot}
        try:
            total = normal(Sum(head, (slot, 1, size)), others, context).number()
        except (KernelError, RecursionError):
            continue
        if total is not None:
            pattern = Term(Integer(1), ((slot, size),), {head: Integer(1)})
            rule = _rule(tuple(others), tuple(others.values()), pattern, Rational(total))
            yield _reading(definition.name, (rule,))


def _rules_from(
    name: str, slots: tuple[Index, ...], sizes: tuple[Expr, ...], body: Expr
) -> Iterator[tuple[Rule, ...]]:
    head = entry(name, *slots)
    parts = flat(body)
    shares = _shares(parts)
    if shares is not None:
        (first, c), (second, d) = shares
        values = ((first, (head - d) / (c - d)), (second, (c - head) / (c - d)))
        rules = [_rule(slots, sizes, flat_product(share), value) for share, value in values]
        yield tuple(sorted(rules, key=lambda rule: -cost((rule.pattern,))))
        return
    leads = sorted(parts, key=lambda part: (any(base.has(Sum) for base in part.factors), -cost((part,))))
    for lead in leads[:LEADS]:
        if lead.factors and set(slots) <= lead.indices():
            rest = Add(*(built_product(part) for part in parts if part is not lead))
            yield (_rule(slots, sizes, lead, head - rest),)


def _rule(slots: tuple[Index, ...], sizes: tuple[Expr, ...], pattern: Term, value: Expr) -> Rule:
    """Return the rule `pattern = value`, what is made of sizes alone taken to the right."""
    units = {base: power for base, power in pattern.factors.items() if is_size(base)}
    factors = {base: power for base, power in pattern.factors.items() if base not in units}
    value = value / built_product(Term(pattern.coefficient, (), units))
    whole = Term(Integer(1), pattern.bound, factors)
    inside = tuple(
        (_kind(base), indices_of([base])) for base in factors if not isinstance(base, KroneckerDelta)
    )
    return Rule(slots, sizes, whole, sympy.expand_mul(value), _kinds(whole), inside)


def _shares(parts: tuple[Term, ...]) -> tuple[tuple[Expr, Rational], tuple[Expr, Rational]] | None:
    """Return the shares `a / (a + b)`, `b / (a + b)` that a body is made of, with their coefficients."""
    below = [base for base, power in parts[0].factors.items() if isinstance(base, Add) and power == -1]
    if len(below) != 1 or len(below[0].args) != 2:
        return None
    shares = [built_product(flat_product(part / below[0])) for part in below[0].args]
    left = {share: Integer(0) for share in shares}
    for part in parts:
        found = next((share for share in shares if (built_product(part) / share).is_Rational), None)
        if found is None:
            return None
        left[found] += built_product(part) / found
    (first, c), (second, d) = left.items()
    return None if c == d else ((first, c), (second, d))


def _exhausted(reading: Reading, term: Term, ranges: Ranges) -> Expr | None:
    """Return a product rewritten by the rules of a reading as often as they fit, or None."""
    done: Expr | None = None
    for rule in reading.rules:
        for _ in range(ROUNDS):
            if not rule.kinds <= _kinds(term):
                break
            new = _applied(rule, term, ranges)
            if new is None:
                break
            done, term = new, flat_product(new)
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
    standing = {(_kind(base), indices_of([base])) for base in term.factors}
    for values in product(*choices):
        own = values[len(rule.slots) :]
        if len(set(own)) != len(own) or not set(own) <= {k for k, _ in term.bound}:
            continue
        put = dict(zip(variables, values, strict=True))
        if any((kind, frozenset(put.get(i, i) for i in at)) not in standing for kind, at in rule.inside):
            continue
        pattern = flat_product(
            Mul(*(Pow(base.xreplace(put), power) for base, power in rule.pattern.factors.items()))
        )
        times = _times(pattern.factors, term.factors, single=bool(own))
        if pattern.bound or pattern.coefficient != 1 or not times or (times < 0 and rule.replacement.is_Add):
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

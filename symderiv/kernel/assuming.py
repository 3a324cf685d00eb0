"""What a goal assumes: the reader under its ranges, and its facts as rules, signs, orders and relations.

Vocabulary. A *fact* is an assumption that speaks of values. What it says of a whole name is a property of
that name (see `hypotheses`), what it says of one atom a rule, an inequality an order; an equation of which
none of these is made is *unused*, until it is solved for an entry or becomes a relation.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from fractions import Fraction
from math import lcm

import sympy
from sympy import Basic, Eq, Expr, Ge, Gt, Indexed, Le, Lt, Ne, Sum, Symbol
from sympy.core.relational import Relational
from sympy.logic.boolalg import Boolean

from symderiv.kernel import hypotheses
from symderiv.kernel import indices as ix
from symderiv.kernel.calculus import derive
from symderiv.kernel.cases import atoms_of, cleared, replaced
from symderiv.kernel.indices import IndexExpr, Variable
from symderiv.kernel.matrices import Square
from symderiv.kernel.memory import Memory
from symderiv.kernel.normal import Algebra, Rule
from symderiv.kernel.orders import Order, contradictory, linear
from symderiv.kernel.polynomial import Atom, Kind, Monomial, Polynomial, atom, minus
from symderiv.kernel.reading import Reader, positive_names, read_index, variable_of
from symderiv.kernel.relations import Relation, solved
from symderiv.kernel.substitution import names_in
from symderiv.kernel.terms import (
    Definite,
    Det,
    Goal,
    Index,
    NoRule,
    Size,
    Undefined,
    entry,
    exact,
    fresh,
    name_of,
)

ROOTS = 4
"""Equations between higher roots are not rid of them."""
RELATIONS = {Eq: "=", Ne: "≠", Gt: ">", Ge: "≥", Lt: "<", Le: "≤"}


def upper(ranges: Mapping[Index, Expr]) -> dict[Variable, tuple[IndexExpr, ...]]:
    """Return how far free indices run."""
    return {variable_of(i): (read_index(exact(size), {}),) for i, size in ranges.items()}


def told(assumption: Boolean | Expr) -> str:
    """Name an assumption as `Proved.hypotheses` does."""
    if not isinstance(assumption, Relational):
        return str(assumption)
    return f"{assumption.lhs} {RELATIONS[assumption.func]} {assumption.rhs}"


def _of_indices(assumption: Expr) -> bool:
    return all(isinstance(s, Index | Size) for s in assumption.free_symbols)


def reader_of(goal: Goal, terms: tuple[Expr, ...], memory: Memory, *, kinks: bool) -> Reader:
    """Return a reader under the goal's ranges and assumptions."""
    context = goal.context
    if goal.assumptions or (context.bounds and any(context.bounds.keys() & names_in(each) for each in terms)):
        return assuming(goal, terms, kinks=kinks)
    positive = positive_names(terms)
    ranges, values = frozenset(goal.ranges.items()), frozenset(context.values.items())
    token = (ranges, positive, values, context.discrete, kinks)
    reader = memory.reader(token)
    if reader is None:
        reader = Reader(Algebra(upper(goal.ranges), positive, values=context.values, kinks_excluded=kinks))
        reader.algebra.bound = context.discrete
        memory.keep(token, reader)
    return reader


def assuming(goal: Goal, terms: tuple[Expr, ...], *, kinks: bool) -> Reader:
    """Return a reader under the goal's ranges and assumptions."""
    bounds = upper(goal.ranges)
    fixed, unequal = _of_the_indices(goal, bounds)
    facts = [a for a in goal.assumptions if not _of_indices(a)]
    positive = positive_names([*terms, *facts]) | {
        name for a in facts if (name := _made_positive(a, goal)) is not None
    }
    algebra = Algebra(bounds, positive, unequal, values=goal.context.values, kinks_excluded=kinks)
    reader = Reader(algebra, fixed)
    rules: list[Rule] = []
    unused, ruled = list[Basic](), list[Basic]()
    present_names = frozenset[str]().union(*(names_in(term) for term in terms))
    facts = [*facts, *(turned for fact in facts if (turned := hypotheses.orthogonal(fact, goal)) is not None)]
    algebra.bound = goal.context.discrete.union(*(names_in(fact) for fact in facts if isinstance(fact, Eq)))
    plain: list[tuple[Basic, tuple[Expr, Expr]]] = []
    for fact in facts:
        definite = hypotheses.definite(fact)
        algebra.definite |= {definite} if definite is not None else set()
        if isinstance(fact, Eq):
            sides = (derive(fact.lhs, goal.context), derive(fact.rhs, goal.context))
            name = _of_a_name(algebra, sides, goal)
            if name is not None:
                algebra.used |= {told(fact)} if name in present_names else set()
            else:
                plain.append((fact, sides))
    for fact, sides in plain:  # what properties of names make of them
        _pin(reader, sides, goal, told(fact))
        rule = _rule(reader, sides, goal, told(fact))
        if rule is not None:
            rules.append(rule)
        (unused if rule is None else ruled if rule.variables else []).append(fact)
    _choose(algebra, rules, present_names)
    of_indices = [a for a in goal.assumptions if isinstance(a, Eq) and _of_indices(a)]
    if of_indices:
        present = frozenset[Symbol]().union(*(term.free_symbols for term in terms))
        algebra.used |= {told(a) for a in of_indices if a.free_symbols & present}
    algebra.orders = _orders(reader, [*facts, *_declared(goal, present_names)], goal)
    algebra.rules = tuple(_with_others(algebra, rule, rules) for rule in rules)
    algebra.moves.clear()
    algebra.leads.clear()
    reader.forget()
    reader.unused, reader.ruled = tuple(unused), tuple(ruled)
    algebra.invertible = tuple(_invertible(reader, facts))
    return reader


def _invertible(reader: Reader, facts: Iterable[Basic]) -> Iterator[tuple[Square, str]]:
    """Yield the matrices that facts say to be invertible, each with the fact that says it."""
    for fact in facts:
        det = (
            fact.matrix if isinstance(fact, Definite) else fact.args[0] if isinstance(fact, Ne | Gt) else None
        )
        if isinstance(det, Det) and (isinstance(fact, Definite) or fact.args[1] == 0):
            with suppress(NoRule, Undefined):
                yield reader.matrix(det), told(fact)


def _with_others(algebra: Algebra, rule: Rule, others: Iterable[Rule]) -> Rule:
    """Return a rule with what other rules make of its replacement, where these do not lead back."""
    for other in others:
        inside = any(other.pattern in m.factors for m in rule.replacement.terms)
        if inside and not other.variables and rule.pattern not in atoms_of(other.replacement):
            by = replaced(algebra, rule.replacement, other.pattern, other.replacement)
            rule = Rule(rule.pattern, rule.variables, by, rule.sources | other.sources)
    return rule


def _of_a_name(algebra: Algebra, sides: tuple[Expr, Expr], goal: Goal) -> str | None:
    """Take from a fact what it says of all entries of a name, and return the name; None if it says none."""
    diagonal, symmetric = hypotheses.diagonal(sides, goal), hypotheses.symmetric(sides, goal)
    opposite = None if symmetric else hypotheses.antisymmetric(sides, goal)
    algebra.antisymmetric |= {opposite} if opposite is not None else set()
    algebra.diagonal |= {diagonal} if diagonal is not None else set()
    algebra.symmetric |= {symmetric} if symmetric is not None else set()
    name = diagonal or symmetric or opposite
    if name is not None:
        return name
    finite, one_hot = hypotheses.finite(sides, goal), hypotheses.one_hot(sides, goal)
    algebra.values |= dict([finite]) if finite is not None else {}
    algebra.one_hot |= dict([one_hot]) if one_hot is not None else {}
    if one_hot is not None:
        algebra.values |= {one_hot[0]: (0, 1)}
    found = finite or one_hot
    return None if found is None else found[0]


def relate(reader: Reader, goal: Goal) -> None:
    """Take what the unused equations of a goal say: entries that they can be solved for, then relations."""
    algebra = reader.algebra
    waiting = list(reader.unused)
    while (found := _solution(reader, waiting, goal)) is not None:
        fact, rule = found
        waiting.remove(fact)
        known = algebra.sign(atom(rule.pattern))
        algebra.rules = (*algebra.rules, rule)
        if known:
            orders = (Order(rule.replacement, known == 2, rule.variables, each) for each in rule.sources)
            algebra.orders = (*algebra.orders, *orders)
        algebra.moves.clear()
        algebra.leads.clear()
        reader.forget()
    summed = [each for fact in (*waiting, *reader.ruled) for each in _summed(fact, goal)]
    for fact, of in (*zip(waiting, waiting, strict=True), *summed):
        rules, apart = algebra.rules, told(of)
        algebra.rules = tuple(rule for rule in rules if apart not in rule.sources)
        algebra.moves.clear()
        read = _form(reader, fact, goal)
        algebra.rules = rules
        algebra.moves.clear()
        if read is not None:
            form, variables, sources = read
            algebra.relations = (
                *algebra.relations,
                Relation(form, variables, sources - {told(fact)} | {apart}),
            )


def _summed(fact: Basic, goal: Goal) -> Iterator[tuple[Basic, Basic]]:
    """Yield an equation for every index, summed over one of them as far as that runs, and the equation."""
    runs = {
        index: goal.context.shapes[str(name)][slot]
        for each in fact.atoms(Indexed)
        if (name := name_of(each)) in goal.context.shapes
        for slot, index in enumerate(each.indices)
        if isinstance(index, Index) and index not in goal.ranges and index in fact.free_symbols
    }
    for index, size in sorted(runs.items(), key=str):
        yield Eq(*(Sum(side, (index, 1, size)) for side in fact.args), evaluate=False), fact


def _solution(reader: Reader, facts: Iterable[Basic], goal: Goal) -> tuple[Basic, Rule] | None:
    """Return the first fact that can be solved for an entry, as the rule that puts its value there."""
    for fact in facts:
        read = _form(reader, fact, goal)
        if read is not None and not _circular(reader.algebra, read[0]):
            found = solved(reader.algebra, *read[:2])
            if found is not None:
                return fact, Rule(found[0], read[1], found[1], read[2])
    return None


def _form(
    reader: Reader, fact: Basic, goal: Goal
) -> tuple[Polynomial, tuple[Variable, ...], frozenset[str]] | None:
    """Return what a fact says to be 0 for every value of variables, and by what; None if it says nothing."""
    fixed = {variable_of(i) for i in goal.ranges}
    outer, reader.algebra.used = reader.algebra.used, {told(fact)}
    try:
        sides = (reader.read(derive(side, goal.context)) for side in fact.args)
        form = cleared(reader.algebra, minus(*sides))
        sources = frozenset(reader.algebra.used)
    except (NoRule, Undefined):
        return None  # what cannot be read is not used
    finally:
        reader.algebra.used = outer
        reader.forget()
    if not form.terms or any(m.marked for m in form.terms):
        return None
    return form, tuple(sorted(v for v in form.free if v not in fixed)), sources


def _circular(algebra: Algebra, form: Polynomial) -> bool:
    """Tell whether a form has a name that a rule for every entry rewrites: the rules might go in a circle."""
    whole = {rule.pattern.name for rule in algebra.rules if rule.variables and rule.pattern.name}
    return not whole.isdisjoint(a.name for a in atoms_of(form))


def _choose(algebra: Algebra, rules: Iterable[Rule], present: frozenset[str]) -> None:
    """Take from hypotheses which names are one-hot, and where they are 1."""
    for rule in rules:
        chosen = hypotheses.chosen(rule, algebra.values)
        if chosen is not None:
            algebra.one_hot |= dict([chosen])
            algebra.used |= rule.sources if chosen[0] in present else set()
    for rule in rules:
        hot = hypotheses.is_chosen(rule, algebra.one_hot)
        if hot is not None:
            algebra.hot[rule.pattern.name] = hot, rule.sources


def _pin(reader: Reader, sides: tuple[Expr, Expr], goal: Goal, source: str) -> None:
    """Take from a hypothesis which numbers a single entry may be."""
    found = hypotheses.pinned(sides)
    indices = getattr(found[0], "indices", ()) if found is not None else ()
    if found is not None and indices and all(i in goal.ranges for i in indices):
        a = _alone(reader.read(found[0]))
        reader.algebra.pinned |= {a: (found[1], source)} if a is not None else {}


def _of_the_indices(
    goal: Goal, upper: dict[Variable, tuple[IndexExpr, ...]]
) -> tuple[dict[Symbol, IndexExpr], dict[IndexExpr, str]]:
    """Return what the assumptions fix free indices and sizes to, and what they keep from being 0."""
    fixed: dict[Symbol, IndexExpr] = {}
    unequal: dict[IndexExpr, str] = {}
    facts = [a for a in goal.assumptions if _of_indices(a) and isinstance(a, Eq | Ne)]
    symbols = {
        variable_of(s): s for a in facts for s in a.free_symbols if isinstance(s, Size) or s in goal.ranges
    }
    for fact in sorted(facts, key=lambda a: isinstance(a, Ne)):
        form = ix.primitive(ix.minus(read_index(fact.lhs, fixed), read_index(fact.rhs, fixed)))
        if form is None or ix.value(form) is not None:
            continue
        if isinstance(fact, Ne):
            unequal[form] = told(fact)
            continue
        for v in sorted(
            ix.variables(form) & symbols.keys(), key=lambda v: (v[0] != ix.SIZE, v), reverse=True
        ):
            found = ix.solved(form, v)
            if found is not None:
                fixed = {s: ix.replaced(e, {v: found}) for s, e in fixed.items()} | {symbols[v]: found}
                for other in ix.variables(found) if found == _only(found) else ():
                    upper[other] = (*upper.get(other, ()), *upper.get(v, ()))
                break
    sizes = {variable_of(s): e for s, e in fixed.items()}
    for v, bounds in upper.items():
        upper[v] = tuple(ix.replaced(bound, sizes) for bound in bounds)
    return fixed, unequal


def _only(form: IndexExpr) -> IndexExpr | None:
    """Return the form of the only variable of an index expression, or None."""
    variables = ix.variables(form)
    return ix.bare(next(iter(variables))) if len(variables) == 1 else None


def _made_positive(fact: Expr, goal: Goal) -> str | None:
    """Return the name that an assumption `x_i > 0`, for every i, makes positive."""
    if not isinstance(fact, sympy.StrictGreaterThan) or not fact.rhs.is_nonnegative or fact.rhs.free_symbols:
        return None
    indices = getattr(fact.lhs, "indices", ())
    if len(set(indices)) < len(indices) or any(not isinstance(i, Index) or i in goal.ranges for i in indices):
        return None
    return name_of(fact.lhs)


def _declared(goal: Goal, names: frozenset[str]) -> Iterator[Expr]:
    """Yield the bounds that the page declares for these names, as inequalities of every entry."""
    for name in sorted(names & goal.context.bounds.keys()):
        bounds = goal.context.bounds[name]
        indices = tuple(fresh("i") for _ in goal.context.shapes.get(name, ()))
        every = entry(name, *indices, positive=bounds.positive)
        if bounds.low is not None:
            yield (Gt if bounds.open_low else Ge)(every, bounds.low, evaluate=False)
        if bounds.high is not None:
            yield (Gt if bounds.open_high else Ge)(bounds.high, every, evaluate=False)


def _orders(reader: Reader, facts: list[Expr], goal: Goal) -> tuple[Order, ...]:
    """Return the inequalities that the page supposes; none where they contradict one another."""
    fixed = {variable_of(i) for i in goal.ranges}
    found: list[Order] = []
    for fact in facts:
        if not isinstance(fact, Gt | Ge | Lt | Le) or (fact.rhs == 0 and _made_positive(fact, goal)):
            continue
        try:
            more, less = (reader.read(derive(side, goal.context)) for side in (fact.gts, fact.lts))
        except NoRule:
            continue  # what cannot be read is not used
        form = minus(more, less)
        quantified = tuple(sorted(v for v in form.free if v not in fixed))
        source = told(fact) if fact in goal.assumptions else ""
        found.append(Order(form, isinstance(fact, Gt | Lt), quantified, source))
    return () if contradictory([(linear(order.form), order.strict) for order in found]) else tuple(found)


def _rule(reader: Reader, sides: tuple[Expr, Expr], goal: Goal, source: str) -> Rule | None:
    """Return a hypothesis as a rewrite of one atom that does not lead back to it, or None."""
    left, right = _without_roots(reader.algebra, *(reader.read(side) for side in sides))
    fixed = {variable_of(i) for i in goal.ranges}
    quantified = tuple(sorted(v for v in (left.free | right.free) if v not in fixed))
    for pattern, replacement in _rewrites(reader.algebra, left, right):
        rule = Rule(pattern, quantified, replacement, frozenset((source,)))
        if set(quantified) <= pattern.free and not _circles(reader.algebra, rule):
            return rule
    return None


def _without_roots(algebra: Algebra, left: Polynomial, right: Polynomial) -> tuple[Polynomial, Polynomial]:
    """Return `a^n = b^n` for an equation `a = b` whose one side is a single term with n-th roots."""
    for side in (left, right):
        only = side.single()
        factors = only[0].factors if only is not None else {}
        n = lcm(*(Fraction(e).denominator for e in factors.values()))
        if 1 < n <= ROOTS:
            return algebra.power(left, n), algebra.power(right, n)
    return left, right


def _rewrites(algebra: Algebra, left: Polynomial, right: Polynomial) -> Iterator[tuple[Atom, Polynomial]]:
    """Yield the atoms that an equation gives a value, and these: one side alone, then sums in one term."""
    for p, q in ((left, right), (right, left)):
        pattern = _alone(p) if p.single() is not None else None
        if pattern is not None:
            yield pattern, q
    difference = minus(left, right)
    for m, c in sorted(difference.terms.items(), key=lambda t: t[0].key()):
        sums = [a for a, e in m.factors.items() if a.kind is Kind.SUM and e == 1]
        rest = [a for a in m.factors if a not in sums]
        sure = all(a.kind is Kind.VALUE or algebra.atom_sign(a) == 2 for a in rest)
        if m.exponent or len(sums) != 1 or not sure:
            continue
        others = minus(Polynomial({m: c}), difference)
        inverse = Polynomial({Monomial(None, {a: -m.factors[a] for a in rest}): 1 / Fraction(c)})
        yield sums[0], algebra.times(others, inverse)


def _circles(algebra: Algebra, rule: Rule) -> bool:
    """Tell whether a replacement has its pattern, or for every entry the like: `A_ij = -A_ji`."""
    pattern, whole = rule.pattern, rule.pattern.name if rule.variables else ""
    alike = (a for a in atoms_of(rule.replacement) if a.kind is pattern.kind is Kind.SUM)
    return any(a == pattern or (a.name == whole != "") for a in atoms_of(rule.replacement)) or any(
        algebra.match(rule, a) is not None for a in alike if a.sizes == pattern.sizes
    )


def _alone(p: Polynomial) -> Atom | None:
    """Return the atom that a polynomial is."""
    ((m, c),) = p.terms.items()
    if c != 1 or m.exponent or len(m.factors) != 1:
        return None
    ((a, e),) = m.factors.items()
    return a if e == 1 and a.kind in (Kind.SUM, Kind.ENTRY, Kind.SYMMETRIC) else None

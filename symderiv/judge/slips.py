"""What an author may have meant: small changes of one member, the smallest first.

Each rule is a slip of one kind, at the nodes of one kind. A *part* is a factor that other formulas of the
step contain. Nothing here knows whether an edit makes a step true.
"""

from __future__ import annotations

import itertools
import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence

from symderiv.diagnostics import Span
from symderiv.judge.edits import Edit, Formula, Stretches, edit, factors, is_number
from symderiv.latex import tree
from symderiv.meaning.names import walk

Rule = Callable[[Formula, tree.Node], Iterator[Edit]]
"""The edits of one kind at one node of a member."""


def slips(formula: Formula) -> list[Edit]:
    """Return the edits of a member, the smallest change first, none twice."""
    found: dict[Stretches, tuple[float, Edit]] = {}
    turns: Counter[tuple[Rule, Span]] = Counter()
    pairs = [(rule, formula.node) for rule in WHOLE]
    pairs += [(rule, node) for node in walk(formula.node) for rule in RULES.get(type(node), ())]
    for rule, node in pairs:
        for each in rule(formula, node):
            if each.stretches not in found:
                found[each.stretches] = each.cost + _PATIENCE * turns[rule, node.span], each
                turns[rule, node.span] += 1
    return [each for _, each in sorted(found.values(), key=lambda one: one[0])]


def turns(formula: Formula) -> list[Edit]:
    """Return the edits of a member that only transpose matrices or change their places."""
    products = [node for node in walk(formula.node) if isinstance(node, tree.Product)]
    nodes: Sequence[tree.Node] = products or [formula.node]
    found = {each.stretches: each for node in nodes for each in _matrices(formula, node)}
    return sorted(found.values(), key=lambda each: each.cost)


_PATIENCE = 0.06
"""What each edit of a rule at a node costs more than the one before: all have a turn while there is time."""


# Signs and terms


def _signs(formula: Formula, node: tree.Node) -> Iterator[Edit]:
    """A term has the other sign."""
    assert isinstance(node, tree.Additive)
    start = node.span.start
    for at, (sign, term) in enumerate(node.terms):
        between = Span(start, term.span.start)
        found = formula.text[between.start : between.end].rfind(sign)
        start = term.span.end
        if found >= 0:
            place = between.start + found
            other = "" if sign == "-" and not at else {"+": "-", "-": "+"}[sign]
            yield edit(1, Span(place, place + 1), other)
        elif not at and sign == "+":
            yield edit(1, Span(term.span.start, term.span.start), "-")


def _fewer_terms(_: Formula, node: tree.Node) -> Iterator[Edit]:
    """A term goes, or all but one."""
    assert isinstance(node, tree.Additive)
    for at in range(1, len(node.terms)):
        yield edit(2.5, Span(node.terms[at - 1][1].span.end, node.terms[at][1].span.end), "")
    first, second = node.terms[0][1], node.terms[1][1] if len(node.terms) > 1 else None
    if second is not None:
        sign = "-" if node.terms[1][0] == "-" else ""
        yield edit(2.5, Span(min(node.span.start, first.span.start), second.span.start), sign)


def _more_terms(formula: Formula, node: tree.Node) -> Iterator[Edit]:
    """A term of another formula of the step is added."""
    if isinstance(node, tree.Matrix | tree.Cases):
        return
    end, whole = Span(node.span.end, node.span.end), formula.of(node)
    for term in dict.fromkeys((*formula.terms, *formula.parts)):
        for sign in ("-", "+") if term not in whole else ():
            yield edit(2.4 if term in formula.terms else 2.8, end, f" {sign} {term}")


def _in_brackets(formula: Formula, node: tree.Node) -> Iterator[Edit]:
    """What stands in brackets lacks a term."""
    assert isinstance(node, tree.Group)
    yield from _more_terms(formula, node.body)


def _negated(formula: Formula, node: tree.Node) -> Iterator[Edit]:
    """The whole has the other sign."""
    if isinstance(node, tree.Additive):
        if len(node.terms) > 1:
            yield edit(1.5, node, rf"-\left( {formula.of(node)} \right)")
    elif not isinstance(node, tree.Matrix | tree.Cases):
        yield edit(1, Span(node.span.start, node.span.start), "-")


# Factors


def _matrices(formula: Formula, node: tree.Node) -> Iterator[Edit]:
    """Factors of a matrix product change places, or are transposed, or both."""
    if isinstance(node, tree.Product):
        factors = [each for each in node.factors if not is_number(each)]
        run = node.factors[len(node.factors) - len(factors) :]
        plain = tuple(factors) == run and set(node.operators[len(node.operators) - len(run) + 1 :]) <= {""}
        if not plain or not 2 <= len(run) <= _MOST_FACTORS:
            for factor in node.factors:
                yield from _turned(formula, factor)
            return
    else:
        run = (node,)
    texts = [(formula.of(each), _transposed(formula, each)) for each in run]
    for order in itertools.permutations(range(len(run))):
        for turns in itertools.product((0, 1), repeat=len(run)):
            if any(texts[at][1] is None for at in range(len(run)) if turns[at]):
                continue
            moved = order != tuple(range(len(run)))
            cost = 1.0 * moved + sum(turns)
            if cost and cost <= _MOST_COST:
                new = [(texts[at][turns[at]] or "").strip() for at in order]
                yield edit(cost + 0.2, Span(run[0].span.start, run[-1].span.end), _juxtaposed(new))


_MOST_FACTORS, _MOST_COST = 3, 3


def _turned(formula: Formula, node: tree.Node) -> Iterator[Edit]:
    new = _transposed(formula, node)
    if new is not None:
        yield edit(1.2, node, new)


def _transposed(formula: Formula, node: tree.Node) -> str | None:
    """Return a factor with a transpose, or without the one that it has; None for what is no matrix."""
    base, text = node, formula.of(node)
    if isinstance(node, tree.Script):
        above = None if node.sup is None else formula.of(node.sup).strip("{} ")
        if above in _TRANSPOSES:
            return formula.of(node.base) if node.sub is None else re.sub(r"\^(\{[^{}]*\}|\\\w+|\w)", "", text)
        if node.sup is not None:
            return None
        base = node.base
    if isinstance(base, tree.Name) and (base.text not in formula.letters or base.font == "bold"):
        return f"{text}{formula.mark}"
    if isinstance(node, tree.Group):
        return f"{text}{formula.mark}"
    if isinstance(node, tree.Derivative):
        return rf"\left( {text} \right){formula.mark}"
    if isinstance(node, tree.Accent):
        return f"{text}{formula.mark}"
    return None


_TRANSPOSES = frozenset({"T", "t", r"\top", r"\mathsf T", r"\mathsf{T", r"\mathrm{T", r"\intercal", r"\rm T"})


def _juxtaposed(texts: Sequence[str]) -> str:
    return " ".join(texts)


def _fewer_factors(_: Formula, node: tree.Node) -> Iterator[Edit]:
    """A factor goes."""
    assert isinstance(node, tree.Product)
    last = len(node.factors) - 1
    for at, factor in enumerate(node.factors):
        if at < last and node.operators[at] not in ("/", "div"):
            yield edit(2, Span(factor.span.start, node.factors[at + 1].span.start), "")
        elif at == last:
            yield edit(2, Span(node.factors[at - 1].span.end, factor.span.end), "")


def _more_factors(formula: Formula, node: tree.Node) -> Iterator[Edit]:
    """A factor of the step is put after the last or before the first; one that other terms have is likely."""
    if isinstance(node, tree.Additive | tree.Number | tree.Matrix | tree.Cases):
        return
    end, start = node.span.end, node.span.start
    here, whole = formula.of(node), formula.of(formula.node)
    for part in formula.parts:
        cost = 3.0 if part in here else 1.6 if part in whole else 2.4
        yield edit(cost, Span(end, end), f" {part}")
        if isinstance(node, tree.Product):
            yield edit(cost + 0.4, Span(start, start), f"{part} ")


def _unlike(formula: Formula, node: tree.Node) -> Iterator[Edit]:
    """A term gets a factor that all the others have, up to its indices."""
    assert isinstance(node, tree.Additive)
    written = [_without_indices(formula.of(term)) for _, term in node.terms]
    for at, (_, term) in enumerate(node.terms):
        others = written[:at] + written[at + 1 :]
        for part in formula.parts:
            name = _without_indices(part)
            if others and name not in written[at] and all(name in other for other in others):
                bodies = [each.body for each in walk(term) if isinstance(each, tree.Big)]
                for place in (*bodies, term):
                    yield edit(1, Span(place.span.end, place.span.end), f" {part}")


def _without_indices(latex: str) -> str:
    return re.sub(r"_(\{[^{}]*\}|\\?\w)", "", "".join(latex.split()))


def _each_term(rule: Rule) -> Rule:
    """Return the rule that is applied to each term of a sum."""

    def applied(formula: Formula, node: tree.Node) -> Iterator[Edit]:
        terms = [term for _, term in node.terms] if isinstance(node, tree.Additive) else [node]
        for term in terms:
            yield from rule(formula, term)

    return applied


def _other_factors(formula: Formula, node: tree.Node) -> Iterator[Edit]:
    """A factor is another one of the step's."""
    for factor in factors(node):
        if is_number(factor) or isinstance(factor, tree.Additive | tree.Big | tree.Matrix | tree.Cases):
            continue
        for part in formula.parts:
            if part != formula.of(factor):
                yield edit(2.8, factor, part)


def _inside(formula: Formula, node: tree.Node) -> Iterator[Edit]:
    """What stands under a big operator lacks a factor, or has another one's."""
    assert isinstance(node, tree.Big)
    yield from _each_term(_more_factors)(formula, node.body)
    yield from _each_term(_other_factors)(formula, node.body)
    if not isinstance(node.body, tree.Product):
        yield from _matrices(formula, node.body)


# Numbers, exponents, fractions


def _scripts(formula: Formula, node: tree.Node) -> Iterator[Edit]:
    """An exponent goes, becomes the next number, or has the other sign."""
    assert isinstance(node, tree.Script)
    if node.sup is None or formula.of(node.sup).strip("{} ") in _TRANSPOSES:
        return
    sup = node.sup
    if isinstance(sup, tree.Number) and sup.text.isdigit():
        for other in (int(sup.text) - 1, int(sup.text) + 1):
            if other > 1:
                yield edit(1.4, sup, str(other))
    if isinstance(sup, tree.Number) and node.sub is None:
        yield edit(1.5, node, formula.of(node.base))
    text = formula.text
    if not isinstance(sup, tree.Additive) and text[sup.span.start - 1] == "{":
        yield edit(1.1, Span(sup.span.start, sup.span.start), "-")


def _numbers(_: Formula, node: tree.Node) -> Iterator[Edit]:
    """A small number is another one."""
    assert isinstance(node, tree.Number)
    if node.text in {"0", "1", "2", "3", "4"}:
        for other in (int(node.text) - 1, int(node.text) + 1):
            if other >= 0:
                yield edit(1.6, node, str(other))


def _squared(formula: Formula, node: tree.Node) -> Iterator[Edit]:
    """A factor is squared."""
    for factor in factors(node):
        if isinstance(factor, tree.Name | tree.Accent | tree.Group) or (
            isinstance(factor, tree.Script) and factor.sup is None and not factor.primes
        ):
            yield edit(2.6, factor, f"{formula.of(factor)}^2")


def _fractions(formula: Formula, node: tree.Node) -> Iterator[Edit]:
    """A fraction is turned round, or keeps one of its parts."""
    assert isinstance(node, tree.Fraction)
    above, below = formula.of(node.numerator), formula.of(node.denominator)
    if above and below:
        yield edit(2.2, node, rf"\frac{{{below}}}{{{above}}}")
        yield edit(2.3, node, rf"\left( {above} \right)" if _is_wide(node.numerator) else above)
    for each in (node.numerator, node.denominator):
        yield from _each_term(_more_factors)(formula, each)


def _is_wide(node: tree.Node) -> bool:
    return isinstance(node, tree.Additive | tree.Product | tree.Big)


def _scaled(formula: Formula, node: tree.Node) -> Iterator[Edit]:
    """The whole is multiplied or divided by a size."""
    if isinstance(node, tree.Matrix | tree.Cases):
        return
    text = formula.of(node)
    text = rf"\left( {text} \right)" if isinstance(node, tree.Additive) else text
    for size in formula.sizes:
        yield edit(2.4, node, rf"\frac{{1}}{{{size}}} {text}")
        yield edit(2.4, node, f"{size} {text}")


# Indices and bounds


def _indices(formula: Formula, node: tree.Node) -> Iterator[Edit]:
    """An index is another one, or the two of one subscript change places."""
    assert isinstance(node, tree.Script)
    if node.sub is None:
        return
    leaves = [each for each in walk(node.sub) if isinstance(each, tree.Name) and each.text in formula.letters]
    for leaf in leaves:
        for letter in formula.letters:
            if letter != leaf.text:
                yield edit(1.3, leaf, letter)
    if len(leaves) == 2 and leaves[0].text != leaves[1].text:
        first, second = leaves
        yield Edit(1.1, ((first.span, second.text), (second.span, first.text)))


def _exchanged(formula: Formula, node: tree.Node) -> Iterator[Edit]:
    """Two letters change places all over the member."""
    leaves = [each for each in walk(node) if isinstance(each, tree.Name) and each.text in formula.letters]
    used = sorted({leaf.text for leaf in leaves})
    for one, other in itertools.combinations(used, 2):
        changes = {one: other, other: one}
        found = {leaf.span: changes[leaf.text] for leaf in leaves if leaf.text in changes}
        yield Edit(2.1, tuple(sorted(found.items(), key=lambda each: each[0].start)))
    for one in used:
        for other in formula.letters:
            if other not in used:
                spans = sorted({leaf.span for leaf in leaves if leaf.text == one}, key=lambda s: s.start)
                if len(spans) > 1:
                    yield Edit(2.2, tuple((span, other) for span in spans))


def _bounds(formula: Formula, node: tree.Node) -> Iterator[Edit]:
    """A sum runs over another letter, from 1, or to another size."""
    assert isinstance(node, tree.Big)
    lower, upper = node.lower, node.upper
    if isinstance(lower, tree.Relation) and lower.operators == ("=",):
        first, last = lower.members
        inside = {each.text for each in walk(node.body) if isinstance(each, tree.Name)}
        for letter in formula.letters:
            if letter in inside and formula.of(lower) != f"{letter}=1":
                yield edit(1.3, lower, f"{letter}=1")
        if isinstance(last, tree.Number) and isinstance(first, tree.Name) and last.text.isdigit():
            yield edit(1.2, last, str(1 - int(last.text)) if last.text in "01" else "1")
    if upper is not None:
        if isinstance(upper, tree.Additive) and isinstance(upper.terms[0][1], tree.Name):
            yield edit(1.2, upper, formula.of(upper.terms[0][1]))
        for size in formula.sizes:
            if size != formula.of(upper):
                yield edit(1.4, upper, size)


# Functions, operators, matrices


_FUNCTIONS = {r"\sin": r"\cos", r"\sinh": r"\cosh", r"\log": r"\exp", r"\ln": r"\exp", r"\max": r"\min"}
_OTHER = _FUNCTIONS | {new: old for old, new in _FUNCTIONS.items() if old != r"\ln"}


def _functions(formula: Formula, node: tree.Node) -> Iterator[Edit]:
    """A function is the one that it may be confused with."""
    assert isinstance(node, tree.Call)
    name = formula.of(node.function)
    if name in _OTHER:
        yield edit(1.7, node.function, _OTHER[name])


def _operators(_: Formula, node: tree.Node) -> Iterator[Edit]:
    """A product is one entry by entry, or an outer one, or the other way round."""
    assert isinstance(node, tree.Product)
    others = {"odot": ("", r"\otimes"), "otimes": (r"\odot",), "": (r"\odot",), "circ": ("",)}
    for at, operator in enumerate(node.operators):
        gap = Span(node.factors[at].span.end, node.factors[at + 1].span.start)
        for other in others.get(operator, ()):
            if not any(map(is_number, node.factors[at : at + 2])):
                yield edit(1.8, gap, f" {other} " if other else " ")


def _rows(formula: Formula, node: tree.Node) -> Iterator[Edit]:
    """Two rows of a matrix, its columns, or the values of two cases change places."""
    pairs: list[tuple[tree.Node, tree.Node]] = []
    if isinstance(node, tree.Cases):
        pairs = list(itertools.combinations([row.value for row in node.rows], 2))
    elif isinstance(node, tree.Matrix) and all(len(row) == 1 for row in node.rows):
        pairs = list(itertools.combinations([row[0] for row in node.rows], 2))
    elif isinstance(node, tree.Matrix) and len(node.rows) == 1:
        pairs = list(itertools.combinations(node.rows[0], 2))
    elif isinstance(node, tree.Matrix) and len(node.rows) == len(node.rows[0]) == _TWO:
        pairs = [(node.rows[0][1], node.rows[1][0])]
    for first, second in pairs[:6]:
        yield Edit(1.5, ((first.span, formula.of(second)), (second.span, formula.of(first))))


_TWO = 2

WHOLE: tuple[Rule, ...] = (
    _negated, _scaled, _exchanged, _more_terms,
    _each_term(_matrices), _each_term(_more_factors), _each_term(_other_factors), _each_term(_squared),
)  # fmt: skip
"""What applies to a member as a whole or to each of its terms."""

RULES: dict[type[tree.Node], tuple[Rule, ...]] = {
    tree.Additive: (_signs, _unlike, _fewer_terms, _each_term(_matrices), _each_term(_more_factors)),
    tree.Product: (_matrices, _fewer_factors, _other_factors, _operators, _squared),
    tree.Script: (_scripts, _indices),
    tree.Group: (_in_brackets,),
    tree.Number: (_numbers,),
    tree.Fraction: (_fractions,),
    tree.Big: (_bounds, _inside),
    tree.Call: (_functions,),
    tree.Matrix: (_rows,),
    tree.Cases: (_rows,),
}
"""What applies to each kind of node."""

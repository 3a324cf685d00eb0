"""Big operators: sums, products, maxima and minima over bound indices.

Vocabulary: the *start* and the *upper* end are the bounds of an index; a *restriction* is what a bound
says of the index beyond them.
"""

from __future__ import annotations

from dataclasses import replace

import sympy
from sympy import Expr, Indexed, Integer
from sympy.logic.boolalg import And, Boolean

from symderiv.kernel.terms import Cases, Greatest, Size, indicator
from symderiv.latex import tree
from symderiv.meaning import names
from symderiv.meaning.conditions import proposition
from symderiv.meaning.elaborator import Elaborator
from symderiv.meaning.errors import unsupported
from symderiv.meaning.model import Tensor
from symderiv.meaning.renaming import summed
from symderiv.meaning.vocabulary import RELATIONS

_LATEST_START = 8
_WORDS = {"sum": "sum", "prod": "product", "max": "maximum", "min": "minimum"}
"""The operators over an index that have a meaning, and what a reader calls them."""


def big(elaborator: Elaborator, node: tree.Big) -> Tensor:
    """Elaborate a sum, a product or the greatest or least of a term over bound indices."""
    if node.operator not in _WORDS:
        raise unsupported(f"symderiv has no meaning for this {node.operator} yet", node.span)
    letters = names.bound_letters(node.lower)
    if not letters:
        raise unsupported("this sum does not name its index", node.span)
    inside, after = _parted(node, letters)
    both = _both(elaborator, node)
    letters += both if after is None or not names.free_letters(after, set(both)) else ()
    first, start, run = _first(elaborator, node.lower)
    last, room = _last(elaborator, node.upper)
    upper = _upper(elaborator, node, start) if last is None else room
    sizes = tuple(
        upper or elaborator.scope.range(letter) or elaborator.sizes.new(origin=node.span)
        for letter in letters
    )
    with elaborator.binding(letters, sizes) as indices:
        if upper is not None:
            elaborator.starts |= dict.fromkeys(letters, min(start, 1))
        value = _term(elaborator, node, inside)
        found = (
            _restriction(elaborator, node.lower),
            None if first is None else RELATIONS[">="](indices[0], first),
            None if last is None else RELATIONS["<="](indices[0], last),
        )
    _extend(elaborator, run, sizes[0])
    body = value.body
    conditions = [each for each in found if each is not None]
    conditions += [sympy.Ne(indices[0], skipped) for skipped in range(1, start)]
    if node.operator == "prod" and conditions:
        body = Cases(body, And(*conditions), Integer(1), sympy.true)
    elif conditions:
        if node.operator != "sum":
            raise unsupported(f"a {_WORDS[node.operator]} with a condition is not supported yet", node.span)
        body = body * indicator(And(*conditions))
    for letter in letters:
        if letter not in names.free_letters(inside, {letter}) and body.atoms(Indexed):
            elaborator.note(
                "SD105", f"the summed index {letter} does not occur in the body of the sum", node.span
            )
    operator = {"sum": summed, "prod": sympy.Product}.get(node.operator, Greatest)
    least = node.operator == "min"
    body = -body if least else body
    for index, size in reversed(list(zip(indices, sizes, strict=True))):
        body = operator(body, (index, 1, size))
    body = -body if least else body
    if after is not None:
        rest = elaborator.value(after)
        if value.slots or rest.slots:
            raise unsupported("brackets would tell where this product ends", node.span)
        body *= rest.body
    return replace(value, body=body, numerator=None, denominator=None)


def _extend(elaborator: Elaborator, run: Size | None, size: Size) -> None:
    """Let the index from which a sum runs go as far as the sum, where nothing else tells how far."""
    if run is not None and elaborator.sizes.value(run) is None:
        elaborator.sizes.try_unify(size, run)


def _parted(node: tree.Big, letters: tuple[str, ...]) -> tuple[tree.Node, tree.Big | None]:
    """Return what a product is of, and the sum or product that ends it, as it has nothing of its index."""
    body = node.body
    if node.operator != "prod" or not isinstance(body, tree.Product) or body.operators[-1] in {"/", "div"}:
        return body, None
    *before, last = body.factors
    if not isinstance(last, tree.Big) or names.free_letters(last, set(letters)):
        return body, None
    inside = (
        before[0] if len(before) == 1 else replace(body, factors=tuple(before), operators=body.operators[:-1])
    )
    return (inside, last) if names.free_letters(inside, set(letters)) else (body, None)


def _term(elaborator: Elaborator, node: tree.Big, inside: tree.Node) -> Tensor:
    value = elaborator.value(inside)
    if node.operator == "prod" and value.rank:
        raise unsupported("a product of vectors or matrices over an index is not supported yet", node.span)
    return value


def _is_letter(elaborator: Elaborator, text: str) -> bool:
    """Tell whether a name is an index here, and no size."""
    return text in elaborator.bound or (
        elaborator.scope.is_index(text) and elaborator.scope.size(text) is None
    )


def _both(elaborator: Elaborator, node: tree.Big) -> tuple[str, ...]:
    """Return the second letter of `i \\ne j` or `i < j` below a sum where that runs over both letters.

    It does where the letter has no meaning outside the sum, unless the page has it free elsewhere, as in
    `j \\ne y` or `j \\le i`; then the author may mean either, and the other reading is told to exist.
    """
    lower = node.lower
    if not isinstance(lower, tree.Relation) or lower.operators not in (("!=",), ("<",), ("<=",)):
        return ()
    second = lower.members[-1]
    if not isinstance(second, tree.Name) or not elaborator.scope.is_index(second.text):
        return ()
    taken = any(
        second.text in letters
        for letters in (elaborator.bound, elaborator.outside, elaborator.free, elaborator.fixed)
    )
    alone = elaborator.whole is not None and second.text not in names.free_beside(
        elaborator.whole, node, {second.text}
    )
    if not alone or taken:
        return ()
    elaborator.two_readings = True
    first = names.bound_letters(lower)[0]
    usual = len(first) == len(second.text) == 1 and ord(second.text) == ord(first) + 1
    both = usual or not elaborator.is_free_elsewhere(second.text)
    return (second.text,) if both != elaborator.turned else ()


def _at_index(elaborator: Elaborator, bound: tree.Node | None) -> tuple[Expr | None, Size | None]:
    """Return a bound `i`, `i - 1` or `i + 1` that is told by another index, and how far that one runs."""
    letters = [
        each
        for each in (() if bound is None else names.walk(bound))
        if isinstance(each, tree.Name) and _is_letter(elaborator, each.text)
    ]
    if bound is None or len(letters) != 1:
        return None, None
    index, size = elaborator.letter(letters[0].text, letters[0].span)
    value = elaborator.value(bound).body
    return (value, size) if (value - index).is_Integer else (None, None)


def _last(elaborator: Elaborator, upper: tree.Node | None) -> tuple[Expr | None, Size | None]:
    """Return the bound at which a sum ends if another index tells it, and how far that one runs."""
    last, size = _at_index(elaborator, upper)
    if last is not None and upper is not None and _beyond(last) > 0:
        raise unsupported("a sum that may run past its last entry is not supported yet", upper.span)
    return last, size


def _beyond(bound: Expr) -> int:
    """Return how far a bound lies beyond its index: the 1 of `i + 1`."""
    return int(bound.as_coeff_Add()[0])


def _first(elaborator: Elaborator, lower: tree.Node | None) -> tuple[Expr | None, int, Size | None]:
    """Return the bound from which a sum runs, if an index tells it, with its range; else a small number."""
    if not isinstance(lower, tree.Relation) or lower.operators != ("=",):
        return None, 1, None
    first, run = _at_index(elaborator, lower.members[1])
    if first is not None and _beyond(first) >= 0:
        return first, 1, run
    start = elaborator.value(lower.members[1]).body
    if not start.is_Integer or not 0 <= start <= _LATEST_START:
        raise unsupported("a sum that starts there is not supported yet", lower.span)
    return None, int(start), None


def _upper(elaborator: Elaborator, node: tree.Big, start: int) -> Size | None:
    """Return the dimension that a sum's bounds name; a sum from 0 to n - 1 is read as one from 1 to n."""
    if node.upper is None:
        return elaborator.scope.size(elaborator.means.get(id(node), ""))
    known = elaborator.scope.size(node.upper.text) if isinstance(node.upper, tree.Name) and start else None
    if known is not None:
        return known
    letters = names.bound_letters(node.lower)
    if start == 0 and any(_is_compared(node.body, letter) for letter in letters):
        raise unsupported("a sum from 0 whose index is compared in it is not supported yet", node.span)
    last = elaborator.value(node.upper).body + (0 if start else 1)
    return last if isinstance(last, Size) else elaborator.sizes.new(last, origin=node.span)


def _is_compared(body: tree.Node, letter: str) -> bool:
    """Tell whether a letter stands in a condition, or bounds another sum."""
    for node in names.walk(body):
        ends = (node.lower, node.upper) if isinstance(node, tree.Big) else ()
        for each in (node,) if isinstance(node, tree.Relation) else ends:
            inner = () if each is None else names.walk(each)
            if any(isinstance(name, tree.Name) and name.text == letter for name in inner):
                return True
    return False


def _restriction(elaborator: Elaborator, lower: tree.Node | None) -> Boolean | None:
    """Return the condition below a sum, `j \\ne i` or `k < i`, or None."""
    if isinstance(lower, tree.Sequence):
        found = [
            each for each in (_restriction(elaborator, item) for item in lower.items) if each is not None
        ]
        return And(*found) if found else None
    if not isinstance(lower, tree.Relation) or lower.operators == ("=",):
        return None
    if "in" in lower.operators:
        raise unsupported("a sum over a set is not supported yet", lower.span)
    return proposition(elaborator, lower)


def ends_early(node: tree.Node) -> bool:
    """Tell whether an expression has a sum from 1 that stops short of a size, `\\sum_{i=1}^{n-1}`."""
    return any(
        isinstance(each, tree.Big)
        and isinstance(each.upper, tree.Additive)
        and isinstance(each.lower, tree.Relation)
        and not (isinstance(each.lower.members[-1], tree.Number) and each.lower.members[-1].text == "0")
        for each in names.walk(node)
    )

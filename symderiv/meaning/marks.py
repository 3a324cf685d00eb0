r"""The mark of a differential: a d, D or `\partial` before a factor, on a page that has no other use of it.

The reader of LaTeX leaves `d(AB)`, `A\,dX` and `\partial X` as products, for a d may be a name. Whether it is
one, the whole page tells.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from symderiv.latex import tree
from symderiv.meaning import names
from symderiv.meaning.vocabulary import ELEMENTARY


def is_named(members: list[tree.Node]) -> bool:
    """Tell whether a page has the letter d where it is no mark: alone, as a size, with a subscript."""
    return any(_loose(member, "d") for member in members if not _is_below(member, "d"))


def with_marks(chain: tree.Chain, *, named: bool, operator: bool) -> tree.Chain:
    """Read marks before factors as differentials; `operator` tells whether D is such a mark."""
    named = named and not _alike([member for member in chain.members if member is not None])

    def marked(node: tree.Node) -> tree.Node:
        if isinstance(node, tree.Derivative):
            return _turned(node)
        if isinstance(node, tree.Call):
            return _ended(node)
        return _marked(node, named=named, operator=operator) if isinstance(node, tree.Product) else node

    members = [None if member is None else names.rebuilt(member, marked) for member in chain.members]
    return _paired(replace(chain, members=tuple(members)))


def _alike(members: list[tree.Node]) -> bool:
    """Tell whether several sides have a d as if it were a mark, and the first begins with `d(` or `d f(`.

    Where d is a name of the page, too, nobody can tell differentials from products.
    """
    first = members[0]
    if len(members) < 2 or not isinstance(first, tree.Product) or not _is_mark(first, 0, "d"):
        return False
    called = any(isinstance(factor, tree.Group) for factor in first.factors[1:3])
    return called and any(_is_marked(each) for member in members[1:] for each in names.walk(member))


def _is_marked(node: tree.Node) -> bool:
    marked = isinstance(node, tree.Product) and any(
        _is_mark(node, at, "d") for at in range(len(node.factors))
    )
    return marked or isinstance(node, tree.Differential)


def is_operator(members: list[tree.Node]) -> bool:
    """Tell whether D stands on a page only as in `D f(x)[h]`."""
    return not any(_loose(member, "D") for member in members)


def _loose(node: tree.Node, letter: str) -> bool:
    """Tell whether a letter stands somewhere else than as a mark before a factor."""
    if isinstance(node, tree.Name):
        return node.text == letter
    if isinstance(node, tree.Differential) and letter == "d":
        return _loose(node.of, letter)
    if _is_dimension(node, letter):
        return False
    if not isinstance(node, tree.Product):
        return any(_loose(child, letter) for child in names.children(node))
    for at, factor in enumerate(node.factors):
        mark = _is_mark(node, at, letter)
        below = factor.sub if mark and isinstance(factor, tree.Script) else None
        if (below is not None and _loose(below, letter)) or (not mark and _loose(factor, letter)):
            return True
    return False


def _is_dimension(node: tree.Node, letter: str) -> bool:
    """Tell whether a letter is there as a part of a size only: `\\sqrt{d_k}`, `\\mathbb{R}^{d_k}`."""
    if isinstance(node, tree.Root):
        return _is_below(node.radicand, letter)
    if not isinstance(node, tree.Script):
        return False
    if isinstance(node.base, tree.Name) and node.base.font == "blackboard" and node.sup is not None:
        sizes = node.sup.factors if isinstance(node.sup, tree.Product) else (node.sup,)
        return not any(_loose(each, letter) for each in sizes if not _is_below(each, letter))
    word = isinstance(node.sub, tree.Words) or (isinstance(node.sub, tree.Name) and len(node.sub.text) > 1)
    return word and _is_below(node, letter)


def _is_below(node: tree.Node, letter: str) -> bool:
    """Tell whether a node is a letter with a subscript."""
    scripted = isinstance(node, tree.Script) and node.sup is None and node.sub is not None
    return scripted and isinstance(node, tree.Script) and _is_letter(node.base, letter)


def _is_mark(node: tree.Product, at: int, letter: str) -> bool:
    """Tell whether the factor at a place is a mark of the one that follows."""
    factor = node.factors[at]
    if at + 1 == len(node.factors) or node.operators[at] != "":
        return False
    following = node.factors[at + 1]
    if letter == "D" or isinstance(factor, tree.Script):
        called = at + 3 < len(node.factors) and _is_round(node.factors[at + 2])
        if not called or node.operators[at + 1] != "" or not isinstance(following, tree.Name | tree.Accent):
            return False
    if letter == "D":
        last = node.factors[at + 3]
        directed = node.operators[at + 2] == "cdot" or (isinstance(last, tree.Group) and last.left == "[")
        return isinstance(factor, tree.Name) and factor.text == "D" and directed
    if isinstance(factor, tree.Script):
        plain = factor.sup is None and not factor.primes and factor.sub is not None
        group = node.factors[at + 2]
        inside = {n.text for n in names.walk(group) if isinstance(n, tree.Name)}
        named = isinstance(factor.sub, tree.Name) and factor.sub.text in inside
        return plain and named and node.operators[at + 2] == "cdot" and _is_letter(factor.base, letter)
    listed = isinstance(following, tree.Group) and isinstance(following.body, tree.Sequence)
    return _is_letter(factor, letter) and not listed and not isinstance(following, tree.Number)


def _is_directed(node: tree.Product, at: int) -> bool:
    """Tell whether a mark may be that of `d f(x) \\cdot h`; `mark_or_size` tells whether it is one."""
    called = at + 3 < len(node.factors) and _is_round(node.factors[at + 2])
    return called and node.operators[at + 1 : at + 3] == ("", "cdot")


def _is_letter(node: tree.Node, letter: str) -> bool:
    return isinstance(node, tree.Name) and node.text == letter and node.font in ("", "roman")


def _is_round(node: tree.Node) -> bool:
    return isinstance(node, tree.Group) and node.left == "("


def _marked(node: tree.Product, *, named: bool, operator: bool) -> tree.Node:
    factors: list[tree.Node] = []
    operators: list[str] = []
    at = 0
    while at < len(node.factors):
        factor = node.factors[at]
        if at:
            operators.append(node.operators[at - 1])
        mark = _is_mark(node, at, "d") and (not named or _is_directed(node, at))
        mark = mark or (operator and _is_mark(node, at, "D")) or _is_mark(node, at, "\\partial")
        if mark:
            following = node.factors[at + 1]
            by = factor.sub if isinstance(factor, tree.Script) else None
            upright = not isinstance(factor, tree.Name) or factor.text != "d"
            factor = tree.Differential(following, by, upright=upright, span=factor.span.to(following.span))
            at += 1
        factors.append(factor)
        at += 1
    if len(factors) == len(node.factors):
        return node
    return (
        factors[0] if len(factors) == 1 else replace(node, factors=tuple(factors), operators=tuple(operators))
    )


def _turned(node: tree.Derivative) -> tree.Node:
    """Read `\\nabla f(x)^\\top h` as the transpose of the gradient, and h."""
    of = node.of
    if node.style != "nabla" or node.by or not isinstance(of, tree.Product) or of.operators[0] != "":
        return node
    function, following = of.factors[:2]
    if isinstance(function, tree.Script) and names.is_transpose(function.sup) and function.sub is None:
        inner, sup, rest, operators = function.base, function.sup, of.factors[1:], of.operators
    elif (
        isinstance(following, tree.Script) and isinstance(following.base, tree.Group) and len(of.factors) > 2
    ):
        if not names.is_transpose(following.sup) or not isinstance(function, tree.Name | tree.Accent):
            return node
        inner = replace(of, factors=(function, following.base), operators=("",))
        sup, rest, operators = following.sup, of.factors[2:], of.operators[1:]
    else:
        return node
    gradient = tree.Script(
        tree.Group(replace(node, of=inner), "(", ")", span=node.span), None, sup, span=node.span
    )
    return tree.Product((gradient, *rest), operators, span=node.span)


def _ended(node: tree.Call) -> tree.Node:
    """Read `\\log x\\, dx` as a product: the argument of such a function ends before a differential."""
    argument = node.arguments[0] if len(node.arguments) == 1 else None
    if not isinstance(argument, tree.Product) or not isinstance(node.function, tree.Name):
        return node
    at = next((k for k, each in enumerate(argument.factors) if isinstance(each, tree.Differential)), 0)
    if not at or node.function.text not in ELEMENTARY or node.span.end > argument.span.end:
        return node
    inside = replace(argument, factors=argument.factors[:at], operators=argument.operators[: at - 1])
    call = replace(node, arguments=(inside if at > 1 else argument.factors[0],))
    return replace(argument, factors=(call, *argument.factors[at:]), operators=argument.operators[at - 1 :])


def _paired(chain: tree.Chain) -> tree.Chain:
    """Read `= G : dX` as an inner product of matrices."""
    operators = [operator.text for operator in chain.operators]
    for at in range(1, len(operators)):
        left, right = chain.members[at], chain.members[at + 1]
        if operators[at] != ":" or operators[at - 1] != "=" or left is None or right is None:
            continue
        plain = not any(isinstance(side, tree.Additive) for side in (left, right))
        if plain and ":" not in operators[at + 1 :] and any(map(_has_differential, (left, right))):
            both = tree.Inner(left, right, span=left.span.to(right.span))
            members = (*chain.members[:at], both, *chain.members[at + 2 :])
            return replace(
                chain, members=members, operators=(*chain.operators[:at], *chain.operators[at + 1 :])
            )
    return chain


def _has_differential(node: tree.Node) -> bool:
    return any(isinstance(each, tree.Differential) for each in names.walk(node))


def differentials(node: tree.Node) -> Iterator[tree.Differential]:
    """Yield the differentials in a node."""
    for each in names.walk(node):
        if isinstance(each, tree.Differential):
            yield each


def single(display: tree.Display | None) -> tree.Node | None:
    """Return the one member of a formula that is no more than that, or None."""
    items = display.items if display is not None else ()
    if len(items) != 1 or not isinstance(items[0], tree.Chain) or items[0].operators:
        return None
    return items[0].members[0]

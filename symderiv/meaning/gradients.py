r"""Names of two letters for gradients: `dX` on a page that says `dX = \partial L / \partial X`.

A `d` before a name is a differential elsewhere. Where the page defines `dX` as a derivative by X, it is one
name, with the indices and the scripts of X; where a page has derivatives of one loss for such names, each is
read as that derivative.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise

from symderiv.latex import tree
from symderiv.meaning import marks, names

_EQUAL = frozenset({"=", ":=", "equiv"})


def gradients(chain: tree.Chain) -> Iterator[str]:
    """Yield the key of X for each `dX = \\partial L / \\partial X` of a chain."""
    for left, right in pairwise(chain.members):
        if left is None or not isinstance(right, tree.Derivative):
            continue
        single = _joined(left)
        found = _named(single.of) if isinstance(single, tree.Differential) else None
        if found is not None and right.of is not None and [_key(each) for each in right.by] == [_key(found)]:
            yield _key(found) or ""


def given(chain: tree.Chain) -> set[str]:
    """Return the key of X where a chain begins with `dX`, alone."""
    first = chain.members[0] if len(chain.members) > 1 else None
    single = None if first is None else _marked(_joined(first))
    key = _key(single.of) if isinstance(single, tree.Differential) else None
    return set() if key is None else {key}


def with_gradients(chain: tree.Chain, keys: frozenset[str]) -> tree.Chain:
    """Read `dX` as one name, for every X of `keys`."""

    def joined(each: tree.Node) -> tree.Node:
        each = _joined(each)
        if isinstance(each, tree.Product):
            return replace(each, factors=tuple(map(joined, each.factors)))
        found = _named(each.of) if isinstance(each, tree.Differential) else None
        if found is None or _key(found) not in keys:
            return each
        assert isinstance(each, tree.Differential)
        name = replace(found, text=f"d{found.text}", span=each.span)
        if isinstance(each.of, tree.Script):
            return replace(_based(each.of, replace(name, span=found.span)), span=each.span)
        return name

    members = tuple(None if member is None else names.rebuilt(member, joined) for member in chain.members)
    return replace(chain, members=members)


def _joined(node: tree.Node) -> tree.Node:
    """Read two letters in one font, `\\mathbf{dx}`, as a d before a name, alone or in a product."""
    if isinstance(node, tree.Script) and isinstance(node.base, tree.Product):
        whole = _joined(node.base)
        if isinstance(whole, tree.Differential):
            return replace(whole, of=replace(node, base=whole.of), span=node.span)
        return node
    if not isinstance(node, tree.Product):
        return node
    factors, operators = list(node.factors), list(node.operators)
    for at in range(len(factors) - 2, -1, -1):
        mark, of = factors[at : at + 2]
        inner = _named(of)
        if (
            isinstance(mark, tree.Name)
            and inner is not None
            and (mark.text, mark.font) == ("d", inner.font)
            and mark.font
            and mark.span.end == inner.span.start
        ):
            factors[at : at + 2] = [tree.Differential(of, span=mark.span.to(of.span))]
            del operators[at]
    if len(factors) == 1:
        return factors[0]
    return replace(node, factors=tuple(factors), operators=tuple(operators))


def _marked(node: tree.Node) -> tree.Node:
    """Read `\\mathbf{dx}_i` as the d of an entry."""
    node = _joined(node)
    if isinstance(node, tree.Script) and isinstance(node.base, tree.Differential):
        return replace(node.base, of=replace(node, base=node.base.of), span=node.span)
    return node


def losses(chain: tree.Chain) -> Iterator[tree.Node]:
    """Yield each L of a chain that has `dX` on one side, and on another the derivative of L by X.

    An equation between differentials has them on every side, so that here `dX` is a name for that derivative.
    """
    members = [names.rebuilt(member, _marked) for member in chain.members if member is not None]
    marked = [{_key(each.of) for each in marks.differentials(member)} for member in members]
    if len(members) < 2 or all(marked) or {operator.text for operator in chain.operators} - _EQUAL:
        return
    keys = set[str | None]().union(*marked) - {None}
    for member, own in zip(members, marked, strict=True):
        for each in names.walk(member) if not own else ():
            if not isinstance(each, tree.Derivative) or not isinstance(each.of, tree.Name):
                continue
            if {_key(by) for by in each.by} & keys and _key(each.of) not in keys:
                yield each.of


def as_derivatives(chain: tree.Chain, loss: tree.Node) -> tree.Chain:
    """Read every `dX` as the derivative of a loss by X; an equation for `dL` itself stays as it is."""
    joined = [None if member is None else names.rebuilt(member, _marked) for member in chain.members]
    found = [each for member in joined if member is not None for each in marks.differentials(member)]
    if not found or any(_key(each.of) == _key(loss) for each in found):
        return chain

    def derived(node: tree.Node) -> tree.Node:
        if not isinstance(node, tree.Differential) or node.by is not None or _key(node.of) is None:
            return node
        of = node.of
        turned = of.sup if isinstance(of, tree.Script) and names.is_transpose(of.sup) else None
        of = replace(of, sup=None) if isinstance(of, tree.Script) and turned is not None else of
        of = of.base if isinstance(of, tree.Script) and turned is not None and of.sub is None else of
        slope = tree.Derivative(loss, (of,), "partial", "fraction", span=node.span)
        if turned is None:
            return slope
        return tree.Script(tree.Group(slope, "(", ")", span=node.span), None, turned, span=node.span)

    members = tuple(None if member is None else names.rebuilt(member, derived) for member in joined)
    return replace(chain, members=members)


def silent(members: list[tree.Node]) -> set[str]:
    """Return the letters over which a chain rule of a chain sums without saying so, as another member says.

    Such is the i of `\\partial f/\\partial y_i \\cdot \\partial y_i/\\partial a = \\sum_i \\dots`.
    A member that writes a sum is silent on none: there a letter that no sum binds is an error.
    """
    found: set[str] = set()
    said: set[str] = set()
    for member in members:
        nodes = list(names.walk(member))
        bound = [names.bound_letters(each.lower) for each in nodes if isinstance(each, tree.Big)]
        said = said.union(*bound)
        found |= set() if bound else _passed(nodes)
    return found & said


def _passed(nodes: list[tree.Node]) -> set[str]:
    """Return the letters over which a chain rule among these passes from one slope to the next."""
    found: set[str] = set()
    for each in nodes:
        factors = each.factors if isinstance(each, tree.Product) else ()
        slopes = [factor for factor in factors if isinstance(factor, tree.Derivative)]
        below = set().union(*(_below(variable) for slope in slopes for variable in slope.by))
        above = set().union(*(_below(slope.of) for slope in slopes if slope.of is not None))
        found |= below & above
    return found


def _below(node: tree.Node) -> set[str]:
    """Return the letters in the subscripts of a node, and its labels."""
    found: set[str] = set()
    for each in names.walk(node):
        if isinstance(each, tree.Script):
            parts = [*names.items(each.sub), names.label(each.sup)]
            found |= {part.text for part in parts if isinstance(part, tree.Name)}
    return found


def _named(node: tree.Node) -> tree.Name | None:
    """Return the name that a `d` stands before: X of `dX`, `dX_{ij}` and `dX^\\top`."""
    while isinstance(node, tree.Script):
        node = node.base
    return node if isinstance(node, tree.Name) and node.text.isascii() else None


def _based(node: tree.Script, name: tree.Name) -> tree.Script:
    """Return the scripts of a node on another name: a label, and a transpose above it."""
    base = _based(node.base, name) if isinstance(node.base, tree.Script) else name
    return replace(node, base=base)


def _key(node: tree.Node) -> str | None:
    """Return the key of a name, of an entry of it, or of one with a label or a transpose."""
    while isinstance(node, tree.Script):
        node = node.base
    return names.key(node)

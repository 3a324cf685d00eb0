r"""Functions of functions, and derivatives by subscripts: `(f \circ g)(x)`, `h = f \circ g`, `f_x`, `f_{xy}`.

Vocabulary: a *map* is a name that the page declares between sets, `f : A \to B`, or defines with a parameter
in brackets. A letter below a map is a partial derivative where it is one of several parameters of the map.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import pairwise

from symderiv.latex import tree
from symderiv.meaning import names


@dataclass(frozen=True, slots=True)
class Maps:
    """The maps of a page."""

    composed: Mapping[str, str] = field(default_factory=dict)
    """The maps that may be composed, each with the letter of an argument that the page gives it."""
    parameters: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """The maps of several variables that have letters of these below them, with their parameters."""


def maps(chains: Iterable[tree.Chain]) -> Maps:
    """Find the maps of a page."""
    those = list(chains)
    nodes = [each for chain in those for m in chain.members if m is not None for each in names.walk(m)]
    circles = any(isinstance(each, tree.Product) and "circ" in each.operators for each in nodes)
    composed: dict[str, str] = {}
    pending: list[str] = []
    for chain in those if circles else ():
        first = chain.members[0]
        operators = [operator.text for operator in chain.operators]
        called = _called(first)
        if called is not None and operators[:1] in (["="], [":="]) and len(called[1]) == 1:
            composed[called[0]] = called[1][0]
        if isinstance(first, tree.Name):
            pending = [*pending, first.text] if not operators or operators == [":", "to"] else []
            if operators:
                composed |= dict.fromkeys(pending, "x")
                pending = []
    return Maps(composed, dict(_several(those, nodes)))


def _several(chains: list[tree.Chain], nodes: list[tree.Node]) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Yield the functions of several letters that a page defines and has these letters below."""
    bound = {x for each in nodes if isinstance(each, tree.Big) for x in names.bound_letters(each.lower)}
    below: dict[str, set[str]] = {}
    for each in nodes:
        if isinstance(each, tree.Script) and isinstance(each.base, tree.Name) and each.sub is not None:
            inside = {n.text for n in names.walk(each.sub) if isinstance(n, tree.Name)}
            below.setdefault(each.base.text, set()).update(inside)
    for chain in chains:
        called = _called(chain.members[0])
        if called is None or [o.text for o in chain.operators][:1] not in (["="], [":="]):
            continue
        key, letters = called
        others = set().union(*(found for base, found in below.items() if base != key))
        if len(letters) > 1 and below.get(key, set()) & set(letters) and not set(letters) & (bound | others):
            yield key, letters


def _called(node: tree.Node | None) -> tuple[str, tuple[str, ...]] | None:
    """Return the function and the letters of `f(x, y)`."""
    if not isinstance(node, tree.Product) or len(node.factors) != 2 or node.operators != ("",):
        return None
    function, group = node.factors
    if not isinstance(function, tree.Name) or not isinstance(group, tree.Group) or group.left != "(":
        return None
    items = group.body.items if isinstance(group.body, tree.Sequence) else (group.body,)
    letters = tuple(each.text for each in items if isinstance(each, tree.Name))
    return (function.text, letters) if len(letters) == len(items) else None


def with_maps(chain: tree.Chain, known: Maps) -> tree.Chain:
    """Write compositions as functions of functions, and letters below a map as its derivatives."""
    if not known.composed and not known.parameters:
        return chain

    def change(each: tree.Node) -> tree.Node:
        if isinstance(each, tree.Product):
            return _applied(_composed(each, known), known)
        return _partial(each, known) if isinstance(each, tree.Script) else each

    members = [None if member is None else names.rebuilt(member, change) for member in chain.members]
    first = members[0]
    if isinstance(first, tree.Name) and len(members) > 1:
        letter = known.composed.get(first.text, "x")
        argument = tree.Group(tree.Name(letter, span=first.span), "(", ")", span=first.span)
        other = members[1]
        inner = replace(argument, span=other.span) if other is not None else argument
        if other is not None and (found := _inside(other, inner, known)) is not None:
            members[:2] = [tree.Product((first, argument), ("",), span=first.span), found]
    return replace(chain, members=tuple(members))


def _inside(node: tree.Node, argument: tree.Group, known: Maps) -> tree.Node | None:
    """Return `f(g(x))` for `f \\circ g` and an argument in brackets, or None."""
    node = names.plain(node)
    if not isinstance(node, tree.Product) or set(node.operators) != {"circ"}:
        return None
    if not all(isinstance(each, tree.Name) and each.text in known.composed for each in node.factors):
        return None
    found = argument
    for each in reversed(node.factors):
        inner = tree.Product((each, found), ("",), span=node.span.to(argument.span))
        found = tree.Group(inner, "(", ")", span=inner.span)
    return found.body


def _composed(node: tree.Product, known: Maps) -> tree.Product:
    """Read `(f \\circ g)(x)` and `(f \\circ g)'(x)` in a product."""
    for at, (one, other) in enumerate(pairwise(node.factors)):
        primes = one.primes if isinstance(one, tree.Script) else 0
        base = one.base if isinstance(one, tree.Script) and primes and not (one.sub or one.sup) else one
        if node.operators[at] or not isinstance(base, tree.Group) or not isinstance(other, tree.Group):
            continue
        found = _inside(base, other, known)
        if found is None or (primes and not isinstance(other.body, tree.Name)):
            continue
        if primes:
            variables = (other.body,) * primes
            found = tree.Derivative(found, variables, "total", "operator", primes, span=found.span)
        return replace(
            node,
            factors=(
                *node.factors[:at],
                tree.Group(found, "(", ")", span=found.span),
                *node.factors[at + 2 :],
            ),
            operators=(*node.operators[:at], *node.operators[at + 1 :]),
        )
    return node


def _applied(node: tree.Product, known: Maps) -> tree.Node:
    """Read the brackets after `f_x` as those of f, where they hold its own variables."""
    if len(node.factors) == 1:
        return node.factors[0]
    for at, (one, other) in enumerate(pairwise(node.factors)):
        slope = one.body if isinstance(one, tree.Group) and one.left == "" else None
        if node.operators[at] or not isinstance(slope, tree.Derivative) or not isinstance(other, tree.Group):
            continue
        assert slope.of is not None
        called = _called(tree.Product((slope.of, other), ("",)))
        if called is None or called[1] != known.parameters.get(called[0]):
            continue
        factors = (*node.factors[: at + 1], *node.factors[at + 2 :])
        rest = replace(node, factors=factors, operators=(*node.operators[:at], *node.operators[at + 1 :]))
        return rest if len(factors) > 1 else one
    return node


def _partial(node: tree.Script, known: Maps) -> tree.Node:
    """Read `f_x` and `f_{xy}` as derivatives."""
    parameters = known.parameters.get(node.base.text, ()) if isinstance(node.base, tree.Name) else ()
    by = names.items(node.sub)
    if not by or node.primes or not all(isinstance(e, tree.Name) and e.text in parameters for e in by):
        return node
    slope = tree.Derivative(node.base, by, "partial", "fraction", len(by), span=node.span)
    group = tree.Group(slope, "", "", span=node.span)
    return group if node.sup is None else tree.Script(group, sup=node.sup, span=node.span)

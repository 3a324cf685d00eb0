r"""Models: `y = X \beta + \epsilon` says what the error is, on a page that writes `y - X \beta`, too.

There y is observed, and no function of \beta: the sum of squares is differentiated with y as it is. The
equation is read as the definition of the error, `\epsilon = y - X \beta`, unless the page differentiates y.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from symderiv.latex import tree
from symderiv.meaning import names

_ERRORS = frozenset({"\\epsilon", "\\varepsilon", "\\eta", "\\xi", "\\nu", "\\zeta", "e", "u", "v", "n", "r"})
"""Letters for errors."""
_Terms = Counter[tuple[str, tree.Node]]


@dataclass(frozen=True, slots=True)
class Models:
    """What the page subtracts from what: the terms of each difference, and of each, the other way round."""

    differences: tuple[_Terms, ...]

    def read(self, chain: tree.Chain) -> tree.Chain:
        """Return a chain of two members, an observation and its model, as the definition of the error."""
        model = _model(chain)
        if model is None or model[2] not in self.differences:
            return chain
        observed, error, _ = model
        whole = chain.members[1]
        assert isinstance(whole, tree.Additive)
        rest = tuple((_FLIPPED[sign], term) for sign, term in whole.terms[:-1])
        difference = replace(whole, terms=(("+", observed), *rest))
        return replace(chain, members=(replace(error, span=observed.span), difference))


_FLIPPED = {"+": "-", "-": "+"}


def models(chains: Iterable[tree.Chain]) -> Models | None:
    """Return the differences that a page writes, or None where it has no model."""
    found = list(chains)
    wanted = [(_name(model[0]), model[2]) for chain in found if (model := _model(chain)) is not None]
    if not wanted:
        return None
    members = [member for chain in found for member in chain.members if member is not None]
    nodes = [node for member in members for node in names.walk(member)]
    varying = {_name(node.of) for node in nodes if isinstance(node, tree.Derivative) and node.of is not None}
    plain = [chain for chain in found if _model(chain) is None]
    named = {left: right for left, right in _equations(plain) if _name(left) is not None}
    differences = [terms for node in nodes if isinstance(node, tree.Additive) for terms in _both(node, named)]
    return Models(tuple(terms for name, terms in wanted if terms in differences and name not in varying))


def _equations(chains: Iterable[tree.Chain]) -> Iterator[tuple[tree.Node, tree.Node]]:
    """Yield the sides of the equations of a page that begin with a name."""
    for chain in chains:
        for left, operator, right in zip(chain.members, chain.operators, chain.members[1:], strict=False):
            if left is not None and right is not None and operator.text in ("=", ":="):
                yield left, right


def _model(chain: tree.Chain) -> tuple[tree.Node, tree.Node, _Terms] | None:
    """Return the observation, the error and the terms of their difference for `y = X \\beta + \\epsilon`."""
    if [operator.text for operator in chain.operators] not in (["="], [":="]):
        return None
    observed, whole = chain.members
    if not isinstance(whole, tree.Additive) or observed is None or _name(observed) is None:
        return None
    sign, error = whole.terms[-1]
    if sign != "+" or _name(error) not in _ERRORS or any(s not in _FLIPPED for s, _ in whole.terms):
        return None
    rest = replace(whole, terms=whole.terms[:-1])
    return observed, error, _difference(observed, rest)


def _name(node: tree.Node) -> str | None:
    """Return the letter of a name or of an entry of it."""
    base = node.base if isinstance(node, tree.Script) and node.sup is None and not node.primes else node
    return names.key(base)


def _difference(first: tree.Node, second: tree.Node) -> _Terms:
    return Counter([("+", first), *((_FLIPPED.get(sign, sign), term) for sign, term in _flat(second))])


def _both(node: tree.Additive, named: dict[tree.Node, tree.Node]) -> Iterator[_Terms]:
    """Yield the terms of a sum, those of its negative, and these with a name in place of what it is."""
    terms = list(_flat(node))
    for meaning in (False, True):
        if meaning:
            terms = [
                (sign if s == "+" else _FLIPPED.get(sign, sign), each)
                for sign, term in terms
                for s, each in _flat(named.get(term, term))
            ]
        yield Counter(terms)
        yield Counter((_FLIPPED.get(sign, sign), term) for sign, term in terms)


def _flat(node: tree.Node) -> Iterator[tuple[str, tree.Node]]:
    """Yield the terms of a sum with their signs, brackets around a part of it opened."""
    while isinstance(node, tree.Group) and isinstance(node.body, tree.Additive | tree.Group):
        node = node.body
    if not isinstance(node, tree.Additive):
        yield "+", node
        return
    for sign, term in node.terms:
        for inner, each in _flat(term):
            yield (sign if inner == "+" else _FLIPPED.get(sign, sign)), each

r"""Primes that are transposes, as econometricians write them: `X'X`, `x'Ax`, `(y - X b)'(y - X b)`.

Elsewhere a prime is a derivative, or it belongs to a name. It is a transpose on a page that multiplies so
what it declares as a vector or a matrix, or a capital by its own prime, and for a name that the page does not
use otherwise with a prime: as a head, declared, as an argument, or, a vector, as a term beside others.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import pairwise

from symderiv.latex import tree
from symderiv.meaning import names

_BESIDE = frozenset({"", "cdot"})
"""Between the factors of a product of matrices."""


@dataclass(frozen=True, slots=True)
class Primes:
    """The keys of the names of a page of which the prime is a transpose, and of its vectors and matrices."""

    names: frozenset[str]
    tensors: frozenset[str]

    def __bool__(self) -> bool:
        """Tell whether some prime of the page is a transpose."""
        return bool(self.names)

    def read(self, chain: tree.Chain) -> tree.Chain:
        """Return a chain with the transposes that its primes are."""
        members = tuple(None if each is None else names.rebuilt(each, self._turned) for each in chain.members)
        return replace(chain, members=members)

    def _turned(self, each: tree.Node) -> tree.Node:
        if not isinstance(each, tree.Script) or each.primes != 1 or each.sup is not None:
            return each
        whole = isinstance(each.base, tree.Group) and each.sub is None and self._is_tensor(each.base.body)
        if not whole and names.key(each.base) not in self.names:
            return each
        return replace(each, primes=0, sup=tree.Name("\\top", span=each.span))

    def _is_tensor(self, node: tree.Node) -> bool:
        """Tell whether what brackets hold is made of vectors and matrices: it is no derivative."""
        nodes = list(names.walk(node))
        return not any(isinstance(each, tree.Call) for each in nodes) and any(
            isinstance(each, tree.Name) and names.key(each) in self.tensors for each in nodes
        )


def transposing(chains: Iterable[tree.Chain]) -> Primes:
    """Return the primes of a page that are transposes."""
    found = list(chains)
    declared = {key for chain in found for key in _declared(chain)}
    members = [member for chain in found for member in chain.members if member is not None]
    nodes = [node for member in members for node in names.walk(member)]
    products = [each for each in nodes if isinstance(each, tree.Product)]
    other = {key for chain in found for key in _heads(chain)}
    other |= {key for node in nodes for key in _otherwise(node)}
    other |= {key for each in products for key in _applied(each)} - declared
    multiplied = [(key, beside) for each in products for key, beside in _multiplied(each) if key not in other]
    told = any(key in declared or (key.isupper() and beside == key) for key, beside in multiplied)
    if not told:
        return Primes(frozenset(), frozenset())
    kept = frozenset(key for key, _ in multiplied) | (declared - other)
    return Primes(kept, kept | declared)


def _declared(chain: tree.Chain) -> Iterator[str]:
    """Yield what a chain declares as a vector or a matrix: `x, a \\in \\mathbb R^n`."""
    operators = [operator.text for operator in chain.operators]
    if "in" not in operators:
        return
    at = operators.index("in")
    space = chain.members[at + 1]
    base = space.base if isinstance(space, tree.Script) and space.sup is not None else None
    if not isinstance(base, tree.Name) or base.font != "blackboard":
        return
    for member in chain.members[: at + 1]:
        name = member.base if isinstance(member, tree.Script) and not member.primes else member
        key = names.key(name) if name is not None else None
        if key is not None:
            yield key


def _primed(node: tree.Node | None) -> str | None:
    """Return the key of a name with one prime, an entry of it included."""
    if isinstance(node, tree.Script) and node.primes == 1 and node.sup is None:
        return names.key(node.base)
    return None


def _multiplied(node: tree.Product) -> Iterator[tuple[str, str | None]]:
    """Yield each primed name that a product goes on after, with the key of what follows."""
    for factor, operator, following in zip(node.factors, node.operators, node.factors[1:], strict=False):
        key = _primed(factor)
        if key is not None and operator in _BESIDE:
            base = following.base if isinstance(following, tree.Script) else following
            yield key, names.key(base)


def _applied(node: tree.Product) -> Iterator[str]:
    """Yield the keys of names that brackets follow: they may be functions."""
    for factor, following in pairwise(node.factors):
        key = names.key(factor.base if isinstance(factor, tree.Script) else factor)
        if key is not None and isinstance(following, tree.Group):
            yield key


def _heads(chain: tree.Chain) -> Iterator[str]:
    """Yield the keys of primed names at the left of an equation with something else, or that are declared."""
    for member, operator, following in zip(chain.members, chain.operators, chain.members[1:], strict=False):
        key = _primed(member)
        same = following is not None and names.key(following) == key
        if key is not None and operator.text in ("=", ":=", "in", ",", "leftarrow") and not same:
            yield key


def _otherwise(node: tree.Node) -> Iterator[str]:
    """Yield the keys of primed names that are arguments, or vectors beside other terms."""
    parts: tuple[tree.Node, ...] = ()
    if isinstance(node, tree.Sequence):
        yield from (key for each in node.items if (key := _primed(each)) is not None)
    elif isinstance(node, tree.Group):
        yield from (key for each in (node.body,) if (key := _primed(each)) is not None)
    elif isinstance(node, tree.Call):
        parts = node.arguments
    elif isinstance(node, tree.Additive):
        parts = tuple(term for _, term in node.terms)
    yield from (key for each in parts if (key := _primed(each)) is not None and not key.isupper())

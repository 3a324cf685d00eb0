r"""Gathered samples: X is the matrix whose rows are the vectors `x_i`, where the page multiplies it so.

Beside `\sum_i (p_i - t_i) x_i` the X of `X^\top (p - t)` has a row for each sample, for p and t have an entry
for each. Vocabulary: a *sample* name has an entry for each vector `x_i`; a *feature* name meets one vector,
as the w of `w^\top x_i`. An X that mostly meets both the other way has the vectors as its columns, and is
left open, as is one that meets none.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from symderiv.latex import tree
from symderiv.meaning import names
from symderiv.meaning.raw import RawChain, Survey
from symderiv.meaning.scope import Name, Scope


def gather(survey: Survey) -> frozenset[tuple[str, str]]:
    """Let capital letters that nothing defines stand for the vectors of their small letters, as rows.

    Return the matrices that are left open, each with the vectors.
    """
    left: set[tuple[str, str]] = set()
    scopes: dict[int, Scope] = {}
    for chain in survey.chains:
        at: Scope | None = chain.scope
        while at is not None:
            scopes[id(at)] = at
            at = at.parent
    for scope in scopes.values():
        for key, big in list(scope.names.items()):
            small = scope.find(key.lower()) if len(key) == 1 and key.isascii() and key.isupper() else None
            if small is None or not _is_open(big, small):
                continue
            chains = [chain for chain in survey.chains if chain.scope.within(scope)]
            axes = _Axes(key, small.key, survey.fonts)
            if axes.have_rows(chains) and _fits(survey, big, small):
                scope.names[key] = small
                continue
            left.add((big.identity, small.identity))
            if not big.declared:
                big.introduced = big.loose = True
            if big.applied and axes.is_factor:
                big.bare += big.applied
    return frozenset(left)


def _is_open(big: Name, small: Name) -> bool:
    """Tell whether a matrix may be made of vectors: no definition has either, and none is a function."""
    rank = len(small.shape) if small.shape is not None else small.rank()
    plain = big.shape is None or len(big.shape) == 2
    undefined = big.defined is None and small.defined is None and big is not small
    return undefined and plain and rank == 2 and small.indexed[1] > 0 and not (big.function or big.parameters)


def _fits(survey: Survey, big: Name, small: Name) -> bool:
    """Give the vectors the sizes that the matrix is declared with, if they agree."""
    if big.shape is None or big.guessed:
        return True
    if small.shape is None:
        small.shape = big.shape
        return True
    met = [survey.sizes.try_unify(one, two) for one, two in zip(big.shape, small.shape, strict=True)]
    return all(met)


@dataclass(slots=True)
class _Axes:
    """Which axis of the matrix the names of a page meet."""

    big: str
    small: str
    fonts: frozenset[str]
    letters: set[str] = field(default_factory=set)
    """Those that tell one vector from another."""
    samples: set[str] = field(default_factory=set)
    features: set[str] = field(default_factory=set)
    is_factor: bool = False
    """Whether the matrix stands before brackets with sums in them."""

    def have_rows(self, chains: list[RawChain]) -> bool:
        """Tell whether the names that the matrix meets are mostly met as rows of samples would meet them."""
        nodes = [node for chain in chains for member in chain.members for node in names.walk(member)]
        carried = {(name, letter) for node in nodes for name, letter in self._carried(node)}
        self.letters = {letter for name, letter in carried if name == self.small}
        self.samples = {name for name, letter in carried if letter in self.letters and name != self.small}
        products = [node for node in nodes if isinstance(node, tree.Product)]
        for product in products:
            self.features |= set(self._beside(product))
        self.samples -= self.features
        met = [rows for product in products for rows in self._met(product)]
        return bool(met) and 2 * sum(met) >= len(met)

    def _carried(self, node: tree.Node) -> Iterator[tuple[str, str]]:
        """Yield a name with the one index letter that it carries, below it or as its label."""
        key = names.key(node.base, fonts=self.fonts) if isinstance(node, tree.Script) else None
        if key is None or not isinstance(node, tree.Script):
            return
        label = names.label(node.sup)
        for letter in (node.sub, label):
            if letter is not None and names.is_index_letter(letter) and isinstance(letter, tree.Name):
                yield key, letter.text

    def _beside(self, product: tree.Product) -> Iterator[str]:
        """Yield the bare names before or after one of the vectors, one of the two transposed."""
        for left, right in zip(product.factors, product.factors[1:], strict=False):
            for one, other in ((left, right), (right, left)):
                if self._is_vector(one) and (names.is_transpose(getattr(left, "sup", None))):
                    yield from self._bare(other)

    def _is_vector(self, node: tree.Node) -> bool:
        return any(name == self.small and letter in self.letters for name, letter in self._carried(node))

    def _met(self, product: tree.Product) -> Iterator[bool]:
        """Yield for each neighbour of the matrix whether it goes with vectors in the rows."""
        for left, right in zip(product.factors, product.factors[1:], strict=False):
            for matrix, beside, last in ((left, right, True), (right, left, False)):
                turned = isinstance(matrix, tree.Script) and names.is_transpose(matrix.sup)
                base = matrix.base if turned and isinstance(matrix, tree.Script) else matrix
                if names.key(base, fonts=self.fonts) != self.big:
                    continue
                if not last and not names.is_transpose(getattr(beside, "sup", None)):
                    continue
                by_rows = last == turned
                group = isinstance(beside, tree.Group) and isinstance(beside.body, tree.Additive)
                self.is_factor = self.is_factor or group
                for name in self._bare(beside):
                    if name in self.samples:
                        yield by_rows
                    elif name in self.features:
                        yield not by_rows

    def _bare(self, node: tree.Node) -> list[str]:
        """Return the bare names of a factor: itself, or the terms in its brackets."""
        if isinstance(node, tree.Script) and node.sub is None and names.is_transpose(node.sup):
            return self._bare(node.base)
        if isinstance(node, tree.Group):
            return self._bare(node.body)
        if isinstance(node, tree.Additive):
            return [name for _, term in node.terms for name in self._bare(term)]
        key = names.key(node, fonts=self.fonts)
        return [] if key is None else [key]

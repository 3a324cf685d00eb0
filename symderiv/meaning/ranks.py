"""Ranks of names that a page neither declares nor indexes, from how matrix notation uses them.

A capital letter before a small one in a product is a matrix before a vector; what is transposed, has a
norm or a gradient is a vector or a matrix by its case; terms that are added have one rank; so have the two
sides of an equation. A name about which nothing is told is a number. Vocabulary: a *rank* is 0, 1, 2 or
None where it is open.
"""

from __future__ import annotations

from contextlib import suppress

from symderiv.latex import tree
from symderiv.meaning import names
from symderiv.meaning.raw import RawChain, Survey
from symderiv.meaning.scope import Name, Scope
from symderiv.meaning.siblings import kind
from symderiv.meaning.sizes import Sizes

_ROUNDS = 6
_SCALAR_WORDS = frozenset(
    {"\\exp", "\\log", "\\ln", "exp", "log", "ln", "\\sin", "\\cos", "\\tanh", "tanh", "sigmoid"}
)


def infer(survey: Survey) -> None:
    """Give a shape to each name of a page whose rank follows from its use."""
    ranks = _Ranks(survey.sizes, survey.fonts, _turned(survey))
    for _ in range(_ROUNDS):
        ranks.changed = False
        for chain in survey.chains:
            with suppress(Exception):
                ranks.chain(chain)
        if not ranks.changed:
            break
    ranks.finish(survey)


def _turned(survey: Survey) -> frozenset[str]:
    """Return the kinds of names with labels that the page transposes, `w^l` by `(w^{l+1})^\\top`."""
    found: set[str] = set()
    for chain in survey.chains:
        for each in (each for member in chain.members for each in names.walk(member)):
            if isinstance(each, tree.Script) and names.is_transpose(each.sup):
                inside = names.plain(each.base)
                key = names.written(inside, survey.fonts) if isinstance(inside, tree.Script) else None
                found.add(kind(key or ""))
    return frozenset(found - {""})


class _Ranks:
    """Carries ranks from one place of a page to another."""

    def __init__(self, sizes: Sizes, fonts: frozenset[str], turned: frozenset[str]) -> None:
        self.sizes = sizes
        self.fonts = fonts
        self.turned = turned
        self.kinds: dict[str, int] = {}
        """The ranks of names with labels: those that differ in these alone have one rank."""
        self.changed = False
        self.capitals = False
        """The equation at hand has a capital letter as its head: products of capitals are matrices."""
        self.heads: dict[str, int] = {}
        """What definitions give: identity to rank."""

    def chain(self, chain: RawChain) -> None:
        """Compare the members of a chain."""
        scope = chain.scope
        first = chain.first.base if isinstance(chain.first, tree.Script) else chain.first
        key = names.key(first, fonts=self.fonts)
        self.capitals = key is not None and _capital(key)
        found = [self.rank(member, scope) for member in chain.members]
        for link in chain.links:
            if link.record is not None and link.head is not None and link.body is not None:
                rank = found[link.body]
                if rank is not None and link.record.identity not in self.heads:
                    self.heads[link.record.identity] = rank + len(link.head.letters)
                    self.changed = True
        known = next((rank for rank in found if rank), None)
        if known is None or any(link.operator == "<-" for link in chain.links):
            return
        for member, rank in zip(chain.members, found, strict=True):
            if rank is None:
                self.settle(member, known, scope)

    def finish(self, survey: Survey) -> None:
        """Give a name that is used before its definition the rank that the definition will have."""
        for record in survey.records:
            rank = self.heads.get(record.identity)
            early = record.defined_at is not None and record.first.start < record.defined_at.start
            if rank is not None and early and record.shape is None and not record.indexed:
                record.shape = tuple(self.sizes.new(origin=record.first) for _ in range(rank))
                record.guessed = True

    def record(self, node: tree.Node, scope: Scope) -> Name | None:
        """Return the record of a bare name, labelled or not, that carries no subscript."""
        if isinstance(node, tree.Script):
            if node.sub is not None and any(
                isinstance(n, tree.Name) and scope.is_index(n.text) for n in names.walk(node.sub)
            ):
                return None
            return scope.find(names.written(node, self.fonts) or "")
        key = names.key(node, fonts=self.fonts)
        return scope.find(key) if key is not None else None

    def open(self, node: tree.Node, scope: Scope) -> Name | None:
        """Return the record of a bare name whose rank is open."""
        record = self.record(node, scope)
        if record is None or record.shape is not None or record.indexed or record.declared:
            return None
        if record.defined is not None and record.model is None:
            return None
        if record.differentiated_by and record.defined is None:
            return None
        if record.function or record.parameters is not None or scope.size(record.key) is not None:
            return None
        return None if record.applied and not record.bare else record

    def _row_before(self, left: tree.Node, right: tree.Node, row: Name, scope: Scope) -> None:
        """In `y = x W` a small letter before a capital one is a row."""
        if self.capitals or not row.key[:1].isalpha():
            return
        self.settle(right, 2, scope)
        self.settle(left, 1, scope)
        row.row = True

    def _inverses(self, node: tree.Product, scope: Scope) -> None:
        """A capital letter is a matrix where its inverse stands beside a vector: `r^T C^{-1} r`."""
        for at, factor in enumerate(node.factors):
            base = factor.base if isinstance(factor, tree.Script) and names.is_inverse(factor.sup) else None
            record = self.open(base, scope) if base is not None else None
            if base is None or record is None or not _capital(record.key):
                continue
            beside = (*node.factors[max(at - 1, 0) : at], *node.factors[at + 1 : at + 2])
            if any(self.rank(each, scope) for each in beside):
                self.settle(base, 2, scope)

    def _row_at(self, left: tree.Node, right: tree.Node, scope: Scope) -> None:
        """A vector of the page that stands before a matrix is a row, where nothing declares it."""
        record = self.record(left, scope) if isinstance(left, tree.Name | tree.Accent) else None
        capital = isinstance(right, tree.Name) and _capital(right.text)
        if record is None or self.capitals or not capital or record.declared or record.defined is not None:
            return
        if record.indexed and self.rank(left, scope) == 1 and self.rank(right, scope) == 2:
            record.row = True

    def _sample(self, node: tree.Script, scope: Scope) -> None:
        """In `w^T x_i` the i-th of several x is a vector."""
        self._of_many(node, 1, scope)

    def _of_many(self, node: tree.Script, rank: int, scope: Scope) -> None:
        """What has an index is one of several of a rank: their name has one index more."""
        label = names.label(node.sup)
        indexed = isinstance(label, tree.Name) and scope.is_index(label.text)
        key = names.key(node.base, fonts=self.fonts)
        record = scope.find(key) if key is not None and (node.sup is None or indexed) else None
        count = _letters_below(node, scope) + indexed
        if record is None or not count or record.shape is not None or record.defined is not None:
            return
        if record.rank() < count + rank and not (indexed and record.bare):
            record.least = count + rank
            self.changed = True

    def _before(self, left: tree.Node, right: tree.Node, scope: Scope) -> None:
        """A matrix stands before brackets, or before another one where the head of the equation is one."""
        second = self.open(right, scope)
        if isinstance(right, tree.Group):
            self.settle(left, 2, scope)
            self.by_case(right.body, scope)
        if second is not None and _capital(second.key) and self.capitals:
            self.settle(left, 2, scope)
            self.settle(right, 2, scope)

    def _passes_on(self, first: Name, second: Name) -> bool:
        """Tell whether `w^l a^{l-1}` is a matrix and a vector: one of the two has a transpose somewhere."""
        kinds = {kind(first.key), kind(second.key)}
        small = not _capital(first.key) and not _capital(second.key)
        labels = {each.key.partition("^")[2] for each in (first, second)}
        return small and "" not in kinds and len(kinds) == len(labels) == 2 and bool(kinds & self.turned)

    def _calls(self, node: tree.Product, scope: Scope) -> None:
        """Compare what stands in brackets after each function with its parameters."""
        for left, operator, right in zip(node.factors, node.operators, node.factors[1:], strict=False):
            if isinstance(right, tree.Group) and not operator:
                inside = right.body
                self._applied(left, inside.items if isinstance(inside, tree.Sequence) else (inside,), scope)

    def _applied(self, function: tree.Node, arguments: tuple[tree.Node, ...], scope: Scope) -> None:
        """The arguments of a function that the page defines have the ranks of its parameters."""
        record = self.record(function, scope)
        parameters = record.arguments if record is not None and record.parameters is not None else ()
        if len(parameters) != len(arguments):
            return
        for parameter, argument in zip(parameters, arguments, strict=True):
            rank = len(parameter.shape) if parameter.shape is not None else parameter.rank()
            if rank and isinstance(argument, tree.Script):
                self._of_many(argument, rank, scope)

    def settle(self, node: tree.Node, rank: int, scope: Scope) -> None:
        """Give a bare name a rank; to a sum of bare names, each."""
        if isinstance(node, tree.Group):
            self.settle(node.body, rank, scope)
        elif isinstance(node, tree.Additive):
            for _, term in node.terms:
                self.settle(term, rank, scope)
        else:
            record = self.open(node, scope)
            if record is not None:
                record.shape = tuple(self.sizes.new(origin=node.span) for _ in range(rank))
                record.guessed = True
                self.changed = True
                if kind(record.key):
                    self.kinds.setdefault(kind(record.key), rank)

    def by_case(self, node: tree.Node, scope: Scope) -> None:
        """Make a capital letter a matrix, a small one a vector."""
        if isinstance(node, tree.Additive):
            for _, term in node.terms:
                self.by_case(term, scope)
                if isinstance(term, tree.Script) and not names.is_transpose(term.sup):
                    self._of_many(term, 1, scope)  # in `(x_i - m)^T` the i-th of several x is a vector
            return
        record = self.open(node, scope)
        if record is not None:
            known = self.kinds.get(kind(record.key))
            self.settle(node, known or (2 if _capital(record.key) else 1), scope)

    def rank(self, node: tree.Node, scope: Scope) -> int | None:
        """Return the rank of an expression, settling what its form tells."""
        method = getattr(self, f"_{type(node).__name__.lower()}", None)
        if method is not None:
            result: int | None = method(node, scope)
            return result
        for child in names.children(node):
            self.rank(child, scope)
        return 0 if isinstance(node, tree.Inner | tree.Absolute) else None

    def _number(self, node: tree.Number, scope: Scope) -> int | None:
        del node, scope
        return 0

    def _name(self, node: tree.Node, scope: Scope) -> int | None:
        record = self.record(node, scope)
        if record is None:
            return 0 if isinstance(node, tree.Name) and scope.is_index(node.text) else None
        if record.shape is not None:
            return len(record.shape)
        if record.indexed:
            return record.rank()
        if record.defined is not None:
            return self.heads.get(record.identity)
        return 0 if record.differentiated_by and record.defined is None else None

    _accent = _name

    def _script(self, node: tree.Script, scope: Scope) -> int | None:
        if names.is_transpose(node.sup) and not self._power(node, scope):
            base = node.base if node.sub is None else tree.Script(node.base, node.sub, span=node.span)
            self.by_case(names.plain(base), scope)
            return self.rank(base, scope)
        if isinstance(node.base, tree.Name | tree.Accent):
            count = _letters_below(node, scope)
            key = names.key(node.base, fonts=self.fonts)
            record = scope.find(key) if key is not None and count else None
            if record is not None and node.sup is None:
                rank = len(record.shape) if record.shape is not None else record.rank()
                return max(rank - count, 0)
            if node.sub is None and names.is_inverse(node.sup) and self.rank(node.base, scope) == 2:
                return 2
            if node.sup is not None and names.label(node.sup) is None:
                self.rank(node.sup, scope)
                return 0 if isinstance(node.base, tree.Name) and node.base.text == "e" else None
            return self._name(node, scope)
        return self.rank(node.base, scope)

    @staticmethod
    def _power(node: tree.Script, scope: Scope) -> bool:
        """Tell whether `\\gamma^T` is a power: T is a size, and a Greek letter no matrix."""
        return (
            isinstance(node.base, tree.Name)
            and node.base.text.startswith("\\")
            and isinstance(node.sup, tree.Name)
            and scope.size(node.sup.text) is not None
        )

    def _group(self, node: tree.Group, scope: Scope) -> int | None:
        return self.rank(node.body, scope)

    def _additive(self, node: tree.Additive, scope: Scope) -> int | None:
        ranks = [self.rank(term, scope) for _, term in node.terms]
        known = max((rank for rank in ranks if rank), default=None)
        if known is None:
            return 0 if all(rank == 0 for rank in ranks) else None
        for (_, term), rank in zip(node.terms, ranks, strict=True):
            if rank is None and not (isinstance(term, tree.Name) and _capital(term.text) and known == 1):
                bias = known == 2 and isinstance(term, tree.Name) and not _capital(term.text)
                self.settle(term, 1 if bias else known, scope)
        return known

    def _fraction(self, node: tree.Fraction, scope: Scope) -> int | None:
        self.rank(node.denominator, scope)
        return self.rank(node.numerator, scope)

    def _norm(self, node: tree.Norm, scope: Scope) -> int | None:
        self.by_case(names.plain(node.body), scope)
        self.rank(node.body, scope)
        return 0

    def _call(self, node: tree.Call, scope: Scope) -> int | None:
        self._applied(node.function, node.arguments, scope)
        ranks = [self.rank(argument, scope) for argument in node.arguments]
        word = node.function.text if isinstance(node.function, tree.Name) else ""
        if word == "softmax":
            for argument in node.arguments:
                self.by_case(argument, scope)
        return ranks[0] if ranks and (word in _SCALAR_WORDS or word == "softmax") else None

    def _differential(self, node: tree.Differential, scope: Scope) -> int | None:
        return self.rank(node.of, scope)

    def _derivative(self, node: tree.Derivative, scope: Scope) -> int | None:
        if node.style == "nabla":
            for variable in node.by:
                self.by_case(variable, scope)
        of = self.rank(node.of, scope) if node.of is not None else None
        by = [self.rank(variable, scope) for variable in node.by]
        if of is None or any(rank is None for rank in by):
            return None
        return of + sum(rank for rank in by if rank)

    def _product(self, node: tree.Product, scope: Scope) -> int | None:  # noqa: C901  one branch a pattern
        """A capital letter before a small one is a matrix before a vector."""
        self._calls(node, scope)
        self._inverses(node, scope)
        for left, operator, right in zip(node.factors, node.operators, node.factors[1:], strict=False):
            if operator not in ("", "cdot", "times"):
                continue
            first, second = self.open(left, scope), self.open(right, scope)
            matrix = first is not None and _capital(first.key)
            if first is not None and second is not None and not matrix and _capital(second.key):
                self._row_before(left, right, first, scope)
                continue
            if first is not None and second is not None and self._passes_on(first, second):
                self.settle(left, 2, scope)
                self.settle(right, 1, scope)
                continue
            self._row_at(left, right, scope)
            if matrix:
                self._before(left, right, scope)
            if matrix and (second is not None or self.rank(right, scope)):
                self.settle(left, 2, scope)
            row = isinstance(left, tree.Script) and names.is_transpose(left.sup)
            if row and isinstance(right, tree.Script) and self.rank(left, scope) == 1:
                self._sample(right, scope)
            if second is not None and (matrix or row or self.rank(left, scope) == 2):
                self.by_case(right, scope)
        ranks = [self.rank(factor, scope) for factor in node.factors]
        tensors = [rank for rank in ranks if rank]
        if any(operator in ("odot", "circ") for operator in node.operators):
            known = max(tensors, default=None)
            for factor, rank in zip(node.factors, ranks, strict=True):
                if known and rank is None:
                    self.settle(factor, known, scope)
            return known
        if any(rank is None for rank in ranks) and not tensors:
            return None
        return _contracted(tensors, node)


def _letters_below(node: tree.Script, scope: Scope) -> int:
    """Count the items of a subscript, 0 where one of them is no index."""
    subs = names.items(node.sub)
    indices = [s for s in subs if isinstance(s, tree.Name) and scope.is_index(s.text)]
    return len(subs) if subs and len(indices) == len(subs) else 0


def _contracted(tensors: list[int], node: tree.Product) -> int | None:
    """Return the rank of a chain of matrices and vectors, None where it depends on which are rows."""
    if not tensors:
        return 0
    if len(tensors) == 1:
        return tensors[0]
    if set(tensors) == {2}:
        return 2
    row = isinstance(node.factors[0], tree.Script) and names.is_transpose(node.factors[0].sup)
    if tensors[-1] == 1 and set(tensors[:-1]) == {2}:
        last = node.factors[-1]
        return None if isinstance(last, tree.Script) and names.is_transpose(last.sup) else 1
    if row and tensors[0] == 1 and tensors[-1] == 1 and set(tensors[1:-1]) <= {2}:
        return 0
    return None


_GREEK = frozenset({"\\Gamma", "\\Theta", "\\Lambda", "\\Xi", "\\Pi", "\\Sigma", "\\Phi", "\\Psi", "\\Omega"})


def _capital(key: str) -> bool:
    """Tell whether a name is a capital letter, Latin or Greek, whatever accents and labels it has."""
    stem = key.partition("^")[0].partition("_")[0]
    if stem in _GREEK:
        return True
    letter = stem.rstrip("}").split("{")[-1] if stem.startswith("\\") else stem[:1]
    return letter[:1].isascii() and letter[:1].isupper()

"""Terms: index notation over SymPy.

Vocabulary. A *tensor* is a name with a rank; its *entry* is `Entry(IndexedBase(name), i, j)`, or the
`Symbol` itself at rank 0. An *index* is an `Index` symbol (or an integer, a size, or an integer
combination of these) that runs from 1 to a *size*. A *size* is a `Size` symbol, an integer, or a
polynomial in these. `Sum(body, (k, 1, size))` binds k. `D(term, entry, …)` is an unevaluated derivative.
Bound indices are apart: no two sums of a statement bind the same index, and none is free in it.
A *definition* gives a name a body over its slots; an *opaque* name is an unknown smooth function of
other names. Kernel terms also use `KroneckerDelta(i, j)`, `Cases` over conditions on indices or values
(`Piecewise` is read too), `exp`, `log`, powers, elementary functions, `Unknown` (an unknown scalar
function of scalar arguments), `Inv` (an entry of the inverse of a matrix) and `Det`.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Self

import sympy
from sympy import Basic, Expr, Indexed, IndexedBase, Product, Sum, Symbol, Tuple
from sympy.logic.boolalg import Boolean


class KernelError(Exception):
    """The kernel cannot decide; the message says why. Never a verdict on the mathematics."""


class NoRule(KernelError):
    """An operator, a range or an index that no rule speaks of."""


class TooLarge(KernelError):
    """A normal form grew over the kernel's bound."""


class Undefined(KernelError):
    """A term has no value: a division by zero, an even root of a negative number."""


class Circular(KernelError):
    """A definition that needs itself."""


class Index(Symbol):
    """An index: a positive integer that runs from 1 to its size."""

    def __new__(cls, name: str) -> Self:
        """Make the index of this name; equal names are equal indices."""
        return _natural(cls, name)  # type: ignore[arg-type]  # mypy does not see that a class is hashable


class Size(Symbol):
    """A symbolic size: a positive integer, otherwise unknown."""

    def __new__(cls, name: str) -> Self:
        """Make the size of this name."""
        return _natural(cls, name)  # type: ignore[arg-type]  # mypy does not see that a class is hashable


@lru_cache(maxsize=8192)
def _natural(kind: type[Symbol], name: str) -> Any:
    """Return the symbol of a name; SymPy examines the assumptions anew each time that it makes one."""
    return Symbol.__new__(kind, name, integer=True, positive=True)


_apart = itertools.count(1)


def fresh(name: str) -> Index:
    """Return an index that occurs nowhere else; `name` is kept as the part that a reader sees."""
    return Index(f"{name.split('#', maxsplit=1)[0]}#{next(_apart)}")


def exact(value: Any) -> Any:
    """Return a number or truth value of Python as SymPy's, a term as it is; anything else is our mistake."""
    if isinstance(value, bool):
        return sympy.true if value else sympy.false
    if isinstance(value, int):
        return sympy.Integer(value)
    assert isinstance(value, sympy.Basic), value
    return value


class D(Expr):
    """`D(term, v1, v2, …)`: the derivative of `term` by entries `v1`, `v2`, …, not yet carried out.

    Each variable is an `Indexed` or a scalar `Symbol`. What the variable's name is defined as plays no
    part: `D(L, y[t])` with y defined takes y as independent, and the total derivative along every path
    from `term` to it that the definitions open. Indices inside a variable are ordinary indices: they may be
    bound by a sum outside the D, never by one inside its `term`.
    """

    def __new__(cls, term: Expr, *variables: Expr) -> Self:
        """Build the node; nothing is evaluated."""
        assert variables
        return super().__new__(cls, sympy.Integer(term) if isinstance(term, int) else term, *variables)

    is_commutative = True
    is_extended_real = True

    @property
    def term(self) -> Expr:
        """What is differentiated."""
        return self.args[0]

    @property
    def variables(self) -> tuple[Expr, ...]:
        """The entries by which it is differentiated, in order."""
        return self.args[1:]


class Partial(D):
    """`Partial(L, v1, …)`: the derivative of an opaque entry by its own arguments, its other arguments held.

    The kernel writes it for `D(L, v)` where another argument of L depends on v, so that the two differ.
    """


class Unknown(Expr):
    """`Unknown(f, (m1, …), a1, …)`: a derivative of an unknown smooth function f at scalars.

    Order (0,) is `f(a)`, (1,) is `f'(a)`.
    """

    def __new__(cls, name: Symbol, orders: Tuple, *arguments: Expr) -> Self:
        """Build the node."""
        assert len(orders) == len(arguments)
        return super().__new__(cls, name, Tuple(*orders), *arguments)

    is_commutative = True
    is_extended_real = True


class Cases(Expr):
    """`Cases(v1, c1, v2, c2, …)`: the first value whose condition holds; undefined where none does.

    SymPy's Piecewise lets bound indices escape: `Sum` folds the cases of a sum inside it outwards
    (`Sum(exp(Sum(Piecewise((x[m], m <= k), (0, True)), (m, 1, N))), (k, 1, N))` has m free).
    Build these, never a Piecewise, wherever a sum may surround the term.
    """

    def __new__(cls, *parts: Expr) -> Self:
        """Build the node; nothing is evaluated."""
        assert parts
        assert len(parts) % 2 == 0
        return super().__new__(cls, *map(exact, parts))

    is_commutative = True
    is_extended_real = True

    @property
    def pairs(self) -> tuple[tuple[Expr, Boolean], ...]:
        """The values with their conditions, in order."""
        return tuple(zip(self.args[::2], self.args[1::2], strict=True))


class OfMatrix(Expr):
    """A number that a square matrix determines; the matrix is given by its entry `body` at (p, q).

    `places` is (p, q, n): the indices p and q, bound here, run from 1 to n. They occur nowhere else.
    """

    is_commutative = True
    is_extended_real = True

    @property
    def body(self) -> Expr:
        """The entry of the matrix at (p, q)."""
        return self.args[0]

    @property
    def places(self) -> tuple[Expr, Expr, Expr]:
        """Row p, column q and the size n."""
        return tuple(self.args[1].args)

    @property
    def free_symbols(self) -> set[sympy.Basic]:
        """The free symbols, p and q not among them."""
        p, q, size = self.places
        outside = [size, *self.args[2:]]
        return set(self.body.free_symbols - {p, q}).union(*(part.free_symbols for part in outside))


class Inv(OfMatrix):
    """`Inv(body, (p, q, n), i, j)`: entry (i, j) of the inverse; undefined where there is none."""

    def __new__(cls, body: Expr, places: Iterable[Expr], i: Expr, j: Expr) -> Self:
        """Build the node; nothing is evaluated."""
        return super().__new__(cls, exact(body), Tuple(*places), exact(i), exact(j))

    @property
    def at(self) -> tuple[Expr, Expr]:
        """The indices of the entry."""
        return self.args[2:]


class Det(OfMatrix):
    """`Det(body, (p, q, n))`: the determinant."""

    def __new__(cls, body: Expr, places: Iterable[Expr]) -> Self:
        """Build the node; nothing is evaluated."""
        return super().__new__(cls, exact(body), Tuple(*places))


class Definite(Boolean):
    """`Definite(body, (p, q, n))`: the matrix is positive definite; p and q are bound here."""

    def __new__(cls, body: Expr, places: Iterable[Expr]) -> Self:
        """Build the node; nothing is evaluated."""
        return super().__new__(cls, exact(body), Tuple(*places))

    @property
    def matrix(self) -> Det:
        """The matrix, as a node that has its body and places."""
        return Det(self.args[0], self.args[1])

    @property
    def free_symbols(self) -> set[sympy.Basic]:
        """The free symbols, p and q not among them."""
        return self.matrix.free_symbols


class Greatest(Expr):
    """`Greatest(body, (k, 1, n))`: the greatest value of a term where k, bound here, runs from 1 to n."""

    def __new__(cls, body: Expr, limit: Iterable[Expr]) -> Self:
        """Build the node; nothing is evaluated."""
        return super().__new__(cls, exact(body), Tuple(*limit))

    is_commutative = True
    is_extended_real = True

    @property
    def function(self) -> Expr:
        """The term."""
        return self.args[0]

    @property
    def limits(self) -> tuple[Tuple, ...]:
        """The index, 1 and the size, as a sum has them."""
        return self.args[1:]

    @property
    def free_symbols(self) -> set[sympy.Basic]:
        """The free symbols, the index not among them."""
        bound, low, high = self.args[1]
        return set(self.function.free_symbols - {bound}) | low.free_symbols | high.free_symbols


def bound_by(term: sympy.Basic) -> tuple[Index, ...]:
    """Return the indices that a node binds."""
    if isinstance(term, Sum | Product | Greatest):
        return tuple(limit[0] for limit in term.limits)
    return term.places[:2] if isinstance(term, OfMatrix) else ()


class Entry(Indexed):
    """An entry of a tensor. It has the assumptions of its base, which are not inferred again for each."""

    def __new__(cls, base: IndexedBase, *indices: Expr) -> Self:
        """Build the entry at these indices."""
        made = Expr.__new__(cls, base, *indices)
        made._assumptions = base._assumptions  # noqa: SLF001  SymPy has no public way to share them
        return made

    @classmethod
    def class_key(cls) -> tuple[int, int, str]:
        """Return the key by which SymPy orders classes: that of any other `Indexed`."""
        return Indexed.class_key()

    def _hashable_content(self) -> tuple[Any, ...]:
        return self.args

    def _xreplace(self, rule: Mapping[Basic, Basic]) -> tuple[Expr, bool]:
        if self in rule:
            return rule[self], True
        base, *indices = self.args
        if base.args[0] in rule or base in rule:
            base = base.xreplace(rule)
        moved = [index.xreplace(rule) if index.args else rule.get(index, index) for index in indices]
        same = base is self.args[0] and all(a is b for a, b in zip(moved, indices, strict=True))
        return (self, False) if same else (Entry(base, *moved), True)


def indicator(condition: Boolean) -> Expr:
    """Return the term that is 1 where a condition holds, else 0."""
    return Cases(sympy.Integer(1), condition, sympy.Integer(0), sympy.true)


@dataclass(frozen=True, slots=True)
class Definition:
    """`name[slots] = body`; the body's free indices are the slots."""

    name: str
    slots: tuple[Index, ...]
    body: Expr


@dataclass(frozen=True, slots=True)
class Opaque:
    """`name[slots]` is an unknown smooth function of all entries of the tensors `arguments`."""

    name: str
    slots: tuple[Index, ...]
    arguments: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Bounds:
    """Between which numbers all entries of a name lie; None where there is no bound."""

    low: Expr | None = None
    high: Expr | None = None
    open_low: bool = False
    """The lower bound is not reached."""
    open_high: bool = False

    def both(self, other: Bounds) -> Bounds:
        """Return the bounds of what lies within these and the others."""
        low, open_low = max(
            (self.low, self.open_low), (other.low, other.open_low), key=lambda end: _end(end, -sympy.oo)
        )
        high, closed_high = min(
            (self.high, not self.open_high),
            (other.high, not other.open_high),
            key=lambda end: _end(end, sympy.oo),
        )
        return Bounds(low, high, open_low, not closed_high)

    @property
    def empty(self) -> bool:
        """Whether no number lies within."""
        if self.low is None or self.high is None:
            return False
        return bool(self.low > self.high or (self.low == self.high and (self.open_low or self.open_high)))

    @property
    def positive(self) -> bool:
        """Whether all numbers within are positive."""
        return self.low is not None and bool(self.low > 0 or (self.low == 0 and self.open_low))


def _end(end: tuple[Expr | None, bool], otherwise: Expr) -> tuple[Expr, bool]:
    value, second = end
    return (otherwise, False) if value is None else (value, second)


@dataclass(frozen=True, slots=True, eq=False)
class Context:
    """What the names of a statement mean. Contexts are compared as objects, so that they are quick keys.

    `shapes` has every tensor name, primitive, defined or opaque, with the sizes of its slots (`()` for a
    scalar). A name that is neither defined nor opaque is *primitive*: its entries are independent real
    variables, positive where the SymPy symbol (or IndexedBase) says so.
    """

    definitions: Mapping[str, Definition] = field(default_factory=dict)
    opaque: Mapping[str, Opaque] = field(default_factory=dict)
    shapes: Mapping[str, tuple[Expr, ...]] = field(default_factory=dict)
    values: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    """Where the entries of a primitive name are all among a few numbers, these: `(0, 1)` for a mask."""
    discrete: frozenset[str] = frozenset()
    """The primitive names that are whole numbers, or from some other set that is no interval."""
    bounds: Mapping[str, Bounds] = field(default_factory=dict)
    """Between which numbers the entries of a primitive name lie, where the page declares it."""


@dataclass(frozen=True, slots=True)
class Goal:
    """`left = right` for every value of the free indices in their `ranges`, and under `assumptions`.

    Both sides are scalar terms over the same free indices. An assumption is `Eq` or `Ne` between indices
    (`Eq(i, j)`), or `Eq` between terms (a hypothesis such as `Sum(y[k], (k, 1, N)) = 1`, its free indices
    universally quantified unless they are in `ranges`).
    """

    left: Expr
    right: Expr
    ranges: Mapping[Index, Expr] = field(default_factory=dict)
    assumptions: tuple[Boolean, ...] = ()
    context: Context = field(default_factory=Context)


def name_of(entry: Expr) -> str | None:
    """Return the tensor name of an entry (`Indexed`, or a scalar that is no index or size), else None."""
    if isinstance(entry, Indexed):
        return entry.args[0].args[0].name
    if isinstance(entry, Symbol) and not isinstance(entry, Index | Size):
        return entry.name
    return None


def entry(name: str, *indices: Expr, positive: bool = False) -> Expr:
    """Return the entry of a tensor, a real scalar; without indices the scalar symbol itself."""
    if indices:
        return Entry(_base(name, positive=positive), *map(exact, indices))
    return _scalar(name, positive=positive)


@lru_cache(maxsize=1024)
def _scalar(name: str, *, positive: bool) -> Symbol:
    return Symbol(name, positive=True) if positive else Symbol(name, real=True)


@lru_cache(maxsize=1024)
def _base(name: str, *, positive: bool) -> IndexedBase:
    return IndexedBase(entry(name, positive=positive))


def total(body: Expr, *limits: Iterable[Any]) -> Expr:
    """Return `Sum(body, …)` over whole limits (k, first, last), which SymPy's own constructor checks anew."""
    made = Expr.__new__(Sum, body, *(Tuple(*map(exact, limit)) for limit in limits))
    made.is_commutative = True
    return made


def power_of_e(exponent: Expr) -> Expr:
    """Return `e^exponent`, which SymPy then knows to be positive without asking its exponent.

    Only of a logarithm or a number does SymPy have to look for a shorter form.
    """
    if not exponent.free_symbols or exponent.has(sympy.log):
        return sympy.exp(exponent)
    made = sympy.exp(exponent, evaluate=False)
    made._assumptions = _POSITIVE._assumptions.copy()  # noqa: SLF001  SymPy has no public way to give them
    return made


_POSITIVE = Symbol("positive", positive=True)


def closure(names: Iterable[str], below: Callable[[str], Iterable[str]]) -> frozenset[str]:
    """Return some names and all that can be reached from these, a step at a time."""
    found: set[str] = set()
    waiting = list(names)
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting.extend(below(name))
    return frozenset(found)


def nodes(*terms: Basic) -> set[Basic]:
    """Return every subterm of these, each once; of an entry its indices, not its base."""
    found: set[Basic] = set()
    waiting = list(terms)
    while waiting:
        term = waiting.pop()
        if term not in found:
            found.add(term)
            waiting.extend(term.args[1:] if isinstance(term, Indexed) else term.args)
    return found


_NOTHING: frozenset[Symbol] = frozenset()


@lru_cache(maxsize=16384)
def free_in(term: Basic) -> frozenset[Symbol]:
    """Return the symbols that stand free in a term: indices, sizes, scalars, and the labels of entries."""
    if isinstance(term, Symbol):
        return frozenset((term,))
    if not term.args:
        return _NOTHING
    if isinstance(term, Sum | Product | Greatest):
        found = free_in(term.function)
        for bound, *ends in term.limits:
            found = (found - {bound}).union(*map(free_in, ends))
        return found
    if isinstance(term, OfMatrix | Definite):
        *bound, size = term.args[1].args
        return (free_in(term.args[0]) - {*bound}).union(free_in(size), *map(free_in, term.args[2:]))
    return _NOTHING.union(*map(free_in, term.args))

"""Matrix forms: what is written without indices, and the entry that each form stands for.

Vocabulary. A factor with one index is a *vector*, with two a *matrix*; a *row* is a vector turned. Each form
has an *entry*, the term that it stands for, so that the kernel can prove the form before it is printed. Forms
are made by the functions at the end, which keep them short.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from sympy import (
    Add,
    Expr,
    Integer,
    KroneckerDelta,
    Mul,
    Rational,
    Sum,
    Symbol,
)

from symderiv.kernel.terms import D, Det, Index, Inv, fresh


class NoForm(Exception):
    """A term that has no matrix form here."""


@dataclass(frozen=True, slots=True)
class Leaf:
    """A tensor of the page, or the derivative of a number by one: its entry at `slots`."""

    term: Expr
    slots: tuple[Index, ...]


@dataclass(frozen=True, slots=True)
class Ones:
    """The vector of ones."""

    size: Expr


@dataclass(frozen=True, slots=True)
class Identity:
    """The identity matrix."""

    size: Expr


@dataclass(frozen=True, slots=True)
class Scalar:
    """A number without indices."""

    term: Expr


@dataclass(frozen=True, slots=True)
class Transposed:
    """The transpose; of a vector, a row."""

    body: Form


@dataclass(frozen=True, slots=True)
class Times:
    """The product of vectors, rows and matrices."""

    items: tuple[Form, ...]


@dataclass(frozen=True, slots=True)
class Elementwise:
    """The product entry by entry."""

    items: tuple[Form, ...]


@dataclass(frozen=True, slots=True)
class Diagonal:
    """The diagonal matrix of a vector."""

    body: Form


@dataclass(frozen=True, slots=True)
class Trace:
    """The trace of a square matrix."""

    body: Form


@dataclass(frozen=True, slots=True)
class Inverted:
    """The inverse of a square matrix."""

    body: Form


@dataclass(frozen=True, slots=True)
class Determinant:
    """The determinant of a square matrix."""

    body: Form


@dataclass(frozen=True, slots=True)
class Applied:
    """A function of one number, entry by entry: `template` over the symbol `HOLE`."""

    template: Expr
    body: Form


@dataclass(frozen=True, slots=True)
class Scaled:
    """A rational and numbers, some under the fraction bar, times a form; of no form, a number."""

    coefficient: Rational
    above: tuple[Form, ...]
    below: tuple[Form, ...]
    body: Form | None


@dataclass(frozen=True, slots=True)
class Plus:
    """A sum; each term with its sign."""

    terms: tuple[tuple[int, Form], ...]


Form = (
    Leaf
    | Ones
    | Identity
    | Scalar
    | Transposed
    | Times
    | Elementwise
    | Diagonal
    | Trace
    | Inverted
    | Determinant
    | Applied
    | Scaled
    | Plus
)
HOLE = Symbol("hole", real=True)
ROW = -1
"""The rank of a row; a column has rank 1."""


def rank(form: Form) -> int:
    """Return the number of indices of a form; a row has `ROW`."""
    match form:
        case Leaf(slots=slots):
            return len(slots)
        case Ones():
            return 1
        case Identity() | Diagonal() | Inverted():
            return 2
        case Scalar() | Trace() | Determinant():
            return 0
        case Transposed(body=body):
            return {1: ROW, ROW: 1}.get(rank(body), rank(body))
        case Times(items=items):
            total = rank(items[0])
            for item in items[1:]:
                total = _product_rank(total, rank(item))
            return total
        case Elementwise(items=items):
            return rank(items[0])
        case Applied(body=body):
            return rank(body)
        case Scaled(body=body):
            return 0 if body is None else rank(body)
        case Plus(terms=terms):
            return rank(terms[0][1])


def _product_rank(left: int, right: int) -> int:
    known = {(2, 2): 2, (2, 1): 1, (ROW, 2): ROW, (ROW, 1): 0, (1, ROW): 2}
    if (left, right) not in known:
        raise NoForm
    return known[left, right]


def entry_of(form: Form, at: tuple[Expr, ...], sizes: Mapping[Form, tuple[Expr, ...]]) -> Expr:  # noqa: C901, PLR0912  one case a form
    """Return the entry of a form at some indices; `sizes` has the shape of each leaf."""
    match form:
        case Leaf(term=term, slots=slots):
            return term.xreplace(dict(zip(slots, at, strict=True)))
        case Ones():
            return Integer(1)
        case Identity():
            return KroneckerDelta(*at)
        case Scalar(term=term):
            return term
        case Transposed(body=body):
            return entry_of(body, at[::-1], sizes)
        case Times(items=items):
            return _chained(items, at, sizes)
        case Elementwise(items=items):
            return Mul(*(entry_of(item, at, sizes) for item in items))
        case Diagonal(body=body):
            return KroneckerDelta(*at) * entry_of(body, at[:1], sizes)
        case Trace(body=body):
            k = fresh("k")
            return Sum(entry_of(body, (k, k), sizes), (k, 1, shape(body, sizes)[0]))
        case Inverted(body=body) | Determinant(body=body):
            p, q = fresh("p"), fresh("q")
            inner, places = entry_of(body, (p, q), sizes), (p, q, shape(body, sizes)[0])
            return Inv(inner, places, *at) if isinstance(form, Inverted) else Det(inner, places)
        case Applied(template=template, body=body):
            return template.xreplace({HOLE: entry_of(body, at, sizes)})
        case Scaled(coefficient=coefficient, above=above, below=below, body=body):
            numbers = [entry_of(form, (), sizes) for form in above] + [
                1 / entry_of(form, (), sizes) for form in below
            ]
            return Mul(coefficient, *numbers, entry_of(body, at, sizes) if body is not None else Integer(1))
        case Plus(terms=terms):
            return Add(*(sign * entry_of(term, at, sizes) for sign, term in terms))


def shape(form: Form, sizes: Mapping[Form, tuple[Expr, ...]]) -> tuple[Expr, ...]:
    """Return the sizes of a form's indices."""
    match form:
        case Leaf():
            return sizes[form]
        case Ones(size=size):
            return (size,)
        case Identity(size=size):
            return (size, size)
        case Diagonal(body=body):
            return shape(body, sizes) * 2
        case Transposed(body=body):
            return shape(body, sizes)[::-1]
        case Elementwise(items=items):
            return shape(items[0], sizes)
        case Applied(body=body) | Inverted(body=body):
            return shape(body, sizes)
        case Scaled(body=body):
            return () if body is None else shape(body, sizes)
        case Plus(terms=terms):
            return shape(terms[0][1], sizes)
        case Times(items=items):
            kind = rank(form)
            first, last = shape(items[0], sizes), shape(items[-1], sizes)
            return {0: (), 1: first[:1], ROW: last[-1:], 2: (first[:1] + last[-1:])}[kind]
        case _:
            return ()


def _chained(items: Sequence[Form], at: tuple[Expr, ...], sizes: Mapping[Form, tuple[Expr, ...]]) -> Expr:
    """Return the entry of a product, the last factor split off."""
    if len(items) == 1:
        return entry_of(items[0], at, sizes)
    left, last = items[:-1], items[-1]
    before = rank(Times(tuple(left))) if len(left) > 1 else rank(left[0])
    after = rank(last)
    if (before, after) == (1, ROW):
        return _chained(left, at[:1], sizes) * entry_of(last, at[1:], sizes)
    k = fresh("k")
    outer = at[:1] if before == 2 else ()
    inner = at[len(outer) :]
    body = _chained(left, (*outer, k), sizes) * entry_of(last, (k, *inner), sizes)
    return Sum(body, (k, 1, shape(last, sizes)[0]))


def effort(form: Form) -> float:
    """Return how much there is to read in a form."""
    match form:
        case Leaf(term=term):
            return 1.5 if isinstance(term, D) else 1.0
        case Ones() | Identity():
            return 1.3
        case Scalar():
            return 1.0
        case Transposed(body=body):
            return 0.3 + effort(body)
        case Times(items=items) | Elementwise(items=items):
            return sum(map(effort, items)) + 0.4 * len(items)
        case Inverted(body=body):
            return 0.5 + effort(body)
        case Diagonal(body=body) | Trace(body=body) | Determinant(body=body) | Applied(body=body):
            return 1.0 + effort(body)
        case Scaled(above=above, below=below, body=body):
            return 0.3 + sum(map(effort, (*above, *below))) + (effort(body) if body is not None else 0.0)
        case Plus(terms=terms):
            return sum(0.6 + effort(term) for _, term in terms)


def leaves(form: Form) -> int:
    """Return how many tensors of the page a form names."""
    match form:
        case Leaf():
            return 1
        case Scalar() | Ones() | Identity():
            return 0
        case Times(items=items) | Elementwise(items=items):
            return sum(map(leaves, items))
        case Scaled(above=above, below=below, body=body):
            return sum(map(leaves, (*above, *below))) + (leaves(body) if body is not None else 0)
        case Plus(terms=terms):
            return sum(leaves(term) for _, term in terms)
        case _:
            return leaves(form.body)


def transposed(form: Form) -> Form:
    """Return the transpose, carried inside products."""
    match form:
        case Transposed(body=body):
            return body
        case Times(items=items):
            return Times(tuple(transposed(item) for item in reversed(items)))
        case Diagonal() | Identity():
            return form
        case Inverted(body=body) if transposed(body) == body:
            return form
        case Scaled(body=body) if body is not None:
            return replace(form, body=transposed(body))
        case Plus(terms=terms) if rank(form) == 2:
            inside = Plus(tuple((sign, transposed(term)) for sign, term in terms))
            return inside if effort(inside) <= effort(form) else Transposed(form)
        case _:
            return Transposed(form)


def inverted(form: Form) -> Form:
    """Return the inverse; that of a transpose is turned."""
    return Transposed(Inverted(form.body)) if isinstance(form, Transposed) else Inverted(form)


def times(*items: Form) -> Form:
    """Return the product of some forms, without identities."""
    flattened = [inner for item in items for inner in (item.items if isinstance(item, Times) else (item,))]
    kept = [item for item in flattened if not isinstance(item, Identity)]
    if not kept:
        return flattened[0]
    return kept[0] if len(kept) == 1 else Times(tuple(kept))


def elementwise(items: Sequence[Form]) -> Form:
    """Return the product entry by entry, its factors in one order."""
    if len(items) == 1:
        return items[0]
    return Elementwise(tuple(sorted(items, key=lambda item: (effort(item), str(item)))))


def scaled(coefficient: Rational, above: Sequence[Form], below: Sequence[Form], body: Form | None) -> Form:
    """Return a form times numbers; numbers that are sums of numbers stay as they are."""
    if coefficient == 1 and not above and not below and body is not None:
        return body
    if body is None and coefficient == 1 and not below and len(above) == 1:
        return above[0]
    return Scaled(coefficient, tuple(above), tuple(below), body)

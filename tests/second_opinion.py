"""A second opinion on the pages of `derivations/`: their LaTeX evaluated by brute force, over every entry.

It shares nothing with symderiv: a reader of its own for the LaTeX that the pages use, arrays of NumPy, sums
as loops, derivatives by a complex step of the function that the page defines.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import numpy as np

Array = Any
Node = tuple[Any, ...]
Scope = Mapping[str, int]


class IllFormed(Exception):
    """The expression has no meaning at these sizes."""


class Unreadable(Exception):
    """The expression is none that this evaluator knows."""


# Reading

_TOKEN = re.compile(r"\s+|\\left|\\right|\\,|\\;|&|(?P<token>\\[A-Za-z]+|\\\\|\d+|.)", re.DOTALL)
_ENDS = frozenset({"", "+", "-", ")", "]", "}", "=", "\\\\", ",", ".", "\\end", "\\text", "\\neq"})


class _Reader:
    def __init__(self, text: str) -> None:
        self.tokens = [found["token"] for found in _TOKEN.finditer(text) if found["token"]]
        self.at = 0

    @property
    def next(self) -> str:
        return self.tokens[self.at] if self.at < len(self.tokens) else ""

    def take(self, *expected: str) -> str:
        token = self.next
        if not token or (expected and token not in expected):
            message = f"{token!r} where {expected} should stand"
            raise Unreadable(message)
        self.at += 1
        return token

    def has(self, token: str) -> bool:
        if self.next == token:
            self.at += 1
            return True
        return False

    def whole(self) -> Node:
        node = self.expression()
        while self.next in {".", ","}:
            self.take()
        if self.next:
            raise Unreadable(self.next)
        return node

    def expression(self) -> Node:
        terms = []
        sign = self.take() if self.next in {"+", "-"} else "+"
        terms.append((sign, self.term()))
        while self.next in {"+", "-"}:
            terms.append((self.take(), self.term()))
        return terms[0][1] if len(terms) == 1 and sign == "+" else ("sum of", tuple(terms))

    def term(self) -> Node:
        node = self.factor()
        while self.next not in _ENDS:
            operator = self.take() if self.next in {"\\cdot", "\\odot", "\\otimes"} else ""
            node = ("product", operator, node, self.factor())
        return node

    def factor(self) -> Node:
        token = self.next
        if token == "\\sum":
            return self.sum()
        node = self.primary()
        while self.next in {"_", "^"}:
            if self.take() == "_":
                node = ("entry", node, self.subscripts())
            elif self.has("{") or self.next:
                braced = self.tokens[self.at - 1] == "{"
                if self.has("\\top"):
                    node = ("transpose", node)
                else:
                    node = ("power", node, self.expression() if braced else self.primary())
                if braced:
                    self.take("}")
        return node

    def primary(self) -> Node:
        token = self.take()
        if token.isdigit():
            return ("number", float(token))
        if token in {"(", "["}:
            node = self.expression()
            self.take(")", "]")
            return node
        if token == "\\frac":
            return self.fraction()
        if token == "\\mathbf":
            self.braced("1")
            return ("name", "1")
        if token == "\\mathrm":
            self.braced("diag")
            self.take("(")
            node = self.expression()
            self.take(")")
            return ("diagonal", node)
        if token == "\\begin":
            return self.cases()
        if token == "\\delta":
            self.take("_")
            return ("delta", self.subscripts())
        if token == "\\beta" or re.fullmatch("[A-Za-z]", token):
            return ("name", token)
        raise Unreadable(token)

    def braced(self, word: str) -> None:
        self.take("{")
        for letter in word:
            self.take(letter)
        self.take("}")

    def subscripts(self) -> tuple[str, ...]:
        if not self.has("{"):
            return (self.take(),)
        found = []
        while not self.has("}"):
            found.append(self.take())
        return tuple(found)

    def sum(self) -> Node:
        self.take("\\sum")
        self.take("_")
        low: Node = ("number", 1.0)
        high: Node | None = None
        self.take("{")
        letter = self.take()
        if self.has("="):
            low = self.expression()
        self.take("}")
        if self.has("^"):
            self.take("{")
            high = self.expression()
            self.take("}")
        return ("sum", letter, low, high, self.term())

    def fraction(self) -> Node:
        self.take("{")
        if self.next == "\\partial":
            self.take()
            of = None if self.has("}") else self.expression()
            if of is not None:
                self.take("}")
            self.take("{")
            self.take("\\partial")
            by = self.factor()
            self.take("}")
            return ("derivative", of if of is not None else self.term(), by)
        above = self.expression()
        self.take("}")
        self.take("{")
        below = self.expression()
        self.take("}")
        return ("quotient", above, below)

    def cases(self) -> Node:
        self.braced("cases")
        rows = []
        while self.next != "\\end":
            value = self.expression()
            condition = None
            while self.next in {"\\text", "{", "}", "i", "f", ",", "o", "t", "h", "e", "r", "w", "s"}:
                if self.take() == "f":
                    self.take("}")
                    break
            if self.next not in {"\\\\", "\\end", ",", "."}:
                condition = (self.take(), self.take("=", "\\neq"), self.take())
            rows.append((value, condition))
            while self.next in {",", ".", "\\\\"}:
                self.take()
        self.take("\\end")
        self.braced("cases")
        return ("cases", tuple(rows))


def read(latex: str) -> Node:
    """Read one member of a chain."""
    return _Reader(latex).whole()


# What the names mean

Kind = Literal["number", "column", "row", "matrix", "identity"]
_KINDS: dict[int, Kind] = {0: "number", 1: "column", 2: "matrix"}


@dataclass(frozen=True)
class Value:
    """A value with its kind; of the identity, whose size its neighbours tell, `array` is the factor."""

    kind: Kind
    array: Array


@dataclass(frozen=True)
class Model:
    """Sizes, values of the names that are given, and functions for those that the page defines."""

    sizes: dict[str, int]
    given: dict[str, Array]
    defined: dict[str, Callable[[Model], Array]]
    held: dict[str, Array] = field(default_factory=dict)
    differentiating: bool = False

    def value(self, name: str) -> Array:
        """Return the value of a name, complex while a derivative is taken."""
        if name in self.held:
            return self.held[name]
        if name in self.sizes:
            return np.asarray(float(self.sizes[name]))
        if name in self.defined:
            return np.asarray(self.defined[name](self))
        if name not in self.given:
            raise IllFormed(name)
        return self.given[name]


def _loss(model: Model, name: str) -> Array:
    """Return a function of all entries of a tensor that no symmetry maps to itself."""
    v = model.value(name).ravel()
    a, c, d = _coefficients(v.size)
    return a @ v + c @ np.sin(v) + (d @ v) ** 2


def _gradient(model: Model, name: str) -> Array:
    v = model.value(name).ravel()
    a, c, d = _coefficients(v.size)
    return a + c * np.cos(v) + 2 * d * (d @ v)


def _coefficients(count: int) -> tuple[Array, Array, Array]:
    at = np.arange(1, count + 1)
    return np.cos(at * 1.7), 0.3 + np.sin(at * 2.3), np.cos(at * 0.9 + 1)


def models(page: str, section: str, largest: int = 3) -> Iterator[Model]:
    """Give the model of a page at all sizes up to `largest`; in a section on a batch, that of the batch."""
    random = np.random.default_rng(7)
    batch = "batch" in section.lower()
    names = ("N",) if page == "softmax" else ("T", "N", "M") if batch else ("T", "N")
    for sizes in itertools.product(range(1, largest + 1), repeat=len(names)):
        size = dict(zip(names, sizes, strict=True))
        n, t, m = (size.get(name, 1) for name in "NTM")
        if page == "softmax":
            yield Model(
                size,
                {
                    "x": random.normal(size=n),
                    "\\beta": np.asarray(0.7),
                    "c": np.asarray(0.4),
                    "1": np.ones(n),
                },
                {
                    "Z": lambda model: np.exp(model.value("\\beta") * model.value("x")).sum(),
                    "y": lambda model: np.exp(model.value("\\beta") * model.value("x")) / model.value("Z"),
                    "L": lambda model: _loss(model, "y"),
                    "g": lambda model: _gradient(model, "y"),
                },
            )
            continue
        given = {"W": random.normal(size=(t, n)), "x": random.normal(size=n), "b": random.normal(size=t)}
        defined: dict[str, Callable[[Model], Array]] = {
            "y": lambda model: model.value("W") @ model.value("x") + model.value("b"),
            "L": lambda model: _loss(model, "y"),
        }
        if batch:
            given |= {"X": random.normal(size=(m, n)), "1": np.ones(m)}
            defined["Y"] = lambda model: model.value("X") @ model.value("W").T + model.value("b")
            defined["L"] = lambda model: _loss(model, "Y")
        yield Model(size, given, defined)


# Evaluation

_STEP = 1e-30


def evaluate(node: Node, model: Model, scope: Scope) -> Value:
    """Return the value of an expression, the free indices being given."""
    return _RULES[node[0]](node, model, scope)


def _number(node: Node, model: Model, scope: Scope) -> Value:
    del model, scope
    return Value("number", np.asarray(node[1]))


def _name(node: Node, model: Model, scope: Scope) -> Value:
    name = node[1]
    if name == "I":
        return Value("identity", np.asarray(1.0))
    if name in scope:
        raise IllFormed(name)
    array = model.value(name)
    return Value(_KINDS[array.ndim], array)


def _place(letters: tuple[str, ...], shape: tuple[int, ...], model: Model, scope: Scope) -> tuple[int, ...]:
    if len(letters) != len(shape):
        message = f"{len(letters)} indices for {len(shape)}"
        raise IllFormed(message)
    place = tuple(_index(letter, model, scope) for letter in letters)
    if any(not 1 <= at <= size for at, size in zip(place, shape, strict=True)):
        raise IllFormed(letters)
    return tuple(at - 1 for at in place)


def _range(letter: str) -> str:
    """Return the key under which a scope keeps the size that a letter runs to."""
    return f"size of {letter}"


def _index(letter: str, model: Model, scope: Scope) -> int:
    if letter.isdigit():
        return int(letter)
    if letter in scope:
        return scope[letter]
    if letter in model.sizes:
        return model.sizes[letter]
    raise IllFormed(letter)


def _entry(node: Node, model: Model, scope: Scope) -> Value:
    value = evaluate(node[1], model, scope)
    if value.kind == "identity":
        raise Unreadable("an entry of the identity")
    return Value("number", value.array[_place(node[2], value.array.shape, model, scope)])


def _delta(node: Node, model: Model, scope: Scope) -> Value:
    if len(node[1]) != 2:
        raise IllFormed(node[1])
    first, second = (_index(letter, model, scope) for letter in node[1])
    if len({scope[_range(letter)] for letter in node[1] if letter in scope}) > 1:
        raise IllFormed(node[1])
    return Value("number", np.asarray(float(first == second)))


def _transpose(node: Node, model: Model, scope: Scope) -> Value:
    value = evaluate(node[1], model, scope)
    turned: dict[Kind, Kind] = {"column": "row", "row": "column"}
    return Value(turned.get(value.kind, value.kind), value.array.T)


def _power(node: Node, model: Model, scope: Scope) -> Value:
    exponent = evaluate(node[2], model, scope)
    if exponent.kind != "number":
        raise IllFormed("an exponent")
    if node[1] == ("name", "e"):
        return Value("number", np.exp(exponent.array))
    base = evaluate(node[1], model, scope)
    if base.kind != "number":
        raise Unreadable("a power of an array")
    return Value("number", base.array**exponent.array)


def _quotient(node: Node, model: Model, scope: Scope) -> Value:
    above, below = (evaluate(part, model, scope) for part in node[1:])
    if below.kind != "number":
        raise IllFormed("a divisor")
    return Value(above.kind, above.array / below.array)


def _added(node: Node, model: Model, scope: Scope) -> Value:
    values = [(sign, evaluate(term, model, scope)) for sign, term in node[1]]
    kind: Kind = next((value.kind for _, value in values if value.kind != "number"), "number")
    total: Array = 0.0
    for sign, value in values:
        if value.kind not in {kind, "number"} or (value.kind != kind and kind in {"matrix", "identity"}):
            raise IllFormed("a sum")
        if value.kind == kind and np.ndim(total) == value.array.ndim and np.shape(total) != value.array.shape:
            raise IllFormed("a sum")
        total = total + (value.array if sign == "+" else -value.array)
    return Value(kind, np.asarray(total))


def _product(node: Node, model: Model, scope: Scope) -> Value:
    left, right = evaluate(node[2], model, scope), evaluate(node[3], model, scope)
    a, b = left.array, right.array
    if node[1] == "\\otimes" and left.kind == right.kind == "column":
        return Value("matrix", np.outer(a, b))
    if "number" in (left.kind, right.kind):
        return Value(right.kind if left.kind == "number" else left.kind, a * b)
    if "identity" in (left.kind, right.kind):
        return Value(right.kind if left.kind == "identity" else left.kind, a * b)
    if node[1] == "\\odot":
        if left.kind != right.kind or a.shape != b.shape:
            raise IllFormed("an elementwise product")
        return Value(left.kind, a * b)
    if node[1] == "\\cdot" and left.kind == right.kind == "column" and a.shape == b.shape:
        return Value("number", a @ b)
    kinds: dict[tuple[Kind, Kind], Kind] = {
        ("matrix", "matrix"): "matrix",
        ("matrix", "column"): "column",
        ("row", "matrix"): "row",
        ("row", "column"): "number",
    }
    if (left.kind, right.kind) == ("column", "row"):
        return Value("matrix", np.outer(a, b))
    kind = kinds.get((left.kind, right.kind))
    if kind is None or node[1] == "\\otimes" or a.shape[-1] != b.shape[0]:
        raise IllFormed("a product")
    return Value(kind, a @ b)


def _sum(node: Node, model: Model, scope: Scope) -> Value:
    _, letter, low, high, body = node
    first = round(float(np.real(evaluate(low, model, {}).array)))
    if high is None:
        raise Unreadable("a sum without bound")
    last = round(float(np.real(evaluate(high, model, {}).array)))
    size = _plain_size(high, model) or last
    values = [
        evaluate(body, model, {**scope, letter: at, _range(letter): size}) for at in range(first, last + 1)
    ]
    if not values:
        return Value("number", np.asarray(0.0))
    return Value(values[0].kind, sum(value.array for value in values))


def _plain_size(high: Node, model: Model) -> int | None:
    """Return N for the bounds N and N - 1."""
    terms = [term for _, term in high[1]] if high[0] == "sum of" else [high]
    return next(
        (model.sizes[term[1]] for term in terms if term[0] == "name" and term[1] in model.sizes), None
    )


def _diagonal(node: Node, model: Model, scope: Scope) -> Value:
    value = evaluate(node[1], model, scope)
    if value.kind != "column":
        raise IllFormed("a diagonal")
    return Value("matrix", np.diag(value.array))


def _cases(node: Node, model: Model, scope: Scope) -> Value:
    for value, condition in node[1]:
        if condition is None:
            return evaluate(value, model, scope)
        first, relation, second = condition
        if (_index(first, model, scope) == _index(second, model, scope)) == (relation == "="):
            return evaluate(value, model, scope)
    raise IllFormed("no case holds")


def _derivative(node: Node, model: Model, scope: Scope) -> Value:
    if model.differentiating:
        raise Unreadable("a derivative of a derivative")
    of, by = node[1:]
    while by[0] == "transpose":
        raise Unreadable("a derivative by a row")
    name, letters = (by[1], ()) if by[0] == "name" else (by[1][1], by[2])
    centre = np.asarray(model.value(name), dtype=complex)
    places = [_place(letters, centre.shape, model, scope)] if letters else list(np.ndindex(centre.shape))
    parts = []
    for place in places:
        moved = centre.copy()
        moved[place] += 1j * _STEP
        held = replace(model, held={**model.held, name: moved}, differentiating=True)
        value = evaluate(of, held, scope)
        parts.append(Value(value.kind, np.imag(value.array) / _STEP))
    if letters or not centre.ndim:
        return parts[0]
    kinds = {(part.kind, centre.ndim) for part in parts}
    arrays = np.array([part.array for part in parts])
    if kinds <= {("number", 1), ("number", 2)}:
        return Value(_KINDS[centre.ndim], arrays.reshape(centre.shape))
    if kinds == {("column", 1)}:
        return Value("matrix", arrays.T)
    raise IllFormed("a derivative")


_RULES: dict[str, Callable[[Node, Model, Scope], Value]] = {
    "number": _number,
    "name": _name,
    "entry": _entry,
    "delta": _delta,
    "transpose": _transpose,
    "power": _power,
    "quotient": _quotient,
    "sum of": _added,
    "product": _product,
    "sum": _sum,
    "diagonal": _diagonal,
    "cases": _cases,
    "derivative": _derivative,
}


# Comparison

Truth = Literal["equal", "differ", "ill-formed", "no entry"]


@dataclass(frozen=True)
class Opinion:
    """What becomes of a step at each choice of sizes."""

    at: dict[tuple[int, ...], Truth]

    @property
    def is_true(self) -> bool:
        """It has a meaning and holds wherever it was looked at."""
        return set(self.at.values()) <= {"equal", "no entry"}

    @property
    def is_false(self) -> bool:
        """It has a meaning at all sizes, and fails at some."""
        return "ill-formed" not in self.at.values() and "differ" in self.at.values()


def opinion(page: str, section: str, members: list[str], right: str, assumption: str | None) -> Opinion:
    """Compare the last of some members with `right`; the members before it tell the ranges of the indices."""
    nodes = [read(member) for member in members]
    return Opinion(
        {
            tuple(model.sizes.values()): _compared(nodes, read(right), model, assumption)
            for model in models(page, section)
        }
    )


def _compared(nodes: list[Node], right: Node, model: Model, assumption: str | None) -> Truth:
    ranges: dict[str, int] = {}
    for node in nodes:
        for letter, size in _ranges(node, model, frozenset()):
            ranges.setdefault(letter, size)
        for letter in _compared_letters(node):
            ranges.setdefault(letter, model.sizes["N"])
    truths: set[Truth] = set()
    bounds = {_range(letter): size for letter, size in ranges.items()}
    for places in itertools.product(*(range(1, size + 1) for size in ranges.values())):
        scope = dict(zip(ranges, places, strict=True)) | bounds
        if assumption and (scope.get("i") == scope.get("j")) != (assumption == "="):
            continue
        try:
            truths.add(_same(evaluate(nodes[-1], model, scope), evaluate(right, model, scope)))
        except IllFormed:
            return "ill-formed"
    return next((truth for truth in _WORST_FIRST if truth in truths), "no entry")


_WORST_FIRST: tuple[Truth, ...] = ("ill-formed", "differ", "equal")


def _compared_letters(node: Node) -> tuple[str, ...]:
    """Return the letters of a delta that stands alone: nothing else tells their range."""
    return node[1] if node[0] == "delta" else ()


def _same(a: Value, b: Value) -> Truth:
    if "identity" in (a.kind, b.kind):
        if a.kind == "identity":
            a, b = b, a
        if a.kind == "matrix" and a.array.shape[0] == a.array.shape[1]:
            b = Value("matrix", b.array * np.eye(len(a.array)))
        elif a.kind != b.kind:
            return "ill-formed"
    zero = any(value.kind == "number" and not np.any(value.array) for value in (a, b))
    if a.kind != b.kind and not zero:
        return "ill-formed"
    if a.kind == b.kind and a.array.shape != b.array.shape:
        return "ill-formed"
    return "equal" if np.allclose(a.array, b.array, rtol=1e-9, atol=1e-11) else "differ"


def _ranges(node: Node, model: Model, bound: frozenset[str]) -> Iterator[tuple[str, int]]:
    """Give the free letters of an expression with the sizes that they run to."""
    if node[0] == "sum":
        yield from _ranges(node[4], model, bound | {node[1]})
    elif node[0] == "entry" and node[1][0] == "name":
        shape = np.shape(model.value(node[1][1]))
        for letter, size in zip(node[2], shape, strict=False):
            if letter not in bound and not letter.isdigit() and letter not in model.sizes:
                yield letter, size
    elif node[0] == "sum of":
        for _, term in node[1]:
            yield from _ranges(term, model, bound)
    elif node[0] == "cases":
        for value, _ in node[1]:
            yield from _ranges(value, model, bound)
    else:
        for part in node[1:]:
            if isinstance(part, tuple) and part and part[0] in _RULES:
                yield from _ranges(part, model, bound)

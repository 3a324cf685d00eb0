"""From syntax to terms: matrix notation, indices, functions and derivatives become index notation.

Vocabulary as in `model`: a *tensor* is a scalar term over its slots. An elaborator serves one chain: it
knows the scope, the letters that sums bind at the moment, and the ranges of the letters that stand
free in the chain. An expression without a meaning raises `Untyped`; the page catches it once a member.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Literal

import sympy
from sympy import (
    Abs,
    Eq,
    Expr,
    Indexed,
    Integer,
    KroneckerDelta,
    Max,
    Min,
    Ne,
    Rational,
    Sum,
    Symbol,
)
from sympy.logic.boolalg import And, Boolean, Not, Or, true

from symderiv.diagnostics import Diagnostic, Span
from symderiv.kernel.terms import Cases, D, Definition, Index, Size, Unknown, entry, fresh, indicator
from symderiv.latex import to_latex, tree
from symderiv.meaning import names
from symderiv.meaning.model import Tensor
from symderiv.meaning.scope import Name, Scope
from symderiv.meaning.sizes import SizeClash, Sizes


class Untyped(Exception):
    """An expression has no meaning, or none that symderiv knows."""

    def __init__(self, outcome: Literal["ill-typed", "unknown"], diagnostic: Diagnostic) -> None:
        """Keep what is to be reported."""
        super().__init__(diagnostic.message)
        self.outcome: Literal["ill-typed", "unknown"] = outcome
        self.diagnostic = diagnostic


def ill_typed(
    code: str, message: str, span: Span, *, label: str = "", notes: tuple[str, ...] = ()
) -> Untyped:
    """Return the error for an expression that is no statement."""
    return Untyped("ill-typed", Diagnostic(code, message, span, notes=notes, label=label))


def unsupported(message: str, span: Span) -> Untyped:
    """Return the error for mathematics that symderiv reads and has no meaning for."""
    return Untyped("unknown", Diagnostic("SD024", message, span))


_ELEMENTARY: dict[str, Callable[[Expr], Expr]] = {
    "\\exp": sympy.exp,
    "exp": sympy.exp,
    "\\log": sympy.log,
    "log": sympy.log,
    "\\ln": sympy.log,
    "ln": sympy.log,
    "\\sin": sympy.sin,
    "\\cos": sympy.cos,
    "\\tan": sympy.tan,
    "sin": sympy.sin,
    "cos": sympy.cos,
    "tan": sympy.tan,
    "\\sinh": sympy.sinh,
    "\\cosh": sympy.cosh,
    "\\tanh": sympy.tanh,
    "tanh": sympy.tanh,
    "sinh": sympy.sinh,
    "cosh": sympy.cosh,
    "erf": sympy.erf,
    "\\erf": sympy.erf,
    "sqrt": sympy.sqrt,
    "abs": Abs,
    "sign": sympy.sign,
    "sgn": sympy.sign,
    "\\sgn": sympy.sign,
    "ReLU": lambda x: Max(x, Integer(0)),
    "relu": lambda x: Max(x, Integer(0)),
    "sigmoid": lambda x: 1 / (1 + sympy.exp(-x)),
    "softplus": lambda x: sympy.log(1 + sympy.exp(x)),
}
"""Functions of one scalar, applied entry by entry to a tensor."""

FUNCTIONS = frozenset(word for word in _ELEMENTARY if word.startswith("\\")) | {
    "exp", "log", "ln", "sin", "cos", "tan", "sinh", "cosh", "tanh", "sqrt", "abs", "sign", "erf",
    "\\max", "max", "\\min", "min", "diag", "\\diag", "tr", "\\tr", "trace", "Tr", "det", "\\det",
}  # fmt: skip
"""Functions of one meaning, which no page defines."""

_RELATIONS: dict[str, Callable[[Expr, Expr], Boolean]] = {
    "=": Eq,
    "!=": Ne,
    "<": sympy.Lt,
    "<=": sympy.Le,
    ">": sympy.Gt,
    ">=": sympy.Ge,
}


def _tag(tensor: Tensor) -> tuple[tuple[Index, ...], tuple[Index, ...]]:
    """Return the slots of the numerator and of the denominator of a derivative tensor."""
    assert tensor.numerator is not None
    at = tensor.numerator[1]
    return tensor.slots[:at], tensor.slots[at:]


@dataclass(slots=True)
class Elaborator:
    """Elaborates the members of one chain."""

    scope: Scope
    sizes: Sizes
    number: int
    """The statement's number: definitions with a smaller one are in force."""
    layout: str = "gradient"
    fonts: frozenset[str] = frozenset()
    free: dict[str, Size] = field(default_factory=dict)
    means: dict[int, str] = field(default_factory=dict)
    """The sums of means, and the names of the numbers of their terms."""
    hidden: dict[str, Definition] = field(default_factory=dict)
    hidden_shapes: dict[str, tuple[Size, ...]] = field(default_factory=dict)
    bodies: dict[str, Tensor] = field(default_factory=dict)
    """Elaborated definitions by identity."""
    diagnostics: list[Diagnostic] = field(default_factory=list)
    uses: set[str] = field(default_factory=set)
    """Identities of the names used since this was last cleared."""
    outside: set[str] = field(default_factory=set)
    """Index letters that stand free in the other members of the chain."""
    clash: Diagnostic | None = None
    """A summed index of the member at hand that runs further than a dimension where it stands."""
    shaky: str | None = None
    """A name of the member at hand whose rank is a guess."""
    firm: bool = False
    """The member at hand has a tensor whose rank is no guess."""
    suspect: str | None = None
    """A name that is taken for a number and may be none."""
    lenient: bool = False
    """The page has a display that was not read, which may define what seems undefined."""
    expected_rank: int = 0
    """The rank of the head that a definition gives a meaning, 0 where it is a number or not known."""
    _bound: dict[str, tuple[Index, Size]] = field(default_factory=dict)
    _whole: tree.Node | None = None
    """The member at hand."""
    _starts: dict[str, int] = field(default_factory=dict)
    """For a bound letter with bounds: 0 or 1, where its sum counts from."""

    # ------------------------------------------------------------------ entry points

    def member(self, node: tree.Node) -> Tensor:
        """Elaborate one member of a chain."""
        seen: dict[str, tree.Big] = {}
        for letter, where in names.reused(node, self._index_letters(node)):
            seen.setdefault(letter, where)
        for letter, where in seen.items():
            self._note(
                "SD101",
                f"the index {letter} is bound by this sum and free in the same term",
                where.span,
                label=f"the reading that keeps the bound {letter} apart was taken",
            )
        self.shaky = self.suspect = self.clash = None
        self.firm = False
        self._whole = node
        try:
            return self.value(node)
        except Untyped as error:
            shaky: str | None = self.shaky
            if shaky is not None and error.outcome == "ill-typed" and error.diagnostic.code == "SD002":
                note = f"symderiv guessed the shape of {shaky}: a declaration would settle it"
                raise Untyped(
                    "unknown", replace(error.diagnostic, code="SD024", notes=(*error.diagnostic.notes, note))
                ) from None
            raise

    def _index_letters(self, node: tree.Node) -> set[str]:
        letters = {n.text for n in names.walk(node) if isinstance(n, tree.Name)}
        return {letter for letter in letters if self.scope.is_index(letter)}

    def _note(self, code: str, message: str, span: Span, *, label: str = "") -> None:
        found = Diagnostic(code, message, span, label=label)
        if found not in self.diagnostics:
            self.diagnostics.append(found)

    def value(self, node: tree.Node) -> Tensor:
        """Elaborate any expression."""
        method = getattr(self, f"_{type(node).__name__.lower()}", None)
        if method is None:
            raise unsupported(
                f"symderiv has no meaning for this {type(node).__name__.lower()} yet", node.span
            )
        result: Tensor = method(node)
        return result

    # ------------------------------------------------------------------ leaves

    def _number(self, node: tree.Number) -> Tensor:
        return Tensor(Rational(node.text))

    def _name(self, node: tree.Name) -> Tensor:
        return self._named(node, node, ())

    def _accent(self, node: tree.Accent) -> Tensor:
        if isinstance(node.body, tree.Script) and not isinstance(node.body.base, tree.Accent):
            inner = tree.Accent(node.mark, node.body.base, span=node.span)
            return self.value(replace(node.body, base=inner))
        return self._named(node, node, ())

    def _question(self, node: tree.Question) -> Tensor:
        raise unsupported("a question mark has no value", node.span)

    def _words(self, node: tree.Words) -> Tensor:
        raise unsupported(f"`{node.text}` has no value", node.span)

    def _empty(self, node: tree.Empty) -> Tensor:
        raise ill_typed("SD002", "an operand is missing", node.span)

    def _group(self, node: tree.Group) -> Tensor:
        if isinstance(node.body, tree.Sequence):
            return self._listed(node.body)
        if isinstance(node.body, tree.Relation):
            raise unsupported("a relation in brackets has no value", node.span)
        return self.value(node.body)

    # ------------------------------------------------------------------ names and entries

    def record(self, node: tree.Node) -> Name | None:
        """Return the record of a name without subscript, or None."""
        key = names.key(node, fonts=self.fonts)
        return None if key is None else self.scope.find(key)

    def is_defined(self, record: Name) -> bool:
        """Tell whether the page has defined the name before this statement."""
        return record.defined is not None and record.defined < self.number

    def _known(self, key: str) -> bool:
        record = self.scope.find(key)
        return record is not None and (record.declared or record.defined is not None or bool(record.indexed))

    def _named(self, node: tree.Node, base: tree.Node, subs: tuple[tree.Node, ...]) -> Tensor:
        """Elaborate a name with the items of its subscript."""
        key = names.key(base, fonts=self.fonts)
        if key is None:
            raise unsupported("this is not a name that can carry a subscript", node.span)
        if re.fullmatch(r"(\\[a-z]+\{)*0\}*", key, re.IGNORECASE):
            return Tensor(Integer(0))
        special = self._special(node, base, key, subs)
        if special is not None:
            return special
        if key not in self._bound and not subs and self.scope.size(key) is not None and not self._known(key):
            size = self.scope.size(key)
            assert size is not None
            return Tensor(size)
        if not subs and (key in self._bound or (self.scope.is_index(key) and not self._known(key))):
            return Tensor(self._letter(key, node.span)[0])
        if key == "d" and subs and not self._known(key) and not all(self.is_item(item, key) for item in subs):
            raise unsupported("differentials are not supported yet", node.span)
        key, subs = self.split(key, subs)
        record = self.scope.find(key)
        if record is None or not (record.introduced or self._shifted(key)):
            raise self._undefined(base, key)
        if record.broken and self.is_defined(record):
            raise self._broken(record, node.span)
        return self.entries(record, subs, node.span)

    def _shifted(self, key: str) -> bool:
        """Tell whether a name is another with a label of its own: `W^{(l+1)}` beside `W^{(l)}`."""
        stem, mark, _ = key.partition("^{")
        return bool(mark) and any(
            name.introduced and other.startswith(f"{stem}^{{") for other, name in self.scope.visible().items()
        )

    def _undefined(self, node: tree.Node, key: str) -> Untyped:
        if key == "d":
            return unsupported("differentials are not supported yet", node.span)
        if key.endswith("'"):
            return unsupported(
                "the derivative of a function without its argument is not supported yet", node.span
            )
        if self.lenient:
            return unsupported(f"{key} may be defined in a display that was not read", node.span)
        near = [
            each
            for each, name in self.scope.visible().items()
            if each.lower() == key.lower() and name.introduced
        ]
        note = (f"the page has {near[0]}",) if near else ()
        return ill_typed(
            "SD004", f"{key} is defined nowhere", node.span, label="not defined or declared", notes=note
        )

    @staticmethod
    def _broken(record: Name, span: Span) -> Untyped:
        """Return the error for a name whose definition could not be given a meaning."""
        label = ((record.defined_at, "defined here"),) if record.defined_at is not None else ()
        message = f"this rests on the definition of {record.key}, which has no meaning"
        return Untyped("unknown", Diagnostic("SD022", message, span, labels=label))

    def split(self, key: str, subs: tuple[tree.Node, ...]) -> tuple[str, tuple[tree.Node, ...]]:
        """Tell indices from the parts of a subscript that belong to the name."""
        indices = tuple(item for item in subs if self.is_item(item, key))
        if len(indices) == len(subs):
            return key, subs
        label = ",".join(to_latex(item) for item in subs if item not in indices)
        return f"{key}_{{{label}}}", indices

    def is_item(self, item: tree.Node, key: str) -> bool:
        """Tell whether an item of a subscript is an index (rather than a part of the name)."""
        record = self.scope.find(key)
        has_rank = record is not None and (
            bool(record.indexed) or (record.shape is not None and len(record.shape) > 0)
        )
        if isinstance(item, tree.Number):
            return has_rank
        if isinstance(item, tree.Name):
            if item.text in self._bound or self.scope.is_index(item.text):
                return True
            return has_rank and self.scope.size(item.text) is not None
        if isinstance(item, tree.Additive):
            return all(self.is_item(term, key) or isinstance(term, tree.Number) for _, term in item.terms)
        if isinstance(item, tree.Product):
            return all(
                self.is_item(factor, key) or isinstance(factor, tree.Number) for factor in item.factors
            )
        return False

    def shape(self, record: Name) -> tuple[Size, ...]:
        """Return the dimensions of a name, inventing them where nothing is known yet."""
        if record.shape is None:
            if record.indexed:
                rank = record.rank()
            else:
                rank = self._guess(record)
                record.guessed = not record.differentiated_by
            record.shape = tuple(self.sizes.new(origin=record.first) for _ in range(rank))
        return record.shape

    @staticmethod
    def _guess(record: Name) -> int:
        letter = record.key[-1] if not record.key.endswith("}") else record.key.rstrip("}")[-1]
        if record.differentiated_by:
            return 0
        if record.bold:
            return 2 if letter.isupper() else 1
        if record.transposed:
            return 2 if letter.isupper() else 1
        return 0

    def entries(self, record: Name, subs: tuple[tree.Node, ...], span: Span) -> Tensor:
        """Return the tensor of a name, its first slots fixed by the items of a subscript."""
        shape = self.shape(record)
        self.firm = self.firm or (bool(shape) and not record.guessed)
        if (record.guessed or len(record.indexed) > 1) and not record.declared:
            self.shaky = record.key
            if record.suspect and not shape:
                self.suspect = record.key
        if len(subs) > len(shape):
            raise ill_typed(
                "SD002", f"{record.key} has {_count(len(shape), 'index')}, and {len(subs)} are written", span
            )
        fixed = [
            self.index(item, size, self._base(record, at, item))
            for at, (item, size) in enumerate(zip(subs, shape, strict=False))
        ]
        rest = shape[len(subs) :]
        slots = tuple(fresh("s") for _ in rest)
        self.uses.add(record.identity)
        body = entry(record.identity, *fixed, *slots, positive=record.positive)
        return Tensor(
            body,
            slots,
            rest,
            row=record.row and len(slots) == 1,
            numerator=(record.identity, len(slots)) if not fixed else None,
        )

    def _base(self, record: Name, axis: int, item: tree.Node) -> int:
        """Return the number of the first entry along an axis; a page that counts from both is not read."""
        start = self._starts.get(item.text) if isinstance(item, tree.Name) else None
        known = record.bases.setdefault(axis, start) if start is not None else record.bases.get(axis, 1)
        if start is not None and known != start:
            raise unsupported(f"the entries of {record.key} are counted from 0 and from 1", item.span)
        return known

    def index(self, node: tree.Node, size: Size, base: int = 1) -> Expr:
        """Elaborate an item of a subscript as an index into a dimension whose entries count from `base`."""
        if isinstance(node, tree.Number):
            return Integer(node.text) + 1 - base
        if isinstance(node, tree.Name):
            if node.text not in self._bound and not self.scope.is_index(node.text):
                known = self.scope.size(node.text)
                if known is not None:
                    return known
            symbol, own = self._letter(node.text, node.span)
            if node.text in self._bound:
                if not self.sizes.try_unify(own, size) and self.clash is None:
                    self.clash = self._overrun(node, own, size)
            else:
                self.unify(own, size, node.span, f"the index {node.text}")
            return symbol
        if isinstance(node, tree.Additive):
            terms = [self._shift(term) for _, term in node.terms]
            return sympy.Add(
                *(term if sign != "-" else -term for (sign, _), term in zip(node.terms, terms, strict=True))
            )
        return self._shift(node)

    def _overrun(self, node: tree.Name, own: Size, size: Size) -> Diagnostic | None:
        """Return what is wrong when a summed index runs further than the dimension where it stands."""
        end, entries = self.sizes.show(own), self.sizes.show(size)
        if (entries - end).is_nonnegative:
            return None
        named = self.sizes.value(size) is not None
        return Diagnostic(
            "SD002" if named else "SD024",
            f"the index {node.text} runs to {end}, where there are {entries} entries",
            node.span,
            notes=(f"this has a meaning at most when {end} is not larger than {entries}",),
        )

    def _shift(self, node: tree.Node) -> Expr:
        """Elaborate a part of an index such as `i + 1`, which may leave the dimension."""
        value = self.value(node)
        if value.rank or not value.body.free_symbols <= value.body.atoms(Index, Size):
            raise unsupported("this is not an index that symderiv understands", node.span)
        return value.body

    def _letter(self, letter: str, span: Span) -> tuple[Index, Size]:
        if letter in self._bound:
            return self._bound[letter]
        if letter not in self.free:
            self.free[letter] = self.scope.range(letter) or self.sizes.new(origin=span)
        return Index(letter), self.free[letter]

    def unify(self, left: Size, right: Size, span: Span, what: str) -> None:
        """Make two dimensions agree, or raise the error that names both sizes."""
        try:
            self.sizes.unify(left, right)
        except SizeClash as clash:
            raise ill_typed(
                "SD002",
                f"sizes {clash.left} and {clash.right} do not agree",
                span,
                label=f"{what} needs {clash.left} = {clash.right}",
                notes=(f"holds at most when {clash.left} = {clash.right}",),
            ) from None

    def _special(
        self, node: tree.Node, base: tree.Node, key: str, subs: tuple[tree.Node, ...]
    ) -> Tensor | None:
        """Return the meaning of letters that have one of their own unless the page claims them."""
        bold = isinstance(base, tree.Name) and base.font in ("bold", "blackboard")
        record = self.scope.find(key)
        declared = record.shape if record is not None and record.declared else None
        if key in ("1", "\\mathbb{1}") and bold:
            return self._ones(node, subs, declared)
        if key in ("I", "\\mathbb{I}") and (
            not self._known(key) or (declared is not None and len(declared) == 2)
        ):
            return self._identity(node, subs, declared)
        if self._known(key):
            return None
        if key == "\\delta" and len(subs) == 2:
            return self._identity(node, subs, None)
        if key == "e" and len(subs) == 1 and self.is_item(subs[0], "e"):
            slot, size = fresh("s"), self.sizes.new(origin=node.span)
            return Tensor(KroneckerDelta(slot, self.index(subs[0], size)), (slot,), (size,))
        if not subs and key == "e" and not (isinstance(base, tree.Name) and base.font == "bold"):
            return Tensor(sympy.E)
        if not subs and key == "\\pi":
            return Tensor(sympy.pi)
        if not subs and key == "\\infty":
            raise unsupported("infinity is not a real number", node.span)
        return None

    def _ones(
        self, node: tree.Node, subs: tuple[tree.Node, ...], declared: tuple[Size, ...] | None
    ) -> Tensor:
        """`\\mathbf 1`: an indicator, an entry of a tensor of ones, or the tensor itself."""
        if len(subs) == 1 and isinstance(subs[0], tree.Relation):
            return Tensor(indicator(self.condition(subs[0])))
        if subs and all(
            isinstance(sub, tree.Name)
            and (
                sub.text in self._bound
                or (self.scope.is_index(sub.text) and self.scope.size(sub.text) is None)
            )
            for sub in subs
        ):
            for sub, size in zip(subs, declared or (), strict=False):
                self.index(sub, size)
            return Tensor(Integer(1))
        sizes = declared if declared is not None and not subs else (self._subscript_size(subs, node.span),)
        return Tensor(Integer(1), tuple(fresh("s") for _ in sizes), sizes)

    def _identity(
        self, node: tree.Node, subs: tuple[tree.Node, ...], declared: tuple[Size, ...] | None
    ) -> Tensor:
        """`I`, `I_n`, and the entries `I_{ij}` and `\\delta_{ij}`."""
        if len(subs) == 2:
            sizes = declared or (self.sizes.new(origin=node.span), self.sizes.new(origin=node.span))
            first, second = (self.index(sub, size) for sub, size in zip(subs, sizes, strict=True))
            self.sizes.try_unify(sizes[0], sizes[1])
            return Tensor(KroneckerDelta(first, second))
        size = declared[0] if declared is not None else self.sizes.new(origin=node.span)
        if subs:
            size = self._subscript_size(subs, node.span)
        a, b = fresh("s"), fresh("s")
        return Tensor(KroneckerDelta(a, b), (a, b), (size, size))

    def _subscript_size(self, subs: tuple[tree.Node, ...], span: Span) -> Size:
        if not subs:
            return self.sizes.new(origin=span)
        if isinstance(subs[0], tree.Number):
            return self.sizes.new(Integer(subs[0].text))
        if isinstance(subs[0], tree.Name):
            size = self.scope.size(subs[0].text)
            if size is not None:
                return size
        return self.sizes.new(origin=subs[0].span)

    # ------------------------------------------------------------------ scripts

    def _script(self, node: tree.Script) -> Tensor:
        base, sup = node.base, node.sup
        label = names.label(sup)
        if isinstance(base, tree.Group):
            value = self._component(base, node) if node.sub is not None else self.value(base)
        elif isinstance(base, tree.Name | tree.Accent):
            if (
                isinstance(base, tree.Name)
                and base.text == "e"
                and node.sub is None
                and sup is not None
                and not self._known("e")
            ):
                return self._elementwise(sympy.exp, self.value(sup), node)
            subs = names.items(node.sub)
            if label is not None:
                base, subs = self._labelled(base, sup, label, subs)
                sup = None
            if node.primes:
                base = self._primed(base, node)
            value = self._named(node, base, subs)
            return value if sup is None else self._power(value, sup, node)
        elif isinstance(base, tree.Number) and base.text == "1" and node.sub is not None:
            return Tensor(indicator(self.condition(node.sub)))
        elif isinstance(base, tree.Call | tree.Script) and node.sub is not None:
            value = self._fix(self.value(base), names.items(node.sub), node.span)
        else:
            value = self.value(base)
        return value if sup is None else self._power(value, sup, node)

    def _primed(self, base: tree.Node, node: tree.Script) -> tree.Node:
        """A prime on a name that is no function is a part of the name."""
        key = names.key(base, fonts=self.fonts)
        return tree.Name(f"{key}{chr(39) * node.primes}", span=base.span)

    def _labelled(
        self, base: tree.Node, sup: tree.Node | None, label: tree.Node, subs: tuple[tree.Node, ...]
    ) -> tuple[tree.Node, tuple[tree.Node, ...]]:
        """A bracketed superscript is an index where its letter is one, else a part of the name."""
        if isinstance(label, tree.Name) and (label.text in self._bound or self.scope.is_index(label.text)):
            return base, (label, *subs)
        assert sup is not None
        key = names.key(base, fonts=self.fonts)
        return tree.Name(f"{key}^{{{names.label_text(sup)}}}", span=base.span), subs

    def _component(self, group: tree.Group, node: tree.Script) -> Tensor:
        """`[AB]_{ij}`, `(AB)_{ij}`: an entry of an expression."""
        return self._fix(self.value(group), names.items(node.sub), node.span)

    def _fix(self, value: Tensor, subs: tuple[tree.Node, ...], span: Span) -> Tensor:
        if len(subs) > value.rank:
            raise ill_typed(
                "SD002", f"this has {_count(value.rank, 'index')}, and {len(subs)} are written", span
            )
        fixed = {
            slot: self.index(item, size)
            for item, slot, size in zip(subs, value.slots, value.dimensions, strict=False)
        }
        return Tensor(value.body.xreplace(fixed), value.slots[len(subs) :], value.dimensions[len(subs) :])

    def _power(self, value: Tensor, sup: tree.Node, node: tree.Node) -> Tensor:
        power = isinstance(sup, tree.Name) and value.rank == 0 and self.scope.size(sup.text) is not None
        if names.is_transpose(sup) and not power:
            return self.transpose(value, node.span)
        sign = isinstance(sup, tree.Additive) and len(sup.terms) == 1 and sup.terms[0][0] == "-"
        if sign and names.is_transpose(sup.terms[0][1]):  # type: ignore[attr-defined]
            raise unsupported("the inverse of a matrix is not supported yet", node.span)
        exponent = self.value(sup)
        if value.rank == 0:
            return self._scalar_power(value, exponent, node)
        if exponent.rank:
            raise ill_typed("SD002", "an exponent is not a number", node.span)
        if value.rank == 1:
            self._note("SD104", "the power of a vector is taken entry by entry", node.span)
            return replace(value, body=value.body**exponent.body, numerator=None, denominator=None)
        if value.rank == 2 and exponent.body == 2:
            again = self._renamed(value)
            return self.multiply(value, again, "", node.span)
        raise unsupported("this power of a matrix is not supported yet", node.span)

    def _scalar_power(self, value: Tensor, exponent: Tensor, node: tree.Node) -> Tensor:
        if exponent.rank == 0:
            return Tensor(value.body**exponent.body)
        self._note("SD104", "the power is taken entry by entry", node.span)
        return replace(exponent, body=value.body**exponent.body, numerator=None, denominator=None)

    def _renamed(self, value: Tensor) -> Tensor:
        """Return the same tensor over slots and bound indices of its own."""
        slots = tuple(fresh("s") for _ in value.slots)
        return replace(
            value,
            slots=slots,
            body=rename_bound(value.body.xreplace(dict(zip(value.slots, slots, strict=True)))),
        )

    def transpose(self, value: Tensor, span: Span) -> Tensor:
        """Return the transpose of a tensor of rank up to 2."""
        if value.rank == 0:
            return value
        if value.rank == 1:
            return replace(value, row=not value.row, numerator=None, denominator=None)
        if value.rank == 2:
            return Tensor(value.body, value.slots[::-1], value.dimensions[::-1])
        raise unsupported("the transpose of a tensor with more than two indices has no meaning", span)

    # ------------------------------------------------------------------ sums and products of expressions

    def _additive(self, node: tree.Additive) -> Tensor:
        total: Tensor | None = None
        for sign, term in self._in_scope(node.terms):
            value = self.value(term)
            if sign == "-":
                value = replace(value, body=-value.body)
            elif sign != "+":
                raise unsupported("a term of either sign is two statements", term.span)
            total = value if total is None else self.add(total, value, term.span)
        assert total is not None
        return replace(total, numerator=None, denominator=None) if len(node.terms) > 1 else total

    def _in_scope(self, terms: tuple[tuple[str, tree.Node], ...]) -> tuple[tuple[str, tree.Node], ...]:
        """Let a sum reach over the terms after it that use its index, where no other member has it."""
        for at, (sign, term) in enumerate(terms):
            if not isinstance(term, tree.Big) or term.operator != "sum" or at + 1 == len(terms):
                continue
            letters = set(names.bound_letters(term.lower)) - self.outside - self._bound.keys()
            rest = terms[at + 1 :]
            reach = max(
                (k + 1 for k, (_, other) in enumerate(rest) if names.free_letters(other, letters)), default=0
            )
            if reach:
                self._note(
                    "SD102",
                    "a term after this sum uses its index",
                    term.span,
                    label="read as a part of the sum",
                )
                inner = (
                    ("+", term.body),
                    *((s if sign == "+" else _opposite(s), t) for s, t in rest[:reach]),
                )
                span = term.span.to(rest[reach - 1][1].span)
                whole = replace(term, body=tree.Additive(inner, span=span), span=span)
                return (*terms[:at], (sign, whole), *rest[reach:])
        return terms

    def add(self, left: Tensor, right: Tensor, span: Span) -> Tensor:
        """Return the sum of two tensors, broadcast as in NumPy."""
        left, right, shape = self.together(left, right, span, "this sum")
        return Tensor(
            left.body + right.body, shape.slots, shape.dimensions, row=shape.row, convention=shape.convention
        )

    def together(self, left: Tensor, right: Tensor, span: Span, what: str) -> tuple[Tensor, Tensor, Tensor]:
        """Bring two tensors over the same slots; the third result carries the common shape."""
        if left.rank == right.rank:
            if left.rank == 1 and left.row != right.row and not (left.convention or right.convention):
                raise ill_typed("SD002", f"{what} joins a row and a column", span)
            for a, b in zip(left.dimensions, right.dimensions, strict=True):
                self.unify(a, b, span, what)
            renaming = dict(zip(right.slots, left.slots, strict=True))
            shape = left if not left.convention else replace(left, row=right.row, convention=right.convention)
            return left, replace(right, slots=left.slots, body=right.body.xreplace(renaming)), shape
        if right.rank == 0 or left.rank == 0:
            big, small = (left, right) if right.rank == 0 else (right, left)
            if small.body != 0:
                self._note("SD103", "a number is added to every entry", span)
            return left, right, big
        if {left.rank, right.rank} == {1, 2}:
            big, small = (left, right) if left.rank == 2 else (right, left)
            self.unify(big.dimensions[1], small.dimensions[0], span, what)
            self._note("SD103", "a vector is added to every row", span)
            moved = replace(
                small, slots=big.slots[1:], body=small.body.xreplace({small.slots[0]: big.slots[1]})
            )
            return (big, moved, big) if left.rank == 2 else (moved, big, big)
        raise ill_typed("SD002", f"{what} joins {_kind(left)} and {_kind(right)}", span)

    def _product(self, node: tree.Product) -> Tensor:
        parts = list(self._factors(node))
        segments: list[tuple[str, Tensor, Span]] = []
        for operator, value, span in parts:
            if not segments or operator in ("odot", "circ", "*", "otimes"):
                segments.append((operator, value, span))
            else:
                head, before, at = segments[-1]
                segments[-1] = (head, self.multiply(before, value, operator, at.to(span)), at.to(span))
        total = segments[0][1]
        for operator, value, _ in segments[1:]:
            total = self.multiply(total, value, operator, node.span)
        return total

    def _factors(self, node: tree.Product) -> Iterator[tuple[str, Tensor, Span]]:
        """Yield the factors, each with the operator before it; an application or a composite name is one."""
        at = 0
        while at < len(node.factors):
            operator = node.operators[at - 1] if at else ""
            span = node.factors[at].span
            composite = self._composite(node, at)
            if composite is not None:
                value, used = composite
            else:
                used = 2 if self._applies(node, at) else 1
                if used == 1:
                    self._refuse_word(node, at)
                value = (
                    self._apply(node.factors[at], node.factors[at + 1])
                    if used == 2
                    else self._factor(node, at)
                )
            if operator == "circ" and any(self._is_map(node.factors[k]) for k in (at - 1, at)):
                raise unsupported("the composition of functions is not supported yet", span)
            if operator in ("/", "div"):
                value, operator = self._reciprocal(value, span), ""
            yield operator, value, span.to(node.factors[at + used - 1].span)
            at += used

    def _is_map(self, node: tree.Node) -> bool:
        record = self.record(node)
        return record is not None and self.is_function(record)

    def _factor(self, node: tree.Product, at: int) -> Tensor:
        factor = node.factors[at]
        return self.value(factor)

    def _reciprocal(self, value: Tensor, span: Span) -> Tensor:
        if value.rank == 2:
            raise ill_typed("SD002", "a matrix stands in a denominator", span)
        return Tensor(1 / value.body, value.slots, value.dimensions, row=value.row)

    def multiply(self, left: Tensor, right: Tensor, operator: str, span: Span) -> Tensor:
        """Return the product that the shapes and the operator tell."""
        chained = (
            self._chain_rule(left, right, span) if operator not in ("odot", "circ", "*", "otimes") else None
        )
        if chained is not None:
            return chained
        if left.rank == 0 or right.rank == 0:
            big = right if left.rank == 0 else left
            tags = (big.numerator, big.denominator) if big.denominator else (None, None)
            return Tensor(
                left.body * right.body,
                big.slots,
                big.dimensions,
                row=big.row,
                numerator=tags[0],
                denominator=tags[1],
                convention=big.convention,
            )
        if operator in ("odot", "circ", "*"):
            left, right, shape = self.together(left, right, span, "this product entry by entry")
            return Tensor(
                left.body * right.body,
                shape.slots,
                shape.dimensions,
                row=shape.row,
                convention=shape.convention,
            )
        if operator == "otimes":
            if left.rank == right.rank == 1:
                return Tensor(
                    left.body * right.body, left.slots + right.slots, left.dimensions + right.dimensions
                )
            raise unsupported("Kronecker's product of matrices is not supported yet", span)
        return self._contract(left, right, operator, span)

    def _contract(self, left: Tensor, right: Tensor, operator: str, span: Span) -> Tensor:
        ranks = (left.rank, right.rank)
        turned = right.row or (right.convention and operator == "" and not left.convention)
        if ranks == (1, 1) and not left.row and turned:
            return Tensor(
                left.body * right.body, left.slots + right.slots, left.dimensions + right.dimensions
            )
        inner = (
            (ranks == (1, 1) and (left.row or left.convention or operator in ("cdot", ".")) and not right.row)
            or (ranks == (1, 1) and operator in ("cdot", ".") and left.row == right.row)
            or ranks == (2, 2)
            or (ranks == (2, 1) and (not right.row or right.convention))
            or (ranks == (1, 2) and (left.row or left.convention))
        )
        if not inner:
            raise ill_typed(
                "SD002", f"{_kind(left)} and {_kind(right)} cannot be multiplied in this order", span
            )
        self.unify(left.dimensions[-1], right.dimensions[0], span, "this product")
        k = fresh("k")
        body = left.body.xreplace({left.slots[-1]: k}) * right.body.xreplace({right.slots[0]: k})
        slots, sizes = left.slots[:-1] + right.slots[1:], left.dimensions[:-1] + right.dimensions[1:]
        return Tensor(Sum(body, (k, 1, left.dimensions[-1])), slots, sizes, row=ranks == (1, 2))

    def _chain_rule(self, left: Tensor, right: Tensor, span: Span) -> Tensor | None:
        """Contract two derivative tensors when one is differentiated by what the other differentiates."""
        if left.denominator is None or right.denominator is None:
            return None
        if left.denominator == right.numerator:
            outer, inner = left, right
        elif right.denominator == left.numerator:
            outer, inner = right, left
            if self.layout != "denominator" and left.rank == 2 and right.rank == 1:
                note = (
                    "in denominator layout this is the chain rule: the directive `layout denominator` says so"
                )
                found = Diagnostic(
                    "SD107", "these factors are in the order of denominator layout", span, notes=(note,)
                )
                raise Untyped("unknown", found)
        else:
            return None
        assert outer.numerator is not None
        keep, joined = _tag(outer)
        top, rest = _tag(inner)
        at = outer.numerator[1]
        sizes = dict(zip(outer.slots + inner.slots, outer.dimensions + inner.dimensions, strict=True))
        body_outer, body_inner, limits = outer.body, inner.body, []
        for a, b in zip(joined, top, strict=True):
            self.unify(sizes[a], sizes[b], span, "the chain rule")
            k = fresh("k")
            body_outer, body_inner = body_outer.xreplace({a: k}), body_inner.xreplace({b: k})
            limits.append((k, 1, sizes[a]))
        body = body_outer * body_inner
        for limit in limits:
            body = Sum(body, limit)
        slots = keep + rest
        return Tensor(
            body,
            slots,
            tuple(sizes[s] for s in slots),
            numerator=outer.numerator,
            denominator=inner.denominator,
            convention=at == 0 and len(rest) == 1,
        )

    def _fraction(self, node: tree.Fraction) -> Tensor:
        top, bottom = self.value(node.numerator), self.value(node.denominator)
        if bottom.rank == 0:
            return replace(top, body=top.body / bottom.body)
        if bottom.rank == 2:
            raise ill_typed("SD002", "a matrix stands in a denominator", node.denominator.span)
        if top.rank == 1:
            self._note("SD104", "the quotient of two vectors is taken entry by entry", node.span)
        return self.multiply(top, self._reciprocal(bottom, node.span), "odot", node.span)

    def _root(self, node: tree.Root) -> Tensor:
        degree = Integer(2) if node.degree is None else self.value(node.degree).body
        return self._elementwise(lambda x: x ** (1 / degree), self.value(node.radicand), node)

    def _elementwise(self, function: Callable[[Expr], Expr], value: Tensor, node: tree.Node) -> Tensor:
        if value.rank:
            self._note("SD104", "a function of numbers is applied entry by entry", node.span)
        return replace(value, body=function(value.body), numerator=None, denominator=None)

    # ------------------------------------------------------------------ big operators

    @contextmanager
    def _binding(self, letters: tuple[str, ...], sizes: tuple[Size, ...]) -> Iterator[tuple[Index, ...]]:
        saved, starts = dict(self._bound), dict(self._starts)
        indices = tuple(fresh(letter.strip("\\")) for letter in letters)
        for letter, index, size in zip(letters, indices, sizes, strict=True):
            self._bound[letter] = (index, size)
        try:
            yield indices
        finally:
            self._bound, self._starts = saved, starts

    def _big(self, node: tree.Big) -> Tensor:
        if node.operator not in ("sum", "prod"):
            raise unsupported(f"symderiv has no meaning for this {node.operator} yet", node.span)
        letters = names.bound_letters(node.lower)
        if not letters:
            raise unsupported("this sum does not name its index", node.span)
        letters += self._both(node)
        start = self._start(node.lower)
        last = node.upper if isinstance(node.upper, tree.Name) and self._is_letter(node.upper.text) else None
        upper = self._upper(node, start) if last is None else self._letter(last.text, last.span)[1]
        end = None if last is None else self._letter(last.text, last.span)[0]
        sizes = tuple(
            upper or self.scope.range(letter) or self.sizes.new(origin=node.span) for letter in letters
        )
        with self._binding(letters, sizes) as indices:
            if upper is not None:
                self._starts |= dict.fromkeys(letters, min(start, 1))
            value = self.value(node.body)
            condition = self._restriction(node.lower)
        body = value.body
        if end is not None:
            within = sympy.Le(indices[0], end)
            condition = within if condition is None else And(condition, within)
        if condition is not None:
            if node.operator == "prod":
                raise unsupported("a product with a condition is not supported yet", node.span)
            body = body * indicator(condition)
        for skipped in range(1, start):
            if node.operator == "prod":
                raise unsupported("a product that starts elsewhere than at 1 is not supported yet", node.span)
            body = body * (1 - KroneckerDelta(indices[0], skipped))
        for letter in letters:
            if letter not in names.free_letters(node.body, {letter}):
                self._note(
                    "SD105", f"the summed index {letter} does not occur in the body of the sum", node.span
                )
        operator = Sum if node.operator == "sum" else sympy.Product
        for index, size in reversed(list(zip(indices, sizes, strict=True))):
            body = operator(body, (index, 1, size))
        return replace(value, body=body, numerator=None, denominator=None)

    def _is_letter(self, text: str) -> bool:
        """Tell whether a name is an index here, and no size."""
        return text in self._bound or (self.scope.is_index(text) and self.scope.size(text) is None)

    def _both(self, node: tree.Big) -> tuple[str, ...]:
        """Return the second letter of `i \\ne j` or `i < j` below a sum where nothing else has it."""
        lower = node.lower
        if not isinstance(lower, tree.Relation) or lower.operators not in (("!=",), ("<",), ("<=",)):
            return ()
        second = lower.members[-1]
        if not isinstance(second, tree.Name) or not self.scope.is_index(second.text):
            return ()
        taken = second.text in self._bound or second.text in self.outside or second.text in self.free
        alone = self._whole is not None and second.text not in names.free_beside(
            self._whole, node, {second.text}
        )
        return (second.text,) if alone and not taken else ()

    def _start(self, lower: tree.Node | None) -> int:
        """Return the number from which a sum runs: 0, 1 or a small one."""
        if not isinstance(lower, tree.Relation) or lower.operators != ("=",):
            return 1
        start = self.value(lower.members[1]).body
        if not start.is_Integer or not 0 <= start <= _LATEST_START:
            raise unsupported("a sum that starts there is not supported yet", lower.span)
        return int(start)

    def _upper(self, node: tree.Big, start: int) -> Size | None:
        """Return the dimension that a sum's bounds name; a sum from 0 to n - 1 is read as one from 1 to n."""
        if node.upper is None:
            return self.scope.size(self.means.get(id(node), ""))
        known = self.scope.size(node.upper.text) if isinstance(node.upper, tree.Name) and start else None
        if known is not None:
            return known
        if start == 0 and any(
            isinstance(n, tree.Name)
            and n.text in names.bound_letters(node.lower)
            and not _in_script(node.body, n)
            for n in names.walk(node.body)
        ):
            raise unsupported("a sum from 0 that uses its index as a number is not supported yet", node.span)
        last = self.value(node.upper).body + (0 if start else 1)
        return last if isinstance(last, Size) else self.sizes.new(last, origin=node.span)

    def _restriction(self, lower: tree.Node | None) -> Boolean | None:
        """Return the condition below a sum, `j \\ne i` or `k < i`, or None."""
        if isinstance(lower, tree.Sequence):
            found = [each for each in (self._restriction(item) for item in lower.items) if each is not None]
            return And(*found) if found else None
        if not isinstance(lower, tree.Relation) or lower.operators == ("=",):
            return None
        if "in" in lower.operators:
            raise unsupported("a sum over a set is not supported yet", lower.span)
        return self.condition(lower)

    # ------------------------------------------------------------------ conditions

    def condition(self, node: tree.Node) -> Boolean:
        """Elaborate a condition over indices or values."""
        node = names.plain(node)
        if isinstance(node, tree.Sequence):
            return And(*(self.condition(item) for item in node.items))
        if not isinstance(node, tree.Relation):
            raise unsupported("this condition is not supported yet", node.span)
        found = []
        for left, operator, right in zip(node.members, node.operators, node.members[1:], strict=False):
            if operator not in _RELATIONS:
                raise unsupported("this relation is not supported in a condition yet", node.span)
            a, b = self._operand(left, right), self._operand(right, left)
            found.append(_RELATIONS[operator](a, b))
        return And(*found)

    def _operand(self, node: tree.Node, other: tree.Node) -> Expr:
        """Elaborate one side of a condition; index letters that are compared share a range if they can."""
        value = self.value(node)
        if value.rank:
            raise unsupported("a condition that compares tensors is not supported yet", node.span)
        if isinstance(node, tree.Name) and isinstance(other, tree.Name):
            a, b = self._range_of(node.text), self._range_of(other.text)
            if a is not None and b is not None:
                self.sizes.try_unify(a, b)
        return value.body

    def _range_of(self, letter: str) -> Size | None:
        if letter in self._bound:
            return self._bound[letter][1]
        return self.free.get(letter)

    def _cases(self, node: tree.Cases) -> Tensor:
        rows: list[tuple[Tensor, Boolean]] = []
        shape: Tensor | None = None
        for row in node.rows:
            condition = true if row.condition is None else self.condition(row.condition)
            value = self.value(row.value)
            if shape is None:
                shape = value
            else:
                _, value, shape = self.together(shape, value, row.span, "these cases")
            if rows and condition == Not(Or(*(c for _, c in rows))):
                condition = true
            rows.append((value, condition))
        assert shape is not None
        return Tensor(
            Cases(*(part for value, condition in rows for part in (value.body, condition))),
            shape.slots,
            shape.dimensions,
            row=shape.row,
        )

    # ------------------------------------------------------------------ functions

    def _call(self, node: tree.Call) -> Tensor:
        function = node.function
        exponent: tree.Node | None = None
        base_of_log: Expr | None = None
        if isinstance(function, tree.Script):
            exponent = function.sup
            if function.sub is not None:
                if not (isinstance(function.base, tree.Name) and function.base.text in ("\\log", "log")):
                    raise unsupported("this subscript of a function is not supported yet", function.span)
                base_of_log = self.value(function.sub).body
            function = function.base
        word = function.text if isinstance(function, tree.Name) else ""
        record = self.record(function)
        primes = node.function.primes if isinstance(node.function, tree.Script) else 0
        if record is not None and (self.is_defined(record) or word not in _CALLS | _ELEMENTARY.keys()):
            value = self._application(record, node.arguments, primes, node)
        elif primes:
            raise unsupported(f"the prime of {word} is not supported yet", node.span)
        elif word in _ELEMENTARY:
            if len(node.arguments) != 1:
                raise ill_typed("SD002", f"{word} takes one argument", node.span)
            value = self._elementwise(_ELEMENTARY[word], self.value(node.arguments[0]), node)
            if value.rank == 0 and base_of_log is not None:
                value = Tensor(value.body / sympy.log(base_of_log))
        elif word in _CALLS:
            value = self._known_call(word, node)
        else:
            raise unsupported(f"symderiv does not know the function {word or 'here'} yet", node.span)
        return value if exponent is None else self._power(value, exponent, node)

    def _known_call(self, word: str, node: tree.Call) -> Tensor:
        arguments = [self.value(argument) for argument in node.arguments]
        if word in ("\\max", "max", "\\min", "min"):
            if any(argument.rank for argument in arguments) or len(arguments) < 2:
                raise unsupported("the largest entry of a tensor is not supported yet", node.span)
            return Tensor((Max if "max" in word else Min)(*(argument.body for argument in arguments)))
        if len(arguments) != 1:
            raise ill_typed("SD002", f"{word} takes one argument", node.span)
        value = arguments[0]
        if word == "softmax":
            if not value.rank:
                raise ill_typed("SD002", "softmax takes a vector", node.span)
            k = fresh("k")
            total = Sum(
                sympy.exp(rename_bound(value.body.xreplace({value.slots[-1]: k}))),
                (k, 1, value.dimensions[-1]),
            )
            return Tensor(sympy.exp(value.body) / total, value.slots, value.dimensions, row=value.row)
        if word in ("diag", "\\diag"):
            if value.rank == 1:
                other = fresh("s")
                return Tensor(
                    KroneckerDelta(value.slots[0], other) * value.body,
                    (value.slots[0], other),
                    value.dimensions * 2,
                )
            if value.rank == 2:
                self.unify(value.dimensions[0], value.dimensions[1], node.span, "the diagonal")
                return Tensor(
                    value.body.xreplace({value.slots[1]: value.slots[0]}),
                    value.slots[:1],
                    value.dimensions[:1],
                )
        if word in ("tr", "\\tr", "trace", "Tr") and value.rank == 2:
            self.unify(value.dimensions[0], value.dimensions[1], node.span, "the trace")
            k = fresh("k")
            return Tensor(
                Sum(value.body.xreplace(dict.fromkeys(value.slots, k)), (k, 1, value.dimensions[0]))
            )
        raise unsupported(f"{word} of {_kind(value)} is not supported yet", node.span)

    def is_function(self, record: Name) -> bool:
        """Tell whether brackets after this name hold its arguments."""
        if record.function or record.parameters is not None or record.primed:
            return True
        if record.differentiated_by and not record.indexed and record.defined is None:
            return True
        return bool(record.applied) and not record.bare and not record.indexed and not record.declared

    def _applies(self, node: tree.Product, at: int) -> bool:
        """Tell whether the factor and the bracket after it are a function and its arguments."""
        if at + 1 >= len(node.factors) or node.operators[at] != "":
            return False
        following = node.factors[at + 1]
        if isinstance(following, tree.Script):
            following = following.base
        if not (isinstance(following, tree.Group) and following.left in "([{"):
            return False
        base = node.factors[at]
        if _is_one(base) and following.left in "[({" and isinstance(following.body, tree.Relation):
            return True
        if isinstance(base, tree.Script):
            if base.primes:
                return self.record(base.base) is not None
            if names.label(base.sup) is not None or names.is_transpose(base.sup):
                return False
            key = names.key(base.base, fonts=self.fonts)
            record = None if key is None else self.scope.find(self.split(key, names.items(base.sub))[0])
            return record is not None and self.is_function(record)
        record = self.record(base)
        return record is not None and self.is_function(record)

    def _refuse_word(self, node: tree.Product, at: int) -> None:
        """A word before brackets is a function; one that the page does not define has no meaning here."""
        factor = node.factors[at]
        if (
            isinstance(factor, tree.Name)
            and factor.font == "roman"
            and len(factor.text) > 1
            and at + 1 < len(node.factors)
            and isinstance(node.factors[at + 1], tree.Group)
            and not self._known(factor.text)
        ):
            raise unsupported(f"symderiv does not know the function {factor.text}", factor.span)

    def _apply(self, function: tree.Node, following: tree.Node) -> Tensor:
        """Elaborate `f(x)`, `f'(x)`, `h^2(x)`, `f(x)^2`, `f(x)_i` and `1[i = k]`."""
        span = function.span.to(following.span)
        outer = following if isinstance(following, tree.Script) else None
        group = outer.base if outer is not None else following
        assert isinstance(group, tree.Group)
        if _is_one(function):
            value = Tensor(indicator(self.condition(group.body)))
        else:
            primes, base = 0, function
            exponent: tree.Node | None = None
            subs: tuple[tree.Node, ...] = ()
            if isinstance(function, tree.Script):
                primes, exponent, subs, base = (
                    function.primes,
                    function.sup,
                    names.items(function.sub),
                    function.base,
                )
            record = self.record(base)
            if record is None:
                raise unsupported("this name before brackets is not understood", span)
            arguments = group.body.items if isinstance(group.body, tree.Sequence) else (group.body,)
            whole = tree.Group(group.body, group.left, group.right, span=span)
            value = self._application(record, arguments, primes, whole)
            if subs:
                value = self._fix(value, subs, span)
            if exponent is not None:
                value = self._power(value, exponent, whole)
        if outer is not None and outer.sub is not None:
            value = self._fix(value, names.items(outer.sub), span)
        if outer is not None and outer.sup is not None:
            value = self._power(value, outer.sup, tree.Group(group.body, group.left, group.right, span=span))
        return value

    def _application(
        self, record: Name, arguments: tuple[tree.Node, ...], primes: int, node: tree.Node
    ) -> Tensor:
        """Elaborate a function of the page at arguments, differentiated `primes` times."""
        if self.is_defined(record) and record.parameters is not None:
            return self._defined_application(record, arguments, primes, node)
        if (
            record.differentiated_by
            and not record.primed
            and not primes
            and all(self._depends_on(record, each) for each in arguments)
        ):
            return self.entries(record, (), node.span)
        variable = self._whole_vector(record, arguments)
        if variable is not None:
            return self._function_of_vector(record, variable, primes, node)
        values = [self.value(argument) for argument in arguments]
        shape = max(values, key=lambda value: value.rank, default=None)
        if shape is None or (len(values) > 1 and (primes or any(value.rank for value in values))):
            raise unsupported("this application of an unknown function is not supported yet", node.span)
        if shape.rank:
            self._note("SD104", f"{record.key} is applied entry by entry", node.span)
        self.uses.add(record.identity)
        body = Unknown(
            Symbol(record.identity, real=True), (primes,) * len(values), *(value.body for value in values)
        )
        return Tensor(body, shape.slots, shape.dimensions, row=shape.row)

    def _whole_vector(self, record: Name, arguments: tuple[tree.Node, ...]) -> Name | None:
        """Return the vector that an unknown function such as `g(x)` takes as a whole, to give a number.

        So reads a Latin letter before a bare name; a Greek one (`\\sigma(z)`), one declared between numbers,
        and one that has to give a vector are applied entry by entry.
        """
        if len(arguments) != 1 or record.function or not record.key.isalpha() or self.expected_rank:
            return None
        other = self.record(arguments[0]) if isinstance(arguments[0], tree.Name | tree.Accent) else None
        return other if other is not None and len(self.shape(other)) > 0 else None

    def _function_of_vector(self, record: Name, variable: Name, primes: int, node: tree.Node) -> Tensor:
        if variable.identity not in record.differentiated_by:
            record.differentiated_by.append(variable.identity)
        value = self.entries(record, (), node.span)
        for _ in range(primes):
            sizes = self.shape(variable)
            slots = tuple(fresh("s") for _ in sizes)
            body = D(value.body, entry(variable.identity, *slots, positive=variable.positive))
            value = Tensor(body, value.slots + slots, value.dimensions + sizes)
        return value

    def _depends_on(self, record: Name, argument: tree.Node) -> bool:
        other = self.record(argument)
        return other is not None and (
            other.identity in record.differentiated_by or not self.is_function(other)
        )

    def _defined_application(
        self, record: Name, arguments: tuple[tree.Node, ...], primes: int, node: tree.Node
    ) -> Tensor:
        assert record.parameters is not None
        if len(arguments) != len(record.parameters):
            raise ill_typed(
                "SD002", f"{record.key} takes {_count(len(record.parameters), 'argument')}", node.span
            )
        if record.broken:
            raise self._broken(record, node.span)
        parameters = [self.scope.find(parameter) for parameter in record.parameters]
        assert all(parameter is not None for parameter in parameters)
        body = self.bodies[record.identity]
        renaming: dict[str, str] = {}
        for parameter, argument in zip(parameters, arguments, strict=True):
            assert parameter is not None
            own = self.record(argument) if isinstance(argument, tree.Name | tree.Accent) else None
            if own is parameter:
                continue
            renaming[parameter.identity] = self._hide(parameter, self.value(argument), argument.span)
        if not renaming:
            value = self.entries(record, (), node.span)
        else:
            slots = tuple(fresh("s") for _ in body.slots)
            term = rename_bound(body.body.xreplace(dict(zip(body.slots, slots, strict=True))))
            value = Tensor(self._renamed_through(term, renaming), slots, body.dimensions)
        for _ in range(primes):
            if len(parameters) != 1 or parameters[0] is None:
                raise unsupported("the prime of a function of several variables is ambiguous", node.span)
            identity = renaming.get(parameters[0].identity, parameters[0].identity)
            sizes = self.shape(parameters[0])
            slots = tuple(fresh("s") for _ in sizes)
            value = Tensor(
                D(value.body, entry(identity, *slots)), value.slots + slots, value.dimensions + sizes
            )
        return value

    def _renamed_through(self, term: Expr, renaming: dict[str, str]) -> Expr:
        """Rename parameters in a term, and in copies of the definitions through which it depends on them."""
        renaming = dict(renaming)
        for name in sorted(names_in(term) - renaming.keys()):
            body = self.bodies.get(name)
            if body is None or not self._rests_on(name, renaming.keys(), set()):
                continue
            copy = f"{name}@{len(self.hidden) + 1}"
            self.hidden[copy] = Definition(copy, body.slots, body.body)
            self.hidden_shapes[copy] = body.dimensions
            self.hidden[copy] = Definition(copy, body.slots, self._renamed_through(body.body, renaming))
            renaming[name] = copy
        return rename_names(term, renaming)

    def _rests_on(self, name: str, parameters: Collection[str], seen: set[str]) -> bool:
        """Tell whether the definition of a name leads to one of some parameters."""
        body = self.bodies.get(name)
        if body is None or name in seen:
            return False
        seen.add(name)
        parts = names_in(body.body)
        return any(part in parameters or self._rests_on(part, parameters, seen) for part in parts)

    def _hide(self, parameter: Name, value: Tensor, span: Span) -> str:
        """Give an argument a hidden name, so that a function can be differentiated by it."""
        sizes = self.shape(parameter)
        if len(sizes) != value.rank:
            raise ill_typed(
                "SD002", f"{parameter.key} is {rank_name(len(sizes))}, and {_kind(value)} is given", span
            )
        identity = f"{parameter.identity}@{len(self.hidden) + 1}"
        for a, b in zip(sizes, value.dimensions, strict=True):
            self.sizes.try_unify(a, b)
        self.hidden[identity] = Definition(identity, value.slots, value.body)
        self.hidden_shapes[identity] = value.dimensions
        return identity

    def _composite(self, node: tree.Product, at: int) -> tuple[Tensor, int] | None:
        """Read `D_{ij} y_t` where the page has defined it as one thing."""
        if at + 1 >= len(node.factors) or node.operators[at] != "":
            return None
        found = composite_head(node.factors[at : at + 2], self.fonts)
        if found is None:
            return None
        key, subs = found
        record = self.scope.find(key)
        if record is None or not (self.is_defined(record) or record.indexed):
            return None
        return self.entries(record, subs, node.span), 2

    # ------------------------------------------------------------------ norms, products, lists, matrices

    def _norm(self, node: tree.Norm) -> Tensor:
        value = self.value(node.body)
        order = (
            names.key(node.order)
            if node.order is not None and not isinstance(node.order, tree.Number)
            else None
        )
        if isinstance(node.order, tree.Number) and node.order.text == "1":
            return self._total(replace(value, body=Abs(value.body)))
        if (
            node.order is None
            or order == "F"
            or (isinstance(node.order, tree.Number) and node.order.text == "2")
        ):
            return Tensor(sympy.sqrt(self._total(replace(value, body=value.body**2)).body))
        raise unsupported("this norm is not supported yet", node.span)

    @staticmethod
    def _total(value: Tensor) -> Tensor:
        body = value.body
        for slot, size in zip(value.slots, value.dimensions, strict=True):
            body = Sum(body, (slot, 1, size))
        return Tensor(body)

    def _absolute(self, node: tree.Absolute) -> Tensor:
        value = self.value(node.body)
        if value.rank > 1:
            raise unsupported("the determinant is not supported yet", node.span)
        return self._elementwise(Abs, value, node)

    def _inner(self, node: tree.Inner) -> Tensor:
        left, right = self.value(node.left), self.value(node.right)
        left, right, shape = self.together(
            replace(left, row=False), replace(right, row=False), node.span, "this inner product"
        )
        return self._total(Tensor(left.body * right.body, shape.slots, shape.dimensions))

    def _sequence(self, node: tree.Sequence) -> Tensor:
        return self._listed(node)

    def _listed(self, node: tree.Sequence) -> Tensor:
        """A list in brackets is a vector; one with dots has the entry that its shown entries fit."""
        dots = [at for at, item in enumerate(node.items) if isinstance(item, tree.Dots)]
        if not dots:
            return self._explicit([(item,) for item in node.items], node.span, vector=True)
        if len(dots) != 1 or dots[0] < 2 or dots[0] != len(node.items) - 2:
            raise unsupported("this list with dots is not understood yet", node.span)
        first, second, last = node.items[0], node.items[1], node.items[-1]
        template = generalise(first, second)
        end = None if template is None else hole(template, last)
        if template is None or end is None:
            raise unsupported(
                "the entries of this list with dots do not follow a pattern that symderiv sees", node.span
            )
        if isinstance(end, tree.Number):
            size = self.sizes.new(Integer(end.text), origin=end.span)
        else:
            size = self._end_size(end)
        with self._binding((HOLE,), (size,)) as (index,):
            value = self.value(template)
        if value.rank:
            raise unsupported("a list of tensors is not supported yet", node.span)
        return Tensor(value.body, (index,), (size,), convention=True)

    def _end_size(self, end: tree.Node) -> Size:
        if isinstance(end, tree.Name):
            size = self.scope.size(end.text)
            if size is None:
                raise unsupported(f"{end.text} is not known to be a size", end.span)
            return size
        return self.sizes.new(self.value(end).body, origin=end.span)

    def _matrix(self, node: tree.Matrix) -> Tensor:
        if any(isinstance(cell, tree.Dots) for row in node.rows for cell in row):
            raise unsupported("a matrix written with dots is not decided yet", node.span)
        return self._explicit(list(node.rows), node.span, vector=all(len(row) == 1 for row in node.rows))

    def _explicit(self, rows: list[tuple[tree.Node, ...]], span: Span, *, vector: bool) -> Tensor:
        """A matrix or vector with every entry written."""
        if len({len(row) for row in rows}) != 1:
            raise ill_typed("SD002", "the rows of this matrix have different lengths", span)
        i, j = fresh("s"), fresh("s")
        body: Expr = Integer(0)
        for at, row in enumerate(rows, 1):
            for column, cell in enumerate(row, 1):
                value = self.value(cell)
                if value.rank:
                    raise unsupported("a matrix of blocks is not supported yet", cell.span)
                place = KroneckerDelta(i, at) if vector else KroneckerDelta(i, at) * KroneckerDelta(j, column)
                body += value.body * place
        height = self.sizes.new(Integer(len(rows)))
        if vector:
            return Tensor(body, (i,), (height,))
        return Tensor(body, (i, j), (height, self.sizes.new(Integer(len(rows[0])))))

    def _dots(self, node: tree.Dots) -> Tensor:
        raise unsupported("dots are not understood here yet", node.span)

    def _differential(self, node: tree.Differential) -> Tensor:
        raise unsupported("differentials are not supported yet", node.span)

    # ------------------------------------------------------------------ derivatives

    def _derivative(self, node: tree.Derivative) -> Tensor:
        operand = node.of
        if operand is None:
            raise unsupported("this derivative has no operand", node.span)
        if not node.by:
            node = tree.Derivative(operand, self._parameters(operand), node.style, node.form, span=node.span)
        if not node.by:
            raise unsupported("this gradient does not name its variable", node.span)
        value = self.value(operand)
        of_name = value.numerator if value.denominator is None else None
        body, slots, sizes = value.body, value.slots, value.dimensions
        denominator: tuple[str, int] | None = None
        transposed = False
        for by in node.by:
            variable = by
            if isinstance(by, tree.Script) and by.sub is None and names.is_transpose(by.sup):
                transposed, variable = not transposed, by.base
            target = self._variable(variable)
            body = D(body, target.body)
            slots, sizes = slots + target.slots, sizes + target.dimensions
            denominator = target.numerator if len(node.by) == 1 else None
        added = len(slots) - value.rank
        result = Tensor(
            body,
            slots,
            sizes,
            numerator=(of_name[0] if of_name else "", value.rank) if denominator else None,
            denominator=denominator,
            convention=value.rank == 0 and added == 1,
            row=transposed and added == 1,
        )
        if value.rank == 0 and added == 2 and (transposed or self.layout == "numerator"):
            return self.transpose(result, node.span)
        if value.rank == 0 and added == 1 and self.layout == "numerator":
            return replace(result, row=not transposed, convention=False)
        if (
            value.rank == 1
            and added == 1
            and not transposed
            and (self.layout == "denominator" or node.style == "nabla")
        ):
            return self.transpose(result, node.span)
        return result

    def _parameters(self, node: tree.Node) -> tuple[tree.Node, ...]:
        """Return the variable of `\\nabla f` and `\\nabla f(x)`: the one argument of f."""
        node = names.plain(node)
        if isinstance(node, tree.Product) and len(node.factors) == 2 and self._applies(node, 0):
            group = node.factors[1]
            return (
                (group.body,) if isinstance(group, tree.Group) and isinstance(group.body, tree.Name) else ()
            )
        record = self.record(node)
        if record is None or not record.parameters or len(record.parameters) != 1:
            return ()
        return (tree.Name(record.parameters[0], span=node.span),)

    def _variable(self, node: tree.Node) -> Tensor:
        """Elaborate what a derivative is taken by: a name or an entry."""
        node = names.plain(node)
        if isinstance(node, tree.Product) and len(node.factors) == 2 and self._applies(node, 0):
            node = node.factors[0]
        value = self.value(node)
        if not (
            isinstance(value.body, Indexed)
            or (isinstance(value.body, Symbol) and not isinstance(value.body, Index | Size))
        ):
            raise unsupported("a derivative by this expression is not supported yet", node.span)
        return value


_CALLS = frozenset({"\\max", "max", "\\min", "min", "softmax", "diag", "\\diag", "tr", "\\tr", "trace", "Tr"})
HOLE = "\\hole"
_LATEST_START = 8


def _count(number: int, noun: str) -> str:
    plural = "indices" if noun == "index" else f"{noun}s"
    return f"no {plural}" if number == 0 else f"{number} {noun if number == 1 else plural}"


def rank_name(rank: int) -> str:
    """Return what a reader calls a tensor of this rank."""
    return ("a number", "a vector", "a matrix")[rank] if rank < 3 else f"a tensor with {rank} indices"


def _kind(value: Tensor) -> str:
    if value.rank == 1:
        return "a row" if value.row else "a column"
    return rank_name(value.rank)


def _opposite(sign: str) -> str:
    return "-" if sign == "+" else "+"


def _is_one(node: tree.Node) -> bool:
    return (
        isinstance(node, tree.Name) and node.text in ("1", "I") and node.font in ("bold", "blackboard")
    ) or (isinstance(node, tree.Number) and node.text == "1")


def _in_script(body: tree.Node, name: tree.Node) -> bool:
    """Tell whether a name stands only in subscripts of a body."""
    for node in names.walk(body):
        if (
            isinstance(node, tree.Script)
            and node.sub is not None
            and any(each is name for each in names.walk(node.sub))
        ):
            return True
    return False


def composite_head(
    factors: tuple[tree.Node, ...], fonts: frozenset[str]
) -> tuple[str, tuple[tree.Node, ...]] | None:
    """Return the key and the items of `D_{ij} y_t`, an operator letter before a name, or None."""
    if len(factors) != 2:
        return None
    operator, name = factors
    subs: list[tree.Node] = []
    keys: list[str] = []
    for node in (operator, name):
        base = node
        if isinstance(node, tree.Script):
            if node.sup is not None or node.primes:
                return None
            subs.extend(names.items(node.sub))
            base = node.base
        key = names.key(base, fonts=fonts)
        if key is None:
            return None
        keys.append(key)
    if keys[0] != "D":
        return None
    return " ".join(keys), tuple(subs)


def generalise(first: tree.Node, second: tree.Node) -> tree.Node | None:
    """Return the form of two entries that differ in `1` against `2` only, with a hole there, or None."""
    if first == second:
        return first
    if isinstance(first, tree.Number) and isinstance(second, tree.Number):
        return tree.Name(HOLE, span=first.span) if (first.text, second.text) == ("1", "2") else None
    return _zip(first, second, generalise)


def hole(template: tree.Node, node: tree.Node) -> tree.Node | None:
    """Return what stands in the hole of a template in another entry, or None where it does not fit."""
    found: list[tree.Node] = []

    def match(form: tree.Node, actual: tree.Node) -> tree.Node | None:
        if isinstance(form, tree.Name) and form.text == HOLE:
            found.append(actual)
            return form
        if form == actual:
            return form
        return _zip(form, actual, match)

    if match(template, node) is None or not found or any(each != found[0] for each in found):
        return None
    return found[0]


def _zip(
    first: tree.Node, second: tree.Node, join: Callable[[tree.Node, tree.Node], tree.Node | None]
) -> tree.Node | None:
    """Rebuild a node from the joined parts of two nodes of the same kind."""
    if type(first) is not type(second):
        return None
    changes: dict[str, object] = {}
    for name in first.__dataclass_fields__:
        if name == "span":
            continue
        joined = _zip_value(getattr(first, name), getattr(second, name), join)
        if joined is _DIFFERENT:
            return None
        changes[name] = joined
    return replace(first, **changes)  # type: ignore[arg-type]


_DIFFERENT = object()


def _zip_value(a: object, b: object, join: Callable[[tree.Node, tree.Node], tree.Node | None]) -> object:
    if isinstance(a, tree.Node) and isinstance(b, tree.Node):
        joined = join(a, b)
        return _DIFFERENT if joined is None else joined
    if isinstance(a, tuple) and isinstance(b, tuple) and len(a) == len(b):
        parts = [_zip_value(x, y, join) for x, y in zip(a, b, strict=True)]
        return _DIFFERENT if any(part is _DIFFERENT for part in parts) else tuple(parts)
    return a if a == b else _DIFFERENT


def names_in(term: Expr) -> set[str]:
    """Return the names of the tensors in a term."""
    found = {str(base.label) for base in term.atoms(sympy.IndexedBase)}
    return found | {s.name for s in term.atoms(Symbol) if not isinstance(s, Index | Size)}


def rename_bound(term: Expr) -> Expr:
    """Give every index that the term binds a fresh name."""
    renaming = {
        limit[0]: fresh(limit[0].name) for each in term.atoms(Sum, sympy.Product) for limit in each.limits
    }
    return term.xreplace(renaming) if renaming else term


def rename_names(term: Expr, renaming: dict[str, str]) -> Expr:
    """Give tensors other names throughout a term, the variables of its derivatives included."""
    changes: dict[Expr, Expr] = {}
    for each in term.atoms(sympy.IndexedBase):
        if str(each.label) in renaming:
            changes[each] = sympy.IndexedBase(Symbol(renaming[str(each.label)], **each.label.assumptions0))
    for each in term.atoms(Symbol):
        if not isinstance(each, Index | Size) and each.name in renaming:
            changes[each] = Symbol(renaming[each.name], real=True)
    return term.xreplace(changes) if changes else term

"""Terms as NumPy code: what a reader would write for an array over given indices.

The text is made of a closed alphabet: identifiers, integers, and the words of NumPy. Products and sums over
indices become `einsum`, everything else is elementwise with broadcasting: no loop runs over entries.

Vocabulary. A *piece* is code for an array together with its axes, each an index; an operand of `einsum` is a
piece; the *opaque gradients*, derivatives of an unknown function, are arguments.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import sympy
from sympy import (
    Add,
    Basic,
    Expr,
    Heaviside,
    Indexed,
    Integer,
    KroneckerDelta,
    Max,
    Min,
    Mul,
    Piecewise,
    Pow,
    Product,
    Rational,
    Sum,
    erf,
    erfc,
    exp,
)
from sympy.core.relational import Relational
from sympy.logic.boolalg import And, Boolean, Not, Or

from symderiv.kernel.terms import (
    Cases,
    Context,
    D,
    Det,
    Greatest,
    Index,
    OfMatrix,
    Size,
    Unknown,
    name_of,
)
from symderiv.meaning.notation.entries import rows_of
from symderiv.meaning.notation.products import Term, flat, flat_product, indices_of
from symderiv.report.numpy_layout import unwrapped
from symderiv.report.numpy_names import Names, identifier
from symderiv.report.numpy_pieces import FUNCTIONS, RECIPROCAL, RELATIONS, Piece, Unwritten
from symderiv.report.numpy_places import always, bounds_of, given_by, stated

_EINSUM = "ijklmnpqrstuvwxyzabcdefgho"


@dataclass(slots=True)
class Coder:
    """Writes terms as code, and keeps what they need: arguments, sizes."""

    names: Names
    context: Context
    arguments: dict[str, tuple[Expr, ...] | None] = field(default_factory=dict)
    """Each argument's identifier with its shape; None for a function."""
    fixed: dict[Index, str] = field(default_factory=dict)
    """In the fact at hand, the indices that the page fixes, such as a class c: counted from 0."""
    places: list[str] = field(default_factory=list)
    """The arguments that these are."""
    sizes: set[Size] = field(default_factory=set)
    ranges: dict[Index, Expr] = field(default_factory=dict)
    masks: dict[str, str] = field(default_factory=dict)
    """The variables for what is made of indices alone, by the code of their values."""
    lined: int = 0
    """How many of the masks have a line of their own."""
    bounds: frozenset[Expr] = frozenset()
    """What is not negative where the product at hand is not 0 (see `numpy_places`)."""
    uses_math: bool = False

    def full(self, term: Expr, slots: tuple[Index, ...], ranges: Mapping[Index, Expr]) -> str:
        """Return code for an array over all slots."""
        self.ranges.update(ranges)
        piece = self.over(term, slots)
        if len(piece.axes) == len(slots):
            return piece.code
        shape = ", ".join(self.size(ranges[slot]) for slot in slots)
        inner = self._spread(piece, slots)
        return f"np.broadcast_to({inner.code}, ({shape}{',' if len(slots) == 1 else ''}))"

    def new_masks(self) -> list[tuple[str, str]]:
        """Return the masks that have no line yet, in their order."""
        found = [(name, code) for code, name in self.masks.items()][self.lined :]
        self.lined = len(self.masks)
        return found

    def unmasked(self, code: str) -> str:
        """Return the code of a variable; a new mask that is all of it gets no line of its own."""
        last = next(reversed(self.masks), "")
        if len(self.masks) == self.lined or self.masks[last] != code:
            return code
        del self.masks[last]
        return last

    def forget_new_masks(self) -> None:
        """Drop the masks that have no line yet: what needed them is left out."""
        self.masks = dict(list(self.masks.items())[: self.lined])

    def _mask(self, code: str, wanted: str) -> str:
        if code not in self.masks:
            self.masks[code] = self.names.of(f"{wanted} {code}", wanted)
        return self.masks[code]

    def over(self, term: Expr, out: tuple[Index, ...]) -> Piece:
        """Return a piece for a term; its axes are those of `out` that it depends on, in this order."""
        if isinstance(term, Add):
            return self._sum(term, out)
        product = flat_product(term)
        if product.coefficient < 0:
            inner = self._product(Term(-product.coefficient, product.bound, product.factors), out)
            return Piece(f"-{inner.factor()}", inner.axes, tight=False)
        return self._product(product, out)

    def _sum(self, term: Add, out: tuple[Index, ...]) -> Piece:
        pieces = [
            (part, self._product(Term(abs(part.coefficient), part.bound, part.factors), out))
            for part in sorted(
                flat(term), key=lambda part: (bool(part.coefficient < 0), str(sorted(map(str, part.factors))))
            )
        ]
        axes = tuple(index for index in out if any(index in piece.axes for _, piece in pieces))
        code = ""
        for part, piece in pieces:
            shown = self._spread(piece, axes) if piece.axes else piece
            sign = "-" if part.coefficient < 0 else "+"
            if code:
                code += f" {sign} {shown.code}"
            else:
                code = f"-{shown.factor()}" if sign == "-" else shown.code
        return Piece(code, axes, tight=False)

    @staticmethod
    def _spread(piece: Piece, axes: tuple[Index, ...]) -> Piece:
        """Return a piece with a new axis of length 1 for each of `axes` that it lacks."""
        if piece.axes == axes or not piece.axes:
            return piece
        assert [a for a in axes if a in piece.axes] == list(piece.axes)
        picked = ", ".join(":" if index in piece.axes else "None" for index in axes)
        return Piece(f"{piece.factor()}[{picked}]", axes)

    def _product(self, term: Term, out: tuple[Index, ...]) -> Piece:
        numbers: list[str] = []
        below: list[Piece] = []
        operands: list[Piece] = []
        exponent = Add(*(power * base.exp for base, power in term.factors.items() if isinstance(base, exp)))
        rest = {base: power for base, power in term.factors.items() if not isinstance(base, exp)}
        if exponent != 0:
            rest[exp(exponent)] = Integer(1)
        bound = {k for k, _ in term.bound}
        self.ranges.update(dict(term.bound))
        outer, self.bounds = self.bounds, self.bounds | {*given_by(term.factors)}
        for base, power in sorted(rest.items(), key=lambda item: _operand_order(item[0], out)):
            piece = self._power(base, abs(power))
            if power < 0:
                below.append(piece)
            elif piece.axes:
                operands.append(piece)
            else:
                numbers.append(piece.factor())
        self.bounds = outer
        if term.coefficient.p != 1:
            numbers.insert(0, str(term.coefficient.p))
        inverse = [piece for piece in below if piece.axes]
        single = [*(piece.factor() for piece in below if not piece.axes)]
        if term.coefficient.q != 1:
            single.insert(0, str(term.coefficient.q))
        seen = {index for piece in (*operands, *inverse) for index in piece.axes}
        numbers += [self.size(size) for k, size in term.bound if k not in seen]
        axes = tuple(index for index in out if index in seen)
        last: Piece | None = None
        if inverse and all(piece.axes == axes for piece in inverse) and not bound & seen:
            last = Piece(" / ".join(["", *(piece.factor() for piece in inverse)])[3:], axes)
        else:
            operands += [Piece(f"1 / {piece.factor()}", piece.axes, tight=False) for piece in inverse]
        code = self._einsum(operands, axes, bound & seen) if operands else None
        spread = last is not None and code is not None and code.axes != axes
        if code is not None and spread:
            code = self._spread(code, axes)
        return self._combined(numbers, code, [*single, *([last.code] if last is not None else [])], axes)

    @staticmethod
    def _combined(numbers: list[str], code: Piece | None, below: list[str], axes: tuple[Index, ...]) -> Piece:
        above = [*numbers, *([code.factor()] if code is not None else [])]
        if len(above) == 1 and not below:
            return code if code is not None else Piece(above[0], axes)
        text = " * ".join(above) or "1"
        for each in below:
            text += f" / {each}"
        return Piece(text, axes, tight=len(above) <= 1 and not below)

    def _einsum(self, operands: list[Piece], out: tuple[Index, ...], bound: set[Index]) -> Piece:
        """Return the product of some pieces, summed over the axes that are not in `out`."""
        axes = tuple(index for index in out if any(index in piece.axes for piece in operands))
        if len(operands) == 1 and operands[0].axes == axes:
            return operands[0]
        if not bound and all(piece.axes == axes for piece in operands):
            return Piece(" * ".join(piece.factor() for piece in operands), axes, tight=False)
        if len(operands) == 1 and not axes and len(set(operands[0].axes)) == len(operands[0].axes):
            return Piece(f"np.sum({operands[0].code})")
        if len(operands) == 1 and operands[0].axes == axes[::-1]:
            return Piece(f"{operands[0].factor()}.T", axes)
        if len(operands) == 1 and axes == tuple(a for a in operands[0].axes if a in axes):
            summed = tuple(place for place, a in enumerate(operands[0].axes) if a not in axes)
            over = str(summed[0]) if len(summed) == 1 else str(summed)
            return Piece(f"np.sum({operands[0].code}, axis={over})", axes)
        seen = list(dict.fromkeys([*axes, *(index for piece in operands for index in piece.axes)]))
        letter = dict(zip(seen, _EINSUM, strict=False))
        if len(seen) > len(_EINSUM):
            msg = "too many indices"
            raise Unwritten(msg)
        joined = ",".join("".join(letter[index] for index in piece.axes) for piece in operands)
        code = ", ".join(piece.code for piece in operands)
        return Piece(f'np.einsum("{joined}->{"".join(letter[index] for index in axes)}", {code})', axes)

    # ------------------------------------------------------------------ factors

    def _power(self, base: Expr, power: Rational) -> Piece:
        piece = self._factor(base)
        if power == 1:
            return piece
        if power == Rational(1, 2):
            return Piece(f"np.sqrt({piece.code})", piece.axes)
        number = str(power.p) if power.q == 1 else f"({power.p} / {power.q})"
        return Piece(f"{piece.factor()} ** {number}", piece.axes, tight=False)

    def _factor(self, base: Expr) -> Piece:  # noqa: C901, PLR0912  one branch a kind of factor
        """Return a piece for one factor; its axes are its free indices."""
        name = name_of(base)
        if name is not None:
            return self._entry(self._value(name), base)
        if isinstance(base, Integer):
            return Piece(str(base))
        if isinstance(base, Size):
            return Piece(self.size(base))
        if base in self.fixed:
            return Piece(f"{self.fixed[base]} + 1", tight=False)
        if isinstance(base, Index):
            end = self.over(sympy.expand(self.ranges[base] + 1), ()).code
            return Piece(f"np.arange(1, {end})", (base,))
        if isinstance(base, D):
            return self._gradient(base)
        if isinstance(base, KroneckerDelta):
            return self._delta(base)
        axes = self._axes(base)
        if isinstance(base, Add | Mul | Sum | Rational):
            return self.over(base, axes)
        if isinstance(base, Product | Greatest):
            return self._over_product(base, axes)
        if isinstance(base, OfMatrix):
            return self._of_matrix(base)
        if isinstance(base, Piecewise | Cases):
            return self._cases(base, axes)
        if isinstance(base, Max | Min):
            return self._extreme(base, axes)
        if base in (sympy.pi, sympy.E):
            return Piece("np.pi" if base == sympy.pi else "np.e")
        if isinstance(base, Pow):
            left, right = (self._aligned(part, axes) for part in base.args)
            return Piece(f"{left.factor()} ** {right.factor()}", axes, tight=False)
        if isinstance(base, Unknown):
            return self._unknown(base, axes)
        return self._function(base, axes)

    def _axes(self, term: Expr) -> tuple[Index, ...]:
        """Return the free indices of a term in the order in which its largest entries have them."""
        entries = sorted(term.atoms(Indexed), key=lambda each: (-len(each.indices), str(each)))
        found = [index for each in entries for index in each.indices if isinstance(index, Index)]
        free = indices_of([term]) - self.fixed.keys()
        return tuple(dict.fromkeys([*(i for i in found if i in free), *sorted(free, key=str)]))

    def _aligned(self, term: Expr, axes: tuple[Index, ...]) -> Piece:
        return self._spread(self.over(term, axes), axes)

    def _entry(self, code: str, term: Expr) -> Piece:
        """Return a piece for an entry: indices are axes, integers are picked."""
        indices = term.indices if isinstance(term, Indexed) else ()
        axes = tuple(index for index in indices if isinstance(index, Index) and index not in self.fixed)
        code = self._begun(code, indices, self.context.shapes.get(str(name_of(term)), ()))
        if len(axes) == len(indices):
            return self._diagonal(code, axes)
        if not all(isinstance(index, Index | Integer) for index in indices):
            return self._picked(code, term)
        picked = ", ".join(
            self.fixed.get(index, ":") if isinstance(index, Index) else str(int(index) - 1)
            for index in indices
        )
        return self._diagonal(f"{code}[{picked}]", axes)

    def _begun(self, code: str, indices: Sequence[Basic], sizes: Sequence[Expr]) -> str:
        """Return code for a tensor up to the ends of the indices at it, which may run over its first part."""
        slices = []
        for index, size in zip(indices, sizes, strict=False):
            high = size if index in self.fixed else self.ranges.get(index, size)
            if high != size and not always(size - high, {}):
                msg = f"an index of {code} may lie outside of it"
                raise Unwritten(msg)
            slices.append(":" if high == size else f":{self.over(high, ()).code}")
        return code if set(slices) <= {":"} else f"{code}[{', '.join(slices)}]"

    def _picked(self, code: str, term: Indexed) -> Piece:
        """Return a piece for an entry at computed places, which lie in the tensor or count for nothing."""
        sizes = self.context.shapes[str(name_of(term))]
        axes: tuple[Index, ...] = ()
        for axis, (place, size) in reversed(list(enumerate(zip(term.indices, sizes, strict=True)))):
            if isinstance(place, Index) and place not in self.fixed:
                axes = (place, *axes)
                continue
            open_ = [each for each in bounds_of(place, size) if not always(each, self.ranges)]
            if not self.bounds.issuperset(open_):
                msg = f"an index of {code} may lie outside of it"
                raise Unwritten(msg)
            own = tuple(sorted(indices_of([place]) - self.fixed.keys(), key=str))
            at = self.over(sympy.expand(place - 1), own).code
            at = self._mask(at, "place") if own else at
            clip = ', mode="clip"' if open_ else ""
            code = f"np.take({code}, {at}, axis={axis}{clip})"
            axes = (*own, *axes)
        return self._diagonal(code, axes)

    @staticmethod
    def _diagonal(code: str, axes: tuple[Index, ...]) -> Piece:
        kept = tuple(dict.fromkeys(axes))
        if kept == axes:
            return Piece(code, axes)
        letter = dict(zip(kept, _EINSUM, strict=False))
        before, after = "".join(letter[a] for a in axes), "".join(letter[a] for a in kept)
        return Piece(f'np.einsum("{before}->{after}", {code})', kept)

    def _value(self, name: str) -> str:
        """Return the variable of a name; one that is not defined is an argument."""
        code = self.names.of(name, identifier(name))
        if name not in self.context.definitions and code not in self.arguments:
            self.arguments[code] = self.context.shapes.get(name, ())
        return code

    def _gradient(self, term: D) -> Piece:
        head = name_of(term.term)
        if head is None or head not in self.context.opaque:
            msg = "a derivative that is not carried out"
            raise Unwritten(msg)
        by = [str(name_of(variable)) for variable in term.variables]
        indices = [
            *_indices(term.term),
            *(index for variable in term.variables for index in _indices(variable)),
        ]
        key = f"{head}∂{'∂'.join(by)}"
        wanted = f"d{identifier(head)}_" + "_".join(f"d{identifier(each)}" for each in by)
        code = self.names.of(key, wanted)
        shapes = self.context.shapes
        self.arguments[code] = tuple(size for each in (head, *by) for size in shapes.get(each, ()))
        if not all(isinstance(index, Index) for index in indices):
            msg = f"an entry of {code} at a fixed place"
            raise Unwritten(msg)
        begun = self._begun(code, indices, self.arguments[code] or ())
        return self._diagonal(begun, tuple(index for index in indices if isinstance(index, Index)))

    def _delta(self, term: KroneckerDelta) -> Piece:
        first, second = sorted(term.args, key=lambda index: index not in self.fixed)
        if first in self.fixed and second in self.fixed:
            return Piece(f"float({self.fixed[first]} == {self.fixed[second]})")
        if first in self.fixed and isinstance(second, Index):
            return Piece(f"np.eye({self.size(self.ranges[second])})[{self.fixed[first]}]", (second,))
        if isinstance(first, Index) and isinstance(second, Index):
            size, other = self.ranges[first], self.ranges[second]
            both = self.size(size) if size == other else f"{self.size(size)}, {self.size(other)}"
            return Piece(f"np.eye({both})", (first, second))
        axes = tuple(sorted(indices_of([term]) - self.fixed.keys(), key=str))
        left, right = self._aligned(first, axes), self._aligned(second, axes)
        return Piece(f"({left.code} == {right.code}).astype(float)", axes)

    def _over_product(self, term: Product | Greatest, axes: tuple[Index, ...]) -> Piece:
        bound = tuple(limit[0] for limit in term.limits)
        self.ranges.update({k: high for k, _, high in term.limits})
        if any(low != 1 for _, low, _ in term.limits):
            msg = "a product or maximum that does not start at 1"
            raise Unwritten(msg)
        inner = self._aligned(term.function, (*axes, *bound))
        if inner.axes != (*axes, *bound):
            msg = "a product or maximum over an index that its body lacks"
            raise Unwritten(msg)
        word = "prod" if isinstance(term, Product) else "max"
        return Piece(f"np.{word}({inner.code}, axis={tuple(range(len(axes), len(axes) + len(bound)))})", axes)

    def _of_matrix(self, term: OfMatrix) -> Piece:
        """Return a piece for an entry of an inverse or a determinant, of matrices on the last two axes."""
        *bound, size = term.places
        self.ranges.update(dict.fromkeys(bound, size))
        batch = tuple(sorted(indices_of([term.body]) - set(bound), key=str))
        slots = (*batch, *bound)
        matrix = self.full(term.body, slots, {index: self.ranges[index] for index in slots})
        if isinstance(term, Det):
            return Piece(f"np.linalg.det({matrix})", batch)
        if not all(isinstance(index, Index) for index in term.at):
            msg = "an entry of an inverse at a fixed place"
            raise Unwritten(msg)
        return self._diagonal(f"np.linalg.inv({matrix})", (*batch, *term.at))

    def _cases(self, term: Piecewise | Cases, axes: tuple[Index, ...]) -> Piece:
        """Return nested choices; where no case holds the value is not a number."""
        *rows, (last, condition) = rows_of(term)
        code = self._where(condition, last, axes)
        if condition != sympy.true:
            code = f"np.where({unwrapped(self._condition(condition, axes))}, {code}, np.nan)"
        for value, when in reversed(rows):
            holds = unwrapped(self._condition(when, axes))
            code = f"np.where({holds}, {self._where(when, value, axes)}, {code})"
        of_indices = all(isinstance(each, Index | Size) for each in term.free_symbols)
        return Piece(self._mask(code, "mask") if of_indices and axes else code, axes)

    def _where(self, condition: Basic, value: Expr, axes: tuple[Index, ...]) -> str:
        """Return code for a value that counts where a condition holds."""
        outer, self.bounds = self.bounds, self.bounds | {*stated(condition)}
        code = self._aligned(value, axes).code
        self.bounds = outer
        return code

    def _condition(self, condition: Boolean, axes: tuple[Index, ...]) -> str:
        if isinstance(condition, Relational):
            left, right = (self._aligned(a, axes) for a in condition.args)
            return f"({left.code} {RELATIONS[condition.rel_op]} {right.code})"
        if isinstance(condition, And | Or):
            sign = " & " if isinstance(condition, And) else " | "
            return "(" + sign.join(self._condition(a, axes) for a in sorted(condition.args, key=str)) + ")"
        if isinstance(condition, Not):
            return f"~{self._condition(condition.args[0], axes)}"
        msg = "a condition"
        raise Unwritten(msg)

    def _extreme(self, term: Expr, axes: tuple[Index, ...]) -> Piece:
        word = "np.maximum" if isinstance(term, Max) else "np.minimum"
        first, *rest = sorted(term.args, key=str)
        code = self._aligned(first, axes).code
        for each in rest:
            code = f"{word}({code}, {self._aligned(each, axes).code})"
        return Piece(code, axes)

    def _unknown(self, term: Unknown, axes: tuple[Index, ...]) -> Piece:
        name, orders, *arguments = term.args
        order = (
            "_".join(str(m) for m in orders)
            if len(arguments) > 1 and any(orders)
            else "prime" * min(int(sum(orders)), 1)
        )
        order += str(orders[0]) if len(arguments) == 1 and orders[0] > 1 else ""
        base = identifier(str(name))
        code = self.names.of(f"{name} {orders}" if order else str(name), f"{base}_{order}" if order else base)
        self.arguments[code] = None
        return Piece(f"{code}({', '.join(self._aligned(a, axes).code for a in arguments)})", axes)

    def _function(self, term: Expr, axes: tuple[Index, ...]) -> Piece:
        word = type(term).__name__
        if len(term.args) != 1 and not isinstance(term, Heaviside):
            msg = word
            raise Unwritten(msg)
        inner = self._aligned(term.args[0], axes)
        if word in FUNCTIONS:
            return Piece(f"{FUNCTIONS[word]}({inner.code})", axes)
        if word in RECIPROCAL:
            return Piece(f"1 / {RECIPROCAL[word]}({inner.code})", axes, tight=False)
        if isinstance(term, Heaviside):
            return Piece(f"np.where({inner.code} > 0, 1, 0)", axes)
        if isinstance(term, erf | erfc):
            self.uses_math = True
            return Piece(f"np.vectorize(math.{word}, otypes=[float])({inner.code})", axes)
        raise Unwritten(word)

    def size(self, size: Expr) -> str:
        """Return code for a size."""
        if isinstance(size, Size):
            self.sizes.add(size)
            return self.names.of(f"size {size.name}", identifier(size.name))
        if isinstance(size, Integer):
            return str(size)
        if isinstance(size, Rational):
            return f"({size.p} / {size.q})"
        if isinstance(size, Add):
            return f"({self.over(size, ()).code})"
        if isinstance(size, Mul | Pow):
            sign = " * " if isinstance(size, Mul) else " ** "
            return "(" + sign.join(self.size(a) for a in size.args) + ")"
        msg = "a size"
        raise Unwritten(msg)


def _operand_order(base: Expr, out: tuple[Index, ...]) -> tuple[int, int, int, str]:
    """Return where an operand stands: deltas, gradients, then entries by their indices."""
    kind = 0 if isinstance(base, KroneckerDelta) else 1 if isinstance(base, D) else 2
    indices = indices_of([base])
    place = min((out.index(index) for index in indices if index in out), default=len(out))
    return (kind, -len(indices), place, str(base))


def _indices(term: Expr) -> tuple[Basic, ...]:
    return tuple(term.indices) if isinstance(term, Indexed) else ()

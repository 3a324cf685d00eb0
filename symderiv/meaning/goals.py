"""Two members of a chain become a goal, or the diagnostic that says why they cannot be compared."""

from __future__ import annotations

from dataclasses import dataclass, replace

from sympy import Eq, Expr, Indexed, Ne, Symbol
from sympy.logic.boolalg import And, Boolean

from symderiv.diagnostics import Diagnostic
from symderiv.kernel.terms import Context, D, Goal, Index, name_of
from symderiv.meaning.model import Assumption, Chain, Member, Statement, Tensor


@dataclass(frozen=True, slots=True)
class Compared:
    """A goal, and the layout convention under which the two members have one shape."""

    goal: Goal
    layout: str | None = None


def unreached(goal: Goal) -> tuple[str, str] | None:
    """Return a defined quantity and a variable that it is differentiated by without depending on it, or None.

    Such a derivative is zero, and more likely the page does not say how the one depends on the other.
    """
    if goal.right == 0:
        return None
    context = goal.context
    for derivative in goal.left.atoms(D) | goal.right.atoms(D):
        name = name_of(derivative.term)
        for variable in derivative.variables:
            other = name_of(variable)
            if (
                name in context.definitions
                and other is not None
                and name != other
                and other not in _reached(str(name), context)
            ):
                return str(name), other
    return None


def one_sided(goal: Goal) -> bool:
    """Tell whether one side differentiates a tensor that the page leaves undefined, and the other nothing.

    Whether that tensor depends on the variable is then not said, and no numbers can decide the step.
    """
    found = [side.atoms(D) for side in (goal.left, goal.right)]
    if bool(found[0]) == bool(found[1]):
        return False
    opened = {name_of(derivative.term) for derivative in found[0] | found[1]}
    return any(name in goal.context.opaque and goal.context.shapes.get(str(name)) for name in opened)


def _reached(name: str, context: Context) -> set[str]:
    """Return every name on which a name depends."""
    seen: set[str] = set()
    stack = [name]
    while stack:
        at = stack.pop()
        parts: set[str] = set(context.opaque[at].arguments) if at in context.opaque else set()
        if at in context.definitions:
            body = context.definitions[at].body
            parts |= {
                str(found) for atom in body.atoms(Symbol, Indexed) if (found := name_of(atom)) is not None
            }
        stack.extend(parts - seen)
        seen |= parts
    return seen


def compare(
    statement: Statement, chain: Chain, left: Tensor, right: Tensor, member: Member
) -> Compared | Diagnostic:
    """Return the goal that two elaborated members are equal, entry by entry."""
    assert statement.context is not None
    layout = None
    if left.rank != right.rank:
        small = left if left.rank < right.rank else right
        if small.rank or small.body != 0:
            return _mismatch(left, right, member)
    elif left.rank == 1 and left.row != right.row:
        if not (left.convention or right.convention):
            return Diagnostic(
                "SD002",
                "one side is a row and the other a column",
                member.span,
                label=f"the left is {_shape(left)}, the right {_shape(right)}",
            )
        layout = "numerator"
    left, right = _lettered(left, right)
    ranges: dict[Index, Expr] = dict(zip(left.slots, left.dimensions, strict=True))
    if left.rank == right.rank:
        if left.dimensions != right.dimensions:
            return _mismatch(left, right, member)
        body = right.body.xreplace(dict(zip(right.slots, left.slots, strict=True)))
    else:
        body = right.body
        ranges |= dict(zip(right.slots, right.dimensions, strict=True))
    facts = [fact for assumption in statement.assumptions for fact in _facts(assumption)]
    free = _free(left.body, statement.context) | _free(body, statement.context)
    letters = free - set(ranges)
    tied = {letter for fact in facts for letter in fact.free_symbols if isinstance(letter, Index)}
    extra = sorted(
        str(x)
        for x in _free(body, statement.context) - _free(left.body, statement.context) - set(ranges) - tied
    )
    if extra and any(isinstance(m.value, Tensor) for m in chain.members[:1]):
        first = chain.members[0].value
        known = _free(first.body, statement.context) if isinstance(first, Tensor) else set()
        extra = [name for name in extra if Index(name) not in known]
    if extra:
        return Diagnostic(
            "SD003",
            f"the index {extra[0]} stands free on the right side only",
            member.span,
            notes=(f"no sum binds {extra[0]}, and the left side does not have it",),
        )
    for letter in letters:
        if letter not in chain.ranges:
            return Diagnostic("SD003", f"the range of the index {letter} is not known", member.span)
        ranges[letter] = chain.ranges[letter]
    usable = tuple(
        fact
        for fact in facts
        if not isinstance(fact, Eq | Ne)
        or _relates_indices(fact) is None
        or set(fact.free_symbols & set(_indices(fact))) <= set(ranges)
    )
    return Compared(Goal(left.body, body, ranges, usable, statement.context), layout)


def _lettered(left: Tensor, right: Tensor) -> tuple[Tensor, Tensor]:
    """Name the slots with letters that a reader knows and that neither side uses."""
    used = {symbol.name for tensor in (left, right) for symbol in tensor.body.free_symbols}
    letters = [Index(letter) for letter in "ijklmnpqrstuvabcdefgh" if letter not in used]
    return tuple(  # type: ignore[return-value]
        replace(
            tensor,
            slots=tuple(letters[: tensor.rank]),
            body=tensor.body.xreplace(dict(zip(tensor.slots, letters, strict=False))),
        )
        for tensor in (left, right)
    )


def _facts(assumption: Assumption) -> tuple[Boolean, ...]:
    if assumption.fact is None or assumption.fact in (True, False):
        return ()
    return tuple(assumption.fact.args) if isinstance(assumption.fact, And) else (assumption.fact,)


def _relates_indices(fact: Boolean) -> bool | None:
    """Return True for a relation between indices, None for one between terms."""
    return True if all(isinstance(arg, Index) or arg.is_Integer for arg in fact.args) else None


def _indices(fact: Boolean) -> set[Index]:
    return {symbol for symbol in fact.free_symbols if isinstance(symbol, Index)}


def _free(term: Expr, context: Context) -> set[Index]:
    """Return the free indices of a term, those that a definition it uses leaves free included."""
    found = {symbol for symbol in term.free_symbols if isinstance(symbol, Index)}
    for name in context.definitions:
        definition = context.definitions[name]
        left_free = {s for s in definition.body.free_symbols if isinstance(s, Index)} - set(definition.slots)
        if left_free and any(str(getattr(atom, "name", "")) == name for atom in term.free_symbols):
            found |= left_free
    return found


def _shape(value: Tensor) -> str:
    if value.rank == 0:
        return "a number"
    sizes = [str(size) for size in value.dimensions]
    if value.rank == 1:
        return f"1 × {sizes[0]}" if value.row else f"{sizes[0]} × 1"
    return " × ".join(sizes)


def _mismatch(left: Tensor, right: Tensor, member: Member) -> Diagnostic:
    notes: tuple[str, ...] = ()
    if left.rank == right.rank:
        needed = sorted(
            {
                " = ".join(sorted((str(a), str(b))))
                for a, b in zip(left.dimensions, right.dimensions, strict=True)
                if a != b
            }
        )
        notes = (f"the shapes agree only when {' and '.join(needed)}",)
    return Diagnostic(
        "SD002",
        "the two sides have different shapes",
        member.span,
        notes=notes,
        label=f"the left is {_shape(left)}, the right {_shape(right)}",
    )

"""Two members of a chain become a goal, or the diagnostic that says why they cannot be compared."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache

from sympy import Basic, Eq, Expr, Indexed, IndexedBase, Integer, KroneckerDelta, Mul, Sum, Symbol
from sympy.logic.boolalg import Boolean

from symderiv.diagnostics import Diagnostic
from symderiv.kernel.substitution import names_in
from symderiv.kernel.terms import Context, D, Definition, Goal, Index, Size, Unknown, free_in, name_of
from symderiv.meaning.conditionals import is_conditional, is_positive
from symderiv.meaning.hypotheses import facts_of, fixed_in, hypotheses_of, indices_of, relates_indices
from symderiv.meaning.model import Assumption, Chain, Member, Statement, Tensor
from symderiv.meaning.renaming import exchanged, reaches
from symderiv.meaning.scope import Mention


@dataclass(frozen=True, slots=True)
class Compared:
    """A goal, and whether it takes a row for a column that the layout asks for, or the other way round."""

    goal: Goal
    turned: bool = False
    conventional: bool = False
    """One side is a row or a column as the layout has it, and the other is one for certain."""
    given: tuple[tuple[Boolean, ...], ...] | None = None
    """What each assumption of the statement says in the goal; None where the goal has it in other words."""
    unused: bool = False
    """An assumption of the page is not among those of the goal: it has no meaning, or none here."""
    veils: Mapping[str, tuple[Mention, ...]] = field(default_factory=dict)
    """The names that are taken for unknown functions in this goal, with what their definitions mention."""


def unreached(goal: Goal) -> tuple[str, str] | None:
    """Return a defined quantity and a variable that it is differentiated by without depending on it, or None.

    Such a derivative is zero, and more likely the page does not say how the one depends on the other.
    """
    context = goal.context
    inside = [context.definitions[name].body for name in names_of(goal) & context.definitions.keys()]
    for derivative in set().union(*(each.atoms(D) for each in (goal.left, goal.right, *inside))):
        name = name_of(derivative.term)
        for variable in derivative.variables:
            other = name_of(variable)
            if name is None or other is None or name == other or other in _reached(name, context):
                continue
            if name in context.definitions or name not in context.opaque:
                return name, other
    orphans = _orphans(context)
    return (
        next((orphans[name] for name in sorted(names_of(goal) & orphans.keys())), None) if orphans else None
    )


@lru_cache(maxsize=64)
def _orphans(context: Context) -> Mapping[str, tuple[str, str]]:
    """Return the names in whose definitions something is differentiated that is nothing but a name."""
    found = {}
    for name, definition in context.definitions.items():
        for derivative in definition.body.atoms(D):
            of, by = name_of(derivative.term), name_of(derivative.variables[0])
            known = of == by or of in context.definitions or of in context.opaque
            if of is not None and by is not None and not known:
                found[name] = (of, by)
    return found


def implicit(goal: Goal) -> tuple[str, str] | None:
    """Return a quantity and a variable of its derivative to which a hypothesis, and no definition, ties it.

    How the one moves with the other is then not known: `\\log p(x) = -(x - \\mu)^2` and a derivative by mu.
    """
    ties = [
        _all_names(fact) for fact in goal.assumptions if isinstance(fact, Eq) and not relates_indices(fact)
    ]
    for derivative in goal.left.atoms(D) | goal.right.atoms(D) if ties else ():
        by = {name for variable in derivative.variables if (name := name_of(variable)) is not None}
        term = _all_names(derivative.term)
        reached = term.union(*(_reached(name, goal.context) for name in term))
        own = name_of(derivative.term) in by
        for tied in ties:
            if by & tied and (own or (tied - by) & reached):
                quantity = name_of(derivative.term) or min((tied - by) & reached, default=min(tied))
                return str(quantity), min(by & tied)
    return None


def _all_names(term: Basic) -> set[str]:
    """Return the names of the tensors and of the unknown functions in a term."""
    return set(names_in(term)) | {str(each.args[0]) for each in term.atoms(Unknown)}


def one_sided(goal: Goal, maps: frozenset[str] = frozenset()) -> str | None:
    """Return a quantity that the page leaves open and one side differentiates, the other not, or None.

    How that depends on the variable is then not said, and no numbers can decide the step. The other side may
    differentiate something else, beside a name of its own: `dL/dz \\cdot dz/dw` is `dL/dz \\cdot x` where z
    is w x, which the page does not say. A function that is declared, one of `maps`, is any one.
    """
    context = goal.context
    opaque = context.opaque.keys() - maps
    found = [_slopes(side, context) for side in (goal.left, goal.right)]
    if bool(found[0]) != bool(found[1]):
        opened = sorted(name for name in found[0] | found[1] if name is not None)
        return next((name for name in opened if name in opaque), None)
    used = [set(names_in(side)) for side in (goal.left, goal.right)]
    known = context.definitions.keys() | context.opaque.keys()
    for this, that in ((0, 1), (1, 0)):
        opened = sorted(name for name in found[this] - found[that] if name in opaque and name)
        if opened and used[that] - used[this] - known:
            return opened[0]
    return None


def _passes_open(left: Tensor, right: Tensor, letter: Index, context: Context) -> bool:
    """Tell whether a chain rule passes by the entry at a letter of a tensor that the page leaves open."""
    slopes = left.body.atoms(D) | right.body.atoms(D)
    passed = {slope.term for slope in slopes} & {one for slope in slopes for one in slope.variables}
    return any(letter in _indices(each) and name_of(each) not in context.definitions for each in passed)


def in_steps(goal: Goal) -> set[str]:
    """Return the names of which a goal has entries at several places."""
    found: dict[str, set[tuple[Basic, ...]]] = {}
    for each in goal.left.atoms(Indexed) | goal.right.atoms(Indexed):
        found.setdefault(str(name_of(each)), set()).add(each.indices)
    return {name for name, places in found.items() if len(places) > 1}


def by_entries(goal: Goal) -> str | None:
    """Return a tensor that the page leaves open and by an entry of which a chain rule passes, or None.

    `dy_k/da_k \\cdot da_k/dw` sums over no k where each entry of y depends on its own of a, and nothing says
    whether it does.
    """
    slopes = goal.left.atoms(D) | goal.right.atoms(D)
    above = {slope.term for slope in slopes}
    for each in sorted(above & {one for slope in slopes for one in slope.variables}, key=str):
        name = name_of(each)
        if name in goal.context.opaque and _indices(each) and _indices(each) <= goal.ranges.keys():
            return name
    return None


def _slopes(side: Expr, context: Context) -> set[str | None]:
    """Return what a side differentiates, with what the definitions of its names do."""
    names = set(names_in(side)).union(*(_reached(name, context) for name in names_in(side)))
    bodies = [context.definitions[name].body for name in names & context.definitions.keys()]
    return {name_of(slope.term) for each in (side, *bodies) for slope in each.atoms(D)}


def tells(goal: Goal, maps: frozenset[str] = frozenset()) -> str | None:
    """Return an open quantity that a goal tells, E of `\\partial E/\\partial y = y - t`, or None.

    E stands on one side only, as it is or differentiated by what it is a function of, so that the step is
    about what the page has in mind. `\\partial E/\\partial W` is derived from that, and tells nothing new.
    Of a function that is declared, one of `maps`, the name of a gradient tells nothing.
    """
    context = goal.context
    applied = [_applied(side, context) for side in (goal.left, goal.right)]
    if None not in applied and bool(applied[0]) != bool(applied[1]):
        return min(applied[0] or applied[1] or ())
    names = [_open(side, context) - (maps - _all_names(side)) for side in (goal.left, goal.right)]
    if not any(names) or all(names):
        return None
    side = goal.left if names[0] else goal.right
    about = all(
        name_of(by) in context.opaque[str(name_of(slope.term))].arguments
        for slope in side.atoms(D)
        if name_of(slope.term) in context.opaque
        for by in slope.variables
    )
    return min(names[0] or names[1]) if about else None


def _applied(side: Expr, context: Context) -> set[str] | None:
    """Return the unknown functions that a side applies, by a definition, too; None with derivatives."""
    within = [side]
    for name in _all_names(side):
        for each in (name, *_reached(name, context)):
            within += [context.definitions[each].body] if each in context.definitions else []
    if any(part.has(D) for part in within):
        return None
    return {str(each.args[0]) for part in within for each in part.atoms(Unknown)}


def _open(side: Expr, context: Context) -> set[str]:
    """Return the unknown functions that a side is about, those of its definitions among them."""
    found = _all_names(side)
    reached = found.union(*(_reached(name, context) for name in found))
    return {name for name in reached if name in context.opaque}


def twofold(goal: Goal) -> str | None:
    """Return a function that a goal applies and differentiates as a quantity, `u'(s)` and `du/dt`, or None.

    At which argument it is differentiated is then not said, and no numbers can decide the step.
    """
    definitions = goal.context.definitions
    inside = [definitions[name].body for name in names_of(goal) & definitions.keys()]
    sides = [goal.left, goal.right, *inside]
    applied = {str(each.args[0]) for side in sides for each in side.atoms(Unknown)}
    both = applied & {str(name_of(slope.term)) for side in sides for slope in side.atoms(D)}
    return min(both, default=None)


def _at_arguments(goal: Goal) -> Goal:
    """Read `du/dt` as `u'(t)` where the goal applies the unknown function u to t only."""
    applied: dict[str, set[tuple[Basic, ...]]] = {}
    for each in goal.left.atoms(Unknown) | goal.right.atoms(Unknown):
        applied.setdefault(str(each.args[0]), set()).add(each.args[2:])
    changes: dict[Expr, Expr] = {}
    for slope in goal.left.atoms(D) | goal.right.atoms(D) if applied else ():
        term, by = slope.term, set(slope.variables)
        if isinstance(term, Symbol) and len(by) == 1 and applied.get(term.name) == {tuple(by)}:
            changes[slope] = D(Unknown(term, (0,), *by), *slope.variables)
    return replace(goal, left=goal.left.xreplace(changes), right=goal.right.xreplace(changes))


def unranged(goal: Goal) -> bool:
    """Tell whether a sum of a goal runs up to a size that nothing else has: its range is not told."""
    context = goal.context
    sums = goal.left.atoms(Sum) | goal.right.atoms(Sum)
    ends = set().union(*(limit[2].atoms(Size) for each in sums for limit in each.limits if len(limit) == 3))
    if not ends:
        return False
    told = set().union(*(size.atoms(Size) for shape in context.shapes.values() for size in shape))
    told |= set().union(*(size.atoms(Size) for size in goal.ranges.values()))
    bare = (side.xreplace({each: Integer(0) for each in side.atoms(Sum)}) for side in (goal.left, goal.right))
    return bool(ends - told - set().union(*(side.atoms(Size) for side in bare)))


_FUNCTION_LETTERS = frozenset({"\\sigma", "\\phi", "\\varphi", "\\psi", "\\Phi", "\\rho"})


_WORD = re.compile(r"[A-Za-z]{3,}\Z")


def unnamed(goal: Goal, maps: frozenset[str]) -> list[str]:
    """Return the functions, such as `\\sigma` or `flatten`, that a goal applies and nothing explains.

    By its letter, or its word, it is a certain function, so that numbers for another one decide nothing.
    """
    found = applied(goal)
    words = {name for name in found if _WORD.match(re.sub(r"~\d+$", "", name))}
    found |= names_of(goal) & goal.context.opaque.keys()
    letters = {name for name in found if re.sub(r"~\d+$", "", name) in _FUNCTION_LETTERS}
    return sorted((words | letters) - maps)


def applied(goal: Goal) -> set[str]:
    """Return the unknown functions that a goal applies, those in the definitions it rests on included."""
    reached = names_of(goal)
    sides = [goal.left, goal.right]
    sides += [goal.context.definitions[name].body for name in reached if name in goal.context.definitions]
    return {str(each.args[0]) for side in sides for each in side.atoms(Unknown)}


def names_of(goal: Goal) -> set[str]:
    """Return the names on which the two sides of a goal depend."""
    atoms = goal.left.atoms(Symbol, Indexed) | goal.right.atoms(Symbol, Indexed)
    found = {str(name_of(each)) for each in atoms}
    return found.union(*(_reached(name, goal.context) for name in found))


@lru_cache(maxsize=64)
def _reach(context: Context) -> Mapping[str, frozenset[str]]:
    """Return for each name that a context gives a meaning every name on which it depends."""
    below = {name: opaque.arguments for name, opaque in context.opaque.items()}
    names = context.definitions.keys() | below.keys()
    return {name: frozenset(reaches(name, context.definitions, below)) for name in names}


def _reached(name: str, context: Context) -> frozenset[str]:
    """Return every name on which a name depends."""
    return _reach(context).get(name, frozenset())


@lru_cache(maxsize=64)
def _left_open(context: Context) -> Mapping[str, frozenset[Index]]:
    """Return the names that rest on definitions with indices that are no slots, and these indices."""
    loose = {
        name: left
        for name, definition in context.definitions.items()
        if (left := _indices(definition.body) - {*definition.slots})
    }
    found: dict[str, frozenset[Index]] = {}
    for name in _reach(context).keys() if loose else ():
        left = frozenset[Index]().union(
            *(loose[each] for each in loose.keys() & (_reached(name, context) | {name}))
        )
        if left:
            found[name] = left
    return found


def compare(
    statement: Statement, chain: Chain, left: Tensor, right: Tensor, member: Member
) -> Compared | Diagnostic:
    """Return the goal that two elaborated members are equal, entry by entry."""
    assert statement.context is not None
    clash = _clash(left, right, member)
    if clash is not None:
        return clash
    conventional = left.rank == right.rank == 1 and left.convention != right.convention
    turned = conventional and left.row != right.row
    left, right = _lettered(left, right, statement.assumptions)
    wide = left if left.rank >= right.rank else right
    ranges: dict[Index, Expr] = dict(zip(wide.slots, wide.dimensions, strict=True))
    free = [_free(side.body, statement.context) - set(ranges) for side in (left, right)]
    given, unused = hypotheses_of(statement.assumptions, free[0] | free[1])
    given = [tuple(fact for fact in each if not _is_void(fact)) for each in given]
    tied = {
        letter for each in statement.assumptions for fact in facts_of(each) for letter in indices_of(fact)
    }
    first = chain.members[0].value
    known = _free(first.body, statement.context) if isinstance(first, Tensor) else free[1]
    loose = set() if left.body == 0 else free[1] - free[0] - tied - known - chain.fixed
    for extra in sorted(loose, key=str):
        if extra in chain.silent or _passes_open(left, right, extra, statement.context):
            note = f"as it stands, {extra} is free on this side only"
            message = f"this chain rule sums over {extra} and does not say so"
            return Diagnostic("SD024", message, member.span, notes=(note,))
        in_words = _names_in_words(left.body, statement.context) or _only_inside(right.body, extra)
        if in_words and all(each.code != "SD105" for each in statement.diagnostics):
            message = f"the index {extra} stands free on the right side only, or is inside {in_words[0]}"
            return Diagnostic("SD024", message, member.span)
        note = f"no sum binds {extra}, and the left side does not have it"
        message = f"the index {extra} stands free on the right side only"
        return Diagnostic("SD003", message, member.span, notes=(note,))
    for letter in free[0] | free[1]:
        if letter not in chain.ranges:
            return Diagnostic("SD003", f"the range of the index {letter} is not known", member.span)
        ranges[letter] = chain.ranges[letter]
    usable = []
    for fact in (fact for each in given for fact in each):
        about = fixed_in(fact) - set(ranges)
        known_ranges = _ranges_beside(fact, ranges) | chain.ranges
        if about <= known_ranges.keys():
            ranges |= {index: known_ranges[index] for index in about}
            usable.append(fact)
        else:
            unused = unused or not relates_indices(fact)
    goal = _closed(Goal(left.body, right.body, ranges, tuple(usable), statement.context), chain)
    goal = _at_arguments(goal)
    unused = unused or len(goal.assumptions) < sum(map(len, given))
    unused = unused or _restricted(statement, chain, goal)
    same = goal.assumptions == tuple(usable)
    return Compared(goal, turned, conventional, unused=unused, given=tuple(given) if same else None)


def _only_inside(term: Expr, index: Index) -> list[str]:
    """Return the probabilities inside which alone an index stands in a term, none if it stands elsewhere."""
    names = {each: str(name_of(each)) for each in term.atoms(Indexed) if index in each.free_symbols}
    applied = {each: str(each.args[0]) for each in term.atoms(Unknown) if index in each.free_symbols}
    opened = term.xreplace(dict.fromkeys((*names, *applied), Integer(0)))
    inside = all(map(is_conditional, names.values())) and all(map(is_positive, applied.values()))
    found = sorted({*names.values(), *applied.values()})
    return found if inside and index not in opened.free_symbols else []


def _names_in_words(term: Expr, context: Context) -> list[str]:
    """Return the probabilities in a term to which only words give a meaning."""
    reached = set(names_in(term)).union(*(_reached(name, context) for name in names_in(term)))
    return sorted(each for each in reached if is_conditional(each) and each not in context.definitions)


def _is_void(fact: Boolean) -> bool:
    """Tell whether a fact says the same on both sides, as that an entry of the ones is 1."""
    return isinstance(fact, Eq) and fact.lhs == fact.rhs


def _ranges_beside(fact: Boolean, ranges: Mapping[Index, Expr]) -> dict[Index, Expr]:
    """Return the ranges of the indices that a fact compares with the goal's: `if i = j` beside `y_i`."""
    letters = indices_of(fact) if relates_indices(fact) else frozenset[Index]()
    found = {ranges[letter] for letter in letters if letter in ranges}
    return dict.fromkeys(letters - ranges.keys(), found.pop()) if len(found) == 1 else {}


def _restricted(statement: Statement, chain: Chain, goal: Goal) -> bool:
    """Tell whether something ties the differentials of a goal that the goal does not say.

    An equation about X ties dX, too; and where a side is 0, something does of which the step speaks.
    """
    found = set(names_in(goal.left) | names_in(goal.right)) & chain.differentials.keys()
    if not found:
        return False
    moving = {chain.differentials[each] for each in found}
    for each in statement.assumptions:
        for fact in facts_of(each):
            about = _all_names(fact)
            if isinstance(fact, Eq) and moving & about.union(
                *(_reached(name, goal.context) for name in about)
            ):
                return True
    return goal.left == 0 or goal.right == 0


def _closed(goal: Goal, chain: Chain) -> Goal:
    """Give a definition with an index of its own that is no slot, `L = -\\log p_c`, that index as a slot."""
    context = goal.context
    open_ = {
        name: tuple(sorted(left, key=str))
        for name, left in _left_open(context).items()
        if name in context.definitions
    }
    if not open_ or any(open_.keys() & set(opaque.arguments) for opaque in context.opaque.values()):
        return goal
    definitions = {
        name: Definition(name, definition.slots + open_.get(name, ()), _widened(definition.body, open_))
        for name, definition in context.definitions.items()
    }
    shapes = {
        name: (*shape, *(goal.ranges.get(index, Integer(1)) for index in open_.get(name, ())))
        for name, shape in context.shapes.items()
    }
    left, right = _widened(goal.left, open_), _widened(goal.right, open_)
    ranges, facts = dict(goal.ranges), []
    for fact in goal.assumptions:
        wide = fact.func(*(_widened(side, open_) for side in fact.args))
        more = indices_of(wide) - indices_of(fact) - ranges.keys()
        if more <= chain.ranges.keys():
            ranges |= {index: chain.ranges[index] for index in more}
            facts.append(wide)
    context = replace(context, definitions=definitions, shapes=shapes)
    return Goal(left, right, ranges, tuple(facts), context)


def _widened(term: Expr, more: dict[str, tuple[Index, ...]]) -> Expr:
    """Write further indices to the entries of some names."""
    changes: dict[Expr, Expr] = {}
    for each in term.atoms(Indexed):
        if str(each.base.label) in more:
            changes[each] = Indexed(each.base, *each.indices, *more[str(each.base.label)])
    for each in term.atoms(Symbol):
        if name_of(each) in more and not any(each == base.label for base in term.atoms(IndexedBase)):
            changes[each] = Indexed(IndexedBase(each), *more[each.name])
    return term.xreplace(changes) if changes else term


def _clash(left: Tensor, right: Tensor, member: Member) -> Diagnostic | None:
    """Return why two shapes do not compare; 0 has any shape, a derivative may be a row or a column."""
    small = left if left.rank < right.rank else right
    if left.rank and right.rank and left.groups != right.groups:
        plain = left if right.groups else right
        if plain.rank == 2 and (isinstance(plain.body, KroneckerDelta) or _is_outer(plain)):
            message = "a matrix of pairs of indices is not supported here yet"
            return Diagnostic("SD024", message, member.span)
        return _mismatch(left, right, member)
    if left.rank == right.rank and left.dimensions != right.dimensions and _reordered(left, right):
        return Diagnostic("SD024", "the indices of the sides are pairs in another order", member.span)
    if left.rank != right.rank:
        return None if not small.rank and small.body == 0 else _mismatch(left, right, member)
    if (
        (left.rank == 1 or len(left.groups) == 1)
        and left.row != right.row
        and not (left.convention or right.convention)
    ):
        label = f"the left is {_shape(left)}, the right {_shape(right)}"
        return Diagnostic("SD002", "one side is a row and the other a column", member.span, label=label)
    return None if left.dimensions == right.dimensions else _mismatch(left, right, member)


def _is_outer(value: Tensor) -> bool:
    """Tell whether a matrix is an outer product, which may be meant as one column."""
    i, j = value.slots
    return not any({i, j} <= free_in(factor) for factor in Mul.make_args(value.body))


def _lettered(left: Tensor, right: Tensor, assumptions: tuple[Assumption, ...]) -> tuple[Tensor, Tensor]:
    """Name the slots with letters that a reader knows and that neither a side nor an assumption uses."""
    used = {symbol.name for tensor in (left, right) for symbol in free_in(tensor.body)}
    used |= {index.name for each in assumptions for fact in facts_of(each) for index in indices_of(fact)}
    letters = [Index(letter) for letter in "ijklmnpqrstuvabcdefgh" if letter not in used]
    return tuple(  # type: ignore[return-value]
        replace(
            tensor,
            slots=tuple(letters[: tensor.rank]),
            body=exchanged(tensor.body, dict(zip(tensor.slots, letters, strict=False))),
        )
        for tensor in (left, right)
    )


def _indices(term: Basic) -> frozenset[Index]:
    return frozenset(symbol for symbol in free_in(term) if isinstance(symbol, Index))


def _free(term: Expr, context: Context) -> frozenset[Index]:
    """Return the free indices of a term, those that a definition it rests on leaves free included."""
    left = _left_open(context)
    return _indices(term).union(*(left[name] for name in names_in(term) & left.keys()))


def _pairs(value: Tensor) -> list[tuple[Expr, ...]]:
    """Return the sizes of the slots that make up each index."""
    return [value.dimensions[at : at + 2] for at in range(0, value.rank, 2)]


def _reordered(left: Tensor, right: Tensor) -> bool:
    """Tell whether sizes differ in the order within pairs only: the page may write matrices row by row."""
    pairs = zip(_pairs(left), _pairs(right), strict=True)
    return bool(left.groups) and all(sorted(a, key=str) == sorted(b, key=str) for a, b in pairs)


def _shape(value: Tensor) -> str:
    if value.rank == 0:
        return "a number"
    sizes = [str(size) for size in value.dimensions]
    if value.rank == 1:
        return f"1 × {sizes[0]}" if value.row else f"{sizes[0]} × 1"
    if value.groups:
        whole = [" ".join(map(str, pair)) for pair in _pairs(value)]
        return " × ".join(whole if len(whole) > 1 else ["1", *whole] if value.row else [*whole, "1"])
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
        notes = (f"the shapes agree only when {' and '.join(needed)}",) if needed else ()
    return Diagnostic(
        "SD002",
        "the two sides have different shapes",
        member.span,
        notes=notes,
        label=f"the left is {_shape(left)}, the right {_shape(right)}",
    )

"""Every sentence about a verdict that a user reads."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from sympy import Add, Expr

from symderiv.diagnostics import Diagnostic, Span
from symderiv.judge.verdict import Witness
from symderiv.kernel.substitution import names_in
from symderiv.kernel.terms import D, Index, KernelError, name_of
from symderiv.meaning.advice import ADVICE, REAL, told
from symderiv.meaning.model import Failure, Shown, SymbolRecord, Tensor
from symderiv.meaning.notation import UNICODE, writer
from symderiv.meaning.origins import has_size

_LONG = 200


def false_step(
    span: Span, witness: Witness, notes: tuple[str, ...] = (), help_: str | None = None
) -> Diagnostic:
    """Say that a step is false; the report prints the witness as a note of its own."""
    return Diagnostic(
        "SD001",
        "this step is false",
        span,
        notes=notes,
        help=help_,
        label=f"{witness.right} here, {witness.left} on the left side",
    )


def false_entry(cell: Shown, witness: Witness, shown: Tensor | Failure, other: Tensor) -> Diagnostic:
    """Say which entry of a matrix with dots is false, and where the sides part in shape."""
    row, column = _ordinal(cell.row), _ordinal(cell.column)
    place = f"in the {row} row and the {column} column" if all(n > 1 for n in cell.least) else ""
    place = place or f"the {row if cell.least[0] > 1 else column} entry"
    notes: tuple[str, ...] = ()
    if isinstance(shown, Tensor) and shown.rank == other.rank and shown.dimensions != other.dimensions:
        sides = [" × ".join(map(str, each.dimensions)) for each in (shown, other)]
        notes = (f"the last indices make this {sides[0]}, and the other side is {sides[1]}",)
    elif isinstance(shown, Failure) and shown.outcome == "ill-typed":
        notes = (shown.diagnostic.message,)
    label = f"{place}: {witness.right} here, {witness.left} there on the other side"
    return Diagnostic("SD001", "an entry of this matrix is false", cell.span, notes=notes, label=label)


def _ordinal(label: int) -> str:
    names = {1: "first", 2: "second", 3: "third", 0: "last", -1: "last but one"}
    return names.get(label, f"{label}th" if label > 0 else f"{1 - label}th from the last")


def shaped(found: Diagnostic, symbols: Sequence[SymbolRecord], left: Tensor, right: Tensor) -> Diagnostic:
    """Show where the page gives names of the two sides dimensions that do not agree."""
    pairs = list(zip(left.dimensions, right.dimensions, strict=False))
    sizes = [str(size) for a, b in pairs for size in (a, b) if a != b or left.rank != right.rank]
    used = names_in(left.body), names_in(right.body)
    known = [symbol for side in used for symbol in symbols if symbol.identity in side]
    labels: dict[Span, str] = {}
    for size in dict.fromkeys(sizes):
        symbol = next((each for each in known if size in each.shape), None)
        if symbol is not None:
            axis = symbol.shape.index(size)
            told = has_size(symbol.name, symbol.shape, axis)
            if labels.setdefault(symbol.spans[axis], told) != told:
                labels[symbol.spans[axis]] = has_size(symbol.name, symbol.shape)
    return replace(found, labels=tuple(labels.items()))


def hidden(span: Span) -> Diagnostic:
    """Say that the entries which a matrix with dots shows may hold, and those between do not."""
    note = "no entry that is shown was found false; those for which the dots were taken do not hold"
    return _undecided(span, note, help_="define the matrix by its entry, as in $A_{ij} = x_i y_j$")


def tested(span: Span, entries: int, error: float, why: str) -> Diagnostic:
    """Say that both sides agree wherever they were sampled, and that there is no proof."""
    return Diagnostic(
        "SD023",
        "this step was tested and not proved",
        span,
        notes=(f"both sides agree at {entries} sampled entries, to a relative {error:.1e}", *_left(why)),
        help="write a member between the two sides: each half may be proved",
    )


def _undecided(span: Span, *notes: str, help_: str | None = None) -> Diagnostic:
    return Diagnostic("SD020", "this step is neither proved nor refuted", span, notes=notes, help=help_)


def not_decided(span: Span, reason: str, left: str, slope: tuple[str, str] | None = None) -> Diagnostic:
    """Say that a step is neither proved nor refuted: why it was not sampled, and what is left of it.

    Where a derivative of one name by another is left, it would help to know how the one depends on the other.
    """
    found = ((pattern.fullmatch(reason), advice) for pattern, advice in _HELPS)
    help_ = next((match.expand(advice) for match, advice in found if match), None)
    if help_ is None and slope is not None:
        help_ = _defining(*slope)
    elif help_ is None and reason.startswith(("no sampled point", "no values")):
        help_ = "tell which values the names have, as in <!-- symderiv: $x_i > 0$ -->"
    return _undecided(span, reason, *_left(left), help_=help_)


def slope_in(term: Expr) -> tuple[str, str] | None:
    """Return the names of a quantity and of a variable whose derivative stands in a term, or None."""
    found = [(name_of(each.term), name_of(each.variables[0])) for each in term.atoms(D)]
    named = sorted((plain(of), plain(by)) for of, by in found if of is not None and by is not None)
    return named[0] if named else None


_RANGE = r"declare the range of the index: <!-- symderiv: $\1 = 1, \\dots, n$ -->"
_HELPS = tuple(
    (re.compile(pattern), advice)
    for pattern, advice in (
        (r"the range of (\S+) in an assumption is not known", _RANGE),
        (r"the index (\S+) has no range", _RANGE),
        (r"the shape of (\S+) is not known", r"declare it: <!-- symderiv: $\1 \\in \\mathbb{R}^n$ -->"),
        (r"an assumption about an unknown function cannot be sampled", "define the function by an equation"),
        (r"no values lie within the bounds", "state bounds that hold together"),
    )
)
"""What would help where no point could be sampled, by the reason."""


def unreached(span: Span, name: str, variable: str) -> Diagnostic:
    """Say that a page does not tell how one quantity depends on another."""
    return Diagnostic(
        "SD108",
        f"{name} does not depend on {variable} by what this page defines",
        span,
        notes=("the derivative would be 0",),
        help=_defining(name, variable),
    )


def _defining(name: str, variable: str) -> str:
    return f"define {name}, or what it depends on, by an equation with {variable} on its right side"


def answered(span: Span, asked: str, answer: str, line: int | None) -> Diagnostic:
    """Answer a question."""
    where = (f"the document answers it on line {line}",) if line is not None else ()
    return Diagnostic("SD110", "symderiv derives the answer", span, notes=(f"{asked} = {answer}", *where))


def not_answered(span: Span) -> Diagnostic:
    """Say that a question has no answer that symderiv can derive."""
    return Diagnostic("SD020", "symderiv cannot derive an answer to this question", span)


def zero(span: Span, name: str, variable: str) -> Diagnostic:
    """Say that a derivative is zero because nothing leads from one name to the other."""
    return Diagnostic("SD108", f"{name} does not depend on {variable} by what this page defines", span)


def undefined(span: Span, name: str) -> Diagnostic:
    """Say that a page differentiates a tensor without telling what it is."""
    note = f"the page does not define {name}, which is differentiated"
    return _undecided(span, note, help_=f"define {name} by an equation before this step")


def tells(span: Span, name: str) -> Diagnostic:
    """Say that a step is the first to tell what an open quantity is."""
    note = f"one side has {name}, which the page leaves open, and the other no word of it"
    return _undecided(span, note, help_=f"define {name} by an equation before this step")


def later(span: Span, name: str, line: int) -> Diagnostic:
    """Say that a step rests on a name that the page defines only below."""
    note = f"{name} is open here: line {line} defines it, below or in a way not understood"
    return _undecided(span, note, help_=f"define {name} before this step")


def unranged(span: Span) -> Diagnostic:
    """Say that a sum runs over indices of which the page tells no range."""
    note = "a sum runs up to a size that the page does not tell"
    return _undecided(span, note, help_=r"write its bounds: $\sum_{i=1}^{n}$")


def elsewhere(span: Span, name: str, line: int) -> Diagnostic:
    """Say that a step rests on a name that only another section defines."""
    note = f"{name} is open here: line {line}, which defines it, stands in another section"
    return _undecided(span, note, help_=f"define {name} in this section, too, or above the first heading")


def veiled(span: Span, name: str) -> Diagnostic:
    """Say that a step is about a quantity of which the definition has no meaning."""
    note = f"what defines {name} has no meaning here: numbers for another tell nothing"
    return _undecided(span, note, help_=f"define {name} by an equation that symderiv reads")


def early(span: Span, name: str) -> Diagnostic:
    """Say that a step rests on a use of a function before its definition."""
    return _undecided(span, f"{name} is applied above its definition")


def stepped(span: Span, name: str) -> Diagnostic:
    """Say that a step is about two entries that an update ties to each other."""
    return _undecided(span, f"an update ties the entries of {name} to each other, and is not used")


def restricted(span: Span, name: str) -> Diagnostic:
    """Say that a step rests on a name that is known at another label only."""
    note = f"what defines {name} stands at another label only"
    return _undecided(span, note, help_=f"write the definition of {name} at this label, too")


def again(span: Span, name: str, line: int) -> Diagnostic:
    """Say that a step rests on a name that the page may have given another meaning."""
    note = f"line {line} defines {name}, and the page seems to give it another meaning since"
    return _undecided(span, note, help_=f"say so with a heading, or with *now let* before the new {name}")


def parted(span: Span, name: str) -> Diagnostic:
    """Say that a page does not tell how what a loss is differentiated by depends on one another."""
    note = f"the sides differentiate {name} by two quantities, and nothing says how one leads to the other"
    return _undecided(span, note)


def loose(span: Span, name: str) -> Diagnostic:
    """Say that a page uses a name without a word on what it is."""
    note = f"the page does not say what {name} is"
    return _undecided(span, note, help_=f"define {name}, or declare it: {told(name + REAL)}")


def gathered(span: Span, matrix: str, vectors: str) -> Diagnostic:
    """Say that a page does not tell what a matrix has to do with the vectors of the same letter."""
    note = f"the page does not say how {matrix} is made of the vectors {vectors}"
    return _undecided(span, note)


def limited(span: Span, name: str) -> Diagnostic:
    """Say that the numbers against a step may lie outside the set in which a page declares a name."""
    note = f"{name} is declared in a set that symderiv does not sample from yet"
    help_ = rf"declare {name} by its numbers, as in ${name} \in \{{0, 1\}}$, or by bounds"
    return _undecided(span, note, help_=help_)


def mentioned(span: Span, name: str) -> Diagnostic:
    """Say that a step is false in general, and perhaps not under a bound that the page mentions elsewhere."""
    note = f"it fails only outside of bounds that the page mentions for {name}, and does not state here"
    help_ = f"state them with the step, as in <!-- symderiv: assume ${name} > 0$ -->"
    return _undecided(span, note, help_=help_)


def implicit(span: Span, name: str, variable: str) -> Diagnostic:
    """Say that an equation that is no definition ties a quantity to the variable of its derivative."""
    note = f"a condition ties {name} to {variable}, and no definition says how it depends on it"
    return _undecided(span, note, help_=_defining(name, variable))


def other_ways(span: Span, name: str, variable: str) -> Diagnostic:
    """Say that a loss that the page leaves open may rest on a variable by other steps of a recurrence."""
    note = f"{name} is open here, and may depend on {variable} by other steps of the recurrence"
    return _undecided(span, note, help_=f"define {name}: that of one step, or the sum over all steps")


def vanishing(span: Span, name: str) -> Diagnostic:
    """Say that a quantity is 0 throughout by what the page defines, so that every derivative of it is."""
    note = f"{name} is 0 for all values by what the page defines, and so is every derivative of it"
    return _undecided(
        span, note, help_=f"look at the definitions that {name} rests on: one may be a model only"
    )


def described(span: Span, name: str, line: int) -> Diagnostic:
    """Say that a page tells more of a name than the numbers against a step obey."""
    note = f"what line {line} says of {name} in words is not used yet, and the step does not hold without it"
    help_ = f"say it of {name} in symbols, as in <!-- symderiv: assume ${name} > 0$ -->"
    return _undecided(span, note, help_=help_)


def unnamed(span: Span, name: str) -> Diagnostic:
    """Say that a page applies a function that has no definition where it stands."""
    note = f"{name} has no definition in this section"
    return _undecided(span, note, help_=f"define {name} here, or above the first heading for every section")


def layout(
    span: Span, name: str, agree: Sequence[int], around: Sequence[str], against: Sequence[int]
) -> Diagnostic:
    """Say which layout a page or a section has, at the first step that shows it, and where others stand."""
    notes = []
    if agree:
        notes.append(f"so do others that depend on the layout ({_lines(agree)})")
    if against:
        notes.append(f"other sections are in {' or '.join(around)} layout ({_lines(against)})")
    notes.append(f"the directive `layout {name}` says that it is meant")
    return Diagnostic("SD107", f"this step holds in {name} layout", span, notes=tuple(notes))


def stray(  # noqa: PLR0913  what is said of it
    span: Span,
    name: str,
    around: Sequence[str],
    others: Sequence[tuple[int, Span]],
    *,
    settled: bool,
    spoken: tuple[str, int] | None = None,
) -> Diagnostic:
    """Say in which layout a step holds that the others of the page do not have."""
    lines = list(dict.fromkeys(line for line, _ in others))
    message = f"true in {name} layout only"
    if lines:
        rest = f"this page's other steps hold only in {' or '.join(around)} layout ({_lines(lines)})"
        message = f"true in {name} layout; {rest}"
    elif spoken is not None and spoken[0] != name:
        message = f"true in {name} layout; this page speaks of {spoken[0]} layout (line {spoken[1]})"
    note = f"the directive `layout {name}` before it would say that it is meant"
    labels = tuple((place, "holds where this step does not") for _, place in others[:1])
    return Diagnostic("SD107", message, span, notes=() if settled else (note,), labels=labels)


def untried(span: Span) -> Diagnostic:
    """Say that a step does not hold in the usual layout, and that others were not tried."""
    message = "this step does not hold in gradient layout; there was no time to try others"
    return Diagnostic("SD107", message, span, notes=("the directive `layout` says which one is meant",))


def also_true(found: Diagnostic, name: str, around: Sequence[str], lines: Sequence[int]) -> Diagnostic:
    """Say of a step that is blamed in which layout it would be true."""
    rest = f": the directive `layout {name}` says that it is meant"
    if lines:
        rest = f"; this page's other steps hold only in {' or '.join(around)} layout ({_lines(lines)})"
    return replace(found, notes=(*found.notes, f"true in {name} layout{rest}"))


_NAMED = 3
"""So many lines are named."""


def _lines(lines: Sequence[int]) -> str:
    """Return `line 3`, `lines 3 and 7`, `lines 3, 7, 9 and 4 more`."""
    named = [str(line) for line in dict.fromkeys(lines)]
    if len(named) == 1:
        return f"line {named[0]}"
    more = len(named) - _NAMED
    *most, last = [*named[:_NAMED], f"{more} more"] if more > 1 else named
    return f"lines {', '.join(most)} and {last}"


def imposed(span: Span, conditions: Sequence[str]) -> Diagnostic:
    """Say that a step holds at most under a condition that the page imposes, as far as it has symbols."""
    named = ", ".join(conditions) or "the condition from which the page says it follows"
    note = f"it does not hold in general, and {named} is not used yet"
    help_ = "say it of entries, as in <!-- symderiv: assume $x_i > 0$ -->"
    return _undecided(span, note, help_=help_)


def depends(span: Span, line: int | None, why: str | None) -> Diagnostic:
    """Say that there is no good member to compare a step with, and why it is none."""
    where = f"line {line}" if line else "an earlier member"
    notes = (f"{where}: {why}",) if why is not None else ()
    message = f"this step depends on {where}, which was blamed or has no meaning"
    return Diagnostic("SD022", message, span, notes=notes, help=ADVICE.get(why or ""))


def disagreement(span: Span, witness: Witness | None) -> Diagnostic:
    """Say that the kernel and the numbers contradict each other."""
    notes: tuple[str, ...] = (
        "the kernel proved this step, and the numerical check contradicts it: please report this bug",
    )
    if witness is not None:
        notes += (
            f"the left side is {witness.left} and the right {witness.right} at the point that was found",
        )
    return Diagnostic("SD301", "symderiv disagrees with itself about this step", span, notes=notes)


def method(name: str, *, kinks: bool) -> str:
    """Say how a step was proved, and whether a kink was met on the way."""
    return f"{name}, almost everywhere" if kinks else name


def residue(term: Expr, note: str) -> str:
    """Say what is left of a difference that the kernel could not bring to zero; of many terms, the first."""
    terms = Add.make_args(term)
    text = _written(term)
    if len(text) > _LONG and len(terms) > 1:
        first = min(map(_written, terms), key=len)
        text = f"{len(terms)} terms, among them {first if len(first) <= _LONG else first[:_LONG] + ' …'}"
    elif len(text) > _LONG:
        text = f"{text[:_LONG]} …"
    return f"what is left of the difference: {text}" + (f" ({note})" if note else "")


def _written(term: Expr) -> str:
    """Return a term in index notation, or as SymPy prints it where the notation lacks a part of it."""
    free = sorted((s for s in term.free_symbols if isinstance(s, Index)), key=str)
    try:
        return writer(UNICODE, [term], tuple(free)).write(term).text
    except (KernelError, RecursionError):
        return re.sub(r"#\d+", "", str(term))


def other_reading(span: Span) -> Diagnostic:
    """Say that a step holds where what has two readings is read in the way that seems less likely."""
    message = "this step holds where what has two readings is read the other way"
    return Diagnostic("SD112", message, span, notes=(_TWO_READINGS,))


_TWO_READINGS = (
    "$\\sum_{i < j}$ may run over i alone or over both; the power in $\\operatorname{tr}(A + B)^{-1}$"
    " may be of the trace or of the matrix"
)


def two_readings(span: Span) -> Diagnostic:
    """Say that numbers against a step tell nothing: a part of it has two readings."""
    help_ = "write two sums, or the bounds of the one: $\\sum_{j=i+1}^{n}$; put the power within the brackets"
    return _undecided(span, _TWO_READINGS, help_=help_)


def repaired(new: str, old: str, line: int | None) -> str:
    """Say what makes a step true: a member, or a part of one instead of another."""
    instead = f" for {old}" if old else ""
    where = f"; line {line} states it rightly" if line is not None else ""
    return f"{new}{instead} makes this step true{where}"


def stated(line: int) -> str:
    """Say where the page has the right form of a step."""
    return f"line {line} states it rightly"


def equal_sizes(condition: str, *, only: bool) -> str:
    """Say for which sizes a step holds that is false for others, or has a meaning for these `only`."""
    return f"holds only when {condition}" if only else f"holds when {condition}"


def under(condition: str) -> str:
    """Say under which condition a step is true."""
    return f"this step is true under {condition}"


def repeats(line: int) -> str:
    """Say that a step is true and repeats an error."""
    return f"true as a step from line {line}, whose error it repeats"


def plain(name: str) -> str:
    """Return a name as the page writes it, without the mark that tells two scopes apart."""
    return re.sub(r"[~@]\d+", "", name)


def _left(why: str) -> tuple[str, ...]:
    return (why,) if why else ()

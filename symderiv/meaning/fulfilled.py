"""What a witness has to fulfil so that words about a name are true of it, in whatever way they are meant.

Contract. The conditions are at least as strong as the words: *probabilities* sum to 1. They
are for witnesses alone, and no proof may use them. None where the words are not known.
Vocabulary. A *word* is what prose says of a name; it is *known* where a rule here says what fulfils it.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from sympy import Eq, Expr, GreaterThan, Ne, StrictGreaterThan, Sum, Symbol, exp
from sympy.logic.boolalg import Boolean

from symderiv.kernel.terms import Det, Goal, Index, Unknown, entry, fresh

Rule = Callable[[Expr, tuple[Index, ...], tuple[Expr, ...]], tuple[Boolean, ...] | None]


def _total(term: Expr, slots: tuple[Index, ...], sizes: tuple[Expr, ...]) -> Expr:
    """Return the sum over the last index."""
    return Sum(term, (slots[-1], 1, sizes[-1]))


def _probable(x: Expr, slots: tuple[Index, ...], sizes: tuple[Expr, ...]) -> tuple[Boolean, ...]:
    if not slots:
        return StrictGreaterThan(x, 0), StrictGreaterThan(1, x)
    return GreaterThan(x, 0), Eq(_total(x, slots, sizes), 1, evaluate=False)


def _log_probable(x: Expr, slots: tuple[Index, ...], sizes: tuple[Expr, ...]) -> tuple[Boolean, ...]:
    return (Eq(_total(exp(x), slots, sizes), 1, evaluate=False),) if slots else (StrictGreaterThan(0, x),)


def _unit(x: Expr, slots: tuple[Index, ...], sizes: tuple[Expr, ...]) -> tuple[Boolean, ...] | None:
    return (Eq(_total(x**2, slots, sizes), 1, evaluate=False),) if len(slots) == 1 else None


def _centred(x: Expr, slots: tuple[Index, ...], sizes: tuple[Expr, ...]) -> tuple[Boolean, ...] | None:
    return (Eq(_total(x, slots, sizes), 0, evaluate=False),) if len(slots) == 1 else None


def _oriented(x: Expr, slots: tuple[Index, ...], sizes: tuple[Expr, ...]) -> tuple[Boolean, ...] | None:
    return (StrictGreaterThan(Det(x, (*slots, sizes[0])), 0),) if len(slots) == 2 else None


_OF_A_DISTRIBUTION = r"(?: (?:vectors?|distributions?)| of (?:an? |the )?(?:two )?distributions?)?"
_ENTRIES = r"(?: (?:numbers?|vectors?|entries|matri(?:x|ces)))?(?= and|$)"
_KNOWN: tuple[tuple[str, Rule], ...] = (
    (r"log[- ]probabilit(?:y|ies)(?: of)?", _log_probable),
    (
        rf"(?:(?:a )?vectors? of )?probabilit(?:y|ies){_OF_A_DISTRIBUTION}",
        _probable,
    ),
    (r"positive determinants?", _oriented),
    (r"(?:any|a|every) (?:vector|number|point) but zero|non-?zero", lambda x, *_: (Ne(x, 0),)),
    (r"unit(?:[- ]norm)?(?: vectors?)?|normali[sz]ed vectors?", _unit),
    (r"(?:zero[- ]mean|mean[- ](?:zero|free)|cent(?:red|ered))(?: vectors?)?", _centred),
    (
        rf"(?:non-?negative|(?:strictly )?positive){_ENTRIES}",
        lambda x, *_: (StrictGreaterThan(x, 0),),
    ),
    (
        rf"(?:non-?positive|(?:strictly )?negative){_ENTRIES}",
        lambda x, *_: (StrictGreaterThan(0, x),),
    ),
)
"""What is known, and what fulfils it, by the entry of a tensor, its indices and its sizes."""

_EMPTY = re.compile(
    r"\b(?:which|that|all|both|each|is|are|be|being|has|have|having|with|of|an?|the|two|and|also|too|smooth|real)\b"
    r"|\b(?:vectors?|numbers?|targets?|labels?|inputs?|outputs?|classes|matri(?:x|ces)|entries)\b|[\s,:]"
)
"""What says nothing of the values."""


def fulfilling(words: str, name: str, goal: Goal) -> tuple[Boolean, ...] | None:
    """Return conditions on a name under which the words are true of it; None where they are not known.

    Of an unknown function its values are meant, and it is enough that they hold where it is applied: there is
    a function of the kind with these values.
    """
    if name in goal.context.opaque:
        return None
    values = _applied(name, goal)
    if values:
        made = [_made(words, value, (), ()) for value in values]
        return tuple(one for each in made if each is not None for one in each) if None not in made else None
    shape = goal.context.shapes.get(name)
    slots = tuple(fresh("w") for _ in shape or ())
    return None if shape is None else _made(words, entry(name, *slots), slots, shape)


def _applied(name: str, goal: Goal) -> list[Expr]:
    """Return the values of an unknown function of numbers that a goal takes, at any indices."""
    terms = [goal.left, goal.right, *(each.body for each in goal.context.definitions.values())]
    found = {each.args[2:] for term in terms for each in term.atoms(Unknown) if str(each.args[0]) == name}
    values = []
    for arguments in sorted(found, key=str):
        value = Unknown(Symbol(name), (0,) * len(arguments), *arguments)
        indices = [symbol for symbol in value.free_symbols if isinstance(symbol, Index)]
        values.append(value.xreplace({index: fresh("w") for index in indices}))
    return values


def _made(
    words: str, term: Expr, slots: tuple[Index, ...], shape: tuple[Expr, ...]
) -> tuple[Boolean, ...] | None:
    """Return what the words make of a term."""
    found: list[Boolean] = []
    rest = re.sub(r"\s+", " ", words.lower()).strip()
    for pattern, rule in _KNOWN:
        said = re.search(rf"\b(?:{pattern})(?!\w)", rest)
        while said is not None:
            made = rule(term, slots, shape)
            if made is None:
                return None
            found.extend(made)
            rest = f"{rest[: said.start()]} {rest[said.end() :]}".strip()
            said = re.search(rf"\b(?:{pattern})(?!\w)", rest)
    return tuple(found) if found and not _EMPTY.sub("", rest) else None

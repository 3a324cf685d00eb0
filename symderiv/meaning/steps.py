"""Steps of a recurrence: on which ways a loss over all steps depends on what one step has.

Where `h^{(t)}` rests on `h^{(t-1)}`, the loss of a network that is run over and over depends on `h^{(t)}`
by `y^{(t)}` and by every later step, and on weights that the steps share by each step. A page that leaves
the loss open does not say that it is about one step alone, so that a chain rule by `y^{(t)}` is not the
whole. Layers are another matter: what one has reaches the loss through the next alone.
Vocabulary: a *place* is a name without its label, and how many steps it lies ahead of the one at hand.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from symderiv.kernel.substitution import names_in
from symderiv.kernel.terms import Context, D, Goal, name_of

_LABELLED = re.compile(r"(?P<name>.*)\^\{\((?P<letter>[a-z])(?P<ahead>[+-]\d+)?\)\}(?P<rest>.*)", re.DOTALL)
_REACH = 2
"""Steps that are followed."""

Place = tuple[str, int]
Rests = dict[str, set[tuple[str, int | None]]]
"""By name without its label: what the definition rests on, and how far ahead; None for what has no label."""


def other_ways(goal: Goal) -> tuple[str, str] | None:
    """Return an open loss, and a variable on which it may depend by steps other than its own, or None."""
    slopes = sorted(goal.left.atoms(D) | goal.right.atoms(D), key=str)
    for slope in slopes:
        loss = name_of(slope.term)
        opaque = None if loss is None else goal.context.opaque.get(loss)
        ends = {place for each in (opaque.arguments if opaque else ()) if (place := _place(each))}
        variables = sorted({name for by in slope.variables if (name := name_of(by)) is not None})
        for letter in sorted({letter for letter, _ in ends}):
            here = {place for other, place in ends if other == letter}
            rests = _rests(letter, goal.context)
            for variable in variables:
                if _escapes(_starts(variable, letter, rests), here, rests):
                    return str(loss), variable
    return None


def _escapes(starts: Iterable[Place], ends: set[Place], rests: Rests) -> bool:
    """Tell whether a way from a start leads to the ends' names at another step, past the ends."""
    last = {name: max(ahead for other, ahead in ends if other == name) for name, _ in ends}
    goes_on = {
        name: any(place[0] == name and place[1] > 0 for place in _reached([(name, 0)], set(), rests))
        for name in last
    }
    first = set(starts)
    return any(
        place[0] in last and place not in first and (place[1] > last[place[0]] or not goes_on[place[0]])
        for place in _reached(first, ends, rests)
    )


def _starts(variable: str, letter: str, rests: Rests) -> set[Place]:
    """Return the place of a variable, or of all that rest on one without a label, at any step."""
    place = _place(variable)
    if place is not None:
        return {place[1]} if place[0] == letter else set()
    if all(ahead == 0 for steps in rests.values() for _, ahead in steps if ahead is not None):
        return set()
    direct = [name for name, steps in rests.items() if (variable, None) in steps]
    return {(f"{variable}|{name}", step) for name in direct for step in range(-_REACH, _REACH + 1)}


def _reached(starts: Iterable[Place], ends: set[Place], rests: Rests) -> set[Place]:
    """Return the places to which ways lead from the starts, none of them on past an end, ends left out."""
    found = set[Place]()
    waiting = list(starts)
    while waiting:
        at = waiting.pop()
        if at in found or at in ends or abs(at[1]) > _REACH:
            continue
        found.add(at)
        shared, _, direct = at[0].rpartition("|")
        waiting += [(direct, at[1])] if shared else []
        for name, steps in rests.items():
            waiting += [
                (name, at[1] - ahead) for other, ahead in steps if other == at[0] and ahead is not None
            ]
    return found


def _rests(letter: str, context: Context) -> Rests:
    found: Rests = {}
    for name, definition in context.definitions.items():
        place = _place(name)
        if place is None or place[0] != letter:
            continue
        own, at = place[1]
        rests = found.setdefault(own, set())
        for each in names_in(definition.body):
            inner = _place(each)
            if inner is None:
                rests.add((each, None))
            elif inner[0] == letter:
                rests.add((inner[1][0], inner[1][1] - at))
    return found


def _place(name: str) -> tuple[str, Place] | None:
    """Return the letter of a label, and the place of a name that has one."""
    found = _LABELLED.fullmatch(name)
    if found is None:
        return None
    return found["letter"], (found["name"] + found["rest"], int(found["ahead"] or 0))

"""Special points: where values are 0, whole or equal to one another, and on both sides of every edge.

Contract. Two functions without a jump that agree at points of no particular pattern agree at special ones;
so these are asked for where a term jumps, and where a case may lie further out than what is sampled. At a
point where a derivative passes a kink nothing is claimed: `passes_kink` tells where that may be.
Vocabulary. An *edge* is a difference whose sign decides what a term is: of the two sides of a condition, of
the arguments of a maximum. A term *jumps* at an edge if its value does, and has a *kink* there if it may not
be differentiable.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import sympy
from sympy import Eq, Expr, Integer, Rational
from sympy.core.relational import Relational

from symderiv.judge.anatomy import Anatomy, NotEvaluableError, free_indices, index_only, subterms
from symderiv.judge.frames import Point
from symderiv.judge.points import Kind, sample, size_choices, smallest_first
from symderiv.kernel.terms import D, Greatest

_JUMPING = (Relational, sympy.sign, sympy.Heaviside, sympy.floor, sympy.ceiling, sympy.Mod)
_BENT = (sympy.Abs, sympy.Max, sympy.Min, Greatest)

COINCIDENCES: tuple[tuple[Kind, int], ...] = (("zero", 0), ("one", 0), *(("tied", at) for at in range(10)))
"""Kinds of points at which values coincide, each with what is added to the seed."""

_FEW_COINCIDENCES = 4
"""So many of these where hypotheses have to be solved at each."""
_MOST_EDGES = 5
_SMALL, _SIZES_AT_EDGES = 4, 3
_APART = Rational(9, 8)
"""So far from an edge no other edge is to be expected."""


def jumps(anatomy: Anatomy) -> bool:
    """Tell whether a side may change its value at once where two values become equal."""
    return any(_jump(part) for part in subterms(anatomy.goal.left, anatomy.goal.right, *anatomy.bodies))


def _jump(part: Any) -> bool:
    return isinstance(part, _JUMPING) and not index_only(part)


def passes_kink(anatomy: Anatomy) -> bool:
    """Tell whether a derivative in the sides may pass a point at which there is none."""
    parts = subterms(anatomy.goal.left, anatomy.goal.right, *anatomy.bodies)
    return any(_kinked(anatomy, part.term) for part in parts if isinstance(part, D))


def _kinked(anatomy: Anatomy, term: Expr) -> bool:
    definitions = anatomy.context.definitions
    bodies = [definitions[name].body for name in anatomy.reached(term) if name in definitions]
    return any(isinstance(part, _BENT) or _jump(part) for part in subterms(term, *bodies))


def special_points(
    anatomy: Anatomy, seed: int, *, apart: bool = False
) -> Iterator[tuple[dict[str, int], Point]]:
    """Yield the special points: where values coincide, then those beside edges; or the latter alone."""
    apart = apart or passes_kink(anatomy)
    jumping = not apart and jumps(anatomy)
    small = smallest_first(anatomy, limit=_SMALL)
    sizes = [*small, *(one for one in size_choices(anatomy.goal, anatomy=anatomy)[:2] if one not in small)]
    if jumping:
        yield from _coincidences(anatomy, sizes, seed)
    for edge in _edges(anatomy)[:_MOST_EDGES]:
        single = free_indices(edge) <= anatomy.goal.ranges.keys()
        offsets = ((_APART, -_APART) if apart else (1, -1)) if single else ()
        for offset in (*((0,) if jumping else ()), *offsets):
            yield from _at_edge(anatomy, _equal(edge, offset), sizes[:_SIZES_AT_EDGES], seed)


def _coincidences(
    anatomy: Anatomy, choices: Sequence[dict[str, int]], seed: int
) -> Iterator[tuple[dict[str, int], Point]]:
    most = _FEW_COINCIDENCES if anatomy.assumptions.hypotheses else len(COINCIDENCES)
    for sizes in choices:
        for kind, shift in COINCIDENCES[:most]:
            with contextlib.suppress(NotEvaluableError):
                yield sizes, sample(anatomy.goal, sizes, seed + shift, kind, anatomy=anatomy)


def _at_edge(
    anatomy: Anatomy, equation: Eq, choices: Sequence[dict[str, int]], seed: int
) -> Iterator[tuple[dict[str, int], Point]]:
    """Yield points that satisfy an equation beside the hypotheses, moved there from a simple one."""
    there = replace(anatomy.goal, assumptions=(*anatomy.goal.assumptions, equation))
    beside = Anatomy(there)
    for sizes in choices:
        try:
            yield sizes, sample(there, sizes, seed, "simple", family="waves", anatomy=beside)
        except NotEvaluableError:
            return


def _equal(edge: Expr, offset: int | Rational) -> Eq:
    return Eq(edge, Integer(0) + offset, evaluate=False)


def _edges(anatomy: Anatomy) -> list[Expr]:
    """Return the edges, each once, those with few names first."""
    found: list[Expr] = []
    for part in subterms(anatomy.goal.left, anatomy.goal.right, *anatomy.bodies):
        if index_only(part):
            continue
        if isinstance(part, Relational):
            found.append(part.args[0] - part.args[1])
        elif isinstance(part, sympy.Abs | sympy.sign | sympy.Heaviside):
            found.append(part.args[0])
        elif isinstance(part, sympy.Max | sympy.Min):
            found.extend(part.args[0] - other for other in part.args[1:])
    known = list(dict.fromkeys(edge for edge in found if not index_only(edge)))
    return sorted(known, key=lambda edge: len(anatomy.reached(edge)))

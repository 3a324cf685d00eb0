"""Stand-ins: concrete smooth functions in the place of unknown ones.

Contract. Deterministic for a seed and a name.
Vocabulary. A *family* is the kind of function: *linear* and *quadratic* ones have derivatives that a person
can check; *waves*, sums of sines of different directions, have no vanishing derivative and no symmetry. An
opaque name is a function of a few *phases*, linear in all its arguments.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal

import numpy as np
import sympy

from symderiv.judge.arithmetic import Arithmetic, Array

Family = Literal["linear", "quadratic", "waves"]

_PHASES: dict[Family, int] = {"linear": 1, "quadratic": 2, "waves": 3}
_AMPLITUDES = (1.25, 0.875, 0.5)
_LEVEL = 3.5
"""Keeps waves positive, so that their logarithm and roots are defined."""
_SIMPLE_WEIGHTS = np.array([1, -2, 3, 2, -1, 4, -3, 5, -4, 6, -5], dtype=float)


def draw(seed: int, *key: str) -> np.random.Generator:
    """Return the generator for one purpose: the same numbers whatever else is drawn."""
    return np.random.default_rng([seed, *(zlib.crc32(part.encode("utf-8", "replace")) for part in key)])


def dyadic(values: Array, parts: int = 64) -> Array:
    """Round to multiples of a power of 1/2, which are exact in every arithmetic and short in print."""
    return np.round(values * parts) / parts


@dataclass(frozen=True, slots=True)
class StandIn:
    """What stands in for the unknown function of this name."""

    name: str
    family: Family
    seed: int


@lru_cache(maxsize=4096)
def phase_weights(of: StandIn, argument: str, outer: tuple[int, ...], shape: tuple[int, ...]) -> Array:
    """Return the weight of each entry of an argument, for each phase and each slot value of the function."""
    full = (_PHASES[of.family], *outer, *shape)
    generator = draw(of.seed, "weights", of.name, argument)
    if of.family == "waves":
        return dyadic(generator.uniform(0.2, 0.9, full) * generator.choice([-1, 1], full))
    turned = np.roll(_SIMPLE_WEIGHTS, -int(generator.integers(len(_SIMPLE_WEIGHTS))))
    return np.resize(turned, full)


def of_phases(of: StandIn, phases: Array, arithmetic: Arithmetic) -> Array:
    """Combine the phases (first axis) into one value."""
    if of.family == "linear":
        return np.asarray(phases[0])
    if of.family == "quadratic":
        return np.asarray(phases[0] + phases[1] * phases[1] / 2)
    offsets = arithmetic.cast(_offsets(of))
    total = arithmetic.cast(np.array(_LEVEL))
    for amplitude, offset, phase in zip(_AMPLITUDES, offsets, phases, strict=True):
        total = np.add(total, amplitude * arithmetic.functions[sympy.sin](np.asarray(phase + offset)))
    return np.asarray(total)


@lru_cache(maxsize=4096)
def _offsets(of: StandIn) -> Array:
    return dyadic(draw(of.seed, "family", of.name).uniform(-1, 1, len(_AMPLITUDES)))


def constants(of: StandIn, shape: tuple[int, ...]) -> Array:
    """Return the value of an unknown function of nothing."""
    return dyadic(draw(of.seed, "constant", of.name).uniform(-2, 2, shape))


def scalar_function(
    of: StandIn, orders: Sequence[int], arguments: Sequence[Array], arithmetic: Arithmetic
) -> Array:
    """Return the derivative of these orders at these arguments of a function of weighted sums of them."""
    cast = arithmetic.cast
    order = sum(orders)
    total: Any = cast(np.array(_LEVEL if of.family == "waves" and not order else 0.0))
    for row, amplitude, offset in zip(*_waves(of, len(orders)), strict=True):
        phase, factor = cast(offset), cast(amplitude)
        for weight, times, argument in zip(row, orders, arguments, strict=True):
            phase = np.add(phase, np.multiply(cast(weight), argument))
            factor = np.multiply(factor, cast(weight) ** times)
        value = _derivative(of.family, order, np.asarray(phase), arithmetic)
        total = np.add(total, np.multiply(factor, value))
    return np.asarray(total)


def _derivative(family: Family, order: int, phase: Array, arithmetic: Arithmetic) -> Array:
    """Return the derivative of sin t, of t or of t + t²/2."""
    if family == "waves":
        wave = arithmetic.functions[(sympy.sin, sympy.cos)[order % 2]]
        return (1, 1, -1, -1)[order % 4] * wave(phase)
    highest = ("linear", "quadratic").index(family) + 1
    powers = [phase, 1 + 0 * phase, 0 * phase]
    if highest == 2:
        powers = [phase + phase * phase / 2, 1 + phase, 1 + 0 * phase]
    return powers[order] if order <= highest else 0 * phase


def _waves(of: StandIn, arity: int) -> tuple[Array, Array, Array]:
    """Return weights, amplitudes and offsets."""
    if of.family != "waves":
        return 1 + np.arange(arity, dtype=float)[None, :], np.array([1.0]), np.array([0.0])
    generator = draw(of.seed, "unknown", of.name)
    weights = dyadic(generator.uniform(0.5, 1.25, (len(_AMPLITUDES), arity)))
    return weights, np.array(_AMPLITUDES), dyadic(generator.uniform(-1, 1, len(_AMPLITUDES)))


_LETTERS = "tuvwxyz"


def formula(of: StandIn, arity: int) -> tuple[str, str]:
    """Return the variables of what stands in for an unknown scalar function, and its value, as text."""
    letters = _LETTERS[:arity]
    parts = []
    for row, amplitude, offset in zip(*_waves(of, arity), strict=True):
        phase = " + ".join(
            letter if weight == 1 else f"{weight:.12g} {letter}"
            for weight, letter in zip(row, letters, strict=True)
        )
        if of.family == "waves":
            parts.append(f"{amplitude:.12g} sin({phase} {'-' if offset < 0 else '+'} {abs(offset):.12g})")
        else:
            parts.append(phase if of.family == "linear" else f"{phase} + ({phase})^2/2")
    level = [f"{_LEVEL:.12g}"] if of.family == "waves" else []
    return ", ".join(letters), " + ".join(level + parts)

"""Stand-ins: concrete smooth functions in the place of unknown ones.

Contract. Deterministic for a seed and a name.
Vocabulary. A *family* is the kind of function: *linear* and *quadratic* ones have derivatives that a person
can check; *waves*, sums of sines of different directions, have no vanishing derivative and no symmetry. An
opaque name is a function of a few *phases*, linear in all its arguments.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence
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


@lru_cache(maxsize=4096)
def phase_weights(
    family: Family, seed: int, name: str, argument: str, outer: tuple[int, ...], shape: tuple[int, ...]
) -> Array:
    """Return the weight of each entry of an argument, for each phase and each slot value of the function."""
    full = (_PHASES[family], *outer, *shape)
    generator = draw(seed, "weights", name, argument)
    if family == "waves":
        return dyadic(generator.uniform(0.2, 0.9, full) * generator.choice([-1, 1], full))
    turned = np.roll(_SIMPLE_WEIGHTS, -int(generator.integers(len(_SIMPLE_WEIGHTS))))
    return np.resize(turned, full)


def of_phases(family: Family, seed: int, name: str, phases: Array, arithmetic: Arithmetic) -> Array:
    """Combine the phases (first axis) into one value."""
    if family == "linear":
        return np.asarray(phases[0])
    if family == "quadratic":
        return np.asarray(phases[0] + phases[1] * phases[1] / 2)
    offsets = arithmetic.cast(_offsets(seed, name))
    total = arithmetic.cast(np.array(_LEVEL))
    for amplitude, offset, phase in zip(_AMPLITUDES, offsets, phases, strict=True):
        total = total + amplitude * arithmetic.functions[sympy.sin](phase + offset)
    return np.asarray(total)


@lru_cache(maxsize=4096)
def _offsets(seed: int, name: str) -> Array:
    return dyadic(draw(seed, "family", name).uniform(-1, 1, len(_AMPLITUDES)))


def constants(seed: int, name: str, shape: Sequence[int]) -> Array:
    """Return the value of an unknown function of nothing."""
    return dyadic(draw(seed, "constant", name).uniform(-2, 2, tuple(shape)))


def scalar_function(
    family: Family,
    seed: int,
    name: str,
    orders: Sequence[int],
    arguments: Sequence[Array],
    arithmetic: Arithmetic,
) -> Array:
    """Return the derivative of these orders of Σ a·sin(w·x + p), at these arguments."""
    cast = arithmetic.cast
    order = sum(orders)
    wave = arithmetic.functions[(sympy.sin, sympy.cos)[order % 2]]
    sign = (1, 1, -1, -1)[order % 4]
    total: Any = cast(np.array(0.0 if order else _LEVEL))
    for row, amplitude, offset in zip(*_waves(family, seed, name, len(orders)), strict=True):
        phase, factor = cast(offset), cast(amplitude) * sign
        for weight, times, argument in zip(row, orders, arguments, strict=True):
            phase = phase + cast(weight) * argument
            factor = factor * cast(weight) ** times
        total = total + factor * wave(np.asarray(phase))
    return np.asarray(total)


def _waves(family: Family, seed: int, name: str, arity: int) -> tuple[Array, Array, Array]:
    """Return weights, amplitudes and offsets."""
    if family != "waves":
        return 1 + np.arange(arity, dtype=float)[None, :], np.array([1.0]), np.array([0.5])
    generator = draw(seed, "unknown", name)
    weights = dyadic(generator.uniform(0.5, 1.25, (len(_AMPLITUDES), arity)))
    return weights, np.array(_AMPLITUDES), dyadic(generator.uniform(-1, 1, len(_AMPLITUDES)))

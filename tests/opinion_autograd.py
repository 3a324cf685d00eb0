"""Autograd (HIPS) as the engine of the second opinion: every derivative is autograd's, none is symderiv's."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import autograd
import autograd.numpy as traced
import numpy as np
from autograd.extend import defvjp, primitive
from opinion_arrays import Array, Value
from opinion_latex import Unreadable


@primitive
def _erf(array: Array) -> Array:
    return np.vectorize(math.erf, otypes=[float])(array)


defvjp(_erf, lambda _, array: lambda g: g * 2 / math.sqrt(math.pi) * traced.exp(-(array**2)))


class Traced:
    """NumPy as autograd traces it."""

    xp: Any = traced
    erf = staticmethod(_erf)

    @staticmethod
    def derivative(function: Callable[[Value], Value], centre: Value) -> Value:
        """Return the derivative by every entry of a value; its axes come last."""
        if centre.letters:
            raise Unreadable("a derivative by one of many values")
        made: list[Value] = []

        def moved(by: Array) -> Array:
            made.append(function(Value(centre.kind, centre.array + by)))
            return traced.array(made[-1].array)

        found = autograd.jacobian(moved)(np.zeros(centre.shape))
        return Value(made[-1].kind, found, made[-1].letters)

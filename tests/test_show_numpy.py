"""`show --numpy` on pages of activations and of losses with kinks: each derivative that the text computes.

The text is run as printed at three combinations of sizes. Every `dA_dB` whose B is an argument is held
against central differences of A, and every `dL_dB` of a loss of outputs against those of the outputs, times
the gradient that was handed down.
"""

from __future__ import annotations

import ast
import itertools
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from differences import differences

from symderiv.report.show import show

LIBRARY = Path(__file__).parent.parent / "derivations"
PAGES = [
    *sorted((LIBRARY / "activations").glob("*.md")),
    *(LIBRARY / "losses" / f"{name}.md" for name in ("huber", "hinge")),
]
SIZES = [(1, 1, 1, 1), (2, 3, 4, 2), (4, 2, 3, 3)]
SIGNED = frozenset({"z", "r"})
"""Arguments that are single numbers of either sign; any other may be a slope or a scale, and is positive."""


@dataclass(frozen=True)
class Printed:
    """A printed function, the shapes of its arguments, and the outputs that each gradient is of."""

    run: Callable[..., dict[str, Any]]
    shapes: dict[str, tuple[str, ...] | str]
    of: dict[str, str]


def printed(file: Path) -> Printed:
    """Run the text that is printed for a page, and read its docstring."""
    source = show(str(file), file.read_text(encoding="utf-8"), "numpy")
    (function,) = (node for node in ast.parse(source).body if isinstance(node, ast.FunctionDef))
    scope: dict[str, Any] = {}
    exec(source, scope)  # noqa: S102 - running it as printed is the test
    text = ast.get_docstring(function) or ""
    assert "left out" not in source
    head, _, results = text.partition("Returns a dictionary:")
    shapes: dict[str, tuple[str, ...] | str] = {}
    for name, what in re.findall(r"(?m)^    (\w+): (.*)$", head):
        found = re.match(r"shape \((.*)\)", what)
        shapes[name] = tuple(re.findall(r"\w+", found[1])) if found else what
    assert set(shapes) == {each.arg for each in function.args.args}
    of = dict(re.findall(r"(?m)^    (\w+): .*, for L of (\w+)$", results))
    return Printed(scope[function.name], shapes, of)


def point(shapes: dict[str, tuple[str, ...] | str], sizes: tuple[int, ...]) -> dict[str, Any]:
    """Return values for the arguments: the sizes in the order of the alphabet are those given."""
    rng = np.random.default_rng(sum(sizes))
    letters = sorted({letter for shape in shapes.values() if isinstance(shape, tuple) for letter in shape})
    length = dict(zip(letters, itertools.cycle(sizes), strict=False))
    found: dict[str, Any] = {}
    for name, shape in shapes.items():
        if isinstance(shape, tuple):
            found[name] = rng.normal(size=tuple(length[letter] for letter in shape))
        elif shape == "a number":
            sign = -1 if name in SIGNED and sizes[0] > 1 else 1
            found[name] = np.asarray(sign * rng.uniform(0.3, 1.5))
        else:
            assert shape == "an index, counted from 0"
            found[name] = int(rng.integers(0, min(length.values())))
    return found


def _along(page: Printed, at: dict[str, Any], result: str, name: str) -> Callable[[np.ndarray], Any]:
    """Return one result as a function of one argument."""

    def moved(value: np.ndarray) -> Any:
        return page.run(**at | {name: value})[result]

    return moved


def expected(page: Printed, at: dict[str, Any], out: dict[str, Any], key: str) -> list[np.ndarray]:
    """Return what a derivative may be by differences: of several results of one name, one has to agree."""
    found = re.fullmatch(r"d2(\w+?)_d(\w+)_d\2", key)
    if found is not None and found[2] in at:
        return [differences(_along(page, at, f"d{found[1]}_d{found[2]}", found[2]), at[found[2]])]
    for name in (name for name in at if key.endswith(f"_d{name}") and isinstance(at[name], np.ndarray)):
        of = key.removesuffix(f"_d{name}").removeprefix("d")
        if key in page.of:
            slopes = differences(_along(page, at, page.of[key], name), at[name])
            given = at[f"d{of}_d{page.of[key]}"]
            return [np.tensordot(given, slopes, axes=given.ndim)]
        results = [each for each in out if re.fullmatch(rf"{of}(_\d)?", each)]
        return [differences(_along(page, at, each, name), at[name]) for each in results]
    return []


@pytest.mark.parametrize("file", PAGES, ids=lambda file: file.stem)
def test_numpy_of_a_page(file: Path) -> None:
    """At three combinations of sizes, two derivatives of each page at least."""
    page = printed(file)
    for sizes in SIZES:
        at = point(page.shapes, sizes)
        out = page.run(**at)
        checked = 0
        for key, value in out.items():
            wanted = expected(page, at, out, key)
            assert not wanted or any(
                np.shape(each) == np.shape(value) and np.allclose(each, value, rtol=1e-5, atol=1e-6)
                for each in wanted
            ), (key, value, wanted)
            checked += bool(wanted)
        assert checked >= 2

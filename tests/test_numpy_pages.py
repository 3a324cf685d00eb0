"""`show --numpy` of every page: what is printed runs, and its derivatives are those of its own forward pass.

Nothing here knows a page. The printed function is changed in one way: each of its variables can be held at a
given value. A derivative `dA_dB` is then compared with central differences of A as B is moved, B being an
argument or computed on the way; a gradient of an unknown function with the differences of what it is one of.
"""

from __future__ import annotations

import ast
import itertools
import re
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from differences import differences
from shown import LIBRARY, function_in, named, run, shown

SIZES = [(1, 1, 1, 1, 1, 1), (2, 3, 4, 3, 2, 3), (4, 2, 3, 2, 3, 4)]
"""Three combinations: all one, and two in which neighbours differ."""
Array = Any
Values = dict[str, Any]


@dataclass(frozen=True)
class Printed:
    """A printed function with variables that can be held, and what its docstring says of it."""

    run: Callable[..., Values]
    shapes: dict[str, str]
    gradients: dict[str, str]
    """For each gradient of an unknown function the names of what this is a function of."""
    entrywise: tuple[str, ...]
    """The derivatives of each entry by the entry at the same place."""
    results: tuple[str, ...]
    left_out: tuple[str, ...]


class _Held(ast.NodeTransformer):
    """Lets each variable be given from outside: `a = …` becomes `a = held["a"] if "a" in held else …`."""

    def visit_Assign(self, node: ast.Assign) -> ast.AST:
        (target,) = node.targets
        assert isinstance(target, ast.Name)
        given = ast.parse(f"held[{target.id!r}]", mode="eval").body
        known = ast.parse(f"{target.id!r} in held", mode="eval").body
        node.value = ast.IfExp(known, given, node.value)
        return node


def printed(file: Path) -> Printed:
    """Run the text that is printed for a page, as it is and with variables that can be held."""
    source = shown(file, "numpy")
    assert run(source).__name__ == function_in(source).name
    tree = ast.parse(source)
    (function,) = (node for node in tree.body if isinstance(node, ast.FunctionDef))
    doc = ast.get_docstring(function) or ""
    _Held().visit(function)
    function.args.kwonlyargs.append(ast.arg("held"))
    function.args.kw_defaults.append(None)
    scope: Values = {}
    exec(compile(ast.fix_missing_locations(tree), str(file), "exec"), scope)  # noqa: S102
    head, _, results = doc.partition("Returns a dictionary:")
    shapes = dict(re.findall(r"(?m)^    (\w+): (.*)$", head))
    gradients = dict(re.findall(r"(?m)^    (\w+): .*, for \w+ of ([\w, ]+)$", results))
    left_out = tuple(re.findall(r"# (\w+) is left out", source))
    entrywise = tuple(re.findall(r"(?m)^    (\w+): .*, entry by entry$", results))
    names = tuple(re.findall(r"(?m)^    (\w+): ", results))
    return Printed(scope[function.name], shapes, gradients, entrywise, names, left_out)


def letters(shape: str) -> list[str]:
    """Return the names of sizes in a shape."""
    return re.findall(r"[A-Za-z]\w*", shape.removeprefix("shape "))


def size_of(text: str, sizes: dict[str, int]) -> int:
    """Return the value of a size: a sum of names and numbers."""
    total = 0
    for sign, part in re.findall(r"([-+]?)\s*(\w+)", text):
        value = int(part) if part.isdigit() else sizes[part]
        total += -value if sign == "-" else value
    return total


KINDS = ("generic", "positive", "shares", "one-hot", "signs", "symmetric")


def point(page: Printed, choice: tuple[int, ...], kind: str, turn: int) -> Values:
    """Return values for the arguments, of one kind for those that are named by `turn`, else generic."""
    random = np.random.default_rng([sum(choice), turn])
    names = sorted(
        {letter for shape in page.shapes.values() if shape.startswith("shape") for letter in letters(shape)}
    )
    sizes = dict(zip(names, itertools.cycle(choice), strict=False))
    found: Values = {}
    for name, shape in page.shapes.items():
        random = np.random.default_rng([sum(choice), turn, zlib.crc32(name.encode())])
        if shape.startswith("shape"):
            inside = [each for each in shape[len("shape (") : -1].split(",") if each.strip()]
            found[name] = _of_kind(random, tuple(size_of(each, sizes) for each in inside), kind)
        elif shape == "a number":
            found[name] = np.asarray(random.uniform(0.3, 1.5) if kind == "positive" else random.normal())
        elif shape == "an integer":
            found[name] = sizes.get(name, 3)
        elif shape.startswith("a function"):
            found[name] = _function(name)
        elif shape.startswith("an index"):
            found[name] = int(random.integers(0, min(sizes.values(), default=1)))
        else:
            raise AssertionError(f"{name}: {shape}")
    return found


def _function(name: str) -> Callable[[Array], Array]:
    """Return a function of numbers, or its derivative of the order that the name tells."""
    order = re.search(r"_prime(\d*)", name)
    if order is None:
        return lambda a: np.sin(1.3 * a) + 0.2 * a**2
    if order[1] == "2":
        return lambda a: -1.69 * np.sin(1.3 * a) + 0.4
    return lambda a: 1.3 * np.cos(1.3 * a) + 0.4 * a


def _of_kind(random: np.random.Generator, shape: tuple[int, ...], kind: str) -> Array:
    real = random.normal(size=shape)
    if kind == "positive":
        return random.uniform(0.3, 1.5, size=shape)
    if kind == "shares":
        return np.exp(real) / np.exp(real).sum(axis=-1, keepdims=True)
    if kind == "one-hot" and shape[-1]:
        return np.eye(shape[-1])[random.integers(0, shape[-1], size=shape[:-1])]
    if kind == "signs":
        return np.where(real < 0, -1.0, 1.0)
    if len(shape) == 2 and shape[0] == shape[1]:
        return (
            real @ real.T + 0.5 * np.eye(shape[0])
            if kind == "symmetric"
            else 0.6 * real + 1.5 * np.eye(shape[0])
        )
    return real


class Check:
    """The printed function at one point."""

    def __init__(self, page: Printed, at: Values) -> None:
        self.page, self.at, self.step = page, at, 1e-6
        self.out = page.run(**at, held={})
        for name in at:
            base = re.sub(r"_\d+$", "", name)
            if (
                base != name
                and base.startswith("d")
                and np.shape(self.out.get(base, ())) == np.shape(at[name]) != ()
            ):
                at[name] = self.out[base]
            elif base != name and base.startswith("d") and base in self.out and np.ndim(at[name]) == 0:
                at[name] = np.asarray(self.out[base])
        self.out = page.run(**at, held={})
        self.known = {**{k: v for k, v in at.items() if isinstance(v, np.ndarray)}, **self.out}

    def alike(self, name: str) -> list[str]:
        """Return the variables that a page may call by one name: in another section it ends in a number."""
        return [each for each in self.known if re.fullmatch(rf"{re.escape(name)}(_\d+)?", each)]

    def slope(self, of: str, by: str) -> Array:
        """Return how one variable changes with another, by differences."""

        def moved(value: Array) -> Array:
            given = {by: value} if by in self.at else {}
            return self.page.run(**self.at | given, held={} if given else {by: value})[of]

        return differences(moved, np.asarray(self.known[by], dtype=float), self.step)

    def wanted(self, key: str) -> Iterator[Array]:
        """Give what a derivative may be, for each way of taking its name apart."""
        plain = re.sub(r"_\d+$", "", key)
        for text in dict.fromkeys([key, plain]):
            for at in range(2, len(text)):
                if not text.startswith("_d", at):
                    continue
                yield from self._parted(key, text[:at], text[at + 2 :])

    def _parted(self, key: str, head: str, by: str) -> Iterator[Array]:
        bys = self.alike(by)
        if key in self.page.gradients:
            inner = [each.strip() for each in self.page.gradients[key].split(",")]
            for one in bys:
                given = [(each, self.known.get(f"{head}_d{each}")) for each in inner]
                if all(value is not None and each in self.out for each, value in given):
                    parts = [
                        np.tensordot(value, self.slope(each, one), np.ndim(value)) for each, value in given
                    ]
                    yield sum(parts[1:], parts[0])
            return
        second = head.startswith("d2")
        of = head.removeprefix("d2") if second else head.removeprefix("d")
        if second and "_d" in of:
            for first in self.alike(f"d{of}"):
                yield from (self.slope(first, one) for one in bys if first in self.out)
            return
        for first, one in itertools.product(self.alike(of), bys):
            if first in self.out:
                slope = self.slope(first, one)
                yield np.einsum("ii->i", slope) if key in self.page.entrywise else slope


def is_derivative(key: str) -> bool:
    """Tell whether a result is named after what is differentiated and by what."""
    return re.match(r"d\w+_d\w", key) is not None


def told(page: Printed, choice: tuple[int, ...]) -> dict[str, bool | None]:
    """Return for each derivative whether it agrees with differences; None where there are none to take.

    A page may suppose something of its arguments: it is enough that it holds for all values of one kind.
    """
    verdicts: dict[str, bool | None] = {key: None for key in page.results if is_derivative(key)}
    for kind in KINDS:
        try:
            with np.errstate(all="ignore"):
                checks = [Check(page, point(page, choice, kind, turn)) for turn in range(2)]
        except np.linalg.LinAlgError:
            continue
        for key, before in list(verdicts.items()):
            if before:
                continue
            agreed = [_agrees(check, key) for check in checks]
            if None not in agreed:
                verdicts[key] = all(agreed)
        if all(verdicts.values()):
            break
    return verdicts


def _agrees(check: Check, key: str) -> bool | None:
    """Tell whether a derivative is what differences give; None where the forward pass has no such path.

    Differences that depend on their step, beside a pole, tell nothing.
    """
    value = np.asarray(check.out[key])
    try:
        found = _found(check, key, 1e-6)
        if any(each.shape == value.shape and _near(each, value, 2e-5) for each in found):
            return True
        wider = _found(check, key, 4e-6)
    except np.linalg.LinAlgError:
        return None
    steady = all(_near(one, other, 1e-2) for one, other in zip(found, wider, strict=True))
    told = any(np.any(np.nan_to_num(each, nan=0, posinf=0, neginf=0)) for each in found)
    return False if steady and told else None


def _found(check: Check, key: str, step: float) -> list[Array]:
    check.step = step
    with np.errstate(all="ignore"):
        return [np.asarray(each) for each in check.wanted(key)]


def _near(one: Array, other: Array, part: float) -> bool:
    return bool(np.allclose(one, other, rtol=part, atol=part / 10, equal_nan=True))


@dataclass(frozen=True)
class Outcome:
    """Of the derivatives of a page: those that are wrong, those not compared, and how many are right."""

    wrong: tuple[str, ...]
    missing: tuple[str, ...]
    right: int


@cache
def of_page(file: Path) -> Outcome:
    """Compare the derivatives of a page at every combination of sizes."""
    page = printed(file)
    found = [told(page, choice) for choice in SIZES]
    wrong = tuple(key for key in page.results if any(each.get(key) is False for each in found))
    derivatives = [key for key in page.results if is_derivative(key)]
    missing = [key for key in derivatives if all(each[key] is None for each in found)]
    return Outcome(wrong, (*missing, *page.left_out), len(derivatives) - len(wrong) - len(missing))


@pytest.mark.parametrize("file", LIBRARY, ids=lambda file: file.stem)
def test_printed_derivatives_are_those_of_the_forward_pass(file: Path) -> None:
    """At three combinations of sizes, by central differences."""
    assert of_page(file).wrong == ()


def test_what_is_not_compared_is_little() -> None:
    """Most derivatives of the library are held against differences: of a hundred, five at most are not."""
    found = [of_page(file) for file in LIBRARY]
    missing = sum(len(each.missing) for each in found)
    assert missing <= sum(each.right for each in found) / 20


def test_a_printed_derivative_that_is_off_is_noticed() -> None:
    """One percent suffices."""
    page = printed(named("softmax"))

    def off(**given: Any) -> Values:
        out = page.run(**given)
        return {**out, "dy_dx": 1.01 * out["dy_dx"]}

    wrong = Printed(off, page.shapes, page.gradients, (), page.results, ())
    assert told(page, SIZES[1])["dy_dx"]
    assert told(wrong, SIZES[1])["dy_dx"] is False

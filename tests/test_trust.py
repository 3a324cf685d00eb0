"""`symderiv explain proved`: it can be read at 80 columns, and what it says of the code is so."""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
from pages import judged
from typer.testing import CliRunner

from symderiv.cli import app
from symderiv.judge.trust import grounds, kernel_lines

ROOT = Path(__file__).parent.parent
KERNEL = ROOT / "symderiv" / "kernel"


def printed(**environment: str) -> str:
    """Return what the command prints."""
    return CliRunner().invoke(app, ["explain", "proved"], env=environment).stdout


def test_the_page_fits_80_columns_and_needs_no_colour() -> None:
    """One line for each word that is explained, nothing wider than the terminal, no escape in a pipe."""
    for environment in ({"COLUMNS": "80"}, {"COLUMNS": "200"}, {"COLUMNS": "80", "NO_COLOR": "1"}):
        lines = printed(**environment).splitlines()
        assert lines[0] == 'What "proved" rests on'
        assert max(map(len, lines)) <= 80
        assert not any("\x1b" in line or line.endswith("…") for line in lines)
        for word, _ in grounds():
            assert [line for line in lines if line.startswith(f"{word}  ")]
    assert max(map(len, printed(COLUMNS="50").splitlines())) <= 50


def test_the_modules_and_their_lines_are_those_of_the_kernel() -> None:
    """Counted here once more, in another way."""
    found = {
        file.stem: len(file.read_bytes().splitlines())
        for file in KERNEL.glob("*.py")
        if file.stem != "__init__"
    }
    assert dict(kernel_lines()) == found
    text = " ".join(printed(COLUMNS="80").split())
    assert f"{len(found)} modules of {sum(found.values()):,} lines" in text
    for name, lines in found.items():
        assert f"{name} {lines}" in text


def imported(file: Path) -> Iterator[str]:
    """Yield the names of all modules and objects that a file imports, with their modules."""
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (each.name for each in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from (f"{node.module}.{each.name}" for each in node.names)


def test_the_kernel_imports_no_other_part_of_symderiv() -> None:
    """So its modules are all of our code that a proof runs through."""
    names = {name for file in KERNEL.glob("*.py") for name in imported(file)}
    ours = {name for name in names if name.startswith("symderiv")}
    assert ours
    assert {name for name in ours if not name.startswith("symderiv.kernel")} == set()
    others = {name.partition(".")[0] for name in names - ours}
    assert others - sys.stdlib_module_names == {"sympy"}


def test_nothing_else_makes_a_proof() -> None:
    """`Proved` is made in one module of the kernel, and refuses to be made without its token."""
    makers = [
        file
        for file in (ROOT / "symderiv").rglob("*.py")
        if re.search(r"\bProved\(", file.read_text(encoding="utf-8"))
    ]
    assert makers == [KERNEL / "equality.py"]
    assert "_TOKEN" not in {
        name.rpartition(".")[2] for file in (ROOT / "symderiv").rglob("*.py") for name in imported(file)
    }


NEVER_ASKED = {
    "simplify", "nsimplify", "trigsimp", "powsimp", "logcombine", "radsimp", "ratsimp", "cancel", "factor",
    "together", "apart", "expand", "diff", "doit", "integrate", "summation", "solve", "solveset", "limit",
    "series", "evalf", "equals", "rewrite",
}  # fmt: skip


def test_sympy_is_not_asked_to_differentiate_sum_solve_or_simplify() -> None:
    """Neither by a function nor by a method of its terms, anywhere in the kernel; `simplify` nowhere."""
    for file in KERNEL.glob("*.py"):
        text = file.read_text(encoding="utf-8")
        asked = {node.attr for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Attribute)}
        asked |= {name.rpartition(".")[2] for name in imported(file) if name.startswith("sympy")}
        assert asked & NEVER_ASKED == set(), file
    for file in (ROOT / "symderiv").rglob("*.py"):
        used = {
            node.attr if isinstance(node, ast.Attribute) else node.id
            for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
            if isinstance(node, ast.Attribute | ast.Name)
        }
        assert "simplify" not in used, file
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    assert "sympy.simplify" in settings["tool"]["ruff"]["lint"]["flake8-tidy-imports"]["banned-api"]


def test_the_cross_check_shares_the_terms_with_the_kernel_and_nothing_else() -> None:
    """The contract that CI checks forbids every other module of the kernel that a proof runs through."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    (contract,) = [
        each
        for each in settings["tool"]["importlinter"]["contracts"]
        if "symderiv.judge.numeric" in each.get("source_modules", [])
    ]
    kernel = {f"symderiv.kernel.{name}" for name in kernel_lines()}
    assert kernel - set(contract["forbidden_modules"]) == {"symderiv.kernel.terms"}


CLAIMS = {
    "domains": (r"x \in \mathbb{R}", r"\frac{x}{x} = 1", "normal form"),
    "kinks": (r"x \in \mathbb{R}", r"\frac{\partial |x|}{\partial x} = \frac{x}{|x|}", "almost everywhere"),
    "sizes": (r"x \in \mathbb{R}^N", r"\sum_{k=2}^{1} x_1 = 0", ""),
    "unknown functions": (
        r"x \in \mathbb{R}^2$ and $L : \mathbb{R}^2 \to \mathbb{R}",
        r"\frac{\partial^2 L}{\partial x_1 \partial x_2} = \frac{\partial^2 L}{\partial x_2 \partial x_1}",
        "",
    ),
}


@pytest.mark.parametrize("word", CLAIMS)
def test_what_is_said_of_a_proof_is_so(word: str) -> None:
    """An example of each: proved, and with the remark that is promised."""
    assert word in dict(grounds())
    declared, claim, remark = CLAIMS[word]
    report = judged(f"# Page\n\nLet ${declared}$.\n\n$${claim}$$\n")
    (step,) = [each for each in report.statements if each.kind == "claim"]
    assert step.verdict == "proved"
    assert remark in (step.method or "")

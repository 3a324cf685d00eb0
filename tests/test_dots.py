"""Matrices and sums with dots: an entry formula that is shown by its corners is found again, and no other."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from symderiv.latex import parse, to_latex, tree
from symderiv.meaning import dots, names

_ROW, _COLUMN = "R", "C"
_FACTORS = (
    "a_{R}", "b_{C}", "A_{R,C}", "A_{C,R}", "c", "2", "x_{R}^2", "x_{C}^2", "e^{z_{C}}",
    r"\frac{\partial L}{\partial y_{R}}", r"\sigma(u_{R})", "(1 - p_{R})",
    r"\sum_{k=1}^{K} W_{R,k} V_{k,C}", r"\frac{s_{R}}{t_{C}}",
)  # fmt: skip
_ENTRIES = st.lists(st.sampled_from(_FACTORS), min_size=1, max_size=3, unique=True).map(" ".join)


def _written(entry: str, row: str, column: str) -> str:
    return entry.replace(_ROW, row).replace(_COLUMN, column)


def _read(latex: str) -> tree.Node:
    chain = parse(latex).items[0]
    assert isinstance(chain, tree.Chain)
    assert chain.members[0] is not None
    return chain.members[0]


def _matrix(rows: list[list[str]]) -> tree.Matrix:
    node = _read(r"\begin{bmatrix}" + r"\\".join("&".join(row) for row in rows) + r"\end{bmatrix}")
    assert isinstance(node, tree.Matrix)
    return node


def _shown(entry: str, *, fronts: int = 2) -> list[list[str]]:
    labels = ["1", "2"][:fronts]
    rows = [
        [*(_written(entry, row, column) for column in labels), r"\cdots", _written(entry, row, "n")]
        for row in (*labels, "m")
    ]
    return [*rows[:-1], [*([r"\vdots"] * fronts), r"\ddots", r"\vdots"], rows[-1]]


def _at(formula: dots.Formula, row: str, column: str) -> str:
    """Return what a formula of one part gives at a place, as LaTeX."""
    (part,) = formula.parts

    def filled(each: tree.Node) -> tree.Node:
        if not isinstance(each, tree.Name) or each.text not in dots.LETTERS:
            return each
        return _read(row if each.text == dots.ROW else column)

    return to_latex(names.rebuilt(part.node, filled))


@given(_ENTRIES, st.sampled_from([1, 2]))
def test_a_formula_shown_by_its_corners_is_found_again(entry: str, fronts: int) -> None:
    """At a place that is not shown the formula gives what the entry is there."""
    formula = dots.formula(dots.grid(_matrix(_shown(entry, fronts=fronts))))
    assert formula is not None
    assert _at(formula, "i", "j") == to_latex(_read(_written(entry, "i", "j")))
    for axis, end, letter in ((formula.rows, "m", _ROW), (formula.columns, "n", _COLUMN)):
        assert axis == (tree.Name(end) if letter in entry else None)


@given(_ENTRIES, st.sampled_from([0, 1, 3]), st.sampled_from([0, 1, 3]))
def test_one_entry_that_is_another_leaves_no_formula(entry: str, row: int, column: int) -> None:
    """An entry off the pattern is never generalised away."""
    rows = _shown(entry)
    rows[row][column] += " q"
    assert dots.formula(dots.grid(_matrix(rows))) is None


@given(_ENTRIES.filter(lambda entry: _ROW in entry and _COLUMN not in entry), st.sampled_from([1, 2, 3]))
def test_a_sum_with_dots_is_the_sum_of_its_terms(entry: str, fronts: int) -> None:
    """The body of the sum at an index is the term there, and it ends at the last index."""
    shown = [
        *(_written(entry, str(at), "") for at in range(1, fronts + 1)),
        r"\dots",
        _written(entry, "n", ""),
    ]
    chain = parse(" + ".join(shown)).items[0]
    assert isinstance(chain, tree.Chain)
    big = dots.written(chain).members[0]
    assert isinstance(big, tree.Big)
    assert big.upper == tree.Name("n")
    filled = names.rebuilt(big.body, lambda each: tree.Name("i") if each == tree.Name(dots.RUN) else each)
    assert to_latex(filled) == to_latex(_read(_written(entry, "i", "")))


@pytest.mark.parametrize(
    "latex",
    [
        r"1 + 3 + \dots + n",
        r"1 + 4 + 9 + \dots + n^2",
        r"x_1 + x_3 + \dots + x_n",
        r"x_1 - x_2 + \dots + x_n",
        r"x_1 + y_2 + \dots + x_n + \dots",
        r"a / x_1 \cdots x_n",
        r"n (n - 1) \cdots 1",
        r"2 + 3 + 5 + 7 + \dots + p",
    ],
)
def test_what_does_not_count_by_ones_is_no_run(latex: str) -> None:
    """The dots are left as they are."""
    chain = parse(latex).items[0]
    assert isinstance(chain, tree.Chain)
    assert dots.written(chain) == chain

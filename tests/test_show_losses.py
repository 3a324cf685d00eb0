"""`show --numpy` of losses and the softmax family: what is printed runs, and agrees with central differences.

A derivative `dA_dB` is compared where the printed function computes A from its argument B (`B_2` where two
sections have a B); an index that the page fixes is an argument. Names that have to sum to one are made so.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from differences import differences

from symderiv.report.show import show

LIBRARY = Path(__file__).parent.parent / "derivations"
Function = Callable[..., dict[str, Any]]

PAGES: dict[str, tuple[frozenset[str], frozenset[str]]] = {
    "losses/binary-cross-entropy": (frozenset(), frozenset({"dL_dz", "dp_dz", "d2L_dz_dz", "dJ_ds"})),
    "losses/cosine-similarity": (frozenset(), frozenset({"ds_da", "ds_db", "dalpha_da"})),
    "losses/cross-entropy": (frozenset({"y", "Y"}), frozenset({"dp_dz", "dL_dz", "d2L_dz_dz", "dJ_dZ"})),
    "losses/focal": (frozenset(), frozenset({"dp_dz", "dL_dz", "dq_du", "dF_du"})),
    "losses/kl-categorical": (frozenset({"p"}), frozenset({"dD_KL_dq", "dD_KL_dp"})),
    "losses/kl-gaussian": (frozenset(), frozenset({"dD_dmu", "dD_dm", "dD_dsigma", "dD_ds"})),
    "losses/label-smoothing": (frozenset(), frozenset({"dL_dz", "d2L_dz_dz"})),
    "losses/mean-squared-error": (frozenset(), frozenset({"dL_dy_hat", "dL_dy", "dE_dY_hat", "dJ_dc"})),
    "losses/negative-log-likelihood": (frozenset({"Y"}), frozenset({"dL_dell", "dJ_dA"})),
    "softmax/log-softmax": (frozenset(), frozenset({"dy_dx", "dp_dx"})),
    "softmax/log-sum-exp": (frozenset(), frozenset({"df_dx", "d2f_dx_dx"})),
    "softmax/softmax-regression": (
        frozenset({"y", "Y"}),
        frozenset({"dL_dW", "dL_db", "dL_dx", "d2L_dW_dW", "dJ_dW", "dJ_db"}),
    ),
}
"""By page: the names that sum to one along their last axis, and derivatives that must be compared."""

SIZES = [{"N": 1, "C": 2, "M": 1}, {"N": 3, "C": 4, "M": 2}, {"N": 4, "C": 3, "M": 5}]


def printed(page: str) -> tuple[Function, dict[str, str]]:
    """Return the printed function, and what its docstring says of each argument."""
    path = LIBRARY / f"{page}.md"
    source = show(str(path), path.read_text(encoding="utf-8"), "numpy")
    (node,) = (node for node in ast.parse(source).body if isinstance(node, ast.FunctionDef))
    scope: dict[str, Any] = {}
    exec(source, scope)  # noqa: S102 - running it as printed is the test
    arguments = (ast.get_docstring(node) or "").split("Arguments:")[1].split("Returns")[0]
    told = dict(line.strip().split(": ", 1) for line in arguments.strip().splitlines())
    return scope[node.name], told


def point(told: dict[str, str], shares: frozenset[str], sizes: dict[str, int]) -> dict[str, Any]:
    """Return a value for each argument, between 0.2 and 0.9."""
    rng = np.random.default_rng(11)
    values: dict[str, Any] = {}
    for name, what in told.items():
        if what.startswith("an index"):
            values[name] = 1
            continue
        value = rng.uniform(0.2, 0.9, size=tuple(sizes[each] for each in re.findall(r"\b[A-Z]\b", what)))
        values[name] = value / value.sum(axis=-1, keepdims=True) if name in shares else value
    return values


def slopes(function: Function, values: dict[str, Any]) -> dict[str, tuple[Any, Any]]:
    """Return by name each printed derivative, of first or second order, beside its central differences."""
    out = function(**values)
    found = {}
    for variable, at in values.items():
        bare = variable.removesuffix("_2")
        for result in out:
            order, top = ("2", result[1:]) if re.fullmatch(rf"d\w+_d{bare}", result) else ("", result)
            name = f"d{order}{top}_d{bare}"
            if name in out:

                def along(value: Any, result: str = result, variable: str = variable) -> Any:
                    return function(**values | {variable: value})[result]

                central = differences(along, at, 1e-5)
                if central.any() or name not in found:
                    found[name] = (out[name], central)
    return found


@pytest.mark.parametrize("sizes", SIZES, ids=str)
@pytest.mark.parametrize("page", PAGES)
def test_slopes_agree_with_differences(page: str, sizes: dict[str, int]) -> None:
    """Those that are listed are among those compared, and each agrees in shape and value."""
    shares, expected = PAGES[page]
    function, told = printed(page)
    found = slopes(function, point(told, shares, sizes))
    assert expected <= found.keys()
    for name in expected:
        actual, central = found[name]
        assert np.shape(central) == np.shape(actual), name
        np.testing.assert_allclose(actual, central, rtol=1e-5, atol=1e-7, err_msg=name)


def test_the_form_of_the_author_is_taken_where_it_is_shorter() -> None:
    """The slopes by hand: of `-(1 - p)^γ log p` with `p' = p (1 - p)`, and the error of a softmax."""
    text = (LIBRARY / "losses" / "focal.md").read_text(encoding="utf-8")
    assert "∂L/∂z = (1 − p)^γ (γ p log(p) + p − 1)\n" in show("focal.md", text, "unicode")


def test_an_assumption_is_shown_where_it_was_needed() -> None:
    """The gradient is `p Σ y − y`: it is `p − y` only where y sums to one; the softmax needs no such fact."""
    text = (LIBRARY / "losses" / "cross-entropy.md").read_text(encoding="utf-8")
    shown = show("cross-entropy.md", text, "unicode")
    assert "  ∂L/∂z  = p − y\n    given ∑ᵢ yᵢ = 1\n" in shown
    assert "  ∂p/∂z   = diag(p) − p pᵀ\n\n" in shown


def test_a_member_that_is_false_is_not_shown() -> None:
    """The kernel proves what is taken: the author's shorter slope of x² is wrong, and is not."""
    text = "# P\n\n$$f(x) = x^2$$\n\n$$\\frac{\\partial f}{\\partial x} = x$$\n"
    shown = show("page.md", text, "unicode")
    assert "f′(x) = 2 x" in shown


def test_a_second_derivative_has_one_sign() -> None:
    """`∂²f`, once for both orders of the indices, and as a matrix."""
    text = (LIBRARY / "softmax" / "log-sum-exp.md").read_text(encoding="utf-8")
    shown = show("log-sum-exp.md", text, "unicode")
    assert "  ∂²f/(∂xᵢ∂xⱼ) = pᵢ (δᵢⱼ − pⱼ)\n  ∂²f/∂x²      = diag(p) − p pᵀ\n" in shown
    assert shown.count("∂²f/(") == 1

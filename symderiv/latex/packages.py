r"""Commands that packages define, and what they stand for: `\pdv{f}{x}`, `\norm{x}`, `\qty(x)`.

A call has as many arguments in braces as follow it; each number of them has its own form, `#1` to `#3`, and
`#9` is the order in square brackets. What a document defines itself goes before. Bold letters of the
usual style files, `\vx` and `\mW`, are of one letter each.
"""

from __future__ import annotations

from functools import lru_cache

from symderiv.latex.tokens import Token, lex

_PACKAGES: dict[str, tuple[str | None, ...]] = {
    "\\pdv": (
        None,
        r"\frac{\partial}{\partial #1}",
        r"\frac{\partial #1}{\partial #2}",
        r"\frac{\partial^2 #1}{\partial #2 \partial #3}",
    ),
    "\\dv": (None, r"\frac{d}{d #1}", r"\frac{d #1}{d #2}"),
    "\\dd": (r"\mathrm{d}", r"\mathrm{d} #1"),
    "\\grad": (r"\nabla", r"\nabla #1"),
    "\\qty": ("", r"\left\{#1\right\}"),
    "\\pqty": (None, r"\left(#1\right)"),
    "\\bqty": (None, r"\left[#1\right]"),
    "\\norm": (None, r"\left\|#1\right\|"),
    "\\abs": (None, r"\left|#1\right|"),
    "\\inner": (None, None, r"\langle #1, #2 \rangle"),
    "\\ip": (None, None, r"\langle #1, #2 \rangle"),
    "\\innerproduct": (None, None, r"\langle #1, #2 \rangle"),
    "\\vb": (None, r"\mathbf{#1}"),
    "\\va": (None, r"\vec{#1}"),
    "\\vect": (None, r"\mathbf{#1}"),
    "\\vct": (None, r"\mathbf{#1}"),
    "\\mat": (None, r"\mathbf{#1}"),
    "\\matr": (None, r"\mathbf{#1}"),
} | {
    f"\\{word}": (rf"\operatorname{{{word}}}",)
    for word in ("diag", "softmax", "sigmoid", "ReLU", "relu", "sign", "sgn", "trace", "rank")
}
"""By command, what a call with no argument, one, two … stands for; None where that is no call."""
_ORDERED = {
    "\\pdv": (
        None,
        r"\frac{\partial^{#9}}{\partial #1^{#9}}",
        r"\frac{\partial^{#9} #1}{\partial #2^{#9}}",
    ),
    "\\dv": (None, r"\frac{d^{#9}}{d #1^{#9}}", r"\frac{d^{#9} #1}{d #2^{#9}}"),
}
"""The same, after an order in square brackets."""


def is_packaged(command: str) -> bool:
    """Tell whether a command may be one of a package."""
    return command in _PACKAGES or _bold(command) is not None


def most(command: str) -> int:
    """Return how many arguments a call may have."""
    return len(_PACKAGES.get(command, ("",))) - 1


def takes_order(command: str) -> bool:
    """Tell whether an order in square brackets may follow a command."""
    return command in _ORDERED


@lru_cache(maxsize=256)
def form(command: str, count: int, *, ordered: bool) -> tuple[Token, ...] | None:
    """Return what a call with so many arguments stands for, or None."""
    forms = (_ORDERED if ordered else _PACKAGES).get(command, (_bold(command),))
    text = forms[count] if count < len(forms) else None
    return None if text is None else tuple(lex(text))


def _bold(command: str) -> str | None:
    r"""Return what `\vx` or `\mW` stands for."""
    if len(command) != 3 or not command[2].isalpha():
        return None
    kind, letter = command[1], command[2]
    vector = kind in "vb" and letter.islower() and command not in _TAKEN
    matrix = kind in "mb" and letter.isupper()
    return rf"\mathbf{{{letter}}}" if vector or matrix else None


_TAKEN = frozenset({"\\bf", "\\bm", "\\be", "\\ba"})
"""Short commands that mean something else, or begin an environment."""

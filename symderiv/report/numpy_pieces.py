"""Pieces of NumPy code, and the words of NumPy for the functions and relations of terms."""

from __future__ import annotations

from dataclasses import dataclass

from symderiv.kernel.terms import Index

FUNCTIONS = {
    "exp": "np.exp",
    "log": "np.log",
    "sin": "np.sin",
    "cos": "np.cos",
    "tan": "np.tan",
    "sinh": "np.sinh",
    "cosh": "np.cosh",
    "tanh": "np.tanh",
    "asin": "np.arcsin",
    "acos": "np.arccos",
    "atan": "np.arctan",
    "asinh": "np.arcsinh",
    "acosh": "np.arccosh",
    "atanh": "np.arctanh",
    "Abs": "np.abs",
    "sign": "np.sign",
}
RECIPROCAL = {"cot": "np.tan", "coth": "np.tanh", "sech": "np.cosh", "csch": "np.sinh"}
RELATIONS = {"==": "==", "!=": "!=", "<": "<", "<=": "<=", ">": ">", ">=": ">="}


class Unwritten(Exception):
    """A term that has no NumPy code here; the message says which."""


@dataclass(frozen=True, slots=True)
class Piece:
    """Code, the axes of its value, and whether it stands as a factor without brackets."""

    code: str
    axes: tuple[Index, ...] = ()
    tight: bool = True

    def factor(self) -> str:
        """Return the code as a factor."""
        return self.code if self.tight else f"({self.code})"

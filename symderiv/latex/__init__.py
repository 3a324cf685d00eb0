"""LaTeX -> syntax tree -> LaTeX: `parse` reads one span of mathematics, `to_latex` writes a tree.

`LatexError` is the only exception that leaves this room. What the mathematics means is for `meaning/`.
"""

from symderiv.latex.macros import Macros
from symderiv.latex.parser import parse
from symderiv.latex.printer import to_latex
from symderiv.latex.tokens import LatexError

__all__ = ["LatexError", "Macros", "parse", "to_latex"]

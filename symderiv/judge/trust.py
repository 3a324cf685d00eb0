"""What "proved" rests on, for `symderiv explain proved`.

The modules that a proof runs through and their lines are read from the kernel as it is installed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from importlib.resources import files

TITLE = 'What "proved" rests on'
OPENING = """\
A step is proved when the kernel brings the difference of its two sides to zero by rules that hold
for every size, every index and every value. No sample of numbers takes part in it: a step that
agrees in samples and has no proof is called tested. To believe a proof is to believe the following.
"""
_KERNEL = """\
symderiv/kernel: {count} modules of {total:,} lines, which import no other part of symderiv. Nothing else
makes a proof. By lines: {each}.
"""
_GROUNDS = """\
real numbers
    Entries are real numbers and arithmetic is exact. How a program rounds, and where it
    overflows, is another question.

domains
    Equal means equal where both sides are defined: x / x = 1 is proved, and says nothing at x =
    0.

matrices
    What is said of an inverse holds where there is one, and the derivative of a determinant is
    taken there. The report names what the page does not: X invertible, det(X) > 0. A derivative
    by a symmetric matrix counts its entries as variables of their own. vec puts columns one
    below the other.

kinks
    The derivative of max, of |x|, of a sign or of cases holds away from the points at which it
    jumps. A proof that used one says so: almost everywhere.

sizes
    A size is a whole number, 1 or more, and so is an index. A sum over nothing is 0.

unknown functions
    A function that the page only names, such as a loss L, has all the derivatives that the page
    takes, and mixed ones do not depend on their order.

layout
    A derivative of a scalar has the shape of its variable; a Jacobian has a row for each
    output, unless the page says otherwise, or its steps hold together in another layout only.
    A verdict that hangs on this names the layout (SD107).

hypotheses
    What the page supposes is taken as true. The report names it beside the step: assuming.

the reading
    That the formula was understood as its author meant it is not proved. `symderiv show PAGE`
    prints how the definitions were read.

SymPy
    It stores the terms, and its constructors fold exact numbers and order sums and products as
    they are made. It is not asked to differentiate, to sum, to solve or to simplify: simplify
    is banned from the code.

cross-check
    Beside each proof both sides are evaluated at several sizes and points, by code that shares
    the terms with the kernel and nothing else. It makes no proof. Where it contradicts one, the
    step is not shown as proved, and the exit status is 3.
"""


def kernel_lines() -> Mapping[str, int]:
    """Return the modules of the kernel, each with its number of lines, by name."""
    modules = {
        found.name.removesuffix(".py"): found.read_text(encoding="utf-8").count("\n")
        for found in files("symderiv.kernel").iterdir()
        if found.name.endswith(".py") and found.name != "__init__.py"
    }
    return dict(sorted(modules.items()))


def grounds() -> Iterator[tuple[str, str]]:
    """Yield all that a proof rests on: a word, and what it stands for."""
    lines = kernel_lines()
    each = ", ".join(f"{name} {count}" for name, count in lines.items())
    yield "the kernel", _joined(_KERNEL.format(count=len(lines), total=sum(lines.values()), each=each))
    for block in _GROUNDS.split("\n\n"):
        word, _, text = block.partition("\n")
        yield word, _joined(text)


def _joined(text: str) -> str:
    return " ".join(text.split())

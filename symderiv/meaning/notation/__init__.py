"""Terms as mathematics for readers: entry form and matrix form, in LaTeX and in Unicode.

`derived_latex` answers a question with what the kernel derives. A matrix form is printed only after the
kernel has proved that its entries are those of the term; a derivative is written in the page's own names only
after the kernel has proved that it equals what was asked.
"""

from __future__ import annotations

from collections.abc import Mapping

from sympy import Expr, Indexed, Integer

from symderiv.kernel.terms import Context, Index, Inv, KernelError, name_of
from symderiv.meaning.model import Tensor
from symderiv.meaning.notation.entries import Unwritable, Writer, writer
from symderiv.meaning.notation.factoring import factored
from symderiv.meaning.notation.folding import derived, equal
from symderiv.meaning.notation.matrices import Form, NoForm, entry_of, transposed
from symderiv.meaning.notation.networks import forms
from symderiv.meaning.notation.printing import write
from symderiv.meaning.notation.products import flat
from symderiv.meaning.notation.style import LATEX, UNICODE, Style

__all__ = [
    "LATEX",
    "UNICODE",
    "Style",
    "Unwritable",
    "Writer",
    "derived",
    "derived_latex",
    "entry_form",
    "factored",
    "flat",
    "matrix_form",
    "ranges_of",
    "writer",
]


def ranges_of(term: Expr, context: Context) -> dict[Index, Expr]:
    """Return the ranges of the free indices of a term, told by the shapes of the entries where they stand."""
    found: dict[Index, Expr] = {}
    for node in term.atoms(Indexed):
        for index, size in zip(node.indices, context.shapes.get(str(name_of(node)), ()), strict=False):
            if isinstance(index, Index):
                found.setdefault(index, size)
    for node in term.atoms(Inv):
        found |= {index: node.places[-1] for index in node.at if isinstance(index, Index)}
    free = {s for s in term.free_symbols if isinstance(s, Index)}
    return {index: size for index, size in found.items() if index in free}


def entry_form(term: Expr, writes: Writer) -> str:
    """Return the entry form of a term, what its terms share written once; `Unwritable` is raised."""
    return writes.sum(factored(flat(term))).text


def matrix_form(
    term: Expr, slots: tuple[Index, ...], ranges: Mapping[Index, Expr], context: Context, *, row: bool = False
) -> Form | None:
    """Return the shortest matrix form of a term over its slots that the kernel proves, or None."""
    if term == 0:
        return None
    for form, sizes in forms(term, slots, ranges):
        try:
            stands_for = entry_of(form, slots, sizes)
        except NoForm:
            continue
        if equal(stands_for, term, ranges, context):
            return transposed(form) if row else form
    return None


def derived_latex(tensor: Tensor, context: Context) -> str | None:
    """Return what the kernel derives for a tensor, in LaTeX: in matrix form if it has one, else by entry.

    None where the kernel or the notation has no rule, and where nothing was derived.
    """
    term = tensor.body
    ranges = {**ranges_of(term, context), **dict(zip(tensor.slots, tensor.dimensions, strict=True))}
    try:
        result = derived(term, ranges, context)
        if result == term:
            return None
        free = [s for s in sorted(result.free_symbols | term.free_symbols, key=str) if isinstance(s, Index)]
        indices = (*tensor.slots, *(s for s in free if s not in tensor.slots))
        writes = writer(LATEX, [term, result], indices)
        if indices == tensor.slots and result not in (Integer(0), Integer(1)):
            form = matrix_form(result, tensor.slots, ranges, context, row=tensor.row)
            if form is not None:
                return write(form, writes).text
        return entry_form(result, writes)
    except (KernelError, RecursionError, NoForm):
        return None

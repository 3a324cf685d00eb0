"""Where a step is claimed: matrices that have to be invertible, determinants that have to be positive.

A side that has an inverse or the logarithm of a determinant is defined only where there is one. What a page
does not say of it is told beside what it does. Where SymPy folds a quotient, a root or a logarithm away,
nothing is claimed where that was not defined.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from sympy import Basic, Expr, Indexed, Mul, Ne, Pow, log
from sympy.core.relational import Relational
from sympy.logic.boolalg import Boolean

from symderiv.kernel.substitution import names_in
from symderiv.kernel.terms import Context, Definite, Det, Index, Inv, OfMatrix, name_of, nodes
from symderiv.meaning.model import Assumption, Tensor
from symderiv.meaning.notation import LATEX, writer
from symderiv.meaning.notation.matrices import NoForm
from symderiv.meaning.notation.printing import matrix_of
from symderiv.meaning.renaming import reaches


def domains(sides: Iterable[Tensor], context: Context, given: Sequence[Assumption]) -> list[str]:
    """Return the conditions, in LaTeX, under which the sides are defined and which the page does not tell."""
    bodies = [side.body for side in sides]
    known = {each.latex for each in given}
    definite = {name for each in given for name in _definite(each)}
    below = {name: opaque.arguments for name, opaque in context.opaque.items()}
    names = {name for body in bodies for name in names_in(body)}
    reached = names.union(*(reaches(name, context.definitions, below) for name in names))
    bodies += [context.definitions[name].body for name in sorted(reached & context.definitions.keys())]
    found: dict[str, bool] = {}
    for body in bodies:
        for node in sorted((each for each in nodes(body) if _is_partial(each)), key=str):
            matrix = node if isinstance(node, Inv) else node.args[0]
            if _name(matrix) not in definite:
                text = _written(matrix)
                if text is not None:
                    found[text] = found.get(text, False) or isinstance(matrix, Det)
    told = [rf"\det({text}) > 0" if positive else f"{text} invertible" for text, positive in found.items()]
    return [condition for condition in told if condition not in known]


def _is_partial(node: Basic) -> bool:
    """Tell whether a node is an inverse, or the logarithm of one or of a determinant."""
    return isinstance(node, Inv) or (isinstance(node, log) and isinstance(node.args[0], Inv | Det))


def folded(partial: Iterable[Boolean], bodies: Sequence[Expr]) -> tuple[Boolean, ...]:
    """Return where terms were defined as written and are no longer: SymPy takes `x / x` for 1."""
    partial = [one for one in dict.fromkeys(partial) if isinstance(one, Relational)]
    if not partial:
        return ()
    kept = {_anywhere(part) for body in bodies for part in _arguments(body)}
    found = []
    for one in partial:
        value = one.args[0]
        parts = [factor.as_base_exp()[0] for factor in Mul.make_args(value)] if one.func is Ne else [value]
        found += [one.func(part, 0) for part in parts if part.free_symbols and _anywhere(part) not in kept]
    return tuple(one for one in found if isinstance(one, Relational))


def _arguments(body: Expr) -> Iterator[Expr]:
    """Yield what a term divides by, or takes a root or a logarithm of."""
    for node in body.atoms(Pow, log):
        if isinstance(node, log):
            yield node.args[0]
        elif node.exp.is_negative or not node.exp.is_integer:
            yield node.base


def _anywhere(term: Expr) -> Expr:
    """Return a term with all its indices made one, so that renaming them makes no difference."""
    return term.xreplace(dict.fromkeys(term.atoms(Index), _ANY))


_ANY = Index("any")


def _name(matrix: OfMatrix) -> str | None:
    """Return the name of the matrix, or of that of which it is the inverse, if it has one."""
    p, q, _ = matrix.places
    body = matrix.body
    if isinstance(body, Inv) and set(body.at) == {p, q}:
        return _name(body)
    return name_of(body) if isinstance(body, Indexed) and set(body.indices) == {p, q} else None


def _definite(assumption: Assumption) -> Iterable[str]:
    """Yield the name that an assumption makes positive definite."""
    for fact in assumption.fact.args if assumption.fact is not None else ():
        if isinstance(fact, Definite) and (name := _name(fact.matrix)) is not None:
            yield name


def _written(matrix: OfMatrix) -> str | None:
    """Write the matrix of an inverse or determinant, None where it has no form."""
    try:
        return matrix_of(matrix, writer(LATEX, [matrix.body], _indices(matrix)))
    except NoForm:
        return None


def _indices(matrix: Expr) -> tuple[Index, ...]:
    return tuple(s for s in matrix.free_symbols if isinstance(s, Index))

r"""Dimensions with a subscript or a label: `d_k` of `\mathbb{R}^{n \times d_k}` is one name, a size.

One of which a sum runs over the subscript, `n_i` of blocks $x_i$ of several sizes, is left as it is.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from symderiv.latex import to_latex, tree
from symderiv.meaning import names


def dimensions(chains: Iterable[tree.Chain]) -> frozenset[str]:
    """Return the scripts that stand as dimensions in the declarations of a page, as LaTeX."""
    those = list(chains)
    found = [
        (to_latex(each), _letters(each) & _indices(chain)) for chain in those for each in _declared(chain)
    ]
    running: set[str] = set()
    for chain in those if found else ():
        for member in chain.members:
            for each in names.walk(member) if member is not None else ():
                if isinstance(each, tree.Big):
                    running |= set(names.bound_letters(each.lower))
    several = {text for text, letters in found if letters & running}
    return frozenset(text for text, _ in found if text not in several)


def with_dimensions(chain: tree.Chain, known: frozenset[str]) -> tree.Chain:
    """Read the dimensions of a page as names without scripts."""
    if not known:
        return chain

    def joined(each: tree.Node) -> tree.Node:
        if not isinstance(each, tree.Script) or not _is_size(each) or to_latex(each) not in known:
            return each
        return tree.Name(to_latex(each), span=each.span)

    members = (None if member is None else names.rebuilt(member, joined) for member in chain.members)
    return replace(chain, members=tuple(members))


def _declared(chain: tree.Chain) -> Iterator[tree.Script]:
    """Yield the scripts in the exponent of a set of numbers."""
    domain = chain.members[-1]
    if not chain.operators or chain.operators[-1].text != "in" or not isinstance(domain, tree.Script):
        return
    if isinstance(domain.base, tree.Name) and domain.base.font == "blackboard" and domain.sup is not None:
        inside = names.walk(domain.sup)
        yield from (each for each in inside if isinstance(each, tree.Script) and _is_size(each))


def _is_size(node: tree.Script) -> bool:
    """Tell whether a script may be a name: a letter with something below it, or with a label."""
    plain = isinstance(node.base, tree.Name) and not node.primes
    scripts = node.sup is None or names.label(node.sup) is not None
    return plain and scripts and (node.sub is not None or node.sup is not None)


def _indices(chain: tree.Chain) -> set[str]:
    """Return the letters below and above the names that are declared."""
    scripts = [each for member in chain.members[:-1] if member is not None for each in names.walk(member)]
    return set().union(*(_letters(each) for each in scripts if isinstance(each, tree.Script)))


def _letters(node: tree.Node) -> set[str]:
    """Return the letters below and above a name."""
    inside = names.children(node)[1:]
    return {each.text for part in inside for each in names.walk(part) if isinstance(each, tree.Name)}

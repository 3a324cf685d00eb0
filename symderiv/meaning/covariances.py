r"""Covariances: a \Sigma in a Gaussian's exponent is symmetric, whether the page says so or not.

The letter stands between a row and a column with its inverse, `(x - \mu)^\top \Sigma^{-1} (x - \mu)`, or ends
the brackets of `\mathcal{N}(\mu, \Sigma)`. What is taken for granted so is an assumption, and printed.
"""

from __future__ import annotations

from collections.abc import Iterator

from symderiv.latex import tree
from symderiv.meaning import names
from symderiv.meaning.places import chains
from symderiv.meaning.raw import Fact, Survey

_LETTER = "\\Sigma"


def state_covariances(survey: Survey) -> None:
    """Let each covariance of a page be symmetric in its section."""
    stated: set[tuple[int, str]] = set()
    for place in survey.places:
        for chain in chains(place.display):
            for member in chain.members:
                for name in _covariances(member) if member is not None else ():
                    text = survey.text(name.span)
                    above = place.scope
                    seen = {(id(above), text)}
                    while above.parent is not None:
                        above = above.parent
                        seen.add((id(above), text))
                    if stated.isdisjoint(seen):
                        stated.add((id(place.scope), text))
                        transposed = tree.Script(name, sup=tree.Name("\\top", span=name.span), span=name.span)
                        relation = tree.Relation((transposed, name), ("=",), span=name.span)
                        fact = Fact(f"{text} symmetric", relation, place.scope, 0, indices=False)
                        survey.facts.append(fact)
                        survey.section.setdefault(id(place.scope), []).append(fact)


def _covariances(member: tree.Node) -> Iterator[tree.Node]:
    """Yield the covariances of a formula, each without its exponent."""
    for node in names.walk(member):
        if not isinstance(node, tree.Product):
            continue
        for left, middle in zip(node.factors, node.factors[1:], strict=False):
            row = isinstance(left, tree.Script) and names.is_transpose(left.sup)
            if row and isinstance(middle, tree.Script) and names.is_inverse(middle.sup):
                bare = (
                    middle.base
                    if middle.sub is None
                    else tree.Script(middle.base, middle.sub, span=middle.span)
                )
                if names.key(middle.base) == _LETTER:
                    yield bare
            gaussian = isinstance(left, tree.Name) and left.text == "N" and left.font == "calligraphic"
            body = middle.body if gaussian and isinstance(middle, tree.Group) else None
            last = body.items[-1] if isinstance(body, tree.Sequence) else None
            base = last.base if isinstance(last, tree.Script) and last.sup is None else last
            if last is not None and base is not None and names.key(base) == _LETTER:
                yield last

"""The first sweep: which letters are indices, and which are sizes.

Vocabulary: a letter is *bound* by a sum, *scripted* in a subscript, *compared* with another, or *alone*.
"""

from __future__ import annotations

from itertools import pairwise

from symderiv.kernel.terms import Size
from symderiv.latex import tree
from symderiv.meaning import dots, names
from symderiv.meaning.orders import order_of
from symderiv.meaning.places import chains, is_index_relation
from symderiv.meaning.raw import Letters, Survey
from symderiv.meaning.scope import Scope


def find_letters(survey: Survey, display: tree.Display, scope: Scope) -> None:
    """Collect the letters that are bound, those in subscripts, those that are compared, those alone."""
    uses = survey.uses.setdefault(id(scope), Letters(scope))
    for chain in chains(display):
        if is_index_relation(chain):
            uses.compared |= _names_of(chain)
        elif is_declaration(chain) or order_of(chain) is not None:
            domain = chain.members[-1]
            exponent = domain.sup if isinstance(domain, tree.Script) else None
            parts = () if exponent is None else names.walk(exponent)
            uses.dimensions |= {part.text for part in parts if isinstance(part, tree.Name)}
            declared = {names.key(node) or "" for node in chain.members[:-1] if node is not None}
            uses.values |= declared
            uses.vectors |= declared if exponent is not None else set()
            for node in chain.members[:-1]:
                if isinstance(node, tree.Script) and len(chain.members) == 2:
                    below = [s.text for s in names.items(node.sub) if isinstance(s, tree.Name)]
                    if len(below) > 1:
                        uses.worded.append(frozenset(below))
                        uses.twice |= {each for each in below if below.count(each) > 1}
                    _scripted(node, uses.bound, uses.scripted, set())
            order = order_of(chain)
            entry = None if order is None else order.name
            if isinstance(entry, tree.Script) and names.key(entry.base) in survey.tensors:
                _letters(entry, uses.bound, uses.scripted, uses.alone)
        elif not _is_bare_letter(chain):
            _find_in(survey, uses, chain, scope)


def _find_in(survey: Survey, uses: Letters, chain: tree.Chain, scope: Scope) -> None:
    """Collect the letters of a chain that is no declaration."""
    if isinstance(chain.members[0], tree.Script) and chain.operators:
        uses.heads |= {
            item.text
            for item in names.items(chain.members[0].sub)
            if names.is_index_letter(item) and isinstance(item, tree.Name)
        }
    if chain.operators and isinstance(chain.members[0], tree.Name):
        uses.values.add(chain.members[0].text)
    for node in chain.members:
        if node is not None:
            uses.entries |= _entries(node)
            _letters(node, uses.bound, uses.scripted, uses.alone)
            uses.summed |= {
                letter
                for each in names.walk(node)
                if isinstance(each, tree.Big)
                for letter in names.bound_letters(each.lower)
            }
            uses.compared |= {
                m.text
                for each in names.walk(node)
                if isinstance(each, tree.Relation) and _relates_letters(each)
                for m in each.members
                if isinstance(m, tree.Name)
            }
            _find_sizes(survey, node, scope)


def settle(survey: Survey) -> None:
    """A letter is an index where it is bound, or stands in subscripts and never alone, here or above.

    Letters that are only compared, `i = j`, are indices where the page has them in subscripts or sums.
    A declared dimension up to which a sum runs is a size: the subscript of `x_n` beside it is the last place.
    """
    anywhere: set[str] = set()
    for uses in survey.uses.values():
        anywhere |= uses.bound | uses.scripted
    for uses in survey.uses.values():
        alone: set[str] = set()
        bound: set[str] = set()
        ends: set[str] = set()
        dimensions: set[str] = set()
        seen: list[Letters] = []
        at: Scope | None = uses.scope
        while at is not None:
            above = survey.uses.get(id(at))
            if above is not None:
                alone |= above.alone
                bound |= above.bound
                ends |= above.uppers.keys()
                dimensions |= above.dimensions
                seen.append(above)
            at = at.parent
        words = set().union(*(each for each in uses.worded if each & uses.twice))
        beside = (each.heads for each in survey.uses.values() if each.heads and each.scope.beside(uses.scope))
        heads = set[str]().union(*beside)
        words -= bound | heads
        ends = (ends & dimensions) - bound - heads
        # The t of `h_t = \sum_{s=1}^t a^{t - s} x_s` is an index, too, also where it stands as a number.
        counted = {letter for above in seen for letter in above.uppers} & heads
        places = (_places(seen) | counted) - dimensions
        lasts = uses.lasts.keys() - bound - heads - uses.compared
        lasts = {each for each in lasts if each in dimensions or each.isupper() or each not in uses.elsewhere}
        for letter, node in (uses.lasts | uses.uppers).items():
            ranged = letter in places or uses.scope.range(letter) is not None
            ranged = ranged or not (letter in lasts or letter in uses.uppers)
            if letter not in uses.bound and letter not in heads and not ranged:
                size_of(survey, node, uses.scope)
        scripted = uses.scripted | uses.compared & anywhere
        uses.scope.indices |= (
            uses.bound | (scripted - alone - ends - words - lasts) | (places & uses.scripted)
        )


def _places(seen: list[Letters]) -> set[str]:
    """Return the letters that tell an entry of a declared vector over whose entries some sum runs.

    They are indices, also where they stand as a number: the `j` of `\\beta^{T - j} g_j`. A letter that the
    page declares or defines is none, nor is the `t` of an iterate `\\theta_t`, over which no sum runs.
    """
    vectors = set[str]().union(*(uses.vectors for uses in seen))
    values = set[str]().union(*(uses.values for uses in seen)) | {"e"}
    summed = set[str]().union(*(uses.summed for uses in seen))
    entries = {(key, letter) for uses in seen for key, letter in uses.entries if key in vectors}
    run = {key for key, letter in entries if letter in summed}
    return {letter for key, letter in entries if key in run} - values


def _entries(node: tree.Node) -> set[tuple[str, str]]:
    """Return the letters that make up the subscript of a name alone, each with the name."""
    return {
        (key, each.sub.text)
        for each in names.walk(node)
        if isinstance(each, tree.Script) and (key := names.key(each.base)) is not None
        if isinstance(each.sub, tree.Name) and names.is_index_letter(each.sub)
    }


def compares(chain: tree.Chain, scope: Scope) -> bool:
    """Tell whether a chain relates indices: `i = j`, `i \\ne j`."""
    return is_index_relation(chain) and all(scope.is_index(letter) for letter in _names_of(chain))


def _scripted_elsewhere(node: tree.Node) -> set[str]:
    """Return the letters in subscripts outside of lists and matrices with dots."""
    if dots.lasts(node):
        return set()
    found = {letter for child in names.children(node) for letter in _scripted_elsewhere(child)}
    if isinstance(node, tree.Script) and node.sub is not None:
        found |= {each.text for each in names.walk(node.sub) if isinstance(each, tree.Name)}
    return found


def _find_sizes(survey: Survey, node: tree.Node, scope: Scope) -> None:
    survey.uses[id(scope)].elsewhere |= _scripted_elsewhere(node)
    for each in names.walk(node):
        if isinstance(each, tree.Big) and isinstance(each.upper, tree.Name | tree.Additive):
            for name in names.walk(each.upper):
                if isinstance(name, tree.Name):
                    survey.uses[id(scope)].uppers.setdefault(name.text, name)
        if (
            isinstance(each, tree.Script)
            and each.base in (tree.Name("1", "bold"), tree.Name("1", "blackboard"))
            and isinstance(each.sub, tree.Name)
        ):
            survey.uses[id(scope)].uppers.setdefault(each.sub.text, each.sub)
        if isinstance(each, tree.Product):
            _find_mean(survey, each, scope)
        if dots.templates(each):
            survey.uses[id(scope)].bound |= dots.LETTERS
        for end in dots.lasts(each):
            survey.uses[id(scope)].lasts.setdefault(end.text, end)


def _find_mean(survey: Survey, node: tree.Product, scope: Scope) -> None:
    """The n of `\\frac1n \\sum_i x_i` is the number of terms."""
    for fraction, big in pairwise(node.factors):
        if not isinstance(fraction, tree.Fraction) or not isinstance(big, tree.Big) or big.upper is not None:
            continue
        named = [n for n in names.walk(fraction.denominator) if isinstance(n, tree.Name)]
        if len(named) != 1 or len(named[0].text) != 1 or len(names.bound_letters(big.lower)) != 1:
            continue
        if not _is_another_number(survey, named[0].text, big, scope):
            survey.uses[id(scope)].uppers.setdefault(named[0].text, named[0])
            survey.means[id(big)] = named[0].text


def _is_another_number(survey: Survey, letter: str, big: tree.Big, scope: Scope) -> bool:
    """Tell whether the letter of `\\frac1s \\sum_i x_i` is declared, and how many x_i there are as well."""
    at: Scope | None = scope
    values, dimensions, vectors = set[str](), set[str](), set[str]()
    while at is not None:
        uses = survey.uses.get(id(at), Letters(at))
        values, dimensions, vectors = (
            values | uses.values,
            dimensions | uses.dimensions,
            vectors | uses.vectors,
        )
        at = at.parent
    (index,) = names.bound_letters(big.lower)
    counted = any(key in vectors and index == each for key, each in _entries(big.body))
    return counted and letter in values and letter not in dimensions


def size_of(survey: Survey, node: tree.Name, scope: Scope) -> Size:
    """Return the size of a letter, which is a size from here on."""
    known = scope.size(node.text)
    if known is None:
        known = survey.sizes.new(Size(node.text), origin=node.span)
        scope.sizes[node.text] = known
        survey.sizes.reserve(node.text)
    return known


def is_declaration(chain: tree.Chain) -> bool:
    """Tell whether a chain says where a name lies: `x \\in S`, `f : A \\to B`, `a > 0`."""
    operators = [operator.text for operator in chain.operators]
    if operators in (["in"], [":", "to"]):
        return True
    last = chain.members[-1]
    return (
        operators == [">"]
        and isinstance(last, tree.Number)
        and isinstance(chain.members[0], tree.Name | tree.Accent | tree.Script)
    )


def _names_of(chain: tree.Chain) -> set[str]:
    return {member.text for member in chain.members if isinstance(member, tree.Name)}


def _is_bare_letter(chain: tree.Chain) -> bool:
    """Tell whether a formula is an index letter, some in brackets, or sums and products of them, in prose.

    So prose speaks of places: *entry $(i, j)$*, *place $s (i - 1) + k$*.
    """
    first = chain.members[0]
    if len(chain.members) != 1 or first is None:
        return False
    parts = list(names.walk(first))
    letters = sum(map(names.is_index_letter, parts))
    sums = letters > 1 and isinstance(names.plain(first), tree.Additive)
    if not sums:
        inner = names.plain(first)
        single = inner.items if isinstance(inner, tree.Sequence) else (inner,)
        return all(names.is_index_letter(letter) for letter in single)
    return all(isinstance(part, _ARITHMETIC) for part in parts)


_ARITHMETIC = (tree.Name, tree.Number, tree.Additive, tree.Product, tree.Group)


def _letters(node: tree.Node, bound: set[str], scripted: set[str], alone: set[str]) -> None:
    """Sort the letters of an expression: bound by sums or compared, in subscripts, or alone."""
    if isinstance(node, tree.Big):
        bound |= {
            letter
            for letter in names.bound_letters(node.lower)
            if len(letter) == 1 or letter.startswith("\\")
        }
        if isinstance(node.lower, tree.Relation):
            bound |= {m.text for m in node.lower.members if names.is_index_letter(m)}  # type: ignore[attr-defined]
        _letters(node.body, bound, scripted, alone)
        return
    if isinstance(node, tree.Relation):
        # The v of `w_t = v` and the k of `k > 1` may be indices elsewhere.
        for member in () if _relates_letters(node) else node.members:
            if not names.is_index_letter(member):
                _letters(member, bound, scripted, alone)
        return
    if isinstance(node, tree.Script):
        _scripted(node, bound, scripted, alone)
        return
    if names.is_index_letter(node):
        alone.add(node.text)  # type: ignore[attr-defined]
    for child in names.children(node):
        _letters(child, bound, scripted, alone)


def _scripted(node: tree.Script, bound: set[str], scripted: set[str], alone: set[str]) -> None:
    """Sort the letters of an expression with a subscript."""
    inner: set[str] = set()
    for item in names.items(node.sub):
        inner |= {n.text for n in names.walk(item) if names.is_index_letter(n)}  # type: ignore[attr-defined]
    if isinstance(node.base, tree.Name) and node.base.text == "\\delta" and len(names.items(node.sub)) == 2:
        bound |= inner
    scripted |= inner
    _letters(node.base, bound, scripted, alone)
    if node.sup is not None and names.label(node.sup) is None:
        _letters(node.sup, bound, scripted, alone)
    if isinstance(node.sub, tree.Relation):
        _letters(node.sub, bound, scripted, alone)


def _relates_letters(node: tree.Relation) -> bool:
    """Tell whether a condition compares letters, or sums and products of them: `i = j`, `j = s i + k`."""
    parts = [part for member in node.members for part in names.walk(member)]
    plain = all(isinstance(part, _ARITHMETIC) for part in parts)
    return plain and sum(map(names.is_index_letter, parts)) > 1

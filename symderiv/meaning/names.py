"""Names and indices in the syntax tree: what a node is called, and which letters it binds or leaves free.

Vocabulary: the *key* of a name is its LaTeX without font (`\\hat{y}`, `W^{(2)}`, `x_{new}`); an *item*
is one index of a subscript. Nothing here decides what a name means.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import fields, replace

from symderiv.latex import to_latex, tree

_DISTINCT_FONTS = frozenset({"blackboard", "calligraphic", "fraktur"})
TRANSPOSES = frozenset({"T", "\\top", "\\intercal", "Tr", "\\prime"})


_PARTS = {
    kind: tuple(
        each.name for each in fields(kind) if each.init and each.type not in ("str", "int", "bool", "Span")
    )
    for kind in vars(tree).values()
    if isinstance(kind, type) and issubclass(kind, tree.Node)
}
"""The fields of each kind of node below which others may stand."""


def children(node: tree.Node) -> list[tree.Node]:
    """Return the nodes directly below a node, in the order of writing."""
    found: list[tree.Node] = []
    for part in _PARTS[type(node)]:
        value = getattr(node, part)
        if isinstance(value, tree.Node):
            found.append(value)
        elif value:
            _nodes(value, found)
    return found


def _nodes(values: object, found: list[tree.Node]) -> None:
    for value in values if isinstance(values, tuple) else ():
        if isinstance(value, tree.Node):
            found.append(value)
        else:
            _nodes(value, found)


def walk(node: tree.Node) -> tuple[tree.Node, ...]:
    """Return a node and all that is below it, in the order of writing; a page asks for it again and again."""
    if node.walked is None:
        found = (node, *(each for child in children(node) for each in walk(child)))
        object.__setattr__(node, "walked", found)
        return found
    return node.walked


def key(node: tree.Node, *, fonts: frozenset[str] = frozenset()) -> str | None:
    """Return the key of a Name or Accent, else None; `fonts` lists the keys whose bold is another name."""
    if isinstance(node, tree.Name):
        if node.font in _DISTINCT_FONTS:
            return f"\\{_FONT[node.font]}{{{node.text}}}"
        if node.font == "bold" and node.text in fonts:
            return f"\\mathbf{{{node.text}}}"
        return node.text
    if isinstance(node, tree.Accent):
        inner = key(node.body, fonts=fonts)
        if inner is None and isinstance(node.body, tree.Script):
            return None
        return None if inner is None else f"\\{_MARK.get(node.mark, node.mark)}{{{inner}}}"
    return None


_MARK = {
    "widehat": "hat",
    "overline": "bar",
    "widetilde": "tilde",
    "overrightarrow": "vec",
    "widecheck": "check",
}
"""Accents that are another one, drawn wider."""
_FONT = {"blackboard": "mathbb", "calligraphic": "mathcal", "fraktur": "mathfrak"}


def items(sub: tree.Node | None) -> tuple[tree.Node, ...]:
    """Return the index items of a subscript: `ij`, `i,j`, `i j` and `12` give two each."""
    if sub is None:
        return ()
    if isinstance(sub, tree.Sequence):
        return tuple(item for each in sub.items for item in items(each))
    if isinstance(sub, tree.Product) and all(operator == "" for operator in sub.operators):
        return tuple(item for each in sub.factors for item in items(each))
    return (sub,)


_GREEK = frozenset(
    {
        "\\alpha",
        "\\beta",
        "\\gamma",
        "\\delta",
        "\\epsilon",
        "\\varepsilon",
        "\\zeta",
        "\\eta",
        "\\theta",
        "\\iota",
        "\\kappa",
        "\\lambda",
        "\\mu",
        "\\nu",
        "\\xi",
        "\\rho",
        "\\sigma",
        "\\tau",
        "\\upsilon",
        "\\phi",
        "\\chi",
        "\\psi",
        "\\omega",
        "\\ell",
    }
)


def is_index_letter(node: tree.Node) -> bool:
    """Tell whether a node is a single lower-case letter, Latin or Greek, with a prime perhaps."""
    text = node.text.removesuffix("'") if isinstance(node, tree.Name) and node.font == "" else ""
    return (len(text) == 1 and text.isascii() and text.islower()) or text in _GREEK


def with_labels(chain: tree.Chain, labels: frozenset[str]) -> tree.Chain:
    """Read `a^{(l-1)}` as a label where the page has `(l)` as one."""

    def relabel(each: tree.Node) -> tree.Node:
        if not isinstance(each, tree.Script) or not isinstance(each.sup, tree.Group):
            return each
        inside = {n.text for n in walk(each.sup) if isinstance(n, tree.Name)}
        if not inside or not inside <= labels or not isinstance(each.sup.body, tree.Additive):
            return each
        body = tree.Name(to_latex(each.sup.body).replace(" ", ""), span=each.sup.body.span)
        return replace(each, sup=replace(each.sup, body=body))

    return replace(chain, members=tuple(None if m is None else rebuilt(m, relabel) for m in chain.members))


def plain(node: tree.Node) -> tree.Node:
    """Return the body of brackets around a node; those of a rounded number are no mere brackets."""
    while isinstance(node, tree.Group) and not node.left.startswith("\\"):
        node = node.body
    return node


def label(sup: tree.Node | None) -> tree.Node | None:
    """Return what a bracketed superscript holds: the `2` of `W^{(2)}`, the `l` of `W^{[l]}`."""
    if isinstance(sup, tree.Group) and isinstance(sup.body, tree.Name | tree.Number):
        return sup.body
    return None


def label_text(sup: tree.Node) -> str:
    """Return a label with its brackets: `(2)`, `[l]`, `(l-1)`."""
    assert isinstance(sup, tree.Group)
    assert isinstance(sup.body, tree.Name | tree.Number)
    return f"{sup.left}{sup.body.text}{sup.right}"


def is_transpose(sup: tree.Node | None) -> bool:
    """Tell whether a superscript is a transpose sign."""
    return isinstance(sup, tree.Name) and sup.text in TRANSPOSES


def is_inverse(sup: tree.Node | None) -> bool:
    """Tell whether a superscript is -1, or a transpose sign with a minus."""
    terms = sup.terms if isinstance(sup, tree.Additive) else ()
    return (
        len(terms) == 1 and terms[0][0] == "-" and (is_transpose(terms[0][1]) or to_latex(terms[0][1]) == "1")
    )


def bound_letters(lower: tree.Node | None) -> tuple[str, ...]:
    """Return the letters that a big operator binds, from what stands below it."""
    if lower is None:
        return ()
    if isinstance(lower, tree.Sequence):
        return tuple(letter for item in lower.items for letter in bound_letters(item))
    if isinstance(lower, tree.Relation):
        return (
            bound_letters(lower.members[0])
            if lower.operators[0] != "<" or len(lower.members) == 2
            else (bound_letters(lower.members[1]))
        )
    if isinstance(lower, tree.Product):
        return tuple(letter for item in lower.factors for letter in bound_letters(item))
    if isinstance(lower, tree.Name):
        return (lower.text,)
    return ()


def free_letters(
    node: tree.Node, among: frozenset[str] | set[str], bound: frozenset[str] = frozenset()
) -> set[str]:
    """Return the letters of `among` that occur in a node outside every sum that binds them."""
    if isinstance(node, tree.Name):
        return {node.text} & set(among) - bound
    if isinstance(node, tree.Big):
        inner = bound | set(bound_letters(node.lower))
        parts = [part for part in (node.body, node.lower, node.upper) if part is not None]
        return set().union(*(free_letters(part, among, frozenset(inner)) for part in parts))
    found: set[str] = set()
    for child in children(node):
        found |= free_letters(child, among, bound)
    return found


def free_of_sums(node: tree.Node) -> set[str]:
    """Return the index letters of subscripts that stand free, the j of `\\sum_{i < j}` not among them."""
    if isinstance(node, tree.Script) and node.sub is not None:
        own = {n.text for n in walk(node.sub) if is_index_letter(n)}  # type: ignore[attr-defined]
        return own.union(*map(free_of_sums, children(node)))
    bound: set[str] = set()
    if isinstance(node, tree.Big) and node.lower is not None:
        bound = {n.text for n in walk(node.lower) if isinstance(n, tree.Name)}
    return set().union(*map(free_of_sums, children(node))) - bound


def free_beside(node: tree.Node, skip: tree.Node, among: set[str]) -> set[str]:
    """Return the free letters of a node outside one of its parts."""
    if node is skip:
        return set()
    if isinstance(node, tree.Name):
        return {node.text} & among
    bound = set(bound_letters(node.lower)) if isinstance(node, tree.Big) else set()
    return set().union(*(free_beside(child, skip, among - bound) for child in children(node)))


def outright(node: tree.Node, among: set[str]) -> set[str]:
    """Return the free letters of a node, except those of terms that come after a sum which binds them."""
    if isinstance(node, tree.Additive):
        found: set[str] = set()
        bound: set[str] = set()
        for _, term in node.terms:
            found |= free_letters(term, among) - bound
            if isinstance(term, tree.Big):
                bound |= set(bound_letters(term.lower))
        return found
    return free_letters(node, among)


def reused(node: tree.Node, among: set[str]) -> Iterator[tuple[str, tree.Big]]:
    """Yield each letter that a sum binds and that is free in the same term, with the sum.

    A term reaches up to the next `+` or `-`; factors, numerators, denominators and operands belong to it.
    """
    if isinstance(node, tree.Additive):
        for _, term in node.terms:
            yield from reused(term, among)
        return
    sums = list(_term_sums(node))
    if sums:
        free = free_letters(node, among)
        for each in sums:
            for letter in bound_letters(each.lower):
                if letter in free:
                    yield letter, each
    else:
        for child in children(node):
            yield from reused(child, among)


def _term_sums(node: tree.Node) -> Iterator[tree.Big]:
    if isinstance(node, tree.Big) and node.operator in ("sum", "prod"):
        yield node
    for child in children(node):
        yield from _term_sums(child)


def renamed(node: tree.Node, old: str, new: str) -> tree.Node:
    """Return the tree with one name written as another."""

    def rename(each: tree.Node) -> tree.Node:
        return replace(each, text=new) if isinstance(each, tree.Name) and each.text == old else each

    return rebuilt(node, rename)


def with_transposes(chain: tree.Chain) -> tree.Chain:
    """Read `A^t` as a transpose, on a page where t is no index."""

    def turn(each: tree.Node) -> tree.Node:
        if isinstance(each, tree.Script) and each.sup == tree.Name("t"):
            return replace(each, sup=tree.Name("\\top", span=each.sup.span))
        return each

    return replace(chain, members=tuple(None if m is None else rebuilt(m, turn) for m in chain.members))


def alone(node: tree.Node) -> Iterator[tree.Name]:
    """Yield the names of a node that are more than a whole superscript."""
    if isinstance(node, tree.Name):
        yield node
    for child in children(node):
        if not (isinstance(node, tree.Script) and child is node.sup and isinstance(child, tree.Name)):
            yield from alone(child)


def upper_pairs(node: tree.Node) -> Iterator[tuple[str | None, frozenset[str]]]:
    """Yield each name with several letters above it, `A^{ij}`, and the letters."""
    for each in walk(node):
        if not isinstance(each, tree.Script) or each.sup is None:
            continue
        if len(items(each.sup)) > 1 and all(map(is_index_letter, items(each.sup))):
            yield key(each.base), frozenset(n.text for n in walk(each.sup) if isinstance(n, tree.Name))


def upper_heads(found: list[tree.Chain]) -> set[str]:
    """Return the single letters above the heads of definitions, `p^k_j = \\dots z^k_j`: they are no powers.

    The body has the letter above a name, too, and the page takes no number or bracket to its power.
    """
    heads: set[str] = set()
    powers: set[str] = set()
    for chain in found:
        scripts = [
            [each for each in walk(member) if isinstance(each, tree.Script)] if member is not None else []
            for member in chain.members
        ]
        for each in (each for inside in scripts for each in inside):
            inside_it = [] if each.sup is None else list(walk(each.sup))
            named = isinstance(each.base, tree.Name | tree.Accent) and key(each.base) != "e"
            if not named and not any(isinstance(n, tree.Script) for n in inside_it):
                powers |= {n.text for n in inside_it if isinstance(n, tree.Name)}
        first = chain.members[0]
        above = _above(first)
        if above is not None and [operator.text for operator in chain.operators][:1] in (["="], [":="]):
            body = [each for inside in scripts[1:] for each in inside]
            heads |= {above} if above in map(_above, body) else set()
    return heads - powers


def _above(node: tree.Node | None) -> str | None:
    """Return the letter above a name that has a subscript, too."""
    if not isinstance(node, tree.Script) or node.sub is None or not isinstance(node.sup, tree.Name):
        return None
    named = isinstance(node.base, tree.Name | tree.Accent) and is_index_letter(node.sup)
    return node.sup.text if named else None


def labels_apart(chain: tree.Chain) -> tree.Chain:
    """Read `W^{(2)T}` as the transpose of `W^{(2)}`."""

    def part(each: tree.Node) -> tree.Node:
        sup = each.sup if isinstance(each, tree.Script) else None
        if not isinstance(each, tree.Script) or not isinstance(sup, tree.Product) or len(sup.factors) != 2:
            return each
        if label(sup.factors[0]) is None or not is_transpose(sup.factors[1]):
            return each
        return tree.Script(replace(each, sup=sup.factors[0]), sup=sup.factors[1], span=each.span)

    return replace(chain, members=tuple(None if m is None else rebuilt(m, part) for m in chain.members))


def lowered(chain: tree.Chain, letters: set[str], paired: set[str]) -> tree.Chain:
    """Write upper component indices below where their letters range: `A^{ij}` as `A_{ij}`.

    A single upper letter, `u^i`, is one where some name of the page has it in a pair (`paired`).
    """

    def lower(each: tree.Node) -> tree.Node:
        if (
            not isinstance(each, tree.Script)
            or each.sup is None
            or not isinstance(each.base, tree.Name | tree.Accent | tree.Group)
        ):
            return each
        upper = items(each.sup)
        if (
            isinstance(each.base, tree.Name)
            and each.base.text == "\\delta"
            and len(upper) + len(items(each.sub)) == 2
        ):
            several = all(is_index_letter(item) for item in upper)
        else:
            above = {n.text for item in upper for n in walk(item) if isinstance(n, tree.Name)}
            several = above <= letters if len(upper) > 1 else bool(above) and above <= paired
            several = several and all(is_index_letter(item) for item in upper)
        if not several or (isinstance(each.base, tree.Name) and each.base.text == "e"):
            return each
        return replace(each, sub=tree.Sequence((*upper, *items(each.sub)), span=each.sup.span), sup=None)

    members = tuple(None if member is None else rebuilt(member, lower) for member in chain.members)
    return replace(chain, members=members)


def rebuilt(node: tree.Node, change: Callable[[tree.Node], tree.Node]) -> tree.Node:
    """Return the tree with every node changed, from the leaves up; what stays the same is kept."""
    changes: dict[str, object] | None = None
    for part in _PARTS[type(node)]:
        old = getattr(node, part)
        if not old:
            continue
        new = _each_rebuilt(old, change) if isinstance(old, tuple) else rebuilt(old, change)
        if new is not old:
            changes = {part: new} if changes is None else changes | {part: new}
    return change(replace(node, **changes) if changes else node)  # type: ignore[arg-type]


def _each_rebuilt(values: tuple[object, ...], change: Callable[[tree.Node], tree.Node]) -> tuple[object, ...]:
    """Return a part of several nodes, nested or beside marks, with all of them changed."""
    parts, same = [], True
    for old in values:
        new: object = old
        if isinstance(old, tree.Node):
            new = rebuilt(old, change)
        elif isinstance(old, tuple):
            new = _each_rebuilt(old, change)
        same = same and new is old
        parts.append(new)
    return values if same else tuple(parts)


def counts(node: tree.Node, among: frozenset[str]) -> Counter[str]:
    """Count how often each letter of `among` stands in a term; of terms that are added, the largest count."""
    if isinstance(node, tree.Additive):
        total: Counter[str] = Counter()
        for _, term in node.terms:
            total |= counts(term, among)
        return total
    if isinstance(node, tree.Name):
        return Counter([node.text]) if node.text in among else Counter()
    if isinstance(node, tree.Big):
        inner = counts(node.body, among)
        for letter in bound_letters(node.lower):
            del inner[letter]
        return inner
    total = Counter()
    for child in children(node):
        total += counts(child, among)
    return total


def summed(members: list[tree.Node], among: frozenset[str]) -> list[tree.Node]:
    """Write Einstein's sums out: a letter that stands twice in a term, and free in no member, is summed.

    A letter is free where some term of some member has it once.
    """
    free: set[str] = set()
    for member in members:
        for term in _terms(member):
            free |= {letter for letter, count in counts(term, among).items() if count == 1}
    return [_summed(member, among, free) for member in members]


def _terms(node: tree.Node) -> tuple[tree.Node, ...]:
    return tuple(term for _, term in node.terms) if isinstance(node, tree.Additive) else (node,)


def _summed(node: tree.Node, among: frozenset[str], free: set[str]) -> tree.Node:
    if isinstance(node, tree.Additive):
        return replace(node, terms=tuple((sign, _summed(term, among, free)) for sign, term in node.terms))
    for letter, count in counts(node, among).items():
        if count > 1 and letter not in free:
            node = _sum_over(letter, node)
    return node


def _sum_over(letter: str, node: tree.Node) -> tree.Node:
    """Sum over a letter in the smallest part of a term that has all of it."""
    among = frozenset({letter})
    if isinstance(node, tree.Additive):
        terms = (
            (sign, _sum_over(letter, t) if counts(t, among)[letter] > 1 else t) for sign, t in node.terms
        )
        return replace(node, terms=tuple(terms))
    total = counts(node, among)[letter]
    inner = [child for child in children(node) if counts(child, among)[letter] == total]
    whole = isinstance(node, tree.Derivative | tree.Cases | tree.Matrix | tree.Sequence | tree.Relation)
    if len(inner) == 1 and not whole:
        only = inner[0]
        changes = {
            f.name: _put(getattr(node, f.name), only, _sum_over(letter, only)) for f in fields(node) if f.init
        }
        return replace(node, **changes)  # type: ignore[arg-type]
    lower = tree.Sequence((tree.Name(letter, span=node.span),), span=node.span)
    return tree.Big("sum", lower, None, node, span=node.span)


def _put(value: object, old: tree.Node, new: tree.Node) -> object:
    """Return a field with one of its nodes replaced."""
    if value is old:
        return new
    return tuple(_put(item, old, new) for item in value) if isinstance(value, tuple) else value


def written(node: tree.Script, fonts: frozenset[str]) -> str | None:
    """Return the key of a name with a label or a word below it, `W^{(2)}`, `x_{new}`; None for a power."""
    base = key(node.base, fonts=fonts)
    if base is None or node.primes:
        return None
    if node.sup is not None:
        if label(node.sup) is None:
            return None
        base = f"{base}^{{{label_text(node.sup)}}}"
    subs = items(node.sub)
    return f"{base}_{{{','.join(to_latex(sub) for sub in subs)}}}" if subs else base

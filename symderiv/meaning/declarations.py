"""Declarations: `x \\in \\mathbb R^n`, `f : A \\to B`, `a > 0`, and the ranges of indices.

Vocabulary: a *dimension* is one exponent of a set; names that wait for their set are *pending*.
"""

from __future__ import annotations

from sympy import Expr, Integer

from symderiv.kernel.terms import Bounds, Size
from symderiv.latex import tree
from symderiv.meaning import names, orders
from symderiv.meaning.heads import head_of
from symderiv.meaning.letters import size_of
from symderiv.meaning.places import Place, chains
from symderiv.meaning.raw import Survey
from symderiv.meaning.scope import Name, Scope


def declare_all(survey: Survey, place: Place) -> None:
    """Read the declarations of a display, those of several names included."""
    assert place.display is not None
    scope = place.scope
    pending: list[tree.Node] = []
    for at, item in enumerate(place.display.items):
        if isinstance(item, tree.Chain):
            if len(item.members) == 1 and item.members[0] is not None:
                pending.append(item.members[0])
                continue
            if orders.is_declared(survey, place, at):
                _declare_order(survey, item, pending, scope)
            else:
                _declare(survey, item, pending, scope)
            pending = []
        elif not (isinstance(item, tree.Connective) and item.text == ","):
            pending = []


def index_range(survey: Survey, items: tuple[object, ...], at: int, scope: Scope) -> None:
    """`i = 1, \\dots, N`."""
    chain = items[at]
    if isinstance(chain, tree.Chain) and [operator.text for operator in chain.operators] == ["in"]:
        node, domain = chain.members
        if isinstance(node, tree.Name) and names.is_index_letter(node) and isinstance(domain, tree.Group):
            _range_in(survey, node, domain, scope)
        return
    rest = [item for item in items[at + 1 :] if not isinstance(item, tree.Connective)]
    if not (
        isinstance(chain, tree.Chain)
        and len(chain.members) == 2
        and chain.operators[0].text == "="
        and isinstance(chain.members[0], tree.Name)
        and names.is_index_letter(chain.members[0])
        and isinstance(chain.members[1], tree.Number)
        and len(rest) >= 2
    ):
        return
    dots, last = rest[0], rest[1]
    if (
        isinstance(dots, tree.Chain)
        and isinstance(dots.members[0], tree.Dots)
        and isinstance(last, tree.Chain)
        and isinstance(last.members[0], tree.Name)
    ):
        scope.letters[chain.members[0].text] = size_of(survey, last.members[0], scope)
        scope.indices.add(chain.members[0].text)


def _range_in(survey: Survey, node: tree.Name, domain: tree.Group, scope: Scope) -> bool:
    """Read `i \\in \\{1, \\dots, N\\}`; tell whether it is one."""
    inside = domain.body
    if not isinstance(inside, tree.Sequence) or not any(isinstance(i, tree.Dots) for i in inside.items):
        return False
    last = inside.items[-1]
    if isinstance(last, tree.Name):
        scope.letters[node.text] = size_of(survey, last, scope)
        scope.indices.add(node.text)
    return True


def _declare(survey: Survey, chain: tree.Chain, pending: list[tree.Node], scope: Scope) -> None:
    operators = [operator.text for operator in chain.operators]
    first, last = chain.members[0], chain.members[-1]
    if operators[-1] == "in" and last is not None:
        tail = "=" in operators
        for node in (chain.members[0], chain.members[-2]) if tail else (*pending, chain.members[-2]):
            if node is not None:
                _declare_in(survey, node, last, scope)
    elif operators == [":", "to"] and first is not None:
        name = _declared(survey, first, scope)
        if name is not None:
            name.function = True
            name.takes = len(_shape(survey, chain.members[1], scope) or ())
            codomain = _shape(survey, chain.members[2], scope)
            if codomain is not None:
                name.shape = codomain


def _declare_order(survey: Survey, chain: tree.Chain, pending: list[tree.Node], scope: Scope) -> None:
    """Bound the names of `a > 0`, `a, b > 0`, `0 \\le a < 1`, unless one is a size or an index."""
    order = orders.order_of(chain)
    assert order is not None
    for node in (*pending, order.name):
        key = names.key(node, fonts=survey.fonts)
        if key is not None and (scope.size(key) is not None or scope.is_index(key)):
            continue
        name = _declared(survey, node, scope)
        if name is not None:
            _bound(name, order.bounds)


def _bound(name: Name, bounds: Bounds) -> None:
    """Let a name lie within bounds, and within those that it has."""
    name.bounds = bounds if name.bounds is None else name.bounds.both(bounds)
    name.positive = name.bounds.positive


def _declared(survey: Survey, node: tree.Node, scope: Scope) -> Name | None:
    head = head_of(survey, node, scope)
    if head is None or head.parameters is not None or head.power != 1:
        return None
    name = scope.given(head.key) or survey.create(head.key, node, scope)
    name.declared = name.introduced = True
    name.declared_at = name.declared_at or node.span
    return name


def _declared_function(survey: Survey, node: tree.Node, scope: Scope) -> Name | None:
    """`M(t) \\in \\mathbb{R}^{n \\times n}`: a tensor that is a function of one variable."""
    head = head_of(survey, node, scope)
    if head is None or head.parameters is None or len(head.parameters) != 1 or head.letters:
        return None
    name = scope.given(head.key) or survey.create(head.key, node, scope)
    name.declared = name.introduced = name.function = True
    return name


def _declare_in(survey: Survey, node: tree.Node, domain: tree.Node, scope: Scope) -> None:
    if (
        isinstance(domain, tree.Group)
        and isinstance(node, tree.Name)
        and _range_in(survey, node, domain, scope)
    ):
        return
    shape = _shape(survey, domain, scope, names.key(node, fonts=survey.fonts))
    if shape is None:
        return
    if isinstance(domain, tree.Name) and domain.text == "N" and isinstance(node, tree.Name):
        size_of(survey, node, scope)
        return
    name = _declared(survey, node, scope) or (_declared_function(survey, node, scope) if shape else None)
    if name is not None:
        head = head_of(survey, node, scope)
        assert head is not None
        if _is_row(survey, name, shape):
            shape, name.row = shape[1:], True
        rows = tuple(scope.range(letter) or survey.sizes.new(origin=node.span) for letter in head.letters)
        name.shape = rows + shape
        name.values = _few(domain)
        among = _base(domain)
        name.whole = isinstance(among, tree.Name) and among.text in ("N", "Z")
        name.limited = not name.values and isinstance(among, tree.Group) and among.left == "{"
        if head.letters:
            name.indexed[len(head.letters)] += 1
        bounds = orders.interval(domain)
        if bounds is not None:
            _bound(name, bounds)
        elif isinstance(among, tree.Group) and among.left in "([":
            name.limited = True


def _is_row(survey: Survey, name: Name, shape: tuple[Size, ...]) -> bool:
    """Tell whether `x \\in \\mathbb{R}^{1 \\times n}` is a row vector: no entry has two indices."""
    thin = len(shape) == 2 and survey.sizes.value(shape[0]) == 1 and survey.sizes.value(shape[1]) != 1
    return thin and not _has_two(survey, name.key)


def _has_two(survey: Survey, key: str | None) -> bool:
    """Tell whether the page writes entries of a name with two indices."""
    members = (m for place in survey.places for chain in chains(place.display) for m in chain.members)
    scripts = (n for m in members if m is not None for n in names.walk(m) if isinstance(n, tree.Script))
    return any(names.key(n.base, fonts=survey.fonts) == key and len(names.items(n.sub)) > 1 for n in scripts)


def _shape(
    survey: Survey, domain: tree.Node | None, scope: Scope, of: str | None = None
) -> tuple[Size, ...] | None:
    """Read `\\mathbb{R}^{T \\times N}`, of a name, as dimensions, or None where it is no such set."""
    sup: tree.Node | None = None
    base = domain
    if isinstance(domain, tree.Script):
        base, sup = domain.base, domain.sup
    numbers = isinstance(base, tree.Name) and base.font == "blackboard" and base.text in ("R", "N", "Z")
    if not numbers and not (isinstance(base, tree.Group) and isinstance(base.body, tree.Sequence)):
        return None
    if sup is None or (isinstance(sup, tree.Name) and sup.text == "+"):
        return ()
    factors = sup.factors if isinstance(sup, tree.Product) and set(sup.operators) == {"times"} else (sup,)
    sizes = []
    for factor in factors:
        size = _dimension(survey, factor, scope)
        if size is None:
            return None
        sizes.append(size)
    thin = len(sizes) == 2 and survey.sizes.value(sizes[1]) == 1
    return tuple(sizes[:1] if thin and not _has_two(survey, of) else sizes)


def _few(domain: tree.Node) -> tuple[int, ...]:
    """Return the numbers of `\\{0, 1\\}^n`, none where a domain is no finite set of numbers."""
    group = _base(domain)
    if not isinstance(group, tree.Group) or group.left != "{" or not isinstance(group.body, tree.Sequence):
        return ()
    found = [_whole(item) for item in group.body.items]
    return tuple(sorted({n for n in found if n is not None})) if None not in found else ()


def _base(domain: tree.Node) -> tree.Node | None:
    """Return the set of which a domain is a power."""
    return domain.base if isinstance(domain, tree.Script) else domain


def _whole(node: tree.Node) -> int | None:
    """Return the value of `1`, `-1` or `+1`."""
    if isinstance(node, tree.Additive) and len(node.terms) == 1:
        ((sign, inner),) = node.terms
        value = _whole(inner)
        return -value if value is not None and sign == "-" else value
    return int(node.text) if isinstance(node, tree.Number) and node.text.isdecimal() else None


def _dimension(survey: Survey, node: tree.Node, scope: Scope) -> Size | None:
    if isinstance(node, tree.Name):
        return size_of(survey, node, scope)
    if isinstance(node, tree.Number):
        return survey.sizes.new(Integer(node.text), origin=node.span)
    if isinstance(node, tree.Product) and all(isinstance(f, tree.Name | tree.Number) for f in node.factors):
        value = Integer(1)
        for factor in node.factors:
            value = value * _size_value(survey, factor, scope)
        return survey.sizes.new(value, origin=node.span)
    if isinstance(node, tree.Additive) and all(isinstance(t, tree.Name | tree.Number) for _, t in node.terms):
        total = Integer(0)
        for sign, term in node.terms:
            part = _size_value(survey, term, scope)
            total = total - part if sign == "-" else total + part
        return survey.sizes.new(total, origin=node.span)
    return None


def _size_value(survey: Survey, node: tree.Node, scope: Scope) -> Expr:
    if isinstance(node, tree.Number):
        return Integer(node.text)
    assert isinstance(node, tree.Name)
    size_of(survey, node, scope)
    return Size(node.text)

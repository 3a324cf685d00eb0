"""Names and their entries: a name with its subscript becomes an entry of a tensor.

Vocabulary: the *items* of a subscript are fixed indices; the slots that they leave open stay slots of
the tensor. Letters with a meaning of their own (`I`, `\\mathbf 1`, `\\delta_{ij}`) are here too.
"""

from __future__ import annotations

import re

import sympy
from sympy import (
    Expr,
    Integer,
)

from symderiv.diagnostics import Diagnostic, Span
from symderiv.kernel.terms import Index, Size, entry, fresh
from symderiv.latex import tree
from symderiv.meaning import names
from symderiv.meaning.advice import ADVICE, REAL, told
from symderiv.meaning.conditions import indicated
from symderiv.meaning.elaborator import FLAT, Elaborator
from symderiv.meaning.errors import Untyped, ill_typed, unsupported
from symderiv.meaning.model import Tensor
from symderiv.meaning.patterns import composite_head
from symderiv.meaning.renaming import delta, exchanged
from symderiv.meaning.scope import Name
from symderiv.meaning.vocabulary import ELEMENTARY, count


def named(elaborator: Elaborator, node: tree.Node, base: tree.Node, subs: tuple[tree.Node, ...]) -> Tensor:
    """Elaborate a name with the items of its subscript."""
    key = names.key(base, fonts=elaborator.fonts)
    if key is None:
        raise unsupported("this is not a name that can carry a subscript", node.span)
    if re.fullmatch(r"(\\[a-z]+\{)*0\}*", key, re.IGNORECASE):
        return Tensor(Integer(0))
    special = _special(elaborator, node, base, key, subs)
    if special is not None:
        return special
    if (
        key not in elaborator.bound
        and not subs
        and elaborator.scope.size(key) is not None
        and not elaborator.known(key)
    ):
        size = elaborator.scope.size(key)
        assert size is not None
        return Tensor(size)
    if not subs and (
        key in elaborator.bound or (elaborator.scope.is_index(key) and not elaborator.known(key))
    ):
        # As a number, what a sum from 0 counts is one less than the place of its entry.
        return Tensor(elaborator.letter(key, node.span)[0] - 1 + elaborator.starts.get(key, 1))
    if (
        key == "d"
        and subs
        and not elaborator.known(key)
        and not all(elaborator.is_item(item, key) for item in subs)
    ):
        raise unsupported("differentials are not supported yet", node.span)
    key, subs = elaborator.split(key, subs)
    record = elaborator.scope.find(key)
    if record is not None and not record.introduced and _is_loose(elaborator, key):
        record.introduced = record.loose = True
    if record is None or not (record.introduced or _shifted(elaborator, key)):
        raise _undefined(elaborator, base, key)
    if record.broken and elaborator.is_defined(record):
        raise broken(record, node.span)
    return entries(elaborator, record, subs, node.span)


def _shifted(elaborator: Elaborator, key: str) -> bool:
    """Tell whether a name is another with a label of its own: `W^{(l+1)}` beside `W^{(l)}`."""
    stem, mark, _ = key.partition("^{")
    return bool(mark) and any(
        name.introduced and other.startswith(f"{stem}^{{")
        for other, name in elaborator.scope.visible().items()
    )


def _is_loose(elaborator: Elaborator, key: str) -> bool:
    """Tell whether a page takes a name for known that it never introduces, and that is no slip of the pen.

    It stands in several members, or its section declares nothing: an excerpt has *\\epsilon* without a word.
    One that stands once and differs from another in case only is a slip.
    """
    if elaborator.unread is not None or key == "d" or key.endswith("'") or key in ELEMENTARY:
        return False
    if elaborator.members_with(key) > 1:
        return True
    declares = any(name.declared for name in elaborator.scope.visible().values())
    return not declares and not _near(elaborator, key)


def _near(elaborator: Elaborator, key: str) -> list[str]:
    """Return the names of the page that differ from one in case only."""
    visible = elaborator.scope.visible().items()
    return [each for each, name in visible if each.lower() == key.lower() and name.introduced]


def _undefined(elaborator: Elaborator, node: tree.Node, key: str) -> Untyped:
    if key == "d":
        return unsupported("differentials are not supported yet", node.span)
    if key.endswith("'"):
        return unsupported(
            "the derivative of a function without its argument is not supported yet", node.span
        )
    if re.search(r":|\\cdot|\*|\\bullet", key.partition("_{")[2]):
        return unsupported("a row or a column of a matrix is not supported in this notation yet", node.span)
    if key in ELEMENTARY and key.startswith("\\"):
        return unsupported("a function without its argument is not supported yet", node.span)
    if elaborator.unread is not None:
        message, label = f"{key} may be defined in a display that was not read", "not read"
        help_ = f"define {key} before this step, or declare it: {told(key + REAL)}"
        found = Diagnostic("SD024", message, node.span, labels=((elaborator.unread, label),), help=help_)
        return Untyped("unknown", found)
    if elaborator.scope.find(key) is None:
        return unsupported(f"what {key} is here is not understood", node.span)
    near = _near(elaborator, key)
    if not near and not elaborator.alone:
        # A text with several sections takes a name for known: of an exercise, of the chapter before.
        return unsupported(f"what {key} is here is not understood", node.span)
    note = (f"the page has {near[0]}",) if near else ()
    return ill_typed(
        "SD004", f"{key} is defined nowhere", node.span, label="not defined or declared", notes=note
    )


def broken(record: Name, span: Span) -> Untyped:
    """Return the error for a name whose definition could not be given a meaning."""
    label = ((record.defined_at, "defined here"),) if record.defined_at is not None else ()
    message = f"this rests on the definition of {record.key}, which has no meaning"
    notes = (f"its definition: {record.lacks}",) if record.lacks is not None else ()
    help_ = ADVICE.get(record.lacks or "")
    return Untyped("unknown", Diagnostic("SD022", message, span, notes=notes, labels=label, help=help_))


def entries(elaborator: Elaborator, record: Name, subs: tuple[tree.Node, ...], span: Span) -> Tensor:
    """Return the tensor of a name, its first slots fixed by the items of a subscript."""
    shape = elaborator.shape(record)
    elaborator.firm = elaborator.firm or (bool(shape) and not record.guessed)
    if (record.guessed or len(record.indexed) > 1) and not record.declared:
        elaborator.shaky = record.key
    if len(subs) > len(shape):
        if record.loose:
            raise unsupported(f"the page does not say what {record.key} is", span)
        raise ill_typed(
            "SD002", f"{record.key} has {count(len(shape), 'index')}, and {len(subs)} are written", span
        )
    fixed = [
        index(elaborator, item, size, _base(elaborator, record, at, item))
        for at, (item, size) in enumerate(zip(subs, shape, strict=False))
    ]
    rest = shape[len(subs) :]
    slots = tuple(fresh("s") for _ in rest)
    elaborator.uses.add(record.identity)
    if rest and record.oriented:
        elaborator.oriented.add("row" if record.oriented <= FLAT else "name")
    body = entry(record.identity, *fixed, *slots, positive=record.positive)
    return Tensor(
        body,
        slots,
        rest,
        row=record.row and len(slots) == 1,
        numerator=(record.identity, len(slots)) if not fixed else None,
    )


def _base(elaborator: Elaborator, record: Name, axis: int, item: tree.Node) -> int:
    """Return the number of the first entry along an axis; a page that counts from both is not read."""
    start = elaborator.starts.get(item.text) if isinstance(item, tree.Name) else None
    known = record.bases.setdefault(axis, start) if start is not None else record.bases.get(axis, 1)
    if start is not None and known != start:
        raise unsupported(f"the entries of {record.key} are counted from 0 and from 1", item.span)
    return known


def index(elaborator: Elaborator, node: tree.Node, size: Size, base: int = 1) -> Expr:
    """Elaborate an item of a subscript as an index into a dimension whose entries count from `base`."""
    if isinstance(node, tree.Number):
        if Integer(node.text) < base:
            raise unsupported("entries that are counted from 0 are not supported here yet", node.span)
        return Integer(node.text) + 1 - base
    if isinstance(node, tree.Name):
        if node.text not in elaborator.bound and not elaborator.scope.is_index(node.text):
            known = elaborator.scope.size(node.text)
            if known is not None:
                return known
        symbol, own = elaborator.letter(node.text, node.span)
        if node.text in elaborator.bound:
            if not elaborator.sizes.try_unify(own, size, node.span) and elaborator.clash is None:
                elaborator.clash = _overrun(elaborator, node, own, size)
        else:
            elaborator.unify(own, size, node.span, f"the index {node.text}")
        return symbol
    if isinstance(node, tree.Additive):
        terms = [_shift(elaborator, term) for _, term in node.terms]
        return sympy.Add(
            *(term if sign != "-" else -term for (sign, _), term in zip(node.terms, terms, strict=True))
        )
    return _shift(elaborator, node)


def _overrun(elaborator: Elaborator, node: tree.Name, own: Size, size: Size) -> Diagnostic | None:
    """Return what is wrong when a summed index runs further than the dimension where it stands."""
    end, entries = elaborator.sizes.show(own), elaborator.sizes.show(size)
    if (entries - end).is_nonnegative:
        return None
    named = elaborator.sizes.value(size) is not None and str(end) not in elaborator.fixed
    return Diagnostic(
        "SD002" if named else "SD024",
        f"the index {node.text} runs to {end}, where there are {entries} entries",
        node.span,
        notes=(f"this has a meaning at most when {end} is not larger than {entries}",),
    )


def _shift(elaborator: Elaborator, node: tree.Node) -> Expr:
    """Elaborate a part of an index such as `i + 1`, which may leave the dimension."""
    counted, elaborator.starts = elaborator.starts, {}
    try:
        value = elaborator.value(node)
    finally:
        elaborator.starts = counted
    if value.rank or not value.body.free_symbols <= value.body.atoms(Index, Size):
        raise unsupported("this is not an index that symderiv understands", node.span)
    return value.body


def _special(
    elaborator: Elaborator, node: tree.Node, base: tree.Node, key: str, subs: tuple[tree.Node, ...]
) -> Tensor | None:
    """Return the meaning of letters that have one of their own unless the page claims them."""
    bold = isinstance(base, tree.Name) and base.font in ("bold", "blackboard")
    record = elaborator.scope.find(key)
    declared = record.shape if record is not None and record.declared else None
    if key in ("1", "\\mathbb{1}") and bold:
        return _ones(elaborator, node, subs, declared)
    if key in ("I", "\\mathbb{I}") and (
        not elaborator.known(key) or (declared is not None and len(declared) == 2)
    ):
        return _identity(elaborator, node, subs, declared)
    if not subs and key == "\\pi" and (record is None or (record.indexed and not record.declared)):
        return Tensor(sympy.pi)  # beside the weights $\pi_k$, too
    if record is not None and record.basis and len(subs) == 1:
        return _basis_vector(elaborator, subs[0], elaborator.shape(record)[-1])
    if elaborator.known(key):
        return None
    if key == "\\delta" and len(subs) == 2:
        return _identity(elaborator, node, subs, None)
    if key == "e" and len(subs) == 1 and elaborator.is_item(subs[0], "e"):
        return _basis_vector(elaborator, subs[0], elaborator.sizes.new(origin=node.span))
    if (
        not subs
        and key == "e"
        and "e" not in elaborator.bound
        and not (isinstance(base, tree.Name) and base.font == "bold")
    ):
        return Tensor(sympy.E)
    if not subs and key == "\\infty":
        raise unsupported("infinity is not a real number", node.span)
    return None


def _ones(
    elaborator: Elaborator, node: tree.Node, subs: tuple[tree.Node, ...], declared: tuple[Size, ...] | None
) -> Tensor:
    """`\\mathbf 1`: an indicator, an entry of a tensor of ones, or the tensor itself."""
    if len(subs) == 1 and isinstance(names.plain(subs[0]), tree.Relation):
        return indicated(elaborator, names.plain(subs[0]))
    if subs and all(
        isinstance(sub, tree.Name)
        and (
            sub.text in elaborator.bound
            or (elaborator.scope.is_index(sub.text) and elaborator.scope.size(sub.text) is None)
        )
        for sub in subs
    ):
        for sub, size in zip(subs, declared or (), strict=False):
            index(elaborator, sub, size)
        return Tensor(Integer(1))
    sizes = declared if declared is not None and not subs else (_subscript_size(elaborator, subs, node.span),)
    return Tensor(Integer(1), tuple(fresh("s") for _ in sizes), sizes)


def _identity(
    elaborator: Elaborator, node: tree.Node, subs: tuple[tree.Node, ...], declared: tuple[Size, ...] | None
) -> Tensor:
    """`I`, `I_n`, and the entries `I_{ij}` and `\\delta_{ij}`."""
    if len(subs) == 2:
        sizes = declared or (elaborator.sizes.new(origin=node.span), elaborator.sizes.new(origin=node.span))
        first, second = (index(elaborator, sub, size) for sub, size in zip(subs, sizes, strict=True))
        elaborator.sizes.try_unify(sizes[0], sizes[1], node.span)
        return Tensor(delta(first, second))
    size = declared[0] if declared is not None else elaborator.sizes.new(origin=node.span)
    if subs:
        size = _subscript_size(elaborator, subs, node.span)
    a, b = fresh("s"), fresh("s")
    return Tensor(delta(a, b), (a, b), (size, size))


def _basis_vector(elaborator: Elaborator, item: tree.Node, size: Size) -> Tensor:
    """`e_i`: a column of the identity."""
    slot = fresh("s")
    return Tensor(delta(slot, index(elaborator, item, size)), (slot,), (size,))


def _subscript_size(elaborator: Elaborator, subs: tuple[tree.Node, ...], span: Span) -> Size:
    if not subs:
        return elaborator.sizes.new(origin=span)
    if isinstance(subs[0], tree.Number):
        return elaborator.sizes.new(Integer(subs[0].text))
    if isinstance(subs[0], tree.Name):
        size = elaborator.scope.size(subs[0].text)
        if size is not None:
            return size
    return elaborator.sizes.new(origin=subs[0].span)


def fix(elaborator: Elaborator, value: Tensor, subs: tuple[tree.Node, ...], span: Span) -> Tensor:
    """Fix the first slots of a tensor by the items of a subscript."""
    if len(subs) > value.rank:
        raise ill_typed("SD002", f"this has {count(value.rank, 'index')}, and {len(subs)} are written", span)
    fixed = {
        slot: index(elaborator, item, size)
        for item, slot, size in zip(subs, value.slots, value.dimensions, strict=False)
    }
    return Tensor(exchanged(value.body, fixed), value.slots[len(subs) :], value.dimensions[len(subs) :])


def composite_name(elaborator: Elaborator, node: tree.Product, at: int) -> tuple[Tensor, int] | None:
    """Read `D_{ij} y_t` where the page has defined it as one thing."""
    if at + 1 >= len(node.factors) or node.operators[at] != "":
        return None
    found = composite_head(node.factors[at : at + 2], elaborator.fonts)
    if found is None:
        return None
    key, subs = found
    record = elaborator.scope.find(key)
    if record is None or not (elaborator.is_defined(record) or record.indexed):
        return None
    return entries(elaborator, record, subs, node.span), 2

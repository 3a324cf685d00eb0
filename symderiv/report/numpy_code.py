"""What a page establishes, as the source of one NumPy function: the forward pass and its derivatives.

The text is made of a closed alphabet, that of `numpy_terms`: no text of a page is copied into it.
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import PurePath

from sympy import (
    Expr,
    Integer,
)

from symderiv.kernel.substitution import names_in
from symderiv.kernel.terms import (
    Context,
    D,
    Definition,
    Index,
    KernelError,
    Size,
    name_of,
)
from symderiv.meaning.established import Established, Fact
from symderiv.meaning.model import Page
from symderiv.meaning.notation.factoring import factored
from symderiv.meaning.notation.products import built, canonical, flat, indices_of
from symderiv.report.numpy_layout import assigned
from symderiv.report.numpy_names import Names, ascii_of, identifier
from symderiv.report.numpy_pieces import Unwritten
from symderiv.report.numpy_terms import Coder

WIDTH = 100


@dataclass(frozen=True, slots=True)
class Result:
    """One entry of what the function returns: its identifier, whose it is, its shape, a remark."""

    code: str
    key: str
    shape: tuple[Expr, ...]
    remark: str


@dataclass(slots=True)
class Draft:
    """The body of the function so far, what it computes, and the names of what is left out."""

    body: list[str] = field(default_factory=list)
    results: list[Result] = field(default_factory=list)
    missing: set[str] = field(default_factory=set)


def source(page: Page, found: Established) -> str:
    """Return the source of one function that computes what a page establishes."""
    names = Names()
    coder = Coder(names, Context())
    function = names.of("the function", _function_name(page))
    draft = Draft()
    for fact in _in_order(found.facts):
        _name_first(coder, fact)
        _write_fact(coder, fact, draft)
    draft.body += [
        f"# the derivative in line {each.line} is left out: {_comment(each.reason)}" for each in found.omitted
    ]
    return _assembled(coder, function, draft)


def _name_first(coder: Coder, fact: Fact) -> None:
    """Give the names of a fact their identifiers, so that a derivative's does not take one of theirs."""
    coder.context = fact.context
    for name in sorted(names_in(fact.value) | names_in(fact.head)):
        coder.names.of(name, identifier(name))


def _in_order(facts: Sequence[Fact]) -> list[Fact]:
    """Return the definitions, each after those that it uses, then the derivatives."""
    definitions = {str(name_of(fact.head)): fact for fact in facts if fact.kind == "definition"}
    ordered: list[Fact] = []
    done: set[str] = set()

    def visit(name: str, path: frozenset[str]) -> None:
        if name in done or name in path:
            return
        for used in sorted(names_in(definitions[name].value)):
            if used in definitions:
                visit(used, path | {name})
        done.add(name)
        ordered.append(definitions[name])

    for name in definitions:
        visit(name, frozenset())
    return [*ordered, *(fact for fact in facts if fact.kind == "derivative")]


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to be computed of a fact: whose it is, the identifier that it should have, its value."""

    key: str
    name: str
    slots: tuple[Index, ...]
    value: Expr
    remark: str = ""


def _wanted(coder: Coder, fact: Fact) -> Iterator[Wanted]:
    """Yield what is computed of a fact; of a derivative of an expression, this first."""
    if not isinstance(fact.head, D):
        name = str(name_of(fact.head))
        yield Wanted(name, identifier(name), fact.slots, fact.value)
        return
    value, slots = built(factored(flat(fact.value))), fact.slots
    names = [name_of(part) for part in fact.head.args]
    words = [identifier(str(name)) for name in names]
    remark = _remark(coder, fact)
    if names[0] is None:
        term = fact.head.term
        own = tuple(index for index in slots if index in indices_of([term]))
        slots = tuple(dict.fromkeys([*own, *slots]))
        if indices_of([term]) & indices_of(fact.head.variables):
            remark = ", entry by entry"
        told = f", the expression in line {fact.line}"
        first = Wanted(f"value {canonical(term)}", "value", own, term, told)
        words[0] = coder.names.of(first.key, first.name)
        yield first
    order = str(len(words) - 1) if len(words) > 2 else ""
    name = f"d{order}{words[0]}_" + "_".join(f"d{word}" for word in words[1:])
    yield Wanted(f"result {fact.head}", name, slots, value, remark)


def _write_fact(coder: Coder, fact: Fact, draft: Draft) -> None:
    if isinstance(fact.head, D) and any(name_of(part) is None for part in fact.head.variables):
        draft.body.append(f"# the derivative in line {fact.line} is left out: it is by an expression")
        return
    computed = {result.key for result in draft.results}
    for wanted in _wanted(coder, fact):
        if wanted.key not in computed:
            _write(coder, fact, wanted, draft)


def _write(coder: Coder, fact: Fact, wanted: Wanted, draft: Draft) -> None:
    saved = (dict(coder.arguments), set(coder.sizes), coder.uses_math)
    target = coder.names.of(wanted.key, wanted.name)
    try:
        if not fact.ranges.keys() >= set(wanted.slots):
            msg = "an index has no range"
            raise Unwritten(msg)  # noqa: TRY301  said where it is found
        fixed = sorted(indices_of([wanted.value]) - set(wanted.slots), key=str)
        coder.fixed = {
            index: coder.names.of(f"index {index.name}", identifier(index.name)) for index in fixed
        }
        unavailable = sorted(draft.missing & names_in(wanted.value))
        if unavailable:
            msg = f"needs {identifier(unavailable[0])}"
            raise Unwritten(msg)  # noqa: TRY301  said where it is found
        computed = {result.key for result in draft.results}
        known = {
            name: Definition(name, (), Integer(0)) for name in fact.context.definitions if name in computed
        }
        coder.context = Context(known, fact.context.opaque, fact.context.shapes)
        code = coder.unmasked(coder.full(wanted.value, wanted.slots, fact.ranges))
    except (Unwritten, KernelError, KeyError) as error:
        coder.arguments, coder.sizes, coder.uses_math = saved
        coder.forget_new_masks()
        if fact.kind == "definition":
            draft.missing.add(wanted.key)
        draft.body.append(f"# {target} is left out: {_comment(str(error))}")
        return
    coder.places.extend(place for place in coder.fixed.values() if place not in coder.places)
    draft.body.extend(line for name, value in coder.new_masks() for line in assigned(name, value))
    draft.body.extend(assigned(target, code))
    shape = tuple(fact.ranges[slot] for slot in wanted.slots)
    draft.results.append(Result(target, wanted.key, shape, wanted.remark))


def _remark(coder: Coder, fact: Fact) -> str:
    """Say what an unknown function is a function of: two may share a name."""
    head = str(name_of(fact.head.args[0])) if isinstance(fact.head, D) else ""
    opaque = fact.context.opaque.get(head)
    if opaque is None:
        return ""
    of = ", ".join(coder.names.of(name, identifier(name)) for name in opaque.arguments)
    return f", for {identifier(head)} of {of}"


def _comment(text: str) -> str:
    return " ".join(re.findall(r"[A-Za-z0-9_ ]+", text))[:60].strip()


def _function_name(page: Page) -> str:
    stem = ascii_of(PurePath(page.source.path).stem) or "derivation"
    return f"derivation_{stem}" if stem[0].isdigit() else stem


def _assembled(coder: Coder, function: str, draft: Draft) -> str:
    arguments = [*coder.arguments, *coder.places]
    lines: list[str] = []
    for size in sorted(coder.sizes, key=lambda size: size.name):
        place = next(
            (
                (code, at)
                for code, shape in coder.arguments.items()
                if shape
                for at, each in enumerate(shape)
                if each == size
            ),
            None,
        )
        name = coder.names.of(f"size {size.name}", identifier(size.name))
        if place is None:
            arguments.append(name)
        else:
            lines.append(f"{name} = {place[0]}.shape[{place[1]}]")
    head = textwrap.wrap(
        f"def {function}({', '.join(arguments)}):", WIDTH, subsequent_indent=" " * 8, break_on_hyphens=False
    )
    doc = ['"""Return what the page establishes, by name.', "", *(["Arguments:"] if arguments else [])]
    doc += [f"    {code}: {_shape(coder, shape)}" for code, shape in coder.arguments.items()]
    doc += [f"    {code}: an index, counted from 0" for code in coder.places]
    doc += [f"    {name}: an integer" for name in arguments[len(coder.arguments) + len(coder.places) :]]
    doc.append("Returns a dictionary:")
    doc += [f"    {each.code}: {_shape(coder, each.shape)}{each.remark}" for each in draft.results]
    doc.append('"""')
    returned = ["return {", *(f'    "{each.code}": {each.code},' for each in draft.results), "}"]
    imports = ["import math", ""] if coder.uses_math else []
    text = "\n".join(f"    {line}".rstrip() for line in [*doc, *lines, *draft.body, *returned])
    return "\n".join([*imports, "import numpy as np", "", "", *head, text])


def _shape(coder: Coder, shape: tuple[Expr, ...] | None) -> str:
    if shape is None:
        return "a function of arrays, entry by entry"
    if not shape:
        return "a number"
    sizes = [
        coder.names.given.get(f"size {s.name}", identifier(s.name)) if isinstance(s, Size) else coder.size(s)
        for s in shape
    ]
    return f"shape ({', '.join(sizes)}{',' if len(sizes) == 1 else ''})"

r"""What a page declares, defines and supposes, for the second opinion: read from its LaTeX and its prose.

It shares nothing with symderiv. A *declaration* gives a name its shape and where its values lie, a
*definition* an expression, a *hypothesis* an equation between what is given; a *condition* says which entries
or points count.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from opinion_latex import Names, Node, Unreadable, names_of, read, tokens, walk
from opinion_text import Chain, chains, path, sections

_SET = r"\\mathbb\{?(?P<set>[RNZ])\}?"
_CUES = re.compile(
    r"\b(suppose|assume|let|given|with|since|such that|so that|where|for which)\b", re.IGNORECASE
)
_CASE_CUES = re.compile(r"\b(if|when|for|case|where|at|on)\b[^.]*$", re.IGNORECASE)
_ONLY = re.compile(r"\bonly\s+(if|when|for|where)\s*$", re.IGNORECASE)
"""What is so only for some indices is told of all."""


@dataclass(frozen=True)
class Declaration:
    """A name, the sizes of its shape as expressions, and what its values are like."""

    name: str
    shape: tuple[Node, ...]
    values: str = "real"


@dataclass(frozen=True)
class Definition:
    """An expression under some index letters or parameters."""

    name: str
    letters: tuple[str, ...]
    body: Node
    parameters: tuple[str, ...] = ()
    squared: bool = False
    section: int = -1


@dataclass
class Page:
    """All that is known of names at one place of a page."""

    names: Names = field(default_factory=Names)
    declared: dict[str, Declaration] = field(default_factory=dict)
    defined: dict[str, Definition] = field(default_factory=dict)
    functions: dict[str, Definition] = field(default_factory=dict)
    unknown: dict[str, tuple[tuple[Node, ...], ...]] = field(default_factory=dict)
    """Functions of which the page tells no more than the shapes of their arguments."""
    derived: dict[str, list[str]] = field(default_factory=dict)
    """By which names the page differentiates a function."""
    arguments: dict[str, list[str]] = field(default_factory=dict)
    """Of what each unknown function is one."""
    hypotheses: list[tuple[Node, Node]] = field(default_factory=list)
    conditions: list[Node] = field(default_factory=list)
    sizes: set[str] = field(default_factory=set)
    ranges: dict[str, Node] = field(default_factory=dict)
    used: set[str] = field(default_factory=set)
    heads: dict[int, str] = field(default_factory=dict)
    """For chains that define something: the start of their first member, and the name."""
    supposed: set[int] = field(default_factory=set)
    """The starts of the first members of displays that the page supposes."""
    nodes: list[Node] = field(default_factory=list)
    """All members that can be read."""
    failed: list[str] = field(default_factory=list)


def known_at(text: str, at: int) -> Page:
    """Return what a page tells of names where the chain that contains a place begins."""
    found = sections(text)
    leading = path(found, at)
    every = [each for each in chains(text) if each.section < 0 or found[each.section] in leading]
    page = Page()
    here = next((n for n, each in enumerate(every) if _holds(each, at)), len(every))
    for chain in every:
        _learn_names(page, chain)
    near = _paragraph_before(text, at)
    for number, chain in enumerate(every):
        _learn(page, chain, before=number < here, near=near <= chain.members[0].start < at)
    for chain in every:
        _learn_derivatives(page, chain)
    for name in page.derived:
        if name not in page.declared and name not in page.defined and name not in page.functions:
            page.unknown.setdefault(name, ())
    for parameter in {each for function in page.functions.values() for each in function.parameters}:
        if parameter not in page.declared and parameter not in page.defined:
            page.declared[parameter] = Declaration(parameter, ())
    return page


def _paragraph_before(text: str, at: int) -> int:
    """Return where the paragraph of prose begins that leads to a display: an *if* in it counts here."""
    start = text.rfind("$$", 0, at)
    while start >= 0:
        end = text.rfind("$$", 0, start) + 2
        if text[end:start].strip():
            break
        start = text.rfind("$$", 0, end - 2)
    return len(text[:start].rstrip().rpartition("\n\n")[0])


def _holds(chain: Chain, at: int) -> bool:
    return any(member.start == at for member in chain.members)


# Names and shapes

_DOMAIN = re.compile(r"^(?P<names>.+?)\s*(?P<sign>\\in|:|\\colon)\s*(?P<rest>.+)$", re.DOTALL)


def _learn_names(page: Page, chain: Chain) -> None:
    """Learn which names have a subscript in them, and which are functions."""
    first = chain.members[0].latex
    declared = _DOMAIN.match(first)
    if declared and len(chain.members) == 1:
        for name in _listed(declared["names"]):
            _learn_name(page, name)
        if "\\to" in declared["rest"]:
            page.names.functions |= {_spelled(name) for name in _listed(declared["names"])}
        for size in _sizes_in(declared["rest"]):
            _learn_name(page, size)
    call = re.match(r"^(?P<head>[^()=]+?)(?:\\left)?\((?P<parameters>[^()]*)\)(?:_\{?\w+\}?)?$", first)
    if (
        call
        and len(chain.members) > 1
        and all(
            re.fullmatch(r"\\?[A-Za-z]+(\{\w+\})?(_\{?\w+\}?)?", each.strip())
            for each in _parameters(call["parameters"])
        )
    ):
        head = _spelled(call["head"])
        if (
            not re.search(
                r"\\(frac|sum|log|exp|tanh|max|det|left|cosh|sinh|partial|mathbf\{1\})", call["head"]
            )
            and head
            not in {
                font + "{" + w + "}" for w in ("diag", "tr", "vec") for font in ("\\mathrm", "\\operatorname")
            }
            and head not in page.declared
            and re.fullmatch(r"\\?[A-Za-z]+(\{[A-Za-z]+\})?(_\{\S+\})?", head)
            and _is_new_function(page, head)
        ):
            page.names.functions.add(head)
    differential = re.match(r"^d(\\[a-z]+(?:\{\w+\})?|[A-Za-z])$", first)
    if differential and len(chain.members) > 1 and "\\partial" in chain.members[1].latex:
        page.names.whole.add(first)
    label = re.match(r"^\\?[A-Za-z]+_\{?\\(?:mathrm|text)\{\w+\}\}?", first)
    if label and len(chain.members) > 1:
        _learn_name(page, first)


def _parameters(text: str) -> list[str]:
    return re.split(r",|;|\\\||\|", re.sub(r"\\[,;]", " ", text))


def _is_new_function(page: Page, head: str) -> bool:
    return head not in page.names.plain


def _learn_name(page: Page, latex: str) -> None:
    """Keep a declared name, with its subscript or label."""
    spelled = _spelled(latex)
    if re.search(r"[_^]", spelled):
        page.names.whole.add(spelled)
    else:
        page.names.plain.add(spelled)


def _spelled(latex: str) -> str:
    """Return a name as the reader spells it."""
    found = tokens(latex)
    out: list[str] = []
    at = 0
    while at < len(found):
        token = found[at]
        out.append(token)
        at += 1
        if (
            (
                token in {"_", "^"}
                or token in {"\\hat", "\\bar", "\\tilde", "\\mathrm", "\\mathbf", "\\mathcal", "\\boldsymbol"}
            )
            and at < len(found)
            and found[at] != "{"
        ):
            out += ["{", found[at], "}"]
            at += 1
    return "".join(out)


def _listed(names: str) -> list[str]:
    """Return the names before a sign, apart."""
    depth, found = 0, [""]
    for character in names:
        depth += (character in "{([") - (character in "})]")
        if character == "," and not depth:
            found.append("")
        else:
            found[-1] += character
    return [each.strip() for each in found if each.strip() and "dots" not in each]


def _sizes_in(rest: str) -> list[str]:
    """Return the plain letters that stand in the exponents of a domain."""
    exponents = re.findall(r"\}?\^(\{(?:[^{}]|\{[^{}]*\})*\}|\w)", rest)
    found = []
    for exponent in exponents:
        inner = exponent[1:-1] if exponent.startswith("{") else exponent
        found += re.findall(r"\\?[A-Za-z]+(?:_(?:\w|\{\\?\w+(?:\{\w+\})?\}))?", inner.replace("\\times", " "))
    ranged = re.search(r"\\(?:l?dots)\s*,\s*(\\?[A-Za-z]+(?:_\w)?)", rest)
    return found + ([ranged[1]] if ranged else [])


def _shape(page: Page, rest: str) -> tuple[Node, ...]:
    """Return the sizes in the exponent of a set."""
    exponent = re.search(
        r"(?:\}|[RNZ]|\]|\)|_\+|_\{[^{}]*\})\s*\^\s*(?:\{(?P<group>(?:[^{}]|\{[^{}]*\})*)\}|(?P<one>\w))",
        rest,
    )
    if not exponent:
        return ()
    parts = re.split(r"\\times", exponent["group"] or exponent["one"])
    return tuple(read(part, page.names) for part in parts)


# Learning from a chain


def _learn(page: Page, chain: Chain, *, before: bool, near: bool) -> None:
    """Learn from a chain; what is supposed in it counts `before` the step, an *if* only `near` it."""
    members = chain.members
    try:
        if len(members) == 1:
            _learn_single(page, chain, near=near)
            return
        tail = re.split(r"\\in(?![a-z])", members[-1].latex)
        right = [each.latex for each in members[1:-1]] + [tail[0]]
        if not chain.display and re.search(r"\\l?dots", right[-1]):
            _learn_range(page, members[0].latex, right[-1])
            return
        _learn_equation(page, chain, right, before=before, near=near)
    except Unreadable as error:
        page.failed.append(f"{members[0].latex}: {error}")


def _is_case(prose: str) -> bool:
    """Tell whether prose says that what follows is so under the condition after it."""
    return _CASE_CUES.search(prose) is not None and not _ONLY.search(prose)


def _learn_range(page: Page, letter: str, rest: str) -> None:
    found = re.search(r"\\l?dots\s*,\s*(.+)$", rest)
    if found and re.fullmatch(r"\\?[a-zA-Z]+", letter.strip()):
        page.ranges[letter.strip()] = read(found[1], page.names)


def _learn_single(page: Page, chain: Chain, *, near: bool) -> None:
    """Learn from a formula without `=`: a declaration or a condition."""
    latex = chain.members[0].latex
    declared = _DOMAIN.match(latex)
    if declared and re.search(r"\\mathbb|\\\{|^\s*[(\[]", declared["rest"]):
        for name in _listed(declared["names"]):
            _declare(page, _spelled(name), declared["rest"], chain)
        return
    relation = re.fullmatch(
        r"(?P<low>[\d.]+\s*(?:<|\\leq?)\s*)?(?P<name>[^<>=]+?)\s*(?P<sign>>|<|\\geq?|\\leq?|\\neq?)\s*(?P<bound>.+)",
        latex,
        re.DOTALL,
    )
    if relation is None or chain.display:
        return
    name = _spelled(re.sub(r"_\{?[a-z]\}?$", "", relation["name"].strip()))
    conditional = _is_case(chain.prose)
    known = name in page.declared or name in page.defined
    entry = re.search(r"_\{?([a-z]+)\}?$", relation["name"].strip())
    like = tuple(("length", letter) for letter in entry[1]) if entry else ()
    if relation["bound"].strip() == "0" and relation["sign"] == ">" and (not known or not conditional):
        old = page.declared.get(name, Declaration(name, like))
        page.declared[name] = Declaration(name, old.shape, "positive")
        return
    if relation["low"] and relation["bound"].strip() == "1" and not conditional:
        old = page.declared.get(name, Declaration(name, ()))
        page.declared[name] = Declaration(name, old.shape, "unit")
        return
    if near and conditional:
        from opinion_latex import Reader

        page.conditions = [*page.conditions, Reader(latex, page.names).condition()]


def _declare(page: Page, name: str, rest: str, chain: Chain) -> None:
    """Keep a declaration."""
    if "\\to" in rest:
        domain = rest.split("\\to", maxsplit=1)[0]
        shapes = tuple(_shape(page, part) for part in re.split(r"\\times(?=\s*\\mathbb)", domain))
        page.unknown[name] = shapes
        page.declared.pop(name, None)
        page.defined.pop(name, None)
        page.functions.pop(name, None)
        return
    shape = _shape(page, rest)
    ranged = re.search(r"\\\{\s*1\s*,.*\\l?dots\s*,\s*(.+?)\s*\\\}", rest)
    values = "real"
    if ranged:
        page.declared[name] = Declaration(name, shape, "index")
        page.ranges[name] = read(ranged[1], page.names)
        return
    if re.search(r"\\\{\s*0\s*,\s*1\s*\\\}", rest):
        values = "binary"
    elif re.search(r"\\\{\s*-\s*1\s*,\s*\+?1\s*\\\}", rest):
        values = "signs"
    elif re.match(r"\s*[(\[]\s*0\s*,\s*1\s*[)\]]", rest):
        values = "unit"
    elif re.search(r"\\mathbb\{?N", rest):
        values = "size"
    elif re.search(r"_\{?(>\s*0|\+)", rest):
        values = "positive"
    near = chain.prose[-40:] + " | " + chain.after
    adjectives = {
        "symmetric": "symmetric",
        "orthogonal": "orthogonal",
        "positive definite": "definite",
        "one-hot": "one-hot",
    }
    for word, kind in adjectives.items():
        if word in near and len(shape) == (1 if kind == "one-hot" else 2):
            values = kind
    old = page.declared.get(name)
    if old and not shape and values == "real":
        return
    page.declared[name] = Declaration(name, shape, values)
    if name in page.defined and page.defined[name].section != chain.section:
        page.defined.pop(name)
    page.unknown.pop(name, None)


def _learn_equation(page: Page, chain: Chain, right: list[str], *, before: bool, near: bool) -> None:
    """Learn from an equation: a definition where its head is fresh, else a hypothesis, or nothing."""
    if "\\\\" in chain.members[0].latex:
        raise Unreadable("a head over rows")
    try:
        head = read(chain.members[0].latex, page.names)
    except Unreadable:
        return
    sentence = re.split(r"[.;]\s", chain.prose)[-1]
    last, cased = _CUES.search(sentence), _is_case(sentence)
    letters = [re.fullmatch("[a-z]", each.latex) is not None for each in chain.members]
    if not chain.display and cased and letters[0] and (all(letters) or chain.members[-1].latex.isalnum()):
        if near:
            sides = tuple(read(each.latex, page.names) for each in chain.members)
            page.conditions = [*page.conditions, ("relation", sides, ("==",) * (len(sides) - 1))]
        return
    if head[0] == "entry" and head[1][0] == "name" and len(head[2]) == 1 and _is_label(page, head):
        page.names.whole.add(f"{head[1][1]}_{{{head[2][0][1]}}}")
        head = read(chain.members[0].latex, page.names)
    form = _head(page, head)
    if form is not None and _is_fresh(page, form[0], chain, head):
        _define(page, chain, right, head, before=before)
        return
    if not chain.display and not last and not (cased and near):
        return
    if chain.display:
        if not re.search(r"(?i)(suppose|assume)[^.]*$|given:?\s*$", chain.prose):
            return
        page.supposed.add(chain.members[0].start)
    if not before:
        return
    sides = [head, *(read(each, page.names) for each in right)]
    page.hypotheses += [(sides[0], side) for side in sides[1:]]


def _define(page: Page, chain: Chain, right: list[str], head: Node, *, before: bool) -> None:
    """Keep a definition: by the first member that names what the page has introduced."""
    form = _head(page, head)
    assert form is not None
    name, letters, parameters, squared = form
    bodies = [read(each, page.names) for each in right]
    if name in page.declared and not chain.display and not before:
        return
    if (
        name in page.declared
        and not chain.display
        and all(name in reached(page, names_of(b)) for b in bodies)
    ):
        page.hypotheses += [(head, b) for b in bodies] if before else []
        return
    body = next((b for b in bodies if name not in names_of(b) and _is_known(page, b)), None)
    if body is None:
        body = next((b for b in bodies if name not in names_of(b)), bodies[0])
    definition = Definition(name, letters, body, parameters, squared, chain.section)
    if parameters:
        page.functions[name] = definition
        page.names.functions.add(name)
        page.unknown.pop(name, None)
    else:
        page.defined[name] = definition
    page.names.plain.add(name)
    page.used |= names_of(body)
    page.heads[chain.members[0].start] = name


def _is_label(page: Page, head: Node) -> bool:
    """Tell whether a subscript is a name of the page: it belongs to the name before it."""
    name = str(head[2][0][1])
    index = name in page.declared and page.declared[name].values == "index"
    return (
        head[1][1] not in {*page.declared, *page.defined}
        and not index
        and (name in page.defined or name in page.declared)
    )


def _is_known(page: Page, body: Node) -> bool:
    """Tell whether an expression uses names that the page has introduced."""
    called: set[str] = set()

    def visit(node: Node) -> None:
        if node[0] == "call" and node[1][0] == "name":
            called.add(node[1][1])

    walk(body, visit)
    return called <= set(page.functions) | set(page.unknown) | set(page.defined)


def _head(page: Page, head: Node) -> tuple[str, tuple[str, ...], tuple[str, ...], bool] | None:
    """Return the name, index letters and parameters of what may be defined; whether it is a square."""
    if head[0] == "power" and head[1][0] == "name" and head[2] == ("number", 2.0):
        return head[1][1], (), (), True
    if head[0] == "entry":
        letters = tuple(part[1] if part[0] == "name" else "" for part in head[2])
        inner = _head(page, head[1])
        if inner is None or "" in letters or inner[1]:
            return None
        return inner[0], letters, inner[2], inner[3]
    if head[0] == "call" and head[1][0] == "name":
        parameters = tuple(part[1] if part[0] == "name" else "" for part in head[2])
        return None if "" in parameters else (head[1][1], (), parameters, False)
    return (head[1], (), (), False) if head[0] == "name" else None


def _is_fresh(page: Page, name: str, chain: Chain, head: Node) -> bool:
    if name in page.defined or name in page.functions:
        return False
    if name in page.unknown:
        return (head[0] != "call" and "partial" not in chain.members[1].latex) or name not in page.names.plain
    if name in page.declared:
        return chain.display or bool(_CUES.search(re.split(r"[.;]\s", chain.prose)[-1]))
    return True


# Derivatives


def _learn_derivatives(page: Page, chain: Chain) -> None:
    """Learn by what the page differentiates."""
    for member in chain.members:
        try:
            node = read(re.split(r"\\in(?![a-z])", member.latex)[0], page.names)
        except Unreadable:
            continue
        page.nodes.append(node)
        walk(node, lambda each: _note(page, each))


def _note(page: Page, node: Node) -> None:
    if node[0] != "derivative" or node[1][0] != "name":
        return
    by = [_base(variable) for variable in node[2]]
    known = page.derived.setdefault(node[1][1], [])
    known += [name for name in by if name and name not in known]


def _base(variable: Node) -> str:
    while variable[0] in {"entry", "power", "transpose"}:
        variable = variable[1]
    return str(variable[1]) if variable[0] == "name" else ""


def reached(page: Page, names: Iterable[str]) -> set[str]:
    """Return all names that some names rest on, themselves included."""
    found: set[str] = set()
    left = list(names)
    while left:
        name = left.pop()
        if name in found:
            continue
        found.add(name)
        for table in (page.defined, page.functions):
            if name in table:
                left += names_of(table[name].body)
        if name in page.unknown and name not in page.defined:
            left += arguments(page, name)
    return found


def arguments(page: Page, name: str) -> list[str]:
    """Return what an unknown function is a function of: the last names by which it is differentiated."""
    if name in page.arguments:
        return page.arguments[name]
    return sinks(page, name, [each for each in page.derived.get(name, []) if each != name])


def sinks(page: Page, name: str, by: Sequence[str]) -> list[str]:
    """Return those of some names to which no other of them leads."""
    upstream: dict[str, set[str]] = {}
    for each in by:
        seen: set[str] = set()
        left = [each]
        while left:
            here = left.pop()
            if here in seen:
                continue
            seen.add(here)
            if here in page.defined:
                left += names_of(page.defined[here].body) - {name}
        upstream[each] = seen
    return [each for each in by if not any(each in upstream[other] for other in by if other != each)]

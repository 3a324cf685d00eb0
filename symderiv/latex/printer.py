"""Tree -> LaTeX, such that `parse(to_latex(display))` is an equal display.

Braces are set wherever a part could otherwise be read differently; functions get parentheses.
"""

from __future__ import annotations

from functools import singledispatch

from symderiv.latex import tree
from symderiv.latex.expressions import reaches
from symderiv.latex.vocabulary import FUNCTIONS, WORDS

_FONTS = {
    "bold": "mathbf", "roman": "mathrm", "calligraphic": "mathcal", "blackboard": "mathbb",
    "fraktur": "mathfrak",
    "sans": "mathsf", "typewriter": "mathtt",
}  # fmt: skip
_OPERATORS = {
    "": " ", "*": " * ", "cdot": r" \cdot ", "times": r" \times ", "odot": r" \odot ", "circ": r" \circ ",
    "otimes": r" \otimes ", ".": " . ", "/": " / ", "div": r" \div ",
}  # fmt: skip
_RELATIONS = {
    "!=": r"\ne", "<=": r"\le", ">=": r"\ge", "in": r"\in", "notin": r"\notin", "to": r"\to", "~": r"\sim",
    "approx": r"\approx", "propto": r"\propto", "equiv": r"\equiv", "<-": r"\leftarrow", "subset": r"\subset",
    "mapsto": r"\mapsto", "succ": r"\succ",
}  # fmt: skip
_CONNECTIVES = {"quad": r"\quad", "row": r"\\", "implies": r"\Rightarrow", "therefore": r"\therefore",
                "arrow": r"\\ \rightarrow"}  # fmt: skip
_BIGS = {"argmax": r"\operatorname{argmax}", "argmin": r"\operatorname{argmin}", "E": r"\mathbb{E}"}
_COMMANDED = frozenset({"\\{", "\\}"})
_LOOSE = (tree.Additive, tree.Relation, tree.Sequence, tree.Empty)
_ATOMS = (
    tree.Name,
    tree.Number,
    tree.Group,
    tree.Accent,
    tree.Absolute,
    tree.Matrix,
    tree.Root,
    tree.Inner,
    tree.Dots,
)


def to_latex(node: tree.Node) -> str:
    """Return LaTeX that reads as this node."""
    return _latex(node)


@singledispatch
def _latex(node: tree.Node) -> str:
    message = f"no LaTeX for {type(node).__name__}"
    raise AssertionError(message)


def _braced(node: tree.Node) -> str:
    return "{" + _latex(node) + "}"


def _relation(text: str) -> str:
    return f" {_RELATIONS.get(text, text)} "


@_latex.register
def _(node: tree.Number) -> str:
    return node.text


@_latex.register
def _(node: tree.Name) -> str:
    text, font = node.text, node.font
    if font == "bold" and text.startswith("\\"):
        return rf"\boldsymbol{{{text}}}"
    if font:
        return rf"\{_FONTS[font]}{{{text}}}"
    if len(text) == 1 or text.startswith("\\"):
        return text
    return rf"\text{{{text}}}" if not text.isalnum() else rf"\mathrm{{{text}}}"


@_latex.register
def _(node: tree.Accent) -> str:
    return rf"\{node.mark}{_braced(node.body)}"


@_latex.register
def _(node: tree.Script) -> str:
    plain = isinstance(node.base, _ATOMS) and not _risky(node.base)
    plain = plain or (isinstance(node.base, tree.Norm) and (node.sub is None or node.base.order is not None))
    plain = plain or (isinstance(node.base, tree.Call) and not isinstance(node.base.function, tree.Script))
    base = _latex(node.base) if plain else _braced(node.base)
    primes = "'" * node.primes
    sub = "" if node.sub is None else "_" + _braced(node.sub)
    sup = "" if node.sup is None else "^" + _braced(node.sup)
    return base + primes + sub + sup


def _risky(node: tree.Node) -> bool:
    """Tell whether a name would be read differently with something after it."""
    return isinstance(node, tree.Name) and (
        node.text in {"d", "\\partial"}
        or node.text in WORDS
        or (node.text == "E" and node.font == "blackboard")
        or node.text in FUNCTIONS
    )


@_latex.register
def _(node: tree.Additive) -> str:
    pieces: list[str] = []
    for at, (sign, term) in enumerate(node.terms):
        text = _term(term)
        if at or sign == "-" or len(node.terms) == 1:
            pieces.append((" " if at else "") + sign + (" " if at else ""))
        pieces.append(text)
    return "".join(pieces)


def _term(node: tree.Node) -> str:
    return _braced(node) if isinstance(node, _LOOSE) else _latex(node)


@_latex.register
def _(node: tree.Product) -> str:
    pieces: list[str] = []
    last = len(node.factors) - 1
    for at, factor in enumerate(node.factors):
        divided = isinstance(factor, tree.Differential) and "/" in node.operators
        loose = (
            divided
            or isinstance(factor, (*_LOOSE, tree.Product))
            or (at < last and (reaches(factor) or _risky(factor) or _bare_derivative(factor)))
        )
        if at:
            pieces.append(_OPERATORS[node.operators[at - 1]])
        pieces.append(_braced(factor) if loose else _latex(factor))
    return "".join(pieces)


def _bare_derivative(node: tree.Node) -> bool:
    return isinstance(node, tree.Derivative) and node.of is None


@_latex.register
def _(node: tree.Fraction) -> str:
    return rf"\frac{_shielded(node.numerator)}{_braced(node.denominator)}"


def _shielded(node: tree.Node) -> str:
    """Print a numerator that must not be taken for that of a derivative."""
    text = _braced(node)
    return f"{{{text}}}" if text.startswith((r"{\mathrm{d}", r"{\partial")) else text


@_latex.register
def _(node: tree.Root) -> str:
    degree = "" if node.degree is None else f"[{_inside(node.degree)}]"
    return rf"\sqrt{degree}{_braced(node.radicand)}"


@_latex.register
def _(node: tree.Big) -> str:
    head = _BIGS.get(node.operator, "\\" + node.operator)
    sub = "" if node.lower is None else "_" + _braced(node.lower)
    sup = "" if node.upper is None else "^" + _braced(node.upper)
    between = "" if node.operator == "E" else " "
    return f"{head}{sub}{sup}{between}{_term(node.body)}"


def _order(node: tree.Derivative) -> str:
    return f"^{{{len(node.by)}}}" if len(node.by) > 1 else ""


@_latex.register
def _(node: tree.Derivative) -> str:
    mark = {"partial": r"\partial", "total": r"\mathrm{d}", "nabla": r"\nabla"}[node.style]
    of = "" if node.of is None else _term(node.of)
    if node.form == "subscript":
        if not node.by:
            above = f"^{{{node.order}}}" if node.order > 1 else ""
            return f"{mark}{above} {of}".rstrip()
        return f"{mark}_{_braced(node.by[0])}{_order(node)} {of}".rstrip()
    if node.form == "slash":
        variable = node.by[0]
        power = f"^{{{len(node.by)}}}" if len(node.by) > 1 else ""
        return f"{mark}{_order(node)} {{{of}}} / {mark} {_braced(variable)}{power}"
    below = " ".join(f"{mark} {_braced(variable)}" for variable in node.by)
    if node.form == "fraction":
        inside = of if node.of is None or not isinstance(node.of, tree.Empty) else "{}"
        return rf"\frac{{{mark}{_order(node)} {inside}}}{{{below}}}"
    return rf"\frac{{{mark}{_order(node)}}}{{{below}}} {of}".rstrip()


@_latex.register
def _(node: tree.Differential) -> str:
    below = "" if node.by is None else f"_{_braced(node.by)}"
    return rf"\mathrm{{d}}{below}{_braced(node.of)}"


@_latex.register
def _(node: tree.Call) -> str:
    base = node.function.base if isinstance(node.function, tree.Script) else node.function
    assert isinstance(base, tree.Name), base
    head = base.text if base.text.startswith("\\") else rf"\operatorname{{{base.text}}}"
    if isinstance(node.function, tree.Script):
        head += _scripts(node.function)
    return f"{head}({', '.join(_item(argument) for argument in node.arguments)})"


def _scripts(node: tree.Script) -> str:
    sub = "" if node.sub is None else "_" + _braced(node.sub)
    sup = "" if node.sup is None else "^" + _braced(node.sup)
    return "'" * node.primes + sub + sup


def _item(node: tree.Node) -> str:
    return _braced(node) if isinstance(node, tree.Sequence | tree.Empty) else _inside(node)


def _inside(node: tree.Node) -> str:
    """Print what stands in brackets, which a matrix without brackets would else take for its own."""
    unbracketed = isinstance(node, tree.Matrix) and node.kind in {"matrix", "smallmatrix", "array"}
    return _braced(node) if unbracketed else _latex(node)


@_latex.register
def _(node: tree.Group) -> str:
    left, right = (f"\\{side}" if side and side in "{}" else side for side in (node.left, node.right))
    if left.startswith("\\l"):
        left += " "
    return f"{left}{_inside(node.body)}{right}"


@_latex.register
def _(node: tree.Sequence) -> str:
    mark = ", " if node.mark == "," else f" {node.mark} "
    return mark.join(_item(item) for item in node.items)


@_latex.register
def _(node: tree.Case) -> str:
    value = _item(node.value)
    return value if node.condition is None else f"{value} & {_latex(node.condition)}"


@_latex.register
def _(node: tree.Cases) -> str:
    rows = r" \\ ".join(_latex(row) for row in node.rows)
    return rf"\begin{{cases}} {rows} \end{{cases}}"


@_latex.register
def _(node: tree.Matrix) -> str:
    rows = r" \\ ".join(" & ".join(_latex(cell) for cell in row) for row in node.rows)
    return rf"\begin{{{node.kind}}} {rows} \end{{{node.kind}}}"


@_latex.register
def _(node: tree.Dots) -> str:
    return f"\\{node.kind}"


@_latex.register
def _(_node: tree.Empty) -> str:
    return ""


@_latex.register
def _(node: tree.Norm) -> str:
    order = "" if node.order is None else "_" + _braced(node.order)
    return rf"\left\| {_inside(node.body)} \right\|{order}"


@_latex.register
def _(node: tree.Absolute) -> str:
    return rf"\left| {_inside(node.body)} \right|"


@_latex.register
def _(node: tree.Inner) -> str:
    return rf"\langle {_latex(node.left)}, {_latex(node.right)} \rangle"


@_latex.register
def _(node: tree.Relation) -> str:
    if node.operators == ("|",):
        return rf"{_latex(node.members[0])} \mid {_latex(node.members[1])}"
    pieces = [_member(node.members[0])]
    for operator, member in zip(node.operators, node.members[1:], strict=True):
        pieces.append(_relation(operator) + _member(member))
    return "".join(pieces)


def _member(node: tree.Node) -> str:
    return _braced(node) if isinstance(node, tree.Relation | tree.Sequence) else _latex(node)


@_latex.register
def _(_node: tree.Question) -> str:
    return "?"


@_latex.register
def _(node: tree.Words) -> str:
    return rf"\text{{{node.text}}}"


@_latex.register
def _(node: tree.Operator) -> str:
    return _RELATIONS.get(node.text, node.text)


@_latex.register
def _(node: tree.Chain) -> str:
    pieces = ["" if node.members[0] is None else _member(node.members[0])]
    for operator, member in zip(node.operators, node.members[1:], strict=True):
        assert member is not None
        pieces.append(_relation(operator.text) + _member(member))
    return "".join(pieces).strip()


@_latex.register
def _(node: tree.Connective) -> str:
    return _CONNECTIVES.get(node.text, node.text)


@_latex.register
def _(node: tree.Display) -> str:
    pieces: list[str] = []
    for at, item in enumerate(node.items):
        text = _latex(item)
        if at and isinstance(item, tree.Chain) and isinstance(item.members[0], tree.Additive):
            sign, _ = item.members[0].terms[0]
            if sign == "-" or len(item.members[0].terms) == 1:
                text = _latex(tree.Chain((item.members[0],), ()))
                rest = _latex(item)[len(text) :]
                text = "{" + text + "}" + rest
        following = node.items[at + 1] if at + 1 < len(node.items) else None
        if isinstance(item, tree.Chain) and isinstance(following, tree.Chain):
            text = rf"\text{{${text}$}}"
        pieces.append(text)
    return " ".join(pieces)

"""The syntax tree of one math span: what was written, not yet what it means.

Every node carries its span in the file; spans take no part in equality, so that printing a tree and
reading it back gives an equal tree. A node never decides between meanings: `x_{ij}` keeps `ij` as a
product of two names, `f(x)` stays a product of a name and a group, `W^T` a script with a superscript.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from symderiv.diagnostics import Span

NOWHERE = Span(0, 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """Anything in the tree."""

    span: Span = field(default=NOWHERE, compare=False, repr=False)
    walked: tuple[Node, ...] | None = field(default=None, init=False, compare=False, repr=False)
    """What is below, itself first, once that was asked for: see `names.walk`."""


@dataclass(frozen=True, slots=True)
class Number(Node):
    """A decimal numeral, as written: `2`, `0.5`."""

    text: str


@dataclass(frozen=True, slots=True)
class Name(Node):
    """A letter, a Greek letter, or a word.

    `text` is the letter (`x`), the command (`\\beta`, `\\ell`), or the word without its wrapper
    (`softmax` for `\\operatorname{softmax}`, `\\text{softmax}`, `\\mathrm{softmax}` or a bare known
    word `softmax(`). `font` is "" (italic), "bold", "roman", "calligraphic", "blackboard", "fraktur",
    "sans" or "typewriter". A word of one letter in `\\mathrm` is roman.
    """

    text: str
    font: str = ""


@dataclass(frozen=True, slots=True)
class Accent(Node):
    """`\\hat{x}`, `\\bar`, `\\tilde`, `\\vec`, `\\overline`: `mark` is the command without backslash."""

    mark: str
    body: Node


@dataclass(frozen=True, slots=True)
class Script(Node):
    """`base_{sub}^{sup}` with `primes` primes; `sub` and `sup` are None where absent."""

    base: Node
    sub: Node | None = None
    sup: Node | None = None
    primes: int = 0


@dataclass(frozen=True, slots=True)
class Additive(Node):
    """Terms with their signs: `-a + b` is `(("-", a), ("+", b))`. A single unsigned term is no Additive."""

    terms: tuple[tuple[str, Node], ...]


@dataclass(frozen=True, slots=True)
class Product(Node):
    """Factors and the operators between them; `len(operators) == len(factors) - 1`.

    An operator is "" (juxtaposition), "*" (`*` or `\\ast`), "cdot", "times", "odot", "circ", "otimes",
    "." (a full stop between factors), "/" or "div". Division binds the factor that follows it.
    """

    factors: tuple[Node, ...]
    operators: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Fraction(Node):
    """`\\frac{a}{b}` and its kin, where it is no derivative."""

    numerator: Node
    denominator: Node


@dataclass(frozen=True, slots=True)
class Root(Node):
    """`\\sqrt[degree]{radicand}`; `degree` is None for the square root."""

    radicand: Node
    degree: Node | None = None


@dataclass(frozen=True, slots=True)
class Big(Node):
    """A big operator with its scope: the product that follows, up to the next `+`, `-` or relation.

    `operator` is "sum", "prod", "int", "max", "min", "argmax", "argmin", "lim" or "E". `lower` is what
    stands below: None, `Name i`, a `Relation` (`i = 1`, `j \\ne i`, `x \\in X`), a `Sequence` of these.
    """

    operator: str
    lower: Node | None
    upper: Node | None
    body: Node


@dataclass(frozen=True, slots=True)
class Derivative(Node):
    """A derivative as a fraction, an operator, or with a subscript.

    `\\frac{\\partial y}{\\partial x}`, `\\partial y/\\partial x`, `\\frac{\\partial}{\\partial x}(y)`,
    `\\frac{dy}{dx}`, `\\frac{d}{dx} y`, `\\nabla_x y`, `\\nabla y` (no variables), `\\partial_x y`,
    `\\nabla^2 y` (no variables, of `order` 2), `\\nabla_x^2 y`;
    `\\frac{\\partial^2 y}{\\partial x_i \\partial x_j}` has two variables, `\\partial x^2` the same one
    twice. `of` is None for an operator with nothing after it. `style` is "partial", "total" or "nabla";
    `form` is "fraction" (the operand stands in the numerator), "slash", "operator" (the operand follows,
    up to `+`, `-` or a relation) or "subscript" (`\\partial_x`, `\\nabla_x`).
    """

    of: Node | None
    by: tuple[Node, ...]
    style: str
    form: str
    order: int = 1
    """How often the variable that is left out is differentiated by, where `by` is empty."""


@dataclass(frozen=True, slots=True)
class Differential(Node):
    """`\\mathrm{d}X` or `dX` that stands alone as a factor, outside a fraction; `d_x f` is `by` x."""

    of: Node
    by: Node | None = None
    upright: bool = field(default=False, compare=False)


@dataclass(frozen=True, slots=True)
class Call(Node):
    """A function that LaTeX or the field names, with its argument: `\\exp(x)`, `\\log x`, `softmax(x)`.

    `function` is a Name, or a Script over one (`\\log_2`, `\\sin^2`, `\\operatorname{softmax}(x)` with
    `(…)_i` scripting the Call). One argument for each comma of a bracketed list.
    """

    function: Node
    arguments: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Group(Node):
    """A bracketed expression; `left` and `right` are "(", "[", "{" and their mates. TeX braces are none."""

    body: Node
    left: str
    right: str


@dataclass(frozen=True, slots=True)
class Sequence(Node):
    """Items separated by commas (in brackets or scripts), or two by a double bar: `D(p \\| q)`."""

    items: tuple[Node, ...]
    mark: str = ","


@dataclass(frozen=True, slots=True)
class Case(Node):
    """One row of `cases`; `condition` is None for `otherwise`, `else` or an empty cell."""

    value: Node
    condition: Node | None


@dataclass(frozen=True, slots=True)
class Cases(Node):
    """`\\begin{cases}…\\end{cases}`, or `\\left\\{\\begin{array}…\\end{array}\\right.`."""

    rows: tuple[Case, ...]


@dataclass(frozen=True, slots=True)
class Matrix(Node):
    """`bmatrix`, `pmatrix`, `matrix`, `vmatrix` or a bracketed `array`; a cell may be `Dots` or `Empty`."""

    rows: tuple[tuple[Node, ...], ...]
    kind: str


@dataclass(frozen=True, slots=True)
class Dots(Node):
    """`\\dots`, `\\cdots`, `\\vdots`, `\\ddots`, `...`; `kind` is the command without backslash."""

    kind: str


@dataclass(frozen=True, slots=True)
class Empty(Node):
    """Nothing: an empty cell or `{}`."""


@dataclass(frozen=True, slots=True)
class Norm(Node):
    """`\\|x\\|`, `\\lVert x \\rVert`, `||x||`; `order` is the subscript (`2`, `F`, `1`) or None."""

    body: Node
    order: Node | None = None


@dataclass(frozen=True, slots=True)
class Absolute(Node):
    """`|x|`, `\\lvert x \\rvert`."""

    body: Node


@dataclass(frozen=True, slots=True)
class Inner(Node):
    """`\\langle a, b \\rangle`."""

    left: Node
    right: Node


@dataclass(frozen=True, slots=True)
class Relation(Node):
    """Relations inside an expression: a condition, a bound, a bracket: `i = 1`, `i \\ne j`, `0 < k \\le n`.

    Operators are canonical: "=", "!=", "<", "<=", ">", ">=", "in", "notin", ":", "to", "~", "approx",
    "propto", ":=", "equiv", "<-", "subset", "mapsto"; "|" for the one bar of `P(a|b)`.
    """

    members: tuple[Node, ...]
    operators: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Question(Node):
    """`?` as a member."""


@dataclass(frozen=True, slots=True)
class Words(Node):
    """`\\text{…}` that is no name: prose inside mathematics, white space folded."""

    text: str


@dataclass(frozen=True, slots=True)
class Operator(Node):
    """A relation between the members of a chain, canonical as in `Relation`."""

    text: str


@dataclass(frozen=True, slots=True)
class Chain(Node):
    """`a = b = c`: `len(operators) == len(members) - 1`.

    The first member is None where a display begins with a relation. A single member and no operator is a
    term that states nothing. Rows of `aligned` and its kin that begin with a relation continue the chain of
    the row before; a row that ends with an operator (`+`, `\\times`) or begins with one continues the
    expression.
    """

    members: tuple[Node | None, ...]
    operators: tuple[Operator, ...]


@dataclass(frozen=True, slots=True)
class Connective(Node):
    """Between statements: ",", ";", "quad", "row" (a new row), "implies", "therefore", "arrow"."""

    text: str


@dataclass(frozen=True, slots=True)
class Display(Node):
    """One math span: chains, words and connectives in the order of writing."""

    items: tuple[Chain | Words | Connective, ...]

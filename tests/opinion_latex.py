r"""A reader of LaTeX for the second opinion: one member of a chain becomes a tree of tuples.

It shares nothing with symderiv. What a letter stands for is asked of `Names`; what it cannot read is
`Unreadable`, never guessed.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

Node = tuple[Any, ...]


class Unreadable(Exception):
    """No expression that this reader knows."""


_DROPPED = (
    r"\s+|\\left(?![a-z])|\\right(?![a-z])|\\[bB]igg?[lrm]?(?![a-z])|\\[,;:!> ]|\\qquad|\\quad|&|~"
    r"|\\displaystyle|\\limits|\\nonumber"
)
_TOKEN = re.compile(rf"(?:{_DROPPED})|(?P<token>\\[A-Za-z]+\*?|\\.|\d+(?:\.\d+)?|.)", re.DOTALL)
_FONTS = frozenset(
    {"\\mathrm", "\\mathbf", "\\mathcal", "\\operatorname", "\\boldsymbol", "\\text", "\\mathbb"}
)
_MARKS = frozenset(
    {"\\hat", "\\bar", "\\tilde", "\\dot", "\\check", "\\vec", "\\widehat", "\\widetilde", "\\overline"}
)
_GREEK = frozenset(
    "\\" + name
    for name in (
        *(
            "alpha",
            "beta",
            "gamma",
            "delta",
            "epsilon",
            "varepsilon",
            "zeta",
            "eta",
            "theta",
            "vartheta",
            "iota",
        ),
        *(
            "kappa",
            "lambda",
            "mu",
            "nu",
            "xi",
            "pi",
            "rho",
            "sigma",
            "tau",
            "upsilon",
            "phi",
            "varphi",
            "chi",
            "psi",
        ),
        *("omega", "ell", "Gamma", "Delta", "Theta", "Lambda", "Xi", "Pi", "Sigma", "Phi", "Psi", "Omega"),
    )
)
FUNCTIONS = frozenset(
    (
        *(
            "exp",
            "log",
            "ln",
            "sin",
            "cos",
            "tan",
            "sinh",
            "cosh",
            "tanh",
            "sqrt",
            "det",
            "max",
            "min",
            "tr",
            "Tr",
        ),
        *("trace", "diag", "vec", "sign", "sgn", "erf", "sech", "arctan"),
    )
)
_OPERATORS = frozenset({"\\cdot", "\\odot", "\\circ", "\\otimes", "\\times", "*", "/"})
RELATIONS = {
    "=": "==",
    "\\neq": "!=",
    "\\ne": "!=",
    "<": "<",
    ">": ">",
    "\\le": "<=",
    "\\leq": "<=",
    "\\ge": ">=",
    "\\geq": ">=",
}
_ENDS = frozenset(
    {"", "+", "-", "\\pm", ")", "]", "}", "\\}", "\\\\", ",", ".", ";", ":", "\\end", "\\text", "\\rangle"}
    | {"\\land", "\\lor", "\\in", "\\rVert", "\\rvert", *RELATIONS}
)


@dataclass
class Names:
    """What the page says of names: which are functions, which have a subscript or a label in them."""

    functions: set[str] = field(default_factory=set)
    whole: set[str] = field(default_factory=set)
    """Names with everything that belongs to them: `W_{q}`, `W^{(1)}`."""
    plain: set[str] = field(default_factory=set)
    """Names without subscripts."""
    reaching: bool = False
    """Whether a sum reaches over the terms after it that use its letter."""


def tokens(text: str) -> list[str]:
    """Return the tokens of some LaTeX."""
    return [found["token"] for found in _TOKEN.finditer(text) if found["token"]]


class Reader:
    """Reads one expression; every verb moves `at`."""

    def __init__(self, text: str, names: Names) -> None:
        self.tokens = tokens(text)
        self.names = names
        self.at = 0
        self.bars = 0
        self.called = False

    # -- tokens

    @property
    def next(self) -> str:
        return self.tokens[self.at] if self.at < len(self.tokens) else ""

    def take(self, *expected: str) -> str:
        token = self.next
        if not token or (expected and token not in expected):
            raise Unreadable(f"{token!r} where {' '.join(expected) or 'something'} should stand")
        self.at += 1
        return token

    def has(self, *wanted: str) -> bool:
        if self.next in wanted:
            self.at += 1
            return True
        return False

    def group(self) -> list[str]:
        """Return the tokens of a braced group, or the single token that stands for one."""
        if not self.has("{"):
            return [self.take()]
        depth, found = 1, []
        while depth:
            token = self.take()
            depth += (token == "{") - (token == "}")
            found.append(token)
        return found[:-1]

    def inside(self, of: list[str]) -> Reader:
        """Return a reader of some of the tokens."""
        other = Reader("", self.names)
        other.tokens = of
        return other

    # -- sums and products

    def whole(self) -> Node:
        """Read all there is."""
        node = self.expression()
        while self.has(".", ",", ";"):
            pass
        if self.next:
            raise Unreadable(self.next)
        return node

    def expression(self) -> Node:
        """Read terms joined by signs."""
        terms = [(self.take() if self.next in {"+", "-"} else "+", self.term())]
        while self.next in {"+", "-"}:
            terms.append((self.take(), self.term()))
        return terms[0][1] if len(terms) == 1 and terms[0][0] == "+" else ("add", tuple(terms))

    def ended(self) -> bool:
        """Tell whether a product ends here."""
        return self.next in _ENDS or (self.next in {"|", "\\|"} and (self.bars > 0 or self.called))

    def term(self) -> Node:
        """Read factors; `/` divides by the factor after it."""
        node = self.factor()
        while not self.ended():
            operator = self.take() if self.next in _OPERATORS else ""
            if self.next in {"-", "+"} and operator:
                sign = self.take()
                node = ("multiply", operator, node, ("add", ((sign, self.factor()),)))
                continue
            right = self.factor()
            node = ("divide", node, right) if operator == "/" else ("multiply", operator, node, right)
        return node

    def factor(self) -> Node:
        """Read a primary with its subscripts, exponents, primes."""
        token = self.next
        if token in {"\\sum", "\\prod"}:
            return self.big()
        if token == "\\partial":
            return self.slashed()
        if token == "\\nabla":
            return self.nabla()
        word = self.function_word()
        if word:
            return self.postfix(self.function(word))
        return self.postfix(self.primary())

    def postfix(self, node: Node) -> Node:
        """Read what hangs on a primary."""
        while self.next in {"_", "^", "'", "("} or (self.next == "[" and node[0] == "name"):
            if self.next in {"(", "["}:
                if not self.is_function(node):
                    break
                node = ("call", node, self.arguments())
            elif self.has("'"):
                if self.is_function(node):
                    node = ("prime", node)
                else:
                    node = ("name", node[1] + "'") if node[0] == "name" else self.refuse("'")
            elif self.has("_"):
                node = self.subscripted(node, self.group())
            else:
                self.take("^")
                node = self.raised(node, self.group())
        return node

    def refuse(self, what: str) -> Node:
        """Say that this cannot be read."""
        raise Unreadable(what)

    def is_function(self, node: Node) -> bool:
        """Tell whether a node may be called."""
        return (node[0] == "name" and node[1] in self.names.functions) or node[0] == "prime"

    def arguments(self) -> tuple[Node, ...]:
        """Read what stands in brackets after a function."""
        close = {"(": ")", "[": "]"}[self.take("(", "[")]
        (bars, called), (self.bars, self.called) = (self.bars, self.called), (0, True)
        found = [self.expression()]
        while self.has(",", ";", "\\|", "|"):
            found.append(self.expression())
        self.take(close)
        self.bars, self.called = bars, called
        return tuple(found)

    def subscripted(self, node: Node, group: list[str]) -> Node:
        """Return an entry, or the name that has the subscript in it."""
        if node[0] == "name":
            name = f"{node[1]}_{{{''.join(group)}}}"
            greek = len(group) == 1 and group[0] in _GREEK
            if name in self.names.whole or greek or any(token in {"\\mathrm", "\\text"} for token in group):
                return ("name", name)
        if node[0] == "norm":
            return node
        parts: list[list[str]] = [[]]
        depth = 0
        for token in group:
            depth += (token in "{([") - (token in "})]")
            if token == "," and not depth:
                parts.append([])
            else:
                parts[-1].append(token)
        if (
            len(parts) == 1
            and not {"+", "-", "/"} & set(group)
            and len(group) > 1
            and "(" not in group
            and "\\" not in group
        ):
            nodes = tuple(self.inside([token]).whole() for token in group)
            return ("entry", node, nodes)
        return ("entry", node, tuple(self.inside(part).whole() for part in parts))

    def raised(self, node: Node, group: list[str]) -> Node:
        """Return a transpose, an inverse, a power, or the name that has the label in it."""
        if group in (["\\top"], ["\\intercal"], ["\\mathsf", "T"]):
            return ("transpose", node)
        if group == ["-", "\\top"]:
            return ("transpose", ("inverse", node))
        if node[0] == "name":
            name = f"{node[1]}^{{{''.join(group)}}}"
            if name in self.names.whole or group in (["*"], ["\\star"], ["\\ast"]):
                return ("name", name)
        if group == ["-", "1"]:
            return ("inverse", node)
        exponent = self.inside(group).whole()
        return ("power", node, exponent)

    # -- primaries

    def primary(self) -> Node:
        token = self.take()
        if re.fullmatch(r"\d+(\.\d+)?", token):
            return ("number", float(token))
        if token in {"(", "[", "{"}:
            (bars, called), (self.bars, self.called) = (self.bars, self.called), (0, False)
            node = self.expression()
            self.take({"(": ")", "[": "]", "{": "}"}[token])
            self.bars, self.called = bars, called
            return node
        if token in {"\\frac", "\\tfrac", "\\dfrac"}:
            return self.fraction()
        if token == "\\begin":
            return self.cases()
        if token in {"|", "\\|", "\\lVert", "\\lvert"}:
            return self.bar(token)
        if token == "\\langle":
            first = self.expression()
            self.take(",")
            second = self.expression()
            self.take("\\rangle")
            return ("inner", first, second)
        if token == "\\delta" and self.next == "_" and "\\delta" not in self.names.plain:
            self.take("_")
            group = [each for each in self.group() if each != ","]
            return ("delta", tuple(self.inside([each]).whole() for each in group))
        return self.name(token)

    def name(self, token: str) -> Node:
        """Read a name: a letter, a Greek letter, a word in a font, any with a mark."""
        if token in {"\\mathbf", "\\mathbb", "\\boldsymbol"} and "".join(self.peek_group()) == "1":
            self.group()
            return self.one()
        if token in _FONTS or token in _MARKS:
            inner = "".join(self.group())
            if token in {"\\mathbf", "\\boldsymbol"} and re.fullmatch(r"[A-Za-z]|\\[a-z]+", inner):
                return ("name", inner if inner in self.names.plain else f"{token}{{{inner}}}")
            return ("name", f"{token}{{{inner}}}")
        if token == "d" and "d" + self.next in self.names.whole:
            return ("name", "d" + self.take())
        if re.fullmatch("[A-Za-z]", token) or token in _GREEK:
            return ("name", token)
        raise Unreadable(token)

    def peek_group(self) -> list[str]:
        """Return the group that comes next, and do not take it."""
        at = self.at
        try:
            return self.group()
        except Unreadable:
            return []
        finally:
            self.at = at

    def one(self) -> Node:
        """Read an indicator, or the vector of ones."""
        if self.next in {"[", "\\{"}:
            closed = {"[": "]", "\\{": "\\}"}[self.take()]
            condition = self.condition()
            self.take(closed)
            return ("indicator", condition)
        if self.next == "(":
            at = self.at
            self.take()
            try:
                condition = self.condition()
                self.take(")")
            except Unreadable:
                self.at = at
            else:
                return ("indicator", condition)
        return ("name", "\\mathbf{1}")

    def bar(self, token: str) -> Node:
        """Read an absolute value or a norm."""
        close = {"|": "|", "\\|": "\\|", "\\lVert": "\\rVert", "\\lvert": "\\rvert"}[token]
        self.bars += 1
        node = self.expression()
        self.take(close)
        self.bars -= 1
        return ("norm", node) if token in {"\\|", "\\lVert"} else ("apply", "abs", (node,), None)

    def condition(self) -> Node:
        """Read relations, joined by `and` or `or`."""
        parts = [self.relation()]
        joined = "and"
        while self.next in {"\\land", "\\lor", ",", "\\text", "\\mathrm"}:
            word = self.take()
            if word == "," and self.next in {"", "\\\\", "\\end"}:
                break
            if word in {"\\text", "\\mathrm"}:
                word = "".join(self.group()).strip()
                if word not in {"and", "or"}:
                    raise Unreadable(word)
            joined = "or" if word in {"\\lor", "or"} else "and"
            parts.append(self.relation())
        return (joined, tuple(parts)) if len(parts) > 1 else parts[0]

    def relation(self) -> Node:
        """Read a chain of comparisons."""
        sides, signs = [self.expression()], []
        while self.next in RELATIONS:
            signs.append(RELATIONS[self.take()])
            sides.append(self.expression())
        if not signs:
            raise Unreadable("a condition without a relation")
        return ("relation", tuple(sides), tuple(signs))

    def cases(self) -> Node:
        """Read the rows of cases."""
        if "".join(self.group()) != "cases":
            raise Unreadable("an environment")
        rows: list[tuple[Node, Node | None]] = []
        while self.next != "\\end":
            value = self.expression()
            while self.has(",", "."):
                pass
            condition = None
            word = "".join(self.group()) if self.has("\\text", "\\mathrm") else ""
            if word not in {"otherwise", "else", "otherwise.", "else."}:
                if word not in {"", "if", "for", "when"}:
                    raise Unreadable(word)
                condition = self.condition() if self.next not in {"\\\\", "\\end"} else None
            rows.append((value, condition))
            while self.has(",", ".", ";", "\\\\"):
                pass
        self.take("\\end")
        self.group()
        return ("cases", tuple(rows))

    # -- functions

    def function_word(self) -> str:
        """Return the function that begins here, taken; the empty string where none does."""
        token = self.next
        if token[:1] == "\\" and token[1:] in FUNCTIONS:
            self.at += 1
            return token[1:]
        if token in {"\\mathrm", "\\operatorname"}:
            word = "".join(self.inside(self.tokens[self.at + 1 :]).peek_group())
            if word in FUNCTIONS and f"{token}{{{word}}}" not in self.names.functions:
                self.at += 1
                self.group()
                return word
        return ""

    def function(self, word: str) -> Node:
        """Read a function's exponent, its index, its argument."""
        if word == "sqrt":
            if self.has("["):
                raise Unreadable("a root of another degree")
            return ("apply", "sqrt", (self.inside(self.group()).whole(),), None)
        power: Node | None = None
        primes = 0
        over: tuple[str, ...] = ()
        while self.next in {"^", "_", "'"}:
            if self.has("^"):
                power = self.inside(self.group()).whole()
            elif self.has("_"):
                over = tuple(self.group())
            else:
                self.take("'")
                primes += 1
        if over[1:] == ("=", "1") and power is not None:
            over, power = over[:1], None
        if over:
            if word not in {"max", "min"} or len(over) != 1:
                raise Unreadable(f"{word} over {''.join(over)}")
            node: Node = ("extreme", word, over[0], self.term())
        else:
            arguments = self.arguments() if self.next in {"(", "["} else (self.bare(),)
            word = {"ln": "log", "Tr": "tr", "trace": "tr", "sgn": "sign"}.get(word, word)
            node = ("primed", word, primes, arguments[0]) if primes else ("apply", word, arguments, None)
        return ("power", node, power) if power is not None else node

    def bare(self) -> Node:
        """Read an argument without brackets: one factor, with a number before it."""
        node = self.factor()
        if node[0] == "number" and not self.ended() and self.next not in _OPERATORS:
            return ("multiply", "", node, self.factor())
        return node

    # -- sums, derivatives

    def big(self) -> Node:
        """Read a sum or a product with its range."""
        word = self.take()
        self.take("_")
        under = self.inside(self.group())
        high: Node | None = None
        if self.has("^"):
            high = self.inside(self.group()).whole()
        letters, low, condition = _range(under)
        body = self.term()
        while self.names.reaching and self.next in {"+", "-"}:
            at, sign = self.at, self.take()
            term = self.term()
            if not names_of(term) & set(letters):
                self.at = at
                break
            body = ("add", (("+", body), (sign, term)))
        return ("big", word[1:], letters, low, high, condition, body)

    def slashed(self) -> Node:
        r"""Read `\partial a / \partial b`."""
        self.take("\\partial")
        of = self.factor()
        self.take("/")
        self.take("\\partial")
        return ("derivative", of, (self.factor(),))

    def nabla(self) -> Node:
        """Read a gradient or a Hessian."""
        self.take("\\nabla")
        by: list[str] | None = None
        order = 1
        while self.next in {"_", "^"}:
            if self.take() == "_":
                by = self.group()
            else:
                order = int("".join(self.group()))
        of = self.factor()
        if by is None:
            return ("gradient", of, order)
        return ("derivative", of, (self.inside(by).whole(),) * order)

    def fraction(self) -> Node:
        """Read a fraction, or a derivative in this form."""
        above, below = self.group(), self.group()
        sign = next(
            (s for s in ("\\partial", "d", "\\mathrm{d}") if _starts(above, s) and _starts(below, s)), None
        )
        if sign == "d" and (len(below) < 2 or ("d" in self.names.plain and above != ["d"])):
            sign = None
        if sign is None:
            return ("divide", self.inside(above).whole(), self.inside(below).whole())
        width = len(tokens(sign))
        top = self.inside(above[width:])
        order = int("".join(top.group())) if top.has("^") else 1
        variables = self.variables(below, sign, order)
        of = top.expression() if top.next else self.term()
        if top.next:
            raise Unreadable(top.next)
        return ("derivative", of, variables)

    def variables(self, below: list[str], sign: str, order: int) -> tuple[Node, ...]:
        """Read what a derivative is taken by."""
        reader = self.inside(below)
        found: list[Node] = []
        while reader.next:
            reader.take(*tokens(sign)[:1])
            if sign == "\\mathrm{d}":
                reader.at += 3
            node = reader.factor()
            if order > 1 and node[0] == "power" and node[2][0] == "number":
                found += [node[1]] * int(node[2][1])
            else:
                found.append(node)
        if len(found) != order:
            raise Unreadable("a derivative of another order than its variables say")
        return tuple(found)


def _starts(group: list[str], sign: str) -> bool:
    wanted = tokens(sign)
    return group[: len(wanted)] == wanted


def _range(under: Reader) -> tuple[tuple[str, ...], Node | None, Node | None]:
    """Read what stands under a sum: its letters, where it begins, a condition on them."""
    text = list(under.tokens)
    if len(text) > 1 and text[1] == "=":
        under.at = 2
        return (text[0],), under.whole(), None
    letters = tuple(token for token in text if token != ",")
    if all(re.fullmatch("[a-z]", token) for token in letters):
        return letters, None, None
    condition = under.condition()
    if under.next:
        raise Unreadable(under.next)
    bound = text[0] if re.fullmatch("[a-z]", text[0]) else next(t for t in text if re.fullmatch("[a-z]", t))
    return (bound,), None, condition


def read(latex: str, names: Names) -> Node:
    """Read one member of a chain."""
    return Reader(latex, names).whole()


def walk(node: Any, visit: Callable[[Node], None]) -> None:
    """Visit every node of a tree."""
    if isinstance(node, tuple):
        if node and isinstance(node[0], str) and len(node) > 1:
            visit(node)
        for part in node:
            walk(part, visit)


def names_of(node: Node) -> set[str]:
    """Return the names in a tree."""
    found: set[str] = set()

    def visit(each: Node) -> None:
        if each[0] == "name":
            found.add(each[1])

    walk(node, visit)
    return found

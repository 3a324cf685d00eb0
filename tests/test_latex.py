"""The parser of LaTeX: constructs and their trees, exact carets, spans, and what holds for any text."""

from __future__ import annotations

import time

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from symderiv.latex import LatexError, Macros, parse, to_latex
from symderiv.latex.tree import (
    Absolute,
    Accent,
    Additive,
    Big,
    Call,
    Case,
    Cases,
    Chain,
    Connective,
    Derivative,
    Differential,
    Display,
    Dots,
    Empty,
    Fraction,
    Group,
    Inner,
    Matrix,
    Name,
    Node,
    Norm,
    Number,
    Operator,
    Product,
    Question,
    Relation,
    Root,
    Script,
    Sequence,
    Words,
)

# Short names for trees


def n(text: str, font: str = "") -> Name:
    return Name(text, font)


def bold(text: str) -> Name:
    return Name(text, "bold")


def num(text: str) -> Number:
    return Number(text)


def mul(*factors: Node) -> Product:
    return Product(factors, ("",) * (len(factors) - 1))


def op(operator: str, left: Node, right: Node) -> Product:
    return Product((left, right), (operator,))


def add(*terms: Node) -> Additive:
    return Additive(tuple(("+", term) for term in terms))


def sub(left: Node, right: Node) -> Additive:
    return Additive((("+", left), ("-", right)))


def neg(term: Node) -> Additive:
    return Additive((("-", term),))


def low(base: Node, below: Node) -> Script:
    return Script(base, below)


def high(base: Node, above: Node) -> Script:
    return Script(base, None, above)


def par(body: Node) -> Group:
    return Group(body, "(", ")")


def seq(*items: Node) -> Sequence:
    return Sequence(items)


def rel(left: Node, operator: str, right: Node) -> Relation:
    return Relation((left, right), (operator,))


def frac(of: Node | None, *by: Node, style: str = "partial") -> Derivative:
    return Derivative(of, by, style, "fraction")


def chain(first: Node | None, *rest: str | Node) -> Chain:
    members = (first, *(part for part in rest if isinstance(part, Node)))
    return Chain(members, tuple(Operator(part) for part in rest if isinstance(part, str)))


a, b, c, d, f, g, h, i, j, k = (n(letter) for letter in "abcdfghijk")
x, y, z, w, t, L, W, X, T, N = (n(letter) for letter in "xyzwtLWXTN")
one, two = num("1"), num("2")
x_i, y_i, y_j = low(x, i), low(y, i), low(y, j)
ij = mul(i, j)
quad, row, comma = Connective("quad"), Connective("row"), Connective(",")

EXPRESSIONS: list[tuple[str, Node]] = [
    # Names and numbers
    (r"x", x),
    (r"\beta", n(r"\beta")),
    (r"\ell", n(r"\ell")),
    (r"0.5", num("0.5")),
    (r".5", num(".5")),
    (r"12", num("12")),
    (r"\mathbf{x}", bold("x")),
    (r"\mathbf x", bold("x")),
    (r"{\bf x}", bold("x")),
    (r"\boldsymbol{\theta}", bold(r"\theta")),
    (r"\mathbf{Wx}", mul(bold("W"), bold("x"))),
    (r"\mathcal{L}", n("L", "calligraphic")),
    (r"\mathbb{R}^n", high(n("R", "blackboard"), n("n"))),
    (r"\mathrm{T}", n("T", "roman")),
    (r"\text{new}", n("new")),
    (r"\mathrm{new}", n("new")),
    (r"\mathbf 1_n", low(bold("1"), n("n"))),
    (r"α·β", op("cdot", n(r"\alpha"), n(r"\beta"))),
    # Scripts
    (r"x_i^2", Script(x, i, two)),
    (r"x^2_i", Script(x, i, two)),
    (r"x'", Script(x, primes=1)),
    (r"x^{\prime}", Script(x, primes=1)),
    (r"x^\prime", Script(x, primes=1)),
    (r"x''", Script(x, primes=2)),
    (r"W'^T", Script(W, None, T, 1)),
    (r"x^{\prime T}", Script(x, None, T, 1)),
    (r"x_{i,j}", low(x, seq(i, j))),
    (r"x_{ij}", low(x, ij)),
    (r"x_{i j}", low(x, ij)),
    (r"x_{2i}", low(x, mul(two, i))),
    (r"x_12", mul(low(x, one), two)),
    (r"{X}^T", high(X, T)),
    (r"{{w}^{[l]}}", high(w, Group(n("l"), "[", "]"))),
    (r"x^{(i)}", high(x, par(i))),
    (r"x_{\text{new}}", low(x, n("new"))),
    (r"w^{old}", high(w, Group(n("old"), "", ""))),
    (r"w^{\text{old}}", high(w, Group(n("old"), "", ""))),
    (r"e^{\text{old}}", high(n("e"), n("old"))),
    (r"x_{\max}", low(x, n(r"\max"))),
    (r"x_{i=j}", low(x, rel(i, "=", j))),
    (r"x_{1:n}", low(x, rel(one, ":", n("n")))),
    (r"A_{:,j}", low(n("A"), seq(n(":"), j))),
    (r"[AB]_{ij}", low(Group(mul(n("A"), n("B")), "[", "]"), ij)),
    (r"(AB)_{ij}", low(par(mul(n("A"), n("B"))), ij)),
    (r"\left(\frac{a}{b}\right)^T", high(par(Fraction(a, b)), T)),
    (r"{x_i}^2", Script(x, i, two)),
    (r"{x^2}_i", low(high(x, two), i)),
    (r"x^\top", high(x, n(r"\top"))),
    (r"x^{\mathrm T}", high(x, n("T", "roman"))),
    (r"x^{\rm T}", high(x, n("T", "roman"))),
    (r"x^{Tr}", high(x, n("Tr"))),
    (r"xᵀ", high(x, T)),
    (r"x⁻¹", high(x, neg(one))),
    (r"x^{-1}", high(x, neg(one))),
    (r"x^{-\top}", high(x, neg(n(r"\top")))),
    (r"x^{(2)T}", high(x, mul(par(two), T))),
    (r"x^*", high(x, n("*"))),
    (r"x^{-1/2}", high(x, neg(op("/", one, two)))),
    (r"\mathbb{R}^{T \times N}", high(n("R", "blackboard"), op("times", T, N))),
    # Accents
    (r"\hat y_i", low(Accent("hat", y), i)),
    (r"\hat{y_i}", Accent("hat", y_i)),
    (r"\overrightarrow{\mathbf 0}^T", high(Accent("overrightarrow", bold("0")), T)),
    # Sums of terms and products
    (r"-a + b", Additive((("-", a), ("+", b)))),
    (r"a - b", sub(a, b)),
    (r"a b", mul(a, b)),
    (r"{a b} c", mul(a, b, c)),
    (r"{a + b} c", mul(add(a, b), c)),
    (r"a / b c", Product((a, b, c), ("/", ""))),
    (r"a \cdot -1", op("cdot", a, neg(one))),
    (r"a.b", op(".", a, b)),
    (r"a * b \odot c", Product((a, b, c), ("*", "odot"))),
    (r"a + \dots + z", add(a, Dots("dots"), z)),
    (r"a + ... + z", add(a, Dots("dots"), z)),
    (r"f(x)", mul(f, par(x))),
    (r"\sigma(z)", mul(n(r"\sigma"), par(z))),
    (r"\beta(a+b)", mul(n(r"\beta"), par(add(a, b)))),
    (r"x[i,k]", mul(x, Group(seq(i, k), "[", "]"))),
    (r"\text{prod}(a,b)", mul(n("prod"), par(seq(a, b)))),
    (r"\frac12", Fraction(one, two)),
    (r"\dfrac{a}{b}", Fraction(a, b)),
    (r"\sqrt[3]{x}", Root(x, num("3"))),
    (r"\sqrt x", Root(x)),
    # Functions
    (r"\exp(x)", Call(n(r"\exp"), (x,))),
    (r"\exp\left(x\right)", Call(n(r"\exp"), (x,))),
    (r"\exp{x}", Call(n(r"\exp"), (x,))),
    (r"\exp\{x\}", Call(n(r"\exp"), (x,))),
    (r"\log x_i y + b", add(Call(n(r"\log"), (mul(x_i, y),)), b)),
    (r"\log x \cdot y", op("cdot", Call(n(r"\log"), (x,)), y)),
    (r"\log x \log y", mul(Call(n(r"\log"), (x,)), Call(n(r"\log"), (y,)))),
    (r"\log(x) y", mul(Call(n(r"\log"), (x,)), y)),
    (r"\log \sum_k a", Call(n(r"\log"), (Big("sum", k, None, a),))),
    (r"\exp(x)^2", high(Call(n(r"\exp"), (x,)), two)),
    (r"\sin^2 x", Call(high(n(r"\sin"), two), (x,))),
    (r"\log_2 x", Call(low(n(r"\log"), two), (x,))),
    (r"\operatorname{softmax}(z)_i", low(Call(n("softmax"), (z,)), i)),
    (r"\text{softmax}(z)_i", low(Call(n("softmax"), (z,)), i)),
    (r"\mathrm{softmax}(z)_i", low(Call(n("softmax"), (z,)), i)),
    (r"softmax(z)_i", low(Call(n("softmax"), (z,)), i)),
    (r"max(0, x)", Call(n("max"), (num("0"), x))),
    (r"\operatorname{tr} A", Call(n("tr"), (n("A"),))),
    (r"\operatorname{att}(a, b)", Call(n("att"), (a, b))),
    (r"{\rm tr}(A)", Call(n("tr"), (n("A"),))),
    (r"\max(a,b)", Call(n(r"\max"), (a, b))),
    # Big operators
    (r"\max_j x", Big("max", j, None, x)),
    (r"\arg\max_x f", Big("argmax", x, None, f)),
    (r"\operatorname*{arg\,max}_x f", Big("argmax", x, None, f)),
    (r"\underset{x}{\operatorname{argmin}} f", Big("argmin", x, None, f)),
    (r"\sum_{i=1}^N x_i", Big("sum", rel(i, "=", one), N, x_i)),
    (r"\sum\limits_i x_i", Big("sum", i, None, x_i)),
    (r"\sum_i^n x_i", Big("sum", i, n("n"), x_i)),
    (r"\sum_{i,j} a", Big("sum", seq(i, j), None, a)),
    (r"\sum_{j\ne i} a", Big("sum", rel(j, "!=", i), None, a)),
    (r"\sum_{k<i} a", Big("sum", rel(k, "<", i), None, a)),
    (r"\sum a b", Big("sum", None, None, mul(a, b))),
    (r"\sum_{\substack{i = 1 \\ j \ne i}} a", Big("sum", seq(rel(i, "=", one), rel(j, "!=", i)), None, a)),
    (r"\sum_i a b + c", add(Big("sum", i, None, mul(a, b)), c)),
    (r"\sum_i a \sum_j b", Big("sum", i, None, mul(a, Big("sum", j, None, b)))),
    (r"{\sum_i a} b", mul(Big("sum", i, None, a), b)),
    (r"\sum_i {a + b}", Big("sum", i, None, add(a, b))),
    (r"\sum_i -a", Big("sum", i, None, neg(a))),
    (r"\frac{1}{N}\sum_i a b", mul(Fraction(one, N), Big("sum", i, None, mul(a, b)))),
    (r"\prod_i a", Big("prod", i, None, a)),
    (r"\int f dx", Big("int", None, None, mul(f, Differential(x)))),
    (r"\mathbb{E}[x]^2", high(Big("E", None, None, Group(x, "[", "]")), two)),
    # Derivatives
    (r"\frac{\partial y_j}{\partial x_i}", frac(y_j, x_i)),
    (r"\frac{\partial L}{\partial y} \cdot \frac{\partial y}{\partial W}",
     op("cdot", frac(L, y), frac(y, W))),
    (r"\frac{\partial (\sum_i a)}{\partial x}", frac(par(Big("sum", i, None, a)), x)),
    (r"\frac{\partial \frac{a}{b}}{\partial x}", frac(Fraction(a, b), x)),
    (r"\frac{\partial^2 f}{\partial x \partial y}", frac(f, x, y)),
    (r"\frac{\partial^2 f}{\partial x^2}", frac(f, x, x)),
    (r"\frac{\partial f}{\partial x^2}", frac(f, high(x, two))),
    (r"\frac{\mathrm{d}y}{\mathrm{d}x}", frac(y, x, style="total")),
    (r"\frac{{\rm d}y}{{\rm d}x}", frac(y, x, style="total")),
    (r"\frac{dy}{dx}", frac(y, x, style="total")),
    (r"\frac{d^2 y}{dx^2}", frac(y, x, x, style="total")),
    (r"\frac{d}{dx} f", Derivative(f, (x,), "total", "operator")),
    (r"\frac{d}{n}", Fraction(d, n("n"))),
    (r"\frac{ad}{dk}", Fraction(mul(a, d), mul(d, k))),
    (r"\frac{d_k}{d_v}", Fraction(low(d, k), low(d, n("v")))),
    (r"\frac{\partial}{\partial x} f g + h", add(Derivative(mul(f, g), (x,), "partial", "operator"), h)),
    (r"\partial L / \partial x", Derivative(L, (x,), "partial", "slash")),
    (r"\partial{L} / \partial{x_i}", Derivative(L, (x_i,), "partial", "slash")),
    (r"∂L/∂x", Derivative(L, (x,), "partial", "slash")),
    (r"dL/dx", Derivative(L, (x,), "total", "slash")),
    (r"\log x \frac{\partial f}{\partial x}", mul(Call(n("\\log"), (x,)), frac(f, x))),
    (r"\nabla_x f", Derivative(f, (x,), "nabla", "subscript")),
    (r"\nabla f", Derivative(f, (), "nabla", "subscript")),
    (r"\nabla^2 f", Derivative(f, (), "nabla", "subscript", 2)),
    (r"\nabla^{2} f", Derivative(f, (), "nabla", "subscript", 2)),
    (r"\nabla^2_x f", Derivative(f, (x, x), "nabla", "subscript")),
    (r"\partial_{x_i} f", Derivative(f, (x_i,), "partial", "subscript")),
    (r"\frac{\partial L}{\partial y}^T", high(frac(L, y), T)),
    (r"dP_{ij}", Differential(low(n("P"), ij))),
    (r"\mathrm{d}X", Differential(X)),
    (r"n d", mul(n("n"), d)),
    # Brackets and bars
    (r"f(a \,\|\, b)", mul(f, Group(Sequence((a, b), r"\|"), "(", ")"))),
    (r"f(a || b)", mul(f, Group(Sequence((a, b), r"\|"), "(", ")"))),
    (r"AB(a \parallel b)", Call(n("AB"), (a, b))),
    (r"\{1,\dots,N\}", Group(seq(one, Dots("dots"), N), "{", "}")),
    (r"\left[ a, b, \dots, c\right]", Group(seq(a, b, Dots("dots"), c), "[", "]")),
    (r"[0, 1)", Group(seq(num("0"), one), "[", ")")),
    (r"\|x\|_2^2", high(Norm(x, two), two)),
    (r"||x||", Norm(x)),
    (r"\lVert x \rVert", Norm(x)),
    (r"|x| |y|", mul(Absolute(x), Absolute(y))),
    (r"|a||b|", mul(Absolute(a), Absolute(b))),
    (r"||a| - |b||", Absolute(sub(Absolute(a), Absolute(b)))),
    (r"\|a\| \|b\|", mul(Norm(a), Norm(b))),
    (r"\left\| a - \|b\| \right\|", Norm(sub(a, Norm(b)))),
    (r"\langle a, b\rangle", Inner(a, b)),
    (r"P(a|b,c)", mul(n("P"), par(Relation((a, seq(b, c)), ("|",))))),
    (r"\mathbb{1}[i=k]", mul(n("1", "blackboard"), Group(rel(i, "=", k), "[", "]"))),
    (r"1(k == i)", mul(one, par(rel(k, "=", i)))),
    (r"1_{i=k}", low(one, rel(i, "=", k))),
    (r"\mathbb{1}_{\{i=j\}}", low(n("1", "blackboard"), rel(i, "=", j))),
    # Tables
    (r"\begin{bmatrix} a & \dots \\ & b \end{bmatrix}", Matrix(((a, Dots("dots")), (Empty(), b)), "bmatrix")),
    (r"\begin{pmatrix} a \\[2pt] b \\ \end{pmatrix}^T", high(Matrix(((a,), (b,)), "pmatrix"), T)),
    (r"\begin{bmatrix} a \\ -b \end{bmatrix}", Matrix(((a,), (neg(b),)), "bmatrix")),
    (r"\begin{bmatrix} a & b \\ c \end{bmatrix}", Matrix(((a, b), (c,)), "bmatrix")),
    (r"\left[\begin{array}{cc} a & b \end{array}\right]^T", high(Matrix(((a, b),), "bmatrix"), T)),
    (r"\left[\begin{matrix} a & b \end{matrix}\right]", Matrix(((a, b),), "bmatrix")),
    (r"\begin{cases} a & i = j \\ b & i \neq j \end{cases}",
     Cases((Case(a, rel(i, "=", j)), Case(b, rel(i, "!=", j))))),
    (r"\begin{cases} a & \text{if } i = j \\ -b & \text{otherwise} \end{cases}",
     Cases((Case(a, rel(i, "=", j)), Case(neg(b), None)))),
    (r"\begin{cases} a, & \text{for } i = j, \\ b & \text{else.} \end{cases}",
     Cases((Case(a, rel(i, "=", j)), Case(b, None)))),
    (r"\begin{cases} a & \text{if $i = j$} \\ b \end{cases}",
     Cases((Case(a, rel(i, "=", j)), Case(b, None)))),
    (r"\left\{\begin{array}{ll} a & i = j \\ b & \text{otherwise} \end{array}\right.",
     Cases((Case(a, rel(i, "=", j)), Case(b, None)))),
    # Decoration
    (r"\displaystyle \color{red} a \, \; b \label{a} \tag{1}", mul(a, b)),
    (r"\underbrace{a + b}_{\text{two}}", add(a, b)),
    (r"\boxed{a}", a),
    (r"{\textstyle a}", a),
    (r"a \phantom{b} \hspace{1cm} c", mul(a, c)),
    (r"\bigl( a \bigr) \Big[ b \Big]", mul(par(a), Group(b, "[", "]"))),
    (r"\left. a \right. b", mul(a, b)),
    (r"{}+ a", Additive((("+", a),))),
    (r"a {}", a),
]  # fmt: skip

DISPLAYS: list[tuple[str, tuple[Chain | Words | Connective, ...]]] = [
    (r"a = b = c.", (chain(a, "=", b, "=", c),)),
    (r"= a", (chain(None, "=", a),)),
    (r"a \le b \ne c", (chain(a, "<=", b, "!=", c),)),
    (r"a != b := c", (chain(a, "!=", b, ":=", c),)),
    (r"a \not= b", (chain(a, "!=", b),)),
    (r"a \overset{?}{=} b \stackrel{\text{def}}{=} c", (chain(a, "=", b, ":=", c),)),
    (r"f : \mathbb{R} \to \mathbb{R}", (chain(f, ":", n("R", "blackboard"), "to", n("R", "blackboard")),)),
    (r"W \in X, b \in Y", (chain(W, "in", X), comma, chain(b, "in", n("Y")))),
    (r"i = 1,\dots,N", (chain(i, "=", one), comma, chain(Dots("dots")), comma, chain(N))),
    (r"a = b, \quad c = d", (chain(a, "=", b), quad, chain(c, "=", d))),
    (r"a = ? \text{ and } b = ?",
     (chain(a, "=", Question()), Words("and"), chain(b, "=", Question()))),
    (r"\text{if $i=j$} \; a = b", (Words("if"), chain(i, "=", j), chain(a, "=", b))),
    (r"\text{if} \; i = j :& a = b", (Words("if"), chain(i, "=", j, ":", a, "=", b))),
    (r"\Rightarrow a = b \implies c",
     (Connective("implies"), chain(a, "=", b), Connective("implies"), chain(c))),
    (r"\therefore a = b", (Connective("therefore"), chain(a, "=", b))),
    (r"a = b \\\\ \rightarrow \hspace{1in} c = d", (chain(a, "=", b), Connective("arrow"), chain(c, "=", d))),
    (r"\begin{aligned} a &= b \\ &= c \\ d &= f \end{aligned}",
     (chain(a, "=", b, "=", c), row, chain(d, "=", f))),
    (r"\begin{align*} a &= b & c &= d \end{align*}", (chain(a, "=", b), quad, chain(c, "=", d))),
    (r"\begin{eqnarray} a &=& b \\ &=& c \end{eqnarray}", (chain(a, "=", b, "=", c),)),
    (r"\begin{array}{rcl} a &=& b \\ &=& c \end{array}", (chain(a, "=", b, "=", c),)),
    (r"\begin{gather} a = b \\ -c = d \end{gather}", (chain(a, "=", b), row, chain(neg(c), "=", d))),
    (r"\begin{split} a &= b \\ &\quad + c \end{split}", (chain(a, "=", add(b, c)),)),
    (r"\begin{align} a &= b \times \\ & c \end{align}", (chain(a, "=", op("times", b, c)),)),
    (r"\begin{align} a &= \left( b + \right. \\ & \left. c \right) \end{align}",
     (chain(a, "=", par(add(b, c))),)),
    (r"\begin{align} a &= b && \text{(by law)} \\ &= c \end{align}",
     (chain(a, "=", b, "=", c), quad, Words("(by law)"))),
    (r"\boxed{a = b}", (chain(a, "=", b),)),
    (r"\colorbox{red}{$a = b$}", (chain(a, "=", b),)),
    (r"\mathrm{a = b}", (chain(a, "=", b),)),
    (r"\newcommand{\foo}{x}", ()),
    (r"\definecolor{red}{rgb}{1, 0, 0}", ()),
    (r"", ()),
]  # fmt: skip


@pytest.mark.parametrize(("text", "tree"), EXPRESSIONS, ids=[text for text, _ in EXPRESSIONS])
def test_expression(text: str, tree: Node) -> None:
    assert Display((chain(tree),)) == parse(text)


@pytest.mark.parametrize(("text", "items"), DISPLAYS, ids=[text for text, _ in DISPLAYS])
def test_display(text: str, items: tuple[Chain | Words | Connective, ...]) -> None:
    assert Display(items) == parse(text)


@pytest.mark.parametrize("text", [text for text, _ in EXPRESSIONS + DISPLAYS])
def test_what_is_printed_reads_as_the_same_tree(text: str) -> None:
    tree = parse(text)
    assert tree == parse(to_latex(tree))


# Macros


def test_macros_last_from_one_span_to_the_next() -> None:
    macros = Macros()
    parse(
        r"\newcommand{\bR}{\mathbb{R}} \def\matr#1{\mathbf{#1}} \DeclareMathOperator{\Att}{Att}",
        macros=macros,
    )
    assert parse(r"\mathbf{X} \in \mathbb{R}^n") == parse(r"\matr{X} \in \bR^n", macros=macros)
    assert parse(r"\operatorname{Att}(Q)") == parse(r"\Att(Q)", macros=macros)


def test_a_macro_may_have_a_default_argument() -> None:
    macros = Macros()
    parse(r"\newcommand{\d}[2][x]{\frac{\partial #2}{\partial #1}}", macros=macros)
    assert parse(r"\frac{\partial f}{\partial x}") == parse(r"\d{f}", macros=macros)
    assert parse(r"\frac{\partial f}{\partial y}") == parse(r"\d[y]{f}", macros=macros)


def test_tokens_of_an_expansion_have_the_span_of_the_call() -> None:
    macros = Macros()
    parse(r"\newcommand{\two}{a + b}", macros=macros)
    (item,) = parse(r"x = \two", macros=macros).items
    assert isinstance(item, Chain)
    member = item.members[1]
    assert member is not None
    assert (4, 8) == (member.span.start, member.span.end)


# Spans


@pytest.mark.parametrize(
    ("text", "pieces"),
    [
        (r"y = Wx + b", ["y", "Wx + b"]),
        (r"a = \frac{\partial L}{\partial x} \, b = c.", ["a", r"\frac{\partial L}{\partial x} \, b", "c"]),
        (
            "\\begin{aligned}\na &= b \\\\\n &= \\left( c \\right)\n\\end{aligned}",
            ["a", "b", r"\left( c \right)"],
        ),
        (r"a = \sum_i x_i y", ["a", r"\sum_i x_i y"]),
        (r"a = {b}", ["a", "b"]),
        (r"a = {b}^2", ["a", "{b}^2"]),
    ],
)
def test_members_have_the_spans_they_were_written_in(text: str, pieces: list[str]) -> None:
    (item,) = parse(text, offset=100).items
    assert isinstance(item, Chain)
    spans = [member.span for member in item.members if member is not None]
    assert pieces == [text[span.start - 100 : span.end - 100] for span in spans]


def test_operators_have_spans() -> None:
    text = r"a \approx b == c"
    (item,) = parse(text).items
    assert isinstance(item, Chain)
    assert [r"\approx", "=="] == [text[part.span.start : part.span.end] for part in item.operators]


# Errors

ERRORS = [
    (r"a = \frac{1{2}", "expected a closing brace for this", "         ^"),
    (r"a = 1}", "expected an opening brace before this", "     ^"),
    (r"a = (b + c", "expected a closing parenthesis for this", "    ^"),
    (r"a = [b, c", "expected a closing bracket for this", "    ^"),
    (r"a = \{1, 2", "expected a closing brace for this", "    ^^"),
    (r"a = b)", "expected a term before this", "     ^"),
    (r"a =", "expected something after this relation", "  ^"),
    (r"a = b +", "expected a term after this", "      ^"),
    (r"a + = b", "expected a term before this", "    ^"),
    (r"a = = b", "expected a term before this", "    ^"),
    (r"a \cdot = b", "expected a factor after this", "  ^^^^^"),
    (r"x^2^3", "this has two superscripts", "   ^"),
    (r"x_i_j", "this has two subscripts", "   ^"),
    (r"x^", "expected a superscript", " ^"),
    (r"x^-1", "expected braces round this superscript", "  ^"),
    (r"x^(i)", "expected braces round this superscript", "  ^"),
    (r"= ^2", "expected something before this script", "  ^"),
    (r"\foo + 1", r"the command \foo is not known", "^^^^"),
    (r"a \pm b", r"\pm cannot be read yet", "  ^^^"),
    (r"\sum_i = 3", "expected a summand after this", "     ^"),
    (r"\begin{foo} x \end{foo}", "the environment foo is not known", "^^^^^^^^^^^"),
    (r"\begin{bmatrix} 1", r"expected \end{bmatrix} for this", "^^^^^^^^^^^^^^^"),
    (r"\begin{matrix} 1 \end{cases}", r"expected \end{matrix}", "                 ^^^^^^^^^^^"),
    (r"\end{align}", r"expected \begin{align} before this", "^^^^^^^^^^^"),
    (r"\begin{bmatrix} 1 + \\ 2 \end{bmatrix}", "expected a term before this", "                    ^^"),
    (r"\left x", r"expected a bracket after \left", "      ^"),
    (r"|x + y", "expected a closing bar for this", "^"),
    (r"a \right| b", "this bar has no partner", "  ^^^^^^^"),
    (r"\langle x \rangle", "expected a comma in this inner product", "          ^^^^^^^"),
    (r"\frac{df}{dx}|_{x=0}", "an evaluation bar cannot be read yet", "             ^"),
    (r"n! = 2", "a factorial cannot be read yet", " ^"),
    (r"\frac{\partial^2 f}{\partial x}", "expected 2 variables under a derivative of order 2",
     "                    ^^^^^^^^^^"),
    (r"(a \text{ if } b)", "expected mathematics, not words", "   ^^^^^"),
    (r"\begin{cases} 1 & \text{if x is large} \end{cases}", "expected a condition in symbols, not in words",
     "                  ^^^^^^^^^^^^^^^^^^^^"),
    (r"\not x", r"expected a relation after \not", "^^^^"),
    (r'a "b"', "this character is not known in mathematics", "  ^"),
    (r"\sqrt[3", "expected a closing bracket", "       ^"),
    (r"x = \mathbf{}", r"expected a letter in \mathbf", "    ^^^^^^^"),
    (r"\def\a{\b\b}\def\b{\a}\a", r"\a expands without end", "                      ^^"),
    (r"\newcommand{\R}[1]{#1} \R", r"expected an argument of \R", "                       ^^"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "message", "caret"), ERRORS, ids=[text for text, _, _ in ERRORS])
def test_error(text: str, message: str, caret: str) -> None:
    with pytest.raises(LatexError) as caught:
        parse(text, offset=50)
    assert (message, f"{text}\n{caret}") == (caught.value.message, caught.value.render())
    assert message == str(caught.value)


@pytest.mark.parametrize("message", [message for _, message, _ in ERRORS])
def test_messages_follow_the_house_style(message: str) -> None:
    assert message[0].islower() or message[0] == "\\"
    assert not message.endswith(".")


def test_the_caret_stands_in_its_own_line() -> None:
    with pytest.raises(LatexError) as caught:
        parse("a = b\n\t+ x^2^3\n= c", offset=10)
    assert "\t+ x^2^3\n\t     ^" == caught.value.render()
    assert (22, 23) == (caught.value.span.start, caught.value.span.end)


def test_expected_is_in_the_words_of_the_reader() -> None:
    with pytest.raises(LatexError) as caught:
        parse("(a")
    assert "a closing parenthesis" == caught.value.expected


# Properties

letters = st.sampled_from("abcfgijkxyzLWXTN").map(Name)
names = st.one_of(
    letters,
    st.sampled_from([r"\alpha", r"\beta", r"\sigma", r"\ell", r"\top"]).map(Name),
    st.builds(
        Name, st.sampled_from("xyWR1"), st.sampled_from(["bold", "calligraphic", "blackboard", "roman"])
    ),
    st.sampled_from(["mix", "batch", "loss"]).map(Name),
)
numbers = st.sampled_from(["0", "1", "2", "10", "0.5"]).map(Number)
_RELATIONS = st.sampled_from(["=", "!=", "<", "<=", ">", ">=", "in", "~", "approx", "subset"])
_OPERATORS = st.sampled_from(["", "", "", "*", "cdot", "times", "odot", "circ", "otimes", "/"])


def is_mergeable(script: Script) -> bool:
    """Tell whether the braces between two scripts would vanish."""
    base = script.base
    plain = isinstance(base, Script) and base.sup is None and not base.primes
    empty = script.sub is None and script.sup is None and not script.primes
    order = isinstance(base, Norm) and base.order is None and script.sub is not None
    unwrapped = (
        isinstance(script.sub, Group) and script.sub.left == "{" and isinstance(script.sub.body, Relation)
    )
    return (
        empty
        or order
        or unwrapped
        or (plain and script.sub is None and script.sup is not None and not script.primes)
    )


def is_flat(product: Product) -> bool:
    """Tell whether no factor is a juxtaposed product, whose braces would vanish."""
    return not any(isinstance(factor, Product) and not any(factor.operators) for factor in product.factors)


def additive(terms: list[tuple[str, Node]]) -> Node:
    """Return a sum of terms; a single unsigned one is no sum."""
    return terms[0][1] if len(terms) == 1 and terms[0][0] == "+" else Additive(tuple(terms))


def extended(trees: st.SearchStrategy[Node]) -> st.SearchStrategy[Node]:
    """Return trees with one more level."""
    pairs = st.lists(trees, min_size=2, max_size=4)
    sequences = pairs.map(lambda items: Sequence(tuple(items)))
    relations = st.builds(rel, trees, _RELATIONS, trees)
    bodies = st.one_of(trees, sequences, relations)
    scripts = st.one_of(st.none(), trees, sequences, relations)
    operand = st.one_of(st.none(), trees)
    functions = st.sampled_from([r"\exp", r"\log", r"\tanh", r"\max", "softmax", "tr", "att"]).map(Name)
    products = st.lists(st.tuples(_OPERATORS, trees), min_size=2, max_size=4).map(
        lambda parts: Product(tuple(tree for _, tree in parts), tuple(operator for operator, _ in parts[1:]))
    )
    sums = st.lists(st.tuples(st.sampled_from("+-"), trees), min_size=1, max_size=3).map(additive)
    cells = st.lists(
        st.lists(st.one_of(trees, st.just(Dots("vdots"))), min_size=1, max_size=3), min_size=1, max_size=3
    )
    cases = st.lists(st.builds(Case, trees, st.one_of(st.none(), relations)), min_size=1, max_size=3)
    styles = st.sampled_from(["partial", "total"])
    lower = st.one_of(st.none(), letters, relations)
    return st.one_of(
        st.builds(Script, trees, scripts, st.one_of(st.none(), trees), st.integers(0, 2)).filter(
            lambda script: not is_mergeable(script)
        ),
        products.filter(is_flat),
        sums,
        st.builds(Fraction, trees, trees),
        st.builds(Root, trees, operand),
        st.builds(Accent, st.sampled_from(["hat", "bar", "tilde"]), trees),
        st.builds(Big, st.sampled_from(["sum", "prod", "argmax"]), lower, operand, trees),
        st.builds(lambda of, by, style: Derivative(of, (by,), style, "fraction"), trees, trees, styles),
        st.builds(lambda of, by, style: Derivative(of, (by,), style, "operator"), operand, trees, styles),
        st.builds(lambda of, by: Derivative(of, (by, by), "partial", "fraction"), trees, letters),
        st.builds(lambda of, by, style: Derivative(of, (by,), style, "slash"), trees, trees, styles),
        st.builds(lambda of, by: Derivative(of, (by,), "nabla", "subscript"), operand, trees),
        st.builds(lambda of, by: Derivative(of, (by,), "partial", "subscript"), operand, trees),
        st.builds(Differential, trees),
        st.builds(
            lambda function, parts: Call(function, tuple(parts)), functions, st.lists(trees, max_size=3)
        ),
        st.builds(Group, bodies, st.just("("), st.just(")")),
        st.builds(Group, bodies, st.just("{"), st.just("}")),
        st.builds(Group, bodies, st.just("["), st.sampled_from("])")),
        st.builds(Norm, trees, operand),
        st.builds(Absolute, trees),
        st.builds(Inner, trees, trees),
        st.builds(
            Matrix, cells.map(lambda rows: tuple(map(tuple, rows))), st.sampled_from(["bmatrix", "matrix"])
        ),
        st.builds(lambda rows: Cases(tuple(rows)), cases),
    )


trees = st.recursive(st.one_of(names, numbers), extended, max_leaves=12)


@st.composite
def displays(draw: st.DrawFn) -> Display:
    """Draw one to three chains with connectives between them."""
    items: list[Chain | Connective] = []
    for at in range(draw(st.integers(1, 3))):
        if at:
            items.append(Connective(draw(st.sampled_from([",", "quad", "row", "implies", "therefore"]))))
        pieces: list[str | Node] = []
        for _ in range(draw(st.integers(0, 3))):
            pieces.extend((draw(_RELATIONS), draw(trees)))
        items.append(chain(draw(trees), *pieces))
    return Display(tuple(items))


@pytest.mark.filterwarnings("ignore:Generating overly large repr")  # of the strategy, not of a tree
@given(displays())
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_a_printed_tree_reads_as_itself(tree: Display) -> None:
    assert tree == parse(to_latex(tree))


def refusal(text: str) -> LatexError | None:
    """Read a text and print it again; return the error if it cannot be read."""
    try:
        to_latex(parse(text, offset=3))
    except LatexError as error:
        return error
    return None


def reads_or_refuses(text: str) -> None:
    """Read a text, which must succeed or raise a `LatexError` with a caret inside, in bounded time."""
    started = time.perf_counter()
    error = refusal(text)
    assert time.perf_counter() - started < 5
    if error is not None:
        assert error.message
        assert 3 <= error.span.start <= error.span.end <= len(text) + 4
        assert "^" in error.render()


@given(st.text(max_size=200))
@example("\\")
@example("{}_")
@example("\\begin{cases}\\end{cases}")
@example("\\color[\\begin{matrix}]\\end{matrix}")
@settings(max_examples=150, deadline=None)
def test_any_text_is_read_or_refused(text: str) -> None:
    reads_or_refuses(text)


ALPHABET = r"""
    \frac \partial { } ( ) [ ] \{ \} | \| _ ^ ' & \\ = + - , . ; : / ? \left \right \left. \right. \sum
    \log \max d x i 1 \nabla \mathbf \mathrm \mathbb{E} \text{ \text{if} $ \begin{cases} \end{cases}
    \begin{bmatrix} \end{bmatrix} \begin{align} \end{align} \substack \overset \underset \underbrace
    \hat \sqrt \not \cdot \newcommand \def \a #1 # \operatorname \color \boxed \quad \Rightarrow
    \rightarrow \dots \langle \rangle \bf softmax exp ! " % ~ * \prime \in \begin{aligned} \end{aligned}
    \begin{array} {rcl} \end{array} \| \mid \Big \lVert \nabla_ \mathrm{d} \times \otimes \phantom \tag
"""
FRAGMENTS = ALPHABET.split()


@given(st.lists(st.sampled_from(FRAGMENTS), max_size=40), st.sampled_from(["", " "]))
@settings(max_examples=200, deadline=None)
def test_any_sequence_of_commands_is_read_or_refused(pieces: list[str], between: str) -> None:
    reads_or_refuses(between.join(pieces))


@given(
    st.sampled_from([text for text, _ in EXPRESSIONS + DISPLAYS]),
    st.integers(0, 60),
    st.integers(0, 4),
    st.sampled_from(["", *FRAGMENTS]),
)
@settings(max_examples=200, deadline=None)
def test_mutated_latex_is_read_or_refused(text: str, at: int, gone: int, fragment: str) -> None:
    reads_or_refuses(text[:at] + fragment + text[at + gone :])


PIECES = r"( { x+ x | |a (|a d ' & (a|b) - ^{ _ = , 1 $ d/ ||a f(x) softmax\  \left( a\\ a&=b\\"


@pytest.mark.parametrize(
    "piece",
    [
        *PIECES.split(),
        *(r"\partial ", r"\log ", r"\sum_i ", r"\begin{cases}", r"\substack{", r"\text{if $a$}"),
        *(r"\boxed{", r"\frac{d", r"\frac{\partial a}{\partial b}"),
    ],
)
def test_long_input_takes_time_in_proportion(piece: str) -> None:
    reads_or_refuses((piece * 20_000)[:40_000])


def test_balanced_nesting_is_bounded() -> None:
    reads_or_refuses("{" * 3_000 + "}" * 3_000)
    reads_or_refuses("(" * 30 + "x" + ")" * 30)
    assert Display((chain(x),)) == parse("{" * 30 + "x" + "}" * 30)


def test_too_long_input_is_refused() -> None:
    with pytest.raises(LatexError, match="too long"):
        parse("x" * 1_000_000)


def test_macros_that_double_without_end_are_refused() -> None:
    definitions = "".join(f"\\def\\{chr(97 + at)}{{\\{chr(98 + at)}\\{chr(98 + at)}}}" for at in range(24))
    with pytest.raises(LatexError, match="expands to too much"):
        parse(definitions + r"\a")


def test_a_typical_display_takes_about_a_millisecond() -> None:
    right = r"\beta y_i \left(1 - \frac{e^{\beta x_i}}{\sum_i e^{\beta x_i}}\right)"
    text = r"\frac{\partial y_j}{\partial x_i} = " + right
    started = time.perf_counter()
    for _ in range(20):
        parse(text)
    assert (time.perf_counter() - started) / 20 < 0.02

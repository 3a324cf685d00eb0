"""LaTeX source is read as TeX sets it: what is not set says nothing, and every place is one of the file."""

from __future__ import annotations

import time
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pages import blamed, judged

from symderiv.document import read
from symderiv.document.model import Directive, Document, Heading, MathSpan


def page(text: str) -> Document:
    return read("page.tex", text)


def mathematics(text: str) -> list[str]:
    """What is read as mathematics, as it stands in the file; `MathSpan.text` differs in blanks only."""
    document = page(text)
    found = []
    for item in document.items:
        if isinstance(item, MathSpan):
            inside = document.source.text[item.span.start : item.span.end]
            assert len(item.text) == len(inside)
            assert all(ours in (" ", theirs) for ours, theirs in zip(item.text, inside, strict=True))
            found.append(" ".join(item.text.split()))
    return found


def outline(text: str) -> list[tuple[str, str]]:
    """Each item as its kind and its text."""
    found = []
    for item in page(text).items:
        match item:
            case MathSpan():
                found.append(("display" if item.display else "inline", " ".join(item.text.split())))
            case Directive():
                found.append((item.word, item.argument))
            case _:
                found.append((type(item).__name__.lower(), item.text))
    return found


def complaints(text: str) -> list[tuple[str, tuple[int, int]]]:
    return blamed(page(text))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (r"so $x$, \(y\), \[z\] and $$w$$", ["x", "y", "z", "w"]),
        ("$a$$b$", ["a", "b"]),
        ("from $5 to $6", ["5 to"]),
        (r"it costs \$5 and \$6, $x$", ["x"]),
        (r"$\text{if $x$}$", [r"\text{if $x$}"]),
        (r"``one'' $x$ ``two''", ["x"]),
        ("`` $x$ ``", ["x"]),
        (r"a \\[2pt] b \\(c) $x$", ["x"]),
        (r"\[a \\[2pt] b\]", [r"a \\[2pt] b"]),
        (r"\begin{gather*}a\end{gather*}", [r"\begin{gather*}a\end{gather*}"]),
        (r"\begin{subequations}\begin{align}a\end{align}\end{subequations}", [r"\begin{align}a\end{align}"]),
        (r"\begin{multline}a\end{multline}\begin{flalign}b\end{flalign}\begin{eqnarray}c\end{eqnarray}",
         [r"\begin{multline}a\end{multline}", r"\begin{flalign}b\end{flalign}",
          r"\begin{eqnarray}c\end{eqnarray}"]),
        (r"\footnote{where $x$}", ["x"]),
        ("- $x$\n# $y$\n    $z$\n> $w$", ["x", "y", "z", "w"]),
        ("<!-- $x$ -->", ["x"]),
    ],
)  # fmt: skip
def test_delimiters_enclose_mathematics(text: str, expected: list[str]) -> None:
    assert mathematics(text)[: len(expected)] == expected
    assert len(mathematics(text)) == len(expected)


@pytest.mark.parametrize(
    "text",
    [
        "% $x$ is\n",
        r"\% % $x$",
        r"\verb|$x$| and \verb*!$y$! and \lstinline{$z$} and \lstinline[language=sh]|$w$|",
        "\\begin{verbatim}\n$x$ % \\end{lstlisting}\n\\end{verbatim}",
        "\\begin{lstlisting}[language=sh]\necho $HOME $PATH\n\\end{lstlisting}",
        "\\begin{comment}\n$$x$$\n\\end{comment}",
        "\\iffalse\n$x$\n\\fi",
        "\\begin{document}\n\\end{document}\n$x$",
        "\\documentclass{article}\\title{On $x$}\n\\begin{document}\\end{document}",
        r"\newcommand{\half}{$\frac12$} is never called",
    ],
)
def test_what_is_not_set_is_not_read(text: str) -> None:
    assert mathematics(text) == []


def test_a_comment_in_a_display_is_blanked() -> None:
    text = "\\begin{align}\n a &= b % = $c$ \\end{align}\n\\\\ % \\\\\n % alone\n  &= 50\\% d\n\\end{align}"
    assert mathematics(text) == [r"\begin{align} a &= b \\ &= 50\% d \end{align}"]
    assert complaints(text) == []


def test_a_comment_on_its_own_line_ends_no_paragraph() -> None:
    paragraphs = [
        [item.paragraph for item in page(text).items if isinstance(item, MathSpan)]
        for text in ("if $a$\n  % so\nthen $b$", "if $a$\n% so\n\nthen $b$", "if $a$ % so\n\nthen $b$")
    ]
    assert [first == second for first, second in paragraphs] == [True, False, False]


def test_headings_prose_and_lists() -> None:
    text = (
        "\\section*{The \\emph{size} $n$}\nLet~\\textbf{it} be $n$ \\cite[p. 3]{a}, see \\eqref{b}.\n"
        "\\begin{theorem}[Euler]\nIf $i = j$\n\\end{theorem}\n"
        "\\begin{itemize}\n\\item $a$ \\item[b] $c$\n\\end{itemize}\n\\subsection[short]{Next}\n"
    )
    assert outline(text) == [
        ("heading", "The size $n$"),
        ("inline", "n"),
        ("prose", "Let it be"),
        ("inline", "n"),
        ("prose", ", see ."),
        ("prose", "If"),
        ("inline", "i = j"),
        ("inline", "a"),
        ("inline", "c"),
        ("heading", "Next"),
    ]
    assert [item.level for item in page(text).items if isinstance(item, Heading)] == [2, 3]
    numbers = [item.paragraph for item in page(text).items if isinstance(item, MathSpan)]
    assert len(set(numbers)) == len(numbers) == 5


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("% symderiv: title Chosen\n\\title{Other}\\section{Third}", "Chosen"),
        ("\\title{On the \\emph{norm}}\n\\begin{document}\\section{Third}\\end{document}", "On the norm"),
        ("\\section{Third}", "Third"),
        ("text", "page"),
    ],
)
def test_title(text: str, expected: str) -> None:
    assert page(text).title == expected


def test_directives_are_comments() -> None:
    text = "so % symderiv: assume $i \\neq j$\n%symderiv: skip\n% a remark\n\\% symderiv: end\n"
    assert outline(text) == [
        ("prose", "so"),
        ("assume", r"$i \neq j$"),
        ("skip", ""),
        ("prose", "% symderiv: end"),
    ]
    (first, _) = (item for item in page(text).items if isinstance(item, Directive))
    assert text[first.span.start : first.span.end] == r"% symderiv: assume $i \neq j$"
    assert text[first.mathematics[0].span.start : first.mathematics[0].span.end] == r"i \neq j"
    assert complaints("a\n  % symderiv: xyzzy") == [("SD201", (2, 3))]


@pytest.mark.parametrize(
    ("text", "place", "rest"),
    [
        ("$$ x\n\n\\section{B}\n$$y$$", (1, 1), ["y"]),
        ("so \\[ x\n\n\\section{B}\n$y$", (1, 4), ["y"]),
        ("\\begin{align}\nx\n\n$y$", (1, 1), ["y"]),
        ("so $x\n\n$y$", (1, 4), ["y"]),
        ("\\def\\be{\\begin{equation}}\n\\be x\n\n$y$", (2, 1), ["y"]),
    ],
)
def test_an_unclosed_delimiter_is_blamed_and_the_rest_is_read(
    text: str, place: tuple[int, int], rest: list[str]
) -> None:
    assert complaints(text) == [("SD202", place)]
    assert mathematics(text) == rest


# Macros


def test_definitions_that_are_called_are_read_with_those_that_they_call() -> None:
    text = (
        "\\newcommand{\\a}{\\b}\n\\def\\b#1{\\c #1}\n\\DeclareMathOperator*{\\c}{c}\n"
        "\\newcommand\\logo{\\includegraphics{a}}\n% \\newcommand{\\a}{no}\n"
        "\\begin{document}$\\a$\\end{document}"
    )
    assert mathematics(text) == [
        r"\newcommand{\a}{\b}",
        r"\def\b#1{\c #1}",
        r"\DeclareMathOperator*{\c}{c}",
        r"\a",
    ]


def test_macros_may_stand_for_the_ends_of_a_display() -> None:
    text = (
        "\\newcommand{\\be}{\\begin{equation}}\\newcommand{\\ee}{\\end{equation}}\n"
        "\\begin{document}\nso\n\\be a = b \\ee\nand\n\\be c \\ee\n\\end{document}"
    )
    assert [item for item in outline(text) if item[0] == "display"] == [
        ("display", r"\be a = b \ee"),
        ("display", r"\be c \ee"),
    ]


def test_environments_and_commands_of_the_document_may_be_displays() -> None:
    text = (
        "\\newenvironment{eq}[1]{\\begin{equation}\\label{#1}}{\\end{equation}}\n"
        "\\newcommand{\\all}[1]{\\begin{align*}#1\\end{align*}}\n"
        "\\newcommand{\\main}{\\begin{align*}f &= g\\end{align*}}\n"
        "\\begin{document}\n\\begin{eq}\na = b\n\\end{eq} so\n\\all{c &= d}\nand \\main.\n"
        "\\begin{eq} e\n\n\\end{document}\n"
    )
    shown = [item for item in outline(text) if item[0] == "display"]
    assert shown == [("display", "a = b"), ("display", r"\all{c &= d}"), ("display", r"\main")]
    assert complaints(text) == [("SD202", (10, 1))]


# The whole way

PAPER = r"""\documentclass{article}
\newcommand{\pd}[2]{\frac{\partial #1}{\partial #2}}
\newcommand{\be}{\begin{equation}} \newcommand{\ee}{\end{equation}}
\DeclareMathOperator{\tr}{tr}
\begin{document}
\section{A square}
Let $x \in \mathbb{R}^n$ and $f = \sum_k x_k^2$. % = 3
\begin{align*}
  \pd{f}{x_i} &= 2 x_i  % the power rule
  \\ &= 3 x_i
\end{align*}
\be \pd{f}{x_i} = x_i + x_i \ee
\begin{proof}
% symderiv: expect refuted
\[ \pd{f}{x_i} = x_i \]
\end{proof}
\end{document}
"""


@pytest.mark.parametrize("ends", ["\n", "\r\n"])
def test_a_paper_gets_its_verdicts_in_their_places(ends: str) -> None:
    r"""$\partial_i \sum_k x_k^2 = 2 x_i$: not $3 x_i$, not $x_i$ (both false at $x_i = 1$)."""
    file = judged(PAPER.replace("\n", ends), "paper.tex")
    found = [(each.verdict, each.span.line, each.span.column) for each in file.statements if each.verdict]
    assert found == [("proved", 9, 18), ("refuted", 10, 9), ("proved", 12, 19), ("refuted", 15, 18)]


def test_what_is_written_in_an_argument_has_its_own_place() -> None:
    r"""$3 x_i$ is $3$ and not the $2$ of the derivative; the call is shown as it is written."""
    text = (
        "\\newcommand{\\all}[1]{\\begin{align*}#1\\end{align*}}\n"
        "\\newcommand{\\pd}[2]{\\frac{\\partial #1}{\\partial #2}}\n"
        "Let $x \\in \\mathbb{R}^n$, $f = \\sum_k x_k^2$.\n\n"
        "\\all{\\pd{f}{x_i} = 3 x_i}\n"
    )
    (step,) = (each for each in judged(text, "page.tex").statements if each.verdict)
    assert (step.verdict, step.left, step.latex) == ("refuted", r"\pd{f}{x_i}", "3 x_i")
    column = text.split("\n")[4].index("3 x_i") + 1
    assert (step.span.line, step.span.column, step.span.end_column) == (5, column, column + 5)


def test_a_macro_that_calls_itself_is_unread() -> None:
    file = judged(r"\newcommand{\a}{\b}\newcommand{\b}{\a} so $\a = 1$", "paper.tex")
    assert "unread" in [each.verdict for each in file.statements]


# Any text

_PIECES = (
    *("$", "$$", r"\(", r"\)", r"\[", r"\]", r"\begin{align}", r"\end{align}", r"\begin{document}"),
    *(r"\end{document}", "%", "% symderiv: ", "{", "}", "\\", "\n", "\n\n", "\r\n", " ", "a", "5"),
    *(
        r"\newcommand{\a}",
        r"\def\b",
        r"\a",
        r"\b",
        r"\section",
        r"\title",
        r"\newenvironment{eq}",
        r"\begin{eq}",
        r"\end{eq}",
        r"\item ",
        r"\verb|",
        "|",
    ),
    *(r"\begin{verbatim}", r"\end{verbatim}", r"\iffalse", r"\fi", r"\let\a=\b", "{\\begin{equation}}"),
    *("{\\end{equation}}", r"\begin{proof}", r"\end{proof}", "é", "\ufeff", "\x00", "\u2028"),
)


@given(st.one_of(st.text(), st.lists(st.sampled_from(_PIECES), max_size=40).map("".join)))
def test_any_text_is_a_document(text: str) -> None:
    document = page(text)
    length = len(document.source.text)
    for item in document.items:
        spans = [item.span]
        if isinstance(item, MathSpan):
            assert len(item.text) == item.span.end - item.span.start
            assert item.outer.start <= item.span.start <= item.span.end <= item.outer.end
            spans.append(item.outer)
        assert all(0 <= span.start <= span.end <= length for span in spans)
    assert all(0 <= found.span.start <= found.span.end <= length for found in document.diagnostics)
    outers = [item.outer for item in document.items if isinstance(item, MathSpan)]
    assert all(one.end <= other.start for one, other in pairwise(outers))


def test_pairs_of_delimiters_are_taken_in() -> None:
    text = r"""\DeclarePairedDelimiter\size{\lVert}{\rVert}
\DeclarePairedDelimiterX{\dotted}[2]{\langle}{\rangle}{#1, #2}
\newcommand{\unused}{x}
\begin{document}
Let $v \in \mathbb{R}^n$. $$\size{v}^2 = \dotted{v}{v}$$
\end{document}"""
    assert mathematics(text)[:2] == [
        r"\DeclarePairedDelimiter\size{\lVert}{\rVert}",
        r"\DeclarePairedDelimiterX{\dotted}[2]{\langle}{\rangle}{#1, #2}",
    ]
    assert [each.verdict for each in judged(text, "page.tex").statements if each.kind == "claim"] == [
        "proved"
    ]


@pytest.mark.parametrize(
    "text",
    [
        "$" * 100_000,
        "%" * 100_000,
        "\\begin{verbatim}" * 20_000,
        "\\iffalse " * 20_000,
        "\\verb|" * 20_000,
        "{" * 100_000,
        "\\newcommand" + " " * 100_000,
        "\\newcommand{\\a}{" * 10_000,
        "\\newcommand{\\a}{\\a\\b}$\\a$" * 5_000,
        "\\section[" * 20_000,
        "\\cite[" * 20_000,
        "\n" * 100_000,
        " \n" * 50_000 + "%\n" * 50_000,
        "\\let\\a" * 20_000,
        "\\begin{equation}" * 10_000 + "\\end{equation}" * 10_000,
    ],
    ids=lambda text: text[:12],
)
def test_hostile_text_takes_no_more_than_linear_time(text: str) -> None:
    began = time.process_time()
    page(text)
    assert time.process_time() - began < 5

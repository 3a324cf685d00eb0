"""Markdown is read into items whose spans are exact, whatever the text is."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pages import blamed

from symderiv.diagnostics import Source
from symderiv.document import read
from symderiv.document.files import LARGEST, UnreadableFile, find, load
from symderiv.document.model import Directive, Document, Heading, Item, MathSpan, Prose


def page(text: str) -> Document:
    return read("page.md", text)


def written(document: Document, item: Item) -> str:
    return document.source.text[item.span.start : item.span.end]


def mathematics(text: str) -> list[str]:
    """What is read as mathematics, as it stands in the file; `MathSpan.text` differs in blanks only."""
    document = page(text)
    spans = [item for item in document.items if isinstance(item, MathSpan)]
    for span in spans:
        inside = written(document, span)
        assert len(span.text) == len(inside)
        assert all(ours in (" ", theirs) for ours, theirs in zip(span.text, inside, strict=True))
    return [written(document, span) for span in spans]


def displays(text: str) -> list[bool]:
    return [item.display for item in page(text).items if isinstance(item, MathSpan)]


def outline(text: str) -> list[tuple[str, str]]:
    """Each item as its kind and its text."""
    found = []
    for item in page(text).items:
        match item:
            case MathSpan():
                found.append(("display" if item.display else "inline", item.text.strip()))
            case Directive():
                found.append((item.word, item.argument))
            case _:
                found.append((type(item).__name__.lower(), item.text))
    return found


def complaints(text: str) -> list[tuple[str, tuple[int, int]]]:
    return blamed(page(text))


# Delimiters


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("so $x$ is", ["x"]),
        ("so  $x$  and  $y$ .", ["x", "y"]),
        ("$x$", ["x"]),
        ("$x$$y$", ["x", "y"]),
        ("$a\nb$", ["a\nb"]),
        ("($f(x)=1$)", ["f(x)=1"]),
        ("$ x $ and $  y$ and $z $.", [" x ", "  y", "z "]),
        (r"2$\times$2", [r"\times"]),
        (r"$\text{if $x$}$ then", [r"\text{if $x$}"]),
        (r"$x_{i}}$ is a slip", ["x_{i}}"]),
        (r"$\$5 + x$", [r"\$5 + x"]),
        ("$`a_b`$", ["a_b"]),
        (r"\(x\) and \\(y\\)", ["x", "y"]),
        (r"\[x\] and \\[y \\[2pt] z\\]", ["x", r"y \\[2pt] z"]),
        (r"\[a \\[2pt] b\]", [r"a \\[2pt] b"]),
        ("we have $$ x $$ here", [" x "]),
        ("$$\na\n\nb\n$$", ["\na\n\nb\n"]),
        (r"$$ \text{for $x$} $$", [r" \text{for $x$} "]),
        (r"$$ a \\$$", [r" a \\"]),
        ("so \\begin{align*}\na\n\nb\n\\end{align*}", ["\\begin{align*}\na\n\nb\n\\end{align*}"]),
        (
            r"\begin{align}\begin{split}a\end{split}\end{align}",
            [r"\begin{align}\begin{split}a\end{split}\end{align}"],
        ),
        ("<div>\n$$ x $$\n</div>", [" x "]),
        ("| a | b |\n|---|---|\n| $x$ | $y$ |", ["x", "y"]),
        ("see [the $x$ one](http://a.b/$c$d)", ["x"]),
    ],
)
def test_delimiters_enclose_mathematics(text: str, expected: list[str]) -> None:
    assert mathematics(text) == expected
    assert complaints(text) == []


@pytest.mark.parametrize(
    "text",
    [
        "from $5 to $6",
        "$5 and $6",
        "it costs $5, or 6$ at most",
        "between $5-$10, US$5, $20,000 and $3/month",
        "it takes $ 5 and $ 6",
        r"\$x\$ and \$\$y\$\$",
        "`$x$` and ``a ` $y$``",
        "set $HOME and $PATH",
        "cheap ($) to dear ($$$)",
        "$$$$",
        "$ $",
        "$x\n\ny$",
        r"see \[1\] and \[link text\](http://a.b)",
        r"\(not mathematics\)",
        "```\n$x$\n$$\n```",
        "~~~ python\n$$x$$\n~~~",
        "text\n\n    $$x$$\n\ntext",
        "<pre>\n$x$\n</pre>",
        "<code>$x$</code>",
        "<!-- $x$ and $$ -->",
        "{% highlight sh %}\necho $a$\n{% endhighlight %}",
        "---\ntitle: on $x$\n---\ntext",
        "https://a.b/$c$",
    ],
)
def test_what_is_no_mathematics(text: str) -> None:
    assert mathematics(text) == []
    assert complaints(text) == []


def test_money_does_not_take_the_dollar_of_mathematics() -> None:
    assert mathematics("it costs $5 and $x$ is") == ["x"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("$$x$$", [True]),
        ("$$\nx\n$$", [True]),
        ("$$x$$.", [True]),
        ("we get\n$$\nx\n$$\nwhich is", [True]),
        ("we get\n$$ x $$\nwhich is", [True]),
        ("$$ x $$ {#eq-x}", [True]),
        ("$$ x $$ (label)", [True]),
        ("$$ x $$\n$$ y $$", [True, True]),
        ("> $$ x $$", [True]),
        ("- $$ x $$", [True]),
        ("with $$x$$ and $$y$$ given", [False, False]),
        ("$x$", [False]),
        (r"\(x\) \[y\] \begin{align}z\end{align}", [False, True, True]),
        ("# On $$x$$", [False]),
    ],
)
def test_a_double_dollar_displays_when_it_stands_alone(text: str, expected: list[bool]) -> None:
    assert displays(text) == expected


def test_rows_of_a_display_are_not_markdown() -> None:
    text = "$$\na\n= b\n- c\n+ d\n> e\n\n    f\n=\n$$\n---\ntext"
    assert outline(text) == [
        ("display", "a\n= b\n- c\n+ d\n> e\n\n    f\n="),
        ("prose", "text"),
    ]


def test_environments_know_their_name() -> None:
    (span,) = page("\\begin{align*}a\\end{align*}").items
    assert isinstance(span, MathSpan)
    assert (span.environment, span.display) == ("align*", True)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("```math\na = b\n```", "a = b\n"),
        ("```{math}\n:label: eq\na = b\n```", "          \na = b\n"),
        ("```{math} a = b\n```", "a = b\n"),
        ("> ```math\n> a\n> ```", "  a\n"),
        ("- item\n\n  ```math\n  a\n  ```", "  a\n"),
        (":::{math}\na\n:::\n", "a\n"),
        ("```math\na", "a"),
    ],
)
def test_fenced_mathematics(text: str, expected: str) -> None:
    mathematics(text)
    (span,) = [item for item in page(text).items if isinstance(item, MathSpan)]
    assert (span.text, span.display) == (expected, True)


# Quotes, lists, line ends


def test_markers_of_quotes_are_blanked_not_removed() -> None:
    text = "> so\n>\n> $$\n> a\n> > b\n> $$\n"
    mathematics(text)
    (span,) = [item for item in page(text).items if isinstance(item, MathSpan)]
    assert span.text == "\n  a\n  > b\n  "


def test_mathematics_in_lists() -> None:
    text = "1. first $x$\n\n   $$\n   y\n   $$\n2. second\n   - $z$\n"
    assert outline(text) == [
        ("prose", "first"),
        ("inline", "x"),
        ("display", "y"),
        ("prose", "second"),
        ("inline", "z"),
    ]


def test_windows_line_ends_and_a_mark_leave_positions_alone() -> None:
    unix = "# T\n\nlet $x$\n\n$$\na\n= b\n$$\n\n```\n$no$\n```\n"
    windows = page("\ufeff" + unix.replace("\n", "\r\n"))
    plain = page(unix)
    places = [
        [(type(item), document.source.position(item.span.start)) for item in document.items]
        for document in (windows, plain)
    ]
    assert places[0] == places[1]
    (display,) = [item for item in windows.items if isinstance(item, MathSpan) and item.display]
    assert display.text == " \na \n= b \n"


# Prose and headings


def test_words_around_mathematics_share_its_paragraph() -> None:
    document = page("if  $i = j$ , we *get*\nthe `sum`\n\nlet $x$")
    items = [item for item in document.items if isinstance(item, Prose | MathSpan)]
    assert [(item.paragraph, item.text) for item in items] == [
        (0, "if"),
        (0, "i = j"),
        (0, ", we get the sum"),
        (1, "let"),
        (1, "x"),
    ]
    assert written(document, document.items[2]) == ", we *get*\nthe `sum`"


def test_each_block_has_its_own_number() -> None:
    document = page("one\n\n$$x$$\n\n- two\n- $y$\n\n```math\nz\n```\n\n<!-- symderiv: skip -->\n\nthree")
    numbers = [item.paragraph for item in document.items if isinstance(item, Prose | MathSpan)]
    assert numbers == sorted(set(numbers))


@pytest.mark.parametrize(
    ("text", "level", "expected"),
    [
        ("# One", 1, "One"),
        ("###### Six ##", 6, "Six"),
        ("#", 1, ""),
        ("# C#", 1, "C#"),
        ("Big\n===", 1, "Big"),
        ("Two\nlines\n---", 2, "Two lines"),
        ("## The **bold** [link](a)", 2, "The bold link"),
        ("> # Quoted", 1, "Quoted"),
        ("- ## Listed", 2, "Listed"),
    ],
)
def test_headings(text: str, level: int, expected: str) -> None:
    (heading,) = page(text).items
    assert isinstance(heading, Heading)
    assert (heading.level, heading.text) == (level, expected)


def test_mathematics_of_a_heading_comes_right_after_it() -> None:
    document = page("## The size $n$ ##\n\ntext")
    assert [written(document, item) for item in document.items] == ["The size $n$", "n", "text"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("# Heading\n\n<!-- symderiv: title Chosen -->", "Chosen"),
        ('---\ntitle: "In front"\n---\n# Heading', "In front"),
        ("+++\ntitle = 'In front'\n+++\n# Heading", "In front"),
        ("text\n\n## Heading\n\n# Other", "Heading"),
        ("text", "page"),
        ("---\n\ntext", "page"),
    ],
)
def test_title(text: str, expected: str) -> None:
    assert page(text).title == expected


# Directives


@pytest.mark.parametrize(
    ("comment", "expected"),
    [
        (r"symderiv: $x \in \mathbb{R}^N$, $y$", ("declare", r"$x \in \mathbb{R}^N$, $y$")),
        (r"symderiv: declare $x$", ("declare", "$x$")),
        (r"symderiv: \(x\)", ("declare", r"\(x\)")),
        (r"symderiv: assume $i \neq j$", ("assume", r"$i \neq j$")),
        ("symderiv: end", ("end", "")),
        ("symderiv: expect refuted", ("expect", "refuted")),
        ("symderiv: expect ill-typed SD002", ("expect", "ill-typed SD002")),
        ("symderiv: skip", ("skip", "")),
        ("symderiv:layout numerator", ("layout", "numerator")),
        ("symderiv: einstein on", ("einstein", "on")),
        ("\nsymderiv:\n  einstein off\n", ("einstein", "off")),
    ],
)
def test_directives(comment: str, expected: tuple[str, str]) -> None:
    text = f"before\n\n<!-- {comment} -->\n\nafter"
    assert outline(text) == [("prose", "before"), expected, ("prose", "after")]
    assert complaints(text) == []


def test_mathematics_of_a_directive_has_its_place_in_the_file() -> None:
    text = "one\n<!-- symderiv: assume $a$ and $b_1$ -->"
    directive = page(text).items[1]
    assert isinstance(directive, Directive)
    assert text[directive.span.start : directive.span.end] == "<!-- symderiv: assume $a$ and $b_1$ -->"
    assert [text[span.span.start : span.span.end] for span in directive.mathematics] == ["a", "b_1"]
    assert [text[span.outer.start : span.outer.end] for span in directive.mathematics] == ["$a$", "$b_1$"]
    assert [span.text for span in directive.mathematics] == ["a", "b_1"]


@pytest.mark.parametrize(
    ("comment", "message"),
    [
        ("symderiv: layuot numerator", "unknown directive `layuot`; did you mean `layout`?"),
        ("symderiv: xyzzy", "unknown directive `xyzzy`"),
        ("symderiv:", "a comment to the checker says nothing"),
        ("symderiv end", "a comment to the checker needs a colon: symderiv: end"),
        ("symderiv: layout", "the directive `layout` takes numerator, denominator or gradient"),
        ("symderiv: layout sideways", "the directive `layout` takes numerator, denominator or gradient"),
        ("symderiv: assume i = j", r"the directive `assume` takes mathematics, as in $i \neq j$"),
        ("symderiv: assume $i$ = $j", r"the directive `assume` takes mathematics, as in $i \neq j$"),
        ("symderiv: expect nothing", "the directive `expect` takes a verdict, as in `expect refuted`"),
        ("symderiv: skip 2", "the directive `skip` takes nothing after it"),
    ],
)
def test_a_malformed_directive_is_an_error(comment: str, message: str) -> None:
    document = page(f"text <!-- {comment} -->")
    assert [(finding.code, finding.message) for finding in document.diagnostics] == [("SD201", message)]
    assert document.source.position(document.diagnostics[0].span.start) == (1, 6)


@pytest.mark.parametrize("comment", ["note to self", "$x = 1$", "symderiv is a checker", "skip"])
def test_ordinary_comments_say_nothing(comment: str) -> None:
    assert page(f"<!-- {comment} -->").items == ()


def test_directives_in_code_are_code() -> None:
    comment = "<!-- symderiv: xyzzy -->"
    assert complaints(f"```\n{comment}\n```\n\n`{comment}`\n\n    {comment}\n") == []


# Unbalanced delimiters


@pytest.mark.parametrize(
    ("text", "line_and_column", "rest"),
    [
        ("$$\nx\n\n# H\n\n$$y$$", (1, 1), ["y"]),
        ("a\n\n $$ x\n\nmore $y$\n\n# H\n\n$$z$$", (3, 2), ["y", "z"]),
        ("$$ x = y\n\nwhere this is a sentence\n\n$$z$$\n\n$$w$$", (1, 1), ["z", "w"]),
        ("$$ x = y\n\n$$ z $$", (1, 1), [" z "]),
        ("$$x$$\n\n$$y$$\n\n$$", (5, 1), ["x", "y"]),
        ("$$ x\n\n```\n$$\n```\n\n$y$", (1, 1), ["y"]),
        ("\\begin{align}\nx\n\n$y$", (1, 1), ["y"]),
        ("\\[ x_1\n\n$y$", (1, 1), ["y"]),
        ("\\\\( x_1\n\n$y$", (1, 1), ["y"]),
        ("so $\\alpha is\n\n$y$", (1, 4), ["y"]),
    ],
)
def test_an_unclosed_delimiter_is_blamed_and_the_rest_is_read(
    text: str, line_and_column: tuple[int, int], rest: list[str]
) -> None:
    assert complaints(text) == [("SD202", line_and_column)]
    assert mathematics(text) == rest


# Any text


_PIECES = (
    *"$`#>-=\\[](){}_^*~:<!\n\r\t 15ab",
    *("$$", r"\(", r"\)", r"\[", r"\]", r"\begin{align}", r"\end{align}"),
    *("\n\n", "\r\n", "\n---\n", "\n> ", "\n- ", "    ", "word ", "\ufeff", "\x00", "\u2028", "é"),
    *("```", "```math\n", ":::{math}\n", "\n:::\n", "<pre>", "</pre>"),
    *("<!--", "-->", "<!-- symderiv: ", "assume "),
)


@given(st.one_of(st.text(), st.lists(st.sampled_from(_PIECES), max_size=40).map("".join)))
def test_any_text_is_a_document(text: str) -> None:
    document = page(text)
    source = document.source
    assert source == Source("page.md", text.removeprefix("\ufeff"))
    starts = []
    for item in document.items:
        spans = [item.span]
        if isinstance(item, MathSpan):
            assert len(item.text) == item.span.end - item.span.start
            assert item.outer.start <= item.span.start
            assert item.span.end <= item.outer.end
            spans.append(item.outer)
        if isinstance(item, Directive):
            for inner in item.mathematics:
                assert inner.text == source.text[inner.span.start : inner.span.end].replace("\r", " ")
        assert all(0 <= span.start <= span.end <= len(source.text) for span in spans)
        starts.append(min(span.start for span in spans))
    assert starts == sorted(starts)
    ends = [item.outer.end for item in document.items if isinstance(item, MathSpan)]
    assert ends == sorted(ends)
    assert all(0 <= found.span.start <= found.span.end <= len(source.text) for found in document.diagnostics)


@pytest.mark.parametrize(
    "text",
    [
        "$" * 100_000,
        "$ " * 50_000,
        "${" * 50_000,
        "$$ a\n\n" * 20_000,
        "\\\\[ " * 50_000,
        "\\begin{align} " * 20_000,
        "> " * 200 + "$x$ " * 20_000,
        ":::{math}\n" * 20_000,
        "a" + "_" * 100_000 + "a",
        "# a" + " " * 100_000 + "b",
        "<!-- symderiv: $a$ -->" * 5_000,
        "".join("`" * (i % 300) + " " for i in range(2_000)),
    ],
    ids=lambda text: text[:8],
)
def test_hostile_text_takes_no_more_than_linear_time(text: str) -> None:
    began = time.process_time()
    page(text)
    assert time.process_time() - began < 10


# Files


def failure(path: Path) -> tuple[int | None, str]:
    with pytest.raises(UnreadableFile) as raised:
        load(path)
    assert raised.value.path == str(path)
    assert "\n" not in str(raised.value)
    return raised.value.line, raised.value.message


def test_load_reads_a_file_with_a_mark(tmp_path: Path) -> None:
    path = tmp_path / "page.md"
    path.write_bytes(b"\xef\xbb\xbf# T\r\n\r\n$x$\r\n")
    document = load(path)
    assert document.title == "T"
    assert document.source.text == "# T\r\n\r\n$x$\r\n"


@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
def test_a_file_that_is_not_utf8_names_the_line(tmp_path: Path, mark: bytes) -> None:
    path = tmp_path / "page.md"
    path.write_bytes(mark + b"one\ntwo \xff\n")
    assert failure(path) == (2, "the file is not UTF-8 text (byte 0xff)")


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    (tmp_path / "empty.md").write_text(" \n")
    (tmp_path / "large.md").write_bytes(b"x" * (LARGEST + 1))
    (tmp_path / "other.docx").write_text("x")
    assert failure(tmp_path / "empty.md") == (1, "the file is empty")
    assert failure(tmp_path / "large.md") == (None, "the file is larger than 2 MB")
    assert failure(tmp_path / "missing.md") == (None, "there is no such file")
    assert failure(tmp_path) == (None, "this is a folder")
    message = ".docx is no format of symderiv, which reads .md, .markdown, .qmd, .rmd, .tex, .ipynb, .py"
    assert failure(tmp_path / "other.docx") == (None, message)


def test_the_text_of_an_unreadable_file_names_file_and_line() -> None:
    assert str(UnreadableFile("a.md", 3, "no")) == "a.md:3: no"
    assert str(UnreadableFile("a.md", None, "no")) == "a.md: no"


def test_find_collects_the_documents_of_a_folder_in_order(tmp_path: Path) -> None:
    for name in ("b.md", "a.qmd", "c.txt", "sub/d.MD", ".hidden/e.md", "sub/.f.md"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("x")
    expected = [str(tmp_path / name) for name in ("a.qmd", "b.md", "sub/d.MD")]
    assert list(find([tmp_path])) == expected
    first, second, third = expected
    assert list(find([second, tmp_path, "missing.md"])) == [second, first, third, "missing.md"]


def test_a_latex_file_may_say_what_its_letters_are(tmp_path: Path) -> None:
    text = "\\usepackage[latin1]{inputenc}\n\\begin{document}\nf\u00fcr $x$\n\\end{document}\n"
    path = tmp_path / "old.tex"
    path.write_bytes(text.encode("latin-1"))
    document = load(path)
    assert "f\u00fcr" in document.source.text
    path.write_bytes(text.replace("latin1", "utf8").encode("latin-1"))
    with pytest.raises(UnreadableFile, match="is not UTF-8 text"):
        load(path)

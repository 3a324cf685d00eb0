"""What stands between syntax and terms: sizes, names, cues, properties, and pages as a whole.

The last part is about every page, sensible or not: each formula is accounted for, nothing raises, and what
one section says in words changes nothing in another.
"""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path
from random import Random

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from pages import DERIVATIONS, judged
from sympy import Integer, Symbol
from test_cases import ALL

from symderiv.diagnostics import Span
from symderiv.document import read
from symderiv.judge import explain
from symderiv.kernel.terms import Size, free_in
from symderiv.latex import parse, to_latex, tree
from symderiv.meaning import advice, cues, elaborate, names, properties
from symderiv.meaning.model import Failure, Page, Tensor
from symderiv.meaning.sizes import SizeClash, Sizes

N, M = Size("N"), Size("M")


def node(text: str) -> tree.Node:
    """Return the one expression of a formula."""
    (chain,) = parse(text).items
    assert isinstance(chain, tree.Chain)
    (member,) = chain.members
    assert member is not None
    return member


def script(text: str) -> tree.Script:
    found = node(text)
    assert isinstance(found, tree.Script)
    return found


def big(text: str) -> tree.Big:
    found = node(text)
    assert isinstance(found, tree.Big)
    return found


# Sizes


def test_new_dimensions_differ() -> None:
    sizes = Sizes()
    a, b = sizes.new(), sizes.new()
    assert not sizes.same(a, b)
    assert sizes.value(a) is None
    assert sizes.show(a) != sizes.show(b)


def test_unified_dimensions_are_shown_by_one_name() -> None:
    sizes = Sizes()
    a, b, c = sizes.new(), sizes.new(), sizes.new()
    sizes.unify(a, b)
    sizes.unify(b, c)
    assert sizes.same(a, c)
    assert sizes.show(a) == sizes.show(b) == sizes.show(c)


@pytest.mark.parametrize("named_first", [True, False])
def test_a_class_takes_the_name_of_one_of_its_members(named_first: bool) -> None:
    sizes = Sizes()
    named, other = sizes.new(N), sizes.new()
    sizes.unify(*((named, other) if named_first else (other, named)))
    assert N == sizes.value(other) == sizes.show(other)


def test_equal_values_are_the_same_size_without_being_unified() -> None:
    sizes = Sizes()
    assert sizes.same(sizes.new(N), sizes.new(N))
    assert not sizes.same(sizes.new(N), sizes.new(M))


@pytest.mark.parametrize(
    ("left", "right"), [(N, M), (Integer(2), Integer(3)), (N, Integer(2)), (N, N + 1)], ids=str
)
def test_two_values_clash_and_both_are_kept(left: Size, right: Size) -> None:
    sizes = Sizes()
    a, b = sizes.new(left), sizes.new(right)
    with pytest.raises(SizeClash) as caught:
        sizes.unify(a, b)
    assert (left, right) == (caught.value.left, caught.value.right)
    assert not sizes.try_unify(a, b)
    assert (left, right) == (sizes.value(a), sizes.value(b))


def test_a_clash_is_found_through_a_chain_of_dimensions() -> None:
    sizes = Sizes()
    a, b, c = sizes.new(N), sizes.new(), sizes.new(M)
    sizes.unify(a, b)
    with pytest.raises(SizeClash):
        sizes.unify(b, c)


def test_after_freezing_a_claim_may_name_a_size() -> None:
    sizes = Sizes()
    a, b, named = sizes.new(), sizes.new(), sizes.new(N)
    sizes.unify(a, b)
    sizes.freeze()
    assert sizes.try_unify(a, named)
    assert N == sizes.show(b)


def test_after_freezing_a_claim_may_not_make_two_sizes_one() -> None:
    sizes = Sizes()
    a, b, c, d = (sizes.new() for _ in range(4))
    sizes.unify(a, b)
    sizes.unify(c, d)
    sizes.freeze()
    assert not sizes.try_unify(a, c)
    assert sizes.try_unify(a, b)
    assert not sizes.same(b, d)


def test_after_freezing_a_size_that_nothing_has_settled_is_free() -> None:
    sizes = Sizes()
    a, b, loose = sizes.new(), sizes.new(), sizes.new()
    sizes.unify(a, b)
    sizes.freeze()
    assert sizes.try_unify(loose, a)
    assert sizes.same(loose, b)


def test_an_invented_name_is_none_that_the_page_uses() -> None:
    sizes = Sizes()
    for letter in ("n", "p"):
        sizes.reserve(letter)
    assert ["m", "q", "r"] == [str(sizes.show(sizes.new())) for _ in range(3)]


def test_invented_names_never_run_out_and_never_repeat() -> None:
    sizes = Sizes()
    shown = [str(sizes.show(sizes.new())) for _ in range(40)]
    assert len(set(shown)) == 40


def test_a_size_keeps_its_invented_name() -> None:
    sizes = Sizes()
    a = sizes.new()
    first = sizes.show(a)
    sizes.show(sizes.new())
    assert first == sizes.show(a)


def test_a_value_may_hold_dimensions() -> None:
    sizes = Sizes()
    rows = sizes.new()
    stacked = sizes.new(2 * rows + 1)
    sizes.unify(rows, sizes.new(N))
    assert 2 * N + 1 == sizes.show(stacked)


def test_dimensions_in_a_term_become_sizes_and_other_symbols_stay() -> None:
    sizes = Sizes()
    a, x = sizes.new(N), Symbol("x")
    assert N * x + M == sizes.resolve(a * x + M)
    assert Integer(3) == sizes.resolve(3)


# Names


@pytest.mark.parametrize(
    ("below", "expected"),
    [
        ("i", ["i"]),
        ("ij", ["i", "j"]),
        ("i,j", ["i", "j"]),
        ("i j k", ["i", "j", "k"]),
        ("i,jk", ["i", "j", "k"]),
        ("1,2", ["1", "2"]),
        ("10", ["10"]),
        ("i-1", ["i - 1"]),
        ("i+1,j", ["i + 1", "j"]),
        (r"\alpha\beta", [r"\alpha", r"\beta"]),
        (r"\text{new}", [r"\mathrm{new}"]),
    ],
)
def test_the_items_of_a_subscript(below: str, expected: list[str]) -> None:
    assert expected == [to_latex(item) for item in names.items(script(f"x_{{{below}}}").sub)]


def test_no_subscript_has_no_items() -> None:
    assert names.items(None) == ()


@pytest.mark.parametrize(
    ("text", "plain", "apart"),
    [
        ("x", "x", "x"),
        (r"\mathbf{x}", "x", r"\mathbf{x}"),
        (r"\hat y", r"\hat{y}", r"\hat{y}"),
        (r"\hat{\mathbf{x}}", r"\hat{x}", r"\hat{\mathbf{x}}"),
        (r"\mathcal L", r"\mathcal{L}", r"\mathcal{L}"),
        (r"\mathbb{R}", r"\mathbb{R}", r"\mathbb{R}"),
        (r"\theta", r"\theta", r"\theta"),
    ],
)
def test_the_key_of_a_name_is_without_font_unless_bold_is_another_name(
    text: str, plain: str, apart: str
) -> None:
    assert plain == names.key(node(text))
    assert apart == names.key(node(text), fonts=frozenset("x"))


@pytest.mark.parametrize("text", ["x + y", "2", "x_i", "x y", r"\hat{x_i}", r"\frac{a}{b}"])
def test_what_is_no_name_has_no_key(text: str) -> None:
    assert names.key(node(text)) is None


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("W^{(2)}", "W^{(2)}"),
        ("W^{[l]}", "W^{[l]}"),
        (r"\hat y^{(k)}", r"\hat{y}^{(k)}"),
        (r"x_{\text{new}}", r"x_{\mathrm{new}}"),
        ("W_{hh}", "W_{h,h}"),
        ("W^{(2)}_1", "W^{(2)}_{1}"),
        ("x^2", None),
        ("x^T", None),
        ("f'", None),
        ("(x + y)_1", None),
    ],
)
def test_a_name_as_it_is_written_with_its_label(text: str, expected: str | None) -> None:
    assert expected == names.written(script(text), frozenset())


@pytest.mark.parametrize(("text", "expected"), [("W^{(2)}", "(2)"), ("W^{[l]}", "[l]"), ("x^{(i)}", "(i)")])
def test_labels_keep_their_brackets(text: str, expected: str) -> None:
    sup = script(text).sup
    assert sup is not None
    assert names.label(sup) is not None
    assert expected == names.label_text(sup)


@pytest.mark.parametrize("text", ["x^2", "x^T", "x^{i}", "x^{(i + 1)}", "x^{ab}"])
def test_other_superscripts_are_no_labels(text: str) -> None:
    assert names.label(script(text).sup) is None


@pytest.mark.parametrize("sign", ["T", r"\top", r"{\mathrm{T}}", r"\intercal", r"{\mathsf{T}}", r"{Tr}"])
def test_signs_of_the_transpose(sign: str) -> None:
    sup = script(f"A^{sign}").sup
    if sign == "{Tr}":  # two italic letters are a product; the upright word is a sign
        sup = script(r"A^{\mathrm{Tr}}").sup
    assert names.is_transpose(sup)


@pytest.mark.parametrize("text", ["A^2", "A^{-1}", "A^n", "A_T", "A^{(T)}"])
def test_no_signs_of_the_transpose(text: str) -> None:
    assert not names.is_transpose(script(text).sup)


def test_a_shifted_label_is_one_where_the_page_has_its_letter_as_a_label() -> None:
    (chain,) = parse("u^{(l)} = v^{(l-1)} w^{(k-1)}").items
    assert isinstance(chain, tree.Chain)
    product = names.with_labels(chain, frozenset("l")).members[1]
    assert isinstance(product, tree.Product)
    labels = [names.label(factor.sup) for factor in product.factors if isinstance(factor, tree.Script)]
    assert [tree.Name("l-1"), None] == labels


@pytest.mark.parametrize(
    ("below", "expected"),
    [
        ("i", ("i",)),
        ("i = 1", ("i",)),
        ("i, k", ("i", "k")),
        (r"k \ne i", ("k",)),
        ("k < i", ("k",)),
        (r"x \in X", ("x",)),
        (r"\mu", (r"\mu",)),
    ],
)
def test_the_letters_that_a_sum_binds(below: str, expected: tuple[str, ...]) -> None:
    assert expected == names.bound_letters(big(rf"\sum_{{{below}}} x").lower)


def test_nothing_below_a_sum_binds_nothing() -> None:
    assert names.bound_letters(None) == ()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("x_i y_j", {"i", "j"}),
        (r"\sum_i x_i y_j", {"j"}),
        (r"\sum_i x_i + y_i", {"i"}),
        (r"\sum_i \sum_j A_{ij} x_k", {"k"}),
        (r"\sum_{i, j} A_{ij}", set()),
        (r"x_i \sum_i y_i", {"i"}),
        (r"\frac{x_k}{\sum_k x_k}", {"k"}),
        ("z", set()),
    ],
)
def test_free_letters_are_those_outside_the_sums_that_bind_them(text: str, expected: set[str]) -> None:
    assert expected == names.free_letters(node(text), {"i", "j", "k"})


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (r"\frac{e^{x_i}}{\sum_i e^{x_i}}", ["i"]),
        (r"x_i \sum_i y_i", ["i"]),
        (r"\sum_k x_k \sum_k y_k z_k", []),
        (r"\sum_i x_i + y_i", []),
        (r"\sum_k x_k y_i", []),
        (r"a + x_k \sum_k y_k", ["k"]),
        (r"\prod_i x_i y_j", []),
    ],
)
def test_letters_bound_and_free_in_one_term(text: str, expected: list[str]) -> None:
    found = list(names.reused(node(text), {"i", "j", "k"}))
    assert expected == [letter for letter, _ in found]
    assert all(letter in names.bound_letters(each.lower) for letter, each in found)


def test_letters_after_a_sum_that_binds_them_are_not_free_outright() -> None:
    assert names.outright(node(r"\sum_i x_i + x_i + x_j"), {"i", "j"}) == {"j"}
    assert names.outright(node(r"x_i + \sum_i x_i"), {"i", "j"}) == {"i"}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("A_{ij} x_j", {"i": 1, "j": 2}),
        ("A_{ij} x_j + y_i", {"i": 1, "j": 2}),
        (r"\sum_j A_{ij} x_j", {"i": 1}),
        ("x_i x_i x_i", {"i": 3}),
        ("2 z", {}),
    ],
)
def test_letters_of_a_term_are_counted(text: str, expected: dict[str, int]) -> None:
    assert Counter(expected) == names.counts(node(text), frozenset("ij"))


@pytest.mark.parametrize(
    ("members", "expected"),
    [
        (["y_i", "A_{ij} x_j"], ["y_{i}", r"\sum_{j} A_{i j} x_{j}"]),
        (["s", "x_i x_i + y_j y_j"], ["s", r"\sum_{i} x_{i} x_{i} + \sum_{j} y_{j} y_{j}"]),
        (["s_i", "x_i x_i"], ["s_{i}", "x_{i} x_{i}"]),
        (["s", "x_i A_{ij} y_j"], ["s", r"\sum_{i} \sum_{j} x_{i} A_{i j} y_{j}"]),
        (["s", "t"], ["s", "t"]),
    ],
)
def test_repeated_letters_are_summed_unless_they_are_free(members: list[str], expected: list[str]) -> None:
    found = names.summed([node(each) for each in members], frozenset("ij"))
    assert expected == [to_latex(each) for each in found]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("A^{ij}", [("A", {"i", "j"})]),
        (r"\hat y^{ab}", [(r"\hat{y}", {"a", "b"})]),
        ("A^{ij} B^{jk}", [("A", {"i", "j"}), ("B", {"j", "k"})]),
        ("x^a", []),
        ("x^{2b}", []),
        ("x^{a + b}", []),
        ("A^{T}", []),
    ],
)
def test_pairs_of_letters_above_a_name(text: str, expected: list[tuple[str, set[str]]]) -> None:
    assert expected == [(key, set(letters)) for key, letters in names.upper_pairs(node(text))]


def test_every_occurrence_of_a_name_is_renamed() -> None:
    assert to_latex(node("w_i + X w")) == to_latex(names.renamed(node("x_i + X x"), "x", "w"))


@pytest.mark.parametrize("text", ["i", "x", r"\alpha", r"\ell"])
def test_index_letters(text: str) -> None:
    assert names.is_index_letter(node(text))


@pytest.mark.parametrize("text", ["N", "1", r"\Gamma", r"\pi", r"\mathbf{i}", r"\hat i", "ij"])
def test_no_index_letters(text: str) -> None:
    assert not names.is_index_letter(node(text))


# Cues

CUES = {
    "local": [
        "If",
        "and if we have",
        "When",
        "For",
        "For all",
        "for some",
        "In the case",
        "Case 1:",
        "Case 12.",
        "Case (b):",
        "**Case (a).**",
        "case",
        "We look at this first. If",
        "When the two indices",
        "For the diagonal entries",
    ],
    "section": [
        "Let",
        "Now let",
        "Suppose that",
        "We assume that",
        "assuming",
        "Given",
        "with",
        "provided that",
    ],
    "fact": ["Since", "because", "Recall that", "and since we have"],
    "where": ["where", "in which we write", "We define", "and put"],
    "": [
        "",
        "We find",
        "hence",
        "Otherwise",
        "only if",
        "if and only if",
        "It holds if the entries are small. Then",
        "If all goes well, the answer becomes",
        "It is known, if not clear; so",
        "caseless",
        "letter",
        "forward",
    ],
}


@pytest.mark.parametrize(
    ("expected", "prose"), [(cue, prose) for cue, all_ in CUES.items() for prose in all_]
)
def test_the_cue_of_a_run_of_prose(expected: str, prose: str) -> None:
    assert expected == cues.cue(f"{prose} ")
    assert expected == cues.cue(prose)


@pytest.mark.parametrize("prose", ["Otherwise,", "otherwise:", " Else", "ELSE, we get"])
def test_prose_turns_to_the_other_case(prose: str) -> None:
    assert cues.otherwise(prose)


@pytest.mark.parametrize("prose", ["", "Elsewhere", "If", "or otherwise", "We get otherwise"])
def test_prose_does_not_turn_to_the_other_case(prose: str) -> None:
    assert not cues.otherwise(prose)


@pytest.mark.parametrize(
    "prose",
    [
        "Setting this to zero gives",
        "We set both equal to zero",
        "At a stationary point",
        "where the gradient vanishes",
        "the derivative is zero",
        "Setting",
    ],
)
def test_prose_imposes_an_equation(prose: str) -> None:
    assert cues.imposes(prose)


@pytest.mark.parametrize(
    "prose", ["", "We find", "the set of all", "zero", "The other terms vanish", "a set of equal entries"]
)
def test_prose_imposes_nothing(prose: str) -> None:
    assert not cues.imposes(prose)


@pytest.mark.parametrize(
    ("text", "expected"), [("a", True), ("and so", True), ("1.", False), ("--", False), ("", False)]
)
def test_words_in_a_run_of_text(text: str, expected: bool) -> None:
    assert expected is cues.has_words(text)


# Properties


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ("If ", " is symmetric,", (r"S^{\top}", "S", "symmetric")),
        ("Let ", " be a symmetric matrix.", (r"S^{\top}", "S", "symmetric")),
        ("for a symmetric matrix ", "", (r"S^{\top}", "S", "symmetric")),
        ("a real symmetric square matrix ", " of size", (r"S^{\top}", "S", "symmetric")),
        ("", " is orthogonal", (r"S^{\top} S", "I", "orthogonal")),
        ("an orthogonal ", "", (r"S^{\top} S", "I", "orthogonal")),
        ("where ", " is a one-hot vector", ("S", r"\mathbf{1}^{\top} S", "one-hot")),
        ("the one hot label ", "", ("S", r"\mathbf{1}^{\top} S", "one-hot")),
        ("", " is also one-hot", ("S", r"\mathbf{1}^{\top} S", "one-hot")),
        ("as ", " sums to one.", (r"\mathbf{1}^{\top} S", "1", "sum")),
        ("", " sum to 1", (r"\mathbf{1}^{\top} S", "1", "sum")),
    ],
)
def test_prose_tells_a_property(before: str, after: str, expected: tuple[str, str, str]) -> None:
    ((relation, word),) = properties.told(node("S"), before, after)
    assert expected == (*map(to_latex, relation.members), word)
    assert relation.operators == ("one-hot" if word == "one-hot" else "=",)


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ("Let ", " be symmetric and positive definite.", ["symmetric", "positive definite"]),
        ("a symmetric positive-definite matrix ", "", ["symmetric", "positive definite"]),
        ("", " is a square, invertible and diagonal matrix", ["invertible", "diagonal"]),
        ("for every non-singular ", "", ["non-singular"]),
    ],
)
def test_prose_tells_several_properties(before: str, after: str, expected: list[str]) -> None:
    assert expected == [word for _, word in properties.told(node("S"), before, after)]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("", ""),
        ("If ", " is not symmetric"),
        ("If ", " is not diagonal"),
        ("the sum of ", " diagonal entries"),
        ("the symmetric case of ", ""),
        ("", " and a symmetric matrix"),
        ("", " sums to two"),
        ("", " is asymmetric"),
        ("an asymmetric matrix ", ""),
    ],
)
def test_prose_tells_no_property(before: str, after: str) -> None:
    assert properties.told(node("S"), before, after) == []


def test_an_entry_does_not_sum_to_one() -> None:
    assert properties.told(node("y_i"), "", " sums to one") == []


# Pages

LIBRARY = {path.stem: path.read_text(encoding="utf-8") for path in sorted(DERIVATIONS.rglob("*.md"))}
PAGES = [*LIBRARY.values(), *(case.page for case in ALL)]
FORMULAS = sorted({found for text in LIBRARY.values() for found in re.findall(r"\$\$?[^$]+\$\$?", text)})
WORDS = [
    "We find",
    "If",
    "Otherwise,",
    "Let",
    "where",
    "Since",
    "is symmetric",
    "sums to one",
    "Case 2:",
    "Set to zero:",
    "Given:",
    "Hence.",
    "a constant",
    "only if",
]
BREAKS = ["\n\n", "\n\n", " ", "\n\n## Next\n\n", "\n\n### Deeper\n\n"]
COMMENTS = [
    "<!-- symderiv: einstein on -->",
    "<!-- symderiv: assume $i = j$ -->",
    "<!-- symderiv: end -->",
    "<!-- symderiv: skip -->",
    "<!-- symderiv: expect refuted -->",
    "<!-- symderiv: layout denominator -->",
]
TOKEN = re.compile(r"\\[A-Za-z]+|\\.|\s+|.", re.DOTALL)
TOKENS = sorted({token for text in FORMULAS for token in TOKEN.findall(text) if token.strip(" $\n")})
BOUNDED = settings(max_examples=120, deadline=None, suppress_health_check=list(HealthCheck))


def elaborated(text: str) -> Page:
    return elaborate(read("page.md", text))


def test_free_symbols_are_those_of_sympy() -> None:
    """Ours are kept for each subterm; SymPy's are found anew."""
    for text in LIBRARY.values():
        page = elaborated(text)
        members = [member.value for chain in page.chains for member in chain.members]
        bodies = [value.body for value in members if isinstance(value, Tensor)]
        for statement in page.statements:
            bodies += [fact.fact for fact in statement.assumptions if fact.fact is not None]
        for body in bodies:
            assert {each for each in body.free_symbols if isinstance(each, Symbol)} == free_in(body)


def mutated(formula: str, seed: int) -> str:
    """Exchange, drop, repeat or add some tokens of a formula between its delimiters."""
    random = Random(seed)
    mark = "$$" if formula.startswith("$$") else "$"
    tokens = TOKEN.findall(formula.strip("$"))
    for _ in range(random.choice((0, 1, 2, 4))):
        at = random.randrange(len(tokens))
        token = f" {random.choice(TOKENS)} "
        tokens[at : at + 1] = random.choice(([], [token], [token, tokens[at]], [tokens[at]] * 2))
        tokens = tokens or ["x"]
    return f"{mark}{''.join(tokens)}{mark}"


def whole(page: Page) -> None:
    """Assert that each math span has one entry that stands for it, and that symderiv went wrong nowhere."""
    said = [each.message for statement in page.statements for each in statement.diagnostics]
    said += [
        member.value.diagnostic.message
        for chain in page.chains
        for member in chain.members
        if isinstance(member.value, Failure)
    ]
    assert [each for each in said if "went wrong" in each] == []
    assert page.math_spans == sum(each.spans for each in page.statements)
    assert {0, 1} >= {each.spans for each in page.statements}
    for each in page.statements:
        assert 0 <= each.span.start <= each.span.end <= len(page.source.text)
        assert (each.chain is None) == (each.member is None)
        if each.chain is not None and each.member is not None:
            assert 0 < each.member < len(page.chains[each.chain].members)


FORMULA = st.sampled_from(FORMULAS)
MUTATED = st.builds(mutated, FORMULA, st.integers(0, 2**20))
MIXED = st.lists(
    st.tuples(
        st.one_of(MUTATED, st.sampled_from(WORDS), st.sampled_from(COMMENTS)), st.sampled_from(BREAKS)
    ).map("".join),
    max_size=8,
).map("".join)


@pytest.mark.parametrize("text", LIBRARY.values(), ids=LIBRARY.keys())
def test_every_formula_of_the_library_is_accounted_for(text: str) -> None:
    page = elaborated(text)
    whole(page)
    assert page.math_spans > 10


def test_every_formula_of_the_cases_is_accounted_for() -> None:
    for case in ALL:
        whole(elaborated(case.page))


@given(
    st.lists(
        st.tuples(
            st.one_of(FORMULA, st.sampled_from(WORDS), st.sampled_from(COMMENTS)), st.sampled_from(BREAKS)
        ).map("".join),
        max_size=8,
    ).map("".join)
)
@BOUNDED
def test_every_formula_of_a_mixture_is_accounted_for(text: str) -> None:
    whole(elaborated(text))


@given(MIXED)
@example("$$\\sin()$$")
@example("$$\\frac{\\partial p_k}{\\partial a_c} = p_k(k)$$")
@example(
    "<!-- symderiv: einstein on -->\n\n$$y = \\begin{cases} x_j x_j & i = j \\\\ 0 & i \\ne j \\end{cases}$$"
)
@example("$$=$$")
@example("$$= x$$\n\n$$x =$$")
@example("If $$ $$ $x$")
@settings(BOUNDED, max_examples=250)
def test_mutated_formulas_never_raise(text: str) -> None:
    whole(elaborated(text))


@given(
    st.lists(st.sampled_from([*TOKENS, " ", "=", "&", r"\\", "{", "}", "_", "^"]), max_size=25).map(" ".join)
)
@settings(BOUNDED, max_examples=200)
def test_heaps_of_tokens_never_raise(text: str) -> None:
    whole(elaborated(f"$${text}$$\n\nIf ${text}$ we have ${text}$.\n"))


@given(st.text(max_size=60), st.text(max_size=60), st.text(max_size=60))
@BOUNDED
def test_arbitrary_text_never_raises(before: str, inside: str, after: str) -> None:
    whole(elaborated(f"{before}${inside}${after}\n\n$${inside}$$\n"))


PROSE = [
    "Otherwise, little is known.",
    "If so, we go on.",
    "Set this to zero:",
    "Given:",
    "In general this is another matter.",
    "Case 3:",
    "Assume that all is symmetric.",
    "Suppose it is orthogonal and sums to one,",
    "where",
    "Since",
]
SHORT = [
    case
    for case in ALL
    if len(case.page) < 700
    and "symderiv:" not in case.page
    and "### " not in case.page
    and "title" not in case.page
]


@pytest.mark.parametrize("seed", range(25))
def test_words_in_one_section_change_no_verdict_of_another(seed: int) -> None:
    """The prose is put between the paragraphs of the first section, and the second is looked at."""
    random = Random(seed)
    first, second = (case.page for case in random.sample(SHORT, 2))
    paragraphs = first.rstrip().split("\n\n")
    filled = [paragraphs[0]]
    for paragraph in paragraphs[1:]:
        filled += [random.choice(PROSE), paragraph]
    filled.append(random.choice(PROSE))
    line = first.rstrip().count("\n") + 1
    more = "\n\n".join(filled).count("\n") + 1
    assert verdicts(f"{first.rstrip()}\n\n{second}", line) == verdicts(
        "\n\n".join(filled) + f"\n\n{second}", more
    )


def verdicts(text: str, after: int) -> list[tuple[str, str | None]]:
    """Return kind and verdict of all that stands after a line."""
    found = judged(text).statements
    return [(each.kind, each.verdict) for each in found if each.span.line > after]


def test_each_advice_is_for_something_that_is_said() -> None:
    """What is advised by its message is found where that message is written."""
    files = [each for each in Path(advice.__file__).parent.glob("*.py") if each.name != "advice.py"]
    said = "".join(each.read_text(encoding="utf-8") for each in files)
    assert [] == [message for message in advice.ADVICE if f'"{message}"' not in said]


@pytest.mark.parametrize(
    ("key", "shape"),
    [
        ("b", "^n"),
        ("W", r"^{m \times n}"),
        (r"\theta", "^n"),
        (r"\mathbf{X}_{1}", r"^{m \times n}"),
        (r"\hat{y}", "^n"),
    ],
)
def test_a_declaration_is_advised_by_the_letter(key: str, shape: str) -> None:
    """A capital letter is a matrix, a small one a vector, whatever it wears."""
    assert (
        rf"declare the shape of {key}: <!-- symderiv: ${key} \in \mathbb{{R}}{shape}$ -->"
        == advice.declared(key)
    )


def test_advice_in_latex_is_a_comment_of_latex() -> None:
    """A comment to the checker is advised in the form of the document."""
    page = r"\[ \|u\|^2 = u + u \]"
    found = judged(page, "a.tex").statements[-1].diagnostics[-1]
    assert found.help is not None
    assert found.help.endswith(r"% symderiv: $u \in \mathbb{R}^n$")
    told = judged("% symderiv: $u \\in \\mathbb{R}^n$\n" + page, "a.tex")
    assert [("declaration", None), ("claim", "ill-typed")] == [(s.kind, s.verdict) for s in told.statements]


@pytest.mark.parametrize(
    ("reason", "slope", "help_"),
    [
        (
            "the index k has no range",
            ("z", "t"),
            r"declare the range of the index: <!-- symderiv: $k = 1, \dots, n$ -->",
        ),
        (
            "no values were found",
            ("z", "t"),
            "define z, or what it depends on, by an equation with t on its right side",
        ),
        (
            "no values were found",
            None,
            "tell which values the names have, as in <!-- symderiv: $x_i > 0$ -->",
        ),
        ("out of time", None, None),
    ],
)
def test_what_would_help_depends_on_what_is_left(
    reason: str, slope: tuple[str, str] | None, help_: str | None
) -> None:
    """A range that is not told comes first, then how a quantity depends on a variable, then its values."""
    assert help_ == explain.not_decided(Span(0, 1), reason, "", slope).help

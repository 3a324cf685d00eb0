"""Wrong members that rules make of a right one.

A rule works on the LaTeX of one member and gives every member that it can make of it: one sign, index,
factor, exponent, transpose, delta, bound, function or term is changed at a time. No rule knows a page.
"""

from __future__ import annotations

import itertools
import re
import zlib
from collections.abc import Callable, Iterator

Rule = Callable[[str], Iterator[str]]
_SUBSCRIPT = re.compile(r"(?<=_)(?:\{([a-z]+)\}|([a-z]))")
_GREEK = (
    "alpha|beta|gamma|delta|epsilon|eta|theta|kappa|lambda|mu|nu|pi|rho|sigma|tau|phi|varphi|psi|omega|ell"
)
_NAME = (
    rf"(?:\\(?:hat|bar|tilde|mathbf|mathrm) ?(?:\{{[A-Za-z]\}}|[A-Za-z])|\\(?:{_GREEK})(?![a-z])|[A-Za-z])"
)
_INDEX = r"_(?:\{[^{}]*\}|[a-z0-9])"
_LONE = r"(?<![A-Za-z\\{_^])"
_OPENERS, _CLOSERS = "{([", "})]"


def each(pattern: str, replacement: str) -> Rule:
    """Return the rule that replaces one occurrence of a pattern."""
    compiled = re.compile(pattern)

    def rule(latex: str) -> Iterator[str]:
        for found in compiled.finditer(latex):
            yield latex[: found.start()] + found.expand(replacement) + latex[found.end() :]

    return rule


def around(before: str, after: str) -> Rule:
    """Return the rule that puts something around the whole."""
    return lambda latex: iter([rf"{before} \left( {latex} \right){after}"])


def plain(latex: str) -> Iterator[tuple[int, str]]:
    """Give the characters that stand for themselves: not in words, environments, ranges of sums."""
    hidden = [
        range(found.start(), found.end())
        for found in re.finditer(
            r"\\[A-Za-z]+|\\(?:text|mathrm|begin|end)\{[^{}]*\}|\\(?:sum|prod|max)_\{[^{}]*\}", latex
        )
    ]
    for at, character in enumerate(latex):
        if not any(at in each for each in hidden):
            yield at, character


def sign(latex: str) -> Iterator[str]:
    """A plus becomes a minus, a minus a plus."""
    for at, character in plain(latex):
        if character in "+-":
            yield latex[:at] + ("-" if character == "+" else "+") + latex[at + 1 :]


def index(latex: str) -> Iterator[str]:
    """One letter of a subscript becomes another letter of the member."""
    used = sorted({letter for found in _SUBSCRIPT.finditer(latex) for letter in found[0].strip("{}")})
    for found in _SUBSCRIPT.finditer(latex):
        for at in range(found.start(), found.end()):
            if latex[at].isalpha():
                for other in [letter for letter in used if letter != latex[at]]:
                    yield latex[:at] + other + latex[at + 1 :]


def exchanged(latex: str) -> Iterator[str]:
    """Two letters of one subscript change places."""
    for found in re.finditer(r"(?<=_)\{([a-z])([a-z])\}", latex):
        if not latex[: found.start()].endswith(r"\delta_"):
            yield f"{latex[: found.start()]}{{{found[2]}{found[1]}}}{latex[found.end() :]}"


def term(latex: str) -> Iterator[str]:
    """One term of a sum is dropped."""
    for at, character in plain(latex):
        if character in "+-" and latex[:at].strip() and latex[:at].rstrip()[-1] not in "({[&":
            end = _term_end(latex, at + 1)
            yield latex[:at].rstrip() + " " + latex[end:]
            begin = _term_start(latex, at)
            yield latex[:begin] + (" - " if character == "-" else " ") + latex[at + 1 :]


def _term_end(latex: str, at: int) -> int:
    depth = 0
    for end in range(at, len(latex)):
        if latex.startswith("\\right", end) and depth == 0:
            return end
        depth += (latex[end] in _OPENERS) - (latex[end] in _CLOSERS)
        if depth < 0 or (depth == 0 and latex[end] in "+-,&"):
            return end
    return len(latex)


def _term_start(latex: str, at: int) -> int:
    depth = 0
    for start in range(at - 1, -1, -1):
        depth += (latex[start] in _CLOSERS) - (latex[start] in _OPENERS)
        if depth < 0 or (depth == 0 and latex[start] in "+-,&\n"):
            return start + 1
    return 0


def swapped_cases(latex: str) -> Iterator[str]:
    """The values of the first two cases change places."""
    found = re.search(r"(\\begin\{cases\})(.*?)(&.*?\\\\)(.*?)(&.*)(\\end\{cases\})", latex, re.DOTALL)
    if found:
        yield (
            latex[: found.start()]
            + found[1]
            + found[4]
            + found[3]
            + found[2]
            + found[5]
            + latex[found.start(6) :]
        )


def inverted(latex: str) -> Iterator[str]:
    """A fraction is turned round."""
    for found in re.finditer(r"\\frac\{(?!\\partial|d\}|d\^)", latex):
        middle = _closing(latex, found.end())
        end = _closing(latex, middle + 2)
        above, below = latex[found.end() : middle], latex[middle + 2 : end]
        yield f"{latex[: found.start()]}\\frac{{{below}}}{{{above}}}{latex[end + 1 :]}"


def one_part(latex: str) -> Iterator[str]:
    """A fraction loses its denominator."""
    for found in re.finditer(r"\\frac\{(?!\\partial|d\}|d\^)", latex):
        middle = _closing(latex, found.end())
        end = _closing(latex, middle + 2)
        yield rf"{latex[: found.start()]}\left( {latex[found.end() : middle]} \right) {latex[end + 1 :]}"


def _closing(latex: str, at: int) -> int:
    depth = 1
    while depth and at < len(latex):
        depth += (latex[at] == "{") - (latex[at] == "}")
        at += 1
    return at - 1


def another_name(latex: str) -> Iterator[str]:
    """One name becomes another of the member that is used in the same way."""
    uses: dict[str, list[re.Match[str]]] = {}
    for found in re.finditer(rf"{_LONE}(?<!partial )({_NAME})({_INDEX})?(?![a-z(])", latex):
        shape = "none" if found[2] is None else str(len(found[2].strip("_{}").replace(",", "")))
        uses.setdefault(shape, []).append(found)
    for found in itertools.chain.from_iterable(uses.values()):
        shape = "none" if found[2] is None else str(len(found[2].strip("_{}").replace(",", "")))
        others = dict.fromkeys(each[1] for each in uses[shape] if each[1] != found[1])
        for other in [*others][:1]:
            yield (
                latex[: found.start(1)]
                + other
                + (" " if other.startswith("\\") and found[2] is None else "")
                + latex[found.end(1) :]
            )


_WORDS = [
    ("sin", "cos"), ("sinh", "cosh"), ("max", "min"), ("tanh", "sinh"), ("log", "exp"), ("tr", "det"),
]  # fmt: skip


def another_function(latex: str) -> Iterator[str]:
    """A function becomes one with which it may be confused."""
    for first, second in _WORDS:
        for one, other in ((first, second), (second, first)):
            for found in re.finditer(rf"\\{one}(?![a-z_])|\\mathrm\{{{one}\}}", latex):
                word = f"\\{other}" if other != "tr" else r"\mathrm{tr}"
                yield latex[: found.start()] + word + latex[found.end() :]


RULES: dict[str, Rule] = {
    "sign": sign,
    "index": index,
    "indices exchanged": exchanged,
    "term dropped": term,
    "factor dropped": each(
        rf"{_LONE}(?<!partial )(?<!\( )(?<!\(){_NAME}{_INDEX}(?= (?![-+=&)}}]|\\\\|\\right|\\end))", ""
    ),
    "factor at the end dropped": each(rf"(?<=[\w}})] ){_NAME}{_INDEX}(?=$| [-+)]|\\right)", ""),
    "exponent raised": each(r"\^2", "^3"),
    "exponent dropped": each(r"\^2", ""),
    "squared": each(rf"{_LONE}(?<!partial ){_NAME}{_INDEX}(?![\w}}^(])", r"\g<0>^2"),
    "exponential negated": each(r"e\^\{(?!-)", "e^{-"),
    "exponential doubled": each(r"e\^\{(?!-)", "e^{2 "),
    "exponential of the opposite": each(r"e\^\{-", "e^{"),
    "transpose dropped": each(r"\^\\top", ""),
    "transpose added": each(rf"{_LONE}(?<!partial )[A-Z](?![_^A-Za-z(\}}])", r"\g<0>^\\top"),
    "inverse dropped": each(r"\^\{-1\}", ""),
    "inverse for transpose": each(r"\^\{-1\}", r"^\\top"),
    "delta dropped": each(r"\\delta_\{[a-z]+\}", ""),
    "delta negated": each(r"\\delta_\{[a-z]+\}", r"(1 - \g<0>)"),
    "sum begins late": each(r"(?<=\\sum_\{[a-z]=)1", "2"),
    "sum ends early": each(r"(?<=\\sum_\{[a-z]=[0-9a-z]\}\^)\{([^{}]*)\}", r"{\g<1>-1}"),
    "sum dropped": each(r"\\sum_\{[^{}]*\}(?:\^\{[^{}]*\}|\^[A-Za-z])?", ""),
    "zero for one": each(r"(?<![=\w{^.])0(?![\w.])", "1"),
    "one for zero": each(r"(?<![=\w{^.])1(?![\w.])", "0"),
    "three for two": each(r"(?<![=\w^.])2(?![\w.])", "3"),
    "half for whole": each(r"\\frac\{1\}\{2\}", ""),
    "ones dropped": each(r"\\mathbf\{1\}(?![\[(_])", ""),
    "indicator turned": each(r"(?<=\\mathbf\{1\}\[)([^\[\]<>]*) ([<>]) ([^\[\]<>]*)(?=\])", r"\3 \2 \1"),
    "indicator dropped": each(r"\\mathbf\{1\}\[[^\[\]]*\]", ""),
    "cases exchanged": swapped_cases,
    "fraction inverted": inverted,
    "denominator dropped": one_part,
    "elementwise for outer": each(r"\\otimes", r"\\odot"),
    "product for elementwise": each(r"\\odot", ""),
    "diagonal dropped": each(r"\\mathrm\{diag\}", ""),
    "root dropped": each(r"\\sqrt", ""),
    "logarithm dropped": each(r"\\log(?= *[(\\{])", ""),
    "absolute value dropped": each(r"\|([^|]+)\|", r"(\1)"),
    "prime dropped": each(r"(?<=[\w}])'(?=\()", ""),
    "prime added": each(r"\\(?:sigma|phi|varphi|Phi)(?=\()", r"\g<0>'"),
    "another name": another_name,
    "another function": another_function,
}
"""What may go wrong in a formula."""
ALWAYS: dict[str, Rule] = {
    "negated": around("-", ""),
    "doubled": around("2", ""),
    "halved": around(r"\frac{1}{2}", ""),
    "one percent off": around(r"\frac{101}{100}", ""),
    "tripled": around("3", ""),
    "doubled with the other sign": around("-2", ""),
    "a quarter more": around(r"\frac{5}{4}", ""),
    "one more": lambda latex: iter([rf"{latex} + 1"] if r"\begin{cases}" not in latex else []),
    "two less": lambda latex: iter([rf"{latex} - 2"] if r"\begin{cases}" not in latex else []),
    "one for all": lambda _: iter(["1"]),
    "seven for all": lambda _: iter(["7"]),
    "nothing for all": lambda _: iter(["0"]),
}
"""What applies to every formula: no step has fewer than ten forms."""


_DANGLING = re.compile(
    r"[-+]\s*(?:\\right|\)|\]|\}|&|$)|\\log\s*(?:$|[-+)}])|^\s*\\cdot|\\cdot\s*(?:\\cdot|$)"
    r"|\\(?:sum|prod)_\{[^{}]*\}(?:\^\{[^{}]*\})?\s*(?:$|[-+)}&])"
)
"""What no author writes: an operator without an operand."""


def corrupted(latex: str) -> Iterator[tuple[str, str]]:
    """Give every corrupted member with the name of its rule, each member once."""
    seen = {"".join(latex.split())}
    for name, rule in (RULES | ALWAYS).items():
        for made in filter(str.strip, rule(latex)):
            key = "".join(made.split())
            if key not in seen and not _DANGLING.search(made):
                seen.add(key)
                yield name, made.strip()


def chosen(latex: str, most: int) -> list[tuple[str, str]]:
    """Return some corrupted members: of each rule the first, then of each the second; general ones fill up.

    With which rule it begins depends on the formula, so that all rules have their turn in a library.
    """
    by_rule: dict[str, list[tuple[str, str]]] = {}
    for name, made in corrupted(latex):
        by_rule.setdefault(name, []).append((name, made))
    special = [found for name, found in by_rule.items() if name not in ALWAYS]
    turn = zlib.crc32(latex.encode()) % max(len(special), 1)
    special = special[turn:] + special[:turn]
    firsts = [found[0] for found in special]
    always = [found[0] for name, found in by_rule.items() if name in ALWAYS]
    later = [
        each for found in itertools.zip_longest(*(found[1:] for found in special)) for each in found if each
    ]
    kept = max(most - 10, 2)
    return [*always[:kept], *firsts, *later, *always[kept:]][:most]

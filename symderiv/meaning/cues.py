"""Prose cues: the words before a formula that tell what it is for.

`if`, `when`, `for` and `case` bring an assumption that holds until the next paragraph of prose; `let`,
`suppose`, `assume`, `given`, `since` and `with` one that holds to the end of the section; but what *since* or
*because* says of defined quantities is a claim. `where` and `let` introduce names.
"""

from __future__ import annotations

import re
from typing import Literal

Cue = Literal["local", "section", "fact", "where", ""]

_LOCAL = frozenset({"if", "when", "for", "case", "cases", "whenever", "at"})
_SECTION = frozenset({"let", "suppose", "assume", "assuming", "given", "with", "provided"})
_FACT = frozenset({"since", "because", "recall"})
_WHERE = frozenset({"where", "denote", "write", "define", "call", "put"})
_SKIP = frozenset(
    {
        "the",
        "that",
        "a",
        "an",
        "any",
        "all",
        "every",
        "each",
        "we",
        "only",
        "have",
        "of",
        "and",
        "also",
        "case",
        "indices",
        "index",
        "entries",
        "entry",
        "two",
        "some",
        "diagonal",
        "off-diagonal",
        "now",
        "therefore",
        "further",
        "first",
        "remaining",
        "other",
        "where",
        "which",
        "is",
        "in",
    }
)
_DENIES = re.compile(
    r"\b(not|no|nor|never|nobody|none|without|whether|unless|hardly|neither|doubt|\w+n't)\b", re.IGNORECASE
)
_WORD = re.compile(r"[A-Za-z][A-Za-z'-]*")
_CHINESE: dict[Cue, re.Pattern[str]] = {
    "local": re.compile(r"(当|若|如果|情况[一二三四五六七八九十\d]*)[\s:：,，]*\Z"),
    "section": re.compile(r"(设|令|假设|假定|给定|已知)[\s:：,，]*\Z"),
    "where": re.compile(r"其中[\s:：,，]*\Z"),
    "fact": re.compile(r"(因为|由于)[\s:：,，]*\Z"),
}
"""The same words where no blanks part words."""


def cue(prose: str) -> Cue:
    """Return the cue that the end of a run of prose gives to the formula after it.

    The clause that ends the prose is read backwards over articles and the like, up to the first word
    that is none; punctuation that ends a clause stops the search. *Only if* describes, and what
    is denied is not assumed.
    """
    if re.search(r"\bcase\s*\(?\w{1,3}\)?\s*[:.)\u2013-]?\s*$", prose, re.IGNORECASE):
        return "local"
    for told, pattern in _CHINESE.items():
        if pattern.search(prose):
            return told
    clause = re.split(r"[.;:!?](?:\s|$)", prose)[-1]
    if denies(clause):
        return ""
    words = [word.lower() for word in _WORD.findall(clause)]
    if words[-2:] == ["such", "that"]:
        return "section"
    for at, word in reversed(list(enumerate(words))[-5:]):
        if word in _LOCAL:
            return "" if at and words[at - 1] == "only" else "local"
        if word in _SECTION:
            return "section"
        if word in _FACT:
            return "fact"
        if word in _WHERE:
            return "where"
        if word not in _SKIP:
            return ""
    return ""


def fixes(prose: str, after: str = "") -> bool:
    """Tell whether prose around a letter fixes it: *the true class $k$*, *$y$ is the correct class*."""
    before = re.search(r"\b(class|label|category|target)(\s+(is|be))?\s*$", prose, re.IGNORECASE)
    kind = r"\s*(is|be|denotes)\s+the\s+(true|correct|right|target)\s+(class|label|category)\b(?!\s+vector)"
    return before is not None or re.match(kind, after, re.IGNORECASE) is not None


def supposes(prose: str) -> bool:
    """Tell whether a clause that is left open supposes the display after it: *Suppose that*, *such that*."""
    return bool(
        re.search(
            r"\b(suppose|assume|assuming|provided|such)(\s+(also|now|therefore|further|again))?\s+that\s*:?\s*$",
            prose,
            re.IGNORECASE,
        )
    ) and not denies(re.split(r"[.;!?](?:\s|$)", prose)[-1])


def reminds(before: str) -> bool:
    """Tell whether prose leads to what is known already: *Since*, *Recall that*."""
    return bool(
        re.search(
            r"(\b(since|because|recall\w*|remember\w*|remind\w*|given|knowing|known|using|fact)|(^|[.,;:])\s*as)"
            r"(\s+that)?\s*:?\s*$",
            before,
            re.IGNORECASE,
        )
    )


def closes(after: str) -> bool:
    """Tell whether the prose after a condition ends its sentence: *for $b = 1$ this is the usual one.*"""
    return len(_WORD.findall(after)) > 1 and bool(re.search(r"[.!?]\s*\)?\s*$", after))


def trails(before: str) -> bool:
    """Tell whether a condition follows its statement: *…, for $i \\ne j$*; a capital begins another."""
    return bool(re.fullmatch(r"\s*,?\s*(only\s+)?(for|if|when|whenever)(\s+(all|every|any))?\s*", before))


_USED = (
    r"((where|here)\s+)?(we\s+(have\s+)?)?(use|used|using)"
    r"(\s+the\s+(fact|identity|property|relation))?(\s+that)?"
)
_REASON = re.compile(
    r"\s*[,;(]?\s*((since|because|as|where|recall(ing)?(\s+that)?)(\s+(of|we\s+have|that))?|"
    + _USED
    + r")\s*",
)
_THEREFORE = re.compile(r"\s*,?\s*(because|since|as)\b", re.IGNORECASE)


def gives_reason(before: str, after: str) -> bool:
    """Tell whether a formula is the reason of the step before it: *since $\\sum_k y_k = 1$*; no *Since*."""
    return bool(_REASON.fullmatch(before)) or (not before.strip() and is_reasoned(after))


def is_reasoned(after: str) -> bool:
    """Tell whether words give the reason of a formula: *$\\sum_k y_k = 1$ because y is one-hot*."""
    return bool(_THEREFORE.match(after))


def is_used(before: str) -> bool:
    """Tell whether words say that an equation is used: *where we used $\\sum_k y_k = 1$*."""
    return re.search(r"(?:^|[\s(])" + _USED + r"\s*$", before) is not None


_ATTAINED = re.compile(
    r"\b(attain\w*|achiev\w*|reached|maxim\w*|minim\w*|largest|smallest|argmax|argmin)\b", re.IGNORECASE
)


def leaves_open(before: str, after: str) -> bool:
    """Tell whether words suppose what no rule knows: *and $0$ otherwise*, *attained at $c$*."""
    clause = re.split(r"[.;:!?](?:\s|$)", before)[-1]
    other = re.match(r"\s*(otherwise|else|elsewhere)\b", after, re.IGNORECASE)
    return other is not None or _ATTAINED.search(clause) is not None


def otherwise(prose: str) -> bool:
    """Tell whether prose turns to the other case: *Otherwise*, *Else*."""
    return bool(re.match(r"\s*(otherwise|else)\b", prose, re.IGNORECASE))


def denies(clause: str) -> bool:
    """Tell whether a clause denies or doubts what it leads to: *we do not suppose*, *whether*, *only if*."""
    last = " ".join(_WORD.findall(clause)[-8:])
    return bool(_DENIES.search(last) or re.search(r"\bonly\s+(if|when|for)\b", last, re.IGNORECASE))


def denies_sentence(before: str, after: str) -> bool:
    """Tell whether a sentence denies or doubts what it holds, before or after it: *need not hold*."""
    start = re.split(r"[.;:!?](?:\s|$)", before)[-1]
    rest = re.split(r"[.;:!?](?:\s|$)", after)[0]
    return denies(start) or bool(_DENIED.search(" ".join(_WORD.findall(rest)[:6])) or _EVEN.search(start))


_DENIED = re.compile(
    r"^((need|does|do|is|are|may|might|can|could|would|will|must|has|have)\s+)?"
    r"(not|no|never|cannot|need|fails?|fail|\w+n't|is\s+false|would|might)\b"
    r"|^for\s+(some|one|at\s+least)\b",
    re.IGNORECASE,
)
_EVEN = re.compile(r"\b(even\s+(if|when|for)|unless|except)\b|\b(would|could|might)\b", re.IGNORECASE)


def locates(before: str) -> bool:
    """Tell whether prose says where something else is so: *the unit is active where $x > 0$*."""
    found = re.search(r"([A-Za-z]\w*)\s+(where|wherever)\s*$", before, re.IGNORECASE)
    return found is not None and found[1].lower() not in ("and", "but", "or")


_IMPOSED = re.compile(
    r"\b(set|setting|equat\w+)\b[^.]*\b(to\s+(zero|0)|equal\s+to)|\bset(ting)?\s*$|\bstationar"
    r"|\b(gradient|derivative|slope|score)s?\b[^.]*\b(vanish\w*|(is|are|be|equals?)\s+(to\s+)?zero)",
    re.IGNORECASE,
)


def imposes(prose: str) -> bool:
    """Tell whether prose imposes the equation that follows: a stationary point, a derivative set to zero."""
    return bool(_IMPOSED.search(prose))


_DESCRIBED = re.compile(
    r"\b(vanish(es)?|(is|are)\s+(zero|0))\s+(on|off|in|inside|outside|beyond|over|for|everywhere)\b[^.;:]*:\s*$",
    re.IGNORECASE,
)


def describes(prose: str) -> bool:
    """Tell whether prose says where a derivative is zero, which the display after its colon then shows."""
    return bool(_DESCRIBED.search(prose))


_SEPARATED = re.compile(
    r"\bderivatives?\s+(by|with\s+respect\s+to)\b[^.;:]*\b(an)?other\b[^.;:]*"
    r"\b(vanish(es)?|(is|are)\s+(zero|0))\s*:\s*$",
    re.IGNORECASE,
)
_SOLVED = re.compile(
    r"\bset\b|\bsetting\b|\bstationar|\boptim|\bminimi|\bmaximi|\bbest\b|\bsol(ve|ution)", re.IGNORECASE
)


def separates(prose: str) -> bool:
    """Tell whether prose says of what an entry does not depend: *the derivative by another row is zero:*."""
    return bool(_SEPARATED.search(prose)) and not _SOLVED.search(prose)


_EINSTEIN = re.compile(
    r"\b(using|in|with|use)\s+(Cartesian\s+)?tensor\s+notation\b"
    r"|\bEinstein('s)?\s+(summation|sum|notation|convention|index)"
    r"|\b(repeated|dummy)\s+(index|indices|indexes)\b[^.;:]*\b(is|are)\s+(implicitly\s+)?summed"
    r"|\bsum(s|med|ming|mation)?\b[^.;:]*\b(over|on|of)\s+(any\s+|all\s+|the\s+)?repeated\s+(index|indices|indexes)",
    re.IGNORECASE,
)


def announces_einstein(prose: str) -> bool:
    """Tell whether prose says that repeated indices are summed: *we use the Einstein convention*."""
    return any(
        _EINSTEIN.search(each) and not denies(each) and not _APART.search(each)
        for each in re.split(r"[.;!?](?:\s|$)", prose)
    )


_APART = re.compile(
    r"\b(without|no|not|never|instead\s+of|rather\s+than|unlike|avoid\w*|drop\w*|explicit\w*|if|would|could)\b",
    re.IGNORECASE,
)


def has_words(prose: str) -> bool:
    """Tell whether a run of text holds a word, so that its paragraph is prose."""
    return bool(_WORD.search(prose))


_ASIDE = re.compile(
    r"""
    \b(?:
      almost\s(?:all|any|every|everywhere|surely|no|never|always|certainly) | generic(?:ally)? | surely
    | ties? | tied | distinct | pairwise | unique(?:ly|ness)? | kinks? | origin | degenerate
    | non-?(?:zero|null|vanishing) | vanish(?:es|ing)? | singular(?:ity|ities)?
    | sub-?(?:gradients?|differentials?|derivatives?) | differentiable | smooth\w* | continuously
    | probability\s(?:\$?[01]\$?|one|zero) | density | densities | measure\s(?:\$?0\$?|zero) | null\sset
    | except | exclud\w+ | ignor\w+ | neglect\w* | disregard\w* | avoid\w* | aside | unless
    | away\sfrom | apart\sfrom | other\sthan | up\sto | general\sposition | arg\s?(?:max|min)
    | conventions? | (?:do|does|must|may|can)\s?not\s(?:coincide|equal|agree)
    )\b
    | \ba\.\s?[es]\.
    """,
    re.IGNORECASE | re.VERBOSE,
)
_HEADING = re.compile(r"^\s*#.*$", re.MULTILINE)


def sets_aside(text: str) -> bool:
    """Tell whether a page has a word by which it may set ties, zeros or kinks aside: *almost everywhere*."""
    return _ASIDE.search(_HEADING.sub("", text)) is not None

r"""Two ways of writing one formula: LaTeX for a paper, Unicode for a terminal.

A *style* writes what `entries` and `matrices` decide to print: names, scripts, fractions, sums. Text that
comes from a page is a name only; a name that is no plain LaTeX name is written as a word of safe letters, so
that nothing of a page is ever a command.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from enum import IntEnum
from typing import Protocol

from symderiv.symbols import GREEK

_BIG = {"sum": "∑", "prod": "∏", "max": "max"}
"""How operators over an index are written in plain text."""


class Level(IntEnum):
    """How tightly a piece of notation holds together."""

    SUM = 1
    BIG = 2
    """A sum sign: open to the right, and a factor only as the last one."""
    QUOTIENT = 3
    """`a / b` on one line."""
    PRODUCT = 4
    POWER = 5
    """Has a superscript."""
    ATOM = 6


@dataclass(frozen=True, slots=True)
class Shown:
    """A written piece, and how tightly it holds."""

    text: str
    level: Level = Level.ATOM


@dataclass(frozen=True, slots=True)
class Parts:
    r"""A name taken apart: `\hat{y}^{(2)}_{new}'` is `y` with a mark, a label, a part, a prime."""

    core: str
    mark: str = ""
    label: str = ""
    part: str = ""
    primes: int = 0


MARKS = {
    "hat": "\u0302",
    "widehat": "\u0302",
    "bar": "\u0304",
    "overline": "\u0304",
    "tilde": "\u0303",
    "widetilde": "\u0303",
    "dot": "\u0307",
    "ddot": "\u0308",
    "vec": "\u20d7",
    "check": "\u030c",
}
FONTS = ("mathbf", "boldsymbol", "mathcal", "mathbb", "mathfrak", "mathrm", "text", "operatorname")
_LOW = dict(
    zip("0123456789+-=()aehijklmnoprstuvxβγρφχ", "₀₁₂₃₄₅₆₇₈₉₊₋₌₍₎ₐₑₕᵢⱼₖₗₘₙₒₚᵣₛₜᵤᵥₓᵦᵧᵨᵩᵪ", strict=True)
)
_HIGH = dict(
    zip("0123456789+-=()abcdefghijklmnoprstuvwxyzT", "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁼⁽⁾ᵃᵇᶜᵈᵉᶠᵍʰⁱʲᵏˡᵐⁿᵒᵖʳˢᵗᵘᵛʷˣʸᶻᵀ", strict=True)
)
_BOLD = {
    **{chr(65 + n): chr(0x1D400 + n) for n in range(26)},
    **{chr(97 + n): chr(0x1D41A + n) for n in range(26)},
}
_SCRIPT = re.compile(
    r"^(?P<base>.+?)(?:\^\{(?P<label>[^{}]*)\})?(?:_\{(?P<part>(?:[^{}]|\{[^{}]*\})*)\})?(?P<primes>'*)$"
)
_CORE = re.compile(r"[^\W\d_]|\d|d?\\[A-Za-z]+|[A-Za-z][A-Za-z0-9]*")
_MARKED = re.compile(r"\\(?P<mark>[A-Za-z]+)\{(?P<core>.*)\}$")


def identity_key(identity: str) -> str:
    """Return the name that the page wrote, without what sets it apart from its namesakes."""
    return re.split(r"[~@]", identity)[0] if not identity.startswith(("~", "@")) else identity


def parts(identity: str) -> Parts:
    """Take a name apart; what has no known form is a word."""
    key = identity_key(identity)
    found = _SCRIPT.match(key)
    if found is None:
        return Parts(key)
    base, label, part = found["base"], found["label"] or "", found["part"] or ""
    primes = len(found["primes"])
    marked = _MARKED.match(base)
    if marked is not None and (marked["mark"] in MARKS or marked["mark"] in FONTS):
        if _CORE.fullmatch(marked["core"]) or marked["mark"] in FONTS:
            return Parts(marked["core"], marked["mark"], label, part, primes)
        return Parts(key)
    if _CORE.fullmatch(base):
        return Parts(base, "", label, part, primes)
    return Parts(key)


def word(text: str) -> str:
    """Return the letters and digits of a text of any kind, never nothing."""
    kept = "".join(c if c.isalnum() and unicodedata.category(c)[0] in "LN" else " " for c in text)
    return " ".join(kept.split()) or "unnamed"


class Style(Protocol):
    """What a way of writing knows."""

    one_line: bool

    def name(self, identity: str, indices: tuple[str, ...] = ()) -> Shown:
        """Write a name with its indices."""

    def number(self, text: str) -> Shown:
        """Write a number or a letter."""

    def letter(self, text: str) -> str:
        """Write an index letter or a size."""

    def power(self, base: Shown, exponent: str) -> Shown:
        """Write a power."""

    def root(self, radicand: Shown) -> Shown:
        """Write a square root."""

    def quotient(self, above: Shown, below: Shown) -> Shown:
        """Write a fraction."""

    def big(self, sign: str, letter: str, size: str, body: Shown) -> Shown:
        """Write a sum or a product over an index."""

    def delta(self, first: str, second: str) -> Shown:
        """Write Kronecker's delta."""

    def derivative(self, of: Shown, by: tuple[Shown, ...], *, named: bool) -> Shown:
        """Write a derivative: of a name as one fraction, of anything else as an operator before it."""

    def function(self, name: str, argument: Shown) -> Shown:
        """Write a named function."""

    def group(self, inner: Shown) -> Shown:
        """Write brackets."""

    def bars(self, inner: Shown) -> Shown:
        """Write an absolute value."""

    def transposed(self, base: Shown) -> Shown:
        """Write a transpose."""

    def inverted(self, base: Shown, *, turned: bool = False) -> Shown:
        """Write the inverse of a matrix, or of its transpose."""

    def entry(self, base: Shown, indices: tuple[str, ...]) -> Shown:
        """Write an entry of a matrix that has no name."""

    def symbol(self, key: str) -> str:
        """Write one of the signs of `SIGNS`."""

    def cases(self, rows: tuple[tuple[str, str], ...]) -> Shown:
        """Write a distinction of cases; the last condition may be empty."""


SIGNS: dict[str, tuple[str, str]] = {
    "minus": ("-", "−"),
    "odot": (r"\odot", "⊙"),
    "ones": (r"\mathbf{1}", "𝟏"),
    "eye": ("I", "I"),
    "dot": (r"\cdot", "·"),
    "diag": (r"\operatorname{diag}", "diag"),
    "tr": (r"\operatorname{tr}", "tr"),
    "ne": (r"\neq", "≠"),
    "le": (r"\leq", "≤"),
    "ge": (r"\geq", "≥"),
    "lt": ("<", "<"),
    "gt": (">", ">"),
    "eq": ("=", "="),
    "and": (r"\text{ and }", "and"),
    "or": (r"\text{ or }", "or"),
    "pi": (r"\pi", "π"),
    "in": (r"\in", "∈"),
    "reals": (r"\mathbb{R}", "ℝ"),
    "times": (r"\times", "×"),
    "partial": (r"\partial", "∂"),
}
"""Each sign in LaTeX and in Unicode."""

_LATEX_FUNCTIONS = frozenset(
    {"exp", "log", "sin", "cos", "tan", "sinh", "cosh", "tanh", "coth", "cot", "max", "min", "det"}
)


class Latex:
    """LaTeX, with amsmath only."""

    one_line = False

    def name(self, identity: str, indices: tuple[str, ...] = ()) -> Shown:
        """Write a name with its indices."""
        found = parts(identity)
        core = self._core(found)
        sub = ", ".join(part for part in (self._part(found.part), _listed(indices)) if part)
        text = core + "'" * found.primes
        if found.label:
            text += f"^{{{self._part(found.label)}}}"
        if sub:
            text += f"_{{{sub}}}" if len(sub) > 1 else f"_{sub}"
        return Shown(text, Level.POWER if found.label or found.primes else Level.ATOM)

    def _core(self, found: Parts) -> str:
        if found.mark in FONTS:
            inner = found.core if re.fullmatch(r"[A-Za-z0-9 ]+|\\[A-Za-z]+", found.core) else word(found.core)
            return f"\\{found.mark}{{{inner}}}"
        inner = found.core
        if not _CORE.fullmatch(inner):
            return f"\\mathrm{{{word(inner)}}}"
        if inner.startswith("d\\"):
            inner = f"\\mathrm{{d}}{inner[1:]}"
        elif len(inner) > 1 and not inner.startswith("\\"):
            inner = f"\\mathrm{{{inner}}}"
        elif not inner.startswith("\\") and not inner.isascii():
            inner = next((f"\\{name}" for name, sign in GREEK.items() if sign == inner), f"\\text{{{inner}}}")
        return f"\\{found.mark}{{{inner}}}" if found.mark else inner

    def _part(self, text: str) -> str:
        """Write what belongs to a name in a script: `(2)`, `new`, `hh`."""
        if not text:
            return ""
        if re.fullmatch(r"[(\[]?(?:[A-Za-z0-9]|\\[A-Za-z]+)[)\]]?|[A-Za-z0-9]{1,2}", text):
            return text
        plain = re.sub(r"\\(?:mathrm|text|operatorname|mathbf|textrm)\{([^{}]*)\}", r"\1", text)
        return f"\\mathrm{{{word(plain)}}}"

    def number(self, text: str) -> Shown:
        """Write a number or a letter."""
        return Shown(text)

    def letter(self, text: str) -> str:
        """Write an index letter or a size."""
        return self.name(text).text

    def power(self, base: Shown, exponent: str) -> Shown:
        """Write a power."""
        inner = base if base.level is Level.ATOM else self.group(base)
        script = exponent if len(exponent) == 1 else f"{{{exponent}}}"
        return Shown(f"{inner.text}^{script}", Level.POWER)

    def root(self, radicand: Shown) -> Shown:
        """Write a square root."""
        return Shown(f"\\sqrt{{{radicand.text}}}")

    def quotient(self, above: Shown, below: Shown) -> Shown:
        """Write a fraction."""
        return Shown(f"\\frac{{{above.text}}}{{{below.text}}}", Level.PRODUCT)

    def big(self, sign: str, letter: str, size: str, body: Shown) -> Shown:
        """Write a sum or a product over an index."""
        inner = self.group(body) if body.level is Level.SUM else body
        return Shown(f"\\{sign}_{{{letter}=1}}^{{{size}}} {inner.text}", Level.BIG)

    def delta(self, first: str, second: str) -> Shown:
        """Write Kronecker's delta."""
        return Shown(f"\\delta_{{{_listed((first, second))}}}")

    def derivative(self, of: Shown, by: tuple[Shown, ...], *, named: bool) -> Shown:
        """Write a derivative: of a name as one fraction, of anything else as an operator before it."""
        below = " ".join(f"\\partial {each.text}" for each in by)
        if len(by) > 1 and len({each.text for each in by}) == 1 and "^" not in by[0].text:
            below = f"\\partial {by[0].text}^{len(by)}"
        order = f"^{len(by)}" if len(by) > 1 else ""
        if named:
            return Shown(f"\\frac{{\\partial{order} {of.text}}}{{{below}}}", Level.PRODUCT)
        inner = of if of.level >= Level.POWER else self.group(of)
        return Shown(f"\\frac{{\\partial{order}}}{{{below}}} {inner.text}", Level.PRODUCT)

    def function(self, name: str, argument: Shown) -> Shown:
        """Write a named function."""
        word = name.rstrip("'")
        head = word
        if not word.startswith("\\"):
            head = f"\\{word}" if word in _LATEX_FUNCTIONS else f"\\operatorname{{{word}}}"
        return Shown(f"{head}{name[len(word) :]}{self.group(argument).text}", Level.POWER)

    def group(self, inner: Shown) -> Shown:
        """Write brackets, large where something tall is inside."""
        tall = re.search(r"\\(frac|sum|prod|begin|left)", inner.text) is not None
        return Shown(f"\\left({inner.text}\\right)" if tall else f"({inner.text})")

    def bars(self, inner: Shown) -> Shown:
        """Write an absolute value."""
        return Shown(f"\\left| {inner.text} \\right|")

    def transposed(self, base: Shown) -> Shown:
        """Write a transpose."""
        inner = base if base.level is Level.ATOM else self.group(base)
        return Shown(f"{inner.text}^{{\\top}}", Level.POWER)

    def inverted(self, base: Shown, *, turned: bool = False) -> Shown:
        """Write the inverse of a matrix, or of its transpose."""
        return self.power(base, r"-\top" if turned else "-1")

    def entry(self, base: Shown, indices: tuple[str, ...]) -> Shown:
        """Write an entry of a matrix that has no name."""
        return Shown(f"{self.group(base).text}_{{{_listed(indices)}}}", Level.POWER)

    def symbol(self, key: str) -> str:
        """Write one of the signs of `SIGNS`."""
        return SIGNS[key][0]

    def cases(self, rows: tuple[tuple[str, str], ...]) -> Shown:
        """Write a distinction of cases."""
        lines = [
            f"{value} & \\text{{if }} {when}" if when else f"{value} & \\text{{otherwise}}"
            for value, when in rows
        ]
        return Shown("\\begin{cases} " + " \\\\ ".join(lines) + " \\end{cases}")


class Unicode:
    """One line of readable characters."""

    one_line = True

    def name(self, identity: str, indices: tuple[str, ...] = ()) -> Shown:
        """Write a name with its indices."""
        found = parts(identity)
        text = self._core(found) + _primes(found.primes)
        label = self._part(found.label)
        if label:
            text += _script(label, _HIGH) or f"^{label}"
        part = self._part(found.part)
        sub = _listed(indices)
        if part and sub:
            text += f"{_script(part, _LOW) or f'_{part}'}[{sub}]"
        elif part or sub:
            text += _script(part or sub, _LOW) or (f"_{part}" if part else f"[{sub}]")
        return Shown(text, Level.POWER if label or found.primes else Level.ATOM)

    def _core(self, found: Parts) -> str:
        core = found.core
        if core.startswith(("\\", "d\\")):
            before, _, core = core.partition("\\")
            core = before + (GREEK.get(core) or word(core))
        elif not _CORE.fullmatch(core):
            core = word(core).replace(" ", "·")
        if found.mark in ("mathbf", "boldsymbol"):
            return "".join(_BOLD.get(c, c) for c in core)
        if found.mark in MARKS:
            return core + MARKS[found.mark] if len(core) == 1 else f"{found.mark}({core})"
        return core

    @staticmethod
    def _part(text: str) -> str:
        plain = re.sub(r"\\(?:mathrm|text|operatorname|mathbf|textrm)\{([^{}]*)\}", r"\1", text)
        plain = re.sub(r"\\([A-Za-z]+)", lambda m: GREEK.get(m.group(1), m.group(1)), plain)
        if re.fullmatch(r"[(\[]?\w+[)\]]?", plain):
            return plain
        return word(plain) if plain else ""

    def number(self, text: str) -> Shown:
        """Write a number or a letter."""
        return Shown(text)

    def letter(self, text: str) -> str:
        """Write an index letter or a size."""
        return self.name(text).text

    def power(self, base: Shown, exponent: str) -> Shown:
        """Write a power."""
        inner = base if base.level is Level.ATOM else self.group(base)
        high = _script(exponent.replace("−", "-"), _HIGH)
        return Shown(f"{inner.text}{high}" if high else f"{inner.text}^{_bracketed(exponent)}", Level.POWER)

    def root(self, radicand: Shown) -> Shown:
        """Write a square root."""
        inner = radicand if radicand.level is Level.ATOM else self.group(radicand)
        return Shown(f"√{inner.text}", Level.POWER)

    def quotient(self, above: Shown, below: Shown) -> Shown:
        """Write a fraction."""
        top = above if above.level >= Level.PRODUCT else self.group(above)
        bottom = below if below.level >= Level.POWER else self.group(below)
        tight = above.text.isdigit() and below.text.isalnum()
        return Shown(f"{top.text}/{bottom.text}" if tight else f"{top.text} / {bottom.text}", Level.QUOTIENT)

    def big(self, sign: str, letter: str, size: str, body: Shown) -> Shown:
        """Write a sum or a product over an index; its range is told by the shapes."""
        del size
        inner = self.group(body) if body.level is Level.SUM else body
        low = _script(letter, _LOW) or f"_{letter}"
        return Shown(f"{_BIG[sign]}{low} {inner.text}", Level.BIG)

    def delta(self, first: str, second: str) -> Shown:
        """Write Kronecker's delta."""
        sub = _listed((first, second))
        return Shown("δ" + (_script(sub, _LOW) or f"[{sub}]"))

    def derivative(self, of: Shown, by: tuple[Shown, ...], *, named: bool) -> Shown:
        """Write a derivative: of a name as one fraction, of anything else as an operator before it."""
        order = _script(str(len(by)), _HIGH) if len(by) > 1 else ""
        below = "".join(f"∂{each.text}" for each in by)
        if len(by) > 1 and len({each.text for each in by}) == 1:
            below = f"∂{by[0].text}{order}"
        elif len(by) > 1:
            below = f"({below})"
        if named:
            return Shown(f"∂{order}{of.text}/{below}", Level.QUOTIENT)
        inner = of if of.level >= Level.POWER else self.group(of)
        return Shown(f"∂{order}/{below} {inner.text}", Level.QUOTIENT)

    def function(self, name: str, argument: Shown) -> Shown:
        """Write a named function."""
        word = name.rstrip("'")
        return Shown(f"{word}{_primes(len(name) - len(word))}{self.group(argument).text}", Level.POWER)

    def group(self, inner: Shown) -> Shown:
        """Write brackets."""
        return Shown(f"({inner.text})")

    def bars(self, inner: Shown) -> Shown:
        """Write an absolute value."""
        return Shown(f"|{inner.text}|")

    def transposed(self, base: Shown) -> Shown:
        """Write a transpose."""
        inner = base if base.level is Level.ATOM else self.group(base)
        return Shown(f"{inner.text}ᵀ", Level.POWER)

    def inverted(self, base: Shown, *, turned: bool = False) -> Shown:
        """Write the inverse of a matrix, or of its transpose."""
        inner = base if base.level is Level.ATOM else self.group(base)
        return Shown(f"{inner.text}⁻{'ᵀ' if turned else '¹'}", Level.POWER)

    def entry(self, base: Shown, indices: tuple[str, ...]) -> Shown:
        """Write an entry of a matrix that has no name."""
        listed = _listed(indices)
        return Shown(f"{self.group(base).text}{_script(listed, _LOW) or f'[{listed}]'}", Level.POWER)

    def symbol(self, key: str) -> str:
        """Write one of the signs of `SIGNS`."""
        return SIGNS[key][1]

    def cases(self, rows: tuple[tuple[str, str], ...]) -> Shown:
        """Write a distinction of cases."""
        texts = (f"{value} if {when}" if when else f"{value} otherwise" for value, when in rows)
        return Shown("; ".join(texts), Level.SUM)


def _primes(count: int) -> str:
    return "″" if count == 2 else "′" * count


def _listed(indices: tuple[str, ...]) -> str:
    """Return indices side by side where each is one character, else with commas."""
    if all(len(index) == 1 for index in indices):
        return "".join(indices)
    return ",".join(indices)


def _script(text: str, table: dict[str, str]) -> str:
    """Return a text in raised or lowered characters, or nothing where one is missing."""
    return "".join(table[c] for c in text) if text and all(c in table for c in text) else ""


def _bracketed(text: str) -> str:
    return f"({text})" if " " in text or text.startswith("−") or "/" in text else text


LATEX: Style = Latex()
UNICODE: Style = Unicode()

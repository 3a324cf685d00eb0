"""The vocabulary of the grammar: which commands are letters, functions, operators or words of prose.

One table for each kind; a command that stands in none of them is unknown.
"""

from __future__ import annotations

import re

from symderiv.latex.layout import CLOSERS, RELATIONS, words


def _commands(names: str) -> frozenset[str]:
    """Return commands, from their names without backslash."""
    return frozenset("\\" + name for name in names.split())


GREEK = _commands(
        "alpha beta gamma delta epsilon varepsilon zeta eta theta vartheta iota kappa varkappa lambda mu nu "
        "xi "
        "omicron pi varpi rho varrho sigma varsigma tau upsilon phi varphi chi psi omega Gamma Delta Theta "
        "Lambda "
        "Xi Pi Sigma Upsilon Phi Psi Omega ell hbar imath jmath infty emptyset varnothing aleph wp Re Im top "
        "intercal dagger ddagger star bullet perp bot natural sharp flat square blacksquare triangle digamma "
        "partial nabla cdot ast circ complement eth mho varGamma varDelta varTheta varLambda varXi varPi "
        "varSigma "
        "varPhi varPsi varOmega"
    ) - {"\\cdot", "\\ast", "\\circ", "\\partial", "\\nabla"}  # fmt: skip
"""Commands that are letters, or stand for one."""
PLACEHOLDERS = frozenset({"\\cdot", "*", "\\ast", "\\circ", "+", "-", "\\times", ":"})
"""What may stand alone in a script."""

FUNCTIONS = _commands(
    "exp log ln lg sin cos tan cot sec csc sinh cosh tanh coth arcsin arccos arctan det arg max min sup "
    "inf dim ker deg gcd Pr hom tr Tr"
)
WORDS = words(
    "softmax logsoftmax exp log ln diag Diag tr Tr trace det vec ReLU relu max min sigmoid sign sgn erf "
    "tanh sinh cosh sin cos tan softplus rank argmax argmin Softmax LayerNorm GELU gelu Sigmoid Tanh "
    "logsumexp LSE concat arctan arcsin arccos arsinh arcosh artanh arcsinh arccosh arctanh "
    "cot sec csc coth sech csch erfc"
)
"""Words that are functions even without a command of their own."""
CUES = words(
    "if and where when for otherwise else elsewhere with hence thus then therefore so since because by "
    "or iff is are let as but while unless such that on in of from using given note all to we have "
    "which here also only whenever s.t. st subject i.e. e.g. w.r.t. wrt not either both any every some "
    "it this implies gives yields assuming recall similarly finally again now"
)
"""Words of prose; every other single word in `\\text` is a name."""
PHRASE = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9 '.,:/()-]*[A-Za-z0-9')])?\Z")
WORD = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9]|[-_](?=[A-Za-z0-9]))*\Z")

FONTS = {
    "\\mathbf": "bold", "\\boldsymbol": "bold", "\\bm": "bold", "\\pmb": "bold", "\\symbf": "bold",
    "\\bold": "bold",
    "\\mathbfit": "bold", "\\mathrm": "roman", "\\mathup": "roman", "\\symrm": "roman", "\\mathit": "",
    "\\mathnormal": "", "\\mathcal": "calligraphic", "\\mathscr": "calligraphic", "\\cal": "calligraphic",
    "\\mathbb": "blackboard", "\\mathbbm": "blackboard", "\\mathds": "blackboard", "\\Bbb": "blackboard",
    "\\mathfrak": "fraktur", "\\frak": "fraktur", "\\mathsf": "sans", "\\mathtt": "typewriter",
    "\\rm": "roman",
    "\\bf": "bold", "\\it": "", "\\sf": "sans", "\\tt": "typewriter", "\\bfseries": "bold", "\\itshape": "",
    "\\mit": "",
}  # fmt: skip
TRACES = frozenset({"\\tr", "\\Tr"})
SWITCHES = frozenset({"\\rm", "\\bf", "\\it", "\\sf", "\\tt", "\\cal", "\\bfseries", "\\itshape", "\\mit"})
TEXT_FONTS = {"\\textbf": "bold", "\\textsf": "sans", "\\texttt": "typewriter", "\\textit": "", "\\emph": ""}
WORD_FONTS = frozenset({"roman", "sans", "typewriter"})
LETTERS = {"\\R": "R", "\\N": "N", "\\Z": "Z", "\\C": "C", "\\Q": "Q", "\\E": "E", "\\Reals": "R"}
"""Commands that are blackboard letters in most dialects."""

ACCENTS = _commands(
    "hat widehat bar overline tilde widetilde vec overrightarrow overleftarrow dot ddot dddot underline "
    "check "
    "widecheck breve acute grave mathring"
)
DOTS = frozenset({"\\dots", "\\ldots", "\\cdots", "\\vdots", "\\ddots", "\\iddots"})
BIGS = {
    "\\sum": "sum", "\\prod": "prod", "\\int": "int", "\\lim": "lim", "\\argmax": "argmax",
    "\\argmin": "argmin",
    "\\max": "max", "\\min": "min",
}  # fmt: skip
OPERATORS = {
    "*": "*", "\\ast": "*", "\\cdot": "cdot", "\\times": "times", "\\odot": "odot", "\\circ": "circ",
    "\\otimes": "otimes", ".": ".", "/": "/", "\\div": "div", "\\bullet": "cdot", "\\cdotp": "cdot",
    "\\star": "*", "\\bigodot": "odot", "\\bigotimes": "otimes",
}  # fmt: skip
"""Operators between factors; `\\bullet` and `\\star` are so only between two factors."""
CONNECTIVES = {
    ",": ",", ";": ";", ".": ".", "\\Rightarrow": "implies", "\\implies": "implies",
    "\\Longrightarrow": "implies",
    "\\Leftrightarrow": "implies", "\\iff": "implies", "\\Longleftrightarrow": "implies",
    "\\therefore": "therefore",
    "\\because": ",",
}  # fmt: skip
ARROWS = frozenset({"\\rightarrow", "\\longrightarrow"})
STRENGTH = {
    name: rank for rank, name in enumerate((",", ";", "quad", "row", "arrow", "therefore", "implies"))
}
SAYINGS = {"\\forall": "for all", "\\exists": "there is"}
MATES = {
    "(": (frozenset({")", "]"}), "a closing parenthesis"),
    "[": (frozenset({"]", ")"}), "a closing bracket"),
    "\\{": (frozenset({"\\}"}), "a closing brace"),
    "\\langle": (frozenset({"\\rangle"}), "a closing angle bracket"),
    "\\lfloor": (frozenset({"\\rfloor"}), "the end of the floor"),
    "\\lceil": (frozenset({"\\rceil"}), "the end of the ceiling"),
}
PLAIN = {"\\{": "{", "\\}": "}"}
CONDITION_WORDS = frozenset(
    {"", "if", "for", "when", "where", "and", "with", "whenever", "for all", "if and only if"}
)
OTHERWISE = frozenset(
    {
        "otherwise",
        "else",
        "elsewhere",
        "other",
        "others",
        "in all other cases",
        "all other cases",
        "in other cases",
    }
)
LABELS = words(
    "old new prev next cur curr true pred obs target train test init opt ref best out hid enc dec prior avg "
    "tot MLE MAP OLS"
)
"""Words that tell one quantity from another in a script, `w^{old}`: no product of letters, and no power."""
NO_OPERANDS = (
    frozenset(OPERATORS) | frozenset(RELATIONS) | frozenset(CONNECTIVES) | CLOSERS | frozenset(SAYINGS)
    | {"\\not", "\\\\", "\\mid", "\\pm", "\\mp", "\\wedge", "\\vee", "\\%", "\\#"}
) - {"\\star", "\\bullet"}  # fmt: skip
UNREAD = _commands(
    "pm mp binom tbinom dbinom choose cancel bcancel xcancel bmod mod pmod over atop bigcup bigcap"
)
"""Commands with a meaning that has no place in the tree."""
UNDIFFERENTIATED = DOTS | BIGS.keys() | {"\\partial", "\\frac", "\\nabla"}
"""What no `d` before it makes a differential of."""

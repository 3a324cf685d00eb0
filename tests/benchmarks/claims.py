"""The claims that the benchmark asks of every tool, as pages: each once right and once wrong.

A claim is `left = right` about what its page defines, for every size. The wrong twin has the same left side
and a slip that people make: a sign, a missing term, a transpose left out, one name for another.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Claim:
    """One derivative, what it is, and what it is not."""

    name: str
    given: str
    left: str
    right: str
    wrong: str

    def page(self, *, right: bool) -> str:
        """Return the page whose last display is the claim, or its wrong twin."""
        return f"# {self.name}\n\n{self.given}\n$$\n{self.left} = {self.right if right else self.wrong}\n$$\n"


SOFTMAX = r"$$ y_j = \frac{e^{x_j}}{\sum_{k=1}^N e^{x_k}} $$" + "\n"

LINEAR = r"""Let $W \in \mathbb{R}^{T \times N}$, $x \in \mathbb{R}^N$, $b \in \mathbb{R}^T$
and $g \in \mathbb{R}^T$.

$$ y = W x + b $$

$$ L = g^\top y $$
"""

ATTENTION = r"""Let $Q \in \mathbb{R}^{M \times D}$, $K \in \mathbb{R}^{N \times D}$,
$V \in \mathbb{R}^{N \times E}$, $G \in \mathbb{R}^{M \times E}$ and $c \in \mathbb{R}$.

$$ S = c \, Q K^\top $$

$$ P_{ij} = \frac{e^{S_{ij}}}{\sum_{k=1}^N e^{S_{ik}}} $$

$$ O = P V $$

$$ L = \sum_{i=1}^M \sum_{e=1}^E G_{ie} O_{ie} $$

$$ F = G V^\top $$

$$ H_{ij} = P_{ij} \left( F_{ij} - \sum_{k=1}^N F_{ik} P_{ik} \right) $$

$$ J_{ij} = P_{ij} F_{ij} $$
"""

LAYER_NORM = r"""Let $x \in \mathbb{R}^N$, $g \in \mathbb{R}^N$ and $\epsilon > 0$.

$$ \mu = \frac{1}{N} \sum_{i=1}^N x_i $$

$$ \sigma = \sqrt{\frac{1}{N} \sum_{i=1}^N (x_i - \mu)^2 + \epsilon} $$

$$ h_i = \frac{x_i - \mu}{\sigma} $$

$$ L = \sum_{i=1}^N g_i h_i $$
"""

BATCH_NORM = r"""Let $x \in \mathbb{R}^{B \times N}$, $g \in \mathbb{R}^{B \times N}$ and $\epsilon > 0$.

$$ \mu_i = \frac{1}{B} \sum_{b=1}^B x_{bi} $$

$$ \sigma_i = \sqrt{\frac{1}{B} \sum_{b=1}^B (x_{bi} - \mu_i)^2 + \epsilon} $$

$$ h_{bi} = \frac{x_{bi} - \mu_i}{\sigma_i} $$

$$ L = \sum_{b=1}^B \sum_{i=1}^N g_{bi} h_{bi} $$
"""

CLAIMS: tuple[Claim, ...] = (
    Claim(
        "softmax Jacobian",
        "Let $x \\in \\mathbb{R}^N$.\n\n" + SOFTMAX,
        r"\frac{\partial y}{\partial x}",
        r"\mathrm{diag}(y) - y y^\top",
        r"\mathrm{diag}(y) + y y^\top",
    ),
    Claim("linear, dx", LINEAR, r"\frac{\partial L}{\partial x}", r"W^\top g", r"W^\top y"),
    Claim("linear, dW", LINEAR, r"\frac{\partial L}{\partial W}", r"g x^\top", r"y x^\top"),
    Claim("linear, db", LINEAR, r"\frac{\partial L}{\partial b}", "g", "y"),
    Claim(
        "cross-entropy, Σ y = 1",
        r"""Let $x \in \mathbb{R}^N$ and $y \in \mathbb{R}^N$. Assume $\sum_{k=1}^N y_k = 1$.

$$ p_j = \frac{e^{x_j}}{\sum_{k=1}^N e^{x_k}} $$

$$ L = - \sum_{i=1}^N y_i \log p_i $$
""",
        r"\frac{\partial L}{\partial x}",
        "p - y",
        "y - p",
    ),
    Claim(
        "layer norm, dx",
        LAYER_NORM,
        r"\frac{\partial L}{\partial x_i}",
        r"\frac{1}{\sigma} \left( g_i - \frac{1}{N} \sum_{j=1}^N g_j"
        r" - h_i \frac{1}{N} \sum_{j=1}^N g_j h_j \right)",
        r"\frac{1}{\sigma} \left( g_i - h_i \frac{1}{N} \sum_{j=1}^N g_j h_j \right)",
    ),
    Claim("attention, dQ", ATTENTION, r"\frac{\partial L}{\partial Q}", r"c \, H K", r"c \, J K"),
    Claim("attention, dK", ATTENTION, r"\frac{\partial L}{\partial K}", r"c \, H^\top Q", r"c \, J^\top Q"),
    Claim("attention, dV", ATTENTION, r"\frac{\partial L}{\partial V}", r"P^\top G", r"P^\top O"),
    Claim(
        "least squares, dw",
        r"""Let $X \in \mathbb{R}^{M \times N}$, $w \in \mathbb{R}^N$ and $y \in \mathbb{R}^M$.

$$ L = \|X w - y\|^2 $$
""",
        r"\frac{\partial L}{\partial w}",
        r"2 X^\top (X w - y)",
        r"2 X^\top (X w + y)",
    ),
    Claim(
        "tr(A X B), dX",
        r"""Let $A, X, B \in \mathbb{R}^{N \times N}$.

$$ L = \mathrm{tr}(A X B) $$
""",
        r"\frac{\partial L}{\partial X}",
        r"(B A)^\top",
        "B A",
    ),
    Claim(
        "log det X, dX",
        r"""Let $X \in \mathbb{R}^{N \times N}$.

$$ L = \log \det X $$
""",
        r"\frac{\partial L}{\partial X}",
        r"X^{-\top}",
        "X^{-1}",
    ),
    Claim(
        "batch norm, dx",
        BATCH_NORM,
        r"\frac{\partial L}{\partial x_{bi}}",
        r"\frac{1}{\sigma_i} \left( g_{bi} - \frac{1}{B} \sum_{a=1}^B g_{ai}"
        r" - h_{bi} \frac{1}{B} \sum_{a=1}^B g_{ai} h_{ai} \right)",
        r"\frac{1}{\sigma_i} \left( g_{bi} - h_{bi} \frac{1}{B} \sum_{a=1}^B g_{ai} h_{ai} \right)",
    ),
    Claim(
        "log-sum-exp, Hessian",
        "Let $x \\in \\mathbb{R}^N$.\n\n$$ L = \\log \\sum_{k=1}^N e^{x_k} $$\n\n" + SOFTMAX,
        r"\frac{\partial^2 L}{\partial x_i \partial x_j}",
        r"\delta_{ij} y_i - y_i y_j",
        r"\delta_{ij} y_i + y_i y_j",
    ),
)


@dataclass(frozen=True, slots=True)
class Identity:
    """An equation without derivatives, or with one by a scalar."""

    name: str
    page: str


_INVERSE = r"""Let $X \in \mathbb{R}^{N \times N}$.

$$ X X^{-1} = I $$"""
_Z = "Let $z \\in \\mathbb{R}$.\n\n"
_X = "Let $x \\in \\mathbb{R}^N$ and $c \\in \\mathbb{R}$.\n\n"
_SIGMOID = "$$ \\sigma(z) = \\frac{1}{1 + e^{-z}} $$\n\n"
_SHIFTED = r"$$ \frac{e^{x_j + c}}{\sum_{k=1}^N e^{x_k + c}} = \frac{e^{x_j}}{\sum_{k=1}^N e^{x_k}} $$"
_DIFFERENCES = r"$$ \frac{e^{x_j}}{\sum_{k=1}^N e^{x_k}} = \frac{1}{\sum_{k=1}^N e^{x_k - x_j}} $$"
_LOG_SOFTMAX = r"$$ x_j - \log \sum_{k=1}^N e^{x_k} = \log \frac{e^{x_j}}{\sum_{k=1}^N e^{x_k}} $$"
_STABLE = r"""Let $y \in \mathbb{R}$.

$$ - y \log \sigma(z) - (1 - y) \log (1 - \sigma(z)) = \max(z, 0) - z y + \log (1 + e^{-|z|}) $$"""
_PRODUCT = r"""Let $a > 0$ and $b > 0$.

$$ \log(a b) = \log a + \log b $$"""

IDENTITIES: tuple[Identity, ...] = (
    Identity("softmax(x + c) = softmax(x)", _X + _SHIFTED),
    Identity("softmax(x)_j = 1/Σ_k exp(x_k - x_j)", _X + _DIFFERENCES),
    Identity("x_j - log Σ exp = log softmax", _X + _LOG_SOFTMAX),
    Identity("binary cross-entropy, stable form", _Z + _SIGMOID + _STABLE),
    Identity("exp(2z) = exp(z)^2", _Z + r"$$ e^{2z} = (e^z)^2 $$"),
    Identity("exp(z) exp(-z) = 1", _Z + r"$$ e^z e^{-z} = 1 $$"),
    Identity("log(ab) = log a + log b, a, b > 0", _PRODUCT),
    Identity("σ(z) = 1 - σ(-z)", _Z + _SIGMOID + r"$$ \sigma(z) = 1 - \sigma(-z) $$"),
    Identity("tanh z = (e^z - e^-z)/(e^z + e^-z)", _Z + r"$$ \tanh z = \frac{e^z - e^{-z}}{e^z + e^{-z}} $$"),
    Identity("tanh z = 2 σ(2z) - 1", _Z + _SIGMOID + r"$$ \tanh z = 2 \sigma(2z) - 1 $$"),
    Identity("σ' = σ(1 - σ)", _Z + _SIGMOID + r"$$ \sigma'(z) = \sigma(z) (1 - \sigma(z)) $$"),
    Identity("X X^-1 = I", _INVERSE),
)
"""True for every size and value."""

VANISHING = Identity(
    "x = x + (n-2)(n-3)(n-4)(n-5) x",
    "Let $x \\in \\mathbb{R}^n$.\n\n$$ x = x + (n-2)(n-3)(n-4)(n-5) x $$",
)
"""False, though it holds at every size from 2 to 5."""

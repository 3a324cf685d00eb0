"""Properties that prose gives to a name, as relations: symmetric, positive definite, orthogonal, one-hot."""

from __future__ import annotations

import re

from symderiv.latex import tree
from symderiv.meaning import cues

_PROPERTY = (
    r"(?:skew|anti)[- ]?symmetric|symmetric|orthogonal|one[- ]hot|positive[- ]definite|diagonal|invertible"
    r"|non-?singular"
)
_SEVERAL = rf"(?:{_PROPERTY})(?:(?:\s*,\s*|\s+)(?:and\s+)?(?:also\s+)?(?:{_PROPERTY}))*"
_KIND = r"square|label|target|real|encoded|matrix|matrices|vector|label|labels|target|targets"
_AFTER = re.compile(
    rf"^\s*(?:(?:is|are|be|was|being)\s+)?(?:also\s+|now\s+)?(?:an?\s+)?(?:(?:square|real),?\s+)*"
    rf"(?P<words>{_SEVERAL})\b(?!\s+(?:entry|entries|element|elements|part|term|terms|block|blocks))"
    r"|^\s*(?P<sum>sums? to (?:one|1)\b)",
    re.IGNORECASE,
)
_BEFORE = re.compile(rf"(?<!block )(?<![\w-])(?P<words>{_SEVERAL})(?:\s+(?:{_KIND}))*\s*$", re.IGNORECASE)

_UNKNOWN = re.compile(
    r"\b(even|odd|unit|unit[- ]norm|(ortho)?normali[sz]ed|orthonormal|unitary|hermitian|commut(e|es|ing)"
    r"|((lower|upper)[- ]?)?triangular|idempotent|nilpotent|involut\w+|projections?|projectors?|permutations?"
    r"|rotations?|reflections?|(doubly[- ])?stochastic|singular|(full|low|deficient)[- ]rank|rank"
    r"|(zero|unit)[- ](mean|variance|sum|norm)|mean[- ](zero|free)|(mean|variance|norm|length) (zero|0|one|1)"
    r"|bas[ie]s(?! functions?)"
    r"|cent(red|ered)|standardi[sz]ed|whitened|traceless|homogeneous|convex|concave|monoton\w+|increasing"
    r"|decreasing|periodic|linear (map|function|form)|affine (map|function)|quadratic|binary|boolean"
    r"|integers?|integer-valued|natural number|prime|distinct|different|sorted|orthogonal to|perpendicular"
    r"|parallel|collinear|(non-?)?(positive|negative)|strictly|semi-?definite|probabilit(y|ies)|simplex"
    r"|eigen\w+|stationary|harmonic|minimi[sz]\w+|maximi[sz]\w+|optim\w+|critical|solution|root|bounded|small"
    r"|unimodular|uni-?triangular|(block[- ]|tri-?|bi-?)diagonal|banded|circulant|toeplitz|hankel"
    r"|self[- ](adjoint|inverse|dual)|isotropic|isometr\w+|conformal|rational|divisible"
    r"|be a (multiple|power) of"
    r"|(sub|super)-?additive|multiplicative|(bi|multi)linear|(in|sur|bi)jective|lipschitz|polynomials?"
    r"|(scale|shift|translation|rotation|permutation)?[- ]?(in|equi)variant( (under|to))?|contractions?"
    r"|linearly (in)?dependent|uncorrelated|disjoint|partition of"
    r"|be (larger|smaller|greater|less) than|be at (most|least)|entries (in|from|between)|mutually|pairwise"
    r"|(zero|unit|one|vanishing|positive|negative|nonzero|non-zero|constant)[- ](trace|determinant)"
    r"|(trace|determinant)([- ]free|( is)?( equal to)? (zero|one|unity|0|1))|constant (function|map)"
    r"|(linear|affine|additive|sparse|dense|normal|regular|degenerate)(?=\s*([.,;:]|$)|\s+(and|or|but)\b)"
    r"|(linear|affine|additive|sparse) (functional|operator|transformation|matrix|matrices)"
    r"|normal (matrix|matrices)|rank[- ](one|two|1|2)|(orthogonal|symmetric|diagonal) (columns|rows|blocks)"
    r"|be (a )?constant(?=\s*([.,;:]|$)|\s+(and|or|but)\b)|(be|is|are) independent of"
    r"|satisf(y|ies|ying)|solves?|sums? (up )?to|adds? up|equals?|zeros?|ones|number of"
    r"|(the|its|their) ((arithmetic|empirical|sample|total|weighted|partial) )?(sum|mean|average|product"
    r"|maximum|minimum|largest|smallest|norm|length|variance|determinant|trace|(pseudo-?)?inverse"
    r"|transpose|square|difference|ratio|angle|distance|residual|error|gradient|derivative|jacobian|hessian)"
    r" (of|between|in|with))\b",
    re.IGNORECASE,
)
"""Words that say of a name what no rule here knows, so that numbers for other values of it tell nothing."""
_OF_A_CLASS = re.compile(
    r"\s*(is|are|be|being|denotes?)\s+(an?|the)\s+one[- ]hot\s+(\w+\s+){0,2}(of|for)\b", re.IGNORECASE
)
_STATED = re.compile(rf"(?<!block[- ])(?<![\w-])(?:{_PROPERTY})(?!\s+(?:columns|rows|blocks))", re.IGNORECASE)
_ABOUT = re.compile(
    r"^\s*(?:(?:which|that|all|both|each)\s+)*(?:is|are|be|being|was|has|have|having|with(?!\s+the\b)|of|denotes?"
    r"|commutes?|satisf\w+|sums?|adds?|solves?|equals?|an?)\b[^.;:,$]{0,80}",
    re.IGNORECASE,
)
_KINDS = (
    r"(?:\s+(?:square|real|matri(?:x|ces)|vectors?|numbers?|functions?|maps?|weights|variables?|scalars?|labels?"
    r"|masks?|targets?|integers?|points?|distributions?|columns?|rows?|direction|kernel))*"
)
_NAMED = re.compile(rf"(?P<words>{_UNKNOWN.pattern}{_KINDS})\s*$", re.IGNORECASE)
_NO_ADJECTIVE = re.compile(
    r"^(solves?|satisf\w+|equals?|sums?|adds?|minimi[sz]\w+|maximi[sz]\w+|rank(?![- ](one|two|1|2)\b)"
    r"|(the|its|their)\b.* (of|in|with))\b",
    re.IGNORECASE,
)
"""What stands before a name and speaks of something else: *solves $d$ equations*, *the inverse of $X$*."""
_OBJECT = re.compile(r"\b(by|to|from|than|in|at|for|through|under|into|over)\s*$", re.IGNORECASE)
"""What is told after such a name is told of something else: *the derivative by $X$ is zero*."""
_REMARK = re.compile(
    r"(?:(?:^|[.;:!?]\s+)where|\b(?:for|when|if|while|whenever))"
    r"(?:\s+(?:an?|any|all|every|the|large|small|very))*\s*$",
    re.IGNORECASE,
)
_SIGN = re.compile(
    rf"\s*(?:is|are)?\s*(?:all |both )?(?:strictly )?(?:non-?)?(?:positive|negative|zero|small){_KINDS}\s*",
    re.IGNORECASE,
)
"""A remark on a sign, *for a large positive $z$*, *where $z$ is positive*, is of its paragraph alone."""


_STANDARD = r"(?:standard|canonical|euclidean|natural|coordinate|elementary)"
_UNITS = (
    rf"(?:{_STANDARD} (?:unit |basis )+vectors?|{_STANDARD} basis(?: (?:of|for|in)\b|$)"
    r"|th (?:unit|basis|one hot) vectors?|columns? of the (?:\w+ )?identity)"
)
_BASIS_AFTER = re.compile(
    r"(?:(?:is|are|be|being|denotes?|denoting|for|as|means|which is) )?(?:(?:the|an?) )?"
    rf"(?:[a-z]{{1,3}} )?(?:th )?(?:(?<=th )(?:unit|basis|one hot) vectors?|{_UNITS})",
    re.IGNORECASE,
)
_BASIS_BEFORE = re.compile(rf"\b{_UNITS}$", re.IGNORECASE)


_ANY_FUNCTION = re.compile(
    r"\s*(?:is|are|denotes?|denoting|for|be|being|,)?\s*(?:(?:an?|the|some|any|our)\s+)?"
    r"(?:(?:element-?\s?wise|point-?wise|non-?linear|differentiable|smooth|arbitrary|general|fixed)[\s,]+)*"
    r"(?:activation|transfer)(?:\s+functions?)?\b"
    r"|\s*(?:is|be)\s+(?:some|any|an arbitrary)\s+[\w\s]{0,30}function\b",
    re.IGNORECASE,
)
_CERTAIN = re.compile(
    r"sigmoid|logistic|tanh|hyperbolic|relu|rectif|soft-?(?:max|plus|sign)|gaussian|gelu|swish|silu|heaviside"
    r"|sign function|identity function|linear activation|squash|deviation|variance|\\sigma\^2",
    re.IGNORECASE,
)


def is_any_function(after: str, page: str) -> bool:
    """Tell whether words say that a letter is an activation function, and none on the page says which."""
    return _ANY_FUNCTION.match(after) is not None and _CERTAIN.search(page) is None


def is_basis(before: str, after: str) -> bool:
    """Tell whether the sentence around `e_i` says that it is a vector of the standard basis."""
    before, after = (" ".join(re.findall(r"[A-Za-z]+", each)) for each in (before[-120:], after[:120]))
    return bool(_BASIS_AFTER.match(after) or _BASIS_BEFORE.search(before))


_BY = re.compile(
    r"(?:w\.?\s?r\.?\s?t\.?|with respect to)"
    r"(?:\s+(?:an?|any|all|each|every|the|entry|entries|elements?|components?|of|in))*\s*$",
    re.IGNORECASE,
)
"""What follows is said of a derivative, and not of the name it is taken by."""


_ENTRY = r"(?:elements?|entr(?:y|ies)|components?|coordinates?|values?)"
_ONE_HOT = re.compile(
    r"(?:\b(?:an?|the)\s+)?(?:\b(?:vectors?|labels?|targets?)\s+)?"
    r"(?:\b(?:with|of|has|having|that\s+has|which\s+has|in\s+which|where)\s+)?(?:"
    rf"\b(?:only|exactly|just)\s+one\s+non-?zero\s+{_ENTRY}\s*,?\s*(?:(?:which|that|and\s+(?:it|this|that))\s+)?"
    r"(?:is|equals|being|equal\s+to)\s+(?:equal\s+to\s+)?(?:1|one)\b"
    rf"|\b(?:only|exactly|just)\s+one\s+{_ENTRY}\s+(?:that\s+)?(?:is|equals|being|equal\s+to)\s+(?:equal\s+to\s+)?"
    r"(?:1|one)\b[^.;:$]{0,50}\b(?:0|zeros?)\b"
    r"|\b(?:all\s+zeros?|zeros|0s)(?:\s+everywhere)?\s+(?:(?:except|but)(?:\s+for)?|apart\s+from|with)"
    rf"\s+(?:an?\s+|an?\s+single\s+|one\s+single\s+|(?=1))(?:1|one)\b(?!\s+{_ENTRY}))",
    re.IGNORECASE,
)
"""*A vector with only one non-zero entry, which is 1*; *all zeros except for a single one*."""


def in_short(prose: str) -> str:
    """Return prose in which a vector that is described as one-hot is called so."""
    return _ONE_HOT.sub("a one-hot vector", prose)


def describes(before: str, after: str, *, equated: bool) -> tuple[str, bool] | None:
    """Return what prose around a name says more of it than the rules for properties know, and if in passing.

    Where it is *equated*, a formula within the text follows: `$y$ is $\\pm 1$`. In passing it is told of the
    name in a remark.
    """
    if _BY.search(before):
        return None
    before, after = in_short(before), in_short(after)
    if equated and re.fullmatch(
        r"\s*(is|are|be|equals?)(\s+(equal\s+to|either|all|both))*\s*", after, re.IGNORECASE
    ):
        return after, False
    if _OF_A_CLASS.match(after):
        return after, False
    about = _ABOUT.match(after) if not _OBJECT.search(before) else None
    said = _STATED.sub("", about.group()) if about is not None else ""
    if _UNKNOWN.search(said):
        return said, _in_passing(before, said)
    clause = re.split(r"(?<=[.;:!?])\s", before)[-1]
    named = _NAMED.search(clause)
    if named is None or _NO_ADJECTIVE.match(named["words"]):
        return None
    return named["words"], _in_passing(clause[: named.start()], named["words"])


_NUMBER = re.compile(r"\b(constant|scalar)(?!\s+(vector|matrix|tensor))\s*\Z", re.IGNORECASE)


def is_number(before: str) -> bool:
    """Tell whether the words before a name say that it is one number: *a constant $c$*."""
    return _NUMBER.search(before) is not None


def is_of_two(words: str) -> bool:
    """Tell whether words say no more of a name than that its entries are two numbers: *a binary label*."""
    return all(found[0].lower() in ("binary", "boolean") for found in _UNKNOWN.finditer(words))


_MORE = re.compile(
    r"\b(large|small|very|enough|sufficiently|big|huge|high|low|above|below|beyond|near|close|than|least|most|far"
    r"|extreme\w*|between|moderate\w*)\b",
    re.IGNORECASE,
)


def tells_a_sign_alone(before: str, after: str) -> bool:
    """Tell whether a remark on the sign of a name says no more of it: *for a large positive $z$* does."""
    clause = re.split(r"[.;:!?](?:\s|$)", before)[-1], re.split(r"[.;:!?](?:\s|$)", after)[0]
    ends = re.match(r"\s*([,.:;]|$)", after) or _ABOUT.match(after)
    return ends is not None and not any(map(_MORE.search, clause))


def _in_passing(before: str, words: str) -> bool:
    """Tell whether words on the sign of a name are a remark of their paragraph."""
    return _REMARK.search(before) is not None and _SIGN.fullmatch(words) is not None


def told(name: tree.Node, before: str, after: str) -> list[tuple[tree.Relation, str]]:
    """Return the relations that prose around a name states of it, with the names of the properties."""
    before, after = in_short(before), in_short(after)
    found = _AFTER.search(after) or _BEFORE.search(before)
    if found is None or cues.denies(re.split(r"[.;:!?]\s", before)[-1]):
        return []
    if found["words"] is None:
        if isinstance(name, tree.Script) and name.sub is not None:
            return []
        return [(tree.Relation((_total(name), _number("1", name)), ("=",), span=name.span), "sum")]
    words = re.findall(_PROPERTY, found["words"], re.IGNORECASE)
    stated = [(_written(word.lower()), _relation(name, word.lower())) for word in words]
    return [(relation, word) for word, relation in stated if relation is not None]


def _written(word: str) -> str:
    """Return a property as the report names it, whether the page has its hyphen or not."""
    return word.replace("-", " ") if word.startswith("positive") else word.replace(" ", "-")


def _relation(name: tree.Node, word: str) -> tree.Relation | None:
    span = name.span
    transposed = tree.Script(name, sup=tree.Name("\\top", span=span), span=span)
    identity = tree.Name("I", span=span)
    if word.startswith(("skew", "anti")):
        return tree.Relation((transposed, tree.Additive((("-", name),), span=span)), ("=",), span=span)
    if word == "symmetric":
        return tree.Relation((transposed, name), ("=",), span=span)
    if word == "orthogonal":
        product = tree.Product((transposed, name), ("",), span=span)
        return tree.Relation((product, identity), ("=",), span=span)
    if word == "diagonal":
        product = tree.Product((name, identity), ("odot",), span=span)
        return tree.Relation((name, product), ("=",), span=span)
    if word.startswith("one"):
        if isinstance(name, tree.Script) and name.sub is not None:
            return None
        return tree.Relation((name, _total(name)), ("one-hot",), span=span)
    operator = "succ" if word.startswith("positive") else "invertible"
    return tree.Relation((name, _number("0", name)), (operator,), span=span)


def _number(text: str, like: tree.Node) -> tree.Number:
    return tree.Number(text, span=like.span)


def _total(name: tree.Node) -> tree.Node:
    """Return the sum of all entries of a vector."""
    span = name.span
    ones = tree.Script(tree.Name("1", "bold", span=span), sup=tree.Name("\\top", span=span), span=span)
    return tree.Product((ones, name), ("",), span=span)

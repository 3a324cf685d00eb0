"""Heads of definitions: the left side of an equation as a name with index letters and parameters.

Vocabulary as in `raw`: a head is *fresh* where the page has not yet given its name a meaning.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from symderiv.latex import to_latex, tree
from symderiv.meaning import names
from symderiv.meaning.parameters import gathered, squared
from symderiv.meaning.patterns import composite_head
from symderiv.meaning.raw import Head, Survey
from symderiv.meaning.scope import Name, Scope
from symderiv.meaning.vocabulary import ELEMENTARY, FUNCTIONS


def head_of(survey: Survey, node: tree.Node, scope: Scope) -> Head | None:
    """Read a node as a head: a name, an entry, a function of names, `\\sigma^2`, `D_{ij} y_t`."""
    if isinstance(node, tree.Accent) and isinstance(node.body, tree.Script):
        node = replace(node.body, base=tree.Accent(node.mark, node.body.base, span=node.span))
    if isinstance(node, tree.Name | tree.Accent):
        key = names.key(node, fonts=survey.fonts)
        return None if key is None else Head(key)
    if isinstance(node, tree.Script):
        return _scripted_head(survey, node, scope)
    if isinstance(node, tree.Call):
        function = node.function
        if isinstance(function, tree.Name) and function.text in FUNCTIONS:
            return None
        return _function_head(survey, node.function, node.arguments, None, scope)
    if isinstance(node, tree.Product) and len(node.factors) == 2 and node.operators == ("",):
        composite = composite_head(node.factors, survey.fonts)
        if composite is not None:
            key, subs = composite
            letters = tuple(s.text for s in subs if isinstance(s, tree.Name))
            return Head(key, letters) if len(letters) == len(subs) else None
        function, following = node.factors
        sub = following.sub if isinstance(following, tree.Script) and following.sup is None else None
        group = following.base if isinstance(following, tree.Script) and following.sup is None else following
        divided = (
            isinstance(group, tree.Group)
            and isinstance(group.body, tree.Sequence)
            and (group.body.mark != "," or group.left == "[")
        )
        if isinstance(group, tree.Group) and (group.left == "(" or divided):
            arguments = group.body.items if isinstance(group.body, tree.Sequence) else (group.body,)
            return _function_head(survey, function, arguments, sub, scope)
    return None


def _scripted_head(survey: Survey, node: tree.Script, scope: Scope) -> Head | None:
    if isinstance(node.base, tree.Call):
        function = node.base.function
        if node.sup is not None or (isinstance(function, tree.Name) and function.text in FUNCTIONS):
            return None
        return _function_head(survey, node.base.function, node.base.arguments, node.sub, scope)
    key = names.key(node.base, fonts=survey.fonts)
    if key is None or names.is_transpose(node.sup):
        return None
    power = 1
    subs = names.items(node.sub)
    label = names.label(node.sup)
    if label is not None:
        if isinstance(label, tree.Name) and scope.is_index(label.text):
            subs = (label, *subs)
        else:
            assert node.sup is not None
            key = f"{key}^{{{names.label_text(node.sup)}}}"
    elif isinstance(node.sup, tree.Number) and node.sup.text == "2":
        power = 2
    elif node.sup is not None:
        return None
    if node.primes:
        if scope.find(key) is not None:
            return None
        key += "'" * node.primes
    key, letters = _split(survey, key, subs, scope)
    if letters is None or len(set(letters)) != len(letters):
        return None
    return Head(key, letters, power=power)


def _split(
    survey: Survey, key: str, subs: tuple[tree.Node, ...], scope: Scope
) -> tuple[str, tuple[str, ...] | None]:
    """Tell index letters from parts of a name; None where an item is an index but no letter."""
    letters, rest = [], []
    record = scope.find(key)
    for item in subs:
        if isinstance(item, tree.Name) and scope.is_index(item.text):
            letters.append(item.text)
        elif (
            isinstance(item, tree.Number)
            and record is not None
            and (
                record.indexed or (key in survey.tensors and (record.declared or record.defined is not None))
            )
        ):
            return key, None
        elif isinstance(item, tree.Number | tree.Name | tree.Words | tree.Accent):
            rest.append(to_latex(item))
        else:
            return key, None
    return (f"{key}_{{{','.join(rest)}}}" if rest else key), tuple(letters)


def _is_known(survey: Survey, record: Name) -> bool:
    """Tell whether a name is a vector or a matrix that the page declares or defines."""
    return record.key in survey.tensors and (record.declared or record.defined is not None)


def _function_head(
    survey: Survey, function: tree.Node, arguments: tuple[tree.Node, ...], sub: tree.Node | None, scope: Scope
) -> Head | None:
    arguments = gathered(arguments)
    squares = frozenset(at for at, argument in enumerate(arguments) if squared(argument) is not None)
    arguments = tuple(squared(argument) or argument for argument in arguments)
    head = (
        head_of(survey, function, scope)
        if isinstance(function, tree.Name | tree.Accent | tree.Script)
        else None
    )
    if head is None or head.power != 1 or head.parameters is not None:
        return None
    entries = [argument for argument in arguments if _is_entry(argument)]
    if not all(
        isinstance(argument, tree.Name | tree.Accent) or argument in entries for argument in arguments
    ):
        return None
    if entries and len(arguments) < 2:
        return None
    if any(isinstance(argument, tree.Name) and scope.is_index(argument.text) for argument in arguments):
        return None
    record = scope.find(head.key)
    if record is not None and record.indexed and not record.applied:
        return None
    letters = head.letters
    if sub is not None:
        more = [
            item.text
            for item in names.items(sub)
            if isinstance(item, tree.Name) and scope.is_index(item.text)
        ]
        if len(more) != len(names.items(sub)):
            return None
        letters += tuple(more)
    return Head(head.key, letters, parameters=arguments, squares=squares)


def _is_entry(node: tree.Node) -> bool:
    """Tell whether a node is an entry with a number, `x_1`: as a parameter it has no meaning yet."""
    return (
        isinstance(node, tree.Script)
        and isinstance(node.base, tree.Name | tree.Accent)
        and isinstance(node.sub, tree.Number)
        and node.sup is None
        and not node.primes
    )


def is_fresh(
    survey: Survey,
    head: Head,
    scope: Scope,
    rest: list[tree.Node] | tuple[tree.Node | None, ...],
    *,
    anew: bool = False,
) -> bool:
    """Tell whether a head has no meaning yet, so that an equation defines it.

    What a section above defines may be given another meaning (`anew`) by *let* or `:=` only.
    """
    key = head.key
    record = scope.find(key)
    if record is None and _has_meaning(survey, head, scope) and not _is_matrix_too(head, scope, rest):
        return False
    own = scope.names.get(key)
    if own is not None and own.defined is not None:
        return False
    anew = (anew or scope.renews(key)) and scope.given(key) is own
    if record is not None and record is not own and record.defined is not None and not anew:
        return False
    if head.power != 1 and record is not None and _is_tied(record) and not _is_deviation(record):
        return False
    for node in rest:
        if node is None:
            continue
        if isinstance(node, tree.Question):
            return False
        mentioned = set(_mentioned(survey, node))
        if key in mentioned and head.parameters is None:
            return False
        if own is not None and any(
            own.identity in other.rests_on for other in map(scope.find, mentioned) if other is not None
        ):
            return False
    return True


def _is_matrix_too(head: Head, scope: Scope, rest: Sequence[tree.Node | None]) -> bool:
    """Tell whether a letter that is a size is also given a matrix, `H = f(X W)` with W in `R^{D x H}`.

    As a size it stands in exponents and bounds alone, and means no other thing there.
    """
    plain = len(head.key) == 1 and head.key.isupper() and not head.letters and head.parameters is None
    if not plain or scope.size(head.key) is None or not rest or rest[0] is None:
        return False
    inside = {each.text for each in names.walk(rest[0]) if isinstance(each, tree.Name)}
    matrices = {each for each in inside if len(each) == 1 and each.isupper() and scope.size(each) is None}
    return head.key not in inside and bool(matrices - {"T"})


def _is_deviation(record: Name) -> bool:
    """Tell whether a name in use is a standard deviation, of which the page then gives the variance."""
    letter = record.key.partition("_")[0] in ("\\sigma", "\\hat{\\sigma}", "\\tilde{\\sigma}")
    return letter and not record.declared and record.defined is None and not record.applied


def _is_tied(record: Name) -> bool:
    """Tell whether a name is in use, or declared and no positive number: its square then defines no root.

    What the page has only squared so far, as in *with variance $\\sigma^2$*, is not in use itself.
    """
    root = record.positive and not record.shape
    used = record.bare + sum(record.indexed.values()) > record.squared
    return used or (record.declared and not root)


def _mentioned(survey: Survey, node: tree.Node) -> Iterator[str]:
    """Yield the keys of the names in a node; one with words or capitals below it is a name of its own.

    `\\bar f` does not mention `f`, and neither does `W_f`, nor `L_1` where L is a number.
    """
    key = names.key(node, fonts=survey.fonts)
    if key is not None:
        yield key
        return
    subs = names.items(node.sub) if isinstance(node, tree.Script) else ()
    worded = all(isinstance(s, tree.Name | tree.Words) and not names.is_index_letter(s) for s in subs)
    base = names.key(node.base) if isinstance(node, tree.Script) else None
    numbered = all(isinstance(s, tree.Number) for s in subs) and base not in survey.tensors
    if isinstance(node, tree.Script) and subs and (worded or numbered) and names.key(node.base) is not None:
        yield names.written(replace(node, sup=None, primes=0), survey.fonts) or ""
        node = replace(node, base=tree.Empty(span=node.span))
    if isinstance(node, tree.Script) and all(isinstance(s, tree.Name) for s in subs):
        node = replace(node, sub=None)
    for child in names.children(node):
        yield from _mentioned(survey, child)


def _has_meaning(survey: Survey, head: Head, scope: Scope) -> bool:
    """Tell whether a head that the page does not mention has a meaning of its own: an index, I, tanh'."""
    key, word = head.key, head.key.rstrip("'")
    if scope.is_index(key) or scope.size(key) is not None or key in ("1", "I", "\\mathbb{1}"):
        return True
    if key == "\\pi" and not head.letters:
        return True
    if (key == "\\delta" and len(head.letters) == 2) or word in FUNCTIONS:
        return True
    return word in ELEMENTARY and (
        word != key or (head.parameters is not None and _was_applied(survey, word))
    )


def _was_applied(survey: Survey, word: str) -> bool:
    """Tell whether the page has used a function such as ReLU in the meaning that everybody gives it."""
    calls = (
        node
        for chain in survey.chains
        if chain.links
        for member in chain.members
        for node in names.walk(member)
        if isinstance(node, tree.Call)
    )
    return any(isinstance(node.function, tree.Name) and node.function.text == word for node in calls)


def specialises(survey: Survey, head: Head, body: tree.Node, scope: Scope) -> bool:
    """Tell whether an equation gives a value to a name that the definitions above it leave open.

    These then speak of that value: where the page defines `L` by labels y, and a section has
    `y_k = \\delta_{kc}`, the `L` of the section is that of these labels.
    """
    outer = scope.find(head.key)
    if outer is None or not outer.declared or outer.defined is not None or head.parameters is not None:
        return False
    visible = scope.visible()
    resting = [r for r in visible.values() if r.defined is not None and outer.identity in r.rests_on]
    inside = {names.key(n, fonts=survey.fonts) for n in names.walk(body)}
    used = {visible[key].identity for key in inside if key in visible}
    return bool(resting) and all(r.identity not in used for r in resting)

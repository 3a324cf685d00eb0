"""Evidence for names: how often each stands bare, with indices, applied, transposed or differentiated.

Vocabulary: to *introduce* a name is to write it where a page may do so without defining it.
"""

from __future__ import annotations

from dataclasses import replace

from symderiv.latex import to_latex, tree
from symderiv.meaning import dots, names
from symderiv.meaning.patterns import composite_head
from symderiv.meaning.places import chains
from symderiv.meaning.raw import Survey
from symderiv.meaning.scope import Name, Scope


def observe(survey: Survey, node: tree.Node, scope: Scope, *, introduces: bool) -> None:
    """Count how names are used below a node."""
    if isinstance(node, tree.Name | tree.Accent):
        if isinstance(node, tree.Accent) and isinstance(node.body, tree.Script):
            observe(
                survey,
                replace(node.body, base=tree.Accent(node.mark, node.body.base, span=node.span)),
                scope,
                introduces=introduces,
            )
            return
        _use(survey, node, (), scope, introduces=introduces)
    elif isinstance(node, tree.Script) and isinstance(node.base, tree.Name | tree.Accent):
        _observe_script(survey, node, scope, introduces=introduces)
    elif isinstance(node, tree.Script) and isinstance(node.base, tree.Group) and names.is_transpose(node.sup):
        observe(survey, node.base, scope, introduces=introduces)
    elif isinstance(node, tree.Derivative):
        _observe_derivative(survey, node, scope)
    elif isinstance(node, tree.Product):
        _observe_product(survey, node, scope, introduces=introduces)
    elif isinstance(node, tree.Call):
        function = node.function.base if isinstance(node.function, tree.Script) else node.function
        key = names.key(function, fonts=survey.fonts)
        if key is not None and scope.find(key) is not None:
            scope.find(key).applied += 1  # type: ignore[union-attr]
        for argument in node.arguments:
            observe(survey, argument, scope, introduces=introduces)
    elif isinstance(node, tree.Big | tree.Norm):
        observe(survey, node.body, scope, introduces=introduces)
    else:
        for child in (*dots.templates(node), *names.children(node)):
            observe(survey, child, scope, introduces=introduces)


def _use(
    survey: Survey, base: tree.Node, subs: tuple[tree.Node, ...], scope: Scope, *, introduces: bool
) -> Name | None:
    key = names.key(base, fonts=survey.fonts)
    if key is None:
        return None
    _alias(survey, key, subs, scope)
    if not subs:
        _whole(key, scope)
    key, letters = _split_use(key, subs, scope)
    if scope.find(key) is None and _is_special(key, base, subs, scope):
        return None
    record = survey.name(key, base, scope)
    record.introduced = record.introduced or introduces
    if letters:
        record.indexed[letters] += 1
    if not subs:
        record.bare += 1
    return record


def _alias(survey: Survey, key: str, subs: tuple[tree.Node, ...], scope: Scope) -> None:
    """`x_{ij}`, `a_{ij}` are entries of `X`, `\\mathbf A` where nothing else defines them."""
    if (
        not subs
        or not key.isalpha()
        or not key.islower()
        or scope.find(key) is not None
        or key in survey.heads
    ):
        return
    big = scope.find(key.upper())
    if big is None or big.key != key.upper():
        return
    if not (big.declared or big.defined is not None or _in_form(survey, big.key, key, scope)):
        return
    if not all(
        isinstance(item, tree.Number) or (isinstance(item, tree.Name) and scope.is_index(item.text))
        for item in subs
    ):
        return
    if len(subs) == (len(big.shape) if big.shape is not None else 2):
        scope.names[key] = big
        big.indexed[len(subs)] += 1


def _in_form(survey: Survey, big: str, small: str, scope: Scope) -> bool:
    """Tell whether `x^T A x` makes a name a matrix, the small letter of which has two indices throughout."""
    formed = False
    for place in survey.places:
        for member in (m for chain in chains(place.display) for m in chain.members if m is not None):
            if not place.scope.beside(scope):
                continue
            formed = formed or any(
                isinstance(each, tree.Product) and big in _formed(each, survey.fonts)
                for each in names.walk(member)
            )
            scripts = [each for each in names.walk(member) if isinstance(each, tree.Script)]
            paired = [
                each.base
                for each in scripts
                if names.key(each.base, fonts=survey.fonts) == small and len(names.items(each.sub)) == 2
            ]
            found = [each for each in names.walk(member) if names.key(each, fonts=survey.fonts) == small]
            if len(found) > len(paired):
                return False
    return formed


def _formed(node: tree.Product, fonts: frozenset[str]) -> set[str | None]:
    """Return the names of a product that stand between a transposed factor and another."""
    return {
        names.key(each, fonts=fonts)
        for before, each in zip(node.factors[:-2], node.factors[1:-1], strict=True)
        if isinstance(before, tree.Script) and names.is_transpose(before.sup)
    }


def _whole(key: str, scope: Scope) -> None:
    """`X` is the matrix of the entries `x_{ni}` where nothing else defines it."""
    if len(key) != 1 or not key.isupper() or scope.find(key) is not None or scope.size(key) is not None:
        return
    small = scope.find(key.lower())
    if small is not None and small.indexed[2] and not small.bare and not small.indexed[1]:
        scope.names[key] = small


def _split_use(key: str, subs: tuple[tree.Node, ...], scope: Scope) -> tuple[str, int]:
    rest, count = [], 0
    record = scope.find(key)
    for item in subs:
        inside = [n for n in names.walk(item) if isinstance(n, tree.Name)]
        ranked = record is not None and bool(record.indexed or record.shape)
        indices = bool(inside) and all(
            scope.is_index(n.text) or (ranked and scope.size(n.text) is not None) for n in inside
        )
        if indices or (isinstance(item, tree.Number) and ranked):
            count += 1
        else:
            rest.append(to_latex(item))
    return (f"{key}_{{{','.join(rest)}}}" if rest else key), count


def _is_special(key: str, base: tree.Node, subs: tuple[tree.Node, ...], scope: Scope) -> bool:
    if (
        scope.is_index(key)
        or scope.size(key) is not None
        or key in ("I", "\\mathbb{I}", "\\mathbb{1}", "\\infty", "e")
        or (key == "\\pi" and not subs)
    ):
        return True
    if isinstance(base, tree.Name) and base.text == "1":
        return True
    return key == "\\delta" and len(subs) == 2


def _observe_script(survey: Survey, node: tree.Script, scope: Scope, *, introduces: bool) -> None:
    subs = names.items(node.sub)
    base: tree.Node = node.base
    label = names.label(node.sup)
    if label is not None:
        if isinstance(label, tree.Name) and scope.is_index(label.text):
            subs = (label, *subs)
        else:
            assert node.sup is not None
            base = tree.Name(
                f"{names.key(base, fonts=survey.fonts)}^{{{names.label_text(node.sup)}}}", span=base.span
            )
    if node.primes:
        key = names.key(base, fonts=survey.fonts)
        record = scope.find(key) if key else None
        if record is not None:
            record.primed = True
            return
        base = tree.Name(f"{key}{chr(39) * node.primes}", span=base.span)
    record = _use(survey, base, subs, scope, introduces=introduces)
    sized = isinstance(node.sup, tree.Name) and scope.size(node.sup.text) is not None
    power = sized and isinstance(node.base, tree.Name) and node.base.text.startswith("\\")
    if record is not None and names.is_transpose(node.sup) and not power:
        record.transposed = True
        if subs and record.shape is None:
            record.least = max(record.least, len(subs) + 1)
    if record is not None and record.shape is None and label in subs and record.key in survey.labelled:
        # $x_j^{(i)}$ has one more index than $x^{(i)}$, however often the latter stands there.
        record.least = max(record.least, len(subs))
    if record is not None and isinstance(node.sup, tree.Number) and node.sup.text == "2":
        record.squared += 1
    if node.sup is not None and label is None and not names.is_transpose(node.sup):
        observe(survey, node.sup, scope, introduces=introduces)


def _observe_product(survey: Survey, node: tree.Product, scope: Scope, *, introduces: bool) -> None:
    at = 0
    while at < len(node.factors):
        factor = node.factors[at]
        following = node.factors[at + 1] if at + 1 < len(node.factors) and node.operators[at] == "" else None
        if isinstance(factor, tree.Differential) and isinstance(following, tree.Group):
            simple = isinstance(following.body, tree.Name | tree.Accent | tree.Script | tree.Sequence)
            factor = factor.of if simple else factor
        group = following.base if isinstance(following, tree.Script) else following
        if following is not None:
            composite = composite_head(node.factors[at : at + 2], survey.fonts)
            if composite is not None and scope.find(composite[0]) is not None:
                record = scope.find(composite[0])
                assert record is not None
                if composite[1]:
                    record.indexed[len(composite[1])] += 1
                at += 2
                continue
        if (
            isinstance(group, tree.Group)
            and group.left in "(["
            and isinstance(factor, tree.Name | tree.Accent | tree.Script)
            and not (isinstance(factor, tree.Script) and names.is_transpose(factor.sup))
        ):
            base = (
                factor.base
                if isinstance(factor, tree.Script) and (factor.primes or factor.sup is not None)
                else factor
            )
            if isinstance(base, tree.Name | tree.Accent) and not isinstance(group.body, tree.Relation):
                key = names.key(base, fonts=survey.fonts)
                subs = names.items(factor.sub) if isinstance(factor, tree.Script) else ()
                if key is not None and not _is_special(key, base, subs, scope):
                    record = survey.name(key, base, scope)
                    record.applied += 1
                    record.introduced = record.introduced or introduces
                    if isinstance(factor, tree.Script) and factor.primes:
                        record.primed = True
                    at += 1
                    continue
        observe(survey, factor, scope, introduces=introduces)
        at += 1


def _observe_derivative(survey: Survey, node: tree.Derivative, scope: Scope) -> None:
    variables = []
    for variable in node.by:
        inner = names.plain(variable)
        if isinstance(inner, tree.Script) and inner.sub is None and names.is_transpose(inner.sup):
            inner = inner.base
        observe(survey, inner, scope, introduces=True)
        if isinstance(inner, tree.Script) and isinstance(inner.sup, tree.Number) and inner.sup.text == "2":
            inner = replace(inner, sup=None)
        record = record_of(survey, inner, scope)
        if record is not None:
            record.introduced = record.varied = True
            variables.append(record)
        if isinstance(inner, tree.Script) and isinstance(inner.sub, tree.Number):
            whole = record_of(survey, inner.base, scope)
            if whole is not None and whole is not record and whole.introduced:
                variables.append(whole)
    if node.of is None:
        return
    observe(survey, node.of, scope, introduces=True)
    of = names.plain(node.of)
    if isinstance(of, tree.Product) and len(of.factors) == 2 and isinstance(of.factors[1], tree.Group):
        if not isinstance(of.factors[1].body, tree.Name | tree.Accent | tree.Sequence):
            return
        of = of.factors[0]
    record = record_of(survey, of, scope)
    given = record is not None and (record.declared or isinstance(of, tree.Script))
    if record is not None and not (given and node in survey.zeros):
        record.differentiated_by.extend(v.identity for v in variables if v is not record)


def record_of(survey: Survey, node: tree.Node, scope: Scope) -> Name | None:
    """Return the record of a name with its subscript, or None."""
    base, subs = (node.base, names.items(node.sub)) if isinstance(node, tree.Script) else (node, ())
    key = names.key(base, fonts=survey.fonts)
    if key is None:
        return None
    if isinstance(node, tree.Script) and node.sup is not None:
        label = names.label(node.sup)
        known = scope.find(names.written(node, survey.fonts) or "")
        if known is not None or label is None:
            return known
        if isinstance(label, tree.Name) and scope.is_index(label.text):
            subs = (label, *subs)
        else:
            key = f"{key}^{{{names.label_text(node.sup)}}}"
    primes = "'" * node.primes if isinstance(node, tree.Script) else ""
    if primes and scope.find(key + primes) is not None:
        key += primes
    return scope.find(_split_use(key, subs, scope)[0])

"""The math spans of a document in reading order, each parsed, in its scope and with the prose before it.

Vocabulary: a *place* is a math span where it stands; its *cue* is what the prose before it says it is for.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace

from symderiv.diagnostics import Span
from symderiv.document.model import Directive, Document, Heading, MathSpan, Prose
from symderiv.latex import LatexError, Macros, parse, tree
from symderiv.meaning import cues, digits, dots, gradients, marks, names, zeros
from symderiv.meaning.acronyms import acronyms, with_acronyms
from symderiv.meaning.bounds import with_bounds
from symderiv.meaning.brackets import bracketed, subscripted, with_entries
from symderiv.meaning.colons import has_colons, with_colons
from symderiv.meaning.compositions import maps, with_maps
from symderiv.meaning.conditionals import (
    MAY_STAND,
    OF_CHANCE,
    index_letters,
    spread,
    with_conditionals,
    with_logarithms,
    with_names_of_logarithms,
)
from symderiv.meaning.dimensions import dimensions, with_dimensions
from symderiv.meaning.divergences import divergences, with_divergences
from symderiv.meaning.families import families, with_families
from symderiv.meaning.homonyms import homonyms, with_counts
from symderiv.meaning.labels import labelled as labelled_names
from symderiv.meaning.labels import with_labels
from symderiv.meaning.layers import layers, with_layers
from symderiv.meaning.parameters import labelled, not_counted, numbered_parameters, sampled, with_parameters
from symderiv.meaning.points import indices, points, with_points
from symderiv.meaning.primes import transposing
from symderiv.meaning.residuals import models
from symderiv.meaning.scope import Scope
from symderiv.meaning.sets import whole_sets, with_numbers
from symderiv.meaning.spellings import differentiated, with_spellings
from symderiv.meaning.words import spelled, with_words

_DEFINITIONS = re.compile(
    r"^[ \t]*\\(?:(?:re)?newcommand|providecommand|[gex]?def|DeclareMathOperator|DeclarePairedDelimiterX?)"
    r"\b[^\n]{1,400}$",
    re.MULTILINE,
)
"""Lines of prose that define a macro."""
_SIGN = re.compile(r"[\s{}]*(\\[A-Za-z]+|[-+*/=<>:|])[\s{}]*")
"""A sign alone, as in *$\\odot$ is taken entry by entry*."""
LAYOUTS = ("numerator", "denominator", "gradient")


@dataclass(slots=True, eq=False, kw_only=True)
class Place:
    """A math span, where it stands, and what was read in it."""

    math: MathSpan
    scope: Scope
    display: tree.Display | None
    error: LatexError | None
    before: str = ""
    """The prose before it: in its paragraph, or at the end of the one before."""
    lead: str = ""
    """The words of the sentence that leads to it, a mark for each formula among them."""
    apart: bool = False
    """The prose before it stands in another paragraph."""
    follows: bool = False
    """Another display stands between that prose and it."""
    after: str = ""
    """The prose after it in its paragraph."""
    cue: cues.Cue = ""
    fresh_prose: bool = False
    """A new paragraph of prose has begun since the span before."""
    skip: bool = False
    expected: str | None = None
    forced: str = ""
    """`declare` or `assume` for mathematics inside a directive."""
    ends: bool = False
    """Assumptions of directives end here."""
    einstein: bool = False


def _is_range(display: tree.Display | None) -> bool:
    """Tell whether a formula says how far a letter runs: `t = 1, \\dots, T`."""
    nodes = [node for chain in chains(display) for node in chain.members if node is not None]
    return any(isinstance(node, tree.Dots) for node in nodes) and isinstance(nodes[0], tree.Name)


class Reading:
    """Reads the items of a document into places; `layout` is what its directives ask for."""

    def __init__(self, document: Document) -> None:
        """Read all items in order."""
        self.layout: str | None = None
        self.places: list[Place] = []
        self.sections: list[tuple[Scope, Heading]] = []
        """The scope that each heading opens."""
        self.macros = Macros()
        self._source = document.source.text
        self._scope = Scope(None, 0)
        self._before = self._lead = ""
        self._paragraph = self._prose = -1
        self._fresh = self._skip = self._ends = self._einstein = self._follows = False
        self._expected: str | None = None
        for item in document.items:
            if isinstance(item, Heading):
                self._heading(item)
            elif isinstance(item, Prose):
                self._words(item)
            elif isinstance(item, Directive):
                self._directive(item)
            else:
                self._math(item)
        self._spell()
        self._primes()
        self._models()
        self._points()
        self._homonyms()
        self._families()
        self._count()
        self._lower()
        labels = frozenset(label for place in self.places for label in _labels(place.display))
        for place in self.places:
            if place.display is not None and labels:
                items = (
                    names.with_labels(item, labels) if isinstance(item, tree.Chain) else item
                    for item in place.display.items
                )
                place.display = replace(place.display, items=tuple(items))
        self._colons()
        if zeros.written(self._source):
            self._settle(zeros.with_zeros)
        self._marks()
        self._gradients()
        self._conditionals()

    def _primes(self) -> None:
        """Read the primes of a page as transposes, where it writes them so."""
        if not any("'" in place.math.text or "\\prime" in place.math.text for place in self.places):
            return
        found = transposing(chain for place in self.places for chain in chains(place.display))
        if found:
            self._each(found.read)

    def _models(self) -> None:
        """Read `y = X \\beta + \\epsilon` as what the error is, where the page writes the difference."""
        found = models(chain for place in self.places for chain in chains(place.display))
        if found is not None:
            self._each(found.read)

    def _colons(self) -> None:
        """Read a colon between two matrices as their inner product, where the page writes that so."""
        written = [place for place in self.places if ":" in place.math.text]
        if written and has_colons(
            (each for place in written for each in chains(place.display)), self._source
        ):
            self._each(with_colons)

    def _conditionals(self) -> None:
        """Read each probability as a name, and its logarithm where that has a definition."""
        self.conditionals: dict[str, set[str]] = {}
        of_chance = OF_CHANCE.search(self._source) is not None
        if MAY_STAND.search(self._source) is None and not of_chance:
            return
        found = [chain for place in self.places for chain in chains(place.display)]
        letters, several = index_letters(found), spread(found) if of_chance else frozenset()
        self._each(lambda chain: with_conditionals(chain, self.conditionals, letters, several))
        if self.conditionals:
            logarithms = with_logarithms([chain for place in self.places for chain in chains(place.display)])
            self._each(lambda chain: with_names_of_logarithms(chain, logarithms, self.conditionals))

    def _each(self, change: Callable[[tree.Chain], tree.Chain]) -> None:
        """Change each chain of the page."""
        for place in self.places:
            if place.display is not None:
                items = (
                    change(item) if isinstance(item, tree.Chain) else item for item in place.display.items
                )
                place.display = replace(place.display, items=tuple(items))

    def _marks(self) -> None:
        """Read a d before a factor as the mark of a differential, where its section has no other d."""
        found = {
            id(place): [m for c in chains(place.display) for m in c.members if m] for place in self.places
        }
        self.named = [place.scope for place in self.places if marks.is_named(found[id(place)])]
        operator = marks.is_operator([member for members in found.values() for member in members])
        for place in self.places:
            if place.display is not None:
                named = any(place.scope.beside(scope) for scope in self.named)
                items = (
                    marks.with_marks(item, named=named, operator=operator)
                    if isinstance(item, tree.Chain)
                    else item
                    for item in place.display.items
                )
                place.display = replace(place.display, items=tuple(items))

    def _gradients(self) -> None:
        """Read `dX` as a name for the derivative by X where the page begins with that, else as this."""
        loss = self._loss()
        found: dict[str, list[Scope]] = {}
        given: set[str] = set()
        for place in self.places:
            for chain in chains(place.display):
                for each in gradients.gradients(chain):
                    if each not in given:
                        found.setdefault(each, []).append(place.scope)
                given |= gradients.given(chain) - found.keys()
        for place in self.places if found else ():
            here = frozenset(each for each, scopes in found.items() if any(map(place.scope.within, scopes)))
            if place.display is not None and here:
                items = (
                    gradients.with_gradients(item, here) if isinstance(item, tree.Chain) else item
                    for item in place.display.items
                )
                place.display = replace(place.display, items=tuple(items))
        if loss is not None:
            self._settle(lambda chain: gradients.as_derivatives(chain, loss))

    def _loss(self) -> tree.Node | None:
        """Return the one quantity of which the page equates a derivative by X with `dX`."""
        found = [loss for place in self.places for c in chains(place.display) for loss in gradients.losses(c)]
        return found[0] if len({names.key(loss) for loss in found}) == 1 else None

    def _spell(self) -> None:
        """Read letters before brackets that spell a function as its name, and those that spell a label."""
        labels = labelled_names(found for place in self.places for found in chains(place.display))
        if labels:
            self._settle(lambda chain: with_labels(chain, labels))
        spellings = differentiated([found for place in self.places for found in chains(place.display)])
        if spellings:
            self._settle(lambda chain: with_spellings(chain, spellings))
        words = spelled(found for place in self.places for found in chains(place.display))
        for place in self.places if words else ():
            if place.display is not None:
                items = (
                    with_words(item, words) if isinstance(item, tree.Chain) else item
                    for item in place.display.items
                )
                place.display = replace(place.display, items=tuple(items))

    def _count(self) -> None:
        """Read dimensions with subscripts as names, functions of functions as such, and labels of layers."""
        known = maps([found for place in self.places for found in chains(place.display)])
        if known.composed or known.parameters:
            self._settle(lambda chain: with_maps(chain, known))
        sizes = dimensions(found for place in self.places for found in chains(place.display))
        if sizes:
            self._settle(lambda chain: with_dimensions(chain, sizes))
        found = layers(found for place in self.places for found in chains(place.display))
        if found.families:
            self._settle(lambda chain: with_layers(chain, found))

    def _settle(self, change: Callable[[tree.Chain], tree.Chain]) -> None:
        """Read every chain of the page anew."""
        for place in self.places:
            if place.display is not None:
                items = (change(i) if isinstance(i, tree.Chain) else i for i in place.display.items)
                place.display = replace(place.display, items=tuple(items))

    def _points(self) -> None:
        """Read the x' of `k(x, x')`, the divergence `D(p(x) \\| q(x))` and the acronym MSE as names."""
        words = acronyms(found for place in self.places for found in chains(place.display))
        if words:
            self._settle(lambda chain: with_acronyms(chain, words))
        letters = points(found for place in self.places for found in chains(place.display))
        letters |= indices(found for place in self.places for found in chains(place.display))
        if letters:
            self._settle(lambda chain: with_points(chain, letters))
        sets = whole_sets((found for place in self.places for found in chains(place.display)), self._source)
        if sets:
            self._settle(lambda chain: with_numbers(chain, sets))
        held = divergences(found for place in self.places for found in chains(place.display))
        if held:
            self._settle(lambda chain: with_divergences(chain, held))

    def _homonyms(self) -> None:
        """Give the sizes whose letter is a quantity, too, names of their own."""
        known = homonyms(found for place in self.places for found in chains(place.display))
        if known.letters:
            self._settle(lambda chain: with_counts(chain, known))

    def _families(self) -> None:
        """Tell the quantities of two layers with one name apart by their letters."""
        known = families([found for place in self.places for found in chains(place.display)])
        if known:
            self._settle(lambda chain: with_families(chain, known))

    def _lower(self) -> None:
        """Write upper component indices below where their letters range; settle what `^t` means."""
        found = (m for place in self.places for chain in chains(place.display) for m in chain.members)
        nodes = [node for node in found if node is not None]
        pairs = {pair for node in nodes for pair in names.upper_pairs(node)}
        letters: set[str] = set()
        for each in (each for node in nodes for each in names.walk(node)):
            below = each.sub if isinstance(each, tree.Script) else None
            below = each.lower if isinstance(each, tree.Big) else below
            if below is not None:
                letters |= {n.text for n in names.walk(below) if isinstance(n, tree.Name)}
        if len({name for name, _ in pairs}) > 1:
            letters |= {letter for _, above in pairs for letter in above}
        ranged = {name for name, above in pairs if above & letters}
        paired = {letter for name, above in pairs if name in ranged for letter in above}
        paired |= names.upper_heads([found for place in self.places for found in chains(place.display)])
        alone = {n.text for node in nodes for n in names.alone(node)}
        self.numbered = digits.numbered(found for place in self.places for found in chains(place.display))
        ranks = digits.ranks(
            (found for place in self.places for found in chains(place.display)), self.numbered.matrices
        )

        written = bracketed(found for place in self.places for found in chains(place.display))
        vectors = subscripted(found for place in self.places for found in chains(place.display))
        self.labelled = labelled(found for place in self.places for found in chains(place.display))
        many = sampled(found for place in self.places for found in chains(place.display))

        counted = self._counted()

        def settled(chain: tree.Chain, scope: Scope) -> tree.Chain:
            chain = digits.joined(chain, counted(scope))
            chain = with_entries(chain, written, vectors)
            chain = names.lowered(with_bounds(chain), letters | paired, paired)
            chain = digits.joined(chain, self.numbered.names)
            chain = digits.apart(names.labels_apart(chain), ranks)
            chain = with_parameters(dots.written(chain), self.labelled | many)
            return chain if "t" in letters | alone else names.with_transposes(chain)

        for place in self.places:
            if place.display is not None:
                items = (
                    settled(i, place.scope) if isinstance(i, tree.Chain) else i for i in place.display.items
                )
                place.display = replace(place.display, items=tuple(items))

    def _counted(self) -> Callable[[Scope], frozenset[str]]:
        """Return how to find the letters of parameters that a section has with numbers only."""
        found: list[tuple[str, Scope]] = []
        others: list[tuple[set[str], Scope]] = []
        for place in self.places:
            for chain in chains(place.display):
                found += [(each, place.scope) for each in numbered_parameters(chain)]
                others += [(not_counted(m), place.scope) for m in chain.members if m is not None]

        def counted(scope: Scope) -> frozenset[str]:
            here = {each for each, at in found if at.beside(scope)}
            return frozenset(
                here.difference(*(them for them, at in others if at.beside(scope))) if here else ()
            )

        return counted

    def _heading(self, item: Heading) -> None:
        while self._scope.level >= item.level and self._scope.parent is not None:
            self._scope = self._scope.parent
        self._scope = Scope(self._scope, item.level)
        self.sections.append((self._scope, item))
        self._before, self._lead, self._fresh = "", "", True

    def _definitions(self, text: str, start: int) -> None:
        """Take in the macros that lines of prose define; what cannot be read there is prose."""
        for found in _DEFINITIONS.finditer(text):
            with suppress(LatexError):
                parse(found[0], offset=start + found.start(), macros=self.macros)

    def _words(self, item: Prose) -> None:
        self._definitions(self._source[item.span.start : item.span.end], item.span.start)
        if cues.announces_einstein(item.text):
            self._einstein = True
        if cues.has_words(item.text) and item.paragraph != self._prose:
            self._prose, self._fresh = item.paragraph, True
        if self.places and not self.places[-1].after and self.places[-1].math.paragraph == item.paragraph:
            self.places[-1].after = item.text
        self._lead = f"{self._lead}{item.text}" if item.paragraph == self._paragraph else item.text
        self._before, self._paragraph, self._follows = item.text, item.paragraph, False

    def _directive(self, item: Directive) -> None:
        argument = item.argument.strip()
        if item.word == "layout" and argument in LAYOUTS:
            self.layout = argument
        elif item.word == "einstein":
            self._einstein = argument != "off"
        elif item.word == "skip":
            self._skip = True
        elif item.word == "end":
            self._ends = True
        elif item.word == "expect":
            self._expected = argument or "refuted"
        for math in item.mathematics:
            display, error = self._parsed(math)
            cue: cues.Cue = "section" if item.word == "assume" else ""
            self.places.append(
                Place(math=math, scope=self._scope, display=display, error=error, cue=cue, forced=item.word)
            )

    def _math(self, item: MathSpan) -> None:
        display, error = self._parsed(item)
        same = item.paragraph == self._paragraph
        given = self._before.rstrip().lower().endswith("given:")
        given = given or (item.display and cues.supposes(self._before))
        self.places.append(
            Place(
                math=item,
                scope=self._scope,
                display=display,
                error=error,
                before=self._before,
                apart=not same,
                follows=self._follows,
                lead=re.split(r"[.;!?](?:\s|$)", self._lead)[-1],
                cue=self._cue() if same else ("section" if given else ""),
                fresh_prose=self._fresh,
                skip=self._skip and item.display,
                expected=self._expected if item.display else None,
                ends=self._ends,
                einstein=self._einstein,
            )
        )
        self._fresh = self._ends = False
        self._follows = self._follows or item.display
        self._lead = "" if item.display else f"{self._lead}$"
        if item.display:
            self._skip, self._expected = False, None
        if same or given:
            self._before = ""

    def _cue(self) -> cues.Cue:
        """Return the cue of the prose before; after a mere *and*, that of the formula before.

        The *for* of *$v_t = a_t$ for $t = 1, \\dots, T$ and $u = 2$* is that of the range alone.
        """
        beside = [place for place in self.places[-2:] if place.math.paragraph == self._paragraph]
        if beside and self._before.strip(" \n,") == "and":
            *others, last = beside
            ranges = others and _is_range(last.display) and cues.trails(last.before)
            return others[-1].cue if ranges else last.cue
        return cues.cue(self._before)

    def _parsed(self, math: MathSpan) -> tuple[tree.Display | None, LatexError | None]:
        try:
            display = parse(math.text, offset=math.span.start, macros=self.macros)
        except LatexError as error:
            if not math.display and _SIGN.fullmatch(math.text):
                return tree.Display((), span=math.span), None
            return None, error
        return _conditions_apart(display), None


def _labels(display: tree.Display | None) -> Iterator[str]:
    """Yield the letters that stand as labels: the `l` of `a^{(l)}`."""
    for chain in chains(display):
        for node in (node for member in chain.members if member is not None for node in names.walk(member)):
            label = names.label(node.sup) if isinstance(node, tree.Script) else None
            if isinstance(label, tree.Name) and isinstance(node, tree.Script) and names.key(node.base) != "e":
                yield label.text


def chains(display: tree.Display | None) -> list[tree.Chain]:
    """Return the chains of a display."""
    return [] if display is None else [item for item in display.items if isinstance(item, tree.Chain)]


def is_index_relation(chain: tree.Chain) -> bool:
    """Tell whether a chain relates index letters only: `i = j`, `i \\ne j`, `k < i`."""
    if len(chain.members) < 2 or any(member is None for member in chain.members):
        return False
    if any(operator.text not in ("=", "!=", "<", "<=", ">", ">=") for operator in chain.operators):
        return False
    letters = [member for member in chain.members if member is not None and names.is_index_letter(member)]
    others = [
        member for member in chain.members if not (member is not None and names.is_index_letter(member))
    ]
    return len(letters) >= 2 and all(isinstance(member, tree.Number) for member in others)


def _conditions_apart(display: tree.Display) -> tree.Display:
    """Part `i = j : y = x` into a condition and a statement."""
    items: list[tree.Chain | tree.Words | tree.Connective] = []
    for item in display.items:
        operators = [operator.text for operator in item.operators] if isinstance(item, tree.Chain) else []
        at = operators.index(":") if ":" in operators and "to" not in operators else 0
        if not isinstance(item, tree.Chain) or not at:
            items.append(item)
            continue
        head, rest = item.members[: at + 1], item.members[at + 1 :]
        condition = tree.Chain(head, item.operators[:at], span=_over(head, item.span))
        said = items[-1].text if items and isinstance(items[-1], tree.Words) else ""
        valued = operators[:at] == ["="] and item.operators[at + 1 :] and cues.cue(said) == "local"
        if is_index_relation(condition) or valued:
            items += [condition, tree.Chain(rest, item.operators[at + 1 :], span=_over(rest, item.span))]
        else:
            items.append(item)
    return replace(display, items=tuple(items))


def _over(nodes: tuple[tree.Node | None, ...], otherwise: Span) -> Span:
    """Return the span over some members of a chain."""
    spans = [node.span for node in nodes if node is not None]
    return spans[0].to(spans[-1]) if spans else otherwise

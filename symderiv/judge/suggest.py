"""What would make a false step true: the smallest change of the page that the kernel then proves.

Contract. A search among a bounded number of candidates, for a bounded time; its answer changes no verdict.
Numbers at a few points put most candidates aside; of the others the whole page is read again with the change
in its text, and only a step that is then proved, and holds at some sampled entry, is offered: what was proved
is what is shown. Three kinds are searched for: another member of the page that is equal to the left side, an
edit of the member (see `slips`), and a condition under which the step is true as it stands.
"""

from __future__ import annotations

import itertools
import re
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction

import numpy as np
from sympy import Expr

from symderiv.diagnostics import Span
from symderiv.judge import explain
from symderiv.judge.anatomy import Anatomy, NotEvaluableError
from symderiv.judge.arithmetic import Array
from symderiv.judge.edits import Edit, Formula, added, multiplied
from symderiv.judge.numeric import Comparison, evaluate
from symderiv.judge.points import Kind, sample, size_choices
from symderiv.judge.recall import Recall
from symderiv.judge.shrink import shrink
from symderiv.judge.slips import slips, turns
from symderiv.kernel.terms import Goal, Index, Size
from symderiv.latex import tree
from symderiv.meaning import Compared, compare, unreached
from symderiv.meaning.model import Chain, Failure, Member, Page, Statement, Tensor
from symderiv.meaning.names import key, walk

SECONDS = 0.8
"""Of processor time; no further candidate is taken up after it."""
CANDIDATES = 240
"""So many edits are compared at a point."""
_PROOFS = 3
"""So many candidates on which the numbers agree are read again with their page."""
_POINTS, _ENTRIES = 3, 6
"""So many points are compared at each choice of the sizes until there are so many entries."""
_CLOSE = 1e-7
_TELLING = 5
"""So many characters may stand at the left and in a repair by chance."""
_CLASH = re.compile(r"holds at most when (\w+) = (\w+)$")
_MATRICES = re.compile(
    r"\^\s*\{?\s*(\\top|\\intercal|T\b|(\\mathsf|\\mathrm|\\rm|\\text)\s*\{?\s*T\b)|\bmatri(x|ces)\b|\\mathbf|\\boldsymbol|\\bm\b"
)
_TURNS = 24
"""So many orders and transposes of matrices are tried."""
_PAIRS = 6
"""So many pairs of sizes are tried as equal."""
_SHORT = 60
"""A member of up to so many characters is shown whole."""


@dataclass(frozen=True, slots=True)
class Trial:
    """How a candidate is put to the proof."""

    proves: Callable[[Goal], bool]
    """Whether the kernel proves a goal of the page as it is."""
    goal: Callable[[str, Span, int], Goal | None]
    """What the step says in another text of the page: where that differs, and by how much it is longer."""
    holds: Callable[[str, Span, int], bool | None]
    """Whether the step is proved in another text of the page."""
    equal: Callable[[Size, Expr], bool] = lambda _old, _new: False
    """Whether the step is proved as it stands where a size is another one, or a number."""


@dataclass(slots=True)
class Search:
    """The search for what would make one step true."""

    page: Page
    statement: Statement
    left: Member
    trial: Trial
    recall: Recall = field(default_factory=Recall)
    started: float = field(default_factory=time.process_time)

    @property
    def chain(self) -> Chain:
        """The chain of the step."""
        assert self.statement.chain is not None
        return self.page.chains[self.statement.chain]

    @property
    def member(self) -> Member:
        """The member that was blamed."""
        assert self.statement.member is not None
        return self.chain.members[self.statement.member]

    def help(self) -> str | None:
        """Return what to say, or None where nothing was found."""
        stated = self._stated()
        line = None if stated is None else self.page.source.position(stated.span.start)[0]
        formula = self._formula()
        edit = None if formula is None else self._edit(formula, stated)
        if edit is not None and formula is not None:
            return explain.repaired(*_shown(formula, edit), line)
        if line is not None:
            return explain.stated(line)
        condition = self._condition()
        return None if condition is None else explain.under(condition)

    @property
    def is_ill_typed(self) -> bool:
        """Whether the two sides are no statement."""
        return self._goal(self.member.value) is None

    @property
    def late(self) -> bool:
        """Whether the time is over."""
        return time.process_time() - self.started > SECONDS

    def turned(self) -> str | None:
        """Return what to say where matrices in another order, or transposed, make the step true, or None.

        Then the guesses at their shapes were right, and the step as it stands has no meaning; but on a page
        that has no transpose and does not speak of matrices, capital letters may be numbers.
        """
        formula = self._formula() if _MATRICES.search(self.page.source.text) else None
        if formula is None or not self._is_read_alone():
            return None
        for edit in itertools.islice(turns(formula), _TURNS):
            goal = None if self.late else self._read(self._written(edit))
            if goal is None or unreached(goal) is not None or not self._agrees(goal):
                continue
            return explain.repaired(*_shown(formula, edit), None) if self.trial.proves(goal) else None
        return None

    # -------------------------------------------------------------- equal sizes

    def sizes(self) -> str | None:
        """Return the sizes that have to be equal for the step to be proved as it stands, as a sentence."""
        goal = self._goal(self.member.value)
        for old, new in itertools.islice(self._equal(goal), _PAIRS):
            if self.late:
                return None
            if self.trial.equal(old, new):
                return explain.equal_sizes(f"{new} = {old}", only=goal is None)
        return None

    def _equal(self, goal: Goal | None) -> Iterator[tuple[Size, Size]]:
        """Yield pairs of sizes of a step, those that a clash of its shapes asks for first."""
        context = self.statement.context
        shapes = {} if context is None else context.shapes
        here = {name for side in (self.left, self.member) for name in _names(self._node(side))}
        near = {size for name in here & shapes.keys() for each in shapes[name] for size in each.atoms(Size)}
        near |= set() if goal is None else _sizes(goal)
        value = self.member.value
        told = value.diagnostic.notes if isinstance(value, Failure) else ()
        wanted = {(match[1], match[2]) for note in told if (match := _CLASH.match(note))}
        known = {str(size): size for each in shapes.values() for dim in each for size in dim.atoms(Size)}
        for pair in wanted:
            if pair[0] in known and pair[1] in known:
                yield known[pair[1]], known[pair[0]]
        for new, old in itertools.combinations(sorted(near, key=str), 2):
            if (str(new), str(old)) not in wanted and (str(old), str(new)) not in wanted:
                yield old, new

    # -------------------------------------------------------------- another member

    def _stated(self) -> Member | None:
        """Return another member of the page that is equal to the left side."""
        for member in self._others():
            goal = self._goal(member.value)
            if goal is not None and self._agrees(goal) and self.trial.proves(goal):
                return member
        return None

    def _others(self) -> Iterator[Member]:
        """Yield the members of other claims that should be equal to the left side."""
        assert self.statement.member is not None
        known = {_bare(self.left.latex), _bare(self.member.latex)}
        first = _bare(self.chain.members[0].latex)
        for each in self.page.statements:
            if each.kind != "claim" or each.chain is None or each.member is None:
                continue
            chain = self.page.chains[each.chain]
            member = chain.members[each.member]
            same = each.member > self.statement.member if chain is self.chain else True
            if same and _bare(chain.members[0].latex) == first and _bare(member.latex) not in known:
                yield member

    # -------------------------------------------------------------- an edit

    def _formula(self) -> Formula | None:
        node = self._node(self.member)
        if node is None:
            return None
        others = [each for each in self._nodes() if each is not None]
        both = [*others[:2], node]
        text = self.page.source.text
        letters = dict.fromkeys(letter for each in both for letter in _letters(each))
        goal = self._goal(self.member.value)
        sizes = [] if goal is None else sorted(size.name for size in _sizes(goal))
        mark = re.search(r"\^(\\top|T(?![a-zA-Z])|\{\\top\}|\{T\}|\\mathsf\{T\}|\\intercal)", text)
        return Formula(
            node,
            text,
            parts=tuple(itertools.islice(_parts([*others, node], text), 12)),
            terms=tuple(itertools.islice(_terms(others, text), 8)),
            letters=tuple(letters),
            sizes=tuple(sizes),
            mark=mark[0] if mark else r"^\top",
        )

    def _nodes(self) -> Iterator[tree.Node | None]:
        """Yield the syntax trees of the other members of the chain, and of those shortly before it."""
        yield self._node(self.left)
        at = self.statement.chain
        assert at is not None
        for chain in (self.chain, *reversed(self.page.chains[max(0, at - 3) : at])):
            for each in chain.members:
                if each is not self.left and each is not self.member:
                    yield self._node(each)

    def _node(self, member: Member) -> tree.Node | None:
        text = self.page.source.text[member.span.start : member.span.end]
        reread = self.page.reread
        return None if reread is None else reread.node(text, member.span.start)

    def _edit(self, formula: Formula, stated: Member | None) -> Edit | None:
        """Return the smallest edit with which the step is proved, if it can be one that the page states."""
        proofs = 0
        quick = self._is_read_alone()
        found = list(self._edits(formula))
        if stated is not None:
            found.sort(key=lambda edit: _bare(self._written(edit)) != _bare(stated.latex))
        for edit in found[:CANDIDATES]:
            if self.late or proofs == _PROOFS:
                return None
            latex = self._written(edit)
            if _bare(latex) == _bare(self.member.latex) or self._repeats(latex):
                continue
            text = edit.applied(self.page.source.text)
            change = text, self.member.span, len(text) - len(self.page.source.text)
            goal = self._read(latex) if quick else self.trial.goal(*change)
            if goal is None or not self._agrees(goal):
                continue
            proofs += 1
            if self.trial.holds(*change):
                return edit
        return None

    def _is_read_alone(self) -> bool:
        """Tell whether the member is read by itself as it is read in its page."""
        assert self.statement.chain is not None
        assert self.statement.member is not None
        reread = self.page.reread
        return reread is not None and reread.alone(self.statement.chain, self.statement.member)

    def _repeats(self, latex: str) -> bool:
        """Tell whether an edit only writes the left side at the right."""
        left, old, new = map(_bare, (self.left.latex, self.member.latex, latex))
        return new == left or (len(left) > _TELLING and new.count(left) > old.count(left))

    def _edits(self, formula: Formula) -> Iterator[Edit]:
        """Yield the edits of the member, the one that the numbers ask for first."""
        ratio, difference = self._ratio(), self._difference()
        if ratio is not None:
            yield multiplied(formula, ratio.numerator, ratio.denominator)
        if difference is not None:
            yield added(formula, difference.numerator, difference.denominator)
        yield from slips(formula)

    def _written(self, edit: Edit) -> str:
        span = self.member.span
        return edit.applied(self.page.source.text[span.start : span.end], span.start)

    def _ratio(self) -> Fraction | None:
        """Return by what number the member is too small, if it is the same at every entry."""

        def ratios(found: Comparison) -> Array:
            known = found.counts & (abs(found.right) > _CLOSE)
            return found.left[known] / found.right[known]

        return self._constant(ratios)

    def _difference(self) -> Fraction | None:
        """Return what is missing at the right, if it is the same number at every entry."""
        return self._constant(lambda found: (found.left - found.right)[found.counts])

    def _constant(self, of: Callable[[Comparison], Array]) -> Fraction | None:
        goal = self._goal(self.member.value)
        seen: set[Fraction] = set()
        for comparison in () if goal is None else self._comparisons(goal):
            values = of(comparison)
            if not values.size:
                continue
            if not np.isfinite(values).all() or np.ptp(values) > _CLOSE * abs(values[0]):
                return None
            nearest = Fraction(float(values[0])).limit_denominator(12)
            if not nearest or abs(float(nearest) - values[0]) > _CLOSE * abs(values[0]):
                return None
            seen.add(nearest)
        return seen.pop() if len(seen) == 1 else None

    # -------------------------------------------------------------- a condition

    def _condition(self) -> str | None:
        """Return a condition, in LaTeX, under which the step is proved as it stands."""
        text = self.page.source.text
        goal = self._goal(self.member.value)
        start = self.chain.members[0].span.start
        at = text.rfind("\n\n", 0, start) + 2
        if goal is None or at < 2:
            return None
        for condition in itertools.islice(self._conditions(goal), 8):
            if self.late:
                return None
            directive = f"<!-- symderiv: assume ${condition}$ -->\n\n"
            if self.trial.holds(text[:at] + directive + text[at:], Span(at, at), len(directive)):
                return condition
        return None

    def _conditions(self, goal: Goal) -> Iterator[str]:
        """Yield conditions on the names of a step that make few other steps true."""
        free = [index for index in goal.ranges if self._is_free(goal, index)]
        for one, other in itertools.combinations(sorted(free, key=str), 2):
            if goal.ranges[one] == goal.ranges[other]:
                yield f"{one} = {other}"
        names = {node for side in (self.left, self.member) for node in _leaves(self._node(side))}
        shapes = goal.context.shapes
        for name in sorted(names & shapes.keys()):
            shape = shapes[name]
            if len(shape) == 2 and shape[0] == shape[1]:
                yield f"{name} = {name}^\\top"
            elif len(shape) == 1:
                letter = next(each for each in "kmlpq" if Index(each) not in goal.ranges)
                yield f"\\sum_{letter} {name}_{letter} = 1"

    def _is_free(self, goal: Goal, index: Index) -> bool:
        return index.name in self.page.source.text and any(
            index in side.free_symbols for side in (goal.left, goal.right)
        )

    # -------------------------------------------------------------- numbers

    def _read(self, latex: str) -> Goal | None:
        """Return the goal that the left side is equal to what other LaTeX means at the right."""
        assert self.statement.chain is not None
        assert self.statement.member is not None
        assert self.statement.context is not None
        reread = self.page.reread
        found = None if reread is None else reread.value(self.statement.chain, self.statement.member, latex)
        if found is None:
            return None
        if not found.definitions:
            return self._goal(found.value)
        known = self.statement.context
        context = replace(
            known,
            definitions={**known.definitions, **found.definitions},
            shapes={**known.shapes, **found.shapes},
        )
        return self._goal(found.value, replace(self.statement, context=context))

    def _goal(self, value: object, statement: Statement | None = None) -> Goal | None:
        """Return the goal that the left side is equal to this."""
        if not isinstance(value, Tensor) or not isinstance(self.left.value, Tensor):
            return None
        compared = compare(statement or self.statement, self.chain, self.left.value, value, self.member)
        return compared.goal if isinstance(compared, Compared) else None

    def _agrees(self, goal: Goal) -> bool:
        """Tell whether the sides agree at a few points; what cannot be evaluated does not."""
        entries = 0
        for comparison in self._comparisons(goal):
            if not comparison.error <= _CLOSE:
                return False
            entries += comparison.entries
        return entries > 0

    def _comparisons(self, goal: Goal) -> Iterator[Comparison]:
        try:
            anatomy = shrink(Anatomy(goal, self.recall))
            entries = 0
            for seed, sizes in itertools.product(
                range(_POINTS), size_choices(anatomy.goal, anatomy=anatomy)[:2]
            ):
                if not seed or entries < _ENTRIES:
                    found = self._comparison(anatomy, sizes, seed)
                    entries += found.entries
                    yield found
        except NotEvaluableError:
            return

    def _comparison(self, anatomy: Anatomy, sizes: dict[str, int], seed: int) -> Comparison:
        kinds: tuple[Kind, ...] = ("real", "positive", "unit")
        for kind in kinds:
            point = sample(anatomy.goal, sizes, seed, kind, anatomy=anatomy)
            found = evaluate(anatomy.goal, sizes, point, anatomy=anatomy)
            if found.entries:
                break
        return found


def _bare(latex: str) -> str:
    return "".join(latex.split())


def _sizes(goal: Goal) -> set[Size]:
    terms = (goal.left, goal.right, *goal.ranges.values())
    return {size for term in terms for size in term.atoms(Size)}


def _letters(node: tree.Node) -> Iterator[str]:
    """Yield the letters that stand in subscripts and under sums."""
    for each in walk(node):
        below = None
        if isinstance(each, tree.Script):
            below = each.sub
        elif isinstance(each, tree.Big):
            below = each.lower
        for leaf in () if below is None else walk(below):
            if isinstance(leaf, tree.Name) and not leaf.font and re.fullmatch(r"[a-z]|\\ell", leaf.text):
                yield leaf.text


def _leaves(node: tree.Node | None) -> set[str]:
    return set() if node is None else {each.text for each in walk(node) if isinstance(each, tree.Name)}


def _names(node: tree.Node | None) -> set[str]:
    """Return the keys of the names that stand in a formula."""
    return set() if node is None else {found for each in walk(node) if (found := key(each)) is not None}


def _parts(nodes: Sequence[tree.Node], text: str) -> Iterator[str]:
    """Yield the factors in some formulas as written, each once."""
    seen: set[str] = set()
    for node in nodes:
        for each in walk(node):
            if isinstance(each, tree.Additive):
                factors: list[tree.Node] = [term for _, term in each.terms]
            elif isinstance(each, tree.Product):
                factors = list(each.factors)
            elif isinstance(each, tree.Big):
                factors = [each.body]
            elif isinstance(each, tree.Fraction):
                factors = [each.numerator, each.denominator]
            else:
                factors = [each] if each is node else []
            for factor in factors:
                if isinstance(factor, tree.Name | tree.Script | tree.Derivative | tree.Accent | tree.Call):
                    written = text[factor.span.start : factor.span.end]
                    if 0 < len(written) <= _SHORT and _bare(written) not in seen:
                        seen.add(_bare(written))
                        yield written


def _terms(nodes: Sequence[tree.Node], text: str) -> Iterator[str]:
    """Yield the terms of some formulas as written, each once."""
    seen: set[str] = set()
    for node in nodes:
        if isinstance(node, tree.Additive):
            for _, term in node.terms:
                written = text[term.span.start : term.span.end]
                if 0 < len(written) <= _SHORT and _bare(written) not in seen:
                    seen.add(_bare(written))
                    yield written


def _shown(formula: Formula, edit: Edit) -> tuple[str, str]:
    """Return what to write, and instead of what: of a long member the smallest part that is changed."""
    first, last = edit.stretches[0][0].start, edit.stretches[-1][0].end
    around = [
        node.span
        for node in walk(formula.node)
        if node.span.start <= first and last <= node.span.end and node.span.start < node.span.end
    ]
    whole = formula.node.span
    span = min(around, key=lambda each: each.end - each.start, default=whole)
    if whole.end - whole.start <= _SHORT:
        span = whole
    old = formula.text[span.start : span.end]
    new = " ".join(edit.applied(old, span.start).split())
    return new, "" if span == whole else " ".join(old.split())

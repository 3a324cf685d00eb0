"""Layouts: under which convention for derivatives each step of a page holds, and which one the page means.

Contract. A layout is chosen for the reading only: what is said of a step in it is decided as of any other.
What a page does not tell is inferred from shapes and numbers, as the layout in which all those of its steps
hold that hold in some layout; their order makes no difference. A layout that is not usual is not taken for a
step against others of the page.
Vocabulary. A step *fits* a layout in which its sides have one shape and no number differs; it is *turned*
where a row stands for a column. A *stray* fits a layout other than that of the page around it. Layouts are
named as in `meaning.derivatives`; what a user reads calls `jacobian` numerator layout.
"""

from __future__ import annotations

import time
from bisect import bisect
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Literal

from sympy import Add, Expr, KroneckerDelta, Mul

from symderiv.document.model import Heading
from symderiv.judge.recall import Recall
from symderiv.judge.refute import differs, screen
from symderiv.kernel.terms import Index
from symderiv.meaning import Compared, compare
from symderiv.meaning.elaborator import FLAT
from symderiv.meaning.mentions import Mention, mentioned
from symderiv.meaning.model import Chain, Failure, Member, Page, Tensor
from symderiv.meaning.renaming import exchanged

Fit = Literal["straight", "turned"]

_SPOKEN = {
    "numerator": ("numerator", "jacobian"),
    "denominator": ("denominator",),
    "gradient": ("gradient",),
}
"""What a page may mean by the name of a layout."""
USUAL = ("gradient", "jacobian")
"""Layouts that a page may have without a word."""
ALL = (*USUAL, "denominator", "numerator")
_TURNING = {
    "gradient": ("jacobian",),
    "curve": ("denominator",),
    "jacobian": ("denominator", "jacobian"),
    "matrix": ("numerator",),
    "mixed": ("jacobian",),
}
"""For each kind of derivative, the layouts that may turn it."""
_SIDES = ("row", "column")
_CLEAR = 3
"""So many steps, and so many times as many as those against it, make an unusual layout the page's."""
_SECONDS = 5.0
"""What the inference may take for a page, in seconds of the processor."""
_ONE = 1.0
"""And what one look at numbers may take, by the clock."""


def shown(layout: str) -> str:
    """Return what a user reads for a layout."""
    return "numerator" if layout == "jacobian" else layout


@dataclass(frozen=True, slots=True)
class Place:
    """How one step is read that depends on the layout."""

    read: str
    """The layout in which it is judged."""
    name: str
    """What a user reads for the layout in which it holds."""
    around: tuple[str, ...] = ()
    """For a stray: what a user reads for the layouts in which the others hold."""
    stray: bool = False
    """It does not hold in the layout of the page around it."""
    granted: bool = False
    """A stray whose layout is that of its section, or one that the page speaks of before it."""
    blamed: bool = False
    """A stray that stays blamed in the layout of the page, and is told in which it holds."""
    late: bool = False
    """The layouts were not tried: the page has too much for it."""
    first: bool = False
    """It is the first of those that make the layout of the page an unusual one."""
    others: tuple[int, ...] = ()
    """For a stray, steps that hold in the layout of the page only; else those that hold in the same only."""
    elsewhere: tuple[int, ...] = ()
    """The steps of other sections that do not hold in this layout; their layouts are `around`."""
    spoken: Mention | None = None
    """The layout that the page speaks of, where that is another."""


@dataclass(frozen=True, slots=True)
class Layouts:
    """The layout in which a page is read, its name, and how the steps are read that depend on one."""

    page: str
    name: str
    places: dict[int, Place] = field(default_factory=dict)


def inferred(page: Page, elaborated: Callable[[str], Page], recall: Recall) -> Layouts:
    """Return the layout of a page and of its steps; `elaborated` gives the page in another layout.

    What is evaluated of the page as it is goes to `recall`, for those who judge it.
    """
    steps = [at for at, each in enumerate(page.statements) if each.kind == "claim" and _kinds(page, at)]
    if not steps or page.document is None:
        return Layouts(page.layout, page.layout)
    trial = _Trial(elaborated, page.layout, {page.layout: page}, time.process_time() + _SECONDS, recall)
    told = mentioned(page.document)
    parts: dict[Mention | None, list[int]] = {}
    for step in steps:
        parts.setdefault(told(page.statements[step].span.start), []).append(step)
    found = [each for mention, part in parts.items() for each in _parts(trial, mention, part)]
    if trial.late:
        late = Place(page.layout, page.layout, late=True)
        return Layouts(page.layout, page.layout, dict.fromkeys(steps, late))
    names = {(part.read, shown(part.layout)) for part in found}
    read, name = names.pop() if len(names) == 1 else (page.layout, page.layout)
    return Layouts(read, name, {step: place for part in found for step, place in part.places()})


@dataclass(slots=True, eq=False)
class _Trial:
    """Tries the steps of a page in one layout after the other."""

    elaborated: Callable[[str], Page]
    base: str
    pages: dict[str, Page]
    deadline: float
    recall: Recall
    late: bool = False
    exact: bool = False
    """Shapes are not enough in any layout: a step that is false in all must speak for none."""
    _known: dict[tuple[str, int], Fit | None] = field(default_factory=dict)
    across: dict[int, bool] = field(default_factory=dict)
    """For a derivative that layouts make a row or a column: whether a step writes it across its variable."""

    def page(self, layout: str) -> Page:
        """Return the page, elaborated in a layout."""
        if layout not in self.pages:
            self.pages[layout] = self.elaborated(layout)
        return self.pages[layout]

    def must_be_exact(self) -> None:
        """Ask for numbers from now on, where shapes have told a step to fit."""
        self.exact = True
        self._known = {key: fit for key, fit in self._known.items() if fit is None}

    def fit(self, layout: str, step: int) -> Fit | None:
        """Return how a step fits a layout, or None."""
        if (layout, step) not in self._known:
            self._known[layout, step] = self._fit(layout, step)
        return self._known[layout, step]

    def _fit(self, layout: str, step: int) -> Fit | None:
        page = self.page(layout)
        chain, right = _member(page, step)
        for left in self._lefts(layout, step) if isinstance(right.value, Tensor) else ():
            assert isinstance(left.value, Tensor)
            assert isinstance(right.value, Tensor)
            compared = compare(page.statements[step], chain, left.value, right.value, right)
            if isinstance(compared, Compared) and (
                self._told_by_shapes(left, right) or self._agrees(compared, layout)
            ):
                if compared.conventional:
                    nabla = "nabla" in left.oriented | right.oriented
                    rows = layout in ("jacobian", "numerator") and not nabla
                    self.across[step] = compared.turned != rows
                return "turned" if compared.turned else "straight"
        return None

    def _lefts(self, layout: str, step: int) -> Iterator[Member]:
        """Yield what a step may be compared with: its neighbour, and the last member that fits."""
        page = self.page(layout)
        statement = page.statements[step]
        chain, _ = _member(page, step)
        claims = {
            each.member: at
            for at, each in enumerate(page.statements[:step])
            if each.chain == statement.chain and each.kind == "claim"
        }
        last = statement.member or 0
        for at in range(last - 1, -1, -1):
            good = at not in claims or self.fit(layout, claims[at]) is not None
            if isinstance(chain.members[at].value, Tensor) and (good or at == last - 1):
                yield chain.members[at]
                if good:
                    return

    def _told_by_shapes(self, left: Member, right: Member) -> bool:
        """Tell whether sides of one shape need no numbers: in a layout that turns one they have not."""
        if left.oriented | right.oriented <= FLAT:
            return True
        assert isinstance(left.value, Tensor)
        return not self.exact and _is_oblong(left.value)

    def _agrees(self, compared: Compared, layout: str = "") -> bool:
        """Tell whether no number speaks against a step; of the page as it is, the judge asks that again."""
        self.late = self.late or time.process_time() > self.deadline
        if self.late:
            return False
        end = time.monotonic() + _ONE
        if layout == self.base:
            return screen(compared.goal, deadline=end, extent="brief", recall=self.recall).witness is None
        return not differs(compared.goal, deadline=end, recall=self.recall)

    def depends(self, step: int) -> bool:
        """Tell whether some other layout does not fit a step that fits the usual one."""
        page = self.page(self.base)
        _, right = _member(page, step)
        left = next(self._lefts(self.base, step), None)
        if left is None or not isinstance(left.value, Tensor) or not isinstance(right.value, Tensor):
            return False
        kinds = left.oriented | right.oriented
        if step in self.across:
            return self.across[step] or "gradient" in kinds
        turning = [each for each in (left, right) if each.oriented & {"matrix", "jacobian"}]
        if kinds <= FLAT:
            return ("curve" in left.oriented) != ("curve" in right.oriented)
        if left.value.rank == 1 and "jacobian" in kinds:
            return True
        if left.value.rank > 1 and len(turning) == 1 and "name" not in kinds:
            other = right if turning[0] is left else left
            return _is_oblong(left.value) or not _is_symmetric(other.value)
        return self._moves(page, step, left, right)

    def _moves(self, page: Page, step: int, left: Member, right: Member) -> bool:
        """Tell whether a step changes where its members are read in another layout."""
        chain, _ = _member(page, step)
        at = page.statements[step].chain
        assert at is not None
        kinds = left.oriented | right.oriented
        for layout in dict.fromkeys(name for kind in kinds for name in _TURNING.get(kind, ())):
            values = [self._under(page, at, each, layout) for each in (left, right)]
            if values[0] is None or values[1] is None:
                return True
            if not (_moved(left.value, values[0]) or _moved(right.value, values[1])):
                continue
            compared = compare(page.statements[step], chain, values[0], values[1], right)
            if not isinstance(compared, Compared) or compared.turned or not self._agrees(compared):
                return True
        return False

    @staticmethod
    def _under(page: Page, chain: int, member: Member, layout: str) -> Tensor | None:
        """Return what a member of a chain is in another layout, or None."""
        value: Tensor | Failure | None = member.value
        if member.oriented and page.reread is not None:
            reading = page.reread.under(chain, page.chains[chain].members.index(member), layout)
            value = reading.value if reading is not None else None
        return value if isinstance(value, Tensor) else None


def _is_oblong(value: Tensor) -> bool:
    """Tell whether a tensor is a matrix of which the transpose has another shape."""
    return value.rank == len(set(value.dimensions)) == len(_SIDES)


def _moved(old: Tensor | Failure, new: Tensor) -> bool:
    """Tell whether the reading of a member in another layout differs."""
    if not isinstance(old, Tensor) or old.rank != new.rank or (new.row != old.row and not new.convention):
        return True
    return exchanged(new.body, dict(zip(new.slots, old.slots, strict=True))) != old.body


def _is_symmetric(value: Tensor | Failure) -> bool:
    """Tell whether a matrix is its own transpose, as far as its terms show."""
    if not isinstance(value, Tensor) or value.rank != len(_SIDES):
        return False
    first, second = value.slots
    terms = Add.make_args(value.body)
    turned = [exchanged(term, {first: second, second: first}) for term in terms]
    sides = [Counter(_at_delta(term, first, second) for term in each) for each in (terms, turned)]
    return sides[0] == sides[1]


def _at_delta(term: Expr, first: Index, second: Index) -> Expr:
    """Write one index for another where a term has a factor that is zero unless they are equal."""
    delta = KroneckerDelta(first, second)
    if delta not in Mul.make_args(term):
        return term
    return Mul(delta, *(exchanged(each, {second: first}) for each in Mul.make_args(term) if each != delta))


def _parts(trial: _Trial, mention: Mention | None, steps: list[int]) -> list[_Part]:
    """Return the steps as one part, or section by section where only that makes each part consistent."""
    whole = _Part(trial, mention, steps)
    page = trial.page(trial.base)
    if whole.is_whole or mention is not None or page.document is None:
        return [whole]
    headings = [item.span.start for item in page.document.items if isinstance(item, Heading)]
    sections: dict[int, list[int]] = {}
    for step in steps:
        section = bisect(headings, page.statements[step].span.start)
        sections.setdefault(section, []).append(step)
    found = [_Part(trial, None, section) for section in sections.values()]
    if not all(part.stands_alone for part in found):
        return [whole]
    for part in found:
        part.others = [other for other in found if other is not part]
    return found


class _Part:
    """The steps of a page, those of a section, or those of the parts of it that speak of one layout."""

    def __init__(self, trial: _Trial, mention: Mention | None, steps: list[int]) -> None:
        self.trial = trial
        self.mention = mention
        self.steps = steps
        self.apart = mention is not None
        """Other layouts than the usual one were tried."""
        self.fits = self._fits()
        self.layout = self._layout()
        self.read = self.layout if self.apart else trial.base
        self.others: list[_Part] = []
        """The other sections of the page, where each has a layout of its own."""

    @property
    def is_whole(self) -> bool:
        """Whether all steps fit the layout as it is."""
        return all(fits.get(self.layout) == "straight" for fits in self.fits.values())

    @property
    def stands_alone(self) -> bool:
        """Whether all steps fit the layout, and an unusual one does not rest on one step only."""
        told = [each for each in self.fits.values() if all(each.get(name) != "straight" for name in USUAL)]
        return self.is_whole and (self.layout in USUAL or len(told) > 1)

    def _fits(self) -> dict[int, dict[str, Fit]]:
        """Return how each step fits those layouts that were tried; only steps that fit one are told."""
        first = {step: self.trial.fit(self.trial.base, step) for step in self.steps}
        lost = [step for step, fit in first.items() if fit is None]
        self.apart = self.apart or any(self.trial.fit(name, step) for step in lost for name in ALL)
        if not self.apart:
            return {step: self._usual(step, fit) for step, fit in first.items() if fit is not None}
        self.trial.must_be_exact()
        fits = {step: {name: self.trial.fit(name, step) for name in ALL} for step in self.steps}
        held = {step: {name: fit for name, fit in each.items() if fit} for step, each in fits.items()}
        return {step: each for step, each in held.items() if each}

    def _usual(self, step: int, fit: Fit) -> dict[str, Fit]:
        """Return how a step that fits the usual layout fits the other that a page may have without a word."""
        row = self.trial.across.get(step)
        if row is None:
            return {"gradient": fit, "jacobian": fit}
        column: Fit = "turned" if row else "straight"
        return {"gradient": column, "jacobian": "straight" if row else "turned", "denominator": column}

    def _layout(self) -> str:
        """Return the layout that the steps fit; an unusual one has all of them for it, or nearly all."""
        fits = self.fits.values()
        if self.mention is not None and self.mention.firm:
            told = self.mention.layout
            keeps = told == "numerator" and self._misfits("jacobian") < self._misfits(told)
            return "jacobian" if keeps else told
        wanted = () if self.mention is None else _SPOKEN[self.mention.layout]
        names = list(dict.fromkeys((*wanted, *ALL)))
        if not self._turns_matrices() and "numerator" not in wanted:
            names.remove("numerator")
        if wanted:
            names = [name for name in names if name in wanted or name in USUAL]
        for name in names:
            if all(each.get(name) == "straight" for each in fits):
                return name
        for name in names:
            for_it = [each for each in fits if name in each and not each.keys() & {*USUAL}]
            against = [each for each in fits if each.get(name) != "straight"]
            if name not in USUAL and len(for_it) >= _CLEAR * max(len(against), 1):
                return name
        return min((*wanted, *USUAL), key=self._misfits)

    def _turns_matrices(self) -> bool:
        """Tell whether a page may mean that the derivative by a matrix is transposed.

        It is far more often an error. A page of rows may, or one that has several such steps.
        """
        rows = any(step in self.fits and across for step, across in self.trial.across.items())
        rows = rows or any("jacobian" in each and "gradient" not in each for each in self.fits.values())
        alone = [each for each in self.fits.values() if each.keys() == {"numerator"}]
        return rows or len(alone) >= _CLEAR

    def _misfits(self, name: str) -> tuple[int, int]:
        """Return how many steps do not fit a layout at all, and how many are turned in it."""
        found = [fits.get(name) for fits in self.fits.values()]
        return found.count(None), found.count("turned")

    def places(self) -> Iterator[tuple[int, Place]]:
        """Yield each step that depends on the layout, and how it is read."""
        told = self.mention is not None and shown(self.layout) == self.mention.layout
        telling = [step for step in self.telling() if self.fits[step].get(self.layout) == "straight"]
        first = replace(Place(self.read, shown(self.layout)), first=not told, others=tuple(telling[1:]))
        if self.others:
            first = self._beside(first)
        for step, fits in self.fits.items():
            fit = fits.get(self.layout)
            if fit != "straight":
                yield step, self._stray(step, fit)
            elif step in telling:
                yield step, first if step == telling[0] else Place(self.read, shown(self.layout))
            elif self._depends(step):
                yield step, Place(self.read, shown(self.layout))

    def telling(self) -> list[int]:
        """Return the steps that do not fit the usual layout."""
        return [step for step, fits in self.fits.items() if fits.get("gradient") != "straight"]

    def _beside(self, place: Place) -> Place:
        """Return the place of the first step of a section, with what the other sections have."""
        others = [part for part in self.others if part.layout != self.layout]
        against = [
            step for part in others for step, fits in part.fits.items() if fits.get(self.layout) != "straight"
        ]
        around = dict.fromkeys(shown(part.layout) for part in others)
        return replace(place, around=tuple(around), elsewhere=tuple(against))

    def _depends(self, step: int) -> bool:
        if self.apart:
            return any(self.fits[step].get(name) != "straight" for name in ALL)
        return self.trial.depends(step)

    def _stray(self, step: int, fit: Fit | None) -> Place:
        """Return how a step is read that is not as the layout of the page has it."""
        fits = self.fits[step]
        if fit == "turned":
            own = "jacobian" if self.trial.across.get(step) else "denominator"
        else:
            own = min(fits, key=lambda name: (fits[name] != "straight", ALL.index(name)))
        others = [
            other
            for other, each in self.fits.items()
            if each.get(self.layout) == "straight" and each.get(own) != "straight" and other != step
        ]
        alone = [other for other, each in self.fits.items() if each.keys() == {own}]
        firm = self.mention is not None and self.mention.firm
        return Place(
            read=self.read if fit == "turned" else own,
            name=shown(own),
            around=self._around(others, own),
            stray=True,
            granted=fit == "turned" or self._granted(own),
            blamed=fit is None and (firm or (own == "numerator" and (bool(others) or len(alone) == 1))),
            others=tuple(others),
            spoken=None if firm else self.mention,
        )

    def _around(self, others: list[int], own: str) -> tuple[str, ...]:
        """Return what a user reads for the layouts in which some steps hold, and another step does not."""
        every = [name for name in ALL if all(self.fits[other].get(name) == "straight" for other in others)]
        found = {shown(name): None for name in every if others and shown(name) != shown(own)}
        return tuple(found) or (shown(self.layout),)

    def _granted(self, own: str) -> bool:
        """Tell whether a layout is spoken of before a step that holds in it."""
        return self.mention is not None and not self.mention.firm and self.mention.layout == shown(own)


def _member(page: Page, step: int) -> tuple[Chain, Member]:
    """Return the chain of a step, and its member."""
    statement = page.statements[step]
    assert statement.chain is not None
    assert statement.member is not None
    chain = page.chains[statement.chain]
    return chain, chain.members[statement.member]


def _kinds(page: Page, step: int) -> frozenset[str]:
    """Return the kinds of derivatives of which a step may depend on the layout."""
    chain, _ = _member(page, step)
    members = chain.members[: (page.statements[step].member or 0) + 1]
    return frozenset[str]().union(*(member.oriented for member in members))

"""Twins: every step of the library in wrong forms, what the numbers say of each, and what symderiv says.

    python tests/twins.py [--most N] [PAGE ...]

prints how many twins are refuted, and lists those that are neither refuted nor true. Nothing knows a page.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from corruption import chosen
from pages import DERIVATIONS, update_step
from second_opinion import Judge, Step, Unreadable, steps

from symderiv.judge.check import open_page

_NOTED = frozenset({"SD104", "SD107"})
MOST = 12
"""Wrong forms of each step."""


@dataclass(frozen=True)
class Twin:
    """A step with a wrong right side, the rule that made it, what the numbers and symderiv say of it."""

    page: str
    step: str
    latex: str
    rule: str
    truth: str
    verdict: str
    noted: bool = False
    """symderiv says how it reads what is written: entry by entry, or in another layout."""

    @property
    def is_proved(self) -> bool:
        """It is proved, and the numbers do not say that it is true after all.

        The second reader knows no product of columns and one layout only: what it cannot form may be proved
        in a reading that symderiv names.
        """
        fair = self.noted and self.truth.startswith("ill-formed")
        return self.verdict == "proved" and self.truth != "true" and not fair

    @property
    def is_missed(self) -> bool:
        """It is false, and symderiv does not say so."""
        return self.truth == "false" and self.verdict not in {"refuted", "ill-typed"}

    def __str__(self) -> str:
        return f"{self.truth}, {self.verdict}: {self.page}, {' '.join(self.step.split())}   [{self.rule}]"


def library() -> list[Path]:
    """Return the files of the library, those that take long first."""
    return sorted(DERIVATIONS.rglob("*.md"), key=lambda file: -file.stat().st_size)


def claims(file: Path) -> list[Step]:
    """Return the steps of a page that symderiv takes for claims, in prose or displayed."""
    text = file.read_text(encoding="utf-8")
    places = {each.span.start for each in open_page(file.name, text).page.statements if each.kind == "claim"}
    return [step for step in steps(file.stem, text) if step.place in places]


def verdict(step: Step, latex: str) -> tuple[str, bool]:
    """Return symderiv's verdict on a step with another right side, and whether it names a reading of it.

    The steps before it count as proved.
    """
    session = open_page("page.md", step.with_right(latex))
    page = session.outline()
    end = step.start + max(len(latex), 1)
    for number, each in enumerate(session.page.statements):
        if each.span.start < end and each.span.end > step.start and each.kind in {"claim", "unread"}:
            if each.kind == "unread":
                return "unread", False
            for before in page["statements"][:number]:
                before["verdict"] = "proved" if before["kind"] == "claim" else None
            found = update_step(session, page, number)
            return str(found["verdict"]), bool(_NOTED & {one["code"] for one in found["diagnostics"]})
    return "no claim", False


def twins(step: Step, which: slice = slice(MOST)) -> Iterator[Twin]:
    """Give the twins of a step, or some of them."""
    judge = Judge(step)
    for rule, latex in chosen(step.right, which.stop)[which]:
        try:
            truth = judge.opinion(latex).word
        except Unreadable as error:
            truth = f"unread ({error})"
        told, noted = verdict(step, latex)
        name, claim = f"{step.page}, {step.section}", f"{step.members[-2]} = {latex}"
        yield Twin(name, claim, latex, rule, truth, told, noted)


def twins_of(file: Path, most: int = MOST) -> list[Twin]:
    """Return the twins of all claims of a page."""
    return [twin for step in claims(file) for twin in twins(step, slice(most))]


def report(found: Sequence[Twin]) -> Iterator[str]:
    """Give the lines of a report."""
    counts = Counter((twin.truth.partition(" (")[0], twin.verdict) for twin in found)
    for (truth, told), count in sorted(counts.items()):
        yield f"{count:6}  {truth}, {told}"
    proved = [twin for twin in found if twin.is_proved]
    false = [twin for twin in found if twin.truth == "false"]
    missed = [twin for twin in false if twin.is_missed]
    neither = [
        twin
        for twin in found
        if twin.truth not in {"true", "false"} and twin.verdict not in {"refuted", "ill-typed"}
    ]
    yield from (f"PROVED  {twin}" for twin in proved)
    yield from (
        f"blamed  {twin}"
        for twin in found
        if twin.truth == "true" and twin.verdict in {"refuted", "ill-typed"}
    )
    yield from (f"missed  {twin}" for twin in missed)
    yield from (f"neither {twin}" for twin in neither if not twin.is_proved)
    share = 100 * (1 - len(missed) / len(false)) if false else 100.0
    refuted = len(false) - len(missed)
    yield f"{len(found)} twins: {len(proved)} proved, {refuted} of {len(false)} false ones refuted"
    yield f"{share:.1f} % refuted"


def refuted_share(found: Sequence[Twin]) -> float:
    """Return which part of the false twins is refuted."""
    false = [twin for twin in found if twin.truth == "false"]
    return sum(not twin.is_missed for twin in false) / max(len(false), 1)


def _page(task: tuple[Path, int]) -> list[Twin]:
    return twins_of(*task)


def all_twins(files: Sequence[Path], most: int = MOST, *, progress: bool = False) -> list[Twin]:
    """Return the twins of some pages, worked out on all cores; a line is printed when a page is done."""
    found: list[Twin] = []
    with ProcessPoolExecutor(max_workers=min(os.cpu_count() or 1, len(files) or 1)) as pool:
        for file, twins_ in zip(files, pool.map(_page, [(file, most) for file in files]), strict=True):
            found += twins_
            if progress:
                missed = sum(twin.is_missed for twin in twins_)
                proved = sum(twin.is_proved for twin in twins_)
                print(f"{file.stem}: {len(twins_)} twins, {missed} missed, {proved} proved", flush=True)
    return found


def main() -> None:
    """Print the report."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0] if __doc__ else "")
    parser.add_argument("pages", nargs="*", help="names of pages; none: the whole library")
    parser.add_argument("--most", type=int, default=MOST, help="wrong forms of each step")
    chosen_ = parser.parse_args()
    files = [file for file in library() if not chosen_.pages or file.stem in chosen_.pages]
    found = all_twins(files, chosen_.most, progress=True)
    sys.stdout.writelines(f"{line}\n" for line in report(found))
    sys.exit(any(twin.is_proved for twin in found))


if __name__ == "__main__":
    main()

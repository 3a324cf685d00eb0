"""The library's speed against its targets: `python -m tests.benchmarks.bench_library`.

Kernel time is the time of `prove` on the goal of a step, warm, the better of two. The library as a whole is
timed as a user runs it, with reading and the cross-check: the CPU time of the command and of its worker,
beside that of `python -c "import sympy"`. Each figure is printed with its target; the status is 1 where one
is missed.
"""

from __future__ import annotations

import os
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from unittest import mock

from symderiv.judge import decision
from symderiv.judge.check import Session, open_page
from symderiv.kernel.equality import Proved, prove
from symderiv.kernel.memory import Memory
from symderiv.kernel.terms import Goal

ROOT = Path(__file__).resolve().parents[2]
LIBRARY = ROOT / "derivations"
ROUNDS = 9
MEDIAN, MOST, WHOLE, SIZES = 0.010, 0.100, 40.0, 1.20

PAGE = r"""# Layer normalisation of declared size

Let $x \in \mathbb{R}^{SIZE}$, $g \in \mathbb{R}^{SIZE}$ and $\epsilon > 0$.

$$ \mu = \frac{1}{SIZE} \sum_{i=1}^{SIZE} x_i $$

$$ \sigma = \sqrt{\frac{1}{SIZE} \sum_{i=1}^{SIZE} (x_i - \mu)^2 + \epsilon} $$

$$ h_i = \frac{x_i - \mu}{\sigma} $$

$$ p_i = \frac{e^{h_i}}{\sum_{k=1}^{SIZE} e^{h_k}} $$

$$ L = \sum_{i=1}^{SIZE} g_i h_i $$

$$ \sum_{i=1}^{SIZE} h_i = 0 $$

$$ \frac{\partial p_j}{\partial h_i} = p_i (\delta_{ij} - p_j) $$

$$
\frac{\partial L}{\partial x_i} = \frac{1}{\sigma} \left( g_i - \frac{1}{SIZE} \sum_{j=1}^{SIZE} g_j
  - h_i \frac{1}{SIZE} \sum_{j=1}^{SIZE} g_j h_j \right)
$$
"""


def main() -> int:
    """Print the figures beside their targets."""
    goals = list(library())
    times = {place: kernel_time(goal) for place, goal in goals}
    named = {
        place: took
        for place, took in times.items()
        if place.startswith(("attention/", "normalisation/layer"))
    }
    slowest = max(named, key=lambda place: named[place])
    everywhere = max(times, key=lambda place: times[place])
    median = statistics.median(times.values())
    good = [
        told(f"median of {len(times)} library steps, kernel", median, MEDIAN, "s"),
        told(f"slowest attention or layer norm step ({slowest})", named[slowest], MOST, "s"),
    ]
    print(f"{'':6}{'slowest step of all (' + everywhere + ')':66}{times[everywhere]:9.4f} s")
    good += [whole(), *sizes()]
    return 0 if all(good) else 1


def told(what: str, figure: float, target: float, unit: str) -> bool:
    """Print a figure and its target."""
    passed = figure <= target
    print(f"{'ok' if passed else 'MISSED':8}{what:64}{figure:9.4f} {unit} (at most {target:g})", flush=True)
    return passed


# -- the kernel


def library() -> Iterator[tuple[str, Goal]]:
    """Yield every goal that the library sets the kernel and that it proves, with its page and line."""
    for file in sorted(LIBRARY.glob("*/*.md")):
        session = open_page(file.name, file.read_text(encoding="utf-8"))
        source = session.page.source
        for at, statement in enumerate(session.page.statements):
            if statement.kind == "claim":
                place = f"{file.relative_to(LIBRARY)}:{source.position(statement.span.start)[0]}"
                yield from ((f"{place}.{at}", goal) for goal in goals_of(session, at))


def goals_of(session: Session, at: int) -> list[Goal]:
    """Return the goals that are proved in judging one step."""
    asked: list[Goal] = []

    def remember(goal: Goal, memory: Memory | None = None) -> object:
        outcome = prove(goal, memory)
        if isinstance(outcome, Proved):
            asked.append(goal)
        return outcome

    with mock.patch.object(decision, "prove", remember), mock.patch.object(decision, "screen", nothing_seen):
        session.judge(at, [None] * at)
    return asked


def nothing_seen(*_: object, **__: object) -> decision.Screening:
    """Stand in for the cross-check."""
    return decision.Screening(reason="not looked at")


def kernel_time(goal: Goal) -> float:
    """Return the seconds of a proof, warm."""
    took = []
    for _ in range(2):
        started = time.process_time()
        prove(goal)
        took.append(time.process_time() - started)
    return min(took)


# -- the command


def whole() -> bool:
    """Compare the whole library with the import of SymPy."""
    imports = statistics.median(child_time([sys.executable, "-c", "import sympy"]) for _ in range(5))
    verify = [sys.executable, "-m", "symderiv", "verify", str(LIBRARY)]
    ours = min(child_time(verify) for _ in range(2))
    return told(f"whole library / import sympy ({ours:.1f} s / {imports:.2f} s)", ours / imports, WHOLE, "×")


def child_time(command: list[str]) -> float:
    """Return the CPU seconds of a command and its children."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, env=environment)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


# -- declared sizes


def sizes() -> Iterator[bool]:
    """Compare a page of size 4 with one of size 4096, turn by turn."""
    small, large = (PAGE.replace("SIZE", size) for size in ("4", "4096"))
    for what, timed in (("kernel", proving), ("page, cross-check included", judging)):
        took: dict[str, list[float]] = {small: [], large: []}
        for _ in range(ROUNDS):
            for page, times in took.items():
                times.append(timed(page))
        ratio = statistics.median(took[large][1:]) / statistics.median(took[small][1:])
        yield told(f"declared size 4096 / size 4, {what}", ratio, SIZES, "×")


def proving(page: str) -> float:
    """Return the seconds that the kernel takes for a page."""
    session = open_page("page.md", page)
    goals = [goal for at in claims(session) for goal in goals_of(session, at)]
    assert len(goals) == len(claims(session))
    return sum(kernel_time(goal) for goal in goals)


def judging(page: str) -> float:
    """Return the seconds from the text of a page to its verdicts."""
    started = time.process_time()
    session = open_page("page.md", page)
    verdicts = [session.judge(at, [None] * at)["verdict"] for at in claims(session)]
    took = time.process_time() - started
    assert set(verdicts) == {"proved"}, verdicts
    return took


def claims(session: Session) -> list[int]:
    """Return the places of a page's claims."""
    return [at for at, each in enumerate(session.page.statements) if each.kind == "claim"]


if __name__ == "__main__":
    sys.exit(main())

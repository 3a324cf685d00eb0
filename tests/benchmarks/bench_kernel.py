"""The kernel beside its peers on the same claims, in one run: `python -m tests.benchmarks.bench_kernel`.

Each claim is asked right and wrong (see `claims`). What is timed, warm, the median of several:
  kernel      `prove` from SymPy terms to its answer; no result is kept from one call to the next;
  page        from LaTeX text to the verdict of the whole page, the numerical cross-check or witness included;
  tensorgrad  from its terms to its answer, in that of its ways (see `in_tensorgrad`) which decides the right
              claim correctly in the least time.
Beside them stands plain SymPy with explicit matrices, at two sizes, in a child process that is given up after
LIMIT seconds. Without tensorgrad (`pip install torch==2.13.0 --index-url https://download.pytorch.org/whl/cpu`,
then `pip install -e '.[bench]'`) the rest is printed.
"""

from __future__ import annotations

import gc
import math
import os
import platform
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import sympy

from symderiv.judge.check import Session, open_page
from symderiv.kernel.equality import Proved, prove
from symderiv.kernel.terms import Goal
from symderiv.meaning import Compared, compare
from symderiv.meaning.model import Tensor
from tests.benchmarks.claims import CLAIMS, IDENTITIES, VANISHING, Claim

try:
    from tests.benchmarks import in_tensorgrad as peer
except ImportError as missing:
    peer = None
    ABSENT = str(missing)

ROUNDS, LEAST = 15, 3
PATIENCE = 4.0
"""Seconds after which a median is taken of fewer rounds, but of no fewer than LEAST."""
LIMIT = 60.0
SIZES = (2, 4)
SEVERAL = 2
TARGET = 10.0


def main() -> int:
    """Print the tables; the status is 1 where a verdict is wrong or a row falls behind."""
    print(f"Python {platform.python_version()}, SymPy {sympy.__version__}, {os.cpu_count()} processors")
    if peer is None:
        print(f"tensorgrad is not installed ({ABSENT}): its columns are left out; see the head of this file")
    gc.collect()
    gc.freeze()
    good = [claims(), identities(), vanishing()]
    by_matrices()
    return 0 if all(good) else 1


# -- symderiv


def last_claim(session: Session) -> int:
    """Return the place of a page's last claim."""
    return [at for at, each in enumerate(session.page.statements) if each.kind == "claim"][-1]


def goal_of(session: Session) -> Goal:
    """Return the goal that the last claim of a page sets the kernel."""
    page = session.page
    claim = page.statements[last_claim(session)]
    assert claim.chain is not None
    assert claim.member is not None
    chain = page.chains[claim.chain]
    left, right = chain.members[claim.member - 1], chain.members[claim.member]
    assert isinstance(left.value, Tensor)
    assert isinstance(right.value, Tensor)
    compared = compare(claim, chain, left.value, right.value, right)
    assert isinstance(compared, Compared)
    return compared.goal


def verdict_of(text: str) -> str:
    """Return the verdict on the last claim of a page."""
    session = open_page("page.md", text)
    at = last_claim(session)
    return str(session.judge(at, [None] * at)["verdict"])


# -- the clock


def median(act: Callable[[], Any]) -> float:
    """Return the median of several calls in seconds of this process, after one that is not counted."""
    return median_of(lambda: None, lambda _: act())


def median_of(prepare: Callable[[], Any], act: Callable[[Any], Any]) -> float:
    """Return the median of several calls, what each is given made before its clock starts."""
    took: list[float] = []
    for at in range(ROUNDS + 1):
        given = prepare()
        started = time.process_time()
        act(given)
        if at:
            took.append(time.process_time() - started)
        if at >= LEAST and sum(took) > PATIENCE:
            break
    return statistics.median(took)


# -- the tables


def claims() -> bool:
    """Print one row for each claim and twin; tell whether every row is right and ahead."""
    head = f"{'milliseconds':26}{'twin':7}{'kernel':>8}{'page':>8}{'verdict':>10}"
    print("\n" + (head + f"{'tensorgrad':>12}{'ratio':>8}  {'right?':8}{'its way'}" if peer else head))
    ratios: list[float] = []
    well = True
    theirs = 0
    for claim in CLAIMS:
        way = way_of(claim) if peer else None
        for right in (True, False):
            text = claim.page(right=right)
            goal = goal_of(open_page("page.md", text))
            kernel, page = median(lambda goal=goal: prove(goal)), median(lambda text=text: verdict_of(text))
            verdict = verdict_of(text)
            well &= isinstance(prove(goal), Proved) is right
            well &= verdict == ("proved" if right else "refuted")
            row = f"{claim.name if right else '':26}{'right' if right else 'wrong':7}"
            row += f"{kernel * 1e3:8.2f}{page * 1e3:8.1f}{verdict:>10}"
            if way is not None:
                seconds, answer = in_tensorgrad(claim, way, right=right)
                agrees = answer is right
                theirs += agrees
                ratios.append(seconds / kernel)
                row += f"{seconds * 1e3:12.2f}{ratios[-1]:8.1f}  {'yes' if agrees else 'NO':8}{way.__name__}"
            print(row, flush=True)
    print(f"symderiv right in each row: {'yes' if well else 'NO'}")
    if not ratios:
        return well
    mean = math.exp(statistics.fmean(map(math.log, ratios)))
    print(f"tensorgrad right in {theirs} of {len(ratios)} rows")
    print(f"ahead in each row: {verdict_on(min(ratios) > 1)} (least {min(ratios):.1f})")
    print(f"geometric mean at least {TARGET:g} times ahead: {verdict_on(mean >= TARGET)} ({mean:.1f})")
    return well and min(ratios) > 1 and mean >= TARGET


def verdict_on(good: bool) -> str:
    """Return a word for a target."""
    return "yes" if good else "NO"


def way_of(claim: Claim) -> Callable[..., bool]:
    """Return the fastest of tensorgrad's ways that finds the right claim true, else its fastest."""
    build = peer.CLAIMS[claim.name]
    tried = []
    for way in peer.WAYS:
        found, took = False, math.inf
        for _ in range(SEVERAL):
            sides = build(right=True)
            started = time.process_time()
            found = way(*sides)
            took = min(took, time.process_time() - started)
        tried.append((not found, took, way))
    return min(tried, key=lambda one: one[:2])[2]


def in_tensorgrad(claim: Claim, way: Callable[..., bool], *, right: bool) -> tuple[float, bool]:
    """Return the seconds that one of tensorgrad's ways takes, and its answer."""
    build = peer.CLAIMS[claim.name]
    seconds = median_of(lambda: build(right=right), lambda sides: way(*sides))
    return seconds, way(*build(right=right))


def identities() -> bool:
    """Print what both tools say of identities that hold; tell whether all are proved."""
    print(f"\n{'true for every size and value':40}{'symderiv':>10}" + (f"{'tensorgrad':>12}" if peer else ""))
    theirs = peer.identities() if peer else {}
    well = True
    for identity in IDENTITIES:
        verdict = verdict_of(f"# Identity\n\n{identity.page}\n")
        well &= verdict == "proved"
        row = f"{identity.name:40}{verdict:>10}"
        if peer:
            answers = [way(*theirs[identity.name]) for way in peer.WAYS]
            row += f"{any(answers)!s:>12}"
        print(row)
    return well


def vanishing() -> bool:
    """Print what both tools say of a claim that fails at n = 1 and beyond 5 alone."""
    session = open_page("page.md", f"# False\n\n{VANISHING.page}\n")
    at = last_claim(session)
    found = session.judge(at, [None] * at)
    where = (found["witness"] or {}).get("sizes")
    row = f"\n{'false: ' + VANISHING.name:40}{found['verdict']:>10} at {where}"
    if peer:
        row += f"; tensorgrad simplified: {any(way(*peer.vanishing()) for way in peer.WAYS)}"
        row += f", sampled at sizes 2 to 5: {peer.sampled(*peer.vanishing())}"
    print(row)
    return found["verdict"] == "refuted"


def by_matrices() -> None:
    """Print plain SymPy's seconds at each size beside the kernel's for every size."""
    print(
        f"\n{'plain SymPy, seconds':26}{'twin':7}" + "".join(f"{f'n = {n}':>12}{'ratio':>9}" for n in SIZES)
    )
    for claim in CLAIMS:
        if claim.name not in ("softmax Jacobian", "layer norm, dx", "attention, dQ"):
            continue
        for right in (True, False):
            goal = goal_of(open_page("page.md", claim.page(right=right)))
            kernel = median(lambda goal=goal: prove(goal))
            row = f"{claim.name if right else '':26}{'right' if right else 'wrong':7}"
            for n in SIZES:
                seconds, answer = sympy_at(claim.name, n, right=right)
                more = "> " if answer is None else ""
                row += f"{more + format(seconds, '.2f'):>12}{more + format(seconds / kernel, '.0f'):>9}"
                row += "" if answer in (None, right) else " (NOT DECIDED)"
            print(row, flush=True)


def sympy_at(name: str, n: int, *, right: bool) -> tuple[float, bool | None]:
    """Return SymPy's seconds at one size and its answer; None where it was given up."""
    script = Path(__file__).with_name("in_sympy.py")
    command = [sys.executable, str(script), name, str(n), "right" if right else "wrong"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=LIMIT, check=True)
    except subprocess.TimeoutExpired:
        return LIMIT, None
    seconds, answer = done.stdout.split()
    return float(seconds), answer == "True"


if __name__ == "__main__":
    sys.exit(main())

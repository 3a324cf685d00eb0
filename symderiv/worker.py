"""The child process that judges: JSON lines in, JSON lines out.

Contract: after `{"ready": true}`, each line in gets one line out. `{"open": {path, text}}` is answered by
`{"outline": …}`, `{"judge": {step, earlier, seed}}` by `{"update": …}`, and `suggest` in place of `judge` by
`{"help": …}`; whatever goes wrong is answered by `{"error": {type, where, message}}`. The child ends when
its input does, also in the middle of a step, so it never outlives its parent. What is printed meanwhile goes
to standard error.
"""

from __future__ import annotations

import contextlib
import gc
import json
import os
import queue
import sys
import threading
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Protocol, TextIO

Json = dict[str, Any]
COLLECT = (50_000, 20, 20)
"""How many new objects are waited for until unreachable ones are looked for: terms are small and many."""
MEMORY = 2 << 30
"""Bytes of address space that a child may use, where the system can limit it."""


class Session(Protocol):
    """A page that is open: `symderiv.judge.check.open_page` gives one."""

    def outline(self) -> Json:
        """Return what the page holds, verdicts still to come."""

    def judge(self, step: int, earlier: list[str | None], seed: int) -> Json:
        """Return the verdict of one statement."""

    def suggest(self, step: int, earlier: list[str | None], seed: int) -> Json:
        """Return what would make a blamed statement true."""


Open = Callable[[str, str], Session]


def main() -> None:
    """Serve the judge on standard input and output."""
    limit_memory(MEMORY)
    with protocol_on_stdout() as out:
        try:
            from symderiv.judge.check import open_page
        except Exception as error:  # noqa: BLE001  reported to the parent, which says so and ends
            send(out, {"error": described(error)})
            return
        gc.freeze()
        gc.set_threshold(*COLLECT)
        serve(open_page, sys.stdin, out)


def limit_memory(size: int) -> None:
    """Limit the address space of this process, where the system knows how."""
    try:
        import resource
    except ImportError:
        return
    with contextlib.suppress(ValueError, OSError):
        _, hard = resource.getrlimit(resource.RLIMIT_AS)
        resource.setrlimit(
            resource.RLIMIT_AS, (size if hard == resource.RLIM_INFINITY else min(size, hard), hard)
        )


@contextlib.contextmanager
def protocol_on_stdout() -> Iterator[TextIO]:
    """Keep standard output for the protocol: what anything else prints goes to standard error."""
    with os.fdopen(os.dup(sys.stdout.fileno()), "w", encoding="utf-8", newline="\n") as out:
        os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
        yield out


def serve(open_page: Open, requests: TextIO, out: TextIO) -> None:
    """Answer requests until there are no more."""
    lines: queue.SimpleQueue[str] = queue.SimpleQueue()
    threading.Thread(target=_read, args=(requests, lines), daemon=True).start()
    session: Session | None = None
    send(out, {"ready": True})
    while True:
        request = json.loads(lines.get())
        try:
            if "open" in request:
                session = None
                session = open_page(request["open"]["path"], request["open"]["text"])
                answer = {"outline": session.outline()}
            elif "suggest" in request:
                assert session is not None
                ask = request["suggest"]
                answer = session.suggest(ask["step"], ask["earlier"], ask["seed"])
            else:
                assert session is not None
                ask = request["judge"]
                answer = {"update": session.judge(ask["step"], ask["earlier"], ask["seed"])}
            send(out, answer)
        except Exception as error:  # noqa: BLE001  one step that goes wrong does not end the run
            send(out, {"error": described(error)})


def _read(requests: TextIO, lines: queue.SimpleQueue[str]) -> None:
    """Pass lines on; at the end of the input end the process, whatever it is doing."""
    for line in requests:
        lines.put(line)
    os._exit(0)


def send(out: TextIO, answer: Json) -> None:
    """Write one line; numbers of NumPy and the like become plain ones."""
    text = json.dumps(answer, default=_plain)
    out.write(text + "\n")
    out.flush()


def _plain(value: Any) -> Any:
    if hasattr(value, "tolist"):
        return value.tolist()
    return str(value)


def described(error: BaseException) -> Json:
    """Return an exception's type, the last place in symderiv that it passed, and its first line."""
    frames = traceback.extract_tb(error.__traceback__)
    ours = [
        frame for frame in frames if "symderiv" in frame.filename and frame.filename != __file__
    ] or frames
    where = f"{Path(ours[-1].filename).name}:{ours[-1].lineno}" if ours else ""
    message = str(error).partition("\n")[0][:200]
    return {"type": type(error).__name__, "where": where, "message": message}


if __name__ == "__main__":
    main()

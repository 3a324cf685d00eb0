"""Options of the suite."""

from __future__ import annotations

from importlib.util import find_spec

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add `--update-cases`."""
    parser.addoption(
        "--update-cases", action="store_true", help="rewrite the output fences of tests/cases/*.md"
    )


def pytest_report_header() -> list[str]:
    """Say at the head of a run what is skipped, so that nothing is skipped unseen."""
    if find_spec("autograd") is not None:
        return []
    return ["NOTICE: autograd is absent (pip install -e '.[dev]'): the second opinion by autograd is skipped"]

"""Options of the suite."""

from __future__ import annotations

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add `--update-cases`."""
    parser.addoption(
        "--update-cases", action="store_true", help="rewrite the output fences of tests/cases/*.md"
    )

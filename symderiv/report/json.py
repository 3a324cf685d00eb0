"""The JSON format: one object, schema 1, strict JSON whatever the numbers are."""

from __future__ import annotations

import json
import math
from typing import Any

from symderiv.report.model import Report


def render(report: Report) -> str:
    """Return the report as JSON text, numbers that JSON lacks (NaN, infinities) as strings."""
    return json.dumps(_strict(report.to_json()), indent=2, ensure_ascii=False, allow_nan=False)


def _strict(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _strict(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [_strict(entry) for entry in value]
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    return value


def ascii_only(text: str) -> str:
    """Return JSON text with escapes for all that is not ASCII."""
    return json.dumps(json.loads(text), indent=2)

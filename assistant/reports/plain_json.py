"""Figures as JSON that every program reads: numbers that JSON has not become null."""

import json
from math import isfinite
from typing import Any


def to_json(value: Any) -> str:
    """JSON for plain values: numbers rounded to six places, null for nan and what is endless."""
    return json.dumps(_finite(value), ensure_ascii=False, indent=2)


def _finite(value: Any) -> Any:
    if isinstance(value, float):
        return round(value, 6) if isfinite(value) else None
    if isinstance(value, dict):
        return {key: _finite(each) for key, each in value.items()}
    return [_finite(each) for each in value] if isinstance(value, list | tuple) else value

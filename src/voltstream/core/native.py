"""Functions of our own that the store calls row by row."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class NativeFunction:
    """A scalar function written in Python.

    Shape: ``arguments`` and ``result`` are types as the store spells them. Law: the function is
    pure; a NULL argument gives NULL without a call, unless ``nulls`` says it wants to see them.
    """

    name: str
    arguments: tuple[str, ...]
    result: str
    compute: Callable[..., Any]
    nulls: bool = False

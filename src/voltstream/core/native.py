"""Functions of our own that the store calls row by row."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa


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


@dataclass(frozen=True, slots=True)
class BatchFunction:
    """A function of any number of arguments, called with columns.

    Shape: ``result`` is a type as the store spells it; the first argument is a constant.
    """

    name: str
    result: str
    compute: Callable[[Sequence[pa.Array[Any]]], pa.Array[Any]]

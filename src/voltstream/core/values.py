"""Values of parameters whose Python class alone does not tell their SQL type.

Shape: each is what its base class is to whoever does not ask; ``store_type`` is how the store
spells its type.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any


class TypedInteger(int):
    """An integer of a declared width."""

    store_type: str

    def __new__(cls, value: int, store_type: str) -> TypedInteger:
        made = super().__new__(cls, value)
        made.store_type = store_type
        return made


class TypedFloat(float):
    """A float of a declared width."""

    store_type: str

    def __new__(cls, value: float, store_type: str) -> TypedFloat:
        made = super().__new__(cls, value)
        made.store_type = store_type
        return made


class TypedText(str):
    """Text that spells a value of another type."""

    store_type: str

    def __new__(cls, value: str, store_type: str) -> TypedText:
        made = super().__new__(cls, value)
        made.store_type = store_type
        return made


class TypedList(list[Any]):
    """An array; ``store_type`` is that of the whole, with its dimensions."""

    def __init__(self, items: Iterable[Any], store_type: str) -> None:
        super().__init__(items)
        self.store_type = store_type


@dataclass(frozen=True, slots=True)
class TypedNull:
    """A NULL of a type, which stands for a parameter whose value is not known yet."""

    store_type: str

"""Tables of an origin, and those here that are kept like them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class FollowedTable:
    """A table that is kept like one of an origin, which ``origin`` names as it was written."""

    oid: int
    name: str
    origin: str
    properties: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class OriginTable:
    """What an origin's catalog says of a table: columns as (name, SQL type), and its key."""

    columns: Sequence[tuple[str, str]]
    key: Sequence[str]

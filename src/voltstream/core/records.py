"""The port through which the web proves and exports charge detail records."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol

Record = Mapping[str, Any]
Named = Callable[[str], Record | None]  # The record of an id: what a correction is a credit for.
ExportForm = Literal["csv", "ocpi-2.2.1", "ocpi-2.3"]


@dataclass(frozen=True, slots=True)
class Issuer:
    """Whose records an export names: two letters, three letters, a currency."""

    country: str = "ZZ"
    party: str = "VLT"
    currency: str = "EUR"


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether records are as they were issued. Shape: ``breaks`` are (chain_no, cdr_id, reason)."""

    records: int
    head: str
    breaks: Sequence[tuple[int, str, str]]


class RecordBook(Protocol):
    """What is known of records beside their rows."""

    @property
    def columns(self) -> Sequence[str]:
        """Return the columns that a record is read with, in order."""

    def verdict(self, records: Iterable[Record]) -> Verdict:
        """Follow the chain. ``records`` are all of them, in order of chain_no."""

    def export(
        self, records: Iterable[Record], form: ExportForm, issuer: Issuer, named: Named
    ) -> Iterator[str]:
        """Yield lines: CSV with a head, or an OCPI document each."""

"""What every sink does whose records are written anew before they are handed on."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence

from voltstream.core.ports import SinkRecord, SinkRefused, SinkTarget


class FramedSink(ABC):
    """Hands on what could be written; what could not is refused, and holds nothing else up."""

    def __init__(self, target: SinkTarget) -> None:
        self._target = target

    def deliver(self, records: Sequence[SinkRecord]) -> None:
        self._prepare()
        written: list[SinkRecord] = []
        refused: list[tuple[SinkRecord, str]] = []
        for record in records:
            try:
                written.append(self._framed(record))
            except ValueError as error:
                refused.append((record, f"its schema cannot hold it: {error}"))
        if written:
            self._target.deliver(written)
        if refused:
            raise SinkRefused(refused)

    def interrupt(self) -> None:
        self._target.interrupt()

    def close(self) -> None:
        self._target.close()

    @abstractmethod
    def _prepare(self) -> None:
        """Have a schema before the first record. Raises: SinkUnavailable."""

    @abstractmethod
    def _framed(self, record: SinkRecord) -> SinkRecord:
        """Return the record as it is sent. Raises: ValueError, what cannot be held."""

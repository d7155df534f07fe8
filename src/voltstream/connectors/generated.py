"""Source: rows made up at a steady rate, to try things without a broker (datagen)."""

from __future__ import annotations

import json
import random
import string
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from voltstream.connectors.properties import choice
from voltstream.connectors.window import OutstandingBatches
from voltstream.core.errors import InvalidParameter, VoltstreamError
from voltstream.core.ports import RawBatch, SourceFeed, Stopped
from voltstream.core.types import DataType, Kind

TICK_S = 0.1  # How often rows are made: a batch holds a tenth of a second.
RATE_MAX = 1_000_000  # Rows per second, about what one source can take in.
_PLACE = "row"
_SPAN = 1_000  # What a random number stays below where nothing bounds it.
_TEXT_LENGTH = 10
_INTEGERS = (Kind.INT2, Kind.INT4, Kind.INT8)
_FRACTIONS = (Kind.FLOAT4, Kind.FLOAT8, Kind.NUMERIC)
_MOMENTS = (Kind.TIMESTAMP, Kind.TIMESTAMPTZ)

Value = bool | int | float | str | None


@dataclass(frozen=True, slots=True)
class _Field:
    """How one column is made. A sequence begins again when it has no end."""

    name: str
    type: DataType
    sequence: bool
    low: float
    high: float | None
    length: int

    @property
    def rows(self) -> int | None:
        """Return how many rows the field lasts; None: for ever."""
        if not self.sequence or self.high is None:
            return None
        return max(int(self.high) - int(self.low) + 1, 0)

    def value(self, row: int, chance: random.Random) -> Value:
        if self.sequence:
            return int(self.low) + row
        high = self.low + _SPAN if self.high is None else self.high
        kind = Kind.UNKNOWN if self.type.array_depth else self.type.kind
        if kind in _INTEGERS:
            return chance.randint(int(self.low), int(high))
        if kind in _FRACTIONS:
            return round(chance.uniform(self.low, high), 4)
        if kind is Kind.BOOL:
            return chance.random() < 0.5
        if kind in (Kind.TEXT, Kind.VARCHAR):
            return "".join(chance.choices(string.ascii_letters + string.digits, k=self.length))
        past = datetime.now(UTC) - timedelta(seconds=chance.random() * 86_400)
        if kind is Kind.DATE:
            return past.date().isoformat()
        return past.isoformat() if kind in _MOMENTS else None


class GeneratedSource:
    """Makes ``datagen.rows.per.second`` rows, each field by ``fields.<column>.kind``.

    Law: row n is made once; a sequence goes on after a restart where it stood.
    """

    def __init__(self, feed: SourceFeed) -> None:
        self._owner = f'source "{feed.source}"'
        given = feed.properties
        self._rate = _number(given, "datagen.rows.per.second", 10, self._owner)
        if not 0 < self._rate <= RATE_MAX:
            raise InvalidParameter(f"{self._owner}: rows per second are 1 to {RATE_MAX}")
        self._fields = [
            _field(given, name, data_type, self._owner) for name, data_type in feed.columns.items()
        ]
        lasting = [field.rows for field in self._fields if field.rows is not None]
        self._rows_max = min(lasting) if lasting else None
        self._feed = feed
        self._stop = threading.Event()
        self._outstanding = OutstandingBatches(feed, self._stop)
        self._thread = threading.Thread(
            target=self._run, name=f"generated-source-{feed.source}", daemon=True
        )

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stop.set()
        if self._thread.is_alive() and self._thread is not threading.current_thread():
            self._thread.join()

    def _run(self) -> None:
        try:
            made = int(self._feed.offsets().get(_PLACE, "0"))
            self._feed.report("running", f"{self._rate:g} rows per second")
            first, begun_s = made, time.monotonic()
            while self._rows_max is None or made < self._rows_max:
                due = first + int((time.monotonic() - begun_s + TICK_S) * self._rate)
                # Late rows of a slow machine come in whole batches, never in one that is too big.
                end = min(due, made + int(self._rate) + 1, self._rows_max or due)
                if end > made:
                    self._outstanding.submit(self._batch(made, end))
                    made = end
                if self._stop.wait(TICK_S):
                    return
            self._outstanding.settle()
            self._feed.report("finished", f"{made} rows")
        except Stopped:
            return
        except VoltstreamError as error:
            self._feed.report("failed", error.message)

    def _batch(self, first: int, end: int) -> RawBatch:
        lines = [json.dumps(self._row(row)) for row in range(first, end)]
        payload = "".join(f"{line}\n" for line in lines).encode()
        return RawBatch("ndjson", payload=payload, offsets={_PLACE: str(end)}, position=f"{first}")

    def _row(self, row: int) -> dict[str, Value]:
        chance = random.Random(row)
        return {field.name: field.value(row, chance) for field in self._fields}


def _field(given: Mapping[str, str], name: str, data_type: DataType, owner: str) -> _Field:
    prefix = f"fields.{name}."
    kind = choice(given, f"{prefix}kind", ("random", "sequence"), owner)
    sequence = kind == "sequence"
    low = _number(given, prefix + ("start" if sequence else "min"), 0, owner)
    bound = prefix + ("end" if sequence else "max")
    high = _number(given, bound, 0, owner) if bound in given else None
    if high is not None and high < low:
        raise InvalidParameter(f'{owner}: "{bound}" is less than the lower end')
    length = int(_number(given, f"{prefix}length", _TEXT_LENGTH, owner))
    return _Field(name, data_type, sequence, low, high, length)


def _number(given: Mapping[str, str], name: str, default: float, owner: str) -> float:
    try:
        return float(given.get(name, default))
    except ValueError:
        raise InvalidParameter(f'{owner}: "{name}" is not a number') from None

"""How a source says that head-ends of smart meters write."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

MeterFormat = Literal["iec61968", "espi", "cmep", "nem12", "ami_csv", "ami_json"]
Stamp = Literal["start", "end"]
Dst = Literal["wall", "standard", "utc"]
DateOrder = Literal["mdy", "dmy"]


@dataclass(frozen=True, slots=True)
class MeterForm:
    """What the bytes of a head-end leave open.

    Units: ``interval_s`` seconds, 0 where the records say it themselves.
    """

    format: MeterFormat
    stamp: Stamp
    zone: str
    dst: Dst
    head_end: str = ""
    interval_s: int = 0
    date_order: DateOrder = "mdy"
    delimiter: str = ","
    consumption: str = "delivered_kwh"  # The channel of a column called consumption.
    sentinels: frozenset[float] = frozenset()  # Values that stand for a missing reading.
    names: Mapping[str, str] = field(default_factory=dict)  # Field of ours -> theirs.

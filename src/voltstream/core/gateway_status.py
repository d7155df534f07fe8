"""How a gateway without a database is."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class GatewayStatus:
    """What is told of a gateway.

    Shape: ``ready`` says that its doors are open and that the last record it appended is in the
    log; ``trouble`` says why not. ``appended`` and ``failed`` count records, ``waiting`` are those
    that the brokers have not answered for.
    """

    ready: bool
    trouble: str
    connected: int
    appended: int
    failed: int
    waiting: int
    commands: int

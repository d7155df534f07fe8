"""Periodic event streams of 2.1: what the number of a stream stands for.

A stream names a monitor, and a monitoring report says of which variable that is.
"""

from __future__ import annotations

from typing import Any

from voltstream.core.limits import OCPP_MONITORS_KEPT, OCPP_STREAMS_KEPT
from voltstream.ocpp.charger import Charger
from voltstream.ocpp.draft import part, small, text, whole
from voltstream.ocpp.frames import Json

ACTIONS = ("OpenPeriodicEventStream", "ClosePeriodicEventStream", "NotifyMonitoringReport")


def opened(charger: Charger, payload: Json) -> None:
    """Note what a stream is; beyond the limit its values are kept without a name."""
    stream_id = small(part(payload, "constantStreamData", "id"))
    if stream_id is None or len(charger.streams) >= OCPP_STREAMS_KEPT:
        return
    monitor = whole(part(payload, "constantStreamData", "variableMonitoringId"))
    charger.streams[stream_id] = monitor


def closed(charger: Charger, payload: Json) -> None:
    charger.streams.pop(small(payload.get("id")) or 0, None)


def monitored(charger: Charger, payload: Json) -> None:
    """Note of which variable each monitor is."""
    for one in _dicts(payload.get("monitor")):
        place = text(part(one, "component", "name")), text(part(one, "variable", "name"))
        for monitor in _dicts(one.get("variableMonitoring")):
            number = whole(monitor.get("id"))
            if number is not None and len(charger.monitors) < OCPP_MONITORS_KEPT:
                charger.monitors[number] = place


def about(charger: Charger, stream_id: int | None) -> dict[str, Any]:
    """Return the columns that tell what a stream is of."""
    monitor = charger.streams.get(stream_id or 0)
    component, variable = charger.monitors.get(monitor or 0, (None, None))
    return {"monitoring_id": monitor, "component": component, "variable": variable}


def again(charger: Charger, action: str, payload: Json) -> None:
    """Take note of a message that was stored before a restart."""
    {ACTIONS[0]: opened, ACTIONS[1]: closed, ACTIONS[2]: monitored}[action](charger, payload)


def _dicts(value: Any) -> list[Json]:
    return [one for one in (value if isinstance(value, list) else ()) if isinstance(one, dict)]

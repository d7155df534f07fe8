"""Sessions that nobody ended: closed by what shows that they are over, and marked as estimated.

A transaction whose end is lost would else have no record of charge for ever. Its real end, should
it come after all, replaces the estimate.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from voltstream.ocpp.charger import ABANDONED, Charger, Session
from voltstream.ocpp.clock_offset import CLOCK_FINE_US
from voltstream.ocpp.draft import Draft
from voltstream.ocpp.instants import US_PER_S, unset
from voltstream.ocpp.quality import Quality

SILENT_S = 3_600  # A connector is free, and nothing was heard of its session for so long.


def abandon(draft: Draft, session: Session, before_us: int) -> None:
    """Close a session that is over before an instant."""
    stop_us = min(max(session.last_us, session.start_us), before_us)
    session.stop_us = stop_us
    session.stop_is_estimated = True
    corrected_us, flags = draft.corrected(stop_us, unset(stop_us, draft.received_us))
    draft.add(
        "charger_transactions",
        connector_id=session.connector_id,
        evse_id=session.evse_id,
        transaction_id=session.transaction_id,
        event_type="STOP",
        id_tag=session.id_tag,
        meter_wh=None,
        stop_reason=ABANDONED,
        event_ts=stop_us,
        corrected_ts=corrected_us,
        flags=int(Quality.ESTIMATED | flags),
    )


def forgotten(chargers: Iterable[Charger], now_us: int) -> Iterator[tuple[Charger, Session]]:
    """Yield open sessions whose connector became free after all that was heard of them."""
    limit_us = now_us - SILENT_S * US_PER_S
    for charger in chargers:
        for session in charger.sessions.values():
            if session.stop_us is None and session.heard_us < limit_us:
                found = charger.connector_status.get((session.evse_id, session.connector_id))
                status, since_us = found or ("", 0)
                is_free = status == "Available" and since_us >= session.heard_us - CLOCK_FINE_US
                if is_free and since_us < limit_us:
                    yield charger, session

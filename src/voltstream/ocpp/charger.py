"""What is known of one charge point while it speaks: sessions, registers, what was said before."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field

from voltstream.core.limits import OCPP_RECENT_KEPT, OCPP_SAMPLES_KEPT
from voltstream.ocpp.clock_offset import ClockOffset
from voltstream.ocpp.registers import Register

ABANDONED = "Abandoned"  # The reason of an end that was never told, but made up.
SESSIONS_KEPT = 16  # Of a charger, the latest: by these a START or STOP that comes again is known.

RegisterKey = tuple[int | None, int | None, str, str, str | None]
Place = tuple[int | None, int | None]


@dataclass(slots=True)
class Session:
    """One transaction. Shape: ``start_key`` is what makes a repeated StartTransaction the same."""

    transaction_id: str
    evse_id: int | None
    connector_id: int | None
    start_us: int
    id_tag: str | None = None
    start_key: tuple[object, ...] | None = None
    meter_start_wh: int | None = None
    stop_us: int | None = None
    stop_key: tuple[object, ...] | None = None
    stop_is_estimated: bool = False
    started: bool = True  # False: only its end, or what lies between, was seen.
    charging_state: str | None = None
    last_us: int = 0
    heard_us: int = 0  # When a message of it came last, by our clock.
    seq_seen: set[int] = field(default_factory=set)
    samples: set[int] = field(default_factory=set)

    def covers(self, at_us: int) -> bool:
        return self.start_us <= at_us and (self.stop_us is None or at_us <= self.stop_us)

    def is_new(self, sample: int) -> bool:
        """Tell whether a sample was not seen before; beyond the limit every one is new."""
        if sample in self.samples:
            return False
        if len(self.samples) < OCPP_SAMPLES_KEPT:
            self.samples.add(sample)
        return True


class Charger:
    """One charge point, whichever connection it speaks through."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.registration: str | None = None  # Of its last boot; None: never booted here.
        self.power_w: float | None = None
        self.topology: Mapping[int, Place] = {}  # Of 1.6: where a connector's number is, if known.
        self.sessions: OrderedDict[str, Session] = OrderedDict()
        self.registers: dict[RegisterKey, Register] = {}
        self.recent: OrderedDict[str, str] = OrderedDict()
        self.connector_status: dict[Place, tuple[str, int]] = {}
        self.streams: dict[int, int | None] = {}  # The monitor of each periodic event stream.
        self.monitors: dict[int, tuple[str | None, str | None]] = {}  # Component and variable.
        self.booted = False  # A boot came, and no sample since.
        self.stale = False  # A commit failed: what is stored decides, not what is here.
        self.clock = ClockOffset()
        self.meter_keys: dict[
            str, str
        ] = {}  # The first public key that each meter was said to have.
        self._free_samples: OrderedDict[int, None] = OrderedDict()

    # --- messages -------------------------------------------------------------------------------

    def remember(self, content_key: str, answer: str) -> None:
        self.recent[content_key] = answer
        if len(self.recent) > OCPP_RECENT_KEPT:
            self.recent.popitem(last=False)

    def is_new_outside_sessions(self, sample: int) -> bool:
        """Tell whether a sample without a session was not seen lately."""
        if sample in self._free_samples:
            return False
        self._free_samples[sample] = None
        if len(self._free_samples) > OCPP_RECENT_KEPT * 8:
            self._free_samples.popitem(last=False)
        return True

    # --- sessions -------------------------------------------------------------------------------

    def add_session(self, session: Session) -> None:
        self.sessions[session.transaction_id] = session
        self.sessions.move_to_end(session.transaction_id)
        while len(self.sessions) > SESSIONS_KEPT:
            closed = next((key for key, one in self.sessions.items() if one.stop_us), None)
            self.sessions.pop(closed if closed is not None else next(iter(self.sessions)))

    def open_session(self, evse_id: int | None, connector_id: int | None = None) -> Session | None:
        """Return the latest session that runs on an EVSE."""
        for session in reversed(self.sessions.values()):
            here = session.evse_id == evse_id and session.stop_us is None
            if here and (connector_id is None or session.connector_id in (None, connector_id)):
                return session
        return None

    def session_at(self, evse_id: int | None, at_us: int) -> Session | None:
        """Return the session that covers an instant on an EVSE, when exactly one does."""
        found = [
            session
            for session in self.sessions.values()
            if session.evse_id == evse_id and session.covers(at_us)
        ]
        return found[0] if len(found) == 1 else None

    def place(self, told: int | None) -> Place:
        """Return EVSE and connector of a number of 1.6: each connector is an EVSE of its own."""
        known = self.topology.get(told) if told else None
        return (told, told) if known is None else known

    def is_latest(self, place: Place, at_us: int) -> bool:
        known = self.connector_status.get(place)
        return known is None or at_us >= known[1]

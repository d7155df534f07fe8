"""What a simulated charger says: its messages in order, in the words of its version."""

from __future__ import annotations

import heapq
import random
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from voltstream.sim.plan import Charger, Session

Json = dict[str, Any]
_REGISTER = "Energy.Active.Import.Register"


@dataclass(frozen=True, slots=True, order=True)
class Message:
    """A CALL that is due. Units: seconds of the plan.

    Shape: ``make`` gives the payload from the transaction's id, which 1.6 gets from the server.
    """

    at_s: float
    order: int
    action: str = field(compare=False)
    make: Callable[[Any], Json] = field(compare=False)
    session: Session | None = field(compare=False, default=None)
    lost_reply: bool = field(compare=False, default=False)
    twice: bool = field(compare=False, default=False)


@dataclass(frozen=True, slots=True)
class Script:
    """A charger's messages, and when it cannot send."""

    messages: tuple[Message, ...]
    silences: tuple[tuple[float, float], ...]


class Writer:
    """Writes the script of one charger. Units: ``begin_s`` is the plan's begin as a Unix time."""

    def __init__(
        self, charger: Charger, begin_s: float, *, sample_s: float, heartbeat_s: float, end_s: float
    ) -> None:
        self._charger = charger
        self._begin_s = begin_s
        self._sample_s = sample_s
        self._heartbeat_s = heartbeat_s
        self._end_s = end_s
        self._order = 0
        self._register_wh = charger.register_wh
        self._seq = 0
        self._silences: list[tuple[float, float]] = []
        self._chance = random.Random(charger.name)
        self._is_16 = charger.version == "ocpp1.6"

    def script(self) -> Script:
        streams: list[list[Message]] = [[self._boot(0.0), self._status(1.0, "Available")]]
        for session in self._charger.sessions:
            streams.append(list(self._session(session)))
            self._register_wh += session.energy_wh
            if "creep" in session.faults:
                self._register_wh += 4.1
        first_s = 5 + self._chance.uniform(0, self._heartbeat_s)
        beats = int(max(0.0, self._end_s - first_s) / self._heartbeat_s)
        streams.append(
            [
                self._message(first_s + index * self._heartbeat_s, "Heartbeat", _fixed({}))
                for index in range(beats)
            ]
        )
        return Script(tuple(heapq.merge(*map(sorted, streams))), tuple(self._silences))

    # --- pieces ---------------------------------------------------------------------------------

    def _message(
        self,
        at_s: float,
        action: str,
        make: Callable[[Any], Json],
        session: Session | None = None,
        **how: bool,
    ) -> Message:
        self._order += 1
        return Message(at_s, self._order, action, make, session, **how)

    def _time(self, at_s: float) -> str:
        # Without a clock of its own, and deaf to what the server says, it counts from its start.
        since_s = 0.0 if "no_rtc" in self._charger.faults else self._begin_s
        at = datetime.fromtimestamp(since_s + at_s - self._charger.clock_off_s, UTC)
        return at.strftime("%Y-%m-%dT%H:%M:%S.") + f"{at.microsecond // 1000:03d}Z"

    def _boot(self, at_s: float) -> Message:
        if self._is_16:
            payload: Json = {"chargePointVendor": "Voltstream", "chargePointModel": "Simulated"}
        else:
            station = {"vendorName": "Voltstream", "model": "Simulated"}
            payload = {"reason": "PowerUp", "chargingStation": station}
        return self._message(at_s, "BootNotification", _fixed(payload))

    def _status(self, at_s: float, status: str, *, odd: bool = False) -> Message:
        if self._is_16:
            error = "Error" if odd else "NoError"
            payload: Json = {"connectorId": 1, "errorCode": error, "status": status,
                             "timestamp": self._time(at_s)}  # fmt: skip
        else:
            word = "Available" if status == "Available" else "Occupied"
            payload = {"timestamp": self._time(at_s), "connectorStatus": word, "evseId": 1,
                       "connectorId": 1}  # fmt: skip
        return self._message(at_s, "StatusNotification", _fixed(payload))

    def _sampled(self, register_wh: float, power_w: float, context: str) -> list[Json]:
        """Return what one sampling gives: energy, power, current, voltage."""
        charger = self._charger
        values: list[tuple[str, float, str]] = [
            ("Power.Active.Import", round(power_w, 1), "W"),
            ("Voltage", 230.0, "V"),
            ("Current.Import", round(power_w / 690, 2), "A"),
        ]
        kwh = "kwh_unit" in charger.faults
        energy = register_wh / 1000 if kwh else register_wh
        registers: list[Json] = [self._value(_REGISTER, round(energy, 4), "kWh" if kwh else "Wh")]
        if "per_phase" in charger.faults:
            third = [round(energy / 3, 4)] * 2
            parts = [*third, round(energy - sum(third), 4)]
            registers = [
                self._value(_REGISTER, part, "kWh" if kwh else "Wh") | {"phase": f"L{index}"}
                for index, part in enumerate(parts, start=1)
            ]
        found = registers + [self._value(*one) for one in values]
        if "no_defaults" not in charger.faults or context != "Sample.Periodic":
            found = [one | {"context": context} for one in found]
        return found

    def _value(self, measurand: str, value: float, unit: str) -> Json:
        found: Json = {"value": repr(value) if self._is_16 else value}
        bare = "no_defaults" in self._charger.faults
        if not (bare and measurand == _REGISTER):
            found["measurand"] = measurand
        if not (bare and unit == "Wh"):
            if self._is_16:
                found["unit"] = unit
            else:
                found["unitOfMeasure"] = {"unit": unit}
        return found

    # --- a session ------------------------------------------------------------------------------

    def _session(self, session: Session) -> Iterator[Message]:
        faults = session.faults
        stay_s = session.stop_s - session.start_s
        if "offline" in faults:
            begin_s = session.start_s + 0.3 * stay_s
            self._silences.append((begin_s, begin_s + self._chance.uniform(120, 3600)))
        elif "reboot" in faults:
            begin_s = session.start_s + 0.5 * stay_s
            self._silences.append((begin_s, begin_s + 45))
            yield self._boot(begin_s + 46)
        yield self._status(session.start_s, "Preparing", odd="bad_enum" in faults)
        yield from self._of_16(session) if self._is_16 else self._of_2(session)
        yield self._status(session.stop_s + 1, "Finishing")
        yield self._status(session.stop_s + 3, "Available")

    def _register_at(self, session: Session, since_s: float, context: str) -> float:
        """Return what the meter shows, with what is wrong with it."""
        energy_wh = session.energy_at(since_s)
        stay_s = session.stop_s - session.start_s
        if "zero_placeholder" in session.faults and context == "Transaction.Begin":
            return 0.0
        if "register_reset" in session.faults and since_s > stay_s / 2:
            return energy_wh - session.energy_at(stay_s / 2)
        if "session_relative" in self._charger.faults and context == "Sample.Periodic":
            return energy_wh
        return self._register_wh + energy_wh

    def _instants(self, session: Session) -> list[float]:
        stay_s = session.stop_s - session.start_s
        return [self._sample_s * n for n in range(1, int(stay_s / self._sample_s) + 1)
                if self._sample_s * n < stay_s]  # fmt: skip

    def _of_16(self, session: Session) -> Iterator[Message]:
        start_wh = round(self._register_at(session, 0, "Transaction.Begin"))
        started = self._time(session.start_s + 1)
        start: Json = {"connectorId": 1, "idTag": self._tag(session), "timestamp": started,
                       "meterStart": start_wh}  # fmt: skip
        faults = session.faults
        yield self._message(session.start_s + 0.5, "Authorize",
                            _fixed({"idTag": self._tag(session)}))  # fmt: skip
        yield self._message(session.start_s + 1, "StartTransaction", _fixed(start), session,
                            lost_reply="lost_reply" in faults)  # fmt: skip
        if "start_twice" in faults:
            yield self._message(session.start_s + 1.5, "StartTransaction", _fixed(start), session)
        kept: list[Json] = []
        for index, since_s in enumerate(self._instants(session)):
            meter = self._meter(session, since_s, "Sample.Periodic")
            kept.append(meter)
            yield self._message(
                session.start_s + since_s,
                "MeterValues",
                _in_transaction({"connectorId": 1, "meterValue": [meter]}),
                session,
                twice="twice" in faults and index == 1,
            )  # fmt: skip
        if "no_stop" in faults:
            return
        stop: Json = {"timestamp": self._time(session.stop_s), "idTag": self._tag(session),
                      "meterStop": round(self._end_wh(session))}  # fmt: skip
        if "power_loss" in faults:
            stop["reason"] = "PowerLoss"
        if "transaction_data" in faults:
            stop["transactionData"] = [*kept[-200:]]
        yield self._message(session.stop_s, "StopTransaction", _in_transaction(stop), session)
        if "creep" in faults:
            value = self._value(_REGISTER, self._end_wh(session) + 4.1, "Wh")
            creep = {"timestamp": self._time(session.stop_s + 2), "sampledValue": [value]}
            payload = {"connectorId": 1, "meterValue": [creep]}
            yield self._message(session.stop_s + 2, "MeterValues", _fixed(payload))

    def _end_wh(self, session: Session) -> float:
        stay_s = session.stop_s - session.start_s
        return self._register_at(session, stay_s, "Transaction.End")

    def _meter(self, session: Session, since_s: float, context: str) -> Json:
        register_wh = self._register_at(session, since_s, context)
        sampled = self._sampled(register_wh, session.power_at(since_s), context)
        return {"timestamp": self._time(session.start_s + since_s), "sampledValue": sampled}

    def _of_2(self, session: Session) -> Iterator[Message]:
        name = f"{self._charger.name[-12:]}-{int(session.start_s)}"
        stay_s = session.stop_s - session.start_s
        faults = session.faults
        if "running_seq" not in self._charger.faults:
            self._seq = 0
        steps = [(0.0, "Started", "Transaction.Begin")]
        steps += [(since_s, "Updated", "Sample.Periodic") for since_s in self._instants(session)]
        if "no_stop" not in faults:
            steps.append((stay_s, "Ended", "Transaction.End"))
        for index, (since_s, kind, context) in enumerate(steps):
            info: Json = {"transactionId": name}
            info["chargingState"] = "Charging" if session.power_at(since_s) > 0 else "SuspendedEV"
            if kind == "Ended":
                info |= {"chargingState": "EVConnected", "stoppedReason": "EVDisconnected"}
            reason = {"Started": "Authorized", "Ended": "EVDeparted"}.get(
                kind, "MeterValuePeriodic"
            )
            payload: Json = {
                "eventType": kind,
                "timestamp": self._time(session.start_s + since_s),
                "triggerReason": reason,
                "seqNo": self._seq,
                "transactionInfo": info,
                "evse": {"id": 1, "connectorId": 1},
                "meterValue": [self._meter(session, since_s, context)],
            }
            if kind == "Started":
                payload["idToken"] = {"idToken": self._tag(session), "type": "ISO14443"}
            at_s = session.start_s + since_s
            if any(begin <= at_s < end for begin, end in self._silences):
                payload["offline"] = True
            self._seq += 1
            if "seq_gap" in faults and index == 1 and kind == "Updated":
                continue
            yield self._message(
                at_s,
                "TransactionEvent",
                _fixed(payload),
                session,
                lost_reply="lost_reply" in faults and kind == "Started",
                twice="twice" in faults and index == 1,
            )

    def _tag(self, session: Session) -> str:
        return f"SIM{zlib.crc32(f'{self._charger.name}/{session.start_s}'.encode()):010}"


def _fixed(payload: Json) -> Callable[[Any], Json]:
    """Return a payload whatever the transaction is called."""
    return lambda _: payload


def _in_transaction(payload: Json) -> Callable[[Any], Json]:
    """Return a payload with the id that the server gave the transaction."""
    return lambda transaction_id: payload | {"transactionId": transaction_id}

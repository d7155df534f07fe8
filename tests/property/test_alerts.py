"""The life of alerts against a model of it: random changes, transactions, time and restarts."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

import pytest
from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st

from tests.driver import Engine
from voltstream.core.clock import ManualClock

# VOLTSTREAM_PROPERTY_EXAMPLES=200 VOLTSTREAM_PROPERTY_SEED=7 looks further than CI does.
EXAMPLES = int(os.environ.get("VOLTSTREAM_PROPERTY_EXAMPLES", "3"))
SEED = int(os.environ.get("VOLTSTREAM_PROPERTY_SEED", "0"))
KEYS = 3
# Rules in the order of their making: what a row needs to be there, to open, to be critical.
LOW, HIGH = "low", "high"
NAMES = (LOW, HIGH)
LEAST = {LOW: 3, HIGH: 7}
OPENING = {LOW: 5, HIGH: 7}
TIMED = (
    "alert.open_after = '{open_s} s', alert.clear_after = '{clear_s} s', "
    "alert.suppressed_by = 'high', "
)
Event = tuple[str, int, str, int, str, float, int | None]


@dataclass
class Condition:
    opens_s: float | None = None
    gone_s: float | None = None
    alert: int | None = None
    severity: str = ""


@dataclass
class Model:
    """What the reference says, key by key. Units: seconds."""

    open_after_s: float
    clear_after_s: float
    values: dict[int, int] = field(default_factory=dict)
    known: dict[tuple[str, int], Condition] = field(default_factory=dict)
    above: dict[int, int | None] = field(default_factory=dict)
    events: list[Event] = field(default_factory=list)
    alerts: int = 0

    def settle(self, now_s: float) -> None:
        cleared, opened, updated = list[Event](), list[Event](), list[Event]()
        for name in NAMES:
            after = (self.open_after_s, self.clear_after_s) if name == LOW else (0.0, 0.0)
            for key in range(KEYS):
                value = self.values.get(key, 0)
                one = self.known.setdefault((name, key), Condition())
                there, opens = value > LEAST[name], value > OPENING[name]
                severity = "critical" if value > 8 else "warning"
                one.opens_s = (now_s if one.opens_s is None else one.opens_s) if opens else None
                one.gone_s = None if there else (now_s if one.gone_s is None else one.gone_s)
                if one.alert is not None:
                    if one.gone_s is not None and now_s >= one.gone_s + after[1]:
                        cleared.append(self._event("cleared", one, name, key, now_s))
                        self.above.pop(one.alert)
                        one.alert = None
                    elif there and severity != one.severity:
                        one.severity = severity
                        updated.append(self._event("updated", one, name, key, now_s))
                elif one.opens_s is not None and now_s >= one.opens_s + after[0]:
                    self.alerts += 1
                    one.alert, one.severity = self.alerts, severity
                    opened.append(self._event("opened", one, name, key, now_s))
        self._suppress(now_s, cleared, opened, updated)

    def _event(self, event: str, one: Condition, name: str, key: int, now_s: float) -> Event:
        assert one.alert is not None
        above = self.above.get(one.alert)
        return (event, one.alert, name, key, one.severity, now_s, above)

    def _suppress(
        self, now_s: float, cleared: list[Event], opened: list[Event], updated: list[Event]
    ) -> None:
        changed = list[Event]()
        fresh = {event[1] for event in opened}
        for key in range(KEYS):
            one, high = self.known[LOW, key], self.known[HIGH, key]
            if high.alert is not None:
                self.above.setdefault(high.alert, None)
            if one.alert is None:
                continue
            before, self.above[one.alert] = self.above.get(one.alert), high.alert
            if one.alert not in fresh and (before is None) != (high.alert is None):
                name = "resumed" if high.alert is None else "suppressed"
                changed.append(self._event(name, one, LOW, key, now_s))

        def by_alert(events: list[Event]) -> list[Event]:
            told = [(*event[:6], self.above.get(event[1], event[6])) for event in events]
            return sorted(told, key=lambda event: event[1])

        self.events += sorted(cleared, key=lambda event: event[1])
        self.events += by_alert(opened) + by_alert(updated) + by_alert(changed)


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("set"), st.dictionaries(st.integers(0, KEYS - 1), st.integers(0, 9),
                                                  min_size=1)),
        st.tuples(st.just("block"), st.lists(st.tuples(st.integers(0, KEYS - 1),
                                                       st.integers(0, 9)), min_size=2, max_size=4)),
        st.tuples(st.just("wait"), st.integers(1, 4)),
        st.tuples(st.just("restart"), st.none()),
    ),
    min_size=4, max_size=10,
)  # fmt: skip


def put(values: Mapping[int, int]) -> str:
    rows = ", ".join(f"({key}, {value})" for key, value in values.items())
    return f"INSERT INTO t VALUES {rows} ON CONFLICT (k) DO UPDATE SET v = excluded.v"


@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))
@seed(SEED)
@given(STEPS, st.sampled_from([0, 2]), st.sampled_from([0, 3]))
def test_alerts_live_as_the_model_does(
    tmp_path_factory: pytest.TempPathFactory,
    steps: list[tuple[str, object]],
    open_s: int,
    clear_s: int,
) -> None:
    folder = tmp_path_factory.mktemp("alerts") / "data"
    clock = ManualClock()
    engine = Engine(folder, clock)
    model = Model(open_s, clear_s)
    began_us = clock.now_us()
    try:
        engine.run("CREATE TABLE t (k INT PRIMARY KEY, v INT)")
        for name in NAMES:
            more = TIMED.format(open_s=open_s, clear_s=clear_s) if name == LOW else ""
            engine.run(
                f"CREATE MATERIALIZED VIEW {name} WITH ({more}alert.key = 'k') AS "
                f"SELECT k, v, v > {OPENING[name]} AS opens, "
                "CASE WHEN v > 8 THEN 'critical' ELSE 'warning' END AS severity "
                f"FROM t WHERE v > {LEAST[name]}"
            )
        for verb, what in steps:
            if verb == "restart":
                engine.close()
                engine = Engine(folder, clock)
                continue
            if verb == "wait":
                assert isinstance(what, int)
                clock.advance(what)
                loop = engine.instance.engine("volt").loop
                loop.run_statement(lambda epoch: epoch.number).result()
            elif verb == "set":
                assert isinstance(what, dict)
                engine.run(put(what))
                model.values.update(what)
            else:
                assert isinstance(what, list)
                engine.run("BEGIN")
                for key, value in what:
                    engine.run(put({key: value}))
                    model.values[key] = value
                engine.run("COMMIT")
            model.settle((clock.now_us() - began_us) / 1e6)
            found = engine.run(
                "SELECT event, alert_id, rule, entity::INT, severity, "
                f"(extract(epoch FROM at) * 1000000 - {began_us}) / 1000000, suppressed_by "
                "FROM alert_events ORDER BY event_id"
            )
            assert [(*row[:5], float(str(row[5])), row[6]) for row in found] == model.events
            shown = engine.run("SELECT alert_id, suppressed_by FROM alerts")
            assert Counter(shown) == Counter(model.above.items())
    finally:
        engine.close()

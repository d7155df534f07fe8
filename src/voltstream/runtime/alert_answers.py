"""What people say to alerts: acknowledged, not yet, a remark; who said it, and when."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from voltstream.core.errors import InvalidText, UndefinedObject
from voltstream.runtime.access import Access
from voltstream.runtime.alert_steps import NOW, add_events, replace_rows
from voltstream.runtime.alert_tables import ALERTS, EVENTS, entry_of
from voltstream.runtime.entries import table_store
from voltstream.runtime.epoch import Epoch
from voltstream.store.database import literal

FUNCTIONS = ("acknowledge_alert", "unacknowledge_alert", "comment_alert")
_SAID = "_alert_said"
_MINE = "_alert_mine"
_THEN = "_alert_then"


@dataclass(frozen=True, slots=True)
class Said:
    """One call of one of the functions."""

    function: str
    alert_id: int
    comment: str | None


class Answers:
    """The calls of one statement, which become true together."""

    def __init__(self, access: Access) -> None:
        self._access = access
        self._said: list[Said] = []

    def note(self, function: str, arguments: Sequence[str | None]) -> str:
        """Take one call. Returns the alert's number. Raises: InvalidText (22P02)."""
        number = arguments[0]
        if number is None:  # As a function of PostgreSQL that is STRICT.
            return ""
        try:
            alert_id = int(number)
        except ValueError:
            raise InvalidText(f'invalid input syntax for type bigint: "{number}"') from None
        comment = arguments[1] if len(arguments) > 1 else None
        self._said.append(Said(function, alert_id, comment))
        return str(alert_id)

    def apply(self) -> None:
        """Raises: InsufficientPrivilege (42501), UndefinedObject (42704) for an unknown alert."""
        if not self._said:
            return
        self._access.permits().need(entry_of(self._access.catalog, ALERTS), "w")
        who = self._access.identity.session_name
        self._access.on_writer(lambda epoch: answer(epoch, self._said, who))


def answer(epoch: Epoch, said: Sequence[Said], who: str) -> None:
    connection = epoch.connection
    alerts = table_store(entry_of(epoch.catalog, ALERTS).oid)
    rows = ", ".join(
        f"({literal(one.function)}, {one.alert_id}::BIGINT, "
        f"{literal(one.comment) if one.comment is not None else 'NULL'})"
        for one in {one.alert_id: one for one in said}.values()  # Of two, the later counts.
    )
    connection.execute(
        f"CREATE OR REPLACE TEMP TABLE {_SAID} AS SELECT function, alert_id, "
        f"comment::VARCHAR AS said FROM (VALUES {rows}) AS s(function, alert_id, comment)"
    )
    connection.execute(
        f"CREATE OR REPLACE TEMP TABLE {_MINE} AS SELECT * FROM {alerts} "
        f"WHERE alert_id IN (SELECT alert_id FROM {_SAID})"
    )
    _comment_on_past(epoch, who)
    acknowledges = "s.function = 'acknowledge_alert'"
    for_good = "s.function = 'unacknowledge_alert'"
    connection.execute(
        f"CREATE OR REPLACE TEMP TABLE {_THEN} AS SELECT m.* REPLACE ("
        f"CASE WHEN {for_good} THEN NULL WHEN {acknowledges} THEN coalesce(m.acknowledged_at, "
        f"{NOW}) ELSE m.acknowledged_at END AS acknowledged_at, "
        f"CASE WHEN {for_good} THEN NULL WHEN {acknowledges} THEN coalesce(m.acknowledged_by, "
        f"{literal(who)}) ELSE m.acknowledged_by END AS acknowledged_by, "
        f"coalesce(s.said, m.comment) AS comment) FROM {_MINE} m JOIN {_SAID} s USING (alert_id)"
    )
    for event, condition in (
        ("acknowledged", "m.acknowledged_at IS NULL AND t.acknowledged_at IS NOT NULL"),
        ("unacknowledged", "m.acknowledged_at IS NOT NULL AND t.acknowledged_at IS NULL"),
        (
            "commented",
            "m.acknowledged_at IS NOT DISTINCT FROM t.acknowledged_at AND s.said IS NOT NULL",
        ),
    ):
        add_events(
            epoch,
            f"SELECT t.*, s.said, {literal(event)} AS event, 1 AS turn FROM {_THEN} t "
            f"JOIN {_MINE} m USING (alert_id) JOIN {_SAID} s USING (alert_id) WHERE {condition}",
            literal(who), "said",
        )  # fmt: skip
    replace_rows(epoch, _MINE, _THEN)


def _comment_on_past(epoch: Epoch, who: str) -> None:
    """Let a remark on a cleared alert join its history. Raises: UndefinedObject (42704)."""
    connection = epoch.connection
    missing = f"s.alert_id NOT IN (SELECT alert_id FROM {_MINE})"
    if not connection.rows(f"SELECT 1 FROM {_SAID} s WHERE {missing} LIMIT 1"):
        return
    relation = entry_of(epoch.catalog, EVENTS).relation
    stored = relation.stored if relation is not None else ""
    count = add_events(
        epoch,
        f"SELECT e.* EXCLUDE (event, comment, who), s.said, 'commented' AS event, 1 AS turn FROM "
        f"{_SAID} s JOIN {stored} e USING (alert_id) WHERE {missing} AND s.said IS NOT NULL "
        "AND s.function = 'comment_alert' "
        "QUALIFY row_number() OVER (PARTITION BY e.alert_id ORDER BY e.event_id DESC) = 1",
        literal(who), "said",
    )  # fmt: skip
    [(wanted, first)] = connection.rows(
        f"SELECT count(*), min(alert_id) FROM {_SAID} s WHERE {missing}"
    )
    if count < wanted:
        raise UndefinedObject(
            f"alert {first} is not open",
            hint="alerts lists what is open; alert_events has what was.",
        )

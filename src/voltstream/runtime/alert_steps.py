"""The statements of one round of alerts: see, step, keep, show. Set by set, never row by row."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

from voltstream.runtime import tables
from voltstream.runtime.alert_rules import TOUCHED, Rule
from voltstream.runtime.alert_tables import ALERTS, EVENTS, entry_of, relation_of
from voltstream.runtime.entries import column_list, table_store
from voltstream.runtime.epoch import Epoch
from voltstream.sql.changes import ORDINAL
from voltstream.store.alerts import NUMBERS, STATE
from voltstream.store.database import Connection, literal

NOW = "CAST(getvariable('vs_now') AS TIMESTAMPTZ)"
_SEEN = "_alert_seen"
_STEP = "_alert_step"
_WAS = "_alert_was"
_IS = "_alert_is"
_HAPPENED = "_alert_happened"
_CONTENT = ("entity", "parents", "severity", "title", "details", "marks")


def see(epoch: Epoch, rules: Sequence[Rule]) -> None:
    """Read the rows that the touched keys have now, each rule's in its own statement."""
    connection = epoch.connection
    connection.execute(
        f"CREATE OR REPLACE TEMP TABLE {_SEEN} AS SELECT oid, key, entity, parents, opens, "
        f"severity, title, since, details, marks FROM {STATE} LIMIT 0"
    )
    for rule in rules:
        epoch.dataflow.running_oid = rule.oid  # Who is to blame if its columns cannot be read.
        connection.execute(f"INSERT INTO {_SEEN} SELECT {rule.oid}, * FROM ({rule.rows})")
        epoch.dataflow.running_oid = None


def _options(rules: Iterable[Rule]) -> str:
    rows = "".join(
        f", ({rule.oid}, {literal(rule.name)}, {literal(rule.view)}, "
        f"to_microseconds({rule.options.open_after_us}), "
        f"to_microseconds({rule.options.clear_after_us}))"
        for rule in rules
    )
    none = "(NULL::BIGINT, NULL::VARCHAR, NULL::VARCHAR, NULL::INTERVAL, NULL::INTERVAL)"
    return f"(VALUES {none}{rows}) AS o(oid, rule, rule_view, open_after, clear_after)"


def step(epoch: Epoch, rules: Iterable[Rule], standing: Collection[int]) -> None:
    """Compute what becomes of every condition that was touched, or whose time has come."""
    not_standing = f"AND s.oid NOT IN ({', '.join(map(str, standing))})" if standing else ""
    content = ", ".join(
        f"CASE WHEN r.key IS NULL THEN s.{name} ELSE r.{name} END AS {name}" for name in _CONTENT
    )
    epoch.connection.execute(
        f"CREATE OR REPLACE TEMP TABLE {_STEP} AS WITH t AS ("
        f"SELECT DISTINCT oid, key, true AS fresh FROM {TOUCHED} UNION ALL "
        f"SELECT s.oid, s.key, false FROM {STATE} s WHERE s.due <= {NOW} {not_standing} AND "
        f"NOT EXISTS (SELECT 1 FROM {TOUCHED} x WHERE x.oid = s.oid AND x.key = s.key)), "
        "j AS (SELECT t.oid, t.key, s.alert_id AS was_id, s.marks AS was_marks, "
        "s.opens_at AS was_opens_at, s.gone_at AS was_gone_at, s.since AS was_since, "
        "r.since AS said, o.rule, o.rule_view, "
        "coalesce(o.open_after, INTERVAL 0 SECOND) AS open_after, "
        "coalesce(o.clear_after, INTERVAL 0 SECOND) AS clear_after, "
        "CASE WHEN t.fresh THEN r.key IS NOT NULL ELSE s.there END AS there, "
        "CASE WHEN t.fresh THEN coalesce(r.opens, false) ELSE s.opens END AS opens, "
        f"{content} FROM t LEFT JOIN {STATE} s ON s.oid = t.oid AND s.key = t.key "
        f"LEFT JOIN {_SEEN} r ON r.oid = t.oid AND r.key = t.key "
        f"LEFT JOIN {_options(rules)} ON o.oid = t.oid), "
        f"k AS (SELECT *, CASE WHEN there AND opens THEN coalesce(was_opens_at, {NOW}) END "
        f"AS opens_at, CASE WHEN NOT there THEN coalesce(was_gone_at, {NOW}) END AS gone_at "
        "FROM j), "
        "l AS (SELECT *, was_id IS NULL AND opens_at IS NOT NULL AND "
        f"opens_at + open_after <= {NOW} AS opening, was_id IS NOT NULL AND gone_at IS NOT NULL "
        f"AND gone_at + clear_after <= {NOW} AS clearing, "
        "coalesce(said, CASE WHEN was_id IS NOT NULL THEN was_since END, opens_at) AS since FROM k)"
        ", m AS (SELECT *, CASE WHEN opening THEN (SELECT max(next_alert) FROM "
        f"{NUMBERS}) + row_number() OVER (PARTITION BY opening ORDER BY oid, key) - 1 "
        "WHEN NOT clearing THEN was_id END AS alert_id FROM l) "
        "SELECT *, CASE WHEN alert_id IS NULL THEN opens_at + open_after "
        "ELSE gone_at + clear_after END AS due, "
        "coalesce(was_id IS NOT NULL AND there AND was_marks IS DISTINCT FROM marks, false) "
        "AS marked FROM m"
    )


def keep(epoch: Epoch) -> None:
    """Keep what each condition is now; one that is gone and has no alert is forgotten."""
    connection = epoch.connection
    connection.execute(
        f"DELETE FROM {STATE} s USING {_STEP} n WHERE s.oid = n.oid AND s.key = n.key"
    )
    connection.execute(
        f"INSERT INTO {STATE} BY NAME SELECT oid, key, entity, parents, there, opens, opens_at, "
        "gone_at, due, alert_id, severity, title, since, details, marks "
        f"FROM {_STEP} WHERE there OR alert_id IS NOT NULL"
    )
    connection.execute(
        f"UPDATE {NUMBERS} SET next_alert = next_alert + "
        f"(SELECT count(*) FROM {_STEP} WHERE opening)"
    )


def show(epoch: Epoch, rules: Iterable[Rule]) -> None:
    """Bring both relations up to the conditions."""
    connection = epoch.connection
    relation = relation_of(epoch.catalog, ALERTS)
    store = table_store(relation.oid)
    _suppressions(connection, rules, store)
    connection.execute(
        f"CREATE OR REPLACE TEMP TABLE {_WAS} AS SELECT * FROM {store} WHERE alert_id IN "
        f"(SELECT was_id FROM {_STEP} UNION ALL SELECT alert_id FROM _alert_suppressed)"
    )
    connection.execute(
        f"CREATE OR REPLACE TEMP TABLE {_IS} AS "
        "SELECT n.alert_id, n.rule, n.rule_view, n.entity, n.severity, n.title, n.since, "
        f"coalesce(w.opened_at, {NOW}) AS opened_at, "
        "CASE WHEN (w.rule, w.severity, w.title, w.since, w.details) IS NOT DISTINCT FROM "
        "(n.rule, n.severity, n.title, n.since, n.details) THEN w.updated_at "
        f"ELSE {NOW} END AS updated_at, CASE WHEN p.alert_id IS NULL THEN w.suppressed_by "
        "ELSE p.by END AS suppressed_by, "
        "w.acknowledged_at, w.acknowledged_by, w.comment, n.details "
        f"FROM {_STEP} n LEFT JOIN {_WAS} w ON w.alert_id = n.was_id "
        "LEFT JOIN _alert_suppressed p ON p.alert_id = n.alert_id WHERE n.alert_id IS NOT NULL "
        f"UNION ALL SELECT w.* REPLACE (p.by AS suppressed_by) FROM {_WAS} w "
        "JOIN _alert_suppressed p USING (alert_id) "
        f"WHERE w.alert_id NOT IN (SELECT was_id FROM {_STEP} WHERE was_id IS NOT NULL)"
    )
    _tell(epoch)
    replace_rows(epoch, _WAS, _IS)


def _suppressions(connection: Connection, rules: Iterable[Rule], store: str) -> None:
    """Find the alerts whose suppressor is another one now, among all that are open."""
    known = list(rules)
    pairs = ", ".join(
        f"({child.oid}, {parent.oid})"
        for child in known
        for parent in known
        if parent.name in child.options.suppressed_by
    )
    if not pairs:
        connection.execute(
            "CREATE OR REPLACE TEMP TABLE _alert_suppressed AS SELECT alert_id, "
            f"NULL::BIGINT AS by FROM {store} WHERE suppressed_by IS NOT NULL"
        )
        return
    connection.execute(
        "CREATE OR REPLACE TEMP TABLE _alert_suppressed AS WITH c AS ("
        f"SELECT oid, alert_id, unnest(parents) AS parent FROM {STATE} "
        "WHERE alert_id IS NOT NULL), "
        f"found AS (SELECT c.alert_id, min(p.alert_id) AS by FROM c JOIN (VALUES {pairs}) "
        f"AS q(child, parent_oid) ON q.child = c.oid JOIN {STATE} p ON p.oid = q.parent_oid "
        "AND p.entity = c.parent AND p.alert_id IS NOT NULL AND p.alert_id <> c.alert_id "
        "GROUP BY c.alert_id) "
        f"SELECT s.alert_id, f.by FROM {STATE} s LEFT JOIN found f ON f.alert_id = s.alert_id "
        f"LEFT JOIN {store} a ON a.alert_id = s.alert_id WHERE s.alert_id IS NOT NULL "
        "AND f.by IS DISTINCT FROM a.suppressed_by"
    )


def _tell(epoch: Epoch) -> None:
    """Write what happened: first what ended, then what began."""
    add_events(
        epoch,
        f"SELECT w.*, 'cleared' AS event, 1 AS turn FROM {_WAS} w "
        f"JOIN {_STEP} n ON n.was_id = w.alert_id WHERE n.clearing "
        f"UNION ALL SELECT i.*, 'opened', 2 FROM {_IS} i "
        f"WHERE i.alert_id NOT IN (SELECT alert_id FROM {_WAS}) "
        f"UNION ALL SELECT i.*, 'updated', 3 FROM {_IS} i JOIN {_STEP} n USING (alert_id) "
        "WHERE n.marked "
        "UNION ALL SELECT i.*, CASE WHEN i.suppressed_by IS NULL THEN 'resumed' "
        f"ELSE 'suppressed' END, 4 FROM {_IS} i JOIN {_WAS} w USING (alert_id) "
        "WHERE (i.suppressed_by IS NULL) <> (w.suppressed_by IS NULL)",
    )


def add_events(epoch: Epoch, rows: str, who: str = "NULL", comment: str = "NULL") -> int:
    """Add to the history: rows of alerts, what happened to each (``event``) and its ``turn``."""
    connection = epoch.connection
    count = connection.execute(f"CREATE OR REPLACE TEMP TABLE {_HAPPENED} AS {rows}")
    if count <= 0:
        return 0
    tables.insert(
        epoch,
        entry_of(epoch.catalog, EVENTS),
        f"SELECT (SELECT max(next_event) FROM {NUMBERS}) + n - 1 AS event_id, "
        f"alert_id, {NOW} AS at, event, rule, rule_view, entity, severity, title, since, "
        f"opened_at, suppressed_by, {who}::VARCHAR AS who, {comment}::VARCHAR AS comment, "
        f"details, n AS {ORDINAL} FROM (SELECT *, row_number() OVER (ORDER BY turn, alert_id) "
        f"AS n FROM {_HAPPENED})",
    )
    connection.execute(f"UPDATE {NUMBERS} SET next_event = next_event + {count}")
    return count


def replace_rows(epoch: Epoch, was: str, new: str) -> None:
    """Put the rows of one relation in the place of those of another; what is the same stays."""
    connection = epoch.connection
    relation = relation_of(epoch.catalog, ALERTS)
    store, listed = table_store(relation.oid), column_list(relation.stable)
    gone = connection.execute(
        "CREATE OR REPLACE TEMP TABLE _alert_gone AS "
        f"SELECT {listed} FROM {was} EXCEPT SELECT {listed} FROM {new}"
    )
    come = connection.execute(
        "CREATE OR REPLACE TEMP TABLE _alert_come AS "
        f"SELECT {listed} FROM {new} EXCEPT SELECT {listed} FROM {was}"
    )
    if gone > 0:
        tables.add_delta(epoch, relation, "_alert_gone", -1)
        connection.execute(
            f"DELETE FROM {store} WHERE alert_id IN (SELECT alert_id FROM _alert_gone)"
        )
    if come > 0:
        tables.add_delta(epoch, relation, "_alert_come", 1)
        connection.execute(f"INSERT INTO {store} ({listed}) SELECT {listed} FROM _alert_come")

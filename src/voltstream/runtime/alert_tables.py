"""The relations of alerts: made with the database, written by the engine alone."""

from __future__ import annotations

from voltstream.core.errors import InternalError
from voltstream.runtime import entries
from voltstream.runtime.catalog import OWN_SCHEMA, Catalog, Entry
from voltstream.sql.catalog import Relation
from voltstream.sql.parse import parse_statements
from voltstream.sql.statements import CreateTable
from voltstream.sql.table_ddl import stored_ddl
from voltstream.store.alerts import NUMBERS
from voltstream.store.database import Connection
from voltstream.store.ledger import StoredObject, add_object

ALERTS = "alerts"
EVENTS = "alert_events"
# Oids below FIRST_OID: the same in every database, and what clients take for built in.
_OIDS = {ALERTS: 13_001, EVENTS: 13_002}
_DEFINITIONS = {
    ALERTS: """CREATE TABLE alerts (
    alert_id BIGINT PRIMARY KEY, rule VARCHAR NOT NULL, rule_view VARCHAR NOT NULL,
    entity VARCHAR NOT NULL, severity VARCHAR NOT NULL, title VARCHAR NOT NULL,
    since TIMESTAMPTZ NOT NULL, opened_at TIMESTAMPTZ NOT NULL, updated_at TIMESTAMPTZ NOT NULL,
    suppressed_by BIGINT, acknowledged_at TIMESTAMPTZ, acknowledged_by VARCHAR, comment VARCHAR,
    details JSONB NOT NULL)""",
    EVENTS: """CREATE TABLE alert_events (
    event_id BIGINT NOT NULL, alert_id BIGINT NOT NULL, at TIMESTAMPTZ NOT NULL,
    event VARCHAR NOT NULL, rule VARCHAR NOT NULL, rule_view VARCHAR NOT NULL,
    entity VARCHAR NOT NULL, severity VARCHAR NOT NULL, title VARCHAR NOT NULL,
    since TIMESTAMPTZ NOT NULL, opened_at TIMESTAMPTZ NOT NULL, suppressed_by BIGINT, who VARCHAR,
    comment VARCHAR, details JSONB NOT NULL) APPEND ONLY""",
}


def make(connection: Connection) -> None:
    """Make what a database lacks of them."""
    found = connection.rows(
        f"SELECT count(*) FROM _vs.objects WHERE oid IN ({', '.join(map(str, _OIDS.values()))})"
    )
    if found[0][0]:
        return
    connection.execute("BEGIN")
    connection.execute(f"CREATE SCHEMA IF NOT EXISTS {OWN_SCHEMA}")
    for name, text in _DEFINITIONS.items():
        parsed = parse_statements(text)[0]
        if not isinstance(parsed, CreateTable):
            raise InternalError(f"{name} is not defined as a table")
        stored = StoredObject(_OIDS[name], OWN_SCHEMA, name, "table", text)
        connection.execute(stored_ddl(entries.table_store(stored.oid), parsed))
        relation = entries.table_relation(stored, parsed, connection)
        entries.make_table_view(stored, relation, connection)
        add_object(connection, stored)
    connection.execute(f"INSERT INTO {NUMBERS} VALUES (1, 1)")
    connection.execute("COMMIT")


def entry_of(catalog: Catalog, name: str) -> Entry:
    entry = catalog.by_oid(_OIDS[name])
    if entry is None:
        raise InternalError(f'table "{name}" is missing')
    return entry


def relation_of(catalog: Catalog, name: str) -> Relation:
    relation = entry_of(catalog, name).relation
    if relation is None:
        raise InternalError(f'table "{name}" has no rows')
    return relation

"""Sink target: a table of a PostgreSQL server, each change in it once.

The place of the last record is kept in the target's own database, in the transaction that holds
the rows, so who comes back from a crash knows what is there.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import psycopg
from psycopg import sql
from psycopg.conninfo import make_conninfo

from voltstream.connectors.properties import required
from voltstream.core.errors import InvalidParameter
from voltstream.core.ports import SinkRecord, SinkRefused, SinkUnavailable

_PLACES = sql.Identifier("voltstream_sinks")
_REFUSED = (psycopg.DataError, psycopg.IntegrityError)  # Of a row, not of the server.
_Connection = psycopg.Connection[tuple[Any, ...]]


class PostgresSink:
    """Appends rows, or with a ``primary_key`` keeps the target's table like the sink's query.

    Shape: properties ``host``, ``port``, ``user``, ``password``, ``database``, ``schema``,
    ``table``, ``primary_key``, ``ssl.mode``, as in RisingWave. Columns are matched by name.
    """

    def __init__(self, name: str, properties: Mapping[str, str]) -> None:
        owner = f'sink "{name}"'
        self._identity = properties.get("sink.identity", name)
        self._table = sql.Identifier(
            properties.get("schema", "public"), required(properties, "table", owner)
        )
        listed = properties.get("primary_key", "").split(",")
        self._key = tuple(name.strip() for name in listed if name.strip())
        self._target = {
            "host": required(properties, "host", owner),
            "port": properties.get("port", "5432"),
            "user": required(properties, "user", owner),
            "password": properties.get("password", ""),
            "dbname": required(properties, "database", owner),
            "sslmode": properties.get("ssl.mode", "prefer"),
            "connect_timeout": "5",
            "application_name": "voltstream",
        }
        if not self._target["port"].isdecimal():
            raise InvalidParameter(f'{owner} cannot take "{self._target["port"]}" as "port"')
        self._connection: _Connection | None = None
        self._columns: tuple[str, ...] = ()

    def deliver(self, records: Sequence[SinkRecord]) -> None:
        try:
            connection = self._connected()
            try:
                self._write(connection, records)
            except _REFUSED:
                self._write_apart(connection, records)
        except psycopg.Error as error:
            self.close()
            raise SinkUnavailable(_first_line(error)) from error

    def interrupt(self) -> None:
        if self._connection is not None:
            self._connection.cancel_safe(timeout=2)

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _connected(self) -> _Connection:
        if self._connection is None:
            connection = psycopg.connect(make_conninfo("", **self._target), autocommit=True)
            self._connection = connection
            connection.execute(
                sql.SQL(
                    "CREATE TABLE IF NOT EXISTS {} (sink TEXT PRIMARY KEY, "
                    "epoch BIGINT NOT NULL, ordinal BIGINT NOT NULL)"
                ).format(_PLACES)
            )
            found = connection.execute(sql.SQL("SELECT * FROM {} LIMIT 0").format(self._table))
            self._columns = tuple(column.name for column in found.description or ())
        return self._connection

    def _write_apart(self, connection: _Connection, records: Sequence[SinkRecord]) -> None:
        """Find the records to blame, by halves, and write the others."""
        refused: list[tuple[SinkRecord, str]] = []
        waiting = [records]
        while waiting:
            part = waiting.pop()
            try:
                self._write(connection, part)
            except _REFUSED as error:
                if len(part) == 1:
                    refused.append((part[0], _first_line(error)))
                else:
                    middle = len(part) // 2
                    waiting += [part[middle:], part[:middle]]
        if refused:
            raise SinkRefused(refused)

    def _write(self, connection: _Connection, records: Sequence[SinkRecord]) -> None:
        with connection.transaction():
            place = connection.execute(
                sql.SQL("SELECT epoch, ordinal FROM {} WHERE sink = %s FOR UPDATE").format(_PLACES),
                [self._identity],
            ).fetchone()
            news = [r for r in records if place is None or (r.epoch, r.ordinal) > place]
            if not news:
                return
            if self._key:
                self._replace(connection, news)
            else:
                rows = [r.value.decode() for r in news if r.value is not None]
                self._insert(connection, rows)
            connection.execute(
                sql.SQL(
                    "INSERT INTO {} VALUES (%s, %s, %s) ON CONFLICT (sink) "
                    "DO UPDATE SET epoch = excluded.epoch, ordinal = excluded.ordinal"
                ).format(_PLACES),
                [self._identity, news[-1].epoch, news[-1].ordinal],
            )

    def _replace(self, connection: _Connection, records: Sequence[SinkRecord]) -> None:
        last: dict[bytes, SinkRecord] = {record.key or b"": record for record in records}
        keys = [key.decode() for key in last]
        match = sql.SQL(" AND ").join(
            sql.SQL("t.{0} = gone.{0}").format(sql.Identifier(name)) for name in self._key
        )
        connection.execute(
            sql.SQL(
                "DELETE FROM {0} t "
                "USING json_populate_recordset(NULL::{0}, %s::json) gone WHERE {1}"
            ).format(self._table, match),
            [_array(keys)],
        )
        self._insert(connection, [r.value.decode() for r in last.values() if r.value is not None])

    def _insert(self, connection: _Connection, rows: Sequence[str]) -> None:
        if not rows:
            return
        sent = json.loads(rows[0])
        names = [name for name in self._columns if name in sent]
        missing = [name for name in sent if name not in self._columns]
        if missing:
            raise psycopg.ProgrammingError(f'the table has no column "{missing[0]}"')
        listed = sql.SQL(", ").join(map(sql.Identifier, names))
        connection.execute(
            sql.SQL(
                "INSERT INTO {0} ({1}) SELECT {1} FROM json_populate_recordset(NULL::{0}, %s::json)"
            ).format(self._table, listed),
            [_array(rows)],
        )


def _array(documents: Sequence[str]) -> str:
    return "[" + ",".join(documents) + "]"


def _first_line(error: psycopg.Error) -> str:
    return str(error).splitlines()[0] if str(error) else type(error).__name__

"""Source: a PostgreSQL table, by logical replication; its rows first, then its changes.

The slot's place is in the epoch that holds the rows, and only that is confirmed to the server:
a crash on either side repeats nothing and passes over nothing.
"""

from __future__ import annotations

import logging
import re
import select
import struct
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import Any

import psycopg
from psycopg import pq, sql
from psycopg.conninfo import make_conninfo

from voltstream.connectors.properties import required
from voltstream.connectors.window import OutstandingBatches
from voltstream.core.errors import InvalidParameter, VoltstreamError
from voltstream.core.limits import CDC_BATCH_BYTES, CDC_TRANSACTION_BYTES_MAX
from voltstream.core.ports import RawBatch, SourceFeed, Stopped
from voltstream.formats.declared import truth
from voltstream.formats.pgoutput import commit_end, relation_of, relations_touched

SNAPSHOT_ROWS = 20_000  # Of one batch.
WAIT_S = 0.1  # How often a silent stream looks whether it shall stop.
BATCH_S = 0.2  # A batch that is not full goes on after so long.
CONFIRM_S = 5.0
LAG_S = 2.0
RETRY_S_MIN, RETRY_S_MAX = 0.5, 10.0
_SETTINGS = (
    "-c TimeZone=UTC -c DateStyle=ISO -c IntervalStyle=postgres "
    "-c bytea_output=hex -c extra_float_digits=1"
)
_EPOCH_2000_US = 946_684_800_000_000
_XLOG = struct.Struct("!cqqq")  # w: the data's place, the end of the log, the clock.
_KEEPALIVE = struct.Struct("!cqqb")
_LOG = logging.getLogger(__name__)


class _Batch:
    """Changes on their way: whole transactions, and the beginning of the next."""

    def __init__(self, place: int) -> None:
        self.end = self.seen = place
        self.size = 0
        self.prefix: list[bytes] = []
        self.committed: list[bytes] = []
        self._open: list[bytes] = []
        self._since_s = 0.0

    def add(self, message: bytes) -> None:
        self._open.append(message)
        self.size += len(message)

    def commit(self, end: int, now_s: float) -> None:
        if not self.committed:
            self._since_s = now_s
        self.committed += self._open
        self._open = []
        self.end = end

    def is_empty(self) -> bool:
        return not self.committed and not self._open

    def is_due(self, now_s: float) -> bool:
        waited = now_s - self._since_s >= BATCH_S
        return bool(self.committed) and (self.size >= CDC_BATCH_BYTES or waited)

    def sent(self, prefix: list[bytes]) -> None:
        self.prefix = prefix
        self.committed = []
        self.size = sum(map(len, self._open))


class PostgresCdcSource:
    """Keeps a table like one of a PostgreSQL server.

    Shape: properties ``hostname``, ``port``, ``username``, ``password``, ``database.name``,
    ``schema.name``, ``table.name``, ``slot.name``, ``publication.name``,
    ``publication.create.enable``, ``ssl.mode``, as in RisingWave.
    """

    def __init__(self, feed: SourceFeed) -> None:
        owner = f'table "{feed.source}"'
        given = feed.properties
        self._feed = feed
        self._owner = owner
        self._table = required(given, "table.name", owner)
        self._schema = given.get("schema.name", "public")
        if "." in self._table:
            self._schema, _, self._table = self._table.rpartition(".")
        self._slot = given.get("slot.name", f"voltstream_{self._schema}_{self._table}").lower()
        self._publication = given.get("publication.name", "rw_publication")
        self._creates = truth(given, "publication.create.enable", owner) is not False
        self._target = {
            "host": required(given, "hostname", owner),
            "port": given.get("port", "5432"),
            "user": required(given, "username", owner),
            "password": given.get("password", ""),
            "dbname": required(given, "database.name", owner),
            "sslmode": given.get("ssl.mode", "prefer"),
            "connect_timeout": "5",
            "application_name": "voltstream",
        }
        for name, value, form in (
            ("port", self._target["port"], r"\d+"),
            ("slot.name", self._slot, "[a-z0-9_]{1,63}"),
            ("publication.name", self._publication, r"\w{1,63}"),
        ):
            if not re.fullmatch(form, value):
                raise InvalidParameter(f'{owner} cannot take "{value}" as "{name}"')
        self._stop = threading.Event()
        self._outstanding = OutstandingBatches(feed, self._stop)
        self._state = ("", "")
        self._relations: dict[int, bytes] = {}  # As the stream told them last,
        self._settled: dict[int, bytes] = {}  # and as they were at the last commit.
        self._thread = threading.Thread(target=self._run, name=f"cdc-{feed.source}", daemon=True)

    def start(self) -> None:
        self._report("connecting", self._target["host"])
        self._thread.start()

    def stop(self) -> None:
        self._stop.set()
        if self._thread.is_alive() and self._thread is not threading.current_thread():
            self._thread.join()

    def _run(self) -> None:
        retry_s = RETRY_S_MIN
        while not self._stop.is_set():
            try:
                self._outstanding.forget()
                with self._connected(replication=True) as replication:
                    if "lsn" not in self._feed.offsets():
                        self._copy(replication)
                    retry_s = RETRY_S_MIN
                    self._follow(replication)
            except Stopped:
                return
            except psycopg.Error as error:
                self._report("disconnected", str(error).splitlines()[0] if str(error) else "lost")
            except VoltstreamError as error:
                _LOG.warning("%s: %s", self._owner, error)
                self._report("failed", f"{error}; trying again")
            self._stop.wait(retry_s)
            retry_s = min(retry_s * 2, RETRY_S_MAX)

    @contextmanager
    def _connected(self, *, replication: bool = False) -> Iterator[psycopg.Connection[Any]]:
        settings = {**self._target, "options": _SETTINGS}
        if replication:
            settings["replication"] = "database"
        connection = psycopg.connect(make_conninfo("", **settings), autocommit=True)
        try:
            yield connection
        finally:
            connection.close()

    # --- what is there ---------------------------------------------------------------------------

    def _copy(self, replication: psycopg.Connection[Any]) -> None:
        """Copy the table as it is at the place where a new slot begins."""
        self._report("running", "copying the table")
        with self._connected() as connection:
            self._publish(connection)
            with suppress(psycopg.errors.UndefinedObject):  # Of a copy that did not end.
                connection.execute("SELECT pg_drop_replication_slot(%s)", [self._slot])
        made = _simple(
            replication,
            f'CREATE_REPLICATION_SLOT "{self._slot}" LOGICAL pgoutput EXPORT_SNAPSHOT',
        )
        place, snapshot = made[1], made[2]
        everything = b"T" + struct.pack("!ibi", 1, 0, 0)  # Of a copy that was cut off.
        self._outstanding.submit(self._batch([everything], {}))
        with self._connected() as connection, connection.transaction():
            connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
            connection.execute(sql.SQL("SET TRANSACTION SNAPSHOT {}").format(snapshot))
            self._copy_rows(connection)
        self._outstanding.submit(self._batch([], {"lsn": str(_lsn(place))}))
        self._outstanding.settle()

    def _publish(self, connection: psycopg.Connection[Any]) -> None:
        known = connection.execute(
            "SELECT 1 FROM pg_publication_tables WHERE pubname = %s AND schemaname = %s "
            "AND tablename = %s",
            [self._publication, self._schema, self._table],
        ).fetchone()
        if known is not None or not self._creates:
            return
        table = sql.Identifier(self._schema, self._table)
        name = sql.Identifier(self._publication)
        there = connection.execute(
            "SELECT 1 FROM pg_publication WHERE pubname = %s", [self._publication]
        ).fetchone()
        form = (
            "ALTER PUBLICATION {} ADD TABLE {}" if there else "CREATE PUBLICATION {} FOR TABLE {}"
        )
        connection.execute(sql.SQL(form).format(name, table))

    def _copy_rows(self, connection: psycopg.Connection[Any]) -> None:
        names = [
            row[0]
            for row in connection.execute(
                "SELECT attname FROM pg_attribute WHERE attrelid = %s::regclass AND attnum > 0 "
                "AND NOT attisdropped ORDER BY attnum",
                [sql.Identifier(self._schema, self._table).as_string(connection)],
            )
        ]
        oid = 1  # Of no table: the slot's own messages tell theirs.
        relation = _relation(oid, self._schema, self._table, names)
        columns = sql.SQL(", ").join(
            sql.SQL("{}::text").format(sql.Identifier(name)) for name in names
        )
        select_all = sql.SQL("SELECT {} FROM {}").format(
            columns, sql.Identifier(self._schema, self._table)
        )
        with connection.cursor(name="voltstream_copy") as cursor:
            cursor.itersize = SNAPSHOT_ROWS
            cursor.execute(select_all)
            while rows := cursor.fetchmany(SNAPSHOT_ROWS):
                self._stop_if_asked()
                messages = [relation, *(_insert(oid, row) for row in rows)]
                self._outstanding.submit(self._batch(messages, {}))

    # --- what changes ----------------------------------------------------------------------------

    def _follow(self, replication: psycopg.Connection[Any]) -> None:
        place = int(self._feed.offsets()["lsn"])
        command = (
            f'START_REPLICATION SLOT "{self._slot}" LOGICAL {_spelled(place)} '
            f"(proto_version '1', publication_names '{self._publication}')"
        )
        stream = replication.pgconn
        result = stream.exec_(command.encode())
        if result.status != pq.ExecStatus.COPY_BOTH:
            raise psycopg.OperationalError(result.error_message.decode(errors="replace").strip())
        self._report("running", self._table)
        self._relations.clear()
        self._settled.clear()
        batch = _Batch(place)
        confirmed_s, lag_s = 0.0, time.monotonic()
        while True:
            self._stop_if_asked()
            for message, at in _messages(stream):
                self._take(batch, message, at)
                if batch.is_due(time.monotonic()):
                    break
            now_s = time.monotonic()
            if batch.is_due(now_s):
                self._submit(batch)
            if now_s - confirmed_s >= CONFIRM_S:
                idle = batch.is_empty() and self._outstanding.are_settled()
                _confirm(stream, batch.seen if idle else int(self._feed.offsets()["lsn"]))
                confirmed_s = now_s
            if now_s - lag_s >= LAG_S:
                self._feed.measure({"lsn": batch.seen if not batch.is_empty() else batch.end})
                lag_s = now_s

    def _take(self, batch: _Batch, message: bytes, at: int) -> None:
        batch.seen = max(batch.seen, at)
        if message[:1] == b"C":
            batch.commit(commit_end(message), time.monotonic())
            self._settled = dict(self._relations)
        elif message and self._is_ours(message):
            batch.add(message)
            if batch.size > CDC_TRANSACTION_BYTES_MAX:
                raise InvalidParameter(
                    f"{self._owner}: a transaction of more than {CDC_TRANSACTION_BYTES_MAX} bytes",
                    hint="Drop and create the table: it is copied anew.",
                )

    def _is_ours(self, message: bytes) -> bool:
        if message[:1] == b"R":
            relation = relation_of(message)
            if (relation.schema, relation.name) == (self._schema, self._table):
                self._relations[relation.oid] = message
                return True
            return False
        return any(oid in self._relations for oid in relations_touched(message))

    def _submit(self, batch: _Batch) -> None:
        # A batch is decoded alone: it begins with what its tables looked like before it.
        messages = [*batch.prefix, *batch.committed]
        self._outstanding.submit(self._batch(messages, {"lsn": str(batch.end)}))
        batch.sent(list(self._settled.values()))

    def _batch(self, messages: Sequence[bytes], offsets: Mapping[str, str]) -> RawBatch:
        place = offsets.get("lsn")
        position = f"{self._schema}.{self._table}@{_spelled(int(place)) if place else 'copy'}"
        return RawBatch("bytes", records=messages, offsets=offsets, position=position)

    def _stop_if_asked(self) -> None:
        if self._stop.is_set():
            raise Stopped

    def _report(self, state: str, detail: str) -> None:
        if self._state != (state, detail):
            self._state = (state, detail)
            self._feed.report(state, detail)


def _messages(stream: pq.abc.PGconn) -> Iterator[tuple[bytes, int]]:
    """Yield what has come: (message, place of the log); an empty message is a sign of life.

    Raises: psycopg.OperationalError when the stream ends.
    """
    while True:
        size, data = stream.get_copy_data(1)
        if size == 0:
            if not select.select([stream.socket], [], [], WAIT_S)[0]:
                return
            stream.consume_input()
            continue
        if size < 0:
            result = stream.get_result()
            reason = result.error_message if result is not None else stream.error_message
            raise psycopg.OperationalError(reason.decode(errors="replace").strip() or "the end")
        raw = bytes(data)
        if raw[:1] == b"w":
            _, place, _, _ = _XLOG.unpack_from(raw)
            yield raw[_XLOG.size :], place
        else:
            _, place, _, _ = _KEEPALIVE.unpack_from(raw)
            yield b"", place


def _confirm(stream: pq.abc.PGconn, place: int) -> None:
    now_us = int(time.time() * 1_000_000) - _EPOCH_2000_US
    stream.put_copy_data(struct.pack("!cqqqqb", b"r", place, place, place, now_us, 0))
    stream.flush()


def _simple(connection: psycopg.Connection[Any], command: str) -> list[str]:
    """Run a replication command. Returns its only row. Raises: psycopg.OperationalError."""
    result = connection.pgconn.exec_(command.encode())
    if result.status != pq.ExecStatus.TUPLES_OK:
        raise psycopg.OperationalError(result.error_message.decode(errors="replace").strip())
    return [(result.get_value(0, at) or b"").decode() for at in range(result.nfields)]


def _lsn(text: str) -> int:
    high, _, low = text.partition("/")
    return (int(high, 16) << 32) + int(low, 16)


def _spelled(place: int) -> str:
    return f"{place >> 32:X}/{place & 0xFFFFFFFF:X}"


def _relation(oid: int, schema: str, name: str, columns: Sequence[str]) -> bytes:
    """Return an R message, as the stream would have sent it."""
    head = struct.pack("!ci", b"R", oid) + schema.encode() + b"\0" + name.encode() + b"\0"
    body = b"".join(b"\0" + c.encode() + b"\0" + struct.pack("!ii", 0, 0) for c in columns)
    return head + struct.pack("!bh", 0, len(columns)) + body


def _insert(oid: int, row: Sequence[str | None]) -> bytes:
    """Return an I message."""
    parts = [struct.pack("!cich", b"I", oid, b"N", len(row))]
    for value in row:
        if value is None:
            parts.append(b"n")
        else:
            text = value.encode()
            parts += [b"t", struct.pack("!i", len(text)), text]
    return b"".join(parts)

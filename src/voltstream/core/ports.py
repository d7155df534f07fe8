"""What neighbours on one floor ask of each other; the front door (cli) plugs them together."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple, Protocol, runtime_checkable

import pyarrow as pa

from voltstream.core.metering import MeterForm
from voltstream.core.origins import FollowedTable, OriginTable
from voltstream.core.passwords import Verifier
from voltstream.core.schema import Schema
from voltstream.core.types import DataType, Kind

# --- asking -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Notice:
    """A remark beside a result. ``severity`` is NOTICE, WARNING or INFO."""

    message: str
    severity: str = "NOTICE"
    sqlstate: str = "00000"
    hint: str | None = None
    detail: str | None = None


@dataclass(frozen=True, slots=True)
class Notification:
    """What NOTIFY told a channel, or an epoch the channel of a relation's changes."""

    process_id: int  # Of who told it; 0 for an epoch.
    channel: str
    payload: str


class RowStream(Protocol):
    """A result that is being read. Close it, or its snapshot stays."""

    @property
    def columns(self) -> Schema: ...

    def batches(self) -> Iterator[pa.RecordBatch]: ...

    def close(self) -> None: ...


@dataclass(frozen=True, slots=True)
class FewRows:
    """A RowStream of a few rows that are at hand as Python values: numbers, texts and booleans."""

    columns: Schema
    values: Sequence[tuple[Any, ...]]

    @property
    def num_rows(self) -> int:
        return len(self.values)

    def slice(self, offset: int, length: int | None = None) -> FewRows:
        """Return some of the rows, as a batch does."""
        end = None if length is None else offset + length
        return FewRows(self.columns, self.values[offset:end])

    def batches(self) -> Iterator[pa.RecordBatch]:
        arrays = [
            pa.array([row[place] for row in self.values], _FEW_TYPES[column.store_type])
            for place, column in enumerate(self.columns)
        ]
        yield pa.record_batch(arrays, names=[column.name for column in self.columns])

    def close(self) -> None:
        """Nothing is held open."""


_FEW_TYPES: Mapping[str, pa.DataType] = {
    "BOOLEAN": pa.bool_(), "SMALLINT": pa.int16(), "INTEGER": pa.int32(), "BIGINT": pa.int64(),
    "UINTEGER": pa.uint32(), "DOUBLE": pa.float64(), "VARCHAR": pa.string(),
}  # fmt: skip


_AS_STORED = frozenset({Kind.TEXT, Kind.VARCHAR, Kind.NAME, Kind.OID})


def is_plain(columns: Schema) -> bool:
    """Tell whether rows of these columns can be FewRows."""
    return all(
        column.store_type in _FEW_TYPES and (column.told is None or column.told.kind in _AS_STORED)
        for column in columns
    )


class CopyIn(Protocol):
    """An open COPY … FROM STDIN: bytes go in as they come, ``finish`` makes them durable.

    When ``binary`` the client sends the binary format, and ``write`` gets it as text-format lines.
    """

    @property
    def columns(self) -> Schema: ...

    @property
    def binary(self) -> bool: ...

    def write(self, data: bytes) -> None: ...

    def finish(self) -> Outcome: ...

    def abandon(self, reason: str) -> None: ...


@dataclass(frozen=True, slots=True)
class CopyOut:
    """COPY … TO STDOUT.

    Shape: ``format`` is text, csv or binary; ``options`` as in COPY (delimiter, null, …).
    """

    rows: RowStream
    format: str = "text"
    options: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a statement did.

    Shape: ``tag`` is PostgreSQL's command tag ("INSERT 0 3", "CREATE TABLE"); for rows it is the
    bare verb ("SELECT", "COPY") and the reader appends the count. At most one of ``rows``,
    ``copy_in`` and ``copy_out``.
    """

    tag: str
    rows: RowStream | None = None
    copy_in: CopyIn | None = None
    copy_out: CopyOut | None = None
    notices: tuple[Notice, ...] = ()


class Statement(Protocol):
    """One parsed statement. ``offset`` is its first character in the message, from 0."""

    @property
    def text(self) -> str: ...

    @property
    def offset(self) -> int: ...


@dataclass(frozen=True, slots=True)
class Description:
    """What a prepared statement takes and gives; ``columns`` is None when it gives no rows."""

    parameter_oids: tuple[int, ...]
    columns: Schema | None


TransactionStatus = Literal["I", "T", "E"]  # Idle, in a block, in a failed block.


class AtHand(Protocol):
    """What a session can say at once. Law: as the session's own would say it, or None.

    No call does much work or waits for anything, so they may come from an event loop's thread.
    """

    def parse(self, text: str) -> Sequence[Statement] | None: ...

    def describe(
        self, statement: Statement, parameter_oids: Sequence[int]
    ) -> Description | None: ...

    def execute(
        self, statement: Statement, parameters: Sequence[object | None] = ()
    ) -> Outcome | None: ...


class Spelling(NamedTuple):
    """The settings that decide how a value is written to a client, and read from it."""

    timezone: str = "UTC"
    datestyle: str = "ISO, MDY"
    intervalstyle: str = "postgres"
    bytea_output: str = "hex"
    extra_float_digits: str = "1"
    client_encoding: str = "UTF8"


class Session(Protocol):
    """One client's conversation. Calls come one at a time, from any thread, and may block.

    Raises: VoltstreamError only; anything else is our defect and ends the connection with XX000.
    """

    @property
    def status(self) -> TransactionStatus: ...

    @property
    def at_hand(self) -> AtHand: ...

    def parse(self, text: str) -> Sequence[Statement]:
        """Split and parse a message; an empty one gives no statement."""

    def describe(self, statement: Statement, parameter_oids: Sequence[int]) -> Description:
        """Tell types without running. An OID of 0 asks to infer the parameter's type."""

    def execute(self, statement: Statement, parameters: Sequence[object | None] = ()) -> Outcome:
        """Run a statement. Parameters are Python values already decoded by their OIDs."""

    def fail(self) -> None:
        """Let an open transaction fail: the client was told an error that is not the session's."""

    def begin_implicit(self) -> None:
        """Open the implicit transaction of a message with several statements."""

    def end_implicit(self, *, commit: bool) -> None:
        """Close it; a no-op when a statement opened or closed an explicit one meanwhile."""

    def idle_limit_s(self) -> float | None:
        """Return how long the session may say nothing; None for as long as it likes."""

    def reported_settings(self) -> Mapping[str, str]:
        """Return the ParameterStatus values a client must know (TimeZone, DateStyle, …)."""

    def spelling(self) -> Spelling: ...

    @property
    def listening(self) -> bool:
        """Tell whether notifications may come."""

    def notifications(self) -> Sequence[Notification | Notice]:
        """Take what waits for this session on the channels it listens to."""

    def on_notification(self, wake: Callable[[], None]) -> None:
        """Have ``wake`` called, on whatever thread, when something begins to wait."""

    def interrupt(self) -> None:
        """Stop the running statement (57014). The only call made from another thread meanwhile."""

    def close(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Standing:
    """What is known of a name that wants in.

    Shape: a name without a password has the ``verifier`` of none, which nobody can meet.
    ``any_password`` tells whether there is a role at all that could log in from afar.
    """

    verifier: Verifier
    has_password: bool
    any_password: bool


class Sessions(Protocol):
    """Where the wire gets sessions from."""

    def standing(self, user: str) -> Standing:
        """Tell what a user must prove before ``open``. Law: it is told of any name at all."""

    def open(
        self,
        *,
        database: str,
        user: str,
        options: Mapping[str, str],
        process_id: int = 0,
        client: str = "",
    ) -> Session:
        """Start a session; ``process_id`` is the client's cancel key, 0 when it has none.

        Raises: UndefinedDatabase (3D000), InvalidAuthorization (28000).
        """


@dataclass(frozen=True, slots=True)
class Bearer:
    """Whom a token stands for; with a ``source`` it may only bring rows into that one."""

    user: str
    source: str | None = None
    database: str = ""


class Gate(Protocol):
    """What HTTP asks of the roles, beside sessions."""

    def bearer(self, token: str) -> Bearer | None:
        """Return whom a token stands for; None when it is not known or has ended."""

    def allow_push(self, user: str, database: str, source: str) -> None:
        """Ask for INSERT. Raises: InsufficientPrivilege (42501), 28000, 3D000, 42P01."""


# --- bringing rows in ---------------------------------------------------------------------------

Encoding = Literal[
    "ndjson", "json", "csv", "arrow", "bytes", "rest", "framed", "metering", "declared"
]
SchemaKind = Literal["AVRO", "JSON", "PROTOBUF"]


@dataclass(frozen=True, slots=True)
class WrittenSchema:
    """A schema that records are written with.

    Shape: ``imports`` are (name, text) of what it refers to; ``descriptors`` is a serialized
    FileDescriptorSet, its own file last, where the kind is PROTOBUF.
    """

    kind: SchemaKind
    text: str
    imports: tuple[tuple[str, str], ...] = ()
    descriptors: bytes = b""


@dataclass(frozen=True, slots=True)
class SchemaSet:
    """What is known of the schemas of a batch.

    Shape: when ``framed`` a record begins with a zero byte and the number of its schema in four
    bytes, and ``by_id`` has those that the registry knows; else all records are of ``value``.
    ``value`` and ``key`` are the newest; ``message`` names a record where a schema has several.
    """

    framed: bool
    value: WrittenSchema
    key: WrittenSchema | None = None
    by_id: Mapping[int, WrittenSchema] = field(default_factory=dict)
    message: str = ""


@dataclass(frozen=True, slots=True)
class RawBatch:
    """Undecoded records of one source.

    Shape: ``ndjson`` and ``csv`` carry bytes in ``payload``; ``json`` carries one document per
    item of ``records``, ``bytes`` one value, and ``csv`` may carry one row or more per item there;
    ``arrow`` carries a table whose columns match the source by name; ``rest`` carries what a
    record gained after it was taken; ``framed`` carries one record per item of ``records``, to
    be read by ``schemas``; ``metering`` carries a document of a head-end in ``payload`` or one per
    item of ``records``, to be read as ``metering`` says; ``declared`` leaves it to the source what
    ``payload`` is.
    ``offsets`` are stored in the epoch that holds the rows (partition or file -> position).
    ``position`` names where the batch came from, for dead letters.
    ``beside`` holds what came with the records, by what INCLUDE calls it: one row for each, or
    one row for all. ``keys`` are the records' keys where they change rows (FORMAT UPSERT); there
    an empty record takes the row of its key away.
    """

    encoding: Encoding
    payload: bytes | bytearray | memoryview = b""
    records: Sequence[bytes] = ()
    table: pa.Table | None = None
    offsets: Mapping[str, str] = field(default_factory=dict)
    position: str = ""
    header: bool | None = None  # CSV: the first line names the columns. None: as declared.
    delimiter: str = ""  # CSV. Empty: as declared.
    beside: pa.Table | None = None
    keys: Sequence[bytes | None] = ()
    name: str = ""  # What its sender calls it: a batch of a name that was taken is not taken again.
    partition: str = ""  # Which of several that advance by themselves it is from: see ``offsets``.
    after: Future[Receipt] | None = None  # Of a batch before it: where that fails, this fails.
    schemas: SchemaSet | None = None  # Of records that are framed.
    metering: MeterForm | None = None  # Of documents of a head-end. None: as declared.


@dataclass(frozen=True, slots=True)
class Receipt:
    """What became of a batch, given once it is durable."""

    rows: int
    dead_letters: int
    epoch: int


class Ingest(Protocol):
    """Where rows are pushed to."""

    def submit(self, database: str, source: str, batch: RawBatch) -> Future[Receipt]:
        """Queue a batch; the future is done when its epoch is durable. Waits when full.

        Raises: UndefinedDatabase (3D000), UndefinedTable (42P01), WrongObjectType (42809),
        LimitExceeded (54000); the future raises the same and StorageFault (58030).
        """


class JointIngest(Protocol):
    """Where rows of several sources are pushed to that belong to one event."""

    def submit_together(self, database: str, batches: Mapping[str, RawBatch]) -> Future[Receipt]:
        """Queue a batch for each source; all become true in one epoch, then the future is done.

        Waits when full. Raises: as ``Ingest.submit``; the future raises the same.
        """


class Stopped(Exception):
    """A connector was told to stop while it waited."""


class SourceFeed(Protocol):
    """One source, as its connector sees it."""

    @property
    def source(self) -> str: ...

    @property
    def properties(self) -> Mapping[str, str]: ...

    @property
    def columns(self) -> Mapping[str, DataType]:
        """Return the columns that a record brings, by name."""

    def offsets(self) -> Mapping[str, str]:
        """Return the stored offsets: where to go on after a restart."""

    def most(self, records: int) -> int:
        """Return how many records to bring at a time, of those that are at hand."""

    def submit(self, batch: RawBatch) -> Future[Receipt]:
        """Hand a batch on; waits while too much is on its way or the source's rate is reached.

        Raises: Stopped when the source ends meanwhile.
        """

    def report(self, state: str, detail: str = "") -> None:
        """Tell what rw_sources shows: connecting, running, disconnected, finished or failed."""

    def measure(self, ends: Mapping[str, int]) -> None:
        """Tell where the origin ends, by the parts of ``offsets``: rw_source_lag shows it."""


@runtime_checkable
class SharedSourceFeed(SourceFeed, Protocol):
    """A source that several tables share: they come and go while it runs."""

    def tables(self) -> Sequence[FollowedTable]:
        """Return the tables there are now. It is cheap: ask often."""

    def table_offsets(self, oid: int) -> Mapping[str, str]: ...

    def submit_together(
        self, batches: Mapping[int, RawBatch], offsets: Mapping[str, str]
    ) -> Future[Receipt]:
        """Hand on a batch for each table and the source's place, which become true together.

        A batch of a table that is gone is left out. Waits and raises as ``submit`` does.
        """

    def report_table(self, oid: int, state: str, detail: str = "") -> None: ...


class Connector(Protocol):
    """A running way in. It carries bytes and never interprets them."""

    def start(self) -> None: ...

    def stop(self) -> None: ...


# --- commands to what sends rows ----------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class CommandResult:
    """What came of a command. Shape: ``state`` is answered, refused, unanswered or kept."""

    command_id: str
    charge_point_id: str
    action: str
    state: str
    status: str | None
    reply: str | None


class Commands(Protocol):
    """Where commands to charge points go."""

    def run(self, function: str, arguments: Sequence[str | None]) -> CommandResult:
        """Run a function, the charge point first, and wait for the answer. Blocks.

        Raises: UndefinedFunction (42883), InvalidParameter (22023), StorageFault (58030).
        """


# --- bringing rows out --------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class SinkRecord:
    """One change on its way out; (epoch, ordinal) is its identity for deduplication."""

    epoch: int
    ordinal: int
    key: bytes | None
    value: bytes | None


@dataclass(frozen=True, slots=True)
class SinkShape:
    """What a sink's records are: JSON of these columns. Shape: ``form`` is as FORMAT says it."""

    columns: Schema = ()
    key: tuple[str, ...] = ()
    form: str = "PLAIN"
    encode: str = "JSON"


ANY_SHAPE = SinkShape()  # Of a target to which records are bytes.


class SinkUnavailable(Exception):  # A state of the world, not a fault of ours.
    """The target cannot take records now; they stay in the outbox and are tried again."""


class SinkRefused(Exception):  # The same; what it names is not tried again.
    """The target will never take some records; it holds the others that were sent with them."""

    def __init__(self, refused: Sequence[tuple[SinkRecord, str]]) -> None:
        super().__init__(refused[0][1])
        self.refused = refused


class SinkTarget(Protocol):
    """Where a sink delivers."""

    def deliver(self, records: Sequence[SinkRecord]) -> None:
        """Send records and wait until the target holds them.

        Raises: SinkUnavailable, SinkRefused.
        """

    def interrupt(self) -> None:
        """Let a running ``deliver`` end soon. The only call made from another thread meanwhile."""

    def close(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Rolling:
    """How long a target would have records gather: until there are so many, or so long."""

    rows: int
    seconds: float


@runtime_checkable
class RollingTarget(Protocol):
    """A target that is better served by much at once."""

    @property
    def rolling(self) -> Rolling: ...


class Schemas(Protocol):
    """Where the schemas of one source's records, or of one sink's, are kept.

    Raises: RegistryUnavailable (08006) where none can be had now.
    """

    def newest(self) -> SchemaSet:
        """Return the newest schemas, and the value's number; asked for again after a while."""

    def known(self, ids: Collection[int]) -> SchemaSet:
        """Return the newest schemas and those of ``ids`` that the registry has."""

    def register(self, part: Literal["key", "value"], kind: SchemaKind, text: str) -> int:
        """Return the number of a schema to write with: registered, or found where it must be."""


class Connectors(Protocol):
    """Makes connectors by the name users write in WITH (connector = '…')."""

    def source(self, feed: SourceFeed) -> Connector | None:
        """Return the connector of a source; None when the source only takes pushed rows.

        Raises: InvalidParameter (22023) naming the property that is missing or wrong.
        """

    def schemas(self, properties: Mapping[str, str], owner: str) -> Schemas | None:
        """Return where the schemas of records are kept; None where they have none.

        Raises: InvalidParameter (22023).
        """

    def origin_table(self, properties: Mapping[str, str], owner: str, table: str) -> OriginTable:
        """Ask the origin of a shared source for a table.

        Raises: InvalidParameter (22023), OriginUnavailable (08006), UndefinedTable (42P01).
        """

    def sink(
        self, name: str, properties: Mapping[str, str], shape: SinkShape = ANY_SHAPE
    ) -> SinkTarget:
        """Return the target of a sink. Raises: InvalidParameter (22023)."""

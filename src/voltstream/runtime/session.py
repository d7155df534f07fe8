"""One client's conversation with one database."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, Protocol, TypeVar

from voltstream.core.errors import (
    ActiveTransaction,
    FailedTransaction,
    InternalError,
    NoActiveTransaction,
    ObjectInUse,
    QueryCanceled,
    ReadOnlyTransaction,
    StatementTooComplex,
    VoltstreamError,
)
from voltstream.core.ports import (
    CopyOut,
    Description,
    Notice,
    Outcome,
    Statement,
    TransactionStatus,
)
from voltstream.runtime import calls, copying, costs, defining, describing, dml, querying, show
from voltstream.runtime.activity import Activity, Presence
from voltstream.runtime.catalog import (
    Catalog,
    Names,
    Scope,
    search_path,
    undescribed,
    with_public_names,
)
from voltstream.runtime.cursors import Cursors
from voltstream.runtime.deadline import Deadline, TimedRows, duration_s
from voltstream.runtime.engine import Engine
from voltstream.runtime.epoch import Epoch
from voltstream.runtime.preparing import PreparedStatements
from voltstream.runtime.settings import Settings
from voltstream.runtime.system_catalog import names_system
from voltstream.runtime.transaction import Transaction, waited
from voltstream.sql import statements as sql
from voltstream.sql.blame import blame
from voltstream.sql.parse import parse_statements
from voltstream.sql.resolve import DEFINITIONS, resolved
from voltstream.store.database import Connection

# Levels at which what a block has read must still be true when it commits.
_VALIDATED = frozenset({"serializable", "repeatable read"})

_ON = frozenset({"on", "true", "1", "yes"})
_READING = (
    sql.Query, sql.CopyTo, sql.Transaction, sql.SetSetting, sql.Show, sql.Describe, sql.Explain,
    sql.NoOp, sql.DeclareCursor, sql.Fetch, sql.CloseCursor, sql.Prepare, sql.Deallocate,
)  # fmt: skip

T = TypeVar("T")

# As pg_stat_activity names what a session is in between two statements.
_STATES: Mapping[TransactionStatus, str] = {
    "I": "idle", "T": "idle in transaction", "E": "idle in transaction (aborted)"
}  # fmt: skip


class Databases(Protocol):
    """What a session asks of the instance around it."""

    @property
    def activity(self) -> Activity: ...

    def names(self) -> list[str]: ...

    def create(self, name: str) -> None: ...

    def drop(self, name: str) -> None: ...


class EngineSession:
    """A session of ports.Session over one engine."""

    def __init__(
        self,
        engine: Engine,
        databases: Databases,
        options: Mapping[str, str],
        presence: Presence,
    ) -> None:
        self._engine = engine
        self._databases = databases
        self._presence = presence
        self._settings = Settings(presence.user, options)
        self._introduction = ""  # What the next statement's connection must know of us.
        self._transaction: Transaction | None = None
        self._implicit = False  # Inside a message of several statements.
        self._lock = threading.Lock()
        self._reader: Connection | None = None
        self._future: Future[Any] | None = None
        self._cursors = Cursors(engine.reader, self._refuse_canceled)
        self._prepared = PreparedStatements()
        self._busy = False
        self._canceled = False  # While busy: also what the statement has yet to begin stops.

    # --- ports.Session --------------------------------------------------------------------------

    @property
    def status(self) -> TransactionStatus:
        if self._transaction is None or not self._transaction.explicit:
            return "I"
        return "E" if self._transaction.failed else "T"

    def parse(self, text: str) -> Sequence[Statement]:
        try:
            with _bounded_depth():
                return parse_statements(text)
        except VoltstreamError:
            self._fail_block()
            raise

    def describe(self, statement: Statement, parameter_oids: Sequence[int]) -> Description:
        parsed = _own(statement)
        if self.status == "E" and not _ends_block(parsed):
            raise _aborted()
        try:
            with _bounded_depth():
                return self._described(parsed, parameter_oids)
        except VoltstreamError as error:
            self._fail_block()
            self._blame(error, parsed)
            raise

    def _described(self, parsed: sql.Parsed, parameter_oids: Sequence[int]) -> Description:
        parsed = self._prepared.behind(parsed)
        self._introduce(parsed)
        parsed = self._resolved(parsed)
        transaction = self._transaction
        if isinstance(parsed, sql.Fetch):
            return Description((), self._cursors.columns(parsed))
        if transaction is not None and transaction.holds_writer:
            return self._on_writer(
                lambda epoch: describing.describe(
                    parsed, epoch.catalog, epoch.connection, parameter_oids
                ),
                keep=False,
            )
        reader = self._open_reader()
        try:
            return describing.describe(parsed, self._catalog, reader, parameter_oids)
        finally:
            reader.close()

    def execute(self, statement: Statement, parameters: Sequence[object | None] = ()) -> Outcome:
        parsed = _own(statement)
        if self.status == "E" and not _ends_block(parsed):
            raise _aborted()
        if self._implicit and self._transaction is None:
            self._transaction = self._new_transaction(explicit=False)
        self.note(parsed.text, "active")
        limit_s = duration_s("statement_timeout", self._settings.get("statement_timeout"))
        deadline = Deadline(limit_s, self.interrupt)
        try:
            with deadline.counting(), self._being_busy(), _bounded_depth():
                parsed = self._prepared.behind(parsed)
                self._introduce(parsed)
                outcome = self._dispatch(self._resolved(parsed), parameters)
        except VoltstreamError as error:
            self._fail_block()
            self._blame(error, parsed)
            raise
        finally:
            self.note("", _STATES[self.status])
        return self._timed(outcome, deadline)

    def _timed(self, outcome: Outcome, deadline: Deadline) -> Outcome:
        """Let the deadline also count while the rows are made."""
        if outcome.rows is not None:
            return replace(outcome, rows=TimedRows(outcome.rows, deadline, self._forget_reader))
        if outcome.copy_out is not None:
            rows = TimedRows(outcome.copy_out.rows, deadline, self._forget_reader)
            return replace(outcome, copy_out=replace(outcome.copy_out, rows=rows))
        return outcome

    @contextmanager
    def _being_busy(self) -> Iterator[None]:
        with self._lock:
            self._busy, self._canceled = True, False
        try:
            yield
        finally:
            with self._lock:
                self._busy = self._canceled = False

    def _refuse_canceled(self) -> None:
        with self._lock:
            canceled = self._canceled
        if canceled:
            raise QueryCanceled("canceling statement due to user request")

    def _forget_reader(self) -> None:
        with self._lock:
            self._reader = None

    def _blame(self, error: VoltstreamError, parsed: sql.Parsed) -> None:
        """Complete an error with what its statement and the catalog know."""
        found = ((entry.stored.name, entry.relation) for entry in self._catalog)
        relations = {name: relation for name, relation in found if relation is not None}
        with_public_names(error, self._catalog)
        blame(error, parsed, relations)

    def begin_implicit(self) -> None:
        self._implicit = True

    def end_implicit(self, *, commit: bool) -> None:
        self._implicit = False
        transaction = self._transaction
        if transaction is None or transaction.explicit:
            return
        self._transaction = None
        transaction.end(commit=commit and not transaction.failed, watch=self._watch)

    def reported_settings(self) -> Mapping[str, str]:
        return self._settings.reported()

    def note(self, query: str, state: str) -> None:
        """Show others what this session does (pg_stat_activity)."""
        self._presence.application = self._settings.get("application_name")
        self._databases.activity.note(
            self._presence, query, state, in_block=self._transaction is not None
        )

    def interrupt(self) -> None:
        with self._lock:
            reader, future = self._reader, self._future
            self._canceled = self._busy
        if reader is not None:
            reader.interrupt()
        if future is not None:
            self._engine.loop.interrupt(future)

    def close(self) -> None:
        self._cursors.close_all()
        transaction, self._transaction = self._transaction, None
        if transaction is not None:
            transaction.end(commit=False, watch=self._watch)

    # --- dispatch -------------------------------------------------------------------------------

    def _dispatch(self, parsed: sql.Parsed, parameters: Sequence[object | None]) -> Outcome:
        self._engine.admit(parsed, waits=self._transaction is None)
        transaction = self._transaction
        if transaction is not None and transaction.read_only and not isinstance(parsed, _READING):
            raise ReadOnlyTransaction(
                f"cannot execute {parsed.text.split()[0].upper()} in a read-only transaction"
            )
        match parsed:
            case sql.Query(tree=tree):
                return self._query(tree, parameters)
            case sql.Insert():
                return self._change(lambda epoch: dml.insert(epoch, parsed, parameters))
            case sql.Update():
                return self._change(lambda epoch: dml.update(epoch, parsed, parameters))
            case sql.Delete():
                return self._change(lambda epoch: dml.delete(epoch, parsed, parameters))
            case sql.Merge():
                return self._change(lambda epoch: dml.merge(epoch, parsed, parameters))
            case sql.Truncate():
                return self._change(lambda epoch: dml.truncate(epoch, parsed))
            case sql.Call():
                return self._on_writer(lambda epoch: calls.call(epoch, parsed))
            case sql.CopyFrom():
                target = copying.CopyTarget.find(self._catalog, parsed)
                return Outcome("COPY", copy_in=copying.CopyInput(target, parsed, self._finish_copy))
            case sql.CopyTo():
                return self._copy_to(parsed, parameters)
            case sql.Transaction():
                return self._transact(parsed)
            case _:
                return self._define_or_tell(parsed)

    def _define_or_tell(self, parsed: sql.Parsed) -> Outcome:
        match parsed:
            case sql.SetSetting(name=name, value=value):
                self._settings.set(name, value)
                return Outcome("RESET" if parsed.text[:5].upper() == "RESET" else "SET")
            case sql.Show():
                return show.show(parsed, self._catalog, self._settings, self._databases.names())
            case sql.Describe():
                return show.describe(parsed, self._catalog)
            case sql.Explain():
                return self._explain(parsed)
            case sql.NoOp(tag=tag, remark=remark):
                return Outcome(tag, notices=(Notice(remark),) if remark is not None else ())
            case sql.DeclareCursor() | sql.Fetch() | sql.CloseCursor():
                return self._cursors.run(parsed, self._catalog, self._query)
            case sql.Prepare() | sql.Deallocate():
                return self._prepared.run(parsed)
            case sql.CreateDatabase():
                return self._create_database(parsed)
            case sql.Drop(kind="DATABASE"):
                return self._drop_databases(parsed)
            case _:
                return self._on_writer(lambda epoch: self._define(epoch, parsed))

    def _define(self, epoch: Epoch, parsed: sql.Parsed) -> Outcome:
        before = {entry.oid for entry in epoch.catalog}
        outcome = defining.define(epoch, parsed, self._scope())
        for entry in epoch.catalog:  # A new source, sink or table gets its connector.
            if entry.oid not in before:
                self._engine.attach(epoch, entry)
        return outcome

    def _scope(self) -> Scope:
        """Return how this session reads names."""
        path = search_path(
            self._settings.get("search_path"), self._settings.get("session_authorization")
        )
        return Scope(path=path, database=self._engine.name)

    def _resolved(self, parsed: sql.Parsed) -> sql.Parsed:
        """Qualify names by the search path; what defines an object does so on the writer."""
        if isinstance(parsed, DEFINITIONS):
            return parsed
        return resolved(parsed, Names(self._catalog, undescribed, self._scope()))

    # --- reading --------------------------------------------------------------------------------

    @property
    def _catalog(self) -> Catalog:
        transaction = self._transaction
        if transaction is not None and transaction.catalog is not None:
            return transaction.catalog
        return self._engine.catalog

    def _introduce(self, parsed: sql.Parsed) -> None:
        """Note what the statement's connection must know of us when it may read the catalogs."""
        self._introduction = ""
        if costs.VIEW in parsed.text:
            self._introduction = self._engine.costs()
        if not names_system(parsed.text, self._catalog):
            return
        if not self._engine.system.shows(self._catalog):
            self._show_system()
        self._introduction = self._databases.activity.introduction(
            self._presence, self._settings.all(), self._databases.names()
        )

    def _show_system(self) -> None:
        """Bring the catalogs up to date: in the block that changes things, or in passing."""
        transaction = self._transaction
        if transaction is not None and transaction.holds_writer:
            transaction.run(self._engine.system.make, self._watch)
        else:
            waited(self._engine.loop.run_statement(self._engine.system.make))

    def _open_reader(self) -> Connection:
        reader = self._engine.reader()
        if self._introduction:
            reader.execute(self._introduction)
        zone = self._settings.get("timezone")
        if zone.upper() != "UTC":  # A view's instants are computed in UTC, a reader's in its zone.
            reader.execute("SET TimeZone = '{}'".format(zone.replace("'", "''")))
        return reader

    def _query(self, tree: object, parameters: Sequence[object | None]) -> Outcome:
        """Read: from a snapshot of its own, or from the writer to see the block's own writes."""
        transaction = self._transaction
        if transaction is not None and transaction.holds_writer:
            return self._on_writer(
                lambda epoch: querying.held(epoch, tree, parameters), keep=transaction.validated
            )
        reader = self._open_reader()
        with self._lock:
            self._reader = reader
            canceled = self._canceled
        if canceled:
            reader.interrupt()
        try:
            rows = querying.streamed(reader, self._catalog, tree, parameters)
        except BaseException:
            reader.close()
            raise
        return Outcome("SELECT", rows=rows)

    def _copy_to(self, parsed: sql.CopyTo, parameters: Sequence[object | None]) -> Outcome:
        outcome = self._query(parsed.tree, parameters)
        if outcome.rows is None:
            raise InternalError("a query gave no rows")
        return Outcome("COPY", copy_out=CopyOut(outcome.rows, parsed.format, parsed.options))

    def _explain(self, parsed: sql.Explain) -> Outcome:
        reader = self._open_reader()
        try:
            return show.explanation(querying.explained(reader, self._catalog, parsed))
        finally:
            reader.close()

    # --- writing --------------------------------------------------------------------------------

    def _finish_copy(self, run: Callable[[Epoch], Outcome], size: int) -> Outcome:
        try:
            with self._being_busy():
                return self._on_writer(run, size=size)
        except VoltstreamError:
            self._fail_block()
            raise

    def _change(self, run: Callable[[Epoch], Outcome]) -> Outcome:
        """Change rows; outside a block, in one epoch with others who wait to do so."""
        return self._on_writer(run, shared=True)

    def _on_writer(
        self, run: Callable[[Epoch], T], *, shared: bool = False, keep: bool = True, size: int = 0
    ) -> T:
        transaction = self._transaction
        run = _introduced(run, self._introduction)
        try:
            if transaction is not None:
                return transaction.run(run, self._watch, keep=keep, size=size)
            future = self._engine.loop.run_statement(run, shared=shared)
            self._watch(future)
            return waited(future)
        finally:
            with self._lock:
                self._future = None

    def _watch(self, future: Future[Any]) -> None:
        with self._lock:
            self._future = future
            self._reader = None
            canceled = self._canceled
        if canceled:
            self._engine.loop.interrupt(future)

    # --- transactions ---------------------------------------------------------------------------

    def _new_transaction(self, *, explicit: bool) -> Transaction:
        options = self._engine.options
        name = "idle_in_transaction_session_timeout"
        idle_s = duration_s(name, self._settings.get(name)) or options.transaction_idle_s
        return Transaction(self._engine.loop, options.writer_wait_s, idle_s, explicit=explicit)

    def _fail_block(self) -> None:
        if self._transaction is not None and not self._transaction.failed:
            self._transaction.fail()

    def _transact(self, parsed: sql.Transaction) -> Outcome:
        try:
            match parsed.verb:
                case "BEGIN":
                    return self._begin(parsed)
                case "SET":
                    if self._transaction is not None and parsed.name:
                        self._transaction.validated = parsed.name in _VALIDATED
                    if self._transaction is not None and parsed.read_only is not None:
                        self._transaction.read_only = parsed.read_only
                    return Outcome("SET")
                case "COMMIT" | "ROLLBACK":
                    return self._end_block(parsed.verb)
                case _:
                    return self._move_in_block(parsed)
        finally:
            with self._lock:
                self._future = None

    def _begin(self, parsed: sql.Transaction) -> Outcome:
        transaction = self._transaction
        if transaction is not None and transaction.explicit:
            warning = Notice("there is already a transaction in progress", "WARNING", "25001")
            return Outcome("BEGIN", notices=(warning,))
        if transaction is None:
            transaction = self._transaction = self._new_transaction(explicit=True)
        transaction.explicit = True
        level = parsed.name or self._settings.get("default_transaction_isolation").lower()
        transaction.validated = level in _VALIDATED
        by_default = self._settings.get("default_transaction_read_only").lower() in _ON
        transaction.read_only = by_default if parsed.read_only is None else parsed.read_only
        return Outcome("BEGIN")

    def _end_block(self, verb: str) -> Outcome:
        transaction, self._transaction = self._transaction, None
        if transaction is None or not transaction.explicit:
            warning = Notice("there is no transaction in progress", "WARNING", "25P01")
            if transaction is not None:
                transaction.end(commit=verb == "COMMIT", watch=self._watch)
            return Outcome(verb, notices=(warning,))
        if verb == "COMMIT" and not transaction.failed:
            transaction.end(commit=True, watch=self._watch)
            return Outcome("COMMIT")
        transaction.end(commit=False, watch=self._watch)
        return Outcome("ROLLBACK")

    def _move_in_block(self, parsed: sql.Transaction) -> Outcome:
        transaction = self._transaction
        if transaction is None or not transaction.explicit:
            words = {"RELEASE": "RELEASE SAVEPOINT", "ROLLBACK TO": "ROLLBACK TO SAVEPOINT"}
            verb = words.get(parsed.verb, parsed.verb)
            raise NoActiveTransaction(f"{verb} can only be used in transaction blocks")
        match parsed.verb:
            case "SAVEPOINT":
                transaction.savepoint(parsed.name)
            case "RELEASE":
                transaction.release(parsed.name)
            case _:
                transaction.rollback_to(parsed.name, self._watch)
        return Outcome("ROLLBACK" if parsed.verb == "ROLLBACK TO" else parsed.verb)

    def _refuse_in_block(self, what: str) -> None:
        if self._transaction is not None and self._transaction.explicit:
            raise ActiveTransaction(f"{what} cannot run inside a transaction block")

    def _create_database(self, parsed: sql.CreateDatabase) -> Outcome:
        self._refuse_in_block("CREATE DATABASE")
        if parsed.if_not_exists and parsed.name in self._databases.names():
            remark = Notice(f'database "{parsed.name}" already exists, skipping')
            return Outcome("CREATE DATABASE", notices=(remark,))
        self._databases.create(parsed.name)
        return Outcome("CREATE DATABASE")

    def _drop_databases(self, parsed: sql.Drop) -> Outcome:
        self._refuse_in_block("DROP DATABASE")
        notices: list[Notice] = []
        for name in parsed.names:
            if parsed.if_exists and name.name not in self._databases.names():
                notices.append(Notice(f'database "{name.name}" does not exist, skipping'))
                continue
            if name.name == self._engine.name:
                raise ObjectInUse("cannot drop the currently open database")
            self._databases.drop(name.name)
        return Outcome("DROP DATABASE", notices=tuple(notices))


@contextmanager
def _bounded_depth() -> Iterator[None]:
    """Raises: StatementTooComplex (54001) where a statement's nesting exhausts the stack."""
    try:
        yield
    except RecursionError:
        raise StatementTooComplex(
            "stack depth limit exceeded", hint="Write the statement with less nesting."
        ) from None


def _introduced(run: Callable[[Epoch], T], introduction: str) -> Callable[[Epoch], T]:
    if not introduction:
        return run

    def introduced(epoch: Epoch) -> T:
        epoch.connection.execute(introduction)
        return run(epoch)

    return introduced


def _own(statement: Statement) -> sql.Parsed:
    if not isinstance(statement, sql.Parsed):
        raise InternalError("the statement was not parsed by this session")
    return statement


def _ends_block(parsed: sql.Parsed) -> bool:
    words = ("COMMIT", "ROLLBACK", "ROLLBACK TO")
    return isinstance(parsed, sql.Transaction) and parsed.verb in words


def _aborted() -> FailedTransaction:
    return FailedTransaction(
        "current transaction is aborted, commands ignored until end of transaction block"
    )

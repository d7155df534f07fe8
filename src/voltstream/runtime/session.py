"""One client's conversation with one database."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace

from voltstream.core.errors import (
    FailedTransaction,
    InternalError,
    QueryCanceled,
    ReadOnlyTransaction,
    StatementTooComplex,
    UndefinedObject,
    VoltstreamError,
)
from voltstream.core.ports import (
    CopyOut,
    Description,
    FewRows,
    Notice,
    Notification,
    Outcome,
    Spelling,
    Statement,
    TransactionStatus,
)
from voltstream.runtime import calls, commands, copying, databases, dead_letters, dml, show
from voltstream.runtime.access import Access
from voltstream.runtime.activity import Presence
from voltstream.runtime.at_hand import AtHand
from voltstream.runtime.backups import FUNCTIONS as BACKUP_FUNCTIONS
from voltstream.runtime.block import ends_block
from voltstream.runtime.catalog import with_public_names
from voltstream.runtime.cursors import Cursors
from voltstream.runtime.databases import Databases
from voltstream.runtime.deadline import Deadline, TimedRows, duration_s
from voltstream.runtime.engine import Engine
from voltstream.runtime.interruption import Interruption
from voltstream.runtime.own_state import OwnState
from voltstream.runtime.plans import Asked, whole
from voltstream.runtime.preparing import PreparedStatements
from voltstream.runtime.settings import Settings
from voltstream.runtime.signals import Signals
from voltstream.sql import statements as sql
from voltstream.sql.blame import blame
from voltstream.sql.channels import Listen, Notify, Unlisten
from voltstream.sql.chunk_queries import ChunkQuery
from voltstream.sql.effects import EffectQuery
from voltstream.sql.natives.datetimes import date_order
from voltstream.sql.role_statements import (
    AlterRole,
    CreateRole,
    CreateToken,
    DropRole,
    DropToken,
    Grant,
    GrantRole,
)
from voltstream.sql.styles.casts import text_style

_READING = (
    sql.Query, sql.CopyTo, sql.Transaction, sql.SetSetting, sql.Show, sql.Describe, sql.Explain,
    sql.NoOp, sql.DeclareCursor, sql.Fetch, sql.CloseCursor, sql.Prepare, sql.Deallocate, sql.Use,
    sql.Discard, Listen, Notify, Unlisten,
)  # fmt: skip

# As pg_stat_activity names what a session is in between two statements.
_STATES: Mapping[TransactionStatus, str] = {
    "I": "idle", "T": "idle in transaction", "E": "idle in transaction (aborted)"
}  # fmt: skip


class EngineSession:
    """A session of ports.Session over one engine."""

    def __init__(
        self,
        engine: Engine,
        databases: Databases,
        options: Mapping[str, str],
        presence: Presence,
        settings_of_role: Mapping[str, str] | None = None,
    ) -> None:
        self._engine = engine
        self._databases = databases
        self._presence = presence
        self._settings = Settings(presence.user, options, settings_of_role)
        self._interruption = Interruption(engine.loop.interrupt)
        self._access = Access(engine, databases, presence, self._settings, self._interruption)
        self._block = self._access.block
        self._cursors = Cursors(engine.reader, self._interruption.check)
        self._prepared = PreparedStatements()
        self.at_hand = AtHand(self._access, lambda text: self.note(text, "idle"))
        self._signals = Signals(engine.channels, presence.process_id)
        self._own = OwnState(self._settings, self._access, self._signals)
        self._access.listening = lambda: self._signals.listening
        for party in (self._settings, self._access.identity, self._signals):
            self._block.join(party)

    # --- ports.Session --------------------------------------------------------------------------

    @property
    def status(self) -> TransactionStatus:
        return self._block.status

    def parse(self, text: str) -> Sequence[Statement]:
        try:
            with _bounded_depth():
                parsed = self._access.parse(text)
            if self.status == "E" and parsed and not ends_block(parsed[0]):
                raise _aborted()
            return parsed
        except VoltstreamError:
            self._block.fail()
            raise

    def describe(self, statement: Statement, parameter_oids: Sequence[int]) -> Description:
        parsed = _own(statement)
        if self.status == "E" and not ends_block(parsed):
            raise _aborted()
        date_order.set(self._access.date_order)
        text_style.set(self._access.text_style)
        try:
            with _bounded_depth():
                return self._described(parsed, parameter_oids)
        except VoltstreamError as error:
            self._block.fail()
            self._blame(error, whole(parsed) if isinstance(parsed, Asked) else parsed)
            raise

    def _described(self, parsed: sql.Parsed, parameter_oids: Sequence[int]) -> Description:
        if isinstance(parsed, Asked):
            plan = self._access.planned(parsed)
            if plan is not None and plan.takes(parameter_oids):
                return plan.description(parsed.first - 1)
            parsed = whole(parsed)
        parsed = self._prepared.behind(parsed)
        self._access.introduce(parsed)
        parsed = self._access.resolved(parsed)
        if isinstance(parsed, sql.Fetch):
            return Description((), self._cursors.columns(parsed))
        return self._access.describe(parsed, parameter_oids)

    def execute(self, statement: Statement, parameters: Sequence[object | None] = ()) -> Outcome:
        parsed = _own(statement)
        if self.status == "E" and not ends_block(parsed):
            raise _aborted()
        self._block.enter()
        date_order.set(self._access.date_order)
        text_style.set(self._access.text_style)
        self.note(parsed.text, "active")
        limit_s = duration_s("statement_timeout", self._settings.get("statement_timeout"))
        deadline = Deadline(limit_s, self.interrupt)
        asked: Asked | None = None
        try:
            with deadline.counting(), self._interruption.busy(), _bounded_depth():
                if isinstance(parsed, Asked):
                    planned = self._by_plan(parsed, parameters)
                    if planned is not None:
                        return self._timed(planned, deadline)
                    asked, parsed = parsed, whole(parsed)
                parsed = self._prepared.behind(parsed)
                self._access.introduce(parsed)
                outcome = self._dispatch(self._access.resolved(parsed), parameters)
                if asked is not None:
                    self._access.learn(asked)
        except VoltstreamError as error:
            self._block.fail()
            self._blame(error, parsed)
            raise
        finally:
            self.note("", _STATES[self.status])
        return self._timed(outcome, deadline)

    def _by_plan(self, asked: Asked, parameters: Sequence[object | None]) -> Outcome | None:
        """Run a query by what is known of its template; None to go the way of all statements.

        That way also tells an error as the statement deserves: to run a query again does no harm.
        """
        plan = self._access.planned(asked)
        if plan is None:
            return None
        try:
            self._access.introduce(asked)
            return self._access.run_plan(plan, [*parameters, *asked.values])
        except QueryCanceled:
            raise
        except VoltstreamError:
            return None

    def _timed(self, outcome: Outcome, deadline: Deadline) -> Outcome:
        """Let the deadline count while rows are made too, and drop what nobody wants to hear."""
        if outcome.notices:
            heard = (notice for notice in outcome.notices if self._settings.hears(notice.severity))
            outcome = replace(outcome, notices=tuple(heard))
        if outcome.rows is not None and not isinstance(outcome.rows, FewRows):
            return replace(outcome, rows=TimedRows(outcome.rows, deadline, self._interruption.read))
        if outcome.copy_out is not None:
            rows = TimedRows(outcome.copy_out.rows, deadline, self._interruption.read)
            return replace(outcome, copy_out=replace(outcome.copy_out, rows=rows))
        return outcome

    def _blame(self, error: VoltstreamError, parsed: sql.Parsed) -> None:
        """Complete an error with what its statement and the catalog know."""
        catalog = self._access.catalog
        found = ((entry.stored.name, entry.relation) for entry in catalog)
        relations = {name: relation for name, relation in found if relation is not None}
        with_public_names(error, catalog)
        blame(error, parsed, relations)

    def fail(self) -> None:
        self._block.fail()

    def begin_implicit(self) -> None:
        self._block.begin_implicit()

    def end_implicit(self, *, commit: bool) -> None:
        self._block.end_implicit(commit=commit)

    def idle_limit_s(self) -> float | None:
        in_block = self._block.transaction is not None
        name = "idle_in_transaction_session_timeout" if in_block else "idle_session_timeout"
        return duration_s(name, self._settings.get(name)) or None

    def reported_settings(self) -> Mapping[str, str]:
        return self._settings.reported()

    def spelling(self) -> Spelling:
        return Spelling(*self._settings.spelling())

    def note(self, query: str, state: str) -> None:
        """Show others what this session does (pg_stat_activity)."""
        self._presence.application = self._settings.get("application_name")
        self._databases.activity.note(
            self._presence, query, state, in_block=self._block.transaction is not None
        )

    @property
    def listening(self) -> bool:
        return bool(self._signals.mailbox.channels)

    def notifications(self) -> Sequence[Notification | Notice]:
        return self._signals.take(self._access)

    def on_notification(self, wake: Callable[[], None]) -> None:
        self._signals.mailbox.on_arrival(wake)

    def interrupt(self) -> None:
        self._interruption.interrupt()

    def close(self) -> None:
        self._signals.close()
        self._cursors.close_all()
        self._block.close()

    # --- dispatch -------------------------------------------------------------------------------

    def _dispatch(self, parsed: sql.Parsed, parameters: Sequence[object | None]) -> Outcome:
        access = self._access
        transaction = self._block.transaction
        self._engine.admit(parsed, waits=transaction is None)
        writes = not isinstance(parsed, _READING) or isinstance(parsed, ChunkQuery)
        writes |= isinstance(parsed, EffectQuery) and parsed.writes
        if writes and self._block.read_only:
            raise ReadOnlyTransaction(
                f"cannot execute {parsed.text.split()[0].upper()} in a read-only transaction"
            )
        match parsed:
            case ChunkQuery():
                return access.call_for_chunks(parsed)
            case EffectQuery():
                return self._own.query(parsed, parameters)
            case sql.Query(tree=tree):
                return access.query(tree, parameters)
            case sql.Insert():
                return access.change(lambda epoch: dml.insert(epoch, parsed, parameters))
            case sql.Update():
                return access.change(lambda epoch: dml.update(epoch, parsed, parameters))
            case sql.Delete():
                return access.change(lambda epoch: dml.delete(epoch, parsed, parameters))
            case sql.Merge():
                return access.change(lambda epoch: dml.merge(epoch, parsed, parameters))
            case sql.Truncate():
                return access.change(lambda epoch: dml.truncate(epoch, parsed))
            case sql.Call(function=function) if function in BACKUP_FUNCTIONS:
                return self._engine.backups.call(parsed)
            case sql.Call() if commands.is_command(parsed):
                gateway = self._databases.commands
                return commands.run(parsed, access, gateway, in_block=transaction is not None)
            case sql.Call(function=dead_letters.REPLAY):
                schemas = self._engine.schemas_of_letters(parsed)
                return access.on_writer(lambda epoch: dead_letters.replay(epoch, parsed, schemas))
            case sql.Call():
                return access.on_writer(lambda epoch: calls.call(epoch, parsed))
            case sql.CopyFrom():
                target = copying.CopyTarget.find(access.catalog, parsed)
                return Outcome(
                    "COPY", copy_in=copying.CopyInput(target, parsed, access.finish_copy)
                )
            case sql.CopyTo():
                return self._copy_to(parsed, parameters)
            case sql.Transaction():
                return self._block.run(parsed)
            case _:
                return self._define_or_tell(parsed)

    def _define_or_tell(self, parsed: sql.Parsed) -> Outcome:
        access = self._access
        match parsed:
            case sql.SetSetting():
                return self._own.set(parsed)
            case sql.Discard(what=what):
                self._own.discard(what)
                if what == "ALL":
                    self._cursors.close_all()
                    self._prepared.forget_all()
                return Outcome(f"DISCARD {what}")
            case sql.Show():
                lists = {
                    "DATABASES": self._databases.names(),
                    "USERS": [role.name for role in access.roles() if role.login],
                }
                return show.show(parsed, access.catalog, self._settings, lists)
            case sql.Describe():
                return show.describe(parsed, access.catalog)
            case sql.Explain():
                return access.explain(parsed)
            case sql.NoOp(setting=name) if name and not self._settings.knows(name):
                raise UndefinedObject(
                    f'unrecognized system parameter "{name}"',
                    hint="ALTER ROLE ALL SET name = value sets what sessions begin with.",
                )
            case sql.NoOp(tag=tag, remark=remark):
                return Outcome(tag, notices=(Notice(remark),) if remark is not None else ())
            case sql.DeclareCursor() | sql.Fetch() | sql.CloseCursor():
                self._allow_fetch(parsed)
                return self._cursors.run(parsed, access.catalog, access.query)
            case sql.Prepare() | sql.Deallocate():
                return self._prepared.run(parsed)
            case (
                CreateRole() | AlterRole() | DropRole() | GrantRole() | CreateToken() | DropToken()
            ):  # fmt: skip
                return access.change_roles(self._own.with_current(parsed))
            case Listen() | Notify() | Unlisten():
                return self._signals.run(parsed, access)
            case sql.Use():
                databases.stay(self._databases, parsed, self._engine.name)
                return Outcome("USE")
            case sql.CreateDatabase():
                self._block.refuse("CREATE DATABASE")
                return databases.create(self._databases, parsed, access.permits())
            case Grant() if databases.is_of_others(parsed, self._engine.name):
                self._block.refuse("GRANT and REVOKE on another database")
                return databases.grant(self._databases, parsed, access.permits())
            case sql.Drop(kind="DATABASE"):
                self._block.refuse("DROP DATABASE")
                return databases.drop(self._databases, parsed, access.permits())
            case _:
                return access.define(parsed)

    def _allow_fetch(self, parsed: sql.Parsed) -> None:
        """Changes go on coming after DECLARE: their right is asked for at every FETCH."""
        entry = self._cursors.followed(parsed.name) if isinstance(parsed, sql.Fetch) else None
        if entry is not None:
            self._access.permits().need(entry, "r")

    def _copy_to(self, parsed: sql.CopyTo, parameters: Sequence[object | None]) -> Outcome:
        outcome = self._access.query(parsed.tree, parameters)
        if outcome.rows is None:
            raise InternalError("a query gave no rows")
        return Outcome("COPY", copy_out=CopyOut(outcome.rows, parsed.format, parsed.options))


@contextmanager
def _bounded_depth() -> Iterator[None]:
    """Raises: StatementTooComplex (54001) where a statement's nesting exhausts the stack."""
    try:
        yield
    except RecursionError:
        raise StatementTooComplex(
            "stack depth limit exceeded", hint="Write the statement with less nesting."
        ) from None


def _own(statement: Statement) -> sql.Parsed:
    if not isinstance(statement, sql.Parsed):
        raise InternalError("the statement was not parsed by this session")
    return statement


def _aborted() -> FailedTransaction:
    return FailedTransaction(
        "current transaction is aborted, commands ignored until end of transaction block"
    )

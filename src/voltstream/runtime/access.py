"""How a session reaches rows: a snapshot of its own, or the writer."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeout
from contextlib import suppress
from typing import TypeVar

from voltstream.core.errors import LockNotAvailable, VoltstreamError
from voltstream.core.limits import FEW_ROWS_MAX
from voltstream.core.ports import Description, FewRows, Outcome, Spelling
from voltstream.core.zones import store_zone
from voltstream.runtime import chunk_queries, costs, describing, querying, show
from voltstream.runtime.activity import Asker, Presence
from voltstream.runtime.block import Block
from voltstream.runtime.catalog import Catalog, Names, Scope, search_path, undescribed
from voltstream.runtime.databases import Databases
from voltstream.runtime.deadline import duration_s
from voltstream.runtime.engine import Engine
from voltstream.runtime.epoch import Epoch
from voltstream.runtime.guard import allow, allow_definition, allow_functions
from voltstream.runtime.identity import Identity
from voltstream.runtime.interruption import Interruption
from voltstream.runtime.permits import Permits
from voltstream.runtime.plans import Asked, Plan, Sight
from voltstream.runtime.role_ddl import Actor, RoleWork
from voltstream.runtime.roles import MONITOR, Roles
from voltstream.runtime.session_zone import in_zone
from voltstream.runtime.settings import Settings
from voltstream.runtime.system_catalog import names_system
from voltstream.runtime.transaction import waited
from voltstream.sql import statements as sql
from voltstream.sql.chunk_queries import ChunkQuery
from voltstream.sql.explain import plan_json
from voltstream.sql.natives.datetimes import date_order
from voltstream.sql.resolve import DEFINITIONS, resolved
from voltstream.sql.role_statements import RIGHT_STATEMENTS, ROLE_STATEMENTS
from voltstream.sql.source_text import has_schema
from voltstream.sql.styles.casts import USUAL_SPELLING, cast_spelling, text_style
from voltstream.store.database import Connection

T = TypeVar("T")


class Access:
    """Reads and writes of one session, with its settings and inside its block."""

    def __init__(
        self,
        engine: Engine,
        databases: Databases,
        presence: Presence,
        settings: Settings,
        interruption: Interruption,
    ) -> None:
        self._engine = engine
        self._databases = databases
        self._presence = presence
        self._settings = settings
        self._interruption = interruption
        self.block = Block(engine, settings, interruption)
        self.listening: Callable[[], Sequence[str]] = tuple  # The channels of the session.
        self._introduction = ""  # What the next statement's connection must know of us.
        self.identity = Identity(presence.user, self.roles, settings)

    @property
    def date_order(self) -> str:
        """Return in which order this session writes a date in numbers."""
        return self._settings.get("datestyle").rpartition(" ")[2]

    @property
    def text_style(self) -> Spelling:
        """Return how this session wants values cast to text."""
        return cast_spelling(Spelling(*self._settings.spelling()))

    @property
    def catalog(self) -> Catalog:
        transaction = self.block.transaction
        if transaction is not None and transaction.catalog is not None:
            return transaction.catalog
        return self._engine.catalog

    def roles(self) -> Roles:
        """Return the server's roles, in a block of the first database as the block sees them."""
        if self._databases.keeps_roles(self._engine.name):
            return self.catalog.roles
        return self._databases.roles()

    def permits(self) -> Permits:
        """Return what this session may do now."""
        return self._permits_in(self.catalog)

    def _permits_in(self, catalog: Catalog) -> Permits:
        own = self._databases.keeps_roles(self._engine.name)
        roles = catalog.roles if own else self._databases.roles()
        return Permits(catalog, roles, self.identity.role, self._engine.name)

    def scope(self) -> Scope:
        """Return how this session reads names."""
        path = search_path(self._settings.get("search_path"), self.identity.name)
        return Scope(path=path, database=self._engine.name)

    def resolved(self, parsed: sql.Parsed) -> sql.Parsed:
        """Qualify names by the search path, and ask for the rights on what they mean.

        What defines an object does both on the writer. Raises: InsufficientPrivilege (42501).
        """
        if isinstance(parsed, (*DEFINITIONS, ChunkQuery)):
            return parsed
        return self._qualified(parsed, self.catalog, self.permits())

    def _qualified(self, parsed: sql.Parsed, catalog: Catalog, permits: Permits) -> sql.Parsed:
        names = Names(catalog, undescribed, self.scope())
        qualified = resolved(parsed, names)
        allow(permits, qualified)
        allow_functions(permits, names.used)
        return qualified

    def introduce(self, parsed: sql.Parsed) -> None:
        """Note what the statement's connection must know of us when it may read the catalogs."""
        self._introduction = ""
        if isinstance(parsed, (*ROLE_STATEMENTS, *RIGHT_STATEMENTS)):
            return  # They name users without asking the catalogs.
        if costs.VIEW in parsed.text:
            self._introduction = self._engine.costs()
        if not names_system(parsed.text, self.catalog):
            return
        if not self._engine.system.shows(self.catalog, self.roles()):
            self._show_system()
        self._introduction = self._databases.activity.introduction(
            self._presence,
            Asker(self.identity.name, self.identity.session_name, self._sees_others()),
            self._settings.described(),
            dict(self._settings.all()),
            self.listening(),
            self._databases.names(),
        )

    def _sees_others(self) -> bool:
        """Tell whether the session may see what others run."""
        return self.permits().is_a(MONITOR.oid)

    def _show_system(self) -> None:
        """Bring the catalogs up to date: in the block that changes things, or in passing."""
        transaction = self.block.transaction
        if transaction is not None and transaction.holds_writer:
            transaction.run(self._make_system, self._interruption.waiting)
        else:
            waited(self._engine.loop.run_statement(self._make_system))

    def _make_system(self, epoch: Epoch) -> None:
        self._engine.system.make(epoch, self._permits_in(epoch.catalog).roles)

    # --- reading --------------------------------------------------------------------------------

    def open_reader(self) -> Connection:
        reader = self._engine.reader()
        if self._introduction:
            reader.execute(self._introduction)
        zone = store_zone(self._settings.get("timezone"))
        if zone.upper() != "UTC":  # A view's instants are computed in UTC, a reader's in its zone.
            reader.execute("SET TimeZone = '{}'".format(zone.replace("'", "''")))
        return reader

    def query(self, tree: object, parameters: Sequence[object | None]) -> Outcome:
        """Read: from a snapshot of its own, or from the writer to see the block's own writes."""
        transaction = self.block.transaction
        if transaction is not None and transaction.holds_writer:
            return self.on_writer(
                self._in_zone(lambda epoch: querying.held(epoch, tree, parameters), reads=True),
                keep=transaction.validated,
            )
        reader = self.open_reader()
        self._interruption.reading(reader)
        try:
            lenient = not self._is_strict()
            rows = querying.streamed(reader, self.catalog, tree, parameters, lenient=lenient)
        except BaseException:
            reader.close()
            raise
        return Outcome("SELECT", rows=rows)

    def parse(self, text: str) -> Sequence[sql.Parsed]:
        """Parse a message, or find that it is a query whose plan is known."""
        return self._engine.plans.parse(text, self.sight)

    def recall(self, text: str) -> Sequence[Asked] | None:
        """Find a query whose plan is known; nothing is parsed."""
        return self._engine.plans.recall(text, self.sight) if self._reads_as_all_do() else None

    def _reads_as_all_do(self) -> bool:
        """Tell whether a constant means here what it means to the sessions that share plans."""
        usual = self.date_order == "MDY" and self.text_style == USUAL_SPELLING
        return usual and self._is_strict()

    def _is_strict(self) -> bool:
        """Tell whether a value that cannot be computed ends a query."""
        return self._settings.get("batch_expr_strict_mode") == "true"

    def sight(self) -> Sight:
        return Sight(self.catalog, self.roles(), self.identity.role, self.scope())

    def learn(self, asked: Asked) -> None:
        """Translate a query that came again for all values of its parameters."""
        with suppress(VoltstreamError, RecursionError):  # Then it is translated each time.
            if not self._holds_writer() and self._reads_as_all_do():
                self._engine.plans.learn(asked, self.sight(), self.open_reader)

    def planned(self, asked: Asked) -> Plan | None:
        """Return the plan of a query where it holds now."""
        plan = asked.plan
        if (
            plan is None
            or self._holds_writer()
            or not self._reads_as_all_do()
            or not plan.sight.same(self.sight())
        ):
            return None
        return plan

    def _holds_writer(self) -> bool:
        transaction = self.block.transaction
        return transaction is not None and transaction.holds_writer

    def run_plan(self, plan: Plan, values: Sequence[object | None]) -> Outcome | None:
        """Run a query by its plan; None where a value is not of its parameter's type."""
        spelled = plan.spelled(values)
        if spelled is None:
            return None
        in_utc = self._settings.get("timezone").upper() == "UTC"
        if plan.few and in_utc:
            found = self._answered(plan, spelled, values)
            if found is not None:
                return Outcome("SELECT", rows=FewRows(plan.columns, found))
            plan.few = False  # Its results are large: from now on they are taken by column.
        reader = self._engine.borrow_reader(timed=plan.timed) if in_utc else self.open_reader()
        self._interruption.reading(reader)
        try:
            if in_utc and self._introduction:
                reader.execute(self._introduction)
            rows = reader.stream(plan.readied(reader, spelled), lambda _: plan.columns)
        except BaseException:
            reader.close()
            raise
        if in_utc:
            rows.after = self._engine.give_back
        return Outcome("SELECT", rows=rows)

    def kept(self, plan: Plan, values: Sequence[object | None]) -> FewRows | None:
        """Return the answer of a query where it is kept; nothing is waited for."""
        if plan.reading is None or len(values) != len(plan.kinds):
            return None
        found = self._engine.answers.find(plan.reading, plan, values)
        return FewRows(plan.columns, found) if found is not None else None

    def _answered(
        self, plan: Plan, spelled: Sequence[str], values: Sequence[object | None]
    ) -> Sequence[tuple[object, ...]] | None:
        """Read a few rows, and keep them where that can be done; None when they are many."""
        answers = self._engine.answers
        ticket = answers.ticket(plan.reading) if plan.reading is not None else None
        found = self._few(plan, spelled)
        if ticket is not None and plan.reading is not None and found is not None:
            answers.keep(ticket, plan.reading.place, plan, values, found)
        return found

    def _few(self, plan: Plan, spelled: Sequence[str]) -> list[tuple[object, ...]] | None:
        reader = self._engine.borrow_reader(timed=plan.timed)
        try:
            if self._introduction:
                reader.execute(self._introduction)
            self._interruption.reading(reader)
            found = reader.few(plan.readied(reader, spelled), FEW_ROWS_MAX)
            if plan.scans:
                reader.execute("ROLLBACK")
        except BaseException:
            reader.close()
            raise
        finally:
            self._interruption.read()
        if reader.interrupted:
            reader.close()
        else:
            self._engine.give_back(reader)
        return found

    def explain(self, parsed: sql.Explain) -> Outcome:
        reader = self.open_reader()
        try:
            lines = querying.explained(reader, self.catalog, parsed)
            return show.explanation([plan_json(lines)] if parsed.as_json else lines)
        finally:
            reader.close()

    def describe(self, parsed: sql.Parsed, parameter_oids: Sequence[int]) -> Description:
        transaction = self.block.transaction
        if transaction is not None and transaction.holds_writer:
            return self.on_writer(
                lambda epoch: describing.describe(
                    parsed, epoch.catalog, epoch.connection, parameter_oids
                ),
                keep=False,
            )
        reader = self.open_reader()
        try:
            return describing.describe(parsed, self.catalog, reader, parameter_oids)
        finally:
            reader.close()

    def define(self, parsed: sql.Parsed) -> Outcome:
        if _asks_elsewhere(parsed):
            names = Names(self.catalog, undescribed, self.scope())
            qualified = resolved(parsed, names)
            allow_definition(self.permits(), qualified)  # Before anything is asked in its name.
            parsed = self._engine.completed(qualified, self.catalog)
        return self.on_writer(
            lambda epoch: self._engine.define(epoch, parsed, self.scope(), self._permits_in),
            lasting=True,
        )

    def change_roles(self, parsed: sql.Parsed) -> Outcome:
        """Run a statement about roles where they are kept: in the first database.

        Raises: ActiveTransaction (25001) in a block of another database, which cannot hold it.
        """
        actor = Actor(self.identity.role, self.identity.session)
        others = self._databases.catalogs(but=self._engine.name)
        work = RoleWork(parsed, actor, others, self._engine.name)
        if self._databases.keeps_roles(self._engine.name):
            return self.on_writer(work.run)
        self.block.refuse(parsed.text.split(maxsplit=1)[0].upper() + " ROLE")
        return waited(self._databases.run_on_roles(work.run))

    # --- writing --------------------------------------------------------------------------------

    def call_for_chunks(self, parsed: ChunkQuery) -> Outcome:
        """Run a query that calls functions of chunks."""

        def run(epoch: Epoch) -> Outcome:
            permits = self._permits_in(epoch.catalog)
            return chunk_queries.run(
                epoch,
                parsed,
                lambda query: self._qualified(query, epoch.catalog, permits),
                lambda call: allow(permits, call),
            )

        return self.on_writer(run)

    def finish_copy(self, run: Callable[[Epoch], Outcome], size: int) -> Outcome:
        try:
            with self._interruption.busy():
                return self.on_writer(self._in_zone(run), size=size)
        except VoltstreamError:
            self.block.fail()
            raise

    def change(self, run: Callable[[Epoch], Outcome]) -> Outcome:
        """Change rows; outside a block, in one epoch with others who wait to do so."""
        return self.on_writer(self._in_zone(run), shared=True)

    def _in_zone(self, run: Callable[[Epoch], T], *, reads: bool = False) -> Callable[[Epoch], T]:
        return in_zone(run, self._settings.get("timezone"), reads=reads)

    def on_writer(
        self,
        run: Callable[[Epoch], T],
        *,
        shared: bool = False,
        keep: bool = True,
        size: int = 0,
        lasting: bool = False,
    ) -> T:
        """Run a statement on the writer; what it defines is ``lasting``, read again by all."""
        transaction = self.block.transaction
        run = _introduced(run, self._introduction)
        if not self._reads_as_all_do():
            run = _ordered(run, "") if lasting else _ordered(run, self.date_order, self.text_style)
        try:
            if transaction is not None:
                return transaction.run(run, self._interruption.waiting, keep=keep, size=size)
            future = self._engine.loop.run_statement(run, shared=shared)
            self._interruption.waiting(future)
            return self._patiently(future)
        finally:
            self._interruption.waited()

    def _patiently(self, future: Future[T]) -> T:
        """Wait for a statement, and for its turn no longer than lock_timeout. Raises: 55P03."""
        limit_s = duration_s("lock_timeout", self._settings.get("lock_timeout"))
        if not limit_s:
            return waited(future)
        try:
            return waited(future, limit_s)
        except FutureTimeout:
            if future.cancel():
                raise LockNotAvailable("canceling statement due to lock timeout") from None
            return waited(future)


def _ordered(
    run: Callable[[Epoch], T], order: str, style: Spelling = USUAL_SPELLING
) -> Callable[[Epoch], T]:
    """Let the writer read dates, and write values, as the session does."""

    def ordered(epoch: Epoch) -> T:
        token, before = date_order.set(order), text_style.set(style)
        try:
            return run(epoch)
        finally:
            text_style.reset(before)
            date_order.reset(token)

    return ordered


def _introduced(run: Callable[[Epoch], T], introduction: str) -> Callable[[Epoch], T]:
    if not introduction:
        return run

    def introduced(epoch: Epoch) -> T:
        epoch.connection.execute(introduction)
        return run(epoch)

    return introduced


def _asks_elsewhere(parsed: sql.Parsed) -> bool:
    """Tell whether columns of a definition are known to a registry or an origin only."""
    match parsed:
        case sql.AlterTable():
            return parsed.refresh
        case sql.CreateTable(origin=origin) if origin is not None:
            return True
        case sql.CreateSource() | sql.CreateTable():
            return has_schema(parsed.encode, parsed.properties)
        case _:
            return False

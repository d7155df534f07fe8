"""A data directory and the databases in it."""

from __future__ import annotations

import fcntl
import os
import re
import shutil
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from dataclasses import replace
from pathlib import Path
from typing import TextIO

from voltstream.core.clock import Clock
from voltstream.core.errors import (
    DuplicateDatabase,
    InsufficientPrivilege,
    InvalidAuthorization,
    InvalidParameter,
    ObjectInUse,
    StorageFault,
    TooManyConnections,
    UndefinedDatabase,
    VoltstreamError,
)
from voltstream.core.live import Change
from voltstream.core.passwords import (
    Verifier,
    is_password,
    mock_verifier,
    parsed_verifier,
    stored_password,
    token_digest,
)
from voltstream.core.ports import (
    Bearer,
    Commands,
    Connectors,
    Outcome,
    RawBatch,
    Receipt,
    Session,
    Standing,
)
from voltstream.runtime.activity import Activity, Presence
from voltstream.runtime.catalog import OWN_SCHEMA, Catalog
from voltstream.runtime.engine import Engine
from voltstream.runtime.epoch import Epoch
from voltstream.runtime.options import EngineOptions
from voltstream.runtime.permits import Permits
from voltstream.runtime.rights import DATABASE
from voltstream.runtime.rights import Held as RightsHeld
from voltstream.runtime.role_store import save_rights, save_roles
from voltstream.runtime.roles import OWNER_OID, Role, Roles
from voltstream.runtime.session import EngineSession
from voltstream.sql.statements import ObjectName

DEFAULT_DATABASE = "volt"
_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_\-]{0,62}")


class Instance:
    """Every database of one data directory; implements ports.Sessions, Ingest and JointIngest."""

    def __init__(
        self, data_dir: Path, options: EngineOptions, clock: Clock, connectors: Connectors
    ) -> None:
        self._directory = data_dir
        self._options = options
        self._clock = clock
        self._connectors = connectors
        self._engines: dict[str, Engine] = {}
        self._open_sessions: dict[str, int] = {}
        self.activity = Activity(clock)
        self.commands: Commands | None = None
        self._lock = threading.RLock()
        self._lock_file: TextIO | None = None

    def start(self) -> None:
        """Open every database. Raises: StorageFault when another process has the directory."""
        self._directory.mkdir(parents=True, exist_ok=True)
        self._take_directory()
        names = {path.parent.name for path in self._directory.glob("*/volt.duckdb")}
        try:
            for name in sorted({*names, DEFAULT_DATABASE}):
                self._open(name)
        except VoltstreamError:
            self.stop()  # Lets go of the directory.
            raise

    def _take_directory(self) -> None:
        lock_file = (self._directory / "lock").open("a+")
        try:
            fcntl.flock(lock_file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            lock_file.close()
            raise StorageFault(
                f'the data directory "{self._directory}" is in use by another process'
            ) from error
        lock_file.truncate(0)
        lock_file.write(f"{os.getpid()}\n")
        lock_file.flush()
        self._lock_file = lock_file

    def _open(self, name: str) -> Engine:
        engine = Engine(name, self._directory / name, self._options, self._clock, self._connectors)
        engine.start()
        self._engines[name] = engine
        return engine

    def stop(self) -> None:
        """Finish what was accepted and close every file."""
        with self._lock:
            engines, self._engines = list(self._engines.values()), {}
        for engine in engines:
            engine.stop()
        if self._lock_file is not None:
            self._lock_file.close()
            self._lock_file = None

    def engine(self, database: str) -> Engine:
        """Raises: UndefinedDatabase (3D000)."""
        with self._lock:
            found = self._engines.get(database)
        if found is None:
            raise UndefinedDatabase(f'database "{database}" does not exist')
        return found

    # --- ports ----------------------------------------------------------------------------------

    def open(
        self,
        *,
        database: str,
        user: str,
        options: Mapping[str, str],
        process_id: int = 0,
        client: str = "",
    ) -> Session:
        role = self._login(user)
        with self._lock:
            engine = self.engine(database)
            permits = Permits(engine.catalog, self.roles(), role.oid, database)
            if not permits.has(DATABASE, "c"):
                raise InsufficientPrivilege(
                    f'permission denied for database "{database}"',
                    detail="User does not have CONNECT privilege.",
                )
            self._open_sessions[database] = self._open_sessions.get(database, 0) + 1
        settings = self.roles().settings_in(database, role)
        presence = self.activity.enter(process_id, user, database, client)
        return _Counted(engine, self, options, presence, settings)

    def standing(self, user: str) -> Standing:
        roles = self.roles()
        role = roles.named(user)
        if role is None and not roles.known_users:
            role = roles.by_oid[OWNER_OID]  # Any name is the owner's.
        verifier = usable_verifier(role, self._clock.now_us()) if role is not None else None
        key = self.engine(DEFAULT_DATABASE).server_key
        any_password = any(one.verifier is not None for one in roles)
        return Standing(
            verifier or mock_verifier(user, key),
            has_password=any_password if role is None else role.verifier is not None,
            any_password=any_password,
        )

    def bearer(self, token: str) -> Bearer | None:
        roles, digest = self.roles(), token_digest(token)
        for known in roles.tokens:
            until = known.valid_until
            if known.digest != digest:
                continue
            if until is not None and until.timestamp() * 1e6 <= self._clock.now_us():
                return None
            return Bearer(roles.name_of(known.role), known.source, known.database)
        return None

    def watch(
        self, database: str, schema: str, name: str, tell: Callable[[Change], None]
    ) -> Callable[[], None]:
        engine = self.engine(database)
        catalog = engine.catalog
        if not schema and catalog.get(None, name) is None:
            schema = OWN_SCHEMA
        return engine.live.watch(catalog.require(ObjectName(name, schema or None)), tell)

    def allow_push(self, user: str, database: str, source: str) -> None:
        catalog = self.engine(database).catalog
        permits = Permits(catalog, self.roles(), self._role(user).oid, database)
        schema, _, name = source.rpartition(".")
        entry = catalog.get(schema or None, name)
        if entry is not None:
            permits.need(entry, "a")
        elif not permits.everything:
            permits.need_schema(schema or None, "U")

    def set_owner_password(self, password: str) -> None:
        """Give the owner a password, unless it is what it has. Raises: InvalidParameter (22023)."""
        owner = self.roles().by_oid[OWNER_OID]
        known = parsed_verifier(owner.verifier or "")
        if known is not None and is_password(password, known):
            return
        verifier = stored_password(password)

        def run(epoch: Epoch) -> Outcome:
            roles = epoch.catalog.roles
            save_roles(epoch, roles.with_role(replace(owner, verifier=verifier)))
            return Outcome("ALTER ROLE")

        self.run_on_roles(run).result()

    def _role(self, user: str) -> Role:
        roles = self.roles()
        role = roles.named(user)
        if role is None and not roles.known_users:
            return roles.by_oid[OWNER_OID]
        if role is None:
            raise InvalidAuthorization(f'role "{user}" does not exist')
        return role

    def _login(self, user: str) -> Role:
        """Return the role of a name; while nobody made users, any name is the owner's.

        Raises: InvalidAuthorization (28000), TooManyConnections (53300).
        """
        role = self._role(user)
        if not role.login:
            raise InvalidAuthorization(f'role "{user}" is not permitted to log in')
        limit = role.connections_max
        if limit >= 0 and not role.superuser and self.activity.count(user) >= limit:
            raise TooManyConnections(f'too many connections for role "{user}"')
        return role

    def submit(self, database: str, source: str, batch: RawBatch) -> Future[Receipt]:
        return self.engine(database).submit(source, batch)

    def submit_together(self, database: str, batches: Mapping[str, RawBatch]) -> Future[Receipt]:
        return self.engine(database).submit_together(batches)

    # --- databases ------------------------------------------------------------------------------

    def names(self) -> list[str]:
        with self._lock:
            return sorted(self._engines)

    def create(self, name: str) -> None:
        """Make a database. Raises: DuplicateDatabase, InvalidParameter for a name no folder has."""
        if not _NAME.fullmatch(name):
            raise InvalidParameter(f'"{name}" cannot be the name of a database')
        with self._lock:
            if name in self._engines:
                raise DuplicateDatabase(f'database "{name}" already exists')
            self._open(name)

    def drop(self, name: str) -> None:
        """Remove a database and its files. Raises: UndefinedDatabase, ObjectInUse."""
        with self._lock:
            engine = self.engine(name)
            if self._open_sessions.get(name, 0):
                raise ObjectInUse(
                    f'database "{name}" is being accessed by other users',
                    detail=f"There are {self._open_sessions[name]} other sessions using it.",
                )
            del self._engines[name]
        engine.stop()
        shutil.rmtree(self._directory / name)

    # --- roles ----------------------------------------------------------------------------------

    def keeps_roles(self, database: str) -> bool:
        return database == DEFAULT_DATABASE

    def roles(self) -> Roles:
        return self.engine(DEFAULT_DATABASE).catalog.roles

    def catalogs(self, *, but: str) -> list[tuple[str, Catalog]]:
        with self._lock:
            return [(name, e.catalog) for name, e in sorted(self._engines.items()) if name != but]

    def run_on_roles(self, run: Callable[[Epoch], Outcome]) -> Future[Outcome]:
        return self.engine(DEFAULT_DATABASE).loop.run_statement(run)

    def run_in(self, database: str, run: Callable[[Epoch], Outcome]) -> Future[Outcome]:
        return self.engine(database).loop.run_statement(run)

    def give(self, database: str, owner: int) -> None:
        engine = self.engine(database)

        def run(epoch: Epoch) -> None:
            save_rights(epoch, epoch.catalog.rights.with_held(DATABASE, RightsHeld(owner)))

        engine.loop.run_statement(run).result()

    def release(self, database: str) -> None:
        with self._lock:
            self._open_sessions[database] -= 1


def usable_verifier(role: Role, now_us: int) -> Verifier | None:
    """Return what a role's password is checked by; None when it has none, or none any more."""
    until = role.valid_until
    if role.verifier is None or (until is not None and until.timestamp() * 1e6 <= now_us):
        return None
    return parsed_verifier(role.verifier)


class _Counted(EngineSession):
    """A session that keeps its database from being dropped."""

    def __init__(
        self,
        engine: Engine,
        instance: Instance,
        options: Mapping[str, str],
        presence: Presence,
        settings_of_role: Mapping[str, str],
    ) -> None:
        super().__init__(engine, instance, options, presence, settings_of_role)
        self._instance = instance
        self._database = engine.name
        self._released = False

    def close(self) -> None:
        super().close()
        if not self._released:
            self._released = True
            self._instance.activity.leave(self._presence)
            self._instance.release(self._database)

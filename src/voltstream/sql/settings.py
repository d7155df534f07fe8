"""SET, RESET, SHOW and the transaction words."""

from __future__ import annotations

import re

from voltstream.sql.cursor import Cursor
from voltstream.sql.overloads import parse_function_name
from voltstream.sql.statements import (
    Discard,
    NoOp,
    Parsed,
    Refresh,
    SetSetting,
    Show,
    Transaction,
    Use,
)

_SHOW_LISTS = (
    "INTERNAL TABLES", "MATERIALIZED VIEWS", "TABLES", "SOURCES", "SINKS", "VIEWS", "INDEXES",
    "SCHEMAS", "DATABASES", "SUBSCRIPTIONS", "CONNECTIONS", "SECRETS", "FUNCTIONS", "CLUSTER",
    "JOBS", "PROCESSLIST", "CURSORS", "SUBSCRIPTION CURSORS", "PARAMETERS", "USERS",
)  # fmt: skip
_CREATED = (
    "MATERIALIZED VIEW", "TABLE", "VIEW", "SOURCE", "SINK", "INDEX", "SUBSCRIPTION", "FUNCTION",
)  # fmt: skip


def parse_show(cursor: Cursor, text: str, offset: int) -> Show:
    """Parse SHOW <list> [FROM x] [LIKE 'p'], SHOW COLUMNS FROM x, SHOW CREATE x, SHOW <setting>."""
    if cursor.accept("CREATE"):
        if cursor.accept("FUNCTION"):
            named = parse_function_name(cursor)
            return Show(text=text, offset=offset, what="CREATE", name=named)
        if not any(cursor.accept(kind) for kind in _CREATED):
            raise cursor.fault(hint=f"SHOW CREATE takes {', '.join(_CREATED)} and a name.")
        return Show(text=text, offset=offset, what="CREATE", name=cursor.object_name())
    if cursor.accept("COLUMNS"):
        cursor.expect("FROM")
        table = cursor.object_name()
        return Show(text=text, offset=offset, what="COLUMNS", name=table, like=_like(cursor))
    for words in _SHOW_LISTS:
        if cursor.accept(words):
            name = cursor.object_name() if cursor.accept("FROM") else None
            return Show(text=text, offset=offset, what=words, name=name, like=_like(cursor))
    setting = setting_name(cursor)
    return Show(text=text, offset=offset, what=setting, setting=setting)


def _like(cursor: Cursor) -> str | None:
    if not cursor.accept("LIKE"):
        return None
    return cursor.string() if cursor.at_string() else cursor.identifier()


def setting_name(cursor: Cursor) -> str:
    """Read the name of a setting, or the words that stand for one."""
    if cursor.accept("TIME ZONE"):
        return "timezone"
    if cursor.accept("TRANSACTION ISOLATION LEVEL"):
        return "transaction_isolation"
    if cursor.accept("SESSION AUTHORIZATION"):
        return "session_authorization"
    if cursor.accept("NAMES"):
        return "client_encoding"
    parts = [cursor.identifier()]
    while cursor.accept("."):
        parts.append(cursor.identifier())
    return ".".join(parts).lower()


def parse_set(cursor: Cursor, text: str, offset: int) -> Parsed:
    """Parse SET [SESSION | LOCAL] name {= | TO} value and SET TRANSACTION …"""
    if cursor.accept("TRANSACTION"):
        level, read_only = _modes(cursor)
        return Transaction(text=text, offset=offset, verb="SET", name=level, read_only=read_only)
    if cursor.accept("SESSION CHARACTERISTICS"):
        cursor.expect("AS")
        cursor.expect("TRANSACTION")
        level, read_only = _modes(cursor)
        name = "default_transaction_isolation"
        if not level:
            if read_only is None:
                return NoOp(text=text, offset=offset, tag="SET")
            name, level = "default_transaction_read_only", "on" if read_only else "off"
        return SetSetting(text=text, offset=offset, name=name, value=level)
    if cursor.accept("CONSTRAINTS"):
        cursor.rest()
        return NoOp(text=text, offset=offset, tag="SET CONSTRAINTS")
    if not cursor.sees("SESSION AUTHORIZATION"):
        cursor.accept("SESSION")
    local = cursor.accept("LOCAL")
    bare = any(cursor.sees(w) for w in ("TIME ZONE", "SESSION AUTHORIZATION", "NAMES", "ROLE"))
    name = setting_name(cursor)
    if not bare and not cursor.accept("="):
        cursor.expect("TO")
    elif bare:
        cursor.accept("=")
    value = _setting_value(cursor, as_names=name == "search_path")
    if name == "database" and value:
        return Use(text=text, offset=offset, database=value)
    return SetSetting(text=text, offset=offset, name=name, value=value, local=local)


_PLAIN_NAME = re.compile(r"[a-z_][a-z0-9_$]*")


def _setting_value(cursor: Cursor, *, as_names: bool = False) -> str | None:
    """Read a value or several; ``as_names``: each is quoted where a name must be."""
    if cursor.accept("DEFAULT"):
        return None
    if cursor.done:
        raise cursor.fault()
    values = []
    while True:
        if cursor.at_string():
            values.append(cursor.string())
        else:
            sign = "-" if cursor.accept("-") else ""
            token = cursor.advance()
            quoted = cursor.text[token.start] == '"'
            values.append(sign + (token.text if quoted else token.text.lower()))
            while cursor.token is not None and not cursor.sees(","):
                token = cursor.advance()  # INTERVAL '+02:00' HOUR TO MINUTE and the like.
                values[-1] += " " + token.text
        if not cursor.accept(","):
            shown = map(_quoted_name, values) if as_names else values
            return ", ".join(shown)


def _quoted_name(name: str) -> str:
    if not name or _PLAIN_NAME.fullmatch(name):
        return name
    return '"' + name.replace('"', '""') + '"'


def parse_reset(cursor: Cursor, text: str, offset: int) -> SetSetting:
    """Parse RESET name or RESET ALL (the setting "all")."""
    return SetSetting(text=text, offset=offset, name=setting_name(cursor), value=None)


def parse_begin(cursor: Cursor, text: str, offset: int) -> Transaction:
    """Parse BEGIN or START TRANSACTION; ``name`` is the isolation level asked for, if one is."""
    started = text.lstrip()[:5].upper() == "START"
    cursor.accept("TRANSACTION") or cursor.accept("WORK")
    level, read_only = _modes(cursor)
    tag = "START TRANSACTION" if started else "BEGIN"
    return Transaction(
        text=text, offset=offset, verb="BEGIN", name=level, read_only=read_only, tag=tag
    )


_LEVELS = ("SERIALIZABLE", "REPEATABLE READ", "READ COMMITTED", "READ UNCOMMITTED")
_MODES = ("NOT DEFERRABLE", "DEFERRABLE", ",")


def _modes(cursor: Cursor) -> tuple[str, bool | None]:
    """Read transaction modes: the isolation level in lower case or nothing, and READ ONLY."""
    found = ""
    read_only: bool | None = None
    while True:
        if cursor.accept("ISOLATION LEVEL"):
            level = next((level for level in _LEVELS if cursor.accept(level)), None)
            if level is None:
                raise cursor.fault()
            found = level.lower()
        elif cursor.accept("READ ONLY"):
            read_only = True
        elif cursor.accept("READ WRITE"):
            read_only = False
        elif not any(cursor.accept(mode) for mode in _MODES):
            return found, read_only


def parse_commit(cursor: Cursor, text: str, offset: int) -> Transaction:
    """Parse COMMIT or END."""
    chain = _end_of_transaction(cursor)
    return Transaction(text=text, offset=offset, verb="COMMIT", chain=chain)


def parse_rollback(cursor: Cursor, text: str, offset: int) -> Transaction:
    """Parse ROLLBACK or ABORT, and ROLLBACK TO a savepoint."""
    cursor.accept("TRANSACTION") or cursor.accept("WORK")
    if cursor.accept("TO"):
        cursor.accept("SAVEPOINT")
        name = cursor.identifier()
        return Transaction(text=text, offset=offset, verb="ROLLBACK TO", name=name)
    chain = _end_of_transaction(cursor)
    return Transaction(text=text, offset=offset, verb="ROLLBACK", chain=chain)


def parse_savepoint(cursor: Cursor, text: str, offset: int) -> Transaction:
    return Transaction(text=text, offset=offset, verb="SAVEPOINT", name=cursor.identifier())


def parse_release(cursor: Cursor, text: str, offset: int) -> Transaction:
    """Parse RELEASE [SAVEPOINT] name."""
    cursor.accept("SAVEPOINT")
    return Transaction(text=text, offset=offset, verb="RELEASE", name=cursor.identifier())


def parse_refresh(cursor: Cursor, text: str, offset: int) -> Refresh:
    """Parse REFRESH MATERIALIZED VIEW [CONCURRENTLY] name [WITH DATA]."""
    cursor.accept("CONCURRENTLY")
    name = cursor.object_name()
    if cursor.sees("WITH NO DATA"):
        raise cursor.unsupported("WITH NO DATA")
    cursor.accept("WITH DATA")
    return Refresh(text=text, offset=offset, name=name)


def parse_discard(cursor: Cursor, text: str, offset: int) -> Discard:
    """Parse DISCARD { ALL | PLANS | SEQUENCES | TEMP }."""
    if cursor.accept("TEMPORARY"):
        return Discard(text=text, offset=offset, what="TEMP")
    for what in ("ALL", "PLANS", "SEQUENCES", "TEMP"):
        if cursor.accept(what):
            return Discard(text=text, offset=offset, what=what)
    raise cursor.fault()


def _end_of_transaction(cursor: Cursor) -> bool:
    """Return whether the next block is to begin at once."""
    cursor.accept("TRANSACTION") or cursor.accept("WORK")
    if cursor.sees("PREPARED"):
        raise cursor.unsupported("a prepared transaction")
    if cursor.accept("AND CHAIN"):
        return True
    cursor.accept("AND NO CHAIN")
    return False

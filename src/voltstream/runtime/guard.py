"""What a statement needs is asked of the role that runs it, on every path to rows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from voltstream.core.errors import InsufficientPrivilege, UndefinedTable
from voltstream.runtime.catalog import DEFAULT_SCHEMA, Catalog, Entry
from voltstream.runtime.permits import Permits, denied, schema_target
from voltstream.runtime.rights import DATABASE
from voltstream.runtime.roles import READ_FILES, STEWARD, WRITE_FILES, Role
from voltstream.runtime.secrets import named_objects
from voltstream.sql import statements as sql
from voltstream.sql.calls import COMMAND_PREFIX
from voltstream.sql.channels import Listen, Notify, Unlisten
from voltstream.sql.column_needs import WHOLE
from voltstream.sql.needs import Needs, Relation, needs_of, of_tree
from voltstream.sql.resolve import DEFINITIONS
from voltstream.sql.role_statements import RIGHT_STATEMENTS, ROLE_STATEMENTS

# Views of the system that anybody may read; what they show of others is cut in them.
_OPEN_SCHEMAS = frozenset(
    {"pg_catalog", "information_schema", "rw_catalog", "timescaledb_information"}
)
_SECRET = {
    "pg_authid": "table", "pg_shadow": "view",
}  # fmt: skip
# What reads and changes rows.
_OF_ROWS = (
    sql.Query, sql.CopyTo, sql.CopyFrom, sql.Insert, sql.Update, sql.Delete, sql.Merge,
    sql.Truncate, sql.DeclareCursor,
)  # fmt: skip
# What changes the session alone, shows what the catalogs show to all, or asks where it runs.
_FREE = (
    sql.Transaction, sql.SetSetting, sql.Show, sql.Describe, sql.NoOp, sql.Fetch, sql.CloseCursor,
    sql.Prepare, sql.Execute, sql.Deallocate, sql.CreateDatabase, sql.Drop, *DEFINITIONS,
    sql.Discard, *ROLE_STATEMENTS, Listen, Notify, Unlisten,
)  # fmt: skip
_LOOKING = {"show_chunks": "r"}  # Functions that change nothing.
_OF_THE_SERVER = frozenset({"voltstream_backup", "voltstream_verify"})  # They reach its files.
_OF_JOBS = frozenset({"add_job", "alter_job", "delete_job", "run_job"})  # Whatever they name.
_DEAD_LETTERS = frozenset({"dead_letters", "rw_dead_letters"})


def allow(permits: Permits, parsed: sql.Parsed) -> None:
    """Check a statement whose names are resolved.

    Raises: InsufficientPrivilege (42501), UndefinedTable (42P01) for a name that is nowhere.
    """
    if permits.everything:
        return
    match parsed:
        case sql.Explain(target=target):
            allow(permits, target)
            if isinstance(target, sql.CreateView | sql.CreateSink) and target.query is not None:
                allow_needs(permits, of_tree(target.query))
        case sql.DeclareCursor(subscription=name) if name is not None:
            entry = permits.catalog.named(name)
            if entry is not None:
                permits.need(entry, "r")
        case sql.Call():
            _allow_call(permits, parsed)
        case _ if isinstance(parsed, (*_OF_ROWS, *_FREE)):
            allow_needs(permits, needs_of(parsed))
        case _:  # Nobody has said yet who may.
            raise denied("statement", parsed.text.split(maxsplit=1)[0].upper())


def allow_functions(permits: Permits, used: Iterable[int]) -> None:
    """Ask for EXECUTE of the functions among the objects that a statement names."""
    if permits.everything:
        return
    for oid in used:
        entry = permits.catalog.by_oid(oid)
        if entry is not None and entry.kind == "function":
            permits.need(entry, "X")


def allow_needs(permits: Permits, needs: Needs) -> None:
    for function in needs.functions:
        raise denied("function", function)
    for relation, letters in needs.relations.items():
        entry = permits.catalog.get(*relation) if relation[0] is not None else None
        if entry is None:
            _allow_system(permits, relation)
            continue
        columns = needs.columns.get(relation, {})
        if "r" in letters:
            permits.need_read(entry, columns.get("r", WHOLE))
        permits.need(entry, letters, columns)


def _allow_system(permits: Permits, relation: Relation) -> None:
    """Let what is no object of ours pass when it is a view of the system."""
    schema, name = relation
    if schema is None and not (name.startswith(("pg_", "rw_")) or name in _DEAD_LETTERS):
        raise UndefinedTable(f'relation "{name}" does not exist')
    if schema is not None and schema not in _OPEN_SCHEMAS:
        if schema in permits.catalog.schemas:
            permits.need_schema(schema, "U")
            raise UndefinedTable(f'relation "{schema}.{name}" does not exist')
        raise denied("schema", schema)
    if name in _SECRET:
        raise denied(_SECRET[name], name)
    if name in _DEAD_LETTERS and not _reads_every_source(permits):
        raise InsufficientPrivilege(
            f"permission denied for view {name}",
            hint="It shows rows of every source: it takes SELECT on all of them.",
        )


def _reads_every_source(permits: Permits) -> bool:
    catalog: Catalog = permits.catalog
    fed = [*catalog.of_kind("source"), *catalog.of_kind("table")]
    try:
        for entry in fed:
            permits.need(entry, "r")
    except InsufficientPrivilege:
        return False
    return True


def _allow_call(permits: Permits, parsed: sql.Call) -> None:
    """An administrative function is for the owner of every relation that it names."""
    if parsed.function.startswith(COMMAND_PREFIX):
        return  # commands.py asks for the right to insert where they are kept.
    if parsed.function in _OF_THE_SERVER:
        raise denied("function", parsed.function)
    arguments = (*parsed.arguments, *parsed.named_arguments.values())
    named = [_named_by(permits.catalog, argument) for argument in arguments]
    entries = [entry for entry in named if entry is not None]
    if parsed.function in _OF_JOBS or not entries:
        if not permits.is_a(STEWARD.oid):
            raise denied("function", parsed.function)
        return
    for entry in entries:
        if parsed.function in _LOOKING:
            permits.need(entry, _LOOKING[parsed.function])
        else:
            permits.need_owner(entry)


def _named_by(catalog: Catalog, argument: str) -> Entry | None:
    text = argument.strip()
    if not (text.startswith("'") and text.endswith("'")):
        return None
    schema, _, name = text[1:-1].replace('"', "").rpartition(".")
    return catalog.get(schema or None, name)


# --- definitions --------------------------------------------------------------------------------


def allow_definition(permits: Permits, parsed: sql.Parsed) -> None:
    """Check a CREATE, ALTER, DROP or COMMENT. Raises: InsufficientPrivilege (42501)."""
    if permits.everything:
        return
    match parsed:
        case sql.CreateSchema():
            permits.need_database("C")
        case sql.CreateIndex(table=table):
            _own(permits, table)
        case (
            sql.CreateSource(name=name) | sql.CreateTable(name=name) | sql.CreateView(name=name)
            | sql.CreateSink(name=name) | sql.CreateSubscription(name=name)
            | sql.CreateFunction(name=name) | sql.CreateSecret(name=name)
            | sql.CreateConnection(name=name)
        ):  # fmt: skip
            permits.need_schema(name.schema, "C")
            _replaced(permits, parsed)
            _allow_named(permits, parsed)
            _read(permits, parsed)
            _allow_files(permits, parsed)
        case sql.Drop():
            _allow_drop(permits, parsed)
        case sql.AlterObject(kind="SCHEMA"):
            permits.need_schema_owner(parsed.name.name)
            permits.need_database("C")
        case sql.AlterObject(kind="DATABASE"):
            if not permits.owns(DATABASE):
                raise InsufficientPrivilege(f"must be owner of database {parsed.name.name}")
        case sql.AlterObject():
            _own(permits, parsed.name)
            if parsed.verb == "SET SCHEMA":
                permits.need_schema(parsed.value, "C")
            elif parsed.verb == "RENAME TO":
                permits.need_schema(parsed.name.schema, "C")
            elif parsed.verb == "SWAP WITH":
                schema, _, other = parsed.value.rpartition(".")
                _own(permits, sql.ObjectName(other, schema or parsed.name.schema))
        case sql.AlterTable() | sql.Comment() | sql.Refresh():
            _own(permits, parsed.name)
            _allow_named(permits, parsed)
            _allow_files(permits, parsed)
        case _ if isinstance(parsed, RIGHT_STATEMENTS):
            return  # Each object they name is asked about where it changes.
        case _:
            raise denied("statement", parsed.text.split(maxsplit=1)[0].upper())


# Connectors that reach files of the server.
_OF_FILES = frozenset({"file", "posix_fs", "fs", "iceberg"})
# Stores that are entered with the server's own credentials where an option names none.
_CREDENTIALS = {
    "s3": "s3.credentials.access",
    "gcs": "gcs.credential",
    "azblob": "azblob.credentials.account_name",
}


def _own(permits: Permits, name: sql.ObjectName) -> None:
    entry = permits.catalog.named(name)
    if entry is not None:
        permits.need_schema(entry.stored.schema, "U")
        permits.need_owner(entry)


def _allow_named(permits: Permits, parsed: sql.Parsed) -> None:
    """Ask for USAGE of the secrets and the connection that options name."""
    match parsed:
        case (
            sql.CreateSource(name=name, properties=properties)
            | sql.CreateTable(name=name, properties=properties)
            | sql.CreateSink(name=name, properties=properties)
            | sql.CreateConnection(name=name, properties=properties)
            | sql.AlterTable(name=name, options=properties)
        ):
            schema = name.schema or DEFAULT_SCHEMA
            for oid in named_objects(properties, schema, permits.catalog):
                entry = permits.catalog.by_oid(oid)
                if entry is not None:
                    permits.need(entry, "U")
        case _:
            return


def _replaced(permits: Permits, parsed: sql.Parsed) -> None:
    """Ask for the ownership of what OR REPLACE takes away."""
    if isinstance(parsed, sql.CreateView | sql.CreateFunction) and parsed.or_replace:
        _own(permits, parsed.name)


def _read(permits: Permits, parsed: sql.Parsed) -> None:
    match parsed:
        case sql.CreateView(query=query):
            allow_needs(permits, of_tree(query))
        case sql.CreateTable(query=query) if query is not None:
            allow_needs(permits, of_tree(query))
        case sql.CreateTable(origin=origin) if origin is not None:
            _need_named(permits, origin.source, "r")
        case sql.CreateFunction(language=language) if language != "sql":
            # Its code runs as the server does.
            raise denied("language", language)
        case sql.CreateFunction(body=body):
            needs = of_tree(body)
            allow_needs(permits, Needs({}, needs.functions))
        case sql.CreateSink():
            if parsed.query is not None:
                allow_needs(permits, of_tree(parsed.query))
            _need_named(permits, parsed.from_name, "r")
            _need_named(permits, parsed.into, "awd")
        case sql.CreateSubscription(from_name=name):
            _need_named(permits, name, "r")
        case _:
            return


def _need_named(permits: Permits, name: sql.ObjectName | None, letters: str) -> None:
    entry = permits.catalog.named(name) if name is not None else None
    if entry is not None:
        permits.need(entry, letters)
        if letters == "r":
            permits.need_read(entry)


def _allow_files(permits: Permits, parsed: sql.Parsed) -> None:
    """Files of the server are not every role's to read and write."""
    match parsed:
        case sql.CreateSource(properties=given) | sql.CreateTable(properties=given):
            _need_files(permits, given, READ_FILES)
        case sql.CreateSink(properties=given):
            _need_files(permits, given, WRITE_FILES)
        case sql.CreateConnection(properties=given):  # It may be used in either direction.
            _need_files(permits, given, READ_FILES, WRITE_FILES)
        case sql.AlterTable(name=name, options=given) if given:
            entry = permits.catalog.named(name)
            kept = entry.stored.properties if entry is not None else {}
            _need_files(permits, {**kept, **given}, READ_FILES, WRITE_FILES)
        case _:
            return


def _need_files(permits: Permits, properties: Mapping[str, str], *roles: Role) -> None:
    place = properties.get("schema.location", "").strip().lower()
    local = bool(place) and not place.startswith(("http://", "https://"))
    kind = properties.get("connector", properties.get("type", "")).strip().lower()
    own = _CREDENTIALS.get(kind)
    borrows = own is not None and own not in properties and "connection" not in properties
    if kind not in _OF_FILES and not local and not borrows:
        return
    for role in roles:
        if not permits.is_a(role.oid):
            verb = "read" if role is READ_FILES else "write"
            raise InsufficientPrivilege(
                f"permission denied to {verb} files of the server",
                hint=f'Only roles with privileges of the "{role.name}" role may {verb} them.',
            )


def _allow_drop(permits: Permits, parsed: sql.Drop) -> None:
    for name in parsed.names:
        if parsed.kind == "SCHEMA":
            if name.name in permits.catalog.schemas:
                permits.need_schema_owner(name.name)
            continue
        entry = permits.catalog.named(name)
        if entry is None:
            continue
        from_schema = (
            permits.catalog.rights.owner(schema_target(entry.stored.schema)) in permits.acting
        )
        if not from_schema:  # Who owns a schema may empty it.
            permits.need_owner(entry)

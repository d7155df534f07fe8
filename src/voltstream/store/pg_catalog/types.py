"""pg_type: PostgreSQL's types, those the store has among them.

Source: PostgreSQL 15, src/include/catalog/pg_type.dat.
"""

from __future__ import annotations

from dataclasses import dataclass

from voltstream.core.system_types import SYSTEM_TYPES
from voltstream.core.types import Kind, declared

PG_CATALOG_OID = 11


@dataclass(frozen=True, slots=True)
class PgType:
    """One row of pg_type. ``display`` is what format_type prints; ``length`` -1 is variable."""

    oid: int
    name: str
    display: str
    length: int
    category: str
    array_oid: int = 0
    form: str = "b"


_LENGTHS_AND_CATEGORIES: dict[Kind, tuple[str, int, str]] = {
    Kind.BOOL: ("bool", 1, "B"),
    Kind.INT2: ("int2", 2, "N"),
    Kind.INT4: ("int4", 4, "N"),
    Kind.INT8: ("int8", 8, "N"),
    Kind.FLOAT4: ("float4", 4, "N"),
    Kind.FLOAT8: ("float8", 8, "N"),
    Kind.NUMERIC: ("numeric", -1, "N"),
    Kind.TEXT: ("text", -1, "S"),
    Kind.VARCHAR: ("varchar", -1, "S"),
    Kind.BYTEA: ("bytea", -1, "U"),
    Kind.UUID: ("uuid", 16, "U"),
    Kind.JSON: ("json", -1, "U"),
    Kind.JSONB: ("jsonb", -1, "U"),
    Kind.DATE: ("date", 4, "D"),
    Kind.TIME: ("time", 8, "D"),
    Kind.TIMETZ: ("timetz", 12, "D"),
    Kind.TIMESTAMP: ("timestamp", 8, "D"),
    Kind.TIMESTAMPTZ: ("timestamptz", 8, "D"),
    Kind.INTERVAL: ("interval", 16, "T"),
    Kind.OID: ("oid", 4, "N"),
    Kind.CHAR: ("char", 1, "Z"),
    Kind.NAME: ("name", 64, "S"),
    Kind.BPCHAR: ("bpchar", -1, "S"),
    Kind.BIT: ("bit", -1, "V"),
    Kind.VARBIT: ("varbit", -1, "V"),
    Kind.INT2VECTOR: ("int2vector", -1, "A"),
    Kind.OIDVECTOR: ("oidvector", -1, "A"),
    Kind.XID: ("xid", 4, "U"),
    Kind.REGPROC: ("regproc", 4, "N"),
    Kind.REGPROCEDURE: ("regprocedure", 4, "N"),
    Kind.REGCLASS: ("regclass", 4, "N"),
    Kind.REGTYPE: ("regtype", 4, "N"),
    Kind.REGNAMESPACE: ("regnamespace", 4, "N"),
    Kind.REGROLE: ("regrole", 4, "N"),
    Kind.ACLITEM: ("aclitem", 12, "U"),
    Kind.PG_NODE_TREE: ("pg_node_tree", -1, "Z"),
    Kind.RECORD: ("record", -1, "P"),
    Kind.UNKNOWN: ("unknown", -2, "X"),
}
_OTHERS = (
    PgType(27, "tid", "tid", 6, "U", 1010),
    PgType(29, "cid", "cid", 4, "U", 1012),
    PgType(869, "inet", "inet", -1, "I", 1041),
    PgType(2275, "cstring", "cstring", -2, "P", 1263, "p"),
    PgType(2276, "any", '"any"', 4, "P", 0, "p"),
    PgType(2277, "anyarray", "anyarray", -1, "P", 0, "p"),
    PgType(2278, "void", "void", 4, "P", 0, "p"),
    PgType(2279, "trigger", "trigger", 4, "P", 0, "p"),
    PgType(2281, "internal", "internal", 8, "P", 0, "p"),
    PgType(2283, "anyelement", "anyelement", 4, "P", 0, "p"),
)
# What the store's own functions take and give beside the types of columns.
_STORE_SPELLINGS = {
    "BOOLEAN": 16, "TINYINT": 21, "UTINYINT": 21, "SMALLINT": 21, "USMALLINT": 23, "INTEGER": 23,
    "UINTEGER": 26, "BIGINT": 20, "UBIGINT": 1700, "HUGEINT": 1700, "UHUGEINT": 1700,
    "BIGNUM": 1700, "FLOAT": 700, "DOUBLE": 701, "VARCHAR": 1043, "BLOB": 17, "UUID": 2950,
    "JSON": 3802, "DATE": 1082, "TIME": 1083, "TIME WITH TIME ZONE": 1266, "TIMESTAMP": 1114,
    "TIMESTAMP_S": 1114, "TIMESTAMP_MS": 1114, "TIMESTAMP_NS": 1114,
    "TIMESTAMP WITH TIME ZONE": 1184, "INTERVAL": 1186, "BIT": 1560, "ANY": 2276, "T": 2283,
    "NULL": 705, "DECIMAL": 1700, "ENUM": 1043, "STRUCT": 2249, "MAP": 3802,
}  # fmt: skip


def built_in() -> list[PgType]:
    """Return every built-in type, its array type after it."""
    scalars = list(_OTHERS)
    for kind in Kind:
        name, length, category = _LENGTHS_AND_CATEGORIES.get(
            kind, (kind.pg_name.replace(" ", "_"), -1, "U")
        )
        form = "p" if category in ("P", "X") else "b"
        scalars.append(PgType(kind.oid, name, kind.pg_name, length, category, kind.array_oid, form))
    found: list[PgType] = []
    for scalar in sorted(scalars, key=lambda one: one.oid):
        found.append(scalar)
        if scalar.array_oid:
            form = "p" if scalar.form == "p" else "b"
            name, display = f"_{scalar.name}", f"{scalar.display}[]"
            found.append(PgType(scalar.array_oid, name, display, -1, "A", 0, form))
    return found


def _text(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"


def _built_in_rows() -> str:
    element_of = {one.array_oid: one.oid for one in built_in() if one.array_oid}
    return ", ".join(
        f"({one.oid}, {_text(one.name)}, {_text(one.display)}, {one.length}, {_text(one.form)}, "
        f"{_text(one.category)}, {element_of.get(one.oid, 0)}, {one.array_oid})"
        for one in built_in()
    )


def _spelling_rows() -> str:
    array_of = {one.oid: one.array_oid for one in built_in()}
    rows = list({**{one.display: one.oid for one in built_in() if one.array_oid},
                 "pg_node_tree": 194, **_STORE_SPELLINGS}.items())  # fmt: skip
    rows += [(f"{spelling}[]", array_of[oid]) for spelling, oid in rows if array_of.get(oid)]
    return ", ".join(f"({_text(spelling)}, {oid})" for spelling, oid in rows)


def _system_rows() -> str:
    return ", ".join(f"({_text(n)}, {_text(declared(t))})" for n, t in SYSTEM_TYPES.items())


def _named_rows() -> str:
    spellings = {one.name: one.oid for one in built_in()}
    spellings |= {one.display: one.oid for one in built_in()}
    spellings |= {"int": 23, "decimal": 1700, "float": 701, "string": 1043, "char": 1042}
    return ", ".join(f"({_text(name)}, {oid})" for name, oid in spellings.items())


# Small tables, since what is bound in every query must be small: a CASE over all types is not.
TABLES = (
    "TABLE types AS SELECT CAST(oid AS UINTEGER) AS oid, name, display, length, form, category, "
    f"element, array_oid FROM (VALUES {_built_in_rows()}) AS "
    "listed(oid, name, display, length, form, category, element, array_oid)",
    "TABLE spellings AS SELECT spelling, CAST(oid AS UINTEGER) AS oid FROM "
    f"(VALUES {_spelling_rows()}) AS listed(spelling, oid)",
    "TABLE type_names AS SELECT _name, CAST(_oid AS UINTEGER) AS _oid FROM "
    f"(VALUES {_named_rows()}) AS listed(_name, _oid)",
    f"TABLE system_types AS SELECT name, spelled FROM (VALUES {_system_rows()}) AS "
    "listed(name, spelled)",
    "VIEW k_types AS SELECT oid AS _oid, display AS _display FROM _pg.types",
)
MACROS = (
    # DECIMAL(10,2)[] -> DECIMAL[]: the entry of a spelling in _pg.spellings.
    r"MACRO spelling(s) AS regexp_replace(regexp_replace(CASE WHEN starts_with(s, 'STRUCT') THEN "
    r"'STRUCT' ELSE s END, '\([^\[]*\)', ''), '\[.*\]$', '[]')",
    # The functions of the older types are spelled in one word: int4in, but date_in.
    "MACRO io_mark(word) AS CASE WHEN word IN ('json', 'jsonb', 'date', 'time', 'timetz', "
    "'timestamp', 'timestamptz', 'interval', 'uuid', 'numeric', 'inet', 'xml') THEN '_' "
    "ELSE '' END",
    "MACRO type_modifier(spelling) AS CASE WHEN starts_with(spelling, 'DECIMAL') THEN CAST("
    r"CAST(regexp_extract(spelling, '\((\d+),', 1) AS INTEGER) * 65536 + "
    r"CAST(regexp_extract(spelling, ',(\d+)\)', 1) AS INTEGER) + 4 AS INTEGER) WHEN "
    r"regexp_matches(spelling, '^(character|bit).*\(\d') THEN CAST(regexp_extract(spelling, "
    r"'\((\d+)', 1) AS INTEGER) + CASE WHEN starts_with(spelling, 'bit') THEN 0 ELSE 4 END "
    "ELSE -1 END",
)
# After the relations, whose row types it names.
NAMING_MACROS = (
    "MACRO built_in_name(o) AS (SELECT max(_display) FROM _pg.k_types WHERE _oid = o)",
    "VIEW k_all_types AS FROM _pg.k_types UNION ALL SELECT oid, name FROM _pg.relations "
    "WHERE oid >= 16384",
    "MACRO type_name(o) AS (SELECT max(_display) FROM _pg.k_all_types WHERE _oid = o)",
    # A modifier of numeric holds precision and scale, one of varchar its length, both plus 4.
    "MACRO modified(word, o, modifier) AS CASE WHEN modifier < 1 THEN word WHEN o IN (1700, 1231) "
    "THEN replace(word, 'numeric', 'numeric(' || ((modifier - 4) // 65536)::VARCHAR || ',' || "
    "((modifier - 4) % 65536)::VARCHAR || ')') WHEN o IN (1042, 1043) THEN word || '(' || "
    "(modifier - 4)::VARCHAR || ')' WHEN o IN (1560, 1562) THEN word || '(' || modifier::VARCHAR "
    "|| ')' ELSE word END",
    "MACRO format_type(o, modifier) AS CASE WHEN o = 0 THEN '-' WHEN o IS NOT NULL THEN "
    "coalesce((SELECT max(_pg.modified(_display, _oid, coalesce(modifier, -1))) FROM "
    "_pg.k_all_types WHERE _oid = o), '???') END",
    "MACRO named_type(word) AS (SELECT max(_oid) FROM _pg.type_names WHERE _name = lower(word))",
    "MACRO to_regtype(word) AS (SELECT max(_display) FROM _pg.k_types JOIN _pg.type_names "
    "USING (_oid) WHERE _name = lower(word))",
    "MACRO type_or_fault(word) AS CASE WHEN regexp_full_match(word, '\\d+') "
    "THEN CAST(word AS UINTEGER) ELSE coalesce(_pg.named_type(word), "
    "CAST(error('NativeFault: [42704] type \"' || word || '\" does not exist') AS UINTEGER)) END",
)
VIEWS = (
    "VIEW pg_type AS SELECT CAST(oid AS UINTEGER) AS oid, typname, CAST(11 AS UINTEGER) AS "
    "typnamespace, CAST(10 AS UINTEGER) AS typowner, CAST(typlen AS SMALLINT) AS typlen, "
    "typlen IN (1, 2, 4, 8) AS typbyval, typtype, typcategory, "
    "typname IN ('bool', 'float8', 'text', 'timestamptz', 'interval', 'oid') AS typispreferred, "
    "true AS typisdefined, ',' AS typdelim, CAST(0 AS UINTEGER) AS typrelid, "
    "CASE WHEN typelem > 0 THEN 'array_subscript_handler' ELSE '-' END AS typsubscript, "
    "CAST(typelem AS UINTEGER) AS typelem, "
    "CAST(typarray AS UINTEGER) AS typarray, "
    + "".join(
        f"CASE WHEN typelem > 0 THEN 'array_{verb}' ELSE typname || _pg.io_mark(typname) || "
        f"'{verb}' END AS {name}, "
        for verb, name in (
            ("in", "typinput"),
            ("out", "typoutput"),
            ("recv", "typreceive"),
            ("send", "typsend"),
        )
    )
    + "'-' AS typmodin, '-' AS typmodout, '-' AS typanalyze, "
    "'i' AS typalign, 'p' AS typstorage, false AS typnotnull, CAST(0 AS UINTEGER) AS typbasetype, "
    "-1 AS typtypmod, 0 AS typndims, CAST(CASE WHEN typcategory = 'S' THEN 100 ELSE 0 END AS "
    "UINTEGER) AS typcollation, CAST(NULL AS VARCHAR) AS typdefaultbin, "
    "CAST(NULL AS VARCHAR) AS typdefault, CAST(NULL AS VARCHAR[]) AS typacl "
    "FROM (SELECT oid, name AS typname, length AS typlen, form AS typtype, "
    "category AS typcategory, element AS typelem, array_oid AS typarray FROM _pg.types) "
    "UNION ALL SELECT oid, name, namespace, 10, CAST(-1 AS SMALLINT), false, 'c', 'C', false, "
    "true, ',', oid, '-', 0, 0, 'record_in', 'record_out', 'record_recv', 'record_send', '-', "
    "'-', '-', 'd', 'x', false, 0, -1, 0, 0, NULL, NULL, NULL FROM _pg.relations "
    "WHERE form IN ('r', 'v', 'm', 'f')",
    "VIEW pg_enum AS SELECT CAST(0 AS UINTEGER) AS oid, CAST(0 AS UINTEGER) AS enumtypid, "
    "CAST(0 AS FLOAT) AS enumsortorder, '' AS enumlabel WHERE false",
)

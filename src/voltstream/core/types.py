"""SQL types as PostgreSQL names them, and how the store spells them."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from enum import Enum
from functools import lru_cache


class Kind(Enum):
    """A type family. Shape: (PostgreSQL name, type OID, array type OID)."""

    BOOL = ("boolean", 16, 1000)
    INT2 = ("smallint", 21, 1005)
    INT4 = ("integer", 23, 1007)
    INT8 = ("bigint", 20, 1016)
    FLOAT4 = ("real", 700, 1021)
    FLOAT8 = ("double precision", 701, 1022)
    NUMERIC = ("numeric", 1700, 1231)
    TEXT = ("text", 25, 1009)
    VARCHAR = ("character varying", 1043, 1015)
    BYTEA = ("bytea", 17, 1001)
    UUID = ("uuid", 2950, 2951)
    JSON = ("json", 114, 199)
    JSONB = ("jsonb", 3802, 3807)
    DATE = ("date", 1082, 1182)
    TIME = ("time without time zone", 1083, 1183)
    TIMETZ = ("time with time zone", 1266, 1270)
    TIMESTAMP = ("timestamp without time zone", 1114, 1115)
    TIMESTAMPTZ = ("timestamp with time zone", 1184, 1185)
    INTERVAL = ("interval", 1186, 1187)
    OID = ("oid", 26, 1028)
    CHAR = ('"char"', 18, 1002)
    NAME = ("name", 19, 1003)
    BPCHAR = ("character", 1042, 1014)
    BIT = ("bit", 1560, 1561)
    VARBIT = ("bit varying", 1562, 1563)
    INT2VECTOR = ("int2vector", 22, 1006)
    OIDVECTOR = ("oidvector", 30, 1013)
    XID = ("xid", 28, 1011)
    REGPROC = ("regproc", 24, 1008)
    REGPROCEDURE = ("regprocedure", 2202, 2207)
    REGCLASS = ("regclass", 2205, 2210)
    REGTYPE = ("regtype", 2206, 2211)
    REGNAMESPACE = ("regnamespace", 4089, 4090)
    REGROLE = ("regrole", 4096, 4097)
    ACLITEM = ("aclitem", 1033, 1034)
    PG_NODE_TREE = ("pg_node_tree", 194, 0)
    VECTOR = ("vector", 16388, 0)
    RECORD = ("record", 2249, 2287)
    UNKNOWN = ("unknown", 705, 0)

    @property
    def pg_name(self) -> str:
        return self.value[0]

    @property
    def oid(self) -> int:
        return self.value[1]

    @property
    def array_oid(self) -> int:
        return self.value[2]


@dataclass(frozen=True, slots=True)
class DataType:
    """A column's type: a family, an array depth, and precision and scale for numerics.

    A vector's precision is its number of dimensions, that of characters and bits their declared
    length; ``fields`` are the types of a record's, which
    have no names of their own where it ``is_row``: those of ROW(…). A map is jsonb to clients.
    """

    kind: Kind
    array_depth: int = 0
    precision: int | None = None
    scale: int | None = None
    fields: tuple[DataType, ...] = ()
    is_row: bool = field(default=False, compare=False)
    field_names: tuple[str, ...] = field(default=(), compare=False)
    is_map: bool = field(default=False, compare=False)

    @property
    def oid(self) -> int:
        return self.kind.array_oid if self.array_depth else self.kind.oid

    @property
    def pg_name(self) -> str:
        """Return the type as ``format_type`` prints it."""
        return self.kind.pg_name + "[]" * min(self.array_depth, 1)


_STORE_KINDS: dict[str, Kind] = {
    "BOOLEAN": Kind.BOOL,
    "TINYINT": Kind.INT2,
    "UTINYINT": Kind.INT2,
    "SMALLINT": Kind.INT2,
    "USMALLINT": Kind.INT4,
    "INTEGER": Kind.INT4,
    "UINTEGER": Kind.INT8,
    "BIGINT": Kind.INT8,
    "UBIGINT": Kind.NUMERIC,
    "HUGEINT": Kind.NUMERIC,
    "UHUGEINT": Kind.NUMERIC,
    "FLOAT": Kind.FLOAT4,
    "DOUBLE": Kind.FLOAT8,
    "VARCHAR": Kind.VARCHAR,
    "BLOB": Kind.BYTEA,
    "UUID": Kind.UUID,
    "JSON": Kind.JSONB,
    "DATE": Kind.DATE,
    "TIME": Kind.TIME,
    "TIME WITH TIME ZONE": Kind.TIMETZ,
    "TIMETZ": Kind.TIMETZ,
    "TIMESTAMP": Kind.TIMESTAMP,
    "TIMESTAMP_S": Kind.TIMESTAMP,
    "TIMESTAMP_MS": Kind.TIMESTAMP,
    "TIMESTAMP_NS": Kind.TIMESTAMP,
    "TIMESTAMP WITH TIME ZONE": Kind.TIMESTAMPTZ,
    "TIMESTAMPTZ": Kind.TIMESTAMPTZ,
    "INTERVAL": Kind.INTERVAL,
    "OID": Kind.OID,
    "BIT": Kind.VARBIT,
}

STORE_NAMES: dict[Kind, str] = {
    Kind.BOOL: "BOOLEAN", Kind.INT2: "SMALLINT", Kind.INT4: "INTEGER", Kind.INT8: "BIGINT",
    Kind.FLOAT4: "FLOAT", Kind.FLOAT8: "DOUBLE", Kind.TEXT: "VARCHAR", Kind.VARCHAR: "VARCHAR",
    Kind.BYTEA: "BLOB", Kind.UUID: "UUID", Kind.JSON: "JSON", Kind.JSONB: "JSON",
    Kind.DATE: "DATE", Kind.TIME: "TIME", Kind.TIMETZ: "TIMETZ", Kind.TIMESTAMP: "TIMESTAMP",
    Kind.TIMESTAMPTZ: "TIMESTAMPTZ", Kind.INTERVAL: "INTERVAL", Kind.OID: "UINTEGER",
    Kind.BIT: "BIT", Kind.VARBIT: "BIT",
}  # fmt: skip

# Strings and numbers of the store that PostgreSQL has more types for: (kind, by its names).
_DECLARED: dict[str, Kind] = {
    **{
        kind.pg_name: kind
        for kind in Kind
        if kind not in (Kind.NUMERIC, Kind.RECORD, Kind.UNKNOWN, Kind.VECTOR)
    },
    "bpchar": Kind.BPCHAR, "char": Kind.BPCHAR, "varchar": Kind.VARCHAR, "string": Kind.VARCHAR,
    "char varying": Kind.VARCHAR, "varbit": Kind.VARBIT, "bool": Kind.BOOL,
}  # fmt: skip
SIZED = frozenset({Kind.BPCHAR, Kind.VARCHAR, Kind.BIT, Kind.VARBIT})
_SIZE = re.compile(r"\s*\((\d+)\)")


@lru_cache(4096)
def from_declared(spelling: str) -> DataType | None:
    """Read a type as a user spells it (``character(5)``, ``json[]``); None for others."""
    text, depth = spelling.strip().lower(), 0
    while text.endswith("]"):
        text, depth = text[: text.rindex("[")].rstrip(), depth + 1
    size = _SIZE.search(text)
    kind = _DECLARED.get(" ".join(_SIZE.sub("", text).split()))
    if kind is None:
        return None
    if kind in (Kind.BPCHAR, Kind.BIT) and size is None and not text.startswith("bpchar"):
        return DataType(kind, depth, 1)
    return DataType(kind, depth, int(size[1]) if size and kind in SIZED else None)


def declared(found: DataType) -> str:
    """Spell a type so that ``from_declared`` and the catalogs read it."""
    size = f"({found.precision})" if found.precision is not None else ""
    return found.kind.pg_name + size + "[]" * found.array_depth


_VECTOR = re.compile(r"FLOAT\[(\d+)\]")
_DECIMAL = re.compile(r"DECIMAL\((\d+),\s*(\d+)\)")


@lru_cache(4096)  # It is asked for each column of each result.
def from_store(spelling: str) -> DataType:
    """Read a type as the store spells it (``DECIMAL(38,16)``, ``INTEGER[]``, ``STRUCT(..)``)."""
    depth = 0
    text = spelling.strip()
    vector = _VECTOR.fullmatch(text.upper())
    if vector:
        return DataType(Kind.VECTOR, precision=int(vector[1]))
    while text.endswith("]"):
        text = text[: text.rindex("[")]
        depth += 1
    decimal = _DECIMAL.fullmatch(text.upper())
    if decimal:
        return DataType(Kind.NUMERIC, depth, int(decimal[1]), int(decimal[2]))
    upper = text.upper()
    if upper.startswith("ENUM"):
        return DataType(Kind.VARCHAR, depth)
    if upper.startswith(("STRUCT(", "TUPLE(")):
        parts = _split(text[text.index("(") + 1 : -1])
        is_row = upper.startswith("TUPLE")
        types = [part if is_row else _NAMED.sub("", part) for part in parts]
        fields = tuple(map(from_store, types))
        names = tuple(f"f{i}" if is_row else _name(p) for i, p in enumerate(parts, 1))
        return DataType(Kind.RECORD, depth, fields=fields, is_row=is_row, field_names=names)
    if upper.startswith("MAP"):
        return DataType(Kind.JSONB, depth, is_map=True)
    return DataType(_STORE_KINDS.get(upper, Kind.TEXT), depth)


_NAMED = re.compile(r'^(?:"(?:[^"]|"")*"|[^\s"]+)\s+')


def _name(part: str) -> str:
    """Return the name before a field's type."""
    found = _NAMED.match(part)
    name = found[0].strip() if found is not None else ""
    return name[1:-1].replace('""', '"') if name.startswith('"') else name


def _split(text: str) -> list[str]:
    """Split a list of types at its own commas."""
    parts, depth, quoted = [""], 0, False
    for letter in text:
        quoted ^= letter == '"'
        depth += 0 if quoted else (letter == "(") - (letter == ")")
        if letter == "," and not depth and not quoted:
            parts.append("")
        else:
            parts[-1] += letter
    return [part.strip() for part in parts if part.strip()]

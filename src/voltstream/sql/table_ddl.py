"""A table's definition out again: the store's DDL, and the user's text after an ALTER."""

from __future__ import annotations

from voltstream.core.types import Kind, from_store
from voltstream.sql.columns import quoted
from voltstream.sql.statements import ColumnSpec, CreateTable, ObjectName, Reference
from voltstream.sql.watermarks import declared as watermark_parts

# What the engine notes of the watermark clause beside the options that were given.
_DERIVED = frozenset({"watermark", "watermark.ttl"})
_CONFLICT_WORDS = {"IGNORE": "DO NOTHING", "IF NOT NULL": "DO UPDATE IF NOT NULL"}


def stored_ddl(name: str, parsed: CreateTable) -> str:
    """Return the store's CREATE TABLE; defaults, generated values and checks come before rows."""
    lines = []
    for spec in parsed.columns:
        line = f"{quoted(spec.name)} {spec.store_type}"
        if spec.not_null:
            line += " NOT NULL"
        lines.append(line)
    if parsed.primary_key:
        lines.append(f"PRIMARY KEY ({', '.join(map(quoted, parsed.primary_key))})")
    lines.extend(f"UNIQUE ({', '.join(map(quoted, names))})" for names in parsed.unique)
    return f"CREATE TABLE {name} ({', '.join(lines)})"


def declared_type(store_type: str) -> str:
    """Return a store type as a user declares it."""
    kind = from_store(store_type)
    plain = {Kind.RECORD, Kind.TEXT, Kind.UNKNOWN}
    if kind.kind in plain or store_type.upper().startswith("MAP"):
        return store_type
    if kind.kind is Kind.NUMERIC and kind.precision is not None:
        return f"numeric({kind.precision},{kind.scale})" + "[]" * kind.array_depth
    return kind.kind.pg_name + "[]" * kind.array_depth


def plain_name(name: str) -> str:
    """Return a name as a user writes it: quoted only where it must be."""
    plain = name.isascii() and name.isidentifier() and name == name.lower()
    return name if plain else quoted(name)


def written_name(name: ObjectName) -> str:
    prefix = f"{plain_name(name.schema)}." if name.schema not in (None, "public") else ""
    return prefix + plain_name(name.name)


def definition(parsed: CreateTable) -> str:
    """Return the CREATE TABLE that makes the table as it is now."""
    inclusions = [spec for spec in parsed.columns if spec.included is not None]
    alone = len(parsed.primary_key) == 1
    alone = alone and not any(spec.name in parsed.primary_key for spec in inclusions)
    lines = [
        column_text(spec) + (" PRIMARY KEY" if alone and spec.name in parsed.primary_key else "")
        for spec in parsed.columns
        if spec.included is None
    ]
    if parsed.primary_key and not alone:
        lines.append(f"PRIMARY KEY ({', '.join(map(plain_name, parsed.primary_key))})")
    lines += [f"UNIQUE ({', '.join(map(plain_name, names))})" for names in parsed.unique]
    lines += [
        (f"CONSTRAINT {plain_name(check.name)} " if check.name else "") + f"CHECK ({check.text})"
        for check in parsed.checks
    ]
    lines += [
        (f"CONSTRAINT {plain_name(one.name)} " if one.name else "") + reference_text(one)
        for one in parsed.references
    ]
    if parsed.watermark is not None:
        name, expression = watermark_parts(parsed.watermark)
        ttl = " WITH TTL" if parsed.ttl else ""
        lines.append(f"WATERMARK FOR {plain_name(name)} AS {expression}{ttl}")
    text = f"CREATE TABLE {written_name(parsed.name)} ({', '.join(lines)})"
    if parsed.append_only:
        text += " APPEND ONLY"
    if parsed.on_conflict != "OVERWRITE":
        text += f" ON CONFLICT {_CONFLICT_WORDS[parsed.on_conflict]}"
    if parsed.version_columns:
        text += f" WITH VERSION COLUMN ({', '.join(map(plain_name, parsed.version_columns))})"
    text += "".join(f" {_inclusion(spec)}" for spec in inclusions)
    properties = {k: v for k, v in parsed.properties.items() if k not in _DERIVED}
    if parsed.origin is not None:
        properties.pop("connector", None)
    if properties:
        pairs = ", ".join(f"{key} = {_literal(value)}" for key, value in properties.items())
        text += f" WITH ({pairs})"
        if "connector" in properties:
            text += f" FORMAT {parsed.format} ENCODE {parsed.encode}"
    if parsed.origin is not None:
        source, table = written_name(parsed.origin.source), _literal(parsed.origin.table)
        text += f" FROM {source} TABLE {table}"
    return text


def reference_text(one: Reference) -> str:
    """Return a foreign key as PostgreSQL prints it."""
    text = f"FOREIGN KEY ({', '.join(map(plain_name, one.columns))}) REFERENCES "
    text += written_name(one.table)
    if one.targets:
        text += f"({', '.join(map(plain_name, one.targets))})"
    text += " MATCH FULL" if one.is_full else ""
    for verb, action in (("UPDATE", one.on_update), ("DELETE", one.on_delete)):
        text += f" ON {verb} {action}" if action != "NO ACTION" else ""
    return text


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _inclusion(spec: ColumnSpec) -> str:
    """Return a column as its INCLUDE clause declares it."""
    kind, colon, header = (spec.included or "").partition(":")
    text = f"INCLUDE {kind}"
    if colon:
        text += f" {_literal(header)}" + (" VARCHAR" if spec.store_type == "VARCHAR" else "")
    return f"{text} AS {plain_name(spec.name)}"


def column_text(spec: ColumnSpec) -> str:
    """Return a column as its CREATE TABLE declares it."""
    text = f"{plain_name(spec.name)} {spec.declared or spec.store_type}"
    if spec.identity is not None and "SERIAL" not in spec.declared:
        text += f" GENERATED {spec.identity.upper()} AS IDENTITY"
    elif spec.not_null and spec.identity is None:
        text += " NOT NULL"
    if spec.default_text is not None:
        text += f" DEFAULT {spec.default_text}"
    if spec.generated_text is not None:
        text += f" AS ({spec.generated_text})"
    return text

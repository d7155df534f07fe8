"""A catalog as the files of a dbt project."""

from __future__ import annotations

import re
from collections.abc import Container, Mapping, Sequence

from voltstream.core.errors import InvalidParameter, UndefinedSchema
from voltstream.core.schema import Column
from voltstream.deploy.dbt_models import (
    Model,
    guarded,
    indexes_of,
    is_model,
    is_origin,
    is_plain,
    literal,
    models_of,
    word,
)
from voltstream.deploy.dbt_readme import readme
from voltstream.deploy.yaml_text import Value, yaml_text
from voltstream.runtime.catalog import OWN_SCHEMA, Catalog, Entry
from voltstream.runtime.show import type_name
from voltstream.sql.renaming import spelled
from voltstream.sql.statements import CreateIndex, CreateSource, CreateTable, CreateView

_PROJECT = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
# In a schema of its own a project keeps the catalog's schemas apart; in public they are themselves.
_SCHEMA_NAMES = """{% macro generate_schema_name(custom_schema_name, node) -%}
    {%- if custom_schema_name is none -%}
        {{ target.schema }}
    {%- elif target.schema == "public" -%}
        {{ custom_schema_name | trim }}
    {%- else -%}
        {{ target.schema }}_{{ custom_schema_name | trim }}
    {%- endif -%}
{%- endmacro %}
"""


def dbt_project(
    catalog: Catalog, name: str, database: str, user: str, schemas: Sequence[str] = ()
) -> dict[str, str]:
    """Return the texts of a project's files by their paths. Law: equal catalogs, equal files.

    Shape: ``schemas`` are those whose views are models; without one, all of them.
    Raises: InvalidParameter (22023) for a name that dbt does not take, UndefinedSchema (3F000).
    """
    for schema in schemas:
        if schema not in catalog.schemas:
            raise UndefinedSchema(f'schema "{schema}" does not exist')
    if not _PROJECT.fullmatch(name):
        raise InvalidParameter(
            f'"{name}" cannot be the name of a dbt project',
            hint="Letters, digits and underscores, a digit not first.",
        )
    models = models_of(catalog, schemas or catalog.schemas)
    origins = _origins(catalog, models, schemas)
    files = {
        "README.md": readme(name, _left_out(catalog, {one.entry.oid for one in models})),
        "dbt_project.yml": yaml_text(_project(name)),
        "profiles.example.yml": yaml_text(_profiles(name, database, user)),
        "macros/generate_schema_name.sql": _SCHEMA_NAMES,
        "models/sources.yml": yaml_text({"version": 2, "sources": _sources(origins)}),
        "models/schema.yml": yaml_text({"version": 2, "models": [_told(one) for one in models]}),
    }
    files.update({one.path: one.text for one in models})
    for entry in origins:
        for kind, columns in _keys(entry):
            if len(columns) > 1:
                path = f"tests/{word(entry.stored.schema)}__{word(entry.stored.name)}__{kind}.sql"
                files[path] = _unique_together(entry, columns)
    return dict(sorted(files.items()))


def _origins(catalog: Catalog, models: Sequence[Model], schemas: Sequence[str]) -> list[Entry]:
    """Return what models read that is no model, and what else of their schemas can be read."""
    made = {one.entry.oid for one in models}
    read = {oid for one in models for oid in one.entry.stored.depends_on} - made
    found = [
        one
        for one in catalog
        if (is_origin(one) and (not schemas or one.stored.schema in schemas))
        or (one.oid in read and (is_origin(one) or is_model(one)))
    ]
    return sorted(found, key=lambda one: one.key)


def _project(name: str) -> dict[str, Value]:
    return {
        "name": name,
        "version": "1.0.0",
        "config-version": 2,
        "require-dbt-version": ">=1.8.0",
        "profile": name,
        "model-paths": ["models"],
        "macro-paths": ["macros"],
        "test-paths": ["tests"],
        "target-path": "target",
        "clean-targets": ["target", "dbt_packages"],
    }


def _profiles(name: str, database: str, user: str) -> dict[str, Value]:
    return {
        name: {
            "target": "dev",
            "outputs": {
                "dev": {
                    "type": "postgres",
                    "host": "{{ env_var('VOLTSTREAM_HOST', '127.0.0.1') }}",
                    "port": "{{ env_var('VOLTSTREAM_PORT', '4566') | int }}",
                    "user": f"{{{{ env_var('VOLTSTREAM_USER', '{user}') }}}}",
                    # dbt keeps values of such variables out of its logs.
                    "password": "{{ env_var('DBT_ENV_SECRET_VOLTSTREAM_PASSWORD', '') }}",
                    "dbname": f"{{{{ env_var('VOLTSTREAM_DATABASE', '{database}') }}}}",
                    "schema": "dbt",
                    "threads": 1,
                }
            },
        }
    }


def _sources(origins: Sequence[Entry]) -> list[Value]:
    schemas = sorted({entry.stored.schema for entry in origins})
    return [
        {
            "name": guarded(schema),
            "schema": guarded(schema),
            "tables": [_table(entry) for entry in origins if entry.stored.schema == schema],
        }
        for schema in schemas
    ]


def _table(entry: Entry) -> dict[str, Value]:
    unique = {columns[0] for _, columns in _keys(entry) if len(columns) == 1}
    filled = _filled(entry)
    tests = {
        column.name: [
            *(["unique"] if column.name in unique else []),
            *(["not_null"] if column.name in filled else []),
        ]
        for column in _columns(entry)
    }
    return {"name": guarded(entry.stored.name), **_described(entry, tests)}


def _told(model: Model) -> dict[str, Value]:
    return {"name": model.name, **_described(model.entry, {})}


def _described(entry: Entry, tests: Mapping[str, list[str]]) -> dict[str, Value]:
    """Return what is said of a relation and its columns."""
    found: dict[str, Value] = {}
    if entry.stored.comment:
        found["description"] = guarded(entry.stored.comment)
    columns: list[Value] = []
    for column in _columns(entry):
        one: dict[str, Value] = {"name": guarded(column.name)}
        if spelled(column.name) != column.name:
            one["quote"] = True
        if entry.comments.get(column.name):
            one["description"] = guarded(entry.comments[column.name])
        one["data_type"] = type_name(column.store_type)
        if tests.get(column.name):
            one["data_tests"] = tests[column.name]
        columns.append(one)
    return {**found, "columns": columns} if columns else found


def _columns(entry: Entry) -> Sequence[Column]:
    return entry.relation.columns if entry.relation is not None else ()


def _keys(entry: Entry) -> list[tuple[str, tuple[str, ...]]]:
    """Return the columns that are unique together, the primary key first, and what to call them."""
    if not isinstance(entry.parsed, CreateTable):
        return []
    found: list[tuple[str, tuple[str, ...]]] = []
    if entry.parsed.primary_key:
        found.append(("primary_key", entry.parsed.primary_key))
    for number, columns in enumerate(entry.parsed.unique, start=1):
        if columns != entry.parsed.primary_key:
            found.append((f"unique_{number}", columns))
    return found


def _filled(entry: Entry) -> set[str]:
    """Return the columns that are never NULL."""
    made = entry.parsed
    if not isinstance(made, CreateTable | CreateSource):
        return set()
    declared = {column.name for column in made.columns if column.not_null}
    return declared | set(made.primary_key if isinstance(made, CreateTable) else ())


def _unique_together(entry: Entry, columns: Sequence[str]) -> str:
    """Return a test that fails with the keys that several rows have; NULL equals nothing."""
    listed = ", ".join(guarded(spelled(name)) for name in columns)
    filled = " AND ".join(f"{guarded(spelled(name))} IS NOT NULL" for name in columns)
    source = f"source({literal(entry.stored.schema)}, {literal(entry.stored.name)})"
    return (
        f"SELECT {listed}, count(*) AS copies\nFROM {{{{ {source} }}}}\nWHERE {filled}\n"
        f"GROUP BY {listed}\nHAVING count(*) > 1\n"
    )


def _left_out(catalog: Catalog, models: Container[int]) -> list[str]:
    """Say what of a catalog is not in its project; views of other schemas are not missed."""
    found: list[str] = []
    entries = sorted(catalog, key=lambda one: (one.kind, one.key))
    for entry in entries:
        if entry.stored.schema == OWN_SCHEMA or entry.kind == "index" or is_origin(entry):
            continue
        said = f"{entry.kind} {spelled(entry.stored.schema)}.{spelled(entry.stored.name)}"
        if not is_model(entry):
            found.append(said)
        elif (
            entry.oid in models and isinstance(entry.parsed, CreateView) and entry.parsed.properties
        ):
            options = ", ".join(sorted(entry.parsed.properties))
            found.append(f"{said}: only its options, {options}")
    for entry in entries:
        for index in indexes_of(entry, catalog):
            plain = isinstance(index.parsed, CreateIndex) and is_plain(index.parsed)
            if is_model(entry) and (plain or entry.oid not in models):
                continue
            if index.stored.schema != OWN_SCHEMA:
                found.append(f"index {spelled(index.stored.schema)}.{spelled(index.stored.name)}")
    return sorted(found)

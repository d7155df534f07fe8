"""DDL that RisingWave and TimescaleDB share."""

from __future__ import annotations

from collections.abc import Sequence

from voltstream.core.types import DataType, Kind
from voltstream.deploy.drafting import (
    ROWS,
    Draft,
    column_type,
    quoted,
    specs_of,
    spelled,
)
from voltstream.deploy.objects import Deployed
from voltstream.sql.statements import CreateIndex, CreateSource, CreateTable, CreateView
from voltstream.sql.styles.numerics import is_unbounded
from voltstream.sql.targets.features import Feature
from voltstream.sql.targets.render import Rendered


class PostgresDraft(Draft):
    """What both targets read as PostgreSQL does."""

    def own(self, made: Deployed, suffix: str = "") -> str:
        """Return an object's name there, its schema made before."""
        schema, name = made.entry.stored.schema, made.bare + suffix
        if schema == "public":
            return quoted(name)
        if not any((one.kind, one.name) == ("schema", schema) for one in self.statements):
            self.add(
                made, schema, "schema", f"CREATE SCHEMA IF NOT EXISTS {quoted(schema)}",
                f"DROP SCHEMA IF EXISTS {quoted(schema)}",
            )  # fmt: skip
        return spelled((schema, name))

    def columns(
        self, made: Deployed, parsed: CreateSource | CreateTable, *, required: Sequence[str] = ()
    ) -> list[str]:
        """Return the column list of a table, as PostgreSQL spells it."""
        specs = specs_of(parsed)
        lines = []
        for column in made.relation.columns:
            spec = specs.get(column.name)
            if spec is not None and spec.included is not None and not self.keeps_included:
                continue
            kind = column_type(column)
            if _is_unbounded(kind):  # As declared: it keeps the digits that it is given, no zeros.
                kind = DataType(kind.kind, kind.array_depth)
            line = f"{quoted(column.name)} {self.type(kind)}"
            if spec is not None:
                line += self.filled(made, parsed, column.name)
            if column.name in required or (spec is not None and spec.not_null):
                line += self.not_null
            lines.append(line)
        return lines

    keeps_included = True
    unique_indexes = True
    not_null = " NOT NULL"

    def filled(self, made: Deployed, parsed: CreateSource | CreateTable, name: str) -> str:
        """Return how a column is filled when nobody says its value."""
        spec = specs_of(parsed)[name]
        if spec.default_text is None and spec.identity is None and spec.generated_text is None:
            return ""
        self.meet(made, Feature.GENERATED, name)
        if spec.identity is not None:
            return f" GENERATED {spec.identity.upper()} AS IDENTITY"
        if spec.generated_text is not None:
            return f" GENERATED ALWAYS AS ({spec.generated_text}) STORED"
        return f" DEFAULT {spec.default_text}"

    def view(self, made: Deployed, parsed: CreateView) -> None:
        self.meet(made, Feature.PLAIN_VIEW)
        self.plain_view(made, self.rendered(made))

    def plain_view(self, made: Deployed, found: Rendered, kind: str = "view") -> None:
        """Add a view; where it shows NOW(), over one that does not, which others read."""
        timed = bool(self.reading(made).volatile) and made.kind == "materialized view"
        name, query = self.own(made, ROWS if timed else ""), found.query
        if self.reading(made).volatile and not timed:
            query = f"SELECT\n{shown_list(found)}\nFROM (\n{query}\n) AS kept"
        self.add(
            made, made.name + (ROWS if timed else ""), kind,
            f"CREATE {kind.upper()} {name} AS\n{query}",
            f"DROP {kind.upper()} IF EXISTS {name}",
        )  # fmt: skip
        if timed:
            self.over_rows(made, found)

    def other(self, made: Deployed) -> None:
        parsed = made.entry.parsed
        if not isinstance(parsed, CreateIndex):
            self.meet(made, Feature.SUBSCRIPTION)
            return
        self.meet(made, Feature.INDEX)
        keys = ", ".join(
            (quoted(text) if text in parsed.columns else f"({text})")
            + (" DESC" if order == "DESC" else "")
            for text, order in parsed.keys
        )
        schema = parsed.table.schema or "public"
        table = spelled((parsed.table.name,) if schema == "public" else (schema, parsed.table.name))
        include = f" INCLUDE ({', '.join(map(quoted, parsed.include))})" if parsed.include else ""
        unique = "UNIQUE " if parsed.unique and self.unique_indexes else ""
        name = quoted(made.bare)
        where = name if schema == "public" else spelled((schema, made.bare))
        self.add(
            made, made.name, "index", f"CREATE {unique}INDEX {name} ON {table} ({keys}){include}",
            f"DROP INDEX IF EXISTS {where}",
        )  # fmt: skip

    def over_rows(self, made: Deployed, found: Rendered) -> None:
        """Add the view that computes NOW() over what is kept under another name."""
        name, rows = self.own(made), self.own(made, ROWS)
        text = f"CREATE VIEW {name} AS\nSELECT\n{shown_list(found)}\nFROM {rows}"
        self.add(made, made.name, "view", text, f"DROP VIEW IF EXISTS {name}")


def _is_unbounded(kind: DataType) -> bool:
    return kind.kind is Kind.NUMERIC and kind.scale is not None and is_unbounded(kind)


def shown_list(found: Rendered) -> str:
    lines = [
        text if text == quoted(name) else f"{text} AS {quoted(name)}" for name, text in found.shown
    ]
    return ",\n".join(f"  {line}" for line in lines)

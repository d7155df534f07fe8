"""The example project of dbt as panels of a pack: its models as queries over the packs' views."""

from __future__ import annotations

import csv
import re
from pathlib import Path

from voltstream.cli.packs import Panel

PROJECT = Path(__file__).parents[2] / "integrations" / "dbt"
SCHEMAS = {"charging": "public", "grid": "ami"}
_CALL = re.compile(r"\{\{\s*(\w+)\((.*?)\)\s*\}\}")


def models() -> dict[str, str]:
    return {path.stem: path.read_text() for path in sorted(PROJECT.glob("models/*.sql"))}


def _seed(name: str) -> str:
    """Return a seed's rows as a query."""
    with (PROJECT / "seeds" / f"{name}.csv").open() as lines:
        head, *rows = csv.reader(lines)
    values = ", ".join(f"('{site}', {price})" for site, price in rows)
    return f"SELECT * FROM (VALUES {values}) AS v ({', '.join(head)})"


def written_out(name: str) -> str:
    """Return a model as one query. Raises: AssertionError where it calls what is not known."""

    def told(call: re.Match[str]) -> str:
        names = re.findall(r"'(\w+)'", call[2])
        match call[1]:
            case "config":
                return ""
            case "source":
                return f"{SCHEMAS[names[0]]}.{names[1]}"
            case "ref":
                inner = written_out(names[0]) if names[0] in models() else _seed(names[0])
                return f"({inner})"
            case other:
                raise AssertionError(f"{other} of {name} is not known")

    return _CALL.sub(told, models()[name]).strip()


def asked() -> list[Panel]:
    return [Panel(title=f"dbt: {name}", sql=written_out(name)) for name in models()]

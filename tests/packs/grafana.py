"""Dashboards as panels of a pack, with macros written out as Grafana's PostgreSQL source does."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from voltstream.cli.packs import Panel

GRAFANA = Path(__file__).parents[2] / "integrations" / "grafana"
_FILTER = re.compile(r"\$__timeFilter\((.+?)\)(?= |$|\))")
_RANGE = r"\1 BETWEEN '2026-01-01T00:00:00Z' AND '2026-01-02T00:00:00Z'"


def dashboards() -> list[dict[str, Any]]:
    return [json.loads(path.read_text()) for path in sorted(GRAFANA.glob("dashboards/*.json"))]


def expanded(sql: str) -> str:
    """Return a query as Grafana sends it. Raises: AssertionError where a macro is not known."""
    found = _FILTER.sub(_RANGE, sql).replace("${site:sqlstring}", "'north','south'")
    assert "$" not in found, found
    return found


def asked() -> list[Panel]:
    """Return every query of every dashboard, those of variables too."""
    found = []
    for board in dashboards():
        title = board["title"]
        found += [
            Panel(title=f"{title}: {variable['name']}", sql=variable["query"])
            for variable in board["templating"]["list"]
        ]
        found += [
            Panel(title=f"{title}: {panel['title']}", sql=expanded(target["rawSql"]))
            for panel in board["panels"]
            for target in panel["targets"]
        ]
    return found

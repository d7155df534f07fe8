"""Dashboards for Grafana: every query of them runs where the packs are installed."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from voltstream.cli.pack_trial import trial
from voltstream.cli.packs import load_pack

GRAFANA = Path(__file__).parents[2] / "integrations" / "grafana"
# What Grafana's PostgreSQL data source writes for its macros.
_FILTER = re.compile(r"\$__timeFilter\((.+?)\)(?= |$|\))")
_RANGE = r"\1 BETWEEN '2026-01-01T00:00:00Z' AND '2026-01-02T00:00:00Z'"


def dashboards() -> list[dict[str, Any]]:
    return [json.loads(path.read_text()) for path in sorted(GRAFANA.glob("dashboards/*.json"))]


def expanded(sql: str) -> str:
    """Return a query as Grafana sends it. Raises: AssertionError where a macro is not known."""
    found = _FILTER.sub(_RANGE, sql).replace("${site:sqlstring}", "'north','south'")
    assert "$" not in found, found
    return found


def test_every_panel_and_variable_is_answered() -> None:
    with trial(load_pack("grid"), datetime(2026, 1, 1, tzinfo=UTC)) as made:
        asked = 0
        for board in dashboards():
            for variable in board["templating"]["list"]:
                made.door.ask(variable["query"])
            for panel in board["panels"]:
                for target in panel["targets"]:
                    columns, _ = made.door.ask(expanded(target["rawSql"]))
                    asked += 1
                    if panel["type"] == "timeseries":
                        assert columns[0] == "time", panel["title"]
        assert asked == 33


def test_boards_name_the_data_source_that_is_provisioned() -> None:
    source = (GRAFANA / "provisioning/datasources/voltstream.yaml").read_text()
    [(uid, kind)] = re.findall(r"uid: (\S+)\n +type: (\S+)", source)
    boards = dashboards()
    assert len({board["uid"] for board in boards}) == len(boards) == 3
    for board in boards:
        ids = [panel["id"] for panel in board["panels"]]
        assert len(set(ids)) == len(ids)
        for panel in board["panels"]:
            for place in (panel, *panel["targets"]):
                assert place["datasource"] == {"type": kind, "uid": uid}, panel["title"]
            cell = panel["gridPos"]
            assert cell["x"] >= 0 and cell["x"] + cell["w"] <= 24

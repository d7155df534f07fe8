"""Dashboards for Grafana are whole; that their queries run is a test of the packs they show."""

from __future__ import annotations

import re

from tests.packs.grafana import GRAFANA, asked, dashboards


def test_boards_name_the_data_source_that_is_provisioned() -> None:
    source = (GRAFANA / "provisioning/datasources/voltstream.yaml").read_text()
    [(uid, kind)] = re.findall(r"uid: (\S+)\n +type: (\S+)", source)
    boards = dashboards()
    assert len({board["uid"] for board in boards}) == len(boards) == 3
    assert len(asked()) == 34
    for board in boards:
        ids = [panel["id"] for panel in board["panels"]]
        assert len(set(ids)) == len(ids)
        for panel in board["panels"]:
            for place in (panel, *panel["targets"]):
                assert place["datasource"] == {"type": kind, "uid": uid}, panel["title"]
            cell = panel["gridPos"]
            assert 0 <= cell["x"] <= 24 - cell["w"]
            if panel["type"] == "timeseries":
                assert 'AS "time"' in panel["targets"][0]["rawSql"].partition(" FROM ")[0]

"""Every view of every shipped pack is shown with rows, whose truth was reckoned by hand."""

from __future__ import annotations

import re
import tomllib

import pytest

from voltstream.cli.packs import load_pack, shipped_packs
from voltstream.sql.parse import parse_statements
from voltstream.sql.statements import CreateView

READ = re.compile(r"\b(?:FROM|JOIN)\s+(?:\w+\.)?(\w+)", re.IGNORECASE)
# Made of the sealed records of charge, which only the gateway adds: test_from_the_gateway.py.
OF_SEALED_RECORDS = {"current_charge_detail_records", "published_charging_sessions"}


@pytest.mark.parametrize("name", shipped_packs())
def test_every_view_has_rows_in_a_test_of_its_pack(name: str) -> None:
    pack = load_pack(name)
    made = {
        one.name.name
        for _, text in pack.files
        for one in parse_statements(text)
        if isinstance(one, CreateView)
    }
    shown = {
        relation
        for _, text in pack.tests
        for step in tomllib.loads(text)["step"]
        if len(step.get("expect", "").strip().splitlines()) > 1
        for relation in READ.findall(step.get("query", ""))
    }
    assert made - shown - OF_SEALED_RECORDS == set()

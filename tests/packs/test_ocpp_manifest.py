"""The ocpp pack is whole: every file of the folder is named, parses, and comments its views."""

from __future__ import annotations

import re

import pytest

from voltstream.cli.packs import PACKS_FOLDER, load_pack
from voltstream.core.errors import UndefinedObject
from voltstream.ocpp.quality import Quality
from voltstream.sql.parse import parse_statements
from voltstream.sql.statements import Comment, CreateSource, CreateView, Query

PACK = load_pack("ocpp")


def test_manifest_names_every_file_once() -> None:
    named = [name for name, _ in PACK.files]
    assert named == sorted(path.name for path in (PACKS_FOLDER / "ocpp").glob("*.sql"))


@pytest.mark.parametrize(("name", "text"), PACK.files)
def test_file_parses(name: str, text: str) -> None:
    assert parse_statements(text), name


def test_every_view_is_commented() -> None:
    statements = [one for _, text in PACK.files for one in parse_statements(text)]
    views = {one.name.name for one in statements if isinstance(one, CreateView)}
    assert views == {
        one.name.name
        for one in statements
        if isinstance(one, Comment) and one.kind in ("MATERIALIZED VIEW", "VIEW")
    }


def test_sources_need_no_broker() -> None:
    statements = [one for _, text in PACK.files for one in parse_statements(text)]
    sources = [one for one in statements if isinstance(one, CreateSource)]
    assert {"charger_readings", "charger_frames"} <= {one.name.name for one in sources}
    assert not [one for one in sources if "connector" in one.properties]


def test_panels_are_queries() -> None:
    for panel in PACK.panels:
        (statement,) = parse_statements(panel.sql)
        assert isinstance(statement, Query), panel.title


def test_unknown_pack_lists_the_known_ones() -> None:
    with pytest.raises(UndefinedObject) as caught:
        load_pack("gas")
    assert "ocpp" in (caught.value.hint or "")


def test_flags_are_named_as_the_gateway_sets_them() -> None:
    [text] = [text for name, text in PACK.files if name == "015_gateway.sql"]
    named = {name: int(bit) for bit, name in re.findall(r"\((\d+), '([A-Z_]+)'\)", text)}
    assert named == {flag.name: flag.value for flag in Quality}
    doubtful = Quality.IMPLAUSIBLE | Quality.PLACEHOLDER_ZERO | Quality.LATE | Quality.DUPLICATE
    assert f"(flags & {int(doubtful | Quality.CLOCK_UNSET)}) = 0" in text

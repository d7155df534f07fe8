"""A pack on a whole engine: made as one, recorded, and refused as one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from voltstream.cli.pack_install import install
from voltstream.cli.pack_skeleton import write_skeleton
from voltstream.cli.pack_trial import Trial, Trials, failure
from voltstream.cli.packs import Pack, Panel, read_pack
from voltstream.core.errors import DuplicateObject, UndefinedObject, VoltstreamError

START = datetime(2026, 3, 2, 8, tzinfo=UTC)


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Trial]:
    made = Trial(tmp_path / "data", START)
    yield made
    made.close()


def skeleton(tmp_path: Path, name: str = "solar") -> Pack:
    write_skeleton(tmp_path / name)
    return read_pack(tmp_path / name)


def test_pack_is_made_in_its_schema_and_recorded(engine: Trial, tmp_path: Path) -> None:
    pack = skeleton(tmp_path)
    broken = replace(pack, files=(*pack.files, ("030_more.sql", "\nSELECT 1;\nSELECT nothing;")))
    with pytest.raises(VoltstreamError) as caught:
        install(engine.door, broken)
    assert caught.value.sqlstate == "42703"
    assert "030_more.sql, line 3" in (caught.value.detail or "")
    with pytest.raises(VoltstreamError):  # All or nothing.
        engine.door.ask("SELECT * FROM solar.sites")

    install(engine.door, pack)
    columns = "pack, version, schema_name, installed_at"
    assert engine.door.ask(f"SELECT {columns} FROM installed_packs")[1] == [
        ("solar", "0.1.0", "solar", "2026-03-02 08:00:00+00")
    ]
    assert engine.door.ask("SELECT * FROM solar.sites")[1] == [("north", "Oslo")]
    with pytest.raises(DuplicateObject, match="already installed, in version"):
        install(engine.door, pack)

    engine.push("solar.site_power", [{"site": "north", "power_kw": 60, "event_ts": START}])
    seen = "SELECT site FROM solar.sites_above_limit"
    assert engine.door.ask(seen)[1] == [("north",)]
    engine.door.ask("UPDATE solar.solar_parameters SET limit_kw = 70")
    assert engine.door.ask(seen)[1] == []
    for wrong, sqlstate in (
        ("UPDATE solar.solar_parameters SET limit_kw = 'high'", "22P02"),
        ("INSERT INTO solar.solar_parameters (pack) VALUES ('other')", "23514"),
    ):
        with pytest.raises(VoltstreamError) as refused:
            engine.door.ask(wrong)
        assert refused.value.sqlstate == sqlstate

    above = replace(
        pack,
        name="roof",
        schema="roof",
        requires={"solar": "0.2.0"},
        files=(("1.sql", "CREATE VIEW v AS SELECT site FROM sites_above_limit"),),
        seeds=(),
    )
    with pytest.raises(UndefinedObject, match=r'"solar" 0\.2\.0, installed is 0\.1\.0'):
        install(engine.door, above)
    with pytest.raises(UndefinedObject, match="not installed"):
        install(engine.door, replace(above, requires={"wind": "0.1.0"}))
    install(engine.door, replace(above, requires={"solar": "0.1.0"}))
    assert engine.door.ask("SELECT * FROM roof.v")[1] == []


def test_failing_test_and_panel_are_told_with_their_place(tmp_path: Path) -> None:
    pack = skeleton(tmp_path)
    [(name, text)] = pack.tests
    with Trials(replace(pack, panels=(Panel(title="Odd", sql="SELECT nothing"),))) as trials:
        spoilt = text.replace("north | Oslo | 60", "north | Oslo | 61")
        wrong = failure(lambda: trials.run(name, spoilt))
        odd = failure(trials.run_panels)
    assert wrong is not None
    assert "seen:\nsite  | city | power_kw\nnorth | Oslo | 60\n" in (wrong.detail or "")
    assert (wrong.detail or "").endswith("tests/limit.toml, step 1")
    assert odd is not None
    assert 'panel "Odd"' in (odd.detail or "")

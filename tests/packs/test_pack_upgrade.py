"""An upgrade: what changed is applied, rows stay, and what cannot be altered is refused by name."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from voltstream.cli.pack_changes import NotUpgradable, changes
from voltstream.cli.pack_install import install
from voltstream.cli.pack_skeleton import write_skeleton
from voltstream.cli.pack_trial import Trial
from voltstream.cli.pack_upgrade import upgrade
from voltstream.cli.packs import Pack, Parameter, load_pack, read_pack
from voltstream.core.errors import UndefinedObject

START = datetime(2026, 3, 2, 8, tzinfo=UTC)


@pytest.fixture
def pack(tmp_path: Path) -> Pack:
    write_skeleton(tmp_path / "solar")
    return read_pack(tmp_path / "solar")


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Trial]:
    made = Trial(tmp_path / "data", START)
    yield made
    made.close()


def edited(pack: Pack, old: str, new: str) -> Pack:
    assert any(old in text for _, text in pack.files)
    return replace(pack, files=tuple((name, text.replace(old, new)) for name, text in pack.files))


def added(pack: Pack, text: str) -> Pack:
    return replace(pack, files=(*pack.files, ("030_more.sql", text)))


def test_layout_alone_changes_nothing(pack: Pack) -> None:
    found = changes(edited(pack, "    city  VARCHAR", "  city VARCHAR -- a town"), pack.files)
    assert (found.changed, found.gone, found.kept, found.fresh) == (set(), set(), [], set())


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("city  VARCHAR", "city  INTEGER", "table sites: its definition changed"),
        ("power_kw  DOUBLE", "kw  DOUBLE", "source site_power: its definition changed"),
        ("SET x", "SET y", "030_more.sql, line 1: a statement that has run"),
        ("UPDATE sites SET x = 1;", "", "030_more.sql, line 1: a statement that has run"),
    ],
)
def test_what_cannot_be_altered_is_named(pack: Pack, old: str, new: str, said: str) -> None:
    before = added(pack, "UPDATE sites SET x = 1;")
    with pytest.raises(NotUpgradable) as caught:
        changes(edited(before, old, new), before.files)
    assert said in (caught.value.detail or "")


def next_version(pack: Pack) -> Pack:
    """Change a view, a comment, a default and a seed; add a column, a view and a parameter."""
    later = edited(pack, "SELECT l.site, s.city,", "SELECT l.site, s.city, s.country, p.margin,")
    later = edited(later, "'Sites by name'", "'Sites, and where they are'")
    return replace(
        later,
        version="0.2.0",
        files=(
            later.files[0],
            ("015_country.sql", "ALTER TABLE sites ADD COLUMN country VARCHAR;"),
            *later.files[1:],
            ("040_count.sql", "CREATE VIEW how_many AS SELECT count(*) AS n FROM sites;"),
        ),
        parameters={
            "limit_kw": pack.parameters["limit_kw"].model_copy(update={"default": 90}),
            "margin": Parameter(type="integer", default=3, doc="Beyond the limit, in kW"),
        },
        seeds=(("sites", "site,city\nnorth,Oslo\nsouth,Malmö\n"),),
    )


def test_changes_are_applied_and_rows_stay(engine: Trial, pack: Pack) -> None:
    with pytest.raises(UndefinedObject, match="not installed"):
        upgrade(engine.door, pack)
    pack = added(pack, "CREATE VIEW above_by_site AS SELECT site FROM sites_above_limit;")
    install(engine.door, pack)
    engine.push("solar.site_power", [{"site": "north", "power_kw": 60, "event_ts": START}])
    engine.door.ask("UPDATE solar.sites SET city = 'Bergen'")
    engine.door.ask("UPDATE solar.solar_parameters SET limit_kw = 40")

    later = next_version(pack)
    assert upgrade(engine.door, later) == [
        "made anew: view above_by_site",
        "made anew: view sites_above_limit",
        "made: view how_many",
        "run: 015_country.sql, line 1",
        "rows added from the seed of sites",
    ]
    ask = engine.door.ask
    assert ask("SELECT site, city, country, margin FROM solar.sites_above_limit")[1] == [
        ("north", "Bergen", None, "3")
    ]
    assert ask("SELECT * FROM solar.above_by_site")[1] == [("north",)]
    assert ask("SELECT site, city FROM solar.sites ORDER BY 1")[1] == [
        ("north", "Bergen"),
        ("south", "Malmö"),
    ]
    assert ask("SELECT limit_kw, margin FROM solar.solar_parameters")[1] == [("40", "3")]
    assert ask("SELECT version, upgraded_at IS NOT NULL FROM installed_packs")[1] == [
        ("0.2.0", "t")
    ]
    comments = "SELECT obj_description('solar.sites'::regclass)"
    assert ask(comments)[1] == [("Sites, and where they are",)]
    assert upgrade(engine.door, later) == []

    with pytest.raises(NotUpgradable, match="newer than"):
        upgrade(engine.door, pack)
    with pytest.raises(NotUpgradable, match="cannot move"):
        upgrade(engine.door, replace(later, schema="public"))
    text = Parameter(type="text", default="3", doc="")
    with pytest.raises(NotUpgradable, match="cannot become text"):
        upgrade(engine.door, replace(later, parameters={**later.parameters, "margin": text}))

    ask("CREATE VIEW mine AS SELECT site FROM solar.above_by_site")
    fewer = edited(later, " p.margin,", "")
    fewer = replace(fewer, parameters={"limit_kw": later.parameters["limit_kw"]})
    with pytest.raises(NotUpgradable) as caught:
        upgrade(engine.door, fewer)
    assert "view public.mine reads view solar.above_by_site" in (caught.value.detail or "")
    ask("DROP VIEW mine")
    fewer = replace(fewer, files=tuple(one for one in fewer.files if "more" not in one[0]))
    assert upgrade(engine.door, fewer) == [
        "made anew: view sites_above_limit",
        "dropped: view above_by_site",
    ]
    assert ask("SELECT * FROM solar.solar_parameters")[0] == ["pack", "limit_kw"]


def test_meters_of_an_installed_pack_get_places(engine: Trial) -> None:
    """The ami pack's registry and the first view over it: the others add time, not columns."""
    shipped = load_pack("ami")
    files = dict(shipped.files)
    view = files["040_load.sql"].partition(";\n")[0] + ";"
    names = ("020_registry.sql", "021_places.sql", "025_reference.sql")
    later = replace(
        shipped, files=(*((name, files[name]) for name in names), ("040_load.sql", view)), panels=()
    )
    before = replace(
        later, version="0.3.0", files=tuple(one for one in later.files if one[0] != names[1])
    )
    install(engine.door, before)
    ask = engine.door.ask
    ask(
        "INSERT INTO ami.meter_registry (meter_id, valid_from, transformer_id)"
        " VALUES ('M1', '2026-01-01', 'T1')"
    )
    assert upgrade(engine.door, later) == [
        "run: 021_places.sql, line 3",
        "run: 021_places.sql, line 4",
    ]
    ask("UPDATE ami.meter_registry SET lon = 11.4, lat = 53.6 WHERE meter_id = 'M1'")
    ask(
        "INSERT INTO ami.meter_registry (meter_id, valid_from, transformer_id)"
        " VALUES ('M2', '2026-01-01', 'T1')"
    )
    assert ask("SELECT meter_id, lon, lat FROM ami.meter_registry ORDER BY 1")[1] == [
        ("M1", "11.4", "53.6"),
        ("M2", None, None),
    ]
    assert ask("SELECT meter_id, nominal_v FROM ami.located_meters ORDER BY 1")[1] == [
        ("M1", "230"),
        ("M2", "230"),
    ]
    assert upgrade(engine.door, later) == []

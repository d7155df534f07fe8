"""A pack as written: what a manifest may say, and what a seed and a test may hold."""

from __future__ import annotations

from pathlib import Path

import pytest

from voltstream.cli.pack_install import installation
from voltstream.cli.pack_skeleton import write_skeleton
from voltstream.cli.pack_trial import compare, requirements
from voltstream.cli.packs import Pack, find_pack, read_pack, seed_rows
from voltstream.core.errors import InvalidParameter, SyntaxFault, UndefinedObject


@pytest.fixture
def solar(tmp_path: Path) -> Path:
    write_skeleton(tmp_path / "solar")
    return tmp_path / "solar"


def edited(folder: Path, old: str, new: str, file: str = "pack.toml") -> Path:
    text = (folder / file).read_text(encoding="utf-8")
    assert old in text
    (folder / file).write_text(text.replace(old, new), encoding="utf-8")
    return folder


def test_skeleton_is_a_pack_of_its_own_schema(solar: Path) -> None:
    pack = find_pack(str(solar))
    assert (pack.name, pack.schema, pack.parameters_table) == (
        "solar",
        "solar",
        "solar_parameters",
    )
    assert pack.parameters["limit_kw"].default_text == "50"
    assert [table for table, _ in pack.seeds] == ["sites"]


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('version = "0.1.0"', 'version = "1"', "pack.version"),
        ('name = "solar"', 'name = "So lar"', "pack.name"),
        ("[[panel]]", "[[pannel]]", "pannel"),
        ('type = "double precision"', "", "parameters.limit_kw.type"),
        ('"010_sources.sql", ', '"999_none.sql", ', "999_none.sql"),
        ("[pack]", "[pack", "pack.toml"),
    ],
)
def test_manifest_that_is_wrong_is_refused_by_name(
    solar: Path, old: str, new: str, said: str
) -> None:
    with pytest.raises(InvalidParameter) as caught:
        read_pack(edited(solar, old, new))
    assert said in f"{caught.value.message} {caught.value.detail}"


def test_unknown_pack_is_told_with_the_known_ones(tmp_path: Path) -> None:
    with pytest.raises(UndefinedObject) as caught:
        find_pack(str(tmp_path / "none"))
    assert "ocpp" in (caught.value.hint or "")


def test_skeleton_overwrites_nothing(solar: Path) -> None:
    with pytest.raises(InvalidParameter, match="not empty"):
        write_skeleton(solar)
    with pytest.raises(InvalidParameter, match="cannot be the name"):
        write_skeleton(solar.parent / "Solar Roof")


def test_statement_that_does_not_parse_is_told_with_its_file(solar: Path) -> None:
    (solar / "020_views.sql").write_text("SELECT 1;\nCREATE VIEW AS", encoding="utf-8")
    with pytest.raises(SyntaxFault) as caught:
        installation(read_pack(solar))
    assert "020_views.sql" in (caught.value.detail or "")


def test_steps_say_where_they_are_written(solar: Path) -> None:
    steps = installation(read_pack(solar))
    assert [one.where for one in steps if one.text.startswith("CREATE TABLE sites")] == [
        "010_sources.sql, line 7"
    ]


def test_seed_has_cells_for_its_heading() -> None:
    assert seed_rows("t", 'a,b\n1,\n"x,y",2\n') == (["a", "b"], [["1", None], ["x,y", "2"]])
    with pytest.raises(InvalidParameter, match="line 3"):
        seed_rows("t", "a,b\n1,2\n3\n")
    with pytest.raises(InvalidParameter, match="no line"):
        seed_rows("t", "")


def test_packs_in_a_circle_are_refused(solar: Path) -> None:
    write_skeleton(solar.parent / "wind")
    edited(
        solar.parent / "wind", '# requires = { ocpp = "0.1.0" }', 'requires = { solar = "0.1.0" }'
    )
    wind = read_pack(solar.parent / "wind")
    assert [one.name for one in requirements(wind)] == ["solar"]
    edited(solar, '# requires = { ocpp = "0.1.0" }', 'requires = { wind = "0.1.0" }')
    with pytest.raises(InvalidParameter, match="requires itself"):
        requirements(wind)


ROWS: list[tuple[str | None, ...]] = [("b", None), ("a", "0.30000000000000004")]


def test_rows_are_compared_without_order_unless_asked() -> None:
    expect = "k | v\na | 0.3\nb | NULL\n"
    compare("SELECT k, v FROM t", expect, ["k", "v"], ROWS)
    with pytest.raises(InvalidParameter) as caught:
        compare("SELECT k, v FROM t ORDER BY k DESC", expect, ["k", "v"], ROWS)
    assert caught.value.detail == (
        "seen:\nk | v\nb | NULL\na | 0.30000000000000004\nexpected:\nk | v\na | 0.3\nb | NULL"
    )


@pytest.mark.parametrize(
    "expect", ["k | v\na | 0.3", "k\na\nb", "k | w\na | 0.3\nb | NULL", "k | v\na | 0.4\nb | NULL"]
)
def test_rows_that_differ_are_found(expect: str) -> None:
    with pytest.raises(InvalidParameter):
        compare("SELECT k, v FROM t", expect, ["k", "v"], ROWS)


def test_pack_of_a_folder_is_not_taken_for_a_shipped_one(solar: Path) -> None:
    pack: Pack = find_pack(f"{solar}/")
    assert pack.folder.name == "solar"

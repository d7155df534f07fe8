"""A catalog as a project of dbt: its files, and what dbt makes of them on our own port."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import psycopg
import pytest
from typer.testing import CliRunner

from voltstream.cli.app import app
from voltstream.cli.definitions import studied
from voltstream.core.errors import InvalidParameter, UndefinedSchema
from voltstream.deploy.dbt_models import models_of
from voltstream.deploy.dbt_project import dbt_project
from voltstream.deploy.export_folder import LIST, write_folder
from voltstream.deploy.yaml_text import Value, yaml_text

GOLDEN = Path(__file__).parent / "golden" / "dbt"
DBT = Path(__file__).parents[2] / ".venv" / "dbt" / "bin" / "python"
# The second run meets what the first has made. One process: dbt starts longer than it runs here.
RUN = """
import sys
from dbt.cli.main import dbtRunner
for verb in ("build", "run"):
    done = dbtRunner().invoke(["--no-use-colors", verb, "--profiles-dir", "."])
    if not done.success:
        sys.exit(f"{verb}: {done.exception}")
"""
CATALOG = """
CREATE TABLE site (site_id INT PRIMARY KEY, meter_no VARCHAR NOT NULL, "Kw limit" NUMERIC NOT NULL)
CREATE TABLE tariff (site_id INT, valid_from DATE, price NUMERIC, PRIMARY KEY (site_id, valid_from))
CREATE SOURCE reading (site_id INT, at TIMESTAMP, kwh DOUBLE PRECISION, WATERMARK FOR at AS at)
CREATE SCHEMA ops
CREATE VIEW known AS SELECT r.site_id, site.meter_no, r.at, r.kwh /* of site, not {{ site }} */
FROM reading AS r JOIN public.site ON site.site_id = r.site_id WHERE meter_no <> '{% raw %} site'
CREATE MATERIALIZED VIEW per_site (place, total) AS
WITH site AS (SELECT site_id, kwh FROM known) SELECT site_id, sum(kwh) FROM site GROUP BY site_id
CREATE INDEX per_site_total ON per_site (total)
CREATE MATERIALIZED VIEW ops.per_site AS SELECT site_id, window_start, sum(kwh) AS kwh
FROM TUMBLE(reading, at, INTERVAL '15 minutes') GROUP BY site_id, window_start EMIT ON WINDOW CLOSE
CREATE INDEX windows ON ops.per_site (site_id, window_start)
CREATE MATERIALIZED VIEW "Paid" AS SELECT p.place, p.total * t.price AS due
FROM per_site p JOIN tariff t ON t.site_id = p.place
COMMENT ON TABLE site IS 'Where meters are: "A" & {{ B }}'
COMMENT ON COLUMN site.meter_no IS 'As on the meter''s plate'
COMMENT ON MATERIALIZED VIEW per_site IS 'Energy of each site'
CREATE SINK outside FROM per_site WITH (connector = 'blackhole')
"""
STATEMENTS = CATALOG.strip().replace("\nFROM", " FROM").replace("\nWITH", " WITH").splitlines()


@pytest.fixture(scope="module")
def project() -> dict[str, str]:
    with studied(STATEMENTS) as found:
        return dbt_project(found.catalog, "grid", "volt", "volt")


def test_files_of_a_project(project: dict[str, str]) -> None:
    """Write them anew with VOLTSTREAM_GOLDEN=write, then read them."""
    if os.environ.get("VOLTSTREAM_GOLDEN") == "write":
        shutil.rmtree(GOLDEN, ignore_errors=True)
        write_folder(GOLDEN, project)
        (GOLDEN / LIST).unlink()
    kept = {
        path.relative_to(GOLDEN).as_posix(): path.read_text(encoding="utf-8")
        for path in GOLDEN.rglob("*")
        if path.is_file()
    }
    assert project == kept


@pytest.mark.skipif(not DBT.exists(), reason="dbt is not installed")
def test_dbt_makes_the_views_in_a_schema_of_its_own(address: str, tmp_path: Path) -> None:
    parts = dict(pair.split("=") for pair in address.split())
    with psycopg.connect(address, autocommit=True) as connection:
        for text in STATEMENTS:
            connection.execute(text.encode())
        connection.execute("INSERT INTO site VALUES (1, 'a', 5), (2, 'b', 5)")
        connection.execute("INSERT INTO tariff VALUES (1, '2026-01-01', 2), (1, '2026-02-01', 3)")
        url = f"postgres://al@{parts['host']}:{parts['port']}/{parts['dbname']}"
        wanted = ["export", "dbt", "--url", url, "--out", str(tmp_path), "--name", "grid"]
        written = CliRunner().invoke(app, wanted, catch_exceptions=False)
        assert "4 models are in" in written.output
        (tmp_path / "profiles.yml").write_text((tmp_path / "profiles.example.yml").read_text())
        environment = {"VOLTSTREAM_PORT": parts["port"], "DO_NOT_TRACK": "1"}
        done = subprocess.run(
            [DBT, "-c", RUN], cwd=tmp_path, capture_output=True, text=True, check=False,
            timeout=240, env={**os.environ, **environment},
        )  # fmt: skip
        assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-2000:]
        for said in ("PASS=11 WARN=0 ERROR=0", "PASS=4 WARN=0 ERROR=0", "4 models, 7 data tests"):
            assert said in done.stdout, done.stdout[-5000:]
        connection.execute("INSERT INTO reading VALUES (1, '2026-01-01 00:05', 1.5)")
        connection.execute("INSERT INTO reading VALUES (1, '2026-01-01 00:20', 2)")
        for ours, theirs in (
            ("public.per_site", "dbt.per_site"),
            ("ops.per_site", "dbt_ops.per_site"),
            ('public."Paid"', 'dbt."Paid"'),
        ):
            query = f"SELECT * FROM {ours} ORDER BY 1, 2", f"SELECT * FROM {theirs} ORDER BY 1, 2"
            rows, made = (connection.execute(one.encode()).fetchall() for one in query)
            assert rows == made != []
        indexed = connection.execute(
            "SELECT schemaname, indexdef LIKE '%(total)' FROM pg_indexes "
            "WHERE schemaname IN ('dbt', 'dbt_ops') ORDER BY 1"
        ).fetchall()
        assert indexed == [("dbt", True), ("dbt_ops", False)]


def test_a_folder_is_written_again_but_not_over_others(tmp_path: Path) -> None:
    folder = tmp_path / "made"
    assert write_folder(folder, {"a.sql": "a", "models/b.sql": "b"}) == 2
    (folder / "profiles.yml").write_text("of the user")
    (folder / "target").mkdir()
    (folder / "target" / "manifest.json").write_text("of dbt")
    assert write_folder(folder, {"a.sql": "a", "models/b.sql": "b"}) == 0
    assert write_folder(folder, {"a.sql": "a2"}) == 2  # One is other, one is gone.
    assert not (folder / "models" / "b.sql").exists()
    assert set(json.loads((folder / LIST).read_text())) == {"a.sql"}
    (folder / LIST).unlink()  # Stopped before its end: what it would write is not of others.
    assert write_folder(folder, {"a.sql": "a2"}) == 0

    (folder / "a.sql").write_text("edited")
    with pytest.raises(InvalidParameter, match=r"not as an export wrote them: a\.sql"):
        write_folder(folder, {"a.sql": "a3", "c.sql": "c"})
    (folder / "a.sql").write_text("a2")
    (folder / "notes.md").write_text("mine")
    with pytest.raises(InvalidParameter, match=r"not as an export wrote them: notes\.md"):
        write_folder(folder, {"a.sql": "a3", "c.sql": "c"})
    assert (folder / "a.sql").read_text() == "a2" and not (folder / "c.sql").exists()


def test_a_project_needs_a_name_of_dbts() -> None:
    with studied([]) as found, pytest.raises(InvalidParameter, match="name of a dbt project"):
        dbt_project(found.catalog, "my-grid", "volt", "volt")


def test_a_renamed_relation_is_referred_to_by_its_name_and_read_by_the_old() -> None:
    with studied([
        "CREATE TABLE old (a INT)", "CREATE VIEW v AS SELECT old.a, 'old' AS b FROM old",
        "ALTER TABLE old RENAME TO young", 'CREATE VIEW "v w" AS SELECT * FROM v',
    ]) as found:  # fmt: skip
        first, second = models_of(found.catalog, ("public",))
    assert first.text.splitlines()[-1] == (
        'SELECT old.a, \'old\' AS b FROM {{ source("public", "young") }} AS old'
    )
    assert second.path == "models/public/v_w.sql"
    assert second.text == (
        '{{ config(materialized="view", alias="v w") }}\n\nSELECT * FROM {{ ref("v") }}\n'
    )


def test_views_of_other_schemas_are_sources_where_they_are_read() -> None:
    with studied([
        "CREATE TABLE t (a INT)", "CREATE SCHEMA dbt", "CREATE VIEW dbt.v AS SELECT a FROM t",
        "CREATE VIEW dbt.unread AS SELECT a FROM t", "CREATE VIEW w AS SELECT a FROM dbt.v",
    ]) as found:  # fmt: skip
        made = dbt_project(found.catalog, "grid", "volt", "volt", ("public",))
        with pytest.raises(UndefinedSchema, match='"elsewhere" does not exist'):
            dbt_project(found.catalog, "grid", "volt", "volt", ("elsewhere",))
    assert [path for path in made if path.endswith("w.sql")] == ["models/public/w.sql"]
    assert made["models/public/w.sql"].endswith('FROM {{ source("dbt", "v") }}\n')
    sources = made["models/sources.yml"]
    assert '- name: "v"' in sources and '- name: "t"' in sources
    assert "unread" not in "".join(made.values())


def test_yaml_is_read_as_it_was_meant() -> None:
    yaml: Any = pytest.importorskip("yaml", reason="PyYAML is not installed")
    value: dict[str, Value] = {
        "a": "it's \"so\": yes #1\n\x7f\u2028\U0001f50c", "none": [], "empty": {}, "flag": True,
        "list": [{"name": "x", "tests": ["unique", "not_null"]}, {"name": "- y", "held": {"n": 1}}],
    }  # fmt: skip
    assert yaml.safe_load(yaml_text(value)) == value

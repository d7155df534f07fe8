"""What is taken out of a script: done on the target, or refused, never only forgotten."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from voltstream.cli.app import app
from voltstream.cli.definitions import studied
from voltstream.core.errors import InvalidParameter
from voltstream.deploy.drafting import Options
from voltstream.deploy.manifest import changes, deployment_of, save
from voltstream.deploy.script import Script, Target
from voltstream.deploy.targets import script_for

SOURCE = """CREATE SOURCE reads (meter INT, kwh INT) WITH (connector = 'kafka', topic = 'reads',
properties.bootstrap.server = 'kafka:9092') FORMAT PLAIN ENCODE JSON"""
VIEW = "CREATE MATERIALIZED VIEW v AS SELECT meter, sum(kwh) AS kwh FROM reads GROUP BY meter"
METERS = "CREATE TABLE m (time TIMESTAMPTZ NOT NULL, id TEXT NOT NULL, v DOUBLE PRECISION)"
PARTED = "SELECT create_hypertable('m', by_range('time', INTERVAL '1 day'))"
PACKED = "ALTER TABLE m SET (timescaledb.compress, timescaledb.compress_segmentby = 'id')"
DAILY = (
    "CREATE MATERIALIZED VIEW d AS SELECT time_bucket('1 day', time) AS day, max(v) AS v "
    "FROM m GROUP BY 1"
)


def told(target: Target, *statements: str, options: Options | None = None) -> Script:
    with studied(list(statements)) as found:
        return script_for(target, found.catalog, found.reader, options or Options(), ())


def test_a_setting_that_is_taken_out_is_a_difference(tmp_path: Path) -> None:
    file, out = tmp_path / "p.sql", tmp_path / "out"
    file.write_text(f"{SOURCE};\n{VIEW};\n")
    forgetting = told(Target.FLINK, SOURCE, VIEW, options=Options(state_ttl="1 day"))
    planned = changes(deployment_of(forgetting), told(Target.FLINK, SOURCE, VIEW))
    assert (planned.shown, planned.none) == (("- setting table.exec.state.ttl",), False)
    assert changes(deployment_of(forgetting), forgetting).none
    save(out, deployment_of(forgetting))
    shown = CliRunner().invoke(
        app, ["deploy", "diff", "--target", "flink", "-f", str(file), "--out", str(out)]
    )
    assert (shown.exit_code, shown.stdout) == (1, "- setting table.exec.state.ttl\n")


def test_what_cannot_be_taken_back_is_refused() -> None:
    whole = deployment_of(told(Target.TIMESCALEDB, METERS, PARTED, PACKED, DAILY))
    less = {
        "compression public.m": told(Target.TIMESCALEDB, METERS, PARTED, DAILY),
        "hypertable public.m": told(Target.TIMESCALEDB, METERS, DAILY),
    }
    for label, script in less.items():
        with pytest.raises(InvalidParameter, match="cannot be taken back") as error:
            changes(whole, script)
        assert label in error.value.message and "destroy" in str(error.value.hint)


def test_what_belongs_to_something_goes_with_it() -> None:
    whole = deployment_of(told(Target.TIMESCALEDB, METERS, PARTED, DAILY))
    planned = changes(whole, told(Target.TIMESCALEDB, METERS, PARTED))
    assert planned.shown == ("- continuous aggregate public.d", "- policy public.d")
    assert planned.undone == ('DROP MATERIALIZED VIEW IF EXISTS "d"',)

"""The views that packs show in their panels, and all that these read, on other engines.

Write the golden files anew with VOLTSTREAM_GOLDEN=write, then read them.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator

import pytest
import sqlglot

from tests.cluster.conftest import ASKED
from tests.deploy.test_generated import GOLDEN, OPTIONS
from voltstream.cli.definitions import Studied, studied
from voltstream.cli.pack_install import installation
from voltstream.cli.packs import Pack, load_pack
from voltstream.deploy.drafting import Options
from voltstream.deploy.printing import script_text
from voltstream.deploy.script import Script, Target
from voltstream.deploy.targets import script_for

_READ = re.compile(r"\bFROM ([a-z_0-9]+)")
_PARSED = ("table", "view", "materialized view", "index", "schema")


@pytest.fixture(scope="module", params=["ocpp", "ami"])
def installed(request: pytest.FixtureRequest) -> Iterator[tuple[Pack, Studied]]:
    if not os.environ.get(ASKED):
        pytest.skip("studies whole packs, 20 s each: make test-cluster")
    pack = load_pack(request.param)
    with studied(["BEGIN", *(one.text for one in installation(pack)), "COMMIT"]) as found:
        yield pack, found


def told(installed: tuple[Pack, Studied], target: Target, options: Options) -> Script:
    """Return what a target is told of the views of a pack's panels."""
    pack, found = installed
    views = sorted({name for panel in pack.panels for name in _READ.findall(panel.sql)})
    return script_for(target, found.catalog, found.reader, options,
                      [name for name in views if name != "alerts"])  # fmt: skip


def test_packs_are_written_and_what_is_written_is_grammar(
    installed: tuple[Pack, Studied],
) -> None:
    name = installed[0].name
    script = told(installed, Target.RISINGWAVE, OPTIONS)
    for statement in script.statements:
        if statement.kind in _PARSED:
            # What only RisingWave's own parser knows is left out.
            text = statement.text.partition(") APPEND ONLY")[0]
            text += ")" * (text != statement.text)
            parsed = sqlglot.parse_one(text, read="risingwave")
            assert not isinstance(parsed, sqlglot.exp.Command), statement.text
    _golden(f"pack_{name}.risingwave.sql", script)

    script = told(installed, Target.TIMESCALEDB, OPTIONS)
    _golden(f"pack_{name}.timescaledb.sql", script)


def _golden(name: str, script: Script) -> None:
    file, text = GOLDEN / name, script_text(script)
    if os.environ.get("VOLTSTREAM_GOLDEN") == "write":
        file.write_text(text)
    assert text == file.read_text()

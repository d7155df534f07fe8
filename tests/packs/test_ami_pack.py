"""The ami pack as installed: nothing is recomputed as a whole, and everything is described."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from tests.driver import begun
from voltstream.cli.address import DATABASE, USER
from voltstream.cli.demo_screen import ask
from voltstream.cli.pack_install import installation
from voltstream.cli.packs import load_pack
from voltstream.connectors.registry import ConnectorRegistry
from voltstream.core.clock import ManualClock
from voltstream.runtime.instance import Instance
from voltstream.runtime.options import EngineOptions

UNDESCRIBED = """
SELECT c.relname, a.attname
FROM pg_class AS c
JOIN pg_namespace AS n ON n.oid = c.relnamespace AND n.nspname = 'ami'
JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum > 0
LEFT JOIN pg_description AS d ON d.objoid = c.oid AND d.objsubid = a.attnum
WHERE d.description IS NULL AND c.relkind <> 'i' AND a.attname <> 'pack'
"""


def test_views_follow_changes_and_every_column_is_described(tmp_path: Path) -> None:
    clock = ManualClock()
    clock.set(datetime(2026, 3, 2, 8, tzinfo=UTC))
    instance = Instance(begun(tmp_path), EngineOptions(), clock, ConnectorRegistry(None))
    instance.start()
    session = instance.open(database=DATABASE, user=USER, options={})
    try:
        texts = ["BEGIN", *(step.text for step in installation(load_pack("ami"))), "COMMIT"]
        notices = [
            (text.split(" AS")[0], notice.message)
            for text in texts
            for statement in session.parse(text)
            for notice in session.execute(statement).notices
        ]
        assert notices == []
        described = "SELECT count(*) FROM pg_description"
        assert int(str(ask(session, described)[0][0])) > 300
        assert ask(session, UNDESCRIBED) == []
    finally:
        session.close()
        instance.stop()


def test_manifest_names_every_file_once() -> None:
    pack = load_pack("ami")
    assert sorted(name for name, _ in pack.files) == sorted(
        path.name for path in pack.folder.glob("*.sql")
    )

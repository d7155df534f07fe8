"""What other sessions see of a definition while it is being made."""

from __future__ import annotations

import threading
import time

import psycopg

SLOW = (
    "CREATE MATERIALIZED VIEW slow AS SELECT n % 200000 AS k, count(*) AS c, "
    "count(DISTINCT md5(n::varchar)) AS d FROM many GROUP BY n % 200000"
)


def test_a_long_definition_is_seen_until_it_is_made(address: str) -> None:
    with (
        psycopg.connect(address, autocommit=True) as maker,
        psycopg.connect(address, autocommit=True) as watcher,
    ):
        maker.execute("CREATE TABLE many (n bigint)")
        maker.execute("INSERT INTO many SELECT * FROM generate_series(1, 400000)")
        asked = "SELECT ddl_id, ddl_statement, progress, initialized_at FROM rw_ddl_progress"
        assert watcher.execute(asked).fetchall() == []
        making = threading.Thread(target=maker.execute, args=(SLOW,))
        making.start()
        seen: list[tuple[object, ...]] = []
        until_s = time.monotonic() + 60
        while making.is_alive() and not seen and time.monotonic() < until_s:
            seen = watcher.execute(asked).fetchall()
        making.join()
        assert [(one[0], one[1]) for one in seen] == [(maker.info.backend_pid, SLOW)]
        assert str(seen[0][2]).startswith("running for ")
        assert watcher.execute(asked).fetchall() == []
        assert watcher.execute("SELECT count(*) FROM slow").fetchone() == (200_000,)

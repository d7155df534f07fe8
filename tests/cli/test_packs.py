"""`voltstream pack` as a person runs it."""

from __future__ import annotations

import signal
from pathlib import Path

from tests.cli.test_verbs import run, start


def test_own_pack_is_begun_tested_and_installed(tmp_path: Path) -> None:
    folder = str(tmp_path / "solar")
    assert run("pack", "new", folder).returncode == 0
    tried = run("pack", "test", folder)
    assert tried.stdout == "tests/limit.toml: ok\n1 panels: ok\n", tried.stderr
    shown = run("pack", "show", folder).stdout
    assert "limit_kw double precision, 50: Power above which a site is listed, in kW" in shown
    assert "materialized view sites_above_limit: Sites whose latest power" in shown

    server = start(tmp_path / "data")
    port = ("--pg-port", server.pg_port)
    try:
        assert run("pack", "list", *port).stdout == (
            "pack\tshipped\tinstalled\tschema\nami\t0.4.0\t\\N\tami\n"
            "grid\t0.1.0\t\\N\tgrid\nocpp\t0.3.0\t\\N\tpublic\n"
        )
        made = run("pack", "install", folder, *port)
        assert made.stdout == "solar 0.1.0 is installed in schema solar.\n", made.stderr
        again = run("pack", "install", folder, *port)
        assert again.returncode == 1
        assert "already installed" in again.stderr
        views = tmp_path / "solar" / "020_views.sql"
        views.write_text(views.read_text().replace("l.power_kw >", "l.power_kw >="))
        changed = run("pack", "upgrade", folder, *port)
        assert changed.stdout == (
            "made anew: view sites_above_limit\nsolar is now in version 0.1.0.\n"
        ), changed.stderr
        assert run("pack", "list", *port).stdout.endswith("solar\t\\N\t0.1.0\tsolar\n")
    finally:
        server.stop(signal.SIGTERM)
        if server.process.stdout is not None:
            server.process.stdout.close()

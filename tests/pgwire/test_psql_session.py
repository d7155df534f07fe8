"""One long session of psql, command after command, as it is printed.

To write what is expected anew: VOLTSTREAM_GOLDEN=write. Read it line by line then.
"""

from __future__ import annotations

import os
import pty
import re
import shutil
import subprocess
import time
from pathlib import Path

import psycopg
import pytest

HERE = Path(__file__).parent
EXPECTED = HERE / "psql_session.out"
# What differs from run to run: ports, instants, times, and numbers made from names.
_MASKED = (
    (re.compile(r'at port "\d+"'), 'at port "…"'),
    (re.compile(r"port \d+ failed"), "port … failed"),
    (re.compile(r"Time: [\d.,]+ ms.*"), "Time: …"),
    (re.compile(r"^\w{3} \w{3} +\d+ [\d:]+ \d{4} \(every"), "… (every"),
    (re.compile(r"^LOCATION:.*"), "LOCATION: …"),
)

pytestmark = pytest.mark.skipif(shutil.which("psql") is None, reason="psql is not installed")


def _as_volt(address: str) -> str:
    return address.replace("user=al", "user=volt")


def _masked(line: str) -> str:
    for pattern, shown in _MASKED:
        line = pattern.sub(shown, line)
    return line.rstrip()


def test_a_long_session(address: str) -> None:
    told = subprocess.run(["psql", "--version"], capture_output=True, text=True, check=True)
    if "(PostgreSQL) 15." not in told.stdout:
        pytest.skip("what is expected was printed by psql 15")
    done = subprocess.run(
        ["psql", "-X", "-a", _as_volt(address)],
        input=(HERE / "psql_session.sql").read_text(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        timeout=120,
        cwd=HERE,
        env={**os.environ, "LC_ALL": "C.UTF-8", "TZ": "UTC", "COLUMNS": "100"},
    )
    printed = "\n".join(map(_masked, done.stdout.splitlines())) + "\n"
    if os.environ.get("VOLTSTREAM_GOLDEN") == "write":
        EXPECTED.write_text(printed)
    assert printed == EXPECTED.read_text()


def test_a_password_is_changed_at_the_terminal(address: str) -> None:
    with psycopg.connect(_as_volt(address), autocommit=True) as session:
        session.execute("CREATE ROLE keeper LOGIN")
    child, terminal = pty.fork()
    if child == 0:
        os.execvp("psql", ["psql", "-X", "-q", _as_volt(address)])
    said = b""
    try:
        for awaited, answer in (
            (b"=#", b"\\password keeper\n"),
            (b"Enter new password", b"first pencil\n"),
            (b"Enter it again", b"first pencil\n"),
            (b"=#", b"\\q\n"),
        ):
            at = len(said)
            deadline = time.monotonic() + 20
            while awaited not in said[at:] and time.monotonic() < deadline:
                said += os.read(terminal, 4096)
            os.write(terminal, answer)
    finally:
        os.close(terminal)
        os.waitpid(child, 0)
    assert b"ERROR" not in said, said.decode()
    assert b"pencil" not in said  # Neither shown nor sent: what comes is a verifier.
    with psycopg.connect(_as_volt(address), autocommit=True) as session:
        [(verifier,)] = session.execute(
            "SELECT rolpassword FROM pg_authid WHERE rolname = 'keeper'"
        ).fetchall()
        assert verifier.startswith("SCRAM-SHA-256$4096:")
        keeper = address.replace("user=al", "user=keeper") + " password='first pencil'"
        psycopg.connect(keeper).close()

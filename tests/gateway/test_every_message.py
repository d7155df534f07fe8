"""Every message of a charge point, in every version: answered within its schema, and kept."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from tests.gateway.desk import Desk
from tests.gateway.examples import request
from voltstream.ocpp import schemas
from voltstream.ocpp.versions import Version

TRANSCRIPTS = Path(__file__).parent / "transcripts"
MESSAGES = [
    (version, action)
    for version in Version
    for action in sorted(
        schemas.FROM_CHARGER[version] | (schemas.SENT if version is Version.V21 else set())
    )
]


@pytest.mark.parametrize(("version", "action"), MESSAGES, ids=[f"{v}-{a}" for v, a in MESSAGES])
def test_the_smallest_message_is_answered_and_kept(version: Version, action: str) -> None:
    desk = Desk(version, strict=True)
    payload = request(version, action)
    answer = desk.say(action, 0, **payload)
    assert isinstance(answer, dict), answer
    if action not in schemas.SENT:
        assert schemas.response(version, action).is_valid(answer), answer
    rows = {relation: rows for relation, rows in sorted(desk.rows.items()) if rows}
    kept = [
        {relation: {key: value for key, value in row.items() if value is not None}}
        for relation, found in rows.items()
        for row in found
    ]
    assert kept
    lines = [
        f"> {json.dumps(payload)}",
        f"< {json.dumps(answer)}",
        *(f"= {json.dumps(row)}" for row in kept),
    ]
    transcript = "\n".join(lines) + "\n"
    file = TRANSCRIPTS / version.value / f"{action}.txt"
    if os.environ.get("VOLTSTREAM_GOLDEN") == "write":
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(transcript, encoding="utf-8")
    assert transcript == file.read_text(encoding="utf-8")


def test_no_transcript_is_left_over() -> None:
    names = {file.relative_to(TRANSCRIPTS).as_posix() for file in TRANSCRIPTS.rglob("*.txt")}
    assert names == {f"{version.value}/{action}.txt" for version, action in MESSAGES}

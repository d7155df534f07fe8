"""What chargers write: times, names in URLs, credentials."""

from __future__ import annotations

import base64

import pytest

from voltstream.ocpp.identity import allowed, basic_credentials, charger_id
from voltstream.ocpp.instants import read_instant, spell_instant
from voltstream.ocpp.quality import Quality, names
from voltstream.ocpp.versions import Version

NOW_US = 1_780_000_000_000_000  # 2026-05-28T20:26:40Z


@pytest.mark.parametrize(
    ("text", "spelled", "flags"),
    [
        ("2026-05-01T10:00:00Z", "2026-05-01T10:00:00.000Z", Quality.OK),
        ("2026-05-01t10:00:00z", "2026-05-01T10:00:00.000Z", Quality.OK),
        ("2026-05-01T12:00:00+02:00", "2026-05-01T10:00:00.000Z", Quality.OK),
        ("2026-05-01T12:00:00+0200", "2026-05-01T10:00:00.000Z", Quality.OK),
        ("2026-05-01T04:30:00-05:30", "2026-05-01T10:00:00.000Z", Quality.OK),
        ("2026-05-01T10:00:00.123456789Z", "2026-05-01T10:00:00.123Z", Quality.OK),
        ("2026-05-01T10:00:00,5Z", "2026-05-01T10:00:00.500Z", Quality.OK),
        ("2026-05-01T10:00:00", "2026-05-01T10:00:00.000Z", Quality.TS_NO_ZONE),
        ("2026-05-01 10:00Z", "2026-05-01T10:00:00.000Z", Quality.OK),
        ("2026-04-30T24:00:00Z", "2026-05-01T00:00:00.000Z", Quality.OK),
        ("2016-12-31T23:59:60Z", "2017-01-01T00:00:00.000Z", Quality.OK),
        ("1970-01-01T00:00:07Z", "1970-01-01T00:00:07.000Z", Quality.CLOCK_UNSET),
        ("2099-01-01T00:00:00Z", "2099-01-01T00:00:00.000Z", Quality.CLOCK_UNSET),
        ("0001-01-01T00:00:00+05:00", None, Quality.TS_INVALID),
        ("9999-12-31T23:59:59-05:00", None, Quality.TS_INVALID),
        ("2026-02-30T10:00:00Z", None, Quality.TS_INVALID),
        ("2026-05-01T25:00:00Z", None, Quality.TS_INVALID),
        ("yesterday", None, Quality.TS_INVALID),
        (1_777_777_777, None, Quality.TS_INVALID),
        (None, None, Quality.OK),
    ],
)
def test_times_are_read_and_never_refused(
    text: object, spelled: str | None, flags: Quality
) -> None:
    at_us, found = read_instant(text, NOW_US)
    assert (spell_instant(at_us), found) == (spelled or spell_instant(NOW_US), flags)


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("/ocpp/CP-1", "CP-1"),
        ("/ocpp/CP-1/", "CP-1"),
        ("/CP-1?x=1", "CP-1"),
        ("/a/b/RDAM%20123", "RDAM 123"),
        ("/ocpp/RDAM%7C123", "RDAM|123"),
        ("/", None),
        ("/ocpp/..", None),
        ("/ocpp/a%2Fb", None),
        ("/ocpp/a%00b", None),
        ("/ocpp/%ff", None),
        ("/ocpp/a%0Ab", None),
        ("/ocpp/" + "x" * 300, None),
    ],
)
def test_identities(path: str, name: str | None) -> None:
    assert charger_id(path) == name


def test_identities_of_2_have_a_character_set() -> None:
    assert allowed("x" * 48, Version.V201)
    assert not allowed("x" * 49, Version.V21)
    assert not allowed("a:b", Version.V201)
    assert allowed("a:b", Version.V16)


def test_passwords_are_bytes() -> None:
    raw = bytes(range(200, 220)) + b":x"
    header = "Basic " + base64.b64encode(b"CP:1"[:2] + b":" + raw).decode()
    assert basic_credentials(header) == (b"CP", raw)
    for bad in (
        None,
        "",
        "Bearer x",
        "Basic !!!",
        "Basic " + base64.b64encode(b"nocolon").decode(),
    ):
        assert basic_credentials(bad) is None


def test_flags_have_names_and_fixed_bits() -> None:
    assert names(Quality.LATE | Quality.OFFLINE) == ["LATE", "OFFLINE"]
    assert Quality.CLOCK_UNSET == 1 << 30
    assert Quality.PUBLIC_KEY_CHANGED == 1 << 31

"""What is kept of a password, and what it lets through."""

from __future__ import annotations

from base64 import b64decode

import pytest

from voltstream.core.errors import InvalidParameter
from voltstream.core.passwords import (
    is_password,
    mock_verifier,
    new_token,
    parsed_verifier,
    prepared,
    stored_password,
    token_digest,
    verifier_of,
)
from voltstream.core.redaction import redacted

# The password and the salt of RFC 7677, as PostgreSQL keeps them.
SALT = b64decode("W22ZaJ0SNY7soEsUEjb6gQ==")
KEPT = (
    "SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ==$WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=:"
    "wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU="
)


def test_a_verifier_is_what_postgresql_keeps() -> None:
    made = verifier_of("pencil", SALT)
    assert str(made) == KEPT
    assert parsed_verifier(KEPT) == made


def test_a_password_meets_its_own_verifier_only() -> None:
    verifier = verifier_of("pencil")
    assert is_password("pencil", verifier)
    assert not is_password("Pencil", verifier)
    assert not is_password("", verifier)
    assert verifier_of("pencil").salt != verifier.salt


def test_a_verifier_that_is_given_is_kept() -> None:
    text = str(verifier_of("pencil"))
    assert stored_password(text) == text
    assert stored_password("pencil") != stored_password("pencil")


@pytest.mark.parametrize(
    "text", ["pencil", "SCRAM-SHA-256$4096:?$a:b", "SCRAM-SHA-256$0:YQ==$YQ==:YQ==", "md5abc"]
)
def test_what_is_no_verifier_is_a_password(text: str) -> None:
    assert parsed_verifier(text) is None


def test_an_empty_password_is_refused() -> None:
    with pytest.raises(InvalidParameter):
        verifier_of("")


@pytest.mark.parametrize(
    ("written", "spelled"),
    [  # RFC 4013, section 3, and PostgreSQL's rule for what has no spelling.
        ("I\u00adX", "IX"), ("user", "user"), ("USER", "USER"), ("\u00aa", "a"),
        ("\u2168", "IX"), ("\u0007", "\u0007"), ("\u06271", "\u06271"), ("a\u00a0b", "a b"),
    ],
)  # fmt: skip
def test_a_password_is_spelled_as_saslprep_says(written: str, spelled: str) -> None:
    assert prepared(written) == spelled


def test_who_is_not_there_has_a_verifier_that_stays() -> None:
    assert mock_verifier("al", b"k") == mock_verifier("al", b"k")
    assert mock_verifier("al", b"k").salt != mock_verifier("bo", b"k").salt
    assert len(mock_verifier("al", b"k").salt) == len(verifier_of("x").salt)


def test_a_token_is_kept_as_a_digest() -> None:
    token = new_token()
    assert token.startswith("vst_")
    assert token not in token_digest(token)
    assert new_token() != token


@pytest.mark.parametrize(
    "statement",
    [
        "CREATE USER a PASSWORD 'hush'", "ALTER ROLE a WITH ENCRYPTED PASSWORD 'hu''sh'",
        "CREATE USER a PASSWORD $$hush$$", "CREATE USER a PASSWORD $x$hush$x$ LOGIN",
        "CREATE USER a PASSWORD E'hush'",
    ],
)  # fmt: skip
def test_no_password_is_shown(statement: str) -> None:
    shown = redacted(statement)
    assert "sh" not in shown
    assert "[REDACTED]" in shown


def test_the_name_of_a_secret_is_shown() -> None:
    statement = (
        'CREATE SOURCE s (a INT) WITH (properties.sasl.password = SECRET grid."broker" , '
        "token=secret t, properties.ssl.key.password = 'told') FORMAT PLAIN ENCODE JSON"
    )
    assert redacted(statement) == statement.replace("told", "[REDACTED]")

"""What a startup packet asks for, and the settings every client is told."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from voltstream.core.errors import FeatureNotSupported, InvalidAuthorization, InvalidParameter
from voltstream.core.identity import SERVER_VERSION

_SETTINGS = {
    "server_version": SERVER_VERSION,
    "server_encoding": "UTF8",
    "client_encoding": "UTF8",
    "DateStyle": "ISO, MDY",
    "TimeZone": "UTC",
    "integer_datetimes": "on",
    "standard_conforming_strings": "on",
    "IntervalStyle": "postgres",
    "is_superuser": "on",
    "default_transaction_read_only": "off",
    "in_hot_standby": "off",
}
SHORT_KEY_BYTES = 4  # Of a cancel request in protocol 3.0.
LONG_KEY_BYTES = 32  # In 3.2.


def version_spoken(minor: int) -> int:
    """Return the minor version to speak with a client that offers one: 3.2, or 3.0."""
    return 2 if minor >= 2 else 0


@dataclass(frozen=True, slots=True)
class Credentials:
    """Who wants which database; ``options`` are settings asked for at startup."""

    user: str
    database: str
    options: Mapping[str, str]


def credentials_of(parameters: Mapping[str, str]) -> Credentials:
    """Read a startup packet. Raises: InvalidAuthorization (28000), FeatureNotSupported (0A000)."""
    user = parameters.get("user", "")
    if not user:
        raise InvalidAuthorization("no PostgreSQL user name specified in startup packet")
    if parameters.get("replication", "false").lower() not in ("false", "off", "no", "0"):
        raise FeatureNotSupported("replication connections are not supported")
    options = command_line_settings(parameters.get("options", ""))
    reserved = ("user", "database", "options", "replication")
    options |= {
        name: value
        for name, value in parameters.items()
        if name not in reserved and not name.startswith("_pq_.")
    }
    return Credentials(user, parameters.get("database") or user, options)


def settings_of(reported: Mapping[str, str]) -> dict[str, str]:
    """Return every setting a client must know; the session's own values win."""
    return _SETTINGS | dict(reported)


def command_line_settings(text: str) -> dict[str, str]:
    """Read `-c name=value` and `--name=value`. Raises: InvalidParameter (22023)."""
    words = _words(text)
    settings: dict[str, str] = {}
    while words:
        word = words.pop(0)
        if word == "-c" and words:
            assignment = words.pop(0)
        elif word.startswith(("-c", "--")):
            assignment = word[2:]
        else:
            raise InvalidParameter(f'invalid command-line argument for server process: "{word}"')
        name, equals, value = assignment.partition("=")
        if not equals or not name:
            raise InvalidParameter(f'invalid command-line argument for server process: "{word}"')
        settings[name.replace("-", "_").lower()] = value
    return settings


def _words(text: str) -> list[str]:
    """Split at spaces; a backslash makes the next character plain (PostgreSQL, pg_split_opts)."""
    words: list[str] = []
    word = ""
    letters = iter(text)
    for letter in letters:
        if letter == "\\":
            word += next(letters, "")
        elif letter.isspace():
            if word:
                words.append(word)
            word = ""
        else:
            word += letter
    return [*words, word] if word else words

"""A schema in a file of its own: of the server, or behind an HTTP address."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit

import urllib3
from urllib3.util.retry import Retry

from voltstream.core.errors import InvalidParameter, RegistryUnavailable
from voltstream.core.limits import SCHEMA_BYTES_MAX

WAIT_S = 10.0


def located(place: str, owner: str) -> bytes:
    """Return what a schema's place holds. Raises: RegistryUnavailable, InvalidParameter."""
    parts = urlsplit(place)
    if parts.scheme in ("http", "https"):
        content = _fetched(place, owner)
    elif parts.scheme in ("", "file"):
        content = _read(Path(parts.path if parts.scheme else place), owner)
    else:
        hint = "Name a file of the server, or an http or https address."
        raise InvalidParameter(f'{owner} cannot take "{place}" as "schema.location"', hint=hint)
    if len(content) > SCHEMA_BYTES_MAX:
        raise InvalidParameter(f"{owner}: the schema is longer than {SCHEMA_BYTES_MAX} bytes")
    return content


def _fetched(place: str, owner: str) -> bytes:
    retries = Retry(total=2, backoff_factor=0.2, status_forcelist=(429, 502, 503, 504))
    with urllib3.PoolManager(timeout=WAIT_S, retries=retries) as pool:
        try:
            answer = pool.request("GET", place)
        except urllib3.exceptions.HTTPError as error:
            reason = f"no answer: {type(error).__name__}"
            raise RegistryUnavailable(f"{owner}: its schema cannot be had: {reason}") from error
    if answer.status != 200:
        raise RegistryUnavailable(f"{owner}: its schema cannot be had: answer {answer.status}")
    return answer.data


def _read(path: Path, owner: str) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(SCHEMA_BYTES_MAX + 1)
    except OSError as error:
        message = f'{owner}: its schema "{path}" cannot be read: {error.strerror}'
        raise RegistryUnavailable(message) from error

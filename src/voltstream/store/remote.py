"""Files somewhere else: another directory, or any store that speaks S3's API.

Credentials come from the environment (AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN,
AWS_ENDPOINT, AWS_REGION) and are in no message.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import obstore
from obstore.exceptions import BaseError
from obstore.store import LocalStore, S3Store

from voltstream.core.errors import InvalidParameter, StorageFault
from voltstream.core.limits import REMOTE_TRIES_S

_PIECE_BYTES = 8 * 1024 * 1024


class Remote:
    """A place for whole files under keys. Raises: StorageFault (58000) whatever goes wrong."""

    def __init__(self, url: str, below: str = "") -> None:
        self.url = url
        self._below = below.strip("/")
        self._store: Any = _opened(url)

    def _key(self, key: str) -> str:
        return f"{self._below}/{key}" if self._below else key

    @contextmanager
    def _asking(self, verb: str, key: str) -> Iterator[None]:
        try:
            yield
        except (BaseError, OSError) as error:
            reason = str(error).partition("\n")[0]
            if "not found" in str(error).lower():
                reason = "it is not there"
            raise StorageFault(
                f'cannot {verb} "{key}" in {self.url}: {reason[:300]}',
                hint="Is the store reachable, and are its credentials in the environment?",
            ) from error

    def put(self, key: str, path: Path) -> None:
        with self._asking("write", key):
            obstore.put(self._store, self._key(key), path)

    def write(self, key: str, content: bytes) -> None:
        with self._asking("write", key):
            obstore.put(self._store, self._key(key), content)

    def read(self, key: str) -> bytes:
        with self._asking("read", key):
            return bytes(obstore.get(self._store, self._key(key)).bytes())

    def fetch(self, key: str, path: Path) -> None:
        """Copy a file here. A file under its name is whole."""
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = path.with_name(f"{path.name}.{os.getpid()}.part")
        with self._asking("read", key):
            with partial.open("wb") as file:
                for piece in obstore.get(self._store, self._key(key)).stream(_PIECE_BYTES):
                    file.write(piece)
                file.flush()
                os.fsync(file.fileno())
            partial.replace(path)

    def size(self, key: str) -> int | None:
        """Return a file's bytes; None when it is not there."""
        try:
            return int(obstore.head(self._store, self._key(key))["size"])
        except FileNotFoundError:
            return None
        except (BaseError, OSError) as error:
            if "not found" in str(error).lower():
                return None
            with self._asking("find", key):
                raise

    def delete(self, key: str) -> None:
        if self.size(key) is not None:
            with self._asking("delete", key):
                obstore.delete(self._store, self._key(key))


def _opened(url: str) -> Any:
    """Raises: InvalidParameter (22023)."""
    parts = urlsplit(url)
    if parts.scheme in ("", "file"):
        path = Path(parts.path if parts.scheme else url).absolute()
        return LocalStore(prefix=path, mkdir=True, automatic_cleanup=False)
    if parts.scheme != "s3" or not parts.netloc:
        raise InvalidParameter(
            f'"{parts.scheme}" is not a kind of store',
            hint="Name a directory, or s3://bucket/prefix.",
        )
    if "@" in parts.netloc:
        raise InvalidParameter(
            "a store's address must not hold credentials",
            hint="Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY in the environment.",
        )
    endpoint = os.environ.get("AWS_ENDPOINT") or os.environ.get("AWS_ENDPOINT_URL") or ""
    return S3Store(
        parts.netloc,
        prefix=parts.path.strip("/") or None,
        region=os.environ.get("AWS_REGION", "us-east-1"),
        endpoint=endpoint or None,
        client_options={"allow_http": endpoint.startswith("http://"), "timeout": "60 seconds"},
        retry_config={"max_retries": 3, "retry_timeout": timedelta(seconds=REMOTE_TRIES_S)},
    )

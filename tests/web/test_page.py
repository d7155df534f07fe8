"""The live page: what is shipped is what its sources say, and it needs nobody else."""

from __future__ import annotations

import hashlib
import re
from itertools import accumulate
from pathlib import Path

import pytest
from starlette.applications import Starlette

from tests.web.asgi_client import AsgiClient
from voltstream.web.page import page_routes

ROOT = Path(__file__).parents[2]
SOURCES = ROOT / "page"
ASSETS = ROOT / "src/voltstream/web/assets"


@pytest.fixture
def client() -> AsgiClient:
    return AsgiClient(Starlette(routes=page_routes()))


def files_below(folder: Path) -> list[Path]:
    found: list[Path] = []
    for entry in sorted(folder.iterdir(), key=lambda path: path.name.encode("utf-16-be")):
        found += files_below(entry) if entry.is_dir() else [entry]
    return found


def test_the_build_is_of_these_sources() -> None:
    digest = hashlib.sha256()
    for path in [*files_below(SOURCES / "src"), SOURCES / "package-lock.json"]:
        digest.update(path.relative_to(SOURCES).as_posix().encode() + b"\0")
        digest.update(path.read_bytes() + b"\0")
    shipped = (ASSETS / "sources.sha256").read_text().strip()
    assert shipped == digest.hexdigest(), "the page changed: run `make page`"


def test_the_lock_names_no_registry() -> None:
    assert "resolved" not in (SOURCES / "package-lock.json").read_text()


def test_all_that_the_page_names_is_served(client: AsgiClient) -> None:
    page = client.get("/")
    assert page.status_code == 200
    named = re.findall(r'(?:href|src)="(/[^"]*)"', page.text)
    assert named
    for path in named:
        assert client.get(path).status_code == 200, path


def test_the_land_below_a_map_is_served(client: AsgiClient) -> None:
    answer = client.get("/assets/land.json")
    assert answer.headers["content-type"] == "application/json"
    land = answer.json()
    assert len(answer.content) < 500_000
    # Each line is steps in hundredths of a degree, and stays on the Earth.
    for steps in land["land"] + land["borders"]:
        lons, lats = list(accumulate(steps[::2])), list(accumulate(steps[1::2]))
        assert len(lons) == len(lats) >= 2
        assert max(map(abs, lons)) <= 18_000
        assert max(map(abs, lats)) <= 9_000


def test_the_page_asks_no_other_host(client: AsgiClient) -> None:
    page = client.get("/")
    assert "http" not in page.text
    policy = page.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "http" not in policy


def test_nothing_is_sent_again_until_it_changes(client: AsgiClient) -> None:
    first = client.get("/assets/page.js")
    again = client.get("/assets/page.js", headers={"If-None-Match": first.headers["etag"]})
    assert again.status_code == 304
    assert again.content == b""
    old = client.get("/assets/page.js", headers={"If-None-Match": '"older"'})
    assert old.content == first.content


def test_the_licences_of_what_is_bundled_are_shipped() -> None:
    licences = (ASSETS / "LICENSES.txt").read_text()
    for name in ("preact", "uplot", "world-atlas", "Natural Earth"):
        assert name in licences
    assert licences.count("Permission is hereby granted") == 2

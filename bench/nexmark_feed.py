"""Events of an online auction as NDJSON: of 50, one person, three auctions, 46 bids."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import duckdb

from bench.feed import cache_folder

SLICE_EVENTS = 50_000
SOURCES = ("person", "auction", "bid")
_VERSION = 1
_SQL = Path(__file__).parent / "nexmark.sql"
_HEADING = re.compile(r"^-- (\w+)(?:: .*)?$", re.M)

# One event each 100 µs. Nine bids in ten go to a hot auction, three in four come from a hot bidder.
_WORLD = """
CREATE MACRO mix(a, b) AS
    ((((a % 200000000) * 7919 + b * 104729 + 13) * 48271 % 2147483647)
     * 69621 % 2147483647)::BIGINT;
CREATE MACRO at_event(n) AS make_timestamp(1772409600000000 + n * 100);
CREATE MACRO iso(t) AS strftime(t, '%Y-%m-%dT%H:%M:%S.%f');
CREATE MACRO person(n, seed) AS 1000 + greatest(0, n // 50 - mix(n, seed) % 1000);
CREATE MACRO auction(n, seed) AS 1000 + greatest(0, n // 50 * 3 - mix(n, seed) % 100);
CREATE MACRO price(n, seed) AS round(pow(10, mix(n, seed) % 6000 / 1000.0) * 100)::BIGINT;
"""
_ROWS = {
    "person": """
SELECT to_json({'id': 1000 + n // 50, 'name': 'Name ' || mix(n, 1) % 5000,
    'email_address': 'p' || n || '@mail.example', 'credit_card': (mix(n, 2) * 100000)::VARCHAR,
    'city': ['Phoenix', 'Seattle', 'Boise', 'Portland', 'Bend', 'Redmond'][1 + mix(n, 3) % 6],
    'state': ['az', 'ca', 'id', 'or', 'wa', 'wy'][1 + mix(n, 4) % 6], 'date_time': iso(at_event(n)),
    'extra': repeat('x', 20 + mix(n, 5) % 40)})::VARCHAR
FROM range($first, $last) AS t(n) WHERE n % 50 = 0 ORDER BY n""",
    "auction": """
SELECT to_json({'id': 1000 + n // 50 * 3 + n % 50 - 1, 'item_name': 'Item ' || mix(n, 1) % 9000,
    'description': 'as new ' || mix(n, 2), 'initial_bid': price(n, 3),
    'reserve': price(n, 3) + price(n, 4), 'date_time': iso(at_event(n)),
    'expires': iso(at_event(n + 5000 + mix(n, 5) % 100000)), 'seller': person(n, 6),
    'category': 10 + mix(n, 7) % 5, 'extra': repeat('y', 20 + mix(n, 8) % 40)})::VARCHAR
FROM range($first, $last) AS t(n) WHERE n % 50 BETWEEN 1 AND 3 ORDER BY n""",
    "bid": """
SELECT to_json({
    'auction': CASE WHEN mix(n, 1) % 10 > 0 THEN 1000 + n // 50 * 3 // 100 * 100
                    ELSE auction(n, 2) END,
    'bidder': CASE WHEN mix(n, 3) % 4 > 0 THEN 1000 + n // 50 // 100 * 100 ELSE person(n, 4) END,
    'price': price(n, 5), 'channel': CASE WHEN mix(n, 6) % 2 = 0
        THEN ['Google', 'Facebook', 'Baidu', 'Apple'][1 + mix(n, 7) % 4]
        ELSE 'channel-' || mix(n, 8) % 10000 END,
    'url': 'https://auctions.example/' || mix(n, 9) % 100 || '/' || mix(n, 10) % 100
        || '/item.htm?query=1' || CASE WHEN mix(n, 6) % 2 = 1 AND mix(n, 11) % 10 > 0
            THEN '&channel_id=' || mix(n, 8) % 10000 ELSE '' END,
    'date_time': iso(at_event(n)), 'extra': repeat('abc', 5 + mix(n, 12) % 20)})::VARCHAR
FROM range($first, $last) AS t(n) WHERE n % 50 > 3 ORDER BY n""",
}


def queries() -> dict[str, str]:
    """Return the tables ("tables") and the queries ("q0" …) of nexmark.sql."""
    text = _SQL.read_text()
    headings = list(_HEADING.finditer(text))
    found = {}
    for heading, following in zip(headings, [*headings[1:], None], strict=True):
        name = heading[1]
        if name == "tables" or re.fullmatch(r"q\d+", name):
            end = following.start() if following is not None else len(text)
            found[name] = text[heading.end() : end].strip()
    return found


def nexmark_feed(events: int) -> Path:
    """Return the folder with <source>-<slice>.ndjson; made on first use."""
    folder = cache_folder() / f"nexmark-{events}-v{_VERSION}"
    if not folder.exists():
        print(f"making {events:,} events once, in {folder}", flush=True)
        unfinished = folder.with_suffix(".part")
        shutil.rmtree(unfinished, ignore_errors=True)
        unfinished.mkdir()
        with duckdb.connect() as engine:
            engine.execute(_WORLD)
            for number, first in enumerate(range(0, events, SLICE_EVENTS)):
                for source in SOURCES:
                    sql = _ROWS[source].replace("$first", str(first))
                    sql = sql.replace("$last", str(min(events, first + SLICE_EVENTS)))
                    lines = [str(line) for (line,) in engine.execute(sql).fetchall()]
                    file = unfinished / f"{source}-{number:04d}.ndjson"
                    file.write_text("\n".join(lines) + "\n")
        unfinished.rename(folder)
    return folder

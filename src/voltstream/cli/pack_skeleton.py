"""`voltstream pack new`: a small pack that works, to be changed into one's own."""

from __future__ import annotations

import re
from pathlib import Path

from voltstream.core.errors import InvalidParameter

_NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")

_MANIFEST = """\
# A pack: SQL files that run in this order, in one transaction, with names of its own schema first.
[pack]
name = "{name}"
title = "{name}"
version = "0.1.0"
description = "What it tells, in one sentence."
schema = "{name}"
files = ["010_sources.sql", "020_views.sql"]
tests = ["tests/limit.toml"]
# requires = {{ ocpp = "0.1.0" }}

# Columns of the table {name}_parameters, which has one row: views join it, UPDATE changes it.
[parameters.limit_kw]
type = "double precision"
default = 50
doc = "Power above which a site is listed, in kW"

# Rows that a table begins with; what a user changes there stays.
[[seed]]
table = "sites"
file = "seeds/sites.csv"

[[panel]]
title = "Sites above their limit"
sql = "SELECT site, city, power_kw FROM sites_above_limit ORDER BY power_kw DESC LIMIT 20"
"""
_SOURCES = """\
CREATE SOURCE site_power (
    site      VARCHAR,
    power_kw  DOUBLE PRECISION,
    event_ts  TIMESTAMPTZ
);

CREATE TABLE sites (
    site  VARCHAR PRIMARY KEY,
    city  VARCHAR
);

COMMENT ON TABLE sites IS 'Sites by name';
"""
_VIEWS = """\
CREATE MATERIALIZED VIEW latest_site_power AS
SELECT DISTINCT ON (site) site, power_kw, event_ts
FROM site_power
ORDER BY site, event_ts DESC;

COMMENT ON MATERIALIZED VIEW latest_site_power IS 'Latest power of each site, in kW';

CREATE MATERIALIZED VIEW sites_above_limit AS
SELECT l.site, s.city, l.power_kw, l.event_ts AS since
FROM latest_site_power AS l
CROSS JOIN {name}_parameters AS p
LEFT JOIN sites AS s ON s.site = l.site
WHERE l.power_kw > p.limit_kw;

COMMENT ON MATERIALIZED VIEW sites_above_limit IS 'Sites whose latest power is above limit_kw';
"""
_SEEDS = """\
site,city
north,Oslo
"""
_TEST = """\
# Steps run in order. In each: time moves, rows come, statements run, and a query is compared.
title = "sites above their limit are listed, and the limit can be moved"
clock = 2026-03-02T08:00:00Z

[[step]]
into = "site_power"
rows = [
    {{ site = "north", power_kw = 60, event_ts = 2026-03-02T08:00:00Z }},
    {{ site = "south", power_kw = 40, event_ts = 2026-03-02T08:00:00Z }},
]
query = "SELECT site, city, power_kw FROM sites_above_limit"
expect = \"\"\"
site  | city | power_kw
north | Oslo | 60
\"\"\"

[[step]]
advance_s = 60
sql = "UPDATE {name}_parameters SET limit_kw = 30"
query = "SELECT site, city, since FROM sites_above_limit ORDER BY site"
expect = \"\"\"
site  | city | since
north | Oslo | 2026-03-02 08:00:00+00
south | NULL | 2026-03-02 08:00:00+00
\"\"\"
"""
FILES = {
    "pack.toml": _MANIFEST,
    "010_sources.sql": _SOURCES,
    "020_views.sql": _VIEWS,
    "seeds/sites.csv": _SEEDS,
    "tests/limit.toml": _TEST,
}


def write_skeleton(folder: Path) -> list[Path]:
    """Write a pack whose name is the folder's. Raises: InvalidParameter (22023)."""
    name = folder.resolve().name
    if not _NAME.fullmatch(name):
        raise InvalidParameter(
            f'"{name}" cannot be the name of a pack',
            hint="It begins with a small letter; small letters, digits and _ follow.",
        )
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise InvalidParameter(f'"{folder}" exists and is not empty')
    written = []
    try:
        for place, text in FILES.items():
            file = folder / place
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text.format(name=name), encoding="utf-8")
            written.append(file)
    except OSError as error:
        raise InvalidParameter(f'cannot write "{folder}": {error}') from error
    return written

"""Parameters nobody typed take the type of their place, as clients with binary formats need."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.driver import begun
from voltstream.connectors.registry import ConnectorRegistry
from voltstream.core.clock import SystemClock
from voltstream.core.types import Kind
from voltstream.runtime.instance import Instance
from voltstream.runtime.options import EngineOptions

CASES = (
    ("INSERT INTO places VALUES ($1, $2, $3)", (Kind.INT4.oid, Kind.NUMERIC.oid, Kind.DATE.oid)),
    ("INSERT INTO places (at, id) VALUES ($1, $2)", (Kind.DATE.oid, Kind.INT4.oid)),
    ("UPDATE places SET kw = $1 WHERE id = $2", (Kind.NUMERIC.oid, Kind.INT4.oid)),
    (
        "SELECT * FROM places p WHERE p.id = ANY($1) LIMIT $2",
        (Kind.INT4.array_oid, Kind.INT8.oid),
    ),
    ("SELECT $1::date, $2", (Kind.DATE.oid, Kind.TEXT.oid)),
    ("SELECT kw + $1, $2 || 'x' FROM places", (Kind.NUMERIC.oid, Kind.TEXT.oid)),
    ("DELETE FROM places WHERE at BETWEEN $1 AND $2", (Kind.DATE.oid, Kind.DATE.oid)),
    ("SELECT 1 WHERE 5 > $1 AND $2", (Kind.INT4.oid, Kind.BOOL.oid)),
    ("SELECT relname FROM pg_class WHERE oid = ANY($1::oid[])", (Kind.OID.array_oid,)),
)


@pytest.fixture(scope="module")
def instance(tmp_path_factory: pytest.TempPathFactory) -> Instance:
    folder: Path = tmp_path_factory.mktemp("parameters")
    made = Instance(begun(folder), EngineOptions(), SystemClock(), ConnectorRegistry())
    made.start()
    return made


def test_places_give_types(instance: Instance) -> None:
    session = instance.open(database="volt", user="volt", options={})
    table = "CREATE TABLE places (id int PRIMARY KEY, kw numeric(8,2), at date)"
    session.execute(session.parse(table)[0])
    for text, oids in CASES:
        described = session.describe(session.parse(text)[0], ())
        assert described.parameter_oids == oids, text
    given = session.describe(session.parse("SELECT kw = $1 FROM places")[0], (Kind.FLOAT8.oid,))
    assert given.parameter_oids == (Kind.FLOAT8.oid,)
    session.close()
    instance.stop()

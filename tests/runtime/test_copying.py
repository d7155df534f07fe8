"""COPY reads what PostgreSQL's text and csv formats can hold, and says what it cannot read."""

from __future__ import annotations

import pytest

from tests.driver import Engine
from voltstream.core.errors import BadCopyFormat, FeatureNotSupported, InvalidParameter


def copy(engine: Engine, options: str, data: bytes) -> list[object]:
    engine.run("TRUNCATE t")
    (statement,) = engine.session.parse(f"COPY t FROM STDIN {options}")
    copying = engine.session.execute(statement).copy_in
    assert copying is not None
    copying.write(data)
    copying.finish()
    return [row[0] for row in engine.run("SELECT a FROM t")]


@pytest.fixture(autouse=True)
def table(engine: Engine) -> None:
    engine.run("CREATE TABLE t (a TEXT)")


def test_escapes_of_text_name_bytes(engine: Engine) -> None:
    assert copy(engine, "", rb"\x41\101\n\q\8\xc3\xa9\\x41") == ["AA\nq8é\\x41"]
    with pytest.raises(BadCopyFormat):
        copy(engine, "", rb"\xff")


def test_a_csv_field_may_be_long_and_a_line_empty(engine: Engine) -> None:
    wide = "x" * 200_000
    assert copy(engine, "(FORMAT csv)", f"{wide}\n\ny\n".encode()) == [wide, None, "y"]


@pytest.mark.parametrize("option", ["DELIMITER ''", "QUOTE 'ab'", "ESCAPE ''"])
def test_separators_are_single_characters(engine: Engine, option: str) -> None:
    with pytest.raises(FeatureNotSupported, match="single one-byte character"):
        copy(engine, f"(FORMAT csv, {option})", b"x\n")


def test_delimiter_and_quote_differ(engine: Engine) -> None:
    with pytest.raises(InvalidParameter, match="must be different"):
        copy(engine, "(FORMAT csv, QUOTE ',')", b"x\n")

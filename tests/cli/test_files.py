"""Scripts and input files are cut at whole statements and whole records."""

from __future__ import annotations

import io
import json
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from voltstream.cli.parts import csv_parts, format_of, line_parts, parts_of_file
from voltstream.cli.script import split_script
from voltstream.cli.terminal import point_at
from voltstream.core.errors import InvalidParameter


def test_semicolons_inside_quotes_and_comments_do_not_end_a_statement() -> None:
    script = """select 'a;b'; -- x;
/* ; */ select $$;$$, $a$ $$ ; $a$, E'\\';' ;; insert into "a;b" values ($1, $2)"""
    assert list(split_script(script)) == [
        (0, "select 'a;b'"),
        (28, "select $$;$$, $a$ $$ ; $a$, E'\\';'"),
        (66, 'insert into "a;b" values ($1, $2)'),
    ]


def test_the_caret_stands_below_the_position() -> None:
    assert point_at("select 1\n  frm x", 12) == ("LINE 2:   frm x", "          ^")


@given(lines=st.lists(st.text("ab ,{}", max_size=9)), part_bytes=st.integers(1, 20))
def test_line_parts_hold_every_whole_line(lines: list[str], part_bytes: int) -> None:
    data = "".join(line + "\n" for line in lines).encode()
    parts = list(line_parts(io.BytesIO(data), part_bytes))
    assert b"".join(parts).strip() == data.strip()
    assert all(part.endswith(b"\n") for part in parts)


@given(
    rows=st.lists(st.sampled_from(['1,"x\ny"', "2,z", '3,"say ""so"", he\n\nsaid"']), max_size=9),
    part_bytes=st.integers(1, 30),
)
def test_csv_parts_repeat_the_header_over_whole_records(rows: list[str], part_bytes: int) -> None:
    data = "".join(row + "\n" for row in ["a,b", *rows]).encode()
    parts = list(csv_parts(io.BytesIO(data), part_bytes))
    bodies = [part.removeprefix(b"a,b\n") for part in parts]
    assert b"a,b\n" + b"".join(bodies) == data
    assert all(part.startswith(b"a,b\n") and part.count(b'"') % 2 == 0 for part in parts)


def test_parquet_rows_are_spelled_as_json(tmp_path: Path) -> None:
    file = tmp_path / "rows.parquet"
    pq.write_table(pa.table({"kwh": [Decimal("1.50")], "raw": [b"\x01"], "on": [True]}), file)
    (part,) = parts_of_file(file, format_of(file))
    assert json.loads(part.payload) == {"kwh": "1.50", "raw": "\\x01", "on": True}


def test_a_format_that_no_name_tells_is_asked_for() -> None:
    assert format_of(Path("a.ndjson.gz")) == "ndjson"
    with pytest.raises(InvalidParameter):
        format_of(Path("a.bin"))

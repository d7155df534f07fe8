"""What Arrow cuts is what the reader of every case cuts."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from voltstream.core.errors import BadCopyFormat
from voltstream.runtime.copy_columns import csv_columns, text_columns
from voltstream.runtime.copying import parse_rows
from voltstream.sql.statements import CopyFrom, ObjectName

_PIECES = (
    "a",
    "é",
    "",
    "\\N",
    "\\",
    "\t",
    "\n",
    ",",
    '"',
    '""',
    "\r\n",
    " ",
    "1.5",
    "x\\Ny",
    "\\.",
)
_DATA = st.lists(st.sampled_from(_PIECES), max_size=30).map("".join)
_WELL_FORMED = {
    "text": ("1\ta\n\\N\t\n", "\t\n", "1\ta", "x\ty\\N\n", "a\\tb\tc\n", ""),
    "csv": ('1,"a, ""b"""\n,""\n', '"x\ny",z\n', "1,a\r\n2,b\r\n", ",\n", "1,2"),
}


def _statement(kind: str) -> CopyFrom:
    name = ObjectName("t")
    return CopyFrom(text="", offset=0, table=name, columns=(), format=kind, options={})


def _both(data: str, kind: str) -> None:
    cut = csv_columns if kind == "csv" else text_columns
    found = cut(bytearray(data.encode()), {}, 2)
    if found is not None:
        rows = [tuple(row) for row in parse_rows(data.encode(), _statement(kind), 2)]
        assert list(zip(*(c.to_pylist() for c in found.columns), strict=True)) == rows


@pytest.mark.parametrize("kind", ["text", "csv"])
@settings(deadline=None)
@given(data=_DATA)
def test_any_data(kind: str, data: str) -> None:
    try:
        _both(data, kind)
    except BadCopyFormat:
        pytest.fail(f"{data!r} was taken, and is refused")


@pytest.mark.parametrize(
    ("kind", "data"), [(kind, data) for kind, texts in _WELL_FORMED.items() for data in texts]
)
def test_well_formed(kind: str, data: str) -> None:
    _both(data, kind)


def test_plain_data_takes_the_short_way() -> None:
    assert text_columns(bytearray(b"1\t\\N\n2\tb\n"), {}, 2) is not None
    assert csv_columns(bytearray(b'1,"a ""b"""\n'), {}, 2) is not None

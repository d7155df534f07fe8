"""Numbers a column at a time equal numbers one by one."""

from __future__ import annotations

from decimal import Decimal

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from voltstream.sql.styles.numerics import (
    float8_text,
    float8_texts,
    numeric_bytes,
    numeric_cells,
)


@settings(deadline=None)
@given(st.lists(st.one_of(st.none(), st.floats()), min_size=1))
def test_doubles(values: list[float | None]) -> None:
    spelled = float8_texts(pa.array(values, pa.float64())).to_pylist()
    assert spelled == [None if value is None else float8_text(value) for value in values]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (1e15, "1e+15"),
        (123456789012345.0, "123456789012345"),
        (999999999999999.9, "999999999999999.9"),
        (-0.0, "-0"),
        (1e-5, "1e-05"),
        (0.0001, "0.0001"),
        (5e-324, "5e-324"),
        (float("-inf"), "-Infinity"),
    ],
)
def test_doubles_as_postgresql_prints_them(value: float, text: str) -> None:
    assert float8_texts(pa.array([value])).to_pylist() == [text]


@pytest.mark.parametrize(("precision", "scale"), [(12, 3), (18, 0), (18, 15), (38, 5), (38, 16)])
@settings(deadline=None)
@given(data=st.data())
def test_numerics(precision: int, scale: int, data: st.DataObject) -> None:
    most = 10**precision - 1
    numbers = data.draw(st.lists(st.one_of(st.none(), st.integers(-most, most)), min_size=1))
    values = [None if n is None else Decimal((n < 0, _digits(n), -scale)) for n in numbers]
    with_room = pa.array([Decimal(0), *values], pa.decimal128(precision, scale)).slice(1)
    packed = numeric_cells(with_room).to_pylist()
    assert packed == [None if value is None else numeric_bytes(value) for value in values]


def _digits(number: int) -> tuple[int, ...]:
    return tuple(int(digit) for digit in str(abs(number)))


def test_a_numeric_without_scale_shows_no_zeros_at_its_end() -> None:
    values = [Decimal("1.5"), Decimal("100"), Decimal("0.0000000001")]
    packed = numeric_cells(pa.array(values, pa.decimal128(38, 10))).to_pylist()
    assert packed == [numeric_bytes(value) for value in values]

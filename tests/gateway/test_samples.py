"""Sampled values: defaults, units, multipliers, odd numbers."""

from __future__ import annotations

from typing import Any

import pytest

from tests.gateway.desk import NOON_US, clock
from voltstream.ocpp.measurands import KNOWN
from voltstream.ocpp.quality import Quality
from voltstream.ocpp.samples import Sample, read_samples


def sample(**fields: Any) -> Sample:
    meter = [{"timestamp": clock(0), "sampledValue": [fields]}]
    [found] = read_samples(meter, NOON_US)
    return found


def test_defaults_of_the_standard() -> None:
    found = sample(value="100")
    assert found.measurand == "Energy.Active.Import.Register"
    assert (found.context, found.location, found.phase, found.format) == (
        "Sample.Periodic",
        "Outlet",
        None,
        "Raw",
    )
    assert (found.value_si, found.unit_si, found.flags) == (100.0, "Wh", Quality.OK)


@pytest.mark.parametrize(
    ("measurand", "unit_si"),
    [
        ("Power.Active.Import", "W"),
        ("Energy.Reactive.Import.Register", "varh"),
        ("Current.Import", "A"),
        ("Voltage", "V"),
        ("SoC", "Percent"),
        ("Temperature", "Celsius"),
        ("RPM", "rpm"),
        ("Power.Factor", "1"),
        ("Power.Reactive.Import", "var"),
        ("Energy.Apparent.Net", "VAh"),
    ],
)
def test_missing_units_default_by_family_and_are_flagged(measurand: str, unit_si: str) -> None:
    found = sample(value="5", measurand=measurand)
    assert (found.value_si, found.unit_si, found.flags) == (5.0, unit_si, Quality.DEFAULTED)


def test_frequency_needs_no_unit() -> None:
    found = sample(value="50", measurand="Frequency")
    assert (found.unit_si, found.flags) == ("Hz", Quality.OK)


@pytest.mark.parametrize(
    ("measurand", "unit", "value_si", "flags"),
    [
        ("Energy.Active.Import.Register", "kWh", 7200.0, Quality.OK),
        ("Energy.Active.Import.Register", "KWH", 7200.0, Quality.COERCED),
        ("Energy.Active.Import.Register", "WH", 7.2, Quality.COERCED),
        ("Power.Active.Import", "kW", 7200.0, Quality.OK),
        ("Power.Active.Import", "Watt", 7.2, Quality.COERCED),
        ("SoC", "%", 7.2, Quality.COERCED),
        ("Temperature", "Celcius", 7.2, Quality.COERCED),
        ("Temperature", "K", -265.95, Quality.OK),
        ("Temperature", "Fahrenheit", -13.7777777778, Quality.OK),
        ("Frequency", "Hertz", 7.2, Quality.COERCED),
    ],
)
def test_units(measurand: str, unit: str, value_si: float, flags: Quality) -> None:
    found = sample(value="7.2", measurand=measurand, unit=unit)
    assert found.value_si == pytest.approx(value_si)
    assert found.flags == flags


@pytest.mark.parametrize(("measurand", "unit"), [("Voltage", "furlong"), ("Voltage", "Wh")])
def test_an_unknown_unit_or_dimension_gives_no_si_value(measurand: str, unit: str) -> None:
    found = sample(value="7.2", measurand=measurand, unit=unit)
    assert (found.value, found.value_si, found.flags) == (7.2, None, Quality.UNKNOWN_UNIT)


@pytest.mark.parametrize(
    ("unit", "multiplier", "value_si", "flags"),
    [
        ("kW", 0, 7200.0, Quality.OK),
        ("W", 3, 7200.0, Quality.OK),
        ("kW", 3, 7_200_000.0, Quality.IMPLAUSIBLE),
        (None, -3, 0.0072, Quality.DEFAULTED),
    ],
)
def test_multipliers_apply_beside_the_unit(
    unit: str | None, multiplier: int, value_si: float, flags: Quality
) -> None:
    measure = {"multiplier": multiplier} | ({"unit": unit} if unit else {})
    found = sample(value=7.2, measurand="Power.Active.Import", unitOfMeasure=measure)
    assert found.value_si == pytest.approx(value_si)
    assert found.flags == flags


@pytest.mark.parametrize(
    ("value", "number", "flags"),
    [
        ("+7.2", 7.2, Quality.OK),
        (" 7.2 ", 7.2, Quality.OK),
        ("7.2e3", 7200.0, Quality.OK),
        ("7,2", 7.2, Quality.COERCED),
        ("", None, Quality.NONFINITE),
        ("NaN", None, Quality.NONFINITE),
        ("Infinity", None, Quality.NONFINITE),
        ("1e400", None, Quality.NONFINITE),
        ("null", None, Quality.NONFINITE),
        ("1_000", None, Quality.NONFINITE),
        ("1e16", 1e16, Quality.IMPLAUSIBLE),
        (None, None, Quality.NONFINITE | Quality.MISSING_FIELD),
    ],
)
def test_odd_numbers(value: object, number: float | None, flags: Quality) -> None:
    found = sample(value=value)
    assert (found.value, found.flags) == (number, flags)
    assert found.value_raw == value


def test_unknown_measurands_are_kept() -> None:
    found = sample(value="1", measurand="Coffee.Cups", unit="1")
    assert (found.measurand, found.flags) == ("Coffee.Cups", Quality.UNKNOWN_MEASURAND)


def test_signed_data_is_never_a_number() -> None:
    found = sample(value="4f434d46", format="SignedData")
    assert (found.value, found.value_raw) == (None, "4f434d46")
    assert found.signed == {"signedMeterData": "4f434d46"}
    signed = {"signedMeterData": "AAAA", "publicKey": "", "signingMethod": "x",
              "encodingMethod": "OCMF"}  # fmt: skip
    two = sample(value=100.0, signedMeterValue=signed)
    assert (two.value, two.signed, two.flags) == (100.0, signed, Quality.SIGNED_UNVERIFIED)


def test_all_measurands_of_the_versions_are_known() -> None:
    assert len(KNOWN) >= 22 + 5 + 31

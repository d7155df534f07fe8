"""Units of measurands: what chargers write, to SI."""

from __future__ import annotations

from dataclasses import dataclass

KELVIN_ZERO = 273.15


@dataclass(frozen=True, slots=True)
class Unit:
    """A unit as OCPP spells it, and how it becomes the family's own: value x factor + offset."""

    name: str
    si: str
    factor: float = 1.0
    offset: float = 0.0


def _scaled(base: str, *prefixes: str) -> list[Unit]:
    powers = {"m": 1e-3, "": 1.0, "k": 1e3, "M": 1e6}
    return [Unit(prefix + base, base, powers[prefix]) for prefix in prefixes]


_UNITS = {
    unit.name: unit
    for unit in [
        *_scaled("Wh", "", "k", "M"),
        *_scaled("varh", "", "k"),
        *_scaled("VAh", "", "k"),
        *_scaled("W", "", "k", "M"),
        *_scaled("var", "", "k"),
        *_scaled("VA", "", "k"),
        *_scaled("A", "m", "", "k"),
        *_scaled("V", "m", "", "k"),
        Unit("Celsius", "Celsius"),
        Unit("K", "Celsius", 1.0, -KELVIN_ZERO),
        Unit("Fahrenheit", "Celsius", 5 / 9, -160 / 9),
        Unit("Percent", "Percent"),
        Unit("Hz", "Hz"),
        Unit("rpm", "rpm"),
        Unit("1", "1"),
    ]
}
# Spellings that are seen; "Celcius" stands in the official schema of 1.6.
_ALIASES = {
    "celcius": "Celsius", "degc": "Celsius", "°c": "Celsius", "c": "Celsius", "°f": "Fahrenheit",
    "f": "Fahrenheit", "kelvin": "K", "%": "Percent", "pct": "Percent", "hertz": "Hz",
    "watt": "W", "watts": "W", "kilowatt": "kW", "watthour": "Wh", "watthours": "Wh",
    "kilowatthour": "kWh", "volt": "V", "volts": "V", "amp": "A", "amps": "A", "ampere": "A",
    "amperes": "A", "revolutions/min": "rpm", "minute-1": "rpm",
} | {name.lower(): name for name in _UNITS if not name.startswith("m")}  # fmt: skip

_FAMILIES = (
    ("Energy.Reactive", "varh"),
    ("Energy.Apparent", "VAh"),
    ("EnergyRequest.", "Wh"),
    ("Energy.", "Wh"),
    ("Power.Factor", "1"),
    ("Power.Reactive", "var"),
    ("Power.Apparent", "VA"),
    ("Power.", "W"),
    ("Current.", "A"),
    ("Voltage", "V"),
    ("SoC", "Percent"),
    ("Display.PresentSOC", "Percent"),
    ("Display.MinimumSOC", "Percent"),
    ("Display.TargetSOC", "Percent"),
    ("Display.MaximumSOC", "Percent"),
    ("Display.BatteryEnergyCapacity", "Wh"),
    ("Temperature", "Celsius"),
    ("Frequency", "Hz"),
    ("RPM", "rpm"),
)


def unit_named(text: str) -> tuple[Unit | None, bool]:
    """Return a unit by its name, and whether it was spelled otherwise than OCPP spells it."""
    exact = _UNITS.get(text)
    if exact is not None:
        return exact, False
    name = _ALIASES.get(text.strip().lower())
    return (None, False) if name is None else (_UNITS[name], True)


def family_unit(measurand: str) -> str | None:
    """Return the SI unit of a measurand; None for one that has none, or is not known."""
    for prefix, unit in _FAMILIES:
        if measurand.startswith(prefix):
            return unit
    return None


def to_si(value: float, unit: Unit, multiplier: int) -> float:
    """Units: the result is in ``unit.si``. Raises: OverflowError."""
    if not multiplier and unit.factor == 1.0 and not unit.offset:
        return value
    return float(value * 10.0**multiplier * unit.factor + unit.offset)

"""What a value measures: reading types, units and OBIS codes to channels of ours.

Shape: ``delivered`` is energy to the customer, ``received`` from it, ``…_register`` a counter,
``voltage`` a voltage (``voltage_a`` of a phase). Codes that are not known become channels of their
own name and keep their unit; no value is dropped.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

# Reading types, IEC 61968-9 annex C: places of the fields, and their values.
_FIELDS = 18
_ACCUMULATION, _FLOW, _COMMODITY, _KIND, _PHASE, _MULTIPLIER, _UNIT = 3, 4, 5, 6, 14, 15, 16
_PERIOD = 2
_MEASURING_S: Mapping[int, int] = {
    1: 600, 2: 900, 3: 60, 4: 86_400, 5: 1_800, 6: 300, 7: 3_600, 10: 120, 14: 180, 31: 1_200,
}  # fmt: skip
_UNITS: Mapping[int, str] = {
    72: "Wh", 73: "varh", 71: "VAh", 38: "W", 63: "var", 61: "VA", 29: "V", 5: "A", 33: "Hz",
}  # fmt: skip
_DIRECTIONS: Mapping[int, str] = {1: "delivered", 19: "received", 4: "net", 20: "total"}
_PHASES: Mapping[int, str] = {128: "_a", 64: "_b", 32: "_c"}
_COUNTERS = frozenset({1, 3, 9})  # Bulk quantity, cumulative, summation.
_ENERGY: Mapping[str, str] = {"Wh": "kWh", "varh": "kvarh", "VAh": "kVAh"}
_POWER: Mapping[str, str] = {"W": "kW", "var": "kvar", "VA": "kVA"}
_PREFIXES: Mapping[str, int] = {"": 0, "k": 3, "m": -3, "M": 6, "G": 9}
_OBIS: Mapping[str, tuple[str, str]] = {
    "1.8.0": ("delivered_register", "kWh"),
    "2.8.0": ("received_register", "kWh"),
    "3.8.0": ("delivered_reactive_register", "kvarh"),
    "4.8.0": ("received_reactive_register", "kvarh"),
    "1.29.0": ("delivered", "kWh"),
    "2.29.0": ("received", "kWh"),
    "3.29.0": ("delivered_reactive", "kvarh"),
    "4.29.0": ("received_reactive", "kvarh"),
    "1.7.0": ("delivered_power", "kW"),
    "2.7.0": ("received_power", "kW"),
    "32.7.0": ("voltage_a", "V"),
    "52.7.0": ("voltage_b", "V"),
    "72.7.0": ("voltage_c", "V"),
    "31.7.0": ("current_a", "A"),
    "51.7.0": ("current_b", "A"),
    "71.7.0": ("current_c", "A"),
}
_WORDS: Mapping[str, tuple[str, str]] = {
    "delivered": ("delivered", "kWh"),
    "import": ("delivered", "kWh"),
    "received": ("received", "kWh"),
    "export": ("received", "kWh"),
    "generation": ("received", "kWh"),
    "net": ("net", "kWh"),
    "reactive": ("delivered_reactive", "kvarh"),
    "voltage": ("voltage", "V"),
    "current": ("current", "A"),
    "delivered_register": ("delivered_register", "kWh"),
    "received_register": ("received_register", "kWh"),
}
_KINDS: Mapping[str, str] = {"kvarh": "_reactive", "kVAh": "_apparent"}
_REGISTER = "_register"


@dataclass(frozen=True, slots=True)
class Measured:
    """What to make of values: a channel, its unit, and a value's power of ten."""

    channel: str
    unit: str
    exponent: int = 0
    interval_s: int = 0  # Of one value; 0 where the code does not say it.

    @property
    def is_interval(self) -> bool:
        """Tell whether a value is about a span of time."""
        return not self.is_register and self.unit in _ENERGY.values()

    @property
    def is_register(self) -> bool:
        return self.channel.endswith(_REGISTER)

    def counted(self) -> Measured:
        """Return the counter of what this measures in intervals."""
        return Measured(f"{self.channel}{_REGISTER}", self.unit, self.exponent)


@lru_cache(maxsize=4096)
def of_reading_type(code: str) -> Measured:
    """Return what a reading type of IEC 61968-9 measures; one that is not known is its own."""
    parts = code.split(".")
    if len(parts) != _FIELDS or not all(part.lstrip("-").isdigit() for part in parts):
        return Measured(code or "unknown", "")
    fields = [int(part) for part in parts]
    unit = _UNITS.get(fields[_UNIT])
    if unit is None or fields[_COMMODITY] not in (0, 1, 2):
        return Measured(code, "")
    counter = fields[_ACCUMULATION] in _COUNTERS
    direction = _DIRECTIONS.get(fields[_FLOW], "delivered" if unit in _ENERGY else "")
    phase = _PHASES.get(fields[_PHASE], "")
    interval_s = 0 if counter else _MEASURING_S.get(fields[_PERIOD], 0)
    return _named(unit, direction, phase, counter, fields[_MULTIPLIER], interval_s)


def of_espi(
    uom: str, multiplier: int, flow: str, accumulation: str, phase: str = "", interval_s: int = 0
) -> Measured:
    """Return what an ESPI ReadingType measures."""
    unit = _UNITS.get(int(uom)) if uom.isdigit() else None
    if unit is None:
        return Measured(f"espi_{uom or 'unknown'}", "", multiplier, interval_s)
    direction = _DIRECTIONS.get(int(flow) if flow.isdigit() else 1, "delivered")
    side = _PHASES.get(int(phase), "") if phase.isdigit() else ""
    counter = accumulation.isdigit() and int(accumulation) in _COUNTERS
    return _named(unit, direction, side, counter, multiplier, interval_s)


def _named(
    unit: str, direction: str, phase: str, counter: bool, multiplier: int, interval_s: int
) -> Measured:
    way = direction or "delivered"
    if unit in _ENERGY:
        told = _ENERGY[unit]
        channel = f"{way}{_KINDS.get(told, '')}{phase}{_REGISTER if counter else ''}"
        return Measured(channel, told, multiplier - 3, interval_s)
    if unit in _POWER:
        return Measured(f"{way}_power{phase}", _POWER[unit], multiplier - 3, interval_s)
    quantity = {"V": "voltage", "A": "current", "Hz": "frequency"}[unit]
    return Measured(f"{quantity}{phase}", unit, multiplier, interval_s)


@lru_cache(maxsize=4096)
def of_name(name: str, unit: str) -> Measured:
    """Return what a channel and a unit in words, an OBIS or a reading type code say."""
    told = name.strip()
    if told.count(".") == _FIELDS - 1:
        return of_reading_type(told)
    known = _OBIS.get(told.partition("*")[0].rpartition(":")[2]) or _WORDS.get(told.lower())
    if known is None:
        given = told.lower() or unit.lower()
        known = next((way for column, way in COLUMNS.items() if column == given), None)
    if known is not None:
        return Measured(known[0], known[1], _exponent(unit, known[1]))
    if told:
        exponent, base = _split(unit)
        if base in _ENERGY:
            return Measured(told, _ENERGY[base], exponent - 3)
        return Measured(told, unit)
    return of_unit("delivered", unit or "kWh")


def of_unit(direction: str, unit: str) -> Measured:
    """Return the channel of a direction for a unit as it is written: kWh, WH, kvarh, V."""
    exponent, base = _split(unit)
    if base in _ENERGY or base in _POWER or base in ("V", "A", "Hz"):
        return _named(base, direction, "", False, exponent, 0)
    return Measured(f"{direction}_{unit.lower()}" if unit else direction, unit)


# Columns that hold one channel each, and which.
COLUMNS: Mapping[str, tuple[str, str]] = {
    "delivered_kwh": ("delivered", "kWh"),
    "received_kwh": ("received", "kWh"),
    "net_kwh": ("net", "kWh"),
    "delivered_kvarh": ("delivered_reactive", "kvarh"),
    "received_kvarh": ("received_reactive", "kvarh"),
    "delivered_kw": ("delivered_power", "kW"),
    "received_kw": ("received_power", "kW"),
    "voltage_v": ("voltage", "V"),
    "voltage_a_v": ("voltage_a", "V"),
    "voltage_b_v": ("voltage_b", "V"),
    "voltage_c_v": ("voltage_c", "V"),
    "current_a": ("current", "A"),
    "frequency_hz": ("frequency", "Hz"),
    "delivered_register_kwh": ("delivered_register", "kWh"),
    "received_register_kwh": ("received_register", "kWh"),
}


def _split(unit: str) -> tuple[int, str]:
    """Part a unit, case aside, into its power of ten and what is left."""
    written = unit.strip()
    for base in ("VARh", "VAh", "Wh", "VAR", "VA", "Hz", "W", "V", "A"):
        if written.upper().endswith(base.upper()):
            prefix = written[: len(written) - len(base)]
            exponent = _PREFIXES.get(prefix, _PREFIXES.get(prefix.lower()))
            if exponent is not None:
                return exponent, {"VARh": "varh", "VAR": "var"}.get(base, base)
    return 0, written


def _exponent(unit: str, target: str) -> int:
    if not unit or not target:
        return 0
    here, base = _split(unit)
    there, wanted = _split(target)
    return here - there if base == wanted else 0

"""One energy register: which steps are energy, and where it begins anew.

Units: integer milli-watt-hours and microseconds, so that sums are exact.
Source: the register is monotonic within a transaction (OCPP 2.0.1 errata 3.77); what chargers do
instead is told, case by case, in the guide on charge points.
"""

from __future__ import annotations

from dataclasses import dataclass

from voltstream.ocpp.quality import Quality

MWH_PER_WH = 1_000
JITTER_MWH = 10 * MWH_PER_WH  # Between whole Wh at the boundary and decimals in between.
SLACK_MWH = 50 * MWH_PER_WH
PLACEHOLDER_FROM_MWH = 1_000 * MWH_PER_WH
# Where counters turn over: 16, 31 and 32 bits of Wh, and five to eight digits of kWh.
MODULI_MWH = tuple(wh * MWH_PER_WH for wh in (2**16, 2**31, 2**32, 10**8, 10**9, 10**10, 10**11))
NEAR_SHARE = 0.9  # Of a modulus: a register that turns over was that near to it.
POWER_W_MAX = 400_000.0  # Of a charger whose power nobody has said: what one DC connector gives.


@dataclass(slots=True)
class Register:
    """What is known of a register: its last accepted sample and one that is in doubt."""

    at_us: int
    value_mwh: int
    epoch: int = 0
    boundary: bool = False  # The last sample is a meterStart or meterStop of 1.6.
    base_mwh: int | None = None  # Samples count from here: they are relative to the session.
    doubt: tuple[int, int, Quality] | None = None


@dataclass(frozen=True, slots=True)
class Step:
    """What a sample adds."""

    delta_mwh: int
    flags: Quality
    epoch: int


def energy_bound_mwh(power_w: float, elapsed_us: int) -> int:
    """Return the most energy that can flow at a power, with a fifth and 50 Wh of slack."""
    return round(1.2 * power_w * max(elapsed_us, 0) / 3_600_000) + SLACK_MWH


def first(at_us: int, value_mwh: int, *, boundary: bool) -> Register:
    return Register(at_us, value_mwh, boundary=boundary)


def advance(
    register: Register,
    at_us: int,
    value_mwh: int,
    *,
    power_w: float,
    boundary: bool = False,
    may_be_placeholder: bool = False,
) -> Step:
    """Take the next sample, and change the register accordingly.

    Law: the deltas of a register whose samples are in order, plausible and of one epoch add up to
    last minus first, in whatever order they arrive.
    """
    if at_us < register.at_us:
        # The step over this instant was counted, or will be, by its later neighbour.
        return Step(0, Quality.LATE, register.epoch)
    if not boundary and register.base_mwh is not None and value_mwh < register.base_mwh:
        step = _take(register, at_us, register.base_mwh + value_mwh, power_w, boundary, False)
        return Step(step.delta_mwh, step.flags | Quality.SESSION_RELATIVE, step.epoch)
    if at_us == register.at_us and value_mwh == register.value_mwh:
        return Step(0, Quality.DUPLICATE, register.epoch)
    if boundary:
        register.base_mwh = None
    return _take(register, at_us, value_mwh, power_w, boundary, may_be_placeholder)


def _take(
    register: Register,
    at_us: int,
    value_mwh: int,
    power_w: float,
    boundary: bool,
    may_be_placeholder: bool,
) -> Step:
    delta = value_mwh - register.value_mwh
    bound = energy_bound_mwh(power_w, at_us - register.at_us)
    if 0 <= delta <= bound:
        return _accept(register, at_us, value_mwh, delta, Quality.OK, boundary)
    if register.doubt is not None:
        doubted_us, doubted_mwh, _ = register.doubt
        since = value_mwh - doubted_mwh
        if 0 <= since <= energy_bound_mwh(power_w, at_us - doubted_us) and at_us > doubted_us:
            # Two samples agree: the register did begin anew there. What lay between is unknown.
            register.epoch += 1
            return _accept(register, at_us, value_mwh, since, Quality.REG_RESET, boundary)
    if delta > bound:
        flags = Quality.IMPLAUSIBLE
        if 0 <= value_mwh // 1000 - register.value_mwh <= bound:
            flags |= Quality.UNIT_SUSPECT
        register.doubt = (at_us, value_mwh, flags)
        return Step(0, flags, register.epoch)
    return _fallen(register, at_us, value_mwh, power_w, boundary, may_be_placeholder)


def _fallen(
    register: Register,
    at_us: int,
    value_mwh: int,
    power_w: float,
    boundary: bool,
    may_be_placeholder: bool,
) -> Step:
    """Take a sample below the last one."""
    last_mwh = register.value_mwh
    bound = energy_bound_mwh(power_w, at_us - register.at_us)
    if last_mwh - value_mwh <= JITTER_MWH:
        register.at_us = at_us
        register.boundary = boundary
        return Step(0, Quality.NEG_DELTA, register.epoch)
    if value_mwh == 0 and may_be_placeholder and last_mwh > PLACEHOLDER_FROM_MWH:
        register.doubt = (at_us, 0, Quality.PLACEHOLDER_ZERO)
        return Step(0, Quality.PLACEHOLDER_ZERO, register.epoch)
    for modulus in MODULI_MWH:
        near_its_end = NEAR_SHARE * modulus <= last_mwh < modulus
        if near_its_end and modulus - last_mwh + value_mwh <= bound:
            register.epoch += 1
            delta = modulus - last_mwh + value_mwh
            return _accept(register, at_us, value_mwh, delta, Quality.ROLLOVER, boundary)
    if register.boundary and not boundary and value_mwh <= bound and value_mwh < last_mwh // 2:
        # meterStart counts a lifetime, the samples count the session.
        register.base_mwh = last_mwh
        flags = Quality.SESSION_RELATIVE
        return _accept(register, at_us, last_mwh + value_mwh, value_mwh, flags, boundary)
    register.epoch += 1
    delta = value_mwh if 0 <= value_mwh <= bound else 0
    return _accept(register, at_us, value_mwh, delta, Quality.REG_RESET, boundary)


def _accept(
    register: Register, at_us: int, value_mwh: int, delta: int, flags: Quality, boundary: bool
) -> Step:
    register.at_us = at_us
    register.value_mwh = value_mwh
    register.boundary = boundary
    register.doubt = None
    return Step(delta, flags, register.epoch)

"""The charge curve between two measured facts: how long a car stayed and how much it took."""

from __future__ import annotations

from dataclasses import dataclass

POWER_W_USUAL = 6_600.0  # 32 A at 208 V, what both sites' stations give.
POWER_W_END = 300.0  # Where the taper ends.
TAPER_FROM = 0.85  # The share of the energy that flows at constant power.
STAY_S_MIN = 1.0  # Departures at or before the arrival are in the data.


@dataclass(frozen=True, slots=True)
class Curve:
    """Constant power, then a linear taper, then nothing.

    Law: ``energy_wh`` never falls, and is the whole energy from ``full_s`` on.
    Units: seconds since arrival, W, Wh.
    """

    total_wh: int
    power_w_max: float
    taper_start_s: float
    full_s: float

    def power_w(self, since_s: float) -> float:
        """Return the power at an instant of the stay."""
        if since_s >= self.full_s:
            return 0.0
        if since_s < self.taper_start_s:
            return self.power_w_max
        share = (since_s - self.taper_start_s) / (self.full_s - self.taper_start_s)
        return self.power_w_max + share * (self._power_w_end - self.power_w_max)

    def energy_wh(self, since_s: float) -> int:
        """Return what the meter has counted since arrival, in whole Wh as registers count."""
        if since_s >= self.full_s:
            return self.total_wh
        if since_s <= self.taper_start_s:
            return min(self.total_wh, int(self.power_w_max * since_s / 3600))
        mean_w = (self.power_w_max + self.power_w(since_s)) / 2
        taper_wh = mean_w * (since_s - self.taper_start_s) / 3600
        return min(self.total_wh, int(self.power_w_max * self.taper_start_s / 3600 + taper_wh))

    @property
    def _power_w_end(self) -> float:
        return min(POWER_W_END, self.power_w_max)


def fit_curve(total_wh: int, stay_s: float) -> Curve:
    """Return the usual curve, or the weakest stronger one that delivers the energy in time."""
    stay_s = max(stay_s, STAY_S_MIN)
    power_w = POWER_W_USUAL
    if _duration_s(total_wh, power_w) > stay_s:
        weak, strong = power_w, 7200 * max(total_wh, 1) / stay_s + POWER_W_USUAL
        for _ in range(60):  # Bisection to the last bit of a double.
            power_w = (weak + strong) / 2
            weak, strong = (
                (power_w, strong) if _duration_s(total_wh, power_w) > stay_s else (weak, power_w)
            )
        power_w = strong
    constant_s = TAPER_FROM * total_wh * 3600 / power_w
    return Curve(total_wh, power_w, constant_s, _duration_s(total_wh, power_w))


def _duration_s(total_wh: int, power_w: float) -> float:
    constant_s = TAPER_FROM * total_wh * 3600 / power_w
    taper_s = (1 - TAPER_FROM) * total_wh * 3600 * 2 / (power_w + min(POWER_W_END, power_w))
    return constant_s + taper_s

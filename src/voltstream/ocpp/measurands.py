"""The measurands of all versions: those not here are kept, and flagged."""

from __future__ import annotations

IMPORT_REGISTER = "Energy.Active.Import.Register"
EXPORT_REGISTER = "Energy.Active.Export.Register"
IMPORT_INTERVAL = "Energy.Active.Import.Interval"
POWER_IMPORT = "Power.Active.Import"

_SHARED = """
Current.Export Current.Import Current.Offered Energy.Active.Export.Register
Energy.Active.Import.Register Energy.Reactive.Export.Register Energy.Reactive.Import.Register
Energy.Active.Export.Interval Energy.Active.Import.Interval Energy.Reactive.Export.Interval
Energy.Reactive.Import.Interval Frequency Power.Active.Export Power.Active.Import Power.Factor
Power.Offered Power.Reactive.Export Power.Reactive.Import SoC Voltage
""".split()  # noqa: SIM905
_OF_16 = ("Temperature", "RPM")
_SINCE_201 = """
Energy.Active.Net Energy.Reactive.Net Energy.Apparent.Net Energy.Apparent.Import
Energy.Apparent.Export
""".split()  # noqa: SIM905
_SINCE_21 = """
Current.Export.Offered Current.Export.Minimum Current.Import.Offered Current.Import.Minimum
Display.PresentSOC Display.MinimumSOC Display.TargetSOC Display.MaximumSOC
Display.RemainingTimeToMinimumSOC Display.RemainingTimeToTargetSOC
Display.RemainingTimeToMaximumSOC Display.ChargingComplete Display.BatteryEnergyCapacity
Display.InletHot Energy.Active.Import.CableLoss Energy.Active.Import.LocalGeneration.Register
Energy.Active.Setpoint.Interval EnergyRequest.Target EnergyRequest.Minimum EnergyRequest.Maximum
EnergyRequest.Minimum.V2X EnergyRequest.Maximum.V2X EnergyRequest.Bulk Power.Active.Setpoint
Power.Active.Residual Power.Export.Minimum Power.Export.Offered Power.Import.Offered
Power.Import.Minimum Voltage.Minimum Voltage.Maximum
""".split()  # noqa: SIM905

KNOWN = frozenset([*_SHARED, *_OF_16, *_SINCE_201, *_SINCE_21])


def is_register(measurand: str) -> bool:
    """Tell whether a value counts a lifetime of energy, so that steps of it are energy."""
    return measurand in (IMPORT_REGISTER, EXPORT_REGISTER)

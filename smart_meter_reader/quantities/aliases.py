"""Names that people bring along from other programs, manuals and displays, and the quantity each means.

Facts from the documentation of kamstrup-402-mqtt (its 31 parameters) and hass-mc66c (the keys that it
publishes), and from the displays and manuals of MULTICAL (Kamstrup 5512-447, section 5.2: E1, V1, T1).
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

_PLAIN: Final = {
    "energy": "heat_energy",
    "heat": "heat_energy",
    "cooling": "cooling_energy",
    "flow": "volume_flow",
    "flow_rate": "volume_flow",
    "temp1": "flow_temperature",
    "temp2": "return_temperature",
    "temp3": "temperature_t3",
    "temp4": "temperature_t4",
    "tempdiff": "temperature_difference",
    "temp_diff": "temperature_difference",
    "temp1xm3": "volume_times_flow_temperature",
    "temp2xm3": "volume_times_return_temperature",
    "temp_1": "flow_temperature",
    "temp_2": "return_temperature",
    # 113 counts events; the code itself is 99.
    "infoevent": "info_event_count",
    "info": "info_code",
    "hourcounter": "operating_hours",
    "hours": "operating_hours",
    "operatinghours": "operating_hours",
    "temperature_in": "flow_temperature",
    "temperature_out": "return_temperature",
    "temperature_diff": "temperature_difference",
    "peak_power": "power_maximum_month",
    "peak_power_actual": "power_maximum_month",
    "serial": "serial_number",
}

_MANUAL: Final = {
    "e1": "heat_energy",
    "e2": "control_energy",
    "e3": "cooling_energy",
    "e4": "flow_energy",
    "e5": "return_energy",
    "e6": "tap_water_energy",
    "e7": "heat_energy_y",
    "e8": "volume_times_flow_temperature",
    "e9": "volume_times_return_temperature",
    "e10": "energy_e10",
    "e11": "energy_e11",
    "a1": "heat_energy_a1",
    "a2": "heat_energy_a2",
    "v1": "volume",
    "v2": "volume_2",
    "m1": "mass",
    "m2": "mass_2",
    "t1": "flow_temperature",
    "t2": "return_temperature",
    "t3": "temperature_t3",
    "t4": "temperature_t4",
    "t1_t2": "temperature_difference",
    "t1t2": "temperature_difference",
    "dt": "temperature_difference",
    "p1": "flow_pressure",
    "p2": "return_pressure",
    "flow1": "volume_flow",
    "flow2": "volume_flow_2",
    "power1": "power",
    "ta2": "energy_tariff_2",
    "ta3": "energy_tariff_3",
    "ta4": "energy_tariff_4",
    "tl2": "tariff_limit_2",
    "tl3": "tariff_limit_3",
    "hr": "operating_hours",
}


def _peaks() -> dict[str, str]:
    """minflow_m, maxflowdate_y, avgtemp1_m and their like."""
    names: dict[str, str] = {}
    for letter, period in (("m", "month"), ("y", "year")):
        for extreme in ("min", "max"):
            for what, quantity in (("flow", "volume_flow"), ("power", "power")):
                peak = f"{quantity}_{extreme}imum_{period}"
                names[f"{extreme}{what}_{letter}"] = peak
                names[f"{extreme}{what}date_{letter}"] = f"{peak}_date"
        names[f"avgtemp1_{letter}"] = f"flow_temperature_average_{period}"
        names[f"avgtemp2_{letter}"] = f"return_temperature_average_{period}"
    return names


ALIASES: Final[Mapping[str, str]] = MappingProxyType({**_PLAIN, **_MANUAL, **_peaks()})
"""The quantity by the name brought along, in lower case and with ``_`` for blanks and hyphens."""


def folded(name: str) -> str:
    """A name as the table has it: "T1-T2" becomes "t1_t2"."""
    return name.strip().lower().replace("-", "_").replace(" ", "_")


def meant_by(name: str) -> str:
    """The quantity that a name brought along stands for; "" for one that is no such name."""
    return ALIASES.get(folded(name), "")


def quantity_meant(name: str) -> str:
    """The same, and a canonical name in any case: hass-mc66c publishes Volume and Power."""
    return meant_by(name) or folded(name)


def names_for(quantity: str) -> tuple[str, ...]:
    """The names brought along for a quantity."""
    return tuple(name for name, meant in ALIASES.items() if meant == quantity)

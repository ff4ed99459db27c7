"""Codes of Landis+Gyr's heat meters (2WR5, T550 = UH50): one value as a rule, two in 9.4 and 9.36.

Sources: "Landis+Gyr UH50/T550, data telegram" as vpathuis/ultraheat reads it (MIT), the wiki of
volkszaehler.org (landis_gyr_uh50_t550), and psvanstrom/esphome-uh50reader (MIT) for what only ``/#!`` gives.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

MANUFACTURER: Final = "LUG"

CODES: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        "6.4": ("power",),
        "6.6": ("power_maximum_year",),
        "6.27": ("volume_flow",),
        "6.28": ("return_temperature",),
        "6.29": ("flow_temperature",),
        "6.30": ("temperature_difference",),
        "6.32": ("error_hours",),
        "6.33": ("volume_flow_maximum_year",),
        "6.35": ("averaging_time",),
        "9.4": ("flow_temperature_maximum_year", "return_temperature_maximum_year"),
        "9.24": ("nominal_volume_flow",),
        "9.31": ("flow_hours",),
        # *01 is what was at the last set day, a year ago at most: nothing of it is a current value.
        "6.8*01": ("heat_energy_previous_year",),
        "6.26*01": ("volume_previous_year",),
        "6.6*01": ("power_maximum_previous_year",),
        "6.32*01": ("error_hours_previous_year",),
        "6.33*01": ("volume_flow_maximum_previous_year",),
        "9.4*01": ("flow_temperature_maximum_previous_year", "return_temperature_maximum_previous_year"),
    }
)
"""The quantities of a code's values, in their order. These meters write C.D and no A-B."""

ERROR_CODE: Final = "F"
"""Without a unit: 0 is no fault."""


def is_landis_gyr_heat(codes: frozenset[str]) -> bool:
    """Whether a readout is of such a meter: 9.20 beside heat or volume is written by no other."""
    return "9.20" in codes and bool(codes & {"6.8", "6.26"})

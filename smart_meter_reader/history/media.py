"""What a household pays for, and the counters that tell it: the main counter of each medium. Pure."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from enum import StrEnum


class Medium(StrEnum):
    """What flows through a meter."""

    HEAT = "heat"
    COOLING = "cooling"
    ELECTRICITY = "electricity"
    EXPORT = "export"  # electricity that goes out
    GAS = "gas"
    WATER = "water"


@dataclass(frozen=True, slots=True)
class MainCounter:
    """What of one meter is counted of a medium: one quantity, or several that add up, such as tariffs."""

    medium: Medium
    quantities: tuple[str, ...]

    @property
    def key(self) -> str:
        """The quantity that it is, or that all of them together are."""
        return self.quantities[0].partition("_tariff_")[0] if len(self.quantities) > 1 else self.quantities[0]


# By medium: what counts it, the best first. The finer register of a MULTICAL turns over soon.
_COUNTERS: tuple[tuple[Medium, tuple[str, ...]], ...] = (
    (Medium.HEAT, ("heat_energy", "heat_energy_high_resolution")),
    (Medium.COOLING, ("cooling_energy", "cooling_energy_high_resolution")),
    (Medium.ELECTRICITY, ("active_energy_import", "active_energy_import_high_resolution")),
    (Medium.EXPORT, ("active_energy_export", "active_energy_export_high_resolution")),
    (Medium.GAS, ("gas_volume",)),
    (Medium.WATER, ("water_volume",)),
)
# A water meter of Kamstrup tells its volume in the register in which a heat meter has that of its carrier.
_VOLUMES = ("volume", "volume_high_resolution")
# Import is what all tariffs tell together, where the meter has no total. Numbers as in the catalogue.
_TARIFFED = frozenset({Medium.ELECTRICITY, Medium.EXPORT})
_TARIFFS = (1, 2, 3, 4, 11, 12, 13)


def main_counters(kept: Collection[str]) -> list[MainCounter]:
    """What a meter counts, by the quantities that are kept of it; its main counter is the first.

    Empty for a meter that counts none of these.
    """
    found = [MainCounter(medium, told) for medium, keys in _COUNTERS if (told := _told(medium, keys, kept))]
    if found:
        return found
    return [MainCounter(Medium.WATER, (key,)) for key in _VOLUMES if key in kept][:1]


def _told(medium: Medium, keys: Sequence[str], kept: Collection[str]) -> tuple[str, ...]:
    for key in keys:
        if key in kept:
            return (key,)
        if medium in _TARIFFED:
            tariffs = tuple(name for each in _TARIFFS if (name := f"{key}_tariff_{each}") in kept)
            if tariffs:
                return tariffs
    return ()


def medium_of(told: Collection[str]) -> str:
    """What flows through a meter that tells these quantities, as a word of Medium; "" where nothing shows it.

    Of several the first one: a heat meter that also cools is one of heat. One that exports is of electricity.
    """
    found = main_counters(told)
    if found:
        return Medium.ELECTRICITY if found[0].medium is Medium.EXPORT else found[0].medium
    return Medium.ELECTRICITY if "active_power_import" in told else ""

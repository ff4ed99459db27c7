"""The settings of an environment, with all the drivers that this program has."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from smart_meter_reader.guard.settings import GuardSettings
from smart_meter_reader.meters.registry import METERS
from smart_meter_reader.settings.loading import LoadedSettings, Registries, checked, load_environment
from smart_meter_reader.sinks.registry import SINKS

REGISTRIES = Registries(METERS, SINKS, GuardSettings, "smart_meter_reader.fleet.leases:DRIVER")


def load_settings(directory: Path | None = None, environment: str | None = None) -> LoadedSettings:
    """As ``settings.loading.load_environment``."""
    return load_environment(directory, environment, registries=REGISTRIES)


def checked_settings(found: Mapping[str, Any]) -> LoadedSettings:
    """As ``settings.loading.checked``."""
    return checked(found, REGISTRIES)

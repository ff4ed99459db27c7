"""The settings of an environment, with all the drivers that this program has."""

from __future__ import annotations

from pathlib import Path

from smart_meter_reader.guard.settings import GuardSettings
from smart_meter_reader.meters.registry import METERS
from smart_meter_reader.settings.loading import LoadedSettings, Registries, load
from smart_meter_reader.sinks.registry import SINKS

REGISTRIES = Registries(METERS, SINKS, GuardSettings)


def load_settings(directory: Path | None = None, environment: str | None = None) -> LoadedSettings:
    """As ``settings.loading.load``."""
    return load(directory, environment, registries=REGISTRIES)

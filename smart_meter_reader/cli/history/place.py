"""Which history a command means: that of an environment."""

from __future__ import annotations

from pathlib import Path

from smart_meter_reader.exceptions import SettingsError
from smart_meter_reader.guard.state import SERVICE_STATE
from smart_meter_reader.history.errors import NoHistoryError
from smart_meter_reader.history.places import history_file
from smart_meter_reader.settings.loading import ServiceSettings
from smart_meter_reader.sinks.history.settings import HistorySettings
from smart_meter_reader.sinks.web.settings import WebSettings


def history_settings(settings: ServiceSettings) -> HistorySettings:
    """The settings of the sink `history` of an environment. Raises SettingsError when it has none."""
    for sink in settings.sinks.values():
        if isinstance(sink.driver, HistorySettings):
            return sink.driver
    name = settings.environment
    raise SettingsError([f"[{name}] keeps no history: add [{name}.sinks.history] to settings.toml"])


def producing_meter(settings: ServiceSettings) -> str:
    """The meter that counts what is produced here, as the sink `web` is told; "" where none does."""
    web = (sink.driver for sink in settings.sinks.values())
    return next((each.production for each in web if isinstance(each, WebSettings)), "")


def path_of(settings: HistorySettings) -> Path:
    """Where the history is. Raises SettingsError where this computer has no place for it."""
    path = settings.file
    if path is None:
        raise SettingsError(
            ["there is no place for a history: neither STATE_DIRECTORY nor HOME is set; set `directory`"]
        )
    return path


def existing_history(environment: str | None) -> Path:
    """The history of ENV that is there: that of this user, or that of the service of systemd.

    Raises SettingsError, and NoHistoryError where there is none or another user's.
    """
    from smart_meter_reader.cli.settings import load_settings

    settings = load_settings(environment=environment).settings
    return existing_of(history_settings(settings), settings.environment)


def existing_of(settings: HistorySettings, environment: str) -> Path:
    """The same where the settings are read already."""
    path = path_of(settings)
    if path.exists() or settings.directory:
        return path
    of_service = history_file(SERVICE_STATE / environment, settings.file_name)
    try:
        return of_service if of_service.exists() else path
    except PermissionError:
        raise NoHistoryError(
            "history_of_the_service",
            f"there is no history in {path}; that of the service is in {of_service.parent}, which only root "
            "may read: call the same command with sudo",
        ) from None


def path_for_import(settings: HistorySettings, environment: str) -> Path:
    """Where what is imported belongs: into the history that is there, else into a new one of this user."""
    try:
        return existing_of(settings, environment)
    except NoHistoryError:  # nobody but root sees whether the service has one
        return path_of(settings)


def path_for_restore(settings: HistorySettings, environment: str) -> Path:
    """Where the history of ENV belongs: where one is, else where the service of systemd has its others."""
    found = existing_of(settings, environment)
    of_service = history_file(SERVICE_STATE / environment, settings.file_name)
    elsewhere = not settings.directory and not found.exists() and of_service.parent.exists()
    return of_service if elsewhere else found

"""Starts the service: settings, logging, tasks. Used by `run`, and directly when there are no arguments."""

from __future__ import annotations

import signal

from smart_meter_reader.settings.source import begin_source


def start(environment: str | None = None, *, once: bool = False) -> int:
    """Run an environment (None: the one that ENV_FOR_DYNACONF names); the exit code of the process.

    Raises SettingsError when the settings cannot be used.
    """
    # Asks for a reading at once (see ``app``). Too early it must end neither us nor the child that runs
    # config.py; systemd sends it to both.
    signal.signal(signal.SIGUSR1, signal.SIG_IGN)
    source = begin_source(environment=environment)
    # Imported here, while dynaconf is imported in the child, which takes nearly as long.
    import logging

    from smart_meter_reader.app import run_service
    from smart_meter_reader.log import set_up_logging
    from smart_meter_reader.settings.loading import load

    loaded = load(source=source)
    set_up_logging(loaded.settings.log_level)
    for warning in loaded.warnings:
        logging.getLogger(__name__).warning("%s", warning)
    return run_service(loaded.settings, once=once)

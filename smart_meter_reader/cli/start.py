"""Starts the service: settings, logging, tasks. Used by `run`, and directly when there are no arguments."""

from __future__ import annotations

import os
import signal
from types import FrameType

from smart_meter_reader.console import EXIT_OK


def start(environment: str | None = None, *, once: bool = False) -> int:
    """Run an environment (None: the one that ENV_FOR_DYNACONF names); the exit code of the process.

    Raises SettingsError when the settings cannot be used.
    """
    _leave_when_asked()
    from smart_meter_reader.settings.files.config_file import forget_dynaconf
    from smart_meter_reader.settings.files.source import read_source

    # Before anything else is imported, so that it is put where dynaconf was: this process stays for months.
    found = read_source(environment=environment)
    forget_dynaconf()

    import logging

    from smart_meter_reader.app import run_service
    from smart_meter_reader.cli.settings import checked_settings
    from smart_meter_reader.log import set_up_logging

    loaded = checked_settings(found)
    set_up_logging(loaded.settings.log_level)
    for warning in loaded.warnings:
        logging.getLogger(__name__).warning("%s", warning)
    return run_service(loaded.settings, once=once)


def _leave_when_asked() -> None:
    """Until the service can stop in order there is nothing to stop: whoever asks for it has it at once."""

    def leave(_number: int, _frame: FrameType | None) -> None:
        os._exit(EXIT_OK)

    for number in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) is not signal.SIG_IGN:  # as nohup leaves it
            signal.signal(number, leave)

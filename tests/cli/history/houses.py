"""A directory with settings and a history, as `init` and some days of running leave it."""

from __future__ import annotations

from collections.abc import Iterable
from importlib import resources
from pathlib import Path

from smart_meter_reader.history.places import history_file
from smart_meter_reader.history.storage.store import Store
from smart_meter_reader.messages import Message
from tests.history.homes import keep

SETTINGS = """
[home.meters.heat]
client = "dummy"

[home.sinks.history]
directory = "state"
"""


def house(directory: Path, messages: Iterable[Message] = (), zone: str = "Europe/Amsterdam") -> Path:
    """Write settings and a history of ``messages``; the file of the history, which is there if any came."""
    config = resources.files("smart_meter_reader").joinpath("templates", "config.py.template")
    (directory / "config.py").write_bytes(config.read_bytes())
    (directory / "settings.toml").write_text(SETTINGS, encoding="utf-8")
    path = history_file(directory / "state", "home")
    path.parent.mkdir(exist_ok=True)
    kept = list(messages)
    if kept:
        keep(path, kept)
        store = Store(path)
        store.open()
        store.keep_setting("time_zone", zone)
        store.close()
    return path

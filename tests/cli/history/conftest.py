"""A house with settings and a history of two weeks."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

import pytest

from smart_meter_reader.history.storage.schema import ZONE
from smart_meter_reader.history.storage.store import Store
from tests.cli.program import ROOT
from tests.history.homes import energy, keep

T0 = 1_748_728_800  # 2025-06-01 in Amsterdam


@dataclass(frozen=True)
class House:
    """The working directory, and the file of the history."""

    directory: Path
    history: Path


@pytest.fixture
def empty_house(tmp_path: Path) -> House:
    directory = tmp_path / "house"
    directory.mkdir()
    shutil.copy(ROOT / "config.py", directory)
    (directory / "settings.toml").write_text(
        '[home.meters.heat]\nclient = "dummy"\n\n'
        f'[home.sinks.history]\ndirectory = "{tmp_path}/state"\ntime_zone = "Europe/Amsterdam"\n'
    )
    return House(directory, tmp_path / "state" / "home.history.sqlite")


@pytest.fixture
def house(empty_house: House) -> House:
    empty_house.history.parent.mkdir()
    keep(empty_house.history, [energy(T0 + i * 3600, Decimal(1000) + Decimal(i) / 4) for i in range(14 * 24)])
    store = Store(empty_house.history)
    store.open()
    store.keep_setting(ZONE, "Europe/Amsterdam")
    store.close()
    return empty_house

"""Which history is meant: that of this user, else that of the service of systemd."""

from __future__ import annotations

from pathlib import Path

import pytest

from smart_meter_reader.cli.commands import invoke
from smart_meter_reader.cli.history import place
from smart_meter_reader.console import EXIT_OK
from smart_meter_reader.sinks.history import examination
from smart_meter_reader.sinks.history.settings import HistorySettings
from tests.cli.history.houses import house
from tests.history.homes import energy, keep

T0 = 1_767_222_000


async def test_the_history_of_the_service_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    own, service = tmp_path / "own", tmp_path / "service"
    monkeypatch.setenv("XDG_STATE_HOME", str(own))
    for module in (place, examination):
        monkeypatch.setattr(module, "SERVICE_STATE", service)
    settings = HistorySettings().named("home")
    assert settings.file is not None
    assert place.existing_of(settings, "home") == settings.file
    assert place.path_for_restore(settings, "home") == settings.file
    assert place.path_for_import(settings, "home") == settings.file
    of_service = service / "home" / "home.history.sqlite"
    of_service.parent.mkdir(parents=True)
    # A new one belongs there too: it is where the service will look.
    assert place.path_for_restore(settings, "home") == of_service
    keep(of_service, [energy(T0, "1")])
    assert place.existing_of(settings, "home") == of_service
    told = [check async for check in examination.examine("history", settings)]
    assert any(str(of_service) in check.text and "is sound" in check.text for check in told)
    assert place.path_for_import(settings, "home") == of_service
    settings.file.parent.mkdir(parents=True, exist_ok=True)
    keep(settings.file, [energy(T0, "1")])
    assert place.existing_of(settings, "home") == settings.file


def test_an_export_finds_the_history_of_the_service(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    house(tmp_path)
    (tmp_path / "settings.toml").write_text('[home.meters.heat]\nclient = "dummy"\n\n[home.sinks.history]\n')
    service = tmp_path / "service"
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "own"))
    monkeypatch.setattr(place, "SERVICE_STATE", service)
    monkeypatch.chdir(tmp_path)
    keep(service / "home" / "home.history.sqlite", [energy(T0, "1"), energy(T0 + 3600, "2")])
    assert invoke(["history", "export", "--step", "readings", "-o", "out.csv"]) == EXIT_OK
    assert (tmp_path / "out.csv").read_text().count("heat_energy") == 2

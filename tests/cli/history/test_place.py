"""Which history is meant: that of this user, else that of the service of systemd."""

from __future__ import annotations

from pathlib import Path

import pytest

from smart_meter_reader.cli.history import place
from smart_meter_reader.sinks.history import examination
from smart_meter_reader.sinks.history.settings import HistorySettings
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
    of_service = service / "home" / "home.history.sqlite"
    of_service.parent.mkdir(parents=True)
    # A new one belongs there too: it is where the service will look.
    assert place.path_for_restore(settings, "home") == of_service
    keep(of_service, [energy(T0, "1")])
    assert place.existing_of(settings, "home") == of_service
    told = [check async for check in examination.examine("history", settings)]
    assert any(str(of_service) in check.text and "is sound" in check.text for check in told)
    settings.file.parent.mkdir(parents=True, exist_ok=True)
    keep(settings.file, [energy(T0, "1")])
    assert place.existing_of(settings, "home") == settings.file

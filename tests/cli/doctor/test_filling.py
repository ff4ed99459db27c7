"""The doctor tells what the service still has to read of a meter's own memory."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from smart_meter_reader.cli.doctor.filling_checks import check_filling
from smart_meter_reader.guard.memory import MeterMemory, encode
from smart_meter_reader.guard.settings import GuardSettings
from smart_meter_reader.meters.backfill import memory
from smart_meter_reader.meters.backfill.plan import Planner
from smart_meter_reader.meters.backfill.state import LoggerFacts
from smart_meter_reader.meters.kmp.client import KamstrupClient
from smart_meter_reader.meters.kmp.settings import KamstrupSettings
from smart_meter_reader.settings.loading import MeterSettings

METER = MeterSettings("heat", "kamstrup", KamstrupSettings(port="/dev/heat"), GuardSettings())


def kept(hours: int) -> dict[str, object]:
    client = KamstrupClient("heat", KamstrupSettings(port="/dev/heat"))
    planner: Planner = client._backfill._planner
    planner.meet("1", datetime.now(UTC))
    planner.learn({"hour": LoggerFacts(960, (348, 60, 68))})
    planner.note_extent("hour", (0, hours - 1), datetime.now(UTC) - timedelta(hours=1))
    return memory.encode(planner)


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (
            encode({"heat": MeterMemory("kamstrup /dev/heat", client=kept(960))}),
            "hours of 40 days, about 4 days",
        ),
        # It is kept with the meter's serial number, so it holds where the head was moved to another port.
        (encode({"heat": MeterMemory("kamstrup /dev/other", client=kept(960))}), "hours of 40 days"),
        (encode({"heat": MeterMemory("iec62056_21 /dev/heat", client=kept(960))}), ""),
        (encode({"heat": MeterMemory("kamstrup /dev/heat", client={"foreign": 1})}), ""),
        ("damaged", ""),
        (None, ""),
    ],
    ids=("kept", "other port", "other client", "foreign", "damaged", "none"),
)
def test_what_is_missing_is_told_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: str | None, told: str
) -> None:
    monkeypatch.setenv("STATE_DIRECTORY", str(tmp_path))
    if content is not None:
        (tmp_path / "home.json").write_text(content, encoding="utf-8")
    checks = [check.text for check in check_filling("meter heat", METER, "home")]
    assert bool(checks) == bool(told)
    assert all(told in text for text in checks)
    # A file that is damaged is the service's to set aside.
    assert (tmp_path / "home.json").exists() == (content is not None)

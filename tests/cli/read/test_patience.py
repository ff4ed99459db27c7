"""How long `read`, `doctor` and `diagnose` wait for a reading."""

from __future__ import annotations

from datetime import timedelta

import pytest

from smart_meter_reader.cli.read.patience import patience_for
from smart_meter_reader.meters.base import ClientSettings
from smart_meter_reader.meters.dlms.settings import DlmsSettings
from smart_meter_reader.meters.iec62056_21.settings import Iec62056_21Settings
from smart_meter_reader.meters.p1.settings import DsmrSettings

PORT = "/dev/ttyUSB0"


@pytest.mark.parametrize(
    ("settings", "wanted", "seconds"),
    [
        (DsmrSettings(port=PORT), None, 60),
        (Iec62056_21Settings(port=PORT), None, 310),
        (DsmrSettings(port=PORT, timeout=timedelta(minutes=2)), None, 130),
        (Iec62056_21Settings(port=PORT, poll_timeout=timedelta(seconds=60)), None, 70),
        (Iec62056_21Settings(port=PORT, poll_timeout=timedelta(seconds=20)), None, 60),
        (Iec62056_21Settings(port=PORT), 5.0, 5),
        # An XT211 sends once a minute, and its client says after 75 s what is wrong.
        (DlmsSettings(port=PORT), None, 85),
        (DlmsSettings(port=PORT, timeout=timedelta(seconds=30)), None, 60),
    ],
)
def test_as_long_as_the_client_may_take(
    settings: ClientSettings, wanted: float | None, seconds: float
) -> None:
    assert patience_for(settings, wanted) == seconds

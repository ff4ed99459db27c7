"""The whole service with a database, killed again and again: what it has told is there, each once."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.peers.influxdb_stand_in import BUCKET, TOKEN, InfluxStandIn
from tests.peers.service_process import service_process

SETTINGS = """
[home.meters.dummy]
client = "dummy"
interval = "100ms"
[home.sinks.stdout]
format = "json"
[home.sinks.influxdb]
api = "v3"
url = "URL"
database = "BUCKET"
every = "0s"
write_every = "300ms"
spool_after = "0s"
"""


def told_by(messages: list[dict[str, Any]]) -> list[set[tuple[str, int]]]:
    """Of each reading its quantities with their times in ns."""
    epoch = datetime(1970, 1, 1, tzinfo=UTC)
    found = []
    for message in messages:
        if message["type"] == "reading":
            time = (datetime.fromisoformat(message["time"]) - epoch) // timedelta(microseconds=1) * 1000
            numbers = {
                key
                for key, each in message["measurements"].items()
                if not isinstance(each["value"], str) and "measured_at" not in each
            }
            found.append({(key, time) for key in numbers})
    return found


@pytest.mark.parametrize("away", [False, True])
async def test_after_each_kill_nothing_is_missing_in_between(tmp_path: Path, away: bool) -> None:
    runs: list[list[set[tuple[str, int]]]] = []
    with InfluxStandIn(3) as server:
        settings = SETTINGS.replace("URL", server.url).replace("BUCKET", BUCKET)
        secrets = tmp_path / ".secrets.toml"
        secrets.write_text(f'[home.sinks.influxdb]\ntoken = "{TOKEN}"\n')
        secrets.chmod(0o600)
        if away:
            server.stop()
        for number in range(4):
            last = number == 3
            if away and last:
                server.start()
            async with service_process(tmp_path, settings, "home") as service:
                await service.more_readings(7 + number)
                await (service.stop() if last else service.kill())
                runs.append(told_by(service.messages))
                assert TOKEN not in service.log
        stored = {(key, time) for _, key, _, time, _ in server.values}
    kept = [[each <= stored for each in told] for told in runs]
    assert all(kept[-1]), "that one stopped in order"
    for each in kept:
        # The other sink may have told of readings that this one did not have yet: they were the last.
        assert each == sorted(each, reverse=True), kept
    assert sum(map(sum, kept[:-1])) > 5

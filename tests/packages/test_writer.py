"""The writer of a fleet as a service of the package: start, notification, restart, and when it gives up."""

from __future__ import annotations

import re

import pytest

from smart_meter_reader.fleet.keys import new_key
from smart_meter_reader.service.unit import WRITER
from tests.packages.machine import CommandError, Machine

pytestmark = pytest.mark.packages

UNIT = WRITER.unit
PLACE = "/etc/smart_meter_reader_writer"
# Nobody listens there: a writer runs all the same, and says so.
SETTINGS = """\
[writer]
servers = ["127.0.0.1:4222"]
database = "postgresql://smr@127.0.0.1:5432/meters"
"""


def test_the_writer_runs_is_restarted_and_gives_up_where_a_person_is_needed(machine: Machine) -> None:
    machine.run(
        f"mkdir -p {PLACE} /run/systemd/system/{UNIT}.d && cp /etc/smart_meter_reader/config.py {PLACE}"
    )
    machine.put(f"/run/systemd/system/{UNIT}.d/soon.conf", "[Service]\nRestartSec=100ms\n")
    machine.put(f"{PLACE}/settings.toml", SETTINGS)
    secrets = f'[writer]\nnkey = "{new_key().seed.reveal()}"\ndatabase_password = "only for the database"\n'
    machine.put(f"{PLACE}/.secrets.toml", secrets, 0o600)
    said = machine.run(f"cd {PLACE} && smart-meter-reader service install --yes writer 2>&1")
    assert "only for the database" not in said
    assert machine.unit(UNIT, "Type") == "notify"
    machine.wait_for(UNIT, "ActiveState", "active")
    assert machine.unit(UNIT, "UnitFileState") == "enabled"
    assert machine.unit(UNIT, "FragmentPath").endswith(f"/lib/systemd/system/{UNIT}")
    pid = machine.unit(UNIT, "MainPID")
    assert machine.run(f"stat -c %u /proc/{pid}").strip() != "0"
    exposure = re.search(
        r"Overall exposure level for \S+: ([0-9.]+)",
        machine.run(f"systemd-analyze security --no-pager {UNIT}"),
    )
    assert exposure
    assert float(exposure[1]) <= 2.0

    # What it waits for stands in its status; it was ready before.
    where = "nothing listens on postgresql://smr@127.0.0.1:5432/meters"
    machine.wait_for(UNIT, "StatusText", f"{where}: check `database`, and whether it runs")
    get = "import urllib.request as r; print(r.urlopen('http://127.0.0.1:9188/metrics').read().decode())"
    assert "smart_meter_fleet_connected 0.0" in machine.run(
        f'/usr/lib/smart-meter-reader/bin/python -c "{get}"'
    )

    machine.run(f"kill -KILL {pid}")
    machine.wait_for(UNIT, "NRestarts", "1")
    machine.wait_for(UNIT, "ActiveState", "active")
    assert machine.unit(UNIT, "MainPID") not in ("0", pid)

    machine.put(f"{PLACE}/settings.toml", SETTINGS.replace("database", "databank"))
    with pytest.raises(CommandError):
        machine.run(f"systemctl restart {UNIT}")
    assert machine.unit(UNIT, "ActiveState") == "failed"
    assert machine.unit(UNIT, "ExecMainStatus") == "78"
    assert machine.unit(UNIT, "NRestarts") == "0"  # of this start
    assert 'did you mean "database"?' in machine.journal(UNIT)
    assert "only for the database" not in machine.journal(UNIT)

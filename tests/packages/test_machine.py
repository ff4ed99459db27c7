"""The Debian package on a machine: two services, restarts, upgrade, removal, purge, an apt repository."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import pytest

from smart_meter_reader.service.unit import instance_name
from tests.packages.conftest import ROOT, Packages, install
from tests.packages.deeds import KEY, emulate, files, wait_for_reading
from tests.packages.machine import CommandError, Machine, wait_until

pytestmark = pytest.mark.packages

# An emulated P1 meter that encrypts, so that the service needs its secrets, and a heat meter.
SETTINGS = """\
[house.meters.electricity]
client = "dsmr"
port = "/dev/meters/p1"
interval = "1s"

[house.sinks.stdout]
format = "json"

[cellar.meters.heat]
client = "kamstrup"
port = "/dev/meters/heat"
interval = "3s"
mains_powered = true

[cellar.sinks.stdout]
format = "json"

[cellar.sinks.history]
"""
SECRETS = f"""\
[house.meters.electricity]
key = "{KEY}"
authentication_key = "{KEY}"
"""
STATE = "/var/lib/private/smart_meter_reader"
HOUSE, CELLAR = instance_name("house"), instance_name("cellar")


def start_both(machine: Machine) -> None:
    """Two emulated meters, and the services of both environments with a first reading."""
    emulate(machine, "p1", "p1 --dialect luxembourg --encrypt --rate 1/s")
    emulate(machine, "heat", "kamstrup")
    machine.put("/etc/smart_meter_reader/settings.toml", SETTINGS)
    machine.put("/etc/smart_meter_reader/.secrets.toml", SECRETS, 0o600)
    machine.run(f"systemctl enable --now {HOUSE} {CELLAR} 2>&1")
    wait_for_reading(machine, HOUSE, '"active_energy_import')
    wait_for_reading(machine, CELLAR, '"heat_energy"')


def test_two_instances_run_from_one_package(machine: Machine) -> None:
    start_both(machine)
    machine.wait_for(HOUSE, "StatusText", "electricity online")
    machine.wait_for(CELLAR, "StatusText", "heat online")
    users = set()
    for unit in (HOUSE, CELLAR):
        assert machine.unit(unit, "ActiveState") == "active"
        assert machine.unit(unit, "Type") == "notify"
        assert machine.unit(unit, "FragmentPath").endswith("/lib/systemd/system/smart_meter_reader@.service")
        pid = machine.unit(unit, "MainPID")
        users.add(machine.run(f"ps -o uid= -p {pid} 2>/dev/null || stat -c %u /proc/{pid}").strip())
        said = machine.run(f"systemd-analyze security --no-pager {unit}")
        exposure = re.search(r"Overall exposure level for \S+: ([0-9.]+)", said)
        assert exposure, said
        assert float(exposure[1]) <= 2.0
    # A user of its own for each, which no file of the system names.
    assert len(users) == 2
    assert "0" not in users
    assert "smr" not in machine.run("cat /etc/passwd")
    # Only root reads the secrets; that the encrypted meter was understood shows that they were handed on.
    assert machine.run("stat -c '%U %a' /etc/smart_meter_reader/.secrets.toml") == "root 600\n"
    both = f"test -e {STATE}/cellar/cellar.json && test -e {STATE}/cellar/cellar.history.sqlite"
    wait_until(
        lambda: machine.run(f"{both} && echo there || true") != "", lambda: machine.run(f"find {STATE}")
    )
    # Byte code is there: the service itself could not write it.
    home = "/usr/lib/smart-meter-reader/lib"
    assert machine.run(f"find {home} -name 'app.*.pyc' -path '*smart_meter_reader*'")


def test_service_install_leaves_the_unit_to_the_package(machine: Machine) -> None:
    emulate(machine, "heat", "kamstrup")
    page = "\n[cellar.sinks.web]\nport = 8090\n"
    machine.put("/etc/smart_meter_reader/settings.toml", SETTINGS + page)
    said = machine.run("cd /etc/smart_meter_reader && smart-meter-reader service install --yes cellar 2>&1")
    assert f"sudo systemctl enable --now {CELLAR}" in said
    assert machine.run("find /etc/systemd/system -maxdepth 1 -name 'smart_meter_reader*'").split() == [
        f"/etc/systemd/system/{CELLAR}.d"
    ]
    drop_in = machine.run(f"cat /etc/systemd/system/{CELLAR}.d/10-paths.conf")
    assert "SocketBindAllow=tcp:8090" in drop_in
    assert "ExecStart" not in drop_in
    wait_for_reading(machine, CELLAR, '"heat_energy"')
    get = "from urllib.request import urlopen; print(urlopen('http://127.0.0.1:8090/').read().decode())"
    assert "<html" in machine.run(f'/usr/lib/smart-meter-reader/bin/python -c "{get}"')
    doctor = machine.run("cd /etc/smart_meter_reader && smart-meter-reader doctor cellar 2>&1")
    assert "the Debian package; to update: sudo apt update" in doctor
    # Without the page the package's unit says it all.
    machine.put("/etc/smart_meter_reader/settings.toml", SETTINGS)
    machine.run("cd /etc/smart_meter_reader && smart-meter-reader service install --yes cellar 2>&1")
    assert machine.run("find /etc/systemd/system -maxdepth 1 -name 'smart_meter_reader*'") == ""
    assert machine.unit(CELLAR, "ActiveState") == "active"
    machine.run("cd /etc/smart_meter_reader && smart-meter-reader service restart cellar 2>&1")
    machine.run("cd /etc/smart_meter_reader && smart-meter-reader service uninstall --yes cellar 2>&1")
    assert machine.unit(CELLAR, "ActiveState") == "inactive"
    assert machine.unit(CELLAR, "FragmentPath")


def test_what_hangs_or_dies_is_started_again_and_what_cannot_run_is_not(machine: Machine) -> None:
    machine.run("mkdir -p /run/systemd/system/smart_meter_reader@.service.d")
    machine.put(
        "/run/systemd/system/smart_meter_reader@.service.d/soon.conf",
        "[Service]\nWatchdogSec=4s\nRestartSec=100ms\nTimeoutAbortSec=4s\n",
    )
    machine.run("systemctl daemon-reload")
    start_both(machine)
    machine.run(f"kill -STOP {machine.unit(CELLAR, 'MainPID')}")
    machine.wait_for(CELLAR, "NRestarts", "1")
    assert "Watchdog timeout" in machine.journal(CELLAR)
    machine.wait_for(CELLAR, "ActiveState", "active")
    machine.run(f"kill -KILL {machine.unit(CELLAR, 'MainPID')}")
    machine.wait_for(CELLAR, "NRestarts", "2")
    machine.wait_for(CELLAR, "ActiveState", "active")
    assert machine.unit(HOUSE, "NRestarts") == "0"

    machine.put("/etc/smart_meter_reader/settings.toml", SETTINGS.replace('"kamstrup"', '"kamstrap"'))
    with pytest.raises(CommandError):
        machine.run(f"systemctl restart {CELLAR}")
    assert machine.unit(CELLAR, "ActiveState") == "failed"
    assert machine.unit(CELLAR, "ExecMainStatus") == "78"
    assert "kamstrap" in machine.journal(CELLAR)


def test_an_upgrade_keeps_settings_and_restarts_what_runs(machine: Machine, packages: Packages) -> None:
    start_both(machine)
    own = "# a line of my own\n"
    machine.put("/etc/smart_meter_reader/settings.toml", SETTINGS + own)
    state = f"ls {STATE}/*"
    before = {unit: machine.unit(unit, "MainPID") for unit in (HOUSE, CELLAR)}
    kept = machine.run(state)
    install(machine, packages.second)
    assert "0.1.0-2" in machine.run("dpkg-query -W smart-meter-reader")
    for unit, pid in before.items():
        machine.wait_for(unit, "ActiveState", "active")
        assert machine.unit(unit, "MainPID") != pid
    assert machine.run("cat /etc/smart_meter_reader/settings.toml") == SETTINGS + own
    assert set(kept.split()) <= set(machine.run(state).split())
    assert machine.run("find /etc/smart_meter_reader -name '*.dpkg-*'") == ""


def test_a_removal_stops_and_a_purge_leaves_nothing(bare: Machine, packages: Packages) -> None:
    before = files(bare)
    install(bare, packages.first)
    start_both(bare)
    bare.run("cd /etc/smart_meter_reader && smart-meter-reader service install --yes cellar 2>&1")
    with_it = files(bare)
    bare.run("apt-get remove -y smart-meter-reader 2>&1")
    for unit in (HOUSE, CELLAR):
        assert bare.unit(unit, "ActiveState") in ("inactive", "failed")
    left = files(bare)
    assert bare.run("find /etc/systemd/system -name 'smart_meter_reader*' -type l") == ""
    # Settings, secrets and state are there for when it comes back; nothing of the program is.
    assert {f"/etc/smart_meter_reader/{name}" for name in ("settings.toml", ".secrets.toml")} <= left
    assert any(path.endswith("cellar.history.sqlite") for path in left)
    assert not [path for path in left if path.startswith("/usr/lib/smart-meter-reader")]
    bare.run("apt-get purge -y smart-meter-reader 2>&1")
    assert files(bare) - before == set()
    assert len(with_it) > len(before) + 1000


def test_apt_updates_from_a_repository(bare: Machine, packages: Packages, tmp_path: Path) -> None:
    home = tmp_path / "gnupg"
    home.mkdir(mode=0o700)
    surroundings = {**os.environ, "GNUPGHOME": str(home)}
    name = "packages@localhost"
    making = [
        "gpg",
        "--batch",
        "--quiet",
        "--passphrase",
        "",
        "--quick-generate-key",
        name,
        "ed25519",
        "sign",
    ]
    subprocess.run(making, env=surroundings, check=True, capture_output=True)
    place = tmp_path / "repository"

    def publish(package: Path) -> None:
        command = [f"{ROOT}/scripts/build-apt-repository", "--key", name, str(place), str(package)]
        subprocess.run(command, env=surroundings, check=True, capture_output=True)
        archive = subprocess.run(["tar", "-C", place, "-c", "."], check=True, capture_output=True).stdout
        bare.run("rm -rf /srv/apt && mkdir -p /srv/apt && tar -x -C /srv/apt", given=archive)

    publish(packages.first)
    release = packages.tree.name
    key = "/etc/apt/keyrings/smart-meter-reader.asc"
    bare.run(f"mkdir -p /etc/apt/keyrings && cp /srv/apt/smart-meter-reader.asc {key}")
    bare.put("/etc/apt/sources.list", "")
    bare.put(
        "/etc/apt/sources.list.d/smart-meter-reader.list",
        f"deb [signed-by={key}] file:/srv/apt {release} main\n",
    )
    bare.run("apt-get update 2>&1")
    bare.run("apt-get install -y smart-meter-reader 2>&1")
    assert "0.1.0-1" in bare.run("dpkg-query -W smart-meter-reader")
    publish(packages.second)
    bare.run("apt-get update 2>&1 && apt-get install -y --only-upgrade smart-meter-reader 2>&1")
    assert "0.1.0-2" in bare.run("dpkg-query -W smart-meter-reader")
    # One byte more in what is signed, and apt takes nothing from there.
    bare.run(f"sed -i 's/^Origin: /Origin: not /' /srv/apt/dists/{release}/InRelease")
    bare.run(f"rm /srv/apt/dists/{release}/Release*")
    assert "error occurred during the signature verification" in bare.run("apt-get update 2>&1 || true")

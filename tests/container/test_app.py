"""The image of the Home Assistant app: from options to a first reading, and root's rights are given up."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.cli.program import ROOT, emulated
from tests.container.podman import container
from tests.peers.mosquitto import MakeBroker, Watcher, make_broker
from tests.peers.ports import free_port
from tests.peers.supervisor_http import TOKEN, SupervisorHttp

DEB = os.environ.get("SMART_METER_READER_DEB", "")
pytestmark = [
    pytest.mark.skipif(not DEB, reason="scripts/test-image builds the package and runs these"),
    pytest.mark.xdist_group("container"),
]
__all__ = ["make_broker"]
IMAGE = "localhost/smart_meter_reader-app:test"


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The image as the Supervisor builds it from the app's folder; here on our own small Debian."""
    folder = tmp_path_factory.mktemp("app") / "smart_meter_reader"
    shutil.copytree(ROOT / "packaging/home_assistant/smart_meter_reader", folder)
    (folder / "packages").mkdir()
    shutil.copy(DEB, folder / "packages")
    done = subprocess.run(
        [
            *("buildah", "build", "--isolation", "chroot", "--format", "docker", "--pull-never"),
            *("--from", "localhost/smart_meter_reader-base:amd64", "--tag", IMAGE, str(folder)),
        ],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return IMAGE


def test_from_options_to_a_reading_without_root(app: str, tmp_path: Path, make_broker: MakeBroker) -> None:
    broker, port, page = make_broker(), free_port(), free_port()
    data = tmp_path / "data"
    data.mkdir()
    address = f"socket://127.0.0.1:{port}"
    meter = {"name": "heat", "client": "kamstrup", "network_address": address, "interval": "2s"}
    (data / "options.json").write_text(
        json.dumps({"meters": [{**meter, "mains_powered": True}], "home_assistant": True})
    )
    (data / "options.json").chmod(0o600)
    with (
        SupervisorHttp({"host": "127.0.0.1", "port": broker.port}) as supervisor,
        emulated("kamstrup", "--listen", str(port)),
    ):
        options = [
            *("--network", "host", "--volume", f"{data}:/data"),
            *("--env", f"SUPERVISOR_TOKEN={TOKEN}", "--env", f"APP_SUPERVISOR={supervisor.url}"),
            *("--env", f"APP_PAGE_PORT={page}"),
        ]
        watcher = Watcher(broker.port)
        with container(app, options) as running:
            running.until("meter heat is online")
            watcher.wait_for(
                lambda seen: any(each.topic == "smart_meter_reader_ha/heat/state" for each in seen)
            )
            running.until_health(0)  # each question has a few seconds, of which a busy computer takes more
            status = running.run("cat", "/proc/1/status").stdout
            assert "Uid:\t65532\t65532\t65532\t65532" in status
            assert "CapEff:\t0000000000000000" in status
            assert TOKEN not in running.run("cat", "/proc/1/environ").stdout
            assert running.stop() == 0, running.log
        watcher.close()
    assert (data / "home.history.sqlite").stat().st_uid == 65532

"""A real InfluxDB 1.x and a real VictoriaMetrics for tests, each on a free loopback port."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import time
import urllib.error
import urllib.request
from base64 import b64encode
from pathlib import Path
from typing import Any, Self
from urllib.parse import urlencode

import pytest

from tests.peers.ports import free_port

PATIENCE = 30.0
ADMIN = ("admin", "wonderland")


class ServerProcess:
    """A process that listens on ``port``, can be killed, frozen, and started again with what it had."""

    def __init__(self, folder: Path, *command: str) -> None:
        self._command = command
        self._log = folder / "server.log"
        self._process: subprocess.Popen[bytes] | None = None
        self.port = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(self._command, stdout=log, stderr=log)
        until = time.monotonic() + PATIENCE
        while not self._answers():
            assert self._process.poll() is None, self._log.read_text(errors="replace")
            assert time.monotonic() < until, self._log.read_text(errors="replace")
            time.sleep(0.05)

    def _answers(self) -> bool:
        try:
            return self.ask("/ping", seconds=5.0)[0] in (200, 204)
        except OSError:
            return False

    def stop(self) -> None:
        if self._process is not None:
            self._process.send_signal(signal.SIGCONT)
            self._process.terminate()
            self._process.wait(PATIENCE)
            self._process = None

    def kill(self) -> None:
        assert self._process is not None
        self._process.kill()
        self._process.wait(PATIENCE)
        self._process = None

    def pause(self) -> None:
        """It takes connections and bytes, and nothing comes back."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        assert self._process is not None
        self._process.send_signal(signal.SIGCONT)

    def ask(
        self, path: str, body: bytes | None = None, login: tuple[str, str] = ADMIN, seconds: float = PATIENCE
    ) -> tuple[int, bytes]:
        """Status and body of an answer."""
        request = urllib.request.Request(f"{self.url}{path}", body)  # noqa: S310 - our own
        request.add_header("Authorization", f"Basic {b64encode(':'.join(login).encode()).decode()}")
        try:
            with urllib.request.urlopen(request, timeout=seconds) as answer:  # noqa: S310
                return answer.status, answer.read()
        except urllib.error.HTTPError as error:
            return error.code, error.read()


class InfluxDb1(ServerProcess):
    """InfluxDB 1.x with the database `home`; ``lines`` are added to its table [http]."""

    def __init__(self, folder: Path, *lines: str) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        configuration = folder / "influxdb.conf"
        port, other = free_port(), free_port()
        configuration.write_text(
            "\n".join(
                [
                    "reporting-disabled = true",
                    f'bind-address = "127.0.0.1:{other}"',
                    "[meta]",
                    f'dir = "{folder}/meta"',
                    "[data]",
                    f'dir = "{folder}/data"',
                    f'wal-dir = "{folder}/wal"',
                    "[monitor]",
                    "store-enabled = false",
                    "[http]",
                    f'bind-address = "127.0.0.1:{port}"',
                    *lines,
                    "",
                ]
            )
        )
        super().__init__(folder, "influxd", "-config", str(configuration))
        self.port = port

    def start(self) -> None:
        super().start()
        # Whoever comes first may do this alone, and whoever asks later is that user.
        self.query(f"CREATE USER {ADMIN[0]} WITH PASSWORD '{ADMIN[1]}' WITH ALL PRIVILEGES")
        self.query("CREATE DATABASE home")

    def query(self, question: str, database: str = "home") -> list[dict[str, Any]]:
        """The series of the answer."""
        parameters = urlencode({"db": database, "q": question, "epoch": "ns"})
        status, body = self.ask(f"/query?{parameters}", b"")
        assert status == 200, body
        found = json.loads(body)["results"]
        assert all("error" not in each for each in found), found
        return [series for each in found for series in each.get("series", [])]

    def points(self, measurement: str = "smart_meter") -> list[dict[str, Any]]:
        """All points with their tags and fields, the oldest first."""
        series = self.query(f'SELECT * FROM "{measurement}"')  # noqa: S608 - our own
        return [dict(zip(each["columns"], row, strict=True)) for each in series for row in each["values"]]


class VictoriaMetrics(ServerProcess):
    """VictoriaMetrics, which speaks InfluxDB's line protocol."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        port = free_port()
        super().__init__(
            folder,
            "victoria-metrics",
            f"-httpListenAddr=127.0.0.1:{port}",
            f"-storageDataPath={folder}/data",
            "-retentionPeriod=100y",
            "-search.latencyOffset=0s",
            "-memory.allowedBytes=64MiB",
        )
        self.port = port

    def samples(self, name: str = "smart_meter_value") -> list[tuple[dict[str, str], int, float]]:
        """Labels, time in ms and value of every sample."""
        self.ask("/internal/force_flush")
        status, body = self.ask(f"/api/v1/export?{urlencode({'match[]': name})}")
        assert status == 200, body
        found = []
        for line in body.splitlines():
            series = json.loads(line)
            for when, value in zip(series["timestamps"], series["values"], strict=True):
                found.append((series["metric"], when, value))
        return found


def require(program: str, package: str) -> None:
    """Skip the test where a server is not installed."""
    if shutil.which(program) is None:
        pytest.skip(f"there is no {program}: sudo apt install {package}")

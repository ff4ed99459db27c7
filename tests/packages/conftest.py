"""Packages built once, a machine with one of them installed, and copies of it that each test may spoil."""

from __future__ import annotations

import fcntl
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.packages.machine import Machine

ROOT = Path(__file__).parents[2]
NUMBERS = {"bookworm": 12, "trixie": 13}


def build(place: Path, target: str, revision: int = 1) -> Path:
    """A package of scripts/build-deb; ``target`` as bookworm/amd64."""
    command = [f"{ROOT}/scripts/build-deb", "--output", str(place), "--revision", str(revision), target]
    # What takes longest by far, and is not what is tried: packed as for publishing it is a tenth smaller.
    lightly = {**os.environ, "DPKG_DEB_COMPRESSOR_LEVEL": "1"}
    result = subprocess.run(command, capture_output=True, text=True, check=False, env=lightly)
    assert result.returncode == 0, result.stderr
    return Path(result.stdout.strip())


@dataclass(frozen=True)
class Packages:
    """Two versions for one release, and the tree of that release. All processes of the run share them."""

    tree: Path
    place: Path

    @property
    def first(self) -> Path:
        return self._made(1)

    @property
    def second(self) -> Path:
        return self._made(2)

    @property
    def installed(self) -> Path:
        """What `apt install` of the first has written on a bare machine; below is the tree."""
        package, layer = self.first, self.place / "installed"
        with alone(layer):
            if not layer.exists():
                machine = Machine([self.tree], self.place / "installing")
                try:
                    machine.boot()
                    install(machine, package)
                    machine.run("sync")
                finally:
                    machine.off()
                machine.layer.rename(layer)
        return layer

    def _made(self, revision: int) -> Path:
        built = self.place / str(revision)
        with alone(built):
            if not built.exists():
                build(built.with_suffix(".new"), f"{self.tree.name}/amd64", revision)
                built.with_suffix(".new").rename(built)
        (package,) = built.iterdir()
        return package


@contextmanager
def alone(path: Path) -> Iterator[None]:
    """Whoever makes ``path`` does it alone, whichever process of the run it is."""
    with path.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def releases() -> list[str]:
    """Those that scripts/test-packages was called for."""
    return os.environ.get("SMART_METER_READER_RELEASES", "bookworm").split()


@pytest.fixture(scope="session", params=releases())
def packages(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Packages:
    release: str = request.param
    base = tmp_path_factory.getbasetemp()
    # pytest-xdist: each process has a folder of its own in the one of the run.
    shared = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    place = shared / f"packages-{release}"
    place.mkdir(exist_ok=True)
    return Packages(Path(os.environ["SMART_METER_READER_TREES"]) / release, place)


@pytest.fixture
def bare(packages: Packages, tmp_path: Path) -> Iterator[Machine]:
    """A machine without the package."""
    machine = Machine([packages.tree], tmp_path / "machine")
    try:
        machine.boot()
        yield machine
    finally:
        machine.off()


@pytest.fixture
def machine(packages: Packages, tmp_path: Path) -> Iterator[Machine]:
    """A machine with the package."""
    machine = Machine([packages.installed, packages.tree], tmp_path / "machine")
    try:
        machine.boot()
        yield machine
    finally:
        machine.off()


@pytest.fixture
def with_broker(packages: Packages, tmp_path: Path) -> Iterator[Machine]:
    """A machine with a broker and without the package."""
    broker = packages.tree.with_name(f"{packages.tree.name}+mosquitto")
    machine = Machine([broker, packages.tree], tmp_path / "machine")
    try:
        machine.boot()
        yield machine
    finally:
        machine.off()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """How long a new user's way takes, step by step."""
    done = terminalreporter.getreports("passed") + terminalreporter.getreports("failed")
    steps = [line for report in done if report.when == "call" for line in report.user_properties]
    for what, took in steps:
        terminalreporter.write_line(f"{took}  {what}")


def install(machine: Machine, package: Path) -> str:
    """What apt says; it can ask nothing, since nobody answers."""
    machine.put(f"/root/{package.name}", package.read_bytes())
    return machine.run(f"cd /root && apt-get install -y --no-install-recommends ./{package.name} 2>&1")

"""As a new user would, on a bare machine: the package, `setup` at a terminal, two meters, a page."""

from __future__ import annotations

import shlex
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser, sync_playwright

from smart_meter_reader.console import EXIT_OK
from smart_meter_reader.service.unit import instance_name
from tests.packages.conftest import Packages, install
from tests.packages.deeds import emulate, files
from tests.packages.machine import Machine
from tests.peers.dialogue import Dialogue
from tests.sinks.web.pages.looking import CHROMIUM

pytestmark = pytest.mark.packages

HOME = instance_name("home")
SETTINGS = "/etc/smart_meter_reader"
DROP_IN = f"/etc/systemd/system/{HOME}.d/10-paths.conf"
# Names of cables as udev makes them; behind each a pseudo-terminal, at which an emulated meter speaks.
CABLES = {
    "ttyUSB0": "usb-Silicon_Labs_CP2102_USB_to_UART_Bridge_Controller_0001-if00-port0",
    "ttyUSB1": "usb-FTDI_FT232R_USB_UART_A0000000-if00-port0",
}
# The promise of the README. It takes about a third of that on two cores that others use, too.
FIVE_MINUTES = 300.0
PASSWORD = "seven brown foxes"
QUESTIONS = {
    "Home Assistant": "How",
    "openHAB": "Homie 4",
    "JSON": "and others?",
    "History": "`history show`?",
    "The page in the browser": "For whom",
}
Record = Callable[[str, object], None]


def plug_in(machine: Machine) -> None:
    """A heat meter and a P1 meter, each at a USB port, of which `scan` knows nothing but that it is there."""
    emulate(machine, "ttyUSB0", "kamstrup --model 403", folder="/dev")
    emulate(machine, "ttyUSB1", "p1", folder="/dev")
    machine.run("mkdir -p /dev/serial/by-id")
    for device, name in CABLES.items():
        machine.run(f"ln -s ../../{device} /dev/serial/by-id/{name}")


@contextmanager
def setup(machine: Machine, directory: str = "/root") -> Iterator[Dialogue]:
    """`sudo smart-meter-reader setup` at a terminal."""
    command = f"cd {directory} && exec smart-meter-reader setup"
    with Dialogue(cwd=Path("/"), program=[*machine.inside("TERM=xterm"), "sh", "-c", command]) as talk:
        yield talk


class Watch:
    """Tells how long each step took, for the summary of the run."""

    def __init__(self, record: Record, release: str) -> None:
        self._record = record
        self._release = release
        self._began = self._last = time.monotonic()

    def took(self, what: str) -> None:
        now = time.monotonic()
        self._record(f"{self._release}: {what}", f"{now - self._last:5.1f} s")
        self._last = now

    @property
    def total(self) -> float:
        return self._last - self._began


def find_both(talk: Dialogue) -> None:
    """The first step: both meters by `scan`, a reading of each beside its display."""
    talk.expect("1/12 Meters")
    for name in CABLES.values():
        talk.expect(name)
    talk.answer("Which port")
    for name, shown in (("heat", "Heat energy"), ("electricity", "Total import energy")):
        talk.answer("Its name here, which topics and pages have")
        assert shown in talk.expect("Does your display say this?"), name
        talk.type("y")


def choose(talk: Dialogue) -> None:
    """Home Assistant and JSON over the broker that is there, the history, and the page."""
    talk.answer("How", "1")
    talk.answer("Homie 4")
    talk.answer("and others?", "y")
    talk.expect("5/12 The MQTT broker")
    talk.answer("Address of the broker")  # what is proposed
    talk.answer("speak TLS?")
    talk.answer("Your user name there")
    assert talk.expect("6/12 History").count("ok: published and read back") == 3
    talk.answer("`history show`?")
    talk.answer("For whom", "1")
    talk.answer("At which port")
    talk.expect("8/12 Readings on the screen")
    talk.answer("How")


@contextmanager
def browser(machine: Machine, folder: Path) -> Iterator[Browser]:
    """This computer's browser, in the machine's network."""
    assert CHROMIUM.exists(), f"there is no {CHROMIUM}; scripts/browser installs it"
    start = folder / "chromium"
    start.write_text(f'#!/bin/sh\nexec {shlex.join(machine.in_its_network())} {CHROMIUM} "$@"\n')
    start.chmod(0o755)
    with sync_playwright() as playwright:
        looking = playwright.chromium.launch(executable_path=start, args=["--no-sandbox"])
        yield looking
        looking.close()


def test_from_the_package_to_a_page_within_five_minutes_and_without_an_editor(
    with_broker: Machine, packages: Packages, record_property: Record, tmp_path: Path
) -> None:
    machine, before = with_broker, files(with_broker)
    watch = Watch(record_property, packages.tree.name)
    install(machine, packages.first)
    watch.took("apt install")
    plug_in(machine)
    # As in the clone in which the package was built: other settings lie around.
    machine.put("/root/settings.toml", "[one.meters]\n[two.meters]\n")
    with setup(machine) as talk:
        assert SETTINGS in talk.expect("answers, too.")
        find_both(talk)
        talk.expect("2/12 Home Assistant")
        watch.took("setup: both meters found, read and compared")
        choose(talk)
        shown = talk.expect("Write this?")
        assert shown.count("+[home.") == 6
        talk.type("y")
        assert "WRONG" not in talk.expect("11/12 The service")
        watch.took("setup: destinations tried, settings written, doctor")
        talk.answer(HOME, "y")
        talk.expect("2 of 2 meters online")
        watch.took("setup: service, to the first readings")
        talk.expect("http://127.0.0.1:8080/")
        assert talk.end() == EXIT_OK
    with browser(machine, tmp_path) as looking:
        page = looking.new_page()
        page.goto("http://127.0.0.1:8080/")
        page.get_by_text("Heat energy").first.wait_for()
        watch.took("the page in a browser")
    assert watch.total < FIVE_MINUTES

    assert machine.unit(HOME, "UnitFileState") == "enabled"
    assert "SocketBindAllow=tcp:8080" in machine.run(f"cat {DROP_IN}")
    heard = machine.run("mosquitto_sub -h 127.0.0.1 -W 5 -t 'homeassistant/device/+/config' || true")
    assert '"Heat energy"' in heard
    assert '"Electricity meter"' in heard
    assert machine.run(f"stat -c '%U:%G %a' {SETTINGS}/settings.toml") == "root:root 644\n"
    # Nobody has given a password, so there is no file for one.
    assert machine.run(f"find {SETTINGS} -type f -printf '%f\\n'").split() == ["config.py", "settings.toml"]

    machine.run("apt-get purge -y smart-meter-reader 2>&1")
    assert files(machine) - before == set()


def test_what_was_set_up_is_undone_done_changed_and_purged(bare: Machine, packages: Packages) -> None:
    machine, before = bare, files(bare)
    install(machine, packages.first)
    plug_in(machine)
    shipped = machine.run(f"cat {SETTINGS}/settings.toml")
    with setup(machine) as talk:
        find_both(talk)
        for heading in ("Home Assistant", "openHAB", "JSON", "History", "The page in the browser"):
            talk.expect(heading)
            talk.answer(QUESTIONS[heading], "skip")
        talk.answer("How", "back")
        talk.answer("For whom", "2")
        talk.answer("At which port")
        talk.answer("Password for the page", PASSWORD)
        talk.answer("Once more", PASSWORD)
        talk.answer("How", "3")
        talk.answer("Write this?")
        talk.answer(HOME, "undo")
        talk.expect("The files are as they were before.")
        assert talk.end() == EXIT_OK
        assert PASSWORD not in talk.text
    assert machine.run(f"cat {SETTINGS}/settings.toml") == shipped
    assert machine.run(f"find {SETTINGS} -name '.s*'") == ""
    assert machine.unit(HOME, "ActiveState") == "inactive"

    with setup(machine) as talk:
        find_both(talk)
        for heading in ("Home Assistant", "openHAB", "JSON", "History"):
            talk.expect(heading)
            talk.answer(QUESTIONS[heading])
        talk.answer("For whom", "2")
        talk.answer("At which port", "8090")
        talk.answer("Password for the page", PASSWORD)
        talk.answer("Once more", PASSWORD)
        talk.answer("How")
        talk.answer("Write this?")
        talk.answer(HOME)
        talk.expect("2 of 2 meters online")
        assert talk.end() == EXIT_OK
    assert "SocketBindAllow=tcp:8090" in machine.run(f"cat {DROP_IN}")
    assert machine.run(f"stat -c '%U %a' {SETTINGS}/.secrets.toml") == "root 600\n"
    get = "from urllib.request import urlopen; print(urlopen('http://127.0.0.1:8090/').url)"
    assert "/login" in machine.run(f'python3 -c "{get}"')

    # Again, from anywhere: what is there is what it begins with, and only what changes is written.
    pid = machine.unit(HOME, "MainPID")
    with setup(machine, "/var") as talk:
        talk.expect("electricity: dsmr at")
        talk.answer("And now", "4")
        talk.answer("Which", "1")
        talk.answer("And now", "1")
        for heading in ("Home Assistant", "openHAB", "JSON", "History"):
            talk.expect(heading)
            talk.answer(QUESTIONS[heading])
        talk.answer("For whom", "3")
        talk.answer("How")
        shown = talk.expect("Write this?")
        assert "+# [home.meters.electricity]" in shown
        assert "+# [home.sinks.web]" in shown
        assert "+[" not in shown
        # Its password alone would make the page again.
        assert "without [home.sinks.web] password" in shown
        talk.type("y")
        talk.answer(HOME)
        talk.expect("heat online")
        assert talk.end() == EXIT_OK
    assert machine.unit(HOME, "MainPID") != pid
    assert machine.run("find /etc/systemd/system -name 10-paths.conf") == ""

    machine.run("apt-get purge -y smart-meter-reader 2>&1")
    assert files(machine) - before == set()

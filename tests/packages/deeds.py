"""What tests do on machines: plug meters in, wait for their readings, list the files."""

from __future__ import annotations

import re

from tests.packages.machine import Machine, wait_until

KEY = "00112233445566778899AABBCCDDEEFF"


def emulate(machine: Machine, name: str, arguments: str, folder: str = "/dev/meters") -> None:
    """A meter at FOLDER/NAME, which belongs to dialout as udev would have it."""
    port = f"{folder}/{name}"
    key = f"--setenv=SMART_METER_READER_KEY={KEY} --setenv=SMART_METER_READER_AUTHENTICATION_KEY={KEY}"
    machine.run(
        f"mkdir -p {folder} && systemd-run --quiet --unit=meter-{name} {key} "
        f"smart-meter-reader emulate {arguments} --link {port}"
    )
    wait_until(
        lambda: machine.run(f"test -e {port} && echo there || true") != "",
        lambda: machine.journal(f"meter-{name}"),
    )
    machine.run(f'place=$(readlink -f {port}); chgrp dialout "$place"; chmod 660 "$place"')


def wait_for_reading(machine: Machine, unit: str, quantity: str) -> None:
    wait_until(lambda: quantity in machine.journal(unit), lambda: machine.journal(unit))


def files(machine: Machine) -> set[str]:
    """All that stands in the file system, but for what dpkg, apt, logs and the machine's own life write."""
    found = machine.run("find / -xdev -path /outside -prune -o -print").splitlines()
    own = re.compile(
        r"/(root|var/(lib/(dpkg|apt)|cache|log|tmp)|etc/\.pwd\.lock|var/lib/systemd|etc/ld\.so\.cache)(/|$)|.*~$|/$"
    )
    return {path for path in found if not own.match(path)}

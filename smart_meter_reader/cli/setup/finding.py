"""Meters at the ports: found by `scan`, placed by `align`, read once, and compared with the display."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence
from dataclasses import replace

from smart_meter_reader.cli.align.command import WITH_HEAD, aligned
from smart_meter_reader.cli.read.command import METER, print_reading, read_once
from smart_meter_reader.cli.read.patience import patience_for
from smart_meter_reader.cli.scan.command import all_ports, lasting, tell_step, verdict
from smart_meter_reader.cli.scan.scanning import scan_ports
from smart_meter_reader.cli.scan.settings_block import meter_block, names_of
from smart_meter_reader.cli.setup.draft import SettingsDraft
from smart_meter_reader.cli.setup.talk import Talk
from smart_meter_reader.console import EXIT_OK
from smart_meter_reader.drivers import imported
from smart_meter_reader.exceptions import SettingsError
from smart_meter_reader.messages import Message
from smart_meter_reader.meters.base import Client
from smart_meter_reader.meters.found import Found, printable_only
from smart_meter_reader.meters.registry import meter_driver, meter_drivers
from smart_meter_reader.settings.names import METER_NAME
from smart_meter_reader.settings.schema import keys_of
from smart_meter_reader.transport import PORT_PATTERN, port_meant

_ALIGN_SECONDS = 120.0
_KEYS = ("key", "authentication_key")


def choose_meters(talk: Talk, draft: SettingsDraft) -> SettingsDraft:
    """The step: meters that are there stay unless the person says otherwise."""
    while True:
        there = draft.target.meters
        if not there:
            return _look(talk, draft)
        draft = _with_ports(talk, draft, sorted(there))
        unread = _new(draft) - draft.read
        for name in sorted(there):
            table = draft.table("meters", name)
            talk.say(f"  {name}: {table.get('client', '?')} at {table.get('port', 'no port')}")
        chosen = talk.choose(
            "And now",
            [
                "go on with these",
                "read one and compare it with its display",
                "look for more",
                "leave one out",
            ],
            1 if unread else 0,
        )
        if chosen == 0:
            return draft
        if chosen == 2:
            draft = _look(talk, draft)
            continue
        name = _one_of(talk, sorted(unread if chosen == 1 and unread else there))
        draft = draft.without(("meters", name)) if chosen == 3 else _compared(talk, draft, name)


def _with_ports(talk: Talk, draft: SettingsDraft, names: Sequence[str]) -> SettingsDraft:
    """With a port for each meter that another program's settings have brought without a usable one."""
    for name in names:
        table = draft.table("meters", name)
        driver = meter_drivers().get(str(table.get("client")))
        if "port" in table or driver is None or "port" not in keys_of(imported(driver.settings)):
            continue
        talk.say(f"{name} has no port yet. Which one is it at?")
        ports = _ports(talk)
        draft = draft.put(("meters", name), {"port": _one_of(talk, ports)})
    return draft


def _new(draft: SettingsDraft) -> set[str]:
    """Meters that the files do not have yet: the settings of another program have brought them."""
    before = SettingsDraft.of(draft.directory, draft.environment).target.meters
    return set(draft.target.meters - before)


def _one_of(talk: Talk, names: Sequence[str]) -> str:
    return names[talk.choose("Which", names)] if len(names) > 1 else names[0]


def _look(talk: Talk, draft: SettingsDraft) -> SettingsDraft:
    """Find meters until there is one, or the person goes on without."""
    ports = _ports(talk)
    while True:
        reports = asyncio.run(scan_ports(ports, tell_step))
        for report in reports:
            talk.say(verdict(report))
        found = [meter for report in reports for meter in report.meters]
        new = [meter for meter in found if draft.target.meter_at(meter.port, meter.keys) is None]
        if len(new) < len(found):
            talk.say("What is in the settings already stays as it is.")
        for meter in new:
            draft = _added(talk, draft, meter)
        if found:
            return draft
        options = ["look there again", "help me to place an infrared head", "look at another port"]
        if not draft.target.meters:
            options.append("see the other questions; nothing can be written without a meter")
        else:
            options.append("go on with those there are")
        chosen = talk.choose("No meter was found", options)
        if chosen == 1:
            _align(talk, ports)
        elif chosen == 2:
            ports = _ports(talk)
        elif chosen == 3:
            return draft


def _ports(talk: Talk) -> list[str]:
    """What is to be scanned, by the names that stay."""
    while True:
        known = [lasting(port) for port in all_ports()]
        answer = _port_among(talk, known)
        if answer == "all":
            return known
        if answer:
            return [known[int(answer) - 1] if answer.isdecimal() else lasting(answer)]


def _port_among(talk: Talk, known: Sequence[str]) -> str:
    """The answer; "" to look again, where there is none."""
    for number, port in enumerate(known, 1):
        talk.say(f"  {number}  {port}")
    if known:
        talk.say(
            "A number, all, a device, or socket://HOST:PORT and rfc2217://HOST:PORT for one in the network."
        )
    else:
        talk.say(
            "No serial port was found here. Plug the adapter in, then Enter looks again; or name a device, "
            "or socket://HOST:PORT and rfc2217://HOST:PORT for one in the network."
        )

    def wrong(text: str) -> str:
        if not text or (text == "all" and known):
            return ""
        if text.isdecimal() and text.isascii():
            return "" if text in map(str, range(1, len(known) + 1)) else "there is no port of that number"
        if re.fullmatch(PORT_PATTERN, text) and not text.startswith("replay:"):
            return ""
        meant = port_meant(text)
        return f"did you mean {meant}?" if meant else f"{choices}, or such as /dev/ttyUSB0?"

    choices = "a number, all" if known else "Enter"
    return talk.ask("Which port", "all" if known else "", wrong)


def _align(talk: Talk, ports: Sequence[str]) -> None:
    port = _one_of(talk, ports)
    client = WITH_HEAD[talk.choose("Which kind of meter is it", WITH_HEAD)]
    aligned(port, client, "", beep=False, count=None, timeout=_ALIGN_SECONDS)


def _added(talk: Talk, draft: SettingsDraft, found: Found) -> SettingsDraft:
    """With a find in the settings, its keys and a name, once its reading was compared."""
    (usual,) = names_of([found], draft.target.meters)
    talk.say()
    talk.say(f"{found.description}, at {found.port}")

    def wrong(name: str) -> str:
        if name in draft.target.meters:
            return f"there is a meter {name} already"
        return "" if METER_NAME.fullmatch(name) else "a name is made of a-z, 0-9 and -"

    name = talk.ask("Its name here, which topics and pages have", usual, wrong)
    for note in found.notes:
        talk.say(printable_only(note))
    draft = draft.with_block(meter_block(draft.environment, name, found))
    if found.encrypts:
        draft = _with_keys(talk, draft, name)
    return _compared(talk, draft, name)


def _with_keys(talk: Talk, draft: SettingsDraft, name: str) -> SettingsDraft:
    talk.say("It encrypts. The grid operator gives you its two keys, 32 hexadecimal digits each.")
    while True:
        keys = {
            "key": talk.secret("Encryption key (GUEK)"),
            "authentication_key": talk.secret("Authentication key (GAK), empty if you have none"),
        }
        given = {key: value.replace(" ", "") for key, value in keys.items() if value}
        changed = draft.put_secrets(("meters", name), given) if given else draft
        problems = _problems_of(changed, name)
        if not problems:
            return changed
        for problem in problems:
            talk.say(problem)
        if not talk.agree("Type them again?"):
            return draft


def _takes_keys(draft: SettingsDraft, name: str) -> bool:
    """Whether meters of this family can encrypt."""
    driver = meter_drivers().get(str(draft.table("meters", name).get("client")))
    return driver is not None and set(_KEYS) <= keys_of(imported(driver.settings)).keys()


def _problems_of(draft: SettingsDraft, name: str) -> list[str]:
    try:
        draft.load()
    except SettingsError as error:
        return [problem for problem in error.problems if f"meters.{name}" in problem]
    return []


def _compared(talk: Talk, draft: SettingsDraft, name: str) -> SettingsDraft:
    """With what the person says of one reading: it stays, or it is left out."""
    while True:
        read = _read(talk, draft, name)
        if read and talk.agree("Does your display say this?"):
            return replace(draft, read=draft.read | {name})
        if read:
            talk.say(
                "Compare numbers and units: some meters show MWh and count in GJ, some hide decimals. "
                "Where the decimals are wrong, energy_decimals and volume_decimals set them "
                "(docs/settings.md); `smart-meter-reader record` makes a recording for a report."
            )
        options = ["read it again", "keep it all the same", "leave it out"]
        if _takes_keys(draft, name):
            options.append("type its keys")
        chosen = talk.choose("What now", options)
        if chosen == 1:
            return draft
        if chosen == 2:
            return draft.without(("meters", name))
        if chosen == 3:
            draft = _with_keys(talk, draft, name)


def _without_sinks(draft: SettingsDraft) -> SettingsDraft:
    """For a reading it does not matter where readings go: that is asked later."""
    for name in draft.table("sinks"):
        draft = draft.without(("sinks", name))
    return draft.put(("sinks", "stdout"), {})


def _read(talk: Talk, draft: SettingsDraft, name: str) -> bool:
    """Whether a reading could be taken, which is shown."""
    try:
        meter = _without_sinks(draft).load().settings.meters[name]
    except SettingsError as error:
        for problem in error.problems:
            talk.say(problem)
        return False
    client: Client = imported(meter_driver(meter.client).client)(METER, meter.driver)
    patience = patience_for(meter.driver, None)
    talk.say(f"Taking one reading of {name}, for {patience:g} s at most ...")
    seen: list[Message] = []
    if not asyncio.run(read_once(client, meter.client, meter.driver.reads_from, seen, patience)):
        return False
    talk.show("")
    return print_reading(seen) == EXIT_OK

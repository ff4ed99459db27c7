"""Who is at a port where the meter of the chosen client is not: told by what came, or found by asking."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from smart_meter_reader.cli.read.one_reading import Missed
from smart_meter_reader.cli.scan.scanning import scan_port
from smart_meter_reader.cli.scan.settings_block import toml_value
from smart_meter_reader.drivers import Likeness, MeterDriver, imported
from smart_meter_reader.exceptions import MeterSilentError, NoTelegramError, UnusableAnswersError
from smart_meter_reader.meters.found import Found, Listening, Outcome, Unread
from smart_meter_reader.meters.registry import meter_driver, meter_drivers

# Of what a scan finds, what does not decide whether the meter is read at all.
OF_THE_SERVICE = ("interval", "mains_powered")
# How a reading ends where the meter may be of another kind; a port that is not there holds none.
NOBODY_THERE = (MeterSilentError, NoTelegramError, UnusableAnswersError)


async def other_meter(client: str, port: str, missed: Missed, tell: Callable[[str], None]) -> str:
    """A sentence on who is there instead, "" when there is nothing to say.

    Looks at what came first. Where that tells nothing it listens and asks as ``scan`` does, but for the
    family of ``client``, and ``tell`` gets what it does.
    """
    if not isinstance(missed.error, NOBODY_THERE):
        return ""
    said = looks_like(client, port, missed.heard)
    if said or not _worth_asking(client, missed):
        return said
    tell(f"is it another kind of meter than {client} reads? (Ctrl-C ends the search)")
    report = await scan_port(port, lambda _, words: tell(f"  {words} ..."), without=client)
    if report.found is not None:
        sends = meter_driver(report.found.client).listens
        return who_reads("sends" if sends else "answers", report.found, report.found.keys)
    if report.unread:
        return report.unread
    return f"no other kind of meter was found at {port}" + "".join(f"; {clue}" for clue in report.clues)


def looks_like(client: str, port: str, received: bytes) -> str:
    """A sentence on the other protocol that ``received`` is of; "" when there is none for sure."""
    for name, driver in meter_drivers().items():
        if name == client or not received:
            continue
        outcome = _heard_as(driver, port, received)
        if isinstance(outcome, Found):
            # At which speed it came is the line's of the client that heard it.
            return who_reads("looks like", replace(outcome, client=name), {})
        if outcome:
            return outcome.words if isinstance(outcome, Unread) else outcome
        if driver.sniff and imported(driver.sniff)(received) is Likeness.CHECKED:
            return f"this looks like {driver.title}: it is read with the client {name}"
    return ""


def _heard_as(driver: MeterDriver, port: str, received: bytes) -> Outcome:
    """What a family that is sent to unasked makes of what came; "" for all others."""
    if not driver.listens:
        return ""
    listening: Listening = imported(driver.listens)
    hearing = listening.hear(port, next(iter(listening.lines)))
    return hearing.receive_data(received) or hearing.judge()


def _worth_asking(client: str, missed: Missed) -> bool:
    """Whether it may be silence in another language, and not the right meter badly heard."""
    driver = meter_driver(client)
    if driver.listens:
        return not missed.heard
    sounds_right = imported(driver.sniff)(missed.heard) >= Likeness.FRAMED
    return isinstance(missed.error, MeterSilentError) or not sounds_right


def who_reads(verb: str, found: Found, keys: Mapping[str, str | int]) -> str:
    """Who it is, and the settings that read it. ``keys``: those besides the client."""
    who = found.description.partition(": ")[0]
    told = [f"{key} = {toml_value(value)}" for key, value in keys.items() if key not in OF_THE_SERVICE]
    with_them = f" with {', '.join(told)}" if told else ""
    return f"this {verb} {found.protocol} ({who}): it is read with the client {found.client}{with_them}"

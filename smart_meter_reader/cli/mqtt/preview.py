"""`mqtt preview`: the messages that the MQTT sinks would publish for one reading, without a broker."""

from __future__ import annotations

import asyncio
import shutil
import sys
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import cast

import click

from smart_meter_reader.cli.mqtt.own_messages import captured_messages, load_capture, read_messages
from smart_meter_reader.cli.read.one_reading import Missed
from smart_meter_reader.console import EXIT_OK, EXIT_UNAVAILABLE
from smart_meter_reader.console.environments import complete_environment
from smart_meter_reader.console.wrapping import tell
from smart_meter_reader.drivers import MeterDriver
from smart_meter_reader.json_text import dumps_for
from smart_meter_reader.messages import Health, Message, Status
from smart_meter_reader.meters.base import ClientSettings
from smart_meter_reader.meters.dummy import DummyClient, DummySettings
from smart_meter_reader.meters.registry import meter_driver
from smart_meter_reader.mqtt.message import MqttMessage
from smart_meter_reader.pipeline.meter_states import NO_TROUBLE
from smart_meter_reader.recordings.text import Recording
from smart_meter_reader.settings.loading import MeterSettings, ServiceSettings

# What is said when no reading is: by the broker after a fall, and at the stop.
_AROUND = frozenset({"last will", "stop"})
_SHORTEST_SHOWN = 20


@click.command()
@click.argument("environment", required=False, metavar="[ENV]", shell_complete=complete_environment)
@click.option(
    "--from",
    "capture",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Of a recording (`record`), or a file with a P1 telegram, in the place of made-up values.",
)
@click.option("--read", "at_port", is_flag=True, help="Of one reading that is taken of each meter now.")
@click.option("--meter", help="Only this meter; with --from, the one that the capture is of.")
@click.option("--all", "everything", is_flag=True, help="Every message whole, in order, with QoS.")
@click.option("--json", "as_json", is_flag=True, help="As --all, one JSON object a line.")
def preview(
    environment: str | None,
    capture: Path | None,
    at_port: bool,
    meter: str | None,
    everything: bool,
    as_json: bool,
) -> int:
    """Show what the MQTT sinks of ENV publish for one reading of each meter.

    One line for each topic. With --all exactly the messages, with topic, payload, QoS and retain flag: the
    last will, what is said after the connect, one reading of every meter, and what is said at the stop.
    Touches no broker. The quantities are those of the settings as far as they name any, the values those of
    the dummy meter; --from and --read show your own meter's.
    """
    from smart_meter_reader.cli.mqtt.sinks import mqtt_sinks
    from smart_meter_reader.cli.settings import load_settings

    if capture and at_port:
        raise click.UsageError("--from and --read: one of them")
    settings = load_settings(environment=environment).settings
    sinks = mqtt_sinks(settings)
    messages = asyncio.run(_messages(_chosen(settings, meter), capture, at_port))
    if messages is None:
        return EXIT_UNAVAILABLE
    for sink, broker in sinks:
        if not as_json:
            print(f"# sink {sink.name} -> {broker.address}")
        published = sink.preview(messages)
        if as_json or everything:
            for occasion, told in published:
                print(_as_json(sink.name, occasion, told) if as_json else _as_text(occasion, told))
        else:
            print("\n".join(_short(published)))
    if not (as_json or everything):
        print("* retained; --all shows every message whole", file=sys.stderr)
    return EXIT_OK


def _chosen(settings: ServiceSettings, meter: str | None) -> Sequence[MeterSettings]:
    if meter is None:
        return list(settings.meters.values())
    if meter not in settings.meters:
        raise click.UsageError(f"--meter {meter}: the settings have {', '.join(settings.meters)}")
    return [settings.meters[meter]]


async def _messages(
    meters: Sequence[MeterSettings], capture: Path | None, at_port: bool
) -> list[Message] | None:
    """What the meters put on the queue; None when a reading was missed, and why not is told."""
    if capture is not None:
        recording = load_capture(capture)
        told = [await captured_messages(_owner(meters, recording), capture, recording, tell)]
    elif at_port:
        told = [await read_messages(each, tell) for each in meters]
    else:
        made_up = [(each.name, meter_driver(each.client), each.driver) for each in meters]
        told = [await _one_reading(*each) for each in made_up]
    messages: list[Message] = []
    for each in told:
        if isinstance(each, Missed):
            tell(f"no reading ({each.error.reason}): {each.error.by_hand}")
            return None
        messages += each
    return messages


def _owner(meters: Sequence[MeterSettings], recording: Recording) -> MeterSettings:
    """The meter that a recording is of: the only one that its client reads."""
    found = [each for each in meters if each.client == recording.client]
    if len(found) != 1:
        names = ", ".join(each.name for each in found)
        raise click.UsageError(
            f"which meter is the capture of? --meter NAME, one of: {names}"
            if found
            else f"the capture is of the client {recording.client!r}, which reads no meter here"
        )
    return found[0]


def _short(published: Iterable[tuple[str, MqttMessage]]) -> Iterator[str]:
    """A line for each topic, as wide as the terminal: what it holds after the reading."""
    newest = {told.topic: told for occasion, told in published if occasion not in _AROUND}
    width = shutil.get_terminal_size().columns - 1
    for topic, told in newest.items():
        begin, payload = f"{'*' if told.retain else ' '} {topic} ", _payload(told)
        room = max(width - len(begin), _SHORTEST_SHOWN)
        if len(payload) > room:
            end = f" ... {len(payload)} characters"
            payload = payload[: max(room - len(end), _SHORTEST_SHOWN)] + end
        yield begin + payload


async def _one_reading(name: str, driver: MeterDriver, settings: ClientSettings) -> list[Message]:
    """What a meter puts on the queue up to and with its first reading."""
    if not isinstance(settings, DummySettings):
        settings = DummySettings(quantities=_quantities(name, driver, settings))
    messages: list[Message] = []

    async def publish(message: Message) -> None:
        messages.append(message)

    await DummyClient(name, settings).run(publish, once=True)
    online: Status = {
        "type": "status",
        "meter": name,
        "time": datetime.now(UTC),
        "state": "online",
        "reason": "",
        "detail": "readings arrive",
        "health": {
            **NO_TROUBLE,
            **_health(driver),
            "valid_readings": 1,
            "last_valid": messages[-1]["time"],
        },
    }
    return [messages[0], online, *messages[1:]]


def _quantities(name: str, driver: MeterDriver, settings: ClientSettings) -> tuple[str, ...]:
    """What the settings name; else what such a meter tells as a rule."""
    typical = settings.named_quantities or settings.typical_quantities(name)
    if typical is None:
        tell(
            f"{name}: nothing in the settings tells what this meter measures: it is shown as most that "
            f"speak {driver.title} are ({driver.typical[0]}); --read shows what yours tells"
        )
    return typical or driver.typical


def _health(driver: MeterDriver) -> Health:
    """What a client adds to the line health with its first reading: it has sent one request, if any."""
    told = {key: int(key.endswith("_24h")) for key in driver.health}
    return cast(Health, told)


def _as_text(occasion: str, message: MqttMessage) -> str:
    retain = "retain" if message.retain else ""
    return f"{occasion:<9} QoS {message.qos} {retain:<6} {message.topic} {_payload(message)}"


def _as_json(sink: str, occasion: str, message: MqttMessage) -> str:
    return dumps_for(
        sys.stdout,
        {
            "sink": sink,
            "occasion": occasion,
            "topic": message.topic,
            "payload": _payload(message),
            "qos": message.qos,
            "retain": message.retain,
        },
    )


def _payload(message: MqttMessage) -> str:
    return message.payload if isinstance(message.payload, str) else message.payload.decode()

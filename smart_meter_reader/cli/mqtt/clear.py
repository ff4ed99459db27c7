"""`mqtt clear`: removes what we retained at the broker for a meter that is gone."""

from __future__ import annotations

import asyncio
import os

import click

from smart_meter_reader.cli.mqtt.sinks import confirmed, mqtt_sinks
from smart_meter_reader.console import EXIT_OK
from smart_meter_reader.console.confirmation import confirm
from smart_meter_reader.console.environments import complete_environment
from smart_meter_reader.exceptions import LoginRefusedError
from smart_meter_reader.mqtt.link import Link
from smart_meter_reader.mqtt.message import MqttMessage
from smart_meter_reader.mqtt.open_link import open_link
from smart_meter_reader.mqtt.paho import mqtt
from smart_meter_reader.mqtt.settings import BrokerSettings
from smart_meter_reader.sinks.mqtt_sink import MqttSink
from smart_meter_reader.text import printable

# Retained messages follow the subscription at once; so long without one means that there are no more.
QUIET_SECONDS = 0.5
LONGEST_SECONDS = 10.0
# A meter has some hundreds at most; a broker may say that there is any number.
MOST_TOPICS = 5000


@click.command()
@click.argument("meter")
@click.argument("environment", required=False, metavar="[ENV]", shell_complete=complete_environment)
@click.option("--yes", is_flag=True, help="Remove without asking.")
def clear(meter: str, environment: str | None, yes: bool) -> int:
    """Remove what the MQTT sinks of ENV have retained for METER.

    METER is the name that it had in the settings. Lists what is found, and asks. A meter that is still read
    comes back with its next reading.
    """
    from smart_meter_reader.cli.settings import load_settings

    settings = load_settings(environment=environment).settings
    if not meter or set(meter) & set("/+#$"):
        raise click.UsageError(f'"{meter}" cannot be the name of a meter')
    sinks = mqtt_sinks(settings)
    found = {sink.name: asyncio.run(_find(sink, broker, meter)) for sink, broker in sinks}
    topics = sorted({topic for several in found.values() for topic in several})
    if not topics:
        print(f"nothing is retained for {meter}")
        return EXIT_OK
    for topic in topics:
        print(printable(topic))  # anybody may have chosen the last part of its name
    if any(len(several) >= MOST_TOPICS for several in found.values()):
        print(f"there may be more than these {len(topics)}: run this again when they are removed")
    if meter in settings.meters:
        print(f"{meter} is still in the settings: while the service runs, these come back")
    if not yes and not confirm(f"remove these {len(topics)} retained messages?"):
        return EXIT_OK
    for sink, broker in sinks:
        asyncio.run(_remove(broker, found[sink.name]))
    print(f"removed {len(topics)}")
    return EXIT_OK


async def _find(sink: MqttSink, broker: BrokerSettings, meter: str) -> list[str]:
    """The topics under which this sink has retained something for the meter."""
    filters = sink.retained_topics(meter)
    found: set[str] = set()

    def take(topic: str, payload: bytes) -> None:
        asked_for = any(mqtt.topic_matches_sub(each, topic) for each in filters)
        ours = asked_for and MqttMessage(topic, "").has_topic and sink.is_ours(meter, topic, payload)
        if not payload:
            found.discard(topic)  # somebody removes it while we look
        elif ours and len(found) < MOST_TOPICS:
            found.add(topic)

    link = await open_link(broker, _client_id(broker), on_received=take)
    try:
        refused = await link.subscribe(filters)
        if refused:
            raise LoginRefusedError(
                "not_authorized", f"{broker.address} does not let us read {', '.join(refused)}"
            )
        await _quiet(link, found)
    finally:
        link.close()
    if link.failure:
        raise link.failure
    return sorted(found)


async def _quiet(link: Link, found: set[str]) -> None:
    loop = asyncio.get_running_loop()
    until = loop.time() + LONGEST_SECONDS
    count = -1
    while count != len(found) and loop.time() < until and not link.failure:
        count = len(found)
        await asyncio.sleep(QUIET_SECONDS)


async def _remove(broker: BrokerSettings, topics: list[str]) -> None:
    refused: dict[str, str] = {}
    link = await open_link(
        broker,
        _client_id(broker),
        on_acknowledged=lambda message, refusal: refused.update({message.topic: refusal} if refusal else {}),
    )
    try:
        for topic in topics:
            link.publish(MqttMessage(topic, "", 1, retain=True))
        await confirmed(link, broker)
    finally:
        link.close()
    if link.failure:
        raise link.failure
    if refused:
        raise LoginRefusedError(
            "not_authorized", f"{broker.address} does not let us publish to {', '.join(refused)}"
        )


def _client_id(broker: BrokerSettings) -> str:
    return f"{broker.client_id or 'smart-meter-reader'}-clear-{os.urandom(4).hex()}"

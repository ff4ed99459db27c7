"""`mqtt test`: connects as configured, publishes, reads back, and says what the broker allows."""

from __future__ import annotations

import asyncio
import os
import sys

import click

from smart_meter_reader.cli import EXIT_OK, EXIT_UNAVAILABLE
from smart_meter_reader.cli.environments import complete_environment
from smart_meter_reader.exceptions import SinkError
from smart_meter_reader.mqtt.link import Link
from smart_meter_reader.mqtt.message import MqttMessage
from smart_meter_reader.mqtt.open_link import open_link
from smart_meter_reader.mqtt_settings import BrokerSettings
from smart_meter_reader.sinks.mqtt_sink import MqttSink

# Stands where a meter's name stands, and is the payload. Nothing of it is retained.
PROBE = "mqtt-test"
READ_BACK_SECONDS = 2.0


@click.command()
@click.argument("environment", required=False, metavar="[ENV]", shell_complete=complete_environment)
def test(environment: str | None) -> int:
    """Connect to the broker of each MQTT sink of ENV, publish, and read back.

    Uses the same host, login, certificates and topics as the service. Says for every tree of topics
    whether the broker lets us publish there. The exit code is 69 when something is refused.
    """
    from smart_meter_reader.cli.mqtt_sinks import mqtt_sinks
    from smart_meter_reader.settings import load

    sinks = mqtt_sinks(load(environment=environment).settings)
    results = [asyncio.run(_test(sink, broker)) for sink, broker in sinks]
    return EXIT_OK if all(results) else EXIT_UNAVAILABLE


async def _test(sink: MqttSink, broker: BrokerSettings) -> bool:
    refused: dict[str, str] = {}
    came_back: set[str] = set()
    client_id = f"{broker.client_id or 'smart-meter-reader'}-{PROBE}-{os.urandom(4).hex()}"
    try:
        link = await open_link(
            broker,
            client_id,
            on_received=lambda topic, payload: came_back.add(topic),
            on_acknowledged=lambda message, refusal: refused.update({message.topic: refusal}),
        )
        print(f"sink {sink.name}: connected to {broker.address} (MQTT {link.version}{_how(broker)})")
        try:
            unreadable = await _publish(link, probe_topics(sink), came_back)
        finally:
            link.close()
        # Some brokers refuse and hang up at once; then it matters what they refused.
        if link.failure and not any(refused.values()):
            raise link.failure
    except SinkError as error:
        print(f"sink {sink.name}: {error.detail}", file=sys.stderr)
        return False
    verdicts = [
        _verdict(topic, refused.get(topic, ""), topic in came_back, topic in unreadable)
        for topic in probe_topics(sink)
    ]
    return all(verdicts)


async def _publish(link: Link, topics: list[str], came_back: set[str]) -> set[str]:
    """Publish to all topics and wait for them to come back; those that may not be subscribed to."""
    unreadable = set(await link.subscribe(topics))
    for topic in topics:
        link.publish(MqttMessage(topic, _payload(topic), 1, retain=False))
    await link.drained()
    until = asyncio.get_running_loop().time() + READ_BACK_SECONDS
    while not came_back.issuperset(set(topics) - unreadable) and not link.failure:
        if asyncio.get_running_loop().time() > until:
            break
        await asyncio.sleep(0.02)
    return unreadable


def _payload(topic: str) -> str:
    """Nobody makes anything of the text; an exact topic has a meaning, and there an empty one says nothing."""
    return PROBE if topic.endswith(f"/{PROBE}") else ""


def probe_topics(sink: MqttSink) -> list[str]:
    """A topic of each kind that the sink publishes, of a meter that does not exist."""
    filters = sink.retained_topics(PROBE)
    return [topic.replace("#", PROBE).replace("+", PROBE) for topic in filters]


def _verdict(topic: str, refusal: str, came_back: bool, unreadable: bool) -> bool:
    """Print what was found about a topic; whether the service can publish there."""
    tree = f"{topic.partition('/')[0]}/..."
    if refusal:
        print(f"  {tree:<26} refused: the broker does not let us publish to {topic} ({refusal})")
        return False
    if came_back:
        print(f"  {tree:<26} ok: published and read back")
        return True
    if unreadable:
        print(f"  {tree:<26} ok: published; reading is not allowed here, so it was not read back")
        return True
    print(
        f"  {tree:<26} lost: {topic} was taken and did not come back; check what the broker allows this user"
    )
    return False


def _how(broker: BrokerSettings) -> str:
    parts = [
        "websockets" if broker.transport == "websockets" else "",
        "TLS, NOT verified" if broker.insecure else "TLS, verified" if broker.tls else "not encrypted",
        f"as {broker.username}" if broker.username else "without a login",
    ]
    return "".join(f", {part}" for part in parts if part)

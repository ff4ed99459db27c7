"""`mqtt test`: connects as configured, publishes, reads back, and says what the broker allows."""

from __future__ import annotations

import asyncio
import os
import sys

import click

from smart_meter_reader.cli.mqtt.sinks import confirmed, mqtt_sinks
from smart_meter_reader.console import EXIT_OK, EXIT_UNAVAILABLE
from smart_meter_reader.console.environments import complete_environment
from smart_meter_reader.exceptions import SinkError
from smart_meter_reader.mqtt.message import MqttMessage
from smart_meter_reader.mqtt.open_link import open_link
from smart_meter_reader.mqtt.settings import BrokerSettings
from smart_meter_reader.sinks.mqtt_sink import MqttSink
from smart_meter_reader.text import printable

# Stands where a meter's name stands. Nothing of it is retained.
PROBE = "mqtt-test"
READ_BACK_SECONDS = 2.0


@click.command()
@click.argument("environment", required=False, metavar="[ENV]", shell_complete=complete_environment)
def test(environment: str | None) -> int:
    """Connect to the broker of each MQTT sink of ENV, publish, and read back.

    Uses the same host, login, certificates and topics as the service. Says for every tree of topics
    whether the broker lets us publish there. The exit code is 69 when something is refused.
    """
    from smart_meter_reader.cli.settings import load_settings

    sinks = mqtt_sinks(load_settings(environment=environment).settings)
    results = [asyncio.run(_test(sink, broker)) for sink, broker in sinks]
    return EXIT_OK if all(results) else EXIT_UNAVAILABLE


async def _test(sink: MqttSink, broker: BrokerSettings) -> bool:
    """Whether the broker lets us in and publish to every tree of the sink; prints what it does."""
    try:
        link = await open_link(broker, _client_id(broker))
        print(f"sink {sink.name}: connected to {broker.address} (MQTT {link.version}{_how(broker)})")
        link.close()
        verdicts = [
            await _probe(broker, topic, sink.harmless_payload(PROBE, topic)) for topic in probe_topics(sink)
        ]
    except SinkError as error:
        print(f"sink {sink.name}: {error.detail}", file=sys.stderr)
        return False
    return all(verdicts)


async def _probe(broker: BrokerSettings, topic: str, payload: str) -> bool:
    """Publish and read back, on a link for this topic alone: some brokers hang up at what they refuse."""
    came_back = asyncio.Event()
    expected = topic, payload.encode()
    refusals: list[str] = []
    unreadable: list[str] = []
    link = await open_link(
        broker,
        _client_id(broker),
        on_received=lambda where, what: came_back.set() if (where, what) == expected else None,
        on_acknowledged=lambda message, refusal: refusals.append(refusal),
        on_end=came_back.set,
    )
    try:
        unreadable = await link.subscribe([topic])
        link.publish(MqttMessage(topic, payload, 1, retain=False))
        await confirmed(link, broker)
        if not unreadable and not any(refusals):
            async with asyncio.timeout(READ_BACK_SECONDS):
                await came_back.wait()
    except TimeoutError:
        pass  # the verdict says so
    finally:
        link.close()
    tree = f"{topic.partition('/')[0]}/..."
    if any(refusals):
        verdict = f"refused: the broker does not let us publish to {topic} ({refusals[0]})"
    elif link.failure:
        verdict = f"refused: the broker hangs up when we publish to {topic}"
    elif unreadable:
        verdict = "ok: published; reading is not allowed here, so it was not read back"
    elif came_back.is_set():
        verdict = "ok: published and read back"
    else:
        verdict = f"lost: {topic} was taken and did not come back: check what this user may do"
    print(printable(f"  {tree:<26} {verdict}"))
    return verdict.startswith("ok")


def probe_topics(sink: MqttSink) -> list[str]:
    """A topic of each kind that the sink publishes, of a meter that does not exist."""
    filters = sink.retained_topics(PROBE)
    return [topic.replace("#", PROBE).replace("+", PROBE) for topic in filters]


def _how(broker: BrokerSettings) -> str:
    parts = [
        "websockets" if broker.transport == "websockets" else "",
        "TLS, NOT verified" if broker.insecure else "TLS, verified" if broker.tls else "not encrypted",
        f"as {broker.username}" if broker.username else "without a login",
    ]
    return "".join(f", {part}" for part in parts if part)


def _client_id(broker: BrokerSettings) -> str:
    return f"{broker.client_id or 'smart-meter-reader'}-{PROBE}-{os.urandom(4).hex()}"

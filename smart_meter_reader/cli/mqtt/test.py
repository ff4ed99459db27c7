"""`mqtt test`: connects as configured, publishes, reads back, and says what the broker allows."""

from __future__ import annotations

import asyncio
import os
import sys
from dataclasses import replace

import click

from smart_meter_reader.cli.mqtt.sinks import PROBE, READ_BACK_SECONDS, confirmed, mqtt_sinks
from smart_meter_reader.console import EXIT_OK, EXIT_UNAVAILABLE
from smart_meter_reader.console.environments import complete_environment
from smart_meter_reader.console.wrapping import tell
from smart_meter_reader.exceptions import SinkError
from smart_meter_reader.mqtt.link import Link
from smart_meter_reader.mqtt.message import MqttMessage
from smart_meter_reader.mqtt.open_link import open_link
from smart_meter_reader.mqtt.settings import BrokerSettings
from smart_meter_reader.settings.loading import ServiceSettings
from smart_meter_reader.sinks.mqtt_sink import MqttSink
from smart_meter_reader.text import printable

_UNREADABLE = "ok: published; reading is not allowed here, so it was not read back"
_READ_BACK = "ok: published and read back"
_NOT_KEPT = ", but not kept: who subscribes later waits for the next reading (allow retained messages there)"
_LOST = "lost"


@click.command()
@click.argument("environment", required=False, metavar="[ENV]", shell_complete=complete_environment)
def test(environment: str | None) -> int:
    """Connect to the broker of each MQTT sink of ENV, publish, and read back.

    Uses the same host, login, certificates and topics as the service. Says for every tree of topics
    whether the broker lets us publish there. The exit code is 69 when something is refused.
    """
    from smart_meter_reader.cli.settings import load_settings

    return EXIT_OK if tested(load_settings(environment=environment).settings) else EXIT_UNAVAILABLE


def tested(settings: ServiceSettings) -> bool:
    """Whether each broker lets us in and publish everything; prints what it does. Raises SettingsError."""
    results = [asyncio.run(_test(sink, broker)) for sink, broker in mqtt_sinks(settings)]
    return all(results)


async def _test(sink: MqttSink, broker: BrokerSettings) -> bool:
    """Whether the broker lets us in and publish to every tree of the sink; prints what it does."""
    try:
        link = await open_link(broker, _client_id(broker), _will(sink))
        tell(
            f"sink {sink.name}: connected to {broker.address} (MQTT {link.version}{_how(broker)})", sys.stdout
        )
        for sentence in link.limits.sentences():
            tell(f"  {sentence}", sys.stdout)
        await link.part()
        verdicts = [
            await _probe(broker, topic, sink.harmless_payload(PROBE, topic), retain=link.limits.retain)
            for topic in probe_topics(sink)
        ]
    except SinkError as error:
        tell(f"sink {sink.name}: {error.detail}")
        return False
    return all(verdicts)


def _will(sink: MqttSink) -> MqttMessage | None:
    """A will as the service has one, but for its topic: the service may run, and is not to be taken back."""
    will = sink.presenter(PROBE if sink.per_meter else "").will
    if will is None or sink.per_meter:
        return will
    return replace(will, topic=f"{will.topic.rpartition('/')[0]}/{PROBE}")


async def _probe(broker: BrokerSettings, topic: str, payload: str, *, retain: bool) -> bool:
    """Whether the broker lets us publish to a topic; prints what it does."""
    verdict, version = await _verdict(broker, topic, payload, retain=retain)
    if retain and verdict.startswith("refused"):
        unretained, _ = await _verdict(broker, topic, payload, retain=False)
        if unretained.startswith("ok"):
            verdict = f"refused: the broker takes nothing retained at {topic}: allow retained messages there"
    if verdict == _LOST and version == "5":
        verdict = _UNREADABLE  # the broker would have said so if it had refused it
    elif verdict == _LOST:
        verdict = await _verdict_of_5(broker, topic, payload, retain=retain)
    tell(printable(f"  {topic.partition('/')[0] + '/...':<26} {verdict}"), sys.stdout)
    return verdict.startswith("ok")


async def _verdict_of_5(broker: BrokerSettings, topic: str, payload: str, *, retain: bool) -> str:
    """In MQTT 3.1.1 a broker cannot say that it refuses a message, and in 5 it can, if it knows that."""
    try:
        verdict, _ = await _verdict(replace(broker, protocol="5"), topic, payload, retain=retain)
    except SinkError:
        verdict = "the broker knows no MQTT 5, in which it could tell"
    if verdict == _LOST:
        return _UNREADABLE
    return (
        verdict if verdict.startswith("ok") else f"lost: {topic} was taken and did not come back: {verdict}"
    )


async def _verdict(broker: BrokerSettings, topic: str, payload: str, *, retain: bool) -> tuple[str, str]:
    """What becomes of a message, and in which version of MQTT.

    On a link for this topic alone: some brokers hang up at what they refuse. ``retain``: as the service's
    messages are, where the broker takes such; it is removed at once.
    """
    came_back, kept = asyncio.Event(), asyncio.Event()
    expected = topic, payload.encode()

    def take(where: str, what: bytes, retained: bool) -> None:
        if (where, what) == expected:
            (kept if retained else came_back).set()

    refusals: list[str] = []
    unreadable: list[str] = []
    link = await open_link(
        broker,
        _client_id(broker),
        on_received=take,
        on_acknowledged=lambda message, refusal: refusals.append(refusal),
        on_end=came_back.set,
    )
    came_back.clear()  # an attempt in another version may have ended before
    retain = retain and link.limits.retain and payload != ""
    try:
        unreadable = await link.subscribe([topic])
        link.publish(MqttMessage(topic, payload, 1, retain=retain))
        await confirmed(link, broker)
        if not unreadable and not any(refusals):
            await _read_back(link, topic, came_back, kept if retain else None)
    finally:
        if retain:
            link.publish(MqttMessage(topic, "", 1, retain=True))
        await link.part()
    if any(refusals):
        return f"refused: the broker does not let us publish to {topic} ({refusals[0]})", link.version
    if link.failure:
        return f"refused: the broker hangs up when we publish to {topic}", link.version
    if unreadable:
        return _UNREADABLE, link.version
    if not came_back.is_set():
        return _LOST, link.version
    return _READ_BACK + (_NOT_KEPT if retain and not kept.is_set() else ""), link.version


async def _read_back(link: Link, topic: str, came_back: asyncio.Event, kept: asyncio.Event | None) -> None:
    """Wait for what was published, and for ``kept``: what is retained comes to whoever subscribes anew."""
    try:
        async with asyncio.timeout(READ_BACK_SECONDS):
            await came_back.wait()
            if kept is not None:
                await link.subscribe([topic])
                await kept.wait()
    except TimeoutError:
        pass  # the verdict says so


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

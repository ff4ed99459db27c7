"""`mqtt clear`: removes what we retained at the broker for a meter that is gone."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path

import click

from smart_meter_reader.cli.mqtt.sinks import PROBE, READ_BACK_SECONDS, confirmed, mqtt_sinks
from smart_meter_reader.console import EXIT_OK, PROGRAM
from smart_meter_reader.console.confirmation import confirm
from smart_meter_reader.console.environments import complete_environment, environments
from smart_meter_reader.exceptions import LoginRefusedError, NeedsAPersonError
from smart_meter_reader.mqtt.link import Link
from smart_meter_reader.mqtt.message import MqttMessage
from smart_meter_reader.mqtt.open_link import open_link
from smart_meter_reader.mqtt.paho import mqtt
from smart_meter_reader.mqtt.settings import BrokerSettings
from smart_meter_reader.settings.loading import ServiceSettings
from smart_meter_reader.sinks.mqtt_sink import MqttSink
from smart_meter_reader.text import printable

# Retained messages follow the subscription at once; so long without one means that there are no more.
QUIET_SECONDS = 0.5
LONGEST_SECONDS = 10.0
# A meter has some hundreds at most; a broker may say that there is any number.
MOST_TOPICS = 5000


@click.command()
@click.argument("meter", required=False)
@click.argument("environment", required=False, metavar="[ENV]", shell_complete=complete_environment)
@click.option("--base", help="Look under this base, which the sinks had before.")
@click.option("--discovery-prefix", help="Look under this discovery prefix, which Home Assistant had before.")
@click.option("--service", help="Remove no meter, but what a service of this name said of itself.")
@click.option("--yes", is_flag=True, help="Remove without asking.")
def clear(
    meter: str | None,
    environment: str | None,
    base: str | None,
    discovery_prefix: str | None,
    service: str | None,
    yes: bool,
) -> int:
    """Remove what the MQTT sinks of ENV have retained for METER.

    METER is the name that it had in the settings. Lists what is found, and asks. A meter that is still read
    comes back at once. What the service says of itself goes, too, when it does not run any more.

    With `--service NAME [ENV]` it is what the service said of itself before its environment was renamed: NAME
    is the earlier name of the environment.
    """
    from smart_meter_reader.cli.settings import load_settings

    if service is None:
        whose = _meter(meter, environment)
    else:
        whose, environment = _service(service, meter, environment)
    settings = load_settings(environment=environment).settings
    sinks = mqtt_sinks(_as_before(settings, base, discovery_prefix, service))
    find = partial(_find, meter=whose) if service is None else _find_service
    found = {sink.name: asyncio.run(find(sink, broker)) for sink, broker in sinks}
    topics = sorted({topic for several in found.values() for topic in several})
    if not topics:
        print(f"nothing is retained for {whose}")
        return EXIT_OK
    for topic in topics:
        print(printable(topic))  # anybody may have chosen the last part of its name
    if any(len(several) >= MOST_TOPICS for several in found.values()):
        print(f"there may be more than these {len(topics)}: run this again when they are removed")
    if service is None and whose in settings.meters and base is None and discovery_prefix is None:
        print(f"{whose} is still in the settings: while the service runs, these come back")
    if not yes and not confirm(f"remove these {len(topics)} retained messages?"):
        return EXIT_OK
    for sink, broker in sinks:
        asyncio.run(_remove(broker, found[sink.name]))
    print(f"removed {len(topics)}")
    return EXIT_OK


def _meter(meter: str | None, environment: str | None) -> str:
    """The meter that was meant. Raises UsageError."""
    known = environments(Path())
    if environment and meter and environment not in known and meter in known:
        raise click.UsageError(f"the meter comes first: {PROGRAM} mqtt clear {environment} {meter}")
    if meter is None:
        raise click.UsageError("say which METER, or --service NAME")
    return _level(meter, "meter")


def _service(service: str, first: str | None, second: str | None) -> tuple[str, str | None]:
    """The service that was meant, and the environment, which is all that stands beside. Raises UsageError."""
    if second:
        raise click.UsageError("with --service there is no METER")
    return _level(service, "service"), first


def _level(name: str, of: str) -> str:
    if not name or set(name) & set("/+#$"):
        raise click.UsageError(f'"{name}" cannot be the name of a {of}')
    return name


def _as_before(
    settings: ServiceSettings, base: str | None, prefix: str | None, service: str | None
) -> ServiceSettings:
    """The settings with topics, and a name of the service, that were changed meanwhile."""
    for topic in (base, prefix):
        if topic is not None and (not topic.strip("/") or set(topic) & set("+#$")):
            raise click.UsageError(f'"{topic}" cannot be the beginning of topics')
    sinks = {}
    for name, sink in settings.sinks.items():
        trees = sink.driver.topic_trees if isinstance(sink.driver, BrokerSettings) else {}
        earlier = {"base": base, "discovery_prefix": prefix}
        changes = {key: topic for key, topic in earlier.items() if topic is not None and key in trees}
        if service is not None and isinstance(sink.driver, BrokerSettings):
            changes["service"] = service
        sinks[name] = replace(sink, driver=replace(sink.driver, **changes)) if changes else sink
    return replace(settings, sinks=sinks)


async def _find(sink: MqttSink, broker: BrokerSettings, meter: str) -> list[str]:
    """The topics under which this sink has retained something for the meter."""
    filters = (*sink.retained_topics(meter), *sink.former_topics(meter))
    found: set[str] = set()
    service: dict[str, bytes] = {}

    def take(topic: str, payload: bytes, _: bool) -> None:
        if topic in sink.service_topics:
            service[topic] = payload
            return
        asked_for = any(mqtt.topic_matches_sub(each, topic) for each in filters)
        ours = asked_for and MqttMessage(topic, "").has_topic and sink.is_ours(meter, topic, payload)
        if not payload:
            found.discard(topic)  # somebody removes it while we look
        elif ours and len(found) < MOST_TOPICS:
            found.add(topic)

    link = await open_link(broker, _client_id(broker), on_received=take)
    try:
        refused = await link.subscribe((*filters, *sink.service_topics))
        refused = [topic for topic in refused if topic in filters]
        if refused:
            raise LoginRefusedError(
                "not_authorized", f"{broker.address} does not let us read {', '.join(refused)}"
            )
        await _quiet(link, found)
    finally:
        link.close()
    if link.failure:
        raise link.failure
    nothing = [
        each
        for each in sink.retained_topics(meter)
        if not any(map(partial(mqtt.topic_matches_sub, each), found))
    ]
    await _require_readable(sink, broker, meter, nothing)
    if service.get(next(iter(sink.service_topics), ""), b"") == b"offline":
        found.update(topic for topic, payload in service.items() if payload)
    return sorted(found)


async def _find_service(sink: MqttSink, broker: BrokerSettings) -> list[str]:
    """The topics under which a service of that name has retained what it says of itself.

    Raises LoginRefusedError where they may not be read, and NeedsAPersonError while it runs.
    """
    if not sink.service_topics:
        return []
    found: dict[str, bytes] = {}
    topics: set[str] = set()

    def take(topic: str, payload: bytes, _: bool) -> None:
        if payload and any(mqtt.topic_matches_sub(each, topic) for each in sink.service_topics):
            found[topic] = payload
            topics.add(topic)

    link = await open_link(broker, _client_id(broker), on_received=take)
    try:
        await link.subscribe(sink.service_topics)
        await _quiet(link, topics)
    finally:
        link.close()
    if link.failure:
        raise link.failure
    availability = sink.service_topics[0]
    if availability not in found:
        probe = type(sink)(sink.name, replace(broker, service=PROBE)).service_topics[0]
        await _require_passed_on(sink, broker, {probe: availability})
    if found.get(availability) == b"online":
        raise NeedsAPersonError(
            "still_online", f"{availability} says online: a service of that name runs, stop it first"
        )
    return sorted(topics)


async def _require_readable(sink: MqttSink, broker: BrokerSettings, meter: str, filters: list[str]) -> None:
    """Raise LoginRefusedError when the broker does not pass on to us what stands under ``filters``."""
    probes = {
        probe: each
        for each, other in zip(sink.retained_topics(meter), sink.retained_topics(PROBE), strict=True)
        if each in filters and (probe := other.replace("#", PROBE).replace("+", PROBE))
    }
    await _require_passed_on(sink, broker, probes)


async def _require_passed_on(sink: MqttSink, broker: BrokerSettings, probes: Mapping[str, str]) -> None:
    """Raise LoginRefusedError when what is published to ``probes`` comes not back; names what they stand for.

    Some brokers grant each subscription and leave out what may not be read (Mosquitto): then nothing is
    found, whatever is there. So something harmless is published for what does not exist, and has to come
    back.
    """
    refused: set[str] = set()
    back: set[str] = set()
    news = asyncio.Event()

    def take(topic: str, _payload: bytes, _retained: bool) -> None:
        back.add(topic)
        news.set()

    link = await open_link(
        broker,
        _client_id(broker),
        on_received=take,
        on_acknowledged=lambda message, refusal: refused.add(message.topic) if refusal else None,
    )
    try:
        await link.subscribe(list(probes))
        for probe in probes:
            link.publish(MqttMessage(probe, sink.harmless_payload(PROBE, probe), 1, retain=False))
        await confirmed(link, broker)
        async with asyncio.timeout(READ_BACK_SECONDS):
            while not probes.keys() - refused <= back:
                news.clear()
                await news.wait()
    except TimeoutError:
        pass  # told below
    finally:
        await link.part()
    unseen = sorted(probes[probe] for probe in probes.keys() - refused - back)
    if unseen and not link.failure:
        raise LoginRefusedError(
            "not_authorized",
            f"{broker.address} does not let us see what is retained under {', '.join(unseen)}, so nothing of "
            f"it can be found: allow {broker.username or 'whoever has no login'} to read there, or use a "
            "login that may",
        )


async def _quiet(link: Link, found: set[str]) -> None:
    loop = asyncio.get_running_loop()
    until = loop.time() + LONGEST_SECONDS
    count = -1
    while count != len(found) < MOST_TOPICS and loop.time() < until and not link.failure:
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

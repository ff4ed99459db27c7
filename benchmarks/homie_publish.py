"""CPU of publishing new values of eight Homie properties: our sink beside Homie4 on its own client.

Ours is the sink's presenter on its link; Homie4 is used as its documentation shows, with the thread of its
client. Both publish at QoS 1, retained, to the same Mosquitto, and a reading is done when it is acknowledged.
"""

from __future__ import annotations

import asyncio
import logging
import time
import warnings
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any

from benchmarks.json_text import HEAT
from benchmarks.measure import Row, beside, cpu, in_turns, named
from benchmarks.processes import mosquitto
from smart_meter_reader.messages import Reading
from smart_meter_reader.mqtt.link import Link
from smart_meter_reader.mqtt.settings import BrokerSettings
from smart_meter_reader.sinks.homie.sink import HomieDevicePresenter


def rows(*, quick: bool) -> Iterator[Row]:
    """The cost of a reading."""
    logging.disable(logging.CRITICAL)
    rounds, readings = (2, 3) if quick else (7, 100)
    with mosquitto() as port, asyncio.Runner() as runner:
        ours, theirs = our_side(runner, port), their_side(port)
        sides = in_turns(
            rounds,
            cpu(lambda: ours(readings), unit=readings * 1e-6),
            cpu(lambda: theirs(readings), unit=readings * 1e-6),
        )
    yield beside("Homie: a reading of 8 properties", "µs", sides[0], named("Homie4"), sides[1])


def reading(number: int) -> Reading:
    """The heat meter's reading with values that differ from the last one's."""
    step = Decimal(number) / 100
    return {
        **HEAT,
        "measurements": {
            key: {"value": Decimal(str(each["value"])) + step, "unit": each["unit"]}
            for key, each in HEAT["measurements"].items()
        },
    }


def our_side(runner: asyncio.Runner, port: int) -> Callable[[int], object]:
    presenter = HomieDevicePresenter("heat", "homie")

    async def connect() -> Link:
        link = Link(BrokerSettings(host="127.0.0.1", port=port), "ours", "3.1.1", presenter.will)
        await link.open()
        return link

    link = runner.run(connect())

    async def publish(readings: int) -> None:
        for number in range(readings):
            for message in presenter.present(reading(number)):
                link.publish(message)
            await link.drained()

    runner.run(publish(1))
    return lambda readings: runner.run(publish(readings))


def their_side(port: int) -> Callable[[int], object]:
    with warnings.catch_warnings():
        # paho complains of how Homie4 makes its client, and Python of escapes in its texts.
        warnings.simplefilter("ignore")
        from homie.device_base import Device_Base
        from homie.node.node_base import Node_Base
        from homie.node.property.property_float import Property_Float

        device: Any = Device_Base(
            "theirs", "theirs", mqtt_settings={"MQTT_BROKER": "127.0.0.1", "MQTT_PORT": port}
        )
    node: Any = Node_Base(device, "heat", "heat", "heat")
    device.add_node(node)
    properties: list[Any] = []
    for key, each in HEAT["measurements"].items():
        name = key.replace("_", "-")
        properties.append(Property_Float(node, name, name, settable=False, unit=each["unit"]))
        node.add_property(properties[-1])
    device.start()
    client = device.mqtt_client.mqtt_client

    def publish(readings: int) -> None:
        for number in range(readings):
            for each, measurement in zip(properties, reading(number)["measurements"].values(), strict=True):
                each.value = float(measurement["value"])
            while client._out_messages:
                time.sleep(0.001)

    time.sleep(1)
    publish(1)
    return publish

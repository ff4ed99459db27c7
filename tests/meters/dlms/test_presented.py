"""What Home Assistant and Homie get of every capture: the validators have no cause to complain."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from smart_meter_reader.messages import Current, Status
from smart_meter_reader.meters.dlms.messages import DlmsMessages, KnownValues
from tests.codecs.dlms.vectors import VECTORS, Vector, opener, read, telegrams, wire
from tests.sinks.home_assistant.test_mqtt import House
from tests.sinks.homie.test_sink import Course

NOW = datetime(2026, 5, 4, 17, 19, 33, tzinfo=UTC)
ONLINE: Status = {
    "type": "status",
    "meter": "heat",
    "time": NOW,
    "state": "online",
    "reason": "",
    "detail": "readings arrive",
}


def messages_of(vector: Vector) -> list[Current]:
    messages = DlmsMessages("heat", Decimal(1), KnownValues())
    found: list[Current] = []
    for number, telegram in enumerate(telegrams(read(wire(vector), opener(vector)))):
        for message in messages.of(telegram, NOW, float(number), 10.0):
            assert message["type"] != "past"
            found.append(message)
    return found


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector["id"])
def test_every_capture_is_presented_without_complaint(vector: Vector) -> None:
    messages = messages_of(vector)
    house, course = House(), Course()
    house.tell(ONLINE, *messages)
    course.tell(ONLINE, *messages)
    for message in messages:
        if message["type"] == "reading":
            for key in message["measurements"]:
                assert f"sensor.heat_{key}" in house.sensors(), key

"""The sink ``homie`` on a real Mosquitto: its traffic satisfies the convention, whatever happens."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from datetime import UTC, datetime
from decimal import Decimal

from smart_meter_reader.messages import Reading, Status
from smart_meter_reader.sinks.homie.sink import HomieSettings, HomieSink
from tests.peers.feed import Feed, until
from tests.peers.mosquitto import Mosquitto
from tests.peers.mqtt_recorder import recording, retained
from tests.validators.homie import HomieValidator

NOON = datetime(2026, 2, 1, 12, 0, tzinfo=UTC)

KILLED = """
import asyncio, sys
from datetime import UTC, datetime
from decimal import Decimal
from smart_meter_reader.sinks.homie.sink import HomieSettings, HomieSink

async def messages():
    for meter in ("heat", "water"):
        yield {
            "type": "reading", "meter": meter, "time": datetime.now(UTC),
            "measurements": {"volume": {"value": Decimal("7.60"), "unit": "m³"}},
        }
    await asyncio.Event().wait()

sink = HomieSink("homie", HomieSettings(host="127.0.0.1", port=int(sys.argv[1])))
asyncio.run(sink.run(messages()))
"""


def reading(meter: str, power: str) -> Reading:
    return {
        "type": "reading",
        "meter": meter,
        "time": NOON,
        "measurements": {
            "heat_energy": {"value": Decimal("227.445"), "unit": "GJ"},
            "power": {"value": Decimal(power), "unit": "kW"},
        },
    }


def offline(meter: str) -> Status:
    return {
        "type": "status",
        "meter": meter,
        "time": NOON,
        "state": "offline",
        "reason": "no_answer",
        "detail": "The meter does not answer.",
    }


async def test_a_life_from_init_to_disconnected(broker: Mosquitto) -> None:
    feed = Feed()
    sink = HomieSink("homie", HomieSettings(host="127.0.0.1", port=broker.port))
    with recording(broker.port) as recorder:
        running = asyncio.create_task(sink.run(feed.messages()))
        feed.put(reading("heat", "1.2"), reading("cooling", "3"))
        await recorder.sees("homie/heat/$state", "ready")
        await recorder.sees("homie/cooling/$state", "ready")
        feed.put(reading("heat", "1.30"))
        await recorder.sees("homie/heat/heat/power", "1.30")
        feed.put(offline("heat"))
        await recorder.sees("homie/heat/$state", "alert")
        feed.put(reading("heat", "1.4"))
        await until(lambda: recorder.count("homie/heat/$state", "ready") == 2)
        found = await asyncio.to_thread(retained, broker.port)
        feed.end()
        await running
        await recorder.sees("homie/heat/$state", "disconnected")
        await recorder.sees("homie/cooling/$state", "disconnected")
    assert HomieValidator().feed(recorder.traffic).problems == []
    # A controller that comes later finds the whole device.
    tree = {f"homie/heat/{topic}" for topic in HomieValidator().feed(recorder.traffic).tree("heat")}
    assert {topic for topic in found if topic.startswith("homie/heat/")} == tree
    assert found["homie/heat/$nodes"] == "heat,meter"
    assert found["homie/heat/heat/power"] == "1.4"


async def test_the_broker_restarts(broker: Mosquitto) -> None:
    feed = Feed()
    sink = HomieSink("homie", HomieSettings(host="127.0.0.1", port=broker.port))
    running = asyncio.create_task(sink.run(feed.messages()))
    with recording(broker.port) as recorder:
        feed.put(reading("heat", "1.2"))
        await recorder.sees("homie/heat/$state", "ready")
    broker.stop()
    feed.put(reading("heat", "1.5"))
    broker.start()
    with recording(broker.port) as recorder:
        await recorder.sees("homie/heat/heat/power", "1.5")
        await until(lambda: recorder.traffic[-1].payload == "ready")
        again = [item for item in recorder.traffic if item.topic == "homie/heat/$state"]
        feed.end()
        await running
    assert again[-1].payload == "ready"
    live = recorder.traffic[[item.payload for item in recorder.traffic].index("init") :]
    assert HomieValidator().feed(live).problems == []


async def test_sigkill_leaves_every_device_lost(broker: Mosquitto) -> None:
    with recording(broker.port) as recorder:
        process = subprocess.Popen([sys.executable, "-c", KILLED, str(broker.port)])
        try:
            for meter in ("heat", "water"):
                await recorder.sees(f"homie/{meter}/$state", "ready")
        finally:
            process.kill()
            process.wait()
        for meter in ("heat", "water"):
            await recorder.sees(f"homie/{meter}/$state", "lost")
    found = await asyncio.to_thread(retained, broker.port)
    assert found["homie/heat/$state"] == found["homie/water/$state"] == "lost"
    assert HomieValidator().feed(recorder.traffic).problems == []

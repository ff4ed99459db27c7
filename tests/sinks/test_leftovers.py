"""A meter that is gone from the settings, and topics that were changed, at a Mosquitto after a restart."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import pytest

from smart_meter_reader.sinks.leftovers import decode_trees
from tests.cli.program import ROOT, run
from tests.peers.feed import until
from tests.peers.mosquitto import Mosquitto
from tests.peers.mqtt_recorder import recording, retained
from tests.peers.service_process import service_process

HEAD = '[default.mqtt]\nhost = "127.0.0.1"\nport = {port}\n'
METER = '[house.meters.{name}]\nclient = "dummy"\ninterval = "1h"\n'
OLD = re.compile(r"^[a-z_-]+/heat/|reader_heat/")
SINKS = "[house.sinks.mqtt_json]\n{keys}[house.sinks.home_assistant]\n{more}[house.sinks.homie]\n"


def settings(port: int, *meters: str, keys: str = "", more: str = "") -> str:
    tables = "".join(METER.format(name=name) for name in meters)
    stdout = "[house.sinks.stdout]\n"
    return HEAD.format(port=port) + tables + SINKS.format(keys=keys, more=more) + stdout


async def start_and_stop(folder: Path, text: str, port: int, *logged: str, published: str = "ready") -> str:
    """Run until each meter was read, and until log and broker have what is to be there; the log."""
    async with service_process(folder, text, "house") as service:
        await service.more_readings(text.count("[house.meters."))
        await until(lambda: all(each in service.log for each in logged))
        with recording(port) as recorder:
            await until(lambda: "ready" in {item.payload for item in recorder.traffic})
            await until(lambda: any(published in item.payload for item in recorder.traffic))
        await service.stop()
        return service.log


async def test_a_meter_that_is_gone_is_offline_told_and_can_be_cleared(
    broker: Mosquitto, tmp_path: Path
) -> None:
    """Koenkk/zigbee2mqtt#4432: renamed, and the old one stayed online with old values for ever."""
    await start_and_stop(tmp_path, settings(broker.port, "heat"), broker.port)
    topics = ("smart_meter_reader_ha/heat/availability", "smart-meter-reader/heat/availability")
    with recording(broker.port) as recorder:
        for topic in topics:
            recorder.publish(topic, "online", retain=True)  # as after a power cut
    renamed = settings(broker.port, "heating")
    command = "`smart-meter-reader mqtt clear heat house`"
    told = [
        f"sink {name}: the meter heat is no longer in" for name in ("home_assistant", "mqtt_json", "homie")
    ]
    log = await start_and_stop(
        tmp_path, renamed, broker.port, *told, command, published='"status_reason":"gone"'
    )
    assert log.count(command) == 3
    left = retained(broker.port)
    assert [left[topic] for topic in topics] == ["offline", "offline"]
    assert left["homie/heat/$state"] == "disconnected"
    status = json.loads(left["smart_meter_reader_ha/heat/status"])
    assert (status["status"], status["connected"], status["status_reason"]) == ("offline", "OFF", "gone")
    cleared = run("mqtt", "clear", "heat", "house", "--yes", cwd=tmp_path)
    assert cleared.returncode == 0, cleared.stderr
    assert not [topic for topic in retained(broker.port) if OLD.search(topic)]
    log = await start_and_stop(tmp_path, renamed, broker.port)
    assert "no longer in" not in log
    assert not [topic for topic in retained(broker.port) if OLD.search(topic)]


async def test_what_stands_under_an_earlier_base_and_prefix_is_told(
    broker: Mosquitto, tmp_path: Path
) -> None:
    await start_and_stop(
        tmp_path, settings(broker.port, "heat", more='base = "b"\ndiscovery_prefix = "p"\n'), broker.port
    )
    shutil.copy(ROOT / "config.py", tmp_path)
    command = "mqtt clear heat house --base b --discovery-prefix p"
    log = await start_and_stop(tmp_path, settings(broker.port, "heat"), broker.port, command)
    assert "the meter heat was published under other topics before" in log
    cleared = run(*command.split(), "--yes", cwd=tmp_path)
    assert cleared.returncode == 0, cleared.stderr
    left = retained(broker.port)
    assert not [topic for topic in left if topic.startswith(("b/", "p/"))]
    assert "smart_meter_reader_ha/heat/state" in left


async def test_topics_that_did_not_change_are_in_use(broker: Mosquitto, tmp_path: Path) -> None:
    before = settings(broker.port, "heat", more='discovery_prefix = "p"\n')
    await start_and_stop(tmp_path, before, broker.port)
    command = "mqtt clear heat house --discovery-prefix p"
    async with service_process(tmp_path, settings(broker.port, "heat"), "house") as service:
        await until(lambda: command in service.log)
        with recording(broker.port) as recorder:
            await recorder.sees("smart_meter_reader_ha/heat/availability", "online")
        await service.stop()


@pytest.mark.parametrize(
    "trees",
    [
        "x",
        [1],
        [{}],
        [{"broker": "a", "service": "b", "topics": {"base": 1}, "meters": {}}],
        [{"broker": "a", "service": "b", "topics": {}, "meters": {"a/#": ""}}],
        [{"broker": 1, "service": "b", "topics": {}, "meters": {}}],
    ],
)
def test_a_memory_that_was_never_written_is_refused(trees: object) -> None:
    with pytest.raises(ValueError, match=r"missing|none"):
        decode_trees({"trees": trees})


async def test_a_damaged_memory_is_told_and_costs_nothing_else(broker: Mosquitto, tmp_path: Path) -> None:
    file = tmp_path / "house.sinks.json"
    for content in ("{", json.dumps({"version": 1, "sinks": {"homie": {"trees": 5}}})):
        file.write_text(content)
        log = await start_and_stop(tmp_path, settings(broker.port, "heat"), broker.port)
        assert "house.sinks.json is damaged" in log
        assert json.loads(file.read_text())["sinks"].keys() == {"mqtt_json", "home_assistant", "homie"}

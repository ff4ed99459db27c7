"""What a meter reports of itself, from its line by the service to broker, Home Assistant and history."""

from __future__ import annotations

import asyncio
from pathlib import Path

from smart_meter_reader.emulators.stream import on_pty
from smart_meter_reader.history.places import history_file
from smart_meter_reader.history.questions.record import History
from smart_meter_reader.meters.kmp.emulator import KamstrupMeter
from tests.peers.mosquitto import Mosquitto, Watcher
from tests.peers.service_process import service_process

_HOME = """
[home.mqtt]
host = "127.0.0.1"
port = {broker}
tls = false
[home.meters.heat]
client = "kamstrup"
port = "{port}"
interval = "500ms"
mains_powered = true
[home.sinks.mqtt_json]
[home.sinks.home_assistant]
[home.sinks.homie]
[home.sinks.history]
write_every = "1s"
clock = "trusted"
[home.sinks.screen]
type = "stdout"
format = "json"
"""
_DISCONNECTED = 8  # t1


async def test_a_broken_sensor_from_the_line_to_every_sink_and_back(
    tmp_path: Path, broker: Mosquitto, watcher: Watcher
) -> None:
    heat = KamstrupMeter("603", reply_delay=0.0)
    async with on_pty(heat) as port:
        settings = _HOME.format(port=port, broker=broker.port)
        async with service_process(tmp_path, settings, "home") as service:
            await service.until(lambda: len(service.readings) >= 1, "a reading")
            assert service.readings[-1]["measurements"]["reported_problems"]["value"] == "none"
            heat.report(_DISCONNECTED)
            await service.until(lambda: "online meter_reports" in service.states, "its word")
            await asyncio.to_thread(watcher.wait_for, lambda _: said(watcher, "t1_high", "ON"))
            before = len(service.readings)
            await service.until(lambda: len(service.readings) > before + 1, "a reading")
            reading = service.readings[-1]["measurements"]
            # 185.00 °C, 0.00 K and 0.0 kW: none of that was measured.
            assert not {"flow_temperature", "temperature_difference", "power"} & reading.keys()
            assert {"return_temperature", "volume_flow", "heat_energy"} <= reading.keys()
            assert reading["info_code_text"]["value"] == (
                "temperature sensor t1 is above its range or disconnected"
            )
            heat.report(0)
            await service.until(lambda: service.states[-1] == "online", "that it is over")
            await asyncio.to_thread(watcher.wait_for, lambda _: said(watcher, "none", "OFF"))
            await service.stop()
            assert service.health["rejected_values"] >= 3
            assert service.log.count("flow_temperature 185.00 °C is left out") == 1
    with History(history_file(tmp_path, "home")) as history:
        events = [(event.kind, event.text) for event in history.events(0, 2**40, "heat")]
    sentence = "temperature sensor t1 is above its range or disconnected"
    assert events == [
        ("info_code_raised", f"the meter reports: {sentence}"),
        ("info_code_cleared", f"the meter no longer reports: {sentence}"),
    ]


def said(watcher: Watcher, problems: str, state: str) -> bool:
    """Whether all sinks say so now: mqtt_json, Home Assistant (and its sensor Problem), Homie."""
    plain = [each.json for each in watcher.live("smart-meter-reader/heat/state")]
    home = [each.json for each in watcher.live("smart_meter_reader_ha/heat/state")]
    status = [each.json for each in watcher.live("smart_meter_reader_ha/heat/status")]
    homie = [each.text for each in watcher.live("homie/heat/meter/reported-problems")]
    return bool(
        (plain and plain[-1]["measurements"]["reported_problems"]["value"] == problems)
        and (home and home[-1]["reported_problems"] == problems)
        and (status and status[-1]["problem"] == state)
        and homie[-1:] == [problems]
    )

"""The service reads emulated meters over real lines, is killed on the way, and its history equals them."""

from __future__ import annotations

import asyncio
from datetime import datetime
from decimal import Decimal
from pathlib import Path

from smart_meter_reader.emulators.stream import on_pty, on_tcp
from smart_meter_reader.history.places import history_file
from smart_meter_reader.history.questions.bars import between
from smart_meter_reader.history.questions.record import History
from smart_meter_reader.meters.kmp.emulator import KamstrupMeter
from smart_meter_reader.meters.p1.emulator import P1Meter
from tests.peers.service_process import ServiceProcess, service_process

_HOME = """
[home.meters.power]
client = "dsmr"
port = "socket://{p1}"
[home.meters.heat]
client = "kamstrup"
port = "{kmp}"
registers = ["heat_energy", "volume"]
interval = "2s"
mains_powered = true
[home.sinks.history]
write_every = "1s"
clock = "trusted"
[home.sinks.screen]
type = "stdout"
format = "json"
"""
_LONGEST = 2**40


def first_shown(service: ServiceProcess, meter: str, quantity: str) -> int:
    """When a meter has told it for the first time, in Unix seconds: what it had kept itself lies before."""
    measurements = (
        (each["measurements"][quantity], each["time"])
        for each in service.readings
        if each["meter"] == meter and quantity in each["measurements"]
    )
    measurement, time = next(measurements)
    return int(datetime.fromisoformat(measurement.get("measured_at", time)).timestamp())


def shown(service: ServiceProcess, meter: str, quantity: str) -> list[Decimal]:
    """What a meter has told, from the service's other sink."""
    return [
        Decimal(each["measurements"][quantity]["value"])
        for each in service.readings
        if each["meter"] == meter and quantity in each["measurements"]
    ]


async def test_the_history_is_what_the_meters_showed_though_the_service_was_killed(tmp_path: Path) -> None:
    # Two seconds apart, as of one second the first reading counts; at a rate at which the heat meter counts.
    power, heat = P1Meter("dsmr-5", seed=1, interval=2.0), KamstrupMeter(seed=1, rate=600, reply_delay=0.02)
    counters = (
        ("power", "active_energy_import"),
        ("power-gas", "gas_volume"),
        ("heat", "heat_energy"),
        ("heat", "volume"),
    )
    first: dict[tuple[str, str], Decimal] = {}
    since: dict[tuple[str, str], int] = {}
    last: dict[tuple[str, str], Decimal] = {}
    async with on_tcp(power) as p1, on_pty(heat) as kmp:
        settings = _HOME.format(p1=p1, kmp=kmp)
        async with service_process(tmp_path, settings, "home") as service:
            await service.until(lambda: len(shown(service, "heat", "volume")) >= 4, "heat")
            await asyncio.sleep(1.5)  # in the middle of anything
            await service.kill()
            for name in counters:
                first[name], since[name] = shown(service, *name)[0], first_shown(service, *name)
        await asyncio.sleep(3)
        async with service_process(tmp_path, settings, "home") as service:
            await service.until(lambda: len(shown(service, "heat", "volume")) >= 4, "heat")
            await service.until(lambda: len(shown(service, "power", "active_energy_import")) >= 4, "power")
            await service.stop()
            for name in counters:
                last[name] = shown(service, *name)[-1]
    with History(history_file(tmp_path, "home")) as history:
        for name in counters:
            counter = history.counter(*name)
            assert len(counter.parts) == 1, name
            assert between(counter, since[name], _LONGEST).difference == last[name] - first[name], name
            assert (last[name] > first[name]) or name[0] == "power-gas"
        kinds = [event.kind for event in history.events(0, _LONGEST)]
        assert kinds == ["started", "stopped"]  # what the kill left is no gap that wants a reason

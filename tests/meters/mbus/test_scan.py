"""Finding M-Bus meters: all on a bus, the one at a head, noise told from a collision."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from smart_meter_reader.cli.scan.scanning import PortReport
from smart_meter_reader.cli.scan.settings_block import settings_block, target
from smart_meter_reader.emulators.stream import EmulatedLine, EmulatedMeter, on_pty, on_tcp
from smart_meter_reader.exceptions import ProtocolError
from smart_meter_reader.meters.found import Found, Outcome, telling
from smart_meter_reader.meters.head import Sign
from smart_meter_reader.meters.mbus.emulator import meter_of
from smart_meter_reader.meters.mbus.probe import ask_bus, ask_head, head_probe
from tests.meters.mbus.buses import bus

pytestmark = pytest.mark.usefixtures("hurrying_loop")


async def asked(meters: EmulatedMeter, address: str = "") -> tuple[Outcome, list[str]]:
    """What is found over TCP, whose speed is fixed, and what is told meanwhile."""
    steps: list[str] = []
    async with on_tcp(meters) as place:
        with telling(steps.append):
            return await ask_bus(f"socket://{place}", address), steps


def keys(found: Outcome) -> list[dict[str, object]]:
    assert isinstance(found, Found), found
    return [dict(each.keys) for each in (found, *found.others)]


async def test_one_meter_is_found_by_one_request() -> None:
    emulated = bus(meters=[meter_of("multical_603", address=7, number="11223344")])
    found, steps = await asked(emulated)
    assert isinstance(found, Found)
    assert (found.manufacturer, found.model, found.serial_number, found.kind) == (
        "Kamstrup",
        "MULTICAL 603",
        "11223344",
        "heat",
    )
    assert keys(found) == [{"address": 7, "interval": "1min"}]
    assert (len(emulated.asked), steps) == (1, [])


async def test_every_meter_of_a_bus_is_found_and_the_way_there_is_told() -> None:
    meters = [
        meter_of("multical_403", address=1, number="11111111"),
        meter_of("water", address=2, number="11119999"),
        meter_of("sharky", address=3, number="70000000"),
        meter_of("supercal", address=3, number="70000001"),
    ]
    found, steps = await asked(bus(meters=meters))
    # An address that two have names neither of them.
    assert keys(found) == [
        {"address": 1, "interval": "1min"},
        {"address": 2, "interval": "1min"},
        {"secondary_address": "70000000", "interval": "1min"},
        {"secondary_address": "70000001", "interval": "1min"},
    ]
    assert steps[0] == "selecting 0....... (0% searched, 0 found)"
    assert steps[-1] == "selecting 9....... (90% searched, 4 found)"


async def test_a_known_prefix_spares_the_rest() -> None:
    emulated = bus(meters=[meter_of("multical_403", number="11111111"), meter_of("water", number="70000001")])
    found, _ = await asked(emulated, "7FFFFFFF")
    assert keys(found) == [{"secondary_address": "70000001", "interval": "1min"}]
    assert len(emulated.asked) == 3  # selected, read, let go


async def test_a_primary_address_is_asked_and_no_other() -> None:
    emulated = bus(meters=[meter_of("multical_403", address=1), meter_of("water", address=2)])
    found, _ = await asked(emulated, "2")
    assert keys(found) == [{"address": 2, "interval": "1min"}]
    assert (await asked(bus(), "9"))[0] == ""
    assert (await asked(bus(), "no address of M-Bus"))[0] == ""


async def test_noise_is_no_collision_and_starts_no_search() -> None:
    class Babbling:
        async def serve(self, line: EmulatedLine) -> None:
            while await line.read():
                await line.write(b"\xfe\xdc\xba\x98")

    told, steps = await asked(Babbling())
    assert isinstance(told, str)
    assert "bytes come though nobody is asked" in told
    assert steps == []


async def test_a_meter_that_gives_no_values_is_told() -> None:
    told, _ = await asked(bus("busy"))
    assert isinstance(told, str)
    assert "too busy to answer" in told


async def test_a_meter_at_a_head_is_woken_and_found() -> None:
    emulated = bus("sleep", meters=[meter_of("sharky", number="44554455")])
    async with on_pty(emulated) as path:
        found = await ask_head(path)
        assert isinstance(found, Found)
        assert (found.serial_number, dict(found.keys)) == ("44554455", {"wake_up": "0x55", "interval": "1h"})
        async with head_probe(path) as probe:
            assert [await probe(), await probe()] == [Sign.CLEAN, Sign.CLEAN]
    async with on_pty(bus("drop,echo")) as path, head_probe(path) as probe:
        assert await probe() is Sign.ECHO
    async with on_pty(bus("checksum")) as path, head_probe(path) as probe:
        assert await probe() is Sign.DAMAGED
    with pytest.raises(ProtocolError, match="no address for a head"):
        async with head_probe("/dev/null", "12345678"):
            pass


async def test_settings_for_a_bus_share_its_port_and_what_is_there_is_left_alone(tmp_path: Path) -> None:
    meters = [meter_of("multical_403", address=1), meter_of("water", address=2, number="22222222")]
    found, _ = await asked(bus(meters=meters))
    report = PortReport("x")
    assert report.settle(found, "mbus")
    there = target(tmp_path, "home")
    block = settings_block(there, report.meters)
    assert block.count('client = "mbus"') == 2
    assert "[home.meters.heat]" in block
    assert "[home.meters.water]" in block
    (tmp_path / "settings.toml").write_text(block)
    there = target(tmp_path, "home")
    assert [there.meter_at(each.port, each.keys) for each in report.meters] == ["heat", "water"]
    assert there.meter_at(report.meters[0].port, {"address": 9}) is None
    assert there.meter_at(report.meters[0].port) is not None


def test_who_listens_to_no_steps_hears_none() -> None:
    async def quiet() -> Outcome:
        async with on_tcp(bus()) as place:
            return await ask_bus(f"socket://{place}", "12FFFFFF")

    assert isinstance(asyncio.run(quiet()), Found)


async def test_what_answers_whoever_is_selected_is_not_searched_for_ever() -> None:
    class Modem:
        """Finds fault with each line that is long enough, as something with commands of its own does."""

        def __init__(self) -> None:
            self.asked = 0

        async def serve(self, line: EmulatedLine) -> None:
            while received := await line.read():
                if len(received) > 5:
                    self.asked += 1
                    await line.write(b"ERROR\r\n")

    modem = Modem()
    outcome, _ = await asked(modem)
    assert isinstance(outcome, str)
    assert "something answers whatever number is selected" in outcome
    assert modem.asked < 30

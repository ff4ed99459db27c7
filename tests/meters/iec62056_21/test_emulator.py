"""Emulated IEC 62056-21 meters: whatever the seed, their registers have digits for what was counted."""

from __future__ import annotations

from decimal import Decimal

import pytest

from smart_meter_reader.codecs.iec62056_21.data_set import parse_data_sets
from smart_meter_reader.codecs.parity import strip_parity
from smart_meter_reader.meters.iec62056_21.emulator import Iec62056Meter
from smart_meter_reader.transport import LineSettings


class Reader:
    """Signs on, takes the speed of the sign-on, asks /#1, and hangs up."""

    line: LineSettings | None = None

    def __init__(self) -> None:
        self._requests = [b"/?!\r\n", b"\x06000\r\n", b"/#1"]
        self.answers: list[bytes] = []

    async def read(self) -> bytes:
        return self._requests.pop(0) if self._requests else b""

    async def write(self, payload: bytes) -> None:
        self.answers.append(strip_parity(payload))


@pytest.mark.parametrize("seed", [0, 7, -494_391, -(10**12), 10**26])
@pytest.mark.parametrize("model", ["multical_66c", "multical_401", "iec62056_21"])
async def test_any_seed_has_counted_what_its_registers_hold(model: str, seed: int) -> None:
    reader = Reader()
    await Iec62056Meter(model, seed=seed, reply_delay=0).serve(reader)
    readout = parse_data_sets(reader.answers[1].removeprefix(b"\x02")).sets
    (energy,) = (each.values[0].value for each in readout if each.code in ("6.8", "1.8.0"))
    assert isinstance(energy, Decimal)
    assert 0 <= energy < 5_000_000
    usual = Reader()
    await Iec62056Meter(model, reply_delay=0).serve(usual)
    assert [len(answer) for answer in reader.answers] == [len(answer) for answer in usual.answers]

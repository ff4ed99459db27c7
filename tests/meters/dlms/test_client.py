"""The client `dlms` against emulated meters on real pseudo-terminals and TCP ports, with every trouble."""

from __future__ import annotations

import asyncio
import logging
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from smart_meter_reader.codecs.dlms.axdr import OCTETS, STRUCTURE, UINT32, Item, encode_item
from smart_meter_reader.codecs.dlms.framing.hdlc import encode_hdlc
from smart_meter_reader.emulators.faults import parse_faults
from smart_meter_reader.emulators.stream import on_pty, on_tcp
from smart_meter_reader.exceptions import NoTelegramError
from smart_meter_reader.meters.dlms.client import DlmsClient
from smart_meter_reader.meters.dlms.emulated_models import MODELS
from smart_meter_reader.meters.dlms.emulator import FAULTS, DlmsMeter, PushEncryption, split_recording
from smart_meter_reader.meters.dlms.settings import DlmsSettings
from smart_meter_reader.meters.p1.emulator import P1Meter
from smart_meter_reader.settings.schema import Secret
from tests.codecs.dlms.vectors import BY_ID, wire
from tests.peers.heard import Heard, running

KEY, AK = bytes(range(16)), bytes(range(0xD0, 0xE0))
FAST = 0.02  # seconds between lists


def meter(model: str = "kaifa-no", *faults: str, **options: Any) -> DlmsMeter:
    return DlmsMeter(
        model, faults=parse_faults(faults, FAULTS), interval=options.pop("interval", FAST), **options
    )


def client_of(port: str, **settings: Any) -> DlmsClient:
    return DlmsClient("power", DlmsSettings(port=port, **settings))


def energies(heard: Heard) -> list[Decimal]:
    found = [each["measurements"].get("active_energy_import") for each in heard.readings]
    return [Decimal(each["value"]) for each in found if each is not None]


@pytest.mark.parametrize("model", [name for name in MODELS if name != "kamstrup-unknown"])
async def test_every_model_on_a_pty(model: str) -> None:
    async with on_pty(meter(model)) as port, running(client_of(port)) as heard:
        await heard.until(lambda: len(energies(heard)) >= 4, "energies")
    info = heard.of("info")[0]
    assert info["meter"] == "power"
    for reading in heard.readings:
        powers = reading["measurements"].get("active_power_import", {"value": 600, "unit": "W"})
        assert (200 <= Decimal(powers["value"]) <= 3200, powers["unit"]) == (True, "W")
        volts = reading["measurements"].get("voltage_l1")
        assert volts is None or 229 <= Decimal(volts["value"]) <= 233
    assert energies(heard) == sorted(energies(heard))
    assert 31_358_590 <= energies(heard)[0] <= 31_370_000
    assert heard.of("status") == []
    assert len({repr(each) for each in heard.of("info")}) <= 2  # who it is, and how often it sends


async def test_over_tcp() -> None:
    async with on_tcp(meter("e450-ch")) as place, running(client_of(f"socket://{place}")) as heard:
        await heard.wait_for(3)
    assert heard.readings[0]["measurements"]["current_l1"]["unit"] == "A"


@pytest.mark.parametrize("own", [AK, None])
async def test_encrypted_lists(own: bytes | None) -> None:
    emulated = meter("kaifa-at", encryption=PushEncryption(KEY, own))
    keys = {"key": Secret(KEY.hex())} | ({} if own is None else {"authentication_key": Secret(own.hex())})
    async with on_pty(emulated) as port, running(client := client_of(port, **keys)) as heard:
        await heard.wait_for(3)
    told = {reading["authentication"] for reading in heard.readings}
    assert told == {"none" if own is None else "verified"}
    assert bool(client.memory) == (own is not None)
    again = client_of(port, **keys)
    again.recall(client.memory)
    assert again.memory == client.memory


@pytest.mark.parametrize(
    ("keys", "reason"),
    [
        ({}, "no_key"),
        ({"key": Secret("00" * 16)}, "wrong_encryption_key"),
        ({"key": Secret(KEY.hex())}, "no_authentication_key"),
        ({"key": Secret(KEY.hex()), "authentication_key": Secret("00" * 16)}, "wrong_authentication_key"),
    ],
)
async def test_why_a_list_does_not_open(keys: dict[str, Any], reason: str) -> None:
    emulated = meter("kamstrup-dk", encryption=PushEncryption(KEY, AK))
    async with on_pty(emulated) as port, running(client_of(port, **keys)) as heard:
        await heard.until(lambda: bool(heard.of("status")), "an alert")
    (status,) = heard.of("status")
    assert (status["state"], status["reason"]) == ("alert", reason)
    assert heard.readings == []
    assert KEY.hex() not in status["detail"]


@pytest.mark.parametrize(
    ("model", "fault"),
    [
        *(
            ("kaifa-no", fault)
            for fault in ("crc:1/3", "cut:1/3", "lose:1/3", "drop:1/3", "noise", "replay:1/3")
        ),
        *(("e450-ch", fault) for fault in ("piece:1/3", "repeat:1/3", "crc:1/3")),
        *(("am550-ch", fault) for fault in ("piece:1/3", "lose:1/3")),
        *(("sagemcom-at", fault) for fault in ("piece:1/3", "crc:1/3")),
    ],
)
async def test_damage_gives_no_wrong_value(model: str, fault: str) -> None:
    async with on_pty(meter(model, fault)) as port, running(client := client_of(port)) as heard:
        await heard.until(lambda: len(heard.readings) >= 12, "readings")
    for reading in heard.readings:
        power = Decimal(reading["measurements"]["active_power_import"]["value"])
        assert 200 <= power <= 3200
        for key, each in reading["measurements"].items():
            if key.startswith("active_energy_import"):
                assert 31_358_000 // 3 <= Decimal(each["value"]) <= 31_400_000
    kind = fault.partition(":")[0]
    assert bool(client.health.get("damaged_frames")) == (kind not in ("drop", "noise", "replay"))


async def test_lists_of_different_rhythms_keep_each_others_values() -> None:
    emulated = meter(recording=[wire("hdlc-iskra-am550-si-15min"), *[wire("hdlc-iskra-am550-si-5s")] * 4])
    async with on_pty(emulated) as port, running(client_of(port)) as heard:
        await heard.wait_for(8)
    both = heard.readings[-1]["measurements"]
    assert both["active_energy_import"]["value"] == 52837
    assert both["active_power_import"]["value"] == 1393
    with_time = [
        reading
        for reading in heard.readings
        if "measured_at" in reading["measurements"].get("active_energy_import", {})
    ]
    assert with_time  # of the other list, and it says of when
    assert len({each["serial_number"] for each in heard.of("info")}) == 1


async def test_a_counter_that_seems_ten_times_too_high_is_told_and_not_published_on(
    caplog: pytest.LogCaptureFixture,
) -> None:
    emulated = meter("kamstrup-unknown", interval=0.01)
    async with on_pty(emulated) as port, running(client := client_of(port)) as heard:
        await heard.until(lambda: bool(heard.of("status")), "a doubt")
        told = len(heard.readings)
        await heard.until(lambda: len(heard.readings) >= told + 40, "readings without the counter")
    (status,) = heard.of("status")
    assert (status["state"], status["reason"]) == ("online", "implausible_scale")
    assert "your counter seems 10x too high" in status["detail"]
    assert "energy_step" in status["detail"]
    assert [each.levelname for each in caplog.records if "your counter seems" in each.getMessage()] == [
        "WARNING"
    ]
    assert client.health["rejected_values"] >= 2
    for reading in heard.readings[told:]:
        assert "active_energy_import" not in reading["measurements"]
        assert "active_power_import" in reading["measurements"]


async def test_what_seemed_wrong_is_known_after_a_restart_unless_the_settings_changed() -> None:
    before = client_of("/dev/x")
    assert before.memory == {}
    memory = {"scale": {"steps": ["", "", "", ""], "doubts": {"energy": "10"}}}
    before.recall(memory)
    assert before.memory == memory
    async with on_pty(meter("kamstrup-no")) as port, running(again := client_of(port)) as heard:
        again.recall(memory)
        await heard.wait_for(3)
    assert all("active_energy_import" not in each["measurements"] for each in heard.readings[1:])
    assert [status["reason"] for status in heard.of("status")] == ["implausible_scale"]
    changed = client_of("/dev/x", energy_step=Decimal(1))
    changed.recall(memory)
    assert changed.memory == {}


@pytest.mark.parametrize(
    "scale",
    [
        None,
        {},
        {"steps": ["", "", "", ""], "doubts": []},
        {"steps": ["", "", "", ""], "doubts": {"x": "10"}},
        {"steps": ["", "", "", ""], "doubts": {"energy": "7"}},
    ],
)
def test_a_memory_that_nobody_wrote_is_refused(scale: object) -> None:
    with pytest.raises(ValueError, match=r"scale|missing"):
        client_of("/dev/x").recall({"scale": scale})


async def test_a_setting_goes_before_the_table() -> None:
    emulated = meter("kamstrup-unknown", interval=0.01)
    async with on_pty(emulated) as port, running(client_of(port, energy_step=Decimal(1))) as heard:
        await heard.until(lambda: len(energies(heard)) >= 60, "energies")
    assert max(energies(heard)) < 31_400_000
    assert heard.of("status") == []


async def test_transformers_multiply() -> None:
    settings = {"transformer_ratio": Decimal(40)}
    recording = [wire("hdlc-lg-e450-ch-vse2026")]
    async with on_pty(meter(recording=recording)) as port, running(client_of(port, **settings)) as heard:
        await heard.wait_for(1)
    found = heard.readings[0]["measurements"]
    assert found["active_energy_import"]["value"] == 482939 * 40
    assert found["current_l1"]["value"] == Decimal("3.60")
    assert found["voltage_l1"]["value"] == 236
    assert heard.of("info")[0]["transformer_ratio"] == 40


async def test_a_list_that_nobody_knows_is_told_once_and_not_published(
    caplog: pytest.LogCaptureFixture,
) -> None:
    body = Item(STRUCTURE, [Item(OCTETS, b"XYZ1"), *[Item(UINT32, number) for number in range(5)]])
    unknown = encode_hdlc(b"\xe6\xe7\x00\x0f\x40\0\0\0\0" + encode_item(body))
    emulated = meter(recording=[unknown, unknown, wire("hdlc-aidon-no-list1")])
    with caplog.at_level(logging.WARNING):
        async with on_pty(emulated) as port, running(client := client_of(port)) as heard:
            await heard.wait_for(3)
    assert all(set(each["measurements"]) == {"active_power_import"} for each in heard.readings)
    (line,) = [record.getMessage() for record in caplog.records if "in no table" in record.getMessage()]
    assert "double-long-unsigned 4" in line
    assert "XYZ1" not in line
    assert client.health["rejected_values"] >= 12


async def test_what_is_neither_number_nor_text_is_told_once_counted_and_costs_no_other(
    caplog: pytest.LogCaptureFixture,
) -> None:
    profile = Item(STRUCTURE, [Item(UINT32, 7), Item(OCTETS, b"SECRET")])
    body = Item(
        STRUCTURE,
        [
            *(Item(OCTETS, bytes((1, 0, 1, 8, 0, 255))), profile),
            *(Item(OCTETS, bytes((1, 0, 1, 7, 0, 255))), Item(UINT32, 600)),
        ],
    )
    pushed = encode_hdlc(b"\xe6\xe7\x00\x0f\x40\0\0\0\0" + encode_item(body))
    with caplog.at_level(logging.WARNING):
        async with on_pty(meter(recording=[pushed])) as port, running(client := client_of(port)) as heard:
            await heard.wait_for(3)
    assert all(set(each["measurements"]) == {"active_power_import"} for each in heard.readings)
    (line,) = [record.getMessage() for record in caplog.records if "left out" in record.getMessage()]
    assert "1-0:1.8.0 (structure)" in line
    assert "SECRET" not in line
    assert client.health["rejected_values"] >= 3


async def test_a_damaged_head_is_counted_and_told(caplog: pytest.LogCaptureFixture) -> None:
    good = wire("hdlc-aidon-no-list1")
    damaged = good[:8] + bytes([good[8] ^ 1]) + good[9:]  # in the head check sequence
    async with on_pty(meter(recording=[good, damaged])) as port, running(client := client_of(port)) as heard:
        with caplog.at_level(logging.DEBUG):
            await heard.wait_for(3)
    assert client.health["damaged_frames"] >= 1
    assert "head check sequence" in caplog.text


async def test_an_interval_publishes_the_newest_and_keeps_what_came_between() -> None:
    recording = [wire("hdlc-kaifa-no-list3"), *[wire("hdlc-kaifa-no-list1")] * 9]
    settings = {"interval": timedelta(seconds=0.3)}
    async with on_pty(meter(recording=recording)) as port, running(client_of(port, **settings)) as heard:
        await heard.wait_for(4)
    assert all("active_energy_import" in each["measurements"] for each in heard.readings[1:])


@pytest.mark.parametrize(
    ("emulated", "reason", "words"),
    [
        (meter("kaifa-no", "drop"), "silence", "a master, which heat meters need, hears nothing here"),
        (P1Meter("dsmr-5", interval=0.1), "other_protocol", 'the client "dsmr" reads them'),
        (meter("kaifa-no", "crc"), "checksum", "only damaged ones"),
    ],
)
async def test_why_nothing_good_comes(emulated: Any, reason: str, words: str) -> None:
    async with on_pty(emulated) as port:
        client = client_of(port, timeout=timedelta(seconds=1), baud=2400)
        with pytest.raises(NoTelegramError, match=words) as error:
            await client.run(Heard("power"))
    assert error.value.reason == reason


async def test_the_line_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("smart_meter_reader.meters.push.session.LINE_TRIAL", 0.2)
    # What a port at another speed gives is no frame.
    async with on_pty(meter("kaifa-no", "crc:40")) as port:
        client = client_of(port)
        async with running(client) as heard:
            await heard.wait_for(1)
    assert heard.readings


def test_a_recording_is_split_into_its_telegrams() -> None:
    streams = [wire(name) for name in BY_ID if BY_ID[name]["crc_ok"]]
    for stream in streams:
        assert b"".join(split_recording(stream)) == stream
    with pytest.raises(ValueError, match="no frame of DLMS"):
        split_recording(b"nothing")


@pytest.mark.parametrize(
    "name",
    [
        *("hdlc-kamstrup-bitflip-bad-fcs", "hdlc-lg-zmf100-misprint", "hdlc-lg-e450-ch-gbt-bad-order"),
        *("hdlc-kamstrup-undecryptable", "mbus-kmswest-undecryptable"),
    ],
)
async def test_a_capture_of_which_nothing_may_come_gives_nothing(name: str) -> None:
    keys = {"key": Secret(BY_ID[name]["key_hex"])} if "key_hex" in BY_ID[name] else {}
    emulated = meter(recording=[wire(name)])
    async with on_pty(emulated) as port, running(client := client_of(port, **keys)) as heard:
        while client.health.get("damaged_frames", 0) < 4:
            await asyncio.sleep(FAST)
    assert heard.readings == []

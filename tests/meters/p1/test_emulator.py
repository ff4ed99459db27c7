"""The emulated P1 meter: every dialect differs from telegram to telegram, and faults do what they say."""

from __future__ import annotations

import pytest

from smart_meter_reader.codecs.p1.dialect import DIALECTS
from smart_meter_reader.codecs.p1.encryption.cipher import Opener
from smart_meter_reader.codecs.p1.telegram import Telegram
from smart_meter_reader.emulators.faults import parse_faults
from smart_meter_reader.meters.p1.emulated_telegrams import TEMPLATES
from smart_meter_reader.meters.p1.emulator import FAULTS, Encryption, P1Meter, split_recording
from tests.codecs.p1.streams import read, reasons, telegrams
from tests.codecs.p1.vectors import wire


def sent(meter: P1Meter, count: int) -> bytes:
    return b"".join(meter.next_telegram() for _ in range(count))


def test_there_is_a_template_for_every_dialect() -> None:
    assert set(TEMPLATES) == set(DIALECTS)


@pytest.mark.parametrize("dialect", TEMPLATES)
def test_every_dialect_is_read_and_no_telegram_is_like_another(dialect: str) -> None:
    meter = P1Meter(dialect, interval=1.0)
    stream = [meter.next_telegram() for _ in range(100)]
    assert len(set(stream)) == 100
    found = telegrams(read(b"".join(stream)))
    assert len(found) == 100
    assert {telegram.identity.dialect for telegram in found} == {dialect}
    assert all(telegram.bad_lines == () for telegram in found)
    energies = [telegram.measurements["active_energy_import"]["value"] for telegram in found]
    assert energies == sorted(set(energies), key=str) or energies == sorted(set(energies))
    assert len({str(telegram.measurements) for telegram in found}) == 100


def test_the_same_seed_gives_the_same_household() -> None:
    def powers(seed: int) -> list[object]:
        found = telegrams(read(sent(P1Meter(seed=seed), 20)))
        return [telegram.measurements["active_power_import"]["value"] for telegram in found]

    assert powers(1) == powers(1)
    assert powers(1) != powers(2)


@pytest.mark.parametrize(
    ("fault", "good"),
    [
        ("crc:1/2", 5),
        ("drop:1/2", 5),
        ("cut:1/2", 5),
        ("headless:1/2", 5),
        ("lose:1/2", 5),
        ("noise", 10),
        ("nul", 10),
        ("silence:1", 7),
    ],
)
def test_faults_hit_what_they_say(fault: str, good: int) -> None:
    meter = P1Meter(faults=parse_faults([fault], FAULTS), seed=4)
    assert reasons(read(sent(meter, 10))).count("ok") == good


def test_a_replayed_frame_is_the_one_before() -> None:
    encryption = Encryption(bytes(16), bytes(range(16)))
    meter = P1Meter("austria", encryption=encryption, faults=parse_faults(["replay:1/3"], FAULTS))
    outcomes = read(sent(meter, 6), opener=Opener(bytes(16), bytes(range(16))))
    assert reasons(outcomes) == ["ok", "ok", "replayed", "ok", "ok", "replayed"]
    assert bytes(range(16)).hex() not in repr(encryption)
    assert "hidden" in repr(encryption)


def test_recordings_are_sent_as_they_are() -> None:
    names = ("nl-dsmr50-isk", "nl-xmx5-corrupt-1008", "at-t210dr-plain")
    recording = b"".join(wire(name) for name in names)
    assert b"".join(split_recording(recording)) == recording
    assert split_recording(recording.replace(b"\r\n", b"\n")) == split_recording(recording)
    meter = P1Meter(recording=split_recording(recording))
    assert reasons(read(sent(meter, 6))) == ["ok", "checksum", "ok"] * 2
    frames = wire("enc-at-rekeyed-0000165e") + wire("enc-at-rekeyed-0000165f")
    assert len(split_recording(frames)) == 2
    for nothing in (b"", b"hello", b"\xdb\x08"):
        with pytest.raises(ValueError, match="holds no P1 telegram"):
            split_recording(nothing)


def test_a_telegram_is_what_comes_out() -> None:
    (telegram,) = read(sent(P1Meter(), 1))
    assert isinstance(telegram, Telegram)
    assert telegram.meters["gas"].measurements["gas_volume"]["unit"] == "m³"

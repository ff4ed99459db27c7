"""Redacted recordings: nothing that names anybody is left in any form, and the client still reads them."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smart_meter_reader.cli.diagnose.recording_redaction import redact
from smart_meter_reader.cli.diagnose.settings_redaction import redact_places
from smart_meter_reader.cli.record.recorder import record_client
from smart_meter_reader.codecs.iec62056_21.capture import Readout, decode_capture, measured_in
from smart_meter_reader.codecs.iec62056_21.frame import FrameReader as IecReader
from smart_meter_reader.codecs.iec62056_21.multical import ShortAnswer
from smart_meter_reader.codecs.iec62056_21.scaling import Scaling
from smart_meter_reader.codecs.kmp import (
    START_RESPONSE,
    GetRegisterRequest,
    GetRegisterResponse,
    GetSerialNoRequest,
    GetSerialNoResponse,
    GetTypeRequest,
    GetTypeResponse,
    RegisterValue,
    Request,
    Response,
    decode_frame,
    decode_response,
    encode_frame,
    encode_request,
    encode_response,
)
from smart_meter_reader.codecs.kmp.loggers import (
    LogAnswer,
    LoggerConfiguration,
    LoggerInfo,
    LogRecords,
    LogRow,
    log_answer,
    log_records,
)
from smart_meter_reader.codecs.p1.encode import encode_telegram, encrypt_telegram, encrypt_untitled
from smart_meter_reader.codecs.p1.encryption.cipher import Opener
from smart_meter_reader.codecs.p1.reader import P1Reader
from smart_meter_reader.codecs.p1.telegram import Telegram
from smart_meter_reader.codecs.parity import add_parity, count_parity_errors
from smart_meter_reader.drivers import imported
from smart_meter_reader.emulators.stream import on_pty
from smart_meter_reader.exceptions import DecryptionError, FrameError
from smart_meter_reader.messages import Message
from smart_meter_reader.meters.iec62056_21.emulator import Iec62056Meter
from smart_meter_reader.meters.p1.redaction import PUBLIC_AUTHENTICATION_KEY, PUBLIC_KEY
from smart_meter_reader.meters.p1.settings import DsmrSettings
from smart_meter_reader.meters.registry import meter_driver
from smart_meter_reader.meters.replay import ReplayClient, ReplaySettings
from smart_meter_reader.recordings.data_sets import redact_data_sets
from smart_meter_reader.recordings.pseudonyms import Pseudonyms, forms_of, leaks, scrub
from smart_meter_reader.recordings.text import Burst, Recording, format_recording
from smart_meter_reader.settings.schema import Origin, Place, Secret, parse

DATA = Path(__file__).parents[2] / "data"
SERIAL = 71234567
CUSTOMER = "00098765431"
KEY = bytes.fromhex("A1B2C3D4E5F60718293A4B5C6D7E8F90")
AK = bytes.fromhex("0F1E2D3C4B5A69788796A5B4C3D2E1F0")

TELEGRAM = (
    b"/KMP5 KA6U001511209910\r\n\r\n1-3:0.2.8(50)\r\n0-0:1.0.0(261121123000W)\r\n"
    b"0-0:96.1.1(4530303033303030303036383631393136)\r\n0-0:42.0.0(SGM1234567890123)\r\n"
    b"1-0:1.8.1(001234.567*kWh)\r\n1-0:1.7.0(00.321*kW)\r\n0-0:96.13.0(48656C6C6F204A616E)\r\n"
    b"0-1:24.1.0(003)\r\n0-1:96.1.0(4730303332353635353036303733363137)\r\n"
    b"0-1:24.2.1(261121122500W)(04321.987*m3)\r\n!"
)
NAMES = ("001511209910", "E0003000006861916", "SGM1234567890123", "G0032565506073617", "Hello Jan")


def bursts(*payloads: tuple[str, bytes]) -> tuple[Burst, ...]:
    return tuple(
        Burst(100 * number, ">" if mark == ">" else "<", payload)
        for number, (mark, payload) in enumerate(payloads)
    )


def joined(recording: Recording) -> bytes:
    return b"".join(burst.payload for burst in recording.bursts)


def nothing_left(text: str, *originals: str) -> None:
    """No form of the originals in the text of a recording, nor in what is left without its layout."""
    compact = "".join(text.split()).replace('"<"', "").replace("<", "").lower()
    for original in originals:
        for form in forms_of(original):
            assert form.lower() not in text.lower(), form
            assert form.lower() not in compact, form


async def replayed(recording: Recording, file: Path) -> list[Message]:
    file.write_text(format_recording(recording))
    messages: list[Message] = []

    async def note(message: Message) -> None:
        messages.append(message)

    client = ReplayClient("m", ReplaySettings(file=file, speed=Decimal(0)))
    async with asyncio.timeout(20):
        await client.run(note, once=True)
    return messages


def values(messages: list[Message] | tuple[Message, ...]) -> list[Mapping[str, Any]]:
    return [dict(message["measurements"]) for message in messages if message["type"] == "reading"]


# --- KMP ---


def kmp_session(*, echo: bool = False) -> Recording:
    exchanges: list[tuple[Request, Response]] = [
        (GetTypeRequest(), GetTypeResponse("3403", "F1")),
        (GetSerialNoRequest(), GetSerialNoResponse(SERIAL)),
        (
            GetRegisterRequest((60, 1001, 1010, 112)),
            GetRegisterResponse(
                (
                    RegisterValue(60, 0x08, 0x43, (303395).to_bytes(4, "big")),
                    RegisterValue(1001, 0x33, 0x00, SERIAL.to_bytes(4, "big")),
                    RegisterValue(1010, 0x33, 0x00, (98765431).to_bytes(4, "big")),
                    RegisterValue(112, 0x33, 0x00, (20461234).to_bytes(4, "big")),
                )
            ),
        ),
    ]
    payloads: list[tuple[str, bytes]] = []
    for request, response in exchanges:
        sent = encode_request(request)
        answer = (sent if echo else b"") + encode_response(response)
        payloads += [(">", sent), ("<", answer[:7]), ("<", answer[7:])]
    settings = {"registers": "[60, 1001, 1010, 112]", "serial_number": f'"{SERIAL}"'}
    return Recording(bursts(*payloads), "kamstrup", settings=settings)


@pytest.mark.parametrize("echo", [False, True])
async def test_a_kmp_session_loses_its_numbers_and_replays(tmp_path: Path, echo: bool) -> None:
    redacted = redact(kmp_session(echo=echo), Pseudonyms())
    assert not redacted.notes
    nothing_left(format_recording(redacted.recording), str(SERIAL), "98765431", "20461234")
    messages = await replayed(redacted.recording, tmp_path / "kmp.rec")
    assert values(messages)[0]["heat_energy"] == {"value": Decimal("303.395"), "unit": "GJ"}
    # Different numbers stay different, equal ones equal, and the expected serial number is the redacted one.
    numbers = [values(messages)[0][key]["value"] for key in ("serial_number", "customer_number_low")]
    assert len(set(map(str, numbers))) == 2


def test_rows_of_a_logger_keep_their_values_and_lose_their_numbers() -> None:
    registers = (
        RegisterValue(60, 0x08, 0x43, (303395).to_bytes(4, "big")),
        RegisterValue(1001, 0x33, 0x00, SERIAL.to_bytes(4, "big")),
    )
    rows = (LogRow(9, registers), LogRow(8, registers))
    falling = log_answer(6, 5, 9, LoggerInfo(0), rows)
    number = bytes.fromhex("03E9 33 04 00") + SERIAL.to_bytes(4, "big")
    empty = LogAnswer(7, 5, 0, 0, LoggerInfo.EMPTY, entries=1, width=1, unread=number)
    records = log_records(0xA3, 1, 9, rows)
    configuration = LoggerConfiguration(5, 72, (60, 1001))
    sent = (falling, empty, records, configuration)
    recording = Recording(bursts(*(("<", encode_response(message)) for message in sent)), "kamstrup")
    redacted = redact(recording, Pseudonyms()).recording
    assert not leaks(joined(redacted), [str(SERIAL)])
    told = [decode_response(decode_frame(burst.payload)) for burst in redacted.bursts]
    for before, after in ((falling.encode(), told[0]), (records.encode(), told[2])):
        assert isinstance(after, LogAnswer | LogRecords)
        assert [row.log_id for row in after.rows] == [9, 8]
        for row in after.rows:
            assert row.registers[0] == registers[0]
            assert row.registers[1].mantissa != registers[1].mantissa
        assert len({row.registers[1] for row in after.rows}) == 1
        assert len(after.encode()) == len(before)
    assert isinstance(told[1], LogAnswer)
    assert (told[1].info, told[1].unread) == (LoggerInfo.EMPTY, number[:5] + bytes(4))
    assert told[3] == configuration


def test_damaged_and_unknown_frames_say_nothing_any_more() -> None:
    frame = bytearray(encode_response(GetSerialNoResponse(SERIAL)))
    frame[-2] ^= 1
    whole = encode_response(GetSerialNoResponse(SERIAL))
    log = encode_frame(START_RESPONSE, 0x3F, 0xA0, SERIAL.to_bytes(4, "big"))
    recording = Recording(
        bursts(("<", bytes(frame)), ("<", whole[:6]), (">", b"\x80"), ("<", whole[2:]), ("<", log)),
        "kamstrup",
    )
    names = Pseudonyms()
    redacted = redact(recording, names)
    assert not leaks(joined(redacted.recording), [str(SERIAL)])
    lengths = [len(burst.payload) for burst in redacted.recording.bursts]
    assert sum(lengths) == len(joined(recording))


@given(st.binary(max_size=300))
def test_any_bytes_of_a_kmp_line_are_redacted_without_an_error(noise: bytes) -> None:
    redact(Recording(bursts(("<", noise[:100]), ("<", noise[100:])), "kamstrup"), Pseudonyms())


# --- IEC 62056-21 ---


@pytest.mark.parametrize("parity", [True, False])
@pytest.mark.parametrize(
    ("model", "table"),
    [
        ("multical_66c", {"model": "multical_66c", "requests": ["#1", "#2"]}),
        ("multical_401", {}),
        ("iec62056_21", {"address": "98765431"}),
    ],
)
async def test_an_iec_session_loses_its_numbers_and_replays(
    tmp_path: Path, model: str, table: dict[str, Any], parity: bool
) -> None:
    meter = Iec62056Meter(model, values={"customer_no": int(CUSTOMER)}, reply_delay=0.0, parity=parity)
    driver = meter_driver("iec62056_21")
    async with on_pty(meter) as path:
        settings, problems = parse(
            imported(driver.settings),
            {"port": path, "serial_number": CUSTOMER.lstrip("0"), **table},
            Place({(): Origin("test", "", ())}),
        )
        assert settings is not None, problems
        client = imported(driver.client)("m", settings)
        session = await record_client("iec62056_21", client, settings, count=1, seconds=30)
    assert session.error is None
    assert leaks(joined(session.recording), [CUSTOMER.lstrip("0")])
    redacted = redact(session.recording, Pseudonyms())
    assert not redacted.notes
    assert not leaks(joined(redacted.recording), [CUSTOMER.lstrip("0")])
    nothing_left(format_recording(redacted.recording), CUSTOMER.lstrip("0"))
    messages = await replayed(redacted.recording, tmp_path / "iec.rec")
    before, after = values(session.messages)[0], values(messages)[0]
    assert {key: value for key, value in after.items() if "number" not in key} == {
        key: value for key, value in before.items() if "number" not in key
    }


def iec_entries() -> list[Any]:
    document = json.loads((DATA / "iec62056_21" / "captures.json").read_text())
    return [entry for entry in document["entries"] if entry["kind"] != "request" and "bytes_hex" in entry]


@pytest.mark.parametrize("entry", iec_entries(), ids=lambda entry: str(entry["id"]))
def test_published_captures_keep_every_measurement(entry: dict[str, Any]) -> None:
    capture = bytes.fromhex(entry["bytes_hex"])
    redacted = joined(redact(Recording(bursts(("<", capture)), "iec62056_21"), Pseudonyms()).recording)
    assert len(redacted) == len(capture)
    before, after = decode_capture(capture), decode_capture(redacted)
    assert [type(answer) for answer in before] == [type(answer) for answer in after]
    scaling = Scaling(energy=("GJ", 3), volume=("m³", 2), flow=("L/h", 0), power=("kW", 1))
    for old, new in zip(before, after, strict=True):
        if isinstance(old, Readout | ShortAnswer) and isinstance(new, Readout | ShortAnswer):
            measured = measured_in(old, scaling)
            kept = {key: value for key, value in measured.items() if key != "serial_number"}
            assert {key: measured_in(new, scaling)[key] for key in kept} == kept


@given(st.binary(max_size=300), st.sampled_from([b"/?98765431!\r\n", b"/#2\r", b""]))
def test_any_bytes_of_an_iec_line_are_redacted_to_as_many(noise: bytes, request: bytes) -> None:
    recording = Recording(bursts((">", request), ("<", noise[:100]), ("<", noise[100:])), "iec62056_21")
    redacted = redact(recording, Pseudonyms())
    assert len(joined(redacted.recording)) == len(joined(recording))


def test_a_byte_with_wrong_parity_keeps_it_and_a_bad_block_check_stays_bad() -> None:
    block = b"\x020.0(00098765431)6.8(0012.345*GJ)!\r\n\x03"
    damaged = bytearray(add_parity(block + b"\x01"))
    damaged[20] ^= 0x80
    redacted = redact(Recording(bursts(("<", bytes(damaged))), "iec62056_21"), Pseudonyms())
    assert count_parity_errors(joined(redacted.recording)) == 1
    assert not leaks(joined(redacted.recording), ["98765431"])
    plain = redact(Recording(bursts(("<", block + b"\x01")), "iec62056_21"), Pseudonyms())
    reader = IecReader()
    reader.receive_data(joined(plain.recording))
    with pytest.raises(FrameError, match="checksum"):
        reader.next_frame()


# --- P1 ---


def p1_telegrams(stream: bytes, key: bytes | None = None, ak: bytes | None = None) -> list[Telegram | str]:
    """Telegrams, or the reason of what is damaged."""
    reader = P1Reader(Opener(key, ak, "warn") if key else None)
    reader.receive_data(stream)
    reader.finish()
    found: list[Telegram | str] = []
    while True:
        try:
            telegram = reader.next_telegram()
        except (FrameError, DecryptionError) as error:
            found.append(error.reason)
            continue
        if telegram is None:
            return found
        found.append(telegram)


def redacted_p1(stream: bytes) -> tuple[bytes, Pseudonyms]:
    names = Pseudonyms()
    pieces = [("<", stream[place : place + 200]) for place in range(0, len(stream), 200)]
    recording = Recording(bursts(*pieces), "dsmr")
    redacted = redact(recording, names)
    assert not redacted.notes
    assert len(joined(redacted.recording)) == len(stream)
    return joined(redacted.recording), names


async def test_a_telegram_loses_its_identifiers_and_replays(tmp_path: Path) -> None:
    stream = b"tail of one 4530303033303030303036383631393136)\r\n!ABCD\r\n" + encode_telegram(TELEGRAM) * 2
    redacted, _ = redacted_p1(stream)
    text = format_recording(Recording(bursts(("<", redacted)), "dsmr"))
    nothing_left(text, *NAMES, "4530303033303030303036383631393136")
    messages = await replayed(Recording(bursts(("<", redacted)), "dsmr"), tmp_path / "p1.rec")
    assert values(messages)[0]["active_energy_import_tariff_1"] == {
        "value": Decimal("1234.567"),
        "unit": "kWh",
    }
    assert any(
        message["meter"] != "m" for message in messages
    )  # the gas meter is there, under another number


def test_damaged_and_cut_telegrams_lose_their_identifiers_too() -> None:
    whole = encode_telegram(TELEGRAM)
    damaged = whole.replace(b"0-0:96.1.1(", b"0-0:96.1.1\xab").replace(b"001234.567", b"001234.568")
    redacted, _ = redacted_p1(damaged + whole[:150] + whole + whole[: whole.index(b"0-1:24.1.0")])
    assert not leaks(redacted, [name for name in NAMES if name != "Hello Jan"])
    assert [found if isinstance(found, str) else "good" for found in p1_telegrams(redacted)] == [
        found if isinstance(found, str) else "good"
        for found in p1_telegrams(damaged + whole[:150] + whole + whole[: whole.index(b"0-1:24.1.0")])
    ]


def plain_vectors() -> list[Any]:
    return list(json.loads((DATA / "p1" / "p1_plain.json").read_text())["entries"])


@pytest.mark.parametrize("entry", plain_vectors(), ids=lambda entry: str(entry["id"]))
def test_published_telegrams_keep_every_measurement(entry: dict[str, Any]) -> None:
    stream = entry["text"].encode("latin-1")
    redacted, names = redacted_p1(stream)
    before, after = p1_telegrams(stream), p1_telegrams(redacted)
    assert len(before) == len(after)
    for old, new in zip(before, after, strict=True):
        if isinstance(old, str) or isinstance(new, str):
            assert old == new
            continue
        assert old.checksum == new.checksum
        assert old.time == new.time
        numbers = {key: item for key, item in old.measurements.items() if isinstance(item["value"], Decimal)}
        assert {key: new.measurements[key] for key in numbers} == numbers
        assert {
            medium: meter.measurements for medium, meter in old.meters.items()
        }.keys() == new.meters.keys()
        assert old.identity.serial_number not in names.originals or (
            old.identity.serial_number != new.identity.serial_number
        )


@given(st.binary(max_size=200), st.binary(max_size=200))
def test_any_bytes_around_a_telegram_are_redacted_to_as_many(before: bytes, after: bytes) -> None:
    stream = before.replace(b"\xdb\x08", b"") + encode_telegram(TELEGRAM) + after.replace(b"\xdb\x08", b"")
    recording = Recording(bursts(("<", stream)), "dsmr")
    redacted = joined(redact(recording, Pseudonyms()).recording)
    assert not leaks(redacted, NAMES)


def encrypted(count: int, ak: bytes = AK) -> Recording:
    title = b"SAG" + (123456789).to_bytes(5, "big")
    frames = [
        encrypt_telegram(encode_telegram(TELEGRAM), KEY, ak, title, 1000 + number) for number in range(count)
    ]
    return Recording(bursts(*(("<", frame) for frame in frames)), "dsmr", settings={"interval": '"0s"'})


def with_keys(key: bytes | None, authentication_key: bytes) -> DsmrSettings:
    if key is None:
        return DsmrSettings(port="/dev/null")
    return DsmrSettings(
        port="/dev/null", key=Secret(key.hex()), authentication_key=Secret(authentication_key.hex())
    )


async def test_an_encrypted_stream_is_encrypted_anew_with_public_keys(tmp_path: Path) -> None:
    recording = encrypted(2)
    redacted = redact(recording, Pseudonyms(), secrets=[KEY.hex(), AK.hex()], settings=with_keys(KEY, AK))
    assert len(redacted.notes) == 1
    text = format_recording(redacted.recording)
    nothing_left(text, KEY.hex(), AK.hex(), "SAG123456789", "123456789", *NAMES)
    found = p1_telegrams(joined(redacted.recording), PUBLIC_KEY, PUBLIC_AUTHENTICATION_KEY)
    telegrams = [telegram for telegram in found if isinstance(telegram, Telegram)]
    assert [telegram.authentication for telegram in telegrams] == ["verified", "verified"]
    assert [telegram.frame_counter for telegram in telegrams] == [1000, 1001]
    messages = await replayed(redacted.recording, tmp_path / "encrypted.rec")
    assert values(messages)[0]["active_energy_import_tariff_1"]["value"] == Decimal("1234.567")


def test_a_tag_that_could_not_be_verified_still_cannot() -> None:
    redacted = redact(encrypted(1), Pseudonyms(), settings=with_keys(KEY, bytes(16)))
    (telegram,) = p1_telegrams(joined(redacted.recording), PUBLIC_KEY, PUBLIC_AUTHENTICATION_KEY)
    assert isinstance(telegram, Telegram)
    assert telegram.authentication == "failed"


@pytest.mark.parametrize("key", [None, bytes(16)])
def test_without_the_right_key_nothing_encrypted_is_given_away(key: bytes | None) -> None:
    redacted = redact(encrypted(2), Pseudonyms(), settings=with_keys(key, AK))
    assert not joined(redacted.recording)
    assert any("2 encrypted telegrams without a fitting key are left out" in note for note in redacted.notes)


def test_what_is_cut_damaged_or_none_is_told_as_that_and_not_as_closed() -> None:
    first, second = (event.payload for event in encrypted(2).events if isinstance(event, Burst))
    damaged = encode_telegram(TELEGRAM)[:-3] + b"~\r\n"
    recording = Recording(bursts(("<", b"noise" + first + damaged), ("<", second[:40])), "dsmr")
    redacted = redact(recording, Pseudonyms(), settings=with_keys(KEY, AK))
    assert len(p1_telegrams(joined(redacted.recording), PUBLIC_KEY, PUBLIC_AUTHENTICATION_KEY)) == 1
    assert "2 damaged telegrams are left out" in redacted.notes
    assert [
        note for note in redacted.notes if note.endswith("bytes that belong to no whole frame are left out")
    ]
    assert not [note for note in redacted.notes if "without a fitting key" in note]


@pytest.mark.parametrize("key", [KEY, None])
def test_frames_without_a_system_title_are_encrypted_anew_too(key: bytes | None) -> None:
    frame = encrypt_untitled(TELEGRAM, KEY, AK, 7)
    recording = Recording(bursts(("<", frame), ("<", frame[:40])), "dsmr")
    redacted = redact(recording, Pseudonyms(), settings=with_keys(key, AK))
    written = joined(redacted.recording)
    if key is None:
        assert not written
        return
    (telegram,) = p1_telegrams(written, PUBLIC_KEY, PUBLIC_AUTHENTICATION_KEY)
    assert isinstance(telegram, Telegram)
    assert (telegram.authentication, telegram.frame_counter) == ("verified", 7)
    assert not leaks(written, NAMES)


# --- the rest ---


def test_what_is_not_understood_is_left_out() -> None:
    redacted = redact(Recording(bursts(("<", b"12345678")), "fax"), Pseudonyms())
    assert not redacted.recording.events
    assert redacted.notes


@pytest.mark.parametrize("client", ["kamstrup", "iec62056_21", "dsmr"])
@pytest.mark.parametrize(
    "noise", [b"0", b"A", b"(", b"/", b"0 ", b"/AAA", b"\x02", b"\x40", b"\n!", b"!\n/AAA\n"]
)
def test_a_minute_of_noise_is_redacted_in_no_time(client: str, noise: bytes) -> None:
    # At 19200 baud. Were it worked through in the square of its length, this would take many minutes.
    stream = noise * (115_200 // len(noise))
    redact(Recording(bursts(("<", stream)), client), Pseudonyms())


def test_bytes_with_a_secret_in_them_are_left_out() -> None:
    recording = Recording(bursts(("<", encode_telegram(TELEGRAM))), "dsmr")
    redacted = redact(recording, Pseudonyms(), secrets=["001234.567"])
    assert not redacted.recording.events
    assert "left out" in redacted.notes[0]


def test_a_number_is_the_same_wherever_it_stands_and_as_long() -> None:
    names = Pseudonyms()
    assert names.of("00098765431") == "00000000001"
    assert names.of("98765431") == "00000001"
    assert names.of("12345678") == "00000002"
    assert names.of("00000000") == "00000000"
    assert names.of_octets("4530303033") == b"00004".hex()
    assert names.of_octets("98765431") == "00000001"


@given(st.from_regex("[1-9][0-9]{7,10}", fullmatch=True), st.sampled_from(range(6)))
def test_every_form_is_scrubbed_from_texts(number: str, which: int) -> None:
    form = list(forms_of(number))[which]
    assert form.lower() not in scrub(f"x{form.upper()}y{form}", [number]).lower()


@pytest.mark.parametrize("code", ["0.0", "C.1.0", "1-0:0.0.0*255", "0-0:96.1.0", "9.21"])
def test_short_device_numbers_are_replaced_too(code: str) -> None:
    text = f"{code}(4711)1.8.0(001234.5*kWh)F.F(00)!".encode()
    assert redact_data_sets(text, Pseudonyms()) == text.replace(b"4711", b"0001")


def test_numbers_in_bcd_are_found() -> None:
    assert leaks(bytes.fromhex("68 60172904 16"), ["60172904"])
    assert leaks(bytes.fromhex("68 04291760 16"), ["60172904"])
    assert not leaks(b"1.8.0(0123.5*kWh)", ["30313233"])


@pytest.mark.parametrize("key", [None, bytes(16)])
def test_the_system_title_of_what_stays_closed_is_known_too(key: bytes | None) -> None:
    names = Pseudonyms()
    redact(encrypted(1), names, settings=with_keys(key, AK))
    title = (b"SAG" + (123456789).to_bytes(5, "big")).hex()
    assert "123456789" in names.originals
    assert scrub(f"the meter with system title {title} sends", names.originals).count("hidden") == 1


def test_settings_keep_their_type_and_the_address_of_the_bus_stays() -> None:
    settings = {"serial_number": str(SERIAL), "address": "63", "registers": '["heat_energy"]'}
    redacted = redact(Recording((), "kamstrup", settings=settings), Pseudonyms())
    assert redacted.recording.settings == {**settings, "serial_number": "1"}
    redacted = redact(
        Recording((), "iec62056_21", settings={"address": f'"{CUSTOMER}"', "serial_number": '"98765431"'}),
        Pseudonyms(),
    )
    assert redacted.recording.settings == {"address": '"00000000001"', "serial_number": '"00000001"'}


def test_short_numbers_are_scrubbed_where_they_stand_alone() -> None:
    told = "a meter with number 060017 answers, 1600171 bytes; the settings expect 60018"
    hidden = "a meter with number <hidden> answers, 1600171 bytes; the settings expect <hidden>"
    assert scrub(told, ["60017", "60018", "2", "abc"]) == hidden


@pytest.mark.parametrize(
    ("text", "published"),
    [
        ("/dev/serial/by-id/usb-FTDI_FT232R_USB_UART_A50285BI-if00-port0", "usb-FTDI_<hidden>-if00-port0"),
        (
            "/dev/serial/by-id/usb-Espressif_USB_JTAG_24:58:7C:11-if00: busy",
            "usb-Espressif_<hidden>-if00: busy",
        ),
        ('port = "/dev/serial/by-id/usb-Weid_Head_0815"  # x', 'usb-Weid_<hidden>"  # x'),
        ('"/home/johnsmith/ca.pem"', '"~/ca.pem"'),
        ("replay:/home/jan.jansen/a.rec", "replay:~/a.rec"),
        ("in /root: no", "in ~: no"),
        ("/dev/home/ttyUSB0 and /rootfs", "/dev/home/ttyUSB0 and /rootfs"),
    ],
)
def test_paths_name_neither_adapters_nor_people(text: str, published: str) -> None:
    assert redact_places(text).removeprefix('port = "').removeprefix("/dev/serial/by-id/") == published


def test_the_own_home_folder_is_hidden_wherever_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/export/jan/")
    assert redact_places("/export/jan/x /export/jane /home/jo/y") == "~/x /export/jane ~/y"

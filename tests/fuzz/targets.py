"""What is fuzzed: every decoder as a function of a stream in pieces, which may raise our errors only."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Protocol, TypeAlias

from smart_meter_reader.cli.diagnose.recording_redaction import redact
from smart_meter_reader.cli.record.comments import comment_for
from smart_meter_reader.codecs import kmp
from smart_meter_reader.codecs.dlms import describe as dlms_describe
from smart_meter_reader.codecs.dlms.cipher import DlmsOpener, encrypt
from smart_meter_reader.codecs.dlms.framing.hdlc import encode_hdlc
from smart_meter_reader.codecs.dlms.reader import DlmsReader
from smart_meter_reader.codecs.dlms.telegram import DlmsTelegram
from smart_meter_reader.codecs.iec62056_21 import describe as iec_describe
from smart_meter_reader.codecs.iec62056_21.data_set import parse_data_sets
from smart_meter_reader.codecs.iec62056_21.frame import FrameReader
from smart_meter_reader.codecs.iec62056_21.multical import (
    LOGGERS,
    SINGLE_LINE,
    parse_line,
    parse_record,
)
from smart_meter_reader.codecs.kmp import describe as kmp_describe
from smart_meter_reader.codecs.kmp import encode_register
from smart_meter_reader.codecs.kmp.frame import Direction
from smart_meter_reader.codecs.kmp.loggers import LogAnswer, LogRecords
from smart_meter_reader.codecs.kmp.registers import resolve_register
from smart_meter_reader.codecs.mbus import describe as mbus_describe
from smart_meter_reader.codecs.mbus import frame as mbus_frame
from smart_meter_reader.codecs.mbus.measured import measured_in
from smart_meter_reader.codecs.mbus.telegram import parse_telegram as parse_mbus
from smart_meter_reader.codecs.p1 import describe as p1_describe
from smart_meter_reader.codecs.p1.encode import encode_telegram, encrypt_telegram
from smart_meter_reader.codecs.p1.encryption.cipher import Opener
from smart_meter_reader.codecs.p1.garbage import recognise
from smart_meter_reader.codecs.p1.reader import P1Reader
from smart_meter_reader.codecs.p1.telegram import Telegram
from smart_meter_reader.codecs.sml import describe as sml_describe
from smart_meter_reader.codecs.sml import frame as sml_frame
from smart_meter_reader.exceptions import DecryptionError, ProtocolError, TransportError, ValueFormatError
from smart_meter_reader.fleet.written import decode_asked, decode_told
from smart_meter_reader.guard.guard import Guard, MeterPolicy
from smart_meter_reader.guard.memory import decode
from smart_meter_reader.json_text import dumps
from smart_meter_reader.messages import Message
from smart_meter_reader.meters.dlms.messages import DlmsMessages, KnownValues
from smart_meter_reader.meters.mbus.identity import identity_of
from smart_meter_reader.meters.p1.messages import Messages
from smart_meter_reader.meters.p1.settings import DsmrSettings
from smart_meter_reader.meters.replay import build_recorded
from smart_meter_reader.quantities import QUANTITIES
from smart_meter_reader.quantities.units import convert_energy
from smart_meter_reader.recordings.pseudonyms import Pseudonyms, scrub
from smart_meter_reader.recordings.text import (
    FROM_METER,
    MAGIC,
    TO_METER,
    Burst,
    Recording,
    RecordingError,
    format_recording,
    parse_recording,
)
from smart_meter_reader.settings.durations import UnfitValueError, parse_duration
from smart_meter_reader.settings.schedule import Schedule
from smart_meter_reader.settings.schema import Secret
from smart_meter_reader.settings.values import Limits, read_leaf
from smart_meter_reader.sinks.home_assistant.classes import SensorClass
from smart_meter_reader.sinks.home_assistant.states import state_of
from smart_meter_reader.sinks.home_assistant.values import sensor_of, unknown_quantity
from smart_meter_reader.sinks.stdout import reading_table
from smart_meter_reader.text import LONGEST_NUMBER, bounded_number
from smart_meter_reader.writer.arrivals import arrival
from tests.codecs.kmp.vectors import on_wire
from tests.fuzz.harmless import harmful

ALLOWED = (ProtocolError, ValueFormatError, DecryptionError)

LONGEST_FIELD = 12_000

Pieces: TypeAlias = list[bytes]
Target: TypeAlias = Callable[[Pieces], None]

# The keys of the captures in tests/data and ../shared, so that some frames can be opened.
KEYS = tuple(
    bytes.fromhex(text)
    for text in (
        "00112233445566778899AABBCCDDEEFF",
        "000102030405060708090A0B0C0D0E0F",
        "D0D1D2D3D4D5D6D7D8D9DADBDCDDDEDF",
    )
)


class _Reader(Protocol):
    def receive_data(self, received: bytes, /) -> None: ...


def _drain(next_one: Callable[[], object], use: Callable[[object], None] = lambda frame: None) -> None:
    """Take everything out of a reader; an error is one more thing that comes out."""
    while True:
        try:
            frame = next_one()
            if frame is None:
                return
            use(frame)
        except ALLOWED:
            continue


def _feed(reader: _Reader, pieces: Pieces, drain: Callable[[], None]) -> None:
    for piece in pieces:
        reader.receive_data(piece)
        drain()


def kmp_stream(pieces: Pieces) -> None:
    """Frames out of a stream, their messages, and every register's value."""
    reader = kmp.FrameReader()

    def use(frame: object) -> None:
        if not isinstance(frame, kmp.Frame):
            return
        with contextlib.suppress(*ALLOWED):
            kmp.decode_request(frame)
        response = kmp.decode_response(frame)
        if isinstance(response, LogAnswer | LogRecords):
            for row in response.rows:
                with contextlib.suppress(ValueFormatError):
                    assert row.time is None or row.time.text
        if isinstance(response, kmp.GetRegisterResponse):
            for register in response.by_id().values():
                with contextlib.suppress(*ALLOWED):
                    str(register.value)

    _feed(reader, pieces, lambda: _drain(reader.next_frame, use))
    reader.discard()


def kmp_content(pieces: Pieces) -> None:
    """Messages behind a good checksum: what a strange meter might say."""
    directions: tuple[Direction, ...] = ("request", "response")
    for direction in directions:
        for piece in pieces:
            if len(piece) >= 2:
                kmp_stream([on_wire(kmp.Frame(direction, piece[0], piece[1], piece[2:]))])


def kmp_capture(pieces: Pieces) -> None:
    """The capture decoder of `decode kmp`: it tells of damage and raises nothing."""
    described = kmp_describe.describe_capture(b"".join(pieces))
    # Sixteen bytes with an exponent of 63 are as long as that; a client publishes twenty digits.
    _must_be_harmless([{**frame, "bytes": "", "payload": ""} for frame in described.frames], most_digits=104)


def mbus_stream(pieces: Pieces) -> None:
    """Frames out of a stream, what their records say, and the quantities that they are."""
    reader = mbus_frame.FrameReader()

    def use(frame: object) -> None:
        if isinstance(frame, mbus_frame.LongFrame):
            telegram = parse_mbus(frame)
            identity_of(telegram)
            for measurement in measured_in(telegram).values():
                _must_be_harmless(measurement)

    _feed(reader, pieces, lambda: _drain(reader.next_frame, use))
    reader.finish()
    _drain(reader.next_frame, use)


def mbus_content(pieces: Pieces) -> None:
    """Records behind a good checksum: what a strange meter might say."""
    for piece in pieces:
        for ci in (0x72, 0x73, 0x78, 0x7A):
            mbus_stream([mbus_frame.LongFrame(0x08, 1, ci, piece[:252]).encode()])


def mbus_capture(pieces: Pieces) -> None:
    """The capture decoder of `decode mbus`: it tells of damage and raises nothing."""
    described = mbus_describe.describe_capture(b"".join(pieces))
    # A floating number of no size at all is that long; a client publishes twenty digits.
    hexadecimal = {"bytes": "", "payload": "", "manufacturer_data": ""}
    _must_be_harmless([{**frame, **hexadecimal} for frame in described.frames], most_digits=104)


def p1_stream(pieces: Pieces) -> None:
    """Telegrams of any dialect, plain and encrypted, with and without keys."""
    openers = [None, *(Opener(key, policy=policy) for key in KEYS for policy in ("require", "warn", "off"))]
    for opener in openers:
        _p1_stream(pieces, opener)


def _p1_stream(pieces: Pieces, opener: Opener | None) -> None:
    reader = P1Reader(opener)
    _feed(reader, pieces, lambda: _drain(reader.next_telegram))
    reader.finish()
    _drain(reader.next_telegram)


def p1_content(pieces: Pieces) -> None:
    """Telegrams behind a good checksum, plain and encrypted: what a strange meter might say."""
    body = b"".join(pieces).replace(b"!", b"").replace(b"/", b"")[:14_000]
    telegram = encode_telegram(b"/FUZ5\\1\r\n\r\n" + body + b"\r\n!")
    for stream in (telegram, encrypt_telegram(telegram, KEYS[0], KEYS[1], b"FUZ12345", 1)):
        for opener in (None, Opener(KEYS[0], KEYS[1])):
            _p1_stream([stream], opener)


def p1_garbage(pieces: Pieces) -> None:
    """What garbage looks like."""
    recognise(b"".join(pieces))


def p1_capture(pieces: Pieces) -> None:
    """The capture decoder of `decode p1`: it tells of damage and raises nothing."""
    for description in p1_describe.describe_capture(b"".join(pieces), Opener(KEYS[0], policy="warn")):
        _must_be_harmless(description)


def p1_messages(pieces: Pieces) -> None:
    """From the stream to what sinks get: messages, the guard, JSON, tables, states of Home Assistant."""
    reader, messages, guard = P1Reader(), Messages("m"), Guard({"m": MeterPolicy()})

    def use(telegram: object) -> None:
        assert isinstance(telegram, Telegram)
        for message in messages.of(telegram, datetime(2026, 1, 1, tzinfo=UTC), 0.0, 10.0):
            for passed in guard.check(message):
                _present(passed)

    _feed(reader, pieces, lambda: _drain(reader.next_telegram, use))


def _present(message: Message) -> None:
    json.loads(dumps(message))
    _must_be_harmless(message)
    if message["type"] == "reading":
        reading_table(message)
        for key, measurement in message["measurements"].items():
            quantity = QUANTITIES.get(key) or unknown_quantity(key, measurement["value"])
            sensor = sensor_of(quantity, measurement["value"], measurement["unit"])
            _must_be_harmless(state_of(sensor, measurement["value"]))


def iec_stream(pieces: Pieces) -> None:
    """Frames of IEC 62056-21 out of a stream."""
    reader = FrameReader()
    _feed(reader, pieces, lambda: _drain(reader.next_frame))
    reader.end_of_data()
    _drain(reader.next_frame)


def iec_parts(pieces: Pieces) -> None:
    """Data sets, and the lines of every short request."""
    whole = b"".join(pieces)
    with contextlib.suppress(*ALLOWED):
        parse_data_sets(whole)
    for line in whole.split(b"\r")[:20]:
        for name in SINGLE_LINE:
            with contextlib.suppress(*ALLOWED):
                parse_line(name, line)
        for name in LOGGERS:
            with contextlib.suppress(*ALLOWED):
                parse_record(name, line)


def iec_capture(pieces: Pieces) -> None:
    """The capture decoder of `decode iec62056_21`: it returns its errors."""
    for description in iec_describe.describe_capture(b"".join(pieces)):
        _must_be_harmless({**description, "bytes": ""})


def sml_stream(pieces: Pieces) -> None:
    """Frames of SML out of a stream, and its end."""
    reader = sml_frame.FrameReader()
    _feed(reader, pieces, lambda: _drain(reader.next_frame))
    with contextlib.suppress(*ALLOWED):
        reader.end_of_data()
    _drain(reader.next_frame)


def sml_capture(pieces: Pieces) -> None:
    """The capture decoder of `decode sml`: it returns its errors."""
    for description in sml_describe.describe_capture(b"".join(pieces)):
        _must_be_harmless(description)
        dumps(description)


def _redaction(client: str) -> Target:
    """Recordings with anything in them: redacted, written, and read back."""

    def target(pieces: Pieces) -> None:
        events = tuple(
            Burst(place, TO_METER if len(piece) % 5 == 1 else FROM_METER, piece)
            for place, piece in enumerate(pieces)
        )
        names = Pseudonyms()
        settings = DsmrSettings(port="/dev/null", key=Secret(KEYS[0].hex())) if client == "dsmr" else None
        redacted = redact(Recording(events, client=client), names, settings=settings)
        text = format_recording(redacted.recording, comment_for(client))
        assert parse_recording(text).bursts == redacted.recording.bursts
        scrub(text, names.originals)

    return target


def text_recording(pieces: Pieces) -> None:
    """The text of a recording that somebody wrote: it is read or refused, and then redacted."""
    field = _text(pieces)
    for line in (
        *(f"client: {field}", f"setting serial_number = {field}", f"setting {field} = 1", field),
        *(f"0.1 > {field}", f'0.2 < "{field}"', f"{field} < 00", f"0.3 = {field}"),
    ):
        try:
            recording = parse_recording(f"{MAGIC}\nclient: dsmr\n{line}\n")
        except RecordingError as error:
            _must_be_harmless(str(error))
            continue
        _must_be_harmless([recording.client, *recording.settings.values()])
        redact(recording, Pseudonyms())
        with contextlib.suppress(TransportError):
            build_recorded("m", recording, Path("recording.txt"))


def text_values(pieces: Pieces) -> None:
    """Settings, states, and what the guard remembers: a value or an error of theirs."""
    field = _text(pieces)
    for read in (parse_duration, Schedule.parse):
        with contextlib.suppress(UnfitValueError):
            read(field)
    for annotation in (int, Decimal, str, timedelta, Schedule, bool):
        with contextlib.suppress(UnfitValueError):
            read_leaf(annotation, field, Limits())
    number = bounded_number(field)
    if number is not None:
        with contextlib.suppress(ValueFormatError):
            convert_energy(number, "GJ", "kWh")
    for sensor in (SensorClass(precision=3), SensorClass("timestamp"), SensorClass("date"), SensorClass()):
        state = state_of(sensor, field)
        assert state is None or len(state) <= 255
    total = {"value": field, "unit": field, "time": field}
    meters = {"m": {"origin": field, "serials": {"info": field}, "totals": {"x": total}}}
    with contextlib.suppress(ValueError):
        decode(json.dumps({"version": 1, "meters": meters}).encode())
    with contextlib.suppress(ValueError):
        resolve_register(field)
    with contextlib.suppress(ValueFormatError):
        encode_register(60, field, 0x08)


def _text(pieces: Pieces) -> str:
    """Lines do not go on in the next: what is tried is one field."""
    return b"".join(pieces)[:LONGEST_FIELD].decode("utf-8", "surrogateescape").replace("\n", " ")


def _must_be_harmless(content: object, most_digits: int = LONGEST_NUMBER) -> None:
    found = harmful(content, most_digits)
    assert not found, found


def dlms_stream(pieces: Pieces) -> None:
    """Frames out of a stream, joined, decrypted and taken apart, and what sinks get of them."""
    for opener in (None, DlmsOpener(KEYS[1], KEYS[2], "warn")):
        reader = DlmsReader(opener)
        messages, guard = DlmsMessages("m", Decimal(1), KnownValues()), Guard({"m": MeterPolicy()})

        def use(telegram: object, messages: DlmsMessages = messages, guard: Guard = guard) -> None:
            assert isinstance(telegram, DlmsTelegram)
            for message in messages.of(telegram, datetime(2026, 1, 1, tzinfo=UTC), 0.0, 10.0):
                for passed in guard.check(message):
                    _present(passed)

        _feed(reader, pieces, lambda reader=reader, use=use: _drain(reader.next_telegram, use))  # type: ignore[misc]


def dlms_content(pieces: Pieces) -> None:
    """Any notification behind right check sequences, and any plaintext behind a right tag."""
    for piece in pieces:
        plaintext = b"\x0f\0\0\0\0\0" + piece[:1500]
        for apdu in (piece[:1500], plaintext, encrypt(plaintext, KEYS[1], KEYS[2], b"KFM\0\0\0\0\1", 1)):
            dlms_capture([encode_hdlc(b"\xe6\xe7\x00" + apdu)])


def dlms_capture(pieces: Pieces) -> None:
    """The capture decoder of `decode dlms`: it tells of damage and raises nothing."""
    for description in dlms_describe.describe_capture(b"".join(pieces), DlmsOpener(KEYS[1], KEYS[2], "warn")):
        _must_be_harmless(description)


def text_letters(pieces: Pieces) -> None:
    """What a fleet's writers and edges make of what anybody publishes: rows, ranges, or a ValueError."""
    field, time = _text(pieces), "2026-11-29T12:00:00Z"
    value = {"value": field, "unit": field, "measured_at": field}
    bodies = (
        field.encode("utf-8", "surrogatepass"),
        json.dumps({"time": field, "measurements": {}}).encode(),
        json.dumps({"time": time, "measurements": {field: value, "power": {"value": field}}}).encode(),
    )
    for body in bodies:
        for subject in ("smr.v1.t.s.reading.m", "smr.v1.t.s.status.m", field):
            with contextlib.suppress(ValueError):
                rows = arrival(subject, {"Smr-Fence": field}, body).rows
                assert all((row.value is None) != (row.text is None) for row in rows)
        for decode_ranges in (decode_told, decode_asked):
            with contextlib.suppress(ValueError):
                decode_ranges(body)


TARGETS: Mapping[str, Target] = {
    "dlms stream": dlms_stream,
    "dlms content": dlms_content,
    "dlms capture": dlms_capture,
    "dlms redaction": _redaction("dlms"),
    "kmp stream": kmp_stream,
    "kmp content": kmp_content,
    "kmp capture": kmp_capture,
    "mbus stream": mbus_stream,
    "mbus content": mbus_content,
    "mbus capture": mbus_capture,
    "mbus redaction": _redaction("mbus"),
    "p1 stream": p1_stream,
    "p1 content": p1_content,
    "p1 garbage": p1_garbage,
    "iec62056_21 stream": iec_stream,
    "iec62056_21 parts": iec_parts,
    "iec62056_21 capture": iec_capture,
    "sml stream": sml_stream,
    "sml capture": sml_capture,
    "sml redaction": _redaction("sml"),
    "kmp redaction": _redaction("kamstrup"),
    "p1 redaction": _redaction("dsmr"),
    "iec62056_21 redaction": _redaction("iec62056_21"),
    "p1 capture": p1_capture,
    "p1 messages": p1_messages,
    "text recording": text_recording,
    "text values": text_values,
    "text letters": text_letters,
}


def protocol_of(target: str) -> str:
    """Whose hostile frames a target is fed: the first word of its name."""
    return target.partition(" ")[0]

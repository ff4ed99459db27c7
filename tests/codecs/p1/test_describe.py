"""What `decode p1` tells of captures, and what it says of captures without any telegram."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from smart_meter_reader.codecs.p1.describe import describe_capture
from smart_meter_reader.codecs.p1.encryption.cipher import Opener
from smart_meter_reader.codecs.p1.framing.checksum import crc16_x25
from smart_meter_reader.codecs.p1.garbage import EXPLANATIONS, recognise
from smart_meter_reader.codecs.parity import add_parity
from smart_meter_reader.json_text import dumps
from tests.codecs.p1.vectors import BY_ID, keys, wire

GOOD = wire("nl-dsmr50-isk")


def test_a_telegram_of_the_first_meters() -> None:
    (description,) = describe_capture(wire("nl-dsmr22-isk"))
    text = dumps(description)
    assert text.startswith('{"protocol":"p1","header":"ISk5\\\\2MT382-1004"')
    assert '"1-0:1.8.1":{"value":1.001,"unit":"kWh"}' in text
    assert description["checksum"] == "absent"
    assert description["authentication"] == "none"
    assert description["frame_counter"] is None
    assert description["time"] is None
    assert list(description["meters"]) == ["gas"]


def test_a_failed_telegram_tells_nothing_but_its_name() -> None:
    damaged = GOOD.replace(b"0230.0*V", b"0231.0*V", 1)
    good, bad = describe_capture(GOOD + damaged)
    assert "error" not in good
    assert bad["header"] == good["header"]
    assert bad["checksum"] == "bad"
    assert bad["error"]["kind"] == "checksum"
    assert "objects" not in bad
    assert "measurements" not in bad


HEADERS = {"good": "ISk5\\2MT382-1000", "other": "KFM5KAIFA-METER"}
OTHER = wire("nl-dsmr42-kaifa")
BAD = GOOD.replace(b"0230.0*V", b"0231.0*V", 1)


def outcomes(capture: bytes) -> list[tuple[object, object]]:
    """The header of each telegram, and what is wrong with it."""
    return [
        (told.get("header"), told["error"]["kind"] if "error" in told else "")
        for told in describe_capture(capture)
    ]


def test_what_a_capture_has_stays_in_its_order() -> None:
    good, bad, other = (HEADERS["good"], ""), (HEADERS["good"], "checksum"), (HEADERS["other"], "")
    assert outcomes(BAD + BAD + GOOD) == [bad, bad, good]
    assert outcomes(BAD + BAD) == [bad, bad]
    assert outcomes(GOOD + BAD + OTHER + BAD) == [good, bad, other, bad]
    assert outcomes(GOOD + OTHER[:300]) == [good, (HEADERS["other"], "truncated")]
    assert outcomes(OTHER[:300]) == [(HEADERS["other"], "truncated")]


def test_a_capture_may_be_of_several_meters() -> None:
    """One meter that has sent a checksum sends one always; of a file another one may have none."""
    bare = GOOD[: GOOD.index(b"!") + 1] + b"\r\n"
    assert outcomes(GOOD + bare) == [(HEADERS["good"], "")] * 2


def test_parity_behind_a_telegram_is_taken_off_nothing() -> None:
    """The first one shows that there is none; what came with it is another damage."""
    assert outcomes(GOOD + add_parity(OTHER, "E")) == [(HEADERS["good"], ""), (None, "truncated")]
    assert outcomes(add_parity(OTHER, "E") + GOOD) == [(HEADERS["good"], "")]


def test_the_dialect_and_the_keys_that_are_given_are_those_of_the_telegram() -> None:
    for capture in (GOOD, add_parity(wire("nl-dsmr22-isk"), "E")):
        (told,) = describe_capture(capture, dialect="hungary")
        assert told["dialect"] == "hungary"
    (told,) = describe_capture(GOOD)
    assert (told["dialect"], told["serial_number"], told["checksum"]) == ("dsmr-5", "K8EG004046395507", "ok")
    plain, opener = wire("nl-dsmr22-isk"), Opener(bytes(16))
    (told,) = describe_capture(add_parity(plain, "E"), opener)
    assert opener.policy == "require"
    assert told["error"]["kind"] == "not_encrypted"


def test_a_telegram_is_told_with_all_that_it_has() -> None:
    (told,) = describe_capture(wire("nl-dsmr22-isk"))
    assert list(told) == [
        "protocol", "header", "dialect", "checksum", "authentication", "frame_counter", "time",
        "serial_number", "objects", "measurements", "meters",
    ]  # fmt: skip
    assert told["objects"]["1-0:1.8.1"]["unit"] == "kWh"
    assert told["measurements"]["active_energy_import_tariff_1"]["unit"] == "kWh"


def test_the_header_of_a_damaged_telegram_is_told_as_it_stands() -> None:
    for header, told in (
        (b"ISk5XX", "ISk5XX"),
        (b"ISk5 ", "ISk5 "),
        (b"ISk5\xe9", "ISk5é"),
        (b"ISk5\r", "ISk5"),
    ):
        (found,) = describe_capture(b"/" + header + b"\r\n\r\n1-0:1.8.1(00001.001*kWh)\r\n!0000\r\n")
        assert (found["header"], found["error"]["kind"]) == (told, "checksum")


def test_an_encrypted_capture() -> None:
    frame = wire("enc-at-rekeyed-0000165e")
    (description,) = describe_capture(frame, Opener(*keys("enc-at-rekeyed-0000165e")))
    assert description["authentication"] == "verified"
    assert description["frame_counter"] == 0x165E
    assert dumps(description["time"]) == '"2022-08-15T06:48:26Z"'
    (failed,) = describe_capture(frame, Opener(bytes(16)))
    assert failed["error"]["kind"] == "wrong_encryption_key"
    assert failed["authentication"] == "failed"


def test_dead_devices_and_bad_lines_are_told() -> None:
    body = b"/ISk5\r\n\r\n0-1:24.1.0(003)\r\n0-1:96.1.0()\r\nrubbish\r\n!\r\n"
    (description,) = describe_capture(body)
    assert description["dead_meters"] == [
        {"medium": "gas", "channel": 1, "device_type": 3, "serial_number": "", "measurements": {}}
    ]
    assert description["bad_lines"] == ["rubbish"]


def in_hdlc(content: bytes) -> bytes:
    """One frame of type 3 with its check sequence."""
    frame = (0xA000 | len(content) + 4).to_bytes(2, "big") + content
    return b"\x7e" + frame + crc16_x25(frame).to_bytes(2, "little") + b"\x7e"


def in_mbus(content: bytes) -> bytes:
    """One long frame."""
    length = bytes([len(content)])
    return b"\x68" + length * 2 + b"\x68" + content + bytes([sum(content) & 0xFF]) + b"\x16"


def test_encrypted_frames_inside_another_protocol() -> None:
    """Some ports send DLMS in HDLC or M-Bus; keys are not what is wrong there."""
    frame = wire("enc-synth-shortform-length")
    keys_of_it = keys("enc-synth-shortform-length")
    for stream, kind in ((in_hdlc(frame), "hdlc"), (in_mbus(frame), "mbus")):
        assert [d["error"]["kind"] for d in describe_capture(stream)] == [kind]
        assert [d["error"]["kind"] for d in describe_capture(stream, Opener(bytes(16)))] == [kind]
        # A frame that fits into one piece can be read nevertheless.
        assert [d["authentication"] for d in describe_capture(stream, Opener(*keys_of_it))] == ["verified"]


def test_captures_without_a_telegram_say_what_they_are() -> None:
    hdlc, mbus = in_hdlc(b"\xe6\xe7\x00\x0f" + bytes(20)), in_mbus(b"\x08\x01\x72" + bytes(20))
    inverted = bytes(0xFF ^ byte for byte in GOOD)
    kinds = {
        kind: [d["error"]["kind"] for d in describe_capture(stream)]
        for kind, stream in {
            "hdlc": hdlc,
            "mbus": mbus,
            "inverted": inverted,
            "no_telegram": b"hello",
        }.items()
    }
    assert kinds == {kind: [kind] for kind in kinds}
    assert [d["error"]["detail"] for d in describe_capture(b"")] == ["the capture is empty"]
    assert list(describe_capture(b"hello")) == [
        {"protocol": "p1", "error": {"kind": "no_telegram", "detail": EXPLANATIONS["unknown"]}}
    ]


def test_parity_is_taken_off_a_capture() -> None:
    bare = wire("nl-dsmr22-isk")
    assert list(describe_capture(add_parity(bare, "E"))) == list(describe_capture(bare))
    # The ends of several show through it, as those of damaged ones.
    assert list(describe_capture(add_parity(bare * 3, "E"))) == list(describe_capture(bare * 3))


def test_a_few_bytes_of_noise_are_no_parity() -> None:
    """A line that seems to carry parity is set to seven bits, which ruins all others."""
    spoilt = bytearray(GOOD.replace(b"!", b"?"))
    spoilt[100:110] = b"\xff\x80\xf3" * 4
    assert recognise(bytes(spoilt)) == "unknown"
    assert recognise(b"\xfe\x81" * 10 + add_parity(wire("nl-dsmr22-isk"), "E")) == "parity"
    # What a torn telegram can leave: nearly all of it even, since it is one digit.
    endless = b"0-0:96.7.21(" + b"9" * 1000 + b")\r\n0-0:96.7.9(\xb2\xb3)\r\n1-0:52.7.0(1)\r\n"
    assert recognise(endless) == "unknown"


@given(st.binary(max_size=500))
def test_any_bytes_can_be_described(capture: bytes) -> None:
    descriptions = list(describe_capture(capture))
    assert descriptions
    for description in descriptions:
        dumps(description)
    recognise(capture)


def test_every_vector_can_be_written_as_json() -> None:
    for vector in BY_ID.values():
        for description in describe_capture(wire(vector)):
            assert dumps(description).startswith('{"protocol":"p1"')

"""What `decode p1` tells of captures, and what it says of captures without any telegram."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from smart_meter_reader.codecs.p1.describe import describe_capture
from smart_meter_reader.codecs.p1.encryption.cipher import Opener
from smart_meter_reader.codecs.p1.framing.checksum import crc16_x25
from smart_meter_reader.codecs.p1.garbage import recognise
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


def test_parity_is_taken_off_a_capture() -> None:
    bare = wire("nl-dsmr22-isk")
    assert list(describe_capture(add_parity(bare, "E"))) == list(describe_capture(bare))


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

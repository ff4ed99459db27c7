"""The text format of recordings: written and read back, edited by hand, every mistake named by its line."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from smart_meter_reader.recordings.tape import Tape
from smart_meter_reader.recordings.text import (
    MAGIC,
    Burst,
    LineChange,
    Recording,
    RecordingError,
    find_recordings,
    format_recording,
    parse_recording,
)
from smart_meter_reader.transport import LineSettings

P1 = b"/KFM5KAIFA\r\n\r\n1-3:0.2.8(42)\r\n!1A2B\r\n"

EDITED = r"""
A user's words before the recording do not matter.

smart-meter-reader recording 1
client: kamstrup
line: 1200 Bd 8N2
setting registers = ["heat_energy", "60 # no comment"]

# written by hand
0     > 803F 01 05 8A 0D    # GetType
.     # nothing
"""

payloads = st.binary(max_size=200) | st.text(st.characters(codec="ascii"), max_size=200).map(
    lambda text: text.encode("ascii")
)
events = st.lists(st.tuples(st.integers(0, 10**8), st.sampled_from("<>="), payloads), max_size=8).map(
    lambda found: tuple(
        LineChange(at, "2400 Bd 7E1") if mark == "=" else Burst(at, "<" if mark == "<" else ">", payload)
        for at, mark, payload in sorted(found)
    )
)


@given(events, st.sampled_from(["", "dsmr"]), st.sampled_from([{}, {"registers": '["a", "b"]'}]))
@example((Burst(0, "<", P1), Burst(0, "<", b"")), "dsmr", {})
def test_what_is_written_is_read_back(
    events: tuple[Burst | LineChange, ...], client: str, settings: dict[str, str]
) -> None:
    recording = Recording(events, client, "1200 Bd 8N2", "2026-01-02T03:04:05Z", "x 1", settings)
    text = format_recording(recording, lambda burst: 'a comment "with" # signs')
    assert parse_recording(text) == recording
    assert find_recordings(f"before\n{text}between\n{text}after") == [recording, recording]


@given(st.text(max_size=300))
def test_anything_else_is_read_or_refused(text: str) -> None:
    try:
        recording = parse_recording(f"{MAGIC}\n{text}")
    except RecordingError:
        return
    assert parse_recording(format_recording(recording)) == recording


def test_text_stands_as_text_with_a_line_for_each_line() -> None:
    text = format_recording(Recording((Burst(1234, "<", P1),)))
    assert r'     1.234 < "/KFM5KAIFA\r\n"' in text
    assert r'           < "1-3:0.2.8(42)\r\n"' in text


def test_bytes_stand_as_pairs_of_digits() -> None:
    assert "0.000 > 80 3F 10 0D" in format_recording(Recording((Burst(0, ">", b"\x80\x3f\x10\x0d"),)))


def test_hand_written_lines_may_mix_digits_and_text() -> None:
    text = f'{MAGIC}\n1.5 < 02 "0.0(\\"x\\")" 0d0A # the end\n < "\\x03"\n'
    assert parse_recording(text).bursts == (Burst(1500, "<", b'\x020.0("x")\r\n\x03'),)


def test_a_recording_without_end_line_ends_with_the_text() -> None:
    recording = parse_recording(EDITED.replace(".     # nothing\n", ""))
    assert recording.client == "kamstrup"
    assert recording.settings == {"registers": '["heat_energy", "60 # no comment"]'}
    assert recording.bursts == (Burst(0, ">", bytes.fromhex("803F01058A0D")),)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (".     # nothing", "line 3: '.     # nothing' is neither a header"),
        ("serial: 5", "is neither a header (client, line, recorded, software, setting)"),
        ("0.5 > 4", "line 3: '4' is neither pairs of hexadecimal digits nor text in quotes"),
        ('0.5 > "open', "is neither pairs of hexadecimal digits nor text in quotes"),
        (r'0.5 > "\q"', r"line 3: \q is unknown"),
        ('0.5 > "°C"', "has a character that is no byte"),
        ("0.1 > 00", "line 3: its time is before that of the line above: 0.1 s"),
        ("> 00", "line 3: a line without a time goes on with the one above"),
        ("= 300 Bd 7E1", "line 3: a line without a time goes on"),
    ],
)
def test_mistakes_are_named_with_their_line(line: str, said: str) -> None:
    with pytest.raises(RecordingError) as raised:
        parse_recording(f"{MAGIC}\n0.2 < 00\n{line}\n")
    assert said in str(raised.value)


def test_a_text_without_a_recording_is_refused() -> None:
    with pytest.raises(RecordingError, match="no recording in it"):
        find_recordings("0.0 > 00")


def test_a_burst_of_very_many_lines_is_read_in_no_time() -> None:
    # Were each line to copy those before it, this would take minutes.
    lines = 400_000
    recording = parse_recording(f"{MAGIC}\n0.5 < 00\n" + "< 41\n" * lines)
    assert recording.bursts == (Burst(500, "<", b"\0" + b"A" * lines),)


async def test_of_a_line_without_a_pause_as_much_is_kept_as_fits() -> None:
    flood = bytes(range(256)) * 1600

    async def send(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(flood)
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(send, "127.0.0.1", 0) as server:
        url = f"socket://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        tape = Tape(limit=300_001)
        read = 0
        async with await tape.open(url, LineSettings(115_200), 5.0) as transport:
            while read < len(flood):
                read += len(await transport.read())
    kept = [event.payload for event in tape.events() if isinstance(event, Burst)]
    assert tape.full
    assert b"".join(kept) == flood[:300_001]
    assert max(map(len, kept)) < 300_001

"""The sink `stdout`: JSON lines with the meter's digits, a table for people, readers that go or hang."""

from __future__ import annotations

import asyncio
import io
import json
import logging
import os
import sys
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from smart_meter_reader.messages import Message, Reading, Status
from smart_meter_reader.sinks import text_writer
from smart_meter_reader.sinks.stdout import StdoutSettings, StdoutSink, reading_table

READING: Reading = {
    "type": "reading",
    "meter": "heat",
    "time": datetime(2026, 1, 31, 12, tzinfo=UTC),
    "measurements": {
        "heat_energy": {"value": Decimal("227.445"), "unit": "GJ"},
        "temperature_difference": {"value": Decimal("7.60"), "unit": "K"},
        "operating_hours": {"value": 84208, "unit": "h"},
        "power": {"value": Decimal("-0.1"), "unit": "kW"},
        "serial_number": {"value": "12345678901234567890 AB", "unit": ""},
    },
}


async def messages(*what: Message) -> AsyncIterator[Message]:
    for message in what:
        yield message


async def written(monkeypatch: pytest.MonkeyPatch, form: str, *what: Message) -> str:
    stream = io.StringIO()
    monkeypatch.setattr(sys, "stdout", stream)
    await StdoutSink("screen", StdoutSettings(format=form)).run(messages(*what))  # type: ignore[arg-type]
    return stream.getvalue()


async def test_json_is_one_object_a_line_with_the_meters_digits(monkeypatch: pytest.MonkeyPatch) -> None:
    lines = (await written(monkeypatch, "json", READING, READING)).splitlines()
    assert len(lines) == 2
    decoded = json.loads(lines[0], parse_float=Decimal)
    assert decoded["meter"] == "heat"
    assert str(decoded["measurements"]["temperature_difference"]["value"]) == "7.60"
    assert decoded["measurements"]["operating_hours"] == {"value": 84208, "unit": "h"}
    assert datetime.fromisoformat(decoded["time"]) == READING["time"]


async def test_the_table_aligns_the_points_of_numbers(monkeypatch: pytest.MonkeyPatch) -> None:
    table = await written(
        monkeypatch,
        "table",
        {"type": "info", "meter": "heat", "time": READING["time"], "model": "MULTICAL 403"},
        READING,
    )
    heading, *rows = table.rstrip("\n").splitlines()
    assert heading.startswith("heat · MULTICAL 403 · 2026-01-31 ")
    assert rows == [
        "  Heat energy               227.445 GJ",
        "  Temperature difference      7.60  K",
        "  Operating hours         84208     h",
        "  Power                      -0.1   kW",
        "  Serial number           12345678901234567890 AB",
    ]


async def test_the_table_says_why_there_is_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    status: Message = {
        "type": "status",
        "meter": "heat",
        "time": READING["time"],
        "state": "offline",
        "reason": "port_missing",
        "detail": "the port is missing; plug it in",
    }
    assert await written(monkeypatch, "table", status) == (
        "heat is offline: the port is missing; plug it in\n\n"
    )


def test_a_quantity_without_a_name_shows_its_key() -> None:
    reading: Reading = {**READING, "measurements": {"register_700": {"value": 1, "unit": ""}}}
    assert "register_700  1" in reading_table(reading)


async def one_and_no_more() -> AsyncIterator[Message]:
    yield READING
    await asyncio.Event().wait()


async def test_a_reader_that_has_gone_ends_the_sink(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    sink = StdoutSink("screen", StdoutSettings())
    with os.fdopen(writer, "w") as stream:
        monkeypatch.setattr(sys, "stdout", stream)
        caplog.set_level(logging.INFO)
        async with asyncio.timeout(30):
            await sink.run(one_and_no_more())
        assert "standard output has gone" in caplog.text
        assert sink.delivered, "it had enough"
        monkeypatch.undo()


async def test_a_reader_that_goes_ends_the_sink_at_once_and_not_at_the_next_reading(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """`run | head -1` with a reading an hour."""
    reader, writer = os.pipe()
    with os.fdopen(reader) as lines, os.fdopen(writer, "w") as stream:
        monkeypatch.setattr(sys, "stdout", stream)
        sink = StdoutSink("screen", StdoutSettings())
        task = asyncio.ensure_future(sink.run(one_and_no_more()))
        assert json.loads(await asyncio.to_thread(lines.readline))["type"] == "reading"
        lines.close()
        async with asyncio.timeout(30):
            await task
        monkeypatch.undo()
    assert sink.delivered
    assert caplog.text == ""


async def test_readings_only(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = io.StringIO()
    monkeypatch.setattr(sys, "stdout", stream)
    status: Status = {
        "type": "status",
        "meter": "heat",
        "time": READING["time"],
        "state": "online",
        "reason": "",
        "detail": "readings arrive",
    }
    await StdoutSink("screen", StdoutSettings(messages=("reading",))).run(messages(status, READING))
    monkeypatch.undo()
    assert [json.loads(line)["type"] for line in stream.getvalue().splitlines()] == ["reading"]


async def test_a_table_in_the_journal_is_told(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    with (tmp_path / "journal").open("w") as stream:
        status = os.fstat(stream.fileno())
        monkeypatch.setenv("JOURNAL_STREAM", f"{status.st_dev}:{status.st_ino}")
        monkeypatch.setattr(sys, "stdout", stream)
        await StdoutSink("screen", StdoutSettings(format="table")).run(messages(READING))
        await StdoutSink("screen", StdoutSettings()).run(messages(READING))
        monkeypatch.undo()
    assert caplog.text.count("a table is for people") == 1


async def test_an_output_that_will_never_be_written_ends_the_sink(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    with os.fdopen(os.open(os.devnull, os.O_RDONLY), "w") as stream:
        monkeypatch.setattr(sys, "stdout", stream)
        sink = StdoutSink("screen", StdoutSettings())
        async with asyncio.timeout(30):
            await sink.run(one_and_no_more())
        monkeypatch.undo()
    assert not sink.delivered
    assert "standard output cannot be written (Bad file descriptor)" in caplog.text


async def test_a_full_disk_is_waited_out(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    monkeypatch.setattr(text_writer, "RETRY_SECONDS", 0.01)
    caplog.set_level(logging.INFO)
    with Path("/dev/full").open("w") as stream, (tmp_path / "output").open("w") as tidy:
        monkeypatch.setattr(sys, "stdout", stream)
        sink = StdoutSink("screen", StdoutSettings())
        task = asyncio.ensure_future(sink.run(messages(READING, READING)))
        async with asyncio.timeout(30):
            while "No space left on device" not in caplog.text:
                await asyncio.sleep(0.01)
            assert not task.done()
            delivered = [sink.delivered]
            os.dup2(tidy.fileno(), stream.fileno())  # now there is room
            await task
        monkeypatch.undo()
    assert [*delivered, sink.delivered] == [False, True]
    assert len([json.loads(line) for line in (tmp_path / "output").read_text().splitlines()]) == 2
    assert [record.levelname for record in caplog.records] == ["WARNING", "INFO"]


async def test_a_full_pipe_that_does_not_block_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    monkeypatch.setattr(sys, "stdout", os.fdopen(writer, "w"))
    # More than any pipe takes at once.
    long: Reading = {**READING, "measurements": {"long": {"value": "x" * 3_000_000, "unit": ""}}}
    sink = StdoutSink("screen", StdoutSettings())
    task = asyncio.ensure_future(sink.run(messages(long, READING)))
    await asyncio.sleep(0.05)
    with os.fdopen(reader) as lines:
        async with asyncio.timeout(30):
            received = [await asyncio.to_thread(lines.readline) for _ in range(2)]
            await task
    sys.stdout.close()
    monkeypatch.undo()
    assert sink.delivered
    assert [len(json.loads(line)["measurements"]) for line in received] == [1, len(READING["measurements"])]


async def test_a_reader_that_hangs_does_not_hold_the_loop(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def endless() -> AsyncIterator[Message]:
        while True:
            yield READING

    reader, writer = os.pipe()
    stream = os.fdopen(writer, "w")
    monkeypatch.setattr(sys, "stdout", stream)
    task = asyncio.ensure_future(StdoutSink("screen", StdoutSettings()).run(endless()))
    # The pipe is full after 64 KiB; the loop goes on all the same, and the sink can be cancelled.
    for _ in range(100):
        await asyncio.sleep(0.001)
    assert not task.done()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert "messages may not have been read" in caplog.text
    # Let the writing thread finish, so that the stream can be closed.
    monkeypatch.undo()
    while os.read(reader, 1 << 20):
        if not select_readable(reader):
            break
    stream.close()
    os.close(reader)


def select_readable(descriptor: int) -> bool:
    import select

    return bool(select.select([descriptor], [], [], 0.2)[0])

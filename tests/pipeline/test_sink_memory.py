"""What sinks remember: written when it changes, given back at the next start, and no hindrance."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import AsyncIterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from smart_meter_reader.files import write_whole
from smart_meter_reader.messages import Message
from smart_meter_reader.pipeline import sink_memory
from smart_meter_reader.pipeline.sink_memory import SinkMemory, remembered
from smart_meter_reader.sinks.base import Sink


class Learns(Sink):
    """A sink that remembers what it is told to."""

    def __init__(self, name: str, settings: Any = None) -> None:
        self.name = name
        self.known = dict(settings or {})
        self.meters: tuple[str, ...] = ()

    async def run(self, messages: AsyncIterator[Message]) -> None:
        raise AssertionError("nobody runs it")

    @property
    def memory(self) -> Mapping[str, Any]:
        return dict(self.known)

    def recall(self, memory: Mapping[str, Any], meters: Sequence[str]) -> None:
        if "bad" in memory:
            raise ValueError("never written")
        self.known, self.meters = dict(memory), tuple(meters)


def memory_of(folder: Path, *sinks: Sink) -> SinkMemory:
    return SinkMemory("house", {"STATE_DIRECTORY": str(folder)}, sinks)


def recalled(folder: Path, *names: str) -> list[Learns]:
    sinks = [Learns(name) for name in names]
    memory_of(folder, *sinks).recall(["heat"])
    return sinks


def test_each_sink_gets_its_own_back(tmp_path: Path) -> None:
    memory_of(tmp_path, Learns("a", {"topics": ["ä"]}), Learns("b"), Learns("c", {"n": 1})).save()
    assert (tmp_path / "house.sinks.json").stat().st_mode & 0o777 == 0o600
    sinks = recalled(tmp_path, "c", "b", "a", "new")
    assert [sink.known for sink in sinks] == [{"n": 1}, {}, {"topics": ["ä"]}, {}]
    assert {sink.meters for sink in sinks} == {("heat",)}


def test_only_what_has_changed_is_written(tmp_path: Path) -> None:
    file, sink = tmp_path / "house.sinks.json", Learns("a")
    memory = memory_of(tmp_path, sink)
    memory.save()
    assert not file.exists()  # nothing is remembered
    sink.known = {"n": 1}
    memory.save()
    file.unlink()
    memory.save()
    assert not file.exists()
    sink.known = {"n": 2}
    memory.save()
    assert json.loads(file.read_text()) == {"version": 1, "sinks": {"a": {"n": 2}}}
    again = memory_of(tmp_path, sink)
    again.recall(["heat"])
    file.unlink()
    again.save()
    assert not file.exists()  # as it was read


async def test_it_is_kept_now_and_then(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sink_memory, "SAVE_SECONDS", 0.001)
    file, sink = tmp_path / "house.sinks.json", Learns("a")
    keeping = asyncio.ensure_future(memory_of(tmp_path, sink).keep())
    async with asyncio.timeout(30):
        for number in range(3):
            sink.known = {"n": number}
            while not file.exists() or json.loads(file.read_text())["sinks"] != {"a": {"n": number}}:
                await asyncio.sleep(0.001)
    keeping.cancel()
    with pytest.raises(asyncio.CancelledError):
        await keeping


async def test_the_last_save_wins_over_one_that_is_still_at_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, go_on, ended = threading.Event(), threading.Event(), threading.Event()

    def slow_at_first(path: Path, text: str) -> None:
        if begun.is_set():
            write_whole(path, text)
            return
        begun.set()
        assert go_on.wait(30)
        write_whole(path, text)
        ended.set()

    monkeypatch.setattr(sink_memory, "SAVE_SECONDS", 0.001)
    monkeypatch.setattr(sink_memory, "write_whole", slow_at_first)
    sink = Learns("a", {"n": 1})
    memory = memory_of(tmp_path, sink)
    keeping = asyncio.ensure_future(memory.keep())
    assert await asyncio.to_thread(begun.wait, 30)
    keeping.cancel()
    sink.known = {"n": 2}
    saving = threading.Thread(target=memory.save)
    saving.start()
    saving.join(0.2)  # by then it has written, where it does not wait for the other
    go_on.set()
    assert await asyncio.to_thread(ended.wait, 30)
    await asyncio.to_thread(saving.join)
    assert json.loads((tmp_path / "house.sinks.json").read_text())["sinks"] == {"a": {"n": 2}}


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        ("", "JSONDecodeError"),
        ("[]", "TypeError"),
        ("{}", "KeyError"),
        ('{"version": 1}', "KeyError"),
        ("[" * 100_000, "RecursionError"),
    ],
    ids=["empty", "list", "no version", "no sinks", "deep"],
)
def test_a_damaged_file_is_told_and_no_end(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, content: str, kind: str
) -> None:
    file = tmp_path / "house.sinks.json"
    file.write_text(content)
    (sink,) = recalled(tmp_path, "a")
    assert (sink.known, sink.meters) == ({}, ("heat",))
    assert caplog.messages == [f"{file} is damaged ({kind}): the sinks begin without memory"]


@pytest.mark.parametrize(
    "content", ['{"version": 2, "sinks": {"a": {"n": 1}}}', '{"version": 1, "sinks": [1]}']
)
def test_another_version_is_not_read(tmp_path: Path, content: str) -> None:
    (tmp_path / "house.sinks.json").write_text(content)
    assert recalled(tmp_path, "a")[0].known == {}


def test_what_a_sink_refuses_costs_that_sink_alone(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    file = tmp_path / "house.sinks.json"
    sinks: dict[str, Any] = {"a": {"bad": 1}, "b": {"n": 1}, "c": [1]}
    file.write_text(json.dumps({"version": 1, "sinks": sinks}))
    assert [sink.known for sink in recalled(tmp_path, "a", "b", "c")] == [{}, {"n": 1}, {}]
    assert caplog.messages == [f"{file} is damaged (never written): the sink a begins without it"]


def test_without_a_place_nothing_is_kept() -> None:
    sink = Learns("a", {"n": 1})
    memory = SinkMemory("house", {}, [sink])
    memory.save()
    memory.recall(["heat"])
    assert (sink.known, sink.meters) == ({}, ("heat",))


def test_what_cannot_be_written_is_tried_again(tmp_path: Path) -> None:
    folder = tmp_path / "state"
    folder.write_text("")
    memory = memory_of(folder, Learns("a", {"n": 1}))
    memory.save()
    folder.unlink()
    memory.save()
    assert [sink.known for sink in recalled(folder, "a")] == [{"n": 1}]


@pytest.mark.parametrize(
    ("own", "services", "found"),
    [
        (
            '{"version": 1, "sinks": {"a": {"n": 1}}}',
            '{"version": 1, "sinks": {"a": {"n": 2}}}',
            {"a": {"n": 1}},
        ),
        (None, '{"version": 1, "sinks": {"a": {"n": 2}}}', {"a": {"n": 2}}),
        ("[" * 100_000, '{"version": 1, "sinks": {"a": {"n": 2}}}', {"a": {"n": 2}}),
        ('{"sinks": [1]}', '{"version": 1, "sinks": {"a": {"n": 2}}}', {"a": {"n": 2}}),
        ("{}", "[]", {}),
        (None, None, {}),
    ],
    ids=["own", "the service's", "damaged", "a list", "both damaged", "none"],
)
def test_what_is_remembered_can_be_looked_at_from_outside(
    own: str | None,
    services: str | None,
    found: dict[str, Any],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sink_memory, "SERVICE_STATE", tmp_path / "service")
    for folder, content in ((tmp_path / "own", own), (tmp_path / "service" / "house", services)):
        folder.mkdir(parents=True)
        if content is not None:
            (folder / "house.sinks.json").write_text(content)
    assert remembered("house", {"STATE_DIRECTORY": str(tmp_path / "own")}) == found
    assert remembered("house", {}) == {}, "there is no place for it"

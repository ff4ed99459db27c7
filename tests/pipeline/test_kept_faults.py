"""Faults kept for `diagnose`: the newest of each place come back whole, and a bad file costs only itself."""

from __future__ import annotations

import json
import logging
import threading
from dataclasses import astuple
from pathlib import Path

import pytest

from smart_meter_reader.guard.state import SERVICE_STATE
from smart_meter_reader.pipeline.kept_faults import MOST, FaultFile, fault_path, fault_paths
from smart_meter_reader.rooms import Bug

HEAT = Bug("KeyError", "client.py:7", ("run > read > KeyError",))
OTHER = Bug("ValueError", "client.py:9", ("run > ValueError", "KeyError"))
SOUND = {"time": "t", "meter": "m", "kind": "k", "place": "p", "trace": ["a"], "received": "00ff"}


@pytest.fixture
def file(tmp_path: Path) -> FaultFile:
    return FaultFile(tmp_path / "state" / "house.internal_error.json")


def test_what_is_kept_comes_back(file: FaultFile) -> None:
    assert file.load() == []
    file.add("heat", HEAT, b"\x00\x80\xff")
    file.add("heat", OTHER, b"")
    file.add("power", HEAT, b"/ISK5")
    kept = [astuple(each)[1:] for each in file.load()]
    assert kept == [
        ("heat", HEAT.kind, HEAT.place, HEAT.trace, b"\x00\x80\xff"),
        ("heat", OTHER.kind, OTHER.place, OTHER.trace, b""),
        ("power", HEAT.kind, HEAT.place, HEAT.trace, b"/ISK5"),
    ]


def test_of_one_meter_at_one_place_the_newest_is_kept_and_comes_last(file: FaultFile) -> None:
    file.add("heat", HEAT, b"first")
    file.add("heat", OTHER, b"")
    file.add("heat", HEAT, b"second")
    assert [(each.place, each.received) for each in file.load()] == [
        (OTHER.place, b""),
        (HEAT.place, b"second"),
    ]


def test_the_oldest_go(file: FaultFile) -> None:
    for number in range(MOST + 2):
        file.add(f"m{number}", HEAT, b"")
    assert [each.meter for each in file.load()] == [f"m{number}" for number in range(2, MOST + 2)]


@pytest.mark.parametrize(
    "content",
    [
        "",
        "[" * 100_000,
        "[]",
        '{"version": 2, "faults": []}',
        '{"version": 1, "faults": {}}',
        '{"version": 1, "faults": [1]}',
        *(
            json.dumps({"version": 1, "faults": [SOUND | {key: value}]})
            for key, value in (("trace", "a"), ("trace", [1]), ("place", None), ("received", "0"))
        ),
    ],
    ids=range(10),
)
def test_a_damaged_file_is_none_and_is_written_anew(file: FaultFile, content: str) -> None:
    file.path.parent.mkdir()
    file.path.write_text(content)
    assert file.load() == []
    file.add("heat", HEAT, b"")
    assert [each.meter for each in file.load()] == ["heat"]


def test_a_sound_file_is_read(file: FaultFile) -> None:
    file.path.parent.mkdir()
    file.path.write_text(json.dumps({"version": 1, "faults": [SOUND]}))
    assert [astuple(each) for each in file.load()] == [("t", "m", "k", "p", ("a",), b"\x00\xff")]


def test_what_cannot_be_written_is_told_once(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    (tmp_path / "file").write_text("")
    file = FaultFile(tmp_path / "file" / "house.internal_error.json")
    file.add("heat", HEAT, b"")
    file.add("power", HEAT, b"")
    assert caplog.messages == [f"cannot keep a fault for diagnose in {file.path} (Not a directory)"]


def test_a_system_that_gives_no_thread_costs_only_what_would_be_kept(
    file: FaultFile, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Who keeps a fault is the supervisor of a meter: what was raised there would end the process."""

    def refuse(self: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", refuse)
    file.add_aside("heat", HEAT, b"")
    file.add_aside("power", HEAT, b"")
    sentence = "cannot keep a fault for diagnose: the system gives no thread (can't start new thread)"
    assert caplog.messages == [sentence]
    assert file.load() == []


def test_where_they_are_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    own = tmp_path / "smart_meter_reader" / "house.internal_error.json"
    of_service = SERVICE_STATE / "house" / "house.internal_error.json"
    assert fault_path("house", {"XDG_STATE_HOME": str(tmp_path)}) == own
    assert fault_path("house", {}) is None
    for variable in ("STATE_DIRECTORY", "HOME"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    assert list(fault_paths("house")) == [own, of_service]
    monkeypatch.delenv("XDG_STATE_HOME")
    assert list(fault_paths("house")) == [of_service]
    monkeypatch.setenv("STATE_DIRECTORY", str(of_service.parent))
    assert list(fault_paths("house")) == [of_service]

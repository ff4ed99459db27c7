"""`diagnose` knows the history by size, rows and gaps, and no number of a device that stands in it."""

from __future__ import annotations

import time
from decimal import Decimal
from pathlib import Path

from smart_meter_reader.history.rows import EventRow
from smart_meter_reader.history.storage.store import Store
from smart_meter_reader.messages import Message
from tests.cli.history.houses import house
from tests.cli.program import run
from tests.history.homes import energy, info, status

NOW = int(time.time()) // 900 * 900


def test_a_report_has_the_history_and_no_serial_number(tmp_path: Path) -> None:
    messages: list[Message] = [info(NOW - 90_000, "88334095")]
    times = [NOW - 900 * back for back in range(96, -1, -1)]
    messages += [energy(at, Decimal(index)) for index, at in enumerate(times) if not 20 < index < 40]
    messages.insert(22, status(times[21], "meter_silent", state="offline"))
    path = house(tmp_path, messages)
    store = Store(path)
    store.open()
    store.write([EventRow("heat", NOW, "new_meter", "the serial number was 88334095, and is 77223311")])
    store.note("heat", "", "wrong", 1, 2, "of Mrs Jansen")
    store.close()
    done = run("diagnose", "--output=report.txt", cwd=tmp_path)
    assert done.returncode == 0
    report = (tmp_path / "report.txt").read_text("utf-8")
    section = report[report.index("== history ==") :]
    assert "format 1, sound" in section
    assert "heat: 1 device\n  counter heat_energy [kWh]: 78 rows, " in section
    assert "Z: meter_silent\n" in section
    assert "new_meter 1" in section
    assert "notes: 1, of which 0 taken back" in section
    for secret in ("88334095", "77223311", "Jansen"):
        assert secret not in report


def test_a_damaged_history_and_none_are_said(tmp_path: Path) -> None:
    path = house(tmp_path)
    assert run("diagnose", "--output=none.txt", cwd=tmp_path).returncode == 0
    assert "no history yet" in (tmp_path / "none.txt").read_text("utf-8")
    path.write_bytes(b"gone" * 5000)
    assert run("diagnose", "--output=damaged.txt", cwd=tmp_path).returncode == 0
    report = (tmp_path / "damaged.txt").read_text("utf-8")
    assert "history: 20000 bytes, cannot be used (history_damaged)" in report
    assert "it cannot be read (history_damaged)" in report

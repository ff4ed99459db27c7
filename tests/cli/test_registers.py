"""`registers`: the table for people and for programs."""

from __future__ import annotations

import json

import pytest

from smart_meter_reader.cli import main
from smart_meter_reader.codecs.kmp.registers import REGISTERS
from smart_meter_reader.console import EXIT_OK, EXIT_USAGE


def test_every_register_is_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["registers", "--json"]) == EXIT_OK
    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [row["id"] for row in rows] == list(REGISTERS)
    (heat_energy,) = [row for row in rows if row["id"] == 60]
    assert heat_energy == {
        "id": 60,
        "hex": "0x003C",
        "quantity": "heat_energy",
        "name": "Heat energy",
        "kind": "energy",
        "models": ["302", "303/603", "402", "403", "601", "602", "801"],
        "proven": ["403"],
        "aliases": ["energy", "heat", "e1"],
    }


def test_the_table_for_people(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["registers", "0x4A", "flow_temperature"]) == EXIT_OK
    headings, flow, temperature = capsys.readouterr().out.splitlines()
    assert headings.split() == ["id", "quantity", "kind", "models", "proven", "on", "also", "called", "note"]
    assert flow.split()[:4] == ["74", "volume_flow", "volume", "flow"]
    assert temperature.split()[:3] == ["86", "flow_temperature", "temperature"]


@pytest.mark.parametrize("model", ["603", "303/603", "flowIQ-2200"])
def test_registers_of_one_model(model: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["registers", "--model", model, "--json"]) == EXIT_OK
    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert rows
    assert all(any(model in seen for seen in row["models"]) for row in rows)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["heat_enrgy"], "did you mean 'heat_energy'?"),
        (["--model", "66C"], "no register is known of a model '66C'"),
        (["70000"], "up to 65535"),
    ],
)
def test_what_is_not_there_exits_with_64(
    arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["registers", *arguments]) == EXIT_USAGE
    assert said in capsys.readouterr().err

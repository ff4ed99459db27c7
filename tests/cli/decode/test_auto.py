"""`decode auto` of what has no whole frame: named by what it begins with, and never guessed."""

from __future__ import annotations

import pytest
from click.testing import CliRunner

from smart_meter_reader.cli.decode.auto import auto
from smart_meter_reader.console import EXIT_DATA

# The begin of SML (Apollon77/smartmeter-obis, MIT).
SML = "1b1b1b1b01010101760b4553594203b8e4a7d6e262006200726301017601"


@pytest.mark.parametrize("capture", [SML, "00ff" + SML])
def test_the_begin_of_a_telegram_is_told_as_that(capture: str) -> None:
    result = CliRunner().invoke(auto, [capture])
    assert "taken for SML" in result.stderr
    assert "its end is missing" in result.stdout
    assert result.exit_code == EXIT_DATA

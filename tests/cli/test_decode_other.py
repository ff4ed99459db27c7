"""`decode auto` names protocols that are not read, rather than guessing."""

from __future__ import annotations

import pytest
from click.testing import CliRunner

from smart_meter_reader.cli.decode.auto import auto
from smart_meter_reader.console import EXIT_DATA

# A Sharky 775 by M-Bus at its optical head (rscada/libmbus#145; its number replaced), and the begin of SML
# (Apollon77/smartmeter-obis, MIT).
SHARKY = (
    "68686868083d720000004124232f04c20000000c06435000008c1006000000008c2013538117000c13540665010c2b670000000b"
    "3b1306000a5a14020a5e13020a6201000a277526046d341074224c06000000004c1300000000cc100600000000cc201300000000"
    "426c5f254016"
)
SML = "1b1b1b1b01010101760b4553594203b8e4a7d6e262006200726301017601"


@pytest.mark.parametrize(("capture", "name"), [(SHARKY, "M-Bus"), (SML, "SML"), ("00ff" + SML, "SML")])
def test_what_is_not_read_is_named(capture: str, name: str) -> None:
    result = CliRunner().invoke(auto, [capture])
    assert name in result.stderr
    assert "does not read" in result.stderr
    assert result.exit_code == EXIT_DATA

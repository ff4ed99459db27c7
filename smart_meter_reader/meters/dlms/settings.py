"""Settings of the client `dlms`, and what they mean for the line, the keys and the scale of numbers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from decimal import Decimal
from typing import Any, Literal

from smart_meter_reader.codecs.ciphering.keys import Policy
from smart_meter_reader.codecs.dlms.cipher import DlmsOpener
from smart_meter_reader.codecs.dlms.scales import OwnSteps
from smart_meter_reader.meters.dlms.lines import LINES, MBUS_LINE
from smart_meter_reader.meters.ports import port_setting
from smart_meter_reader.meters.push.settings import (
    EncryptedPushSettings,
    authentication_setting,
    dtr_setting,
    interval_setting,
    key_setting,
    rts_setting,
    timeout_setting,
    transformer_setting,
)
from smart_meter_reader.settings.schema import Secret, setting
from smart_meter_reader.transport import LineSettings

# EG.D's meters send once a minute: a person who waits for one telegram hears such a meter.
PATIENCE_FOR_ONE = 75.0
_STEP_HELP = "what one step of the meter's number is worth, where the meter does not say it"
_STEP: dict[str, Any] = {"default": None, "minimum": Decimal("0.00001"), "maximum": Decimal(100_000)}


@dataclass(frozen=True, slots=True, kw_only=True)
class DlmsSettings(EncryptedPushSettings):
    """Settings of the client `dlms`: electricity meters that push DLMS, plain or encrypted."""

    port: str = port_setting()
    interval: timedelta = interval_setting(
        'the newest of each list; the line is always read; "0s" publishes every list'
    )
    key: Secret | None = key_setting("encryption key (GUEK, EK, GPK60)")
    authentication_key: Secret | None = key_setting(
        "authentication key (GAK, AK, GPK61)", more="; not all meters need one"
    )
    authentication: Policy = authentication_setting("it decrypts to one whole list")
    baud: int | Literal["auto"] = setting(
        "speed of the line; auto tries 2400 8E1, 2400 8N1, 9600 8N1 and 115200 8N1",
        default="auto",
        minimum=300,
        maximum=921_600,
    )
    format: Literal["8N1", "8E1"] | None = setting(
        "bits of the line, with a fixed baud; by default 8E1 at 2400 and 8N1 above", default=None
    )
    energy_step: Decimal | None = setting(f"Wh, such as 10: {_STEP_HELP}", **_STEP)
    power_step: Decimal | None = setting(f"W: {_STEP_HELP}", **_STEP)
    voltage_step: Decimal | None = setting(f"V, such as 0.1: {_STEP_HELP}", **_STEP)
    current_step: Decimal | None = setting(f"A, such as 0.01: {_STEP_HELP}", **_STEP)
    transformer_ratio: Decimal = transformer_setting()
    timeout: timedelta | None = timeout_setting("three minutes", most=timedelta(hours=2))
    rts: bool | None = rts_setting("some converters")
    dtr: bool | None = dtr_setting()

    def __post_init__(self) -> None:
        self.check_keys_and_line()

    @property
    def lines(self) -> Sequence[LineSettings]:
        """The lines to try, the likelier one first."""
        if self.baud != "auto":
            form = self.format or ("8E1" if self.baud <= MBUS_LINE.baud else "8N1")
            return [self.line_of(self.baud, form)]
        return [replace(line, rts=self.rts, dtr=self.dtr) for line in LINES]

    @property
    def longest_reading(self) -> timedelta:
        return self.timeout if self.timeout is not None else timedelta(seconds=PATIENCE_FOR_ONE)

    @property
    def own_steps(self) -> OwnSteps:
        """What goes before the table of models."""
        return OwnSteps(self.energy_step, self.power_step, self.voltage_step, self.current_step)

    def opener(self) -> DlmsOpener | None:
        """What opens encrypted telegrams; None without a key."""
        return self.opener_of(DlmsOpener)

"""Settings of the client `dlms`, and what they mean for the line, the keys and the scale of numbers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from decimal import Decimal
from typing import Any, Literal

from smart_meter_reader.codecs.ciphering.keys import Policy, parse_key
from smart_meter_reader.codecs.dlms.cipher import DlmsOpener
from smart_meter_reader.codecs.dlms.scales import OwnSteps
from smart_meter_reader.meters.base import ClientSettings
from smart_meter_reader.meters.dlms.lines import LINES, MBUS_LINE
from smart_meter_reader.settings.schema import Secret, setting
from smart_meter_reader.transport import PORT_HELP, PORT_PATTERN, LineSettings, port_meant

_KEY_HELP = "32 hexadecimal digits in quotes; belongs into .secrets.toml"
_STEP_HELP = "what one step of the meter's number is worth, where the meter does not say it"
_STEP: dict[str, Any] = {"default": None, "minimum": Decimal("0.00001"), "maximum": Decimal(100_000)}


@dataclass(frozen=True, slots=True, kw_only=True)
class DlmsSettings(ClientSettings):
    """Settings of the client `dlms`: electricity meters that push DLMS, plain or encrypted."""

    port: str = setting(
        PORT_HELP, pattern=PORT_PATTERN, pattern_help=PORT_HELP, meant=port_meant, identifies=False
    )
    interval: timedelta = setting(
        'how often a reading is published, the newest of each list; the line is always read; "0s" publishes '
        "every list",
        default=timedelta(0),
        minimum=timedelta(0),
    )
    key: Secret | None = setting(f"encryption key (GUEK, EK, GPK60): {_KEY_HELP}", default=None)
    authentication_key: Secret | None = setting(
        f"authentication key (GAK, AK, GPK61): {_KEY_HELP}; not all meters need one", default=None
    )
    authentication: Policy = setting(
        "what a telegram with a wrong authentication tag is: refused, published as failed if it decrypts to "
        "one whole list, or not looked at",
        default="require",
    )
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
    transformer_ratio: Decimal = setting(
        "what the meter's energies, powers and currents are multiplied by, where it is behind current "
        "transformers and does not count with them: 40 for 200/5 A",
        default=Decimal(1),
        minimum=Decimal(1),
        maximum=Decimal(10_000),
    )
    timeout: timedelta | None = setting(
        "without a good telegram for so long, the port is opened again; by default six times the meter's "
        "own interval, and three minutes as long as that is not known",
        default=None,
        minimum=timedelta(seconds=1),
        maximum=timedelta(hours=2),
    )
    rts: bool | None = setting(
        "level of RTS; some converters live on it; left alone by default", default=None
    )
    dtr: bool | None = setting("level of DTR; left alone by default", default=None)

    def __post_init__(self) -> None:
        for name, secret in (("key", self.key), ("authentication_key", self.authentication_key)):
            if secret is not None:
                _parse(name, secret)
        if self.authentication_key is not None and self.key is None:
            raise ValueError("authentication_key is of no use without key: set both")
        if self.format is not None and self.baud == "auto":
            raise ValueError("format needs a baud: set both, or none to find them out")

    @property
    def decryption_keys(self) -> tuple[Secret | None, Secret | None]:
        return self.key, self.authentication_key

    @property
    def reads_from(self) -> str:
        return self.port

    @property
    def longest_reading(self) -> timedelta | None:
        return self.timeout

    @property
    def lines(self) -> Sequence[LineSettings]:
        """The lines to try, the likelier one first."""
        if self.baud != "auto":
            form = self.format or ("8E1" if self.baud <= MBUS_LINE.baud else "8N1")
            return [LineSettings(self.baud, 8, "N" if form == "8N1" else "E", 1, self.rts, self.dtr)]
        return [replace(line, rts=self.rts, dtr=self.dtr) for line in LINES]

    @property
    def own_steps(self) -> OwnSteps:
        """What goes before the table of models."""
        return OwnSteps(self.energy_step, self.power_step, self.voltage_step, self.current_step)

    def opener(self) -> DlmsOpener | None:
        """What opens encrypted telegrams; None without a key."""
        if self.key is None:
            return None
        own = self.authentication_key
        return DlmsOpener(
            _parse("key", self.key),
            None if own is None else _parse("authentication_key", own),
            self.authentication,
        )


def _parse(name: str, secret: Secret) -> bytes:
    try:
        return parse_key(secret.reveal())
    except ValueError as error:
        raise ValueError(f"{name}: {error}") from None

"""What settings of meters that send by themselves have in common: port, patience, form of the line, keys."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any, Literal, TypeAlias, TypeVar

from smart_meter_reader.codecs.ciphering.keys import Policy, parse_key
from smart_meter_reader.codecs.ciphering.opener import CipherOpener
from smart_meter_reader.meters.base import PortSettings
from smart_meter_reader.settings.schema import Secret, setting
from smart_meter_reader.transport import LineSettings

_Opener = TypeVar("_Opener", bound=CipherOpener)

LineForm: TypeAlias = Literal["8N1", "7E1", "8E1"]


def key_setting(what: str, *, more: str = "") -> Any:
    """A key; ``what`` are the names that it goes by, ``more`` is said behind what it is."""
    return setting(f"{what}: 32 hexadecimal digits in quotes; belongs into .secrets.toml{more}", default=None)


def authentication_setting(proof: str) -> Any:
    """What a wrong tag means; ``proof``: what else has to be right where that is let pass."""
    return setting(
        f"what a telegram with a wrong authentication tag is: refused, published as failed if {proof}, or "
        "not looked at",
        default="require",
    )


def interval_setting(how: str) -> Any:
    """How often a reading is published; ``how`` tells which one, and what "0s" does."""
    return setting(f"how often a reading is published, {how}", default=timedelta(0), minimum=timedelta(0))


def timeout_setting(unknown: str, *, most: timedelta = timedelta(hours=1)) -> Any:
    """How long a line may bring nothing good; ``unknown``: by default, before the interval is known."""
    return setting(
        "without a good telegram for so long, the port is opened again; by default six times the meter's "
        f"own interval, and {unknown} as long as that is not known",
        default=None,
        minimum=timedelta(seconds=1),
        maximum=most,
    )


def rts_setting(who: str) -> Any:
    """The level of RTS; ``who`` may live on it."""
    return setting(f"level of RTS; {who} live on it; left alone by default", default=None)


def dtr_setting() -> Any:
    """The level of DTR."""
    return setting("level of DTR; left alone by default", default=None)


def transformer_setting() -> Any:
    """The ratio of current transformers that the meter does not count with."""
    return setting(
        "what the meter's energies, powers and currents are multiplied by, where it is behind current "
        "transformers and does not count with them: 40 for 200/5 A",
        default=Decimal(1),
        minimum=Decimal(1),
        maximum=Decimal(10_000),
    )


class PushSettings(PortSettings):
    """What the settings of every meter that sends by itself say, under the same keys."""

    __slots__ = ()

    @property
    @abstractmethod
    def interval(self) -> timedelta:
        """How often a reading is published; 0: every telegram."""

    @property
    @abstractmethod
    def timeout(self) -> timedelta | None:
        """How long a line may bring nothing good; None: by the meter's own interval."""

    @property
    @abstractmethod
    def rts(self) -> bool | None:
        """The level of RTS; None: left alone."""

    @property
    @abstractmethod
    def dtr(self) -> bool | None:
        """The level of DTR; None: left alone."""

    @property
    def longest_reading(self) -> timedelta | None:
        return self.timeout

    @property
    def patience(self) -> float | None:
        """``timeout`` in seconds."""
        return None if self.timeout is None else self.timeout.total_seconds()

    def line_of(self, baud: int, form: LineForm) -> LineSettings:
        """A line of this speed and form, with the levels of the settings."""
        bits = 7 if form == "7E1" else 8
        return LineSettings(baud, bits, "N" if form == "8N1" else "E", 1, self.rts, self.dtr)


class EncryptedPushSettings(PushSettings):
    """The same of meters that may encrypt, and whose speed can be found out."""

    __slots__ = ()

    @property
    @abstractmethod
    def key(self) -> Secret | None:
        """The encryption key."""

    @property
    @abstractmethod
    def authentication_key(self) -> Secret | None:
        """The authentication key."""

    @property
    @abstractmethod
    def authentication(self) -> Policy:
        """What a telegram with a wrong tag is."""

    @property
    @abstractmethod
    def baud(self) -> int | Literal["auto"]:
        """The speed of the line."""

    @property
    @abstractmethod
    def format(self) -> LineForm | None:
        """The form of the line, with a fixed speed."""

    @property
    def decryption_keys(self) -> tuple[Secret | None, Secret | None]:
        return self.key, self.authentication_key

    def check_keys_and_line(self) -> None:
        """Raises ValueError, which says nothing of a key."""
        for name, secret in (("key", self.key), ("authentication_key", self.authentication_key)):
            if secret is not None:
                _parse(name, secret)
        if self.authentication_key is not None and self.key is None:
            raise ValueError("authentication_key is of no use without key: set both")
        if self.format is not None and self.baud == "auto":
            raise ValueError("format needs a baud: set both, or none to find them out")

    def opener_of(self, kind: Callable[[bytes, bytes | None, Policy], _Opener]) -> _Opener | None:
        """What opens encrypted telegrams, of this kind; None without a key."""
        if self.key is None:
            return None
        own = self.authentication_key
        return kind(
            _parse("key", self.key),
            None if own is None else _parse("authentication_key", own),
            self.authentication,
        )


def _parse(name: str, secret: Secret) -> bytes:
    try:
        return parse_key(secret.reveal())
    except ValueError as error:
        raise ValueError(f"{name}: {error}") from None

"""What an emulated meter reports of itself by its info code, and what its broken sensors answer meanwhile."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from smart_meter_reader.codecs.info_codes import BITS, DIGITS, InfoReport, family_of, reports, reports_of

_DISCONNECTED, _NOTHING = 185, 0
_TEMPERATURES: Final[Mapping[str, int]] = MappingProxyType({"t1": 86, "t2": 87, "t3": 88})
_FLOWS: Final[Mapping[str, int]] = MappingProxyType({"v1": 74, "v2": 75})
_DIFFERENCE, _POWER = 89, 80
_CODE, _EVENTS, _BITS = 99, 113, 369
_DAY: Final = 86_400.0
# What happened before the emulation began, by emulated seconds: air in the flow sensor, for an hour.
_EARLIER: Final = ((-20.5 * _DAY, 256), (-20.5 * _DAY + 3600, 0))


class EmulatedInfo:
    """What one meter reports and has reported, by emulated seconds after the start.

    A code is that of register 369, or the sum on older models.
    """

    def __init__(self, model: str) -> None:
        self._family = family_of(model)
        self._model = model
        self._changes = list(_EARLIER)

    def report(self, code: int, seconds: float) -> None:
        """Report this from then on, until the next change."""
        if code != self.code(seconds):
            self._changes.append((seconds, code))
            self._changes.sort()

    def events(self, seconds: float) -> int:
        """How many changes there were by then."""
        return sum(at <= seconds for at, _ in self._changes)

    def change(self, number: int) -> tuple[float, int]:
        """When change number 1, 2 and so on came, and the code from then on."""
        return self._changes[number - 1]

    def code(self, seconds: float) -> int:
        """The code at that time."""
        number = self.events(seconds)
        return self.change(number)[1] if number else 0

    def value(self, register: int, seconds: float) -> int | None:
        """What a register answers for the sake of the info code; None where that changes nothing."""
        if register == _EVENTS:
            return self.events(seconds)
        code, is_bits = self.code(seconds), self._family is BITS
        if register == _BITS or (register == _CODE and not is_bits):
            return code
        told = reports(self._model, None if is_bits else code, code if is_bits else None)
        if register == _CODE:
            return _digits(told)
        return _answered_by_broken_sensors(told).get(register)


def _digits(reported: tuple[InfoReport, ...]) -> int:
    """The eight digits of the display."""
    told = {report.key for report in reported}
    shown = "00000000"
    for digits, report in reports_of(DIGITS):
        if report.key in told:
            shown = "".join(
                max(before, new) if new.isdigit() else before
                for before, new in zip(shown, digits, strict=True)
            )
    return int(shown)


def _answered_by_broken_sensors(reported: tuple[InfoReport, ...]) -> dict[int, int]:
    """5512-1689, section 7.7.3."""
    answered: dict[int, int] = {}
    for report in reported:
        if report.sensor in _TEMPERATURES:
            shorted = report.key.endswith("_low")
            answered[_TEMPERATURES[report.sensor]] = _NOTHING if shorted else _DISCONNECTED
            if report.sensor != "t3":
                answered |= {_DIFFERENCE: _NOTHING, _POWER: _NOTHING}
        elif report.sensor in _FLOWS:
            answered[_FLOWS[report.sensor]] = _NOTHING
            if report.sensor == "v1":
                answered[_POWER] = _NOTHING
    return answered

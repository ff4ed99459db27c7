"""The meters heard at one port, told apart by server id, and what each of their telegrams is worth.

The first one has the name of the settings; another has a number behind it (METER-2), and keeps it over a
restart. Only one is read where the settings name a serial number. One that is heard where another is heard no
longer takes its place: the meter was replaced.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from smart_meter_reader.codecs.sml.measure import SmlSender, ToldValues, maker_of
from smart_meter_reader.codecs.sml.telegram import ValueList
from smart_meter_reader.guard.remembered import number_in
from smart_meter_reader.messages import METER_REPORTS, Health, Info, Message, Status
from smart_meter_reader.meters.base import tell_texts
from smart_meter_reader.meters.sml.settings import MOST_METERS
from smart_meter_reader.text import LONGEST_NAME, printable

PIN_SENTENCE: Final = "PIN missing: only kWh"
PIN_HOW_TO: Final = (
    "ask the grid operator for the meter's PIN, enter it with a torch or the button as its manual says, set "
    'InF to "on", and PIN to "off" where the meter offers that, or a power cut asks for it again'
)
_PIN_KEY: Final = "pin_missing"
_NOTHING_REPORTED: Final = "none"
_FIRMWARE: Final = ("1-0:0.2.0", "1-0:0.2.0*0")
# On so many telegrams in a row the PIN is missing, or is there: one alone may be of before and after.
_IN_A_ROW: Final = 2
_MOST_STRANGERS: Final = 16
# So many telegrams of a new meter, and none of an old one meanwhile: that one is gone.
_GONE_AFTER: Final = 10


@dataclass(slots=True)
class _Newcomer:
    """A meter that has no name yet; ``others``: the known ones that were heard since it came."""

    telegrams: int = 0
    others: set[str] = field(default_factory=set)


@dataclass(slots=True)
class _HeardMeter:
    """One meter. ``pin_missing`` as it was told last; None: nothing yet."""

    name: str
    sender: SmlSender
    info: Info | None = None
    pin_missing: bool | None = None
    differs: int = 0  # telegrams in a row that say otherwise of the PIN
    logged_pin_missing: bool = False


class HeardMeters:
    """What is known of the meters at one port, longer than one connection."""

    def __init__(self, meter: str, wanted: str = "", direction_bit: int | None = None) -> None:
        self.meter = meter
        self._wanted = wanted
        self._direction_bit = direction_bit
        self._numbers: dict[str, int] = {}  # server id in hexadecimal -> 1 for the first meter
        self._meters: dict[bytes, _HeardMeter] = {}
        self._newcomers: dict[bytes, _Newcomer] = {}
        self._strangers: set[bytes] = set()
        self._news: list[str] = []
        # Whose telegram was read last, where it is not the one that the settings name; else "".
        self.stranger = ""

    @property
    def memory(self) -> Mapping[str, Any]:
        """The server ids by the numbers of the meters; nothing where there is but one."""
        return {"meters": dict(self._numbers)} if len(self._numbers) > 1 else {}

    def recall(self, memory: Mapping[str, Any]) -> None:
        """Take what ``memory`` gave. Raises ValueError for anything else."""
        if not memory:
            return
        numbers = memory.get("meters")
        if memory.keys() != {"meters"} or not isinstance(numbers, dict) or len(numbers) > MOST_METERS:
            raise ValueError("the meters of the line are missing")
        for server_id, number in numbers.items():
            number_in(number, "a meter's number", 1, MOST_METERS)
            bytes.fromhex(server_id)
        if len(set(numbers.values())) != len(numbers):
            raise ValueError("two meters of one number")
        self._numbers.update(numbers)

    def begin(self) -> None:
        """A new connection: who each meter is, is told again."""
        for heard in self._meters.values():
            heard.info, heard.pin_missing, heard.differs = None, None, 0

    def take_news(self) -> list[str]:
        """Sentences for the log since they were taken last."""
        news, self._news = self._news, []
        return news

    def read(self, values: ValueList) -> tuple[str, ToldValues] | None:
        """Whose telegram it is, and what it says; None for a meter that is not read.

        To be called for each, published or not: what a model does is told by what came before.
        """
        self.stranger = ""
        server_id = values.server_id
        heard = self._meters.get(server_id)
        if heard is None:
            heard = self._new(values)
            if heard is None:
                return None
            self._meters[server_id] = heard
        for newcomer in self._newcomers.values():
            newcomer.others.add(server_id.hex())
        return heard.name, heard.sender.read(values)

    def messages(
        self, values: ValueList, told: ToldValues, time: datetime, interval: float, health: Health
    ) -> Iterator[Message]:
        """What a telegram of a meter that is read is worth; ``interval``: seconds between readings."""
        heard = self._meters[values.server_id]
        info = self._info(heard, told, time, interval)
        if heard.info is None or {**heard.info, "time": time} != info:
            heard.info = info
            yield info
        if (status := self._status(heard, told, time, health)) is not None:
            yield status
        measurements = dict(told.measurements)
        if heard.pin_missing is not None:
            missing = heard.pin_missing
            sentence, key = (PIN_SENTENCE, _PIN_KEY) if missing else (_NOTHING_REPORTED, _NOTHING_REPORTED)
            measurements["info_code_text"] = {"value": sentence, "unit": ""}
            measurements["reported_problems"] = {"value": key, "unit": ""}
        yield {
            "type": "reading",
            "meter": heard.name,
            "time": time,
            "measurements": measurements,
            "objects": {**told.objects},
        }

    def _new(self, values: ValueList) -> _HeardMeter | None:
        server_id = values.server_id
        sender = SmlSender(server_id, self._direction_bit, maker_of(values))
        serial = sender.identity.serial_number or "without a number"
        if self._wanted and serial != self._wanted:
            self.stranger = serial
            self._tell_stranger(server_id, f"the meter {serial} is heard too, and left alone")
            return None
        number = self._number_of(server_id, serial)
        if not number:
            return None
        if number > 1:
            self._news.append(
                f"another meter, {serial}, is heard at the same port and named {self.meter}-{number}; "
                "serial_number in the settings names the only one that is read"
            )
        if sender.direction_bit is not None:
            self._news.append(
                f"where the meter {serial} tells its power without a sign, bit {sender.direction_bit} of its "
                "status word says whether that is export"
            )
        return _HeardMeter(self.meter if number == 1 else f"{self.meter}-{number}", sender)

    def _number_of(self, server_id: bytes, serial: str) -> int:
        """The number of a meter, a new one where it has none; 0 as long as it gets none."""
        if self._wanted:
            return 1
        known = server_id.hex()
        if known in self._numbers:
            return self._numbers[known]
        if not self._numbers:
            self._numbers[known] = 1
            return 1
        if server_id not in self._newcomers and len(self._newcomers) >= MOST_METERS:
            self._newcomers.clear()
        newcomer = self._newcomers.setdefault(server_id, _Newcomer())
        newcomer.telegrams += 1
        missed = self._numbers.keys() - newcomer.others
        taken = set(self._numbers.values())
        number = next((each for each in range(1, MOST_METERS + 1) if each not in taken), 0)
        if missed and newcomer.telegrams < _GONE_AFTER:
            return 0
        if missed:
            gone = min(missed, key=self._numbers.__getitem__)
            number = self._numbers.pop(gone)
            self._meters.pop(bytes.fromhex(gone), None)
            self._news.append(f"another meter, {serial}, is heard in the place of the one before")
        elif not number:
            self._tell_stranger(
                server_id,
                f"the meter {serial} is heard too: more than {MOST_METERS} at one port are not read; "
                "serial_number in the settings names the one that is",
            )
            return 0
        del self._newcomers[server_id]
        self._numbers[known] = number
        return number

    def _tell_stranger(self, server_id: bytes, sentence: str) -> None:
        if server_id not in self._strangers and len(self._strangers) < _MOST_STRANGERS:
            self._strangers.add(server_id)
            self._news.append(sentence)

    def _info(self, heard: _HeardMeter, told: ToldValues, time: datetime, interval: float) -> Info:
        identity = heard.sender.identity
        info: Info = {"type": "info", "meter": heard.name, "time": time}
        tell_texts(info, {"manufacturer": identity.manufacturer, "serial_number": identity.serial_number})
        for code in _FIRMWARE:
            if code in told.objects:
                info["firmware"] = printable(str(told.objects[code]["value"]), LONGEST_NAME)
        info["interval"] = round(interval)
        if heard.name != self.meter:
            info["via"] = self.meter
        return info

    def _status(self, heard: _HeardMeter, told: ToldValues, time: datetime, health: Health) -> Status | None:
        """Whether the PIN is missing, when that has changed."""
        if told.pin_missing is None or told.pin_missing == heard.pin_missing:
            heard.differs = 0
            return None
        heard.differs += 1
        if heard.pin_missing is not None and heard.differs < _IN_A_ROW:
            return None
        before, heard.pin_missing, heard.differs = heard.pin_missing, told.pin_missing, 0
        if before is None and not told.pin_missing:
            return None
        missing = told.pin_missing
        detail = f"the meter reports: {PIN_SENTENCE} ({PIN_HOW_TO})" if missing else "readings arrive"
        if heard.logged_pin_missing != missing:
            heard.logged_pin_missing = missing
            self._news.append(detail if missing else "the meter's PIN is entered: full resolution")
        return {
            "type": "status",
            "meter": heard.name,
            "time": time,
            "state": "online",
            "reason": METER_REPORTS if missing else "",
            "detail": detail,
            "health": {**health},
        }

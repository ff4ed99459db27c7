"""Three years of an emulated home into a history: codecs, the clients' decoding, guard, intake and store.

The clock is simulated, since no line can be run twenty thousand times as fast. All else is what the service
does: it is stopped in order, loses its power, and finds meters replaced.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from random import Random

from smart_meter_reader.codecs.kmp import FrameReader, decode_response
from smart_meter_reader.codecs.kmp.frame import Frame
from smart_meter_reader.codecs.kmp.identity import GetSerialNoResponse
from smart_meter_reader.codecs.kmp.message import GetRegisterResponse
from smart_meter_reader.codecs.p1.reader import P1Reader
from smart_meter_reader.drivers import MeterDriver
from smart_meter_reader.guard.guard import Guard
from smart_meter_reader.guard.memory import decode, encode
from smart_meter_reader.guard.rules import MeterPolicy
from smart_meter_reader.history.intake.intake import Intake
from smart_meter_reader.history.rows import STARTED, STOPPED, EventRow, Row
from smart_meter_reader.history.storage.schema import YEAR_BEGINS, ZONE
from smart_meter_reader.history.storage.store import Store
from smart_meter_reader.messages import STARTING, Message, State
from smart_meter_reader.meters.kmp import DRIVER as KMP
from smart_meter_reader.meters.kmp.reading import read_measurements
from smart_meter_reader.meters.p1 import DRIVER as P1
from smart_meter_reader.meters.p1.messages import Messages
from tests.history.emulated_home import (
    DAY,
    END,
    HOUR,
    QUARTER,
    READ,
    REGISTER_IDS,
    START,
    WHO,
    HeatMeter,
    PowerMeter,
    changes_of_summer_time,
    utc,
)

CABLE_PULLED = utc(2023, 8, 10, 6, 7), utc(2023, 8, 13, 5, 0)
POWER_CUT = utc(2024, 1, 20, 3, 20), utc(2024, 1, 25, 8, 45)
HEAT_REPLACED = utc(2024, 3, 12, 9, 50), utc(2024, 3, 12, 11, 30)
STOPPED_FOR = utc(2025, 3, 28, 17, 10), utc(2025, 4, 1, 16, 25)  # over a change of summer time
GAS_REPLACED = utc(2025, 9, 16, 9, 0)
ENERGY_TURNS = utc(2023, 11, 20, 12, 30)
VOLUME_TURNS = utc(2024, 1, 22, 17, 30)  # in the power cut
# Up to here telegrams come at the quarter itself, so that nothing is between two readings.
EXACT_UNTIL = utc(2024, 1, 1)
# How often a meter is usually read is judged by four weeks: it changes where these begin.
QUARTERLY_UNTIL = utc(2024, 3, 14)
assert QUARTERLY_UNTIL % (28 * DAY) == 0
MINUTELY = [change for change in changes_of_summer_time() if change < utc(2025, 3, 1)]


def _policy(driver: MeterDriver) -> MeterPolicy:
    return MeterPolicy(checksummed=driver.checksummed, counter_digits=driver.counter_digits)


class Years:
    """The home and the service that reads it. ``run`` fills the file at ``path``."""

    def __init__(self, path: Path) -> None:
        plain = HeatMeter(3)
        self.heat = [
            HeatMeter(
                3,
                10**7 - plain.house.courses["heat_energy"].at(ENERGY_TURNS),
                10**7 - plain.house.courses["volume"].at(VOLUME_TURNS),
            )
        ]
        self.power = PowerMeter()
        self.doubted: list[Message] = []
        self._path = path
        self._chance = Random(11)
        self._written = START
        self._rows: list[Row] = []
        self._states: dict[str, str] = {}
        self._remembered = b""
        self._begin(START)

    def run(self) -> None:
        """Live through the years; ends with the service stopped in order."""
        for time in self._moments():
            self._live(time)
        self._stop(END)

    def _moments(self) -> Iterator[int]:
        """Quarters of an hour, later half hours, and minutes around changes of the clocks."""
        for quarter in range(START, END, QUARTER):
            minutely = any(abs(quarter - change) < DAY // 2 for change in MINUTELY)
            if quarter >= QUARTERLY_UNTIL and not minutely and quarter % (2 * QUARTER):
                continue
            jitter = 0 if quarter < EXACT_UNTIL else self._chance.randrange(12)
            for at in range(quarter, quarter + QUARTER, 60 if minutely else QUARTER):
                yield at + jitter

    def _live(self, time: int) -> None:
        """What happens at a moment."""
        for begin, end in (POWER_CUT, STOPPED_FOR):
            if begin <= time < end:
                if self._up:
                    (self._lose_power if begin == POWER_CUT[0] else self._stop)(time)
                return
        if not self._up:
            self._begin(time)
        if time // DAY > self._written // DAY or (
            time // QUARTER > self._written // QUARTER and self._busy(time)
        ):
            self._write(time)
        self._read_power(time)
        if time % HOUR < 60:
            self._read_heat(time)

    def _busy(self, time: int) -> bool:
        """Whether it is written each quarter, as the service does; on other days once a day."""
        return any(abs(time - each) < DAY for each in (*MINUTELY, POWER_CUT[0], HEAT_REPLACED[0]))

    # --- the meters' clients ---

    def _read_power(self, time: int) -> None:
        if CABLE_PULLED[0] <= time < CABLE_PULLED[1]:
            if self._state("power", time, "offline", "port_lost"):
                self._state("power-gas", time, "offline", "port_lost")
                self._listen()  # the connection that comes after it
            return
        if time // HOUR == GAS_REPLACED // HOUR and len(self.power.gas_shown) == 1:
            self.power.replace_gas_meter()
        now = datetime.fromtimestamp(time, UTC)
        self._reader.receive_data(self.power.telegram(time), now)
        telegram = self._reader.next_telegram()
        assert telegram is not None
        for message in self._messages.of(telegram, now, time, 60.0):
            if message["type"] == "reading":
                self._state(message["meter"], time, "online", "")
            self._take(message)

    def _listen(self) -> None:
        self._reader, self._messages = P1Reader(), Messages("power")

    def _read_heat(self, time: int) -> None:
        if HEAT_REPLACED[0] <= time < HEAT_REPLACED[1]:
            self._state("heat", time, "offline", "meter_silent")
            self._heat_known = False
            return
        if time >= HEAT_REPLACED[1] and len(self.heat) == 1:
            self.heat.append(HeatMeter(4))
        if not self._heat_known:
            self._heat_known = True
            who = _decoded(self.heat[-1].answer(WHO, time))
            assert isinstance(who, GetSerialNoResponse)
            now = datetime.fromtimestamp(time, UTC)
            self._take(
                {"type": "info", "meter": "heat", "time": now, "serial_number": str(who.serial_number)}
            )
        answer = _decoded(self.heat[-1].answer(READ, time))
        assert isinstance(answer, GetRegisterResponse)
        measurements, left_out = read_measurements(REGISTER_IDS, answer.by_id())
        assert not left_out
        self._state("heat", time, "online", "")
        now = datetime.fromtimestamp(time, UTC)
        self._take({"type": "reading", "meter": "heat", "time": now, "measurements": measurements})

    def _state(self, meter: str, time: int, state: State, reason: str) -> bool:
        """Tell a state that is new, as the supervisor does; whether it is."""
        if self._states.get(meter) == state:
            return False
        self._states[meter] = state
        now = datetime.fromtimestamp(time, UTC)
        self._take(
            {
                "type": "status",
                "meter": meter,
                "time": now,
                "state": state,
                "reason": reason,
                "detail": f"because of {reason}" if reason else "readings arrive",
            }
        )
        return True

    # --- the service ---

    def _take(self, message: Message) -> None:
        """From the queue through the guard to the intake."""
        for checked in self._guard.check(message):
            if checked["type"] == "status" and checked["reason"] in ("implausible_value", "new_baseline"):
                self.doubted.append(checked)
            self._rows.extend(self._intake.take(checked))

    def _write(self, time: int) -> None:
        self._written = time
        self._store.write([*self._rows, *self._intake.flush()])
        self._rows = []
        self._remembered = encode(self._guard.memory()).encode()

    def _begin(self, time: int) -> None:
        """A service begins, with what the files have kept."""
        self._up = True
        self._store = Store(self._path)
        self._intake = Intake(self._store.open())
        self._store.keep_setting(ZONE, "Europe/Amsterdam")
        self._store.keep_setting(YEAR_BEGINS, "01-01")
        memory = decode(self._remembered) if self._remembered else {}
        self._guard = Guard({"power": _policy(P1), "heat": _policy(KMP)}, memory)
        self._rows = [EventRow("", time, STARTED, "the service began")]
        self._states = {}
        self._heat_known = False
        self._listen()
        for meter in ("power", "heat"):
            self._state(meter, time, "offline", STARTING)

    def _stop(self, time: int) -> None:
        """In order."""
        self._rows.extend(self._intake.close())
        self._rows.append(EventRow("", time, STOPPED, "the service was stopped"))
        self._write(time)
        self._end()

    def _lose_power(self, time: int) -> None:
        """What has come since the last time that it was written is lost."""
        for shown in (*self.heat[-1].shown.values(), *self.power.shown.values()):
            shown.forget(self._written)
        self.power.gas_shown[-1].forget(self._written - self._written % HOUR)
        self._end()

    def _end(self) -> None:
        self._store.close()
        self._up = False


def _decoded(answer: bytes) -> object:
    reader = FrameReader()
    reader.receive_data(answer)
    frame = reader.next_frame()
    assert isinstance(frame, Frame)
    return decode_response(frame)

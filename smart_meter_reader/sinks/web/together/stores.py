"""Where the stores of environments are, and what each tells of its meters now. Blocking."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

from smart_meter_reader.guard.state import SERVICE_STATE, state_path
from smart_meter_reader.history.errors import HistoryError
from smart_meter_reader.history.places import HistoryPlace, history_file, recent_file
from smart_meter_reader.history.questions.parts import turned
from smart_meter_reader.history.questions.record import Event, History
from smart_meter_reader.history.rows import STARTED, STOPPED
from smart_meter_reader.history.zone import system_zone
from smart_meter_reader.messages import METER_REPORTS, Info, Message, Reading, Status
from smart_meter_reader.quantities.measurement import Measurement
from smart_meter_reader.sinks.web.questions.recent import newest_reading

_DAY = 86400
# What was told before that is no news of today.
_TOLD_DAYS = 31
# What is told of a meter that goes on giving readings; see ``Status``.
_WHILE_ONLINE = frozenset(
    {"implausible_value", "new_baseline", "meter_replaced", "read_too_soon", METER_REPORTS}
)
# The store is written every quarter of an hour.
_QUARTER = 900


@dataclass(frozen=True, slots=True)
class EnvironmentStore:
    """The history of one environment."""

    environment: str
    place: HistoryPlace

    def named(self, meter: str) -> str:
        """What a meter of the environment is called among those of others."""
        return f"{self.environment}/{meter}"

    def own(self, meter: str) -> str | None:
        """What the environment calls a meter; None for one of another."""
        environment, _, name = meter.partition("/")
        return name if environment == self.environment and name else None

    @property
    def state(self) -> tuple[tuple[int, int] | None, ...]:
        """Changes whenever something is written."""
        files = [self.place.file, self.place.recent] if self.place.recent else [self.place.file]
        return tuple(_seen(file.with_name(file.name + end)) for file in files for end in ("", "-wal"))


def store_of(
    environment: str, directories: Mapping[str, str], variables: Mapping[str, str]
) -> EnvironmentStore:
    """The store of an environment: where the settings say, else that of its service, else this user's."""
    own = state_path(environment, {**variables, "STATE_DIRECTORY": ""})
    of_service = SERVICE_STATE / environment
    if environment in directories:
        directory = Path(directories[environment]).expanduser()
    elif own is not None and history_file(own.parent, environment).exists():
        directory = own.parent
    else:
        directory = of_service
    file = history_file(directory, environment)
    store = EnvironmentStore(
        environment, HistoryPlace(file, recent_file(directory, environment), system_zone(variables))
    )
    try:
        with closing(History(file)) as history:
            return replace(store, place=replace(store.place, zone=history.house.zone.key))
    except (HistoryError, OSError):
        return store  # what is wrong with it is told with its meters


def told(store: EnvironmentStore, now: int) -> list[Message]:
    """What each meter would tell: who it is, its newest reading, its state. Raises HistoryError."""
    with closing(History(store.place.file)) as history, history.snapshot():
        events = history.events(now - _TOLD_DAYS * _DAY, now)
        messages = [
            message for meter in history.meters() for message in _of_meter(store, history, meter, events, now)
        ]
    history.require_same()
    return messages


def offline_status(store: EnvironmentStore, error: HistoryError, now: int) -> Status:
    """That there is nothing to show of an environment, and why."""
    return {
        "type": "status",
        "meter": store.environment,
        "time": datetime.fromtimestamp(now, UTC),
        "state": "offline",
        "reason": error.reason,
        "detail": error.detail,
    }


def _of_meter(
    store: EnvironmentStore, history: History, meter: str, events: list[Event], now: int
) -> list[Message]:
    name = store.named(meter)
    serial = next((each.serial_number for each in history.segments(meter) if each.until is None), "")
    info: Info = {"type": "info", "meter": name, "time": datetime.fromtimestamp(now, UTC)}
    info["interval"] = _QUARTER
    if serial:
        info["serial_number"] = serial
    found = _newest(history, store.place.recent, meter, now)
    if found is None:
        return [info]
    time, measurements = found
    reading: Reading = {"type": "reading", "meter": name, "time": time, "measurements": measurements}
    return [info, reading, _state(name, meter, events, time)]


def _state(name: str, meter: str, events: list[Event], read: datetime) -> Status:
    """Online, unless something that ended the readings was told after the newest of them."""
    status: Status = {
        "type": "status",
        "meter": name,
        "time": read,
        "state": "online",
        "reason": "",
        "detail": "",
    }
    of_it = [each for each in events if each.meter == meter or each.kind in (STARTED, STOPPED)]
    last = of_it[-1] if of_it and of_it[-1].time >= int(read.timestamp()) else None
    if last is None or last.kind in ("online", STARTED):
        return status
    return {
        **status,
        "time": datetime.fromtimestamp(last.time, UTC),
        "state": "online" if last.kind in _WHILE_ONLINE else "offline",
        "reason": last.kind,
        "detail": "the service was stopped" if last.kind == STOPPED else last.text,
    }


def _newest(
    history: History, recent: Path | None, meter: str, now: int
) -> tuple[datetime, dict[str, Measurement]] | None:
    """The newest single reading, and of counters that are newer in the history those."""
    single = newest_reading(recent, meter, now - _DAY)
    time: datetime | None = None
    measurements: dict[str, Measurement] = {}
    if single:
        time, measurements = single
    for kept in history.kept(meter):
        if kept.kind != "counter":
            continue
        parts = history.counter(meter, kept.quantity).parts
        if not parts:
            continue
        last, turns = parts[-1].last, parts[-1].turns
        when = datetime.fromtimestamp(last.time, UTC)
        if kept.quantity in measurements and time is not None and when <= time:
            continue
        value = Decimal(last.value - turned(turns, last.time)).scaleb(-parts[-1].decimals)
        measurements[kept.quantity] = {"value": value, "unit": parts[-1].unit, "measured_at": when}
        if not single:
            time = when if time is None else max(time, when)
    return None if time is None else (time, measurements)


def _seen(path: Path) -> tuple[int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size

"""The guard of one meter: what it showed last, what is doubted, what was said about it."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal

from smart_meter_reader.guard.memory import Candidate, MeterMemory, put_back
from smart_meter_reader.guard.rules import (
    DOUBTS,
    Ceiling,
    MeterPolicy,
    Range,
    Rule,
    Total,
    Verdict,
    is_possible,
    judge,
    never_counts,
    sentence,
)
from smart_meter_reader.guard.serials import Serials
from smart_meter_reader.log import Seldom
from smart_meter_reader.messages import Info, Message, Reading, Status
from smart_meter_reader.quantities.measurement import Measurement, Value
from smart_meter_reader.text import printable

# One name for all that the guard says, whichever of its modules says it.
_log = logging.getLogger("smart_meter_reader.guard")

# A doubted quantity that the meter has not sent again for so long no longer counts against the meter.
FORGET_DOUBT = timedelta(days=1)
# What makes a total begin anew is not told more often than this in an hour; nothing should do so twice.
MOST_BASELINES = 5


class MeterGuard:
    """Judges the messages of one meter; each check gives what is to be published instead, in order."""

    def __init__(
        self, name: str, policy: MeterPolicy, rules: Mapping[str, Rule], memory: MeterMemory | None
    ) -> None:
        self.name = name
        self.rejected = 0
        self.wants_reread = False  # after a check: whether another reading would help
        self.revision = 0  # rises with every change of ``memory``
        self._policy = policy
        self._settings = policy.settings
        self._rules = rules
        self._serials = Serials()
        self._totals: dict[str, Total] = {}
        self._candidates: dict[str, Candidate] = {}
        if memory is not None and rules and memory.origin == policy.origin:
            self._serials.remember(memory.serials)
            self._totals.update(memory.totals)
            self._candidates.update(memory.candidates)
        self._last_reading: datetime | None = None
        self._rhythm = timedelta(0)  # the time from one reading to the next, as the meter's info says it
        self._out_of_range: dict[str, int] = {}  # so many readings in a row
        self._doubts: dict[str, tuple[datetime, str]] = {}  # what is held back, since when and why
        self._told: frozenset[str] = frozenset()  # the doubts of the last status
        self._upstream: Status | None = None  # what the supervisor or client said last
        self._rereads = 0
        self._logged_doubts = Seldom()
        self._logged_baselines = Seldom(MOST_BASELINES)
        self._said_trouble = False  # since it was last logged that all is well

    @property
    def knows_totals(self) -> bool:
        """Whether there is anything to remember."""
        return bool(self._totals)

    @property
    def memory(self) -> MeterMemory:
        """A copy of what to remember of this meter."""
        return MeterMemory(
            self._policy.origin, dict(self._serials.known), dict(self._totals), dict(self._candidates)
        )

    def judge_line(self, *, checksummed: bool) -> None:
        """Judge from now on as it is due to a line with or without checksums."""
        if checksummed != self._policy.checksummed:
            self._policy = replace(self._policy, checksummed=checksummed)
            self._rules = self._policy.rules()
            self._doubts = {key: doubt for key, doubt in self._doubts.items() if key in self._rules}

    def check_info(self, info: Info) -> list[Message]:
        """An info passes; another serial number than the last time makes the totals begin anew."""
        self._rhythm = timedelta(seconds=info.get("interval", 0))
        return [info, *self._check_serial("info", info.get("serial_number", ""), info["time"])]

    def check_status(self, status: Status) -> list[Message]:
        """A status passes with the guard's counter, and with its reason while values are held back."""
        self._upstream = status
        return [self._amended(status, [])]

    def check_reading(self, reading: Reading) -> list[Message]:
        """The reading without the values that cannot be; not at all when nothing is left of it."""
        self.wants_reread = False
        if not self._rules:
            return [reading]
        self._note_time(reading["time"])
        measurements = reading["measurements"]
        said = self._check_serial("info", self._serials.told_by_info, reading["time"])
        if "serial_number" in measurements:
            serial = str(measurements["serial_number"]["value"])
            said += self._check_serial("measurement", serial, reading["time"])
        rebased: dict[str, str] = {}
        held_back = {
            key
            for key, measurement in measurements.items()
            if key in self._rules and not self._believes(key, measurement, reading["time"], rebased)
        }
        if held_back or rebased or self._told:
            said += self._tell(reading["time"], held_back, rebased)
        if not held_back:
            return [*said, reading]
        left = {key: each for key, each in measurements.items() if key not in held_back}
        if left:
            said.append(_reading_with(reading, left))
        return said

    def _note_time(self, now: datetime) -> None:
        last, self._last_reading = self._last_reading, now
        if last is None or now <= last:
            self._totals, self._candidates = put_back(self._totals, self._candidates, now, self._rhythm)
            self._doubts = {key: (min(since, now), why) for key, (since, why) in self._doubts.items()}

    def _believes(self, key: str, measurement: Measurement, now: datetime, rebased: dict[str, str]) -> bool:
        value, unit, rule = _number(measurement["value"]), measurement["unit"], self._rules[key]
        if value is None:
            return True  # text is not the guard's to judge
        if isinstance(rule, Range):
            return self._in_range(key, rule, value, unit, now)
        new = Total(value, unit, measurement.get("measured_at", now))
        return self._believes_total(key, rule, new, now, rebased)

    def _believes_total(
        self, key: str, ceiling: Ceiling, new: Total, now: datetime, rebased: dict[str, str]
    ) -> bool:
        if not is_possible(new.value):
            self._doubts[key] = (now, f"{key} {new.value} {new.unit} held back: no meter counts so far")
            return False
        last = self._totals.get(key)
        if last is not None:
            verdict = judge(last, new, ceiling)
            if verdict in DOUBTS:
                candidate = _continued(self._candidates.get(key), new, ceiling, now)
                self._candidates[key] = candidate
                self.revision += 1
                if never_counts(verdict, new) or not self._confirmed(candidate, now):
                    self._doubts[key] = (now, sentence(key, verdict, last, new, self._settings))
                    return False
                rebased[key] = f"{key} went from {last} to {new}: {candidate.count} readings agree"
            elif verdict is not Verdict.BELIEVED and not ceiling.rolling:
                rebased[key] = f"{key} went from {last} to {new}: {verdict}"
        self._candidates.pop(key, None)
        self._doubts.pop(key, None)
        if last is None or (last.value, last.unit) != (new.value, new.unit):
            self.revision += 1
        self._totals[key] = new
        return True

    def _confirmed(self, candidate: Candidate, now: datetime) -> bool:
        if candidate.count < self._settings.confirmations:
            return False
        # A P1 meter shows zeros after a power failure, for an hour and more, until the gas meter answers.
        return bool(candidate.last.value) or now - candidate.since >= self._settings.zero_confirmation

    def _in_range(self, key: str, rule: Range, value: Decimal, unit: str, now: datetime) -> bool:
        if rule.contains(value, unit):
            self._out_of_range.pop(key, None)
            self._doubts.pop(key, None)
            return True
        count = self._out_of_range[key] = self._out_of_range.get(key, 0) + 1
        if count <= self._settings.confirmations:
            believable = f"{rule.lowest} to {rule.highest} {rule.unit}"
            self._doubts[key] = (now, f"{key} {value:f} {unit} held back: believable is {believable}")
            return False
        self._doubts.pop(key, None)
        if count == self._settings.confirmations + 1:
            self._log(
                self._logged_doubts,
                f"{key} left out",
                now,
                f"{key} stays at {value} {unit} and is left out from now on; an input without a sensor? "
                "The [guard] table of the settings has the believable ranges",
            )
        return False

    def _check_serial(self, source: str, serial: str, now: datetime) -> list[Message]:
        """Begin anew when the meter has another serial number than the last time."""
        times = 1 if self._policy.checksummed else self._settings.confirmations
        serial = serial.strip()
        if not self._rules or not self._serials.is_another(source, serial, times):
            return []
        last = self._serials.known.get(source, "")
        self._serials.known[source] = serial
        self.revision += 1
        if not last:
            return []
        for remembered in (self._totals, self._candidates, self._doubts):
            remembered.clear()
        self._told = frozenset()
        detail = f"the serial number was {last} and is {serial} now: the totals begin anew"
        self._log(self._logged_baselines, f"{source} serial number", now, detail)
        return [self._status(now, "meter_replaced", [detail])]

    def _tell(self, now: datetime, held_back: set[str], rebased: Mapping[str, str]) -> list[Message]:
        """Count, ask for another reading, and say what changed since the last status."""
        self.rejected += len(held_back)
        for key in [key for key, (since, _) in self._doubts.items() if now - since > FORGET_DOUBT]:
            del self._doubts[key]
        if held_back & self._doubts.keys():
            # More of the same would only empty the battery; the next regular reading goes on counting.
            self.wants_reread = self._rereads < self._settings.confirmations
            self._rereads += 1
        else:
            self._rereads = 0
        for key, change in rebased.items():
            self._log(self._logged_baselines, key, now, f"new baseline: {change}")
        doubts, told = frozenset(self._doubts), self._told
        self._told = doubts
        self._log_doubts(doubts - told, now)
        if told and not doubts and self._said_trouble:
            _log.info("meter %s: all values are believable again", self.name)
            self._said_trouble = False
        if doubts == told and not rebased:
            return []
        return [self._status(now, "new_baseline" if rebased else "", list(rebased.values()))]

    def _log_doubts(self, new: frozenset[str], now: datetime) -> None:
        """Log each new doubt; one that comes and goes, or came back and stays, once in an hour."""
        for key in sorted(self._doubts):
            self._said_trouble |= self._log(
                self._logged_doubts, key, now, self._doubts[key][1], times=key in new
            )

    def _log(self, seldom: Seldom, what: str, now: datetime, sentence: str, times: int = 1) -> bool:
        """Whether it was not too soon to say it again."""
        more = seldom.more(what, now.timestamp(), times)
        if more is not None:
            _log.warning("meter %s: %s%s", self.name, sentence, more)
        return more is not None

    def _status(self, now: datetime, reason: str, sentences: list[str]) -> Status:
        """The meter's state as others told it last, with what the guard has to say."""
        status: Status = {
            "type": "status",
            "meter": self.name,
            "time": now,
            "state": "online",
            "reason": "",
            "detail": "readings arrive",
        }
        if self._upstream is not None:
            status = {**self._upstream, "time": now}
        if status["state"] == "online":
            status["reason"] = reason
            if sentences:
                status["detail"] = ""
        return self._amended(status, sentences)

    def _amended(self, status: Status, sentences: list[str]) -> Status:
        amended: Status = {**status}
        if self.rejected:
            health = status.get("health", {})
            counted = health.get("rejected_values", 0) + self.rejected  # a client may reject values too
            amended["health"] = {**health, "rejected_values": counted}
        if self._doubts and status["state"] == "online":
            # Not an alert: the meter is read, and what is published of it is right.
            amended["reason"], amended["detail"] = "implausible_value", ""
            sentences = [*sentences, *(sentence for _, sentence in self._doubts.values())]
        if sentences:
            amended["detail"] = printable("; ".join(filter(None, [amended["detail"], *sentences])))
        return amended


def _continued(candidate: Candidate | None, new: Total, ceiling: Ceiling, now: datetime) -> Candidate:
    """The row of doubted readings with ``new`` at its end, or a row that begins with it."""
    if candidate is None or judge(candidate.last, new, ceiling) in DOUBTS:
        return Candidate(now, new)
    return Candidate(candidate.since, new, candidate.count + 1)


def _number(value: Value) -> Decimal | None:
    if isinstance(value, str):
        return None
    number = Decimal(value)
    return number if number.is_finite() else None


def _reading_with(reading: Reading, measurements: dict[str, Measurement]) -> Reading:
    """The reading with fewer measurements; without ``objects``, which have the held back values once more."""
    left = reading.copy()
    left["measurements"] = measurements
    left.pop("objects", None)
    return left

"""The guard of one meter: what it showed last, what is doubted, what was said about it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal

from smart_meter_reader.guard.measured import number, reading_with
from smart_meter_reader.guard.memory import Candidate, MeterMemory, continued, put_back
from smart_meter_reader.guard.past import judge_past
from smart_meter_reader.guard.rebased import Rebased, RebasedTotals, tell_changes
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
from smart_meter_reader.guard.status import amended, own_status
from smart_meter_reader.guard.told import GuardLog
from smart_meter_reader.messages import Info, Message, Past, Reading, Status
from smart_meter_reader.quantities.measurement import Measurement
from smart_meter_reader.text import is_same_serial

# A doubted quantity that the meter has not sent again for so long no longer counts against the meter.
FORGET_DOUBT = timedelta(days=1)


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
        self._ratio = Decimal(1)  # of the current transformers before it, as the meter's info says it
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
        self._replaced = ""  # in words, until it has been told
        self._log = GuardLog(name)

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
            self._rules = self._policy.rules(self._ratio)
            self._doubts = {key: doubt for key, doubt in self._doubts.items() if key in self._rules}

    def check_info(self, info: Info) -> list[Message]:
        """An info passes; another serial number than the last time makes the totals begin anew."""
        self._rhythm = timedelta(seconds=info.get("interval", 0))
        ratio = info.get("transformer_ratio", Decimal(1))
        if ratio != self._ratio:
            self._ratio = ratio
            self._rules = self._policy.rules(ratio)
        return [info, *self._check_serial("info", info.get("serial_number", ""), info["time"])]

    def check_status(self, status: Status) -> list[Message]:
        """A status passes with the guard's counter, and with its reason while values are held back."""
        self._upstream = status
        return self._tell_replaced(status["time"]) or [self._amended(status, [])]

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
        rebased: RebasedTotals = {}
        held_back = self._judge(measurements, reading["time"], rebased)
        if held_back or rebased or self._told:
            said += self._tell(reading["time"], held_back, rebased)
        if not held_back:
            return [*said, reading]
        left = {key: each for key, each in measurements.items() if key not in held_back}
        if left:
            said.append(reading_with(reading, left))
        return said

    def check_past(self, past: Past) -> list[Message]:
        """The past without the values that cannot be; nothing at all of it when it is of another device.

        What the meter shows now is judged as if there had been no past.
        """
        if not self._rules:
            return [past]
        serial, known = past.get("serial_number", "").strip(), self._serials.known.get("info", "")
        if serial and known and not is_same_serial(serial, known):
            self._log.another_device(past)
            return []
        judged = judge_past(past, self._rules, self._totals)
        if judged.refused:
            self.rejected += len(judged.refused)
            self._log.refused_past(past, len(judged.refused), str(judged.refused[0]))
        return [judged.past]

    def _note_time(self, now: datetime) -> None:
        last, self._last_reading = self._last_reading, now
        if last is None or now <= last:
            self._totals, self._candidates = put_back(self._totals, self._candidates, now, self._rhythm)
            self._doubts = {key: (min(since, now), why) for key, (since, why) in self._doubts.items()}

    def _judge(
        self, measurements: Mapping[str, Measurement], now: datetime, rebased: RebasedTotals
    ) -> set[str]:
        """What is not believed. A telegram has dozens of values, of which half have a rule, so: few calls."""
        rules, out_of_range, held_back = self._rules, self._out_of_range, set()
        for key, measurement in measurements.items():
            rule = rules.get(key)
            if rule is None:
                continue
            told = measurement["value"]
            value = told if isinstance(told, Decimal) and told.is_finite() else number(told)
            if value is None:
                continue  # text is not the guard's to judge
            unit = measurement["unit"]
            if isinstance(rule, Ceiling):
                new = Total(value, unit, measurement.get("measured_at", now))
                if not self._believes(key, rule, new, now, rebased):
                    held_back.add(key)
            elif not rule.contains(value, unit):
                self._doubt_range(key, rule, value, unit, now)
                held_back.add(key)
            elif key in out_of_range:
                del out_of_range[key]
                self._doubts.pop(key, None)
        return held_back

    def _believes(
        self, key: str, ceiling: Ceiling, new: Total, now: datetime, rebased: RebasedTotals
    ) -> bool:
        last = self._totals.get(key)
        if last is None or last.value != new.value or last.unit != new.unit:
            if not self._may_follow(last, new, key, ceiling, now, rebased):
                return False
            self.revision += 1
        if self._candidates or self._doubts:
            self._candidates.pop(key, None)
            self._doubts.pop(key, None)
        self._totals[key] = new
        return True

    def _may_follow(
        self,
        last: Total | None,
        new: Total,
        key: str,
        ceiling: Ceiling,
        now: datetime,
        rebased: RebasedTotals,
    ) -> bool:
        if not is_possible(new.value):
            self._doubts[key] = (now, f"{key} {new.value} {new.unit} held back: no meter counts so far")
            return False
        if last is None:
            return True
        verdict = judge(last, new, ceiling)
        if verdict in DOUBTS:
            candidate = continued(self._candidates.get(key), new, ceiling, now)
            self._candidates[key] = candidate
            self.revision += 1
            if never_counts(verdict, new) or not self._confirmed(candidate, now):
                self._doubts[key] = (now, sentence(key, verdict, last, new, self._settings))
                return False
            rebased[key] = Rebased(f"{key} went from {last} to {new}: {candidate.count} readings agree")
        elif verdict is Verdict.ROLLED_OVER and not ceiling.rolling:
            rebased[key] = Rebased(f"{key} went from {last} to {new}: {verdict}", rolled_over=True)
        elif verdict is Verdict.ROUNDED:
            # No new baseline: a meter whose PIN was forgotten tells whole kWh, and counts on.
            self._log.rounded(f"{key} went from {last} to {new}", now)
        return True

    def _confirmed(self, candidate: Candidate, now: datetime) -> bool:
        if candidate.count < self._settings.confirmations:
            return False
        # A P1 meter shows zeros after a power failure, for an hour and more, until the gas meter answers.
        return bool(candidate.last.value) or now - candidate.since >= self._settings.zero_confirmation

    def _doubt_range(self, key: str, rule: Range, value: Decimal, unit: str, now: datetime) -> None:
        count = self._out_of_range[key] = self._out_of_range.get(key, 0) + 1
        if count <= self._settings.confirmations:
            believable = f"{rule.lowest} to {rule.highest} {rule.unit}"
            self._doubts[key] = (now, f"{key} {value:f} {unit} held back: believable is {believable}")
            return
        self._doubts.pop(key, None)
        if count == self._settings.confirmations + 1:
            self._log.left_out(
                key,
                f"{key} stays at {value} {unit} and is left out from now on; an input without a sensor? "
                "The [guard] table of the settings has the believable ranges",
                now,
            )

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
        self._log.replaced(source, detail, now)
        self._replaced = detail
        return self._tell_replaced(now)

    def _tell_replaced(self, now: datetime) -> list[Message]:
        """Tell of another meter once this one is online: to change it, somebody has made it go offline."""
        if not self._replaced or (self._upstream is not None and self._upstream["state"] != "online"):
            return []
        detail, self._replaced = self._replaced, ""
        return [self._status(now, "meter_replaced", [detail])]

    def _tell(self, now: datetime, held_back: set[str], rebased: RebasedTotals) -> list[Message]:
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
        self._log.baselines({key: change.sentence for key, change in rebased.items()}, now)
        doubts, told = frozenset(self._doubts), self._told
        self._told = doubts
        self._log.doubts({key: why for key, (_, why) in self._doubts.items()}, doubts - told, now)
        if told and not doubts:
            self._log.all_well()
        if doubts == told and not rebased:
            return []
        if not rebased:
            return [self._status(now, "", [])]
        status = self._status(now, "new_baseline", [change.sentence for change in rebased.values()])
        tell_changes(status, rebased)
        return [status]

    def _status(self, now: datetime, reason: str, sentences: list[str]) -> Status:
        """The meter's state as others told it last, with what the guard has to say."""
        status = own_status(self.name, self._upstream, now, reason)
        if sentences and status["state"] == "online":
            status["detail"] = ""
        return self._amended(status, sentences)

    def _amended(self, status: Status, sentences: list[str]) -> Status:
        return amended(status, sentences, self.rejected, [why for _, why in self._doubts.values()])

"""The counter guard: holds back values that a meter cannot have measured, before any sink sees them.

Between the central queue and the router. Pure: messages in, messages out; time is the messages' own.
``rules`` judges single values, ``meter`` keeps the state of one, ``state`` the file.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from smart_meter_reader.guard.memory import MeterMemory
from smart_meter_reader.guard.meter import MeterGuard
from smart_meter_reader.guard.rules import MeterPolicy
from smart_meter_reader.messages import Message

__all__ = ["Guard", "MeterPolicy"]


class Guard:
    """Judges every message of every meter on its way to the sinks.

    A total that falls, jumps or becomes zero is taken out of its reading, counted, and told by a status with
    the reason ``implausible_value``; ``reread`` is then called with the name of the configured meter,
    ``confirmations`` times in a row at most. When so many readings in a row agree with each other, or the
    meter has another serial number, they are the new baseline: a status with the reason ``new_baseline`` or
    ``meter_replaced`` says so. A value out of range is held back likewise; after as many readings it is taken
    for the meter's habit (an input without a sensor), and no longer told, but not published either.
    """

    def __init__(
        self,
        policies: Mapping[str, MeterPolicy],
        memory: Mapping[str, MeterMemory] | None = None,
        reread: Callable[[str], None] = lambda meter: None,
        checksummed: Callable[[str], bool | None] = lambda meter: None,
    ) -> None:
        """``policies`` by configured meter; ``memory`` as ``Guard.memory()`` gave it before the restart.

        ``checksummed`` says of a configured meter whether what it sends now has a checksum, which P1 shows
        only in its telegrams; None: as its policy says.
        """
        self._policies = dict(policies)
        self._rules = {name: policy.rules() for name, policy in self._policies.items()}
        self._unclaimed = dict(memory or {})
        self._reread = reread
        self._checksummed = checksummed
        self._meters: dict[str, tuple[str, MeterGuard]] = {}  # with the configured meter of each

    def check(self, message: Message) -> list[Message]:
        """What is to be published instead of ``message``, in this order: itself when nothing is wrong."""
        parent, meter = self._meters.get(message["meter"]) or self._add(message)
        checksummed = self._checksummed(parent)
        if checksummed is not None:
            meter.judge_line(checksummed=checksummed)
        match message["type"]:
            case "reading":
                checked = meter.check_reading(message)
                if meter.wants_reread:
                    self._reread(parent)
                return checked
            case "info":
                return meter.check_info(message)
            case "status":
                return meter.check_status(message)
            case "past":
                return meter.check_past(message)

    def rejected(self, name: str) -> int:
        """How many values of a meter were held back since the start."""
        return self._meters[name][1].rejected if name in self._meters else 0

    @property
    def knows_all(self) -> bool:
        """Whether every configured meter that is guarded has told a total."""
        guarded = (name for name, rules in self._rules.items() if rules)
        return all(name in self._meters and self._meters[name][1].knows_totals for name in guarded)

    @property
    def revision(self) -> int:
        """Rises whenever what ``memory`` gives changes by more than times."""
        return sum(meter.revision for _, meter in self._meters.values())

    def memory(self) -> dict[str, MeterMemory]:
        """What to keep over a restart, by meter; meters not heard of yet keep what was remembered of them."""
        return {**self._unclaimed, **{name: meter.memory for name, (_, meter) in self._meters.items()}}

    def _add(self, message: Message) -> tuple[str, MeterGuard]:
        name = message["meter"]
        parent = self._parent(name, message)
        policy = self._policies.get(parent, MeterPolicy())
        rules = self._rules[parent] if parent in self._rules else policy.rules()
        self._meters[name] = parent, MeterGuard(name, policy, rules, self._unclaimed.pop(name, None))
        return self._meters[name]

    def _parent(self, name: str, message: Message) -> str:
        """The configured meter behind a meter: itself, or the one that brings it along (M-Bus)."""
        if name in self._policies:
            return name
        if message["type"] == "info" and message.get("via") in self._policies:
            return message["via"]
        prefixes = [known for known in self._policies if name.startswith(f"{known}-")]
        return max(prefixes, key=len, default=name)

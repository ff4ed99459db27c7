"""Which process runs which test: what mostly waits is taken from one end, what only computes from the other.

Tests that wait leave the processors idle now and then, and what computes takes that time and no more: its
processes stand back behind the others, whose peers would be late else. Of what waits, some rooms need three
times as much of a processor as calm ones: some processes begin with these and some with those, so that not
all do the same at the same time. What takes longest comes first, so that nothing long is left for the end.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from xdist.scheduler import LoadGroupScheduling

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pytest
    from xdist.workermanage import WorkerController

# They talk to no peer, and few of their tests start a process. Each module is one piece of work: most of its
# tests take less time than handing them out.
_COMPUTING = (
    "tests/codecs/",
    "tests/guard/",
    "tests/history/",
    "tests/messages/",
    "tests/quantities/",
    "tests/validators/",
    "tests/test_architecture.py",
    "tests/test_json_text.py",
    "tests/test_names.py",
    "tests/test_privacy.py",
    "tests/test_text.py",
    "tests/test_unused.py",
)
_COMPUTING_GROUPS = {"architecture", "three_years"}
# They wait for meters and servers nearly all the time: a process at work there needs 4 % of a processor, and
# one at work in any other room 12 %.
_CALM = ("tests/cli/", "tests/faults/", "tests/fleet/", "tests/meters/", "tests/writer/")
# A test of each takes 20 s or more.
_LONG = (
    "tests/cli/read/test_other_meter.py",
    "tests/cli/scan/test_scanning.py",
    "tests/cli/setup/test_conversation.py",
    "tests/cli/test_meter_commands.py",
    "tests/fleet/test_readers.py",
    "tests/fleet/test_refused.py",
    "tests/meters/iec62056_21/log/test_service_off.py",
    "tests/meters/kmp/loggers/test_info_logger.py",
    "tests/meters/kmp/loggers/test_service_off.py",
    "tests/sinks/history/test_past.py",
    "tests/sinks/influxdb/test_real_servers.py",
    "tests/test_benchmarks.py",
)


def arrange(items: list[pytest.Item]) -> None:
    """Sort: groups that wait, other tests that wait, tests that compute, groups that compute."""
    items.sort(key=_place)


def _place(item: pytest.Item) -> tuple[int, bool]:
    group = item.get_closest_marker("xdist_group")
    if group is not None:
        return 4 if group.args[0] in _COMPUTING_GROUPS else 0, False
    place = 3 if item.nodeid.startswith(_COMPUTING) else 1 if item.nodeid.startswith(_CALM) else 2
    return place, not item.nodeid.startswith(_LONG)


def begins_with_computing(number: int) -> bool:
    """Whether the process of this number does: one of four."""
    return number % 4 == 3


def stand_back(worker: str) -> None:
    """Let the other processes go first, where this one (gw0, gw1, ...) begins with what computes."""
    if begins_with_computing(int(worker.removeprefix("gw"))):
        os.nice(10)


def _is_busy(scope: str) -> bool:
    """Whether a piece of work is of the rooms that wait, and are not calm. Of a group it is the name."""
    return scope.startswith("tests/") and not scope.startswith((*_COMPUTING, *_CALM))


class FromBothEnds(LoadGroupScheduling):  # type: ignore[misc]  # pytest-xdist ships no types
    """Of four processes one begins with what computes, one with rooms that are busy, two with calm ones."""

    _busy: Iterator[str] | None = None

    def _split_scope(self, nodeid: str) -> str:
        scope: str = super()._split_scope(nodeid)
        return nodeid.partition("::")[0] if scope == nodeid and nodeid.startswith(_COMPUTING) else scope

    def _assign_work_unit(self, node: WorkerController) -> None:
        # Else all that is done is counted again after each test.
        self.assigned_work[node] = {
            scope: unit for scope, unit in self.assigned_work[node].items() if not all(unit.values())
        }
        self.workqueue.move_to_end(self._next_of(self.nodes.index(node)), last=False)
        super()._assign_work_unit(node)

    def _next_of(self, number: int) -> str:
        """What the process of this number takes next."""
        first: str = next(iter(self.workqueue))
        if begins_with_computing(number):
            return str(next(reversed(self.workqueue)))
        if number % 2 == 0 or not first.startswith("tests/"):
            return first  # what is calm, and before that the groups
        if self._busy is None:
            self._busy = iter([scope for scope in self.workqueue if _is_busy(scope)])
        return next((scope for scope in self._busy if scope in self.workqueue), first)

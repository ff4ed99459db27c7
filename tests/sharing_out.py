"""Which process runs which test: what mostly waits is taken from one end, what only computes from the other.

Tests that wait leave the processors idle now and then, and what computes takes that time and no more: its
processes stand back behind the others, whose peers would be late else. What takes longest comes first on both
sides, so that nothing long is left for the end.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from xdist.scheduler import LoadGroupScheduling

if TYPE_CHECKING:
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


def arrange(items: list[pytest.Item]) -> None:
    """Sort: groups that wait, other tests that wait, tests that compute, groups that compute."""
    items.sort(key=_place)


def _place(item: pytest.Item) -> int:
    group = item.get_closest_marker("xdist_group")
    if group is not None:
        return 3 if group.args[0] in _COMPUTING_GROUPS else 0
    return 2 if item.nodeid.startswith(_COMPUTING) else 1


def begins_with_computing(number: int) -> bool:
    """Whether the process of this number does: one of four."""
    return number % 4 == 3


def stand_back(worker: str) -> None:
    """Let the other processes go first, where this one (gw0, gw1, ...) begins with what computes."""
    if begins_with_computing(int(worker.removeprefix("gw"))):
        os.nice(10)


class FromBothEnds(LoadGroupScheduling):  # type: ignore[misc]  # pytest-xdist ships no types
    """One process of four begins with what computes, the others with what waits: one for each core."""

    def _split_scope(self, nodeid: str) -> str:
        scope: str = super()._split_scope(nodeid)
        return nodeid.partition("::")[0] if scope == nodeid and nodeid.startswith(_COMPUTING) else scope

    def _assign_work_unit(self, node: WorkerController) -> None:
        # Else all that is done is counted again after each test.
        self.assigned_work[node] = {
            scope: unit for scope, unit in self.assigned_work[node].items() if not all(unit.values())
        }
        if begins_with_computing(self.nodes.index(node)):
            self.workqueue.move_to_end(next(reversed(self.workqueue)), last=False)
        super()._assign_work_unit(node)

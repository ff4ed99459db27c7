"""Every row of docs/faults.md, on every kind of port it names: the document says what must come out.

All cases run side by side in one event loop, many at a time, since they mostly wait.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from smart_meter_reader.network.backoff import Backoff
from smart_meter_reader.pipeline import retries
from smart_meter_reader.sinks import registry
from tests.faults.cases import CASES, DLMS, DSMR, IEC, KAMSTRUP, MBUS, SML, Case, endured, late_port, truth_of
from tests.faults.rig import COLLECTING, METER, LogToHeard, Port, Shown, running_service, shown
from tests.faults.table import Row, read_rows
from tests.peers.heard import Heard
from tests.peers.loop import FairLoop

# In one process of several: all runs share one loop.
pytestmark = pytest.mark.xdist_group("faults")
AT_A_TIME = 12
ROWS = {row.id: row for row in read_rows()}
# These run as a process of their own, see test_clock here, test_stalls and test_replay_after_restart in
# tests/service.
PROCESS_ROWS = {"any-stall", "dsmr-encrypted-replay-restart"} | {
    f"any-clock-{way}{schedule}" for way in ("forward", "back") for schedule in ("", "-at", "-daily")
}
COUNTERS = ("damaged_frames", "retries", "rejected_values", "reconnects")
# These rise without any fault of the meter when the machine is busy: they are no promise where not named.
BY_THE_WAY = {"damaged_frames", "retries"}


@dataclass(frozen=True, slots=True)
class Run:
    """One case on one kind of port."""

    row: Row
    case: Case
    port: str

    def __str__(self) -> str:
        words = [self.row.id, self.port]
        if self.row.id.startswith("any-"):
            words.insert(1, self.case.protocol.client)
        return "-".join(words)


@dataclass(slots=True)
class Outcome:
    """What came of a run."""

    heard: Heard | None = None
    error: BaseException | None = None


RUNS = [Run(row, case, port) for row in ROWS.values() for case in CASES.get(row.id, ()) for port in row.ports]


def test_every_row_has_a_test_and_every_test_a_row() -> None:
    assert len(read_rows()) == len(ROWS), "an id stands twice in docs/faults.md"
    assert set(CASES) | PROCESS_ROWS == set(ROWS)


@pytest.fixture(scope="module")
def outcomes(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[str, Outcome]]:
    """The outcomes of all runs that were selected, by name."""
    items = (getattr(item, "callspec", None) for item in request.session.items)
    chosen = [run for call in items if call is not None and isinstance(run := call.params.get("run"), Run)]
    handler = LogToHeard()
    logging.getLogger().addHandler(handler)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(registry, "SINKS", COLLECTING)
        patch.setattr(retries, "BACKOFF", {kind: Backoff(0.05, 0.1) for kind in retries.BACKOFF})
        patch.setenv("STATE_DIRECTORY", str(tmp_path_factory.mktemp("state")))
        with asyncio.Runner(loop_factory=FairLoop) as runner:
            yield runner.run(run_all(chosen, tmp_path_factory.mktemp("ports")))
    logging.getLogger().removeHandler(handler)


@pytest.fixture(scope="module")
def truth() -> dict[str, frozenset[Shown]]:
    """Every value that a faultless meter shows, by client."""

    async def all_of_them() -> dict[str, frozenset[Shown]]:
        return {
            protocol.client: await truth_of(protocol) for protocol in (KAMSTRUP, DSMR, IEC, SML, MBUS, DLMS)
        }

    with asyncio.Runner(loop_factory=FairLoop) as runner:
        return runner.run(all_of_them())


async def run_all(runs: list[Run], folder: Path) -> dict[str, Outcome]:
    places = asyncio.Semaphore(AT_A_TIME)

    async def one(run: Run) -> tuple[str, Outcome]:
        outcome = Outcome()
        async with places:
            try:
                await play(run, folder / str(run), outcome)
            except Exception as error:  # noqa: BLE001 - raised again by the test of this run
                outcome.error = error
        return str(run), outcome

    # The longest ones are among the last.
    return dict(await asyncio.gather(*map(one, reversed(runs))))


async def play(run: Run, folder: Path, outcome: Outcome) -> None:
    folder.mkdir()
    meter = run.case.meter()
    port = Port(run.port, folder, meter, run.case.protocol.line)
    story = run.case.story or endured
    try:
        if story is not late_port:
            await port.plug_in()
        async with running_service(
            run.case.protocol.client,
            run.case.settings_for(port.url),
            str(run),
            reads_back=run.case.reads_back,
        ) as heard:
            outcome.heard = heard
            await story(port, heard, run.row, meter)
            await heard.until_state(*run.row.status)
            if run.row.status[-1] == "online":
                await heard.more_readings(3)
    finally:
        await port.close()


@pytest.mark.parametrize("run", RUNS, ids=str)
def test_it_goes_as_the_document_says(
    run: Run, outcomes: dict[str, Outcome], truth: dict[str, frozenset[Shown]]
) -> None:
    outcome = outcomes[str(run)]
    if outcome.error is not None:
        raise outcome.error
    heard = outcome.heard
    assert heard is not None
    assert heard.states == run.row.status
    # What is told of the meters behind a P1 meter is the same once more.
    log = [line for line in heard.log if not line.startswith(f"meter {METER}-")]
    assert len(log) == len(run.row.log), log
    for promised, line in zip(run.row.log, log, strict=True):
        assert promised in line
    counted = {name for name in COUNTERS if heard.counted[name]}
    assert run.row.counted <= counted
    assert counted - run.row.counted <= BY_THE_WAY | run.case.by_the_way
    published = set().union(*(shown(reading["measurements"]) for reading in heard.readings))
    assert published <= truth[run.case.protocol.client]
    assert bool(published) == (run.row.status[-1] == "online")

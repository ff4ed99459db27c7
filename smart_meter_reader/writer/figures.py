"""What a writer counts, and the metrics and ages that it tells of the fleet."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from prometheus_client import CollectorRegistry, Metric
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.registry import Collector

from smart_meter_reader.writer.transaction import WrittenBatch

CONTENT_TYPE = CONTENT_TYPE_LATEST
_OURS = "smart_meter_fleet"


@dataclass(slots=True)
class LaneFigures:
    """The counters of one lane of one writer, since its start; the lag is that of all writers together."""

    messages: int = 0
    rows: int = 0
    known_rows: int = 0  # that the database had already
    outdated_rows: int = 0
    batches: int = 0
    seconds: float = 0.0
    refused: int = 0
    dead: int = 0
    lag: int | None = None  # messages in the stream that nobody has taken
    unacknowledged: int | None = None

    def note_batch(self, seconds: float) -> None:
        """A batch is done."""
        self.batches += 1
        self.seconds += seconds

    def note_written(self, messages: int, written: WrittenBatch) -> None:
        """A transaction is committed."""
        self.messages += messages
        self.rows += written.new
        self.known_rows += written.rows - written.new
        self.outdated_rows += written.outdated


@dataclass(slots=True)
class Figures:
    """All that a writer tells. ``ages`` are rows of ``Database.ages``, ``counts`` those of all meters."""

    lanes: dict[str, LaneFigures] = field(default_factory=dict)
    ages: Sequence[Mapping[str, Any]] = ()
    counts: Mapping[str, Any] = field(default_factory=dict)
    connected: bool = False

    def lane(self, stream: str) -> LaneFigures:
        """The counters of a stream's lane."""
        return self.lanes.setdefault(stream, LaneFigures())


def exposition(figures: Figures, now: datetime) -> bytes:
    """As text for Prometheus."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Fleet(figures, now))
    return generate_latest(registry)


_COUNTERS = {
    "messages": ("messages_written", "Messages that were committed"),
    "rows": ("rows_written", "Values that were new to the database"),
    "known_rows": ("rows_known", "Values that came again and changed nothing"),
    "outdated_rows": ("rows_outdated", "Values of a reader that another one had replaced"),
    "batches": ("batches", "Transactions, and attempts at one"),
    "seconds": ("batch_seconds", "Seconds that these took"),
    "refused": ("messages_refused", "Times that the database refused a message"),
    "dead": ("dead_letters", "Messages that went to the dead letters"),
}


class _Fleet(Collector):
    def __init__(self, figures: Figures, now: datetime) -> None:
        self._figures = figures
        self._now = now

    def collect(self) -> Iterator[Metric]:
        lanes = self._figures.lanes
        for name, (title, text) in _COUNTERS.items():
            family = CounterMetricFamily(f"{_OURS}_{title}", text, labels=("stream",))
            for stream, each in lanes.items():
                family.add_metric([stream], _counted(each)[name])
            yield family
        lag = GaugeMetricFamily(
            f"{_OURS}_stream_lag", "Messages that no writer has taken", labels=("stream",)
        )
        open_ones = GaugeMetricFamily(
            f"{_OURS}_stream_unacknowledged", "Messages that are being written", labels=("stream",)
        )
        for stream, each in lanes.items():
            for gauge, value in ((lag, each.lag), (open_ones, each.unacknowledged)):
                if value is not None:
                    gauge.add_metric([stream], value)
        yield lag
        yield open_ones
        yield GaugeMetricFamily(
            f"{_OURS}_connected", "Whether servers and database answer", int(self._figures.connected)
        )
        yield from self._ages()

    def _ages(self) -> Iterator[Metric]:
        counts = self._figures.counts
        if counts:
            yield GaugeMetricFamily(f"{_OURS}_meters", "Meters that have told something", counts["meters"])
            yield GaugeMetricFamily(
                f"{_OURS}_meters_late", "Meters whose newest reading is old", counts["late"]
            )
            yield GaugeMetricFamily(
                f"{_OURS}_meters_mixed",
                "Meters whose name two devices used by turns",
                counts["mixed"],
            )
        age = GaugeMetricFamily(
            f"{_OURS}_reading_age_seconds",
            "Age of the newest reading of a meter",
            labels=("tenant", "site", "meter"),
        )
        for row in self._figures.ages:
            age.add_metric([row["tenant"], row["site"], row["meter"]], age_seconds(row["newest"], self._now))
        yield age


def age_seconds(newest: datetime, now: datetime) -> float:
    """How old a reading is; a clock that is ahead makes none younger than now."""
    return max(0.0, (now - newest.astimezone(UTC)).total_seconds())


def _counted(lane: LaneFigures) -> Mapping[str, float]:
    return {
        "messages": lane.messages,
        "rows": lane.rows,
        "known_rows": lane.known_rows,
        "outdated_rows": lane.outdated_rows,
        "batches": lane.batches,
        "seconds": lane.seconds,
        "refused": lane.refused,
        "dead": lane.dead,
    }

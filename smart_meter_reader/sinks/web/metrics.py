"""What Prometheus reads: the newest values with their units in their names, and the state of each meter.

Names after prometheus.io, "Metric and label naming": the unit at the end, in the plural; what only grows ends
with _total. The meter's own unit is kept, since Prometheus' numbers are floats and a conversion would cost
digits. What is older than its expiry is not told: Prometheus takes for new whatever it is told.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from types import MappingProxyType

from prometheus_client import CollectorRegistry, Metric
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, InfoMetricFamily
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.registry import Collector

from smart_meter_reader.messages import STATES
from smart_meter_reader.quantities import QUANTITIES
from smart_meter_reader.sinks.web.live import LiveMeter
from smart_meter_reader.sinks.web.unit_names import unit_name
from smart_meter_reader.sinks.wording import HEALTH

CONTENT_TYPE = CONTENT_TYPE_LATEST
_OURS = "smart_meter"
_METER = ("meter",)


def exposition(
    meters: Sequence[LiveMeter], now: float, refused_prices: Mapping[str, int] = MappingProxyType({})
) -> bytes:
    """All of it as text; ``now`` by the clock that stamps the readings.

    ``refused_prices``: by topic the messages that were none.
    """
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Meters(meters, now))
    if refused_prices:
        registry.register(_RefusedPrices(refused_prices))
    return generate_latest(registry)


class _RefusedPrices(Collector):
    """Messages on the topics of prices that were left out."""

    def __init__(self, refused: Mapping[str, int]) -> None:
        self._refused = refused

    def collect(self) -> Iterator[Metric]:
        family = CounterMetricFamily(
            f"{_OURS}_price_messages_refused", "Messages that are no prices", labels=("topic",)
        )
        for topic, count in self._refused.items():
            family.add_metric([topic], count)
        yield family


class _Meters(Collector):
    """The meters as they were when somebody asked."""

    def __init__(self, meters: Sequence[LiveMeter], now: float) -> None:
        self._meters = meters
        self._now = now

    def collect(self) -> Iterator[Metric]:
        yield from self._states()
        yield from self._line_health()
        yield from self._values()

    def _states(self) -> Iterator[Metric]:
        fresh = GaugeMetricFamily(f"{_OURS}_fresh", "Whether readings of the meter come", labels=_METER)
        state = GaugeMetricFamily(
            f"{_OURS}_state", "1 for the state that the meter is in", labels=("meter", "state")
        )
        age = GaugeMetricFamily(
            f"{_OURS}_reading_age", "Time since the last reading", labels=_METER, unit="seconds"
        )
        about = InfoMetricFamily(_OURS, "Who the meter is", labels=_METER)
        for each in self._meters:
            now = each.freshness(self._now)
            fresh.add_metric([each.meter], float(now.fresh))
            for name in STATES:
                state.add_metric([each.meter, name], float(name == now.state))
            if now.age_seconds is not None:
                age.add_metric([each.meter], now.age_seconds)
            if each.info is not None:
                keys = ("manufacturer", "model", "serial_number")
                about.add_metric([each.meter], {key: str(each.info.get(key, "")) for key in keys})
        yield from (fresh, state, age, about)

    def _line_health(self) -> Iterator[Metric]:
        for key, count in HEALTH.items():
            unit = unit_name(count.unit)
            name = f"{_OURS}_{key}"
            family = _family(name.removesuffix(f"_{count.unit}"), count.name, unit, total=count.total)
            for each in self._meters:
                if isinstance(found := each.health.get(key), int):
                    family.add_metric([each.meter], found)
            if family.samples:
                yield family

    def _values(self) -> Iterator[Metric]:
        families: dict[tuple[str, str], CounterMetricFamily | GaugeMetricFamily] = {}
        for each in self._meters:
            if not each.freshness(self._now).fresh:
                continue
            for key, (measurement, time) in each.values.items():
                value, unit = measurement["value"], measurement["unit"]
                late = each.time is not None and (each.time - time).total_seconds() > each.expires
                if late or not isinstance(value, Decimal | int):
                    continue
                if (key, unit) not in families:
                    families[key, unit] = _family_of(key, unit)
                families[key, unit].add_metric([each.meter], float(value))
        yield from families.values()


def _family_of(key: str, unit: str) -> CounterMetricFamily | GaugeMetricFamily:
    quantity = QUANTITIES[key]
    return _family(f"{_OURS}_{key}", quantity.name, unit_name(unit), total=quantity.cumulative)


def _family(name: str, help_text: str, unit: str, *, total: bool) -> CounterMetricFamily | GaugeMetricFamily:
    kind = CounterMetricFamily if total else GaugeMetricFamily
    return kind(name, help_text, labels=_METER, unit=unit)

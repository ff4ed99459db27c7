"""Own use and net: what of a home's own production it used itself, from three counters."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from smart_meter_reader.history.questions.bars import Bar, bars
from smart_meter_reader.history.questions.counters import CounterHistory


@dataclass(frozen=True, slots=True)
class EnergyBalance:
    """Energies of a stretch of time in kWh; None where a counter lacks or says nothing about it."""

    begin: int
    end: int
    imported: Decimal | None
    exported: Decimal | None
    produced: Decimal | None
    estimated: bool

    @property
    def net(self) -> Decimal | None:
        """Import less export."""
        return None if self.imported is None or self.exported is None else self.imported - self.exported

    @property
    def own_use(self) -> Decimal | None:
        """Production less export: what was produced and used here."""
        return None if self.produced is None or self.exported is None else self.produced - self.exported

    @property
    def used(self) -> Decimal | None:
        """All that was used here, from wherever."""
        own = self.own_use
        return None if own is None or self.imported is None else own + self.imported


def balance(
    imports: Sequence[CounterHistory],
    exports: Sequence[CounterHistory],
    productions: Sequence[CounterHistory],
    boundaries: Sequence[int],
) -> list[EnergyBalance]:
    """One for each piece between rising ``boundaries``; counters of a kind (tariffs, inverters) are added up.

    Raises ValueFormatError for a counter that counts no energy.
    """
    sums = [_summed(counters, boundaries) for counters in (imports, exports, productions)]
    return [
        EnergyBalance(
            begin, end, imported[0], exported[0], produced[0], imported[1] or exported[1] or produced[1]
        )
        for begin, end, imported, exported, produced in zip(boundaries, boundaries[1:], *sums, strict=False)
    ]


def _summed(
    counters: Sequence[CounterHistory], boundaries: Sequence[int]
) -> list[tuple[Decimal | None, bool]]:
    made = [bars(counter, boundaries, "kWh") for counter in counters if counter.parts]
    if not made:
        return [(None, False)] * (len(boundaries) - 1)
    return [_sum(of_all) for of_all in zip(*made, strict=True)]


def _sum(of_all: Sequence[Bar]) -> tuple[Decimal | None, bool]:
    known = [bar.difference for bar in of_all if bar.difference is not None]
    # A tariff that is not told yet is no reason to know nothing; a counter that lacks is.
    return (sum(known, Decimal(0)) if known else None), any(bar.estimated for bar in of_all)

"""What people have entered in the settings for questions: contracts, and what the works expects."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from types import MappingProxyType

from smart_meter_reader.history.costs.bills import YearBills
from smart_meter_reader.history.costs.price_file import PriceFiles
from smart_meter_reader.history.costs.told_prices import ToldPrices
from smart_meter_reader.sinks.web.contract_settings import ContractSettings
from smart_meter_reader.sinks.web.prices.troubles import PriceTroubles


@dataclass(frozen=True, slots=True)
class Entered:
    """The contracts by their names, and pairs of flow and expected return temperature in °C, by flow."""

    contracts: Mapping[str, ContractSettings] = field(default_factory=lambda: MappingProxyType({}))
    expected_return: tuple[tuple[Decimal, Decimal], ...] = ()
    price_files: PriceFiles = field(default_factory=PriceFiles)
    told_prices: ToldPrices = field(default_factory=ToldPrices)
    price_troubles: PriceTroubles = field(default_factory=PriceTroubles)
    year_bills: YearBills = field(default_factory=YearBills)

"""From contracts as people enter them to contracts as bills are made of them."""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from types import MappingProxyType
from typing import TypedDict

from smart_meter_reader.exceptions import ExplainedError, WordedError
from smart_meter_reader.history.costs.contracts import Contract, MomentPrices
from smart_meter_reader.history.costs.price_file import PriceFileError
from smart_meter_reader.history.errors import HistoryError
from smart_meter_reader.history.media import MainCounter, Medium
from smart_meter_reader.history.places import prices_file
from smart_meter_reader.sinks.web.contract_settings import (
    ContractSettings,
    local_day,
    source_factor,
    time_slot,
)
from smart_meter_reader.sinks.web.questions.asked import Inquiry

_NO_PRICES = MomentPrices(array("q"), (), 0, 3600)


class ProblemAnswer(TypedDict):
    """What is wrong with a contract's prices: text is a sentence, of this kind, with these facts.

    left_out: of a topic, how many messages were no prices until now; the sentence is of the last one.
    """

    contract: str
    topic: str
    left_out: int
    kind: str
    text: str
    facts: dict[str, str | int]


def contract_of(name: str, settings: ContractSettings, mains: Sequence[MainCounter]) -> Contract | None:
    """The contract without the prices of its file; None where the meter counts nothing that it is for."""
    medium = Medium(settings.medium) if settings.medium else (mains[0].medium if mains else None)
    if medium is None:
        return None
    medium = Medium.ELECTRICITY if medium is Medium.EXPORT else medium
    until = local_day("valid_to", settings.valid_to)
    # What is read are cubic metres: a price of one is that of so many kWh.
    factor = settings.kwh_per_m3 or Decimal(1)
    return Contract(
        name,
        settings.meter,
        medium,
        "m³" if settings.kwh_per_m3 else settings.unit,
        settings.currency,
        local_day("valid_from", settings.valid_from),
        until + timedelta(days=1) if until else None,
        None if settings.price is None else settings.price * factor,
        MappingProxyType({int(number): price * factor for number, price in settings.tariffs.items()}),
        tuple(replace(slot, price=slot.price * factor) for slot in map(time_slot, settings.slots)),
        surcharge=settings.surcharge * factor,
        feed_in=settings.feed_in,
        feeds_in_at_moments=settings.feed_in_by_source,
        per_day=settings.fixed_per_day,
        per_month=settings.fixed_per_month,
        per_year=settings.fixed_per_year,
        tax_percent=settings.tax_percent,
    )


def with_prices(
    asked: Inquiry, found: Mapping[str, tuple[Contract, ContractSettings]]
) -> tuple[tuple[Contract, ...], tuple[ProblemAnswer, ...]]:
    """The contracts that can be added up, the first one among them, with their prices by the moment."""
    first = next(iter(found.values()))[0]
    contracts: list[Contract] = []
    problems: list[ProblemAnswer] = []
    for name, (contract, settings) in found.items():
        if (contract.unit, contract.currency) != (first.unit, first.currency):
            problems.append(_problem(name, _left_out(contract, first)))
            continue
        if settings.price_file or settings.price_topic:
            try:
                contract = replace(contract, moments=_moments(asked, settings))
            except (PriceFileError, HistoryError) as error:
                problems.append(_problem(name, error))
                contract = replace(contract, moments=_NO_PRICES)
            problems += _of_topic(asked, name, settings.price_topic)
        contracts.append(contract)
    return tuple(contracts), tuple(problems)


def _left_out(contract: Contract, first: Contract) -> WordedError:
    return WordedError(
        "contract",
        "contract_left_out",
        "it is left out: it is in {currency} per {unit}, and {first} in {first_currency} per {first_unit}",
        currency=contract.currency,
        unit=contract.unit,
        first=first.name,
        first_currency=first.currency,
        first_unit=first.unit,
    )


def _of_topic(asked: Inquiry, name: str, topic: str) -> Iterator[ProblemAnswer]:
    """Why the last message of a topic was left out, if it was."""
    troubles = asked.entered.price_troubles
    if (error := troubles.last(topic)) is not None:
        yield _problem(name, error, topic, troubles.counts[topic])


def _problem(name: str, error: ExplainedError, topic: str = "", left_out: int = 0) -> ProblemAnswer:
    told = f"the last message of {topic} was left out ({left_out} until now): " if topic else ""
    return {
        "contract": name,
        "topic": topic,
        "left_out": left_out,
        "kind": error.kind if isinstance(error, WordedError) else error.reason,
        "text": f"contract {name}: {told}{error.detail}",
        "facts": error.facts if isinstance(error, WordedError) else {},
    }


def _moments(asked: Inquiry, settings: ContractSettings) -> MomentPrices:
    """The prices by the moment. Raises PriceFileError and HistoryError."""
    entered, factor = asked.entered, source_factor(settings) or Decimal(1)
    if settings.price_file:
        return entered.price_files.prices(settings.price_file, factor)
    found = entered.told_prices.prices(prices_file(asked.history.path), settings.price_topic, factor)
    if not found.begins:
        raise PriceFileError(
            "nothing_published", "nothing was published on {topic} yet", topic=settings.price_topic
        )
    return found

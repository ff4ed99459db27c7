"""Every bar in money, by the contracts of the settings, and what a year will cost."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal, localcontext
from typing import TypeAlias, TypedDict

from smart_meter_reader.exceptions import ValueFormatError
from smart_meter_reader.history.costs.bills import Bill, BilledCounters, bills
from smart_meter_reader.history.costs.contracts import Contract
from smart_meter_reader.history.media import MainCounter, Medium
from smart_meter_reader.history.periods import LocalCalendar, Period
from smart_meter_reader.history.questions.bars import Bar
from smart_meter_reader.history.questions.counters import CounterHistory
from smart_meter_reader.sinks.web.contract_settings import ContractSettings
from smart_meter_reader.sinks.web.questions.asked import Inquiry, Moment, QuestionError, not_stored
from smart_meter_reader.sinks.web.questions.chosen import ChosenCounter, counters_of, mains_of
from smart_meter_reader.sinks.web.questions.shown import MOST_BARS, Shown, ViewAnswer, stretch_shown, view_of
from smart_meter_reader.sinks.web.questions.signed import ProblemAnswer, contract_of, with_prices

_YEAR = timedelta(days=365)
_DIGITS = 60

_Written: TypeAlias = tuple[Contract, ContractSettings]
"""A contract as bills are made of it, and as a person has entered it."""


class CostAnswer(TypedDict):
    """What a stretch of time cost; null where nothing is known of it. total: energy and fixed less feed_in.

    unpriced: how much of what was used has no price, in ``unit``; that is in no amount.
    """

    begin: Moment
    end: Moment
    label: str
    used: Decimal | None
    energy: Decimal | None
    fixed: Decimal | None
    feed_in: Decimal | None
    total: Decimal | None
    unpriced: Decimal | None


YearAnswer = TypedDict(
    "YearAnswer",
    {
        "from": date,
        "to": date,
        "energy": Decimal,
        "fixed": Decimal,
        "feed_in": Decimal,
        "total": Decimal,
        "unpriced": Decimal,
    },
)

CostsAnswer = TypedDict(
    "CostsAnswer",
    {
        "meter": str,
        "medium": str,
        "contracts": list[str],
        "currency": str,
        "unit": str,
        "period": str,
        "from": date,
        "to": date,
        "view": ViewAnswer | None,
        "bars": list[CostAnswer],
        "total": Decimal | None,
        "energy": Decimal | None,
        "fixed": Decimal | None,
        "feed_in": Decimal | None,
        "unpriced": Decimal | None,
        # What was used in the last 365 days at the prices of today and, where prices are by the moment, of
        # their moments; with what is fixed today.
        "year_expected": Decimal | None,
        "year": YearAnswer | None,
        "problems": list[ProblemAnswer],
    },
)


@dataclass(frozen=True, slots=True)
class _Account:
    """One meter's contracts for one medium, and the counters that they price."""

    contracts: tuple[Contract, ...]
    counters: BilledCounters
    extent: ChosenCounter
    problems: tuple[ProblemAnswer, ...]


def costs(asked: Inquiry) -> CostsAnswer:
    """What a meter's use cost, bar by bar."""
    account = _account(asked)
    first, extent = account.contracts[0], account.extent
    seen = stretch_shown(asked, extent, MOST_BARS // 2)
    try:
        told = _bars(asked, account, seen)
        year = _year(asked, account)
    except ValueFormatError as error:
        raise QuestionError(
            "prices_of_other_unit",
            "contracts: {why}; write the unit of the prices in `unit`",
            why=str(error),
        ) from error
    return {
        "meter": first.meter,
        "medium": first.medium,
        "contracts": [contract.name for contract in account.contracts],
        "currency": first.currency,
        "unit": first.unit,
        "period": seen.step,
        "from": seen.since,
        "to": seen.until,
        "view": view_of(asked, extent, seen),
        "bars": told,
        "total": _sum([each["total"] for each in told]),
        "energy": _sum([each["energy"] for each in told]),
        "fixed": _sum([each["fixed"] for each in told]),
        "feed_in": _sum([each["feed_in"] for each in told]),
        "unpriced": _sum([each["unpriced"] for each in told]),
        "year_expected": None if year is None else year["total"],
        "year": year,
        "problems": list(account.problems),
    }


def _bars(asked: Inquiry, account: _Account, seen: Shown) -> list[CostAnswer]:
    """What each piece cost. Raises ValueFormatError where the prices are of another unit."""
    within = (account.extent.first, asked.now)
    made = bills(account.contracts, account.counters, asked.house, seen.boundaries, within)
    used = account.extent.bars(seen.boundaries)
    return [_told(asked.house, seen.step, *each) for each in zip(made, used, strict=True)]


def _told(house: LocalCalendar, step: Period, bill: Bill, bar: Bar) -> CostAnswer:
    known = bar.difference is not None or bool(bill.fixed)
    return {
        "begin": house.local(bill.begin),
        "end": house.local(bill.end),
        "label": house.label(step, bill.begin),
        "used": bar.difference,
        "energy": bill.energy if known else None,
        "fixed": bill.fixed if known else None,
        "feed_in": bill.feed_in if known else None,
        "total": bill.total if known else None,
        "unpriced": bill.unpriced if known else None,
    }


def _year(asked: Inquiry, account: _Account) -> YearAnswer | None:
    """What the last 365 days would have cost by the contracts of today; None with fewer days of readings."""
    until = asked.today
    since = until - _YEAR
    begin, end = asked.house.midnight(since), asked.house.midnight(until)
    current = [
        replace(contract, since=None, until=None)
        for contract in account.contracts
        if (contract.since or until) <= until and (contract.until is None or contract.until > until)
    ]
    if not current or account.extent.first > begin or account.extent.last < end - 86400:
        return None
    bill = asked.entered.year_bills.bill(current, account.counters, asked.house, begin, end)
    return {
        "from": since,
        "to": until,
        "energy": bill.energy,
        "fixed": bill.fixed,
        "feed_in": bill.feed_in,
        "total": bill.total,
        "unpriced": bill.unpriced,
    }


def _account(asked: Inquiry) -> _Account:
    """The contracts that are asked for: of one meter and medium. Raises QuestionError."""
    if not asked.entered.contracts:
        raise QuestionError(
            "no_contract_at_all",
            "there is no contract in the settings; write what you pay into a table such as "
            "[home.sinks.web.contracts.heat]",
        )
    stored = {name: mains_of(asked.history.kept(name)) for name in asked.history.meters()}
    meter = asked.text("meter") or _first_meter(asked.entered.contracts, stored)
    if meter not in stored:
        raise not_stored("meter", meter, stored)
    written = _of_meter(asked, meter, stored[meter])
    return _priced(asked, meter, stored[meter], _of_medium(asked, meter, written))


def _of_meter(asked: Inquiry, meter: str, mains: Sequence[MainCounter]) -> Mapping[str, _Written]:
    """The contracts for what a meter counts, by name; the one that is named is among them. QuestionError."""
    written = {
        name: (contract, settings)
        for name, settings in asked.entered.contracts.items()
        if settings.meter == meter and (contract := contract_of(name, settings, mains)) is not None
    }
    named = asked.text("contract")
    if named and named not in written:
        raise QuestionError(
            "no_such_contract",
            "contract: of {meter} there is no contract {named!r}; there are: {known}",
            meter=meter,
            named=named,
            known=", ".join(written) or "–",
        )
    if not written:
        raise QuestionError(
            "no_contract", "meter: there is no contract for {meter} in the settings", meter=meter
        )
    return written


def _of_medium(asked: Inquiry, meter: str, written: Mapping[str, _Written]) -> Mapping[str, _Written]:
    """Those for the medium that is asked for, else for that of the first; of these the named one alone."""
    named = asked.text("contract")
    wanted = asked.text("medium") or next(iter(written.values()))[0].medium
    found = {
        name: each
        for name, each in written.items()
        if each[0].medium == wanted and (not named or named == name)
    }
    if not found:
        raise QuestionError(
            "no_contract_of_medium",
            "medium: there is no contract for {wanted!r} of {meter} in the settings",
            wanted=wanted,
            meter=meter,
        )
    return found


def _first_meter(
    contracts: Mapping[str, ContractSettings], stored: Mapping[str, Sequence[MainCounter]]
) -> str:
    meters = [settings.meter for settings in contracts.values()]
    return next((meter for meter in meters if meter in stored), meters[0])


def _priced(
    asked: Inquiry,
    meter: str,
    mains: Sequence[MainCounter],
    found: Mapping[str, _Written],
) -> _Account:
    contracts, problems = with_prices(asked, found)
    return _Account(contracts, *_counters(asked, meter, mains, contracts[0]), problems)


def _counters(
    asked: Inquiry, meter: str, mains: Sequence[MainCounter], contract: Contract
) -> tuple[BilledCounters, ChosenCounter]:
    main = next((main for main in mains if main.medium is contract.medium), None)
    used = counters_of(asked.history, meter, main.quantities) if main else []
    if main is None or not used:
        raise QuestionError(
            "counts_no_medium",
            "meter: {meter} counts no {medium}, for which {contract} is",
            meter=meter,
            medium=str(contract.medium),
            contract=contract.name,
        )
    export = next((main for main in mains if main.medium is Medium.EXPORT), None)
    fed_in = (
        counters_of(asked.history, meter, export.quantities)
        if export and contract.medium is Medium.ELECTRICITY
        else []
    )
    registers: dict[int, CounterHistory] = {}
    prefix = f"{main.key}_tariff_"
    for kept in asked.history.kept(meter):
        number = kept.quantity.removeprefix(prefix)
        if kept.kind == "counter" and kept.quantity.startswith(prefix) and number.isdigit():
            found = counters_of(asked.history, meter, [kept.quantity])
            registers |= {int(number): counter for counter in found}
    extent = ChosenCounter(meter, main.key, main.quantities, tuple(used), contract.unit)
    return BilledCounters(used, registers, fed_in), extent


def _sum(amounts: Sequence[Decimal | None]) -> Decimal | None:
    known = [amount for amount in amounts if amount is not None]
    with localcontext() as exactly:
        exactly.prec = _DIGITS
        return sum(known, Decimal(0)) if known else None

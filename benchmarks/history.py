"""Ten years of five meters: file size, cost of questions, what a day hands to the kernel.

Rivals: a row per value and a commit per reading; days cut by `strftime(..., 'localtime')`. Others do it so.
"""

from __future__ import annotations

import os
import sqlite3
import tempfile
from array import array
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import partial
from pathlib import Path

from benchmarks.measure import Row, alone, beside, cpu, in_turns
from benchmarks.old_home import END, make
from benchmarks.p1_meters import telegram
from smart_meter_reader.codecs.p1.reader import P1Reader
from smart_meter_reader.codecs.p1.telegram import Telegram
from smart_meter_reader.history.costs.bills import BilledCounters, bills
from smart_meter_reader.history.costs.contracts import Contract, MomentPrices
from smart_meter_reader.history.intake.intake import Intake
from smart_meter_reader.history.media import Medium
from smart_meter_reader.history.periods import Period
from smart_meter_reader.history.questions.bars import bars
from smart_meter_reader.history.questions.peaks import highest
from smart_meter_reader.history.questions.record import History
from smart_meter_reader.history.storage.raw import BlockWriter
from smart_meter_reader.history.storage.store import Store
from smart_meter_reader.messages import Reading
from smart_meter_reader.meters.p1.messages import Messages
from smart_meter_reader.quantities.measurement import Measurement

_MILLISECONDS = 1e-3
# One for each quarter of an hour of a year.
_PRICES = [20_000 + number % 977 for number in range(366 * 96)]
_QUARTER = 900
_TELEGRAMS = 900  # of a quarter of an hour
_P1 = ("power-1", "active_energy_import")


def rows(*, quick: bool) -> Iterator[Row]:
    """Size, questions, and a day of writing on top of the ten years."""
    years, rounds = (0.2, 1) if quick else (10.0, 5)
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "home.history.sqlite"
        make(path, years)
        size = path.stat().st_size / 1e6
        yield alone("history: 10 years of 5 meters, 40 series", "MB", [size], 130)
        yield from _questions(path, rounds)
        yield from _a_day(path, quick=quick)
    yield _a_reading(1 if quick else 9)


def _questions(path: Path, rounds: int) -> Iterator[Row]:
    last = datetime.fromtimestamp(_newest(path), UTC).date()
    month, year = last.replace(day=1), last.replace(month=1, day=1)
    plans: tuple[tuple[str, Period, date, date, float], ...] = (
        ("a day by quarter", Period.QUARTER, last - timedelta(days=1), last, 50),
        ("a month by day", Period.DAY, month, last, 50),
        ("a year by month", Period.MONTH, year, last, 50),
        ("all by year", Period.YEAR, date(2016, 1, 1), last, 50),
        ("all by day", Period.DAY, date(2016, 1, 1), last, 150),
    )
    for what, period, since, until, most in plans:
        (measured,) = in_turns(rounds, cpu(partial(_bars, path, period, since, until), unit=_MILLISECONDS))
        yield alone(f"history: {what}", "ms CPU", measured, most)
    (measured,) = in_turns(rounds, cpu(partial(_peak, path, month, last), unit=_MILLISECONDS))
    yield alone("history: highest quarter of a month", "ms CPU", measured, 50)
    prices = partial(_prices, path, last - timedelta(days=365), last)
    (measured,) = in_turns(rounds, cpu(prices, unit=_MILLISECONDS))
    yield alone("history: a year at a price for each quarter", "ms CPU", measured, 60)
    (measured,) = in_turns(rounds, cpu(partial(_gauge, path, year, last), unit=_MILLISECONDS))
    yield alone("history: a gauge of a year by day", "ms CPU", measured, 50)
    ours, theirs = in_turns(
        rounds,
        cpu(partial(_bars, path, Period.DAY, date(2016, 1, 1), last), unit=_MILLISECONDS),
        cpu(partial(_by_strftime, path), unit=_MILLISECONDS),
    )
    yield beside("history: all by day", "ms CPU", ours, "strftime(localtime)", theirs)


def _newest(path: Path) -> int:
    with History(path) as history:
        return history.newest()


def _bars(path: Path, period: Period, since: date, until: date) -> None:
    with History(path) as history, history.snapshot():
        boundaries = history.house.boundaries(period, since, until)
        made = bars(history.counter(*_P1), boundaries)
        assert len(made) == len(boundaries) - 1


def _peak(path: Path, since: date, until: date) -> None:
    with History(path) as history, history.snapshot():
        boundaries = history.house.boundaries(Period.QUARTER, since, until)
        assert since == until or highest([history.counter(*_P1)], boundaries) is not None


def _prices(path: Path, since: date, until: date) -> None:
    with History(path) as history, history.snapshot():
        boundaries = history.house.boundaries(Period.QUARTER, since, until)
        begins = array("q", boundaries[:-1])
        prices = MomentPrices(begins, _PRICES[: len(begins)], 5, _QUARTER)
        contract = Contract("dynamic", _P1[0], Medium.ELECTRICITY, "kWh", "EUR", moments=prices)
        whole = (boundaries[0], boundaries[-1])
        counters = BilledCounters([history.counter(*_P1)], {}, [])
        (bill,) = bills([contract], counters, history.house, whole, whole)
        assert bill.energy > 0 == bill.unpriced


def _gauge(path: Path, since: date, until: date) -> None:
    with History(path) as history, history.snapshot():
        history.spreads("heat-1", "power", history.house.boundaries(Period.DAY, since, until))


def _by_strftime(path: Path) -> None:
    """The largest less the smallest reading within each local day: it loses what is used between two."""
    connection = sqlite3.connect(path)
    connection.execute(
        "SELECT strftime('%Y-%m-%d', time, 'unixepoch', 'localtime') AS day, max(value) - min(value) "
        "FROM counter WHERE series = 1 GROUP BY day"
    ).fetchall()
    connection.close()


def _a_day(path: Path, *, quick: bool) -> Iterator[Row]:
    """What 24 hours of telegrams every 10 s hand to the kernel; the rival's from one hour, times 24."""
    hours = 1 if quick else 24
    store = Store(path, path.with_name("home.recent.sqlite"), 31 * 86400)
    known = store.open()
    handed, commits = _written(partial(_day_of_ours, store, Intake(known), hours))
    store.close()
    theirs, _ = _written(partial(_hour_of_theirs, path.with_name("rival.sqlite")))
    ours_a_day, theirs_a_day = handed / 1e6 * 24 / hours, theirs / 1e6 * 24
    yield beside(
        "history: a day of telegrams every 10 s",
        "MB to the kernel",
        [ours_a_day],
        "a row per value, a commit per reading",
        [theirs_a_day],
    ).with_goal(12)
    yield alone("history: commits a day", "commits", [commits * 24 / hours], 100)


def _a_reading(rounds: int) -> Row:
    """A telegram a second through intake and ring, beside what its bytes cost in the codec before that."""
    telegrams = [telegram(number) for number in range(_TELEGRAMS)]
    now = datetime.fromtimestamp(END, UTC)

    def decoded() -> list[Telegram]:
        reader, found = P1Reader(), []
        for each in telegrams:
            reader.receive_data(each, now)
            found.append(reader.next_telegram())
        return [each for each in found if each is not None]

    messages = Messages("power-1")
    readings = [
        message
        for second, each in enumerate(decoded())
        for message in messages.of(each, now + timedelta(seconds=second), second, 1.0)
        if message["type"] == "reading"
    ]

    def kept() -> None:
        intake, writers = Intake({}), {"power-1": BlockWriter(), "power-1-gas": BlockWriter()}
        for reading in readings:
            intake.take(reading)
            writers[reading["meter"]].add(reading["time"], reading["measurements"])

    ours, codec = in_turns(rounds, cpu(kept), cpu(decoded))
    return beside(
        "history: a telegram of P1 through intake and ring",
        "µs CPU",
        [each / _TELEGRAMS for each in ours],
        "the codec's own cost",
        [each / _TELEGRAMS for each in codec],
        0.25,
    )


def _written(work: Callable[[], int]) -> tuple[int, int]:
    before = _wchar()
    commits = work()
    return _wchar() - before, commits


def _wchar() -> int:
    """What this process has given to write calls (proc(5), /proc/pid/io)."""
    lines = Path(f"/proc/{os.getpid()}/io").read_text().splitlines()
    return int(next(line for line in lines if line.startswith("wchar")).split()[1])


def _readings(hours: int) -> Iterator[list[Reading]]:
    """Five meters, by quarter of an hour: two P1 meters every 10 s, gas every 5 minutes, heat every hour."""
    for quarter in range(hours * 4):
        begin = END + quarter * 900
        made: list[Reading] = []
        for second in range(0, 900, 10):
            at = begin + second + 3
            made += [_reading(f"power-{number}", at, _telegram(at, number)) for number in (1, 2)]
        if quarter % 4 == 0:
            made += [_reading(f"heat-{number}", begin + 5, _heat(begin, number)) for number in (1, 2, 3)]
        yield made


def _reading(meter: str, at: int, values: dict[str, Measurement]) -> Reading:
    return {
        "type": "reading",
        "meter": meter,
        "time": datetime.fromtimestamp(at, UTC),
        "measurements": values,
    }


def _telegram(at: int, number: int) -> dict[str, Measurement]:
    total, power = Decimal(90_000_000 + (at - END) * number).scaleb(-3), Decimal(at * 7919 % 4000).scaleb(-3)
    values: dict[str, Measurement] = {}
    for key in ("active_energy_import", "active_energy_export"):
        values[key] = {"value": total, "unit": "kWh"}
    for key in ("active_power_import", "active_power_export"):
        values[key] = {"value": power, "unit": "kW"}
    for phase in ("l1", "l2", "l3"):
        values[f"active_power_import_{phase}"] = {"value": power / 4, "unit": "kW"}
        values[f"voltage_{phase}"] = {"value": Decimal(2290 + at // 20 % 30).scaleb(-1), "unit": "V"}
        values[f"current_{phase}"] = {"value": Decimal(at % 9), "unit": "A"}
    return values


def _heat(at: int, number: int) -> dict[str, Measurement]:
    count = Decimal(90_000_000 + (at - END) // 100 * number)
    return {
        "heat_energy": {"value": count.scaleb(-3), "unit": "GJ"},
        "volume": {"value": count.scaleb(-2), "unit": "m³"},
        "volume_times_flow_temperature": {"value": count, "unit": "m³·°C"},
        "power": {"value": Decimal(42), "unit": "kW"},
        "flow_temperature": {"value": Decimal("67.31"), "unit": "°C"},
        "return_temperature": {"value": Decimal("39.60"), "unit": "°C"},
    }


def _day_of_ours(store: Store, intake: Intake, hours: int) -> int:
    writers: dict[str, BlockWriter] = {}
    commits = 0
    for made in _readings(hours):
        gathered = []
        for reading in made:
            gathered += intake.take(reading)
            writers.setdefault(reading["meter"], BlockWriter()).add(reading["time"], reading["measurements"])
        blocks = [writer.finish(meter) for meter, writer in writers.items() if len(writer)]
        store.write([*gathered, *intake.flush()], blocks)
        commits += 1
    return commits


def _hour_of_theirs(path: Path) -> int:
    connection = sqlite3.connect(path)
    connection.executescript(
        "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;"
        "CREATE TABLE value (series INTEGER, time INTEGER, value REAL, PRIMARY KEY (series, time)) "
        "WITHOUT ROWID;"
    )
    commits = 0
    for made in _readings(1):
        for reading in made:
            at = int(reading["time"].timestamp())
            with connection:
                connection.executemany(
                    "INSERT OR REPLACE INTO value VALUES (?, ?, ?)",
                    [
                        (hash((reading["meter"], key)) % 1000, at, float(each["value"]))
                        for key, each in reading["measurements"].items()
                    ],
                )
            commits += 1
    connection.close()
    return commits

"""Telegrams without checksum: what two others bear out counts, and nothing else."""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest

from smart_meter_reader.codecs.p1.agreement import Agreement, Judged
from smart_meter_reader.codecs.p1.telegram import Telegram, TelegramParser
from tests.codecs.p1 import damage
from tests.codecs.p1.streams import read, reasons
from tests.codecs.p1.vectors import wire

LINES = (
    "0-0:96.1.1(4B384547)",
    "1-0:1.8.1(01234.{counter:03d}*kWh)",
    "1-0:1.8.2(00500.000*kWh)",
    "0-0:96.14.0({tariff})",
    "1-0:1.7.0({power}*kW)",
    "0-0:96.13.0({text})",
    "0-1:24.1.0(3)",
    "0-1:96.1.0(3238)",
    "0-1:24.3.0({gas_time})(00)(60)(1)(0-1:24.2.1)(m3)\r\n({gas})",
)
USUAL = {
    "counter": 100,
    "tariff": "0001",
    "power": "00.50",
    "text": "",
    "gas_time": "240115200000",
    "gas": "00100.000",
}


def telegram(parser: TelegramParser | None = None, **changed: object) -> Telegram:
    lines = "\r\n".join(LINES).format(**{**USUAL, **changed})
    raw = f"/ISk5\\2MT382-1003\r\n\r\n{lines}\r\n!".encode()
    return (parser or TelegramParser()).parse(raw, "absent")


def judge(*telegrams: Telegram, every: float = 10.0) -> list[Judged]:
    agreement = Agreement()
    return [agreement.take(each, number * every) for number, each in enumerate(telegrams)]


def confirmed(judged: list[Judged]) -> list[Telegram]:
    return [each.confirmed for each in judged if each.confirmed is not None]


def power(found: Telegram) -> str | None:
    item = found.measurements.get("active_power_import")
    line = found.objects.get("1-0:1.7.0")
    assert (item is None) == (line is None)
    assert item is None or (isinstance(line, dict) and line["value"] == item["value"])
    return None if item is None else str(item["value"])


def test_a_telegram_counts_when_the_next_one_is_there() -> None:
    sent = [telegram(counter=100 + number) for number in range(4)]
    judged = judge(*sent)
    # The first one is a witness: nothing stands before it, and its counter has moved on.
    assert [each.confirmed for each in judged] == [None, None, sent[1], sent[2]]
    assert [each.received_at for each in judged[2:]] == [10.0, 20.0]
    assert [each.refused for each in judged] == [()] * 4


def test_two_that_say_the_same_bear_each_other_out() -> None:
    assert confirmed(judge(telegram(), telegram())) == [telegram()]
    assert confirmed(judge(telegram())) == []


@pytest.mark.parametrize("damaged", [0, 99, 108, 900])
def test_a_total_that_does_not_go_with_both_others_refuses_its_telegram(damaged: int) -> None:
    sent = [telegram(counter=number) for number in (100, 101, damaged, 103, 104, 105)]
    judged = judge(*sent)
    assert confirmed(judged) == [sent[1], sent[3], sent[4]]
    (refused,) = [reason for each in judged for reason in each.refused]
    assert "active_energy_import" in refused


def test_a_total_between_its_neighbours_is_what_no_reader_can_tell() -> None:
    sent = [telegram(counter=number) for number in (100, 102, 104, 105)]
    assert confirmed(judge(*sent)) == sent[1:3]


@pytest.mark.parametrize(
    "changed",
    [
        {"gas": "00100.0000"},
        {"gas": "09100.000"},
        {"gas_time": "240115220000"},
        {"gas_time": "240115180000"},
        {"power": "00.500"},
    ],
)
def test_what_stands_still_refuses_or_is_left_out_when_it_moves(changed: dict[str, Any]) -> None:
    odd = telegram(counter=102, **changed)
    sent = [telegram(counter=100), telegram(counter=101), odd]
    sent += [telegram(counter=number) for number in (103, 104, 105)]
    for found in confirmed(judge(*sent)):
        assert found.meters["gas"].measurements == sent[0].meters["gas"].measurements
        assert found.objects.keys() == sent[0].objects.keys()
        assert power(found) == "0.50"


@pytest.mark.parametrize(
    ("was", "becomes"),
    [
        (b"1-0:1.8.2", b"1-0:1.8.3"),
        (b"*kWh", b"*kwh"),
        (b"*kW)", b"*kV)"),
        (b"(4B384547)", b"(4B384546)"),
        (b"(3238)", b"(3239)"),
        (b"24.1.0(3)", b"24.1.0(7)"),
        (b"MT382", b"MT392"),
    ],
)
def test_units_codes_and_identifications_are_the_same_in_all(was: bytes, becomes: bytes) -> None:
    stream = b""
    for number in range(6):
        body = "\r\n".join(LINES).format(**{**USUAL, "counter": 100 + number})
        raw = f"/ISk5\\2MT382-1003\r\n\r\n{body}\r\n!\r\n".encode()
        stream += raw.replace(was, becomes, 1) if number == 2 else raw
    sent = [outcome for outcome in read(stream) if isinstance(outcome, Telegram)]
    assert len(sent) == 6
    judged = judge(*sent)
    assert confirmed(judged) == [sent[1], sent[3], sent[4]]
    assert [len(each.refused) for each in judged] == [0, 0, 0, 1, 0, 0]


@pytest.mark.parametrize(
    ("powers", "told"),
    [
        (("0.50", "4.50", "0.52"), "0.52"),  # damage, or a peak that nobody else has seen
        (("0.50", "0.10", "0.52"), "0.50"),
        (("0.50", "2.40", "2.41"), "2.40"),  # somebody boils water
        (("2.41", "2.40", "0.50"), "2.40"),
        (("0.50", "2.40", "6.00"), None),  # of three far apart none counts
        (("0.00", "0.00", "9.00"), "0.00"),
        (("3.00", "4.00", "9.00"), "4.00"),  # a quarter of the greater is near
        (("2.99", "4.00", "9.00"), None),
    ],
)
def test_a_momentary_value_is_the_middle_one_of_three(powers: tuple[str, ...], told: str | None) -> None:
    sent = [telegram(power=each, counter=100 + number) for number, each in enumerate(powers)]
    judged = judge(*sent)
    (found,) = confirmed(judged)
    assert power(found) == told
    assert judged[-1].left_out == (() if told else ("1-0:1.7.0",))


def test_a_code_counts_when_a_neighbour_says_the_same() -> None:
    sent = [
        telegram(tariff=tariff, counter=1 + n) for n, tariff in enumerate(("0001", "0001", "0002", "0002"))
    ]
    assert [each.measurements["tariff"]["value"] for each in confirmed(judge(*sent))] == [1, 2]
    sent = [telegram(tariff=tariff, counter=1 + n) for n, tariff in enumerate(("0001", "0003", "0001"))]
    judged = judge(*sent)
    assert ["tariff" in each.measurements for each in confirmed(judged)] == [False]
    assert judged[-1].left_out == ("0-0:96.14.0",)


def test_another_tariff_hour_of_gas_and_text_pass() -> None:
    new: dict[str, Any] = {"gas_time": "240115210000", "gas": "00102.345", "tariff": "0002", "text": "3031"}
    sent = [telegram(counter=number, **(new if number > 102 else {})) for number in range(100, 107)]
    assert confirmed(judge(*sent)) == sent[1:-1]


def test_another_meter_is_read_on() -> None:
    """Its totals begin anew: what two in a row say counts from then on, and nothing hangs."""
    old = [telegram(counter=number) for number in (500, 501, 502)]
    new = [telegram(counter=number) for number in (1, 2, 3, 4)]
    judged = judge(*old, *new)
    assert confirmed(judged) == [old[1], new[1], new[2]]
    assert sum(len(each.refused) for each in judged) == 1


def test_a_device_more_is_read_on() -> None:
    parser = TelegramParser()
    sent = [telegram(parser, counter=number) for number in (1, 2, 3)]
    more = [*LINES, "0-2:24.1.0(7)"]
    for number in (4, 5, 6, 7):
        lines = "\r\n".join(more).format(**{**USUAL, "counter": number})
        sent.append(parser.parse(f"/ISk5\\2MT382-1003\r\n\r\n{lines}\r\n!".encode(), "absent"))
    assert confirmed(judge(*sent)) == [sent[1], sent[4], sent[5]]


def test_a_pause_is_no_leap() -> None:
    """A kilowatt-hour in ten seconds nobody takes, in five minutes somebody does."""
    sent = [telegram(counter=number) for number in (0, 1)]
    later = [telegram(counter=number) for number in (990, 991, 992)]
    assert confirmed(judge(*sent, *later, every=60.0)) == [sent[1], *later[:2]]
    assert confirmed(judge(*sent, *later, every=10.0)) == [later[1]]


def test_a_clock_goes_on() -> None:
    def at(*times: str) -> list[Judged]:
        body = "/ADN9 6534\r\n\r\n0-0:1.0.0({})\r\n1-0:1.8.0(00001.000*kWh)\r\n!"
        return judge(*(TelegramParser().parse(body.format(time).encode(), "absent") for time in times))

    good = at("240115120000W", "240115120010W", "240115120020W", "240115120030W")
    assert ["0-0:1.0.0" in each.objects for each in confirmed(good)] == [True, True]
    odd = at(
        "240115120000W", "240115160010W", "240115120020W", "240115120030W", "240115120040W", "240115120050W"
    )
    assert ["0-0:1.0.0" in each.objects for each in confirmed(odd)] == [False, False, True, True]


def bits(stream: bytes, marker: bytes) -> Iterator[bytes]:
    """``stream`` with each bit of the second ``marker`` turned over, one after the other."""
    begin = stream.index(marker, stream.index(marker) + 1)
    for position in range(8 * begin, 8 * (begin + len(marker))):
        spoilt = bytearray(stream)
        spoilt[position // 8] ^= 1 << position % 8
        yield bytes(spoilt)


@pytest.mark.parametrize("vector", damage.METERS)
@pytest.mark.parametrize("ends", [b"\r\n", b"\n"])
def test_a_damaged_line_end_spoils_no_unit_of_a_telegram_behind_it(vector: str, ends: bytes) -> None:
    whole = wire(vector)
    raw = whole[: whole.index(b"\n!") + 2].replace(b"\r\n", ends) + ends
    good = [outcome for outcome in read(raw * 3) if isinstance(outcome, Telegram)][-1]
    for line in re.findall(rb"[0-9*.]\([^\n]*\)\r?\n", raw):
        for spoilt in bits(raw, line[line.index(b")") :]) if raw.count(line[line.index(b")") :]) > 1 else ():
            outcomes = read(raw + spoilt + raw + raw, one_meter=True)
            judged = confirmed(judge(*(each for each in outcomes if isinstance(each, Telegram))))
            assert judged
            assert all(each.measurements == good.measurements for each in judged)
            last = outcomes[-1]
            assert isinstance(last, Telegram)
            assert last.objects == good.objects


@pytest.mark.parametrize(
    "line", ["rubbish", "1-0:1.8.1(1*kWh)1-0:1.8.2(2*kWh)", "1-0:1.8.1(1*k?h)", "0-0:96.13.0(\x1b)"]
)
def test_a_malformed_line_refuses_a_telegram_without_checksum(line: str) -> None:
    raw = f"/ISk5\r\n\r\n1-0:1.8.2(1.0*kWh)\r\n{line}\r\n!\r\n".encode()
    assert reasons(read(raw)) == ["malformed"]


def test_one_flipped_bit_in_each_of_three_thousand_telegrams() -> None:
    """Never another unit; what is wrong beyond what no reader can tell is two in a row, damaged alike."""
    wrong = values = 0
    for vector in damage.METERS:
        # Where all are damaged, three in a row that bear each other out are chance: 2 to 15 of 375 for one
        # meter, and none in a twelfth of the runs.
        outcome = damage.run(vector, 375, seed=1)
        assert outcome.published, vector
        assert outcome.wrong_units == 0, outcome
        wrong, values = wrong + outcome.wrong.total(), values + outcome.values
    assert wrong <= values / 1000


def test_one_flipped_bit_in_every_third_telegram() -> None:
    for vector in damage.METERS:
        outcome = damage.run(vector, 375, one_in=3)
        assert outcome.published > outcome.sent / 2, outcome
        assert outcome.wrong_units == 0, outcome
        assert not outcome.wrong, outcome


def test_the_digits_are_the_meters() -> None:
    (found,) = confirmed(judge(telegram(), telegram()))
    assert str(found.measurements["active_energy_import_tariff_1"]["value"]) == "1234.100"
    assert isinstance(found.measurements["active_energy_import"]["value"], Decimal)

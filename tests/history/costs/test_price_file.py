"""Prices from a file: both ways in which people write them, and a sentence for each line that is none."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from smart_meter_reader.history.costs.contracts import PriceCurve
from smart_meter_reader.history.costs.price_file import PriceFileError, PriceFiles, read_prices

HOUR = 3600
BEGIN = 1_774_000_800  # 2026-03-20T10:00:00Z


def written(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


def test_commas_and_points(tmp_path: Path) -> None:
    text = "time,price\n2026-03-20T12:00:00+02:00,0.25\n2026-03-20T10:00:00Z,-0.012\n\n"
    found = read_prices(written(tmp_path / "p.csv", text.replace("12:00:00+02", "13:00:00+02")))
    assert list(found.begins) == [BEGIN, BEGIN + HOUR]
    assert ([*found.prices], found.decimals, found.longest) == ([-12, 250], 3, HOUR)


def test_semicolons_and_decimal_commas(tmp_path: Path) -> None:
    text = "\ufeffTid;Pris\r\n2026-03-20T11:00:00+01:00;1,25\r\n2026-03-20T12:00:00+01:00;80\r\n"
    found = read_prices(written(tmp_path / "p.csv", text), Decimal("0.001"))
    assert [Decimal(price or 0).scaleb(-found.decimals) for price in found.prices] == [
        Decimal("0.00125"),
        Decimal("0.08"),
    ]
    curve = found.curve(BEGIN, BEGIN + 2 * HOUR, Decimal("0.1"))
    assert curve == PriceCurve([BEGIN, BEGIN + HOUR], [10125, 18000], 5)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("2026-03-20T10:00:00,1", "line 1: '2026-03-20T10:00:00' has no offset"),
        ("time,price\n20/3/2026,1", "line 2: '20/3/2026' is no time; a line is such as 2026-"),
        ("2026-03-20T10:00Z", "line 1: a line is a time and a price"),
        ("2026-03-20T10:00Z,cheap", "line 1: 'cheap' is no price; write one as 0.2317"),
        ("2026-03-20T10:00Z,NaN", "line 1: 'NaN' is no price"),
        ("2026-03-20T10:00Z,1E+99", "line 1: '1E+99' is no price"),
        ("2026-03-20T10:00Z,1\n2026-03-20T11:00+01:00,1", "has two prices for"),
    ],
)
def test_what_is_no_price_is_named_by_its_line(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(PriceFileError) as refused:
        read_prices(written(tmp_path / "p.csv", text))
    assert said in refused.value.detail
    assert "p.csv" in refused.value.detail


def test_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(PriceFileError, match="No such file"):
        PriceFiles().prices(tmp_path / "p.csv", Decimal(1))
    with pytest.raises(PriceFileError, match="Is a directory"):
        read_prices(tmp_path)
    (tmp_path / "p.csv").write_bytes(b"2026-03-20T10:00Z,1\xff")
    with pytest.raises(PriceFileError, match="no text in UTF-8"):
        read_prices(tmp_path / "p.csv")


def test_a_changed_file_is_read_again(tmp_path: Path) -> None:
    files = PriceFiles()
    path = written(tmp_path / "p.csv", "2026-03-20T10:00Z,1\n")
    first = files.prices(path, Decimal(1))
    assert files.prices(path, Decimal(1)) is first
    written(path, "2026-03-20T10:00Z,1\n2026-03-20T11:00Z,2\n")
    assert len(files.prices(path, Decimal(1)).prices) == 2

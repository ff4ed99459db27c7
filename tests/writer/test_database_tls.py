"""The writer and a real PostgreSQL with certificates: whom it trusts, and what it warns of."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from smart_meter_reader.console.checks import Check, Level
from smart_meter_reader.exceptions import NeedsAPersonError
from smart_meter_reader.writer.database import Database
from smart_meter_reader.writer.examination import examine_database
from smart_meter_reader.writer.settings import WriterSettings, load_writer
from tests.fleet.fleet import ROOT
from tests.peers.mosquitto import Certificates, make_certificates
from tests.peers.postgresql import PostgresServer
from tests.sinks.postgresql.cluster import Cluster, cluster
from tests.writer.test_database import told

pytestmark = pytest.mark.xdist_group("PostgreSQL with TLS")


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return make_certificates(tmp_path_factory.mktemp("certificates"))


@pytest.fixture(scope="module")
def secure(certificates: Certificates) -> Iterator[Cluster]:
    with cluster(certificates.server) as server:
        yield server


def address(server: PostgresServer, options: str = "") -> str:
    """By the name that is in its certificate."""
    return server.url().replace("127.0.0.1", "localhost") + options


async def refusal(settings: WriterSettings) -> str:
    database = Database(settings)
    try:
        with pytest.raises(NeedsAPersonError) as caught:
            await database.open()
    finally:
        await database.close()
    return caught.value.detail


async def checks(settings: WriterSettings) -> list[Check]:
    return [check async for check in examine_database(settings)]


async def test_the_database_is_verified_by_a_ca_of_ones_own(
    secure: Cluster, certificates: Certificates
) -> None:
    right = WriterSettings(database=address(secure), database_tls=True, database_ca=certificates.ca)
    database = Database(right)
    await database.open()
    try:
        await database.prepare()
        assert (await database.write([told(1)])).new == 2
        assert (await database.who())[2]
    finally:
        await database.close()
    found = await checks(right)
    assert [check.level for check in found] == [Level.OK] * 3
    assert "lets smr in over TLS" in found[0].text
    assert f"TLS verifies it by {certificates.ca}" in found[1].text


async def test_who_cannot_be_verified_gets_nothing(secure: Cluster, certificates: Certificates) -> None:
    stranger = WriterSettings(database=address(secure), database_tls=True, database_ca=certificates.other_ca)
    assert f"is not signed by `database_ca` ({certificates.other_ca})" in await refusal(stranger)
    unknown = WriterSettings(database=address(secure), database_tls=True)
    assert "set `database_ca` to the CA that signed it" in await refusal(unknown)
    [check] = await checks(unknown)
    assert check.level is Level.UNAVAILABLE
    missing = WriterSettings(database=address(secure), database_tls=True, database_ca=Path("/nowhere/ca.pem"))
    assert "`database_ca` (/nowhere/ca.pem) cannot be used" in await refusal(missing)
    by_address = WriterSettings(
        database=address(secure, f"?sslmode=verify-full&sslrootcert={certificates.other_ca}")
    )
    assert "is not signed by" in await refusal(by_address)


async def test_a_certificate_of_another_host(certificates: Certificates) -> None:
    with cluster(certificates.misnamed_server) as server:
        said = await refusal(
            WriterSettings(database=address(server), database_tls=True, database_ca=certificates.ca)
        )
    assert "is for another name: set `database` to a name in it" in said


async def test_the_check_warns_of_one_that_nobody_verifies_whether_it_is_there_or_not() -> None:
    away = WriterSettings(database="postgresql://u@db.invalid/d")
    assert [check.level for check in await checks(away)] == [Level.WARNING, Level.UNAVAILABLE]


async def test_a_database_without_tls_gets_nothing_either(
    postgres: PostgresServer, certificates: Certificates
) -> None:
    said = await refusal(
        WriterSettings(database=address(postgres), database_tls=True, database_ca=certificates.ca)
    )
    assert "switch `ssl` on there" in said


@pytest.mark.parametrize(
    ("database", "said"),
    [
        ("postgresql://u@db.lan/d", "db.lan is the right database, and what goes there may go unencrypted"),
        ("postgresql://u@db.lan/d?sslmode=disable", "may go unencrypted"),
        ("postgresql://u@db.lan:5432/d?sslmode=require", "db.lan is the right database: set `database_tls`"),
        ("postgresql://localhost,10.0.0.3:5433/d", "that 10.0.0.3 is the right"),
        ("postgresql:///d?host=db.lan", "that db.lan is the right"),
        ("postgresql://[fd00::1]:5432/d", "that fd00::1 is the right"),
        ("postgresql://u@db.lan/d?sslmode=verify-full", ""),
        ("postgresql://u@127.0.0.1:5432/d", ""),
        ("postgresql://u@[::1]/d", ""),
        ("postgresql:///d?host=/run/postgresql", ""),
        ("postgresql:///d", ""),
    ],
)
def test_a_database_that_nobody_verifies_is_warned_of(tmp_path: Path, database: str, said: str) -> None:
    (tmp_path / "config.py").write_text((ROOT / "config.py").read_text())
    (tmp_path / "settings.toml").write_text(f'[writer]\ndatabase = "{database}"\n')
    warnings = [each for each in load_writer(tmp_path).warnings if "nobody verifies" in each]
    assert len(warnings) == bool(said)
    assert said in "".join(warnings)


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        ({"database_ca": Path("/x")}, "set `database_tls` to true"),
        ({"database_tls": True, "database": "postgresql://h/d?sslmode=require"}, "leave sslmode out"),
        ({"database_tls": True, "database": "postgresql:///d"}, "over the database's socket"),
    ],
)
def test_settings_of_tls_that_do_not_go_together(keys: dict[str, object], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        WriterSettings(**{"database": "postgresql://u@h/d", **keys})  # type: ignore[arg-type]

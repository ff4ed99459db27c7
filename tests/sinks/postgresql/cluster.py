"""A real PostgreSQL that asks for passwords, speaks TLS where it is wanted, and can be frozen."""

from __future__ import annotations

import os
import shutil
import signal
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from tests.peers.postgresql import USER, PostgresServer

LOGIN, PASSWORD, DATABASE = "meters", "open sesame", "home"
# That of the tests is let in as it comes, everybody else by password.
_HBA = f"host all {USER} 127.0.0.1/32 trust\nhost all all all scram-sha-256\n"


class Cluster(PostgresServer):
    """Its database ``home`` belongs to the login ``meters``."""

    def __init__(self, folder: Path, certificate: Path | None = None) -> None:
        super().__init__(folder)
        cluster = folder / "cluster"
        (cluster / "pg_hba.conf").write_text(_HBA)
        if certificate is not None:
            key = Path(shutil.copy(certificate, cluster / "server.pem"))
            key.chmod(0o600)
            if "user" in self._as:
                os.chown(key, self._as["user"], self._as["group"])
            with (cluster / "postgresql.conf").open("a") as settings:
                settings.write("ssl = on\nssl_cert_file = 'server.pem'\nssl_key_file = 'server.pem'\n")

    def freeze(self) -> None:
        """Nothing comes back any more, from none of its processes."""
        self._signal_all(signal.SIGSTOP)

    def thaw(self) -> None:
        self._signal_all(signal.SIGCONT)

    def _signal_all(self, number: signal.Signals) -> None:
        assert self._process is not None
        os.kill(self._process.pid, number)
        for stat in Path("/proc").glob("[0-9]*/stat"):
            try:
                parent = int(stat.read_text().rpartition(")")[2].split()[1])
            except (OSError, ValueError):
                continue  # it has ended meanwhile
            if parent == self._process.pid:
                os.kill(int(stat.parent.name), number)

    async def do(self, *statements: str, database: str = DATABASE) -> None:
        """As the owner of all."""
        connection = await asyncpg.connect(self.url(database))
        try:
            for statement in statements:
                await connection.execute(statement)
        finally:
            await connection.close()

    async def set_up(self) -> None:
        """The login and its database, with nothing of what was there before."""
        if not self.runs:
            self.start()
        self.thaw()
        for statement in (
            f"DROP DATABASE IF EXISTS {DATABASE} WITH (FORCE)",
            f"DROP ROLE IF EXISTS {LOGIN}",
            "DROP ROLE IF EXISTS guest",
            f"CREATE USER {LOGIN} PASSWORD '{PASSWORD}'",
            f"CREATE DATABASE {DATABASE} OWNER {LOGIN}",
        ):
            await self.do(statement, database="postgres")

    async def rows(self, columns: str = "*", table: str = "smart_meter") -> list[Any]:
        return await self.asked(f"SELECT {columns} FROM {table}", database=DATABASE)  # noqa: S608


@contextmanager
def cluster(certificate: Path | None = None) -> Iterator[Cluster]:
    """One that runs, ended and removed with the block; the test is left out where there is no PostgreSQL."""
    if not any(Path("/usr/lib/postgresql").glob("*/bin/postgres")):
        pytest.skip("there is no PostgreSQL: sudo apt install postgresql")
    with tempfile.TemporaryDirectory(prefix="smr-postgresql-") as name:
        server = Cluster(Path(name), certificate)
        try:
            server.start()
            yield server
        finally:
            if server.runs:
                server.thaw()
            server.stop()

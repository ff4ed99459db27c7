"""A real PostgreSQL for tests: a private cluster in a temporary directory, on a free loopback port."""

from __future__ import annotations

import hashlib
import os
import pwd
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import asyncpg

from tests.peers.ports import free_port

PATIENCE = 30.0
USER = "smr"
# It refuses to run as root; this user has no rights and comes with every Debian.
UNPRIVILEGED = "nobody"
_READY = b"database system is ready to accept connections"  # asking with pg_isready takes a process each time


def programs() -> Path:
    """Where initdb and postgres are; Debian keeps them off the PATH. The newest."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"), key=lambda path: int(path.parts[4]))
    if not found:
        raise FileNotFoundError("no PostgreSQL is installed: scripts/test installs it")
    return found[-1].parent


class PostgresServer:
    """One cluster with the user ``smr``; everybody on this computer is let in as long as it runs."""

    def __init__(self, folder: Path) -> None:
        self.port = free_port()
        self._folder = folder
        self._as: dict[str, Any] = {}
        if os.geteuid() == 0:
            user = pwd.getpwnam(UNPRIVILEGED)
            os.chown(folder, user.pw_uid, user.pw_gid)
            self._as = {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
        self._process: subprocess.Popen[bytes] | None = None
        self._make()

    def _make(self) -> None:
        """A copy of what initdb once made, which took six times as long; it is kept between runs."""
        # Nothing of a test is worth an fsync.
        options = ["-A", "trust", "-U", USER, "-E", "UTF8", "--locale=C.UTF-8", "--no-sync"]
        program = programs() / "initdb"
        told = repr((program, program.stat().st_mtime_ns, options, self._as))
        caches = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
        kept = caches / "smart_meter_reader" / "postgresql" / hashlib.sha256(told.encode()).hexdigest()[:16]
        cluster = self._folder / "cluster"
        if kept.exists():
            _copy(kept, cluster)
            return
        subprocess.run(
            [str(program), "-D", str(cluster), *options],
            check=True, stdout=subprocess.DEVNULL, cwd=self._folder, **self._as,
        )  # fmt: skip
        kept.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=kept.parent) as name:
            _copy(cluster, Path(name) / "cluster")
            with suppress(OSError):  # another process was quicker
                (Path(name) / "cluster").rename(kept)

    def url(self, database: str = "postgres") -> str:
        return f"postgresql://{USER}@127.0.0.1:{self.port}/{database}"

    @property
    def runs(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def start(self) -> None:
        """Start it, and wait until it takes connections."""
        assert self._process is None or self._process.poll() is not None
        with (self._folder / "log").open("ab") as log:
            begins = log.tell()
            self._process = subprocess.Popen(
                [
                    str(programs() / "postgres"), "-D", str(self._folder / "cluster"),
                    "-c", f"port={self.port}", "-c", "listen_addresses=127.0.0.1",
                    "-c", f"unix_socket_directories={self._folder}", "-c", "fsync=off",
                ],
                stdout=log, stderr=log, cwd=self._folder, **self._as,
            )  # fmt: skip
        until = time.monotonic() + PATIENCE
        while _READY not in (self._folder / "log").read_bytes()[begins:]:
            assert self.runs, self.log()
            assert time.monotonic() < until, self.log()
            time.sleep(0.05)

    def stop(self) -> None:
        """End it at once and in order (SIGINT, "fast")."""
        if self.runs:
            assert self._process
            self._process.send_signal(signal.SIGINT)
            try:
                self._process.wait(PATIENCE)
            except subprocess.TimeoutExpired:
                self._process.send_signal(signal.SIGQUIT)
                self._process.wait()

    def kill(self) -> None:
        """As a crash: its own children notice and end."""
        if self.runs:
            assert self._process
            self._process.send_signal(signal.SIGQUIT)
            self._process.wait()

    def log(self) -> str:
        return (self._folder / "log").read_text(errors="replace")

    async def create(self, database: str) -> str:
        """A new database; its address."""
        connection = await asyncpg.connect(self.url())
        try:
            await connection.execute(f'CREATE DATABASE "{database}"')
        finally:
            await connection.close()
        return self.url(database)

    async def asked(self, statement: str, *values: object, database: str = "postgres") -> list[Any]:
        """What it answers: rows."""
        connection = await asyncpg.connect(self.url(database))
        try:
            found: list[Any] = await connection.fetch(statement, *values)
            return found
        finally:
            await connection.close()


def _copy(cluster: Path, to: Path) -> None:
    """With its owner and modes."""
    subprocess.run(["cp", "--archive", str(cluster), str(to)], check=True)


@contextmanager
def postgres_server() -> Iterator[PostgresServer]:
    """One that runs, ended and removed with the block. Not in pytest's, which is closed to others."""
    with tempfile.TemporaryDirectory(prefix="smr-postgresql-") as name:
        server = PostgresServer(Path(name))
        try:
            server.start()
            yield server
        finally:
            server.stop()

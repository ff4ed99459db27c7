"""A real PgBouncer for tests, before a PostgreSQL, in transaction pooling mode."""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from tests.peers.ports import free_port
from tests.peers.postgresql import UNPRIVILEGED

_PATIENCE = 30.0
_SETTINGS = """\
[databases]
* = host=127.0.0.1 port={server}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {port}
unix_socket_dir =
auth_type = any
pool_mode = transaction
default_pool_size = {connections}
; What is idle the longest is taken first: each transaction is another connection's.
server_round_robin = 1
"""


@asynccontextmanager
async def pgbouncer(server_port: int, user: str, *, connections: int = 3) -> AsyncIterator[int]:
    """Its port; everybody is ``user`` behind it. The test is left out where there is no PgBouncer."""
    program = shutil.which("pgbouncer", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
    if program is None:
        pytest.skip("there is no PgBouncer: sudo apt install pgbouncer")
    port = free_port()
    with tempfile.TemporaryDirectory(prefix="smr-pgbouncer-") as name:
        settings = Path(name) / "pgbouncer.ini"
        text = _SETTINGS.format(server=server_port, port=port, connections=connections)
        settings.write_text(text.replace("* = ", f"* = user={user} "))
        # It refuses to run as root, and reads its settings as whom it becomes.
        Path(name).chmod(0o755)
        options = ["-u", UNPRIVILEGED] if os.geteuid() == 0 else []
        with (Path(name) / "log").open("wb") as log:
            process = subprocess.Popen([program, "-q", *options, str(settings)], stdout=log, stderr=log)
        try:
            async with asyncio.timeout(_PATIENCE):
                while not await _listens(port):
                    assert process.poll() is None, (Path(name) / "log").read_text()
                    await asyncio.sleep(0.05)
            yield port
        finally:
            process.terminate()
            process.wait(_PATIENCE)


async def _listens(port: int) -> bool:
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
    except ConnectionError:
        return False
    writer.close()
    return True

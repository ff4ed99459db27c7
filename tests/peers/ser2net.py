"""A real ser2net between a test and a pseudo-terminal."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from tests.peers.ports import free_port


@asynccontextmanager
async def ser2net(
    device: str, folder: Path, *, accepter: str, line: str = "1200n82", port: int = 0
) -> AsyncIterator[str]:
    """Serve ``device``; gives ``host:port``. ``accepter`` is "tcp" or "telnet(rfc2217),tcp"."""
    port = port or free_port()
    settings = folder / f"ser2net-{port}.yaml"
    settings.write_text(
        f"connection: &meter\n  accepter: {accepter},127.0.0.1,{port}\n"
        f"  connector: serialdev,{device},{line},local\n"
    )
    process = await asyncio.create_subprocess_exec(
        *("ser2net", "-n", "-d", "-u", "-c", str(settings)),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        await _until_it_listens(port, process)
        yield f"127.0.0.1:{port}"
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def _until_it_listens(port: int, process: asyncio.subprocess.Process) -> None:
    # Looks at the kernel's table: a connection to find out would take the device.
    wanted = f":{port:04X} "
    async with asyncio.timeout(10):
        while process.returncode is None:
            for line in Path("/proc/net/tcp").read_text().splitlines():
                fields = line.split()
                if fields[3] == "0A" and f"{fields[1]} ".endswith(wanted):
                    return
            await asyncio.sleep(0.02)
    raise AssertionError("ser2net did not start")

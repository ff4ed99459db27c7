"""What means harm in a soak run: brokers, serial and web servers, and a P1 port whose fields are nonsense.

    python -m benchmarks.soak_hostile

A program of its own, since what floods must not slow down the meters of the run. Says its tables of settings
as a line of JSON; when its standard input ends, it says how many connections there were.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Mapping
from contextlib import AsyncExitStack
from pathlib import Path
from types import MappingProxyType

from tests.peers.hostile import BROKERS, SERIAL_SERVERS, WEB_SERVERS, Talk, in_turns, serving
from tests.peers.hostile_p1 import HostileP1

ROOT = Path(__file__).parents[1]
# Each connection gets the next of its kind, for so long; on the whole every one of them has its turns.
TURN = 10.0
_BROKERS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "evil-history": ("mqtt_json", "5"),
        "evil-homie": ("homie", "3.1.1"),
        "evil-discovery": ("home_assistant", "5"),
    }
)


class HostilePeers:
    """The program, as the soak sees it; ``settings`` leads the service to them."""

    def __init__(self) -> None:
        self.settings = ""
        self.met = 0
        self._process: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        self._process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "benchmarks.soak_hostile"),
            cwd=ROOT,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
        )
        assert self._process.stdout is not None
        self.settings = "".join(json.loads(await self._process.stdout.readline()))

    async def stop(self) -> None:
        assert self._process is not None
        output, _ = await self._process.communicate(b"")  # which ends its standard input
        self.met = int(output)


async def main() -> None:
    """Serve until standard input ends."""
    met, tables = 0, []

    def count() -> None:
        nonlocal met
        met += 1

    async with AsyncExitStack() as stack:

        async def serve(peers: Mapping[str, Talk], first: int = 0) -> int:
            return await stack.enter_async_context(serving(in_turns(peers, TURN, first, count)))

        for number, (name, (kind, version)) in enumerate(_BROKERS.items()):
            port = await serve(BROKERS, number * len(BROKERS) // len(_BROKERS))
            tables.append(
                f'[soak.sinks.{name}]\ntype = "{kind}"\nhost = "127.0.0.1"\nport = {port}\n'
                f'protocol = "{version}"\n'
            )
        port = await serve(WEB_SERVERS)
        tables.append(
            f'[soak.sinks.evil-web]\ntype = "home_assistant_rest"\nurl = "http://127.0.0.1:{port}"\n'
            'token = "none"\ntimeout = "2s"\n'
        )
        port = await serve(SERIAL_SERVERS)
        tables.append(f'[soak.meters.evil-server]\nclient = "dsmr"\nport = "rfc2217://127.0.0.1:{port}"\n')
        port = await serve({"nonsense": HostileP1().talk})
        tables.append(
            f'[soak.meters.evil-p1]\nclient = "dsmr"\nport = "socket://127.0.0.1:{port}"\n'
            'baud = 115200\ninterval = "0s"\ntimeout = "3s"\n'
        )
        print(json.dumps(tables), flush=True)
        await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    print(met)


if __name__ == "__main__":
    asyncio.run(main())

"""Many KMP meters on TCP ports of loopback, at the speed of an optical head: a program.

    python -m benchmarks.kmp_meters COUNT

Says the ports as JSON; when its standard input ends, how many answers with registers each has sent.
"""

from __future__ import annotations

import asyncio
import json
import sys
from contextlib import AsyncExitStack

from smart_meter_reader.codecs.kmp import GetRegisterRequest
from smart_meter_reader.emulators.stream import on_tcp
from smart_meter_reader.meters.kmp.emulator import KamstrupMeter
from smart_meter_reader.meters.kmp.lines import OPTICAL_LINE


async def main(count: int) -> None:
    meters = [KamstrupMeter(seed=number) for number in range(count)]
    async with AsyncExitStack() as stack:
        places = [await stack.enter_async_context(on_tcp(meter, line=OPTICAL_LINE)) for meter in meters]
        print(json.dumps([int(place.rpartition(":")[2]) for place in places]), flush=True)
        # Standard input ends when the benchmark has seen enough.
        await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
        asked = [sum(isinstance(each, GetRegisterRequest) for each in meter.asked) for meter in meters]
        print(json.dumps(asked))


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1])))

"""Fixtures of a fleet: `certificates`, one server, `fleet`."""

from __future__ import annotations

from collections.abc import AsyncIterator
from itertools import count
from pathlib import Path

import pytest

from tests.fleet.fleet import Fleet, Keys
from tests.peers.mosquitto import certificates
from tests.peers.nats import NatsServer, Setup, nats_server
from tests.peers.postgresql import PostgresServer

__all__ = ["certificates", "fleet", "hub", "keys"]

_numbers = count(1)


@pytest.fixture
def keys() -> Keys:
    return Keys()


@pytest.fixture
async def hub(tmp_path: Path, keys: Keys) -> AsyncIterator[NatsServer]:
    """One server with the accounts of the example."""
    async with nats_server(tmp_path / "hub", Setup(accounts=keys.accounts())) as server:
        yield server


@pytest.fixture
async def fleet(
    tmp_path: Path, keys: Keys, hub: NatsServer, postgres: PostgresServer
) -> AsyncIterator[Fleet]:
    """At that server, with a database of its own; streams and tables are made."""
    database = await postgres.create(f"fleet{next(_numbers)}")
    found = Fleet(tmp_path, keys, [hub.url], database)
    found.prepare()
    try:
        yield found
    finally:
        found.stop()

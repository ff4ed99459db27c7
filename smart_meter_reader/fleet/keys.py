"""New nkeys for edges, writers and administrators: what `nsc` makes elsewhere, which Debian does not have."""

from __future__ import annotations

import os
from dataclasses import dataclass

import nkeys

from smart_meter_reader.settings.schema import Secret


@dataclass(frozen=True, slots=True)
class NewKey:
    """The ``seed`` stays with whoever connects; the ``public`` half stands in the servers' configuration."""

    seed: Secret
    public: str


def new_key() -> NewKey:
    """A key of a user, from the system's own randomness."""
    pair = nkeys.from_seed(nkeys.encode_seed(os.urandom(32), nkeys.PREFIX_BYTE_USER))
    return NewKey(Secret(pair.seed.decode()), pair.public_key.decode())

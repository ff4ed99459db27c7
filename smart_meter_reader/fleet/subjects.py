"""The subjects of a fleet: who says what of which meter where. Pure.

``smr.v1.<tenant>.<site>.<kind>.<source>``: the source is a meter; of an event it is the edge itself. Source:
docs/fleet.md, "Subjects". A subject is made of tokens between dots (NATS, Client Protocol, "Subject names").
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias, get_args

PREFIX: Final = "smr.v1"

# reading, status, info: as the messages of these names. event: how an edge itself is. history: what a meter
# had in its memory, and readings that could not be told when they were taken.
LetterKind: TypeAlias = Literal["reading", "status", "info", "event", "history"]
KINDS: Final[tuple[LetterKind, ...]] = get_args(LetterKind)

# A tenant, a site, an edge: what may be a token, and in file names and metrics as well.
NAME: Final = r"[A-Za-z0-9_-]{1,64}"
NAME_HELP: Final = "1 to 64 of a-z A-Z 0-9 _ -"
# What stands in the place of a site in the subjects of writers; no site is called so.
RESERVED_SITES: Final = frozenset({"written", "cmd"})
_NAME = re.compile(NAME)
# Meters are longer where one is behind another.
_SOURCE = re.compile(r"[A-Za-z0-9_-]{1,128}")


@dataclass(frozen=True, slots=True)
class Subject:
    """Where one message belongs; ``source`` is the meter, or the edge of an event."""

    tenant: str
    site: str
    kind: LetterKind
    source: str

    def __str__(self) -> str:
        return f"{PREFIX}.{self.tenant}.{self.site}.{self.kind}.{self.source}"


def parse_subject(text: str) -> Subject:
    """The parts of a subject on which an edge publishes. Raises ValueError for any other."""
    parts = text.split(".")
    if len(parts) != 6 or ".".join(parts[:2]) != PREFIX:
        raise ValueError("the subject is none of a reading: it has other parts than smr.v1.T.S.KIND.METER")
    tenant, site, kind, source = parts[2:]
    if not (_NAME.fullmatch(tenant) and _NAME.fullmatch(site) and _SOURCE.fullmatch(source)):
        raise ValueError("the subject has characters that no tenant, site or meter has")
    if site in RESERVED_SITES:
        raise ValueError(f"no site is called {site}")
    for known in KINDS:
        if kind == known:
            return Subject(tenant, site, known, source)
    raise ValueError(f"the subject's kind is none of {', '.join(KINDS)}")


def written_subject(tenant: str, site: str) -> str:
    """On which writers tell a site what the database has."""
    return f"{PREFIX}.{tenant}.written.{site}"


def ask_subject(tenant: str, site: str) -> str:
    """On which an edge asks what of its messages the database has; a writer answers."""
    return f"{PREFIX}.{tenant}.{site}.ask"


ASKED: Final = f"{PREFIX}.*.*.ask"
"""What writers listen to, in the queue group ``WRITERS``."""
WRITERS: Final = "writers"
DEAD: Final = "smr.dead"
"""Below it is kept what the database will never take."""


def dead_subject(subject: str) -> str:
    """Where a message is kept that cannot be written."""
    return f"{DEAD}.{subject}"


def inbox_prefix(tenant: str, site: str) -> str:
    """Below which an edge gets its answers: with a right to that alone it hears no other edge's."""
    return f"_INBOX.{tenant}.{site}"

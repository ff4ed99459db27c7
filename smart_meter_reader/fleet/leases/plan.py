"""When a lease is asked for, and whether its meter may be read. Pure: time is an argument, in seconds.

The time is that of a clock that never jumps and does not stop while the machine sleeps. A lease counts from
when the request was sent that brought it: the servers cannot have stored it before.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

# Reading has ended so long before the lease can have gone: for the request under way, and for clocks of
# servers that differ.
MARGIN: Final = 10.0
# After a request that was not answered: in an election the next one may be.
RETRY: Final = 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class LeaseTimes:
    """Seconds. ``read_after``: without an answer for so long the last holder reads on; None: never."""

    ttl: float = 60.0
    renew: float = 15.0
    read_after: float | None = 600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class LeaseState:
    """What is known of one lease.

    ``revision`` is ours, None while we have none; ``ends`` is when reading by it must be over. ``was_ours``:
    nobody else was seen with it since we had it. ``holder`` is who has it, as the servers said last, "" for
    nobody; ``answered`` is when they said it, ``tried`` when they were asked last.
    """

    revision: int | None = None
    ends: float = float("-inf")
    was_ours: bool = False
    holder: str = ""
    answered: float = float("-inf")
    tried: float = float("-inf")


def begun(now: float) -> LeaseState:
    """Nothing is known yet."""
    return LeaseState(answered=now)


def got(revision: int, sent: float, times: LeaseTimes) -> LeaseState:
    """The servers gave it to us, or renewed it, by a request that was sent at ``sent``."""
    return LeaseState(
        revision=revision, ends=sent + times.ttl - MARGIN, was_ours=True, answered=sent, tried=sent
    )


def held_by_another(state: LeaseState, holder: str, now: float) -> LeaseState:
    """The servers said that another one has it. Ours is over at once."""
    return replace(state, revision=None, ends=now, was_ours=False, holder=holder, answered=now, tried=now)


def unanswered(state: LeaseState, sent: float) -> LeaseState:
    """A request that was sent at ``sent`` was not answered, or with trouble: nothing is known by it."""
    return replace(state, tried=sent)


def given_back(state: LeaseState, now: float) -> LeaseState:
    """We let it go."""
    return replace(state, revision=None, ends=now, was_ours=False)


def holds(state: LeaseState, now: float) -> bool:
    """Whether it is ours for certain."""
    return state.revision is not None and now < state.ends


def reads_alone(state: LeaseState, now: float, times: LeaseTimes) -> bool:
    """Whether it is read without a lease: it was ours last, and the servers are away for long."""
    return (
        times.read_after is not None
        and state.was_ours
        and not holds(state, now)
        and now >= state.answered + times.read_after
    )


def may_read(state: LeaseState, now: float, times: LeaseTimes) -> bool:
    """Whether the meter may be read now."""
    return holds(state, now) or reads_alone(state, now, times)


def is_heard_of(state: LeaseState, now: float, times: LeaseTimes) -> bool:
    """Whether what the servers said last is still to be gone by."""
    return now < state.answered + times.ttl + times.renew


def next_change(state: LeaseState, now: float, times: LeaseTimes) -> float:
    """When ``may_read`` changes by itself, at the earliest; infinite where only an answer changes it."""
    if holds(state, now):
        return state.ends
    if state.was_ours and times.read_after is not None and not reads_alone(state, now, times):
        return state.answered + times.read_after
    return float("inf")


def next_request(state: LeaseState, times: LeaseTimes) -> float:
    """When the servers are asked again."""
    if state.tried > state.answered:
        return state.tried + RETRY
    return state.tried + times.renew

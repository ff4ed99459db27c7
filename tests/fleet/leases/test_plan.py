"""The plan of a lease: when it is asked for, and that reading has ended before another machine can begin."""

from __future__ import annotations

from dataclasses import dataclass, field

from hypothesis import given
from hypothesis import strategies as st

from smart_meter_reader.fleet.leases import plan
from smart_meter_reader.fleet.leases.plan import MARGIN, LeaseState, LeaseTimes

TIMES = LeaseTimes(ttl=60, renew=15, read_after=600)


def test_a_lease_counts_from_when_it_was_asked_for() -> None:
    state = plan.got(7, 100.0, TIMES)
    assert plan.may_read(state, 100.0, TIMES)
    assert plan.may_read(state, 149.9, TIMES)
    assert not plan.may_read(state, 150.0, TIMES)
    assert plan.next_change(state, 120.0, TIMES) == 150.0
    assert plan.next_request(state, TIMES) == 115.0


def test_it_is_asked_for_at_once_and_then_as_often_as_it_is_renewed() -> None:
    state = plan.begun(5.0)
    assert plan.next_request(state, TIMES) < 5.0
    assert not plan.may_read(state, 5.0, TIMES)
    state = plan.held_by_another(state, "b", 6.0)
    assert plan.next_request(state, TIMES) == 21.0
    assert state.holder == "b"


def test_a_request_without_an_answer_is_soon_made_again_and_ends_nothing() -> None:
    state = plan.unanswered(plan.got(7, 100.0, TIMES), 115.0)
    assert plan.next_request(state, TIMES) == 117.0
    assert plan.may_read(state, 149.0, TIMES)
    assert not plan.may_read(state, 150.0, TIMES)


def test_one_that_another_has_ends_at_once() -> None:
    state = plan.held_by_another(plan.got(7, 100.0, TIMES), "b", 110.0)
    assert not plan.may_read(state, 110.0, TIMES)
    assert not plan.reads_alone(state, 10_000.0, TIMES)


def test_the_last_holder_reads_on_when_the_servers_are_away_for_long() -> None:
    state = plan.got(7, 100.0, TIMES)
    assert not plan.may_read(state, 699.0, TIMES)
    assert plan.next_change(state, 200.0, TIMES) == 700.0
    assert plan.reads_alone(state, 700.0, TIMES)
    assert plan.next_change(state, 701.0, TIMES) == float("inf")
    waiting = LeaseTimes(ttl=60, renew=15, read_after=None)
    assert not plan.may_read(state, 1e9, waiting)
    assert plan.next_change(state, 200.0, waiting) == float("inf")


def test_what_the_servers_said_is_gone_by_for_as_long_as_a_lease_may_live() -> None:
    state = plan.held_by_another(plan.begun(0.0), "b", 100.0)
    assert plan.is_heard_of(state, 174.0, TIMES)
    assert not plan.is_heard_of(state, 175.0, TIMES)


def test_who_never_had_it_waits_for_the_servers() -> None:
    assert not plan.may_read(plan.begun(0.0), 1e9, TIMES)
    given = plan.given_back(plan.got(7, 100.0, TIMES), 110.0)
    assert not plan.may_read(given, 110.0, TIMES)
    assert not plan.may_read(given, 1e9, TIMES)


@dataclass
class Server:
    """A key that goes ``ttl`` after it was stored, by a clock that runs a little faster than ours."""

    ttl: float
    holder: str = ""
    revision: int = 0
    until: float = 0.0

    def take(self, who: str, last: int | None, now: float) -> int | None:
        """A compare-and-set; None when it is refused."""
        there = now < self.until
        if (last if last is not None else 0) != (self.revision if there else 0):
            return None
        self.holder, self.revision, self.until = who, max(self.revision, 0) + 1, now + self.ttl
        return self.revision


@dataclass
class Machine:
    name: str
    state: LeaseState = field(default_factory=lambda: plan.begun(0.0))

    def ask(self, server: Server, sent: float, delay: float, heard: str) -> None:
        """One request; ``heard``: the answer comes, or is lost behind or before the server."""
        if heard == "lost before":
            self.state = plan.unanswered(self.state, sent)
            return
        revision = server.take(self.name, self.state.revision, sent + delay)
        if heard == "lost behind":
            self.state = plan.unanswered(self.state, sent)
        elif revision is not None:
            self.state = plan.got(revision, sent, TIMES)
        elif server.holder == self.name and sent + delay < server.until:
            again = server.take(self.name, server.revision, sent + delay)
            assert again is not None
            self.state = plan.got(again, sent + delay, TIMES)
        else:
            last = server.take(self.name, None, sent + delay)
            self.state = (
                plan.held_by_another(self.state, server.holder, sent + delay)
                if last is None
                else plan.got(last, sent + delay, TIMES)
            )


_ANSWERS = st.lists(
    st.tuples(
        st.sampled_from(["a", "b"]),
        st.floats(0, 4.9),
        st.sampled_from(["heard", "lost before", "lost behind"]),
    ),
    max_size=80,
)


@given(_ANSWERS)
def test_two_machines_never_may_read_at_once_whatever_is_lost(answers: list[tuple[str, float, str]]) -> None:
    """The servers away for less than ``read_after``; each request as the plan wants it, in turns."""
    server = Server(ttl=TIMES.ttl)
    machines = {name: Machine(name) for name in ("a", "b")}
    now = 0.0
    for name, delay, heard in answers:
        machine = machines[name]
        now = max(now, plan.next_request(machine.state, TIMES))
        machine.ask(server, now, delay, heard)
        now += delay
        held = [each.name for each in machines.values() if plan.holds(each.state, now)]
        assert len(held) <= 1, held
        for each in machines.values():
            if plan.holds(each.state, now):
                # And for a while nobody else can get it.
                assert server.holder == each.name
                assert server.until - now > MARGIN - 5.0 - 0.001

"""What others write where one connection alone speaks is noticed; our own words coming back are not."""

from __future__ import annotations

import pytest

from smart_meter_reader.mqtt.message import MqttMessage
from smart_meter_reader.mqtt.watch import LONGEST_PAUSE, MOST_AWAITED, Watch

T = "a/availability"


def said(payload: str, topic: str = T) -> MqttMessage:
    return MqttMessage(topic, payload, watched="availability")


def watch(*payloads: str) -> Watch:
    made = Watch()
    for payload in payloads:
        made.published(said(payload))
    return made


def test_our_own_words_come_back() -> None:
    made = watch("offline", "online")
    assert not made.is_foreign(T, b"offline")
    assert not made.is_foreign(T, b"online")
    assert not made.is_foreign(T, b"online")
    assert made.wrong(T) is None


def test_what_somebody_else_wrote_is_noticed_until_it_is_right_again() -> None:
    made = watch("online")
    assert not made.is_foreign(T, b"online")
    assert made.is_foreign(T, b"offline")
    assert made.wrong(T) == (said("online"), b"offline")
    assert not made.is_foreign(T, b"online")
    assert made.wrong(T) is None


def test_what_comes_before_our_own_word_is_back_is_older_than_it() -> None:
    made = watch("online")
    assert not made.is_foreign(T, b"offline")
    assert not made.is_foreign(T, b"online")


def test_a_word_that_never_came_back_is_behind_a_later_one() -> None:
    made = watch("a", "b", "c")
    assert not made.is_foreign(T, b"c")
    assert made.is_foreign(T, b"a")


def test_of_what_was_said_before_the_subscription_the_last_comes() -> None:
    made = watch("init", "ready")
    made.nothing_awaited()
    assert not made.is_foreign(T, b"ready")
    assert made.is_foreign(T, b"lost")


def test_a_new_connection_has_said_nothing_yet() -> None:
    made = watch("online")
    made.begin_anew()
    assert not made.is_foreign(T, b"offline")


def test_what_is_not_watched_is_anybodys() -> None:
    made = Watch()
    made.published(MqttMessage(T, "x"))
    assert not made.is_foreign(T, b"y")
    assert made.wrong("b") is None


def test_it_remembers_no_more_than_it_must() -> None:
    made = watch(*map(str, range(1000)))
    for number in range(1000 - MOST_AWAITED):
        assert not made.is_foreign(T, str(number).encode())
    assert not made.is_foreign(T, b"999")


def test_two_that_put_each_other_right_do_so_ever_more_seldom() -> None:
    made, now, pauses = watch("online"), 0.0, []
    for _ in range(20):
        pause = made.pause(T, now)
        assert pause is not None
        assert made.pause(T, now) is None  # it is planned
        pauses.append(pause)
        now += pause + 0.1
    assert pauses[:4] == [1.0, 2.0, 4.0, 8.0]
    assert pauses[-1] == LONGEST_PAUSE
    assert made.pause(T, now + 3 * LONGEST_PAUSE) == 1.0
    assert made.pause("another", now) == pytest.approx(1.0)

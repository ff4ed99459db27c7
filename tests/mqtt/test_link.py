"""Links to a real Mosquitto of every kind, and what is said when one cannot be had."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from smart_meter_reader.exceptions import SinkError
from smart_meter_reader.mqtt import heartbeat
from smart_meter_reader.mqtt import link as link_module
from smart_meter_reader.mqtt import open_link as open_link_module
from smart_meter_reader.mqtt.limits import BrokerLimits
from smart_meter_reader.mqtt.link import Link
from smart_meter_reader.mqtt.message import MqttMessage
from smart_meter_reader.mqtt.open_link import open_link
from smart_meter_reader.mqtt.paho import Version
from smart_meter_reader.mqtt.settings import BrokerSettings
from smart_meter_reader.settings.schema import Secret
from tests.peers.hostile import Victim, serving
from tests.peers.mosquitto import (
    PASSWORD,
    USER,
    Certificates,
    MakeBroker,
    Mosquitto,
    Watcher,
    login_lines,
    websocket_lines,
)
from tests.peers.ports import free_port

VERSIONS: list[Version] = ["3.1.1", "5"]


def at(broker: Mosquitto | int, **keys: Any) -> BrokerSettings:
    port = broker if isinstance(broker, int) else broker.port
    return BrokerSettings(**{"host": "localhost", "port": port, **keys})


@asynccontextmanager
async def echoing(settings: BrokerSettings, version: Version = "5") -> AsyncIterator[tuple[Link, list[str]]]:
    """An open link that is subscribed to what it publishes under echo/."""
    got: list[str] = []
    link = Link(
        settings, "tests", version, on_received=lambda topic, payload, _: got.append(payload.decode())
    )
    await link.open()
    try:
        assert await link.subscribe(["echo/#"]) == []
        yield link, got
    finally:
        link.close()


async def comes_back(settings: BrokerSettings, version: Version = "5", count: int = 300) -> None:
    """``count`` messages, published in one turn of the loop, come back, each once and in order."""
    async with echoing(settings, version) as (link, got):
        for number in range(count):
            link.publish(MqttMessage(f"echo/{number % 5}", str(number), 1, retain=False))
        await link.drained()
        async with asyncio.timeout(10):
            while len(got) < count:
                await asyncio.sleep(0.01)
        assert got == [str(number) for number in range(count)]
        assert link.failure is None
        assert not link.outbox


async def refusal(settings: BrokerSettings, version: Version = "5") -> SinkError:
    link = Link(settings, "tests", version)
    with pytest.raises(SinkError) as caught:
        await link.open()
    assert link.failure is caught.value
    return caught.value


@asynccontextmanager
async def scripted(*answers: bytes) -> AsyncIterator[int]:
    """A peer that answers each chunk it reads with the next of ``answers`` and then hangs up; its port."""
    writers: list[asyncio.StreamWriter] = []

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writers.append(writer)
        for answer in answers:
            if await reader.read(4096):
                writer.write(answer)
                await writer.drain()
        writer.close()

    async with await asyncio.start_server(talk, "127.0.0.1", 0) as server:
        yield server.sockets[0].getsockname()[1]
        for writer in writers:
            writer.close()
            with suppress(OSError):
                await writer.wait_closed()


@pytest.mark.parametrize("version", VERSIONS)
async def test_what_is_published_comes_back_in_order(broker: Mosquitto, version: Version) -> None:
    await comes_back(at(broker), version)


@pytest.mark.parametrize("qos", [0, 1, 2])
async def test_every_qos_is_acknowledged(broker: Mosquitto, qos: int) -> None:
    acknowledged: list[MqttMessage] = []
    link = Link(
        at(broker), "tests", "5", on_acknowledged=lambda message, refusal: acknowledged.append(message)
    )
    await link.open()
    sent = [MqttMessage("a", str(number), qos) for number in range(50)]
    for message in sent:
        link.publish(message)
    await link.drained()
    link.close()
    assert acknowledged == sent


async def test_payloads_larger_than_any_buffer(broker: Mosquitto) -> None:
    async with echoing(at(broker)) as (link, got):
        # More than the socket's buffer at once, and none larger than what we take ourselves.
        payloads = [letter * 120_000 for letter in "abcdefghij"]
        for payload in payloads:
            link.publish(MqttMessage("echo/large", payload, 1, retain=False))
        async with asyncio.timeout(10):
            while len(got) < len(payloads):
                await asyncio.sleep(0.01)
        assert got == payloads


async def test_a_payload_larger_than_what_may_come_back_is_delivered(
    broker: Mosquitto, watcher: Watcher
) -> None:
    link = Link(at(broker), "tests", "5")
    await link.open()
    link.publish(MqttMessage("large", "x" * 700_000))
    await link.drained()
    link.close()
    seen = await asyncio.to_thread(watcher.wait_for, lambda messages: messages)
    assert [len(item.text) for item in seen] == [700_000]


@pytest.mark.parametrize("version", VERSIONS)
async def test_login(make_broker: MakeBroker, tmp_path: Path, version: Version) -> None:
    broker = make_broker(*login_lines(tmp_path / "login"), anonymous=False)
    await comes_back(at(broker, username=USER, password=Secret(PASSWORD)), version)
    wrong = await refusal(at(broker, username=USER, password=Secret("wrong")), version)
    assert wrong.reason in ("login_refused", "not_authorized")
    assert "`password`" in wrong.detail
    assert "wrong" not in wrong.detail
    without = await refusal(at(broker), version)
    assert "`username`" in without.detail


async def test_tls_with_our_own_ca(make_broker: MakeBroker, certificates: Certificates) -> None:
    broker = make_broker(f"certfile {certificates.server}", f"keyfile {certificates.server}")
    secure = at(broker, tls=True, ca=certificates.ca)
    await comes_back(secure)
    await comes_back(replace(secure, host="127.0.0.1"))

    untrusted = await refusal(replace(secure, ca=certificates.other_ca))
    assert (untrusted.reason, "`ca`" in untrusted.detail) == ("untrusted", True)
    assert (await refusal(replace(secure, ca=None))).reason == "untrusted"
    await comes_back(replace(secure, ca=None, insecure=True))

    plain = await refusal(at(broker))
    assert plain.reason in ("needs_tls", "closed")
    assert "`tls`" in plain.detail


async def test_a_certificate_of_another_host(make_broker: MakeBroker, certificates: Certificates) -> None:
    broker = make_broker(
        f"certfile {certificates.misnamed_server}", f"keyfile {certificates.misnamed_server}"
    )
    error = await refusal(at(broker, tls=True, ca=certificates.ca))
    assert (error.reason, "`host`" in error.detail) == ("wrong_host_name", True)


@pytest.mark.parametrize(
    ("kind", "reason", "advice"),
    [
        ("expired_server", "certificate_expired", "has expired"),
        ("early_server", "certificate_not_yet_valid", "clock of this computer"),
        ("self_signed_server", "untrusted", "signed by itself"),
    ],
)
async def test_each_unfit_certificate_has_its_own_sentence(
    make_broker: MakeBroker, certificates: Certificates, kind: str, reason: str, advice: str
) -> None:
    file = getattr(certificates, kind)
    broker = make_broker(f"certfile {file}", f"keyfile {file}")
    ca = certificates.other_ca if kind == "self_signed_server" else certificates.ca
    error = await refusal(at(broker, tls=True, ca=ca))
    assert (error.reason, advice in error.detail) == (reason, True), error.detail


async def test_a_client_certificate_that_has_expired(
    make_broker: MakeBroker, certificates: Certificates
) -> None:
    server = f"certfile {certificates.server}", f"keyfile {certificates.server}"
    broker = make_broker(f"cafile {certificates.ca}", *server, "require_certificate true")
    error = await refusal(at(broker, tls=True, ca=certificates.ca, client_cert=certificates.expired_client))
    assert (error.reason, "has expired" in error.detail) == ("client_certificate", True), error.detail


async def test_a_port_without_tls_is_no_reason_to_send_a_password_there(broker: Mosquitto) -> None:
    secure = at(broker, tls=True, username=USER, password=Secret(PASSWORD))
    error = await refusal(secure)
    assert (error.reason, "leave `tls` on" in error.detail) == ("no_tls", True)
    assert "to false" not in error.detail


async def test_client_certificate(make_broker: MakeBroker, certificates: Certificates) -> None:
    broker = make_broker(
        f"cafile {certificates.ca}",
        f"certfile {certificates.server}",
        f"keyfile {certificates.server}",
        "require_certificate true",
        "use_identity_as_username true",
    )
    secure = at(broker, tls=True, ca=certificates.ca)
    await comes_back(replace(secure, client_cert=certificates.client))
    await comes_back(replace(secure, client_cert=certificates.client, client_key=certificates.client))
    for settings in (secure, replace(secure, client_cert=certificates.other_client)):
        error = await refusal(settings)
        assert (error.reason, "`client_cert`" in error.detail) == ("client_certificate", True)


async def test_tls_files_that_cannot_be_used(broker: Mosquitto, certificates: Certificates) -> None:
    secure = at(broker, tls=True, ca=certificates.ca)
    missing = Path("/nowhere/at-all.pem")
    assert "`ca` (/nowhere/at-all.pem)" in (await refusal(replace(secure, ca=missing))).detail
    error = await refusal(replace(secure, client_cert=certificates.client, client_key=missing))
    assert "`client_key` (/nowhere/at-all.pem)" in error.detail
    error = await refusal(replace(secure, client_cert=certificates.ca))
    assert "`client_cert`" in error.detail


async def test_tls_spoken_to_a_plain_port(broker: Mosquitto) -> None:
    error = await refusal(at(broker, tls=True))
    assert (error.reason, "`tls`" in error.detail) == ("no_tls", True)


async def test_websockets(make_broker: MakeBroker) -> None:
    port = free_port()
    make_broker(*websocket_lines(port))
    await comes_back(at(port, transport="websockets"))
    assert (await refusal(at(port))).reason in ("closed", "not_mqtt")


async def test_websockets_over_tls(make_broker: MakeBroker, certificates: Certificates) -> None:
    port = free_port()
    tls = [f"certfile {certificates.server}", f"keyfile {certificates.server}"]
    make_broker(*websocket_lines(port), *tls)
    await comes_back(at(port, transport="websockets", tls=True, ca=certificates.ca))


async def test_websocket_spoken_to_a_plain_port(broker: Mosquitto) -> None:
    error = await refusal(at(broker, transport="websockets"))
    assert (error.reason, "`path`" in error.detail) == ("no_websocket", True)


async def test_acl_with_mqtt_5_tells_what_was_refused(make_broker: MakeBroker, tmp_path: Path) -> None:
    broker = make_broker(*login_lines(tmp_path / "login", "topic readwrite echo/#"), anonymous=False)
    refusals: list[tuple[str, str]] = []
    link = Link(
        at(broker, username=USER, password=Secret(PASSWORD)),
        "tests",
        "5",
        on_acknowledged=lambda message, refusal: refusals.append((message.topic, refusal)),
    )
    await link.open()
    link.publish(MqttMessage("echo/a", "1"))
    link.publish(MqttMessage("secret/a", "1"))
    await link.drained()
    link.close()
    assert refusals == [("echo/a", ""), ("secret/a", "Not authorized")]


async def test_nothing_listens() -> None:
    error = await refusal(at(free_port()))
    assert (error.reason, "`port`" in error.detail) == ("port_closed", True)


async def test_no_such_host() -> None:
    error = await refusal(BrokerSettings(host="broker.invalid"))
    assert (error.reason, "`host`" in error.detail) == ("unknown_host", True)
    assert (await refusal(BrokerSettings(host="a" * 300))).detail


async def test_a_peer_that_says_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(open_link_module, "CONNACK_SECONDS", 0.2)
    monkeypatch.setattr(open_link_module, "FIRST_CONNACK_SECONDS", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as listener, pytest.raises(SinkError) as caught:
        await open_link(at(listener.getsockname()[1], host="127.0.0.1"), "tests")
    error: Any = caught.value
    assert (error.reason, "says nothing" in error.detail) == ("silent", True)
    assert "`protocol`" in error.detail


@pytest.mark.parametrize("says_so", [True, False])
async def test_a_broker_that_knows_only_3_and_stays_silent(
    monkeypatch: pytest.MonkeyPatch, says_so: bool
) -> None:
    """wialon/gmqtt#45: amqtt 0.12.1 swallows a CONNECT of MQTT 5 with a will, and stays there."""
    monkeypatch.setattr(open_link_module, "FIRST_CONNACK_SECONDS", 0.5)
    will = MqttMessage("a", "gone")

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        victim = Victim(reader, writer)
        _, content = await victim.request()
        if content[6] == 5:
            await asyncio.Event().wait()
        await victim.send(b"\x20\x02\x00\x00")
        await victim.serve()

    async with serving(talk) as port:
        if says_so:
            link = await open_link(at(port, host="127.0.0.1", protocol="auto"), "tests", will)
            assert link.version == "3.1.1"
            link.publish(MqttMessage("b", "x"))
            await link.drained()
            await link.part()
        else:
            monkeypatch.setattr(open_link_module, "CONNACK_SECONDS", 0.5)
            with pytest.raises(SinkError, match=r'set `protocol` to "3\.1\.1"'):
                await open_link(at(port, host="127.0.0.1", protocol="5"), "tests", will)


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (b"", "closed"),
        (b"\x15\x03\x03\x00\x02\x02\x28", "needs_tls"),
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", "not_mqtt"),
        (b"\x20\x02\x00\x05", "not_authorized"),
        (b"\x20\x02\x00\x04", "login_refused"),
        (b"\x20\x02\x00\x03", "broker_unavailable"),
        (b"\x20\x02\x00\x02", "client_id_refused"),
        (b"\x20\x02\x00\x01", "protocol_version"),
        (b"\x30\x00", "not_mqtt"),
        (b"\xff\xff\xff\xff\xff\xff", "not_mqtt"),
        (b"SSH-2.0-OpenSSH_9.2\r\n", "not_mqtt"),
        (b"\x20\x80\x80\x80\x80\x01", "protocol_version"),
    ],
)
async def test_peers_that_answer_something_else(answer: bytes, reason: str) -> None:
    async with scripted(answer) as port:
        error = await refusal(at(port, host="127.0.0.1"), "3.1.1")
    assert error.reason == reason


async def test_a_hanging_connect_leaves_the_loop_free_and_no_socket(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(link_module, "CONNECT_SECONDS", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        # TLS to a peer that never answers the ClientHello blocks paho in the handshake.
        link = Link(at(listener.getsockname()[1], host="127.0.0.1", tls=True), "tests", "5")
        opening = asyncio.ensure_future(link.open())
        turns = 0
        while not opening.done():
            await asyncio.sleep(0.01)
            turns += 1
        with pytest.raises(SinkError, match="within"):
            await opening
        assert turns > 3
        peer, _ = listener.accept()
        with peer:
            peer.close()
        # The thread comes back from the handshake that we just broke off, and tidies up behind itself.
        await asyncio.sleep(0.1)


async def test_the_will_is_published_only_without_a_goodbye(broker: Mosquitto, watcher: Watcher) -> None:
    for goodbye in (True, False):
        link = Link(at(broker), "tests", "5", MqttMessage("will", "gone"))
        await link.open()
        link.publish(MqttMessage("state", f"goodbye {goodbye}"))
        await link.drained()
        if goodbye:
            link.close()
        else:
            link.abort()
    seen = await asyncio.to_thread(watcher.wait_for, lambda messages: len(messages) == 3)
    assert [item.text for item in seen] == ["goodbye True", "goodbye False", "gone"]


async def test_the_end_of_a_link_is_told_once(broker: Mosquitto) -> None:
    ends: list[str] = []
    link = Link(at(broker), "tests", "5", on_end=lambda: ends.append("end"))
    await link.open()
    await asyncio.to_thread(broker.stop)
    async with asyncio.timeout(10):
        while not ends:
            await asyncio.sleep(0.01)
    link.publish(MqttMessage("a", "1"))  # ignored, not raised: the link has told its end
    link.close()
    assert ends == ["end"]
    assert link.failure
    assert link.failure.reason == "connection_lost"


async def test_a_client_with_the_same_id_is_named_as_the_cause() -> None:
    # MQTT 5.0, 3.14: DISCONNECT with reason code 0x8E; Mosquitto says so from 2.0.12 on.
    ended = asyncio.Event()
    async with scripted(b"\x20\x03\x00\x00\x00", b"\xe0\x01\x8e") as port:
        link = Link(at(port, host="127.0.0.1"), "same", "5", on_end=ended.set)
        await link.open()
        link.publish(MqttMessage("a", "1"))
        await ended.wait()
    assert link.failure
    assert (link.failure.reason, "`client_id`" in link.failure.detail) == ("taken_over", True)


async def test_a_message_that_is_too_large_for_the_broker(make_broker: MakeBroker) -> None:
    """It hangs up at one that is, when it has said its limit or not; ours is told, and stays here."""
    broker = make_broker("max_packet_size 500")
    refusals: dict[str, str] = {}
    link = Link(
        at(broker.port), "tests", "5", on_acknowledged=lambda m, refusal: refusals.update({m.topic: refusal})
    )
    await link.open()
    link.publish(MqttMessage("a", "x" * 1000))
    link.publish(MqttMessage("b", "x"))
    await link.drained()
    assert refusals == {"a": "it has 1011 bytes, the broker takes 500", "b": ""}
    link.limits = BrokerLimits()
    link.publish(MqttMessage("a", "x" * 1000))
    await link.drained()
    assert link.failure is not None
    assert link.failure.reason == "packet_too_large"
    assert "max_packet_size" in link.failure.detail


async def test_a_broker_that_never_acknowledges_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(link_module, "MOST_OUTSTANDING", 10)

    async with scripted(b"\x20\x02\x00\x00", b"", b"") as port:
        link = Link(at(port, host="127.0.0.1"), "tests", "3.1.1")
        await link.open()
        for number in range(11):
            assert link.failure is None
            link.publish(MqttMessage("a", str(number)))
        assert link.failure is not None
        assert link.failure.reason == "not_acknowledged"
        assert len(link.outbox) == 11


async def test_a_broker_that_stops_to_acknowledge_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    """It lives, answers every ping, and takes a message without a word."""
    monkeypatch.setattr(heartbeat, "ACKNOWLEDGE_SECONDS", 1.0)
    ended = asyncio.Event()

    async with scripted(b"\x20\x02\x00\x00", b"", *[b"\xd0\x00"] * 100) as port:
        link = Link(at(port, host="127.0.0.1", keepalive=4), "tests", "3.1.1", on_end=ended.set)
        await link.open()
        link.publish(MqttMessage("a", "1"))
        async with asyncio.timeout(60):
            await ended.wait()
    assert link.failure is not None
    assert link.failure.reason == "not_acknowledged"


async def test_a_thousand_meters_may_say_at_once_what_is_current(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(link_module, "MOST_OUTSTANDING", 10)

    async with scripted(b"\x20\x02\x00\x00", b"", b"") as port:
        link = Link(at(port, host="127.0.0.1"), "tests", "3.1.1")
        await link.open()
        link.publish_all([MqttMessage(f"a/{number}", "1") for number in range(100)])
        for number in range(11):
            assert link.failure is None
            link.publish(MqttMessage("b", str(number)))
        assert link.failure is not None
        assert link.failure.reason == "not_acknowledged"


async def test_more_than_the_window_goes_out_in_one_turn_of_the_loop(broker: Mosquitto) -> None:
    link = Link(at(broker.port, host="127.0.0.1"), "tests", "5")
    await link.open()
    link.publish_all([MqttMessage("a", str(number)) for number in range(link.outbox.window + 1)])
    until = time.monotonic() + 60
    while link.outbox.in_line and time.monotonic() < until:
        time.sleep(0.01)  # as long as other meters' work would take; the loop gets no turn
        link.publish(MqttMessage("a", "more"))
    assert not link.outbox.in_line
    assert link.failure is None
    link.close()


async def test_after_a_stall_the_broker_is_heard_before_it_is_judged(
    broker: Mosquitto, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(heartbeat, "ACKNOWLEDGE_SECONDS", 1.0)
    async with echoing(at(broker, keepalive=4)) as (link, got):
        # The whole computer stands still, broker and all, and the broker comes back a moment later.
        broker.pause()
        link.publish(MqttMessage("echo/one", "one", 1, retain=False))
        await asyncio.sleep(0)
        time.sleep(3.0)
        asyncio.get_running_loop().call_later(0.3, broker.resume)
        await link.drained()
        assert link.failure is None
        async with asyncio.timeout(10):
            while not got:
                await asyncio.sleep(0.01)

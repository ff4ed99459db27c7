"""A real Mosquitto for tests, on a free loopback port, and a subscriber that is not ours."""

from __future__ import annotations

import datetime
import json
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path
from typing import Any, TypeAlias

import paho.mqtt.client as mqtt
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from paho.mqtt.enums import CallbackAPIVersion

from tests.peers.ports import free_port

USER, PASSWORD = "meter", "correct horse"
PATIENCE = 15.0  # seconds until a test gives up waiting for what has to come


class Mosquitto:
    """One broker process with one listener; ``lines`` are added to its configuration file."""

    def __init__(self, folder: Path, *lines: str, anonymous: bool = True) -> None:
        self.port = free_port()
        self._log = folder / "mosquitto.log"
        self._process: subprocess.Popen[bytes] | None = None
        folder.mkdir(parents=True, exist_ok=True)
        # Durable sessions survive a restart, so that a subscriber misses nothing of what is published.
        self._configuration = folder / "mosquitto.conf"
        self._configuration.write_text(
            "\n".join(
                [
                    f"listener {self.port} 127.0.0.1",
                    f"allow_anonymous {'true' if anonymous else 'false'}",
                    "persistence true",
                    f"persistence_location {folder}/",
                    "max_queued_messages 0",
                    "user root",
                    *lines,
                    "",
                ]
            )
        )
        self.start()

    def start(self) -> None:
        seen = len(self.log()) if self._log.exists() else 0
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                ["mosquitto", "-v", "-c", str(self._configuration)], stdout=log, stderr=log
            )
        # It says so when all listeners are there; the one for websockets comes later than the others.
        until = time.monotonic() + PATIENCE
        while " running" not in self.log()[seen:]:
            assert self._process.poll() is None, self.log()
            assert time.monotonic() < until, self.log()
            time.sleep(0.01)

    def stop(self) -> None:
        if self._process:
            self._process.terminate()
            self._process.wait(PATIENCE)
            self._process = None

    def pause(self) -> None:
        """Stop it in its tracks: its port still takes connections and bytes, and nothing comes back."""
        assert self._process
        self._process.send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        assert self._process
        self._process.send_signal(signal.SIGCONT)

    def log(self) -> str:
        return self._log.read_text(errors="replace")


@dataclass(frozen=True, slots=True)
class Received:
    """One message as the subscriber got it."""

    topic: str
    text: str
    qos: int
    retain: bool

    @property
    def json(self) -> Any:
        return json.loads(self.text)


class Watcher:
    """A subscriber to everything, by paho in a thread of its own; its session survives a broker's restart."""

    def __init__(self, port: int, username: str = "", password: str = "") -> None:
        self.messages: list[Received] = []
        self._changed = threading.Condition()
        self._subscribed = False
        self._client = mqtt.Client(
            CallbackAPIVersion.VERSION2, client_id=f"watcher-{port}", clean_session=False
        )
        if username:
            self._client.username_pw_set(username, password)
        self._client.reconnect_delay_set(1, 1)
        self._client.on_connect = self._on_connect
        self._client.on_subscribe = self._on_subscribe
        self._client.on_message = self._on_message
        self._client.connect("127.0.0.1", port)
        self._client.loop_start()
        with self._changed:
            assert self._changed.wait_for(lambda: self._subscribed, PATIENCE)

    def close(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()

    def wait_for(self, enough: Callable[[list[Received]], object]) -> list[Received]:
        """All messages so far, as soon as ``enough`` says so. Blocks."""
        with self._changed:
            assert self._changed.wait_for(lambda: enough(self.messages), PATIENCE), self.messages
            return list(self.messages)

    def live(self, ending: str = "") -> list[Received]:
        """What was published while we were subscribed, on topics that end so."""
        with self._changed:
            return [item for item in self.messages if item.topic.endswith(ending) and not item.retain]

    def newest(self, topic: str) -> str | None:
        with self._changed:
            return next((item.text for item in reversed(self.messages) if item.topic == topic), None)

    def _on_connect(
        self, client: mqtt.Client, userdata: object, flags: mqtt.ConnectFlags, *_: object
    ) -> None:
        if not flags.session_present:
            client.subscribe("#", 2)

    def _on_subscribe(self, *_: object) -> None:
        with self._changed:
            self._subscribed = True
            self._changed.notify_all()

    def _on_message(self, client: object, userdata: object, message: mqtt.MQTTMessage) -> None:
        received = Received(message.topic, message.payload.decode(), message.qos, message.retain)
        with self._changed:
            # A broker that was stopped before it saw our acknowledgement delivers once more, and says so.
            if not (message.dup and received in self.messages):
                self.messages.append(received)
                self._changed.notify_all()


@dataclass(frozen=True, slots=True)
class Certificates:
    """PEM files: a CA, what it signed, and another CA that signed nothing of it."""

    ca: Path
    server: Path
    misnamed_server: Path
    expired_server: Path
    early_server: Path
    self_signed_server: Path
    client: Path
    expired_client: Path
    other_ca: Path
    other_client: Path
    home_made_ca: Path  # as `openssl req -new -x509` makes it: without a key usage
    home_made_server: Path
    middle_ca: Path  # one that another CA has signed
    middle_server: Path
    nameless_server: Path  # with a common name, and no subject alternative name
    common_name_server: Path  # likewise, and the name is right


def make_certificates(folder: Path) -> Certificates:
    ca_key, ca = _authority("test CA")
    other_key, other = _authority("another CA")
    home_key, home = _authority("home-made CA", usage=False)
    top_key, top = _authority("topmost CA")
    middle_key, middle = _authority("CA in the middle", signed_by=(top_key, top))
    files = {
        "home_made_ca": _pem(home),
        "home_made_server": _signed(home_key, home, "broker", x509.DNSName("localhost")),
        "middle_ca": _pem(middle),
        "middle_server": _signed(middle_key, middle, "broker", x509.DNSName("localhost")),
        "nameless_server": _signed(ca_key, ca, "broker", None),
        "common_name_server": _signed(ca_key, ca, "localhost", None),
        "ca": _pem(ca),
        "other_ca": _pem(other),
        "server": _signed(ca_key, ca, "broker", x509.DNSName("localhost")),
        "misnamed_server": _signed(ca_key, ca, "elsewhere", x509.DNSName("elsewhere.invalid")),
        "expired_server": _signed(ca_key, ca, "broker", x509.DNSName("localhost"), days=(-9, -1)),
        "early_server": _signed(ca_key, ca, "broker", x509.DNSName("localhost"), days=(1, 9)),
        "self_signed_server": _private(ca_key) + _pem(ca),
        "expired_client": _signed(ca_key, ca, USER, x509.DNSName(USER), days=(-9, -1)),
        "client": _signed(ca_key, ca, USER, x509.DNSName(USER)),
        "other_client": _signed(other_key, other, USER, x509.DNSName(USER)),
    }
    for name, content in files.items():
        (folder / f"{name}.pem").write_bytes(content)
    return Certificates(**{name: folder / f"{name}.pem" for name in files})


Authority: TypeAlias = tuple[ec.EllipticCurvePrivateKey, x509.Certificate]


def _authority(name: str, *, usage: bool = True, signed_by: Authority | None = None) -> Authority:
    key = ec.generate_private_key(ec.SECP256R1())
    builder = (
        _builder(name, _name(signed_by[1]) if signed_by else name, key)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )
    if usage:
        builder = builder.add_extension(_usage(signs_certificates=True), critical=True)
    return key, builder.sign(signed_by[0] if signed_by else key, hashes.SHA256())


def _name(certificate: x509.Certificate) -> str:
    return str(certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)[0].value)


def _signed(
    ca_key: ec.EllipticCurvePrivateKey,
    ca: x509.Certificate,
    name: str,
    alternative: x509.GeneralName | None,
    days: tuple[int, int] = (-1, 2),
) -> bytes:
    key = ec.generate_private_key(ec.SECP256R1())
    authority = x509.AuthorityKeyIdentifier.from_issuer_public_key(ca_key.public_key())
    purposes = [ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]
    builder = (
        _builder(name, _name(ca), key, days)
        .add_extension(x509.ExtendedKeyUsage(purposes), critical=False)
        .add_extension(_usage(signs_certificates=False), critical=True)
        .add_extension(authority, critical=False)
    )
    if alternative:
        names = [alternative]
        if alternative.value == "localhost":
            names.append(x509.IPAddress(ip_address("127.0.0.1")))
        builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
    certificate = builder.sign(ca_key, hashes.SHA256())
    return _private(key) + _pem(certificate)


def _private(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def _builder(
    subject: str, issuer: str, key: ec.EllipticCurvePrivateKey, days: tuple[int, int] = (-1, 2)
) -> x509.CertificateBuilder:
    now = datetime.datetime.now(datetime.UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, subject)]))
        .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, issuer)]))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now + datetime.timedelta(days=days[0]))
        .not_valid_after(now + datetime.timedelta(days=days[1]))
    )


def _usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        encipher_only=False,
        decipher_only=False,
    )


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)


def login_lines(folder: Path, *access: str) -> list[str]:
    """Configuration of a broker that wants USER and PASSWORD; ``access`` are lines of its ACL file."""
    folder.mkdir(parents=True, exist_ok=True)
    passwords = folder / "passwords"
    subprocess.run(["mosquitto_passwd", "-b", "-c", str(passwords), USER, PASSWORD], check=True)
    lines = [f"password_file {passwords}"]
    if access:
        (folder / "acl").write_text("\n".join([f"user {USER}", *access, ""]))
        lines.append(f"acl_file {folder / 'acl'}")
    return lines


def websocket_lines(port: int) -> list[str]:
    """Configuration of a second listener, for websockets; Mosquitto 2.0 does not start with that alone."""
    return [f"listener {port} lo", "protocol websockets", "socket_domain ipv4"]


MakeBroker = Callable[..., Mosquitto]


@pytest.fixture(scope="session")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return make_certificates(tmp_path_factory.mktemp("certificates"))


@pytest.fixture
def make_broker(tmp_path: Path) -> Iterator[MakeBroker]:
    """Makes brokers with the configuration lines given; all end with the test."""
    assert shutil.which("mosquitto"), "these tests need Mosquitto: apt install mosquitto"
    made: list[Mosquitto] = []

    def make(*lines: str, anonymous: bool = True) -> Mosquitto:
        made.append(Mosquitto(tmp_path / f"broker{len(made)}", *lines, anonymous=anonymous))
        return made[-1]

    yield make
    for broker in made:
        broker.stop()


@pytest.fixture
def broker(make_broker: MakeBroker) -> Mosquitto:
    """A broker without login and TLS."""
    return make_broker()


@pytest.fixture
def watcher(broker: Mosquitto) -> Iterator[Watcher]:
    """A subscriber to all topics of ``broker``."""
    watching = Watcher(broker.port)
    yield watching
    watching.close()

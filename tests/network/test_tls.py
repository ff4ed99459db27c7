"""Whom we trust, and who we are: the same towards a broker and towards Home Assistant, in every Python."""

from __future__ import annotations

import ssl
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeAlias

import pytest
from cryptography.hazmat.primitives import serialization

from smart_meter_reader.exceptions import SinkError
from smart_meter_reader.mqtt.settings import BrokerSettings
from smart_meter_reader.mqtt.sockets.opening import open_socket
from smart_meter_reader.network.tls import client_context
from smart_meter_reader.sinks.home_assistant.api import Api
from tests.peers.home_assistant_http import TOKEN, HomeAssistantHttp
from tests.peers.mosquitto import Certificates

Visit: TypeAlias = Callable[[int, Path | None, bool], None]


def as_broker(port: int, ca: Path | None, insecure: bool = False) -> None:
    """Opened as a broker's port would be, up to the handshake."""
    open_socket(BrokerSettings(host="localhost", port=port, tls=True, ca=ca, insecure=insecure), 10).close()


def as_home_assistant(port: int, ca: Path | None, insecure: bool = False) -> None:
    api = Api(f"https://localhost:{port}", TOKEN, ca=ca, insecure=insecure, timeout=10)
    try:
        api.check()
    finally:
        api.close()


both = pytest.mark.parametrize("visit", [as_broker, as_home_assistant])


@pytest.fixture(params=["this Python", "Python 3.13"])
def python(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Contexts as this Python makes them, and as 3.13 does: strict with every certificate."""
    make = ssl.create_default_context

    def strict(*arguments: Any, **keys: Any) -> ssl.SSLContext:
        context = make(*arguments, **keys)
        context.verify_flags |= ssl.VERIFY_X509_STRICT
        return context

    if request.param == "Python 3.13":
        monkeypatch.setattr(ssl, "create_default_context", strict)


@both
@pytest.mark.usefixtures("python")
@pytest.mark.parametrize("kind", ["", "home_made_", "middle_"])
def test_any_authority_in_ca_is_trusted(visit: Visit, kind: str, certificates: Certificates) -> None:
    with HomeAssistantHttp(getattr(certificates, f"{kind}server")) as server:
        visit(server.port, getattr(certificates, f"{kind}ca"), False)


@both
@pytest.mark.usefixtures("python")
def test_a_common_name_counts_where_there_is_no_other(visit: Visit, certificates: Certificates) -> None:
    """As for mosquitto_sub and Home Assistant: so the advice is to set the host to it."""
    with HomeAssistantHttp(certificates.common_name_server) as server:
        visit(server.port, certificates.ca, False)


@both
@pytest.mark.usefixtures("python")
@pytest.mark.parametrize(
    ("server", "ca", "reason", "sentence"),
    [
        ("expired_server", "ca", "certificate_expired", "has expired"),
        ("early_server", "ca", "certificate_not_yet_valid", "is not valid yet: check the clock"),
        ("nameless_server", "ca", "certificate_without_san", "(broker) as common name (CN) only"),
        ("misnamed_server", "ca", "wrong_host_name", "is for elsewhere.invalid: set `"),
        ("server", "other_ca", "untrusted", "is not signed by `ca`"),
        ("home_made_server", "ca", "untrusted", "is not signed by `ca`"),
        ("server", None, "untrusted", "is not signed by the system's CAs"),
        ("self_signed_server", "other_ca", "untrusted", "is signed by itself and not among `ca`"),
    ],
)
def test_each_unfit_certificate_has_one_sentence(
    visit: Visit, server: str, ca: str | None, reason: str, sentence: str, certificates: Certificates
) -> None:
    with HomeAssistantHttp(getattr(certificates, server)) as home:
        with pytest.raises(SinkError) as raised:
            visit(home.port, getattr(certificates, ca) if ca else None, False)
        visit(home.port, None, True)
    assert (raised.value.reason, sentence in raised.value.detail) == (reason, True), raised.value.detail


@pytest.fixture
def files(certificates: Certificates, tmp_path: Path) -> Callable[[str], Path]:
    """PEM files, sound and unsound, by what is in them."""
    client = certificates.client.read_bytes()
    key = serialization.load_pem_private_key(client, None)
    locked = serialization.BestAvailableEncryption(b"secret")
    pem, pkcs8 = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    contents = {
        "nothing": b"",
        "text": b"Not found\n",
        "damaged certificate": b"-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n",
        "damaged key": b"-----BEGIN PRIVATE KEY-----\nMIIB\n-----END PRIVATE KEY-----\n",
        "certificate": client[client.index(b"-----BEGIN CERTIFICATE") :],
        "key": client[: client.index(b"-----BEGIN CERTIFICATE")],
        "both": client,
        "key of another": certificates.other_client.read_bytes(),
        "locked key": key.private_bytes(pem, pkcs8, locked),
    }

    def file(content: str) -> Path:
        path = tmp_path / content.replace(" ", "-")
        if content in contents:
            path.write_bytes(contents[content])
        elif content == "folder":
            path.mkdir()
        return path

    return file


@pytest.mark.parametrize(
    ("setting", "files_of", "why"),
    [
        ("ca", {"ca": "missing"}, "No such file"),
        ("ca", {"ca": "folder"}, "Is a directory"),
        ("ca", {"ca": "nothing"}, "no sound certificate"),
        ("ca", {"ca": "text"}, "no sound certificate"),
        ("ca", {"ca": "damaged certificate"}, "no sound certificate"),
        ("client_cert", {"client_cert": "missing"}, "No such file"),
        ("client_cert", {"client_cert": "missing", "client_key": "key"}, "No such file"),
        ("client_cert", {"client_cert": "text", "client_key": "key"}, "no sound certificate"),
        ("client_cert", {"client_cert": "damaged certificate", "client_key": "key"}, "no sound certificate"),
        ("client_cert", {"client_cert": "key", "client_key": "certificate"}, "no sound certificate"),
        ("client_cert", {"client_cert": "certificate"}, "set `client_key` to the file that does"),
        ("client_key", {"client_cert": "certificate", "client_key": "missing"}, "No such file"),
        ("client_key", {"client_cert": "certificate", "client_key": "folder"}, "Is a directory"),
        ("client_key", {"client_cert": "certificate", "client_key": "text"}, "no private key"),
        ("client_key", {"client_cert": "certificate", "client_key": "damaged key"}, "no sound private key"),
        ("client_key", {"client_cert": "certificate", "client_key": "key of another"}, "does not belong"),
        ("client_key", {"client_cert": "certificate", "client_key": "locked key"}, "locked with a password"),
    ],
)
def test_a_file_that_cannot_be_used_is_named_with_its_setting(
    files: Callable[[str], Path], setting: str, files_of: dict[str, str], why: str
) -> None:
    paths: dict[str, Any] = {name: files(content) for name, content in files_of.items()}
    with pytest.raises(SinkError) as raised:
        client_context(**{"ca": None, **paths}, insecure=False)
    assert raised.value.reason == "certificate_file"
    assert raised.value.detail.startswith(f"`{setting}` ({paths[setting]}) cannot be used: ")
    assert why in raised.value.detail


def test_who_we_are_may_stand_in_one_file_or_two(files: Callable[[str], Path]) -> None:
    client_context(ca=None, insecure=False, client_cert=files("both"))
    client_context(ca=None, insecure=False, client_cert=files("certificate"), client_key=files("key"))


def test_the_sinks_name_the_setting_too(files: Callable[[str], Path], certificates: Certificates) -> None:
    with HomeAssistantHttp(certificates.server) as home:
        broker = BrokerSettings(host="localhost", port=home.port, tls=True, ca=files("text"))
        with pytest.raises(SinkError, match="`ca`"):
            open_socket(broker, 10)
        broker = replace(broker, ca=certificates.ca, client_cert=files("both"), client_key=files("missing"))
        with pytest.raises(SinkError, match="`client_key`"):
            open_socket(broker, 10)
        with pytest.raises(SinkError, match="`ca`"):
            as_home_assistant(home.port, files("text"))

"""The page over HTTPS: its certificate, renewed while it runs, and what is told of one that is no use."""

from __future__ import annotations

import asyncio
import logging
import shutil
import socket
import ssl
from pathlib import Path

import pytest

from smart_meter_reader.exceptions import NeedsAPersonError
from smart_meter_reader.sinks.web.access import certificates as certificates_module
from smart_meter_reader.sinks.web.access.certificates import ServerCertificate
from tests.peers.mosquitto import Certificates
from tests.sinks.web.running import KEPT, PASSWORD, page, reading


def shown(port: int, ca: Path) -> str:
    """The number of the certificate that is shown there; blocks."""
    context = ssl.create_default_context(cafile=str(ca))
    with (
        socket.create_connection(("127.0.0.1", port), timeout=20) as plain,
        context.wrap_socket(plain, server_hostname="localhost") as connection,
    ):
        found = connection.getpeercert()
    assert found is not None
    return str(found["serialNumber"])


async def test_a_cookie_of_https_goes_over_https_alone(certificates: Certificates) -> None:
    context = ssl.create_default_context(cafile=str(certificates.ca))
    async with page(reading(power="1 kW"), password=KEPT, certificate=certificates.server) as running:
        running.address = f"https://localhost:{running.port}"
        answer = await running.post("/login", data={"password": PASSWORD}, ssl=context)
        assert answer.status == 303
        assert "; Secure" in answer.headers["Set-Cookie"]
        assert (await running.get("/api/v1/now", ssl=context)).status == 200


async def test_a_renewed_certificate_is_used(
    certificates: Certificates,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(certificates_module, "_LOOK_SECONDS", 0.0)
    caplog.set_level(logging.INFO)
    path = tmp_path / "server.pem"
    shutil.copy(certificates.server, path)
    async with page(certificate=path) as running:
        first = await asyncio.to_thread(shown, running.port, certificates.ca)
        path.write_text("half a fi")
        assert await asyncio.to_thread(shown, running.port, certificates.ca) == first
        assert "the one before is used" in caplog.text
        shutil.copy(certificates.home_made_server, path)
        second = await asyncio.to_thread(shown, running.port, certificates.home_made_ca)
    assert second != first
    assert "the certificate is new" in caplog.text


async def test_plain_http_and_rubbish_get_nothing_there(certificates: Certificates) -> None:
    async with page(certificate=certificates.server) as running:
        for sent in (b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n", bytes(range(256))):
            reader, writer = await asyncio.open_connection("127.0.0.1", running.port)
            writer.write(sent)
            async with asyncio.timeout(30):
                assert b"HTTP" not in await reader.read()
            writer.close()
        await asyncio.to_thread(shown, running.port, certificates.ca)


def test_a_certificate_that_is_no_use_is_told_by_its_setting(
    certificates: Certificates, tmp_path: Path
) -> None:
    missing = tmp_path / "missing.pem"
    for certificate, key, sentence in (
        (missing, None, rf"`certificate` \({missing}\) cannot be used: No such file"),
        (certificates.ca, None, "no certificate and private key in PEM form that go together"),
        (certificates.server, certificates.client, r"and `key` \(.*client.pem\) cannot be used: they are no"),
    ):
        with pytest.raises(NeedsAPersonError, match=sentence):
            ServerCertificate("web", certificate, key)

"""scripts/audit.py against a stand-in for the database of advisories."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import threading
import tomllib
import zipfile
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from tests.peers.imported import STARTED
from tests.peers.ports import free_port

ROOT = Path(__file__).parent.parent
Answer = Callable[[list[dict[str, Any]]], object]


class Database:
    """Answers a batch of queries as ``answer`` says."""

    def __init__(self) -> None:
        self.answer: Answer = lambda queries: {"results": [{} for _ in queries]}
        self.asked: list[dict[str, Any]] = []


@pytest.fixture
def database() -> Iterator[tuple[Database, str]]:
    known = Database()

    class Answering(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            assert self.path == "/v1/querybatch"
            known.asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))["queries"]
            body = json.dumps(known.answer(known.asked)).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *arguments: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answering)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield known, f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    thread.join()
    server.server_close()


def audit(service: str) -> tuple[int, str]:
    return run(service)


def run(*arguments: str, program: tuple[str, ...] = (*STARTED, "scripts.audit")) -> tuple[int, str]:
    """The script in a process of its own; its exit code, and all that it said."""
    process = subprocess.run([*program, *arguments], cwd=ROOT, capture_output=True, text=True, timeout=60)
    return process.returncode, process.stdout + process.stderr


def about(name: str) -> Answer:
    return lambda queries: {
        "results": [
            {"vulns": [{"id": "GHSA-1"}, {"id": "PYSEC-2"}]} if query["package"]["name"] == name else {}
            for query in queries
        ]
    }


def test_no_advisories(database: tuple[Database, str]) -> None:
    known, service = database
    code, said = run(service, program=(sys.executable, "scripts/audit.py"))  # as scripts/check calls it
    assert (code, said.startswith("audit: no advisories")) == (0, True), said
    paho = next(query for query in known.asked if query["package"]["name"] == "paho-mqtt")
    assert paho["package"]["ecosystem"] == "PyPI"
    assert paho["version"]


@pytest.mark.parametrize(("package", "code"), [("paho-mqtt", 1), ("pytest", 0)])
def test_an_advisory_is_told_and_counts_where_users_get_it(
    database: tuple[Database, str], package: str, code: int
) -> None:
    known, service = database
    known.answer = about(package)
    found, said = audit(service)
    assert found == code
    assert f"audit: {package} " in said
    assert "GHSA-1, PYSEC-2" in said


@pytest.mark.parametrize(
    "answer",
    [
        lambda queries: {},
        lambda queries: [],
        lambda queries: {"results": []},
        lambda queries: {"results": 5},
        lambda queries: "nothing",
        lambda queries: {"results": [None for _ in queries]},
        lambda queries: {"results": [{"vulns": [None]} for _ in queries]},
    ],
)
def test_an_answer_that_makes_no_sense_counts_as_none(database: tuple[Database, str], answer: Answer) -> None:
    known, service = database
    known.answer = answer
    code, said = audit(service)
    assert code == 0
    assert "audit: left out" in said
    assert "Traceback" not in said


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"220 mail.example.org ESMTP\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{}",
        b"HTTP/1.1 x\r\n",
    ],
)
def test_what_does_not_speak_http_to_the_end_counts_as_no_answer(answer: bytes) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            connection, _ = listener.accept()
            with connection:
                received = b""
                while not received.rstrip().endswith(b"]}"):
                    received += connection.recv(65_536)
                connection.sendall(answer)

        thread = threading.Thread(target=serve)
        thread.start()
        code, said = audit(f"http://127.0.0.1:{listener.getsockname()[1]}")
        thread.join()
    assert code == 0
    assert "audit: left out, since" in said
    assert "Traceback" not in said


def test_without_a_network_it_says_so() -> None:
    code, said = audit(f"http://127.0.0.1:{free_port()}")
    assert code == 0
    assert "audit: left out, since" in said


EXPORT = ROOT / "tests/data/osv"


def offline(database: Path) -> tuple[int, str]:
    return run("--database", str(database))


def advisory(package: str, **affected: Any) -> dict[str, Any]:
    return {
        "id": "PYSEC-9",
        "modified": "2026-01-01T00:00:00Z",
        "affected": [{"package": {"ecosystem": "PyPI", "name": package}, **affected}],
    }


def events(*steps: tuple[str, str]) -> list[dict[str, Any]]:
    return [{"type": "ECOSYSTEM", "events": [{kind: text} for kind, text in steps]}]


@pytest.fixture
def locked() -> dict[str, str]:
    """The versions of the lock."""
    lock = tomllib.loads((ROOT / "poetry.lock").read_text())
    return {package["name"]: package["version"] for package in lock["package"]}


def test_an_export_of_the_database_does_offline(tmp_path: Path) -> None:
    archive = tmp_path / "all.zip"
    with zipfile.ZipFile(archive, "w") as file:
        for path in EXPORT.glob("*.json"):
            file.write(path, path.name)
    for database in (EXPORT, archive, EXPORT / "PYSEC-0000-1.json"):
        code, said = offline(database)
        assert (code, said.startswith("audit: no advisories on the ")) == (0, True), said
    assert "2 advisories, the newest of 2026-06-01" in offline(archive)[1]


@pytest.mark.parametrize(
    ("steps", "code"),
    [
        ([("introduced", "0")], 1),
        ([("introduced", "0"), ("fixed", "{same}")], 0),
        ([("introduced", "0"), ("last_affected", "{same}")], 1),
        ([("introduced", "{same}")], 1),
        ([("introduced", "999")], 0),
        ([("introduced", "0"), ("fixed", "0.1"), ("introduced", "0.2"), ("fixed", "999")], 1),
        ([("fixed", "999"), ("introduced", "0")], 1),
        ([("introduced", "0"), ("limit", "0.1")], 0),
        ([("introduced", "0"), ("limit", "*")], 1),
        ([("introduced", "no version")], 1),
        ([], 0),
    ],
)
def test_ranges_are_evaluated_as_osv_says(
    tmp_path: Path, locked: dict[str, str], steps: list[tuple[str, str]], code: int
) -> None:
    version = locked["paho-mqtt"]
    filled = [(kind, text.format(same=version)) for kind, text in steps]
    file = tmp_path / "one.json"
    file.write_text(json.dumps(advisory("Paho.MQTT", ranges=events(*filled))))
    found, said = offline(file)
    assert found == code, said
    assert (f"audit: paho-mqtt {version}: PYSEC-9" in said) == bool(code)


def test_listed_versions_and_development_packages(tmp_path: Path, locked: dict[str, str]) -> None:
    file = tmp_path / "list.json"
    listed = [advisory(name, versions=[locked[name]]) for name in ("paho-mqtt", "pytest", "pip")]
    file.write_text(json.dumps(listed[1]))
    code, said = offline(file)
    assert (code, "pytest" in said, "(development only)" in said) == (0, True, True)
    for content in (listed, {"vulns": listed}, listed[2]):
        file.write_text(json.dumps(content))
        code, said = offline(file)
        assert (code, f"audit: pip {locked['pip']}: PYSEC-9" in said) == (1, True), said


@pytest.mark.parametrize("content", [b"", b"{", b"[1]", b'{"results": []}', b"\xff", b"5", b"[" * 100_000])
@pytest.mark.parametrize("name", ["all.zip", "all.json"])
def test_what_is_no_export_is_told(tmp_path: Path, content: bytes, name: str) -> None:
    (tmp_path / name).write_bytes(content)
    for database in (tmp_path / name, tmp_path):
        code, said = offline(database)
        assert code == 2
        assert f"{tmp_path / name} cannot be used" in said
        assert "Traceback" not in said


def test_an_export_without_our_ecosystem_is_told(tmp_path: Path) -> None:
    for database in (tmp_path, EXPORT / "GHSA-xxxx-xxxx-0002.json"):
        code, said = offline(database)
        assert (code, "no advisory about a package of PyPI is in it" in said) == (2, True)
    code, said = offline(tmp_path / "nothing")
    assert (code, "No such file" in said) == (2, True)

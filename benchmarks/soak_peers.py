"""What the service talks to in a soak run: a Mosquitto, a subscriber, an HTTP server, a pipe's reader."""

from __future__ import annotations

import asyncio
import json
import signal
import socket
from collections import Counter
from pathlib import Path

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class Broker:
    """A Mosquitto whose sessions survive its restarts."""

    def __init__(self, folder: Path) -> None:
        self.port = _free_port()
        self._settings = folder / "mosquitto.conf"
        self._settings.write_text(
            f"listener {self.port} 127.0.0.1\nallow_anonymous true\npersistence true\n"
            f"persistence_location {folder}/\nmax_queued_messages 0\nuser root\n"
        )
        self._process: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        self._process = await asyncio.create_subprocess_exec(
            *("mosquitto", "-c", str(self._settings)),
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
        )
        while True:
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", self.port)
            except OSError:
                await asyncio.sleep(0.05)
            else:
                writer.close()
                return

    async def stop(self) -> None:
        assert self._process is not None
        self._process.terminate()
        await self._process.wait()

    async def restart(self, seconds: float) -> None:
        await self.stop()
        await asyncio.sleep(seconds)
        await self.start()

    async def pause(self, seconds: float) -> None:
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)
        await asyncio.sleep(seconds)
        self._process.send_signal(signal.SIGCONT)

    async def resume(self) -> None:
        """Make sure that it runs, whatever was interrupted."""
        assert self._process is not None
        if self._process.returncode is not None:
            await self.start()
        else:
            self._process.send_signal(signal.SIGCONT)


class Listener:
    """Counts the readings on the `history` topics, each once; nothing is lost to it by a broker's restart."""

    def __init__(self, port: int) -> None:
        self.messages = 0
        self._seen: Counter[tuple[str, bytes]] = Counter()
        self._client = mqtt.Client(
            CallbackAPIVersion.VERSION2, client_id="soak-listener", clean_session=False
        )
        self._client.reconnect_delay_set(1, 1)
        self._client.on_connect = lambda client, *_: client.subscribe("smart-meter-reader/+/history", 1)
        self._client.on_message = self._take
        self._client.connect("127.0.0.1", port)
        self._client.loop_start()

    @property
    def readings(self) -> int:
        return len(self._seen)

    def close(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()

    def _take(self, client: object, userdata: object, message: mqtt.MQTTMessage) -> None:
        self.messages += 1
        # Two readings of one meter differ at least in their time.
        self._seen[message.topic, bytes(message.payload)] += 1


class RestApi:
    """Answers as Home Assistant's API does; for some seconds it fails when told to."""

    def __init__(self) -> None:
        self.port = 0
        self.posts = 0
        self._states: dict[str, bytes] = {}
        self._fails_until = 0.0
        self._server: asyncio.Server | None = None

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        assert self._server is not None
        self._server.close()

    def fail_for(self, seconds: float) -> None:
        self._fails_until = asyncio.get_running_loop().time() + seconds

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while request := await reader.readline():
                await self._answer(request, reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass  # the client has gone
        finally:
            writer.close()

    async def _answer(
        self, request: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        length = 0
        while (line := await reader.readline()).strip():
            if line.lower().startswith(b"content-length:"):
                length = int(line.split(b":")[1])
        body = await reader.readexactly(length)
        method, path, _ = request.decode("latin-1").split(" ", 2)
        status, answer = self._act(method, path, body)
        if asyncio.get_running_loop().time() < self._fails_until:
            status, answer = "503 Service Unavailable", b"{}"
        head = f"HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {len(answer)}\r\n\r\n"
        writer.write(head.encode() + answer)
        await writer.drain()

    def _act(self, method: str, path: str, body: bytes) -> tuple[str, bytes]:
        entity = path.rpartition("/")[2]
        if method == "POST":
            self.posts += 1
            known = entity in self._states
            self._states[entity] = body
            return ("200 OK" if known else "201 Created"), body
        if path.rstrip("/").endswith("/api"):
            return "200 OK", b'{"message": "API running."}'
        if path.endswith("/states"):
            return "200 OK", json.dumps([json.loads(state) for state in self._states.values()]).encode()
        if entity in self._states:
            return "200 OK", self._states[entity]
        return "404 Not Found", b'{"message": "Entity not found."}'


class Output:
    """The reader of the service's stdout, which stops reading now and then."""

    def __init__(self) -> None:
        self.readings = 0
        self._flowing = asyncio.Event()
        self._flowing.set()

    async def read(self, process: asyncio.subprocess.Process) -> None:
        assert process.stdout is not None
        while line := await process.stdout.readline():
            self.readings += b'"type": "reading"' in line or b'"type":"reading"' in line
            await self._flowing.wait()

    async def pause(self, seconds: float) -> None:
        self._flowing.clear()
        await asyncio.sleep(seconds)
        self._flowing.set()

"""A stand-in for Home Assistant's WebSocket API: takes and refuses statistics as the real one does.

Source: developers.home-assistant.io, "WebSocket API"; home-assistant/core, ``recorder/websocket_api.py`` and
``recorder/statistics.py`` (async_add_external_statistics): which keys there are, ids, sources, full hours.
"""

from __future__ import annotations

import re
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from aiohttp import WSMsgType, web

TOKEN = "a.long.lived-token"
_ID = re.compile(r"(?!.+__)(?!_)[\da-z_]+(?<!_):(?!_)[\da-z_]+(?<!_)")
_METADATA = {"has_sum", "name", "source", "statistic_id", "unit_of_measurement"}
_ROW = {"start", "mean", "min", "max", "last_reset", "state", "sum"}


class RefusedError(Exception):
    """Code and message of an answer without success."""


@dataclass
class Statistics:
    """One Home Assistant."""

    version: str = "2026.2.3"
    administrator: bool = True
    has_recorder: bool = True
    never_shows: bool = False
    rows: dict[str, dict[datetime, dict[str, Any]]] = field(default_factory=dict)
    metadata: dict[str, dict[str, Any]] = field(default_factory=dict)
    commands: list[str] = field(default_factory=list)
    port: int = 0

    async def serve(self, request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse(max_msg_size=4 * 1024 * 1024)
        await socket.prepare(request)
        await socket.send_json({"type": "auth_required", "ha_version": self.version})
        login = await socket.receive_json()
        if login != {"type": "auth", "access_token": TOKEN}:
            await socket.send_json({"type": "auth_invalid", "message": "Invalid access token or password"})
            await socket.close()
            return socket
        await socket.send_json({"type": "auth_ok", "ha_version": self.version})
        async for message in socket:
            assert message.type is WSMsgType.TEXT
            told = message.json()
            try:
                answer = {"success": True, "result": self._answer(told)}
            except RefusedError as error:
                code, text = error.args
                answer = {"success": False, "error": {"code": code, "message": text}}
            await socket.send_json({"id": told["id"], "type": "result", **answer})
        return socket

    def _answer(self, told: dict[str, Any]) -> object:
        kind = told["type"]
        self.commands.append(kind)
        if not self.has_recorder or not kind.startswith("recorder/"):
            raise RefusedError("unknown_command", "Unknown command.")
        if kind == "recorder/import_statistics":
            if not self.administrator:
                raise RefusedError("unauthorized", "Unauthorized")
            self._take(told["metadata"], told["stats"])
            return None
        assert kind == "recorder/statistics_during_period"
        since = datetime.fromisoformat(told["start_time"])
        return {
            name: [
                {"start": start.timestamp() * 1000, "sum": row["sum"]}
                for start, row in self.rows.get(name, {}).items()
                if start >= since and not self.never_shows
            ]
            for name in told["statistic_ids"]
        }

    def _require(self, metadata: dict[str, Any]) -> None:
        year, month = map(int, self.version.split(".")[:2])
        allowed = _METADATA | {"has_mean"}
        if (year, month) >= (2025, 11):
            allowed |= {"mean_type", "unit_class"}
            if not {"mean_type", "unit_class"} <= metadata.keys():
                raise AssertionError("logged as deprecated, and refused from 2026.11 on")
        for key in metadata:
            if key not in allowed:
                raise RefusedError("invalid_format", f"extra keys not allowed @ data['metadata']['{key}']")
        if not metadata.keys() >= _METADATA:
            raise RefusedError("invalid_format", "required key not provided")
        if not _ID.fullmatch(metadata["statistic_id"]):
            raise RefusedError("home_assistant_error", "Invalid statistic_id")
        if metadata["statistic_id"].partition(":")[0] != metadata["source"]:
            raise RefusedError("home_assistant_error", "Invalid source")

    def _take(self, metadata: dict[str, Any], stats: list[dict[str, Any]]) -> None:
        self._require(metadata)
        rows = self.rows.setdefault(metadata["statistic_id"], {})
        for row in stats:
            start = datetime.fromisoformat(row["start"])
            if start.tzinfo is None or start.minute or start.second or start.microsecond:
                raise RefusedError("home_assistant_error", "Invalid timestamp")
            if not row.keys() <= _ROW or not all(
                isinstance(row[key], int | float) for key in ("state", "sum")
            ):
                raise RefusedError("invalid_format", "expected float")
            rows[start.astimezone(UTC)] = row
        self.metadata[metadata["statistic_id"]] = metadata


@asynccontextmanager
async def serving(home: Statistics, tls: ssl.SSLContext | None = None) -> AsyncIterator[str]:
    """Its address."""
    app = web.Application()
    app.router.add_get("/api/websocket", home.serve)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", home.port, ssl_context=tls)
    await site.start()
    try:
        home.port = runner.addresses[0][1]
        yield f"http{'s' if tls else ''}://127.0.0.1:{home.port}"
    finally:
        await runner.cleanup()

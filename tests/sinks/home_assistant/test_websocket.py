"""The WebSocket API of something that is no Home Assistant, or means harm: told, and never waited for."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest
from aiohttp import web

from smart_meter_reader.exceptions import SinkError
from smart_meter_reader.settings.schema import Secret
from smart_meter_reader.sinks.home_assistant import websocket
from smart_meter_reader.sinks.home_assistant.rest import HomeAssistantRestSettings

Answer = Callable[[web.WebSocketResponse], Awaitable[None]]


@asynccontextmanager
async def answering(answer: Answer) -> AsyncIterator[HomeAssistantRestSettings]:
    """How to reach a server that takes any token, and leaves what follows a command to ``answer``."""

    async def talk(request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        await socket.send_json({"type": "auth_required"})
        await socket.receive_json()
        await socket.send_json({"type": "auth_ok", "ha_version": "2026.2.3"})
        await socket.receive_json()
        await answer(socket)
        return socket

    app = web.Application()
    app.router.add_get("/api/websocket", talk)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield HomeAssistantRestSettings(url=f"http://127.0.0.1:{runner.addresses[0][1]}", token=Secret("t"))
    finally:
        await runner.cleanup()


async def _without_end(socket: web.WebSocketResponse) -> None:
    while not socket.closed:
        await socket.send_json({"id": 77, "type": "event"})
        await asyncio.sleep(0.01)


async def test_messages_for_others_without_end_are_no_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(websocket, "_STEP_SECONDS", 0.5)
    async with answering(_without_end) as settings, websocket.logged_in(settings) as api:
        with pytest.raises(SinkError, match=r"does not answer within 0\.5 s"):
            await api.command("get_states")


@pytest.mark.parametrize("text", ["[" * 100_000, "no JSON", "[1]"], ids=["deep", "none", "list"])
async def test_what_is_no_answer_is_told(text: str) -> None:
    async with (
        answering(lambda socket: socket.send_str(text)) as settings,
        websocket.logged_in(settings) as api,
    ):
        with pytest.raises(SinkError, match="answers, but not as Home Assistant does"):
            await api.command("get_states")

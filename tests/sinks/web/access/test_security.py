"""Whom the page answers: names, origins, passwords, tokens, proxies, and Home Assistant."""

from __future__ import annotations

import re
import time

import pytest

from smart_meter_reader.settings.values import Secret
from smart_meter_reader.sinks.web.access import security
from smart_meter_reader.sinks.web.access.callers import COOKIE
from smart_meter_reader.sinks.web.access.passwords import is_password, written
from smart_meter_reader.sinks.web.access.security import HEADERS, Way, way_of
from smart_meter_reader.sinks.web.access.sessions import MOST_SESSIONS, LoginRate, Sessions
from smart_meter_reader.sinks.web.settings import WebSettings
from tests.sinks.web.running import KEPT, PASSWORD, TOKEN, page, reading

EVERYBODY = "0.0.0.0"  # noqa: S104 - settings, nothing listens
EVERYWHERE = (
    "/",
    "/login",
    "/api/v1/now",
    "/api/v1/stream",
    "/health",
    "/metrics",
    "/nothing",
    "/static/x.js",
)


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:8080", "127.0.0.1.evil.example", "localhost.x"]
)
async def test_a_foreign_name_is_answered_nothing(host: str) -> None:
    """What DNS rebinding looks like from here."""
    async with page(reading(power="1 kW")) as running:
        for path in EVERYWHERE:
            answer = await running.get(path, headers={"Host": host})
            assert answer.status == 421, path
            assert "kW" not in answer.text
        assert (await running.post("/api/v1/meters/heat/read", headers={"Host": host})).status == 421


@pytest.mark.parametrize(
    "host",
    [
        "localhost",
        "LOCALHOST:1",
        "127.0.0.1:80",
        "192.168.1.20",
        "[fe80::1]:8080",
        "pi.local",
        "meters.example.org.",
    ],
)
async def test_our_names_are_answered(host: str) -> None:
    async with page(names=("Meters.example.org",)) as running:
        assert (await running.get("/health", headers={"Host": host})).status in (200, 503)


@pytest.mark.parametrize("host", ["", "a b", "[::1", "x/y", "localhost:port", "http://localhost"])
def test_what_is_no_name_is_not_ours(host: str) -> None:
    assert not security.is_our_name(host, ["meters.example.org"])


@pytest.mark.parametrize(
    ("headers", "ours"),
    [
        ({}, True),  # curl
        ({"Sec-Fetch-Site": "same-origin", "Origin": "null"}, True),
        ({"Sec-Fetch-Site": "same-origin", "Origin": "http://{host}"}, True),
        ({"Origin": "http://{host}"}, True),  # over plain HTTP in the house
        ({"Sec-Fetch-Site": "cross-site", "Origin": "http://evil.example"}, False),
        ({"Sec-Fetch-Site": "same-site", "Origin": "http://{host}"}, False),
        ({"Sec-Fetch-Site": "none"}, False),
        ({"Origin": "http://evil.example"}, False),
        ({"Origin": "null"}, False),
        ({"Origin": "http://127.0.0.1:1"}, False),  # another program of this computer
    ],
)
async def test_a_form_of_another_page_is_refused(headers: dict[str, str], ours: bool) -> None:
    async with page() as running:
        sent = {key: value.format(host=f"127.0.0.1:{running.port}") for key, value in headers.items()}
        answer = await running.post("/logout", headers=sent)
        assert answer.status == (303 if ours else 403)


async def test_every_answer_has_the_headers() -> None:
    async with page(password=KEPT) as running:
        for path in EVERYWHERE:
            answer = await running.get(path)
            for name, value in HEADERS.items():
                assert answer.headers[name] == value, path
            assert "unsafe" not in answer.headers["Content-Security-Policy"]
            assert "frame-ancestors 'none'" in answer.headers["Content-Security-Policy"]
            assert answer.headers["Cache-Control"] == "no-store"
            assert not [name for name in answer.headers if name.lower().startswith("access-control-")]
            assert "Server" not in answer.headers
        preflight = await running.ask("OPTIONS", "/api/v1/now", headers={"Origin": "http://evil.example"})
        assert preflight.status in (401, 403)
        assert "Access-Control-Allow-Origin" not in preflight.headers


async def test_nothing_is_shown_before_the_login() -> None:
    async with page(reading(power="1 kW"), password=KEPT, meters=("heat",)) as running:
        for path in ("/", "/history", "/meters"):
            answer = await running.get(path)
            assert (answer.status, answer.headers["Location"]) == (303, "login")
        for path in ("/api/v1/now", "/api/v1/stream", "/api/v1/openapi.json", "/metrics", "/api/v1/nothing"):
            answer = await running.get(path)
            assert (answer.status, "kW" in answer.text) == (401, False), path
        assert (await running.post("/api/v1/meters/heat/read")).status == 401
        login = await running.get("/login")
        assert login.status == 200
        assert "heat" not in login.text.lower().replace("heat</a>", "")
        assert (await running.get("/health")).status == 503


async def test_a_login_lasts_until_the_logout() -> None:
    async with page(reading(power="1 kW"), password=KEPT) as running:
        answer = await running.post("/login", data={"password": PASSWORD})
        assert (answer.status, answer.headers["Location"]) == (303, ".")
        cookie = answer.headers["Set-Cookie"]
        for part in ("HttpOnly", "SameSite=Strict", "Path=/", f"Max-Age={90 * 86400}"):
            assert part in cookie, cookie
        assert "Secure" not in cookie
        assert (await running.get("/api/v1/now")).status == 200
        assert (await running.get("/login")).status == 303
        held = [each.value for each in running.browser.cookie_jar if each.key == COOKIE]
        assert held[0] not in str(running.sink.memory)
        assert (await running.post("/logout")).headers["Location"] == "login"
        assert (await running.get("/api/v1/now")).status == 401
        # The cookie is worth nothing any more, even if somebody has kept it.
        assert (await running.get("/api/v1/now", headers={"Cookie": f"{COOKIE}={held[0]}"})).status == 401


async def test_a_login_outlasts_a_restart_and_not_another_password() -> None:
    async with page(password=KEPT) as running:
        answer = await running.post("/login", data={"password": PASSWORD})
        cookie = answer.headers["Set-Cookie"].partition(";")[0]
        memory = running.sink.memory
    for password, code in ((KEPT, 200), (Secret(written(PASSWORD)), 401)):
        async with page(password=password, recalled=memory) as running:
            assert (await running.get("/api/v1/now", headers={"Cookie": cookie})).status == code


async def test_all_refused_logins_are_alike_and_few() -> None:
    async with page(password=KEPT) as running:
        tries = [
            {"password": "wrong"},
            {"password": ""},
            {"other": "x"},
            {"password": "x" * 300},
            {"password": "w"},
        ]
        # The sixth is right, and comes within the same minute.
        answers = [await running.post("/login", data=each) for each in [*tries, {"password": PASSWORD}]]
        told = {(each.status, re.sub("<time.*?</time>", "", each.text)) for each in answers}
        assert len(told) == 1
        assert answers[0].status == 401
        assert not [each for each in answers if "Set-Cookie" in each.headers]


async def test_a_token_reads_and_does_nothing_else() -> None:
    async with page(reading(power="1 kW"), password=KEPT, tokens={"grafana": Secret(TOKEN)}) as running:
        bearer = {"Authorization": f"Bearer {TOKEN}"}
        for path in ("/api/v1/now", "/metrics", "/"):
            assert (await running.get(path, headers=bearer)).status == 200
        assert (await running.post("/api/v1/meters/heat/read", headers=bearer)).status == 403
        for wrong in ("Bearer wrong", f"Basic {TOKEN}", "Bearer", TOKEN, "Bearer \N{SNOWMAN}"):
            answer = await running.get("/api/v1/now", headers={"Authorization": wrong})
            assert answer.status == 401, wrong
        for query in (f"?token={TOKEN}", f"?access_token={TOKEN}"):
            assert (await running.get(f"/api/v1/now{query}")).status == 401


async def test_a_body_is_small_and_comes_soon() -> None:
    async with page(password=KEPT) as running:
        answer = await running.post("/login", data={"password": "x" * 5000})
        assert answer.status == 413


def test_only_trusted_peers_are_believed() -> None:
    told = {"X-Forwarded-Prefix": "/meters/", "X-Forwarded-Proto": "https", "X-Ingress-Path": "/api/x"}
    settings = WebSettings(proxies=("192.168.1.0/24", "::1"))
    for peer, way in (
        ("192.168.1.7", Way("/meters", secure=True)),
        ("::1", Way("/meters", secure=True)),
        ("192.168.2.7", Way()),
        ("not an address", Way()),
        (security.SUPERVISOR, Way()),
    ):
        found = way_of(peer, told, secure=False, ingress=False, proxies=settings.trusted)
        assert found == way, peer
    found = way_of(security.SUPERVISOR, told, secure=False, ingress=True, proxies=settings.trusted)
    assert found == Way("/api/x", secure=True, ingress=True)


@pytest.mark.parametrize(
    "prefix", ["//evil.example", "/a/../b", "/a;b", "https://evil.example", "/a b", "/\r\nX: y"]
)
def test_a_prefix_that_leads_elsewhere_is_none(prefix: str) -> None:
    headers = {"X-Forwarded-Prefix": prefix}
    proxies = WebSettings(proxies=("127.0.0.1",)).trusted
    assert way_of("127.0.0.1", headers, secure=False, ingress=False, proxies=proxies) == Way()


async def test_behind_a_proxy_cookies_are_those_of_the_path() -> None:
    told = {"X-Forwarded-Prefix": "/meters", "X-Forwarded-Proto": "https", "Host": "meters.example.org"}
    names = ("meters.example.org",)
    async with page(password=KEPT, proxies=("127.0.0.1",), names=names) as running:
        answer = await running.post("/login", data={"password": PASSWORD}, headers=told)
        assert answer.headers["Location"] == "."
        assert "Path=/meters/" in answer.headers["Set-Cookie"]
        assert "Secure" in answer.headers["Set-Cookie"]


async def test_home_assistant_has_asked_who_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    ingress = {"X-Ingress-Path": "/api/hassio_ingress/abc", "Host": "homeassistant.example"}
    async with page(reading(power="1 kW"), home_assistant_ingress=True) as running:
        assert (await running.get("/api/v1/now", headers={**ingress, "Host": "localhost"})).status == 403
        monkeypatch.setattr(security, "SUPERVISOR", "127.0.0.1")
        answer = await running.get("/api/v1/now", headers=ingress)
        assert answer.status == 200
        assert "frame-ancestors 'self'" in answer.headers["Content-Security-Policy"]
        assert (await running.get("/login", headers=ingress)).status == 303


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"host": EVERYBODY}, "set `password` to the line that `smart-meter-reader web password` gives"),
        ({"host": "192.168.1.5"}, "on 192.168.1.5 others can see when somebody is at home"),
        ({"tokens": {"x": Secret(TOKEN)}}, "without `password` everybody may read"),
        ({"key": "/x"}, "of no use without `certificate`"),
        ({"proxies": ("192.168.1.1/24",)}, "no address and no network"),
    ],
)
def test_settings_that_would_let_others_in_are_refused(wrong: dict[str, object], sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        WebSettings(**wrong)  # type: ignore[arg-type]


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "localhost", "127.1.2.3"])
def test_on_this_computer_no_password_is_needed(host: str) -> None:
    assert WebSettings(host=host).sent_openly == ""


def test_a_password_in_the_open_is_warned_about() -> None:
    assert "as it is" in WebSettings(host=EVERYBODY, password=KEPT).sent_openly
    assert not WebSettings(host=EVERYBODY, password=KEPT, proxies=("10.0.0.1",)).sent_openly


def test_a_kept_password_is_that_one_and_never_the_same_text() -> None:
    kept = written("grüße, 12345")
    assert kept != written("grüße, 12345")
    assert is_password("grüße, 12345", kept)
    assert not is_password("grüsse, 12345", kept)
    assert not is_password("x" * 201, written("x" * 200))


def test_tries_are_counted_in_a_minute() -> None:
    rate = LoginRate()
    assert [rate.take(now) for now in (0, 1, 2, 3, 4, 5, 59, 60.5, 60.6, 61.2)] == (
        [True] * 5 + [False, False, True, False, True]
    )


def test_sessions_end_by_themselves_and_are_not_without_number() -> None:
    sessions = Sessions("x", 100)
    now = time.time()
    first = sessions.begin(now)
    others = [sessions.begin(now + 1) for _ in range(MOST_SESSIONS)]
    assert not sessions.holds(first, now + 2)
    assert sessions.holds(others[0], now + 100)
    assert not sessions.holds(others[0], now + 101)
    with pytest.raises(ValueError, match="sessions"):
        Sessions("x", 100).recall({"sessions": ["made up"]})


async def test_a_form_comes_by_the_name_that_the_browser_knows(monkeypatch: pytest.MonkeyPatch) -> None:
    sent = {"Origin": "https://home.example", "Host": "inside.example", "X-Forwarded-Host": "home.example"}
    more = {"Sec-Fetch-Site": "cross-site"}
    names = ("inside.example",)
    async with page(proxies=("127.0.0.1",), names=names) as running:
        assert (await running.post("/logout", headers=sent)).status == 303
        assert (await running.post("/logout", headers={**sent, **more})).status == 403
    async with page(names=names) as running:  # no proxy is trusted
        assert (await running.post("/logout", headers=sent)).status == 403

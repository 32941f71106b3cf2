"""The HTTP side over real sockets: what clients get, what hostile clients get, and how it stops."""

import asyncio
import base64
import gc
import gzip
import json
import logging
import re
import socket
import ssl
import threading
import weakref
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Iterator
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

import aiohttp
import bcrypt
import pytest
import pytest_asyncio
import trustme
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from yarl import URL

from cpanel_mail_exporter.exposition.body import Body, Format
from cpanel_mail_exporter.model.secret import Secret
from cpanel_mail_exporter.web.connection import Limits
from cpanel_mail_exporter.web.listening import CannotListen
from cpanel_mail_exporter.web.ports import Health, ServerView
from cpanel_mail_exporter.web.server import WebServer
from cpanel_mail_exporter.web.tls import Certificate

AUTHORITY = trustme.CA()
NOW = 1_795_252_447.0
OPENMETRICS = "application/openmetrics-text;version=1.0.0;q=0.9,*/*;q=0.1"
QUICK = Limits(request_seconds=0.2, idle_seconds=0.4, stalled_seconds=0.3)
PATHS = [
    "/",
    "/metrics",
    "/probe?target=web1",
    "/sd",
    "/debug/bounces",
    "/debug/cardinality",
    "/-/healthy",
    "/-/ready",
]


@dataclass
class FakePublication:
    """Pieces of text by format; gzip is one member, cut into pieces of 10 bytes."""

    pieces: list[bytes]
    opened: int = 0
    length: int | None = None

    def body(self, format: Format, compressed: bool) -> Body:
        pieces = [b"# " + format.name.encode() + b"\n", *self.pieces]
        if compressed:
            packed = gzip.compress(b"".join(pieces))
            pieces = [packed[at : at + 10] for at in range(0, len(packed), 10)]

        def pieces_again() -> Iterator[bytes]:
            self.opened += 1
            return iter(pieces)

        length = sum(map(len, pieces)) if self.length is None else self.length
        return Body(length, pieces_again)

    def only(self, names: Collection[str]) -> "FakePublication":
        wanted = [name.encode() for name in names]
        return FakePublication([p for p in self.pieces if p.partition(b" ")[0] in wanted])


@dataclass
class FakePublished:
    all: FakePublication = field(
        default_factory=lambda: FakePublication([b"up 1\n", b"", b"b 2\n"])
    )
    servers: dict[str, FakePublication] = field(
        default_factory=lambda: {
            "web1": FakePublication([b"one 1\n"]),
            "a b/\u00fc": FakePublication([]),
        }
    )

    def everything(self) -> FakePublication:
        return self.all

    def of_server(self, name: str) -> FakePublication | None:
        return self.servers.get(name)


def view(name: str, *, was_polled: bool = True) -> ServerView:
    return ServerView(
        name=name,
        endpoint_authority=f"{name}.example.com:2087",
        labels=(("region", "eu"),),
        was_polled=was_polled,
        state="last poll 12 s ago was complete",
        last_success_unix=NOW - 12,
        next_poll_unix=NOW + 48,
        collectors=(),
        health=Health.GOOD,
    )


@dataclass
class Running:
    """A started WebServer and what it serves."""

    web: WebServer
    published: FakePublished
    views: list[ServerView]
    host: str
    port: int
    scheme: str = "http"

    def url(self, path: str) -> str:
        return f"{self.scheme}://{self.host}:{self.port}{path}"

    async def raw(self, request: bytes) -> bytes:
        """All that comes back for some bytes, until the server closes."""
        reader, writer = await asyncio.open_connection(self.host, self.port)
        writer.write(request)
        try:
            return await asyncio.wait_for(reader.read(), 20)
        except ConnectionResetError:
            return b""
        finally:
            writer.close()


Start = Callable[..., Awaitable[Running]]


@pytest_asyncio.fixture
async def start() -> AsyncIterator[Start]:
    started: list[WebServer] = []

    async def begin(**options: object) -> Running:
        published, views = FakePublished(), [view("web1"), view("web2")]
        arguments = {
            "published": published,
            "views": lambda: views,
            "version": "1.2.3",
            "now_unix": lambda: NOW,
            "host": "127.0.0.1",
            "port": 0,
        }
        web = WebServer(**(arguments | options))
        host, port = await web.start()
        started.append(web)
        scheme = "https" if options.get("certificate") else "http"
        return Running(web, published, views, host, port, scheme)

    yield begin
    for web in started:
        async with asyncio.timeout(2):
            await web.stop()


@pytest_asyncio.fixture
async def client() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession(
        auto_decompress=False, skip_auto_headers=["Accept", "Accept-Encoding"]
    ) as session:
        yield session


@pytest.fixture(autouse=True)
def no_complaints(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """Nothing that clients do is worth more than debug; what tests expect they clear."""
    caplog.set_level(logging.DEBUG)
    yield
    above = [r for r in caplog.records if r.levelno > logging.DEBUG]
    assert [(r.name, r.getMessage()) for r in above] == []


@pytest.fixture
def certificate(tmp_path: Path) -> Certificate:
    issue(tmp_path)
    return Certificate(tmp_path / "web.crt", tmp_path / "web.key")


def issue(folder: Path) -> None:
    issued = AUTHORITY.issue_cert("127.0.0.1", "localhost")
    (folder / "web.crt").write_bytes(b"".join(pem.bytes() for pem in issued.cert_chain_pems))
    issued.private_key_pem.write_to_path(folder / "web.key")


def trusting() -> ssl.SSLContext:
    context = ssl.create_default_context()
    AUTHORITY.configure_trust(context)
    return context


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while True:
            if condition():
                return
            await asyncio.sleep(0.005)


# --- what is served ---


@pytest.mark.parametrize(
    ("accept", "first_line"),
    [(None, b"# TEXT\n"), ("*/*", b"# TEXT\n"), (OPENMETRICS, b"# OPENMETRICS\n")],
)
@pytest.mark.parametrize("encoding", [None, "identity", "gzip", "gzip;q=0, *"])
async def test_metrics_are_served_in_the_form_that_was_asked_for(
    start: Start,
    client: aiohttp.ClientSession,
    accept: str | None,
    first_line: bytes,
    encoding: str | None,
) -> None:
    running = await start()
    headers = {"Accept": accept, "Accept-Encoding": encoding}
    sent = {name: value for name, value in headers.items() if value is not None}
    async with client.get(running.url("/metrics"), headers=sent) as answer:
        body = await answer.read()
        got = dict(answer.headers)
    assert got.pop("Date")
    wanted = {
        "Server": "cpanel_mail_exporter",
        "Cache-Control": "no-store",
        "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
        "Referrer-Policy": "no-referrer",
        "X-Content-Type-Options": "nosniff",
        "Content-Type": (Format.OPENMETRICS if accept == OPENMETRICS else Format.TEXT).value,
        "Content-Length": str(len(body)),
        "Vary": "Accept, Accept-Encoding",
    }
    if encoding == "gzip":
        wanted["Content-Encoding"] = "gzip"
        body = gzip.decompress(body)
    assert got == wanted
    assert answer.status == 200
    assert body == first_line + b"up 1\nb 2\n"


async def test_several_lines_of_a_header_are_one_list(start: Start) -> None:
    running = await start()
    answer = await running.raw(
        b"GET /metrics HTTP/1.1\r\nHost: a\r\nConnection: close\r\nAccept: text/plain;q=0.1\r\n"
        b"Accept: application/openmetrics-text\r\n\r\n"
    )
    assert b"# OPENMETRICS\n" in answer


async def test_probe_serves_one_server(start: Start, client: aiohttp.ClientSession) -> None:
    running = await start()
    for query, text in (("web1", "# TEXT\none 1\n"), ("a%20b%2F%C3%BC", "# TEXT\n")):
        async with client.get(running.url("/probe?x=1&target=") + query) as answer:
            assert (answer.status, await answer.text()) == (200, text)


@pytest.mark.parametrize(
    ("query", "body"),
    [
        ("/metrics?name[]=b", "b 2\n"),
        ("/metrics?name%5B%5D=up&name%5B%5D=b", "up 1\nb 2\n"),
        ("/metrics?name[]=b&name[]=b&name[]=nothing", "b 2\n"),
        ("/metrics?name[]=nothing", ""),
        ("/metrics?name[]=", ""),
        ("/metrics?name[]", ""),
        ("/metrics?name=b&NAME[]=b", "up 1\nb 2\n"),
        ("/metrics?name[]=%FF%00%0A", ""),
        ("/probe?target=web1&name[]=one", "one 1\n"),
        ("/probe?name[]=b&target=web1", ""),
    ],
)
@pytest.mark.parametrize("encoding", ["identity", "gzip"])
async def test_names_in_the_query_select_families(
    start: Start, client: aiohttp.ClientSession, query: str, body: str, encoding: str
) -> None:
    running = await start()
    answers = []
    got = b""
    for method in ("GET", "HEAD"):
        async with client.request(
            method, URL(running.url(query), encoded=True), headers={"Accept-Encoding": encoding}
        ) as answer:
            answers.append((answer.status, dict(answer.headers) | {"Date": ""}))
            got = got or await answer.read()
    assert answers[0] == answers[1]
    assert answers[0][1]["Vary"] == "Accept, Accept-Encoding"
    assert int(answers[0][1]["Content-Length"]) == len(got)
    text = gzip.decompress(got) if encoding == "gzip" else got
    assert (answers[0][0], text.decode()) == (200, "# TEXT\n" + body)


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("", 400),
        ("?target", 404),
        ("?target=", 404),
        ("?other=web1", 400),
        ("?target=web1&target=web1", 400),
        ("?target=web3", 404),
        ("?target=192.0.2.1:2087", 404),
        ("?target=http://127.0.0.1:1/", 404),
        ("?target=%FF%00%0A", 404),
    ],
)
async def test_a_probe_of_anything_else_is_one_plain_sentence(
    start: Start, client: aiohttp.ClientSession, query: str, status: int
) -> None:
    running = await start()
    async with client.get(running.url("/probe") + query) as answer:
        assert answer.status == status
        assert answer.headers["Content-Type"] == "text/plain; charset=utf-8"
        assert (
            await answer.text()
            == {
                400: "Name exactly one server, as in /probe?target=NAME.\n",
                404: "No server is configured by this name; /sd lists those that are.\n",
            }[status]
        )


async def test_discovery_names_the_address_the_client_used(
    start: Start, client: aiohttp.ClientSession
) -> None:
    running = await start()
    own = f"127.0.0.1:{running.port}"
    for host, target in [
        (None, own),
        ("mail.example.com:9197", "mail.example.com:9197"),
        ("mail.example.com/<script>", own),
    ]:
        headers = {} if host is None else {"Host": host}
        async with client.get(running.url("/sd"), headers=headers) as answer:
            groups = await answer.json()
            assert answer.headers["Content-Type"] == "application/json"
        assert groups == [
            {
                "targets": [target],
                "labels": {
                    "region": "eu",
                    "__meta_cpanel_mail_label_region": "eu",
                    "__metrics_path__": "/probe",
                    "__param_target": name,
                    "__scheme__": "http",
                    "instance": name,
                    "__meta_cpanel_mail_server": name,
                    "__meta_cpanel_mail_endpoint": f"{name}.example.com:2087",
                },
            }
            for name in ("web1", "web2")
        ]


async def test_discovery_without_a_host_header_names_the_address_that_was_reached(
    start: Start,
) -> None:
    running = await start(host="")
    running.host = "127.0.0.1"
    answer = await running.raw(b"GET /sd HTTP/1.0\r\n\r\n")
    groups = json.loads(answer.partition(b"\r\n\r\n")[2])
    assert [group["targets"] for group in groups] == [[f"127.0.0.1:{running.port}"]] * 2


async def test_ready_only_when_every_server_was_polled(
    start: Start, client: aiohttp.ClientSession
) -> None:
    running = await start()
    running.views[:] = [view("web1", was_polled=False), view("web2", was_polled=False)]
    seen = []
    for number in range(3):
        async with client.get(running.url("/-/ready")) as answer:
            seen.append((answer.status, await answer.text()))
        if number < 2:
            running.views[number] = replace(running.views[number], was_polled=True)
    assert seen == [
        (503, "Not ready: 2 of 2 servers not polled yet.\n"),
        (503, "Not ready: 1 of 2 servers not polled yet.\n"),
        (200, "Ready: every server has been polled.\n"),
    ]


async def test_healthy_whatever_the_servers_do(start: Start, client: aiohttp.ClientSession) -> None:
    running = await start()
    running.views[:] = [view("web1", was_polled=False)]
    async with client.get(running.url("/-/healthy")) as answer:
        assert (answer.status, await answer.text()) == (200, "The exporter is running.\n")


async def test_the_status_page_may_run_nothing(start: Start, client: aiohttp.ClientSession) -> None:
    running = await start(links=[("Handbook", "https://example.com/handbook")])
    async with client.get(running.url("/?q=web1")) as answer:
        page = await answer.text()
        headers = answer.headers
    assert answer.status == 200
    assert headers["Content-Type"] == "text/html; charset=utf-8"
    policy = headers.getall("Content-Security-Policy")
    assert len(policy) == 1
    assert policy[0].startswith("default-src 'none'; style-src 'sha256-")
    assert "web1.example.com" in page
    assert "web2.example.com" not in page
    assert "https://example.com/handbook" in page


@pytest.mark.parametrize("path", [*PATHS, "/nothing", "/probe"])
@pytest.mark.parametrize("encoding", ["gzip", "identity"])
async def test_head_sends_the_headers_of_get(
    start: Start, client: aiohttp.ClientSession, path: str, encoding: str
) -> None:
    running = await start()
    answers = []
    for method in ("GET", "HEAD"):
        async with client.request(
            method, running.url(path), headers={"Accept-Encoding": encoding}
        ) as answer:
            body = await answer.read()
            headers = {name: value for name, value in answer.headers.items() if name != "Date"}
            answers.append((answer.status, headers))
            assert int(headers["Content-Length"]) == len(body) or method == "HEAD"
    assert answers[0] == answers[1]
    assert body == b""


async def test_head_opens_no_body(start: Start, client: aiohttp.ClientSession) -> None:
    running = await start()
    await client.head(running.url("/metrics"))
    assert running.published.all.opened == 0


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE"])
@pytest.mark.parametrize(("path", "status"), [("/metrics", 405), ("/", 405), ("/nothing", 404)])
async def test_other_methods_and_paths_are_refused_in_plain_text(
    start: Start, client: aiohttp.ClientSession, method: str, path: str, status: int
) -> None:
    running = await start()
    async with client.request(method, running.url(path), data=b"x" * 100) as answer:
        assert answer.status == status
        assert answer.headers.get("Allow") == ("GET, HEAD" if status == 405 else None)
        assert answer.headers["Content-Type"] == "text/plain; charset=utf-8"
        assert (
            await answer.text()
            == {
                404: "There is nothing here; / lists what there is.\n",
                405: "Only GET and HEAD are answered.\n",
            }[status]
        )


@pytest.mark.parametrize(
    "path", ["/metrics/", "//metrics", "/METRICS", "/-/", "/favicon.ico", "/../metrics/x", "/%00"]
)
async def test_unknown_paths_are_not_guessed(start: Start, path: str) -> None:
    running = await start()
    answer = await running.raw(f"GET {path} HTTP/1.0\r\n\r\n".encode())
    assert answer.startswith(b"HTTP/1.0 404 Not Found\r\n")


async def test_a_large_body_arrives_whole_and_scrapes_share_its_pieces(
    start: Start, client: aiohttp.ClientSession
) -> None:
    running = await start()
    pieces = [bytes([n % 251]) * (700_000 if n % 2 else 1000) for n in range(40)]
    running.published.all = FakePublication(pieces)

    async def scrape() -> bytes:
        async with client.get(running.url("/metrics")) as answer:
            assert answer.headers["Content-Length"] == str(sum(map(len, pieces)) + 7)
            return await answer.read()

    bodies = await asyncio.gather(*(scrape() for _ in range(4)))
    assert bodies == [b"# TEXT\n" + b"".join(pieces)] * 4


@pytest.mark.parametrize("length", [8, 100])
async def test_a_body_of_the_wrong_length_never_looks_whole(
    start: Start, caplog: pytest.LogCaptureFixture, length: int
) -> None:
    running = await start()
    running.published.all = FakePublication([b"up 1\n" * 10], length=length)
    answer = await running.raw(b"GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n")
    body = answer.partition(b"\r\n\r\n")[2]
    assert len(body) < length
    assert [r.getMessage() for r in caplog.records if r.levelno > logging.DEBUG] == [
        "answering a request failed"
    ]
    caplog.clear()


async def test_a_failure_in_answering_is_a_500_without_a_traceback(
    start: Start, caplog: pytest.LogCaptureFixture
) -> None:
    def broken() -> list[ServerView]:
        raise ValueError("hunter2")

    running = await start(views=broken)
    answer = await running.raw(b"GET /sd HTTP/1.1\r\nHost: a\r\nAccept: text/html\r\n\r\n")
    head, _, body = answer.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 500 ")
    assert b"\r\nServer: cpanel_mail_exporter\r\n" in head + b"\r\n"
    assert body == b"The exporter failed to answer; its log says why.\n"
    assert [r.getMessage() for r in caplog.records if r.levelno > logging.DEBUG] == [
        "answering a request failed"
    ]
    caplog.clear()


# --- where it listens ---


async def test_all_interfaces_are_ipv4_and_ipv6(
    start: Start, client: aiohttp.ClientSession
) -> None:
    running = await start(host="")
    hosts = ["127.0.0.1", "[::1]"] if socket.has_dualstack_ipv6() else ["127.0.0.1"]
    for host in hosts:
        async with client.get(f"http://{host}:{running.port}/-/healthy") as answer:
            assert answer.status == 200


async def test_a_port_in_use_is_one_sentence_and_leaves_nothing_open(start: Start) -> None:
    running = await start()
    with pytest.raises(CannotListen, match=r"^Cannot listen on 127.0.0.1:\d+: .*\.$"):
        await start(port=running.port)


async def test_a_stopped_server_can_be_started_again_on_its_port(
    start: Start, client: aiohttp.ClientSession
) -> None:
    running = await start()
    await client.get(running.url("/metrics"))
    await running.web.stop()
    await running.web.stop()
    with pytest.raises(aiohttp.ClientConnectionError):
        await client.get(running.url("/metrics"))
    again = await start(port=running.port)
    async with client.get(again.url("/metrics")) as answer:
        assert answer.status == 200


# --- TLS ---


async def test_with_a_certificate_only_tls_is_spoken(
    start: Start, client: aiohttp.ClientSession, certificate: Certificate
) -> None:
    running = await start(certificate=certificate)
    running.published.all = FakePublication([bytes(3_000_000)])
    async with client.get(running.url("/metrics"), ssl=trusting()) as answer:
        assert await answer.read() == b"# TEXT\n" + bytes(3_000_000)
    async with client.get(running.url("/sd"), ssl=trusting()) as answer:
        assert {group["labels"]["__scheme__"] for group in await answer.json()} == {"https"}
    assert await running.raw(b"GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n") == b""


async def test_a_renewed_certificate_is_taken_up_while_serving(
    start: Start,
    client: aiohttp.ClientSession,
    certificate: Certificate,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    looks: asyncio.Queue[None] = asyncio.Queue()

    async def sleep(_: float) -> None:
        await looks.get()

    running = await start(certificate=certificate, sleep=sleep)

    async def served() -> bytes:
        _, writer = await asyncio.open_connection(running.host, running.port, ssl=trusting())
        found = writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
        writer.close()
        return found

    old_reader, old_writer = await asyncio.open_connection(
        running.host, running.port, ssl=trusting()
    )
    first = await served()
    (tmp_path / "web.crt").write_text("half wri")
    looks.put_nowait(None)
    await until(lambda: "The one in use stays." in caplog.text)
    assert await served() == first
    issue(tmp_path)
    looks.put_nowait(None)
    await until(lambda: "the renewed certificate is in use" in caplog.text)
    assert await served() != first
    old_writer.write(b"GET /-/healthy HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
    assert b"200 OK" in await old_reader.read()
    old_writer.close()
    caplog.clear()


# --- login ---


def login(user: str, password: str) -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()}


USERS = {"prom": Secret(bcrypt.hashpw("s\u00e4cret".encode(), bcrypt.gensalt(4)).decode())}


@pytest.mark.parametrize("path", [*PATHS, "/nothing", "/probe"])
@pytest.mark.parametrize("method", ["GET", "HEAD", "POST"])
async def test_every_path_and_method_asks_for_the_login(
    start: Start, client: aiohttp.ClientSession, path: str, method: str
) -> None:
    running = await start(users=USERS)
    for headers in ({}, login("prom", "wrong"), login("other", "s\u00e4cret")):
        async with client.request(method, running.url(path), headers=headers) as answer:
            assert answer.status == 401
            assert answer.headers["WWW-Authenticate"] == (
                'Basic realm="cpanel_mail_exporter", charset="UTF-8"'
            )
            if method != "HEAD":
                assert await answer.text() == (
                    "Log in with a user name and password of basic_auth_users.\n"
                )
    async with client.request(
        method, running.url(path), headers=login("prom", "s\u00e4cret")
    ) as answer:
        assert answer.status != 401


async def test_two_logins_at_once_are_none(start: Start) -> None:
    running = await start(users=USERS)
    line = b"Authorization: " + login("prom", "s\u00e4cret")["Authorization"].encode() + b"\r\n"
    for lines, status in ((line, b"200"), (line * 2, b"401")):
        answer = await running.raw(b"GET /metrics HTTP/1.0\r\n" + lines + b"\r\n")
        assert answer.startswith(b"HTTP/1.0 " + status)


async def test_a_flood_of_wrong_passwords_gets_503_and_delays_no_known_scrape(
    start: Start, client: aiohttp.ClientSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate = threading.Event()
    gate.set()
    real = bcrypt.checkpw

    def checkpw(password: bytes, hashed: bytes) -> bool:
        assert gate.wait(30)
        return real(password, hashed)

    monkeypatch.setattr(bcrypt, "checkpw", checkpw)
    running = await start(users=USERS)

    async def status(password: str) -> tuple[int, str | None]:
        async with client.get(running.url("/metrics"), headers=login("prom", password)) as answer:
            return answer.status, answer.headers.get("Retry-After")

    assert await status("s\u00e4cret") == (200, None)
    gate.clear()
    try:
        flood = [asyncio.create_task(status(f"guess{n}")) for n in range(50)]
        await until(lambda: sum(task.done() for task in flood) == 46)
        assert {task.result() for task in flood if task.done()} == {(503, "5")}
        assert await status("s\u00e4cret") == (200, None)
    finally:
        gate.set()
    assert sorted(await asyncio.gather(*flood)) == [(401, None)] * 4 + [(503, "5")] * 46


async def test_stopping_does_not_wait_for_checks(
    start: Start, client: aiohttp.ClientSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate, begun = threading.Event(), threading.Event()

    def checkpw(password: bytes, hashed: bytes) -> bool:
        begun.set()
        return gate.wait(30)

    monkeypatch.setattr(bcrypt, "checkpw", checkpw)
    running = await start(users=USERS)
    task = asyncio.create_task(client.get(running.url("/"), headers=login("prom", "x")))
    try:
        await until(begun.is_set)
        async with asyncio.timeout(2):
            await running.web.stop()
        with pytest.raises(aiohttp.ClientError):
            await task
    finally:
        gate.set()


# --- hostile and stuck clients ---

GET = b"GET /-/healthy HTTP/1.1\r\nHost: a\r\n\r\n"


@pytest.mark.parametrize(
    "request_bytes",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",  # TLS to a plain port
        b"hello\r\n\r\n",
        b"BREW /metrics HTTP/1.1\r\nHost: a\r\n\r\n",
        b"\x00" * 100 + b"\r\n\r\n",
        b"GET\r\n\r\n",
        b"GET /metrics HTTP/9.9\r\n\r\n",
        b"GET /metrics HTTP/1.1\r\nNo colon\r\n\r\n",
        b"GET /metrics HTTP/1.1\r\nHost: a\r\nContent-Length: x\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"GET http://[::1 HTTP/1.1\r\nHost: a\r\n\r\n",
        b"GET /" + b"x" * 100_000 + b" HTTP/1.1\r\nHost: a\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nX: " + b"x" * 100_000 + b"\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\n" + b"X" * 100_000 + b": x\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\n" + b"X: x\r\n" * 10_000 + b"\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    ],
)
async def test_what_is_no_request_is_refused_without_noise(
    start: Start, client: aiohttp.ClientSession, request_bytes: bytes
) -> None:
    running = await start()
    answer = await running.raw(request_bytes)
    # The system may throw the answer away if we are still sending when the server closes.
    assert answer == b"" or answer.startswith((b"HTTP/1.0 4", b"HTTP/1.1 4"))
    assert b"Traceback" not in answer
    assert b"aiohttp" not in answer
    async with client.get(running.url("/-/healthy")) as healthy:
        assert healthy.status == 200


async def test_oversized_headers_are_a_400(start: Start) -> None:
    running = await start()
    answer = await running.raw(b"GET / HTTP/1.1\r\nHost: a\r\nX: " + b"x" * 9000 + b"\r\n\r\n")
    head, _, body = answer.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.0 400 Bad Request\r\n")
    assert body == b"This isn't a request this server understands.\n"


async def test_any_bytes_do_no_harm(start: Start) -> None:
    running = await start(limits=QUICK)

    @given(st.binary(max_size=200), st.binary(max_size=200))
    @settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    def ask(target: bytes, header: bytes) -> None:
        with socket.create_connection((running.host, running.port), 20) as line:
            answer = b""
            # The server may have closed before we have sent all.
            with suppress(OSError):
                line.sendall(b"GET /probe?target=" + target + b" HTTP/1.1\r\nHost: " + header)
                line.sendall(b"\r\nConnection: close\r\n\r\n")
                line.shutdown(socket.SHUT_WR)
                while more := line.recv(65536):
                    answer += more
        assert answer == b"" or answer.startswith((b"HTTP/1.1 4", b"HTTP/1.0 4"))

    await asyncio.to_thread(ask)
    assert (await running.raw(GET)).startswith(b"HTTP/1.1 200 OK\r\n")


async def test_pipelined_requests_are_answered_in_order(start: Start) -> None:
    running = await start()
    answer = await running.raw(
        GET * 40
        + b"GET /nothing HTTP/1.1\r\nHost: a\r\n\r\n"
        + b"GET /metrics HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
    )
    assert re.findall(rb"HTTP/1.1 (\d+)", answer) == [b"200"] * 40 + [b"404", b"200"]
    assert answer.endswith(b"# TEXT\nup 1\nb 2\n")


@pytest.mark.parametrize(
    ("half", "drips"),
    [
        (b"", False),
        (b"G", False),
        (GET[:-2], False),
        (GET[:-2] + b"X: ", True),
        (GET + GET[:-2] + b"X: ", True),
    ],
)
async def test_half_a_request_is_not_waited_for(start: Start, half: bytes, drips: bool) -> None:
    """The limit runs from the request's beginning: more bytes don't prolong it."""
    running = await start(limits=replace(QUICK, idle_seconds=600))
    reader, writer = await asyncio.open_connection(running.host, running.port)
    writer.write(half)
    if half.startswith(GET):
        await reader.readuntil(b"running.\n")

    async def drip() -> None:
        while True:
            writer.write(b"x")
            await asyncio.sleep(0.02)

    dripping = asyncio.create_task(drip()) if drips else None
    try:
        # Either an end or a reset is an end.
        await asyncio.wait([asyncio.ensure_future(reader.read())], timeout=20)
        assert reader.at_eof() or reader.exception() is not None
    finally:
        if dripping:
            dripping.cancel()
        writer.close()


@pytest.mark.parametrize("half", [b"", GET[:-2]])
async def test_an_idle_connection_is_closed_after_a_while(start: Start, half: bytes) -> None:
    running = await start(limits=QUICK)
    answer = await running.raw(GET + half)
    assert answer.startswith(b"HTTP/1.1 200 OK\r\n")


async def test_a_connection_is_kept_for_the_next_scrape(start: Start) -> None:
    running = await start(limits=replace(QUICK, idle_seconds=600, request_seconds=0.1))
    reader, writer = await asyncio.open_connection(running.host, running.port)
    for _ in range(3):
        writer.write(GET)
        await reader.readuntil(b"running.\n")
        # Longer than a request may take, since a pause between requests isn't one.
        await asyncio.sleep(0.25)
    writer.close()


@pytest.mark.parametrize("secure", [False, True])
async def test_a_client_that_stops_reading_is_dropped(
    start: Start, certificate: Certificate, secure: bool, caplog: pytest.LogCaptureFixture
) -> None:
    running = await start(limits=QUICK, certificate=certificate if secure else None)
    given_out = 0

    def pieces() -> Iterator[bytes]:
        nonlocal given_out
        while True:
            given_out += 1
            yield bytes(1_000_000)

    running.published.all.body = lambda *_: Body(10**12, pieces)
    reader, writer = await asyncio.open_connection(
        running.host, running.port, limit=1000, ssl=trusting() if secure else None
    )
    writer.write(b"GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n")
    await reader.readuntil(b"\r\n\r\n")
    await until(lambda: "dropped a client: not reading" in caplog.text)
    # What it could take is what the system buffers, a few MB at most.
    assert given_out < 50
    writer.transport.abort()


@pytest.mark.parametrize("vanishes", [False, True])
async def test_who_stalls_or_vanishes_soon_holds_nothing_of_what_was_served(
    start: Start, vanishes: bool
) -> None:
    """Otherwise each such client would keep a publication alive that nobody is served any more."""
    running = await start(limits=QUICK)
    running.published.all = FakePublication([bytes(1_000_000)] * 100)
    old = weakref.ref(running.published.all)
    reader, writer = await asyncio.open_connection(running.host, running.port, limit=1000)
    writer.write(b"GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n")
    await reader.readuntil(b"\r\n\r\n")
    running.published.all = FakePublication([])
    assert old() is not None
    if vanishes:
        writer.transport.abort()
    await until(lambda: gc.collect() >= 0 and old() is None)
    writer.transport.abort()


async def test_a_client_that_reads_slowly_but_steadily_is_served(start: Start) -> None:
    running = await start(limits=QUICK)
    running.published.all = FakePublication([bytes(100_000)] * 100)
    with socket.socket() as line:
        # With small buffers the answer takes many times as long as a stall may last.
        line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 64 * 1024)
        line.setblocking(False)
        loop = asyncio.get_running_loop()
        await loop.sock_connect(line, (running.host, running.port))
        await loop.sock_sendall(line, b"GET /metrics HTTP/1.0\r\n\r\n")
        received = 0
        while more := await loop.sock_recv(line, 256 * 1024):
            received += len(more)
            await asyncio.sleep(0.005)
    assert received > 10_000_000


async def test_an_answer_may_not_take_for_ever(
    start: Start, caplog: pytest.LogCaptureFixture
) -> None:
    running = await start(limits=Limits(answer_seconds=0.2))
    running.published.all.body = lambda *_: Body(10**12, lambda: iter([bytes(1_000_000)] * 10**6))
    reader, writer = await asyncio.open_connection(running.host, running.port)
    writer.write(b"GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n")
    with pytest.raises((ConnectionResetError, asyncio.IncompleteReadError)):
        await reader.readexactly(10**12)
    assert "dropped a client: too slow" in caplog.text
    writer.close()


@pytest.mark.parametrize("secure", [False, True])
async def test_a_client_that_vanishes_leaves_no_trace(
    start: Start, client: aiohttp.ClientSession, certificate: Certificate, secure: bool
) -> None:
    running = await start(certificate=certificate if secure else None)
    running.published.all = FakePublication([bytes(1_000_000)] * 20)
    for abort in (True, False):
        reader, writer = await asyncio.open_connection(
            running.host, running.port, limit=1000, ssl=trusting() if secure else None
        )
        writer.write(b"GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n")
        await reader.readuntil(b"\r\n\r\n")
        if abort:
            writer.transport.abort()
        else:
            writer.close()
    await until(lambda: len(running.web._connections) == 0)
    async with client.get(running.url("/-/healthy"), ssl=trusting()) as answer:
        assert answer.status == 200


async def test_idle_connections_make_room_for_new_ones(
    start: Start, caplog: pytest.LogCaptureFixture
) -> None:
    running = await start(limits=Limits(max_connections=10))
    hoard = [await asyncio.open_connection(running.host, running.port) for _ in range(30)]
    reader, writer = await asyncio.open_connection(running.host, running.port)
    writer.write(GET)
    assert await reader.readline() == b"HTTP/1.1 200 OK\r\n"
    assert len(running.web._connections) <= 11
    assert caplog.text.count("dropped a client: too many connections") == 21
    for _, other in [*hoard, (reader, writer)]:
        other.close()


async def test_answers_under_way_are_not_dropped_for_new_connections(start: Start) -> None:
    running = await start(limits=Limits(max_connections=2, stalled_seconds=600))
    running.published.all = FakePublication([bytes(1_000_000)] * 20)
    busy = []
    for _ in range(2):
        reader, writer = await asyncio.open_connection(running.host, running.port, limit=1000)
        writer.write(b"GET /metrics HTTP/1.0\r\n\r\n")
        await reader.readuntil(b"\r\n\r\n")
        busy.append((reader, writer))
    assert await running.raw(GET) == b""
    for reader, writer in busy:
        assert len(await reader.read()) == 20_000_007
        writer.close()


@pytest.mark.parametrize("secure", [False, True])
async def test_it_stops_within_two_seconds_whatever_clients_do(
    start: Start, certificate: Certificate, secure: bool
) -> None:
    running = await start(certificate=certificate if secure else None)
    running.published.all = FakePublication([bytes(1_000_000)] * 50)
    writers = []
    for sent in (b"", b"GET /met", GET, b"GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n" * 5):
        reader, writer = await asyncio.open_connection(
            running.host, running.port, limit=1000, ssl=trusting() if secure else None
        )
        writer.write(sent)
        if sent.endswith(b"\r\n\r\n"):
            await reader.readuntil(b"\r\n\r\n")
        writers.append(writer)
    async with asyncio.timeout(2):
        await running.web.stop()
    assert len(running.web._connections) == 0
    for writer in writers:
        writer.transport.abort()


async def test_an_answer_under_way_ends_well_when_stopping(start: Start) -> None:
    running = await start()
    running.published.all = FakePublication([bytes(1_000_000)] * 20)
    reader, writer = await asyncio.open_connection(running.host, running.port, limit=1000)
    writer.write(b"GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n")
    await reader.readuntil(b"\r\n\r\n")
    stopping = asyncio.create_task(running.web.stop())
    assert len(await reader.read()) == 20_000_007
    await stopping
    writer.close()


async def test_others_get_their_turn_while_a_large_body_is_sent(
    start: Start, client: aiohttp.ClientSession
) -> None:
    running = await start()
    turns = 0

    def pieces() -> Iterator[bytes]:
        for _ in range(100):
            turns_seen.append(turns)
            yield bytes(256 * 1024)

    turns_seen: list[int] = []
    running.published.all.body = lambda *_: Body(100 * 256 * 1024, pieces)

    async def other() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    task = asyncio.create_task(other())
    async with client.get(running.url("/metrics")) as answer:
        await answer.read()
    task.cancel()
    # Two pieces may be asked for to fill one chunk.
    assert len(turns_seen) == 100
    assert all(turns_seen[at + 2] > turns_seen[at] for at in range(98))


async def test_nothing_secret_is_logged(start: Start, caplog: pytest.LogCaptureFixture) -> None:
    running = await start(users=USERS)
    headers = login("prom", "hunter2")["Authorization"]
    await running.raw(f"GET / HTTP/1.0\r\nAuthorization: {headers}\r\n\r\n".encode())
    await running.raw(f"GE T / HTTP/1.0\r\nAuthorization: {headers}\r\n\r\n".encode())
    assert headers not in caplog.text
    assert "hunter2" not in caplog.text
    assert "$2b$" not in caplog.text

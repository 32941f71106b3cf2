"""Every way in which a WHM server can fail, over real sockets: one error, one sentence."""

import asyncio
import gzip
import json
import re
import socket
import ssl
import time
import traceback
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import trustme
from hypothesis import given, settings
from hypothesis import strategies as st

from cpanel_mail_exporter.model.endpoint import Endpoint
from cpanel_mail_exporter.model.errors import (
    ApiRefused,
    BadStatus,
    ConnectFailed,
    Denied,
    DnsFailed,
    FunctionMissing,
    FunctionRefused,
    NotJson,
    PollError,
    Redirected,
    TimedOut,
    TlsFailed,
    WrongShape,
)
from cpanel_mail_exporter.model.query import AnswerEnd, SearchQuery, UserStatsAnswer
from cpanel_mail_exporter.model.records import DeliveryRecord
from cpanel_mail_exporter.model.secret import Secret
from cpanel_mail_exporter.model.window import Slice
from cpanel_mail_exporter.whm.client import Access, WhmServer, open_session
from cpanel_mail_exporter.whm.tls import client_context
from tests.fake_clock import FakeClock
from tests.integration.fake_whm import (
    Answer,
    FakeWhm,
    http,
    refusing_port,
    serving,
    then_hang,
    then_reset,
)

TOKEN = "T0KENMARKER"
BODY = "B0DYMARKER"
"""Neither may be seen in anything that an error carries."""

CA = trustme.CA()
STRANGER = trustme.CA()
PATIENT = 30.0
HASTY = 0.2

GOOD = '{"data":{"records":[]},"metadata":{"result":1,"reason":"OK"}}'
SAMPLES = json.loads((Path(__file__).parents[1] / "contract" / "samples.json").read_bytes())
ACCESS_DENIED = json.dumps(
    SAMPLES["error A - bad credentials: HTTP 403, Content-Type text/plain"] | {"note": BODY}
)
LOGIN_PAGE = f"<!DOCTYPE html><html><body>WHM Login {BODY}</body></html>"
ROW = {"message": BODY * 20, "msgid": "1wtYVW-0000000GFxD-3Ryp", "sendunixtime": 1795252440}
LONG = json.dumps({"data": {"records": [ROW] * 3_000}, "metadata": {"result": 1}})
"""Long enough to be read in many pieces."""


def chunked_answer(body: bytes) -> bytes:
    pieces = [body[start : start + 1_000] for start in range(0, len(body), 1_000)]
    framed = b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces)
    return b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + framed + b"0\r\n\r\n"


def trusting(*authorities: trustme.CA) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    for authority in authorities:
        authority.configure_trust(context)
    return context


def certified(*names: str) -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    CA.issue_cert(*names).configure_cert(context)
    return context


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    async with open_session(user_agent="cpanel-mail-exporter/test") as session:
        yield session


def whm_server(
    session: aiohttp.ClientSession,
    port: int,
    *,
    scheme: str = "http",
    host: str = "127.0.0.1",
    tls: ssl.SSLContext | None = None,
    server_name: str | None = None,
    timeout_seconds: float = PATIENT,
    clock: FakeClock | None = None,
) -> WhmServer:
    access = Access(
        name="web1",
        endpoint=Endpoint(scheme, host, port),
        user="root",
        token=lambda: Secret(TOKEN),
        tls=tls or trusting(CA),
        server_name=server_name,
        timeout_seconds=timeout_seconds,
    )
    return WhmServer(session, access, clock or FakeClock())


Ask = Callable[[WhmServer], Any]


async def ask_user_stats(server: WhmServer) -> UserStatsAnswer:
    return await server.user_stats(1_795_219_200, 1_795_252_447)


async def ask_search(server: WhmServer) -> AnswerEnd:
    query = SearchQuery(Slice(1_795_219_200, 1_795_252_447), ("success",), 5_000)
    return await server.search(query, handed_to([]))


async def ask_totals(server: WhmServer) -> AnswerEnd:
    return (await server.totals(1_795_219_200, 1_795_252_447)).end


def handed_to(received: list[DeliveryRecord]) -> Callable[[list[DeliveryRecord]], Awaitable[None]]:
    """A receiver of rows that adds them to a list."""

    async def receive(rows: list[DeliveryRecord]) -> None:
        received.extend(rows)

    return receive


FUNCTIONS: dict[str, Ask] = {
    "emailtrack_user_stats": ask_user_stats,
    "emailtrack_stats": ask_totals,
    "emailtrack_search": ask_search,
}


async def failure(ask: Ask, server: WhmServer) -> PollError:
    with pytest.raises(PollError) as caught:
        await ask(server)
    return caught.value


def check(error: PollError, kind: type[PollError], function: str, detail: str) -> None:
    """It is exactly this error, with exactly this sentence, and it carries nothing else along."""
    assert type(error) is kind
    assert str(error) == f"web1: {function}: {detail}; {kind.advice}"
    assert error.args == ("web1", function, detail)
    assert (error.__cause__, error.__context__) == (None, None)
    seen = [str(error), repr(error), repr(error.args), repr(vars(error))]
    seen += traceback.format_exception(error)
    for text in seen:
        assert TOKEN not in text
        assert BODY not in text


Case = tuple[Answer, type[PollError], str]
"""What the server sends, and the error with its detail; `{where}` is its address and port."""

BROKE_OFF = "the answer from {where} broke off"
NO_HTTP = "what answers at {where} speaks no HTTP"
CLOSED = "{where} closed the connection"
CUT_OFF = "the answer is no JSON (a login page, or it was cut off)"

ANSWERS: dict[str, Case] = {
    "403 with cpanelresult as text/plain": (
        http(
            ACCESS_DENIED,
            status="403 Forbidden Access denied",
            content_type='text/plain; charset="utf-8"',
        ),
        Denied,
        "access denied (HTTP 403)",
    ),
    "403 with nothing": (http(status="403 Forbidden"), Denied, "access denied (HTTP 403)"),
    "401 with HTML": (
        http(LOGIN_PAGE, status="401 Access Denied", content_type="text/html"),
        Denied,
        "access denied (HTTP 401)",
    ),
    "cpanelresult with 200": (http(ACCESS_DENIED), Denied, 'WHM says "Access denied"'),
    "another legacy error": (
        http('{"cpanelresult":{"error":"Server busy"}}'),
        ApiRefused,
        'WHM says "Server busy"',
    ),
    "result 0": (
        http(f'{{"metadata":{{"result":0,"reason":"Permission denied"}},"x":"{BODY}"}}'),
        FunctionRefused,
        'WHM says "Permission denied"',
    ),
    'result "0"': (
        http('{"data":{"records":[{}]},"metadata":{"result":"0","reason":"Permission denied"}}'),
        FunctionRefused,
        'WHM says "Permission denied"',
    ),
    "result 0 after many rows": (
        http(LONG.replace('"result": 1', '"result": 0, "reason": "Database is locked"')),
        ApiRefused,
        'WHM says "Database is locked"',
    ),
    "result 0 without reason": (
        http('{"metadata":{"result":0}}'),
        ApiRefused,
        'WHM says "no reason given"',
    ),
    "unknown function": (
        http(json.dumps(SAMPLES["error B - unknown function: HTTP 200"])),
        FunctionRefused,
        'WHM says "Unknown app ("no_such_function") requested for this version (1) of the API."',
    ),
    "a reason in many lines": (
        http(json.dumps({"metadata": {"result": 0, "reason": "one\ntwo\x1b[31m\u202ethree"}})),
        ApiRefused,
        'WHM says "one two [31m three"',
    ),
    "a reason without end": (
        http(json.dumps({"metadata": {"result": 0, "reason": "a" * 5_000}})),
        ApiRefused,
        f'WHM says "{"a" * 200}..."',
    ),
    "a reason that repeats the token": (
        http(json.dumps({"metadata": {"result": 0, "reason": f"bad token root:{TOKEN}!"}})),
        ApiRefused,
        'WHM says "bad token root:<secret>!"',
    ),
    "a long reason that ends in the token": (
        http(json.dumps({"metadata": {"result": 0, "reason": "a" * 195 + TOKEN}})),
        ApiRefused,
        f'WHM says "{"a" * 195}<secr..."',
    ),
    "login page": (http(LOGIN_PAGE, content_type="text/html"), NotJson, CUT_OFF),
    "login page longer than a piece": (
        http(LOGIN_PAGE * 10_000, content_type="text/html"),
        NotJson,
        CUT_OFF,
    ),
    "truncated JSON": (http(GOOD[:-1] + f',"x":"{BODY}'), NotJson, CUT_OFF),
    "truncated JSON after many rows": (http(LONG[:-40]), NotJson, CUT_OFF),
    "JSON with invalid UTF-8 that is cut off": (
        http(GOOD[:-1].encode() + b',"x":"\xff' + BODY.encode()),
        NotJson,
        CUT_OFF,
    ),
    "empty body": (http(), NotJson, CUT_OFF),
    "{}": (http("{}"), WrongShape, "the answer has no data"),
    "a list": (http(f'["{BODY}"]'), WrongShape, "not an object"),
    "data of another kind": (
        http(f'{{"data":{{"{BODY}":1}}}}'),
        WrongShape,
        "data holds no list of records",
    ),
    "metadata of another kind": (
        http(f'{{"data":{{"records":[]}},"metadata":["{BODY}"]}}'),
        WrongShape,
        "metadata is odd",
    ),
    "records elsewhere": (
        http(LONG.replace('"data"', '"x"')),
        WrongShape,
        "the answer has no data",
    ),
    "records elsewhere before those of data": (
        http(LONG.replace('{"data"', '{"x"').replace('"metadata"', '"data":{"records":[]},"m"')),
        WrongShape,
        "the records stand elsewhere than in data",
    ),
    "a row without end": (
        http('{"data":{"records":[{"message":"' + BODY * 600_000),
        WrongShape,
        "4 MiB without a row that ends",
    ),
    "500": (http(LOGIN_PAGE, status="500 " + BODY), BadStatus, "HTTP status 500"),
    "404": (http(GOOD, status="404 Not Found"), FunctionMissing, "HTTP status 404"),
    "204": (b"HTTP/1.1 204 No Content\r\n\r\n", BadStatus, "HTTP status 204"),
    "429": (http(GOOD, status="429 Slow down"), BadStatus, "HTTP status 429"),
    "304": (b"HTTP/1.1 304 Not Modified\r\n\r\n", Redirected, "redirected elsewhere (HTTP 304)"),
    "closed without an answer": (b"", ConnectFailed, CLOSED),
    "closed within the head": (b"HTTP/1.1 200 OK\r\nX-" + BODY.encode(), ConnectFailed, CLOSED),
    "reset": (
        then_reset(),
        ConnectFailed,
        "connection to {where} failed (Connection reset by peer)",
    ),
    "reset within the body": (then_reset(http(GOOD, Content_Length="9999")), ConnectFailed, "*"),
    "body shorter than its length": (http(GOOD, Content_Length="9999"), ConnectFailed, BROKE_OFF),
    "many rows shorter than their length": (
        http(LONG, Content_Length="99999999"),
        ConnectFailed,
        BROKE_OFF,
    ),
    "chunks that break off": (
        b'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{"dat\r\n',
        ConnectFailed,
        BROKE_OFF,
    ),
    "chunks that are none": (
        f"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{BODY}\r\n".encode(),
        ConnectFailed,
        "*",
    ),
    "garbage": (f"{BODY} {BODY}\r\n\r\n".encode(), ConnectFailed, NO_HTTP),
    "another protocol": (f"SSH-2.0-{BODY}\r\n".encode(), ConnectFailed, NO_HTTP),
    "bytes": (b"\x15\x03\x01\x00\x02\x02\x46" * 9, ConnectFailed, NO_HTTP),
    "JSON without HTTP": (GOOD.encode(), ConnectFailed, NO_HTTP),
    "headers without end": (http(GOOD, X="a" * 100_000), ConnectFailed, NO_HTTP),
    "a length that is none": (http(GOOD, Content_Length=BODY), ConnectFailed, NO_HTTP),
    "gzip that is none": (
        http(GOOD + BODY, Content_Encoding="gzip"),
        ConnectFailed,
        BROKE_OFF,
    ),
    "gzip with a wrong check sum": (
        http(gzip.compress(LONG.encode())[:-8] + b"12345678", Content_Encoding="gzip"),
        ConnectFailed,
        BROKE_OFF,
    ),
    "gzip that is cut off": (
        http(gzip.compress(GOOD.encode())[:-15], Content_Encoding="gzip"),
        NotJson,
        CUT_OFF,
    ),
}


def details(detail: str, port: int) -> str:
    return detail.replace("{where}", f"127.0.0.1:{port}")


@pytest.mark.parametrize("function", FUNCTIONS)
@pytest.mark.parametrize("case", ANSWERS)
async def test_each_bad_answer_is_one_error_with_one_sentence(
    session: aiohttp.ClientSession, case: str, function: str
) -> None:
    answer, kind, detail = ANSWERS[case]
    async with serving(answer) as whm:
        error = await failure(FUNCTIONS[function], whm_server(session, whm.port))
        if detail == "*":  # which of two the client notices first is up to the system
            one = "(connection to {} failed \\(.*\\)|{} closed the connection|the answer from {} "
            one += "broke off|what answers at {} speaks no HTTP)"
            where = re.escape(f"127.0.0.1:{whm.port}")
            assert re.fullmatch(one.replace("{}", where), error.detail)
            detail = error.detail
        check(error, kind, function, details(detail, whm.port))


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("function", FUNCTIONS)
async def test_a_redirect_is_not_followed(
    session: aiohttp.ClientSession, function: str, status: int
) -> None:
    """Else the token would go to whatever place the answer names."""
    async with serving(http(GOOD)) as elsewhere:
        to = f"http://127.0.0.1:{elsewhere.port}/cpsess0000000000/{BODY}"
        async with serving(http(LOGIN_PAGE, status=f"{status} Moved", Location=to)) as whm:
            error = await failure(FUNCTIONS[function], whm_server(session, whm.port))
        check(error, Redirected, function, f"redirected elsewhere (HTTP {status})")
        assert len(whm.requests) == 1
        assert (elsewhere.connections, elsewhere.requests) == (0, [])


@pytest.mark.parametrize("function", FUNCTIONS)
@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
async def test_a_port_that_refuses(
    session: aiohttp.ClientSession, function: str, host: str
) -> None:
    with refusing_port() as port:
        error = await failure(FUNCTIONS[function], whm_server(session, port, host=host))
    detail = f"connection to {host}:{port} failed (Connection refused)"
    check(error, ConnectFailed, function, detail)


@pytest.mark.parametrize("function", FUNCTIONS)
@pytest.mark.parametrize(
    "start",
    [b"", b"HTTP/1.1 200 OK\r\n", http(GOOD[:20] + BODY, Content_Length="999"),
     http(LONG, Content_Length="99999999")],
    ids=["before the head", "within the head", "within the body", "after many rows"],
)  # fmt: skip
async def test_a_server_that_stops_answering_is_given_up_after_the_time_out(
    session: aiohttp.ClientSession, function: str, start: bytes
) -> None:
    async with serving(then_hang(start)) as whm:
        server = whm_server(session, whm.port, timeout_seconds=HASTY)
        error = await failure(FUNCTIONS[function], server)
    check(error, TimedOut, function, "no whole answer within 0.2 s")


async def test_a_server_that_sends_without_end_is_given_up_after_the_time_out(
    session: aiohttp.ClientSession,
) -> None:
    """The time-out is for a whole answer, not for the next of its bytes."""

    async def drip(writer: asyncio.StreamWriter) -> None:
        writer.write(http('{"data":{"records":[{}', Content_Length="999999"))
        while not writer.is_closing():
            writer.write(b",{}")
            await writer.drain()
            await asyncio.sleep(0.01)

    async with serving(drip) as whm:
        server = whm_server(session, whm.port, timeout_seconds=HASTY)
        error = await failure(ask_search, server)
    check(error, TimedOut, "emailtrack_search", "no whole answer within 0.2 s")


# Names


@pytest.mark.parametrize("function", FUNCTIONS)
@pytest.mark.parametrize(
    "host", ["whm.invalid", "a..invalid", "a" * 70 + ".invalid", "é.invalid", "xn--a.invalid"]
)
async def test_a_name_that_cannot_be_resolved(
    session: aiohttp.ClientSession, monkeypatch: pytest.MonkeyPatch, function: str, host: str
) -> None:
    def resolve(name: str | bytes, *_: object, **__: object) -> list[Any]:
        if isinstance(name, str):
            name.encode("idna")  # as the real one does, which fails for some
        raise socket.gaierror(socket.EAI_NONAME, f"Name or service not known {BODY}")

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    error = await failure(FUNCTIONS[function], whm_server(session, 2087, host=host))
    check(error, DnsFailed, function, f"the name in {host}:2087 can't be resolved")


# TLS


@asynccontextmanager
async def secure(answer: Answer, *names: str) -> AsyncIterator[FakeWhm]:
    async with serving(answer, tls=certified(*names)) as whm:
        yield whm


@pytest.mark.parametrize("function", FUNCTIONS)
async def test_a_certificate_that_nobody_trusted_signed(
    session: aiohttp.ClientSession, function: str
) -> None:
    async with secure(http(GOOD), "127.0.0.1") as whm:
        server = whm_server(session, whm.port, scheme="https", tls=trusting(STRANGER))
        error = await failure(FUNCTIONS[function], server)
    detail = (
        f"the certificate of 127.0.0.1:{whm.port} is not trusted "
        "(unable to get local issuer certificate)"
    )
    check(error, TlsFailed, function, detail)
    assert whm.requests == [], "the token is not shown to a stranger"


@pytest.mark.parametrize(
    ("server_name", "why"),
    [
        (None, "IP address mismatch, certificate is not valid for '127.0.0.1'"),
        (
            "other.example.com",
            "Hostname mismatch, certificate is not valid for 'other.example.com'",
        ),
    ],
)
async def test_a_certificate_for_another_name(
    session: aiohttp.ClientSession, server_name: str | None, why: str
) -> None:
    async with secure(http(GOOD), "whm.example.com") as whm:
        server = whm_server(session, whm.port, scheme="https", server_name=server_name)
        error = await failure(ask_search, server)
    detail = f"the certificate of 127.0.0.1:{whm.port} is not trusted ({why})"
    check(error, TlsFailed, "emailtrack_search", detail)
    assert whm.requests == []


async def test_a_server_name_makes_its_certificate_good(session: aiohttp.ClientSession) -> None:
    async with secure(http(GOOD), "whm.example.com") as whm:
        server = whm_server(session, whm.port, scheme="https", server_name="whm.example.com")
        assert await ask_search(server) == AnswerEnd()


async def test_a_certificate_is_not_looked_at_where_checks_are_skipped(
    session: aiohttp.ClientSession,
) -> None:
    async with secure(http(GOOD), "whm.example.com") as whm:
        tls = client_context(None, insecure_skip_verify=True)
        server = whm_server(session, whm.port, scheme="https", tls=tls)
        assert await ask_search(server) == AnswerEnd()


@pytest.mark.parametrize(
    ("sent", "why"),
    [
        (http(LOGIN_PAGE, status="400 Bad Request"), "wrong version number"),
        (b"\x15\x03\x01\x00\x02\x02\x46", "tlsv1 alert protocol version"),
        (b"\x15\x03\x03\x00\x02\x02\x28", "sslv3 alert handshake failure"),
    ],
    ids=["plain HTTP", "an older TLS", "no common cipher"],
)
async def test_a_port_with_which_no_tls_can_be_agreed(
    session: aiohttp.ClientSession, sent: bytes, why: str
) -> None:
    async with serving(sent, waits_for_request=False) as whm:
        error = await failure(ask_search, whm_server(session, whm.port, scheme="https"))
    detail = f"no TLS could be agreed with 127.0.0.1:{whm.port} ({why})"
    check(error, TlsFailed, "emailtrack_search", detail)


async def test_a_tls_port_that_closes_at_once(session: aiohttp.ClientSession) -> None:
    async with serving(then_reset(), waits_for_request=False) as whm:
        error = await failure(ask_search, whm_server(session, whm.port, scheme="https"))
    detail = f"connection to 127.0.0.1:{whm.port} failed (Connection reset by peer)"
    check(error, ConnectFailed, "emailtrack_search", detail)


async def test_a_tls_port_that_says_nothing(session: aiohttp.ClientSession) -> None:
    async with serving(then_hang(), waits_for_request=False) as whm:
        server = whm_server(session, whm.port, scheme="https", timeout_seconds=HASTY)
        error = await failure(ask_search, server)
    check(error, TimedOut, "emailtrack_search", "no whole answer within 0.2 s")


async def test_plain_http_spoken_to_a_tls_port(session: aiohttp.ClientSession) -> None:
    async with secure(http(GOOD), "127.0.0.1") as whm:
        error = await failure(ask_search, whm_server(session, whm.port))
    where = f"127.0.0.1:{whm.port}"
    ends = {
        f"{where} closed the connection",
        f"what answers at {where} speaks no HTTP",
        f"connection to {where} failed (Connection reset by peer)",
    }
    assert error.detail in ends, "which of them is up to the server's TLS"
    check(error, ConnectFailed, "emailtrack_search", error.detail)


# Anything at all

MARKED = [
    http(GOOD.replace("OK", BODY), Date=BODY),
    http(json.dumps({"data": {"records": [ROW] * 3}, "metadata": {"result": 1}})),
    http(ACCESS_DENIED, status="403 " + BODY),
    http(gzip.compress(LOGIN_PAGE.encode()), Content_Encoding="gzip"),
    chunked_answer(GOOD.replace("OK", BODY).encode()),
]


@settings(deadline=None, max_examples=60)
@given(st.data())
def test_whatever_is_sent_gives_an_answer_or_an_error_that_gives_nothing_away(
    data: st.DataObject,
) -> None:
    sent = bytearray(data.draw(st.sampled_from(MARKED)))
    for _ in range(data.draw(st.integers(1, 3))):
        start = data.draw(st.integers(0, len(sent)))
        end = min(len(sent), start + data.draw(st.integers(0, 6)))
        sent[start:end] = data.draw(st.binary(max_size=4) | st.just(BODY.encode()))

    async def ask() -> None:
        async with open_session(user_agent="test") as session, serving(bytes(sent)) as whm:
            asked = asyncio.create_task(ask_search(whm_server(session, whm.port)))
            await asyncio.wait([asked])
        error = asked.exception()
        if isinstance(error, ApiRefused):  # its words are WHM's own, whatever they are
            assert TOKEN not in "".join(traceback.format_exception(error))
        elif error is not None:
            assert isinstance(error, PollError)
            check(error, type(error), "emailtrack_search", error.detail)

    asyncio.run(ask())


# What works


async def test_what_is_asked_and_with_which_headers(session: aiohttp.ClientSession) -> None:
    async with serving(http(GOOD)) as whm:
        assert await ask_user_stats(whm_server(session, whm.port)) == UserStatsAnswer(
            [], AnswerEnd()
        )
    (request,) = whm.requests
    assert request.line == (
        "GET /json-api/emailtrack_user_stats?api.version=1"
        "&starttime=1795219200&endtime=1795252447 HTTP/1.1"
    )
    assert request.headers == {
        "Host": f"127.0.0.1:{whm.port}",
        "User-Agent": "cpanel-mail-exporter/test",
        "Accept": "application/json",
        "Accept-Encoding": "gzip",
        "Authorization": f"whm root:{TOKEN}",
    }


@pytest.mark.parametrize("content_type", ["text/plain", "text/html", "", "application/x-nothing"])
async def test_good_json_is_taken_whatever_it_is_called(
    session: aiohttp.ClientSession, content_type: str
) -> None:
    async with serving(http(GOOD, content_type=content_type)) as whm:
        assert await ask_search(whm_server(session, whm.port)) == AnswerEnd()


@pytest.mark.parametrize(
    "answer",
    [
        http(LONG),
        http(gzip.compress(LONG.encode()), Content_Encoding="gzip"),
        chunked_answer(LONG.encode()),
        b"HTTP/1.0 200 OK\r\n\r\n" + LONG.encode(),
    ],
    ids=["plain", "gzip", "chunked", "until closed"],
)
async def test_rows_arrive_however_the_body_is_sent(
    session: aiohttp.ClientSession, answer: bytes
) -> None:
    received: list[DeliveryRecord] = []
    query = SearchQuery(Slice(1, 2), ("success",), 5_000)
    async with serving(answer) as whm:
        end = await whm_server(session, whm.port).search(query, handed_to(received))
    assert end == AnswerEnd()
    assert len(received) == 3_000
    assert {record.message for record in received} == {BODY * 20}


async def test_rejected_rows_and_cut_answers_are_told(session: aiohttp.ClientSession) -> None:
    rows = ",".join(['{"size":[]}' if place % 10 == 0 else '{"size":1}' for place in range(40_000)])
    body = f'{{"data":{{"records":[{rows}]}},"metadata":{{"result":1,"overflowed":"1"}}}}'
    received: list[DeliveryRecord] = []
    query = SearchQuery(Slice(1, 2), ("success",), 5_000)
    async with serving(http(body)) as whm:
        end = await whm_server(session, whm.port).search(query, handed_to(received))
    assert (end, len(received)) == (AnswerEnd(rows_rejected=4_000, is_cut=True), 36_000)


async def test_fields_that_nobody_has_documented_are_named(session: aiohttp.ClientSession) -> None:
    body = '{"data":{"records":[{"type":"defer","email":"","newest":1},{"other":2}]}}'
    query = SearchQuery(Slice(1, 2), ("success",), 5_000)
    async with serving(http(body)) as whm:
        end = await whm_server(session, whm.port).search(query, handed_to([]))
    assert end == AnswerEnd(rows_rejected=1, unknown_fields=frozenset({"newest"}))


@pytest.fixture
def far_zone(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """This machine lives in another zone than UTC."""
    with monkeypatch.context() as patch:
        patch.setenv("TZ", "America/New_York")
        time.tzset()
        yield
    time.tzset()


@pytest.mark.parametrize(
    ("date", "skew"),
    [
        ("Sat, 21 Nov 2026 09:14:07 GMT", 0.0),
        ("Sat, 21 Nov 2026 09:19:07 GMT", 300.0),
        ("Sat, 21 Nov 2026 09:14:07 -0000", 0.0),
        ("Sat, 21 Nov 2026 09:14:07", 0.0),
        ("Sat, 21 Nov 2026 10:14:07 +0100", 0.0),
        ("", None),
        ("today", None),
        ("Sat, 99 Nov 2026 09:14:07 GMT", None),
        ("Sat, 21 Nov 99999 09:14:07 GMT", None),
        ("Sat, 21 Nov 2026 09:14:07 +9999999999", None),
    ],
)
async def test_the_clock_skew_is_read_from_the_date(
    session: aiohttp.ClientSession, far_zone: None, date: str, skew: float | None
) -> None:
    async with serving(http(GOOD, Date=date)) as whm:
        end = await ask_search(whm_server(session, whm.port, clock=FakeClock(1_795_252_447.0)))
    assert end == AnswerEnd(clock_skew_seconds=skew)


async def test_a_long_answer_lets_others_run_while_it_is_read(
    session: aiohttp.ClientSession,
) -> None:
    """Also where a few bytes of gzip hold all of it, which are there at once."""
    answer = http(gzip.compress(LONG.encode()), Content_Encoding="gzip")
    turns = 0
    pieces: list[int] = []

    async def others() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    async def receive(_: list[DeliveryRecord]) -> None:
        pieces.append(turns)

    query = SearchQuery(Slice(1, 2), ("success",), 5_000)
    async with serving(answer) as whm:
        running = asyncio.create_task(others())
        await whm_server(session, whm.port).search(query, receive)
        running.cancel()
    assert len(pieces) > 2
    assert len(set(pieces)) == len(pieces), "between any two pieces others had their turn"


async def test_a_request_that_is_cancelled_is_not_an_error_of_the_server(
    session: aiohttp.ClientSession,
) -> None:
    async with serving(then_hang()) as whm:
        asking = asyncio.create_task(ask_search(whm_server(session, whm.port)))
        while not whm.requests:  # noqa: ASYNC110 - the server tells nobody
            await asyncio.sleep(0)
        asking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asking

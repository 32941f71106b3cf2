"""One simulated server's HTTP side: login, faults, then the function's answer.

Shapes of refusals follow what is known of cpsrvd: a bad login is a 403 in ``text/plain`` with a
``cpanelresult``, a function that says no is a 200 with ``metadata.result`` 0.
"""

import asyncio
import hmac
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Mapping
from concurrent.futures import Executor
from dataclasses import dataclass, field
from email.utils import formatdate
from typing import Any

from aiohttp import web

from whm_simulator.api.answer import Answer, refused
from whm_simulator.api.functions import call
from whm_simulator.api.params import Params
from whm_simulator.api.visit import Visit
from whm_simulator.mail.source import Interrupted, Mail
from whm_simulator.web import faults
from whm_simulator.web.faults import Fault, FaultSwitch

log = logging.getLogger(__name__)

Clock = Callable[[], float]
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

_REQUESTS_REMEMBERED = 1000
_COMPRESSED_IN_LOOP_BYTES = 65_536
_JSON = 'application/json; charset="utf-8"'
_HTML = 'text/html; charset="utf-8"'
_DENIED = (
    b'{"cpanelresult":{"apiversion":"2","error":"Access denied",'
    b'"data":{"reason":"Access denied","result":"0"},"type":"text"}}'
)


@dataclass(slots=True)
class Site:
    """A simulated server: its mail, who may ask for it, and what is wrong with it.

    ``requests`` remembers the newest requests, for tests of what a client asks for; the token is
    never among what it remembers.
    """

    mail: Mail
    user: str
    token: str = field(repr=False)
    clock: Clock
    executor: Executor
    switch: FaultSwitch
    requests: deque[dict[str, Any]] = field(
        default_factory=lambda: deque(maxlen=_REQUESTS_REMEMBERED)
    )

    def application(self) -> web.Application:
        """The web application that plays this server."""
        application = web.Application(middlewares=[_no_traceback])
        application.on_response_prepare.append(self._add_headers)
        path = r"/json-api/{function:\w+}"
        application.router.add_get(path, self._handle, allow_head=False)
        application.router.add_post(path, self._handle)
        return application

    async def _add_headers(self, _request: web.Request, response: web.StreamResponse) -> None:
        response.headers["Date"] = formatdate(self.clock(), usegmt=True)
        response.headers["Server"] = "cpsrvd"

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        function = request.match_info["function"]
        params = await _params_of(request)
        note: dict[str, Any] = {
            "at_unix": self.clock(),
            "method": request.method,
            "function": function,
            "params": dict(params),
            "status": None,
        }
        self.requests.append(note)
        fault = self.switch.now if self.switch.now.hits(function) else None
        response = await self._respond(request, function, params, fault)
        note["status"] = response.status
        return response

    async def _respond(
        self, request: web.Request, function: str, params: Params, fault: Fault | None
    ) -> web.StreamResponse:
        broken = await self._broken(request, fault) if fault else None
        if broken is not None:
            return broken
        if not self._is_let_in(request):
            return _denied()
        return await self._answer(request, function, params, fault)

    def _is_let_in(self, request: web.Request) -> bool:
        wanted = f"whm {self.user}:{self.token}"
        given = request.headers.get("Authorization", "")
        return hmac.compare_digest(
            given.encode("utf-8", "surrogateescape"), wanted.encode("utf-8", "surrogateescape")
        )

    async def _broken(self, request: web.Request, fault: Fault) -> web.Response | None:
        """What a fault makes of a request before anybody looks at it; None to go on."""
        response: web.Response | None = None
        match fault.fault:
            case "hang":
                await self.switch.changed()
                response = _dropped(request)
            case "drop":
                response = _dropped(request)
            case "latency":
                await asyncio.sleep(fault.seconds)
            case "403":
                response = _denied()
            case "redirect":
                target = f"/cpsess0123456789{request.path_qs}"
                response = web.Response(status=307, headers={"Location": target})
            case name if name in _FIXED:
                status, content_type, body = _FIXED[name]
                response = web.Response(
                    status=status, headers={"Content-Type": content_type}, body=body
                )
        return response

    async def _answer(
        self, request: web.Request, function: str, params: Params, fault: Fault | None
    ) -> web.StreamResponse:
        kind = fault.fault if fault else "none"
        if kind == "ignore_filters":
            params = _without(params, "api.filter.")
        elif kind == "ignore_chunks":
            params = _without(params, "api.chunk.")
        if kind == "result_0":
            answer = refused(function, "Permission denied")
        else:
            answer = await asyncio.get_running_loop().run_in_executor(
                self.executor, call, Visit(self.mail, self.clock()), function, params
            )
        if kind == "truncated_json":
            body = b"".join(answer.pieces())
            return web.Response(body=body[: len(body) // 2], headers={"Content-Type": _JSON})
        return await _send(request, answer)


_FIXED: dict[str, tuple[int, str, bytes]] = {
    "401_html": (401, _HTML, faults.UNAUTHORIZED_PAGE),
    "500": (500, _HTML, faults.ERROR_PAGE),
    "html_200": (200, _HTML, faults.LOGIN_PAGE),
    "empty_body": (200, _JSON, b""),
    "empty_object": (200, _JSON, b"{}"),
    "list": (200, _JSON, b"[]"),
}


async def _send(request: web.Request, answer: Answer) -> web.StreamResponse:
    """Send *answer*: small ones whole, large ones in pieces so that others get their turn."""
    headers = {"Content-Type": _JSON}
    takes_gzip = _takes_gzip(request.headers.get("Accept-Encoding", ""))
    if not answer.is_large:
        response = web.Response(
            body=b"".join(answer.pieces()),
            headers=headers,
            zlib_executor_size=_COMPRESSED_IN_LOOP_BYTES,
        )
        if takes_gzip:
            response.enable_compression(web.ContentCoding.gzip)
        return response
    stream = web.StreamResponse(headers=headers)
    if takes_gzip:
        stream.enable_compression(web.ContentCoding.gzip)
    await stream.prepare(request)
    for piece in answer.pieces():
        await stream.write(piece)
        await asyncio.sleep(0)
    await stream.write_eof()
    return stream


def _takes_gzip(accepted: str) -> bool:
    """Whether an Accept-Encoding header names gzip, without ruling it out by q=0.

    >>> [_takes_gzip(text) for text in ("gzip, br", "br;q=1, GZIP;q=0.5", "gzip;q=0", "")]
    [True, True, False, False]
    """
    for item in accepted.lower().split(","):
        coding, _, quality = item.partition(";")
        if coding.strip() == "gzip":
            return quality.strip().removeprefix("q=").strip("0. ") != "" or not quality
    return False


async def _params_of(request: web.Request) -> Params:
    """Parameters of the query and, after them, of a posted form; the last of equal names wins."""
    params = dict(request.query)
    if request.method == "POST":
        try:
            form = await request.post()
        except ValueError:
            raise web.HTTPBadRequest(text="The form can't be read.\n") from None
        params |= {name: value for name, value in form.items() if isinstance(value, str)}
    return params


def _without(params: Mapping[str, str], prefix: str) -> Params:
    return {name: value for name, value in params.items() if not name.startswith(prefix)}


def _denied() -> web.Response:
    return web.Response(
        status=403,
        reason="Forbidden Access denied",
        headers={"Content-Type": 'text/plain; charset="utf-8"'},
        body=_DENIED,
    )


def _dropped(request: web.Request) -> web.Response:
    """Cut the connection; the response never gets out."""
    if request.transport is not None:
        request.transport.abort()
    return web.Response(status=500)


@web.middleware
async def _no_traceback(request: web.Request, handler: Handler) -> web.StreamResponse:
    """A mistake of the simulator is one line in its log and a plain 500."""
    try:
        return await handler(request)
    except Interrupted:
        return web.Response(status=503, text="The simulator is being stopped.\n")
    except (web.HTTPException, ConnectionError):
        raise
    except Exception as error:  # noqa: BLE001 - the last line of defence says what it was
        log.error("%s: %s: %s", request.path, type(error).__name__, error)
        return web.Response(status=500, text="Internal Server Error\n")

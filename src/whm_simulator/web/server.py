"""One call of a simulated server over HTTP: faults, login, the function's answer, and its way out.

The order is that of a real failure: what is wrong with the network or the web server comes before
anybody looks at the login, what is wrong with the API or its data after it.
"""

import asyncio
import logging
import re
from collections.abc import Iterator, Mapping
from email.utils import formatdate
from typing import Any, NamedTuple

from aiohttp import web

from whm_simulator.api.answer import Answer, refused
from whm_simulator.api.functions import call
from whm_simulator.api.params import Params, params_of
from whm_simulator.api.visit import Caller, Visit
from whm_simulator.mail.source import Interrupted
from whm_simulator.web import bodies
from whm_simulator.web.disturbed_mail import disturbed
from whm_simulator.web.faults import DROPPING, FIXED, HANGING, LATE, Fault
from whm_simulator.web.pages import DENIED, JSON, TEXT, Page
from whm_simulator.web.pages import FIXED as FIXED_PAGES
from whm_simulator.web.site import Site

log = logging.getLogger(__name__)

_PATH = re.compile(r"/json-api/(\w+)", re.ASCII)
_METHODS = ("GET", "POST")
_WITHOUT_EFFECT = {"ignore_filters": "api.filter.", "ignore_chunks": "api.chunk."}


class _Call(NamedTuple):
    """What a client wants of a server, and what is wrong with the server meanwhile."""

    site: Site
    request: web.BaseRequest
    function: str
    params: Params
    faults: Mapping[str, Fault]


async def answer_request(site: Site, request: web.BaseRequest) -> web.StreamResponse:
    """The response of *site*; a mistake of the simulator is one line in its log and a plain 500."""
    if request.transport is not None:
        site.connections.add(request.transport)
    if site.is_down:
        return _cut(request)
    try:
        return await _routed(site, request)
    except Interrupted:
        return _failed(site, request, Page(503, TEXT, b"The simulator is being stopped.\n"))
    except ConnectionError:
        # The client has gone, or a fault has cut the connection: nobody hears this.
        return web.Response(status=500)
    except Exception as error:  # noqa: BLE001 - the last line of defence says what it was
        log.error("%s: %s: %s", request.path, type(error).__name__, error)
        return _failed(site, request, Page(500, TEXT, b"Internal Server Error\n"))


async def _routed(site: Site, request: web.BaseRequest) -> web.StreamResponse:
    match = _PATH.fullmatch(request.path)
    if match is None:
        return _page(site, Page(404, TEXT, b"Not Found\n"))
    if request.method not in _METHODS:
        response = _page(site, Page(405, TEXT, b"Method Not Allowed\n"))
        response.headers["Allow"] = ", ".join(_METHODS)
        return response
    function = match[1]
    try:
        params = await _read_params(request)
    except (ValueError, LookupError, web.RequestPayloadError):
        return _page(site, Page(400, TEXT, b"The form can't be read.\n"))
    except web.HTTPRequestEntityTooLarge:
        return _page(site, Page(413, TEXT, b"The form is too large.\n"))
    note: dict[str, Any] = {
        "at_unix": site.clock(),
        "method": request.method,
        "function": function,
        "params": dict(params),
        "status": None,
    }
    site.requests.append(note)
    faults = {fault.fault: fault for fault in reversed(site.switch.hits(function, site.clock()))}
    answer = await _respond(_Call(site, request, function, params, faults))
    note["status"] = answer.status
    return answer


async def _respond(asked: _Call) -> web.StreamResponse:
    site = asked.site
    broken = await _broken(asked)
    if broken is not None:
        return broken
    caller = site.logins.caller_of(asked.request.headers.get("Authorization", ""))
    if caller is None:
        return _page(site, DENIED)
    return await _answered(asked, caller)


async def _broken(asked: _Call) -> web.StreamResponse | None:
    """What faults make of a call before anybody looks at its login; None to go on."""
    site = asked.site
    by_stage = {fault.kind.stage: fault for fault in asked.faults.values()}
    if LATE in by_stage:
        await asyncio.sleep(by_stage[LATE].amount)
    if HANGING in by_stage:
        await site.switch.changed()
        return _cut(asked.request)
    if DROPPING in by_stage:
        return _cut(asked.request)
    if FIXED not in by_stage:
        return None
    name = by_stage[FIXED].fault
    if name == "redirect":
        response = web.Response(status=307, headers=_headers(site, "application/octet-stream"))
        response.headers["Location"] = f"/cpsess0123456789{asked.request.path_qs}"
        return response
    return _page(site, FIXED_PAGES[name])


async def _answered(asked: _Call, caller: Caller) -> web.StreamResponse:
    site, request, faults = asked.site, asked.request, asked.faults
    is_packed = site.quirks.has_gzip and takes_gzip(request.headers.get("Accept-Encoding", ""))
    headers = _headers(site, JSON)
    if "endless_body" in faults:
        return await bodies.send(request, web.StreamResponse(headers=headers), bodies.endless())
    if "gzip_bomb" in faults:
        headers["Content-Encoding"] = "gzip"
        megabytes = round(faults["gzip_bomb"].amount)
        packed = bodies.bomb(megabytes, asked.function)
        return await bodies.send(request, web.StreamResponse(headers=headers), packed)
    loop = asyncio.get_running_loop()
    built = await loop.run_in_executor(site.executor, _built, asked, caller, is_packed)
    if built is None:
        return _page(site, DENIED)
    if is_packed:
        headers["Content-Encoding"] = "gzip"
    response = web.StreamResponse(headers=headers)
    is_cut = "drop_midway" in faults
    if isinstance(built, bytes):
        response.content_length = len(built)
        pieces = bodies.whole(built[: len(built) // 2] if is_cut else built)
    else:
        pieces = bodies.off_loop(site.executor, built)
    if "slow_drip" in faults:
        pieces = bodies.slowly(pieces, faults["slow_drip"].amount)
    if is_cut:
        pieces = bodies.cut_after(request, pieces)
    return await bodies.send(request, response, pieces)


def _built(asked: _Call, caller: Caller, is_packed: bool) -> bytes | Iterator[bytes] | None:
    """The body of the answer: its bytes, or what makes its pieces; None if it is denied."""
    answer = _called(asked, caller)
    if answer.is_denied:
        return None
    pieces = answer.pieces()
    if "truncated_json" in asked.faults or ("drop_midway" in asked.faults and answer.is_large):
        pieces = bodies.first_half(pieces, answer.piece_count)
    if is_packed:
        pieces = bodies.gzipped(pieces)
    return pieces if answer.is_large else b"".join(pieces)


def _called(asked: _Call, caller: Caller) -> Answer:
    site, params = asked.site, asked.params
    if "result_0" in asked.faults:
        return refused(asked.function, "Permission denied")
    for name, prefix in _WITHOUT_EFFECT.items():
        if name in asked.faults:
            params = {key: value for key, value in params.items() if not key.startswith(prefix)}
    mail = disturbed(site.mail, list(asked.faults.values()))
    return call(Visit(mail, site.now_unix(), caller, site.quirks), asked.function, params)


def takes_gzip(accepted: str) -> bool:
    """Whether an Accept-Encoding header names gzip, without ruling it out by q=0.

    >>> [takes_gzip(text) for text in ("gzip, br", "br;q=1, GZIP;q=0.5", "gzip;q=0", "")]
    [True, True, False, False]
    """
    for item in accepted.lower().split(","):
        coding, _, quality = item.partition(";")
        if coding.strip() == "gzip":
            return quality.strip().removeprefix("q=").strip("0. ") != "" or not quality
    return False


async def _read_params(request: web.BaseRequest) -> Params:
    """Parameters of the query and, after them, of a posted form."""
    pairs = list(request.query.items())
    if request.method == "POST":
        form = await request.post()
        pairs += [(name, value) for name, value in form.items() if isinstance(value, str)]
    return params_of(pairs)


def _headers(site: Site, content_type: str) -> dict[str, str]:
    return {
        "Content-Type": content_type,
        "Date": formatdate(site.now_unix(), usegmt=True),
        "Server": "cpsrvd",
    }


def _page(site: Site, page: Page) -> web.Response:
    headers = _headers(site, page.content_type)
    return web.Response(status=page.status, reason=page.reason, headers=headers, body=page.body)


def _failed(site: Site, request: web.BaseRequest, page: Page) -> web.Response:
    """*page*, or the end of the connection if an answer has begun."""
    return _cut(request) if request.writer.output_size else _page(site, page)


def _cut(request: web.BaseRequest) -> web.Response:
    """Cut the connection; the response never gets out."""
    if request.transport is not None:
        request.transport.abort()
    return web.Response(status=500)

"""The control endpoint: what really happened, what shall go wrong, and how fast time runs.

It has no login, so it must never listen on anything but loopback.
"""

import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence

import msgspec
from aiohttp import web

from whm_simulator.mail.source import Interrupted
from whm_simulator.web.clock import FACTORS, INSTANTS, SimulatedClock, is_factor, is_instant
from whm_simulator.web.orders import FaultMistake, UnknownServer, decoded, faults_of
from whm_simulator.web.refusal import Refused
from whm_simulator.web.site import Site
from whm_simulator.web.switch import SetFault
from whm_simulator.web.truth_paths import LINES, TruthPaths
from whm_simulator.web.watch import Watch

log = logging.getLogger(__name__)

PATHS: tuple[tuple[str, str], ...] = (
    ("GET  /truth?server=NAME&until=UNIX[&since=UNIX][&events=1]", "rows that exist, JSON lines"),
    ("GET  /truth?server=NAME&shown=1", "rows as the server shows them"),
    ("GET  /truth/totals?server=NAME&until=UNIX&by=type,user", "the same, counted"),
    ("GET  /truth/queue?server=NAME&until=UNIX", "queued messages, JSON lines"),
    ("GET  /truth/accounts[?server=NAME][&until=UNIX]", "accounts, JSON lines"),
    ("GET  /requests?server=NAME", "the last 1000 calls, JSON lines"),
    ("GET  /faults", "those that are set, active or not"),
    ("POST /faults  OBJECT or [OBJECT, ...]", "set those of the servers in it"),
    ("GET  /speed", "the simulated clock"),
    ('POST /speed  {"factor": 60, "now_unix": UNIX}', "run it, set it, or both"),
)
"""What can be asked of it, and what that gives."""

_encoder = msgspec.json.Encoder()
_Handler = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]


class Control:
    """Truth, faults, remembered requests and time of all *sites*, by server name.

    Args:
        sites: all servers.
        clock: the time that they share.
        has_tls: whether they speak TLS.
        watch: brings ports and certificates in line when time or faults have been set.
        on_change: called when faults or time have been set, to be kept.
    """

    def __init__(
        self,
        sites: Mapping[str, Site],
        clock: SimulatedClock,
        *,
        has_tls: bool,
        watch: Watch,
        on_change: Callable[[], None],
    ) -> None:
        self._sites = sites
        self._clock = clock
        self._has_tls = has_tls
        self._watch = watch
        self._truth = TruthPaths(sites, clock)
        self._on_change = on_change
        self._handlers: dict[tuple[str, str], _Handler] = {
            ("GET", "/truth"): self._truth.rows,
            ("GET", "/truth/totals"): self._truth.totals,
            ("GET", "/truth/queue"): self._truth.queue,
            ("GET", "/truth/accounts"): self._truth.accounts,
            ("GET", "/requests"): self._requests,
            ("GET", "/faults"): self._list_faults,
            ("POST", "/faults"): self._set_faults,
            ("GET", "/speed"): self._tell_speed,
            ("POST", "/speed"): self._set_speed,
        }

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        """The response to any request; every mistake in it is one sentence."""
        handler = self._handlers.get((request.method, request.path))
        try:
            if handler is None:
                raise Refused(404, f'There is no "{request.method} {request.path}" here.')
            return await handler(request)
        except Refused as refused:
            return _json({"error": str(refused)}, refused.status)
        except FaultMistake as mistake:
            status = 404 if isinstance(mistake, UnknownServer) else 400
            return _json({"error": str(mistake)}, status)
        except Interrupted:
            return _failed(request, 503, "The simulator is being stopped.")
        except web.HTTPException:
            raise
        except ConnectionError:
            # The client has gone: nobody hears this.
            return web.Response(status=500)
        except Exception as error:  # noqa: BLE001 - the last line of defence says what it was
            log.error("%s: %s: %s", request.path, type(error).__name__, error)
            return _failed(request, 500, "Internal Server Error")

    async def _requests(self, request: web.BaseRequest) -> web.StreamResponse:
        notes = list(self._truth.site(request).requests)
        body = _encoder.encode_lines(notes)
        return web.Response(body=body, headers={"Content-Type": LINES})

    async def _list_faults(self, _request: web.BaseRequest) -> web.StreamResponse:
        await self._watch.settle()
        now_unix = self._clock()
        return _json(
            [
                {
                    **msgspec.to_builtins(one.fault),
                    "since_unix": one.since_unix,
                    "is_active": one.is_active(now_unix),
                }
                for site in self._sites.values()
                for one in site.switch.faults
            ]
        )

    async def _set_faults(self, request: web.BaseRequest) -> web.StreamResponse:
        order = decoded(await request.read())
        orders: Sequence[object] = order if isinstance(order, list) else [order]
        faults = [
            fault for one in orders for fault in faults_of(one, self._sites, has_tls=self._has_tls)
        ]
        now_unix = self._clock()
        by_server: dict[str, list[SetFault]] = {}
        for fault in faults:
            by_server.setdefault(fault.server, []).append(SetFault(fault, now_unix))
        for server, those in by_server.items():
            self._sites[server].switch.set(those)
        self._on_change()
        await self._watch.look_again()
        return _json(faults if isinstance(order, list) or len(faults) != 1 else faults[0])

    async def _tell_speed(self, _request: web.BaseRequest) -> web.StreamResponse:
        return _json({"factor": self._clock.factor, "now_unix": self._clock()})

    async def _set_speed(self, request: web.BaseRequest) -> web.StreamResponse:
        try:
            order = decoded(await request.read())
        except FaultMistake:
            order = None
        if not isinstance(order, dict) or not order or order.keys() - {"factor", "now_unix"}:
            raise Refused(400, 'Write a JSON object with "factor", "now_unix" or both.')
        factor, now_unix = order.get("factor"), order.get("now_unix")
        if factor is not None and not (_is_number(factor) and is_factor(factor)):
            raise Refused(400, f'"factor" must be {FACTORS}.')
        if now_unix is not None and not (_is_number(now_unix) and is_instant(now_unix)):
            raise Refused(400, f'"now_unix" must be {INSTANTS}.')
        self._clock.set(factor, now_unix)
        self._on_change()
        await self._watch.settle()
        return await self._tell_speed(request)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _json(value: object, status: int = 200) -> web.Response:
    headers = {"Content-Type": "application/json"}
    return web.Response(status=status, body=_encoder.encode(value) + b"\n", headers=headers)


def _failed(request: web.BaseRequest, status: int, text: str) -> web.Response:
    """An error, or the end of the connection if an answer has begun."""
    if request.writer.output_size and request.transport is not None:
        request.transport.abort()
    return _json({"error": text}, status)

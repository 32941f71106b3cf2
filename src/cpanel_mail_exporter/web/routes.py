"""Path and query in, what is answered out: a small page or a publication; nothing is sent here.

Every path is answered from what has been published and from the servers' views. No request can
make the exporter ask a WHM server anything, or connect to anything.
"""

from collections.abc import Awaitable, Callable, Mapping
from ipaddress import IPv6Address, ip_address

from cpanel_mail_exporter.model.endpoint import Endpoint
from cpanel_mail_exporter.web.answers import content, plain
from cpanel_mail_exporter.web.bounces_page import PATH as BOUNCES_PATH
from cpanel_mail_exporter.web.bounces_page import BouncesPage
from cpanel_mail_exporter.web.cardinality_page import PATH as CARDINALITY_PATH
from cpanel_mail_exporter.web.cardinality_page import CardinalityPage
from cpanel_mail_exporter.web.discovery import own_address, target_groups
from cpanel_mail_exporter.web.http import BaseRequest, Response
from cpanel_mail_exporter.web.ports import (
    Cardinality,
    Exposition,
    Publication,
    Published,
    ServerViews,
    UnexplainedTexts,
)
from cpanel_mail_exporter.web.status_page import StatusPage

Answer = Response | Exposition | Awaitable[Response]
"""What isn't at hand at once is awaited, while others are answered."""

_NAMES = "name[]"


class Routes:
    """The paths there are: /, /metrics, /probe, /sd, /-/healthy, /-/ready, and pages below /debug.

    Args:
        published: what scrapes are answered with.
        views: every server's state.
        unexplained: texts that no rule explains.
        page: draws the status page.
        bounces_page: draws the page of unexplained texts.
        cardinality: counts the series for the page of cardinality.
        scheme: `http` or `https`, whichever the listener speaks.
        now_unix: wall clock, for "12 s ago".
    """

    def __init__(
        self,
        published: Published,
        views: ServerViews,
        unexplained: UnexplainedTexts,
        page: StatusPage,
        bounces_page: BouncesPage,
        cardinality: Cardinality,
        scheme: str,
        now_unix: Callable[[], float],
    ) -> None:
        self._published = published
        self._views = views
        self._unexplained = unexplained
        self._page = page
        self._bounces = bounces_page
        self._cardinality = cardinality
        self._series = CardinalityPage()
        self._scheme = scheme
        self._now_unix = now_unix
        self._paths: Mapping[str, Callable[[BaseRequest], Answer]] = {
            "/": self._status_page,
            "/metrics": lambda request: _selected(request, published.everything()),
            "/probe": self._probe,
            "/sd": self._discovery,
            BOUNCES_PATH: self._bounces_page,
            CARDINALITY_PATH: self._cardinality_page,
            "/-/healthy": lambda _: plain(200, "The exporter is running."),
            "/-/ready": self._ready,
        }

    def answer(self, request: BaseRequest) -> Answer:
        """What a request gets, refusals included."""
        found = self._paths.get(request.path)
        if found is None:
            return plain(404, "There is nothing here; / lists what there is.")
        if request.method not in ("GET", "HEAD"):
            return plain(405, "Only GET and HEAD are answered.", {"Allow": "GET, HEAD"})
        return found(request)

    def _probe(self, request: BaseRequest) -> Answer:
        targets = request.query.getall("target", [])
        if len(targets) != 1:
            return plain(400, "Name exactly one server, as in /probe?target=NAME.")
        publication = self._published.of_server(targets[0])
        if publication is None:
            return plain(404, "No server is configured by this name; /sd lists those that are.")
        return _selected(request, publication)

    def _discovery(self, request: BaseRequest) -> Response:
        address = own_address(request.headers.getall("Host", []), self._reached(request))
        return content(target_groups(self._views(), address, self._scheme), "application/json")

    def _reached(self, request: BaseRequest) -> str:
        """Own address on a request's connection, since "all interfaces" can't be scraped."""
        if request.transport is None:
            raise ConnectionResetError("the client has gone")
        host, port = request.transport.get_extra_info("sockname")[:2]
        address = ip_address(host.partition("%")[0])
        mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
        return Endpoint(self._scheme, str(mapped or address), port).authority

    def _ready(self, _: BaseRequest) -> Response:
        views = self._views()
        missing = sum(not view.was_polled for view in views)
        if missing:
            return plain(503, f"Not ready: {missing} of {len(views)} servers not polled yet.")
        return plain(200, "Ready: every server has been polled.")

    def _status_page(self, request: BaseRequest) -> Response:
        html = self._page.render(
            self._views(),
            self._now_unix(),
            wanted=request.query.get("q", ""),
            page=request.query.get("page", ""),
        )
        return content(html, "text/html; charset=utf-8", headers=self._page.headers)

    def _bounces_page(self, request: BaseRequest) -> Response:
        html = self._bounces.render(
            self._unexplained(),
            self._now_unix(),
            wanted=request.query.get("q", ""),
            page=request.query.get("page", ""),
        )
        return content(html, "text/html; charset=utf-8", headers=self._bounces.headers)

    async def _cardinality_page(self, request: BaseRequest) -> Response:
        html = self._series.render(
            await self._cardinality(),
            self._now_unix(),
            wanted=request.query.get("q", ""),
            page=request.query.get("page", ""),
        )
        return content(html, "text/html; charset=utf-8", headers=self._series.headers)


def _selected(request: BaseRequest, publication: Publication) -> Exposition:
    """The families that the query names, as in `/metrics?name[]=a&name[]=b`; without one, all."""
    names = request.query.getall(_NAMES, None)
    return publication if names is None else publication.only(names)

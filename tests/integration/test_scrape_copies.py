"""A scrape only copies bytes: nothing is rendered, compressed or collected while it is answered."""

import gzip

import aiohttp
import pytest

from cpanel_mail_exporter.clock import SystemClock
from cpanel_mail_exporter.exposition import log_blocks, publication
from cpanel_mail_exporter.exposition.body import Format
from cpanel_mail_exporter.exposition.log_lines import LogLines
from cpanel_mail_exporter.metrics import health
from cpanel_mail_exporter.publishing import server_board
from cpanel_mail_exporter.web.server import WebServer
from tests.unit.publishing.boards import board, deliveries, poll, stat
from tests.unit.publishing.boards import log_blocks as blocks_of


def forbidden(*_: object, **__: object) -> None:
    raise AssertionError("work was done inside a scrape")


async def test_scrapes_of_every_form_are_answered_without_any_work(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    clock = SystemClock()
    known = board(clock)
    server = known.servers[0]
    rows = blocks_of(deliveries(3_000), server.terms.labels)
    poll(server, clock.now_unix(), user_stats=[stat()], email_logs=rows)
    known.build()
    web = WebServer(
        published=known, views=list, version="1", now_unix=clock.now_unix, host="127.0.0.1", port=0
    )
    host, port = await web.start()
    for module, name in (
        (LogLines, "render"),
        (publication, "piece"),
        (log_blocks, "piece"),
        (server_board, "family_lines"),
        (health, "health"),
        (type(known), "build"),
    ):
        monkeypatch.setattr(module, name, forbidden)
    pages = {}
    try:
        async with aiohttp.ClientSession(auto_decompress=False) as session:
            for form in Format:
                for path in ("/metrics", "/probe?target=web1", "/metrics?name[]=email_logs"):
                    for encoding in ("identity", "gzip"):
                        headers = {"Accept": form.value, "Accept-Encoding": encoding}
                        url = f"http://{host}:{port}{path}"
                        async with session.get(url, headers=headers) as answer:
                            assert answer.status == 200
                            body = await answer.read()
                            assert len(body) == int(answer.headers["Content-Length"])
                            pages[form, path, encoding] = body
    finally:
        await web.stop()
    for (form, path, encoding), body in pages.items():
        if encoding == "gzip":
            assert gzip.decompress(body) == pages[form, path, "identity"]
        assert pages[form, path, "identity"].count(b"\nemail_logs{") == 3_000

"""A server that is asked without TLS costs no store of trusted issuers."""

import ssl
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from cpanel_mail_exporter.app import exporter
from cpanel_mail_exporter.app.live_token import LiveToken
from cpanel_mail_exporter.config.settings import ServerSettings, Settings, TokenSource
from cpanel_mail_exporter.model.endpoint import Endpoint
from cpanel_mail_exporter.model.secret import Secret


@pytest.mark.parametrize(("scheme", "contexts"), [("http", 0), ("https", 1)])
def test_an_ssl_context_is_made_for_servers_asked_by_tls_alone(scheme: str, contexts: int) -> None:
    server = ServerSettings(
        "web1", Endpoint(scheme, "192.0.2.1", 2087), TokenSource(Secret("T")), ZoneInfo("UTC")
    )
    made: list[ssl.SSLContext] = []

    def context(*_: Any, **__: Any) -> ssl.SSLContext:
        made.append(ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT))
        return made[-1]

    access = exporter._access(
        server, Settings((server,), server_label=True), LiveToken(server), context
    )
    assert len(made) == contexts
    assert [access.tls] == (made or [None])

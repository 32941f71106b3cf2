"""Server views in, the answer for Prometheus's `http_sd_configs` out.

Format: https://prometheus.io/docs/prometheus/latest/http_sd/ (a JSON list of target groups).
"""

import re
from collections.abc import Iterable

import msgspec

from cpanel_mail_exporter.web.ports import ServerView

_HOST = re.compile(
    r"(?P<host>[A-Za-z0-9](?:[A-Za-z0-9._-]{0,252})|\[[0-9A-Fa-f:.]{2,45}\])(?::(?P<port>[0-9]{1,5}))?"
)


def own_address(host_headers: list[str], fallback: str) -> str:
    """Where a client reached us: its Host header if that is one host[:port], else *fallback*.

    What a client sends comes back to it as a scrape target, so anything else is not repeated.

    >>> own_address(["mail.example.com:9197"], "192.0.2.1:9197")
    'mail.example.com:9197'
    >>> own_address(["mail.example.com/evil"], "192.0.2.1:9197")
    '192.0.2.1:9197'
    """
    if len(host_headers) != 1:
        return fallback
    match = _HOST.fullmatch(host_headers[0])
    if match is None or int(match["port"] or 1) not in range(1, 65536):
        return fallback
    return host_headers[0]


def target_groups(views: Iterable[ServerView], address: str, scheme: str) -> bytes:
    """One group for each server, scraped at *address* by `/probe?target=NAME`.

    `instance` is the server's name, so that the original's dashboard tells servers apart. The
    server's labels come both as they are and as `__meta_cpanel_mail_label_K`, for relabelling.

    Args:
        views: all servers.
        address: host[:port] of this listener as the client knows it.
        scheme: `http` or `https`, whichever this listener speaks.
    """
    return msgspec.json.encode([_group(view, address, scheme) for view in views])


def _group(view: ServerView, address: str, scheme: str) -> dict[str, object]:
    labels = dict(view.labels)
    labels |= {f"__meta_cpanel_mail_label_{name}": value for name, value in view.labels}
    labels |= {
        "__metrics_path__": "/probe",
        "__param_target": view.name,
        "__scheme__": scheme,
        "instance": view.name,
        "__meta_cpanel_mail_server": view.name,
        "__meta_cpanel_mail_endpoint": view.endpoint_authority,
    }
    return {"targets": [address], "labels": labels}

"""What answers have in common: their headers, and one plain sentence where that is all."""

from collections.abc import Mapping

from cpanel_mail_exporter.web.http import Response

COMMON_HEADERS: Mapping[str, str] = {
    # Without it aiohttp would tell its own version and Python's.
    "Server": "cpanel_mail_exporter",
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
"""For every answer; pages loosen the policy by what they need."""


def plain(status: int, sentence: str, headers: Mapping[str, str] | None = None) -> Response:
    """A page of one sentence."""
    return content(
        f"{sentence}\n".encode(), "text/plain; charset=utf-8", status=status, headers=headers
    )


def content(
    body: bytes, content_type: str, *, status: int = 200, headers: Mapping[str, str] | None = None
) -> Response:
    """A small answer that is held whole."""
    return Response(
        status=status,
        body=body,
        headers={**COMMON_HEADERS, "Content-Type": content_type, **(headers or {})},
    )

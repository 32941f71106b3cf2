"""Answers that need no look at the mail: refusals, error pages, the login page, empty bodies.

Shapes of refusals follow what is known of cpsrvd: a bad login is a 403 in ``text/plain`` with a
``cpanelresult``; very old versions answer 401 with HTML.
"""

from http import HTTPStatus
from typing import NamedTuple

JSON = 'application/json; charset="utf-8"'
HTML = 'text/html; charset="utf-8"'
TEXT = 'text/plain; charset="utf-8"'


class Page(NamedTuple):
    """A whole answer."""

    status: int
    content_type: str
    body: bytes
    reason: str | None = None


def _html(status: int) -> Page:
    phrase = HTTPStatus(status).phrase
    title = f"{status} {phrase}"
    body = f"<html><head><title>{title}</title></head><body><h1>{phrase}</h1></body></html>\n"
    return Page(status, HTML, body.encode())


DENIED = Page(
    403,
    TEXT,
    b'{"cpanelresult":{"apiversion":"2","error":"Access denied",'
    b'"data":{"reason":"Access denied","result":"0"},"type":"text"}}',
    "Forbidden Access denied",
)
_UNAUTHORIZED = Page(
    401,
    HTML,
    b"<html><head><title>Access Denied</title></head>"
    b"<body><h1>401 Access Denied</h1></body></html>\n",
)
_LOGIN = Page(
    200,
    HTML,
    b"<!DOCTYPE html><html><head><title>WHM Login</title></head>"
    b'<body><form action="/login/" method="post"></form></body></html>\n',
)

FIXED: dict[str, Page] = {
    "403": DENIED,
    "401_html": _UNAUTHORIZED,
    "html_200": _LOGIN,
    "empty_body": Page(200, JSON, b""),
    "empty_object": Page(200, JSON, b"{}"),
    "list": Page(200, JSON, b"[]"),
    **{str(status): _html(status) for status in (500, 502, 503, 504)},
}
"""What a fault of the same name answers to every call."""

"""Endpoints as people write them: host names, addresses and URLs of WHM servers."""

import ipaddress
import re

from cpanel_mail_exporter.model.endpoint import Endpoint

_DEFAULT_PORTS = {"https": 2087, "http": 2086}
_AUTHORITY = re.compile(r"(?P<host>\[[^\[\]]*\]|[^:\[\]]*)(?::(?P<port>.*))?", re.DOTALL)
_LABEL = re.compile(r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?")
_LONGEST_TEXT = 1000


def parse_endpoint(text: str) -> Endpoint:
    """Read where a WHM server listens.

    HOST, HOST:PORT, [v6], [v6]:PORT, and `http://` or `https://` before and one `/` after any of
    them. https unless `http://` is written. Without a port it is WHM's own: 2087 for https,
    2086 for http. Names in other scripts become punycode.

    Raises:
        ValueError: it is something else; the sentence doesn't repeat it, since a password may
            stand in it.

    >>> parse_endpoint("web1.example.com").url
    'https://web1.example.com:2087'
    """
    if not text:
        raise ValueError("the endpoint is empty; write HOST or HOST:PORT")
    if len(text) > _LONGEST_TEXT or any(
        character.isspace() or not character.isprintable() for character in text
    ):
        raise ValueError(
            "the endpoint holds a space or isn't readable text; write HOST or HOST:PORT"
        )
    scheme, is_url, rest = text.partition("://")
    if not is_url:
        scheme, rest = "https", text
    scheme = scheme.lower()
    if scheme not in _DEFAULT_PORTS:
        raise ValueError("the endpoint's scheme is neither https:// nor http://; write HOST:PORT")
    if "@" in text:
        raise ValueError(
            "the endpoint holds an '@'; give host and port alone, and user and token by themselves"
        )
    authority = re.split(r"[/?#\\]", rest, maxsplit=1)[0]
    if rest[len(authority) :] not in {"", "/"}:
        raise ValueError("the endpoint holds a path or a query; write HOST:PORT alone")
    return Endpoint(scheme, *_host_and_port(authority, _DEFAULT_PORTS[scheme]))


def _host_and_port(authority: str, default_port: int) -> tuple[str, int]:
    match = _AUTHORITY.fullmatch(authority)
    if match is None or ":" in (match["port"] or ""):
        if ":" in authority:
            raise ValueError(_mend_for_many_colons(authority))
        raise ValueError(
            "the endpoint's brackets aren't those of an IPv6 address: [2001:db8::1]:2087"
        )
    host = match["host"]
    port = default_port if match["port"] is None else parse_port(match["port"])
    if host.startswith("["):
        return parse_ipv6(host[1:-1]), port
    return parse_host(host), port


def _mend_for_many_colons(authority: str) -> str:
    try:
        address = ipaddress.IPv6Address(authority)
    except ValueError:
        return "the endpoint has more than one colon; write HOST:PORT, or [IPv6]:PORT"
    return f"an IPv6 address stands in brackets; write [{address}]:2087"


def parse_port(text: str) -> int:
    """A TCP port of 1 to 65535.

    Raises:
        ValueError: it isn't one.
    """
    if not re.fullmatch(r"[0-9]{1,5}", text) or not 1 <= int(text) <= 65535:
        raise ValueError("the port isn't a number from 1 to 65535; write one such as HOST:2087")
    return int(text)


def parse_ipv6(text: str) -> str:
    """An IPv6 address in its short form, without brackets.

    Raises:
        ValueError: it isn't one, or carries a zone (`%eth0`).
    """
    try:
        address = ipaddress.IPv6Address(text)
    except ValueError:
        raise ValueError(
            "what stands in brackets isn't an IPv6 address; write [2001:db8::1]"
        ) from None
    if address.scope_id is not None:
        raise ValueError("an IPv6 address with a zone (%) isn't supported; write it without")
    return str(address)


def parse_host(text: str) -> str:
    """A host name in lower case, as punycode where it is in another script, or an IPv4 address.

    Raises:
        ValueError: it is neither.
    """
    if not text:
        raise ValueError("the host is missing; write HOST or HOST:PORT")
    host = text.lower()
    if not host.isascii():
        try:
            host = host.encode("idna").decode("ascii").lower()
        except UnicodeError:
            raise ValueError(
                "the host name can't be written in punycode; check its spelling"
            ) from None
    labels = host.removesuffix(".").split(".")
    if len(host) > 253 or not all(_LABEL.fullmatch(label) for label in labels):
        raise ValueError(
            "the host name holds what no name may hold; use letters, digits, '-' and dots"
        )
    if labels[-1].isdigit():
        try:
            return str(ipaddress.IPv4Address(host))
        except ValueError:
            raise ValueError(
                "the host ends in a number and isn't an IPv4 address; check its four numbers"
            ) from None
    return host


def parse_listen(text: str) -> tuple[str, int]:
    """Address to listen on: `:PORT` (all addresses), HOST:PORT or [v6]:PORT; port 0 lets choose.

    Returns:
        Host (empty for all, IPv6 without brackets) and port.

    Raises:
        ValueError: it is something else.
    """
    match = _AUTHORITY.fullmatch(text)
    if match is None or match["port"] is None:
        raise ValueError("isn't an address to listen on; write :9197, 127.0.0.1:9197 or [::1]:9197")
    if not re.fullmatch(r"[0-9]{1,5}", match["port"]) or int(match["port"]) > 65535:
        raise ValueError("the port isn't a number from 0 to 65535; write one such as :9197")
    host, port = match["host"], int(match["port"])
    if host.startswith("["):
        return parse_ipv6(host[1:-1]), port
    return (parse_host(host) if host else ""), port

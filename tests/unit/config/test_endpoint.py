"""Endpoints and addresses to listen on, as people write them."""

import pytest

from cpanel_mail_exporter.config.endpoint import parse_endpoint, parse_listen

ACCEPTED = {
    "web1.example.com": "https://web1.example.com:2087",
    "web1.example.com:2083": "https://web1.example.com:2083",
    "WEB1.Example.COM": "https://web1.example.com:2087",
    "web1.example.com.": "https://web1.example.com.:2087",
    "web_1": "https://web_1:2087",
    "192.0.2.1": "https://192.0.2.1:2087",
    "192.0.2.1:65535": "https://192.0.2.1:65535",
    "[2001:db8::1]": "https://[2001:db8::1]:2087",
    "[2001:DB8:0:0::1]:1": "https://[2001:db8::1]:1",
    "https://web1.example.com": "https://web1.example.com:2087",
    "https://web1.example.com/": "https://web1.example.com:2087",
    "HTTPS://web1.example.com:443/": "https://web1.example.com:443",
    "http://web1.example.com": "http://web1.example.com:2086",
    "http://[2001:db8::1]:80/": "http://[2001:db8::1]:80",
    "web1.example.com/": "https://web1.example.com:2087",
    "bücher.example": "https://xn--bcher-kva.example:2087",
    "例え.example:2083": "https://xn--r8jz45g.example:2083",
    "BÜCHER。example": "https://xn--bcher-kva.example:2087",
}


@pytest.mark.parametrize("text", ACCEPTED)
def test_each_way_to_write_an_endpoint_gives_its_url(text: str) -> None:
    assert parse_endpoint(text).url == ACCEPTED[text]


SPACE = "the endpoint holds a space or isn't readable text; write HOST or HOST:PORT"
PATH = "the endpoint holds a path or a query; write HOST:PORT alone"
PORT = "the port isn't a number from 1 to 65535; write one such as HOST:2087"
NAME = "the host name holds what no name may hold; use letters, digits, '-' and dots"
MISSING = "the host is missing; write HOST or HOST:PORT"
IPV4 = "the host ends in a number and isn't an IPv4 address; check its four numbers"
IPV6 = "what stands in brackets isn't an IPv6 address; write [2001:db8::1]"
BRACKETS = "the endpoint's brackets aren't those of an IPv6 address: [2001:db8::1]:2087"
SCHEME = "the endpoint's scheme is neither https:// nor http://; write HOST:PORT"
COLONS = "the endpoint has more than one colon; write HOST:PORT, or [IPv6]:PORT"
AT = "the endpoint holds an '@'; give host and port alone, and user and token by themselves"
REFUSED = {
    "": "the endpoint is empty; write HOST or HOST:PORT",
    " ": SPACE,
    "web1 .example.com": SPACE,
    "web1\n": SPACE,
    "web1\x00": SPACE,
    "web1\udc80": SPACE,
    "x" * 1001: SPACE,
    "/": MISSING,
    ":2087": MISSING,
    "https://": MISSING,
    "https:///": MISSING,
    "web1/whm": PATH,
    "web1//": PATH,
    "web1?api.version=1": PATH,
    "web1#x": PATH,
    "web1\\x": PATH,
    "https://root:SECRETWORD@web1": AT,
    "root@web1": AT,
    "ftp://web1": SCHEME,
    "://web1": SCHEME,
    "web1:": PORT,
    "web1:0": PORT,
    "web1:65536": PORT,
    "web1:٢٠٨٧": PORT,
    "web1:-1": PORT,
    "web1:https": PORT,
    "2001:db8::1": "an IPv6 address stands in brackets; write [2001:db8::1]:2087",
    "web1:2087:1": COLONS,
    "[2001:db8::1]2087": COLONS,
    "[2001:db8::1": COLONS,
    "[web1": BRACKETS,
    "web1]:2087": COLONS,
    "[192.0.2.1]": IPV6,
    "[]": IPV6,
    "[fe80::1%eth0]": "an IPv6 address with a zone (%) isn't supported; write it without",
    "192.0.2": IPV4,
    "192.0.2.256": IPV4,
    "192.0.02.1": IPV4,
    "-web1": NAME,
    "web1..example.com": NAME,
    "a." * 127 + "a": NAME,
    "x" * 64: NAME,
    "web1／x": NAME,
    "ü" * 64: "the host name can't be written in punycode; check its spelling",
}


@pytest.mark.parametrize("text", REFUSED)
def test_each_wrong_endpoint_gets_its_sentence(text: str) -> None:
    with pytest.raises(ValueError, match=r".") as caught:
        parse_endpoint(text)
    assert str(caught.value) == REFUSED[text]


@pytest.mark.parametrize(
    ("text", "address"),
    [
        (":9197", ("", 9197)),
        (":0", ("", 0)),
        ("127.0.0.1:65535", ("127.0.0.1", 65535)),
        ("[::]:1", ("::", 1)),
        ("localhost:9197", ("localhost", 9197)),
    ],
)
def test_each_way_to_write_an_address_to_listen_on(text: str, address: tuple[str, int]) -> None:
    assert parse_listen(text) == address


LISTEN = "isn't an address to listen on; write :9197, 127.0.0.1:9197 or [::1]:9197"
LISTEN_PORT = "the port isn't a number from 0 to 65535; write one such as :9197"


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", LISTEN),
        ("9197", LISTEN),
        ("[::1]", LISTEN),
        ("127.0.0.1", LISTEN),
        ("::1:9197", LISTEN_PORT),
        (":65536", LISTEN_PORT),
        (":http", LISTEN_PORT),
        (":٩", LISTEN_PORT),
        ("*:9197", NAME),
        ("256.0.0.1:9197", IPV4),
    ],
)
def test_each_wrong_address_to_listen_on_gets_its_sentence(text: str, why: str) -> None:
    with pytest.raises(ValueError, match=r".") as caught:
        parse_listen(text)
    assert str(caught.value) == why

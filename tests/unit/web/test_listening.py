"""An address is bound whole, or the operator reads one sentence."""

import errno
import socket

import pytest

from cpanel_mail_exporter.web.listening import CannotListen, open_sockets


def close(sockets: list[socket.socket]) -> None:
    for opened in sockets:
        opened.close()


async def test_a_name_with_several_addresses_gets_one_port_on_all(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    found = [
        (socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, 0))
        for address in ("127.0.0.1", "127.0.0.2", "127.0.0.1")
    ]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: found)
    sockets = await open_sockets("exporter.example.com", 0)
    try:
        assert [opened.getsockname()[0] for opened in sockets] == ["127.0.0.1", "127.0.0.2"]
        assert len({opened.getsockname()[1] for opened in sockets}) == 1
    finally:
        close(sockets)


@pytest.mark.parametrize("family", [socket.AF_INET, socket.AF_INET6])
async def test_an_empty_host_means_ipv4_and_ipv6_on_the_same_port(
    family: socket.AddressFamily,
) -> None:
    if family == socket.AF_INET6 and not socket.has_dualstack_ipv6():
        pytest.skip("this machine has no IPv6")
    sockets = await open_sockets("", 0)
    try:
        address = "127.0.0.1" if family == socket.AF_INET else "::1"
        socket.create_connection((address, sockets[0].getsockname()[1]), 5).close()
    finally:
        close(sockets)


async def test_without_ipv6_an_empty_host_means_ipv4(monkeypatch: pytest.MonkeyPatch) -> None:
    real = socket.create_server

    def create_server(address, *, family=socket.AF_INET, **options):
        if family == socket.AF_INET6:
            raise OSError(errno.EADDRNOTAVAIL, "Cannot assign requested address")
        return real(address, family=family, **options)

    monkeypatch.setattr(socket, "create_server", create_server)
    monkeypatch.setattr(socket, "has_dualstack_ipv6", lambda: True)
    sockets = await open_sockets("", 0)
    try:
        assert [opened.family for opened in sockets] == [socket.AF_INET]
    finally:
        close(sockets)


@pytest.mark.parametrize("host", ["127.0.0.1", ""])
async def test_a_port_in_use_is_one_sentence(host: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(CannotListen) as caught:
            await open_sockets(host, port)
    assert str(caught.value) == (
        f"Cannot listen on {host}:{port}: the port is already in use; stop the other program or "
        "choose another port."
    )


@pytest.mark.parametrize(
    ("host", "port", "reason"),
    [
        ("192.0.2.1", 0, "this machine has no such address; choose one of its own"),
        ("nothing.invalid", 0, "the name can't be resolved; give an address of this machine"),
        ("x" * 300, 0, "the system says: "),
        ("127.0.0.1", 99999, "a port is a number up to 65535."),
        ("::1", -1, "a port is a number up to 65535."),
    ],
)
async def test_an_address_that_cannot_be_bound_is_one_sentence(
    host: str, port: int, reason: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def getaddrinfo(name, *rest, **options):
        if name == "nothing.invalid":
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return real(name, *rest, **options)

    real = socket.getaddrinfo
    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    with pytest.raises(CannotListen) as caught:
        await open_sockets(host, port)
    shown = f"[{host}]" if ":" in host else host
    assert str(caught.value).startswith(f"Cannot listen on {shown}:{port}: {reason}")
    assert "\n" not in str(caught.value)

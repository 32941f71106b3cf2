"""Host and port in, listening sockets out, or one sentence saying why not."""

import asyncio
import errno
import socket
from typing import Any

_REASONS = {
    errno.EADDRINUSE: "the port is already in use; stop the other program or choose another port",
    errno.EACCES: "it isn't allowed; choose a port from 1024 up",
    errno.EADDRNOTAVAIL: "this machine has no such address; choose one of its own",
}
_NO_IPV6 = (errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT)
BACKLOG = 128


class CannotListen(Exception):
    """The address can't be bound; the text is one sentence for the operator."""


async def open_sockets(host: str, port: int) -> list[socket.socket]:
    """Bind TCP sockets for *host*, all to the same port.

    Args:
        host: name or address without brackets; empty for all interfaces, where one socket takes
            IPv4 and IPv6.
        port: 0 lets the system choose.

    Raises:
        CannotListen: with what to do, and nothing left open.
    """
    shown = f"[{host}]" if ":" in host else host
    if port not in range(65536):
        raise CannotListen(f"Cannot listen on {shown}:{port}: a port is a number up to 65535.")
    try:
        if not host:
            return [_on_all_interfaces(port)]
        found = await asyncio.get_running_loop().getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )
        return _on_each([(family, address) for family, _, _, _, address in found])
    except socket.gaierror:
        reason = "the name can't be resolved; give an address of this machine"
    except (OSError, UnicodeError) as error:
        number = error.errno if isinstance(error, OSError) else None
        reason = _REASONS.get(number or 0) or f"the system says: {error}"
    raise CannotListen(f"Cannot listen on {shown}:{port}: {reason}.")


def _on_all_interfaces(port: int) -> socket.socket:
    if socket.has_dualstack_ipv6():
        try:
            return socket.create_server(
                ("", port), family=socket.AF_INET6, dualstack_ipv6=True, backlog=BACKLOG
            )
        except OSError as error:
            # IPv6 can be compiled in and still be switched off.
            if error.errno not in _NO_IPV6:
                raise
    return socket.create_server(("", port), backlog=BACKLOG)


def _on_each(found: list[tuple[socket.AddressFamily, tuple[Any, ...]]]) -> list[socket.socket]:
    """Bind every address a name stands for; those after the first take the first one's port."""
    sockets: list[socket.socket] = []
    try:
        for family, address in dict.fromkeys(found):
            port = sockets[0].getsockname()[1] if sockets else address[1]
            try:
                opened = socket.create_server(
                    (address[0], port, *address[2:]), family=family, backlog=BACKLOG
                )
            except OSError as error:
                if not sockets or error.errno not in _NO_IPV6:
                    raise
            else:
                sockets.append(opened)
    except BaseException:
        for opened in sockets:
            opened.close()
        raise
    return sockets

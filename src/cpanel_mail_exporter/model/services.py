"""What a server says of itself: its services, name and version."""

from dataclasses import dataclass

WATCHED_SERVICES: tuple[str, ...] = ("exim", "tailwatchd")
"""The services without which there is no mail, or no news of it: tailwatchd fills the database
that WHM's reports on mail come from."""


@dataclass(frozen=True, slots=True)
class Service:
    """One service of servicestatus.

    Attributes:
        name: WHM's name of it, such as `exim`.
        is_running: None if the server doesn't know, since the service isn't monitored.
    """

    name: str
    is_running: bool | None


@dataclass(frozen=True, slots=True)
class ServerInfo:
    """Who a server is.

    Attributes:
        hostname: of gethostname, empty if it isn't known.
        version: of cPanel & WHM, such as `11.138.0.6`, empty if it isn't known.
    """

    hostname: str = ""
    version: str = ""

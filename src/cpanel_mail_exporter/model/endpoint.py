"""Where a WHM server listens."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Scheme, host and port of one WHM server.

    Attributes:
        scheme: `https` or `http`.
        host: host name or address, an IPv6 address without brackets.
        port: TCP port; WHM's own are 2087 (TLS) and 2086.
    """

    scheme: str
    host: str
    port: int

    @property
    def authority(self) -> str:
        """`host:port`, with brackets round an IPv6 address.

        >>> Endpoint("https", "2001:db8::1", 2087).authority
        '[2001:db8::1]:2087'
        """
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"

    @property
    def url(self) -> str:
        """Base URL without a trailing slash."""
        return f"{self.scheme}://{self.authority}"

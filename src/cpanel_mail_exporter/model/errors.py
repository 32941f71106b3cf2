"""What can go wrong when a WHM server is asked.

    PollError
     +-- Denied               refused login, or lacking privilege (HTTP 401, 403)
     +-- Unsupported          this function alone is refused, others are not
     +-- TimedOut             no whole answer in time
     +-- ConnectFailed        refused, reset, closed early, or no HTTP spoken
     +-- DnsFailed            the host's name can't be resolved
     +-- TlsFailed            certificate or handshake
     +-- BadStatus            any other HTTP status than 200
          +-- FunctionMissing  404: nothing is there under the function's name
     +-- Redirected           3xx; never followed, since the token would go along
     +-- NotJson              HTML, cut off or empty body
     +-- ApiRefused           WHM's own error: metadata.result 0
          +-- FunctionRefused its text says that the function is lacking, or the privilege for it
     +-- WrongShape           JSON, but not the envelope of this function
     +-- StorageFailed        what was read could not be stored
          +-- StorageLocked   another process counts this server's mail into the same file
          +-- StorageDamaged  the file was unreadable and has been moved aside

Foreign errors are translated into these in `whm.client` alone. A message names server, function
and what to do next; it never holds a token or a body.
"""

from typing import ClassVar


class PollError(Exception):
    """A function of a server could not be read; what was known of it stays as it is."""

    kind: ClassVar[str] = ""
    advice: ClassVar[str] = ""

    def __init__(self, server: str, function: str, detail: str) -> None:
        super().__init__(server, function, detail)
        self.server = server
        self.function = function
        self.detail = detail

    def __str__(self) -> str:
        return f"{self.server}: {self.function}: {self.detail}; {self.advice}"


class Denied(PollError):
    """WHM refused the login, or the token lacks the privilege: WHM says the same for both."""

    kind = "denied"
    advice = (
        "check user and token, and the token's privileges, expiry and allowed addresses "
        "in WHM >> Manage API Tokens"
    )


class Unsupported(PollError):
    """This function alone was refused while another one answered."""

    kind = "unsupported"
    advice = (
        "give the token the privilege for it in WHM >> Manage API Tokens, or switch the collector "
        "off; asked again hourly"
    )


class TimedOut(PollError):
    """No whole answer within the request timeout."""

    kind = "timeout"
    advice = "see whether the server is overloaded, or raise request_timeout"


class ConnectFailed(PollError):
    """The connection was refused, reset or closed, or what answered doesn't speak HTTP."""

    kind = "connect"
    advice = "check endpoint and firewall, and that cpsrvd runs there"


class DnsFailed(PollError):
    """The host's name could not be resolved."""

    kind = "dns"
    advice = "check the endpoint's spelling and this machine's resolver"


class TlsFailed(PollError):
    """The certificate isn't trusted, or no TLS could be agreed."""

    kind = "tls"
    advice = "give the certificate's issuer as ca_file, or the name it was made for as server_name"


class BadStatus(PollError):
    """An HTTP status other than 200 that isn't told apart further."""

    kind = "http_status"
    advice = "see WHM's own log on that server (/usr/local/cpanel/logs/error_log)"


class FunctionMissing(BadStatus):
    """HTTP 404: the server has no such function, or isn't WHM at all."""


class Redirected(PollError):
    """A redirect; it isn't followed, since the token would go to the place it names."""

    kind = "redirect"
    advice = "point endpoint at WHM itself (port 2087), not at a proxy or a login page"


class NotJson(PollError):
    """The body isn't JSON: a login page, a cut-off or an empty answer."""

    kind = "not_json"
    advice = "check that endpoint is WHM's API port (2087), and WHM's own log if it is"


class ApiRefused(PollError):
    """WHM understood the call and said no (metadata.result 0)."""

    kind = "api_error"
    advice = "the text is WHM's own; see its documentation of this function"


class FunctionRefused(ApiRefused):
    """WHM said no to this caller, or doesn't know the function: asking soon again is no use."""


class WrongShape(PollError):
    """JSON, but not what this function answers."""

    kind = "shape"
    advice = "report it together with the WHM version: its API may have changed"


class StorageFailed(PollError):
    """What was read could not be stored."""

    kind = "storage"
    advice = "check space and permissions of the storage path"


class StorageLocked(StorageFailed):
    """Another process counts this server's mail into the same file."""

    advice = "end the other process, or give this one another storage path"


class StorageDamaged(StorageFailed):
    """What was stored can't be read; it has been moved aside and counting starts anew."""

    advice = "counting starts anew; see whether the disk is failing"


KINDS: tuple[type[PollError], ...] = (
    Denied,
    Unsupported,
    TimedOut,
    ConnectFailed,
    DnsFailed,
    TlsFailed,
    BadStatus,
    Redirected,
    NotJson,
    ApiRefused,
    WrongShape,
    StorageFailed,
)
"""One class for each kind, in the order the kinds are shown."""

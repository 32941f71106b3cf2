"""Certificate and key file in, server SSL context out; renewed files are taken up while serving.

Each new handshake is moved to the newest context, so that a pair is either used whole or not at
all. Loading renewed files into the context in use would break it whenever the certificate has been
renewed and its key not yet.
"""

import ssl
from pathlib import Path

_State = tuple[tuple[int, ...], ...] | None


class BadCertificate(Exception):
    """Certificate or key can't be used; the text is one sentence for the operator."""


class Certificate:
    """A certificate with its key, as two PEM files that may be renewed at any time.

    Attributes:
        context: what the listener is given, once.

    Raises:
        BadCertificate: the files can't be used as they are.
    """

    def __init__(self, cert_file: Path, key_file: Path) -> None:
        self._cert_file = cert_file
        self._key_file = key_file
        self._seen = self._state_of_files()
        self._newest = self._load()
        self.context = self._load()
        self.context.sni_callback = self._use_newest

    def reload_if_changed(self) -> bool:
        """Take up the files if they were changed; reads files, so not for the event loop.

        Returns:
            Whether new handshakes now use another certificate.

        Raises:
            BadCertificate: they changed into something that can't be used. The one in use stays,
                and this isn't said again before they change again.
        """
        state = self._state_of_files()
        if state == self._seen:
            return False
        self._seen = state
        self._newest = self._load()
        return True

    def _use_newest(
        self,
        connection: ssl.SSLObject | ssl.SSLSocket,
        server_name: str | None,  # noqa: ARG002
        context: ssl.SSLContext,  # noqa: ARG002
    ) -> None:
        # Called at every handshake, also by clients that send no server name.
        connection.context = self._newest

    def _state_of_files(self) -> _State:
        try:
            stats = [file.stat() for file in (self._cert_file, self._key_file)]
        except OSError:
            return None
        return tuple((s.st_ino, s.st_size, s.st_mtime_ns, s.st_ctime_ns) for s in stats)

    def _load(self) -> ssl.SSLContext:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.set_alpn_protocols(["http/1.1"])
        try:
            context.load_cert_chain(self._cert_file, self._key_file, password=self._no_password)
        except ssl.SSLError as error:
            reason = "they aren't PEM"
            if error.reason == "KEY_VALUES_MISMATCH":
                reason = "the key doesn't belong to the certificate"
            raise self._unusable(reason) from error
        except OSError as error:
            raise self._unusable(f"a file can't be read ({error.strerror})") from error
        return context

    def _no_password(self) -> bytes:
        # Without this OpenSSL would ask on the terminal.
        raise self._unusable("the key is encrypted; store it without a password")

    def _unusable(self, reason: str) -> BadCertificate:
        return BadCertificate(
            f"Cannot use certificate {self._cert_file} with key {self._key_file}: {reason}."
        )

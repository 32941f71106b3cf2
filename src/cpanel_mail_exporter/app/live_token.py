"""A server's token while the program runs: fixed, or followed in its file."""

import logging

from cpanel_mail_exporter.config.settings import ServerSettings
from cpanel_mail_exporter.config.token_file import TokenFile
from cpanel_mail_exporter.model.secret import Secret

logger = logging.getLogger(__name__)


class LiveToken:
    """Implements polling's `Token`."""

    def __init__(self, server: ServerSettings) -> None:
        self._name = server.name
        self._current = server.token.value
        file = server.token.file
        self._file = TokenFile(file, server.token.value) if file is not None else None

    def renew(self) -> bool:
        """Look whether the file holds another token now."""
        if self._file is None:
            return False
        look = self._file.look()
        if look.problem is not None:
            logger.warning("%s: %s; the token known so far is kept", self._name, look.problem)
        self._current = look.token
        return look.has_changed

    def current(self) -> Secret:
        """The token to send now."""
        return self._current

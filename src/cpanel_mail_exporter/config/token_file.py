"""API tokens: what one may look like, and the files they are kept in."""

from dataclasses import dataclass
from pathlib import Path

from cpanel_mail_exporter.config.problems import looks_like_token
from cpanel_mail_exporter.config.reading import Stamp, read_regular, stamp_of
from cpanel_mail_exporter.model.secret import Secret

LIMIT_BYTES = 4096


def parse_token(text: str) -> Secret:
    """Check a token: it goes into an HTTP header, so only visible ASCII may stand in it.

    Raises:
        ValueError: it is empty or holds anything else; the sentence never repeats it.
    """
    if not text:
        raise ValueError("the token is empty; copy it from WHM >> Manage API Tokens")
    if not text.isascii():
        raise ValueError("the token holds a character that isn't ASCII; copy it from WHM again")
    if any(character <= " " or character == "\x7f" for character in text):
        raise ValueError(
            "the token holds a space, a line break or a control character; give the token alone"
        )
    if len(text) > LIMIT_BYTES:
        raise ValueError(f"the token is longer than {LIMIT_BYTES} characters; copy it again")
    return Secret(text)


def read_token(path: Path) -> Secret:
    """Read the token that is a file's whole content; blanks and line breaks after it are left out.

    Raises:
        ValueError: it can't be read, or it isn't a token.
    """
    return _read(path)[0]


@dataclass(frozen=True, slots=True)
class TokenLook:
    """What a look at a token file brought.

    Attributes:
        token: the token to use now.
        has_changed: it differs from the one of the look before.
        problem: why the file can't be used (the token before is kept); None if it can, or if
            this was told at the look before.
    """

    token: Secret
    has_changed: bool = False
    problem: str | None = None


class TokenFile:
    """Follows a token file: a look costs one `stat` as long as nothing has changed."""

    def __init__(self, path: Path, token: Secret) -> None:
        """Start from the *token* that was read from *path* with the settings."""
        self.path = path
        self._token = token
        self._stamp: Stamp | None = None
        self._told: str | None = None

    def look(self) -> TokenLook:
        """The token as it is now. Never raises: while the file is unusable the old one stays."""
        try:
            if self._stamp is not None and stamp_of(self.path.stat()) == self._stamp:
                return TokenLook(self._token)
        except OSError:
            pass  # reading it says why
        try:
            token, stamp = _read(self.path)
        except ValueError as error:
            self._stamp = None
            problem = str(error)
            is_news = problem != self._told
            self._told = problem
            return TokenLook(self._token, problem=problem if is_news else None)
        self._stamp, self._told = stamp, None
        has_changed = token != self._token
        self._token = token
        return TokenLook(token, has_changed)


def _read(path: Path) -> tuple[Secret, Stamp]:
    try:
        contents = read_regular(path, LIMIT_BYTES)
    except ValueError:
        if looks_like_token(path.name):
            raise ValueError(
                "looks like a token, not like a path; write the token into a file and give its path"
            ) from None
        raise
    # Latin-1 can decode anything, so that the check below names what isn't ASCII.
    text = contents.data.decode("latin-1").rstrip(" \t\r\n")
    try:
        return parse_token(text), contents.stamp
    except ValueError as error:
        raise ValueError(f"can't use {path}: {error}") from None

"""A delivery's text -> its skeleton: one line in lower case without what differs from mail to mail.

Addresses become `<addr>`, network addresses, long numbers and ids become words of their own. So
texts of one kind become equal, and what was learned of one holds for all. Whatever is decided about
a text is decided from its skeleton; reply codes, enhanced codes and the short codes that receivers
put into their replies stay in it.
"""

import codecs
import re

LONGEST_READ = 2_000
"""Characters of a text that are looked at: a reply says why it refuses at its beginning."""
LONGEST_WORD = 300
"""Characters of a word that are looked at."""

ADDRESS, IPV4, IPV6, NUMBER, ID = "<addr>", "0.0.0.0", "0::0", "000000", "id"  # noqa: S104

WRAPPERS = ("SMTP error from remote ", "LMTP error from remote ")
"""How texts begin of which all up to the first colon is kept as it is."""
_WRAPPER = re.compile(
    r"([SL]MTP error from remote [^:<>]{1,80}):(?: ?<[^<>]*>(?: [A-Z]+=[^\s:]+)*:)? "
    r"(?:host \S{1,255} \[[0-9a-fA-F.:]{2,45}\](?::\d{1,5})?: ?)?"
)
_MOST_WORDS_KEPT = 32_768
_LONGEST_WORD_KEPT = 100
_SHORTEST_ID, _LEAST_DIGITS_OF_ID = 12, 3

_ADDRESS = re.compile(r"<?\b[\w.+=/'-]+@[\w.-]+\b>?")
_IPV4 = re.compile(r"(?<![\d.])\d{1,3}\.\d{1,3}\.\d{1,3}\.\d{1,3}(?!\.?\d)")
_IPV6 = re.compile(r"(?<![\w:])[0-9a-f]{0,4}(?::[0-9a-f]{0,4}){2,8}(?![\w:])")
_RUN = re.compile(r"[0-9a-z_-]{6,}", re.ASCII)
# What Google puts before "- gsmtp".
_QUEUE_ID = re.compile(r"(?<![0-9a-z-])[0-9a-z-]{1,40}?si\d{5,12}[0-9a-z]{1,8}\.\d{1,4}", re.ASCII)
_CODE_BEFORE = re.compile(r"[245][0-9][0-9]-")
_SPOKEN_TO = re.compile(r"\bhost [^\s\[\]:.]+\.[^\s\[\]:]+ ?(?=\[)")
_DIGITS = re.compile(r"[0-9]")


class _Words(dict[str, str]):
    """Words as they were written -> as they stand in the skeleton, each worked out once."""

    def __missing__(self, word: str) -> str:
        plain = _plain(word)
        # An address seldom comes again.
        if len(word) <= _LONGEST_WORD_KEPT and "@" not in word:
            if len(self) >= _MOST_WORDS_KEPT:
                self.clear()
            self[word] = plain
        return plain


class Skeletons:
    """Makes skeletons, and keeps the words it knows; may be used by several threads at once."""

    def __init__(self) -> None:
        self._word = _Words().__getitem__

    def of(self, text: str) -> str:
        """The skeleton of a message as WHM gives it."""
        text = text[:LONGEST_READ]
        if not text.isascii():
            text = _without_mojibake(text)
        if "\\" in text:
            # The lines of a reply, written with a backslash and an n.
            text = text.replace("\\r", " ").replace("\\n", " ")
        head = ""
        if text.startswith(WRAPPERS) and (wrapper := _WRAPPER.match(text)):
            # Most texts: what Exim says before the reply names whom it told what, and differs from
            # mail to mail; only which command it was about is kept.
            head, text = f"{wrapper[1].lower()}: ", text[wrapper.end() :]
        skeleton = head + " ".join(map(self._word, text.split()))
        return _SPOKEN_TO.sub("host h ", skeleton) if "host " in skeleton else skeleton


def _without_mojibake(text: str) -> str:
    """UTF-8 that was read as Latin-1 on its way, put right."""
    try:
        # Not final: the end may have been cut within a character.
        return codecs.utf_8_decode(text.encode("latin-1"), "strict", False)[0]
    except UnicodeError:
        # Halves of characters, which JSON can carry, have no UTF-8.
        return text.encode("utf-8", "replace").decode()


def _plain(word: str) -> str:
    word = word[:LONGEST_WORD].lower()
    if "@" in word:
        word = _ADDRESS.sub(ADDRESS, word)
    if _DIGITS.search(word) is None:
        return word
    word = _IPV4.sub(IPV4, word)
    if word.count(":") > 1:
        word = _IPV6.sub(_ipv6, word)
    if "si" in word:
        word = _QUEUE_ID.sub(ID, word)
    return _RUN.sub(_run, word)


def _ipv6(found: re.Match[str]) -> str:
    return IPV6 if _DIGITS.search(found[0]) else found[0]


def _run(found: re.Match[str]) -> str:
    """Long numbers and long mixtures of letters and digits say nothing; short ones may be codes."""
    run = found[0]
    if _CODE_BEFORE.match(run):
        # A line of a reply that isn't its last: its code is joined to its first word.
        return run[:4] + _RUN.sub(_run, run[4:])
    if run.isdecimal():
        return NUMBER
    is_id = len(run) >= _SHORTEST_ID and len(_DIGITS.findall(run)) >= _LEAST_DIGITS_OF_ID
    return ID if is_id else run

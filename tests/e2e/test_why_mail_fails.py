"""What the exporter says of a real Exim's mail is what Exim and the servers outside really did.

Exim sends to servers that accept, refuse, put off, hang and hang up, in words that receivers use;
its main log is served as WHM's API, and the exporter reads that like any server's.
"""

import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.e2e.exim import RealExim, real_exim
from tests.e2e.outside import Manner
from tests.e2e.programs import (
    PATIENCE_SECONDS,
    config_file,
    exporter,
    scrape,
    simulated_servers,
)

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]


class Expected(NamedTuple):
    """What mail to a server comes to; codes are empty where no server said any."""

    outcome: str
    reason: str = ""
    severity: str = ""
    code: str = ""
    enhanced_code: str = ""


OUTSIDE: Mapping[Manner, Expected] = {
    Manner("accepts.example"): Expected("success"),
    Manner(
        "unknown.example",
        "550-5.1.1 The email account that you tried to reach does not exist. Please try\r\n"
        "550-5.1.1 double-checking the recipient's email address for typos or\r\n"
        "550 5.1.1 unnecessary spaces. For more information, go to the help pages - gsmtp",
    ): Expected("failure", "unknown_user", "hard", "550", "5.1.1"),
    Manner("nobody.example", "550 No such user here"): Expected(
        "failure", "unknown_user", "hard", "550"
    ),
    Manner(
        "listed.example",
        "554 5.7.1 Service unavailable; Client host [192.0.2.10] blocked using zen.spamhaus.org",
    ): Expected("failure", "blocklisted", "block", "554", "5.7.1"),
    Manner(
        "dislikes.example",
        to_data="550-5.7.1 [192.0.2.10] Our system has detected that this message is likely\r\n"
        "550-5.7.1 unsolicited mail. To reduce the amount of spam sent to our users, this\r\n"
        "550 5.7.1 message has been blocked.",
    ): Expected("failure", "spam_content", "block", "550", "5.7.1"),
    Manner(
        "checks.example",
        to_data="550 5.7.26 Unauthenticated email from example.com is not accepted due to the "
        "domain's DMARC policy.",
    ): Expected("failure", "auth_failed", "block", "550", "5.7.26"),
    Manner(
        "nameless.example",
        "550 5.7.25 [192.0.2.10] The IP address sending this message does not have a PTR record",
    ): Expected("failure", "ptr_missing", "block", "550", "5.7.25"),
    Manner("small.example", to_data="552 5.3.4 Message size exceeds fixed limit"): Expected(
        "failure", "too_large", "hard", "552", "5.3.4"
    ),
    Manner("relays-not.example", "554 5.7.1 <{address}>: Relay access denied"): Expected(
        "failure", "relay_denied", "hard", "554", "5.7.1"
    ),
    Manner(
        "greylists.example", "451 4.7.1 <{address}>: Recipient address rejected: Greylisted"
    ): Expected("defer", "greylisted", "soft", "451", "4.7.1"),
    Manner("full.example", "452 4.2.2 <{address}>: Mailbox full"): Expected(
        "defer", "mailbox_full", "soft", "452", "4.2.2"
    ),
    Manner(
        "slows.example",
        to_data="421 4.7.28 Gmail has detected an unusual rate of unsolicited mail.",
    ): Expected("defer", "rate_limited", "soft", "421", "4.7.28"),
    Manner("hangs.example", None, hangs=True): Expected("defer", "network", "soft"),
    Manner("hangs-up.example", None): Expected("defer", "network", "soft"),
    Manner("is-down.example", listening=False): Expected("defer", "network", "soft"),
}
AT_HOME: Mapping[str, Expected] = {
    "ann@example.com": Expected("success"),
    "nosuch@example.com": Expected("failure", "unknown_user", "hard"),
    "full@example.com": Expected("defer", "mailbox_full", "soft"),
}
LIMITED = Expected("failure", "local_limit", "soft")

Families = Mapping[str, Mapping[frozenset[tuple[str, str]], float]]


def families(address: str) -> Families:
    """Samples by name and label pairs, those of our server alone."""
    found: dict[str, dict[frozenset[tuple[str, str]], float]] = {}
    for family in text_string_to_metric_families(scrape(f"http://{address}/probe?target=web1")):
        for sample in family.samples:
            labels = {name: text for name, text in sample.labels.items() if name != "server"}
            labels.pop("region", None)
            found.setdefault(sample.name, {})[frozenset(labels.items())] = sample.value
    return found


def sums(found: Families, name: str, *by: str) -> Counter[tuple[str, ...]]:
    """A family's values added up by some of its labels; what is 0 left out."""
    added: Counter[tuple[str, ...]] = Counter()
    for labels, value in found.get(name, {}).items():
        of = dict(labels)
        added[tuple(of[label] for label in by)] += int(value)
    return +added


def only(found: Families, name: str) -> float:
    [value] = found[name].values()
    return value


@contextmanager
def watched(exim: RealExim, folder: Path) -> Iterator[str]:
    """The exporter, reading *exim* through a simulated WHM; gives its address."""
    log = ("--exim-mainlog", str(exim.mainlog), "--userdomains", str(exim.user_domains))
    with simulated_servers(folder, 1, *log) as simulator:
        path = config_file(
            folder,
            simulator["servers"],
            poll_interval="1s",
            delivery_events={"backfill": True},
        )
        with exporter(folder, "--config.file", path) as address:
            yield address


def assert_comes_to(address: str, view: Callable[[Families], Any], expected: object) -> None:
    """A poll or two later *view* of the families is what is expected; new series begin at 0."""
    end = time.monotonic() + PATIENCE_SECONDS
    while (seen := view(families(address))) != expected and time.monotonic() < end:
        time.sleep(0.1)
    assert seen == expected


def attempts(exim: RealExim, runs: int) -> Counter[Expected]:
    """What all attempts of *exim* came to, as the servers outside tell.

    Args:
        exim: has sent one message to each server outside and each address at home.
        runs: how many times Exim has tried what isn't done.
    """
    happened: Counter[Expected] = Counter()
    for manner, expected in OUTSIDE.items():
        if not manner.listening:
            happened[expected] += runs  # nobody heard of it
            continue
        deciding = "DATA" if manner.to_rcpt and manner.to_rcpt.startswith("2") else "RCPT"
        heard = sum(
            times
            for what, times in exim.outside.heard.items()
            if what.domain == manner.domain and what.command == deciding
        )
        assert heard == (runs if expected.outcome == "defer" else 1), manner.domain
        happened[expected] += heard
    for expected in AT_HOME.values():
        happened[expected] += runs if expected.outcome == "defer" else 1
    happened[LIMITED] += 1
    return happened


def by(happened: Counter[Expected], *fields: str, outcome: str = "") -> Counter[tuple[str, ...]]:
    """Events by some of what they came to, of one outcome if it is named."""
    added: Counter[tuple[str, ...]] = Counter()
    for expected, times in happened.items():
        if outcome in ("", expected.outcome):
            added[tuple(getattr(expected, name) for name in fields)] += times
    return added


def test_reasons_codes_and_queue_are_those_of_a_real_exim(tmp_path: Path) -> None:
    with real_exim(manners=tuple(OUTSIDE)) as exim:
        exim.submit("shop@example.com", [f"amy@{manner.domain}" for manner in OUTSIDE])
        exim.submit("shop@example.com", list(AT_HOME))
        exim.submit("limited@example.org", ["amy@accepts.example"])
        exim.wait_until_idle()
        with watched(exim, tmp_path) as address:
            assert_told(exim, address, attempts(exim, runs=1))
            exim.run("-qf")  # frozen messages stay as they are
            exim.wait_until_idle()
            assert_told(exim, address, attempts(exim, runs=2))


def assert_told(exim: RealExim, address: str, happened: Counter[Expected]) -> None:
    held = exim.held()
    # Reports to the senders, whose mailboxes there are not; Exim freezes them.
    bounces = sum(message.sender == "" for message in held)
    assert bounces == 3
    happened[Expected("failure", "unknown_user", "hard")] += bounces
    assert_comes_to(
        address,
        lambda found: sums(found, "cpanel_mail_delivery_events_total", "outcome"),
        by(happened, "outcome"),
    )
    reasons = ("reason", "severity")
    for outcome, name in (("failure", "failures"), ("defer", "deferrals")):
        assert_comes_to(
            address,
            lambda found, name=name: sums(found, f"cpanel_mail_delivery_{name}_total", *reasons),
            by(happened, *reasons, outcome=outcome),
        )
    codes = ("code", "enhanced_code")
    replies = by(happened, *codes)
    del replies["", ""]
    assert_comes_to(
        address, lambda found: sums(found, "cpanel_mail_smtp_replies_total", *codes), replies
    )
    assert_comes_to(
        address,
        queue_told,
        {
            "states": Counter("frozen" if m.is_frozen else "active" for m in held),
            "bounces": bounces,
            "recipients": sum(len(message.recipients) for message in held),
            "older": Counter(),
            "by_user": len(held),
        },
    )
    found = families(address)
    assert 200 * len(held) < only(found, "cpanel_mail_queue_bytes") < 5_000 * len(held)
    oldest = only(found, "cpanel_mail_queue_oldest_message_timestamp_seconds")
    assert 0 <= time.time() - oldest < 2 * PATIENCE_SECONDS


def queue_told(found: Families) -> dict[str, object]:
    states = sums(found, "cpanel_mail_queue_messages", "state")
    return {
        "states": Counter({state: count for (state,), count in states.items()}),
        "bounces": only(found, "cpanel_mail_queue_bounce_messages"),
        "recipients": sums(found, "cpanel_mail_queue_recipients").total(),
        "older": sums(found, "cpanel_mail_queue_older_messages"),
        "by_user": sums(found, "cpanel_mail_queue_user_messages").total(),
    }

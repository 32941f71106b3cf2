"""What is read from the main log of a real Exim is what it and the servers outside really did."""

import json
import time
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import msgspec
import pytest

from cpanel_mail_exporter.config.bounce_files import read_bounce_files
from cpanel_mail_exporter.config.settings import BouncesSettings
from tests.e2e.exim import CPANEL_LOGS, HOSTNAME, Held, RealExim, real_exim
from tests.e2e.outside import MANNERS
from tests.e2e.programs import scrape, simulated_servers, wait_for
from whm_simulator.exim_log.log_mail import LogMail
from whm_simulator.mail.rows import FIELDS, Row
from whm_simulator.mail.sums import Reached, Sender, Sums

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]
ZONE = ZoneInfo("Europe/Berlin")
KNOWN_OUTSIDE = {manner.domain: manner for manner in MANNERS}
OUTCOMES = {"2": "success", "4": "defer", "5": "failure"}


def log_mail(exim: RealExim, path: Path | None = None) -> LogMail:
    return LogMail(path or exim.mainlog, ZONE, HOSTNAME, exim.user_domains)


def held(mail: LogMail) -> set[Held]:
    """The queue of *mail*, in the words of ``exim -bp``."""
    return {
        Held(
            message.msgid,
            message.sender,
            frozenset(message.recipients),
            message.is_frozen,
            str(message.size),
        )
        for message in mail.queue(time.time())
    }


def without_large_sizes(messages: set[Held]) -> set[Held]:
    """Sizes of 1,000 bytes and more left out, since ``exim -bp`` rounds them."""
    return {
        message if message.size.isdecimal() and len(message.size) < 4 else message._replace(size="")
        for message in messages
    }


def unquoted(address: str) -> str:
    return address.lower().replace('"', "")


def what_happened_outside(exim: RealExim) -> Counter[tuple[str, str, str]]:
    """Outcome, sender and recipient of all that the servers outside were asked to take."""
    happened: Counter[tuple[str, str, str]] = Counter()
    for heard, times in exim.outside.heard.items():
        manner = KNOWN_OUTSIDE[heard.domain]
        reply = manner.to_rcpt if heard.command == "RCPT" else manner.to_data
        outcome = OUTCOMES[(reply or "4")[0]]  # without a reply Exim tries again
        if heard.command == "RCPT" and outcome == "success":
            continue  # the reply to the whole message decides
        happened[outcome, heard.sender, unquoted(heard.recipient)] += times
    return happened


def rows_outside(mail: LogMail) -> Counter[tuple[str, str, str]]:
    return Counter(
        (row.type, row.sender, unquoted(row.deliveredto or row.recipient))
        for row in mail.rows(time.time())
        if row.transport_is_remote
        and not row.recipient.endswith("@is-down.example")
        and "retry time" not in (row.message or "")  # then Exim didn't even connect
    )


def rows_in_mailbox(mail: LogMail, mailbox: str) -> Counter[str]:
    """Deliveries to a mailbox by sender."""
    return Counter(
        row.sender
        for row in mail.rows(time.time())
        if row.type == "success" and row.deliveredto == f"{mailbox}@example.com"
    )


def assert_all_is_as_it_was(exim: RealExim, mail: LogMail) -> None:
    assert rows_outside(mail) == what_happened_outside(exim)
    for mailbox in ("ann", "ben", "carl"):
        assert rows_in_mailbox(mail, mailbox) == exim.delivered(mailbox)
    assert without_large_sizes(held(mail)) == without_large_sizes(exim.held())


def types(mail: LogMail) -> list[tuple[str, str]]:
    return sorted((row.type, row.recipient) for row in mail.rows(time.time()))


TO_ALL_SORTS = (
    "amy@accepts.example", "Ben@Accepts.EXAMPLE", '"first last"@accepts.example',
    "gone@refuses.example", "eve@dislikes.example", "gil@puts-off.example", "hal@hangs.example",
    "hugo@hangs-up.example", "dan@is-down.example", "lost@unknown.example", "Ann@Example.COM",
    "full@example.com", "nosuch@example.com", "sales@example.com", "chief@example.com",
    "files@example.com", "broken@example.com", "nowhere@example.com", "later@example.com",
)  # fmt: skip
BY_FINAL_ADDRESS = {
    ("success", "amy@accepts.example", "remote_smtp"): 1,  # once, though also in the sales list
    ("success", "ben@accepts.example", "remote_smtp"): 1,
    ("success", "first last@accepts.example", "remote_smtp"): 1,
    ("failure", "gone@refuses.example", "remote_smtp"): 1,  # once as well
    ("failure", "eve@dislikes.example", "remote_smtp"): 1,
    ("defer", "gil@puts-off.example", "remote_smtp"): 1,
    ("defer", "hal@hangs.example", "remote_smtp"): 1,
    ("defer", "hugo@hangs-up.example", "remote_smtp"): 1,
    ("defer", "dan@is-down.example", "remote_smtp"): 1,
    ("failure", "lost@unknown.example", None): 1,
    # For herself and for the sales list or the chief; Exim drops the third as a duplicate.
    ("success", "ann@example.com", "virtual_userdelivery"): 2,
    ("success", "ben@example.com", "virtual_userdelivery"): 1,
    ("defer", "full@example.com", "full_userdelivery"): 1,
    ("failure", "nosuch@example.com", None): 1,
    ("success", "archive", "address_file"): 1,
    ("success", "|/bin/cat > /dev/null; : t=x", "virtual_address_pipe"): 1,
    ("failure", "|/bin/false", "virtual_address_pipe"): 1,
    ("success", ":blackhole:", None): 1,
    ("defer", "later@example.com", None): 1,
}


@pytest.mark.parametrize(
    "log_selector", [CPANEL_LOGS, "+all", ""], ids=["as cPanel", "everything", "Exim's default"]
)
def test_rows_queue_and_sums_are_what_really_happened(log_selector: str) -> None:
    with real_exim(log_selector=log_selector, timezone=ZONE.key) as exim:
        exim.submit("ann@example.com", TO_ALL_SORTS, login="ann@example.com")
        exim.submit("limited@example.org", ["amy@accepts.example"], login="limited@example.org")
        assert list(
            exim.submit("stranger@elsewhere.example", ["carl@example.com", "refused@example.com"])
        ) == ["refused@example.com"]
        exim.submit_locally("", ["nosuch@example.com", "ben@example.com"])
        exim.wait_until_idle()

        mail = log_mail(exim)
        assert_all_is_as_it_was(exim, mail)
        sent = [row for row in mail.rows(time.time()) if row.user == "shop" and row.actionunixtime]
        assert (
            Counter(
                (
                    row.type,
                    unquoted(row.deliveredto or row.recipient).removeprefix(f"{exim.folder}/mail/"),
                    row.transport,
                )
                for row in sent
            )
            == BY_FINAL_ADDRESS
        )
        sums = mail.sums(time.time())
        for whole in sums.values():
            assert whole.size_bytes > 200
            whole.size_bytes = 0
        (limited,) = [row for row in mail.rows(time.time()) if row.user == "office"]
        assert sums == {
            Sender("shop", "example.com"): Sums(9, 6, 5, 0, 1),
            Sender("office", "example.org"): Sums(
                0, 0, 1, 0, 1, max_emails=Reached(limited.sendunixtime, "150/150")
            ),
            Sender("-remote-", ""): Sums(1, 0, 0, 0, 1),
            Sender("root", "-system-"): Sums(1, 0, 1, 0, 1),
            # To ann about the first message, and to the limited one, whose mailbox there is not.
            Sender(exim.user, "-system-"): Sums(1, 0, 1, 0, 2),
        }


def test_a_row_tells_all_that_is_known_of_a_delivery() -> None:
    with real_exim(timezone=ZONE.key) as exim:
        exim.submit("ann@example.com", ["gone@refuses.example"], login="ann@example.com")
        exim.wait_until_idle()
        refused, bounce = log_mail(exim).rows(time.time())
        spooled = len("Subject: to gone@refuses.example\n\nHi\n")
    assert abs(time.time() - refused.sendunixtime) < 120
    assert 0 <= (refused.actionunixtime or 0) - refused.sendunixtime < 120
    assert spooled < refused.size < bounce.size
    assert refused == Row(
        actiontime=str(datetime.fromtimestamp(refused.actionunixtime or 0, ZONE))[:19],
        actionunixtime=refused.actionunixtime,
        deliveredto=None,
        deliverydomain=None,
        deliveryuser="-remote-",
        domain="example.com",
        email="ann@example.com",
        host="127.0.0.12",
        ip="127.0.0.12",
        message="SMTP error from remote mail server after RCPT TO:<gone@refuses.example>: 550-5.1.1"
        r" <gone@refuses.example>: The email account that you tried to reach\n550-5.1.1 does not"
        r" exist.\n550 5.1.1 User unknown",
        msgid=refused.msgid,
        recipient="gone@refuses.example",
        router="lookuphost",
        sender="ann@example.com",
        senderauth="dovecot_plain",
        senderhost="(client.example.org)",
        senderip="127.0.0.77",
        sendunixtime=refused.sendunixtime,
        size=refused.size,
        spamscore=0,
        transport="remote_smtp",
        transport_is_remote=1,
        type="failure",
        user="shop",
    )
    assert bounce == Row(
        actiontime=str(datetime.fromtimestamp(bounce.actionunixtime or 0, ZONE))[:19],
        actionunixtime=bounce.actionunixtime,
        deliveredto="ann@example.com",
        deliverydomain="example.com",
        deliveryuser="shop",
        domain="-system-",
        email=f"Mailer-Daemon@{HOSTNAME}",
        host="localhost",
        ip="127.0.0.1",
        message="Accepted",
        msgid=bounce.msgid,
        recipient="ann@example.com",
        router="virtual_user",
        sender="",
        senderauth="",
        senderhost="localhost",
        senderip="127.0.0.1",
        sendunixtime=bounce.sendunixtime,
        size=bounce.size,
        spamscore=0,
        transport="virtual_userdelivery",
        transport_is_remote=0,
        type="success",
        user=exim.user,
    )


WHY = {
    "nosuch@example.com": ("unknown_user", ""),
    "lost@unknown.example": ("domain_not_found", ""),
    "full@example.com": ("mailbox_full", ""),
    "broken@example.com": ("remote_error", ""),
    "gone@refuses.example": ("unknown_user", "550"),
    "eve@dislikes.example": ("spam_content", "554"),
    "gil@puts-off.example": ("greylisted", "451"),
    "hal@hangs.example": ("network", ""),
    "hugo@hangs-up.example": ("network", ""),
    "dan@is-down.example": ("network", ""),
    # What an alias file says after `:defer:` can be anything.
    "later@example.com": ("other", ""),
}


def test_why_it_failed_is_told_from_what_a_real_exim_writes() -> None:
    with real_exim() as exim:
        exim.submit("ann@example.com", [*WHY], login="ann@example.com")
        exim.wait_until_idle()
        troubles = [row for row in log_mail(exim).rows(time.time()) if row.type != "success"]
    known = read_bounce_files(BouncesSettings())
    found = {
        row.recipient: known.classifier.classify(row.message or "", row.router or "", row.type)
        for row in troubles
    }
    assert {to: (why.reason.reason, why.reason.code) for to, why in found.items()} == WHY


def test_mail_in_progress_is_followed_to_its_end_through_rotation() -> None:
    with real_exim(timezone=ZONE.key) as exim:
        mail = log_mail(exim)
        exim.hold(True)
        exim.submit("ann@example.com", ["amy@accepts.example", "gil@puts-off.example"])
        exim.submit_locally("ann@example.com", ["carl@example.com"])
        exim.wait_until_idle()
        assert types(mail) == [
            ("inprogress", "amy@accepts.example"),
            ("inprogress", "carl@example.com"),
            ("inprogress", "gil@puts-off.example"),
        ]
        assert_all_is_as_it_was(exim, mail)

        exim.hold(False)
        exim.rotate()
        exim.run("-q")
        assert types(mail) == [
            ("defer", "gil@puts-off.example"),
            ("success", "amy@accepts.example"),
            ("success", "carl@example.com"),
        ]
        assert_all_is_as_it_was(exim, mail)

        exim.run("-q")  # too early: Exim says so, and doesn't even connect
        exim.run("-qf")
        assert types(mail) == [
            *[("defer", "gil@puts-off.example")] * 3,
            ("success", "amy@accepts.example"),
            ("success", "carl@example.com"),
        ]
        assert_all_is_as_it_was(exim, mail)

        both = exim.folder / "both"
        both.write_bytes((exim.folder / "log/mainlog.01").read_bytes() + exim.mainlog.read_bytes())
        assert log_mail(exim, both).rows(time.time()) == mail.rows(time.time())


def test_what_exim_gives_up_ends_as_a_failure() -> None:
    with real_exim(timezone=ZONE.key) as exim:
        mail = log_mail(exim)
        exim.submit("ben@example.com", ["pat@puts-off-briefly.example"])

        def gave_up() -> bool:
            exim.run("-qf")
            exim.wait_until_idle()
            return exim.held() == set()

        wait_for(gave_up, "Exim to give up")
        *put_off, given_up, bounce = mail.rows(time.time())
        assert {row.type for row in put_off} == {"defer"}
        assert (given_up.type, given_up.recipient) == ("failure", "pat@puts-off-briefly.example")
        assert given_up.message is not None
        assert given_up.message.endswith("retry timeout exceeded")
        assert (bounce.type, bounce.sender, bounce.recipient) == ("success", "", "ben@example.com")
        assert mail.queue(time.time()) == []


def test_what_is_done_by_hand_shows_in_the_queue() -> None:
    with real_exim(timezone=ZONE.key) as exim:
        mail = log_mail(exim)
        exim.submit("stranger@elsewhere.example", ["frozen@example.com", "carl@example.com"])
        exim.submit("ann@example.com", ["gil@puts-off.example", "gus@puts-off.example"])
        exim.submit("", ["nosuch@example.com"])
        exim.wait_until_idle()
        frozen, put_off, bounce = (message.msgid for message in mail.queue(time.time()))
        assert [message.is_frozen for message in mail.queue(time.time())] == [True, False, True]
        for arguments in (
            ("-Mt", frozen),
            ("-Mmd", put_off, "gus@puts-off.example"),
            ("-Mar", put_off, "amy@accepts.example"),
            ("-Mes", put_off, "ben@example.com"),
            ("-Mf", put_off),
            ("-qff",),
            ("-Mmad", put_off),
            ("-qff",),
            ("-Mg", bounce),
            ("-Mrm", frozen),
        ):
            exim.run(*arguments)
            exim.wait_until_idle()
            assert without_large_sizes(held(mail)) == without_large_sizes(exim.held()), arguments


def test_the_simulator_serves_it(tmp_path: Path) -> None:
    with real_exim() as exim:
        exim.submit("ann@example.com", TO_ALL_SORTS, login="ann@example.com")
        exim.wait_until_idle()
        options = ("--exim-mainlog", str(exim.mainlog), "--userdomains", str(exim.user_domains))
        with simulated_servers(tmp_path, 1, *options) as simulator:
            (server,) = simulator["servers"]
            login = {"Authorization": f"whm {server['user']}:{server['token']}"}
            address = f"{server['endpoint']}/json-api/fetch_mail_queue?api.version=1"
            answer = scrape(address, ca_file=Path(server["ca_file"]), **login)
            truth = scrape(f"{simulator['control']}/truth?server=web1")
        mail = LogMail(exim.mainlog, UTC, "web1.example.net", exim.user_domains)
        events = [json.loads(event) for event in truth.splitlines()]
        assert [{name: event[name] for name in FIELDS} for event in events] == [
            msgspec.to_builtins(row) for row in mail.rows(time.time())
        ]
        assert {
            (record["msgid"], frozenset(record["recipients"]))
            for record in json.loads(answer)["data"]["records"]
        } == {(message.msgid, message.recipients) for message in exim.held()}

"""Hidden families are neither rendered nor told about; what is cut shows beside its limit."""

from collections.abc import Sequence

import pytest

from cpanel_mail_exporter.ledger.ledger import Ledger, LedgerTerms
from cpanel_mail_exporter.model.deliveries import DeliveriesState
from cpanel_mail_exporter.model.outcome import DELIVERY_EVENTS, USER_STATS
from cpanel_mail_exporter.publishing import server_board
from cpanel_mail_exporter.publishing.whole_answers import AnswerTerms
from cpanel_mail_exporter.storage.memory import MemoryStore
from tests.unit.ledger.mail import MEANING
from tests.unit.publishing.boards import board, poll, shown, stat, terms
from tests.unit.publishing.clock import StandingClock

USERS = "cpanel_mail_user_delivery_events_total"
HIDDEN = frozenset({USERS, "email_flag_stats", "cpanel_mail_rows_read_total"})


def test_a_hidden_family_is_not_rendered_nor_named_by_others(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    rendered: list[str] = []
    render = server_board.rendered_families

    def noted(families: Sequence[object], *rest: object) -> object:
        rendered.extend(part.family.name for part in families)  # type: ignore[attr-defined]
        return render(families, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(server_board, "rendered_families", noted)
    clock = StandingClock()
    ledger = Ledger("web1", MemoryStore(), MEANING, LedgerTerms(birth_delay_seconds=None))
    ledger.begin(int(clock.now))
    collectors = (USER_STATS, DELIVERY_EVENTS)
    one = board(
        clock,
        terms(collectors=collectors, hidden_families=HIDDEN),
        terms("web2", collectors=collectors),
        ledgers={"web1": ledger},
    )
    flags = {"reached_maxemails": True}
    for server in one.servers:
        poll(server, clock.now, user_stats=[stat(flags=flags)], delivery_events=DeliveriesState())
    one.build()
    for publication in (one.of_server("web1"), one.everything()):
        read = shown(publication)
        told = [
            name
            for name, labels, _ in read.samples
            if ("server", "web1") in labels and (name in HIDDEN or HIDDEN & {v for _, v in labels})
        ]
        assert told == []
        assert ("web1", "email_user_stats") in read.of("cpanel_mail_series")
    assert ("web2", "email_flag_stats") in shown(one.everything()).of("cpanel_mail_series")
    rendered.clear()
    poll(one.servers[0], clock.now, user_stats=[stat(flags=flags)])
    one.build()
    assert "email_user_stats" in rendered
    assert not HIDDEN & {*rendered}


def test_sums_by_user_beyond_their_budget_show_as_cut() -> None:
    clock = StandingClock()
    one = board(clock, terms(collectors=(USER_STATS,), answers=AnswerTerms(user_stats_pairs=2)))
    users = [stat(user=f"user{n}", flags={"reached_maxemails": False}) for n in range(3)]
    poll(one.servers[0], clock.now, user_stats=users)
    one.build()
    read = shown(one.everything())
    figures = {
        name: (
            read.of("cpanel_mail_series")["web1", name],
            read.of("cpanel_mail_series_wanted")["web1", name],
            read.of("cpanel_mail_series_limit")["web1", name],
        )
        for name in ("email_user_stats", "email_flag_stats", "email_user_info")
    }
    assert figures == {
        "email_user_stats": ("12", "18", "12"),
        "email_flag_stats": ("2", "3", "4"),
        "email_user_info": ("2", "3", "2"),
    }

"""Each account that is looked at has its score, the parts of it, and the numbers behind them."""

from cpanel_mail_exporter.metrics.spam_runs import spam_runs
from cpanel_mail_exporter.spam_runs.signals import Parts, Signals

RUN = Signals("shop1", 240, 60.5, 0.25, 230, 31, 2, Parts(1.0, 0.5, 0.25, 0.0, 1.0), 0.79)
CALM = Signals("acc1", 20, 30.0, None, 15, 1, 1, Parts(0.0, 0.0, 0.0, 0.0, 0.5), 0.0)


def test_every_number_stands_under_its_family_by_user() -> None:
    assert {one.family.name: list(one.samples) for one in spam_runs([RUN, CALM])} == {
        "cpanel_mail_account_spam_run_score": [(("acc1",), 0.0), (("shop1",), 0.79)],
        "cpanel_mail_account_spam_run_score_part": [
            (("acc1", "rate"), 0.0),
            (("acc1", "unknown_recipients"), 0.0),
            (("acc1", "networks"), 0.0),
            (("acc1", "sending_addresses"), 0.0),
            (("acc1", "unique_recipients"), 0.5),
            (("shop1", "rate"), 1.0),
            (("shop1", "unknown_recipients"), 0.5),
            (("shop1", "networks"), 0.25),
            (("shop1", "sending_addresses"), 0.0),
            (("shop1", "unique_recipients"), 1.0),
        ],
        "cpanel_mail_account_recent_recipients": [(("acc1",), 20), (("shop1",), 240)],
        "cpanel_mail_account_usual_recent_recipients": [(("acc1",), 30.0), (("shop1",), 60.5)],
        "cpanel_mail_account_recent_unknown_recipient_ratio": [(("shop1",), 0.25)],
        "cpanel_mail_account_recent_unique_recipients": [(("acc1",), 15), (("shop1",), 230)],
        "cpanel_mail_account_recent_networks": [(("acc1",), 1), (("shop1",), 31)],
        "cpanel_mail_account_recent_sending_addresses": [(("acc1",), 1), (("shop1",), 2)],
    }


def test_nobody_gives_no_samples() -> None:
    assert not any(one.samples for one in spam_runs([]))

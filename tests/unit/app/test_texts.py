"""What /debug/bounces may show of texts that no rule explains."""

from cpanel_mail_exporter.app.texts import HIDDEN, shown_texts
from cpanel_mail_exporter.ledger.unclassified import Unclassified
from cpanel_mail_exporter.web.ports import UnexplainedText

FOUND = [
    Unclassified("550 mailbox of John Smith is odd", "550", "google", 2, 300),
    Unclassified("451 come again", "451", "other", 1, 200),
    Unclassified("550 what", "550", "google", 3, 100),
]


def test_texts_are_shown_as_they_were_noted() -> None:
    assert shown_texts(FOUND, hides_people=False) == [
        UnexplainedText("550 mailbox of John Smith is odd", "550", "google", 2, 300),
        UnexplainedText("451 come again", "451", "other", 1, 200),
        UnexplainedText("550 what", "550", "google", 3, 100),
    ]


def test_where_people_are_hidden_only_codes_providers_and_numbers_are_shown() -> None:
    assert shown_texts(FOUND, hides_people=True) == [
        UnexplainedText(HIDDEN, "550", "google", 5, 300),
        UnexplainedText(HIDDEN, "451", "other", 1, 200),
    ]

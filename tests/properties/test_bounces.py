"""Whatever a server writes, it gets one of the classes, the same one each time."""

from hypothesis import given, settings
from hypothesis import strategies as st

from cpanel_mail_exporter.bounces.classes import CLASSES
from cpanel_mail_exporter.bounces.classifier import Classifier
from cpanel_mail_exporter.bounces.providers import Providers
from cpanel_mail_exporter.bounces.skeleton import LONGEST_READ, Skeletons
from cpanel_mail_exporter.bounces.spoken_to import spoken_to
from cpanel_mail_exporter.config.bounce_files import package_providers, package_rules

CLASSIFIER = Classifier(package_rules())
PROVIDERS = Providers([package_providers()])
SEVERITY_OF = {one.name: one.severity for one in CLASSES}

WORDS = st.sampled_from(
    ["SMTP error from remote mail server after ", "RCPT TO:<", "a@b.example",
     ">: host mx.example [",
     "192.0.2.25", "]: ", "550", "-5.1.1 ", " 421 4.7.0 ", "\\n", "\n", "User unknown", "mailbox ",
     "full", "(", "\\", "é", "Ã¤", "\ud800", "<<<>>>", " ", "550-", "@", "::1", "9" * 40]
)  # fmt: skip
TEXTS = st.one_of(
    st.text(max_size=400),
    st.lists(WORDS, max_size=40).map("".join),
    st.text("\ud800\udfff\x00\x80\uffff \\n", max_size=40),
)


@given(TEXTS, st.text(max_size=20), st.sampled_from(["failure", "defer", "", "success"]))
@settings(max_examples=400, deadline=None)
def test_any_text_gets_a_class_with_its_severity(text: str, router: str, kind: str) -> None:
    reason = CLASSIFIER.classify(text, router, kind).reason
    assert SEVERITY_OF[reason.reason] == reason.severity
    assert reason.code == "" or (len(reason.code) == 3 and reason.code[0] in "45")
    assert reason == Classifier(package_rules()[:1]).classify(text).reason._replace(
        reason=reason.reason, severity=reason.severity
    )


@given(TEXTS, TEXTS)
@settings(deadline=None)
def test_nothing_behind_the_bound_is_looked_at(text: str, more: str) -> None:
    """So the time for one text is bounded, since RE2's grows with the length and no faster."""
    filled = (text + " " * LONGEST_READ)[:LONGEST_READ]
    assert Skeletons().of(filled + more) == Skeletons().of(filled)


@given(TEXTS)
@settings(deadline=None)
def test_a_skeleton_is_one_line_and_not_longer_than_what_it_is_made_of(text: str) -> None:
    skeleton = Skeletons().of(text)
    assert skeleton == " ".join(skeleton.split())
    # A mask may be a few characters longer than a very short address.
    assert len(skeleton) <= 4 * len(text[:LONGEST_READ]) + 2


@given(TEXTS)
@settings(deadline=None)
def test_whom_a_text_is_about_can_always_be_asked_for(text: str) -> None:
    assert PROVIDERS.of(*spoken_to(text)) in PROVIDERS.names

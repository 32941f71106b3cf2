"""Floors under how many texts get a right class: on what is published, and on real bounce mails."""

import pytest

from cpanel_mail_exporter.bounces.classifier import Classifier
from cpanel_mail_exporter.config.bounce_files import package_rules
from tests.bounces.cases import COLLECTED, PUBLISHED, Case, read_cases, score
from tests.bounces.support import without_fold

FOLDS = 10


@pytest.fixture(scope="module")
def collected() -> list[Case]:
    if not COLLECTED.exists():
        pytest.skip(f"there is no {COLLECTED.name} beside the checkout")
    return read_cases(COLLECTED)


def test_99_of_100_published_replies_get_a_right_class() -> None:
    assert score(Classifier(package_rules()), read_cases(PUBLISHED)).share >= 0.99


def test_96_of_100_real_texts_get_a_right_class(collected: list[Case]) -> None:
    with_code = [case for case in collected if case.holds_code]
    classifier = Classifier(package_rules())
    assert score(classifier, collected).share >= 0.96
    assert score(classifier, with_code).share >= 0.96


def test_without_patterns_owed_to_a_text_alone_88_of_100_still_do(collected: list[Case]) -> None:
    assert without_fold(collected, read_cases(PUBLISHED), FOLDS).share >= 0.88

"""What accounts did in the last ten minutes -> families by user, within a bound."""

from collections.abc import Sequence

from cpanel_mail_exporter.metrics import catalogue
from cpanel_mail_exporter.model.family import Family, FamilySamples, Sample
from cpanel_mail_exporter.spam_runs.signals import Parts, Signals


def spam_runs(found: Sequence[Signals]) -> list[FamilySamples]:
    """Scores, their parts, and the numbers behind them.

    Args:
        found: the accounts to show; those that send little aren't among them.
    """
    shown = sorted(found, key=lambda one: one.user)
    parts: list[Sample] = [
        ((one.user, part), value)
        for one in shown
        for part, value in zip(Parts._fields, one.parts, strict=True)
    ]
    ratios: list[Sample] = [
        ((one.user,), one.unknown_recipient_ratio)
        for one in shown
        if one.unknown_recipient_ratio is not None
    ]
    return [
        _by_user(catalogue.SPAM_RUN_SCORE, [(one.user, one.score) for one in shown]),
        FamilySamples(catalogue.SPAM_RUN_SCORE_PART, parts),
        _by_user(catalogue.RECENT_RECIPIENTS, [(one.user, one.recipients) for one in shown]),
        _by_user(catalogue.USUAL_RECIPIENTS, [(one.user, one.usual_recipients) for one in shown]),
        FamilySamples(catalogue.RECENT_UNKNOWN_RATIO, ratios),
        _by_user(
            catalogue.RECENT_UNIQUE_RECIPIENTS, [(one.user, one.unique_recipients) for one in shown]
        ),
        _by_user(catalogue.RECENT_NETWORKS, [(one.user, one.networks) for one in shown]),
        _by_user(
            catalogue.RECENT_SENDING_ADDRESSES, [(one.user, one.sending_addresses) for one in shown]
        ),
    ]


def _by_user(family: Family, values: Sequence[tuple[str, float]]) -> FamilySamples:
    return FamilySamples(family, [((user,), value) for user, value in values])

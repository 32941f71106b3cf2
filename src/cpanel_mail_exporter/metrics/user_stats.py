"""Records of emailtrack_user_stats -> email_user_stats, email_flag_stats and email_user_info."""

import math
from collections.abc import Mapping, Sequence

from cpanel_mail_exporter.metrics import catalogue
from cpanel_mail_exporter.model.family import Distribution, FamilySamples
from cpanel_mail_exporter.model.records import FLAGS, STAT_TYPES, UserStat

SEND_COUNT = "send_count"
"""The stat type that says how much was sent."""

SERIES_OF_A_USER: Mapping[str, int] = {
    catalogue.EMAIL_USER_STATS.name: len(STAT_TYPES),
    catalogue.EMAIL_FLAG_STATS.name: len(FLAGS),
    catalogue.EMAIL_USER_INFO.name: 1,
}
"""By family, how many series a pair of domain and user has as WHM documents its sums."""


def user_stats(records: Sequence[UserStat], extra: tuple[str, ...]) -> list[FamilySamples]:
    """The three families; records alike in all labels are added up, in the order they came.

    Args:
        records: a whole answer.
        extra: of `owner` and `primary_domain`, those that are labels; with both there is no
            email_user_info, which would say the same.
    """
    sums: dict[tuple[str, ...], dict[str, int | float]] = {}
    flags: dict[tuple[str, ...], dict[str, bool]] = {}
    infos: dict[tuple[str, ...], None] = {}
    for record in records:
        known = {"owner": record.owner, "primary_domain": record.primary_domain}
        key = (record.domain, record.user, *(known[label] for label in extra))
        total = sums.setdefault(key, {})
        for stat_type, value in record.counts.items():
            total[stat_type] = _sum(total.get(stat_type, 0), value)
        reached = flags.setdefault(key, {})
        for flag, is_reached in record.flags.items():
            reached[flag] = reached.get(flag, False) or is_reached
        infos[record.domain, record.user, record.owner, record.primary_domain] = None
    families = [
        FamilySamples(
            catalogue.user_stats_family(catalogue.EMAIL_USER_STATS, extra),
            [
                ((*key[:2], stat_type, *key[2:]), value)
                for key, total in sums.items()
                for stat_type, value in total.items()
            ],
        ),
        FamilySamples(
            catalogue.user_stats_family(catalogue.EMAIL_FLAG_STATS, extra),
            [
                ((*key[:2], flag, *key[2:]), int(is_reached))
                for key, reached in flags.items()
                for flag, is_reached in reached.items()
            ],
        ),
    ]
    if set(extra) != set(catalogue.USER_STATS_LABELS):
        families.append(FamilySamples(catalogue.EMAIL_USER_INFO, [(key, 1) for key in infos]))
    return families


def widest_users(families: Sequence[FamilySamples], pairs: int) -> list[FamilySamples]:
    """*families* of `user_stats` with the *pairs* of domain and user alone that sent most.

    Of pairs that sent equally much the first in the alphabet are kept; samples stay in their order.
    """
    sent: dict[tuple[str, ...], int | float] = {}
    for labels, value in families[0].samples:
        # send_count is a number of messages: all labels beyond the pair's are added up.
        if not isinstance(value, Distribution):
            own = value if labels[2] == SEND_COUNT else 0
            sent[labels[:2]] = _sum(sent.get(labels[:2], 0), own)
    kept = set(sorted(sent, key=lambda pair: (-sent[pair], pair))[:pairs])
    return [
        FamilySamples(part.family, [sample for sample in part.samples if sample[0][:2] in kept])
        for part in families
    ]


def _sum(one: float, other: float) -> int | float:
    """Both together; whole numbers stay exact, and what no float can hold is infinite."""
    try:
        return one + other
    except OverflowError:
        return math.inf if other > 0 else -math.inf

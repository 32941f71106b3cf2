"""Records of emailtrack_user_stats -> email_user_stats, email_flag_stats and email_user_info."""

import math
from collections.abc import Sequence

from cpanel_mail_exporter.metrics import catalogue
from cpanel_mail_exporter.model.family import FamilySamples
from cpanel_mail_exporter.model.records import UserStat


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


def _sum(one: float, other: float) -> int | float:
    """Both together; whole numbers stay exact, and what no float can hold is infinite."""
    try:
        return one + other
    except OverflowError:
        return math.inf if other > 0 else -math.inf
